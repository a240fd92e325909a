//! What was handed in about children, known to the hub or not. Whom it is about is looked for behind the answer, so that the
//! answer cannot tell whether the child is there.

use super::claim::Claim;
use super::columns::name;
use super::quota::Quota;
use super::reading::{Rows, count, models};
use super::{Applied, Snapshot, Store, Write};
use crate::catalogue::{FieldSet, IdentifierKind};
use crate::clock::day;
use crate::emergency::DAY;
use crate::error::DatabaseError;
use crate::feed::EventKind;
use crate::ids::AgencyId;
use crate::policy::Role;
use crate::submission::{Feedback, Kind, State};
use chrono::NaiveDate;
use samverka_entities::submission;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Query, SelectStatement, UpdateStatement};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait as _,
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

/// How many submissions are looked at at a time.
const MATCHED: u64 = 100;
/// How long a child is looked for, in microseconds: a year.
const LOOKED_FOR: i64 = 365 * DAY;
/// A copy, beside what it is a copy of.
const COPY: &str = "copied";
/// The kinds of agency that look after what is handed in.
const BOARDS: [&str; 2] = ["SOCIAL_SERVICES", "SOCIAL_ON_CALL"];

impl Write {
    /// Keeps what became of a submission. Nothing of the change is made if it is decided already.
    pub(crate) fn decide_submission(&mut self, id: Uuid, decided: Decided) {
        self.must(&decision(id, decided));
    }

    /// The same of what it is a copy of, if that is open still.
    pub(crate) fn decide_original(&mut self, id: Uuid, decided: Decided) {
        self.run(&decision(id, decided));
    }
}

impl Store {
    /// Keeps what is handed in, durably; once where it is claimed. `Stale` if the agency may hand in no more of the kind today.
    pub(crate) async fn insert_submission(
        &self,
        row: SubmissionRow,
        claim: Option<&Claim>,
    ) -> Result<Applied, DatabaseError> {
        let own = handed_in_after(row.kind, row.agency, row.at.saturating_sub(DAY));
        let quota = Quota::new(row.agency, row.kind as u32).at_most(own, row.kind.most_a_day());
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
        self.apply_apart(&submission::Entity::insert(row).into_query(), claim, Some(&quota)).await
    }

    /// Keeps what became of a submission that is about no child of the hub; `Stale` if it is decided already.
    pub(crate) async fn decide_unmatched(
        &self,
        id: Uuid,
        decided: Decided,
        claim: Option<&Claim>,
    ) -> Result<Applied, DatabaseError> {
        self.apply_apart(&decision(id, decided), claim, None).await
    }

    /// Looks for the children of what was handed in since the last time, and lays a copy on the desk of those who answer for
    /// them: what the board of the municipality has before it does not change by that, and does not tell it that the child is
    /// there. Each is copied once, whatever nodes do it at the same time. One that cannot be matched is told to the
    /// operator, tried again the next time, and holds up none of the others.
    pub(crate) async fn match_submissions(&self, now: i64) -> Result<(), DatabaseError> {
        self.match_all(unmatched, now).await
    }

    /// Looks again for the children of what nobody was found for: the number may have come into the record since. That reads
    /// all that is without a child, and is not for every request.
    pub(crate) async fn match_again(&self, now: i64) -> Result<(), DatabaseError> {
        self.match_all(|| found_since(now), now).await
    }

    async fn match_all(
        &self,
        waiting: impl Fn() -> sea_orm::Select<submission::Entity>,
        now: i64,
    ) -> Result<(), DatabaseError> {
        let mut after = None;
        loop {
            // By a writing connection: whoever waits for this may hold a reading one, and must not wait for another.
            let some = next_after(waiting(), after).all(&self.writer).await?;
            let Some(last) = some.last() else { return Ok(()) };
            after = Some((last.at, last.id));
            for row in some {
                let id = row.id;
                if let Err(error) = self.match_submission(row, now).await {
                    tracing::error!(%error, submission = %id, "what was handed in could not be matched with a child");
                }
            }
        }
    }

