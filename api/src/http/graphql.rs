//! `POST /graphql`: who asks, what, run it, log it, let it go.

use super::answer::{Answer, Media, is_utf8, refusal_of, refusal_with};
use super::tally::Asked;
use super::{LARGEST_BODY, RequestId, Service, headers};
use crate::graphql::AccessSummary;
use crate::graphql::document::{Bound, Document};
use crate::graphql::error::{MOST_ERRORS, coded, cost, errors, log, of_code};
use crate::spans;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::OperationType;
use async_graphql::{
    Name, PathSegment, Request as GraphqlRequest, Response as GraphqlResponse, ServerError, Value, Variables,
};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use samverka_domain::caller::Caller;
use samverka_domain::clock::Stopwatch;
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::ledger::Released;
use samverka_domain::session::{self, Idempotency};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument, Span, debug_span};

/// How long a request waits for its turn, and the hub for its body.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The body of a request (GraphQL over HTTP, section 5.1).
#[derive(Deserialize)]
struct Body_ {
    query: String,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    #[expect(dead_code, reason = "taken, because clients send it, and not used")]
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

pub(super) async fn handle(State(service): State<Service>, request: Request) -> Response {
    let watch = Stopwatch::start();
    let mut asked = Asked::Unread;
    let response = match answer(&service, request, &mut asked).await {
        Ok(answer) => answer.into_response(),
        Err(refused) => *refused,
    };
    spans::tell(&Span::current(), "operation", asked.name());
    service.0.tally.answer(asked, response.status(), watch.elapsed());
    response
}

async fn answer(service: &Service, request: Request, asked: &mut Asked) -> Result<Answer, Box<Response>> {
    let (parts, body) = request.into_parts();
    let accepted = Media::accepted(&parts.headers);
    let media = accepted.unwrap_or(Media::Json);
    let refuse = |code| Box::new(refusal_with(of_code(code), code, media));
    let caller = debug_span!("verify").in_scope(|| headers::caller(&parts.headers, &service.0.verifier));
    let caller = caller.map_err(refuse)?;
    if parts.method != Method::POST {
        return Err(refuse(ErrorCode::MethodNotAllowed));
    }
    // Nothing is done that the caller could not read of afterwards (GraphQL over HTTP, section 6.1).
    if accepted.is_none() {
        return Err(refuse(ErrorCode::NotAcceptable));
    }
    let key = headers::idempotency_key(&parts.headers).map_err(refuse)?;
    let bytes = read(&parts.headers, body).await.map_err(refuse)?;
    // Before the body is looked into: what is done for an agency is done in its turn.
    let turn = turn(service, &caller).await.map_err(refuse)?;
    let body = decode(&bytes).map_err(refuse)?;
    drop(bytes);
    let operation_name = body.operation_name.as_deref().filter(|name| !name.is_empty());
    let document =
        debug_span!("parse").in_scope(|| service.0.documents.read(&body.query, operation_name, caller.agency.id));
    let kind = document.as_ref().ok().and_then(|document| document.kind());
    *asked = kind.map_or(Asked::Unread, Asked::from);
    let mut given = body.variables.unwrap_or_default();
    let key = key.filter(|_| kind == Some(OperationType::Mutation));
    let idempotency =
        key.map(|key| Idempotency { key, fingerprint: fingerprint(&body.query, operation_name, &mut given) });
    let bound = document.and_then(|document| Ok((document.bind(given)?, document)));
    let (Bound { variables, cost }, document) = bound.map_err(|refused| Box::new(refusal_of(&refused, media)))?;
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let operation = document.summary().to_owned();
    let about = session::Request { id, operation, idempotency, alone: document.keys().len() == 1 };
    let operation_name = operation_name.map(str::to_owned);
    let execution = Execution { variables, operation_name, document, cost };
    let released = execute(service.clone(), caller, about, execution, turn).await.map_err(|error| {
        log(&error);
        let first = errors(&error).into_iter().next().unwrap_or_else(|| of_code(error.code()));
        Box::new(refusal_with(first, error.code(), media))
    })?;
    Ok(Answer::new(released, media))
}

/// What is executed.
struct Execution {
    variables: Variables,
    operation_name: Option<String>,
    document: Arc<Document>,
    cost: u64,
}

impl Execution {
    /// The request as the library takes it; made again where it is decided anew.
    fn request(&self) -> GraphqlRequest {
        let mut request = GraphqlRequest::new(String::new()).variables(self.variables.clone());
        if let Some(name) = &self.operation_name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(self.document.parsed());
        request
    }
}

/// An agency has so many requests under way and no more, so that none of them starves the others.
async fn turn(service: &Service, caller: &Caller) -> Result<OwnedSemaphorePermit, ErrorCode> {
    let turn = service.turn(caller.agency.id).acquire_owned();
    let watch = Stopwatch::start();
    let waited = tokio::time::timeout(PATIENCE, turn).instrument(debug_span!("turn")).await;
    let turn = waited.ok().and_then(Result::ok).ok_or(ErrorCode::TooManyRequests)?;
    service.0.tally.turn(watch.elapsed());
    Ok(turn)
}

/// Runs a request to its end and lets its answer go, though the caller hangs up meanwhile: what it changed is
/// logged all the same, and its turn is not over before that.
async fn execute(
    service: Service,
    caller: Caller,
    about: session::Request,
    execution: Execution,
    turn: OwnedSemaphorePermit,
) -> Result<Released<GraphqlResponse>, Error> {
    let run = async move {
        let _held = turn;
        let schema = service.0.schema.clone();
        let (schema, execution) = (&schema, &execution);
        let run = |session| async move {
            let access = Arc::new(AccessSummary::default());
            let answer = schema.execute(execution.request().data(session).data(access.clone())).await;
            complete(answer, &access, &execution.document, execution.cost)
        };
        service.0.hub.answer(caller, about, run).await
    };
    tokio::spawn(run.instrument(debug_span!("execute"))).await.unwrap_or(Err(Error::Code(ErrorCode::Internal)))
}

/// SHA-256 over all that a body asks, in whatever order its variables came.
fn fingerprint(
    query: &str,
    operation_name: Option<&str>,
    variables: &mut serde_json::Map<String, serde_json::Value>,
) -> [u8; 32] {
    variables.sort_keys();
    variables.values_mut().for_each(serde_json::Value::sort_all_objects);
    Sha256::digest(serde_json::json!([query, operation_name, variables]).to_string()).into()
}

/// Whether a body is declared as what the hub reads: JSON, which is in UTF-8, as it is.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let mut declared = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (declared.next(), declared.next()) else { return false };
    let mut parts = value.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let in_utf8 = parameters.all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value));
    let as_it_is = headers.get_all(CONTENT_ENCODING).iter().all(|coding| coding == "identity");
    is_json && in_utf8 && as_it_is
}

