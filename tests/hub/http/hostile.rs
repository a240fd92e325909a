//! What is hostile costs nothing: documents that would end the process or keep it busy, and connections that never ask.

use super::{ME, assert_hardened, assert_refused};
use crate::both;
use crate::harness::{Hub, Scene, everything};
use samverka_domain::error::ErrorCode;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

both! {
    a_connection_that_never_asks_is_closed_and_one_that_has_asked_is_answered
    a_hostile_document_is_refused_at_once
    a_greedy_document_is_refused_at_once
    an_odd_document_is_answered
    over_a_socket_hostile_requests_end_neither_the_process_nor_anothers_request
}

/// So many fragments and one more, each with a body that may name the next.
pub(super) fn fragments(count: usize, body: impl Fn(usize) -> String, last: &str) -> String {
    let all: String = (0..count).map(|i| format!("fragment f{i} on Query{{{}}}", body(i + 1))).collect();
    format!("{all} fragment f{count} on Query{{{last}}}")
}

fn many(count: usize, what: &str) -> String {
    (0..count).map(|i| format!("a{i}:{what} ")).collect()
}

/// Documents that would end the process, or keep it busy for minutes, in a hub made the ordinary way.
fn hostile() -> Vec<(&'static str, String)> {
    let lists = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let objects = format!("{}1{}", "{a:".repeat(2_000), "}".repeat(2_000));
    let twice = |i: usize| format!("...f{i} ...f{i}");
    let bomb = |levels: usize, times: usize, last: &str| {
        format!("{{...f0}}{}", fragments(levels, |i| format!("...f{i} ").repeat(times), last))
    };
    vec![
        ("lists in a value", format!("{{__type(name:{lists}){{name}}}}")),
        ("objects in a value", format!("{{__type(name:{objects}){{name}}}}")),
        ("lists in a default", format!("query($a:Int={lists}){{me{{role}}}}")),
        ("lists in a type", format!("query($a:{}Int{}){{me{{role}}}}", "[".repeat(2_000), "]".repeat(2_000))),
        ("lists in a directive", format!("{{me@skip(if:{lists}){{role}}}}")),
        ("lists behind an empty string", format!("{{__type(name:[\"\" {lists}]){{name}}}}")),
        ("lists behind a block string", format!("{{__type(name:[\"\"\"[\\\"\"\"\"\"\" {lists}]){{name}}}}")),
        ("lists behind an escape", format!("{{__type(name:[\"\\\\\" {lists}]){{name}}}}")),
        ("lists behind a comment", format!("{{__type(name:[#\"\r{lists}]){{name}}}}")),
        ("deep selections", format!("{}{}", "{me".repeat(2_000), "}".repeat(2_000))),
        ("deep spreads", format!("{}__typename{}", "{...".repeat(2_000), "}".repeat(2_000))),
        ("open brackets", "{".repeat(60_000)),
        ("2^30 fields", bomb(30, 2, "__typename")),
        ("4^12 fields", bomb(12, 4, "__typename")),
        ("300^3 fields", bomb(3, 300, "__typename")),
        ("2^30 spreads of nothing", bomb(30, 2, "...nowhere")),
        ("2^28 spreads of nothing, in spreads", {
            let body = |i| format!("...{{...f{i}}} ...{{...f{i}}}");
            format!("{{...f0}}{}", fragments(14, body, "...nowhere"))
        }),
        ("2^30 fields in a field", format!("{{me{{...f0}}}}{}", fragments(30, twice, "__typename"))),
        ("a circle of one", "{...a}fragment a on Query{...a}".to_owned()),
        ("a circle of two", "{...a}fragment a on Query{...b}fragment b on Query{...a}".to_owned()),
        ("a circle through a field", "{...a}fragment a on Query{me{...a}}".to_owned()),
        ("a chain of 2,000 fragments", format!("{{...f0}}{}", fragments(2_000, |i| format!("...f{i}"), "__typename"))),
        ("a chain that nobody uses", format!("{{a}}{}", fragments(2_000, |i| format!("...f{i}"), "__typename"))),
        ("a chain of nests", {
            let body = |i| format!("{}...f{i}{}", "...{".repeat(60), "}".repeat(60));
            format!("{{...f0}}{}", fragments(180, body, "__typename"))
        }),
        ("over 64 KiB", format!("{{__typename}}{}", " ".repeat(64 * 1024))),
        ("over 64 KiB of comment", format!("{{__typename}}#{}", "x".repeat(64 * 1024))),
        ("10,000 aliases", format!("{{{}}}", many(10_000, "__typename"))),
        ("6,000 aliases", format!("{{me{{{}}}}}", "a:role ".repeat(6_000))),
        ("21 questions", format!("{{{}}}", many(21, "__typename"))),
        ("21 questions in a fragment", format!("{{...f}}fragment f on Query{{{}}}", many(21, "__typename"))),
    ]
}

