//! The door itself: what is taken, what is refused and how, that a hostile document costs nothing, and that neither
//! an error nor the hub's own telling of what it does carries anything of a child.

use crate::both;
use crate::harness::{Answer, HOUR, Hub, Kind, Scene, TestChild, child_id, everything};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request};
use samverka_domain::error::ErrorCode;
use sea_orm::{ConnectionTrait, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;

both! {
    a_connection_that_never_asks_is_closed_and_one_that_has_asked_is_answered
    graphql_is_asked_by_post_alone
    a_body_that_is_not_declared_as_json_is_refused
    a_body_that_is_no_single_request_is_refused
    a_body_over_one_mebibyte_is_refused
    there_is_one_address_and_beside_it_nothing
    samverka_headers_are_short_single_and_printable
    an_answer_has_the_media_type_that_was_asked_for
    every_answer_is_hardened_and_has_an_id_of_its_own
    a_syntax_error_tells_the_place_and_never_the_line
    a_flood_of_errors_is_cut
    an_error_of_validation_says_what_to_do
    variables_that_do_not_fit_are_errors_of_the_request
    a_hostile_document_is_refused_at_once
    a_greedy_document_is_refused_at_once
    an_odd_document_is_answered
    over_a_socket_hostile_requests_end_neither_the_process_nor_anothers_request
    no_error_holds_anything_of_a_child
    what_the_hub_tells_of_itself_holds_nothing_of_a_child
    every_error_code_is_in_the_catalogue
    introspection_works_with_a_token
    the_hub_is_live_and_ready
    while_the_access_log_cannot_be_written_the_hub_is_not_ready
}

/// A question that everyone may ask.
const ME: &str = "{ me { role } }";

/// A request of Malmö's, of any form.
fn raw(hub: &Hub, method: &str, content_type: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri("/graphql")
        .header("authorization", format!("Bearer {}", hub.token("malmo-soc")));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    request.body(body.into()).expect("a request")
}

fn ask(hub: &Hub, query: &str, accept: Option<&str>) -> Request<Body> {
    let mut request = raw(hub, "POST", Some("application/json"), json!({ "query": query }).to_string());
    if let Some(accept) = accept {
        request.headers_mut().insert("accept", accept.parse().expect("a header"));
    }
    request
}

/// What leaks from programs that print their errors.
const INNARDS: [&str; 16] = [
    "Error(",
    "Some(",
    "Err(",
    "Ok(",
    "panicked",
    ".rs",
    "::",
    "sqlx",
    "sea_orm",
    "async_graphql",
    "serde",
    "SELECT ",
    "UPDATE ",
    "INSERT ",
    "stack",
    "expected `",
];

fn assert_hardened(answer: &Answer, why: &str) {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-content-type-options"), "nosniff", "{why}");
    assert_eq!(header("cache-control"), "no-store", "{why}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{why}");
    assert!(header("content-security-policy").contains("default-src 'none'"), "{why}");
    assert_eq!(header("x-request-id").len(), 32, "{why}");
    for name in ["server", "x-powered-by", "via", "set-cookie", "access-control-allow-origin"] {
        assert!(!answer.headers.contains_key(name), "{why}: {name}");
    }
    if answer.json["data"].is_null() {
        for innards in INNARDS {
            assert!(!answer.text.contains(innards), "{why}: {innards} in {}", answer.text);
        }
    }
}

/// The whole request is refused: status, code, what to do in two languages, and nothing else.
fn assert_refused(answer: &Answer, status: u16, code: ErrorCode, why: &str) {
    assert_hardened(answer, why);
    assert_eq!((answer.codes(), answer.status.as_u16()), (vec![code.entry().code], status), "{why}: {}", answer.text);
    let mut error = answer.json["errors"][0].clone();
    if code == ErrorCode::ParseFailed {
        error.as_object_mut().expect("an object").remove("locations");
    }
    let entry = code.entry();
    let extensions = json!({
        "code": entry.code, "sv": entry.sv, "remedy": entry.remedy_en, "remedySv": entry.remedy_sv });
    assert_eq!(error, json!({ "message": entry.en, "extensions": extensions }), "{why}");
    assert_eq!(answer.json.as_object().map(serde_json::Map::len), Some(1), "{why}: no data");
}

// ---------------------------------------------------------------------------------------------------------------
// What is taken.

async fn graphql_is_asked_by_post_alone(hub: Hub) {
    let mutation = "mutation { updateVoice(childId: \"child_x\", expectedVersion: \"x\") { child { id } } }";
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SAMVERKA"] {
        for query in [ME, mutation] {
            let body = json!({ "query": query }).to_string();
            let mut request = raw(&hub, method, Some("application/json"), body);
            let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
            *request.uri_mut() = format!("/graphql?query={query}").parse().expect("an address");
            let answer = hub.send(request).await;
            assert_refused(&answer, 405, ErrorCode::MethodNotAllowed, method);
            assert_eq!(answer.headers["allow"], "POST", "{method}");
        }
    }
    let answer = hub.send(raw(&hub, "HEAD", None, "")).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (405, ""), "HEAD");
    // A method in a header or in the address changes nothing.
    let mut request = ask(&hub, ME, None);
    request.headers_mut().insert("x-http-method-override", HeaderValue::from_static("GET"));
    *request.uri_mut() = "/graphql?query=%7Bnonsense%7D&operationName=x".parse().expect("an address");
    assert_eq!(hub.send(request).await.data("/me/role"), "SOCIAL_SERVICES");
    // Who one is comes first.
    let answer = hub.send(Request::get("/graphql").body(Body::empty()).expect("a request")).await;
    assert_refused(&answer, 401, ErrorCode::Unauthenticated, "GET without a token");
}

