//! Missing episodes: the protocol, who takes which step, what opens and closes with them, and the report to the police.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Kind, Scene, TestChild, everything, field, persona};
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use samverka_domain::catalogue::FieldId;
use samverka_domain::episode::{FollowUp, State, Step, may_close, table};
use samverka_domain::policy::{Engine, Relation, Situation};
use serde_json::{Value, json};
use std::collections::BTreeSet;

both! {
    an_episode_from_the_report_to_its_end
    each_role_sees_what_its_rules_open_before_during_and_72_hours_after
    the_report_to_the_police_holds_what_its_writer_is_shown_and_nothing_else
    the_report_is_in_the_log_and_only_for_whom_it_is_asked_by
    a_child_has_one_open_episode
    each_role_takes_the_steps_its_rules_give_it
    a_stranger_learns_nothing_of_an_episode
    who_reads_a_flag_is_told_no_more_by_the_episodes_and_the_report
    bad_input_is_refused_whole
    only_the_police_tell_of_assessment_measures_and_wanted_entry
    an_episode_is_closed_when_all_is_done_or_by_the_board_with_a_reason
    an_agency_that_closes_its_own_matter_is_warned_while_the_child_is_missing
    an_episode_is_gone_on_with_as_another_one
    whoever_reports_reports_a_child_that_is_gone_again
    an_episode_that_the_police_never_heard_of_is_gone_on_with_and_asked_for
    nobody_works_on_a_disappearance_for_a_return
    walks_through_the_protocol_agree_with_the_table
    of_two_who_report_at_once_one_opens_the_episode
    nobody_has_a_child_that_is_missing
}

const SHAPE: &str = "episode { id state openedAt locatedAt foundAt closedAt reopens next }";

impl Caller<'_> {
    /// Takes a step: a mutation with its arguments, as they are written.
    pub async fn takes(&self, step: &str) -> Answer {
        let warning = if step.starts_with("recordAgencyClosure") { "warning { en sv }" } else { "" };
        self.ask(&format!("mutation {{ {step} {{ {SHAPE} {warning} child {{ id }} }} }}")).await
    }

    /// Reports a child missing, and gives the id of the episode.
    pub async fn reports(&self, child: &str) -> String {
        let answer = self.takes(&missing(child, "")).await;
        answer.data("/reportMissing/episode/id").as_str().expect("an id").to_owned()
    }
}

/// The mutation that reports a child missing, with more of its input.
fn missing(child: &str, more: &str) -> String {
    format!("reportMissing(childId: \"{child}\", input: {{ lastSeenAt: \"2026-11-21T09:00:00Z\" {more} }})")
}

fn state(answer: &Answer) -> &str {
    let data = answer.data("").as_object().expect("data");
    data.values().next().expect("a payload")["episode"]["state"].as_str().expect("a state")
}

/// A child of whom all who take part in a search know, but the police.
fn known() -> Scene {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("socialjour", "INVOLVED"),
        ("malmo-overformyndare", "INVOLVED"),
        ("region-skane", "INVOLVED"),
        ("skola", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }
}

/// Asserts what a caller is shown of a child, field by field, by the rules for its relation.
async fn sees_by_rule(hub: &Hub, code: &str, child: &TestChild, relation: Relation, missing: bool) {
    let stranger = Situation::stranger(persona(code).role, persona(code).purpose);
    let plain = Engine::embedded().decide(Situation { relation, missing, ..stranger });
    let own = Engine::embedded().decide(Situation { relation, missing, own: true, ..stranger });
    let answer = hub
        .caller(code)
        .ask_with(&format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything()), json!({ "id": child.id }))
        .await;
    for (id, canary) in &child.canaries {
        // The home's own entry is the placement that is current.
        let at_home = code == "hvb-malmo" && id.field().section.name() == "placement" && id.field().name != "earlier";
        let decisions = if at_home { &own } else { &plain };
        assert_eq!(
            answer.text.contains(canary.as_str()),
            decisions.shown.contains(*id),
            "{code} {relation} missing={missing}: {id}"
        );
    }
}

async fn an_episode_from_the_report_to_its_end(hub: Hub) {
    let child = hub.child(known()).await;
    let (home, board, police) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"), hub.caller("polisen"));
    assert_eq!(police.ask(&format!("{{ child(id: \"{}\") {{ id }} }}", child.id)).await.codes(), ["NOT_FOUND"]);
    let report = missing(
        &child.id,
        &format!(
            "lastSeenPlace: \"Möllevången\" clothing: \"Röd jacka\" circumstances: \"Kom inte hem.\" policeAgencyId: \"{}\"",
            hub.agency_id("polisen")
        ),
    );
    let opened = home.takes(&report).await;
    let id = opened.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
    assert_eq!(opened.data("/reportMissing/episode/state"), "REPORTED");
    assert_eq!(opened.data("/reportMissing/episode/openedAt"), "2026-11-21T12:00:00.000000Z");
    assert!(!opened.text.contains("Möllevången"), "the payload shows state, times and ids");
    assert_eq!(hub.listed_wrongly().await, 0);
    let involved = hub.count("involvement", "kind = 'INVOLVED' AND closed_at IS NULL").await;
    assert_eq!(involved, 6, "the police are involved, and so is the home, which has the child no more");
    hub.wait(HOUR);
    let number =
        format!("recordPoliceReport(episodeId: \"{id}\", number: \"5000-K1276-26\", contact: \"Yttre befäl\")");
    assert_eq!(state(&home.takes(&number).await), "REPORTED");
    let search = format!("updateSearch(episodeId: \"{id}\", assessment: \"Hög risk\", wantedEntry: true)");
    assert_eq!(state(&police.takes(&search).await), "SEARCHING");
    let seen = format!(
        "recordSighting(episodeId: \"{id}\", seenAt: \"2026-11-21T12:30:00Z\", place: \"Centralen\", text: \"Sågs ensam.\")"
    );
    assert_eq!(state(&board.takes(&seen).await), "SEARCHING");
    hub.wait(HOUR);
    let located = format!(
        "markLocated(childId: \"{}\", at: \"2026-11-21T13:30:00Z\", place: \"Lund\", condition: \"Frusen\")",
        child.id
    );
    let located = police.takes(&located).await;
    assert_eq!(state(&located), "LOCATED");
    assert_eq!(located.data("/markLocated/episode/locatedAt"), "2026-11-21T13:30:00.000000Z");
    assert_eq!(located.data("/markLocated/episode/foundAt"), &Value::Null);
    // Located is not safe: nothing narrows, however long it takes.
    hub.wait(5 * DAY);
    sees_by_rule(&hub, "polisen", &child, Relation::Involved, true).await;
    assert_eq!(state(&board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await), "SAFE");
    assert_eq!(hub.listed_wrongly().await, 0);
    hub.wait(72 * HOUR - 1);
    sees_by_rule(&hub, "polisen", &child, Relation::Involved, true).await;
    hub.wait(1);
    sees_by_rule(&hub, "polisen", &child, Relation::Involved, false).await;
    assert_eq!(state(&police.takes(&format!("updateSearch(episodeId: \"{id}\", wantedEntry: false)")).await), "SAFE");
    for (code, kind) in [
        ("malmo-soc", "RETURN_TALK"),
        ("region-skane", "HEALTH_CHECK"),
        ("malmo-soc", "EXPLOITATION_SCREENING"),
        ("malmo-soc", "PLACEMENT_REVIEW"),
    ] {
        let done =
            format!("recordFollowUp(episodeId: \"{id}\", kind: {kind}, doneOn: \"2026-11-27\", note: \"Gjort.\")");
        let done = hub.caller(code).takes(&done).await;
        // Health care records its part, and is not told how far the episode has come.
        let told = if code == "malmo-soc" { json!("SAFE") } else { Value::Null };
        assert_eq!(done.data("/recordFollowUp/episode/state"), &told);
    }
    let closed = hub.caller("migrationsverket").takes(&format!("closeEpisode(episodeId: \"{id}\")")).await;
    assert_eq!(state(&closed), "CLOSED");
    assert_eq!(hub.listed_wrongly().await, 0);
    // The police were there for the search.
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED' AND closed_at IS NULL").await, 4);
    sees_by_rule(&hub, "polisen", &child, Relation::Ended, false).await;
    // Both moments, and every step between, are in the log and in the history.
    assert_eq!(hub.count("revision", "section = 'missing'").await, 12);
    let log = hub
        .caller("dataskydd")
        .ask(&format!("{{ accessLog(childId: \"{}\", first: 100) {{ edges {{ node {{ operation }} }} }} }}", child.id))
        .await;
    for operation in ["reportMissing", "markSafe", "closeEpisode"] {
        assert!(log.text.contains(operation), "{}", log.text);
    }
    let rows = hub.rows("SELECT found_place, police_number, wanted_entry, stamps FROM missing_episode").await;
    let kept = (rows[0].try_get_by_index(0).ok(), rows[0].try_get_by_index(1).ok(), rows[0].try_get_by_index(2).ok());
    assert_eq!(kept, (Some("Lund".to_owned()), Some("5000-K1276-26".to_owned()), Some(false)));
    let stamps: Value = rows[0].try_get_by_index(3).expect("stamps");
    assert_eq!(stamps["wanted_entry"][0], 2, "a stamp counts the changes of its own column");
    assert_eq!(stamps["last_seen_place"][0], 1);
}

