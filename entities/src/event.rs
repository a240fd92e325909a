//! What happened to a child, for systems: no values. `sequence` counts the changes of the child, without a gap.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub child_id: Uuid,
    /// The change of the child that it tells of.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// Microseconds since 1970.
    pub at: i64,
    pub kind: String,
    /// The guarded fields that it concerns, as `section.field`: in `own` those that it is about, in `changed` all others that
    /// changed with them.
    pub fields: Json,
    /// The handover, episode, item or suggestion.
    pub about_id: Option<Uuid>,
    /// Whom it is addressed to, if it is addressed to anyone.
    pub agency_id: Option<Uuid>,
    /// The second of two that it is addressed to.
    pub other_agency_id: Option<Uuid>,
    /// Its place in the stream of all children, given once its change is in force.
    pub number: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
