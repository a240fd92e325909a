//! How it is answered: in the media type that was asked for, hardened, and with errors that say what to do.

use super::hostile::fragments;
use super::{ME, ask, assert_hardened, assert_refused, get, raw};
use crate::both;
use crate::harness::{Hub, Scene, everything};
use axum::body::Body;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, Request};
use samverka_domain::error::ErrorCode;
use serde_json::json;
use std::collections::HashSet;

both! {
    an_answer_has_the_media_type_that_was_asked_for
    where_the_caller_reads_neither_media_type_nothing_is_done
    no_origin_is_let_in
    every_answer_is_hardened_and_has_an_id_of_its_own
    a_syntax_error_tells_the_place_and_never_the_line
    a_flood_of_errors_is_cut
    an_error_of_validation_says_what_to_do
    variables_that_do_not_fit_are_errors_of_the_request
}

async fn an_answer_has_the_media_type_that_was_asked_for(hub: Hub) {
    let graphql = "application/graphql-response+json; charset=utf-8";
    let plain = "application/json; charset=utf-8";
    let bomb = format!("{{...f0}}{}", fragments(30, |i| format!("...f{i} ...f{i}"), "__typename"));
    for (accept, media) in [
        (None, plain),
        (Some("*/*"), plain),
        (Some("application/*"), plain),
        (Some(""), plain),
        (Some(" , "), plain),
        (Some("application/json"), plain),
        (Some("application/json; charset=utf-8"), plain),
        (Some("application/graphql-response+json;q=0, application/json"), plain),
        (Some("application/graphql-response+json;q=0, */*"), plain),
        (Some("application/graphql-response+json;charset=utf-16, application/json;q=0.1"), plain),
        (Some("application/json, application/graphql-response+json;q=0.5"), plain),
        (Some("application/json, text/plain, */*"), plain),
        (Some("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"), plain),
        (Some("application/json;Q=0.001"), plain),
        (Some("application/graphql-response+json;q=0.8, application/*;q=0.9"), plain),
        (Some("application/graphql-response+json"), graphql),
        (Some("Application/GraphQL-Response+JSON;charset=utf-8"), graphql),
        (Some("application/graphql-response+json, application/json;q=0.9"), graphql),
        (Some("application/json;q=0.9, application/graphql-response+json"), graphql),
        (Some("application/json, application/graphql-response+json"), graphql),
        (Some("text/html;q=0.9,application/graphql-response+json;q=0.1,*/*;q=0.05"), graphql),
        (Some("*/*, application/graphql-response+json"), graphql),
        (Some("application/json;q=0, */*"), graphql),
        (Some("application/json;q=0, application/*;q=0.5"), graphql),
        (Some("application/graphql-response+json;charset=\"UTF-8\";q=1.0, application/json;q=0.999"), graphql),
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

async fn where_the_caller_reads_neither_media_type_nothing_is_done(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let voice = "query($id: ID!) { child(id: $id) { voice { version wishes } } }";
    let before = hub.caller("malmo-soc").ask_with(voice, json!({ "id": child.id })).await;
    let update = "mutation($id: ID!, $v: String!) {
        updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"En cykel\" }) { child { id } } }";
    let variables = json!({ "id": child.id, "v": before.data("/child/voice/version") });
    for accept in [
        "text/html",
        "text/*",
        "image/*, text/event-stream",
        "application",
        "application/xml;q=1.0",
        "*",
        "*/json",
        "application/jsonx",
        "application/graphql-response+jsonx",
        "application/graphql+json",
        "multipart/mixed;deferSpec=20220824",
        "application/json;q=0",
        "application/json; q=0.000, application/graphql-response+json; q=0.0",
        "application/json;q=0, application/graphql-response+json;q=0, */*",
        "*/*;q=0",
        "application/*;q=0, */*",
        "application/json;q=2",
        "application/json;q=-1",
        "application/json;q=nan",
        "application/json;q=",
        "application/json;charset=iso-8859-1",
        "\u{e5}",
    ] {
        let body = json!({ "query": update, "variables": variables });
        let mut request = hub.caller("malmo-soc").request(body);
        request.headers_mut().insert("accept", HeaderValue::from_bytes(accept.as_bytes()).expect("a header"));
        let answer = hub.send(request).await;
        assert_refused(&answer, 406, ErrorCode::NotAcceptable, accept);
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8", "{accept}");
    }
    // Who one is comes first, and how one asks.
    let mut request = ask(&hub, ME, Some("text/html"));
    request.headers_mut().remove("authorization");
    assert_refused(&hub.send(request).await, 401, ErrorCode::Unauthenticated, "without a token");
    let mut request = raw(&hub, "GET", None, "");
    request.headers_mut().insert("accept", HeaderValue::from_static("text/html"));
    assert_refused(&hub.send(request).await, 405, ErrorCode::MethodNotAllowed, "GET");
    let after = hub.caller("malmo-soc").ask_with(voice, json!({ "id": child.id })).await;
    assert_eq!(after.text, before.text);
    assert_eq!(
        get(&hub, "/health/live", HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("x/y"))])).await.status,
        200
    );
}

/// A page of another origin is told nothing: the hub has agencies' systems as callers, and no browsers.
async fn no_origin_is_let_in(hub: Hub) {
    for method in ["OPTIONS", "POST", "GET", "HEAD"] {
        for path in ["/graphql", "/health/live", "/nowhere"] {
            for token in [true, false] {
                let mut request = raw(&hub, method, Some("application/json"), json!({ "query": ME }).to_string());
                *request.uri_mut() = path.parse().expect("an address");
                for (name, value) in [
                    ("origin", "https://example.org"),
                    ("access-control-request-method", "POST"),
                    ("access-control-request-headers", "authorization,content-type,samverka-purpose"),
                    ("access-control-request-private-network", "true"),
                    ("sec-fetch-site", "cross-site"),
                ] {
                    request.headers_mut().insert(name, HeaderValue::from_static(value));
                }
                if !token {
                    request.headers_mut().remove("authorization");
                }
                let answer = hub.send(request).await;
                assert_hardened(&answer, &format!("{method} {path}"));
                assert!(method != "OPTIONS" || answer.status.is_client_error(), "{method} {path}: {}", answer.status);
            }
        }
    }
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
