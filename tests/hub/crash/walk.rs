//! `kill -9` under handovers and missing episodes: children are registered, handed over, lost, found and handed over again, by the
//! agencies whose steps these are, each under a key and repeated until it is answered. After each kill:
//!
//! - each step that was acknowledged is there, once, however often it was asked for, and none twice;
//! - each child has exactly one lead at every instant, who is the one that the last acknowledged step made it;
//! - at most one agency is responsible for it at a time;
//! - each deadline has fired once at most, and in the end each that was due has;
//! - each event has a number, and there is no gap.

use super::journal::gaps;
use super::server::{self, Build, Server};
use super::wire;
use crate::harness::{Database, Kind};
use samverka::sandbox::Issuer;
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often the hub is killed on each database.
const ROUNDS: usize = 5;
/// After how many answers.
const ANSWERS: usize = 40;
/// How long a round lasts at most.
const LONGEST_ROUND: Duration = Duration::from_secs(8);
/// How many walk at the same time, each with a child of its own.
const WALKERS: usize = 4;
/// How long the deadlines that are left are waited for: longer than one that a killed hub had taken is that hub's (30 s).
const PATIENCE: Duration = Duration::from_secs(60);
/// Those who take steps.
const AGENCIES: [&str; 3] = ["migrationsverket", "malmo-soc", "landskrona-soc"];

/// A step that is asked for, and who asks.
#[derive(Clone, Debug)]
struct Pending {
    key: String,
    by: &'static str,
    field: &'static str,
    body: Value,
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Register,
    Propose,
    Accept,
    NotArrived,
    Missing,
    Located,
    Safe,
    Reschedule,
    Close,
    Arrive,
    /// Another child, of whose handover nobody ever says anything more.
    RegisterSilent,
    ProposeSilent,
}

/// One who walks children through the protocols.
struct Walker {
    n: usize,
    count: usize,
    cycle: usize,
    stage: Stage,
    lead: &'static str,
    child: String,
    handover: String,
    episode: String,
    silent: String,
    pending: Option<Pending>,
    /// What it was told that does not follow from what it was told before.
    stuck: Option<String>,
    address: SocketAddr,
    shared: Arc<Shared>,
    told: Told,
}

/// What is the same for all.
struct Shared {
    tokens: HashMap<&'static str, String>,
    agencies: HashMap<&'static str, String>,
    answers: AtomicUsize,
    interrupted: AtomicUsize,
}

/// What was acknowledged: kinds of event, and what they are about.
#[derive(Clone, Debug, Default)]
struct Told {
    steps: BTreeSet<(String, Uuid)>,
    silent: BTreeSet<Uuid>,
}

/// The bytes of a public id.
fn uuid(id: &str) -> Uuid {
    let (_, text) = id.split_once('_').expect("a public id");
    Uuid::from_slice(&data_encoding::BASE32_DNSSEC.decode(text.as_bytes()).expect("an id")).expect("sixteen bytes")
}

/// So long from now, as GraphQL takes it.
fn ahead(seconds: i64) -> String {
    let at = chrono::DateTime::from_timestamp_micros(Clock::system().now() + seconds * 1_000_000).expect("an instant");
    at.to_rfc3339()
}

