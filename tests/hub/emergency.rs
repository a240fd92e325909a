//! Emergency access: what it opens, for whom and how long; who is told; and that it is reviewed.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild, everything};
use samverka_domain::catalogue::IdentifierKind;
use serde_json::{Value, json};

both! {
    an_emergency_opens_what_the_policy_says_for_half_an_hour
    it_is_for_the_role_and_the_human_who_opened_it
    it_never_opens_what_it_must_not
    who_may_open_and_by_which_words
    an_unknown_number_is_not_found_and_counted
    the_lead_and_data_protection_are_told_at_once
    the_review_tells_who_when_why_and_what
    what_is_not_reviewed_in_time_blocks_the_next
    nobody_opens_too_often
    many_at_once_open_no_more_than_one_after_the_other
}

const MINUTE: i64 = 60_000_000;
const REASON: &str = "Barnet ligger medvetslöst på akuten.";

impl Caller<'_> {
    pub async fn break_glass(&self, named: Value) -> Answer {
        let mutation = "mutation($childId: ID, $identifier: NumberInput, $reason: String!) {
            breakGlass(childId: $childId, identifier: $identifier, reason: $reason) { id childId until reviewBy } }";
        let mut variables = named;
        if variables["reason"].is_null() {
            variables["reason"] = json!(REASON);
        }
        self.ask_with(mutation, variables).await
    }

    pub async fn opened(&self, child: &str) -> Value {
        self.break_glass(json!({ "childId": child })).await.data("/breakGlass").clone()
    }

    async fn reviews(&self) -> Vec<Value> {
        let query =
            "{ breakGlassReviews { nodes { id childId agency { code } role user purpose reason at until reviewBy shown
            verdict comment reviewedAt } } }";
        self.ask(query).await.data("/breakGlassReviews/nodes").as_array().expect("a list").clone()
    }

    async fn review(&self, id: &Value) -> Answer {
        let mutation =
            "mutation($id: ID!) { reviewBreakGlass(breakGlassId: $id, verdict: UNJUSTIFIED, comment: \"Ingen fara.\") {
            review { id verdict comment shown } } }";
        self.ask_with(mutation, json!({ "id": id })).await
    }

    async fn looks_at(&self, child: &str) -> Answer {
        self.ask_with(&format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything()), json!({ "id": child }))
            .await
    }
}

fn dossier(child: &TestChild) -> Value {
    json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": child.canaries[&IdentifierKind::DossierNumber.field()] } })
}

