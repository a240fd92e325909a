//! The hub: one door to the record, for the face and for the commands.

use crate::agency::{Agency, AgencyKind, NewAgency};
use crate::caller::Caller;
use crate::clock::{Clock, Dice, random_id, random_secret};
use crate::error::{DatabaseError, Error, ErrorCode};
use crate::figures::{DeadlineFigures, DecisionFigures, Figures};
use crate::handover::AlarmTimes;
use crate::ids::{AgencyId, ChildId};
use crate::keys::Keys;
use crate::leak::Leaks;
use crate::ledger::{self, Ledger, Record, Released, Verdict};
use crate::policy::{Decisions, Engine, Situation};
use crate::routine::Routines;
use crate::session::{REMEMBERED, Request, Session, Turns, sealed_id};
pub use crate::store::RosterReport;
use crate::store::{Standing, Store};
use crate::timekeeper::keep_time;
use crate::world::{self, Case, MadeUpChild};
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use uuid::Uuid;

/// How often the index of the access log is brought up to date.
const INDEX_EVERY: Duration = Duration::from_secs(5);
/// How many times as long as it works the task behind the index rests: requests come first.
const INDEX_REST: u32 = 9;
/// How often keys of callers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// How often the children of what was handed in are looked for.
const MATCH_EVERY: Duration = Duration::from_secs(1);
/// How often those are looked for again that were not found, in microseconds: a minute.
const MATCH_AGAIN_EVERY: i64 = 60_000_000;
/// How often a question is decided anew, if who may see what changes while it is answered.
const DECIDED: usize = 4;
/// How many guesses are kept of what an agency is to a child.
const RECENT: usize = 10_000;
/// How long a health check waits for the database.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// What a database is for. It never changes: a sandbox's children are made up, and stay apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Sandbox,
    Production,
}

impl Environment {
    /// The word that the database remembers.
    pub const fn code(self) -> &'static str {
        match self {
            Environment::Sandbox => "sandbox",
            Environment::Production => "production",
        }
    }
}

/// Where the database remembers it.
const ENVIRONMENT: &str = "environment";

/// A database of the hub, for the commands that look after it.
pub struct Database {
    store: Store,
}

