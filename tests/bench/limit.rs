//! The limit: bare SQL that returns the same rows through the same driver and pools, without HTTP, token, rules, GraphQL
//! or JSON. One statement a request, prepared; values are decoded to their types and dropped.

use super::Fault;
use super::measure::Figures;
use super::workloads::{Column, EARLIER, Kind, LONG, SHORT, Statements, Workload, public_id, text};
use super::{cpu, world::Subject};
use chrono::NaiveDate;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sea_orm::sqlx::{AssertSqlSafe, PgPool, Row, SqlitePool, query};
use serde_json::{Value, json};
use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a cell of a row holds.
pub enum Cell {
    Text(Option<String>),
    Date(Option<NaiveDate>),
    Bool(Option<bool>),
    Json(Option<Value>),
    Id(&'static str, Option<Uuid>),
}

impl Cell {
    /// As the hub's answer would show it.
    pub fn to_json(&self) -> Value {
        match self {
            Cell::Text(text) => text.as_deref().into(),
            Cell::Date(date) => date.map(|date| date.to_string()).into(),
            Cell::Bool(yes) => (*yes).into(),
            Cell::Json(json) => json.clone().unwrap_or_default(),
            Cell::Id(prefix, id) => id.map(|id| public_id(prefix, id)).into(),
        }
    }
}

/// The pools of one database, with the sizes and settings of the hub's store.
#[derive(Clone)]
pub enum Pools {
    Sqlite { reader: SqlitePool, writer: SqlitePool },
    Postgres { reader: PgPool, writer: PgPool },
}

/// The bare SQL on one database.
#[derive(Clone)]
pub struct Limit {
    pools: Pools,
    statements: Arc<Statements>,
    subjects: Arc<Vec<Subject>>,
    agency: Uuid,
    /// Where page 2 of the list begins.
    after: (NaiveDate, Uuid),
    updates: Arc<AtomicU64>,
}

/// What an update gives.
const STAMPS: [Column; 2] = [("", "", Kind::Id("child")), ("", "", Kind::Json)];

/// Later than any risk date: page 1 begins here.
const LAST_DAY: &str = "2199-12-31";

macro_rules! decode {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row, columns: &[Column]) -> Result<Vec<Cell>, Fault> {
            let cell = |(index, column): (usize, &Column)| {
                Ok(match column.2 {
                    Kind::Text => Cell::Text(row.try_get(index)?),
                    Kind::Date => Cell::Date(row.try_get(index)?),
                    Kind::Bool => Cell::Bool(row.try_get(index)?),
                    Kind::Json => Cell::Json(row.try_get(index)?),
                    Kind::Id(prefix) => Cell::Id(prefix, row.try_get(index)?),
                })
            };
            columns.iter().enumerate().map(cell).collect()
        }
    };
}

decode!(decode_sqlite, SqliteRow);
decode!(decode_postgres, PgRow);

/// Runs a prepared statement with these parameters on a pool, and decodes its rows.
macro_rules! rows {
    ($self:ident, $pool:ident, $sql:expr, $columns:expr, $($parameter:expr),+) => {
        match &$self.pools {
            Pools::Sqlite { $pool, .. } => {
                let rows = query(AssertSqlSafe($sql))$(.bind($parameter))+.fetch_all($pool).await?;
                rows.iter().map(|row| decode_sqlite(row, $columns)).collect::<Result<Vec<_>, Fault>>()?
            }
            Pools::Postgres { $pool, .. } => {
                let rows = query(AssertSqlSafe($sql))$(.bind($parameter))+.fetch_all($pool).await?;
                rows.iter().map(|row| decode_postgres(row, $columns)).collect::<Result<Vec<_>, Fault>>()?
            }
        }
    };
}

/// Runs a prepared statement on the pool for writing; how many rows it touched.
macro_rules! execute {
    ($self:ident, $sql:expr, $($parameter:expr),+) => {
        match &$self.pools {
            Pools::Sqlite { writer, .. } => query($sql)$(.bind($parameter))+.execute(writer).await?.rows_affected(),
            Pools::Postgres { writer, .. } => query($sql)$(.bind($parameter))+.execute(writer).await?.rows_affected(),
        }
    };
}

