//! Missing episodes: who reports, who searches, who finds, and when it ends.

use super::Session;
use super::change::{Reading, Work};
use super::step::{Step, Stop};
use crate::agency::AgencyKind;
use crate::calendar::comes_of_age;
use crate::catalogue::{FieldId, FieldSet, Kind, Section, Value, timestamp};
use crate::clock::day;
use crate::episode::{
    self, Facts, FollowUp, POLICE_REPORT_WITHIN, RETURN_TALK_WITHIN, State, Step as Move, Unclosed, may_close,
};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::EventKind;
use crate::gate::Gate;
use crate::ids::{AgencyId, EpisodeId};
use crate::policy::{Act, Role};
use crate::routine::Moment;
use crate::store::{About, EpisodeRow, NewSighting, Tie};
use crate::view::{ChildView, EpisodeAnswer, EpisodeView, Selection};
use chrono::NaiveDate;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A line: a place, a contact, a reference.
const LINE: usize = 200;
/// What happened, in the caller's words.
const PROSE: usize = 4000;
/// How many characters a police number has at most.
const NUMBER_FORM: &str = "NNNN-Kn…n-YY";

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

/// Inputs as they are checked: everything that is wrong is told at once.
#[derive(Default)]
pub(super) struct Inputs(Vec<Refusal>);

impl Inputs {
    /// A text of so many characters at most.
    pub(super) fn text(&mut self, path: &[&str], text: Option<&str>, most: usize) -> Option<String> {
        match Kind::Text(most).read(&Json::from(text?)) {
            Ok(Value::Text(text)) => Some(text),
            Ok(_) => None,
            Err((_, invalid)) => {
                self.0.push(Refusal::of_value(path.iter().map(|part| (*part).to_owned()).collect(), invalid));
                None
            }
        }
    }

