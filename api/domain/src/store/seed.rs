//! Filling a database in bulk: many rows a statement, many children a transaction.

use super::columns::{bind, bind_kind, name, stored};
use super::read::IdentifierRow;
use super::{Store, roster};
use crate::catalogue::{FieldId, Kind, List, Section};
use crate::error::DatabaseError;
use crate::world::{
    Consent, Deadline, Emergency, HandedIn, Involvement, ListRow, MadeUpChild, MadeUpPhoto, Revision, SectionRow,
};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use std::cmp::Reverse;
use uuid::Uuid;

/// How many children are made durable at once.
const CHILDREN: usize = 500;
/// How many rows a statement has at most. The widest table has 23 columns, so that a statement
/// stays far below the parameters that SQLite (32,766) and PostgreSQL (65,535) take.
const ROWS: usize = 256;

impl Store {
    /// Writes these children. `progress` is told how many are durable, after each transaction.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]; the children that `progress` was told of are there nevertheless.
    pub(crate) async fn seed(
        &self,
        children: &mut (dyn Iterator<Item = MadeUpChild> + Send),
        now: i64,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), DatabaseError> {
        let mut done = 0;
        loop {
            let some: Vec<MadeUpChild> = children.take(CHILDREN).collect();
            if some.is_empty() {
                return Ok(());
            }
            done += some.len() as u64;
            let transaction = self.begin().await?;
            insert(&transaction, some, now).await?;
            transaction.commit().await?;
            progress(done);
        }
    }
}

/// Writes these children and their rows of the list table.
pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    children: Vec<MadeUpChild>,
    now: i64,
) -> Result<(), DatabaseError> {
    let mut tables = tables();
    let mut ids = Vec::with_capacity(children.len());
    let mut moves = Vec::new();
    for mut child in children {
        ids.push(child.id.0);
        moves.push(take_leads(&mut child));
        fill(&mut tables, child);
    }
    for table in tables {
        table.insert(transaction).await?;
    }
    move_leads(transaction, moves).await?;
    roster::refresh(transaction, &ids, now).await
}

/// A lead that a child comes to have.
struct Lead {
    child: Uuid,
    agency: Uuid,
    since: i64,
}

/// Makes the first lead the one of the child's row, and gives those that came after it, the last one first: the database
/// keeps the ties of leads itself.
fn take_leads(child: &mut MadeUpChild) -> Vec<Lead> {
    let (leads, ties) = std::mem::take(&mut child.involvements).into_iter().partition(|tie| tie.kind == "LEAD");
    child.involvements = ties;
    let mut leads: Vec<Involvement> = leads;
    leads.sort_by_key(|tie| Reverse(tie.opened_at));
    if let Some(first) = leads.pop() {
        child.lead = first.agency;
    }
    leads.into_iter().map(|tie| Lead { child: child.id.0, agency: tie.agency.0, since: tie.opened_at }).collect()
}

/// Moves the leads, for many children in one statement.
async fn move_leads(transaction: &DatabaseTransaction, mut moves: Vec<Vec<Lead>>) -> Result<(), DatabaseError> {
    loop {
        let next: Vec<Lead> = moves.iter_mut().filter_map(Vec::pop).collect();
        if next.is_empty() {
            return Ok(());
        }
        for some in next.chunks(ROWS) {
            let (mut agency, mut since) = (CaseStatement::new(), CaseStatement::new());
            for lead in some {
                agency = agency.case(Expr::col(name("id")).eq(lead.child), lead.agency);
                since = since.case(Expr::col(name("id")).eq(lead.child), lead.since);
            }
            let mut update = Query::update();
            update.table(name("child")).value(name("lead_agency_id"), agency).value(name("lead_since"), since);
            update.and_where(Expr::col(name("id")).is_in(some.iter().map(|lead| lead.child)));
            transaction.execute(&update).await?;
        }
    }
}

/// Rows to insert.
struct Table {
    /// None for a section's table.
    plain: Option<Plain>,
    name: &'static str,
    columns: Vec<&'static str>,
    fields: Vec<FieldId>,
    rows: Vec<Vec<Expr>>,
}

