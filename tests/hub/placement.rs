//! Where the child lives: moves, corrections, what homes see of each other, and what protected registration empties.

use crate::both;
use crate::harness::{Answer, DAY, HOUR, Hub, Scene, everything, field};
use samverka_domain::catalogue::Section;
use serde_json::{Value, json};
use std::collections::BTreeMap;

both! {
    a_move_ends_the_current_placement_and_the_earlier_ones_tell_of_it
    the_new_home_sees_the_child_from_then_on_and_the_former_one_is_on_its_way_out
    a_move_out_of_the_hubs_homes_ends_the_former_homes_relation_too
    a_correction_changes_the_current_placement_and_no_other
    whereabouts_follow_a_corrected_home
    a_placement_ends_without_another
    a_placement_does_not_end_before_it_began
    only_a_home_is_where_a_child_lives
    moves_are_compared_by_version_and_only_boards_make_them
    of_two_moves_at_once_exactly_one_happens
    the_database_keeps_one_current_placement_and_one_whereabouts
    a_home_sees_of_the_earlier_placements_only_its_own
    revisions_tell_of_an_earlier_placement_only_whom_it_is_shown
    earlier_placements_show_no_part_that_is_closed
    protected_registration_empties_address_and_school_for_good
    an_address_is_not_written_under_protected_registration
    an_address_does_not_slip_in_beside_the_protection
}

const PLACEMENT: &str =
    "placement { type from unitName unitAgency { code } street postalCode postalTown dutyPhone legalBasis
    legalBasisDecided earlier { id to from type unitName street postalCode postalTown } version }";

async fn placement(hub: &Hub, code: &str, child: &str) -> Value {
    hub.caller(code).sees(child, PLACEMENT).await["placement"].clone()
}

/// `startPlacement`, from the version that stands.
async fn start(hub: &Hub, code: &str, child: &str, set: Value) -> Answer {
    let version = hub.caller(code).version(child, Section::Placement).await;
    start_from(hub, code, child, &version, set).await
}

const START: &str = "mutation($id: ID!, $v: String!, $set: PlacementPatch!) {
    startPlacement(childId: $id, expectedVersion: $v, set: $set) { child { id placement { version } } } }";

async fn start_from(hub: &Hub, code: &str, child: &str, version: &str, set: Value) -> Answer {
    hub.caller(code).ask_with(START, json!({ "id": child, "v": version, "set": set })).await
}

/// `endPlacement`, from the version that stands.
async fn end(hub: &Hub, code: &str, child: &str, to: Value) -> Answer {
    let version = hub.caller(code).version(child, Section::Placement).await;
    end_from(hub, code, child, &version, to).await
}

async fn end_from(hub: &Hub, code: &str, child: &str, version: &str, to: Value) -> Answer {
    let mutation = "mutation($id: ID!, $v: String!, $to: Date!) {
        endPlacement(childId: $id, expectedVersion: $v, to: $to) { child { id placement { version } } } }";
    hub.caller(code).ask_with(mutation, json!({ "id": child, "v": version, "to": to })).await
}

/// A child that lives in Malmö's home in the hub, after another one outside.
async fn in_malmo(hub: &Hub) -> crate::harness::TestChild {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    hub.child(Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }).await
}

