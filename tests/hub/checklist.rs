//! Checklists: copied from the county's routine, worked on by whom they concern, and published by the county's board.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene};
use samverka_domain::policy::Engine;
use samverka_domain::routine::{Actor, Moment, Routine, Routines};
use serde_json::{Value, json};

both! {
    a_report_copies_the_countys_items_and_a_find_adds_its_own
    a_county_without_a_routine_follows_the_national_one
    an_item_is_worked_on_by_whom_it_concerns
    a_mandatory_item_is_left_out_by_the_responsible_board_only
    an_item_that_was_due_is_overdue_until_it_is_done
    a_stranger_learns_nothing_of_an_item
    the_countys_board_publishes_and_running_checklists_keep_theirs
    a_bad_routine_is_refused_whole
    what_a_handover_asks_for_is_told_to_its_parties
    routines_are_open_to_every_caller
    a_home_is_not_named_to_those_who_may_not_know_it
}

const ITEM: &str = "id about routine moment actor text textEn source mandatory dueAt overdue state
    assignedTo { code } doneAt doneBy { code } reason";

impl Caller<'_> {
    async fn checklist(&self, child: &str) -> Vec<Value> {
        let answer = self.ask(&format!("{{ checklist(childId: \"{child}\") {{ items {{ {ITEM} }} }} }}")).await;
        answer.data("/checklist/items").as_array().expect("a list").clone()
    }

    /// Changes an item: a mutation with its arguments.
    async fn works(&self, step: &str) -> Answer {
        self.ask(&format!("mutation {{ {step} {{ item {{ {ITEM} }} child {{ id }} }} }}")).await
    }

    async fn publishes(&self, county: &str, from: &str, items: Value) -> Answer {
        let mutation = "mutation($county: String!, $from: Date!, $items: [RoutineItemInput!]!) {
            publishRoutine(county: $county, validFrom: $from, items: $items) {
                county version validFrom publishedAt publishedBy { code } items { key moment actor sv en dueHours mandatory source } } }";
        self.ask_with(mutation, json!({ "county": county, "from": from, "items": items })).await
    }
}

fn known() -> Scene {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("malmo-overformyndare", "INVOLVED"),
        ("region-skane", "INVOLVED"),
        ("skola", "INVOLVED"),
        ("polisen", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }
}

fn routine(county: &str) -> &'static Routine {
    Routines::embedded().all().iter().find(|routine| routine.county == county).expect("a routine")
}

fn texts(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["text"].as_str().expect("a text")).collect()
}

/// The id of the item with these first words.
fn id<'i>(items: &'i [Value], words: &str) -> &'i str {
    let found = items.iter().find(|item| item["text"].as_str().is_some_and(|text| text.starts_with(words)));
    found.unwrap_or_else(|| panic!("{words}"))["id"].as_str().expect("an id")
}

async fn located(hub: &Hub, child: &str) {
    let at = hub.domain.clock().now();
    let at = samverka_domain::clock::instant(at).to_rfc3339();
    hub.caller("malmo-soc").takes(&format!("markLocated(childId: \"{child}\", at: \"{at}\")")).await.data("");
}