/// Documents that ask, in a few bytes, for an answer of many megabytes.
fn greedy() -> Vec<(&'static str, String)> {
    let mut web = "name".to_owned();
    for _ in 0..5 {
        web = format!("fields{{type{{{web} ofType{{{web} ofType{{{web}}}}}}}}}");
    }
    vec![
        ("a web of introspection", format!("{{__type(name:\"__Type\"){{{web}}}}}")),
        ("introspection times 2,000", format!("{{__schema{{types{{{}}}}}}}", many(2_000, "fields{name}"))),
        ("rules times 2,000", format!("{{fieldRules{{{}}}}}", many(2_000, "rules{sv}"))),
        ("a page times 4,000", format!("{{children(first:100){{nodes{{identity{{{}}}}}}}}}", many(4_000, "sex"))),
        ("errors times 4,500", format!("{{errorCatalog{{{}}}}}", many(4_500, "sv"))),
    ]
}

async fn assert_refused_at_once(hub: &Hub, documents: Vec<(&'static str, String)>) {
    for (name, query) in documents {
        let begun = Instant::now();
        let answer = hub.caller("malmo-soc").ask(&query).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
        assert_refused(&answer, 200, ErrorCode::QueryRefused, name);
        assert_eq!(hub.caller("malmo-soc").ask(ME).await.data("/me/role"), "SOCIAL_SERVICES", "after {name}");
    }
}

async fn a_hostile_document_is_refused_at_once(hub: Hub) {
    assert_refused_at_once(&hub, hostile()).await;
}

async fn a_greedy_document_is_refused_at_once(hub: Hub) {
    assert_refused_at_once(&hub, greedy()).await;
    // A large variable is not multiplied: each question holds its own copy.
    let body = json!({ "query": format!("query($id: ID!) {{{}}}", many(2_000, "child(id:$id){id}")),
        "variables": { "id": "x".repeat(200_000) } });
    let answer = hub.send(hub.caller("malmo-soc").request(body)).await;
    assert_refused(&answer, 200, ErrorCode::QueryRefused, "a large variable");
    // The greediest that is answered.
    for (query, most) in [
        (format!("{{fieldRules{{{}}}}}", many(94, "rules{sv}")), 8_000_000),
        (format!("{{__schema{{types{{{}}}}}}}", many(190, "fields{name}")), 8_000_000),
        (format!("{{{}}}", many(20, "errorCatalog{sv remedySv}")), 200_000),
    ] {
        let answer = hub.caller("malmo-soc").ask(&query).await;
        let why = query.chars().take(60).collect::<String>();
        assert!(answer.json["errors"].is_null() && answer.text.len() < most, "{why}: {}", answer.text.len());
    }
    // What a client asks for in earnest is not too much.
    for _ in 0..3 {
        hub.child(Scene::default()).await;
    }
    let page = format!("{{ children(first: 100) {{ nodes {{ {} }} }} }}", everything());
    assert_eq!(hub.caller("malmo-soc").ask(&page).await.data("/children/nodes").as_array().map(Vec::len), Some(3));
    let twenty = format!("{{ {} }}", many(20, "me { role }"));
    assert_eq!(hub.caller("malmo-soc").ask(&twenty).await.data("/a19/role"), "SOCIAL_SERVICES");
}

/// Whatever a document is, it is answered, soon and with a code, and the answer is small.
async fn an_odd_document_is_answered(hub: Hub) {
    let escapes = "\\u0000".repeat(10_000);
    for (name, query) in [
        ("5,000 directives", format!("{{me{}{{role}}}}", "@skip(if:false)".repeat(4_300))),
        ("30,000 unknown directives", format!("{{me{}{{role}}}}", "@a".repeat(30_000))),
        ("64 brackets", format!("{}__typename{}", "{...".repeat(60), "}".repeat(60))),
        ("a bomb that nobody uses", format!("{{a}}{}", fragments(30, |i| format!("...f{i} ...f{i}"), "__typename"))),
        ("a circle that nobody uses", "{a}fragment a on Query{...b}fragment b on Query{...a}".to_owned()),
        ("200 fragments", format!("{{...f0}}{}", fragments(199, |i| format!("...f{i} "), "__typename"))),
        ("4,000 operations", (0..4_000).map(|i| format!("query a{i}{{a}}")).collect()),
        (
            "4,000 variables",
            format!("query({}){{me{{role}}}}", (0..4_000).map(|i| format!("$a{i}:Int ")).collect::<String>()),
        ),
        ("conflicts", format!("{{{}}}", (0..20).map(|i| format!("a:child(id:{i}){{id}}")).collect::<String>())),
        ("60,000 digits", format!("{{children(first:{}){{nodes{{id}}}}}}", "9".repeat(60_000))),
        ("60,000 decimals", format!("{{children(first:1.{}){{nodes{{id}}}}}}", "9".repeat(60_000))),
        ("a large exponent", "{children(first:1e999999999){nodes{id}}}".to_owned()),
        ("a large number", "{children(first:-99999999999999999999){nodes{id}}}".to_owned()),
        ("escapes", format!("{{child(id:\"{escapes}\"){{id}}}}")),
        ("half a character", "{child(id:\"\\uD800\"){id}}".to_owned()),
        ("a zero", "{\u{0}me{role}}".to_owned()),
        ("nothing", String::new()),
        ("a comment", "#".to_owned()),
        ("quotes", "\"".repeat(60_000)),
        ("bangs", format!("query($a:Int{}){{me{{role}}}}", "!".repeat(60_000))),
        ("commas", ",".repeat(65_000)),
        ("comments", "#\n".repeat(32_000)),
        ("a schema", "type Query { a: Int }".to_owned()),
        ("emoji", "{ 👧 }".to_owned()),
    ] {
        let begun = Instant::now();
        let answer = hub.caller("malmo-soc").ask(&query).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
        assert_hardened(&answer, name);
        assert!(!answer.codes().is_empty() && !answer.codes().contains(&"none"), "{name}: {}", answer.text);
        assert!(answer.text.len() < 12_000, "{name}: {} bytes", answer.text.len());
    }
    assert_eq!(hub.caller("malmo-soc").ask("\u{feff}{me{role}}").await.data("/me/role"), "SOCIAL_SERVICES");
}

/// Sends bytes and reads until the hub closes; empty where it says nothing within half a minute.
fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).expect("connects");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let mut reading = socket.try_clone().expect("a second handle");
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        // The hub may close before it has read everything, which ends in an error after the answer.
        _ = reading.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    _ = socket.write_all(bytes);
    reader.join().expect("the reader ends")
}