/// A table around the sections.
#[derive(Clone, Copy, PartialEq)]
enum Plain {
    Child,
    Involvement,
    Identifier,
    Consent,
    Revision,
    Photo,
    HandedIn,
    Emergency,
    Deadline,
    List(List),
}

/// Every table, in an order that keeps the foreign keys.
fn tables() -> Vec<Table> {
    let plain = |plain, name, columns: &[&'static str]| Table {
        plain: Some(plain),
        name,
        columns: columns.to_vec(),
        fields: Vec::new(),
        rows: Vec::new(),
    };
    let mut tables = vec![
        plain(
            Plain::Child,
            "child",
            &["id", "subject", "lead_agency_id", "lead_since", "state", "registered_at", "sequence"],
        ),
        plain(
            Plain::Involvement,
            "involvement",
            &["id", "child_id", "agency_id", "unit", "kind", "opened_at", "closed_at"],
        ),
        plain(
            Plain::Identifier,
            "identifier",
            &["id", "child_id", "kind", "value", "identity_level", "valid_from", "valid_to", "stamps"],
        ),
        plain(
            Plain::Consent,
            "consent",
            &["id", "child_id", "agency_id", "groups", "given_by", "valid_from", "valid_until", "withdrawn_at"],
        ),
        plain(
            Plain::Revision,
            "revision",
            &["child_id", "section", "number", "at", "agency_id", "user_ref", "entry_id", "changes"],
        ),
        plain(Plain::Photo, "photo", &["id", "child_id", "type", "bytes"]),
    ];
    let has_rows = |section: &Section| !section.is_list() || section.is_dated();
    tables.extend(Section::ALL.into_iter().filter(has_rows).map(section_table));
    tables.push(plain(Plain::HandedIn, "submission", &HANDED_IN));
    tables.push(plain(Plain::Emergency, "break_glass", &EMERGENCY));
    tables.push(plain(Plain::Deadline, "deadline", &DEADLINE));
    let lists = List::ALL.into_iter().filter(|list| !matches!(list, List::Consents | List::Concerns));
    tables.extend(lists.map(|list| {
        let columns: Vec<_> = list_columns(list).map(|(column, _)| column).collect();
        plain(Plain::List(list), list.rows().table, &columns)
    }));
    tables
}

/// The columns of a list's table: those of every list, those of its entries, and those that no entry shows.
fn list_columns(list: List) -> impl Iterator<Item = (&'static str, Kind)> {
    const WORD: Kind = Kind::Text(100);
    let rows = list.rows();
    let fixed = [("id", Kind::Id("")), ("child_id", Kind::Id(""))].into_iter();
    let entry = rows.columns.iter().copied().zip(rows.entry.fields.iter().map(|part| part.kind));
    let hidden: &[(&'static str, Kind)] = match list {
        List::Handovers => &[("moves", WORD), ("proposer_agency_id", Kind::Agency), ("urgent", Kind::Bool)],
        List::Checklist => &[("position", Kind::Instant), ("key", WORD)],
        _ => &[],
    };
    let only = rows.only.map(|(column, _)| (column, WORD));
    fixed.chain(entry.filter(|(column, _)| *column != "id")).chain(hidden.iter().copied()).chain(only)
}

fn list_row(child: Uuid, row: ListRow) -> Vec<Expr> {
    let ListRow { list, id, values } = row;
    let value = |(column, kind): (&'static str, Kind)| match column {
        "id" => id.into(),
        "child_id" => child.into(),
        column => match list.rows().only.filter(|(only, _)| *only == column) {
            Some((_, holds)) => Expr::val(holds),
            None => bind_kind(kind, values.iter().find(|(known, _)| *known == column).map(|(_, value)| value)),
        },
    };
    list_columns(list).map(value).collect()
}

fn section_table(section: Section) -> Table {
    // The id of a row is no value of it.
    let fields: Vec<FieldId> = stored(section).iter().filter(|id| id.field().column != "id").collect();
    let mut columns = vec!["child_id", "stamps"];
    columns.extend(entry_columns(section));
    columns.extend(fields.iter().map(|id| id.field().column));
    Table { plain: None, name: section.table(), columns, fields, rows: Vec::new() }
}

/// What a row of a dated section has besides its values.
fn entry_columns(section: Section) -> &'static [&'static str] {
    match section {
        Section::Placement => &["id", "valid_to"],
        Section::Missing => &["id"],
        _ => &[],
    }
}

