//! Versions, flags and revisions: what a write moves, for whom, and who wins when two write at once.

use crate::both;
use crate::harness::{HOUR, Hub, Kind, Scene, everything, field};
use crate::write::{sample, updated, written};
use chrono::{Days, NaiveDate};
use samverka_domain::catalogue::Section;
use serde_json::{Value, json};
use std::collections::BTreeMap;

both! {
    a_stale_version_conflicts_and_writes_nothing
    a_version_is_of_one_section_of_one_child_as_one_role_sees_it
    a_hidden_change_does_not_make_a_version_stale_and_a_seen_one_does
    of_two_writers_at_once_exactly_one_wins
    writers_of_different_sections_do_not_disturb_each_other
    a_change_that_the_database_refuses_takes_no_other_with_it
    no_update_is_lost_between_roles_that_see_different_parts
    flags_follow_their_fields_and_move_only_with_them
    a_code_that_says_none_raises_no_flag
    revisions_tell_who_wrote_what_as_far_as_it_is_shown
    revisions_come_latest_first_and_as_many_as_asked_for
    a_version_moves_if_and_only_if_something_visible_moved
}

async fn a_stale_version_conflicts_and_writes_nothing(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let first = board.version(&child.id, Section::Voice).await;
    let answer = board.update_from(&child.id, Section::Voice, &first, json!({ "wishes": "Ett" }), &[]).await;
    let second = answer.data("/updateVoice/child/voice/version").clone();
    assert_eq!(second, board.version(&child.id, Section::Voice).await, "the answer carries the new version");
    let seen = board.sees(&child.id, &everything()).await;
    // Also where it would change nothing, or only another field.
    for set in [json!({ "wishes": "Två" }), json!({ "wishes": "Ett" }), json!({ "recordedOn": "2026-01-02" })] {
        let answer = board.update_from(&child.id, Section::Voice, &first, set.clone(), &[]).await;
        answer.assert_refused(&[("CONFLICT", "expectedVersion")], &set.to_string());
    }
    assert_eq!(board.sees(&child.id, &everything()).await, seen);
    assert_eq!(hub.count("revision", "1 = 1").await, 1);
    let second = second.as_str().expect("a version").to_owned();
    board.update_from(&child.id, Section::Voice, &second, json!({ "wishes": "Två" }), &[]).await.data("");
    // The old value again is a change of its own: the old version does not come back.
    board.update(&child.id, Section::Voice, json!({ "wishes": "Ett" }), &[]).await.data("");
    assert_ne!(board.version(&child.id, Section::Voice).await, second);
}

async fn a_version_is_of_one_section_of_one_child_as_one_role_sees_it(hub: Hub) {
    let scene = Scene { involved: vec![("malmo-soc", "LEAD"), ("skola", "INVOLVED")], ..Scene::default() };
    let child = hub.child(scene.clone()).await;
    let other = hub.child(scene).await;
    let board = hub.caller("malmo-soc");
    let right = board.version(&child.id, Section::SafetyPlan).await;
    let mut wrong = vec![
        String::new(),
        " ".to_owned(),
        "0".to_owned(),
        "null".to_owned(),
        format!("{right} "),
        right.to_uppercase(),
        right[1..].to_owned(),
        "å".repeat(1000),
        board.version(&child.id, Section::Voice).await,
        board.version(&other.id, Section::SafetyPlan).await,
        hub.caller("skola").version(&child.id, Section::SafetyPlan).await,
    ];
    wrong.dedup();
    assert!(wrong.len() == 11 && !wrong.contains(&right));
    for version in wrong {
        let answer = board.update_from(&child.id, Section::SafetyPlan, &version, json!({ "plan": "Ny" }), &[]).await;
        answer.assert_refused(&[("CONFLICT", "expectedVersion")], &version);
    }
    assert_eq!(board.version(&child.id, Section::SafetyPlan).await, right);
}

