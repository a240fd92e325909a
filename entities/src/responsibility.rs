//! The section `responsibility` of the record: at most one row per child.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "responsibility")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
    /// F24.
    pub arrival_municipality: Option<String>,
    /// F25.
    pub assigned_municipality: Option<String>,
    /// F25.
    pub assignment_decision: Option<String>,
    /// F25.
    pub assigned_on: Option<Date>,
    /// F26.
    pub unit: Option<String>,
    /// F26.
    pub duty_phone: Option<String>,
    /// F27.
    pub case_worker_name: Option<String>,
    /// F27.
    pub case_worker_phone: Option<String>,
    /// F27.
    pub case_worker_email: Option<String>,
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
