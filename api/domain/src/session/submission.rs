//! Giving without reading: worries, sightings and tips about a child, known to the hub or not; and those who decide on them.
//!
//! Whom a submission is about is looked for behind the answer. So the answer, the time that it takes and the row of the
//! access log are the same whether the child is there, protected, known to the caller, or not.

use super::change::{Reading, Work};
use super::episode::sighting_json;
use super::step::{Step, Stop};
use super::{Session, page_size};
use crate::catalogue::{Code, FieldSet, IdentifierKind, Kind as ValueKind, Value};
use crate::episode::Step as Move;
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::{EventKind, To};
use crate::gate::Gate;
use crate::ids::{AgencyId, SubmissionId};
use crate::policy::{Act, Operation, Role};
use crate::reference;
use crate::store::{Author, Decided, Inbox, Named, NewSighting, SubmissionRow};
use crate::submission::{DESKS, Decision, Feedback, Kind, State, desk_of};
use crate::view::Page;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::HashMap;
use uuid::Uuid;

/// A day, in microseconds.
const DAY: i64 = 24 * 3_600_000_000;
/// How many submissions are read at a time.
const READ: u64 = 100;
/// How much may be told in one text.
const TOLD: ValueKind = ValueKind::Text(4000);
/// A name, a place.
const LINE: ValueKind = ValueKind::Text(200);
/// A reason.
const REASON: ValueKind = ValueKind::Text(1000);

/// What is handed in. Only the text must be there.
#[derive(Clone, Debug, Default)]
pub struct NewSubmission {
    /// A number of the child.
    pub identifier: Option<(IdentifierKind, String)>,
    pub name: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub description: Option<String>,
    /// Four digits (*kommunkod*): whose board looks at it, besides those who answer for the child.
    pub municipality: Option<String>,
    /// Microseconds since 1970.
    pub seen_at: Option<i64>,
    pub place: Option<String>,
    pub text: String,
}

/// That something was handed in: nothing about the child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionReceipt {
    /// The id under which the giver knows it; it means nothing to anyone else.
    pub id: String,
    pub kind: Kind,
    /// Microseconds since 1970.
    pub at: i64,
    /// Whether somebody has decided on it.
    pub is_handled: bool,
    /// What the law lets the giver be told.
    pub feedback: Option<Feedback>,
}

/// What was handed in, for whoever decides on it.
#[derive(Clone, Debug)]
pub struct SubmissionView {
    pub id: String,
    pub kind: Kind,
    /// Microseconds since 1970.
    pub at: i64,
    /// Who handed it in, if it may be named.
    pub by: Option<AgencyId>,
    pub role: Role,
    /// The child that it is about, if it is one that the caller may know of.
    pub child: Option<String>,
    pub identifier: Option<(IdentifierKind, String)>,
    pub name: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub description: Option<String>,
    pub municipality: Option<String>,
    /// Microseconds since 1970.
    pub seen_at: Option<i64>,
    pub place: Option<String>,
    pub text: String,
    pub state: State,
    pub reason: Option<String>,
    pub feedback: Option<Feedback>,
    /// Microseconds since 1970.
    pub decided_at: Option<i64>,
}