async fn a_body_that_is_not_declared_as_json_is_refused(hub: Hub) {
    let body = json!({ "query": ME }).to_string();
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/plain;charset=utf-8"),
        Some("text/plain; application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("application/graphql-response+json"),
        Some("application/json5"),
        Some("application/jsonx"),
        Some("application/vnd.api+json"),
        Some("application/json, text/plain"),
        Some("text/plain, application/json"),
        Some("*/*"),
        Some("json"),
    ] {
        let answer = hub.send(raw(&hub, "POST", content_type, body.clone())).await;
        assert_refused(&answer, 415, ErrorCode::UnsupportedMediaType, &format!("{content_type:?}"));
    }
    let parts = [("operations", body.as_str()), ("map", "{\"0\":[\"variables.file\"]}"), ("0", "contents")];
    let part = |(name, text): (&str, &str)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let upload = format!("{}--x--\r\n", parts.map(part).concat());
    let answer = hub.send(raw(&hub, "POST", Some("multipart/form-data; boundary=x"), upload)).await;
    assert_refused(&answer, 415, ErrorCode::UnsupportedMediaType, "an upload");
    for content_type in
        ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json ;charset=UTF-8"]
    {
        let answer = hub.send(raw(&hub, "POST", Some(content_type), body.clone())).await;
        assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{content_type}");
    }
}

async fn a_body_that_is_no_single_request_is_refused(hub: Hub) {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "null",
        "5",
        "true",
        "{ me { role } }",
        "\"{ me { role } }\"",
        "query={me{role}}",
        "[]",
        r#"[{"query":"{ me { role } }"}]"#,
        r#"[{"query":"{ me { role } }"},{"query":"{ me { role } }"}]"#,
        // serde would read this as a request.
        r#"["{ me { role } }",null,null,null]"#,
        r#"  ["{ me { role } }",null,{},{}]"#,
        "{}",
        r#"{"Query":"{ me { role } }"}"#,
        r#"{"documentId":"sha256:1"}"#,
        r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"1"}}}"#,
        r#"{"query":null}"#,
        r#"{"query":5}"#,
        r#"{"query":["{ me { role } }"]}"#,
        r#"{"query":{"me":"role"}}"#,
        r#"{"query":"{ me { role } }","variables":"x"}"#,
        r#"{"query":"{ me { role } }","variables":"{}"}"#,
        r#"{"query":"{ me { role } }","variables":[]}"#,
        r#"{"query":"{ me { role } }","variables":5}"#,
        r#"{"query":"{ me { role } }","variables":false}"#,
        r#"{"query":"{ me { role } }","operationName":5}"#,
        r#"{"query":"{ me { role } }","operationName":["x"]}"#,
        r#"{"query":"{ me { role } }","query":"{ me { role } }"}"#,
        r#"{"query":"{ me { role } }"}{"query":"{ me { role } }"}"#,
        r#"{"query":"{ me { role } }"} x"#,
        r#"{"query":"{ me { role } }",}"#,
        r#"{'query':'{ me { role } }'}"#,
        r#"{"query":"{ me { role } }","variables":{"a":NaN}}"#,
        "{\"query\":\"{ me { role } }\n\"}",
        "\u{feff}{\"query\":\"{ me { role } }\"}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.push(b"{\"query\":\"{ me { role } } # \xff\"}".to_vec());
    bodies.push("{\"query\":\"{ me { role } }\"}".encode_utf16().flat_map(u16::to_le_bytes).collect());
    let nested = format!(r#"{{"query":"{ME}","variables":{{"a":{}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    bodies.push(nested.into_bytes());
    for body in bodies {
        let why = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = hub.send(raw(&hub, "POST", Some("application/json"), body)).await;
        assert_refused(&answer, 400, ErrorCode::BadRequest, &why);
    }
    for body in [
        r#"{"query":"{ me { role } }"}"#,
        " \r\n\t{\"query\":\"{ me { role } }\"} \n",
        r#"{"query":"{ me { role } }","variables":null,"operationName":null,"extensions":null}"#,
        r#"{"query":"{ me { role } }","variables":{},"operationName":"","extensions":{"a":[1]}}"#,
        r#"{"query":"query A { me { role } } query B { agencies { id } }","operationName":"A","more":true}"#,
        r#"{"variables":{"unused":1},"query":"{ me { role } }"}"#,
    ] {
        let answer = hub.send(raw(&hub, "POST", Some("application/json"), body)).await;
        assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES", "{body}");
    }
}

