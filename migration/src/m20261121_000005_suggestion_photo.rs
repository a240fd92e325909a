//! Suggested corrections, and the photo of a child.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TEXT: ColumnType = ColumnType::Text;
const JSON_BINARY: ColumnType = ColumnType::JsonBinary;
const UUID: ColumnType = ColumnType::Uuid;
const INSTANT: ColumnType = ColumnType::BigInteger;

type Columns = &'static [(&'static str, ColumnType)];

/// Name, columns (`!` = required), primary key, foreign keys.
type Plain = (&'static str, Columns, &'static [&'static str], &'static [(&'static str, &'static str)]);

const TABLES: [Plain; 3] = [
    (
        "suggestion",
        &[
            ("id!", UUID),
            ("child_id!", UUID),
            ("section!", TEXT),
            ("entry_id", UUID),
            ("at!", INSTANT),
            ("agency_id!", UUID),
            ("role!", TEXT),
            ("user_ref", TEXT),
            ("comment", TEXT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency")],
    ),
    (
        "suggestion_field",
        &[
            ("suggestion_id!", UUID),
            ("field!", TEXT),
            ("change!", TEXT),
            ("value", JSON_BINARY),
            ("state!", TEXT),
            ("decided_at", INSTANT),
            ("decided_by", UUID),
            ("decided_user", TEXT),
            ("reason", TEXT),
        ],
        &["suggestion_id", "field"],
        &[("suggestion_id", "suggestion"), ("decided_by", "agency")],
    ),
    (
        "photo",
        &[("id!", UUID), ("child_id!", UUID), ("type!", TEXT), ("bytes!", ColumnType::Blob)],
        &["id"],
        &[("child_id", "child")],
    ),
];

/// Columns that tables of before get: which agency suggested a write, and what is told of the photo.
const COLUMNS: [(&str, &str, ColumnType); 2] =
    [("revision", "suggested_by", UUID), ("description", "photo", JSON_BINARY)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns, key, foreign) in &TABLES {
            manager.create_table(table(name, columns, key, foreign)).await?;
        }
        for (table, column, kind) in COLUMNS {
            let mut added = ColumnDef::new_with_type(Alias::new(column), kind);
            manager.alter_table(Table::alter().table(Alias::new(table)).add_column(&mut added).to_owned()).await?;
        }
        let database = manager.get_connection();
        database.execute_unprepared("CREATE INDEX suggestion_child ON suggestion (child_id, at, id)").await?;
        database.execute_unprepared("CREATE INDEX photo_child ON photo (child_id)").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column, _) in COLUMNS {
            let dropped = Table::alter().table(Alias::new(table)).drop_column(Alias::new(column)).to_owned();
            manager.alter_table(dropped).await?;
        }
        for name in ["photo", "suggestion_field", "suggestion"] {
            manager.drop_table(Table::drop().table(Alias::new(name)).to_owned()).await?;
        }
        Ok(())
    }
}

fn table(name: &str, columns: Columns, key: &[&str], foreign: &[(&str, &str)]) -> TableCreateStatement {
    let mut table = Table::create().table(Alias::new(name)).to_owned();
    for (column, kind) in columns {
        let mut definition = ColumnDef::new_with_type(Alias::new(column.trim_end_matches('!')), kind.clone());
        if column.ends_with('!') {
            definition.not_null();
        }
        table.col(&mut definition);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(Alias::new(*column));
    }
    table.primary_key(&mut primary);
    for (column, target) in foreign {
        table.foreign_key(
            ForeignKey::create().from(Alias::new(name), Alias::new(*column)).to(Alias::new(*target), Alias::new("id")),
        );
    }
    table
}
