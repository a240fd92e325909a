//! The only code that names the entities and sea-orm. One concrete store for both databases.

mod checklist;
mod claim;
mod columns;
mod consent;
mod deadline;
mod durability;
mod emergency;
mod episode;
mod event;
mod handover;
mod ledger;
mod listing;
mod look;
mod lookup;
mod overdue;
mod photo;
mod quota;
mod read;
mod reading;
mod reset;
mod roster;
mod row_change;
mod seal;
mod seed;
mod submission;
mod suggestion;
mod together;
mod write;

pub(crate) use checklist::{About, ItemRow, RoutineRow};
pub(crate) use claim::{Claim, Claimed};
pub(crate) use consent::{BlockRow, ConsentRow};
pub(crate) use deadline::{Due, Hour};
pub(crate) use emergency::{BreakGlassRow, Review};
pub(crate) use episode::{EpisodeRow, NewSighting};
pub(crate) use event::EventRow;
pub(crate) use handover::{HandoverChange, HandoverRow, Received, Tie};
pub(crate) use ledger::{LedgerRow, SubjectRow};
pub(crate) use look::Asked;
pub(crate) use lookup::Looked;
pub(crate) use overdue::{OverdueRow, Whose};
pub(crate) use read::{
    Entry, Found, IdentifierRow, ListRow, Party, Plan, Planned, Reach, Read, RevisionRow, Row, Snapshot, Standing,
};
pub use roster::RosterReport;
pub(crate) use submission::{Decided, Inbox, Named, SubmissionRow};
pub(crate) use suggestion::{SuggestedRow, SuggestionRow};
pub(crate) use write::{Applied, Author, Write};

use self::look::Look;
use self::reading::{Connections, Options};
use self::row_change::RowChange;
use self::together::Together;
use crate::agency::{Agency, AgencyKind, NewAgency};
use crate::error::DatabaseError;
use crate::figures::Pool;
use crate::ids::AgencyId;
use samverka_entities::{agency, child, setting};
use samverka_migration::{Migrator, Steps as _};
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    PaginatorTrait, QueryFilter, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long SQLite waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const READERS_POSTGRES: usize = 8;
const WRITERS_POSTGRES: u32 = 4;
/// While a group of changes waits for the disk, or for a row that is locked, others go on.
const CHANGES_POSTGRES: usize = 4;
/// Looks wait for no disk and no lock: more of them at once than the database has cores only wait for each other.
const LOOKS_POSTGRES: usize = 4;
/// How many looks or changes come together cannot be told from a statement, which always takes a few: each child is found by
/// its key.
const BY_KEY: [(&str, &str); 4] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// One adds to the log while another, that broke, is made anew.
const LOG_POSTGRES: usize = 2;
/// SQLite's page caches, in KiB: the writer's, and those of all readers together. Whatever commits empties the readers', so
/// that more than what one request reads is never of use.
const CACHE_WRITER: usize = 8_192;
const CACHE_READERS: usize = 12_288;
/// How many rows SQLite's thread may be ahead of whoever reads them: a list's page and what belongs to it.
const ROWS_AHEAD: usize = 256;

/// SQLite's statements run on the hub's own cores: more of them at once only wait for each other.
fn readers_sqlite() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get() + 1).clamp(2, 8)
}

impl From<DbErr> for DatabaseError {
    /// Database errors quote values of the row at hand, so only their kind is kept.
    fn from(error: DbErr) -> Self {
        DatabaseError(match error {
            DbErr::ConnectionAcquire(_) => "no connection was free in time".to_owned(),
            DbErr::Conn(_) => "the database cannot be reached".to_owned(),
            DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error))
            | DbErr::Query(sea_orm::RuntimeErr::SqlxError(error)) => match error.as_database_error() {
                Some(error) if lacks_table(error) => "a table is missing; run `samverka migrate up`".to_owned(),
                Some(error) => {
                    let constraint = error.constraint().or_else(|| constraint_in(error.message())).unwrap_or("none");
                    format!("error {} on constraint {constraint}", error.code().unwrap_or("?".into()))
                }
                None => "the connection failed".to_owned(),
            },
            DbErr::Type(_) | DbErr::TryIntoErr { .. } | DbErr::Json(_) => {
                "a stored value has the wrong type".to_owned()
            }
            DbErr::Migration(text) => text,
            _ => "an unexpected failure".to_owned(),
        })
    }
}

/// The columns that SQLite names where a constraint of theirs fails: `table.column`, and never a value.
fn constraint_in(message: &str) -> Option<&str> {
    ["NOT NULL constraint failed: ", "UNIQUE constraint failed: "].iter().find_map(|kind| message.strip_prefix(kind))
}

fn lacks_table(error: &dyn sea_orm::sqlx::error::DatabaseError) -> bool {
    let undefined = error.code().is_some_and(|code| code == "42P01");
    undefined || error.message().starts_with("no such table")
}