async fn a_move_ends_the_current_placement_and_the_earlier_ones_tell_of_it(hub: Hub) {
    let child = hub.register().await;
    let none = placement(&hub, "malmo-soc", &child).await;
    assert_eq!((&none["type"], &none["earlier"]), (&Value::Null, &json!([])));
    let first = json!({ "from": "2026-03-01", "type": "HVB", "unitName": "Första", "street": "Storgatan 1",
        "postalCode": "211 45", "postalTown": "Malmö", "legalBasis": "SOL" });
    start(&hub, "malmo-soc", &child, first).await.data("");
    hub.wait(HOUR);
    let second = json!({ "from": "2026-05-01", "type": "FAMILJEHEM", "unitName": "Andra" });
    start(&hub, "malmo-soc", &child, second).await.data("");
    hub.wait(HOUR);
    let third = json!({ "from": "2026-05-01", "unitAgency": hub.agency_id("hvb-landskrona") });
    start(&hub, "malmo-soc", &child, third).await.data("");
    let seen = placement(&hub, "malmo-soc", &child).await;
    // Nothing of the placement before lives on in the new one.
    for (name, value) in [
        ("from", json!("2026-05-01")),
        ("unitAgency", json!({ "code": "hvb-landskrona" })),
        ("type", Value::Null),
        ("unitName", Value::Null),
        ("street", Value::Null),
        ("legalBasis", Value::Null),
        ("legalBasisDecided", json!(false)),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    let mut earlier = seen["earlier"].clone();
    for entry in earlier.as_array_mut().expect("a list") {
        let id = entry.as_object_mut().expect("an entry").remove("id");
        assert!(id.expect("an id").as_str().expect("a text").starts_with("placement_"));
    }
    let expected = json!([
        { "to": "2026-05-01", "from": "2026-05-01", "type": "FAMILJEHEM", "unitName": "Andra", "street": null,
          "postalCode": null, "postalTown": null },
        { "to": "2026-05-01", "from": "2026-03-01", "type": "HVB", "unitName": "Första", "street": "Storgatan 1",
          "postalCode": "21145", "postalTown": "Malmö" },
    ]);
    assert_eq!(earlier, expected);
    let revisions = hub.caller("malmo-soc").revisions(&child, Section::Placement).await;
    let fields: Vec<Vec<&str>> = revisions
        .iter()
        .map(|(_, changes)| changes.as_object().expect("changes").keys().map(String::as_str).collect())
        .collect();
    assert_eq!(fields.len(), 5, "three starts and two ends: {fields:?}");
    assert_eq!((&fields[0], &fields[1]), (&vec!["from", "unitAgency"], &vec!["earlier"]));
    assert_eq!(revisions[1].1["earlier"][0]["to"], "2026-05-01");
}

async fn the_new_home_sees_the_child_from_then_on_and_the_former_one_is_on_its_way_out(hub: Hub) {
    let child = in_malmo(&hub).await;
    let one = "query($id: ID!) { child(id: $id) { id } }";
    let knows = async |code: &str| hub.caller(code).ask_with(one, json!({ "id": child.id })).await.codes().is_empty();
    assert!(knows("hvb-malmo").await && !knows("hvb-landskrona").await);
    let set = json!({ "from": "2026-11-20", "type": "HVB", "unitName": "Provhamnen", "street": "Nya gatan 1",
        "unitAgency": hub.agency_id("hvb-landskrona") });
    start(&hub, "malmo-soc", &child.id, set).await.data("");
    assert!(knows("hvb-malmo").await && knows("hvb-landskrona").await);
    let new = placement(&hub, "hvb-landskrona", &child.id).await;
    assert_eq!((&new["unitName"], &new["unitAgency"]["code"]), (&json!("Provhamnen"), &json!("hvb-landskrona")));
    // The former home does not learn where the child went, nor writes anything.
    let former = placement(&hub, "hvb-malmo", &child.id).await;
    for name in ["type", "from", "unitName", "unitAgency", "street"] {
        assert_eq!(former[name], Value::Null, "{name}");
    }
    let answer = hub.caller("hvb-malmo").update(&child.id, Section::Description, json!({ "marks": "Nytt" }), &[]).await;
    answer.assert_refused(&[("FORBIDDEN", "set.marks")], "the former home");
    assert_eq!(answer.error()["rule"], "write-needs-a-task");
    hub.caller("hvb-landskrona")
        .update(&child.id, Section::Description, json!({ "marks": "Nytt" }), &[])
        .await
        .data("");
    let open = format!("kind = 'WHEREABOUTS' AND closed_at = {}", hub.now());
    assert_eq!(hub.count("involvement", &open).await, 1, "the former home's involvement has ended");
    hub.wait(91 * DAY);
    assert!(!knows("hvb-malmo").await && knows("hvb-landskrona").await);
    // And back again: the same home twice is two stays.
    let set = json!({ "from": "2027-02-01", "unitAgency": hub.agency_id("hvb-malmo") });
    start(&hub, "malmo-soc", &child.id, set).await.data("");
    assert!(knows("hvb-malmo").await);
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS'").await, 3);
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS' AND closed_at IS NULL").await, 1);
}

async fn a_move_out_of_the_hubs_homes_ends_the_former_homes_relation_too(hub: Hub) {
    let child = in_malmo(&hub).await;
    let set = json!({ "from": "2026-11-20", "type": "FAMILJEHEM", "unitName": "Ett familjehem" });
    start(&hub, "malmo-soc", &child.id, set).await.data("");
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS' AND closed_at IS NULL").await, 0);
    let answer = hub.caller("hvb-malmo").update(&child.id, Section::Description, json!({ "marks": "Nytt" }), &[]).await;
    answer.assert_refused(&[("FORBIDDEN", "set.marks")], "the former home");
    hub.wait(91 * DAY);
    let one = "query($id: ID!) { child(id: $id) { id } }";
    assert_eq!(hub.caller("hvb-malmo").ask_with(one, json!({ "id": child.id })).await.codes(), ["NOT_FOUND"]);
}

async fn a_correction_changes_the_current_placement_and_no_other(hub: Hub) {
    let child = in_malmo(&hub).await;
    let before = placement(&hub, "malmo-soc", &child.id).await;
    let set = json!({ "street": "Nygatan 2", "from": "2026-05-02" });
    hub.caller("malmo-soc").update(&child.id, Section::Placement, set, &["legalBasis"]).await.data("");
    let mut expected = before.clone();
    let after = placement(&hub, "malmo-soc", &child.id).await;
    for (name, value) in [
        ("street", json!("Nygatan 2")),
        ("from", json!("2026-05-02")),
        ("legalBasis", Value::Null),
        ("legalBasisDecided", json!(false)),
        ("version", after["version"].clone()),
    ] {
        expected[name] = value;
    }
    assert_eq!(after, expected);
    assert_eq!(hub.count("placement", "1 = 1").await, 2);
    // The home keeps the address current, and nothing else.
    hub.caller("hvb-malmo").update(&child.id, Section::Placement, json!({ "street": "Nygatan 3" }), &[]).await.data("");
    let answer = hub.caller("hvb-malmo").update(&child.id, Section::Placement, json!({ "type": "OTHER" }), &[]).await;
    answer.assert_refused(&[("FORBIDDEN", "set.type")], "the home");
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await["street"], "Nygatan 3");
}

