//! What every test stands on. Nothing here knows a rule: rules are for the tests to state.

mod databases;
mod record;
mod scene;

pub use databases::{Apart, Database, Kind, folder};
pub use record::field;
pub use samverka::graphql::whole::{everything, selection};
pub use scene::{Scene, TestChild, child_id};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use samverka::config::IssuerConfig;
use samverka::http::{Desk, Front, Service};
use samverka::sandbox::{AUDIENCE, Issuer};
use samverka::serve;
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use samverka_domain::hub::Hub as DomainHub;
use samverka_domain::policy::{Engine, Role};
use samverka_domain::world::{PERSONAS, Persona};
use sea_orm::DatabaseConnection;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt;

/// The instant at which every test begins: noon, 21 November 2026, in microseconds.
pub const START: i64 = 1_795_262_400_000_000;
/// An hour, in microseconds.
pub const HOUR: i64 = 3_600_000_000;
/// A day, in microseconds.
pub const DAY: i64 = 24 * HOUR;

/// Makes a test of an async function on each database.
#[macro_export]
macro_rules! both {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(hub) = $crate::harness::Hub::start($crate::harness::Kind::Sqlite).await {
                        super::$name(hub).await;
                    }
                }
            )+
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(hub) = $crate::harness::Hub::start($crate::harness::Kind::Postgres).await {
                        super::$name(hub).await;
                    }
                }
            )+
        }
    };
}

/// A hub on a database of its own.
pub struct Hub {
    pub domain: DomainHub,
    pub router: Router,
    /// What `/metrics` is shown by.
    pub metrics: Router,
    /// What the routes are made by.
    pub service: Service,
    /// A connection that has nothing to do with the hub's.
    pub outside: DatabaseConnection,
    pub database: Database,
    clock: Arc<AtomicI64>,
    issuer: Issuer,
}

impl Hub {
    /// Starts a hub; none where the database is not to be had.
    pub async fn start(kind: Kind) -> Option<Hub> {
        Self::start_with(kind, Engine::embedded()).await
    }

    /// Starts a hub with other policies.
    pub async fn start_with(kind: Kind, engine: &'static Engine) -> Option<Hub> {
        let database = Database::new(kind).await?;
        let url = database.url.clone();
        Some(Self::start_at(database, &url, engine).await)
    }

    /// Starts a hub that finds its database at another address.
    pub async fn start_at(database: Database, url: &str, engine: &'static Engine) -> Hub {
        Self::open(database, url, engine, None).await
    }

    /// Starts two hubs that nobody can tell apart: their agencies and keys are the same, and with loaded dice the
    /// ids of what they make are, too.
    pub async fn twins(kind: Kind) -> Option<[Hub; 2]> {
        let twin = async || {
            let database = Database::new(kind).await?;
            let url = database.url.clone();
            Some(Self::open(database, &url, Engine::embedded(), Some("a secret that the twins share")).await)
        };
        Some([twin().await?, twin().await?])
    }

    /// Another hub on the same database, at the same time: another node, or the same after a restart.
    pub async fn beside(&self) -> Hub {
        let url = self.database.url.clone();
        Self::open_at(self.database.again(), &url, Engine::embedded(), None, self.clock.clone()).await
    }

    /// Opens a hub; its keys are made from the secret, or from one of its own.
    async fn open(database: Database, url: &str, engine: &'static Engine, secret: Option<&str>) -> Hub {
        Self::open_at(database, url, engine, secret, Arc::new(AtomicI64::new(START))).await
    }

    async fn open_at(
        database: Database,
        url: &str,
        engine: &'static Engine,
        secret: Option<&str>,
        time: Arc<AtomicI64>,
    ) -> Hub {
        let clock = clock(&time);
        let opened = DomainDatabase::connect(url).await.expect("connects");
        if let Some(secret) = secret {
            opened.remember("secret", || secret.to_owned()).await.expect("remembers");
        }
        let issuer = Issuer::of(&opened).await.expect("the template has a key");
        let (domain, service) = node(opened, &issuer, engine, clock).await;
        let outside = sea_orm::Database::connect(database.url.as_str()).await.expect("connects from outside");
        let (router, metrics) = (service.router(), service.metrics());
        Hub { domain, router, metrics, service, outside, database, clock: time, issuer }
    }

    /// Another node of the hub, on the same database.
    pub async fn another_node(&self) -> (DomainHub, Router) {
        let opened = DomainDatabase::connect(&self.database.url).await.expect("connects");
        let (domain, service) = node(opened, &self.issuer, Engine::embedded(), clock(&self.clock)).await;
        (domain, service.router())
    }

    /// The routes of a sandbox: those of the hub, the playground, and the desk.
    pub async fn sandbox(&self) -> Router {
        let opened = DomainDatabase::connect(&self.database.url).await.expect("connects");
        let issuer = Issuer::of(&opened).await.expect("the sandbox has a key");
        opened.close().await;
        self.service.router_with(Front::Sandbox(Desk::new(issuer, &self.domain)))
    }