async fn a_hidden_change_does_not_make_a_version_stale_and_a_seen_one_does(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("hvb-malmo", "INVOLVED"),
        ("polisen", "INVOLVED"),
        ("granspolisen", "INVOLVED"),
        ("skola", "INVOLVED"),
    ];
    for (writer, protection, section, set, other, hidden, seen) in [
        (
            "polisen",
            "NONE",
            Section::Risk,
            json!({ "exploitationKind": "LABOUR" }),
            "malmo-soc",
            json!({ "indicators": [{ "indicator": "DEBTS", "observedOn": "2026-01-02", "source": "Skolan" }] }),
            json!({ "exploitation": "Nytt" }),
        ),
        (
            "granspolisen",
            "NONE",
            Section::Asylum,
            json!({ "returnPhase": "TALKS" }),
            "migrationsverket",
            json!({ "stage": "FINAL", "outcome": "REFUSAL" }),
            json!({ "returnLead": "POLICE" }),
        ),
        (
            "hvb-malmo",
            "NONE",
            Section::Placement,
            json!({ "street": "Nygatan 1" }),
            "malmo-soc",
            json!({ "unitName": "Nytt", "operatorNumber": "2120001124" }),
            json!({ "type": "JOURHEM" }),
        ),
        (
            "skola",
            "MARKED",
            Section::Schooling,
            json!({ "absentSince": "2026-02-03" }),
            "skola",
            json!({ "schoolName": "Ny", "contactName": "Ny" }),
            json!({ "absentSince": "2026-02-04" }),
        ),
    ] {
        let child = hub.child(Scene { involved: involved.clone(), protection, ..Scene::default() }).await;
        let (writer, other) = (hub.caller(writer), hub.caller(other));
        let before = writer.sees(&child.id, &everything()).await;
        let version = writer.version(&child.id, section).await;
        hub.wait(HOUR);
        other.update(&child.id, section, hidden, &[]).await.data("");
        assert_eq!(writer.sees(&child.id, &everything()).await, before, "{} {section:?}", writer.persona);
        let answer = writer.update_from(&child.id, section, &version, set.clone(), &[]).await;
        answer.data("");
        let version = writer.version(&child.id, section).await;
        other.update(&child.id, section, seen, &[]).await.data("");
        let answer = writer.update_from(&child.id, section, &version, set, &[]).await;
        answer.assert_refused(&[("CONFLICT", "expectedVersion")], writer.persona);
    }
}

async fn of_two_writers_at_once_exactly_one_wins(hub: Hub) {
    // A child whose sections are empty, so that the first round also races for the row itself.
    let child = hub.register().await;
    let owner = hub.caller("migrationsverket");
    for round in 0..12 {
        let version = owner.version(&child, Section::Identity).await;
        let requests = (0..3).map(|n| {
            let set = json!({ "givenNames": format!("Omgång {round} skrivare {n}") });
            owner.update_request(&child, Section::Identity, &version, set, &[])
        });
        let answers = hub.send_together(requests.collect()).await;
        let won: Vec<usize> = (0..3).filter(|n| answers[*n].json["errors"].is_null()).collect();
        assert_eq!(won.len(), 1, "round {round}: {answers:?}");
        for lost in (0..3).filter(|n| !won.contains(n)) {
            answers[lost].assert_refused(&[("CONFLICT", "expectedVersion")], "the others");
        }
        let name = owner.sees(&child, "identity { givenNames }").await["identity"]["givenNames"].clone();
        assert_eq!(name, format!("Omgång {round} skrivare {}", won[0]));
    }
    assert_eq!(hub.count("revision", "section = 'identity'").await, 12);
}