impl Pools {
    pub async fn open(url: &str) -> Result<Pools, Fault> {
        if url.starts_with("postgres") {
            let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(256).options([("jit", "off")]);
            let pool = |size| PgPoolOptions::new().test_before_acquire(false).max_connections(size);
            let writer = pool(4).connect_with(options.clone()).await?;
            return Ok(Pools::Postgres { reader: pool(8).connect_with(options).await?, writer });
        }
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(2))
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .row_buffer_size(256)
            .pragma("cache_size", "-16384")
            .pragma("mmap_size", "0")
            .pragma("secure_delete", "ON");
        let pool = |size| SqlitePoolOptions::new().test_before_acquire(false).max_connections(size);
        let writer = pool(1).connect_with(options.clone()).await?;
        let size = std::thread::available_parallelism().map_or(2, |cores| cores.get() + 1).clamp(2, 8);
        let reading = options.pragma("query_only", "ON").pragma("cache_size", format!("-{}", 24_576 / size));
        Ok(Pools::Sqlite { reader: pool(size as u32).connect_with(reading).await?, writer })
    }

    /// Runs statements without parameters.
    pub async fn run(&self, sql: String) -> Result<(), Fault> {
        match self {
            Pools::Sqlite { writer, .. } => _ = sea_orm::sqlx::raw_sql(AssertSqlSafe(sql)).execute(writer).await?,
            Pools::Postgres { writer, .. } => _ = sea_orm::sqlx::raw_sql(AssertSqlSafe(sql)).execute(writer).await?,
        }
        Ok(())
    }

    /// The columns of a table.
    pub async fn columns(&self, table: &str) -> Result<Vec<String>, Fault> {
        let sql = match self {
            Pools::Sqlite { .. } => format!("SELECT name FROM pragma_table_info('{table}') WHERE $1 IS NOT NULL"),
            Pools::Postgres { .. } => {
                format!(
                    "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' AND $1 IS NOT NULL"
                )
            }
        };
        let rows = self.ask(sql, Uuid::nil(), &[("", "", Kind::Text)]).await?;
        let name = |row: Vec<Cell>| match row.into_iter().next() {
            Some(Cell::Text(Some(name))) => Some(name),
            _ => None,
        };
        Ok(rows.into_iter().filter_map(name).collect())
    }

    /// The rows of a statement with one parameter.
    pub async fn ask(&self, sql: String, parameter: Uuid, columns: &[Column]) -> Result<Vec<Vec<Cell>>, Fault> {
        struct Door<'a> {
            pools: &'a Pools,
        }
        let door = Door { pools: self };
        Ok(rows!(door, reader, sql, columns, parameter))
    }

    pub async fn close(&self) {
        match self {
            Pools::Sqlite { reader, writer } => {
                reader.close().await;
                writer.close().await;
            }
            Pools::Postgres { reader, writer } => {
                reader.close().await;
                writer.close().await;
            }
        }
    }
}

impl Limit {
    pub async fn new(pools: Pools, subjects: Arc<Vec<Subject>>, agency: Uuid) -> Result<Limit, Fault> {
        let table = match &pools {
            Pools::Sqlite { .. } => "id uuid_blob PRIMARY KEY, at bigint, record text, hash text",
            Pools::Postgres { .. } => "id uuid PRIMARY KEY, at bigint, record text, hash text",
        };
        pools.run(format!("CREATE TABLE IF NOT EXISTS bench_audit ({table})")).await?;
        let statements = Arc::new(Statements::new());
        let start = (NaiveDate::from_str(LAST_DAY)?, Uuid::max());
        let mut limit = Limit { pools, statements, subjects, agency, after: start, updates: Arc::default() };
        let sql = limit.statements.w2.clone();
        let mut columns = SHORT.to_vec();
        columns.push(("", "", Kind::Date));
        let page = rows!(limit, reader, sql.as_str(), &columns, limit.agency, start.0, start.1);
        limit.after = match page.last().map(|row| (row.first(), row.last())) {
            Some((Some(Cell::Id(_, Some(id))), Some(Cell::Date(Some(day))))) => (*day, *id),
            _ => return Err("the list has no first page".into()),
        };
        Ok(limit)
    }

    /// The rows of a reading request, as JSON values.
    pub async fn read(&self, workload: Workload, subject: &Subject) -> Result<Vec<Vec<Value>>, Fault> {
        let rows = self.fetch(workload, subject).await?;
        Ok(rows.iter().map(|row| row.iter().map(Cell::to_json).collect()).collect())
    }

    async fn fetch(&self, workload: Workload, subject: &Subject) -> Result<Vec<Vec<Cell>>, Fault> {
        let Statements { w1, w2, w3, .. } = &*self.statements;
        Ok(match workload {
            Workload::W2 => rows!(self, reader, w2.as_str(), &SHORT, self.agency, self.after.0, self.after.1),
            Workload::W3 => rows!(self, reader, w3.as_str(), &SHORT, self.agency, subject.number.as_str()),
            _ => rows!(self, reader, w1.as_str(), &LONG, self.agency, subject.uuid),
        })
    }

