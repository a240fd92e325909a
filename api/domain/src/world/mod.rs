//! The made-up world: agencies as the sandbox has them, and children who never were.
//!
//! Pure and deterministic: the same seed, index and `now` give the same child on every machine, and
//! nothing here reads a clock or the machine's randomness. A child's days are counted back from
//! `now`, so that a world is always fresh.
//!
//! Nobody can be mistaken for a real person: numbers come from the ranges reserved for tests and
//! for fiction, e-mail ends in `.example`, and addresses say that they are made up.

mod asylum;
mod care;
mod cases;
mod consents;
mod diary;
mod dice;
mod involvements;
mod life;
mod names;
mod numbers;
mod pending;
mod person;
mod personas;
mod plan;
mod protocols;
mod record;
mod texts;

#[cfg(test)]
mod tests;

pub use cases::{CASES, Case};
pub use personas::{PERSONAS, Persona, agencies, persona};
pub use plan::{SCRIPTED, Stage};

use crate::catalogue::{FieldId, IdentifierKind, List, Section, Value};
use crate::ids::{AgencyId, ChildId};
use crate::photo::Media;
use crate::policy::{Protection, Purpose, Role};
use crate::stamps::Stamps;
use crate::submission;
use chrono::NaiveDate;
use diary::Diary;
use dice::Dice;
use life::Life;
use person::Person;
use plan::Plan;
use serde_json::Value as Json;
use uuid::Uuid;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Everything of one made-up child.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeUpChild {
    pub id: ChildId,
    /// How far the child's story has come.
    pub stage: Stage,
    pub protection: Protection,
    /// The agency that leads now.
    pub lead: AgencyId,
    pub(crate) subject: Uuid,
    pub(crate) registered_at: i64,
    pub(crate) involvements: Vec<Involvement>,
    pub(crate) rows: Vec<SectionRow>,
    pub(crate) identifiers: Vec<Identifier>,
    /// Their rows are among those of the sections.
    pub(crate) episodes: Vec<Episode>,
    pub(crate) entries: Vec<ListRow>,
    /// What was handed in about the child, and near it about one whom nobody knows.
    pub(crate) handed_in: Vec<HandedIn>,
    pub(crate) emergencies: Vec<Emergency>,
    pub(crate) deadlines: Vec<Deadline>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) photo: Option<MadeUpPhoto>,
}

impl MadeUpChild {
    /// The child's name, as it is registered now.
    pub fn name(&self) -> String {
        let identity = self.rows.iter().filter(|row| row.section == Section::Identity);
        let values: Vec<_> = identity.flat_map(|row| &row.values).collect();
        let part = |name: &str| values.iter().find(|(id, _)| id.field().name == name).map(|(_, value)| value.to_json());
        let parts =
            ["givenNames", "familyName"].map(|name| part(name).and_then(|part| part.as_str().map(str::to_owned)));
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// The bytes of the photo that the record tells of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MadeUpPhoto {
    pub(crate) id: Uuid,
    pub(crate) media: Media,
    pub(crate) bytes: Vec<u8>,
}

/// What an agency is to the child, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Involvement {
    pub(crate) id: Uuid,
    pub(crate) agency: AgencyId,
    pub(crate) kind: &'static str,
    pub(crate) opened_at: i64,
    pub(crate) closed_at: Option<i64>,
}

/// A row of a section, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SectionRow {
    pub(crate) section: Section,
    /// The id of a row of a dated section, and the last day of a placement; none for other sections.
    pub(crate) entry: Option<(Uuid, Option<NaiveDate>)>,
    /// In the order of the catalogue, flags among them.
    pub(crate) values: Vec<(FieldId, Value)>,
    pub(crate) stamps: Stamps,
}

/// A number of the child.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identifier {
    pub(crate) id: Uuid,
    pub(crate) kind: IdentifierKind,
    pub(crate) value: String,
    pub(crate) identity_level: Option<&'static str>,
    pub(crate) valid_from: Option<NaiveDate>,
    pub(crate) valid_to: Option<NaiveDate>,
    pub(crate) stamps: Stamps,
}

/// A time when the child was missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) id: Uuid,
    pub(crate) opened_at: i64,
    pub(crate) found_at: Option<i64>,
    pub(crate) closed_at: Option<i64>,
}

/// A row of a list that has a table of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListRow {
    pub(crate) list: List,
    pub(crate) id: Uuid,
    /// By column.
    pub(crate) values: Vec<(&'static str, Value)>,
}

impl ListRow {
    fn value(&self, column: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| *known == column).map(|(_, value)| value)
    }

    fn instant(&self, column: &str) -> Option<i64> {
        match self.value(column) {
            Some(Value::Instant(at)) => Some(*at),
            _ => None,
        }
    }
}