async fn writers_of_different_sections_do_not_disturb_each_other(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let sections = [
        ("malmo-soc", Section::Voice, "wishes"),
        ("malmo-soc", Section::Description, "marks"),
        ("malmo-soc", Section::SafetyPlan, "plan"),
        ("migrationsverket", Section::Identity, "givenNames"),
        ("migrationsverket", Section::Asylum, "counselName"),
        ("malmo-soc", Section::Responsibility, "unit"),
    ];
    for round in 0..10 {
        let mut requests = Vec::new();
        for (code, section, name) in sections {
            let caller = hub.caller(code);
            let version = caller.version(&child.id, section).await;
            let set = json!({ name: format!("Omgång {round}") });
            requests.push(caller.update_request(&child.id, section, &version, set, &[]));
        }
        for answer in hub.send_together(requests).await {
            answer.data("");
        }
        for (code, section, name) in sections {
            let seen = hub.caller(code).sees(&child.id, &format!("{} {{ {name} }}", section.name())).await;
            assert_eq!(seen[section.name()][name], format!("Omgång {round}"));
        }
    }
}

/// On PostgreSQL changes that wait together are made in one statement.
async fn a_change_that_the_database_refuses_takes_no_other_with_it(hub: Hub) {
    let refuse = match hub.database.kind {
        Kind::Sqlite => {
            "CREATE TRIGGER no_such_wish BEFORE INSERT ON voice WHEN NEW.wishes = 'Nej'
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        }
        Kind::Postgres => "ALTER TABLE voice ADD CONSTRAINT no_such_wish CHECK (wishes <> 'Nej')",
    };
    let board = hub.caller("malmo-soc");
    let mut children = Vec::new();
    for _ in 0..24 {
        let involved = vec![("malmo-soc", "LEAD")];
        children.push(hub.child(Scene { involved, ..Scene::default() }).await.id);
    }
    hub.sql("DELETE FROM voice").await;
    hub.sql(refuse).await;
    let wish = |n: usize| if n % 8 == 3 { "Nej" } else { "Ja" };
    let mut requests = Vec::new();
    for (n, child) in children.iter().enumerate() {
        let version = board.version(child, Section::Voice).await;
        requests.push(board.update_request(child, Section::Voice, &version, json!({ "wishes": wish(n) }), &[]));
    }
    let answers = hub.send_together(requests).await;
    for (n, (child, answer)) in children.iter().zip(answers).enumerate() {
        let seen = board.sees(child, "voice { wishes }").await["voice"]["wishes"].clone();
        if wish(n) == "Nej" {
            assert_eq!((&answer.json["errors"][0]["extensions"]["code"], seen), (&json!("UNAVAILABLE"), Value::Null));
        } else {
            answer.data("/updateVoice/child/id");
            assert_eq!(seen, "Ja");
        }
    }
    assert_eq!(hub.count("revision", "section = 'voice'").await, 21);
    assert_eq!(hub.count("event", "kind = 'SECTION_CHANGED'").await, 21);
}

