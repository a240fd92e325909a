//! Checklists, and the routines that they are copied from.

use super::Store;
use super::claim::{Claim, Claimed};
use super::handover::{HandoverRow, read as read_handover};
use super::read::Snapshot;
use super::reading::{Rows, models};
use super::write::Write;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::routine::{Actor, Item, ItemState, Moment, NATIONAL, Routine};
use samverka_entities::{checklist_item, handover, routine};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QueryTrait as _,
};
use uuid::Uuid;

/// What a checklist belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Episode,
    Handover,
}

impl About {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            About::Episode => "EPISODE",
            About::Handover => "HANDOVER",
        }
    }
}

/// An item of a checklist. Instants are in microseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct ItemRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) about: String,
    pub(crate) about_id: Uuid,
    pub(crate) position: i32,
    pub(crate) routine: String,
    pub(crate) key: String,
    pub(crate) moment: Moment,
    pub(crate) actor: Actor,
    pub(crate) sv: String,
    pub(crate) en: String,
    pub(crate) source: String,
    pub(crate) mandatory: bool,
    pub(crate) due_at: Option<i64>,
    pub(crate) state: ItemState,
    pub(crate) agency: Option<AgencyId>,
    pub(crate) done_at: Option<i64>,
    pub(crate) done_by: Option<AgencyId>,
    pub(crate) done_user: Option<String>,
    pub(crate) reason: Option<String>,
}

/// A version that a county board has published.
#[derive(Clone, Debug)]
pub(crate) struct RoutineRow {
    pub(crate) routine: Routine,
    /// Microseconds since 1970.
    pub(crate) published_at: i64,
    pub(crate) agency: Option<AgencyId>,
}

impl Snapshot {
    /// An item by its id.
    pub(crate) async fn item(&self, id: Uuid) -> Result<Option<ItemRow>, DatabaseError> {
        item(self, id).await
    }

    /// The items of what is going on about a child: of these episodes, and of handovers that have not ended, which come with them.
    pub(crate) async fn checklist(
        &self,
        child: Uuid,
        episodes: &[Uuid],
    ) -> Result<(Vec<ItemRow>, Vec<HandoverRow>), DatabaseError> {
        let going_on = handover::Entity::find()
            .filter(handover::Column::ChildId.eq(child))
            .filter(handover::Column::EndedAt.is_null());
        let handovers = models(self, going_on).await?;
        let about = handovers.iter().map(|row| row.id).chain(episodes.iter().copied());
        let of = checklist_item::Entity::find()
            .filter(checklist_item::Column::ChildId.eq(child))
            .filter(checklist_item::Column::AboutId.is_in(about.collect::<Vec<_>>()))
            .order_by_asc(checklist_item::Column::AboutId)
            .order_by_asc(checklist_item::Column::Position)
            .order_by_asc(checklist_item::Column::Id);
        let items = models(self, of).await?.into_iter().map(read_item).collect::<Result<_, _>>()?;
        Ok((items, handovers.into_iter().map(read_handover).collect::<Result<_, _>>()?))
    }

    /// The versions that a county's board has published, oldest first.
    pub(crate) async fn routines(&self, county: &str) -> Result<Vec<RoutineRow>, DatabaseError> {
        routines(self, &[county]).await
    }

    /// The versions that were published for a county, or for the nation.
    pub(crate) async fn routines_in_force(&self, county: &str) -> Result<Vec<RoutineRow>, DatabaseError> {
        routines(self, &[county, NATIONAL]).await
    }

    /// How many items there are about something.
    pub(crate) async fn items_about(&self, about_id: Uuid) -> Result<usize, DatabaseError> {
        let of = checklist_item::Entity::find().filter(checklist_item::Column::AboutId.eq(about_id));
        Ok(models(self, of).await?.len())
    }
}

impl Write {
    /// Puts items into a checklist.
    pub(crate) fn copy_checklist(&mut self, items: &[ItemRow]) {
        if !items.is_empty() {
            self.run(&checklist_item::Entity::insert_many(items.iter().map(model)).into_query());
        }
    }

