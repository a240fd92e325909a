//! Consents and blocks: a partner reads what a live consent names and nothing else; a suspected party loses everything at
//! once; on every node from the next answer on.

use crate::both;
use crate::harness::{Answer, Caller, DAY, HOUR, Hub, Scene, TestChild, everything};
use serde_json::{Value, json};

both! {
    a_partner_reads_what_is_consented_and_nothing_else
    a_consent_is_checked_whole
    those_who_may_give_a_consent_and_those_who_may_not
    who_cannot_give_a_consent_gives_none
    a_withdrawn_consent_opens_nothing_on_any_node
    a_consent_is_for_its_purpose_and_ends_with_its_day
    a_partner_sees_its_own_consents
    a_blocked_home_loses_everything_at_once_on_every_node
    a_blocked_party_cannot_tell
    whoever_answers_for_the_child_is_not_blocked
    whoever_must_hear_an_alarm_is_not_blocked
    a_block_voids_consents_while_it_lasts
    strangers_get_the_same_answer_as_for_what_never_was
}

impl Caller<'_> {
    pub fn new_consent(&self, partner: &str, groups: &[&str]) -> Value {
        json!({ "partnerId": self.hub().agency_id(partner), "groups": groups, "purpose": "PROTECT",
            "givenBy": "CHILD_AND_GUARDIAN", "giver": "Amir och god man Eva", "until": "2026-12-24" })
    }

    pub async fn grant(&self, child: &str, new: Value) -> Answer {
        let mutation = "mutation($id: ID!, $new: ConsentInput!) { grantConsent(childId: $id, consent: $new) {
            consent { id childId partner { code } groups fields purpose givenBy giver from until state } inForceAt } }";
        self.ask_with(mutation, json!({ "id": child, "new": new })).await
    }

    pub async fn granted(&self, child: &str, partner: &str, groups: &[&str]) -> Value {
        let answer = self.grant(child, self.new_consent(partner, groups)).await;
        answer.data("/grantConsent/consent/id").clone()
    }

    async fn revoke(&self, consent: &Value) -> Answer {
        let mutation = "mutation($id: ID!) { revokeConsent(consentId: $id) { consent { state } inForceAt } }";
        self.ask_with(mutation, json!({ "id": consent })).await
    }

    async fn consents(&self) -> Answer {
        self.ask("{ myConsents { id childId partner { code } groups fields purpose givenBy giver until state } }").await
    }

    pub async fn block(&self, child: &str, agency: &str) -> Answer {
        let mutation = "mutation($id: ID!, $agency: ID!) { blockParty(childId: $id, agencyId: $agency,
            reason: \"Misstänkt för brott mot barnet.\") { block { id agency { code } reason liftedAt } inForceAt } }";
        self.ask_with(mutation, json!({ "id": child, "agency": self.hub().agency_id(agency) })).await
    }

    pub async fn blocked(&self, child: &str, agency: &str) -> Value {
        self.block(child, agency).await.data("/blockParty/block/id").clone()
    }

    async fn unblock(&self, block: &Value) -> Answer {
        let mutation = "mutation($id: ID!) { unblockParty(blockId: $id) { block { liftedAt } } }";
        self.ask_with(mutation, json!({ "id": block })).await
    }

    async fn looks(&self, child: &str) -> Answer {
        self.ask_with(&format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything()), json!({ "id": child }))
            .await
    }
}

/// Everything of a child, whoever asks.
fn whole(child: &str) -> (String, Value) {
    let query = "query($id: ID!) { child(id: $id) { id identity { givenNames } voice { wishes } description { marks }
        placement { street } schooling { schoolName } } }";
    (query.to_owned(), json!({ "id": child }))
}

async fn look(hub: &Hub, code: &str, child: &str) -> Answer {
    let (query, variables) = whole(child);
    hub.caller(code).ask_with(&query, variables).await
}

fn with_home() -> Scene {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("malmo-overformyndare", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
    ];
    Scene { involved, home: Some("hvb-malmo"), ..Scene::default() }
}

/// The ids under which a partner finds the children it may know.
async fn found(hub: &Hub, code: &str) -> Vec<String> {
    let answer = hub.caller(code).ask("{ children(first: 50) { nodes { id } } }").await;
    let nodes = answer.data("/children/nodes").as_array().expect("a list").clone();
    nodes.into_iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
}

