//! When a child was missing. While one is open, and 72 hours after, access is widened.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "missing_episode")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// Microseconds since 1970.
    pub opened_at: i64,
    /// Microseconds since 1970.
    pub found_at: Option<i64>,
    /// Microseconds since 1970; none while it is open.
    pub closed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
}

impl ActiveModelBehavior for ActiveModel {}
