//! The sandbox's children stand in the middle of the protocols as real ones do: what waits for them is set, and rings.

use crate::both;
use crate::harness::{Caller, HOUR, Hub};
use samverka::sandbox::{CHILDREN, SEED};
use samverka_domain::hub::Database;
use serde_json::{Value, json};

both! {
    what_waits_for_the_sandboxs_children_is_set
    who_receives_has_a_handover_and_who_hands_over_a_receiver
    an_arrival_that_nobody_confirmed_rings_in_the_sandbox
    the_sandbox_is_in_the_middle_of_everything
}

async fn seed(hub: &Hub) {
    let database = Database::connect(&hub.database.url).await.expect("connects");
    database.seed(SEED, 0..CHILDREN, &hub.domain.clock(), &mut |_| ()).await.expect("the sandbox's children are made");
}

/// How many rows a statement finds: each would be a fault.
async fn none(hub: &Hub, sql: &str) {
    assert_eq!(hub.rows(sql).await.len(), 0, "{sql}");
}

impl Caller<'_> {
    async fn nodes(&self, list: &str) -> Vec<Value> {
        let answer = self.ask(&format!("{{ {list} }}")).await;
        let name = list.split(['(', ' ']).next().expect("a name");
        answer.data(&format!("/{name}/nodes")).as_array().expect("a list").clone()
    }
}

async fn what_waits_for_the_sandboxs_children_is_set(hub: Hub) {
    seed(&hub).await;
    let set = |about: &str, id: &str, step: &str, at: &str| {
        format!(
            "SELECT 1 FROM deadline d WHERE d.about = '{about}' AND d.step = '{step}' AND d.about_id = {id}
             AND d.due_at = {at} AND d.fired_at IS NULL AND d.cancelled_at IS NULL"
        )
    };
    for (step, after) in [("OVERDUE", 0), ("COUNTY", 4 * HOUR), ("EPISODE", 12 * HOUR)] {
        let set = set("HANDOVER", "h.id", step, &format!("h.expected_at + {after}"));
        none(&hub, &format!("SELECT 1 FROM handover h WHERE h.ended_at IS NULL AND NOT EXISTS ({set})")).await;
    }
    let report = set("EPISODE", "e.id", "POLICE_REPORT", &format!("e.opened_at + {}", 24 * HOUR));
    let unfound = "SELECT 1 FROM missing_episode e WHERE e.found_at IS NULL AND NOT EXISTS";
    none(&hub, &format!("{unfound} ({report})")).await;
    let talk = set("EPISODE", "e.id", "RETURN_TALK", &format!("e.found_at + {}", 72 * HOUR));
    let found = "SELECT 1 FROM missing_episode e WHERE e.found_at IS NOT NULL AND e.closed_at IS NULL AND NOT EXISTS";
    none(&hub, &format!("{found} ({talk})")).await;
    let item = set("ITEM", "i.id", "OVERDUE", "i.due_at");
    let open = "SELECT 1 FROM checklist_item i WHERE i.state = 'OPEN' AND i.due_at IS NOT NULL AND NOT EXISTS";
    none(&hub, &format!("{open} ({item})")).await;
    for table in ["handover", "missing_episode", "break_glass"] {
        assert!(hub.count(table, "1 = 1").await > 0, "{table}");
    }
    // And nothing is set for what has ended.
    none(&hub, "SELECT 1 FROM deadline d JOIN handover h ON h.id = d.about_id WHERE h.ended_at IS NOT NULL").await;
    none(&hub, "SELECT 1 FROM deadline d JOIN missing_episode e ON e.id = d.about_id WHERE e.closed_at IS NOT NULL")
        .await;
}

