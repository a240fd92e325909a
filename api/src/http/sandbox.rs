//! The desk of the sandbox: who asks here, tokens for them, the children to ask about, stories, and a way back to the beginning.
//! It asks nobody who they are, because nothing here is anybody's; production has no way to it.
//!
//! What changes something takes `application/json` and nothing else: a page of another origin cannot send that unasked.

use super::answer::{refusal, refused};
use super::graphql::read;
use super::page::{not_allowed, only_get};
use crate::graphql;
use crate::sandbox::{CHILDREN, Issued, Issuer, SEED, SHORT_LIFE};
use crate::story::{Moment, STORIES, Story, StoryError, played};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, body::Bytes};
use samverka_domain::agency::AgencyKind;
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::hub::Hub;
use samverka_domain::ledger::Verdict;
use samverka_domain::policy::Purpose;
use samverka_domain::text::Text;
use samverka_domain::world::{CASES, Case, PERSONAS, Persona, persona};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

/// What the sandbox's routes share.
#[derive(Clone)]
pub struct Desk(Arc<Parts>);

struct Parts {
    issuer: Issuer,
    hub: Hub,
    /// The stories that were asked for, in the order of their table.
    told: [OnceCell<Arc<Vec<Moment>>>; STORIES.len()],
    /// The world is put back by one at a time.
    resetting: Mutex<()>,
}

impl Desk {
    /// A desk of a hub whose tokens this issuer gives.
    pub fn new(issuer: Issuer, hub: &Hub) -> Self {
        Desk(Arc::new(Parts { issuer, hub: hub.clone(), told: Default::default(), resetting: Mutex::default() }))
    }
}

/// The routes of the desk, and the schema, which elsewhere is told to callers with a token alone.
pub(super) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/sandbox/personas", only(get(personas)))
        .route("/sandbox/children", only(get(children)))
        .route("/sandbox/ledger", only(get(ledger)))
        .route("/sandbox/stories", only(get(stories)))
        .route("/sandbox/stories/{name}", only(get(story)))
        .route("/schema.graphql", only(get(sdl)))
        .route("/schema.json", only(get(introspection)))
        .route("/sandbox/token", post(token).fallback(only_post))
        .route("/sandbox/reset", post(reset).fallback(only_post))
        .with_state(desk)
}

fn only(routes: MethodRouter<Desk>) -> MethodRouter<Desk> {
    routes.fallback(only_get)
}

async fn only_post() -> Response {
    not_allowed("POST")
}

/// An agency in one role, as the page shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Face {
    code: &'static str,
    agency_id: Option<String>,
    agency: &'static str,
    agency_short: &'static str,
    role: &'static str,
    role_name: Text,
    about: Text,
    purpose: &'static str,
    purposes: Vec<Stated>,
}

/// A purpose that may be stated.
#[derive(Serialize)]
struct Stated {
    code: &'static str,
    name: Text,
}

async fn personas(State(desk): State<Desk>) -> Json<Vec<Face>> {
    Json(PERSONAS.iter().map(|persona| desk.face(persona)).collect())
}

impl Desk {
    fn face(&self, persona: &Persona) -> Face {
        let hub = &self.0.hub;
        let may_state = |purpose: &&Purpose| hub.engine().may_declare(persona.role, **purpose);
        let stated = |purpose: &Purpose| Stated { code: purpose.code(), name: purpose.name() };
        Face {
            code: persona.code,
            agency_id: hub.agency_by_code(persona.code).map(|agency| agency.id.to_string()),
            agency: persona.name,
            agency_short: persona.short,
            role: persona.role.code(),
            role_name: persona.role.name(),
            about: persona.about,
            purpose: persona.purpose.code(),
            purposes: Purpose::ALL.iter().filter(may_state).map(stated).collect(),
        }
    }
}

