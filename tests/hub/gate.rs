//! The gate before GraphQL: what it refuses, why, and how soon; what it takes, and at what cost.

use crate::corpus::{Hostile, corpus, expand};
use crate::harness::{Answer, Hub, Kind};
use async_graphql::Request;
use rustix::time::{ClockId, clock_gettime};
use samverka::graphql::document::{Documents, Limit};
use samverka::graphql::{self, HubSchema};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

/// What refusing one document may take of a processor.
const BUDGET: Duration = Duration::from_millis(5);
/// The stack of a worker.
const STACK: usize = 2 * 1024 * 1024;

fn body(hostile: &Hostile) -> String {
    let variables = hostile.variables.as_deref().unwrap_or("{}");
    let (query, operation) = (json!(hostile.document), json!(hostile.operation));
    format!("{{\"query\":{query},\"operationName\":{operation},\"variables\":{variables}}}")
}

#[test]
fn the_corpus_holds_200_different_documents() {
    let corpus = corpus();
    let bodies: HashSet<String> = corpus.iter().map(body).collect();
    let names: HashSet<&str> = corpus.iter().map(|hostile| hostile.name.as_str()).collect();
    assert!(bodies.len() >= 200 && bodies.len() == corpus.len() && names.len() == corpus.len(), "{}", bodies.len());
    for limit in Limit::ALL {
        assert!(corpus.iter().any(|hostile| hostile.counted.as_deref() == Some(limit.name())), "{}", limit.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_documents_are_refused_and_say_why() {
    let hub = Hub::start(Kind::Sqlite).await.expect("SQLite is always there");
    let caller = hub.caller("malmo-soc");
    let mut wrong = Vec::new();
    for hostile in corpus() {
        let mut request = caller.request(json!({}));
        *request.body_mut() = body(&hostile).into();
        let answer = hub.send(request).await;
        if let Err(why) = refused_rightly(&hostile, &answer) {
            wrong.push(format!("{}: {why}: {}", hostile.name, answer.text.chars().take(300).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(caller.ask("{ me { role } }").await.data("/me/role"), "SOCIAL_SERVICES", "the hub still answers");
}

fn refused_rightly(hostile: &Hostile, answer: &Answer) -> Result<(), String> {
    let codes = answer.codes();
    let right = !codes.is_empty() && codes.iter().all(|code| *code == hostile.code);
    let told = answer.error()["counted"].as_str().map(str::to_owned);
    match () {
        () if !right => Err(format!("{codes:?} for {}", hostile.code)),
        () if !answer.json["data"].is_null() => Err("it has data".to_owned()),
        () if codes.len() > 20 || answer.text.len() > 12_000 => Err(format!("{} bytes", answer.text.len())),
        () if told != hostile.counted => Err(format!("{told:?} for {:?}", hostile.counted)),
        () if told.is_some() => told_rightly(answer),
        () => Ok(()),
    }
}

/// A refusal names the limit, what it is, and what the document has.
fn told_rightly(answer: &Answer) -> Result<(), String> {
    let error = answer.error();
    let limit = Limit::ALL.iter().find(|limit| error["counted"] == limit.name()).ok_or("an unknown limit")?;
    let found = error["found"].as_u64().unwrap_or_default();
    let numbers = [limit.most().to_string(), found.to_string()];
    let says = |text: &Value| numbers.iter().all(|number| text.as_str().is_some_and(|text| text.contains(number)));
    let cost = (*limit == Limit::Cost).then(|| json!({ "cost": { "requested": found, "limit": limit.most() } }));
    if error["limit"] != limit.most() || found <= limit.most() {
        return Err("wrong numbers".to_owned());
    }
    if !says(&answer.json["errors"][0]["message"]) || !says(&error["sv"]) {
        return Err("the sentence does not have the numbers".to_owned());
    }
    let told = Some(answer.json["extensions"].clone()).filter(|extensions| !extensions.is_null());
    if told == cost { Ok(()) } else { Err(format!("the cost is {told:?}")) }
}

/// What the gate and, where it lets the document pass, the library's validation take of a processor.
fn refusal(documents: &Documents, schema: &HubSchema, hostile: &Hostile) -> Duration {
    let variables: Value = hostile.variables.as_deref().map_or(json!({}), |text| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", hostile.name))
    });
    let variables = variables.as_object().cloned().expect("an object");
    let begun = cpu();
    let document = documents.read(&hostile.document, hostile.operation.as_deref(), "tests");
    let bound = document.and_then(|document| Ok((document.bind(variables)?, document)));
    if let Ok((bound, document)) = bound {
        let mut request = Request::new(String::new()).variables(bound.variables);
        request.operation_name.clone_from(&hostile.operation);
        request.set_parsed_query(document.parsed());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let answer = runtime.block_on(schema.execute(request));
        assert!(answer.is_err(), "{} is answered", hostile.name);
    }
    cpu().checked_sub(begun).expect("the clock goes forward")
}

/// What this thread has had of a processor.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Runs something on a thread with a worker's stack: it would end the process, not fail, if that were too small.
fn on_a_worker<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).expect("a thread");
        thread.join().expect("it ends")
    })
}

#[test]
fn refusing_a_hostile_document_takes_less_than_five_milliseconds() {
    let schema = graphql::schema().expect("every guarded field is in the catalogue");
    let mut slow = on_a_worker(|| {
        let mut slow = Vec::new();
        for hostile in corpus() {
            let run = |_| refusal(&Documents::new(schema.names()), &schema, &hostile);
            // Others use the processor's caches, too: the least of some runs is what the document itself takes.
            let least = (0..5).map(run).min().expect("some runs");
            slow.push((least, hostile.name));
        }
        slow
    });
    slow.sort();
    slow.reverse();
    let slowest: Vec<String> = slow.iter().take(10).map(|(least, name)| format!("{least:?} {name}")).collect();
    #[expect(clippy::print_stderr, reason = "how much is left of the budget")]
    {
        eprintln!("the slowest:\n{}", slowest.join("\n"));
    }
    assert!(slow[0].0 < BUDGET, "the slowest:\n{}", slowest.join("\n"));
}
