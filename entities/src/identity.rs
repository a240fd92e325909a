//! The section `identity` of the record: at most one row per child.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    /// Per column: how often it changed, when last (microseconds), and by which agency.
    pub stamps: Json,
    /// F02.
    pub given_names: Option<String>,
    /// F03.
    pub family_name: Option<String>,
    /// F04.
    pub aliases: Option<Json>,
    /// F05.
    pub birth_date: Option<Date>,
    /// F06.
    pub birth_date_claimed: Option<Date>,
    /// F07.
    pub sex: Option<String>,
    /// F08.
    pub citizenship: Option<String>,
    /// F08.
    pub stateless: Option<bool>,
    /// F09.
    pub languages: Option<Json>,
    /// F09.
    pub interpreter_needed: Option<bool>,
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
