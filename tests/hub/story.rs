//! Whole stories over HTTP, each caller with its own token, on each database. The pages in `golden/` tell after each turn who
//! leads, who is responsible, who was told what, and which fields hold something for whom; whatever is not named there is
//! withheld.

use crate::harness::{Database, Kind, START};
use samverka::story::{Moment, STORIES, Stage, Story, Told};
use samverka_domain::world::PERSONAS;
use std::collections::BTreeSet;

async fn played(kind: Kind, name: &str) -> Option<(&'static Story, Vec<Moment>)> {
    let story = STORIES.iter().find(|story| story.name == name).expect("a story");
    let database = Database::new(kind).await?;
    let mut stage = Stage::open(&database.url, START).await.expect("a stage");
    let moments = stage.play(story).await.unwrap_or_else(|error| panic!("{error}"));
    stage.close().await;
    Some((story, moments))
}

async fn as_told(kind: Kind, name: &str) {
    let Some((story, moments)) = played(kind, name).await else { return };
    let told = Told(story, &moments).to_string();
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("hub/golden/story-{name}.txt"));
    let expected = std::fs::read_to_string(&golden).expect("a golden file");
    for (line, expected) in told.lines().zip(expected.lines()) {
        assert_eq!(
            line, expected,
            "run `cargo run -- story {name} > tests/hub/golden/story-{name}.txt` and read the diff"
        );
    }
    assert_eq!(
        told.len(),
        expected.len(),
        "run `cargo run -- story {name} > tests/hub/golden/story-{name}.txt` and read the diff"
    );
}

macro_rules! told {
    ($($test:ident $kind:ident $name:literal;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                as_told(Kind::$kind, $name).await;
            }
        )+
    };
}

told! {
    the_child_that_arrives_on_sqlite Sqlite "arriving";
    the_child_that_arrives_on_postgres Postgres "arriving";
    the_child_that_does_not_on_sqlite Sqlite "failing";
    the_child_that_does_not_on_postgres Postgres "failing";
}

/// The promises that no page of a story may break, whatever its turns are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_told_the_county_reads_no_child_and_somebody_leads() {
    for story in &STORIES {
        let Some((_, moments)) = played(Kind::Sqlite, story.name).await else { return };
        for moment in &moments {
            assert!(moment.lead.is_some(), "{}", moment.en);
            for code in ["lansstyrelsen-skane", "dataskydd", "granspolisen", "stadsmissionen"] {
                assert_eq!(moment.shown.get(code), None, "{code}: {}", moment.en);
            }
            let partner = moment.shown.get("radda-barnen").into_iter().flatten();
            assert!(partner.clone().all(|field| !field.starts_with("placement.")), "{}", moment.en);
        }
        let named: BTreeSet<&str> = moments.iter().flat_map(|moment| moment.told.keys().copied()).collect();
        assert!(named.iter().all(|code| PERSONAS.iter().any(|persona| persona.code == *code)));
    }
}