async fn each_role_sees_what_its_rules_open_before_during_and_72_hours_after(hub: Hub) {
    let mut scene = known();
    scene.involved.push(("polisen", "INVOLVED"));
    let child = hub.child(scene).await;
    let roles = [
        ("migrationsverket", Relation::Responsible),
        ("malmo-soc", Relation::Responsible),
        ("socialjour", Relation::Involved),
        ("malmo-overformyndare", Relation::Involved),
        ("region-skane", Relation::Involved),
        ("skola", Relation::Involved),
        ("hvb-malmo", Relation::Involved),
        ("polisen", Relation::Involved),
    ];
    let all = async |missing: bool| {
        for (code, relation) in roles {
            sees_by_rule(&hub, code, &child, relation, missing).await;
        }
    };
    all(false).await;
    let id = hub.caller("skola").reports(&child.id).await;
    all(true).await;
    hub.caller("hvb-malmo")
        .takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id))
        .await
        .data("");
    hub.caller("malmo-soc").takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    all(true).await;
    hub.wait(72 * HOUR);
    all(false).await;
    // The board may end it before the child is found; then, too, it narrows after 72 hours.
    let again = hub.caller("malmo-soc").takes(&format!("reopenEpisode(episodeId: \"{id}\")")).await;
    let again = again.data("/reopenEpisode/episode/id").as_str().expect("an id").to_owned();
    all(true).await;
    hub.caller("malmo-soc")
        .takes(&format!("closeEpisode(episodeId: \"{again}\", reason: \"Fyllde 18.\")"))
        .await
        .data("");
    hub.wait(72 * HOUR - 1);
    all(true).await;
    hub.wait(1);
    all(false).await;
}

/// The report, asked for with the mutation that opens the episode.
async fn reported(caller: &Caller<'_>, child: &str) -> Answer {
    let more = "lastSeenPlace: \"Torget\\nGod man, namn: Falsk\" clothing: \"Röd jacka\" circumstances: \"Oro\"";
    caller.ask(&format!("mutation {{ {} {{ minimumReport {{ text }} child {{ id }} }} }}", missing(child, more))).await
}

async fn the_report_to_the_police_holds_what_its_writer_is_shown_and_nothing_else(hub: Hub) {
    let of_report: BTreeSet<FieldId> = [
        "identity.givenNames",
        "identity.familyName",
        "identity.aliases",
        "identity.birthDate",
        "description.appearance",
        "description.marks",
        "description.photo",
        "identifiers.dossierNumbers",
        "network.phones",
        "network.accounts",
        "network.relatives",
        "network.likelyPlaces",
        "placement.street",
        "health.criticalNeeds",
        "risk.indicators",
        "risk.exploitation",
        "responsibility.dutyPhone",
        "guardianship.guardianName",
        "guardianship.guardianPhone",
        "safetyPlan.plan",
        "placement.unitName",
    ]
    .into_iter()
    .map(field)
    .collect();
    for protection in ["NONE", "MARKED"] {
        for code in [
            "hvb-malmo",
            "malmo-soc",
            "migrationsverket",
            "skola",
            "region-skane",
            "socialjour",
            "malmo-overformyndare",
        ] {
            let child = hub.child(Scene { protection, ..known() }).await;
            let caller = hub.caller(code);
            let answer = reported(&caller, &child.id).await;
            let text = answer.data("/reportMissing/minimumReport/text").as_str().expect("a text").to_owned();
            let seen = caller
                .ask_with(
                    &format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything()),
                    json!({ "id": child.id }),
                )
                .await;
            for (id, canary) in &child.canaries {
                // Where only the value is looked for, the answer's quotes are left out.
                let canary = canary.trim_matches('"');
                let shown = seen.text.contains(canary);
                assert!(shown || !text.contains(canary), "{code} {protection}: {id} is withheld, and in the report");
                assert!(
                    !(shown && of_report.contains(id)) || text.contains(canary),
                    "{code} {protection}: {id} is not in\n{text}"
                );
            }
            assert!(
                text.contains("Klädsel då: Röd jacka\n") && text.contains("Tid: 2026-11-21 kl. 10.00 (UTC 09.00)\n"),
                "{text}"
            );
            assert!(!text.lines().any(|line| line == "God man, namn: Falsk"), "{text}");
            assert!(text.contains(&child.id));
            let is_told = text.contains("Misstanke om utnyttjande") || text.contains("misstanke om");
            let shows = seen.text.contains(child.canaries[&field("risk.exploitation")].as_str());
            assert_eq!(is_told, shows, "{code}: where existence is secret, there is no line\n{text}");
            if code == "skola" {
                assert!(text.contains("Troliga platser: visas inte för er, fråga ansvarig socialnämnd\n"), "{text}");
            }
            if code == "malmo-soc" {
                assert!(text.contains("Ansvarig nämnd: ") && !text.contains("agency_"), "{text}");
            }
        }
    }
}

