//! The access log: no answer leaves before the row that tells of it is committed.
//!
//! One writer task per hub takes whatever waits, appends it in one statement and one commit, and
//! answers all waiters. Rows are hash-linked in the lane of this start of the node; the first row of a
//! lane holds the heads of all earlier lanes, so that cutting the end off one of those shows, too.
//!
//! The statement that appends them is also the last check of what was decided: each row says at which epoch of each child
//! its answer was decided, and rows are appended only while every epoch still stands. Else those that are stale are
//! appended as such, and their answers stay: protection, a block, a withdrawn consent hold from the next answer on, on
//! every node. The check costs no statement of its own.

use crate::catalogue::{FieldSet, Section};
use crate::clock::{Clock, Stopwatch, random_id};
use crate::error::{DatabaseError, Error, ErrorCode};
use crate::figures::LedgerFigures;
use crate::policy::{Engine, Relation, Role, RuleId};
use crate::store::{LedgerRow, Looked, Standing, Store, SubjectRow};
use crate::{caller::Caller, ids::AgencyId};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Instrument;
use uuid::Uuid;

/// How many answers may wait for the log; the next is refused.
const QUEUE: usize = 4_096;
/// How many rows one commit takes at most.
const GROUP: usize = 128;
/// How long an answer waits for its row.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a group of rows is checked, before those of its answers that were decided about any child are refused.
const CHECKS: usize = 3;

/// How long after a change is made an answer that was decided before it may still leave: it was on its way to the log, and
/// is refused once it has waited so long. In microseconds.
pub(crate) const IN_FORCE_WITHIN: i64 = 2_000_000;
const _: () = assert!(PATIENCE.as_micros() == IN_FORCE_WITHIN as u128, "no answer waits longer for its row");

/// Proof that the row of the access log is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The lane of the row.
    pub lane: Uuid,
    /// Its place in the lane.
    pub seq: i64,
    /// Its link in the chain: whoever keeps it can prove that the row was altered. It tells nothing of what the row holds.
    pub hash: String,
}

/// An answer whose row in the access log is committed. Nothing else can be sent to a caller, and nothing
/// outside this room can make one:
///
/// ```compile_fail
/// use samverka_domain::ledger::{Receipt, Released};
/// let receipt = Receipt { lane: uuid::Uuid::nil(), seq: 0, hash: String::new() };
/// let smuggled = Released { answer: "an address", receipt };
/// ```
#[derive(Debug)]
pub struct Released<T> {
    answer: T,
    receipt: Receipt,
}

impl<T> Released<T> {
    /// The answer, free to leave.
    pub fn into_answer(self) -> T {
        self.answer
    }

    /// The row that tells of it.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// What one operation showed and changed, collected while it runs.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    showings: BTreeMap<Showing, BTreeSet<Uuid>>,
    /// What was decided about which child: its subject, and the epoch at which it stood.
    decided: BTreeMap<Uuid, (Uuid, i64)>,
    changes: Vec<Change>,
    /// Look-ups that found nothing the caller may know of.
    misses: u32,
    /// Missing children that were asked for by whoever may not know of them: for whoever leads their cases.
    signals: BTreeSet<Uuid>,
    /// Changes that were made before, under the same key, and only shown anew.
    repeats: u32,
    /// What lists were searched by: field, operator, and the value blinded under the hub's secret.
    searched: BTreeSet<String>,
    /// Codes of what was refused.
    refused: BTreeSet<&'static str>,
}

/// What is alike for several children of one answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Showing {
    pub(crate) relation: Relation,
    pub(crate) shown: FieldSet,
    pub(crate) withheld: FieldSet,
    /// Sections of which the version, or when or by whom it was updated, was shown.
    pub(crate) versions: BTreeSet<Section>,
    pub(crate) rules: BTreeSet<RuleId>,
}

