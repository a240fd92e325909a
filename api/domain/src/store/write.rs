//! Writing: what a change of a child comes to is gathered first, and then made, whole, in one transaction that begins with the
//! child itself: it has still changed as often as when it was read, or nothing of it is made. So writers of one child never
//! overwrite, and hold nothing while they decide.

use super::Store;
use super::claim::{Claim, Claimed};
use super::columns::{bind, name};
use super::event::Told;
use super::quota::Quota;
use super::read::IdentifierRow;
use super::row_change::{Beside, RowChange};
use super::{roster, suggestion};
use crate::catalogue::{FieldId, FieldSet, Section, Value};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::stamps::Stamps;
use chrono::NaiveDate;
use samverka_entities::{child, identifier, involvement, revision};
use sea_orm::sea_query::{Expr, ExprTrait, InsertStatement, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
    QueryTrait as _, Statement, StatementBuilder,
};
use serde_json::Value as Json;
use tracing::{Instrument, debug_span};
use uuid::Uuid;

/// How often a change that no caller asks for is decided on, where others change the same child meanwhile.
const TRIES: usize = 16;

/// Who writes, and when.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) agency: AgencyId,
    pub(crate) user: Option<String>,
    pub(crate) at: i64,
    /// Which agency suggested it, where one did.
    pub(crate) suggested_by: Option<AgencyId>,
}

/// What a change of a child comes to. The list table follows: keys as they change, ties to agencies at the end.
pub(crate) struct Write {
    store: Store,
    child: Uuid,
    /// How often the child had changed when it was read; none for a child that is made.
    sequence: Option<i64>,
    /// When it is made, for the event. Microseconds since 1970.
    at: i64,
    effects: Vec<Effect>,
    /// What systems are told of it.
    told: Told,
    /// When the ties between the child and agencies change, if they do.
    tied: Option<i64>,
    /// Who may see what of the child changes.
    guarded: bool,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It is made, and durable.
    Done,
    /// The child has changed since it was read: nothing is made.
    Stale,
    /// It was made before under the same key, and this came of it: nothing is made.
    Before(String),
    /// The key stands for another request: nothing is made.
    Reused,
}

impl From<Claimed> for Applied {
    /// What is claimed for the first time is made with its claim.
    fn from(claimed: Claimed) -> Self {
        match claimed {
            Claimed::New => Applied::Done,
            Claimed::Before(outcome) => Applied::Before(outcome),
            Claimed::Reused => Applied::Reused,
        }
    }
}

enum Effect {
    /// The one row of a section.
    Row(RowEffect),
    Revision(RevisionEffect),
    Run(Statement),
    /// What must change something: else nothing is made, as if the child had changed.
    Must(Statement),
    /// What must be left before it is made: else nothing is made, as if the child had changed.
    Within(Quota),
    /// Fields that may not be kept go out of every revision and every suggestion on a section.
    Purge(Section, FieldSet),
}

struct RowEffect {
    section: Section,
    is_new: bool,
    changes: Vec<(FieldId, Option<Value>)>,
    stamps: Stamps,
}

struct RevisionEffect {
    section: Section,
    entry: Option<Uuid>,
    changes: Json,
    author: Author,
    /// Its place among the revisions of the change.
    place: i64,
}

impl Write {
    /// A change of a child that had changed so often when it was read.
    pub(crate) fn of(store: &Store, child: Uuid, sequence: i64, at: i64) -> Self {
        Write { sequence: Some(sequence), ..Write::of_new(store, child, at) }
    }

    /// A child that is made.
    pub(crate) fn of_new(store: &Store, child: Uuid, at: i64) -> Self {
        let (effects, told) = (Vec::new(), Told::default());
        Write { store: store.clone(), child, sequence: None, at, effects, told, tied: None, guarded: false }
    }

    /// All of it; nothing of it stays.
    pub(crate) fn take(&mut self) -> Self {
        let Write { store, child, sequence, at, effects, told, tied, guarded } = self;
        let (effects, told, tied) = (std::mem::take(effects), std::mem::take(told), tied.take());
        let guarded = std::mem::take(guarded);
        Write { store: store.clone(), child: *child, sequence: *sequence, at: *at, effects, told, tied, guarded }
    }

