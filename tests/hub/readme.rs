//! The README's questions are asked, and must be answered as it says.

use crate::both;
use crate::harness::Hub;
use samverka::collection::{Answer, Example, examples};
use samverka::sandbox::{CHILDREN, SEED};
use samverka_domain::hub::Database;
use serde_json::json;

both! {
    the_readmes_questions_are_answered_as_it_says
}

async fn the_readmes_questions_are_answered_as_it_says(hub: Hub) {
    let database = Database::connect(&hub.database.url).await.expect("connects");
    database.seed(SEED, 0..CHILDREN, &hub.domain.clock(), &mut |_| ()).await.expect("the sandbox's children are made");
    let examples = examples(include_str!("../../README.md")).expect("they are sound");
    assert_eq!(examples.iter().map(|example| example.answers.len()).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1, 1]);
    for Example { document: query, answers, .. } in examples {
        for Answer { persona, purpose, body: expected } in answers {
            let caller = hub.caller(&persona).purpose(&purpose);
            let variables = match query.contains("$version") {
                true => {
                    let child = query.split('"').nth(1).expect("the README names the child");
                    let version = "query($id: ID!) { child(id: $id) { voice { version } } }";
                    let version = caller.ask_with(version, json!({ "id": child })).await;
                    json!({ "version": version.data("/child/voice/version") })
                }
                false => json!({}),
            };
            let answer = caller.ask_with(&query, variables).await;
            assert_eq!(answer.json, expected, "{persona}: {}", answer.text);
        }
    }
}
