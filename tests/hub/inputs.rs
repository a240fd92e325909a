//! What values a field takes, and how the others are refused: with a code, the place, and the form that is asked for.

use crate::both;
use crate::harness::{Hub, Scene, everything, field};
use samverka_domain::catalogue::Section;
use serde_json::{Value, json};

both! {
    what_cannot_be_kept_is_refused_with_its_place_and_the_form_asked_for
    an_entry_of_a_list_is_refused_at_its_place
    what_the_schema_does_not_have_is_refused
    all_that_is_wrong_is_told_at_once_and_nothing_is_half_written
}

/// Texts at and over a limit, counted in characters.
fn long(length: usize) -> String {
    "å".repeat(length)
}

async fn what_cannot_be_kept_is_refused_with_its_place_and_the_form_asked_for(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let form = |expected: &str| ("expected", json!(expected));
    let limit = |limit: usize| ("limit", json!(limit));
    let none = ("expected", Value::Null);
    let list = |length: usize| Value::from(vec!["Ord"; length]);
    let not_days = [
        "2026-02-30",
        "1899-12-31",
        "2200-01-01",
        "2026-2-3",
        "20260203",
        "03/02/2026",
        "2026-13-01",
        "2026-02-03T00:00:00Z",
        "+2026-2-03",
        "2026- 2-03",
        "2026-2-\t03",
        " 2026-2-3 ",
        "２０２６-02-03",
        "idag",
        "",
    ];
    let not_phones =
        ["12", "+46", "nummer", "+999123456789", "070174060512345678901234567890", "0701740605 ext. 12", "112", ""];
    let not_mail = [
        "a",
        "a@",
        "@exempel.se",
        "a b@exempel.se",
        "a@exempel.se\nBcc: b@exempel.se",
        "Namn <a@exempel.se>",
        "a@exempel.se, b@exempel.se",
        "a@exempel",
        "a@[127.0.0.1]",
        "",
    ];
    let not_codes = ["1234", "123456", "ABCDE", "01234", "２１１４５", ""];
    let cases = [
        ("migrationsverket", "identity.familyName", vec![json!(long(101))], "TOO_LONG", limit(100)),
        ("malmo-soc", "voice.wishes", vec![json!(long(4001))], "TOO_LONG", limit(4000)),
        ("migrationsverket", "identity.aliases", vec![list(21)], "TOO_LONG", limit(20)),
        ("malmo-soc", "identity.languages", vec![Value::from(vec!["swe"; 11])], "TOO_LONG", limit(10)),
        ("malmo-soc", "network.phones", vec![Value::from(vec!["+46701740605"; 11])], "TOO_LONG", limit(10)),
        (
            "malmo-soc",
            "voice.wishes",
            ["", "   ", "\n", "a\u{0}b", "a\u{1b}[31mb", "a\u{7f}", "a\u{85}b"].map(|t| json!(t)).to_vec(),
            "INVALID_TEXT",
            none.clone(),
        ),
        ("migrationsverket", "identity.birthDate", not_days.map(|t| json!(t)).to_vec(), "INVALID_DATE", none.clone()),
        (
            "migrationsverket",
            "identity.birthDate",
            vec![json!(20260203), json!(["2026-02-03"]), json!({})],
            "INVALID_INPUT",
            none.clone(),
        ),
        (
            "migrationsverket",
            "identity.citizenship",
            ["XX", "se", "SWE", "", "S"].map(|t| json!(t)).to_vec(),
            "UNKNOWN_CODE",
            form("CountryCode"),
        ),
        ("malmo-soc", "guardianship.from", vec![json!("2026-02-30")], "INVALID_DATE", none.clone()),
        (
            "migrationsverket",
            "responsibility.assignedMunicipality",
            ["0000", "128", "Malmö"].map(|t| json!(t)).to_vec(),
            "UNKNOWN_CODE",
            form("MunicipalityCode"),
        ),
        (
            "malmo-soc",
            "responsibility.dutyPhone",
            not_phones.map(|t| json!(t)).to_vec(),
            "INVALID_FORMAT",
            form("telephone number"),
        ),
        (
            "malmo-soc",
            "responsibility.caseWorkerEmail",
            not_mail.map(|t| json!(t)).to_vec(),
            "INVALID_FORMAT",
            form("e-mail address"),
        ),
        (
            "malmo-soc",
            "placement.postalCode",
            not_codes.map(|t| json!(t)).to_vec(),
            "INVALID_FORMAT",
            form("Swedish postal code"),
        ),
        ("malmo-soc", "placement.operatorNumber", vec![json!("212000-1125")], "CHECK_DIGIT", none.clone()),
        (
            "malmo-soc",
            "placement.operatorNumber",
            vec![json!("121000-1124"), json!("2120")],
            "INVALID_IDENTIFIER",
            form("NNNNNN-NNNN"),
        ),
        (
            "malmo-soc",
            "placement.unitAgency",
            vec![json!(child.id), json!("agency_"), json!("")],
            "INVALID_ID",
            form("agency"),
        ),
        (
            "malmo-soc",
            "placement.unitAgency",
            vec![json!(format!("agency_{}", &child.id[6..]))],
            "UNKNOWN_AGENCY",
            none.clone(),
        ),
    ];
    for (code, path, values, expected_code, (key, expected)) in cases {
        let id = field(path);
        let caller = hub.caller(code);
        let version = caller.version(&child.id, id.field().section).await;
        for value in values {
            let set = json!({ id.field().name: value });
            let answer = caller.update_from(&child.id, id.field().section, &version, set, &[]).await;
            let about = format!("{path} = {value:?}");
            answer.assert_refused(&[(expected_code, &format!("set.{}", id.field().name))], &about);
            assert_eq!(answer.error()[key], expected, "{about}");
        }
        assert_eq!(caller.version(&child.id, id.field().section).await, version, "{path}");
    }
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
    // What is just within the limits is taken.
    let set = json!({ "familyName": long(100), "aliases": list(20), "birthDate": "1900-01-01", "birthDateClaimed": "2199-12-31" });
    hub.caller("migrationsverket").update(&child.id, Section::Identity, set, &[]).await.data("");
    let set = json!({ "wishes": format!("{}\n\t{}", long(2000), long(1998)), "recordedOn": "2024-02-29" });
    hub.caller("malmo-soc").update(&child.id, Section::Voice, set, &[]).await.data("");
}

