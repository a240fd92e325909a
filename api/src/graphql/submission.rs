//! Worries, sightings and tips: what is handed in, the receipt, and the inbox.

use super::agency::AgencyObject;
use super::inputs::IdentifierKind;
use super::mutation::day;
use super::page::connection;
use super::query::Role;
use super::scalars::{Date, Instant};
use async_graphql::{Enum, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use samverka_domain::error::Error;
use samverka_domain::session::{NewSubmission, Session, SubmissionReceipt as Receipt, SubmissionView};
use samverka_domain::submission::{Decision, Feedback, Kind, State};
use samverka_domain::view::Page;

/// What is handed in (*slag*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(super) enum SubmissionKind {
    /// A worry (*orosanmälan*).
    Concern,
    /// Somebody has seen a child (*iakttagelse*).
    Sighting,
    /// Somebody knows something (*tips*).
    Tip,
}

/// What became of what was handed in, for whoever decides (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(super) enum SubmissionState {
    /// Nobody has decided on it (*öppen*).
    Open,
    /// It was taken into the search for a missing child (*iakttagelse*).
    Sighting,
    /// It was taken on as a worry (*oro*).
    Concern,
    /// Nothing comes of it (*avskriven*).
    Dismissed,
}

/// What is to become of it (*beslut*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Decision")]
pub(super) enum SubmissionDecision {
    /// Take it into the search for the child, who must be missing.
    Sighting,
    /// Take it on as a worry.
    Concern,
    /// Nothing comes of it; say why.
    Dismiss,
}

/// What whoever must report by law may be told of a worry (*återkoppling*, OSL 26 kap. 9 a §).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Feedback")]
pub(super) enum SubmissionFeedback {
    /// An inquiry was opened (*utredning inledd*).
    InquiryOpened,
    /// There was one already (*utredning pågår*).
    InquiryOngoing,
    /// No inquiry was opened (*ingen utredning*).
    NoInquiry,
}

/// A number by which a child is named (*identitetsbeteckning*).
#[derive(InputObject)]
pub(super) struct NumberInput {
    /// What kind of number it is (*slag*).
    pub(super) kind: IdentifierKind,
    /// The number; check digits are checked (*nummer*).
    pub(super) value: String,
}

/// What you hand in about a child (*om vem och vad*), whether the hub knows it or not. The more you say of who it is, the sooner
/// the right people read it; only `text` must be there.
#[derive(InputObject)]
pub(super) struct SubmissionInput {
    /// A number of the child (*identitetsbeteckning*).
    identifier: Option<NumberInput>,
    /// The child's name, at most 200 characters (*namn*).
    name: Option<String>,
    /// The child's birth date (*födelsedatum*).
    birth_date: Option<Date>,
    /// What the child looks like, at most 1000 characters (*signalement*).
    description: Option<String>,
    /// The municipality (*kommunkod*), four digits, whose board looks at it, besides those who answer for the child; your own
    /// where it is left out. Whoever has none of its own must say.
    municipality: Option<String>,
    /// When the child was seen (*sedd*).
    seen_at: Option<DateTime<Utc>>,
    /// Where, at most 200 characters (*plats*).
    place: Option<String>,
    /// What you have to tell, at most 4000 characters (*text*).
    text: String,
}

impl SubmissionInput {
    pub(super) fn read(self) -> Result<NewSubmission, Error> {
        let SubmissionInput { identifier, name, birth_date, description, municipality, seen_at, place, text } = self;
        Ok(NewSubmission {
            identifier: identifier.map(|number| (number.kind.into(), number.value)),
            name,
            birth_date: day(birth_date, &["about", "birthDate"])?,
            description,
            municipality,
            seen_at: seen_at.map(|at| at.timestamp_micros()),
            place,
            text,
        })
    }
}

/// That something was handed in (*kvitto*). It is the same whether the hub knows the child or not.
#[derive(SimpleObject)]
pub(super) struct SubmissionReceipt {
    /// The id of what you handed in, for you alone: `submission_…`.
    id: ID,
    /// What it is (*slag*).
    kind: SubmissionKind,
    /// When it was kept (*mottagen*).
    at: Instant,
}

impl From<Receipt> for SubmissionReceipt {
    fn from(receipt: Receipt) -> Self {
        SubmissionReceipt { id: receipt.id.into(), kind: receipt.kind.into(), at: Instant(receipt.at) }
    }
}

/// What you handed in, and what you may be told of it (*egna anmälningar*): never whether the hub knows the child.
#[derive(Clone, SimpleObject)]
pub(super) struct OwnSubmission {
    /// Its id, for you alone: `submission_…`.
    id: ID,
    /// What it is (*slag*).
    kind: SubmissionKind,
    /// When it was kept (*mottagen*).
    at: Instant,
    /// Whether somebody has looked at it and decided (*hanterad*).
    handled: bool,
    /// What you may be told (*återkoppling*): of a worry only, and only if the law obliges you to report.
    feedback: Option<SubmissionFeedback>,
}

