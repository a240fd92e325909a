//! A missing episode as a protocol: how far it has come, and what each step makes of that. Pure: no clock, no database.
//!
//! An episode is opened by a report and closed by a step, never by itself. What follows when the child was found is part of
//! it: until all of that is done, only the responsible board closes it, and says why.

mod report;

pub(crate) use report::{Facts, agencies_of, report, selection};

use crate::policy::Act;
use std::fmt::Write;

/// How long the number of the police may be missing before it is asked for, in microseconds: a day, the longest that the
/// routines leave for the report.
pub const POLICE_REPORT_WITHIN: i64 = 24 * 3_600_000_000;
/// How long the return talk may be missing, in microseconds: three days.
pub const RETURN_TALK_WITHIN: i64 = 3 * POLICE_REPORT_WITHIN;

/// How far an episode has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// No episode is open. No row has this state.
    NotMissing,
    /// The child may be missing; nobody has told the police yet.
    Suspected,
    /// The child is reported missing to the police.
    Reported,
    /// The police search.
    Searching,
    /// Somebody knows where the child is.
    Located,
    /// The child is safe. What follows is left.
    Safe,
    /// It has ended.
    Closed,
}

impl State {
    /// Every state, in the order of an episode.
    pub const ALL: [State; 7] = [
        State::NotMissing,
        State::Suspected,
        State::Reported,
        State::Searching,
        State::Located,
        State::Safe,
        State::Closed,
    ];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            State::NotMissing => "NOT_MISSING",
            State::Suspected => "SUSPECTED",
            State::Reported => "REPORTED",
            State::Searching => "SEARCHING",
            State::Located => "LOCATED",
            State::Safe => "SAFE",
            State::Closed => "CLOSED",
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The state as the flags of the record tell it, which is all that some are shown: that the child is missing, or was found.
    pub const fn by_flags(self) -> State {
        match self {
            State::NotMissing | State::Closed => State::NotMissing,
            State::Suspected | State::Reported | State::Searching | State::Located => State::Searching,
            State::Safe => State::Safe,
        }
    }

    /// Whether the episode is open: somebody still has something to do.
    pub const fn is_open(self) -> bool {
        !matches!(self, State::NotMissing | State::Closed)
    }

    /// Whether nobody knows yet where the child is.
    pub const fn is_unfound(self) -> bool {
        matches!(self, State::Suspected | State::Reported | State::Searching)
    }

    /// The state after a step; none where the step is not possible.
    pub const fn after(self, step: Step) -> Option<State> {
        use State::{Closed, Located, NotMissing, Reported, Safe, Searching, Suspected};
        match (step, self) {
            // A child that was found can be gone again: that is reported as any disappearance, in an episode of its own.
            (Step::Suspect, NotMissing | Located | Safe) => Some(Suspected),
            (Step::ReportMissing, NotMissing | Located | Safe) => Some(Reported),
            // A number that comes late, or is corrected, moves nothing on.
            (Step::RecordPoliceReport, Suspected | Reported) => Some(Reported),
            (Step::RecordPoliceReport, Searching | Located) => Some(self),
            (Step::UpdateSearch, Reported | Searching) => Some(Searching),
            // A wanted entry is taken back when the child was found.
            (Step::UpdateSearch, Located | Safe) => Some(self),
            (Step::RecordSighting, Suspected | Reported | Searching | Located) => Some(self),
            (Step::MarkLocated, Suspected | Reported | Searching) => Some(Located),
            (Step::MarkSafe, Located) => Some(Safe),
            (Step::RecordFollowUp, Located | Safe) => Some(self),
            (Step::CloseEpisode, Suspected | Reported | Searching | Located | Safe) => Some(Closed),
            (Step::RecordAgencyClosure, Suspected | Reported | Searching | Located | Safe | Closed) => Some(self),
            // The child is gone again: this episode ends, and another one goes on with it.
            (Step::ReopenEpisode, Located | Safe | Closed) => Some(Closed),
            _ => None,
        }
    }

    /// The mutations that are possible now.
    pub fn next(self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> =
            Step::ALL.into_iter().filter(|step| self.after(*step).is_some()).map(Step::mutation).collect();
        names.dedup();
        names
    }
}

