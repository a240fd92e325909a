//! Writing: a transaction in which a child's row is locked first, so that writers of one child wait
//! for each other and never overwrite.

use super::columns::{bind, name};
use super::read::{IdentifierRow, Party, Row, Standing, identifiers, section_rows, standings};
use super::roster;
use crate::catalogue::{FieldId, FieldSet, IdentifierKind, Section, Value};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::stamps::Stamps;
use chrono::NaiveDate;
use samverka_entities::{child, identifier, involvement, revision};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter,
};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use tracing::Instrument;
use uuid::Uuid;

/// Who writes, and when.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) agency: AgencyId,
    pub(crate) user: Option<String>,
    pub(crate) at: i64,
    /// Which agency suggested it, where one did.
    pub(crate) suggested_by: Option<AgencyId>,
}

/// A transaction that writes. The list table follows: keys as they change, ties to agencies at the commit.
pub(crate) struct Write {
    transaction: DatabaseTransaction,
    /// The children whose ties have changed, and when.
    tied: Mutex<BTreeMap<Uuid, i64>>,
    /// The children of which who may see what changes.
    guarded: Mutex<BTreeSet<Uuid>>,
}

impl Write {
    pub(super) fn new(transaction: DatabaseTransaction) -> Self {
        Write { transaction, tied: Mutex::default(), guarded: Mutex::default() }
    }

    pub(super) fn transaction(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Makes everything of it durable.
    pub(crate) async fn commit(self) -> Result<(), DatabaseError> {
        let Write { transaction, tied, guarded } = self;
        let mut guarded = guarded.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (child, at) in tied.into_inner().unwrap_or_else(PoisonError::into_inner) {
            roster::refresh(&transaction, &[child], at).await?;
            guarded.insert(child);
        }
        for child in guarded {
            raise_epoch(&transaction, child).await?;
        }
        #[cfg(debug_assertions)]
        if crate::fault::is_planted() {
            tokio::spawn(async {
                crate::fault::hold().await;
                transaction.commit().await
            });
            return Ok(());
        }
        Ok(transaction.commit().instrument(tracing::debug_span!("commit")).await?)
    }

    /// Notes that who may see what of a child changes: answers that were decided before are not released any more.
    pub(super) fn guard(&self, child: Uuid) {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner).insert(child);
    }