impl Walker {
    fn work(&mut self, address: SocketAddr, killed: &AtomicBool) {
        self.address = address;
        while !killed.load(Ordering::SeqCst) {
            if self.step().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Repeats the step that was not answered yet.
    fn finish(&mut self, address: SocketAddr) {
        self.address = address;
        for _ in 0..200 {
            if self.pending.is_none() {
                return;
            }
            if self.settle().is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        panic!("walker {} gets no answer to {:?}", self.n, self.pending);
    }

    fn step(&mut self) -> Option<()> {
        if self.stuck.is_some() {
            return None;
        }
        if self.pending.is_none() {
            self.count += 1;
            let (by, field, body) = self.next();
            let key = format!("walk-{}-{}", self.n, self.count);
            self.pending = Some(Pending { key, by, field, body });
            if self.count.is_multiple_of(3) {
                // Hangs up at once, and asks again while the first is under way.
                _ = self.send();
            }
        }
        self.settle()
    }

    /// Who receives in this cycle.
    fn receiver(&self) -> &'static str {
        if self.lead == "malmo-soc" { "landskrona-soc" } else { "malmo-soc" }
    }

    fn next(&self) -> (&'static str, &'static str, Value) {
        let (lead, to) = (self.lead, self.receiver());
        let of_handover = |field: &str, more: &str| json!({ "query": format!("mutation {{ {field}(handoverId: \"{}\"{more}) {{ handover {{ id }} }} }}", self.handover) });
        let of_child = |field: &str, more: &str| json!({ "query": format!("mutation {{ {field}(childId: \"{}\"{more}) {{ episode {{ id }} }} }}", self.child) });
        let reschedule = format!(", expectedAt: \"{}\", reason: \"Barnet är funnet\"", ahead(7200));
        let at = format!(", at: \"{}\"", ahead(0));
        match self.stage {
            Stage::Register | Stage::RegisterSilent => ("migrationsverket", "registerChild", self.register()),
            Stage::Propose => (lead, "proposeHandover", self.propose(lead, &self.child, 3600)),
            Stage::ProposeSilent => {
                ("migrationsverket", "proposeHandover", self.propose("migrationsverket", &self.silent, 2))
            }
            Stage::Accept => (to, "acceptHandover", of_handover("acceptHandover", "")),
            Stage::NotArrived => (to, "reportNotArrived", of_handover("reportNotArrived", "")),
            Stage::Missing => {
                let input = format!(", input: {{ lastSeenAt: \"{}\" }}", ahead(-60));
                (to, "reportMissing", of_child("reportMissing", &input))
            }
            Stage::Located => (to, "markLocated", of_child("markLocated", &at)),
            Stage::Safe => (to, "markSafe", of_child("markSafe", "")),
            Stage::Reschedule => (to, "rescheduleHandover", of_handover("rescheduleHandover", &reschedule)),
            Stage::Close => {
                let close = "closeEpisode";
                let query = format!(
                    "mutation {{ {close}(episodeId: \"{}\", reason: \"Avslutas.\") {{ episode {{ id }} }} }}",
                    self.episode
                );
                (to, close, json!({ "query": query }))
            }
            Stage::Arrive => (to, "confirmArrival", of_handover("confirmArrival", "")),
        }
    }

    fn register(&self) -> Value {
        let query = format!(
            "mutation {{ registerChild(input: {{ responsibleAgencyId: \"{}\", identity: {{ givenNames: \"Barn\" }} }}) {{ child {{ id }} }} }}",
            self.shared.agencies["malmo-soc"]
        );
        json!({ "query": query })
    }

    fn propose(&self, from: &str, child: &str, seconds: i64) -> Value {
        let is_assigned = from == "migrationsverket";
        let to = if is_assigned { "malmo-soc" } else { self.receiver() };
        let kind = if is_assigned { "ASSIGNMENT" } else { "CASE_TRANSFER" };
        let query = format!(
            "mutation {{ proposeHandover(childId: \"{child}\", kind: {kind}, toAgencyId: \"{}\", expectedAt: \"{}\",
                details: {{ contactName: \"Ada Ek\", contactPhone: \"+46701740605\", decisionNumber: \"A-1\",
                decidedOn: \"2026-01-02\" }}) {{ handover {{ id }} }} }}",
            self.shared.agencies[to],
            ahead(seconds)
        );
        json!({ "query": query })
    }

    /// Asks for the step that has no answer yet.
    fn settle(&mut self) -> Option<()> {
        let pending = self.pending.clone()?;
        let mut socket = self.send()?;
        let received = wire::receive(&mut socket).filter(|received| received.is_whole);
        let Some(received) = received else {
            self.shared.interrupted.fetch_add(1, Ordering::SeqCst);
            return None;
        };
        let answer: Value = serde_json::from_str(&received.body).expect("JSON");
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None => {
                self.shared.answers.fetch_add(1, Ordering::SeqCst);
                self.pending = None;
                self.took(&answer["data"][pending.field]);
            }
            // Busy, or not able to: it is asked again.
            Some("UNAVAILABLE" | "AUDIT_UNAVAILABLE" | "TOO_MANY_REQUESTS" | "DECISION_STALE") => return None,
            // It waited through a kill for so long that its expected arrival has passed.
            Some("DATE_ORDER") if self.stage == Stage::ProposeSilent => {
                self.pending = None;
                self.stage = Stage::Propose;
            }
            // What stood is not there any more: the walk cannot go on.
            Some(code) => {
                self.stuck = Some(format!("{code} for {} by {}: {}", pending.field, pending.by, answer["errors"][0]));
                return None;
            }
        }
        Some(())
    }

    fn send(&self) -> Option<std::net::TcpStream> {
        let pending = self.pending.as_ref()?;
        let token = self.shared.tokens[pending.by].as_str();
        wire::send(self.address, &wire::message((token, "PROTECT"), &pending.body, Some(&pending.key)))
    }

    /// Goes on from a step that was acknowledged.
    fn took(&mut self, payload: &Value) {
        let id = |what: &str| payload[what]["id"].as_str().expect("an id").to_owned();
        let (kind, about) = match self.stage {
            Stage::Register => {
                self.child = id("child");
                self.stage = Stage::Propose;
                return;
            }
            Stage::RegisterSilent => {
                self.silent = id("child");
                self.stage = Stage::ProposeSilent;
                return;
            }
            Stage::Propose => {
                self.handover = id("handover");
                self.stage = Stage::Accept;
                ("HANDOVER_PROPOSED", self.handover.clone())
            }
            Stage::ProposeSilent => {
                self.told.silent.insert(uuid(&id("handover")));
                self.stage = Stage::Propose;
                ("HANDOVER_PROPOSED", id("handover"))
            }
            Stage::Accept => {
                self.stage = if self.cycle.is_multiple_of(2) { Stage::NotArrived } else { Stage::Arrive };
                ("HANDOVER_ACCEPTED", self.handover.clone())
            }
            Stage::NotArrived => {
                self.stage = Stage::Missing;
                ("HANDOVER_NOT_ARRIVED", self.handover.clone())
            }
            Stage::Missing => {
                self.episode = id("episode");
                self.stage = Stage::Located;
                ("EPISODE_OPENED", self.episode.clone())
            }
            Stage::Located => {
                self.stage = Stage::Safe;
                ("CHILD_LOCATED", self.episode.clone())
            }
            Stage::Safe => {
                // The first handover of a child ends with its episode.
                self.stage = if self.cycle == 0 { Stage::Close } else { Stage::Reschedule };
                ("CHILD_SAFE", self.episode.clone())
            }
            Stage::Reschedule => {
                self.stage = Stage::Close;
                ("HANDOVER_RESCHEDULED", self.handover.clone())
            }
            Stage::Close => {
                let ends = self.cycle == 0;
                self.stage = if ends { Stage::RegisterSilent } else { Stage::Arrive };
                if ends {
                    self.cycle += 1;
                    self.told.steps.insert(("HANDOVER_CLOSED".to_owned(), uuid(&self.handover)));
                }
                ("EPISODE_CLOSED", self.episode.clone())
            }
            Stage::Arrive => {
                self.lead = self.receiver();
                self.cycle += 1;
                self.stage = if self.cycle.is_multiple_of(3) { Stage::RegisterSilent } else { Stage::Propose };
                ("HANDOVER_ARRIVED", self.handover.clone())
            }
        };
        self.told.steps.insert((kind.to_owned(), uuid(&about)));
    }
}

/// What does not hold, of what was told and of what must hold whatever was told.
async fn violations(outside: &DatabaseConnection, walkers: &[Walker]) -> Vec<String> {
    let mut found = gaps(outside).await;
    let made = steps(outside).await;
    // Nothing of these is done more than once to one handover or episode here, and no alarm rings twice.
    found.extend(made.iter().filter(|(_, times)| **times > 1).map(|(step, times)| format!("{step:?}: {times} times")));
    found.extend(walkers.iter().filter_map(|walker| walker.stuck.clone()));
    for walker in walkers {
        let lost = walker.told.steps.iter().filter(|step| !made.contains_key(*step));
        found.extend(lost.map(|step| format!("lost: {step:?}")));
    }
    for (what, sql) in RULES {
        found.extend(texts(outside, sql).await.into_iter().map(|child| format!("{what}: {child}")));
    }
    let leads = leads(outside).await;
    let idle = walkers.iter().filter(|walker| walker.pending.is_none() && !walker.child.is_empty());
    for walker in idle {
        let expected = uuid(&walker.shared.agencies[walker.lead]);
        let lead = leads.get(&uuid(&walker.child));
        if lead != Some(&expected) {
            found.push(format!("{} is led by {lead:?}, and not by {}", walker.child, walker.lead));
        }
    }
    found
}

/// Each finds what must not be.
const RULES: [(&str, &str); 5] = [
    (
        "not one lead",
        "SELECT 'a child' FROM child c WHERE 1 <> (SELECT COUNT(*) FROM involvement i WHERE i.child_id = c.id
         AND i.kind = 'LEAD' AND i.closed_at IS NULL AND i.agency_id = c.lead_agency_id)",
    ),
    (
        "a gap or an overlap of leads",
        "SELECT 'a child' FROM involvement a WHERE a.kind = 'LEAD' AND a.closed_at IS NOT NULL AND 1 <> (SELECT COUNT(*)
         FROM involvement b WHERE b.child_id = a.child_id AND b.kind = 'LEAD' AND b.opened_at = a.closed_at)",
    ),
    (
        "two are responsible",
        "SELECT 'a child' FROM involvement a JOIN involvement b ON a.child_id = b.child_id AND a.id < b.id
         WHERE a.kind = 'RESPONSIBLE' AND b.kind = 'RESPONSIBLE'
         AND a.opened_at < COALESCE(b.closed_at, 9000000000000000000) AND b.opened_at < COALESCE(a.closed_at, 9000000000000000000)",
    ),
    (
        "a receiver without a handover",
        "SELECT 'a child' FROM involvement i WHERE i.kind = 'RECEIVING' AND i.closed_at IS NULL AND NOT EXISTS (SELECT 1
         FROM handover h WHERE h.child_id = i.child_id AND h.to_agency_id = i.agency_id AND h.ended_at IS NULL)",
    ),
    (
        "an open handover without its deadlines",
        "SELECT 'a child' FROM handover h WHERE h.ended_at IS NULL AND 3 <> (SELECT COUNT(*) FROM deadline d
         WHERE d.about_id = h.id AND d.cancelled_at IS NULL)",
    ),
];

