//! Protection holds from the next answer on every node: an answer that was decided before, and not yet released, stays. And
//! whoever looks at a missing child is told of to those who lead its case.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Kind, Scene, TestChild};
use samverka_domain::catalogue::{IdentifierKind, Section};
use samverka_domain::hub::Database;
use samverka_domain::ledger::Verdict;
use serde_json::{Value, json};

both! {
    an_answer_decided_before_protection_is_decided_again
    a_blocked_partys_held_answer_shows_nothing
    a_withdrawn_consents_held_answer_shows_nothing
    a_sealed_childs_held_answer_shows_nothing
    a_held_page_is_decided_again_as_a_whole
    a_change_whose_answer_is_stale_is_made_once_and_not_shown
    an_answer_that_never_stands_still_is_refused
    other_children_and_other_changes_make_nothing_stale
    raising_protection_says_when_it_is_in_force
    a_sealed_child_is_to_everyone_as_one_that_never_was
    whoever_looks_at_a_missing_child_is_told_of
    whoever_looks_in_vain_is_told_of
    a_look_is_not_told_to_serve_a_return
    looks_are_the_leads_to_read
}

const LOOK: &str =
    "query($id: ID!) { child(id: $id) { id placement { street withheld { field rule } } voice { wishes } } }";

async fn look(hub: &Hub, code: &str, id: &str) -> Answer {
    hub.caller(code).ask_with(LOOK, json!({ "id": id })).await
}

fn scene() -> Scene {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("malmo-overformyndare", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }
}

impl Caller<'_> {
    async fn protect(&self, child: &str, level: &str) -> Answer {
        let version = self.version(child, Section::Protection).await;
        let mutation = "mutation($id: ID!, $v: String!, $level: ProtectionLevel!) {
            updateProtection(childId: $id, expectedVersion: $v, set: { level: $level }) { child { id } inForceAt } }";
        self.ask_with(mutation, json!({ "id": child, "v": version, "level": level })).await
    }
}

/// The second node on PostgreSQL; on SQLite, where one process serves, the hub itself.
async fn another(hub: &Hub) -> Option<Hub> {
    match hub.database.kind {
        Kind::Postgres => Some(hub.beside().await),
        Kind::Sqlite => None,
    }
}

/// What is answered to a question that was decided, and not released, when something changes elsewhere.
async fn meanwhile(hub: &Hub, code: &str, id: &str, change: impl AsyncFnOnce(&Hub)) -> Answer {
    let second = another(hub).await;
    let mut hold = hub.domain.hold("query child");
    let caller = hub.caller(code);
    let asked = caller.ask_with(LOOK, json!({ "id": id }));
    let changed = async {
        hold.until_waiting().await;
        change(second.as_ref().unwrap_or(hub)).await;
        drop(hold);
    };
    tokio::join!(asked, changed).0
}

async fn stale_rows(hub: &Hub) -> Vec<Value> {
    let rows = hub.rows("SELECT record FROM ledger WHERE record LIKE '%\"stale\":true%'").await;
    let read = |row: &sea_orm::QueryResult| {
        serde_json::from_str(&row.try_get_by_index::<String>(0).expect("a record")).expect("JSON")
    };
    rows.iter().map(read).collect()
}

async fn intact(hub: &Hub) {
    let database = Database::connect(&hub.database.url).await.expect("connects");
    assert!(matches!(database.verify_ledger().await.expect("reads"), Verdict::Intact { .. }));
    database.close().await;
}

async fn an_answer_decided_before_protection_is_decided_again(hub: Hub) {
    let child = hub.child(scene()).await;
    assert!(look(&hub, "malmo-overformyndare", &child.id).await.text.contains("Kanariestreet"));
    let answer = meanwhile(&hub, "malmo-overformyndare", &child.id, async |other| {
        other.caller("malmo-soc").protect(&child.id, "MARKED").await.data("");
    })
    .await;
    assert!(!answer.text.contains("Kanariestreet"), "{}", answer.text);
    assert_eq!(answer.data("/child/placement/street"), &Value::Null);
    assert!(answer.text.contains("protected-identity"), "it is decided again: {}", answer.text);
    let stale = stale_rows(&hub).await;
    assert_eq!(stale.len(), 1);
    assert_eq!((&stale[0]["shown"][0]["fields"], &stale[0]["refused"]), (&json!([]), &json!(["DECISION_STALE"])));
    assert!(stale[0]["shown"][0]["epochs"][0].is_number());
    // The log tells of one showing: the second.
    let log = "query($id: ID!) { accessLog(childId: $id, first: 2) { edges { node { operation shown withheld } } } }";
    let log = hub.caller("malmo-overformyndare").ask_with(log, json!({ "id": child.id })).await;
    let shown = log.data("/accessLog/edges/0/node/shown").as_array().expect("a list");
    assert!(!shown.contains(&json!("placement.street")), "{shown:?}");
    intact(&hub).await;
}

