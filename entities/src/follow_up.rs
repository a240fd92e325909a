//! What follows when a missing child was found (F60): one row for each part that was done.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    pub episode_id: Uuid,
    pub kind: String,
    pub done_on: Date,
    pub note: Option<String>,
    /// Microseconds since 1970.
    pub at: i64,
    pub agency_id: Uuid,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
