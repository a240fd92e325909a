//! Repeating a mutation under its `Idempotency-Key`: one effect, however often and however it is asked, and an answer that
//! follows the rights of now. That this holds through a crash is in `crash`.

use crate::both;
use crate::harness::{Answer, Caller, HOUR, Hub, Kind, Scene, field as field_of, persona};
use crate::write::{sample, updated, written};
use axum::body::Body;
use axum::http::Request;
use data_encoding::BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use samverka::sandbox::{AUDIENCE, Issuer};
use samverka_domain::catalogue::Section;
use samverka_domain::policy::Engine;
use samverka_domain::world::PERSONAS;
use serde_json::{Value, json};
use std::collections::BTreeSet;

both! {
    each_mutation_is_done_once_and_its_retry_shows_the_same_child
    a_key_stands_for_one_request
    a_key_means_something_to_one_client_only
    of_many_duplicates_at_once_one_is_done_and_all_are_answered
    of_many_requests_at_once_under_one_key_one_is_done
    a_retry_shows_what_its_caller_may_see_now
    a_change_that_was_never_answered_is_answered_when_it_is_repeated
    a_refused_mutation_leaves_its_key_free
    each_root_field_of_a_document_is_remembered_by_itself
    a_key_is_one_string_or_token
    keys_are_forgotten_after_72_hours
    the_database_keeps_neither_keys_nor_what_was_asked
    a_query_takes_no_notice_of_a_key
}

const REGISTER: &str = "mutation($name: String!) { registerChild(input: { identity: { givenNames: $name } }) {
    child { id identity { givenNames version } } } }";

fn under<'h>(hub: &'h Hub, persona: &'h str, key: &str) -> Caller<'h> {
    hub.caller(persona).header("idempotency-key", key)
}

async fn register(hub: &Hub, key: &str, name: &str) -> Answer {
    under(hub, "migrationsverket", key).ask_with(REGISTER, json!({ "name": name })).await
}

fn registered(answer: &Answer) -> String {
    answer.data("/registerChild/child/id").as_str().expect("an id").to_owned()
}

fn assert_reused(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.codes()), (422, vec!["IDEMPOTENCY_KEY_REUSED"]), "{}", answer.text);
    assert!(answer.json["data"].is_null());
}

/// How much there is of all that a mutation may move.
async fn moved(hub: &Hub) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "revision",
        "child",
        "identifier",
        "placement",
        "involvement",
        "idempotency",
        "suggestion",
        "handover",
        "submission",
        "consent",
        "block",
        "break_glass",
    ] {
        counts.push(hub.count(table, "1 = 1").await);
    }
    for table in ["missing_episode", "sighting", "follow_up", "agency_closure", "checklist_item", "routine"] {
        counts.push(hub.count(table, "1 = 1").await);
    }
    counts.push(hub.count("checklist_item", "state <> 'OPEN' OR agency_id IS NOT NULL").await);
    counts
}

/// The row of the access log that tells of an answer.
async fn logged(hub: &Hub, answer: &Answer) -> Value {
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
    assert_eq!(rows.len(), 1);
    let record: String = rows[0].try_get_by_index(0).expect("a record");
    serde_json::from_str(&record).expect("JSON")
}

/// What a mutation is asked by: who may, the document, its variables.
struct Asked {
    persona: &'static str,
    document: String,
    variables: Value,
}

impl Asked {
    fn new(persona: &'static str, head: &str, variables: Value) -> Self {
        let field = head.rsplit_once("| ").map_or(head, |(_, field)| field);
        let definitions = head.rsplit_once(" |").map_or(String::new(), |(definitions, _)| format!("({definitions})"));
        let name = field.split('(').next().unwrap_or_default();
        let shown = own_selection(name).map_or_else(|| child_selection(name), |shown| format!("{{ {shown} }}"));
        Asked { persona, document: format!("mutation{definitions} {{ {field} {shown} }}"), variables }
    }

    async fn ask(&self, hub: &Hub, key: &str) -> Answer {
        under(hub, self.persona, key).ask_with(&self.document, self.variables.clone()).await
    }
}

/// What is shown of a mutation that gives no child.
fn own_selection(name: &str) -> Option<&'static str> {
    Some(match name {
        "submitConcern" | "submitSighting" | "submitTip" => "id kind at",
        "decideSubmission" => "submission { id state }",
        "grantConsent" | "revokeConsent" => "consent { id state }",
        "blockParty" | "unblockParty" => "block { id liftedAt }",
        "breakGlass" => "id childId until reviewBy",
        "reviewBreakGlass" => "review { id verdict reviewedAt }",
        "publishRoutine" => "county version",
        _ => return None,
    })
}

/// What is shown of any other.
fn child_selection(name: &str) -> String {
    let of_episode = ["Missing", "Police", "Search", "Sighting", "mark", "FollowUp", "Episode", "AgencyClosure"];
    let beside = match name {
        _ if name.contains("Suggestion") || name.contains("suggest") => "suggestion { id state }",
        _ if name.ends_with("Item") => "item { id state doneAt }",
        _ if of_episode.iter().any(|word| name.contains(word)) => {
            "episode { id state openedAt } checklist { items { id state } } minimumReport { text }"
        }
        _ if HANDED.contains(&name) => "handover { id state expectedAt }",
        _ => "",
    };
    format!(
        "{{ {beside} child {{ id identity {{ givenNames version }} placement {{ from version }} voice {{ version }} }} }}"
    )
}

