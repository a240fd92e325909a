//! Changing a child's record: check the input, read, decide, compare versions, change, keep who did it.

use super::Session;
use super::change::{Reading, Work};
use super::step::Step;
use crate::agency::AgencyKind;
use crate::catalogue::{FieldId, FieldSet, IdentifierKind, Section, Source, Value};
use crate::clock::day;
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::{Loaded, identifier};
use crate::ids::{AgencyId, IdentifierId, PlacementId};
use crate::leak::Leak;
use crate::policy::Protection;
use crate::stamps::Stamps;
use crate::store::{Author, IdentifierRow, Row, Write};
use crate::view::{ChildView, Selection};
use chrono::NaiveDate;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// A change of a section as the caller asks for it: only what is set changes, only what is named is
/// emptied, and a null changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// Input values by field name; nulls are left out.
    pub set: Map<String, Json>,
    /// Names of fields to empty.
    pub clear: Vec<String>,
}

/// A checked change: the fields with their new values.
pub(super) type Changes = Vec<(FieldId, Option<Value>)>;

/// What a write to a row comes to.
struct Revised {
    changes: Changes,
    stamps: Stamps,
    /// By field, without the flags that the hub keeps.
    told: Map<String, Json>,
}

impl<'s> Step<'s> {
    /// Changes a section.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with every input that is wrong or that the caller may not write;
    /// `CONFLICT` if something the caller can see of the section has changed since
    /// `expected_version`; [`Error::NotFound`]. Nothing is written then.
    pub async fn update(
        &self,
        child: &str,
        section: Section,
        expected_version: &str,
        patch: &Patch,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            let changes = &self.read_patch(section, patch).await?;
            let reading = Reading::Section(section, selection);
            let decide = |work: Work<'s>| async move {
                work.permit(changes, current_row(&work.loaded, section, work.child()).as_ref())?;
                self.change(work, section, expected_version, changes.clone()).await
            };
            let work = self.decide(child, Uuid::nil(), reading, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Makes permitted changes to a section's row as it is now, if the caller has seen it as it is.
    pub(super) async fn change(
        &self,
        work: Work<'s>,
        section: Section,
        expected_version: &str,
        changes: Changes,
    ) -> Result<Work<'s>, Error> {
        work.expect(section, expected_version)?;
        let rows = work.loaded.rows(section, work.child());
        let (row, is_new) = (current_row(&work.loaded, section, work.child()), rows.is_empty());
        if section == Section::Placement {
            self.fits_between(&changes, rows)?;
        }
        if section == Section::Placement && row.is_none() {
            return Err(Error::Code(ErrorCode::NoSuchEntry));
        }
        let row = row.unwrap_or_else(|| new_row(work.child()));
        self.apply(work, section, row, changes, is_new).await
    }