fn canaries<'c>(child: &'c TestChild, answer: &Answer) -> Vec<&'c str> {
    let shown = child.canaries.iter().filter(|(_, canary)| answer.text.contains(canary.as_str()));
    let mut groups: Vec<&str> = shown.map(|(id, _)| id.field().group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

async fn a_partner_reads_what_is_consented_and_nothing_else(hub: Hub) {
    let child = hub.child(Scene { missing: true, ..with_home() }).await;
    assert!(found(&hub, "radda-barnen").await.is_empty());
    let answer = hub
        .caller("malmo-soc")
        .grant(&child.id, hub.caller("malmo-soc").new_consent("radda-barnen", &["voice", "description"]))
        .await;
    let consent = answer.data("/grantConsent/consent");
    assert_eq!((&consent["partner"]["code"], &consent["state"]), (&json!("radda-barnen"), &json!("LIVE")));
    assert_eq!(
        (&consent["giver"], &consent["until"]),
        (&json!("Amir och god man Eva"), &json!("2026-12-25T00:00:00.000000Z"))
    );
    assert!(answer.data("/grantConsent/inForceAt").is_string());
    let ids = found(&hub, "radda-barnen").await;
    assert_eq!(ids.len(), 1);
    assert_ne!(ids[0], child.id, "an id of its own");
    let seen = hub.caller("radda-barnen").looks(&ids[0]).await;
    assert_eq!(canaries(&child, &seen), ["description", "voice"]);
    assert!(found(&hub, "stadsmissionen").await.is_empty(), "another partner reads nothing");
    let elsewhere = hub.caller("stadsmissionen").looks(&ids[0]).await;
    assert_eq!(elsewhere.codes(), ["NOT_FOUND"]);
}

async fn a_consent_is_checked_whole(hub: Hub) {
    let child = hub.child(with_home()).await;
    let board = hub.caller("malmo-soc");
    let good = board.new_consent("radda-barnen", &["voice"]);
    for (part, value, refused) in [
        ("partnerId", json!("x"), ("INVALID_ID", "partnerId")),
        ("partnerId", json!(hub.agency_id("hvb-malmo")), ("AGENCY_KIND", "partnerId")),
        ("partnerId", json!(child.id.replace("child_", "agency_")), ("UNKNOWN_AGENCY", "partnerId")),
        ("groups", json!([]), ("REQUIRED", "groups")),
        ("groups", json!(["voice", "healthCritical"]), ("UNKNOWN_CODE", "groups")),
        ("groups", json!(["exploitation"]), ("UNKNOWN_CODE", "groups")),
        ("groups", json!(["nonsense"]), ("UNKNOWN_CODE", "groups")),
        ("purpose", json!("RETURN"), ("INVALID_INPUT", "purpose")),
        ("giver", json!(""), ("INVALID_TEXT", "giver")),
        ("giver", json!("å".repeat(201)), ("TOO_LONG", "giver")),
        ("until", json!("2026-11-20"), ("DATE_ORDER", "until")),
        ("until", json!("2027-11-22"), ("DATE_ORDER", "until")),
        ("until", json!("2026-02-30"), ("INVALID_DATE", "until")),
    ] {
        let mut new = good.clone();
        new[part] = value;
        board.grant(&child.id, new.clone()).await.assert_refused(&[refused], &new.to_string());
    }
    assert_eq!(hub.count("consent", "recorded_by IS NOT NULL").await, 0);
    let mut longest = good;
    longest["until"] = json!("2027-11-21");
    board.grant(&child.id, longest).await.data("");
}

async fn those_who_may_give_a_consent_and_those_who_may_not(hub: Hub) {
    let mut scene = with_home();
    scene.involved.extend([("polisen", "INVOLVED"), ("skola", "INVOLVED"), ("region-skane", "INVOLVED")]);
    scene.involved.extend([("landskrona-soc", "INVOLVED"), ("socialjour", "INVOLVED")]);
    let child = hub.child(scene).await;
    for (code, may) in [
        ("malmo-soc", true),
        ("malmo-overformyndare", true),
        ("migrationsverket", false),
        ("polisen", false),
        ("skola", false),
        ("region-skane", false),
        ("landskrona-soc", false),
        ("hvb-malmo", false),
    ] {
        let caller = hub.caller(code);
        let answer = caller.grant(&child.id, caller.new_consent("radda-barnen", &["voice"])).await;
        if may {
            let id = answer.data("/grantConsent/consent/id");
            assert_eq!(caller.revoke(id).await.data("/revokeConsent/consent/state"), "REVOKED", "{code}");
        } else {
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{code}");
            assert!(answer.error()["rule"].is_string());
        }
    }
    let stranger = hub.caller("stadsmissionen");
    assert_eq!(
        stranger.grant(&child.id, stranger.new_consent("radda-barnen", &["voice"])).await.codes(),
        ["NOT_FOUND"]
    );
    assert_eq!(hub.count("consent", "withdrawn_at IS NULL AND recorded_by IS NOT NULL").await, 0);
}

async fn who_cannot_give_a_consent_gives_none(hub: Hub) {
    let child = hub.child(with_home()).await;
    let board = hub.caller("malmo-soc");
    let of = |giver: &str| {
        let mut new = board.new_consent("radda-barnen", &["voice"]);
        new["givenBy"] = json!(giver);
        new
    };
    let born = async |day: &str| hub.sql(&format!("UPDATE identity SET birth_date = {day}")).await;
    let guardian = async |set: &str| hub.sql(&format!("UPDATE guardianship SET {set}")).await;
    for (day, may) in [("'2022-05-01'", false), ("'2011-11-22'", false), ("NULL", false), ("'2011-11-21'", true)] {
        born(day).await;
        let answer = board.grant(&child.id, of("CHILD")).await;
        if may {
            answer.data("/grantConsent/consent");
        } else {
            answer.assert_refused(&[("CONFLICT", "givenBy")], day);
            let error = answer.error();
            assert_eq!((&error["state"], &error["next"]), (&json!("TOO_YOUNG_ALONE"), &json!(["grantConsent"])));
            assert!(error["expected"].as_str().expect("what is needed").contains("CHILD_AND_GUARDIAN"));
        }
    }
    for (set, may) in [
        ("guardian_name = NULL", false),
        ("guardian_name = 'Eva', valid_from = NULL, valid_to = '2026-11-20'", false),
        ("valid_from = '2026-11-22', valid_to = NULL", false),
        ("valid_from = '2026-11-21', valid_to = '2026-11-21'", true),
    ] {
        guardian(set).await;
        for giver in ["GUARDIAN", "CHILD_AND_GUARDIAN"] {
            let answer = board.grant(&child.id, of(giver)).await;
            if may {
                answer.data("/grantConsent/consent");
            } else {
                answer.assert_refused(&[("CONFLICT", "givenBy")], set);
                assert_eq!(answer.error()["state"], "NO_GUARDIAN");
            }
        }
    }
    assert_eq!(hub.count("consent", "recorded_by IS NOT NULL").await, 3);
}

async fn a_withdrawn_consent_opens_nothing_on_any_node(hub: Hub) {
    let other = hub.beside().await;
    let child = hub.child(with_home()).await;
    let consent = hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice", "identity"]).await;
    let id = found(&other, "radda-barnen").await.remove(0);
    for node in [&hub, &other, &other] {
        assert!(look(node, "radda-barnen", &id).await.text.contains("Kanariewishes"));
    }
    let answer = hub.caller("malmo-overformyndare").revoke(&consent).await;
    assert_eq!(answer.data("/revokeConsent/consent/state"), "REVOKED");
    for node in [&other, &hub] {
        assert_eq!(look(node, "radda-barnen", &id).await.codes(), ["NOT_FOUND"]);
        assert!(found(node, "radda-barnen").await.is_empty());
        assert_eq!(node.caller("radda-barnen").consents().await.data("/myConsents"), &json!([]));
    }
    let again = hub.caller("malmo-soc").revoke(&consent).await;
    again.assert_refused(&[("CONFLICT", "consentId")], "it is revoked");
    assert_eq!(again.error()["state"], "REVOKED");
}

async fn a_consent_is_for_its_purpose_and_ends_with_its_day(hub: Hub) {
    let child = hub.child(with_home()).await;
    hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    let id = found(&hub, "radda-barnen").await.remove(0);
    let (query, variables) = whole(&id);
    let caller = hub.caller("radda-barnen").purpose("SEARCH");
    assert_eq!(caller.ask_with(&query, variables.clone()).await.codes(), ["NOT_FOUND"], "it is to protect");
    assert!(look(&hub, "radda-barnen", &id).await.text.contains("Kanariewishes"));
    hub.wait(33 * DAY + 12 * HOUR - 1);
    assert!(look(&hub, "radda-barnen", &id).await.text.contains("Kanariewishes"), "to the end of its last day");
    hub.wait(1);
    assert_eq!(look(&hub, "radda-barnen", &id).await.codes(), ["NOT_FOUND"]);
}

async fn a_partner_sees_its_own_consents(hub: Hub) {
    let child = hub.child(with_home()).await;
    hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    hub.caller("malmo-soc").granted(&child.id, "stadsmissionen", &["identity"]).await;
    let own = hub.caller("radda-barnen").consents().await;
    let own = own.data("/myConsents").as_array().expect("a list").clone();
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["groups"], &own[0]["giver"]), (&json!(["voice"]), &Value::Null), "no names");
    assert_eq!(own[0]["childId"], json!(found(&hub, "radda-barnen").await[0]));
    assert!(own[0]["fields"].as_array().expect("a list").contains(&json!("voice.wishes")));
    for code in ["malmo-soc", "skola", "dataskydd"] {
        assert_eq!(hub.caller(code).consents().await.codes(), ["OPERATION_FORBIDDEN"], "{code}");
    }
}

