//! What the steps of protocols leave in the record: handovers, worries, missing episodes, consents. Entry by entry, each caller
//! sees what is its to see; what is silent looks empty; and nothing of it is written but by a step.

use crate::both;
use crate::harness::{DAY, Hub, Scene, TestChild, everything, field};
use samverka_domain::catalogue::Section;
use serde_json::{Value, json};

both! {
    whoever_may_not_see_a_list_sees_its_own_entries_and_is_told_of_the_rest
    what_is_silent_looks_the_same_as_nothing
    a_hidden_entry_moves_no_version_and_a_seen_one_does
    flags_tell_how_it_stands_and_nothing_else
    the_episode_that_is_open_is_shown_and_else_the_latest
    an_episode_tells_whom_it_may_who_wrote_what
    a_home_that_was_left_learns_nothing_of_what_came_after
    where_a_protected_child_was_found_is_not_told
    a_return_sees_handovers_without_their_words_and_nothing_of_a_disappearance
    an_agency_in_an_entry_is_named_as_a_writer_is
    a_partner_sees_its_own_and_the_flags_that_a_consent_names
    the_log_tells_what_was_shown_of_a_list
}

const MISSING: &str =
    "missing { episodeId status since lastSeenPlace circumstances closedAt isMissing policeNumber wantedEntry wanted
    policeAssessment policeMeasures foundAt foundPlace found followUpDone checklist { id text doneBy { code } }
    sightings { text place by { code } } followUp { part note by { code } } closures { reason by { code } }
    earlier { id circumstances foundPlace } version updatedAt updatedBy { code } withheld { field rule } }";
const HANDOVERS: &str = "handovers { open list { id kind state fromAgency { code } toAgency { code } details endedAt }
    version updatedAt withheld { field } }";

fn scene(involved: &[(&'static str, &'static str)]) -> Scene {
    let lead = vec![("malmo-soc", "LEAD")];
    Scene { involved: [lead, involved.to_vec()].concat(), protocols: true, missing: true, ..Scene::default() }
}

async fn missing(hub: &Hub, code: &str, child: &TestChild) -> Value {
    hub.caller(code).sees(&child.id, MISSING).await["missing"].clone()
}

fn told(section: &Value) -> Vec<&str> {
    let withheld = section["withheld"].as_array().expect("a list");
    withheld.iter().map(|entry| entry["field"].as_str().expect("a field")).collect()
}

async fn whoever_may_not_see_a_list_sees_its_own_entries_and_is_told_of_the_rest(hub: Hub) {
    let with = |own| Scene { own, ..scene(&[("landskrona-soc", "RECEIVING"), ("region-skane", "INVOLVED")]) };
    let child = hub.child(with(Some("region-skane"))).await;
    let canary = |path: &str, own: bool| {
        let canaries = if own { &child.own_canaries } else { &child.canaries };
        canaries[&field(path)].clone()
    };
    // The board that leads sees both entries; health care its own part of the follow-up, and that there may be more.
    let all = missing(&hub, "malmo-soc", &child).await;
    assert_eq!(all["followUp"].as_array().map(Vec::len), Some(2));
    let own = missing(&hub, "region-skane", &child).await;
    assert_eq!(own["followUp"].as_array().map(Vec::len), Some(1));
    assert_eq!(own["followUp"][0]["note"], json!(canary("missing.followUp", true)));
    assert!(told(&own).contains(&"followUp"), "{own}");
    let worries = "concerns { list { text by { code } } withheld { field } }";
    let own = hub.caller("region-skane").sees(&child.id, worries).await;
    assert_eq!(
        own["concerns"]["list"],
        json!([{ "text": canary("concerns.list", true), "by": { "code": "region-skane" } }])
    );
    assert_eq!(told(&own["concerns"]), ["list"]);
    // A board that receives is a party of both handovers here; one that is party of none is told that they are withheld.
    let party = hub.caller("landskrona-soc").sees(&child.id, HANDOVERS).await;
    assert_eq!(party["handovers"]["list"].as_array().map(Vec::len), Some(2));
    hub.involve(child.uuid, "socialjour", "INVOLVED", None).await;
    let other = hub.caller("socialjour").sees(&child.id, HANDOVERS).await;
    assert_eq!((&other["handovers"]["list"], told(&other["handovers"])), (&Value::Null, vec!["list", "open"]));
    // With nothing of its own a list is withheld alike, whether others have entries or not.
    let [some, none] = [scene(&[("skola", "INVOLVED")]), Scene { protocols: false, ..scene(&[("skola", "INVOLVED")]) }];
    for one in [some, none] {
        let child = hub.child(one).await;
        let seen = hub.caller("skola").sees(&child.id, worries).await;
        assert_eq!(seen["concerns"], json!({ "list": null, "withheld": [{ "field": "list" }] }));
    }
}

