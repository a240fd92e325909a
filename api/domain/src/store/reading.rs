//! Connections held by the hub itself: for reading, and on PostgreSQL for what is written in one statement. The driver's own
//! pool asks the database after every use whether it is still there, which costs as much as a small read.

use crate::error::DatabaseError;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult};
use sea_orm::sea_query::{Expr, PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder, Value, Values};
use sea_orm::sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult as _, QueryResult, QueryTrait as _,
    RuntimeErr,
};
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection is used: memory that the database keeps for it is given back then.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// Connections of one kind.
#[derive(Clone)]
pub(super) struct Connections(Pool<Maker>);

/// Makes connections, for one database.
pub(super) struct Maker {
    options: Options,
}

/// How a connection is made.
pub(super) enum Options {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

/// A connection.
pub(super) struct Held {
    connection: Connection,
    /// Nothing is under way on it. One that was left in the middle of something is not used again.
    is_idle: bool,
}

/// Why a statement failed, and whether it is certain that it changed nothing: the database itself has said so.
pub(super) struct Failed {
    pub(super) error: DatabaseError,
    pub(super) undone: bool,
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        let undone = matches!(error, sqlx::Error::Database(_));
        Failed { error: failed(error), undone }
    }
}

impl From<DatabaseError> for Failed {
    fn from(error: DatabaseError) -> Self {
        Failed { error, undone: false }
    }
}

/// A statement of PostgreSQL's own.
pub(super) type OwnQuery = sqlx::query::Query<'static, sqlx::Postgres, PgArguments>;

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Manager for Maker {
    type Type = Held;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Held, sqlx::Error> {
        // On the heap: whoever takes a connection, which is nearly always there, need not hold what makes one.
        let connection = match &self.options {
            Options::Sqlite(options) => Connection::Sqlite(Box::pin(SqliteConnection::connect_with(options)).await?),
            Options::Postgres(options) => Connection::Postgres(Box::pin(PgConnection::connect_with(options)).await?),
        };
        Ok(Held { connection, is_idle: true })
    }

    async fn recycle(&self, held: &mut Held, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        let is_good = held.is_idle && metrics.age() < LONGEST_LIFE;
        is_good.then_some(()).ok_or(RecycleError::message("used up"))
    }
}

impl Connections {
    pub(super) fn new(options: Options, size: usize, patience: Duration) -> Result<Self, DatabaseError> {
        let maker = Maker { options };
        // The one used last comes first: it has most statements prepared.
        let pool = Pool::builder(maker).max_size(size).runtime(deadpool::Runtime::Tokio1).queue_mode(QueueMode::Lifo);
        let pool = pool.wait_timeout(Some(patience)).create_timeout(Some(patience)).build();
        pool.map(Connections).map_err(|_| DatabaseError("the connections cannot be kept".to_owned()))
    }

    /// A connection that nobody else uses until it is given back.
    pub(super) async fn take(&self) -> Result<Object<Maker>, DatabaseError> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => failed(error),
            _ => DatabaseError("no connection was free in time".to_owned()),
        })
    }

    pub(super) fn close(&self) {
        self.0.close();
    }

    /// How many there are at most.
    pub(super) fn most(&self) -> usize {
        self.0.status().max_size
    }

    /// The connections as they stand.
    pub(super) fn figures(&self) -> crate::figures::Pool {
        let status = self.0.status();
        let open = status.size as u64;
        crate::figures::Pool { open, idle: (status.available as u64).min(open), most: status.max_size as u64 }
    }
}

fn failed(error: sqlx::Error) -> DatabaseError {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))).into()
}

