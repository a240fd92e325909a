//! The shared record: agencies, children, what agencies are to them, and the sections.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TEXT: ColumnType = ColumnType::Text;
const DATE: ColumnType = ColumnType::Date;
const BOOLEAN: ColumnType = ColumnType::Boolean;
const JSON_BINARY: ColumnType = ColumnType::JsonBinary;
const UUID: ColumnType = ColumnType::Uuid;
const INSTANT: ColumnType = ColumnType::BigInteger;
const NUMBER: ColumnType = ColumnType::Integer;

/// The sections of the record: table, columns. Each has at most one row per child, but for
/// `placement`, which is a dated list.
const SECTIONS: [(&str, &[(&str, ColumnType)]); 13] = [
    (
        "identity",
        &[
            ("given_names", TEXT),
            ("family_name", TEXT),
            ("aliases", JSON_BINARY),
            ("birth_date", DATE),
            ("birth_date_claimed", DATE),
            ("sex", TEXT),
            ("citizenship", TEXT),
            ("stateless", BOOLEAN),
            ("languages", JSON_BINARY),
            ("interpreter_needed", BOOLEAN),
        ],
    ),
    (
        "protection",
        &[("protected", BOOLEAN), ("level", TEXT), ("decided_by", TEXT), ("decided_on", DATE), ("valid_until", DATE)],
    ),
    (
        "asylum",
        &[
            ("application_date", DATE),
            ("stage", TEXT),
            ("outcome", TEXT),
            ("served_on", DATE),
            ("appealed", BOOLEAN),
            ("final_on", DATE),
            ("decision_near_or_served", BOOLEAN),
            ("transfer_pending", BOOLEAN),
            ("transfer_state", TEXT),
            ("transfer_on", DATE),
            ("age_assessment_stage", TEXT),
            ("age_assessment_result", TEXT),
            ("transfer_or_age_assessment_open", BOOLEAN),
            ("counsel_name", TEXT),
            ("counsel_phone", TEXT),
            ("counsel_email", TEXT),
            ("return_phase", TEXT),
            ("return_lead", TEXT),
            ("return_planned_on", DATE),
        ],
    ),
    (
        "responsibility",
        &[
            ("assigned_municipality", TEXT),
            ("assignment_decision", TEXT),
            ("assigned_on", DATE),
            ("unit", TEXT),
            ("duty_phone", TEXT),
            ("case_worker_name", TEXT),
            ("case_worker_phone", TEXT),
            ("case_worker_email", TEXT),
        ],
    ),
    (
        "placement",
        &[
            ("type", TEXT),
            ("valid_from", DATE),
            ("unit_name", TEXT),
            ("unit_agency_id", UUID),
            ("operator_number", TEXT),
            ("street", TEXT),
            ("postal_code", TEXT),
            ("postal_town", TEXT),
            ("duty_phone", TEXT),
            ("legal_basis", TEXT),
            ("legal_basis_decided", BOOLEAN),
        ],
    ),
    (
        "guardianship",
        &[
            ("guardian_name", TEXT),
            ("guardian_phone", TEXT),
            ("guardian_email", TEXT),
            ("appointment_decision", TEXT),
            ("appointed_on", DATE),
            ("chief_guardian", TEXT),
            ("guardian_type", TEXT),
            ("valid_from", DATE),
            ("valid_to", DATE),
        ],
    ),
    (
        "health",
        &[
            ("assessment_offered_on", DATE),
            ("assessment_done_on", DATE),
            ("assessment_done", BOOLEAN),
            ("critical_needs", TEXT),
            ("self_harm_alert", BOOLEAN),
            ("self_harm_note", TEXT),
        ],
    ),
    ("schooling", &[("school_name", TEXT), ("contact_name", TEXT), ("contact_phone", TEXT), ("absent_since", DATE)]),
    (
        "network",
        &[
            ("phones", JSON_BINARY),
            ("accounts", JSON_BINARY),
            ("relatives", JSON_BINARY),
            ("likely_places", JSON_BINARY),
        ],
    ),
    ("voice", &[("wishes", TEXT), ("recorded_on", DATE)]),
    ("description", &[("appearance", TEXT), ("marks", TEXT), ("clothing", TEXT)]),
    (
        "risk",
        &[
            ("indicators", JSON_BINARY),
            ("exploitation", TEXT),
            ("exploitation_kind", TEXT),
            ("exploitation_suspected", BOOLEAN),
        ],
    ),
    ("safety_plan", &[("plan", TEXT), ("agreed_on", DATE), ("review_on", DATE), ("plan_exists", BOOLEAN)]),
];