fn fill(tables: &mut [Table], made_up: MadeUpChild) {
    let MadeUpChild {
        id,
        stage: _,
        protection: _,
        lead,
        subject,
        registered_at,
        involvements,
        rows,
        identifiers,
        episodes: _,
        entries,
        handed_in,
        emergencies,
        deadlines,
        consents,
        revisions,
        photo,
    } = made_up;
    let child = id.0;
    let mut add = |plain: Plain, rows: Vec<Vec<Expr>>| {
        if let Some(table) = tables.iter_mut().find(|table| table.plain == Some(plain)) {
            table.rows.extend(rows);
        }
    };
    let row = vec![
        child.into(),
        subject.into(),
        lead.0.into(),
        registered_at.into(),
        Expr::val("ACTIVE"),
        registered_at.into(),
        0_i64.into(),
    ];
    add(Plain::Child, vec![row]);
    add(Plain::Involvement, involvements.into_iter().map(|row| involvement(child, row)).collect());
    add(Plain::Identifier, identifiers.into_iter().map(|row| identifier(row.into_row(child))).collect());
    add(Plain::Consent, consents.into_iter().map(|row| consent(child, row)).collect());
    add(Plain::Revision, revisions.into_iter().map(|row| revision(child, row)).collect());
    add(Plain::HandedIn, handed_in.into_iter().map(|row| handed(child, row)).collect());
    add(Plain::Emergency, emergencies.into_iter().map(|row| emergency(child, row)).collect());
    add(Plain::Deadline, deadlines.into_iter().map(|row| deadline(child, row)).collect());
    for row in entries {
        add(Plain::List(row.list), vec![list_row(child, row)]);
    }
    add(Plain::Photo, photo.into_iter().map(|row| photo_row(child, row)).collect());
    for row in rows {
        let mut sections = tables.iter_mut().filter(|table| table.plain.is_none());
        if let Some(table) = sections.find(|table| table.name == row.section.table()) {
            let row = section_row(child, row, &table.fields);
            table.rows.push(row);
        }
    }
}

fn involvement(child: Uuid, row: Involvement) -> Vec<Expr> {
    let Involvement { id, agency, kind, opened_at, closed_at } = row;
    vec![
        id.into(),
        child.into(),
        agency.0.into(),
        Expr::val(None::<String>),
        Expr::val(kind),
        opened_at.into(),
        Expr::val(closed_at),
    ]
}

fn identifier(row: IdentifierRow) -> Vec<Expr> {
    let IdentifierRow { id, child, kind, value, identity_level, valid_from, valid_to, stamps } = row;
    vec![
        id.into(),
        child.into(),
        Expr::val(kind.code()),
        Expr::val(value),
        Expr::val(identity_level),
        Expr::val(valid_from),
        Expr::val(valid_to),
        Expr::val(stamps.to_json()),
    ]
}

fn consent(child: Uuid, row: Consent) -> Vec<Expr> {
    let Consent { id, agency, groups, given_by, valid_from, valid_until, withdrawn_at } = row;
    vec![
        id.into(),
        child.into(),
        agency.0.into(),
        Expr::val(Json::from(groups)),
        Expr::val(given_by),
        valid_from.into(),
        valid_until.into(),
        Expr::val(withdrawn_at),
    ]
}

fn revision(child: Uuid, row: Revision) -> Vec<Expr> {
    let Revision { section, number, at, agency, user, entry, changes } = row;
    vec![
        child.into(),
        Expr::val(section.name()),
        number.into(),
        at.into(),
        agency.0.into(),
        Expr::val(user),
        Expr::val(entry),
        Expr::val(changes),
    ]
}

