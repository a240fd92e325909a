//! Who sees what, over the wire: each role in each relation is shown exactly what the policy says, and told what
//! it is not shown. The policy itself is tried against the matrix in `oracle`.

use crate::both;
use crate::harness::{Hub, Scene, TestChild, everything, persona};
use samverka_domain::catalogue::{FieldId, Section};
use samverka_domain::policy::{Consents, Engine, Protection, Purpose, Relation, Situation};
use serde_json::{Value, json};

both! {
    each_role_sees_its_fields_and_is_told_of_the_rest
    what_is_withheld_says_why_and_whom_to_ask
    an_unknown_child_and_a_forbidden_one_answer_alike
    a_strangers_list_is_empty_and_a_partners_ids_are_its_own
    a_list_comes_in_pages_and_its_cursors_are_bound_to_their_reader
    a_child_is_found_by_its_numbers_only_by_those_who_may
    protected_children_show_no_address_and_homes_are_not_told_the_level
    the_response_sums_up_what_was_withheld
    a_hidden_change_moves_nothing_that_is_seen
    access_narrows_as_time_goes_by
    without_a_purpose_no_child_is_touched
    aliases_fragments_and_repeated_fields_are_merged
    beside_the_log_a_child_is_decided_and_read_at_one_instant
    no_tag_ties_the_child_of_one_caller_to_that_of_another
    a_home_is_not_named_as_a_writer_to_those_who_may_not_know_it
}

const QUERY: &str = "query($id: ID!) { child(id: $id) { … } }";

async fn see(hub: &Hub, code: &str, purpose: &str, id: &str) -> Value {
    let query = QUERY.replace('…', &everything());
    let answer = hub.caller(code).purpose(purpose).ask_with(&query, json!({ "id": id })).await;
    answer.data("/child").clone()
}

fn situation(code: &str, relation: Relation) -> Situation {
    Situation { relation, ..Situation::stranger(persona(code).role, persona(code).purpose) }
}

/// Compares an answer with the decisions: canaries on the wire, and what is said to be withheld.
fn assert_shows_exactly(child: &Value, put: &TestChild, situation: Situation, who: &str) {
    let text = child.to_string();
    let [decisions, of_own] = [false, true].map(|own| Engine::embedded().decide(Situation { own, ..situation }));
    let all = [(&put.canaries, &decisions), (&put.own_canaries, &of_own)];
    for (canaries, decisions) in all {
        for (id, canary) in canaries {
            let shown = text.contains(canary.as_str());
            assert_eq!(shown, decisions.shown.contains(*id), "{who}: {id} on the wire");
        }
    }
    let has_own = |id: &FieldId| put.own_canaries.contains_key(id) && of_own.shown.contains(*id);
    for section in Section::ALL {
        let told: Vec<&str> = child[section.name()]["withheld"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| entry["field"].as_str().expect("a field"))
            .collect();
        let withheld = decisions.withheld() & section.field_set();
        let expected: Vec<&str> = withheld.iter().map(|id| id.field().name).collect();
        assert_eq!(told, expected, "{who}: withheld of {section:?}");
        for id in section.fields().filter(|id| !decisions.shown.contains(*id) && !has_own(id)) {
            assert_eq!(child[section.name()][id.field().name], Value::Null, "{who}: {id} is null");
        }
    }
}