async fn no_update_is_lost_between_roles_that_see_different_parts(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("granspolisen", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let (owner, police) = (hub.caller("migrationsverket"), hub.caller("granspolisen"));
    let mut outcome = Value::Null;
    for round in 0..10 {
        let day = format!("2027-01-{:02}", round + 1);
        let new = json!(["PERMIT", "REFUSAL", "TRANSFER"][round % 3]);
        let requests = vec![
            owner.update_request(
                &child.id,
                Section::Asylum,
                &owner.version(&child.id, Section::Asylum).await,
                json!({ "outcome": new }),
                &[],
            ),
            police.update_request(
                &child.id,
                Section::Asylum,
                &police.version(&child.id, Section::Asylum).await,
                json!({ "returnPlannedOn": day }),
                &[],
            ),
        ];
        let answers = hub.send_together(requests).await;
        // The police does not see the outcome: nothing that Migrationsverket writes there is in its way.
        answers[1].data("");
        if answers[0].json["errors"].is_null() {
            outcome = new;
        } else {
            answers[0].assert_refused(&[("CONFLICT", "expectedVersion")], "the police was first");
        }
        let seen = owner.sees(&child.id, "asylum { outcome returnPlannedOn }").await;
        assert_eq!(seen["asylum"]["returnPlannedOn"], day, "round {round}");
        assert!(outcome.is_null() || seen["asylum"]["outcome"] == outcome, "round {round}");
    }
}

/// A child without any value yet, known to all the agencies named.
async fn empty(hub: &Hub, involved: &[&str]) -> String {
    let id = hub.register().await;
    let child: uuid::Uuid = hub.rows("SELECT id FROM child").await[0].try_get_by_index(0).expect("an id");
    for code in involved {
        hub.involve(child, code, "INVOLVED", None).await;
    }
    id
}

async fn flags_follow_their_fields_and_move_only_with_them(hub: Hub) {
    let readers = ["hvb-malmo", "skola", "malmo-overformyndare"];
    let child = empty(&hub, &[&readers[..], &["region-skane"]].concat()).await;
    let from = "mutation($id: ID!, $v: String!) { startPlacement(childId: $id, expectedVersion: $v,
        set: { from: \"2026-11-01\" }) { child { id } } }";
    let version = hub.caller("malmo-soc").version(&child, Section::Placement).await;
    hub.caller("malmo-soc").ask_with(from, json!({ "id": child, "v": version })).await.data("");
    for (reader, owner, flag, fields) in [
        (
            "hvb-malmo",
            "migrationsverket",
            "asylum.decisionNearOrServed",
            vec![
                ("outcome", json!("REFUSAL"), json!("PERMIT")),
                ("servedOn", json!("2026-12-01"), json!("2026-12-02")),
            ],
        ),
        (
            "hvb-malmo",
            "migrationsverket",
            "asylum.transferOrAgeAssessmentOpen",
            vec![
                ("transferPending", json!(true), json!(true)),
                ("ageAssessmentStage", json!("OFFERED"), json!("CONSIDERED")),
            ],
        ),
        (
            "hvb-malmo",
            "region-skane",
            "health.assessmentDone",
            vec![("assessmentDoneOn", json!("2026-10-01"), json!("2026-10-02"))],
        ),
        ("skola", "malmo-soc", "safetyPlan.planExists", vec![("plan", json!("En plan"), json!("En annan"))]),
        ("skola", "malmo-soc", "protection.protected", vec![("level", json!("MARKED"), json!("LOCAL"))]),
        (
            "malmo-overformyndare",
            "malmo-soc",
            "risk.exploitationSuspected",
            vec![
                ("exploitation", json!("En misstanke"), json!("En annan")),
                ("exploitationKind", json!("HONOUR"), json!("CRIME")),
            ],
        ),
        (
            "migrationsverket",
            "malmo-soc",
            "placement.legalBasisDecided",
            vec![("legalBasis", json!("SOL"), json!("LVU_2"))],
        ),
    ] {
        let (section, name) = (field(flag).field().section, field(flag).field().name);
        let (reader, owner) = (hub.caller(reader), hub.caller(owner));
        let selection =
            format!("{} {{ {name} version updatedAt updatedBy {{ code }} revisions {{ at }} }}", section.name());
        let look = async || reader.sees(&child, &selection).await[section.name()].clone();
        let mut seen = look().await;
        assert_eq!(seen[name], false, "{flag}");
        let write = async |set: Value, clear: &[&str]| {
            hub.wait(HOUR);
            owner.update(&child, section, set, clear).await.data("");
        };
        for (index, (field, value, _)) in fields.iter().enumerate() {
            write(json!({ *field: value }), &[]).await;
            let now = look().await;
            if index > 0 {
                assert_eq!(now, seen, "{flag}: raised already");
                continue;
            }
            assert_eq!(now[name], true, "{flag} by {field}");
            assert_eq!(now["updatedBy"]["code"], owner.persona, "{flag}");
            assert!(now["updatedAt"] != seen["updatedAt"] && now["version"] != seen["version"], "{flag}");
            assert_eq!(now["revisions"], seen["revisions"], "{flag}: what was written is not shown");
            seen = now;
        }
        for (field, _, other) in &fields {
            write(json!({ *field: other }), &[]).await;
            assert_eq!(look().await, seen, "{flag}: {field} is another, and the flag the same");
        }
        for (index, (field, _, _)) in fields.iter().enumerate() {
            write(json!({}), &[*field]).await;
            let now = look().await;
            let last = index + 1 == fields.len();
            assert_eq!(now[name], !last, "{flag} without {field}");
            assert_eq!(now != seen, last, "{flag}: only the last of its fields lowers it");
        }
    }
}

async fn a_code_that_says_none_raises_no_flag(hub: Hub) {
    let child = empty(&hub, &["hvb-malmo", "skola"]).await;
    let home = hub.caller("hvb-malmo");
    let seen = home.sees(&child, &everything()).await;
    let set = json!({ "ageAssessmentStage": "NONE", "transferPending": false, "returnPhase": "NONE" });
    hub.caller("migrationsverket").update(&child, Section::Asylum, set, &[]).await.data("");
    hub.caller("malmo-soc").update(&child, Section::Protection, json!({ "level": "NONE" }), &[]).await.data("");
    assert_eq!(home.sees(&child, &everything()).await, seen);
    let flags = "asylum { transferOrAgeAssessmentOpen } protection { protected }";
    let expected = json!({ "asylum": { "transferOrAgeAssessmentOpen": false }, "protection": { "protected": false } });
    assert_eq!(home.sees(&child, flags).await, expected);
}

async fn revisions_tell_who_wrote_what_as_far_as_it_is_shown(hub: Hub) {
    let child = empty(&hub, &["region-skane", "skola", "hvb-malmo", "polisen", "landskrona-soc"]).await;
    let write = async |code: &str, section: Section, set: Value, clear: &[&str]| {
        hub.wait(HOUR);
        hub.caller(code).update(&child, section, set, clear).await.data("");
    };
    write("migrationsverket", Section::Identity, json!({ "givenNames": "Ett", "aliases": ["Två", "Tre"] }), &[]).await;
    write("malmo-soc", Section::Identity, json!({ "languages": ["prs"], "interpreterNeeded": true }), &[]).await;
    write("migrationsverket", Section::Identity, json!({ "citizenship": "AF" }), &["aliases"]).await;
    write("region-skane", Section::Health, json!({ "assessmentDoneOn": "2026-02-03" }), &[]).await;
    write("malmo-soc", Section::Health, json!({ "selfHarmAlert": true }), &[]).await;
    let revisions = async |code: &'static str, section| hub.caller(code).revisions(&child, section).await;
    let by = |code: &str, changes: Value| (code.to_owned(), changes);
    let all = vec![
        by("migrationsverket", json!({ "aliases": null, "citizenship": "AF" })),
        by("malmo-soc", json!({ "languages": ["prs"], "interpreterNeeded": true })),
        by("migrationsverket", json!({ "givenNames": "Ett", "aliases": ["Två", "Tre"] })),
    ];
    assert_eq!(revisions("migrationsverket", Section::Identity).await, all);
    assert_eq!(revisions("malmo-soc", Section::Identity).await, all);
    // The school reads neither aliases nor citizenship: the latest write is not there for it.
    let shown = vec![all[1].clone(), by("migrationsverket", json!({ "givenNames": "Ett" }))];
    assert_eq!(revisions("skola", Section::Identity).await, shown);
    assert_eq!(revisions("landskrona-soc", Section::Identity).await, []);
    let health = vec![
        by("malmo-soc", json!({ "selfHarmAlert": true })),
        by("region-skane", json!({ "assessmentDoneOn": "2026-02-03" })),
    ];
    assert_eq!(revisions("malmo-soc", Section::Health).await, health);
    assert_eq!(revisions("hvb-malmo", Section::Health).await, health[..1]);
    assert_eq!(revisions("migrationsverket", Section::Health).await, []);
    // Who was at work is kept, and not shown.
    let user = hub.caller("malmo-soc").header("samverka-user", "kanarieanvändare-7".replace('ä', "a").as_str());
    user.update(&child, Section::Voice, json!({ "wishes": "Ja" }), &[]).await.data("");
    assert_eq!(hub.count("revision", "user_ref = 'kanarieanvandare-7'").await, 1);
    let seen = user.sees(&child, "voice { revisions { at by { code } changes { field value } } }").await;
    let expected = json!([{ "at": "2026-11-21T17:00:00.000000Z", "by": { "code": "malmo-soc" },
        "changes": [{ "field": "wishes", "value": "Ja" }] }]);
    assert_eq!(seen["voice"]["revisions"], expected);
}

async fn revisions_come_latest_first_and_as_many_as_asked_for(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let mut version = board.version(&child.id, Section::Voice).await;
    for n in 0..23 {
        let answer =
            board.update_from(&child.id, Section::Voice, &version, json!({ "wishes": format!("{n}") }), &[]).await;
        version = answer.data("/updateVoice/child/voice/version").as_str().expect("a version").to_owned();
    }
    let query = "voice { few: revisions(first: 3) { changes { value } } usual: revisions { at } all: revisions(first: 100) { at } }";
    let seen = board.sees(&child.id, query).await["voice"].clone();
    let value = |n: i32| json!({ "changes": [{ "value": format!("{n}") }] });
    assert_eq!(seen["few"], json!([value(22), value(21), value(20)]));
    assert_eq!(seen["usual"].as_array().map(Vec::len), Some(20));
    assert_eq!(seen["all"].as_array().map(Vec::len), Some(23));
}

/// A small generator of numbers, the same on every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("small")
    }
}

