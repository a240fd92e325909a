//! The numbers of a child, and registering one: what is checked, what is kept, and that half a child is never there.

use crate::both;
use crate::harness::{Answer, HOUR, Hub, Scene};
use samverka_domain::catalogue::Section;
use serde_json::{Value, json};

both! {
    a_number_is_kept_in_its_normal_form_and_finds_the_child
    a_child_has_several_numbers_of_a_kind_over_time
    a_number_that_is_there_is_not_added_twice
    numbers_that_cannot_be_are_refused_with_their_form
    a_number_is_written_by_its_owner_only
    an_identity_level_belongs_to_coordination_numbers
    validity_does_not_end_before_it_begins
    only_a_number_that_is_seen_can_be_ended
    a_child_is_registered_with_a_lead_and_its_first_values
    only_migrationsverket_registers_and_not_for_a_return
    agencies_are_named_by_their_ids_and_are_of_a_kind_that_may
    whatever_is_wrong_no_half_child_is_registered
    a_registered_child_is_known_to_its_agencies_and_to_nobody_else
    the_database_keeps_one_lead_and_one_responsible_agency
}

const ADD: &str = "mutation($id: ID!, $number: IdentifierInput!) {
    addIdentifier(childId: $id, identifier: $number) { child { id identifiers { version } } } }";

async fn add(hub: &Hub, code: &str, child: &str, number: Value) -> Answer {
    hub.caller(code).ask_with(ADD, json!({ "id": child, "number": number })).await
}

async fn end(hub: &Hub, code: &str, child: &str, number: &str, to: Value) -> Answer {
    let mutation = "mutation($id: ID!, $number: ID!, $to: Date!) {
        endIdentifier(childId: $id, identifierId: $number, to: $to) { child { id } } }";
    hub.caller(code).ask_with(mutation, json!({ "id": child, "number": number, "to": to })).await
}

const NUMBERS: &str = "personalNumbers { id value validFrom validTo } coordinationNumbers { id value identityLevel }
    dossierNumbers { id value identityLevel validFrom validTo } dossierNumberKnown lmaCards { id value validFrom validTo }";

async fn numbers(hub: &Hub, code: &str, child: &str) -> Value {
    let seen = hub.caller(code).sees(child, &format!("identifiers {{ {NUMBERS} version updatedAt }}")).await;
    seen["identifiers"].clone()
}

const REGISTER: &str = "mutation($input: RegisterChildInput!) { registerChild(input: $input) { child { id
    identity { givenNames familyName aliases birthDate languages version updatedBy { code } revisions { by { code } changes { field value } } }
    responsibility { leadAgency { code } responsibleAgency { code } }
    identifiers { dossierNumbers { value validFrom validTo } lmaCards { value } revisions { changes { field } } } } } }";

async fn register(hub: &Hub, input: Value) -> Answer {
    hub.caller("migrationsverket").ask_with(REGISTER, json!({ "input": input })).await
}

/// A child that Migrationsverket leads for, without any number.
async fn numberless(hub: &Hub) -> String {
    let input = json!({ "responsibleAgencyId": hub.agency_id("malmo-soc"), "identity": { "givenNames": "Amir" } });
    let answer = register(hub, input).await;
    answer.data("/registerChild/child/id").as_str().expect("an id").to_owned()
}

fn values(list: &Value) -> Vec<&str> {
    let entries = list.as_array().expect("a list").iter();
    entries.map(|entry| entry["value"].as_str().expect("a number")).collect()
}

