//! What the database itself keeps, whoever writes: at every instant from its registration on a child has exactly one lead, and at
//! most one agency is legally responsible for it; none of that history changes afterwards.
//!
//! The lead is a fact of the child's row (`lead_agency_id` since `lead_since`); its rows in `involvement` are made here and
//! nowhere else: one with the child, and with each move of the lead one is closed and the next opened, at the same instant.
//! Responsibility begins with a row and ends with its `closed_at`; no two periods of a child overlap.
//! A child that is erased (`state = 'ERASED'`, for good) is on its way out: only then its ties may be deleted.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMN: &str = "ALTER TABLE child ADD COLUMN lead_since BIGINT NOT NULL DEFAULT 0";

const FILL: &str = "UPDATE child SET lead_since = COALESCE((SELECT i.opened_at FROM involvement i WHERE i.child_id = child.id \
    AND i.kind = 'LEAD' AND i.closed_at IS NULL), registered_at)";

/// Each change of a period touches the child's row: so two at the same time wait for each other, or fail, at every isolation level.
const POSTGRES: [&str; 10] = [
    "CREATE FUNCTION child_guard() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF TG_OP = 'INSERT' THEN
         IF NEW.lead_since <> NEW.registered_at THEN
           RAISE EXCEPTION 'a child is led from its registration on' USING ERRCODE = '23514', CONSTRAINT = 'child_guard';
         END IF;
         RETURN NEW;
       END IF;
       IF NEW.id <> OLD.id OR NEW.registered_at <> OLD.registered_at
         OR (OLD.state = 'ERASED' AND NEW.state <> 'ERASED')
         OR (NEW.lead_agency_id <> OLD.lead_agency_id) <> (NEW.lead_since <> OLD.lead_since)
         OR NEW.lead_since < OLD.lead_since THEN
         RAISE EXCEPTION 'the lead moves with its instant, and forward' USING ERRCODE = '23514', CONSTRAINT = 'child_guard';
       END IF;
       RETURN NEW;
     END $$",
    "CREATE FUNCTION child_leads() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF TG_OP = 'UPDATE' THEN
         IF NEW.lead_since = OLD.lead_since THEN
           RETURN NULL;
         END IF;
         UPDATE involvement SET closed_at = NEW.lead_since
           WHERE child_id = NEW.id AND kind = 'LEAD' AND closed_at IS NULL;
       END IF;
       INSERT INTO involvement (id, child_id, agency_id, kind, opened_at)
         VALUES (gen_random_uuid(), NEW.id, NEW.lead_agency_id, 'LEAD', NEW.lead_since);
       RETURN NULL;
     END $$",
    "CREATE FUNCTION involvement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
     DECLARE
       guarded CONSTANT text[] := ARRAY['LEAD', 'RESPONSIBLE'];
       fits boolean;
     BEGIN
       IF TG_OP = 'DELETE' THEN
         IF OLD.kind <> ALL (guarded) THEN
           RETURN OLD;
         END IF;
         SELECT count(*) = 0 INTO fits FROM child WHERE id = OLD.child_id AND state <> 'ERASED';
       ELSIF TG_OP = 'INSERT' THEN
         IF NEW.kind <> ALL (guarded) THEN
           RETURN NEW;
         END IF;
         IF NEW.kind = 'LEAD' THEN
           SELECT count(*) = 1 INTO fits FROM child WHERE id = NEW.child_id AND lead_agency_id = NEW.agency_id
             AND lead_since = NEW.opened_at AND NEW.closed_at IS NULL;
         ELSE
           UPDATE child SET registered_at = registered_at WHERE id = NEW.child_id;
           SELECT count(*) = 0 AND COALESCE(NEW.closed_at >= NEW.opened_at, true) INTO fits FROM involvement r
             WHERE r.child_id = NEW.child_id AND r.kind = 'RESPONSIBLE'
             AND (r.closed_at IS NULL OR r.closed_at > NEW.opened_at)
             AND (NEW.closed_at IS NULL OR r.opened_at < NEW.closed_at);
         END IF;
       ELSE
         IF NEW.id <> OLD.id THEN
           fits := false;
         ELSIF OLD.kind <> ALL (guarded) AND NEW.kind <> ALL (guarded) THEN
           RETURN NEW;
         ELSIF (NEW.child_id, NEW.agency_id, NEW.kind, NEW.opened_at)
           <> (OLD.child_id, OLD.agency_id, OLD.kind, OLD.opened_at) THEN
           fits := false;
         ELSIF NEW.closed_at IS NOT DISTINCT FROM OLD.closed_at THEN
           fits := true;
         ELSIF OLD.closed_at IS NOT NULL THEN
           fits := false;
         ELSIF OLD.kind = 'LEAD' THEN
           SELECT count(*) = 1 AND NEW.closed_at > OLD.opened_at INTO fits FROM child
             WHERE id = OLD.child_id AND lead_since = NEW.closed_at;
         ELSE
           UPDATE child SET registered_at = registered_at WHERE id = OLD.child_id;
           fits := NEW.closed_at >= OLD.opened_at;
         END IF;
       END IF;
       IF fits IS NOT TRUE THEN
         RAISE EXCEPTION 'lead and responsibility neither overlap nor vanish'
           USING ERRCODE = '23514', CONSTRAINT = 'involvement_guard';
       END IF;
       IF TG_OP = 'DELETE' THEN
         RETURN OLD;
       END IF;
       RETURN NEW;
     END $$",
    "CREATE FUNCTION involvement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT 1 FROM involvement WHERE kind IN ('LEAD', 'RESPONSIBLE')) THEN
         RAISE EXCEPTION 'lead and responsibility do not vanish'
           USING ERRCODE = '23514', CONSTRAINT = 'involvement_guard';
       END IF;
       RETURN NULL;
     END $$",
    "CREATE TRIGGER child_guard BEFORE INSERT OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION child_guard()",
    "CREATE TRIGGER child_leads AFTER INSERT ON child FOR EACH ROW EXECUTE FUNCTION child_leads()",
    "CREATE TRIGGER child_leads_on AFTER UPDATE OF lead_agency_id, lead_since ON child
       FOR EACH ROW EXECUTE FUNCTION child_leads()",
    "CREATE TRIGGER involvement_guard BEFORE INSERT OR UPDATE OR DELETE ON involvement
       FOR EACH ROW EXECUTE FUNCTION involvement_guard()",
    "CREATE TRIGGER involvement_stays BEFORE TRUNCATE ON involvement
       FOR EACH STATEMENT EXECUTE FUNCTION involvement_stays()",
    "ALTER TABLE child ALTER COLUMN lead_since DROP DEFAULT",
];

