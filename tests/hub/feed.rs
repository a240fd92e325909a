//! The stream of changes: one event for each change, in order and without a gap; to each caller what its rights of now allow.

use crate::both;
use crate::crash::journal::gaps;
use crate::harness::{Answer, DAY, HOUR, Hub, Kind, Scene, TestChild, field};
use samverka_domain::catalogue::Section;
use sea_orm::TransactionTrait;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

both! {
    each_change_is_told_once_with_the_versions_that_stand
    whoever_is_shown_nothing_of_a_change_is_told_nothing
    the_rights_are_those_of_the_moment_of_asking
    a_part_of_a_change_is_told_without_what_it_was_a_part_of
    an_ended_placement_is_told_to_whom_it_was_shown
    what_is_addressed_to_an_agency_reaches_that_agency_alone
    a_partner_hears_under_its_own_ids_and_of_what_is_consented
    cursors_are_their_callers_own_and_tell_nothing
    hidden_events_are_passed_over_without_a_trace
    what_is_told_is_in_the_access_log
    nothing_is_lost_or_repeated_with_sixteen_writers_and_as_many_readers
    what_was_committed_and_not_numbered_is_told_after_a_restart
    a_change_that_asks_for_nothing_new_is_no_event
    a_repeated_mutation_is_one_event
    who_reads_a_flag_of_an_episode_hears_of_what_changes_it_and_of_nothing_else
    who_leads_hears_of_what_the_record_shows_it_of_a_search
    who_reads_whether_a_handover_is_under_way_hears_no_more_of_it
}

const CHANGES: &str = "query($after: String, $first: Int) { changes(after: $after, first: $first) { nodes {
    id cursor kind at childId sections { section version } handoverId episodeId itemId } cursor hasMore } }";

async fn page(hub: &Hub, persona: &str, after: Option<&str>, first: i32) -> Value {
    let variables = json!({ "after": after, "first": first });
    hub.caller(persona).ask_with(CHANGES, variables).await.data("/changes").clone()
}

/// All that a caller is told, from a cursor on.
async fn all_after(hub: &Hub, persona: &str, after: Option<&str>) -> Vec<Value> {
    let (mut told, mut after) = (Vec::new(), after.map(str::to_owned));
    loop {
        let page = page(hub, persona, after.as_deref(), 7).await;
        told.extend(page["nodes"].as_array().expect("a list").iter().cloned());
        after = Some(cursor(&page));
        if page["hasMore"] == json!(false) {
            return told;
        }
    }
}

async fn all(hub: &Hub, persona: &str) -> Vec<Value> {
    all_after(hub, persona, None).await
}

fn cursor(page: &Value) -> String {
    page["cursor"].as_str().expect("a cursor").to_owned()
}

/// Kinds and sections of what is told.
fn brief(told: &[Value]) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let sections =
        |change: &Value| change["sections"].as_array().expect("a list").iter().map(|s| text(&s["section"])).collect();
    told.iter().map(|change| (text(&change["kind"]), sections(change))).collect()
}

fn changed(sections: &[&str]) -> (String, Vec<String>) {
    ("SECTION_CHANGED".to_owned(), sections.iter().map(|section| (*section).to_owned()).collect())
}

/// Puts an event there, as a protocol does; the child has changed once more.
async fn put_event(
    hub: &Hub,
    child: &TestChild,
    kind: &str,
    places: Value,
    about: Option<Uuid>,
    to: [Option<&str>; 2],
) {
    let [one, other] = to.map(|persona| persona.map(|persona| hub.agency(persona)));
    let sequence: i64 = hub.rows(&format!("SELECT sequence + 1 FROM child WHERE {}", is(hub, "id", child.uuid))).await
        [0]
    .try_get_by_index(0)
    .expect("a number");
    let next: i64 =
        hub.rows("SELECT COALESCE(MAX(number), 0) + 1 FROM event").await[0].try_get_by_index(0).expect("a number");
    // As the hub writes them: numbered at once where there is one writer.
    let number = (hub.database.kind == Kind::Sqlite).then_some(next);
    let columns = vec![
        ("child_id", child.uuid.into()),
        ("sequence", sequence.into()),
        ("at", hub.now().into()),
        ("kind", kind.into()),
        ("fields", places.into()),
        ("about_id", about.into()),
        ("agency_id", one.into()),
        ("other_agency_id", other.into()),
        ("number", number.into()),
    ];
    hub.insert("event", columns).await;
    hub.sql(&format!("UPDATE child SET sequence = {sequence} WHERE {}", is(hub, "id", child.uuid))).await;
}

