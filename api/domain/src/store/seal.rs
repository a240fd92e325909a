//! Children whose record is sealed (*fingerade personuppgifter*): nobody may know of them.

use super::columns::name;
use super::event::Told;
use super::{Store, roster};
use crate::error::DatabaseError;
use samverka_entities::child;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

/// The state of a child that is sealed.
pub(crate) const SEALED: &str = "SEALED";
/// The state of any other.
const ACTIVE: &str = "ACTIVE";

impl Store {
    /// The pseudonym under which the access log knows a child, sealed or not.
    pub(crate) async fn subject(&self, child: Uuid) -> Result<Option<Uuid>, DatabaseError> {
        let found = child::Entity::find().filter(child::Column::Id.eq(child)).one(&self.writer).await?;
        Ok(found.map(|row| row.subject))
    }

    /// Seals the record of a child, or unseals it: it goes out of every list, and answers that were decided before are stale.
    /// Whether that changed anything.
    pub(crate) async fn seal(&self, child: Uuid, is_sealed: bool, now: i64) -> Result<bool, DatabaseError> {
        let (from, to) = if is_sealed { (ACTIVE, SEALED) } else { (SEALED, ACTIVE) };
        let transaction = self.begin().await?;
        // As any change it makes those stale that are decided on now, and has an event, so that none is missing between those
        // of its neighbours. It is addressed to nobody and about no field: nobody hears of it.
        let done = child::Entity::update_many()
            .col_expr(child::Column::State, Expr::val(to))
            .col_expr(child::Column::Epoch, Expr::col(child::Column::Epoch).add(1))
            .col_expr(child::Column::Sequence, Expr::col(child::Column::Sequence).add(1))
            .filter(child::Column::Id.eq(child))
            .filter(child::Column::State.eq(from))
            .exec(&transaction)
            .await?;
        if done.rows_affected == 1 {
            roster::refresh(&transaction, &[child], now).await?;
            let mut query = Query::select();
            query.column(name("sequence")).from(name("child")).and_where(Expr::col(name("id")).eq(child));
            let row = transaction.query_one(&query).await?;
            let row = row.ok_or_else(|| DatabaseError("a child that was sealed is not there".to_owned()))?;
            for event in Told::nothing().into_events(self.backend(), (child, row.try_get_by_index(0)?), now)? {
                transaction.execute_raw(event).await?;
            }
        }
        transaction.commit().await?;
        Ok(done.rows_affected == 1)
    }
}
