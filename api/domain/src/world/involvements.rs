//! What each agency is to the child, from when to when.

use super::life::Missing;
use super::plan::Stage;
use super::{DAY, Episode, HOUR, Involvement, Story};

/// Kind, agency, from, to.
type Tie = (&'static str, &'static str, i64, Option<i64>);

const SOCIAL_ON_CALL: &str = "socialjour";
const MIGRATION: &str = "migrationsverket";

impl Story<'_> {
    /// The board that is responsible at an instant: whoever writes its part then.
    pub(super) fn board_at(&self, at: i64) -> &'static str {
        if self.plan.night { SOCIAL_ON_CALL } else { self.life.town_at(at).board }
    }

    /// The agency that leads now.
    pub(super) fn lead(&self) -> &'static str {
        let life = &self.life;
        match (life.moved, life.board_leads) {
            (Some(_), _) => life.towns.1.board,
            (None, Some(_)) => life.towns.0.board,
            (None, None) => MIGRATION,
        }
    }

    pub(super) fn episodes(&self) -> Vec<Episode> {
        let episode = |&Missing { id, opened, found, closed }: &Missing| Episode {
            id,
            opened_at: opened,
            found_at: found,
            closed_at: closed,
        };
        self.life.missing.iter().map(episode).collect()
    }

    pub(super) fn involvements(&mut self) -> Vec<Involvement> {
        let mut ties = self.leads();
        self.boards(&mut ties);
        self.homes(&mut ties);
        self.police(&mut ties);
        self.others(&mut ties);
        ties.sort_by_key(|(_, _, from, _)| *from);
        let made = |(kind, agency, opened_at, closed_at): Tie| Involvement {
            id: self.dice.id(),
            agency: self.diary.agency(agency),
            kind,
            opened_at,
            closed_at,
        };
        ties.into_iter().map(made).collect()
    }

    /// Migrationsverket leads from the registration, then the board, then the board of the assigned
    /// municipality from the arrival there.
    fn leads(&self) -> Vec<Tie> {
        let life = &self.life;
        let mut ties = vec![("LEAD", MIGRATION, life.registered, life.board_leads)];
        if let Some(from) = life.board_leads {
            ties.push(("INVOLVED", MIGRATION, from, None));
            ties.push(("LEAD", life.towns.0.board, from, life.moved));
        }
        if let Some(from) = life.moved {
            ties.push(("LEAD", life.towns.1.board, from, None));
        }
        ties
    }

    /// Legal responsibility moves with the decision of assignment, before the child does.
    fn boards(&self, ties: &mut Vec<Tie>) {
        let life = &self.life;
        let crossing = life.assigned.filter(|_| !std::ptr::eq(life.towns.0, life.towns.1));
        ties.push(("RESPONSIBLE", self.board_at(life.registered), life.registered, crossing));
        if self.plan.night {
            ties.push(("INVOLVED", life.towns.0.board, life.registered, None));
        }
        if let Some(from) = crossing {
            ties.push(("RESPONSIBLE", life.towns.1.board, from, None));
            ties.push(("RECEIVING", life.towns.1.board, from + HOUR / 2, life.moved));
        }
        if self.plan.stage == Stage::Assigned && crossing.is_none() {
            ties.extend(life.assigned.map(|from| ("RECEIVING", life.towns.1.board, from + HOUR / 2, None)));
        }
        ties.extend(life.handover.map(|from| ("RECEIVING", life.receiver().board, from + HOUR / 2, None)));
    }

    /// A home has the child with it from the first day of the stay to the last, but for the times when
    /// the child is missing: then it is involved, and knows no whereabouts.
    fn homes(&self, ties: &mut Vec<Tie>) {
        for stay in &self.life.stays {
            let Some(agency) = stay.agency() else { continue };
            let from = stay.from.max(self.life.registered);
            let mut at = from;
            let during = |missing: &&Missing| missing.opened > from && stay.to.is_none_or(|to| missing.opened < to);
            for missing in self.life.missing.iter().filter(during) {
                ties.push(("WHEREABOUTS", agency, at, Some(missing.opened)));
                let back = missing.found.map(|found| stay.to.map_or(found, |to| to.min(found)));
                ties.push(("INVOLVED", agency, missing.opened, back));
                at = back.unwrap_or(i64::MAX);
            }
            if at < stay.to.unwrap_or(i64::MAX) {
                ties.push(("WHEREABOUTS", agency, at, stay.to));
            }
        }
    }

    /// The search unit from each report on, the border police for returns and some transfers, social
    /// services after hours while the child is missing.
    fn police(&mut self, ties: &mut Vec<Tie>) {
        for missing in self.life.missing.clone() {
            let recently = missing.found.is_none_or(|found| found > self.now - 100 * DAY);
            let ended = missing.closed.filter(|_| !recently);
            ties.push(("INVOLVED", "polisen", (missing.opened + HOUR).min(self.now), ended));
            if self.life.town_at(missing.opened).municipality == "1280" {
                let back = missing.found.map(|found| (found + DAY).min(self.now));
                ties.push(("INVOLVED", SOCIAL_ON_CALL, missing.opened, back));
            }
        }
        let enforces =
            self.plan.stage == Stage::Return || self.plan.stage == Stage::TransferPending && self.dice.chance(50);
        if enforces {
            let from = self.life.case.is_final.or(self.life.case.served).unwrap_or(self.life.registered);
            let from = self.later(from, 3..10);
            ties.push(("INVOLVED", "granspolisen", from, None));
        }
    }

    fn others(&mut self, ties: &mut Vec<Tie>) {
        let registered = self.life.registered;
        let at = self.later(registered, 0..1);
        ties.push(("INVOLVED", "malmo-overformyndare", at, None));
        if self.plan.stage != Stage::Arrival {
            let at = self.later(registered, 2..4);
            ties.push(("INVOLVED", "region-skane", at, None));
        }
        if self.plan.school {
            ties.push(("INVOLVED", "skola", self.school_start(), None));
        }
        if !self.plan.night && self.plan.stage.is_settled() && self.dice.chance(12) {
            ties.push(("INVOLVED", SOCIAL_ON_CALL, registered, Some(registered + 14 * HOUR)));
        }
    }
}