fn groups(child: &TestChild, answer: &Answer) -> Vec<&'static str> {
    let shown = child.canaries.iter().filter(|(_, canary)| answer.text.contains(canary.as_str()));
    let mut groups: Vec<&str> = shown.map(|(id, _)| id.field().group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

async fn an_emergency_opens_what_the_policy_says_for_half_an_hour(hub: Hub) {
    let other = hub.beside().await;
    let child = hub.child(Scene::default()).await;
    for (code, expected) in [
        ("region-skane", vec!["identity"]),
        ("socialjour", vec!["healthCritical", "identity", "placementAddress", "placementType", "placementUnit"]),
        (
            "polisen",
            vec![
                "aliases",
                "childContact",
                "description",
                "healthCritical",
                "identity",
                "network",
                "photo",
                "placementAddress",
                "placementType",
                "placementUnit",
            ],
        ),
    ] {
        let caller = hub.caller(code);
        assert_eq!(caller.looks_at(&child.id).await.codes(), ["NOT_FOUND"], "{code}");
        let opened = caller.break_glass(dossier(&child)).await;
        assert_eq!(opened.data("/breakGlass/childId"), &json!(child.id));
        assert_eq!(opened.data("/breakGlass/until"), "2026-11-21T12:30:00.000000Z", "{code}");
        for node in [&hub, &other] {
            assert_eq!(groups(&child, &node.caller(code).looks_at(&child.id).await), expected, "{code}");
        }
        hub.wait(30 * MINUTE - 1);
        assert_eq!(groups(&child, &caller.looks_at(&child.id).await), expected, "{code}");
        hub.wait(1);
        for node in [&hub, &other] {
            assert_eq!(node.caller(code).looks_at(&child.id).await.codes(), ["NOT_FOUND"], "{code}: it is over");
        }
        hub.wait(-30 * MINUTE);
    }
    // Lists and searches never rest on it.
    hub.caller("polisen").opened(&child.id).await;
    assert_eq!(hub.caller("polisen").ask("{ children { nodes { id } } }").await.data("/children/nodes"), &json!([]));
}

async fn it_is_for_the_role_and_the_human_who_opened_it(hub: Hub) {
    let (child, another) = (hub.child(Scene::default()).await, hub.child(Scene::default()).await);
    let nurse = hub.caller("region-skane").header("samverka-user", "anna");
    nurse.opened(&child.id).await;
    nurse.looks_at(&child.id).await.data("");
    assert_eq!(nurse.looks_at(&another.id).await.codes(), ["NOT_FOUND"], "another child");
    for caller in [
        hub.caller("region-skane"),
        hub.caller("region-skane").header("samverka-user", "bertil"),
        hub.caller("polisen"),
        hub.caller("socialjour"),
    ] {
        assert_eq!(caller.looks_at(&child.id).await.codes(), ["NOT_FOUND"], "{}", caller.persona);
    }
    // Where no human is named it is the role's.
    hub.caller("polisen").opened(&child.id).await;
    hub.caller("polisen").header("samverka-user", "cesar").looks_at(&child.id).await.data("");
    hub.caller("granspolisen")
        .purpose("PROTECT")
        .looks_at(&child.id)
        .await
        .assert_refused(&[("NOT_FOUND", "")], "border");
}

async fn it_never_opens_what_it_must_not(hub: Hub) {
    for level in ["NONE", "MARKED", "LOCAL", "REGISTERED"] {
        let child = hub.child(Scene { protection: level, ..Scene::default() }).await;
        for code in ["polisen", "socialjour", "region-skane"] {
            let caller = hub.caller(code);
            caller.opened(&child.id).await;
            let seen = caller.looks_at(&child.id).await;
            let shown = groups(&child, &seen);
            for never in ["return", "exploitation", "protection", "school", "riskIndicators"] {
                assert!(!shown.contains(&never), "{code} {level}: {never}");
            }
            if level == "REGISTERED" {
                assert!(!seen.text.contains("Kanariestreet"), "{code}");
            }
            assert!(!seen.text.contains("\"protected\":true"), "{code}: the matrix keeps the warning from emergencies");
        }
        hub.wait(DAY);
        hub.sql("UPDATE break_glass SET reviewed_at = 1").await;
    }
}

async fn who_may_open_and_by_which_words(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    for code in
        ["migrationsverket", "granspolisen", "malmo-soc", "malmo-overformyndare", "skola", "hvb-malmo", "radda-barnen"]
    {
        let answer = hub.caller(code).break_glass(json!({ "childId": child.id })).await;
        assert_eq!(answer.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
    let region = hub.caller("region-skane");
    for (named, refused) in [
        (json!({ "childId": child.id, "reason": "Bråttom." }), ("INVALID_FORMAT", "reason")),
        (json!({ "childId": child.id, "reason": "å".repeat(1001) }), ("TOO_LONG", "reason")),
        (json!({ "childId": child.id, "reason": "" }), ("INVALID_TEXT", "reason")),
        (json!({ "childId": "nonsense" }), ("INVALID_ID", "childId")),
        (json!({}), ("REQUIRED", "childId")),
        (
            json!({ "identifier": { "kind": "PERSONAL_NUMBER", "value": "20100101-9808" } }),
            ("CHECK_DIGIT", "identifier.value"),
        ),
    ] {
        region.break_glass(named.clone()).await.assert_refused(&[refused], &named.to_string());
    }
    let both = json!({ "childId": child.id, "identifier": dossier(&child)["identifier"] });
    region.break_glass(both).await.assert_refused(&[("INVALID_INPUT", "identifier")], "both");
    assert_eq!(hub.count("break_glass", "1 = 1").await, 0);
}

async fn an_unknown_number_is_not_found_and_counted(hub: Hub) {
    let sealed = hub.child(Scene::default()).await;
    hub.sql(&format!("UPDATE child SET state = 'SEALED' WHERE subject = {}", hub.literal(sealed.subject))).await;
    let polisen = hub.caller("polisen").header("samverka-user", "cesar");
    let unknown = json!({ "identifier": { "kind": "DOSSIER_NUMBER", "value": "11-111111" } });
    let (one, other) = (polisen.break_glass(unknown.clone()).await, polisen.break_glass(dossier(&sealed)).await);
    assert_eq!((one.codes(), &one.text), (vec!["NOT_FOUND"], &other.text));
    assert_eq!(hub.count("break_glass", "child_id IS NULL").await, 2);
    let rows =
        hub.rows("SELECT record FROM ledger WHERE record LIKE '%breakGlass%' AND record LIKE '%NOT_FOUND%'").await;
    assert_eq!(rows.len(), 2, "each try has its row");
    for _ in 0..3 {
        polisen.break_glass(unknown.clone()).await;
    }
    assert_eq!(polisen.break_glass(unknown).await.codes(), ["TOO_MANY_TODAY"], "numbers are not tried out");
}

async fn the_lead_and_data_protection_are_told_at_once(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    hub.caller("socialjour").opened(&child.id).await;
    let rows = hub.rows("SELECT agency_id, other_agency_id FROM event WHERE kind = 'BREAK_GLASS_OPENED'").await;
    let told = |row: &sea_orm::QueryResult| [0, 1].map(|place| row.try_get_by_index(place).expect("an agency"));
    let told: Vec<[uuid::Uuid; 2]> = rows.iter().map(told).collect();
    assert_eq!(told, [[hub.agency("migrationsverket"), hub.agency("dataskydd")]]);
    assert_eq!(hub.count("deadline", "about = 'BREAK_GLASS' AND step = 'REVIEW' AND cancelled_at IS NULL").await, 1);
    let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { operation } } } }";
    let log = hub.caller("dataskydd").ask_with(log, json!({ "id": child.id })).await;
    assert!(log.text.contains("breakGlass"), "{}", log.text);
}

