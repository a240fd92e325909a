//! Letting agencies in that have a matter of their own about a child, and ending that.

use crate::both;
use crate::harness::{Answer, Caller, DAY, Hub, Scene};
use serde_json::{Value, json};

both! {
    whoever_is_let_in_reads_as_one_involved_and_what_an_ended_matter_leaves_it
    whoever_leads_or_is_responsible_lets_in_and_nobody_else
    an_agency_ends_its_own_matter
    who_is_let_in_twice_is_let_in_once
    what_cannot_be_let_in_is_refused
    whoever_lets_in_is_told_who_is_involved_and_others_their_own
    whoever_is_kept_out_is_not_let_in
    the_police_stay_until_the_child_is_safe
}

impl Caller<'_> {
    async fn ties(&self, what: &str, child: &str, agency: &str) -> Answer {
        let document = format!(
            "mutation($id: ID!, $agency: ID!) {{ {what}(childId: $id, agencyId: $agency) {{ child {{ id }} }} }}"
        );
        self.ask_with(&document, json!({ "id": child, "agency": agency })).await
    }

    async fn knows(&self, child: &str) -> Value {
        let query = "query($id: ID!) { child(id: $id) { schooling { schoolName } health { criticalNeeds } } }";
        let answer = self.ask_with(query, json!({ "id": child })).await;
        answer.json["data"]["child"].clone()
    }
}

async fn whoever_is_let_in_reads_as_one_involved_and_what_an_ended_matter_leaves_it(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let (board, school) = (hub.caller("malmo-soc"), hub.caller("skola"));
    let agency = hub.agency_id("skola");
    assert_eq!(school.knows(&child.id).await, Value::Null, "before, there is no such child");
    board.ties("involveAgency", &child.id, &agency).await.data("/involveAgency/child/id");
    let seen = school.knows(&child.id).await;
    assert!(seen["schooling"]["schoolName"].is_string(), "{seen}");
    assert_eq!(seen["health"]["criticalNeeds"], Value::Null);
    let told = |persona: &'static str| {
        let caller = hub.caller(persona);
        async move {
            caller.ask("{ changes(first: 10) { nodes { kind childId } } }").await.json["data"]["changes"]["nodes"]
                .clone()
        }
    };
    assert_eq!(told("skola").await, json!([{ "kind": "AGENCY_INVOLVED", "childId": child.id }]));
    assert_eq!(told("migrationsverket").await[0]["kind"], "AGENCY_INVOLVED", "the lead hears of it");
    assert_eq!(hub.listed_wrongly().await, 0);
    board.ties("endInvolvement", &child.id, &agency).await.data("/endInvolvement/child/id");
    hub.wait(90 * DAY);
    assert_eq!(school.knows(&child.id).await, Value::Null);
    assert_eq!(hub.listed_wrongly().await, 0);
}

async fn whoever_leads_or_is_responsible_lets_in_and_nobody_else(hub: Hub) {
    let involved = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("malmo-overformyndare", "INVOLVED"),
        ("hvb-malmo", "WHEREABOUTS"),
        ("skola", "INVOLVED"),
        ("landskrona-soc", "INVOLVED"),
    ];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let agency = hub.agency_id("region-skane");
    for code in ["malmo-overformyndare", "hvb-malmo", "skola", "landskrona-soc"] {
        let refused = hub.caller(code).ties("involveAgency", &child.id, &agency).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{code}");
        assert!(refused.error()["rule"].is_string());
        let refused = hub.caller(code).ties("endInvolvement", &child.id, &hub.agency_id("malmo-soc")).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{code}");
    }
    for code in ["socialjour", "polisen", "region-skane", "lansstyrelsen-skane"] {
        let known = hub.caller(code).ties("involveAgency", &child.id, &agency).await;
        let never = hub.caller(code).ties("involveAgency", "child_00000000000000000000000000", &agency).await;
        assert_eq!(known.codes(), never.codes(), "{code}");
        assert!(known.json["data"]["involveAgency"].is_null());
    }
    assert_eq!(hub.caller("region-skane").knows(&child.id).await, Value::Null);
    for code in ["migrationsverket", "malmo-soc"] {
        hub.caller(code).ties("involveAgency", &child.id, &agency).await.data("");
    }
    assert!(hub.caller("region-skane").knows(&child.id).await["health"]["criticalNeeds"].is_string());
}