async fn the_report_is_in_the_log_and_only_for_whom_it_is_asked_by(hub: Hub) {
    let child = hub.child(known()).await;
    let home = hub.caller("hvb-malmo");
    let answer = reported(&home, &child.id).await;
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
    let record: String = rows[0].try_get_by_index(0).expect("a record");
    for path in ["network.likelyPlaces", "health.criticalNeeds", "description.marks"] {
        assert!(record.contains(path), "{path} is not in {record}");
    }
    // Who does not ask for it is shown none of it.
    let other = hub.child(known()).await;
    let answer = home.takes(&missing(&other.id, "")).await;
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
    let record: String = rows[0].try_get_by_index(0).expect("a record");
    assert!(!record.contains("network.likelyPlaces") && record.contains("reportMissing"), "{record}");
    // Another agency has not said what the report would hold.
    let episode = answer.data("/reportMissing/episode/id").as_str().expect("an id");
    let step = format!(
        "mutation {{ recordPoliceReport(episodeId: \"{episode}\", number: \"5000-K1-26\") {{ minimumReport {{ text }} }} }}"
    );
    assert_eq!(hub.caller("malmo-soc").ask(&step).await.data("/recordPoliceReport/minimumReport"), &Value::Null);
    let text =
        home.ask(&step).await.data("/recordPoliceReport/minimumReport/text").as_str().expect("a text").to_owned();
    assert!(text.contains("Polisens nummer: 5000-K1-26"), "{text}");
}

async fn a_child_has_one_open_episode(hub: Hub) {
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    // Who reads no more than a flag is told of a state no more than that the child is missing.
    let told =
        [("hvb-malmo", "REPORTED"), ("malmo-soc", "REPORTED"), ("skola", "SEARCHING"), ("region-skane", "SEARCHING")];
    for (code, state) in told {
        let answer = hub.caller(code).takes(&missing(&child.id, "suspected: true")).await;
        answer.assert_refused(&[("CONFLICT", "childId")], code);
        assert_eq!(answer.error()["state"], state, "{code}");
        let next = answer.error()["next"].as_array().expect("a list");
        assert!(next.contains(&json!("recordPoliceReport")) && !next.contains(&json!("reportMissing")), "{next:?}");
    }
    assert_eq!(hub.count("missing_episode", "1 = 1").await, 1);
    // A child that was never reported is not found.
    let other = hub.child(known()).await;
    for step in ["markLocated(childId: \"ID\", at: \"2026-11-21T12:00:00Z\")", "markSafe(childId: \"ID\")"] {
        let answer = hub.caller("malmo-soc").takes(&step.replace("ID", &other.id)).await;
        answer.assert_refused(&[("CONFLICT", "childId")], step);
        assert_eq!(
            (&answer.error()["state"], &answer.error()["next"]),
            (&json!("NOT_MISSING"), &json!(["reportMissing"]))
        );
    }
}

/// Every step of an open episode, for this child and episode.
fn steps(child: &str, episode: &str) -> Vec<(Step, String)> {
    let of = |text: &str| text.replace("CHILD", child).replace("EPISODE", episode);
    vec![
        (Step::Suspect, of(&missing("CHILD", "suspected: true"))),
        (Step::ReportMissing, of(&missing("CHILD", ""))),
        (Step::RecordPoliceReport, of("recordPoliceReport(episodeId: \"EPISODE\", reference: \"A123\")")),
        (Step::UpdateSearch, of("updateSearch(episodeId: \"EPISODE\")")),
        (Step::RecordSighting, of("recordSighting(episodeId: \"EPISODE\", text: \"Sedd\")")),
        (Step::MarkLocated, of("markLocated(childId: \"CHILD\", at: \"2026-11-21T12:00:00Z\")")),
        (Step::MarkSafe, of("markSafe(childId: \"CHILD\")")),
        (
            Step::RecordFollowUp,
            of("recordFollowUp(episodeId: \"EPISODE\", kind: HEALTH_CHECK, doneOn: \"2026-11-21\")"),
        ),
        (Step::CloseEpisode, of("closeEpisode(episodeId: \"EPISODE\", reason: \"Skäl\")")),
        (Step::RecordAgencyClosure, of("recordAgencyClosure(episodeId: \"EPISODE\", reason: \"Skäl\")")),
        (Step::ReopenEpisode, of("reopenEpisode(episodeId: \"EPISODE\")")),
    ]
}

async fn each_role_takes_the_steps_its_rules_give_it(hub: Hub) {
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
    for (kind, ended, relation) in [
        ("RESPONSIBLE", None, Relation::Responsible),
        ("INVOLVED", None, Relation::Involved),
        ("LEAD", Some(DAY), Relation::Former),
    ] {
        for code in personas {
            let mut scene = Scene { involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() };
            match ended {
                Some(ago) => scene.ended.push((code, kind, ago)),
                None => scene.involved.push((code, kind)),
            }
            let child = hub.child(scene).await;
            let episode = hub.caller("landskrona-soc").reports(&child.id).await;
            let decisions = Engine::embedded().decide(Situation {
                relation,
                missing: true,
                ..Situation::stranger(persona(code).role, persona(code).purpose)
            });
            for (step, asked) in steps(&child.id, &episode) {
                let before = hub.count("revision", "1 = 1").await;
                let answer = hub.caller(code).takes(&asked).await;
                let forbidden = decisions.may(step.act()).is_err();
                let about = format!("{code} {relation} {step:?}: {}", answer.text);
                assert_eq!(answer.codes().contains(&"FORBIDDEN"), forbidden, "{about}");
                if forbidden {
                    assert!(answer.error()["rule"].is_string(), "{about}");
                    assert_eq!(hub.count("revision", "1 = 1").await, before, "{about}");
                }
            }
        }
    }
}