/// What is to become of a submission.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub decision: Decision,
    /// The child that it is about, where the hub did not find it.
    pub child: Option<String>,
    /// Why nothing comes of it.
    pub reason: Option<String>,
    pub feedback: Option<Feedback>,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl<'s> Step<'s> {
    /// Keeps what is handed in, and gives a receipt. It is durable before the answer leaves.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`; [`Error::Refused`] with every input that is wrong; `TOO_MANY_TODAY`. None depends on what the
    /// record holds.
    pub async fn submit(&self, kind: Kind, new: NewSubmission) -> Result<SubmissionReceipt, Error> {
        let result = async {
            self.may(Operation::Submit)?;
            let row = self.read_submission(kind, new)?;
            let (own, id, at) = (self.caller.agency.id, row.id, row.at);
            let claim = self.go_apart(id).await?;
            if self.reader().await?.submissions_since(kind, own, self.now - DAY).await? >= kind.most_a_day() {
                return Err(Error::Code(ErrorCode::TooManyToday).into());
            }
            self.forget().await?;
            let kept = self.hub.store.insert_submission(row, claim.as_ref()).await;
            if !self.settle(kept, claim.as_ref())? {
                return Err(Error::Code(ErrorCode::TooManyToday).into());
            }
            Ok(SubmissionReceipt { id: self.receipt_id(id), kind, at, is_handled: false, feedback: None })
        };
        let result = match Box::pin(result).await {
            Err(Stop::Done(_, made)) => self.receipt_again(made).await,
            Err(Stop::Refused(error)) => Err(error),
            Ok(receipt) => Ok(receipt),
        };
        self.refused(result)
    }

    async fn receipt_again(&self, made: Uuid) -> Result<SubmissionReceipt, Error> {
        self.note(|draft| draft.repeat());
        let row = self.reader().await?.submission(made).await?.ok_or(Error::NotFound)?;
        // As it was first answered: what has come of it since stands in `mySubmissions`.
        let (kind, at) = (row.kind, row.at);
        Ok(SubmissionReceipt { id: self.receipt_id(made), kind, at, is_handled: false, feedback: None })
    }

    /// Checks what is handed in. Everything that is wrong is told at once.
    fn read_submission(&self, kind: Kind, new: NewSubmission) -> Result<SubmissionRow, Error> {
        let NewSubmission { identifier, name, birth_date, description, municipality, seen_at, place, text } = new;
        let mut refusals = Vec::new();
        let identifier = identifier.and_then(|(kind, value)| match kind.normalise(&value) {
            Ok(value) => Some((kind.code().to_owned(), value)),
            Err(invalid) => {
                refusals.push(Refusal::of_value(path(&["identifier", "value"]), invalid));
                None
            }
        });
        let mut text_of = |argument: &str, text: Option<String>, of: ValueKind| {
            let read = read_text(argument, text?, of);
            read.map_err(|refusal| refusals.push(*refusal)).ok()
        };
        let name = text_of("name", name, LINE);
        let description = text_of("description", description, REASON);
        let place = text_of("place", place, LINE);
        let text = text_of("text", Some(text), TOLD);
        // The same code is asked for whether the child is found or not.
        let municipality = municipality.or_else(|| self.caller.agency.municipality.clone());
        match &municipality {
            None => refusals.push(Refusal::at(ErrorCode::Required, ["about", "municipality"])),
            Some(code) if !Code::Municipality.contains(code) => {
                let unknown = Refusal::at(ErrorCode::UnknownCode, ["about", "municipality"]);
                refusals.push(unknown.expecting("MunicipalityCode"));
            }
            Some(code) if desk_of(&self.hub.agencies(), code).is_none() => {
                let nobody = Refusal::at(ErrorCode::OperationForbidden, ["about", "municipality"]);
                refusals.push(nobody.expecting("a hub that a board or the police search unit has joined"));
            }
            Some(_) => {}
        }
        if seen_at.is_some_and(|at| at > self.now) {
            let refusal = Refusal::at(ErrorCode::DateOrder, ["about", "seenAt"]);
            refusals.push(refusal.expecting("an instant that is not ahead"));
        }
        let (true, Some(text)) = (refusals.is_empty(), text) else { return Err(Error::Refused(refusals)) };
        Ok(SubmissionRow {
            id: self.hub.dice.id(),
            kind,
            at: self.now,
            agency: self.caller.agency.id,
            role: self.caller.role,
            user: self.caller.user.clone(),
            child: None,
            named: Named { identifier, name, birth_date, description },
            municipality,
            seen_at,
            place,
            text,
            state: State::Open,
            reason: None,
            feedback: None,
            decided_at: None,
            copy_of: None,
        })
    }

    /// Decides on a submission: takes it into the search for the child, takes it on as a worry, or lays it aside.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] alike for one that never was and one that is not in the caller's inbox; `FORBIDDEN`; `CONFLICT` with
    /// the state if it is decided, if it is about another child, or for a sighting of a child that is not missing; `REQUIRED` without a reason
    /// to lay it aside by; [`Error::Refused`] for feedback that the law does not allow.
    pub async fn decide_submission(&self, id: &str, verdict: &Verdict) -> Result<SubmissionView, Error> {
        let result = async {
            let (id, known) = self.find_submission(id).await?;
            let reason = read_reason(verdict)?;
            let about = known.as_ref().and_then(|found| found.child.clone());
            let about = match (about, &verdict.child) {
                (Some(child), Some(named)) if child != *named => {
                    return Err(Error::refused(ErrorCode::Conflict, ["childId"]).into());
                }
                (Some(child), _) => Some(child),
                (None, Some(named)) if known.is_some() => Some(named.clone()),
                (None, _) => None,
            };
            match about {
                Some(child) => self.decide_about(&child, id, verdict, reason).await?,
                None if known.is_some() => self.decide_unmatched(id, verdict, reason).await?,
                None => {
                    self.note(|draft| draft.miss());
                    return Err(Error::NotFound.into());
                }
            }
            Ok(self.shown_submission(id).await?)
        };
        let result = match Box::pin(result).await {
            Err(Stop::Done(_, made)) => {
                self.note(|draft| draft.repeat());
                self.shown_submission(made).await
            }
            Err(Stop::Refused(error)) => Err(error),
            Ok(view) => Ok(view),
        };
        self.refused(result)
    }

    async fn decide_about(&self, child: &str, id: Uuid, verdict: &Verdict, reason: Option<String>) -> Result<(), Stop> {
        let (reason, sighting) = (&reason, self.hub.dice.id());
        let decide = |mut work: Work<'s>| async move {
            work.gate.permit(Act::DecideSubmission)?;
            let child = work.child();
            let row = self.reader().await?.submission(id).await?.ok_or(Error::NotFound)?;
            let board = self.reader().await?.answering_board(child).await?;
            is_open(&row)?;
            is_lawful(&row, verdict)?;
            work.write.event(EventKind::SubmissionDecided, FieldSet::EMPTY, Some(id), board);
            if verdict.decision == Decision::Sighting {
                self.take_into_search(&mut work, &row, sighting, board).await?;
            }
            work.write.decide_submission(id, self.decided(verdict, Some(child), reason.clone()));
            if let Some(original) = row.copy_of.filter(|_| self.is_ours(&row)) {
                work.write.decide_original(original, self.decided(verdict, None, None));
            }
            work.note("decideSubmission", FieldSet::EMPTY);
            Ok(work)
        };
        self.decide(child, id, Reading::Several, decide).await.map(|_| ())
    }

    /// Takes a submission into the search for a child that is missing: what is told of the change then is the sighting.
    async fn take_into_search(
        &self,
        work: &mut Work<'_>,
        row: &SubmissionRow,
        id: Uuid,
        board: Option<AgencyId>,
    ) -> Result<(), Error> {
        let latest = self.reader().await?.episodes(work.child()).await?.into_iter().next();
        let episode = latest.filter(|episode| episode.state.after(Move::RecordSighting).is_some());
        let missing = || Refusal::in_state(["decision"], "NOT_MISSING", ["reportMissing"]);
        let episode = episode.ok_or_else(|| Error::Refused(vec![missing()]))?;
        let (seen_at, place, text) = (row.seen_at, row.place.clone(), row.text.clone());
        let told = sighting_json(seen_at, place.as_deref(), &text);
        let seen = NewSighting { id, seen_at, place, text, submission: Some(row.id) };
        // It is whose who saw the child.
        let giver = Author { agency: row.agency, user: row.user.clone(), at: row.at, suggested_by: None };
        work.write.insert_sighting(&episode, seen, &giver);
        self.tell_episode(work, episode.id, ("sightings", told), Move::RecordSighting);
        let to = To::some([Some(work.gate.standing().lead), board]);
        work.write.event(EventKind::SightingRecorded, FieldSet::EMPTY, Some(episode.id), to);
        Ok(())
    }

    /// A desk decides on what came to its municipalities and is about no child that it knows.
    async fn decide_unmatched(&self, id: Uuid, verdict: &Verdict, reason: Option<String>) -> Result<(), Stop> {
        let claim = self.go_apart(id).await?;
        let row = self.reader().await?.submission(id).await?.ok_or(Error::NotFound)?;
        is_open(&row)?;
        is_lawful(&row, verdict)?;
        if verdict.decision == Decision::Sighting {
            return Err(Error::refused(ErrorCode::Required, ["childId"]).into());
        }
        self.forget().await?;
        let decided = self.hub.store.decide_unmatched(id, self.decided(verdict, None, reason), claim.as_ref()).await;
        if !self.settle(decided, claim.as_ref())? {
            // Another was first, at the same time.
            return Err(Error::refused(ErrorCode::Conflict, ["submissionId"]).into());
        }
        Ok(())
    }

    /// Whether it came to the caller's municipality, too.
    fn is_ours(&self, row: &SubmissionRow) -> bool {
        row.municipality.as_ref().is_some_and(|code| self.municipalities().contains(code))
    }

    fn decided(&self, verdict: &Verdict, child: Option<Uuid>, reason: Option<String>) -> Decided {
        Decided {
            state: verdict.decision.state(),
            child,
            reason,
            feedback: verdict.feedback,
            at: self.now,
            by: self.caller.agency.id,
            user: self.caller.user.clone(),
        }
    }

    /// The submission that an id stands for, if it is in the caller's inbox.
    async fn find_submission(&self, id: &str) -> Result<(Uuid, Option<SubmissionView>), Error> {
        self.may(Operation::ReceiveSubmissions)?;
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["submissionId"], SubmissionId::PREFIX);
        let id = id.parse::<SubmissionId>().map_err(wrong)?.0;
        match self.shown_submission(id).await {
            Ok(view) => Ok((id, Some(view))),
            Err(Error::NotFound) => Ok((id, None)),
            Err(other) => Err(other),
        }
    }

    async fn shown_submission(&self, id: Uuid) -> Result<SubmissionView, Error> {
        self.hub.match_submissions().await?;
        self.forget().await?;
        let found = self.reader().await?.submission(id).await?;
        let shown = self.shown_submissions(found.into_iter().collect()).await?;
        shown.into_iter().next().map(|(_, view)| view).ok_or(Error::NotFound)
    }
}

