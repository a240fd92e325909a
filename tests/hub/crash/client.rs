//! A client that repeats what it got no answer to, and notes what it was told.

use super::journal::Journal;
use super::wire::{self, Received};
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SHOWN: &str = "child { id identity { givenNames version } }";

/// What a client asks for.
#[derive(Clone, Debug)]
enum Change {
    Register { family: String },
    Update { child: String, given: String, version: String },
}

/// A change, and the key under which it is asked for until there is an answer.
#[derive(Clone, Debug)]
struct Pending {
    key: String,
    change: Change,
}

/// One client.
pub struct Client {
    n: usize,
    token: String,
    journal: Arc<Journal>,
    count: usize,
    pending: Option<Pending>,
    /// The last change that was acknowledged.
    done: Option<Pending>,
    /// The child that only this client updates, and its version.
    own: Option<(String, String)>,
    address: SocketAddr,
}

impl Client {
    pub fn new(n: usize, token: &str, journal: Arc<Journal>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Client { n, token: token.to_owned(), journal, count: 0, pending: None, done: None, own: None, address }
    }

    /// Works until the hub is killed.
    pub fn work(&mut self, address: SocketAddr, killed: &AtomicBool) {
        self.address = address;
        while !killed.load(Ordering::SeqCst) {
            if self.step().is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Repeats the change that was not answered yet.
    pub fn finish(&mut self, address: SocketAddr) {
        self.address = address;
        for _ in 0..100 {
            if self.pending.is_none() {
                return;
            }
            self.settle();
        }
        panic!("client {} gets no answer to {:?}", self.n, self.pending);
    }

    /// The name that a change without an answer gives.
    pub fn pending(&self) -> Option<&str> {
        match &self.pending.as_ref()?.change {
            Change::Register { family } => Some(family),
            Change::Update { given, .. } => Some(given),
        }
    }

    /// One thing after the other; nothing where there is no answer.
    fn step(&mut self) -> Option<()> {
        if self.pending.is_some() {
            return self.settle();
        }
        self.count += 1;
        match self.count % 8 {
            1 => {
                let family = self.name("Familj");
                self.ask(Change::Register { family })
            }
            2 | 5 | 7 => {
                let (child, version) = self.own.clone()?;
                let given = self.name("Egen");
                self.ask(Change::Update { child, given, version })
            }
            4 => {
                let own = self.own.clone()?.0;
                let child = self.journal.shared(&own);
                let version = self.read(&child)?;
                let given = self.name("Delad");
                self.ask(Change::Update { child, given, version })
            }
            6 => self.repeat(),
            _ => {
                let (child, _) = self.own.clone()?;
                self.read(&child).map(|_| ())
            }
        }
    }

    /// A name that nobody else gives.
    fn name(&self, what: &str) -> String {
        format!("{what} {} {}", self.n, self.count)
    }

    fn ask(&mut self, change: Change) -> Option<()> {
        let key = format!("{}-{}", self.n, self.count);
        let pending = Pending { key, change };
        if self.count.is_multiple_of(5) {
            // Hangs up at once, and asks again while the first is under way.
            _ = self.send(&self.message(&document(&pending.change), Some(&pending.key)));
        }
        self.pending = Some(pending);
        self.settle()
    }

    /// Asks for the change that has no answer yet.
    fn settle(&mut self) -> Option<()> {
        let pending = self.pending.clone()?;
        let answer = self.exchange(&document(&pending.change), Some(&pending.key))?;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        match (code, &pending.change) {
            (None, change) => {
                self.told(change, &answer);
                self.done = self.pending.take();
            }
            (Some("CONFLICT"), Change::Update { given, .. }) => {
                self.journal.refused(given);
                self.pending = None;
                self.refresh();
            }
            // Busy, or not able to: it is asked again.
            (Some("UNAVAILABLE" | "AUDIT_UNAVAILABLE" | "TOO_MANY_REQUESTS" | "NOT_FOUND"), _) => return None,
            (Some(code), change) => panic!("{code} for {change:?}"),
        }
        Some(())
    }

    /// Takes what the hub acknowledges.
    fn told(&mut self, change: &Change, answer: &Value) {
        let (_, payload) = answer["data"].as_object().and_then(|data| data.iter().next()).expect("a payload");
        let child = payload["child"]["id"].as_str().expect("an id").to_owned();
        let version = payload["child"]["identity"]["version"].as_str().expect("a version").to_owned();
        match change {
            Change::Register { family } => {
                self.journal.registered(family, &child);
                self.own = Some((child, version));
            }
            Change::Update { given, .. } => {
                self.journal.updated(given, &child);
                if let Some((_, known)) = self.own.as_mut().filter(|(own, _)| *own == child) {
                    *known = version;
                }
            }
        }
    }

    /// Asks once more for what was acknowledged already.
    fn repeat(&mut self) -> Option<()> {
        let done = self.done.clone()?;
        let answer = self.exchange(&document(&done.change), Some(&done.key))?;
        if answer["errors"].is_null() {
            self.journal.repeated();
            if let Change::Register { family } = &done.change {
                let child = answer["data"]["registerChild"]["child"]["id"].as_str().expect("an id");
                self.journal.registered(family, child);
            }
        }
        Some(())
    }

    fn refresh(&mut self) {
        if let Some((child, _)) = self.own.clone()
            && let Some(version) = self.read(&child)
        {
            self.own = Some((child, version));
        }
    }

    /// Reads a child: its version.
    fn read(&self, child: &str) -> Option<String> {
        let query = "query($id: ID!) { child(id: $id) { id identity { givenNames version } } }";
        let answer = self.exchange(&json!({ "query": query, "variables": { "id": child } }), None)?;
        answer["data"]["child"]["identity"]["version"].as_str().map(str::to_owned)
    }

    /// Sends a request and reads its answer to the end; nothing where there is none.
    fn exchange(&self, body: &Value, key: Option<&str>) -> Option<Value> {
        let mut socket = self.send(&self.message(body, key))?;
        let answer = self.receive(&mut socket);
        if key.is_some() && answer.is_none() {
            self.journal.interrupted();
        }
        answer
    }

    fn receive(&self, socket: &mut TcpStream) -> Option<Value> {
        let Received { request, body, is_whole } = wire::receive(socket)?;
        // A part of an answer shows as well.
        if body.contains("givenNames") {
            self.journal.shown(&request);
        }
        is_whole.then(|| serde_json::from_str(&body).expect("JSON"))
    }

    fn send(&self, message: &str) -> Option<TcpStream> {
        wire::send(self.address, message)
    }

    fn message(&self, body: &Value, key: Option<&str>) -> String {
        wire::message((&self.token, "ASYLUM"), body, key)
    }
}

fn document(change: &Change) -> Value {
    match change {
        Change::Register { family } => json!({
            "query": format!(
                "mutation($family: String!) {{ registerChild(input: {{ identity: {{ givenNames: \"Först\", familyName: $family }} }}) {{ {SHOWN} }} }}"
            ),
            "variables": { "family": family },
        }),
        Change::Update { child, given, version } => json!({
            "query": format!(
                "mutation($id: ID!, $v: String!, $given: String!) {{
                    updateIdentity(childId: $id, expectedVersion: $v, set: {{ givenNames: $given }}) {{ {SHOWN} }} }}"
            ),
            "variables": { "id": child, "v": version, "given": given },
        }),
    }
}
