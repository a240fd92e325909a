//! Handovers: proposed by whoever has it to give, accepted and confirmed by the receiver. The lead moves when the receiver
//! confirms that the child is there, and never otherwise.

mod inputs;
mod moves;
mod readiness;
mod rules;
mod view;

use super::change::{Admits, Reading, Work};
use super::step::{Step, Stop};
use super::write::{current_row, new_row};
use crate::catalogue::{FieldSet, Section};
use crate::error::{Error, Refusal};
use crate::feed::{EventKind, To};
use crate::gate::Gate;
use crate::handover::Step as Taking;
use crate::handover::{Effect, HandoverView, Kind, Party, State, Wrong};
use crate::policy::Act;
use crate::store::{HandoverChange, HandoverRow, Tie};
use crate::view::{ChildView, Selection};
use inputs::{argument, decided};
use moves::moved;
use rules::{Silence, forbidden, tells_no_place};
use serde_json::{Map, Value as Json};
use uuid::Uuid;
use view::next_of;

/// A handover to propose.
#[derive(Clone, Debug)]
pub struct NewHandover {
    pub kind: Kind,
    /// The id of the agency that receives.
    pub to: String,
    /// When the child is expected to be there, in microseconds since 1970.
    pub expected_at: i64,
    pub urgent: bool,
    /// What else is told, by name.
    pub details: Map<String, Json>,
}

/// A decision on the municipality of a child.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The code of the municipality.
    pub municipality: String,
    /// The board of it; the only one where none is named.
    pub to: Option<String>,
    pub decision_number: String,
    /// The day, as `YYYY-MM-DD`.
    pub decided_on: Json,
    /// When the child is expected to be there, in microseconds since 1970.
    pub expected_at: i64,
    pub urgent: bool,
    /// What else is told, by name.
    pub details: Map<String, Json>,
}

/// What is told with a step.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Why, where the step asks for it.
    pub reason: Option<String>,
    /// When the child left or came, in microseconds since 1970; now where it is not said.
    pub at: Option<i64>,
    /// When the child is expected anew, in microseconds since 1970.
    pub expected_at: Option<i64>,
}

/// What a step gives: the child, if the caller may know of it then, and the handover.
type Shown = (Option<ChildView>, Option<HandoverView>);

/// What a step rests on, read before anything is written.
struct Opened {
    row: HandoverRow,
    party: Party,
    ties: Vec<Tie>,
}

impl Taken {
    /// The arrival that a step tells of or promises, and the argument that does.
    fn arrival(&self, step: Taking, now: i64) -> Option<(i64, &'static str)> {
        match step {
            Taking::Arrive => Some((self.at.unwrap_or(now), "arrivedAt")),
            Taking::Reschedule => Some((self.expected_at?, "expectedAt")),
            _ => None,
        }
    }
}

