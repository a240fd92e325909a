//! Deciding on a change of a child, and making it: read, decide, make it if the child is still as it was read; else all of it
//! again. Nothing is locked while a decision is taken, and no decision counts that rests on what is no more.

use super::read::plan;
use super::step::{Step, Stop};
use crate::catalogue::{FieldSet, Section};
use crate::error::{Error, ErrorCode};
use crate::gate::{Gate, Loaded};
use crate::ids::AgencyId;
use crate::ledger::IN_FORCE_WITHIN;
use crate::store::{Asked, Found, Plan, Planned, Row, Write};
use crate::view::{ChildView, Selection};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tracing::{Instrument, debug_span};
use uuid::Uuid;

/// How often a change is decided on, where others change the same child meanwhile: through other nodes, for those of one node
/// wait for each other.
const TRIES: usize = 16;
/// How often what is read with a child is guessed, before a snapshot is taken.
const LOOKS: usize = 3;
/// How many children of one node can be changed at once without a chance of waiting for another.
const TURNS: usize = 1024;
/// How long a change waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose turn it is to change a child: writers of one node wait for each other, rather than undo each other's work.
pub(crate) struct Turns {
    held: Vec<Mutex<()>>,
    order: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Turns { held: std::iter::repeat_with(Mutex::default).take(TURNS).collect(), order: RandomState::new() }
    }
}

impl Turns {
    fn of(&self, child: Uuid) -> Result<&Mutex<()>, Error> {
        let place = self.order.hash_one(child) as usize % TURNS;
        self.held.get(place).ok_or(Error::Code(ErrorCode::Internal))
    }

    pub(crate) async fn take(&self, child: Uuid) -> Result<MutexGuard<'_, ()>, Error> {
        let turn = tokio::time::timeout(PATIENCE, self.of(child)?.lock()).await;
        turn.map_err(|_| Error::Code(ErrorCode::Unavailable))
    }
}

/// What is read of a child before a change of it is decided on.
#[derive(Clone, Copy)]
pub(super) enum Reading<'a> {
    /// A section, and what the caller is shown in the end: in one look, where that can be.
    Section(Section, &'a Selection),
    /// What the decision asks for, in one snapshot.
    Several,
}

/// Whose change of a child is decided on at all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Admits {
    /// Whoever may know of the child.
    Knowing,
    /// Whoever may come to know of it by the change: the decision says who that is.
    Anyone,
}

/// A change of one child while it is decided on: what was read, what the caller may do, and what is to be made.
pub(super) struct Work<'a> {
    pub(super) write: Write,
    pub(super) gate: Gate<'a>,
    /// What was read of the child, and what is written to it.
    pub(super) loaded: Loaded,
    /// Which agency suggested what is written now, where one did.
    pub(super) suggested_by: Option<AgencyId>,
    /// Where the change was made, and changes who may see the child: from when no answer that was decided before leaves any
    /// node, in microseconds since 1970.
    pub(super) in_force_at: Option<i64>,
    /// Nothing was decided about the child in the request before.
    is_first: bool,
    /// All that the caller is to be shown is in `loaded`, as it will be when the change is made.
    tells_all: bool,
    /// For the access log.
    changes: Vec<(&'static str, FieldSet)>,
}

