//! HTTP: one door for GraphQL, one for photos, two to see whether the hub lives, and one apart for what it counts; beside them the
//! playground, and in a sandbox its desk.

mod answer;
mod graphql;
mod headers;
mod health;
pub mod metrics;
mod page;
mod photo;
mod sandbox;
mod tally;

use crate::auth::Verifier;
use crate::config::Config;
use crate::graphql::HubSchema;
use crate::graphql::child::PHOTOS;
use crate::graphql::document::Documents;
use crate::spans;
use answer::Told;
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
use tally::Tally;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

pub use sandbox::Desk;

/// The largest body that is taken, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// What the hub shows to people, beside its API.
pub enum Front {
    /// Nothing.
    Nothing,
    /// The playground, for callers with a token of their own.
    Page,
    /// The playground, and a desk that gives out tokens of personas and puts the made-up world back.
    Sandbox(Desk),
}

impl Front {
    /// What a production hub shows: the page where its configuration asks for it, and never the desk.
    pub const fn of(config: &Config) -> Self {
        if config.playground { Front::Page } else { Front::Nothing }
    }
}

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
    tally: Tally,
    /// When the service began, in microseconds since 1970.
    since: i64,
}

/// How many requests of one agency are under way at most.
const TURNS: usize = 16;

impl Service {
    /// A service on an open hub.
    pub fn new(hub: Hub, schema: HubSchema, verifier: Verifier, node: &str) -> Self {
        let documents = Documents::new(schema.names());
        let (turns, tally, since) = (Mutex::default(), Tally::new(), hub.clock().now());
        Service(Arc::new(Parts { hub, schema, documents, verifier, node: node.to_owned(), turns, tally, since }))
    }

    /// The turns of an agency.
    fn turn(&self, agency: AgencyId) -> Arc<Semaphore> {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(agency).or_insert_with(|| Arc::new(Semaphore::new(TURNS))).clone()
    }

    /// The routes.
    pub fn router(&self) -> Router {
        self.router_with(Front::Nothing)
    }

    /// The routes, and those of what is shown to people beside the API.
    pub fn router_with(&self, front: Front) -> Router {
        let beside = match front {
            Front::Nothing => Router::new(),
            Front::Page => page::routes(false),
            Front::Sandbox(desk) => page::routes(true).merge(sandbox::routes(desk)),
        };
        Router::new()
            .route("/graphql", any(graphql::handle))
            .route(&format!("{PHOTOS}{{handle}}"), any(photo::handle))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready))
            .fallback(|| async { answer::refusal(ErrorCode::NoSuchPath) })
            .with_state(self.clone())
            .merge(beside)
            .layer(CatchPanicLayer::custom(|_| answer::refusal(ErrorCode::Internal)))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(from_fn_with_state(self.clone(), identify))
            .layer(from_fn(harden))
    }

    /// What the hub counts, at `/metrics`. It asks nobody who they are, so production serves it on an address of its own.
    pub fn metrics(&self) -> Router {
        Router::new().route("/metrics", get(metrics::show)).with_state(self.clone()).layer(from_fn(harden))
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
    spans::follow(&span, request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).instrument(span.clone()).await;
    let codes = response.extensions_mut().remove::<Told>();
    for code in codes.iter().flat_map(|Told(codes)| codes) {
        service.0.tally.refuse(*code);
    }
    if let Some(first) = codes.as_ref().and_then(|Told(codes)| codes.first()) {
        spans::tell(&span, "code", first.entry().code);
    }
    let status = response.status().as_u16();
    span.in_scope(|| tracing::info!(status, "answered"));
    spans::tell(&span, "status", i64::from(status));
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