/// A worry, a sighting or a tip.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HandedIn {
    pub(crate) id: Uuid,
    pub(crate) kind: submission::Kind,
    pub(crate) at: i64,
    pub(crate) agency: AgencyId,
    pub(crate) role: Role,
    /// It is known to be about the child.
    pub(crate) is_matched: bool,
    /// How the child was named.
    pub(crate) named: Json,
    pub(crate) municipality: &'static str,
    pub(crate) seen_at: Option<i64>,
    pub(crate) place: Option<&'static str>,
    pub(crate) text: &'static str,
    pub(crate) state: submission::State,
    pub(crate) feedback: Option<submission::Feedback>,
    /// When, and by whom.
    pub(crate) decided: Option<(i64, AgencyId)>,
    pub(crate) copy_of: Option<Uuid>,
}

/// An emergency access that nobody has reviewed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Emergency {
    pub(crate) id: Uuid,
    pub(crate) agency: AgencyId,
    pub(crate) role: Role,
    pub(crate) purpose: Purpose,
    pub(crate) reason: &'static str,
    pub(crate) opened_at: i64,
    pub(crate) until: i64,
    pub(crate) review_by: i64,
}

/// A moment by which something must have happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deadline {
    pub(crate) id: Uuid,
    pub(crate) about: &'static str,
    pub(crate) about_id: Uuid,
    pub(crate) step: &'static str,
    pub(crate) due_at: i64,
}

/// A consent to a partner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Consent {
    pub(crate) id: Uuid,
    pub(crate) agency: AgencyId,
    pub(crate) groups: &'static [&'static str],
    pub(crate) given_by: &'static str,
    pub(crate) valid_from: i64,
    pub(crate) valid_until: i64,
    pub(crate) withdrawn_at: Option<i64>,
}

/// Who wrote what when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Revision {
    pub(crate) section: Section,
    /// From 1, per section.
    pub(crate) number: i64,
    pub(crate) at: i64,
    pub(crate) agency: AgencyId,
    pub(crate) user: Option<String>,
    pub(crate) entry: Option<Uuid>,
    pub(crate) changes: Json,
}

/// The child with this index. `agency_id` gives the id of a persona's agency by its code.
///
/// The first [`SCRIPTED`] children show every stage, every level of protection, a live consent for
/// each partner, a missing child whom the police search for, and children whom one board hands over
/// to the other, both ways.
pub fn child(seed: u64, index: u64, now: i64, agency_id: &dyn Fn(&str) -> AgencyId) -> MadeUpChild {
    let mut story = Story::new(seed, index, now, agency_id);
    let (id, subject) = (ChildId(story.dice.id()), story.dice.id());
    let identifiers = story.tell();
    let (involvements, episodes, consents) = (story.involvements(), story.episodes(), story.consents());
    let lead = agency_id(story.lead());
    let photo = has_photo(index).then(|| story.write_photo(Dice::new(!seed, index).id()));
    // With dice of their own, so that the others fall as they did.
    story.dice = Dice::new(seed.rotate_left(32) ^ 1, index);
    story.write_missing();
    let entries = story.entries();
    let (handed_in, emergencies) = (story.handed_in(&identifiers), story.emergencies());
    let deadlines = story.deadlines(&entries, &emergencies);
    let (rows, revisions) = story.diary.close();
    MadeUpChild {
        id,
        stage: story.plan.stage,
        protection: story.plan.protection,
        lead,
        subject,
        registered_at: story.life.registered,
        involvements,
        rows,
        identifiers,
        episodes,
        entries,
        handed_in,
        emergencies,
        deadlines,
        consents,
        revisions,
        photo,
    }
}

/// Some of the first children have a photo; a pattern, and none of a person.
const fn has_photo(index: u64) -> bool {
    index < 400 && index.is_multiple_of(4)
}

/// A child's story while it is being made.
struct Story<'a> {
    dice: Dice,
    index: u64,
    now: i64,
    plan: Plan,
    person: Person,
    life: Life,
    diary: Diary<'a>,
}

impl<'a> Story<'a> {
    fn new(seed: u64, index: u64, now: i64, agency_id: &'a dyn Fn(&str) -> AgencyId) -> Self {
        let mut dice = Dice::new(seed, index);
        let plan = Plan::of(index, &mut dice);
        let person = Person::new(&plan, seed, index, now, &mut dice);
        let life = Life::new(&plan, &person, now, &mut dice);
        Story { dice, index, now, plan, person, life, diary: Diary::new(agency_id) }
    }

    /// Has every agency write its part.
    fn tell(&mut self) -> Vec<Identifier> {
        self.write_identity();
        self.write_protection();
        self.write_responsibility();
        self.write_placements();
        self.write_guardianship();
        self.write_asylum();
        self.write_health();
        self.write_schooling();
        self.write_network();
        self.write_voice();
        self.write_description();
        self.write_risk();
        self.write_safety_plan();
        self.identifiers()
    }

    fn is_registered_elsewhere(&self) -> bool {
        self.plan.protection == Protection::Registered
    }

    /// Some days after an instant, at an own hour, and never after now.
    fn later(&mut self, than: i64, days: std::ops::Range<i64>) -> i64 {
        self.dice.later(than, days, self.now)
    }
}