    /// Notes that who may see what of the child changes: answers that were decided before are not released any more.
    pub(super) fn guard(&mut self) {
        self.guarded = true;
    }

    /// Whether who may see what of the child changes by this.
    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded || self.tied.is_some()
    }

    /// Notes that the ties between a child and agencies change.
    pub(super) fn tie(&mut self, kind: &str, at: i64) {
        self.tied = Some(at);
        self.told.tie(kind);
    }

    /// Whether it changes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.effects.is_empty() && self.told.is_empty()
    }

    pub(super) fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    pub(super) fn run(&mut self, statement: &impl StatementBuilder) {
        self.effects.push(Effect::Run(self.store.backend().build(statement)));
    }

    /// Nothing of the change is made if the quota is used up: it is decided on anew.
    pub(super) fn within(&mut self, quota: Quota) {
        self.effects.push(Effect::Within(quota));
    }

    /// As [`Write::run`], of what must change something: else nothing of the change is made, and it is decided on anew.
    pub(super) fn must(&mut self, statement: &impl StatementBuilder) {
        self.effects.push(Effect::Must(self.store.backend().build(statement)));
    }

    /// Writes the changed columns of a section's row, or makes the row.
    pub(crate) fn put_row(
        &mut self,
        section: Section,
        changes: Vec<(FieldId, Option<Value>)>,
        stamps: Stamps,
        is_new: bool,
    ) {
        self.guarded |= is_guarding(section);
        if let Some(update) = roster::update(self.child, roster::changed(section, &changes)) {
            self.run(&update);
        }
        self.told.change(changes.iter().map(|(id, _)| *id), None);
        self.effects.push(Effect::Row(RowEffect { section, is_new, changes, stamps }));
    }

    /// Writes the changed columns of a placement, or makes it.
    pub(crate) fn put_placement(
        &mut self,
        id: Uuid,
        valid_to: Option<NaiveDate>,
        changes: &[(FieldId, Option<Value>)],
        stamps: &Stamps,
        is_new: bool,
    ) {
        let fixed = vec![
            (name("child_id"), Expr::val(self.child)),
            (name("id"), Expr::val(id)),
            (name("valid_to"), Expr::val(valid_to)),
        ];
        self.told.change(changes.iter().map(|(id, _)| *id), Some(id));
        let put = put(self.store.backend(), Section::Placement, (name("id"), id), fixed, changes, stamps, is_new);
        self.effects.push(Effect::Run(put));
    }

    /// Takes fields out of every revision and every suggestion on a section.
    pub(crate) fn purge(&mut self, section: Section, fields: FieldSet) {
        self.effects.push(Effect::Purge(section, fields));
    }

    /// Keeps who wrote what when.
    pub(crate) fn revise(&mut self, section: Section, entry: Option<Uuid>, changes: Json, author: Author) {
        let names = changes.as_object().into_iter().flat_map(|changes| changes.keys());
        self.told.change(names.filter_map(|name| section.field(name)), entry);
        let place = self.effects.iter().filter(|effect| matches!(effect, Effect::Revision(_))).count() as i64;
        self.effects.push(Effect::Revision(RevisionEffect { section, entry, changes, author, place }));
    }

    pub(crate) fn insert_identifier(&mut self, row: IdentifierRow) {
        let IdentifierRow { id, child, kind, value, identity_level, valid_from, valid_to, stamps } = row;
        let row = identifier::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            kind: Set(kind.code().to_owned()),
            value: Set(value),
            identity_level: Set(identity_level),
            valid_from: Set(valid_from),
            valid_to: Set(valid_to),
            stamps: Set(stamps.to_json()),
        };
        self.run(&identifier::Entity::insert(row).into_query());
    }

    pub(crate) fn end_identifier(&mut self, id: Uuid, to: NaiveDate, stamps: &Stamps) {
        let update = identifier::Entity::update_many()
            .col_expr(identifier::Column::ValidTo, Expr::val(to))
            .col_expr(identifier::Column::Stamps, Expr::val(stamps.to_json()))
            .filter(identifier::Column::Id.eq(id));
        self.run(&update.into_query());
    }

    /// With the child its lead begins: the database opens that tie itself.
    pub(crate) fn insert_child(&mut self, subject: Uuid, lead: AgencyId, at: i64) {
        let row = child::ActiveModel {
            id: Set(self.child),
            subject: Set(subject),
            lead_agency_id: Set(lead.0),
            lead_since: Set(at),
            state: Set("ACTIVE".to_owned()),
            registered_at: Set(at),
            sequence: Set(1),
            epoch: Set(0),
        };
        self.tied = Some(at);
        self.run(&child::Entity::insert(row).into_query());
    }

    pub(crate) fn open_involvement(&mut self, id: Uuid, agency: AgencyId, kind: &str, at: i64) {
        self.tie(kind, at);
        let row = involvement::ActiveModel {
            id: Set(id),
            child_id: Set(self.child),
            agency_id: Set(agency.0),
            unit: Set(None),
            kind: Set(kind.to_owned()),
            opened_at: Set(at),
            closed_at: Set(None),
        };
        self.run(&involvement::Entity::insert(row).into_query());
    }

    /// Closes the open involvements of a kind.
    pub(crate) fn close_involvements(&mut self, kind: &str, at: i64) {
        self.tie(kind, at);
        let update = involvement::Entity::update_many()
            .col_expr(involvement::Column::ClosedAt, Expr::val(at))
            .filter(involvement::Column::ChildId.eq(self.child))
            .filter(involvement::Column::Kind.eq(kind))
            .filter(involvement::Column::ClosedAt.is_null());
        self.run(&update.into_query());
    }

    pub(super) fn child(&self) -> Uuid {
        self.child
    }

    /// Makes all of it, durably, or nothing; of what is claimed, once.
    pub(crate) async fn apply(self, claim: Option<&Claim>) -> Result<Applied, DatabaseError> {
        if self.is_empty() && claim.is_none() {
            return Ok(Applied::Done);
        }
        if claim.is_none()
            && let Some(change) = self.of_one_row()
        {
            return self.store.make_row(change).await;
        }
        // On the heap: most changes are made without one.
        Box::pin(self.apply_in_transaction(claim)).await
    }

    async fn apply_in_transaction(self, claim: Option<&Claim>) -> Result<Applied, DatabaseError> {
        let transaction = self.store.begin().instrument(debug_span!("begin")).await?;
        let applied = self.apply_in(&transaction, claim).await?;
        if applied != Applied::Done {
            transaction.rollback().await?;
            return Ok(applied);
        }
        #[cfg(debug_assertions)]
        if crate::fault::is_planted() {
            tokio::spawn(async {
                crate::fault::hold().await;
                transaction.commit().await
            });
            return Ok(applied);
        }
        transaction.commit().instrument(debug_span!("commit")).await?;
        Ok(applied)
    }

    async fn apply_in(
        self,
        transaction: &DatabaseTransaction,
        claim: Option<&Claim>,
    ) -> Result<Applied, DatabaseError> {
        let (is_empty, is_guarded) = (self.is_empty(), self.is_guarded());
        let Write { store, child, sequence, at, effects, told, tied, guarded: _ } = self;
        if let Some(sequence) = sequence
            && !is_empty
            && !step(transaction, child, (sequence, told.events()), is_guarded).await?
        {
            return Ok(Applied::Stale);
        }
        if let Some(claim) = claim {
            match claim.make(transaction).await? {
                Claimed::New => {}
                Claimed::Before(outcome) => return Ok(Applied::Before(outcome)),
                Claimed::Reused => return Ok(Applied::Reused),
            }
        }
        for effect in effects {
            match effect {
                Effect::Row(row) => {
                    let RowEffect { section, is_new, changes, stamps } = row;
                    let fixed = vec![(name("child_id"), child.into())];
                    let put =
                        put(store.backend(), section, (name("child_id"), child), fixed, &changes, &stamps, is_new);
                    transaction.execute_raw(put).await?;
                }
                Effect::Revision(revision) => _ = transaction.execute(&revision.insert(child, sequence)).await?,
                Effect::Run(statement) => _ = transaction.execute_raw(statement).await?,
                Effect::Must(statement) => {
                    if transaction.execute_raw(statement).await?.rows_affected() == 0 {
                        return Ok(Applied::Stale);
                    }
                }
                Effect::Within(quota) => {
                    if !quota.is_left(transaction).await? {
                        return Ok(Applied::Stale);
                    }
                }
                Effect::Purge(section, fields) => {
                    suggestion::purge(transaction, section, child, fields).await?;
                    purge_revisions(transaction, section, child, fields).await?;
                }
            }
        }
        if let Some(at) = tied {
            roster::refresh(transaction, &[child], at).await?;
        }
        if !is_empty {
            let first = sequence.map_or(1, |sequence| sequence + 1);
            for event in told.into_events(store.backend(), (child, first), at)? {
                transaction.execute_raw(event).await?;
            }
        }
        Ok(Applied::Done)
    }

    /// PostgreSQL takes the row of a section with its revision and its event in one statement, with others of the kind.
    /// Anything else is made in a transaction, because the parts of one statement do not see what the others did.
    fn of_one_row(&self) -> Option<RowChange> {
        let ([Effect::Row(row), Effect::Revision(revision)], Some(sequence), None) =
            (self.effects.as_slice(), self.sequence, self.tied)
        else {
            return None;
        };
        let concerns = self.told.section_changed()?;
        let RowEffect { section, is_new, changes, stamps } = row;
        if self.store.backend() != DbBackend::Postgres || *section != revision.section {
            return None;
        }
        let (author, told) = (&revision.author, &revision.changes);
        let (number, stamps) = (revision.number(Some(sequence)), stamps.to_json());
        let beside = Beside { sequence, at: self.at, number, author, told, stamps, concerns };
        Some(RowChange::new(self.child, *section, *is_new, changes, beside))
    }
}

