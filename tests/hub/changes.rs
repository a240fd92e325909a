//! A change is decided on what was read, and made as a whole if the child has not changed since: nothing is overwritten, nothing
//! is made under rights that are no more, and what the caller is shown is what a reader would be.
//!
//! Writers of one node wait for each other, so that what happens between the look and the change is another node's doing.

use crate::both;
use crate::harness::{Answer, Apart, Hub, Scene, TestChild, selection};
use crate::write::{sample, updated, written};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use samverka_domain::catalogue::Section;
use samverka_domain::policy::Engine;
use samverka_domain::world::PERSONAS;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

both! {
    of_sixteen_writers_on_two_nodes_no_change_is_lost
    every_change_counts_and_nothing_else_does
    a_change_is_decided_on_anew_when_the_child_has_changed
    what_protection_forbids_between_the_look_and_the_change_is_refused
    who_is_no_longer_involved_when_the_change_is_made_is_a_stranger
    a_duplicate_that_is_overtaken_is_answered_as_the_first
    what_a_writer_is_shown_is_what_a_reader_is
}

/// How often a child has changed, and how many revisions it has.
async fn counted(hub: &Hub, child: &TestChild) -> (i64, i64) {
    let rows = hub.rows("SELECT id, sequence FROM child").await;
    let own = rows.iter().find(|row| row.try_get_by_index::<uuid::Uuid>(0).expect("an id") == child.uuid);
    let sequence = own.expect("the child").try_get_by_index(1).expect("a number");
    (sequence, hub.count("revision", "1 = 1").await)
}