async fn an_entry_of_a_list_is_refused_at_its_place(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let seen = board.sees(&child.id, &everything()).await;
    let indicator = json!({ "indicator": "DEBTS", "observedOn": "2026-01-02", "source": "Skolan" });
    let with = |name: &str, value: Value| {
        let mut entry = indicator.clone();
        entry[name] = value;
        json!([indicator, entry])
    };
    for (section, name, value, code, path, key, expected) in [
        (
            Section::Identity,
            "languages",
            json!(["swe", "sv"]),
            "UNKNOWN_CODE",
            "languages.1",
            "expected",
            json!("LanguageCode"),
        ),
        (
            Section::Network,
            "phones",
            json!(["+46701740605", "+46701740606", "1"]),
            "INVALID_FORMAT",
            "phones.2",
            "expected",
            json!("telephone number"),
        ),
        (Section::Network, "accounts", json!(["ett", long(101)]), "TOO_LONG", "accounts.1", "limit", json!(100)),
        (Section::Network, "accounts", json!([" ", "ett"]), "INVALID_TEXT", "accounts.0", "limit", Value::Null),
        (
            Section::Network,
            "relatives",
            json!(vec![json!({ "name": "A" }); 31]),
            "TOO_LONG",
            "relatives",
            "limit",
            json!(30),
        ),
        (
            Section::Network,
            "relatives",
            json!([{ "name": "A" }, { "name": "B", "phone": "1" }]),
            "INVALID_FORMAT",
            "relatives.1.phone",
            "expected",
            json!("telephone number"),
        ),
        (
            Section::Network,
            "relatives",
            json!([{ "name": "A", "country": "ZZ" }]),
            "UNKNOWN_CODE",
            "relatives.0.country",
            "expected",
            json!("CountryCode"),
        ),
        (
            Section::Network,
            "relatives",
            json!([{ "name": "A", "note": long(1001) }]),
            "TOO_LONG",
            "relatives.0.note",
            "limit",
            json!(1000),
        ),
        (Section::Risk, "indicators", json!(vec![indicator.clone(); 51]), "TOO_LONG", "indicators", "limit", json!(50)),
        (
            Section::Risk,
            "indicators",
            with("observedOn", json!("2026-02-30")),
            "INVALID_DATE",
            "indicators.1.observedOn",
            "limit",
            Value::Null,
        ),
        (
            Section::Risk,
            "indicators",
            with("source", json!("")),
            "INVALID_TEXT",
            "indicators.1.source",
            "limit",
            Value::Null,
        ),
        (
            Section::Risk,
            "indicators",
            with("source", json!(long(201))),
            "TOO_LONG",
            "indicators.1.source",
            "limit",
            json!(200),
        ),
    ] {
        let answer = board.update(&child.id, section, json!({ name: value }), &[]).await;
        answer.assert_refused(&[(code, &format!("set.{path}"))], path);
        assert_eq!(answer.error()[key], expected, "{path}");
    }
    assert_eq!(board.sees(&child.id, &everything()).await, seen);
}

