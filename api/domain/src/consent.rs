//! A consent: who gave it, and what it can be for.

use chrono::{Months, NaiveDate};

/// From which age a child is taken to consent alone. The law asks for maturity and names no age (OSL 12 kap. 3 §, FB 6 kap.
/// 11 §); fifteen is when a child speaks for itself in cases of the social services (LVU 36 §).
pub const ALONE_FROM_YEARS: u32 = 15;

/// What must be in the record before a consent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lack {
    /// Nobody is recorded as the child's guardian now.
    Guardian,
    /// The child is not old enough to consent alone, or its birth date is not on record.
    Age,
}

/// Who gave a consent (OSL 12 kap. 3 §): the child alone, its guardian, or both, by age and maturity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Giver {
    /// The guardian (*god man*, *vårdnadshavare*).
    Guardian,
    /// The child.
    Child,
    /// The child and the guardian.
    ChildAndGuardian,
}

impl Giver {
    /// Every giver.
    pub const ALL: [Giver; 3] = [Giver::Guardian, Giver::Child, Giver::ChildAndGuardian];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Giver::Guardian => "GUARDIAN",
            Giver::Child => "CHILD",
            Giver::ChildAndGuardian => "CHILD_AND_GUARDIAN",
        }
    }

    /// What is lacking for this giver to consent on a day: to a child of whom it is known when it was born, and whether it has a
    /// guardian then.
    pub fn lacks(self, born: Option<NaiveDate>, has_guardian: bool, on: NaiveDate) -> Option<Lack> {
        let is_old = || {
            let old = born.and_then(|born| born.checked_add_months(Months::new(12 * ALONE_FROM_YEARS)));
            old.is_some_and(|old| old <= on)
        };
        match self {
            Giver::Guardian | Giver::ChildAndGuardian => (!has_guardian).then_some(Lack::Guardian),
            Giver::Child => (!is_old()).then_some(Lack::Age),
        }
    }

    /// The giver with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|giver| giver.code() == code)
    }
}

/// How a consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It opens what it names.
    Live,
    /// It was withdrawn.
    Revoked,
    /// Its last day has passed.
    Expired,
}

impl State {
    /// The code, as in GraphQL.
    pub const fn code(self) -> &'static str {
        match self {
            State::Live => "LIVE",
            State::Revoked => "REVOKED",
            State::Expired => "EXPIRED",
        }
    }

    /// How a consent stands at an instant.
    pub const fn at(now: i64, until: i64, withdrawn_at: Option<i64>) -> Self {
        match withdrawn_at {
            Some(_) => State::Revoked,
            None if until <= now => State::Expired,
            None => State::Live,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_consents_alone_from_its_fifteenth_birthday() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let alone = |born: Option<&str>, on: &str| Giver::Child.lacks(born.map(day), false, day(on));
        assert_eq!(alone(Some("2011-11-21"), "2026-11-21"), None);
        assert_eq!(alone(Some("2011-11-22"), "2026-11-21"), Some(Lack::Age));
        assert_eq!(alone(Some("2012-02-29"), "2027-02-28"), None);
        assert_eq!(alone(None, "2026-11-21"), Some(Lack::Age));
        for giver in [Giver::Guardian, Giver::ChildAndGuardian] {
            assert_eq!(giver.lacks(None, false, day("2026-11-21")), Some(Lack::Guardian));
            assert_eq!(giver.lacks(None, true, day("2026-11-21")), None);
        }
    }
}
