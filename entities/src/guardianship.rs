//! The section `guardianship` of the record: at most one row per child.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "guardianship")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
    /// F35.
    pub guardian_name: Option<String>,
    /// F35.
    pub guardian_phone: Option<String>,
    /// F35.
    pub guardian_email: Option<String>,
    /// F36.
    pub appointment_decision: Option<String>,
    /// F36.
    pub appointed_on: Option<Date>,
    /// F36.
    pub chief_guardian: Option<String>,
    /// F37.
    pub guardian_type: Option<String>,
    /// F37.
    pub valid_from: Option<Date>,
    /// F37.
    pub valid_to: Option<Date>,
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
