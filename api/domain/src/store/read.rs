//! Reading: only the tables and columns that are asked for, in as few statements as there are lists, one snapshot a request.

use super::columns::{name, read, stored};
use super::reading::{Maker, Rows};
use crate::catalogue::{EntryField, FieldId, FieldSet, IdentifierKind, List, Section, Value};
use crate::clock::day;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::list::Place;
use crate::policy::{Consents, Protection, Purpose, Relation, Role};
use crate::stamps::Stamps;
use chrono::NaiveDate;
use deadpool::managed::Object;
use sea_orm::QueryResult;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use serde_json::Value as Json;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

const HOUR: i64 = 3_600_000_000;
/// How long a former relation still counts (DOMAIN 5, relations).
pub(super) const FORMER: i64 = 90 * 24 * HOUR;
/// How long access stays widened after a missing child was found (DOMAIN 5, `Rm`).
pub(super) const AFTER_FOUND: i64 = 72 * HOUR;

/// What a decision on a child may depend on, for one agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) child: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) lead: AgencyId,
    pub(crate) relation: Relation,
    pub(crate) protection: Protection,
    pub(crate) missing: bool,
    pub(crate) consents: Consents,
    /// An emergency access of the caller is open.
    pub(crate) break_glass: bool,
    /// The agency is kept from the record.
    pub(crate) blocked: bool,
    /// How often what this follows from had changed.
    pub(crate) epoch: i64,
}

/// Whose standing is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party<'a> {
    pub(crate) agency: AgencyId,
    /// The role, and the human behind the system where one is named, if such a caller may have an emergency access.
    pub(crate) emergency: Option<(Role, &'a str)>,
    /// The purpose that a consent must be for, if it is for one; any where none is given.
    pub(crate) purpose: Option<Purpose>,
}

impl From<AgencyId> for Party<'_> {
    /// Without emergencies.
    fn from(agency: AgencyId) -> Self {
        Party { agency, emergency: None, purpose: None }
    }
}

/// A child as it was found: what the agency is to it, and how often it had changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) standing: Standing,
    pub(crate) sequence: i64,
}

/// What is always read of a row of a dated section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) from: Option<NaiveDate>,
    /// None for the current row: the placement that has not ended, or the episode that is open, or else the latest.
    pub(crate) to: Option<NaiveDate>,
    /// Of a placement, the home as an agency of the hub: whose own entry it is.
    pub(crate) agency: Option<AgencyId>,
}

/// A row of a section: the planned columns, and the stamps of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) child: Uuid,
    /// What is always read of a dated section; none for other sections.
    pub(crate) entry: Option<Entry>,
    pub(crate) values: Vec<(FieldId, Value)>,
    pub(crate) stamps: Stamps,
}

impl Row {
    pub(crate) fn value(&self, id: FieldId) -> Option<&Value> {
        self.values.iter().find(|(field, _)| *field == id).map(|(_, value)| value)
    }
}

/// What to read of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Planned {
    pub(crate) section: Section,
    pub(crate) fields: FieldSet,
    pub(crate) stamps: bool,
    /// The rows of a dated section that are not current, too.
    pub(crate) ended: bool,
}

/// What to read of some children, in one statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    pub(crate) sections: Vec<Planned>,
    /// The agency that is responsible now, too.
    pub(crate) responsible: bool,
}

/// What was read by a [`Plan`]. The rows of a dated section come latest first.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) rows: Vec<(Section, Row)>,
    pub(crate) responsible: Vec<(Uuid, AgencyId)>,
}

/// Which rows of a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) list: List,
    /// All of them.
    pub(crate) whole: bool,
    /// Those that are the agency's own.
    pub(crate) own: bool,
    /// Those that are open.
    pub(crate) open: bool,
}

/// A row of a list that has a table of its own.
#[derive(Clone, Debug)]
pub(crate) struct ListRow {
    pub(crate) child: Uuid,
    /// What it holds of the parts of its entry.
    pub(crate) parts: Vec<(&'static EntryField, Value)>,
}

impl ListRow {
    /// What it holds of a part.
    pub(crate) fn part(&self, name: &str) -> Option<&Value> {
        self.parts.iter().find(|(part, _)| part.name == name).map(|(_, value)| value)
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
    held: tokio::sync::Mutex<Object<Maker>>,
}

impl Rows for Snapshot {
    async fn rows(&self, query: &SelectStatement) -> Result<Vec<QueryResult>, DatabaseError> {
        self.held.lock().await.rows(query).await
    }
}

impl Snapshot {
    pub(super) fn new(held: Object<Maker>) -> Self {
        Snapshot { held: tokio::sync::Mutex::new(held) }
    }

