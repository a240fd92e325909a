//! Changes of one row, made together on PostgreSQL: whatever waits while a connection comes free is made in one statement and
//! one commit, each only if its child is still as it was read. Nobody is told before that commit.
//!
//! A statement that fails has changed nothing; then each of its changes is made alone, and those that can be are. Where the
//! connection breaks instead, nobody knows, and all are told so.

use super::columns::{plain, sql_type};
use super::reading::{Connections, Failed, Held, Maker};
use super::write::{Applied, is_guarding};
use crate::catalogue::{FieldId, FieldSet, Section, Value};
use crate::error::DatabaseError;
use crate::feed::EventKind;
use deadpool::managed::Object;
use quick_cache::sync::Cache;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How many changes may wait; the next is refused.
const QUEUE: usize = 4_096;
/// How many changes one commit takes at most.
const GROUP: usize = 64;
/// How many changes more in one statement cost about what another statement does.
const WORTH: usize = 5;
/// How long a change waits for a statement that may be held up by a locked row.
const LONGEST_WAIT: Duration = Duration::from_millis(5);
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

/// The door to whoever makes such changes.
#[derive(Clone)]
pub(super) struct Changes {
    queue: mpsc::Sender<Waiting>,
    connections: Connections,
}

struct Waiting {
    change: RowChange,
    reply: oneshot::Sender<Result<Applied, DatabaseError>>,
}

impl Changes {
    /// Begins to make changes, over these connections: as many statements are under way at once.
    pub(super) fn new(connections: Connections) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(make(waiting, connections.clone()));
        Changes { queue, connections }
    }

    pub(super) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Makes a change, durably, or nothing of it.
    ///
    /// # Errors
    ///
    /// The database failed. Where the connection to it did, nobody knows whether the change was made.
    pub(super) async fn apply(&self, change: RowChange) -> Result<Applied, DatabaseError> {
        let (reply, made) = oneshot::channel();
        let full = |_| DatabaseError("too many changes wait to be made".to_owned());
        self.queue.try_send(Waiting { change, reply }).map_err(full)?;
        made.await.unwrap_or_else(|_| Err(DatabaseError("whoever makes changes is gone".to_owned())))
    }
}

/// Makes what waits, until nobody can ask any more.
async fn make(mut waiting: mpsc::Receiver<Waiting>, connections: Connections) {
    let mut queue = VecDeque::new();
    let mut under_way = JoinSet::new();
    let mut is_open = true;
    while is_open || !queue.is_empty() {
        let is_late = tokio::select! {
            next = waiting.recv(), if is_open => {
                is_open = next.is_some();
                queue.extend(next);
                false
            }
            Some(_) = under_way.join_next() => false,
            () = tokio::time::sleep(LONGEST_WAIT), if !queue.is_empty() => true,
        };
        // What has come meanwhile comes along.
        queue.extend(std::iter::from_fn(|| waiting.try_recv().ok()));
        while under_way.len() < connections.most()
            && (is_worth_it(queue.len(), under_way.len()) || (is_late && !queue.is_empty()))
        {
            under_way.spawn(make_group(connections.clone(), first_group(&mut queue)));
        }
    }
    under_way.join_all().await;
}

/// Whether so many changes wait that a statement for them is worth it, beside those that are under way. It costs as much as
/// several changes more in the next one, for which they wait no longer than the disk takes.
fn is_worth_it(waiting: usize, under_way: usize) -> bool {
    waiting > under_way * WORTH
}

/// The changes that one statement can make: of the form of the first, in the order of their children, of each child one. So
/// whoever makes several changes locks children in one order, on every node.
fn first_group(queue: &mut VecDeque<Waiting>) -> BTreeMap<Uuid, Waiting> {
    let mut group: BTreeMap<Uuid, Waiting> = BTreeMap::new();
    let mut others = VecDeque::new();
    for waiting in queue.drain(..) {
        let RowChange { form, child, .. } = &waiting.change;
        let fits = group.values().next().is_none_or(|first| first.change.form == *form);
        if fits && group.len() < GROUP && !group.contains_key(child) {
            group.insert(*child, waiting);
        } else {
            others.push_back(waiting);
        }
    }
    *queue = others;
    group
}

