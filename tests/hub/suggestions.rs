//! Suggested corrections: who may make them, who decides, and that nobody learns from them what is withheld.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild, persona};
use crate::write::{sample, updated, written};
use samverka_domain::catalogue::{FieldId, Section};
use samverka_domain::policy::{Engine, Relation, Situation};
use serde_json::{Value, json};

both! {
    each_role_suggests_what_it_sees_or_hands_in_and_does_not_write
    a_refusal_is_the_same_whatever_is_on_record
    what_is_accepted_is_written_like_any_update
    each_field_is_decided_by_those_who_write_it
    the_suggester_reads_the_reason_and_others_what_is_theirs
    an_unknown_suggestion_and_a_forbidden_one_answer_alike
    a_hidden_field_of_a_suggestion_leaves_no_trace
    hidden_suggestions_take_no_place_in_the_list
    what_is_given_without_reading_is_added_and_not_shown_back
    protected_registration_takes_addresses_out_of_suggestions
    a_suggestion_does_not_tell_of_the_level
    a_suggestion_on_a_placement_ends_with_it
    a_partner_suggests_and_is_named_to_few
    a_home_that_suggests_is_named_to_those_who_know_it
    a_bad_suggestion_is_refused_whole
    an_agency_suggests_so_much_in_a_day
    the_log_tells_of_suggestions_shown_and_made
    of_two_who_accept_at_once_one_does
}

const SHAPE: &str = "id section state at by { code } comment
    fields { field number change value state decidedAt decidedBy { code } reason }";

impl Caller<'_> {
    async fn suggest(&self, child: &str, correction: Value, comment: Option<&str>) -> Answer {
        let mutation = format!(
            "mutation($id: ID!, $correction: CorrectionInput!, $comment: String) {{
                suggestCorrection(childId: $id, correction: $correction, comment: $comment) {{
                    suggestion {{ {SHAPE} }} child {{ id }} }} }}"
        );
        self.ask_with(&mutation, json!({ "id": child, "correction": correction, "comment": comment })).await
    }

    async fn suggested(&self, child: &str, correction: Value, comment: Option<&str>) -> String {
        let answer = self.suggest(child, correction, comment).await;
        answer.data("/suggestCorrection/suggestion/id").as_str().expect("an id").to_owned()
    }

    async fn accept(&self, suggestion: &str, version: &str, fields: Option<&[&str]>) -> Answer {
        let mutation = format!(
            "mutation($id: ID!, $version: String!, $fields: [String!]) {{
                acceptSuggestion(suggestionId: $id, expectedVersion: $version, fields: $fields) {{
                    suggestion {{ {SHAPE} }} child {{ id }} }} }}"
        );
        self.ask_with(&mutation, json!({ "id": suggestion, "version": version, "fields": fields })).await
    }

    async fn decline(&self, suggestion: &str, reason: &str) -> Answer {
        let mutation = format!(
            "mutation($id: ID!, $reason: String!) {{ declineSuggestion(suggestionId: $id, reason: $reason) {{
                suggestion {{ {SHAPE} }} }} }}"
        );
        self.ask_with(&mutation, json!({ "id": suggestion, "reason": reason })).await
    }

    async fn suggestions(&self, child: &str) -> Vec<Value> {
        self.listed(child, "").await.data("/suggestions/nodes").as_array().expect("a list").clone()
    }

    async fn listed(&self, child: &str, arguments: &str) -> Answer {
        let query = format!(
            "query($id: ID!) {{ suggestions(childId: $id {arguments}) {{
                nodes {{ {SHAPE} }} edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        self.ask_with(&query, json!({ "id": child })).await
    }
}

/// A child of whom the chief guardian, the region, the school and a home know, too.
fn known() -> Scene {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("malmo-overformyndare", "INVOLVED"),
        ("region-skane", "INVOLVED"),
        ("skola", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }
}

fn fields(suggestion: &Value) -> Vec<&str> {
    let fields = suggestion["fields"].as_array().expect("a list").iter();
    fields.map(|field| field["field"].as_str().expect("a name")).collect()
}

fn situation(code: &str, relation: Relation) -> Situation {
    Situation { relation, ..Situation::stranger(persona(code).role, persona(code).purpose) }
}

