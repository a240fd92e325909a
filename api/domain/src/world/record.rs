//! What Migrationsverket, the boards and the chief guardian write: who the child is, by which numbers
//! it is known, who answers for it, and where it lives.

use super::diary::{Stated, day, list, text, yes};
use super::life::{MALMO, Stay, Town};
use super::names::{email, staff};
use super::person::assessed_birth;
use super::plan::Stage;
use super::{DAY, HOUR, Identifier, MINUTE, MadeUpPhoto, Story, numbers, persona, texts};
use crate::catalogue::{IdentifierKind, Section, Value};
use crate::clock;
use crate::gate;
use crate::photo::{self, Clean, Media, Photo};
use crate::policy::Protection;
use crate::stamps::Stamps;
use crate::store::IdentifierRow;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

const MIGRATION: &str = "migrationsverket";
const GUARDIANS: &str = "malmo-overformyndare";

impl Story<'_> {
    pub(super) fn write_identity(&mut self) {
        let (person, registered) = (&self.person, self.life.registered);
        let first = person.first_spelling.clone().unwrap_or_else(|| person.family.to_owned());
        let claimed = person.claimed.map(Value::Date);
        let stated = vec![
            ("givenNames", text(person.given)),
            ("familyName", text(first.as_str())),
            ("birthDate", Some(Value::Date(person.birth))),
            ("birthDateClaimed", claimed),
            ("sex", text(person.sex)),
            ("citizenship", person.origin.country.and_then(text)),
            ("stateless", person.origin.country.is_none().then_some(Value::Bool(true))),
        ];
        self.diary.write(registered, MIGRATION, Section::Identity, stated);
        self.write_languages();
        if self.person.first_spelling.is_some() {
            let at = self.later(registered, 1..9);
            let corrected = vec![("familyName", text(self.person.family)), ("aliases", list([first]))];
            self.diary.write(at, MIGRATION, Section::Identity, corrected);
        }
        if let Some(at) = self.aged_up() {
            let (birth, _) = assessed_birth(self.index, self.now);
            self.diary.write(at, MIGRATION, Section::Identity, vec![("birthDate", Some(Value::Date(birth)))]);
        }
    }

    /// Notes a photo of the day the child was registered; gives its bytes.
    pub(super) fn write_photo(&mut self, id: Uuid) -> MadeUpPhoto {
        let Clean { bytes, width, height } = photo::made_up(self.index);
        let (at, size) = (self.life.registered, u32::try_from(bytes.len()).unwrap_or_default());
        let media = Media::Png;
        let told = Photo { id, media, taken_on: clock::day(at), size, width, height };
        self.diary.write(at, MIGRATION, Section::Description, vec![("photo", Some(Value::Photo(told)))]);
        MadeUpPhoto { id, media, bytes }
    }

    fn write_languages(&mut self) {
        let at = self.later(self.life.registered, 0..2);
        let swedish = self.person.speaks_swedish.then_some("swe");
        let languages = list(self.person.origin.languages.iter().copied().chain(swedish));
        let stated = vec![("languages", languages), ("interpreterNeeded", yes(!self.person.speaks_swedish))];
        let board = self.board_at(at);
        self.diary.write(at, board, Section::Identity, stated);
    }

    /// When an age assessment made the child a grown-up.
    pub(super) fn aged_up(&self) -> Option<i64> {
        let grown_up = self.plan.stage == Stage::AgeAssessed && self.index.is_multiple_of(3);
        grown_up.then_some(self.now - 6 * DAY - HOUR * (self.index % 20) as i64)
    }

    pub(super) fn write_protection(&mut self) {
        let level = match self.plan.protection {
            Protection::None if self.dice.chance(98) => return,
            Protection::None => Protection::Local,
            level => level,
        };
        let at = self.later(self.life.registered, 0..4);
        let board = self.board_at(at);
        let decided_by = match level {
            Protection::Local => format!("socialnämnden i {}", self.life.town_at(at).name),
            _ => "Skatteverket".to_owned(),
        };
        let stated = vec![
            ("level", text(level.code())),
            ("decidedBy", text(decided_by)),
            ("decidedOn", day(at)),
            ("validUntil", if level == Protection::Local { None } else { day(at + 730 * DAY) }),
        ];
        self.diary.write(at, board, Section::Protection, stated);
        if self.plan.protection == Protection::None {
            let at = self.later(at, 5..40);
            let (board, on) = (self.board_at(at), day(at));
            let lifted = vec![("level", text(Protection::None.code())), ("validUntil", on)];
            self.diary.write(at, board, Section::Protection, lifted);
        }
    }

    pub(super) fn write_responsibility(&mut self) {
        let arrival = vec![("arrivalMunicipality", text(self.life.towns.0.municipality))];
        self.diary.write(self.life.registered, MIGRATION, Section::Responsibility, arrival);
        if let Some(at) = self.life.assigned {
            let stated = vec![
                ("assignedMunicipality", text(self.life.towns.1.municipality)),
                ("assignmentDecision", text(format!("ANV 99-{:06}", self.index % 1_000_000))),
                ("assignedOn", day(at)),
            ];
            self.diary.write(at, MIGRATION, Section::Responsibility, stated);
        }
        let life = &self.life;
        let (first, moved, towns) = (life.board_leads.unwrap_or(life.registered + HOUR), life.moved, life.towns);
        self.write_board(first.min(self.now), towns.0);
        if let Some(at) = moved {
            self.write_board(at + 20 * MINUTE, towns.1);
        }
        let latest = moved.unwrap_or(first);
        if latest < self.now - 60 * DAY && self.dice.chance(25) {
            let at = self.later(latest, 20..55);
            let stated = self.case_worker(towns.1).to_vec();
            self.diary.write(at, towns.1.board, Section::Responsibility, stated);
        }
    }

    fn write_board(&mut self, at: i64, town: &Town) {
        let phone = ("dutyPhone", text(town.duty_phone));
        if self.plan.night {
            let stated = vec![("unit", text("Socialjouren")), phone];
            return self.diary.write(at.min(self.now), "socialjour", Section::Responsibility, stated);
        }
        let mut stated = vec![("unit", text(self.dice.pick(&texts::UNITS))), phone];
        stated.extend(self.case_worker(town));
        self.diary.write(at.min(self.now), town.board, Section::Responsibility, stated);
    }

    fn case_worker(&mut self, town: &Town) -> [Stated; 3] {
        let name = staff(&mut self.dice);
        [
            ("caseWorkerEmail", text(email(&name, town.domain))),
            ("caseWorkerName", text(name)),
            ("caseWorkerPhone", text(numbers::mobile(&mut self.dice))),
        ]
    }

    pub(super) fn write_placements(&mut self) {
        let stays = std::mem::take(&mut self.life.stays);
        for (nth, stay) in stays.iter().enumerate() {
            let basis = if nth == 0 { "LMA" } else { self.placement_basis(stay.from) };
            self.write_placement(stay, basis);
        }
        self.life.stays = stays;
    }

    fn write_placement(&mut self, stay: &Stay, basis: &'static str) {
        let from = stay.from.max(self.life.registered);
        let board = self.board_at(from);
        let unit = self.unit_name(stay);
        let mut stated = vec![
            ("type", text(stay.kind)),
            ("from", day(stay.from)),
            ("unitName", unit.filter(|_| !self.is_registered_elsewhere()).and_then(text)),
            ("unitAgency", stay.agency().map(|code| Value::Agency(self.diary.agency(code)))),
        ];
        if matches!(stay.kind, "ANKOMSTBOENDE" | "STODBOENDE") {
            stated.push(("operatorNumber", text(stay.town.organisation_number)));
        }
        self.diary.write_placement(from, board, stay.id, stated);
        self.write_address(stay, from, board);
        let decided = (from + self.dice.range(HOUR..3 * DAY)).min(self.now);
        if stay.to.is_none_or(|to| decided < to) && (stay.from < self.now - 2 * DAY || self.dice.chance(60)) {
            self.diary.write_placement(decided, board, stay.id, vec![("legalBasis", text(basis))]);
        }
        if let Some(to) = stay.to {
            let board = self.board_at(to);
            self.diary.end_placement(to, board, stay.id);
        }
    }

    /// The home keeps the address, where it is in the hub; under protected registration nobody does.
    fn write_address(&mut self, stay: &Stay, from: i64, board: &'static str) {
        if self.is_registered_elsewhere() {
            return;
        }
        let elsewhere = format!("{} {}", self.dice.pick(&texts::STREETS), self.dice.range(1..60));
        let (code, phone) = (self.dice.pick(stay.town.postal_codes), numbers::malmo(&mut self.dice));
        let (street, code, phone) = match (stay.in_hub, stay.town.postal_codes.first()) {
            (true, Some(code)) => (stay.town.home_street.to_owned(), *code, stay.town.home_phone.to_owned()),
            _ => (elsewhere, code, phone),
        };
        let stated = vec![
            ("street", text(street)),
            ("postalCode", text(code)),
            ("postalTown", text(stay.town.name)),
            ("dutyPhone", text(phone)),
        ];
        let at = (from + HOUR).min(self.now);
        self.diary.write_placement(at, stay.agency().unwrap_or(board), stay.id, stated);
    }

    fn placement_basis(&mut self, from: i64) -> &'static str {
        let was_missing = self.life.missing.iter().any(|missing| missing.found.is_some_and(|found| found < from));
        let care_order = if was_missing { 40 } else { 4 };
        self.dice
            .weigh(&[(100, "SOL"), (care_order, "LVU_3"), (care_order / 2, "LVU_2"), (care_order / 4, "LVU_6")], "SOL")
    }

    fn unit_name(&mut self, stay: &Stay) -> Option<&'static str> {
        match (stay.agency(), stay.kind) {
            (Some(code), _) => persona(code).map(|persona| persona.name),
            (None, "FAMILJEHEM" | "NATVERKSHEM") => None,
            (None, "JOURHEM") => Some("Jourhem Exempel"),
            (None, _) => Some(self.dice.pick(&texts::HOMES)),
        }
    }

    pub(super) fn write_guardianship(&mut self) {
        if self.plan.stage == Stage::Arrival && self.dice.chance(60) {
            return;
        }
        let at = self.later(self.life.registered, 1..6);
        self.write_guardian(at, "GOD_MAN", 1);
        let permit = self.life.case.served.filter(|_| self.plan.permit);
        let changed = permit.is_none() && at < self.now - 60 * DAY && self.dice.chance(20);
        if changed {
            let at = self.later(at, 25..55);
            self.write_guardian(at, "GOD_MAN", 2);
        }
        if let Some(served) = permit {
            let at = self.later(served, 1..40);
            self.write_guardian(at, "SFV", 3);
        }
    }

    fn write_guardian(&mut self, at: i64, kind: &'static str, running: u64) {
        let name = staff(&mut self.dice);
        let eighteen = self.person.birth + chrono::Months::new(18 * 12);
        let stated = vec![
            ("guardianEmail", text(email(&name, "god-man"))),
            ("guardianName", text(name)),
            ("guardianPhone", text(numbers::mobile(&mut self.dice))),
            ("appointmentDecision", text(format!("ÖF 99-{:06}-{running}", self.index % 1_000_000))),
            ("appointedOn", day(at)),
            ("chiefGuardian", text(MALMO.municipality)),
            ("guardianType", text(kind)),
            ("from", day(at)),
            ("to", (kind == "SFV").then_some(Value::Date(eighteen))),
        ];
        self.diary.write(at, GUARDIANS, Section::Guardianship, stated);
    }

    /// The child's numbers: a dossier number always, a coordination number soon, a personal number
    /// for few, and an LMA card from the application on.
    pub(super) fn identifiers(&mut self) -> Vec<Identifier> {
        let registered = self.life.registered;
        let dossier = numbers::dossier_number(self.index);
        let mut all = vec![self.number(IdentifierKind::DossierNumber, dossier.clone(), None, (registered, None))];
        self.population_numbers(&mut all);
        if let Some(applied) = self.life.case.applied {
            let from = self.later(applied, 0..3);
            let renewed = (from < self.now - 170 * DAY).then(|| self.later(from, 120..160));
            let to = renewed.unwrap_or(self.now + 90 * DAY);
            all.push(self.number(IdentifierKind::LmaCard, format!("{dossier}/1"), None, (from, Some(to))));
            if let Some(from) = renewed {
                let to = Some(self.now + 90 * DAY);
                all.push(self.number(IdentifierKind::LmaCard, format!("{dossier}/2"), None, (from, to)));
            }
        }
        all
    }

    fn population_numbers(&mut self, all: &mut Vec<Identifier>) {
        let case = &self.life.case;
        let permit = case.served.filter(|_| self.plan.permit);
        let assigned = self.life.assigned;
        let early = case.applied.filter(|_| self.dice.chance(40));
        let personal =
            permit.or(assigned.filter(|_| self.plan.stage >= Stage::AsylumInvestigation && self.dice.chance(4)));
        let personal = personal.map(|at| self.later(at, 6..14));
        let aged_up = self.aged_up();
        if let Some(given) = assigned.or(early) {
            let from = self.later(given, 0..4);
            let level = Some(self.dice.weigh(&[(20, "PROVEN"), (60, "PROBABLE"), (20, "UNCERTAIN")], "PROBABLE"));
            let number = numbers::personal_number(self.person.birth, self.person.nth, true);
            let mut number = self.number(IdentifierKind::CoordinationNumber, number, level, (from, None));
            if let Some(at) = personal.or(aged_up) {
                self.end_number(&mut number, at);
            }
            all.push(number);
        }
        if let Some(at) = aged_up {
            let (birth, nth) = assessed_birth(self.index, self.now);
            let number = numbers::personal_number(birth, nth, true);
            all.push(self.number(IdentifierKind::CoordinationNumber, number, Some("UNCERTAIN"), (at, None)));
        }
        if let Some(at) = personal {
            let number = numbers::personal_number(self.person.birth, self.person.nth, false);
            all.push(self.number(IdentifierKind::PersonalNumber, number, None, (at, None)));
        }
    }

    fn number(
        &mut self,
        kind: IdentifierKind,
        value: String,
        identity_level: Option<&'static str>,
        (from, to): (i64, Option<i64>),
    ) -> Identifier {
        let mut stamps = Stamps::default();
        stamps.touch("value", from, self.diary.agency(MIGRATION));
        let (valid_from, valid_to) = (Some(clock::day(from)), to.map(clock::day));
        let number = Identifier { id: self.dice.id(), kind, value, identity_level, valid_from, valid_to, stamps };
        self.diary.write_number(from, MIGRATION, number.told());
        number
    }

    fn end_number(&mut self, number: &mut Identifier, at: i64) {
        number.valid_to = Some(clock::day(at));
        number.stamps.touch("value", at, self.diary.agency(MIGRATION));
        self.diary.write_number(at, MIGRATION, number.told());
    }
}

impl Identifier {
    /// The number as the store keeps it.
    pub(crate) fn into_row(self, child: Uuid) -> IdentifierRow {
        let Identifier { id, kind, value, identity_level, valid_from, valid_to, stamps } = self;
        let identity_level = identity_level.map(str::to_owned);
        IdentifierRow { id, child, kind, value, identity_level, valid_from, valid_to, stamps }
    }

    /// The number as a revision tells of it.
    fn told(&self) -> Map<String, Json> {
        let entry = gate::identifier(&self.clone().into_row(Uuid::nil()));
        Map::from_iter([(self.kind.field().field().name.to_owned(), entry)])
    }
}