async fn a_report_copies_the_countys_items_and_a_find_adds_its_own(hub: Hub) {
    let child = hub.child(known()).await;
    let board = hub.caller("malmo-soc");
    assert!(board.checklist(&child.id).await.is_empty());
    let report = format!(
        "mutation {{ reportMissing(childId: \"{}\", input: {{ lastSeenAt: \"2026-11-21T09:00:00Z\" }}) {{
            checklist {{ __typename items {{ __typename {ITEM} }} }} episode {{ id }} }} }}",
        child.id
    );
    let answer = hub.caller("hvb-malmo").ask(&report).await;
    let copied = answer.data("/reportMissing/checklist/items").as_array().expect("a list").clone();
    let wanted: Vec<&str> = routine("12").of(Moment::Missing).map(|item| item.sv.as_str()).collect();
    assert_eq!(texts(&copied), wanted);
    let call = &copied[0];
    assert_eq!(
        (&call["routine"], &call["moment"], &call["actor"]),
        (&json!("12/1"), &json!("MISSING"), &json!("CARE_HOME"))
    );
    assert_eq!((&call["dueAt"], &call["overdue"]), (&json!("2026-11-21T13:00:00.000000Z"), &json!(false)));
    assert_eq!((&call["state"], &call["about"]), (&json!("OPEN"), answer.data("/reportMissing/episode/id")));
    assert_eq!((&call["__typename"], &call["mandatory"]), (&json!("ChecklistItem"), &json!(true)));
    hub.wait(2 * DAY);
    located(&hub, &child.id).await;
    let found: Vec<&str> = routine("12").of(Moment::Found).map(|item| item.sv.as_str()).collect();
    let all = board.checklist(&child.id).await;
    assert_eq!(texts(&all), [wanted, found].concat());
    assert!(all.last().expect("an item")["dueAt"].is_string());
    board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("");
    assert_eq!(board.checklist(&child.id).await.len(), all.len(), "once");
}

async fn a_county_without_a_routine_follows_the_national_one(hub: Hub) {
    // Nobody with a county is tied to the child.
    let child = hub.child(Scene { involved: vec![("migrationsverket", "LEAD")], ..Scene::default() }).await;
    let lead = hub.caller("migrationsverket");
    lead.reports(&child.id).await;
    assert_eq!(lead.checklist(&child.id).await[0]["routine"], "00/1");
    let mut hub = hub;
    for (municipality, label) in [("2480", "00/1"), ("0180", "01/1"), ("1282", "12/1")] {
        let place = format!("municipality = '{municipality}', county = '{}'", &municipality[..2]);
        hub.sql(&format!("UPDATE agency SET {place} WHERE code = 'malmo-soc'")).await;
        // What agencies are is read at the start.
        let Hub { database, .. } = hub;
        let url = database.url.clone();
        hub = Hub::start_at(database, &url, Engine::embedded()).await;
        let child = hub.child(known()).await;
        hub.caller("hvb-malmo").reports(&child.id).await;
        assert_eq!(hub.caller("malmo-soc").checklist(&child.id).await[0]["routine"], label, "{municipality}");
    }
}

async fn an_item_is_worked_on_by_whom_it_concerns(hub: Hub) {
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    let items = hub.caller("malmo-soc").checklist(&child.id).await;
    let tick = |id: &str| format!("tickItem(itemId: \"{id}\")");
    let owners = [
        ("hvb-malmo", "CARE_HOME"),
        ("malmo-overformyndare", "GUARDIANSHIP"),
        ("migrationsverket", "MIGRATION"),
        ("polisen", "POLICE"),
    ];
    for (code, actor) in owners {
        let caller = hub.caller(code);
        for item in &items {
            let id = item["id"].as_str().expect("an id");
            let answer = caller.works(&tick(id)).await;
            let about = format!("{code}: {}", answer.text);
            if item["actor"] == actor {
                assert_eq!(answer.data("/tickItem/item/state"), "DONE", "{about}");
                assert_eq!(answer.data("/tickItem/item/doneBy/code"), code, "{about}");
                let twice = caller.works(&tick(id)).await;
                twice.assert_refused(&[("CONFLICT", "itemId")], &about);
                assert_eq!((&twice.error()["state"], &twice.error()["next"]), (&json!("DONE"), &json!([])));
            } else if owners.iter().any(|(_, done)| item["actor"] == *done) && answer.codes() == ["CONFLICT"] {
                continue;
            } else {
                answer.assert_refused(&[("FORBIDDEN", "itemId")], &about);
                assert_eq!(answer.error()["expected"], item["actor"], "{about}");
            }
        }
    }
    // Who has a part but works on no checklist has it ticked by the board; the board answers for all.
    for code in ["skola", "region-skane"] {
        let answer = hub.caller(code).works(&tick(id(&items, "Kommer barnet för vård"))).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{code}");
        assert!(answer.error()["rule"].is_string());
    }
    let board = hub.caller("malmo-soc");
    assert_eq!(
        board.works(&tick(id(&items, "Kommer barnet för vård"))).await.data("/tickItem/item/doneBy/code"),
        "malmo-soc"
    );
    // The board gives an item to whom it wants; others take their own.
    let look_out = id(&items, "Håll utkik");
    let assign = |to: &str| format!("assignItem(itemId: \"{look_out}\", agencyId: \"{}\")", hub.agency_id(to));
    hub.caller("hvb-malmo")
        .works(&assign("hvb-malmo"))
        .await
        .assert_refused(&[("FORBIDDEN", "itemId")], "not its role's");
    let assigned = board.works(&assign("polisen")).await;
    assert_eq!(
        (assigned.data("/assignItem/item/assignedTo/code"), assigned.data("/assignItem/item/state")),
        (&json!("polisen"), &json!("OPEN"))
    );
    let police = hub.caller("polisen");
    police.works(&assign("skola")).await.assert_refused(&[("FORBIDDEN", "agencyId")], "only the board gives to others");
    assert_eq!(police.works(&tick(look_out)).await.data("/tickItem/item/doneBy/code"), "polisen");
    police.works(&assign("polisen")).await.assert_refused(&[("CONFLICT", "itemId")], "it is done");
    let nobody =
        format!("assignItem(itemId: \"{}\", agencyId: \"agency_{}\")", id(&items, "Berätta för"), "0".repeat(26));
    board.works(&nobody).await.assert_refused(&[("UNKNOWN_AGENCY", "agencyId")], "nobody");
}