async fn each_role_suggests_what_it_sees_or_hands_in_and_does_not_write(hub: Hub) {
    let kinds = [
        ("LEAD", None, Relation::Responsible),
        ("INVOLVED", None, Relation::Involved),
        ("RESPONSIBLE", Some(DAY), Relation::Former),
        ("INVOLVED", Some(DAY), Relation::Ended),
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
        for code in personas {
            let mut scene = Scene { involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() };
            match ended {
                Some(ago) => scene.ended.push((code, kind, ago)),
                None if kind == "LEAD" => scene.involved = vec![(code, kind)],
                None => scene.involved.push((code, kind)),
            }
            let child = hub.child(scene).await;
            let decisions = Engine::embedded().decide(situation(code, relation));
            let caller = hub.caller(code);
            for section in updated() {
                let set = |ids: &[FieldId]| {
                    let pairs = ids.iter().map(|id| (id.field().name.to_owned(), sample(&hub, *id, 1)));
                    json!({ section.name(): { "set": Value::Object(pairs.collect()) } })
                };
                let refusal = |id: FieldId| {
                    let may = (decisions.shown.contains(id) || decisions.submittable.contains(id)).then_some(());
                    let code = if decisions.writable.contains(id) { Some("USE_UPDATE") } else { None };
                    code.or(may.map_or(Some("FORBIDDEN"), |()| None))
                };
                let all: Vec<FieldId> = written(section).collect();
                let path = |id: &FieldId| format!("correction.{}.set.{}", section.name(), id.field().name);
                let expected: Vec<(&str, String)> =
                    all.iter().filter_map(|id| Some((refusal(*id)?, path(id)))).collect();
                let expected: Vec<(&str, &str)> = expected.iter().map(|(code, path)| (*code, path.as_str())).collect();
                let about = format!("{code} {relation} {section:?}");
                if !expected.is_empty() {
                    caller.suggest(&child.id, set(&all), None).await.assert_refused(&expected, &about);
                }
                let may: Vec<FieldId> = all.iter().copied().filter(|id| refusal(*id).is_none()).collect();
                if !may.is_empty() {
                    let answer = caller.suggest(&child.id, set(&may), None).await;
                    let made = answer.data("/suggestCorrection/suggestion").clone();
                    assert_eq!(fields(&made).len(), may.len(), "{about}");
                    for (field, id) in made["fields"].as_array().expect("a list").iter().zip(&may) {
                        let shown = decisions.shown.contains(*id);
                        assert_eq!(field["value"].is_null(), !shown, "{about}: {id} is shown to its giver");
                    }
                }
            }
            assert_eq!(hub.count("revision", "1 = 1").await, 0, "a suggestion writes nothing");
        }
    }
}

async fn a_refusal_is_the_same_whatever_is_on_record(hub: Hub) {
    let full = hub.child(known()).await.id;
    let empty = hub.register().await;
    let rows = hub.rows("SELECT id FROM child ORDER BY registered_at, id").await;
    for row in rows {
        let child: uuid::Uuid = row.try_get_by_index(0).expect("an id");
        if crate::harness::child_id(child) == empty {
            for code in ["region-skane", "skola", "hvb-malmo"] {
                hub.involve(child, code, "INVOLVED", None).await;
            }
        }
    }
    for (code, correction) in [
        ("skola", json!({ "protection": { "set": { "level": "MARKED" } } })),
        ("skola", json!({ "health": { "clear": ["CRITICAL_NEEDS"] } })),
        ("skola", json!({ "risk": { "clear": ["EXPLOITATION"] } })),
        ("region-skane", json!({ "safetyPlan": { "set": { "plan": "Ny" } } })),
        ("hvb-malmo", json!({ "asylum": { "set": { "outcome": "PERMIT" } } })),
        ("region-skane", json!({ "placement": { "set": { "unitName": "Nytt" } } })),
    ] {
        let caller = hub.caller(code);
        let answers =
            [caller.suggest(&full, correction.clone(), None).await, caller.suggest(&empty, correction, None).await];
        assert_eq!(answers[0].codes(), ["FORBIDDEN"], "{}", answers[0].text);
        assert_eq!(answers[0].text, answers[1].text);
    }
    assert_eq!(hub.count("suggestion", "1 = 1").await, 0);
}

