//! An agency's own closure of its matter while a child is missing (F61).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agency_closure")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    pub episode_id: Uuid,
    /// Microseconds since 1970.
    pub at: i64,
    pub agency_id: Uuid,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    pub reason: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
