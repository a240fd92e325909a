//! Events: one for each change, or for each thing that comes of it, written with it; numbered once it is in force; read by number.
//!
//! A number is given to what is committed, and by one at a time: so whoever has read up to a number has missed nothing below
//! it, however late a change was committed. On PostgreSQL a sequencer gives them, in the order in which the events were
//! written, which for one child is the order of its changes. On SQLite, which has one writer, an event gets its number as it
//! is written.

use super::columns::name;
use super::reading::Rows;
use super::seal::SEALED;
use super::write::Write;
use super::{Snapshot, Store};
use crate::catalogue::{FieldId, FieldSet, Section, Source};
use crate::error::DatabaseError;
use crate::feed::{EventKind, Place, Places, To};
use crate::ids::AgencyId;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use serde_json::Value as Json;
use uuid::Uuid;

/// How many events one turn of the sequencer numbers at most.
const TURN: u64 = 5_000;
/// Who holds this numbers, on PostgreSQL: any number that nothing else locks.
pub(super) const SEQUENCER: i64 = 0x5a3e_0e7e;

/// What systems are told of one change, gathered with it.
#[derive(Debug, Default)]
pub(super) struct Told {
    explicit: Option<Explicit>,
    places: Places,
    /// What else comes of it, each of which is told by itself.
    more: Vec<(Explicit, Places)>,
}

#[derive(Debug)]
struct Explicit {
    kind: EventKind,
    about: Option<Uuid>,
    to: To,
}

impl Told {
    /// A change that happened, and of which nobody hears.
    pub(super) fn nothing() -> Self {
        let mut told = Told::default();
        told.tell(EventKind::SectionChanged, std::iter::empty(), None, To::NOBODY);
        told
    }

    pub(super) fn is_empty(&self) -> bool {
        self.explicit.is_none()
    }

    /// Notes fields that change; of a placement, in which.
    pub(super) fn change(&mut self, fields: impl Iterator<Item = FieldId>, entry: Option<Uuid>) {
        self.places.changed.extend(fields.map(|id| Place(id, entry)));
    }

    /// Notes that who leads, or who is responsible, changes.
    pub(super) fn tie(&mut self, kind: &str) {
        let field = match kind {
            "LEAD" => "leadAgency",
            "RESPONSIBLE" => "responsibleAgency",
            _ => return,
        };
        let involvement = |id: &FieldId| id.field().source == Source::Involvement;
        self.change(Section::Responsibility.field(field).into_iter().filter(involvement), None);
    }

    fn tell(&mut self, kind: EventKind, own: impl Iterator<Item = Place>, about: Option<Uuid>, to: To) {
        self.places.own.extend(own.chain(kind.fields().iter().map(|id| Place(id, None))));
        self.explicit = Some(Explicit { kind, about, to });
    }

    fn besides(&mut self, kind: EventKind, about: Option<Uuid>, to: To) {
        let own = kind.fields().iter().map(|id| Place(id, None)).collect();
        self.more.push((Explicit { kind, about, to }, Places { own, ..Places::default() }));
    }

    /// The fields of a change that is told of as any change of a section; none where it is told of otherwise.
    pub(super) fn section_changed(&self) -> Option<Json> {
        (self.explicit.is_none() && self.more.is_empty() && !self.places.changed.is_empty())
            .then(|| self.places.to_json())
    }

    /// How many events it is told by: so far the number of the child's changes rises, so that none is without its event.
    pub(super) fn events(&self) -> i64 {
        1 + i64::try_from(self.more.len()).unwrap_or_default()
    }

