//! The shape of an answer, as GraphQL has it: each key that was asked for, in the order of the document, once; null and
//! an error with its path where a field failed; and no change made twice.

use crate::both;
use crate::harness::{Hub, Scene};
use serde_json::{Value, json};

both! {
    keys_come_in_the_order_of_the_document
    a_field_that_fails_is_null_beside_the_others
    a_change_that_stands_twice_is_not_made_at_all
    a_key_means_one_thing
}

/// The keys of an answer as they were sent, level by level; of a list those of its first item.
fn keys(text: &str) -> String {
    let value: serde_json::Map<String, Value> = serde_json::from_str(text).expect("an answer");
    let mut keys = Vec::new();
    let mut inside = false;
    let mut key = String::new();
    // serde_json sorts keys, so they are read from the text.
    for (at, character) in text.char_indices() {
        match (character, inside) {
            ('"', false) => (inside, key) = (true, String::new()),
            ('"', true) => {
                inside = false;
                if text[at + 1..].starts_with(':') {
                    keys.push(key.clone());
                }
            }
            (character, true) => key.push(character),
            _ => {}
        }
    }
    assert!(value.contains_key("data"), "{text}");
    keys.join(" ")
}

async fn keys_come_in_the_order_of_the_document(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = &child.id;
    for (query, expected) in [
        ("{ me { role } agencies(municipality: \"0114\") { id } __typename }", "me role agencies __typename"),
        ("{ __typename agencies(municipality: \"0114\") { id } me { role } }", "__typename agencies me role"),
        ("{ me { agency { name id } role purposes } }", "me agency name id role purposes"),
        (
            "{ me { ...r agency { name } ...a } } fragment r on Me { role } fragment a on Me { agency { code name } role }",
            "me role agency name code",
        ),
        (
            &format!(
                "{{ z: me {{ role }} c: child(id: \"{id}\") {{ voice {{ version wishes }} id identity {{ sex }} }} a: me {{ role }} }}"
            ),
            "z role c voice version wishes id identity sex a role",
        ),
        (
            &format!(
                "{{ ...q me {{ role }} }} fragment q on Query {{ child(id: \"{id}\") {{ id ... on Child {{ __typename voice {{ updatedBy {{ name }} wishes }} }} }} }}"
            ),
            "child id __typename voice updatedBy name wishes me role",
        ),
        (
            &format!(
                "{{ child(id: \"{id}\") {{ id voice {{ wishes }} }} me {{ role }} child(id: \"{id}\") {{ voice {{ version }} __typename }} }}"
            ),
            "child id voice wishes version __typename me role",
        ),
        (
            &format!("{{ a: me {{ role }} @skip(if: true) child(id: \"{id}\") {{ id }} }}")
                .replace("{ role } @skip(if: true)", "@skip(if: true) { role }"),
            "child id",
        ),
        (
            "{ children(first: 1) { pageInfo { hasNextPage endCursor } nodes { id } edges { node { id } cursor } } }",
            "children pageInfo hasNextPage endCursor nodes id edges node id cursor",
        ),
    ] {
        let answer = hub.caller("malmo-soc").ask(query).await;
        assert!(answer.json["errors"].is_null(), "{query}: {}", answer.text);
        let found = keys(&answer.text);
        // Agencies and pages name the same keys again and again; only those of this question count.
        assert_eq!(
            found.trim_start_matches("data ").split(" extensions").next(),
            Some(expected),
            "{query}: {}",
            answer.text
        );
    }
}