impl Showing {
    /// What two showings of one child tell together.
    fn and(mut self, other: Showing) -> Showing {
        self.shown = self.shown | other.shown;
        self.withheld = self.withheld | other.withheld;
        self.versions.extend(other.versions);
        self.rules.extend(other.rules);
        self
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Change {
    subject: Uuid,
    operation: String,
    fields: Vec<String>,
}

impl Draft {
    pub(crate) fn show(&mut self, subject: Uuid, showing: Showing) {
        self.showings.entry(showing).or_default().insert(subject);
    }

    /// What the caller is to a child was read: all that is shown of it follows from that. Of several the first counts, for
    /// something may have been shown by it. Whether it is the first.
    pub(crate) fn decide(&mut self, standing: &Standing) -> bool {
        let is_first = !self.decided.contains_key(&standing.child);
        self.decided.entry(standing.child).or_insert((standing.subject, standing.epoch));
        is_first
    }

    /// Nothing of the child was shown since it was decided first: that is decided anew.
    pub(crate) fn undecide(&mut self, child: Uuid) {
        self.decided.remove(&child);
    }

    /// The caller itself has changed who may see a child that stood so: what is shown from now on is decided anew. What was
    /// decided before somebody else had changed it stays stale.
    pub(crate) fn decide_anew(&mut self, standing: &Standing) {
        if self.decided.get(&standing.child) == Some(&(standing.subject, standing.epoch)) {
            self.decided.remove(&standing.child);
        }
    }

    pub(crate) fn search(&mut self, compared: String) {
        self.searched.insert(compared);
    }

    /// A look at the log of a child, by which no field is shown.
    pub(crate) fn look_up(&mut self, subject: Uuid) {
        let nothing = Showing {
            relation: Relation::None,
            shown: FieldSet::EMPTY,
            withheld: FieldSet::EMPTY,
            versions: BTreeSet::new(),
            rules: BTreeSet::new(),
        };
        self.show(subject, nothing);
    }

    pub(crate) fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
    }

    /// A missing child was asked for by whoever may not know of it. No answer tells of it, nor any list of children in the log.
    pub(crate) fn signal(&mut self, subject: Uuid) {
        self.signals.insert(subject);
    }

    pub(crate) fn repeat(&mut self) {
        self.repeats = self.repeats.saturating_add(1);
    }

    pub(crate) fn has_refused(&self, code: ErrorCode) -> bool {
        self.refused.contains(code.entry().code)
    }

    pub(crate) fn refuse(&mut self, error: &Error) {
        self.refused.insert(error.code().entry().code);
    }

    pub(crate) fn change(&mut self, subject: Uuid, operation: &str, fields: FieldSet) {
        let fields = fields.iter().map(|id| id.to_string()).collect();
        self.changes.push(Change { subject, operation: operation.to_owned(), fields });
    }
}

/// A row's record: who, for whom, why, which children, which fields, by which rules. Never a value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// Told to nobody: the row's hash is told to its caller, who knows all else that a look in vain may hold, and would
    /// else see from it whether a missing child was looked for.
    #[serde(default, with = "uuid::serde::simple")]
    salt: Uuid,
    pub(crate) request: String,
    pub(crate) agency: String,
    pub(crate) role: String,
    pub(crate) client: String,
    pub(crate) issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) case: Option<String>,
    pub(crate) operation: String,
    pub(crate) policy: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) shown: Vec<Shown>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Change>,
    #[serde(default, skip_serializing_if = "is_zero")]
    misses: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signals: Vec<Uuid>,
    #[serde(default, skip_serializing_if = "is_zero")]
    repeats: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    searched: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<String>,
    /// Who may see what had changed since it was decided: the answer was not released, and nothing was shown by it.
    #[serde(default, skip_serializing_if = "is_false")]
    stale: bool,
    /// The children that it was decided about, and the epochs at which.
    #[serde(skip)]
    decided: Vec<(Uuid, i64)>,
}