impl<'s> Step<'s> {
    /// Decides on a change of a child that the caller may know of, and makes it. `decide` is asked again, about the child as it
    /// is then, until the child does not change between its being read and the change. `made` is the id of what the change
    /// makes of its own.
    ///
    /// # Errors
    ///
    /// What `decide` refuses; [`Error::NotFound`]; `UNAVAILABLE` if others change the child all the time.
    pub(super) async fn decide<D>(
        &self,
        child: &str,
        made: Uuid,
        reading: Reading<'_>,
        decide: impl Fn(Work<'s>) -> D,
    ) -> Result<Work<'s>, Stop>
    where
        D: Future<Output = Result<Work<'s>, Error>>,
    {
        self.purpose()?;
        let child = match self.child_id(child) {
            Err(Error::NotFound) => Uuid::nil(),
            Err(Error::Refused(_)) => return Err(Error::refused_for(ErrorCode::InvalidId, ["childId"], "child").into()),
            other => other?,
        };
        self.decide_on(child, made, reading, Admits::Knowing, decide).await
    }

    /// The same of a child by the hub's own id, for whoever is admitted.
    pub(super) async fn decide_on<D>(
        &self,
        child: Uuid,
        made: Uuid,
        reading: Reading<'_>,
        admits: Admits,
        decide: impl Fn(Work<'s>) -> D,
    ) -> Result<Work<'s>, Stop>
    where
        D: Future<Output = Result<Work<'s>, Error>>,
    {
        self.purpose()?;
        let claim = self.claim(child, made);
        let mut turn = None;
        for _ in 0..TRIES {
            self.forget().await?;
            self.stop_if_done(claim.as_ref()).await?;
            let decided = match self.open(child, reading, admits, &mut turn).await {
                // What decides is large, and has several others under it.
                Ok(work) => Box::pin(decide(work)).await,
                Err(error) => Err(error),
            };
            let mut work = match decided {
                Ok(work) => work,
                Err(error) => {
                    // It may be refused for what the same request has just done.
                    self.stop_if_done(claim.as_ref()).await?;
                    return Err(error.into());
                }
            };
            self.forget().await?;
            let is_guarded = work.write.is_guarded();
            let done = self.make(work.write.take(), claim.as_ref()).await;
            // What cannot be known of is told as if it were done.
            if !matches!(done, Ok(false) | Err(Stop::Done(..) | Stop::Refused(Error::Code(_)))) {
                let subject = work.gate.standing().subject;
                self.note(|draft| {
                    work.changes.drain(..).for_each(|(what, fields)| draft.change(subject, what, fields))
                });
            }
            if done? {
                if is_guarded {
                    self.note(|draft| draft.decide_anew(work.gate.standing()));
                    work.in_force_at = Some(self.hub.clock.now().saturating_add(IN_FORCE_WITHIN));
                }
                return Ok(work);
            }
            if work.is_first {
                self.note(|draft| draft.undecide(work.child()));
            }
        }
        Err(Error::Code(ErrorCode::Unavailable).into())
    }

    /// Reads a child that the caller may know of, and takes the turn to change it; a miss is noted.
    async fn open(
        &self,
        child: Uuid,
        reading: Reading<'_>,
        admits: Admits,
        turn: &mut Option<MutexGuard<'s, ()>>,
    ) -> Result<Work<'s>, Error> {
        if let Reading::Section(section, selection) = reading
            && !self.rests_on_consent()
            && let Some(work) = self.open_at_a_look(child, section, selection, turn).await?
        {
            return Ok(work);
        }
        let work = self.open_in_a_snapshot(child, admits, turn).await?;
        match reading {
            Reading::Section(section, _) => self.and(work, section).await,
            Reading::Several => Ok(work),
        }
    }

    /// As [`super::Session::child`] does: the statement that reads the section tells what the caller is to the child, too,
    /// and counts only if that is what it was guessed to be. Whoever may not know of the child, and did not when it last
    /// asked, never waits for those who change it.
    async fn open_at_a_look(
        &self,
        child: Uuid,
        section: Section,
        selection: &Selection,
        turn: &mut Option<MutexGuard<'s, ()>>,
    ) -> Result<Option<Work<'s>>, Error> {
        let hub = &self.session().hub;
        let (agency, party) = (self.caller.agency.id, self.party()?);
        let tells_all = self.fits_a_look(selection);
        let mut guess = hub.recent.get(&(agency, child));
        for _ in 0..LOOKS {
            let planned = guess.map(|standing| self.session().gate(standing)).transpose()?.filter(Gate::knows);
            if planned.is_some() && turn.is_none() {
                *turn = Some(hub.turns.take(child).await?);
            }
            let plan = planned.map(|gate| plan_with(section, &gate, selection, tells_all)).unwrap_or_default();
            let span = match guess {
                Some(_) => debug_span!("read", count = 1),
                None => debug_span!("standing", count = 1),
            };
            let look = hub.store.look(party, Asked::Id(child), &plan, self.now);
            let (found, read) = look.instrument(span).await?;
            let (gate, sequence) = self.admitted_one(found.first().copied(), Admits::Knowing)?;
            let standing = *gate.standing();
            hub.recent.insert((agency, child), standing);
            if guess == Some(standing) {
                let mut work = self.work(sequence, gate);
                work.loaded.add(read);
                work.tells_all = tells_all;
                return Ok(Some(work));
            }
            guess = Some(standing);
        }
        Ok(None)
    }

