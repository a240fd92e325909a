//! What has changed, for systems: events in their order, cut by the rights of now.

use super::Session;
use crate::catalogue::{FieldSet, Section};
use crate::error::{Error, ErrorCode};
use crate::feed::{EventKind, Heard, Listener, Place, Topic, heard};
use crate::gate::{Gate, Loaded};
use crate::ids::{EpisodeId, HandoverId, ItemId};
use crate::store::{EventRow, Plan, Planned, Row};
use crate::view::{SectionSelection, Selection};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

const CHANGES: &str = "changes";
/// How many events a page holds where the caller does not say.
const USUAL: i32 = 10;
/// How many events are read at a time.
const READ: u64 = 200;
/// How many numbers of the stream one page goes through at most. Whoever sees an empty page that is not the last learns that
/// so much happened in the whole hub since its cursor, and nothing of where; how long the page takes tells no more than that.
const FURTHEST: i64 = 20_000;

/// A page of the stream.
#[derive(Clone, Debug)]
pub struct Changes {
    /// In their order.
    pub items: Vec<ChangeView>,
    /// Where the next page begins, whether this one holds anything or not.
    pub cursor: String,
    /// Whether there is more to read now.
    pub has_more: bool,
}

/// An event, as far as one caller may know of it.
#[derive(Clone, Debug)]
pub struct ChangeView {
    /// The same whenever this caller reads it, and of no other event.
    pub id: String,
    /// Where the next page begins if this was the last that was taken.
    pub cursor: String,
    /// What happened.
    pub kind: EventKind,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The id under which the caller knows the child, if it may know of it.
    pub child: Option<String>,
    /// The sections that it concerns, with their versions as they are now.
    pub sections: Vec<(Section, String)>,
    /// The id of the handover, to its parties.
    pub handover: Option<String>,
    /// The id of the missing episode.
    pub episode: Option<String>,
    /// The id of the item of a checklist.
    pub item: Option<String>,
}

/// What was read from the stream for one page.
struct Found<'g> {
    heard: Vec<(EventRow, Heard)>,
    gates: HashMap<Uuid, Gate<'g>>,
    /// Up to which number everything was looked at.
    position: i64,
    has_more: bool,
}

impl Session {
    /// What has changed since a cursor; from the beginning where there is none. In the order in which it came into force, and of
    /// each child in the order of its changes; a change that was acknowledged before this was asked is in it. Of each event the
    /// caller is told what its rights of now allow: of a hidden change nothing, not that there was one.
    ///
    /// # Errors
    ///
    /// `PAGE_SIZE`; `INVALID_CURSOR` for a cursor of another caller; `PURPOSE_REQUIRED`.
    pub async fn changes(&self, after: Option<&str>, first: Option<i32>) -> Result<Changes, Error> {
        let result = async {
            let size = super::page_size(Some(first.unwrap_or(USUAL)))?;
            let purpose = self.purpose()?;
            let after = after.map(|cursor| self.stream_position(cursor)).transpose()?.unwrap_or(0);
            // Before the request's snapshot, unless something beside this field has begun it: then it is as of that instant.
            self.hub.store.number_events().await?;
            let listener = Listener::new(self.caller.agency.id, self.caller.role, purpose, self.hub.engine);
            let found = self.stream(&listener, after, size).await?;
            self.tell_changes(found).await
        };
        self.refused(Box::pin(result).await)
    }

