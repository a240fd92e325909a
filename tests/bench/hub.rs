//! The hub as a process of its own, and its callers over loopback TCP.

use super::Fault;
use super::measure::Figures;
use super::workloads::{About, Workload, body};
use super::{cpu, world::Subject};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use samverka_domain::clock::Clock;
use samverka_domain::world::{PERSONAS, persona};
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Tells this program to be a hub: `logged`, or `unlogged` to answer without the log's commit.
pub const BE_A_HUB: &str = "SAMVERKA_BENCH_HUB";

const AUDIENCE: &str = "urn:samverka:bench";

/// A running hub. It stops when this value goes.
pub struct Hub {
    process: Child,
    pub address: SocketAddr,
    pkcs8: Vec<u8>,
    /// From the start of the process to the first answer.
    pub started_in: Duration,
    updates: Arc<AtomicU64>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn configuration(url: &str, address: SocketAddr, public: &str) -> String {
    let mut text = format!("listen = \"{address}\"\ndatabase = \"{url}\"\naudience = \"{AUDIENCE}\"\nlog = \"json\"\n");
    for persona in &PERSONAS {
        let (code, kind, role) = (persona.code, persona.kind.code(), persona.role.code());
        _ = write!(
            text,
            "\n[[agency]]\ncode = \"{code}\"\nkind = \"{kind}\"\nname = \"{}\"\n\n[[issuer]]\nissuer = \"https://{code}.example.se\"\n\
             agency = \"{code}\"\nroles = [\"{role}\"]\nlongest_life_seconds = 3600\n\n[[issuer.jwks.keys]]\nkty = \"OKP\"\n\
             crv = \"Ed25519\"\nalg = \"EdDSA\"\nuse = \"sig\"\nkid = \"bench\"\nx = \"{public}\"\n",
            persona.name
        );
    }
    text
}

/// A connection of a caller, kept alive.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Connection, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender })
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Fault> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Posts a request; the answer must be without errors.
    pub async fn post(&mut self, caller: &Caller, body: Bytes) -> Result<Bytes, Fault> {
        let request = Request::post("/graphql")
            .header("host", "hub")
            .header("authorization", &caller.bearer)
            .header("samverka-purpose", caller.purpose)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        let (status, text) = self.send(request).await?;
        // Errors come first, where there are any.
        if status != StatusCode::OK || !text.starts_with(br#"{"data":{"#) {
            return Err(format!("the hub answered {status}: {}", String::from_utf8_lossy(&text)).into());
        }
        Ok(text)
    }
}

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    bearer: String,
    purpose: &'static str,
}