    /// Gives the connection back. Nobody waits for the end of the transaction.
    pub(crate) fn end(self) {
        let mut held = self.held.into_inner();
        // One that cannot be ended is not used again.
        tokio::spawn(async move { held.end().await });
    }

    /// What the agency is to each of these children, in the order of the ids; children that are not
    /// there are left out. Consents are read only if asked for.
    pub(crate) async fn standings(
        &self,
        party: impl Into<Party<'_>>,
        children: &[Uuid],
        now: i64,
        with_consents: bool,
    ) -> Result<Vec<Standing>, DatabaseError> {
        let found = found(self, party.into(), children, now, with_consents).await?;
        Ok(found.into_iter().map(|found| found.standing).collect())
    }

    /// The same of one child, with how often it had changed.
    pub(crate) async fn found(
        &self,
        party: impl Into<Party<'_>>,
        child: Uuid,
        now: i64,
        with_consents: bool,
    ) -> Result<Option<Found>, DatabaseError> {
        Ok(found(self, party.into(), &[child], now, with_consents).await?.pop())
    }

    /// Every row of a section of a child, with every column.
    pub(crate) async fn section(&self, section: Section, child: Uuid) -> Result<Read, DatabaseError> {
        let plan = Plan { responsible: section == Section::Responsibility, sections: vec![Planned::whole(section)] };
        self.sections(&[child], &plan).await
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
        let rows = self.rows(&query).await?;
        rows.iter().map(|row| Ok(Place { key: None, child: row.try_get_by_index(0)? })).collect()
    }

