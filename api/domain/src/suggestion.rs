//! A suggested correction: what it asks for, field by field, and what became of each.

/// What a suggestion would do to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The value takes the place of what is there.
    Set,
    /// The items of a list are added to those that are there: whoever gave them could not see those.
    Add,
    /// The field is emptied.
    Clear,
}

impl Change {
    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Change::Set => "SET",
            Change::Add => "ADD",
            Change::Clear => "CLEAR",
        }
    }

    /// The change with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        [Change::Set, Change::Add, Change::Clear].into_iter().find(|change| change.code() == code)
    }
}

/// What became of a field of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nobody has decided on it.
    Open,
    /// It was written into the record.
    Accepted,
    /// It was not.
    Declined,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 3] = [Outcome::Open, Outcome::Accepted, Outcome::Declined];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Outcome::Open => "OPEN",
            Outcome::Accepted => "ACCEPTED",
            Outcome::Declined => "DECLINED",
        }
    }

    /// The outcome with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

/// What became of a suggestion, as far as its reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A field of it is open.
    Open,
    /// Every field was accepted.
    Accepted,
    /// Some fields were accepted, the others declined.
    PartlyAccepted,
    /// Every field was declined.
    Declined,
}

impl State {
    /// The code, as in GraphQL.
    pub const fn code(self) -> &'static str {
        match self {
            State::Open => "OPEN",
            State::Accepted => "ACCEPTED",
            State::PartlyAccepted => "PARTLY_ACCEPTED",
            State::Declined => "DECLINED",
        }
    }

    /// The state that the outcomes of some fields come to.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let (mut accepted, mut declined) = (false, false);
        for outcome in outcomes {
            match outcome {
                Outcome::Open => return State::Open,
                Outcome::Accepted => accepted = true,
                Outcome::Declined => declined = true,
            }
        }
        match (accepted, declined) {
            (true, true) => State::PartlyAccepted,
            (true, false) => State::Accepted,
            (false, true) => State::Declined,
            (false, false) => State::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_is_open_while_a_field_of_it_is() {
        use Outcome::{Accepted, Declined, Open};
        for (outcomes, state) in [
            (&[Open][..], State::Open),
            (&[Accepted, Open], State::Open),
            (&[Accepted, Accepted], State::Accepted),
            (&[Declined, Accepted], State::PartlyAccepted),
            (&[Declined], State::Declined),
        ] {
            assert_eq!(State::of(outcomes.iter().copied()), state, "{outcomes:?}");
        }
    }
}
