//! Letting in an agency that has to do with a child, and ending that.

use super::Step;
use super::change::{Reading, Work};
use super::consent::BLOCKED;
use super::episode::{conflict, permit_to_know};
use crate::agency::AgencyKind;
use crate::catalogue::FieldSet;
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::{EventKind, To};
use crate::ids::AgencyId;
use crate::policy::{Act, Relation};
use crate::view::{ChildView, Selection};
use uuid::Uuid;

pub(super) const INVOLVED: &str = "INVOLVED";

/// Who can be involved: whoever may have a matter of its own about a child. Partners read by consent, and the others no child.
const KINDS: [AgencyKind; 9] = [
    AgencyKind::Migration,
    AgencyKind::Police,
    AgencyKind::BorderPolice,
    AgencyKind::SocialServices,
    AgencyKind::SocialOnCall,
    AgencyKind::Guardianship,
    AgencyKind::Region,
    AgencyKind::School,
    AgencyKind::CareHome,
];

impl<'s> Step<'s> {
    /// Lets an agency in that has a matter about a child: from now it reads and writes what its role may as one involved.
    /// One that is involved already is not involved twice: so the call is safe to repeat.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `INVALID_ID`, `UNKNOWN_AGENCY`, `AGENCY_KIND` for one that cannot be involved, `CONFLICT` for one that is
    /// kept from the child, [`Error::NotFound`].
    pub async fn involve_agency(&self, child: &str, agency: &str, selection: &Selection) -> Result<ChildView, Error> {
        let result = async {
            let agency = self.agency_of(self.read_agency(agency)?, &KINDS, &["agencyId"]).await?;
            let id = self.hub.dice.id();
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::InvolveAgency)?;
                self.is_not_kept_out(&work, agency).await?;
                if !self.is_involved(&work, agency).await? {
                    work.write.open_involvement(id, agency, INVOLVED, self.now);
                    self.tell(&mut work, EventKind::AgencyInvolved, agency);
                }
                Ok(work)
            };
            let work = self.decide(child, Uuid::nil(), Reading::Several, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Ends the involvement of an agency: its own, or another's by whoever may let agencies in. What it reads then is what
    /// an ended matter leaves it, for 90 days. One that is not involved is left as it is. The police stay until the child is safe.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, `INVALID_ID`, [`Error::NotFound`]; `CONFLICT` with the state of the episode for police that search.
    pub async fn end_involvement(&self, child: &str, agency: &str, selection: &Selection) -> Result<ChildView, Error> {
        let result = async {
            let agency = self.read_agency(agency)?;
            let decide = |mut work: Work<'s>| async move {
                let is_own = agency == self.caller.agency.id && work.gate.standing().relation == Relation::Involved;
                if !is_own {
                    work.gate.permit(Act::InvolveAgency)?;
                }
                let searches = self.hub.agency_kind(agency) == Some(AgencyKind::Police);
                if searches {
                    // Alike whether the child is missing or not: whoever may not know of a search does not end the police's part.
                    permit_to_know(&work.gate)?;
                }
                if self.is_involved(&work, agency).await? {
                    if searches {
                        self.is_not_searched_for(&work).await?;
                    }
                    work.write.close_tie(agency, INVOLVED, self.now);
                    self.tell(&mut work, EventKind::InvolvementEnded, agency);
                }
                Ok(work)
            };
            let work = self.decide(child, Uuid::nil(), Reading::Several, decide).await?;
            self.finish(work, selection).await
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    fn read_agency(&self, agency: &str) -> Result<AgencyId, Error> {
        agency.parse().map_err(|_| Error::refused_for(ErrorCode::InvalidId, ["agencyId"], AgencyId::PREFIX))
    }

    /// Refuses an agency that is kept from the child to those who decide on that. To all others it is let in as any other, and
    /// is shown nothing: that it is kept out is not theirs to know.
    async fn is_not_kept_out(&self, work: &Work<'_>, agency: AgencyId) -> Result<(), Error> {
        let is_kept_out = self.reader().await?.open_block(work.child(), agency).await?.is_some();
        if is_kept_out && work.gate.permit(Act::BlockParty).is_ok() {
            return Err(Error::Refused(vec![Refusal::in_state(["agencyId"], BLOCKED, ["unblockParty"])]));
        }
        Ok(())
    }

    /// Refuses to end the police's part while a child is missing: nobody would hear the alarms that are for them.
    async fn is_not_searched_for(&self, work: &Work<'_>) -> Result<(), Error> {
        let latest = self.reader().await?.episodes(work.child()).await?.into_iter().next();
        match latest.filter(|episode| episode.state.is_open() && episode.found_at.is_none()) {
            Some(open) => Err(conflict(&work.gate, "agencyId", open.state)),
            None => Ok(()),
        }
    }

    async fn is_involved(&self, work: &Work<'_>, agency: AgencyId) -> Result<bool, Error> {
        let ties = self.reader().await?.ties(work.child()).await?;
        Ok(ties.iter().any(|tie| tie.kind == INVOLVED && tie.agency == agency && tie.closed_at.is_none()))
    }

    /// The agency and the lead hear of it, and nobody else: who else is involved is not theirs to know.
    fn tell(&self, work: &mut Work<'_>, kind: EventKind, agency: AgencyId) {
        let lead = work.gate.standing().lead;
        work.write.event(kind, FieldSet::EMPTY, None, To::both(agency, lead));
        work.note(if kind == EventKind::AgencyInvolved { "involveAgency" } else { "endInvolvement" }, FieldSet::EMPTY);
        work.moves_more();
    }
}
