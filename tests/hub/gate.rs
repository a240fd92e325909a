//! The gate before GraphQL: what it refuses, why, and how soon; what it takes, and at what cost.

use crate::both;
use crate::corpus::{Hostile, corpus};
use crate::harness::{Answer, Hub, Kind, Scene, everything};
use async_graphql::Request;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use samverka::graphql::document::{Documents, Limit};
use samverka::graphql::{self, HubSchema};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

both! {
    the_cost_is_told_and_says_nothing_of_the_record
    a_kept_document_gives_each_caller_an_answer_of_their_own
}

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

/// Tokens in no order that means anything: what the gate lets the parser have, the parser is soon done with.
#[test]
fn what_is_parsed_is_parsed_in_bounded_time() {
    const PIECES: [&str; 44] = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ":",
        "$",
        "@",
        "!",
        "=",
        "...",
        "on ",
        "query ",
        "fragment ",
        "a",
        "b ",
        "Int",
        "1",
        "-1.5e3 ",
        "0 ",
        "true",
        "null",
        "\"x\"",
        "\"\\\"\"",
        "\"\"\"",
        "\"\"\"x\\\"\"\"\"\"\"",
        "#x\n",
        "#\"\r",
        "\n",
        ",",
        "\u{feff}",
        "                ",
        "{a}",
        "{a{",
        "(a:[",
        "...on Query{",
        "...f ",
        "$a:Int ",
        "@a(b:",
        "}}",
        "[[[",
        "\\",
        "å",
    ];
    let schema = graphql::schema().expect("every guarded field is in the catalogue");
    let documents = Documents::new(schema.names());
    on_a_worker(|| {
        for seed in 0..1_000 {
            let mut rng = StdRng::seed_from_u64(seed);
            // A few kinds of piece at a time, so that some of them come often beside one another.
            let some: Vec<&str> = PIECES.choose_multiple(&mut rng, 4).copied().collect();
            let count = rng.random_range(1..1_500);
            let text: String = (0..count).map(|_| some.choose(&mut rng).copied().unwrap_or_default()).collect();
            for text in [format!("{{a{text}"), format!("{{a(b:{text})}}"), format!("query({text}){{a}}"), text] {
                let run = |_| {
                    let begun = cpu();
                    _ = documents.read(&text, None, "tests");
                    cpu().checked_sub(begun).expect("the clock goes forward")
                };
                let least = (0..3).map(run).find(|took| *took < BUDGET);
                assert!(least.is_some(), "seed {seed}: {}", text.chars().take(200).collect::<String>());
            }
        }
    });
}

#[test]
fn every_list_of_objects_in_the_schema_has_a_weight() {
    let schema = graphql::schema().expect("every guarded field is in the catalogue");
    let definitions = parse_schema(schema.sdl()).expect("the schema is GraphQL").definitions;
    let types: Vec<_> = definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some(ty.node),
            _ => None,
        })
        .collect();
    let objects: Vec<(&str, _)> = types
        .iter()
        .filter_map(|ty| match &ty.kind {
            TypeKind::Object(object) => Some((ty.name.node.as_str(), object)),
            _ => None,
        })
        .collect();
    fn item(ty: &Type) -> Option<&str> {
        match &ty.base {
            BaseType::List(item) => match &item.base {
                BaseType::Named(name) => Some(name),
                BaseType::List(_) => None,
            },
            BaseType::Named(_) => None,
        }
    }
    let documents = Documents::new([]);
    let mut weighed = 0;
    for (name, object) in &objects {
        for field in &object.fields {
            let field = (&field.node.name.node, item(&field.node.ty.node));
            let (field, Some(of)) = field else { continue };
            // A page is weighed where its `first` stands.
            let of_a_page = name.ends_with("Connection") && ["nodes", "edges"].contains(&field.as_str());
            if of_a_page || !objects.iter().any(|(name, _)| *name == of) {
                continue;
            }
            let document = documents.read(&format!("{{{field}{{__typename}}}}"), None, "tests").expect("a document");
            let cost = document.bind(serde_json::Map::new()).expect("it is small").cost;
            assert!(cost > 2, "`{name}.{field}` is a list: weigh it in graphql/document.rs, `items`");
            weighed += 1;
        }
    }
    assert!(weighed > 10, "{weighed} lists");
}

