//! A world put into a database, behind the hub's back, in one go.

use super::world::{Agencies, Number, Placement, Record, Revision, Row, Stamp, Suggested, Suggestion, World};
use crate::harness::{Hub, Kind, START};
use data_encoding::{BASE32_DNSSEC, HEXLOWER};
use samverka_domain::catalogue::{Kind as FieldKind, Section, Value};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;
use uuid::Uuid;

/// The tables that hold a world; those that others point to come last. What was handed in is matched behind the answers, maybe
/// just now: what that adds while the first deletion waits for it is gone with the second.
const TABLES: [&str; 31] = [
    "sighting",
    "submission",
    "submission",
    "event",
    "lookup",
    "deadline",
    "block",
    "break_glass",
    "roster",
    "suggestion_field",
    "suggestion",
    "photo",
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
    "involvement",
    "identifier",
    "missing_episode",
    "consent",
    "revision",
    "child",
];

/// The id that an agency's own id stands for.
pub fn uuid_of(id: &str) -> Uuid {
    let (_, rest) = id.split_once('_').expect("a typed id");
    Uuid::from_slice(&BASE32_DNSSEC.decode(rest.as_bytes()).expect("an id")).expect("an id")
}

/// Makes the world the only one in the database.
pub async fn plant(hub: &Hub, world: &World, agencies: &Agencies) {
    let mut script = Script { sql: "BEGIN;\n".to_owned(), kind: hub.database.kind, agencies, rows: 0 };
    for table in TABLES {
        _ = writeln!(script.sql, "DELETE FROM {table};");
    }
    for record in world.iter().flatten() {
        script.record(record);
    }
    script.sql.push_str("COMMIT;");
    hub.sql(&script.sql).await;
}

/// A value in a statement.
enum Literal {
    Id(Uuid),
    Text(String),
    Whole(i64),
    Yes(bool),
    Null,
}

impl From<Uuid> for Literal {
    fn from(id: Uuid) -> Self {
        Literal::Id(id)
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Literal::Text(text.to_owned())
    }
}

impl From<i64> for Literal {
    fn from(whole: i64) -> Self {
        Literal::Whole(whole)
    }
}

impl From<&Json> for Literal {
    fn from(json: &Json) -> Self {
        Literal::Text(json.to_string())
    }
}

impl<T: Into<Literal>> From<Option<T>> for Literal {
    fn from(value: Option<T>) -> Self {
        value.map_or(Literal::Null, Into::into)
    }
}

struct Script<'a> {
    sql: String,
    kind: Kind,
    agencies: &'a Agencies,
    rows: u64,
}

