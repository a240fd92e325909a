//! Suggested corrections: whoever may not write a field suggests, whoever may decides.

use super::change::{Reading, Work};
use super::step::{Step, Stop};
use super::write::{Changes, as_day, current_row, value_of};
use super::{Patch, Session, page_size};
use crate::catalogue::{FieldId, FieldSet, Kind, Section, Value};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::EventKind;
use crate::gate::Gate;
use crate::ids::SuggestionId;
use crate::store::{Plan, Planned, Row, SuggestedRow, SuggestionRow};
use crate::suggestion::{Change, Outcome, State};
use crate::view::{ChildView, Page, Selection, SuggestionView};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

/// How many suggestions an agency makes on one child in a day.
const MOST_A_DAY: u64 = 50;
/// A day, in microseconds.
const DAY: i64 = 24 * 3_600_000_000;
/// How many suggestions are read at a time.
const READ: u64 = 100;
/// A comment or a reason.
const WORDS: Kind = Kind::Text(1000);

/// A correction of a section, as the caller asks for it.
#[derive(Clone, Debug)]
pub struct Correction {
    /// The section.
    pub section: Section,
    /// As an update of the section would be.
    pub patch: Patch,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl<'s> Step<'s> {
    /// Suggests a correction to those who may write it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with every input that is wrong, every field that the caller writes itself (`USE_UPDATE`) and every
    /// one that it may neither see nor hand in (`FORBIDDEN`), whatever the record holds; `TOO_MANY_SUGGESTIONS`;
    /// [`Error::NotFound`]. Nothing is kept then.
    pub async fn suggest_correction(
        &self,
        child: &str,
        correction: &Correction,
        comment: Option<&str>,
        selection: &Selection,
    ) -> Result<(ChildView, SuggestionView), Error> {
        let result = async {
            let section = correction.section;
            let under = |error| under(error, section);
            let (changes, comment) = &self.read_correction(correction, comment).await?;
            let made = self.hub.dice.id();
            let decide = |work: Work<'s>| async move {
                let mut work = self.and(work, section).await?;
                let row = current_row(&work.loaded, section, work.child());
                permit_suggestion(&work.gate, changes, row.as_ref()).map_err(under)?;
                let own = self.caller.agency.id;
                let many = self.reader().await?.suggestions_since(work.child(), own, self.now - DAY).await?;
                if many >= MOST_A_DAY {
                    return Err(Error::Code(ErrorCode::TooManySuggestions));
                }
                let fields: FieldSet = changes.iter().map(|(id, _)| *id).collect();
                let (changes, comment) = (changes.clone(), comment.clone());
                let suggestion = self.new_suggestion(made, &work, section, row.as_ref(), changes, comment);
                let entry = suggestion.entry;
                work.write.insert_suggestion(suggestion);
                work.write.event_on(EventKind::SuggestionMade, fields, entry, Some(made));
                work.note("suggestCorrection", fields);
                Ok(work)
            };
            let work = self.decide(child, made, Reading::Several, decide).await?;
            self.finish_suggestion(work, made, selection).await
        };
        self.conclude_suggestion(Box::pin(result).await, selection).await
    }