const HANDED_IN: [&str; 17] = [
    "id",
    "kind",
    "at",
    "agency_id",
    "role",
    "child_id",
    "named",
    "municipality",
    "seen_at",
    "place",
    "text",
    "state",
    "feedback",
    "decided_at",
    "decided_by",
    "matched_at",
    "copy_of",
];

fn handed(child: Uuid, row: HandedIn) -> Vec<Expr> {
    let HandedIn { id, kind, at, agency, role, is_matched, named, municipality, seen_at, place, text, .. } = row;
    let HandedIn { state, feedback, decided, copy_of, .. } = row;
    vec![
        id.into(),
        Expr::val(kind.code()),
        at.into(),
        agency.0.into(),
        Expr::val(role.code()),
        Expr::val(is_matched.then_some(child)),
        Expr::val(named),
        Expr::val(municipality),
        Expr::val(seen_at),
        Expr::val(place),
        Expr::val(text),
        Expr::val(state.code()),
        Expr::val(feedback.map(crate::submission::Feedback::code)),
        Expr::val(decided.map(|(at, _)| at)),
        Expr::val(decided.map(|(_, by)| by.0)),
        // It was looked for when it came.
        at.into(),
        Expr::val(copy_of),
    ]
}

const EMERGENCY: [&str; 9] =
    ["id", "child_id", "agency_id", "role", "purpose", "reason", "opened_at", "until", "review_by"];

fn emergency(child: Uuid, row: Emergency) -> Vec<Expr> {
    let Emergency { id, agency, role, purpose, reason, opened_at, until, review_by } = row;
    vec![
        id.into(),
        child.into(),
        agency.0.into(),
        Expr::val(role.code()),
        Expr::val(purpose.code()),
        Expr::val(reason),
        opened_at.into(),
        until.into(),
        review_by.into(),
    ]
}

const DEADLINE: [&str; 7] = ["id", "child_id", "about", "about_id", "step", "due_at", "attempts"];

fn deadline(child: Uuid, row: Deadline) -> Vec<Expr> {
    let Deadline { id, about, about_id, step, due_at } = row;
    vec![id.into(), child.into(), Expr::val(about), about_id.into(), Expr::val(step), due_at.into(), 0_i32.into()]
}

fn photo_row(child: Uuid, row: MadeUpPhoto) -> Vec<Expr> {
    let MadeUpPhoto { id, media, bytes } = row;
    vec![id.into(), child.into(), Expr::val(media.essence()), Expr::val(bytes)]
}

fn section_row(child: Uuid, row: SectionRow, fields: &[FieldId]) -> Vec<Expr> {
    let SectionRow { section, entry, values, stamps } = row;
    let mut exprs: Vec<Expr> = vec![child.into(), Expr::val(stamps.to_json())];
    if let Some((id, valid_to)) = entry {
        exprs.push(id.into());
        exprs.extend((section == Section::Placement).then(|| Expr::val(valid_to)));
    }
    let value = |id: &FieldId| values.iter().find(|(field, _)| field == id).map(|(_, value)| value);
    exprs.extend(fields.iter().map(|id| bind(*id, value(id))));
    exprs
}

