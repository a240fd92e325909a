//! A Rust client made by graphql_client from schema.graphql and questions.graphql, over ureq, does what every integration
//! does. Run by tests/clients/run.
//!
//! A package of its own, outside of the workspace, so that its libraries neither come into the product's lock file nor
//! turn on features there.

use graphql_client::{GraphQLQuery, QueryBody, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::HashSet;

// The scalars of the schema, as the hub sends them.
type Date = String;
type DateTime = String;

macro_rules! questions {
    ($($name:ident)+) => {
        $(
            #[derive(GraphQLQuery)]
            #[graphql(
                schema_path = "../../../schema.graphql",
                query_path = "src/questions.graphql",
                variables_derives = "Clone, Debug",
                response_derives = "Clone, Debug, PartialEq"
            )]
            struct $name;
        )+
    };
}

questions! { Child Voice UpdateVoice Page Rules }

/// A child of the sandbox: the one in README.md.
const CHILD: &str = "child_4bshgqrgoh3l1bubfe42jrgc14";

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/clients/run"))
}

/// One caller of the hub.
struct Caller {
    agent: ureq::Agent,
    token: Option<String>,
    purpose: &'static str,
}

impl Caller {
    fn new(token: Option<String>, purpose: &'static str) -> Self {
        // An answer with another status than 200 is GraphQL, too.
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Caller { agent, token, purpose }
    }

    /// The status and the answer.
    fn send<V: Serialize, D: DeserializeOwned>(&self, body: &QueryBody<V>) -> (u16, Response<D>) {
        let mut request = self.agent.post(told("HUB_URL"));
        request = request.header("accept", "application/graphql-response+json, application/json;q=0.9");
        request = request.header("samverka-purpose", self.purpose);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send_json(body).expect("an answer");
        let media = answer.headers()["content-type"].to_str().expect("a media type").to_owned();
        assert!(media.starts_with("application/graphql-response+json"), "{media}");
        (answer.status().as_u16(), answer.body_mut().read_json().expect("an answer of GraphQL"))
    }

    fn ask<Q: GraphQLQuery>(&self, variables: Q::Variables) -> Q::ResponseData {
        let (status, answer) = self.send(&Q::build_query(variables));
        assert!(answer.errors.is_none(), "{:?}", answer.errors);
        assert_eq!(status, 200);
        answer.data.expect("data")
    }

    /// The data, if any, of what must fail with this status and this code.
    fn refused<V: Serialize, D: DeserializeOwned>(&self, body: &QueryBody<V>, status: u16, code: &str) -> Option<D> {
        let (found, answer) = self.send(body);
        let errors = answer.errors.expect("errors");
        let codes: Vec<_> =
            errors.iter().map(|error| error.extensions.as_ref().and_then(|more| more.get("code")).cloned()).collect();
        assert_eq!((found, codes), (status, vec![Some(json!(code))]), "{errors:?}");
        answer.data
    }
}

fn reads_values_and_what_is_withheld(board: &Caller, school: &Caller) {
    let variables = child::Variables { id: CHILD.to_owned() };
    let seen = school.ask::<Child>(variables.clone()).child.expect("the child");
    assert_eq!(seen.identity.and_then(|identity| identity.given_names).as_deref(), Some("Farhad"));
    let plan = seen.safety_plan.expect("the section");
    assert_eq!((plan.plan_exists, &plan.plan), (Some(true), &None));
    let withheld = plan.withheld.iter().find(|withheld| withheld.field == "plan").expect("it says so");
    assert_eq!((withheld.rule.as_str(), withheld.legal_ground.as_str()), ("default-deny", "OSL 26 kap. 1 §"));
    let plan = board.ask::<Child>(variables).child.and_then(|child| child.safety_plan).expect("the section");
    assert!(plan.plan.is_some_and(|text| text.starts_with("Uppföljd med barnet")) && plan.withheld.is_empty());
    let rules = board.ask::<Rules>(rules::Variables { role: Some(rules::Role::CARE_HOME) });
    assert!(rules.field_rules.len() > 50, "enums go there and back");
}

fn writes_from_the_version_it_read_and_is_told_when_that_is_overtaken(board: &Caller) {
    let read = || board.ask::<Voice>(voice::Variables { id: CHILD.to_owned() }).child.and_then(|child| child.voice);
    let before = read().expect("the section");
    let wishes = format!("Vill lära sig simma. (graphql_client, {})", std::process::id());
    let update = |wishes: &str| {
        let set = update_voice::VoicePatch { wishes: Some(wishes.to_owned()), recorded_on: None };
        let variables =
            update_voice::Variables { id: CHILD.to_owned(), version: before.version.clone(), set: Some(set) };
        UpdateVoice::build_query(variables)
    };
    let (status, answer) = board.send::<_, update_voice::ResponseData>(&update(&wishes));
    let written = answer.data.and_then(|data| data.update_voice).and_then(|payload| payload.child.voice);
    assert_eq!((status, written.expect("the section").wishes.as_ref()), (200, Some(&wishes)));
    let data: Option<update_voice::ResponseData> = board.refused(&update("Något annat."), 200, "CONFLICT");
    assert!(data.is_some_and(|data| data.update_voice.is_none()), "null beside the error");
    let after = read().expect("the section");
    assert_eq!(after.wishes, Some(wishes));
    assert!(after.version != before.version && after.updated_at.is_some());
}

fn walks_through_the_pages_of_a_list(board: &Caller) {
    let (mut ids, mut pages, mut after) = (HashSet::new(), 0, None);
    loop {
        let page = board.ask::<Page>(page::Variables { after }).children.expect("a page");
        for node in page.nodes {
            assert!(ids.insert(node.id), "no child stands on two pages");
        }
        pages += 1;
        if !page.page_info.has_next_page {
            break;
        }
        after = page.page_info.end_cursor;
    }
    assert!(pages >= 2 && ids.len() > 100 && ids.contains(CHILD), "{} children on {pages} pages", ids.len());
}

fn is_turned_away_without_a_good_token() {
    let body = Voice::build_query(voice::Variables { id: CHILD.to_owned() });
    let other = format!("{}x", told("HUB_BOARD_TOKEN"));
    for (token, code) in [(None, "UNAUTHENTICATED"), (Some(other), "TOKEN_REFUSED")] {
        let data: Option<voice::ResponseData> = Caller::new(token, "PROTECT").refused(&body, 401, code);
        assert!(data.is_none());
    }
}

fn is_told_what_is_wrong_with_a_request(board: &Caller) {
    let body = QueryBody { query: "{ nonsense }", operation_name: "", variables: json!({}) };
    let data: Option<serde_json::Value> = board.refused(&body, 400, "GRAPHQL_VALIDATION_FAILED");
    assert!(data.is_none());
}

fn main() {
    let board = Caller::new(Some(told("HUB_BOARD_TOKEN")), "PROTECT");
    let school = Caller::new(Some(told("HUB_SCHOOL_TOKEN")), "SCHOOL");
    reads_values_and_what_is_withheld(&board, &school);
    writes_from_the_version_it_read_and_is_told_when_that_is_overtaken(&board);
    walks_through_the_pages_of_a_list(&board);
    is_turned_away_without_a_good_token();
    is_told_what_is_wrong_with_a_request(&board);
    println!("graphql_client: 5 passed");
}