async fn an_agency_ends_its_own_matter(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("skola", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    hub.caller("skola")
        .ties("endInvolvement", &child.id, &hub.agency_id("skola"))
        .await
        .data("/endInvolvement/child/id");
    hub.wait(90 * DAY);
    assert_eq!(hub.caller("skola").knows(&child.id).await, Value::Null);
    // Who leads does not lose that by it.
    let lead = hub.caller("migrationsverket");
    lead.ties("endInvolvement", &child.id, &hub.agency_id("migrationsverket")).await.data("");
    lead.ask_with("query($id: ID!) { child(id: $id) { id } }", json!({ "id": child.id })).await.data("/child/id");
}

async fn who_is_let_in_twice_is_let_in_once(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let agency = hub.agency_id("skola");
    for _ in 0..2 {
        hub.caller("malmo-soc").ties("involveAgency", &child.id, &agency).await.data("");
    }
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED'").await, 1);
    assert_eq!(hub.count("event", "kind = 'AGENCY_INVOLVED'").await, 1);
    for _ in 0..2 {
        hub.caller("malmo-soc").ties("endInvolvement", &child.id, &agency).await.data("");
    }
    assert_eq!(hub.count("event", "kind = 'INVOLVEMENT_ENDED'").await, 1);
}

async fn what_cannot_be_let_in_is_refused(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    for code in ["radda-barnen", "lansstyrelsen-skane", "dataskydd"] {
        let refused = board.ties("involveAgency", &child.id, &hub.agency_id(code)).await;
        assert_eq!(refused.codes(), ["AGENCY_KIND"], "{code}");
    }
    let never = "agency_00000000000000000000000000";
    assert_eq!(board.ties("involveAgency", &child.id, never).await.codes(), ["UNKNOWN_AGENCY"]);
    for what in ["involveAgency", "endInvolvement"] {
        assert_eq!(board.ties(what, &child.id, "skola").await.codes(), ["INVALID_ID"]);
    }
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED'").await, 0);
}

/// The agencies that a caller is told to be involved, in order.
async fn involved(caller: &Caller<'_>, child: &str, at: &str) -> Vec<String> {
    let at = if at.is_empty() { String::new() } else { format!(", at: \"{at}\"") };
    let query =
        format!("{{ responsibility(childId: \"{child}\"{at}) {{ involved {{ agency {{ code }} from to }} }} }}");
    let answer = caller.ask(&query).await;
    let list = answer.data("/responsibility/involved").as_array().expect("a list").clone();
    let mut codes: Vec<String> =
        list.iter().map(|one| one["agency"]["code"].as_str().expect("a code").to_owned()).collect();
    codes.sort();
    codes
}

async fn whoever_lets_in_is_told_who_is_involved_and_others_their_own(hub: Hub) {
    let ties = vec![
        ("migrationsverket", "LEAD"),
        ("malmo-soc", "RESPONSIBLE"),
        ("skola", "INVOLVED"),
        ("region-skane", "INVOLVED"),
        ("malmo-overformyndare", "INVOLVED"),
        ("hvb-landskrona", "INVOLVED"),
    ];
    let child = hub.child(Scene { involved: ties, ..Scene::default() }).await;
    let before = chrono::DateTime::from_timestamp_micros(hub.now()).expect("an instant").to_rfc3339();
    let of = async |code: &str, at: &str| involved(&hub.caller(code).purpose("PROTECT"), &child.id, at).await;
    let all = ["hvb-landskrona", "malmo-overformyndare", "region-skane", "skola"];
    assert_eq!(of("malmo-soc", "").await, all);
    // Migrationsverket leads and lets in; where the child lives and learns is not for it to know.
    assert_eq!(of("migrationsverket", "").await, ["malmo-overformyndare", "region-skane"]);
    for (code, own) in [("skola", vec!["skola"]), ("malmo-overformyndare", vec!["malmo-overformyndare"])] {
        assert_eq!(involved(&hub.caller(code), &child.id, "").await, own, "{code}");
    }
    hub.wait(DAY);
    hub.caller("malmo-soc").ties("endInvolvement", &child.id, &hub.agency_id("skola")).await.data("");
    assert_eq!(of("malmo-soc", "").await, all[..3]);
    assert_eq!(of("malmo-soc", &before).await, all, "as of then");
}

async fn the_police_stay_until_the_child_is_safe(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("polisen", "INVOLVED")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let other = hub.child(Scene::default()).await;
    let police = hub.agency_id("polisen");
    let board = hub.caller("malmo-soc");
    let id = board.reports(&child.id).await;
    let ends =
        async |code: &str, id: &str| hub.caller(code).purpose("PROTECT").ties("endInvolvement", id, &police).await;
    for code in ["malmo-soc", "migrationsverket"] {
        let refused = ends(code, &child.id).await;
        assert_eq!((refused.codes(), &refused.error()["state"]), (vec!["CONFLICT"], &json!("REPORTED")), "{code}");
        ends(code, &other.id).await.data("/endInvolvement/child/id");
    }
    hub.caller("polisen").takes(&format!("updateSearch(episodeId: \"{id}\", measures: \"Spaning\")")).await.data("");
    let own = hub.caller("polisen").ties("endInvolvement", &child.id, &police).await;
    assert_eq!((own.codes(), &own.error()["state"]), (vec!["CONFLICT"], &json!("SEARCHING")));
    // For a return nobody learns from it whether the child is missing.
    let returns = hub.caller("migrationsverket").purpose("RETURN");
    let answers = [
        returns.ties("endInvolvement", &child.id, &police).await,
        returns.ties("endInvolvement", &other.id, &police).await,
    ];
    assert_eq!(answers[0].codes(), ["FORBIDDEN"]);
    assert_eq!(answers[0].text, answers[1].text);
    let involved = "query($id: ID!) { responsibility(childId: $id) { involved { agency { code } from } } }";
    for (purpose, expected) in [("PROTECT", json!(["polisen"])), ("RETURN", json!([]))] {
        let told = hub.caller("migrationsverket").purpose(purpose).ask_with(involved, json!({ "id": child.id })).await;
        let told = told.data("/responsibility/involved").as_array().expect("a list");
        let codes: Vec<&Value> = told.iter().map(|one| &one["agency"]["code"]).collect();
        assert_eq!(json!(codes), expected, "{purpose}");
    }
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED' AND closed_at IS NULL").await, 1);
    board
        .takes(&format!("markLocated(childId: \"{}\", at: \"2026-11-21T12:00:00Z\")", child.id))
        .await
        .data("/markLocated");
    assert_eq!(ends("malmo-soc", &child.id).await.codes(), ["CONFLICT"], "located is not safe");
    board.takes(&format!("markSafe(childId: \"{}\")", child.id)).await.data("/markSafe");
    ends("malmo-soc", &child.id).await.data("/endInvolvement/child/id");
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED' AND closed_at IS NULL").await, 0);
}

async fn whoever_is_kept_out_is_not_let_in(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let board = hub.caller("malmo-soc");
    let school = hub.agency_id("skola");
    let block = "mutation($id: ID!, $agency: ID!) { blockParty(childId: $id, agencyId: $agency, reason: \"Misstänkt.\") { block { id } } }";
    let blocked = board.ask_with(block, json!({ "id": child.id, "agency": school })).await;
    assert!(blocked.codes().is_empty(), "{}", blocked.text);
    let refused = board.ties("involveAgency", &child.id, &school).await;
    assert_eq!(refused.codes(), ["CONFLICT"]);
    assert_eq!((&refused.error()["state"], &refused.error()["next"]), (&json!("BLOCKED"), &json!(["unblockParty"])));
    assert_eq!(hub.count("involvement", "kind = 'INVOLVED'").await, 0);
    // Whoever may not know of the block is told nothing of it, and the school nothing of the child.
    let known = hub.caller("migrationsverket").ties("involveAgency", &child.id, &school).await;
    assert!(known.codes().is_empty(), "{}", known.text);
    assert_eq!(hub.caller("skola").knows(&child.id).await, Value::Null);
}
