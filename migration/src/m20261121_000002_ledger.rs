//! The access log: append-only, and the database holds it to that.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &str = "
CREATE TABLE ledger (lane UUID NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, record TEXT NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (lane, seq));
CREATE TABLE ledger_subject (subject UUID NOT NULL, at BIGINT NOT NULL, lane UUID NOT NULL, seq BIGINT NOT NULL,
    agency_id UUID NOT NULL, PRIMARY KEY (subject, at, lane, seq)) WITHOUT ROWID;
CREATE TABLE ledger_indexed (lane UUID NOT NULL PRIMARY KEY, seq BIGINT NOT NULL);
";

/// A record is mostly pseudonyms, which are random: compressing them would take time and save nothing.
const UNCOMPRESSED_POSTGRES: &str = "ALTER TABLE ledger ALTER COLUMN record SET STORAGE EXTERNAL;";

const APPEND_ONLY_SQLITE: &str = "
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
";

const APPEND_ONLY_POSTGRES: &str = "
CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the access log is append-only'; END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        let append_only = match manager.get_database_backend() {
            DbBackend::Postgres => APPEND_ONLY_POSTGRES.to_owned(),
            _ => APPEND_ONLY_SQLITE.to_owned(),
        };
        let tables = match manager.get_database_backend() {
            DbBackend::Postgres => TABLES.replace(" WITHOUT ROWID", "") + UNCOMPRESSED_POSTGRES,
            _ => TABLES.replace("UUID", "UUID_BLOB"),
        };
        database.execute_unprepared(&tables).await?;
        database.execute_unprepared(&append_only).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        database.execute_unprepared("DROP TABLE ledger_indexed; DROP TABLE ledger_subject; DROP TABLE ledger;").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            database.execute_unprepared("DROP FUNCTION ledger_append_only()").await?;
        }
        Ok(())
    }
}
