//! A field of a suggestion: each is decided by itself.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion_field")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub suggestion_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: String,
    /// `SET`, `ADD` or `CLEAR`.
    pub change: String,
    /// None where the field is to be emptied.
    pub value: Option<Json>,
    /// `OPEN`, `ACCEPTED` or `DECLINED`.
    pub state: String,
    /// Microseconds since 1970.
    pub decided_at: Option<i64>,
    pub decided_by: Option<Uuid>,
    /// The human behind the system, opaque.
    pub decided_user: Option<String>,
    /// Why it was declined.
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::suggestion::Entity",
        from = "Column::SuggestionId",
        to = "super::suggestion::Column::Id"
    )]
    Suggestion,
}

impl ActiveModelBehavior for ActiveModel {}
