//! Numbers that are nobody's: from the ranges reserved for tests and for fiction.

use super::dice::Dice;
use chrono::{Datelike, NaiveDate};

/// The first serial number reserved for tests; the last is 999.
const FIRST_SERIAL: u64 = 980;
const SERIALS: u64 = 20;

/// A personal number or, with the day raised by 60, a coordination number: `YYYYMMDDNNNC`, from the
/// serial numbers reserved for tests. Numbers of one day differ for twenty `nth` in a row.
pub(super) fn personal_number(day: NaiveDate, nth: u64, coordination: bool) -> String {
    let raised = day.day() + if coordination { 60 } else { 0 };
    let serial = FIRST_SERIAL + nth % SERIALS;
    let short = format!("{:02}{:02}{raised:02}{serial:03}", day.year() % 100, day.month());
    format!("{:02}{short}{}", day.year() / 100, check_digit(&short))
}

/// The digit that makes the sum of Luhn's rule come out even.
fn check_digit(digits: &str) -> u32 {
    let weighted = |(place, digit): (usize, u32)| match digit * (2 - place as u32 % 2) {
        sum @ 0..=9 => sum,
        sum => sum - 9,
    };
    let sum: u32 = digits.chars().filter_map(|c| c.to_digit(10)).enumerate().map(weighted).sum();
    (10 - sum % 10) % 10
}

/// A dossier number of a series that is not in use.
pub(super) fn dossier_number(index: u64) -> String {
    format!("99-{:06}", index % 1_000_000)
}

/// A mobile number of the range 070-174 06 05–99, which PTS keeps for fiction.
pub(super) fn mobile(dice: &mut Dice) -> String {
    format!("+467017406{:02}", dice.range(5..100))
}

/// A number in Malmö, 040-628 04 00–99, kept for fiction.
pub(super) fn malmo(dice: &mut Dice) -> String {
    format!("+464062804{:02}", dice.range(0..100))
}

/// A number in Stockholm, 08-465 004 00–99, kept for fiction.
pub(super) fn stockholm(dice: &mut Dice) -> String {
    format!("+468465004{:02}", dice.range(0..100))
}

/// A number in Gothenburg, 031-390 06 00–99, kept for fiction.
pub(super) fn gothenburg(dice: &mut Dice) -> String {
    format!("+463139006{:02}", dice.range(0..100))
}
