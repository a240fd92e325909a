//! What those near the child write: health, school, network, the child's own words, description,
//! risks and the safety plan.

use super::diary::{day, list, text, yes};
use super::names::staff;
use super::plan::Stage;
use super::{DAY, HOUR, Story, numbers, texts};
use crate::catalogue::Section;
use crate::clock;
use crate::policy::Protection;
use serde_json::{Map, Value as Json, json};

const REGION: &str = "region-skane";
const SCHOOL: &str = "skola";
const POLICE: &str = "polisen";

/// An observed risk indicator: when, which, by whom.
type Observed = (i64, &'static str, &'static str);

impl Story<'_> {
    /// When the child had settled down enough for the agencies around it to begin.
    fn settled(&self) -> i64 {
        self.life.moved.or(self.life.board_leads).unwrap_or(self.life.registered)
    }

    /// The home that has the child at an instant, or else the board.
    fn carer_at(&self, at: i64) -> &'static str {
        let home = self.life.stay_at(at).and_then(|stay| stay.agency());
        home.unwrap_or_else(|| self.board_at(at))
    }

    /// Twelve days after the child came to the municipality.
    pub(super) fn school_start(&self) -> i64 {
        (self.settled() + 12 * DAY + HOUR).min(self.now)
    }

    pub(super) fn write_health(&mut self) {
        if self.plan.stage == Stage::Arrival {
            return;
        }
        let offered = self.later(self.life.registered, 4..8);
        self.diary.write(offered, REGION, Section::Health, vec![("assessmentOfferedOn", day(offered))]);
        if offered < self.now - 30 * DAY && self.dice.chance(85) {
            let done = self.later(offered, 10..28);
            self.diary.write(done, REGION, Section::Health, vec![("assessmentDoneOn", day(done))]);
        }
        if self.dice.chance(if self.scripted() { 60 } else { 18 }) {
            let at = self.later(offered, 1..9);
            let needs = vec![("criticalNeeds", text(self.dice.pick(&texts::CRITICAL_NEEDS)))];
            self.diary.write(at, REGION, Section::Health, needs);
        }
        self.write_self_harm_alert(offered);
    }

    fn write_self_harm_alert(&mut self, offered: i64) {
        let at = self.later(offered, 2..14);
        match self.dice.range(0..100) {
            0..10 => {
                let note = text(self.dice.pick(&texts::SELF_HARM_NOTES));
                let board = self.board_at(at);
                let stated = vec![("selfHarmAlert", yes(true)), ("selfHarmNote", note)];
                self.diary.write(at, board, Section::Health, stated);
            }
            10..25 => self.diary.write(at, REGION, Section::Health, vec![("selfHarmAlert", yes(false))]),
            _ => {}
        }
    }

    /// Under protected registration the school notes absence only: neither its name nor its contact.
    pub(super) fn write_schooling(&mut self) {
        if !self.plan.school {
            return;
        }
        let at = self.school_start();
        if !self.is_registered_elsewhere() {
            let stated = vec![
                ("schoolName", text("Exempelskolan")),
                ("contactName", text(staff(&mut self.dice))),
                ("contactPhone", text(numbers::malmo(&mut self.dice))),
            ];
            self.diary.write(at, SCHOOL, Section::Schooling, stated);
        }
        if let Some(missing) = self.life.last_missing().filter(|missing| missing.opened > at) {
            let noted = (missing.opened + 10 * HOUR).min(self.now);
            self.diary.write(noted, SCHOOL, Section::Schooling, vec![("absentSince", day(missing.opened))]);
            if let Some(back) = missing.found.map(|found| found + 2 * DAY).filter(|back| *back < self.now) {
                self.diary.write(back, SCHOOL, Section::Schooling, vec![("absentSince", None)]);
            }
        } else if self.is_registered_elsewhere() || self.dice.chance(10) {
            let noted = self.later(self.now - 5 * DAY, 0..4).max(at);
            self.diary.write(noted, SCHOOL, Section::Schooling, vec![("absentSince", day(noted))]);
        }
    }

    pub(super) fn write_network(&mut self) {
        let settled = self.settled();
        let at = self.later(settled, 0..3);
        let carer = self.carer_at(at);
        let phones: Vec<String> = (0..self.dice.range(1..3)).map(|_| numbers::mobile(&mut self.dice)).collect();
        let handle = self.person.nickname.to_lowercase();
        let account = format!("@{handle}.exempel{}", self.index % 1000);
        let stated = vec![("phones", list(phones.clone())), ("accounts", list([account]))];
        self.diary.write(at, carer, Section::Network, stated);
        if self.plan.stage == Stage::Arrival {
            return;
        }
        let known = self.later(settled, 2..8);
        let board = self.board_at(known);
        let relatives: Vec<Json> = (0..self.dice.range(1..4)).map(|nth| self.relative(nth)).collect();
        self.diary.write(known, board, Section::Network, vec![("relatives", list(relatives))]);
        if !self.is_registered_elsewhere() {
            let known = self.later(settled, 5..12);
            let carer = self.carer_at(known);
            let places = self.some(&texts::PLACES);
            self.diary.write(known, carer, Section::Network, vec![("likelyPlaces", list(places))]);
        }
        if settled < self.now - 50 * DAY && self.dice.chance(30) {
            let changed = self.later(settled, 14..45);
            let carer = self.carer_at(changed);
            let phones = [numbers::mobile(&mut self.dice)].into_iter().chain(phones);
            let phones: Vec<String> = phones.take(2).collect();
            self.diary.write(changed, carer, Section::Network, vec![("phones", list(phones))]);
        }
    }

    /// One in Sweden has a telephone of the range for fiction; those abroad have none here.
    fn relative(&mut self, nth: i64) -> Json {
        let origin = self.person.origin;
        let female = self.dice.chance(50);
        let given = self.dice.pick(if female { origin.female } else { origin.male });
        let (what, country, note) = match (nth, female) {
            (0, true) => ("mor", origin.country, None),
            (0, false) => (
                "farbror",
                Some(self.dice.pick(&["DE", "DK", "NO", "FI"])),
                Some(self.dice.pick(&texts::RELATIVE_NOTES)),
            ),
            (1, true) => ("syster", Some("SE"), None),
            (1, false) => ("bror", Some("SE"), Some(self.dice.pick(&texts::RELATIVE_NOTES))),
            _ => ("vän", Some("SE"), None),
        };
        let family = if what == "vän" { self.dice.pick(origin.family) } else { self.person.family };
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(format!("{given} {family}")));
        entry.insert("relationship".to_owned(), json!(what));
        if country == Some("SE") {
            entry.insert("phone".to_owned(), json!(numbers::mobile(&mut self.dice)));
        }
        entry.extend(country.map(|country| ("country".to_owned(), json!(country))));
        entry.extend(note.map(|note| ("note".to_owned(), json!(note))));
        Json::Object(entry)
    }

    /// One to three of the texts, in their order.
    fn some(&mut self, texts: &[&'static str]) -> Vec<&'static str> {
        let wanted = self.dice.range(1..4) as usize;
        let from = self.dice.range(0..texts.len() as i64) as usize;
        texts.iter().cycle().skip(from).take(wanted).copied().collect()
    }

    pub(super) fn write_voice(&mut self) {
        if self.plan.stage == Stage::Arrival {
            return;
        }
        let at = self.later(self.settled(), 2..9);
        let writer = if self.dice.chance(20) { "malmo-overformyndare" } else { self.board_at(at) };
        let stated = vec![("wishes", text(self.dice.pick(&texts::WISHES))), ("recordedOn", day(at))];
        self.diary.write(at, writer, Section::Voice, stated);
        if at < self.now - 60 * DAY && self.dice.chance(25) {
            let at = self.later(at, 20..55);
            let board = self.board_at(at);
            let stated = vec![("wishes", text(self.dice.pick(&texts::WISHES))), ("recordedOn", day(at))];
            self.diary.write(at, board, Section::Voice, stated);
        }
    }

    pub(super) fn write_description(&mut self) {
        let at = self.later(self.life.registered, 0..3);
        let carer = self.carer_at(at);
        let height = 142 + (self.person.age_at(self.now).clamp(12, 18) - 12) as i64 * 5 + self.dice.range(0..9);
        let looks = format!("Cirka {height} cm, {}.", self.dice.pick(&texts::LOOKS));
        let marks = self.dice.chance(60).then(|| self.dice.pick(&texts::MARKS));
        let stated = vec![
            ("appearance", text(looks)),
            ("marks", marks.and_then(text)),
            ("clothing", text(self.dice.pick(&texts::CLOTHING))),
        ];
        self.diary.write(at, carer, Section::Description, stated);
        let seen = self.life.last_missing().map(|missing| (missing.opened + HOUR).min(self.now));
        if let Some(at) = seen.filter(|seen| *seen > at) {
            let carer = self.carer_at(at);
            let clothing = format!("Senast sedd i {}", self.dice.pick(&texts::CLOTHING).to_lowercase());
            self.diary.write(at, carer, Section::Description, vec![("clothing", text(clothing))]);
        }
    }

    /// Indicators are written twice: first those seen by half of the time, then all.
    pub(super) fn write_risk(&mut self) {
        let mut observed = self.observed();
        observed.sort();
        let half = observed.len() / 2;
        for part in [observed.get(..half), Some(observed.as_slice())].into_iter().flatten() {
            let Some((at, _, _)) = part.last().copied() else { continue };
            let at = (at + 3 * HOUR).min(self.now);
            let board = self.board_at(at);
            let entries = part.iter().map(indicator);
            self.diary.write(at, board, Section::Risk, vec![("indicators", list(entries))]);
        }
        self.write_exploitation();
    }

    fn observed(&mut self) -> Vec<Observed> {
        let (case, now) = (&self.life.case, self.now);
        let mut all: Vec<Observed> = Vec::new();
        let refused = case.served.filter(|_| case.outcome == Some("REFUSAL")).or(case.announced.map(|_| now - 3 * DAY));
        all.extend(refused.map(|at| (at, "REFUSAL_EXPECTED_OR_SERVED", "Migrationsverket")));
        let transfer = case.served.filter(|_| case.outcome == Some("TRANSFER"));
        all.extend(transfer.map(|at| (at, "TRANSFER_DECISION", "Migrationsverket")));
        all.extend(self.aged_up().map(|at| (at, "AGE_REASSESSED", "Migrationsverket")));
        if self.plan.stage == Stage::Near18 {
            all.push((now - 2 * DAY, "EIGHTEEN_WITHIN_90_DAYS", "socialtjänsten"));
        }
        let moves = self.life.handover.or(self.life.assigned.filter(|_| self.life.moved.is_none()));
        let moves = moves.filter(|_| self.plan.stage == Stage::Assigned || self.plan.handover);
        all.extend(moves.map(|at| (at, "MOVE_PENDING", "socialtjänsten")));
        let found = self.life.missing.iter().filter_map(|missing| missing.found).next_back();
        all.extend(found.map(|at| (at, "EARLIER_DISAPPEARANCE", "boendet")));
        let wanted = if self.plan.stage == Stage::Arrival { 35 } else { 55 };
        for (indicator, source) in texts::OTHER_INDICATORS {
            if self.dice.chance(wanted) && self.dice.chance(18) {
                let at = self.later(self.settled(), 1..30);
                all.push((at, indicator, source));
            }
        }
        all
    }

    /// A suspicion: of the board, or of the police while the child is missing. Some are dropped.
    fn write_exploitation(&mut self) {
        let missing = self.life.last_missing().filter(|missing| missing.opened < self.now - 2 * HOUR);
        let wanted = if missing.is_some() { 45 } else { 6 };
        if !self.dice.chance(wanted) {
            return;
        }
        let seen = missing.map(|missing| (missing.opened + DAY).min(self.now));
        let at = seen.unwrap_or_else(|| self.later(self.settled(), 3..25));
        let writer = if seen.is_some() && self.dice.chance(50) { POLICE } else { self.board_at(at) };
        let (kind, what) = self.dice.weigh(&texts::EXPLOITATION, ("OTHER", "Oro som ännu inte är utredd."));
        let stated = vec![("exploitation", text(what)), ("exploitationKind", text(kind))];
        self.diary.write(at, writer, Section::Risk, stated);
        if seen.is_none() && at < self.now - 20 * DAY && self.dice.chance(20) {
            let at = self.later(at, 5..15);
            let board = self.board_at(at);
            self.diary.write(at, board, Section::Risk, vec![("exploitation", None), ("exploitationKind", None)]);
        }
    }

    pub(super) fn write_safety_plan(&mut self) {
        let likely = if self.scripted() || self.plan.protection != Protection::None { 100 } else { 60 };
        if !self.plan.stage.is_settled() || !self.dice.chance(likely) {
            return;
        }
        let at = self.later(self.settled(), 4..14);
        let board = self.board_at(at);
        let stated = vec![
            ("plan", text(self.dice.pick(&texts::PLANS))),
            ("agreedOn", day(at)),
            ("reviewOn", day(at + 90 * DAY)),
        ];
        self.diary.write(at, board, Section::SafetyPlan, stated);
        let reviewed = self.life.missing.iter().filter_map(|missing| missing.found).next_back();
        let reviewed = reviewed.map(|found| found + DAY).or((at < self.now - 95 * DAY).then_some(at + 88 * DAY));
        if let Some(at) = reviewed.filter(|reviewed| *reviewed > at && *reviewed <= self.now) {
            let board = self.board_at(at);
            let stated = vec![
                ("plan", text(self.dice.pick(&texts::REVIEWED_PLANS))),
                ("agreedOn", day(at)),
                ("reviewOn", day(at + 60 * DAY)),
            ];
            self.diary.write(at, board, Section::SafetyPlan, stated);
        }
    }

    fn scripted(&self) -> bool {
        self.index < super::SCRIPTED
    }
}

fn indicator((at, indicator, source): &Observed) -> Json {
    let mut entry = Map::new();
    entry.insert("indicator".to_owned(), json!(indicator));
    entry.insert("observedOn".to_owned(), json!(clock::day(*at).to_string()));
    entry.insert("source".to_owned(), json!(source));
    let note = texts::INDICATOR_NOTES.iter().find(|(code, _)| code == indicator);
    entry.extend(note.map(|(_, note)| ("note".to_owned(), json!(note))));
    Json::Object(entry)
}