async fn a_field_that_fails_is_null_beside_the_others(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = &child.id;
    for (query, path, code) in [
        ("c: child(id: \"child_x\") { id }".to_owned(), "c", "INVALID_ID"),
        (
            "childByIdentifier(kind: LMA_CARD, value: \"x\") { id }".to_owned(),
            "childByIdentifier",
            "INVALID_IDENTIFIER",
        ),
        ("children(first: 0) { nodes { id } }".to_owned(), "children", "PAGE_SIZE"),
        ("children(first: 99999999999) { nodes { id } }".to_owned(), "children", "INVALID_INPUT"),
        ("n: children(first: -99999999999) { nodes { id } }".to_owned(), "n", "INVALID_INPUT"),
        (
            format!("accessLog(childId: \"{id}\", first: 99999999999) {{ edges {{ cursor }} }}"),
            "accessLog",
            "INVALID_INPUT",
        ),
        (format!("child(id: \"{id}\") {{ voice {{ revisions(first: 99999999999) {{ at }} }} }}"), "child", "PAGE_SIZE"),
        ("agencies(municipality: \"x\") { id }".to_owned(), "agencies", "UNKNOWN_CODE"),
    ] {
        // Alone, first and last.
        for (before, after) in [("", ""), ("", "me { role }"), ("me { role }", ""), ("a: me { role }", "me { role }")] {
            for accept in ["application/json", "application/graphql-response+json"] {
                let document = json!({ "query": format!("{{ {before} {query} {after} }}") });
                let answer = hub.send(hub.caller("malmo-soc").header("accept", accept).request(document.clone())).await;
                let why = format!("{document}: {}", answer.text);
                assert_eq!((answer.status.as_u16(), answer.codes()), (200, vec![code]), "{why}");
                assert_eq!(answer.json["errors"][0]["path"], json!([path]), "{why}");
                let data = answer.json["data"].as_object().expect(&why);
                assert_eq!(data.get(path), Some(&Value::Null), "{why}");
                assert_eq!(data.len(), 1 + usize::from(!before.is_empty()) + usize::from(!after.is_empty()), "{why}");
                let place = answer.text.find(&format!("\"{path}\":null")).expect(&why);
                let first = answer.text.find("\"role\"").unwrap_or(usize::MAX);
                assert_eq!(first < place, !before.is_empty(), "in the order of the document: {why}");
            }
        }
    }
}

async fn a_change_that_stands_twice_is_not_made_at_all(hub: Hub) {
    let known = "{ children(first: 100) { nodes { id } } }";
    let before = hub.caller("migrationsverket").ask(known).await;
    let register = "registerChild(input: { identity: { givenNames: \"Test\" } })";
    for query in [
        format!("mutation {{ {register} {{ child {{ id }} }} {register} {{ child {{ voice {{ version }} }} }} }}"),
        format!(
            "mutation {{ ...f {register} {{ child {{ id }} }} }} fragment f on Mutation {{ {register} {{ child {{ id }} }} }}"
        ),
        format!("mutation {{ ...f ...f }} fragment f on Mutation {{ {register} {{ child {{ id }} }} }}"),
        format!("mutation {{ ... {{ a: {register} {{ child {{ id }} }} }} a: {register} {{ child {{ id }} }} }}"),
    ] {
        let answer = hub.caller("migrationsverket").ask(&query).await;
        assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{query}: {}", answer.text);
        assert!(
            answer.json.get("data").is_none() && answer.json["errors"][0]["locations"].is_array(),
            "{}",
            answer.text
        );
    }
    assert_eq!(hub.caller("migrationsverket").ask(known).await.text, before.text);
    // Under keys of their own they are two changes.
    let two = format!(
        "mutation {{ a: {register} {{ child {{ id }} }} b: {register} {{ child {{ id }} }} __typename ...t }} fragment t on Mutation {{ __typename }}"
    );
    let answer = hub.caller("migrationsverket").ask(&two).await;
    assert_ne!(answer.data("/a/child/id"), answer.data("/b/child/id"), "{}", answer.text);
    assert!(answer.json["errors"].is_null(), "{}", answer.text);
}

async fn a_key_means_one_thing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = &child.id;
    for query in [
        format!("{{ a: child(id: \"{id}\") {{ id }} a: child(id: \"child_x\") {{ id }} }}"),
        format!("{{ a: child(id: \"{id}\") {{ id }} a: me {{ role }} }}"),
        format!("{{ a: child(id: \"{id}\") {{ id }} ...f }} fragment f on Query {{ a: me {{ role }} }}"),
        format!("{{ a: child(id: \"{id}\") {{ id }} ... on Query {{ a: child(id: \"child_x\") {{ id }} }} }}"),
        "{ ...f ...g } fragment f on Query { a: children { nodes { id } } } fragment g on Query { a: children(first: 2) { nodes { id } } }".to_owned(),
    ] {
        let answer = hub.caller("malmo-soc").ask(&query).await;
        assert!(answer.codes().iter().all(|code| *code == "GRAPHQL_VALIDATION_FAILED"), "{query}: {}", answer.text);
        assert!(answer.json.get("data").is_none(), "{query}: {}", answer.text);
    }
}
