//! Who wrote what when: one row per write to a section.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub section: String,
    #[sea_orm(primary_key, auto_increment = false)]
    /// Orders a child's history: the child's number of changes after this one, and the place in the change.
    pub number: i64,
    /// Microseconds since 1970.
    pub at: i64,
    pub agency_id: Uuid,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    /// The row of a dated list that was written.
    pub entry_id: Option<Uuid>,
    /// By field: the new value.
    pub changes: Json,
    /// The agency that suggested the write, where one did.
    pub suggested_by: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
    #[sea_orm(belongs_to = "super::agency::Entity", from = "Column::AgencyId", to = "super::agency::Column::Id")]
    Agency,
}

impl ActiveModelBehavior for ActiveModel {}