impl Database {
    /// Connects to `sqlite:PATH` or `postgres://…`; makes a SQLite file that is not there.
    ///
    /// # Errors
    ///
    /// In words, without the values of the URL.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(Database { store: Store::connect(url, true).await? })
    }

    /// Connects to a database that is there.
    ///
    /// # Errors
    ///
    /// As [`Database::connect`]; a SQLite file that is not there.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Ok(Database { store: Store::connect(url, false).await? })
    }

    /// Closes every connection, so that the files are at rest.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Brings the schema up to date, and the list table with it. Safe to run again.
    pub async fn migrate_up(&self) -> Result<(), Error> {
        self.store.migrate_up().await?;
        Ok(self.store.bring_roster_up().await?)
    }

    /// Makes the list table again from the record, and tells what was wrong with it.
    pub async fn rebuild_roster(&self, clock: &Clock) -> Result<RosterReport, Error> {
        Ok(self.store.rebuild_roster(clock.now()).await?)
    }

    /// Compares the list table with the record.
    pub async fn check_roster(&self, clock: &Clock) -> Result<RosterReport, Error> {
        Ok(self.store.check_roster(clock.now()).await?)
    }

    /// Takes back so many migrations.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), Error> {
        Ok(self.store.migrate_down(steps).await?)
    }

    /// The migrations by name, and whether each is applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, Error> {
        Ok(self.store.migrations().await?)
    }

    /// Checks that no migration is pending.
    ///
    /// # Errors
    ///
    /// The first that is, and what to do.
    pub async fn require_current(&self) -> Result<(), Error> {
        current(&self.store).await
    }

    /// Makes this a database of the environment, or checks that it is one.
    ///
    /// # Errors
    ///
    /// If it was made for another: production never opens a sandbox, nor the other way.
    pub async fn claim(&self, environment: Environment) -> Result<(), Error> {
        let stands = self.store.setting_or(ENVIRONMENT, environment.code().to_owned()).await?;
        if stands == environment.code() {
            return Ok(());
        }
        Err(DatabaseError(format!("this is a {stands} database, and the hub was started for {}", environment.code()))
            .into())
    }

    /// What the hub remembers under a key, made with `make` the first time.
    pub async fn remember(&self, key: &str, make: impl FnOnce() -> String) -> Result<String, Error> {
        match self.store.setting(key).await? {
            Some(value) => Ok(value),
            None => Ok(self.store.setting_or(key, make()).await?),
        }
    }

    /// What the hub remembers under a key.
    pub async fn remembered(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.store.setting(key).await?)
    }

    /// Writes the agencies of the configuration; known codes are updated.
    pub async fn put_agencies(&self, agencies: &[NewAgency]) -> Result<(), Error> {
        Ok(self.store.put_agencies(agencies, random_id).await?)
    }

    /// The agencies, by name.
    pub async fn agencies(&self) -> Result<Vec<Agency>, Error> {
        Ok(self.store.agencies().await?)
    }

    /// How many children there are.
    pub async fn children(&self) -> Result<u64, Error> {
        Ok(self.store.children().await?)
    }

    /// Fills the database with made-up children `from` to `to` of the world with this seed.
    pub async fn seed(
        &self,
        seed: u64,
        children: std::ops::Range<u64>,
        clock: &Clock,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), Error> {
        let codes = made_up_agencies(&self.store).await?;
        let agency = known(&codes);
        let now = clock.now();
        let mut made_up = children.map(|index| world::child(seed, index, now, &agency));
        Ok(self.store.seed(&mut made_up, now, progress).await?)
    }

    /// Checks that committed means durable.
    ///
    /// # Errors
    ///
    /// The first setting that is wrong, by name, with what it must be.
    pub async fn assert_durable(&self) -> Result<(), Error> {
        Ok(self.store.assert_durable().await?)
    }

    /// Seals the record of a child (*fingerade personuppgifter*), or unseals it: to everyone the child is then as one that
    /// never was, in every list, search, submission and emergency, from the next answer on every node. The row of the
    /// access log that tells of it is written first. Whether it changed anything.
    ///
    /// # Errors
    ///
    /// `INVALID_ID`; [`Error::NotFound`] for an id that never was; a database that cannot be written.
    pub async fn seal(&self, child: &str, is_sealed: bool, clock: &Clock) -> Result<bool, Error> {
        let child = child.parse::<ChildId>()?.0;
        let subject = self.store.subject(child).await?.ok_or(Error::NotFound)?;
        let ledger = Ledger::open(self.store.clone(), clock.clone(), random_id(), "command").await?;
        let operation = if is_sealed { "sealChild" } else { "unsealChild" };
        let told = ledger.release((), Record::of_command(operation, Some(subject))).await;
        ledger.close().await;
        told?;
        Ok(self.store.seal(child, is_sealed, clock.now()).await?)
    }

    /// Recomputes the access log, and names the first broken row.
    pub async fn verify_ledger(&self) -> Result<Verdict, Error> {
        Ok(ledger::verify(&self.store).await?)
    }
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) engine: &'static Engine,
    pub(crate) routines: &'static Routines,
    pub(crate) clock: Clock,
    pub(crate) dice: Dice,
    pub(crate) leaks: Leaks,
    #[cfg(debug_assertions)]
    pub(crate) held: crate::fault::Held,
    pub(crate) keys: Keys,
    pub(crate) ledger: Ledger,
    pub(crate) alarms: AlarmTimes,
    decisions: DecisionFigures,
    pub(crate) deadlines: DeadlineFigures,
    /// What agencies were to children when they last looked: a guess, never an answer.
    pub(crate) recent: Cache<(AgencyId, Uuid), Standing>,
    /// Whose turn it is to change a child.
    pub(crate) turns: Turns,
    #[cfg(debug_assertions)]
    pub(crate) holdback: crate::fault::Holdback,
    agencies: RwLock<Vec<Arc<Agency>>>,
    /// Held by the one that brings the index of the access log up to date.
    indexing: tokio::sync::Mutex<()>,
    /// When this node last looked again for the children of what was handed in. Microseconds since 1970.
    matched_again: AtomicI64,
}

/// The ids of the agencies of the made-up world, by code.
async fn made_up_agencies(store: &Store) -> Result<HashMap<String, AgencyId>, Error> {
    by_code(store.agencies().await?.into_iter().map(|agency| (agency.code, agency.id)))
}

fn by_code(agencies: impl Iterator<Item = (String, AgencyId)>) -> Result<HashMap<String, AgencyId>, Error> {
    let codes: HashMap<String, AgencyId> = agencies.collect();
    if let Some(missing) = world::PERSONAS.iter().find(|persona| !codes.contains_key(persona.code)) {
        return Err(DatabaseError(format!("the agency `{}` of the sandbox is missing", missing.code)).into());
    }
    Ok(codes)
}