async fn each_role_sees_its_fields_and_is_told_of_the_rest(hub: Hub) {
    let kinds = [
        ("LEAD", None, Relation::Responsible),
        ("RECEIVING", None, Relation::Receiving),
        ("INVOLVED", None, Relation::Involved),
        ("RESPONSIBLE", Some(crate::harness::DAY), Relation::Former),
        ("INVOLVED", Some(crate::harness::DAY), Relation::Ended),
    ];
    let personas = [
        "migrationsverket",
        "polisen",
        "granspolisen",
        "malmo-soc",
        "socialjour",
        "malmo-overformyndare",
        "region-skane",
        "skola",
        "hvb-malmo",
    ];
    for (kind, ended, relation) in kinds {
        for missing in [false, true] {
            for code in personas {
                let other = if code == "landskrona-soc" { "malmo-soc" } else { "landskrona-soc" };
                let mut scene = Scene { missing, protocols: true, own: Some(code), ..Scene::default() };
                scene.involved = if kind == "LEAD" { vec![(code, "LEAD")] } else { vec![(other, "LEAD")] };
                match ended {
                    Some(ago) => scene.ended.push((code, kind, ago)),
                    None if kind != "LEAD" => scene.involved.push((code, kind)),
                    None => {}
                }
                let child = hub.child(scene).await;
                let seen = see(&hub, code, persona(code).purpose.code(), &child.id).await;
                let situation = Situation { missing, ..situation(code, relation) };
                assert_shows_exactly(&seen, &child, situation, &format!("{code} {relation} missing={missing}"));
            }
        }
    }
    for groups in [vec!["identity"], vec!["board", "guardian", "description"], vec!["identity", "missingFlag"]] {
        let consents = vec![("radda-barnen", groups.clone())];
        let scene = Scene { consents, missing: true, protocols: true, own: Some("radda-barnen"), ..Scene::default() };
        let child = hub.child(scene).await;
        let ids = hub.caller("radda-barnen").ask("{ children(first: 100) { nodes { id } } }").await;
        let nodes = ids.data("/children/nodes").as_array().expect("nodes").clone();
        let id = nodes.last().and_then(|node| node["id"].as_str()).expect("one child").to_owned();
        let mut found = Value::Null;
        for node in &nodes {
            let seen = see(&hub, "radda-barnen", "PROTECT", node["id"].as_str().expect("an id")).await;
            let canaries = child.canaries.values().chain(child.own_canaries.values());
            if canaries.into_iter().any(|canary| seen.to_string().contains(canary.as_str())) {
                found = seen;
            }
        }
        assert_ne!(id, child.id);
        let consents = Consents::from_groups(groups.into_iter());
        let situation = Situation { consents, missing: true, ..situation("radda-barnen", Relation::Consented) };
        assert_shows_exactly(&found, &child, situation, "radda-barnen");
    }
}

async fn what_is_withheld_says_why_and_whom_to_ask(hub: Hub) {
    let child =
        hub.child(Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() }).await;
    let query = "query($id: ID!) { child(id: $id) { health { criticalNeeds withheld {
        field number rule reason reasonSv legalGround ask askSv } } risk { exploitation withheld { field } } } }";
    let answer = hub.caller("skola").ask_with(query, json!({ "id": child.id })).await;
    let withheld = answer.data("/child/health/withheld").as_array().expect("a list").clone();
    let critical = withheld.iter().find(|entry| entry["field"] == "criticalNeeds").expect("it is withheld");
    assert_eq!(critical["number"], "F39");
    assert_eq!(critical["rule"], "default-deny");
    for part in ["reason", "reasonSv", "legalGround", "ask", "askSv"] {
        assert!(critical[part].as_str().is_some_and(|text| text.len() > 5), "{part}");
    }
    assert!(critical["legalGround"].as_str().expect("a statute").contains("25 kap."));
    // Where the existence is secret nothing is said, though there is a value.
    assert_eq!(answer.data("/child/risk/exploitation"), &Value::Null);
    let told = answer.data("/child/risk/withheld").to_string();
    assert!(!told.contains("exploitation"), "{told}");
}

async fn an_unknown_child_and_a_forbidden_one_answer_alike(hub: Hub) {
    let forbidden = hub.child(Scene::default()).await;
    let unknown = crate::harness::child_id(uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0001));
    let query = QUERY.replace('…', &everything());
    for code in ["skola", "polisen", "hvb-landskrona", "radda-barnen", "lansstyrelsen-skane", "dataskydd"] {
        let mut answers = Vec::new();
        for id in [&forbidden.id, &unknown] {
            let answer = hub.caller(code).ask_with(&query, json!({ "id": id })).await;
            assert_eq!(answer.json["data"]["child"], Value::Null, "{code}");
            let headers: Vec<String> = answer
                .headers
                .iter()
                .filter(|(name, _)| !["x-request-id", "audit-receipt"].contains(&name.as_str()))
                .map(|(name, value)| format!("{name}: {value:?}"))
                .collect();
            answers.push((answer.status, headers, answer.text));
        }
        assert_eq!(answers[0], answers[1], "{code}");
        let update = "mutation($id: ID!) { updateVoice(childId: $id, expectedVersion: \"x\", set: { wishes: \"hej\" }) { child { id } } }";
        let forbidden = hub.caller(code).ask_with(update, json!({ "id": forbidden.id })).await;
        let unknown = hub.caller(code).ask_with(update, json!({ "id": unknown })).await;
        assert_eq!(forbidden.text, unknown.text, "{code}");
    }
}