    /// Something that has happened happened not ahead of now.
    fn past(&mut self, path: &[&str], at: i64, now: i64) -> i64 {
        if at > now {
            self.0.push(Refusal::at(ErrorCode::DateOrder, path.iter().copied()).expecting("not ahead of now"));
        }
        at
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// Keeps what is refused of a value, and passes on what failed.
    fn gather<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(more)) => {
                self.0.extend(more);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    pub(super) fn checked(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Refused(self.0)) }
    }
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
                row.state = state.after(mv).ok_or_else(|| conflict("childId", state))?;
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
            let part = self.hub.dice.id();
            let note = &note;
            let decide = |mut work: Work<'s>, row: EpisodeRow, _| async move {
                if self.caller.role == Role::Health && kind != FollowUp::HealthCheck {
                    return Err(Error::refused_for(ErrorCode::Forbidden, ["kind"], FollowUp::HealthCheck.code()));
                }
                if done_on < day(row.opened_at) {
                    return Err(Error::refused_for(ErrorCode::DateOrder, ["doneOn"], "not before the episode"));
                }
                let done = self.reader().await?.follow_ups(row.id).await?;
                if done.contains(&kind) {
                    let refusal = Refusal::in_state(["kind"], row.state.code(), row.state.next());
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
                self.settle_handovers(&mut work, before.located_at.is_some()).await?;
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
                    return Err(conflict("episodeId", open.state));
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

    /// Checks a report, and makes the row of it.
    async fn read_report(&self, id: Uuid, new: &NewEpisode) -> Result<(EpisodeRow, Option<AgencyId>), Error> {
        let mut inputs = Inputs::default();
        let mut row = EpisodeRow::new(id, Uuid::nil(), State::Suspected, self.now);
        row.opened_by = Some(self.caller.agency.id);
        row.last_seen_at = Some(inputs.past(&["input", "lastSeenAt"], new.last_seen_at, self.now));
        row.last_seen_place = inputs.text(&["input", "lastSeenPlace"], new.last_seen_place.as_deref(), LINE);
        row.circumstances = inputs.text(&["input", "circumstances"], new.circumstances.as_deref(), PROSE);
        row.clothing = inputs.text(&["input", "clothing"], new.clothing.as_deref(), PROSE);
        let police = self.named_police(new.police_agency.as_deref(), &["input", "policeAgencyId"]).await;
        let police = inputs.gather(police)?.flatten();
        inputs.checked()?;
        Ok((row, police))
    }

    async fn named_police(&self, id: Option<&str>, path: &[&str]) -> Result<Option<AgencyId>, Error> {
        let Some(id) = id else { return Ok(None) };
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, path.iter().copied(), AgencyId::PREFIX);
        self.agency_of(id.parse().map_err(wrong)?, &[AgencyKind::Police], path).await.map(Some)
    }

    /// A police agency that is named is involved from now, unless it is already.
    fn involve(&self, work: &mut Work<'_>, agency: Option<AgencyId>, ties: &[Tie]) {
        let is_tied = |agency: &AgencyId| ties.iter().any(|tie| tie.closed_at.is_none() && tie.agency == *agency);
        if let Some(agency) = agency.filter(|agency| !is_tied(agency)) {
            work.write.open_involvement(self.hub.dice.id(), agency, "INVOLVED", self.now);
        }
    }

    fn police(&self) -> Vec<AgencyId> {
        let police = self.hub.agencies().into_iter().filter(|agency| agency.kind == AgencyKind::Police);
        police.map(|agency| agency.id).collect()
    }

    /// F56 and F57 are the police's to tell.
    fn only_police(&self, new: &SearchUpdate) -> Result<(), Error> {
        if self.caller.role == Role::PoliceMissing {
            return Ok(());
        }
        let given = [
            ("assessment", new.assessment.is_some()),
            ("measures", new.measures.is_some()),
            ("wantedEntry", new.wanted_entry.is_some()),
        ];
        let refusal = |name: &str| Refusal::at(ErrorCode::Forbidden, [name]).expecting(Role::PoliceMissing.code());
        let refusals: Vec<Refusal> =
            given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| refusal(name)).collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
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
            let after = row.state.after(mv).ok_or_else(|| conflict("episodeId", row.state))?;
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
            let row = row.ok_or_else(|| conflict("childId", State::NotMissing))?;
            let after = row.state.after(mv).ok_or_else(|| conflict("childId", row.state))?;
            decide(work, row, after).await
        };
        let work = self.decide(child, Uuid::nil(), Reading::Several, decided).await?;
        self.finish_episode(work, Uuid::nil(), selection).await
    }

    /// Writes an episode, and tells of it.
    fn put_episode(&self, work: &mut Work<'_>, before: Option<&EpisodeRow>, row: EpisodeRow, mv: Move) {
        let told = (flags(before), flags(Some(&row)), row.id);
        self.write_episode(work, before, row, mv);
        Self::tell_flags(work, told, mv);
    }

    /// Whoever reads only a flag hears of what changes that, and of nothing else.
    fn tell_flags(work: &mut Work<'_>, (before, after, id): (FieldSet, FieldSet, Uuid), mv: Move) {
        let changed = |id: &FieldId| before.contains(*id) != after.contains(*id);
        let changed: FieldSet = Section::Missing.fields().filter(changed).collect();
        work.write.event(event_of(mv), changed, Some(id), work.gate.standing().lead);
    }

    /// Writes an episode, with who wrote what of it when.
    fn write_episode(&self, work: &mut Work<'_>, before: Option<&EpisodeRow>, mut row: EpisodeRow, mv: Move) {
        let author = self.author();
        let changed = row.changed_from(before);
        for (column, _) in &changed {
            row.stamps.touch(column, author.at, author.agency);
        }
        match before {
            None => work.write.insert_episode(&row, &author),
            Some(_) => work.write.update_episode(&row, &author),
        }
        self.keep(work, row.id, changed.into_iter().filter_map(told).collect(), mv);
    }

    /// Tells of something that is kept beside the episode.
    pub(super) fn tell_episode(&self, work: &mut Work<'_>, id: Uuid, (name, told): (&str, Json), mv: Move) {
        self.keep(work, id, Map::from_iter([(name.to_owned(), told)]), mv);
    }

    fn keep(&self, work: &mut Work<'_>, id: Uuid, told: Map<String, Json>, mv: Move) {
        let fields: FieldSet = told.keys().filter_map(|name| Section::Missing.field(name)).collect();
        work.write.event(event_of(mv), fields, Some(id), work.gate.standing().lead);
        work.write.revise(Section::Missing, Some(id), Json::Object(told), self.author());
        work.note(mv.mutation(), fields);
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

    /// A closure of one's own is a risk while the child is under 18 and nobody knows where it is.
    async fn warns_of_closure(&self, view: &ChildView) -> Result<bool, Error> {
        let gate = self.known_child(&view.id).await?;
        let child = gate.standing().child;
        let reader = self.reader().await?;
        let is_unfound = reader.episodes(child).await?.first().is_some_and(|row| row.found_at.is_none());
        let born = reader.birth_date(child).await?;
        let grown = born.and_then(comes_of_age);
        Ok(is_unfound && grown.is_none_or(|grown| self.today() < grown))
    }
}