async fn whereabouts_follow_a_corrected_home(hub: Hub) {
    let child = in_malmo(&hub).await;
    let whereabouts = async || {
        let sql = "SELECT a.code FROM involvement i JOIN agency a ON a.id = i.agency_id
            WHERE i.kind = 'WHEREABOUTS' AND i.closed_at IS NULL";
        let rows = hub.rows(sql).await;
        rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a code")).collect::<Vec<_>>()
    };
    let board = hub.caller("malmo-soc");
    let set = json!({ "unitAgency": hub.agency_id("hvb-landskrona") });
    board.update(&child.id, Section::Placement, set.clone(), &[]).await.data("");
    assert_eq!(whereabouts().await, ["hvb-landskrona"]);
    board.update(&child.id, Section::Placement, set, &[]).await.data("");
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS'").await, 2, "the same again opens nothing");
    board.update(&child.id, Section::Placement, Value::Null, &["unitAgency"]).await.data("");
    assert!(whereabouts().await.is_empty());
}

async fn a_placement_ends_without_another(hub: Hub) {
    let child = in_malmo(&hub).await;
    // From a day that the end can follow.
    let set = json!({ "from": "2026-06-01" });
    hub.caller("malmo-soc").update(&child.id, Section::Placement, set, &[]).await.data("");
    let street = placement(&hub, "malmo-soc", &child.id).await["street"].clone();
    let answer = end(&hub, "malmo-soc", &child.id, json!("2026-11-20")).await;
    let version = answer.data("/endPlacement/child/placement/version").as_str().expect("a version").to_owned();
    let seen = placement(&hub, "malmo-soc", &child.id).await;
    assert_eq!((&seen["street"], &seen["unitAgency"], &seen["type"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&seen["earlier"][0]["to"], &seen["earlier"][0]["street"]), (&json!("2026-11-20"), &street));
    assert_eq!(seen["version"], version);
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS' AND closed_at IS NULL").await, 0);
    // There is no current one to correct or to end.
    let revisions = hub.count("revision", "1 = 1").await;
    let board = hub.caller("malmo-soc");
    let answer = board.update(&child.id, Section::Placement, json!({ "street": "Nygatan 1" }), &[]).await;
    answer.assert_refused(&[("NO_SUCH_ENTRY", "")], "correct");
    end(&hub, "malmo-soc", &child.id, json!("2026-11-21")).await.assert_refused(&[("NO_SUCH_ENTRY", "")], "end");
    assert_eq!(hub.count("revision", "1 = 1").await, revisions);
    start(&hub, "malmo-soc", &child.id, json!({ "from": "2026-11-21" })).await.data("");
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await["earlier"].as_array().map(Vec::len), Some(2));
    let empty = hub.register().await;
    let answer = board.update(&empty, Section::Placement, json!({ "street": "Nygatan 1" }), &[]).await;
    answer.assert_refused(&[("NO_SUCH_ENTRY", "")], "a child that never had one");
}