async fn what_is_accepted_is_written_like_any_update(hub: Hub) {
    let child = hub.child(known()).await;
    let (region, owner) = (hub.caller("region-skane"), hub.caller("migrationsverket"));
    let stale = owner.version(&child.id, Section::Identity).await;
    let correction =
        json!({ "identity": { "set": { "givenNames": " Nytt  Namn ", "birthDate": "2011-02-03" }, "clear": ["SEX"] } });
    let made = region.suggest(&child.id, correction, Some("Enligt passet.")).await;
    let made = made.data("/suggestCorrection/suggestion").clone();
    assert_eq!(
        (&made["state"], &made["by"]["code"], &made["section"]),
        (&json!("OPEN"), &json!("region-skane"), &json!("identity"))
    );
    assert_eq!(made["comment"], "Enligt passet.");
    assert_eq!(owner.version(&child.id, Section::Identity).await, stale, "nothing has changed");
    let id = made["id"].as_str().expect("an id");
    let told = owner.suggestions(&child.id).await;
    assert_eq!(told[0]["id"], made["id"]);
    assert_eq!(fields(&told[0]), ["givenNames", "birthDate", "sex"]);
    assert_eq!(told[0]["fields"][0]["value"], "Nytt  Namn");
    assert_eq!(told[0]["fields"][2]["change"], "CLEAR");
    // Others write meanwhile: who decides must have seen it.
    owner.update(&child.id, Section::Identity, json!({ "familyName": "Annat" }), &[]).await.data("");
    owner.accept(id, &stale, None).await.assert_refused(&[("CONFLICT", "expectedVersion")], "a stale version");
    assert_eq!(owner.suggestions(&child.id).await[0]["state"], "OPEN");
    hub.wait(HOUR);
    let version = owner.version(&child.id, Section::Identity).await;
    let accepted = owner.accept(id, &version, None).await;
    let accepted = accepted.data("/acceptSuggestion/suggestion").clone();
    assert_eq!(accepted["state"], "ACCEPTED");
    assert_eq!(accepted["fields"][0]["decidedBy"]["code"], "migrationsverket");
    assert_eq!(accepted["fields"][0]["decidedAt"], "2026-11-21T13:00:00.000000Z");
    let seen = owner
        .sees(
            &child.id,
            "identity { givenNames birthDate sex updatedAt updatedBy { code }
            revisions { by { code } suggested suggestedBy { code } changes { field value } } }",
        )
        .await["identity"]
        .clone();
    assert_eq!(
        (&seen["givenNames"], &seen["birthDate"], &seen["sex"]),
        (&json!("Nytt  Namn"), &json!("2011-02-03"), &Value::Null)
    );
    assert_eq!(seen["updatedAt"], "2026-11-21T13:00:00.000000Z");
    assert_eq!(seen["updatedBy"]["code"], "migrationsverket");
    let revision = &seen["revisions"][0];
    assert_eq!((&revision["by"]["code"], &revision["suggested"]), (&json!("migrationsverket"), &json!(true)));
    assert_eq!(revision["suggestedBy"]["code"], "region-skane");
    assert_eq!(
        (&seen["revisions"][1]["suggested"], &seen["revisions"][1]["suggestedBy"]),
        (&json!(false), &Value::Null)
    );
    assert_ne!(owner.version(&child.id, Section::Identity).await, version);
    for again in [owner.accept(id, &version, None).await, owner.decline(id, "Nej.").await] {
        again.assert_refused(&[("SUGGESTION_DECIDED", "")], "it is decided");
    }
    assert_eq!(region.suggestions(&child.id).await[0]["state"], "ACCEPTED");
}

async fn each_field_is_decided_by_those_who_write_it(hub: Hub) {
    let child = hub.child(known()).await;
    let (guardian, owner, board) =
        (hub.caller("malmo-overformyndare"), hub.caller("migrationsverket"), hub.caller("malmo-soc"));
    let set = json!({ "identity": { "set": { "givenNames": "Nytt", "familyName": "Namn", "languages": ["som"] } } });
    let id = guardian.suggested(&child.id, set, None).await;
    let of_board = board.version(&child.id, Section::Identity).await;
    let answer = board.accept(&id, &of_board, None).await;
    answer.assert_refused(
        &[("FORBIDDEN", "fields.givenNames"), ("FORBIDDEN", "fields.familyName")],
        "not all are its own",
    );
    assert_eq!(answer.error()["ask"], "Migrationsverket");
    guardian.accept(&id, &of_board, None).await.assert_refused(
        &[("FORBIDDEN", "fields.givenNames"), ("FORBIDDEN", "fields.familyName"), ("FORBIDDEN", "fields.languages")],
        "whoever suggests does not decide",
    );
    for (named, code, path) in [
        (&["street"][..], "INVALID_INPUT", "fields.street"),
        (&["birthDate"], "SUGGESTION_DECIDED", "fields.birthDate"),
        (&[], "NOTHING_TO_DO", "fields"),
    ] {
        board.accept(&id, &of_board, Some(named)).await.assert_refused(&[(code, path)], path);
    }
    let answer = board.accept(&id, &of_board, Some(&["languages"])).await;
    assert_eq!(answer.data("/acceptSuggestion/suggestion/state"), "OPEN");
    let version = owner.version(&child.id, Section::Identity).await;
    owner.accept(&id, &version, Some(&["familyName"])).await.data("");
    let declined = owner.decline(&id, "Passet säger annat.").await;
    assert_eq!(declined.data("/declineSuggestion/suggestion/state"), "PARTLY_ACCEPTED");
    let seen = owner.sees(&child.id, "identity { givenNames familyName languages }").await["identity"].clone();
    assert_eq!((&seen["familyName"], &seen["languages"]), (&json!("Namn"), &json!(["som"])));
    assert_ne!(seen["givenNames"], "Nytt");
    let told = guardian.suggestions(&child.id).await[0].clone();
    let states: Vec<&Value> = told["fields"].as_array().expect("a list").iter().map(|field| &field["state"]).collect();
    assert_eq!(states, ["DECLINED", "ACCEPTED", "ACCEPTED"]);
    assert_eq!(told["fields"][0]["reason"], "Passet säger annat.");
    assert_eq!(hub.count("revision", "1 = 1").await, 2);
    for (state, found) in [("OPEN", 0), ("ACCEPTED", 0), ("DECLINED", 0), ("PARTLY_ACCEPTED", 1)] {
        let listed = guardian.listed(&child.id, &format!(", state: {state}")).await;
        assert_eq!(listed.data("/suggestions/nodes").as_array().expect("a list").len(), found, "{state}");
    }
}