impl Held {
    /// Begins a transaction: from its first read on it sees one instant.
    pub(super) async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.is_idle = false;
        self.run("BEGIN").await
    }

    /// Ends the transaction.
    pub(super) async fn end(&mut self) -> Result<(), DatabaseError> {
        self.run("ROLLBACK").await?;
        self.is_idle = true;
        Ok(())
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        let done = match &mut self.connection {
            Connection::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
            Connection::Postgres(connection) => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()),
        };
        done.map_err(failed)
    }

    pub(super) async fn rows(&mut self, query: &SelectStatement) -> Result<Vec<QueryResult>, DatabaseError> {
        let (sql, values) = self.build(query);
        self.fetch(sql.into(), values).await
    }

    /// Runs a statement that is kept as text.
    pub(super) async fn run_text(&mut self, sql: Arc<str>, values: Vec<Value>) -> Result<Vec<QueryResult>, Failed> {
        Ok(self.fetch_or(sql, SqlxValues(Values(values))).await?)
    }

    /// Runs a statement of PostgreSQL's own, with values of its own types.
    pub(super) async fn fetch_own(&mut self, query: OwnQuery) -> Result<Vec<QueryResult>, Failed> {
        let Connection::Postgres(connection) = &mut self.connection else {
            return Err(DatabaseError("the statement is not of this database".to_owned()).into());
        };
        let was_idle = std::mem::replace(&mut self.is_idle, false);
        let rows = query.fetch_all(connection).await?;
        self.is_idle = was_idle;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    /// As [`Held::fetch_own`]: how many rows it wrote.
    pub(super) async fn execute_own(&mut self, query: OwnQuery) -> Result<u64, DatabaseError> {
        let Connection::Postgres(connection) = &mut self.connection else {
            return Err(DatabaseError("the statement is not of this database".to_owned()));
        };
        let was_idle = std::mem::replace(&mut self.is_idle, false);
        let done = query.execute(connection).await.map_err(failed)?;
        self.is_idle = was_idle;
        Ok(done.rows_affected())
    }

    /// The text that a statement without parameters gives.
    pub(super) async fn text(&mut self, sql: &'static str) -> Result<String, DatabaseError> {
        let rows = self.fetch(sql.into(), SqlxValues(Values(Vec::new()))).await?;
        let row = rows.first().ok_or_else(|| DatabaseError("a setting cannot be read".to_owned()))?;
        Ok(row.try_get_by_index(0)?)
    }

    fn build(&self, query: &impl SqlxBinder) -> (String, SqlxValues) {
        match self.connection {
            Connection::Sqlite(_) => query.build_sqlx(SqliteQueryBuilder),
            Connection::Postgres(_) => query.build_sqlx(PostgresQueryBuilder),
        }
    }

    async fn fetch(&mut self, sql: Arc<str>, values: SqlxValues) -> Result<Vec<QueryResult>, DatabaseError> {
        self.fetch_or(sql, values).await.map_err(failed)
    }

    async fn fetch_or(&mut self, sql: Arc<str>, values: SqlxValues) -> Result<Vec<QueryResult>, sqlx::Error> {
        let was_idle = std::mem::replace(&mut self.is_idle, false);
        let sql = AssertSqlSafe(sql);
        let rows = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let rows = sqlx::query_with(sql, values).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Connection::Postgres(connection) => {
                let rows = sqlx::query_with(sql, values).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        let rows = rows?;
        self.is_idle = was_idle;
        Ok(rows)
    }
}

/// What answers a SELECT.
pub(super) trait Rows {
    fn rows(&self, query: &SelectStatement) -> impl Future<Output = Result<Vec<QueryResult>, DatabaseError>> + Send;
}

/// The rows of an entity, wherever they are read.
pub(super) async fn models<E: EntityTrait>(
    database: &impl Rows,
    select: sea_orm::Select<E>,
) -> Result<Vec<E::Model>, DatabaseError> {
    let rows = database.rows(&select.into_query()).await?;
    rows.iter().map(|row| Ok(E::Model::from_query_result(row, "")?)).collect()
}

/// How many rows of an entity there are.
pub(super) async fn count<E: EntityTrait>(
    database: &impl Rows,
    select: sea_orm::Select<E>,
) -> Result<u64, DatabaseError> {
    let mut query = select.into_query();
    query.clear_selects().expr(Expr::cust("COUNT(*)"));
    let rows = database.rows(&query).await?;
    let count: i64 = rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

impl Rows for DatabaseTransaction {
    async fn rows(&self, query: &SelectStatement) -> Result<Vec<QueryResult>, DatabaseError> {
        Ok(self.query_all(query).await?)
    }
}