async fn a_body_over_one_mebibyte_is_refused(hub: Hub) {
    let of = |size: usize| {
        let empty = json!({ "query": ME, "extensions": "" }).to_string();
        json!({ "query": ME, "extensions": "x".repeat(size - empty.len()) }).to_string()
    };
    let mebibyte = 1024 * 1024;
    let answer = hub.send(raw(&hub, "POST", Some("application/json"), of(mebibyte))).await;
    assert_eq!(answer.data("/me/role"), "SOCIAL_SERVICES");
    // What is declared is not what is sent.
    for (size, declared) in [
        (mebibyte + 1, None),
        (mebibyte + 1, Some("1048577")),
        (mebibyte + 1, Some("10")),
        (mebibyte + 1, Some("-1")),
        (mebibyte + 1, Some("99999999999999999999999999")),
        (100, Some("1048577")),
        (100, Some("18446744073709551615")),
        (20 * mebibyte, None),
    ] {
        let mut request = raw(&hub, "POST", Some("application/json"), of(size));
        if let Some(declared) = declared {
            request.headers_mut().insert("content-length", declared.parse().expect("a header"));
        }
        let answer = hub.send(request).await;
        assert_refused(&answer, 413, ErrorCode::BodyTooLarge, &format!("{size} {declared:?}"));
    }
    let mut request = raw(&hub, "POST", Some("application/json"), of(20 * mebibyte));
    request.headers_mut().remove("authorization");
    let answer = hub.send(request).await;
    assert_refused(&answer, 401, ErrorCode::Unauthenticated, "a body is not read for nobody");
}

async fn there_is_one_address_and_beside_it_nothing(hub: Hub) {
    for path in [
        "/",
        "/graphql/",
        "/graphql/graphql",
        "/GraphQL",
        "//graphql",
        "/graphql/..%2f..%2fetc/passwd",
        "/graphiql",
        "/playground",
        "/schema.graphql",
        "/api",
        "/health",
        "/health/",
        "/metrics",
        "/debug/pprof",
        "/.env",
        "/.git/config",
        "/favicon.ico",
    ] {
        for token in [true, false] {
            let mut request = ask(&hub, ME, None);
            *request.uri_mut() = path.parse().expect("an address");
            if !token {
                request.headers_mut().remove("authorization");
            }
            assert_refused(&hub.send(request).await, 404, ErrorCode::NoSuchPath, path);
        }
    }
}

async fn samverka_headers_are_short_single_and_printable(hub: Hub) {
    let send = async |headers: &[(&'static str, &[u8])]| {
        let mut request = ask(&hub, ME, None);
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_bytes(value).expect("a header"));
        }
        hub.send(request).await
    };
    for name in ["samverka-purpose", "samverka-case", "samverka-user"] {
        let long = "x".repeat(129);
        let invalid: [&[(&str, &[u8])]; 8] = [
            &[(name, long.as_bytes())],
            &[(name, "blåbär".as_bytes())],
            &[(name, b"\xe5")],
            &[(name, b"a\tb")],
            &[(name, b"PROTECT"), (name, b"PROTECT")],
            &[(name, b"PROTECT"), (name, b"")],
            &[(name, b""), (name, b"PROTECT")],
            &[(name, b"PROTECT"), (name, b"RETURN"), (name, b"PROTECT")],
        ];
        for headers in invalid {
            assert_refused(&send(headers).await, 400, ErrorCode::HeaderInvalid, &format!("{name} {headers:?}"));
        }
        assert_eq!(send(&[(name, b"")]).await.data("/me/role"), "SOCIAL_SERVICES", "empty is absent");
        assert_eq!(send(&[(name, b"  ")]).await.data("/me/role"), "SOCIAL_SERVICES", "empty is absent");
    }
    let longest = "x".repeat(128);
    for name in ["samverka-case", "samverka-user"] {
        assert_eq!(send(&[(name, longest.as_bytes())]).await.data("/me/role"), "SOCIAL_SERVICES");
    }
    for purpose in ["x", "protect", "PROTECT,SEARCH", "PROTECT SEARCH", "null", longest.as_str()] {
        let answer = send(&[("samverka-purpose", purpose.as_bytes())]).await;
        assert_refused(&answer, 400, ErrorCode::PurposeUnknown, purpose);
    }
    assert_eq!(send(&[("samverka-purpose", b" PROTECT ")]).await.data("/me/role"), "SOCIAL_SERVICES");
    let answer = send(&[("samverka-purpose", b"RETURN")]).await;
    assert_refused(&answer, 403, ErrorCode::PurposeNotAllowed, "RETURN");
}

// ---------------------------------------------------------------------------------------------------------------
// How it is answered.