async fn a_blocked_partys_held_answer_shows_nothing(hub: Hub) {
    let child = hub.child(scene()).await;
    look(&hub, "hvb-malmo", &child.id).await.data("");
    let answer = meanwhile(&hub, "hvb-malmo", &child.id, async |other| {
        other.caller("malmo-soc").block(&child.id, "hvb-malmo").await.data("");
    })
    .await;
    assert_eq!(answer.codes(), ["NOT_FOUND"]);
    assert_eq!(answer.text, look(&hub, "hvb-malmo", &child.id.replace('a', "b")).await.text);
}

async fn a_withdrawn_consents_held_answer_shows_nothing(hub: Hub) {
    let child = hub.child(scene()).await;
    let consent = hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    let listed = hub.caller("radda-barnen").ask("{ children { nodes { id } } }").await;
    let id = listed.data("/children/nodes/0/id").as_str().expect("an id").to_owned();
    assert!(look(&hub, "radda-barnen", &id).await.text.contains("Kanariewishes"));
    let answer = meanwhile(&hub, "radda-barnen", &id, async |other| {
        let mutation = "mutation($id: ID!) { revokeConsent(consentId: $id) { inForceAt } }";
        other.caller("malmo-soc").ask_with(mutation, json!({ "id": consent })).await.data("");
    })
    .await;
    assert_eq!(answer.codes(), ["NOT_FOUND"]);
    assert_eq!(stale_rows(&hub).await.len(), 1);
}

async fn seal(hub: &Hub, child: &str, is_sealed: bool) -> bool {
    let database = Database::connect(&hub.database.url).await.expect("connects");
    let changed = database.seal(child, is_sealed, &hub.domain.clock()).await.expect("seals");
    database.close().await;
    changed
}

async fn a_sealed_childs_held_answer_shows_nothing(hub: Hub) {
    let child = hub.child(scene()).await;
    let answer = meanwhile(&hub, "malmo-soc", &child.id, async |_| {
        assert!(seal(&hub, &child.id, true).await);
    })
    .await;
    assert_eq!(answer.codes(), ["NOT_FOUND"]);
}

async fn a_held_page_is_decided_again_as_a_whole(hub: Hub) {
    let children = [hub.child(scene()).await, hub.child(scene()).await];
    let second = another(&hub).await;
    let mut hold = hub.domain.hold("query children");
    let page = "{ children { nodes { id placement { street } } } }";
    let caller = hub.caller("malmo-overformyndare");
    let asked = caller.ask(page);
    let changed = async {
        hold.until_waiting().await;
        second.as_ref().unwrap_or(&hub).caller("malmo-soc").protect(&children[0].id, "LOCAL").await.data("");
        drop(hold);
    };
    let answer = tokio::join!(asked, changed).0;
    let nodes = answer.data("/children/nodes").as_array().expect("a list");
    assert_eq!(nodes.len(), 2);
    for node in nodes {
        assert_eq!(node["placement"]["street"].is_null(), node["id"] == children[0].id, "{node}");
    }
}

async fn a_change_whose_answer_is_stale_is_made_once_and_not_shown(hub: Hub) {
    let child = hub.child(scene()).await;
    let guardian = hub.caller("malmo-overformyndare").header("idempotency-key", "k");
    let version = guardian.version(&child.id, Section::Voice).await;
    let mutation =
        "mutation($id: ID!, $v: String!) { updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"Skola\" }) {
        child { voice { wishes } placement { street } } } }";
    let variables = json!({ "id": child.id, "v": version });
    let second = another(&hub).await;
    let mut hold = hub.domain.hold("mutation updateVoice");
    let asked = guardian.ask_with(mutation, variables.clone());
    let changed = async {
        hold.until_waiting().await;
        second.as_ref().unwrap_or(&hub).caller("malmo-soc").protect(&child.id, "MARKED").await.data("");
        drop(hold);
    };
    let answer = tokio::join!(asked, changed).0;
    assert_eq!((answer.status.as_u16(), answer.codes()), (503, vec!["DECISION_STALE"]), "{}", answer.text);
    assert_eq!(hub.count("revision", "section = 'voice'").await, 1, "it was made");
    let again = guardian.ask_with(mutation, variables).await;
    assert_eq!(again.data("/updateVoice/child/voice/wishes"), "Skola");
    assert_eq!(again.data("/updateVoice/child/placement/street"), &Value::Null);
    assert_eq!(hub.count("revision", "section = 'voice'").await, 1, "and is not made again");
}