    /// Three fields and the stamps that tell of them, if the stamps are those that were last seen: what the hub's answer, the
    /// id and the version, is made from. No history, no log.
    async fn update(&self, subject: &Subject) -> Result<(), Fault> {
        let n = self.updates.fetch_add(1, Ordering::Relaxed);
        let mut stamps = subject.stamps.lock().await;
        let after = self.touched(&stamps);
        let written = rows!(
            self,
            writer,
            self.statements.w4,
            &STAMPS,
            self.agency,
            subject.uuid,
            text(0, n),
            text(1, n),
            text(2, n),
            &after,
            &*stamps
        );
        match written.into_iter().next().map(<[Cell; 2]>::try_from) {
            Some(Ok([_, Cell::Json(Some(written))])) => *stamps = written,
            _ => return Err("an update of the bare SQL touched no row".into()),
        }
        Ok(())
    }

    /// The stamps after one more change of the three fields.
    fn touched(&self, stamps: &Value) -> Value {
        let mut stamps = stamps.clone();
        for column in ["appearance", "marks", "clothing"] {
            let changes = stamps.get(column).and_then(|stamp| stamp.get(0)?.as_u64()).unwrap_or_default();
            stamps[column] = json!([changes + 1, 1_795_262_400_000_000i64, self.agency]);
        }
        stamps
    }

    /// One row of a log, made durable before the answer goes: about as long as the hub's.
    async fn audit(&self) -> Result<(), Fault> {
        let (id, record) = (Uuid::from_u128(rand::random()), "x".repeat(1_100));
        execute!(self, self.statements.audit, id, 1_795_262_400_000_000i64, record, "f".repeat(64));
        Ok(())
    }

    /// Reads what the updates will find: the hub has written meanwhile.
    async fn refresh(&self) -> Result<(), Fault> {
        for subject in self.subjects.iter() {
            let sql = "SELECT child_id, stamps FROM description WHERE child_id = $1".to_owned();
            let rows = self.pools.ask(sql, subject.uuid, &STAMPS).await?;
            if let Some(Cell::Json(Some(stamps))) = rows.into_iter().flatten().nth(1) {
                *subject.stamps.lock().await = stamps;
            }
        }
        Ok(())
    }

    async fn one(&self, workload: Workload, subject: &Subject, audited: bool) -> Result<(), Fault> {
        if workload == Workload::W4 {
            self.update(subject).await?;
        } else {
            black_box(self.fetch(workload, subject).await?);
        }
        if audited { self.audit().await } else { Ok(()) }
    }

    /// Runs a workload for a while.
    pub async fn run(
        &self,
        workload: Workload,
        concurrency: usize,
        length: Duration,
        audited: bool,
        postmaster: Option<u32>,
    ) -> Result<Figures, Fault> {
        self.refresh().await?;
        let me = std::process::id();
        let (own, postgres) = (cpu::of_process(me), postmaster.map(cpu::of_family).unwrap_or_default());
        let start = Instant::now();
        let mut tasks = Vec::new();
        for worker in 0..concurrency {
            let limit = self.clone();
            tasks.push(tokio::spawn(async move {
                let (mut times, mut errors) = (Vec::new(), 0);
                let mut n = worker as u64;
                while start.elapsed() < length {
                    let kind = workload.at(n / concurrency as u64 * 16 + worker as u64);
                    let Some(subject) = limit.subjects.get(n as usize % limit.subjects.len()) else { break };
                    let begun = Instant::now();
                    match limit.one(kind, subject, audited).await {
                        Ok(()) => times.push(begun.elapsed()),
                        Err(_) => errors += 1,
                    }
                    n += concurrency as u64;
                }
                (times, errors)
            }));
        }
        let (mut times, mut errors) = (Vec::new(), 0);
        for task in tasks {
            let (more, failed) = task.await?;
            times.extend(more);
            errors += failed;
        }
        let wall = start.elapsed();
        let own = cpu::of_process(me).saturating_sub(own);
        let postgres = postmaster.map(cpu::of_family).unwrap_or_default().saturating_sub(postgres);
        Ok(Figures::new(times, errors, wall, own, postgres))
    }
}

/// The card of a child in the bare SQL's rows: its own fields, and the earlier placements.
pub fn card(rows: &[Vec<Value>]) -> (Vec<Value>, Vec<Vec<Value>>) {
    let own = rows.first().map(|row| row.iter().take(EARLIER).cloned().collect()).unwrap_or_default();
    let ended =
        |row: &&Vec<Value>| LONG.iter().zip(row.iter()).any(|((path, _, _), value)| *path == "/to" && !value.is_null());
    let earlier = rows.iter().filter(ended).map(|row| row.iter().skip(EARLIER).cloned().collect()).collect();
    (own, earlier)
}