async fn the_suggester_reads_the_reason_and_others_what_is_theirs(hub: Hub) {
    let child = hub.child(known()).await;
    let (guardian, board) = (hub.caller("malmo-overformyndare"), hub.caller("malmo-soc"));
    let set = json!({ "placement": { "set": { "type": "JOURHEM", "unitName": "Hemligt hem" } } });
    let id = guardian.suggested(&child.id, set, Some("Flyttat till Hemligt hem.")).await;
    board.decline(&id, "Fortfarande på Hemligt hem.").await.data("");
    for (code, sees) in [("malmo-overformyndare", true), ("malmo-soc", true), ("migrationsverket", false)] {
        let told = hub.caller(code).suggestions(&child.id).await;
        assert_eq!(told[0]["comment"].is_string(), sees, "{code}");
        assert_eq!(told[0]["fields"][0]["reason"].is_string(), sees, "{code}");
        assert_eq!(json!(told).to_string().contains("Hemligt"), sees, "{code}");
        assert_eq!(told[0]["state"], "DECLINED", "{code}");
    }
    for reason in ["", " ", &"å".repeat(1001), "\u{7}"] {
        let answer = board.decline(&id, reason).await;
        assert_eq!(answer.refusals()[0].1, "reason", "{}", answer.text);
    }
}

async fn an_unknown_suggestion_and_a_forbidden_one_answer_alike(hub: Hub) {
    let child = hub.child(known()).await;
    let set = json!({ "asylum": { "set": { "stage": "FINAL" } } });
    let id = hub.caller("malmo-overformyndare").suggested(&child.id, set, None).await;
    let unknown = child.id.replace("child_", "suggestion_");
    // The region knows the child and does not see the field; the others do not know the child.
    for code in ["region-skane", "landskrona-soc", "polisen", "stadsmissionen", "lansstyrelsen-skane", "dataskydd"] {
        let caller = hub.caller(code);
        let accepts = [caller.accept(&id, "x", None).await, caller.accept(&unknown, "x", None).await];
        let declines = [caller.decline(&id, "Nej.").await, caller.decline(&unknown, "Nej.").await];
        for [one, other] in [accepts, declines] {
            assert_eq!(one.text, other.text, "{code}");
            assert_eq!(one.status, other.status);
            assert!(["NOT_FOUND", "INVALID_ID"].contains(&one.codes()[0]), "{code}: {}", one.text);
        }
    }
    for code in ["landskrona-soc", "polisen", "dataskydd"] {
        let caller = hub.caller(code);
        let missing = crate::harness::child_id(uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0003));
        assert_eq!(caller.listed(&child.id, "").await.text, caller.listed(&missing, "").await.text, "{code}");
        assert_eq!(caller.listed(&child.id, "").await.codes(), ["NOT_FOUND"]);
        let set = json!({ "voice": { "set": { "wishes": "Hej" } } });
        let made = [caller.suggest(&child.id, set.clone(), None).await, caller.suggest(&missing, set, None).await];
        assert_eq!(made[0].text, made[1].text, "{code}");
        assert_eq!(made[0].codes(), ["NOT_FOUND"], "{code}");
    }
    assert_eq!(hub.caller("migrationsverket").accept("suggestion_x", "x", None).await.codes(), ["INVALID_ID"]);
    let answer = hub.caller("malmo-soc").without_purpose().decline(&id, "Nej.").await;
    assert_eq!(answer.codes(), ["PURPOSE_REQUIRED"]);
}

async fn a_hidden_field_of_a_suggestion_leaves_no_trace(hub: Hub) {
    // Two children, alike but for a field of the suggestion that Migrationsverket does not see.
    let mut seen = Vec::new();
    for hidden in [false, true] {
        let child = hub.child(known()).await;
        let mut set = json!({ "type": "JOURHEM" });
        if hidden {
            set["unitName"] = json!("Hemligt hem");
        }
        let correction = json!({ "placement": { "set": set } });
        let id = hub.caller("malmo-overformyndare").suggested(&child.id, correction, None).await;
        let owner = hub.caller("migrationsverket");
        let board = hub.caller("malmo-soc");
        let mut looks = vec![owner.suggestions(&child.id).await];
        if hidden {
            // Decided, and it does not show.
            let version = board.version(&child.id, Section::Placement).await;
            board.accept(&id, &version, Some(&["unitName"])).await.data("");
            assert_eq!(owner.suggestions(&child.id).await, looks[0]);
        }
        board.decline(&id, "Nej.").await.data("");
        assert_eq!(board.suggestions(&child.id).await[0]["state"], if hidden { "PARTLY_ACCEPTED" } else { "DECLINED" });
        looks.push(owner.suggestions(&child.id).await);
        let answer = owner.accept(&id, "x", Some(&["unitName"])).await;
        looks.push(vec![answer.json.clone()]);
        seen.push(json!(looks).to_string().replace(&id, "ID"));
    }
    assert_eq!(seen[0], seen[1]);
}