/// What decides on something and adds nothing.
const DECIDES: [&str; 7] = [
    "declineSuggestion",
    "decideSubmission",
    "revokeConsent",
    "unblockParty",
    "reviewBreakGlass",
    "involveAgency",
    "endInvolvement",
];

/// What gives a handover.
const HANDED: [&str; 10] = [
    "acceptHandover",
    "assignMunicipality",
    "confirmArrival",
    "proposeHandover",
    "recordDeparture",
    "refuseHandover",
    "reportNotArrived",
    "rescheduleHandover",
    "transferCase",
    "withdrawHandover",
];
const EXPECTED: &str =
    "expectedAt: \"2026-12-01T12:00:00Z\", details: { contactName: \"Ada Ek\", contactPhone: \"+46701740605\" }";

/// A handover from Migrationsverket to Landskrona, that was accepted or not.
async fn offered(hub: &Hub, child: &str, accepted: bool) -> Value {
    let details = EXPECTED.replace(" }", ", decisionNumber: \"A-1\", decidedOn: \"2026-11-20\" }");
    let document = format!(
        "mutation($id: ID!, $to: ID!) {{ proposeHandover(childId: $id, kind: ASSIGNMENT, toAgencyId: $to, {details}) {{ handover {{ id }} }} }}"
    );
    let variables = json!({ "id": child, "to": hub.agency_id("landskrona-soc") });
    let answer = hub.caller("migrationsverket").ask_with(&document, variables).await;
    let id = answer.data("/proposeHandover/handover/id").clone();
    if accepted {
        let document = "mutation($id: ID!) { acceptHandover(handoverId: $id) { handover { id } } }";
        hub.caller("landskrona-soc").ask_with(document, json!({ "id": id })).await.data("/acceptHandover");
    }
    id
}

const SUGGEST: &str =
    "$id: ID! | suggestCorrection(childId: $id, correction: { identity: { set: { givenNames: \"Ali\" } } })";

async fn suggested(hub: &Hub, child: &str) -> Value {
    let document = "mutation($id: ID!) { suggestCorrection(childId: $id, correction: { identity: { set: { givenNames: \"Ali\" } } }) { suggestion { id } } }";
    let answer = hub.caller("skola").ask_with(document, json!({ "id": child })).await;
    answer.data("/suggestCorrection/suggestion/id").clone()
}

