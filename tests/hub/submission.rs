//! Giving without reading: the answer to a worry, a sighting or a tip is a receipt, whether the child is there or not; those
//! who answer for the child read it, and nobody else learns anything by it.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild};
use samverka_domain::catalogue::{FieldId, IdentifierKind};
use serde_json::{Value, json};

both! {
    everyone_gets_the_same_receipt_whether_the_child_is_there_or_not
    those_who_answer_for_the_child_and_the_named_board_read_it
    no_inbox_tells_that_others_have_the_child
    what_is_wrong_is_refused_whatever_the_record_holds
    a_board_decides_and_the_giver_learns_what_the_law_allows
    a_sighting_is_taken_into_the_search
    a_board_ties_what_was_not_found_to_a_child_it_knows
    the_police_read_sightings_of_missing_children_they_know
    a_sealed_or_ambiguous_number_finds_nobody
    so_much_in_a_day_and_no_more
    strangers_decide_on_nothing
    many_at_once_hand_in_no_more_than_one_after_the_other
    what_cannot_be_matched_holds_up_nothing
    a_row_that_is_not_understood_is_open_and_hides_no_other
    a_board_learns_of_what_it_gave_no_more_than_its_inbox_tells
    whatever_is_acknowledged_is_in_somebodys_inbox
    the_police_take_what_came_where_no_board_is
    a_number_that_comes_into_the_record_later_is_found
    a_number_that_has_ended_finds_nobody
}

/// Every role that may give, by persona.
const GIVERS: [&str; 9] = [
    "migrationsverket",
    "polisen",
    "malmo-soc",
    "socialjour",
    "malmo-overformyndare",
    "region-skane",
    "skola",
    "hvb-malmo",
    "radda-barnen",
];

const RECEIPT: &str = "id kind at";

impl Caller<'_> {
    pub async fn submit(&self, kind: &str, about: Value) -> Answer {
        let mutation = format!("mutation($about: SubmissionInput!) {{ submit{kind}(about: $about) {{ {RECEIPT} }} }}");
        self.ask_with(&mutation, json!({ "about": about })).await
    }

    pub async fn inbox(&self) -> Vec<Value> {
        let query =
            "{ submissions(first: 100) { nodes { id kind by { code } role childId identifier { kind value } name
            birthDate description municipality place text state reason feedback } } }";
        let mut nodes = self.ask(query).await.data("/submissions/nodes").as_array().expect("a list").clone();
        // What the scene holds of each child.
        nodes.retain(|node| !node["text"].as_str().is_some_and(|text| text.starts_with("Kanarie")));
        nodes
    }

    async fn given(&self) -> Vec<Value> {
        let query = "{ mySubmissions { nodes { id kind handled feedback } } }";
        self.ask(query).await.data("/mySubmissions/nodes").as_array().expect("a list").clone()
    }

    async fn decide_on(&self, id: &Value, decision: &str, more: Value) -> Answer {
        let mutation =
            "mutation($id: ID!, $d: SubmissionDecision!, $child: ID, $reason: String, $f: SubmissionFeedback) {
            decideSubmission(submissionId: $id, decision: $d, childId: $child, reason: $reason, feedback: $f) {
                submission { id state childId feedback reason } } }";
        let mut variables = json!({ "id": id, "d": decision });
        for (name, value) in more.as_object().into_iter().flatten() {
            variables[name] = value.clone();
        }
        self.ask_with(mutation, variables).await
    }
}

fn dossier(child: &TestChild) -> String {
    child.canaries[&IdentifierKind::DossierNumber.field()].clone()
}

fn about(number: &str, text: &str) -> Value {
    json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": number }, "municipality": "1282", "text": text })
}

/// Led and answered for by Malmö; nobody else has to do with it.
fn malmo() -> Scene {
    Scene { involved: vec![("malmo-soc", "LEAD")], ..Scene::default() }
}

