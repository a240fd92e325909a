//! Lists: filters, orders, pages. What is withheld matches nothing and comes last, and the list table is what the record says.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild};
use serde_json::{Value, json};

both! {
    names_are_found_as_swedes_look_them_up
    days_and_numbers_are_compared
    what_is_withheld_matches_nothing_and_comes_last
    a_former_child_is_listed_for_ninety_days_and_found_by_what_its_board_may_still_see
    an_order_holds_through_the_pages_in_both_directions
    absent_values_are_neither_equal_nor_different
    what_may_not_be_searched_is_refused_whatever_children_there_are
    bad_filters_are_refused_whole
    a_cursor_belongs_to_its_caller_filter_and_order
    the_log_tells_of_what_a_filter_confirmed
    a_filter_leaves_a_trace_of_what_it_leaves_out
    the_list_table_follows_every_write
    damage_to_the_list_table_shows_nothing_and_is_mended
    partners_list_by_consent_alone
}

const LIST: &str = "query($filter: ChildFilter, $orderBy: ChildOrder, $first: Int, $after: String) {
  children(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}";

async fn list(caller: &Caller<'_>, variables: Value) -> Answer {
    caller.ask_with(LIST, variables).await
}

/// The ids of a list, all pages of it.
async fn ids(caller: &Caller<'_>, filter: Value, order: Value, first: u32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = Value::Null;
    loop {
        let variables = json!({ "filter": filter, "orderBy": order, "first": first, "after": after });
        let answer = list(caller, variables).await;
        let page = answer.data("/children/nodes").as_array().expect("nodes").clone();
        assert!(page.len() <= first as usize);
        ids.extend(page.iter().map(|node| node["id"].as_str().expect("an id").to_owned()));
        after = answer.data("/children/pageInfo/endCursor").clone();
        if answer.data("/children/pageInfo/hasNextPage") == false {
            return ids;
        }
        assert_eq!(page.len(), first as usize, "a page before the last is full");
    }
}

async fn found(caller: &Caller<'_>, filter: Value) -> Vec<String> {
    let mut found = ids(caller, filter, Value::Null, 100).await;
    found.sort();
    found
}

/// Puts a child there and gives it names and a birth date, through Migrationsverket; null empties.
async fn named(hub: &Hub, scene: Scene, given: &str, family: Option<&str>, born: &str) -> TestChild {
    let child = hub.child(scene).await;
    let agency = hub.caller("migrationsverket");
    let read =
        agency.ask_with("query($id: ID!) { child(id: $id) { identity { version } } }", json!({ "id": child.id }));
    let version = read.await.data("/child/identity/version").clone();
    let clear = if family.is_none() { json!(["FAMILY_NAME"]) } else { json!([]) };
    let set = json!({ "givenNames": given, "familyName": family, "birthDate": born });
    let update = "mutation($id: ID!, $v: String!, $set: IdentityPatch, $clear: [IdentityField!]) {
      updateIdentity(childId: $id, expectedVersion: $v, set: $set, clear: $clear) { child { id } } }";
    let variables = json!({ "id": child.id, "v": version, "set": set, "clear": clear });
    agency.ask_with(update, variables).await.data("/updateIdentity/child/id");
    child
}

fn sorted(children: &[&TestChild]) -> Vec<String> {
    let mut ids: Vec<String> = children.iter().map(|child| child.id.clone()).collect();
    ids.sort();
    ids
}

fn family(operator: &str, name: &str) -> Value {
    json!({ "familyName": { operator: name } })
}

async fn names_are_found_as_swedes_look_them_up(hub: Hub) {
    let ake = named(&hub, Scene::default(), "Åke", Some("Al-Hassan"), "2010-01-01").await;
    let ali = named(&hub, Scene::default(), "Ali Reza", Some("Ålund"), "2010-01-02").await;
    let malmo = hub.caller("malmo-soc");
    for (operator, name, expected) in [
        ("equals", "al hassan", vec![&ake]),
        ("equals", "ALHASSAN", vec![&ake]),
        ("startsWith", "al", vec![&ake]),
        ("startsWith", "ål", vec![&ali]),
        ("equals", "al", vec![]),
        ("equals", "Alund", vec![]),
        ("startsWith", "a%", vec![&ake]),
        ("startsWith", "xl", vec![]),
    ] {
        assert_eq!(found(&malmo, family(operator, name)).await, sorted(&expected), "{operator} {name}");
    }
    let given = json!({ "givenNames": { "startsWith": "ali" } });
    assert_eq!(found(&malmo, given.clone()).await, sorted(&[&ali]));
    assert_eq!(found(&malmo, json!({ "and": [given, family("startsWith", "al")] })).await, [""; 0]);
}

