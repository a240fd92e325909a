//! What a handover is refused for: whose it is to give, who may receive it, when, and while nobody knows where the child is.

use super::inputs::instant_of;
use super::view::next_of;
use super::{Opened, Taken};
use crate::catalogue::FieldId;
use crate::clock::{day, instant};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::Gate;
use crate::handover::Step as Taking;
use crate::handover::{Details, HOUR, Holder, Kind, Moves, State, Terms, is_of_age};
use crate::ids::AgencyId;
use crate::policy::{Act, Protection};
use crate::session::Session;
use crate::session::change::Work;
use crate::session::consent::BLOCKED;
use crate::session::step::Step;
use crate::store::{EpisodeRow, Tie};

/// What a withdrawal waits for when the child has left.
const ACCOUNTED_FOR: &str = "a missing episode since the departure, or a home that the child stays with";
/// The rule by which nothing is kept that tells where the child is.
const PROTECTED_REGISTRATION: &str = "protected-registration";

/// Whether a child that is on its way has been heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nobody needs to be: it has not left, or is accounted for.
    None,
    /// It has left, and is not expected yet.
    Coming,
    /// It is overdue, and since then it is known to be missing, was found, or stays with a home.
    Broken,
    /// It is overdue, and nobody has told where it is.
    Unbroken,
}

impl<'s> Step<'s> {
    /// From whom it goes, if it is the caller's to give. Who may propose at all the policy has said.
    ///
    /// Where the responsible board does not lead, it gives the case to any board, also to the one that leads and then answers for
    /// both; the lead gives it to the responsible board, and to no other.
    pub(super) fn giver(&self, work: &Work<'_>, terms: &Terms, ties: &[Tie], to: AgencyId) -> Result<AgencyId, Error> {
        let (own, lead) = (self.caller.agency.id, work.gate.standing().lead);
        if !terms.proposers.contains(&self.caller.role) {
            return Err(forbidden("handover-terms", None));
        }
        let responsible = open(ties, "RESPONSIBLE").map_or(lead, |tie| tie.agency);
        let holds = match terms.holder {
            Holder::Lead => own == lead,
            Holder::Responsible => own == responsible || (own == lead && to == responsible),
            Holder::Any => true,
        };
        if !holds {
            return Err(forbidden("handover-holder", None));
        }
        Ok(match terms.moves {
            Moves::Lead if to == lead => own,
            Moves::Lead => lead,
            Moves::Guardian => own,
            Moves::Whereabouts => open(ties, "WHEREABOUTS").map_or(own, |tie| tie.agency),
        })
    }

    /// Refuses what cannot move: to oneself, to whom has it already, or while it is on its way elsewhere.
    pub(super) async fn free_to_move(
        &self,
        work: &Work<'_>,
        kind: Kind,
        from: AgencyId,
        to: AgencyId,
    ) -> Result<(), Error> {
        if from == to || to == self.caller.agency.id {
            return Err(another_agency());
        }
        self.may_receive(&work.gate, to).await?;
        match self.reader().await?.open_handover(work.child(), kind.terms().moves).await? {
            None => Ok(()),
            Some(open) => {
                let next = self.party_of(&open).map_or_else(Vec::new, |party| next_of(&open, party));
                Err(Error::Refused(vec![Refusal::in_state([""; 0], open.state.code(), next)]))
            }
        }
    }

    /// Refuses to hand over as an adult who is none by the arrival, as far as the caller is shown its birth date.
    pub(super) async fn of_age(&self, work: &Work<'_>, kind: Kind, arrival: i64, argument: &str) -> Result<(), Error> {
        if !kind.terms().adults {
            return Ok(());
        }
        let shown = FieldId::by_path("identity.birthDate").is_some_and(|id| work.gate.shows(id, None));
        let born = if shown { self.reader().await?.birth_date(work.child()).await? } else { None };
        let fits = born.is_some_and(|born| is_of_age(born, self.today(), day(arrival)));
        fits.then_some(()).ok_or_else(|| Error::refused(ErrorCode::NotOfAge, [argument]))
    }

    /// Whether a step comes in time, and its instant fits those before it.
    pub(super) fn in_time(&self, opened: &Opened, step: Taking, taken: &Taken) -> Result<(), Error> {
        let row = &opened.row;
        if step == Taking::Accept && row.expected_at <= self.now {
            let next = next_of(row, opened.party).into_iter().filter(|next| *next != step.mutation());
            return Err(Error::Refused(vec![Refusal::in_state(["handoverId"], row.state.code(), next)]));
        }
        let earliest = match step {
            // Who did not arrive may leave again, and not before it did: what was known then does not tell where it is now.
            Taking::Depart => Some(row.departed_at.unwrap_or(row.proposed_at)),
            Taking::Arrive => row.departed_at.or(row.accepted_at),
            _ => None,
        };
        match (taken.at, earliest, instant_of(step)) {
            (Some(at), Some(earliest), Some(argument)) if at < earliest => {
                let expected = format!("{} or later", instant(earliest).to_rfc3339());
                Err(Error::refused_for(ErrorCode::DateOrder, [argument], expected))
            }
            _ => Ok(()),
        }
    }

