//! `POST /graphql`: who asks, what, run it, log it, let it go.

use super::answer::{Answer, Media, refusal_with};
use super::tally::Asked;
use super::{LARGEST_BODY, RequestId, Service, headers};
use crate::graphql::document::Document;
use crate::graphql::error::{MOST_ERRORS, coded, errors, log, of_code};
use crate::graphql::{AccessSummary, document};
use crate::spans;
use async_graphql::{Name, Request as GraphqlRequest, Response as GraphqlResponse, ServerError, Value, Variables};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use samverka_domain::caller::Caller;
use samverka_domain::clock::Stopwatch;
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::ledger::Released;
use samverka_domain::session;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, Span, debug_span};

/// How long a request waits for its turn, and the hub for its body.
const PATIENCE: Duration = Duration::from_secs(5);

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
    extensions: Option<serde_json::Value>,
}

pub(super) async fn handle(State(service): State<Service>, request: Request) -> Response {
    let watch = Stopwatch::start();
    let media = Media::accepted(request.headers());
    let mut asked = Asked::Unread;
    let response = match answer(&service, request, media, &mut asked).await {
        Ok(answer) => answer.into_response(),
        Err(refused) => *refused,
    };
    spans::tell(&Span::current(), "operation", asked.name());
    service.0.tally.answer(asked, response.status(), watch.elapsed());
    response
}

async fn answer(service: &Service, request: Request, media: Media, asked: &mut Asked) -> Result<Answer, Box<Response>> {
    let refuse = |code| Box::new(refusal_with(of_code(code), code, media));
    let (parts, body) = request.into_parts();
    let caller = debug_span!("verify").in_scope(|| headers::caller(&parts.headers, &service.0.verifier));
    let caller = caller.map_err(refuse)?;
    if parts.method != Method::POST {
        return Err(refuse(ErrorCode::MethodNotAllowed));
    }
    let body = read(&parts.headers, body).await.map_err(refuse)?;
    let operation_name = body.operation_name.as_deref().filter(|name| !name.is_empty());
    let document = debug_span!("parse").in_scope(|| document::read(&body.query, operation_name, &service.0.names));
    let document = document.map_err(|refused| {
        let mut error = of_code(refused.code);
        error.locations = refused.at.into_iter().collect();
        Box::new(refusal_with(error, refused.code, media))
    })?;
    *asked = document.kind.map_or(Asked::Unread, Asked::from);
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let about = session::Request { id, operation: document.summary.clone() };
    let variables = variables(&document, body.variables.unwrap_or_default());
    let variables = variables.map_err(|error| Box::new(refusal_with(error, ErrorCode::ValidationFailed, media)))?;
    let mut request = GraphqlRequest::new(body.query.as_str()).variables(variables);
    if let Some(name) = operation_name {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document.parsed);
    let released = execute(service.clone(), caller, about, request, document.keys).await.map_err(|error| {
        log(&error);
        let first = errors(&error).into_iter().next().unwrap_or_else(|| of_code(error.code()));
        Box::new(refusal_with(first, error.code(), media))
    })?;
    Ok(Answer::new(released, media))
}

/// Runs a request to its end and lets its answer go, though the caller hangs up meanwhile: what it changed is
/// logged all the same. An agency has so many requests under way and no more, so that none of them starves the others.
async fn execute(
    service: Service,
    caller: Caller,
    about: session::Request,
    request: GraphqlRequest,
    keys: Vec<Name>,
) -> Result<Released<GraphqlResponse>, Error> {
    let turn = service.turn(caller.agency.id);
    let watch = Stopwatch::start();
    let waited = tokio::time::timeout(PATIENCE, turn.acquire_owned()).instrument(debug_span!("turn")).await;
    let Ok(Ok(turn)) = waited else { return Err(Error::Code(ErrorCode::TooManyRequests)) };
    service.0.tally.turn(watch.elapsed());
    let run = async move {
        let _held = turn;
        let schema = service.0.schema.clone();
        let run = |session| async move {
            let access = Arc::new(AccessSummary::default());
            let answer = schema.execute(request.data(session).data(access.clone())).await;
            complete(answer, &access, &keys)
        };
        service.0.hub.answer(caller, about, run).await
    };
    tokio::spawn(run.instrument(debug_span!("execute"))).await.unwrap_or(Err(Error::Code(ErrorCode::Internal)))
}

/// The variables, with the defaults of those left out: the library looks at neither before it has begun.
fn variables(
    document: &Document,
    mut given: serde_json::Map<String, serde_json::Value>,
) -> Result<Variables, ServerError> {
    for (name, default) in &document.defaults {
        given.entry(name).or_insert_with(|| default.clone());
    }
    let is_missing = |name: &&String| given.get(name.as_str()).is_none_or(serde_json::Value::is_null);
    match document.required.iter().find(is_missing) {
        None => Ok(Variables::from_json(serde_json::Value::Object(given))),
        Some(name) => {
            let message = format!("the variable `{name}` is required").chars().take(LONGEST_MESSAGE).collect();
            Err(coded(ErrorCode::ValidationFailed, message))
        }
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Body_, ErrorCode> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ErrorCode::UnsupportedMediaType);
    }
    let declared = headers.get("content-length").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST_BODY) {
        return Err(ErrorCode::BodyTooLarge);
    }
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_BODY)).await;
    let bytes = bytes.map_err(|_| ErrorCode::BodyTooSlow)?.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("length limit"));
        if too_large { ErrorCode::BodyTooLarge } else { ErrorCode::BadRequest }
    })?;
    // serde reads a struct from a list, too; a list would be a batch, and there are none here.
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let body = is_object.then(|| serde_json::from_slice(&bytes).ok()).flatten();
    body.ok_or(ErrorCode::BadRequest)
}

/// Every error gets a code and a remedy; what was withheld is summed up; the root's keys come in the order of the
/// document, where the library gives them in the order of completion.
fn complete(mut answer: GraphqlResponse, access: &AccessSummary, keys: &[Name]) -> GraphqlResponse {
    if let Value::Object(root) = &mut answer.data {
        root.sort_by_cached_key(|key, _| keys.iter().position(|wanted| wanted == key));
    }
    answer.errors.truncate(MOST_ERRORS);
    answer.errors = answer.errors.into_iter().map(with_code).collect();
    if let Some(summary) = access.to_value() {
        answer.extensions.insert("access".to_owned(), summary);
    }
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
