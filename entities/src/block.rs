//! A party that is kept from a child's record, because it is suspected (F62).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "block")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// Who is kept out.
    pub agency_id: Uuid,
    /// Who decided.
    pub by_agency_id: Uuid,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    pub reason: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// Microseconds since 1970.
    pub lifted_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