async fn query(outside: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(outside.get_database_backend(), sql);
    outside.query_all_raw(statement).await.expect("answers")
}

async fn texts(outside: &DatabaseConnection, sql: &str) -> Vec<String> {
    query(outside, sql).await.iter().map(|row| row.try_get_by_index(0).expect("text")).collect()
}

/// How often each kind of event is there about each handover and episode.
async fn steps(outside: &DatabaseConnection) -> BTreeMap<(String, Uuid), i64> {
    let sql = "SELECT kind, about_id, COUNT(*) FROM event WHERE about_id IS NOT NULL GROUP BY kind, about_id";
    let rows = query(outside, sql).await;
    let row = |row: &sea_orm::QueryResult| {
        let step = (row.try_get_by_index(0).expect("a kind"), row.try_get_by_index(1).expect("an id"));
        (step, row.try_get_by_index(2).expect("a number"))
    };
    rows.iter().map(row).collect()
}

async fn leads(outside: &DatabaseConnection) -> HashMap<Uuid, Uuid> {
    let rows = query(outside, "SELECT id, lead_agency_id FROM child").await;
    rows.iter()
        .map(|row| (row.try_get_by_index(0).expect("an id"), row.try_get_by_index(1).expect("an agency")))
        .collect()
}

/// A database, and those who walk on it.
struct Rig {
    database: Database,
    outside: DatabaseConnection,
    shared: Arc<Shared>,
    walkers: Vec<Walker>,
    build: Build,
    policies: PathBuf,
}