/// The ids of agencies of which it is known that they are there.
fn known(codes: &HashMap<String, AgencyId>) -> impl Fn(&str) -> AgencyId {
    |code| codes.get(code).copied().unwrap_or(AgencyId(Uuid::nil()))
}

/// A running hub. Clones are doors to the same one.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// What a hub is opened with.
pub struct Settings {
    /// The policies that decide.
    pub engine: &'static Engine,
    /// The county routines that checklists are copied from, unless a county board has published a later version.
    pub routines: &'static Routines,
    /// Where the time comes from.
    pub clock: Clock,
    /// What the node is called in the access log.
    pub node: String,
    /// When the silence of a handover goes further.
    pub alarms: AlarmTimes,
}

impl Hub {
    /// Opens the hub on a migrated database: asserts that committed means durable, and opens a lane
    /// of the access log.
    ///
    /// # Errors
    ///
    /// A setting without which a row could be lost; pending migrations; a database that cannot be
    /// reached.
    pub async fn open(database: Database, settings: Settings) -> Result<Hub, Error> {
        let Database { store } = database;
        let Settings { engine, routines, clock, node, alarms } = settings;
        store.assert_durable().await?;
        if let Some((pending, _)) = store.migrations().await?.into_iter().find(|(_, applied)| !applied) {
            return Err(
                DatabaseError(format!("the migration `{pending}` is pending; run `samverka migrate up`")).into()
            );
        }
        store.require_roster().await?;
        let secret = store.setting_or("secret", random_secret()).await?;
        let ledger = Ledger::open(store.clone(), clock.clone(), random_id(), &node).await?;
        let agencies = store.agencies().await?.into_iter().map(Arc::new).collect();
        let keys = Keys::new(secret.as_bytes());
        let inner = Inner {
            store,
            engine,
            routines,
            clock,
            dice: Dice::default(),
            leaks: Leaks::default(),
            #[cfg(debug_assertions)]
            held: crate::fault::Held::default(),
            keys,
            ledger,
            alarms,
            decisions: DecisionFigures::default(),
            deadlines: DeadlineFigures::default(),
            recent: Cache::new(RECENT),
            turns: Turns::default(),
            #[cfg(debug_assertions)]
            holdback: crate::fault::Holdback::default(),
            agencies: RwLock::new(agencies),
            indexing: tokio::sync::Mutex::default(),
            matched_again: AtomicI64::new(i64::MIN),
        };
        let hub = Hub { inner: Arc::new(inner) };
        tokio::spawn(keep_indexed(Arc::downgrade(&hub.inner)));
        tokio::spawn(keep_matched(Arc::downgrade(&hub.inner)));
        tokio::spawn(keep_forgetting(Arc::downgrade(&hub.inner)));
        tokio::spawn(keep_time(Arc::downgrade(&hub.inner)));
        Ok(hub)
    }

    /// Answers one request: runs it in a session, commits the row of the access log that tells of it,
    /// and only then lets the answer go.
    ///
    /// # Errors
    ///
    /// `AUDIT_UNAVAILABLE` if the row cannot be written; nothing is shown then. `PURPOSE_NOT_ALLOWED`
    /// if the caller's role may not state the purpose it states, `IDEMPOTENCY_KEY_REUSED` if its key stands for another
    /// request; that is logged, too. `DECISION_STALE` if who may see what changes again and again while a question is answered
    /// and decided anew, or once while a change is: that was made, and is not made again.
    pub async fn answer<T, F>(
        &self,
        caller: Caller,
        request: Request,
        mut run: impl FnMut(Arc<Session>) -> F,
    ) -> Result<Released<T>, Error>
    where
        F: Future<Output = T>,
    {
        let mut again = DECIDED;
        loop {
            again -= 1;
            let session = Arc::new(Session::new(self.inner.clone(), caller.clone(), request.clone()));
            match Self::answer_once(&session, &mut run).await {
                Err(Error::Code(ErrorCode::DecisionStale)) if again > 0 && !session.has_begun() => {}
                done => return done,
            }
        }
    }

