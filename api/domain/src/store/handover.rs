//! Handovers, and the ties between agencies and a child that they move.

use super::columns::name;
use super::read::Snapshot;
use super::reading::models;
use super::write::Write;
use crate::catalogue::Section;
use crate::error::DatabaseError;
use crate::handover::{Details, Kind, Moves, State};
use crate::ids::AgencyId;
use samverka_entities::{checklist_item, handover, involvement};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

/// A handover as it stands.
#[derive(Clone, Debug)]
pub(crate) struct HandoverRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) from: AgencyId,
    pub(crate) to: AgencyId,
    /// Who proposed it: the sender, or whoever may decide in its place.
    pub(crate) proposer: AgencyId,
    pub(crate) proposed_at: i64,
    pub(crate) proposed_by: Option<String>,
    pub(crate) expected_at: i64,
    pub(crate) urgent: bool,
    pub(crate) details: Details,
    pub(crate) accepted_at: Option<i64>,
    pub(crate) departed_at: Option<i64>,
    pub(crate) arrived_at: Option<i64>,
    pub(crate) overdue_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) receipt: Option<Vec<Received>>,
}

/// A section that the receiver confirmed to have got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    pub(crate) section: String,
    /// The version as the receiver sees it.
    pub(crate) version: String,
}

/// What a step changes in a handover; none leaves it as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandoverChange {
    pub(crate) state: Option<State>,
    pub(crate) expected_at: Option<i64>,
    pub(crate) accepted_at: Option<i64>,
    pub(crate) departed_at: Option<i64>,
    pub(crate) arrived_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) receipt: Option<Vec<Received>>,
    /// The silence is over: it is expected anew.
    pub(crate) is_awaited: bool,
}

/// What an agency is or was to a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tie {
    pub(crate) agency: AgencyId,
    pub(crate) unit: Option<String>,
    pub(crate) kind: String,
    pub(crate) opened_at: i64,
    pub(crate) closed_at: Option<i64>,
}

/// An item of a checklist that nobody has done or skipped.
#[derive(Clone, Debug)]
pub(crate) struct UnfinishedItem {
    pub(crate) id: Uuid,
    pub(crate) key: String,
    pub(crate) actor: String,
    pub(crate) sv: String,
    pub(crate) en: String,
}

impl Snapshot {
    /// A handover by its id.
    pub(crate) async fn handover(&self, id: Uuid) -> Result<Option<HandoverRow>, DatabaseError> {
        let found = models(self, handover::Entity::find().filter(handover::Column::Id.eq(id))).await?;
        found.into_iter().next().map(read).transpose()
    }