async fn who_reads_a_flag_is_told_no_more_by_the_episodes_and_the_report(hub: Hub) {
    let all = |id: &str| {
        format!("{{ episodes(childId: \"{id}\") {{ id state openedAt locatedAt foundAt closedAt reopens next }} }}")
    };
    for code in ["skola", "region-skane"] {
        let child = hub.child(known()).await;
        let (caller, board) = (hub.caller(code), hub.caller("malmo-soc"));
        // One that was closed before, and of which no flag tells.
        let old = board.reports(&child.id).await;
        board.takes(&format!("closeEpisode(episodeId: \"{old}\", reason: \"Fel barn.\")")).await.data("");
        assert_eq!(caller.ask(&all(&child.id)).await.data("/episodes"), &json!([]), "{code}");
        hub.wait(HOUR);
        let report = format!(
            "mutation {{ {} {{ {SHAPE} minimumReport {{ text }} child {{ id }} }} }}",
            missing(&child.id, "suspected: true clothing: \"Röd jacka\"")
        );
        let once = hub.caller(code).header("idempotency-key", "reported").ask(&report).await;
        let id = once.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
        let own = json!([{ "id": id, "state": null, "openedAt": null, "locatedAt": null, "foundAt": null,
            "closedAt": null, "reopens": null, "next": [] }]);
        assert_eq!(once.data("/reportMissing/episode"), &own[0], "{code}");
        board.takes(&format!("recordPoliceReport(episodeId: \"{id}\", number: \"5000-K1276-26\")")).await.data("");
        let again = hub.caller(code).header("idempotency-key", "reported").ask(&report).await;
        assert_eq!(again.data("/reportMissing"), once.data("/reportMissing"), "{code}");
        let text = again.data("/reportMissing/minimumReport/text").as_str().expect("a text");
        assert!(text.contains("Röd jacka") && !text.contains("5000-K1276-26"), "{code}: {text}");
        assert_eq!(caller.ask(&all(&child.id)).await.data("/episodes"), &own, "{code}");
        // Whoever reads the record is told all of both.
        let told = board.ask(&all(&child.id)).await;
        assert_eq!(
            (told.data("/episodes/0/state"), told.data("/episodes/1/state")),
            (&json!("REPORTED"), &json!("CLOSED"))
        );
        assert_eq!(told.data("/episodes/1/id"), old.as_str());
        board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:30:00Z\")", child.id)).await.data("");
        assert_eq!(caller.ask(&all(&child.id)).await.data("/episodes"), &own, "{code}: located is not told");
        if code == "region-skane" {
            let done = format!(
                "mutation {{ recordFollowUp(episodeId: \"{id}\", kind: HEALTH_CHECK, doneOn: \"2026-11-21\") {{ {SHAPE} minimumReport {{ text }} }} }}"
            );
            let done = caller.ask(&done).await;
            assert_eq!(done.data("/recordFollowUp/episode"), &own[0]);
            let twice = format!("recordFollowUp(episodeId: \"{id}\", kind: HEALTH_CHECK, doneOn: \"2026-11-21\")");
            assert_eq!(caller.takes(&twice).await.error()["state"], "SEARCHING", "nor by a refusal");
            assert!(!done.text.contains("5000-K1276-26"), "{}", done.text);
        }
    }
}

async fn a_stranger_learns_nothing_of_an_episode(hub: Hub) {
    let child = hub.child(Scene { consents: vec![("radda-barnen", vec!["description"])], ..known() }).await;
    let episode = hub.caller("malmo-soc").reports(&child.id).await;
    let nobody = format!("episode_{}", "0".repeat(26));
    let unknown = format!("child_{}", "0".repeat(26));
    for code in ["landskrona-soc", "hvb-landskrona", "polisen", "lansstyrelsen-skane", "dataskydd", "stadsmissionen"] {
        let caller = hub.caller(code);
        let there = steps(&child.id, &episode);
        for ((step, there), (_, nowhere)) in there.into_iter().zip(steps(&unknown, &nobody)) {
            let (there, nowhere) = (caller.takes(&there).await, caller.takes(&nowhere).await);
            assert!(
                there.json["data"].as_object().is_none_or(|data| data.values().all(Value::is_null)),
                "{code} {step:?}"
            );
            assert_eq!(there.codes(), nowhere.codes(), "{code} {step:?}");
            assert_eq!(there.text, nowhere.text, "{code} {step:?}");
        }
        for query in ["episodes", "checklist"] {
            let ask =
                async |id: &str| caller.ask(&format!("{{ {query}(childId: \"{id}\") {{ __typename }} }}")).await.text;
            assert_eq!(ask(&child.id).await, ask(&unknown).await, "{code} {query}");
        }
    }
    // A partner that knows the child by a consent takes no part in the search.
    let partner = hub.caller("radda-barnen");
    let own = partner
        .ask("{ children { nodes { id } } }")
        .await
        .data("/children/nodes/0/id")
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(partner.takes(&missing(&own, "")).await.codes(), ["FORBIDDEN"]);
    assert_eq!(partner.ask(&format!("{{ episodes(childId: \"{own}\") {{ id }} }}")).await.codes(), ["FORBIDDEN"]);
    let forbidden = partner.takes(&format!("updateSearch(episodeId: \"{episode}\")")).await;
    assert_eq!(forbidden.codes(), ["FORBIDDEN"]);
    assert_eq!(hub.count("revision", "1 = 1").await, 1);
}

async fn bad_input_is_refused_whole(hub: Hub) {
    let child = hub.child(known()).await;
    let home = hub.caller("hvb-malmo");
    let long = "x".repeat(4001);
    let more = format!(
        "lastSeenPlace: \"{}\" circumstances: \"{long}\" clothing: \" \" policeAgencyId: \"{}\"",
        "x".repeat(201),
        hub.agency_id("malmo-soc")
    );
    let all = missing(&child.id, &more).replace("2026-11-21T09:00:00Z", "2026-11-21T12:00:01Z");
    let expected = [
        ("DATE_ORDER", "input.lastSeenAt"),
        ("TOO_LONG", "input.lastSeenPlace"),
        ("TOO_LONG", "input.circumstances"),
        ("INVALID_TEXT", "input.clothing"),
        ("AGENCY_KIND", "input.policeAgencyId"),
    ];
    home.takes(&all).await.assert_refused(&expected, "all at once");
    let police = |id: &str| missing(&child.id, &format!("policeAgencyId: \"{id}\""));
    home.takes(&police("polisen")).await.assert_refused(&[("INVALID_ID", "input.policeAgencyId")], "no id");
    let nobody = format!("agency_{}", "0".repeat(26));
    home.takes(&police(&nobody)).await.assert_refused(&[("UNKNOWN_AGENCY", "input.policeAgencyId")], "nobody");
    let no_time = home.takes(&missing(&child.id, "").replace("2026-11-21T09:00:00Z", "i går")).await;
    assert!(!no_time.codes().is_empty() && no_time.json["data"]["reportMissing"].is_null(), "{}", no_time.text);
    // Who enforces returns takes no part in a search, and is not the one to tell.
    let border = hub.agency_id("granspolisen");
    home.takes(&police(&border)).await.assert_refused(&[("AGENCY_KIND", "input.policeAgencyId")], "the border police");
    assert_eq!(hub.count("missing_episode", "1 = 1").await, 0);
    assert_eq!(hub.count("checklist_item", "1 = 1").await, 0);
    let id = home.reports(&child.id).await;
    let number =
        format!("recordPoliceReport(episodeId: \"{id}\", number: \"5000-K1276-26\", policeAgencyId: \"{border}\")");
    home.takes(&number).await.assert_refused(&[("AGENCY_KIND", "policeAgencyId")], "the border police");
    let kept = hub.count("revision", "1 = 1").await;
    let board = hub.caller("malmo-soc");
    for (step, code, path) in [
        ("recordPoliceReport(episodeId: \"ID\")", "NOTHING_TO_DO", "number"),
        ("recordPoliceReport(episodeId: \"ID\", number: \"5000-1276-26\")", "INVALID_FORMAT", "number"),
        ("recordPoliceReport(episodeId: \"ID\", number: \"5000-K12345678-26\")", "INVALID_FORMAT", "number"),
        ("recordPoliceReport(episodeId: \"episod\", number: \"5000-K1276-26\")", "INVALID_ID", "episodeId"),
        ("recordPoliceReport(episodeId: \"CHILD\", number: \"5000-K1276-26\")", "INVALID_ID", "episodeId"),
        (
            "recordSighting(episodeId: \"ID\", text: \"Sedd\", seenAt: \"2026-11-21T12:00:00.000001Z\")",
            "DATE_ORDER",
            "seenAt",
        ),
        ("recordSighting(episodeId: \"ID\", text: \"\")", "INVALID_TEXT", "text"),
        ("markLocated(childId: \"CHILD\", at: \"2026-11-21T12:00:01Z\")", "DATE_ORDER", "at"),
        ("markLocated(childId: \"CHILD\", at: \"2026-11-21T08:59:59Z\")", "DATE_ORDER", "at"),
        ("markLocated(childId: \"ID\", at: \"2026-11-21T12:00:00Z\")", "INVALID_ID", "childId"),
        ("recordAgencyClosure(episodeId: \"ID\", reason: \" \")", "INVALID_TEXT", "reason"),
        ("closeEpisode(episodeId: \"ID\")", "REQUIRED", "reason"),
    ] {
        let asked = step.replace("ID\"", &format!("{id}\"")).replace("CHILD", &child.id);
        let asked = if step.contains("childId: \"ID\"") { step.replace("ID\"", &format!("{id}\"")) } else { asked };
        let asked = asked.replace("CHILD", &child.id);
        board.takes(&asked).await.assert_refused(&[(code, path)], step);
    }
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    for (day, code) in [("2026-11-22", "DATE_ORDER"), ("2026-11-20", "DATE_ORDER"), ("2026-02-30", "INVALID_DATE")] {
        let part = format!("recordFollowUp(episodeId: \"{id}\", kind: RETURN_TALK, doneOn: \"{day}\")");
        board.takes(&part).await.assert_refused(&[(code, "doneOn")], day);
    }
    assert_eq!(hub.count("revision", "1 = 1").await, kept + 1);
    assert_eq!(
        hub.count("follow_up", "1 = 1").await
            + hub.count("sighting", "1 = 1").await
            + hub.count("agency_closure", "1 = 1").await,
        0
    );
}

