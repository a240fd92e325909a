//! The access log's rows and their index by child.

use super::columns::name;
use super::read::padded;
use super::reading::{OwnQuery, Rows};
use super::{Snapshot, Store};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use samverka_entities::{ledger, ledger_indexed, ledger_subject};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, OnConflict, Order, Query};
use sea_orm::sqlx::{self, AssertSqlSafe};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, RuntimeErr, Statement,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use uuid::Uuid;

/// A row of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerRow {
    pub(crate) lane: Uuid,
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) record: String,
    pub(crate) hash: String,
}

/// A place in the index: this row of the log tells of this child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubjectRow {
    pub(crate) subject: Uuid,
    pub(crate) at: i64,
    pub(crate) lane: Uuid,
    pub(crate) seq: i64,
    pub(crate) agency: AgencyId,
}

impl Store {
    /// Appends rows in one statement and one commit, if of each child the epoch is still what it was. Whether it is; else
    /// nothing is appended.
    pub(crate) async fn append(&self, rows: &[LedgerRow], decided: &[(Uuid, i64)]) -> Result<bool, DatabaseError> {
        let appended = match &self.direct {
            Some(direct) => direct.log.take().await?.execute_own(append_postgres(rows, decided)).await?,
            None => self.append_sqlite(rows, decided).await?,
        };
        Ok(appended > 0 || rows.is_empty())
    }