impl Session {
    /// The episodes of a child, latest first: how far each came, and when, as far as the record shows it. What was told in them
    /// is shown by the record. To whom it shows no earlier ones, the latest; to whom it shows nothing but whether the child is
    /// missing or found, that one's id while it is.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` to those who take no part in a search; as [`Session::child`].
    pub async fn episodes(&self, child: &str) -> Result<Vec<EpisodeView>, Error> {
        let result = async {
            self.purpose()?;
            let gate = self.known_child(child).await?;
            permit_to_know(&gate)?;
            let mut rows = self.reader().await?.episodes(gate.standing().child).await?;
            if !is_shown(&gate, "missing.earlier") {
                rows.truncate(1);
                rows.retain(|row| is_shown(&gate, "missing.status") || is_told_by_flag(row));
            }
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            Ok(rows.iter().map(|row| view_of(row, &gate)).collect())
        };
        self.refused(Box::pin(result).await)
    }

    /// What a step gives, as far as the caller may see it now. No id stands for the latest episode.
    async fn shown_episode(&self, view: ChildView, id: Uuid, wanted: EpisodeSelection) -> Result<EpisodeAnswer, Error> {
        let gate = self.known_child(&view.id).await?;
        let mut answer = EpisodeAnswer { view, episode: None, checklist: None, report: None, warns: false };
        if permit_to_know(&gate).is_err() {
            return Ok(answer);
        }
        let rows = self.reader().await?.episodes(gate.standing().child).await?;
        let Some(row) = rows.into_iter().find(|row| id.is_nil() || row.id == id) else { return Ok(answer) };
        self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
        answer.episode = Some(view_of(&row, &gate));
        if wanted.checklist && gate.permit(Act::WorkChecklist).is_ok() {
            answer.checklist = Some(self.items_of(&gate, row.id).await?);
        }
        // Whoever reported it has said what the report holds besides the record.
        if wanted.report && row.opened_by == Some(self.caller.agency.id) {
            answer.report = Some(self.minimum_report(&answer.view.id, &row, &gate).await?);
        }
        Ok(answer)
    }

    /// The text for the police, of what the caller is shown now; the log tells of it as of any showing.
    async fn minimum_report(&self, child: &str, row: &EpisodeRow, gate: &Gate<'_>) -> Result<String, Error> {
        let view = self.child(child, &episode::selection()).await?;
        let mut names = HashMap::new();
        for id in episode::agencies_of(&view) {
            if let Some(agency) = self.hub.agency(id).await? {
                names.insert(id, agency.name.clone());
            }
        }
        let facts = Facts {
            // What the caller has said of the disappearance is its own; how it went on is not.
            is_suspected: row.state == State::Suspected && is_shown(gate, "missing.status"),
            reported_by: self.caller.agency.name.clone(),
            reported_at: row.opened_at,
            last_seen_at: row.last_seen_at,
            last_seen_place: row.last_seen_place.clone(),
            clothing: row.clothing.clone(),
            circumstances: row.circumstances.clone(),
            police_number: row.police_number.clone().filter(|_| is_shown(gate, "missing.policeNumber")),
        };
        Ok(episode::report(&view, &facts, &names))
    }
}

/// What the history tells of a sighting.
pub(super) fn sighting_json(seen_at: Option<i64>, place: Option<&str>, text: &str) -> Json {
    json!([{ "seenAt": seen_at.map(timestamp), "place": place, "text": text }])
}

/// Whether the caller may know that there is an episode: whoever may take some part in it.
pub(super) fn permit_to_know(gate: &Gate<'_>) -> Result<(), Error> {
    let mut refused = gate.permit(Act::ReportMissing);
    for act in Move::ALL.map(Move::act).into_iter().chain([Act::WorkChecklist]) {
        if gate.permit(act).is_ok() {
            refused = Ok(());
        }
    }
    refused
}

/// How far it came and when is shown to whom the record shows it (F53, F59); the id to whoever may take a part in the search.
fn view_of(row: &EpisodeRow, gate: &Gate<'_>) -> EpisodeView {
    let is_shown = |path| is_shown(gate, path);
    let state = Some(row.state).filter(|_| is_shown("missing.status"));
    EpisodeView {
        id: EpisodeId(row.id).to_string(),
        state,
        opened_at: Some(row.opened_at).filter(|_| is_shown("missing.since")),
        located_at: row.located_at.filter(|_| is_shown("missing.locatedAt")),
        found_at: row.found_at.filter(|_| is_shown("missing.foundAt")),
        closed_at: row.closed_at.filter(|_| is_shown("missing.closedAt")),
        reopens: row.reopens.filter(|_| is_shown("missing.earlier")).map(|id| EpisodeId(id).to_string()),
        next: state.map(State::next).unwrap_or_default(),
    }
}