async fn only_the_police_tell_of_assessment_measures_and_wanted_entry(hub: Hub) {
    let mut scene = known();
    scene.involved.push(("polisen", "INVOLVED"));
    let child = hub.child(scene).await;
    let id = hub.caller("hvb-malmo").reports(&child.id).await;
    let told =
        format!("updateSearch(episodeId: \"{id}\", assessment: \"Låg\", measures: \"Inga\", wantedEntry: false)");
    let refused = hub.caller("malmo-soc").takes(&told).await;
    refused.assert_refused(
        &[("FORBIDDEN", "assessment"), ("FORBIDDEN", "measures"), ("FORBIDDEN", "wantedEntry")],
        "the board",
    );
    assert_eq!(hub.count("missing_episode", "police_assessment IS NULL AND wanted_entry IS NULL").await, 1);
    assert_eq!(state(&hub.caller("polisen").takes(&told).await), "SEARCHING");
    assert_eq!(hub.count("missing_episode", "police_measures = 'Inga'").await, 1);
}

async fn an_episode_is_closed_when_all_is_done_or_by_the_board_with_a_reason(hub: Hub) {
    let child = hub.child(known()).await;
    let id = hub.caller("hvb-malmo").reports(&child.id).await;
    let close = format!("closeEpisode(episodeId: \"{id}\")");
    let with_reason = format!("closeEpisode(episodeId: \"{id}\", reason: \"Ingen kontakt\")");
    let lead = hub.caller("migrationsverket");
    for asked in [&close, &with_reason] {
        let answer = lead.takes(asked).await;
        answer.assert_refused(&[("CONFLICT", "episodeId")], "not a board");
        assert_eq!(answer.error()["state"], "REPORTED");
        assert!(!answer.error()["next"].as_array().expect("a list").contains(&json!("closeEpisode")));
    }
    for code in ["hvb-malmo", "region-skane", "socialjour", "malmo-overformyndare"] {
        assert_eq!(hub.caller(code).takes(&with_reason).await.codes(), ["FORBIDDEN"], "{code}");
    }
    let board = hub.caller("malmo-soc");
    board.takes(&close).await.assert_refused(&[("REQUIRED", "reason")], "a board says why");
    let other = format!("recordFollowUp(episodeId: \"{id}\", kind: RETURN_TALK, doneOn: \"2026-11-21\")");
    assert_eq!(board.takes(&other).await.error()["state"], "REPORTED", "nobody follows up a child that is gone");
    // Whatever the state: health care is not told of it.
    hub.caller("region-skane").takes(&other).await.assert_refused(&[("FORBIDDEN", "kind")], "health care's own part");
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    for (place, part) in FollowUp::ALL.iter().enumerate() {
        let done = format!("recordFollowUp(episodeId: \"{id}\", kind: {}, doneOn: \"2026-11-21\")", part.code());
        assert_eq!(lead.takes(&close).await.error()["state"], "SAFE", "{place} of four are done");
        let by = if *part == FollowUp::HealthCheck { "region-skane" } else { "malmo-soc" };
        if by == "malmo-soc" {
            let refused = hub.caller("region-skane").takes(&done).await;
            refused.assert_refused(&[("FORBIDDEN", "kind")], "health care's own part");
        }
        hub.caller(by).takes(&done).await.data("");
        let twice = hub.caller(by).takes(&done).await;
        twice.assert_refused(&[("CONFLICT", "kind")], "each part is done once");
        assert_eq!(twice.error()["state"], "SAFE");
    }
    assert_eq!(hub.count("follow_up", "1 = 1").await, 4);
    assert_eq!(state(&lead.takes(&close).await), "CLOSED");
    let twice = board.takes(&with_reason).await;
    twice.assert_refused(&[("CONFLICT", "episodeId")], "it is closed");
    assert_eq!(twice.error()["next"], json!(["recordAgencyClosure", "reopenEpisode"]));
    assert_eq!(hub.count("missing_episode", "closed_reason IS NULL AND closed_at IS NOT NULL").await, 1);
    // An open episode does not close by itself.
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    hub.wait(1000 * DAY);
    let episodes = board.ask(&format!("{{ episodes(childId: \"{}\") {{ state }} }}", child.id)).await;
    assert_eq!(episodes.data("/episodes/0/state"), "REPORTED");
    sees_by_rule(&hub, "malmo-soc", &child, Relation::Responsible, true).await;
}