fn is_false(truth: &bool) -> bool {
    !truth
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What a row tells of one child.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) relation: Option<String>,
    pub(crate) shown: BTreeSet<String>,
    pub(crate) withheld: BTreeSet<String>,
    pub(crate) changed: BTreeSet<String>,
    pub(crate) rules: BTreeSet<String>,
}

/// Children of one answer that were shown alike.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) subjects: Vec<Uuid>,
    /// Of each subject, the epoch at which it was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) epochs: Vec<i64>,
    pub(crate) relation: String,
    pub(crate) fields: Vec<String>,
    pub(crate) withheld: Vec<String>,
    pub(crate) rules: Vec<String>,
}

impl Record {
    pub(crate) fn new(caller: &Caller, request: &str, operation: &str, engine: &Engine, draft: Draft) -> Self {
        let names = |fields: FieldSet| fields.iter().map(|id| id.to_string());
        let by_subject: BTreeMap<Uuid, i64> = draft.decided.values().copied().collect();
        let epochs = |subjects: &[Uuid]| {
            let epochs: Option<Vec<i64>> = subjects.iter().map(|subject| by_subject.get(subject).copied()).collect();
            epochs.unwrap_or_default()
        };
        let shown = merged(draft.showings).into_iter().map(|(showing, subjects)| Shown {
            epochs: epochs(&subjects),
            subjects,
            relation: showing.relation.code().to_owned(),
            fields: names(showing.shown)
                .chain(showing.versions.iter().map(|section| format!("{}.version", section.name())))
                .collect(),
            withheld: names(showing.withheld).collect(),
            rules: showing.rules.iter().map(|rule| engine.rule(*rule).id.clone()).collect(),
        });
        Record {
            salt: random_id(),
            request: request.to_owned(),
            agency: caller.agency.id.to_string(),
            role: caller.role.code().to_owned(),
            client: caller.client.clone(),
            issuer: caller.issuer.clone(),
            user: caller.user.clone(),
            purpose: caller.purpose.map(|purpose| purpose.code().to_owned()),
            case: caller.case.clone(),
            operation: operation.to_owned(),
            policy: engine.hash().to_owned(),
            shown: shown.collect(),
            changes: draft.changes,
            misses: draft.misses,
            signals: draft.signals.into_iter().collect(),
            repeats: draft.repeats,
            searched: draft.searched.into_iter().collect(),
            refused: draft.refused.into_iter().map(str::to_owned).collect(),
            stale: false,
            decided: draft.decided.into_iter().map(|(child, (_, epoch))| (child, epoch)).collect(),
        }
    }

    /// What a command of whoever runs the hub does, to a child where it is one.
    pub(crate) fn of_command(operation: &str, subject: Option<Uuid>) -> Self {
        let change = |subject| Change { subject, operation: operation.to_owned(), fields: Vec::new() };
        Record {
            salt: random_id(),
            request: String::new(),
            agency: AgencyId(Uuid::nil()).to_string(),
            role: Role::SystemAdmin.code().to_owned(),
            client: "samverka".to_owned(),
            issuer: String::new(),
            user: None,
            purpose: None,
            case: None,
            operation: operation.to_owned(),
            policy: String::new(),
            shown: Vec::new(),
            changes: subject.map(change).into_iter().collect(),
            misses: 0,
            signals: Vec::new(),
            repeats: 0,
            searched: Vec::new(),
            refused: Vec::new(),
            stale: false,
            decided: Vec::new(),
        }
    }

    /// The same, of an answer that is not released: it was to show something, and did not.
    fn into_stale(mut self) -> Self {
        self.stale = true;
        self.refused.push(ErrorCode::DecisionStale.entry().code.to_owned());
        for shown in &mut self.shown {
            shown.fields.clear();
            shown.withheld.clear();
        }
        self
    }

    fn is_stale_by(&self, changed: &HashMap<Uuid, i64>) -> bool {
        self.decided.iter().any(|(child, epoch)| changed.get(child).is_some_and(|now| now != epoch))
    }

