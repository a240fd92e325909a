//! What was handed in about children, known to the hub or not. Whom it is about is looked for behind the answer, so that the
//! answer cannot tell whether the child is there.

use super::columns::name;
use super::reading::{Rows, models};
use super::{Snapshot, Store, Write};
use crate::catalogue::IdentifierKind;
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::policy::Role;
use crate::submission::{Feedback, Kind, State};
use chrono::NaiveDate;
use samverka_entities::{sighting, submission};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

/// How the child was named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Named {
    /// Kind and number, in its normal form.
    pub(crate) identifier: Option<(String, String)>,
    pub(crate) name: Option<String>,
    pub(crate) birth_date: Option<NaiveDate>,
    pub(crate) description: Option<String>,
}

/// What was handed in.
#[derive(Clone, Debug)]
pub(crate) struct SubmissionRow {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) at: i64,
    pub(crate) agency: AgencyId,
    pub(crate) role: Role,
    pub(crate) user: Option<String>,
    /// The child that it was found to be about.
    pub(crate) child: Option<Uuid>,
    pub(crate) named: Named,
    pub(crate) municipality: Option<String>,
    pub(crate) seen_at: Option<i64>,
    pub(crate) place: Option<String>,
    pub(crate) text: String,
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) feedback: Option<Feedback>,
    pub(crate) decided_at: Option<i64>,
    /// What it is a copy of.
    pub(crate) copy_of: Option<Uuid>,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) state: State,
    pub(crate) child: Option<Uuid>,
    pub(crate) reason: Option<String>,
    pub(crate) feedback: Option<Feedback>,
    pub(crate) at: i64,
    pub(crate) by: AgencyId,
    pub(crate) user: Option<String>,
}

/// Whose inbox, and which part of it.
#[derive(Clone, Debug)]
pub(crate) struct Inbox<'a> {
    pub(crate) agency: AgencyId,
    /// The municipalities (*kommunkod*) whose unmatched submissions come here.
    pub(crate) municipalities: &'a [String],
    pub(crate) state: Option<State>,
}

/// The kinds of agency that look after what is handed in.
const BOARDS: [&str; 2] = ["SOCIAL_SERVICES", "SOCIAL_ON_CALL"];

impl Write {
    pub(crate) async fn insert_submission(&self, row: SubmissionRow) -> Result<(), DatabaseError> {
        let named = serde_json::to_value(&row.named).map_err(|_| DatabaseError("a name cannot be kept".to_owned()))?;
        let row = submission::ActiveModel {
            id: Set(row.id),
            kind: Set(row.kind.code().to_owned()),
            at: Set(row.at),
            agency_id: Set(row.agency.0),
            role: Set(row.role.code().to_owned()),
            user_ref: Set(row.user),
            child_id: Set(None),
            named: Set(named),
            municipality: Set(row.municipality),
            seen_at: Set(row.seen_at),
            place: Set(row.place),
            text: Set(row.text),
            state: Set(State::Open.code().to_owned()),
            ..Default::default()
        };
        submission::Entity::insert(row).exec_without_returning(self.transaction()).await?;
        Ok(())
    }

    /// How many of a kind an agency has handed in after an instant.
    pub(crate) async fn submissions_since(
        &self,
        kind: Kind,
        agency: AgencyId,
        after: i64,
    ) -> Result<u64, DatabaseError> {
        let own = submission::Entity::find()
            .filter(submission::Column::AgencyId.eq(agency.0))
            .filter(submission::Column::CopyOf.is_null())
            .filter(submission::Column::Kind.eq(kind.code()))
            .filter(submission::Column::At.gt(after));
        Ok(own.count(self.transaction()).await?)
    }

    pub(crate) async fn submission(&self, id: Uuid) -> Result<Option<SubmissionRow>, DatabaseError> {
        by_id(self.transaction(), id).await
    }