    /// The children with this number, at most 100; of an agency only those that it has an involvement with now.
    pub(crate) async fn children_by_identifier(
        &self,
        kind: IdentifierKind,
        value: &str,
        of_agency: Option<(AgencyId, i64)>,
    ) -> Result<Vec<Uuid>, DatabaseError> {
        let own = of_agency.map(|(agency, now)| {
            let mut own = Query::select();
            own.expr(Expr::val(1))
                .from(name("involvement"))
                .and_where(of("involvement", "child_id").equals((name("identifier"), name("child_id"))))
                .and_where(of("involvement", "agency_id").eq(agency.0))
                .cond_where(counts_still(now));
            Expr::exists(own)
        });
        let mut query = Query::select();
        query
            .distinct()
            .column(name("child_id"))
            .from(name("identifier"))
            .and_where(Expr::col(name("kind")).eq(kind.code()))
            .and_where(Expr::col(name("value")).eq(value))
            .and_where_option(own)
            .order_by(name("child_id"), Order::Asc)
            .limit(100);
        let rows = self.rows(&query).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// The rows of these sections, in one statement.
    pub(crate) async fn sections(&self, children: &[Uuid], plan: &Plan) -> Result<Read, DatabaseError> {
        let rows = self.rows(&sections_query(children, plan)).await?;
        read_sections(&rows, 0, plan)
    }

    /// The numbers of these children, of these kinds.
    pub(crate) async fn identifiers(
        &self,
        children: &[Uuid],
        kinds: &[IdentifierKind],
    ) -> Result<Vec<IdentifierRow>, DatabaseError> {
        identifiers(self, children, kinds).await
    }

    /// The rows of a list, in its order.
    pub(crate) async fn list(
        &self,
        children: &[Uuid],
        reach: Reach,
        agency: AgencyId,
    ) -> Result<Vec<ListRow>, DatabaseError> {
        let rows = self.rows(&list_query(children, reach, agency)).await?;
        let entry = reach.list.rows().entry;
        rows.iter()
            .map(|row| {
                let mut parts = Vec::with_capacity(entry.fields.len());
                for (place, part) in (1..).zip(entry.fields) {
                    parts.extend(read(row, place, part.kind)?.map(|value| (part, value)));
                }
                Ok(ListRow { child: row.try_get_by_index(0)?, parts })
            })
            .collect()
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
        let rows = self.rows(&query).await?;
        rows.iter().map(read_revision).collect()
    }

    /// The pseudonym under which the access log knows a child.
    pub(crate) async fn subject(&self, child: Uuid) -> Result<Option<Uuid>, DatabaseError> {
        let mut query = Query::select();
        query.column(name("subject")).from(name("child")).and_where(Expr::col(name("id")).eq(child));
        self.rows(&query).await?.first().map(|row| Ok(row.try_get_by_index(0)?)).transpose()
    }
}

fn list_query(children: &[Uuid], reach: Reach, agency: AgencyId) -> SelectStatement {
    let rows = reach.list.rows();
    let mut query = Query::select();
    query.column(name("child_id")).columns(rows.columns.iter().copied().map(name)).from(name(rows.table));
    query.and_where(Expr::col(name("child_id")).is_in(padded(children)));
    if let Some((column, holds)) = rows.only {
        query.and_where(Expr::col(name(column)).eq(holds));
    }
    if !reach.whole {
        let mut some = Cond::any();
        let own = rows.entry.fields.iter().zip(rows.columns).filter(|(part, _)| rows.own.contains(&part.name));
        for (_, column) in own.filter(|_| reach.own) {
            some = some.add(Expr::col(name(column)).eq(agency.0));
        }
        if let Some(column) = rows.open.filter(|_| reach.open) {
            some = some.add(Expr::col(name(column)).is_null());
        }
        query.cond_where(some);
    }
    for column in rows.order {
        match column.strip_prefix('-') {
            Some(column) => query.order_by(name(column), Order::Desc),
            None => query.order_by(name(column), Order::Asc),
        };
    }
    query
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

async fn found(
    database: &impl Rows,
    party: Party<'_>,
    children: &[Uuid],
    now: i64,
    with_consents: bool,
) -> Result<Vec<Found>, DatabaseError> {
    let mut query = standings_query(party, now, None);
    query.and_where(of("child", "id").is_in(padded(children)));
    let rows = database.rows(&query).await?;
    let folded = fold_standings(&rows, now, party.emergency.is_some())?;
    let mut found: HashMap<Uuid, Found> = folded.into_iter().map(|found| (found.standing.child, found)).collect();
    if with_consents {
        for (child, groups) in consents(database, party, children, now).await? {
            if let Some(Found { standing, .. }) = found.get_mut(&child) {
                standing.consents = standing.consents.and(groups);
                standing.relation = Relation::Consented;
            }
        }
        for Found { standing, .. } in found.values_mut().filter(|found| found.standing.consents.is_empty()) {
            standing.relation = Relation::None;
        }
    }
    Ok(children.iter().filter_map(|child| found.get(child).copied()).collect())
}

/// The joins of a standing have names of their own: sections join the same tables.
const TIE: &str = "tie";
const LEVEL: &str = "level_of";
const MISSING: &str = "missing_of";
const NUMBER: &str = "number_of";
const LATEST: &str = "latest_of";
const BLOCKED: &str = "blocked_from";
const OPENED: &str = "opened_for";

/// How many columns a standing takes, after the id of the child.
pub(super) const fn width(emergency: bool) -> usize {
    if emergency { 10 } else { 9 }
}

pub(super) fn of(table: &'static str, column: &'static str) -> Expr {
    Expr::col((name(table), name(column)))
}

/// With a number: only of children that have it.
pub(super) fn standings_query(party: Party<'_>, now: i64, number: Option<(IdentifierKind, &str)>) -> SelectStatement {
    let agency = party.agency;
    let of_child = |table: &'static str| of(table, "child_id").equals((name("child"), name("id")));
    let blocked = Cond::all()
        .add(of_child(BLOCKED))
        .add(of(BLOCKED, "agency_id").eq(agency.0))
        .add(of(BLOCKED, "lifted_at").is_null());
    let counts = Cond::any().add(of(TIE, "closed_at").is_null()).add(of(TIE, "closed_at").gt(now - FORMER));
    let tie = Cond::all().add(of_child(TIE)).add(of(TIE, "agency_id").eq(agency.0)).add(counts);
    let gone = Expr::val(now - AFTER_FOUND);
    let lost = || Cond::all().add(of(MISSING, "found_at").is_null());
    let missing = Cond::all().add(of_child(MISSING)).add(
        Cond::any()
            .add(lost().add(of(MISSING, "closed_at").is_null()))
            .add(of(MISSING, "found_at").gt(gone.clone()))
            .add(lost().add(of(MISSING, "closed_at").gt(gone))),
    );
    let mut query = Query::select();
    query
        .columns([
            (name("child"), name("id")),
            (name("child"), name("subject")),
            (name("child"), name("lead_agency_id")),
            (name(TIE), name("kind")),
            (name(TIE), name("closed_at")),
            (name(LEVEL), name("level")),
            (name(MISSING), name("opened_at")),
            (name("child"), name("sequence")),
            (name("child"), name("epoch")),
            (name(BLOCKED), name("at")),
        ])
        .from(name("child"))
        // Whoever's record is sealed is to everyone as if it were not there.
        .and_where(of("child", "state").ne(Expr::cust("'SEALED'")));
    if let Some((role, user)) = party.emergency {
        let opened = Cond::all()
            .add(of_child(OPENED))
            .add(of(OPENED, "agency_id").eq(agency.0))
            .add(of(OPENED, "role").eq(role.code()))
            .add(of(OPENED, "until").gt(now))
            .add(Cond::any().add(of(OPENED, "user_ref").is_null()).add(of(OPENED, "user_ref").eq(user)));
        query.column((name(OPENED), name("until")));
        query.join_as(JoinType::LeftJoin, name("break_glass"), name(OPENED), opened);
    }
    if let Some((kind, value)) = number {
        let number = Cond::all().add(of_child(NUMBER)).add(of(NUMBER, "kind").eq(Expr::cust(literal(kind))));
        query.join_as(JoinType::InnerJoin, name("identifier"), name(NUMBER), number.add(of(NUMBER, "value").eq(value)));
    }
    query
        .join_as(JoinType::LeftJoin, name("involvement"), name(TIE), tie)
        .join_as(JoinType::LeftJoin, name("protection"), name(LEVEL), Cond::all().add(of_child(LEVEL)))
        .join_as(JoinType::LeftJoin, name("missing_episode"), name(MISSING), missing)
        .join_as(JoinType::LeftJoin, name("block"), name(BLOCKED), blocked);
    query
}

/// The code of a kind, as it stands in a statement.
fn literal(kind: IdentifierKind) -> String {
    format!("'{}'", kind.code())
}

/// One standing a child, from a row for each tie and each missing episode.
pub(super) fn fold_standings(rows: &[QueryResult], now: i64, emergency: bool) -> Result<Vec<Found>, DatabaseError> {
    let mut found: Vec<Found> = Vec::with_capacity(rows.len());
    let mut places: HashMap<Uuid, usize> = HashMap::with_capacity(rows.len());
    for row in rows {
        let (standing, relation) = read_standing(row, now)?;
        let sequence: i64 = row.try_get_by_index(7)?;
        let place = *places.entry(standing.child).or_insert_with(|| {
            found.push(Found { standing, sequence });
            found.len() - 1
        });
        let missing: Option<i64> = row.try_get_by_index(6)?;
        let is_blocked = row.try_get_by_index::<Option<i64>>(9)?.is_some();
        let opened = if emergency { row.try_get_by_index::<Option<i64>>(10)? } else { None };
        if let Some(Found { standing, .. }) = found.get_mut(place) {
            // A party that is blocked is nothing to the child, in an emergency either.
            if is_blocked {
                (standing.relation, standing.blocked) = (Relation::None, true);
                continue;
            }
            standing.break_glass |= opened.is_some();
            // The strongest relation counts: they are declared strongest first.
            standing.relation = standing.relation.min(relation);
            standing.missing |= missing.is_some();
        }
    }
    Ok(found)
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
        break_glass: false,
        blocked: false,
        epoch: row.try_get_by_index(8)?,
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
    database: &impl Rows,
    party: Party<'_>,
    children: &[Uuid],
    now: i64,
) -> Result<Vec<(Uuid, Consents)>, DatabaseError> {
    let mut query = Query::select();
    query
        .columns([name("child_id"), name("groups")])
        .from(name("consent"))
        .and_where(Expr::col(name("agency_id")).eq(party.agency.0))
        .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()))
        .and_where(Expr::exists(block_of_consent()).not())
        .cond_where(live_consent(now));
    if let Some(purpose) = party.purpose {
        let any = Expr::col(name("purpose")).is_null();
        query.cond_where(Cond::any().add(any).add(Expr::col(name("purpose")).eq(purpose.code())));
    }
    let rows = database.rows(&query).await?;
    let groups = |json: Json| {
        let names = json.as_array().into_iter().flatten().filter_map(Json::as_str);
        Consents::from_groups(names)
    };
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, groups(row.try_get_by_index(1)?)))).collect()
}