    /// All that the row tells of one child: a child may be in several groups of one answer.
    pub(crate) fn about(&self, subject: Uuid) -> About {
        let mut about = About::default();
        for shown in self.shown.iter().filter(|shown| shown.subjects.contains(&subject)) {
            about.relation = Some(shown.relation.clone());
            about.shown.extend(shown.fields.iter().cloned());
            about.withheld.extend(shown.withheld.iter().cloned());
            about.rules.extend(shown.rules.iter().cloned());
        }
        for change in self.changes.iter().filter(|change| change.subject == subject) {
            about.changed.extend(change.fields.iter().cloned());
        }
        about
    }

    fn subjects(&self) -> BTreeSet<Uuid> {
        let shown = self.shown.iter().flat_map(|shown| shown.subjects.iter().copied());
        shown.chain(self.changes.iter().map(|change| change.subject)).collect()
    }
}

/// Each child once for each relation in which it was shown, with all that was shown of it: a list that is ordered by a
/// field confirms that field of each child, and shows others of the same children.
fn merged(showings: BTreeMap<Showing, BTreeSet<Uuid>>) -> BTreeMap<Showing, Vec<Uuid>> {
    let groups: Vec<(Showing, BTreeSet<Uuid>)> = showings.into_iter().collect();
    let mut places: BTreeMap<(Uuid, Relation), Vec<usize>> = BTreeMap::new();
    for (place, (showing, subjects)) in groups.iter().enumerate() {
        for subject in subjects {
            places.entry((*subject, showing.relation)).or_default().push(place);
        }
    }
    let mut alike: BTreeMap<Vec<usize>, Vec<Uuid>> = BTreeMap::new();
    for ((subject, _), places) in places {
        alike.entry(places).or_default().push(subject);
    }
    let together = |(places, subjects): (Vec<usize>, Vec<Uuid>)| {
        let parts = places.into_iter().filter_map(|place| groups.get(place)).map(|(showing, _)| showing.clone());
        parts.reduce(Showing::and).map(|showing| (showing, subjects))
    };
    let mut merged: BTreeMap<Showing, Vec<Uuid>> = BTreeMap::new();
    for (showing, subjects) in alike.into_iter().filter_map(together) {
        merged.entry(showing).or_default().extend(subjects);
    }
    merged
}

struct Entry {
    record: Record,
    handed_in: Stopwatch,
    reply: oneshot::Sender<Result<Receipt, Denied>>,
}

/// Why an answer is not released.
enum Denied {
    /// Its row could not be written.
    Failed(String),
    /// Who may see what has changed since it was decided.
    Stale,
}

#[cfg(feature = "bench")]
static UNLOGGED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// From now on this process answers without the log's commit: what that commit costs is what remains. The product is
/// never built with this.
#[cfg(feature = "bench")]
pub fn answer_without_log() {
    UNLOGGED.store(true, std::sync::atomic::Ordering::Relaxed);
}

/// The door to the access log.
pub(crate) struct Ledger {
    queue: mpsc::Sender<Entry>,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    figures: Arc<LedgerFigures>,
}

/// The end of a lane: what the next row links to.
#[derive(Clone, Debug)]
struct Head {
    lane: Uuid,
    next: i64,
    at: i64,
    hash: String,
}