async fn hidden_suggestions_take_no_place_in_the_list(hub: Hub) {
    let child = hub.child(known()).await;
    let guardian = hub.caller("malmo-overformyndare");
    let mut visible = Vec::new();
    for n in 0..12 {
        hub.wait(1);
        if n % 3 == 0 {
            let set = json!({ "identity": { "set": { "givenNames": format!("Namn {n}") } } });
            visible.insert(0, guardian.suggested(&child.id, set, None).await);
        } else {
            guardian.suggested(&child.id, json!({ "asylum": { "set": { "stage": "FINAL" } } }), None).await;
        }
    }
    let reader = hub.caller("region-skane");
    let (mut found, mut after) = (Vec::new(), String::new());
    for page in 0..3 {
        let answer = reader.listed(&child.id, &format!(", first: 2{after}")).await;
        let nodes = answer.data("/suggestions/nodes").as_array().expect("a list").clone();
        found.extend(nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()));
        let more = answer.data("/suggestions/pageInfo/hasNextPage").clone();
        assert_eq!(more, page < 1, "page {page}");
        if more == false {
            break;
        }
        let cursor = answer.data("/suggestions/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
        let other = hub.caller("skola").listed(&child.id, &format!(", after: \"{cursor}\"")).await;
        assert_eq!(other.codes(), ["INVALID_CURSOR"], "a cursor is its reader's own");
        after = format!(", after: \"{cursor}\"");
    }
    assert_eq!(found, visible);
    assert_eq!(guardian.suggestions(&child.id).await.len(), 12);
    assert_eq!(reader.listed(&child.id, ", first: 0").await.codes(), ["PAGE_SIZE"]);
}

async fn what_is_given_without_reading_is_added_and_not_shown_back(hub: Hub) {
    let child = hub.child(known()).await;
    let (school, board) = (hub.caller("skola"), hub.caller("malmo-soc"));
    let indicator = json!({ "indicator": "UNKNOWN_ADULT", "observedOn": "2026-11-20", "source": "Skolan" });
    let risk = json!({ "risk": { "set": { "indicators": [indicator], "exploitation": "Hämtas av vuxen." } } });
    let id = school.suggested(&child.id, risk, Some("Sågs vid grinden.")).await;
    let voice =
        school.suggested(&child.id, json!({ "voice": { "set": { "wishes": "Vill spela fotboll." } } }), None).await;
    let before = board.sees(&child.id, "risk { indicators { source } }").await["risk"]["indicators"].clone();
    let told = board.suggestions(&child.id).await;
    let risk = told.iter().find(|told| told["id"] == json!(id)).expect("it is told");
    assert_eq!(risk["fields"][0]["change"], "ADD");
    assert_eq!(
        (&risk["fields"][1]["change"], &risk["fields"][1]["value"]),
        (&json!("SET"), &json!("Hämtas av vuxen."))
    );
    assert_eq!(risk["comment"], "Sågs vid grinden.");
    let version = board.version(&child.id, Section::Risk).await;
    board.accept(&id, &version, None).await.data("");
    let after = board.sees(&child.id, "risk { indicators { source } exploitation }").await["risk"].clone();
    let mut expected = before.as_array().expect("a list").clone();
    expected.push(json!({ "source": "Skolan" }));
    assert_eq!(after["indicators"], json!(expected), "nothing that was there is lost");
    assert_eq!(after["exploitation"], "Hämtas av vuxen.");
    let version = board.version(&child.id, Section::Voice).await;
    board.accept(&voice, &version, None).await.data("");
    let own = school.suggestions(&child.id).await;
    assert_eq!(own.len(), 2);
    let (voice, risk) = (own[0].clone(), own[1].clone());
    let (voice, risk) = if voice["section"] == "voice" { (voice, risk) } else { (risk, voice) };
    assert_eq!((&voice["state"], &voice["fields"][0]["value"]), (&json!("ACCEPTED"), &Value::Null));
    // That a suspicion is on record is secret: who handed it in has a receipt and learns no more.
    assert_eq!((&risk["fields"][0]["state"], &risk["fields"][1]["state"]), (&json!("ACCEPTED"), &json!("OPEN")));
    assert_eq!((&risk["fields"][1]["decidedAt"], &risk["state"]), (&Value::Null, &json!("OPEN")));
    assert!(!json!(own).to_string().contains("Hämtas"));
    // It decides on nothing that it does not see, and another school knows of nothing.
    school
        .decline(risk["id"].as_str().expect("an id"), "Nej.")
        .await
        .assert_refused(&[("FORBIDDEN", "suggestionId")], "own");
    assert!(hub.caller("region-skane").suggestions(&child.id).await.is_empty());
    let clear = school.suggest(&child.id, json!({ "voice": { "clear": ["WISHES"] } }), None).await;
    clear.assert_refused(&[("FORBIDDEN", "correction.voice.clear.wishes")], "to take away one must see");
}

