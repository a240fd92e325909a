//! What leaves: a released answer, or a refusal that holds nothing but its code.

use crate::graphql::error::of_code;
use async_graphql::{BatchResponse, Response as GraphqlResponse, ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use samverka_domain::error::ErrorCode;
use samverka_domain::ledger::Released;
use serde_json::json;

/// How an answer is written (GraphQL over HTTP, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells of request errors.
    GraphqlResponse,
    /// `application/json`.
    Json,
}

impl Media {
    /// The media type that a request asks for; `application/json` where it does not say.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let wanted = |media| {
            let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).filter_map(|range| quality(range, media)).fold(0.0, f32::max)
        };
        let graphql = wanted("application/graphql-response+json");
        if graphql > 0.0 && graphql >= wanted("application/json") { Media::GraphqlResponse } else { Media::Json }
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Media::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Media::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// How much a media range of `Accept` wants this media type, if it names it (RFC 9110, section 12.5.1).
fn quality(range: &str, media: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media));
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    named.then(|| weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

/// The codes of what is refused in a response, for whoever counts them. What an answer is made of here carries it, so that
/// no refusal goes uncounted.
#[derive(Clone)]
pub(super) struct Told(pub(super) Vec<ErrorCode>);

impl Told {
    fn of(errors: &[ServerError]) -> Self {
        let code = |error: &ServerError| match error.extensions.as_ref()?.get("code")? {
            Value::String(code) => ErrorCode::from_code(code),
            _ => None,
        };
        Told(errors.iter().filter_map(code).collect())
    }
}

/// An answer of GraphQL. It can only be made from one whose row in the access log is committed.
pub(super) struct Answer {
    released: Released<GraphqlResponse>,
    media: Media,
}

impl Answer {
    pub(super) const fn new(released: Released<GraphqlResponse>, media: Media) -> Self {
        Answer { released, media }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let receipt = self.released.receipt().clone();
        let answer = self.released.into_answer();
        let request_error = answer.data == Value::Null && answer.errors.iter().all(|e| e.path.is_empty());
        let status = match self.media {
            Media::GraphqlResponse if request_error && !answer.errors.is_empty() => StatusCode::BAD_REQUEST,
            _ => StatusCode::OK,
        };
        let told = (!answer.errors.is_empty()).then(|| Told::of(&answer.errors));
        let mut response = if request_error && !answer.errors.is_empty() {
            // A request that was not executed has no `data` (GraphQL, section 7.1).
            axum::Json(json!({ "errors": answer.errors })).into_response()
        } else {
            GraphQLResponse(BatchResponse::Single(answer)).into_response()
        };
        *response.status_mut() = status;
        if let Some(told) = told {
            response.extensions_mut().insert(told);
        }
        response.headers_mut().insert(CONTENT_TYPE, self.media.content_type());
        if let Ok(value) = HeaderValue::from_str(&format!("{}/{}/{}", receipt.lane, receipt.seq, receipt.hash)) {
            response.headers_mut().insert("audit-receipt", value);
        }
        response
    }
}

/// A refusal of a whole request.
pub(super) fn refusal(code: ErrorCode) -> Response {
    refusal_with(of_code(code), code, Media::Json)
}

/// A refusal of a whole request with more to tell: a place in the document.
pub(super) fn refusal_with(error: ServerError, code: ErrorCode, media: Media) -> Response {
    let status = match (media, code) {
        // The request was well-formed, only its document was not (GraphQL over HTTP, section 6.4.1).
        (Media::Json, ErrorCode::ParseFailed | ErrorCode::ValidationFailed | ErrorCode::QueryRefused) => StatusCode::OK,
        _ => StatusCode::from_u16(code.entry().status).unwrap_or(StatusCode::BAD_REQUEST),
    };
    tracing::info!(code = code.entry().code, "the request was refused");
    let mut response = (status, axum::Json(json!({ "errors": [error] }))).into_response();
    response.extensions_mut().insert(Told(vec![code]));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.content_type());
    match code {
        ErrorCode::Unauthenticated => _ = headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        ErrorCode::TokenExpired | ErrorCode::TokenRefused => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        ErrorCode::MethodNotAllowed => _ = headers.insert(ALLOW, HeaderValue::from_static("POST")),
        ErrorCode::TooManyRequests | ErrorCode::AuditUnavailable | ErrorCode::Unavailable => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}
