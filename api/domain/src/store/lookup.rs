//! Who looked at children while they were missing: told to whoever leads the case, behind the answers.

use super::columns::name;
use super::read::padded;
use super::reading::models;
use super::seal::SEALED;
use super::{Snapshot, Store, SubjectRow, Write};
use crate::catalogue::FieldSet;
use crate::error::DatabaseError;
use crate::feed::EventKind;
use crate::ids::AgencyId;
use crate::policy::Role;
use samverka_entities::lookup;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// A look at a child, as a row of the access log tells of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked {
    pub(crate) place: SubjectRow,
    pub(crate) role: Role,
}

/// That an agency looked at a child within an hour.
#[derive(Clone, Debug)]
pub(crate) struct LookupRow {
    pub(crate) agency: AgencyId,
    pub(crate) role: Role,
    pub(crate) at: i64,
}

impl Store {
    /// Keeps those looks that were at children in an open episode, by others than whoever leads the case, one an agency,
    /// child and hour, and tells whoever leads it. Safe to repeat.
    pub(crate) async fn keep_lookups(&self, looks: &[Looked], now: i64) -> Result<(), DatabaseError> {
        let mut by_hour: BTreeMap<(Uuid, Uuid, i64), Looked> = BTreeMap::new();
        for look in looks {
            let SubjectRow { subject, at, agency, .. } = look.place;
            let first = by_hour.entry((subject, agency.0, at.div_euclid(HOUR))).or_insert(*look);
            if at < first.place.at {
                *first = *look;
            }
        }
        let subjects: Vec<Uuid> = by_hour.keys().map(|(subject, ..)| *subject).collect();
        for some in subjects.chunks(1_000) {
            for (subject, child, lead, opened_at, closed_at) in self.missing_among(some).await? {
                let of_child = by_hour.range((subject, Uuid::nil(), i64::MIN)..=(subject, Uuid::max(), i64::MAX));
                for ((_, agency, hour), look) in of_child {
                    let at = look.place.at;
                    let is_open = opened_at <= at && closed_at.is_none_or(|closed| at < closed);
                    if is_open && *agency != lead {
                        self.keep_lookup((child, *agency, *hour), look, AgencyId(lead), now).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Subject, child, who leads, since when it is missing, until when.
    async fn missing_among(
        &self,
        subjects: &[Uuid],
    ) -> Result<Vec<(Uuid, Uuid, Uuid, i64, Option<i64>)>, DatabaseError> {
        let mut query = Query::select();
        query
            .columns(["subject", "id", "lead_agency_id"].map(|column| (name("child"), name(column))))
            .columns(["opened_at", "closed_at"].map(|column| (name("missing_episode"), name(column))))
            .from(name("child"))
            .join(
                JoinType::InnerJoin,
                name("missing_episode"),
                Cond::all()
                    .add(Expr::col((name("missing_episode"), name("child_id"))).equals((name("child"), name("id")))),
            )
            .and_where(Expr::col((name("child"), name("state"))).ne(SEALED))
            .and_where(Expr::col((name("child"), name("subject"))).is_in(padded(subjects)));
        let rows = self.writer.query_all(&query).await?;
        let read = |row: &sea_orm::QueryResult| {
            Ok((
                row.try_get_by_index(0)?,
                row.try_get_by_index(1)?,
                row.try_get_by_index(2)?,
                row.try_get_by_index(3)?,
                row.try_get_by_index(4)?,
            ))
        };
        rows.iter().map(read).collect()
    }

    async fn keep_lookup(
        &self,
        (child, agency, hour): (Uuid, Uuid, i64),
        look: &Looked,
        lead: AgencyId,
        now: i64,
    ) -> Result<(), DatabaseError> {
        let decide = |mut write: Write| async move {
            let kept = lookup::Entity::find_by_id((child, agency, hour)).one(&self.writer).await?;
            if kept.is_some() {
                return Ok(None);
            }
            let row = lookup::ActiveModel {
                child_id: Set(child),
                agency_id: Set(agency),
                hour: Set(hour),
                role: Set(look.role.code().to_owned()),
                at: Set(look.place.at),
            };
            write.run(&lookup::Entity::insert(row).into_query());
            write.event(EventKind::ChildLookedUp, FieldSet::EMPTY, None, lead);
            Ok(Some(write))
        };
        self.change_unasked(child, now, decide).await.map(|_| ())
    }
}

impl Snapshot {
    /// The looks at a child, latest first, before a place.
    pub(crate) async fn lookups(
        &self,
        child: Uuid,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<LookupRow>, DatabaseError> {
        let mut all = lookup::Entity::find().filter(lookup::Column::ChildId.eq(child));
        if let Some((at, agency)) = before {
            let same = Cond::all().add(lookup::Column::At.eq(at)).add(lookup::Column::AgencyId.lt(agency));
            all = all.filter(Cond::any().add(lookup::Column::At.lt(at)).add(same));
        }
        let all = all.order_by_desc(lookup::Column::At).order_by_desc(lookup::Column::AgencyId).limit(limit);
        let read = |row: lookup::Model| {
            let role =
                Role::from_code(&row.role).ok_or_else(|| DatabaseError("a stored role is unknown".to_owned()))?;
            Ok(LookupRow { agency: AgencyId(row.agency_id), role, at: row.at })
        };
        models(self, all).await?.into_iter().map(read).collect()
    }
}
