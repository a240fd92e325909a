//! Putting a sandbox back, in one transaction: whoever reads meanwhile sees the old world or the new one, whole.

use super::columns::name;
use super::event::SEQUENCER;
use super::{Store, seed};
use crate::error::DatabaseError;
use crate::world::MadeUpChild;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend};

/// The tables of the record and of what follows from it, in an order that keeps the foreign keys. All others stay: what the hub
/// is (`agency`, `setting`), and the access log with its index.
pub(super) const TABLES: [&str; 36] = [
    "idempotency",
    "roster",
    "lookup",
    "event",
    "deadline",
    "checklist_item",
    "handover",
    "sighting",
    "follow_up",
    "agency_closure",
    "submission",
    "block",
    "break_glass",
    "routine",
    "suggestion_field",
    "suggestion",
    "photo",
    "revision",
    "consent",
    "identifier",
    "identity",
    "protection",
    "asylum",
    "responsibility",
    "placement",
    "guardianship",
    "health",
    "schooling",
    "network",
    "voice",
    "description",
    "risk",
    "safety_plan",
    "missing_episode",
    "involvement",
    "child",
];

/// How often it is tried where a change that is under way holds what is to go.
const ATTEMPTS: usize = 3;

impl Store {
    /// Removes every child and all that followed from it, and writes these.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]; then everything is as it was.
    pub(crate) async fn reset(&self, children: &[MadeUpChild], now: i64) -> Result<(), DatabaseError> {
        let mut attempt = 1;
        loop {
            match self.reset_once(children, now).await {
                Err(error) if attempt < ATTEMPTS => {
                    tracing::info!(%error, attempt, "the world could not be put back, and is tried again");
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn reset_once(&self, children: &[MadeUpChild], now: i64) -> Result<(), DatabaseError> {
        let transaction = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            // Every change of a child writes its row, and every new row about one locks it: they wait, or are waited for.
            transaction.execute_unprepared("LOCK TABLE child IN EXCLUSIVE MODE").await?;
            // No event is numbered while the last number is looked for.
            transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({SEQUENCER})")).await?;
        }
        let last = Last::of(&transaction).await?;
        // The guards let the ties of a child go that is on its way out, and of no other.
        let mut erase = Query::update();
        erase.table(name("child")).value(name("state"), "ERASED");
        transaction.execute(&erase).await?;
        for table in TABLES {
            transaction.execute(Query::delete().from_table(name(table))).await?;
        }
        seed::insert(&transaction, children.to_vec(), now).await?;
        last.keep(&transaction, children, now).await?;
        Ok(transaction.commit().await?)
    }
}

/// How far the world had come that goes.
struct Last {
    sequence: i64,
    epoch: i64,
    event: i64,
}

impl Last {
    async fn of(transaction: &DatabaseTransaction) -> Result<Last, DatabaseError> {
        let largest = async |table: &'static str, column: &'static str| {
            let mut query = Query::select();
            query.expr(Expr::col(name(column)).max().if_null(0_i64)).from(name(table));
            let row = transaction.query_one(&query).await?;
            Ok::<i64, DatabaseError>(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
        };
        Ok(Last {
            sequence: largest("child", "sequence").await?,
            epoch: largest("child", "epoch").await?,
            event: largest("event", "number").await?,
        })
    }

    /// Goes on from there: what was decided in the old world fits no child of the new one, and whoever follows the changes misses
    /// none of those to come.
    async fn keep(
        self,
        transaction: &DatabaseTransaction,
        children: &[MadeUpChild],
        now: i64,
    ) -> Result<(), DatabaseError> {
        let Last { sequence, epoch, event } = self;
        let mut go_on = Query::update();
        go_on.table(name("child")).value(name("sequence"), sequence + 1).value(name("epoch"), epoch + 1);
        transaction.execute(&go_on).await?;
        let Some(first) = children.first().filter(|_| event > 0) else { return Ok(()) };
        // An event of no field is told to nobody; it holds the number after the last.
        let mut hold = Query::insert();
        hold.into_table(name("event"))
            .columns(["child_id", "sequence", "at", "kind", "fields", "number"].map(name))
            .values_panic([
                Expr::val(first.id.0),
                Expr::val(sequence + 1),
                Expr::val(now),
                Expr::val(crate::feed::EventKind::SectionChanged.code()),
                Expr::val(crate::feed::Places::default().to_json()),
                Expr::val(event + 1),
            ]);
        transaction.execute(&hold).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::Statement;

    /// A new table must be put back with the rest, or be said to stay.
    #[tokio::test]
    async fn every_table_is_put_back_or_stays() {
        const STAY: [&str; 6] = ["agency", "ledger", "ledger_indexed", "ledger_subject", "seaql_migrations", "setting"];
        let file = std::env::temp_dir().join(format!("samverka-reset-{}.db", std::process::id()));
        let store = Store::connect(&format!("sqlite:{}", file.display()), true).await.expect("a store");
        store.migrate_up().await.expect("a schema");
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
        let rows = store.writer.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.expect("reads");
        let there: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect();
        let mut known: Vec<&str> = TABLES.into_iter().chain(STAY).collect();
        known.sort_unstable();
        assert_eq!(there, known, "name the new table in TABLES, or in STAY");
        store.close().await;
        for suffix in ["", "-wal", "-shm"] {
            _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
        }
    }
}