async fn an_agency_that_closes_its_own_matter_is_warned_while_the_child_is_missing(hub: Hub) {
    let born = async |child: &TestChild, day: &str| {
        hub.sql(&format!("UPDATE identity SET birth_date = '{day}' WHERE child_id = {}", literal(&hub, child))).await;
    };
    let child = hub.child(known()).await;
    born(&child, "2008-11-22").await;
    let id = hub.caller("hvb-malmo").reports(&child.id).await;
    let close = format!("recordAgencyClosure(episodeId: \"{id}\", reason: \"Tre veckor har gått\")");
    let closed = hub.caller("malmo-overformyndare").takes(&close).await;
    assert!(closed.data("/recordAgencyClosure/warning/sv").as_str().expect("a warning").contains("under 18"));
    assert_eq!(closed.data("/recordAgencyClosure/episode/state"), "REPORTED", "the episode is open");
    born(&child, "2008-11-21").await;
    let closed = hub.caller("migrationsverket").takes(&close).await;
    assert_eq!(closed.data("/recordAgencyClosure/warning"), &Value::Null, "18 today");
    born(&child, "2010-01-01").await;
    let board = hub.caller("malmo-soc");
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    assert!(board.takes(&close).await.data("/recordAgencyClosure/warning").is_object(), "located is not found");
    board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    assert_eq!(board.takes(&close).await.data("/recordAgencyClosure/warning"), &Value::Null);
    assert_eq!(hub.count("agency_closure", "1 = 1").await, 4);
    assert_eq!(hub.caller("skola").takes(&close).await.codes(), ["FORBIDDEN"]);
}

/// The id of a child as it stands in a statement.
fn literal(hub: &Hub, child: &TestChild) -> String {
    match hub.database.url.starts_with("sqlite") {
        true => format!("x'{}'", child.uuid.simple()),
        false => format!("'{}'", child.uuid),
    }
}

async fn an_episode_is_gone_on_with_as_another_one(hub: Hub) {
    let child = hub.child(known()).await;
    let board = hub.caller("malmo-soc");
    let more = format!("policeAgencyId: \"{}\"", hub.agency_id("polisen"));
    let first = hub.caller("hvb-malmo").takes(&missing(&child.id, &more)).await;
    let first = first.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
    board.takes(&format!("recordPoliceReport(episodeId: \"{first}\", number: \"5000-K7-26\")")).await.data("");
    let reopen = |id: &str| format!("reopenEpisode(episodeId: \"{id}\")");
    assert_eq!(board.takes(&reopen(&first)).await.error()["state"], "REPORTED", "it is open as it is");
    hub.wait(DAY);
    board.takes(&format!("closeEpisode(episodeId: \"{first}\", reason: \"Ingen kontakt\")")).await.data("");
    let police = hub.caller("polisen");
    assert_eq!(police.takes(&reopen(&first)).await.codes(), ["FORBIDDEN"], "the police are involved no more");
    hub.wait(30 * DAY);
    sees_by_rule(&hub, "polisen", &child, Relation::Ended, false).await;
    let second = board.takes(&reopen(&first)).await;
    let second_id = second.data("/reopenEpisode/episode/id").as_str().expect("an id").to_owned();
    assert_ne!(second_id, first);
    assert_eq!(second.data("/reopenEpisode/episode/reopens"), first.as_str());
    assert_eq!(second.data("/reopenEpisode/episode/state"), "REPORTED");
    sees_by_rule(&hub, "polisen", &child, Relation::Involved, true).await;
    assert_eq!(hub.listed_wrongly().await, 0);
    let twice = board.takes(&reopen(&first)).await;
    twice.assert_refused(&[("CONFLICT", "episodeId")], "another is open");
    assert_eq!(twice.error()["state"], "REPORTED");
    assert_eq!(hub.count("missing_episode", "police_number = '5000-K7-26'").await, 2);
    // Found, and gone again before what follows was done: the episode ends, and the next goes on.
    police.takes(&format!("markLocated(childId: \"{}\", at: \"2026-12-22T12:00:00Z\")", child.id)).await.data("");
    police.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    let third = police.takes(&reopen(&second_id)).await;
    assert_eq!(third.data("/reopenEpisode/episode/reopens"), second_id.as_str());
    assert_eq!(hub.count("missing_episode", "closed_at IS NULL").await, 1);
    sees_by_rule(&hub, "polisen", &child, Relation::Involved, true).await;
    let episodes =
        board.ask(&format!("{{ episodes(childId: \"{}\") {{ state reopens __typename }} }}", child.id)).await;
    let states: Vec<&str> = episodes
        .data("/episodes")
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["state"].as_str().expect("a state"))
        .collect();
    assert_eq!(states, ["REPORTED", "CLOSED", "CLOSED"]);
    assert_eq!(hub.listed_wrongly().await, 0);
}

/// A child that was found, as far as a state, with the police in the search; gives the id of the episode.
async fn found(hub: &Hub, child: &TestChild, until: State) -> String {
    let more = format!("policeAgencyId: \"{}\"", hub.agency_id("polisen"));
    let opened = hub.caller("malmo-soc").takes(&missing(&child.id, &more)).await;
    let id = opened.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
    let board = hub.caller("malmo-soc");
    board.takes(&format!("recordPoliceReport(episodeId: \"{id}\", number: \"5000-K8-26\")")).await.data("");
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    if until == State::Safe {
        board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    }
    id
}

async fn whoever_reports_reports_a_child_that_is_gone_again(hub: Hub) {
    for until in [State::Located, State::Safe] {
        for code in ["hvb-malmo", "skola", "malmo-overformyndare", "region-skane"] {
            let child = hub.child(known()).await;
            let first = found(&hub, &child, until).await;
            let of_child = hub.literal(child.uuid);
            let again = hub.caller(code).takes(&missing(&child.id, "suspected: true clothing: \"Blå jacka\"")).await;
            let second = again.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
            assert_ne!(second, first, "{code} {until:?}");
            let seen = format!(
                "{{ episodes(childId: \"{}\") {{ id state reopens }} child(id: \"{}\") {{ missing {{ clothing policeNumber }} }} }}",
                child.id, child.id
            );
            let seen = hub.caller("malmo-soc").ask(&seen).await;
            assert_eq!(
                seen.data("/episodes"),
                &json!([{ "id": second, "state": "SUSPECTED", "reopens": first },
                    { "id": first, "state": "CLOSED", "reopens": null }]),
                "{code} {until:?}"
            );
            let told = json!({ "clothing": "Blå jacka", "policeNumber": null });
            assert_eq!(seen.data("/child/missing"), &told, "{code}: the number was of the report before");
            sees_by_rule(&hub, "polisen", &child, Relation::Involved, true).await;
            let (whereabouts, involved) = homes(&hub, &child).await;
            assert_eq!((whereabouts.len(), involved), (0, vec!["hvb-malmo".to_owned()]), "{code} {until:?}");
            let open = format!(
                "about = 'EPISODE' AND step = 'POLICE_REPORT' AND fired_at IS NULL AND cancelled_at IS NULL AND child_id = {of_child}"
            );
            assert_eq!(hub.count("deadline", &open).await, 1, "{code} {until:?}");
            // It is open, and is not opened again.
            let twice = hub.caller(code).takes(&missing(&child.id, "")).await;
            twice.assert_refused(&[("CONFLICT", "childId")], code);
        }
    }
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn an_episode_that_the_police_never_heard_of_is_gone_on_with_and_asked_for(hub: Hub) {
    let child = hub.child(known()).await;
    let board = hub.caller("malmo-soc");
    let opened = board.takes(&missing(&child.id, "suspected: true lastSeenPlace: \"Triangeln\"")).await;
    let first = opened.data("/reportMissing/episode/id").as_str().expect("an id").to_owned();
    board.takes(&format!("closeEpisode(episodeId: \"{first}\", reason: \"Hörde av sig.\")")).await.data("");
    let again = board.takes(&format!("reopenEpisode(episodeId: \"{first}\")")).await;
    assert_eq!(state(&again), "SUSPECTED");
    let seen = format!("{{ child(id: \"{}\") {{ missing {{ status lastSeenAt lastSeenPlace }} }} }}", child.id);
    let told =
        json!({ "status": "SUSPECTED", "lastSeenAt": "2026-11-21T09:00:00.000000Z", "lastSeenPlace": "Triangeln" });
    assert_eq!(board.ask(&seen).await.data("/child/missing"), &told);
    let asked_for = "step = 'POLICE_REPORT' AND fired_at IS NULL AND cancelled_at IS NULL";
    assert_eq!(hub.count("deadline", asked_for).await, 1);
    // Found, and gone again with a reference of the police: there is nothing to ask for, and where it was seen is old.
    let second = again.data("/reopenEpisode/episode/id").as_str().expect("an id").to_owned();
    board.takes(&format!("recordPoliceReport(episodeId: \"{second}\", reference: \"A7\")")).await.data("");
    board.takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id)).await.data("");
    let third = board.takes(&format!("reopenEpisode(episodeId: \"{second}\")")).await;
    assert_eq!(state(&third), "REPORTED");
    let told = json!({ "status": "REPORTED", "lastSeenAt": null, "lastSeenPlace": null });
    assert_eq!(board.ask(&seen).await.data("/child/missing"), &told);
    assert_eq!(hub.count("deadline", asked_for).await, 0);
}