async fn a_number_is_kept_in_its_normal_form_and_finds_the_child(hub: Hub) {
    let child = numberless(&hub).await;
    let before = numbers(&hub, "malmo-soc", &child).await;
    assert_eq!((&before["dossierNumbers"], &before["dossierNumberKnown"]), (&json!([]), &json!(false)));
    hub.wait(HOUR);
    let number = json!({ "kind": "DOSSIER_NUMBER", "value": " 12345678 ", "validFrom": "2026-11-01" });
    add(&hub, "migrationsverket", &child, number).await.data("");
    add(&hub, "migrationsverket", &child, json!({ "kind": "LMA_CARD", "value": "12345678/3" })).await.data("");
    let seen = numbers(&hub, "malmo-soc", &child).await;
    assert_eq!(values(&seen["dossierNumbers"]), ["12-345678"]);
    assert_eq!(seen["dossierNumbers"][0]["validFrom"], "2026-11-01");
    assert_eq!(values(&seen["lmaCards"]), ["12-345678/3"]);
    assert_eq!(seen["dossierNumberKnown"], true);
    assert!(seen["version"] != before["version"] && seen["updatedAt"] == "2026-11-21T13:00:00.000000Z");
    let find = "query($value: String!) { childByIdentifier(kind: DOSSIER_NUMBER, value: $value) { id } }";
    for form in ["12-345678", "12345678"] {
        let answer = hub.caller("malmo-soc").ask_with(find, json!({ "value": form })).await;
        assert_eq!(answer.data("/childByIdentifier/id"), child.as_str());
    }
    let revisions = hub.caller("migrationsverket").revisions(&child, Section::Identifiers).await;
    let told: Vec<(&str, &Value)> =
        revisions.iter().map(|(by, changes)| (by.as_str(), &changes["dossierNumbers"]["value"])).collect();
    assert_eq!(told, [("migrationsverket", &Value::Null), ("migrationsverket", &json!("12-345678"))]);
    // The revisions follow the rules of the numbers: a school reads neither kind.
    let scene = Scene { involved: vec![("migrationsverket", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() };
    let known = hub.child(scene).await;
    let seen = numbers(&hub, "skola", &known.id).await;
    add(&hub, "migrationsverket", &known.id, json!({ "kind": "DOSSIER_NUMBER", "value": "11111111" })).await.data("");
    assert_eq!(hub.caller("skola").revisions(&known.id, Section::Identifiers).await, []);
    assert_eq!(numbers(&hub, "skola", &known.id).await, seen, "nor does its version move");
}

async fn a_child_has_several_numbers_of_a_kind_over_time(hub: Hub) {
    let child = numberless(&hub).await;
    for (value, from) in [("12-345678/2", "2026-05-01"), ("12-345678/1", "2026-03-01"), ("12-345678/3", "2026-08-01")] {
        let number = json!({ "kind": "LMA_CARD", "value": value, "validFrom": from });
        add(&hub, "migrationsverket", &child, number).await.data("");
    }
    let seen = numbers(&hub, "malmo-soc", &child).await;
    assert_eq!(values(&seen["lmaCards"]), ["12-345678/1", "12-345678/2", "12-345678/3"]);
    let id = |index: usize| seen["lmaCards"][index]["id"].as_str().expect("an id").to_owned();
    end(&hub, "migrationsverket", &child, &id(0), json!("2026-04-30")).await.data("");
    end(&hub, "migrationsverket", &child, &id(1), json!("2026-05-01")).await.data("");
    let after = numbers(&hub, "malmo-soc", &child).await;
    let ends: Vec<&Value> = (0..3).map(|index| &after["lmaCards"][index]["validTo"]).collect();
    assert_eq!(ends, [&json!("2026-04-30"), &json!("2026-05-01"), &Value::Null]);
    assert_ne!(after["version"], seen["version"]);
    // An ended one stays, and still finds the child.
    let find = "{ childByIdentifier(kind: LMA_CARD, value: \"12-345678/1\") { id } }";
    assert_eq!(hub.caller("migrationsverket").ask(find).await.data("/childByIdentifier/id"), child.as_str());
    // The same end again moves nothing; another end is a correction.
    hub.wait(HOUR);
    end(&hub, "migrationsverket", &child, &id(0), json!("2026-04-30")).await.data("");
    assert_eq!(numbers(&hub, "malmo-soc", &child).await, after);
    end(&hub, "migrationsverket", &child, &id(0), json!("2026-04-29")).await.data("");
    assert_eq!(numbers(&hub, "malmo-soc", &child).await["lmaCards"][0]["validTo"], "2026-04-29");
    let revisions = hub.caller("malmo-soc").revisions(&child, Section::Identifiers).await;
    assert_eq!(revisions.len(), 6, "{revisions:?}");
    assert_eq!(revisions[0].1["lmaCards"]["validTo"], "2026-04-29");
}

async fn a_number_that_is_there_is_not_added_twice(hub: Hub) {
    let child = numberless(&hub).await;
    for number in [
        json!({ "kind": "DOSSIER_NUMBER", "value": "12-345678" }),
        json!({ "kind": "LMA_CARD", "value": "12-345678/1", "validFrom": "2026-03-01", "validTo": "2027-03-01" }),
        json!({ "kind": "LMA_CARD", "value": "12-345678/2", "validTo": "2025-03-01" }),
    ] {
        let mut seen = Vec::new();
        for _ in 0..3 {
            hub.wait(HOUR);
            add(&hub, "migrationsverket", &child, number.clone()).await.data("");
            seen.push(numbers(&hub, "malmo-soc", &child).await);
        }
        assert!(seen[0] == seen[1] && seen[1] == seen[2], "{number}: sent again, as clients do that got no answer");
    }
    let same = json!({ "kind": "DOSSIER_NUMBER", "value": "12345678" });
    add(&hub, "migrationsverket", &child, same.clone()).await.data("");
    let revisions = async || hub.count("revision", "section = 'identifiers'").await;
    assert_eq!((hub.count("identifier", "1 = 1").await, revisions().await), (3, 3));
    // A number that has ended can come again.
    let id = numbers(&hub, "malmo-soc", &child).await["dossierNumbers"][0]["id"].as_str().expect("an id").to_owned();
    end(&hub, "migrationsverket", &child, &id, json!("2026-11-01")).await.data("");
    add(&hub, "migrationsverket", &child, same).await.data("");
    assert_eq!(hub.count("identifier", "kind = 'DOSSIER_NUMBER'").await, 2);
    // At the same time, too.
    let owner = hub.caller("migrationsverket");
    let number = json!({ "kind": "LMA_CARD", "value": "12-345678/9" });
    let request = || owner.request(json!({ "query": ADD, "variables": { "id": child, "number": number } }));
    for answer in hub.send_together((0..4).map(|_| request()).collect()).await {
        answer.data("");
    }
    assert_eq!(hub.count("identifier", "value = '12-345678/9'").await, 1);
}

async fn numbers_that_cannot_be_are_refused_with_their_form(hub: Hub) {
    let child = numberless(&hub).await;
    for (kind, value, code, expected) in [
        ("PERSONAL_NUMBER", "20100101-9808", "CHECK_DIGIT", Value::Null),
        ("PERSONAL_NUMBER", "100101-9809", "INVALID_IDENTIFIER", json!("YYYYMMDD-NNNN")),
        ("PERSONAL_NUMBER", "20100161-9806", "INVALID_IDENTIFIER", json!("YYYYMMDD-NNNN")),
        ("PERSONAL_NUMBER", "20100230-9809", "INVALID_IDENTIFIER", json!("YYYYMMDD-NNNN")),
        ("COORDINATION_NUMBER", "20100161-9805", "CHECK_DIGIT", Value::Null),
        ("COORDINATION_NUMBER", "20100101-9809", "INVALID_IDENTIFIER", json!("YYYYMMDD-NNNN, day + 60")),
        ("DOSSIER_NUMBER", "1-2345678", "INVALID_IDENTIFIER", json!("NN-NNNNNN")),
        ("DOSSIER_NUMBER", "12-345678/1", "INVALID_IDENTIFIER", json!("NN-NNNNNN")),
        ("DOSSIER_NUMBER", "", "INVALID_IDENTIFIER", json!("NN-NNNNNN")),
        ("DOSSIER_NUMBER", "12-34567\u{0}", "INVALID_IDENTIFIER", json!("NN-NNNNNN")),
        ("LMA_CARD", "12-345678", "INVALID_IDENTIFIER", json!("NN-NNNNNN/n")),
        ("LMA_CARD", "12-345678/0", "INVALID_IDENTIFIER", json!("NN-NNNNNN/n")),
        ("LMA_CARD", "12-345678/+1", "INVALID_IDENTIFIER", json!("NN-NNNNNN/n")),
        ("LMA_CARD", "12-345678/٣", "INVALID_IDENTIFIER", json!("NN-NNNNNN/n")),
        ("LMA_CARD", "12-345678/70000", "INVALID_IDENTIFIER", json!("NN-NNNNNN/n")),
    ] {
        let answer = add(&hub, "migrationsverket", &child, json!({ "kind": kind, "value": value })).await;
        answer.assert_refused(&[(code, "identifier.value")], &format!("{kind} {value}"));
        assert_eq!(answer.error()["expected"], expected, "{kind} {value}");
    }
    for (name, value, code) in [
        ("validFrom", json!("2026-02-30"), "INVALID_DATE"),
        ("validTo", json!("i morgon"), "INVALID_DATE"),
        ("validTo", json!(5), "INVALID_INPUT"),
    ] {
        let number = json!({ "kind": "DOSSIER_NUMBER", "value": "12-345678", name: value });
        let answer = add(&hub, "migrationsverket", &child, number).await;
        answer.assert_refused(&[(code, &format!("identifier.{name}"))], name);
    }
    let nonsense = add(&hub, "migrationsverket", &child, json!({ "kind": "NONSENSE", "value": "1" })).await;
    assert_eq!(nonsense.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    let revisions = hub.count("revision", "section = 'identifiers'").await;
    assert_eq!((hub.count("identifier", "1 = 1").await, revisions), (0, 0));
}

async fn a_number_is_written_by_its_owner_only(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("polisen", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let before = hub.count("identifier", "1 = 1").await;
    for (code, kind, value) in [
        ("malmo-soc", "DOSSIER_NUMBER", "12-345678"),
        ("malmo-soc", "LMA_CARD", "12-345678/1"),
        ("malmo-soc", "PERSONAL_NUMBER", "20100101-9809"),
        ("polisen", "DOSSIER_NUMBER", "12-345678"),
        ("migrationsverket", "PERSONAL_NUMBER", "20100101-9809"),
        ("migrationsverket", "COORDINATION_NUMBER", "20100161-9806"),
    ] {
        let answer = add(&hub, code, &child.id, json!({ "kind": kind, "value": value })).await;
        answer.assert_refused(&[("FORBIDDEN", "identifier.kind")], &format!("{code} {kind}"));
        assert_eq!(answer.error()["rule"], "default-deny");
    }
    let stranger = add(&hub, "skola", &child.id, json!({ "kind": "DOSSIER_NUMBER", "value": "12-345678" })).await;
    stranger.assert_refused(&[("NOT_FOUND", "")], "a stranger");
    assert_eq!(hub.count("identifier", "1 = 1").await, before);
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}

async fn an_identity_level_belongs_to_coordination_numbers(hub: Hub) {
    let child = numberless(&hub).await;
    for (kind, value, level, code, path) in [
        ("DOSSIER_NUMBER", "12-345678", "PROVEN", "INVALID_INPUT", "identifier.identityLevel"),
        ("LMA_CARD", "12-345678/1", "UNCERTAIN", "INVALID_INPUT", "identifier.identityLevel"),
        ("PERSONAL_NUMBER", "20100101-9809", "PROBABLE", "INVALID_INPUT", "identifier.identityLevel"),
        ("COORDINATION_NUMBER", "20100161-9806", "NONSENSE", "GRAPHQL_VALIDATION_FAILED", ""),
        // The number and its level are in order: what remains is that the role may not write it.
        ("COORDINATION_NUMBER", "20100161-9806", "PROBABLE", "FORBIDDEN", "identifier.kind"),
    ] {
        let number = json!({ "kind": kind, "value": value, "identityLevel": level });
        let answer = add(&hub, "migrationsverket", &child, number).await;
        answer.assert_refused(&[(code, path)], &format!("{kind} {level}"));
    }
    let number = json!({ "kind": "DOSSIER_NUMBER", "value": "12-345678", "identityLevel": null });
    add(&hub, "migrationsverket", &child, number).await.data("");
}

async fn validity_does_not_end_before_it_begins(hub: Hub) {
    let child = numberless(&hub).await;
    let number =
        json!({ "kind": "LMA_CARD", "value": "12-345678/1", "validFrom": "2026-03-02", "validTo": "2026-03-01" });
    let answer = add(&hub, "migrationsverket", &child, number).await;
    answer.assert_refused(&[("DATE_ORDER", "identifier.validTo")], "it ends before it begins");
    let number = json!({ "kind": "LMA_CARD", "value": "12-345678/1", "validFrom": "2026-03-02" });
    add(&hub, "migrationsverket", &child, number).await.data("");
    let seen = numbers(&hub, "malmo-soc", &child).await;
    let id = seen["lmaCards"][0]["id"].as_str().expect("an id");
    for (to, code) in [
        ("2026-03-01", "DATE_ORDER"),
        ("2026-02-30", "INVALID_DATE"),
        ("", "INVALID_DATE"),
        ("3000-01-01", "INVALID_DATE"),
    ] {
        end(&hub, "migrationsverket", &child, id, json!(to)).await.assert_refused(&[(code, "to")], to);
    }
    assert_eq!(numbers(&hub, "malmo-soc", &child).await, seen);
    end(&hub, "migrationsverket", &child, id, json!("2026-03-02")).await.data("");
}

async fn only_a_number_that_is_seen_can_be_ended(hub: Hub) {
    let involved = || vec![("migrationsverket", "LEAD"), ("hvb-malmo", "INVOLVED"), ("malmo-soc", "RESPONSIBLE")];
    let child = hub.child(Scene { involved: involved(), ..Scene::default() }).await;
    let other = hub.child(Scene { involved: involved(), ..Scene::default() }).await;
    let seen = numbers(&hub, "migrationsverket", &child.id).await;
    let foreign = numbers(&hub, "migrationsverket", &other.id).await;
    let id = |list: &Value| list[0]["id"].as_str().expect("an id").to_owned();
    let ghost = format!("identifier_{}", &child.id["child_".len()..]);
    let to = || json!("2026-11-20");
    for (code, number, refused) in [
        ("migrationsverket", id(&foreign["dossierNumbers"]), ("NO_SUCH_ENTRY", "")),
        ("migrationsverket", ghost.clone(), ("NO_SUCH_ENTRY", "")),
        ("migrationsverket", child.id.clone(), ("INVALID_ID", "identifierId")),
        ("migrationsverket", "placement_".to_owned() + &ghost["identifier_".len()..], ("INVALID_ID", "identifierId")),
        ("migrationsverket", "12-345678".to_owned(), ("INVALID_ID", "identifierId")),
        ("migrationsverket", String::new(), ("INVALID_ID", "identifierId")),
        // The home sees LMA cards, and does not write them; dossier numbers are as if they were not.
        ("hvb-malmo", id(&seen["lmaCards"]), ("FORBIDDEN", "identifierId")),
        ("hvb-malmo", id(&seen["dossierNumbers"]), ("NO_SUCH_ENTRY", "")),
        ("hvb-malmo", ghost.clone(), ("NO_SUCH_ENTRY", "")),
        ("malmo-soc", id(&seen["dossierNumbers"]), ("FORBIDDEN", "identifierId")),
        ("migrationsverket", id(&seen["coordinationNumbers"]), ("FORBIDDEN", "identifierId")),
        ("skola", id(&seen["dossierNumbers"]), ("NOT_FOUND", "")),
    ] {
        let answer = end(&hub, code, &child.id, &number, to()).await;
        answer.assert_refused(&[refused], &format!("{code} {number}"));
    }
    let hidden = end(&hub, "hvb-malmo", &child.id, &id(&seen["dossierNumbers"]), to()).await;
    let never = end(&hub, "hvb-malmo", &child.id, &ghost, to()).await;
    assert_eq!(hidden.text, never.text);
    assert_eq!(hub.count("identifier", "valid_to IS NOT NULL").await, 0);
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}

async fn a_child_is_registered_with_a_lead_and_its_first_values(hub: Hub) {
    let input = json!({
        "responsibleAgencyId": hub.agency_id("malmo-soc"),
        "identity": { "givenNames": " Amir ", "familyName": "Exempel", "aliases": ["Emir"], "birthDate": "2010-01-01", "sex": null },
        "identifiers": [
            { "kind": "DOSSIER_NUMBER", "value": "12345678", "validFrom": "2026-11-01" },
            { "kind": "LMA_CARD", "value": "12-345678/1" },
            { "kind": "LMA_CARD", "value": "12345678/1" },
        ],
    });
    let answer = register(&hub, input).await;
    let child = answer.data("/registerChild/child");
    let identity = json!({ "givenNames": "Amir", "familyName": "Exempel", "aliases": ["Emir"], "birthDate": "2010-01-01",
        "languages": null, "version": child["identity"]["version"], "updatedBy": { "code": "migrationsverket" },
        "revisions": child["identity"]["revisions"] });
    assert_eq!(child["identity"], identity);
    let mut changes = child["identity"]["revisions"][0]["changes"].as_array().expect("changes").clone();
    changes.sort_by_key(|change| change["field"].as_str().expect("a name").to_owned());
    let expected = json!([
        { "field": "aliases", "value": ["Emir"] },
        { "field": "birthDate", "value": "2010-01-01" },
        { "field": "familyName", "value": "Exempel" },
        { "field": "givenNames", "value": "Amir" },
    ]);
    assert_eq!(Value::from(changes), expected);
    let responsibility =
        json!({ "leadAgency": { "code": "migrationsverket" }, "responsibleAgency": { "code": "malmo-soc" } });
    assert_eq!(child["responsibility"], responsibility);
    let identifiers = json!({
        "dossierNumbers": [{ "value": "12-345678", "validFrom": "2026-11-01", "validTo": null }],
        "lmaCards": [{ "value": "12-345678/1" }],
        "revisions": [{ "changes": [{ "field": "lmaCards" }] }, { "changes": [{ "field": "dossierNumbers" }] }],
    });
    assert_eq!(child["identifiers"], identifiers, "a number that is named twice is one number");
    // The first update goes from the version that the answer carried.
    let (id, version) = (child["id"].as_str().expect("an id"), identity["version"].as_str().expect("a version"));
    let owner = hub.caller("migrationsverket");
    owner.update_from(id, Section::Identity, version, json!({ "sex": "MALE" }), &[]).await.data("");
    // A child has to be known by something.
    for input in [json!({}), json!({ "identity": {}, "identifiers": [] }), json!({ "identity": { "sex": null } })] {
        register(&hub, input.clone()).await.assert_refused(&[("NOTHING_TO_DO", "identity")], &input.to_string());
    }
    assert_eq!(hub.count("child", "1 = 1").await, 1);
    assert_eq!(hub.count("involvement", "kind = 'LEAD' AND closed_at IS NULL").await, 1);
}

async fn only_migrationsverket_registers_and_not_for_a_return(hub: Hub) {
    for code in [
        "polisen",
        "granspolisen",
        "malmo-soc",
        "socialjour",
        "malmo-overformyndare",
        "region-skane",
        "skola",
        "hvb-malmo",
        "radda-barnen",
        "lansstyrelsen-skane",
        "dataskydd",
    ] {
        for input in [json!({}), json!({ "identity": { "birthDate": "nonsense" } })] {
            let answer = hub.caller(code).ask_with(REGISTER, json!({ "input": input })).await;
            answer.assert_refused(&[("OPERATION_FORBIDDEN", "")], code);
        }
    }
    let owner = hub.caller("migrationsverket");
    let answer = owner.clone().purpose("RETURN").ask_with(REGISTER, json!({ "input": {} })).await;
    answer.assert_refused(&[("OPERATION_FORBIDDEN", "")], "for a return");
    let answer = owner.clone().without_purpose().ask_with(REGISTER, json!({ "input": {} })).await;
    answer.assert_refused(&[("PURPOSE_REQUIRED", "")], "without a purpose");
    assert_eq!(hub.count("child", "1 = 1").await, 0);
    for purpose in ["PROTECT", "PLACE", "ASYLUM"] {
        let input = json!({ "identity": { "givenNames": "Amir" } });
        owner.clone().purpose(purpose).ask_with(REGISTER, json!({ "input": input })).await.data("");
    }
    assert_eq!(hub.count("child", "1 = 1").await, 3);
}

async fn agencies_are_named_by_their_ids_and_are_of_a_kind_that_may(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let identity = json!({ "givenNames": "Amir" });
    let unknown = format!("agency_{}", &child.id["child_".len()..]);
    for (id, code) in [
        (unknown.as_str(), "UNKNOWN_AGENCY"),
        (&child.id, "INVALID_ID"),
        ("malmo-soc", "INVALID_ID"),
        ("", "INVALID_ID"),
    ] {
        for argument in ["leadAgencyId", "responsibleAgencyId"] {
            let answer = register(&hub, json!({ argument: id, "identity": identity })).await;
            answer.assert_refused(&[(code, argument)], &format!("{argument}: {id}"));
        }
    }
    for (argument, codes) in [
        ("leadAgencyId", vec!["polisen", "skola", "hvb-malmo", "radda-barnen", "lansstyrelsen-skane", "dataskydd"]),
        ("responsibleAgencyId", vec!["migrationsverket", "socialjour", "skola", "hvb-malmo", "lansstyrelsen-skane"]),
    ] {
        for code in codes {
            let answer = register(&hub, json!({ argument: hub.agency_id(code), "identity": identity })).await;
            answer.assert_refused(&[("AGENCY_KIND", argument)], &format!("{argument}: {code}"));
        }
    }
    assert_eq!(hub.count("child", "1 = 1").await, 1);
    for (lead, responsible) in
        [("landskrona-soc", "malmo-soc"), ("malmo-soc", "malmo-soc"), ("socialjour", "landskrona-soc")]
    {
        let (lead_id, responsible_id) = (hub.agency_id(lead), hub.agency_id(responsible));
        let input = json!({ "leadAgencyId": lead_id, "responsibleAgencyId": responsible_id, "identity": identity });
        let answer = register(&hub, input).await;
        let expected = json!({ "leadAgency": { "code": lead }, "responsibleAgency": { "code": responsible } });
        assert_eq!(answer.data("/registerChild/child/responsibility"), &expected);
    }
}

async fn whatever_is_wrong_no_half_child_is_registered(hub: Hub) {
    let good = json!({
        "responsibleAgencyId": hub.agency_id("malmo-soc"),
        "identity": { "givenNames": "Amir", "birthDate": "2010-01-01" },
        "identifiers": [{ "kind": "DOSSIER_NUMBER", "value": "12-345678" }],
    });
    let dossier = json!({ "kind": "DOSSIER_NUMBER", "value": "12-345678" });
    for (part, value, expected) in [
        ("responsibleAgencyId", json!("nobody"), vec![("INVALID_ID", "responsibleAgencyId")]),
        (
            "identity",
            json!({ "givenNames": "Amir", "birthDate": "2026-02-30" }),
            vec![("INVALID_DATE", "identity.birthDate")],
        ),
        (
            "identity",
            json!({ "givenNames": "Amir", "languages": ["swe"], "interpreterNeeded": true }),
            vec![("FORBIDDEN", "identity.languages"), ("FORBIDDEN", "identity.interpreterNeeded")],
        ),
        (
            "identity",
            json!({ "givenNames": "", "familyName": "å".repeat(101), "citizenship": "XX" }),
            vec![
                ("INVALID_TEXT", "identity.givenNames"),
                ("TOO_LONG", "identity.familyName"),
                ("UNKNOWN_CODE", "identity.citizenship"),
            ],
        ),
        (
            "identifiers",
            json!([dossier, { "kind": "LMA_CARD", "value": "1" }]),
            vec![("INVALID_IDENTIFIER", "identifiers.1.value")],
        ),
        (
            "identifiers",
            json!([{ "kind": "PERSONAL_NUMBER", "value": "20100101-9808" }, dossier, { "kind": "LMA_CARD", "value": "1" }]),
            vec![("CHECK_DIGIT", "identifiers.0.value"), ("INVALID_IDENTIFIER", "identifiers.2.value")],
        ),
        (
            "identifiers",
            json!([dossier, { "kind": "COORDINATION_NUMBER", "value": "20100161-9806", "identityLevel": "PROVEN" }]),
            vec![("FORBIDDEN", "identifiers.1.kind")],
        ),
        (
            "identifiers",
            json!([{ "kind": "DOSSIER_NUMBER", "value": "12-345678", "validFrom": "2026-02-30" }]),
            vec![("INVALID_DATE", "identifiers.0.validFrom")],
        ),
        (
            "identifiers",
            json!([{ "kind": "DOSSIER_NUMBER", "value": "12-345678", "validFrom": "2026-02-02", "validTo": "2026-02-01" }]),
            vec![("DATE_ORDER", "identifiers.0.validTo")],
        ),
        ("identifiers", json!(vec![dossier.clone(); 11]), vec![("TOO_LONG", "identifiers")]),
    ] {
        let mut input = good.clone();
        input[part] = value;
        let answer = register(&hub, input).await;
        answer.assert_refused(&expected, part);
    }
    // All of it at once, from every part.
    let input = json!({
        "leadAgencyId": "nobody", "responsibleAgencyId": hub.agency_id("malmo-soc"), "identity": { "birthDate": "nonsense" },
        "identifiers": [{ "kind": "LMA_CARD", "value": "1" }],
    });
    let expected = [
        ("INVALID_ID", "leadAgencyId"),
        ("INVALID_DATE", "identity.birthDate"),
        ("INVALID_IDENTIFIER", "identifiers.0.value"),
    ];
    register(&hub, input).await.assert_refused(&expected, "every part");
    for input in [
        json!({ "nonsense": 1 }),
        json!({ "identity": { "nonsense": 1 } }),
        json!({ "identifiers": [{ "kind": "LMA_CARD" }] }),
    ] {
        let answer = register(&hub, input.clone()).await;
        assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"], "{input}");
    }
    for table in ["child", "involvement", "identity", "identifier", "revision"] {
        assert_eq!(hub.count(table, "1 = 1").await, 0, "{table}");
    }
    register(&hub, good).await.data("");
}

async fn a_registered_child_is_known_to_its_agencies_and_to_nobody_else(hub: Hub) {
    let input = json!({
        "leadAgencyId": hub.agency_id("landskrona-soc"),
        "responsibleAgencyId": hub.agency_id("malmo-soc"),
        "identity": { "givenNames": "Kanariebarnet" },
        "identifiers": [{ "kind": "DOSSIER_NUMBER", "value": "12-345678" }],
    });
    let answer = register(&hub, input).await;
    let child = answer.data("/registerChild/child/id").as_str().expect("an id").to_owned();
    let knows = ["landskrona-soc", "malmo-soc", "migrationsverket"];
    let all = [
        "polisen",
        "granspolisen",
        "socialjour",
        "malmo-overformyndare",
        "region-skane",
        "skola",
        "hvb-malmo",
        "radda-barnen",
        "lansstyrelsen-skane",
        "dataskydd",
    ];
    let one = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let list = "{ children { nodes { identity { givenNames } } } }";
    let find = "{ childByIdentifier(kind: DOSSIER_NUMBER, value: \"12345678\") { identity { givenNames } } }";
    for code in knows.into_iter().chain(all) {
        let caller = hub.caller(code);
        for answer in
            [caller.ask_with(one, json!({ "id": child })).await, caller.ask(list).await, caller.ask(find).await]
        {
            assert_eq!(answer.text.contains("Kanariebarnet"), knows.contains(&code), "{code}: {}", answer.text);
        }
    }
    // Migrationsverket gave it away in the same breath, and stays involved: it still writes what it owns.
    let owner = hub.caller("migrationsverket");
    owner.update(&child, Section::Identity, json!({ "sex": "MALE" }), &[]).await.data("");
    // Whether the child is known already is for a person to decide.
    register(&hub, json!({ "identifiers": [{ "kind": "DOSSIER_NUMBER", "value": "12-345678" }] })).await.data("");
    assert_eq!(hub.count("child", "1 = 1").await, 2);
}

async fn the_database_keeps_one_lead_and_one_responsible_agency(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    for kind in ["LEAD", "RESPONSIBLE"] {
        for (code, closed_at, fits) in [
            ("landskrona-soc", None, false),
            ("migrationsverket", None, false),
            ("malmo-soc", None, false),
            ("landskrona-soc", Some(1_i64), false),
        ] {
            let columns = vec![
                ("id", hub.uuid().into()),
                ("child_id", child.uuid.into()),
                ("agency_id", hub.agency(code).into()),
                ("kind", kind.into()),
                ("opened_at", hub.now().into()),
                ("closed_at", closed_at.into()),
            ];
            assert_eq!(hub.try_insert("involvement", columns).await.is_ok(), fits, "{kind} {code} {closed_at:?}");
        }
    }
    for lead in [None, Some(hub.uuid())] {
        let columns = vec![
            ("id", hub.uuid().into()),
            ("subject", hub.uuid().into()),
            ("lead_agency_id", lead.into()),
            ("lead_since", hub.now().into()),
            ("state", "ACTIVE".into()),
            ("registered_at", hub.now().into()),
        ];
        assert!(hub.try_insert("child", columns).await.is_err(), "a child without a lead: {lead:?}");
    }
    assert!(hub.outside_fails("UPDATE child SET lead_agency_id = NULL").await);
    assert!(hub.outside_fails("DELETE FROM agency").await, "an agency that leads for a child");
    assert_eq!(hub.count("child", "1 = 1").await, 1);
}