impl Table {
    /// Inserts the rows, in statements of so many rows as are a power of two: few shapes, so that
    /// every statement is prepared once.
    async fn insert(mut self, transaction: &DatabaseTransaction) -> Result<(), DatabaseError> {
        while !self.rows.is_empty() {
            let size = ROWS.min(1 << self.rows.len().ilog2());
            let mut insert = Query::insert();
            insert.into_table(name(self.name)).columns(self.columns.iter().copied().map(name));
            for row in self.rows.drain(..size) {
                insert.values_panic(row);
            }
            transaction.execute(&insert).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AgencyId;
    use crate::store::{Plan, Planned, Reach};
    use crate::world::{self, Episode};
    use std::collections::HashMap;

    const NOW: i64 = 1_795_212_345_678_901;

    async fn filled(url: &str, children: u64) -> (Store, Vec<MadeUpChild>) {
        let store = Store::connect(url, true).await.expect("a store");
        store.migrate_up().await.expect("a schema");
        let mut next = 0;
        let id = || {
            next += 1;
            Uuid::from_u128(next)
        };
        store.put_agencies(&world::agencies(), id).await.expect("agencies");
        let agencies = store.agencies().await.expect("agencies");
        let ids: HashMap<String, AgencyId> = agencies.into_iter().map(|agency| (agency.code, agency.id)).collect();
        let agency = |code: &str| ids.get(code).copied().expect("a persona's agency");
        let mut made_up = (0..children).map(|index| world::child(1, index, NOW, &agency));
        let mut told = Vec::new();
        store.seed(&mut made_up, NOW, &mut |done| told.push(done)).await.expect("seeded");
        assert_eq!(told.last(), Some(&children));
        (store, (0..children).map(|index| world::child(1, index, NOW, &agency)).collect())
    }

    async fn reads_back(store: &Store, children: &[MadeUpChild]) {
        let ids: Vec<Uuid> = children.iter().map(|child| child.id.0).collect();
        let snapshot = store.snapshot().await.expect("a snapshot");
        for section in Section::ALL.into_iter().filter(|section| !section.is_list() || section.is_dated()) {
            let planned = Planned { section, fields: stored(section), stamps: true, ended: true };
            let plan = Plan { sections: vec![planned], responsible: false };
            let rows = snapshot.sections(&ids, &plan).await.expect("rows").rows;
            let made = |row: &&SectionRow| row.section == section;
            assert_eq!(rows.len(), children.iter().flat_map(|child| &child.rows).filter(made).count());
            for (_, row) in rows {
                let child = children.iter().find(|child| child.id.0 == row.child).expect("a child");
                // Of an episode the end is told by its values.
                let entry = row.entry.map(|entry| (entry.id, entry.to.filter(|_| section != Section::Missing)));
                let same = |made: &&SectionRow| made.section == section && made.entry == entry;
                let made = child.rows.iter().find(same).expect("a row");
                let values: Vec<_> = row.values.iter().filter(|(id, _)| id.field().column != "id").cloned().collect();
                assert_eq!((&values, &row.stamps), (&made.values, &made.stamps), "{section:?}");
            }
        }
        for list in List::ALL.into_iter().filter(|list| *list != List::Consents) {
            let reach = Reach { list, whole: true, own: false, open: false };
            let rows = snapshot.list(&ids, reach, AgencyId(Uuid::nil())).await.expect("rows");
            let made = children.iter().flat_map(|child| &child.entries).filter(|row| row.list == list).count();
            let worries = children.iter().flat_map(|child| &child.handed_in).filter(|row| row.is_matched);
            let worries = worries.filter(|row| row.kind == crate::submission::Kind::Concern).count();
            let made = if list == List::Concerns { worries } else { made };
            assert_eq!(rows.len(), made, "{list:?}");
        }
        let revisions = snapshot.revisions(&ids, &Section::ALL).await.expect("revisions");
        assert_eq!(revisions.len(), children.iter().map(|child| child.revisions.len()).sum::<usize>());
        let numbers = snapshot.identifiers(&ids, &crate::catalogue::IdentifierKind::ALL).await.expect("numbers");
        assert_eq!(numbers.len(), children.iter().map(|child| child.identifiers.len()).sum::<usize>());
        for child in children {
            let standings = snapshot.standings(child.lead, &[child.id.0], NOW, false).await.expect("standings");
            let [standing] = standings.as_slice() else { panic!("one standing") };
            assert_eq!((standing.relation, standing.lead), (crate::policy::Relation::Responsible, child.lead));
            assert_eq!((standing.protection, standing.subject), (child.protection, child.subject));
            let found = |episode: &Episode| episode.found_at.is_none_or(|at| at > NOW - 72 * 3_600_000_000);
            assert_eq!(standing.missing, child.episodes.iter().any(found));
        }
        snapshot.end();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_seeded_world_reads_back_as_it_was_made() {
        let file = std::env::temp_dir().join(format!("samverka-seed-{}.db", std::process::id()));
        let (store, children) = filled(&format!("sqlite:{}", file.display()), 620).await;
        reads_back(&store, &children).await;
        for suffix in ["", "-wal", "-shm"] {
            _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
        }
    }
}