async fn a_strangers_list_is_empty_and_a_partners_ids_are_its_own(hub: Hub) {
    let consents = vec![("radda-barnen", vec!["identity"]), ("stadsmissionen", vec!["identity"])];
    let child = hub.child(Scene { consents, ..Scene::default() }).await;
    let query = "{ children { nodes { id identity { givenNames } } pageInfo { hasNextPage endCursor } } }";
    for code in ["skola", "landskrona-soc", "lansstyrelsen-skane", "dataskydd"] {
        let answer = hub.caller(code).ask(query).await;
        assert_eq!(answer.data("/children/nodes"), &json!([]), "{code}");
        assert_eq!(answer.data("/children/pageInfo"), &json!({ "hasNextPage": false, "endCursor": null }), "{code}");
    }
    let mut ids = Vec::new();
    for code in ["radda-barnen", "stadsmissionen", "malmo-soc"] {
        let answer = hub.caller(code).ask(query).await;
        let node = answer.data("/children/nodes/0").clone();
        assert!(node.to_string().contains(&child.canaries[&FieldId::by_path("identity.givenNames").expect("a field")]));
        ids.push(node["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(ids[2], child.id);
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
    let one = "query($id: ID!) { child(id: $id) { id } }";
    let own = hub.caller("radda-barnen").ask_with(one, json!({ "id": ids[0] })).await;
    assert_eq!(own.data("/child/id"), ids[0].as_str());
    for foreign in [&ids[1], &ids[2]] {
        let answer = hub.caller("radda-barnen").ask_with(one, json!({ "id": foreign })).await;
        assert_eq!(answer.codes(), ["NOT_FOUND"]);
    }
    let answer = hub.caller("malmo-soc").ask_with(one, json!({ "id": ids[0] })).await;
    assert_eq!(answer.codes(), ["INVALID_ID"]);
}

async fn a_list_comes_in_pages_and_its_cursors_are_bound_to_their_reader(hub: Hub) {
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.push(
            hub.child(Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() })
                .await
                .id,
        );
    }
    let query = "query($after: String) { children(first: 3, after: $after) {
        edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let (mut seen, mut after, mut sizes) = (Vec::new(), Value::Null, Vec::new());
    loop {
        let answer = hub.caller("skola").ask_with(query, json!({ "after": after })).await;
        let edges = answer.data("/children/edges").as_array().expect("edges").clone();
        sizes.push(edges.len());
        seen.extend(edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()));
        let info = answer.data("/children/pageInfo").clone();
        assert_eq!(info["hasPreviousPage"], json!(!after.is_null()));
        assert_eq!(info["endCursor"], edges.last().expect("an edge")["cursor"]);
        after = info["endCursor"].clone();
        if info["hasNextPage"] == false {
            break;
        }
    }
    expected.sort();
    seen.sort();
    assert_eq!((seen, sizes), (expected, vec![3, 3, 1]));
    // The cursor names nothing, and is of no use to others or when it is changed.
    let cursor = after.as_str().expect("a cursor").to_owned();
    let foreign = hub.caller("malmo-soc").ask_with(query, json!({ "after": cursor })).await;
    assert_eq!(foreign.codes(), ["INVALID_CURSOR"]);
    assert_eq!(foreign.error()["input"], json!(["after"]));
    for broken in ["", "zzz", "child_1", &cursor[1..]] {
        let answer = hub.caller("skola").ask_with(query, json!({ "after": broken })).await;
        assert_eq!(answer.codes(), ["INVALID_CURSOR"], "{broken}");
    }
    for first in [0, -1, 101] {
        let revisions = format!("{{ children {{ nodes {{ voice {{ revisions(first: {first}) {{ at }} }} }} }} }}");
        assert_eq!(hub.caller("skola").ask(&revisions).await.codes(), ["PAGE_SIZE"], "revisions, {first}");
    }
    for first in [0, -1, 101, i32::MAX] {
        let answer = hub.caller("skola").ask(&format!("{{ children(first: {first}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(answer.codes(), ["PAGE_SIZE"], "{first}");
    }
}

async fn a_child_is_found_by_its_numbers_only_by_those_who_may(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let number = |path: &str| child.canaries[&FieldId::by_path(path).expect("a field")].clone();
    let query =
        "query($kind: IdentifierKind!, $value: String!) { childByIdentifier(kind: $kind, value: $value) { id } }";
    let dossier = json!({ "kind": "DOSSIER_NUMBER", "value": number("identifiers.dossierNumbers").replace('-', "") });
    let lma = json!({ "kind": "LMA_CARD", "value": number("identifiers.lmaCards") });
    for (code, variables, found) in [
        ("malmo-soc", &dossier, true),
        ("migrationsverket", &lma, true),
        ("landskrona-soc", &dossier, false),
        ("polisen", &dossier, false),
    ] {
        let answer = hub.caller(code).ask_with(query, variables.clone()).await;
        if found {
            assert_eq!(answer.data("/childByIdentifier/id"), child.id.as_str(), "{code}");
        } else {
            assert_eq!(answer.codes(), ["NOT_FOUND"], "{code} {variables}");
            assert_eq!(answer.json["data"], json!({ "childByIdentifier": null }));
        }
    }
    // What a role never finds children by is refused whatever children there are.
    for (code, variables) in
        [("malmo-soc", &lma), ("hvb-malmo", &dossier), ("hvb-malmo", &lma), ("radda-barnen", &dossier)]
    {
        let answer = hub.caller(code).ask_with(query, variables.clone()).await;
        assert_eq!(answer.codes(), ["OPERATION_FORBIDDEN"], "{code} {variables}");
    }
    for (kind, value, code) in [
        ("PERSONAL_NUMBER", "20100101-9808", "CHECK_DIGIT"),
        ("COORDINATION_NUMBER", "20100101-9809", "INVALID_IDENTIFIER"),
        ("DOSSIER_NUMBER", "'; DROP TABLE child; --", "INVALID_IDENTIFIER"),
        ("LMA_CARD", "", "INVALID_IDENTIFIER"),
    ] {
        let answer = hub.caller("malmo-soc").ask_with(query, json!({ "kind": kind, "value": value })).await;
        assert_eq!(answer.codes(), [code], "{value}");
        assert_eq!(answer.error()["input"], json!(["value"]));
    }
}

async fn protected_children_show_no_address_and_homes_are_not_told_the_level(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("malmo-overformyndare", "INVOLVED"),
        ("polisen", "INVOLVED"),
    ];
    let mut homes = Vec::new();
    for (protection, level) in
        [("NONE", Protection::None), ("MARKED", Protection::Marked), ("REGISTERED", Protection::Registered)]
    {
        let scene = Scene { involved: involved.clone(), protection, home: Some("hvb-malmo"), ..Scene::default() };
        let child = hub.child(scene).await;
        for code in ["migrationsverket", "malmo-soc", "malmo-overformyndare", "polisen"] {
            let relation = match code {
                "migrationsverket" | "malmo-soc" => Relation::Responsible,
                _ => Relation::Involved,
            };
            let seen = see(&hub, code, persona(code).purpose.code(), &child.id).await;
            let situation = Situation { protection: level, ..situation(code, relation) };
            assert_shows_exactly(&seen, &child, situation, &format!("{code} {protection}"));
            assert_eq!(seen["protection"]["protected"], json!(protection != "NONE"), "{code} is warned");
            let street = seen["placement"]["street"].is_string();
            let may = code == "malmo-soc" || (code != "polisen" && protection == "NONE");
            assert_eq!(street, may && protection != "REGISTERED", "{code} {protection}");
        }
        let home = see(&hub, "hvb-malmo", "PROTECT", &child.id).await;
        assert_eq!(home["protection"]["level"], Value::Null);
        assert_eq!(home["placement"]["street"].is_string(), protection != "REGISTERED");
        homes.push(home["placement"]["withheld"].clone());
    }
    assert_eq!(homes[1], homes[2], "withheld does not tell a home MARKED from REGISTERED");
}

async fn the_response_sums_up_what_was_withheld(hub: Hub) {
    for _ in 0..3 {
        hub.child(Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() }).await;
    }
    let query = "{ children { edges { node { a: health { b: criticalNeeds } risk { exploitation } } } } }";
    let answer = hub.caller("skola").ask(query).await;
    let expected =
        json!([{ "path": "children.edges.*.node.a.b", "code": "WITHHELD", "rule": "default-deny", "count": 3 }]);
    assert_eq!(answer.json["extensions"]["access"], expected, "silent fields are not among them");
}