    /// The statements that write its events, of which the first has the sequence that is given.
    ///
    /// # Errors
    ///
    /// A change of which nothing is told is not made.
    pub(super) fn into_events(
        self,
        backend: DbBackend,
        (child, first): (Uuid, i64),
        at: i64,
    ) -> Result<Vec<Statement>, DatabaseError> {
        let Told { explicit, places, more } = self;
        let Explicit { kind, about, to } = match explicit {
            Some(explicit) => explicit,
            None if places.changed.is_empty() => {
                return Err(DatabaseError("a change tells no event".to_owned()));
            }
            None => Explicit { kind: EventKind::SectionChanged, about: None, to: To::NOBODY },
        };
        let all = std::iter::once((Explicit { kind, about, to }, places)).chain(more);
        Ok((first..).zip(all).map(|(sequence, event)| insert(backend, (child, sequence), at, event)).collect())
    }
}

fn insert(
    backend: DbBackend,
    (child, sequence): (Uuid, i64),
    at: i64,
    (explicit, places): (Explicit, Places),
) -> Statement {
    let Explicit { kind, about, to } = explicit;
    let number = match backend {
        DbBackend::Sqlite => Expr::cust("(SELECT COALESCE(MAX(number), 0) + 1 FROM event)"),
        _ => Expr::val(None::<i64>),
    };
    let mut insert = Query::insert();
    insert.into_table(name("event")).columns(EVENT.map(name)).values_panic([
        Expr::val(child),
        Expr::val(sequence),
        Expr::val(at),
        Expr::val(kind.code()),
        Expr::val(places.to_json()),
        Expr::val(about),
        Expr::val(to.0.map(|agency| agency.0)),
        Expr::val(to.1.map(|agency| agency.0)),
        number,
    ]);
    backend.build(&insert)
}

const EVENT: [&str; 9] =
    ["child_id", "sequence", "at", "kind", "fields", "about_id", "agency_id", "other_agency_id", "number"];

impl Write {
    /// Says what the change is called in its event, which fields of the record it is about besides those by which the kind is
    /// known, and whom it is addressed to besides those who are shown one of them. What the change writes is told in any case.
    /// The last word counts.
    pub(crate) fn event(&mut self, kind: EventKind, fields: FieldSet, about: Option<Uuid>, to: impl Into<To>) {
        self.told().tell(kind, fields.iter().map(|id| Place(id, None)), about, to.into());
    }

    /// Something else that comes of the same change, and is told by an event of its own after it.
    pub(crate) fn event_besides(&mut self, kind: EventKind, about: Option<Uuid>, to: impl Into<To>) {
        self.told().besides(kind, about, to.into());
    }

    /// As [`Write::event`], about fields of a placement where one is named.
    pub(crate) fn event_on(&mut self, kind: EventKind, fields: FieldSet, entry: Option<Uuid>, about: Option<Uuid>) {
        self.told().tell(kind, fields.iter().map(|id| Place(id, entry)), about, To::NOBODY);
    }

    /// Notes flags that the change raises or lowers.
    pub(crate) fn flags(&mut self, flags: impl Iterator<Item = FieldId>) {
        self.told().change(flags, None);
    }

    /// Notes fields that are not shown any more where they were, without a change of their own.
    pub(crate) fn empties(&mut self, fields: impl Iterator<Item = FieldId>) {
        self.told().change(fields, None);
    }
}

/// An event, as it is read.
#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    pub(crate) number: i64,
    pub(crate) child: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) sequence: i64,
    pub(crate) at: i64,
    pub(crate) kind: EventKind,
    pub(crate) places: Places,
    pub(crate) about: Option<Uuid>,
    pub(crate) to: To,
}

impl Store {
    /// Numbers the events that are in force and have no number: how many it were. Another node may do so at the same time: they
    /// take turns.
    pub(crate) async fn number_events(&self) -> Result<u64, DatabaseError> {
        if self.backend() == DbBackend::Sqlite {
            return Ok(0);
        }
        let mut all = 0;
        while self.writer.query_one_raw(postgres(WAITING)).await?.is_some() {
            let transaction = self.begin().await?;
            // A statement of its own: the next one must see what the one before in this turn has numbered.
            transaction.execute_raw(postgres(&format!("SELECT pg_advisory_xact_lock({SEQUENCER})"))).await?;
            let numbered = transaction.execute_raw(postgres(&numbering())).await?.rows_affected();
            transaction.commit().await?;
            all += numbered;
        }
        Ok(all)
    }
}

