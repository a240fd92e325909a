//! Dice with a known seed: one stream of numbers per child.

use super::{DAY, MINUTE};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use uuid::Uuid;

pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of the child with this index.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index);
        Dice(rng)
    }

    /// A number of the range, which must not be empty.
    pub(super) fn range(&mut self, range: Range<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// Yes, so many times of a hundred.
    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.range(0..100) < percent
    }

    /// One of the items.
    pub(super) fn pick<'t, T: ?Sized>(&mut self, items: &[&'t T]) -> &'t T {
        let index = self.0.random_range(0..items.len());
        #[expect(clippy::indexing_slicing, reason = "the range ends at the length, and no table is empty")]
        items[index]
    }

    /// One of the items, each as often as its weight says.
    pub(super) fn weigh<T: Copy>(&mut self, items: &[(i64, T)], otherwise: T) -> T {
        let mut left = self.range(0..items.iter().map(|(weight, _)| *weight).sum::<i64>().max(1));
        for (weight, item) in items {
            left -= weight;
            if left < 0 {
                return *item;
            }
        }
        otherwise
    }

    /// A random id (UUID version 4).
    pub(super) fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid()
    }

    /// Some days after an instant, at an own hour, and never after `now`.
    pub(super) fn later(&mut self, than: i64, days: Range<i64>, now: i64) -> i64 {
        let hours = self.range(20..400) * MINUTE + self.range(0..MINUTE);
        let latest = now - self.range(MINUTE..20 * MINUTE);
        (than + self.range(days) * DAY + hours).min(latest).max(than)
    }
}
