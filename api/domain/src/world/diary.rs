//! What each agency wrote when. The rows of the record, their stamps and the revisions all follow
//! from it, so that they cannot disagree.

use super::{Revision, SectionRow};
use crate::catalogue::{FieldId, Section, Source, Value};
use crate::ids::{AgencyId, PlacementId};
use crate::stamps::Stamps;
use chrono::NaiveDate;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A write states what is so from now on: a value, or none.
pub(super) type Stated = (&'static str, Option<Value>);

struct Note {
    section: Section,
    entry: Option<Uuid>,
    at: i64,
    agency: AgencyId,
    user: Option<String>,
    told: Told,
}

enum Told {
    Stated(Vec<Stated>),
    /// The last day of a placement.
    Ends(NaiveDate),
    /// A new number: by field, the entry.
    Number(Map<String, Json>),
}

pub(super) struct Diary<'a> {
    agency_id: &'a dyn Fn(&str) -> AgencyId,
    notes: Vec<Note>,
}

#[derive(Default)]
struct Row {
    values: BTreeMap<FieldId, Value>,
    stamps: Stamps,
    last_day: Option<NaiveDate>,
}

impl<'a> Diary<'a> {
    pub(super) fn new(agency_id: &'a dyn Fn(&str) -> AgencyId) -> Self {
        Diary { agency_id, notes: Vec::new() }
    }

    pub(super) fn agency(&self, code: &str) -> AgencyId {
        (self.agency_id)(code)
    }

    /// Notes what an agency wrote in a section.
    pub(super) fn write(&mut self, at: i64, agency: &str, section: Section, stated: Vec<Stated>) {
        self.note(at, agency, section, None, Told::Stated(stated));
    }

    /// Notes what an agency wrote of a placement.
    pub(super) fn write_placement(&mut self, at: i64, agency: &str, id: Uuid, stated: Vec<Stated>) {
        self.note(at, agency, Section::Placement, Some(id), Told::Stated(stated));
    }

    /// Notes what an agency wrote of a missing episode.
    pub(super) fn write_episode(&mut self, at: i64, agency: &str, id: Uuid, stated: Vec<Stated>) {
        self.note(at, agency, Section::Missing, Some(id), Told::Stated(stated));
    }

    /// Notes that a placement ended.
    pub(super) fn end_placement(&mut self, at: i64, agency: &str, id: Uuid) {
        self.note(at, agency, Section::Placement, Some(id), Told::Ends(crate::clock::day(at)));
    }

    /// Notes a new number of the child, or that one is valid no more.
    pub(super) fn write_number(&mut self, at: i64, agency: &str, told: Map<String, Json>) {
        self.note(at, agency, Section::Identifiers, None, Told::Number(told));
    }

    fn note(&mut self, at: i64, agency: &str, section: Section, entry: Option<Uuid>, told: Told) {
        // Looks like a case worker's opaque name, and is the same for one agency on one day.
        let user = Some(format!("u-{:04}", at.div_euclid(super::DAY).rem_euclid(37) * 100 + agency.len() as i64));
        let agency = self.agency(agency);
        self.notes.push(Note { section, entry, at, agency, user, told });
    }

    /// The rows as they are after every write, and the writes by section, in order.
    pub(super) fn close(mut self) -> (Vec<SectionRow>, Vec<Revision>) {
        self.notes.sort_by_key(|note| (note.section, note.at));
        let mut rows: BTreeMap<(Section, Option<Uuid>), Row> = BTreeMap::new();
        let mut revisions = Vec::with_capacity(self.notes.len());
        for Note { section, entry, at, agency, user, told } in self.notes {
            let row = rows.entry((section, entry)).or_default();
            let changes = match told {
                Told::Stated(stated) => row.apply(section, at, agency, stated),
                Told::Ends(on) => row.end(entry, on, at, agency),
                Told::Number(changes) => changes,
            };
            if !changes.is_empty() {
                let changes = Json::Object(changes);
                revisions.push(Revision { section, number: 0, at, agency, user, entry, changes });
            }
        }
        number(&mut revisions);
        rows.retain(|(section, _), _| *section != Section::Identifiers);
        let made = |((section, entry), row): ((Section, Option<Uuid>), Row)| SectionRow {
            section,
            entry: entry.map(|id| (id, row.last_day)),
            values: row.values.into_iter().collect(),
            stamps: row.stamps,
        };
        (rows.into_iter().map(made).collect(), revisions)
    }
}

/// Numbers the revisions, which are sorted by section and time, within each section.
fn number(revisions: &mut [Revision]) {
    let mut last: Option<(Section, i64)> = None;
    for revision in revisions {
        let number = last.filter(|(section, _)| *section == revision.section).map_or(1, |(_, number)| number + 1);
        revision.number = number;
        last = Some((revision.section, number));
    }
}

impl Row {
    /// Brings the row to what is stated; gives what changed, by field.
    fn apply(&mut self, section: Section, at: i64, agency: AgencyId, stated: Vec<Stated>) -> Map<String, Json> {
        let mut changes = Map::new();
        for (name, value) in stated {
            let Some(id) = section.field(name) else { continue };
            if self.values.get(&id) == value.as_ref() {
                continue;
            }
            changes.insert(name.to_owned(), value.as_ref().map_or(Json::Null, Value::to_json));
            self.stamps.touch(id.field().column, at, agency);
            match value {
                Some(value) => self.values.insert(id, value),
                None => self.values.remove(&id),
            };
        }
        self.raise_flags(section, at, agency);
        changes
    }

    fn end(&mut self, entry: Option<Uuid>, on: NaiveDate, at: i64, agency: AgencyId) -> Map<String, Json> {
        self.last_day = Some(on);
        self.stamps.touch("valid_to", at, agency);
        let id = entry.map(|id| PlacementId(id).to_string());
        Map::from_iter([("earlier".to_owned(), json!([{ "id": id, "to": on.to_string() }]))])
    }

    /// Flags say whether any of their fields has something to tell, once one of them ever had a value.
    fn raise_flags(&mut self, section: Section, at: i64, agency: AgencyId) {
        for flag in section.fields().filter(|_| !section.is_of_protocols()) {
            let Source::Flag(of) = flag.field().source else { continue };
            let mut fields = of.iter().filter_map(|name| section.field(name));
            let was_set = fields.clone().any(|id| self.stamps.get(id.field().column).is_some());
            let raised = Value::Bool(fields.any(|id| self.values.get(&id).is_some_and(Value::raises_flag)));
            if was_set && self.values.get(&flag) != Some(&raised) {
                self.values.insert(flag, raised);
                self.stamps.touch(flag.field().column, at, agency);
            }
        }
    }
}

/// A text.
pub(super) fn text(text: impl Into<String>) -> Option<Value> {
    Some(Value::Text(text.into()))
}

/// The day of an instant.
pub(super) fn day(at: i64) -> Option<Value> {
    Some(Value::Date(crate::clock::day(at)))
}

/// Yes or no.
pub(super) fn yes(yes: bool) -> Option<Value> {
    Some(Value::Bool(yes))
}

/// A list.
pub(super) fn list(items: impl IntoIterator<Item = impl Into<Json>>) -> Option<Value> {
    Some(Value::List(items.into_iter().map(Into::into).collect()))
}
