//! The settings without which an acknowledged row could be lost: asserted, not hoped for.

use super::Store;
use crate::error::DatabaseError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// The first SQLite without the WAL-reset race that could corrupt a database.
const SQLITE_FLOOR: (u32, u32, u32) = (3, 51, 3);

impl Store {
    /// Checks that committed means durable.
    ///
    /// # Errors
    ///
    /// The first setting that is wrong, by name, with what it must be.
    pub(crate) async fn assert_durable(&self) -> Result<(), DatabaseError> {
        match self.backend() {
            DbBackend::Sqlite => self.assert_sqlite().await,
            _ => self.assert_postgres().await,
        }
    }

    async fn assert_sqlite(&self) -> Result<(), DatabaseError> {
        let version = self.text("SELECT sqlite_version()").await?;
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        require(version >= SQLITE_FLOOR, "SQLite must be 3.51.3 or newer")?;
        let journal = self.text("SELECT * FROM pragma_journal_mode").await?;
        require(journal == "wal", "SQLite's journal_mode must be wal")?;
        let synchronous = self.text("SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous").await?;
        require(synchronous == "2", "SQLite's synchronous must be FULL")
    }

    async fn assert_postgres(&self) -> Result<(), DatabaseError> {
        let version = self.text("SHOW server_version_num").await?.parse::<u32>().unwrap_or(0);
        require(version >= 150_000, "PostgreSQL must be 15 or newer")?;
        for (setting, must) in [("fsync", "on"), ("full_page_writes", "on"), ("transaction_read_only", "off")] {
            let value = self.text(&format!("SHOW {setting}")).await?;
            require(value == must, &format!("PostgreSQL's {setting} must be {must}"))?;
        }
        let commit = self.text("SHOW synchronous_commit").await?;
        let durable = matches!(commit.as_str(), "on" | "remote_apply" | "remote_write");
        require(durable, "PostgreSQL's synchronous_commit must be on")?;
        if let Some(direct) = &self.direct {
            // Whatever is told waits for this one.
            let log = direct.log.take().await?.text("SHOW synchronous_commit").await?;
            require(log == commit, "the access log's commits must wait for the disk")?;
        }
        let standby = self.text("SELECT pg_is_in_recovery()::text").await?;
        require(standby == "false", "the hub must speak to PostgreSQL's primary")
    }

    async fn text(&self, sql: &str) -> Result<String, DatabaseError> {
        let statement = Statement::from_string(self.backend(), sql.to_owned());
        let row = self.writer.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DatabaseError("a setting cannot be read".to_owned()))?;
        Ok(row.try_get_by_index(0)?)
    }
}

fn require(holds: bool, otherwise: &str) -> Result<(), DatabaseError> {
    holds.then_some(()).ok_or_else(|| DatabaseError(otherwise.to_owned()))
}
