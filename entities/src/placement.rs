//! Placements, current and earlier (F29–F34): one row each.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "placement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// Last day of the placement; none while it is current.
    pub valid_to: Option<Date>,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
    #[sea_orm(column_name = "type")]
    /// F29.
    pub kind: Option<String>,
    /// F29.
    pub valid_from: Option<Date>,
    /// F30.
    pub unit_name: Option<String>,
    /// F30.
    pub unit_agency_id: Option<Uuid>,
    /// F30.
    pub operator_number: Option<String>,
    /// F31.
    pub street: Option<String>,
    /// F31.
    pub postal_code: Option<String>,
    /// F31.
    pub postal_town: Option<String>,
    /// F32.
    pub duty_phone: Option<String>,
    /// F33.
    pub legal_basis: Option<String>,
    /// F33.
    pub legal_basis_decided: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
}

impl Related<super::child::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Child.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