/// The body of a request, if it is declared as JSON, comes in time and is not too large.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, ErrorCode> {
    if !is_plain_json(headers) {
        return Err(ErrorCode::UnsupportedMediaType);
    }
    let declared = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST_BODY) {
        return Err(ErrorCode::BodyTooLarge);
    }
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_BODY)).await;
    bytes.map_err(|_| ErrorCode::BodyTooSlow)?.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if too_large { ErrorCode::BodyTooLarge } else { ErrorCode::BadRequest }
    })
}

fn decode(bytes: &[u8]) -> Result<Body_, ErrorCode> {
    // serde reads a struct from a list, too; a list would be a batch, and there are none here.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let body = is_object.then(|| serde_json::from_slice(bytes).ok()).flatten();
    body.ok_or(ErrorCode::BadRequest)
}

/// Every error gets a code and a remedy; what was withheld is summed up, and the cost told; the root has every key that
/// failed as null, where the library leaves it out, and its keys come in the order of the document, where the library
/// gives them in the order of completion.
fn complete(
    mut answer: GraphqlResponse,
    access: &AccessSummary,
    document: &Document,
    requested: u64,
) -> GraphqlResponse {
    let keys = document.keys();
    let failed = |key: &Name| {
        answer
            .errors
            .iter()
            .any(|error| matches!(error.path.first(), Some(PathSegment::Field(at)) if at == key.as_str()))
    };
    // Fields of the root that can fail are nullable.
    let failed: Vec<&Name> = keys.iter().filter(|key| failed(key)).collect();
    if answer.data == Value::Null && !failed.is_empty() {
        answer.data = Value::Object(IndexMap::new());
    }
    if let Value::Object(root) = &mut answer.data {
        failed.into_iter().for_each(|key| _ = root.entry(key.clone()).or_insert(Value::Null));
        root.sort_by_cached_key(|key, _| keys.iter().position(|wanted| wanted == key));
    }
    answer.errors.truncate(MOST_ERRORS);
    answer.errors = answer.errors.into_iter().map(with_code).collect();
    if let Some(summary) = access.to_value() {
        answer.extensions.insert("access".to_owned(), summary);
    }
    answer.extensions.insert("cost".to_owned(), cost(requested));
    answer
}

/// How much of the library's own sentence is passed on.
const LONGEST_MESSAGE: usize = 200;

fn with_code(error: ServerError) -> ServerError {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return error;
    }
    let code = if error.path.is_empty() { ErrorCode::ValidationFailed } else { ErrorCode::InvalidInput };
    let message: String = error.message.chars().take(LONGEST_MESSAGE).collect();
    ServerError { locations: error.locations, path: error.path, ..coded(code, message) }
}
