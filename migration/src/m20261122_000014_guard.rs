//! The guard of the lead looks at a change of what it guards once the change is made. On PostgreSQL a trigger that may stop
//! a row before it is written locks that row first, at every change of it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: [&str; 2] = [
    "DROP TRIGGER child_guard_on ON child",
    "CREATE TRIGGER child_guard_on AFTER UPDATE OF id, registered_at, state, lead_agency_id, lead_since ON child
        FOR EACH ROW EXECUTE FUNCTION child_guard()",
];

const DOWN: [&str; 2] = [
    "DROP TRIGGER child_guard_on ON child",
    "CREATE TRIGGER child_guard_on BEFORE UPDATE ON child FOR EACH ROW
        WHEN ((OLD.id, OLD.registered_at, OLD.state, OLD.lead_agency_id, OLD.lead_since)
            IS DISTINCT FROM (NEW.id, NEW.registered_at, NEW.state, NEW.lead_agency_id, NEW.lead_since))
        EXECUTE FUNCTION child_guard()",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::on_postgres(manager, &UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::on_postgres(manager, &DOWN).await
    }
}