async fn a_placement_does_not_end_before_it_began(hub: Hub) {
    let child = hub.register().await;
    start(&hub, "malmo-soc", &child, json!({ "from": "2026-03-02", "unitName": "Hemmet" })).await.data("");
    let seen = placement(&hub, "malmo-soc", &child).await;
    for (to, code) in
        [("2026-03-01", "DATE_ORDER"), ("2026-02-30", "INVALID_DATE"), ("", "INVALID_DATE"), ("idag", "INVALID_DATE")]
    {
        end(&hub, "malmo-soc", &child, json!(to)).await.assert_refused(&[(code, "to")], to);
    }
    for (set, refused) in [
        (json!({ "from": "2026-03-01", "unitName": "Före" }), ("DATE_ORDER", "set.from")),
        (json!({ "from": "2026-02-30" }), ("INVALID_DATE", "set.from")),
        (json!({ "unitName": "Utan dag" }), ("REQUIRED", "set.from")),
        (json!({ "unitName": "Utan dag", "from": null }), ("REQUIRED", "set.from")),
        (json!({}), ("NOTHING_TO_DO", "set")),
    ] {
        start(&hub, "malmo-soc", &child, set.clone()).await.assert_refused(&[refused], &set.to_string());
    }
    assert_eq!(placement(&hub, "malmo-soc", &child).await, seen);
    // Nothing is on record before it happens.
    let ahead = [("DATE_ORDER", "to")];
    end(&hub, "malmo-soc", &child, json!("2026-11-22")).await.assert_refused(&ahead, "tomorrow");
    let ahead = [("DATE_ORDER", "set.from")];
    start(&hub, "malmo-soc", &child, json!({ "from": "2026-11-22" })).await.assert_refused(&ahead, "tomorrow");
    let board = hub.caller("malmo-soc");
    let answer = board.update(&child, Section::Placement, json!({ "from": "2026-11-22" }), &[]).await;
    answer.assert_refused(&ahead, "tomorrow");
    assert_eq!(answer.error()["expected"], "on or before 2026-11-21");
    let answer = board.update(&child, Section::Placement, Value::Null, &["from"]).await;
    answer.assert_refused(&[("REQUIRED", "clear.from")], "a placement has a first day");
    assert_eq!(placement(&hub, "malmo-soc", &child).await, seen);
    // A day is enough for a stay.
    start(&hub, "malmo-soc", &child, json!({ "from": "2026-03-02" })).await.data("");
    end(&hub, "malmo-soc", &child, json!("2026-03-02")).await.data("");
    assert_eq!(hub.count("placement", "valid_to IS NULL").await, 0);
    // Nor does one begin before the last has ended.
    for day in ["2026-03-01", "2026-01-01"] {
        start(&hub, "malmo-soc", &child, json!({ "from": day })).await.assert_refused(&ahead, day);
    }
    start(&hub, "malmo-soc", &child, json!({ "from": "2026-03-05" })).await.data("");
    let answer = board.update(&child, Section::Placement, json!({ "from": "2026-03-01" }), &[]).await;
    answer.assert_refused(&ahead, "into the one before");
    board.update(&child, Section::Placement, json!({ "from": "2026-03-02" }), &[]).await.data("");
}