    /// The missing episode of a child that is open.
    pub(crate) async fn open_episode(&self, child: Uuid) -> Result<Option<Uuid>, DatabaseError> {
        let mut query = Query::select();
        query.column(name("id")).from(name("missing_episode")).and_where(Expr::col(name("child_id")).eq(child));
        query.and_where(Expr::col(name("closed_at")).is_null());
        let row = self.transaction().query_one(&query).await?;
        row.map(|row| Ok(row.try_get_by_index(0)?)).transpose()
    }

    /// Keeps what became of a submission. Whether it was still open.
    pub(crate) async fn decide_submission(&self, id: Uuid, decided: Decided) -> Result<bool, DatabaseError> {
        let Decided { state, child, reason, feedback, at, by, user } = decided;
        let mut update = submission::Entity::update_many()
            .col_expr(submission::Column::State, Expr::val(state.code()))
            .col_expr(submission::Column::Reason, Expr::val(reason))
            .col_expr(submission::Column::Feedback, Expr::val(feedback.map(Feedback::code)))
            .col_expr(submission::Column::DecidedAt, Expr::val(at))
            .col_expr(submission::Column::DecidedBy, Expr::val(by.0))
            .col_expr(submission::Column::DecidedUser, Expr::val(user));
        if let Some(child) = child {
            update = update.col_expr(submission::Column::ChildId, Expr::val(child));
        }
        let update = update
            .filter(submission::Column::Id.eq(id))
            .filter(submission::Column::State.eq(State::Open.code()))
            .exec(self.transaction())
            .await?;
        Ok(update.rows_affected == 1)
    }

    /// Takes a submission into the search for a missing child.
    pub(crate) async fn insert_sighting_of(
        &self,
        id: Uuid,
        child: Uuid,
        episode: Uuid,
        submission: &SubmissionRow,
    ) -> Result<(), DatabaseError> {
        let row = sighting::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            episode_id: Set(episode),
            at: Set(submission.at),
            seen_at: Set(submission.seen_at),
            place: Set(submission.place.clone()),
            text: Set(submission.text.clone()),
            agency_id: Set(submission.agency.0),
            user_ref: Set(submission.user.clone()),
            submission_id: Set(Some(submission.id)),
        };
        sighting::Entity::insert(row).exec_without_returning(self.transaction()).await?;
        Ok(())
    }
}

impl Store {
    /// Looks for the children of what was handed in since the last time, and lays a copy on the desk of those who answer for
    /// them: what the board of the municipality has before it does not change by that, and does not tell it that the child is
    /// there. Each is looked for once, whatever nodes do it at the same time. How many there were.
    pub(crate) async fn match_submissions(&self, now: i64) -> Result<usize, DatabaseError> {
        let waiting = submission::Entity::find()
            .filter(submission::Column::MatchedAt.is_null())
            .order_by_asc(submission::Column::At)
            .order_by_asc(submission::Column::Id)
            .limit(100)
            .all(&self.writer)
            .await?;
        let found = waiting.len();
        for row in waiting {
            let write = Write::new(self.begin().await?);
            write.match_submission(row, now).await?;
            write.commit().await?;
        }
        Ok(found)
    }
}

impl Write {
    async fn match_submission(&self, row: submission::Model, now: i64) -> Result<(), DatabaseError> {
        let named: Named = serde_json::from_value(row.named.clone()).unwrap_or_default();
        let found = match &named.identifier {
            None => None,
            Some((kind, value)) => self.child_with(kind, value).await?,
        };
        let matched = submission::Entity::update_many()
            .col_expr(submission::Column::MatchedAt, Expr::val(now))
            .filter(submission::Column::Id.eq(row.id))
            .filter(submission::Column::MatchedAt.is_null())
            .exec(self.transaction())
            .await?;
        let Some(child) = found.filter(|_| matched.rows_affected == 1) else { return Ok(()) };
        let id = copy_id(row.id);
        let copy = submission::Model { id, child_id: Some(child), matched_at: Some(now), copy_of: Some(row.id), ..row };
        submission::Entity::insert(submission::ActiveModel::from(copy).reset_all())
            .exec_without_returning(self.transaction())
            .await?;
        // Only to a board: what is handed in is not for an agency that decides on asylum.
        match self.answering_board(child).await? {
            Some(board) => self.event(child, "SUBMISSION_RECEIVED", &[], Some(id), Some(board), now).await,
            None => Ok(()),
        }
    }

