//! A child that is asked for alone is read by one statement, by a guess of what the caller is to it. Nobody may notice.

use crate::both;
use crate::harness::{Hub, Scene, selection};
use samverka_domain::catalogue::{FieldId, Section, Source};
use samverka_domain::world::PERSONAS;
use serde_json::{Value, json};

both! {
    a_look_and_a_snapshot_answer_alike
    what_was_guessed_is_never_answered
    a_number_that_is_taken_away_finds_nobody
}

/// Everything of a child that one statement can read.
fn fields() -> String {
    let has_rows = |section: &Section| !section.is_list() || section.is_dated();
    let sections = Section::ALL.into_iter().filter(has_rows).map(|section| {
        // Lists with tables of their own take statements of their own, and so does a version that speaks of them.
        let in_row = |id: &FieldId| !matches!(id.field().source, Source::Rows(_)) && id.field().name != "followUpDone";
        let fields: Vec<String> = section.fields().filter(in_row).map(selection).collect();
        let stamps = if section == Section::Missing { "" } else { "version updatedAt updatedBy { id }" };
        format!("{} {{ {} {stamps} withheld {{ field rule }} }}", section.name(), fields.join(" "))
    });
    format!("id {}", sections.collect::<Vec<_>>().join(" "))
}

/// The child as one statement reads it, and its code where there is none.
async fn look(hub: &Hub, persona: &str, id: &str) -> (Value, Vec<String>) {
    let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", fields());
    of(hub, persona, id, &query).await
}

/// The child as a snapshot reads it: another field stands beside it.
async fn snapshot(hub: &Hub, persona: &str, id: &str) -> (Value, Vec<String>) {
    let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} me {{ role }} }}", fields());
    of(hub, persona, id, &query).await
}

async fn of(hub: &Hub, persona: &str, id: &str, query: &str) -> (Value, Vec<String>) {
    let answer = hub.caller(persona).ask_with(query, json!({ "id": id })).await;
    let codes = answer.codes().into_iter().map(str::to_owned).collect();
    (answer.json["data"]["child"].clone(), codes)
}

async fn a_look_and_a_snapshot_answer_alike(hub: Hub) {
    let everyone = vec![
        ("malmo-soc", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("migrationsverket", "INVOLVED"),
        ("polisen", "INVOLVED"),
        ("granspolisen", "INVOLVED"),
        ("landskrona-soc", "RECEIVING"),
        ("skola", "INVOLVED"),
        ("region-skane", "INVOLVED"),
        ("malmo-overformyndare", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    let scenes = [
        Scene::default(),
        Scene { involved: everyone.clone(), home: Some("hvb-malmo"), protocols: true, ..Scene::default() },
        Scene {
            involved: everyone.clone(),
            missing: true,
            protocols: true,
            protection: "CONFIDENTIAL",
            ..Scene::default()
        },
        Scene { ended: vec![("landskrona-soc", "LEAD", 5), ("hvb-malmo", "WHEREABOUTS", 5)], ..Scene::default() },
    ];
    for scene in scenes {
        let child = hub.child(scene).await;
        for persona in &PERSONAS {
            let expected = snapshot(&hub, persona.code, &child.id).await;
            // Looked up first, then guessed.
            for time in 0..2 {
                let seen = look(&hub, persona.code, &child.id).await;
                assert_eq!(seen, expected, "{}, time {time}", persona.code);
            }
        }
    }
}

/// After each change of what somebody is to the child, or of what the child is, the next look is as the record says then.
async fn what_was_guessed_is_never_answered(hub: Hub) {
    let involved =
        vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("polisen", "INVOLVED"), ("skola", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let uuid = match hub.outside.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("x'{}'", child.uuid.simple()),
        _ => format!("'{}'", child.uuid),
    };
    let callers = ["malmo-soc", "polisen", "skola"];
    let mut before = Vec::new();
    for caller in callers {
        before.push(look(&hub, caller, &child.id).await);
    }
    let lost = vec![("id", hub.uuid().into()), ("child_id", child.uuid.into()), ("opened_at", hub.now().into())];
    hub.insert("missing_episode", lost).await;
    let wider = look(&hub, "polisen", &child.id).await;
    assert_ne!(wider, before[1], "the search sees more while the child is missing");
    assert_eq!(wider, snapshot(&hub, "polisen", &child.id).await, "what was not read by the guess is read now");
    let changes = [
        format!("DELETE FROM missing_episode WHERE child_id = {uuid}"),
        format!("UPDATE protection SET level = 'REGISTERED' WHERE child_id = {uuid}"),
        format!("UPDATE involvement SET closed_at = {} WHERE child_id = {uuid} AND kind <> 'LEAD'", hub.now()),
        format!("DELETE FROM involvement WHERE child_id = {uuid} AND kind = 'INVOLVED'"),
    ];
    let mut seen = wider;
    for change in changes {
        for caller in callers {
            look(&hub, caller, &child.id).await;
        }
        hub.sql(&change).await;
        for caller in callers {
            // The look comes first: nothing that the snapshot does may help it.
            let looked = look(&hub, caller, &child.id).await;
            assert_eq!(looked, snapshot(&hub, caller, &child.id).await, "{caller} after {change}");
            seen = looked;
        }
    }
    assert_eq!(seen, (Value::Null, vec!["NOT_FOUND".to_owned()]), "the school is nothing to the child any more");
}

async fn a_number_that_is_taken_away_finds_nobody(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let number = child.canaries.iter().find(|(field, _)| field.to_string() == "identifiers.dossierNumbers");
    let number = number.expect("a dossier number").1.clone();
    let query = "query($value: String!) { childByIdentifier(kind: DOSSIER_NUMBER, value: $value) { id identity { givenNames } } }";
    let find = async || hub.caller("malmo-soc").ask_with(query, json!({ "value": number })).await;
    assert_eq!(find().await.data("/childByIdentifier/id"), &json!(child.id));
    assert_eq!(find().await.data("/childByIdentifier/id"), &json!(child.id));
    hub.sql(&format!("DELETE FROM identifier WHERE value = '{number}'")).await;
    assert_eq!(find().await.codes(), ["NOT_FOUND"]);
}
