//! Missing episodes: who reports, who searches, who finds, and when it ends.

mod inputs;
mod view;
mod write;

pub(super) use inputs::Inputs;
pub(super) use view::{conflict, permit_to_know};
pub(super) use write::sighting_json;

use super::change::{Reading, Work};
use super::step::{Step, Stop};
use crate::catalogue::{FieldSet, Section};
use crate::clock::day;
use crate::episode::{FollowUp, POLICE_REPORT_WITHIN, RETURN_TALK_WITHIN, State, Step as Move, may_close};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::Gate;
use crate::ids::{AgencyId, EpisodeId};
use crate::policy::Role;
use crate::routine::Moment;
use crate::store::{About, EpisodeRow, NewSighting, Tie};
use crate::view::{ChildView, EpisodeAnswer, Selection};
use chrono::NaiveDate;
use inputs::{LINE, NUMBER_FORM, PROSE, is_police_number};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;
use view::{not_from, unclosed};
use write::flags;

/// A disappearance as it is reported.
#[derive(Clone, Debug)]
pub struct NewEpisode {
    /// Microseconds since 1970.
    pub last_seen_at: i64,
    pub last_seen_place: Option<String>,
    pub circumstances: Option<String>,
    /// What the child wore.
    pub clothing: Option<String>,
    /// Nobody has told the police yet.
    pub suspected: bool,
    /// The police agency that is to search.
    pub police_agency: Option<String>,
}

/// What the police gave when the report was made.
#[derive(Clone, Debug, Default)]
pub struct PoliceReport {
    /// `NNNN-Kn…n-YY`.
    pub number: Option<String>,
    /// A reference of another form.
    pub reference: Option<String>,
    /// Whom to call.
    pub contact: Option<String>,
    /// The police agency that searches.
    pub police_agency: Option<String>,
}

/// How the search goes; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct SearchUpdate {
    /// F57.
    pub assessment: Option<String>,
    /// F57.
    pub measures: Option<String>,
    /// F56.
    pub wanted_entry: Option<bool>,
}

/// What is asked for of an answer, besides the child.
#[derive(Clone, Copy, Debug, Default)]
pub struct EpisodeSelection {
    pub checklist: bool,
    /// The minimum report to the police.
    pub report: bool,
}

