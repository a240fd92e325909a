//! Emergency access (*nödöppning*): how long it lasts, how often it is used, when it must have been reviewed.

use crate::calendar::after_working_days;
use crate::clock::day;
use chrono::Days;

/// How long an emergency access lasts, in microseconds: 30 minutes.
pub const LASTS: i64 = 30 * 60_000_000;
/// A day, in microseconds: that within which they are counted.
pub const DAY: i64 = 24 * 3_600_000_000;
/// How many an agency opens within a day.
pub const MOST_A_DAY: u64 = 50;
/// How many one human opens within a day, where the system names who it is.
pub const MOST_A_DAY_OF_ONE: u64 = 5;
/// Within how many working days each is reviewed.
pub const REVIEWED_WITHIN: u32 = 3;
/// How long a reason is: so much must be said, and no more.
pub const REASON: std::ops::RangeInclusive<usize> = 20..=1000;

/// What the review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// There was an emergency.
    Justified,
    /// There was none.
    Unjustified,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Verdict; 2] = [Verdict::Justified, Verdict::Unjustified];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Verdict::Justified => "JUSTIFIED",
            Verdict::Unjustified => "UNJUSTIFIED",
        }
    }

    /// The verdict with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.code() == code)
    }
}

/// When an access that is opened now must have been reviewed: at the end of the third working day after.
pub fn review_by(opened_at: i64) -> i64 {
    let last = after_working_days(day(opened_at), REVIEWED_WITHIN);
    let next = last.checked_add_days(Days::new(1)).unwrap_or(last);
    next.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
}
