//! When a child was missing. While one is open, and 72 hours after, access is widened.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "missing_episode")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub child_id: Uuid,
    /// Microseconds since 1970.
    pub opened_at: i64,
    /// Microseconds since 1970.
    pub found_at: Option<i64>,
    /// Microseconds since 1970; none while it is open.
    pub closed_at: Option<i64>,
    /// How far it has come.
    pub state: String,
    /// By column: when and by whom it was last written.
    pub stamps: Json,
    /// The agency that reported the child missing.
    pub opened_by: Option<Uuid>,
    /// Microseconds since 1970.
    pub last_seen_at: Option<i64>,
    pub last_seen_place: Option<String>,
    pub circumstances: Option<String>,
    /// What the child wore then.
    pub clothing: Option<String>,
    /// `NNNN-Kn…n-YY`.
    pub police_number: Option<String>,
    /// A reference of the police of another form.
    pub police_reference: Option<String>,
    pub police_contact: Option<String>,
    pub wanted_entry: Option<bool>,
    pub police_assessment: Option<String>,
    pub police_measures: Option<String>,
    pub found_place: Option<String>,
    pub found_condition: Option<String>,
    /// Microseconds since 1970.
    pub located_at: Option<i64>,
    /// The agency that closed it.
    pub closed_by: Option<Uuid>,
    pub closed_reason: Option<String>,
    /// The episode that this one goes on with.
    pub reopens: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::child::Entity", from = "Column::ChildId", to = "super::child::Column::Id")]
    Child,
}

impl ActiveModelBehavior for ActiveModel {}
