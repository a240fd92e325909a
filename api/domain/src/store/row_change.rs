//! A change of one row, made on PostgreSQL with others of its form in one statement and one commit: each only if its child is
//! still as it was read. Nobody is told before that commit.

use super::columns::{plain, sql_type};
use super::reading::{Connections, Failed};
use super::together::{Part, Waiting};
use super::write::{Applied, is_guarding};
use crate::catalogue::{FieldId, FieldSet, Section, Value};
use crate::error::DatabaseError;
use crate::feed::EventKind;
use quick_cache::sync::Cache;
use serde_json::{Map, Value as Json, json};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// How many statements are kept as text.
const KEPT: usize = 256;

/// A change of the one row of a section, with the revision and the event that tell of it.
pub(super) struct RowChange {
    form: Form,
    child: Uuid,
    /// The values by column of the form's record.
    record: Map<String, Json>,
}

/// What changes have in common that one statement makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Form {
    section: Section,
    fields: FieldSet,
    is_new: bool,
}

/// What is kept of a change beside the row: how often the child had changed when it was read, the revision's number and
/// author, the changes told of, the stamps of the row and the fields that the event names.
pub(super) struct Beside<'a> {
    pub(super) sequence: i64,
    pub(super) at: i64,
    pub(super) number: i64,
    pub(super) author: &'a super::Author,
    pub(super) told: &'a Json,
    pub(super) stamps: Json,
    pub(super) concerns: Json,
}

impl RowChange {
    pub(super) fn new(
        child: Uuid,
        section: Section,
        is_new: bool,
        changes: &[(FieldId, Option<Value>)],
        beside: Beside<'_>,
    ) -> Self {
        let Beside { sequence, at, number, author, told, stamps, concerns } = beside;
        let form = Form { section, fields: changes.iter().map(|(id, _)| *id).collect(), is_new };
        let fixed = [
            json!(child),
            json!(sequence),
            json!(at),
            json!(number),
            json!(author.at),
            json!(author.agency.0),
            json!(author.user),
            told.clone(),
            json!(author.suggested_by.map(|agency| agency.0)),
            stamps,
            concerns,
        ];
        let mut record: Map<String, Json> = RECORD.iter().map(|(name, _)| (*name).to_owned()).zip(fixed).collect();
        record.extend(changes.iter().map(|(id, value)| (column(*id), plain(*id, value.as_ref()))));
        RowChange { form, child, record }
    }
}

/// The record's columns that no section has, each with its type.
const RECORD: [(&str, &str); 11] = [
    ("of_child", "uuid"),
    ("of_sequence", "bigint"),
    ("of_at", "bigint"),
    ("of_number", "bigint"),
    ("of_written_at", "bigint"),
    ("of_agency", "uuid"),
    ("of_user", "text"),
    ("of_changes", "jsonb"),
    ("of_suggested_by", "uuid"),
    ("of_stamps", "jsonb"),
    ("of_concerns", "jsonb"),
];

/// A column of the section in the record, where it may not be mistaken for one that all records have.
fn column(id: FieldId) -> String {
    format!("to_{}", id.field().column)
}

