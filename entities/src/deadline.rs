//! A moment by which something must have happened: whoever finds it due fires it, once.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deadline")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// What it watches: a handover, an episode, an item of a checklist, an emergency access.
    pub about: String,
    pub about_id: Uuid,
    /// Which of the steps of the alarm.
    pub step: String,
    /// Microseconds since 1970.
    pub due_at: i64,
    /// Until when a node has it to itself. Microseconds since 1970.
    pub lease_until: Option<i64>,
    /// The lease: each has an id of its own.
    pub lease_by: Option<Uuid>,
    /// How often it was taken.
    pub attempts: i32,
    /// Microseconds since 1970.
    pub fired_at: Option<i64>,
    /// Microseconds since 1970.
    pub cancelled_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
