//! How many statements each root field takes, and how often the hub waits for the database: pinned, so that a change shows.
//!
//! Counted on the wire, between the hub and PostgreSQL, so that nothing of the hub is there for the counting. On SQLite the
//! hub runs the same statements, but for those changes that PostgreSQL takes in one.

use crate::harness::{Database, Hub, Kind, Scene, everything};
use samverka_domain::catalogue::Section;
use samverka_domain::policy::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// What went to the database, on any connection.
#[derive(Clone, Default)]
struct Wire {
    statements: Arc<AtomicU64>,
    trips: Arc<AtomicU64>,
    /// What the hub waits for now.
    awaited: Arc<AtomicI64>,
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
                let (from_hub, to_hub) = hub.into_split();
                let database = TcpStream::connect(("127.0.0.1", port)).await.expect("PostgreSQL");
                let (from_database, to_database) = database.into_split();
                let (wire, back) = (counting.clone(), counting.clone());
                tokio::spawn(async move { back.pass_back(from_database, to_hub).await });
                tokio::spawn(async move { wire.pass(from_hub, to_database).await });
            }
        });
        (wire, own)
    }

    /// Passes the hub's messages on (PostgreSQL's protocol, section 55.7): the first have no kind. That a connection prepares
    /// a statement when it first runs it is not counted: every other time it does not.
    async fn pass(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        const SSL_REQUEST: u32 = 80_877_103;
        let (mut has_begun, mut prepares) = (false, false);
        loop {
            let kind = if has_begun { Some(from.read_u8().await?) } else { None };
            let message = rest_of(kind, &mut from).await?;
            has_begun |= message.get(4..8) != Some(&SSL_REQUEST.to_be_bytes());
            let (statements, trips) = match kind {
                Some(b'Q') => (1, 1),
                Some(b'E') => (1, 0),
                Some(b'S') => (0, u64::from(!std::mem::take(&mut prepares))),
                _ => (0, 0),
            };
            prepares = (prepares || kind == Some(b'P')) && kind != Some(b'E');
            self.statements.fetch_add(statements, Ordering::SeqCst);
            self.trips.fetch_add(trips, Ordering::SeqCst);
            self.awaited.fetch_add(i64::from(matches!(kind, Some(b'Q' | b'S'))), Ordering::SeqCst);
            to.write_all(&message).await?;
        }
    }

    /// Passes the database's messages on: each trip ends with one that it is ready, as does the beginning.
    async fn pass_back(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut has_begun = false;
        loop {
            let kind = from.read_u8().await?;
            if !has_begun && kind == b'N' {
                // No TLS.
                to.write_all(&[kind]).await?;
                continue;
            }
            let message = rest_of(Some(kind), &mut from).await?;
            let ends = has_begun && kind == b'Z';
            has_begun |= kind == b'Z';
            to.write_all(&message).await?;
            self.awaited.fetch_sub(i64::from(ends), Ordering::SeqCst);
        }
    }

    fn read(&self) -> (u64, u64) {
        (self.statements.load(Ordering::SeqCst), self.trips.load(Ordering::SeqCst))
    }

    /// What stands when nothing has gone over the wire for a while and nothing is waited for: transactions are ended and
    /// connections given back after an answer.
    async fn quiet(&self) -> (u64, u64) {
        let (mut stands, mut since) = (self.read(), Instant::now());
        while since.elapsed() < QUIET {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let now = self.read();
            if now != stands || self.awaited.load(Ordering::SeqCst) > 0 {
                (stands, since) = (now, Instant::now());
            }
        }
        stands
    }
}

/// A message, but for what was read of it.
async fn rest_of(kind: Option<u8>, from: &mut OwnedReadHalf) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend(length.to_be_bytes());
    let begun = message.len();
    message.resize(begun + length as usize - 4, 0);
    from.read_exact(&mut message[begun..]).await?;
    Ok(message)
}

/// For how long nothing goes over the wire when it is quiet.
const QUIET: Duration = Duration::from_millis(25);
/// How often each is asked. What the hub does beside requests – the log's index, callers' keys – comes into few of them, and so does what a connection has yet to prepare.
const TRIES: usize = 9;

/// Statements, and round trips, of a request: what most tries came to.
async fn cost(hub: &Hub, wire: &Wire, persona: &str, query: &str, mut variables: impl FnMut() -> Value) -> (u64, u64) {
    let mut found: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    for _ in 0..TRIES {
        let variables = variables();
        let (statements, trips) = wire.quiet().await;
        let answer = hub.caller(persona).ask_with(query, variables).await;
        assert!(answer.json["errors"].is_null(), "{}", answer.text);
        let after = wire.quiet().await;
        *found.entry((after.0 - statements, after.1 - trips)).or_default() += 1;
    }
    found.into_iter().max_by_key(|(_, times)| *times).expect("it was tried").0
}

/// A hub on PostgreSQL, and the wire between them; none where there is no PostgreSQL.
async fn tapped() -> Option<(Hub, Wire)> {
    let database = Database::new(Kind::Postgres).await?;
    let port = database.url.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
    let port: u16 = port.expect("a port in the URL");
    let (wire, own) = Wire::tap(port).await;
    let url = database.url.replace(&format!(":{port}/"), &format!(":{own}/"));
    Some((Hub::start_at(database, &url, Engine::embedded()).await, wire))
}