/// What a caller sees of a section.
#[derive(PartialEq)]
struct Seen {
    values: Value,
    /// The names of the fields that are withheld. By which rule does not count.
    withheld: Vec<Value>,
    version: Value,
    /// What must stand still while the version does.
    history: [Value; 3],
}

type Look = BTreeMap<Section, Seen>;

async fn look(hub: &Hub, code: &str, id: &str) -> Look {
    let more = "updatedBy { code } revisions(first: 100) { at changes { field value } } withheld {";
    let seen = hub.caller(code).sees(id, &everything().replace("withheld {", more)).await;
    let section = |section: Section| {
        let mut values = seen[section.name()].clone();
        let mut take = |name: &str| values.as_object_mut().expect("a section").remove(name).expect("asked for");
        let (version, withheld) = (take("version"), take("withheld"));
        let history = ["updatedAt", "updatedBy", "revisions"].map(&mut take);
        let withheld = withheld.as_array().expect("a list").iter().map(|entry| entry["field"].clone()).collect();
        (section, Seen { values, withheld, version, history })
    };
    Section::ALL.into_iter().map(section).collect()
}

/// One random attempt to change the child, and what was tried.
async fn step(hub: &Hub, dice: &mut Dice, day: NaiveDate, child: &str, writers: &[&str]) -> (String, bool) {
    let code = writers[dice.roll(writers.len())];
    let caller = hub.caller(code);
    let (about, answer) = match dice.roll(10) {
        0 => {
            let home = ["hvb-malmo", "hvb-landskrona"][dice.roll(2)];
            let street = format!("Gatan {}", dice.roll(3));
            let set = json!({ "from": day.to_string(), "street": street, "unitAgency": hub.agency_id(home) });
            let mutation = "mutation($id: ID!, $v: String!, $set: PlacementPatch!) {
                startPlacement(childId: $id, expectedVersion: $v, set: $set) { child { id } } }";
            let version = hub.caller("malmo-soc").version(child, Section::Placement).await;
            let variables = json!({ "id": child, "v": version, "set": set });
            (format!("start {set}"), hub.caller("malmo-soc").ask_with(mutation, variables).await)
        }
        1 => {
            let mutation = format!(
                "mutation($id: ID!, $v: String!) {{
                    endPlacement(childId: $id, expectedVersion: $v, to: \"{day}\") {{ child {{ id }} }} }}"
            );
            let version = hub.caller("malmo-soc").version(child, Section::Placement).await;
            let answer = hub.caller("malmo-soc").ask_with(&mutation, json!({ "id": child, "v": version })).await;
            ("end".to_owned(), answer)
        }
        2 => {
            let number = format!("12-34567{}", dice.roll(3));
            let number = match dice.roll(2) {
                0 => json!({ "kind": "DOSSIER_NUMBER", "value": number }),
                _ => json!({ "kind": "LMA_CARD", "value": format!("{number}/1") }),
            };
            let mutation = "mutation($id: ID!, $number: IdentifierInput!) {
                addIdentifier(childId: $id, identifier: $number) { child { id } } }";
            let variables = json!({ "id": child, "number": number });
            (format!("add {number}"), hub.caller("migrationsverket").ask_with(mutation, variables).await)
        }
        3 => {
            let level = ["NONE", "MARKED", "LOCAL"][dice.roll(3)];
            let set = json!({ "level": level });
            (format!("protect {set}"), hub.caller("malmo-soc").update(child, Section::Protection, set, &[]).await)
        }
        _ => {
            let section = updated().nth(dice.roll(13)).expect("a section");
            let fields: Vec<_> = written(section).collect();
            let (mut set, mut clear) = (serde_json::Map::new(), Vec::new());
            for _ in 0..=dice.roll(2) {
                let id = fields[dice.roll(fields.len())];
                if set.contains_key(id.field().name) || clear.contains(&id.field().name) {
                    continue;
                }
                match dice.roll(4) {
                    0 => clear.push(id.field().name),
                    _ => _ = set.insert(id.field().name.to_owned(), sample(hub, id, dice.roll(3))),
                }
            }
            let about = format!("{code} {section:?} {set:?} {clear:?}");
            (about, caller.update(child, section, json!(set), &clear).await)
        }
    };
    (about, answer.json["errors"].is_null())
}

