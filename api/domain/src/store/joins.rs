//! What other parts of the store write for this one. Each is written against the name that it will have there.

use super::Write;
use super::columns::name;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use samverka_entities::deadline;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use uuid::Uuid;

impl Write {
    // joins: Write::event
    /// Appends an event about a child: no values. For one agency alone, where one is named.
    pub(crate) async fn event(
        &self,
        child: Uuid,
        kind: &str,
        fields: &[&str],
        about_id: Option<Uuid>,
        addressee: Option<AgencyId>,
        at: i64,
    ) -> Result<(), DatabaseError> {
        let sequence = Expr::col(name("sequence")).max().if_null(0).add(1);
        let mut row = Query::select();
        row.expr(Expr::val(child)).expr(sequence).expr(Expr::val(at)).expr(Expr::val(kind));
        row.expr(Expr::val(json!(fields))).expr(Expr::val(about_id));
        row.expr(Expr::val(addressee.map(|agency| agency.0))).from(name("event"));
        row.and_where(Expr::col(name("child_id")).eq(child));
        let mut insert = Query::insert();
        let columns = ["child_id", "sequence", "at", "kind", "fields", "about_id", "agency_id"];
        insert.into_table(name("event")).columns(columns.map(name));
        insert.select_from(row).map_err(|_| DatabaseError("an event cannot be kept".to_owned()))?;
        self.transaction().execute(&insert).await?;
        Ok(())
    }

    // joins: Write::set_deadline
    /// Sets when a step must have been taken.
    pub(crate) async fn set_deadline(
        &self,
        id: Uuid,
        child: Uuid,
        about: &str,
        about_id: Uuid,
        step: &str,
        due_at: i64,
    ) -> Result<(), DatabaseError> {
        let row = deadline::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            about: Set(about.to_owned()),
            about_id: Set(about_id),
            step: Set(step.to_owned()),
            due_at: Set(due_at),
            ..Default::default()
        };
        deadline::Entity::insert(row).exec_without_returning(self.transaction()).await?;
        Ok(())
    }

    // joins: Write::cancel_deadlines
    /// Cancels what was due about something.
    pub(crate) async fn cancel_deadlines(&self, about_id: Uuid, at: i64) -> Result<(), DatabaseError> {
        let mut update = Query::update();
        update.table(name("deadline")).value(name("cancelled_at"), Expr::val(at));
        update.and_where(Expr::col(name("about_id")).eq(about_id)).and_where(Expr::col(name("fired_at")).is_null());
        self.transaction().execute(&update).await?;
        Ok(())
    }
}
