//! A look at a child: what an agency is to it, and what a plan reads of it, in one statement and so of one instant. On
//! PostgreSQL those who look at once, in one form, look in one statement.

use super::Store;
use super::read::{Found, Party, Plan, Read, add_sections, fold_standings, of, read_sections, standings_query, width};
use super::reading::{Connections, Failed, Held, OwnQuery};
use super::together::{Part, Waiting};
use crate::catalogue::IdentifierKind;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::policy::Role;
use quick_cache::sync::Cache;
use sea_orm::sea_query::{ExprTrait, PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder, Value};
use sea_orm::sqlx::postgres::PgArguments;
use sea_orm::sqlx::{self, Arguments as _, AssertSqlSafe};
use sea_orm::{DbBackend, QueryResult};
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// How many statements are kept as text.
const KEPT: usize = 256;

/// How a child is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    Id(Uuid),
    /// A number, whoever has to do with the child: it is the standing that says whether the agency may find it.
    Number(IdentifierKind, &'a str),
}

impl Store {
    /// What the agency is to the children that are asked for, and what the plan reads of them: of one instant.
    /// Consents are not looked at.
    pub(crate) async fn look(
        &self,
        party: Party<'_>,
        asked: Asked<'_>,
        plan: &Plan,
        now: i64,
    ) -> Result<(Vec<Found>, Read), DatabaseError> {
        let look = Look::new(party, asked, plan, now);
        let rows = match &self.direct {
            Some(direct) => direct.looks.make(look).await?,
            None => {
                let mut held = self.readers.take().await?;
                look.alone(&mut held, DbBackend::Sqlite).await.map_err(|failed| failed.error)?
            }
        };
        let emergency = party.emergency.is_some();
        Ok((fold_standings(&rows, now, emergency)?, read_sections(&rows, width(emergency), plan)?))
    }
}

/// A look that is asked for.
pub(super) struct Look {
    form: Form,
    given: Given<'static>,
}

/// The form of a look: those of one form have one statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Form {
    number: Option<IdentifierKind>,
    emergency: bool,
    plan: Plan,
}

/// What a look is about.
struct Given<'a> {
    agency: AgencyId,
    now: i64,
    child: Uuid,
    number: Cow<'a, str>,
    role: &'static str,
    user: Cow<'a, str>,
}

/// What a statement is made with. No two are alike, and none is ever asked for: by them the places of the others are found.
const STAND_IN: Given<'static> = Given {
    agency: AgencyId(Uuid::from_u128(1)),
    now: 1 << 60,
    child: Uuid::from_u128(2),
    number: Cow::Borrowed(STAND_IN_NUMBER),
    role: STAND_IN_ROLE.code(),
    user: Cow::Borrowed(STAND_IN_USER),
};
const STAND_IN_NUMBER: &str = "stand-in";
const STAND_IN_USER: &str = "stand-in for a user";
/// No statement names a role but for the one in this place.
const STAND_IN_ROLE: Role = Role::SystemAdmin;

impl Given<'_> {
    /// What stands where the statement was made with this value.
    fn in_place_of(&self, value: &Value) -> Value {
        match value {
            Value::Uuid(Some(id)) if *id == STAND_IN.agency.0 => self.agency.0.into(),
            Value::Uuid(Some(id)) if *id == STAND_IN.child => self.child.into(),
            Value::BigInt(Some(at)) if *at > STAND_IN.now / 2 => (self.now - (STAND_IN.now - at)).into(),
            Value::String(Some(text)) if text.as_str() == STAND_IN_NUMBER => self.number.as_ref().into(),
            Value::String(Some(text)) if text.as_str() == STAND_IN.role => self.role.into(),
            Value::String(Some(text)) if text.as_str() == STAND_IN_USER => self.user.as_ref().into(),
            other => other.clone(),
        }
    }
}

/// The statements of a form.
struct Statement {
    one: Arc<str>,
    /// The values that it was made with.
    values: Vec<Value>,
    /// On PostgreSQL: of many, from an array of each value. None where a value cannot be in one.
    many: Option<Arc<str>>,
}

static SQLITE: LazyLock<Cache<Form, Arc<Statement>>> = LazyLock::new(|| Cache::new(KEPT));
static POSTGRES: LazyLock<Cache<Form, Arc<Statement>>> = LazyLock::new(|| Cache::new(KEPT));

