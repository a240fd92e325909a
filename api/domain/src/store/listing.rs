//! Reading lists: the rules on rows and a filter as one condition, the order as a range of one index.

use super::Snapshot;
use super::columns::name;
use super::reading::Rows;
use super::roster::{bind, column};
use crate::catalogue::ListKey;
use crate::collation::past_prefix;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::list::{Comparison, Condition, Key, Listing, Order, Place};
use crate::policy::{Relation, RowCase, RowRule};
use sea_orm::QueryResult;
use sea_orm::sea_query::{CaseStatement, Cond, Expr, ExprTrait, Query, SelectStatement};

impl Snapshot {
    /// The next children, after a place, of an agency's list, at most so many.
    pub(crate) async fn listed(
        &self,
        agency: AgencyId,
        listing: &Listing,
        after: Option<&Place>,
        limit: u64,
        now: i64,
    ) -> Result<Vec<Place>, DatabaseError> {
        let (Some((order, rule)), true) = (&listing.order, limit > 0) else {
            return self.places(unordered(agency, listing, after, limit, now), None).await;
        };
        let mut found = Vec::new();
        if after.is_none_or(|after| after.key.is_some()) {
            let query = with_key(agency, listing, (*order, rule), after, limit, now);
            found = self.places(query, Some(order.by)).await?;
        }
        let rest = limit.saturating_sub(found.len() as u64);
        if rest > 0 {
            let mut query = unordered(agency, listing, after.filter(|after| after.key.is_none()), rest, now);
            query.cond_where(Cond::any().add(col(column(order.by)).is_null()).add(qualifies(rule, now).not()));
            found.extend(self.places(query, None).await?);
        }
        Ok(found)
    }

    async fn places(&self, query: SelectStatement, by: Option<ListKey>) -> Result<Vec<Place>, DatabaseError> {
        let place = |row: &QueryResult| {
            let key = match by {
                None => None,
                Some(ListKey::GivenNames | ListKey::FamilyName) => row.try_get_by_index(1).map(Key::Name).map(Some)?,
                Some(_) => row.try_get_by_index(1).map(Key::Day).map(Some)?,
            };
            Ok(Place { key, child: row.try_get_by_index(0)? })
        };
        self.rows(&query).await?.iter().map(place).collect()
    }
}

fn col(column: &'static str) -> Expr {
    Expr::col(name(column))
}

/// The children of a list, by id.
fn unordered(agency: AgencyId, listing: &Listing, after: Option<&Place>, limit: u64, now: i64) -> SelectStatement {
    let mut query = of_list(agency, listing, now);
    query.and_where_option(after.map(|after| col("child_id").gt(after.child)));
    query.order_by(name("child_id"), sea_orm::Order::Asc).limit(limit);
    query
}

/// The children of a list that have a key which may be searched, in its order.
fn with_key(
    agency: AgencyId,
    listing: &Listing,
    (order, rule): (Order, &RowRule),
    after: Option<&Place>,
    limit: u64,
    now: i64,
) -> SelectStatement {
    let by = column(order.by);
    let mut query = of_list(agency, listing, now);
    query.column(name(by)).and_where(col(by).is_not_null());
    if *rule != listing.known {
        query.cond_where(qualifies(rule, now));
    }
    let here = Expr::tuple([col(by), col("child_id")]);
    let past = after.and_then(|after| Some((after.key.clone()?, after.child)));
    let past = past.map(|(key, child)| Expr::tuple([bind(order.by, Some(key)), Expr::val(child)]));
    query.and_where_option(past.map(|past| if order.descending { here.lt(past) } else { here.gt(past) }));
    let direction = if order.descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    query.order_by(name(by), direction.clone()).order_by(name("child_id"), direction).limit(limit);
    query
}

