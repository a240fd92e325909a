//! The access log: append-only, hash-linked per lane.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger")]
pub struct Model {
    /// One per start of a node.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: Uuid,
    /// Dense from 0.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// What was shown to whom and by which rules: never a value.
    pub record: String,
    /// SHA-256 over the hash before, the place, the time and the record.
    pub hash: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
