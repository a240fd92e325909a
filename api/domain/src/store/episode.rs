//! Missing episodes, and what belongs to them.

use super::read::Snapshot;
use super::reading::{Rows, models};
use super::write::{Author, Write};
use crate::catalogue::{Section, Value};
use crate::episode::{FollowUp, State};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::stamps::Stamps;
use chrono::NaiveDate;
use samverka_entities::{agency_closure, follow_up, involvement, missing_episode, sighting};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QueryTrait as _,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// An episode. Instants are in microseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct EpisodeRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) state: State,
    pub(crate) stamps: Stamps,
    pub(crate) opened_at: i64,
    pub(crate) opened_by: Option<AgencyId>,
    pub(crate) last_seen_at: Option<i64>,
    pub(crate) last_seen_place: Option<String>,
    pub(crate) circumstances: Option<String>,
    pub(crate) clothing: Option<String>,
    pub(crate) police_number: Option<String>,
    pub(crate) police_reference: Option<String>,
    pub(crate) police_contact: Option<String>,
    pub(crate) wanted_entry: Option<bool>,
    pub(crate) police_assessment: Option<String>,
    pub(crate) police_measures: Option<String>,
    /// When somebody knew where the child was.
    pub(crate) located_at: Option<i64>,
    pub(crate) found_place: Option<String>,
    pub(crate) found_condition: Option<String>,
    /// When the child was safe: access stays widened for 72 hours from then.
    pub(crate) found_at: Option<i64>,
    pub(crate) closed_at: Option<i64>,
    pub(crate) closed_by: Option<AgencyId>,
    pub(crate) closed_reason: Option<String>,
    pub(crate) reopens: Option<Uuid>,
}

impl EpisodeRow {
    /// An episode of which nothing is told yet.
    pub(crate) fn new(id: Uuid, child: Uuid, state: State, opened_at: i64) -> Self {
        EpisodeRow {
            id,
            child,
            state,
            stamps: Stamps::default(),
            opened_at,
            opened_by: None,
            last_seen_at: None,
            last_seen_place: None,
            circumstances: None,
            clothing: None,
            police_number: None,
            police_reference: None,
            police_contact: None,
            wanted_entry: None,
            police_assessment: None,
            police_measures: None,
            located_at: None,
            found_place: None,
            found_condition: None,
            found_at: None,
            closed_at: None,
            closed_by: None,
            closed_reason: None,
            reopens: None,
        }
    }

    /// The columns that differ from another state of the episode, with their values: instants as numbers, ids as text.
    pub(crate) fn changed_from(&self, before: Option<&EpisodeRow>) -> Vec<(&'static str, Json)> {
        let old = before.map(EpisodeRow::columns);
        let differs = |(place, (_, value)): &(usize, (&str, Json))| {
            let old = old.as_ref().and_then(|old| old.get(*place)).map(|(_, value)| value);
            old.unwrap_or(&Json::Null) != value
        };
        self.columns().into_iter().enumerate().filter(differs).map(|(_, column)| column).collect()
    }

    fn columns(&self) -> Vec<(&'static str, Json)> {
        let agency = |id: &Option<AgencyId>| id.map(|id| id.to_string());
        vec![
            ("state", json!(self.state.code())),
            ("opened_at", json!(self.opened_at)),
            ("opened_by", json!(agency(&self.opened_by))),
            ("last_seen_at", json!(self.last_seen_at)),
            ("last_seen_place", json!(self.last_seen_place)),
            ("circumstances", json!(self.circumstances)),
            ("clothing", json!(self.clothing)),
            ("police_number", json!(self.police_number)),
            ("police_reference", json!(self.police_reference)),
            ("police_contact", json!(self.police_contact)),
            ("wanted_entry", json!(self.wanted_entry)),
            ("police_assessment", json!(self.police_assessment)),
            ("police_measures", json!(self.police_measures)),
            ("located_at", json!(self.located_at)),
            ("found_place", json!(self.found_place)),
            ("found_condition", json!(self.found_condition)),
            ("found_at", json!(self.found_at)),
            ("closed_at", json!(self.closed_at)),
            ("closed_by", json!(agency(&self.closed_by))),
            ("closed_reason", json!(self.closed_reason)),
            ("reopens", json!(self.reopens.map(|id| crate::ids::EpisodeId(id).to_string()))),
        ]
    }
}