/// The values, the last repeated up to a power of two: few shapes of a statement, so that each is prepared once.
pub(super) fn padded<T: Copy>(values: &[T]) -> impl Iterator<Item = T> {
    let size = values.len().next_power_of_two();
    values.iter().copied().chain(values.last().copied().into_iter().cycle()).take(size)
}

/// What keeps the receiver of a consent out: while it lasts the consent is void.
fn block_of_consent() -> SelectStatement {
    let mut query = Query::select();
    query
        .expr(Expr::val(1))
        .from(name("block"))
        .and_where(of("block", "child_id").equals((name("consent"), name("child_id"))))
        .and_where(of("block", "agency_id").equals((name("consent"), name("agency_id"))))
        .and_where(of("block", "lifted_at").is_null());
    query
}

/// What is always read of a row of a dated section: its id, its beginning, its end, and whose own entry it is. An episode is
/// nobody's own: what the home that reported it would go on reading tells of the child's life since.
const fn entry_columns(section: Section) -> &'static [&'static str] {
    match section {
        Section::Placement => &["id", "valid_from", "valid_to", "unit_agency_id"],
        Section::Missing => &["id", "opened_at", "closed_at"],
        _ => &[],
    }
}

/// The row of a dated section that is current.
fn is_current(section: Section) -> Expr {
    if section != Section::Missing {
        return of(section.table(), "valid_to").is_null();
    }
    let of_latest = |column| Expr::col((name(LATEST), name(column)));
    let mut latest = Query::select();
    latest
        .expr(of_latest("id"))
        .from_as(name(section.table()), name(LATEST))
        .and_where(of_latest("child_id").equals((name("child"), name("id"))))
        .order_by_expr(of_latest("closed_at").is_null(), Order::Desc)
        .order_by_expr(of_latest("opened_at"), Order::Desc)
        .order_by_expr(of_latest("id"), Order::Asc)
        .limit(1);
    of(section.table(), "id").eq(Expr::SubQuery(None, Box::new(latest.into())))
}