async fn the_review_tells_who_when_why_and_what(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let nurse = hub.caller("region-skane").header("samverka-user", "anna");
    nurse.opened(&child.id).await;
    let look = "query($id: ID!) { child(id: $id) { identity { givenNames } health { criticalNeeds } } }";
    nurse.ask_with(look, json!({ "id": child.id })).await.data("");
    hub.wait(HOUR);
    let officer = hub.caller("dataskydd");
    let told = officer.reviews().await;
    assert_eq!(told.len(), 1);
    let told = &told[0];
    assert_eq!(
        (&told["agency"]["code"], &told["role"], &told["user"]),
        (&json!("region-skane"), &json!("HEALTH"), &json!("anna"))
    );
    assert_eq!((&told["reason"], &told["childId"], &told["verdict"]), (&json!(REASON), &json!(child.id), &Value::Null));
    // 21 November 2026 is a Saturday: Monday, Tuesday, Wednesday.
    assert_eq!(told["reviewBy"], "2026-11-26T00:00:00.000000Z");
    let shown = told["shown"].as_array().expect("a list");
    assert!(
        shown.contains(&json!("identity.givenNames")) && !shown.contains(&json!("health.criticalNeeds")),
        "{shown:?}"
    );
    for code in ["region-skane", "malmo-soc", "polisen"] {
        let answer = hub.caller(code).ask("{ breakGlassReviews { nodes { id } } }").await;
        assert_eq!(answer.codes(), ["OPERATION_FORBIDDEN"], "{code}");
        assert_eq!(hub.caller(code).review(&told["id"]).await.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
    let done = officer.review(&told["id"]).await;
    assert_eq!(done.data("/reviewBreakGlass/review/verdict"), "UNJUSTIFIED");
    assert_eq!(hub.count("deadline", "cancelled_at IS NOT NULL").await, 1);
    let again = officer.review(&told["id"]).await;
    again.assert_refused(&[("CONFLICT", "breakGlassId")], "reviewed once");
    assert_eq!(again.error()["state"], "UNJUSTIFIED");
    let never = json!(child.id.replace("child_", "breakglass_"));
    assert_eq!(officer.review(&never).await.codes(), ["NOT_FOUND"]);
}

async fn what_is_not_reviewed_in_time_blocks_the_next(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let id = hub.caller("region-skane").opened(&child.id).await["id"].clone();
    // Until the end of Wednesday.
    hub.wait(4 * DAY + 12 * HOUR - 1);
    hub.caller("region-skane").opened(&child.id).await;
    hub.wait(1);
    let refused = hub.caller("region-skane").break_glass(json!({ "childId": child.id })).await;
    assert_eq!(refused.codes(), ["REVIEW_PENDING"]);
    assert!(refused.error()["remedy"].as_str().expect("a remedy").contains("112"));
    hub.caller("polisen").opened(&child.id).await;
    hub.caller("dataskydd").review(&id).await.data("");
    hub.caller("region-skane").opened(&child.id).await;
}

async fn nobody_opens_too_often(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let of = |user: &'static str| hub.caller("polisen").header("samverka-user", user);
    for _ in 0..5 {
        of("cesar").opened(&child.id).await;
    }
    assert_eq!(of("cesar").break_glass(json!({ "childId": child.id })).await.codes(), ["TOO_MANY_TODAY"]);
    of("david").opened(&child.id).await;
    hub.wait(DAY);
    of("cesar").opened(&child.id).await;
}

/// The answers by their code; none where there is no error.
fn tally(answers: &[Answer]) -> (usize, usize) {
    let refused = answers.iter().filter(|answer| answer.codes() == ["TOO_MANY_TODAY"]).count();
    (answers.iter().filter(|answer| answer.codes().is_empty()).count(), refused)
}

async fn many_at_once_open_no_more_than_one_after_the_other(hub: Hub) {
    let children = hub.children(12, &Scene::default()).await;
    let caller = hub.caller("polisen").header("samverka-user", "cesar");
    let mutation = "mutation($id: ID!, $reason: String!) { breakGlass(childId: $id, reason: $reason) { id } }";
    let open = |child: &TestChild| {
        caller.request(json!({ "query": mutation, "variables": { "id": child.id, "reason": REASON } }))
    };
    let answers = hub.send_together(children.iter().map(open).collect()).await;
    assert_eq!(tally(&answers), (5, 7), "{:?}", answers.iter().map(Answer::codes).collect::<Vec<_>>());
    assert_eq!(hub.count("break_glass", "1 = 1").await, 5);
    // What finds nothing counts as well.
    hub.wait(DAY);
    let nobody = "child_00000000000000000000000000";
    let miss = || caller.request(json!({ "query": mutation, "variables": { "id": nobody, "reason": REASON } }));
    let answers = hub.send_together((0..12).map(|_| miss()).collect()).await;
    assert_eq!(tally(&answers), (0, 7), "{:?}", answers.iter().map(Answer::codes).collect::<Vec<_>>());
    assert_eq!(hub.count("break_glass", "child_id IS NULL").await, 5);
}
