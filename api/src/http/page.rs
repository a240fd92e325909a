//! The playground's files, and how the page finds the hub.

use super::answer::refusal;
use crate::playground;
use axum::extract::Request;
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use samverka_domain::error::ErrorCode;
use serde_json::json;

/// The routes of the page. In a sandbox it can ask for tokens; elsewhere its user brings one.
pub(super) fn routes(is_sandbox: bool) -> Router {
    let path = playground::PATH;
    let config = move || async move { Json(json!({ "sandbox": is_sandbox, "graphql": "/graphql" })) };
    Router::new()
        .route("/", get(|| async { Redirect::temporary(playground::PATH) }).fallback(only_get))
        .route(path, any(file))
        .route(&format!("{path}/"), any(file))
        .route(&format!("{path}/config.json"), get(config).fallback(only_get))
        .route(&format!("{path}/{{*file}}"), any(file))
}

async fn file(request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    if *method != Method::GET && *method != Method::HEAD {
        return not_allowed("GET, HEAD");
    }
    let name = path.strip_prefix(playground::PATH).unwrap_or_default();
    let name = name.strip_prefix('/').unwrap_or(name);
    playground::answer(name, method, request.headers()).unwrap_or_else(|| refusal(ErrorCode::NoSuchPath))
}

pub(super) async fn only_get() -> Response {
    not_allowed("GET, HEAD")
}

pub(super) fn not_allowed(allowed: &'static str) -> Response {
    let mut response = refusal(ErrorCode::MethodNotAllowed).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