/// Whoever changes who may see a child again and again, faster than it can be answered.
async fn an_answer_that_never_stands_still_is_refused(hub: Hub) {
    let child = hub.child(scene()).await;
    let raise = format!("UPDATE child SET epoch = epoch + 1 WHERE subject = {}", hub.literal(child.subject));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let asked = async {
        let mut refused = None;
        for _ in 0..200 {
            let answer = look(&hub, "malmo-soc", &child.id).await;
            if answer.status.as_u16() == 503 {
                refused = Some(answer);
                break;
            }
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        refused
    };
    let changed = async {
        let (mut hold, mut next) = (hub.domain.hold("query child"), None);
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            let waiting = tokio::time::timeout(std::time::Duration::from_millis(200), hold.until_waiting()).await;
            if waiting.is_ok() {
                hub.sql(&raise).await;
            }
            // The next answer is held before this one goes.
            next.replace(std::mem::replace(&mut hold, hub.domain.hold("query child")));
            drop(next.take());
        }
    };
    let (refused, ()) = tokio::join!(asked, changed);
    let refused = refused.expect("it is refused");
    assert_eq!(refused.codes(), ["DECISION_STALE"]);
    assert!(!refused.text.contains("Kanarie"));
    assert!(stale_rows(&hub).await.len() >= 4);
    intact(&hub).await;
}

async fn other_children_and_other_changes_make_nothing_stale(hub: Hub) {
    let (child, another) = (hub.child(scene()).await, hub.child(scene()).await);
    let answer = meanwhile(&hub, "malmo-overformyndare", &child.id, async |other| {
        other.caller("malmo-soc").protect(&another.id, "MARKED").await.data("");
        other.caller("malmo-soc").update(&child.id, Section::Voice, json!({ "wishes": "Skola" }), &[]).await.data("");
    })
    .await;
    assert!(answer.text.contains("Kanariestreet"));
    assert!(stale_rows(&hub).await.is_empty());
    let epochs = hub.rows("SELECT epoch FROM child ORDER BY epoch").await;
    let epochs: Vec<i64> = epochs.iter().map(|row| row.try_get_by_index(0).expect("an epoch")).collect();
    assert_eq!(epochs, [0, 1]);
}

async fn raising_protection_says_when_it_is_in_force(hub: Hub) {
    let child = hub.child(scene()).await;
    let raised = hub.caller("malmo-soc").protect(&child.id, "MARKED").await;
    assert_eq!(raised.data("/updateProtection/inForceAt"), "2026-11-21T12:00:02.000000Z");
    let version = hub.caller("malmo-soc").version(&child.id, Section::Voice).await;
    let mutation = "mutation($id: ID!, $v: String!) { updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"Skola\" }) { inForceAt } }";
    let other = hub.caller("malmo-soc").ask_with(mutation, json!({ "id": child.id, "v": version })).await;
    assert_eq!(other.data("/updateVoice/inForceAt"), &Value::Null);
}