impl Ledger {
    /// Opens a lane, with the heads of all earlier lanes in its first row, and starts its writer.
    pub(crate) async fn open(store: Store, clock: Clock, lane: Uuid, node: &str) -> Result<Self, Error> {
        let heads = store.heads().await?;
        let heads: BTreeMap<String, String> =
            heads.into_iter().map(|row| (format!("{}/{}", row.lane, row.seq), row.hash)).collect();
        let opening =
            serde_json::json!({ "lane": { "node": node, "version": env!("CARGO_PKG_VERSION"), "heads": heads } });
        let first = next_row(&Head { lane, next: 0, at: 0, hash: String::new() }, clock.now(), opening.to_string());
        store.append(std::slice::from_ref(&first), &[]).await?;
        store.index(lane, &[], 1).await?;
        let (queue, entries) = mpsc::channel(QUEUE);
        let head = Head { lane, next: 1, at: first.at, hash: first.hash };
        let figures = Arc::new(LedgerFigures::default());
        let writer = Writer { store, clock, head, figures: figures.clone() };
        let writer = tokio::spawn(writer.run(entries));
        Ok(Ledger { queue, writer: tokio::sync::Mutex::new(Some(writer)), figures })
    }

    /// Lets an answer go once its row is committed. On any doubt it stays.
    ///
    /// # Errors
    ///
    /// `AUDIT_UNAVAILABLE`; `DECISION_STALE` if who may see what has changed since it was decided.
    pub(crate) async fn release<T>(&self, answer: T, record: Record) -> Result<Released<T>, Error> {
        #[cfg(feature = "bench")]
        if UNLOGGED.load(std::sync::atomic::Ordering::Relaxed) {
            let receipt = Receipt { lane: Uuid::nil(), seq: 0, hash: String::new() };
            return Ok(Released { answer, receipt });
        }
        let (reply, receipt) = oneshot::channel();
        let entry = Entry { record, handed_in: Stopwatch::start(), reply };
        self.queue.try_send(entry).map_err(|_| Error::Audit("the queue of the log is full or closed".to_owned()))?;
        #[cfg(debug_assertions)]
        if crate::fault::is_planted() {
            return Ok(Released { answer, receipt: Receipt { lane: Uuid::nil(), seq: 0, hash: String::new() } });
        }
        let waited = tokio::time::timeout(PATIENCE, receipt).instrument(tracing::debug_span!("log"));
        match waited.await {
            Ok(Ok(Ok(receipt))) => Ok(Released { answer, receipt }),
            Ok(Ok(Err(Denied::Stale))) => Err(Error::Code(ErrorCode::DecisionStale)),
            Ok(Ok(Err(Denied::Failed(reason)))) => Err(Error::Audit(reason)),
            Ok(Err(_)) => Err(Error::Audit("the writer of the log is gone".to_owned())),
            Err(_) => Err(Error::Audit("the row was not committed in time".to_owned())),
        }
    }

    /// Whether the writer runs.
    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// What it has counted.
    pub(crate) fn figures(&self) -> &LedgerFigures {
        &self.figures
    }

    /// How many rows wait for the writer now.
    pub(crate) fn queued(&self) -> usize {
        self.queue.max_capacity().saturating_sub(self.queue.capacity())
    }

    /// Waits until everything that was handed in is written. Nothing can be handed in afterwards.
    pub(crate) async fn close(self) {
        drop(self.queue);
        if let Some(writer) = self.writer.into_inner() {
            _ = writer.await;
        }
    }
}

struct Writer {
    store: Store,
    clock: Clock,
    head: Head,
    figures: Arc<LedgerFigures>,
}

impl Writer {
    async fn run(mut self, mut entries: mpsc::Receiver<Entry>) {
        let mut group = Vec::with_capacity(GROUP);
        while entries.recv_many(&mut group, GROUP).await > 0 {
            // Whoever no longer waits has been refused; the row is written all the same, for it may tell of a change.
            self.commit(std::mem::take(&mut group)).await;
        }
    }