impl Form {
    /// The statement that makes changes of this form, from one array of their records. It gives the children that were still
    /// as they had been read.
    fn text(&self) -> String {
        let table = self.section.table();
        let columns = || self.fields.iter().map(|id| (id.field().column, column(id)));
        let mut record = RECORD.map(|(name, kind)| format!("{name} {kind}")).join(", ");
        for id in self.fields.iter() {
            _ = write!(record, r#", "{}" {}"#, column(id), sql_type(id));
        }
        let mut put = String::new();
        if self.is_new {
            _ = write!(put, r#"INSERT INTO "{table}" (child_id, stamps"#);
            columns().for_each(|(column, _)| _ = write!(put, r#", "{column}""#));
            _ = write!(put, ") SELECT of_child, of_stamps");
            columns().for_each(|(_, value)| _ = write!(put, r#", "{value}""#));
            _ = write!(put, " FROM changed");
        } else {
            _ = write!(put, r#"UPDATE "{table}" SET stamps = of_stamps"#);
            columns().for_each(|(column, value)| _ = write!(put, r#", "{column}" = "{value}""#));
            _ = write!(put, " FROM changed WHERE child_id = of_child");
        }
        let epoch = if is_guarding(self.section) { ", epoch = epoch + 1" } else { "" };
        let (section, kind) = (self.section.name(), EventKind::SectionChanged.code());
        format!(
            "WITH changed AS (UPDATE child SET sequence = of_sequence + 1{epoch}
                FROM json_to_recordset($1::json) AS change({record})
                WHERE id = of_child AND sequence = of_sequence RETURNING change.*),
            put AS ({put}),
            told AS (INSERT INTO revision (child_id, section, number, at, agency_id, user_ref, changes, suggested_by)
                SELECT of_child, '{section}', of_number, of_written_at, of_agency, of_user, of_changes, of_suggested_by
                FROM changed),
            event AS (INSERT INTO event (child_id, sequence, at, kind, fields)
                SELECT of_child, of_sequence + 1, of_at, '{kind}', of_concerns FROM changed)
            SELECT of_child FROM changed"
        )
    }
}

static TEXTS: LazyLock<Cache<Form, Arc<str>>> = LazyLock::new(|| Cache::new(KEPT));

impl Part for RowChange {
    /// Whether its child was still as it had been read: else nothing is changed.
    type Done = Applied;

    /// Of each child one.
    fn goes_with(&self, group: &[Waiting<Self>]) -> bool {
        group.first().is_some_and(|first| first.part.form == self.form)
            && group.iter().all(|other| other.part.child != self.child)
    }

    /// A statement that fails has changed nothing; then each of its changes is made alone, and those that can be are. Where
    /// the connection breaks instead, nobody knows, and all are told so.
    async fn make(mut group: Vec<Waiting<Self>>, connections: Connections) {
        // Whoever makes several changes locks children in one order, on every node.
        group.sort_unstable_by_key(|waiting| waiting.part.child);
        match make_once(&connections, &group).await {
            Ok(made) => {
                for waiting in group {
                    let applied = if made.contains(&waiting.part.child) { Applied::Done } else { Applied::Stale };
                    waiting.answer(Ok(applied));
                }
            }
            Err(Failed { error: _, undone: true }) if group.len() > 1 => {
                for waiting in group {
                    let made = make_once(&connections, std::slice::from_ref(&waiting)).await;
                    let applied = made.map(|made| if made.is_empty() { Applied::Stale } else { Applied::Done });
                    waiting.answer(applied.map_err(|failed| failed.error));
                }
            }
            Err(Failed { error, .. }) => group.into_iter().for_each(|waiting| waiting.answer(Err(error.clone()))),
        }
    }
}

/// The children that were changed.
async fn make_once(connections: &Connections, changes: &[Waiting<RowChange>]) -> Result<Vec<Uuid>, Failed> {
    let Some(first) = changes.first() else { return Ok(Vec::new()) };
    let form = &first.part.form;
    let make = || Ok::<_, Infallible>(Arc::from(form.text()));
    let Ok(sql) = TEXTS.get_or_insert_with(form, make);
    let records: Vec<&Map<String, Json>> = changes.iter().map(|change| &change.part.record).collect();
    let records = serde_json::to_string(&records).map_err(|_| DatabaseError("a change has no text".to_owned()))?;
    let mut held = connections.take().await?;
    let rows = held.run_text(sql, vec![records.into()]).await?;
    let child = |row: &sea_orm::QueryResult| row.try_get_by_index(0).map_err(DatabaseError::from);
    Ok(rows.iter().map(child).collect::<Result<_, _>>()?)
}