impl Drop for Rig {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.policies);
    }
}

impl Rig {
    /// A sandbox without children; none where the database is not to be had.
    async fn new(kind: Kind, build: Build) -> Option<Rig> {
        let database = Database::new(kind).await?;
        let opened = DomainDatabase::connect(&database.url).await.expect("connects");
        opened.remember("seeded", || "0".to_owned()).await.expect("no children are made up");
        let issuer = Issuer::of(&opened).await.expect("a sandbox");
        let token = |persona| (persona, issuer.token(persona, &Clock::system()).expect("a token"));
        let tokens = AGENCIES.into_iter().map(token).collect();
        opened.close().await;
        let outside = sea_orm::Database::connect(database.url.as_str()).await.expect("connects from outside");
        let mut agencies = HashMap::new();
        for row in query(&outside, "SELECT code, id FROM agency").await {
            let (code, id): (String, Uuid) =
                (row.try_get_by_index(0).expect("a code"), row.try_get_by_index(1).expect("an id"));
            let public = format!("agency_{}", data_encoding::BASE32_DNSSEC.encode(id.as_bytes()));
            agencies.extend(AGENCIES.into_iter().find(|known| *known == code).map(|known| (known, public)));
        }
        let (answers, interrupted) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Arc::new(Shared { tokens, agencies, answers, interrupted });
        let walkers = (0..WALKERS).map(|n| walker(n, shared.clone())).collect();
        let policies = server::policies_with(&["acts.cedar", "social_services.cedar"]);
        Some(Rig { database, outside, shared, walkers, build, policies })
    }