async fn a_hidden_change_moves_nothing_that_is_seen(hub: Hub) {
    let scene = Scene {
        involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED"), ("hvb-malmo", "WHEREABOUTS")],
        ..Scene::default()
    };
    let child = hub.child(scene).await;
    let query = "query($id: ID!) { child(id: $id) { safetyPlan { planExists version updatedAt updatedBy { code } revisions { at } } } }";
    let before = hub.caller("skola").ask_with(query, json!({ "id": child.id })).await;
    let home_before = hub.caller("hvb-malmo").ask_with(query, json!({ "id": child.id })).await;
    let version = "query($id: ID!) { child(id: $id) { safetyPlan { version } } }";
    let own = hub.caller("malmo-soc").ask_with(version, json!({ "id": child.id })).await;
    let own = own.data("/child/safetyPlan/version").as_str().expect("a version").to_owned();
    hub.wait(crate::harness::HOUR);
    let update = "mutation($id: ID!, $v: String!) { updateSafetyPlan(childId: $id, expectedVersion: $v,
        set: { plan: \"En ny plan\", agreedOn: \"2026-11-21\" }) { child { safetyPlan { plan } } } }";
    let done = hub.caller("malmo-soc").ask_with(update, json!({ "id": child.id, "v": own })).await;
    assert_eq!(done.data("/updateSafetyPlan/child/safetyPlan/plan"), "En ny plan");
    let after = hub.caller("skola").ask_with(query, json!({ "id": child.id })).await;
    assert_eq!(before.text, after.text, "the school sees only that there is a plan, and that has not changed");
    let home_after = hub.caller("hvb-malmo").ask_with(query, json!({ "id": child.id })).await;
    assert_ne!(home_before.text, home_after.text, "the home reads the plan");
    assert_eq!(home_after.data("/child/safetyPlan/updatedBy/code"), "malmo-soc");
}

async fn access_narrows_as_time_goes_by(hub: Hub) {
    let day = crate::harness::DAY;
    let involved = vec![("migrationsverket", "LEAD"), ("polisen", "INVOLVED")];
    let ended = vec![("malmo-soc", "RESPONSIBLE", day), ("hvb-malmo", "WHEREABOUTS", day)];
    let consents = vec![("radda-barnen", vec!["identity"])];
    let child = hub.child(Scene { involved, ended, consents, missing: true, ..Scene::default() }).await;
    let street = "query($id: ID!) { child(id: $id) { placement { street } } }";
    let street_canary = &child.canaries[&FieldId::by_path("placement.street").expect("a field")];
    let shows = async |code: &str| {
        let answer = hub.caller(code).ask_with(street, json!({ "id": child.id })).await;
        answer.text.contains(street_canary.as_str())
    };
    assert!(shows("polisen").await && shows("malmo-soc").await);
    assert!(!shows("hvb-malmo").await, "the home that was left does not learn the address");
    let now = hub.now();
    hub.sql(&format!("UPDATE missing_episode SET found_at = {now}, closed_at = {now}")).await;
    hub.wait(71 * crate::harness::HOUR);
    assert!(shows("polisen").await, "72 hours after the child was found");
    hub.wait(2 * crate::harness::HOUR);
    assert!(!shows("polisen").await && shows("malmo-soc").await);
    hub.wait(31 * day);
    let list = hub.caller("radda-barnen").ask("{ children { nodes { id } } }").await;
    assert_eq!(list.data("/children/nodes"), &json!([]), "the consent has run out");
    hub.wait(60 * day);
    for code in ["malmo-soc", "hvb-malmo"] {
        let answer = hub.caller(code).ask_with(street, json!({ "id": child.id })).await;
        assert_eq!(answer.codes(), ["NOT_FOUND"], "{code}, 90 days after");
    }
}

async fn without_a_purpose_no_child_is_touched(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let query = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let answer = hub.caller("malmo-soc").without_purpose().ask_with(query, json!({ "id": child.id })).await;
    assert_eq!(answer.codes(), ["PURPOSE_REQUIRED"]);
    let me = hub.caller("malmo-soc").without_purpose().ask("{ me { role agency { code } purposes } }").await;
    assert_eq!(
        me.data("/me"),
        &json!({ "role": "SOCIAL_SERVICES", "agency": { "code": "malmo-soc" },
        "purposes": ["PROTECT", "SEARCH", "PLACE"] })
    );
    for (purpose, code, status) in [
        ("RETURN", "PURPOSE_NOT_ALLOWED", 403),
        ("protect", "PURPOSE_UNKNOWN", 400),
        ("NONSENSE", "PURPOSE_UNKNOWN", 400),
    ] {
        let answer = hub.caller("malmo-soc").purpose(purpose).ask_with(query, json!({ "id": child.id })).await;
        assert_eq!((answer.codes(), answer.status.as_u16()), (vec![code], status), "{purpose}");
    }
    // What was given for the child's protection is closed to a return.
    let closed = "query($id: ID!) { child(id: $id) { placement { type street } identity { givenNames } } }";
    for (purpose, shown) in [("PROTECT", true), ("RETURN", false)] {
        let answer = hub.caller("migrationsverket").purpose(purpose).ask_with(closed, json!({ "id": child.id })).await;
        assert_eq!(answer.data("/child/placement/type").is_string(), shown);
        assert!(answer.data("/child/identity/givenNames").is_string());
    }
    assert_eq!(Purpose::from_code("RETURN"), Some(Purpose::Return));
}

async fn aliases_fragments_and_repeated_fields_are_merged(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let keys = "query($id: ID!) { z: child(id: $id) { ...all } y: me { role } x: child(id: $id) { id } ...more w: me { role } }
        fragment all on Child { placement { street earlier { to } } network { phones } risk { version } }
        fragment more on Query { v: child(id: $id) { id } z: child(id: $id) { id } u: agencies { id } }";
    for _ in 0..5 {
        let answer = hub.caller("malmo-soc").ask_with(keys, json!({ "id": child.id })).await;
        let place = |key: &str| answer.text.find(&format!("\"{key}\":")).expect("a key");
        let places = ["z", "y", "x", "v", "u", "w"].map(place);
        assert!(places.is_sorted(), "the root's keys come in the order of the document: {}", answer.text);
    }
    let skipped =
        "query($id: ID!, $skip: Boolean = true) { child(id: $id) { identity { sex givenNames @skip(if: $skip) } } }";
    let answer = hub.caller("malmo-soc").ask_with(skipped, json!({ "id": child.id })).await;
    assert_eq!(answer.data("/child/identity"), &json!({ "sex": "FEMALE" }), "a default counts for a directive, too");
    let query = "query($id: ID!, $no: Boolean = false) {
        first: child(id: $id) { __typename ...names identity { sex } identity { again: givenNames version } }
        second: child(id: $id) { ... on Child { identity { familyName @include(if: $no) __typename } } responsibility { leadAgency { __typename code } } } }
        fragment names on Child { identity { givenNames } }";
    let answer = hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await;
    let given = &child.canaries[&FieldId::by_path("identity.givenNames").expect("a field")];
    let first = answer.data("/first");
    assert_eq!(first["__typename"], "Child");
    assert_eq!((&first["identity"]["givenNames"], &first["identity"]["again"]), (&json!(given), &json!(given)));
    assert_eq!(first["identity"]["sex"], "FEMALE");
    let second = answer.data("/second");
    assert_eq!(second["identity"], json!({ "__typename": "Identity" }));
    assert_eq!(second["responsibility"]["leadAgency"], json!({ "__typename": "Agency", "code": "migrationsverket" }));
    let keys: Vec<&String> = first["identity"].as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
}

