//! Whether the hub lives, and whether it can answer.

use super::Service;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// 200 while the process runs.
pub(super) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// 200 if the access log can be written; 503 otherwise, because then nothing may be shown.
pub(super) async fn ready(State(service): State<Service>) -> (StatusCode, Json<Value>) {
    if service.0.hub.is_ready().await {
        (StatusCode::OK, Json(json!({ "status": "ready" })))
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "unavailable", "reason": "the access log cannot be written" })),
        )
    }
}