/// Whether the section decides who may see what of a child.
pub(super) fn is_guarding(section: Section) -> bool {
    section == Section::Protection
}

/// Raises the number of changes of a child by as many events as tell of it, if it is still this one, and with it the epoch, where who may see what changes:
/// answers that were decided before are stale from then on. From here on whoever else changes the child waits.
async fn step(
    transaction: &DatabaseTransaction,
    child: Uuid,
    (sequence, events): (i64, i64),
    is_guarded: bool,
) -> Result<bool, DatabaseError> {
    let mut update = Query::update();
    if is_guarded {
        update.value(name("epoch"), Expr::col(name("epoch")).add(1));
    }
    update
        .table(name("child"))
        .value(name("sequence"), sequence + events)
        .and_where(Expr::col(name("id")).eq(child))
        .and_where(Expr::col(name("sequence")).eq(sequence));
    Ok(transaction.execute(&update).await?.rows_affected() == 1)
}

fn put(
    backend: DbBackend,
    section: Section,
    key: (sea_orm::sea_query::Alias, Uuid),
    mut columns: Vec<(sea_orm::sea_query::Alias, Expr)>,
    changes: &[(FieldId, Option<Value>)],
    stamps: &Stamps,
    is_new: bool,
) -> Statement {
    columns.push((name("stamps"), Expr::val(stamps.to_json())));
    columns.extend(changes.iter().map(|(id, value)| (name(id.field().column), bind(*id, value.as_ref()))));
    if is_new {
        let mut insert = Query::insert();
        let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        insert.into_table(name(section.table())).columns(names).values_panic(values);
        backend.build(&insert)
    } else {
        let mut update = Query::update();
        update.table(name(section.table())).values(columns).and_where(Expr::col(key.0).eq(key.1));
        backend.build(&update)
    }
}