async fn a_sealed_child_is_to_everyone_as_one_that_never_was(hub: Hub) {
    let child = hub.child(Scene { missing: true, ..scene() }).await;
    let second = another(&hub).await;
    let other = second.as_ref().unwrap_or(&hub);
    hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    for code in ["migrationsverket", "malmo-soc", "hvb-malmo"] {
        look(other, code, &child.id).await.data("");
    }
    assert!(seal(&hub, &child.id, true).await);
    assert!(!seal(&hub, &child.id, true).await, "it is sealed");
    assert_eq!(crate::crash::journal::gaps(&hub.outside).await, Vec::<String>::new(), "a seal leaves no gap");
    let ghost = child.id.replace('a', "b");
    let number = child.canaries[&samverka_domain::catalogue::IdentifierKind::DossierNumber.field()].clone();
    let by = |number: &str| format!("{{ childByIdentifier(kind: DOSSIER_NUMBER, value: \"{number}\") {{ id }} }}");
    for node in [&hub, other] {
        for code in ["migrationsverket", "malmo-soc", "hvb-malmo", "malmo-overformyndare", "polisen", "skola"] {
            let (here, never) = (look(node, code, &child.id).await, look(node, code, &ghost).await);
            assert_eq!((here.codes(), &here.text), (vec!["NOT_FOUND"], &never.text), "{code}");
            if code != "skola" {
                let (here, never) =
                    (node.caller(code).ask(&by(&number)).await, node.caller(code).ask(&by("11-111111")).await);
                assert_eq!(here.text, never.text, "{code}");
            }
            let listed = node.caller(code).ask("{ children { nodes { id } } }").await;
            assert_eq!(listed.data("/children/nodes"), &json!([]), "{code}");
        }
        assert_eq!(node.caller("radda-barnen").ask("{ myConsents { id } }").await.data("/myConsents"), &json!([]));
        let opened = node.caller("polisen").break_glass(json!({ "childId": child.id })).await;
        assert_eq!(opened.codes(), ["NOT_FOUND"]);
    }
    assert_eq!(hub.listed_wrongly().await, 0);
    let rows = hub.rows("SELECT record FROM ledger WHERE record LIKE '%sealChild%'").await;
    assert_eq!(rows.len(), 2, "each time the command says so first");
    assert!(seal(&hub, &child.id, false).await);
    for code in ["migrationsverket", "malmo-soc", "hvb-malmo"] {
        look(other, code, &child.id).await.data("");
        assert_eq!(
            other.caller(code).ask("{ children { nodes { id } } }").await.data("/children/nodes/0/id"),
            &json!(child.id)
        );
    }
    assert_eq!(hub.listed_wrongly().await, 0);
    intact(&hub).await;
}

async fn lookups(hub: &Hub, code: &str, child: &TestChild) -> Answer {
    let query = "query($id: ID!) { lookups(childId: $id) { nodes { agency { code } role at } } }";
    hub.caller(code).ask_with(query, json!({ "id": child.id })).await
}

async fn whoever_looks_at_a_missing_child_is_told_of(hub: Hub) {
    let involved =
        || vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED"), ("polisen", "INVOLVED"), ("region-skane", "INVOLVED")];
    let missing = hub.child(Scene { involved: involved(), missing: true, ..Scene::default() }).await;
    let here = hub.child(Scene { involved: involved(), ..Scene::default() }).await;
    let before = look(&hub, "skola", &missing.id).await.text.len();
    for child in [&missing, &here] {
        for code in ["skola", "skola", "malmo-soc", "polisen", "landskrona-soc"] {
            look(&hub, code, &child.id).await;
        }
    }
    hub.wait(HOUR);
    assert_eq!(look(&hub, "skola", &missing.id).await.text.len(), before, "whoever looks is told nothing");
    hub.caller("dataskydd")
        .ask_with(
            "query($id: ID!) { accessLog(childId: $id) { pageInfo { hasNextPage } } }",
            json!({ "id": missing.id }),
        )
        .await
        .data("");
    let told = lookups(&hub, "malmo-soc", &missing).await;
    let told: Vec<(String, String)> = told
        .data("/lookups/nodes")
        .as_array()
        .expect("a list")
        .iter()
        .map(|node| {
            (
                node["agency"]["code"].as_str().expect("a code").to_owned(),
                node["at"].as_str().expect("a time")[11..13].to_owned(),
            )
        })
        .collect();
    let mut sorted = told.clone();
    sorted.sort();
    let expected = [("landskrona-soc", "12"), ("polisen", "12"), ("skola", "12"), ("skola", "13")];
    let expected = expected.map(|(code, hour)| (code.to_owned(), hour.to_owned()));
    assert_eq!(sorted, expected, "one an agency and hour; not the lead, not data protection; who may not know, too");
    assert_eq!(lookups(&hub, "malmo-soc", &here).await.data("/lookups/nodes"), &json!([]), "the other is not missing");
    let events = hub.rows("SELECT agency_id FROM event WHERE kind = 'CHILD_LOOKED_UP'").await;
    let events: Vec<uuid::Uuid> = events.iter().map(|row| row.try_get_by_index(0).expect("an agency")).collect();
    assert_eq!(events, [hub.agency("malmo-soc"); 4]);
    // Once the episode is over a look is nobody's business again.
    hub.sql(&format!("UPDATE missing_episode SET closed_at = {}", hub.now())).await;
    hub.wait(DAY);
    look(&hub, "skola", &missing.id).await.data("");
    assert_eq!(lookups(&hub, "malmo-soc", &missing).await.data("/lookups/nodes").as_array().expect("a list").len(), 4);
}