async fn the_cost_is_told_and_says_nothing_of_the_record(hub: Hub) {
    let page = format!("query($n: Int) {{ children(first: $n) {{ nodes {{ {} }} }} }}", everything());
    let cost = async |persona: &str, variables: Value| {
        let answer = hub.caller(persona).ask_with(&page, variables).await;
        assert_eq!(answer.json["extensions"]["cost"]["limit"], Limit::Cost.most());
        (answer.json["extensions"]["cost"]["requested"].clone(), answer.text.len())
    };
    let (empty, small) = cost("malmo-soc", json!({})).await;
    for _ in 0..3 {
        hub.child(Scene::default()).await;
    }
    let (full, large) = cost("malmo-soc", json!({})).await;
    assert!(large > 2 * small, "{small} and {large} bytes");
    assert_eq!(full, empty, "three children or none");
    assert_eq!(cost("skola", json!({})).await.0, empty, "whoever asks");
    assert_eq!(cost("malmo-soc", json!({ "n": 25 })).await.0, empty, "25 are usual");
    let (one, _) = cost("malmo-soc", json!({ "n": 1 })).await;
    let each = one.as_u64().expect("a number") - 1;
    assert_eq!(empty, 1 + 25 * each);
    assert_eq!(cost("malmo-soc", json!({ "n": 2 })).await.0, 1 + 2 * each);
    // What fails while it is executed has cost as much, and what is not executed nothing.
    let unknown = "{ child(id: \"child_aaaaaaaaaaaaaaaaaaaaaaaaaa\") { id } }";
    let answer = hub.caller("malmo-soc").ask(unknown).await;
    assert_eq!(answer.json["extensions"]["cost"], json!({ "requested": 2, "limit": Limit::Cost.most() }));
    assert_eq!(answer.codes().len(), 1);
    assert!(hub.caller("malmo-soc").ask("{ nothing }").await.json["extensions"].is_null());
    assert!(hub.caller("malmo-soc").ask("{ nothing").await.json["extensions"].is_null());
}

async fn a_kept_document_gives_each_caller_an_answer_of_their_own(hub: Hub) {
    let (one, two) = (hub.child(Scene::default()).await, hub.child(Scene::default()).await);
    let document = "query($id: ID!, $not: Boolean = false) { child(id: $id) { id @skip(if: $not) identity { sex } } }";
    for _ in 0..2 {
        for child in [&one, &two] {
            let answer = hub.caller("malmo-soc").ask_with(document, json!({ "id": child.id })).await;
            assert_eq!(answer.data("/child/id"), child.id.as_str());
            let answer = hub.caller("malmo-soc").ask_with(document, json!({ "id": child.id, "not": true })).await;
            assert!(answer.data("/child").get("id").is_none(), "{}", answer.text);
            assert!(answer.data("/child").get("identity").is_some(), "{}", answer.text);
            let answer = hub.caller("skola").ask_with(document, json!({ "id": child.id })).await;
            assert_eq!(answer.codes(), ["NOT_FOUND"]);
        }
        let answer = hub.caller("malmo-soc").ask_with(document, json!({})).await;
        assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_headers_and_bodies_are_answered() {
    let hub = Hub::start(Kind::Sqlite).await.expect("SQLite is always there");
    let me = "{ me { role } }";
    let accept = "application/graphql-response+json;q=0.5,".repeat(10_000);
    let answer = hub.caller("malmo-soc").header("accept", &accept).ask(me).await;
    assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES");
    let mut flood = hub.caller("malmo-soc");
    for i in 0..5_000 {
        flood = flood.header("accept", "*/*;q=0.1").header(&format!("x-{i}"), "y");
    }
    assert_eq!(flood.ask(me).await.data("/me/role"), "SOCIAL_SERVICES");
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    for (variables, expected) in [
        (format!("{{\"a\":{}}}", nested(17)), "QUERY_REFUSED"),
        (format!("{{\"a\":{}}}", nested(120)), "QUERY_REFUSED"),
        (format!("{{\"a\":{}}}", nested(128)), "BAD_REQUEST"),
        (format!("{{\"a\":{}}}", nested(100_000)), "BAD_REQUEST"),
        (format!("{{\"a\":[{}1]}}", "1,".repeat(100_000)), "QUERY_REFUSED"),
        (format!("{{\"a\":1{}}}", "0".repeat(200_000)), "BAD_REQUEST"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(300_000)), "BODY_TOO_LARGE"),
        ("{\"a\":\"\\ud800\"}".to_owned(), "BAD_REQUEST"),
    ] {
        let mut request = hub.caller("malmo-soc").request(json!({}));
        *request.body_mut() = format!("{{\"query\":\"{me}\",\"variables\":{variables}}}").into();
        let answer = hub.send(request).await;
        let why = variables.chars().take(40).collect::<String>();
        assert_eq!(answer.codes(), [expected], "{why}: {}", answer.text.chars().take(300).collect::<String>());
    }
    assert_eq!(hub.caller("malmo-soc").ask(me).await.data("/me/role"), "SOCIAL_SERVICES");
}