impl<'s> Step<'s> {
    /// Proposes to hand a child over. The lead stays where it is until the receiver confirms the arrival; the receiver
    /// learns of the offer, and nothing of the child.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for a caller that may not, with the rule; `CONFLICT` while another handover that moves the same is open;
    /// `DATE_ORDER` for an arrival that is not ahead, or more than a year; `REQUIRED`, `UNKNOWN_AGENCY`, `AGENCY_KIND`,
    /// `INVALID_INPUT` for a receiver that has it already; `NOT_OF_AGE`; [`Error::NotFound`].
    pub async fn propose_handover(
        &self,
        child: &str,
        new: &NewHandover,
        selection: &Selection,
    ) -> Result<Shown, Error> {
        let result = async {
            let (to, details) = self.read_new(new).await?;
            let details = &details;
            let id = self.hub.dice.id();
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::ProposeHandover)?;
                let ties = self.reader().await?.ties(work.child()).await?;
                let from = self.giver(&work, new.kind.terms(), &ties, to)?;
                tells_no_place(&work, details)?;
                self.of_age(&work, new.kind, new.expected_at, "expectedAt").await?;
                self.free_to_move(&work, new.kind, from, to).await?;
                let row = self.offer(id, &work, new, (from, to), details.clone());
                self.write_offer(&mut work, EventKind::HandoverProposed, row).await?;
                let operation = if new.kind == Kind::CaseTransfer { "transferCase" } else { "proposeHandover" };
                work.note(operation, FieldSet::EMPTY);
                Ok(work)
            };
            let work = self.decide(child, id, Reading::Several, decide).await?;
            self.finish_handover(&work, id, selection).await
        };
        self.conclude_handover(Box::pin(result).await, selection).await
    }

    /// Assigns a child to a municipality: from the decision on its board is legally responsible, before the child has
    /// arrived (SoL 29 kap. 4 §), and the lead is offered to it. Where the board leads already there is nothing to hand
    /// over, and no handover.
    ///
    /// The hub's history begins the responsibility when it is told of the decision; the day of the decision is F25's.
    ///
    /// # Errors
    ///
    /// As [`Step::propose_handover`]; `UNKNOWN_CODE`; `UNKNOWN_AGENCY` where the municipality has no board in the hub,
    /// `REQUIRED` where it has several and none is named.
    pub async fn assign_municipality(
        &self,
        child: &str,
        assignment: &Assignment,
        selection: &Selection,
    ) -> Result<Shown, Error> {
        let result = async {
            let new = self.read_assignment(assignment)?;
            let (to, details) = self.read_new(&new).await?;
            let (new, details, changes) = (&new, &details, &decided(assignment)?);
            let id = self.hub.dice.id();
            let decide = |work: Work<'s>| async move {
                work.gate.permit(Act::AssignMunicipality)?;
                let work = self.and(work, Section::Responsibility).await?;
                let row = current_row(&work.loaded, Section::Responsibility, work.child());
                work.permit_at(changes, row.as_ref(), |(id, _)| vec![argument(*id).to_owned()])?;
                let ties = self.reader().await?.ties(work.child()).await?;
                let lead = work.gate.standing().lead;
                if lead != to {
                    tells_no_place(&work, details)?;
                    self.free_to_move(&work, Kind::Assignment, lead, to).await?;
                }
                let is_new = row.is_none();
                let row = row.unwrap_or_else(|| new_row(work.child()));
                let mut work = self.apply(work, Section::Responsibility, row, changes.clone(), is_new).await?;
                self.move_ties(&mut work, &ties, (lead, to), &[Effect::Responsible], &[]);
                work.write.event(EventKind::MunicipalityAssigned, FieldSet::EMPTY, None, To::NOBODY);
                if lead != to {
                    let row = self.offer(id, &work, new, (lead, to), details.clone());
                    self.write_offer(&mut work, EventKind::MunicipalityAssigned, row).await?;
                }
                work.note("assignMunicipality", moved(&[Effect::Responsible]));
                Ok(work)
            };
            let work = self.decide(child, id, Reading::Several, decide).await?;
            self.finish_handover(&work, id, selection).await
        };
        self.conclude_handover(Box::pin(result).await, selection).await
    }

    /// Takes a step of a handover: everything from the answer to the offer to the arrival.
    ///
    /// From the acceptance on the receiver reads the record. A departure waits for the mandatory items of the checklist; an
    /// arrival waits for nothing: the child is there, whatever else was not done, and the hub must know who has it. When the
    /// receiver confirms, the lead moves, and a receipt keeps which sections it sees then, in which versions.
    ///
    /// # Errors
    ///
    /// `CONFLICT` from a state in which the step is not possible, with the state and the steps that are; for a withdrawal of a child that
    /// has left and of which nobody has told where it is; for an acceptance
    /// after the expected arrival, which must be rescheduled first; for a departure before the checklist is done.
    /// `FORBIDDEN` for the other party's step. `DATE_ORDER` for a departure or arrival that is ahead, and an arrival before
    /// the departure or the acceptance; `REQUIRED` and `DATE_ORDER` for a child that has left or is overdue and is expected anew without a reason, or late. [`Error::NotFound`] alike for a handover that never was and one that is not the caller's.
    pub async fn take_handover(
        &self,
        id: &str,
        step: Taking,
        taken: &Taken,
        selection: &Selection,
    ) -> Result<Shown, Error> {
        let result = async {
            self.purpose()?;
            let reason = &self.read_taken(step, taken)?;
            let id = self.handover_id(id)?;
            let known = self.reader().await?.handover(id).await?;
            let child = known.map(|row| row.child).unwrap_or_default();
            let decide = |mut work: Work<'s>| async move {
                let opened = self.open_handover(&work, id).await?;
                let next = opened.after(step)?;
                self.in_time(&opened, step, taken)?;
                let silence = match step {
                    Taking::Withdraw | Taking::Reschedule => self.silence(&work, &opened).await?,
                    _ => Silence::None,
                };
                self.breaks_no_silence(&opened, step, silence, taken)?;
                if let Some((at, argument)) = taken.arrival(step, self.now) {
                    self.of_age(&work, opened.row.kind, at, argument).await?;
                }
                if step == Taking::Depart {
                    self.checked_off(&opened).await?;
                }
                let receipt = match step {
                    Taking::Arrive => Some(self.receipt(&work, &opened).await?),
                    _ => None,
                };
                let change = HandoverChange {
                    state: Some(next).filter(|next| *next != opened.row.state),
                    expected_at: taken.expected_at,
                    accepted_at: (step == Taking::Accept).then_some(self.now),
                    departed_at: (step == Taking::Depart).then(|| taken.at.unwrap_or(self.now)),
                    arrived_at: (step == Taking::Arrive).then(|| taken.at.unwrap_or(self.now)),
                    ended_at: next.has_ended().then_some(self.now),
                    reason: reason.clone(),
                    receipt,
                    is_awaited: step == Taking::Reschedule && silence != Silence::Unbroken,
                };
                self.write_step(&mut work, &opened, step, change)?;
                if step.ends() {
                    self.tell_flag(&mut work, &[opened.row.id]).await?;
                }
                Ok(work)
            };
            let work = self.decide_on(child, id, Reading::Several, Admits::Anyone, decide).await?;
            self.finish_handover(&work, id, selection).await
        };
        self.conclude_handover(Box::pin(result).await, selection).await
    }

    /// A handover that the caller is a party of, and what its steps rest on; the caller need not know the child.
    async fn open_handover(&self, work: &Work<'_>, id: Uuid) -> Result<Opened, Error> {
        let row = self.reader().await?.handover(id).await?.filter(|row| row.child == work.child());
        // To whoever is kept from the child it is none of theirs.
        let party = row.as_ref().and_then(|row| self.party_of(row)).filter(|_| !work.gate.standing().blocked);
        let Some((row, party)) = row.zip(party) else {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        };
        let ties = self.reader().await?.ties(work.child()).await?;
        Ok(Opened { row, party, ties })
    }

    /// Shows the handover and the child as they are after a change that was made.
    async fn finish_handover(&self, work: &Work<'_>, id: Uuid, selection: &Selection) -> Result<Shown, Stop> {
        let (child, handover) = self.shown_handover(work.child(), id, selection).await?;
        Ok((child.map(|view| ChildView { in_force_at: work.in_force_at, ..view }), handover))
    }

    async fn shown_handover(&self, child: Uuid, id: Uuid, selection: &Selection) -> Result<Shown, Error> {
        // Child and handover are shown as of one instant.
        let row = self.reader().await?.handover(id).await?;
        let gate = self.gate_of(child).await?;
        let knows = gate.as_ref().is_some_and(Gate::knows);
        let view = row.as_ref().zip(gate.as_ref()).and_then(|(row, gate)| self.seen_handover(row, gate));
        if !knows && view.is_none() {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        }
        let child = if knows { Some(self.child(&self.public_id(child), selection).await?) } else { None };
        Ok((child, view))
    }

    /// What the caller is told of a step; of one that was taken before, as things are now.
    async fn conclude_handover(&self, result: Result<Shown, Stop>, selection: &Selection) -> Result<Shown, Error> {
        let result = match result {
            Ok(shown) => Ok(shown),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Done(child, id)) => {
                self.note(|draft| draft.repeat());
                self.shown_handover(child, id, selection).await
            }
        };
        self.refused(result)
    }
}

impl Opened {
    /// The state after a step of the caller.
    fn after(&self, step: Taking) -> Result<State, Error> {
        let Opened { row, party, .. } = self;
        let next = || next_of(row, *party);
        row.state.after(step, *party, row.kind.terms().travels).map_err(|wrong| match wrong {
            Wrong::State => Error::Refused(vec![Refusal::in_state(["handoverId"], row.state.code(), next())]),
            Wrong::Party => forbidden("handover-party", Some((row.state, next()))),
        })
    }
}