async fn token(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match read(&parts.headers, body).await {
        Ok(bytes) => bytes,
        Err(code) => return refusal(code),
    };
    let issued = asked(&bytes).and_then(|(persona, life)| {
        desk.0.issuer.issue(persona, life, &desk.0.hub.clock()).map_err(|_| Error::Code(ErrorCode::Internal))
    });
    match issued {
        Ok(Issued { token, life, claims }) => {
            Json(json!({ "token": token, "expiresIn": life, "claims": claims })).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// Whose token is asked for, and for how many seconds.
fn asked(bytes: &Bytes) -> Result<(&'static Persona, i64), Error> {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let code = body.get("persona").and_then(Value::as_str);
    let code = code.ok_or_else(|| Error::refused(ErrorCode::Required, ["persona"]))?;
    let codes = || PERSONAS.map(|persona| persona.code).join(", ");
    let persona = persona(code).ok_or_else(|| Error::refused_for(ErrorCode::UnknownCode, ["persona"], codes()))?;
    let life = match body.get("ttl") {
        None => Some(SHORT_LIFE),
        Some(life) => life.as_i64().filter(|life| (1..=SHORT_LIFE).contains(life)),
    };
    let expected = || format!("a whole number of seconds from 1 to {SHORT_LIFE}");
    Ok((persona, life.ok_or_else(|| Error::refused_for(ErrorCode::InvalidFormat, ["ttl"], expected()))?))
}

/// Puts the world back, and ends it though the caller hangs up meanwhile.
async fn reset(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(code) = read(&parts.headers, body).await {
        return refusal(code);
    }
    let done = tokio::spawn(async move {
        let _held = desk.0.resetting.lock().await;
        desk.0.hub.reset(SEED, 0..CHILDREN).await
    });
    match done.await.unwrap_or(Err(Error::Code(ErrorCode::Internal))) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(&error),
    }
}

/// A child that is pointed to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    key: &'static str,
    id: String,
    name: String,
    about: Text,
    shows: Text,
    /// Partners have ids of their own, by persona.
    partner_ids: BTreeMap<&'static str, String>,
}

async fn children(State(desk): State<Desk>) -> Response {
    match CASES.iter().map(|case| desk.known(case)).collect::<Result<Vec<_>, _>>() {
        Ok(known) => Json(known).into_response(),
        Err(error) => refused(&error),
    }
}

impl Desk {
    fn known(&self, case: &Case) -> Result<Known, Error> {
        let hub = &self.0.hub;
        let child = hub.made_up(case, SEED)?;
        let partners = PERSONAS.iter().filter(|persona| persona.kind == AgencyKind::Partner);
        let own = |persona: &Persona| Some((persona.code, hub.child_id(child.id, &*hub.agency_by_code(persona.code)?)));
        Ok(Known {
            key: case.key,
            id: child.id.to_string(),
            name: child.name(),
            about: case.about,
            shows: case.shows,
            partner_ids: partners.filter_map(own).collect(),
        })
    }
}

/// Whether the whole access log, recomputed now, holds together, and what was looked at: never where or what, for the rows are of
/// all children.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    intact: bool,
    rows: Option<u64>,
    lanes: Option<usize>,
}

async fn ledger(State(desk): State<Desk>) -> Response {
    match desk.0.hub.verify_ledger().await {
        Ok(Verdict::Intact { lanes, rows }) => {
            Json(Proof { intact: true, rows: Some(rows), lanes: Some(lanes) }).into_response()
        }
        Ok(Verdict::Broken { .. }) => Json(Proof { intact: false, rows: None, lanes: None }).into_response(),
        Err(error) => refused(&error),
    }
}

async fn stories() -> Json<Vec<Value>> {
    let titled = |story: &Story| json!({ "name": story.name, "title": Text { sv: story.sv, en: story.en } });
    Json(STORIES.iter().map(titled).collect())
}

/// A story that was begun is played to its end, though the caller hangs up meanwhile.
async fn story(State(desk): State<Desk>, Path(name): Path<String>) -> Response {
    let told = tokio::spawn(async move { desk.told(&name).await });
    match told.await {
        Ok(Some(Ok(moments))) => Json(&*moments).into_response(),
        Ok(None) => refusal(ErrorCode::NoSuchPath),
        Ok(Some(Err(error))) => {
            tracing::error!(%error, "a story could not be played");
            refusal(ErrorCode::Internal)
        }
        Err(_) => refusal(ErrorCode::Internal),
    }
}

impl Desk {
    /// A story as it was played the first time it was asked for; none where there is no such story.
    async fn told(&self, name: &str) -> Option<Result<Arc<Vec<Moment>>, StoryError>> {
        let (story, told) = STORIES.iter().zip(&self.0.told).find(|(story, _)| story.name == name)?;
        let start = self.0.hub.clock().now();
        Some(told.get_or_try_init(|| async { played(story, start).await.map(Arc::new) }).await.cloned())
    }
}

async fn sdl() -> Response {
    match graphql::schema() {
        Ok(schema) => plain(graphql::sdl(&schema), "text/plain; charset=utf-8"),
        Err(_) => refusal(ErrorCode::Internal),
    }
}

/// What introspection answers, as an answer over HTTP is written.
async fn introspection() -> Response {
    match graphql::schema() {
        Ok(schema) => Json(schema.execute(graphql::INTROSPECTION).await).into_response(),
        Err(_) => refusal(ErrorCode::Internal),
    }
}

fn plain(text: String, media: &'static str) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(media))], text).into_response()
}