async fn an_answer_has_the_media_type_that_was_asked_for(hub: Hub) {
    let graphql = "application/graphql-response+json; charset=utf-8";
    let plain = "application/json; charset=utf-8";
    let bomb = format!("{{...f0}}{}", fragments(30, |i| format!("...f{i} ...f{i}"), "__typename"));
    for (accept, media) in [
        (None, plain),
        (Some("*/*"), plain),
        (Some("application/*"), plain),
        (Some("text/html"), plain),
        (Some("application/json"), plain),
        (Some("application/graphql-response+jsonx"), plain),
        (Some("application/graphql-response+json;q=0, application/json"), plain),
        (Some("application/graphql-response+json; q=0.0"), plain),
        (Some("application/json, application/graphql-response+json;q=0.5"), plain),
        (Some("application/graphql-response+json"), graphql),
        (Some("Application/GraphQL-Response+JSON;charset=utf-8"), graphql),
        (Some("application/graphql-response+json, application/json;q=0.9"), graphql),
        (Some("application/json;q=0.9, application/graphql-response+json"), graphql),
        (Some("application/json, application/graphql-response+json"), graphql),
        (Some("text/html;q=0.9,application/graphql-response+json;q=0.1,*/*;q=0.05"), graphql),
    ] {
        let why = format!("{accept:?}");
        let sound = async |request: Request<Body>| {
            let answer = hub.send(request).await;
            assert_eq!(answer.headers["content-type"], media, "{why}");
            assert_hardened(&answer, &why);
            answer
        };
        let answer = sound(ask(&hub, ME, accept)).await;
        assert_eq!((answer.status.as_u16(), answer.data("/me/role")), (200, &json!("SOCIAL_SERVICES")), "{why}");
        // A document that was not executed has no `data`; the status tells of it where the media type lets it.
        let failed = if media == graphql { 400 } else { 200 };
        for query in ["{ nonsense }", "{", "{ me }", "query A{me{role}} query B{me{role}}", &bomb] {
            let answer = sound(ask(&hub, query, accept)).await;
            assert_eq!(answer.status, failed, "{why}: {query}");
            assert!(answer.json.get("data").is_none(), "{why}: {query}");
            assert!(!answer.codes().is_empty() && !answer.codes().contains(&"none"), "{why}: {query}");
        }
        // What was executed, and failed in part, has `data`.
        let mut request = ask(&hub, "{ child(id: \"child_x\") { id } }", accept);
        request.headers_mut().insert("samverka-purpose", HeaderValue::from_static("PROTECT"));
        let answer = sound(request).await;
        assert_eq!((answer.status.as_u16(), answer.codes()), (200, vec!["INVALID_ID"]), "{why}");
        assert_eq!(answer.json["data"], json!({ "child": null }), "{why}");
        // What is no request of GraphQL has its own status in either.
        let mut request = ask(&hub, ME, accept);
        *request.body_mut() = Body::from("[]");
        assert_refused(&sound(request).await, 400, ErrorCode::BadRequest, &why);
        let mut request = ask(&hub, ME, accept);
        request.headers_mut().remove("authorization");
        assert_refused(&sound(request).await, 401, ErrorCode::Unauthenticated, &why);
    }
    let mut request = ask(&hub, ME, Some("application/json"));
    request.headers_mut().append("accept", HeaderValue::from_static("application/graphql-response+json"));
    assert_eq!(hub.send(request).await.headers["content-type"], graphql, "two headers are one list");
}

async fn every_answer_is_hardened_and_has_an_id_of_its_own(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let mut requests = vec![
        ask(&hub, ME, None),
        ask(&hub, "{ nonsense }", None),
        ask(&hub, "{", None),
        ask(&hub, "{ children { nodes { id } } }", None),
        raw(&hub, "GET", None, ""),
        raw(&hub, "POST", None, ""),
        raw(&hub, "POST", Some("application/json"), "x".repeat(2_000_000)),
        raw(&hub, "POST", Some("application/json"), "[]"),
        Request::get("/health/live").body(Body::empty()).expect("a request"),
        Request::get("/health/ready").body(Body::empty()).expect("a request"),
        Request::post("/health/live").body(Body::empty()).expect("a request"),
        Request::get("/nowhere").body(Body::empty()).expect("a request"),
        Request::post("/graphql").body(Body::empty()).expect("a request"),
        Request::post("/graphql").header("authorization", "Bearer x").body(Body::empty()).expect("a request"),
    ];
    let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    requests.push(hub.caller("malmo-soc").request(json!({ "query": query, "variables": { "id": child.id } })));
    requests.push(hub.caller("skola").request(json!({ "query": query, "variables": { "id": child.id } })));
    let mut ids = HashSet::new();
    for mut request in requests {
        // The id is the hub's and never the caller's.
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("0123456789abcdef0123456789abcdef"));
        let why = format!("{} {}", request.method(), request.uri());
        let answer = hub.send(request).await;
        assert_hardened(&answer, &why);
        let id = answer.headers["x-request-id"].to_str().expect("a text").to_owned();
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !id.starts_with("0123456789"), "{why}: {id}");
        assert!(ids.insert(id), "{why}: an id of its own");
    }
}

async fn a_syntax_error_tells_the_place_and_never_the_line(hub: Hub) {
    let secret = "Kanariesson";
    for (query, line, column) in [
        (format!("{{ child(id: \"{secret}\") {{ id }}"), 1, 34),
        (format!("{{ me {{ role }} }} # {secret}\n{secret} {{"), 2, 1),
        (secret.to_owned(), 1, 1),
        (format!("{{\n  me({secret} 5) {{ role }}\n}}"), 2, 18),
        (format!("query({secret}: ID!) {{ me {{ role }} }}"), 1, 7),
        (format!("{{ child(id: \"{secret}\u{1}\n\") {{ id }} }}"), 1, 13),
    ] {
        let answer = hub.caller("malmo-soc").ask(&query).await;
        assert_refused(&answer, 200, ErrorCode::ParseFailed, &query);
        assert!(!answer.text.contains(secret), "{query}: {}", answer.text);
        let at = &answer.json["errors"][0]["locations"][0];
        assert_eq!(at["line"], line, "{query}");
        assert!(at["column"].as_u64().is_some_and(|found| found >= 1 && found <= column), "{query}: {at}");
    }
    let long = format!("{{ me {{ role }} }} {}", "x".repeat(60_000));
    let answer = hub.caller("malmo-soc").ask(&long).await;
    assert!(answer.text.len() < 500, "{} bytes", answer.text.len());
}

