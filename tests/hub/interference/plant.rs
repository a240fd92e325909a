//! A world put into a database, behind the hub's back, in one go.

use super::world::{
    Agencies, Entry, Episode, Number, Placement, Record, Revision, Row, Stamp, Suggested, Suggestion, World,
};
use crate::harness::{HOUR, Hub, Kind, START};
use data_encoding::{BASE32_DNSSEC, HEXLOWER};
use samverka_domain::catalogue::{Kind as FieldKind, List, Section, Value};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write;
use uuid::Uuid;

/// The tables that hold a world; those that others point to come last.
const TABLES: [&str; 34] = [
    "deadline",
    "event",
    "lookup",
    "block",
    "break_glass",
    "roster",
    "handover",
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
    "submission",
    "checklist_item",
    "sighting",
    "follow_up",
    "agency_closure",
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
    script.sql.push_str("UPDATE child SET state = 'ERASED';\n");
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

    /// That a revision was written, as the stream tells it: below all that the hub itself writes.
    fn event(&mut self, child: Uuid, section: Section, revision: &Revision) {
        self.rows += 1;
        let place = |name: &String| match revision.entry {
            None => format!("{}.{name}", section.name()),
            Some(entry) => format!("{}.{name}/{entry}", section.name()),
        };
        let places: Vec<String> = revision.changes.keys().map(place).collect();
        let row = [
            ("child_id", child.into()),
            ("sequence", (self.rows as i64 - 1_000_000).into()),
            ("at", revision.at.into()),
            ("kind", "SECTION_CHANGED".into()),
            ("fields", (&json!({ "changed": places })).into()),
            ("number", (self.rows as i64).into()),
        ];
        self.insert("event", &row);
    }

    fn record(&mut self, record: &Record) {
        let child = || Literal::Id(record.id);
        let mut leads: Vec<(&str, Option<i64>)> =
            record.involved.iter().filter(|tie| tie.1 == "LEAD").map(|tie| (tie.0, tie.2)).collect();
        leads.push((record.lead, None));
        let began = record
            .involved
            .iter()
            .filter(|tie| ["LEAD", "RESPONSIBLE"].contains(&tie.1))
            .filter_map(|tie| tie.2)
            .min()
            .unwrap_or(START)
            .min(record.registered_at)
            - 500;
        self.insert(
            "child",
            &[
                ("id", child()),
                ("subject", record.subject.into()),
                ("lead_agency_id", self.agency(leads[0].0)),
                ("lead_since", began.into()),
                ("state", "ACTIVE".into()),
                ("registered_at", began.into()),
            ],
        );
        for pair in leads.windows(2) {
            let (id, next) = (self.literal(&child()), self.literal(&self.agency(pair[1].0)));
            let since = pair[0].1.expect("one leads at a time");
            _ = writeln!(self.sql, "UPDATE child SET lead_agency_id = {next}, lead_since = {since} WHERE id = {id};");
        }
        let others = record.involved.iter().copied().filter(|tie| tie.1 != "LEAD");
        for (agency, kind, closed) in others.chain(record.responsible.map(|agency| (agency, "RESPONSIBLE", None))) {
            let row = [
                ("id", self.row()),
                ("child_id", child()),
                ("agency_id", self.agency(agency)),
                ("kind", kind.into()),
                ("opened_at", if closed.is_some() { began.into() } else { (START - 500).into() }),
                ("closed_at", closed.into()),
            ];
            self.insert("involvement", &row);
        }
        for (nth, (agency, groups, from, until, withdrawn)) in (1..).zip(&record.consents) {
            // Its id is told.
            let (high, low) = record.id.as_u64_pair();
            let row = [
                ("id", Uuid::from_u64_pair(high, low ^ nth << 40).into()),
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
        for Episode { id, opened, found, closed, row } in &record.episodes {
            let fixed = vec![
                ("child_id", child()),
                ("id", (*id).into()),
                ("opened_at", (*opened).into()),
                ("found_at", (*found).into()),
                ("closed_at", (*closed).into()),
            ];
            let mut row = row.clone();
            // What is not null in the database is there.
            row.entry(crate::harness::field("missing.status"))
                .or_default()
                .value
                .get_or_insert(Value::Text("SEARCHING".to_owned()));
            self.section(Section::Missing, fixed, &row, None);
        }
        for entry in &record.entries {
            self.entry(record.id, entry);
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
                self.event(record.id, *section, revision);
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
                (Value::Instant(at), _) => (*at).into(),
                (Value::Agency(_), FieldKind::Agency) => Literal::Id(uuid_of(value.to_json().as_str().expect("an id"))),
                (Value::Photo(photo), _) => (&json!(photo)).into(),
                (value, _) => (&value.to_json()).into(),
            };
            columns.push((id.field().column, literal));
        }
        self.insert(section.table(), &columns);
    }

    fn entry(&mut self, child: Uuid, entry: &Entry) {
        let Entry { list, id, episode, of, at, open, n, guarded } = entry;
        let rows = list.rows();
        let mut of = of.iter();
        let mut row: Vec<(&str, Literal)> = vec![("child_id", child.into())];
        if !rows.columns.contains(&"id") {
            row.push(("id", (*id).into()));
        }
        row.extend(rows.only.map(|(column, holds)| (column, holds.into())));
        match list {
            List::Handovers => {
                let from = of.clone().next().map_or(Literal::Null, |code| self.agency(code));
                row.extend([
                    ("moves", id.to_string().as_str().into()),
                    ("proposer_agency_id", from),
                    ("urgent", Literal::Yes(false)),
                ]);
            }
            List::Checklist => row.extend([("position", i64::from(*n).into()), ("key", "k".into())]),
            // Of a role that hands nothing in: nobody has it among what was handed in by itself.
            List::Concerns => row.extend([("role", "COUNTY_BOARD".into()), ("named", "{}".into())]),
            _ => {}
        }
        for (part, column) in rows.entry.fields.iter().zip(rows.columns) {
            let literal = match (part.kind, part.name) {
                (_, "acceptedAt" | "departedAt" | "arrivedAt" | "overdueAt") => Literal::Null,
                (_, "endedAt") => Some(at + HOUR).filter(|_| !open).into(),
                (FieldKind::Id("episode"), _) => (*episode).into(),
                (FieldKind::Id(_), _) => (*id).into(),
                (FieldKind::Agency, _) => of.next().map_or(Literal::Null, |code| self.agency(code)),
                (FieldKind::Instant, _) => (*at).into(),
                (FieldKind::Date, _) => "2026-05-01".into(),
                (FieldKind::Bool, _) => Literal::Yes(*open),
                (FieldKind::Json, _) => (&json!({ "contact": guarded })).into(),
                (FieldKind::Code(code), _) => code.values().expect("a closed list")[usize::from(*n % 4)].code.into(),
                (_, "state") if *list == List::Concerns => {
                    ["OPEN", "SIGHTING", "CONCERN", "DISMISSED"][usize::from(*n % 4)].into()
                }
                _ if part.guard.is_some() => format!("Värde {guarded}").as_str().into(),
                _ => format!("Värde {n}").as_str().into(),
            };
            row.push((column, literal));
        }
        self.insert(rows.table, &row);
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
