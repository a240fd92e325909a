//! Suggested corrections, with their fields.

use super::columns::name;
use super::read::Snapshot;
use super::reading::{Rows, models};
use super::write::{Author, Write};
use crate::catalogue::{FieldId, FieldSet, Section};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::suggestion::{Change, Outcome};
use samverka_entities::{suggestion, suggestion_field};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait as _,
};
use serde_json::Value as Json;
use std::collections::HashMap;
use uuid::Uuid;

/// A suggestion with all its fields.
#[derive(Clone, Debug)]
pub(crate) struct SuggestionRow {
    pub(crate) id: Uuid,
    pub(crate) child: Uuid,
    pub(crate) section: Section,
    /// The placement it is about.
    pub(crate) entry: Option<Uuid>,
    pub(crate) at: i64,
    pub(crate) agency: AgencyId,
    pub(crate) role: String,
    pub(crate) user: Option<String>,
    pub(crate) comment: Option<String>,
    /// In the order of the catalogue.
    pub(crate) fields: Vec<SuggestedRow>,
}

/// A field of a suggestion.
#[derive(Clone, Debug)]
pub(crate) struct SuggestedRow {
    pub(crate) field: FieldId,
    pub(crate) change: Change,
    /// In its normal form, as JSON.
    pub(crate) value: Option<Json>,
    pub(crate) outcome: Outcome,
    pub(crate) decided_at: Option<i64>,
    pub(crate) decided_by: Option<AgencyId>,
    pub(crate) reason: Option<String>,
}

impl SuggestedRow {
    /// Whether there is still something to accept: a value that may not be kept is gone for good.
    pub(crate) fn is_whole(&self) -> bool {
        self.change == Change::Clear || self.value.is_some()
    }
}

impl Snapshot {
    /// A suggestion by its id.
    pub(crate) async fn suggestion(&self, id: Uuid) -> Result<Option<SuggestionRow>, DatabaseError> {
        by_id(self, id).await
    }

