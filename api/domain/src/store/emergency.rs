//! Emergency accesses.

use super::claim::Claim;
use super::quota::Quota;
use super::reading::{Rows, count, models};
use super::{Applied, Snapshot, Store, Write};
use crate::emergency::{DAY, MOST_A_DAY, MOST_A_DAY_OF_ONE, Verdict};
use crate::error::DatabaseError;
use crate::ids::AgencyId;
use crate::policy::{Purpose, Role};
use samverka_entities::break_glass;
use sea_orm::sea_query::{Cond, Expr, InsertStatement, UpdateStatement};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _};
use uuid::Uuid;

/// The kind of the quota of emergency accesses.
const BREAK_GLASS: u32 = 0xb6;

/// An emergency access.
#[derive(Clone, Debug)]
pub(crate) struct BreakGlassRow {
    pub(crate) id: Uuid,
    /// None where nothing was found to open.
    pub(crate) child: Option<Uuid>,
    pub(crate) agency: AgencyId,
    pub(crate) role: Role,
    pub(crate) user: Option<String>,
    pub(crate) purpose: Purpose,
    pub(crate) reason: String,
    pub(crate) opened_at: i64,
    pub(crate) until: i64,
    pub(crate) review_by: i64,
    pub(crate) reviewed_at: Option<i64>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) comment: Option<String>,
}

/// What a review says.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) verdict: Verdict,
    pub(crate) comment: Option<String>,
    pub(crate) at: i64,
    pub(crate) by: AgencyId,
    pub(crate) user: Option<String>,
}

impl Write {
    /// Opens the child's record in an emergency.
    pub(crate) fn insert_break_glass(&mut self, row: BreakGlassRow) {
        self.guard();
        self.within(quota(&row));
        self.run(&insert(BreakGlassRow { child: Some(self.child()), ..row }));
    }

    /// Keeps a review.
    pub(crate) fn review(&mut self, id: Uuid, review: Review) {
        self.must(&reviewed(id, review));
    }
}

impl Store {
    /// Keeps that somebody tried to open a record and found none; once where it is claimed.
    pub(crate) async fn keep_missed_break_glass(
        &self,
        row: BreakGlassRow,
        claim: Option<&Claim>,
    ) -> Result<Applied, DatabaseError> {
        let quota = quota(&row);
        self.apply_apart(&insert(BreakGlassRow { child: None, ..row }), claim, Some(&quota)).await
    }

    /// Keeps a review, of a record that is sealed since; once where it is claimed.
    pub(crate) async fn review_apart(
        &self,
        id: Uuid,
        review: Review,
        claim: Option<&Claim>,
    ) -> Result<Applied, DatabaseError> {
        self.apply_apart(&reviewed(id, review), claim, None).await
    }
}

/// How many more an agency may open, and the human who opens this one.
fn quota(row: &BreakGlassRow) -> Quota {
    let since = row.opened_at.saturating_sub(DAY);
    let quota = Quota::new(row.agency, BREAK_GLASS).at_most(opened_after(row.agency, None, since), MOST_A_DAY);
    match row.user.as_deref() {
        Some(user) => quota.at_most(opened_after(row.agency, Some(user), since), MOST_A_DAY_OF_ONE),
        None => quota,
    }
}

fn opened_after(agency: AgencyId, user: Option<&str>, after: i64) -> sea_orm::Select<break_glass::Entity> {
    let own = break_glass::Entity::find()
        .filter(break_glass::Column::AgencyId.eq(agency.0))
        .filter(break_glass::Column::OpenedAt.gt(after));
    match user {
        Some(user) => own.filter(break_glass::Column::UserRef.eq(user)),
        None => own,
    }
}

impl Snapshot {
    pub(crate) async fn break_glass(&self, id: Uuid) -> Result<Option<BreakGlassRow>, DatabaseError> {
        by_id(self, id).await
    }