    /// The board that leads a child's case, else the one that is responsible for it.
    pub(crate) async fn answering_board(&self, child: Uuid) -> Result<Option<AgencyId>, DatabaseError> {
        let mut query = boards();
        query.clear_selects().column((name("involvement"), name("agency_id")));
        query.and_where(Expr::col((name("involvement"), name("child_id"))).eq(child));
        query.order_by((name("involvement"), name("kind")), sea_orm::Order::Asc).limit(1);
        let row = self.transaction().query_one(&query).await?;
        row.map(|row| Ok(AgencyId(row.try_get_by_index(0)?))).transpose()
    }

    /// The one child with this number. Where several have it, people decide.
    async fn child_with(&self, kind: &str, value: &str) -> Result<Option<Uuid>, DatabaseError> {
        Ok(match children_with(self.transaction(), kind, value).await?.as_slice() {
            [one] => Some(*one),
            _ => None,
        })
    }

    /// The children with this number, whoever has to do with them, at most two; none that is sealed.
    pub(crate) async fn children_with(&self, kind: IdentifierKind, value: &str) -> Result<Vec<Uuid>, DatabaseError> {
        children_with(self.transaction(), kind.code(), value).await
    }
}

async fn children_with(database: &impl Rows, kind: &str, value: &str) -> Result<Vec<Uuid>, DatabaseError> {
    let mut query = Query::select();
    query
        .distinct()
        .column((name("child"), name("id")))
        .from(name("identifier"))
        .inner_join(
            name("child"),
            Expr::col((name("child"), name("id"))).equals((name("identifier"), name("child_id"))),
        )
        .and_where(Expr::col((name("identifier"), name("kind"))).eq(kind))
        .and_where(Expr::col((name("identifier"), name("value"))).eq(value))
        .and_where(Expr::col((name("child"), name("state"))).ne(super::seal::SEALED))
        .limit(2);
    let rows = database.rows(&query).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}

impl Snapshot {
    pub(crate) async fn submission(&self, id: Uuid) -> Result<Option<SubmissionRow>, DatabaseError> {
        by_id(self, id).await
    }

    /// What an agency and role have handed in, latest first, before a place; each with the copy that those who answer for the
    /// child have, if they do.
    pub(crate) async fn own_submissions(
        &self,
        agency: AgencyId,
        role: Role,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<(SubmissionRow, Option<SubmissionRow>)>, DatabaseError> {
        let own = submission::Entity::find()
            .filter(submission::Column::AgencyId.eq(agency.0))
            .filter(submission::Column::CopyOf.is_null())
            .filter(submission::Column::Role.eq(role.code()));
        let rows = page(self, own, before, limit).await?;
        let copies = submission::Entity::find().filter(submission::Column::CopyOf.is_in(rows.iter().map(|row| row.id)));
        let mut copies: HashMap<Option<Uuid>, submission::Model> =
            models(self, copies).await?.into_iter().map(|row| (row.copy_of, row)).collect();
        rows.into_iter()
            .map(|row| {
                let copy = copies.remove(&Some(row.id)).map(read).transpose()?;
                Ok((row, copy))
            })
            .collect()
    }

    /// What may be in an inbox, latest first, before a place: what is about children that the agency has an open tie to, and
    /// what came to its municipalities. The rules decide on each.
    pub(crate) async fn inbox(
        &self,
        inbox: &Inbox<'_>,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<SubmissionRow>, DatabaseError> {
        let tied = Expr::exists(ties_of_submission(inbox.agency));
        let municipal = Cond::all()
            .add(submission::Column::Municipality.is_in(inbox.municipalities.iter().map(String::as_str)))
            .add(submission::Column::ChildId.is_null());
        let mut select = submission::Entity::find().filter(Cond::any().add(tied).add(municipal));
        if let Some(state) = inbox.state {
            select = select.filter(submission::Column::State.eq(state.code()));
        }
        page(self, select, before, limit).await
    }

    /// The children of the copies of some submissions, by submission.
    pub(crate) async fn copies(&self, of: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let copies = submission::Entity::find().filter(submission::Column::CopyOf.is_in(of.iter().copied()));
        let copies = models(self, copies).await?.into_iter();
        Ok(copies.filter_map(|row| Some((row.copy_of?, row.child_id?))).collect())
    }
}

/// The id of the copy of a submission. It follows from the submission's: whether a copy was made must not show in the ids of
/// what is made after it.
fn copy_id(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ 0x0000_c0c0_0000_0000_0000_c0c0_0000_0000)
}