async fn beside_the_log_a_child_is_decided_and_read_at_one_instant(hub: Hub) {
    // The street is secret only while the child is protected, so Migrationsverket must never see it.
    let child = hub.child(Scene::default()).await;
    let see = "query($id: ID!) { child(id: $id) { protection { version } placement { version } } }";
    let update = |section: &str, set: &str| {
        format!(
            "mutation($id: ID!, $v: String!) {{ update{section}(childId: $id, expectedVersion: $v, set: {{ {set} }}) {{ child {{ id }} }} }}"
        )
    };
    let board = async {
        for _ in 0..15 {
            for (section, set) in [
                ("Protection", "level: MARKED"),
                ("Placement", "street: \"Hemliga gatan\""),
                ("Placement", "street: \"Öppna gatan\""),
                ("Protection", "level: NONE"),
            ] {
                let seen = hub.caller("malmo-soc").ask_with(see, json!({ "id": child.id })).await;
                let version = seen.data(&format!("/child/{}/version", section.to_lowercase())).clone();
                let variables = json!({ "id": child.id, "v": version });
                hub.caller("malmo-soc").ask_with(&update(section, set), variables).await.data("");
            }
        }
    };
    let looks: String = (0..8).map(|i| format!("a{i}: child(id: $id) {{ placement {{ street }} }} ")).collect();
    let query =
        format!("query($id: ID!) {{ {looks} log: accessLog(childId: $id, first: 1) {{ edges {{ node {{ at }} }} }} }}");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let reader = async {
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            let answer = hub.caller("migrationsverket").ask_with(&query, json!({ "id": child.id })).await;
            assert!(!answer.text.contains("Hemliga"), "decided on one instant and read at another");
        }
    };
    let writer = async {
        board.await;
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    tokio::join!(writer, reader);
}