async fn a_flood_of_errors_is_cut(hub: Hub) {
    let many = |what: &str| (0..1_000).map(|i| format!("{what}{i} ")).collect::<String>();
    let long = "x".repeat(50_000);
    for (query, most) in [
        (format!("{{ me {{ {} }} }}", many("unknown")), 20),
        (format!("query({}) {{ me {{ role }} }}", many("$a: Int $b")), 20),
        (format!("{{ me {{ role {} }} }}", many("@unknown")), 20),
        (format!("{{ me({}) {{ role }} }}", many("a: 1, b: 2, a").replace(' ', ":1 ")), 20),
        (format!("{{ me {{ {} }} }}", many("role: agency a")), 20),
        (format!("{{ {long} }}"), 1),
        (format!("{{ ... on {long} {{ id }} }}"), 1),
        (format!("{{ me({long}: 1) {{ role }} }}"), 2),
        (format!("{{ me @{long} {{ role }} }}"), 1),
        (format!("query(${long}: {long}) {{ me {{ role }} }}"), 3),
        (format!("{{ child(id: 5, {long}: \"{long}\") {{ id }} }}"), 3),
    ] {
        let answer = hub.caller("malmo-soc").ask(&query).await;
        let why = query.chars().take(60).collect::<String>();
        assert!((1..=most).contains(&answer.codes().len()), "{why}: {}", answer.codes().len());
        assert!(answer.text.len() < 12_000, "{why}: {} bytes", answer.text.len());
    }
}

async fn an_error_of_validation_says_what_to_do(hub: Hub) {
    for query in [
        "{ nonsense }",
        "{ me }",
        "{ me { role { x } } }",
        "{ child { id } }",
        "{ child(id: 5.5) { id } }",
        "{ child(id: \"x\", id: \"y\") { id } }",
        "{ children(first: \"many\") { nodes { id } } }",
        "{ agencies(kind: KINGDOM) { id } }",
        "query($a: Nonsense) { me { role } }",
        "{ child(id: $id) { id } }",
        "{ ...nowhere }",
        "{ me { ...f } } fragment f on Nonsense { role }",
        "{ me { ...f } } fragment f on Child { id }",
        "{ me @nonsense { role } }",
        "mutation { nonsense }",
        "subscription { me { role } }",
        "query A { me { role } } query B { me { role } }",
    ] {
        let answer = hub.caller("malmo-soc").ask(query).await;
        assert_hardened(&answer, query);
        assert!(answer.json.get("data").is_none(), "{query}: {}", answer.text);
        let errors = answer.json["errors"].as_array().expect("errors").clone();
        assert!(!errors.is_empty(), "{query}");
        for error in errors {
            assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED", "{query}");
            for part in ["sv", "remedy", "remedySv"] {
                assert!(error["extensions"][part].as_str().is_some_and(|text| text.len() > 5), "{query}: {part}");
            }
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{query}");
        }
    }
    let body = json!({ "query": "query A { me { role } }", "operationName": "B" });
    let answer = hub.send(hub.caller("malmo-soc").request(body)).await;
    assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
}

