//! A sighting or a tip on a missing child (F58), taken into the episode.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sighting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    pub episode_id: Uuid,
    /// Microseconds since 1970.
    pub at: i64,
    /// Microseconds since 1970.
    pub seen_at: Option<i64>,
    pub place: Option<String>,
    pub text: String,
    pub agency_id: Uuid,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    /// The submission it came by.
    pub submission_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