    async fn open_in_a_snapshot(
        &self,
        child: Uuid,
        admits: Admits,
        turn: &mut Option<MutexGuard<'s, ()>>,
    ) -> Result<Work<'s>, Error> {
        let hub = &self.session().hub;
        loop {
            let reader = self.reader().await?;
            let found = reader.found(self.party()?, child, self.now, self.rests_on_consent());
            let found = found.instrument(debug_span!("standing", count = 1)).await?;
            drop(reader);
            let (gate, sequence) = self.admitted_one(found, admits)?;
            if turn.is_none() {
                *turn = hub.turns.of(child)?.try_lock().ok();
            }
            if turn.is_some() {
                return Ok(self.work(sequence, gate));
            }
            // Nobody holds a connection while waiting.
            self.forget().await?;
            *turn = Some(hub.turns.take(child).await?);
        }
    }

    /// A change of a child that had changed so often: all of it follows from how the child stood.
    fn work(&self, sequence: i64, gate: Gate<'s>) -> Work<'s> {
        let write = Write::of(&self.hub.store, gate.standing().child, sequence, self.now);
        let is_first = self.note(|draft| draft.decide(gate.standing()));
        Work::new(write, gate, is_first)
    }

    /// Reads a section, too. It counts only if the child does not change before the change is made, as all that is read.
    pub(super) async fn and(&self, mut work: Work<'s>, section: Section) -> Result<Work<'s>, Error> {
        let read = self.reader().await?.section(section, work.child()).await?;
        work.loaded.rows.remove(&(section, work.child()));
        work.loaded.add(read);
        Ok(work)
    }

    /// The gate on a child that was found, if the caller is admitted to it; a miss is noted.
    fn admitted_one(&self, found: Option<Found>, admits: Admits) -> Result<(Gate<'s>, i64), Error> {
        let _span = debug_span!("decide", count = 1).entered();
        let gate = found.map(|found| self.session().gate(found.standing)).transpose()?;
        let gate = gate.filter(|gate| admits == Admits::Anyone || gate.knows());
        if let (None, Some(found)) = (&gate, &found) {
            self.signal(&found.standing);
        }
        gate.zip(found.map(|found| found.sequence)).ok_or_else(|| {
            self.note(|draft| draft.miss());
            Error::NotFound
        })
    }

    /// Shows the child as it is after a change that was made.
    pub(super) async fn finish(&self, work: Work<'s>, selection: &Selection) -> Result<ChildView, Stop> {
        let Work { gate, loaded, tells_all, in_force_at, .. } = work;
        if tells_all {
            let _span = debug_span!("reveal", count = 1).entered();
            return Ok(self.show(&gate, selection, &loaded));
        }
        let view = self.child(&self.public_id(gate.standing().child), selection).await?;
        Ok(ChildView { in_force_at, ..view })
    }
}

/// A whole section, and what else the caller is to be shown.
fn plan_with(section: Section, gate: &Gate<'_>, selection: &Selection, with_selection: bool) -> Plan {
    let mut plan = if with_selection { plan(std::slice::from_ref(gate), selection).rest } else { Plan::default() };
    plan.sections.retain(|planned| planned.section != section);
    plan.sections.push(Planned::whole(section));
    plan.responsible |= section == Section::Responsibility;
    plan
}

impl<'a> Work<'a> {
    fn new(write: Write, gate: Gate<'a>, is_first: bool) -> Self {
        let (loaded, changes) = (Loaded::default(), Vec::new());
        Work { write, gate, loaded, suggested_by: None, in_force_at: None, is_first, tells_all: false, changes }
    }

    pub(super) fn child(&self) -> Uuid {
        self.gate.standing().child
    }

    /// Notes what is changed, for the access log.
    pub(super) fn note(&mut self, what: &'static str, fields: FieldSet) {
        self.changes.push((what, fields));
    }

    /// From here on more changes than a row of a section: the caller is shown what is read anew.
    pub(super) fn moves_more(&mut self) {
        self.tells_all = false;
    }

    /// Puts the row of a section as it is written in the place of what was read of it.
    pub(super) fn put(&mut self, section: Section, row: Row) {
        self.loaded.rows.insert((section, self.child()), vec![row]);
    }
}
