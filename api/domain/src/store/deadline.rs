//! Deadlines: moments by which something must have happened. A node that finds some due takes them for a while (a lease), and
//! fires each as a change of its child: so none is fired twice, and none is lost with the node that had it.

use super::columns::name;
use super::reading::Rows;
use super::write::Write;
use super::{Snapshot, Store};
use crate::alarm::{Alarm, Facts};
use crate::clock::random_id;
use crate::error::DatabaseError;
use crate::feed::To;
use crate::ids::AgencyId;
use samverka_entities::{deadline, handover};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryTrait as _, Statement,
};
use uuid::Uuid;

/// How long a node has a deadline to itself, in microseconds. Firing takes milliseconds.
const LEASE: i64 = 30_000_000;
/// The pause after the first failure, in microseconds; it doubles with each.
const FIRST_PAUSE: i64 = 2_000_000;
/// The longest pause, in microseconds: ten minutes.
const LONGEST_PAUSE: i64 = 600_000_000;

/// A deadline that a node has to itself for a while.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) about: String,
    pub(crate) about_id: Uuid,
    pub(crate) step: String,
    pub(crate) due_at: i64,
    /// How often it was taken, this time counted.
    pub(crate) attempts: i32,
    lease: Uuid,
}

/// What stands where a deadline is about to be fired.
pub(crate) struct Standing {
    /// How often the child had changed.
    pub(crate) sequence: i64,
    pub(crate) facts: Facts,
}

/// Where the time stands, and how many deadlines are due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hour {
    pub(crate) now: i64,
    pub(crate) due: i64,
}

impl Store {
    /// How many deadlines are due; the time is the database's, unless it is given.
    pub(crate) async fn hour(&self, given: Option<i64>) -> Result<Hour, DatabaseError> {
        let now = given.map_or_else(|| self.now().to_owned(), |now| now.to_string());
        let sql = format!(
            "SELECT CAST({now} AS bigint), (SELECT COUNT(*) FROM deadline
                WHERE fired_at IS NULL AND cancelled_at IS NULL AND due_at <= {now})"
        );
        let row = self.writer.query_one_raw(Statement::from_string(self.backend(), sql)).await?;
        let row = row.ok_or_else(|| DatabaseError("the database does not tell the time".to_owned()))?;
        Ok(Hour { now: row.try_get_by_index(0)?, due: row.try_get_by_index(1)? })
    }

    /// The database's clock, in microseconds since 1970: nodes may disagree on the time, and it is the one they share.
    fn now(&self) -> &'static str {
        match self.backend() {
            DbBackend::Sqlite => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
            _ => "CAST(extract(epoch FROM now()) * 1000000 AS bigint)",
        }
    }

    /// Takes deadlines that are due, the earliest first. Of one child an earlier one is fired before a later, unless
    /// it has failed. A lease that reaches further ahead than any does was taken before the clock was set back,
    /// and binds nobody.
    pub(crate) async fn claim_deadlines(&self, now: i64, limit: u64) -> Result<Vec<Due>, DatabaseError> {
        let lease = random_id();
        let locked = if self.backend() == DbBackend::Postgres { "FOR UPDATE OF deadline SKIP LOCKED" } else { "" };
        let free = |table: &str| {
            let furthest = now + LEASE + LONGEST_PAUSE;
            format!("({table}.lease_until IS NULL OR {table}.lease_until <= {now} OR {table}.lease_until > {furthest})")
        };
        let sql = format!(
            "UPDATE deadline SET lease_until = {until}, lease_by = $1, attempts = attempts + 1 WHERE id IN (
                SELECT deadline.id FROM deadline
                WHERE deadline.fired_at IS NULL AND deadline.cancelled_at IS NULL AND deadline.due_at <= {now} AND {free}
                AND NOT EXISTS (SELECT 1 FROM deadline before
                    WHERE before.child_id = deadline.child_id AND before.fired_at IS NULL AND before.cancelled_at IS NULL
                    AND (before.due_at < deadline.due_at OR (before.due_at = deadline.due_at AND before.id < deadline.id))
                    AND (before.attempts = 0 OR (before.attempts = 1 AND before.lease_by IS NOT NULL AND NOT {before_free})))
                ORDER BY deadline.due_at, deadline.id LIMIT {limit} {locked})
            RETURNING id, child_id, about, about_id, step, due_at, attempts",
            until = now + LEASE,
            free = free("deadline"),
            before_free = free("before"),
        );
        let rows =
            self.writer.query_all_raw(Statement::from_sql_and_values(self.backend(), sql, [lease.into()])).await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in rows {
            taken.push(Due {
                id: row.try_get_by_index(0)?,
                child: row.try_get_by_index(1)?,
                about: row.try_get_by_index(2)?,
                about_id: row.try_get_by_index(3)?,
                step: row.try_get_by_index(4)?,
                due_at: row.try_get_by_index(5)?,
                attempts: row.try_get_by_index(6)?,
                lease,
            });
        }
        taken.sort_by_key(|due: &Due| (due.due_at, due.id));
        Ok(taken)
    }

    /// Puts a deadline off that could not be fired, for longer each time.
    pub(crate) async fn put_off(&self, due: &Due, now: i64) -> Result<(), DatabaseError> {
        let doubled = u32::try_from(due.attempts.saturating_sub(1)).unwrap_or(0);
        let pause = FIRST_PAUSE.saturating_mul(2_i64.saturating_pow(doubled));
        let pause = Ord::min(pause, LONGEST_PAUSE);
        // Nobody has it meanwhile: later ones need not wait for it.
        let values = [
            (deadline::Column::LeaseUntil, Expr::val(now + pause)),
            (deadline::Column::LeaseBy, Expr::val(None::<Uuid>)),
        ];
        self.settle(due, values).await
    }

    /// Cancels a deadline that watches for what has happened.
    pub(crate) async fn drop_deadline(&self, due: &Due, now: i64) -> Result<(), DatabaseError> {
        self.settle(due, [(deadline::Column::CancelledAt, Expr::val(now))]).await
    }

    async fn settle(
        &self,
        due: &Due,
        values: impl IntoIterator<Item = (deadline::Column, Expr)>,
    ) -> Result<(), DatabaseError> {
        let mut update = deadline::Entity::update_many();
        for (column, value) in values {
            update = update.col_expr(column, value);
        }
        update
            .filter(deadline::Column::Id.eq(due.id))
            .filter(deadline::Column::LeaseBy.eq(due.lease))
            .filter(deadline::Column::FiredAt.is_null())
            .exec(&self.writer)
            .await?;
        Ok(())
    }
}