/// Asks while changes through the hub's first node are held back, does something meanwhile, and gives the answer.
async fn overtaken(hub: &Hub, request: Request<Body>, meanwhile: impl AsyncFnOnce()) -> Answer {
    let held = hub.domain.hold_changes().await;
    let router = hub.router.clone();
    let asked = tokio::spawn(async move { Answer::of(&router, request).await });
    while hub.domain.held_changes() == 0 {
        assert!(!asked.is_finished(), "it was not decided on");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    meanwhile().await;
    drop(held);
    asked.await.expect("it is answered")
}

/// One writer: changes something of its own again and again, reading the section anew after each conflict.
async fn write_on(router: Router, hub: &Hub, child: &str, n: usize) -> Vec<String> {
    let (code, section, field) = match n % 4 {
        0 => ("migrationsverket", Section::Identity, "familyName"),
        1 => ("malmo-soc", Section::Identity, "languages"),
        2 => ("malmo-soc", Section::Voice, "wishes"),
        _ => ("malmo-soc", Section::Description, "marks"),
    };
    let caller = hub.caller(code);
    let mut kept = Vec::new();
    for time in 0..4 {
        let text = format!("Skrivare {n} gång {time}");
        // A list, so that another code is another value.
        let codes = ["prs", "swe", "som", "ara", "tir", "eng", "pus", "kur"];
        let languages = json!([codes[n % 8], codes[(n / 4 + time + 1) % 8], codes[(time + 5) % 8]]);
        let value = if field == "languages" { languages } else { json!(text) };
        loop {
            let version = caller.version(child, section).await;
            let set = json!({ field: value });
            let answer = Answer::of(&router, caller.update_request(child, section, &version, set, &[])).await;
            match answer.codes().first() {
                None => break,
                Some(&"CONFLICT") => {}
                Some(other) => panic!("{other}: {}", answer.text),
            }
        }
        kept.push(value.to_string());
    }
    kept
}

async fn of_sixteen_writers_on_two_nodes_no_change_is_lost(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (_other, router) = hub.another_node().await;
    let hub = Arc::new(hub);
    let mut writers = Vec::new();
    for n in 0..16 {
        let (hub, id) = (hub.clone(), child.id.clone());
        let router = if n < 8 { hub.router.clone() } else { router.clone() };
        writers.push(tokio::spawn(async move { write_on(router, &hub, &id, n).await }));
    }
    let mut kept: Vec<String> = Vec::new();
    for writer in writers {
        kept.extend(writer.await.expect("a writer ends"));
    }
    let rows = hub.rows("SELECT CAST(changes AS TEXT) FROM revision").await;
    let told: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect();
    let revisions = told.len() as i64;
    for text in kept.iter().filter(|text| text.contains("Skrivare")) {
        assert_eq!(told.iter().filter(|told| told.contains(text)).count(), 1, "{text}");
    }
    let (sequence, all) = counted(&hub, &child).await;
    assert_eq!((sequence, all), (revisions, revisions));
    // A list of languages that stands already is no change.
    assert!((48..=64).contains(&revisions), "{revisions}");
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn every_change_counts_and_nothing_else_does(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let soc = hub.caller("malmo-soc");
    let sequence = async || counted(&hub, &child).await.0;
    assert_eq!(sequence().await, 0);
    let set = json!({ "wishes": "En cykel" });
    soc.update(&child.id, Section::Voice, set.clone(), &[]).await.data("");
    soc.update(&child.id, Section::Voice, set, &[]).await.data("");
    assert_eq!(sequence().await, 1, "the same again is no change");
    let refused = soc.update_from(&child.id, Section::Voice, "x", json!({ "wishes": "Två" }), &[]).await;
    assert_eq!((refused.codes(), sequence().await), (vec!["CONFLICT"], 1));
    let placed = "mutation($id: ID!, $v: String!) { startPlacement(childId: $id, expectedVersion: $v,
        set: { from: \"2026-06-10\", street: \"Gatan 1\" }) { child { id } } }";
    let v = soc.version(&child.id, Section::Placement).await;
    soc.ask_with(placed, json!({ "id": child.id, "v": v })).await.data("");
    assert_eq!(sequence().await, 2, "two revisions, one change");
    soc.update(&child.id, Section::Protection, json!({ "level": "REGISTERED" }), &[]).await.data("");
    assert_eq!(sequence().await, 3);
    let number = "mutation($id: ID!) { addIdentifier(childId: $id, identifier: { kind: DOSSIER_NUMBER, value: \"12-345678\" }) { child { id } } }";
    for _ in 0..2 {
        hub.caller("migrationsverket").ask_with(number, json!({ "id": child.id })).await.data("");
    }
    assert_eq!(sequence().await, 4);
    let suggest = "mutation($id: ID!) { suggestCorrection(childId: $id, correction: { identity: { set: { givenNames: \"Ali\" } } }) { suggestion { id } } }";
    let suggested = soc.ask_with(suggest, json!({ "id": child.id })).await;
    assert_eq!(sequence().await, 5);
    let decline = "mutation($id: ID!) { declineSuggestion(suggestionId: $id, reason: \"Nej\") { suggestion { id } } }";
    let id = suggested.data("/suggestCorrection/suggestion/id").clone();
    hub.caller("migrationsverket").ask_with(decline, json!({ "id": id })).await.data("");
    assert_eq!(sequence().await, 6);
    let register = "mutation { registerChild(input: { identity: { givenNames: \"Amir\" },
        identifiers: [{ kind: LMA_CARD, value: \"99-999999/9\" }] }) { child { id } } }";
    hub.caller("migrationsverket").ask(register).await.data("");
    assert_eq!(hub.count("child", "sequence = 1").await, 1, "a registration is a change");
}

async fn a_change_is_decided_on_anew_when_the_child_has_changed(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (_other, router) = hub.another_node().await;
    let soc = hub.caller("malmo-soc");
    // In one statement, and in a transaction.
    for (section, field) in [(Section::Voice, "wishes"), (Section::Placement, "unitName")] {
        let v = soc.version(&child.id, section).await;
        let mine = soc.update_request(&child.id, section, &v, json!({ field: "Min" }), &[]);
        let other = soc.version(&child.id, Section::Description).await;
        let other = soc.update_request(
            &child.id,
            Section::Description,
            &other,
            json!({ "marks": format!("{section:?}") }),
            &[],
        );
        let before = counted(&hub, &child).await;
        let answer = overtaken(&hub, mine, async || _ = Answer::of(&router, other).await.data("").clone()).await;
        answer.data("");
        let after = counted(&hub, &child).await;
        assert_eq!(after, (before.0 + 2, before.1 + 2), "another section's change is no conflict");
        let v = soc.version(&child.id, section).await;
        let mine = soc.update_request(&child.id, section, &v, json!({ field: "Min igen" }), &[]);
        let theirs = soc.update_request(&child.id, section, &v, json!({ field: "Deras" }), &[]);
        let answer = overtaken(&hub, mine, async || _ = Answer::of(&router, theirs).await.data("").clone()).await;
        assert_eq!(answer.codes(), ["CONFLICT"], "{}", answer.text);
        assert_eq!(counted(&hub, &child).await, (after.0 + 1, after.1 + 1));
        assert_eq!(
            soc.sees(&child.id, &format!("{} {{ {field} }}", section.name())).await[section.name()][field],
            "Deras"
        );
    }
}

async fn what_protection_forbids_between_the_look_and_the_change_is_refused(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("skola", "INVOLVED")];
    let (_other, router) = hub.another_node().await;
    // One is written in one statement, the other in a transaction.
    for (code, section, field) in
        [("skola", Section::Schooling, "schoolName"), ("malmo-soc", Section::Placement, "street")]
    {
        let child = hub.child(Scene { involved: involved.clone(), ..Scene::default() }).await;
        let caller = hub.caller(code);
        let v = caller.version(&child.id, section).await;
        let change = caller.update_request(&child.id, section, &v, json!({ field: "Kanariegatan 17" }), &[]);
        let board = hub.caller("malmo-soc");
        let v = board.version(&child.id, Section::Protection).await;
        let raise = board.update_request(&child.id, Section::Protection, &v, json!({ "level": "REGISTERED" }), &[]);
        let answer = overtaken(&hub, change, async || _ = Answer::of(&router, raise).await.data("").clone()).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{}", answer.text);
        assert!(!answer.text.contains("Kanariegatan"));
        assert!(hub.columns_holding("Kanariegatan 17").await.is_empty());
        assert_eq!(counted(&hub, &child).await.0, 1);
    }
}

async fn who_is_no_longer_involved_when_the_change_is_made_is_a_stranger(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let (_other, router) = hub.another_node().await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    let v = home.version(&child.id, Section::Description).await;
    let change = home.update_request(&child.id, Section::Description, &v, json!({ "marks": "Kanarieärr" }), &[]);
    let end = "mutation($id: ID!, $v: String!) { endPlacement(childId: $id, expectedVersion: $v, to: \"2026-11-20\") { child { id } } }";
    let v = board.version(&child.id, Section::Placement).await;
    let end = board.request(json!({ "query": end, "variables": { "id": child.id, "v": v } }));
    let answer = overtaken(&hub, change, async || _ = Answer::of(&router, end).await.data("").clone()).await;
    let unknown = home.ask_with("query($id: ID!) { child(id: $id) { id } }", json!({ "id": child.id })).await;
    let now = unknown.codes().first().map_or("FORBIDDEN", |code| *code).to_owned();
    assert_eq!(answer.codes(), [now.as_str()], "{}", answer.text);
    assert!(hub.columns_holding("Kanarieärr").await.is_empty());
}

async fn a_duplicate_that_is_overtaken_is_answered_as_the_first(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (_other, router) = hub.another_node().await;
    let caller = hub.caller("malmo-soc").header("idempotency-key", "dubblett");
    let v = caller.version(&child.id, Section::Voice).await;
    let ask = || caller.update_request(&child.id, Section::Voice, &v, json!({ "wishes": "En gång" }), &[]);
    let mut first = None;
    let second = overtaken(&hub, ask(), async || first = Some(Answer::of(&router, ask()).await)).await;
    let first = first.expect("it is answered");
    assert_eq!(first.data(""), second.data(""));
    assert_eq!(counted(&hub, &child).await, (1, 1));
}

/// The row of the access log that tells of an answer, without what is its alone.
async fn shown(hub: &Hub, answer: &Answer) -> Value {
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
    assert_eq!(rows.len(), 1);
    let record: String = rows[0].try_get_by_index(0).expect("a record");
    serde_json::from_str::<Value>(&record).expect("JSON")["shown"].clone()
}

/// All that one look can tell of a child.
fn looked_at() -> String {
    let sections = Section::ALL.into_iter().filter(|section| *section != Section::Identifiers).map(|section| {
        let fields: Vec<String> = section.fields().map(selection).collect();
        format!(
            "{} {{ {} version updatedAt updatedBy {{ code }} withheld {{ field rule }} }}",
            section.name(),
            fields.join(" ")
        )
    });
    format!("id {}", sections.collect::<Vec<_>>().join(" "))
}

async fn what_a_writer_is_shown_is_what_a_reader_is(hub: Hub) {
    let all = looked_at();
    let involved = PERSONAS.iter().map(|persona| persona.code).filter(|code| *code != "migrationsverket");
    let involved: Vec<(&str, &str)> = involved.map(|code| (code, "INVOLVED")).collect();
    let mut compared = BTreeSet::new();
    for protection in ["NONE", "MARKED"] {
        let mut involved = involved.clone();
        involved.extend([("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE")]);
        let child = hub.child(Scene { involved, protection, ..Scene::default() }).await;
        for (n, section) in updated().enumerate() {
            for code in PERSONAS.iter().map(|persona| persona.code).filter(|code| *code != "radda-barnen") {
                let caller = hub.caller(code);
                let name = section.type_name();
                let seen = caller
                    .ask_with(
                        &format!("query($id: ID!) {{ child(id: $id) {{ {} {{ version }} }} }}", section.name()),
                        json!({ "id": child.id }),
                    )
                    .await;
                let Some(v) = seen.json.pointer(&format!("/data/child/{}/version", section.name())).cloned() else {
                    continue;
                };
                for id in written(section) {
                    hub.wait(1_000_000);
                    let set = Map::from_iter([(id.field().name.to_owned(), sample(&hub, id, n + code.len()))]);
                    let mutation = format!(
                        "mutation($id: ID!, $v: String!, $set: {name}Patch!) {{ change: update{name}(childId: $id, expectedVersion: $v, set: $set) {{ child {{ {all} }} }} }}"
                    );
                    let answer = caller.ask_with(&mutation, json!({ "id": child.id, "v": v, "set": set })).await;
                    if !answer.json["errors"].is_null() {
                        continue;
                    }
                    let read = caller
                        .ask_with(
                            &format!("query($id: ID!) {{ child(id: $id) {{ {all} }} }}"),
                            json!({ "id": child.id }),
                        )
                        .await;
                    assert_eq!(answer.data("/change/child"), read.data("/child"), "{code} {id}");
                    assert_eq!(shown(&hub, &answer).await, shown(&hub, &read).await, "{code} {id}");
                    compared.insert(section);
                    break;
                }
            }
        }
    }
    assert_eq!(compared, updated().collect());
}

/// Changes a child's wishes again and again until nothing comes of it, or it is over. Gives what it was told is done.
async fn wish_on(hub: &Hub, child: &str, (round, writer): (usize, usize), over: &AtomicBool) -> Vec<String> {
    let caller = hub.caller("malmo-soc");
    let query = "query($id: ID!) { child(id: $id) { voice { version } } }";
    // Connections that the crash has ended are found out by whoever uses them next.
    let mut version = loop {
        let answer = caller.ask_with(query, json!({ "id": child })).await;
        if let Some(version) = answer.json.pointer("/data/child/voice/version").and_then(Value::as_str) {
            break version.to_owned();
        }
    };
    let mut told = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let wish = format!("Önskan {round} av {writer}: {}", told.len());
        let set = json!({ "wishes": wish });
        let answer = caller.update_from(child, Section::Voice, &version, set, &[]).await;
        let Some(next) = answer.json.pointer("/data/updateVoice/child/voice/version").and_then(Value::as_str) else {
            return told;
        };
        next.clone_into(&mut version);
        told.push(wish);
    }
    told
}

/// A change is told of before its own commit is on disk, but not before the commit of the access log's row that comes after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_outlives_a_crash_of_the_database() {
    let Some((cluster, database)) = Apart::start().await else { return };
    let url = database.url.clone();
    let hub = Arc::new(Hub::start_at(database, &url, Engine::embedded()).await);
    let children = hub.children(6, &Scene::default()).await;
    let mut answered = 0;
    for round in 0..4 {
        let over = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for (writer, child) in children.iter().enumerate() {
            let (hub, id, over) = (hub.clone(), child.id.clone(), over.clone());
            writers.push(tokio::spawn(async move { wish_on(&hub, &id, (round, writer), &over).await }));
        }
        let kept = format!("CAST(changes AS TEXT) LIKE '%Önskan {round} av%'");
        // A connection that the crash before has ended may end a writer, too.
        while writers.iter().any(|writer| !writer.is_finished()) && hub.count("revision", &kept).await < 30 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        cluster.crash().await;
        // A writer that was between two statements then goes on, over connections made since.
        over.store(true, Ordering::SeqCst);
        let mut told = Vec::new();
        for writer in writers {
            told.extend(writer.await.expect("a writer ends"));
        }
        let rows = hub.rows("SELECT CAST(changes AS TEXT) FROM revision").await;
        let kept: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect();
        let lost = told.iter().filter(|wish| !kept.iter().any(|kept| kept.contains(&format!("{wish}\""))));
        assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new(), "round {round}");
        answered += told.len();
    }
    assert!(answered > 12, "there was something to lose: {answered}");
}