async fn variables_that_do_not_fit_are_errors_of_the_request(hub: Hub) {
    let one = "query($id: ID!) { child(id: $id) { id } }";
    let page = "query($n: Int) { children(first: $n) { nodes { id } } }";
    let kind = "query($k: IdentifierKind!) { childByIdentifier(kind: $k, value: \"1\") { id } }";
    for (query, variables) in [
        (one, json!({})),
        (one, json!({ "id": null })),
        (one, json!({ "id": {} })),
        (one, json!({ "id": true })),
        (page, json!({ "n": "5" })),
        (page, json!({ "n": 5.5 })),
        (page, json!({ "n": [5, 6] })),
        (kind, json!({ "k": "KING" })),
        (kind, json!({ "k": 5 })),
    ] {
        let body = json!({ "query": query, "variables": variables });
        let answer =
            hub.send(hub.caller("malmo-soc").header("accept", "application/graphql-response+json").request(body)).await;
        let why = format!("{query} {variables}");
        assert_eq!(answer.status, 400, "{why}: {}", answer.text);
        assert!(answer.json.get("data").is_none(), "{why}: {}", answer.text);
        assert!(answer.codes().iter().all(|code| *code == "GRAPHQL_VALIDATION_FAILED"), "{why}: {}", answer.text);
    }
    // Nothing is done before it is known that all can be done.
    let child = hub.child(Scene::default()).await;
    let version = "query($id: ID!) { child(id: $id) { voice { version wishes } } }";
    let before = hub.caller("malmo-soc").ask_with(version, json!({ "id": child.id })).await;
    let twice = "mutation($id: ID!, $v: String!, $w: String!) {
        a: updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"En cykel\" }) { child { id } }
        b: updateVoice(childId: $id, expectedVersion: $w, set: { wishes: \"En båt\" }) { child { id } } }";
    let variables = json!({ "id": child.id, "v": before.data("/child/voice/version") });
    let answer = hub.caller("malmo-soc").ask_with(twice, variables).await;
    assert_eq!((answer.status.as_u16(), answer.codes()), (200, vec!["GRAPHQL_VALIDATION_FAILED"]), "{}", answer.text);
    assert_eq!(answer.json["errors"][0]["message"], "the variable `w` is required");
    let after = hub.caller("malmo-soc").ask_with(version, json!({ "id": child.id })).await;
    assert_eq!(after.text, before.text);
    // A default stands in for what is not given, and what may be null need not be.
    let optional = "query($n: Int! = 1, $after: String) { children(first: $n, after: $after) { nodes { id } } }";
    assert!(hub.caller("malmo-soc").ask(optional).await.data("/children/nodes").is_array());
}

// ---------------------------------------------------------------------------------------------------------------
// What is hostile.

/// So many fragments and one more, each with a body that may name the next.
fn fragments(count: usize, body: impl Fn(usize) -> String, last: &str) -> String {
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
        ("lists behind a string that never ends", format!("{{__type(name:[\"\"\"x\" {lists}]){{name}}}}")),
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
        "variables": { "id": "x".repeat(900_000) } });
    let answer = hub.send(hub.caller("malmo-soc").request(body)).await;
    assert_refused(&answer, 200, ErrorCode::QueryRefused, "a large variable");
    // The greediest that is answered.
    for (query, most) in [
        (format!("{{fieldRules{{{}}}}}", many(94, "rules{sv}")), 8_000_000),
        (format!("{{__schema{{types{{{}}}}}}}", many(220, "fields{name}")), 8_000_000),
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

// ---------------------------------------------------------------------------------------------------------------
// What must not be said.

/// Requests of everyone about a child, most of which fail, each in its own way.
pub async fn mixed_work(hub: &Hub, child: &TestChild) -> Vec<Answer> {
    let mut answers = Vec::new();
    let all = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    let known: Vec<&String> = child.canaries.values().collect();
    let unknown = child_id(uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0002));
    for persona in ["malmo-soc", "migrationsverket", "skola", "polisen", "hvb-malmo", "radda-barnen", "dataskydd"] {
        let caller = hub.caller(persona).header("samverka-case", "Kanariefall-2026-2");
        for id in [child.id.as_str(), unknown.as_str(), "child_x", ""] {
            answers.push(caller.ask_with(&all, json!({ "id": id })).await);
        }
        answers.push(caller.ask("{ children(first: 100) { nodes { id identity { givenNames } } } }").await);
        answers.push(caller.ask("{ children(first: 0) { nodes { id identity { givenNames } } } }").await);
        let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { fields: shown } } } }";
        answers.push(caller.ask_with(log, json!({ "id": child.id })).await);
        answers.push(caller.clone().without_purpose().ask_with(&all, json!({ "id": child.id })).await);
        answers.push(caller.clone().purpose("RETURN").ask_with(&all, json!({ "id": child.id })).await);
        for (section, field) in [("Voice", "wishes"), ("Identity", "givenNames"), ("Health", "criticalNeeds")] {
            for version in ["x", ""] {
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $x: String!) {{ update{section}(childId: $id, \
                     expectedVersion: $v, set: {{ {field}: $x }}) {{ child {{ id }} }} }}"
                );
                for text in [known[0].as_str(), "", &"x".repeat(20_000)] {
                    let variables = json!({ "id": child.id, "v": version, "x": text });
                    answers.push(caller.ask_with(&mutation, variables).await);
                }
            }
        }
        for canary in known.iter().take(if persona == "malmo-soc" { known.len() } else { 3 }) {
            // Canaries where they do not belong: in numbers, in ids, in the document itself.
            let number = "query($x: String!) { childByIdentifier(kind: LMA_CARD, value: $x) { id } }";
            answers.push(caller.ask_with(number, json!({ "x": canary })).await);
            answers.push(caller.ask_with(&all, json!({ "id": format!("child_{canary}") })).await);
        }
    }
    answers
}

