//! Who the child is.

use super::DAY;
use super::dice::Dice;
use super::names::{ORIGINS, Origin, spelled_otherwise};
use super::plan::{Plan, Stage};
use crate::clock;
use chrono::{Days, Months, NaiveDate};

pub(super) struct Person {
    pub(super) origin: &'static Origin,
    pub(super) sex: &'static str,
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    /// What the child calls itself where it has an account.
    pub(super) nickname: &'static str,
    /// How the family name was first written down, where that was corrected later.
    pub(super) first_spelling: Option<String>,
    /// As first registered.
    pub(super) birth: NaiveDate,
    /// As the child states it, where that differs.
    pub(super) claimed: Option<NaiveDate>,
    /// Numbers of one birth date differ by it.
    pub(super) nth: u64,
    pub(super) speaks_swedish: bool,
}

impl Person {
    pub(super) fn new(plan: &Plan, seed: u64, index: u64, now: i64, dice: &mut Dice) -> Person {
        let origin = dice.pick(&ORIGINS);
        let female = dice.chance(28);
        let (birth, nth) = birth(plan.stage, seed, index, clock::day(now));
        let family = dice.pick(origin.family);
        let claims_otherwise = plan.stage == Stage::AgeAssessed || dice.chance(12);
        let picked = dice.pick(if female { origin.female } else { origin.male });
        let (given, family) = plan.name.unwrap_or((picked, family));
        let is_corrected = dice.chance(30) && plan.name.is_none();
        Person {
            origin,
            sex: if female { "FEMALE" } else { "MALE" },
            given,
            family,
            nickname: picked,
            first_spelling: is_corrected.then(|| spelled_otherwise(family)),
            birth,
            claimed: claims_otherwise.then(|| birth + Days::new(dice.range(60..330).unsigned_abs())),
            nth,
            speaks_swedish: dice.chance(15),
        }
    }

    /// Whole years at an instant.
    pub(super) fn age_at(&self, at: i64) -> u32 {
        clock::day(at).years_since(self.birth).unwrap_or(0)
    }
}

/// A birth date, and which of the numbers of that day is the child's. Each index has its own pair for
/// as long as there are enough: the test ranges hold twenty numbers a day.
fn birth(stage: Stage, seed: u64, index: u64, today: NaiveDate) -> (NaiveDate, u64) {
    if stage == Stage::Near18 {
        let (day, nth) = own(index, seed, 80, 37);
        return (today + Days::new(5 + day) - Months::new(18 * 12), nth);
    }
    let (day, nth) = own(index, seed, 2067, 1597);
    // From 12 years to 120 days before the 18th birthday.
    (today - Days::new(4383 + day), nth)
}

/// The birth date that an age assessment gave instead, of a grown-up, and the number of that day.
pub(super) fn assessed_birth(index: u64, now: i64) -> (NaiveDate, u64) {
    let (day, nth) = own(index, 0, 370, 139);
    (clock::day(now - 30 * DAY) - Months::new(18 * 12) - Days::new(day), nth)
}

/// Spreads indices over so many days and, day by day, over the numbers. `step` and `days` have no
/// common divisor, so no two of `20 * days` indices in a row share both.
fn own(index: u64, seed: u64, days: u64, step: u64) -> (u64, u64) {
    let day = (index % days * step + seed % days) % days;
    (day, index / days + day)
}