    /// Whether a child that is on its way is overdue, and whether anybody has told since where it is: that it is missing, that it was
    /// found, or which home it stays with. Only what the caller is shown counts, so that no refusal tells it of the rest.
    pub(super) async fn silence(&self, work: &Work<'_>, opened: &Opened) -> Result<Silence, Error> {
        let Opened { row, ties, .. } = opened;
        let is_late = row.overdue_at.is_some() || row.expected_at <= self.now || row.state == State::NotArrived;
        let is_on_its_way = row.kind.terms().travels && row.state != State::Offered;
        let since = row.departed_at.or(row.accepted_at).filter(|_| is_on_its_way);
        let Some(since) = since.filter(|_| is_late || row.departed_at.is_some()) else { return Ok(Silence::None) };
        let is_there = |tie: &Tie| tie.kind == "WHEREABOUTS" && tie.closed_at.is_none() && tie.opened_at >= since;
        let mut is_told = work.gate.shows_path("placement.unitAgency") && ties.iter().any(is_there);
        if !is_told && work.gate.shows_path("missing.status") {
            let is_of_now = |episode: &EpisodeRow| match episode.found_at {
                None => episode.state.is_open(),
                Some(found) => found >= since,
            };
            is_told = self.reader().await?.episodes(work.child()).await?.iter().any(is_of_now);
        }
        Ok(match (is_told, is_late) {
            (true, true) => Silence::Broken,
            (true, false) => Silence::None,
            (false, true) => Silence::Unbroken,
            (false, false) => Silence::Coming,
        })
    }

    /// Refuses steps that would end an alarm while nobody knows where the child is. Who has left is not withdrawn then; and who has
    /// left or is overdue is expected anew with a reason, and soon.
    pub(super) fn breaks_no_silence(
        &self,
        opened: &Opened,
        step: Taking,
        silence: Silence,
        taken: &Taken,
    ) -> Result<(), Error> {
        let row = &opened.row;
        let is_unaccounted = matches!(silence, Silence::Coming | Silence::Unbroken);
        if step == Taking::Withdraw && is_unaccounted && row.departed_at.is_some() {
            let next = next_of(row, opened.party).into_iter().filter(|next| *next != step.mutation());
            let refusal = Refusal::in_state(["handoverId"], row.state.code(), next);
            return Err(Error::Refused(vec![refusal.expecting(ACCOUNTED_FOR)]));
        }
        if step != Taking::Reschedule || silence == Silence::None {
            return Ok(());
        }
        let within = row.kind.terms().anew_within;
        let hours = within / HOUR;
        let limit = match silence {
            Silence::Coming => {
                Some((row.expected_at, format!("at most {hours} hours later than it was: the child has left")))
            }
            Silence::Unbroken => Some((self.now, format!("at most {hours} hours ahead: the child is overdue"))),
            Silence::None | Silence::Broken => None,
        };
        let too_late = limit.filter(|(from, _)| taken.expected_at.is_some_and(|at| at > from.saturating_add(within)));
        let no_reason = taken.reason.is_none().then(|| Refusal::at(ErrorCode::Required, ["reason"]));
        let too_late =
            too_late.map(|(_, expected)| Refusal::at(ErrorCode::DateOrder, ["expectedAt"]).expecting(expected));
        let refusals: Vec<Refusal> = no_reason.into_iter().chain(too_late).collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
    }

    /// Refuses a departure while items are open that the terms say come before it.
    pub(super) async fn checked_off(&self, opened: &Opened) -> Result<(), Error> {
        let row = &opened.row;
        let terms = row.kind.terms();
        let open = self.reader().await?.unfinished(row.id).await?;
        let open = open.into_iter().filter(|item| terms.is_mandatory(&item.key));
        let open: Vec<String> = open.map(|item| item.key).collect();
        if open.is_empty() {
            return Ok(());
        }
        let next = next_of(row, opened.party).into_iter().filter(|next| *next != Taking::Depart.mutation());
        let refusal = Refusal::in_state(["handoverId"], row.state.code(), next);
        Err(Error::Refused(vec![refusal.expecting(format!("done or skipped: {}", open.join(", ")))]))
    }
}

impl Session {
    /// Refuses an agency that is kept from the child. Only to those who decide on that it is told so: to all others it is as one
    /// that the child cannot go to.
    pub(super) async fn may_receive(&self, gate: &Gate<'_>, to: AgencyId) -> Result<(), Error> {
        if self.reader().await?.open_block(gate.standing().child, to).await?.is_none() {
            return Ok(());
        }
        match gate.permit(Act::BlockParty) {
            Ok(()) => Err(Error::Refused(vec![Refusal::in_state(["toAgencyId"], BLOCKED, ["unblockParty"])])),
            Err(_) => Err(another_agency()),
        }
    }
}

/// Refuses words that may tell where a child with a protected registration is: as its address, they are not kept.
pub(super) fn tells_no_place(work: &Work<'_>, details: &Details) -> Result<(), Error> {
    let is_protected = work.gate.standing().protection == Protection::Registered;
    let rule = || Some(PROTECTED_REGISTRATION.to_owned());
    let refusal = |name| Refusal { rule: rule(), ..Refusal::at(ErrorCode::Forbidden, ["details", name]) };
    let refusals: Vec<Refusal> = details.places().filter(|_| is_protected).map(refusal).collect();
    if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
}

fn another_agency() -> Error {
    Error::refused_for(ErrorCode::InvalidInput, ["toAgencyId"], "another agency")
}

/// The open tie of a kind of which there is one at most.
pub(super) fn open<'t>(ties: &'t [Tie], kind: &str) -> Option<&'t Tie> {
    ties.iter().find(|tie| tie.kind == kind && tie.closed_at.is_none())
}

/// A refusal by a rule of the protocol, with the state and the steps that are possible where there is one.
pub(super) fn forbidden(rule: &str, state: Option<(State, Vec<&'static str>)>) -> Error {
    let path: [&str; 0] = [];
    let refusal = match state {
        Some((state, next)) => Refusal::in_state(["handoverId"], state.code(), next),
        None => Refusal::at(ErrorCode::Forbidden, path),
    };
    Error::Refused(vec![Refusal { code: ErrorCode::Forbidden, rule: Some(rule.to_owned()), ..refusal }])
}
