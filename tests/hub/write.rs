//! Changing a section: what is set, what is emptied, what is refused, and that a refusal writes nothing.
//! What values are taken is in `inputs`, versions are in `versions`, placements in `placement`, numbers and registering in `identifiers`.

use crate::both;
use crate::harness::{DAY, HOUR, Hub, Scene, everything, field, persona};
use samverka_domain::catalogue::{Code, FieldId, Kind, Section, Source};
use samverka_domain::policy::{Engine, Relation, Situation};
use serde_json::{Map, Value, json};

both! {
    only_what_is_set_changes_and_only_what_is_named_is_emptied
    a_null_and_a_variable_that_was_left_out_change_nothing
    a_field_is_either_set_or_emptied
    a_mutation_that_asks_for_nothing_is_told_so
    the_same_value_again_moves_nothing
    emptying_what_is_empty_leaves_no_trace
    values_are_kept_in_their_normal_form
    each_role_writes_exactly_what_the_policy_gives_it
    one_forbidden_field_refuses_the_whole_mutation
    mutations_of_one_document_stand_and_fall_by_themselves
    strangers_and_partners_write_nothing_and_learn_nothing
}

/// An input that the field takes.
pub fn sample(hub: &Hub, id: FieldId, n: usize) -> Value {
    match id.field().kind {
        _ if id == field("protection.level") => json!("NONE"),
        // After the earlier placement of the scene.
        _ if id == field("placement.from") => json!(format!("2026-06-{:02}", 1 + n % 28)),
        Kind::Text(_) => json!(format!("Värde {n}")),
        Kind::Texts(..) => json!([format!("Värde {n}"), "Ett till"]),
        Kind::Date => json!(format!("2025-03-{:02}", 1 + n % 28)),
        Kind::Bool => json!(n.is_multiple_of(2)),
        Kind::Code(code) => json!(a_code(code, n)),
        Kind::Codes(_, code) => json!([a_code(code, n)]),
        Kind::Phone => json!(format!("+4670174060{}", n % 10)),
        Kind::Phones(_) => json!([format!("+4670174060{}", n % 10)]),
        Kind::Email => json!(format!("brev{n}@exempel.se")),
        Kind::PostalCode => json!(format!("2114{}", n % 10)),
        Kind::OrganisationNumber => json!("2120001124"),
        Kind::Agency => json!(hub.agency_id("hvb-landskrona")),
        Kind::Photo | Kind::Instant | Kind::Id(_) | Kind::Json => unreachable!("{id} is no input"),
        Kind::Entries(_, entry) => match entry.type_name {
            "Relative" => json!([{ "name": format!("Namn {n}"), "country": "SE" }]),
            _ => json!([{ "indicator": "DEBTS", "observedOn": "2026-01-02", "source": format!("Källa {n}") }]),
        },
    }
}

fn a_code(code: Code, n: usize) -> &'static str {
    match code {
        Code::Country => ["AF", "SE", "SO"][n % 3],
        Code::Language => ["prs", "swe", "som"][n % 3],
        Code::Municipality => ["1280", "1282", "0180"][n % 3],
        closed => {
            let values = closed.values().expect("a closed list");
            values[n % values.len()].code
        }
    }
}

/// The fields of a section that callers write.
pub fn written(section: Section) -> impl Iterator<Item = FieldId> {
    section.fields().filter(|id| id.field().source == Source::Column)
}

/// The sections that have an `update` of their own.
pub fn updated() -> impl Iterator<Item = Section> {
    Section::ALL.into_iter().filter(|section| *section != Section::Identifiers && !section.is_of_protocols())
}

async fn only_what_is_set_changes_and_only_what_is_named_is_emptied(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let owner = hub.caller("migrationsverket");
    let before = owner.sees(&child.id, &everything()).await;
    hub.wait(HOUR);
    let set = json!({ "givenNames": "Nytt Namn", "citizenship": "SO", "stateless": false });
    let clear = ["aliases", "birthDateClaimed", "aliases"];
    owner.update(&child.id, Section::Identity, set, &clear).await.data("/updateIdentity/child/id");
    let after = owner.sees(&child.id, &everything()).await;
    let mut expected = before.clone();
    for (name, value) in [
        ("givenNames", json!("Nytt Namn")),
        ("citizenship", json!("SO")),
        ("stateless", json!(false)),
        ("aliases", Value::Null),
        ("birthDateClaimed", Value::Null),
        ("version", after["identity"]["version"].clone()),
        ("updatedAt", json!("2026-11-21T13:00:00.000000Z")),
    ] {
        expected["identity"][name] = value;
    }
    assert_eq!(after, expected);
    assert_ne!(after["identity"]["version"], before["identity"]["version"]);
    assert_eq!(hub.count("revision", "1 = 1").await, 1);
}