async fn days_and_numbers_are_compared(hub: Hub) {
    let old = named(&hub, Scene::default(), "A", Some("A"), "2009-05-05").await;
    let young = named(&hub, Scene::default(), "B", Some("B"), "2012-07-07").await;
    let agency = hub.caller("migrationsverket");
    let born = |test: Value| json!({ "birthDate": test });
    assert_eq!(found(&agency, born(json!({ "equals": "2009-05-05" }))).await, sorted(&[&old]));
    assert_eq!(found(&agency, born(json!({ "from": "2009-05-06" }))).await, sorted(&[&young]));
    assert_eq!(found(&agency, born(json!({ "to": "2009-05-05" }))).await, sorted(&[&old]));
    assert_eq!(
        found(&agency, born(json!({ "from": "2009-05-05", "to": "2012-07-07" }))).await,
        sorted(&[&old, &young])
    );
    let dossier = |child: &TestChild| {
        let number = child.canaries.iter().find(|(id, _)| id.to_string() == "identifiers.dossierNumbers");
        json!({ "dossierNumber": { "equals": number.expect("a number").1 } })
    };
    assert_eq!(found(&agency, dossier(&old)).await, sorted(&[&old]));
    assert_eq!(found(&agency, json!({ "not": dossier(&old) })).await, sorted(&[&young]));
    assert_eq!(found(&agency, json!({ "or": [dossier(&old), dossier(&young)] })).await, sorted(&[&old, &young]));
    assert_eq!(found(&agency, json!({ "or": [] })).await, [""; 0]);
    assert_eq!(found(&agency, json!({ "and": [] })).await, sorted(&[&old, &young]));
}

/// Malmö leads one child and is merely involved with another, whose names it does not see.
async fn seen_and_unseen(hub: &Hub) -> (TestChild, TestChild) {
    let seen = named(hub, Scene::default(), "Zara", Some("Zackari"), "2010-01-01").await;
    let involved = vec![("migrationsverket", "LEAD"), ("landskrona-soc", "RESPONSIBLE"), ("malmo-soc", "INVOLVED")];
    let unseen = named(hub, Scene { involved, ..Scene::default() }, "Aada", Some("Aabel"), "2009-01-01").await;
    (seen, unseen)
}

async fn what_is_withheld_matches_nothing_and_comes_last(hub: Hub) {
    let (seen, unseen) = seen_and_unseen(&hub).await;
    let malmo = hub.caller("malmo-soc");
    assert_eq!(found(&malmo, Value::Null).await, sorted(&[&seen, &unseen]));
    for filter in [
        family("equals", "Aabel"),
        family("startsWith", "A"),
        json!({ "not": family("equals", "Zackari") }),
        json!({ "not": { "not": family("startsWith", "Aab") } }),
        json!({ "and": [{ "not": family("equals", "nobody") }, { "not": family("equals", "Zackari") }] }),
    ] {
        assert_eq!(found(&malmo, filter.clone()).await, [""; 0], "{filter}");
    }
    assert_eq!(found(&malmo, json!({ "not": family("equals", "nobody") })).await, sorted(&[&seen]));
    // To those who see it, it is there.
    let agency = hub.caller("migrationsverket");
    assert_eq!(found(&agency, family("startsWith", "Aab")).await, sorted(&[&unseen]));
    let numbers = json!({ "not": { "dossierNumber": { "equals": "11-111111" } } });
    assert_eq!(found(&malmo, numbers.clone()).await, sorted(&[&seen]), "not even that it has no such number");
    assert_eq!(found(&agency, numbers).await, sorted(&[&seen, &unseen]));
    for direction in ["ASC", "DESC"] {
        for field in ["GIVEN_NAMES", "FAMILY_NAME", "RISK_DATE", "PLAN_REVIEW_ON"] {
            let order = json!({ "field": field, "direction": direction });
            let listed = ids(&malmo, Value::Null, order, 1).await;
            assert_eq!(listed, [seen.id.clone(), unseen.id.clone()], "{field} {direction}");
        }
    }
}

