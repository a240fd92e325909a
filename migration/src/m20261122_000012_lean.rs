//! What every change of a child goes through costs as little as can be. On PostgreSQL an event, which is written in the
//! statement that has just changed its child, holds no foreign keys, as history does not, and its keys are such as grow: the
//! change itself sees to it that a child has one event of each number. The child's row, which every change writes, has room
//! beside it, and the guard of the lead looks only at changes of what it guards.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const UP: [&str; 9] = [
    "ALTER TABLE event DROP CONSTRAINT event_child_id_fkey, DROP CONSTRAINT event_agency_id_fkey, \
        DROP CONSTRAINT event_other_agency_id_fkey",
    "ALTER TABLE event DROP CONSTRAINT event_pkey",
    "ALTER TABLE event ADD PRIMARY KEY (position)",
    "DROP INDEX event_number",
    "CREATE UNIQUE INDEX event_number ON event (number) WHERE number IS NOT NULL",
    "ALTER TABLE child SET (fillfactor = 75)",
    "DROP TRIGGER child_guard ON child",
    "CREATE TRIGGER child_guard BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION child_guard()",
    "CREATE TRIGGER child_guard_on BEFORE UPDATE ON child FOR EACH ROW
        WHEN ((OLD.id, OLD.registered_at, OLD.state, OLD.lead_agency_id, OLD.lead_since)
            IS DISTINCT FROM (NEW.id, NEW.registered_at, NEW.state, NEW.lead_agency_id, NEW.lead_since))
        EXECUTE FUNCTION child_guard()",
];

const DOWN: [&str; 9] = [
    "DROP TRIGGER child_guard_on ON child",
    "DROP TRIGGER child_guard ON child",
    "CREATE TRIGGER child_guard BEFORE INSERT OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION child_guard()",
    "ALTER TABLE child RESET (fillfactor)",
    "DROP INDEX event_number",
    "CREATE UNIQUE INDEX event_number ON event (number)",
    "ALTER TABLE event DROP CONSTRAINT event_pkey",
    "ALTER TABLE event ADD PRIMARY KEY (child_id, sequence)",
    "ALTER TABLE event ADD CONSTRAINT event_child_id_fkey FOREIGN KEY (child_id) REFERENCES child (id), \
        ADD CONSTRAINT event_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES agency (id), \
        ADD CONSTRAINT event_other_agency_id_fkey FOREIGN KEY (other_agency_id) REFERENCES agency (id)",
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
