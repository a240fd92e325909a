//! What was handed in about a child, known to the hub or not: a worry, a sighting, a tip.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "submission")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    /// Microseconds since 1970.
    pub at: i64,
    pub agency_id: Uuid,
    pub role: String,
    /// The human behind the system, opaque.
    pub user_ref: Option<String>,
    /// The child it was found to be about; of copies only, and of what a board has tied to a child itself.
    pub child_id: Option<Uuid>,
    /// How the child was named: number, name, description.
    pub named: Json,
    /// Four digits (*kommunkod*): who looks at it if the child is not found.
    pub municipality: Option<String>,
    /// Microseconds since 1970.
    pub seen_at: Option<i64>,
    pub place: Option<String>,
    pub text: String,
    pub state: String,
    /// Why it was dismissed.
    pub reason: Option<String>,
    /// What the submitter is told: a code.
    pub feedback: Option<String>,
    /// Microseconds since 1970.
    pub decided_at: Option<i64>,
    pub decided_by: Option<Uuid>,
    /// The human behind the system, opaque.
    pub decided_user: Option<String>,
    /// When it was looked for in the record. Microseconds since 1970.
    pub matched_at: Option<i64>,
    /// For whoever answers for the child: what was handed in, which stays as it is for the board of its municipality.
    pub copy_of: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