async fn only_a_home_is_where_a_child_lives(hub: Hub) {
    let child = in_malmo(&hub).await;
    let seen = placement(&hub, "malmo-soc", &child.id).await;
    for code in ["granspolisen", "skola", "radda-barnen", "lansstyrelsen-skane", "landskrona-soc"] {
        let set = json!({ "from": "2026-11-20", "unitAgency": hub.agency_id(code) });
        for answer in [
            start(&hub, "malmo-soc", &child.id, set.clone()).await,
            hub.caller("malmo-soc").update(&child.id, Section::Placement, set, &[]).await,
        ] {
            answer.assert_refused(&[("AGENCY_KIND", "set.unitAgency")], code);
            assert_eq!(answer.error()["expected"], "CARE_HOME");
        }
    }
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await, seen);
    assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS'").await, 1);
}

async fn moves_are_compared_by_version_and_only_boards_make_them(hub: Hub) {
    let child = in_malmo(&hub).await;
    let seen = placement(&hub, "malmo-soc", &child.id).await;
    let set = json!({ "from": "2026-11-20", "street": "Nygatan 1" });
    for (code, rule) in [("hvb-malmo", "default-deny"), ("migrationsverket", "default-deny")] {
        let answer = start(&hub, code, &child.id, set.clone()).await;
        let paths = if code == "hvb-malmo" { vec!["set.from"] } else { vec!["set.from", "set.street"] };
        let expected: Vec<_> = paths.into_iter().map(|path| ("FORBIDDEN", path)).collect();
        answer.assert_refused(&expected, code);
        assert_eq!(answer.error()["rule"], rule);
        let answer = end(&hub, code, &child.id, json!("2026-11-20")).await;
        answer.assert_refused(&[("FORBIDDEN", "to")], code);
    }
    let stale = seen["version"].as_str().expect("a version").to_owned();
    for version in ["", "x", hub.caller("hvb-malmo").version(&child.id, Section::Placement).await.as_str()] {
        let conflict = [("CONFLICT", "expectedVersion")];
        start_from(&hub, "malmo-soc", &child.id, version, set.clone()).await.assert_refused(&conflict, version);
        end_from(&hub, "malmo-soc", &child.id, version, json!("2026-11-20")).await.assert_refused(&conflict, version);
    }
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await, seen);
    start_from(&hub, "malmo-soc", &child.id, &stale, set.clone()).await.data("");
    // Sent again, as a client does that got no answer: it does not happen twice.
    let again = start_from(&hub, "malmo-soc", &child.id, &stale, set).await;
    again.assert_refused(&[("CONFLICT", "expectedVersion")], "again");
    let again = end_from(&hub, "malmo-soc", &child.id, &stale, json!("2026-11-21")).await;
    again.assert_refused(&[("CONFLICT", "expectedVersion")], "an end, too");
    assert_eq!(hub.count("placement", "1 = 1").await, 3);
}

async fn of_two_moves_at_once_exactly_one_happens(hub: Hub) {
    let child = hub.register().await;
    for round in 0..8 {
        let board = hub.caller("malmo-soc");
        let version = board.version(&child, Section::Placement).await;
        let requests = ["hvb-malmo", "hvb-landskrona"].map(|home| {
            let set = json!({ "from": format!("2026-06-{:02}", round + 1), "unitAgency": hub.agency_id(home) });
            board.request(json!({ "query": START, "variables": { "id": child, "v": version, "set": set } }))
        });
        let answers = hub.send_together(requests.into()).await;
        let lost: Vec<&Answer> = answers.iter().filter(|answer| !answer.json["errors"].is_null()).collect();
        assert_eq!(lost.len(), 1, "round {round}: {answers:?}");
        lost[0].assert_refused(&[("CONFLICT", "expectedVersion")], "the other");
        assert_eq!(hub.count("placement", "valid_to IS NULL").await, 1);
        assert_eq!(hub.count("placement", "1 = 1").await, round + 1);
        assert_eq!(hub.count("involvement", "kind = 'WHEREABOUTS' AND closed_at IS NULL").await, 1);
    }
}