async fn no_error_holds_anything_of_a_child(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let mut answers = mixed_work(&hub, &child).await;
    // Numbers that another child has already, and a database that fails in the middle.
    let add = "mutation($id: ID!, $x: String!) { addIdentifier(childId: $id,
        identifier: { kind: DOSSIER_NUMBER, value: $x, identityLevel: ATTESTED }) { child { id } } }";
    let other = hub.child(Scene::default()).await;
    for canary in child.canaries.values() {
        answers.push(hub.caller("migrationsverket").ask_with(add, json!({ "id": other.id, "x": canary })).await);
    }
    hub.sql("ALTER TABLE identity RENAME TO identity_gone").await;
    hub.sql("ALTER TABLE placement RENAME COLUMN street TO street_gone").await;
    answers.extend(mixed_work(&hub, &child).await);
    let failed: Vec<&Answer> = answers.iter().filter(|answer| !answer.json["errors"].is_null()).collect();
    let codes: HashSet<&str> = failed.iter().flat_map(|answer| answer.codes()).collect();
    for code in ["NOT_FOUND", "INVALID_ID", "UNAVAILABLE", "PURPOSE_REQUIRED", "PURPOSE_NOT_ALLOWED", "PAGE_SIZE"] {
        assert!(codes.contains(code), "{code} is among {codes:?}");
    }
    for answer in failed {
        let errors = answer.json["errors"].to_string();
        for (field, canary) in &child.canaries {
            assert!(!errors.contains(canary.as_str()), "{field} in {errors}");
        }
        for innards in INNARDS.iter().chain(&["identity_gone", "street_gone", "42P01", "42703"]) {
            assert!(!errors.contains(innards), "{innards} in {errors}");
        }
        assert!(!errors.contains(&child.subject.to_string()) && !errors.contains(&child.uuid.to_string()), "{errors}");
    }
}

/// Everything that is told while a test listens, by this test and by those that run beside it.
static TOLD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENERS: AtomicUsize = AtomicUsize::new(0);

struct Listening;

impl Listening {
    /// Listens at the finest level to every crate, in every thread.
    fn begin() -> Listening {
        static ONCE: OnceLock<()> = OnceLock::new();
        ONCE.get_or_init(|| {
            let heard = dynamic_filter_fn(|_, _| LISTENERS.load(Ordering::SeqCst) > 0);
            let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_span_events(FmtSpan::NEW);
            let layer = layer.with_writer(Tap).with_filter(heard);
            let all = tracing_subscriber::registry().with(layer);
            tracing::subscriber::set_global_default(all).expect("nobody else listens");
        });
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        Listening
    }

    fn told(&self) -> String {
        String::from_utf8_lossy(&TOLD.lock().expect("the tap")).into_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Tap;

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        TOLD.lock().expect("the tap").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Tap {
    type Writer = Tap;

    fn make_writer(&self) -> Tap {
        Tap
    }
}

async fn what_the_hub_tells_of_itself_holds_nothing_of_a_child(hub: Hub) {
    let listening = Listening::begin();
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let token = hub.token("malmo-soc");
    let mut secrets: Vec<String> = child.canaries.values().cloned().collect();
    let caller = hub
        .caller("malmo-soc")
        .header("samverka-case", "Kanariefall-2026-1")
        .header("samverka-user", "kanarieanvandare");
    secrets.extend(["Kanariefall".to_owned(), "kanarieanvandare".to_owned()]);
    // What is read, searched for and written, rightly and wrongly.
    mixed_work(&hub, &child).await;
    let version = "query($id: ID!) { child(id: $id) { voice { version } } }";
    let answer = caller.ask_with(version, json!({ "id": child.id })).await;
    let update = "mutation($id: ID!, $v: String!, $x: String) { updateVoice(childId: $id, expectedVersion: $v,
        set: { wishes: $x }) { child { voice { wishes } } } }";
    let wish = "Kanarieönskan om en egen cykel";
    let variables = json!({ "id": child.id, "v": answer.data("/child/voice/version"), "x": wish });
    assert_eq!(caller.ask_with(update, variables.clone()).await.data("/updateVoice/child/voice/wishes"), wish);
    assert_eq!(caller.ask_with(update, variables).await.codes(), ["CONFLICT"]);
    secrets.push(wish.to_owned());
    // Personal data in the document itself: names of fields, of operations, of fragments, in broken syntax.
    for query in [
        "{ Kanariesson }",
        "query Kanariesson { me { role } }",
        "{ Kanariesson: me { role } }",
        "{ me { role } } # Kanariesson",
        "{ Kanariesson",
        "{ ...Kanariesson }",
        "{ child(id: \"Kanariesson\") { id } }",
        "mutation Kanariesson { Kanariesson }",
        "{ childByIdentifier(kind: Kanariesson, value: \"Kanariesson\") { id } }",
    ] {
        caller.ask(query).await;
        let body = json!({ "query": query, "operationName": "Kanariesson", "variables": { "Kanariesson": 1 } });
        hub.send(caller.request(body)).await;
    }
    secrets.push("Kanariesson".to_owned());
    // Tokens that are good, that are broken, and in the wrong place.
    for value in [format!("Bearer {token}x"), format!("Basic {token}"), format!("Bearer {token} Kanariebiljett")] {
        let mut request = ask(&hub, ME, None);
        request.headers_mut().insert("authorization", value.parse().expect("a header"));
        assert_eq!(hub.send(request).await.status, 401);
    }
    let mut request = ask(&hub, ME, None);
    *request.uri_mut() = format!("/graphql/Kanarieadress?token={token}").parse().expect("an address");
    assert_eq!(hub.send(request).await.status, 404);
    hub.wait(13 * HOUR);
    let mut request = ask(&hub, ME, None);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    assert_eq!(hub.send(request).await.codes(), ["TOKEN_EXPIRED"]);
    secrets.extend(token.split('.').map(str::to_owned));
    secrets.extend(["Kanariebiljett".to_owned(), "Kanarieadress".to_owned()]);
    // A database that fails quotes the values at hand.
    hub.sql("ALTER TABLE identity RENAME TO identity_gone").await;
    hub.sql("ALTER TABLE voice RENAME COLUMN wishes TO wishes_gone").await;
    mixed_work(&hub, &child).await;
    let told = listening.told();
    for control in ["answered", "a token was refused", "the request failed"] {
        assert!(told.contains(control), "something was heard: {control}");
    }
    for secret in secrets {
        let at = told.find(&secret);
        let around = at.map(|at| told.get(at.saturating_sub(300)..at + 100).unwrap_or("…"));
        assert!(at.is_none(), "`{secret}` was told: {around:?}");
    }
}