    /// The next events that the caller may hear of, so many if there are.
    async fn stream(&self, listener: &Listener, after: i64, size: usize) -> Result<Found<'_>, Error> {
        let last = self.reader().await?.last_event().await?;
        let end = last.min(after.saturating_add(FURTHEST));
        let (mut heard, mut gates) = (Vec::new(), HashMap::new());
        let mut position = after;
        while position < end {
            let rows = {
                let reader = self.reader().await?;
                reader.events(self.caller.agency.id, listener.reviews, (position, end), READ).await?
            };
            let placements = self.get_to_know(&rows, &mut gates).await?;
            let is_last = (rows.len() as u64) < READ;
            let reached = rows.last().map_or(end, |row| row.number);
            for row in rows {
                let Some(told) = self.hear(listener, &row, gates.get(&row.child), &placements) else { continue };
                if heard.len() == size {
                    return Ok(Found { position: heard_up_to(&heard, after), heard, gates, has_more: true });
                }
                heard.push((row, told));
            }
            position = if is_last { end } else { reached };
        }
        Ok(Found { heard, gates, position: position.max(after), has_more: end < last })
    }

    /// Decides on the children of some events, and reads their placements where an event is about one: without values.
    async fn get_to_know<'s>(
        &'s self,
        rows: &[EventRow],
        gates: &mut HashMap<Uuid, Gate<'s>>,
    ) -> Result<HashMap<Uuid, Vec<Row>>, Error> {
        let children: BTreeSet<Uuid> = rows.iter().map(|row| row.child).filter(|id| !gates.contains_key(id)).collect();
        let children: Vec<Uuid> = children.into_iter().collect();
        let reader = self.reader().await?;
        for gate in self.known(&reader, &children).await? {
            gates.insert(gate.standing().child, gate);
        }
        let placed: BTreeSet<Uuid> = rows
            .iter()
            .filter(|row| row.places.has_entries() && gates.contains_key(&row.child))
            .map(|row| row.child)
            .collect();
        let mut placements: HashMap<Uuid, Vec<Row>> = HashMap::new();
        if !placed.is_empty() {
            let all = Planned { section: Section::Placement, fields: FieldSet::EMPTY, stamps: false, ended: true };
            let plan = Plan { sections: vec![all], responsible: false };
            let placed: Vec<Uuid> = placed.into_iter().collect();
            for (_, row) in reader.sections(&placed, &plan).await?.rows {
                placements.entry(row.child).or_default().push(row);
            }
        }
        Ok(placements)
    }

    /// What the caller is told of an event, if anything.
    fn hear(
        &self,
        listener: &Listener,
        row: &EventRow,
        gate: Option<&Gate<'_>>,
        placements: &HashMap<Uuid, Vec<Row>>,
    ) -> Option<Heard> {
        let placements = placements.get(&row.child).map_or(&[][..], Vec::as_slice);
        let shows = gate.map(|gate| {
            |Place(id, entry): Place| match entry {
                None => gate.shows(id, None),
                Some(entry) => gate.shows_in_placement(id, entry, placements),
            }
        });
        heard(listener, (row.kind, row.to), &row.places, shows)
    }

    /// Shows the events with the versions of their sections; the log is told of each child.
    async fn tell_changes(&self, found: Found<'_>) -> Result<Changes, Error> {
        let Found { heard, mut gates, position, has_more } = found;
        let mut asked: BTreeMap<Uuid, Selection> = BTreeMap::new();
        for (row, told) in heard.iter().filter(|(row, _)| gates.contains_key(&row.child)) {
            let stamps = SectionSelection { stamps: true, ..SectionSelection::default() };
            let selection = asked.entry(row.child).or_default();
            selection.sections.extend(told.sections.iter().map(|section| (*section, stamps)));
        }
        gates.retain(|child, _| asked.contains_key(child));
        let gates: Vec<Gate<'_>> = gates.into_values().collect();
        let mut all = Selection::default();
        asked.values().for_each(|selection| all.sections.extend(selection.sections.clone()));
        let loaded = self.load(&gates, &all).await?;
        let versions = self.versions(&gates, &asked, &loaded);
        let item = |(row, told): (EventRow, Heard)| {
            let versions = versions.get(&row.child);
            if versions.is_none() {
                // That something was told of a child that the caller may not know.
                self.note(|draft| draft.look_up(row.subject));
            }
            self.change_view(&row, told, versions)
        };
        let items = heard.into_iter().map(item).collect();
        Ok(Changes { items, cursor: self.stream_cursor(position), has_more })
    }

    /// The versions of the sections that are asked for of each child. The log is told of it.
    fn versions(
        &self,
        gates: &[Gate<'_>],
        asked: &BTreeMap<Uuid, Selection>,
        loaded: &Loaded,
    ) -> HashMap<Uuid, BTreeMap<Section, String>> {
        let mut versions = HashMap::with_capacity(gates.len());
        for gate in gates {
            let Some(selection) = asked.get(&gate.standing().child) else { continue };
            let view = self.show(gate, selection, loaded);
            let of_child = view.sections.into_iter().map(|(section, view)| (section, view.version)).collect();
            versions.insert(gate.standing().child, of_child);
        }
        versions
    }

    fn change_view(&self, row: &EventRow, told: Heard, versions: Option<&BTreeMap<Section, String>>) -> ChangeView {
        let Heard { kind, sections, tells_about } = told;
        // A partner has ids of its own for what it is shown, and none for this.
        let about = row.about.filter(|_| tells_about && !self.rests_on_consent());
        let of = |topic: Topic| about.filter(|_| kind.topic() == topic);
        let version = |section: Section| Some((section, versions?.get(&section)?.clone()));
        let (agency, role) = (self.caller.agency.id, self.caller.role);
        let id = self.hub.keys.tag(format!("event|{agency}|{role}|{}|{}", row.child, row.sequence).as_bytes());
        ChangeView {
            id: format!("event_{id}"),
            cursor: self.stream_cursor(row.number),
            kind,
            at: row.at,
            child: versions.map(|_| self.public_id(row.child)),
            sections: sections.into_iter().filter_map(version).collect(),
            handover: of(Topic::Handover).map(|id| HandoverId(id).to_string()),
            episode: of(Topic::Episode).map(|id| EpisodeId(id).to_string()),
            item: of(Topic::Item).map(|id| ItemId(id).to_string()),
        }
    }

    /// A cursor is another text each time, so that two of them do not tell whether something happened between.
    fn stream_cursor(&self, number: i64) -> String {
        let salt = crate::clock::random_id();
        self.cursor(CHANGES, &[&salt.as_bytes()[..], &number.to_be_bytes()].concat())
    }

    fn stream_position(&self, cursor: &str) -> Result<i64, Error> {
        let position = self.position(CHANGES, cursor)?;
        let number = position.get(16..).and_then(|number| number.try_into().ok()).map(i64::from_be_bytes);
        number.ok_or_else(|| Error::refused(ErrorCode::InvalidCursor, ["after"]))
    }
}

fn heard_up_to(heard: &[(EventRow, Heard)], after: i64) -> i64 {
    heard.last().map_or(after, |(row, _)| row.number)
}