fn is(hub: &Hub, column: &str, id: Uuid) -> String {
    match hub.database.kind {
        Kind::Sqlite => format!("{column} = X'{}'", id.simple()),
        Kind::Postgres => format!("{column} = '{id}'"),
    }
}

async fn each_change_is_told_once_with_the_versions_that_stand(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let before = cursor(&page(&hub, "malmo-soc", None, 10).await);
    hub.wait(HOUR);
    board.update(&child.id, Section::Voice, json!({ "wishes": "Vill spela fotboll." }), &[]).await.data("");
    hub.wait(HOUR);
    board.update(&child.id, Section::SafetyPlan, json!({ "plan": "Ring varje kväll." }), &["agreedOn"]).await.data("");
    let told = all_after(&hub, "malmo-soc", Some(&before)).await;
    assert_eq!(brief(&told), [changed(&["voice"]), changed(&["safetyPlan"])]);
    for (change, section) in told.iter().zip([Section::Voice, Section::SafetyPlan]) {
        assert_eq!(change["childId"], json!(child.id));
        assert_eq!(change["sections"][0]["version"], json!(board.version(&child.id, section).await));
    }
    assert_eq!(told[0]["at"], json!("2026-11-21T13:00:00.000000Z"));
    // From the first one on there is the second alone, and from the last nothing.
    let second = all_after(&hub, "malmo-soc", told[0]["cursor"].as_str()).await;
    assert_eq!((second.len(), &second[0]["id"]), (1, &told[1]["id"]));
    assert!(all_after(&hub, "malmo-soc", told[1]["cursor"].as_str()).await.is_empty());
    assert_ne!(told[0]["id"], told[1]["id"]);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

async fn whoever_is_shown_nothing_of_a_change_is_told_nothing(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("skola", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let board = hub.caller("malmo-soc");
    board.update(&child.id, Section::Risk, json!({ "exploitationKind": "LABOUR" }), &[]).await.data("");
    assert_eq!(brief(&all(&hub, "malmo-soc").await), [changed(&["risk"])]);
    for stranger in ["skola", "landskrona-soc", "radda-barnen", "lansstyrelsen-skane", "dataskydd", "migrationsverket"]
    {
        let told = page(&hub, stranger, None, 10).await;
        assert_eq!((&told["nodes"], &told["hasMore"]), (&json!([]), &json!(false)), "{stranger}");
    }
    // One that the school is shown, it is told; and from there on the cursor of before takes it no further back.
    hub.caller("migrationsverket")
        .update(&child.id, Section::Identity, json!({ "givenNames": "Nytt" }), &[])
        .await
        .data("");
    assert_eq!(brief(&all(&hub, "skola").await), [changed(&["identity"])]);
}

async fn the_rights_are_those_of_the_moment_of_asking(hub: Hub) {
    let child = hub
        .child(Scene {
            home: Some("hvb-malmo"),
            involved: vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")],
            ..Scene::default()
        })
        .await;
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    hub.caller("migrationsverket")
        .update(&child.id, Section::Identity, json!({ "givenNames": "Nytt" }), &[])
        .await
        .data("");
    let both = brief(&all(&hub, "hvb-malmo").await);
    assert!(both.contains(&changed(&["identity"])), "{both:?}");
    // Its tie ends, and 90 days pass: the child is none of its business, nor what was told before.
    let now = hub.now();
    hub.sql(&format!("UPDATE involvement SET closed_at = {now} WHERE kind = 'WHEREABOUTS'")).await;
    hub.wait(91 * DAY);
    assert_eq!(all(&hub, "hvb-malmo").await, [] as [Value; 0]);
    // The board that comes to it is told of what was before, as far as it is shown that now.
    assert_eq!(all(&hub, "landskrona-soc").await, [] as [Value; 0]);
    hub.involve(child.uuid, "landskrona-soc", "RECEIVING", None).await;
    assert!(brief(&all(&hub, "landskrona-soc").await).contains(&changed(&["identity"])));
}

async fn a_part_of_a_change_is_told_without_what_it_was_a_part_of(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("skola", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let suggest = "mutation($id: ID!) { suggestCorrection(childId: $id, correction: { identity: { set: { givenNames: \"Farhad Ali\" } } }) { suggestion { id } } }";
    let made = hub.caller("skola").ask_with(suggest, json!({ "id": child.id })).await;
    let suggestion = made.data("/suggestCorrection/suggestion/id").clone();
    let version = hub.caller("migrationsverket").version(&child.id, Section::Identity).await;
    let accept = "mutation($s: ID!, $v: String!) { acceptSuggestion(suggestionId: $s, expectedVersion: $v) { suggestion { id } } }";
    hub.caller("migrationsverket").ask_with(accept, json!({ "s": suggestion, "v": version })).await.data("");
    let identity = vec!["identity".to_owned()];
    let expected = [("SUGGESTION_MADE".to_owned(), identity.clone()), ("SUGGESTION_ACCEPTED".to_owned(), identity)];
    assert_eq!(brief(&all(&hub, "skola").await), expected);
    assert_eq!(brief(&all(&hub, "migrationsverket").await), expected);
    // A change that is about what the school is not shown, and moves what it is.
    let places = json!({ "own": ["risk.indicators"], "changed": ["identity.familyName"] });
    put_event(&hub, &child, "SUGGESTION_DECLINED", places, None, [None, None]).await;
    assert_eq!(brief(&all(&hub, "skola").await)[2], changed(&["identity"]));
    let (kind, sections) = brief(&all(&hub, "malmo-soc").await)[2].clone();
    assert_eq!((kind.as_str(), sections.len()), ("SUGGESTION_DECLINED", 2));
}

async fn an_ended_placement_is_told_to_whom_it_was_shown(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("skola", "INVOLVED"),
    ];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let board = hub.caller("malmo-soc");
    let version = board.version(&child.id, Section::Placement).await;
    let end = "mutation($id: ID!, $v: String!) { endPlacement(childId: $id, expectedVersion: $v, to: \"2026-11-20\") { child { id } } }";
    board.ask_with(end, json!({ "id": child.id, "v": version })).await.data("");
    let told = all(&hub, "malmo-soc").await;
    assert_eq!(brief(&told), [changed(&["placement"])]);
    assert_eq!(told[0]["sections"][0]["version"], json!(board.version(&child.id, Section::Placement).await));
    // The next home's is told to the next home, and not to the one before.
    let version = board.version(&child.id, Section::Placement).await;
    let start = "mutation($id: ID!, $v: String!, $home: ID!) { startPlacement(childId: $id, expectedVersion: $v,
        set: { from: \"2026-11-21\", type: HVB, street: \"Hamngatan 1\", unitAgency: $home }) { child { id } } }";
    let home = hub.agency_id("hvb-landskrona");
    board.ask_with(start, json!({ "id": child.id, "v": version, "home": home })).await.data("");
    let before = brief(&all(&hub, "hvb-malmo").await);
    let next = brief(&all(&hub, "hvb-landskrona").await);
    assert!(next.contains(&changed(&["placement"])), "{next:?}");
    let seen = hub.caller("hvb-malmo").sees(&child.id, "placement { street type }").await;
    assert_eq!(seen["placement"], json!({ "street": null, "type": null }));
    assert!(before.len() <= 1, "{before:?}");
}

async fn what_is_addressed_to_an_agency_reaches_that_agency_alone(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let handover = hub.uuid();
    let both = [Some("malmo-soc"), Some("landskrona-soc")];
    put_event(&hub, &child, "HANDOVER_PROPOSED", json!({}), Some(handover), both).await;
    let county = [Some("lansstyrelsen-skane"), None];
    put_event(&hub, &child, "HANDOVER_OVERDUE_IN_COUNTY", json!({}), Some(handover), county).await;
    put_event(&hub, &child, "BREAK_GLASS_UNREVIEWED", json!({}), Some(hub.uuid()), [None, None]).await;
    put_event(&hub, &child, "CHILD_LOOKED_UP", json!({}), None, [Some("migrationsverket"), None]).await;
    let public = format!("handover_{}", data_encoding::BASE32_DNSSEC.encode(handover.as_bytes()));
    let sender = all(&hub, "malmo-soc").await;
    assert_eq!((sender.len(), &sender[0]["childId"], &sender[0]["handoverId"]), (1, &json!(child.id), &json!(public)));
    // The receiver does not know the child yet.
    let receiver = all(&hub, "landskrona-soc").await;
    assert_eq!(
        (receiver.len(), &receiver[0]["childId"], &receiver[0]["handoverId"]),
        (1, &json!(null), &json!(public))
    );
    let coordinator = all(&hub, "lansstyrelsen-skane").await;
    assert_eq!(coordinator.len(), 1);
    assert_eq!(coordinator[0]["kind"], json!("HANDOVER_OVERDUE_IN_COUNTY"));
    for hidden in ["childId", "handoverId", "episodeId", "itemId"] {
        assert_eq!(coordinator[0][hidden], json!(null));
    }
    assert_eq!(brief(&all(&hub, "dataskydd").await), [("BREAK_GLASS_UNREVIEWED".to_owned(), vec![])]);
    let looked_up = async |purpose: &str| {
        hub.caller("migrationsverket")
            .purpose(purpose)
            .ask_with(CHANGES, json!({}))
            .await
            .data("/changes/nodes")
            .clone()
    };
    assert_eq!(looked_up("ASYLUM").await.as_array().map(Vec::len), Some(1));
    assert_eq!(looked_up("RETURN").await, json!([]), "a look-up in a search is not told to serve a return");
    for other in ["skola", "polisen", "radda-barnen", "hvb-malmo"] {
        assert_eq!(all(&hub, other).await, [] as [Value; 0], "{other}");
    }
}

async fn a_partner_hears_under_its_own_ids_and_of_what_is_consented(hub: Hub) {
    let group = field("identity.givenNames").field().group;
    let consents = vec![("radda-barnen", vec![group])];
    let child = hub.child(Scene { consents, ..Scene::default() }).await;
    hub.caller("migrationsverket")
        .update(&child.id, Section::Identity, json!({ "givenNames": "Nytt" }), &[])
        .await
        .data("");
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    put_event(&hub, &child, "CONSENT_GIVEN", json!({}), Some(hub.uuid()), [Some("radda-barnen"), None]).await;
    let told = all(&hub, "radda-barnen").await;
    let known = hub.caller("radda-barnen").ask("{ children { nodes { id } } }").await;
    let known = known.data("/children/nodes/0/id");
    assert_ne!(known, &json!(child.id));
    assert!(told.iter().all(|change| change["childId"] == *known), "{told:?}");
    assert_eq!(brief(&told), [changed(&["identity"]), ("CONSENT_GIVEN".to_owned(), vec![])]);
    hub.sql(&format!("UPDATE consent SET withdrawn_at = {}", hub.now())).await;
    assert!(all(&hub, "radda-barnen").await.iter().all(|change| change["childId"].is_null()));
    assert_eq!(all(&hub, "stadsmissionen").await, [] as [Value; 0]);
}

async fn cursors_are_their_callers_own_and_tell_nothing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    let (one, other) = (page(&hub, "malmo-soc", None, 10).await, page(&hub, "malmo-soc", None, 10).await);
    assert_ne!(one["cursor"], other["cursor"], "two cursors do not tell whether something happened between");
    assert_eq!(one["nodes"][0]["id"], other["nodes"][0]["id"]);
    assert_eq!(cursor(&one).len(), cursor(&page(&hub, "skola", None, 10).await).len(), "nor does their length");
    let refused = async |persona: &str, after: &str| {
        hub.caller(persona).ask_with(CHANGES, json!({ "after": after })).await.refusals()
    };
    let wrong = [("INVALID_CURSOR".to_owned(), "after".to_owned())];
    assert_eq!(refused("landskrona-soc", &cursor(&one)).await, wrong);
    assert_eq!(refused("malmo-soc", "nonsense").await, wrong);
    assert_eq!(refused("malmo-soc", "").await, wrong);
    for first in [0, -1, 101] {
        let answer = hub.caller("malmo-soc").ask_with(CHANGES, json!({ "first": first })).await;
        assert_eq!(answer.codes(), ["PAGE_SIZE"], "{first}");
    }
    assert_eq!(hub.caller("malmo-soc").without_purpose().ask(CHANGES).await.codes(), ["PURPOSE_REQUIRED"]);
}

/// So many events of other children that a page does not go through all of them.
async fn hidden_events_are_passed_over_without_a_trace(hub: Hub) {
    let own = hub.child(Scene::default()).await;
    let other = hub.child(Scene { involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() }).await;
    let id = match hub.database.kind {
        Kind::Sqlite => format!("X'{}'", other.uuid.simple()),
        Kind::Postgres => format!("CAST('{}' AS uuid)", other.uuid),
    };
    let fields = match hub.database.kind {
        Kind::Sqlite => r#"'{"changed":["voice.wishes"]}'"#,
        Kind::Postgres => r#"CAST('{"changed":["voice.wishes"]}' AS jsonb)"#,
    };
    const MANY: i64 = 20_150;
    hub.sql(&format!(
        "INSERT INTO event (child_id, sequence, at, kind, fields, number)
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})
         SELECT {id}, n, 1, 'SECTION_CHANGED', {fields}, n FROM n"
    ))
    .await;
    hub.caller("malmo-soc").update(&own.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    let first = page(&hub, "malmo-soc", None, 10).await;
    assert_eq!((&first["nodes"], &first["hasMore"]), (&json!([]), &json!(true)));
    let second = page(&hub, "malmo-soc", Some(&cursor(&first)), 10).await;
    assert_eq!((second["nodes"].as_array().map(Vec::len), &second["hasMore"]), (Some(1), &json!(false)));
    // Whoever knows them reads them by the page.
    let board = page(&hub, "landskrona-soc", None, 100).await;
    assert_eq!((board["nodes"].as_array().map(Vec::len), &board["hasMore"]), (Some(100), &json!(true)));
}

async fn what_is_told_is_in_the_access_log(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let hidden = hub.child(Scene::default()).await;
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    put_event(&hub, &hidden, "HANDOVER_PROPOSED", json!({}), Some(hub.uuid()), [Some("landskrona-soc"), None]).await;
    let record = async |persona: &str| {
        let answer = hub.caller(persona).ask(CHANGES).await;
        let id = answer.headers["x-request-id"].to_str().expect("an id").to_owned();
        let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
        serde_json::from_str::<Value>(&rows[0].try_get_by_index::<String>(0).expect("a record")).expect("JSON")
    };
    let told = record("malmo-soc").await;
    assert_eq!(told["operation"], json!("query changes"));
    assert_eq!(told["shown"][0]["subjects"], json!([child.subject]));
    assert_eq!(told["shown"][0]["fields"], json!(["voice.version"]));
    // Of a child that it may not know, too: it was told that there is something.
    let told = record("landskrona-soc").await;
    assert_eq!((&told["shown"][0]["subjects"], &told["shown"][0]["fields"]), (&json!([hidden.subject]), &json!([])));
    assert!(record("skola").await["shown"].is_null());
}

/// The children and instants of all events, in their order.
async fn in_order(hub: &Hub) -> Vec<(Uuid, i64)> {
    let rows = hub.rows("SELECT child_id, at FROM event WHERE number IS NOT NULL ORDER BY number").await;
    rows.iter().map(|row| (row.try_get_by_index(0).expect("an id"), row.try_get_by_index(1).expect("a time"))).collect()
}

async fn nothing_is_lost_or_repeated_with_sixteen_writers_and_as_many_readers(hub: Hub) {
    const WRITERS: usize = 16;
    const EACH: usize = 12;
    let mut children = Vec::new();
    for _ in 0..5 {
        children.push(hub.child(Scene::default()).await);
    }
    // On PostgreSQL the readers ask other nodes than the writers.
    let nodes: Arc<Vec<Hub>> = Arc::new(match hub.database.kind {
        Kind::Postgres => vec![hub.beside().await, hub.beside().await, hub],
        Kind::Sqlite => vec![hub],
    });
    let done = Arc::new(AtomicBool::new(false));
    let reader = |n: usize| {
        let (nodes, done) = (nodes.clone(), done.clone());
        tokio::spawn(async move {
            let (mut told, mut after) = (Vec::new(), None);
            loop {
                let last = done.load(Ordering::SeqCst);
                let page = page(&nodes[n % nodes.len()], "malmo-soc", after.as_deref(), 1 + n as i32).await;
                told.extend(page["nodes"].as_array().expect("a list").iter().cloned());
                after = Some(cursor(&page));
                if last && page["hasMore"] == json!(false) {
                    return told;
                }
            }
        })
    };
    let writer = |n: usize| {
        let nodes = nodes.clone();
        let id = children[n % children.len()].id.clone();
        tokio::spawn(async move {
            let hub = &nodes[n % nodes.len()];
            let (board, mut made) = (hub.caller("malmo-soc"), 0);
            while made < EACH {
                hub.wait(1);
                // Each in a section of its own, so that few are overtaken.
                let (section, set) = match n % 3 {
                    0 => (Section::Voice, json!({ "wishes": format!("{n}-{made}") })),
                    1 => (Section::SafetyPlan, json!({ "plan": format!("{n}-{made}") })),
                    _ => (Section::Responsibility, json!({ "unit": format!("{n}-{made}") })),
                };
                let answer: Answer = board.update(&id, section, set, &[]).await;
                match answer.codes().as_slice() {
                    [] => made += 1,
                    ["CONFLICT"] => {}
                    _ => panic!("{}", answer.text),
                }
            }
        })
    };
    let readers: Vec<_> = (0..WRITERS).map(reader).collect();
    let writers: Vec<_> = (0..WRITERS).map(writer).collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    done.store(true, Ordering::SeqCst);
    let hub = &nodes[nodes.len() - 1];
    let mut streams = Vec::new();
    for reader in readers {
        streams.push(reader.await.expect("a reader"));
    }
    let expected = in_order(hub).await;
    assert_eq!(expected.len(), WRITERS * EACH);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
    let expected: Vec<(String, String)> = expected
        .into_iter()
        .map(|(child, at)| {
            (
                crate::harness::child_id(child),
                samverka_domain::clock::instant(at).to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            )
        })
        .collect();
    for told in streams {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let ids: BTreeSet<String> = told.iter().map(|change| text(&change["id"])).collect();
        assert_eq!(ids.len(), told.len(), "nothing is told twice");
        let told: Vec<(String, String)> =
            told.iter().map(|change| (text(&change["childId"]), text(&change["at"]))).collect();
        assert_eq!(told, expected, "every reader is told all, in one order");
    }
}

async fn what_was_committed_and_not_numbered_is_told_after_a_restart(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let after = cursor(&page(&hub, "malmo-soc", None, 10).await);
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    // The hub's clock is set, so nothing is numbered unless somebody asks: as when it is killed between the two.
    let waiting = if hub.database.kind == Kind::Postgres { 1 } else { 0 };
    assert_eq!(hub.count("event", "number IS NULL").await, waiting);
    let next = hub.beside().await;
    assert_eq!(brief(&all_after(&next, "malmo-soc", Some(&after)).await), [changed(&["voice"])]);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
    if hub.database.kind == Kind::Postgres {
        a_late_commit_is_not_skipped(&hub, &child).await;
        a_node_that_is_numbering_is_waited_for(&hub, &child).await;
    }
}

/// A change that was written first and committed last: by its place in the table a reader would have passed it.
async fn a_late_commit_is_not_skipped(hub: &Hub, child: &TestChild) {
    use sea_orm::ConnectionTrait;
    let other = hub.child(Scene::default()).await;
    let late = hub.outside.begin().await.expect("begins");
    let insert = format!(
        "INSERT INTO event (child_id, sequence, at, kind, fields) VALUES ('{}', 1, 1, 'SECTION_CHANGED', '{{\"changed\":[\"voice.wishes\"]}}')",
        other.uuid
    );
    late.execute_unprepared(&insert).await.expect("inserts");
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Bort." }), &[]).await.data("");
    let before = page(hub, "malmo-soc", None, 10).await;
    assert_eq!(before["nodes"].as_array().map(Vec::len), Some(2));
    late.commit().await.expect("commits");
    hub.sql(&format!("UPDATE child SET sequence = 1 WHERE id = '{}'", other.uuid)).await;
    let told = all_after(hub, "malmo-soc", Some(&cursor(&before))).await;
    assert_eq!((told.len(), &told[0]["childId"]), (1, &json!(other.id)));
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

/// Another node has numbered an event that was committed after this one looked: it must be waited for, and looked again.
async fn a_node_that_is_numbering_is_waited_for(hub: &Hub, child: &TestChild) {
    use sea_orm::ConnectionTrait;
    /// What the sequencers lock.
    const SEQUENCER: i64 = 0x5a3e_0e7e;
    let (one, other) = (hub.child(Scene::default()).await, hub.child(Scene::default()).await);
    let insert = |child: &TestChild| {
        let fields = r#"{"changed":["voice.wishes"]}"#;
        format!(
            "INSERT INTO event (child_id, sequence, at, kind, fields) VALUES ('{}', 1, 1, 'SECTION_CHANGED', '{fields}');
             UPDATE child SET sequence = 1 WHERE id = '{}'",
            child.uuid, child.uuid
        )
    };
    hub.sql(&insert(&one)).await;
    let node = hub.outside.begin().await.expect("begins");
    let number = format!(
        "SELECT pg_advisory_xact_lock({SEQUENCER}); {};
         UPDATE event SET number = fresh.number FROM (SELECT child_id, sequence, (SELECT MAX(number) FROM event)
            + row_number() OVER (ORDER BY position DESC) AS number FROM event WHERE number IS NULL) fresh
         WHERE event.child_id = fresh.child_id AND event.sequence = fresh.sequence",
        insert(&other)
    );
    node.execute_unprepared(&number).await.expect("numbers");
    hub.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Ut." }), &[]).await.data("");
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        node.commit().await.expect("commits");
    };
    let (told, ()) = tokio::join!(all(hub, "malmo-soc"), commit);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
    let told = told.iter().rev().take(3).map(|change| change["childId"].clone()).collect::<Vec<_>>();
    assert_eq!(told, [json!(child.id), json!(one.id), json!(other.id)]);
}

async fn a_change_that_asks_for_nothing_new_is_no_event(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    board.update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    board.update(&child.id, Section::Voice, json!({ "wishes": "Hem." }), &[]).await.data("");
    let refused = board.update_from(&child.id, Section::Voice, "nonsense", json!({ "wishes": "Bort." }), &[]).await;
    assert_eq!(refused.codes(), ["CONFLICT"]);
    assert_eq!(all(&hub, "malmo-soc").await.len(), 1);
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

async fn a_repeated_mutation_is_one_event(hub: Hub) {
    let register = "mutation { registerChild(input: { identity: { givenNames: \"Amir\" } }) { child { id } } }";
    for _ in 0..3 {
        let caller = hub.caller("migrationsverket").header("idempotency-key", "en-nyckel");
        caller.ask(register).await.data("/registerChild/child/id");
    }
    let told = all(&hub, "migrationsverket").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["kind"], json!("CHILD_REGISTERED"));
    assert_eq!(gaps(&hub.outside).await, [""; 0]);
}

/// A child whose search all hear of in one way or another.
async fn searched(hub: &Hub, lead: &'static str) -> TestChild {
    let mut involved = vec![(lead, "LEAD"), ("polisen", "INVOLVED")];
    involved.extend(["skola", "region-skane", "hvb-malmo"].map(|code| (code, "INVOLVED")));
    if lead != "malmo-soc" {
        involved.push(("malmo-soc", "RESPONSIBLE"));
    }
    hub.child(Scene { involved, ..Scene::default() }).await
}

/// What a caller is told of episodes: the kinds, each with whether it names the episode.
async fn of_search(hub: &Hub, persona: &str, purpose: Option<&str>) -> Vec<String> {
    let caller = hub.caller(persona);
    let caller = if let Some(purpose) = purpose { caller.purpose(purpose) } else { caller };
    let told = caller.ask_with(CHANGES, json!({ "first": 100 })).await;
    let told = told.data("/changes/nodes").as_array().expect("a list").clone();
    told.iter().map(|node| node["kind"].as_str().expect("a kind").to_owned()).collect()
}

async fn who_reads_a_flag_of_an_episode_hears_of_what_changes_it_and_of_nothing_else(hub: Hub) {
    let child = searched(&hub, "malmo-soc").await;
    let (board, police) = (hub.caller("malmo-soc"), hub.caller("polisen"));
    let id = board.reports(&child.id).await;
    for step in [
        format!("recordPoliceReport(episodeId: \"{id}\", number: \"5000-K9-26\")"),
        format!("recordSighting(episodeId: \"{id}\", text: \"Sågs.\")"),
        format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id),
    ] {
        board.takes(&step).await.data("");
    }
    for code in ["skola", "region-skane"] {
        assert_eq!(of_search(&hub, code, None).await, ["EPISODE_OPENED"], "{code}");
    }
    // Gone again: the same flag as before. Safe, and closed when that was told.
    police.takes(&format!("reopenEpisode(episodeId: \"{id}\")")).await.data("");
    assert_eq!(of_search(&hub, "skola", None).await, ["EPISODE_OPENED"]);
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    let latest = board.ask(&format!("{{ episodes(childId: \"{}\") {{ id }} }}", child.id)).await;
    let latest = latest.data("/episodes/0/id").as_str().expect("an id").to_owned();
    for (place, part) in
        ["RETURN_TALK", "EXPLOITATION_SCREENING", "PLACEMENT_REVIEW", "HEALTH_CHECK"].into_iter().enumerate()
    {
        let done = format!("recordFollowUp(episodeId: \"{latest}\", kind: {part}, doneOn: \"2026-11-21\")");
        board.takes(&done).await.data("");
        // The police read whether all of it is done.
        let heard = of_search(&hub, "polisen", None).await;
        assert_eq!(heard.contains(&"FOLLOW_UP_RECORDED".to_owned()), place == 3, "{part}: {heard:?}");
    }
    board.takes(&format!("closeEpisode(episodeId: \"{latest}\")")).await.data("");
    assert_eq!(of_search(&hub, "skola", None).await, ["EPISODE_OPENED", "CHILD_SAFE"]);
    // A search that is given up ends the flag.
    let given_up = searched(&hub, "malmo-soc").await;
    let id = board.reports(&given_up.id).await;
    board.takes(&format!("closeEpisode(episodeId: \"{id}\", reason: \"Utomlands.\")")).await.data("");
    assert_eq!(
        of_search(&hub, "skola", None).await,
        ["EPISODE_OPENED", "CHILD_SAFE", "EPISODE_OPENED", "EPISODE_CLOSED"]
    );
}