async fn a_version_moves_if_and_only_if_something_visible_moved(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("region-skane", "INVOLVED"),
        ("skola", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("malmo-overformyndare", "INVOLVED"),
        ("polisen", "INVOLVED"),
        ("granspolisen", "INVOLVED"),
        ("socialjour", "INVOLVED"),
    ];
    let writers: Vec<&str> = involved.iter().map(|(code, _)| *code).collect();
    let consents = vec![("radda-barnen", vec!["identity", "childContact", "safetyPlan"])];
    let scene = Scene { involved, consents, home: Some("hvb-malmo"), ..Scene::default() };
    let child = hub.child(scene).await;
    let list = hub.caller("radda-barnen").ask("{ children { nodes { id } } }").await;
    let pairwise = list.data("/children/nodes/0/id").as_str().expect("an id").to_owned();
    let readers = || writers.iter().map(|code| (*code, child.id.as_str())).chain([("radda-barnen", pairwise.as_str())]);
    let mut dice = Dice(0x5eed_2026_1121);
    let first = NaiveDate::from_ymd_opt(2026, 7, 1).expect("a day");
    let mut seen: Vec<Look> = Vec::new();
    for (code, id) in readers() {
        seen.push(look(&hub, code, id).await);
    }
    let (mut written, mut refused, mut moved) = (0, 0, 0);
    for round in 0..30 {
        hub.wait(HOUR / 60);
        let day = first.checked_add_days(Days::new(round)).expect("a day");
        let (about, done) = step(&hub, &mut dice, day, &child.id, &writers).await;
        *(if done { &mut written } else { &mut refused }) += 1;
        for ((code, id), before) in readers().zip(&mut seen) {
            let after = look(&hub, code, id).await;
            for (section, now) in &after {
                let was = &before[section];
                let about = format!("round {round}, {about}: {section:?} as {code} sees it");
                let (values, version) = (now.values != was.values, now.version != was.version);
                assert!(!values || version, "{about} changed, and its version did not: {} {}", was.values, now.values);
                // Rights may change without a value that shows it; of two placements alike, the revisions tell.
                let more = values || now.withheld != was.withheld || now.history[2] != was.history[2];
                assert!(!version || more, "{about} did not change, and its version did: {}", now.values);
                assert!(version || now.history == was.history, "{about} has another history: {:?}", now.history);
                assert!(done || now == was, "{about}: it was refused");
                moved += usize::from(version);
            }
            *before = after;
        }
    }
    assert!(written > 10 && refused > 5 && moved > 30, "{written} written, {refused} refused, {moved} moved");
}