async fn the_database_keeps_one_current_placement_and_one_whereabouts(hub: Hub) {
    let child = in_malmo(&hub).await;
    let row = |valid_to: Option<chrono::NaiveDate>| {
        vec![
            ("id", hub.uuid().into()),
            ("child_id", child.uuid.into()),
            ("stamps", json!({}).into()),
            ("valid_to", valid_to.into()),
        ]
    };
    assert!(hub.try_insert("placement", row(None)).await.is_err(), "a second current placement");
    hub.insert("placement", row(chrono::NaiveDate::from_ymd_opt(2026, 1, 1))).await;
    let involvement = vec![
        ("id", hub.uuid().into()),
        ("child_id", child.uuid.into()),
        ("agency_id", hub.agency("hvb-landskrona").into()),
        ("kind", "WHEREABOUTS".into()),
        ("opened_at", hub.now().into()),
    ];
    assert!(hub.try_insert("involvement", involvement).await.is_err(), "in two places at once");
}

async fn a_home_sees_of_the_earlier_placements_only_its_own(hub: Hub) {
    let child = in_malmo(&hub).await;
    let foreign = child.canaries[&field("placement.earlier")].clone();
    let own = child.canaries[&field("placement.unitName")].clone();
    for (from, home) in [("2026-08-01", "hvb-landskrona"), ("2026-09-01", "hvb-malmo")] {
        let set = json!({ "from": from, "unitName": format!("Hos {home}"), "unitAgency": hub.agency_id(home) });
        start(&hub, "malmo-soc", &child.id, set).await.data("");
    }
    let names = |seen: &Value| {
        let earlier = seen["earlier"].as_array().cloned().unwrap_or_default();
        earlier.iter().map(|entry| entry["unitName"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let board = placement(&hub, "malmo-soc", &child.id).await;
    let mut all = names(&board);
    all.sort();
    let mut expected = vec!["Hos hvb-landskrona".to_owned(), own.clone(), foreign];
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(names(&placement(&hub, "hvb-malmo", &child.id).await), [own]);
    // The other home is no longer the current one: the list is closed to it.
    let seen = hub.caller("hvb-landskrona").sees(&child.id, &format!("{PLACEMENT} {}", everything())).await;
    assert_eq!(seen["placement"]["earlier"], Value::Null);
    let withheld = seen["placement"]["withheld"].as_array().expect("a list");
    assert!(withheld.iter().any(|entry| entry["field"] == "earlier"));
}

async fn revisions_tell_of_an_earlier_placement_only_whom_it_is_shown(hub: Hub) {
    let child = hub.register().await;
    for (from, street, home) in
        [("2026-03-01", "Första gatan", "hvb-malmo"), ("2026-05-01", "Andra gatan", "hvb-landskrona")]
    {
        let set = json!({ "from": from, "street": street, "unitName": format!("Hos {home}"), "unitAgency": hub.agency_id(home) });
        start(&hub, "malmo-soc", &child, set).await.data("");
    }
    let told =
        async |code: &'static str| json!(hub.caller(code).revisions(&child, Section::Placement).await).to_string();
    let all = told("malmo-soc").await;
    assert!(["Första gatan", "Andra gatan", "Hos hvb-malmo", "earlier"].iter().all(|text| all.contains(text)));
    // To the new home, and to Migrationsverket, `earlier` is closed: the history is no way around it.
    for code in ["hvb-landskrona", "migrationsverket"] {
        let seen = told(code).await;
        assert!(seen.contains("Andra gatan"), "{code}: {seen}");
        for text in ["Första gatan", "2026-03-01", "Hos hvb-malmo", "earlier"] {
            assert!(!seen.contains(text), "{code} {text}: {seen}");
        }
    }
    assert!(told("hvb-landskrona").await.contains("Hos hvb-landskrona"));
    // The former home reads of its own stay what it read then.
    let own = told("hvb-malmo").await;
    assert!(own.contains("Första gatan") && own.contains("Hos hvb-malmo"), "{own}");
    assert!(!own.contains("Hos hvb-landskrona") && !own.contains("Andra gatan"), "{own}");
}

async fn earlier_placements_show_no_part_that_is_closed(hub: Hub) {
    // Put there from outside: the hub itself keeps no address under protected registration.
    let involved =
        vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("malmo-overformyndare", "INVOLVED")];
    for (protection, code, list, address) in [
        ("NONE", "malmo-soc", true, true),
        ("MARKED", "malmo-soc", true, true),
        ("REGISTERED", "malmo-soc", true, false),
        ("NONE", "malmo-overformyndare", true, true),
        ("MARKED", "malmo-overformyndare", false, false),
        ("REGISTERED", "malmo-overformyndare", false, false),
        ("NONE", "migrationsverket", false, false),
    ] {
        let child = hub.child(Scene { involved: involved.clone(), protection, ..Scene::default() }).await;
        let seen = placement(&hub, code, &child.id).await["earlier"].clone();
        let name = child.canaries[&field("placement.earlier")].as_str();
        assert_eq!(seen[0]["unitName"] == name, list, "{code} {protection}: {seen}");
        for part in ["street", "postalCode", "postalTown"] {
            assert_eq!(seen[0][part].is_string(), address, "{code} {protection} {part}: {seen}");
        }
    }
}

/// Addresses and schools of a child, in rows, earlier rows and revisions; each is found nowhere else.
async fn addresses(hub: &Hub, child: &str, mark: &str) -> BTreeMap<&'static str, String> {
    let mut canaries = BTreeMap::new();
    let mut canary = |name: &'static str| {
        let text = format!("{mark}{name}");
        canaries.insert(name, text.clone());
        text
    };
    for (from, first, second) in [("2026-06-01", "EttGata", "TvåGata"), ("2026-07-01", "TreGata", "FyraGata")] {
        let set = json!({ "from": from, "unitName": "Hemmet", "street": canary(first), "postalTown": canary(["EttOrt", "TreOrt"][usize::from(from == "2026-07-01")]), "postalCode": "98765" });
        start(hub, "malmo-soc", child, set).await.data("");
        let set = json!({ "street": canary(second) });
        hub.caller("malmo-soc").update(child, Section::Placement, set, &[]).await.data("");
    }
    for (school, contact) in [("EnSkola", "EnKontakt"), ("TvåSkola", "TvåKontakt")] {
        let set = json!({ "schoolName": canary(school), "contactName": canary(contact), "contactPhone": "+46701740699",
            "absentSince": "2026-10-01" });
        hub.caller("skola").update(child, Section::Schooling, set, &[]).await.data("");
    }
    canaries
}