async fn a_mandatory_item_is_left_out_by_the_responsible_board_only(hub: Hub) {
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    let items = hub.caller("malmo-soc").checklist(&child.id).await;
    let skip = |words: &str, reason: &str| format!("skipItem(itemId: \"{}\", reason: \"{reason}\")", id(&items, words));
    let home = hub.caller("hvb-malmo");
    home.works(&skip("Ring barnet", "Ingen telefon")).await.assert_refused(&[("FORBIDDEN", "itemId")], "mandatory");
    hub.caller("malmo-overformyndare")
        .works(&skip("God man kontrollerar", " "))
        .await
        .assert_refused(&[("INVALID_TEXT", "reason")], "no reason");
    let long = "x".repeat(1001);
    hub.caller("malmo-overformyndare")
        .works(&skip("God man kontrollerar", &long))
        .await
        .assert_refused(&[("TOO_LONG", "reason")], "long");
    let own = hub.caller("malmo-overformyndare").works(&skip("God man kontrollerar", "Ingen god man ännu")).await;
    assert_eq!(
        (own.data("/skipItem/item/state"), own.data("/skipItem/item/reason")),
        (&json!("SKIPPED"), &json!("Ingen god man ännu"))
    );
    let board = hub.caller("malmo-soc").works(&skip("Ring barnet", "Gjort av nämnden")).await;
    assert_eq!(board.data("/skipItem/item/state"), "SKIPPED");
    home.works(&skip("Ring barnet", "Igen")).await.assert_refused(&[("CONFLICT", "itemId")], "it is left out");
    assert_eq!(hub.count("checklist_item", "state <> 'OPEN'").await, 2);
}

async fn an_item_that_was_due_is_overdue_until_it_is_done(hub: Hub) {
    let child = hub.child(known()).await;
    let board = hub.caller("malmo-soc");
    hub.caller("hvb-malmo").reports(&child.id).await;
    let overdue = async || {
        let items = board.checklist(&child.id).await;
        let late = items.iter().filter(|item| item["overdue"] == true).count();
        (late, items)
    };
    let due = |hours: u32| {
        routine("12").of(Moment::Missing).filter(|item| item.due_hours.is_some_and(|due| due <= hours)).count()
    };
    hub.wait(HOUR);
    assert_eq!(overdue().await.0, 0, "what is due now is not late");
    hub.wait(1);
    let (late, items) = overdue().await;
    assert_eq!(late, due(1));
    board.works(&format!("tickItem(itemId: \"{}\")", id(&items, "Ring barnet"))).await.data("");
    assert_eq!(overdue().await.0, due(1) - 1);
    hub.wait(24 * HOUR);
    assert_eq!(overdue().await.0, due(24) - 1);
}

