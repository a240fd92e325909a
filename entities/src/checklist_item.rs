//! An item of a checklist (F54): copied from a routine when its moment came.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "checklist_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// What the checklist belongs to: a handover or an episode.
    pub about: String,
    pub about_id: Uuid,
    pub position: i32,
    /// The routine and its version, `12/1`.
    pub routine: String,
    /// The item in its routine.
    pub key: String,
    pub moment: String,
    /// Whose it is, as a role of the routine.
    pub actor: String,
    pub sv: String,
    pub en: String,
    pub source: String,
    pub mandatory: bool,
    /// Microseconds since 1970.
    pub due_at: Option<i64>,
    pub state: String,
    /// The agency that it is assigned to.
    pub agency_id: Option<Uuid>,
    /// Microseconds since 1970.
    pub done_at: Option<i64>,
    pub done_by: Option<Uuid>,
    /// The human behind the system, opaque.
    pub done_user: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