    /// The hub's time, in microseconds.
    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// Sets the hub's time, in microseconds.
    pub fn set_time(&self, micros: i64) {
        self.clock.store(micros, Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn wait(&self, micros: i64) {
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    /// A token of a persona, good at the hub's time.
    pub fn token(&self, persona: &str) -> String {
        self.issuer.token(persona, &clock(&self.clock)).expect("a persona of the sandbox")
    }

    /// A token of an administrator, which the sandbox has no persona for.
    pub async fn admin_token(&self) -> String {
        let key: String = self.rows("SELECT value FROM setting WHERE key = 'sandbox-key'").await[0]
            .try_get_by_index(0)
            .expect("a key");
        let key = data_encoding::BASE64.decode(key.as_bytes()).expect("base64");
        let now = self.now() / 1_000_000;
        let claims = json!({ "iss": ADMIN_ISSUER, "aud": AUDIENCE, "sub": "drift", "client_id": "drift", "role": "SYSTEM_ADMIN",
            "iat": now, "exp": now + 12 * 3600, "jti": "drift" });
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some("sandbox".to_owned());
        jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_ed_der(&key)).expect("a token")
    }

    /// A caller of this persona, with the purpose that comes naturally to it.
    pub fn caller<'h>(&'h self, persona: &'h str) -> Caller<'h> {
        let natural = PERSONAS.iter().find(|p| p.code == persona).map(|p| p.purpose.code());
        Caller { hub: self, persona, purpose: natural.map(str::to_owned), headers: Vec::new() }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(&self.router, request).await
    }
}

async fn node(
    opened: DomainDatabase,
    issuer: &Issuer,
    engine: &'static Engine,
    clock: Clock,
) -> (DomainHub, samverka::http::Service) {
    let mut issuers: Vec<IssuerConfig> = issuer.configs();
    issuers.extend(admin_issuer(&issuers));
    serve::service(opened, engine, clock, ("test", AUDIENCE, &issuers)).await.expect("the hub starts")
}

/// The agency of the administrator.
pub const ADMIN_AGENCY: &str = "lansstyrelsen-skane";
const ADMIN_ISSUER: &str = "https://drift.example";

/// The issuer of the administrator, with the key of the others.
fn admin_issuer(others: &[IssuerConfig]) -> Option<IssuerConfig> {
    let other = others.iter().find(|issuer| issuer.agency == ADMIN_AGENCY)?;
    Some(IssuerConfig { issuer: ADMIN_ISSUER.to_owned(), roles: vec![Role::SystemAdmin], ..other.clone() })
}

fn clock(time: &Arc<AtomicI64>) -> Clock {
    let time = time.clone();
    Clock::from_fn(move || time.load(Ordering::SeqCst))
}

/// The persona of the sandbox with this code.
pub fn persona(code: &str) -> &'static Persona {
    PERSONAS.iter().find(|persona| persona.code == code).expect("a persona of the sandbox")
}

/// One caller.
#[derive(Clone)]
pub struct Caller<'h> {
    hub: &'h Hub,
    pub persona: &'h str,
    purpose: Option<String>,
    headers: Vec<(String, String)>,
}

impl Caller<'_> {
    /// The hub that is asked.
    pub fn hub(&self) -> &Hub {
        self.hub
    }

    /// With another purpose.
    pub fn purpose(mut self, purpose: &str) -> Self {
        self.purpose = Some(purpose.to_owned());
        self
    }

    /// Without a purpose.
    pub fn without_purpose(mut self) -> Self {
        self.purpose = None;
        self
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks a document without variables.
    pub async fn ask(&self, query: &str) -> Answer {
        self.ask_with(query, json!({})).await
    }

    /// Asks a document with variables.
    pub async fn ask_with(&self, query: &str, variables: Value) -> Answer {
        self.hub.send(self.request(json!({ "query": query, "variables": variables }))).await
    }

    /// The request as it goes over the wire.
    pub fn request(&self, body: Value) -> Request<Body> {
        let request = self.begin("POST", "/graphql").header("content-type", "application/json");
        request.body(Body::from(body.to_string())).expect("a request")
    }

    /// A request to any address, with all that the caller states.
    pub fn begin(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let token = format!("Bearer {}", self.hub.token(self.persona));
        let mut request = Request::builder().method(method).uri(path).header("authorization", token);
        if let Some(purpose) = &self.purpose {
            request = request.header("samverka-purpose", purpose);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub bytes: Vec<u8>,
    pub json: Value,
}

impl Answer {
    /// What a router answers to a request.
    pub async fn of(router: &Router, request: Request<Body>) -> Answer {
        let response = router.clone().oneshot(request).await.expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        Answer::new(parts.status, parts.headers, &bytes)
    }

    fn new(status: StatusCode, headers: HeaderMap, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, bytes: bytes.to_vec(), json }
    }

    /// The value at a JSON pointer below `data`; fails if there are errors.
    pub fn data(&self, pointer: &str) -> &Value {
        assert!(self.json["errors"].is_null(), "errors: {}", self.text);
        self.json["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
    }

    /// The codes of the errors, in order.
    pub fn codes(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none")).collect()
    }

    /// The extensions of the first error.
    pub fn error(&self) -> &Value {
        &self.json["errors"][0]["extensions"]
    }
}