async fn a_former_child_is_listed_for_ninety_days_and_found_by_what_its_board_may_still_see(hub: Hub) {
    let ended = vec![("malmo-soc", "RESPONSIBLE", DAY), ("landskrona-soc", "INVOLVED", DAY)];
    let involved = vec![("migrationsverket", "LEAD")];
    let child = named(&hub, Scene { involved, ended, ..Scene::default() }, "Noor", Some("Nazari"), "2010-01-01").await;
    let by_name = family("equals", "Nazari");
    assert_eq!(found(&hub.caller("malmo-soc"), by_name.clone()).await, sorted(&[&child]));
    assert_eq!(found(&hub.caller("landskrona-soc"), by_name.clone()).await, [""; 0], "it may not see the name");
    assert_eq!(found(&hub.caller("landskrona-soc"), Value::Null).await, sorted(&[&child]));
    hub.wait(89 * DAY - HOUR);
    assert_eq!(found(&hub.caller("malmo-soc"), by_name.clone()).await, sorted(&[&child]));
    hub.wait(2 * HOUR);
    for persona in ["malmo-soc", "landskrona-soc"] {
        assert_eq!(found(&hub.caller(persona), Value::Null).await, [""; 0]);
    }
}

async fn an_order_holds_through_the_pages_in_both_directions(hub: Hub) {
    let names = ["Östen", "Zahra", "Ärla", "Asa", "Åsa", "al-Hassan", "Bo", "Bo", "Ali"];
    let mut children = Vec::new();
    for (day, name) in names.iter().enumerate() {
        children.push(named(&hub, Scene::default(), "X", Some(name), &format!("2010-01-{:02}", day + 1)).await);
    }
    let absent = named(&hub, Scene::default(), "X", None, "2010-02-01").await;
    let agency = hub.caller("migrationsverket");
    let name_of = |id: &String| {
        let position = children.iter().position(|child| child.id == *id);
        position.map_or("-", |position| names[position])
    };
    for first in [1, 2, 3, 100] {
        let listed = ids(&agency, Value::Null, json!({ "field": "FAMILY_NAME" }), first).await;
        let order: Vec<&str> = listed.iter().map(name_of).collect();
        assert_eq!(order, ["al-Hassan", "Ali", "Asa", "Bo", "Bo", "Zahra", "Åsa", "Ärla", "Östen", "-"], "{first}");
        let back = ids(&agency, Value::Null, json!({ "field": "FAMILY_NAME", "direction": "DESC" }), first).await;
        let mut expected: Vec<String> = listed[..9].iter().rev().cloned().collect();
        expected.push(absent.id.clone());
        assert_eq!(back, expected, "{first}");
    }
    let born = ids(&agency, Value::Null, json!({ "field": "BIRTH_DATE" }), 4).await;
    assert_eq!(born[..9], children.iter().map(|child| child.id.clone()).collect::<Vec<_>>());
    let filtered =
        ids(&agency, family("startsWith", "a"), json!({ "field": "BIRTH_DATE", "direction": "DESC" }), 1).await;
    assert_eq!(filtered.iter().map(name_of).collect::<Vec<_>>(), ["Ali", "al-Hassan", "Asa"]);
}

async fn absent_values_are_neither_equal_nor_different(hub: Hub) {
    let named_child = named(&hub, Scene::default(), "X", Some("Karimi"), "2010-01-01").await;
    let absent = named(&hub, Scene::default(), "X", None, "2010-01-02").await;
    let agency = hub.caller("migrationsverket");
    assert_eq!(found(&agency, json!({ "not": family("equals", "nobody") })).await, sorted(&[&named_child]));
    assert_eq!(found(&agency, Value::Null).await, sorted(&[&named_child, &absent]));
    let either = json!({ "or": [{ "not": family("equals", "x") }, { "birthDate": { "equals": "2010-01-02" } }] });
    assert_eq!(found(&agency, either).await, sorted(&[&named_child, &absent]));
    // An operator that is left out, or null, asks for nothing.
    assert_eq!(found(&agency, json!({ "familyName": { "equals": null } })).await.len(), 2);
}