    /// Writes open fields of a suggestion into the record, by the way of every update: those named, or all that the caller
    /// is shown.
    ///
    /// # Errors
    ///
    /// As [`Step::update`], with the fields below `fields`; [`Error::NotFound`] alike for a suggestion that never was and
    /// one the caller may not know; `SUGGESTION_DECIDED`; `NO_SUCH_ENTRY` if the placement it is about is not the current one.
    pub async fn accept_suggestion(
        &self,
        id: &str,
        expected_version: &str,
        fields: Option<&[String]>,
        selection: &Selection,
    ) -> Result<(ChildView, SuggestionView), Error> {
        let result = async {
            let (id, known) = self.find_suggestion(id).await?;
            let child = self.public_id(known.map(|row| row.child).unwrap_or_default());
            let decide = |work: Work<'s>| async move {
                let (row, open) = self.open_suggestion(&work, id).await?;
                let checked = self.read_again(&row).await;
                let is_whole = |id: &FieldId| row.fields.iter().any(|field| field.field == *id && field.is_whole());
                let wanted = wanted(&row, open.iter().filter(is_whole).collect(), fields)?;
                let mut work = self.and(work, row.section).await?;
                let current = current_row(&work.loaded, row.section, work.child());
                let below = |(id, _): &(FieldId, Option<Value>)| vec!["fields".to_owned(), id.field().name.to_owned()];
                let plain = wanted.iter().map(|id| (id, None)).collect();
                work.permit_at(&plain, current.as_ref(), below)?;
                if row.section == Section::Placement
                    && current.as_ref().and_then(|row| row.entry).map(|e| e.id) != row.entry
                {
                    return Err(Error::Code(ErrorCode::NoSuchEntry));
                }
                let changes = to_write(&row, checked.map_err(below_fields)?, wanted, current.as_ref())?;
                work.suggested_by = Some(row.agency);
                let changed = self.change(work, row.section, expected_version, changes).await;
                let mut work = changed.map_err(below_fields)?;
                work.write.decide(id, wanted, Outcome::Accepted, None, &self.author());
                work.write.event_on(EventKind::SuggestionAccepted, wanted, row.entry, Some(id));
                work.note("acceptSuggestion", wanted);
                Ok(work)
            };
            let work = self.decide(&child, id, Reading::Several, decide).await?;
            self.finish_suggestion(work, id, selection).await
        };
        self.conclude_suggestion(Box::pin(result).await, selection).await
    }

    /// Declines the open fields of a suggestion that the caller may write. Whoever suggested it reads the reason.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` if there is an open field and the caller writes none of them; `SUGGESTION_DECIDED`; [`Error::NotFound`]
    /// as [`Step::accept_suggestion`].
    pub async fn decline_suggestion(
        &self,
        id: &str,
        reason: &str,
        selection: &Selection,
    ) -> Result<(ChildView, SuggestionView), Error> {
        let result = async {
            let reason = &words(Some(reason), "reason")?;
            let (id, known) = self.find_suggestion(id).await?;
            let child = self.public_id(known.map(|row| row.child).unwrap_or_default());
            let decide = |work: Work<'s>| async move {
                let (row, open) = self.open_suggestion(&work, id).await?;
                let mut work = self.and(work, row.section).await?;
                let current = current_row(&work.loaded, row.section, work.child());
                let may_write = |id: &FieldId| work.gate.write_refusal(*id, current.as_ref()).is_none();
                let declined: FieldSet = open.iter().filter(may_write).collect();
                if declined.is_empty() {
                    let plain = open.iter().map(|id| (id, None)).collect();
                    work.permit_at(&plain, current.as_ref(), |_| vec!["suggestionId".to_owned()])?;
                    return Err(Error::Code(ErrorCode::SuggestionDecided));
                }
                work.write.decide(id, declined, Outcome::Declined, reason.as_deref(), &self.author());
                work.write.event_on(EventKind::SuggestionDeclined, declined, row.entry, Some(id));
                work.note("declineSuggestion", declined);
                Ok(work)
            };
            let work = self.decide(&child, id, Reading::Several, decide).await?;
            self.finish_suggestion(work, id, selection).await
        };
        self.conclude_suggestion(Box::pin(result).await, selection).await
    }

    /// Checks a correction as an update is checked, and the words beside it. Everything that is wrong is told at once.
    async fn read_correction(
        &self,
        correction: &Correction,
        comment: Option<&str>,
    ) -> Result<(Changes, Option<String>), Error> {
        let Correction { section, patch } = correction;
        let mut refusals = Vec::new();
        let mut gather = |error| match error {
            Error::Refused(more) => {
                refusals.extend(more);
                Ok(())
            }
            other => Err(other),
        };
        let changes = match self.read_patch(*section, patch).await {
            Ok(changes) => changes,
            Err(error) => {
                gather(under(error, *section))?;
                Changes::new()
            }
        };
        if let Err(error) = self.plausible(&changes) {
            gather(under(error, *section))?;
        }
        let comment = match words(comment, "comment") {
            Ok(comment) => comment,
            Err(error) => {
                gather(error)?;
                None
            }
        };
        if refusals.is_empty() { Ok((changes, comment)) } else { Err(Error::Refused(refusals)) }
    }

    /// What can be said of a first day without a look at the placements before it, which the caller may not know.
    fn plausible(&self, changes: &Changes) -> Result<(), Error> {
        let first = Section::Placement.field("from");
        if changes.iter().any(|(id, value)| Some(*id) == first && value.is_none()) {
            return Err(Error::refused(ErrorCode::Required, ["clear", "from"]));
        }
        let is_placement = changes.iter().all(|(id, _)| id.field().section == Section::Placement);
        match value_of(changes, "from").and_then(as_day).filter(|_| is_placement) {
            Some(from) => self.not_ahead(from, &["set", "from"]),
            None => Ok(()),
        }
    }

    fn new_suggestion(
        &self,
        id: Uuid,
        work: &Work<'_>,
        section: Section,
        row: Option<&Row>,
        changes: Changes,
        comment: Option<String>,
    ) -> SuggestionRow {
        let field = |(id, value): (FieldId, Option<Value>)| {
            let adds = id.field().kind.most().is_some() && !work.gate.shows(id, row);
            let change = match (&value, adds) {
                (None, _) => Change::Clear,
                (Some(_), true) => Change::Add,
                (Some(_), false) => Change::Set,
            };
            SuggestedRow {
                field: id,
                change,
                value: value.map(|value| value.to_json()),
                outcome: Outcome::Open,
                decided_at: None,
                decided_by: None,
                reason: None,
            }
        };
        SuggestionRow {
            id,
            child: work.child(),
            section,
            entry: row.and_then(|row| row.entry).map(|entry| entry.id),
            at: self.now,
            agency: self.caller.agency.id,
            role: self.caller.role.code().to_owned(),
            user: self.caller.user.clone(),
            comment,
            fields: changes.into_iter().map(field).collect(),
        }
    }

    /// Checks a suggestion's values anew: code lists and agencies may have changed since it was made.
    async fn read_again(&self, row: &SuggestionRow) -> Result<Changes, Error> {
        let name = |suggested: &SuggestedRow| suggested.field.field().name.to_owned();
        let set = row.fields.iter().filter_map(|suggested| Some((name(suggested), suggested.value.clone()?)));
        let clear = row.fields.iter().filter(|suggested| suggested.change == Change::Clear).map(name);
        self.read_patch(row.section, &Patch { set: set.collect(), clear: clear.collect() }).await
    }

    /// The suggestion that an id stands for, as it was when the request began, if there is one.
    async fn find_suggestion(&self, id: &str) -> Result<(Uuid, Option<SuggestionRow>), Error> {
        self.purpose()?;
        let id = match self.suggestion_id(id) {
            Err(Error::NotFound) => Uuid::nil(),
            other => other?,
        };
        Ok((id, self.reader().await?.suggestion(id).await?))
    }

    /// A suggestion as it is now, and its open fields that the caller is shown.
    async fn open_suggestion(&self, work: &Work<'_>, id: Uuid) -> Result<(SuggestionRow, FieldSet), Error> {
        let row = self.reader().await?.suggestion(id).await?;
        let placements = self.placements(work.child()).await?;
        let seen = row.and_then(|row| Some((work.gate.suggestion(String::new(), &row, &placements)?, row)));
        let Some((seen, row)) = seen else {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        };
        // Of its own suggestion the caller may know what it gave, and is shown nothing that it could decide on.
        if seen.showing.shown.is_empty() {
            return Err(Error::refused(ErrorCode::Forbidden, ["suggestionId"]));
        }
        Ok((row, seen.open))
    }

    /// Shows the child and the suggestion as they are after a change that was made.
    async fn finish_suggestion(
        &self,
        work: Work<'_>,
        id: Uuid,
        selection: &Selection,
    ) -> Result<(ChildView, SuggestionView), Stop> {
        let child = work.child();
        // Child and suggestion are shown as of one instant.
        drop(self.reader().await?);
        let view = self.child(&self.public_id(child), selection).await?;
        let view = ChildView { in_force_at: work.in_force_at, ..view };
        Ok((view, self.shown_suggestion(child, id).await?))
    }

    /// What the caller is told of a change to a suggestion; of one that was made before, as they are now.
    async fn conclude_suggestion(
        &self,
        result: Result<(ChildView, SuggestionView), Stop>,
        selection: &Selection,
    ) -> Result<(ChildView, SuggestionView), Error> {
        let done = match &result {
            Err(Stop::Done(child, made)) => Some((*child, *made)),
            _ => None,
        };
        let (view, suggestion) = match result {
            Ok((view, suggestion)) => (Ok(view), Some(suggestion)),
            Err(stop) => (Err(stop), None),
        };
        let view = self.conclude(view, selection).await?;
        let suggestion = match (suggestion, done) {
            (Some(suggestion), _) => Ok(suggestion),
            (None, Some((child, made))) => self.shown_suggestion(child, made).await,
            (None, None) => Err(Error::Code(ErrorCode::Internal)),
        };
        Ok((view, self.refused(suggestion)?))
    }

    async fn shown_suggestion(&self, child: Uuid, id: Uuid) -> Result<SuggestionView, Error> {
        let gate = self.known_child(&self.public_id(child)).await?;
        let placements = self.placements(child).await?;
        let row = self.reader().await?.suggestion(id).await?;
        let seen = row.and_then(|row| gate.suggestion(self.public_suggestion(id), &row, &placements));
        let seen = seen.ok_or(Error::NotFound)?;
        self.note(|draft| draft.show(gate.standing().subject, seen.showing));
        Ok(seen.view)
    }
}