/// What is done in an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The child may be missing.
    Suspect,
    /// The child is missing.
    ReportMissing,
    /// The police's number, and whom to call.
    RecordPoliceReport,
    /// How the search goes.
    UpdateSearch,
    /// Somebody saw the child.
    RecordSighting,
    /// Somebody knows where the child is.
    MarkLocated,
    /// The child is safe.
    MarkSafe,
    /// A part of what follows is done.
    RecordFollowUp,
    /// The episode ends.
    CloseEpisode,
    /// An agency has closed its own matter.
    RecordAgencyClosure,
    /// The child is missing again.
    ReopenEpisode,
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 11] = [
        Step::Suspect,
        Step::ReportMissing,
        Step::RecordPoliceReport,
        Step::UpdateSearch,
        Step::RecordSighting,
        Step::MarkLocated,
        Step::MarkSafe,
        Step::RecordFollowUp,
        Step::CloseEpisode,
        Step::RecordAgencyClosure,
        Step::ReopenEpisode,
    ];

    /// What a caller must be permitted to do.
    pub const fn act(self) -> Act {
        match self {
            Step::Suspect | Step::ReportMissing => Act::ReportMissing,
            Step::RecordPoliceReport => Act::RecordPoliceReport,
            Step::UpdateSearch => Act::UpdateSearch,
            Step::RecordSighting => Act::RecordSighting,
            Step::MarkLocated => Act::MarkLocated,
            Step::MarkSafe => Act::MarkSafe,
            Step::RecordFollowUp => Act::RecordFollowUp,
            Step::CloseEpisode => Act::CloseEpisode,
            Step::RecordAgencyClosure => Act::RecordAgencyClosure,
            Step::ReopenEpisode => Act::ReopenEpisode,
        }
    }

    /// The mutation that it is taken by.
    pub const fn mutation(self) -> &'static str {
        self.act().code()
    }
}

/// A part of what follows when a child was found (F60).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FollowUp {
    /// A talk about why, where and with whom (*återkomstsamtal*).
    ReturnTalk,
    /// A health check (*hälsokontroll*).
    HealthCheck,
    /// A screening for exploitation and trafficking (*screening för utnyttjande*).
    ExploitationScreening,
    /// A review of the placement, the risks and the safety plan (*översyn av placeringen*).
    PlacementReview,
}

impl FollowUp {
    /// Every part.
    pub const ALL: [FollowUp; 4] =
        [FollowUp::ReturnTalk, FollowUp::HealthCheck, FollowUp::ExploitationScreening, FollowUp::PlacementReview];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            FollowUp::ReturnTalk => "RETURN_TALK",
            FollowUp::HealthCheck => "HEALTH_CHECK",
            FollowUp::ExploitationScreening => "EXPLOITATION_SCREENING",
            FollowUp::PlacementReview => "PLACEMENT_REVIEW",
        }
    }

    /// The part with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.code() == code)
    }
}

/// Why an episode is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclosed {
    /// It is not open.
    State,
    /// What follows is not done, and the caller is not the responsible board.
    FollowUp,
    /// What follows is not done, and the responsible board gives no reason.
    Reason,
}

/// Whether an episode may be closed: when the child is safe and every part of what follows is done, or before that by the
/// responsible board with a reason.
///
/// # Errors
///
/// What is lacking.
pub fn may_close(state: State, done: &[FollowUp], is_board: bool, has_reason: bool) -> Result<(), Unclosed> {
    if state.after(Step::CloseEpisode).is_none() {
        return Err(Unclosed::State);
    }
    let is_done = state == State::Safe && FollowUp::ALL.iter().all(|part| done.contains(part));
    match (is_done, is_board, has_reason) {
        (true, ..) | (false, true, true) => Ok(()),
        (false, true, false) => Err(Unclosed::Reason),
        (false, false, _) => Err(Unclosed::FollowUp),
    }
}

/// The protocol as a table: a line for each state and step, with the state after it.
pub fn table() -> String {
    let mut text = format!("{:<12} {:<24} to\n", "from", "step");
    for from in State::ALL {
        for step in Step::ALL {
            let name = if step == Step::Suspect { "reportMissing, suspected" } else { step.mutation() };
            let to = from.after(step).map_or("-", State::code);
            _ = writeln!(text, "{:<12} {name:<24} {to}", from.code());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        assert!(State::ALL.iter().all(|state| State::from_code(state.code()) == Some(*state)));
        assert!(FollowUp::ALL.iter().all(|part| FollowUp::from_code(part.code()) == Some(*part)));
    }

    #[test]
    fn only_a_report_opens_and_only_two_steps_close() {
        for state in State::ALL {
            for step in Step::ALL {
                let Some(after) = state.after(step) else { continue };
                let opens = !state.is_open() && after.is_open();
                assert!(!opens || matches!(step, Step::Suspect | Step::ReportMissing), "{state:?} {step:?}");
                let closes = state.is_open() && !after.is_open();
                assert!(!closes || matches!(step, Step::CloseEpisode | Step::ReopenEpisode), "{state:?} {step:?}");
            }
        }
    }

    #[test]
    fn what_is_possible_next_is_named_once() {
        assert_eq!(State::NotMissing.next(), ["reportMissing"]);
        assert_eq!(State::Closed.next(), ["recordAgencyClosure", "reopenEpisode"]);
    }
}