async fn what_is_silent_looks_the_same_as_nothing(hub: Hub) {
    let ties = [("skola", "INVOLVED"), ("hvb-malmo", "WHEREABOUTS"), ("migrationsverket", "INVOLVED")];
    let silent = "missing { wantedEntry wanted policeAssessment policeMeasures sightings { text } version updatedAt
        updatedBy { code } withheld { field } revisions { changes { field } } }";
    let child = hub.child(scene(&ties)).await;
    let before = async |code: &str| hub.caller(code).sees(&child.id, silent).await;
    for (code, _) in ties {
        let with = before(code).await["missing"].clone();
        for name in ["wantedEntry", "wanted", "policeAssessment", "policeMeasures", "sightings"] {
            assert_eq!(with[name], Value::Null, "{code}: {name}");
            assert!(!told(&with).contains(&name), "{code} is told of {name}");
        }
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (code, _) in ties {
        with.push(before(code).await);
    }
    let police = missing(&hub, "malmo-soc", &child).await;
    assert_eq!(
        (&police["wantedEntry"], &police["wanted"]),
        (&Value::Null, &json!(true)),
        "the board reads the flag alone"
    );
    hub.sql("DELETE FROM sighting").await;
    hub.sql("UPDATE missing_episode SET wanted_entry = NULL, police_assessment = NULL, police_measures = NULL").await;
    for (code, _) in ties {
        without.push(before(code).await);
    }
    assert_eq!(with, without);
    let police = missing(&hub, "malmo-soc", &child).await;
    assert_eq!((&police["wanted"], &police["sightings"]), (&json!(false), &json!([])));
}

async fn a_hidden_entry_moves_no_version_and_a_seen_one_does(hub: Hub) {
    let child = hub.child(scene(&[("skola", "INVOLVED"), ("polisen", "INVOLVED")])).await;
    let stamps = "missing { version updatedAt updatedBy { code } } handovers { version updatedAt } concerns { version }
        consents { version }";
    let seen = async |code: &str| hub.caller(code).sees(&child.id, stamps).await;
    let (school, police, board) = (seen("skola").await, seen("polisen").await, seen("malmo-soc").await);
    hub.wait(DAY);
    let later = hub.now();
    hub.sql(&format!("UPDATE follow_up SET at = {later}, note = 'ny'")).await;
    hub.sql("UPDATE consent SET groups = '[\"board\"]'").await;
    assert_eq!((seen("skola").await, seen("polisen").await), (school.clone(), police.clone()));
    let now = seen("malmo-soc").await;
    assert_ne!(now["missing"]["version"], board["missing"]["version"]);
    assert_ne!(now["missing"]["updatedAt"], board["missing"]["updatedAt"]);
    assert_ne!(now["consents"], board["consents"]);
    assert_eq!((&now["handovers"], &now["concerns"]), (&board["handovers"], &board["concerns"]));
    hub.sql(&format!("UPDATE handover SET state = 'CLOSED', ended_at = {later}")).await;
    assert_ne!(seen("polisen").await["handovers"], police["handovers"], "while the child is missing");
    assert_eq!(seen("skola").await, school);
    // A flag is all that a school sees of the episode, and it moves the version when it turns.
    hub.sql(&format!("UPDATE missing_episode SET found_at = {later} WHERE found_at IS NULL")).await;
    assert_ne!(seen("skola").await["missing"]["version"], school["missing"]["version"]);
}

