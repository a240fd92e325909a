//! Handovers over HTTP: who may take which step, what moves when, what the receiver learns before and after; and that the
//! database itself keeps one lead at every instant and one responsible agency at most.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild};
use proptest::prelude::{any, prop_assert, prop_assert_eq};
use proptest::test_runner::TestRunner;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use samverka_domain::catalogue::Section;
use samverka_domain::handover::{Kind, Party, State, Step, table};
use sea_orm::{ConnectionTrait, DbBackend, IsolationLevel, TransactionTrait, Value as Bound};
use serde_json::{Value, json};
use uuid::Uuid;

both! {
    an_assigned_child_is_the_boards_from_the_decision_and_led_by_it_from_the_arrival
    the_receiver_learns_of_the_offer_and_nothing_of_the_child
    what_strangers_ask_of_a_handover_is_not_found
    a_case_transfer_moves_responsibility_at_the_acceptance_and_the_lead_at_the_arrival
    an_overdue_arrival_is_put_off_with_a_reason_and_not_far
    who_left_and_did_not_come_is_not_withdrawn_in_silence
    a_search_that_ended_before_the_departure_ends_no_alarm
    where_the_responsible_board_does_not_lead_each_gives_what_it_has
    a_withdrawal_gives_responsibility_back
    a_replacement_moves_where_the_child_stays
    a_home_that_the_child_has_left_does_not_read_where_it_went
    free_words_of_a_handover_are_told_where_the_address_is
    of_a_child_with_protected_registration_no_place_is_kept
    a_change_of_chief_guardian_moves_its_tie
    who_comes_of_age_is_nobodys_responsibility
    what_is_wrong_is_refused_and_moves_nothing
    an_open_item_holds_the_departure_and_never_the_arrival
    readiness_says_what_the_receiver_then_sees
    readiness_names_the_items_that_a_proposal_would_bring
    who_answered_for_a_child_is_told_as_of_an_instant
    handovers_are_listed_in_pages_to_their_parties
    a_handover_ends_with_the_search_for_a_child_that_did_not_arrive
    a_step_that_is_not_possible_is_refused_in_its_own_words
    a_child_that_was_found_goes_on_to_whoever_awaits_it
    random_steps_of_random_callers_follow_the_table
    many_at_once_leave_one_lead
    the_database_keeps_the_lead_from_a_hostile_hand
    the_database_keeps_responsibility_from_a_hostile_hand
}

const SHOWN: &str = "handover { id state childId kind overdue urgent next reason from { code } to { code }
    details { contactName contactPhone decisionNumber escort note } receipt { section version } departedAt arrivedAt }
    child { id responsibility { leadAgency { code } responsibleAgency { code } } }";
const CONTACT: &str = "contactName: \"Ada Ek\", contactPhone: \"+46701740605\"";

/// What may tell where the child is.
const PLACE: &str = ", escort: \"Hemlig ledsagare\", note: \"Hemlig\"";

/// An instant so long from now, as GraphQL takes it.
fn ahead(hub: &Hub, micros: i64) -> String {
    let at = chrono::DateTime::from_timestamp_micros(hub.now() + micros).expect("an instant");
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn agency(hub: &Hub, persona: &str) -> String {
    hub.domain.agency_by_code(persona).expect("an agency").id.to_string()
}

/// An id that nothing has.
fn never(kind: &str) -> String {
    format!("{kind}_{}", data_encoding::BASE32_DNSSEC.encode(Uuid::from_u128(7).as_bytes()))
}

async fn propose(hub: &Hub, by: &str, child: &str, kind: &str, to: &str) -> Answer {
    propose_with(hub, by, child, kind, to, PLACE).await
}

async fn propose_with(hub: &Hub, by: &str, child: &str, kind: &str, to: &str, more: &str) -> Answer {
    let details = format!("{CONTACT}, decisionNumber: \"A-1\", decidedOn: \"2026-11-20\"{more}");
    let document = format!(
        "mutation {{ proposeHandover(childId: \"{child}\", kind: {kind}, toAgencyId: \"{}\", expectedAt: \"{}\",
            details: {{ {details} }}) {{ {SHOWN} }} }}",
        agency(hub, to),
        ahead(hub, 6 * HOUR)
    );
    hub.caller(by).ask(&document).await
}

/// A handover that was proposed.
async fn proposed(hub: &Hub, by: &str, child: &str, kind: &str, to: &str) -> String {
    let answer = propose(hub, by, child, kind, to).await;
    answer.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned()
}

async fn take_as(caller: &Caller<'_>, hub: &Hub, step: Step, id: &str) -> Answer {
    let more = match step {
        Step::Refuse | Step::Withdraw => ", reason: \"Det går inte.\"".to_owned(),
        Step::Reschedule => format!(", expectedAt: \"{}\", reason: \"Tåget är inställt.\"", ahead(hub, 12 * HOUR)),
        _ => String::new(),
    };
    let name = step.mutation();
    caller.ask(&format!("mutation {{ {name}(handoverId: \"{id}\"{more}) {{ {SHOWN} }} }}")).await
}

async fn take(hub: &Hub, by: &str, step: Step, id: &str) -> Answer {
    take_as(&hub.caller(by), hub, step, id).await
}

async fn taken(hub: &Hub, by: &str, step: Step, id: &str) -> Value {
    let answer = take(hub, by, step, id).await;
    answer.data(&format!("/{}", step.mutation())).clone()
}

/// Ticks off, behind the hub's back, what must be done before a departure.
async fn prepared(hub: &Hub) {
    hub.sql("UPDATE checklist_item SET state = 'DONE' WHERE about = 'HANDOVER'").await;
}

/// The agency that leads, and the one that is responsible, as the record says.
async fn answers(hub: &Hub, child: &TestChild) -> (Uuid, Option<Uuid>) {
    let rows =
        hub.rows("SELECT child_id, agency_id FROM involvement WHERE kind = 'RESPONSIBLE' AND closed_at IS NULL").await;
    let own = |row: &&sea_orm::QueryResult| row.try_get_by_index::<Uuid>(0).expect("a child") == child.uuid;
    let responsible = rows.iter().find(own).map(|row| row.try_get_by_index(1).expect("an agency"));
    let rows = hub.rows("SELECT id, lead_agency_id FROM child").await;
    (rows.iter().find(own).expect("the child").try_get_by_index(1).expect("a lead"), responsible)
}

async fn leads(hub: &Hub, child: &TestChild) -> Uuid {
    answers(hub, child).await.0
}

/// At every instant from the registration on one agency leads, and one at most is responsible: for every child.
async fn assert_one_at_every_instant(hub: &Hub) {
    for row in hub.rows("SELECT id, registered_at, lead_agency_id, lead_since FROM child").await {
        let child: Uuid = row.try_get_by_index(0).expect("an id");
        let mut next: i64 = row.try_get_by_index(1).expect("an instant");
        let ties = ties(hub, child).await;
        let leads: Vec<&Tie> = ties.iter().filter(|tie| tie.kind == "LEAD").collect();
        for lead in &leads {
            assert_eq!(lead.from, next, "a gap or an overlap of leads");
            next = lead.to.unwrap_or(i64::MAX);
            assert!(next > lead.from);
        }
        assert_eq!(next, i64::MAX, "somebody leads now");
        let last = leads.last().expect("a lead");
        let current = (row.try_get_by_index(2).expect("an agency"), row.try_get_by_index(3).expect("an instant"));
        assert_eq!((last.agency, last.from), current);
        let mut until = i64::MIN;
        for tie in ties.iter().filter(|tie| tie.kind == "RESPONSIBLE") {
            assert!(tie.from >= until, "two are responsible");
            until = tie.to.unwrap_or(i64::MAX);
        }
    }
}

struct Tie {
    agency: Uuid,
    kind: String,
    from: i64,
    to: Option<i64>,
}

async fn ties(hub: &Hub, child: Uuid) -> Vec<Tie> {
    let sql = "SELECT child_id, agency_id, kind, opened_at, closed_at FROM involvement ORDER BY opened_at, coalesce(closed_at, 9223372036854775807)";
    let rows = hub.rows(sql).await;
    let own = rows.iter().filter(|row| row.try_get_by_index::<Uuid>(0).expect("a child") == child);
    own.map(|row| Tie {
        agency: row.try_get_by_index(1).expect("an agency"),
        kind: row.try_get_by_index(2).expect("a kind"),
        from: row.try_get_by_index(3).expect("an instant"),
        to: row.try_get_by_index(4).expect("an instant"),
    })
    .collect()
}

async fn is_tied(hub: &Hub, child: &TestChild, persona: &str, kind: &str) -> bool {
    let own = hub.agency(persona);
    ties(hub, child.uuid).await.iter().any(|tie| tie.agency == own && tie.kind == kind && tie.to.is_none())
}

#[test]
fn the_table_of_handovers_is_current() {
    let kept = include_str!("golden/handovers.txt");
    assert!(kept == table(), "run `cargo run -- handovers > tests/hub/golden/handovers.txt` and read the diff");
}

#[test]
fn only_the_receiver_confirms_and_only_after_it_accepted() {
    let steps = proptest::collection::vec((0..8_usize, 0..3_usize), 0..30);
    let walk = |(steps, travels): (Vec<(usize, usize)>, bool)| {
        let (mut state, mut accepted) = (State::Offered, false);
        for (step, party) in steps {
            let (step, party) = (Step::ALL[step], [Party::From, Party::To, Party::Hub][party]);
            let Ok(next) = state.after(step, party, travels) else { continue };
            prop_assert!(!state.has_ended());
            accepted |= step == Step::Accept && party == Party::To;
            prop_assert!(next != State::Arrived || (party == Party::To && accepted));
            prop_assert!(next != State::Travelling || (travels && accepted));
            prop_assert_eq!(next.has_ended(), step.ends());
            state = next;
        }
        Ok(())
    };
    TestRunner::default().run(&(steps, any::<bool>()), walk).expect("holds");
}