    async fn match_submission(&self, row: submission::Model, now: i64) -> Result<(), DatabaseError> {
        let named: Named = serde_json::from_value(row.named.clone()).unwrap_or_default();
        let Some(child) = self.child_with(named.identifier.as_ref(), now).await? else {
            self.writer.execute(&looked_for(row.id, now)).await?;
            return Ok(());
        };
        let row = &row;
        let decide = |mut write: Write| async move {
            let is_waiting = uncopied().filter(submission::Column::Id.eq(row.id)).one(&self.writer).await?.is_some();
            if !is_waiting {
                return Ok(None);
            }
            let id = copy_id(row.id);
            // Nobody has decided on the copy, whatever became of what it is a copy of.
            let copy = submission::Model {
                id,
                child_id: Some(child),
                matched_at: Some(now),
                copy_of: Some(row.id),
                state: State::Open.code().to_owned(),
                reason: None,
                feedback: None,
                decided_at: None,
                decided_by: None,
                decided_user: None,
                ..row.clone()
            };
            write.must(&copied(row.id, now));
            write.run(&submission::Entity::insert(submission::ActiveModel::from(copy).reset_all()).into_query());
            // Only to a board: what is handed in is not for an agency that decides on asylum.
            let board = board_of(self.writer.query_one(&answering(child)).await?.as_slice())?;
            write.event(EventKind::SubmissionReceived, FieldSet::EMPTY, Some(id), board);
            Ok(Some(write))
        };
        self.change_unasked(child, now, decide).await.map(|_| ())
    }

    /// The one child with this number now. Where several have it, people decide.
    async fn child_with(&self, number: Option<&(String, String)>, now: i64) -> Result<Option<Uuid>, DatabaseError> {
        let Some((kind, value)) = number else { return Ok(None) };
        let mut query = with_number(Expr::val(kind), Expr::val(value));
        query.cond_where(is_held(now));
        match self.writer.query_all(&query).await?.as_slice() {
            [one] => Ok(Some(one.try_get_by_index(0)?)),
            _ => Ok(None),
        }
    }
}

/// What an agency has handed in of a kind after an instant.
fn handed_in_after(kind: Kind, agency: AgencyId, after: i64) -> sea_orm::Select<submission::Entity> {
    submission::Entity::find()
        .filter(submission::Column::AgencyId.eq(agency.0))
        .filter(submission::Column::CopyOf.is_null())
        .filter(submission::Column::Kind.eq(kind.code()))
        .filter(submission::Column::At.gt(after))
}

/// What no child was looked for yet.
fn unmatched() -> sea_orm::Select<submission::Entity> {
    uncopied().filter(submission::Column::MatchedAt.is_null())
}

/// What nobody who answers for a child has.
fn uncopied() -> sea_orm::Select<submission::Entity> {
    submission::Entity::find()
        .filter(submission::Column::ChildId.is_null())
        .filter(submission::Column::CopyOf.is_null())
        .filter(Expr::exists(copy_of_submission()).not())
}

/// What a child was looked for in vain, and is held by one now.
fn found_since(now: i64) -> sea_orm::Select<submission::Entity> {
    // `Named` keeps kind and number as a pair.
    let part = |place: u8| Expr::cust(format!("submission.named -> 'identifier' ->> {place}"));
    let mut held = with_number(part(0), part(1));
    held.cond_where(is_held(now));
    uncopied()
        .filter(submission::Column::MatchedAt.is_not_null())
        .filter(submission::Column::At.gt(now.saturating_sub(LOOKED_FOR)))
        .filter(Expr::exists(held))
}

fn copy_of_submission() -> SelectStatement {
    let mut query = Query::select();
    query
        .expr(Expr::val(1))
        .from_as(name("submission"), name(COPY))
        .and_where(Expr::col((name(COPY), name("copy_of"))).equals((name("submission"), name("id"))));
    query
}

/// The next of some submissions after a place, in the order in which they came.
fn next_after(
    some: sea_orm::Select<submission::Entity>,
    after: Option<(i64, Uuid)>,
) -> sea_orm::Select<submission::Entity> {
    let mut next = some;
    if let Some((at, id)) = after {
        let same = Cond::all().add(submission::Column::At.eq(at)).add(submission::Column::Id.gt(id));
        next = next.filter(Cond::any().add(submission::Column::At.gt(at)).add(same));
    }
    next.order_by_asc(submission::Column::At).order_by_asc(submission::Column::Id).limit(MATCHED)
}

/// Notes that the child was looked for, unless it was before.
fn looked_for(id: Uuid, now: i64) -> UpdateStatement {
    let mut update = copied(id, now);
    update.and_where(Expr::col(name("matched_at")).is_null());
    update
}

/// Notes that the child was looked for and found.
fn copied(id: Uuid, now: i64) -> UpdateStatement {
    let mut update = Query::update();
    update
        .table(name("submission"))
        .value(name("matched_at"), now)
        .and_where(Expr::col(name("id")).eq(id))
        .and_where(Expr::col(name("child_id")).is_null());
    update
}