async fn flags_tell_how_it_stands_and_nothing_else(hub: Hub) {
    let ties = [("hvb-malmo", "WHEREABOUTS"), ("polisen", "INVOLVED")];
    let child = hub.child(Scene { protocols: false, missing: false, ..scene(&ties) }).await;
    let flags =
        "missing { isMissing found followUpDone followUp { part } withheld { field } } handovers { open list { id } }";
    let seen = async || hub.caller("hvb-malmo").sees(&child.id, flags).await;
    let of = |seen: &Value| {
        [
            &seen["missing"]["isMissing"],
            &seen["missing"]["found"],
            &seen["missing"]["followUpDone"],
            &seen["handovers"]["open"],
        ]
        .map(Value::clone)
    };
    assert_eq!(of(&seen().await), [json!(false), json!(false), json!(false), json!(false)], "nothing was ever");
    let other = hub.child(scene(&ties)).await;
    let seen = async || hub.caller("hvb-malmo").sees(&other.id, flags).await;
    let now = seen().await;
    assert_eq!(of(&now), [json!(true), json!(false), json!(false), json!(true)]);
    assert_eq!((&now["missing"]["followUp"], &now["handovers"]["list"]), (&Value::Null, &Value::Null));
    hub.sql(&format!("UPDATE handover SET ended_at = {}", hub.now())).await;
    hub.sql(&format!("UPDATE missing_episode SET found_at = {} WHERE found_at IS NULL", hub.now())).await;
    assert_eq!(of(&seen().await), [json!(false), json!(true), json!(false), json!(false)]);
    // Done is what is done of this episode: every part.
    let rows = hub.rows("SELECT id FROM missing_episode ORDER BY opened_at DESC").await;
    let [latest, earlier] = [0, 1].map(|at| rows[at].try_get_by_index::<uuid::Uuid>(0).expect("an id"));
    hub.sql("DELETE FROM follow_up").await;
    let part = async |episode: uuid::Uuid, kind: &str| {
        let columns = vec![
            ("id", hub.uuid().into()),
            ("child_id", other.uuid.into()),
            ("episode_id", episode.into()),
            ("kind", kind.into()),
            ("done_on", chrono::NaiveDate::from_ymd_opt(2026, 11, 1).into()),
            ("at", hub.now().into()),
            ("agency_id", hub.agency("malmo-soc").into()),
        ];
        hub.insert("follow_up", columns).await;
    };
    let parts = ["RETURN_TALK", "HEALTH_CHECK", "EXPLOITATION_SCREENING", "PLACEMENT_REVIEW"];
    for kind in parts {
        part(earlier, kind).await;
    }
    for kind in parts {
        assert_eq!(seen().await["missing"]["followUpDone"], json!(false), "before {kind}");
        part(latest, kind).await;
    }
    assert_eq!(seen().await["missing"]["followUpDone"], json!(true));
}

async fn the_episode_that_is_open_is_shown_and_else_the_latest(hub: Hub) {
    let child = hub.child(scene(&[])).await;
    let open = missing(&hub, "malmo-soc", &child).await;
    assert_eq!((&open["closedAt"], &open["isMissing"]), (&Value::Null, &json!(true)));
    assert_eq!(open["earlier"].as_array().map(Vec::len), Some(1));
    assert_eq!(open["earlier"][0]["circumstances"], json!(child.canaries[&field("missing.earlier")]));
    // Without the lists, one statement reads the same.
    let alone = hub.caller("malmo-soc").sees(&child.id, "missing { episodeId circumstances earlier { id } }").await;
    assert_eq!(alone["missing"]["episodeId"], open["episodeId"]);
    assert_eq!(alone["missing"]["circumstances"], open["circumstances"]);
    hub.sql(&format!("UPDATE missing_episode SET closed_at = {} WHERE closed_at IS NULL", hub.now())).await;
    let closed = missing(&hub, "malmo-soc", &child).await;
    assert_eq!((&closed["episodeId"], &closed["isMissing"]), (&open["episodeId"], &json!(false)));
    // One that is open goes before a later one.
    hub.sql(&format!("UPDATE missing_episode SET closed_at = NULL WHERE opened_at < {}", hub.now() - DAY * 250)).await;
    let reopened = missing(&hub, "malmo-soc", &child).await;
    assert_eq!(reopened["episodeId"], open["earlier"][0]["id"]);
    assert_eq!(reopened["earlier"][0]["id"], open["episodeId"]);
    let alone = hub.caller("malmo-soc").sees(&child.id, "missing { episodeId circumstances }").await;
    assert_eq!(alone["missing"]["circumstances"], json!(child.canaries[&field("missing.earlier")]));
}

async fn an_episode_tells_whom_it_may_who_wrote_what(hub: Hub) {
    let child = hub.child(scene(&[("polisen", "INVOLVED"), ("malmo-overformyndare", "INVOLVED")])).await;
    let rows = hub.rows("SELECT id FROM missing_episode ORDER BY opened_at DESC").await;
    let entry: uuid::Uuid = rows[0].try_get_by_index(0).expect("an id");
    let changes = json!({ "policeMeasures": "hemligt", "status": "SEARCHING" });
    let revision = vec![
        ("child_id", child.uuid.into()),
        ("section", "missing".into()),
        ("number", 1.into()),
        ("at", hub.now().into()),
        ("agency_id", hub.agency("polisen").into()),
        ("entry_id", entry.into()),
        ("changes", changes.clone().into()),
    ];
    hub.insert("revision", revision).await;
    assert_eq!(hub.caller("polisen").revisions(&child.id, Section::Missing).await, [("polisen".to_owned(), changes)]);
    let part = [("polisen".to_owned(), json!({ "status": "SEARCHING" }))];
    assert_eq!(hub.caller("malmo-overformyndare").revisions(&child.id, Section::Missing).await, part);
}