async fn an_assigned_child_is_the_boards_from_the_decision_and_led_by_it_from_the_arrival(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let document = format!(
        "mutation {{ assignMunicipality(childId: \"{}\", municipality: \"1282\", decisionNumber: \"MIG-77\",
            decidedOn: \"2026-11-19\", expectedAt: \"{}\", details: {{ {CONTACT} }}) {{ {SHOWN} }} }}",
        child.id,
        ahead(&hub, 6 * HOUR)
    );
    let assigned = hub.caller("migrationsverket").ask(&document).await;
    let assigned = assigned.data("/assignMunicipality").clone();
    assert_eq!(assigned["child"]["responsibility"]["responsibleAgency"]["code"], "landskrona-soc");
    assert_eq!(assigned["child"]["responsibility"]["leadAgency"]["code"], "migrationsverket");
    assert_eq!(
        (&assigned["handover"]["kind"], &assigned["handover"]["state"]),
        (&json!("ASSIGNMENT"), &json!("OFFERED"))
    );
    let f25 = "responsibility { assignedMunicipality assignmentDecision assignedOn revisions(first: 1) { by { code } changes { field } } }";
    let seen = hub.caller("landskrona-soc").sees(&child.id, f25).await;
    let told = &seen["responsibility"];
    assert_eq!((&told["assignedMunicipality"], &told["assignmentDecision"]), (&json!("1282"), &json!("MIG-77")));
    assert_eq!(told["revisions"][0]["by"]["code"], "migrationsverket");
    assert_eq!(told["revisions"][0]["changes"].as_array().expect("a list").len(), 3);
    assert_eq!(answers(&hub, &child).await, (hub.agency("migrationsverket"), Some(hub.agency("landskrona-soc"))));

    let id = assigned["handover"]["id"].as_str().expect("an id");
    taken(&hub, "landskrona-soc", Step::Accept, id).await;
    assert!(is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    hub.wait(HOUR);
    prepared(&hub).await;
    taken(&hub, "migrationsverket", Step::Depart, id).await;
    assert_eq!(leads(&hub, &child).await, hub.agency("migrationsverket"), "who travels is still led by the sender");
    hub.wait(HOUR);
    let versions = "identity { version } health { version } asylum { version } identifiers { version } responsibility { version } placement { version }";
    let document = format!(
        "mutation {{ confirmArrival(handoverId: \"{id}\") {{ handover {{ state next receipt {{ section version }} }} child {{ {versions} }} }} }}"
    );
    let arrived = hub.caller("landskrona-soc").ask(&document).await;
    let arrived = arrived.data("/confirmArrival").clone();
    assert_eq!((&arrived["handover"]["state"], &arrived["handover"]["next"]), (&json!("ARRIVED"), &json!([])));
    // The receipt holds the versions that the same answer shows, and is kept.
    let receipt = arrived["handover"]["receipt"].as_array().expect("a list").clone();
    for (section, seen) in arrived["child"].as_object().expect("a child") {
        let line = receipt.iter().find(|line| line["section"] == json!(section)).unwrap_or_else(|| panic!("{section}"));
        assert_eq!(line["version"], seen["version"], "{section}");
    }
    let again = hub
        .caller("landskrona-soc")
        .ask(&format!("{{ handover(id: \"{id}\") {{ receipt {{ section version }} }} }}"))
        .await;
    assert_eq!(again.data("/handover/receipt"), &json!(receipt));

    assert_eq!(answers(&hub, &child).await, (hub.agency("landskrona-soc"), Some(hub.agency("landskrona-soc"))));
    assert!(!is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    assert!(is_tied(&hub, &child, "migrationsverket", "INVOLVED").await, "the asylum case goes on");
    assert_one_at_every_instant(&hub).await;
    assert_eq!(hub.listed_wrongly().await, 0);
    // A board that leads already is handed nothing over.
    let document = document_of_assignment(&hub, &child.id, "1282");
    let settled = hub.caller("migrationsverket").ask(&document).await;
    assert_eq!(settled.data("/assignMunicipality/handover"), &Value::Null);
}

fn document_of_assignment(hub: &Hub, child: &str, municipality: &str) -> String {
    format!(
        "mutation {{ assignMunicipality(childId: \"{child}\", municipality: \"{municipality}\", decisionNumber: \"MIG-78\",
            decidedOn: \"2026-11-20\", expectedAt: \"{}\", details: {{ {CONTACT} }}) {{ {SHOWN} }} }}",
        ahead(hub, 6 * HOUR)
    )
}

async fn the_receiver_learns_of_the_offer_and_nothing_of_the_child(hub: Hub) {
    let mut offers = Vec::new();
    for protection in ["NONE", "MARKED", "REGISTERED"] {
        let child = hub.child(Scene { protection, ..Scene::default() }).await;
        // Of a protected registration no words are taken that may tell where the child is.
        let note = if protection == "REGISTERED" { "" } else { PLACE };
        let offer = async || {
            let answer = propose_with(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc", note).await;
            answer.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned()
        };
        let id = offer().await;
        let receiver = hub.caller("landskrona-soc");
        let list = receiver.ask("{ handovers(first: 1) { nodes { childId state kind urgent next reason overdue from { code } to { code }
            details { contactName contactPhone decisionNumber decidedOn escort ticket meeting unit note } receipt { section } } } }").await;
        let offered = list.data("/handovers/nodes/0").clone();
        assert_eq!(offered["childId"], Value::Null);
        assert_eq!(
            offered["details"],
            json!({ "contactName": "Ada Ek", "contactPhone": "+46701740605", "decisionNumber": null,
            "decidedOn": null, "escort": null, "ticket": null, "meeting": null, "unit": null, "note": null })
        );
        assert_eq!(offered["next"], json!(["acceptHandover", "refuseHandover"]));
        let one = receiver.ask(&format!("{{ handover(id: \"{id}\") {{ childId details {{ escort note }} }} }}")).await;
        assert_eq!(one.data("/handover/childId"), &Value::Null);
        for answer in [&list, &one] {
            let told = child.canaries.values().find(|canary| answer.text.contains(canary.as_str()));
            assert!(
                told.is_none() && !answer.text.contains(&child.id) && !answer.text.contains("Hemlig"),
                "{}",
                answer.text
            );
        }
        let ask = format!("{{ child(id: \"{}\") {{ id }} }}", child.id);
        assert_eq!(receiver.ask(&ask).await.codes(), ["NOT_FOUND"]);
        // It was shown that there is a child: that is in the log.
        let logged = hub.rows("SELECT record FROM ledger").await;
        let logged: Vec<String> = logged.iter().map(|row| row.try_get_by_index(0).expect("a record")).collect();
        let own = agency(&hub, "landskrona-soc");
        assert!(logged.iter().any(|row| row.contains(&child.subject.to_string()) && row.contains(&own)));
        // Who refuses has learnt nothing.
        let refused = taken(&hub, "landskrona-soc", Step::Refuse, &id).await;
        assert_eq!((&refused["child"], &refused["handover"]["childId"]), (&Value::Null, &Value::Null));
        assert_eq!(
            (&refused["handover"]["reason"], &refused["handover"]["details"]["note"]),
            (&json!("Det går inte."), &Value::Null)
        );
        assert_eq!(receiver.ask(&ask).await.codes(), ["NOT_FOUND"]);
        // Who accepts reads, until it is taken back.
        let id = offer().await;
        let accepted = taken(&hub, "landskrona-soc", Step::Accept, &id).await;
        assert_eq!(accepted["child"]["id"], json!(child.id));
        let told = if note.is_empty() { Value::Null } else { json!("Hemlig") };
        assert_eq!(accepted["handover"]["details"]["note"], told);
        hub.wait(HOUR);
        taken(&hub, "migrationsverket", Step::Withdraw, &id).await;
        assert!(!is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
        offers.push(offered);
        hub.wait(1);
    }
    assert!(
        offers.windows(2).all(|pair| pair[0] == pair[1]),
        "an offer of a protected child tells no more and no less: {offers:?}"
    );
}

async fn what_strangers_ask_of_a_handover_is_not_found(hub: Hub) {
    let child = hub
        .child(Scene {
            involved: vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("polisen", "INVOLVED")],
            ..Scene::default()
        })
        .await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let never = never("handover");
    for stranger in ["malmo-soc", "polisen", "hvb-malmo", "radda-barnen", "dataskydd", "lansstyrelsen-skane", "skola"] {
        let caller = hub.caller(stranger);
        for id in [&id, &never] {
            assert_eq!(
                caller.ask(&format!("{{ handover(id: \"{id}\") {{ id }} }}")).await.codes(),
                ["NOT_FOUND"],
                "{stranger}"
            );
            for step in Step::ALL.into_iter().filter(|step| *step != Step::Close) {
                let (real, none) = (take(&hub, stranger, step, id).await, take(&hub, stranger, step, &never).await);
                assert_eq!((real.codes(), &real.json), (vec!["NOT_FOUND"], &none.json), "{stranger} {step:?}");
            }
        }
        let list = caller.ask("{ handovers { nodes { id } } }").await;
        assert_eq!(list.data("/handovers/nodes"), &json!([]), "{stranger}");
    }
    assert_eq!(hub.count("handover", "state = 'OFFERED'").await, 1);
    assert_eq!(
        hub.caller("migrationsverket").without_purpose().ask("{ handovers { nodes { id } } }").await.codes(),
        ["PURPOSE_REQUIRED"]
    );
}

async fn a_case_transfer_moves_responsibility_at_the_acceptance_and_the_lead_at_the_arrival(hub: Hub) {
    let child = hub
        .child(Scene { involved: vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")], ..Scene::default() })
        .await;
    let document = format!(
        "mutation {{ transferCase(childId: \"{}\", toAgencyId: \"{}\", expectedAt: \"{}\", details: {{ {CONTACT} }}) {{ {SHOWN} }} }}",
        child.id,
        agency(&hub, "landskrona-soc"),
        ahead(&hub, 6 * HOUR)
    );
    let offered = hub.caller("malmo-soc").ask(&document).await;
    assert_eq!(offered.data("/transferCase/handover/kind"), "CASE_TRANSFER");
    let id = offered.data("/transferCase/handover/id").as_str().expect("an id").to_owned();
    let (malmo, landskrona) = (hub.agency("malmo-soc"), hub.agency("landskrona-soc"));
    assert_eq!(answers(&hub, &child).await, (malmo, Some(malmo)));
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    assert_eq!(answers(&hub, &child).await, (malmo, Some(landskrona)));
    // A child that stands at the door has arrived, whoever forgot to record its departure.
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!(answers(&hub, &child).await, (landskrona, Some(landskrona)));
    assert_one_at_every_instant(&hub).await;
    // The sender reads for ninety days, and then no more.
    let ask = format!("{{ child(id: \"{}\") {{ id }} }}", child.id);
    hub.wait(89 * DAY);
    hub.caller("malmo-soc").ask(&ask).await.data("/child/id");
    hub.wait(2 * DAY);
    assert_eq!(hub.caller("malmo-soc").ask(&ask).await.codes(), ["NOT_FOUND"]);
    let kept = hub
        .caller("malmo-soc")
        .ask(&format!(
            "{{ handover(id: \"{id}\") {{ state childId details {{ note escort }} receipt {{ section }} }} }}"
        ))
        .await;
    assert_eq!(
        kept.data("/handover"),
        &json!({ "state": "ARRIVED", "childId": null, "details": { "note": null, "escort": null }, "receipt": [] })
    );
}

/// A handover that was accepted, by which the child did not arrive; and the missing episode that was opened then.
async fn lost_on_the_way(hub: &Hub, child: &TestChild) -> (String, String) {
    let id = proposed(hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(hub, "landskrona-soc", Step::Accept, &id).await;
    prepared(hub).await;
    taken(hub, "migrationsverket", Step::Depart, &id).await;
    hub.wait(7 * HOUR);
    taken(hub, "landskrona-soc", Step::ReportNotArrived, &id).await;
    let episode = hub.caller("malmo-soc").reports(&child.id).await;
    (id, episode)
}

/// A child is found, and safe.
async fn found(hub: &Hub, child: &TestChild) {
    let at = ahead(hub, -HOUR / 60);
    let located = format!("markLocated(childId: \"{}\", at: \"{at}\")", child.id);
    hub.caller("malmo-soc").takes(&located).await.data("/markLocated/episode/id");
    hub.caller("malmo-soc").takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("/markSafe");
}

async fn closes(hub: &Hub, episode: &str) {
    let close = format!("closeEpisode(episodeId: \"{episode}\", reason: \"Nämnden avslutar.\")");
    assert_eq!(hub.caller("malmo-soc").takes(&close).await.data("/closeEpisode/episode/state"), "CLOSED");
}

/// The state of a handover, as a party is told, and what it can do next.
async fn stands(hub: &Hub, party: &str, id: &str) -> Value {
    hub.caller(party).ask(&format!("{{ handover(id: \"{id}\") {{ state next }} }}")).await.data("/handover").clone()
}

/// The kinds of what a caller hears, and the handovers that they are about.
async fn hears(hub: &Hub, persona: &str) -> Vec<(String, Value)> {
    let heard = hub.caller(persona).ask("{ changes(first: 100) { nodes { kind handoverId } } }").await;
    let nodes = heard.data("/changes/nodes").as_array().expect("a list").clone();
    nodes
        .into_iter()
        .map(|node| (node["kind"].as_str().expect("a kind").to_owned(), node["handoverId"].clone()))
        .collect()
}

async fn a_handover_ends_with_the_search_for_a_child_that_did_not_arrive(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (id, episode) = lost_on_the_way(&hub, &child).await;
    assert!(is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    closes(&hub, &episode).await;
    for party in ["migrationsverket", "landskrona-soc"] {
        assert_eq!(stands(&hub, party, &id).await, json!({ "state": "CLOSED", "next": [] }), "{party}");
        let heard = hears(&hub, party).await;
        assert!(heard.contains(&("HANDOVER_CLOSED".to_owned(), json!(id))), "{party}: {heard:?}");
    }
    assert!(hears(&hub, "malmo-soc").await.iter().any(|(kind, _)| kind == "EPISODE_CLOSED"));
    assert!(!is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    assert_eq!(leads(&hub, &child).await, hub.agency("migrationsverket"));
    assert_one_at_every_instant(&hub).await;
    assert_eq!(hub.listed_wrongly().await, 0);
    let refused = take(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!((refused.codes(), &refused.error()["state"]), (vec!["CONFLICT"], &json!("CLOSED")));
    // No alarm is left of it, and each of its events has a number of its own.
    assert_eq!(hub.count("deadline", "about = 'HANDOVER' AND fired_at IS NULL AND cancelled_at IS NULL").await, 0);
    assert_eq!(hub.count("event e", "e.sequence > (SELECT c.sequence FROM child c WHERE c.id = e.child_id)").await, 0);
    assert_eq!(
        hub.count("event", "1 = 1").await,
        hub.rows("SELECT sequence FROM child").await[0].try_get_by_index::<i64>(0).expect("a number")
    );
    // And the child can be handed over anew.
    proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
}

async fn a_step_that_is_not_possible_is_refused_in_its_own_words(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let early = take(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!(early.codes(), ["CONFLICT"]);
    let said = early.json["errors"][0]["message"].as_str().expect("a sentence").to_owned();
    assert_eq!(
        said,
        "this step is not possible in the state `OFFERED`; you can go on with `acceptHandover`, `refuseHandover`; nothing was written"
    );
    let swedish = early.error()["sv"].as_str().expect("a sentence");
    assert!(swedish.contains("`OFFERED`") && swedish.contains("`acceptHandover`") && !swedish.contains("avsnitt"));
    assert!(early.error()["remedy"].as_str().is_some_and(|remedy| remedy.contains("extensions.next")));
    let others = take(&hub, "migrationsverket", Step::Accept, &id).await;
    assert_eq!(others.codes(), ["FORBIDDEN"]);
    let said = others.json["errors"][0]["message"].as_str().expect("a sentence");
    assert!(said.starts_with("this step is another party's in the state `OFFERED`"), "{said}");
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    let held = take(&hub, "migrationsverket", Step::Depart, &id).await;
    let said = held.json["errors"][0]["message"].as_str().expect("a sentence");
    assert!(said.starts_with("this step waits for what `extensions.expected` names in the state `ACCEPTED`"), "{said}");
    // A section that has changed is still told of as one.
    let update = "mutation($id: ID!) { updateVoice(childId: $id, expectedVersion: \"gammal\",
        set: { wishes: \"Vill bo kvar.\" }) { child { id } } }";
    let stale = hub.caller("malmo-soc").ask_with(update, json!({ "id": child.id })).await;
    assert_eq!(stale.codes(), ["CONFLICT"]);
    assert!(stale.json["errors"][0]["message"].as_str().is_some_and(|said| said.contains("the section has changed")));
}

async fn a_child_that_was_found_goes_on_to_whoever_awaits_it(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (id, episode) = lost_on_the_way(&hub, &child).await;
    hub.wait(HOUR);
    found(&hub, &child).await;
    assert_eq!(stands(&hub, "landskrona-soc", &id).await["state"], "NOT_ARRIVED", "to find a child ends nothing");
    taken(&hub, "landskrona-soc", Step::Reschedule, &id).await;
    closes(&hub, &episode).await;
    assert_eq!(stands(&hub, "landskrona-soc", &id).await["state"], "ACCEPTED");
    assert!(is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!(leads(&hub, &child).await, hub.agency("landskrona-soc"));
    // Of one who was found, and whom nobody awaits, it ends.
    let child = hub.child(Scene::default()).await;
    let (id, episode) = lost_on_the_way(&hub, &child).await;
    hub.wait(HOUR);
    found(&hub, &child).await;
    closes(&hub, &episode).await;
    assert_eq!(stands(&hub, "migrationsverket", &id).await["state"], "CLOSED");
    assert_eq!(leads(&hub, &child).await, hub.agency("migrationsverket"));
    assert_one_at_every_instant(&hub).await;
}

/// Whether the child is overdue, as a party is told, and which alarms of its handover have fired.
async fn alarms(hub: &Hub, id: &str) -> (bool, Vec<String>) {
    hub.domain.run_deadlines().await.expect("the database answers");
    let told = hub.caller("landskrona-soc").ask(&format!("{{ handover(id: \"{id}\") {{ overdue }} }}")).await;
    let fired = "SELECT step FROM deadline WHERE about = 'HANDOVER' AND fired_at IS NOT NULL ORDER BY due_at";
    let fired = hub.rows(fired).await;
    let fired = fired.iter().map(|row| row.try_get_by_index(0).expect("a step")).collect();
    (told.data("/handover/overdue").as_bool().expect("a flag"), fired)
}

async fn an_overdue_arrival_is_put_off_with_a_reason_and_not_far(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    let put_off = async |hours: i64, more: &str| {
        let at = ahead(&hub, hours * HOUR);
        let document = format!(
            "mutation {{ rescheduleHandover(handoverId: \"{id}\", expectedAt: \"{at}\"{more}) {{ handover {{ state }} }} }}"
        );
        hub.caller("landskrona-soc").ask(&document).await
    };
    const WHY: &str = ", reason: \"Tåget är inställt.\"";
    let county = async || {
        let listed = hub.caller("lansstyrelsen-skane").ask("{ overdueHandovers { nodes { kind } } }").await;
        listed.data("/overdueHandovers/nodes").as_array().expect("a list").len()
    };
    // Until it leaves the parties agree on another day as they like.
    put_off(24 * 7, "").await.data("/rescheduleHandover/handover/state");
    put_off(5, "").await.data("/rescheduleHandover/handover/state");
    prepared(&hub).await;
    taken(&hub, "migrationsverket", Step::Depart, &id).await;
    // From then on nobody knows where it is until it comes.
    put_off(30, "").await.assert_refused(&[("REQUIRED", "reason"), ("DATE_ORDER", "expectedAt")], "it has left");
    put_off(6, "").await.assert_refused(&[("REQUIRED", "reason")], "it has left");
    put_off(6, WHY).await.data("/rescheduleHandover/handover/state");
    hub.wait(7 * HOUR);
    assert_eq!((alarms(&hub, &id).await, county().await), ((true, vec!["OVERDUE".to_owned()]), 0));
    put_off(364 * 24, "").await.assert_refused(&[("REQUIRED", "reason"), ("DATE_ORDER", "expectedAt")], "a year");
    put_off(25, WHY).await.assert_refused(&[("DATE_ORDER", "expectedAt")], "too far");
    put_off(24, WHY).await.data("/rescheduleHandover/handover/state");
    // It is overdue still, the county is told when it was to be, and put off again it stays so.
    hub.wait(3 * HOUR);
    assert_eq!(alarms(&hub, &id).await, (true, vec!["COUNTY".to_owned()]));
    put_off(48, WHY).await.assert_refused(&[("DATE_ORDER", "expectedAt")], "again");
    hub.wait(8 * HOUR);
    assert_eq!(alarms(&hub, &id).await, (true, vec!["COUNTY".to_owned(), "EPISODE".to_owned()]));
    // What has fired is set anew.
    assert_eq!(county().await, 1);
    put_off(1, WHY).await.data("/rescheduleHandover/handover/state");
    assert_eq!(alarms(&hub, &id).await.1, [""; 0]);
    assert_eq!(county().await, 1, "nobody takes it off the county's list by another hour");
    hub.wait(13 * HOUR);
    assert_eq!(alarms(&hub, &id).await.1, ["OVERDUE", "COUNTY", "EPISODE"]);
    // Once it is known to be missing, that is the alarm.
    hub.caller("malmo-soc").reports(&child.id).await;
    put_off(7 * 24, "").await.assert_refused(&[("REQUIRED", "reason")], "no reason");
    put_off(7 * 24, WHY).await.data("/rescheduleHandover/handover/state");
    assert!(!alarms(&hub, &id).await.0);
    assert_eq!(county().await, 0);
}

async fn a_search_that_ended_before_the_departure_ends_no_alarm(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let episode = hub.caller("malmo-soc").reports(&child.id).await;
    found(&hub, &child).await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    prepared(&hub).await;
    hub.wait(HOUR);
    taken(&hub, "migrationsverket", Step::Depart, &id).await;
    hub.wait(7 * HOUR);
    taken(&hub, "landskrona-soc", Step::ReportNotArrived, &id).await;
    assert_eq!(alarms(&hub, &id).await, (true, vec!["OVERDUE".to_owned()]));
    // That it was safe before it left tells nobody where it is.
    assert_eq!(take(&hub, "migrationsverket", Step::Withdraw, &id).await.codes(), ["CONFLICT"]);
    let far = ahead(&hub, 48 * HOUR);
    let far = format!(
        "mutation {{ rescheduleHandover(handoverId: \"{id}\", expectedAt: \"{far}\", reason: \"Senare.\") {{ handover {{ state }} }} }}"
    );
    hub.caller("migrationsverket").ask(&far).await.assert_refused(&[("DATE_ORDER", "expectedAt")], "too far");
    let early = ahead(&hub, -15 * HOUR / 2);
    let early = format!(
        "mutation {{ recordDeparture(handoverId: \"{id}\", departedAt: \"{early}\") {{ handover {{ state }} }} }}"
    );
    hub.caller("migrationsverket").ask(&early).await.assert_refused(&[("DATE_ORDER", "departedAt")], "it left later");
    closes(&hub, &episode).await;
    assert_eq!(stands(&hub, "landskrona-soc", &id).await["state"], "NOT_ARRIVED");
    assert!(is_tied(&hub, &child, "landskrona-soc", "RECEIVING").await);
    hub.wait(12 * HOUR);
    assert_eq!(alarms(&hub, &id).await.1, ["OVERDUE", "COUNTY", "EPISODE"]);
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
}

async fn who_left_and_did_not_come_is_not_withdrawn_in_silence(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    prepared(&hub).await;
    taken(&hub, "migrationsverket", Step::Depart, &id).await;
    hub.wait(7 * HOUR);
    taken(&hub, "migrationsverket", Step::ReportNotArrived, &id).await;
    let silent = async || {
        let refused = take(&hub, "migrationsverket", Step::Withdraw, &id).await;
        assert_eq!(refused.codes(), ["CONFLICT"]);
        assert!(refused.error()["expected"].as_str().is_some_and(|wanted| wanted.contains("missing episode")));
        assert!(!refused.error()["next"].as_array().expect("a list").contains(&json!("withdrawHandover")));
    };
    silent().await;
    // Nor by way of a new day.
    taken(&hub, "migrationsverket", Step::Reschedule, &id).await;
    silent().await;
    hub.caller("malmo-soc").reports(&child.id).await;
    let withdrawn = taken(&hub, "migrationsverket", Step::Withdraw, &id).await;
    assert_eq!(withdrawn["handover"]["state"], "WITHDRAWN");
    // Who stays with a home again is not missing, either.
    let involved = vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let id = proposed(&hub, "malmo-soc", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    prepared(&hub).await;
    taken(&hub, "malmo-soc", Step::Depart, &id).await;
    hub.wait(7 * HOUR);
    taken(&hub, "landskrona-soc", Step::ReportNotArrived, &id).await;
    assert_eq!(take(&hub, "malmo-soc", Step::Withdraw, &id).await.codes(), ["CONFLICT"]);
    let home = proposed(&hub, "malmo-soc", &child.id, "REPLACEMENT", "hvb-malmo").await;
    taken(&hub, "hvb-malmo", Step::Accept, &home).await;
    taken(&hub, "hvb-malmo", Step::Arrive, &home).await;
    taken(&hub, "malmo-soc", Step::Withdraw, &id).await;
}

async fn where_the_responsible_board_does_not_lead_each_gives_what_it_has(hub: Hub) {
    let (malmo, landskrona) = (hub.agency("malmo-soc"), hub.agency("landskrona-soc"));
    let apart = async || {
        let involved = vec![("malmo-soc", "LEAD"), ("landskrona-soc", "RESPONSIBLE")];
        hub.child(Scene { involved, ..Scene::default() }).await
    };
    let child = apart().await;
    // Nobody takes the lead from another by handing over to itself.
    for by in ["malmo-soc", "landskrona-soc"] {
        for kind in ["CASE_TRANSFER", "ASSIGNMENT"] {
            let own = propose(&hub, by, &child.id, kind, by).await;
            assert!(matches!(own.codes()[..], ["INVALID_INPUT" | "FORBIDDEN"]), "{by} {kind}: {}", own.text);
        }
    }
    // The responsible board gives its part back to the lead, which then answers for both.
    let id = proposed(&hub, "landskrona-soc", &child.id, "CASE_TRANSFER", "malmo-soc").await;
    taken(&hub, "malmo-soc", Step::Accept, &id).await;
    assert_eq!(answers(&hub, &child).await, (malmo, Some(malmo)));
    taken(&hub, "malmo-soc", Step::Arrive, &id).await;
    assert_eq!(answers(&hub, &child).await, (malmo, Some(malmo)));
    // And the lead gives its own to the responsible board.
    let child = apart().await;
    let id = proposed(&hub, "malmo-soc", &child.id, "CASE_TRANSFER", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    assert_eq!(answers(&hub, &child).await, (malmo, Some(landskrona)));
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!(answers(&hub, &child).await, (landskrona, Some(landskrona)));
    assert_one_at_every_instant(&hub).await;
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn a_withdrawal_gives_responsibility_back(hub: Hub) {
    let (malmo, landskrona) = (hub.agency("malmo-soc"), hub.agency("landskrona-soc"));
    for (involved, before) in
        [(vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")], Some(malmo)), (vec![("malmo-soc", "LEAD")], None)]
    {
        let child = hub.child(Scene { involved, ..Scene::default() }).await;
        let id = proposed(&hub, "malmo-soc", &child.id, "CASE_TRANSFER", "landskrona-soc").await;
        taken(&hub, "landskrona-soc", Step::Accept, &id).await;
        assert_eq!(answers(&hub, &child).await, (malmo, Some(landskrona)));
        hub.wait(HOUR);
        taken(&hub, "malmo-soc", Step::Withdraw, &id).await;
        assert_eq!(answers(&hub, &child).await, (malmo, before));
    }
    // Whoever was responsible before the offer stays so.
    let involved = vec![("malmo-soc", "LEAD"), ("landskrona-soc", "RESPONSIBLE")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let id = proposed(&hub, "malmo-soc", &child.id, "CASE_TRANSFER", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    taken(&hub, "malmo-soc", Step::Withdraw, &id).await;
    assert_eq!(answers(&hub, &child).await, (malmo, Some(landskrona)));
    assert_one_at_every_instant(&hub).await;
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn a_replacement_moves_where_the_child_stays(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let id = proposed(&hub, "malmo-soc", &child.id, "REPLACEMENT", "hvb-landskrona").await;
    // Another one moves something else.
    proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let again = propose(&hub, "malmo-soc", &child.id, "REPLACEMENT", "hvb-landskrona").await;
    assert_eq!((again.codes(), &again.error()["state"]), (vec!["CONFLICT"], &json!("OFFERED")));
    taken(&hub, "hvb-landskrona", Step::Accept, &id).await;
    prepared(&hub).await;
    taken(&hub, "hvb-malmo", Step::Depart, &id).await;
    assert!(is_tied(&hub, &child, "hvb-malmo", "WHEREABOUTS").await);
    hub.wait(HOUR);
    taken(&hub, "hvb-landskrona", Step::Arrive, &id).await;
    assert!(
        is_tied(&hub, &child, "hvb-landskrona", "WHEREABOUTS").await
            && !is_tied(&hub, &child, "hvb-malmo", "WHEREABOUTS").await
    );
    assert_eq!(leads(&hub, &child).await, hub.agency("migrationsverket"));
    assert_one_at_every_instant(&hub).await;
    assert_eq!(hub.listed_wrongly().await, 0);
}

const PLACES: &str = "to { code } acceptedAt departedAt arrivedAt endedAt reason
    details { contactName decisionNumber escort ticket meeting unit note } receipt { section }";

/// A re-placement from Malmö to Landskrona that tells where the child goes.
async fn replaced(hub: &Hub, child: &TestChild) -> String {
    let document = format!(
        "mutation {{ proposeHandover(childId: \"{}\", kind: REPLACEMENT, toAgencyId: \"{}\", expectedAt: \"{}\",
            details: {{ {CONTACT}, unit: \"Hemliga huset\", meeting: \"Storgatan 4\" }}) {{ handover {{ id }} }} }}",
        child.id,
        agency(hub, "hvb-landskrona"),
        ahead(hub, 6 * HOUR)
    );
    let answer = hub.caller("malmo-soc").ask(&document).await;
    answer.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned()
}

async fn a_home_that_the_child_has_left_does_not_read_where_it_went(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let id = replaced(&hub, &child).await;
    let asked = format!("{{ handover(id: \"{id}\") {{ state {PLACES} }} }}");
    let told = async |by: &str| hub.caller(by).ask(&asked).await.data("/handover").clone();
    // Who sends the child on its way knows where to.
    taken(&hub, "hvb-landskrona", Step::Accept, &id).await;
    prepared(&hub).await;
    assert_eq!(told("hvb-malmo").await["to"]["code"], "hvb-landskrona");
    taken(&hub, "hvb-malmo", Step::Depart, &id).await;
    hub.wait(HOUR);
    let confirm = format!("mutation {{ confirmArrival(handoverId: \"{id}\") {{ handover {{ {PLACES} }} }} }}");
    let confirmed = hub.caller("hvb-landskrona").ask(&confirm).await;
    let confirmed = confirmed.data("/confirmArrival/handover");
    assert!(confirmed["arrivedAt"].is_string() && confirmed["receipt"].as_array().is_some_and(|list| !list.is_empty()));
    assert_eq!(confirmed["details"]["unit"], "Hemliga huset");

    let left = told("hvb-malmo").await;
    let (nothing, board) = (&Value::Null, told("malmo-soc").await);
    for part in ["to", "acceptedAt", "departedAt", "arrivedAt", "endedAt", "reason"] {
        assert_eq!(&left[part], nothing, "{part}");
    }
    assert!(left["details"].as_object().is_some_and(|details| details.values().all(Value::is_null)), "{left}");
    assert_eq!((&left["receipt"], &left["state"]), (&json!([]), &json!("ARRIVED")));
    assert_eq!((&board["to"]["code"], &board["details"]["unit"]), (&json!("hvb-landskrona"), &json!("Hemliga huset")));
    let listed = hub.caller("hvb-malmo").ask(&format!("{{ handovers {{ nodes {{ {PLACES} }} }} }}")).await;
    let told = ["landskrona", "Hemliga", "Storgatan"].into_iter().find(|word| listed.text.contains(word));
    assert_eq!(told, None, "{}", listed.text);
}

async fn free_words_of_a_handover_are_told_where_the_address_is(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let id = proposed(&hub, "malmo-soc", &child.id, "RETURN", "migrationsverket").await;
    let accept = format!("mutation {{ acceptHandover(handoverId: \"{id}\") {{ handover {{ {PLACES} }} }} }}");
    let accepted = hub.caller("migrationsverket").purpose("RETURN").ask(&accept).await;
    let details = &accepted.data("/acceptHandover/handover/details");
    assert_eq!((&details["contactName"], &details["decisionNumber"]), (&json!("Ada Ek"), &json!("A-1")));
    assert!(!accepted.text.contains("Hemlig"), "{}", accepted.text);
    let asked = format!("{{ handover(id: \"{id}\") {{ {PLACES} }} }}");
    let told = hub.caller("migrationsverket").purpose("PROTECT").ask(&asked).await;
    assert_eq!(told.data("/handover/details/note"), "Hemlig", "for its protection the address is shown");
}

async fn of_a_child_with_protected_registration_no_place_is_kept(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await;
    let id = replaced(&hub, &child).await;
    taken(&hub, "hvb-landskrona", Step::Accept, &id).await;
    let version = hub.caller("malmo-soc").version(&child.id, Section::Protection).await;
    let level = "mutation($id: ID!, $version: String!) { updateProtection(childId: $id, expectedVersion: $version,
        set: { level: REGISTERED }) { child { id } } }";
    let set = hub.caller("malmo-soc").ask_with(level, json!({ "id": child.id, "version": version })).await;
    set.data("/updateProtection/child/id");
    let kept = hub.rows("SELECT details FROM handover").await;
    let kept: Value = kept[0].try_get_by_index(0).expect("details");
    assert_eq!(kept, json!({ "contactName": "Ada Ek", "contactPhone": "+46701740605" }));
    // And nothing of it is taken.
    taken(&hub, "malmo-soc", Step::Withdraw, &id).await;
    let again = propose(&hub, "malmo-soc", &child.id, "REPLACEMENT", "hvb-landskrona").await;
    assert_eq!(again.codes(), ["FORBIDDEN", "FORBIDDEN"]);
    assert_eq!(
        (&again.error()["rule"], &again.error()["input"]),
        (&json!("protected-registration"), &json!(["details", "escort"]))
    );
}

async fn a_change_of_chief_guardian_moves_its_tie(hub: Hub) {
    let child = hub
        .child(Scene {
            involved: vec![("migrationsverket", "LEAD"), ("malmo-overformyndare", "INVOLVED")],
            ..Scene::default()
        })
        .await;
    let other = hub.uuid();
    let columns: Vec<(&str, Bound)> = vec![
        ("id", other.into()),
        ("code", "annan-of".into()),
        ("kind", "GUARDIANSHIP".into()),
        ("name", "Annan".into()),
    ];
    hub.insert("agency", columns).await;
    let other = format!("agency_{}", data_encoding::BASE32_DNSSEC.encode(other.as_bytes()));
    let document = |to: &str| {
        format!(
            "mutation {{ proposeHandover(childId: \"{}\", kind: GUARDIAN_CHANGE, toAgencyId: \"{to}\", expectedAt: \"{}\") {{ {SHOWN} }} }}",
            child.id,
            ahead(&hub, HOUR)
        )
    };
    let caller = hub.caller("malmo-overformyndare");
    assert_eq!(caller.ask(&document(&agency(&hub, "malmo-overformyndare"))).await.codes(), ["INVALID_INPUT"]);
    let offered = caller.ask(&document(&other)).await;
    let id = offered.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned();
    // No system speaks for the other one here: let it be the one that handed over.
    let (a, b) = (sql_id(&hub, hub.agency("malmo-overformyndare")), "(SELECT id FROM agency WHERE code = 'annan-of')");
    hub.sql(&format!("UPDATE handover SET from_agency_id = {b}, to_agency_id = {a}, proposer_agency_id = {b}")).await;
    hub.sql(&format!("UPDATE involvement SET agency_id = {b} WHERE kind = 'INVOLVED'")).await;
    taken(&hub, "malmo-overformyndare", Step::Accept, &id).await;
    taken(&hub, "malmo-overformyndare", Step::Arrive, &id).await;
    assert!(is_tied(&hub, &child, "malmo-overformyndare", "INVOLVED").await);
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED' AND closed_at IS NULL").await, 1);
}

async fn who_comes_of_age_is_nobodys_responsibility(hub: Hub) {
    let child = hub
        .child(Scene { involved: vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")], ..Scene::default() })
        .await;
    let born = async |day: &str| hub.sql(&format!("UPDATE identity SET birth_date = '{day}'")).await;
    // A child, and one of whom nobody knows how old it is; one that comes of age after the arrival; one that does so too late.
    hub.sql("UPDATE identity SET birth_date = NULL").await;
    let refused = async |why: &str| {
        let answer = propose(&hub, "malmo-soc", &child.id, "ADULT_RECEPTION", "migrationsverket").await;
        answer.assert_refused(&[("NOT_OF_AGE", "expectedAt")], why);
    };
    refused("nobody knows").await;
    born("2012-05-01").await;
    refused("a child").await;
    born("2008-11-22").await;
    refused("tomorrow, and the arrival is today").await;
    assert_eq!(hub.count("handover", "1 = 1").await, 0);
    born("2008-11-21").await;
    let id = proposed(&hub, "malmo-soc", &child.id, "ADULT_RECEPTION", "migrationsverket").await;
    taken(&hub, "migrationsverket", Step::Accept, &id).await;
    // The birth date was wrong: until the child is of age a board answers for it.
    born("2008-12-24").await;
    let early = take(&hub, "migrationsverket", Step::Arrive, &id).await;
    early.assert_refused(&[("NOT_OF_AGE", "arrivedAt")], "too early");
    let sooner = take(&hub, "migrationsverket", Step::Reschedule, &id).await;
    sooner.assert_refused(&[("NOT_OF_AGE", "expectedAt")], "too early");
    assert_eq!(leads(&hub, &child).await, hub.agency("malmo-soc"));
    born("2008-11-21").await;
    taken(&hub, "migrationsverket", Step::Arrive, &id).await;
    assert_eq!(answers(&hub, &child).await, (hub.agency("migrationsverket"), None));
    assert_one_at_every_instant(&hub).await;
}

async fn what_is_wrong_is_refused_and_moves_nothing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let ask = async |by: &str, kind: &str, to: &str, expected: String, details: &str| {
        let document = format!(
            "mutation {{ proposeHandover(childId: \"{}\", kind: {kind}, toAgencyId: \"{to}\", expectedAt: \"{expected}\", details: {{ {details} }}) {{ {SHOWN} }} }}",
            child.id
        );
        hub.caller(by).ask(&document).await
    };
    let landskrona = agency(&hub, "landskrona-soc");
    let decision = format!("{CONTACT}, decisionNumber: \"A-1\", decidedOn: \"2026-11-20\"");
    let never = never("agency");
    for (by, kind, to, expected, details, code, input) in [
        ("migrationsverket", "ASSIGNMENT", &landskrona, -1, decision.as_str(), "DATE_ORDER", json!(["expectedAt"])),
        ("migrationsverket", "ASSIGNMENT", &landskrona, 367 * DAY, &decision, "DATE_ORDER", json!(["expectedAt"])),
        (
            "migrationsverket",
            "ASSIGNMENT",
            &landskrona,
            HOUR,
            CONTACT,
            "REQUIRED",
            json!(["details", "decisionNumber"]),
        ),
        (
            "migrationsverket",
            "ASSIGNMENT",
            &landskrona,
            HOUR,
            "contactPhone: \"12\"",
            "INVALID_FORMAT",
            json!(["details", "contactPhone"]),
        ),
        ("migrationsverket", "ASSIGNMENT", &never, HOUR, &decision, "UNKNOWN_AGENCY", json!(["toAgencyId"])),
        (
            "migrationsverket",
            "ASSIGNMENT",
            &"landskrona".to_owned(),
            HOUR,
            &decision,
            "INVALID_ID",
            json!(["toAgencyId"]),
        ),
        (
            "migrationsverket",
            "ASSIGNMENT",
            &agency(&hub, "skola"),
            HOUR,
            &decision,
            "AGENCY_KIND",
            json!(["toAgencyId"]),
        ),
        ("migrationsverket", "CASE_TRANSFER", &landskrona, HOUR, CONTACT, "FORBIDDEN", json!([])),
        ("migrationsverket", "RETURN", &agency(&hub, "migrationsverket"), HOUR, CONTACT, "FORBIDDEN", json!([])),
        // Malmö is responsible, and does not lead.
        ("malmo-soc", "ASSIGNMENT", &landskrona, HOUR, &decision, "FORBIDDEN", json!([])),
        ("malmo-soc", "CASE_TRANSFER", &agency(&hub, "malmo-soc"), HOUR, CONTACT, "OK", json!([])),
        ("polisen", "ASSIGNMENT", &landskrona, HOUR, &decision, "NOT_FOUND", json!([])),
        ("landskrona-soc", "CASE_TRANSFER", &agency(&hub, "malmo-soc"), HOUR, CONTACT, "NOT_FOUND", json!([])),
    ] {
        if code == "OK" {
            continue;
        }
        let answer = ask(by, kind, to, ahead(&hub, expected), details).await;
        assert_eq!(answer.codes().first(), Some(&code), "{by} {kind}: {}", answer.text);
        if code != "NOT_FOUND" {
            assert_eq!(answer.error()["input"], input, "{by} {kind}");
            assert_eq!(answer.error()["rule"].is_string(), code == "FORBIDDEN", "{by} {kind}");
        }
    }
    assert_eq!(hub.count("handover", "1 = 1").await, 0);
    for (municipality, code) in [("9999", "UNKNOWN_CODE"), ("0114", "UNKNOWN_AGENCY")] {
        let answer = hub.caller("migrationsverket").ask(&document_of_assignment(&hub, &child.id, municipality)).await;
        assert_eq!(answer.codes(), [code]);
    }
    let answer = hub.caller("malmo-soc").ask(&document_of_assignment(&hub, &child.id, "1282")).await;
    assert_eq!((answer.codes(), answer.error()["rule"].is_string()), (vec!["FORBIDDEN"], true));
    assert_eq!(answers(&hub, &child).await, (hub.agency("migrationsverket"), Some(hub.agency("malmo-soc"))));

    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let second = propose(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    assert_eq!((second.codes(), &second.error()["state"]), (vec!["CONFLICT"], &json!("OFFERED")));
    assert_eq!(second.error()["next"], json!(["withdrawHandover", "rescheduleHandover"]));
    // The receiver's step by the sender, and a step that is not possible yet.
    let wrong = take(&hub, "migrationsverket", Step::Accept, &id).await;
    assert_eq!((wrong.codes(), &wrong.error()["rule"]), (vec!["FORBIDDEN"], &json!("handover-party")));
    assert_eq!(wrong.error()["next"], json!(["withdrawHandover", "rescheduleHandover"]));
    let early = take(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!((early.codes(), &early.error()["state"]), (vec!["CONFLICT"], &json!("OFFERED")));
    assert_eq!(early.error()["next"], json!(["acceptHandover", "refuseHandover"]));
    let malformed = take(&hub, "landskrona-soc", Step::Accept, "handover").await;
    assert_eq!((malformed.codes(), &malformed.error()["input"]), (vec!["INVALID_ID"], &json!(["handoverId"])));
    // An offer that nobody answered in time is no promise any more.
    hub.wait(7 * HOUR);
    let late = take(&hub, "landskrona-soc", Step::Accept, &id).await;
    assert_eq!((late.codes(), &late.error()["next"]), (vec!["CONFLICT"], &json!(["refuseHandover"])));
    taken(&hub, "migrationsverket", Step::Reschedule, &id).await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    let twice = take(&hub, "landskrona-soc", Step::Accept, &id).await;
    assert_eq!((twice.codes(), &twice.error()["state"]), (vec!["CONFLICT"], &json!("ACCEPTED")));
    let instants = async |by: &str, step: &str, argument: &str, micros: i64| {
        let document = format!(
            "mutation {{ {step}(handoverId: \"{id}\", {argument}: \"{}\") {{ {SHOWN} }} }}",
            ahead(&hub, micros)
        );
        hub.caller(by).ask(&document).await
    };
    for (by, step, argument, micros) in [
        ("migrationsverket", "recordDeparture", "departedAt", 1),
        ("migrationsverket", "recordDeparture", "departedAt", -DAY),
        ("landskrona-soc", "confirmArrival", "arrivedAt", HOUR),
        // The child does not come before somebody waits for it.
        ("landskrona-soc", "confirmArrival", "arrivedAt", -1),
        ("landskrona-soc", "confirmArrival", "arrivedAt", -365 * 30 * DAY),
    ] {
        let answer = instants(by, step, argument, micros).await;
        assert_eq!((answer.codes(), &answer.error()["input"]), (vec!["DATE_ORDER"], &json!([argument])), "{step}");
    }
    prepared(&hub).await;
    instants("migrationsverket", "recordDeparture", "departedAt", -1)
        .await
        .data("/recordDeparture/handover/departedAt");
    let before = instants("landskrona-soc", "confirmArrival", "arrivedAt", -2).await;
    assert_eq!((before.codes(), &before.error()["input"]), (vec!["DATE_ORDER"], &json!(["arrivedAt"])));
    assert_eq!(
        take(&hub, "migrationsverket", Step::Withdraw, &id).await.codes(),
        ["CONFLICT"],
        "who travels is not withdrawn"
    );
    let long = format!(
        "mutation {{ reportNotArrived(handoverId: \"{id}\", reason: \"{}\") {{ {SHOWN} }} }}",
        "x".repeat(1001)
    );
    assert_eq!(hub.caller("landskrona-soc").ask(&long).await.codes(), ["TOO_LONG"]);
    assert_eq!(hub.count("handover", "state = 'TRAVELLING'").await, 1);
    assert_eq!(leads(&hub, &child).await, hub.agency("migrationsverket"));
    assert_one_at_every_instant(&hub).await;
}

async fn an_open_item_holds_the_departure_and_never_the_arrival(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    let about = Uuid::from_slice(
        &data_encoding::BASE32_DNSSEC.decode(id.trim_start_matches("handover_").as_bytes()).expect("an id"),
    )
    .expect("an id");
    hub.sql("DELETE FROM checklist_item").await;
    let items = [("safety-plan", true, "OPEN"), ("network-map", false, "OPEN"), ("risk-assessment", true, "DONE")];
    for (key, mandatory, state) in items {
        let columns: Vec<(&str, Bound)> = vec![
            ("id", hub.uuid().into()),
            ("child_id", child.uuid.into()),
            ("about", "HANDOVER".into()),
            ("about_id", about.into()),
            ("position", 1.into()),
            ("routine", "12/1".into()),
            ("key", key.into()),
            ("moment", "PREVENT".into()),
            ("actor", "SOCIAL_SERVICES".into()),
            ("sv", "Kontakt".into()),
            ("en", "Contact".into()),
            ("source", "egna ord".into()),
            ("mandatory", mandatory.into()),
            ("state", state.into()),
        ];
        hub.insert("checklist_item", columns).await;
    }
    let held = take(&hub, "migrationsverket", Step::Depart, &id).await;
    assert_eq!((held.codes(), &held.error()["expected"]), (vec!["CONFLICT"], &json!("done or skipped: safety-plan")));
    assert_eq!(held.error()["state"], "ACCEPTED");
    assert!(!held.error()["next"].as_array().expect("a list").contains(&json!("recordDeparture")));
    let ready = format!(
        "{{ handoverReadiness(childId: \"{}\", toAgencyId: \"{}\", kind: ASSIGNMENT) {{ unfinished {{ text mandatory }} }} }}",
        child.id,
        agency(&hub, "landskrona-soc")
    );
    let ready = hub.caller("migrationsverket").ask(&ready).await;
    assert_eq!(ready.data("/handoverReadiness/unfinished").as_array().expect("a list").len(), 2);
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
    assert_eq!(leads(&hub, &child).await, hub.agency("landskrona-soc"));
}

async fn readiness_says_what_the_receiver_then_sees(hub: Hub) {
    let child = hub.child(Scene { protection: "MARKED", ..Scene::default() }).await;
    let document = format!(
        "{{ handoverReadiness(childId: \"{}\", toAgencyId: \"{}\", kind: ASSIGNMENT) {{ kind to {{ code }} purpose
            onAcceptance {{ section visible withheld {{ field rule reason }} }} onArrival {{ section visible withheld {{ field rule reason }} }} }} }}",
        child.id,
        agency(&hub, "landskrona-soc")
    );
    let ready = hub.caller("migrationsverket").purpose("PROTECT").ask(&document).await;
    let ready = ready.data("/handoverReadiness").clone();
    assert_eq!(ready["purpose"], "PROTECT");
    for (by, code) in [("malmo-soc", "OK"), ("polisen", "NOT_FOUND"), ("landskrona-soc", "NOT_FOUND")] {
        let answer = hub.caller(by).ask(&document).await;
        assert_eq!(answer.codes(), if code == "OK" { vec![] } else { vec![code] }, "{by}");
    }
    hub.involve(child.uuid, "polisen", "INVOLVED", None).await;
    assert_eq!(hub.caller("polisen").ask(&document).await.codes(), ["FORBIDDEN"]);
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let receiver = hub.caller("landskrona-soc").purpose("PROTECT");
    for (step, promised) in [(Step::Accept, &ready["onAcceptance"]), (Step::Arrive, &ready["onArrival"])] {
        take_as(&receiver, &hub, step, &id).await.data("");
        let sections = promised.as_array().expect("a list");
        let some = sections.iter().filter(|section| section["section"] != "placement");
        let names: Vec<&str> = some.clone().map(|section| section["section"].as_str().expect("a name")).collect();
        let shown: Vec<String> =
            names.iter().map(|name| format!("{name} {{ withheld {{ field rule reason }} }}")).collect();
        let seen = receiver.sees(&child.id, &shown.join(" ")).await;
        for section in some {
            let name = section["section"].as_str().expect("a name");
            assert_eq!(section["withheld"], seen[name]["withheld"], "{step:?} {name}");
        }
        assert!(names.len() >= 13);
    }
}

async fn readiness_names_the_items_that_a_proposal_would_bring(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let ready = async |kind: &str, by: &str, to: &str| {
        let document = format!(
            "{{ handoverReadiness(childId: \"{}\", toAgencyId: \"{}\", kind: {kind}) {{
                unfinished {{ id begun actor text textEn mandatory }} }} }}",
            child.id,
            agency(&hub, to)
        );
        let answer = hub.caller(by).ask(&document).await;
        answer.data("/handoverReadiness/unfinished").as_array().expect("a list").clone()
    };
    let before = ready("ASSIGNMENT", "migrationsverket", "landskrona-soc").await;
    assert!(before.iter().all(|item| item["id"].is_null() && item["begun"] == false), "{before:?}");
    let awaited: Vec<&Value> = before.iter().filter(|item| item["mandatory"] == true).collect();
    assert_eq!(awaited.len(), Kind::Assignment.terms().mandatory.len());
    assert!(before.len() > awaited.len(), "the others of the routine are named, too");
    assert_eq!(hub.count("checklist_item", "1 = 1").await, 0, "to ask begins nothing");
    let id = proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await;
    let after = ready("ASSIGNMENT", "migrationsverket", "landskrona-soc").await;
    let words = |items: &[Value]| items.iter().map(|item| item["text"].clone()).collect::<Vec<_>>();
    assert_eq!(words(&before), words(&after), "it brought what was said");
    assert!(after.iter().all(|item| item["id"].is_string() && item["begun"] == true), "{after:?}");
    prepared(&hub).await;
    assert!(ready("ASSIGNMENT", "migrationsverket", "landskrona-soc").await.is_empty());
    // For another receiver a proposal would begin anew.
    assert_eq!(words(&ready("ASSIGNMENT", "migrationsverket", "malmo-soc").await), words(&before));
    taken(&hub, "migrationsverket", Step::Withdraw, &id).await;
}

async fn who_answered_for_a_child_is_told_as_of_an_instant(hub: Hub) {
    let child = hub
        .child(Scene {
            involved: vec![
                ("malmo-soc", "LEAD"),
                ("malmo-soc", "RESPONSIBLE"),
                ("skola", "INVOLVED"),
                ("hvb-malmo", "WHEREABOUTS"),
                ("malmo-overformyndare", "INVOLVED"),
                ("radda-barnen", "INVOLVED"),
            ],
            home: Some("hvb-malmo"),
            ..Scene::default()
        })
        .await;
    let before = ahead(&hub, 0);
    hub.wait(HOUR);
    let id = proposed(&hub, "malmo-soc", &child.id, "CASE_TRANSFER", "landskrona-soc").await;
    taken(&hub, "landskrona-soc", Step::Accept, &id).await;
    let between = ahead(&hub, HOUR / 2);
    hub.wait(HOUR);
    taken(&hub, "landskrona-soc", Step::Arrive, &id).await;
    let ask = async |by: &str, at: &str| {
        let at = if at.is_empty() { String::new() } else { format!(", at: \"{at}\"") };
        let document = format!(
            "{{ responsibility(childId: \"{}\"{at}) {{ lead {{ agency {{ code }} from to }} responsible {{ agency {{ code }} }} whereabouts {{ agency {{ code }} }}
                history {{ fact agency {{ code }} from to }} withheld {{ field }} }} }}",
            child.id
        );
        hub.caller(by).ask(&document).await
    };
    for (at, lead, responsible) in [
        (before.as_str(), "malmo-soc", "malmo-soc"),
        (&between, "malmo-soc", "landskrona-soc"),
        ("", "landskrona-soc", "landskrona-soc"),
    ] {
        let answer = ask("landskrona-soc", at).await;
        let seen = answer.data("/responsibility");
        assert_eq!(
            (&seen["lead"]["agency"]["code"], &seen["responsible"]["agency"]["code"]),
            (&json!(lead), &json!(responsible)),
            "{at}"
        );
        assert_eq!(seen["whereabouts"]["agency"]["code"], "hvb-malmo");
        assert_eq!(seen["history"].as_array().expect("a list").len(), 5);
    }
    // Before the child was registered nobody answered for it.
    let answer = ask("landskrona-soc", "2020-01-01T00:00:00Z").await;
    assert_eq!(
        (answer.data("/responsibility/lead"), answer.data("/responsibility/responsible")),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(ask("landskrona-soc", &ahead(&hub, HOUR)).await.codes(), ["DATE_ORDER"]);
    // The school knows the board and not the home; an organisation without a consent knows nothing.
    let answer = ask("skola", "").await;
    let school = answer.data("/responsibility");
    assert_eq!((&school["lead"]["agency"]["code"], &school["whereabouts"]), (&json!("landskrona-soc"), &Value::Null));
    assert!(school["history"].as_array().expect("a list").iter().all(|period| period["fact"] != "WHEREABOUTS"));
    assert!(school["withheld"].as_array().expect("a list").iter().any(|field| field["field"] == "unitAgency"));
    assert_eq!(ask("radda-barnen", "").await.codes(), ["NOT_FOUND"]);
}

async fn handovers_are_listed_in_pages_to_their_parties(hub: Hub) {
    let mut made = Vec::new();
    for _ in 0..5 {
        let child = hub.child(Scene::default()).await;
        made.insert(0, proposed(&hub, "migrationsverket", &child.id, "ASSIGNMENT", "landskrona-soc").await);
        hub.wait(1);
    }
    taken(&hub, "landskrona-soc", Step::Refuse, &made[1]).await;
    for persona in ["migrationsverket", "landskrona-soc"] {
        let caller = hub.caller(persona);
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = caller.ask_with("query($after: String) { handovers(first: 2, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }", json!({ "after": after })).await;
            let page = page.data("/handovers");
            found.extend(
                page["edges"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|edge| edge["node"]["id"].as_str().expect("an id").to_owned()),
            );
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
        }
        assert_eq!(found, made, "{persona}");
        let open = caller.ask("{ handovers(state: OFFERED) { nodes { state } } }").await;
        assert_eq!(open.data("/handovers/nodes").as_array().expect("a list").len(), 4);
        let other = caller
            .ask_with(
                "query($after: String) { handovers(state: OFFERED, after: $after) { nodes { id } } }",
                json!({ "after": after }),
            )
            .await;
        assert_eq!(other.codes(), ["INVALID_CURSOR"]);
    }
}

/// The model: what the table says, and whose agency may know the child.
async fn random_steps_of_random_callers_follow_the_table(hub: Hub) {
    let mut dice = StdRng::seed_from_u64(20_261_122);
    for _ in 0..6 {
        let child = hub
            .child(Scene {
                involved: vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("polisen", "INVOLVED")],
                ..Scene::default()
            })
            .await;
        let (mut lead, mut other) = ("malmo-soc", "landskrona-soc");
        let (mut open, mut moves) = (None::<(String, State)>, 0);
        let mut departed = false;
        for _ in 0..40 {
            hub.wait(dice.random_range(0..2));
            let Some((id, state)) = &mut open else {
                departed = false;
                let kind = if moves % 2 == 0 { "CASE_TRANSFER" } else { "ASSIGNMENT" };
                let answer = propose(&hub, lead, &child.id, kind, other).await;
                if answer.codes() == ["FORBIDDEN"] {
                    // Responsibility has moved ahead of the lead: then only the lead itself is left to give.
                    open = Some((proposed(&hub, lead, &child.id, "ASSIGNMENT", other).await, State::Offered));
                } else {
                    open = Some((
                        answer.data("/proposeHandover/handover/id").as_str().expect("an id").to_owned(),
                        State::Offered,
                    ));
                }
                continue;
            };
            let step = Step::ALL[dice.random_range(0..7)];
            let by = [lead, other, other, "polisen", "hvb-malmo"][dice.random_range(0..5)];
            let party = if by == lead { Some(Party::From) } else { (by == other).then_some(Party::To) };
            prepared(&hub).await;
            let answer = take(&hub, by, step, id).await;
            let expected = party.map(|party| state.after(step, party, true));
            match expected {
                None => assert_eq!(answer.codes(), ["NOT_FOUND"], "{by} {step:?}"),
                Some(Err(samverka_domain::handover::Wrong::State)) => {
                    assert_eq!(answer.codes(), ["CONFLICT"], "{by} {step:?}")
                }
                Some(Err(samverka_domain::handover::Wrong::Party)) => {
                    assert_eq!(answer.codes(), ["FORBIDDEN"], "{by} {step:?}")
                }
                // Of one that has left nobody has told where it is.
                Some(Ok(_)) if step == Step::Withdraw && departed => {
                    assert_eq!(answer.codes(), ["CONFLICT"], "{by} {step:?}")
                }
                Some(Ok(next)) => {
                    departed |= step == Step::Depart;
                    let seen = answer.data(&format!("/{}/handover/state", step.mutation()));
                    assert_eq!(seen, next.code(), "{by} {step:?}");
                    *state = next;
                }
            }
            let (state, receiving) = (*state, is_tied(&hub, &child, other, "RECEIVING").await);
            assert_eq!(receiving, matches!(state, State::Accepted | State::Travelling | State::NotArrived));
            if state.has_ended() {
                open = None;
                if state == State::Arrived {
                    moves += 1;
                    std::mem::swap(&mut lead, &mut other);
                }
            }
            assert_eq!(leads(&hub, &child).await, hub.agency(lead), "the lead moves at the arrival and nowhere else");
            assert_one_at_every_instant(&hub).await;
        }
        assert_eq!(hub.listed_wrongly().await, 0);
    }
}

async fn many_at_once_leave_one_lead(hub: Hub) {
    let child = hub
        .child(Scene { involved: vec![("malmo-soc", "LEAD"), ("malmo-soc", "RESPONSIBLE")], ..Scene::default() })
        .await;
    let proposal = format!(
        "mutation {{ proposeHandover(childId: \"{}\", kind: CASE_TRANSFER, toAgencyId: \"{}\", expectedAt: \"{}\", details: {{ {CONTACT} }}) {{ {SHOWN} }} }}",
        child.id,
        agency(&hub, "landskrona-soc"),
        ahead(&hub, HOUR)
    );
    let caller = hub.caller("malmo-soc");
    let answers = hub.send_together((0..8).map(|_| caller.request(json!({ "query": proposal }))).collect()).await;
    let done: Vec<&Answer> = answers.iter().filter(|answer| answer.json["errors"].is_null()).collect();
    assert_eq!(done.len(), 1);
    assert!(
        answers.iter().filter(|answer| !answer.json["errors"].is_null()).all(|answer| answer.codes() == ["CONFLICT"])
    );
    let id = done[0].data("/proposeHandover/handover/id").as_str().expect("an id").to_owned();
    let request = |by: &'static str, step: Step| {
        let more = if step == Step::Withdraw { ", reason: \"Nej\"" } else { "" };
        let query = format!("mutation {{ {}(handoverId: \"{id}\"{more}) {{ {SHOWN} }} }}", step.mutation());
        hub.caller(by).request(json!({ "query": query }))
    };
    for round in [
        [("landskrona-soc", Step::Accept), ("landskrona-soc", Step::Accept)],
        [("landskrona-soc", Step::Arrive), ("malmo-soc", Step::Withdraw)],
    ] {
        let requests = round.into_iter().cycle().take(8).map(|(by, step)| request(by, step)).collect();
        let answers = hub.send_together(requests).await;
        let done = answers.iter().filter(|answer| answer.json["errors"].is_null()).count();
        assert_eq!(done, 1, "{round:?}");
        assert_one_at_every_instant(&hub).await;
    }
    let arrived = hub.count("handover", "state = 'ARRIVED'").await == 1;
    assert_eq!(leads(&hub, &child).await, hub.agency(if arrived { "landskrona-soc" } else { "malmo-soc" }));
}

fn sql_id(hub: &Hub, id: Uuid) -> String {
    match hub.outside.get_database_backend() {
        DbBackend::Sqlite => format!("x'{}'", id.simple()),
        _ => format!("'{id}'"),
    }
}

/// Runs statements at the same time; some may fail.
async fn at_once(hub: &Hub, statements: Vec<String>) {
    let run = |sql: String| {
        let outside = hub.outside.clone();
        tokio::spawn(async move { outside.execute_unprepared(&sql).await.is_ok() })
    };
    let running: Vec<_> = statements.into_iter().map(run).collect();
    let mut done = 0;
    for one in running {
        done += u32::from(one.await.expect("ends"));
    }
    assert!(done > 0, "one of them is right");
}

async fn the_database_keeps_the_lead_from_a_hostile_hand(hub: Hub) {
    let child = hub.child(Scene { ended: vec![("malmo-soc", "LEAD", DAY)], ..Scene::default() }).await;
    let (id, other) = (sql_id(&hub, child.uuid), sql_id(&hub, hub.agency("landskrona-soc")));
    let (now, new) = (hub.now(), sql_id(&hub, hub.uuid()));
    let own = format!("child_id = {id} AND kind = 'LEAD'");
    let mut attempts = vec![
        format!("DELETE FROM involvement WHERE {own}"),
        format!("DELETE FROM involvement WHERE {own} AND closed_at IS NULL"),
        format!("UPDATE involvement SET closed_at = {now} WHERE {own} AND closed_at IS NULL"),
        format!("UPDATE involvement SET closed_at = opened_at WHERE {own} AND closed_at IS NULL"),
        format!("UPDATE involvement SET closed_at = NULL WHERE {own} AND closed_at IS NOT NULL"),
        format!("UPDATE involvement SET closed_at = closed_at - 1 WHERE {own} AND closed_at IS NOT NULL"),
        format!("UPDATE involvement SET opened_at = opened_at + 1 WHERE {own}"),
        format!("UPDATE involvement SET agency_id = {other} WHERE {own}"),
        format!("UPDATE involvement SET kind = 'INVOLVED' WHERE {own}"),
        format!("UPDATE involvement SET kind = 'LEAD' WHERE child_id = {id} AND kind = 'RESPONSIBLE'"),
        format!("UPDATE involvement SET id = {new} WHERE {own} AND closed_at IS NULL"),
        format!(
            "INSERT INTO involvement (id, child_id, agency_id, kind, opened_at) VALUES ({new}, {id}, {other}, 'LEAD', {now})"
        ),
        format!(
            "INSERT INTO involvement (id, child_id, agency_id, kind, opened_at, closed_at) VALUES ({new}, {id}, {other}, 'LEAD', 5, 6)"
        ),
        format!(
            "INSERT INTO involvement (id, child_id, agency_id, kind, opened_at) SELECT {new}, id, lead_agency_id, 'LEAD', lead_since FROM child WHERE id = {id}"
        ),
        format!("UPDATE child SET lead_agency_id = {other} WHERE id = {id}"),
        format!("UPDATE child SET lead_since = {now} WHERE id = {id}"),
        format!("UPDATE child SET lead_agency_id = {other}, lead_since = lead_since - 1 WHERE id = {id}"),
        format!("UPDATE child SET lead_agency_id = {other}, lead_since = NULL WHERE id = {id}"),
        format!("UPDATE child SET lead_agency_id = {new}, lead_since = {now} WHERE id = {id}"),
        format!("UPDATE child SET registered_at = registered_at - 1 WHERE id = {id}"),
        format!("DELETE FROM child WHERE id = {id}"),
        format!(
            "INSERT INTO child (id, subject, lead_agency_id, lead_since, state, registered_at) VALUES ({new}, {new}, {other}, 7, 'ACTIVE', 6)"
        ),
    ];
    match hub.outside.get_database_backend() {
        DbBackend::Sqlite => attempts.extend([
            format!("REPLACE INTO involvement (id, child_id, agency_id, kind, opened_at) SELECT id, child_id, agency_id, 'INVOLVED', opened_at FROM involvement WHERE {own}"),
            format!("REPLACE INTO involvement (id, child_id, agency_id, kind, opened_at) SELECT {new}, id, lead_agency_id, 'LEAD', lead_since FROM child WHERE id = {id}"),
            format!("UPDATE OR REPLACE involvement SET id = (SELECT id FROM involvement WHERE {own} AND closed_at IS NULL) WHERE kind = 'RESPONSIBLE'"),
            format!("REPLACE INTO child (id, subject, lead_agency_id, lead_since, state, registered_at) SELECT id, subject, {other}, registered_at, state, registered_at FROM child WHERE id = {id}"),
            format!("REPLACE INTO child (id, subject, lead_agency_id, lead_since, state, registered_at) SELECT {new}, subject, {other}, registered_at, state, registered_at FROM child WHERE id = {id}"),
        ]),
        _ => attempts.extend([
            "TRUNCATE involvement".to_owned(),
            "TRUNCATE child CASCADE".to_owned(),
            format!("INSERT INTO involvement (id, child_id, agency_id, kind, opened_at) SELECT id, child_id, {other}, 'LEAD', opened_at FROM involvement WHERE {own} AND closed_at IS NULL ON CONFLICT (id) DO UPDATE SET agency_id = excluded.agency_id"),
        ]),
    }
    let before = hub.count("involvement", "kind = 'LEAD'").await;
    for attempt in attempts {
        assert!(hub.outside_fails(&attempt).await, "the database lets this through: {attempt}");
        assert_one_at_every_instant(&hub).await;
    }
    assert_eq!(hub.count("involvement", "kind = 'LEAD'").await, before);
    // What is right is taken: the tie follows the child's row, in the same statement.
    hub.lead(child.uuid, "landskrona-soc", now + 1).await;
    assert_eq!(hub.count("involvement", "kind = 'LEAD'").await, before + 1);
    assert_one_at_every_instant(&hub).await;
    // Also of many at once, on both sides of a lock.
    let race: Vec<String> = (0..8)
        .map(|n| {
            let agency = sql_id(&hub, hub.agency(["malmo-soc", "migrationsverket"][n % 2]));
            format!("UPDATE child SET lead_agency_id = {agency}, lead_since = lead_since + 1 WHERE id = {id} AND lead_agency_id <> {agency}")
        })
        .collect();
    at_once(&hub, race).await;
    assert_one_at_every_instant(&hub).await;
}

async fn the_database_keeps_responsibility_from_a_hostile_hand(hub: Hub) {
    let child = hub.child(Scene { ended: vec![("landskrona-soc", "RESPONSIBLE", DAY)], ..Scene::default() }).await;
    let (id, other) = (sql_id(&hub, child.uuid), sql_id(&hub, hub.agency("landskrona-soc")));
    let now = hub.now();
    let own = format!("child_id = {id} AND kind = 'RESPONSIBLE'");
    let insert = |from: i64, to: Option<i64>| {
        let to = to.map_or("NULL".to_owned(), |to| to.to_string());
        let new = sql_id(&hub, hub.uuid());
        format!(
            "INSERT INTO involvement (id, child_id, agency_id, kind, opened_at, closed_at) VALUES ({new}, {id}, {other}, 'RESPONSIBLE', {from}, {to})"
        )
    };
    let attempts = [
        format!("DELETE FROM involvement WHERE {own}"),
        format!("UPDATE involvement SET closed_at = opened_at - 1 WHERE {own} AND closed_at IS NULL"),
        format!("UPDATE involvement SET closed_at = NULL WHERE {own}"),
        format!("UPDATE involvement SET closed_at = {now} WHERE {own} AND closed_at IS NOT NULL"),
        format!("UPDATE involvement SET agency_id = {other} WHERE {own} AND closed_at IS NULL"),
        format!("UPDATE involvement SET opened_at = opened_at - 1 WHERE {own}"),
        format!("UPDATE involvement SET kind = 'INVOLVED' WHERE {own}"),
        insert(now, None),
        insert(now - 2 * DAY, Some(now - DAY / 2)),
        insert(now - DAY - 1, Some(now - DAY)),
        insert(0, Some(now + DAY)),
        insert(9, Some(8)),
    ];
    for attempt in attempts {
        assert!(hub.outside_fails(&attempt).await, "the database lets this through: {attempt}");
        assert_one_at_every_instant(&hub).await;
    }
    hub.sql(&format!("UPDATE involvement SET closed_at = {now} WHERE {own} AND closed_at IS NULL")).await;
    assert!(hub.outside_fails(&insert(now - 1, None)).await);
    if hub.outside.get_database_backend() == DbBackend::Postgres {
        // Neither of two that do not see one another gets past the other, also where a snapshot is old.
        for (n, isolation) in (1..).zip([IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead]) {
            let begin = || hub.outside.begin_with_config(Some(isolation), None);
            let (first, second) = (begin().await.expect("begins"), begin().await.expect("begins"));
            for transaction in [&first, &second] {
                transaction.execute_unprepared("SELECT count(*) FROM involvement").await.expect("reads");
            }
            let [one, other] = [1, 2].map(|more| insert(now + n * 1_000 + more, Some(now + n * 1_000 + 9)));
            first.execute_unprepared(&one).await.expect("is the first");
            let waiting = tokio::spawn(async move {
                second.execute_unprepared(&other).await.is_ok() && second.commit().await.is_ok()
            });
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            first.commit().await.expect("commits");
            assert!(!waiting.await.expect("ends"), "{isolation:?}");
            assert_one_at_every_instant(&hub).await;
        }
    }
    let race: Vec<String> = (0..8).map(|n| insert(now + n, Some(now + n + 4))).collect();
    at_once(&hub, race).await;
    assert_one_at_every_instant(&hub).await;
    hub.sql(&insert(now + 9_000, None)).await;
    assert_one_at_every_instant(&hub).await;
}

/// Every kind can be proposed by somebody, and received by somebody.
#[test]
fn every_kind_has_its_terms() {
    for kind in Kind::ALL {
        let terms = kind.terms();
        assert!(!terms.proposers.is_empty() && !terms.receivers.is_empty() && !terms.on_arrival.is_empty(), "{kind}");
        assert!(terms.alarms.county > 0 && terms.alarms.episode > terms.alarms.county, "{kind}");
        assert_eq!(Kind::from_code(kind.code()), Some(kind));
    }
}
