//! The clock and the dice: the only places where the hub reads the time or makes randomness.

use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where the time comes from: whole microseconds since 1970 (UTC), which both databases keep alike.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// It is not the machine's.
    is_set: bool,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        let now = Arc::new(|| Utc::now().timestamp_micros());
        Clock { now, is_set: false }
    }

    /// A clock that something else sets.
    pub fn from_fn(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Clock { now: Arc::new(now), is_set: true }
    }

    /// Microseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// Whether something else than the machine sets it: then nothing happens as time passes unless the hub is told to look.
    pub(crate) fn is_set(&self) -> bool {
        self.is_set
    }
}

/// How long something takes. It tells no time, and what it measures goes into figures only.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Stopwatch(Instant::now())
    }

    /// How long it has run.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The day, in Sweden's calendar in UTC terms, of an instant.
pub(crate) fn day(micros: i64) -> chrono::NaiveDate {
    instant(micros).date_naive()
}

/// An instant as a date and time in UTC.
pub fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

/// The dice that a hub's rows get their ids from.
#[derive(Debug, Default)]
pub(crate) struct Dice {
    #[cfg(debug_assertions)]
    loaded: std::sync::atomic::AtomicU64,
}

impl Dice {
    /// A random id.
    #[cfg(not(debug_assertions))]
    pub(crate) fn id(&self) -> Uuid {
        random_id()
    }

    /// A random id; the next one, if the dice are loaded.
    #[cfg(debug_assertions)]
    pub(crate) fn id(&self) -> Uuid {
        let loaded = self.loaded.load(std::sync::atomic::Ordering::SeqCst) > 0;
        let next = || self.loaded.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if loaded { Uuid::from_u64_pair(0xd1ce_0000_0000_4000, 1 << 63 | next()) } else { random_id() }
    }

    /// From now on ids come in order, from the one with this number: so those of two hubs are alike.
    #[cfg(debug_assertions)]
    pub(crate) fn load(&self, first: u64) {
        self.loaded.store(first, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A random id.
pub(crate) fn random_id() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "these are the dice")]
    Uuid::new_v4()
}

/// Random bytes for a secret, in hexadecimal.
pub(crate) fn random_secret() -> String {
    format!("{}{}", random_id().simple(), random_id().simple())
}

/// A random id for a request.
pub fn request_id() -> String {
    random_id().simple().to_string()
}