const POSTGRES_DOWN: [&str; 9] = [
    "DROP TRIGGER involvement_stays ON involvement",
    "DROP TRIGGER involvement_guard ON involvement",
    "DROP TRIGGER child_leads_on ON child",
    "DROP TRIGGER child_leads ON child",
    "DROP TRIGGER child_guard ON child",
    "DROP FUNCTION involvement_stays",
    "DROP FUNCTION involvement_guard",
    "DROP FUNCTION child_leads",
    "DROP FUNCTION child_guard",
];

/// `REPLACE` deletes what is in its way without firing a trigger, and imposes itself on what a trigger writes: so nothing
/// may be in its way.
const SQLITE: [&str; 9] = [
    "CREATE TRIGGER child_guard_insert BEFORE INSERT ON child
     WHEN NEW.lead_since IS NOT NEW.registered_at OR EXISTS (SELECT 1 FROM child WHERE id = NEW.id OR subject = NEW.subject)
     BEGIN SELECT RAISE(ABORT, 'a child is led from its registration on'); END",
    "CREATE TRIGGER child_guard_update BEFORE UPDATE ON child
     WHEN NEW.id IS NOT OLD.id OR NEW.registered_at IS NOT OLD.registered_at
       OR (OLD.state = 'ERASED' AND NEW.state <> 'ERASED')
       OR (NEW.lead_agency_id IS NOT OLD.lead_agency_id) <> (NEW.lead_since IS NOT OLD.lead_since)
       OR NEW.lead_since < OLD.lead_since
     BEGIN SELECT RAISE(ABORT, 'the lead moves with its instant, and forward'); END",
    "CREATE TRIGGER child_leads AFTER INSERT ON child
     BEGIN
       INSERT INTO involvement (id, child_id, agency_id, kind, opened_at)
         VALUES (randomblob(16), NEW.id, NEW.lead_agency_id, 'LEAD', NEW.lead_since);
     END",
    "CREATE TRIGGER child_leads_on AFTER UPDATE OF lead_agency_id, lead_since ON child
     WHEN NEW.lead_since <> OLD.lead_since
     BEGIN
       UPDATE involvement SET closed_at = NEW.lead_since
         WHERE child_id = NEW.id AND kind = 'LEAD' AND closed_at IS NULL;
       INSERT INTO involvement (id, child_id, agency_id, kind, opened_at)
         VALUES (randomblob(16), NEW.id, NEW.lead_agency_id, 'LEAD', NEW.lead_since);
     END",
    "CREATE TRIGGER involvement_guard_replace BEFORE INSERT ON involvement
     WHEN EXISTS (SELECT 1 FROM involvement WHERE id = NEW.id)
     BEGIN SELECT RAISE(ABORT, 'lead and responsibility do not vanish'); END",
    "CREATE TRIGGER involvement_guard_lead BEFORE INSERT ON involvement
     WHEN NEW.kind = 'LEAD' AND (NEW.closed_at IS NOT NULL
       OR NOT EXISTS (SELECT 1 FROM child WHERE id = NEW.child_id AND lead_agency_id = NEW.agency_id
         AND lead_since = NEW.opened_at)
       OR EXISTS (SELECT 1 FROM involvement WHERE child_id = NEW.child_id AND kind = 'LEAD' AND closed_at IS NULL))
     BEGIN SELECT RAISE(ABORT, 'the lead moves with the row of its child'); END",
    "CREATE TRIGGER involvement_guard_responsible BEFORE INSERT ON involvement
     WHEN NEW.kind = 'RESPONSIBLE' AND (NEW.closed_at < NEW.opened_at
       OR EXISTS (SELECT 1 FROM involvement r WHERE r.child_id = NEW.child_id AND r.kind = 'RESPONSIBLE'
         AND (r.closed_at IS NULL OR r.closed_at > NEW.opened_at)
         AND (NEW.closed_at IS NULL OR r.opened_at < NEW.closed_at)))
     BEGIN SELECT RAISE(ABORT, 'no two are responsible at the same time'); END",
    "CREATE TRIGGER involvement_guard_update BEFORE UPDATE ON involvement
     WHEN NEW.id IS NOT OLD.id OR ((OLD.kind IN ('LEAD', 'RESPONSIBLE') OR NEW.kind IN ('LEAD', 'RESPONSIBLE')) AND NOT (
       NEW.child_id = OLD.child_id AND NEW.agency_id = OLD.agency_id AND NEW.kind = OLD.kind
       AND NEW.opened_at = OLD.opened_at AND (
         NEW.closed_at IS OLD.closed_at
         OR (OLD.closed_at IS NULL AND OLD.kind = 'RESPONSIBLE' AND NEW.closed_at >= OLD.opened_at)
         OR (OLD.closed_at IS NULL AND OLD.kind = 'LEAD' AND NEW.closed_at > OLD.opened_at
           AND EXISTS (SELECT 1 FROM child WHERE id = OLD.child_id AND lead_since = NEW.closed_at)))))
     BEGIN SELECT RAISE(ABORT, 'lead and responsibility neither overlap nor vanish'); END",
    "CREATE TRIGGER involvement_guard_delete BEFORE DELETE ON involvement
     WHEN OLD.kind IN ('LEAD', 'RESPONSIBLE')
       AND EXISTS (SELECT 1 FROM child WHERE id = OLD.child_id AND state <> 'ERASED')
     BEGIN SELECT RAISE(ABORT, 'lead and responsibility do not vanish'); END",
];

const SQLITE_DOWN: [&str; 9] = [
    "DROP TRIGGER involvement_guard_delete",
    "DROP TRIGGER involvement_guard_update",
    "DROP TRIGGER involvement_guard_responsible",
    "DROP TRIGGER involvement_guard_lead",
    "DROP TRIGGER involvement_guard_replace",
    "DROP TRIGGER child_leads_on",
    "DROP TRIGGER child_leads",
    "DROP TRIGGER child_guard_update",
    "DROP TRIGGER child_guard_insert",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        let guards: &[&str] = match manager.get_database_backend() {
            DbBackend::Sqlite => &SQLITE,
            _ => &POSTGRES,
        };
        for sql in [COLUMN, FILL].iter().chain(guards) {
            database.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        let guards: &[&str] = match manager.get_database_backend() {
            DbBackend::Sqlite => &SQLITE_DOWN,
            _ => &POSTGRES_DOWN,
        };
        for sql in guards.iter().chain(&["ALTER TABLE child DROP COLUMN lead_since"]) {
            database.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
