//! The door itself: what is taken, what is refused and how, that a hostile document costs nothing, and that neither
//! an error nor the hub's own telling of what it does carries anything of a child.

mod answered;
mod hostile;
mod open;
pub mod silent;
mod taken;

use crate::harness::{Answer, Hub};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use samverka_domain::error::ErrorCode;
use serde_json::json;

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
    for name in answer.headers.keys().map(|name| name.as_str()) {
        let telling = ["server", "x-powered-by", "via", "set-cookie"].contains(&name);
        assert!(!telling && !name.starts_with("access-control-"), "{why}: {name}");
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
    // A document over a limit is told which, and by how much: tests/hub/gate.rs.
    if code == ErrorCode::QueryRefused {
        assert!(answer.json.get("data").is_none(), "{why}");
        return;
    }
    let extensions = json!({
        "code": entry.code, "sv": entry.sv, "remedy": entry.remedy_en, "remedySv": entry.remedy_sv });
    assert_eq!(error, json!({ "message": entry.en, "extensions": extensions }), "{why}");
    assert_eq!(answer.json.as_object().map(serde_json::Map::len), Some(1), "{why}: no data");
}

async fn get(hub: &Hub, path: &str, headers: HeaderMap) -> Answer {
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    *request.headers_mut() = headers;
    hub.send(request).await
}