/// An answer without what is random in it.
fn form(answer: &Answer) -> (u16, String, Vec<String>) {
    let mut text = answer.json.clone();
    for kind in ["Concern", "Sighting", "Tip"] {
        if let Some(id) = text.pointer_mut(&format!("/data/submit{kind}/id")) {
            *id = json!(id.as_str().expect("an id").len());
        }
    }
    let random = ["x-request-id", "samverka-receipt", "date"];
    let headers = answer.headers.iter().filter(|(name, _)| !random.contains(&name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    headers.retain(|header| !header.contains("receipt") && !header.contains("ledger"));
    (answer.status.as_u16(), text.to_string(), headers)
}

async fn row_of(hub: &Hub, answer: &Answer) -> Value {
    let id = answer.headers["x-request-id"].to_str().expect("an id");
    let rows = hub.rows(&format!("SELECT record FROM ledger WHERE record LIKE '%{id}%'")).await;
    let record: String = rows[0].try_get_by_index(0).expect("a record");
    let mut record: Value = serde_json::from_str(&record).expect("JSON");
    (record["request"], record["salt"]) = (Value::Null, Value::Null);
    record
}

async fn everyone_gets_the_same_receipt_whether_the_child_is_there_or_not(hub: Hub) {
    let known = hub.child(Scene { involved: everyone(), ..Scene::default() }).await;
    let unknown = hub.child(malmo()).await;
    let protected = hub.child(Scene { protection: "REGISTERED", missing: true, ..malmo() }).await;
    let numbers = [dossier(&known), dossier(&unknown), dossier(&protected), "11-111111".to_owned()];
    for code in GIVERS {
        for kind in ["Concern", "Sighting", "Tip"] {
            let mut forms = Vec::new();
            for number in &numbers {
                let caller = hub.caller(code).purpose("PROTECT");
                let answer = caller.submit(kind, about(number, "Sett vid stationen.")).await;
                answer.data("");
                forms.push((form(&answer), row_of(&hub, &answer).await));
            }
            assert!(forms.windows(2).all(|pair| pair[0] == pair[1]), "{code} {kind}: {forms:?}");
            assert!(!forms[0].1.to_string().contains(&known.subject.to_string()), "the row names no child");
        }
        let given = hub.caller(code).purpose("PROTECT").given().await;
        assert_eq!(given.len(), 12);
        assert!(given.iter().all(|own| own["handled"] == false && own["feedback"].is_null()), "{given:?}");
    }
    // Another agency's receipt is another's.
    let ids = |given: Vec<Value>| given.into_iter().map(|own| own["id"].to_string()).collect::<Vec<_>>();
    let mine = ids(hub.caller("skola").given().await);
    let boards = ids(hub.caller("malmo-soc").inbox().await);
    assert!(mine.iter().all(|id| !boards.contains(id)), "the giver's id means nothing to anyone else");
    let kept = hub.count("submission", "copy_of IS NULL AND child_id IS NULL").await;
    assert_eq!(kept, (GIVERS.len() * 12) as i64, "kept, whether the child is there or not");
    assert_eq!(hub.count("submission", "copy_of IS NOT NULL").await, (GIVERS.len() * 9) as i64);
}

fn everyone() -> Vec<(&'static str, &'static str)> {
    let others = GIVERS.into_iter().filter(|code| !["malmo-soc", "radda-barnen"].contains(code));
    others.map(|code| (code, "INVOLVED")).chain([("malmo-soc", "LEAD")]).collect()
}

async fn those_who_answer_for_the_child_and_the_named_board_read_it(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    hub.caller("radda-barnen").submit("Concern", about(&dossier(&child), "Han är rädd för boendet.")).await.data("");
    let told = hub.caller("malmo-soc").inbox().await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["childId"], &told[0]["by"]["code"]), (&json!(child.id), &json!("radda-barnen")));
    assert_eq!((&told[0]["text"], &told[0]["state"]), (&json!("Han är rädd för boendet."), &json!("OPEN")));
    // The board of the municipality that was named has it, too, and is not told that the child is there.
    let named = hub.caller("landskrona-soc").inbox().await;
    assert_eq!(named.len(), 1);
    assert_eq!((&named[0]["childId"], &named[0]["text"]), (&Value::Null, &told[0]["text"]));
    for code in ["migrationsverket", "skola", "region-skane", "radda-barnen", "lansstyrelsen-skane", "dataskydd"] {
        let answer = hub.caller(code).ask("{ submissions { nodes { text } } }").await;
        assert_eq!(answer.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
    assert!(hub.caller("polisen").inbox().await.is_empty(), "the child is not missing");
    // A look at the inbox is a look at the child.
    let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { operation relation } } } }";
    let log = hub.caller("malmo-soc").ask_with(log, json!({ "id": child.id })).await;
    assert!(log.text.contains("query submissions"), "{}", log.text);
    let events = hub.rows("SELECT kind, agency_id FROM event").await;
    let told: Vec<(String, Option<uuid::Uuid>)> = events
        .iter()
        .map(|row| (row.try_get_by_index(0).expect("a kind"), row.try_get_by_index(1).expect("an id")))
        .collect();
    assert_eq!(
        told,
        [("SUBMISSION_RECEIVED".to_owned(), Some(hub.agency("malmo-soc")))],
        "the board, not Migrationsverket"
    );
}