impl Form {
    fn statement(&self, backend: DbBackend) -> Arc<Statement> {
        let kept = if backend == DbBackend::Postgres { &POSTGRES } else { &SQLITE };
        let Ok(statement) = kept.get_or_insert_with(self, || Ok::<_, Infallible>(Arc::new(self.make(backend))));
        statement
    }

    fn make(&self, backend: DbBackend) -> Statement {
        if backend != DbBackend::Postgres {
            let (one, values) = self.query().build(SqliteQueryBuilder);
            return Statement { one: one.into(), values: values.0, many: None };
        }
        let (one, values) = self.query().build(PostgresQueryBuilder);
        let many = many(&one, &values.0).map(Arc::from);
        Statement { one: one.into(), values: values.0, many }
    }

    fn query(&self) -> SelectStatement {
        let emergency = self.emergency.then_some((STAND_IN_ROLE, STAND_IN_USER));
        let party = Party { agency: STAND_IN.agency, emergency, purpose: None };
        let mut query = standings_query(party, STAND_IN.now, self.number.map(|kind| (kind, STAND_IN_NUMBER)));
        if self.number.is_none() {
            query.and_where(of("child", "id").eq(STAND_IN.child));
        }
        add_sections(&mut query, &self.plan);
        query
    }
}

/// The column that tells whose look a row answers.
const WHOSE: &str = "whose_look";

/// The statement of many looks: for each place of the arrays of its values, the statement of one.
fn many(one: &str, values: &[Value]) -> Option<String> {
    let array = |(place, value): (usize, &Value)| Some(format!("${place}::{}[]", kind(value)?));
    let arrays: Option<Vec<String>> = (1..).zip(values).map(array).collect();
    let columns: String = (1..=values.len()).map(|place| format!("v{place}, ")).collect();
    // The last first: `$1` begins `$10`.
    let from_array = |one: String, place: usize| one.replace(&format!("${place}"), &format!("asked.v{place}"));
    let one = (1..=values.len()).rev().fold(one.to_owned(), from_array);
    let arrays = arrays?.join(", ");
    Some(format!(
        "SELECT one.*, {WHOSE} FROM unnest({arrays}) WITH ORDINALITY AS asked ({columns}{WHOSE}), LATERAL ({one}) AS one"
    ))
}

/// The type of a value that can be in an array.
fn kind(value: &Value) -> Option<&'static str> {
    match value {
        Value::Uuid(Some(_)) => Some("uuid"),
        Value::BigInt(Some(_)) | Value::BigUnsigned(Some(_)) => Some("bigint"),
        Value::String(Some(_)) => Some("text"),
        _ => None,
    }
}

