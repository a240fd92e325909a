//! Handovers, readiness and responsibility as one caller may see them.

use super::{Details, Kind, State};
use crate::catalogue::{FieldId, Section};
use crate::ids::AgencyId;
use crate::policy::{Purpose, RuleId};

/// A handover as one of its parties may see it.
#[derive(Clone, Debug)]
pub struct HandoverView {
    pub id: String,
    pub kind: Kind,
    pub state: State,
    /// It is open, and the expected arrival has passed.
    pub overdue: bool,
    pub urgent: bool,
    pub from: AgencyId,
    /// None where it may not be told any more: the child went there.
    pub to: Option<AgencyId>,
    /// Instants are in microseconds since 1970.
    pub proposed_at: i64,
    pub expected_at: i64,
    pub accepted_at: Option<i64>,
    pub departed_at: Option<i64>,
    pub arrived_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub details: Details,
    pub reason: Option<String>,
    /// Sections and their versions, as the receiver saw them when it confirmed.
    pub receipt: Vec<(String, String)>,
    /// The child, if the caller may know of it.
    pub child: Option<String>,
    /// The mutations that the caller can go on with.
    pub next: Vec<&'static str>,
}

/// What a receiver would see, and what is still to be done.
#[derive(Clone, Debug)]
pub struct Readiness {
    pub kind: Kind,
    pub to: AgencyId,
    /// The purpose that the receiver is taken to state.
    pub purpose: Purpose,
    /// From the acceptance on.
    pub on_acceptance: Vec<SectionReadiness>,
    /// From the confirmed arrival on.
    pub on_arrival: Vec<SectionReadiness>,
    pub unfinished: Vec<Unfinished>,
}

/// What a receiver would see of a section.
#[derive(Clone, Debug)]
pub struct SectionReadiness {
    pub section: Section,
    pub visible: Vec<FieldId>,
    pub withheld: Vec<(FieldId, RuleId)>,
}

/// An item of the checklist that nobody has done or skipped, or that a proposal would bring.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// None while no checklist has it.
    pub id: Option<String>,
    /// What the routine and a refusal call it.
    pub key: String,
    pub actor: String,
    pub sv: String,
    pub en: String,
    /// The departure waits for it.
    pub mandatory: bool,
}

/// One of the three facts about who answers for a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Who holds the child's case.
    Lead,
    /// Who is legally responsible.
    Responsible,
    /// Who the child stays with.
    Whereabouts,
}

impl Fact {
    /// Every fact.
    pub const ALL: [Fact; 3] = [Fact::Lead, Fact::Responsible, Fact::Whereabouts];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Fact::Lead => "LEAD",
            Fact::Responsible => "RESPONSIBLE",
            Fact::Whereabouts => "WHEREABOUTS",
        }
    }
}

/// An agency that answers or answered for a child, from when to when.
#[derive(Clone, Debug)]
pub struct Tenure {
    pub fact: Fact,
    pub agency: AgencyId,
    pub unit: Option<String>,
    pub from: i64,
    /// None while it goes on.
    pub to: Option<i64>,
}

/// An agency that has a matter of its own about a child, since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Involved {
    pub agency: AgencyId,
    pub unit: Option<String>,
    pub from: i64,
    /// None while it goes on.
    pub to: Option<i64>,
}

/// Who answered for a child at an instant, and before and after.
#[derive(Clone, Debug)]
pub struct ResponsibilityView {
    pub at: i64,
    /// Those that answered at the instant, of each fact one at most.
    pub facts: Vec<Tenure>,
    /// Earliest first.
    pub history: Vec<Tenure>,
    /// Those that had a matter of their own about the child at the instant, earliest first.
    pub involved: Vec<Involved>,
    /// The guarded fields that were not shown, and the rule that decided.
    pub withheld: Vec<(FieldId, RuleId)>,
}