/// Tables around the sections: name, columns (`!` = required), primary key, foreign keys.
struct Plain(
    &'static str,
    &'static [(&'static str, ColumnType)],
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const TABLES: [Plain; 8] = [
    Plain("setting", &[("key!", TEXT), ("value!", TEXT)], &["key"], &[]),
    Plain(
        "agency",
        &[
            ("id!", UUID),
            ("code!", TEXT),
            ("kind!", TEXT),
            ("name!", TEXT),
            ("organisation_number", TEXT),
            ("municipality", TEXT),
            ("county", TEXT),
        ],
        &["id"],
        &[],
    ),
    Plain(
        "child",
        &[("id!", UUID), ("subject!", UUID), ("lead_agency_id!", UUID), ("state!", TEXT), ("registered_at!", INSTANT)],
        &["id"],
        &[("lead_agency_id", "agency")],
    ),
    Plain(
        "involvement",
        &[
            ("id!", UUID),
            ("child_id!", UUID),
            ("agency_id!", UUID),
            ("unit", TEXT),
            ("kind!", TEXT),
            ("opened_at!", INSTANT),
            ("closed_at", INSTANT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency")],
    ),
    Plain(
        "identifier",
        &[
            ("id!", UUID),
            ("child_id!", UUID),
            ("kind!", TEXT),
            ("value!", TEXT),
            ("identity_level", TEXT),
            ("valid_from", DATE),
            ("valid_to", DATE),
            ("stamps!", JSON_BINARY),
        ],
        &["id"],
        &[("child_id", "child")],
    ),
    Plain(
        "missing_episode",
        &[("id!", UUID), ("child_id!", UUID), ("opened_at!", INSTANT), ("found_at", INSTANT), ("closed_at", INSTANT)],
        &["id"],
        &[("child_id", "child")],
    ),
    Plain(
        "consent",
        &[
            ("id!", UUID),
            ("child_id!", UUID),
            ("agency_id!", UUID),
            ("groups!", JSON_BINARY),
            ("given_by!", TEXT),
            ("valid_from!", INSTANT),
            ("valid_until!", INSTANT),
            ("withdrawn_at", INSTANT),
        ],
        &["id"],
        &[("child_id", "child"), ("agency_id", "agency")],
    ),
    Plain(
        "revision",
        &[
            ("child_id!", UUID),
            ("section!", TEXT),
            ("number!", NUMBER),
            ("at!", INSTANT),
            ("agency_id!", UUID),
            ("user_ref", TEXT),
            ("entry_id", UUID),
            ("changes!", JSON_BINARY),
        ],
        &["child_id", "section", "number"],
        &[("child_id", "child"), ("agency_id", "agency")],
    ),
];

/// Index name, table, columns, unique, condition.
type Index = (&'static str, &'static str, &'static [&'static str], bool, Option<&'static str>);

const INDEXES: [Index; 13] = [
    ("agency_code", "agency", &["code"], true, None),
    ("child_subject", "child", &["subject"], true, None),
    ("involvement_agency", "involvement", &["agency_id", "child_id"], false, None),
    ("involvement_child", "involvement", &["child_id"], false, None),
    ("involvement_one_lead", "involvement", &["child_id"], true, Some("kind = 'LEAD' AND closed_at IS NULL")),
    (
        "involvement_one_responsible",
        "involvement",
        &["child_id"],
        true,
        Some("kind = 'RESPONSIBLE' AND closed_at IS NULL"),
    ),
    (
        "involvement_one_whereabouts",
        "involvement",
        &["child_id"],
        true,
        Some("kind = 'WHEREABOUTS' AND closed_at IS NULL"),
    ),
    ("identifier_value", "identifier", &["kind", "value"], false, None),
    ("identifier_child", "identifier", &["child_id"], false, None),
    ("placement_child", "placement", &["child_id"], false, None),
    ("placement_one_current", "placement", &["child_id"], true, Some("valid_to IS NULL")),
    ("missing_episode_one_open", "missing_episode", &["child_id"], true, Some("closed_at IS NULL")),
    ("consent_agency", "consent", &["agency_id", "child_id"], false, None),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for Plain(name, columns, key, foreign) in &TABLES {
            manager.create_table(table(name, columns, key, foreign)).await?;
        }
        for (name, columns) in &SECTIONS {
            let mut all = vec![("child_id!", UUID), ("stamps!", JSON_BINARY)];
            if *name == "placement" {
                all.extend([("id!", UUID), ("valid_to", DATE)]);
            }
            all.extend(columns.iter().cloned());
            let key: &[&str] = if *name == "placement" { &["id"] } else { &["child_id"] };
            manager.create_table(table(name, &all, key, &[("child_id", "child")])).await?;
        }
        for (name, table, columns, unique, condition) in INDEXES {
            manager.get_connection().execute_unprepared(&index(name, table, columns, unique, condition)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sections = SECTIONS.iter().rev().map(|(name, _)| *name);
        for name in sections.chain(TABLES.iter().rev().map(|table| table.0)) {
            manager.drop_table(Table::drop().table(Alias::new(name)).to_owned()).await?;
        }
        Ok(())
    }
}

fn table(name: &str, columns: &[(&str, ColumnType)], key: &[&str], foreign: &[(&str, &str)]) -> TableCreateStatement {
    let mut table = Table::create().table(Alias::new(name)).to_owned();
    for (column, kind) in columns {
        let mut definition = ColumnDef::new_with_type(Alias::new(column.trim_end_matches('!')), kind.clone());
        if column.ends_with('!') {
            definition.not_null();
        }
        table.col(&mut definition);
    }
    let mut primary = sea_orm_migration::prelude::Index::create();
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

fn index(name: &str, table: &str, columns: &[&str], unique: bool, condition: Option<&str>) -> String {
    let unique = if unique { "UNIQUE " } else { "" };
    let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    format!("CREATE {unique}INDEX {name} ON {table} ({}){condition}", columns.join(", "))
}