impl RevisionEffect {
    /// Numbers grow with the child's changes, so that a child that has changed so often needs no look at its history.
    fn number(&self, sequence: Option<i64>) -> i64 {
        (sequence.map_or(1, |before| before + 1) << PLACE_BITS) + self.place
    }

    fn insert(self, child: Uuid, sequence: Option<i64>) -> InsertStatement {
        let number = self.number(sequence);
        let RevisionEffect { section, entry, changes, author, place: _ } = self;
        let row = revision::ActiveModel {
            child_id: Set(child),
            section: Set(section.name().to_owned()),
            number: Set(number),
            at: Set(author.at),
            agency_id: Set(author.agency.0),
            user_ref: Set(author.user),
            entry_id: Set(entry),
            changes: Set(changes),
            suggested_by: Set(author.suggested_by.map(|agency| agency.0)),
        };
        revision::Entity::insert(row).into_query()
    }
}

/// Room for the revisions of one change in their numbers.
const PLACE_BITS: u32 = 16;

/// Takes fields out of every revision of a section of a child.
async fn purge_revisions(
    transaction: &DatabaseTransaction,
    section: Section,
    child: Uuid,
    fields: FieldSet,
) -> Result<(), DatabaseError> {
    let rows = revision::Entity::find()
        .filter(revision::Column::ChildId.eq(child))
        .filter(revision::Column::Section.eq(section.name()))
        .all(transaction)
        .await?;
    for mut row in rows {
        let Some(changes) = row.changes.as_object_mut() else { continue };
        let before = changes.len();
        changes.retain(|field, _| !fields.iter().any(|id| id.field().name == field));
        if changes.len() == before {
            continue;
        }
        let changed = revision::ActiveModel { changes: Set(row.changes.clone()), ..row.into() };
        revision::Entity::update(changed).exec(transaction).await?;
    }
    Ok(())
}