async fn no_tag_ties_the_child_of_one_caller_to_that_of_another(hub: Hub) {
    let consents = vec![("radda-barnen", vec!["identity"]), ("stadsmissionen", vec!["identity"])];
    let involved = vec![("migrationsverket", "LEAD"), ("skola", "INVOLVED"), ("polisen", "INVOLVED")];
    hub.child(Scene { involved, consents, ..Scene::default() }).await;
    let sections: String = Section::ALL.iter().map(|section| format!("{} {{ version }} ", section.name())).collect();
    let query = format!("{{ children {{ nodes {{ {sections} }} }} }}");
    let mut seen = std::collections::HashSet::new();
    for code in ["radda-barnen", "stadsmissionen", "skola", "polisen", "migrationsverket"] {
        let answer = hub.caller(code).ask(&query).await;
        for (section, value) in answer.data("/children/nodes/0").as_object().expect("a child") {
            let tag = value["version"].as_str().expect("a version").to_owned();
            assert!(seen.insert(tag), "{code} shares the tag of {section}");
        }
    }
}

async fn a_home_is_not_named_as_a_writer_to_those_who_may_not_know_it(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("hvb-malmo", "WHEREABOUTS"), ("region-skane", "INVOLVED")];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let see = "query($id: ID!) { child(id: $id) { placement {
        street unitAgency { code } version updatedBy { code } revisions { by { code } changes { field } } } } }";
    let home = hub.caller("hvb-malmo");
    let version = home.ask_with(see, json!({ "id": child.id })).await.data("/child/placement/version").clone();
    hub.wait(crate::harness::HOUR);
    let update = "mutation($id: ID!, $v: String!) { updatePlacement(childId: $id, expectedVersion: $v,
        set: { street: \"Nya gatan 1\" }) { child { id } } }";
    home.ask_with(update, json!({ "id": child.id, "v": version })).await.data("/updatePlacement/child");
    for (code, named) in [("malmo-soc", true), ("hvb-malmo", true), ("region-skane", false)] {
        let answer = hub.caller(code).ask_with(see, json!({ "id": child.id })).await;
        let placement = answer.data("/child/placement");
        assert_eq!(placement["street"], "Nya gatan 1", "{code} reads the address");
        let writer = if named { json!({ "code": "hvb-malmo" }) } else { Value::Null };
        assert_eq!((&placement["updatedBy"], &placement["revisions"][0]["by"]), (&writer, &writer), "{code}");
        assert_eq!(placement["unitAgency"], writer, "{code}");
    }
}