async fn a_stranger_learns_nothing_of_an_item(hub: Hub) {
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    let items = hub.caller("malmo-soc").checklist(&child.id).await;
    let there = id(&items, "Ring barnet");
    let nowhere = format!("item_{}", "0".repeat(26));
    for code in ["landskrona-soc", "hvb-landskrona", "stadsmissionen", "lansstyrelsen-skane", "dataskydd"] {
        let caller = hub.caller(code);
        let agency = hub.agency_id(code);
        for step in [
            "tickItem(itemId: \"ID\")",
            "skipItem(itemId: \"ID\", reason: \"Nej\")",
            &format!("assignItem(itemId: \"ID\", agencyId: \"{agency}\")"),
        ] {
            let answers =
                [caller.works(&step.replace("ID", there)).await, caller.works(&step.replace("ID", &nowhere)).await];
            assert_eq!(answers[0].text, answers[1].text, "{code}");
            assert_eq!(answers[0].codes(), ["NOT_FOUND"], "{code}");
        }
    }
    assert_eq!(hub.caller("hvb-malmo").works("tickItem(itemId: \"item_\")").await.codes(), ["INVALID_ID"]);
    for code in ["skola", "region-skane"] {
        let answer =
            hub.caller(code).ask(&format!("{{ checklist(childId: \"{}\") {{ items {{ id }} }} }}", child.id)).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{code}");
    }
    assert_eq!(hub.count("checklist_item", "state <> 'OPEN' OR agency_id IS NOT NULL").await, 0);
}

/// A routine of three items, and those that a departure waits for.
fn items() -> Value {
    let item = |key: &str, moment: &str, due: Option<i32>| {
        json!({ "key": key, "moment": moment, "actor": "POLICE", "sv": format!("Gör {key}."), "en": format!("Do {key}."),
            "dueHours": due, "mandatory": true, "source": "Länets rutin" })
    };
    let awaited = ["risk-assessment", "safety-plan", "photo-and-description", "hand-over-in-full"];
    let own = [item("before", "PREVENT", None), item("during", "MISSING", Some(2)), item("after", "FOUND", Some(24))];
    own.into_iter().chain(awaited.into_iter().map(|key| item(key, "PREVENT", None))).collect()
}

async fn the_countys_board_publishes_and_running_checklists_keep_theirs(hub: Hub) {
    let (first, second) = (hub.child(known()).await, hub.child(known()).await);
    hub.caller("hvb-malmo").reports(&first.id).await;
    let county = hub.caller("lansstyrelsen-skane");
    let published = county.publishes("12", "2026-11-22", items()).await;
    let version = published.data("/publishRoutine").clone();
    assert_eq!((&version["version"], &version["publishedBy"]["code"]), (&json!(2), &json!("lansstyrelsen-skane")));
    assert_eq!(version["items"][1]["dueHours"], 2);
    let board = hub.caller("malmo-soc");
    let report = async |child: &str| hub.caller("hvb-malmo").reports(child).await;
    // It is valid from tomorrow.
    report(&second.id).await;
    assert_eq!(board.checklist(&second.id).await[0]["routine"], "12/1");
    hub.wait(DAY);
    let third = hub.child(known()).await;
    report(&third.id).await;
    let copied = board.checklist(&third.id).await;
    assert_eq!((texts(&copied), &copied[0]["routine"]), (vec!["Gör during."], &json!("12/2")));
    assert_eq!(board.checklist(&first.id).await.len(), routine("12").of(Moment::Missing).count());
    located(&hub, &third.id).await;
    assert_eq!(texts(&board.checklist(&third.id).await), ["Gör during.", "Gör after."]);
    let again = county.publishes("12", "2026-11-22", items()).await;
    assert_eq!(again.data("/publishRoutine/version"), 3);
    let listed =
        hub.caller("skola").ask("{ routines(county: \"12\") { version validFrom publishedBy { code } } }").await;
    let versions: Vec<i64> = listed
        .data("/routines")
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["version"].as_i64().expect("a number"))
        .collect();
    assert_eq!(versions, [3, 2, 1]);
    assert_eq!(listed.data("/routines/2/publishedBy"), &Value::Null);
    // Nobody else does.
    for code in ["malmo-soc", "migrationsverket", "polisen", "dataskydd", "radda-barnen"] {
        let answer = hub.caller(code).publishes("12", "2026-12-24", items()).await;
        answer.assert_refused(&[("OPERATION_FORBIDDEN", "")], code);
    }
    for other in ["01", "13"] {
        county
            .publishes(other, "2026-12-24", items())
            .await
            .assert_refused(&[("OPERATION_FORBIDDEN", "county")], other);
    }
    assert_eq!(hub.count("routine", "1 = 1").await, 2);
}

