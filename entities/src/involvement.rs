//! What an agency is to a child, from when to when.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "involvement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    pub agency_id: Uuid,
    pub unit: Option<String>,
    /// `LEAD`, `RESPONSIBLE`, `RECEIVING`, `WHEREABOUTS` or `INVOLVED`.
    pub kind: String,
    /// Microseconds since 1970.
    pub opened_at: i64,
    /// Microseconds since 1970; none while it is open.
    pub closed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
    #[sea_orm(belongs_to = "super::agency::Entity", from = "Column::AgencyId", to = "super::agency::Column::Id")]
    Agency,
}

impl ActiveModelBehavior for ActiveModel {}
