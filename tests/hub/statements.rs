//! How many statements each root field takes, and how often the hub waits for the database: pinned, so that a change shows.
//!
//! Counted on the wire, between the hub and PostgreSQL, so that nothing of the hub is there for the counting. On SQLite the
//! hub runs the same statements: only the lock on a child's row is PostgreSQL's alone.

use crate::harness::{Database, Hub, Kind, Scene, everything};
use samverka_domain::policy::Engine;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What went to the database.
#[derive(Clone, Default)]
struct Wire {
    statements: Arc<AtomicU64>,
    trips: Arc<AtomicU64>,
}

impl Wire {
    /// Listens, and passes every connection on to a port. Gives its own port.
    async fn tap(port: u16) -> (Wire, u16) {
        let wire = Wire::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("a port").port();
        let counting = wire.clone();
        tokio::spawn(async move {
            while let Ok((hub, _)) = listener.accept().await {
                let (from_hub, mut to_hub) = hub.into_split();
                let database = TcpStream::connect(("127.0.0.1", port)).await.expect("PostgreSQL");
                let (mut from_database, to_database) = database.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_database, &mut to_hub).await });
                let wire = counting.clone();
                tokio::spawn(async move { wire.pass(from_hub, to_database).await });
            }
        });
        (wire, own)
    }

    /// Passes messages on (PostgreSQL's protocol, section 55.7): the first have no kind.
    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        const SSL_REQUEST: u32 = 80_877_103;
        let mut has_begun = false;
        loop {
            let kind = if has_begun { Some(from.read_u8().await?) } else { None };
            let length = from.read_u32().await?;
            let mut rest = vec![0; length as usize - 4];
            from.read_exact(&mut rest).await?;
            has_begun |= rest.get(..4) != Some(&SSL_REQUEST.to_be_bytes());
            let (statements, trips) = match kind {
                Some(b'Q') => (1, 1),
                Some(b'E') => (1, 0),
                Some(b'S') => (0, 1),
                _ => (0, 0),
            };
            self.statements.fetch_add(statements, Ordering::SeqCst);
            self.trips.fetch_add(trips, Ordering::SeqCst);
            let mut message: Vec<u8> = kind.into_iter().collect();
            message.extend(length.to_be_bytes());
            message.extend(rest);
            to.write_all(&message).await?;
        }
    }

    fn read(&self) -> (u64, u64) {
        (self.statements.load(Ordering::SeqCst), self.trips.load(Ordering::SeqCst))
    }
}

/// How often each is asked: every connection prepares a statement once, which takes round trips of its own.
const TRIES: usize = 14;

/// Statements, and round trips, of one request. The least of some, because the log's index is kept beside the requests.
async fn cost(hub: &Hub, wire: &Wire, persona: &str, query: &str, mut variables: impl FnMut() -> Value) -> (u64, u64) {
    let mut least = (u64::MAX, u64::MAX);
    for _ in 0..TRIES {
        let (statements, trips) = wire.read();
        let answer = hub.caller(persona).ask_with(query, variables()).await;
        assert!(answer.json["errors"].is_null(), "{}", answer.text);
        // What follows an answer: transactions are ended, connections given back.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let after = wire.read();
        least = (least.0.min(after.0 - statements), least.1.min(after.1 - trips));
    }
    least
}