    async fn answer_once<T, F>(
        session: &Arc<Session>,
        run: &mut impl FnMut(Arc<Session>) -> F,
    ) -> Result<Released<T>, Error>
    where
        F: Future<Output = T>,
    {
        if let Err(refusal) = session.admit().await {
            session.release_refusal(&refusal).await?;
            return Err(refusal);
        }
        let answer = Box::pin(run(session.clone())).await;
        // Another request was first with the key, at the same time: then nothing of this one was done.
        let reused = session.has_refused(ErrorCode::IdempotencyKeyReused);
        let released = session.release(answer).await?;
        if reused { Err(Error::Code(ErrorCode::IdempotencyKeyReused)) } else { Ok(released) }
    }

    /// Puts the world of a sandbox back: every child goes, with all that followed from it, and those of the world with this seed
    /// come, under the ids that they had, and as fresh as in a new sandbox. Requests may be under way: each sees the one world or
    /// the other, and a change that was decided on in the world that went is not made in the one that came. The access log stays,
    /// and tells of it.
    ///
    /// # Errors
    ///
    /// A database that is not of a sandbox, or cannot be written; then nothing has changed.
    pub async fn reset(&self, seed: u64, children: std::ops::Range<u64>) -> Result<(), Error> {
        let Inner { store, clock, ledger, .. } = &*self.inner;
        if store.setting(ENVIRONMENT).await?.as_deref() != Some(Environment::Sandbox.code()) {
            return Err(DatabaseError("only a sandbox can be put back".to_owned()).into());
        }
        ledger.release((), Record::of_command("resetSandbox", None)).await?;
        let codes = made_up_agencies(store).await?;
        let agency = known(&codes);
        let now = clock.now();
        let made_up: Vec<_> = children.map(|index| world::child(seed, index, now, &agency)).collect();
        Ok(store.reset(&made_up, now).await?)
    }

    /// Whether the hub can answer: the access log can be written now, whatever failed before.
    pub async fn is_ready(&self) -> bool {
        let probe = self.inner.store.can_write();
        self.inner.ledger.is_open() && tokio::time::timeout(READY_WITHIN, probe).await.is_ok_and(|done| done.is_ok())
    }

    /// What the hub has counted since it was opened.
    pub fn figures(&self) -> Figures {
        let Inner { store, engine, ledger, decisions, deadlines, .. } = &*self.inner;
        let [reader, writer] = store.pools();
        Figures {
            decisions_kept: decisions.kept.get(),
            decisions_asked: decisions.asked.get(),
            situations: engine.kept() as u64,
            log_rows: ledger.figures().rows.get(),
            log_waits: ledger.figures().waits.get(),
            log_failures: ledger.figures().failures.get(),
            log_queue: ledger.queued() as u64,
            deadlines_due: deadlines.due.get(),
            deadlines_fired: deadlines.fired.get(),
            deadlines_late: deadlines.late.get(),
            reader,
            writer,
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// An agency by the name it has in the configuration.
    pub fn agency_by_code(&self, code: &str) -> Option<Arc<Agency>> {
        self.inner.agencies().into_iter().find(|agency| agency.code == code)
    }

    /// Recomputes the access log while it is written, and names the first broken row.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub async fn verify_ledger(&self) -> Result<Verdict, Error> {
        Ok(ledger::verify(&self.inner.store).await?)
    }

    /// A child of the made-up world with this seed, as it is made now.
    ///
    /// # Errors
    ///
    /// The hub has not the agencies of the sandbox.
    pub fn made_up(&self, case: &Case, seed: u64) -> Result<MadeUpChild, Error> {
        let codes = by_code(self.inner.agencies().iter().map(|agency| (agency.code.clone(), agency.id)))?;
        Ok(case.child(seed, self.inner.clock.now(), &known(&codes)))
    }

    /// The id under which an agency knows a child, if it knows of it: partners have ids of their own.
    pub fn child_id(&self, child: ChildId, agency: &Agency) -> String {
        if agency.kind == AgencyKind::Partner {
            sealed_id(&self.inner.keys, child, agency.id)
        } else {
            child.to_string()
        }
    }

    /// The clock of the hub.
    pub fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }

    /// The policies that decide.
    pub fn engine(&self) -> &'static Engine {
        self.inner.engine
    }

    /// Makes the hub have a leak, and no other, or none.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub fn plant(&self, leak: Option<crate::leak::Leak>) {
        self.inner.leaks.plant(leak);
    }

    /// The next answer to this operation (`query child`) waits before its last check, until the other end is let go.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub fn hold(&self, operation: &str) -> crate::fault::Hold {
        self.inner.held.hold(operation)
    }

    /// From now on the ids of new rows come in order, from the one with this number, which is above 0.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub fn load_dice(&self, first: u64) {
        self.inner.dice.load(first);
    }

    /// Holds changes back that are decided on and not yet made, until what this gives is dropped.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub async fn hold_changes(&self) -> impl Drop + Send + use<> {
        self.inner.holdback.hold().await
    }

    /// How many changes are held back.
    #[cfg(debug_assertions)]
    #[doc(hidden)]
    pub fn held_changes(&self) -> usize {
        self.inner.holdback.waiting()
    }

    /// Waits until every row that was handed in is written. Call it when no request is left.
    pub async fn close(self) {
        if let Some(inner) = Arc::into_inner(self.inner) {
            inner.ledger.close().await;
        }
    }
}

impl Inner {
    pub(crate) fn agencies(&self) -> Vec<Arc<Agency>> {
        self.agencies.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is decided in a situation.
    pub(crate) fn decide(&self, situation: Situation) -> Arc<Decisions> {
        let (decisions, asked) = self.engine.decide_and_tell(situation);
        if asked { &self.decisions.asked } else { &self.decisions.kept }.add_one();
        decisions
    }

    /// Looks for the children of what was handed in since the last time; once in a while, for those that were not found then.
    pub(crate) async fn match_submissions(&self) -> Result<(), DatabaseError> {
        let now = self.clock.now();
        self.store.match_submissions(now).await?;
        let before = self.matched_again.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(before) >= MATCH_AGAIN_EVERY;
        // One at a time: whoever is second leaves it to the first.
        if is_due && self.matched_again.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.store.match_again(now).await?;
        }
        Ok(())
    }

    /// Brings the index of the access log by child up to date, for somebody who waits for it.
    pub(crate) async fn index(&self) -> Result<(), DatabaseError> {
        let _held = self.indexing.lock().await;
        ledger::index(&self.store, &self.clock).await
    }

    /// What kind of agency this is.
    pub(crate) fn agency_kind(&self, id: AgencyId) -> Option<AgencyKind> {
        let agencies = self.agencies.read().unwrap_or_else(PoisonError::into_inner);
        agencies.iter().find(|agency| agency.id == id).map(|agency| agency.kind)
    }

    /// An agency by its id; one that was added since the start is looked up once.
    pub(crate) async fn agency(&self, id: AgencyId) -> Result<Option<Arc<Agency>>, Error> {
        if let Some(agency) = self.agencies().into_iter().find(|agency| agency.id == id) {
            return Ok(Some(agency));
        }
        let Some(agency) = self.store.agency(id).await?.map(Arc::new) else { return Ok(None) };
        self.agencies.write().unwrap_or_else(PoisonError::into_inner).push(agency.clone());
        Ok(Some(agency))
    }
}

async fn current(store: &Store) -> Result<(), Error> {
    let pending = store.migrations().await?.into_iter().find(|(_, applied)| !applied);
    pending.map_or(Ok(()), |(name, _)| {
        Err(DatabaseError(format!("the migration `{name}` is pending; run `samverka migrate up`")).into())
    })
}

async fn keep_indexed(hub: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(INDEX_EVERY).await;
        let mut is_behind = true;
        while is_behind {
            // Not the hub itself: whoever closes it must not wait for the index.
            let held = hub.upgrade().map(|hub| (hub.store.clone(), hub.clock.clone()));
            let Some((store, clock)) = held else { return };
            is_behind = ledger::index_some(&store, &clock, INDEX_REST).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the index of the access log could not be brought up to date");
                false
            });
        }
    }
}

/// A hub whose clock is set looks when somebody asks for what was handed in, and not by itself.
async fn keep_matched(hub: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(MATCH_EVERY).await;
        let Some(hub) = hub.upgrade() else { return };
        if hub.clock.is_set() {
            return;
        }
        if let Err(error) = hub.match_submissions().await {
            tracing::warn!(%error, "what was handed in could not be matched with children");
        }
    }
}

async fn keep_forgetting(hub: std::sync::Weak<Inner>) {
    while let Some(hub) = hub.upgrade() {
        if let Err(error) = hub.store.forget_claims(hub.clock.now().saturating_sub(REMEMBERED)).await {
            tracing::warn!(%error, "the keys of callers could not be forgotten");
        }
        drop(hub);
        tokio::time::sleep(FORGET_EVERY).await;
    }
}
