//! How often a child has changed: a change is decided on what was read, and made if the child is still as it was.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        database.execute_unprepared("ALTER TABLE child ADD COLUMN sequence bigint NOT NULL DEFAULT 0").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("ALTER TABLE child DROP COLUMN sequence").await?;
        Ok(())
    }
}