    /// The suggestions on a child, latest first, from `before` on.
    pub(crate) async fn suggestions(
        &self,
        child: Uuid,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<SuggestionRow>, DatabaseError> {
        let mut query = suggestion::Entity::find()
            .filter(suggestion::Column::ChildId.eq(child))
            .order_by_desc(suggestion::Column::At)
            .order_by_desc(suggestion::Column::Id)
            .limit(limit);
        if let Some((at, id)) = before {
            let same = Cond::all().add(suggestion::Column::At.eq(at)).add(suggestion::Column::Id.lt(id));
            query = query.filter(Cond::any().add(suggestion::Column::At.lt(at)).add(same));
        }
        with_fields(self, models(self, query).await?).await
    }

    /// How many suggestions an agency has made on a child after an instant.
    pub(crate) async fn suggestions_since(
        &self,
        child: Uuid,
        agency: AgencyId,
        after: i64,
    ) -> Result<u64, DatabaseError> {
        let mut count = Query::select();
        count
            .expr(Expr::col(name("id")).count())
            .from(name("suggestion"))
            .and_where(Expr::col(name("child_id")).eq(child))
            .and_where(Expr::col(name("agency_id")).eq(agency.0))
            .and_where(Expr::col(name("at")).gt(after));
        let rows = self.rows(&count).await?;
        let counted: Option<i64> = rows.first().map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(counted.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
    }
}

impl Write {
    pub(crate) fn insert_suggestion(&mut self, row: SuggestionRow) {
        let SuggestionRow { id, child, section, entry, at, agency, role, user, comment, fields } = row;
        let row = suggestion::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            section: Set(section.name().to_owned()),
            entry_id: Set(entry),
            at: Set(at),
            agency_id: Set(agency.0),
            role: Set(role),
            user_ref: Set(user),
            comment: Set(comment),
        };
        self.run(&suggestion::Entity::insert(row).into_query());
        let fields = fields.into_iter().map(|suggested| {
            let SuggestedRow { field, change, value, outcome, decided_at, decided_by, reason } = suggested;
            suggestion_field::ActiveModel {
                suggestion_id: Set(id),
                field: Set(field.field().name.to_owned()),
                change: Set(change.code().to_owned()),
                value: Set(value),
                state: Set(outcome.code().to_owned()),
                decided_at: Set(decided_at),
                decided_by: Set(decided_by.map(|agency| agency.0)),
                decided_user: Set(None),
                reason: Set(reason),
            }
        });
        self.run(&suggestion_field::Entity::insert_many(fields).into_query());
    }

    /// Notes what became of some open fields of a suggestion.
    pub(crate) fn decide(
        &mut self,
        id: Uuid,
        fields: FieldSet,
        outcome: Outcome,
        reason: Option<&str>,
        author: &Author,
    ) {
        let names = fields.iter().map(|id| id.field().name);
        let update = suggestion_field::Entity::update_many()
            .col_expr(suggestion_field::Column::State, Expr::val(outcome.code()))
            .col_expr(suggestion_field::Column::DecidedAt, Expr::val(author.at))
            .col_expr(suggestion_field::Column::DecidedBy, Expr::val(author.agency.0))
            .col_expr(suggestion_field::Column::DecidedUser, Expr::val(author.user.clone()))
            .col_expr(suggestion_field::Column::Reason, Expr::val(reason.map(str::to_owned)))
            .filter(suggestion_field::Column::SuggestionId.eq(id))
            .filter(suggestion_field::Column::Field.is_in(names))
            .filter(suggestion_field::Column::State.eq(Outcome::Open.code()));
        self.run(&update.into_query());
    }
}

/// Empties fields in every suggestion on a section of a child. The words beside them may tell the same, and go, too.
/// The suggestion stays: that it was gone would tell its suggester of the protection.
pub(super) async fn purge(
    transaction: &DatabaseTransaction,
    section: Section,
    child: Uuid,
    fields: FieldSet,
) -> Result<(), DatabaseError> {
    let all = suggestion::Entity::find()
        .filter(suggestion::Column::ChildId.eq(child))
        .filter(suggestion::Column::Section.eq(section.name()))
        .all(transaction)
        .await?;
    for row in with_fields(transaction, all).await? {
        if !row.fields.iter().any(|suggested| fields.contains(suggested.field)) {
            continue;
        }
        suggestion_field::Entity::update_many()
            .col_expr(suggestion_field::Column::Value, Expr::val(None::<Json>))
            .filter(suggestion_field::Column::SuggestionId.eq(row.id))
            .filter(suggestion_field::Column::Field.is_in(fields.iter().map(|id| id.field().name)))
            .exec(transaction)
            .await?;
        unword(transaction, row.id).await?;
    }
    Ok(())
}

/// Empties the comment of a suggestion and the reasons beside its fields.
async fn unword(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), DatabaseError> {
    suggestion::Entity::update_many()
        .col_expr(suggestion::Column::Comment, Expr::val(None::<String>))
        .filter(suggestion::Column::Id.eq(id))
        .exec(transaction)
        .await?;
    suggestion_field::Entity::update_many()
        .col_expr(suggestion_field::Column::Reason, Expr::val(None::<String>))
        .filter(suggestion_field::Column::SuggestionId.eq(id))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn by_id(database: &impl Rows, id: Uuid) -> Result<Option<SuggestionRow>, DatabaseError> {
    let found = models(database, suggestion::Entity::find().filter(Expr::col(name("id")).eq(id))).await?;
    Ok(with_fields(database, found).await?.pop())
}

async fn with_fields(database: &impl Rows, rows: Vec<suggestion::Model>) -> Result<Vec<SuggestionRow>, DatabaseError> {
    let ids = rows.iter().map(|row| row.id);
    let fields = suggestion_field::Entity::find().filter(suggestion_field::Column::SuggestionId.is_in(ids));
    let mut by_suggestion: HashMap<Uuid, Vec<suggestion_field::Model>> = HashMap::new();
    if !rows.is_empty() {
        for field in models(database, fields).await? {
            by_suggestion.entry(field.suggestion_id).or_default().push(field);
        }
    }
    rows.into_iter().map(|row| read(by_suggestion.remove(&row.id).unwrap_or_default(), row)).collect()
}

fn read(fields: Vec<suggestion_field::Model>, row: suggestion::Model) -> Result<SuggestionRow, DatabaseError> {
    let suggestion::Model { id, child_id, section, entry_id, at, agency_id, role, user_ref, comment } = row;
    let section = Section::by_name(&section).ok_or_else(|| DatabaseError("a stored section is unknown".to_owned()))?;
    let mut fields =
        fields.into_iter().map(|field| read_field(section, field)).collect::<Result<Vec<SuggestedRow>, _>>()?;
    fields.sort_by_key(|suggested| suggested.field);
    Ok(SuggestionRow {
        id,
        child: child_id,
        section,
        entry: entry_id,
        at,
        agency: AgencyId(agency_id),
        role,
        user: user_ref,
        comment,
        fields,
    })
}

fn read_field(section: Section, row: suggestion_field::Model) -> Result<SuggestedRow, DatabaseError> {
    let unknown = || DatabaseError("a stored suggestion is unknown".to_owned());
    let suggestion_field::Model { suggestion_id: _, field, change, value, state, .. } = row;
    Ok(SuggestedRow {
        field: section.field(&field).ok_or_else(unknown)?,
        change: Change::from_code(&change).ok_or_else(unknown)?,
        value: value.filter(|value| !value.is_null()),
        outcome: Outcome::from_code(&state).ok_or_else(unknown)?,
        decided_at: row.decided_at,
        decided_by: row.decided_by.map(AgencyId),
        reason: row.reason,
    })
}
