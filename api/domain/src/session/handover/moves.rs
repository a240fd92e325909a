//! What a step of a handover moves, and what it sets: the ties of the child, its deadlines, its checklist, its receipt.

use super::rules::open;
use super::{NewHandover, Opened};
use crate::agency::AgencyKind;
use crate::catalogue::{FieldId, FieldSet, IdentifierKind, Section};
use crate::error::Error;
use crate::feed::{EventKind, To};
use crate::gate::Loaded;
use crate::handover::Step as Taking;
use crate::handover::{Alarms, Details, Effect, Moves, State};
use crate::ids::AgencyId;
use crate::policy::Relation;
use crate::session::change::Work;
use crate::session::step::Step;
use crate::store::{About, EpisodeRow, HandoverChange, HandoverRow, Received, Standing, Tie};
use uuid::Uuid;

impl<'s> Step<'s> {
    pub(super) fn offer(
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

    pub(super) async fn write_offer(
        &self,
        work: &mut Work<'_>,
        kind: EventKind,
        row: HandoverRow,
    ) -> Result<(), Error> {
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
    pub(super) async fn tell_flag(&self, work: &mut Work<'_>, changed: &[Uuid]) -> Result<(), Error> {
        for moves in Moves::ALL {
            let open = self.reader().await?.open_handover(work.child(), moves).await?;
            if open.is_some_and(|row| !changed.contains(&row.id)) {
                return Ok(());
            }
        }
        work.write.flags(Section::Handovers.field("open").into_iter());
        Ok(())
    }

    /// The sections that the receiver sees once it has confirmed, and their versions.
    pub(super) async fn receipt(&self, work: &Work<'_>, opened: &Opened) -> Result<Vec<Received>, Error> {
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
    pub(super) fn write_step(
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
    /// none then, and the lead stays where it is. What legal responsibility has moved at an acceptance stays moved. A child that
    /// was found before it left is not the one that was missing: its handover goes on, with its alarms.
    pub(in crate::session) async fn settle_handovers(
        &self,
        work: &mut Work<'_>,
        episode: &EpisodeRow,
    ) -> Result<(), Error> {
        let (was_found, found_at) = (episode.located_at.is_some(), episode.found_at.or(episode.located_at));
        let mut ended = Vec::new();
        for moves in Moves::ALL {
            let open = self.reader().await?.open_handover(work.child(), moves).await?;
            let left_at = |row: &HandoverRow| row.departed_at.or(row.accepted_at).unwrap_or(row.proposed_at);
            let Some(row) = open.filter(|row| found_at.is_none_or(|found| found >= left_at(row))) else { continue };
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
    pub(super) fn move_ties(
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
}

/// What a withdrawal gives back: the legal responsibility that moved at the acceptance, to whoever had it before, if anybody had.
fn given_back(row: &HandoverRow, ties: &[Tie]) -> Option<(Effect, AgencyId)> {
    let accepted = row.accepted_at.filter(|_| row.kind.terms().on_acceptance.contains(&Effect::Responsible))?;
    let moved = open(ties, "RESPONSIBLE").filter(|tie| tie.agency == row.to && tie.opened_at >= accepted)?;
    let before = ties.iter().find(|tie| tie.kind == "RESPONSIBLE" && tie.closed_at == Some(moved.opened_at));
    Some(before.map_or((Effect::ResponsibleEnds, row.to), |tie| (Effect::Responsible, tie.agency)))
}

/// The guarded fields that follow what moves.
pub(super) fn moved(effects: &[Effect]) -> FieldSet {
    let path = |effect: &Effect| match effect {
        Effect::Lead => FieldId::by_path("responsibility.leadAgency"),
        Effect::Responsible | Effect::ResponsibleEnds => FieldId::by_path("responsibility.responsibleAgency"),
        Effect::Guardian | Effect::Whereabouts => None,
    };
    effects.iter().filter_map(path).collect()
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
