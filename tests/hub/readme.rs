//! The README's questions are asked, and must be answered as it says.

use crate::both;
use crate::harness::Hub;
use samverka::sandbox::{CHILDREN, SEED};
use samverka_domain::hub::Database;
use serde_json::{Value, json};

both! {
    the_readmes_questions_are_answered_as_it_says
}

/// A question of the README, with the persona and purpose of each answer, and the answer.
struct Example {
    query: String,
    answers: Vec<(String, String, Value)>,
}

fn examples() -> Vec<Example> {
    let readme = include_str!("../../README.md");
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = readme.lines();
    let mut caller = None;
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("<!-- example: ") {
            let (persona, purpose) = rest.trim_end_matches(" -->").split_once(' ').expect("persona and purpose");
            caller = Some((persona.to_owned(), purpose.to_owned()));
        }
        let block =
            |lines: &mut std::str::Lines<'_>| lines.take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
        if line == "```graphql" {
            examples.push(Example { query: block(&mut lines), answers: Vec::new() });
        } else if line == "```json" {
            let answer = serde_json::from_str(&block(&mut lines)).expect("the README's JSON is JSON");
            let (persona, purpose) = caller.take().expect("a caller beside the answer");
            examples.last_mut().expect("a question before the answer").answers.push((persona, purpose, answer));
        }
    }
    examples
}

async fn the_readmes_questions_are_answered_as_it_says(hub: Hub) {
    let database = Database::connect(&hub.database.url).await.expect("connects");
    database.seed(SEED, 0..CHILDREN, &hub.domain.clock(), &mut |_| ()).await.expect("the sandbox's children are made");
    let examples = examples();
    assert_eq!(examples.iter().map(|example| example.answers.len()).collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1, 1]);
    for Example { query, answers } in examples {
        for (persona, purpose, expected) in answers {
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
