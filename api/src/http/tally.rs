//! What the face counts of the requests it answers: kinds, statuses, codes and times, never who asked or about whom.

use async_graphql::parser::types::OperationType;
use axum::http::StatusCode;
use samverka_domain::error::ErrorCode;
use samverka_domain::figures::{Count, DURATIONS, Spread};
use std::time::Duration;

/// What a GraphQL request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Query,
    Mutation,
    Subscription,
    /// It was refused before its document was read.
    Unread,
}

impl Asked {
    pub(super) const ALL: [Asked; 4] = [Asked::Query, Asked::Mutation, Asked::Subscription, Asked::Unread];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Asked::Query => "query",
            Asked::Mutation => "mutation",
            Asked::Subscription => "subscription",
            Asked::Unread => "unread",
        }
    }
}

impl From<OperationType> for Asked {
    fn from(kind: OperationType) -> Self {
        match kind {
            OperationType::Query => Asked::Query,
            OperationType::Mutation => Asked::Mutation,
            OperationType::Subscription => Asked::Subscription,
        }
    }
}

/// The classes of HTTP statuses, by their first digit.
pub(super) const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).saturating_sub(1).min(STATUSES.len() - 1)
}

/// The counts. Every place is there from the start, so that counting allocates nothing.
#[derive(Debug)]
pub(super) struct Tally {
    answered: [[Count; STATUSES.len()]; Asked::ALL.len()],
    took: [Spread; Asked::ALL.len()],
    refused: [Count; ErrorCode::ALL.len()],
    turns: Spread,
}

impl Tally {
    pub(super) fn new() -> Self {
        Tally {
            answered: Default::default(),
            took: std::array::from_fn(|_| Spread::over(DURATIONS)),
            refused: std::array::from_fn(|_| Count::default()),
            turns: Spread::over(DURATIONS),
        }
    }

    /// A GraphQL request is answered.
    pub(super) fn answer(&self, asked: Asked, status: StatusCode, took: Duration) {
        self.answered(asked, class(status)).add_one();
        self.took(asked).add_time(took);
    }

    /// A refusal is told, of a whole request or of a part of one.
    pub(super) fn refuse(&self, code: ErrorCode) {
        self.refused(code).add_one();
    }

    /// A request has waited so long for its agency's turn, and has got it.
    pub(super) fn turn(&self, waited: Duration) {
        self.turns.add_time(waited);
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for each variant and each class")]
    pub(super) fn answered(&self, asked: Asked, class: usize) -> &Count {
        &self.answered[asked as usize][class]
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for each variant")]
    pub(super) fn took(&self, asked: Asked) -> &Spread {
        &self.took[asked as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for each code")]
    pub(super) fn refused(&self, code: ErrorCode) -> &Count {
        &self.refused[code as usize]
    }

    pub(super) fn turns(&self) -> &Spread {
        &self.turns
    }
}