impl<'s> Step<'s> {
    /// Opens an episode: from now on the child counts as missing for every decision. The county's routine becomes a
    /// checklist, and the police agency that is named is involved. The home has the child no more, and is involved. A child
    /// that was found and is gone again is reported as any other: the episode before ends, and the new one is linked to it.
    /// The police who searched search again; their number was of the report before, and a new one is awaited.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with every input that is wrong; `CONFLICT` with the state if the child is missing already;
    /// `FORBIDDEN`, [`Error::NotFound`]. Nothing is opened then.
    pub async fn report_missing(
        &self,
        child: &str,
        new: &NewEpisode,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let made = self.hub.dice.id();
            let mv = if new.suspected { Move::Suspect } else { Move::ReportMissing };
            let (report, police) = &self.read_report(made, new).await?;
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(mv.act())?;
                let mut row = EpisodeRow { child: work.child(), ..report.clone() };
                let reader = self.reader().await?;
                let latest = reader.episodes(work.child()).await?.into_iter().next();
                let before = latest.filter(|row| row.state.is_open());
                let state = before.as_ref().map_or(State::NotMissing, |row| row.state);
                row.state = state.after(mv).ok_or_else(|| conflict(&work.gate, "childId", state))?;
                let ties = reader.ties(work.child()).await?;
                drop(reader);
                let items = self.items_for(&work, About::Episode, made, Moment::Missing).await?;
                match before {
                    None => {
                        self.put_episode(&mut work, None, row, mv);
                        self.lose_whereabouts(&mut work, &ties, None);
                        self.involve(&mut work, *police, &ties);
                    }
                    Some(before) => self.follow_on(&mut work, &before, row, mv, (ties, *police)),
                }
                self.put_items(&mut work, &items)?;
                work.write.set_deadline("EPISODE", made, "POLICE_REPORT", self.now + POLICE_REPORT_WITHIN)?;
                Ok(work)
            };
            let work = self.decide(child, made, Reading::Several, decide).await?;
            self.finish_episode(work, made, selection).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Records the police's number of the report, and whom to call.
    ///
    /// # Errors
    ///
    /// `INVALID_FORMAT` for a number of another form, `NOTHING_TO_DO` without number and reference; `CONFLICT` with the state;
    /// `FORBIDDEN`; [`Error::NotFound`] alike for an episode that never was and one of a child the caller may not know.
    pub async fn record_police_report(
        &self,
        id: &str,
        new: &PoliceReport,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let number = inputs.text(&["number"], new.number.as_deref(), LINE);
            if number.as_deref().is_some_and(|number| !is_police_number(number)) {
                inputs.refuse(Refusal::at(ErrorCode::InvalidFormat, ["number"]).expecting(NUMBER_FORM));
            }
            let reference = inputs.text(&["reference"], new.reference.as_deref(), LINE);
            let contact = inputs.text(&["contact"], new.contact.as_deref(), LINE);
            let police = self.named_police(new.police_agency.as_deref(), &["policeAgencyId"]).await;
            let police = inputs.gather(police)?.flatten();
            inputs.checked()?;
            if number.is_none() && reference.is_none() {
                return Err(Error::refused(ErrorCode::NothingToDo, ["number"]).into());
            }
            let told = &(number, reference, contact);
            let decide = |mut work: Work<'s>, before: EpisodeRow, after| async move {
                let ties = self.reader().await?.ties(work.child()).await?;
                let (number, reference, contact) = told.clone();
                let mut row = EpisodeRow { state: after, ..before.clone() };
                row.police_number = number.or(row.police_number);
                row.police_reference = reference.or(row.police_reference);
                row.police_contact = contact.or(row.police_contact);
                self.put_episode(&mut work, Some(&before), row, Move::RecordPoliceReport);
                self.involve(&mut work, police, &ties);
                Ok(work)
            };
            self.on_episode(id, Move::RecordPoliceReport, None, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Tells how the search goes. A police risk assessment, measures and a wanted entry are the police's to tell.
    ///
    /// # Errors
    ///
    /// As [`Step::record_police_report`].
    pub async fn update_search(
        &self,
        id: &str,
        new: &SearchUpdate,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let assessment = inputs.text(&["assessment"], new.assessment.as_deref(), PROSE);
            let measures = inputs.text(&["measures"], new.measures.as_deref(), PROSE);
            inputs.checked()?;
            let told = &(assessment, measures);
            let decide = |mut work: Work<'s>, before: EpisodeRow, after| async move {
                self.only_police(new)?;
                let (assessment, measures) = told.clone();
                let mut row = EpisodeRow { state: after, ..before.clone() };
                row.police_assessment = assessment.or(row.police_assessment);
                row.police_measures = measures.or(row.police_measures);
                row.wanted_entry = new.wanted_entry.or(row.wanted_entry);
                self.put_episode(&mut work, Some(&before), row, Move::UpdateSearch);
                Ok(work)
            };
            self.on_episode(id, Move::UpdateSearch, None, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Records a sighting or a tip.
    ///
    /// # Errors
    ///
    /// As [`Step::record_police_report`]; `DATE_ORDER` for an instant ahead of now.
    pub async fn record_sighting(
        &self,
        id: &str,
        (seen_at, place, text): (Option<i64>, Option<&str>, &str),
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let seen_at = seen_at.map(|at| inputs.past(&["seenAt"], at, self.now));
            let place = inputs.text(&["place"], place, LINE);
            let text = inputs.text(&["text"], Some(text), PROSE).unwrap_or_default();
            inputs.checked()?;
            let sighting = &NewSighting { id: self.hub.dice.id(), seen_at, place, text, submission: None };
            let decide = |mut work: Work<'s>, row: EpisodeRow, _| async move {
                let told = sighting_json(sighting.seen_at, sighting.place.as_deref(), &sighting.text);
                work.write.insert_sighting(&row, sighting.clone(), &self.author());
                self.tell_episode(&mut work, row.id, ("sightings", told), Move::RecordSighting);
                Ok(work)
            };
            self.on_episode(id, Move::RecordSighting, None, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Tells that somebody knows where the child is. What is to be done then becomes part of the checklist. Access stays
    /// widened until the child is safe.
    ///
    /// # Errors
    ///
    /// `CONFLICT` with the state if the child is not missing, or located already; `DATE_ORDER` for an instant ahead of now or
    /// before the child was last seen; as [`Step::report_missing`].
    pub async fn mark_located(
        &self,
        child: &str,
        (at, place, condition): (i64, Option<&str>, Option<&str>),
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let at = inputs.past(&["at"], at, self.now);
            let place = inputs.text(&["place"], place, LINE);
            let condition = inputs.text(&["condition"], condition, PROSE);
            inputs.checked()?;
            let told = &(place, condition);
            let decide = |mut work: Work<'s>, before: EpisodeRow, after| async move {
                if before.last_seen_at.is_some_and(|seen| at < seen) {
                    return Err(Error::refused_for(ErrorCode::DateOrder, ["at"], "not before lastSeenAt"));
                }
                let items = self.items_for(&work, About::Episode, before.id, Moment::Found).await?;
                let (place, condition) = told.clone();
                let located = EpisodeRow {
                    state: after,
                    located_at: Some(at),
                    found_place: place,
                    found_condition: condition,
                    ..before.clone()
                };
                self.put_episode(&mut work, Some(&before), located, Move::MarkLocated);
                self.put_items(&mut work, &items)?;
                Ok(work)
            };
            self.on_latest(child, Move::MarkLocated, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Tells that the child is safe. From now on widened access lasts 72 hours, and the home of the placement has the child again.
    ///
    /// # Errors
    ///
    /// As [`Step::mark_located`].
    pub async fn mark_safe(
        &self,
        child: &str,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let decide = |mut work: Work<'s>, before: EpisodeRow, after| async move {
                let row = EpisodeRow { state: after, found_at: Some(self.now), ..before.clone() };
                let ties = self.reader().await?.ties(work.child()).await?;
                self.put_episode(&mut work, Some(&before), row, Move::MarkSafe);
                self.regain_whereabouts(&mut work, &ties, &before);
                work.write.set_deadline("EPISODE", before.id, "RETURN_TALK", self.now + RETURN_TALK_WITHIN)?;
                Ok(work)
            };
            self.on_latest(child, Move::MarkSafe, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Records a part of what follows when a child was found. Health care records its own part only.
    ///
    /// # Errors
    ///
    /// `CONFLICT` with the state, also for a part that is recorded already; `DATE_ORDER` for a day ahead, or before the
    /// episode; as [`Step::record_police_report`].
    pub async fn record_follow_up(
        &self,
        id: &str,
        (kind, done_on, note): (FollowUp, NaiveDate, Option<&str>),
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let note = inputs.text(&["note"], note, PROSE);
            inputs.gather(self.not_ahead(done_on, &["doneOn"]))?;
            inputs.checked()?;
            self.purpose()?;
            // Before the state is looked at, which is not health care's to know.
            if self.caller.role == Role::Health && kind != FollowUp::HealthCheck {
                return Err(Error::refused_for(ErrorCode::Forbidden, ["kind"], FollowUp::HealthCheck.code()).into());
            }
            let part = self.hub.dice.id();
            let note = &note;
            let decide = |mut work: Work<'s>, row: EpisodeRow, _| async move {
                if done_on < day(row.opened_at) {
                    return Err(Error::refused_for(ErrorCode::DateOrder, ["doneOn"], "not before the episode"));
                }
                let done = self.reader().await?.follow_ups(row.id).await?;
                if done.contains(&kind) {
                    let refusal = not_from(&work.gate, "kind", row.state);
                    return Err(Error::Refused(vec![refusal.expecting("a part that is not recorded yet")]));
                }
                let told = json!([{ "kind": kind.code(), "doneOn": done_on.to_string(), "note": note }]);
                work.write.insert_follow_up(part, &row, (kind, done_on, note.clone()), &self.author());
                self.tell_episode(&mut work, row.id, ("followUp", told), Move::RecordFollowUp);
                let all_done = Section::Missing.field("followUpDone").filter(|_| done.len() + 1 == FollowUp::ALL.len());
                let after = all_done.into_iter().collect();
                Self::tell_flags(&mut work, (FieldSet::EMPTY, after, row.id), Move::RecordFollowUp);
                Ok(work)
            };
            self.on_episode(id, Move::RecordFollowUp, None, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Closes an episode: when the child is safe and what follows is done, or before that by the responsible board, which
    /// says why. A handover by which the child did not arrive ends with it, unless the child was found and is awaited anew.
    ///
    /// # Errors
    ///
    /// `REQUIRED` at `reason` if the board gives none and needs one; `CONFLICT` with the state if another closes before all is
    /// done; as [`Step::record_police_report`].
    pub async fn close_episode(
        &self,
        id: &str,
        reason: Option<&str>,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let reason = inputs.text(&["reason"], reason, PROSE);
            inputs.checked()?;
            let reason = &reason;
            let decide = |mut work: Work<'s>, before: EpisodeRow, after| async move {
                let done = self.reader().await?.follow_ups(before.id).await?;
                let may = may_close(before.state, &done, self.is_board(&work.gate), reason.is_some());
                may.map_err(|lacking| unclosed(&before, &lacking))?;
                let row = EpisodeRow { closed_reason: reason.clone(), ..self.closed(&before, after) };
                let ties = self.reader().await?.ties(work.child()).await?;
                self.put_episode(&mut work, Some(&before), row, Move::CloseEpisode);
                if before.located_at.is_some() && before.found_at.is_none() {
                    self.regain_whereabouts(&mut work, &ties, &before);
                }
                work.write.close_involved(&self.police(), before.opened_at, self.now);
                work.write.cancel_deadlines(before.id, self.now);
                self.settle_handovers(&mut work, &before).await?;
                Ok(work)
            };
            self.on_episode(id, Move::CloseEpisode, None, selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// Records that the caller's agency has closed its own matter. The episode stays open.
    ///
    /// # Errors
    ///
    /// As [`Step::record_police_report`].
    pub async fn record_agency_closure(
        &self,
        id: &str,
        reason: &str,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let mut inputs = Inputs::default();
            let reason = inputs.text(&["reason"], Some(reason), PROSE).unwrap_or_default();
            inputs.checked()?;
            let entry = self.hub.dice.id();
            let reason = &reason;
            let decide = |mut work: Work<'s>, row: EpisodeRow, _| async move {
                let told = json!([{ "agency": self.caller.agency.id.to_string(), "reason": reason }]);
                work.write.insert_agency_closure(entry, &row, reason.clone(), &self.author());
                self.tell_episode(&mut work, row.id, ("closures", told), Move::RecordAgencyClosure);
                Ok(work)
            };
            self.on_episode(id, Move::RecordAgencyClosure, None, selection, decide).await
        };
        let answer = self.conclude_episode(Box::pin(result).await, selection, wanted).await?;
        let warns = self.warns_of_closure(&answer.view).await;
        Ok(EpisodeAnswer { warns: self.refused(warns)?, ..answer })
    }

    /// Goes on with an episode that was closed, or whose child is gone again: as another one, linked to it. What the police
    /// gave is carried over, and where the child was last seen unless it was found; where the police gave nothing, their
    /// number is asked for as after a report.
    ///
    /// # Errors
    ///
    /// `CONFLICT` with the state of the episode that is open already; as [`Step::record_police_report`].
    pub async fn reopen_episode(
        &self,
        id: &str,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let result = async {
            let made = self.hub.dice.id();
            let decide = |mut work: Work<'s>, before: EpisodeRow, _| async move {
                let latest = self.reader().await?.episodes(work.child()).await?.into_iter().next();
                if let Some(open) = latest.filter(|row| row.state.is_open() && row.id != before.id) {
                    return Err(conflict(&work.gate, "episodeId", open.state));
                }
                let ties = self.reader().await?.ties(work.child()).await?;
                let items = self.items_for(&work, About::Episode, made, Moment::Missing).await?;
                let row = self.resumed(made, &before);
                if !is_known_to_police(&row) {
                    work.write.set_deadline("EPISODE", made, "POLICE_REPORT", self.now + POLICE_REPORT_WITHIN)?;
                }
                self.follow_on(&mut work, &before, row, Move::ReopenEpisode, (ties, None));
                self.put_items(&mut work, &items)?;
                Ok(work)
            };
            self.on_episode(id, Move::ReopenEpisode, Some(made), selection, decide).await
        };
        self.conclude_episode(Box::pin(result).await, selection, wanted).await
    }

    /// An episode that goes on with another one as far as that is known. Where the police gave nothing to go on with, nobody
    /// has told them yet.
    fn resumed(&self, id: Uuid, before: &EpisodeRow) -> EpisodeRow {
        let state = if is_known_to_police(before) { State::Reported } else { State::Suspected };
        let mut row = EpisodeRow::new(id, before.child, state, self.now);
        row.opened_by = Some(self.caller.agency.id);
        // Where a child was found is told by other rules than where it was last seen.
        if before.located_at.is_none() {
            row.last_seen_at = before.last_seen_at;
            row.last_seen_place = before.last_seen_place.clone();
            row.clothing = before.clothing.clone();
            row.circumstances = before.circumstances.clone();
        }
        row.police_number = before.police_number.clone();
        row.police_reference = before.police_reference.clone();
        row.police_contact = before.police_contact.clone();
        row
    }

    /// Ends an episode if it is open, and opens the one that goes on with it. The police who searched then search again.
    fn follow_on(
        &self,
        work: &mut Work<'s>,
        before: &EpisodeRow,
        row: EpisodeRow,
        mv: Move,
        (ties, named): (Vec<Tie>, Option<AgencyId>),
    ) {
        if before.state.is_open() {
            self.write_episode(work, Some(before), self.closed(before, State::Closed), mv);
            work.write.cancel_deadlines(before.id, self.now);
        }
        // Of two episodes that are one to whoever reads a flag, no end of the first is told.
        let told = (flags(Some(before)), flags(Some(&row)), row.id);
        self.write_episode(work, None, EpisodeRow { reopens: Some(before.id), ..row }, mv);
        Self::tell_flags(work, told, mv);
        self.lose_whereabouts(work, &ties, Some(before));
        let police = self.police();
        let searched = ties
            .iter()
            .filter(|tie| tie.kind == "INVOLVED" && tie.opened_at >= before.opened_at && police.contains(&tie.agency))
            .map(|tie| tie.agency);
        let again: BTreeSet<AgencyId> = searched.chain(named).collect();
        work.write.close_involved(&police, before.opened_at, self.now);
        let elsewhere: Vec<Tie> = ties.into_iter().filter(|tie| tie.opened_at < before.opened_at).collect();
        for agency in again {
            self.involve(work, Some(agency), &elsewhere);
        }
    }

    /// A police agency that is named is involved from now, unless it is already.
    fn involve(&self, work: &mut Work<'_>, agency: Option<AgencyId>, ties: &[Tie]) {
        let is_tied = |agency: &AgencyId| ties.iter().any(|tie| tie.closed_at.is_none() && tie.agency == *agency);
        if let Some(agency) = agency.filter(|agency| !is_tied(agency)) {
            work.write.open_involvement(self.hub.dice.id(), agency, "INVOLVED", self.now);
        }
    }

    /// Only a board may close before all is done; that it is responsible is asked for in any case.
    fn is_board(&self, gate: &Gate<'_>) -> bool {
        let leads = gate.standing().relation == crate::policy::Relation::Responsible;
        leads && matches!(self.caller.role, Role::SocialServices | Role::SocialOnCall)
    }

    fn closed(&self, row: &EpisodeRow, state: State) -> EpisodeRow {
        EpisodeRow { state, closed_at: Some(self.now), closed_by: Some(self.caller.agency.id), ..row.clone() }
    }

    /// Takes a step of an episode that its state allows; `made` is the episode that the step makes, if it makes one.
    async fn on_episode<D>(
        &self,
        id: &str,
        mv: Move,
        made: Option<Uuid>,
        selection: &Selection,
        decide: impl Fn(Work<'s>, EpisodeRow, State) -> D,
    ) -> Result<(ChildView, Uuid), Stop>
    where
        D: Future<Output = Result<Work<'s>, Error>>,
    {
        self.purpose()?;
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["episodeId"], EpisodeId::PREFIX);
        let id = id.parse::<EpisodeId>().map_err(wrong)?.0;
        let child = self.reader().await?.episode(id).await?.map(|row| row.child).unwrap_or_default();
        let made = made.unwrap_or(id);
        let decide = &decide;
        let decided = |work: Work<'s>| async move {
            work.gate.permit(mv.act())?;
            let row = self.reader().await?.episode(id).await?.filter(|row| row.child == work.child());
            let row = row.ok_or(Error::NotFound)?;
            let after = row.state.after(mv).ok_or_else(|| conflict(&work.gate, "episodeId", row.state))?;
            decide(work, row, after).await
        };
        let work = self.decide(&self.public_id(child), made, Reading::Several, decided).await?;
        self.finish_episode(work, made, selection).await
    }

    /// Takes a step that the state of a child's latest episode allows.
    async fn on_latest<D>(
        &self,
        child: &str,
        mv: Move,
        selection: &Selection,
        decide: impl Fn(Work<'s>, EpisodeRow, State) -> D,
    ) -> Result<(ChildView, Uuid), Stop>
    where
        D: Future<Output = Result<Work<'s>, Error>>,
    {
        let decide = &decide;
        let decided = |work: Work<'s>| async move {
            work.gate.permit(mv.act())?;
            let latest = self.reader().await?.episodes(work.child()).await?.into_iter().next();
            let row = latest.filter(|row| row.state.is_open());
            let row = row.ok_or_else(|| conflict(&work.gate, "childId", State::NotMissing))?;
            let after = row.state.after(mv).ok_or_else(|| conflict(&work.gate, "childId", row.state))?;
            decide(work, row, after).await
        };
        let work = self.decide(child, Uuid::nil(), Reading::Several, decided).await?;
        self.finish_episode(work, Uuid::nil(), selection).await
    }

    /// Shows the child as it is after a step that was taken.
    async fn finish_episode(&self, work: Work<'s>, id: Uuid, selection: &Selection) -> Result<(ChildView, Uuid), Stop> {
        // Child and episode are shown as of one instant.
        drop(self.reader().await?);
        let view = self.child(&self.public_id(work.child()), selection).await?;
        Ok((ChildView { in_force_at: work.in_force_at, ..view }, id))
    }

    /// What the caller is told of a step; of one that was taken before, as it is now.
    async fn conclude_episode(
        &self,
        result: Result<(ChildView, Uuid), Stop>,
        selection: &Selection,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let made = match &result {
            Ok((_, made)) | Err(Stop::Done(_, made)) => *made,
            Err(Stop::Refused(_)) => Uuid::nil(),
        };
        let view = self.conclude(result.map(|(view, _)| view), selection).await?;
        let shown = self.shown_episode(view, made, wanted).await;
        self.refused(shown)
    }
}

fn is_known_to_police(row: &EpisodeRow) -> bool {
    row.police_number.is_some() || row.police_reference.is_some()
}