    /// The handovers of these kinds that an agency sends, receives or has proposed, latest first, from `before` on.
    pub(crate) async fn handovers(
        &self,
        agency: AgencyId,
        sent: &[Kind],
        received: &[Kind],
        state: Option<State>,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<HandoverRow>, DatabaseError> {
        use handover::Column;
        let codes = |kinds: &[Kind]| kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>();
        let own = Cond::any().add(Column::FromAgencyId.eq(agency.0)).add(Column::ProposerAgencyId.eq(agency.0));
        let sent = Cond::all().add(Column::Kind.is_in(codes(sent))).add(own);
        let received = Cond::all().add(Column::Kind.is_in(codes(received))).add(Column::ToAgencyId.eq(agency.0));
        let mut query = handover::Entity::find()
            .filter(Cond::any().add(sent).add(received))
            .order_by_desc(Column::ProposedAt)
            .order_by_desc(Column::Id)
            .limit(limit);
        if let Some(state) = state {
            query = query.filter(Column::State.eq(state.code()));
        }
        if let Some((at, id)) = before {
            let same = Cond::all().add(Column::ProposedAt.eq(at)).add(Column::Id.lt(id));
            query = query.filter(Cond::any().add(Column::ProposedAt.lt(at)).add(same));
        }
        models(self, query).await?.into_iter().map(read).collect()
    }

    /// All handovers of a child.
    pub(crate) async fn handovers_of(&self, child: Uuid) -> Result<Vec<HandoverRow>, DatabaseError> {
        let of =
            handover::Entity::find().filter(handover::Column::ChildId.eq(child)).order_by_asc(handover::Column::Id);
        models(self, of).await?.into_iter().map(read).collect()
    }

    /// The open handover of a child that moves this, if there is one.
    pub(crate) async fn open_handover(&self, child: Uuid, moves: Moves) -> Result<Option<HandoverRow>, DatabaseError> {
        let found = models(self, open_of(child, moves)).await?;
        found.into_iter().next().map(read).transpose()
    }

    /// All that agencies are and were to a child, earliest first.
    pub(crate) async fn ties(&self, child: Uuid) -> Result<Vec<Tie>, DatabaseError> {
        Ok(models(self, ties_of(child)).await?.into_iter().map(read_tie).collect())
    }

    /// The items of a checklist that nobody has done or skipped, in their order.
    pub(crate) async fn unfinished(&self, about: Uuid) -> Result<Vec<UnfinishedItem>, DatabaseError> {
        Ok(models(self, unfinished_of(about)).await?.into_iter().map(read_item).collect())
    }
}

impl Write {
    pub(crate) fn insert_handover(&mut self, row: HandoverRow) {
        let moves = row.kind.terms().moves.code().to_owned();
        let row = handover::ActiveModel {
            id: Set(row.id),
            child_id: Set(row.child),
            kind: Set(row.kind.code().to_owned()),
            moves: Set(moves),
            state: Set(row.state.code().to_owned()),
            from_agency_id: Set(row.from.0),
            to_agency_id: Set(row.to.0),
            proposer_agency_id: Set(row.proposer.0),
            proposed_at: Set(row.proposed_at),
            proposed_by: Set(row.proposed_by),
            expected_at: Set(row.expected_at),
            urgent: Set(row.urgent),
            details: Set(row.details.to_json()),
            accepted_at: Set(row.accepted_at),
            departed_at: Set(row.departed_at),
            arrived_at: Set(row.arrived_at),
            overdue_at: Set(row.overdue_at),
            ended_at: Set(row.ended_at),
            reason: Set(row.reason),
            receipt: Set(row.receipt.as_deref().map(receipt)),
        };
        self.run(&handover::Entity::insert(row).into_query());
    }

    /// Changes a handover by a step.
    pub(crate) fn change_handover(&mut self, id: Uuid, change: HandoverChange) {
        use handover::Column;
        let HandoverChange { state, expected_at, accepted_at, departed_at, arrived_at, ended_at, .. } = change;
        let instants = [
            (Column::ExpectedAt, expected_at),
            (Column::AcceptedAt, accepted_at),
            (Column::DepartedAt, departed_at),
            (Column::ArrivedAt, arrived_at),
            (Column::EndedAt, ended_at),
        ];
        let mut values: Vec<(Column, Expr)> =
            instants.into_iter().filter_map(|(column, at)| Some((column, Expr::val(at?)))).collect();
        values.extend(state.map(|state| (Column::State, Expr::val(state.code()))));
        values.extend(change.is_awaited.then(|| (Column::OverdueAt, Expr::val(None::<i64>))));
        values.extend(change.reason.map(|reason| (Column::Reason, Expr::val(reason))));
        values.extend(change.receipt.map(|received| (Column::Receipt, Expr::val(receipt(&received)))));
        let mut update = handover::Entity::update_many().filter(Column::Id.eq(id));
        for (column, value) in values {
            update = update.col_expr(column, value);
        }
        self.run(&update.into_query());
    }

    /// Keeps of a handover no words that may tell where the child is or goes.
    pub(crate) fn keep_placeless(&mut self, row: &HandoverRow) {
        let update = handover::Entity::update_many()
            .col_expr(handover::Column::Details, Expr::val(row.details.placeless().to_json()))
            .col_expr(handover::Column::Reason, Expr::val(None::<String>))
            .filter(handover::Column::Id.eq(row.id));
        self.run(&update.into_query());
    }