const WAITING: &str = "SELECT 1 FROM event WHERE number IS NULL LIMIT 1";

fn numbering() -> String {
    format!(
        "UPDATE event SET number = fresh.number FROM (
            SELECT position,
                (SELECT COALESCE(MAX(number), 0) FROM event) + row_number() OVER (ORDER BY position) AS number
            FROM event WHERE number IS NULL ORDER BY position LIMIT {TURN}) fresh
        WHERE event.position = fresh.position"
    )
}

fn postgres(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

impl Snapshot {
    /// The number of the last event there is.
    pub(crate) async fn last_event(&self) -> Result<i64, DatabaseError> {
        let mut query = Query::select();
        query.expr(Expr::col(name("number")).max().if_null(0)).from(name("event"));
        let rows = self.rows(&query).await?;
        Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
    }

    /// The first events after a number and up to another that may concern an agency: of children that it has to do with, and
    /// such as are addressed to it, or to whoever reviews emergency accesses. Of a child that is sealed, or that the agency is
    /// kept from, there is none.
    pub(crate) async fn events(
        &self,
        agency: AgencyId,
        reviews: bool,
        (after, up_to): (i64, i64),
        limit: u64,
    ) -> Result<Vec<EventRow>, DatabaseError> {
        let column = |column: &'static str| Expr::col((name("event"), name(column)));
        let mut concerns = Cond::any()
            .add(column("agency_id").eq(agency.0))
            .add(column("other_agency_id").eq(agency.0))
            // Whether they count is decided with the rights: here they only spare the reading of what cannot.
            .add(Expr::exists(tied("involvement", agency)))
            .add(Expr::exists(tied("consent", agency)))
            .add(Expr::exists(tied("break_glass", agency)));
        if reviews {
            concerns = concerns.add(column("kind").is_in(EventKind::of_reviewers().map(EventKind::code)));
        }
        let of_child = Cond::all().add(column("child_id").equals((name("child"), name("id"))));
        let mut query = Query::select();
        query
            .columns(EVENT.map(|column| (name("event"), name(column))))
            .column((name("child"), name("subject")))
            .from(name("event"))
            .join(JoinType::InnerJoin, name("child"), of_child)
            .and_where(column("number").gt(after))
            .and_where(column("number").lte(up_to))
            .and_where(Expr::col((name("child"), name("state"))).ne(SEALED))
            .and_where(
                Expr::exists(tied("block", agency).and_where(Expr::col(name("lifted_at")).is_null()).take()).not(),
            )
            .cond_where(concerns)
            .order_by((name("event"), name("number")), Order::Asc)
            .limit(limit);
        self.rows(&query).await?.iter().map(read).collect()
    }
}

fn tied(table: &'static str, agency: AgencyId) -> SelectStatement {
    let mut query = Query::select();
    query
        .expr(Expr::val(1))
        .from(name(table))
        .and_where(Expr::col((name(table), name("child_id"))).equals((name("event"), name("child_id"))))
        .and_where(Expr::col((name(table), name("agency_id"))).eq(agency.0));
    query
}

fn read(row: &QueryResult) -> Result<EventRow, DatabaseError> {
    let kind: String = row.try_get_by_index(3)?;
    // One that a newer node wrote: that something changed is told all the same.
    let kind = EventKind::from_code(&kind).unwrap_or(EventKind::SectionChanged);
    let agency = |place| Ok::<_, DatabaseError>(row.try_get_by_index::<Option<Uuid>>(place)?.map(AgencyId));
    Ok(EventRow {
        child: row.try_get_by_index(0)?,
        sequence: row.try_get_by_index(1)?,
        at: row.try_get_by_index(2)?,
        kind,
        places: Places::from_json(row.try_get_by_index(4)?),
        about: row.try_get_by_index(5)?,
        to: To(agency(6)?, agency(7)?),
        number: row.try_get_by_index(8)?,
        subject: row.try_get_by_index(9)?,
    })
}
