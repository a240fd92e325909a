//! Who the child stays with (DESIGN 3). Whereabouts follow the placement and the arrival at a home; while the child is missing nobody
//! has it: the home is involved, takes part in the search, and has the child again when it is safe, or until its placement ends.

use super::change::Work;
use super::involvement::INVOLVED;
use super::step::Step;
use super::write::current_placement;
use crate::agency::AgencyKind;
use crate::catalogue::{Section, Value};
use crate::error::Error;
use crate::ids::AgencyId;
use crate::store::{EpisodeRow, Tie};

const WHEREABOUTS: &str = "WHEREABOUTS";

impl<'s> Step<'s> {
    /// The placement names another home, or none: the child stays with it from now, or would if it were not missing.
    pub(super) async fn follow_placement(&self, work: &mut Work<'s>, home: Option<AgencyId>) -> Result<(), Error> {
        let latest = self.reader().await?.episodes(work.child()).await?.into_iter().next();
        let unfound = latest.filter(|episode| episode.found_at.is_none());
        work.write.close_involvements(WHEREABOUTS, self.now);
        if let Some(episode) = &unfound {
            let left = home_of(work);
            work.write.close_involved(left.as_slice(), episode.opened_at, self.now);
        }
        if let Some(home) = home {
            let is_missing = unfound.is_some_and(|episode| episode.state.is_open());
            let kind = if is_missing { INVOLVED } else { WHEREABOUTS };
            work.write.open_involvement(self.hub.dice.id(), home, kind, self.now);
        }
        Ok(())
    }

    /// The child is missing from the home that had it, or that waited for it since an episode was opened before.
    pub(super) fn lose_whereabouts(&self, work: &mut Work<'s>, ties: &[Tie], before: Option<&EpisodeRow>) {
        let stayed = ties.iter().find(|tie| tie.kind == WHEREABOUTS && tie.closed_at.is_none()).map(|tie| tie.agency);
        let waited = before.and_then(|episode| self.waiting(ties, episode).map(|home| (home, episode.opened_at)));
        if let Some((home, since)) = waited {
            work.write.close_involved(&[home], since, self.now);
        }
        work.write.close_involvements(WHEREABOUTS, self.now);
        // A tie of its own, whatever else the home has to do with the child: it ends with the search.
        if let Some(home) = stayed.or(waited.map(|(home, _)| home)) {
            work.write.open_involvement(self.hub.dice.id(), home, INVOLVED, self.now);
        }
    }

    /// The child was found: the home that waits for it has it again, unless another has it already.
    pub(super) fn regain_whereabouts(&self, work: &mut Work<'s>, ties: &[Tie], episode: &EpisodeRow) {
        let Some(home) = self.waiting(ties, episode) else { return };
        work.write.close_involved(&[home], episode.opened_at, self.now);
        if !ties.iter().any(|tie| tie.kind == WHEREABOUTS && tie.closed_at.is_none()) {
            work.write.open_involvement(self.hub.dice.id(), home, WHEREABOUTS, self.now);
        }
    }

    /// The home that has waited for the child since an episode was opened: the one that had it then, before any other.
    fn waiting(&self, ties: &[Tie], episode: &EpisodeRow) -> Option<AgencyId> {
        let is_home = |agency: AgencyId| self.hub.agency_kind(agency) == Some(AgencyKind::CareHome);
        let waits = |tie: &&Tie| {
            tie.kind == INVOLVED && tie.closed_at.is_none() && tie.opened_at >= episode.opened_at && is_home(tie.agency)
        };
        ties.iter().filter(waits).min_by_key(|tie| tie.opened_at).map(|tie| tie.agency)
    }
}

/// The home that the current placement names.
fn home_of(work: &Work<'_>) -> Option<AgencyId> {
    let placement = current_placement(&work.loaded, work.child())?;
    let home = Section::Placement.field("unitAgency").and_then(|id| placement.value(id).cloned());
    home.and_then(|home| if let Value::Agency(agency) = home { Some(agency) } else { None })
}