async fn protected_registration_empties_address_and_school_for_good(hub: Hub) {
    let scene = || Scene {
        involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED"), ("hvb-malmo", "INVOLVED")],
        ..Scene::default()
    };
    let (child, other) = (hub.child(scene()).await, hub.child(scene()).await);
    let mut canaries: Vec<String> = addresses(&hub, &child.id, "Barnet").await.into_values().collect();
    let others: Vec<String> = addresses(&hub, &other.id, "Syskonet").await.into_values().collect();
    for path in ["street", "postalTown"] {
        canaries.push(child.canaries[&field(&format!("placement.{path}"))].clone());
    }
    for path in ["schoolName", "contactName", "contactPhone"] {
        canaries.push(child.canaries[&field(&format!("schooling.{path}"))].clone());
    }
    let board = hub.caller("malmo-soc");
    let before = placement(&hub, "malmo-soc", &child.id).await;
    for level in ["MARKED", "LOCAL"] {
        board.update(&child.id, Section::Protection, json!({ "level": level }), &[]).await.data("");
        assert_eq!(placement(&hub, "malmo-soc", &child.id).await, before, "{level} empties nothing");
    }
    board.update(&child.id, Section::Protection, json!({ "level": "REGISTERED" }), &[]).await.data("");
    for canary in &canaries {
        assert!(hub.columns_holding(canary).await.is_empty(), "{canary}");
    }
    // Subjects are counted up: the first is this child's.
    let own = "child_id = (SELECT id FROM child ORDER BY subject LIMIT 1)";
    for column in ["street", "postal_code", "postal_town"] {
        assert_eq!(hub.count("placement", &format!("{own} AND {column} IS NOT NULL")).await, 0, "{column}");
    }
    let changes =
        format!("{own} AND (CAST(changes AS TEXT) LIKE '%98765%' OR CAST(changes AS TEXT) LIKE '%+46701740699%')");
    assert_eq!(hub.count("revision", &changes).await, 0);
    for canary in &others {
        assert!(!hub.columns_holding(canary).await.is_empty(), "another child's address stays: {canary}");
    }
    // What may be kept is kept.
    let seen = board.sees(&child.id, &everything()).await;
    assert_eq!(seen["placement"]["dutyPhone"], before["dutyPhone"]);
    assert_eq!(seen["schooling"]["absentSince"], "2026-10-01");
    assert_eq!(seen["placement"]["earlier"].as_array().map(Vec::len), Some(3));
    assert_eq!(seen["placement"]["earlier"][0]["unitName"], "Hemmet");
    // And taking the protection away brings nothing back.
    board.update(&child.id, Section::Protection, json!({ "level": "NONE" }), &[]).await.data("");
    let seen = board.sees(&child.id, &everything()).await;
    for (section, name) in [
        ("placement", "street"),
        ("placement", "postalCode"),
        ("schooling", "schoolName"),
        ("schooling", "contactPhone"),
    ] {
        assert_eq!(seen[section][name], Value::Null, "{section} {name}");
    }
    let revisions = board.revisions(&child.id, Section::Placement).await;
    assert!(!revisions.is_empty() && !json!(revisions).to_string().contains("Gata"), "{revisions:?}");
    board.update(&child.id, Section::Placement, json!({ "street": "Nygatan 9" }), &[]).await.data("");
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await["street"], "Nygatan 9");
}