impl Hub {
    /// Starts a hub on a filled database, and waits until it answers.
    pub async fn start(url: &str, folder: &Path, logged: bool) -> Result<Hub, Fault> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| "no key")?.as_ref().to_vec();
        let key = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| "no key")?;
        let public = BASE64URL_NOPAD.encode(key.public_key().as_ref());
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let what = if logged { "logged" } else { "unlogged" };
        let file = folder.join(format!("{what}.toml"));
        std::fs::write(&file, configuration(url, address, &public))?;
        let log = std::fs::File::create(folder.join(format!("{what}.log")))?;
        let begun = Instant::now();
        let process = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(&file)
            .env(BE_A_HUB, what)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut hub = Hub { process, address, pkcs8, started_in: Duration::ZERO, updates: Arc::default() };
        while !hub.is_ready().await {
            if begun.elapsed() > Duration::from_secs(30) || hub.process.try_wait()?.is_some() {
                return Err(
                    format!("the hub did not start; see {}", folder.join(format!("{what}.log")).display()).into()
                );
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        hub.started_in = begun.elapsed();
        Ok(hub)
    }

    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else { return false };
        let Ok(request) = Request::get("/health/ready").header("host", "hub").body(Full::default()) else {
            return false;
        };
        connection.send(request).await.is_ok_and(|(status, _)| status == StatusCode::OK)
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A caller with a fresh token of a persona, valid for an hour.
    pub fn caller(&self, code: &str) -> Result<Caller, Fault> {
        let persona = persona(code).ok_or("no such persona")?;
        let now = Clock::system().now() / 1_000_000;
        let claims = json!({
            "iss": format!("https://{code}.example.se"), "aud": AUDIENCE, "sub": "bench", "client_id": "bench",
            "role": persona.role.code(), "iat": now, "exp": now + 3_600, "jti": now.to_string(),
        });
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some("bench".to_owned());
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&self.pkcs8))?;
        Ok(Caller { bearer: format!("Bearer {token}"), purpose: persona.purpose.code() })
    }

    /// Asks one request, and reads its answer.
    pub async fn ask(&self, caller: &Caller, body: &Value) -> Result<Value, Fault> {
        let mut connection = Connection::open(self.address).await?;
        let text = connection.post(caller, Bytes::from(body.to_string())).await?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Reads the versions that the updates will name.
    pub async fn versions(&self, caller: &Caller, subjects: &[Subject]) -> Result<(), Fault> {
        for subject in subjects {
            let query = format!("{{ child(id: \"{}\") {{ description {{ version }} }} }}", subject.id);
            let answer = self.ask(caller, &json!({ "query": query })).await?;
            *subject.version.lock().await = version(&answer, "/data/child/description/version")?;
        }
        Ok(())
    }

    /// Runs a workload for a while.
    pub async fn run(
        &self,
        workload: Workload,
        concurrency: usize,
        length: Duration,
        subjects: &Arc<Vec<Subject>>,
        (caller, cursor): (&Caller, &Option<String>),
        postmaster: Option<u32>,
    ) -> Result<Figures, Fault> {
        if matches!(workload, Workload::W4 | Workload::W5) {
            // The bare SQL has written meanwhile.
            self.versions(caller, subjects).await?;
        }
        let mut connections = Vec::new();
        for _ in 0..concurrency {
            connections.push(Connection::open(self.address).await?);
        }
        let (own, postgres) = (cpu::of_process(self.pid()), postmaster.map(cpu::of_family).unwrap_or_default());
        let start = Instant::now();
        let mut tasks = Vec::new();
        for (worker, mut connection) in connections.into_iter().enumerate() {
            let (subjects, caller, cursor, updates) =
                (subjects.clone(), caller.clone(), cursor.clone(), self.updates.clone());
            tasks.push(tokio::spawn(async move {
                let (mut times, mut errors) = (Vec::new(), 0);
                let mut n = worker as u64;
                while start.elapsed() < length {
                    let kind = workload.at(n / concurrency as u64 * 16 + worker as u64);
                    let Some(subject) = subjects.get(n as usize % subjects.len()) else { break };
                    let is_update = kind == Workload::W4;
                    let mut held = if is_update { Some(subject.version.lock().await) } else { None };
                    let number = if is_update { updates.fetch_add(1, Ordering::Relaxed) } else { 0 };
                    let about = About {
                        id: &subject.id,
                        number: &subject.number,
                        cursor: cursor.as_deref(),
                        version: held.as_deref().map_or("", String::as_str),
                        n: number,
                    };
                    let body = Bytes::from(body(kind, &about).to_string());
                    let begun = Instant::now();
                    let answer = connection.post(&caller, body).await;
                    let took = begun.elapsed();
                    match answer {
                        Ok(text) => {
                            times.push(took);
                            if let Some(held) = &mut held {
                                **held = only_version(&text).unwrap_or_default();
                            }
                        }
                        Err(error) => {
                            if errors == 0 {
                                eprintln!("{}: {error}", kind.name());
                            }
                            errors += 1;
                        }
                    }
                    n += concurrency as u64;
                }
                (times, errors)
            }));
        }
        let (mut times, mut errors) = (Vec::new(), 0);
        for task in tasks {
            let (more, failed) = task.await?;
            times.extend(more);
            errors += failed;
        }
        let wall = start.elapsed();
        let own = cpu::of_process(self.pid()).saturating_sub(own);
        let postgres = postmaster.map(cpu::of_family).unwrap_or_default().saturating_sub(postgres);
        Ok(Figures::new(times, errors, wall, own, postgres))
    }
}

/// The version in an answer that holds one: what asks is to cost little beside what answers.
fn only_version(answer: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(answer).ok()?.split_once(r#""version":""#)?;
    rest.split_once('"').map(|(version, _)| version.to_owned())
}

fn version(answer: &Value, path: &str) -> Result<String, Fault> {
    let version = answer.pointer(path).and_then(Value::as_str);
    Ok(version.ok_or_else(|| format!("no version in {answer}"))?.to_owned())
}
