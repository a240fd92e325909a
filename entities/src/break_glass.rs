//! An emergency access (*nödöppning*).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "break_glass")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// None where nothing was found to open.
    pub child_id: Option<Uuid>,
    pub agency_id: Uuid,
    pub role: String,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    pub purpose: String,
    pub reason: String,
    /// Microseconds since 1970.
    pub opened_at: i64,
    /// Microseconds since 1970.
    pub until: i64,
    /// When it must have been reviewed. Microseconds since 1970.
    pub review_by: i64,
    /// Microseconds since 1970.
    pub reviewed_at: Option<i64>,
    pub reviewed_by: Option<Uuid>,
    /// The human behind the system, opaque.
    pub reviewed_user: Option<String>,
    pub verdict: Option<String>,
    pub comment: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