/// What a board reads of what came to its municipality is the same whether others answer for the child or nobody knows it.
async fn no_inbox_tells_that_others_have_the_child(hub: Hub) {
    let elsewhere = hub.child(malmo()).await;
    for number in [dossier(&elsewhere), "11-111111".to_owned()] {
        hub.caller("landskrona-soc").submit("Tip", about(&number, "Lika.")).await.data("");
        hub.caller("skola").submit("Tip", about(&number, "Lika.")).await.data("");
    }
    let without = |mut node: Value| {
        node["id"] = Value::Null;
        node["identifier"] = Value::Null;
        node.to_string()
    };
    let told: Vec<Value> = hub.caller("landskrona-soc").inbox().await;
    assert_eq!(told.len(), 4);
    let mine = hub.caller("malmo-soc").inbox().await;
    assert_eq!(mine.len(), 2, "those who answer for the child have theirs");
    // Whatever they decide, the others see nothing of it.
    for node in &mine {
        let decided = hub.caller("malmo-soc").decide_on(&node["id"], "CONCERN", json!({})).await;
        assert_eq!(decided.data("/decideSubmission/submission/state"), "CONCERN");
    }
    let after: Vec<String> = hub.caller("landskrona-soc").inbox().await.into_iter().map(without).collect();
    assert_eq!(after, told.into_iter().map(without).collect::<Vec<_>>());
    let mut pairs = after;
    pairs.sort_unstable();
    assert!(pairs[0] == pairs[1] && pairs[2] == pairs[3], "of each giver two, and they are alike: {pairs:?}");
    assert!(pairs.iter().all(|node| node.contains("\"state\":\"OPEN\"")));
}