fn sections_query(children: &[Uuid], plan: &Plan) -> SelectStatement {
    let mut query = Query::select();
    query.column((name("child"), name("id"))).from(name("child"));
    query.and_where(of("child", "id").is_in(padded(children)));
    add_sections(&mut query, plan);
    query
}

/// Every section has at most one row a child, but for the dated ones.
pub(super) fn add_sections(query: &mut SelectStatement, plan: &Plan) {
    let of_child = |table: &'static str| of(table, "child_id").equals((name("child"), name("id")));
    if plan.responsible {
        let responsible = Cond::all()
            .add(of_child("involvement"))
            // Not a parameter: the index of it has this condition, and SQLite would prepare the statement anew each time
            // to see whether the parameter meets it.
            .add(of("involvement", "kind").eq(Expr::cust("'RESPONSIBLE'")))
            .add(of("involvement", "closed_at").is_null());
        query.column((name("involvement"), name("agency_id")));
        query.join(JoinType::LeftJoin, name("involvement"), responsible);
    }
    for Planned { section, fields, stamps, ended } in &plan.sections {
        let table = section.table();
        let mut on = Cond::all().add(of_child(table));
        query.column((name(table), name("child_id")));
        if *stamps {
            query.column((name(table), name("stamps")));
        }
        query.columns(entry_columns(*section).iter().map(|column| (name(table), name(column))));
        if section.is_dated() && !ended {
            on = on.add(is_current(*section));
        }
        query.columns((*fields & stored(*section)).iter().map(|id| (name(table), name(id.field().column))));
        query.join(JoinType::LeftJoin, name(table), on);
    }
}

