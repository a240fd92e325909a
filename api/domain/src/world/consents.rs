//! What the child has allowed the partner organisations to read.

use super::plan::Given;
use super::{Consent, DAY, HOUR, Story};

/// What is asked for together.
static BUNDLES: [&[&str]; 6] = [
    &["identity", "languages", "voice", "guardian"],
    &["identity", "languages", "description", "childContact", "missingFlag", "foundFlag"],
    &["identity", "languages", "counsel", "board", "guardian"],
    &["identity", "board", "safetyPlan", "voice"],
    &["languages", "voice"],
    &["identity", "languages", "counsel", "board", "guardian", "childContact", "voice", "description", "safetyPlan"],
];

static GIVERS: [&str; 3] = ["CHILD_AND_GUARDIAN", "CHILD", "GUARDIAN"];

impl Story<'_> {
    pub(super) fn consents(&mut self) -> Vec<Consent> {
        let [one, other] = self.plan.consents;
        let mut all = Vec::new();
        all.extend(self.consent("radda-barnen", one));
        all.extend(self.consent("stadsmissionen", other));
        all
    }

    fn consent(&mut self, partner: &str, given: Given) -> Option<Consent> {
        let here = self.now - self.life.registered;
        let from = self.life.registered + here * self.dice.range(20..50) / 100;
        let valid_until = match given {
            Given::No => return None,
            Given::Live | Given::Withdrawn => self.now + self.dice.range(20 * DAY..300 * DAY),
            Given::Expired => self.now - here * self.dice.range(5..40) / 100,
        };
        let withdrawn_at = (given == Given::Withdrawn).then(|| self.now - here / 10 - self.dice.range(0..HOUR));
        Some(Consent {
            id: self.dice.id(),
            agency: self.diary.agency(partner),
            // The child whose story is missing now shows what a consent opens while it is missing.
            groups: if self.index == 10 { BUNDLES[1] } else { self.dice.pick(&BUNDLES) },
            given_by: self.dice.pick(&GIVERS),
            valid_from: from,
            valid_until,
            withdrawn_at,
        })
    }
}
