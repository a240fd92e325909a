//! History is written in the statement that has just changed its child, by an agency that a token names. On PostgreSQL it
//! holds no foreign keys: each row would lock the agency's, which all writers of that agency share. Its numbers come from
//! the child's, and are large.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: &str = "ALTER TABLE revision ALTER COLUMN number TYPE bigint, \
    DROP CONSTRAINT revision_child_id_fkey, DROP CONSTRAINT revision_agency_id_fkey";

const DOWN: &str = "ALTER TABLE revision \
    ADD CONSTRAINT revision_child_id_fkey FOREIGN KEY (child_id) REFERENCES child (id), \
    ADD CONSTRAINT revision_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agency (id)";

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    // SQLite's whole numbers have 64 bits whatever they are called, and its keys lock nothing.
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}
