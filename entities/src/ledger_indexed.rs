//! How far the index has come in each lane.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_indexed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub lane: Uuid,
    /// The next row to index.
    pub seq: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
