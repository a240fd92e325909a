//! Handovers, deadlines, checklists and routines, what belongs to a missing episode, what is handed in, blocks, emergency
//! accesses, and the events that systems follow.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TEXT: ColumnType = ColumnType::Text;
const DATE: ColumnType = ColumnType::Date;
const BOOLEAN: ColumnType = ColumnType::Boolean;
const JSON: ColumnType = ColumnType::JsonBinary;
const UUID: ColumnType = ColumnType::Uuid;
const INSTANT: ColumnType = ColumnType::BigInteger;
const NUMBER: ColumnType = ColumnType::Integer;

type Columns = &'static [(&'static str, ColumnType)];

/// Name, columns (`!` = required), primary key, foreign keys.
type Plain = (&'static str, Columns, &'static [&'static str], &'static [(&'static str, &'static str)]);

#[rustfmt::skip]
const TABLES: [Plain; 11] = [
    (
        "handover",
        &[
            ("id!", UUID), ("child_id!", UUID), ("kind!", TEXT), ("moves!", TEXT), ("state!", TEXT),
            ("from_agency_id!", UUID), ("to_agency_id!", UUID), ("proposer_agency_id!", UUID), ("proposed_at!", INSTANT),
            ("proposed_by", TEXT), ("expected_at!", INSTANT), ("urgent!", BOOLEAN), ("details!", JSON),
            ("accepted_at", INSTANT), ("departed_at", INSTANT), ("arrived_at", INSTANT), ("overdue_at", INSTANT),
            ("ended_at", INSTANT), ("reason", TEXT), ("receipt", JSON),
        ],
        &["id"],
        &[
            ("child_id", "child"), ("from_agency_id", "agency"), ("to_agency_id", "agency"),
            ("proposer_agency_id", "agency"),
        ],
    ),
    (
        "deadline",
        &[
            ("id!", UUID), ("child_id!", UUID), ("about!", TEXT), ("about_id!", UUID), ("step!", TEXT),
            ("due_at!", INSTANT), ("lease_until", INSTANT), ("lease_by", UUID), ("attempts!", NUMBER),
            ("fired_at", INSTANT), ("cancelled_at", INSTANT),
        ],
        &["id"],
        &[("child_id", "child")],
    ),
    (
        "checklist_item",
        &[
            ("id!", UUID), ("child_id!", UUID), ("about!", TEXT), ("about_id!", UUID), ("position!", NUMBER),
            ("routine!", TEXT), ("key!", TEXT), ("moment!", TEXT), ("actor!", TEXT), ("sv!", TEXT), ("en!", TEXT),
            ("source!", TEXT), ("mandatory!", BOOLEAN), ("due_at", INSTANT), ("state!", TEXT), ("agency_id", UUID),
            ("done_at", INSTANT), ("done_by", UUID), ("done_user", TEXT), ("reason", TEXT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency"), ("done_by", "agency")],
    ),
    (
        "routine",
        &[
            ("county!", TEXT), ("version!", NUMBER), ("valid_from!", DATE), ("items!", JSON),
            ("published_at!", INSTANT), ("agency_id", UUID),
        ],
        &["county", "version"],
        &[("agency_id", "agency")],
    ),
    (
        "sighting",
        &[
            ("id!", UUID), ("child_id!", UUID), ("episode_id!", UUID), ("at!", INSTANT), ("seen_at", INSTANT),
            ("place", TEXT), ("text!", TEXT), ("agency_id!", UUID), ("user_ref", TEXT), ("submission_id", UUID),
        ],
        &["id"],
        &[("child_id", "child"), ("episode_id", "missing_episode"), ("agency_id", "agency")],
    ),
    (
        "follow_up",
        &[
            ("id!", UUID), ("child_id!", UUID), ("episode_id!", UUID), ("kind!", TEXT), ("done_on!", DATE),
            ("note", TEXT), ("at!", INSTANT), ("agency_id!", UUID), ("user_ref", TEXT),
        ],
        &["id"],
        &[("child_id", "child"), ("episode_id", "missing_episode"), ("agency_id", "agency")],
    ),
    (
        "agency_closure",
        &[
            ("id!", UUID), ("child_id!", UUID), ("episode_id!", UUID), ("at!", INSTANT), ("agency_id!", UUID),
            ("user_ref", TEXT), ("reason!", TEXT),
        ],
        &["id"],
        &[("child_id", "child"), ("episode_id", "missing_episode"), ("agency_id", "agency")],
    ),
    (
        "submission",
        &[
            ("id!", UUID), ("kind!", TEXT), ("at!", INSTANT), ("agency_id!", UUID), ("role!", TEXT),
            ("user_ref", TEXT), ("child_id", UUID), ("named!", JSON), ("municipality", TEXT), ("seen_at", INSTANT),
            ("place", TEXT), ("text!", TEXT), ("state!", TEXT), ("reason", TEXT), ("feedback", TEXT),
            ("decided_at", INSTANT), ("decided_by", UUID), ("decided_user", TEXT), ("matched_at", INSTANT), ("copy_of", UUID),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency"), ("decided_by", "agency"), ("copy_of", "submission")],
    ),
    (
        "block",
        &[
            ("id!", UUID), ("child_id!", UUID), ("agency_id!", UUID), ("by_agency_id!", UUID), ("user_ref", TEXT),
            ("reason!", TEXT), ("at!", INSTANT), ("lifted_at", INSTANT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency"), ("by_agency_id", "agency")],
    ),
    (
        "break_glass",
        &[
            ("id!", UUID), ("child_id", UUID), ("agency_id!", UUID), ("role!", TEXT), ("user_ref", TEXT),
            ("purpose!", TEXT), ("reason!", TEXT), ("opened_at!", INSTANT), ("until!", INSTANT),
            ("review_by!", INSTANT), ("reviewed_at", INSTANT), ("reviewed_by", UUID), ("reviewed_user", TEXT),
            ("verdict", TEXT), ("comment", TEXT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency"), ("reviewed_by", "agency")],
    ),
    (
        "event",
        &[
            ("child_id!", UUID), ("sequence!", INSTANT), ("at!", INSTANT), ("kind!", TEXT), ("fields!", JSON),
            ("about_id", UUID), ("agency_id", UUID), ("other_agency_id", UUID), ("number", INSTANT),
        ],
        &["child_id", "sequence"],
        &[("child_id", "child"), ("agency_id", "agency"), ("other_agency_id", "agency")],
    ),
];

/// What is told of a missing episode: columns that its table gets, and what they hold in the rows that are there.
#[rustfmt::skip]
const EPISODE: [(&str, ColumnType, Option<&str>); 19] = [
    ("state!", TEXT, Some("SEARCHING")),
    ("stamps!", JSON, Some("{}")),
    ("opened_by", UUID, None),
    ("last_seen_at", INSTANT, None),
    ("last_seen_place", TEXT, None),
    ("circumstances", TEXT, None),
    ("clothing", TEXT, None),
    ("police_number", TEXT, None),
    ("police_reference", TEXT, None),
    ("police_contact", TEXT, None),
    ("wanted_entry", BOOLEAN, None),
    ("police_assessment", TEXT, None),
    ("police_measures", TEXT, None),
    ("found_place", TEXT, None),
    ("found_condition", TEXT, None),
    ("located_at", INSTANT, None),
    ("closed_by", UUID, None),
    ("closed_reason", TEXT, None),
    ("reopens", UUID, None),
];

/// The municipality where the child arrived (F24): a column that `responsibility` gets.
const ARRIVAL: &str = "arrival_municipality";

const INDEXES: [&str; 27] = [
    "CREATE UNIQUE INDEX handover_one_open ON handover (child_id, moves) WHERE ended_at IS NULL",
    "CREATE INDEX handover_child ON handover (child_id)",
    "CREATE INDEX handover_from ON handover (from_agency_id, proposed_at, id)",
    "CREATE INDEX handover_overdue ON handover (overdue_at, id) WHERE overdue_at IS NOT NULL AND ended_at IS NULL",
    "CREATE INDEX handover_to ON handover (to_agency_id, proposed_at, id)",
    "CREATE INDEX handover_proposer ON handover (proposer_agency_id, proposed_at, id)",
    "CREATE UNIQUE INDEX deadline_step ON deadline (about_id, step)",
    "CREATE INDEX deadline_child ON deadline (child_id, due_at) WHERE fired_at IS NULL AND cancelled_at IS NULL",
    "CREATE INDEX deadline_due ON deadline (due_at, id) WHERE fired_at IS NULL AND cancelled_at IS NULL",
    "CREATE INDEX checklist_item_about ON checklist_item (about_id, position)",
    "CREATE INDEX checklist_item_child ON checklist_item (child_id)",
    "CREATE INDEX sighting_episode ON sighting (episode_id)",
    "CREATE INDEX sighting_child ON sighting (child_id)",
    "CREATE INDEX follow_up_child ON follow_up (child_id)",
    "CREATE UNIQUE INDEX follow_up_once ON follow_up (episode_id, kind)",
    "CREATE INDEX agency_closure_child ON agency_closure (child_id)",
    "CREATE INDEX submission_child ON submission (child_id, at, id)",
    "CREATE INDEX submission_agency ON submission (agency_id, at, id)",
    "CREATE INDEX submission_municipality ON submission (municipality, at, id) WHERE child_id IS NULL",
    "CREATE UNIQUE INDEX submission_copy ON submission (copy_of)",
    "CREATE INDEX submission_unmatched ON submission (at, id) WHERE matched_at IS NULL",
    "CREATE UNIQUE INDEX block_one_open ON block (child_id, agency_id) WHERE lifted_at IS NULL",
    "CREATE INDEX break_glass_child ON break_glass (child_id, agency_id, until)",
    "CREATE INDEX break_glass_agency ON break_glass (agency_id, opened_at)",
    "CREATE INDEX break_glass_opened ON break_glass (opened_at, id) WHERE child_id IS NOT NULL",
    "CREATE UNIQUE INDEX event_number ON event (number)",
    "CREATE INDEX event_agency ON event (agency_id, number) WHERE agency_id IS NOT NULL",
];

/// On PostgreSQL events are numbered after the commit, in the order in which they were written: of one child that is the
/// order of its changes. SQLite has one writer, which numbers them as it writes.
const POSITION: [&str; 2] = [
    "ALTER TABLE event ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY",
    "CREATE INDEX event_unnumbered ON event (position) WHERE number IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, kind, before) in EPISODE {
            let mut column = ColumnDef::new_with_type(Alias::new(name.trim_end_matches('!')), kind);
            if let Some(before) = before {
                column.not_null().default(before);
            }
            let altered = Table::alter().table(Alias::new("missing_episode")).add_column(&mut column).to_owned();
            manager.alter_table(altered).await?;
        }
        let mut arrival = ColumnDef::new_with_type(Alias::new(ARRIVAL), TEXT);
        manager
            .alter_table(Table::alter().table(Alias::new("responsibility")).add_column(&mut arrival).to_owned())
            .await?;
        for (name, columns, key, foreign) in &TABLES {
            manager.create_table(table(name, columns, key, foreign)).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
            for statement in POSITION {
                manager.get_connection().execute_unprepared(statement).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let responsibility =
            Table::alter().table(Alias::new("responsibility")).drop_column(Alias::new(ARRIVAL)).to_owned();
        manager.alter_table(responsibility).await?;
        for (name, ..) in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(Alias::new(*name)).to_owned()).await?;
        }
        for (name, ..) in EPISODE {
            let column = Alias::new(name.trim_end_matches('!'));
            let altered = Table::alter().table(Alias::new("missing_episode")).drop_column(column).to_owned();
            manager.alter_table(altered).await?;
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