async fn a_null_and_a_variable_that_was_left_out_change_nothing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let owner = hub.caller("migrationsverket");
    let names = "identity { givenNames familyName birthDate sex version }";
    let before = owner.sees(&child.id, names).await;
    let version = before["identity"]["version"].clone();
    let mutation =
        "mutation($id: ID!, $v: String!, $given: String, $family: String, $day: Date, $rest: [IdentityField!]) {
        updateIdentity(childId: $id, expectedVersion: $v, clear: $rest,
            set: { givenNames: $given, familyName: $family, birthDate: $day, sex: null }) { child { id } } }";
    for given in [json!({}), json!({ "given": null, "family": null, "day": null, "rest": null })] {
        let mut variables = given.clone();
        variables["id"] = json!(child.id);
        variables["v"] = version.clone();
        owner.ask_with(mutation, variables.clone()).await.assert_refused(&[("NOTHING_TO_DO", "set")], "nulls");
        assert_eq!(owner.sees(&child.id, names).await, before);
    }
    let variables = json!({ "id": child.id, "v": version, "family": "Nytt" });
    owner.ask_with(mutation, variables).await.data("/updateIdentity");
    let after = owner.sees(&child.id, names).await;
    assert_eq!(after["identity"]["familyName"], "Nytt");
    for name in ["givenNames", "birthDate", "sex"] {
        assert_eq!(after["identity"][name], before["identity"][name], "{name}");
    }
    // The same in one variable, the way most clients send it.
    let set = json!({ "givenNames": null, "familyName": "Nyare", "aliases": null, "stateless": null });
    owner.update(&child.id, Section::Identity, set, &[]).await.data("/updateIdentity");
    assert_eq!(hub.count("revision", "1 = 1").await, 2);
    let revisions = owner.revisions(&child.id, Section::Identity).await;
    assert_eq!(revisions[0].1, json!({ "familyName": "Nyare" }));
}

async fn a_field_is_either_set_or_emptied(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let owner = hub.caller("migrationsverket");
    let set = json!({ "givenNames": "Nytt", "familyName": "Namn", "birthDate": null });
    let answer = owner.update(&child.id, Section::Identity, set, &["familyName", "givenNames", "birthDate"]).await;
    let expected = [("SET_AND_CLEARED", "clear.familyName"), ("SET_AND_CLEARED", "clear.givenNames")];
    answer.assert_refused(&expected, "two of three are set");
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
    // A null sets nothing, so the field can be emptied.
    let set = json!({ "birthDate": null });
    owner.update(&child.id, Section::Identity, set, &["birthDate"]).await.data("/updateIdentity");
    assert_eq!(owner.sees(&child.id, "identity { birthDate }").await["identity"]["birthDate"], Value::Null);
}

async fn a_mutation_that_asks_for_nothing_is_told_so(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let owner = hub.caller("malmo-soc");
    let version = owner.version(&child.id, Section::Voice).await;
    for arguments in ["", ", set: null", ", set: {}", ", clear: []", ", set: { wishes: null }, clear: null"] {
        let mutation = format!(
            "mutation($id: ID!, $v: String!) {{ updateVoice(childId: $id, expectedVersion: $v{arguments}) {{ child {{ id }} }} }}"
        );
        let answer = owner.ask_with(&mutation, json!({ "id": child.id, "v": version })).await;
        answer.assert_refused(&[("NOTHING_TO_DO", "set")], arguments);
    }
    assert_eq!(owner.version(&child.id, Section::Voice).await, version);
}