async fn who_leads_hears_of_what_the_record_shows_it_of_a_search(hub: Hub) {
    let child = searched(&hub, "migrationsverket").await;
    let (lead, police) = (hub.caller("migrationsverket"), hub.caller("polisen"));
    let id = lead.reports(&child.id).await;
    let search = |measures: &str| format!("updateSearch(episodeId: \"{id}\", measures: \"{measures}\")");
    police.takes(&search("Spaning")).await.data("");
    let before = of_search(&hub, "malmo-soc", None).await;
    // The state has changed with the first; of the second nothing is shown to anybody else.
    assert_eq!(before, ["EPISODE_OPENED", "SEARCH_UPDATED"]);
    police.takes(&search("Mer spaning")).await.data("");
    assert_eq!(of_search(&hub, "malmo-soc", None).await, before);
    assert_eq!(of_search(&hub, "migrationsverket", None).await, before);
    let wanted = |is: bool| format!("updateSearch(episodeId: \"{id}\", wantedEntry: {is})");
    police.takes(&wanted(true)).await.data("");
    assert_eq!(
        of_search(&hub, "malmo-soc", None).await[2..],
        ["SEARCH_UPDATED"],
        "the board reads that there is an entry"
    );
    police.takes(&format!("recordSighting(episodeId: \"{id}\", text: \"Sågs.\")")).await.data("");
    assert_eq!(of_search(&hub, "migrationsverket", None).await, before, "a sighting is not for who leads the case");
    assert_eq!(of_search(&hub, "malmo-soc", None).await[3..], ["SIGHTING_RECORDED"]);
    assert_eq!(of_search(&hub, "migrationsverket", Some("RETURN")).await, [""; 0]);
}

