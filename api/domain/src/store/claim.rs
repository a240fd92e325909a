//! The keys of callers: what was done under a key is done once.
//!
//! A claim is a row that is written in the transaction of its effect: whoever comes second waits for the first, and then
//! finds what came of it. If the first is rolled back, so is its claim.

use super::Store;
use super::columns::name;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use samverka_entities::idempotency::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult as _, QueryFilter, QueryTrait as _,
    Select,
};

/// How long after its end a claim is still there: longer than any transaction lasts, so that none is forgotten in parts.
const GRACE: i64 = 3_600_000_000;
/// How often a claim is tried whose rows others forget meanwhile.
const ATTEMPTS: usize = 3;

/// One root field of one request under a caller's key. All texts are opaque here.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) agency: AgencyId,
    /// The client and its key.
    pub(crate) holder: String,
    /// The root field; never empty.
    pub(crate) field: String,
    /// All that was asked.
    pub(crate) request: String,
    /// What will have come of it.
    pub(crate) outcome: String,
    pub(crate) at: i64,
    /// What was claimed before this instant counts no more.
    pub(crate) since: i64,
}

/// How a claim stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claimed {
    /// Nothing was done under the key.
    New,
    /// It was done before, and this came of it.
    Before(String),
    /// The key stands for another request.
    Reused,
}

impl Store {
    /// How a claim would stand now.
    pub(crate) async fn claimed(&self, claim: &Claim) -> Result<Claimed, DatabaseError> {
        let rows = self.readers.take().await?.rows(&claim.own().into_query()).await?;
        let rows: Vec<Model> = rows.iter().map(|row| Model::from_query_result(row, "")).collect::<Result<_, _>>()?;
        Ok(match (find(&rows, ""), find(&rows, &claim.field)) {
            (Some(key), _) if key.at < claim.since => Claimed::New,
            (Some(key), _) if key.request != claim.request => Claimed::Reused,
            (Some(_), Some(Model { outcome: Some(outcome), .. })) => Claimed::Before(outcome.clone()),
            _ => Claimed::New,
        })
    }

    /// What the key of a client stands for, if it was claimed since then.
    pub(crate) async fn request_of(
        &self,
        agency: AgencyId,
        holder: &str,
        since: i64,
    ) -> Result<Option<String>, DatabaseError> {
        let query = Entity::find_by_id((agency.0, holder.to_owned(), String::new())).into_query();
        let key = self.readers.take().await?.rows(&query).await?;
        let key = key.first().map(|row| Model::from_query_result(row, "")).transpose()?;
        Ok(key.filter(|key| key.at >= since).map(|key| key.request))
    }

    /// Forgets the keys that were claimed before an instant, and all that was done under them.
    pub(crate) async fn forget_claims(&self, before: i64) -> Result<(), DatabaseError> {
        let keys = || [Column::AgencyId, Column::Holder];
        let mut old = Query::select();
        old.columns(keys()).from(Entity).and_where(Column::Field.eq(""));
        old.and_where(Column::At.lt(before.saturating_sub(GRACE)));
        let mut forget = Query::delete();
        forget.from_table(Entity).and_where(Expr::tuple(keys().map(Expr::col)).in_subquery(old));
        self.writer.execute(&forget).await?;
        Ok(())
    }
}

impl Claim {
    /// Claims it, in the transaction of its effect.
    pub(super) async fn make(&self, transaction: &DatabaseTransaction) -> Result<Claimed, DatabaseError> {
        for _ in 0..ATTEMPTS {
            let inserted = self.insert(transaction).await?;
            if inserted == 2 {
                return Ok(Claimed::New);
            }
            let rows = self.rows(transaction).await?;
            let (Some(key), Some(own)) = (find(&rows, ""), find(&rows, &self.field)) else { continue };
            if key.at < self.since {
                self.forget(transaction).await?;
                continue;
            }
            return Ok(match &own.outcome {
                _ if key.request != self.request => Claimed::Reused,
                // Another root field of the same request came first.
                _ if inserted == 1 => Claimed::New,
                Some(outcome) => Claimed::Before(outcome.clone()),
                None => Claimed::Reused,
            });
        }
        Err(DatabaseError("a key is claimed and forgotten again and again".to_owned()))
    }

    /// Writes the row of the key and the row of the field, where they are not there: how many were not. PostgreSQL waits
    /// here for another transaction that claims the same, and does not fail (which would end this one).
    async fn insert(&self, transaction: &DatabaseTransaction) -> Result<u64, DatabaseError> {
        let columns = ["agency_id", "holder", "field", "request", "outcome", "at"];
        let row = |field: &str, outcome: Option<&str>| {
            [
                Expr::val(self.agency.0),
                Expr::val(self.holder.as_str()),
                Expr::val(field),
                Expr::val(self.request.as_str()),
                Expr::val(outcome),
                Expr::val(self.at),
            ]
        };
        let mut insert = Query::insert();
        insert.into_table(Entity).columns(columns.map(name));
        insert.values_panic(row("", None)).values_panic(row(&self.field, Some(&self.outcome)));
        insert.on_conflict(OnConflict::new().do_nothing().to_owned());
        Ok(transaction.execute(&insert).await?.rows_affected())
    }

    async fn rows(&self, transaction: &DatabaseTransaction) -> Result<Vec<Model>, DatabaseError> {
        Ok(self.own().all(transaction).await?)
    }

    fn own(&self) -> Select<Entity> {
        Entity::find().filter(Column::AgencyId.eq(self.agency.0)).filter(Column::Holder.eq(&self.holder))
    }

    async fn forget(&self, transaction: &DatabaseTransaction) -> Result<(), DatabaseError> {
        let own = Entity::delete_many();
        let own = own.filter(Column::AgencyId.eq(self.agency.0)).filter(Column::Holder.eq(&self.holder));
        own.exec(transaction).await?;
        Ok(())
    }
}

fn find<'a>(rows: &'a [Model], field: &str) -> Option<&'a Model> {
    rows.iter().find(|row| row.field == field)
}