async fn a_blocked_home_loses_everything_at_once_on_every_node(hub: Hub) {
    let other = hub.beside().await;
    let child = hub.child(with_home()).await;
    // Both nodes remember what the home was to the child.
    for node in [&hub, &other, &hub, &other] {
        assert!(look(node, "hvb-malmo", &child.id).await.text.contains("Kanariestreet"));
    }
    let answer = hub.caller("malmo-soc").block(&child.id, "hvb-malmo").await;
    assert_eq!(answer.data("/blockParty/block/agency/code"), "hvb-malmo");
    let block = answer.data("/blockParty/block/id").clone();
    let never = look(&hub, "hvb-malmo", &child.id.replace('a', "b")).await;
    for node in [&other, &hub] {
        let blocked = look(node, "hvb-malmo", &child.id).await;
        assert_eq!(blocked.codes(), ["NOT_FOUND"]);
        assert_eq!(blocked.text, never.text);
        assert!(found(node, "hvb-malmo").await.is_empty());
    }
    assert_eq!(hub.listed_wrongly().await, 0);
    for code in ["migrationsverket", "malmo-soc", "malmo-overformyndare"] {
        look(&hub, code, &child.id).await.data("");
    }
    let blocks = "query($id: ID!) { blocks(childId: $id) { id agency { code } reason liftedAt } }";
    let told = hub.caller("malmo-soc").ask_with(blocks, json!({ "id": child.id })).await;
    assert_eq!(told.data("/blocks/0/agency/code"), "hvb-malmo");
    let told = hub.caller("malmo-overformyndare").ask_with(blocks, json!({ "id": child.id })).await;
    assert_eq!(told.codes(), ["FORBIDDEN"], "the chief guardian may be who is suspected");
    other.caller("malmo-soc").unblock(&block).await.data("");
    for node in [&hub, &other] {
        assert!(look(node, "hvb-malmo", &child.id).await.text.contains("Kanariestreet"), "it is what it was");
        assert_eq!(found(node, "hvb-malmo").await, std::slice::from_ref(&child.id));
    }
    assert_eq!(hub.listed_wrongly().await, 0);
    let again = hub.caller("malmo-soc").unblock(&block).await;
    again.assert_refused(&[("CONFLICT", "blockId")], "it is lifted");
}