async fn what_a_handover_asks_for_is_told_to_its_parties(hub: Hub) {
    let child = hub.child(known()).await;
    let landskrona = hub.domain.agency_by_code("landskrona-soc").expect("an agency").id;
    let propose = format!(
        "mutation {{ proposeHandover(childId: \"{}\", kind: ASSIGNMENT, toAgencyId: \"{landskrona}\",
            expectedAt: \"2026-11-22T09:00:00Z\", details: {{ contactName: \"Ada Ek\", contactPhone: \"+46701740605\",
            decisionNumber: \"A-1\", decidedOn: \"2026-11-20\" }}) {{ handover {{ id }} }} }}",
        child.id
    );
    hub.caller("migrationsverket").ask(&propose).await.data("/proposeHandover/handover/id");
    let board = hub.caller("malmo-soc");
    let all = board.checklist(&child.id).await;
    assert!(all.len() > 10 && hub.caller("migrationsverket").checklist(&child.id).await.len() == all.len());
    // The police do not search for it, and are told of no handover; an item of it is as one that never was.
    let tick = |item: &Value| format!("tickItem(itemId: {})", item["id"]);
    let of = |actor: &str| all.iter().find(|item| item["actor"] == actor).expect("an item").clone();
    assert!(hub.caller("polisen").checklist(&child.id).await.is_empty());
    assert_eq!(hub.caller("polisen").works(&tick(&of("POLICE"))).await.codes(), ["NOT_FOUND"]);
    // The home is told that one is under way, so that it prepares the child: it sees what it has to do itself.
    let home = hub.caller("hvb-malmo").checklist(&child.id).await;
    assert!(!home.is_empty() && home.iter().all(|item| item["actor"] == "CARE_HOME"), "{home:?}");
    hub.caller("hvb-malmo").works(&tick(&home[0])).await.data("/tickItem/item/id");
    // Whoever is given an item sees it.
    let agency = hub.domain.agency_by_code("polisen").expect("an agency").id;
    let assign = format!("assignItem(itemId: {}, agencyId: \"{agency}\")", of("POLICE")["id"]);
    board.works(&assign).await.data("/assignItem/item/id");
    assert_eq!(hub.caller("polisen").checklist(&child.id).await.len(), 1);
    hub.caller("polisen").works(&tick(&of("POLICE"))).await.data("/tickItem/item/id");
}