async fn a_home_that_was_left_learns_nothing_of_what_came_after(hub: Hub) {
    let involved = vec![("malmo-soc", "LEAD"), ("hvb-landskrona", "WHEREABOUTS")];
    let ended = vec![("hvb-malmo", "WHEREABOUTS", DAY)];
    let child = hub.child(Scene { ended, involved, ..scene(&[]) }).await;
    let seen = hub.caller("hvb-malmo").sees(&child.id, &everything()).await;
    for section in ["missing", "consents", "handovers"] {
        for (name, value) in seen[section].as_object().expect("a section") {
            assert!(["withheld", "version"].contains(&name.as_str()) || value.is_null(), "{section}.{name}: {value}");
        }
    }
    // The home where the child is sees the episode, and that a handover is under way.
    let now = hub.caller("hvb-landskrona").sees(&child.id, &everything()).await;
    assert!(now["missing"]["circumstances"].is_string() && now["missing"]["foundPlace"].is_string(), "{now}");
    assert_eq!((&now["handovers"]["list"], &now["handovers"]["open"]), (&Value::Null, &json!(true)));
}

async fn where_a_protected_child_was_found_is_not_told(hub: Hub) {
    let ties = [("polisen", "INVOLVED"), ("malmo-overformyndare", "INVOLVED"), ("migrationsverket", "INVOLVED")];
    for (protection, missing_now, reads) in [
        ("NONE", true, vec!["malmo-soc", "polisen", "malmo-overformyndare", "migrationsverket"]),
        ("MARKED", true, vec!["malmo-soc", "polisen"]),
        ("LOCAL", false, vec!["malmo-soc"]),
    ] {
        let child = hub.child(Scene { protection, missing: missing_now, ..scene(&ties) }).await;
        for code in ["malmo-soc", "polisen", "malmo-overformyndare", "migrationsverket"] {
            let seen = missing(&hub, code, &child).await;
            assert_eq!(seen["lastSeenPlace"].is_string(), reads.contains(&code), "{protection} {code}");
            // Migrationsverket is not told where, whoever the child is.
            let place = reads.contains(&code) && code != "migrationsverket";
            assert_eq!(seen["foundPlace"].is_string(), place, "{protection} {code}");
            assert_eq!(seen["earlier"][0]["foundPlace"].is_string(), place, "{protection} {code}, earlier");
            let handovers = hub.caller(code).sees(&child.id, HANDOVERS).await["handovers"]["list"].clone();
            let words = code != "polisen" && reads.contains(&code) || code == "polisen" && missing_now;
            assert_eq!(handovers[0]["details"].is_object(), words, "{protection} {code}: {handovers}");
        }
    }
}

async fn a_return_sees_handovers_without_their_words_and_nothing_of_a_disappearance(hub: Hub) {
    let child = hub.child(Scene { own: Some("migrationsverket"), ..scene(&[("migrationsverket", "INVOLVED")]) }).await;
    let query = format!("{HANDOVERS} {MISSING} concerns {{ list {{ text }} }} consents {{ list {{ id }} }}");
    let asylum = hub.caller("migrationsverket").sees(&child.id, &query).await;
    assert!(asylum["handovers"]["list"][0]["details"].is_object() && asylum["missing"]["isMissing"] == json!(true));
    assert!(asylum["concerns"]["list"].is_array());
    let back = hub.caller("migrationsverket").purpose("RETURN").sees(&child.id, &query).await;
    assert_eq!(back["handovers"]["list"].as_array().map(Vec::len), Some(2));
    assert!(back["handovers"]["list"].as_array().expect("a list").iter().all(|entry| entry["details"].is_null()));
    for (name, value) in back["missing"].as_object().expect("a section") {
        assert!(["withheld", "version"].contains(&name.as_str()) || value.is_null(), "{name}: {value}");
    }
    assert_eq!((&back["concerns"]["list"], &back["consents"]["list"]), (&Value::Null, &Value::Null));
}