/// That somebody looked tells that the child was missing: no lead is told so for a return.
async fn a_look_is_not_told_to_serve_a_return(hub: Hub) {
    let scene = |missing| Scene { involved: vec![("migrationsverket", "LEAD")], missing, ..Scene::default() };
    let (missing, here) = (hub.child(scene(true)).await, hub.child(scene(false)).await);
    let mut answers = Vec::new();
    for child in [&missing, &here] {
        look(&hub, "polisen", &child.id).await;
        let query = "query($id: ID!) { lookups(childId: $id) { nodes { agency { code } } } }";
        let lead = hub.caller("migrationsverket");
        let told = lead.purpose("PROTECT").ask_with(query, json!({ "id": child.id })).await;
        let looks = told.data("/lookups/nodes").as_array().map(Vec::len);
        assert_eq!(looks, Some(usize::from(child.id == missing.id)));
        let lead = hub.caller("migrationsverket");
        answers.push(lead.purpose("RETURN").ask_with(query, json!({ "id": child.id })).await);
    }
    assert_eq!(answers[0].codes(), ["OPERATION_FORBIDDEN"]);
    assert_eq!(answers[0].text, answers[1].text);
}

/// Whoever asks for a missing child in vain is named to its lead, however it asks, and is answered as for what never was.
async fn whoever_looks_in_vain_is_told_of(hub: Hub) {
    let scene = |missing| Scene { involved: vec![("malmo-soc", "LEAD")], missing, ..Scene::default() };
    let (missing, here) = (hub.child(scene(true)).await, hub.child(scene(false)).await);
    let dossier = |child: &TestChild| child.canaries[&IdentifierKind::DossierNumber.field()].clone();
    let by_number =
        |number: &str| format!("{{ childByIdentifier(kind: DOSSIER_NUMBER, value: \"{number}\") {{ id }} }}");
    let beside = |number: &str| {
        format!("{{ childByIdentifier(kind: DOSSIER_NUMBER, value: \"{number}\") {{ id }} me {{ role }} }}")
    };
    let by_id = |id: &str| format!("{{ child(id: \"{id}\") {{ id }} }}");
    let entries = |id: &str| format!("{{ suggestions(childId: \"{id}\") {{ nodes {{ id }} }} }}");
    let never = missing.id.replace('a', "b");
    let asked = |child: &TestChild| {
        [
            ("landskrona-soc", by_id(&child.id), by_id(&never)),
            ("polisen", by_id(&child.id), by_id(&never)),
            ("socialjour", by_number(&dossier(child)), by_number("11-111111")),
            ("migrationsverket", beside(&dossier(child)), beside("11-111111")),
            ("region-skane", entries(&child.id), entries(&never)),
        ]
    };
    for child in [&missing, &here] {
        for (code, query, of_nobody) in asked(child) {
            let (answer, nobody) = (hub.caller(code).ask(&query).await, hub.caller(code).ask(&of_nobody).await);
            assert_eq!((answer.codes(), &answer.text), (vec!["NOT_FOUND"], &nobody.text), "{code} {query}");
        }
    }
    let names = |answer: Answer| {
        let nodes = answer.data("/lookups/nodes").as_array().expect("a list").clone();
        let names = nodes.iter().map(|node| node["agency"]["code"].as_str().expect("a code").to_owned());
        names.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let told = names(lookups(&hub, "malmo-soc", &missing).await);
    assert_eq!(told, ["landskrona-soc", "migrationsverket", "polisen", "region-skane", "socialjour"]);
    assert!(names(lookups(&hub, "malmo-soc", &here).await).is_empty(), "it is not missing");
    // The log by child tells who saw it.
    let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { agencyId } } } }";
    let log = hub.caller("malmo-soc").ask_with(log, json!({ "id": missing.id })).await;
    assert!(log.codes().is_empty() && !log.text.contains(&hub.agency_id("polisen")), "{}", log.text);
}

async fn looks_are_the_leads_to_read(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED"), ("polisen", "INVOLVED")];
    let child = hub.child(Scene { involved, missing: true, ..Scene::default() }).await;
    for code in ["skola", "polisen"] {
        assert_eq!(lookups(&hub, code, &child).await.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
    for code in ["landskrona-soc", "dataskydd", "radda-barnen"] {
        let answer = lookups(&hub, code, &child).await;
        assert!(["NOT_FOUND", "INVALID_ID"].contains(&answer.codes()[0]), "{code}: {}", answer.text);
    }
}