async fn what_the_schema_does_not_have_is_refused(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let seen = board.sees(&child.id, &everything()).await;
    let entry = json!({ "indicator": "DEBTS", "observedOn": "2026-01-02", "source": "Skolan" });
    let with = |name: &str, value: Value| {
        let mut entry = entry.clone();
        entry[name] = value;
        json!({ "indicators": [entry] })
    };
    let mut without = entry.clone();
    without.as_object_mut().expect("an object").remove("source");
    for (section, set, clear) in [
        (Section::Risk, json!({ "nonsense": 1 }), json!([])),
        (Section::Risk, json!({ "exploitationSuspected": true }), json!([])),
        (Section::Risk, json!({ "version": "x" }), json!([])),
        (Section::Risk, json!({ "exploitationKind": "NONSENSE" }), json!([])),
        (Section::Risk, json!({ "exploitation": 5 }), json!([])),
        (Section::Risk, json!({ "indicators": [without] }), json!([])),
        (Section::Risk, with("indicator", json!("NONSENSE")), json!([])),
        (Section::Risk, with("source", Value::Null), json!([])),
        (Section::Risk, with("nonsense", json!("x")), json!([])),
        (Section::Risk, json!({ "indicators": [null] }), json!([])),
        (Section::Risk, Value::Null, json!(["NONSENSE"])),
        (Section::Risk, Value::Null, json!(["exploitation"])),
        (Section::Risk, Value::Null, json!(["EXPLOITATION_SUSPECTED"])),
        (Section::Placement, json!({ "earlier": [] }), json!([])),
        (Section::Placement, json!({ "to": "2026-01-01" }), json!([])),
        (Section::Responsibility, json!({ "leadAgency": hub.agency_id("malmo-soc") }), json!([])),
    ] {
        let name = section.type_name();
        let mutation = format!(
            "mutation($id: ID!, $v: String!, $set: {name}Patch, $clear: [{name}Field!]) {{
                update{name}(childId: $id, expectedVersion: $v, set: $set, clear: $clear) {{ child {{ id }} }} }}"
        );
        let version = board.version(&child.id, section).await;
        let variables = json!({ "id": child.id, "v": version, "set": set, "clear": clear });
        let answer = board.ask_with(&mutation, variables).await;
        let code = answer.codes().first().copied().unwrap_or("none").to_owned();
        assert!(["GRAPHQL_VALIDATION_FAILED", "INVALID_INPUT"].contains(&code.as_str()), "{set}: {}", answer.text);
    }
    // A variable that is left out inside the object keeps the library from looking at the rest of it.
    let version = board.version(&child.id, Section::Risk).await;
    let invalid = "INVALID_INPUT";
    let debts = "indicator: DEBTS, observedOn: \"2026-01-02\", note: $x";
    for (set, code, path) in [
        ("nonsense: 1, exploitation: $x", invalid, "set.nonsense"),
        ("exploitationSuspected: false, exploitation: $x", invalid, "set.exploitationSuspected"),
        (&format!("indicators: [{{ {debts} }}]"), "REQUIRED", "set.indicators.0.source"),
        (&format!("indicators: [{{ {debts}, source: \"A\", b: 1 }}]"), invalid, "set.indicators.0.b"),
        ("exploitation: 5, exploitationKind: $x", invalid, "set.exploitation"),
    ] {
        let kind = if set.contains("exploitationKind") { "ExploitationKind" } else { "String" };
        let mutation = format!(
            "mutation($id: ID!, $v: String!, $x: {kind}) {{
                updateRisk(childId: $id, expectedVersion: $v, set: {{ {set} }}) {{ child {{ id }} }} }}"
        );
        let answer = board.ask_with(&mutation, json!({ "id": child.id, "v": version })).await;
        answer.assert_refused(&[(code, path)], set);
    }
    let mutation = "mutation($id: ID!, $v: String!, $x: String) { updateRisk(childId: $id, expectedVersion: $v,
        set: { exploitationKind: NONSENSE, exploitation: $x }) { child { id } } }";
    let answer = board.ask_with(mutation, json!({ "id": child.id, "v": version })).await;
    answer.assert_refused(&[("UNKNOWN_CODE", "set.exploitationKind")], "a code");
    assert_eq!(answer.error()["expected"], "ExploitationKind");
    assert_eq!(board.sees(&child.id, &everything()).await, seen);
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}

async fn all_that_is_wrong_is_told_at_once_and_nothing_is_half_written(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let seen = board.sees(&child.id, &everything()).await;
    let set = json!({
        "type": "HVB", "from": "2026-02-30", "unitName": long(201), "operatorNumber": "212000-1125", "street": "Storgatan 1",
        "postalCode": "1", "dutyPhone": "1", "unitAgency": "agency_x",
    });
    let answer = board.update(&child.id, Section::Placement, set, &["street", "legalBasis"]).await;
    let expected = [
        ("INVALID_DATE", "set.from"),
        ("TOO_LONG", "set.unitName"),
        ("CHECK_DIGIT", "set.operatorNumber"),
        ("INVALID_FORMAT", "set.postalCode"),
        ("INVALID_FORMAT", "set.dutyPhone"),
        ("INVALID_ID", "set.unitAgency"),
        ("SET_AND_CLEARED", "clear.street"),
    ];
    answer.assert_refused(&expected, "all at once");
    for error in answer.json["errors"].as_array().expect("errors") {
        assert_eq!(error["path"], json!(["updatePlacement"]));
        for part in ["sv", "remedy", "remedySv"] {
            assert!(error["extensions"][part].is_string(), "{error}");
        }
    }
    assert!(!answer.text.contains("Storgatan"), "the answer repeats no value");
    assert_eq!(board.sees(&child.id, &everything()).await, seen);
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}
