//! The states of a handover, and the steps between them. That one is overdue is a fact beside its state.

use std::fmt;

/// Where a handover stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The receiver has not answered.
    Offered,
    /// The receiver waits for the child.
    Accepted,
    /// The receiver said no.
    Refused,
    /// The sender took it back.
    Withdrawn,
    /// The child has left.
    Travelling,
    /// The receiver has confirmed that the child is there.
    Arrived,
    /// The child did not come. It may come late, be expected anew, or be missing.
    NotArrived,
    /// It came to an end in a missing episode.
    Closed,
}

/// What can be done about a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Accept,
    Refuse,
    Withdraw,
    Depart,
    Arrive,
    ReportNotArrived,
    Reschedule,
    /// The missing episode that it ended in was closed.
    Close,
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The agency that hands over, or whoever proposed it in its place.
    From,
    /// The agency that receives.
    To,
    /// The hub, when something else has happened to the child.
    Hub,
}

/// Why a step is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Not from this state.
    State,
    /// Not by this party.
    Party,
}

const FROM: &[Party] = &[Party::From];
const TO: &[Party] = &[Party::To];
const BOTH: &[Party] = &[Party::From, Party::To];
const HUB: &[Party] = &[Party::Hub];

/// State, step, by whom, and the state after it. A departure only where the child travels, and the end of a missing episode
/// ends only such a handover: the others need no child to arrive.
///
/// Facts are taken from every state in which they can be true: that the child came, that it did not. A promise is taken from
/// the state that asks for it. Whoever travels is not withdrawn: first somebody says whether the child came.
#[rustfmt::skip]
const STEPS: [(State, Step, &[Party], State); 20] = [
    (State::Offered,    Step::Accept,           TO,   State::Accepted),
    (State::Offered,    Step::Refuse,           TO,   State::Refused),
    (State::Offered,    Step::Withdraw,         FROM, State::Withdrawn),
    (State::Offered,    Step::Reschedule,       FROM, State::Offered),
    (State::Accepted,   Step::Withdraw,         FROM, State::Withdrawn),
    (State::Accepted,   Step::Depart,           FROM, State::Travelling),
    (State::Accepted,   Step::Arrive,           TO,   State::Arrived),
    (State::Accepted,   Step::ReportNotArrived, BOTH, State::NotArrived),
    (State::Accepted,   Step::Reschedule,       BOTH, State::Accepted),
    (State::Accepted,   Step::Close,            HUB,  State::Closed),
    (State::Travelling, Step::Arrive,           TO,   State::Arrived),
    (State::Travelling, Step::ReportNotArrived, BOTH, State::NotArrived),
    (State::Travelling, Step::Reschedule,       BOTH, State::Travelling),
    (State::Travelling, Step::Close,            HUB,  State::Closed),
    (State::NotArrived, Step::Withdraw,         FROM, State::Withdrawn),
    (State::NotArrived, Step::Depart,           FROM, State::Travelling),
    (State::NotArrived, Step::Arrive,           TO,   State::Arrived),
    (State::NotArrived, Step::Reschedule,       BOTH, State::Accepted),
    (State::NotArrived, Step::Close,            HUB,  State::Closed),
    (State::Offered,    Step::Close,            HUB,  State::Closed),
];

impl State {
    /// Every state.
    pub const ALL: [State; 8] = [
        State::Offered,
        State::Accepted,
        State::Travelling,
        State::NotArrived,
        State::Arrived,
        State::Refused,
        State::Withdrawn,
        State::Closed,
    ];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            State::Offered => "OFFERED",
            State::Accepted => "ACCEPTED",
            State::Refused => "REFUSED",
            State::Withdrawn => "WITHDRAWN",
            State::Travelling => "TRAVELLING",
            State::Arrived => "ARRIVED",
            State::NotArrived => "NOT_ARRIVED",
            State::Closed => "CLOSED",
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether nothing follows.
    pub const fn has_ended(self) -> bool {
        matches!(self, State::Arrived | State::Refused | State::Withdrawn | State::Closed)
    }

    /// The state after a step of a party.
    ///
    /// # Errors
    ///
    /// [`Wrong::State`] if nobody can take the step here, [`Wrong::Party`] if somebody else can.
    pub fn after(self, step: Step, party: Party, travels: bool) -> Result<State, Wrong> {
        let (parties, next) = self.row(step, travels).ok_or(Wrong::State)?;
        if parties.contains(&party) { Ok(next) } else { Err(Wrong::Party) }
    }