impl Session {
    /// The suggestions on a child that the caller may see, latest first.
    ///
    /// # Errors
    ///
    /// As [`Session::child`]; `PAGE_SIZE`, `INVALID_CURSOR`.
    pub async fn suggestions(
        &self,
        child: &str,
        state: Option<State>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<SuggestionView>, Error> {
        let result = async {
            self.purpose()?;
            let size = page_size(first)?;
            let gate = self.known_child(child).await?;
            let list = format!("suggestions|{}|{state:?}", gate.standing().child);
            let mut before = after.map(|cursor| self.suggestion_position(&list, cursor)).transpose()?;
            let placements = self.placements(gate.standing().child).await?;
            let mut found = Vec::with_capacity(size + 1);
            while found.len() <= size {
                let rows = self.reader().await?.suggestions(gate.standing().child, before, READ).await?;
                let seen = rows.iter().filter_map(|row| {
                    let seen = gate.suggestion(self.public_suggestion(row.id), row, &placements)?;
                    let wanted = state.is_none_or(|state| seen.view.state == state);
                    wanted.then_some(((row.at, row.id), seen))
                });
                found.extend(seen);
                before = rows.last().map(|row| (row.at, row.id));
                if (rows.len() as u64) < READ {
                    break;
                }
            }
            let has_next = found.len() > size;
            found.truncate(size);
            let subject = gate.standing().subject;
            self.note(|draft| draft.show(subject, gate.glance()));
            let item = |((at, id), seen): ((i64, Uuid), crate::gate::Suggested)| {
                self.note(|draft| draft.show(subject, seen.showing));
                let position = serde_json::to_vec(&Position(at, id)).unwrap_or_default();
                (self.cursor(&list, &position), seen.view)
            };
            Ok(Page { items: found.into_iter().map(item).collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    fn suggestion_position(&self, list: &str, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(list, cursor)?;
        let Position(at, id) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, id))
    }

    /// The placements of a child without their values: which is the current one, and whose it is.
    async fn placements(&self, child: Uuid) -> Result<Vec<Row>, Error> {
        let all = Planned { section: Section::Placement, fields: FieldSet::EMPTY, stamps: false, ended: true };
        let plan = Plan { sections: vec![all], responsible: false };
        let read = self.reader().await?.sections(&[child], &plan).await?;
        Ok(read.rows.into_iter().map(|(_, row)| row).collect())
    }

    /// The id under which the caller knows a suggestion: partners have ids of their own, as they have of children.
    fn public_suggestion(&self, id: Uuid) -> String {
        if self.rests_on_consent() {
            format!("{}_{}", SuggestionId::PREFIX, self.hub.keys.seal(id.as_bytes(), &self.suggestion_use()))
        } else {
            SuggestionId(id).to_string()
        }
    }

    fn suggestion_id(&self, text: &str) -> Result<Uuid, Error> {
        let wrong = || Error::refused_for(ErrorCode::InvalidId, ["suggestionId"], SuggestionId::PREFIX);
        if !self.rests_on_consent() {
            return text.parse::<SuggestionId>().map(|id| id.0).map_err(|_| wrong());
        }
        let sealed = text.strip_prefix(SuggestionId::PREFIX).and_then(|rest| rest.strip_prefix('_'));
        let sealed = sealed.filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        let opened = self.hub.keys.open(sealed.ok_or_else(wrong)?, &self.suggestion_use());
        opened.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or(Error::NotFound)
    }

    fn suggestion_use(&self) -> String {
        format!("suggestion|{}", self.caller.agency.id)
    }
}

/// A comment or a reason; none where none is given.
fn words(text: Option<&str>, argument: &str) -> Result<Option<String>, Error> {
    let Some(text) = text else { return Ok(None) };
    let refused = |(_, invalid)| Error::Refused(vec![Refusal::of_value(vec![argument.to_owned()], invalid)]);
    match WORDS.read(&Json::from(text)).map_err(refused)? {
        Value::Text(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// Refuses the whole suggestion if one field of it may not be suggested, at that input's path.
fn permit_suggestion(gate: &Gate<'_>, changes: &Changes, row: Option<&Row>) -> Result<(), Error> {
    let refusal = |(id, value): &(FieldId, Option<Value>)| {
        let (code, rule) = gate.suggest_refusal(*id, value.is_some(), row)?;
        let way = if value.is_some() { "set" } else { "clear" };
        let refusal = gate.forbidden(*id, rule, vec![way.to_owned(), id.field().name.to_owned()]);
        Some(Refusal { code, ..refusal })
    };
    let refusals: Vec<Refusal> = changes.iter().filter_map(refusal).collect();
    if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
}

/// The open fields to accept: those named, or all that the caller is shown.
fn wanted(row: &SuggestionRow, open: FieldSet, named: Option<&[String]>) -> Result<FieldSet, Error> {
    let Some(named) = named else {
        return if open.is_empty() { Err(Error::Code(ErrorCode::SuggestionDecided)) } else { Ok(open) };
    };
    let read = |name: &String| {
        let id = row.section.field(name).ok_or(ErrorCode::InvalidInput)?;
        // One that is decided, one that is not there and one that the caller may not see are the same answer.
        if open.contains(id) { Ok(id) } else { Err(ErrorCode::SuggestionDecided) }
    };
    let (mut wanted, mut refusals) = (FieldSet::EMPTY, Vec::new());
    for name in named {
        match read(name) {
            Ok(id) => wanted.insert(id),
            Err(code) => refusals.push(Refusal::at(code, ["fields", name])),
        }
    }
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    if wanted.is_empty() { Err(Error::refused(ErrorCode::NothingToDo, ["fields"])) } else { Ok(wanted) }
}

/// The changes that accepting some fields comes to.
fn to_write(row: &SuggestionRow, checked: Changes, wanted: FieldSet, current: Option<&Row>) -> Result<Changes, Error> {
    let adds = |id: FieldId| row.fields.iter().any(|field| field.field == id && field.change == Change::Add);
    let change = |(id, value): (FieldId, Option<Value>)| {
        let value = if adds(id) { added(id, current.and_then(|row| row.value(id)), value)? } else { value };
        Ok((id, value))
    };
    checked.into_iter().filter(|(id, _)| wanted.contains(*id)).map(change).collect()
}

/// A list with the items that it does not have yet.
fn added(id: FieldId, there: Option<&Value>, new: Option<Value>) -> Result<Option<Value>, Error> {
    let (Some(Value::List(there)), Some(Value::List(new))) = (there, &new) else { return Ok(new) };
    let mut items = there.clone();
    items.extend(new.iter().filter(|item| !there.contains(item)).cloned());
    match id.field().kind.most().filter(|most| items.len() > *most) {
        None => Ok(Some(Value::List(items))),
        Some(most) => {
            let path = vec!["fields".to_owned(), id.field().name.to_owned()];
            Err(Error::Refused(vec![Refusal::of_value(path, crate::catalogue::Invalid::TooLong(most))]))
        }
    }
}

/// Puts the refusals of a patch under its section in `correction`.
fn under(error: Error, section: Section) -> Error {
    prefixed(error, |input| input.splice(0..0, ["correction".to_owned(), section.name().to_owned()]).for_each(drop))
}

/// Puts the refusals of a patch under `fields`.
fn below_fields(error: Error) -> Error {
    prefixed(error, |input| {
        if let Some(first) = input.first_mut().filter(|first| matches!(first.as_str(), "set" | "clear")) {
            "fields".clone_into(first);
        }
    })
}

fn prefixed(error: Error, change: impl Fn(&mut Vec<String>)) -> Error {
    match error {
        Error::Refused(mut refusals) => {
            refusals.iter_mut().for_each(|refusal| change(&mut refusal.input));
            Error::Refused(refusals)
        }
        other => other,
    }
}
