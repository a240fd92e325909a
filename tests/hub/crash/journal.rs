//! What the clients were told, and whether it holds.

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// What does not hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Violation {
    /// A change was acknowledged, and is not there.
    Lost(String),
    /// A change was made twice, or one that was refused was made.
    Twice(String),
    /// A record does not hold the last of its changes.
    Overtaken(String),
    /// Something was shown, and no row of the access log tells of it.
    Unlogged(String),
    /// The events of a child are not one for each of its changes, or the stream has a gap.
    Feed(String),
}

/// How much there was to hold.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Acknowledged changes.
    pub changes: usize,
    /// Answers that showed something of a child.
    pub showings: usize,
    /// Changes to which there was no answer at first.
    pub interrupted: u64,
    /// Those of them that the kill found made and not answered.
    pub unanswered: usize,
    /// Changes that were asked for again though they were acknowledged.
    pub repeated: u64,
    /// Changes that others had overtaken.
    pub conflicts: u64,
}

#[derive(Default)]
struct Pages {
    /// The family name of each child that was registered, which no other child has, and its id.
    registered: HashMap<String, String>,
    /// The given name that an update set, which no other update sets, and the child.
    updated: HashMap<String, String>,
    /// The given names of updates that were refused.
    refused: HashSet<String>,
    /// The requests whose answers showed something.
    shown: HashSet<String>,
    told: Told,
    /// The child that all clients update.
    shared: Option<String>,
    /// What a client saw to be wrong by itself.
    seen: Vec<String>,
}

/// What the clients were told.
#[derive(Default)]
pub struct Journal(Mutex<Pages>);