const CARD: &str = "query($id: ID!) { child(id: $id) { identity { givenNames } placement { unitName earlier { unitName } } \
    responsibility { responsibleAgency { name } } health { criticalNeeds } schooling { schoolName } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_and_round_trips_are_as_written_here() {
    let Some((hub, wire)) = tapped().await else { return };
    let child = hub.child(Scene::default()).await;
    let list = format!("{{ children(first: 40) {{ nodes {{ {} }} }} }}", everything());
    let of_one = cost(&hub, &wire, "malmo-soc", &list, || json!({})).await;
    hub.children(15, &Scene::default()).await;
    let of_many = cost(&hub, &wire, "malmo-soc", &list, || json!({})).await;
    assert_eq!(of_one, of_many, "a list takes as many statements for one child as for many");

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
    let mut others = hub.children(TRIES, &Scene::default()).await.into_iter().map(|child| child.id);
    found.push(("child, first time", cost(&hub, &wire, "malmo-soc", CARD, || json!({ "id": others.next() })).await));
    let mut n = 0;
    let change = "mutation($id: ID!, $v: String!, $set: VoicePatch!) {
        updateVoice(childId: $id, expectedVersion: $v, set: $set) { child { voice { version } } } }";
    let mut versions = Vec::new();
    for other in hub.children(TRIES, &Scene::default()).await {
        versions.push((hub.caller("malmo-soc").version(&other.id, Section::Voice).await, other.id));
    }
    let update = || {
        let (version, id) = versions.pop().expect("a child");
        json!({ "id": id, "v": version, "set": { "wishes": "En egen cykel" } })
    };
    found.push(("updateVoice", cost(&hub, &wire, "malmo-soc", change, update).await));
    let add = "mutation($id: ID!, $value: String!) { addIdentifier(childId: $id,
        identifier: { kind: DOSSIER_NUMBER, value: $value }) { child { identity { version } } } }";
    let number = || {
        n += 1;
        json!({ "id": child.id, "value": format!("11-{n:06}") })
    };
    found.push(("addIdentifier", cost(&hub, &wire, "migrationsverket", add, number).await));
    assert_eq!(found, PINNED);
    let (_, (all, _)) = found.iter().find(|(asked, _)| *asked == "child, all sections").expect("it was asked");
    let tables = Section::ALL.len() as u64;
    assert!(*all <= tables + 2, "one child takes at most a statement for each table, and two");
}

/// What was asked; statements; round trips. The log's row is among them, and what follows the answer: the end of a
/// transaction, and the pool's look at the connection that it wrote on.
const PINNED: [(&str, (u64, u64)); 11] = [
    ("children, all sections", (14, 14)),
    ("me", (1, 1)),
    ("child, some sections", (2, 2)),
    ("child, all sections", (13, 13)),
    ("child, revisions", (6, 6)),
    ("child, twice", (7, 7)),
    ("childByIdentifier", (3, 3)),
    ("children, ordered", (7, 7)),
    ("child, first time", (3, 3)),
    ("updateVoice", (3, 3)),
    ("addIdentifier", (12, 13)),
];

/// What is asked of a child, each in one statement: the last holds a statement within it.
const LOOKS: [&str; 2] =
    [CARD, "query($id: ID!) { child(id: $id) { missing { status since } description { marks } } }"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_look_at_once_look_in_few_statements_and_each_is_shown_what_it_would_be_shown_alone() {
    let Some((hub, wire)) = tapped().await else { return };
    let ties = [("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("region-skane", "INVOLVED")];
    let shared = Scene { involved: ties.to_vec(), home: Some("hvb-malmo"), ..Scene::default() };
    let mut children = hub.children(3, &Scene::default()).await;
    children.extend(hub.children(3, &shared).await);
    children.push(hub.child(Scene { missing: true, ..shared }).await);
    let mut children: Vec<String> = children.into_iter().map(|child| child.id).collect();
    // Nobody's.
    children.push(format!("child_{}", "0".repeat(26)));
    let personas = ["malmo-soc", "hvb-malmo", "polisen", "region-skane", "landskrona-soc", "migrationsverket"];
    let hub = Arc::new(hub);
    for query in LOOKS {
        let asked: Vec<(&str, String)> =
            personas.iter().flat_map(|persona| children.iter().map(|id| (*persona, id.clone()))).collect();
        let mut alone = Vec::new();
        for (persona, id) in &asked {
            // What an agency is to a child is guessed from the last time: the second is asked as each is from then on.
            hub.caller(persona).ask_with(query, json!({ "id": id })).await;
            alone.push(told(&hub, persona, query, id).await);
        }
        let differs: std::collections::BTreeSet<String> = alone.iter().map(Value::to_string).collect();
        assert!(differs.len() > children.len(), "callers are not shown the same");
        let before = wire.quiet().await;
        let at_once: Vec<_> = asked
            .iter()
            .cloned()
            .map(|(persona, id)| {
                let hub = hub.clone();
                tokio::spawn(async move { told(&hub, persona, query, &id).await })
            })
            .collect();
        for ((asked, alone), at_once) in asked.iter().zip(alone).zip(at_once) {
            assert_eq!(at_once.await.expect("an answer"), alone, "{asked:?}");
        }
        let (statements, _) = wire.quiet().await;
        let (statements, looks) = (statements - before.0, asked.len() as u64);
        assert!(statements < looks, "{looks} looks and their rows in the log take {statements} statements");
    }
}

/// What an answer holds, but for what is new in every one.
async fn told(hub: &Hub, persona: &str, query: &str, id: &str) -> Value {
    let mut answer = hub.caller(persona).ask_with(query, json!({ "id": id })).await.json;
    answer["extensions"].take();
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    answer
}
