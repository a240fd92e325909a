//! The list table: kept by the writer, made again and checked by a command. `listing` reads it.

use super::Store;
use super::columns::name;
use super::read::{AFTER_FOUND, FORMER, relation};
use crate::catalogue::{FieldId, ListKey, Section, Value};
use crate::collation::{name_key, version};
use crate::error::DatabaseError;
use crate::list::Key;
use crate::policy::{Protection, Relation};
use chrono::NaiveDate;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, LockType, Query, SelectStatement, UpdateStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// How many children are made again at once. A statement has at most 12 parameters a row, and SQLite takes 32,766.
const CHUNK: u64 = 500;
const INSERTED: usize = 256;
/// Later than any instant: a missing episode that is open.
const NEVER: i64 = i64::MAX;
/// What the hub remembers of how the list table was made.
const SETTING: &str = "roster";

const COLUMNS: [&str; 12] = [
    "agency_id",
    "child_id",
    "open_relation",
    "former_until",
    "ended_until",
    "protection",
    "missing_until",
    "given_names",
    "family_name",
    "birth_date",
    "risk_date",
    "plan_review",
];

/// The keys of a child.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Keys {
    given_names: Option<Vec<u8>>,
    family_name: Option<Vec<u8>>,
    birth_date: Option<NaiveDate>,
    risk_date: Option<NaiveDate>,
    plan_review: Option<NaiveDate>,
}

/// What the list table follows from, for one child.
#[derive(Clone, Debug)]
struct Recorded {
    protection: Protection,
    keys: Keys,
    /// Until when the child counts as missing; 0 where it was not.
    missing_until: i64,
    /// Agency, kind, and when it was closed.
    involvements: Vec<(Uuid, String, Option<i64>)>,
}

/// What an agency's involvements in a child come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tie {
    /// The strongest open one.
    open: Option<Relation>,
    /// Until when the agency is FORMER, and ENDED; 0 where it never was.
    former_until: i64,
    ended_until: i64,
}

/// A child in the list of an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RosterRow {
    agency: Uuid,
    tie: Tie,
    protection: Protection,
    missing_until: i64,
    keys: Keys,
}

/// What the check of the list table found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RosterReport {
    /// Children looked at.
    pub children: u64,
    /// Children whose rows are not what their record says.
    pub wrong: u64,
}

impl Tie {
    fn with(self, kind: &str, closed: Option<i64>) -> Tie {
        match (relation(Some(kind), closed.is_some()), closed) {
            (Relation::Former, Some(closed)) => {
                Tie { former_until: Ord::max(self.former_until, closed.saturating_add(FORMER)), ..self }
            }
            (Relation::Ended, Some(closed)) => {
                Tie { ended_until: Ord::max(self.ended_until, closed.saturating_add(FORMER)), ..self }
            }
            (Relation::None, _) => self,
            (open, _) => Tie { open: Some(self.open.map_or(open, |other| Ord::min(other, open))), ..self },
        }
    }

    /// Whether it is nothing any more.
    fn is_over(&self, now: i64) -> bool {
        self.open.is_none() && self.former_until <= now && self.ended_until <= now
    }
}

/// The rows of a child: one for each agency that may have to do with it.
fn rows(recorded: &Recorded, now: i64) -> BTreeMap<Uuid, RosterRow> {
    let mut ties: BTreeMap<Uuid, Tie> = BTreeMap::new();
    for (agency, kind, closed) in &recorded.involvements {
        let tie = ties.entry(*agency).or_default();
        *tie = tie.with(kind, *closed);
    }
    ties.retain(|_, tie| !tie.is_over(now));
    let row = |(agency, tie)| {
        let Recorded { protection, keys, missing_until, .. } = recorded.clone();
        (agency, RosterRow { agency, tie, protection, missing_until, keys })
    };
    ties.into_iter().map(row).collect()
}

/// The key in a value of the record.
fn key(key: ListKey, value: Option<&Value>) -> Option<Key> {
    match (key, value?) {
        (ListKey::GivenNames | ListKey::FamilyName, Value::Text(name)) => name_key(name).map(Key::Name),
        (ListKey::RiskDate, Value::List(indicators)) => latest(indicators).map(Key::Day),
        (_, Value::Date(day)) => Some(Key::Day(*day)),
        _ => None,
    }
}

/// When the latest risk indicator was observed.
fn latest(indicators: &[Json]) -> Option<NaiveDate> {
    indicators.iter().filter_map(|indicator| indicator.get("observedOn")?.as_str()?.parse().ok()).max()
}