async fn a_blocked_party_cannot_tell(hub: Hub) {
    let mut scene = with_home();
    scene.involved.push(("skola", "INVOLVED"));
    let child = hub.child(scene).await;
    for code in ["hvb-malmo", "malmo-overformyndare", "skola"] {
        hub.caller("malmo-soc").block(&child.id, code).await.data("");
    }
    let ghost = child.id.replace('a', "b");
    let dossier = child.canaries[&samverka_domain::catalogue::IdentifierKind::DossierNumber.field()].clone();
    for code in ["hvb-malmo", "malmo-overformyndare", "skola"] {
        let caller = hub.caller(code);
        for query in [
            "query($id: ID!) { child(id: $id) { id } }",
            "query($id: ID!) { suggestions(childId: $id) { nodes { id } } }",
            "query($id: ID!) { blocks(childId: $id) { id } }",
            "mutation($id: ID!) { suggestCorrection(childId: $id, correction: { identity: { set: { givenNames: \"A\" } } }) { child { id } } }",
        ] {
            let (here, never) = (
                caller.ask_with(query, json!({ "id": child.id })).await,
                caller.ask_with(query, json!({ "id": ghost })).await,
            );
            assert_eq!((here.codes(), &here.text), (vec!["NOT_FOUND"], &never.text), "{code} {query}");
        }
        let by = |number: &str| format!("{{ childByIdentifier(kind: DOSSIER_NUMBER, value: \"{number}\") {{ id }} }}");
        let (here, never) = (caller.ask(&by(&dossier)).await, caller.ask(&by("11-111111")).await);
        assert_eq!(here.text, never.text, "{code}");
    }
}

