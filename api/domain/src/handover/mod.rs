//! Handovers (*överlämningar*): who may propose them, what moves with them and when, and the steps from the offer to the
//! arrival. Pure: no clock, no database.

mod details;
mod kinds;
mod state;
mod view;

pub use details::{Details, TOLD, Told};
pub use kinds::{AlarmTimes, Alarms, COMING_OF_AGE, Detail, Effect, HOUR, Holder, Kind, Moves, Terms, is_of_age};
pub use state::{Party, State, Step, Wrong};
pub use view::{Fact, HandoverView, Involved, Readiness, ResponsibilityView, SectionReadiness, Tenure, Unfinished};

use std::fmt::Write;

/// The terms of every kind and the steps of every state, as a table for people. A committed file follows it.
pub fn table() -> String {
    let mut text = String::new();
    for kind in Kind::ALL {
        _ = writeln!(text, "{kind}");
        kind.terms().print(&mut text);
    }
    for travels in [true, false] {
        let kinds: Vec<&str> =
            Kind::ALL.into_iter().filter(|kind| kind.terms().travels == travels).map(Kind::code).collect();
        _ = writeln!(text, "steps of {}", kinds.join(", "));
        for state in State::ALL {
            let steps = Step::ALL.into_iter().filter_map(|step| {
                let parties = state.parties(step, travels);
                let next = state.after(step, *parties.first()?, travels).ok()?;
                let parties: Vec<&str> = parties.iter().map(|party| party.code()).collect();
                Some(format!("{} ({}) -> {next}", step.mutation(), parties.join(", ")))
            });
            let steps: Vec<String> = steps.collect();
            let told = if state.has_ended() { "ended".to_owned() } else { steps.join("; ") };
            _ = writeln!(text, "  {:<12} {told}", state.code());
        }
    }
    text
}