pub(super) const fn column(key: ListKey) -> &'static str {
    match key {
        ListKey::GivenNames => "given_names",
        ListKey::FamilyName => "family_name",
        ListKey::BirthDate => "birth_date",
        ListKey::RiskDate => "risk_date",
        ListKey::PlanReview => "plan_review",
    }
}

pub(super) fn bind(key: ListKey, value: Option<Key>) -> Expr {
    match (key, value) {
        (_, Some(Key::Name(name))) => Expr::val(name),
        (_, Some(Key::Day(day))) => Expr::val(day),
        (ListKey::GivenNames | ListKey::FamilyName, None) => Expr::val(None::<Vec<u8>>),
        (_, None) => Expr::val(None::<NaiveDate>),
    }
}

/// What a change of a section changes in the list table: columns and their new values.
pub(super) fn changed(section: Section, changes: &[(FieldId, Option<Value>)]) -> Vec<(&'static str, Expr)> {
    let changed = |(id, value): &(FieldId, Option<Value>)| {
        if section == Section::Protection && id.field().name == "level" {
            let code = match value {
                Some(Value::Text(code)) => Some(code.as_str()),
                _ => None,
            };
            return Some(("protection", Expr::val(protection(code).code())));
        }
        let of = ListKey::of(*id)?;
        Some((column(of), bind(of, key(of, value.as_ref()))))
    };
    changes.iter().filter_map(changed).collect()
}

/// A level that cannot be read counts as the strictest.
fn protection(code: Option<&str>) -> Protection {
    code.map_or(Protection::None, |code| Protection::from_code(code).unwrap_or(Protection::Registered))
}