    async fn commit(&mut self, group: Vec<Entry>) {
        if group.is_empty() {
            return;
        }
        #[cfg(debug_assertions)]
        crate::fault::hold().await;
        let mut group = group;
        match self.append(&mut group).await {
            Ok(receipts) => {
                self.figures.rows.add(receipts.len() as u64);
                for (Entry { record, handed_in, reply }, receipt) in group.into_iter().zip(receipts) {
                    self.figures.waits.add_time(handed_in.elapsed());
                    _ = reply.send(if record.stale { Err(Denied::Stale) } else { Ok(receipt) });
                }
            }
            Err(error) => {
                tracing::error!(%error, "the access log could not be written; nothing was shown");
                self.figures.failures.add_one();
                for Entry { reply, .. } in group {
                    _ = reply.send(Err(Denied::Failed(error.to_string())));
                }
                self.catch_up().await;
            }
        }
    }

    /// Appends the rows of a group, once none of them tells of an answer that is stale and does not say so.
    async fn append(&mut self, group: &mut Vec<Entry>) -> Result<Vec<Receipt>, DatabaseError> {
        for check in 0.. {
            let (rows, head) = self.rows(group)?;
            let decided = group.iter().filter(|entry| !entry.record.stale);
            let decided: BTreeSet<(Uuid, i64)> =
                decided.flat_map(|entry| entry.record.decided.iter().copied()).collect();
            let decided: Vec<(Uuid, i64)> = decided.into_iter().collect();
            if self.store.append(&rows, &decided).await? {
                self.head = head;
                let receipt = |row: LedgerRow| Receipt { lane: row.lane, seq: row.seq, hash: row.hash };
                return Ok(rows.into_iter().map(receipt).collect());
            }
            let changed: HashMap<Uuid, i64> = self.store.epochs(&decided).await?.into_iter().collect();
            let is_stale = |record: &Record| {
                let is_gone = |(child, _): &(Uuid, i64)| !changed.contains_key(child);
                let gives_up = check >= CHECKS && !record.decided.is_empty();
                gives_up || record.is_stale_by(&changed) || record.decided.iter().any(is_gone)
            };
            for entry in std::mem::take(group) {
                let Entry { record, handed_in, reply } = entry;
                let record = if !record.stale && is_stale(&record) { record.into_stale() } else { record };
                group.push(Entry { record, handed_in, reply });
            }
        }
        Err(DatabaseError("the access log was not written".to_owned()))
    }

    /// The rows of a group, and the end of the lane behind them.
    fn rows(&self, group: &[Entry]) -> Result<(Vec<LedgerRow>, Head), DatabaseError> {
        let mut rows = Vec::with_capacity(group.len());
        let mut head = self.head.clone();
        for entry in group {
            let record = serde_json::to_string(&entry.record);
            let record = record.map_err(|_| DatabaseError("a row of the access log cannot be written".to_owned()))?;
            let row = next_row(&head, self.clock.now(), record);
            head = Head { lane: row.lane, next: row.seq + 1, at: row.at, hash: row.hash.clone() };
            rows.push(row);
        }
        Ok((rows, head))
    }

    /// After a commit whose outcome is unknown the lane goes on from what the database holds.
    async fn catch_up(&mut self) {
        match self.store.head(self.head.lane).await {
            Ok(Some(row)) => self.head = Head { lane: row.lane, next: row.seq + 1, at: row.at, hash: row.hash },
            Ok(None) => tracing::error!("the lane of the access log is gone"),
            Err(error) => tracing::error!(%error, "the end of the lane cannot be read"),
        }
    }
}

fn next_row(head: &Head, now: i64, record: String) -> LedgerRow {
    // Time in a lane never runs backwards, whatever the clock does.
    let at = now.max(head.at);
    let hash = link(&head.hash, head.lane, head.next, at, &record);
    LedgerRow { lane: head.lane, seq: head.next, at, record, hash }
}

/// SHA-256, in hexadecimal, over the hash before, the lane, the place, the time and the record.
fn link(before: &str, lane: Uuid, seq: i64, at: i64, record: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(format!("{before}\n{lane}\n{seq}\n{at}\n{record}"));
    HEXLOWER.encode(&hasher.finalize())
}