    async fn append_sqlite(&self, rows: &[LedgerRow], decided: &[(Uuid, i64)]) -> Result<u64, DatabaseError> {
        let values = vec!["(?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let append = format!(
            "INSERT INTO ledger (lane, seq, at, record, hash) SELECT * FROM (VALUES {values})
            WHERE NOT EXISTS (SELECT 1 FROM json_each(?) AS decided
                LEFT JOIN child ON child.id = unhex(decided.value ->> 0) WHERE child.epoch IS NOT decided.value ->> 1)"
        );
        let mut query = sqlx::query(AssertSqlSafe(append));
        for row in rows {
            query = query.bind(row.lane).bind(row.seq).bind(row.at).bind(&row.record).bind(&row.hash);
        }
        let decided: Vec<(String, i64)> =
            decided.iter().map(|(child, epoch)| (child.simple().to_string(), *epoch)).collect();
        query = query.bind(serde_json::json!(decided).to_string());
        let done = query.execute(self.writer.get_sqlite_connection_pool()).await;
        Ok(done.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))?.rows_affected())
    }

    /// The epochs of some children as they are now; children that are not there are left out.
    pub(crate) async fn epochs(&self, decided: &[(Uuid, i64)]) -> Result<Vec<(Uuid, i64)>, DatabaseError> {
        let mut query = Query::select();
        query.columns([name("id"), name("epoch")]).from(name("child"));
        query.and_where(Expr::col(name("id")).is_in(decided.iter().map(|(child, _)| *child)));
        let rows = match &self.direct {
            Some(direct) => direct.log.take().await?.rows(&query).await?,
            None => self.writer.query_all(&query).await?,
        };
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    /// The last row of each lane, by lane.
    pub(crate) async fn heads(&self) -> Result<Vec<LedgerRow>, DatabaseError> {
        let mut heads = Vec::new();
        for lane in self.lanes().await? {
            heads.extend(self.head(lane).await?);
        }
        Ok(heads)
    }

    /// The last row of a lane.
    pub(crate) async fn head(&self, lane: Uuid) -> Result<Option<LedgerRow>, DatabaseError> {
        let row = ledger::Entity::find()
            .filter(ledger::Column::Lane.eq(lane))
            .order_by_desc(ledger::Column::Seq)
            .one(&self.writer)
            .await?;
        Ok(row.map(read))
    }

    /// Every lane. Each has a first row.
    pub(crate) async fn lanes(&self) -> Result<Vec<Uuid>, DatabaseError> {
        let mut query = Query::select();
        query.distinct().column(name("lane")).from(name("ledger")).order_by(name("lane"), Order::Asc);
        let rows = self.writer.query_all(&query).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// The rows of a lane from a place on, at most so many. By a writing connection, as [`Store::behind`]: whoever waits for
    /// the index may hold a reading one, and must not wait for another.
    pub(crate) async fn lane(&self, lane: Uuid, from: i64, most: u64) -> Result<Vec<LedgerRow>, DatabaseError> {
        let rows = ledger::Entity::find()
            .filter(ledger::Column::Lane.eq(lane))
            .filter(ledger::Column::Seq.gte(from))
            .order_by_asc(ledger::Column::Seq)
            .limit(most)
            .all(&self.writer)
            .await?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// The lanes that the index is behind of, and how far it has come in each: the next row to index.
    pub(crate) async fn behind(&self) -> Result<Vec<(Uuid, i64)>, DatabaseError> {
        let next = |column: &'static str| Expr::col((name("ledger"), name(column)));
        let mut rows = Query::select();
        rows.expr(Expr::val(1)).from(name("ledger"));
        rows.and_where(next("lane").equals((name("ledger_indexed"), name("lane"))));
        rows.and_where(next("seq").gte(Expr::col((name("ledger_indexed"), name("seq")))));
        let rows = ledger_indexed::Entity::find().filter(Expr::exists(rows)).all(&self.writer).await?;
        Ok(rows.into_iter().map(|row| (row.lane, row.seq)).collect())
    }

    /// Adds places to the index and moves its mark on, together. Safe to repeat.
    pub(crate) async fn index(&self, lane: Uuid, places: &[SubjectRow], next: i64) -> Result<(), DatabaseError> {
        let transaction = self.begin().await?;
        match self.backend() {
            DbBackend::Postgres => _ = transaction.execute_raw(places_postgres(places)).await?,
            _ => {
                for chunk in places.chunks(AT_ONCE) {
                    let rows = padded(chunk).map(|place| ledger_subject::ActiveModel {
                        subject: Set(place.subject),
                        at: Set(place.at),
                        lane: Set(place.lane),
                        seq: Set(place.seq),
                        agency_id: Set(place.agency.0),
                    });
                    ledger_subject::Entity::insert_many(rows)
                        .on_conflict(OnConflict::new().do_nothing().to_owned())
                        .exec_without_returning(&transaction)
                        .await?;
                }
            }
        }
        let is_further = Expr::col((name("ledger_indexed"), name("seq"))).lt(next);
        let further = OnConflict::column(ledger_indexed::Column::Lane)
            .update_column(ledger_indexed::Column::Seq)
            .action_and_where(is_further)
            .to_owned();
        let mark = ledger_indexed::ActiveModel { lane: Set(lane), seq: Set(next) };
        ledger_indexed::Entity::insert(mark).on_conflict(further).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// The statement that appends rows on PostgreSQL: of one form, however many they are.
fn append_postgres(rows: &[LedgerRow], decided: &[(Uuid, i64)]) -> OwnQuery {
    const APPEND: &str = "INSERT INTO ledger (lane, seq, at, record, hash)
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
        WHERE NOT EXISTS (SELECT 1 FROM unnest($6::uuid[], $7::bigint[]) AS decided (child_id, epoch)
            LEFT JOIN child ON child.id = decided.child_id WHERE child.epoch IS DISTINCT FROM decided.epoch)";
    let (children, epochs): (Vec<Uuid>, Vec<i64>) = decided.iter().copied().unzip();
    sqlx::query(APPEND)
        .bind(rows.iter().map(|row| row.lane).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.seq).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.record.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.hash.as_str()).collect::<Vec<_>>())
        .bind(children)
        .bind(epochs)
}

/// The statement that adds places to the index on PostgreSQL: of one form, however many they are.
fn places_postgres(places: &[SubjectRow]) -> Statement {
    const ADD: &str = "INSERT INTO ledger_subject (subject, at, lane, seq, agency_id)
        SELECT * FROM json_to_recordset($1::json)
            AS place (subject uuid, at bigint, lane uuid, seq bigint, agency_id uuid)
        ON CONFLICT DO NOTHING";
    let row = |place: &SubjectRow| {
        let SubjectRow { subject, at, lane, seq, agency } = place;
        json!({ "subject": subject, "at": at, "lane": lane, "seq": seq, "agency_id": agency.0 })
    };
    let places: Json = places.iter().map(row).collect();
    Statement::from_sql_and_values(DbBackend::Postgres, ADD, [places.to_string().into()])
}

/// How many places one statement adds on SQLite.
const AT_ONCE: usize = 256;

impl Snapshot {
    /// The log's rows about a child, latest first; of one agency, or of all.
    pub(crate) async fn ledger_of(
        &self,
        subject: Uuid,
        agency: Option<AgencyId>,
        before: Option<(i64, Uuid, i64)>,
        most: u64,
    ) -> Result<Vec<LedgerRow>, DatabaseError> {
        let col = |column: &'static str| Expr::col((name("ledger_subject"), name(column)));
        let mut query = Query::select();
        query
            .columns(["lane", "seq", "at", "record", "hash"].map(|column| (name("ledger"), name(column))))
            .from(name("ledger_subject"))
            .inner_join(
                name("ledger"),
                Cond::all()
                    .add(col("lane").equals((name("ledger"), name("lane"))))
                    .add(col("seq").equals((name("ledger"), name("seq")))),
            )
            .and_where(col("subject").eq(subject));
        if let Some(agency) = agency {
            query.and_where(col("agency_id").eq(agency.0));
        }
        if let Some((at, lane, seq)) = before {
            let earlier = Cond::any()
                .add(col("at").lt(at))
                .add(Cond::all().add(col("at").eq(at)).add(col("lane").lt(lane)))
                .add(Cond::all().add(col("at").eq(at)).add(col("lane").eq(lane)).add(col("seq").lt(seq)));
            query.cond_where(earlier);
        }
        for column in ["at", "lane", "seq"] {
            query.order_by((name("ledger_subject"), name(column)), Order::Desc);
        }
        let rows = self.rows(query.limit(most)).await?;
        let read = |row: &sea_orm::QueryResult| {
            Ok(LedgerRow {
                lane: row.try_get_by_index(0)?,
                seq: row.try_get_by_index(1)?,
                at: row.try_get_by_index(2)?,
                record: row.try_get_by_index(3)?,
                hash: row.try_get_by_index(4)?,
            })
        };
        rows.iter().map(read).collect()
    }
}

fn read(row: ledger::Model) -> LedgerRow {
    let ledger::Model { lane, seq, at, record, hash } = row;
    LedgerRow { lane, seq, at, record, hash }
}