    /// Whether who may see what of a child changes by this.
    pub(crate) fn is_guarded(&self) -> bool {
        !self.guarded.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
            || !self.tied.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Notes that the ties between a child and agencies change.
    pub(super) fn tie(&self, child: Uuid, at: i64) {
        self.tied.lock().unwrap_or_else(PoisonError::into_inner).insert(child, at);
    }

    /// Locks a child against other writers until the end of the transaction. Whether it is there.
    pub(crate) async fn lock(&self, child: Uuid) -> Result<bool, DatabaseError> {
        let mut query = Query::select();
        query.column(name("id")).from(name("child")).and_where(Expr::col(name("id")).eq(child));
        if self.transaction.get_database_backend() == DbBackend::Postgres {
            query.lock(LockType::NoKeyUpdate);
        }
        Ok(self.transaction.query_one(&query).await?.is_some())
    }

    pub(crate) async fn standing(
        &self,
        party: impl Into<Party<'_>>,
        child: Uuid,
        now: i64,
        with_consents: bool,
    ) -> Result<Option<Standing>, DatabaseError> {
        Ok(standings(&self.transaction, party.into(), &[child], now, with_consents).await?.into_iter().next())
    }

    /// Every row of a section of a child, with every column.
    pub(crate) async fn rows(&self, section: Section, child: Uuid) -> Result<Vec<Row>, DatabaseError> {
        section_rows(&self.transaction, section, &[child]).await
    }

    pub(crate) async fn identifiers(&self, child: Uuid) -> Result<Vec<IdentifierRow>, DatabaseError> {
        identifiers(&self.transaction, &[child], &IdentifierKind::ALL).await
    }

    /// The agency that is responsible for the child now.
    pub(crate) async fn responsible(&self, child: Uuid) -> Result<Option<AgencyId>, DatabaseError> {
        let open = involvement::Entity::find()
            .filter(involvement::Column::ChildId.eq(child))
            .filter(involvement::Column::Kind.eq("RESPONSIBLE"))
            .filter(involvement::Column::ClosedAt.is_null())
            .one(&self.transaction)
            .await?;
        Ok(open.map(|row| AgencyId(row.agency_id)))
    }

    /// Writes the changed columns of a section's row, or makes the row.
    pub(crate) async fn put_row(
        &self,
        section: Section,
        child: Uuid,
        changes: &[(FieldId, Option<Value>)],
        stamps: &Stamps,
        is_new: bool,
    ) -> Result<(), DatabaseError> {
        let key = (name("child_id"), child);
        if section == Section::Protection {
            self.guard(child);
        }
        roster::update(&self.transaction, child, roster::changed(section, changes)).await?;
        self.put(section, key, vec![(name("child_id"), child.into())], changes, stamps, is_new).await
    }

    /// Writes the changed columns of a placement, or makes it.
    pub(crate) async fn put_placement(
        &self,
        child: Uuid,
        id: Uuid,
        valid_to: Option<NaiveDate>,
        changes: &[(FieldId, Option<Value>)],
        stamps: &Stamps,
        is_new: bool,
    ) -> Result<(), DatabaseError> {
        let fixed = vec![
            (name("child_id"), Expr::val(child)),
            (name("id"), Expr::val(id)),
            (name("valid_to"), Expr::val(valid_to)),
        ];
        self.put(Section::Placement, (name("id"), id), fixed, changes, stamps, is_new).await
    }

    async fn put(
        &self,
        section: Section,
        key: (sea_orm::sea_query::Alias, Uuid),
        mut columns: Vec<(sea_orm::sea_query::Alias, Expr)>,
        changes: &[(FieldId, Option<Value>)],
        stamps: &Stamps,
        is_new: bool,
    ) -> Result<(), DatabaseError> {
        columns.push((name("stamps"), Expr::val(stamps.to_json())));
        columns.extend(changes.iter().map(|(id, value)| (name(id.field().column), bind(*id, value.as_ref()))));
        if is_new {
            let mut insert = Query::insert();
            let (names, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
            insert.into_table(name(section.table())).columns(names).values_panic(values);
            self.transaction.execute(&insert).await?;
        } else {
            let mut update = Query::update();
            update.table(name(section.table())).values(columns).and_where(Expr::col(key.0).eq(key.1));
            self.transaction.execute(&update).await?;
        }
        Ok(())
    }

    /// Takes fields out of every revision of a section of a child.
    pub(crate) async fn purge_revisions(
        &self,
        section: Section,
        child: Uuid,
        fields: FieldSet,
    ) -> Result<(), DatabaseError> {
        let rows = revision::Entity::find()
            .filter(revision::Column::ChildId.eq(child))
            .filter(revision::Column::Section.eq(section.name()))
            .all(&self.transaction)
            .await?;
        for mut row in rows {
            let Some(changes) = row.changes.as_object_mut() else { continue };
            let before = changes.len();
            changes.retain(|field, _| !fields.iter().any(|id| id.field().name == field));
            if changes.len() == before {
                continue;
            }
            let changed = revision::ActiveModel { changes: Set(row.changes.clone()), ..row.into() };
            revision::Entity::update(changed).exec(&self.transaction).await?;
        }
        Ok(())
    }

    /// Keeps who wrote what when.
    pub(crate) async fn revise(
        &self,
        section: Section,
        child: Uuid,
        entry: Option<Uuid>,
        changes: Json,
        author: &Author,
    ) -> Result<(), DatabaseError> {
        let number = Expr::col(name("number")).max().if_null(0).add(1);
        let mut row = Query::select();
        row.expr(Expr::val(child)).expr(Expr::val(section.name())).expr(number).expr(Expr::val(author.at));
        row.expr(Expr::val(author.agency.0)).expr(Expr::val(author.user.clone()));
        row.expr(Expr::val(entry)).expr(Expr::val(changes));
        row.expr(Expr::val(author.suggested_by.map(|agency| agency.0))).from(name("revision"));
        row.and_where(Expr::col(name("child_id")).eq(child)).and_where(Expr::col(name("section")).eq(section.name()));
        let mut insert = Query::insert();
        let columns =
            ["child_id", "section", "number", "at", "agency_id", "user_ref", "entry_id", "changes", "suggested_by"];
        insert.into_table(name("revision")).columns(columns.map(name));
        insert.select_from(row).map_err(|_| DatabaseError("a revision cannot be kept".to_owned()))?;
        self.transaction.execute(&insert).await?;
        Ok(())
    }

    pub(crate) async fn insert_identifier(&self, row: IdentifierRow) -> Result<(), DatabaseError> {
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
        identifier::Entity::insert(row).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    pub(crate) async fn end_identifier(&self, id: Uuid, to: NaiveDate, stamps: &Stamps) -> Result<(), DatabaseError> {
        let row = identifier::ActiveModel {
            id: Set(id),
            valid_to: Set(Some(to)),
            stamps: Set(stamps.to_json()),
            ..Default::default()
        };
        identifier::Entity::update(row).exec(&self.transaction).await?;
        Ok(())
    }

    pub(crate) async fn insert_child(
        &self,
        id: Uuid,
        subject: Uuid,
        lead: AgencyId,
        at: i64,
    ) -> Result<(), DatabaseError> {
        let row = child::ActiveModel {
            id: Set(id),
            subject: Set(subject),
            lead_agency_id: Set(lead.0),
            state: Set("ACTIVE".to_owned()),
            registered_at: Set(at),
            epoch: Set(0),
        };
        self.tie(id, at);
        child::Entity::insert(row).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    pub(crate) async fn open_involvement(
        &self,
        id: Uuid,
        child: Uuid,
        agency: AgencyId,
        kind: &str,
        at: i64,
    ) -> Result<(), DatabaseError> {
        self.tie(child, at);
        let row = involvement::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            agency_id: Set(agency.0),
            unit: Set(None),
            kind: Set(kind.to_owned()),
            opened_at: Set(at),
            closed_at: Set(None),
        };
        involvement::Entity::insert(row).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    /// Closes the open involvements of a kind.
    pub(crate) async fn close_involvements(&self, child: Uuid, kind: &str, at: i64) -> Result<(), DatabaseError> {
        self.tie(child, at);
        involvement::Entity::update_many()
            .col_expr(involvement::Column::ClosedAt, Expr::val(at))
            .filter(involvement::Column::ChildId.eq(child))
            .filter(involvement::Column::Kind.eq(kind))
            .filter(involvement::Column::ClosedAt.is_null())
            .exec(&self.transaction)
            .await?;
        Ok(())
    }
}

/// From now on answers about the child that were decided before are stale.
pub(super) async fn raise_epoch(database: &DatabaseTransaction, child: Uuid) -> Result<(), DatabaseError> {
    child::Entity::update_many()
        .col_expr(child::Column::Epoch, Expr::col(child::Column::Epoch).add(1))
        .filter(child::Column::Id.eq(child))
        .exec(database)
        .await?;
    Ok(())
}