fn of_list(agency: AgencyId, listing: &Listing, now: i64) -> SelectStatement {
    let mut query = Query::select();
    query.column(name("child_id")).from(name("roster")).and_where(col("agency_id").eq(agency.0));
    query.cond_where(qualifies(&listing.known, now));
    if let Some(filter) = &listing.filter {
        query.and_where(condition(filter, &listing.known, now));
    }
    query
}

/// Whether a row qualifies: never unknown.
fn qualifies(rule: &RowRule, now: i64) -> Cond {
    rule.cases().iter().fold(Cond::any(), |any, case| any.add(case_holds(case, now)))
}

fn case_holds(case: &RowCase, now: i64) -> Cond {
    let tied = tied(&case.relations, now);
    if case.holds_for_every_child() {
        return tied;
    }
    let levels = |missing: bool| {
        let here = case.children.iter().filter(move |(_, is)| *is == missing);
        here.map(|(level, _)| level.code()).collect::<Vec<_>>()
    };
    let present = Cond::all().add(col("missing_until").lte(now)).add(col("protection").is_in(levels(false)));
    let missing = Cond::all().add(col("missing_until").gt(now)).add(col("protection").is_in(levels(true)));
    Cond::all().add(tied).add(Cond::any().add(present).add(missing))
}

/// Whether the agency has one of these relations to the child: the strongest counts.
fn tied(relations: &[Relation], now: i64) -> Cond {
    let open = relations.iter().filter(|relation| !matches!(relation, Relation::Former | Relation::Ended));
    let closed = || Cond::all().add(col("open_relation").eq(""));
    let mut tied = Cond::any().add(col("open_relation").is_in(open.map(|relation| relation.code())));
    if relations.contains(&Relation::Former) {
        tied = tied.add(closed().add(col("former_until").gt(now)));
    }
    if relations.contains(&Relation::Ended) {
        tied = tied.add(closed().add(col("former_until").lte(now)).add(col("ended_until").gt(now)));
    }
    tied
}

/// A filter as an expression that is true, false, or unknown.
fn condition(filter: &Condition, known: &RowRule, now: i64) -> Expr {
    let truth = |truth: bool| Expr::val(i32::from(truth)).eq(1);
    let parts = |parts: &[Condition]| parts.iter().map(|part| condition(part, known, now)).collect::<Vec<_>>();
    match filter {
        Condition::All(all) => joined(parts(all), Expr::and).unwrap_or_else(|| truth(true)),
        Condition::Any(any) => joined(parts(any), Expr::or).unwrap_or_else(|| truth(false)),
        Condition::Not(not) => condition(not, known, now).not(),
        Condition::Test(rule, comparison) if rule == known => compares(comparison),
        Condition::Test(rule, comparison) => {
            CaseStatement::new().case(qualifies(rule, now), compares(comparison)).into()
        }
    }
}

/// Expressions joined two by two: the statement is written by recursion, and must be no deeper than it need be.
fn joined(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut halved = Vec::new();
        while let Some(one) = pairs.next() {
            halved.push(match pairs.next() {
                Some(other) => join(one, other),
                None => one,
            });
        }
        parts = halved;
    }
    parts.pop()
}

fn compares(comparison: &Comparison) -> Expr {
    match comparison {
        Comparison::Is(key, value) => col(column(*key)).eq(bind(*key, Some(value.clone()))),
        Comparison::StartsWith(key, name) => {
            let from = col(column(*key)).gte(name.clone());
            match past_prefix(name) {
                Some(past) => from.and(col(column(*key)).lt(past)),
                None => from,
            }
        }
        Comparison::From(key, day) => col(column(*key)).gte(*day),
        Comparison::To(key, day) => col(column(*key)).lte(*day),
        Comparison::HasNumber(kind, value) => {
            let mut those = Query::select();
            those.column(name("child_id")).from(name("identifier"));
            those.and_where(col("kind").eq(kind.code())).and_where(col("value").eq(value.clone()));
            col("child_id").in_subquery(those)
        }
    }
}