    /// Moves the lead: the database closes the tie that it ends and opens the one that it begins. `at` is after the lead
    /// began that it ends.
    pub(crate) fn move_lead(&mut self, to: AgencyId, at: i64) {
        self.tie("LEAD", at);
        let mut update = Query::update();
        update.table(name("child")).value(name("lead_agency_id"), to.0).value(name("lead_since"), at);
        update.and_where(Expr::col(name("id")).eq(self.child()));
        self.run(&update);
    }

    /// Closes an agency's open tie of a kind.
    pub(crate) fn close_tie(&mut self, agency: AgencyId, kind: &str, at: i64) {
        self.tie(kind, at);
        let update = involvement::Entity::update_many()
            .col_expr(involvement::Column::ClosedAt, Expr::val(at))
            .filter(involvement::Column::ChildId.eq(self.child()))
            .filter(involvement::Column::AgencyId.eq(agency.0))
            .filter(involvement::Column::Kind.eq(kind))
            .filter(involvement::Column::ClosedAt.is_null());
        self.run(&update.into_query());
    }
}

fn open_of(child: Uuid, moves: Moves) -> sea_orm::Select<handover::Entity> {
    handover::Entity::find()
        .filter(handover::Column::ChildId.eq(child))
        .filter(handover::Column::Moves.eq(moves.code()))
        .filter(handover::Column::EndedAt.is_null())
}

fn ties_of(child: Uuid) -> sea_orm::Select<involvement::Entity> {
    involvement::Entity::find()
        .filter(involvement::Column::ChildId.eq(child))
        .order_by_asc(involvement::Column::OpenedAt)
        .order_by_asc(involvement::Column::Id)
}

fn unfinished_of(about: Uuid) -> sea_orm::Select<checklist_item::Entity> {
    checklist_item::Entity::find()
        .filter(checklist_item::Column::AboutId.eq(about))
        .filter(checklist_item::Column::State.eq("OPEN"))
        .order_by_asc(checklist_item::Column::Position)
}

fn receipt(received: &[Received]) -> Json {
    serde_json::to_value(received).unwrap_or_default()
}

pub(super) fn read(row: handover::Model) -> Result<HandoverRow, DatabaseError> {
    let unknown = || DatabaseError("a stored handover is unknown".to_owned());
    Ok(HandoverRow {
        id: row.id,
        child: row.child_id,
        kind: Kind::from_code(&row.kind).ok_or_else(unknown)?,
        state: State::from_code(&row.state).ok_or_else(unknown)?,
        from: AgencyId(row.from_agency_id),
        to: AgencyId(row.to_agency_id),
        proposer: AgencyId(row.proposer_agency_id),
        proposed_at: row.proposed_at,
        proposed_by: row.proposed_by,
        expected_at: row.expected_at,
        urgent: row.urgent,
        details: Details::from_json(row.details),
        accepted_at: row.accepted_at,
        departed_at: row.departed_at,
        arrived_at: row.arrived_at,
        overdue_at: row.overdue_at,
        ended_at: row.ended_at,
        reason: row.reason,
        receipt: row.receipt.map(serde_json::from_value).transpose().map_err(|_| unknown())?,
    })
}

fn read_tie(row: involvement::Model) -> Tie {
    let involvement::Model { agency_id, unit, kind, opened_at, closed_at, .. } = row;
    Tie { agency: AgencyId(agency_id), unit, kind, opened_at, closed_at }
}

fn read_item(row: checklist_item::Model) -> UnfinishedItem {
    let checklist_item::Model { id, key, actor, sv, en, .. } = row;
    UnfinishedItem { id, key, actor, sv, en }
}

impl Received {
    pub(crate) fn new(section: Section, version: String) -> Self {
        Received { section: section.name().to_owned(), version }
    }
}
