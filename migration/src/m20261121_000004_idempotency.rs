//! The keys under which callers repeat their changes, and what came of them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// `holder` stands for the client and its key, `field` for the root field of the document, `request` for all that was
/// asked: none of them can be read. A key's own row has the empty `field` and no `outcome`: it makes one request of a
/// key, whichever of its fields comes first.
const TABLE: &str = "
CREATE TABLE idempotency (agency_id UUID NOT NULL, holder TEXT NOT NULL, field TEXT NOT NULL, request TEXT NOT NULL,
    outcome TEXT, at BIGINT NOT NULL, PRIMARY KEY (agency_id, holder, field));
CREATE INDEX idempotency_at ON idempotency (at) WHERE field = '';
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = match manager.get_database_backend() {
            DbBackend::Postgres => TABLE.to_owned(),
            _ => TABLE.replace("UUID", "UUID_BLOB"),
        };
        manager.get_connection().execute_unprepared(&table).await.map(|_| ())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE idempotency").await.map(|_| ())
    }
}