    /// Ends the current placement, if there is one, and starts another.
    ///
    /// # Errors
    ///
    /// As [`Step::update`]; `from` must be set, and be neither ahead nor before another placement began or ended.
    pub async fn start_placement(
        &self,
        child: &str,
        expected_version: &str,
        patch: &Patch,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            let changes = self.read_patch(Section::Placement, patch).await?;
            let from = value_of(&changes, "from").and_then(as_day);
            let from = from.ok_or_else(|| Error::refused(ErrorCode::Required, ["set", "from"]))?;
            let changes = &changes;
            let decide = |mut work: Work<'s>| async move {
                let current = current_placement(&work.loaded, work.child());
                work.permit(changes, current.as_ref())?;
                work.expect(Section::Placement, expected_version)?;
                self.fits_between(changes, work.loaded.rows(Section::Placement, work.child()))?;
                if let Some(current) = current {
                    work.end_placement(self, current, from, &["set", "from"])?;
                }
                // Wherever the child stayed, it is not there any more; `apply` opens the new whereabouts, if the hub knows
                // them.
                self.follow_placement(&mut work, None).await?;
                let mut row = new_row(work.child());
                let id = self.hub.dice.id();
                row.entry = Some(crate::store::Entry { id, from: None, to: None, agency: None });
                self.apply(work, Section::Placement, row, changes.clone(), true).await
            };
            let reading = Reading::Section(Section::Placement, selection);
            let work = self.decide(child, Uuid::nil(), reading, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Ends the current placement.
    ///
    /// # Errors
    ///
    /// As [`Step::update`]; `NO_SUCH_ENTRY` if there is none; `DATE_ORDER` if it would end before it began, or ahead of
    /// today.
    pub async fn end_placement(
        &self,
        child: &str,
        expected_version: &str,
        to: NaiveDate,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            let decide = |mut work: Work<'s>| async move {
                let current = current_placement(&work.loaded, work.child());
                let ends = Section::Placement.field("from").map(|id| (id, None)).into_iter().collect();
                work.permit_at(&ends, current.as_ref(), |_| vec!["to".to_owned()])?;
                self.not_ahead(to, &["to"])?;
                work.expect(Section::Placement, expected_version)?;
                let current = current.ok_or(Error::Code(ErrorCode::NoSuchEntry))?;
                work.end_placement(self, current, to, &["to"])?;
                self.follow_placement(&mut work, None).await?;
                Ok(work)
            };
            let reading = Reading::Section(Section::Placement, selection);
            let work = self.decide(child, Uuid::nil(), reading, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Adds a number to a child. One that is there already, without an end or with the same days, is not
    /// added twice: so the call is safe to repeat.
    ///
    /// # Errors
    ///
    /// `INVALID_IDENTIFIER`, `CHECK_DIGIT`, `FORBIDDEN`, [`Error::NotFound`]; `CONFLICT` for a number that is there with
    /// other days or another level.
    pub async fn add_identifier(
        &self,
        child: &str,
        new: super::NewIdentifier,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            let row = &new.read(self.hub.dice.id(), Uuid::nil(), &["identifier"])?;
            let decide = |mut work: Work<'s>| async move {
                let id = row.kind.field();
                work.permit_at(&vec![(id, None)], None, |_| vec!["identifier".to_owned(), "kind".to_owned()])?;
                let there = self.reader().await?.identifiers(&[work.child()], &IdentifierKind::ALL).await?;
                match there.iter().find(|old| is_there(old, row)) {
                    None => work.insert_identifier(self, row.clone()),
                    Some(old) if adds_nothing(old, row) => {}
                    Some(_) => return Err(Error::refused(ErrorCode::Conflict, ["identifier"])),
                }
                Ok(work)
            };
            let work = self.decide(child, Uuid::nil(), Reading::Several, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Ends the validity of a number.
    ///
    /// # Errors
    ///
    /// `NO_SUCH_ENTRY` for a number that the child has not, or that the caller may not see;
    /// `FORBIDDEN`, `INVALID_ID`, `DATE_ORDER`, [`Error::NotFound`].
    pub async fn end_identifier(
        &self,
        child: &str,
        identifier_id: &str,
        to: NaiveDate,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = async {
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["identifierId"], IdentifierId::PREFIX);
            let id = identifier_id.parse::<IdentifierId>().map_err(wrong)?;
            let decide = |mut work: Work<'s>| async move {
                let there = self.reader().await?.identifiers(&[work.child()], &IdentifierKind::ALL).await?;
                let seen = work.gate.may_show(Section::Identifiers);
                let tells = self.hub.leaks.planted(Leak::RefusalTellsHidden);
                let row = there.into_iter().find(|row| row.id == id.0 && (seen.contains(row.kind.field()) || tells));
                let mut row = row.ok_or(Error::Code(ErrorCode::NoSuchEntry))?;
                let field = row.kind.field();
                work.permit_at(&vec![(field, None)], None, |_| vec!["identifierId".to_owned()])?;
                if let Some(from) = row.valid_from.filter(|from| to < *from) {
                    return Err(Error::refused_for(ErrorCode::DateOrder, ["to"], format!("on or after {from}")));
                }
                if row.valid_to != Some(to) {
                    row.valid_to = Some(to);
                    work.end_identifier(self, row, to);
                }
                Ok(work)
            };
            let work = self.decide(child, Uuid::nil(), Reading::Several, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Checks a patch: names, values, agencies. Everything that is wrong is told at once.
    pub(super) async fn read_patch(&self, section: Section, patch: &Patch) -> Result<Changes, Error> {
        let (mut changes, mut refusals) = read_values(section, patch);
        for (id, value) in &changes {
            if let Some(Value::Agency(agency)) = value {
                let path = ["set", id.field().name];
                // A child stays with homes; to name another agency here would open the record to it.
                match self.agency_of(*agency, &[AgencyKind::CareHome], &path).await {
                    Err(Error::Refused(refused)) => refusals.extend(refused),
                    other => _ = other?,
                }
            }
        }
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        if changes.is_empty() {
            return Err(Error::refused(ErrorCode::NothingToDo, ["set"]));
        }
        changes.sort_by_key(|(id, _)| *id);
        Ok(changes)
    }

    /// An agency of one of these kinds.
    pub(super) async fn agency_of(&self, id: AgencyId, kinds: &[AgencyKind], path: &[&str]) -> Result<AgencyId, Error> {
        let agency = self.hub.agency(id).await?;
        let agency = agency.ok_or_else(|| Error::refused(ErrorCode::UnknownAgency, path.iter().copied()))?;
        if kinds.contains(&agency.kind) {
            return Ok(id);
        }
        let expected = kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
        Err(Error::refused_for(ErrorCode::AgencyKind, path.iter().copied(), expected))
    }

    /// Placements are on record as they happen: a planned one would end the real one.
    pub(super) fn not_ahead(&self, day: NaiveDate, input: &[&str]) -> Result<(), Error> {
        let today = self.today();
        let refused =
            || Error::refused_for(ErrorCode::DateOrder, input.iter().copied(), format!("on or before {today}"));
        if day > today { Err(refused()) } else { Ok(()) }
    }

    /// A first day, new or corrected, stays between the placement before and today.
    fn fits_between(&self, changes: &Changes, rows: &[Row]) -> Result<(), Error> {
        match changes.iter().find(|(id, _)| id.field().name == "from") {
            None => Ok(()),
            Some((_, None)) => Err(Error::refused(ErrorCode::Required, ["clear", "from"])),
            Some((_, value)) => {
                let Some(from) = value.as_ref().and_then(as_day) else { return Ok(()) };
                self.not_ahead(from, &["set", "from"])?;
                let before = rows.iter().filter_map(|row| row.entry.and_then(|entry| entry.to)).max();
                match before.filter(|before| from < *before) {
                    None => Ok(()),
                    Some(before) => {
                        let expected = format!("on or after {before}");
                        Err(Error::refused_for(ErrorCode::DateOrder, ["set", "from"], expected))
                    }
                }
            }
        }
    }

    /// Writes the changes to a row, and all that follows from them.
    pub(super) async fn apply(
        &self,
        mut work: Work<'s>,
        section: Section,
        row: Row,
        changes: Changes,
        is_new: bool,
    ) -> Result<Work<'s>, Error> {
        let revised = revise(section, &row, changes, &self.author());
        if revised.changes.is_empty() {
            return Ok(work);
        }
        let Revised { changes, stamps, told } = revised;
        let entry = row.entry;
        if section == Section::Placement
            && let Some((_, home)) = changes.iter().find(|(id, _)| id.field().name == "unitAgency")
        {
            let home = home.as_ref().and_then(|home| if let Value::Agency(home) = home { Some(*home) } else { None });
            self.follow_placement(&mut work, home).await?;
        }
        work.keep_photo(&changes);
        let purges = section == Section::Protection && changes.iter().any(registers);
        match entry {
            None => {
                work.put(section, written(row, &changes, &stamps));
                work.write.put_row(section, changes, stamps, is_new);
            }
            Some(entry) => work.write.put_placement(entry.id, entry.to, &changes, &stamps, is_new),
        }
        work.tell(self, section, entry.map(|entry| entry.id), told);
        if purges {
            for section in [Section::Placement, Section::Schooling] {
                work = self.purge(work, section).await?;
            }
            for row in self.reader().await?.handovers_of(work.child()).await? {
                work.write.keep_placeless(&row);
            }
        }
        Ok(work)
    }

    /// Empties what may not be kept, in every row, every revision and every suggestion of a section.
    async fn purge(&self, work: Work<'s>, section: Section) -> Result<Work<'s>, Error> {
        let mut work = self.and(work, section).await?;
        for row in work.loaded.rows(section, work.child()).to_vec() {
            let kept = never_kept(section).iter().filter(|id| row.value(*id).is_some());
            let emptied: Changes = kept.map(|id| (id, None)).collect();
            let Revised { changes, stamps, told: _ } = revise(section, &row, emptied, &self.author());
            match row.entry {
                None => work.write.put_row(section, changes, stamps, false),
                Some(entry) => work.write.put_placement(entry.id, entry.to, &changes, &stamps, false),
            }
        }
        work.write.purge(section, never_kept(section));
        Ok(work)
    }
}

impl Work<'_> {
    /// Refuses the whole change if the caller may not write one field of it, at that input's path.
    pub(super) fn permit(&self, changes: &Changes, row: Option<&Row>) -> Result<(), Error> {
        let path = |(id, value): &(FieldId, Option<Value>)| match value {
            Some(_) => vec!["set".to_owned(), id.field().name.to_owned()],
            None => vec!["clear".to_owned(), id.field().name.to_owned()],
        };
        self.permit_at(changes, row, path)
    }

    pub(super) fn permit_at(
        &self,
        changes: &Changes,
        row: Option<&Row>,
        path: impl Fn(&(FieldId, Option<Value>)) -> Vec<String>,
    ) -> Result<(), Error> {
        let refusal = |change: &(FieldId, Option<Value>)| {
            let rule = self.gate.write_refusal(change.0, row)?;
            Some(self.gate.forbidden(change.0, rule, path(change)))
        };
        let refusals: Vec<Refusal> = changes.iter().filter_map(refusal).collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
    }

    /// Compares versions over what the caller can see.
    fn expect(&self, section: Section, expected: &str) -> Result<(), Error> {
        let current = self.gate.version(section, &self.loaded);
        (current == expected).then_some(()).ok_or_else(|| Error::refused(ErrorCode::Conflict, ["expectedVersion"]))
    }

    /// The bytes of a photo are kept as long as the photo.
    fn keep_photo(&mut self, changes: &Changes) {
        if let Some((_, photo)) = changes.iter().find(|(id, _)| id.field().source == Source::Photo) {
            let kept =
                photo.as_ref().and_then(|value| if let Value::Photo(photo) = value { Some(photo.id) } else { None });
            self.write.drop_photos(kept);
        }
    }

    /// Ends a placement on a day, which stands at `input` in the caller's document.
    fn end_placement(&mut self, session: &Session, row: Row, to: NaiveDate, input: &[&str]) -> Result<(), Error> {
        let Some(entry) = row.entry else { return Err(Error::Code(ErrorCode::NoSuchEntry)) };
        if let Some(from) = entry.from.filter(|from| to < *from) {
            let expected = format!("on or after {from}");
            return Err(Error::refused_for(ErrorCode::DateOrder, input.iter().copied(), expected));
        }
        // What is shown as the current placement is gone with it.
        self.write.empties(row.values.iter().map(|(id, _)| *id));
        let mut stamps = row.stamps;
        stamps.touch("valid_to", session.now, session.caller.agency.id);
        self.write.put_placement(entry.id, Some(to), &[], &stamps, false);
        let ended = serde_json::json!([{ "id": PlacementId(entry.id).to_string(), "to": to.to_string() }]);
        self.tell(session, Section::Placement, Some(entry.id), Map::from_iter([("earlier".to_owned(), ended)]));
        Ok(())
    }

    fn insert_identifier(&mut self, session: &Session, mut row: IdentifierRow) {
        row.child = self.child();
        row.stamps.touch("value", session.now, session.caller.agency.id);
        let told = Map::from_iter([(row.kind.field().field().name.to_owned(), identifier(&row))]);
        self.write.insert_identifier(row);
        self.tell(session, Section::Identifiers, None, told);
    }

    fn end_identifier(&mut self, session: &Session, mut row: IdentifierRow, to: NaiveDate) {
        row.stamps.touch("value", session.now, session.caller.agency.id);
        self.write.end_identifier(row.id, to, &row.stamps);
        let told = Map::from_iter([(row.kind.field().field().name.to_owned(), identifier(&row))]);
        self.tell(session, Section::Identifiers, None, told);
    }

    /// Keeps the revision, and notes the change for the access log.
    fn tell(&mut self, session: &Session, section: Section, entry: Option<Uuid>, told: Map<String, Json>) {
        let fields: FieldSet = told.keys().filter_map(|name| section.field(name)).collect();
        let author = Author { suggested_by: self.suggested_by, ..session.author() };
        self.write.revise(section, entry, Json::Object(told), author);
        self.note(section.name(), fields);
        if matches!(section, Section::Protection | Section::Placement | Section::Identifiers) {
            // What the caller is to the child, and may be shown, follows from them.
            self.moves_more();
        }
    }
}

/// Whether protected registration (skyddad folkbokföring) begins.
fn registers((id, value): &(FieldId, Option<Value>)) -> bool {
    id.field().name == "level" && *value == Some(Value::Text(Protection::Registered.code().to_owned()))
}

/// A row with changes and their stamps.
fn written(mut row: Row, changes: &Changes, stamps: &Stamps) -> Row {
    row.values.retain(|(id, _)| !changes.iter().any(|(changed, _)| changed == id));
    row.values.extend(changes.iter().filter_map(|(id, value)| Some((*id, value.clone()?))));
    Row { stamps: stamps.clone(), ..row }
}

/// F31 and F42: never kept under protected registration (folkbokföringslagen 16–17 §§).
fn never_kept(section: Section) -> FieldSet {
    let address = |id: &FieldId| matches!(id.field().number, "F31" | "F42");
    section.fields().filter(address).collect()
}

fn read_values(section: Section, patch: &Patch) -> (Changes, Vec<Refusal>) {
    let mut changes = Changes::new();
    let mut refusals = Vec::new();
    for (name, input) in &patch.set {
        match section.field(name).filter(|id| id.field().source == Source::Column) {
            None => refusals.push(Refusal::at(ErrorCode::InvalidInput, ["set", name])),
            Some(id) => match id.field().kind.read(input) {
                Ok(value) => changes.push((id, Some(value))),
                Err((path, invalid)) => {
                    let path = ["set".to_owned(), name.clone()].into_iter().chain(path).collect();
                    refusals.push(Refusal::of_value(path, invalid));
                }
            },
        }
    }
    for name in &patch.clear {
        let emptied = |id: &FieldId| matches!(id.field().source, Source::Column | Source::Photo);
        match section.field(name).filter(emptied) {
            None => refusals.push(Refusal::at(ErrorCode::InvalidInput, ["clear", name])),
            Some(id) if changes.iter().any(|(set, value)| *set == id && value.is_some()) => {
                refusals.push(Refusal::at(ErrorCode::SetAndCleared, ["clear", name]));
            }
            Some(id) if changes.iter().any(|(cleared, _)| *cleared == id) => {}
            Some(id) => changes.push((id, None)),
        }
    }
    (changes, refusals)
}

/// Only what differs changes; flags follow; each change is stamped.
fn revise(section: Section, row: &Row, changes: Changes, author: &Author) -> Revised {
    let mut changes: Changes = changes.into_iter().filter(|(id, value)| row.value(*id) != value.as_ref()).collect();
    let after = |id: FieldId| match changes.iter().find(|(changed, _)| *changed == id) {
        Some((_, value)) => value.as_ref(),
        None => row.value(id),
    };
    let flags = section.fields().filter_map(|id| {
        let Source::Flag(of) = id.field().source else { return None };
        let raised =
            of.iter().filter_map(|name| section.field(name)).any(|id| after(id).is_some_and(Value::raises_flag));
        let flag = Some(Value::Bool(raised));
        let was_raised = row.value(id) == Some(&Value::Bool(true));
        (raised != was_raised).then_some((id, flag))
    });
    let flags: Changes = flags.collect();
    let told = changes
        .iter()
        .map(|(id, value)| (id.field().name.to_owned(), value.as_ref().map_or(Json::Null, Value::to_json)));
    let told = told.collect();
    changes.extend(flags);
    let mut stamps = row.stamps.clone();
    for (id, _) in &changes {
        stamps.touch(id.field().column, author.at, author.agency);
    }
    Revised { changes, stamps, told }
}

/// Whether a number is on record already.
pub(super) fn is_there(old: &IdentifierRow, new: &IdentifierRow) -> bool {
    let days = |row: &IdentifierRow| (row.valid_from, row.valid_to);
    old.kind == new.kind && old.value == new.value && (old.valid_to.is_none() || days(old) == days(new))
}

/// Whether a number that is on record already says all that the new one says.
fn adds_nothing(old: &IdentifierRow, new: &IdentifierRow) -> bool {
    let says = |old: Option<NaiveDate>, new: Option<NaiveDate>| new.is_none() || new == old;
    let level = new.identity_level.is_none() || new.identity_level == old.identity_level;
    level && says(old.valid_from, new.valid_from) && says(old.valid_to, new.valid_to)
}

pub(super) fn new_row(child: Uuid) -> Row {
    Row { child, ..Row::default() }
}

/// The row that a section's update changes: the only one, or the placement that has not ended.
pub(super) fn current_row(loaded: &Loaded, section: Section, child: Uuid) -> Option<Row> {
    let rows = loaded.rows(section, child);
    rows.iter().find(|row| row.entry.is_none_or(|entry| entry.to.is_none())).cloned()
}

pub(super) fn current_placement(loaded: &Loaded, child: Uuid) -> Option<Row> {
    let rows = loaded.rows(Section::Placement, child);
    rows.iter().find(|row| row.entry.is_some_and(|entry| entry.to.is_none())).cloned()
}

pub(super) fn value_of<'c>(changes: &'c Changes, name: &str) -> Option<&'c Value> {
    changes.iter().find(|(id, _)| id.field().name == name).and_then(|(_, value)| value.as_ref())
}

pub(super) fn as_day(value: &Value) -> Option<NaiveDate> {
    if let Value::Date(day) = value { Some(*day) } else { None }
}

/// Writes made while a child is registered go the same way as later ones.
pub(super) fn first_write(
    session: &Session,
    write: &mut Write,
    child: Uuid,
    section: Section,
    changes: Changes,
) -> FieldSet {
    let author = session.author();
    let Revised { changes, stamps, told } = revise(section, &new_row(child), changes, &author);
    let fields = told.keys().filter_map(|name| section.field(name)).collect();
    write.put_row(section, changes, stamps, true);
    write.revise(section, None, Json::Object(told), author);
    fields
}

/// As [`first_write`], for a number.
pub(super) fn first_identifier(session: &Session, write: &mut Write, mut row: IdentifierRow) -> FieldId {
    let author = session.author();
    let field = row.kind.field();
    row.stamps.touch("value", author.at, author.agency);
    let told = Map::from_iter([(field.field().name.to_owned(), identifier(&row))]);
    write.insert_identifier(row);
    write.revise(Section::Identifiers, None, Json::Object(told), author);
    field
}

impl Session {
    /// Today, by the hub's clock.
    pub fn today(&self) -> NaiveDate {
        day(self.now)
    }

    pub(super) fn author(&self) -> Author {
        Author { agency: self.caller.agency.id, user: self.caller.user.clone(), at: self.now, suggested_by: None }
    }
}

impl IdentifierKind {
    /// Whether an identity level belongs to this kind: coordination numbers only.
    pub const fn has_identity_level(self) -> bool {
        matches!(self, IdentifierKind::CoordinationNumber)
    }
}