const CARD: &str = "query($id: ID!) { child(id: $id) { identity { givenNames } placement { unitName earlier { unitName } } \
    responsibility { responsibleAgency { name } } health { criticalNeeds } schooling { schoolName } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_and_round_trips_are_as_written_here() {
    let Some(database) = Database::new(Kind::Postgres).await else { return };
    let port = database.url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
    let port: u16 = port.expect("a port in the URL");
    let (wire, own) = Wire::tap(port).await;
    let url = database.url.replace(&format!(":{port}/"), &format!(":{own}/"));
    let hub = Hub::start_at(database, &url, Engine::embedded()).await;
    let child = hub.child(Scene::default()).await;
    let list = format!("{{ children(first: 100) {{ nodes {{ {} }} }} }}", everything());
    let of_one = cost(&hub, &wire, "malmo-soc", &list, || json!({})).await;
    for _ in 0..99 {
        hub.child(Scene::default()).await;
    }
    let of_hundred = cost(&hub, &wire, "malmo-soc", &list, || json!({})).await;
    assert_eq!(of_one, of_hundred, "a list takes as many statements for one child as for a hundred");

    let id = || json!({ "id": child.id });
    let number = child.canaries.iter().find(|(field, _)| field.to_string() == "identifiers.dossierNumbers");
    let number = number.expect("a dossier number").1.clone();
    let whole = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    let history = "query($id: ID!) { child(id: $id) { voice { wishes revisions { at } } } }";
    let twice =
        "query($id: ID!) { a: child(id: $id) { identity { givenNames } } b: child(id: $id) { voice { wishes } } }";
    let by_number =
        "query($value: String!) { childByIdentifier(kind: DOSSIER_NUMBER, value: $value) { identity { givenNames } } }";
    let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { at } } } }";
    let ordered = "{ children(orderBy: { field: RISK_DATE, direction: DESC }, first: 100) { nodes { identity { givenNames } } } }";
    let mut found: Vec<(&str, (u64, u64))> = vec![("children, all sections", of_one)];
    found.push(("me", cost(&hub, &wire, "malmo-soc", "{ me { role } }", || json!({})).await));
    found.push(("child, some sections", cost(&hub, &wire, "malmo-soc", CARD, id).await));
    found.push(("child, all sections", cost(&hub, &wire, "malmo-soc", &whole, id).await));
    found.push(("child, revisions", cost(&hub, &wire, "malmo-soc", history, id).await));
    found.push(("child, twice", cost(&hub, &wire, "malmo-soc", twice, id).await));
    found.push(("childByIdentifier", cost(&hub, &wire, "malmo-soc", by_number, || json!({ "value": number })).await));
    found.push(("children, ordered", cost(&hub, &wire, "malmo-soc", ordered, || json!({})).await));
    // What is not indexed yet is indexed first, unless the hub's own turn at it came before.
    let read = cost(&hub, &wire, "malmo-soc", log, id).await;
    assert!(read.0 <= 12 && read.1 <= 17, "accessLog takes {read:?}");
    // A look that guesses wrong looks again: no guess is left of a child that was never asked for.
    let mut others = Vec::new();
    for _ in 0..TRIES {
        others.push(hub.child(Scene::default()).await.id);
    }
    found.push(("child, first time", cost(&hub, &wire, "malmo-soc", CARD, || json!({ "id": others.pop() })).await));
    let mut n = 0;
    let change = "mutation($id: ID!, $v: String!, $set: VoicePatch!) {
        updateVoice(childId: $id, expectedVersion: $v, set: $set) { child { voice { version } } } }";
    let mut version =
        hub.caller("malmo-soc").ask_with("query($id: ID!) { child(id: $id) { voice { version } } }", id()).await;
    let mut least = (u64::MAX, u64::MAX);
    for _ in 0..TRIES {
        n += 1;
        let pointer = if n == 1 { "/data/child/voice/version" } else { "/data/updateVoice/child/voice/version" };
        let v = version.json.pointer(pointer).cloned().expect("a version");
        let (statements, trips) = wire.read();
        let variables = json!({ "id": child.id, "v": v, "set": { "wishes": format!("Önskan {n}") } });
        version = hub.caller("malmo-soc").ask_with(change, variables).await;
        assert!(version.json["errors"].is_null(), "{}", version.text);
        tokio::time::sleep(Duration::from_millis(60)).await;
        let after = wire.read();
        least = (least.0.min(after.0 - statements), least.1.min(after.1 - trips));
    }
    found.push(("updateVoice", least));
    assert_eq!(found, PINNED);
    let (_, (all, _)) = found.iter().find(|(asked, _)| *asked == "child, all sections").expect("it was asked");
    let tables = samverka_domain::catalogue::Section::ALL.len() as u64;
    assert!(*all <= tables + 2, "one child takes at most a statement for each table, and two");
}

/// What was asked; statements; round trips. The log's row is among them, and what follows the answer: the end of a
/// transaction, and the pool's look at the connection that wrote.
const PINNED: [(&str, (u64, u64)); 10] = [
    ("children, all sections", (14, 15)),
    ("me", (1, 2)),
    ("child, some sections", (2, 3)),
    ("child, all sections", (13, 14)),
    ("child, revisions", (6, 7)),
    ("child, twice", (7, 8)),
    ("childByIdentifier", (3, 4)),
    ("children, ordered", (7, 8)),
    ("child, first time", (3, 4)),
    ("updateVoice", (9, 11)),
];
