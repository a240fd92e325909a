//! A child: the row that everything else hangs on. It cannot be without a lead agency.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "child")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The pseudonym under which the access log knows the child.
    pub subject: Uuid,
    pub lead_agency_id: Uuid,
    /// Since when it leads: the two move together, and the row of `involvement` with them. Microseconds since 1970.
    pub lead_since: i64,
    pub state: String,
    /// Microseconds since 1970.
    pub registered_at: i64,
    /// How many changes of the child there were through the hub: each raises it by one.
    pub sequence: i64,
    /// How often what decides who may see the child has changed: protection, ties, consents, blocks, emergencies, the seal.
    pub epoch: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::agency::Entity", from = "Column::LeadAgencyId", to = "super::agency::Column::Id")]
    Lead,
}

impl ActiveModelBehavior for ActiveModel {}
