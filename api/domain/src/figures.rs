//! What the hub counts of itself, for whoever watches over it: how much and how long, never who, whom or what.
//!
//! Counting is one or two relaxed additions, and allocates nothing; it is read rarely, and rendered by the face.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Bounds for how long something takes, in microseconds: 100 µs to 10 s.
pub const DURATIONS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];
/// Bounds for how many rows one commit of the access log takes.
pub(crate) const ROWS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    pub fn add_one(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// It is this now.
    pub fn set(&self, level: u64) {
        self.0.store(level, Relaxed);
    }

    /// How it stands.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How values spread over fixed bounds (a histogram).
#[derive(Debug)]
pub struct Spread {
    bounds: &'static [u64],
    /// How many fell at or under each bound and over the one before; the last, over all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Spread {
    /// A spread over these bounds, in rising order.
    pub fn over(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::default()).collect();
        Spread { bounds, counts, sum: AtomicU64::default() }
    }

    /// One more value.
    pub fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Relaxed);
            self.sum.fetch_add(value, Relaxed);
        }
    }

    /// One more length of time, kept in microseconds.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How it stands.
    pub fn get(&self) -> Spreading {
        let counts = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        Spreading { bounds: self.bounds, counts, sum: self.sum.load(Relaxed) }
    }
}

/// A [`Spread`] as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spreading {
    /// The bounds, in rising order.
    pub bounds: &'static [u64],
    /// How many fell at or under each bound and over the one before; one more than the bounds, for those over all.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: u64,
}

/// A pool of connections as it stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Connections that are open.
    pub open: u64,
    /// Those of them that nobody uses.
    pub idle: u64,
    /// How many may be open.
    pub most: u64,
}

/// What a hub has counted since it was opened.
#[derive(Clone, Debug)]
pub struct Figures {
    /// Decisions on a child that were found decided.
    pub decisions_kept: u64,
    /// Decisions on a child for which the policy engine was asked.
    pub decisions_asked: u64,
    /// Situations that the engine keeps decided.
    pub situations: u64,
    /// Rows of the access log per commit; those that failed are left out.
    pub log_rows: Spreading,
    /// From handing a row in to its commit, in microseconds.
    pub log_waits: Spreading,
    /// Commits of the access log that failed.
    pub log_failures: u64,
    /// Rows that wait for the access log now.
    pub log_queue: u64,
    /// Deadlines that were due when the hub last looked.
    pub deadlines_due: u64,
    /// Deadlines that this node fired.
    pub deadlines_fired: u64,
    /// Those of them that were fired more than a minute after their moment.
    pub deadlines_late: u64,
    /// The connections that read.
    pub reader: Pool,
    /// The connections that write.
    pub writer: Pool,
}

/// How often the engine was asked on a child, and how often it need not be.
#[derive(Debug, Default)]
pub(crate) struct DecisionFigures {
    pub(crate) kept: Count,
    pub(crate) asked: Count,
}

/// How the deadlines get on.
#[derive(Debug, Default)]
pub(crate) struct DeadlineFigures {
    pub(crate) due: Level,
    pub(crate) fired: Count,
    pub(crate) late: Count,
}

/// How the access log gets on.
#[derive(Debug)]
pub(crate) struct LedgerFigures {
    pub(crate) rows: Spread,
    pub(crate) waits: Spread,
    pub(crate) failures: Count,
}

impl Default for LedgerFigures {
    fn default() -> Self {
        LedgerFigures { rows: Spread::over(ROWS), waits: Spread::over(DURATIONS), failures: Count::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_at_or_under_its_bound() {
        let spread = Spread::over(&[1, 4]);
        for value in [0, 1, 2, 4, 5, 100] {
            spread.add(value);
        }
        assert_eq!(spread.get(), Spreading { bounds: &[1, 4], counts: vec![2, 2, 2], sum: 112 });
    }
}