async fn protected_registration_takes_addresses_out_of_suggestions(hub: Hub) {
    let child = hub.child(known()).await;
    let (guardian, board) = (hub.caller("malmo-overformyndare"), hub.caller("malmo-soc"));
    let set = json!({ "placement": { "set": { "street": "Avslöjandegatan 1", "unitName": "Hemmet" } } });
    let both = guardian.suggested(&child.id, set, Some("Bor på Avslöjandegatan.")).await;
    let school = json!({ "schooling": { "set": { "schoolName": "Avslöjandeskolan" } } });
    let gone = guardian.suggested(&child.id, school, Some("Avslöjandeskolan.")).await;
    let declined = json!({ "placement": { "set": { "postalTown": "Avslöjandeby" } } });
    let declined = guardian.suggested(&child.id, declined, None).await;
    board.decline(&declined, "Nej, Avslöjandestad.").await.data("");
    assert!(!hub.columns_holding("Avslöjande").await.is_empty());
    board.update(&child.id, Section::Protection, json!({ "level": "REGISTERED" }), &[]).await.data("");
    assert_eq!(hub.columns_holding("Avslöjande").await, Vec::<String>::new());
    let left = board.suggestions(&child.id).await;
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0]["id"], fields(&left[0])), (&json!(both), vec!["unitName"]));
    let own = guardian.suggestions(&child.id).await;
    assert_eq!(own.len(), 3, "that they were gone would tell");
    assert!(own.iter().all(|suggestion| suggestion["comment"].is_null()));
    board.decline(&gone, "Nej.").await.assert_refused(&[("NOT_FOUND", "")], "it is gone");
    let again = guardian.suggest(&child.id, json!({ "placement": { "set": { "street": "Nygatan 1" } } }), None).await;
    assert_eq!(again.codes(), ["FORBIDDEN"], "no address comes in that way");
}

/// To health care the level is silent: both levels close the address, and only one takes it out of the suggestions.
async fn a_suggestion_does_not_tell_of_the_level(hub: Hub) {
    let mut told = Vec::new();
    for level in ["MARKED", "REGISTERED"] {
        let child = hub.child(known()).await;
        let (health, board) = (hub.caller("region-skane"), hub.caller("malmo-soc"));
        let set = json!({ "placement": { "set": { "street": "Avslöjandegatan 1", "postalTown": "Lund" } } });
        let id = health.suggested(&child.id, set, Some("Sa barnet.")).await;
        let version = board.version(&child.id, Section::Placement).await;
        board.accept(&id, &version, Some(&["postalTown"])).await.data("");
        board.update(&child.id, Section::Protection, json!({ "level": level }), &[]).await.data("");
        let seen = json!(health.suggestions(&child.id).await).to_string();
        told.push(seen.replace(&id, "id"));
        let version = board.version(&child.id, Section::Placement).await;
        let late = board.accept(&id, &version, None).await;
        assert!(level == "MARKED" || !late.json["errors"].is_null(), "there is nothing left to accept");
    }
    assert!(told[0].contains("postalTown") && !told[0].contains("Avslöjande"), "{}", told[0]);
    assert_eq!(told[0], told[1]);
}