/// What `ledger verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every row of every lane links to the one before.
    Intact {
        /// How many lanes there are.
        lanes: usize,
        /// How many rows.
        rows: u64,
    },
    /// The first row that does not, and why.
    Broken {
        /// Its lane.
        lane: Uuid,
        /// Its place in the lane.
        seq: i64,
        /// What is wrong there.
        reason: &'static str,
    },
}

/// How many rows of the log are in memory at a time while it is verified.
const PAGE: u64 = 512;

/// Recomputes every lane, and compares what later lanes hold of earlier ones.
pub(crate) async fn verify(store: &Store) -> Result<Verdict, DatabaseError> {
    let lanes = store.lanes().await?;
    let mut rows = 0;
    let mut witnessed: BTreeMap<(Uuid, i64), String> = BTreeMap::new();
    let mut hashes: BTreeMap<Uuid, i64> = BTreeMap::new();
    for lane in &lanes {
        let mut head = Head { lane: *lane, next: 0, at: 0, hash: String::new() };
        loop {
            let page = store.lane(*lane, head.next, PAGE).await?;
            for row in &page {
                if let Some(reason) = fault(&head, row) {
                    return Ok(Verdict::Broken { lane: *lane, seq: head.next, reason });
                }
                witnessed.extend(heads_in(row));
                head = Head { lane: *lane, next: row.seq + 1, at: row.at, hash: row.hash.clone() };
                rows += 1;
            }
            if page.is_empty() {
                break;
            }
        }
        hashes.insert(*lane, head.next);
    }
    for ((lane, seq), hash) in witnessed {
        let row = store.lane(lane, seq, 1).await?.into_iter().next();
        let reason = match row {
            None if hashes.contains_key(&lane) => "the end of the lane is missing",
            None => "the lane is missing",
            Some(row) if row.hash != hash => "a later lane remembers another row here",
            Some(_) => continue,
        };
        return Ok(Verdict::Broken { lane, seq, reason });
    }
    Ok(Verdict::Intact { lanes: lanes.len(), rows })
}

fn fault(head: &Head, row: &LedgerRow) -> Option<&'static str> {
    if row.seq != head.next {
        Some("a row is missing")
    } else if row.at < head.at {
        Some("the time runs backwards")
    } else if row.hash != link(&head.hash, row.lane, row.seq, row.at, &row.record) {
        Some("the row was altered")
    } else {
        None
    }
}

fn heads_in(row: &LedgerRow) -> Vec<((Uuid, i64), String)> {
    if row.seq != 0 {
        return Vec::new();
    }
    let record: serde_json::Value = serde_json::from_str(&row.record).unwrap_or_default();
    let heads = record.pointer("/lane/heads").and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    let read = |(place, hash): (String, serde_json::Value)| {
        let (lane, seq) = place.split_once('/')?;
        Some(((lane.parse().ok()?, seq.parse().ok()?), hash.as_str()?.to_owned()))
    };
    heads.into_iter().filter_map(read).collect()
}

/// How many rows of the log are in memory at a time while it is indexed.
const INDEXED_ROWS: u64 = 128;
/// How many places one transaction adds to the index at most, but for those of a single row: on SQLite the log waits for
/// that transaction.
const INDEXED_PLACES: usize = 2_048;

/// Brings the index by child up to date with every lane. Safe on several nodes at once, and several times on one.
pub(crate) async fn index(store: &Store, clock: &Clock) -> Result<(), DatabaseError> {
    while index_some(store, clock, 0).await? {}
    Ok(())
}

/// Indexes the next rows of every lane, and rests after each step for so many times as long as it took. Whether there may
/// be more. Looks at missing children are told on the way: before the mark moves, so that none is forgotten.
pub(crate) async fn index_some(store: &Store, clock: &Clock, rest: u32) -> Result<bool, DatabaseError> {
    let mut is_behind = false;
    for (lane, from) in store.behind().await? {
        is_behind |= index_lane(store, clock, (lane, from), rest).await?;
    }
    Ok(is_behind)
}

