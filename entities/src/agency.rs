//! An agency, board, home or organisation that the hub serves.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "agency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name in the configuration; unique.
    pub code: String,
    pub kind: String,
    pub name: String,
    /// `NNNNNN-NNNN`; boards of one municipality share it.
    pub organisation_number: Option<String>,
    /// Four digits (*kommunkod*).
    pub municipality: Option<String>,
    /// Two digits (*länskod*).
    pub county: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
