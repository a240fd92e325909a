//! How much of something an agency does in a day: counted where it is done, by one at a time, so that whoever asks for many at
//! once gets no more than whoever asks for one after the other.

use super::reading::Rows as _;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use sea_orm::sea_query::{Expr, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryTrait as _, Statement};

/// What must be left before something more is done.
pub(crate) struct Quota {
    /// Whoever does the same takes turns by this.
    turn: i64,
    /// What counts, and how much of it there may be.
    counts: Vec<(SelectStatement, u64)>,
}

impl Quota {
    /// The quota of an agency, of a kind of its own.
    pub(super) fn new(agency: AgencyId, kind: u32) -> Self {
        let (high, low) = agency.0.as_u64_pair();
        Quota { turn: (high ^ low.rotate_left(17) ^ u64::from(kind)).cast_signed(), counts: Vec::new() }
    }

    /// And no more of these than so many.
    #[must_use]
    pub(super) fn at_most<E: EntityTrait>(mut self, of: sea_orm::Select<E>, most: u64) -> Self {
        let mut query = of.into_query();
        query.clear_selects().expr(Expr::cust("COUNT(*)"));
        self.counts.push((query, most));
        self
    }

    /// Whether something is left of it. Until the transaction ends nobody else uses it up: on SQLite there is one writer, on
    /// PostgreSQL the others wait here, and then see what this one has done.
    pub(super) async fn is_left(&self, transaction: &DatabaseTransaction) -> Result<bool, DatabaseError> {
        if transaction.get_database_backend() == DbBackend::Postgres {
            let sql = format!("SELECT pg_advisory_xact_lock({})", self.turn);
            transaction.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        }
        for (query, most) in &self.counts {
            let rows = transaction.rows(query).await?;
            let count: i64 = rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
            if u64::try_from(count).unwrap_or(0) >= *most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