/// Reads the sections from rows in which so many columns stand between the child's id and the plan's.
pub(super) fn read_sections(rows: &[QueryResult], before: usize, plan: &Plan) -> Result<Read, DatabaseError> {
    let mut found = Read::default();
    let mut seen = HashSet::with_capacity(rows.len());
    let mut entries = HashSet::new();
    let answered = rows;
    let mut rows = Vec::with_capacity(answered.len());
    for row in answered {
        let child: Uuid = row.try_get_by_index(0)?;
        let is_first = seen.insert(child);
        let mut at = 1 + before;
        if plan.responsible {
            let agency: Option<Uuid> = row.try_get_by_index(at)?;
            found.responsible.extend(agency.filter(|_| is_first).map(|agency| (child, AgencyId(agency))));
            at += 1;
        }
        for planned in &plan.sections {
            let is_there = row.try_get_by_index::<Option<Uuid>>(at)?.is_some();
            // A row is repeated for each row of a dated section, and for each tie; it says the same of all else.
            let is_new = if planned.section.is_dated() && is_there {
                entries.insert(row.try_get_by_index::<Uuid>(planned.entry(at))?)
            } else {
                is_first
            };
            if is_there && is_new {
                let (row, order) = read_row(row, child, at + 1, planned)?;
                rows.push((order, planned.section, row));
            }
            at += planned.width();
        }
    }
    // Ordered here, because the databases order absent days differently.
    rows.sort_by_key(|(order, _, row)| (Reverse(*order), row.entry.map(|entry| entry.id)));
    let mut current = HashSet::new();
    for (_, section, mut row) in rows {
        if section == Section::Missing
            && current.insert(row.child)
            && let Some(entry) = &mut row.entry
        {
            entry.to = None;
        }
        found.rows.push((section, row));
    }
    Ok(found)
}

impl Planned {
    /// Every row of a section, with every column.
    pub(crate) fn whole(section: Section) -> Self {
        Planned { section, fields: stored(section), stamps: true, ended: true }
    }

    /// Where the id of a row of a dated section stands, if its columns begin here.
    fn entry(&self, at: usize) -> usize {
        at + 1 + usize::from(self.stamps)
    }

    /// How many columns it takes.
    fn width(&self) -> usize {
        1 + usize::from(self.stamps) + entry_columns(self.section).len() + (self.fields & stored(self.section)).len()
    }
}

/// Where a row of a dated section stands among the others: whether it is open, its beginning and its end.
type InTime = (bool, Option<i64>, Option<i64>);

fn read_row(
    row: &QueryResult,
    child: Uuid,
    mut at: usize,
    planned: &Planned,
) -> Result<(Row, Option<InTime>), DatabaseError> {
    let mut stamps = Stamps::default();
    if planned.stamps {
        stamps = Stamps::from_json(row.try_get_by_index(at)?);
        at += 1;
    }
    let (mut entry, mut order) = (None, None);
    if planned.section.is_dated() {
        let (read, in_time) = read_entry(row, at, planned.section)?;
        (entry, order) = (Some(read), Some(in_time));
        at += entry_columns(planned.section).len();
    }
    let fields = planned.fields & stored(planned.section);
    let mut values = Vec::with_capacity(fields.len());
    for (place, id) in (at..).zip(fields.iter()) {
        values.extend(read(row, place, id.field().kind)?.map(|value| (id, value)));
    }
    Ok((Row { child, entry, values, stamps }, order))
}

fn read_entry(row: &QueryResult, at: usize, section: Section) -> Result<(Entry, InTime), DatabaseError> {
    let id = row.try_get_by_index(at)?;
    if section == Section::Missing {
        let opened: i64 = row.try_get_by_index(at + 1)?;
        let closed: Option<i64> = row.try_get_by_index(at + 2)?;
        // The end of the current one is taken away when all are there.
        let entry = Entry { id, from: Some(day(opened)), to: Some(day(closed.unwrap_or(opened))), agency: None };
        return Ok((entry, (closed.is_none(), Some(opened), closed)));
    }
    let (from, to): (Option<NaiveDate>, Option<NaiveDate>) =
        (row.try_get_by_index(at + 1)?, row.try_get_by_index(at + 2)?);
    let agency: Option<Uuid> = row.try_get_by_index(at + 3)?;
    let number = |day: NaiveDate| i64::from(day.to_epoch_days());
    let entry = Entry { id, from, to, agency: agency.map(AgencyId) };
    Ok((entry, (to.is_none(), from.map(number), to.map(number))))
}

async fn identifiers(
    database: &impl Rows,
    children: &[Uuid],
    kinds: &[IdentifierKind],
) -> Result<Vec<IdentifierRow>, DatabaseError> {
    let mut query = Query::select();
    query
        .columns(["id", "child_id", "kind", "value", "identity_level", "valid_from", "valid_to", "stamps"].map(name))
        .from(name("identifier"))
        .and_where(Expr::col(name("child_id")).is_in(children.iter().copied()))
        .and_where(Expr::col(name("kind")).is_in(kinds.iter().map(|kind| kind.code())));
    let rows = database.rows(&query).await?;
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