impl Script<'_> {
    fn insert(&mut self, table: &str, columns: &[(&str, Literal)]) {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<String> = columns.iter().map(|(_, value)| self.literal(value)).collect();
        _ = writeln!(self.sql, "INSERT INTO {table} (\"{}\") VALUES ({});", names.join("\", \""), values.join(", "));
    }

    fn literal(&self, value: &Literal) -> String {
        match (value, self.kind) {
            (Literal::Id(id), Kind::Sqlite) => format!("X'{}'", HEXLOWER.encode(id.as_bytes())),
            (Literal::Id(id), Kind::Postgres) => format!("'{id}'"),
            (Literal::Text(text), _) => format!("'{}'", text.replace('\'', "''")),
            (Literal::Whole(whole), _) => whole.to_string(),
            (Literal::Yes(yes), _) => yes.to_string(),
            (Literal::Null, _) => "NULL".to_owned(),
        }
    }

    /// The id of a row that nobody is told.
    fn row(&mut self) -> Literal {
        self.rows += 1;
        Literal::Id(Uuid::from_u64_pair(0xface_0000_0000_4000, 1 << 63 | self.rows))
    }

    fn agency(&self, code: &str) -> Literal {
        Literal::Id(uuid_of(&self.agencies[code]))
    }

    fn record(&mut self, record: &Record) {
        let child = || Literal::Id(record.id);
        let lead = self.agency(record.lead);
        self.insert(
            "child",
            &[
                ("id", child()),
                ("subject", record.subject.into()),
                ("lead_agency_id", lead),
                ("state", "ACTIVE".into()),
                ("registered_at", record.registered_at.into()),
            ],
        );
        let open = [(record.lead, "LEAD", None)].into_iter();
        let open = open.chain(record.responsible.map(|agency| (agency, "RESPONSIBLE", None)));
        for (agency, kind, closed) in open.chain(record.involved.iter().copied()) {
            let row = [
                ("id", self.row()),
                ("child_id", child()),
                ("agency_id", self.agency(agency)),
                ("kind", kind.into()),
                ("opened_at", (START - 500).into()),
                ("closed_at", closed.into()),
            ];
            self.insert("involvement", &row);
        }
        for (agency, groups, from, until, withdrawn) in &record.consents {
            let row = [
                ("id", self.row()),
                ("child_id", child()),
                ("agency_id", self.agency(agency)),
                ("groups", (&json!(groups)).into()),
                ("given_by", "barnet".into()),
                ("valid_from", (*from).into()),
                ("valid_until", (*until).into()),
                ("withdrawn_at", (*withdrawn).into()),
            ];
            self.insert("consent", &row);
        }
        for (opened, found, closed) in &record.episodes {
            let row = [
                ("id", self.row()),
                ("child_id", child()),
                ("opened_at", (*opened).into()),
                ("found_at", (*found).into()),
                ("closed_at", (*closed).into()),
            ];
            self.insert("missing_episode", &row);
        }
        for (section, row) in &record.sections {
            self.section(*section, vec![("child_id", child())], row, None);
        }
        for Placement { id, to, row } in &record.placements {
            let day = to.as_ref().map(|(day, _)| day.to_string());
            let fixed = vec![("child_id", child()), ("id", (*id).into()), ("valid_to", day.as_deref().into())];
            self.section(Section::Placement, fixed, row, to.as_ref().and_then(|(_, stamp)| *stamp));
        }
        for number in &record.numbers {
            self.number(record.id, number);
        }
        for (section, revisions) in &record.revisions {
            for (number, revision) in (1..).zip(revisions) {
                self.revision(record.id, *section, number, revision);
            }
        }
        for suggestion in &record.suggestions {
            self.suggestion(record.id, suggestion);
        }
    }

    fn suggestion(&mut self, child: Uuid, suggestion: &Suggestion) {
        let Suggestion { id, section, entry, at, by, comment, fields } = suggestion;
        let row = [
            ("id", (*id).into()),
            ("child_id", child.into()),
            ("section", section.name().into()),
            ("entry_id", (*entry).into()),
            ("at", (*at).into()),
            ("agency_id", self.agency(by)),
            ("role", crate::harness::persona(by).role.code().into()),
            ("comment", (*comment).into()),
        ];
        self.insert("suggestion", &row);
        for (field, Suggested { value, decided }) in fields {
            let state = match decided {
                None => "OPEN",
                Some((_, true)) => "ACCEPTED",
                Some((_, false)) => "DECLINED",
            };
            let row = [
                ("suggestion_id", (*id).into()),
                ("field", field.field().name.into()),
                ("change", if value.is_some() { "SET" } else { "CLEAR" }.into()),
                ("value", value.as_ref().into()),
                ("state", state.into()),
                ("decided_at", decided.map(|_| START - 700).into()),
                ("decided_by", decided.map_or(Literal::Null, |(by, _)| self.agency(by))),
                ("reason", decided.filter(|(_, accepted)| !accepted).map(|_| "Stämmer inte").into()),
            ];
            self.insert("suggestion_field", &row);
        }
    }

    fn stamp(&self, stamp: Stamp) -> Json {
        json!([stamp.count, stamp.at, uuid_of(&self.agencies[stamp.by])])
    }

    fn section(
        &mut self,
        section: Section,
        mut columns: Vec<(&'static str, Literal)>,
        row: &Row,
        ended: Option<Stamp>,
    ) {
        let mut stamps: Map<String, Json> =
            row.iter().filter_map(|(id, cell)| Some((id.field().column.to_owned(), self.stamp(cell.stamp?)))).collect();
        stamps.extend(ended.map(|stamp| ("valid_to".to_owned(), self.stamp(stamp))));
        columns.push(("stamps", (&Json::Object(stamps)).into()));
        for (id, cell) in row {
            let Some(value) = &cell.value else { continue };
            let literal = match (value, id.field().kind) {
                (Value::Text(text), _) => text.as_str().into(),
                (Value::Bool(yes), _) => Literal::Yes(*yes),
                (Value::Date(day), _) => day.to_string().as_str().into(),
                (Value::Agency(_), FieldKind::Agency) => Literal::Id(uuid_of(value.to_json().as_str().expect("an id"))),
                (Value::Photo(photo), _) => (&json!(photo)).into(),
                (value, _) => (&value.to_json()).into(),
            };
            columns.push((id.field().column, literal));
        }
        self.insert(section.table(), &columns);
    }

    fn number(&mut self, child: Uuid, number: &Number) {
        let Number { id, kind, value, level, from, to, stamp } = number;
        let stamps: Map<String, Json> = stamp.iter().map(|stamp| ("value".to_owned(), self.stamp(*stamp))).collect();
        let row = [
            ("id", (*id).into()),
            ("child_id", child.into()),
            ("kind", kind.code().into()),
            ("value", value.as_str().into()),
            ("identity_level", (*level).into()),
            ("valid_from", from.map(|day| day.to_string()).as_deref().into()),
            ("valid_to", to.map(|day| day.to_string()).as_deref().into()),
            ("stamps", (&Json::Object(stamps)).into()),
        ];
        self.insert("identifier", &row);
    }

    fn revision(&mut self, child: Uuid, section: Section, number: i64, revision: &Revision) {
        let Revision { at, by, entry, changes, suggested_by } = revision;
        let row = [
            ("child_id", child.into()),
            ("section", section.name().into()),
            ("number", number.into()),
            ("at", (*at).into()),
            ("agency_id", self.agency(by)),
            ("entry_id", (*entry).into()),
            ("changes", (&Json::Object(changes.clone())).into()),
            ("suggested_by", suggested_by.map_or(Literal::Null, |by| self.agency(by))),
        ];
        self.insert("revision", &row);
    }
}