async fn whoever_must_hear_an_alarm_is_not_blocked(hub: Hub) {
    let mut scene = with_home();
    scene.involved.extend([("polisen", "INVOLVED"), ("region-skane", "INVOLVED")]);
    let child = hub.child(scene).await;
    let board = hub.caller("malmo-soc");
    for code in
        ["polisen", "granspolisen", "dataskydd", "lansstyrelsen-skane", "socialjour", "landskrona-soc", "region-skane"]
    {
        let answer = board.block(&child.id, code).await;
        answer.assert_refused(&[("FORBIDDEN", "agencyId")], code);
        assert_eq!(answer.error()["expected"], "CARE_HOME, GUARDIANSHIP, SCHOOL, PARTNER", "{code}");
    }
    assert_eq!(hub.count("block", "1 = 1").await, 0);
    // The police that a home names are told of it, and know the child.
    let police = hub.agency_id("polisen");
    let report = format!(
        "reportMissing(childId: \"{}\", input: {{ lastSeenAt: \"2026-11-21T09:00:00Z\" policeAgencyId: \"{police}\" }})",
        child.id
    );
    hub.caller("hvb-malmo").takes(&report).await.data("/reportMissing/episode/id");
    look(&hub, "polisen", &child.id).await.data("/child/id");
}

async fn whoever_answers_for_the_child_is_not_blocked(hub: Hub) {
    let child = hub.child(with_home()).await;
    let board = hub.caller("malmo-soc");
    for code in ["migrationsverket", "malmo-soc"] {
        let answer = board.block(&child.id, code).await;
        answer.assert_refused(&[("CONFLICT", "agencyId")], code);
        assert_eq!(answer.error()["next"], json!(["proposeHandover"]));
    }
    board.block(&child.id, "skola").await.data("");
    let again = board.block(&child.id, "skola").await;
    assert_eq!((again.codes()[0], &again.error()["state"]), ("CONFLICT", &json!("BLOCKED")));
    for code in ["migrationsverket", "malmo-overformyndare", "hvb-malmo"] {
        assert_eq!(hub.caller(code).block(&child.id, "radda-barnen").await.codes(), ["FORBIDDEN"], "{code}");
    }
    assert_eq!(hub.count("block", "1 = 1").await, 1);
}

async fn a_block_voids_consents_while_it_lasts(hub: Hub) {
    let child = hub.child(with_home()).await;
    hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    let id = found(&hub, "radda-barnen").await.remove(0);
    let block = hub.caller("malmo-soc").blocked(&child.id, "radda-barnen").await;
    hub.caller("malmo-overformyndare").granted(&child.id, "radda-barnen", &["identity"]).await;
    assert_eq!(look(&hub, "radda-barnen", &id).await.codes(), ["NOT_FOUND"]);
    assert!(found(&hub, "radda-barnen").await.is_empty());
    assert_eq!(hub.caller("radda-barnen").consents().await.data("/myConsents"), &json!([]));
    hub.caller("malmo-soc").unblock(&block).await.data("");
    let seen = look(&hub, "radda-barnen", &id).await;
    assert!(seen.text.contains("Kanariewishes") && seen.text.contains("KanariegivenNames"));
}

async fn strangers_get_the_same_answer_as_for_what_never_was(hub: Hub) {
    let child = hub.child(with_home()).await;
    let consent = hub.caller("malmo-soc").granted(&child.id, "radda-barnen", &["voice"]).await;
    let block = hub.caller("malmo-soc").blocked(&child.id, "skola").await;
    let never = |prefix: &str| json!(child.id.replace("child_", prefix));
    for code in ["landskrona-soc", "polisen", "skola", "stadsmissionen"] {
        let caller = hub.caller(code);
        let pairs = [
            [caller.revoke(&consent).await, caller.revoke(&never("consent_")).await],
            [caller.unblock(&block).await, caller.unblock(&never("block_")).await],
        ];
        for [here, never] in pairs {
            assert_eq!((here.codes(), &here.text), (vec!["NOT_FOUND"], &never.text), "{code}");
        }
    }
    assert_eq!(hub.count("consent", "withdrawn_at IS NULL AND recorded_by IS NOT NULL").await, 1);
}