async fn what_is_wrong_is_refused_whatever_the_record_holds(hub: Hub) {
    let child = hub.child(malmo()).await;
    let skola = hub.caller("skola");
    for (new, refused) in [
        (json!({ "text": "" }), ("INVALID_TEXT", "about.text")),
        (json!({ "text": "å".repeat(4001) }), ("TOO_LONG", "about.text")),
        (json!({ "text": "x", "municipality": "9999" }), ("UNKNOWN_CODE", "about.municipality")),
        (json!({ "text": "x", "seenAt": "2030-01-01T00:00:00Z" }), ("DATE_ORDER", "about.seenAt")),
        (json!({ "text": "x", "birthDate": "2010-02-30" }), ("INVALID_DATE", "about.birthDate")),
        (json!({ "text": "x", "name": "\u{7}" }), ("INVALID_TEXT", "about.name")),
        (
            json!({ "text": "x", "identifier": { "kind": "PERSONAL_NUMBER", "value": "20100101-9808" } }),
            ("CHECK_DIGIT", "about.identifier.value"),
        ),
        (
            json!({ "text": "x", "identifier": { "kind": "DOSSIER_NUMBER", "value": "1" } }),
            ("INVALID_IDENTIFIER", "about.identifier.value"),
        ),
    ] {
        for kind in ["Concern", "Sighting", "Tip"] {
            skola.submit(kind, new.clone()).await.assert_refused(&[refused], &new.to_string());
        }
    }
    // Whoever belongs to no municipality says which board shall look.
    let new = json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": dossier(&child) }, "text": "x" });
    hub.caller("polisen")
        .submit("Tip", new.clone())
        .await
        .assert_refused(&[("REQUIRED", "about.municipality")], "none");
    for code in ["granspolisen", "lansstyrelsen-skane", "dataskydd"] {
        assert_eq!(hub.caller(code).submit("Tip", new.clone()).await.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
    assert_eq!(skola.clone().without_purpose().submit("Tip", new).await.codes(), ["PURPOSE_REQUIRED"]);
    assert_eq!(hub.count("submission", "child_id IS NULL").await, 0);
}

async fn a_board_decides_and_the_giver_learns_what_the_law_allows(hub: Hub) {
    let child = hub.child(malmo()).await;
    let (board, number) = (hub.caller("malmo-soc"), dossier(&child));
    for (code, kind, lawful) in [
        ("skola", "Concern", true),
        ("region-skane", "Concern", true),
        ("skola", "Tip", false),
        ("radda-barnen", "Concern", false),
    ] {
        let giver = hub.caller(code);
        hub.wait(HOUR);
        giver.submit(kind, about(&number, "Oro.")).await.data("");
        let id = board.inbox().await[0]["id"].clone();
        let without = board.decide_on(&id, "DISMISS", json!({})).await;
        without.assert_refused(&[("REQUIRED", "reason")], "a reason is needed");
        let told = json!({ "f": "INQUIRY_OPENED" });
        let answer = board.decide_on(&id, "CONCERN", told).await;
        if lawful {
            assert_eq!(answer.data("/decideSubmission/submission/state"), "CONCERN", "{code}");
        } else {
            answer.assert_refused(&[("INVALID_INPUT", "feedback")], code);
            let reason = json!({ "reason": "Hemligt skäl." });
            assert_eq!(
                board.decide_on(&id, "DISMISS", reason).await.data("/decideSubmission/submission/state"),
                "DISMISSED"
            );
        }
        let own = giver.given().await[0].clone();
        assert_eq!(own["handled"], true);
        assert_eq!(own["feedback"], if lawful { json!("INQUIRY_OPENED") } else { Value::Null }, "{code}");
        let again = board.decide_on(&id, "CONCERN", json!({})).await;
        again.assert_refused(&[("CONFLICT", "submissionId")], "decided once");
        assert_eq!(again.error()["state"], if lawful { "CONCERN" } else { "DISMISSED" });
    }
    assert_eq!(hub.caller("skola").given().await.len(), 2);
}

async fn a_sighting_is_taken_into_the_search(hub: Hub) {
    let (here, missing) = (hub.child(malmo()).await, hub.child(Scene { missing: true, ..malmo() }).await);
    let board = hub.caller("malmo-soc");
    for child in [&here, &missing] {
        let mut new = about(&dossier(child), "Han köpte en biljett.");
        new["place"] = json!("Lund C");
        new["seenAt"] = json!("2026-11-21T10:00:00Z");
        hub.caller("radda-barnen").submit("Sighting", new).await.data("");
    }
    let told = board.inbox().await;
    let id = |child: &TestChild| told.iter().find(|node| node["childId"] == child.id).expect("there")["id"].clone();
    let answer = board.decide_on(&id(&here), "SIGHTING", json!({})).await;
    answer.assert_refused(&[("CONFLICT", "decision")], "the child is not missing");
    assert_eq!((&answer.error()["state"], &answer.error()["next"]), (&json!("NOT_MISSING"), &json!(["reportMissing"])));
    board.decide_on(&id(&missing), "SIGHTING", json!({})).await.data("");
    let rows = hub.rows("SELECT text, place, agency_id FROM sighting WHERE submission_id IS NOT NULL").await;
    assert_eq!(rows.len(), 1);
    let (text, giver): (String, uuid::Uuid) =
        (rows[0].try_get_by_index(0).expect("a text"), rows[0].try_get_by_index(2).expect("an agency"));
    assert_eq!((text.as_str(), giver), ("Han köpte en biljett.", hub.agency("radda-barnen")));
}

async fn a_board_ties_what_was_not_found_to_a_child_it_knows(hub: Hub) {
    let (own, other) = (
        hub.child(malmo()).await,
        hub.child(Scene { involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() }).await,
    );
    let new = json!({ "name": "Amir", "birthDate": "2010-01-01", "description": "Röd jacka", "text": "Sover ute." });
    hub.caller("skola").submit("Concern", new).await.data("");
    let board = hub.caller("malmo-soc");
    let told = board.inbox().await;
    assert_eq!((told.len(), &told[0]["childId"], &told[0]["name"]), (1, &Value::Null, &json!("Amir")));
    let id = &told[0]["id"];
    let foreign = board.decide_on(id, "CONCERN", json!({ "child": other.id })).await;
    assert_eq!(foreign.codes(), ["NOT_FOUND"], "it knows nothing of that child");
    assert_eq!(board.decide_on(id, "SIGHTING", json!({})).await.codes(), ["REQUIRED"]);
    let decided = board.decide_on(id, "CONCERN", json!({ "child": own.id })).await;
    assert_eq!(decided.data("/decideSubmission/submission/childId"), &json!(own.id));
    assert_eq!(board.inbox().await.len(), 1);
}

async fn the_police_read_sightings_of_missing_children_they_know(hub: Hub) {
    let scene =
        |missing| Scene { involved: vec![("malmo-soc", "LEAD"), ("polisen", "INVOLVED")], missing, ..Scene::default() };
    let (missing, here) = (hub.child(scene(true)).await, hub.child(scene(false)).await);
    let stranger = hub.child(Scene { missing: true, ..malmo() }).await;
    for child in [&missing, &here, &stranger] {
        for kind in ["Sighting", "Tip", "Concern"] {
            hub.caller("radda-barnen").submit(kind, about(&dossier(child), kind)).await.data("");
        }
    }
    let told = hub.caller("polisen").inbox().await;
    let mut texts: Vec<&str> = told.iter().map(|node| node["text"].as_str().expect("a text")).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Sighting", "Tip"]);
    assert!(told.iter().all(|node| node["childId"] == missing.id && node["by"].is_null()), "{told:?}");
    let refused = hub.caller("polisen").decide_on(&told[0]["id"], "CONCERN", json!({})).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"], "the board decides");
}

async fn a_sealed_or_ambiguous_number_finds_nobody(hub: Hub) {
    let (sealed, one, two) = (hub.child(malmo()).await, hub.child(malmo()).await, hub.child(malmo()).await);
    hub.sql(&format!("UPDATE child SET state = 'SEALED' WHERE subject = {}", hub.literal(sealed.subject))).await;
    let double = dossier(&one);
    hub.sql(&format!("UPDATE identifier SET value = '{double}' WHERE value = '{}'", dossier(&two))).await;
    for number in [dossier(&sealed), double] {
        hub.caller("skola").submit("Concern", about(&number, "Oro.")).await.data("");
    }
    assert!(hub.caller("malmo-soc").inbox().await.is_empty());
    let named = hub.caller("landskrona-soc").inbox().await;
    assert_eq!(named.len(), 2, "people look at it");
    assert_eq!(hub.count("submission", "copy_of IS NOT NULL").await, 0);
}

/// So many tips of the school, half a day ago.
async fn handed_in(hub: &Hub, many: u128) {
    let skola = hub.agency("skola");
    for n in 0..many {
        let columns = vec![
            ("id", uuid::Uuid::from_u128(n + 1).into()),
            ("kind", "TIP".into()),
            ("at", (hub.now() - DAY / 2).into()),
            ("agency_id", skola.into()),
            ("role", "SCHOOL".into()),
            ("named", json!({}).into()),
            ("text", "x".into()),
            ("state", "OPEN".into()),
            ("matched_at", hub.now().into()),
        ];
        hub.insert("submission", columns).await;
    }
}

async fn so_much_in_a_day_and_no_more(hub: Hub) {
    handed_in(&hub, 500).await;
    let caller = hub.caller("skola");
    let refused = caller.submit("Tip", json!({ "text": "En till." })).await;
    assert_eq!(refused.codes(), ["TOO_MANY_TODAY"]);
    assert!(refused.error()["remedy"].as_str().expect("a remedy").contains("114 14"));
    caller.submit("Sighting", json!({ "text": "Jag ser honom nu." })).await.data("");
    caller.submit("Concern", json!({ "text": "Oro." })).await.data("");
    hub.caller("radda-barnen").submit("Tip", about("11-111111", "Annan.")).await.data("");
    hub.wait(DAY);
    caller.submit("Tip", json!({ "text": "Nästa dag." })).await.data("");
}

async fn strangers_decide_on_nothing(hub: Hub) {
    let child = hub.child(malmo()).await;
    hub.caller("skola").submit("Concern", about(&dossier(&child), "Oro.")).await.data("");
    let id = hub.caller("malmo-soc").inbox().await[0]["id"].clone();
    let never = json!(child.id.replace("child_", "submission_"));
    for code in ["landskrona-soc", "polisen"] {
        let caller = hub.caller(code);
        let answers =
            [caller.decide_on(&id, "CONCERN", json!({})).await, caller.decide_on(&never, "CONCERN", json!({})).await];
        assert_eq!(answers[0].codes(), ["NOT_FOUND"], "{code}");
        assert_eq!(answers[0].text, answers[1].text, "{code}");
    }
    for code in ["skola", "migrationsverket", "dataskydd"] {
        assert_eq!(
            hub.caller(code).decide_on(&id, "CONCERN", json!({})).await.codes(),
            ["OPERATION_FORBIDDEN"],
            "{code}"
        );
    }
    assert_eq!(hub.caller("malmo-soc").decide_on(&json!("x"), "CONCERN", json!({})).await.codes(), ["INVALID_ID"]);
    assert_eq!(hub.caller("malmo-soc").inbox().await[0]["state"], "OPEN");
    // What was given is never taken back by who it is about.
    let field = FieldId::by_path("identifiers.dossierNumbers").expect("a field");
    assert!(child.canaries.contains_key(&field));
}

async fn many_at_once_hand_in_no_more_than_one_after_the_other(hub: Hub) {
    handed_in(&hub, 497).await;
    let caller = hub.caller("skola");
    let mutation = "mutation { submitTip(about: { text: \"En till.\" }) { id } }";
    let answers = hub.send_together((0..10).map(|_| caller.request(json!({ "query": mutation }))).collect()).await;
    let taken = answers.iter().filter(|answer| answer.codes().is_empty()).count();
    let refused = answers.iter().filter(|answer| answer.codes() == ["TOO_MANY_TODAY"]).count();
    assert_eq!((taken, refused), (3, 7), "{:?}", answers.iter().map(Answer::codes).collect::<Vec<_>>());
    assert_eq!(hub.count("submission", "1 = 1").await, 500);
}

async fn what_cannot_be_matched_holds_up_nothing(hub: Hub) {
    let child = hub.child(malmo()).await;
    let first = hub.caller("skola").submit("Tip", about(&dossier(&child), "Den första.")).await;
    first.data("/submitTip/id");
    // Where its copy would go there is something already.
    let taken = "UPDATE submission SET at = at - 1";
    hub.sql(taken).await;
    let id: uuid::Uuid = hub.rows("SELECT id FROM submission").await[0].try_get_by_index(0).expect("an id");
    let copy = uuid::Uuid::from_u128(id.as_u128() ^ 0x0000_c0c0_0000_0000_0000_c0c0_0000_0000);
    let columns = vec![
        ("id", copy.into()),
        ("kind", "TIP".into()),
        ("at", hub.now().into()),
        ("agency_id", hub.agency("radda-barnen").into()),
        ("role", "PARTNER".into()),
        ("named", json!({}).into()),
        ("text", "I vägen.".into()),
        ("state", "OPEN".into()),
        ("matched_at", hub.now().into()),
    ];
    hub.insert("submission", columns).await;
    hub.caller("skola").submit("Tip", about(&dossier(&child), "Den andra.")).await.data("/submitTip/id");
    for _ in 0..2 {
        let inbox = hub.caller("malmo-soc").inbox().await;
        let texts: Vec<&Value> = inbox.iter().map(|node| &node["text"]).collect();
        assert_eq!(texts, ["Den andra."], "the second is there, and the first is tried again");
    }
    // What was in the way is gone: it comes, too.
    hub.sql(&format!("DELETE FROM submission WHERE id = {}", hub.literal(copy))).await;
    assert_eq!(hub.caller("malmo-soc").inbox().await.len(), 2);
}

async fn a_row_that_is_not_understood_is_open_and_hides_no_other(hub: Hub) {
    let skola = hub.caller("skola");
    for text in ["Läsbar.", "Oläsbar."] {
        skola.submit("Concern", json!({ "text": text })).await.data("");
    }
    hub.sql(
        "UPDATE submission SET state = 'LATER', role = 'NOBODY', kind = 'OTHER', named = '[]' WHERE text = 'Oläsbar.'",
    )
    .await;
    let board = hub.caller("malmo-soc");
    let told = board.inbox().await;
    assert_eq!(told.len(), 2, "{told:?}");
    let strange = told.iter().find(|node| node["text"] == "Oläsbar.").expect("there");
    assert_eq!((&strange["state"], &strange["kind"]), (&json!("OPEN"), &json!("CONCERN")));
    let open = board.ask("{ submissions(state: OPEN) { nodes { text } } }").await;
    assert_eq!(open.data("/submissions/nodes").as_array().expect("a list").len(), 2);
    // It can be decided on, as any other.
    let decided = board.decide_on(&strange["id"], "CONCERN", json!({})).await;
    assert_eq!(decided.data("/decideSubmission/submission/state"), "CONCERN");
    assert_eq!(skola.given().await.len(), 1, "what was handed in by a role that is not understood is nobody's own");
}

async fn a_board_learns_of_what_it_gave_no_more_than_its_inbox_tells(hub: Hub) {
    let elsewhere = hub.child(Scene { involved: vec![("landskrona-soc", "LEAD")], ..Scene::default() }).await;
    let (giver, lead) = (hub.caller("malmo-soc"), hub.caller("landskrona-soc"));
    for number in [dossier(&elsewhere), "11-111111".to_owned()] {
        let mut new = about(&number, "Oro.");
        new["municipality"] = json!("1280");
        giver.submit("Concern", new).await.data("");
    }
    let told = lead.inbox().await;
    assert_eq!(told.len(), 1);
    let feedback = json!({ "f": "INQUIRY_OPENED" });
    lead.decide_on(&told[0]["id"], "CONCERN", feedback.clone()).await.data("/decideSubmission/submission");
    let own = giver.inbox().await;
    assert!(own.iter().all(|node| node["state"] == "OPEN" && node["childId"].is_null()), "{own:?}");
    for receipt in giver.given().await {
        assert_eq!((&receipt["handled"], &receipt["feedback"]), (&json!(false), &Value::Null), "{receipt}");
    }
    // What it decides itself is what it is told.
    for node in &own {
        giver.decide_on(&node["id"], "CONCERN", feedback.clone()).await.data("/decideSubmission/submission");
    }
    assert!(giver.given().await.iter().all(|receipt| receipt["handled"] == true));
}

/// Whatever is handed in, wherever and about whomever: somebody has it, and whoever names a number is heard by those who
/// answer for the child as well.
async fn whatever_is_acknowledged_is_in_somebodys_inbox(hub: Hub) {
    let asylum = hub.child(Scene { involved: vec![("migrationsverket", "LEAD")], ..Scene::default() }).await;
    let missing = hub.child(Scene { missing: true, ..malmo() }).await;
    let sealed = hub.child(malmo()).await;
    hub.sql(&format!("UPDATE child SET state = 'SEALED' WHERE subject = {}", hub.literal(sealed.subject))).await;
    let number = |child: &TestChild| json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": dossier(child) } });
    let whoms = [
        json!({ "name": "Ali" }),
        json!({ "name": "Amir", "birthDate": "2010-01-01" }),
        number(&asylum),
        number(&missing),
        number(&sealed),
        json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": "11-111111" } }),
        json!({}),
    ];
    let mut given = Vec::new();
    for municipality in ["1280", "1282", "1283", "0180", "2584"] {
        for (nth, whom) in whoms.iter().enumerate() {
            for kind in ["Concern", "Sighting"] {
                let mut new = whom.clone();
                let text = format!("{kind} {nth} i {municipality}");
                new["municipality"] = json!(municipality);
                new["text"] = json!(text);
                hub.caller("radda-barnen").submit(kind, new).await.data("");
                given.push(text);
            }
        }
    }
    let mut read = std::collections::BTreeSet::new();
    for code in ["malmo-soc", "landskrona-soc", "socialjour", "polisen"] {
        read.extend(hub.caller(code).inbox().await.into_iter().map(|node| node["text"].to_string()));
    }
    let lost: Vec<&String> = given.iter().filter(|text| !read.contains(&json!(text).to_string())).collect();
    assert!(lost.is_empty(), "in nobody's inbox: {lost:?}");
}

async fn the_police_take_what_came_where_no_board_is(hub: Hub) {
    let asylum = hub.child(Scene { involved: vec![("migrationsverket", "LEAD")], ..Scene::default() }).await;
    for (municipality, number) in [("0180", dossier(&asylum)), ("0180", "11-111111".to_owned())] {
        let mut new = about(&number, "Sover i trapphuset.");
        new["municipality"] = json!(municipality);
        hub.caller("region-skane").submit("Concern", new).await.data("");
    }
    let police = hub.caller("polisen");
    let told = police.inbox().await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|node| node["childId"].is_null() && node["by"].is_null()), "{told:?}");
    assert!(hub.caller("malmo-soc").inbox().await.is_empty(), "it is another county");
    let reason = json!({ "reason": "Lämnat till socialtjänsten i Stockholm." });
    let decided = police.decide_on(&told[0]["id"], "DISMISS", reason).await;
    assert_eq!(decided.data("/decideSubmission/submission/state"), "DISMISSED");
    // Where there is a board the police have nothing of it.
    hub.caller("skola").submit("Concern", json!({ "text": "I Malmö." })).await.data("");
    assert_eq!(police.inbox().await.len(), 2);
    // The worry waits for the first board that answers for the child.
    hub.involve(asylum.uuid, "malmo-soc", "RESPONSIBLE", None).await;
    let told = hub.caller("malmo-soc").inbox().await;
    let own: Vec<&Value> = told.iter().filter(|node| node["childId"] == asylum.id).collect();
    assert_eq!((own.len(), &own[0]["state"]), (1, &json!("OPEN")), "{told:?}");
}

