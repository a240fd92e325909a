//! What leaves: a released answer, or a refusal that holds nothing but its code.

use crate::graphql::document::{Exceeded, Limit, Refused};
use crate::graphql::error::{cost, errors, log, of_code, of_refused};
use async_graphql::{BatchResponse, Response as GraphqlResponse, ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::ledger::{Receipt, Released};
use serde_json::{Value as Json, json};

/// How an answer is written (GraphQL over HTTP, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells of request errors.
    GraphqlResponse,
    /// `application/json`.
    Json,
}

impl Media {
    /// The media type that a request asks for; none where it admits neither. Where it does not say, or takes
    /// anything, `application/json`, which every client reads.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let list = values.collect::<Vec<_>>().join(",");
        let mut ranges = list.split(',').map(str::trim).filter(|range| !range.is_empty()).peekable();
        if ranges.peek().is_none() {
            return Some(Media::Json);
        }
        let (mut graphql, mut json) = (Wish::NONE, Wish::NONE);
        for range in ranges {
            graphql = graphql.max(Wish::of(range, "application/graphql-response+json"));
            json = json.max(Wish::of(range, "application/json"));
        }
        match (graphql.weight, json.weight) {
            (0, 0) => None,
            (_, 0) => Some(Media::GraphqlResponse),
            (graphql_weight, json_weight) => {
                let first = graphql_weight > json_weight || graphql_weight == json_weight && graphql.is_named();
                Some(if first { Media::GraphqlResponse } else { Media::Json })
            }
        }
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Media::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Media::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// How much `Accept` wants a media type: of the ranges that match it, the most exact decides (RFC 9110, section 12.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    /// How exactly the range names the media type: 3 itself, 2 any `application/`, 1 anything, 0 not at all.
    exactness: u8,
    /// In thousandths; 0 is a refusal.
    weight: u16,
}

impl Wish {
    const NONE: Wish = Wish { exactness: 0, weight: 0 };

    /// What one media range says of a media type. One with a charset other than UTF-8 says nothing: all answers are
    /// in UTF-8.
    fn of(range: &str, media: &str) -> Wish {
        let mut parts = range.split(';').map(str::trim);
        let exactness = match parts.next().unwrap_or_default() {
            "*/*" => 1,
            name if name.eq_ignore_ascii_case("application/*") => 2,
            name if name.eq_ignore_ascii_case(media) => 3,
            _ => return Wish::NONE,
        };
        let mut weight = 1000;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.eq_ignore_ascii_case("charset") && !is_utf8(value) {
                return Wish::NONE;
            }
            if name.eq_ignore_ascii_case("q") {
                weight = thousandths(value);
            }
        }
        Wish { exactness, weight }
    }

    const fn is_named(self) -> bool {
        self.exactness == 3
    }
}

/// A weight, `0` to `1`; what is none weighs nothing.
fn thousandths(text: &str) -> u16 {
    let weight = text.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
    let thousandths = (weight * 1000.0).round() as u16;
    thousandths
}

/// Whether a charset is UTF-8.
pub(super) fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
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
        self::receipt(&receipt, &mut response);
        response
    }
}

/// Puts the place of the row that tells of an answer beside it.
pub(super) fn receipt(row: &Receipt, response: &mut Response) {
    if let Ok(value) = HeaderValue::from_str(&format!("{}/{}/{}", row.lane, row.seq, row.hash)) {
        response.headers_mut().insert("audit-receipt", value);
    }
}

/// A refusal over plain HTTP, where the status tells what GraphQL tells beside a 200; 400 where it tells nothing.
pub(super) fn refused(error: &Error) -> Response {
    log(error);
    let code = error.code();
    let status = match code {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Forbidden | ErrorCode::OperationForbidden => StatusCode::FORBIDDEN,
        ErrorCode::Conflict => StatusCode::PRECONDITION_FAILED,
        other => match StatusCode::from_u16(other.entry().status) {
            Ok(status) if status != StatusCode::OK => status,
            _ => StatusCode::BAD_REQUEST,
        },
    };
    refuse(&json!({ "errors": errors(error) }), code, status, Media::Json)
}

/// A refusal of a whole request.
pub(super) fn refusal(code: ErrorCode) -> Response {
    refusal_with(of_code(code), code, Media::Json)
}

/// A refusal of a whole request with more to tell: a place in the document.
pub(super) fn refusal_with(error: ServerError, code: ErrorCode, media: Media) -> Response {
    refuse(&json!({ "errors": [error] }), code, status(code, media), media)
}

/// A refusal of a document; one that asks for too much is told how much that is.
pub(super) fn refusal_of(refused: &Refused, media: Media) -> Response {
    let (code, error) = of_refused(refused);
    match refused {
        Refused::Exceeded(Exceeded { limit: Limit::Cost, found }) => {
            let body = json!({ "errors": [error], "extensions": { "cost": cost(*found) } });
            refuse(&body, code, status(code, media), media)
        }
        _ => refusal_with(error, code, media),
    }
}

fn status(code: ErrorCode, media: Media) -> StatusCode {
    match (media, code) {
        // The request was well-formed, only its document was not (GraphQL over HTTP, section 6.4.1).
        (Media::Json, ErrorCode::ParseFailed | ErrorCode::ValidationFailed | ErrorCode::QueryRefused) => StatusCode::OK,
        _ => StatusCode::from_u16(code.entry().status).unwrap_or(StatusCode::BAD_REQUEST),
    }
}

fn refuse(body: &Json, code: ErrorCode, status: StatusCode, media: Media) -> Response {
    tracing::info!(code = code.entry().code, "the request was refused");
    let mut response = (status, axum::Json(body)).into_response();
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