impl Write {
    /// Sets the moment at which a step of an alarm is due; the one that was set for the step before counts no more, fired or not.
    ///
    /// # Errors
    ///
    /// There is no such alarm.
    pub(crate) fn set_deadline(
        &mut self,
        about: &str,
        about_id: Uuid,
        step: &str,
        due_at: i64,
    ) -> Result<(), DatabaseError> {
        self.put_deadline(about, about_id, step, due_at, false)
    }

    /// Sets the moment at which a step of an alarm is due, if the one that was set for the step before has fired.
    ///
    /// # Errors
    ///
    /// There is no such alarm.
    pub(crate) fn set_fired_deadline(
        &mut self,
        about: &str,
        about_id: Uuid,
        step: &str,
        due_at: i64,
    ) -> Result<(), DatabaseError> {
        self.put_deadline(about, about_id, step, due_at, true)
    }

    fn put_deadline(
        &mut self,
        about: &str,
        about_id: Uuid,
        step: &str,
        due_at: i64,
        only_fired: bool,
    ) -> Result<(), DatabaseError> {
        if Alarm::of(about, step).is_none() {
            return Err(DatabaseError("there is no such alarm".to_owned()));
        }
        use deadline::Column;
        let row = deadline::ActiveModel {
            id: Set(random_id()),
            child_id: Set(self.child()),
            about: Set(about.to_owned()),
            about_id: Set(about_id),
            step: Set(step.to_owned()),
            due_at: Set(due_at),
            lease_until: Set(None),
            lease_by: Set(None),
            attempts: Set(0),
            fired_at: Set(None),
            cancelled_at: Set(None),
        };
        let renewed = [
            Column::DueAt,
            Column::LeaseUntil,
            Column::LeaseBy,
            Column::Attempts,
            Column::FiredAt,
            Column::CancelledAt,
        ];
        let mut renew = OnConflict::columns([Column::AboutId, Column::Step]).update_columns(renewed).to_owned();
        if only_fired {
            renew.action_and_where(Expr::col((name("deadline"), name("fired_at"))).is_not_null());
        }
        self.run(&deadline::Entity::insert(row).on_conflict(renew).into_query());
        Ok(())
    }

    /// Cancels whatever of something is not fired yet.
    pub(crate) fn cancel_deadlines(&mut self, about_id: Uuid, now: i64) {
        let update = deadline::Entity::update_many()
            .col_expr(deadline::Column::CancelledAt, Expr::val(now))
            .filter(deadline::Column::AboutId.eq(about_id))
            .filter(deadline::Column::FiredAt.is_null())
            .filter(deadline::Column::CancelledAt.is_null());
        self.run(&update.into_query());
    }

    /// Notes that a deadline was fired.
    pub(crate) fn fired(&mut self, due: &Due, at: i64) {
        let update = deadline::Entity::update_many()
            .col_expr(deadline::Column::FiredAt, Expr::val(at))
            .filter(deadline::Column::Id.eq(due.id));
        self.run(&update.into_query());
    }

    /// Notes since when a handover is overdue.
    pub(crate) fn overdue(&mut self, handover: Uuid, at: i64) {
        let update = handover::Entity::update_many()
            .col_expr(handover::Column::OverdueAt, Expr::val(at))
            .filter(handover::Column::Id.eq(handover))
            .filter(handover::Column::OverdueAt.is_null());
        self.run(&update.into_query());
    }
}

