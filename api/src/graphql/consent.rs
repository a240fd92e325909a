//! Consents, and parties that are kept out.

use super::agency::AgencyObject;
use super::mutation::day;
use super::query::Purpose;
use super::scalars::{Date, Instant};
use async_graphql::{Enum, ID, InputObject, SimpleObject};
use samverka_domain::consent::{Giver, State};
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::ids::AgencyId;
use samverka_domain::session::{BlockView, ConsentView, InForce, NewConsent, Session};

/// Who gave a consent (*samtycke lämnat av*): by age and maturity the child alone, its guardian, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Giver")]
pub(super) enum ConsentGiver {
    /// The guardian (*god man*, *vårdnadshavare*).
    Guardian,
    /// The child (*barnet*).
    Child,
    /// The child and the guardian (*barnet och god man*).
    ChildAndGuardian,
}

/// How a consent stands (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(super) enum ConsentState {
    /// It opens what it names (*gäller*).
    Live,
    /// It was withdrawn (*återkallat*).
    Revoked,
    /// Its last day has passed (*utgånget*).
    Expired,
}

/// A consent to record (*samtycke*).
#[derive(InputObject)]
pub(super) struct ConsentInput {
    /// The partner organisation that may read (*mottagare*).
    partner_id: ID,
    /// What it may read (*uppgifter*): names of groups that can be consented to; a wrong one is refused with their names.
    groups: Vec<String>,
    /// The one purpose that it is for (*ändamål*).
    purpose: Purpose,
    /// Who gave it (*lämnat av*).
    given_by: ConsentGiver,
    /// Their names, at most 200 characters. No partner reads this.
    giver: String,
    /// Its last day (*till och med*), at most a year ahead.
    until: Date,
}

impl ConsentInput {
    pub(super) fn read(self) -> Result<NewConsent, Error> {
        let ConsentInput { partner_id, groups, purpose, given_by, giver, until } = self;
        let until = day(Some(until), &["until"])?.ok_or_else(|| Error::refused(ErrorCode::InvalidDate, ["until"]))?;
        let (purpose, given_by) = (purpose.into(), given_by.into());
        Ok(NewConsent { partner: partner_id.0, groups, purpose, given_by, giver, until })
    }
}

/// A consent (*samtycke*): what a partner organisation may read of a child.
#[derive(Clone, SimpleObject)]
pub(super) struct Consent {
    /// Its id: `consent_…`.
    id: ID,
    /// The id under which you know the child: `child_…`.
    child_id: ID,
    /// The partner organisation (*mottagare*).
    partner: Option<AgencyObject>,
    /// The groups of fields that it opens (*uppgifter*).
    groups: Vec<String>,
    /// The fields in them, as `section.field`. Some are shown only while the child is missing.
    fields: Vec<String>,
    /// The one purpose that it is for (*ändamål*); any of the partner's, where there is none.
    purpose: Option<Purpose>,
    /// Who gave it (*lämnat av*).
    given_by: Option<ConsentGiver>,
    /// Their names, for agencies.
    giver: Option<String>,
    /// Since when it holds (*från*).
    from: Instant,
    /// Until when (*till*).
    until: Instant,
    /// How it stands (*läge*).
    state: ConsentState,
}

impl Consent {
    pub(super) async fn of(session: &Session, view: ConsentView) -> Self {
        Consent {
            id: view.id.into(),
            child_id: view.child.into(),
            partner: named(session, view.partner).await,
            groups: view.groups,
            fields: view.fields.into_iter().map(|id| id.to_string()).collect(),
            purpose: view.purpose.map(Into::into),
            given_by: view.given_by.map(Into::into),
            giver: view.giver,
            from: Instant(view.from),
            until: Instant(view.until),
            state: view.state.into(),
        }
    }
}

/// What recording a consent, or its withdrawal, gives.
#[derive(SimpleObject)]
pub(super) struct ConsentPayload {
    /// The consent as it is now (*samtycke*).
    consent: Consent,
    /// From when no answer that was decided before leaves any node of the hub (*gäller från*).
    in_force_at: Instant,
}

impl ConsentPayload {
    pub(super) async fn of(session: &Session, done: InForce<ConsentView>) -> Self {
        ConsentPayload { consent: Consent::of(session, done.what).await, in_force_at: Instant(done.at) }
    }
}

/// A party that is kept from a child's record (*spärr*), because it is suspected. It is never told.
#[derive(Clone, SimpleObject)]
pub(super) struct PartyBlock {
    /// Its id: `block_…`.
    id: ID,
    /// The id of the child: `child_…`.
    child_id: ID,
    /// Who is kept out (*spärrad part*).
    agency: Option<AgencyObject>,
    /// Who decided (*beslutad av*).
    by: Option<AgencyObject>,
    /// Why (*skäl*).
    reason: String,
    /// Since when (*från*).
    at: Instant,
    /// Since when it is let in again (*hävd*).
    lifted_at: Option<Instant>,
}

impl PartyBlock {
    pub(super) async fn of(session: &Session, view: BlockView) -> Self {
        PartyBlock {
            id: view.id.into(),
            child_id: view.child.into(),
            agency: named(session, view.agency).await,
            by: named(session, view.by).await,
            reason: view.reason,
            at: Instant(view.at),
            lifted_at: view.lifted_at.map(Instant),
        }
    }
}

/// What keeping a party out, or letting it in again, gives.
#[derive(SimpleObject)]
pub(super) struct BlockPayload {
    /// The block as it is now (*spärr*).
    block: PartyBlock,
    /// From when no answer that was decided before leaves any node of the hub (*gäller från*).
    in_force_at: Instant,
}

impl BlockPayload {
    pub(super) async fn of(session: &Session, done: InForce<BlockView>) -> Self {
        BlockPayload { block: PartyBlock::of(session, done.what).await, in_force_at: Instant(done.at) }
    }
}

pub(super) async fn named(session: &Session, agency: AgencyId) -> Option<AgencyObject> {
    session.agency(agency).await.ok().flatten().map(|agency| AgencyObject::from(&*agency))
}
