//! A handover (F28): what one agency passes on to another, from the proposal to the arrival.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "handover")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    pub kind: String,
    /// What moves with it: of each only one handover is open for a child.
    pub moves: String,
    pub state: String,
    pub from_agency_id: Uuid,
    pub to_agency_id: Uuid,
    /// Who proposed it: the sender, or whoever may decide in its place.
    pub proposer_agency_id: Uuid,
    /// Microseconds since 1970.
    pub proposed_at: i64,
    /// The human behind the system, opaque.
    pub proposed_by: Option<String>,
    /// When the child is expected to have arrived. Microseconds since 1970.
    pub expected_at: i64,
    pub urgent: bool,
    /// Escort, ticket, contact, decision, and what else the parties tell one another.
    pub details: Json,
    /// Microseconds since 1970.
    pub accepted_at: Option<i64>,
    /// Microseconds since 1970.
    pub departed_at: Option<i64>,
    /// Microseconds since 1970.
    pub arrived_at: Option<i64>,
    /// When the silence was noticed. Microseconds since 1970.
    pub overdue_at: Option<i64>,
    /// Microseconds since 1970; none while it is open.
    pub ended_at: Option<i64>,
    /// Why it was refused, withdrawn or not completed.
    pub reason: Option<String>,
    /// What the receiver confirmed to have got: sections and their versions.
    pub receipt: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