// ---------------------------------------------------------------------------------------------------------------
// What is open.

async fn every_error_code_is_in_the_catalogue(hub: Hub) {
    let query = "{ errorCatalog { code status en sv remedy remedySv } }";
    let answer = hub.caller("skola").without_purpose().ask(query).await;
    let catalogue = answer.data("/errorCatalog").as_array().expect("a list").clone();
    assert_eq!(catalogue.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        let entry = code.entry();
        let expected = json!({ "code": entry.code, "status": entry.status, "en": entry.en, "sv": entry.sv,
            "remedy": entry.remedy_en, "remedySv": entry.remedy_sv });
        assert!(catalogue.contains(&expected), "{}", entry.code);
        for text in [entry.en, entry.sv, entry.remedy_en, entry.remedy_sv] {
            assert!(text.len() > 10, "{}", entry.code);
        }
    }
}

/// What GraphiQL, Apollo and the code generators ask first.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

async fn introspection_works_with_a_token(hub: Hub) {
    for persona in ["malmo-soc", "radda-barnen", "lansstyrelsen-skane"] {
        let answer = hub.caller(persona).without_purpose().ask(INTROSPECTION).await;
        let types = answer.data("/__schema/types").as_array().expect("types").clone();
        for name in ["Query", "Mutation", "Child", "Identity", "ChildConnection", "Withheld", "PageInfo"] {
            assert!(types.iter().any(|ty| ty["name"] == name && ty["kind"] == "OBJECT"), "{name}");
        }
        assert_eq!(answer.data("/__schema/subscriptionType"), &Value::Null);
    }
}

async fn get(hub: &Hub, path: &str, headers: HeaderMap) -> Answer {
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    *request.headers_mut() = headers;
    hub.send(request).await
}

async fn the_hub_is_live_and_ready(hub: Hub) {
    for (path, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
        let answer = get(&hub, path, HeaderMap::new()).await;
        assert_eq!((answer.status.as_u16(), answer.json.clone()), (200, json!({ "status": status })), "{path}");
        assert_hardened(&answer, path);
        // They tell nothing more to those who send a token, and take no orders.
        let token = HeaderValue::from_str(&format!("Bearer {}", hub.token("dataskydd"))).expect("a header");
        let with = get(&hub, path, HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, token)])).await;
        assert_eq!((with.status, with.text), (answer.status, answer.text));
        let post = hub.send(Request::post(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(post.status, 405, "{path}");
    }
}

async fn while_the_access_log_cannot_be_written_the_hub_is_not_ready(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let shows = "query($id: ID!) { child(id: $id) { identity { givenNames } } }";
    let before = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
    assert!(before.data("/child/identity/givenNames").is_string());
    let check = async || {
        let answer = get(&hub, "/health/ready", HeaderMap::new()).await;
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.json["status"], "unavailable");
        assert_eq!(get(&hub, "/health/live", HeaderMap::new()).await.status, 200, "the process lives");
        let refused = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert_eq!(refused.headers["retry-after"], "5");
        assert!(matches!(refused.codes()[..], ["AUDIT_UNAVAILABLE" | "UNAVAILABLE"]), "{}", refused.text);
        assert!(refused.json.get("data").is_none(), "{}", refused.text);
        for canary in child.canaries.values() {
            assert!(!refused.text.contains(canary.as_str()), "nothing is shown: {}", refused.text);
        }
    };
    match hub.database.kind {
        Kind::Sqlite => {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let held = hub.outside.begin_with_options(immediate).await.expect("takes the lock");
            check().await;
            held.rollback().await.expect("gives the lock back");
        }
        Kind::Postgres => {
            // A lock would not keep a transaction from beginning, so every connection is cut and none is taken.
            let (server, name) = hub.database.url.rsplit_once('/').expect("a database");
            let admin = sea_orm::Database::connect(format!("{server}/postgres")).await.expect("connects");
            let run = async |sql: String| admin.execute_unprepared(&sql).await.expect("runs");
            run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
            run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")).await;
            check().await;
            run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
            admin.close().await.expect("closes");
        }
    }
    // Once it can be written again the hub answers, and is ready.
    let begun = Instant::now();
    loop {
        let answer = hub.caller("malmo-soc").ask_with(shows, json!({ "id": child.id })).await;
        let ready = get(&hub, "/health/ready", HeaderMap::new()).await;
        if answer.status == 200 && answer.json["errors"].is_null() && ready.status == 200 {
            assert_eq!(answer.text, before.text);
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{} {}", answer.text, ready.text);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
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