async fn what_may_not_be_searched_is_refused_whatever_children_there_are(hub: Hub) {
    let cases = [
        ("malmo-soc", json!({ "filter": { "birthDate": { "equals": "2010-01-01" } } }), "filter.birthDate.equals"),
        (
            "malmo-soc",
            json!({ "filter": { "not": { "lmaCard": { "equals": "98-000001/1" } } } }),
            "filter.not.lmaCard.equals",
        ),
        (
            "malmo-soc",
            json!({ "filter": { "or": [family("equals", "x"), { "birthDate": { "from": "2010-01-01" } }] } }),
            "filter.or.1.birthDate.from",
        ),
        ("migrationsverket", json!({ "orderBy": { "field": "RISK_DATE" } }), "orderBy.field"),
        ("malmo-soc", json!({ "orderBy": { "field": "BIRTH_DATE" } }), "orderBy.field"),
        ("skola", json!({ "filter": { "birthDate": { "equals": "2010-01-01" } } }), "filter.birthDate.equals"),
        ("radda-barnen", json!({ "filter": family("equals", "x") }), "filter.familyName.equals"),
    ];
    let mut before = Vec::new();
    for (persona, variables, path) in &cases {
        let answer = list(&hub.caller(persona), variables.clone()).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{persona} {variables}");
        let input = answer.error()["input"].as_array().expect("a path").iter();
        assert_eq!(input.map(|part| part.as_str().expect("a part")).collect::<Vec<_>>().join("."), *path);
        assert!(answer.json["data"]["children"].is_null());
        before.push(answer.text);
    }
    named(&hub, Scene::default(), "x", Some("x"), "2010-01-01").await;
    for ((persona, variables, _), before) in cases.iter().zip(before) {
        assert_eq!(list(&hub.caller(persona), variables.clone()).await.text, before);
    }
}

async fn bad_filters_are_refused_whole(hub: Hub) {
    let agency = hub.caller("migrationsverket");
    let nested = (0..12).fold(family("equals", "x"), |filter, _| json!({ "not": filter }));
    let wide: Vec<Value> = (0..60).map(|_| family("equals", "x")).collect();
    for (filter, code) in [
        (family("equals", ""), "INVALID_TEXT"),
        (family("startsWith", "-"), "INVALID_TEXT"),
        (family("equals", &"x".repeat(200)), "TOO_LONG"),
        (json!({ "birthDate": { "equals": "2010-02-30" } }), "INVALID_DATE"),
        (json!({ "birthDate": { "from": 7 } }), "INVALID_INPUT"),
        (json!({ "dossierNumber": { "equals": "nonsense" } }), "INVALID_IDENTIFIER"),
        (json!({ "personalNumber": { "equals": "20100101-2381" } }), "CHECK_DIGIT"),
        (nested, "FILTER_TOO_LARGE"),
        (json!({ "or": wide }), "FILTER_TOO_LARGE"),
        (json!({ "and": vec![json!({}); 9_000] }), "FILTER_TOO_LARGE"),
        (json!({ "or": vec![json!({ "not": { "or": [] } }); 2_000] }), "FILTER_TOO_LARGE"),
    ] {
        let answer = list(&agency, json!({ "filter": filter })).await;
        assert_eq!(answer.codes(), [code], "{filter}");
    }
    let both =
        list(&agency, json!({ "filter": { "and": [family("equals", ""), { "birthDate": { "to": "x" } }] } })).await;
    assert_eq!(both.codes(), ["INVALID_TEXT", "INVALID_DATE"], "all that is wrong is told at once");
    for filter in [json!({ "familyName": { "like": "x" } }), json!({ "street": { "equals": "x" } })] {
        let answer = list(&agency, json!({ "filter": filter })).await;
        assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{filter}");
    }
    let deep = format!("{{ children(filter: {}{}) {{ nodes {{ id }} }} }}", "{not: ".repeat(2000), "}".repeat(2000));
    assert_eq!(agency.ask(&deep).await.codes(), ["QUERY_REFUSED"]);
}