async fn a_suggestion_on_a_placement_ends_with_it(hub: Hub) {
    let child = hub.child(known()).await;
    let (guardian, board) = (hub.caller("malmo-overformyndare"), hub.caller("malmo-soc"));
    let set = json!({ "placement": { "set": { "street": "Gamla gatan 1" } } });
    let id = guardian.suggested(&child.id, set, None).await;
    let start = "mutation($id: ID!, $v: String!) { startPlacement(childId: $id, expectedVersion: $v,
        set: { from: \"2026-11-20\", street: \"Nya gatan 2\" }) { child { placement { version } } } }";
    let version = board.version(&child.id, Section::Placement).await;
    let moved = board.ask_with(start, json!({ "id": child.id, "v": version })).await;
    let version = moved.data("/startPlacement/child/placement/version").as_str().expect("a version").to_owned();
    board.accept(&id, &version, None).await.assert_refused(&[("NO_SUCH_ENTRY", "")], "the child has moved");
    let seen = board.sees(&child.id, "placement { street }").await;
    assert_eq!(seen["placement"]["street"], "Nya gatan 2");
    board.decline(&id, "Har flyttat.").await.data("");
    // What the placements before were is not told by what is refused.
    let ahead = guardian.suggest(&child.id, json!({ "placement": { "set": { "from": "2030-01-01" } } }), None).await;
    ahead.assert_refused(&[("DATE_ORDER", "correction.placement.set.from")], "ahead of today");
    let early = json!({ "placement": { "set": { "from": "1950-01-01" } } });
    let id = guardian.suggested(&child.id, early, None).await;
    let version = board.version(&child.id, Section::Placement).await;
    board.accept(&id, &version, None).await.assert_refused(&[("DATE_ORDER", "fields.from")], "before the one before");
}

async fn a_partner_suggests_and_is_named_to_few(hub: Hub) {
    let consents = vec![("radda-barnen", vec!["identity", "board"])];
    let child = hub.child(Scene { consents, ..known() }).await;
    let partner = hub.caller("radda-barnen");
    let list = partner.ask("{ children { nodes { id } } }").await;
    let own = list.data("/children/nodes/0/id").as_str().expect("an id").to_owned();
    let set = json!({ "identity": { "set": { "familyName": "Rättstavat" } } });
    let id = partner.suggested(&own, set, None).await;
    let board = hub.caller("malmo-soc");
    let shared = board.suggestions(&child.id).await[0].clone();
    assert_ne!(shared["id"], json!(id), "a partner has ids of its own");
    assert_eq!(shared["by"]["code"], "radda-barnen");
    for (code, named) in [("migrationsverket", false), ("skola", false), ("malmo-overformyndare", true)] {
        let told = hub.caller(code).suggestions(&child.id).await;
        assert_eq!(told[0]["by"].is_object(), named, "{code}: whom a child confides in");
    }
    let owner = hub.caller("migrationsverket");
    let version = owner.version(&child.id, Section::Identity).await;
    owner.accept(shared["id"].as_str().expect("an id"), &version, None).await.data("");
    let told = partner.suggestions(&own).await;
    assert_eq!((&told[0]["id"], &told[0]["state"]), (&json!(id), &json!("ACCEPTED")));
    for (code, named) in [("migrationsverket", false), ("malmo-soc", true)] {
        let query = "identity { revisions { suggested suggestedBy { code } } }";
        let seen = hub.caller(code).sees(&child.id, query).await["identity"]["revisions"][0].clone();
        assert_eq!((&seen["suggested"], seen["suggestedBy"].is_object()), (&json!(true), named), "{code}");
    }
    // What its consent does not open it does not suggest; and without a consent it knows of nothing.
    let stage = partner.suggest(&own, json!({ "asylum": { "set": { "stage": "FINAL" } } }), None).await;
    assert_eq!(stage.codes(), ["FORBIDDEN"]);
    let other = hub.caller("stadsmissionen").accept(&id, "x", None).await;
    assert_eq!(other.codes(), ["NOT_FOUND"]);
    hub.sql("UPDATE consent SET withdrawn_at = 1").await;
    assert_eq!(partner.listed(&own, "").await.codes(), ["NOT_FOUND"]);
}

async fn a_home_that_suggests_is_named_to_those_who_know_it(hub: Hub) {
    let child = hub.child(known()).await;
    let home = hub.caller("hvb-malmo");
    home.suggested(&child.id, json!({ "identity": { "set": { "familyName": "Rättstavat" } } }), None).await;
    for (code, named) in [("malmo-soc", true), ("hvb-malmo", true), ("skola", false), ("migrationsverket", false)] {
        let told = hub.caller(code).suggestions(&child.id).await;
        assert_eq!(told[0]["by"].is_object(), named, "{code}");
    }
}

async fn a_bad_suggestion_is_refused_whole(hub: Hub) {
    let child = hub.child(known()).await;
    let school = hub.caller("skola");
    let long = "å".repeat(1001);
    for (correction, comment, expected) in [
        (
            json!({ "identity": { "set": { "birthDate": "2011-02-30", "givenNames": "" } } }),
            Some(long.as_str()),
            vec![
                ("INVALID_TEXT", "correction.identity.set.givenNames"),
                ("INVALID_DATE", "correction.identity.set.birthDate"),
                ("TOO_LONG", "comment"),
            ],
        ),
        (json!({ "identity": {} }), None, vec![("NOTHING_TO_DO", "correction.identity.set")]),
        (
            json!({ "identity": { "set": { "sex": "MALE" }, "clear": ["SEX"] } }),
            None,
            vec![("SET_AND_CLEARED", "correction.identity.clear.sex")],
        ),
        (
            json!({ "identity": { "set": { "givenNames": "Nytt", "aliases": ["Nytt"] } } }),
            None,
            vec![("FORBIDDEN", "correction.identity.set.aliases")],
        ),
        (
            json!({ "schooling": { "set": { "schoolName": "Ny" } } }),
            None,
            vec![("USE_UPDATE", "correction.schooling.set.schoolName")],
        ),
    ] {
        let about = correction.to_string();
        school.suggest(&child.id, correction, comment).await.assert_refused(&expected, &about);
    }
    for correction in [
        json!({}),
        json!({ "identity": null }),
        json!({ "identity": { "set": { "sex": "MALE" } }, "voice": { "set": { "wishes": "Hej" } } }),
        json!({ "identity": { "set": { "unknown": 1 } } }),
        json!({ "identity": { "clear": ["UNKNOWN"] } }),
        json!({ "description": { "set": { "photo": "x" } } }),
        json!({ "identifiers": { "set": {} } }),
        json!([]),
        json!("x"),
    ] {
        let answer = school.suggest(&child.id, correction.clone(), None).await;
        let code = answer.codes()[0].to_owned();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "INVALID_INPUT"].contains(&code.as_str()),
            "{correction}: {}",
            answer.text
        );
    }
    assert_eq!(hub.count("suggestion", "1 = 1").await + hub.count("suggestion_field", "1 = 1").await, 0);
}