/// A sighting to record.
#[derive(Clone, Debug)]
pub(crate) struct NewSighting {
    pub(crate) id: Uuid,
    pub(crate) seen_at: Option<i64>,
    pub(crate) place: Option<String>,
    pub(crate) text: String,
    /// What was handed in, if it was.
    pub(crate) submission: Option<Uuid>,
}

impl Snapshot {
    /// An episode by its id.
    pub(crate) async fn episode(&self, id: Uuid) -> Result<Option<EpisodeRow>, DatabaseError> {
        by_id(self, id).await
    }

    /// The episodes of a child, latest first.
    pub(crate) async fn episodes(&self, child: Uuid) -> Result<Vec<EpisodeRow>, DatabaseError> {
        episodes(self, child).await
    }

    /// The parts of the follow-up that are done.
    pub(crate) async fn follow_ups(&self, episode: Uuid) -> Result<Vec<FollowUp>, DatabaseError> {
        let of = follow_up::Entity::find().filter(follow_up::Column::EpisodeId.eq(episode));
        let rows = models(self, of).await?;
        Ok(rows.iter().filter_map(|row| FollowUp::from_code(&row.kind)).collect())
    }

    /// Whether somebody is recorded as the child's guardian on a day.
    pub(crate) async fn has_guardian(&self, child: Uuid, on: NaiveDate) -> Result<bool, DatabaseError> {
        let read = self.section(Section::Guardianship, child).await?;
        let value = |field| {
            let id = Section::Guardianship.field(field);
            read.rows.first().zip(id).and_then(|((_, row), id)| row.value(id).cloned())
        };
        let has_begun = !matches!(value("from"), Some(Value::Date(from)) if from > on);
        let has_ended = matches!(value("to"), Some(Value::Date(to)) if to < on);
        Ok(value("guardianName").is_some() && has_begun && !has_ended)
    }

    /// The child's birth date as registered.
    pub(crate) async fn birth_date(&self, child: Uuid) -> Result<Option<NaiveDate>, DatabaseError> {
        let read = self.section(Section::Identity, child).await?;
        let id = Section::Identity.field("birthDate");
        let value = read.rows.first().zip(id).and_then(|((_, row), id)| row.value(id).cloned());
        Ok(value.and_then(|value| if let Value::Date(day) = value { Some(day) } else { None }))
    }
}

impl Write {
    /// Opens an episode: from now on the child counts as missing.
    pub(crate) fn insert_episode(&mut self, row: &EpisodeRow, author: &Author) {
        self.tie("EPISODE", author.at);
        self.run(&missing_episode::Entity::insert(model(row)).into_query());
    }

    /// Writes an episode as it is now.
    pub(crate) fn update_episode(&mut self, row: &EpisodeRow, author: &Author) {
        self.tie("EPISODE", author.at);
        let id = missing_episode::Column::Id.eq(row.id);
        self.run(&missing_episode::Entity::update_many().set(model(row)).filter(id).into_query());
    }

    pub(crate) fn insert_sighting(&mut self, episode: &EpisodeRow, new: NewSighting, author: &Author) {
        let NewSighting { id, seen_at, place, text, submission } = new;
        let row = sighting::ActiveModel {
            id: Set(id),
            child_id: Set(episode.child),
            episode_id: Set(episode.id),
            at: Set(author.at),
            seen_at: Set(seen_at),
            place: Set(place),
            text: Set(text),
            agency_id: Set(author.agency.0),
            user_ref: Set(author.user.clone()),
            submission_id: Set(submission),
        };
        self.run(&sighting::Entity::insert(row).into_query());
    }

    pub(crate) fn insert_follow_up(
        &mut self,
        id: Uuid,
        episode: &EpisodeRow,
        (kind, done_on, note): (FollowUp, NaiveDate, Option<String>),
        author: &Author,
    ) {
        let row = follow_up::ActiveModel {
            id: Set(id),
            child_id: Set(episode.child),
            episode_id: Set(episode.id),
            kind: Set(kind.code().to_owned()),
            done_on: Set(done_on),
            note: Set(note),
            at: Set(author.at),
            agency_id: Set(author.agency.0),
            user_ref: Set(author.user.clone()),
        };
        self.run(&follow_up::Entity::insert(row).into_query());
    }