impl Session {
    /// What was handed in and is for the caller to look at, latest first: about children that it answers for; what came to the
    /// municipalities whose desk it is ([`DESKS`]), whether others answer for the child or not; to the police, sightings and
    /// tips on children that are missing and that it knows.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`, `PAGE_SIZE`, `INVALID_CURSOR`, `PURPOSE_REQUIRED`.
    pub async fn submissions(
        &self,
        state: Option<State>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<SubmissionView>, Error> {
        let result = async {
            self.may(Operation::ReceiveSubmissions)?;
            let size = page_size(first)?;
            let list = format!("submissions|{state:?}");
            let mut before = after.map(|cursor| self.submission_position(&list, cursor)).transpose()?;
            self.hub.match_submissions().await?;
            let municipalities = self.municipalities();
            let inbox = Inbox { agency: self.caller.agency.id, municipalities: &municipalities, state };
            let mut found = Vec::with_capacity(size + 1);
            while found.len() <= size {
                let rows = self.reader().await?.inbox(&inbox, before, READ).await?;
                let read = rows.len() as u64;
                before = rows.last().map(|row| (row.at, row.id)).or(before);
                found.extend(self.shown_submissions(rows).await?);
                if read < READ {
                    break;
                }
            }
            let has_next = found.len() > size;
            found.truncate(size);
            let item = |((at, id), view): ((i64, Uuid), SubmissionView)| {
                let position = serde_json::to_vec(&Position(at, id)).unwrap_or_default();
                (self.cursor(&list, &position), view)
            };
            Ok(Page { items: found.into_iter().map(item).collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// What the caller's agency has handed in by this role, latest first, and what it may be told of it: never whether the
    /// child is in the hub.
    ///
    /// # Errors
    ///
    /// `PAGE_SIZE`, `INVALID_CURSOR`, `PURPOSE_REQUIRED`, `OPERATION_FORBIDDEN`.
    pub async fn my_submissions(
        &self,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<SubmissionReceipt>, Error> {
        let result = async {
            self.may(Operation::Submit)?;
            let size = page_size(first)?;
            let list = "mySubmissions";
            let before = after.map(|cursor| self.submission_position(list, cursor)).transpose()?;
            let (agency, role) = (self.caller.agency.id, self.caller.role);
            let mut rows = self.reader().await?.own_submissions(agency, role, before, size as u64 + 1).await?;
            let municipalities = self.municipalities();
            let has_next = rows.len() > size;
            rows.truncate(size);
            let item = |(row, copy): (SubmissionRow, Option<SubmissionRow>)| {
                let position = serde_json::to_vec(&Position(row.at, row.id)).unwrap_or_default();
                // Whoever has it in its own inbox is told what that tells: what others decided would say that a child is there.
                let is_ours = row.municipality.as_ref().is_some_and(|code| municipalities.contains(code));
                let desks = || copy.iter().filter(|_| !is_ours).chain([&row]);
                let receipt = SubmissionReceipt {
                    id: self.receipt_id(row.id),
                    kind: row.kind,
                    at: row.at,
                    is_handled: desks().any(|desk| desk.state != State::Open),
                    feedback: desks()
                        .find_map(|desk| desk.feedback)
                        .filter(|_| Feedback::is_lawful(row.kind, row.role)),
                };
                (self.cursor(list, &position), receipt)
            };
            Ok(Page { items: rows.into_iter().map(item).collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// Those of some submissions that the caller may see, with their places; the log is told of the children.
    async fn shown_submissions(&self, rows: Vec<SubmissionRow>) -> Result<Vec<((i64, Uuid), SubmissionView)>, Error> {
        let reader = self.reader().await?;
        let originals: Vec<Uuid> = rows.iter().filter(|row| row.child.is_none()).map(|row| row.id).collect();
        let copies: HashMap<Uuid, Uuid> = reader.copies(&originals).await?.into_iter().collect();
        let mut children: Vec<Uuid> = rows.iter().filter_map(|row| row.child).chain(copies.values().copied()).collect();
        children.sort_unstable();
        children.dedup();
        let known = self.known(&reader, &children).await?;
        drop(reader);
        let gates: HashMap<Uuid, Gate<'_>> = known.into_iter().map(|gate| (gate.standing().child, gate)).collect();
        let receives = |child: Option<&Uuid>, row: &SubmissionRow| {
            child.and_then(|child| gates.get(child)).filter(|gate| receives(gate, row))
        };
        let municipalities = self.municipalities();
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            let gate = receives(row.child.as_ref(), &row);
            let came_here = row.municipality.as_ref().is_some_and(|code| municipalities.contains(code));
            // Whoever has the copy has what it is a copy of.
            let is_municipal = row.child.is_none() && came_here && receives(copies.get(&row.id), &row).is_none();
            if gate.is_none() && !is_municipal {
                continue;
            }
            if let Some(gate) = gate {
                self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            }
            shown.push(((row.at, row.id), self.submission_view(row, gate)));
        }
        Ok(shown)
    }

    fn submission_view(&self, row: SubmissionRow, gate: Option<&Gate<'_>>) -> SubmissionView {
        let is_board = matches!(self.caller.role, Role::SocialServices | Role::SocialOnCall);
        let by = Some(row.agency).filter(|giver| is_board || gate.is_some_and(|gate| gate.may_name(*giver)));
        let Named { identifier, name, birth_date, description } = row.named;
        SubmissionView {
            id: SubmissionId(row.id).to_string(),
            kind: row.kind,
            at: row.at,
            by,
            role: row.role,
            child: row.child.filter(|_| gate.is_some()).map(|child| self.public_id(child)),
            identifier: identifier.and_then(|(kind, value)| Some((IdentifierKind::from_code(&kind)?, value))),
            name,
            birth_date,
            description,
            municipality: row.municipality,
            seen_at: row.seen_at,
            place: row.place,
            text: row.text,
            state: row.state,
            reason: row.reason.filter(|_| is_board),
            feedback: row.feedback.filter(|_| is_board),
            decided_at: row.decided_at,
        }
    }

    /// The municipalities whose submissions come to the caller: those whose desk it is.
    fn municipalities(&self) -> Vec<String> {
        let (own, agencies) = (&self.caller.agency, self.hub.agencies());
        if !DESKS.iter().any(|desk| desk.kinds.contains(&own.kind)) {
            return Vec::new();
        }
        let is_ours = |code: &str| desk_of(&agencies, code).is_some_and(|desk| desk.is_of(own, code));
        reference::municipalities().map(|place| place.code).filter(|code| is_ours(code)).map(str::to_owned).collect()
    }

    /// The id under which whoever handed something in knows it.
    fn receipt_id(&self, id: Uuid) -> String {
        let bound_to = format!("receipt|{}", self.caller.agency.id);
        format!("{}_{}", SubmissionId::PREFIX, self.hub.keys.seal(id.as_bytes(), &bound_to))
    }

    fn submission_position(&self, list: &str, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(list, cursor)?;
        let Position(at, id) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, id))
    }
}

/// Whether a submission about the child is for this caller: whoever decides on it, and whoever searches for the child.
fn receives(gate: &Gate<'_>, row: &SubmissionRow) -> bool {
    let searches = gate.standing().missing && row.kind.helps_a_search() && gate.permit(Act::RecordSighting).is_ok();
    gate.permit(Act::DecideSubmission).is_ok() || searches
}

fn path(parts: &[&str]) -> Vec<String> {
    ["about"].iter().chain(parts).map(|part| (*part).to_owned()).collect()
}

fn read_text(argument: &str, text: String, of: ValueKind) -> Result<String, Box<Refusal>> {
    match of.read(&Json::from(text)) {
        Ok(Value::Text(text)) => Ok(text),
        Ok(_) => Err(Box::new(Refusal::at(ErrorCode::InvalidInput, ["about", argument]))),
        Err((_, invalid)) => Err(Box::new(Refusal::of_value(path(&[argument]), invalid))),
    }
}

/// The reason, which must be there to lay something aside.
fn read_reason(verdict: &Verdict) -> Result<Option<String>, Error> {
    let Some(reason) = verdict.reason.clone() else {
        let needed = verdict.decision == Decision::Dismiss;
        return if needed { Err(Error::refused(ErrorCode::Required, ["reason"])) } else { Ok(None) };
    };
    match REASON.read(&Json::from(reason)) {
        Ok(Value::Text(reason)) => Ok(Some(reason)),
        Ok(_) => Err(Error::refused(ErrorCode::InvalidInput, ["reason"])),
        Err((_, invalid)) => Err(Error::Refused(vec![Refusal::of_value(vec!["reason".to_owned()], invalid)])),
    }
}

fn is_open(row: &SubmissionRow) -> Result<(), Error> {
    match row.state {
        State::Open => Ok(()),
        decided => Err(Error::Refused(vec![Refusal::in_state(["submissionId"], decided.code(), [])])),
    }
}

fn is_lawful(row: &SubmissionRow, verdict: &Verdict) -> Result<(), Error> {
    if verdict.feedback.is_none() || Feedback::is_lawful(row.kind, row.role) {
        return Ok(());
    }
    let expected = "no feedback: the law allows it for a CONCERN of those who must report (OSL 26 kap. 9 a §)";
    Err(Error::refused_for(ErrorCode::InvalidInput, ["feedback"], expected))
}
