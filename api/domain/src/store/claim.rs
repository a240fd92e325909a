//! The keys of callers: what was done under a key is done once.
//!
//! A claim is a row that is written in the transaction of its effect, before the effect: whoever comes second waits for
//! the first, and then finds what came of it. If the first is rolled back, so is its claim.

use super::columns::name;
use super::{Store, Write};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use samverka_entities::idempotency::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult as _, QueryFilter, QueryTrait as _,
};
use tracing::Instrument;

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

/// How a transaction that writes begins.
pub(crate) enum Begun {
    /// Nothing was done under the key.
    New(Write),
    /// It was done before, and this came of it.
    Before(String),
    /// The key stands for another request.
    Reused,
}

/// How a claim stands.
enum Standing {
    New,
    Before(String),
    Reused,
}

impl Store {
    /// A transaction that may write; nothing of it is there unless it is committed. Whoever changes something for a caller
    /// claims it: under a key it is done once.
    pub(crate) async fn write(&self, claim: Option<&Claim>) -> Result<Begun, DatabaseError> {
        let transaction = self.begin().instrument(tracing::debug_span!("begin")).await?;
        let standing = match claim {
            None => Standing::New,
            Some(claim) => claim.make(&transaction).await?,
        };
        Ok(match standing {
            Standing::New => Begun::New(Write::new(transaction)),
            Standing::Before(outcome) => Begun::Before(outcome),
            Standing::Reused => Begun::Reused,
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
    async fn make(&self, transaction: &DatabaseTransaction) -> Result<Standing, DatabaseError> {
        for _ in 0..ATTEMPTS {
            let inserted = self.insert(transaction).await?;
            if inserted == 2 {
                return Ok(Standing::New);
            }
            let rows = self.rows(transaction).await?;
            let (Some(key), Some(own)) = (find(&rows, ""), find(&rows, &self.field)) else { continue };
            if key.at < self.since {
                self.forget(transaction).await?;
                continue;
            }
            return Ok(match &own.outcome {
                _ if key.request != self.request => Standing::Reused,
                // Another root field of the same request came first.
                _ if inserted == 1 => Standing::New,
                Some(outcome) => Standing::Before(outcome.clone()),
                None => Standing::Reused,
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
        let own = Entity::find().filter(Column::AgencyId.eq(self.agency.0)).filter(Column::Holder.eq(&self.holder));
        Ok(own.all(transaction).await?)
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
