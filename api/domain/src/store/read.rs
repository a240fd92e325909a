//! Reading: only the tables and columns that are asked for, one statement a table, one snapshot a request.

use super::columns::{name, read, stored};
use crate::catalogue::{FieldId, FieldSet, IdentifierKind, Section, Value};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::list::Place;
use crate::policy::{Consents, Protection, Relation};
use crate::stamps::Stamps;
use chrono::NaiveDate;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use serde_json::Value as Json;
use std::cmp::Reverse;
use std::collections::HashMap;
use uuid::Uuid;

const HOUR: i64 = 3_600_000_000;
/// How long a former relation still counts (DOMAIN 5, relations).
pub(super) const FORMER: i64 = 90 * 24 * HOUR;
/// How long access stays widened after a missing child was found (DOMAIN 5, `Rm`).
pub(super) const AFTER_FOUND: i64 = 72 * HOUR;

/// What a decision on a child may depend on, for one agency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) child: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) lead: AgencyId,
    pub(crate) relation: Relation,
    pub(crate) protection: Protection,
    pub(crate) missing: bool,
    pub(crate) consents: Consents,
}

/// What is always read of a placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) from: Option<NaiveDate>,
    /// None while it is current.
    pub(crate) to: Option<NaiveDate>,
    /// The home as an agency of the hub.
    pub(crate) agency: Option<AgencyId>,
}

/// A row of a section: the planned columns, and the stamps of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) child: Uuid,
    /// What is always read of a placement; none for other sections.
    pub(crate) entry: Option<Entry>,
    pub(crate) values: Vec<(FieldId, Value)>,
    pub(crate) stamps: Stamps,
}

impl Row {
    pub(crate) fn value(&self, id: FieldId) -> Option<&Value> {
        self.values.iter().find(|(field, _)| *field == id).map(|(_, value)| value)
    }
}

/// A number of a child.
#[derive(Clone, Debug)]
pub(crate) struct IdentifierRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) kind: IdentifierKind,
    pub(crate) value: String,
    pub(crate) identity_level: Option<String>,
    pub(crate) valid_from: Option<NaiveDate>,
    pub(crate) valid_to: Option<NaiveDate>,
    pub(crate) stamps: Stamps,
}

/// A write to a section.
#[derive(Clone, Debug)]
pub(crate) struct RevisionRow {
    pub(crate) child: Uuid,
    pub(crate) section: Section,
    pub(crate) at: i64,
    pub(crate) agency: AgencyId,
    pub(crate) entry: Option<Uuid>,
    pub(crate) changes: Json,
    /// Which agency suggested it, where one did.
    pub(crate) suggested_by: Option<AgencyId>,
}

/// One instant of the record, on one connection.
pub(crate) struct Snapshot {
    transaction: DatabaseTransaction,
}

impl Snapshot {
    pub(super) fn new(transaction: DatabaseTransaction) -> Self {
        Snapshot { transaction }
    }

    /// Gives the connection back.
    pub(crate) async fn end(self) -> Result<(), DatabaseError> {
        Ok(self.transaction.rollback().await?)
    }

    /// What the agency is to each of these children, in the order of the ids; children that are not
    /// there are left out. Consents are read only if asked for.
    pub(crate) async fn standings(
        &self,
        agency: AgencyId,
        children: &[Uuid],
        now: i64,
        with_consents: bool,
    ) -> Result<Vec<Standing>, DatabaseError> {
        standings(&self.transaction, agency, children, now, with_consents).await
    }

    /// The next children, after a place, that live consents name the agency for.
    pub(crate) async fn consented(
        &self,
        agency: AgencyId,
        after: Option<&Place>,
        limit: u64,
        now: i64,
    ) -> Result<Vec<Place>, DatabaseError> {
        let mut query = Query::select();
        query
            .distinct()
            .column(name("child_id"))
            .from(name("consent"))
            .and_where(Expr::col(name("agency_id")).eq(agency.0))
            .cond_where(live_consent(now))
            .and_where_option(after.map(|after| Expr::col(name("child_id")).gt(after.child)))
            .order_by(name("child_id"), Order::Asc)
            .limit(limit);
        let rows = self.transaction.query_all(&query).await?;
        rows.iter().map(|row| Ok(Place { key: None, child: row.try_get_by_index(0)? })).collect()
    }