async fn an_agency_in_an_entry_is_named_as_a_writer_is(hub: Hub) {
    let ties = [("migrationsverket", "INVOLVED"), ("region-skane", "INVOLVED")];
    let child = hub.child(scene(&ties)).await;
    // The others' entries are of a home: whom it houses is not told to whoever may not know where the child lives.
    let from = |seen: &Value| seen["handovers"]["list"][0]["fromAgency"].clone();
    let board = hub.caller("malmo-soc").sees(&child.id, HANDOVERS).await;
    let migration = hub.caller("migrationsverket").sees(&child.id, HANDOVERS).await;
    assert_eq!(from(&board), json!({ "code": "hvb-landskrona" }));
    assert_eq!(from(&migration), Value::Null);
    assert_eq!(migration["handovers"]["list"][0]["toAgency"], json!({ "code": "landskrona-soc" }));
    assert_eq!(missing(&hub, "malmo-soc", &child).await["closures"][0]["by"], json!({ "code": "hvb-landskrona" }));
    assert_eq!(missing(&hub, "migrationsverket", &child).await["closures"][0]["by"], Value::Null);
    // Whom a consent is to is what the list is about.
    let consents =
        hub.caller("region-skane").sees(&child.id, "consents { list { receiver { code __typename } givenBy } }").await;
    let given = json!([{ "receiver": { "code": "hvb-landskrona", "__typename": "Agency" }, "givenBy": "ord" }]);
    assert_eq!(consents["consents"]["list"], given);
}

async fn a_partner_sees_its_own_and_the_flags_that_a_consent_names(hub: Hub) {
    for (groups, told) in [(vec!["identity"], false), (vec!["identity", "missingFlag", "foundFlag"], true)] {
        let consents = vec![("radda-barnen", groups), ("stadsmissionen", vec!["identity"])];
        let child = hub.child(Scene { consents, own: Some("radda-barnen"), ..scene(&[]) }).await;
        let partner = hub.caller("radda-barnen");
        let query = format!(
            "{{ children {{ nodes {{ id {MISSING} {HANDOVERS} concerns {{ list {{ text }} }}
            consents {{ list {{ id receiver {{ code }} givenBy }} }} }} }} }}"
        );
        let answer = partner.ask(&query).await;
        let nodes = answer.data("/children/nodes").as_array().expect("nodes").clone();
        let own = |node: &&Value| node.to_string().contains(&child.own_canaries[&field("concerns.list")]);
        let seen = nodes.iter().find(own).expect("the child");
        let flags = [&seen["missing"]["isMissing"], &seen["missing"]["found"]].map(Value::is_boolean);
        assert_eq!(flags, [told, told]);
        for name in
            ["status", "policeNumber", "wanted", "sightings", "followUp", "followUpDone", "closures", "checklist"]
        {
            let own = ["checklist"].contains(&name);
            assert!(seen["missing"][name].is_null() || own, "{name}");
        }
        assert_eq!(seen["handovers"]["list"], Value::Null);
        // The live one, and the one of the scene that gives nothing: both to it, and none to another organisation.
        let consents = seen["consents"]["list"].as_array().expect("a list");
        assert!(
            consents.len() == 2 && consents.iter().all(|one| one["receiver"]["code"] == "radda-barnen"),
            "{consents:?}"
        );
        assert!(consents.iter().all(|one| one["givenBy"].is_null()), "the guardian is not told by the way");
    }
}

async fn the_log_tells_what_was_shown_of_a_list(hub: Hub) {
    let child = hub
        .child(Scene { own: Some("region-skane"), ..scene(&[("region-skane", "INVOLVED"), ("skola", "INVOLVED")]) })
        .await;
    for code in ["region-skane", "skola"] {
        hub.caller(code).sees(&child.id, "missing { followUp { note } sightings { text } isMissing }").await;
        let log = "query($id: ID!) { accessLog(childId: $id, first: 1) { edges { node { shown withheld } } } }";
        let answer = hub.caller(code).ask_with(log, json!({ "id": child.id })).await;
        let node = answer.data("/accessLog/edges/0/node").clone();
        let names = |key: &str| node[key].to_string();
        assert!(names("shown").contains("missing.isMissing"), "{code}: {node}");
        assert_eq!(names("shown").contains("missing.followUp"), code == "region-skane", "{code}: {node}");
        assert!(names("withheld").contains("missing.sightings"), "{code}: {node}");
        // The part that is others' is noted as withheld, too.
        assert!(names("withheld").contains("missing.followUp"), "{code}: {node}");
    }
}