async fn an_agency_suggests_so_much_in_a_day(hub: Hub) {
    let child = hub.child(known()).await;
    let school = hub.caller("skola");
    let set = || json!({ "identity": { "set": { "givenNames": "Nytt" } } });
    for _ in 0..50 {
        school.suggested(&child.id, set(), None).await;
    }
    assert_eq!(school.suggest(&child.id, set(), None).await.codes(), ["TOO_MANY_SUGGESTIONS"]);
    hub.caller("region-skane").suggested(&child.id, set(), None).await;
    let other = hub.child(known()).await;
    school.suggested(&other.id, set(), None).await;
    hub.wait(DAY);
    school.suggested(&child.id, set(), None).await;
}

async fn log(hub: &Hub, code: &str, child: &TestChild) -> Vec<Value> {
    let query = "query($id: ID!) { accessLog(childId: $id) { edges { node { operation shown withheld changed } } } }";
    let answer = hub.caller(code).ask_with(query, json!({ "id": child.id })).await;
    let edges = answer.data("/accessLog/edges").as_array().expect("a list").clone();
    edges.into_iter().map(|edge| edge["node"].clone()).collect()
}

async fn the_log_tells_of_suggestions_shown_and_made(hub: Hub) {
    let child = hub.child(known()).await;
    let school = hub.caller("skola");
    let risk = json!({ "risk": { "set": { "exploitation": "Hämtas av vuxen." } } });
    school.suggested(&child.id, risk, None).await;
    let made = log(&hub, "skola", &child).await[0].clone();
    assert_eq!(made["operation"], "mutation suggestCorrection");
    assert_eq!((&made["changed"], &made["shown"]), (&json!(["risk.exploitation"]), &json!([])));
    assert_eq!(made["withheld"], json!(["risk.exploitation"]));
    let id = hub.caller("malmo-soc").suggestions(&child.id).await[0]["id"].as_str().expect("an id").to_owned();
    let seen = log(&hub, "malmo-soc", &child).await[0].clone();
    assert_eq!((&seen["operation"], &seen["shown"]), (&json!("query suggestions"), &json!(["risk.exploitation"])));
    hub.caller("malmo-soc").decline(&id, "Känt.").await.data("");
    assert_eq!(log(&hub, "malmo-soc", &child).await[0]["changed"], json!(["risk.exploitation"]));
    // A look that shows nothing is a look at the child.
    assert!(hub.caller("region-skane").suggestions(&child.id).await.is_empty());
    let looked = log(&hub, "region-skane", &child).await;
    assert_eq!((&looked[0]["operation"], &looked[0]["shown"]), (&json!("query suggestions"), &json!([])));
}

async fn of_two_who_accept_at_once_one_does(hub: Hub) {
    let child = hub.child(known()).await;
    let owner = hub.caller("migrationsverket");
    for round in 0..6 {
        let set = json!({ "identity": { "set": { "givenNames": format!("Omgång {round}") } } });
        let id = hub.caller("skola").suggested(&child.id, set, None).await;
        let version = owner.version(&child.id, Section::Identity).await;
        let mutation = "mutation($id: ID!, $v: String!) { acceptSuggestion(suggestionId: $id, expectedVersion: $v) {
            suggestion { state } } }";
        let request = || owner.request(json!({ "query": mutation, "variables": { "id": id, "v": version } }));
        let answers = hub.send_together(vec![request(), request(), request()]).await;
        let won = answers.iter().filter(|answer| answer.json["errors"].is_null()).count();
        assert_eq!(won, 1, "round {round}");
    }
    assert_eq!(hub.count("revision", "1 = 1").await, 6);
}