connection!(
    OwnSubmissionConnection,
    OwnSubmissionEdge,
    OwnSubmission,
    "A page of what you handed in (Relay). It has no total.",
    "An entry of the list (Relay)."
);

impl OwnSubmissionConnection {
    pub(super) fn of(page: Page<Receipt>, is_later: bool) -> Self {
        let own = |receipt: Receipt| OwnSubmission {
            id: receipt.id.into(),
            kind: receipt.kind.into(),
            at: Instant(receipt.at),
            handled: receipt.is_handled,
            feedback: receipt.feedback.map(Into::into),
        };
        let items = page.items.into_iter().map(|(cursor, receipt)| (cursor, own(receipt))).collect();
        Self::new(items, page.has_next, is_later)
    }
}

/// A number by which a child was named (*identitetsbeteckning*).
#[derive(Clone, SimpleObject)]
pub(super) struct NamedNumber {
    /// What kind of number it is (*slag*).
    kind: IdentifierKind,
    /// The number (*nummer*).
    value: String,
}

/// What was handed in about a child (*anmälan, iakttagelse eller tips*), for whoever decides on it.
#[derive(Clone, SimpleObject)]
pub(super) struct Submission {
    /// Its id: `submission_…`.
    id: ID,
    /// What it is (*slag*).
    kind: SubmissionKind,
    /// When it was handed in (*mottagen*).
    at: Instant,
    /// Who handed it in (*lämnad av*); null where that would tell what is withheld.
    by: Option<AgencyObject>,
    /// In which role (*roll*).
    role: Role,
    /// The child that it is about, if the hub found it and you may know of it.
    child_id: Option<ID>,
    /// The number that was given (*identitetsbeteckning*).
    identifier: Option<NamedNumber>,
    /// The name that was given (*namn*).
    name: Option<String>,
    /// The birth date that was given (*födelsedatum*).
    birth_date: Option<String>,
    /// What the child looked like (*signalement*).
    description: Option<String>,
    /// Whose board looks at it, besides those who answer for the child (*kommunkod*).
    municipality: Option<String>,
    /// When the child was seen (*sedd*).
    seen_at: Option<Instant>,
    /// Where (*plats*).
    place: Option<String>,
    /// What was told (*text*).
    text: String,
    /// What became of it (*läge*).
    state: SubmissionState,
    /// Why nothing came of it (*skäl*), for boards.
    reason: Option<String>,
    /// What its giver is told (*återkoppling*), for boards.
    feedback: Option<SubmissionFeedback>,
    /// When that was decided (*avgjord*).
    decided_at: Option<Instant>,
}

impl Submission {
    pub(super) async fn of(session: &Session, view: SubmissionView) -> Self {
        let by = match view.by {
            Some(agency) => session.agency(agency).await.ok().flatten(),
            None => None,
        };
        Submission {
            id: view.id.into(),
            kind: view.kind.into(),
            at: Instant(view.at),
            by: by.map(|agency| AgencyObject::from(&*agency)),
            role: view.role.into(),
            child_id: view.child.map(Into::into),
            identifier: view.identifier.map(|(kind, value)| NamedNumber { kind: kind.into(), value }),
            name: view.name,
            birth_date: view.birth_date.map(|day| day.to_string()),
            description: view.description,
            municipality: view.municipality,
            seen_at: view.seen_at.map(Instant),
            place: view.place,
            text: view.text,
            state: view.state.into(),
            reason: view.reason,
            feedback: view.feedback.map(Into::into),
            decided_at: view.decided_at.map(Instant),
        }
    }
}

connection!(
    SubmissionConnection,
    SubmissionEdge,
    Submission,
    "A page of what was handed in (Relay). It has no total.",
    "An entry of the inbox (Relay)."
);

impl SubmissionConnection {
    pub(super) async fn of(session: &Session, page: Page<SubmissionView>, is_later: bool) -> Self {
        let mut items = Vec::with_capacity(page.items.len());
        for (cursor, view) in page.items {
            items.push((cursor, Submission::of(session, view).await));
        }
        Self::new(items, page.has_next, is_later)
    }
}

/// A submission as it stands after a decision.
#[derive(SimpleObject)]
pub(super) struct SubmissionPayload {
    /// What was decided on (*anmälan*).
    submission: Submission,
}

impl SubmissionPayload {
    pub(super) async fn of(session: &Session, view: SubmissionView) -> Self {
        SubmissionPayload { submission: Submission::of(session, view).await }
    }
}
