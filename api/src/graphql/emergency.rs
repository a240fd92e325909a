//! Emergency access and its review.

use super::agency::AgencyObject;
use super::consent::named;
use super::page::connection;
use super::query::{Purpose, Role};
use super::scalars::Instant;
use super::submission::NumberInput;
use async_graphql::{Enum, ID, SimpleObject};
use samverka_domain::emergency::Verdict;
use samverka_domain::error::{Error, ErrorCode, Refusal};
use samverka_domain::session::{BreakGlassView, Named, Opened, Session};
use samverka_domain::view::Page;

/// What a review says (*bedömning*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Verdict")]
pub(super) enum BreakGlassVerdict {
    /// There was an emergency (*befogad*).
    Justified,
    /// There was none (*obefogad*).
    Unjustified,
}

/// An emergency access that is open (*nödåtkomst*). Ask for the child by its id while it lasts, and treat every child that you
/// open as one with protected identity: the warning itself is not part of what an emergency opens.
#[derive(SimpleObject)]
pub(super) struct BreakGlassPayload {
    /// Its id: `breakglass_…`.
    id: ID,
    /// The id of the child: `child_…`.
    child_id: ID,
    /// Until when it is open (*till*).
    until: Instant,
    /// When it must have been reviewed (*granskas senast*).
    review_by: Instant,
}

impl From<Opened> for BreakGlassPayload {
    fn from(opened: Opened) -> Self {
        let Opened { id, child, until, review_by } = opened;
        BreakGlassPayload {
            id: id.into(),
            child_id: child.into(),
            until: Instant(until),
            review_by: Instant(review_by),
        }
    }
}

/// An emergency access (*nödåtkomst*), for its review.
#[derive(Clone, SimpleObject)]
pub(super) struct BreakGlass {
    /// Its id: `breakglass_…`.
    id: ID,
    /// The child that was opened: `child_…`. `accessLog` tells all of it.
    child_id: ID,
    /// Who opened it (*aktör*).
    agency: Option<AgencyObject>,
    /// In which role (*roll*).
    role: Role,
    /// The human behind the system, as the system named them (*användare*).
    user: Option<String>,
    /// The stated purpose (*ändamål*).
    purpose: Purpose,
    /// Why (*skäl*).
    reason: String,
    /// When (*öppnad*).
    at: Instant,
    /// Until when it was open (*till*).
    until: Instant,
    /// When it must have been reviewed (*granskas senast*); after that the agency opens no more.
    review_by: Instant,
    /// The fields that were shown to whoever opened it while it was open, by the access log (*visade fält*).
    shown: Vec<String>,
    /// When it was reviewed (*granskad*).
    reviewed_at: Option<Instant>,
    /// What the review says (*bedömning*).
    verdict: Option<BreakGlassVerdict>,
    /// The words beside it (*kommentar*).
    comment: Option<String>,
}

impl BreakGlass {
    pub(super) async fn of(session: &Session, view: BreakGlassView) -> Self {
        BreakGlass {
            id: view.id.into(),
            child_id: view.child.into(),
            agency: named(session, view.agency).await,
            role: view.role.into(),
            user: view.user,
            purpose: view.purpose.into(),
            reason: view.reason,
            at: Instant(view.opened_at),
            until: Instant(view.until),
            review_by: Instant(view.review_by),
            shown: view.shown,
            reviewed_at: view.reviewed_at.map(Instant),
            verdict: view.verdict.map(Into::into),
            comment: view.comment,
        }
    }
}

connection!(
    BreakGlassConnection,
    BreakGlassEdge,
    BreakGlass,
    "A page of emergency accesses (Relay). It has no total.",
    "An entry of the list (Relay)."
);

impl BreakGlassConnection {
    pub(super) async fn of(session: &Session, page: Page<BreakGlassView>, is_later: bool) -> Self {
        let mut items = Vec::with_capacity(page.items.len());
        for (cursor, view) in page.items {
            items.push((cursor, BreakGlass::of(session, view).await));
        }
        Self::new(items, page.has_next, is_later)
    }
}

/// What a review gives.
#[derive(SimpleObject)]
pub(super) struct BreakGlassReviewPayload {
    /// The access as it is now (*nödåtkomst*).
    review: BreakGlass,
}

impl BreakGlassReviewPayload {
    pub(super) async fn of(session: &Session, view: BreakGlassView) -> Self {
        BreakGlassReviewPayload { review: BreakGlass::of(session, view).await }
    }
}

/// Whose record is to be opened: an id or a number, and not both.
pub(super) fn whom(child: Option<ID>, number: Option<NumberInput>) -> Result<Named, Error> {
    match (child, number) {
        (Some(id), None) => Ok(Named::Child(id.0)),
        (None, Some(number)) => Ok(Named::Number(number.kind.into(), number.value)),
        (None, None) => Err(Error::refused(ErrorCode::Required, ["childId"])),
        (Some(_), Some(_)) => {
            let refusal = Refusal::at(ErrorCode::InvalidInput, ["identifier"]);
            Err(Error::Refused(vec![refusal.expecting("childId or identifier, not both")]))
        }
    }
}