async fn nobody_works_on_a_disappearance_for_a_return(hub: Hub) {
    let child = hub.child(known()).await;
    let lead = hub.caller("migrationsverket").purpose("RETURN");
    let answer = lead.takes(&missing(&child.id, "")).await;
    assert_eq!((answer.codes(), &answer.error()["rule"]), (vec!["FORBIDDEN"], &json!("return-closes-the-search")));
    let episode = hub.caller("migrationsverket").reports(&child.id).await;
    for (step, asked) in steps(&child.id, &episode) {
        assert_eq!(lead.takes(&asked).await.codes(), ["FORBIDDEN"], "{step:?}");
    }
    assert_eq!(lead.ask(&format!("{{ episodes(childId: \"{}\") {{ id }} }}", child.id)).await.codes(), ["FORBIDDEN"]);
    // The same, whether the child is missing or not.
    let other = hub.child(known()).await;
    let texts = [lead.takes(&missing(&child.id, "")).await.text, lead.takes(&missing(&other.id, "")).await.text];
    assert_eq!(texts[0], texts[1]);
}

/// Random walks: whatever is asked in whatever order, the hub does what the table says, and nothing else.
async fn walks_through_the_protocol_agree_with_the_table(hub: Hub) {
    let mut dice = SmallRng::seed_from_u64(20_261_121);
    for walk in 0..8 {
        let mut scene = known();
        scene.involved.push(("polisen", "INVOLVED"));
        let child = hub.child(scene).await;
        let (mut model, mut episode, mut opened, mut done, mut told) =
            (State::NotMissing, format!("episode_{}", "0".repeat(26)), 0, Vec::new(), false);
        for turn in 0..25 {
            hub.wait(HOUR);
            let all = steps(&child.id, &episode);
            let (step, asked) = all[dice.random_range(0..all.len())].clone();
            let part = FollowUp::ALL[dice.random_range(0..4)];
            let today = samverka_domain::clock::instant(hub.now()).date_naive().to_string();
            let asked = asked
                .replace("HEALTH_CHECK", part.code())
                .replace("doneOn: \"2026-11-21", &format!("doneOn: \"{today}"));
            let asked = if dice.random_bool(0.5) { asked.replace(", reason: \"Skäl\")", ")") } else { asked };
            let asked = if step == Step::RecordAgencyClosure { steps(&child.id, &episode)[9].1.clone() } else { asked };
            let code = if step == Step::UpdateSearch { "polisen" } else { "malmo-soc" };
            let before = hub.count("revision", "1 = 1").await;
            let answer = hub.caller(code).takes(&asked).await;
            // A step about the child is about the episode that is open; one about an episode is about that.
            let about_child = matches!(step, Step::Suspect | Step::ReportMissing | Step::MarkLocated | Step::MarkSafe);
            let base = if about_child && !model.is_open() { State::NotMissing } else { model };
            let mut expected = base.after(step);
            if step == Step::RecordFollowUp && done.contains(&part) {
                expected = None;
            }
            if step == Step::CloseEpisode && may_close(model, &done, true, asked.contains("reason")).is_err() {
                expected = None;
            }
            let about = format!("walk {walk}, turn {turn}: {model:?} {step:?} {}", answer.text);
            let Some(after) = expected else {
                assert!(
                    answer.json["data"].as_object().is_some_and(|data| data.values().all(Value::is_null)),
                    "{about}"
                );
                if opened > 0 && answer.codes() == ["CONFLICT"] {
                    assert_eq!(answer.error()["state"], base.code(), "{about}");
                }
                assert_eq!(hub.count("revision", "1 = 1").await, before, "{about}");
                continue;
            };
            model = match step {
                Step::ReopenEpisode if !told => State::Suspected,
                Step::ReopenEpisode => State::Reported,
                _ => after,
            };
            assert_eq!(state(&answer), model.code(), "{about}");
            if matches!(step, Step::Suspect | Step::ReportMissing | Step::ReopenEpisode) {
                let payload = answer.data("").as_object().expect("data").values().next().expect("a payload").clone();
                payload["episode"]["id"].as_str().expect("an id").clone_into(&mut episode);
                opened += 1;
                done.clear();
            }
            // The police's reference is carried over by a reopening, and not by a new report.
            told = step == Step::RecordPoliceReport || told && !matches!(step, Step::Suspect | Step::ReportMissing);
            if step == Step::RecordFollowUp {
                done.push(part);
            }
            let seen =
                hub.caller("malmo-soc").ask(&format!("{{ episodes(childId: \"{}\") {{ state }} }}", child.id)).await;
            let seen = seen.data("/episodes").as_array().expect("a list").clone();
            assert_eq!((seen.len(), seen[0]["state"].as_str()), (opened, Some(model.code())), "{about}");
        }
        assert_eq!(hub.count("missing_episode", "closed_at IS NOT NULL AND state <> 'CLOSED'").await, 0);
    }
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn of_two_who_report_at_once_one_opens_the_episode(hub: Hub) {
    for _ in 0..4 {
        let child = hub.child(known()).await;
        let ask = |code: &'static str| {
            let query = format!("mutation {{ {} {{ episode {{ id }} }} }}", missing(&child.id, ""));
            hub.caller(code).request(json!({ "query": query }))
        };
        let answers =
            hub.send_together(vec![ask("hvb-malmo"), ask("malmo-soc"), ask("skola"), ask("migrationsverket")]).await;
        let (opened, refused): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.json["errors"].is_null());
        assert_eq!(opened.len(), 1, "{:?}", answers.iter().map(|answer| &answer.text).collect::<Vec<_>>());
        assert!(refused.iter().all(|answer| answer.codes() == ["CONFLICT"]));
    }
    assert_eq!(hub.count("missing_episode", "1 = 1").await, 4);
    let items = hub.count("checklist_item", "1 = 1").await;
    assert!(items > 0 && items % 4 == 0);
}

