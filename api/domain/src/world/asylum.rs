//! What Migrationsverket, and for returns the border police, write of the asylum case.

use super::diary::{Stated, day, text, yes};
use super::names::{email, staff};
use super::plan::Stage;
use super::{DAY, Story, numbers};
use crate::catalogue::Section;

const MIGRATION: &str = "migrationsverket";

impl Story<'_> {
    pub(super) fn write_asylum(&mut self) {
        let Some(applied) = self.life.case.applied else {
            return self.write_case(self.life.registered, vec![("stage", text("NOT_APPLIED"))]);
        };
        self.write_case(applied, vec![("applicationDate", day(applied)), ("stage", text("APPLIED"))]);
        self.write_counsel();
        if let Some(at) = self.life.case.investigated {
            self.write_case(at, vec![("stage", text("INVESTIGATION"))]);
        }
        self.write_decision();
        self.write_age_assessment();
        self.write_transfer();
        if self.plan.stage == Stage::Return {
            self.write_return();
        }
    }

    fn write_case(&mut self, at: i64, stated: Vec<Stated>) {
        self.diary.write(at, MIGRATION, Section::Asylum, stated);
    }

    fn write_counsel(&mut self) {
        let Some(from) = self.life.case.investigated.or(self.life.assigned) else { return };
        let at = self.later(from, 0..3);
        let name = staff(&mut self.dice);
        let phone = match self.index % 2 {
            0 => numbers::stockholm(&mut self.dice),
            _ => numbers::gothenburg(&mut self.dice),
        };
        let mail = text(email(&name, "advokat"));
        self.write_case(at, vec![("counselName", text(name)), ("counselPhone", text(phone)), ("counselEmail", mail)]);
    }

    fn write_decision(&mut self) {
        let case = &self.life.case;
        let (announced, served, outcome) = (case.announced, case.served, case.outcome);
        let (appealed, is_final) = (case.appealed, case.is_final);
        if let Some(on) = announced {
            let at = self.later(self.now - 6 * DAY, 0..5);
            self.write_case(at, vec![("stage", text("DECISION_PENDING")), ("servedOn", day(on))]);
        }
        if let (Some(at), Some(outcome)) = (served, outcome) {
            let stated = vec![("stage", text("DECIDED")), ("outcome", text(outcome)), ("servedOn", day(at))];
            self.write_case(at, stated);
        }
        if let Some(at) = appealed {
            self.write_case(at, vec![("stage", text("APPEALED")), ("appealed", yes(true))]);
        }
        if let Some(at) = is_final.map(|at| at.max(appealed.unwrap_or(at))) {
            self.write_case(at, vec![("stage", text("FINAL")), ("finalOn", day(at))]);
        }
    }

    /// Offered, then decided for the time being, then finally: as far as the child's index says.
    fn write_age_assessment(&mut self) {
        let offered = self.life.case.investigated.unwrap_or(self.life.registered);
        if self.plan.stage != Stage::AgeAssessed {
            if self.dice.chance(8) {
                let (at, then) = (self.later(offered, 1..5), self.later(offered, 6..20));
                self.write_case(at, vec![("ageAssessmentStage", text("CONSIDERED"))]);
                self.write_case(then, vec![("ageAssessmentStage", text("NONE"))]);
            }
            return;
        }
        let at = self.later(offered, 5..15);
        self.write_case(at, vec![("ageAssessmentStage", text("OFFERED"))]);
        let decided = self.aged_up().unwrap_or(self.now - 4 * DAY);
        let result = match self.index % 3 {
            0 => "ADULT",
            1 => "CHILD",
            _ => "INCONCLUSIVE",
        };
        let stage = if result == "CHILD" { "FINAL_DECISION" } else { "TEMPORARY_DECISION" };
        self.write_case(decided, vec![("ageAssessmentStage", text(stage)), ("ageAssessmentResult", text(result))]);
    }

    fn write_transfer(&mut self) {
        let considered = self.plan.stage == Stage::Placed && self.dice.chance(8);
        if self.plan.stage != Stage::TransferPending && !considered {
            return;
        }
        let from = self.life.case.served.or(self.life.assigned).unwrap_or(self.life.registered);
        let at = self.later(from, 0..3);
        let state = self.dice.pick(&["DE", "DK", "FI", "IT", "AT", "PL"]);
        let on = day(self.now + self.dice.range(5 * DAY..40 * DAY)).filter(|_| !considered);
        self.write_case(at, vec![("transferPending", yes(true)), ("transferState", text(state)), ("transferOn", on)]);
        if considered {
            let at = self.later(at, 4..15);
            self.write_case(at, vec![("transferPending", yes(false)), ("transferState", None)]);
        }
    }

    /// Talks, then a plan; some are handed to the police, who then lead.
    fn write_return(&mut self) {
        let decided = self.life.case.is_final.unwrap_or(self.life.registered);
        let (talks, planned) = (self.later(decided, 2..10), self.later(decided, 14..30));
        self.write_case(talks, vec![("returnPhase", text("TALKS")), ("returnLead", text("MIGRATION"))]);
        if self.dice.chance(25) {
            return;
        }
        let on = day(self.now + self.dice.range(8 * DAY..60 * DAY));
        self.write_case(planned, vec![("returnPhase", text("PLANNED")), ("returnPlannedOn", on)]);
        if self.dice.chance(50) {
            let at = self.later(planned, 5..20);
            let on = day(self.now + self.dice.range(8 * DAY..60 * DAY));
            let stated =
                vec![("returnPhase", text("WITH_POLICE")), ("returnLead", text("POLICE")), ("returnPlannedOn", on)];
            self.diary.write(at, "granspolisen", Section::Asylum, stated);
        }
    }
}