async fn the_same_value_again_moves_nothing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    for (code, section) in [
        ("migrationsverket", Section::Identity),
        ("migrationsverket", Section::Asylum),
        ("malmo-soc", Section::Network),
        ("malmo-soc", Section::Risk),
        ("malmo-soc", Section::Placement),
    ] {
        let caller = hub.caller(code);
        let decisions = Engine::embedded().decide(situation(code, Relation::Responsible));
        let fields: Vec<FieldId> = written(section).filter(|id| decisions.writable.contains(*id)).collect();
        let set: Map<String, Value> =
            fields.iter().map(|id| (id.field().name.to_owned(), sample(&hub, *id, 1))).collect();
        caller.update(&child.id, section, json!(set), &[]).await.data("");
        let seen = caller.sees(&child.id, &everything()).await;
        hub.wait(HOUR);
        caller.update(&child.id, section, json!(set), &[]).await.data("");
        assert_eq!(caller.sees(&child.id, &everything()).await, seen, "{section:?}: all over again");
        let all: Vec<&str> = fields.iter().map(|id| id.field().name).filter(|name| *name != "from").collect();
        caller.update(&child.id, section, Value::Null, &all).await.data("");
        let seen = caller.sees(&child.id, &everything()).await;
        hub.wait(HOUR);
        caller.update(&child.id, section, Value::Null, &all).await.data("");
        assert_eq!(caller.sees(&child.id, &everything()).await, seen, "{section:?}: emptied again");
        assert_eq!(hub.count("revision", &format!("section = '{}'", section.name())).await, 2, "{section:?}");
    }
}

async fn emptying_what_is_empty_leaves_no_trace(hub: Hub) {
    let owner = hub.caller("migrationsverket");
    let child = hub.register().await;
    let seen = owner.sees(&child, &everything()).await;
    hub.wait(HOUR);
    for section in [Section::Identity, Section::Asylum] {
        let decisions = Engine::embedded().decide(situation("migrationsverket", Relation::Responsible));
        let fields = written(section).filter(|id| decisions.writable.contains(*id)).map(|id| id.field().name);
        owner.update(&child, section, Value::Null, &fields.collect::<Vec<_>>()).await.data("");
    }
    assert_eq!(owner.sees(&child, &everything()).await, seen);
    assert_eq!((hub.count("identity", "1 = 1").await, hub.count("revision", "1 = 1").await), (0, 1));
}

async fn values_are_kept_in_their_normal_form(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let seen = async |path: &str| {
        let (section, name) = path.split_once('.').expect("a path");
        let seen = board.sees(&child.id, &format!("{section} {{ {name} updatedAt }}")).await;
        (seen[section][name].clone(), seen[section]["updatedAt"].clone())
    };
    for (path, forms, normal) in [
        ("voice.wishes", ["  Jag vill gå i skolan.\n", "Jag vill gå i skolan."], "Jag vill gå i skolan."),
        ("responsibility.dutyPhone", ["0701-74 06 05", "+46 70 174 06 05"], "+46701740605"),
        ("responsibility.caseWorkerEmail", [" a@exempel.se ", "a@exempel.se"], "a@exempel.se"),
        ("placement.postalCode", ["211 45", "21145"], "21145"),
        ("placement.operatorNumber", ["2120001124", "212000-1124"], "212000-1124"),
    ] {
        let (section, name) = path.split_once('.').expect("a path");
        let section = Section::by_name(section).expect("a section");
        board.update(&child.id, section, json!({ name: forms[0] }), &[]).await.data("");
        let first = seen(path).await;
        assert_eq!(first.0, normal);
        hub.wait(HOUR);
        board.update(&child.id, section, json!({ name: forms[1] }), &[]).await.data("");
        assert_eq!(seen(path).await, first, "{path}: another way to write the same");
    }
    // GraphQL takes one value where a list is asked for.
    board.update(&child.id, Section::Network, json!({ "phones": "070-1740605" }), &[]).await.data("");
    assert_eq!(seen("network.phones").await.0, json!(["+46701740605"]));
    let answer = board.update(&child.id, Section::Network, json!({ "phones": [] }), &[]).await;
    answer.assert_refused(&[("EMPTY_LIST", "set.phones")], "an empty list is no value");
    board.update(&child.id, Section::Network, json!({}), &["phones"]).await.data("");
    assert_eq!(seen("network.phones").await.0, Value::Null);
}

fn situation(code: &str, relation: Relation) -> Situation {
    Situation { relation, ..Situation::stranger(persona(code).role, persona(code).purpose) }
}

