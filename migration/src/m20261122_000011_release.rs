//! What the last check before an answer compares (`child.epoch`), what is told of a consent, and who looked at a missing child.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

const CONSENT: [(&str, ColumnType); 4] = [
    ("giver", ColumnType::Text),
    ("purpose", ColumnType::Text),
    ("recorded_by", ColumnType::Uuid),
    ("user_ref", ColumnType::Text),
];

const LOOKUP: &str =
    "CREATE TABLE lookup (child_id UUID NOT NULL REFERENCES child (id), agency_id UUID NOT NULL REFERENCES agency (id),
    hour BIGINT NOT NULL, role TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (child_id, agency_id, hour))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut epoch = ColumnDef::new_with_type(Alias::new("epoch"), ColumnType::BigInteger);
        epoch.not_null().default(0);
        manager.alter_table(Table::alter().table(Alias::new("child")).add_column(&mut epoch).to_owned()).await?;
        for (name, kind) in CONSENT {
            let mut column = ColumnDef::new_with_type(Alias::new(name), kind);
            manager.alter_table(Table::alter().table(Alias::new("consent")).add_column(&mut column).to_owned()).await?;
        }
        let lookup = match manager.get_database_backend() {
            DbBackend::Postgres => LOOKUP.to_owned(),
            _ => LOOKUP.replace("UUID", "UUID_BLOB"),
        };
        manager.get_connection().execute_unprepared(&lookup).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("lookup")).to_owned()).await?;
        for (table, column) in CONSENT.iter().map(|(column, _)| ("consent", *column)).chain([("child", "epoch")]) {
            let altered = Table::alter().table(Alias::new(table)).drop_column(Alias::new(column)).to_owned();
            manager.alter_table(altered).await?;
        }
        Ok(())
    }
}