    /// Starts the hub, lets the walkers at it, kills it after a while, and tells what does not hold then.
    async fn round(&mut self) -> Vec<String> {
        let server = Server::start(self.build, &self.database.url, &self.policies);
        let killed = Arc::new(AtomicBool::new(false));
        let run = |mut walker: Walker| {
            let (address, killed) = (server.address, killed.clone());
            std::thread::spawn(move || {
                walker.work(address, &killed);
                walker
            })
        };
        let working: Vec<_> = self.walkers.drain(..).map(run).collect();
        let answers = || self.shared.answers.load(Ordering::SeqCst);
        let (begun, enough) = (Instant::now(), answers() + ANSWERS);
        while answers() < enough && begun.elapsed() < LONGEST_ROUND {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(super::random(20_000) as u64));
        server.kill();
        killed.store(true, Ordering::SeqCst);
        self.walkers.extend(working.into_iter().map(|walker| walker.join().expect("a walker ends")));
        violations(&self.outside, &self.walkers).await
    }

    /// The last start: what has no answer gets one, and every alarm that is due rings. How many it were.
    async fn settle(&mut self) -> usize {
        let server = Server::start(self.build, &self.database.url, &self.policies);
        self.walkers.iter_mut().for_each(|walker| walker.finish(server.address));
        let silent: BTreeSet<Uuid> = self.walkers.iter().flat_map(|walker| walker.told.silent.clone()).collect();
        let begun = Instant::now();
        loop {
            let made = steps(&self.outside).await;
            let rang = |id: &&Uuid| made.contains_key(&("HANDOVER_OVERDUE".to_owned(), **id));
            if silent.iter().filter(rang).count() == silent.len() {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "an alarm has not rung");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Time for what would ring again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        server.kill();
        silent.len()
    }
}

async fn what_was_stepped_holds(kind: Kind) {
    let Some(mut rig) = Rig::new(kind, server::shipped).await else { return };
    for round in 0..ROUNDS {
        let violations = rig.round().await;
        assert!(violations.is_empty(), "after kill {round}: {violations:?}");
    }
    let rang = rig.settle().await;
    let violations = violations(&rig.outside, &rig.walkers).await;
    assert!(violations.is_empty(), "in the end: {violations:?}");
    // And the rig was one: there was something to lose.
    let steps: usize = rig.walkers.iter().map(|walker| walker.told.steps.len()).sum();
    let interrupted = rig.shared.interrupted.load(Ordering::SeqCst);
    assert!(steps > 100 && interrupted > 3 && rang >= WALKERS, "{steps} {interrupted} {rang}");
}

/// The same rig, and a hub that answers before it commits.
#[cfg(debug_assertions)]
async fn a_hub_that_answers_too_early_is_caught(kind: Kind) {
    let Some(mut rig) = Rig::new(kind, super::control::too_early).await else { return };
    for _ in 0..super::CAUGHT_WITHIN {
        // A step is lost, or the next one finds that it is not there.
        if !rig.round().await.is_empty() {
            return;
        }
    }
    panic!("nothing was found");
}

fn walker(n: usize, shared: Arc<Shared>) -> Walker {
    Walker {
        n,
        count: 0,
        cycle: 0,
        stage: Stage::Register,
        lead: "migrationsverket",
        child: String::new(),
        handover: String::new(),
        episode: String::new(),
        silent: String::new(),
        pending: None,
        stuck: None,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        shared,
        told: Told::default(),
    }
}

on! {
    Sqlite what_was_stepped_holds_on_sqlite what_was_stepped_holds
    Postgres what_was_stepped_holds_on_postgres what_was_stepped_holds
}

#[cfg(debug_assertions)]
on! {
    Sqlite a_hub_that_answers_too_early_is_caught_on_sqlite a_hub_that_answers_too_early_is_caught
    Postgres a_hub_that_answers_too_early_is_caught_on_postgres a_hub_that_answers_too_early_is_caught
}