const REPORT: &str = "$id: ID! | reportMissing(childId: $id, input: { lastSeenAt: \"2026-11-21T09:00:00Z\" })";
const PUBLISH: &str =
    "publishRoutine(county: \"12\", validFrom: \"2027-01-01\", items: [
    { key: \"risk-assessment\", moment: PREVENT, actor: POLICE, sv: \"Gör.\", en: \"Do.\", mandatory: true, source: \"Länet\" },
    { key: \"safety-plan\", moment: PREVENT, actor: POLICE, sv: \"Gör.\", en: \"Do.\", mandatory: true, source: \"Länet\" },
    { key: \"photo-and-description\", moment: PREVENT, actor: POLICE, sv: \"Gör.\", en: \"Do.\", mandatory: true, source: \"Länet\" },
    { key: \"hand-over-in-full\", moment: PREVENT, actor: POLICE, sv: \"Gör.\", en: \"Do.\", mandatory: true, source: \"Länet\" }])";

/// A child that was missing, and of which somebody knows where it is: the id of the episode.
async fn located(hub: &Hub, child: &str) -> String {
    let episode = hub.caller("skola").reports(child).await;
    let at = samverka_domain::clock::instant(hub.now()).to_rfc3339();
    hub.caller("malmo-soc").takes(&format!("markLocated(childId: \"{child}\", at: \"{at}\")")).await.data("");
    episode
}

/// Every way to ask for a root field of this name, one of which is permitted.
async fn ways(hub: &Hub, field: &str) -> Vec<Asked> {
    let agencies: Vec<&str> = PERSONAS.iter().map(|persona| persona.code).filter(|code| *code != "malmo-soc").collect();
    let mut involved = vec![("malmo-soc", "RESPONSIBLE"), ("migrationsverket", "LEAD")];
    let is_there = |code: &&str| *code != "migrationsverket" && (*code != "skola" || field != "involveAgency");
    involved.extend(agencies.into_iter().filter(is_there).map(|code| (code, "INVOLVED")));
    let child = hub.child(Scene { involved, ..Scene::default() }).await.id;
    let placed = async || hub.caller("malmo-soc").version(&child, Section::Placement).await;
    let one = |asked| vec![asked];
    match field {
        "registerChild" => one(Asked::new(
            "migrationsverket",
            "registerChild(input: { identity: { givenNames: \"Amir\" }, identifiers: [{ kind: LMA_CARD, value: \"99-999999/9\" }] })",
            json!({}),
        )),
        "addIdentifier" => one(Asked::new(
            "migrationsverket",
            "$id: ID! | addIdentifier(childId: $id, identifier: { kind: DOSSIER_NUMBER, value: \"12-345678\" })",
            json!({ "id": child }),
        )),
        "endIdentifier" => {
            let seen = hub.caller("migrationsverket").sees(&child, "identifiers { lmaCards { id } }").await;
            let variables = json!({ "id": child, "number": seen["identifiers"]["lmaCards"][0]["id"] });
            let head =
                "$id: ID!, $number: ID! | endIdentifier(childId: $id, identifierId: $number, to: \"2026-11-20\")";
            one(Asked::new("migrationsverket", head, variables))
        }
        "startPlacement" => one(Asked::new(
            "malmo-soc",
            "$id: ID!, $v: String! | startPlacement(childId: $id, expectedVersion: $v, set: { from: \"2026-06-10\", type: HVB })",
            json!({ "id": child, "v": placed().await }),
        )),
        "endPlacement" => one(Asked::new(
            "malmo-soc",
            "$id: ID!, $v: String! | endPlacement(childId: $id, expectedVersion: $v, to: \"2026-11-20\")",
            json!({ "id": child, "v": placed().await }),
        )),
        "involveAgency" | "endInvolvement" => one(Asked::new(
            "malmo-soc",
            &format!("$id: ID!, $agency: ID! | {field}(childId: $id, agencyId: $agency)"),
            json!({ "id": child, "agency": hub.agency_id("skola") }),
        )),
        "assignMunicipality" => one(Asked::new(
            "migrationsverket",
            &format!(
                "$id: ID! | assignMunicipality(childId: $id, municipality: \"1282\", decisionNumber: \"A-1\", decidedOn: \"2026-11-20\", {EXPECTED})"
            ),
            json!({ "id": child }),
        )),
        "proposeHandover" | "transferCase" => {
            let kind = if field == "transferCase" { "" } else { "kind: CASE_TRANSFER, " };
            let head = format!("$id: ID!, $to: ID! | {field}(childId: $id, {kind}toAgencyId: $to, {EXPECTED})");
            one(Asked::new("malmo-soc", &head, json!({ "id": child, "to": hub.agency_id("landskrona-soc") })))
        }
        "acceptHandover" | "refuseHandover" | "withdrawHandover" | "recordDeparture" | "confirmArrival"
        | "reportNotArrived" | "rescheduleHandover" => {
            let (persona, accepted, more) = match field {
                "acceptHandover" => ("landskrona-soc", false, ""),
                "refuseHandover" => ("landskrona-soc", false, ", reason: \"Nej\""),
                "withdrawHandover" => ("migrationsverket", true, ", reason: \"Nej\""),
                "recordDeparture" => ("migrationsverket", true, ""),
                "rescheduleHandover" => ("migrationsverket", true, ", expectedAt: \"2026-12-02T12:00:00Z\""),
                _ => ("landskrona-soc", true, ""),
            };
            let id = offered(hub, &child, accepted).await;
            if field == "recordDeparture" {
                // A departure waits for what must be done before.
                hub.sql("UPDATE checklist_item SET state = 'DONE', done_at = 1").await;
            }
            one(Asked::new(persona, &format!("$id: ID! | {field}(handoverId: $id{more})"), json!({ "id": id })))
        }
        "suggestCorrection" => one(Asked::new("skola", SUGGEST, json!({ "id": child }))),
        "acceptSuggestion" => {
            let suggestion = suggested(hub, &child).await;
            let version = hub.caller("migrationsverket").version(&child, Section::Identity).await;
            let head = "$s: ID!, $v: String! | acceptSuggestion(suggestionId: $s, expectedVersion: $v)";
            one(Asked::new("migrationsverket", head, json!({ "s": suggestion, "v": version })))
        }
        "declineSuggestion" => {
            let head = "$s: ID! | declineSuggestion(suggestionId: $s, reason: \"Passet säger annat.\")";
            one(Asked::new("migrationsverket", head, json!({ "s": suggested(hub, &child).await })))
        }
        "reportMissing" => one(Asked::new("skola", REPORT, json!({ "id": child }))),
        "markLocated" => {
            hub.caller("skola").reports(&child).await;
            let head = "$id: ID! | markLocated(childId: $id, at: \"2026-11-21T12:00:00Z\", place: \"Lund\")";
            one(Asked::new("malmo-soc", head, json!({ "id": child })))
        }
        "markSafe" => {
            located(hub, &child).await;
            one(Asked::new("malmo-soc", "$id: ID! | markSafe(childId: $id)", json!({ "id": child })))
        }
        "publishRoutine" => one(Asked::new("lansstyrelsen-skane", PUBLISH, json!({}))),
        "tickItem" | "assignItem" | "skipItem" => {
            hub.caller("skola").reports(&child).await;
            let board = hub.caller("malmo-soc");
            let items = board.ask(&format!("{{ checklist(childId: \"{child}\") {{ items {{ id }} }} }}")).await;
            let variables = json!({ "i": items.data("/checklist/items/0/id"), "a": hub.agency_id("hvb-malmo") });
            let head = match field {
                "tickItem" => "$i: ID! | tickItem(itemId: $i)",
                "skipItem" => "$i: ID! | skipItem(itemId: $i, reason: \"Gjort\")",
                _ => "$i: ID!, $a: ID! | assignItem(itemId: $i, agencyId: $a)",
            };
            one(Asked::new("malmo-soc", head, variables))
        }
        "recordPoliceReport"
        | "updateSearch"
        | "recordSighting"
        | "recordFollowUp"
        | "closeEpisode"
        | "recordAgencyClosure"
        | "reopenEpisode" => {
            let episode = located(hub, &child).await;
            let head = match field {
                "recordPoliceReport" => "$e: ID! | recordPoliceReport(episodeId: $e, number: \"5000-K1276-26\")",
                "updateSearch" => "$e: ID! | updateSearch(episodeId: $e, wantedEntry: true)",
                "recordSighting" => "$e: ID! | recordSighting(episodeId: $e, text: \"Sedd i Lund\")",
                "recordFollowUp" => "$e: ID!, $d: Date! | recordFollowUp(episodeId: $e, kind: RETURN_TALK, doneOn: $d)",
                "closeEpisode" => "$e: ID! | closeEpisode(episodeId: $e, reason: \"Fyllde 18\")",
                "recordAgencyClosure" => "$e: ID! | recordAgencyClosure(episodeId: $e, reason: \"Tre veckor\")",
                _ => "$e: ID! | reopenEpisode(episodeId: $e)",
            };
            let persona = if field == "updateSearch" { "polisen" } else { "malmo-soc" };
            let today = samverka_domain::clock::instant(hub.now()).date_naive().to_string();
            one(Asked::new(persona, head, json!({ "e": episode, "d": today })))
        }
        "submitConcern" | "submitSighting" | "submitTip" => {
            let about = json!({ "identifier": { "kind": "LMA_CARD", "value": "99-999999/9" }, "text": "Sett." });
            one(Asked::new(
                "skola",
                &format!("$about: SubmissionInput! | {field}(about: $about)"),
                json!({ "about": about }),
            ))
        }
        "decideSubmission" => {
            hub.caller("skola").submit("Concern", json!({ "text": "Oro." })).await.data("");
            let id = hub.caller("malmo-soc").inbox().await[0]["id"].clone();
            let head = "$s: ID! | decideSubmission(submissionId: $s, decision: CONCERN)";
            one(Asked::new("malmo-soc", head, json!({ "s": id })))
        }
        "grantConsent" | "revokeConsent" => {
            let granted = async || hub.caller("malmo-soc").granted(&child, "radda-barnen", &["voice"]).await;
            if field == "revokeConsent" {
                return one(Asked::new(
                    "malmo-soc",
                    "$c: ID! | revokeConsent(consentId: $c)",
                    json!({ "c": granted().await }),
                ));
            }
            let head = "$id: ID!, $new: ConsentInput! | grantConsent(childId: $id, consent: $new)";
            let new = hub.caller("malmo-soc").new_consent("radda-barnen", &["voice"]);
            one(Asked::new("malmo-soc", head, json!({ "id": child, "new": new })))
        }
        "blockParty" | "unblockParty" => {
            if field == "unblockParty" {
                let block = hub.caller("malmo-soc").blocked(&child, "hvb-malmo").await;
                return one(Asked::new("malmo-soc", "$b: ID! | unblockParty(blockId: $b)", json!({ "b": block })));
            }
            let head = "$id: ID!, $agency: ID! | blockParty(childId: $id, agencyId: $agency, reason: \"Misstänkt.\")";
            one(Asked::new("malmo-soc", head, json!({ "id": child, "agency": hub.agency_id("hvb-malmo") })))
        }
        "breakGlass" => {
            let head = "$id: ID! | breakGlass(childId: $id, reason: \"Barnet ligger medvetslöst på akuten.\")";
            one(Asked::new("region-skane", head, json!({ "id": child })))
        }
        "reviewBreakGlass" => {
            let opened = hub.caller("region-skane").opened(&child).await;
            let head = "$b: ID! | reviewBreakGlass(breakGlassId: $b, verdict: JUSTIFIED)";
            one(Asked::new("dataskydd", head, json!({ "b": opened["id"] })))
        }
        update => {
            let section = updated().find(|section| update == format!("update{}", section.type_name()));
            let section = section.unwrap_or_else(|| panic!("say here how `{update}` is asked for"));
            let head = format!(
                "$id: ID!, $v: String!, $set: {name}Patch | update{name}(childId: $id, expectedVersion: $v, set: $set)",
                name = section.type_name()
            );
            let mut ways = Vec::new();
            for persona in &PERSONAS {
                let shown = format!("{} {{ version }}", section.name());
                let query = format!("query($id: ID!) {{ child(id: $id) {{ {shown} }} }}");
                let seen = hub.caller(persona.code).ask_with(&query, json!({ "id": child })).await;
                let version = &seen.json["data"]["child"][section.name()]["version"];
                // The level that the sample names is the one that stands.
                let ids = written(section).filter(|id| version.is_string() && *id != field_of("protection.level"));
                ways.extend(ids.map(|id| {
                    let set = json!({ id.field().name: sample(hub, id, 1) });
                    Asked::new(persona.code, &head, json!({ "id": child, "v": version, "set": set }))
                }));
            }
            ways
        }
    }
}

async fn each_mutation_is_done_once_and_its_retry_shows_the_same_child(hub: Hub) {
    let schema = hub.caller("migrationsverket").ask("{ __schema { mutationType { fields { name } } } }").await;
    let fields = schema.data("/__schema/mutationType/fields").as_array().expect("a list").clone();
    assert!(fields.len() >= 18);
    for field in fields.iter().map(|field| field["name"].as_str().expect("a name")) {
        // What is refused leaves nothing of its key, so one key serves all ways.
        let mut done = None;
        let ways = ways(&hub, field).await;
        let before = moved(&hub).await;
        for asked in ways {
            let answer = asked.ask(&hub, field).await;
            if answer.json["errors"].is_null() {
                done = Some((asked, answer));
                break;
            }
        }
        let (asked, first) = done.unwrap_or_else(|| panic!("nobody may `{field}`"));
        let after = moved(&hub).await;
        // What is declined or decided changes no record, and a step no more than the handover.
        let more = (6..after.len()).any(|place| after[place] > before[place]);
        let changed = after[0] > before[0] || more || DECIDES.contains(&field) || HANDED.contains(&field);
        assert!(changed && after[5] == before[5] + 2, "{field}: {before:?} {after:?}");
        assert!(own_selection(field).is_some() || first.data(&format!("/{field}/child/id")).is_string());
        hub.wait(HOUR);
        let again = asked.ask(&hub, field).await;
        assert_eq!((again.status, &again.json), (first.status, &first.json), "{field}");
        assert_eq!(moved(&hub).await, after, "{field} was done twice");
        let (row, repeated) = (logged(&hub, &first).await, logged(&hub, &again).await);
        assert_eq!((&row["repeats"], &repeated["repeats"]), (&Value::Null, &json!(1)), "{field}");
        assert_eq!((&repeated["changes"], &repeated["shown"]), (&Value::Null, &row["shown"]), "{field}");
    }
}

async fn a_key_stands_for_one_request(hub: Hub) {
    let first = register(&hub, "k", "Amir").await;
    let child = registered(&first);
    let after = moved(&hub).await;
    let owner = under(&hub, "migrationsverket", "k");
    let other = REGISTER.replace("givenNames version", "version");
    let more = REGISTER.replacen("registerChild", "other: registerChild", 1);
    for refused in [
        register(&hub, "k", "Amira").await,
        owner.ask_with(&other, json!({ "name": "Amir" })).await,
        owner.ask_with(&more, json!({ "name": "Amir" })).await,
        owner.ask_with(REGISTER, json!({ "name": "Amir", "more": 1 })).await,
        // Not one that would be refused for something else, either.
        owner.ask_with(REGISTER, json!({ "name": "" })).await,
        owner.clone().purpose("PROTECT").ask_with(REGISTER, json!({ "name": "Amir" })).await,
    ] {
        assert_reused(&refused);
        assert_eq!(logged(&hub, &refused).await["refused"], json!(["IDEMPOTENCY_KEY_REUSED"]));
    }
    assert_eq!(moved(&hub).await, after);
    // A document is named by its operation, too, and variables have no order.
    let two = "mutation A($a: ID!, $b: Date!) { endIdentifier(childId: $a, identifierId: $a, to: $b) { child { id } } }
        mutation B { registerChild(input: { identity: { sex: MALE } }) { child { id } } }";
    let ask = |body: &str| {
        let request = under(&hub, "migrationsverket", "two").request(Value::Null);
        let (parts, _) = request.into_parts();
        hub.send(Request::from_parts(parts, Body::from(body.to_owned())))
    };
    let two = json!(two);
    let done =
        ask(&format!(r#"{{"query":{two},"operationName":"B","variables":{{"a":1,"b":{{"x":1,"y":2}}}}}}"#)).await;
    let same =
        ask(&format!(r#"{{"variables":{{"b":{{"y":2,"x":1}},"a":1}},"operationName":"B","query":{two}}}"#)).await;
    assert_eq!(registered(&done), registered(&same));
    let other =
        ask(&format!(r#"{{"query":{two},"operationName":"A","variables":{{"a":1,"b":{{"x":1,"y":2}}}}}}"#)).await;
    assert_reused(&other);
    assert_eq!(registered(&register(&hub, "k", "Amir").await), child, "and the first request still has its answer");
}

/// A token of a persona for another client, signed as the sandbox does.
async fn token(hub: &Hub, code: &str, client: &str) -> String {
    let rows = hub.rows("SELECT value FROM setting WHERE key = 'sandbox-key'").await;
    let key: String = rows[0].try_get_by_index(0).expect("a key");
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("sandbox".to_owned());
    let now = hub.now() / 1_000_000;
    let claims = json!({ "iss": format!("https://sandbox.samverka.invalid/{code}"), "aud": AUDIENCE, "sub": client,
        "client_id": client, "role": persona(code).role.code(), "iat": now, "exp": now + 60, "jti": "1" });
    let key = EncodingKey::from_ed_der(&BASE64.decode(key.as_bytes()).expect("base64"));
    jsonwebtoken::encode(&header, &claims, &key).expect("a token")
}

async fn a_key_means_something_to_one_client_only(hub: Hub) {
    let child = hub.child(Scene::default()).await.id;
    let mine = registered(&register(&hub, "k", "Amir").await);
    // Another agency, with another request: neither a conflict nor an answer of the first.
    let voice = hub.caller("malmo-soc").version(&child, Section::Voice).await;
    let mutation = "mutation($id: ID!, $v: String!) {
        updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"Skola\" }) { child { id } } }";
    let other = under(&hub, "malmo-soc", "k").ask_with(mutation, json!({ "id": child, "v": voice })).await;
    assert_eq!(other.data("/updateVoice/child/id"), child.as_str());
    // Another system of the same agency, with the same request.
    let mut children = BTreeSet::from([mine.clone()]);
    for client in ["second", "third", "second"] {
        let mut request =
            under(&hub, "migrationsverket", "k").request(json!({ "query": REGISTER, "variables": { "name": "Amir" } }));
        let bearer = format!("Bearer {}", token(&hub, "migrationsverket", client).await);
        request.headers_mut().insert("authorization", bearer.parse().expect("a header"));
        children.insert(registered(&hub.send(request).await));
    }
    assert_eq!(children.len(), 3);
    assert_eq!(registered(&register(&hub, "k", "Amir").await), mine);
}

async fn of_many_duplicates_at_once_one_is_done_and_all_are_answered(hub: Hub) {
    for field in ["registerChild", "updateVoice", "startPlacement"] {
        let ways = ways(&hub, field).await;
        let asked = ways.iter().find(|asked| field != "updateVoice" || asked.persona == "malmo-soc").expect("a way");
        let before = moved(&hub).await;
        let body = json!({ "query": asked.document, "variables": asked.variables });
        let requests = (0..16).map(|_| under(&hub, asked.persona, field).request(body.clone())).collect();
        let answers = hub.send_together(requests).await;
        let children: BTreeSet<String> =
            answers.iter().map(|answer| answer.data(&format!("/{field}/child")).to_string()).collect();
        assert_eq!(children.len(), 1, "{field}: {children:?}");
        let after = moved(&hub).await;
        let expected = if field == "registerChild" { 1 } else { 0 };
        assert_eq!((after[1] - before[1], after[5] - before[5]), (expected, 2), "{field}");
        let revisions = match field {
            "updateVoice" => 1,
            // Of the identity and the LMA card; of the placement before and of the new one.
            _ => 2,
        };
        assert_eq!(after[0] - before[0], revisions, "{field}");
    }
}

async fn of_many_requests_at_once_under_one_key_one_is_done(hub: Hub) {
    // Each has a root field of another name, too.
    let request = |n: usize| {
        let document = REGISTER.replacen("registerChild", &format!("a{n}: registerChild"), 1);
        let body = json!({ "query": document, "variables": { "name": "Amir" } });
        under(&hub, "migrationsverket", "k").request(body)
    };
    let answers = hub.send_together((0..16).map(request).collect()).await;
    let (done, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.json["errors"].is_null());
    assert_eq!((done.len(), refused.len()), (1, 15));
    refused.into_iter().for_each(assert_reused);
    assert_eq!(hub.count("child", "1 = 1").await, 1);
}

async fn a_retry_shows_what_its_caller_may_see_now(hub: Hub) {
    let scene = Scene {
        involved: vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE")],
        home: Some("hvb-landskrona"),
        ..Scene::default()
    };
    let child = hub.child(scene).await;
    hub.involve(child.uuid, "hvb-landskrona", "WHEREABOUTS", None).await;
    let version = hub.caller("hvb-landskrona").version(&child.id, Section::Placement).await;
    let shown = "id identity { givenNames } placement { dutyPhone street }";
    let mutation = format!(
        "mutation($id: ID!, $v: String!) {{ updatePlacement(childId: $id, expectedVersion: $v, set: {{ dutyPhone: \"+46701740605\" }}) {{
            child {{ {shown} }} }} }}"
    );
    let variables = json!({ "id": child.id, "v": version });
    let caller = under(&hub, "hvb-landskrona", "k");
    let first = caller.ask_with(&mutation, variables.clone()).await;
    let street = &child.canaries[&field_of("placement.street")];
    assert!(first.text.contains(street), "{}", first.text);
    assert_eq!(first.data("/updatePlacement/child/placement/dutyPhone"), "+46701740605");
    // Protected registration: the address is not to be had any more, by a retry as little as by a question.
    hub.sql("UPDATE protection SET level = 'REGISTERED', protected = true").await;
    let again = caller.ask_with(&mutation, variables.clone()).await;
    assert!(!again.text.contains(street), "{}", again.text);
    assert!(again.text.contains("\"street\":null") && !again.text.contains("REGISTERED"), "{}", again.text);
    let asked = format!("query($id: ID!) {{ child(id: $id) {{ {shown} }} }}");
    let asked = hub.caller("hvb-landskrona").ask_with(&asked, json!({ "id": child.id })).await;
    assert_eq!(again.data("/updatePlacement/child"), asked.data("/child"));
    // And when the child has moved away long ago, the agency does not know it any more.
    let long_ago = hub.now() - 100 * 24 * HOUR;
    hub.sql(&format!("UPDATE involvement SET closed_at = {long_ago} WHERE kind = 'WHEREABOUTS'")).await;
    hub.sql(&format!("DELETE FROM involvement WHERE kind = 'WHEREABOUTS' AND closed_at <> {long_ago}")).await;
    let gone = caller.ask_with(&mutation, variables).await;
    assert_eq!(gone.codes(), ["NOT_FOUND"], "{}", gone.text);
    assert!(!gone.text.contains("+46701740605") && hub.count("revision", "1 = 1").await == 1);
}

async fn a_change_that_was_never_answered_is_answered_when_it_is_repeated(hub: Hub) {
    let (block, unblock) = match hub.database.kind {
        Kind::Sqlite => {
            ("CREATE TRIGGER block BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'no'); END", "DROP TRIGGER block")
        }
        Kind::Postgres => (
            "ALTER TABLE ledger ADD CONSTRAINT block CHECK (seq < 0) NOT VALID",
            "ALTER TABLE ledger DROP CONSTRAINT block",
        ),
    };
    hub.sql(block).await;
    let unanswered = register(&hub, "k", "Amir").await;
    assert_eq!((unanswered.status.as_u16(), unanswered.codes()), (503, vec!["AUDIT_UNAVAILABLE"]));
    assert!(!unanswered.text.contains("Amir") && !unanswered.text.contains("child_"));
    assert_eq!(hub.count("child", "1 = 1").await, 1, "the change was made");
    hub.sql(unblock).await;
    let answer = register(&hub, "k", "Amir").await;
    assert_eq!(answer.data("/registerChild/child/identity/givenNames"), "Amir");
    assert_eq!(hub.count("child", "1 = 1").await, 1);
    let row = logged(&hub, &answer).await;
    assert_eq!((&row["repeats"], row["shown"].as_array().map(Vec::len)), (&json!(1), Some(1)));
}

async fn a_refused_mutation_leaves_its_key_free(hub: Hub) {
    let child = hub.child(Scene::default()).await.id;
    let stale = hub.caller("malmo-soc").version(&child, Section::Voice).await;
    hub.caller("malmo-soc").update(&child, Section::Voice, json!({ "wishes": "Först" }), &[]).await.data("");
    let mutation = "mutation($id: ID!, $v: String!) {
        updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"Sedan\" }) { child { id voice { wishes } } } }";
    let caller = under(&hub, "malmo-soc", "k");
    let refused = caller.ask_with(mutation, json!({ "id": child, "v": stale })).await;
    assert_eq!(refused.codes(), ["CONFLICT"]);
    assert_eq!(hub.count("idempotency", "1 = 1").await, 0);
    let fresh = hub.caller("malmo-soc").version(&child, Section::Voice).await;
    let answer = caller.ask_with(mutation, json!({ "id": child, "v": fresh })).await;
    assert_eq!(answer.data("/updateVoice/child/voice/wishes"), "Sedan");
    // A later change does not undo it, and neither does the retry: it shows what stands.
    hub.caller("malmo-soc").update(&child, Section::Voice, json!({ "wishes": "Sist" }), &[]).await.data("");
    let again = caller.ask_with(mutation, json!({ "id": child, "v": fresh })).await;
    assert_eq!(again.data("/updateVoice/child/voice/wishes"), "Sist");
}

async fn each_root_field_of_a_document_is_remembered_by_itself(hub: Hub) {
    let document = "mutation { a: registerChild(input: { identity: { givenNames: \"Amir\" } }) { child { id } }
        b: registerChild(input: { identity: { givenNames: \"Amir\" } }) { child { id } }
        c: registerChild(input: { identity: { citizenship: \"XX\" } }) { child { id } } }";
    let caller = under(&hub, "migrationsverket", "k");
    let first = caller.ask(document).await;
    assert_eq!(first.codes(), ["UNKNOWN_CODE"]);
    let data = &first.json["data"];
    assert!(data["a"]["child"]["id"].is_string() && data["a"] != data["b"] && data["c"].is_null(), "{}", first.text);
    let again = caller.ask(document).await;
    assert_eq!((&again.json, hub.count("child", "1 = 1").await), (&first.json, 2));
    assert_eq!(logged(&hub, &again).await["repeats"], 2);
    // What was refused is tried afresh: here the child is there by now.
    let child = hub.child(Scene { involved: vec![("migrationsverket", "LEAD")], ..Scene::default() }).await;
    hub.lead(child.uuid, "malmo-soc", hub.now() - 100 * 24 * HOUR).await;
    let document = "mutation($id: ID!) { a: registerChild(input: { identity: { sex: MALE } }) { child { id } }
        b: addIdentifier(childId: $id, identifier: { kind: LMA_CARD, value: \"12345678/9\" }) { child { id } } }";
    let caller = under(&hub, "migrationsverket", "partly");
    let partly = caller.ask_with(document, json!({ "id": child.id })).await;
    assert_eq!(partly.codes(), ["NOT_FOUND"]);
    hub.lead(child.uuid, "migrationsverket", hub.now()).await;
    let whole = caller.ask_with(document, json!({ "id": child.id })).await;
    assert_eq!(whole.data("/b/child/id"), child.id.as_str());
    assert_eq!(whole.data("/a"), &partly.json["data"]["a"]);
}

async fn a_key_is_one_string_or_token(hub: Hub) {
    let first = registered(&register(&hub, "8e03978e-40d5-43e8-bc93-6894a57f9324", "Amir").await);
    let quoted = registered(&register(&hub, "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "Amir").await);
    assert_eq!(first, quoted, "the quotes are no part of the key");
    let escaped = registered(&register(&hub, r#""a\"b\\c,d;e""#, "Amir").await);
    assert_eq!(escaped, registered(&register(&hub, r#""a\"b\\c,d;e""#, "Amir").await));
    let (longest, long) = ("k".repeat(255), "k".repeat(256));
    registered(&register(&hub, &longest, "Amir").await);
    let before = moved(&hub).await;
    for wrong in [
        "",
        "\"\"",
        " ",
        "a b",
        "\"a b\"",
        "a,b",
        "a;b",
        "\"a",
        "a\"",
        "\"a\"b\"",
        "\"a\\b\"",
        "\"a\\\"",
        "\"a\"; b=1",
        "\"a\", \"b\"",
        "å",
        "a\tb",
        &long,
        &format!("\"{long}\""),
    ] {
        let answer = register(&hub, wrong, "Amir").await;
        assert_eq!((answer.status.as_u16(), answer.codes()), (400, vec!["IDEMPOTENCY_KEY_INVALID"]), "{wrong}");
        assert!(!answer.text.contains("Amir"));
    }
    let caller = under(&hub, "migrationsverket", "one").header("idempotency-key", "one");
    let twice = caller.ask_with(REGISTER, json!({ "name": "Amir" })).await;
    assert_eq!((twice.status.as_u16(), twice.codes()), (400, vec!["IDEMPOTENCY_KEY_INVALID"]));
    assert_eq!(moved(&hub).await, before);
}

async fn keys_are_forgotten_after_72_hours(hub: Hub) {
    let first = registered(&register(&hub, "k", "Amir").await);
    hub.wait(72 * HOUR);
    assert_eq!(registered(&register(&hub, "k", "Amir").await), first);
    assert_reused(&register(&hub, "k", "Amira").await);
    hub.wait(1);
    // To the caller the key is free, for the same request and for another.
    let second = registered(&register(&hub, "k", "Amir").await);
    assert_ne!(first, second);
    assert_eq!(registered(&register(&hub, "k", "Amir").await), second);
    hub.wait(73 * HOUR);
    registered(&register(&hub, "k", "Amira").await);
    registered(&register(&hub, "other", "Amir").await);
    assert_eq!(hub.count("idempotency", "1 = 1").await, 4);
    // And the rows go, an hour later; those of younger keys stay. A hub looks when it starts.
    hub.wait(72 * HOUR);
    registered(&register(&hub, "young", "Amir").await);
    hub.wait(HOUR + 1);
    let now = hub.now();
    let clock = samverka_domain::clock::Clock::from_fn(move || now);
    let database = samverka_domain::hub::Database::connect(&hub.database.url).await.expect("connects");
    let issuers = Issuer::of(&database).await.expect("a sandbox").configs();
    let names = ("other", AUDIENCE, &issuers[..]);
    let _other = samverka::serve::service(database, Engine::embedded(), clock, names).await.expect("it starts");
    for _ in 0..100 {
        if hub.count("idempotency", "1 = 1").await == 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} rows are left", hub.count("idempotency", "1 = 1").await);
}

async fn the_database_keeps_neither_keys_nor_what_was_asked(hub: Hub) {
    let document = REGISTER.replacen("registerChild", "kanariefalt: registerChild", 1);
    let caller = under(&hub, "migrationsverket", "kanarienyckel-20100101");
    let answer = caller.ask_with(&document, json!({ "name": "Amir" })).await;
    let child = answer.data("/kanariefalt/child/id").as_str().expect("an id");
    for text in ["kanarienyckel", "20100101", "kanariefalt", child.trim_start_matches("child_")] {
        assert_eq!(hub.columns_holding(text).await, Vec::<String>::new(), "{text}");
    }
    assert_eq!(hub.count("idempotency", "1 = 1").await, 2);
}

async fn a_query_takes_no_notice_of_a_key(hub: Hub) {
    let caller = under(&hub, "migrationsverket", "k");
    for query in ["{ me { role } }", "{ me { purposes } }"] {
        caller.ask(query).await.data("/me");
    }
    assert_eq!(hub.count("idempotency", "1 = 1").await, 0);
    registered(&register(&hub, "k", "Amir").await);
}
