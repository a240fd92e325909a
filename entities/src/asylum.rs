//! The section `asylum` of the record: at most one row per child.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "asylum")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
    /// F17.
    pub application_date: Option<Date>,
    /// F18.
    pub stage: Option<String>,
    /// F19.
    pub outcome: Option<String>,
    /// F19.
    pub served_on: Option<Date>,
    /// F19.
    pub appealed: Option<bool>,
    /// F19.
    pub final_on: Option<Date>,
    /// F19.
    pub decision_near_or_served: Option<bool>,
    /// F20.
    pub transfer_pending: Option<bool>,
    /// F20.
    pub transfer_state: Option<String>,
    /// F20.
    pub transfer_on: Option<Date>,
    /// F21.
    pub age_assessment_stage: Option<String>,
    /// F21.
    pub age_assessment_result: Option<String>,
    /// F21.
    pub transfer_or_age_assessment_open: Option<bool>,
    /// F22.
    pub counsel_name: Option<String>,
    /// F22.
    pub counsel_phone: Option<String>,
    /// F22.
    pub counsel_email: Option<String>,
    /// F23.
    pub return_phase: Option<String>,
    /// F23.
    pub return_lead: Option<String>,
    /// F23.
    pub return_planned_on: Option<Date>,
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