    /// How often an agency has opened, or tried to, after an instant; one human of it, where one is named.
    pub(crate) async fn opened_since(
        &self,
        agency: AgencyId,
        user: Option<&str>,
        after: i64,
    ) -> Result<u64, DatabaseError> {
        count(self, opened_after(agency, user, after)).await
    }

    /// Whether an access of the agency was not reviewed in time, and still is not.
    pub(crate) async fn review_is_overdue(&self, agency: AgencyId, now: i64) -> Result<bool, DatabaseError> {
        let overdue = break_glass::Entity::find()
            .filter(break_glass::Column::AgencyId.eq(agency.0))
            .filter(break_glass::Column::ChildId.is_not_null())
            .filter(break_glass::Column::ReviewedAt.is_null())
            .filter(break_glass::Column::ReviewBy.lte(now));
        Ok(count(self, overdue).await? > 0)
    }

    /// The accesses that opened a child's record, latest first, before a place.
    pub(crate) async fn break_glasses(
        &self,
        before: Option<(i64, Uuid)>,
        limit: u64,
    ) -> Result<Vec<BreakGlassRow>, DatabaseError> {
        let mut all = break_glass::Entity::find().filter(break_glass::Column::ChildId.is_not_null());
        if let Some((at, id)) = before {
            let same = Cond::all().add(break_glass::Column::OpenedAt.eq(at)).add(break_glass::Column::Id.lt(id));
            all = all.filter(Cond::any().add(break_glass::Column::OpenedAt.lt(at)).add(same));
        }
        let all = all.order_by_desc(break_glass::Column::OpenedAt).order_by_desc(break_glass::Column::Id);
        models(self, all.limit(limit)).await?.into_iter().map(read).collect()
    }
}

fn insert(row: BreakGlassRow) -> InsertStatement {
    let row = break_glass::ActiveModel {
        id: Set(row.id),
        child_id: Set(row.child),
        agency_id: Set(row.agency.0),
        role: Set(row.role.code().to_owned()),
        user_ref: Set(row.user),
        purpose: Set(row.purpose.code().to_owned()),
        reason: Set(row.reason),
        opened_at: Set(row.opened_at),
        until: Set(row.until),
        review_by: Set(row.review_by),
        ..Default::default()
    };
    break_glass::Entity::insert(row).into_query()
}

/// Keeps a review, if there is none.
fn reviewed(id: Uuid, review: Review) -> UpdateStatement {
    let Review { verdict, comment, at, by, user } = review;
    let update = break_glass::Entity::update_many()
        .col_expr(break_glass::Column::Verdict, Expr::val(verdict.code()))
        .col_expr(break_glass::Column::Comment, Expr::val(comment))
        .col_expr(break_glass::Column::ReviewedAt, Expr::val(at))
        .col_expr(break_glass::Column::ReviewedBy, Expr::val(by.0))
        .col_expr(break_glass::Column::ReviewedUser, Expr::val(user))
        .filter(break_glass::Column::Id.eq(id))
        .filter(break_glass::Column::ReviewedAt.is_null());
    update.into_query()
}

async fn by_id(database: &impl Rows, id: Uuid) -> Result<Option<BreakGlassRow>, DatabaseError> {
    let found = models(database, break_glass::Entity::find().filter(break_glass::Column::Id.eq(id))).await?;
    found.into_iter().next().map(read).transpose()
}

fn read(row: break_glass::Model) -> Result<BreakGlassRow, DatabaseError> {
    let unknown = || DatabaseError("a stored emergency access is unknown".to_owned());
    Ok(BreakGlassRow {
        id: row.id,
        child: row.child_id,
        agency: AgencyId(row.agency_id),
        role: Role::from_code(&row.role).ok_or_else(unknown)?,
        user: row.user_ref,
        purpose: Purpose::from_code(&row.purpose).ok_or_else(unknown)?,
        reason: row.reason,
        opened_at: row.opened_at,
        until: row.until,
        review_by: row.review_by,
        reviewed_at: row.reviewed_at,
        verdict: row.verdict.as_deref().and_then(Verdict::from_code),
        comment: row.comment,
    })
}