/// Keeps what became of a submission, if it is open.
fn decision(id: Uuid, decided: Decided) -> UpdateStatement {
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
    update.filter(submission::Column::Id.eq(id)).filter(is_undecided()).into_query()
}

/// The children with this number, whoever has to do with them, at most two; none that is sealed.
fn with_number(kind: Expr, value: Expr) -> SelectStatement {
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
    query
}

/// Of numbers: that it has not ended. One that has may be another child's by now.
fn is_held(now: i64) -> Cond {
    let ends = || Expr::col((name("identifier"), name("valid_to")));
    Cond::any().add(ends().is_null()).add(ends().gte(day(now)))
}

/// The board that leads a child's case, else the one that is responsible for it.
fn answering(child: Uuid) -> SelectStatement {
    let mut query = boards();
    query.clear_selects().column((name("involvement"), name("agency_id")));
    query.and_where(Expr::col((name("involvement"), name("child_id"))).eq(child));
    query.order_by((name("involvement"), name("kind")), sea_orm::Order::Asc).limit(1);
    query
}

fn board_of(rows: &[QueryResult]) -> Result<Option<AgencyId>, DatabaseError> {
    rows.first().map(|row| Ok(AgencyId(row.try_get_by_index(0)?))).transpose()
}

impl Snapshot {
    /// How many of a kind an agency has handed in after an instant.
    pub(crate) async fn submissions_since(
        &self,
        kind: Kind,
        agency: AgencyId,
        after: i64,
    ) -> Result<u64, DatabaseError> {
        count(self, handed_in_after(kind, agency, after)).await
    }

    /// The board that leads a child's case, else the one that is responsible for it.
    pub(crate) async fn answering_board(&self, child: Uuid) -> Result<Option<AgencyId>, DatabaseError> {
        board_of(&self.rows(&answering(child)).await?)
    }

    /// The children with this number or that had it, whoever has to do with them, at most two; none that is sealed.
    pub(crate) async fn children_with(&self, kind: IdentifierKind, value: &str) -> Result<Vec<Uuid>, DatabaseError> {
        let rows = self.rows(&with_number(Expr::val(kind.code()), Expr::val(value))).await?;
        rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

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
        Ok(rows
            .into_iter()
            .map(|row| {
                let copy = copies.remove(&Some(row.id)).map(read);
                (row, copy)
            })
            .collect())
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
            select = match state {
                State::Open => select.filter(is_undecided()),
                decided => select.filter(submission::Column::State.eq(decided.code())),
            };
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
    Ok(models(database, select).await?.into_iter().map(read).collect())
}

async fn by_id(database: &impl Rows, id: Uuid) -> Result<Option<SubmissionRow>, DatabaseError> {
    let found = models(database, submission::Entity::find().filter(submission::Column::Id.eq(id))).await?;
    Ok(found.into_iter().next().map(read))
}

/// Nothing of what is kept here keeps the others from being read. What cannot be understood counts as what gets the most
/// attention and tells the least: an open worry, of somebody who may be told nothing of it. The operator is told which row
/// it is, and not what it holds.
fn read(row: submission::Model) -> SubmissionRow {
    let strange = |column: &'static str| {
        tracing::error!(submission = %row.id, column, "a stored submission is not understood, and shown as an open one");
    };
    let kind = Kind::from_code(&row.kind).unwrap_or_else(|| {
        strange("kind");
        Kind::Concern
    });
    let role = Role::from_code(&row.role).unwrap_or_else(|| {
        strange("role");
        Role::Partner
    });
    let state = State::from_code(&row.state).unwrap_or_else(|| {
        strange("state");
        State::Open
    });
    let named = serde_json::from_value(row.named.clone()).unwrap_or_else(|_| {
        strange("named");
        Named::default()
    });
    SubmissionRow {
        id: row.id,
        kind,
        at: row.at,
        agency: AgencyId(row.agency_id),
        role,
        user: row.user_ref,
        child: row.child_id,
        named,
        municipality: row.municipality,
        seen_at: row.seen_at,
        place: row.place,
        text: row.text,
        state,
        reason: row.reason,
        feedback: row.feedback.as_deref().and_then(Feedback::from_code),
        decided_at: row.decided_at,
        copy_of: row.copy_of,
    }
}

/// What nobody has decided on: what holds a state that is not understood, too.
fn is_undecided() -> Cond {
    let decided = State::ALL.iter().filter(|state| **state != State::Open).map(|state| state.code());
    Cond::all().add(submission::Column::State.is_not_in(decided))
}