async fn each_role_writes_exactly_what_the_policy_gives_it(hub: Hub) {
    let kinds = [
        ("LEAD", None, Relation::Responsible),
        ("INVOLVED", None, Relation::Involved),
        ("RECEIVING", None, Relation::Receiving),
        ("RESPONSIBLE", Some(DAY), Relation::Former),
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
    let engine = Engine::embedded();
    for (kind, ended, relation) in kinds {
        for (n, code) in personas.into_iter().enumerate() {
            let mut scene = Scene::default();
            match ended {
                Some(ago) => {
                    scene =
                        Scene { involved: vec![("landskrona-soc", "LEAD")], ended: vec![(code, kind, ago)], ..scene }
                }
                None if kind == "LEAD" => scene.involved = vec![(code, "LEAD")],
                None => scene.involved = vec![("landskrona-soc", "LEAD"), (code, kind)],
            }
            let child = hub.child(scene).await;
            let decisions = engine.decide(situation(code, relation));
            let caller = hub.caller(code);
            for section in updated() {
                let about = format!("{code} {relation} {section:?}");
                let (may, may_not): (Vec<FieldId>, Vec<FieldId>) =
                    written(section).partition(|id| decisions.writable.contains(*id));
                let set = |ids: &[FieldId]| {
                    let pairs = ids.iter().map(|id| (id.field().name.to_owned(), sample(&hub, *id, n + 1)));
                    Value::Object(pairs.collect())
                };
                let version = caller.version(&child.id, section).await;
                let revisions = async || hub.count("revision", "1 = 1").await;
                let before = revisions().await;
                if !may_not.is_empty() {
                    let all: Vec<FieldId> = written(section).collect();
                    let answer = caller.update_from(&child.id, section, &version, set(&all), &[]).await;
                    let paths: Vec<String> = may_not.iter().map(|id| format!("set.{}", id.field().name)).collect();
                    let expected: Vec<_> = paths.iter().map(|path| ("FORBIDDEN", path.as_str())).collect();
                    answer.assert_refused(&expected, &about);
                    for (error, id) in answer.json["errors"].as_array().expect("errors").iter().zip(&may_not) {
                        assert_eq!(
                            error["extensions"]["rule"],
                            engine.rule(decisions.write_rule(*id)).id,
                            "{about} {id}"
                        );
                    }
                    let names: Vec<&str> = all.iter().map(|id| id.field().name).collect();
                    let answer = caller.update_from(&child.id, section, &version, Value::Null, &names).await;
                    let paths: Vec<String> = may_not.iter().map(|id| format!("clear.{}", id.field().name)).collect();
                    let expected: Vec<_> = paths.iter().map(|path| ("FORBIDDEN", path.as_str())).collect();
                    answer.assert_refused(&expected, &about);
                    assert_eq!(revisions().await, before, "{about}");
                }
                if !may.is_empty() {
                    // The version still stands, for nothing was written.
                    caller.update_from(&child.id, section, &version, set(&may), &[]).await.data("");
                    assert_eq!(revisions().await, before + 1, "{about}");
                }
            }
        }
    }
}

async fn one_forbidden_field_refuses_the_whole_mutation(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("region-skane", "INVOLVED"),
        ("skola", "INVOLVED"),
        ("polisen", "INVOLVED"),
    ];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let owners = ["migrationsverket", "malmo-soc", "region-skane", "skola"];
    let all = async || {
        let mut all = Vec::new();
        for owner in owners {
            let selection = everything().replace("withheld {", "revisions { at } withheld {");
            all.push(hub.caller(owner).sees(&child.id, &selection).await);
        }
        all
    };
    let before = all().await;
    hub.wait(HOUR);
    for (code, section, set, clear, forbidden) in [
        (
            "migrationsverket",
            Section::Identity,
            json!({ "givenNames": "Nytt", "languages": ["swe"] }),
            vec![],
            "set.languages",
        ),
        ("malmo-soc", Section::Identity, json!({ "languages": ["swe"] }), vec!["givenNames"], "clear.givenNames"),
        (
            "malmo-soc",
            Section::Health,
            json!({ "criticalNeeds": "Nytt", "assessmentDoneOn": "2026-02-03" }),
            vec![],
            "set.assessmentDoneOn",
        ),
        ("hvb-malmo", Section::Placement, json!({ "street": "Nygatan 1", "unitName": "Nytt" }), vec![], "set.unitName"),
        ("polisen", Section::Risk, json!({ "exploitationKind": "LABOUR" }), vec!["indicators"], "clear.indicators"),
        (
            "malmo-soc",
            Section::Responsibility,
            json!({ "unit": "Ny", "assignedMunicipality": "0180" }),
            vec![],
            "set.assignedMunicipality",
        ),
        ("skola", Section::Identity, json!({ "givenNames": "Nytt" }), vec![], "set.givenNames"),
    ] {
        let answer = hub.caller(code).update(&child.id, section, set, &clear).await;
        answer.assert_refused(&[("FORBIDDEN", forbidden)], &format!("{code} {section:?}"));
        assert_eq!(answer.error()["rule"], "default-deny");
        assert_eq!(all().await, before, "{code} {section:?}");
    }
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}