async fn an_address_is_not_written_under_protected_registration(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let board = hub.caller("malmo-soc");
    board.update(&child.id, Section::Protection, json!({ "level": "REGISTERED" }), &[]).await.data("");
    let revisions = hub.count("revision", "1 = 1").await;
    let refused = |answer: Answer, paths: &[&str]| {
        let expected: Vec<_> = paths.iter().map(|path| ("FORBIDDEN", *path)).collect();
        answer.assert_refused(&expected, "protected registration");
        for error in answer.json["errors"].as_array().expect("errors") {
            assert_eq!(error["extensions"]["rule"], "protected-registration");
        }
    };
    let address =
        json!({ "street": "Nygatan 1", "postalCode": "21145", "postalTown": "Malmö", "dutyPhone": "+46701740605" });
    let paths = ["set.street", "set.postalCode", "set.postalTown"];
    for code in ["malmo-soc", "hvb-malmo"] {
        let answer = hub.caller(code).update(&child.id, Section::Placement, address.clone(), &[]).await;
        refused(answer, &paths);
    }
    let mut new = address.clone();
    new["from"] = json!("2026-11-20");
    refused(start(&hub, "malmo-soc", &child.id, new).await, &paths);
    let school = json!({ "schoolName": "Nya skolan", "contactName": "Nya", "contactPhone": "+46701740605", "absentSince": "2026-11-01" });
    let answer = hub.caller("skola").update(&child.id, Section::Schooling, school, &[]).await;
    refused(answer, &["set.schoolName", "set.contactName", "set.contactPhone"]);
    assert_eq!(hub.count("revision", "1 = 1").await, revisions);
    let absence = json!({ "absentSince": "2026-11-01" });
    hub.caller("skola").update(&child.id, Section::Schooling, absence, &[]).await.data("");
    let set = json!({ "from": "2026-11-20", "unitName": "Nytt", "dutyPhone": "+46701740605" });
    start(&hub, "malmo-soc", &child.id, set).await.data("");
    assert_eq!(placement(&hub, "malmo-soc", &child.id).await["unitName"], "Nytt");
}

async fn an_address_does_not_slip_in_beside_the_protection(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let (board, home) = (hub.caller("malmo-soc"), hub.caller("hvb-malmo"));
    for round in 0..10 {
        board.update(&child.id, Section::Protection, json!({ "level": "NONE" }), &[]).await.data("");
        let protection = board.version(&child.id, Section::Protection).await;
        let placement = home.version(&child.id, Section::Placement).await;
        let street = format!("Sena gatan {round}");
        let requests = vec![
            board.update_request(&child.id, Section::Protection, &protection, json!({ "level": "REGISTERED" }), &[]),
            home.update_request(&child.id, Section::Placement, &placement, json!({ "street": street }), &[]),
        ];
        let answers = hub.send_together(requests).await;
        answers[0].data("");
        eprintln!("CODES {:?}", answers[1].codes());
        match answers[1].codes()[..] {
            // The address was first: its answer may have been on its way when the protection came, and then stays.
            [] | ["DECISION_STALE"] => {}
            _ => answers[1].assert_refused(&[("FORBIDDEN", "set.street")], "the protection was first"),
        }
        assert!(hub.columns_holding(&street).await.is_empty(), "round {round}");
    }
}