    /// The children with this number that the agency has an involvement with, at most 100.
    pub(crate) async fn children_by_identifier(
        &self,
        agency: AgencyId,
        kind: IdentifierKind,
        value: &str,
        now: i64,
    ) -> Result<Vec<Uuid>, DatabaseError> {
        let mut own = Query::select();
        own.column(name("child_id"))
            .from(name("involvement"))
            .and_where(Expr::col(name("agency_id")).eq(agency.0))
            .cond_where(counts_still(now));
        let mut query = Query::select();
        query
            .distinct()
            .column(name("child_id"))
            .from(name("identifier"))
            .and_where(Expr::col(name("kind")).eq(kind.code()))
            .and_where(Expr::col(name("value")).eq(value))
            .and_where(Expr::col(name("child_id")).in_subquery(own))
            .order_by(name("child_id"), Order::Asc)
            .limit(100);
        let rows = self.transaction.query_all(&query).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// The rows of a section, with the planned columns. Placements come latest first; ended ones only
    /// if asked for.
    pub(crate) async fn section(
        &self,
        section: Section,
        children: &[Uuid],
        fields: FieldSet,
        ended: bool,
    ) -> Result<Vec<Row>, DatabaseError> {
        section_rows(&self.transaction, section, children, fields, ended).await
    }

    /// The numbers of these children, of these kinds.
    pub(crate) async fn identifiers(
        &self,
        children: &[Uuid],
        kinds: &[IdentifierKind],
    ) -> Result<Vec<IdentifierRow>, DatabaseError> {
        identifiers(&self.transaction, children, kinds).await
    }

    /// The agency that is responsible for each of these children now.
    pub(crate) async fn responsible(&self, children: &[Uuid]) -> Result<HashMap<Uuid, AgencyId>, DatabaseError> {
        let mut query = Query::select();
        query
            .columns([name("child_id"), name("agency_id")])
            .from(name("involvement"))
            .and_where(Expr::col(name("kind")).eq("RESPONSIBLE"))
            .and_where(Expr::col(name("closed_at")).is_null())
            .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()));
        let rows = self.transaction.query_all(&query).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, AgencyId(row.try_get_by_index(1)?)))).collect()
    }

    /// The writes to these sections of these children, latest first.
    pub(crate) async fn revisions(
        &self,
        children: &[Uuid],
        sections: &[Section],
    ) -> Result<Vec<RevisionRow>, DatabaseError> {
        let mut query = Query::select();
        query
            .columns(["child_id", "section", "at", "agency_id", "entry_id", "changes", "suggested_by"].map(name))
            .from(name("revision"))
            .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()))
            .and_where(Expr::col(name("section")).is_in(sections.iter().map(|section| section.name())))
            .order_by(name("child_id"), Order::Asc)
            .order_by(name("section"), Order::Asc)
            .order_by(name("number"), Order::Desc);
        let rows = self.transaction.query_all(&query).await?;
        rows.iter().map(read_revision).collect()
    }

    /// The pseudonym under which the access log knows a child.
    pub(crate) async fn subject(&self, child: Uuid) -> Result<Option<Uuid>, DatabaseError> {
        let mut query = Query::select();
        query.column(name("subject")).from(name("child")).and_where(Expr::col(name("id")).eq(child));
        let row = self.transaction.query_one(&query).await?;
        row.map(|row| Ok(row.try_get_by_index(0)?)).transpose()
    }

    pub(super) fn transaction(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

fn read_revision(row: &QueryResult) -> Result<RevisionRow, DatabaseError> {
    let section: String = row.try_get_by_index(1)?;
    Ok(RevisionRow {
        child: row.try_get_by_index(0)?,
        section: Section::by_name(&section).ok_or_else(|| DatabaseError("a stored section is unknown".to_owned()))?,
        at: row.try_get_by_index(2)?,
        agency: AgencyId(row.try_get_by_index(3)?),
        entry: row.try_get_by_index(4)?,
        changes: row.try_get_by_index(5)?,
        suggested_by: row.try_get_by_index::<Option<Uuid>>(6)?.map(AgencyId),
    })
}

/// Involvements that are open, or ended less than 90 days ago.
fn counts_still(now: i64) -> Cond {
    Cond::any().add(Expr::col(name("closed_at")).is_null()).add(Expr::col(name("closed_at")).gt(now - FORMER))
}

fn live_consent(now: i64) -> Cond {
    Cond::all()
        .add(Expr::col(name("valid_from")).lte(now))
        .add(Expr::col(name("valid_until")).gt(now))
        .add(Expr::col(name("withdrawn_at")).is_null())
}

pub(super) async fn standings(
    database: &DatabaseTransaction,
    agency: AgencyId,
    children: &[Uuid],
    now: i64,
    with_consents: bool,
) -> Result<Vec<Standing>, DatabaseError> {
    let rows = database.query_all(&standings_query(agency, children, now)).await?;
    let mut found: HashMap<Uuid, Standing> = HashMap::new();
    for row in &rows {
        let (standing, relation) = read_standing(row, now)?;
        let standing = found.entry(standing.child).or_insert(standing);
        // The strongest relation counts: they are declared strongest first.
        standing.relation = standing.relation.min(relation);
        let missing: Option<i64> = row.try_get_by_index(6)?;
        standing.missing |= missing.is_some();
    }
    if with_consents {
        for (child, groups) in consents(database, agency, children, now).await? {
            if let Some(standing) = found.get_mut(&child) {
                standing.consents = standing.consents.and(groups);
                standing.relation = Relation::Consented;
            }
        }
        for standing in found.values_mut().filter(|standing| standing.consents.is_empty()) {
            standing.relation = Relation::None;
        }
    }
    Ok(children.iter().filter_map(|child| found.get(child).copied()).collect())
}

fn standings_query(agency: AgencyId, children: &[Uuid], now: i64) -> SelectStatement {
    let col = |table: &'static str, column: &'static str| Expr::col((name(table), name(column)));
    let involvement = Cond::all()
        .add(col("involvement", "child_id").equals((name("child"), name("id"))))
        .add(col("involvement", "agency_id").eq(agency.0))
        .add(
            Cond::any()
                .add(col("involvement", "closed_at").is_null())
                .add(col("involvement", "closed_at").gt(now - FORMER)),
        );
    let gone = Expr::val(now - AFTER_FOUND);
    let missing = Cond::all().add(col("missing_episode", "child_id").equals((name("child"), name("id")))).add(
        Cond::any()
            .add(
                Cond::all()
                    .add(col("missing_episode", "found_at").is_null())
                    .add(col("missing_episode", "closed_at").is_null()),
            )
            .add(col("missing_episode", "found_at").gt(gone.clone()))
            .add(
                Cond::all()
                    .add(col("missing_episode", "found_at").is_null())
                    .add(col("missing_episode", "closed_at").gt(gone)),
            ),
    );
    let protection = col("protection", "child_id").equals((name("child"), name("id")));
    let mut query = Query::select();
    query
        .columns([
            (name("child"), name("id")),
            (name("child"), name("subject")),
            (name("child"), name("lead_agency_id")),
            (name("involvement"), name("kind")),
            (name("involvement"), name("closed_at")),
            (name("protection"), name("level")),
            (name("missing_episode"), name("opened_at")),
        ])
        .from(name("child"))
        .join(JoinType::LeftJoin, name("involvement"), involvement)
        .join(JoinType::LeftJoin, name("protection"), Cond::all().add(protection))
        .join(JoinType::LeftJoin, name("missing_episode"), missing)
        .and_where(col("child", "id").is_in(children.iter().copied()));
    query
}

fn read_standing(row: &QueryResult, now: i64) -> Result<(Standing, Relation), DatabaseError> {
    let kind: Option<String> = row.try_get_by_index(3)?;
    let closed: Option<i64> = row.try_get_by_index(4)?;
    let level: Option<String> = row.try_get_by_index(5)?;
    let relation = relation(kind.as_deref(), closed.is_some_and(|closed| closed <= now));
    let standing = Standing {
        child: row.try_get_by_index(0)?,
        subject: row.try_get_by_index(1)?,
        lead: AgencyId(row.try_get_by_index(2)?),
        relation,
        // A level that cannot be read counts as the strictest.
        protection: level
            .map_or(Protection::None, |code| Protection::from_code(&code).unwrap_or(Protection::Registered)),
        missing: false,
        consents: Consents::NONE,
    };
    Ok((standing, relation))
}

/// What an involvement makes an agency to a child.
pub(super) fn relation(kind: Option<&str>, ended: bool) -> Relation {
    match (kind, ended) {
        (Some("LEAD" | "RESPONSIBLE"), false) => Relation::Responsible,
        (Some("LEAD" | "RESPONSIBLE"), true) => Relation::Former,
        (Some("RECEIVING"), false) => Relation::Receiving,
        (Some("WHEREABOUTS" | "INVOLVED"), false) => Relation::Involved,
        (Some("RECEIVING" | "WHEREABOUTS" | "INVOLVED"), true) => Relation::Ended,
        _ => Relation::None,
    }
}

async fn consents(
    database: &DatabaseTransaction,
    agency: AgencyId,
    children: &[Uuid],
    now: i64,
) -> Result<Vec<(Uuid, Consents)>, DatabaseError> {
    let mut query = Query::select();
    query
        .columns([name("child_id"), name("groups")])
        .from(name("consent"))
        .and_where(Expr::col(name("agency_id")).eq(agency.0))
        .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()))
        .cond_where(live_consent(now));
    let rows = database.query_all(&query).await?;
    let groups = |json: Json| {
        let names = json.as_array().into_iter().flatten().filter_map(Json::as_str);
        Consents::from_groups(names)
    };
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, groups(row.try_get_by_index(1)?)))).collect()
}

