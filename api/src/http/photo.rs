//! `GET` and `PUT /photo/…`: the bytes of a photo, under the rules and the log of every field.
//!
//! The last part of the address is a handle that the hub made for one agency and role. It holds nothing that anyone else
//! can read, and is no right: each request is decided by what its caller may see and write at that moment.

use super::answer::{receipt, refusal, refused};
use super::graphql::PATIENCE;
use super::{RequestId, Service, headers};
use crate::graphql::child::photo_json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use samverka_domain::caller::Caller;
use samverka_domain::catalogue::{Invalid, Kind, Value};
use samverka_domain::error::{Error, ErrorCode, Refusal};
use samverka_domain::ids::AgencyId;
use samverka_domain::ledger::Released;
use samverka_domain::photo::{LARGEST, Media};
use samverka_domain::session::{self, NewPhoto, PhotoBytes, Session};
use samverka_domain::view::SectionView;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How long the hub waits for the bytes of a photo: it is sent from telephones, too.
const PATIENCE_FOR_BYTES: Duration = Duration::from_secs(20);
/// The day a photo was taken.
const TAKEN_ON: &str = "samverka-photo-taken-on";

pub(super) async fn handle(State(service): State<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let caller = match headers::caller(&parts.headers, &service.0.verifier) {
        Ok(caller) => caller,
        Err(code) => return refusal(code),
    };
    let done = match parts.method {
        Method::GET => fetch(&service, caller, &parts).await,
        Method::PUT => send(&service, caller, &parts, body).await,
        _ => {
            let mut response = refusal(ErrorCode::MethodNotAllowed);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, PUT"));
            return response;
        }
    };
    done.unwrap_or_else(|error| refused(&error))
}

async fn fetch(service: &Service, caller: Caller, parts: &Parts) -> Result<Response, Error> {
    let handle = last(parts);
    let held = turn(service, caller.agency.id).await?;
    let get = move |session: Arc<Session>| {
        let handle = handle.clone();
        async move { session.photo(&handle).await }
    };
    let released = execute(service, (caller, held), parts, "GET photo", get).await?;
    Ok(answer(released, |photo: PhotoBytes| {
        let PhotoBytes { media, bytes } = photo;
        let disposition = format!("attachment; filename=\"photo.{}\"", media.ending());
        let mut response = Body::from(bytes).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.essence()));
        // A picture is to be shown, and nothing in it to be run.
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
        );
        headers
            .insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
        if let Ok(value) = HeaderValue::from_str(&disposition) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
        response
    }))
}

async fn send(service: &Service, caller: Caller, parts: &Parts, body: Body) -> Result<Response, Error> {
    let (media, version, taken_on) = described(&parts.headers)?;
    let handle = last(parts);
    // Held before the body is read: so many bodies and no more are in memory at a time.
    let held = turn(service, caller.agency.id).await?;
    let bytes = read(&parts.headers, body).await.map_err(Error::Code)?;
    let new = NewPhoto { media, taken_on, bytes };
    // It is sent once: a change that was begun is not made again.
    let mut new = Some(new);
    let put = move |session: Arc<Session>| {
        let (handle, version, new) = (handle.clone(), version.clone(), new.take());
        async move {
            let new = new.ok_or(Error::Code(ErrorCode::DecisionStale))?;
            session.step("photo").put_photo(&handle, &version, new).await
        }
    };
    let released = execute(service, (caller, held), parts, "PUT photo", put).await?;
    Ok(answer(released, |view: SectionView| {
        let photo = view.values.iter().find_map(|(_, value)| match value {
            Value::Photo(photo) => Some(photo_json(photo, view.photo.as_deref().unwrap_or_default())),
            _ => None,
        });
        let mut response = axum::Json(json!({ "photo": photo, "version": view.version })).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", view.version)) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }))
}

/// The handle: the last part of the path.
fn last(parts: &Parts) -> String {
    parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned()
}

/// What the headers say of a photo that is sent. Everything that is wrong is told at once.
fn described(headers: &HeaderMap) -> Result<(Media, String, NaiveDate), Error> {
    let content_type = one(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let media = Media::from_essence(essence).ok_or(Error::Code(ErrorCode::PhotoType))?;
    let mut refusals = Vec::new();
    let version = one(headers, IF_MATCH.as_str());
    if version.is_none() {
        refusals.push(Refusal::at(ErrorCode::Required, [IF_MATCH.as_str()]));
    }
    let taken_on = match one(headers, TAKEN_ON) {
        None => Err(Refusal::at(ErrorCode::Required, [TAKEN_ON])),
        Some(day) => match Kind::Date.read(&json!(day)) {
            Ok(Value::Date(day)) => Ok(day),
            _ => Err(Refusal::of_value(vec![TAKEN_ON.to_owned()], Invalid::Date)),
        },
    };
    match (version, taken_on) {
        (Some(version), Ok(taken_on)) => Ok((media, version.trim_matches('"').to_owned(), taken_on)),
        (_, taken_on) => {
            refusals.extend(taken_on.err());
            Err(Error::Refused(refusals))
        }
    }
}

/// A header that is there once.
fn one(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    (values.next().is_none() && !value.is_empty()).then(|| value.to_owned())
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, ErrorCode> {
    let declared = one(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > LARGEST) {
        return Err(ErrorCode::PhotoTooLarge);
    }
    let bytes = tokio::time::timeout(PATIENCE_FOR_BYTES, to_bytes(body, LARGEST)).await;
    let bytes = bytes.map_err(|_| ErrorCode::BodyTooSlow)?.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        if cause.contains("length limit") { ErrorCode::PhotoTooLarge } else { ErrorCode::PhotoInvalid }
    })?;
    Ok(bytes.into())
}

/// A turn of the agency: so many of its requests are under way and no more.
async fn turn(service: &Service, agency: AgencyId) -> Result<OwnedSemaphorePermit, Error> {
    match tokio::time::timeout(PATIENCE, service.turn(agency).acquire_owned()).await {
        Ok(Ok(held)) => Ok(held),
        _ => Err(Error::Code(ErrorCode::TooManyRequests)),
    }
}

/// Runs a request to its end and lets its answer go, though the caller hangs up meanwhile.
async fn execute<T, F>(
    service: &Service,
    (caller, held): (Caller, OwnedSemaphorePermit),
    parts: &Parts,
    operation: &str,
    ask: impl FnMut(Arc<Session>) -> F + Send + 'static,
) -> Result<Released<Result<T, Error>>, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let about = session::Request { id, operation: operation.to_owned(), idempotency: None, alone: true };
    let hub = service.0.hub.clone();
    let task = tokio::spawn(async move {
        let _held = held;
        hub.answer(caller, about, ask).await
    });
    task.await.unwrap_or(Err(Error::Code(ErrorCode::Internal)))
}

/// What leaves: only after its row in the access log is committed.
fn answer<T>(released: Released<Result<T, Error>>, show: impl FnOnce(T) -> Response) -> Response {
    let row = released.receipt().clone();
    let mut response = match released.into_answer() {
        Ok(shown) => show(shown),
        Err(error) => refused(&error),
    };
    receipt(&row, &mut response);
    response
}
