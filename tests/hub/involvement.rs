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
