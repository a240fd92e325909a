//! A routine of a county for missing children, as it was published.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "routine")]
pub struct Model {
    /// Two digits (*länskod*); `00` is the national default.
    #[sea_orm(primary_key, auto_increment = false)]
    pub county: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub valid_from: Date,
    pub items: Json,
    /// Microseconds since 1970.
    pub published_at: i64,
    /// The county board; none where it came with the hub.
    pub agency_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
