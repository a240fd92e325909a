//! Writing an episode, with who wrote what of it when, and telling of it.

use crate::catalogue::{FieldId, FieldSet, Kind, Section, timestamp};
use crate::episode::Step as Move;
use crate::feed::EventKind;
use crate::session::change::Work;
use crate::session::step::Step;
use crate::store::EpisodeRow;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

impl<'s> Step<'s> {
    /// Writes an episode, and tells of it.
    pub(super) fn put_episode(&self, work: &mut Work<'_>, before: Option<&EpisodeRow>, row: EpisodeRow, mv: Move) {
        let told = (flags(before), flags(Some(&row)), row.id);
        self.write_episode(work, before, row, mv);
        Self::tell_flags(work, told, mv);
    }

    /// Whoever reads only a flag hears of what changes that, and of nothing else.
    pub(super) fn tell_flags(work: &mut Work<'_>, (before, after, id): (FieldSet, FieldSet, Uuid), mv: Move) {
        let changed = |id: &FieldId| before.contains(*id) != after.contains(*id);
        let changed: FieldSet = Section::Missing.fields().filter(changed).collect();
        work.write.event(event_of(mv), changed, Some(id), work.gate.standing().lead);
    }

    /// Writes an episode, with who wrote what of it when.
    pub(super) fn write_episode(
        &self,
        work: &mut Work<'_>,
        before: Option<&EpisodeRow>,
        mut row: EpisodeRow,
        mv: Move,
    ) {
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
    pub(in crate::session) fn tell_episode(&self, work: &mut Work<'_>, id: Uuid, (name, told): (&str, Json), mv: Move) {
        self.keep(work, id, Map::from_iter([(name.to_owned(), told)]), mv);
    }

    fn keep(&self, work: &mut Work<'_>, id: Uuid, told: Map<String, Json>, mv: Move) {
        let fields: FieldSet = told.keys().filter_map(|name| Section::Missing.field(name)).collect();
        work.write.event(event_of(mv), fields, Some(id), work.gate.standing().lead);
        work.write.revise(Section::Missing, Some(id), Json::Object(told), self.author());
        work.note(mv.mutation(), fields);
    }
}

/// What the history tells of a sighting.
pub(in crate::session) fn sighting_json(seen_at: Option<i64>, place: Option<&str>, text: &str) -> Json {
    json!([{ "seenAt": seen_at.map(timestamp), "place": place, "text": text }])
}

/// The flags of the record that an episode raises while it is the latest.
pub(super) fn flags(row: Option<&EpisodeRow>) -> FieldSet {
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

/// A column of an episode as its revision tells of it: by the name of its field, in the form of the record.
fn told((column, value): (&'static str, Json)) -> Option<(String, Json)> {
    let field = Section::Missing.fields().find(|id| id.field().column == column)?.field();
    let value = match (field.kind, value.as_i64()) {
        (Kind::Instant, Some(micros)) => Json::from(timestamp(micros)),
        _ => value,
    };
    Some((field.name.to_owned(), value))
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