async fn who_reads_whether_a_handover_is_under_way_hears_no_more_of_it(hub: Hub) {
    let child = searched(&hub, "malmo-soc").await;
    let propose = "mutation($id: ID!, $to: ID!) { proposeHandover(childId: $id, kind: CASE_TRANSFER, toAgencyId: $to,
        expectedAt: \"2026-11-22T12:00:00Z\", details: { contactName: \"Ada Ek\", contactPhone: \"+46701740605\" }) {
        handover { id } } }";
    let to = hub.agency_id("landskrona-soc");
    let made = hub.caller("malmo-soc").ask_with(propose, json!({ "id": child.id, "to": to })).await;
    let id = made.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned();
    assert_eq!(brief(&all(&hub, "hvb-malmo").await), [changed(&["handovers"])]);
    let accept = format!("mutation {{ acceptHandover(handoverId: \"{id}\") {{ handover {{ id }} }} }}");
    hub.caller("landskrona-soc").ask(&accept).await.data("");
    // The acceptance moves who is responsible, which the home reads.
    let told = brief(&all(&hub, "hvb-malmo").await);
    assert_eq!(told, [changed(&["handovers"]), changed(&["responsibility"])]);
    let withdraw =
        format!("mutation {{ withdrawHandover(handoverId: \"{id}\", reason: \"Ändrat.\") {{ handover {{ id }} }} }}");
    hub.caller("malmo-soc").ask(&withdraw).await.data("");
    let told = brief(&all(&hub, "hvb-malmo").await);
    assert!(told[2].0 == "SECTION_CHANGED" && told[2].1.contains(&"handovers".to_owned()), "{told:?}");
    let party = brief(&all(&hub, "landskrona-soc").await);
    let steps = party.iter().filter(|(kind, _)| kind.starts_with("HANDOVER_"));
    assert_eq!(steps.count(), 3, "the parties hear of each step: {party:?}");
}