    /// Who can take a step here.
    pub fn parties(self, step: Step, travels: bool) -> &'static [Party] {
        self.row(step, travels).map_or(&[], |(parties, _)| parties)
    }

    /// The steps that a party can take here.
    pub fn next(self, party: Party, travels: bool) -> impl Iterator<Item = Step> {
        Step::ALL.into_iter().filter(move |step| self.after(*step, party, travels).is_ok())
    }

    fn row(self, step: Step, travels: bool) -> Option<(&'static [Party], State)> {
        let row = STEPS.iter().find(|(state, taken, ..)| *state == self && *taken == step)?;
        (travels || !matches!(step, Step::Depart | Step::Close)).then_some((row.2, row.3))
    }

    /// The state after a missing episode was closed; none where the handover goes on: the child was found, and is awaited by
    /// the receiver still, or again.
    pub fn after_episode(self, was_found: bool, is_awaited: bool, travels: bool) -> Option<State> {
        let goes_on = was_found && is_awaited && self != State::NotArrived;
        self.after(Step::Close, Party::Hub, travels).ok().filter(|_| !goes_on)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 8] = [
        Step::Accept,
        Step::Refuse,
        Step::Withdraw,
        Step::Depart,
        Step::Arrive,
        Step::ReportNotArrived,
        Step::Reschedule,
        Step::Close,
    ];

    /// The mutation by which it is taken; of the hub's own step, what it is.
    pub const fn mutation(self) -> &'static str {
        match self {
            Step::Accept => "acceptHandover",
            Step::Refuse => "refuseHandover",
            Step::Withdraw => "withdrawHandover",
            Step::Depart => "recordDeparture",
            Step::Arrive => "confirmArrival",
            Step::ReportNotArrived => "reportNotArrived",
            Step::Reschedule => "rescheduleHandover",
            Step::Close => "the episode is closed",
        }
    }

    /// Whether the receiver has nothing to wait for any more.
    pub const fn ends(self) -> bool {
        matches!(self, Step::Refuse | Step::Withdraw | Step::Arrive | Step::Close)
    }
}

impl Party {
    /// The code, as in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Party::From => "FROM",
            Party::To => "TO",
            Party::Hub => "HUB",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn reached(from: State, travels: bool, parties: &[Party]) -> HashSet<State> {
        let mut reached = HashSet::from([from]);
        let mut open = vec![from];
        while let Some(state) = open.pop() {
            for (step, party) in Step::ALL.into_iter().flat_map(|step| parties.iter().map(move |party| (step, *party)))
            {
                if let Ok(next) = state.after(step, party, travels)
                    && reached.insert(next)
                {
                    open.push(next);
                }
            }
        }
        reached
    }

    #[test]
    fn every_step_stands_once_in_the_table() {
        let rows: HashSet<(State, Step)> = STEPS.iter().map(|row| (row.0, row.1)).collect();
        assert_eq!(rows.len(), STEPS.len());
    }

    #[test]
    fn only_what_has_ended_has_no_way_out() {
        for (state, travels) in State::ALL.into_iter().flat_map(|state| [(state, true), (state, false)]) {
            for party in [Party::From, Party::To, Party::Hub] {
                assert!(!state.has_ended() || state.next(party, travels).count() == 0, "{state}");
            }
            let out = [Party::From, Party::To].into_iter().any(|party| state.next(party, travels).count() > 0);
            assert_eq!(out, !state.has_ended(), "{state}: the two agencies are never stuck");
        }
    }

    #[test]
    fn from_every_open_state_the_arrival_can_be_confirmed() {
        for state in State::ALL.into_iter().filter(|state| !state.has_ended()) {
            for travels in [true, false] {
                assert!(reached(state, travels, BOTH).contains(&State::Arrived), "{state}");
                // Once accepted, the receiver needs nobody for it.
                let at_once = state.after(Step::Arrive, Party::To, travels);
                assert_eq!(at_once.is_ok(), state != State::Offered, "{state}");
            }
        }
    }

    #[test]
    fn the_end_of_an_episode_ends_what_nobody_awaits() {
        for state in State::ALL {
            let open = (!state.has_ended()).then_some(State::Closed);
            assert_eq!(state.after_episode(false, true, true), open, "{state}: the child was not found");
            assert_eq!(state.after_episode(true, false, true), open, "{state}: its arrival has passed");
            let goes_on = open.filter(|_| state == State::NotArrived);
            assert_eq!(state.after_episode(true, true, true), goes_on, "{state}: it is awaited");
            assert_eq!(state.after_episode(false, false, false), None, "{state}: no child travels");
        }
    }

    #[test]
    fn every_state_can_be_reached() {
        assert_eq!(reached(State::Offered, true, &[Party::From, Party::To, Party::Hub]).len(), State::ALL.len());
    }
}