/// Whether the record shows the caller a field of the child's episode.
fn is_shown(gate: &Gate<'_>, path: &str) -> bool {
    FieldId::by_path(path).is_some_and(|id| gate.decisions(None).shown.contains(id))
}

/// Whether it is missing now, or was found: what the flags of the record tell of an episode.
fn is_told_by_flag(row: &EpisodeRow) -> bool {
    row.state.is_open() || row.found_at.is_some()
}

/// The flags of the record that an episode raises while it is the latest.
fn flags(row: Option<&EpisodeRow>) -> FieldSet {
    let Some(row) = row else { return FieldSet::EMPTY };
    let raised = [
        ("isMissing", row.found_at.is_none() && row.closed_at.is_none()),
        ("found", row.found_at.is_some()),
        ("wanted", row.wanted_entry == Some(true)),
    ];
    raised
        .into_iter()
        .filter(|(_, is_raised)| *is_raised)
        .filter_map(|(name, _)| Section::Missing.field(name))
        .collect()
}

fn is_known_to_police(row: &EpisodeRow) -> bool {
    row.police_number.is_some() || row.police_reference.is_some()
}

fn conflict(argument: &'static str, state: State) -> Error {
    Error::Refused(vec![Refusal::in_state([argument], state.code(), state.next())])
}

/// `NNNN-Kn…n-YY`, the police's *diarienummer*: one to seven digits after the K. It has no check digit.
fn is_police_number(number: &str) -> bool {
    let digits = |text: &str, sizes: std::ops::RangeInclusive<usize>| {
        sizes.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = number.split('-');
    let (region, matter, year, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let matter = matter.and_then(|matter| matter.strip_prefix('K'));
    rest.is_none()
        && region.is_some_and(|region| digits(region, 4..=4))
        && matter.is_some_and(|matter| digits(matter, 1..=7))
        && year.is_some_and(|year| digits(year, 2..=2))
}

/// A column of an episode as its revision tells of it: by the name of its field, in the form of the record.
fn told((column, value): (&'static str, Json)) -> Option<(String, Json)> {
    let field = Section::Missing.fields().find(|id| id.field().column == column)?.field();
    let value = match (field.kind, value.as_i64()) {
        (Kind::Instant, Some(micros)) => Json::from(timestamp(micros)),
        _ => value,
    };
    Some((field.name.to_owned(), value))
}

/// Why an episode cannot be closed, as the caller is told.
fn unclosed(row: &EpisodeRow, lacking: &Unclosed) -> Error {
    match lacking {
        Unclosed::Reason => {
            let parts = FollowUp::ALL.map(FollowUp::code).join(", ");
            let expected = format!("the child safe and all of {parts} recorded with `recordFollowUp`, or a reason");
            Error::refused_for(ErrorCode::Required, ["reason"], expected)
        }
        Unclosed::State | Unclosed::FollowUp => {
            let open = row.state.next().into_iter().filter(|step| *step != Move::CloseEpisode.mutation());
            Error::Refused(vec![Refusal::in_state(["episodeId"], row.state.code(), open)])
        }
    }
}

const fn event_of(mv: Move) -> EventKind {
    match mv {
        Move::Suspect | Move::ReportMissing => EventKind::EpisodeOpened,
        Move::RecordPoliceReport => EventKind::PoliceReported,
        Move::UpdateSearch => EventKind::SearchUpdated,
        Move::RecordSighting => EventKind::SightingRecorded,
        Move::MarkLocated => EventKind::ChildLocated,
        Move::MarkSafe => EventKind::ChildSafe,
        Move::RecordFollowUp => EventKind::FollowUpRecorded,
        Move::CloseEpisode => EventKind::EpisodeClosed,
        Move::RecordAgencyClosure => EventKind::AgencyClosed,
        Move::ReopenEpisode => EventKind::EpisodeReopened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_police_number_has_one_form() {
        for number in ["2200-K1276-14", "5000-K1-26", "5000-K1234567-26"] {
            assert!(is_police_number(number), "{number}");
        }
        let wrong = [
            "",
            "2200-1276-14",
            "2200-K-14",
            "2200-K12345678-14",
            "220-K1-14",
            "2200-K1-2014",
            "2200-K1-14-1",
            "２２００-K1-14",
            "2200-K1-14 ",
            "2200-k1-14",
        ];
        for number in wrong {
            assert!(!is_police_number(number), "{number}");
        }
    }
}