pub(super) async fn section_rows(
    database: &DatabaseTransaction,
    section: Section,
    children: &[Uuid],
    fields: FieldSet,
    ended: bool,
) -> Result<Vec<Row>, DatabaseError> {
    let planned: Vec<FieldId> = (fields & stored(section)).iter().collect();
    let placements = section == Section::Placement;
    let mut query = Query::select();
    query.column(name("child_id")).column(name("stamps")).from(name(section.table()));
    if placements {
        query.columns(["id", "valid_from", "valid_to", "unit_agency_id"].map(name));
    }
    let first = if placements { 6 } else { 2 };
    query
        .columns(planned.iter().map(|id| name(id.field().column)))
        .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()));
    if placements && !ended {
        query.and_where(Expr::col(name("valid_to")).is_null());
    }
    let rows = database.query_all(&query).await?;
    let mut rows: Vec<Row> =
        rows.iter().map(|row| read_row(row, placements, first, &planned)).collect::<Result<_, _>>()?;
    // Ordered here, because the databases order absent days differently.
    rows.sort_by_key(|row| row.entry.map(|entry| (Reverse((entry.to.is_none(), entry.from, entry.to)), entry.id)));
    Ok(rows)
}

fn read_row(row: &QueryResult, placement: bool, first: usize, planned: &[FieldId]) -> Result<Row, DatabaseError> {
    let mut values = Vec::with_capacity(planned.len());
    for (offset, id) in planned.iter().enumerate() {
        if let Some(value) = read(row, first + offset, *id)? {
            values.push((*id, value));
        }
    }
    let entry = if placement {
        let agency: Option<Uuid> = row.try_get_by_index(5)?;
        Some(Entry {
            id: row.try_get_by_index(2)?,
            from: row.try_get_by_index(3)?,
            to: row.try_get_by_index(4)?,
            agency: agency.map(AgencyId),
        })
    } else {
        None
    };
    let stamps = Stamps::from_json(row.try_get_by_index(1)?);
    Ok(Row { child: row.try_get_by_index(0)?, entry, values, stamps })
}

