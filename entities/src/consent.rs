//! A consent (F62): which groups of fields a partner may read, and until when.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// The receiver.
    pub agency_id: Uuid,
    /// Names of policy groups.
    pub groups: Json,
    /// `GUARDIAN`, `CHILD` or `CHILD_AND_GUARDIAN`.
    pub given_by: String,
    /// Who they are, in words; no partner reads them.
    pub giver: Option<String>,
    /// The one purpose that it is for; any, where there is none.
    pub purpose: Option<String>,
    /// The agency that recorded it.
    pub recorded_by: Option<Uuid>,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    /// Microseconds since 1970.
    pub valid_from: i64,
    /// Microseconds since 1970.
    pub valid_until: i64,
    /// Microseconds since 1970.
    pub withdrawn_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
    #[sea_orm(belongs_to = "super::agency::Entity", from = "Column::AgencyId", to = "super::agency::Column::Id")]
    Agency,
}

impl ActiveModelBehavior for ActiveModel {}