async fn who_receives_has_a_handover_and_who_hands_over_a_receiver(hub: Hub) {
    seed(&hub).await;
    let beside = "SELECT 1 FROM handover h WHERE h.child_id = i.child_id AND h.to_agency_id = i.agency_id
        AND h.accepted_at = i.opened_at AND coalesce(h.ended_at, 0) = coalesce(i.closed_at, 0)";
    none(&hub, &format!("SELECT 1 FROM involvement i WHERE i.kind = 'RECEIVING' AND NOT EXISTS ({beside})")).await;
    let receives = "SELECT 1 FROM involvement i WHERE h.child_id = i.child_id AND h.to_agency_id = i.agency_id
        AND i.kind = 'RECEIVING' AND i.closed_at IS NULL";
    none(&hub, &format!("SELECT 1 FROM handover h WHERE h.ended_at IS NULL AND NOT EXISTS ({receives})")).await;
    let leads = "SELECT 1 FROM child c WHERE c.id = h.child_id AND c.lead_agency_id = h.from_agency_id";
    none(&hub, &format!("SELECT 1 FROM handover h WHERE h.ended_at IS NULL AND NOT EXISTS ({leads})")).await;
    assert!(hub.count("handover", "ended_at IS NULL AND expected_at < proposed_at").await == 0);
}

async fn an_arrival_that_nobody_confirmed_rings_in_the_sandbox(hub: Hub) {
    seed(&hub).await;
    hub.domain.run_deadlines().await.expect("fires");
    let late = hub.count("handover", "overdue_at IS NOT NULL").await;
    assert!(late > 0, "an arrival is overdue when the sandbox starts");
    let parties = [hub.caller("malmo-soc"), hub.caller("landskrona-soc")];
    let mut told = 0;
    for party in &parties {
        let kinds = party.nodes("changes(first: 100) { nodes { kind } }").await;
        told += i64::from(kinds.iter().any(|node| node["kind"] == "HANDOVER_OVERDUE"));
    }
    assert_eq!(told, 2, "both parties hear of it");
    let county = hub.caller("lansstyrelsen-skane");
    let overdue = "changes(first: 100) { nodes { kind childId } }";
    let told = county.nodes(overdue).await.len() as i64;
    assert!(told < late, "of those that are late for less than four hours the county is not told yet");
    hub.wait(4 * HOUR);
    hub.domain.run_deadlines().await.expect("fires");
    let heard = county.nodes(overdue).await;
    let expected = json!({ "kind": "HANDOVER_OVERDUE_IN_COUNTY", "childId": null });
    assert_eq!(heard, vec![expected; heard.len()]);
    assert_eq!(heard.len() as i64, late);
}

async fn the_sandbox_is_in_the_middle_of_everything(hub: Hub) {
    seed(&hub).await;
    let reviews = "breakGlassReviews { nodes { agency { code } role reviewedAt } }";
    let reviews = hub.caller("dataskydd").nodes(reviews).await;
    let unreviewed = json!({ "agency": { "code": "region-skane" }, "role": "HEALTH", "reviewedAt": null });
    assert!(!reviews.is_empty() && reviews.iter().all(|review| *review == unreviewed), "{reviews:?}");
    let inbox = "submissions(first: 100) { nodes { kind state childId feedback municipality } }";
    let inbox = hub.caller("malmo-soc").nodes(inbox).await;
    let has = |kind: &str, state: &str, is_matched: bool| {
        let fits =
            |node: &&Value| node["kind"] == kind && node["state"] == state && node["childId"].is_string() == is_matched;
        assert!(inbox.iter().any(|node| fits(&node)), "{kind} {state} {is_matched}: {inbox:?}");
    };
    has("CONCERN", "OPEN", true);
    has("CONCERN", "CONCERN", true);
    has("SIGHTING", "OPEN", true);
    has("TIP", "OPEN", false);
    let own = "mySubmissions(first: 100) { nodes { kind handled feedback } }";
    let own = hub.caller("skola").nodes(own).await;
    assert!(own.iter().any(|node| node["handled"] == true && node["feedback"] == "INQUIRY_OPENED"), "{own:?}");
    assert!(own.iter().any(|node| node["handled"] == false), "{own:?}");
    let live = hub.caller("radda-barnen").ask("{ myConsents { until } }").await;
    assert!(live.data("/myConsents").as_array().is_some_and(|list| !list.is_empty()));
    assert!(hub.count("consent", "withdrawn_at IS NOT NULL").await > 0);
    assert!(hub.count("missing_episode", "closed_at IS NULL AND found_at IS NULL").await > 0);
}