async fn index_lane(store: &Store, clock: &Clock, (lane, from): (Uuid, i64), rest: u32) -> Result<bool, DatabaseError> {
    let rows = store.lane(lane, from, INDEXED_ROWS).await?;
    let Some(last) = rows.last() else { return Ok(false) };
    let (mut waiting, mut looks) = (Vec::new(), Vec::new());
    for row in &rows {
        let (places, looked) = places(row);
        waiting.extend(places);
        looks.extend(looked);
        if waiting.len() < INDEXED_PLACES && row.seq < last.seq {
            continue;
        }
        let begun = Stopwatch::start();
        store.keep_lookups(&looks, clock.now()).await?;
        // In the order of the index: neighbours go to one page of it.
        waiting.sort_unstable_by_key(|place: &SubjectRow| (place.subject, place.at));
        store.index(lane, &waiting, row.seq + 1).await?;
        waiting.clear();
        looks.clear();
        tokio::time::sleep(begun.elapsed() * rest).await;
    }
    Ok(rows.len() as u64 == INDEXED_ROWS)
}

/// Where the children of a row stand in the index, and at which of them it is a look: something of them was shown, or was
/// asked for and withheld, the child itself or a part of it. What was asked for in vain is in no index: whoever reads the
/// log by child reads who saw it.
fn places(row: &LedgerRow) -> (Vec<SubjectRow>, Vec<Looked>) {
    let nothing = (Vec::new(), Vec::new());
    let Ok(record) = serde_json::from_str::<Record>(&row.record) else { return nothing };
    let Ok(agency) = record.agency.parse::<AgencyId>() else { return nothing };
    let place = |subject| SubjectRow { subject, at: row.at, lane: row.lane, seq: row.seq, agency };
    let role = Role::from_code(&record.role);
    let shown = record.shown.iter().filter(|shown| shown.relation != Relation::None.code() || !shown.fields.is_empty());
    let looked = shown.flat_map(|shown| &shown.subjects).chain(&record.signals).copied().collect::<BTreeSet<Uuid>>();
    let looks = looked.into_iter().filter_map(|subject| Some(Looked { place: place(subject), role: role? }));
    (record.subjects().into_iter().map(place).collect(), looks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(records: &[&str]) -> Vec<LedgerRow> {
        let mut head = Head { lane: Uuid::nil(), next: 0, at: 0, hash: String::new() };
        let next = |record: &&str| {
            let row = next_row(&head, 10, (*record).to_owned());
            head = Head { lane: row.lane, next: row.seq + 1, at: row.at, hash: row.hash.clone() };
            row
        };
        records.iter().map(next).collect()
    }

    fn first_fault(rows: &[LedgerRow]) -> Option<(i64, &'static str)> {
        let mut head = Head { lane: Uuid::nil(), next: 0, at: 0, hash: String::new() };
        for row in rows {
            if let Some(reason) = fault(&head, row) {
                return Some((head.next, reason));
            }
            head = Head { lane: row.lane, next: row.seq + 1, at: row.at, hash: row.hash.clone() };
        }
        None
    }

    #[test]
    fn any_change_to_a_chain_is_found_where_it_is() {
        let rows = chain(&["a", "b", "c", "d"]);
        assert_eq!(first_fault(&rows), None);
        let mut altered = rows.clone();
        altered[2].record = "C".to_owned();
        assert_eq!(first_fault(&altered), Some((2, "the row was altered")));
        let mut removed = rows.clone();
        removed.remove(1);
        assert_eq!(first_fault(&removed), Some((1, "a row is missing")));
        let mut swapped = rows.clone();
        swapped.swap(1, 2);
        assert!(first_fault(&swapped).is_some());
        let mut backdated = rows;
        backdated[3].at = 1;
        assert_eq!(first_fault(&backdated), Some((3, "the time runs backwards")));
    }
}