pub(super) async fn identifiers(
    database: &DatabaseTransaction,
    children: &[Uuid],
    kinds: &[IdentifierKind],
) -> Result<Vec<IdentifierRow>, DatabaseError> {
    let mut query = Query::select();
    query
        .columns(["id", "child_id", "kind", "value", "identity_level", "valid_from", "valid_to", "stamps"].map(name))
        .from(name("identifier"))
        .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()))
        .and_where(Expr::col(name("kind")).is_in(kinds.iter().map(|kind| kind.code())));
    let rows = database.query_all(&query).await?;
    let mut rows: Vec<IdentifierRow> = rows.iter().map(read_identifier).collect::<Result<_, _>>()?;
    rows.sort_by(|a, b| (a.valid_from, &a.value, a.id).cmp(&(b.valid_from, &b.value, b.id)));
    Ok(rows)
}

fn read_identifier(row: &QueryResult) -> Result<IdentifierRow, DatabaseError> {
    let kind: String = row.try_get_by_index(2)?;
    Ok(IdentifierRow {
        id: row.try_get_by_index(0)?,
        child: row.try_get_by_index(1)?,
        kind: IdentifierKind::from_code(&kind).ok_or_else(|| DatabaseError("a stored kind is unknown".to_owned()))?,
        value: row.try_get_by_index(3)?,
        identity_level: row.try_get_by_index(4)?,
        valid_from: row.try_get_by_index(5)?,
        valid_to: row.try_get_by_index(6)?,
        stamps: Stamps::from_json(row.try_get_by_index(7)?),
    })
}