impl Store {
    /// Makes a change of a child that no caller asks for. `decide` is asked again, about the child as it is then, until the child
    /// does not change in between; it gives nothing where there is nothing to change. Whether a change was made.
    pub(super) async fn change_unasked<D>(
        &self,
        child: Uuid,
        at: i64,
        decide: impl Fn(Write) -> D,
    ) -> Result<bool, DatabaseError>
    where
        D: Future<Output = Result<Option<Write>, DatabaseError>>,
    {
        for _ in 0..TRIES {
            let mut query = Query::select();
            query.column(name("sequence")).from(name("child")).and_where(Expr::col(name("id")).eq(child));
            let Some(row) = self.writer.query_one(&query).await? else { return Ok(false) };
            let Some(write) = decide(Write::of(self, child, row.try_get_by_index(0)?, at)).await? else {
                return Ok(false);
            };
            if write.apply(None).await? == Applied::Done {
                return Ok(true);
            }
        }
        Err(DatabaseError("the child is changed all the time".to_owned()))
    }

    /// Makes what is of no child, durably, or nothing; of what is claimed, once. Nothing is made, and `Stale` is what comes of it, where
    /// it would change nothing, and where the quota is used up.
    pub(super) async fn apply_apart(
        &self,
        statement: &impl StatementBuilder,
        claim: Option<&Claim>,
        quota: Option<&Quota>,
    ) -> Result<Applied, DatabaseError> {
        let statement = self.backend().build(statement);
        let transaction = self.begin().instrument(debug_span!("begin")).await?;
        let applied = match claim {
            Some(claim) => Applied::from(claim.make(&transaction).await?),
            None => Applied::Done,
        };
        let is_left = match quota {
            Some(quota) if applied == Applied::Done => quota.is_left(&transaction).await?,
            _ => true,
        };
        let applied = match applied {
            Applied::Done if !is_left => Applied::Stale,
            Applied::Done if transaction.execute_raw(statement).await?.rows_affected() == 0 => Applied::Stale,
            applied => applied,
        };
        if applied == Applied::Done {
            transaction.commit().instrument(debug_span!("commit")).await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(applied)
    }

    async fn make_row(&self, change: RowChange) -> Result<Applied, DatabaseError> {
        let Some(direct) = &self.direct else { return Err(DatabaseError("there is nothing to write by".to_owned())) };
        #[cfg(debug_assertions)]
        if crate::fault::is_planted() {
            let changes = direct.changes.clone();
            tokio::spawn(async move {
                crate::fault::hold().await;
                changes.make(change).await
            });
            return Ok(Applied::Done);
        }
        direct.changes.make(change).instrument(debug_span!("commit")).await
    }
}