impl Waiting {
    fn answer(self, applied: Result<Applied, DatabaseError>) {
        // Who does not wait any more does not need to know.
        _ = self.reply.send(applied);
    }
}

async fn make_group(connections: Connections, group: BTreeMap<Uuid, Waiting>) {
    let made = match connections.take().await {
        Ok(held) => make_once(held, group.values().map(|waiting| &waiting.change)).await,
        Err(error) => Err(error.into()),
    };
    match made {
        Ok(made) => {
            for (child, waiting) in group {
                waiting.answer(Ok(if made.contains(&child) { Applied::Done } else { Applied::Stale }));
            }
        }
        Err(Failed { error: _, undone: true }) if group.len() > 1 => {
            for (_, waiting) in group {
                let made = match connections.take().await {
                    Ok(held) => make_once(held, std::iter::once(&waiting.change)).await.map_err(|failed| failed.error),
                    Err(error) => Err(error),
                };
                waiting.answer(made.map(|made| if made.is_empty() { Applied::Stale } else { Applied::Done }));
            }
        }
        Err(Failed { error, .. }) => group.into_values().for_each(|waiting| waiting.answer(Err(error.clone()))),
    }
}

/// The children that were changed.
async fn make_once<'a>(
    mut held: Object<Maker>,
    changes: impl Iterator<Item = &'a RowChange> + Clone,
) -> Result<Vec<Uuid>, Failed> {
    let Some(first) = changes.clone().next() else { return Ok(Vec::new()) };
    let make = || Ok::<_, Infallible>(Arc::from(first.form.text()));
    let Ok(sql) = TEXTS.get_or_insert_with(&first.form, make);
    let records: Vec<&Map<String, Json>> = changes.map(|change| &change.record).collect();
    let records = serde_json::to_string(&records).map_err(|_| DatabaseError("a change has no text".to_owned()))?;
    let rows = Held::run_text(&mut held, sql, vec![records.into()]).await?;
    let child = |row: &sea_orm::QueryResult| row.try_get_by_index(0).map_err(DatabaseError::from);
    Ok(rows.iter().map(child).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(child: u128, section: Section) -> (Waiting, oneshot::Receiver<Result<Applied, DatabaseError>>) {
        let form = Form { section, fields: FieldSet::EMPTY, is_new: false };
        let (reply, answer) = oneshot::channel();
        (Waiting { change: RowChange { form, child: Uuid::from_u128(child), record: Map::new() }, reply }, answer)
    }

    #[test]
    fn a_group_is_of_one_form_and_holds_each_child_once_in_order_and_the_rest_waits_in_turn() {
        let places =
            [(3, Section::Risk), (1, Section::Risk), (2, Section::Voice), (3, Section::Risk), (2, Section::Risk)];
        let mut queue: VecDeque<Waiting> = places.iter().map(|(child, section)| waiting(*child, *section).0).collect();
        let mut groups = Vec::new();
        while !queue.is_empty() {
            let group = first_group(&mut queue);
            let sections: Vec<Section> = group.values().map(|waiting| waiting.change.form.section).collect();
            groups.push((group.keys().map(Uuid::as_u128).collect::<Vec<_>>(), sections));
        }
        let expected =
            [(vec![1, 2, 3], vec![Section::Risk; 3]), (vec![2], vec![Section::Voice]), (vec![3], vec![Section::Risk])];
        assert_eq!(groups, expected);
    }

    #[test]
    fn the_first_waits_for_nothing_and_others_for_one_another() {
        assert!(!is_worth_it(0, 0) && is_worth_it(1, 0));
        assert!(!is_worth_it(WORTH, 1) && is_worth_it(WORTH + 1, 1) && !is_worth_it(WORTH + 1, 2));
    }

    #[test]
    fn a_group_has_an_end() {
        let mut queue: VecDeque<Waiting> = (0..100).map(|child| waiting(child, Section::Risk).0).collect();
        assert_eq!((first_group(&mut queue).len(), queue.len()), (GROUP, 100 - GROUP));
    }
}