async fn a_number_that_comes_into_the_record_later_is_found(hub: Hub) {
    let led = hub.child(malmo()).await;
    let (new, added) = ("99-999999/9", "98-888888/8");
    for number in [new, added] {
        let mut about = about("11-111111", "Jag såg honom.");
        about["identifier"] = json!({ "kind": "LMA_CARD", "value": number });
        hub.caller("skola").submit("Sighting", about).await.data("");
    }
    let board = hub.caller("malmo-soc");
    assert!(board.inbox().await.is_empty());
    // The desk of the municipality has decided already: that is nothing to those who answer for the child.
    let desk = hub.caller("landskrona-soc");
    for node in desk.inbox().await {
        desk.decide_on(&node["id"], "DISMISS", json!({ "reason": "Okänd." })).await.data("/decideSubmission");
    }
    let register = format!(
        "mutation {{ registerChild(input: {{ identity: {{ givenNames: \"Amir\" }},
            identifiers: [{{ kind: LMA_CARD, value: \"{new}\" }}] }}) {{ child {{ id }} }} }}"
    );
    let migration = hub.caller("migrationsverket");
    let registered = migration.ask(&register).await.data("/registerChild/child/id").clone();
    hub.involve(led.uuid, "migrationsverket", "INVOLVED", None).await;
    let add = "mutation($id: ID!, $number: IdentifierInput!) { addIdentifier(childId: $id, identifier: $number) {
        child { id } } }";
    let number = json!({ "kind": "LMA_CARD", "value": added });
    migration.ask_with(add, json!({ "id": led.id, "number": number })).await.data("/addIdentifier");
    hub.wait(HOUR);
    for _ in 0..2 {
        let told = board.inbox().await;
        assert_eq!(told.len(), 1, "once: {told:?}");
        assert_eq!((&told[0]["childId"], &told[0]["state"]), (&json!(led.id), &json!("OPEN")));
        assert_eq!(told[0]["identifier"]["value"], added);
        hub.wait(HOUR);
    }
    let copies = hub.count("submission", "copy_of IS NOT NULL AND child_id IS NOT NULL").await;
    assert_eq!(copies, 2, "the one of {registered} waits for a board");
}

async fn a_number_that_has_ended_finds_nobody(hub: Hub) {
    let (before, now) = (hub.child(malmo()).await, hub.child(malmo()).await);
    let number = dossier(&now);
    let ended = chrono::NaiveDate::from_ymd_opt(2026, 10, 22).expect("a day");
    let old = format!("UPDATE identifier SET valid_to = '{ended}'");
    hub.sql(&format!("{old} WHERE value = '{}'", dossier(&before))).await;
    hub.caller("skola").submit("Concern", about(&dossier(&before), "Gammalt nummer.")).await.data("");
    let board = hub.caller("malmo-soc");
    assert!(board.inbox().await.is_empty(), "it is nobody's now");
    // Given to another child, it is that child's alone.
    hub.sql(&format!("UPDATE identifier SET value = '{number}' WHERE value = '{}'", dossier(&before))).await;
    hub.caller("skola").submit("Concern", about(&number, "Nytt nummer.")).await.data("");
    let told = board.inbox().await;
    assert_eq!((told.len(), &told[0]["childId"]), (1, &json!(now.id)), "{told:?}");
}
