//! Consents, and the parties that are kept from a child's record.

use super::columns::name;
use super::reading::{Rows, models};
use super::{Snapshot, Write};
use crate::consent::Giver;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::policy::Purpose;
use samverka_entities::{block, consent, involvement};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QueryTrait as _};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// A consent.
#[derive(Clone, Debug)]
pub(crate) struct ConsentRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) partner: AgencyId,
    pub(crate) groups: Vec<String>,
    /// None where it was written in words.
    pub(crate) given_by: Option<Giver>,
    pub(crate) giver: Option<String>,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) recorded_by: Option<AgencyId>,
    pub(crate) user: Option<String>,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) withdrawn_at: Option<i64>,
}

/// A party that is kept out.
#[derive(Clone, Debug)]
pub(crate) struct BlockRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) agency: AgencyId,
    pub(crate) by: AgencyId,
    pub(crate) user: Option<String>,
    pub(crate) reason: String,
    pub(crate) at: i64,
    pub(crate) lifted_at: Option<i64>,
}

impl Write {
    pub(crate) fn insert_consent(&mut self, row: ConsentRow) {
        self.guard();
        let row = consent::ActiveModel {
            id: Set(row.id),
            child_id: Set(row.child),
            agency_id: Set(row.partner.0),
            groups: Set(json!(row.groups)),
            given_by: Set(row.given_by.map_or("", Giver::code).to_owned()),
            giver: Set(row.giver),
            purpose: Set(row.purpose.map(|purpose| purpose.code().to_owned())),
            recorded_by: Set(row.recorded_by.map(|agency| agency.0)),
            user_ref: Set(row.user),
            valid_from: Set(row.from),
            valid_until: Set(row.until),
            withdrawn_at: Set(row.withdrawn_at),
        };
        self.run(&consent::Entity::insert(row).into_query());
    }

    pub(crate) fn withdraw_consent(&mut self, row: &ConsentRow, at: i64) {
        self.guard();
        let update = consent::Entity::update_many()
            .col_expr(consent::Column::WithdrawnAt, Expr::val(at))
            .filter(consent::Column::Id.eq(row.id))
            .filter(consent::Column::WithdrawnAt.is_null());
        self.run(&update.into_query());
    }

    /// Keeps a party out: what ties it to the child counts no more.
    pub(crate) fn insert_block(&mut self, row: BlockRow) {
        self.tie("BLOCK", row.at);
        let row = block::ActiveModel {
            id: Set(row.id),
            child_id: Set(row.child),
            agency_id: Set(row.agency.0),
            by_agency_id: Set(row.by.0),
            user_ref: Set(row.user),
            reason: Set(row.reason),
            at: Set(row.at),
            lifted_at: Set(row.lifted_at),
        };
        self.run(&block::Entity::insert(row).into_query());
    }

    /// Lets a party in again: what ties it to the child counts again.
    pub(crate) fn lift_block(&mut self, row: &BlockRow, at: i64) {
        self.tie("BLOCK", at);
        let mut update = Query::update();
        update.table(name("block")).value(name("lifted_at"), Expr::val(at));
        update.and_where(Expr::col(name("id")).eq(row.id));
        self.run(&update);
    }
}

impl Snapshot {
    pub(crate) async fn consent(&self, id: Uuid) -> Result<Option<ConsentRow>, DatabaseError> {
        consent_by_id(self, id).await
    }

    /// The consents that name an agency and are live, those that end first first.
    pub(crate) async fn consents_to(&self, agency: AgencyId, now: i64) -> Result<Vec<ConsentRow>, DatabaseError> {
        let live = consent::Entity::find()
            .filter(consent::Column::AgencyId.eq(agency.0))
            .filter(consent::Column::ValidFrom.lte(now))
            .filter(consent::Column::ValidUntil.gt(now))
            .filter(consent::Column::WithdrawnAt.is_null())
            .order_by_asc(consent::Column::ValidUntil)
            .order_by_asc(consent::Column::Id);
        Ok(models(self, live).await?.into_iter().map(read_consent).collect())
    }

    /// Whether an agency leads the child's case or is responsible for it.
    pub(crate) async fn answers_for(&self, child: Uuid, agency: AgencyId) -> Result<bool, DatabaseError> {
        let open = involvement::Entity::find()
            .filter(involvement::Column::ChildId.eq(child))
            .filter(involvement::Column::AgencyId.eq(agency.0))
            .filter(involvement::Column::Kind.is_in(["LEAD", "RESPONSIBLE"]))
            .filter(involvement::Column::ClosedAt.is_null());
        Ok(!models(self, open).await?.is_empty())
    }

    /// The block that keeps an agency out now.
    pub(crate) async fn open_block(&self, child: Uuid, agency: AgencyId) -> Result<Option<BlockRow>, DatabaseError> {
        let open = block::Entity::find()
            .filter(block::Column::ChildId.eq(child))
            .filter(block::Column::AgencyId.eq(agency.0))
            .filter(block::Column::LiftedAt.is_null());
        Ok(models(self, open).await?.into_iter().next().map(read_block))
    }

    pub(crate) async fn block(&self, id: Uuid) -> Result<Option<BlockRow>, DatabaseError> {
        let found = models(self, block::Entity::find().filter(block::Column::Id.eq(id))).await?;
        Ok(found.into_iter().next().map(read_block))
    }

    /// The blocks of a child, lifted ones too, latest first.
    pub(crate) async fn blocks(&self, child: Uuid) -> Result<Vec<BlockRow>, DatabaseError> {
        let all = block::Entity::find().filter(block::Column::ChildId.eq(child));
        let all = all.order_by_desc(block::Column::At).order_by_desc(block::Column::Id);
        Ok(models(self, all).await?.into_iter().map(read_block).collect())
    }
}

async fn consent_by_id(database: &impl Rows, id: Uuid) -> Result<Option<ConsentRow>, DatabaseError> {
    let found = models(database, consent::Entity::find().filter(consent::Column::Id.eq(id))).await?;
    Ok(found.into_iter().next().map(read_consent))
}

fn read_consent(row: consent::Model) -> ConsentRow {
    let groups = row.groups.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
    ConsentRow {
        id: row.id,
        child: row.child_id,
        partner: AgencyId(row.agency_id),
        groups: groups.collect(),
        given_by: Giver::from_code(&row.given_by),
        giver: row.giver,
        purpose: row.purpose.as_deref().and_then(Purpose::from_code),
        recorded_by: row.recorded_by.map(AgencyId),
        user: row.user_ref,
        from: row.valid_from,
        until: row.valid_until,
        withdrawn_at: row.withdrawn_at,
    }
}

fn read_block(row: block::Model) -> BlockRow {
    BlockRow {
        id: row.id,
        child: row.child_id,
        agency: AgencyId(row.agency_id),
        by: AgencyId(row.by_agency_id),
        user: row.user_ref,
        reason: row.reason,
        at: row.at,
        lifted_at: row.lifted_at,
    }
}
