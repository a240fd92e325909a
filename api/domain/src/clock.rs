//! The clock and the dice: the only places where the hub reads the time or makes randomness.

use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where the time comes from: whole microseconds since 1970 (UTC), which both databases keep alike.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        Clock(Arc::new(|| Utc::now().timestamp_micros()))
    }

    /// A clock that something else sets.
    pub fn from_fn(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// Microseconds since 1970.
    pub fn now(&self) -> i64 {
        (self.0)()
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
