//! HTTP: one door for GraphQL, one for photos, two for whoever watches over the hub.

mod answer;
mod graphql;
mod headers;
mod health;
mod photo;

use crate::auth::Verifier;
use crate::graphql::HubSchema;
use crate::graphql::child::PHOTOS;
use crate::graphql::document::Documents;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};
use samverka_domain::error::ErrorCode;
use samverka_domain::hub::Hub;
use samverka_domain::ids::AgencyId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

/// The largest body that is taken, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

struct Parts {
    hub: Hub,
    schema: HubSchema,
    documents: Documents,
    verifier: Verifier,
    node: String,
    /// The turns of each agency that has asked.
    turns: Mutex<HashMap<AgencyId, Arc<Semaphore>>>,
}

/// How many requests of one agency are under way at most.
const TURNS: usize = 16;

impl Service {
    /// A service on an open hub.
    pub fn new(hub: Hub, schema: HubSchema, verifier: Verifier, node: &str) -> Self {
        let documents = Documents::new(schema.names());
        let turns = Mutex::default();
        Service(Arc::new(Parts { hub, schema, documents, verifier, node: node.to_owned(), turns }))
    }

    /// The turns of an agency.
    fn turn(&self, agency: AgencyId) -> Arc<Semaphore> {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(agency).or_insert_with(|| Arc::new(Semaphore::new(TURNS))).clone()
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/graphql", any(graphql::handle))
            .route(&format!("{PHOTOS}{{handle}}"), any(photo::handle))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready))
            .fallback(|| async { answer::refusal(ErrorCode::NoSuchPath) })
            .with_state(self.clone())
            .layer(CatchPanicLayer::custom(|_| answer::refusal(ErrorCode::Internal)))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(from_fn_with_state(self.clone(), identify))
            .layer(from_fn(harden))
    }
}

/// The id of a request, made by the hub and never taken from the caller.
#[derive(Clone)]
struct RequestId(String);

async fn identify(
    axum::extract::State(service): axum::extract::State<Service>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = samverka_domain::clock::request_id();
    let span = tracing::info_span!("request", id = %id, node = %service.0.node);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = tracing::Instrument::instrument(next.run(request), span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        // An answer that is stricter by itself stays so.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