/// Writes new values of a child's keys, if there are any.
pub(super) fn update(child: Uuid, changed: Vec<(&'static str, Expr)>) -> Option<UpdateStatement> {
    let values = changed.into_iter().map(|(column, value)| (name(column), value));
    let mut values = values.peekable();
    values.peek()?;
    let mut update = Query::update();
    update.table(name("roster")).values(values).and_where(Expr::col(name("child_id")).eq(child));
    Some(update)
}

/// Makes the rows of these children again from their record.
pub(super) async fn refresh(database: &DatabaseTransaction, children: &[Uuid], now: i64) -> Result<(), DatabaseError> {
    let recorded = recorded(database, children).await?;
    let mut delete = Query::delete();
    delete.from_table(name("roster")).and_where(Expr::col(name("child_id")).is_in(children.iter().copied()));
    database.execute(&delete).await?;
    let all = recorded.iter().flat_map(|(child, recorded)| {
        let child = *child;
        rows(recorded, now).into_values().map(move |row| row.into_values(child))
    });
    let all: Vec<[Expr; 12]> = all.collect();
    for some in all.chunks(INSERTED) {
        let mut insert = Query::insert();
        insert.into_table(name("roster")).columns(COLUMNS.map(name));
        for row in some {
            insert.values_panic(row.iter().cloned());
        }
        database.execute(&insert).await?;
    }
    Ok(())
}

impl RosterRow {
    fn into_values(self, child: Uuid) -> [Expr; 12] {
        let RosterRow { agency, tie, protection, missing_until, keys } = self;
        let day = |day: Option<NaiveDate>| Expr::val(day);
        [
            Expr::val(agency),
            Expr::val(child),
            Expr::val(tie.open.map_or("", Relation::code)),
            Expr::val(tie.former_until),
            Expr::val(tie.ended_until),
            Expr::val(protection.code()),
            Expr::val(missing_until),
            Expr::val(keys.given_names),
            Expr::val(keys.family_name),
            day(keys.birth_date),
            day(keys.risk_date),
            day(keys.plan_review),
        ]
    }

    fn read(row: &QueryResult) -> Result<(Uuid, RosterRow), DatabaseError> {
        let open: String = row.try_get_by_index(2)?;
        let protection_: String = row.try_get_by_index(5)?;
        let keys = Keys {
            given_names: row.try_get_by_index(7)?,
            family_name: row.try_get_by_index(8)?,
            birth_date: row.try_get_by_index(9)?,
            risk_date: row.try_get_by_index(10)?,
            plan_review: row.try_get_by_index(11)?,
        };
        let tie = Tie {
            open: Relation::from_code(&open),
            former_until: row.try_get_by_index(3)?,
            ended_until: row.try_get_by_index(4)?,
        };
        let row_ = RosterRow {
            agency: row.try_get_by_index(0)?,
            tie,
            protection: protection(Some(&protection_)),
            missing_until: row.try_get_by_index(6)?,
            keys,
        };
        Ok((row.try_get_by_index(1)?, row_))
    }
}

/// Reads what the list table follows from, one statement a table.
async fn recorded(database: &DatabaseTransaction, children: &[Uuid]) -> Result<HashMap<Uuid, Recorded>, DatabaseError> {
    let mut found: HashMap<Uuid, Recorded> = HashMap::new();
    for row in &database.query_all(&keys_query(children)).await? {
        let level: Option<String> = row.try_get_by_index(1)?;
        let text = |name: Option<String>| name.and_then(|name| name_key(&name));
        let indicators: Option<Json> = row.try_get_by_index(5)?;
        let keys = Keys {
            given_names: text(row.try_get_by_index(2)?),
            family_name: text(row.try_get_by_index(3)?),
            birth_date: row.try_get_by_index(4)?,
            risk_date: indicators.as_ref().and_then(Json::as_array).and_then(|indicators| latest(indicators)),
            plan_review: row.try_get_by_index(6)?,
        };
        let protection = protection(level.as_deref());
        let recorded = Recorded { protection, keys, missing_until: 0, involvements: Vec::new() };
        found.insert(row.try_get_by_index(0)?, recorded);
    }
    let of = |table: &'static str, columns: &[&'static str]| {
        let mut query = Query::select();
        query.column(name("child_id")).columns(columns.iter().map(|column| name(column))).from(name(table));
        query.and_where(Expr::col(name("child_id")).is_in(children.iter().copied()));
        query
    };
    let mut blocks = of("block", &["agency_id"]);
    blocks.and_where(Expr::col(name("lifted_at")).is_null());
    let blocked = database.query_all(&blocks).await?;
    let blocked = blocked.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
    let blocked: HashSet<(Uuid, Uuid)> = blocked.collect::<Result<_, DatabaseError>>()?;
    for row in &database.query_all(&of("involvement", &["agency_id", "kind", "closed_at"])).await? {
        if blocked.contains(&(row.try_get_by_index(0)?, row.try_get_by_index(1)?)) {
            continue;
        }
        if let Some(recorded) = found.get_mut(&row.try_get_by_index(0)?) {
            let involvement = (row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            recorded.involvements.push(involvement);
        }
    }
    for row in &database.query_all(&of("missing_episode", &["found_at", "closed_at"])).await? {
        if let Some(recorded) = found.get_mut(&row.try_get_by_index(0)?) {
            let (found_at, closed_at): (Option<i64>, Option<i64>) =
                (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let until = found_at.or(closed_at).map_or(NEVER, |ended| ended.saturating_add(AFTER_FOUND));
            recorded.missing_until = Ord::max(recorded.missing_until, until);
        }
    }
    Ok(found)
}

fn keys_query(children: &[Uuid]) -> SelectStatement {
    let col = |table: &'static str, column: &'static str| Expr::col((name(table), name(column)));
    let mut query = Query::select();
    query
        .columns([
            (name("child"), name("id")),
            (name("protection"), name("level")),
            (name("identity"), name("given_names")),
            (name("identity"), name("family_name")),
            (name("identity"), name("birth_date")),
            (name("risk"), name("indicators")),
            (name("safety_plan"), name("review_on")),
        ])
        .from(name("child"))
        // A child whose record is sealed is in nobody's list.
        .and_where(col("child", "state").ne(super::seal::SEALED))
        .and_where(col("child", "id").is_in(children.iter().copied()));
    for table in ["protection", "identity", "risk", "safety_plan"] {
        query.join(
            JoinType::LeftJoin,
            name(table),
            Cond::all().add(col(table, "child_id").equals((name("child"), name("id")))),
        );
    }
    query
}

impl Store {
    /// Makes the list table again if it was made in another way, or not at all.
    pub(crate) async fn bring_roster_up(&self) -> Result<(), DatabaseError> {
        let made = self.setting(SETTING).await?;
        if made.is_none_or(|made| made != version()) || (self.roster_is_empty().await? && self.children().await? > 0) {
            // Rows that have run out stay until the next change of the child: lists leave them out.
            self.rebuild_roster(0).await?;
        }
        Ok(())
    }

    /// Checks that the list table was made in the way that lists are read.
    pub(crate) async fn require_roster(&self) -> Result<(), DatabaseError> {
        let made = self.setting(SETTING).await?;
        let current = made.is_some_and(|made| made == version());
        let what = || "the list table was not made by this version; run `samverka roster rebuild`".to_owned();
        current.then_some(()).ok_or_else(|| DatabaseError(what()))
    }

    /// Makes the list table again from the record. Writers wait for each other, lists go on being read.
    pub(crate) async fn rebuild_roster(&self, now: i64) -> Result<RosterReport, DatabaseError> {
        let report = self.each_chunk(now, true).await?;
        self.put_setting(SETTING, version()).await?;
        Ok(report)
    }

    /// Compares the list table with the record.
    pub(crate) async fn check_roster(&self, now: i64) -> Result<RosterReport, DatabaseError> {
        self.each_chunk(now, false).await
    }

    async fn roster_is_empty(&self) -> Result<bool, DatabaseError> {
        let mut query = Query::select();
        query.column(name("child_id")).from(name("roster")).limit(1);
        let transaction = self.begin().await?;
        let row = transaction.query_one(&query).await?;
        transaction.rollback().await?;
        Ok(row.is_none())
    }

    async fn each_chunk(&self, now: i64, mend: bool) -> Result<RosterReport, DatabaseError> {
        let mut report = RosterReport::default();
        let mut after = None;
        loop {
            let transaction = self.begin().await?;
            let children = chunk(&transaction, after).await?;
            report.children += children.len() as u64;
            report.wrong += differing(&transaction, &children, now).await?;
            if mend {
                refresh(&transaction, &children, now).await?;
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            match children.last() {
                Some(last) if children.len() as u64 == CHUNK => after = Some(*last),
                _ => return Ok(report),
            }
        }
    }
}

/// The next children, locked against writers.
async fn chunk(database: &DatabaseTransaction, after: Option<Uuid>) -> Result<Vec<Uuid>, DatabaseError> {
    let mut query = Query::select();
    query.column(name("id")).from(name("child")).order_by(name("id"), sea_orm::Order::Asc).limit(CHUNK);
    query.and_where_option(after.map(|after| Expr::col(name("id")).gt(after)));
    if database.get_database_backend() == DbBackend::Postgres {
        query.lock(LockType::NoKeyUpdate);
    }
    database.query_all(&query).await?.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

/// How many of these children have other rows than their record says.
async fn differing(database: &DatabaseTransaction, children: &[Uuid], now: i64) -> Result<u64, DatabaseError> {
    let mut query = Query::select();
    query.columns(COLUMNS.map(name)).from(name("roster"));
    query.and_where(Expr::col(name("child_id")).is_in(children.iter().copied()));
    let mut stand: HashMap<Uuid, BTreeMap<Uuid, RosterRow>> = HashMap::new();
    for row in &database.query_all(&query).await? {
        let (child, row) = RosterRow::read(row)?;
        if !row.tie.is_over(now) {
            stand.entry(child).or_default().insert(row.agency, row);
        }
    }
    let recorded = recorded(database, children).await?;
    let differs = |child: &&Uuid| {
        let says = recorded.get(*child).map(|recorded| rows(recorded, now)).unwrap_or_default();
        stand.get(*child).map_or(!says.is_empty(), |stand| *stand != says)
    };
    Ok(children.iter().filter(differs).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_open_involvement_counts_and_those_that_ended_for_ninety_days() {
        let tie = Tie::default().with("INVOLVED", None).with("LEAD", None).with("RECEIVING", Some(5));
        assert_eq!(tie, Tie { open: Some(Relation::Responsible), former_until: 0, ended_until: 5 + FORMER });
        assert!(!tie.is_over(i64::MAX));
        let tie = Tie::default().with("RESPONSIBLE", Some(5)).with("RESPONSIBLE", Some(9)).with("nonsense", None);
        assert_eq!(tie, Tie { open: None, former_until: 9 + FORMER, ended_until: 0 });
        assert!(!tie.is_over(8 + FORMER) && tie.is_over(9 + FORMER));
    }

    #[test]
    fn the_latest_observation_is_the_risk_date() {
        let indicators = ["2026-01-02", "2026-03-01", "2025-12-24"];
        let indicators = indicators.map(|day| serde_json::json!({ "observedOn": day }));
        assert_eq!(latest(&indicators), NaiveDate::from_ymd_opt(2026, 3, 1));
        assert_eq!(latest(&[]), None);
    }
}
