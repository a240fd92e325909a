//! Migrations: they expand first, and contract in a later release. A migration, once released, does
//! not follow the code.

use sea_orm_migration::prelude::*;
use sea_orm_migration::{Migration, MigrationStatus, sea_orm};

pub use sea_orm_migration::migrator::MigratorTrait as Steps;

mod m20261121_000001_record;
mod m20261121_000002_ledger;
mod m20261121_000003_roster;
mod m20261121_000004_idempotency;
mod m20261121_000005_suggestion_photo;
mod m20261121_000006_missing_episode;
mod m20261122_000007_child_sequence;
mod m20261122_000008_history;
mod m20261122_000009_protocols;
mod m20261122_000010_guards;
mod m20261122_000011_release;
mod m20261122_000012_lean;
mod m20261122_000013_about;
mod m20261122_000014_guard;

/// Every migration, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_record::Migration),
            Box::new(m20261121_000002_ledger::Migration),
            Box::new(m20261121_000003_roster::Migration),
            Box::new(m20261121_000004_idempotency::Migration),
            Box::new(m20261121_000005_suggestion_photo::Migration),
            Box::new(m20261121_000006_missing_episode::Migration),
            Box::new(m20261122_000007_child_sequence::Migration),
            Box::new(m20261122_000008_history::Migration),
            Box::new(m20261122_000009_protocols::Migration),
            Box::new(m20261122_000010_guards::Migration),
            Box::new(m20261122_000011_release::Migration),
            Box::new(m20261122_000012_lean::Migration),
            Box::new(m20261122_000013_about::Migration),
            Box::new(m20261122_000014_guard::Migration),
        ]
    }
}

/// Runs what is of PostgreSQL alone, in this order.
async fn on_postgres(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    if manager.get_database_backend() == sea_orm::DbBackend::Postgres {
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
    }
    Ok(())
}

/// The migrations by name, and whether each is applied.
pub async fn status(database: &sea_orm::DatabaseConnection) -> Result<Vec<(String, bool)>, DbErr> {
    let migrations = Migrator::get_migration_with_status(database).await?;
    let applied = |m: &Migration| (m.name().to_owned(), m.status() == MigrationStatus::Applied);
    Ok(migrations.iter().map(applied).collect())
}