async fn a_cursor_belongs_to_its_caller_filter_and_order(hub: Hub) {
    for name in ["A", "B", "C"] {
        named(&hub, Scene::default(), name, Some(name), "2010-01-01").await;
    }
    let malmo = hub.caller("malmo-soc");
    let order = json!({ "field": "FAMILY_NAME" });
    let first = list(&malmo, json!({ "orderBy": order, "first": 1 })).await;
    let cursor = first.data("/children/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
    assert_eq!(
        list(&malmo, json!({ "orderBy": order, "after": cursor }))
            .await
            .data("/children/nodes")
            .as_array()
            .expect("nodes")
            .len(),
        2
    );
    for (persona, variables) in [
        ("malmo-soc", json!({ "after": cursor })),
        ("malmo-soc", json!({ "orderBy": { "field": "FAMILY_NAME", "direction": "DESC" }, "after": cursor })),
        ("malmo-soc", json!({ "orderBy": { "field": "GIVEN_NAMES" }, "after": cursor })),
        ("malmo-soc", json!({ "orderBy": order, "filter": family("equals", "C"), "after": cursor })),
        ("migrationsverket", json!({ "orderBy": order, "after": cursor })),
        ("malmo-soc", json!({ "orderBy": order, "after": format!("x{cursor}") })),
        ("malmo-soc", json!({ "orderBy": order, "after": "" })),
    ] {
        assert_eq!(list(&hub.caller(persona), variables.clone()).await.codes(), ["INVALID_CURSOR"], "{variables}");
    }
}

async fn the_log_tells_of_what_a_filter_confirmed(hub: Hub) {
    let (seen, unseen) = seen_and_unseen(&hub).await;
    let malmo = hub.caller("malmo-soc");
    list(&malmo, json!({ "orderBy": { "field": "RISK_DATE" } })).await.data("/children/nodes/1");
    found(&malmo, family("startsWith", "Z")).await;
    let log = "query($id: ID!) { accessLog(childId: $id, first: 2) { edges { node { shown } } } }";
    let shown = async |child: &TestChild| {
        let answer = malmo.ask_with(log, json!({ "id": child.id })).await;
        answer.data("/accessLog/edges").clone()
    };
    let of_seen = shown(&seen).await;
    assert_eq!(of_seen[0]["node"]["shown"], json!(["identity.familyName"]));
    assert_eq!(of_seen[1]["node"]["shown"], json!(["risk.indicators"]));
    assert_eq!(shown(&unseen).await[0]["node"]["shown"], json!([]), "nothing of it was confirmed");
}

async fn a_filter_leaves_a_trace_of_what_it_leaves_out(hub: Hub) {
    let decoy = named(&hub, Scene::default(), "A", Some("Decoy"), "2010-01-01").await;
    let target = named(&hub, Scene::default(), "B", Some("Rezai"), "2010-01-02").await;
    let agency = hub.caller("migrationsverket");
    let number = target.canaries.iter().find(|(id, _)| id.to_string() == "identifiers.dossierNumbers").expect("one").1;
    let log = "query($id: ID!) { accessLog(childId: $id, first: 100) { edges { node { operation shown } } } }";
    // How often the log tells that lists confirmed the name of the child.
    let told = async || {
        let officer = hub.caller("dataskydd").ask_with(log, json!({ "id": target.id })).await;
        let rows = officer.data("/accessLog/edges").as_array().expect("rows").clone();
        let of_lists = rows.iter().filter(|row| row["node"]["operation"] == "query children");
        of_lists.filter(|row| row["node"]["shown"].to_string().contains("identity.familyName")).count()
    };
    assert_eq!(told().await, 0);
    // By whether there is a next page.
    let pinned = json!({ "and": [{ "dossierNumber": { "equals": number } }, family("startsWith", "R")] });
    let both = json!({ "or": [family("equals", "Decoy"), pinned] });
    let page = list(&agency, json!({ "filter": both, "orderBy": { "field": "FAMILY_NAME" }, "first": 1 })).await;
    assert_eq!(page.data("/children/nodes/0/id"), decoy.id.as_str());
    assert_eq!(page.data("/children/pageInfo/hasNextPage"), true);
    assert_eq!(told().await, 1);
    // By an empty list.
    let excluded = json!({ "and": [{ "dossierNumber": { "equals": number } }, { "not": family("startsWith", "R") }] });
    assert_eq!(found(&agency, excluded).await, [""; 0]);
    assert_eq!(told().await, 2);
    // What no number points at is kept blinded.
    found(&agency, family("equals", "Rezai")).await;
    let row = hub.rows("SELECT record FROM ledger ORDER BY at DESC, seq DESC LIMIT 1").await;
    let record: String = row[0].try_get_by_index(0).expect("a record");
    let record: Value = serde_json::from_str(&record).expect("JSON");
    let searched = record["searched"][0].as_str().expect("what was compared");
    assert!(searched.starts_with("identity.familyName equals ") && !record.to_string().contains("Rezai"), "{searched}");
}

async fn the_list_table_follows_every_write(hub: Hub) {
    let scene = Scene { home: Some("hvb-malmo"), ..Scene::default() };
    let child = named(&hub, scene, "Sara", Some("Sultani"), "2010-01-01").await;
    let right = async |what: &str| {
        assert_eq!(hub.listed_wrongly().await, 0, "after {what}");
    };
    right("an update of the identity").await;
    let malmo = hub.caller("malmo-soc");
    let version = async |section: &str| {
        let query = format!("query($id: ID!) {{ child(id: $id) {{ {section} {{ version }} }} }}");
        malmo.ask_with(&query, json!({ "id": child.id })).await.data(&format!("/child/{section}/version")).clone()
    };
    let home = malmo.ask("{ agencies(kind: CARE_HOME) { id } }").await.data("/agencies/0/id").clone();
    let steps = [
        (
            "risk",
            "updateRisk",
            "set: { indicators: [{ indicator: EARLIER_DISAPPEARANCE, observedOn: \"2026-11-01\", source: \"x\" }] }",
        ),
        ("risk", "updateRisk", "clear: [INDICATORS]"),
        ("safetyPlan", "updateSafetyPlan", "set: { reviewOn: \"2026-12-24\" }"),
        ("protection", "updateProtection", "set: { level: MARKED }"),
        ("protection", "updateProtection", "clear: [LEVEL]"),
        ("placement", "startPlacement", "set: { type: HVB, from: \"2026-11-20\", unitAgency: HOME }"),
        ("placement", "endPlacement", "to: \"2026-11-21\""),
    ];
    for (section, mutation, input) in steps {
        let input = input.replace("HOME", &home.to_string());
        let document = format!(
            "mutation($id: ID!, $v: String!) {{ {mutation}(childId: $id, expectedVersion: $v, {input}) {{ child {{ id }} }} }}"
        );
        let variables = json!({ "id": child.id, "v": version(section).await });
        malmo.ask_with(&document, variables).await.data(&format!("/{mutation}/child/id"));
        right(input.as_str()).await;
        hub.wait(HOUR);
    }
    let register = "mutation { registerChild(input: { identity: { givenNames: \"Ny\", familyName: \"Nyman\" } }) { child { id } } }";
    let new = hub.caller("migrationsverket").ask(register).await.data("/registerChild/child/id").clone();
    right("a registration").await;
    assert_eq!(found(&hub.caller("migrationsverket"), family("equals", "nyman")).await, [new.as_str().expect("an id")]);
}

async fn damage_to_the_list_table_shows_nothing_and_is_mended(hub: Hub) {
    let child = named(&hub, Scene::default(), "Sara", Some("Sultani"), "2010-01-01").await;
    // A row that says that Stockholm is responsible, and one that is lost.
    hub.sql("UPDATE roster SET agency_id = (SELECT id FROM agency WHERE code = 'landskrona-soc') WHERE agency_id = (SELECT id FROM agency WHERE code = 'malmo-soc')").await;
    assert_eq!(found(&hub.caller("landskrona-soc"), Value::Null).await, [""; 0], "the record decides");
    assert_eq!(hub.listed_wrongly().await, 1);
    hub.relist().await;
    assert_eq!(hub.listed_wrongly().await, 0);
    assert_eq!(found(&hub.caller("malmo-soc"), family("equals", "sultani")).await, sorted(&[&child]));
}

async fn partners_list_by_consent_alone(hub: Hub) {
    let scene = Scene { consents: vec![("radda-barnen", vec!["identity"])], ..Scene::default() };
    let consented = named(&hub, scene, "A", Some("A"), "2010-01-01").await;
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("radda-barnen", "INVOLVED")];
    named(&hub, Scene { involved, ..Scene::default() }, "B", Some("B"), "2010-01-01").await;
    let partner = hub.caller("radda-barnen");
    let listed = found(&partner, Value::Null).await;
    assert_eq!(listed.len(), 1);
    assert_ne!(listed, [consented.id], "a partner has ids of its own");
    for (nothing, some) in [(json!({ "or": [] }), 0), (json!({ "not": {} }), 0), (json!({ "and": [] }), 1)] {
        assert_eq!(found(&partner, nothing.clone()).await.len(), some, "{nothing}");
    }
    // As many parts as are taken, at every level.
    let full = json!({ "and": vec![json!({}); 240] });
    assert_eq!(found(&partner, full.clone()).await.len(), 1);
    assert_eq!(found(&hub.caller("migrationsverket"), json!({ "not": { "not": full } })).await.len(), 2);
}