/// The arrays of the values of many looks.
fn arrays(looks: &[Vec<Value>]) -> Result<PgArguments, DatabaseError> {
    let mut arguments = PgArguments::default();
    let columns = looks.first().map_or(0, Vec::len);
    for place in 0..columns {
        let (mut ids, mut numbers, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for value in looks.iter().filter_map(|values| values.get(place)) {
            match value {
                Value::Uuid(id) => ids.extend(*id),
                Value::BigInt(number) => numbers.extend(*number),
                Value::BigUnsigned(number) => numbers.extend(number.and_then(|number| i64::try_from(number).ok())),
                Value::String(text) => texts.extend(text.as_deref()),
                _ => {}
            }
        }
        // With one left out, each look after it would be made with another's value.
        let added = match (ids.len(), numbers.len(), texts.len()) {
            (all, 0, 0) if all == looks.len() => arguments.add(ids),
            (0, all, 0) if all == looks.len() => arguments.add(numbers),
            (0, 0, all) if all == looks.len() => arguments.add(texts),
            _ => return Err(DatabaseError("looks of one form differ in their values".to_owned())),
        };
        added.map_err(|_| DatabaseError("values cannot be sent".to_owned()))?;
    }
    Ok(arguments)
}

impl Look {
    fn new(party: Party<'_>, asked: Asked<'_>, plan: &Plan, now: i64) -> Self {
        let (child, number, kind) = match asked {
            Asked::Id(child) => (child, "", None),
            Asked::Number(kind, number) => (Uuid::nil(), number, Some(kind)),
        };
        let (role, user) = party.emergency.map_or(("", ""), |(role, user)| (role.code(), user));
        let text = |text: &str| if text.is_empty() { Cow::Borrowed("") } else { Cow::Owned(text.to_owned()) };
        let given = Given { agency: party.agency, now, child, number: text(number), role, user: text(user) };
        Look { form: Form { number: kind, emergency: party.emergency.is_some(), plan: plan.clone() }, given }
    }

    fn values(&self, statement: &Statement) -> Vec<Value> {
        statement.values.iter().map(|value| self.given.in_place_of(value)).collect()
    }

    async fn alone(&self, held: &mut Held, backend: DbBackend) -> Result<Vec<QueryResult>, Failed> {
        let statement = self.form.statement(backend);
        held.run_text(statement.one.clone(), self.values(&statement)).await
    }
}

impl Part for Look {
    type Done = Vec<QueryResult>;

    fn goes_with(&self, group: &[Waiting<Self>]) -> bool {
        group.first().is_some_and(|first| first.part.form == self.form)
    }

    async fn make(group: Vec<Waiting<Self>>, connections: Connections) {
        let read = match connections.take().await {
            Ok(mut held) => read_together(&mut held, &group).await,
            Err(error) => Err(error.into()),
        };
        match read {
            Ok(read) => group.into_iter().zip(read).for_each(|(waiting, rows)| waiting.answer(Ok(rows))),
            Err(Failed { error: _, undone: true }) if group.len() > 1 => {
                // One of them may be of a value that the database does not take. Whoever is gone does not keep the others.
                for waiting in group.into_iter().filter(Waiting::is_awaited) {
                    let read = match connections.take().await {
                        Ok(mut held) => waiting.part.alone(&mut held, DbBackend::Postgres).await,
                        Err(error) => Err(error.into()),
                    };
                    waiting.answer(read.map_err(|failed| failed.error));
                }
            }
            Err(Failed { error, .. }) => group.into_iter().for_each(|waiting| waiting.answer(Err(error.clone()))),
        }
    }
}

/// What each look of a group of one form reads, in their order.
async fn read_together(held: &mut Held, group: &[Waiting<Look>]) -> Result<Vec<Vec<QueryResult>>, Failed> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let statement = first.part.form.statement(DbBackend::Postgres);
    let Some(many) = statement.many.clone().filter(|_| group.len() > 1) else {
        let mut read = Vec::with_capacity(group.len());
        for waiting in group {
            read.push(waiting.part.alone(held, DbBackend::Postgres).await?);
        }
        return Ok(read);
    };
    let values: Vec<Vec<Value>> = group.iter().map(|waiting| waiting.part.values(&statement)).collect();
    let query: OwnQuery = sqlx::query_with(AssertSqlSafe(many), arrays(&values)?);
    let mut read: Vec<Vec<QueryResult>> = group.iter().map(|_| Vec::new()).collect();
    for row in held.fetch_own(query).await? {
        let whose: i64 = row.try_get("", WHOSE).map_err(DatabaseError::from)?;
        let look = usize::try_from(whose - 1).ok().and_then(|place| read.get_mut(place));
        look.ok_or_else(|| DatabaseError("a row answers no look".to_owned()))?.push(row);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_look_is_made_with_the_value_of_another() {
        let (id, absent) = (Value::from(Uuid::from_u128(7)), Value::Uuid(None));
        assert!(arrays(&[vec![id.clone(), 1_i64.into()], vec![id.clone(), 2_i64.into()]]).is_ok());
        assert!(arrays(&[vec![id.clone()], vec![absent]]).is_err());
        assert!(arrays(&[vec![id.clone()], vec!["text".into()]]).is_err());
        assert!(arrays(&[vec![id.clone(), 1_i64.into()], vec![id]]).is_err());
    }

    #[test]
    fn the_statement_of_many_takes_each_value_from_its_array() {
        let values: Vec<Value> = (1..=11_i64).map(Value::from).collect();
        let many = many("SELECT $1, $10, $11", &values).expect("numbers can be in an array");
        assert!(many.ends_with("LATERAL (SELECT asked.v1, asked.v10, asked.v11) AS one"), "{many}");
        assert!(super::many("SELECT $1", &[Value::Bool(Some(true))]).is_none());
    }
}