async fn a_bad_routine_is_refused_whole(hub: Hub) {
    let county = hub.caller("lansstyrelsen-skane");
    let with = |place: usize, part: &str, value: Value| {
        let mut items = items();
        items[place][part] = value;
        items
    };
    for (items, code, path) in [
        (json!([]), "EMPTY_LIST", "items"),
        (with(1, "key", json!("before")), "INVALID_FORMAT", "items.1.key"),
        (with(1, "key", json!("Åtgärd 1")), "INVALID_FORMAT", "items.1.key"),
        (with(2, "sv", json!("\u{7}")), "INVALID_TEXT", "items.2.sv"),
        (with(0, "en", json!("x".repeat(501))), "TOO_LONG", "items.0.en"),
        (with(0, "source", json!(" ")), "INVALID_TEXT", "items.0.source"),
        (with(1, "dueHours", json!(-1)), "INVALID_FORMAT", "items.1.dueHours"),
        (with(1, "dueHours", json!(366 * 24 + 1)), "INVALID_FORMAT", "items.1.dueHours"),
        // What a departure waits for is neither left out, nor left to whoever it concerns, nor moved to another moment.
        (with(3, "key", json!("assessment")), "REQUIRED", "items"),
        (with(4, "mandatory", json!(false)), "REQUIRED", "items"),
        (with(5, "moment", json!("FOUND")), "REQUIRED", "items"),
    ] {
        county.publishes("12", "2026-11-21", items).await.assert_refused(&[(code, path)], path);
    }
    county.publishes("12", "2026-11-20", items()).await.assert_refused(&[("DATE_ORDER", "validFrom")], "yesterday");
    county.publishes("12", "2026-02-30", items()).await.assert_refused(&[("INVALID_DATE", "validFrom")], "no day");
    for county_code in ["00", "02", "skåne"] {
        let answer = county.publishes(county_code, "2026-11-21", items()).await;
        answer.assert_refused(&[("UNKNOWN_CODE", "county")], county_code);
    }
    let many: Vec<Value> = (0..101)
        .map(|n| {
            let mut item = items()[1].clone();
            item["key"] = json!(format!("k{n}"));
            item
        })
        .collect();
    county.publishes("12", "2026-11-21", json!(many)).await.assert_refused(&[("TOO_LONG", "items")], "too many");
    let without = county.clone().without_purpose().publishes("12", "2026-11-21", items()).await;
    assert_eq!(without.codes(), ["PURPOSE_REQUIRED"]);
    assert_eq!(hub.count("routine", "1 = 1").await, 0);
}

async fn routines_are_open_to_every_caller(hub: Hub) {
    for code in ["skola", "radda-barnen", "lansstyrelsen-skane"] {
        let caller = hub.caller(code);
        for county in ["00", "01", "12"] {
            let query = format!(
                "{{ routines(county: \"{county}\") {{ county version validFrom items {{ key moment actor sv en dueHours mandatory source }} }} }}"
            );
            let answer = caller.ask(&query).await;
            let kept = answer.data("/routines/0").clone();
            let routine = routine(county);
            assert_eq!((&kept["county"], kept["version"].as_i64()), (&json!(county), Some(1)));
            assert_eq!(kept["items"].as_array().expect("a list").len(), routine.items.len());
            assert_eq!(kept["items"][3]["source"], routine.items[3].source);
        }
        let empty = caller.ask("{ routines(county: \"25\") { version } }").await;
        assert_eq!(empty.data("/routines"), &json!([]));
        assert_eq!(caller.ask("{ routines(county: \"99\") { version } }").await.codes(), ["UNKNOWN_CODE"]);
    }
    assert!(Actor::ALL.iter().all(|actor| routine("12").items.iter().any(|item| item.actor == *actor)));
}

async fn a_home_is_not_named_to_those_who_may_not_know_it(hub: Hub) {
    let child = hub.child(known()).await;
    hub.caller("hvb-malmo").reports(&child.id).await;
    let items = hub.caller("hvb-malmo").checklist(&child.id).await;
    hub.caller("hvb-malmo").works(&format!("tickItem(itemId: \"{}\")", id(&items, "Ring barnet"))).await.data("");
    let named = async |code: &str| {
        let items = hub.caller(code).checklist(&child.id).await;
        let done = items.into_iter().find(|item| item["state"] == "DONE").expect("an item that is done");
        done["doneBy"]["code"].as_str().map(str::to_owned)
    };
    assert_eq!(named("malmo-soc").await.as_deref(), Some("hvb-malmo"));
    assert_eq!(named("migrationsverket").await, None, "Migrationsverket is not shown the home");
}