    pub(crate) fn insert_agency_closure(&mut self, id: Uuid, episode: &EpisodeRow, reason: String, author: &Author) {
        let row = agency_closure::ActiveModel {
            id: Set(id),
            child_id: Set(episode.child),
            episode_id: Set(episode.id),
            at: Set(author.at),
            agency_id: Set(author.agency.0),
            user_ref: Set(author.user.clone()),
            reason: Set(reason),
        };
        self.run(&agency_closure::Entity::insert(row).into_query());
    }

    /// Closes the involvements of some agencies that were opened since an instant.
    pub(crate) fn close_involved(&mut self, agencies: &[AgencyId], since: i64, at: i64) {
        self.tie("INVOLVED", at);
        let update = involvement::Entity::update_many()
            .col_expr(involvement::Column::ClosedAt, Expr::val(at))
            .filter(involvement::Column::ChildId.eq(self.child()))
            .filter(involvement::Column::Kind.eq("INVOLVED"))
            .filter(involvement::Column::AgencyId.is_in(agencies.iter().map(|agency| agency.0)))
            .filter(involvement::Column::OpenedAt.gte(since))
            .filter(involvement::Column::ClosedAt.is_null());
        self.run(&update.into_query());
    }
}

async fn by_id(database: &impl Rows, id: Uuid) -> Result<Option<EpisodeRow>, DatabaseError> {
    let found = models(database, missing_episode::Entity::find().filter(missing_episode::Column::Id.eq(id))).await?;
    found.into_iter().next().map(read).transpose()
}

async fn episodes(database: &impl Rows, child: Uuid) -> Result<Vec<EpisodeRow>, DatabaseError> {
    let of = missing_episode::Entity::find()
        .filter(missing_episode::Column::ChildId.eq(child))
        .order_by_desc(missing_episode::Column::OpenedAt)
        .order_by_desc(missing_episode::Column::Id);
    let mut rows: Vec<EpisodeRow> =
        models(database, of).await?.into_iter().map(read).collect::<Result<_, DatabaseError>>()?;
    // One that goes on with another may be opened in the same instant.
    rows.sort_by_key(|row| !row.state.is_open());
    Ok(rows)
}

fn read(row: missing_episode::Model) -> Result<EpisodeRow, DatabaseError> {
    let state = State::from_code(&row.state).ok_or_else(|| DatabaseError("a stored state is unknown".to_owned()))?;
    // What was put there before episodes had states is told by its instants.
    let state = match (row.closed_at, row.found_at) {
        (Some(_), _) => State::Closed,
        (None, Some(_)) => State::Safe,
        (None, None) => state,
    };
    Ok(EpisodeRow {
        id: row.id,
        child: row.child_id,
        state,
        stamps: Stamps::from_json(row.stamps),
        opened_at: row.opened_at,
        opened_by: row.opened_by.map(AgencyId),
        last_seen_at: row.last_seen_at,
        last_seen_place: row.last_seen_place,
        circumstances: row.circumstances,
        clothing: row.clothing,
        police_number: row.police_number,
        police_reference: row.police_reference,
        police_contact: row.police_contact,
        wanted_entry: row.wanted_entry,
        police_assessment: row.police_assessment,
        police_measures: row.police_measures,
        located_at: row.located_at,
        found_place: row.found_place,
        found_condition: row.found_condition,
        found_at: row.found_at,
        closed_at: row.closed_at,
        closed_by: row.closed_by.map(AgencyId),
        closed_reason: row.closed_reason,
        reopens: row.reopens,
    })
}

fn model(row: &EpisodeRow) -> missing_episode::ActiveModel {
    let row = row.clone();
    let model = missing_episode::Model {
        id: row.id,
        child_id: row.child,
        opened_at: row.opened_at,
        found_at: row.found_at,
        closed_at: row.closed_at,
        state: row.state.code().to_owned(),
        stamps: row.stamps.to_json(),
        opened_by: row.opened_by.map(|agency| agency.0),
        last_seen_at: row.last_seen_at,
        last_seen_place: row.last_seen_place,
        circumstances: row.circumstances,
        clothing: row.clothing,
        police_number: row.police_number,
        police_reference: row.police_reference,
        police_contact: row.police_contact,
        wanted_entry: row.wanted_entry,
        police_assessment: row.police_assessment,
        police_measures: row.police_measures,
        found_place: row.found_place,
        found_condition: row.found_condition,
        located_at: row.located_at,
        closed_by: row.closed_by.map(|agency| agency.0),
        closed_reason: row.closed_reason,
        reopens: row.reopens,
    };
    // Every column is written: the child has not changed since it was read.
    model.into_active_model().reset_all()
}