async fn mutations_of_one_document_stand_and_fall_by_themselves(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let voice = board.version(&child.id, Section::Voice).await;
    let plan = board.version(&child.id, Section::SafetyPlan).await;
    let mutation = "mutation($id: ID!, $voice: String!, $plan: String!) {
        first: updateVoice(childId: $id, expectedVersion: $voice, set: { wishes: \"Ett\" }) { child { voice { wishes } } }
        bad: updateVoice(childId: $id, expectedVersion: $voice, set: { wishes: \"\" }) { child { id } }
        stale: updateVoice(childId: $id, expectedVersion: $voice, set: { wishes: \"Två\" }) { child { id } }
        other: updateSafetyPlan(childId: $id, expectedVersion: $plan, set: { plan: \"Tre\" }) {
            child { safetyPlan { plan } voice { wishes } } } }";
    let answer = board.ask_with(mutation, json!({ "id": child.id, "voice": voice, "plan": plan })).await;
    assert_eq!(answer.codes(), ["INVALID_TEXT", "CONFLICT"], "{}", answer.text);
    let expected = json!({
        "first": { "child": { "voice": { "wishes": "Ett" } } },
        "bad": null,
        "stale": null,
        "other": { "child": { "safetyPlan": { "plan": "Tre" }, "voice": { "wishes": "Ett" } } },
    });
    assert_eq!(answer.json["data"], expected);
    let paths: Vec<&Value> = answer.json["errors"].as_array().expect("errors").iter().map(|e| &e["path"]).collect();
    assert_eq!(paths, [&json!(["bad"]), &json!(["stale"])]);
}

async fn strangers_and_partners_write_nothing_and_learn_nothing(hub: Hub) {
    let consents = vec![("radda-barnen", vec!["identity", "voice"])];
    let child = hub.child(Scene { consents, ..Scene::default() }).await;
    let unknown = crate::harness::child_id(uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0002));
    for code in ["skola", "landskrona-soc", "hvb-malmo", "stadsmissionen", "lansstyrelsen-skane", "dataskydd"] {
        for section in updated() {
            let name = written(section).next().expect("a field").field().name;
            let mut answers = Vec::new();
            for id in [&child.id, &unknown] {
                let set = json!({ name: sample(&hub, section.field(name).expect("a field"), 1) });
                answers.push(hub.caller(code).update_from(id, section, "x", set, &[]).await.text);
            }
            assert_eq!(answers[0], answers[1], "{code} {section:?}");
            assert!(answers[0].contains("NOT_FOUND"), "{}", answers[0]);
        }
    }
    let partner = hub.caller("radda-barnen");
    let list = partner.ask("{ children { nodes { id voice { wishes version } } } }").await;
    let own = list.data("/children/nodes/0").clone();
    assert!(own["voice"]["wishes"].is_string());
    let id = own["id"].as_str().expect("an id");
    let version = own["voice"]["version"].as_str().expect("a version");
    let answer = partner.update_from(id, Section::Voice, version, json!({ "wishes": "Nytt" }), &[]).await;
    answer.assert_refused(&[("FORBIDDEN", "set.wishes")], "a partner");
    assert_eq!(answer.error()["rule"], "write-needs-a-task");
    assert_eq!(hub.count("revision", "1 = 1").await, 0);
}