    /// Writes an item as it is now.
    pub(crate) fn update_item(&mut self, row: &ItemRow) {
        use checklist_item::Column;
        let update = checklist_item::Entity::update_many()
            .col_expr(Column::State, Expr::val(row.state.code()))
            .col_expr(Column::AgencyId, Expr::val(row.agency.map(|agency| agency.0)))
            .col_expr(Column::DoneAt, Expr::val(row.done_at))
            .col_expr(Column::DoneBy, Expr::val(row.done_by.map(|agency| agency.0)))
            .col_expr(Column::DoneUser, Expr::val(row.done_user.clone()))
            .col_expr(Column::Reason, Expr::val(row.reason.clone()))
            .filter(Column::Id.eq(row.id));
        self.run(&update.into_query());
    }
}

impl Store {
    /// Publishes a version of a routine, once where it is claimed.
    pub(crate) async fn publish_routine(
        &self,
        row: &RoutineRow,
        claim: Option<&Claim>,
    ) -> Result<Claimed, DatabaseError> {
        let RoutineRow { routine, published_at, agency } = row;
        let items =
            serde_json::to_value(&routine.items).map_err(|_| DatabaseError("a routine has no form".to_owned()))?;
        let row = routine::ActiveModel {
            county: Set(routine.county.clone()),
            version: Set(routine.version),
            valid_from: Set(routine.valid_from),
            items: Set(items),
            published_at: Set(*published_at),
            agency_id: Set(agency.map(|agency| agency.0)),
        };
        let transaction = self.begin().await?;
        if let Some(claim) = claim {
            let claimed = claim.make(&transaction).await?;
            if claimed != Claimed::New {
                transaction.rollback().await?;
                return Ok(claimed);
            }
        }
        routine::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(Claimed::New)
    }
}

async fn item(database: &impl Rows, id: Uuid) -> Result<Option<ItemRow>, DatabaseError> {
    let found = models(database, checklist_item::Entity::find().filter(checklist_item::Column::Id.eq(id))).await?;
    found.into_iter().next().map(read_item).transpose()
}

async fn routines(database: &impl Rows, counties: &[&str]) -> Result<Vec<RoutineRow>, DatabaseError> {
    let of = routine::Entity::find()
        .filter(routine::Column::County.is_in(counties.iter().copied()))
        .order_by_asc(routine::Column::County)
        .order_by_asc(routine::Column::Version);
    let read = |row: routine::Model| {
        let routine::Model { county, version, valid_from, items, published_at, agency_id } = row;
        let items: Vec<Item> = serde_json::from_value(items).map_err(|_| unknown())?;
        let routine = Routine { county, version, valid_from, items };
        Ok(RoutineRow { routine, published_at, agency: agency_id.map(AgencyId) })
    };
    models(database, of).await?.into_iter().map(read).collect()
}

fn unknown() -> DatabaseError {
    DatabaseError("a stored checklist or routine is unknown".to_owned())
}

fn read_item(row: checklist_item::Model) -> Result<ItemRow, DatabaseError> {
    Ok(ItemRow {
        id: row.id,
        child: row.child_id,
        about: row.about,
        about_id: row.about_id,
        position: row.position,
        routine: row.routine,
        key: row.key,
        moment: Moment::from_code(&row.moment).ok_or_else(unknown)?,
        actor: Actor::from_code(&row.actor).ok_or_else(unknown)?,
        sv: row.sv,
        en: row.en,
        source: row.source,
        mandatory: row.mandatory,
        due_at: row.due_at,
        state: ItemState::from_code(&row.state).ok_or_else(unknown)?,
        agency: row.agency_id.map(AgencyId),
        done_at: row.done_at,
        done_by: row.done_by.map(AgencyId),
        done_user: row.done_user,
        reason: row.reason,
    })
}

fn model(row: &ItemRow) -> checklist_item::ActiveModel {
    let row = row.clone();
    let model = checklist_item::Model {
        id: row.id,
        child_id: row.child,
        about: row.about,
        about_id: row.about_id,
        position: row.position,
        routine: row.routine,
        key: row.key,
        moment: row.moment.code().to_owned(),
        actor: row.actor.code().to_owned(),
        sv: row.sv,
        en: row.en,
        source: row.source,
        mandatory: row.mandatory,
        due_at: row.due_at,
        state: row.state.code().to_owned(),
        agency_id: row.agency.map(|agency| agency.0),
        done_at: row.done_at,
        done_by: row.done_by.map(|agency| agency.0),
        done_user: row.done_user,
        reason: row.reason,
    };
    model.into_active_model().reset_all()
}