/// Why a connection could not be made, in words: without the values of the URL.
fn connect_error(what: &str, error: &sea_orm::sqlx::Error) -> DatabaseError {
    let reason = match error {
        sea_orm::sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("14") => "it cannot be opened: is its folder there, and writable?".to_owned(),
            Some("26") => "the file is not a SQLite database".to_owned(),
            Some("3D000") => "there is no such database".to_owned(),
            Some("28P01" | "28000") => "the user or password is refused".to_owned(),
            code => format!("error {}", code.unwrap_or("unknown")),
        },
        _ => "it cannot be reached".to_owned(),
    };
    DatabaseError(format!("{what}: {reason}"))
}

/// The record's home. Reads go through one pool, writes through another: on SQLite the latter has one
/// connection, because there is one writer.
#[derive(Clone)]
pub(crate) struct Store {
    readers: Connections,
    writer: DatabaseConnection,
    /// For what is done in one statement, on PostgreSQL alone.
    direct: Option<Direct>,
}

/// What is done in one statement. Changes may all wait for a locked row; looks and the log never do.
#[derive(Clone)]
struct Direct {
    looks: Together<Look>,
    changes: Together<RowChange>,
    log: Connections,
}

impl Store {
    /// Connects to `sqlite:PATH` or `postgres://…`. A SQLite file that is not there is made only if asked for.
    pub(crate) async fn connect(url: &str, create: bool) -> Result<Store, DatabaseError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            return Self::connect_postgres(url).await;
        }
        if url.starts_with("sqlite:") && !url.contains(":memory:") {
            return Self::connect_sqlite(url, create).await;
        }
        Err(DatabaseError("the database URL must begin with `sqlite:` (a file) or `postgres://`".to_owned()))
    }

    async fn connect_sqlite(url: &str, create: bool) -> Result<Store, DatabaseError> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| DatabaseError("the SQLite URL is not `sqlite:PATH`".to_owned()))?
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("cache_size", format!("-{CACHE_WRITER}"))
            .pragma("mmap_size", "0")
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let pool = || SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
        let failed = |error| connect_error("the SQLite file", &error);
        let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(failed)?;
        let size = readers_sqlite();
        let reading = options.pragma("query_only", "ON").pragma("cache_size", format!("-{}", CACHE_READERS / size));
        let readers = Connections::new(Options::Sqlite(reading), size, ACQUIRE_TIMEOUT)?;
        Ok(Store { readers, writer: writer.into(), direct: None })
    }

    async fn connect_postgres(url: &str) -> Result<Store, DatabaseError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| DatabaseError("the PostgreSQL URL is not `postgres://USER@HOST/DATABASE`".to_owned()))?
            .application_name("samverka")
            .statement_cache_capacity(256)
            .options([("statement_timeout", "5000"), ("lock_timeout", "2000"), ("jit", "off")])
            .disable_statement_logging();
        let reading = options
            .clone()
            .options([("default_transaction_isolation", "repeatable read"), ("default_transaction_read_only", "on")]);
        let pool = || PgPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
        let failed = |error| connect_error("PostgreSQL", &error);
        let writer = pool().max_connections(WRITERS_POSTGRES).connect_with(options.clone()).await.map_err(failed)?;
        let of = |options, size| Connections::new(Options::Postgres(options), size, ACQUIRE_TIMEOUT);
        let looks = Together::new(of(reading.clone().options(BY_KEY), LOOKS_POSTGRES)?);
        let readers = of(reading, READERS_POSTGRES)?;
        let changes = Together::new(of(options.clone().options(BY_KEY), CHANGES_POSTGRES)?);
        let direct = Direct { looks, changes, log: of(options, LOG_POSTGRES)? };
        Ok(Store { readers, writer: writer.into(), direct: Some(direct) })
    }

    fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// The pools as they stand: the reading one, the writing one.
    pub(crate) fn pools(&self) -> [Pool; 2] {
        fn pool<D: sea_orm::sqlx::Database>(pool: &sea_orm::sqlx::Pool<D>) -> Pool {
            let open = u64::from(pool.size());
            // Each is looked at on its own: a connection that closes in between must not make it less than none.
            let idle = (pool.num_idle() as u64).min(open);
            Pool { open, idle, most: u64::from(pool.options().get_max_connections()) }
        }
        let writer = match self.backend() {
            DbBackend::Sqlite => pool(self.writer.get_sqlite_connection_pool()),
            _ => pool(self.writer.get_postgres_connection_pool()),
        };
        let sum = |sum: Pool, pool: Pool| Pool {
            open: sum.open + pool.open,
            idle: sum.idle + pool.idle,
            most: sum.most + pool.most,
        };
        let Some(Direct { looks, changes, log }) = &self.direct else { return [self.readers.figures(), writer] };
        let reading = sum(self.readers.figures(), looks.connections().figures());
        [reading, sum(sum(writer, changes.connections().figures()), log.figures())]
    }

    /// A snapshot of the record: every read of it sees the same instant.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, DatabaseError> {
        let mut held = self.readers.take().await?;
        held.begin().await?;
        Ok(Snapshot::new(held))
    }

    async fn begin(&self) -> Result<DatabaseTransaction, DatabaseError> {
        // A transaction that reads before it writes must take SQLite's lock first, or it fails at
        // the upgrade whatever the timeout.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        Ok(match self.backend() {
            DbBackend::Sqlite => self.writer.begin_with_options(options).await?,
            _ => self.writer.begin().await?,
        })
    }

    /// Closes every connection.
    pub(crate) async fn close(self) {
        let Store { readers, writer, direct } = self;
        readers.close();
        if let Some(Direct { looks, changes, log }) = direct {
            looks.connections().close();
            changes.connections().close();
            log.close();
        }
        _ = writer.close().await;
    }

    /// Whether a writing transaction can be begun.
    pub(crate) async fn can_write(&self) -> Result<(), DatabaseError> {
        Ok(self.begin().await?.rollback().await?)
    }

    /// Brings the schema up to date. Safe to run again.
    pub(crate) async fn migrate_up(&self) -> Result<(), DatabaseError> {
        Ok(Migrator::up(&self.writer, None).await?)
    }

    /// Takes back so many migrations.
    pub(crate) async fn migrate_down(&self, steps: u32) -> Result<(), DatabaseError> {
        Ok(Migrator::down(&self.writer, Some(steps)).await?)
    }

    /// The migrations, and whether each is applied.
    pub(crate) async fn migrations(&self) -> Result<Vec<(String, bool)>, DatabaseError> {
        Ok(samverka_migration::status(&self.writer).await?)
    }

    /// What the hub remembers under a key.
    pub(crate) async fn setting(&self, key: &str) -> Result<Option<String>, DatabaseError> {
        let row = setting::Entity::find_by_id(key).one(&self.writer).await?;
        Ok(row.map(|row| row.value))
    }

    /// Remembers a value under a key, unless another node was first; gives what stands.
    pub(crate) async fn setting_or(&self, key: &str, value: String) -> Result<String, DatabaseError> {
        let row = setting::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
        let first = sea_orm::sea_query::OnConflict::column(setting::Column::Key).do_nothing().to_owned();
        setting::Entity::insert(row).on_conflict(first).exec_without_returning(&self.writer).await?;
        let stands = setting::Entity::find_by_id(key).one(&self.writer).await?;
        stands.map(|row| row.value).ok_or_else(|| DatabaseError("a setting cannot be kept".to_owned()))
    }

    /// Remembers a value under a key, whatever stood there.
    pub(crate) async fn put_setting(&self, key: &str, value: String) -> Result<(), DatabaseError> {
        let row = setting::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
        let last = sea_orm::sea_query::OnConflict::column(setting::Column::Key)
            .update_column(setting::Column::Value)
            .to_owned();
        setting::Entity::insert(row).on_conflict(last).exec_without_returning(&self.writer).await?;
        Ok(())
    }

    /// Writes the agencies of the configuration: a known `code` is updated, a new one gets the id
    /// that `id` gives.
    pub(crate) async fn put_agencies(
        &self,
        agencies: &[NewAgency],
        mut id: impl FnMut() -> Uuid,
    ) -> Result<(), DatabaseError> {
        let rows = agencies.iter().map(|new| agency::ActiveModel {
            id: Set(id()),
            code: Set(new.code.clone()),
            kind: Set(new.kind.code().to_owned()),
            name: Set(new.name.clone()),
            organisation_number: Set(new.organisation_number.clone()),
            municipality: Set(new.municipality.clone()),
            county: Set(new.county.clone()),
        });
        let update = sea_orm::sea_query::OnConflict::column(agency::Column::Code)
            .update_columns([
                agency::Column::Kind,
                agency::Column::Name,
                agency::Column::OrganisationNumber,
                agency::Column::Municipality,
                agency::Column::County,
            ])
            .to_owned();
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            agency::Entity::insert_many(rows).on_conflict(update).exec_without_returning(&self.writer).await?;
        }
        Ok(())
    }

    /// How many children there are.
    pub(crate) async fn children(&self) -> Result<u64, DatabaseError> {
        Ok(child::Entity::find().count(&self.writer).await?)
    }

    /// Every agency, by name.
    pub(crate) async fn agencies(&self) -> Result<Vec<Agency>, DatabaseError> {
        let rows = agency::Entity::find().all(&self.writer).await?;
        let mut agencies: Vec<Agency> = rows.into_iter().filter_map(read_agency).collect();
        agencies.sort_by(|a, b| (&a.name, &a.code).cmp(&(&b.name, &b.code)));
        Ok(agencies)
    }

    /// One agency, if it is there: for one that was added while the hub runs. Whoever asks may hold a reading connection,
    /// and must not wait for another.
    pub(crate) async fn agency(&self, id: AgencyId) -> Result<Option<Agency>, DatabaseError> {
        let found = agency::Entity::find().filter(agency::Column::Id.eq(id.0)).one(&self.writer).await?;
        Ok(found.and_then(read_agency))
    }
}

fn read_agency(row: agency::Model) -> Option<Agency> {
    let agency::Model { id, code, kind, name, organisation_number, municipality, county } = row;
    let kind = AgencyKind::from_code(&kind)?;
    Some(Agency { id: AgencyId(id), code, kind, name, organisation_number, municipality, county })
}
