//! The list table: what an agency's list of children is read from, keyed by the agency and each order that it can be
//! asked for in. It follows from the record, and can be made again from it at any time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Keys of names are bytes, so that both databases order them alike.
const TABLE: &str = "
CREATE TABLE roster (agency_id UUID NOT NULL, child_id UUID NOT NULL REFERENCES child (id),
    open_relation TEXT NOT NULL, former_until BIGINT NOT NULL, ended_until BIGINT NOT NULL,
    protection TEXT NOT NULL, missing_until BIGINT NOT NULL,
    given_names BYTES, family_name BYTES, birth_date DATE, risk_date DATE, plan_review DATE,
    PRIMARY KEY (agency_id, child_id));
CREATE INDEX roster_family_name ON roster (agency_id, family_name, child_id);
CREATE INDEX roster_birth_date ON roster (agency_id, birth_date, child_id);
CREATE INDEX roster_risk_date ON roster (agency_id, risk_date, child_id);
CREATE INDEX roster_plan_review ON roster (agency_id, plan_review, child_id);
CREATE INDEX roster_child ON roster (child_id);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => TABLE.replace(" BYTES", " BYTEA"),
            _ => TABLE.replace(" BYTES", " BLOB").replace(" UUID ", " UUID_BLOB ").replace(" DATE,", " DATE_TEXT,"),
        };
        manager.get_connection().execute_unprepared(&sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("roster")).to_owned()).await
    }
}