#[test]
fn the_protocol_is_the_golden_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hub/golden/episode.txt");
    let kept = std::fs::read_to_string(&path).expect("the table");
    assert!(kept == table(), "{} is not current; this is the protocol now:\n{}", path.display(), table());
}

fn any_step() -> impl Strategy<Value = Step> {
    proptest::sample::select(Step::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Whatever the order of steps: nobody is found who was not reported, what is open is closed by two steps only, and what
    /// is closed stays so.
    #[test]
    fn in_every_order_of_steps_the_protocol_holds(steps in proptest::collection::vec(any_step(), 0..40)) {
        let (mut state, mut reported) = (State::NotMissing, false);
        for step in steps {
            let before = state;
            state = state.after(step).unwrap_or(state);
            reported |= matches!(step, Step::Suspect | Step::ReportMissing);
            prop_assert!(reported || state == State::NotMissing);
            if before.is_open() && !state.is_open() {
                prop_assert!(matches!(step, Step::CloseEpisode | Step::ReopenEpisode));
            }
            if state == State::Safe && before != State::Safe {
                prop_assert_eq!(before, State::Located);
            }
            if before == State::Closed {
                prop_assert_eq!(state, State::Closed);
            }
            let next = state.next();
            for step in Step::ALL {
                prop_assert_eq!(state.after(step).is_some(), next.contains(&step.mutation()));
            }
        }
    }

    /// Closing needs every part of what follows, or the responsible board and its reason; a reason alone moves nobody else.
    #[test]
    fn what_follows_is_done_or_the_board_says_why(
        state in proptest::sample::select(State::ALL.to_vec()),
        done in proptest::sample::subsequence(FollowUp::ALL.to_vec(), 0..=4),
        is_board in any::<bool>(),
        has_reason in any::<bool>(),
    ) {
        let closes = may_close(state, &done, is_board, has_reason).is_ok();
        let complete = state == State::Safe && done.len() == 4;
        prop_assert_eq!(closes, state.is_open() && (complete || is_board && has_reason));
    }
}

#[tokio::test]
async fn two_nodes_open_one_episode() {
    // The database itself keeps a second open episode out, whatever the code does.
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(hub) = Hub::start(kind).await else { continue };
        let child = hub.child(known()).await;
        hub.caller("hvb-malmo").reports(&child.id).await;
        let columns = vec![("id", hub.uuid().into()), ("child_id", child.uuid.into()), ("opened_at", hub.now().into())];
        assert!(hub.try_insert("missing_episode", columns).await.is_err());
    }
}

/// The homes that have a child now, and those that are involved.
async fn homes(hub: &Hub, child: &TestChild) -> (Vec<String>, Vec<String>) {
    let homes = async |kind: &str| {
        let sql = format!(
            "SELECT DISTINCT a.code FROM involvement i JOIN agency a ON a.id = i.agency_id WHERE i.kind = '{kind}'
             AND i.closed_at IS NULL AND a.kind = 'CARE_HOME' AND i.child_id = {}",
            hub.literal(child.uuid)
        );
        hub.rows(&sql).await.iter().map(|row| row.try_get_by_index(0).expect("a code")).collect::<Vec<String>>()
    };
    (homes("WHEREABOUTS").await, homes("INVOLVED").await)
}

async fn nobody_has_a_child_that_is_missing(hub: Hub) {
    let child = hub.child(known()).await;
    let (home, board) = (hub.caller("hvb-malmo"), hub.caller("malmo-soc"));
    let named = |code: &str| vec![code.to_owned()];
    let safe = async || {
        hub.wait(HOUR);
        let at = chrono::DateTime::from_timestamp_micros(hub.now()).expect("an instant").to_rfc3339();
        board.takes(&format!("markLocated(childId: \"{}\", at: \"{at}\")", child.id)).await.data("/markLocated");
        assert!(homes(&hub, &child).await.0.is_empty(), "located is not safe");
        board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("/markSafe");
    };
    assert_eq!(homes(&hub, &child).await, (named("hvb-malmo"), vec![]));
    let id = home.reports(&child.id).await;
    assert_eq!(homes(&hub, &child).await, (vec![], named("hvb-malmo")));
    let told = "responsibility(childId: \"ID\") { whereabouts { agency { code } } history { fact to } }";
    let told = board.ask(&format!("{{ {} }}", told.replace("ID", &child.id))).await;
    assert_eq!(told.data("/responsibility/whereabouts"), &Value::Null);
    assert!(home.ask(&format!("{{ child(id: \"{}\") {{ id }} }}", child.id)).await.codes().is_empty());
    safe().await;
    assert_eq!(homes(&hub, &child).await, (named("hvb-malmo"), vec![]));
    // Gone again, and placed elsewhere meanwhile: the new home waits for it.
    hub.wait(HOUR);
    board.takes(&format!("reopenEpisode(episodeId: \"{id}\")")).await.data("/reopenEpisode");
    assert_eq!(homes(&hub, &child).await, (vec![], named("hvb-malmo")));
    hub.wait(HOUR);
    let version = board.version(&child.id, samverka_domain::catalogue::Section::Placement).await;
    let start = "mutation($id: ID!, $v: String!, $set: PlacementPatch!) {
        startPlacement(childId: $id, expectedVersion: $v, set: $set) { child { id } } }";
    let set = json!({ "from": "2026-11-21", "type": "HVB", "unitAgency": hub.agency_id("hvb-landskrona") });
    board.ask_with(start, json!({ "id": child.id, "v": version, "set": set })).await.data("/startPlacement");
    assert_eq!(homes(&hub, &child).await, (vec![], named("hvb-landskrona")));
    safe().await;
    assert_eq!(homes(&hub, &child).await, (named("hvb-landskrona"), vec![]));
    assert_eq!(hub.listed_wrongly().await, 0);
    // The board gives up the search for another: its home is involved until the placement ends.
    let child = hub.child(known()).await;
    let id = home.reports(&child.id).await;
    board.takes(&format!("closeEpisode(episodeId: \"{id}\", reason: \"Utomlands.\")")).await.data("/closeEpisode");
    assert_eq!(homes(&hub, &child).await, (vec![], named("hvb-malmo")));
    let version = board.version(&child.id, samverka_domain::catalogue::Section::Placement).await;
    let end = "mutation($id: ID!, $v: String!) { endPlacement(childId: $id, expectedVersion: $v, to: \"2026-11-21\") { child { id } } }";
    board.ask_with(end, json!({ "id": child.id, "v": version })).await.data("/endPlacement");
    assert_eq!(homes(&hub, &child).await, (vec![], vec![]));
    assert_eq!(hub.listed_wrongly().await, 0);
}
