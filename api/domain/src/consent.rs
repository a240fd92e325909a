//! A consent: who gave it, and what it can be for.

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
