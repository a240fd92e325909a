//! The numbers a child is known by (F11–F14): one row each.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "identifier")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// `PERSONAL_NUMBER`, `COORDINATION_NUMBER`, `DOSSIER_NUMBER` or `LMA_CARD`.
    pub kind: String,
    /// In its normal form.
    pub value: String,
    pub identity_level: Option<String>,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
}

impl ActiveModelBehavior for ActiveModel {}