impl Journal {
    fn write<R>(&self, write: impl FnOnce(&mut Pages) -> R) -> R {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn registered(&self, family: &str, child: &str) {
        self.write(|pages| {
            pages.told.changes += 1;
            match pages.registered.insert(family.to_owned(), child.to_owned()) {
                Some(before) if before != child => pages.seen.push(format!("{family}: {before} and {child}")),
                _ => {}
            }
        });
    }

    pub fn updated(&self, given: &str, child: &str) {
        self.write(|pages| {
            pages.told.changes += 1;
            pages.updated.insert(given.to_owned(), child.to_owned());
        });
    }

    pub fn refused(&self, given: &str) {
        self.write(|pages| {
            pages.told.conflicts += 1;
            pages.refused.insert(given.to_owned());
        });
    }

    pub fn shown(&self, request: &str) {
        self.write(|pages| {
            pages.told.showings += 1;
            pages.shown.insert(request.to_owned());
        });
    }

    /// The child that all clients update: the first that one of them offers.
    pub fn shared(&self, own: &str) -> String {
        self.write(|pages| pages.shared.get_or_insert_with(|| own.to_owned()).clone())
    }

    pub fn interrupted(&self) {
        self.write(|pages| pages.told.interrupted += 1);
    }

    pub fn repeated(&self) {
        self.write(|pages| pages.told.repeated += 1);
    }

    pub fn told(&self) -> Told {
        self.write(|pages| pages.told.clone())
    }

    /// Compares what was told with what the database holds after a kill; `pending` are the names of changes without an answer.
    pub async fn violations(&self, outside: &DatabaseConnection, pending: &[&str]) -> Vec<Violation> {
        let logged = logged(outside).await;
        let record = Record::read(outside).await;
        let feed = gaps(outside).await;
        self.write(|pages| {
            let is_made = |name: &&&str| record.given.contains_key(**name) || record.families.contains_key(**name);
            pages.told.unanswered += pending.iter().filter(is_made).count();
            let mut found: Vec<Violation> = pages.seen.iter().cloned().map(Violation::Twice).collect();
            let unlogged = pages.shown.difference(&logged);
            found.extend(unlogged.map(|request| Violation::Unlogged(request.clone())));
            for (family, child) in &pages.registered {
                match record.families.get(family).map_or(&[][..], Vec::as_slice) {
                    [] => found.push(Violation::Lost(format!("{child} {family}"))),
                    [only] if only == child => {}
                    several => found.push(Violation::Twice(format!("{family}: {several:?}"))),
                }
            }
            for (given, child) in &pages.updated {
                match record.given.get(given).map_or(&[][..], Vec::as_slice) {
                    [] => found.push(Violation::Lost(format!("{child} {given}"))),
                    [only] if only == child => {}
                    several => found.push(Violation::Twice(format!("{given}: {several:?}"))),
                }
            }
            let refused = pages.refused.iter().filter(|given| record.given.contains_key(*given));
            found.extend(refused.map(|given| Violation::Twice(format!("{given} was refused"))));
            found.extend(record.overtaken.iter().cloned().map(Violation::Overtaken));
            found.extend(feed.iter().cloned().map(Violation::Feed));
            found
        })
    }
}

/// Where a child has not as many events as changes, in their order, and where the stream has a gap.
pub async fn gaps(outside: &DatabaseConnection) -> Vec<String> {
    let uneven = "SELECT 'child, ' || CAST(child.sequence AS TEXT) || ' changes' FROM child
        WHERE child.sequence <> (SELECT COUNT(*) FROM event WHERE event.child_id = child.id)
        OR child.sequence <> (SELECT COALESCE(MAX(event.sequence), 0) FROM event WHERE event.child_id = child.id)";
    let gap = "SELECT 'stream, ' || CAST(COUNT(number) AS TEXT) || ' of ' || CAST(MAX(number) AS TEXT) FROM event
        HAVING COUNT(number) <> COALESCE(MAX(number), 0)";
    // Of one child a later change never comes before an earlier one.
    let order = "SELECT 'order' FROM event a JOIN event b ON a.child_id = b.child_id AND a.sequence < b.sequence
        WHERE a.number > b.number OR (a.number IS NULL AND b.number IS NOT NULL)";
    let mut found = Vec::new();
    for sql in [uneven, gap, order] {
        found.extend(rows(outside, sql, 1).await.into_iter().flatten());
    }
    found
}

/// The requests that the access log tells of.
async fn logged(outside: &DatabaseConnection) -> HashSet<String> {
    let request = |record: Vec<String>| {
        let record: Value = serde_json::from_str(&record[0]).expect("JSON");
        record["request"].as_str().map(str::to_owned)
    };
    rows(outside, "SELECT record FROM ledger", 1).await.into_iter().filter_map(request).collect()
}

/// What the record holds: which children have a name, and by how many changes.
#[derive(Default)]
struct Record {
    families: HashMap<String, Vec<String>>,
    given: HashMap<String, Vec<String>>,
    overtaken: Vec<String>,
}

impl Record {
    async fn read(outside: &DatabaseConnection) -> Record {
        let mut record = Record::default();
        let child = match outside.get_database_backend() {
            sea_orm::DbBackend::Sqlite => "lower(hex(child_id))",
            _ => "replace(CAST(child_id AS TEXT), '-', '')",
        };
        let mut last: HashMap<String, String> = HashMap::new();
        let revisions = format!(
            "SELECT {child}, CAST(changes AS TEXT) FROM revision WHERE section = 'identity' ORDER BY child_id, number"
        );
        for row in rows(outside, &revisions, 2).await {
            let id = public(&row[0]);
            let changes: Value = serde_json::from_str(&row[1]).expect("JSON");
            if let Some(family) = changes["familyName"].as_str() {
                record.families.entry(family.to_owned()).or_default().push(id.clone());
            }
            if let Some(given) = changes["givenNames"].as_str() {
                record.given.entry(given.to_owned()).or_default().push(id.clone());
                last.insert(id, given.to_owned());
            }
        }
        for row in rows(outside, &format!("SELECT {child}, given_names FROM identity"), 2).await {
            let id = public(&row[0]);
            if last.get(&id) != Some(&row[1]) {
                record.overtaken.push(id);
            }
        }
        record
    }
}

fn public(hex: &str) -> String {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("an id");
    format!("child_{}", data_encoding::BASE32_DNSSEC.encode(&bytes))
}

async fn rows(outside: &DatabaseConnection, sql: &str, columns: usize) -> Vec<Vec<String>> {
    let statement = Statement::from_string(outside.get_database_backend(), sql);
    let rows = outside.query_all_raw(statement).await.expect("answers");
    rows.iter().map(|row| (0..columns).map(|n| row.try_get_by_index(n).expect("text")).collect()).collect()
}
