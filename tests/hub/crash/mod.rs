//! `kill -9`: the hub is killed again and again under load, and whatever it told its callers must hold.
//!
//! The clients here do what a careful integrator does: they read, register children and update them under an
//! `Idempotency-Key`, hang up now and then, and repeat whatever they got no answer to, be it to the next start of the hub. They
//! note what they were told. After each kill the database is asked from outside:
//!
//! - each change that was acknowledged is there, once, however often it was asked for;
//! - each child has one event for each of its changes, and the stream of all has no gap;
//! - whatever a client was shown, the row of the access log that tells of it is committed;
//! - the log's chain is whole.
//!
//! `walk` does the same under the steps of handovers and missing episodes, with boards and their deadlines.
//!
//! A rig that finds nothing proves nothing, so it is also run on a hub whose keys are forgotten and on one that answers before
//! it commits, and must find both out.

/// Makes a test of an async function on a database.
macro_rules! on {
    ($($kind:ident $name:ident $what:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $what($crate::harness::Kind::$kind).await;
            }
        )+
    };
}

mod client;
#[cfg(debug_assertions)]
mod control;
pub mod journal;
pub mod server;
mod walk;
mod wire;

use crate::harness::{Database, Kind};
use client::Client;
use journal::{Journal, Violation};
use samverka::sandbox::Issuer;
use samverka_domain::clock::Clock;
use samverka_domain::hub::Database as DomainDatabase;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use server::{Build, Server};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the hub is killed on each database.
const ROUNDS: u64 = 20;
/// Within how many kills a faulty hub must be found out.
const CAUGHT_WITHIN: u64 = 10;
/// How long a round lasts at most.
const LONGEST_ROUND: Duration = Duration::from_secs(10);
/// How many clients there are.
const CLIENTS: usize = 6;

/// A database, the clients of its hub, and what they were told.
struct Rig {
    database: Database,
    outside: DatabaseConnection,
    clients: Vec<Client>,
    journal: Arc<Journal>,
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
        let token = issuer.token("migrationsverket", &Clock::system()).expect("a token");
        opened.close().await;
        let outside = sea_orm::Database::connect(database.url.as_str()).await.expect("connects from outside");
        let journal = Arc::new(Journal::default());
        let clients = (0..CLIENTS).map(|n| Client::new(n, &token, journal.clone())).collect();
        Some(Rig { database, outside, clients, journal, build, policies: server::policies() })
    }

    /// Starts the hub, lets the clients at it, and kills it after a while.
    fn round(&mut self) {
        let server = Server::start(self.build, &self.database.url, &self.policies);
        let killed = Arc::new(AtomicBool::new(false));
        let run = |mut client: Client| {
            let (address, killed) = (server.address, killed.clone());
            std::thread::spawn(move || {
                client.work(address, &killed);
                client
            })
        };
        let working: Vec<_> = self.clients.drain(..).map(run).collect();
        // So many answers, rather than so much time: a slow machine must have as much to lose.
        let (begun, enough) = (Instant::now(), self.journal.told().showings + 30 + random(60));
        while self.journal.told().showings < enough && begun.elapsed() < LONGEST_ROUND {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random(20_000) as u64));
        server.kill();
        killed.store(true, Ordering::SeqCst);
        self.clients.extend(working.into_iter().map(|client| client.join().expect("a client ends")));
    }

    async fn violations(&self) -> Vec<Violation> {
        let pending: Vec<&str> = self.clients.iter().filter_map(Client::pending).collect();
        self.journal.violations(&self.outside, &pending).await
    }

    /// Lets the clients finish what they have no answer to.
    fn settle(&mut self) {
        let server = Server::start(self.build, &self.database.url, &self.policies);
        for client in &mut self.clients {
            client.finish(server.address);
        }
        server.kill();
    }
}

/// A number below another.
fn random(below: usize) -> usize {
    RandomState::new().hash_one(0) as usize % below
}

/// The hub as it is shipped, killed again and again.
async fn what_the_hub_told_holds(kind: Kind) {
    let Some(mut rig) = Rig::new(kind, server::shipped).await else { return };
    for round in 0..ROUNDS {
        rig.round();
        let violations = rig.violations().await;
        assert!(violations.is_empty(), "after kill {round}: {violations:?}");
    }
    rig.settle();
    assert_eq!(rig.violations().await, []);
    let verified = server::run(&["ledger", "--database", &rig.database.url, "verify"]);
    assert!(verified.starts_with("intact: "), "{verified}");
    // And the rig was one: there was something to lose.
    let told = rig.journal.told();
    assert!(told.changes > 300 && told.showings > 600, "{told:?}");
    assert!(told.interrupted > 20 && told.unanswered > 0, "{told:?}");
    assert!(told.repeated > 20 && told.conflicts > 0, "{told:?}");
}

/// The same rig, and a hub whose keys are forgotten at each kill.
async fn a_hub_that_forgets_its_keys_is_caught(kind: Kind) {
    let Some(mut rig) = Rig::new(kind, server::shipped).await else { return };
    for _ in 0..CAUGHT_WITHIN {
        rig.round();
        rig.outside.execute_unprepared("DELETE FROM idempotency").await.expect("forgets");
        rig.settle();
        if rig.violations().await.iter().any(|violation| matches!(violation, Violation::Twice(_))) {
            return;
        }
    }
    panic!("no change was found to be made twice");
}

on! {
    Sqlite what_the_hub_told_holds_on_sqlite what_the_hub_told_holds
    Postgres what_the_hub_told_holds_on_postgres what_the_hub_told_holds
    Sqlite a_hub_that_forgets_its_keys_is_caught_on_sqlite a_hub_that_forgets_its_keys_is_caught
    Postgres a_hub_that_forgets_its_keys_is_caught_on_postgres a_hub_that_forgets_its_keys_is_caught
}
