//! Handovers: proposed by whoever has it to give, accepted and confirmed by the receiver. The lead moves when the receiver
//! confirms that the child is there, and never otherwise.

use super::change::{Admits, Reading, Work};
use super::consent::BLOCKED;
use super::step::{Step, Stop};
use super::write::{Changes, current_row, new_row};
use super::{Session, page_size};
use crate::agency::AgencyKind;
use crate::catalogue::{Code, FieldId, FieldSet, IdentifierKind, Kind as FieldKind, Section, Value};
use crate::clock::{day, instant};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::{EventKind, To};
use crate::gate::{Gate, Loaded};
use crate::handover::Step as Taking;
use crate::handover::{
    Alarms, Details, Effect, HOUR, HandoverView, Holder, Kind, Moves, Party, Readiness, SectionReadiness, State, Terms,
    Unfinished, Wrong, is_of_age,
};
use crate::ids::{AgencyId, HandoverId, ItemId};
use crate::ledger::Showing;
use crate::policy::{Act, Consents, Protection, Purpose, Relation, Role};
use crate::store::{About, EpisodeRow, HandoverChange, HandoverRow, Received, Standing, Tie};
use crate::view::{ChildView, Page, Selection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// How far ahead an arrival can be expected, in microseconds: a year.
const FURTHEST: i64 = 366 * 24 * 3_600_000_000;
/// What a withdrawal waits for when the child has left.
const ACCOUNTED_FOR: &str = "a missing episode since the departure, or a home that the child stays with";
/// The rule by which nothing is kept that tells where the child is.
const PROTECTED_REGISTRATION: &str = "protected-registration";
/// Why a handover was refused, withdrawn or not completed.
const REASON: FieldKind = FieldKind::Text(1000);

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

/// What a step gives: the child, if the caller may know of it then, and the handover.
type Shown = (Option<ChildView>, Option<HandoverView>);

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

/// What a step rests on, read before anything is written.
struct Opened {
    row: HandoverRow,
    party: Party,
    ties: Vec<Tie>,
}

/// Whether a child that is on its way has been heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
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
    /// the departure or the acceptance; `REQUIRED` and `DATE_ORDER` for an overdue child that is expected anew without a reason, or late. [`Error::NotFound`] alike for a handover that never was and one that is not the caller's.
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

    /// Checks all that is told of a new handover. Everything that is wrong is told at once.
    async fn read_new(&self, new: &NewHandover) -> Result<(AgencyId, Details), Error> {
        let terms = new.kind.terms();
        let mut refusals = Vec::new();
        refusals.extend(self.expected(new.expected_at));
        let details = Details::read(&new.details, terms.required).unwrap_or_else(|more| {
            refusals.extend(more);
            Details::default()
        });
        let to = match new.to.parse::<AgencyId>() {
            Ok(to) => self.agency_of(to, terms.receivers, &["toAgencyId"]).await,
            Err(_) => Err(Error::refused_for(ErrorCode::InvalidId, ["toAgencyId"], AgencyId::PREFIX)),
        };
        match to {
            Ok(to) if refusals.is_empty() => Ok((to, details)),
            Ok(_) => Err(Error::Refused(refusals)),
            Err(Error::Refused(more)) => Err(Error::Refused(more.into_iter().chain(refusals).collect())),
            Err(other) => Err(other),
        }
    }

    /// An assignment as the handover that it proposes.
    fn read_assignment(&self, assignment: &Assignment) -> Result<NewHandover, Error> {
        let Assignment { municipality, to, decision_number, decided_on, expected_at, urgent, details } = assignment;
        if !Code::Municipality.contains(municipality) {
            return Err(Error::refused_for(ErrorCode::UnknownCode, ["municipality"], "MunicipalityCode"));
        }
        let boards: Vec<AgencyId> = self
            .hub
            .agencies()
            .into_iter()
            .filter(|agency| agency.kind == AgencyKind::SocialServices)
            .filter(|agency| agency.municipality.as_ref() == Some(municipality))
            .map(|agency| agency.id)
            .collect();
        let to = match (to, boards.as_slice()) {
            (Some(to), _) if to.parse().is_ok_and(|to: AgencyId| !boards.contains(&to)) => {
                return Err(Error::refused_for(ErrorCode::AgencyKind, ["toAgencyId"], "a board of the municipality"));
            }
            (Some(to), _) => to.clone(),
            (None, [only]) => only.to_string(),
            (None, []) => return Err(Error::refused(ErrorCode::UnknownAgency, ["municipality"])),
            (None, _) => return Err(Error::refused(ErrorCode::Required, ["toAgencyId"])),
        };
        let mut details = details.clone();
        details.insert("decisionNumber".to_owned(), Json::from(decision_number.as_str()));
        details.insert("decidedOn".to_owned(), decided_on.clone());
        Ok(NewHandover { kind: Kind::Assignment, to, expected_at: *expected_at, urgent: *urgent, details })
    }

    fn read_taken(&self, step: Taking, taken: &Taken) -> Result<Option<String>, Error> {
        let mut refusals = Vec::new();
        let reason = taken.reason.as_deref().map(|reason| REASON.read(&Json::from(reason))).transpose();
        let reason = reason.unwrap_or_else(|(_, invalid)| {
            refusals.push(Refusal::of_value(vec!["reason".to_owned()], invalid));
            None
        });
        refusals.extend(taken.expected_at.and_then(|at| self.expected(at)));
        if let (Some(at), Some(argument)) = (taken.at, instant_of(step))
            && at > self.now
        {
            refusals.push(Refusal::at(ErrorCode::DateOrder, [argument]).expecting("now or earlier"));
        }
        match (refusals.is_empty(), reason) {
            (false, _) => Err(Error::Refused(refusals)),
            (true, Some(Value::Text(reason))) => Ok(Some(reason)),
            (true, _) => Ok(None),
        }
    }

    /// What is wrong with an expected arrival.
    fn expected(&self, at: i64) -> Option<Refusal> {
        let fits = at > self.now && at <= self.now.saturating_add(FURTHEST);
        let refused = || Refusal::at(ErrorCode::DateOrder, ["expectedAt"]).expecting("ahead of now, at most a year");
        (!fits).then(refused)
    }

    /// From whom it goes, if it is the caller's to give. Who may propose at all the policy has said.
    ///
    /// Where the responsible board does not lead, it gives the case to any board, also to the one that leads and then answers for
    /// both; the lead gives it to the responsible board, and to no other.
    fn giver(&self, work: &Work<'_>, terms: &Terms, ties: &[Tie], to: AgencyId) -> Result<AgencyId, Error> {
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
    async fn free_to_move(&self, work: &Work<'_>, kind: Kind, from: AgencyId, to: AgencyId) -> Result<(), Error> {
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
    async fn of_age(&self, work: &Work<'_>, kind: Kind, arrival: i64, argument: &str) -> Result<(), Error> {
        if !kind.terms().adults {
            return Ok(());
        }
        let shown = FieldId::by_path("identity.birthDate").is_some_and(|id| work.gate.shows(id, None));
        let born = if shown { self.reader().await?.birth_date(work.child()).await? } else { None };
        let fits = born.is_some_and(|born| is_of_age(born, self.today(), day(arrival)));
        fits.then_some(()).ok_or_else(|| Error::refused(ErrorCode::NotOfAge, [argument]))
    }

    fn offer(
        &self,
        id: Uuid,
        work: &Work<'_>,
        new: &NewHandover,
        (from, to): (AgencyId, AgencyId),
        details: Details,
    ) -> HandoverRow {
        HandoverRow {
            id,
            child: work.child(),
            kind: new.kind,
            state: State::Offered,
            from,
            to,
            proposer: self.caller.agency.id,
            proposed_at: self.now,
            proposed_by: self.caller.user.clone(),
            expected_at: new.expected_at,
            urgent: new.urgent,
            details,
            accepted_at: None,
            departed_at: None,
            arrived_at: None,
            overdue_at: None,
            ended_at: None,
            reason: None,
            receipt: None,
        }
    }

    async fn write_offer(&self, work: &mut Work<'_>, kind: EventKind, row: HandoverRow) -> Result<(), Error> {
        let terms = row.kind.terms();
        let items = match terms.moment {
            Some(moment) => self.items_for(work, About::Handover, row.id, moment).await?,
            None => Vec::new(),
        };
        Self::set_deadlines(work, &row, row.expected_at, self.hub.alarms.of(row.kind))?;
        self.put_items(work, &items)?;
        work.write.event(kind, FieldSet::EMPTY, Some(row.id), To::both(row.from, row.to));
        self.tell_flag(work, &[row.id]).await?;
        work.write.insert_handover(row);
        Ok(())
    }

    /// Whoever reads only whether a handover is under way hears of the first that begins and of the last that ends: as of a
    /// change of the section, and not how it ended.
    async fn tell_flag(&self, work: &mut Work<'_>, changed: &[Uuid]) -> Result<(), Error> {
        for moves in Moves::ALL {
            let open = self.reader().await?.open_handover(work.child(), moves).await?;
            if open.is_some_and(|row| !changed.contains(&row.id)) {
                return Ok(());
            }
        }
        work.write.flags(Section::Handovers.field("open").into_iter());
        Ok(())
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

    /// Whether a step comes in time, and its instant fits those before it.
    fn in_time(&self, opened: &Opened, step: Taking, taken: &Taken) -> Result<(), Error> {
        let row = &opened.row;
        if step == Taking::Accept && row.expected_at <= self.now {
            let next = next_of(row, opened.party).into_iter().filter(|next| *next != step.mutation());
            return Err(Error::Refused(vec![Refusal::in_state(["handoverId"], row.state.code(), next)]));
        }
        let earliest = match step {
            Taking::Depart => Some(row.proposed_at),
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
    async fn silence(&self, work: &Work<'_>, opened: &Opened) -> Result<Silence, Error> {
        let Opened { row, ties, .. } = opened;
        let is_late = row.overdue_at.is_some() || row.expected_at <= self.now || row.state == State::NotArrived;
        let is_on_its_way = row.kind.terms().travels && row.state != State::Offered;
        let since = row.departed_at.or(row.accepted_at).filter(|_| is_on_its_way);
        let Some(since) = since.filter(|_| is_late || row.departed_at.is_some()) else { return Ok(Silence::None) };
        let is_there = |tie: &Tie| tie.kind == "WHEREABOUTS" && tie.closed_at.is_none() && tie.opened_at >= since;
        let mut is_told = work.gate.shows_path("placement.unitAgency") && ties.iter().any(is_there);
        if !is_told && work.gate.shows_path("missing.status") {
            let is_of_now =
                |episode: &EpisodeRow| episode.state.is_open() || episode.found_at.is_some_and(|found| found >= since);
            is_told = self.reader().await?.episodes(work.child()).await?.iter().any(is_of_now);
        }
        Ok(match (is_told, is_late) {
            (true, true) => Silence::Broken,
            (true, false) => Silence::None,
            (false, true) => Silence::Unbroken,
            (false, false) => Silence::Coming,
        })
    }

    /// Refuses steps that would end an alarm while nobody knows where the child is. Who has left is not withdrawn then; and who is
    /// overdue is expected anew with a reason, and soon.
    fn breaks_no_silence(&self, opened: &Opened, step: Taking, silence: Silence, taken: &Taken) -> Result<(), Error> {
        let row = &opened.row;
        let is_unaccounted = matches!(silence, Silence::Coming | Silence::Unbroken);
        if step == Taking::Withdraw && is_unaccounted && row.departed_at.is_some() {
            let next = next_of(row, opened.party).into_iter().filter(|next| *next != step.mutation());
            let refusal = Refusal::in_state(["handoverId"], row.state.code(), next);
            return Err(Error::Refused(vec![refusal.expecting(ACCOUNTED_FOR)]));
        }
        if step != Taking::Reschedule || !matches!(silence, Silence::Broken | Silence::Unbroken) {
            return Ok(());
        }
        let within = row.kind.terms().anew_within;
        let too_late = silence == Silence::Unbroken && taken.expected_at.is_some_and(|at| at > self.now + within);
        let no_reason = taken.reason.is_none().then(|| Refusal::at(ErrorCode::Required, ["reason"]));
        let expected = || format!("at most {} hours ahead: the child is overdue", within / HOUR);
        let too_late = too_late.then(|| Refusal::at(ErrorCode::DateOrder, ["expectedAt"]).expecting(expected()));
        let refusals: Vec<Refusal> = no_reason.into_iter().chain(too_late).collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
    }

    /// Refuses a departure while items are open that the terms say come before it.
    async fn checked_off(&self, opened: &Opened) -> Result<(), Error> {
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

    /// The sections that the receiver sees once it has confirmed, and their versions.
    async fn receipt(&self, work: &Work<'_>, opened: &Opened) -> Result<Vec<Received>, Error> {
        let Opened { row, ties, .. } = opened;
        let leads = row.kind.terms().moves == Moves::Lead;
        let standing = *work.gate.standing();
        let responsible = open(ties, "RESPONSIBLE").is_some_and(|tie| tie.agency == row.to);
        let standing = Standing {
            relation: if leads || responsible { Relation::Responsible } else { Relation::Involved },
            lead: if leads { row.to } else { standing.lead },
            break_glass: false,
            ..standing
        };
        let gate = self.gate(standing)?;
        let mut loaded = Loaded::default();
        for section in Section::ALL.into_iter().filter(|section| !section.is_of_protocols()) {
            if section == Section::Identifiers {
                let numbers = self.reader().await?.identifiers(&[row.child], &IdentifierKind::ALL).await?;
                loaded.identifiers.insert(row.child, numbers);
            } else {
                loaded.add(self.reader().await?.section(section, row.child).await?);
            }
        }
        let ends = row.kind.terms().on_arrival.contains(&Effect::ResponsibleEnds);
        let responsible = open(ties, "RESPONSIBLE").filter(|_| !ends);
        loaded.responsible.extend(responsible.map(|tie| (row.child, tie.agency)));
        // What protocols write is no part of what is handed over: the handover itself is.
        let seen = Section::ALL.into_iter().filter(|section| !section.is_of_protocols());
        let seen = seen.filter(|section| !gate.may_show(*section).is_empty());
        Ok(seen.map(|section| Received::new(section, gate.version(section, &loaded))).collect())
    }

    /// Writes all that comes of a step.
    fn write_step(
        &self,
        work: &mut Work<'_>,
        opened: &Opened,
        step: Taking,
        change: HandoverChange,
    ) -> Result<(), Error> {
        let Opened { row, ties, .. } = opened;
        let terms = row.kind.terms();
        let effects = match step {
            Taking::Accept => terms.on_acceptance,
            Taking::Arrive => terms.on_arrival,
            _ => &[],
        };
        if step == Taking::Accept {
            work.write.open_involvement(self.hub.dice.id(), row.to, "RECEIVING", self.now);
        }
        if step.ends() {
            work.write.close_tie(row.to, "RECEIVING", self.now);
        }
        self.move_ties(work, ties, (row.from, row.to), effects, terms.stay);
        let given_back = given_back(row, ties).filter(|_| step == Taking::Withdraw);
        if let Some((effect, before)) = given_back {
            self.move_ties(work, ties, (row.to, before), &[effect], &[]);
        }
        match (step, change.expected_at) {
            (Taking::Reschedule, Some(expected_at)) if change.is_awaited => {
                Self::set_deadlines(work, row, expected_at, self.hub.alarms.of(row.kind))?
            }
            // It stays overdue, and the alarms that the first expectation set go on.
            (Taking::Reschedule, Some(expected_at)) => {
                work.write.overdue(row.id, self.now);
                Self::prolong_deadlines(work, row, expected_at, self.hub.alarms.of(row.kind))?;
            }
            (step, _) if step.ends() => work.write.cancel_deadlines(row.id, self.now),
            _ => {}
        }
        // Each party hears of it, also the receiver that may not know the child.
        work.write.event(event_of(step), FieldSet::EMPTY, Some(row.id), To::both(row.from, row.to));
        work.write.change_handover(row.id, change);
        let back = given_back.map(|(effect, _)| effect);
        work.note(step.mutation(), moved(effects) | moved(back.as_slice()));
        Ok(())
    }

    /// Ends what the child was on its way by, when its missing episode is closed and nobody awaits it any more: the receiver is
    /// none then, and the lead stays where it is. What legal responsibility has moved at an acceptance stays moved.
    pub(super) async fn settle_handovers(&self, work: &mut Work<'_>, was_found: bool) -> Result<(), Error> {
        let mut ended = Vec::new();
        for moves in Moves::ALL {
            let open = self.reader().await?.open_handover(work.child(), moves).await?;
            let Some(row) = open else { continue };
            let is_awaited = row.expected_at > self.now;
            let Some(state) = row.state.after_episode(was_found, is_awaited, row.kind.terms().travels) else {
                continue;
            };
            work.write.close_tie(row.to, "RECEIVING", self.now);
            work.write.cancel_deadlines(row.id, self.now);
            let change = HandoverChange { state: Some(state), ended_at: Some(self.now), ..HandoverChange::default() };
            work.write.change_handover(row.id, change);
            work.write.event_besides(event_of(Taking::Close), Some(row.id), To::both(row.from, row.to));
            ended.push(row.id);
        }
        if ended.is_empty() { Ok(()) } else { self.tell_flag(work, &ended).await }
    }

    fn set_deadlines(work: &mut Work<'_>, row: &HandoverRow, expected_at: i64, alarms: Alarms) -> Result<(), Error> {
        let Alarms { county, episode } = alarms;
        let steps = [("OVERDUE", expected_at), ("COUNTY", expected_at + county), ("EPISODE", expected_at + episode)];
        for (step, due_at) in steps {
            work.write.set_deadline("HANDOVER", row.id, step, due_at)?;
        }
        Ok(())
    }

    /// Sets anew what has fired, besides the next expected arrival; what has not comes when it was to.
    fn prolong_deadlines(
        work: &mut Work<'_>,
        row: &HandoverRow,
        expected_at: i64,
        alarms: Alarms,
    ) -> Result<(), Error> {
        let Alarms { county, episode } = alarms;
        work.write.set_deadline("HANDOVER", row.id, "OVERDUE", expected_at)?;
        for (step, due_at) in [("COUNTY", expected_at + county), ("EPISODE", expected_at + episode)] {
            work.write.set_fired_deadline("HANDOVER", row.id, step, due_at)?;
        }
        Ok(())
    }

    /// Moves what moves. Every tie ends where the next begins, also where the clock stood still or went back in between.
    fn move_ties(
        &self,
        work: &mut Work<'_>,
        ties: &[Tie],
        (from, to): (AgencyId, AgencyId),
        effects: &[Effect],
        stay: &[AgencyKind],
    ) {
        let write = &mut work.write;
        let opened = |kind: &str, agency: AgencyId| {
            ties.iter().any(|tie| tie.kind == kind && tie.agency == agency && tie.closed_at.is_none())
        };
        for effect in effects {
            match effect {
                Effect::Lead if opened("LEAD", to) => {}
                Effect::Lead => {
                    let since = open(ties, "LEAD").map_or(self.now, |tie| self.now.max(tie.opened_at + 1));
                    write.move_lead(to, since);
                    let stays = self.hub.agency_kind(from).is_some_and(|kind| stay.contains(&kind));
                    if stays && !opened("INVOLVED", from) {
                        write.open_involvement(self.hub.dice.id(), from, "INVOLVED", self.now);
                    }
                }
                Effect::Responsible if opened("RESPONSIBLE", to) => {}
                Effect::Responsible | Effect::ResponsibleEnds => {
                    let before = ties.iter().filter(|tie| tie.kind == "RESPONSIBLE");
                    let before = before.map(|tie| tie.closed_at.unwrap_or(tie.opened_at + 1)).max();
                    let at = before.map_or(self.now, |before| self.now.max(before));
                    write.close_involvements("RESPONSIBLE", at);
                    if *effect == Effect::Responsible {
                        write.open_involvement(self.hub.dice.id(), to, "RESPONSIBLE", at);
                    }
                }
                Effect::Guardian => {
                    write.close_tie(from, "INVOLVED", self.now);
                    if !opened("INVOLVED", to) {
                        write.open_involvement(self.hub.dice.id(), to, "INVOLVED", self.now);
                    }
                }
                // The placement is the board's to write: who the child stays with is the home's to say.
                Effect::Whereabouts => {
                    write.close_involvements("WHEREABOUTS", self.now);
                    write.open_involvement(self.hub.dice.id(), to, "WHEREABOUTS", self.now);
                }
            }
        }
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

impl Session {
    /// A handover that the caller's agency sends or receives.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] alike for one that never was and one of others; `INVALID_ID`, `PURPOSE_REQUIRED`.
    pub async fn handover(&self, id: &str) -> Result<HandoverView, Error> {
        let result = async {
            self.purpose()?;
            let id = self.handover_id(id)?;
            let row = self.reader().await?.handover(id).await?;
            let gate = match &row {
                Some(row) if self.party_of(row).is_some() => self.gate_of(row.child).await?,
                _ => None,
            };
            match row.zip(gate).and_then(|(row, gate)| self.seen_handover(&row, &gate)) {
                Some(view) => Ok(view),
                None => {
                    self.note(|draft| draft.miss());
                    Err(Error::NotFound)
                }
            }
        };
        self.refused(Box::pin(result).await)
    }

    /// The handovers that the caller's agency sends or receives, latest first.
    ///
    /// # Errors
    ///
    /// `PAGE_SIZE`, `INVALID_CURSOR`, `PURPOSE_REQUIRED`.
    pub async fn handovers(
        &self,
        state: Option<State>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<HandoverView>, Error> {
        let result = async {
            self.purpose()?;
            let size = page_size(first)?;
            let list = format!("handovers|{state:?}");
            let before = after.map(|cursor| self.handover_position(&list, cursor)).transpose()?;
            let kinds = |acts: &dyn Fn(&Terms) -> bool| {
                Kind::ALL.into_iter().filter(|kind| acts(kind.terms())).collect::<Vec<_>>()
            };
            let sent = kinds(&|terms| terms.sends(self.caller.role));
            let received = kinds(&|terms| terms.receives(self.caller.role));
            let own = self.caller.agency.id;
            let limit = size as u64 + 1;
            let mut rows = self.reader().await?.handovers(own, &sent, &received, state, before, limit).await?;
            let has_next = rows.len() > size;
            rows.truncate(size);
            let children: Vec<Uuid> = rows.iter().map(|row| row.child).collect();
            let party = self.party()?;
            let standings = self.reader().await?.standings(party, &children, self.now, self.rests_on_consent()).await?;
            let mut items = Vec::with_capacity(rows.len());
            for row in &rows {
                let Some(standing) = standings.iter().find(|standing| standing.child == row.child) else { continue };
                let Some(view) = self.seen_handover(row, &self.gate(*standing)?) else { continue };
                let position = serde_json::to_vec(&Position(row.proposed_at, row.id)).unwrap_or_default();
                items.push((self.cursor(&list, &position), view));
            }
            Ok(Page { items, has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// What an agency would see of a child by a handover of this kind, by the rules for its role, and which items of the
    /// checklist are open; before the proposal, which ones it would bring. It rests on what the proposer itself is shown: whether the child is protected, and whether the receiver
    /// is responsible already.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for whoever may not propose such a handover; otherwise as [`Step::propose_handover`].
    pub async fn handover_readiness(&self, child: &str, to: &str, kind: Kind) -> Result<Readiness, Error> {
        let result = async {
            let terms = kind.terms();
            self.purpose()?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["toAgencyId"], AgencyId::PREFIX);
            let to = to.parse::<AgencyId>().map_err(wrong)?;
            let gate = self.known_child(child).await?;
            gate.permit(Act::ProposeHandover)?;
            if !terms.proposers.contains(&self.caller.role) {
                return Err(forbidden("handover-terms", None));
            }
            let agency = self.hub.agency(to).await?;
            let agency = agency.ok_or_else(|| Error::refused(ErrorCode::UnknownAgency, ["toAgencyId"]))?;
            let role = agency.kind.roles().first().copied().filter(|role| terms.receives(*role));
            let role = role.ok_or_else(|| {
                let kinds = terms.receivers.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
                Error::refused_for(ErrorCode::AgencyKind, ["toAgencyId"], kinds)
            })?;
            self.may_receive(&gate, to).await?;
            let standing = *gate.standing();
            let ties = self.reader().await?.ties(standing.child).await?;
            // Only what the proposer sees itself may move what it is told here.
            let sees = |path: &str| FieldId::by_path(path).is_some_and(|id| gate.shows(id, None));
            let board = open(&ties, "RESPONSIBLE").map(|tie| tie.agency);
            let board = board.filter(|_| sees("responsibility.responsibleAgency"));
            let responsible = board == Some(to);
            let protection = if sees("protection.level") { standing.protection } else { Protection::None };
            let purpose = self.purpose_of(role)?;
            let eyes = |effects: &[Effect], weakest: Relation| {
                let strong =
                    responsible || effects.iter().any(|effect| matches!(effect, Effect::Lead | Effect::Responsible));
                let relation = if strong { Relation::Responsible } else { weakest };
                let standing =
                    Standing { relation, protection, consents: Consents::NONE, break_glass: false, ..standing };
                sections_of(&Gate::of_other(&self.hub, to, role, purpose, standing))
            };
            let open = self.reader().await?.open_handover(standing.child, terms.moves).await?;
            let unfinished = match open.filter(|row| row.kind == kind && row.to == to) {
                Some(row) => self.begun(terms, row.id).await?,
                None => self.to_be_copied(terms, standing.lead, board).await?,
            };
            self.note(|draft| draft.show(standing.subject, gate.glance()));
            Ok(Readiness {
                kind,
                to,
                purpose,
                on_acceptance: eyes(terms.on_acceptance, Relation::Receiving),
                on_arrival: eyes(terms.on_arrival, Relation::Involved),
                unfinished,
            })
        };
        self.refused(Box::pin(result).await)
    }

    /// The items of a checklist that nobody has done or skipped.
    async fn begun(&self, terms: &Terms, handover: Uuid) -> Result<Vec<Unfinished>, Error> {
        let items = self.reader().await?.unfinished(handover).await?.into_iter();
        Ok(items
            .map(|item| Unfinished {
                id: Some(ItemId(item.id).to_string()),
                mandatory: terms.is_mandatory(&item.key),
                key: item.key,
                actor: item.actor,
                sv: item.sv,
                en: item.en,
            })
            .collect())
    }

    /// The items that a proposal would copy now.
    async fn to_be_copied(
        &self,
        terms: &Terms,
        lead: AgencyId,
        responsible: Option<AgencyId>,
    ) -> Result<Vec<Unfinished>, Error> {
        let Some(moment) = terms.moment else { return Ok(Vec::new()) };
        let routine = self.routine_now(lead, responsible).await?;
        let items = routine.iter().flat_map(|routine| routine.of(moment));
        Ok(items
            .map(|item| Unfinished {
                id: None,
                key: item.key.clone(),
                mandatory: terms.is_mandatory(&item.key),
                actor: item.actor.code().to_owned(),
                sv: item.sv.clone(),
                en: item.en.clone(),
            })
            .collect())
    }

    /// Refuses an agency that is kept from the child. Only to those who decide on that it is told so: to all others it is as one
    /// that the child cannot go to.
    async fn may_receive(&self, gate: &Gate<'_>, to: AgencyId) -> Result<(), Error> {
        if self.reader().await?.open_block(gate.standing().child, to).await?.is_none() {
            return Ok(());
        }
        match gate.permit(Act::BlockParty) {
            Ok(()) => Err(Error::Refused(vec![Refusal::in_state(["toAgencyId"], BLOCKED, ["unblockParty"])])),
            Err(_) => Err(another_agency()),
        }
    }

    /// The purpose that a role is taken to state: the caller's, or protection, or what it may.
    fn purpose_of(&self, role: Role) -> Result<Purpose, Error> {
        let may = |purpose: &Purpose| self.hub.engine.may_declare(role, *purpose);
        let wanted = [self.purpose()?, Purpose::Protect];
        let first = wanted.into_iter().chain(Purpose::ALL.iter().copied()).find(may);
        first.ok_or(Error::Code(ErrorCode::Internal))
    }

    /// What the caller is to a handover, if anything.
    pub(super) fn party_of(&self, row: &HandoverRow) -> Option<Party> {
        let (own, role, terms) = (self.caller.agency.id, self.caller.role, row.kind.terms());
        if row.to == own && terms.receives(role) {
            return Some(Party::To);
        }
        ((row.from == own || row.proposer == own) && terms.sends(role)).then_some(Party::From)
    }

    /// A handover as the caller may see it, which is noted. A party follows one that is under way, and keeps its own part of it: an offer
    /// that it received, an arrival that it confirmed. Where the child went else is told to whom F28 is shown, and free words, which
    /// may tell where it lives, to whom its address is.
    fn seen_handover(&self, row: &HandoverRow, gate: &Gate<'_>) -> Option<HandoverView> {
        let party = self.party_of(row).filter(|_| !gate.standing().blocked)?;
        let knows = gate.knows();
        let own_words = row.state == State::Refused && party == Party::To;
        let shown = gate.of_own_handover();
        let follows = shown.list || party == Party::To || (shown.under_way && !row.state.has_ended());
        let of_time = |at: Option<i64>| at.filter(|_| follows);
        let receipt = row.receipt.iter().flatten().filter(|_| knows && follows);
        let versions = receipt.clone().filter_map(|received| Section::by_name(&received.section)).collect();
        self.note(|draft| draft.decide(gate.standing()));
        self.note(|draft| draft.show(gate.standing().subject, Showing { versions, ..gate.glance() }));
        Some(HandoverView {
            id: HandoverId(row.id).to_string(),
            kind: row.kind,
            state: row.state,
            overdue: !row.state.has_ended() && (row.expected_at <= self.now || row.overdue_at.is_some()),
            urgent: row.urgent,
            from: row.from,
            to: Some(row.to).filter(|_| follows),
            proposed_at: row.proposed_at,
            expected_at: row.expected_at,
            accepted_at: of_time(row.accepted_at),
            departed_at: of_time(row.departed_at),
            arrived_at: of_time(row.arrived_at),
            ended_at: of_time(row.ended_at),
            details: match (follows, knows && shown.free_words) {
                (true, true) => row.details.clone(),
                (true, false) if knows => row.details.placeless(),
                (true, false) => row.details.offered(),
                (false, _) => Details::default(),
            },
            reason: row.reason.clone().filter(|_| (knows && follows && shown.free_words) || own_words),
            receipt: receipt.map(|received| (received.section.clone(), received.version.clone())).collect(),
            child: knows.then(|| self.public_id(row.child)),
            next: next_of(row, party),
        })
    }

    /// What is decided for the caller about a child, known to it or not; none for a child that is not there.
    async fn gate_of(&self, child: Uuid) -> Result<Option<Gate<'_>>, Error> {
        let reader = self.reader().await?;
        let standings = reader.standings(self.party()?, &[child], self.now, self.rests_on_consent()).await?;
        standings.into_iter().next().map(|standing| self.gate(standing)).transpose()
    }

    fn handover_id(&self, text: &str) -> Result<Uuid, Error> {
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["handoverId"], HandoverId::PREFIX);
        text.parse::<HandoverId>().map(|id| id.0).map_err(wrong)
    }

    fn handover_position(&self, list: &str, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(list, cursor)?;
        let wrong = |_| Error::refused(ErrorCode::InvalidCursor, ["after"]);
        let Position(at, id) = serde_json::from_slice(&position).map_err(wrong)?;
        Ok((at, id))
    }
}

/// Refuses words that may tell where a child with a protected registration is: as its address, they are not kept.
fn tells_no_place(work: &Work<'_>, details: &Details) -> Result<(), Error> {
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
fn open<'t>(ties: &'t [Tie], kind: &str) -> Option<&'t Tie> {
    ties.iter().find(|tie| tie.kind == kind && tie.closed_at.is_none())
}

/// What a withdrawal gives back: the legal responsibility that moved at the acceptance, to whoever had it before, if anybody had.
fn given_back(row: &HandoverRow, ties: &[Tie]) -> Option<(Effect, AgencyId)> {
    let accepted = row.accepted_at.filter(|_| row.kind.terms().on_acceptance.contains(&Effect::Responsible))?;
    let moved = open(ties, "RESPONSIBLE").filter(|tie| tie.agency == row.to && tie.opened_at >= accepted)?;
    let before = ties.iter().find(|tie| tie.kind == "RESPONSIBLE" && tie.closed_at == Some(moved.opened_at));
    Some(before.map_or((Effect::ResponsibleEnds, row.to), |tie| (Effect::Responsible, tie.agency)))
}

/// The mutations that a party can go on with.
fn next_of(row: &HandoverRow, party: Party) -> Vec<&'static str> {
    row.state.next(party, row.kind.terms().travels).map(Taking::mutation).collect()
}

/// A refusal by a rule of the protocol, with the state and the steps that are possible where there is one.
fn forbidden(rule: &str, state: Option<(State, Vec<&'static str>)>) -> Error {
    let path: [&str; 0] = [];
    let refusal = match state {
        Some((state, next)) => Refusal::in_state(["handoverId"], state.code(), next),
        None => Refusal::at(ErrorCode::Forbidden, path),
    };
    Error::Refused(vec![Refusal { code: ErrorCode::Forbidden, rule: Some(rule.to_owned()), ..refusal }])
}

/// The argument that says when something happened.
const fn instant_of(step: Taking) -> Option<&'static str> {
    match step {
        Taking::Depart => Some("departedAt"),
        Taking::Arrive => Some("arrivedAt"),
        _ => None,
    }
}

/// The guarded fields that follow what moves.
fn moved(effects: &[Effect]) -> FieldSet {
    let path = |effect: &Effect| match effect {
        Effect::Lead => FieldId::by_path("responsibility.leadAgency"),
        Effect::Responsible | Effect::ResponsibleEnds => FieldId::by_path("responsibility.responsibleAgency"),
        Effect::Guardian | Effect::Whereabouts => None,
    };
    effects.iter().filter_map(path).collect()
}

/// F25, as the decision says.
fn decided(assignment: &Assignment) -> Result<Changes, Error> {
    let given = [
        ("assignedMunicipality", Json::from(assignment.municipality.as_str())),
        ("assignmentDecision", Json::from(assignment.decision_number.as_str())),
        ("assignedOn", assignment.decided_on.clone()),
    ];
    let read = |(name, input): (&str, Json)| {
        let id = Section::Responsibility.field(name).ok_or(Error::Code(ErrorCode::Internal))?;
        let refused = |(_, invalid)| Error::Refused(vec![Refusal::of_value(vec![argument(id).to_owned()], invalid)]);
        Ok((id, Some(id.field().kind.read(&input).map_err(refused)?)))
    };
    let mut changes = given.into_iter().map(read).collect::<Result<Changes, Error>>()?;
    changes.sort_by_key(|(id, _)| *id);
    Ok(changes)
}

/// The argument of `assignMunicipality` that a field comes from.
fn argument(id: FieldId) -> &'static str {
    match id.field().name {
        "assignedMunicipality" => "municipality",
        "assignmentDecision" => "decisionNumber",
        _ => "decidedOn",
    }
}

fn sections_of(gate: &Gate<'_>) -> Vec<SectionReadiness> {
    let decisions = gate.decisions(None);
    let of = |section: Section| {
        let withheld = decisions.withheld() & section.field_set();
        SectionReadiness {
            section,
            visible: (decisions.shown & section.field_set()).iter().collect(),
            withheld: withheld.iter().map(|id| (id, decisions.read_rule(id))).collect(),
        }
    };
    Section::ALL.into_iter().map(of).collect()
}

const fn event_of(step: Taking) -> EventKind {
    match step {
        Taking::Accept => EventKind::HandoverAccepted,
        Taking::Refuse => EventKind::HandoverRefused,
        Taking::Withdraw => EventKind::HandoverWithdrawn,
        Taking::Depart => EventKind::HandoverDeparted,
        Taking::Arrive => EventKind::HandoverArrived,
        Taking::ReportNotArrived => EventKind::HandoverNotArrived,
        Taking::Reschedule => EventKind::HandoverRescheduled,
        Taking::Close => EventKind::HandoverClosed,
    }
}