impl Snapshot {
    /// What stands where a deadline is about to be fired; nothing if it is not this node's to fire any more.
    pub(crate) async fn standing_of(
        &self,
        due: &Due,
        alarm: Alarm,
        now: i64,
    ) -> Result<Option<Standing>, DatabaseError> {
        let mut query = Query::select();
        let column = |column: &'static str| Expr::col((name("deadline"), name(column)));
        query
            .column((name("child"), name("sequence")))
            .column((name("child"), name("lead_agency_id")))
            .from(name("deadline"))
            .inner_join(name("child"), column("child_id").equals((name("child"), name("id"))))
            .and_where(column("id").eq(due.id))
            .and_where(column("lease_by").eq(due.lease))
            .and_where(column("due_at").lte(now))
            .and_where(column("fired_at").is_null())
            .and_where(column("cancelled_at").is_null());
        let rows = self.rows(&query).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let watched = self.watched(due, alarm).await?;
        let facts = Facts {
            lead: Some(AgencyId(row.try_get_by_index(1)?)),
            responsible: self.responsible_for(due.child).await?,
            is_missing: self.is_missing(due.child).await?,
            ..watched
        };
        Ok(Some(Standing { sequence: row.try_get_by_index(0)?, facts }))
    }

    /// What is watched: whether it is done, and whom it concerns.
    async fn watched(&self, due: &Due, alarm: Alarm) -> Result<Facts, DatabaseError> {
        let of = |table: &'static str, columns: &[&'static str]| {
            let mut query = Query::select();
            query.columns(columns.iter().map(|column| name(column))).from(name(table));
            query.and_where(Expr::col(name("id")).eq(due.about_id));
            query
        };
        let query = match alarm {
            Alarm::HandoverOverdue | Alarm::HandoverCounty | Alarm::HandoverEpisode => {
                of("handover", &["ended_at", "arrived_at", "from_agency_id", "to_agency_id"])
            }
            Alarm::ItemOverdue => of("checklist_item", &["done_at", "state", "agency_id"]),
            Alarm::BreakGlassReview => of("break_glass", &["reviewed_at"]),
            Alarm::EpisodePoliceReport => {
                of("missing_episode", &["closed_at", "police_number", "found_at", "located_at", "opened_by"])
            }
            Alarm::EpisodeReturnTalk => of("missing_episode", &["closed_at"]),
        };
        let rows = self.rows(&query).await?;
        let Some(row) = rows.first() else { return Ok(Facts { is_done: true, ..Facts::default() }) };
        let is_there = |place| Ok::<_, DatabaseError>(row.try_get_by_index::<Option<i64>>(place)?.is_some());
        let agency = |place| Ok::<_, DatabaseError>(row.try_get_by_index::<Option<Uuid>>(place)?.map(AgencyId));
        let nothing = Facts::default();
        Ok(match alarm {
            Alarm::HandoverOverdue | Alarm::HandoverCounty | Alarm::HandoverEpisode => {
                Facts { is_done: is_there(0)? || is_there(1)?, parties: To(agency(2)?, agency(3)?), ..nothing }
            }
            Alarm::ItemOverdue => {
                let state: String = row.try_get_by_index(1)?;
                let is_done = is_there(0)? || matches!(state.as_str(), "DONE" | "SKIPPED");
                Facts { is_done, parties: To::from(agency(2)?), ..nothing }
            }
            Alarm::BreakGlassReview => Facts { is_done: is_there(0)?, ..nothing },
            Alarm::EpisodePoliceReport => {
                let number: Option<String> = row.try_get_by_index(1)?;
                let is_found = is_there(2)? || is_there(3)?;
                Facts { is_done: is_there(0)? || number.is_some(), is_found, parties: To::from(agency(4)?), ..nothing }
            }
            Alarm::EpisodeReturnTalk => {
                Facts { is_done: is_there(0)? || self.has_talked(due.about_id).await?, ..nothing }
            }
        })
    }

    async fn has_talked(&self, episode: Uuid) -> Result<bool, DatabaseError> {
        let mut query = Query::select();
        query.column(name("id")).from(name("follow_up"));
        query.and_where(Expr::col(name("episode_id")).eq(episode)).and_where(Expr::col(name("kind")).eq("RETURN_TALK"));
        Ok(!self.rows(&query).await?.is_empty())
    }

    async fn is_missing(&self, child: Uuid) -> Result<bool, DatabaseError> {
        let mut query = Query::select();
        query.column(name("id")).from(name("missing_episode")).and_where(Expr::col(name("child_id")).eq(child));
        query.and_where(Expr::col(name("closed_at")).is_null()).and_where(Expr::col(name("found_at")).is_null());
        Ok(!self.rows(&query).await?.is_empty())
    }

    async fn responsible_for(&self, child: Uuid) -> Result<Option<AgencyId>, DatabaseError> {
        let mut query = Query::select();
        query.column(name("agency_id")).from(name("involvement")).and_where(Expr::col(name("child_id")).eq(child));
        query.and_where(Expr::col(name("kind")).eq("RESPONSIBLE")).and_where(Expr::col(name("closed_at")).is_null());
        Ok(self.rows(&query).await?.first().map(|row| row.try_get_by_index(0)).transpose()?.map(AgencyId))
    }
}
