//! Situation → field masks. Pure: no clock, no database, no async.
//!
//! Cedar is asked once per situation; the answer is kept as bit masks under the policy's hash. What
//! a decision may depend on is the [`Situation`] and nothing else: the Cedar request is made from it
//! alone, so nothing outside the key of the cache can influence a decision.

mod diff;
mod engine;
mod matrix;
mod mentions;
mod names;
mod rows;
mod rules;
mod schema;
mod vocabulary;

pub use diff::diff;
pub use engine::{Decisions, Engine, Operation, PolicyError};
pub use matrix::{explain, matrix};
pub use rows::{ListRules, RowCase, RowRule};
pub use rules::{Effect, Rule, RuleId, Scope};
pub use schema::cedar_schema;
pub use vocabulary::{Act, Consents, Protection, Purpose, Relation, Role, Verb};

/// Everything a decision may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Situation {
    /// The caller's role.
    pub role: Role,
    /// The caller's agency to the child.
    pub relation: Relation,
    /// The purpose stated for the request.
    pub purpose: Purpose,
    /// A missing episode is open, or ended less than 72 hours ago.
    pub missing: bool,
    /// The child's protection level (F15).
    pub protection: Protection,
    /// The groups that live consents open to the caller's agency.
    pub consents: Consents,
    /// An emergency access of the caller is open for this child.
    pub break_glass: bool,
    /// The row at hand is the caller's own entry.
    pub own: bool,
}

impl Situation {
    /// The situation of a caller with no tie to an unprotected, present child.
    pub const fn stranger(role: Role, purpose: Purpose) -> Self {
        Situation {
            role,
            relation: Relation::None,
            purpose,
            missing: false,
            protection: Protection::None,
            consents: Consents::NONE,
            break_glass: false,
            own: false,
        }
    }
}