/// The open ties of an agency to the child that a submission is about.
fn ties_of_submission(agency: AgencyId) -> SelectStatement {
    let mut query = Query::select();
    query
        .expr(Expr::val(1))
        .from(name("involvement"))
        .and_where(Expr::col((name("involvement"), name("child_id"))).equals((name("submission"), name("child_id"))))
        .and_where(Expr::col((name("involvement"), name("agency_id"))).eq(agency.0))
        .and_where(Expr::col((name("involvement"), name("closed_at"))).is_null());
    query
}

/// The boards that lead a child's case, or are responsible for it.
fn boards() -> SelectStatement {
    let mut query = Query::select();
    query
        .expr(Expr::val(1))
        .from(name("involvement"))
        .join(
            JoinType::InnerJoin,
            name("agency"),
            Expr::col((name("agency"), name("id"))).equals((name("involvement"), name("agency_id"))),
        )
        .and_where(Expr::col((name("involvement"), name("kind"))).is_in(["LEAD", "RESPONSIBLE"]))
        .and_where(Expr::col((name("agency"), name("kind"))).is_in(BOARDS))
        .and_where(Expr::col((name("involvement"), name("closed_at"))).is_null());
    query
}

async fn page(
    database: &impl Rows,
    select: sea_orm::Select<submission::Entity>,
    before: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<SubmissionRow>, DatabaseError> {
    let mut select = select;
    if let Some((at, id)) = before {
        let earlier = Cond::any()
            .add(submission::Column::At.lt(at))
            .add(Cond::all().add(submission::Column::At.eq(at)).add(submission::Column::Id.lt(id)));
        select = select.filter(earlier);
    }
    let select = select.order_by_desc(submission::Column::At).order_by_desc(submission::Column::Id).limit(limit);
    models(database, select).await?.into_iter().map(read).collect()
}

async fn by_id(database: &impl Rows, id: Uuid) -> Result<Option<SubmissionRow>, DatabaseError> {
    let found = models(database, submission::Entity::find().filter(submission::Column::Id.eq(id))).await?;
    found.into_iter().next().map(read).transpose()
}

fn read(row: submission::Model) -> Result<SubmissionRow, DatabaseError> {
    let unknown = || DatabaseError("a stored submission is unknown".to_owned());
    Ok(SubmissionRow {
        id: row.id,
        kind: Kind::from_code(&row.kind).ok_or_else(unknown)?,
        at: row.at,
        agency: AgencyId(row.agency_id),
        role: Role::from_code(&row.role).ok_or_else(unknown)?,
        user: row.user_ref,
        child: row.child_id,
        named: serde_json::from_value(row.named).map_err(|_| unknown())?,
        municipality: row.municipality,
        seen_at: row.seen_at,
        place: row.place,
        text: row.text,
        state: State::from_code(&row.state).ok_or_else(unknown)?,
        reason: row.reason,
        feedback: row.feedback.as_deref().and_then(Feedback::from_code),
        decided_at: row.decided_at,
        copy_of: row.copy_of,
    })
}