fn over_the_wire(token: &str, body: &str) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn over_a_socket_hostile_requests_end_neither_the_process_nor_anothers_request(hub: Hub) {
    // The connections run on this runtime's workers, whose stacks are of 2 MiB.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    let router = hub.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let token = hub.token("malmo-soc");
    let over =
        async |bytes: Vec<u8>| tokio::task::spawn_blocking(move || exchange(address, &bytes)).await.expect("an answer");
    let good = over_the_wire(&token, &json!({ "query": ME }).to_string()).into_bytes();
    for (name, query) in hostile().into_iter().chain(greedy()) {
        let request = over_the_wire(&token, &json!({ "query": query }).to_string()).into_bytes();
        let begun = Instant::now();
        let (hostile, beside) = (
            tokio::spawn(async move {
                tokio::task::spawn_blocking(move || exchange(address, &request)).await.expect("an answer")
            }),
            over(good.clone()).await,
        );
        assert!(beside.contains("SOCIAL_SERVICES"), "beside {name}: {beside}");
        let answer = hostile.await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("QUERY_REFUSED"), "{name}: {answer}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
    }
    // A body in chunks declares no length.
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let body = json!({ "query": ME }).to_string();
    let small = format!("{head}{chunk}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert!(over(small.into_bytes()).await.contains("SOCIAL_SERVICES"));
    let large = format!("{head}{}{:x}\r\n{body}\r\n0\r\n\r\n", chunk.repeat(17), body.len());
    let answer = over(large.into_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("BODY_TOO_LARGE"), "{answer}");
    // What is not HTTP, and what says two things about its length.
    let smuggled = format!("{head}0\r\n\r\nGET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n")
        .replace("transfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 4");
    for (name, bytes) in [
        ("nonsense", b"\x16\x03\x01\x02\x00\x01\x00".repeat(1_000)),
        ("a long line", [b"GET /".to_vec(), vec![b'a'; 1_000_000], b" HTTP/1.1\r\n\r\n".to_vec()].concat()),
        (
            "a long header",
            [b"GET / HTTP/1.1\r\nhost: hub\r\na: ".to_vec(), vec![b'a'; 1_000_000], b"\r\n\r\n".to_vec()].concat(),
        ),
        (
            "many headers",
            ["GET / HTTP/1.1\r\nhost: hub\r\n".to_owned(), "a: b\r\n".repeat(10_000), "\r\n".to_owned()]
                .concat()
                .into_bytes(),
        ),
        ("two lengths", smuggled.into_bytes()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
    ] {
        let answer = over(bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
        assert!(!answer.contains("\"live\""), "{name}: {answer}");
        assert!(over(good.clone()).await.contains("SOCIAL_SERVICES"), "after {name}");
    }
    let answer = over(good.clone()).await.to_lowercase();
    assert!(!answer.contains("\r\nserver:") && answer.contains("\r\nx-content-type-options: nosniff"), "{answer}");
    assert!(answer.contains("\r\ncache-control: no-store") && answer.contains("\r\nx-request-id: "), "{answer}");
}

async fn a_connection_that_never_asks_is_closed_and_one_that_has_asked_is_answered(hub: Hub) {
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    let patience = samverka::serve::Patience {
        head: Duration::from_millis(300),
        connections: 3,
        last_answers: Duration::from_secs(5),
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move { _ = stopped.await };
    let server = tokio::spawn(samverka::serve::accept(hub.router.clone(), listener, patience, stopped));
    // More silent and half-sent requests than there are places.
    let mut idle = Vec::new();
    for sent in ["", "POST /graphql HTTP/1.1\r\nhost: hub\r\n", "", "GET / HTTP/1.1\r\nx: ", ""] {
        let mut socket = tokio::net::TcpStream::connect(address).await.expect("connects");
        socket.write_all(sent.as_bytes()).await.expect("sends");
        idle.push(socket);
    }
    let mut honest = tokio::net::TcpStream::connect(address).await.expect("connects");
    honest.write_all(b"GET /health/live HTTP/1.1\r\nhost: hub\r\n\r\n").await.expect("sends");
    let mut answer = vec![0; 12];
    let read = tokio::time::timeout(Duration::from_secs(10), honest.read_exact(&mut answer)).await;
    assert!(read.is_ok_and(|read| read.is_ok()), "the silent ones made room");
    assert_eq!(answer, b"HTTP/1.1 200");
    for mut socket in idle {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "it is closed");
        assert!(!String::from_utf8_lossy(&rest).contains("200"));
    }
    stop.send(()).expect("it runs");
    tokio::time::timeout(Duration::from_secs(10), server).await.expect("it stops").expect("in good order");
}
