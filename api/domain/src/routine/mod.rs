//! County routines for missing children: versioned data that checklists are copied from. Pure: no clock, no database.
//!
//! A routine is the county's own way of working, in the hub's words. What comes with the hub is in `policy/routines`; a county
//! board publishes later versions. Checklists that run keep the version that they were copied from.

use crate::handover::Kind;
use crate::policy::Role;
use crate::reference;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The county code of the national default.
pub const NATIONAL: &str = "00";
/// How many items a routine has at most.
pub const MOST_ITEMS: usize = 100;
/// How long the words of an item may be, in characters.
pub const LONGEST_WORDS: usize = 500;
/// How long after its moment an item may be due, in hours: a year.
pub const LATEST: u32 = 366 * 24;

/// When an item is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Moment {
    /// Before: to keep a child from going missing (*förebygga*).
    Prevent,
    /// When a child is missing (*när ett barn är försvunnet*).
    Missing,
    /// When a missing child was found (*när barnet är återfunnet*).
    Found,
}

impl Moment {
    /// Every moment.
    pub const ALL: [Moment; 3] = [Moment::Prevent, Moment::Missing, Moment::Found];

    /// The code, as in GraphQL, in the data and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Moment::Prevent => "PREVENT",
            Moment::Missing => "MISSING",
            Moment::Found => "FOUND",
        }
    }

    /// The moment with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.code() == code)
    }
}

/// Whose an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Actor {
    /// The board, by day and through its on-call service.
    SocialServices,
    /// The home, or the foster parents through the board.
    CareHome,
    /// The chief guardian, and the guardian through it.
    Guardianship,
    Migration,
    School,
    Health,
    Police,
    Partner,
}

impl Actor {
    /// Every actor.
    pub const ALL: [Actor; 8] = [
        Actor::SocialServices,
        Actor::CareHome,
        Actor::Guardianship,
        Actor::Migration,
        Actor::School,
        Actor::Health,
        Actor::Police,
        Actor::Partner,
    ];

    /// The code, as in GraphQL, in the data and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            Actor::SocialServices => "SOCIAL_SERVICES",
            Actor::CareHome => "CARE_HOME",
            Actor::Guardianship => "GUARDIANSHIP",
            Actor::Migration => "MIGRATION",
            Actor::School => "SCHOOL",
            Actor::Health => "HEALTH",
            Actor::Police => "POLICE",
            Actor::Partner => "PARTNER",
        }
    }

    /// The actor with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.code() == code)
    }

    /// Whether the items of this actor are those of callers of this role.
    pub const fn is(self, role: Role) -> bool {
        match self {
            Actor::SocialServices => matches!(role, Role::SocialServices | Role::SocialOnCall),
            Actor::CareHome => matches!(role, Role::CareHome),
            Actor::Guardianship => matches!(role, Role::Guardianship),
            Actor::Migration => matches!(role, Role::Migration),
            Actor::School => matches!(role, Role::School),
            Actor::Health => matches!(role, Role::Health),
            Actor::Police => matches!(role, Role::PoliceMissing),
            Actor::Partner => matches!(role, Role::Partner),
        }
    }
}

/// How far an item has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    Open,
    Done,
    Skipped,
}

impl ItemState {
    /// Every state.
    pub const ALL: [ItemState; 3] = [ItemState::Open, ItemState::Done, ItemState::Skipped];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            ItemState::Open => "OPEN",
            ItemState::Done => "DONE",
            ItemState::Skipped => "SKIPPED",
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name in the routine: small letters, digits and hyphens.
    pub key: String,
    pub moment: Moment,
    pub actor: Actor,
    /// What to do, in Swedish.
    pub sv: String,
    /// What to do, in English.
    pub en: String,
    /// How long after its moment it is due, in hours; none where it has no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_hours: Option<u32>,
    /// Whether it must be done: then only the responsible board skips it.
    pub mandatory: bool,
    /// The plan, section or statute that it follows.
    pub source: String,
}

/// A version of a county's routine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routine {
    /// Two digits (*länskod*), or [`NATIONAL`].
    pub county: String,
    pub version: i32,
    /// The first day on which checklists are copied from it.
    pub valid_from: NaiveDate,
    #[serde(rename = "item")]
    pub items: Vec<Item>,
}

impl Routine {
    /// How a checklist names it: `12/1`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.county, self.version)
    }

    /// The items of a moment, in their order.
    pub fn of(&self, moment: Moment) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.moment == moment)
    }
}

/// What is wrong with an item: its place, the part of it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub place: usize,
    pub part: &'static str,
    pub why: Why,
}

/// Why a part of an item is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not small letters, digits and hyphens, or there twice.
    Key,
    /// Empty, or with control characters.
    Words,
    /// Longer than so many characters.
    TooLong(usize),
    /// Due too late.
    Due,
}

/// What is wrong with the items of a routine.
pub fn faults(items: &[Item]) -> Vec<Wrong> {
    let mut keys = BTreeSet::new();
    let mut faults = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let mut wrong = |part, why| faults.push(Wrong { place, part, why });
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_key = (1..=60).contains(&item.key.len()) && item.key.chars().all(plain);
        if !is_key || !keys.insert(item.key.as_str()) {
            wrong("key", Why::Key);
        }
        for (part, words) in [("sv", &item.sv), ("en", &item.en), ("source", &item.source)] {
            if words.chars().count() > LONGEST_WORDS {
                wrong(part, Why::TooLong(LONGEST_WORDS));
            } else if words.trim().is_empty() || words.chars().any(char::is_control) {
                wrong(part, Why::Words);
            }
        }
        if item.due_hours.is_some_and(|hours| hours > LATEST) {
            wrong("dueHours", Why::Due);
        }
    }
    faults
}

/// The keys of the items that some departure waits for, and that are not there: a county adds to what holds a child back until it can
/// be handed over safely, and takes nothing from it.
pub fn lacking(items: &[Item]) -> Vec<&'static str> {
    let awaited = Kind::ALL.into_iter().map(Kind::terms).filter_map(|terms| Some((terms.moment?, terms.mandatory)));
    let awaited: BTreeSet<(Moment, &str)> =
        awaited.flat_map(|(moment, keys)| keys.iter().map(move |key| (moment, *key))).collect();
    let is_there = |(moment, key): &(Moment, &str)| {
        items.iter().any(|item| item.mandatory && item.moment == *moment && item.key == *key)
    };
    awaited.into_iter().filter(|awaited| !is_there(awaited)).map(|(_, key)| key).collect()
}

/// Why routine data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RoutineError {
    /// It does not parse.
    #[error("`{file}` does not parse: {reason}")]
    Syntax { file: String, reason: String },
    /// A county that is none.
    #[error("`{file}`: there is no county `{county}`")]
    County { file: String, county: String },
    /// Something of an item.
    #[error("`{file}`: item {place}, `{part}` is not usable")]
    Item { file: String, place: usize, part: &'static str },
    /// A moment without an item.
    #[error("`{file}`: no item is of the moment {moment}")]
    Moment { file: String, moment: &'static str },
    /// An item that a departure waits for is not there, or not mandatory.
    #[error("`{file}`: a departure waits for the mandatory item `{key}`, which is not there")]
    Lacks { file: String, key: &'static str },
    /// Two files for one county and version.
    #[error("`{file}`: {label} is there twice")]
    Twice { file: String, label: String },
    /// The default is missing.
    #[error("the national default (county 00) is missing")]
    NoDefault,
}

/// The routines that are data.
#[derive(Clone, Debug)]
pub struct Routines(Vec<Routine>);

/// The routines that are part of the product.
const EMBEDDED: &[(&str, &str)] = &[
    ("routines/00.toml", include_str!("../../policy/routines/00.toml")),
    ("routines/01.toml", include_str!("../../policy/routines/01.toml")),
    ("routines/12.toml", include_str!("../../policy/routines/12.toml")),
];

impl Routines {
    /// The routines that are part of the product.
    pub fn embedded() -> &'static Routines {
        static ROUTINES: LazyLock<Routines> = LazyLock::new(|| {
            #[expect(clippy::expect_used, reason = "the embedded routines are checked by a test")]
            Routines::load(EMBEDDED.iter().copied()).expect("the embedded routines are sound")
        });
        &ROUTINES
    }

    /// Reads and checks routines given as (file name, text).
    ///
    /// # Errors
    ///
    /// The first thing that keeps them from being used.
    pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Routines, RoutineError> {
        let mut routines: Vec<Routine> = Vec::new();
        for (name, text) in files {
            let routine = parse(name, text)?;
            let label = routine.label();
            if routines.iter().any(|known| known.label() == label) {
                return Err(RoutineError::Twice { file: name.to_owned(), label });
            }
            routines.push(routine);
        }
        let has_default = routines.iter().any(|routine| routine.county == NATIONAL);
        if has_default { Ok(Routines(routines)) } else { Err(RoutineError::NoDefault) }
    }

    /// The routines, as they were read.
    pub fn all(&self) -> &[Routine] {
        &self.0
    }

    /// The versions for a county that are data.
    pub fn of<'r>(&'r self, county: &'r str) -> impl Iterator<Item = &'r Routine> {
        self.0.iter().filter(move |routine| routine.county == county)
    }
}

fn parse(name: &str, text: &str) -> Result<Routine, RoutineError> {
    let file = || name.to_owned();
    let routine: Routine =
        toml::from_str(text).map_err(|error| RoutineError::Syntax { file: file(), reason: error.to_string() })?;
    if routine.county != NATIONAL && reference::county(&routine.county).is_none() {
        return Err(RoutineError::County { file: file(), county: routine.county });
    }
    if let Some(Wrong { place, part, .. }) = faults(&routine.items).first() {
        return Err(RoutineError::Item { file: file(), place: place + 1, part });
    }
    if let Some(key) = lacking(&routine.items).first() {
        return Err(RoutineError::Lacks { file: file(), key });
    }
    for moment in Moment::ALL {
        if routine.of(moment).next().is_none() {
            return Err(RoutineError::Moment { file: file(), moment: moment.code() });
        }
    }
    Ok(routine)
}

/// The version that is in force for a county on a day: the latest that is valid by then, else the national default's.
pub fn in_force<'r>(
    versions: impl Iterator<Item = &'r Routine> + Clone,
    county: &str,
    on: NaiveDate,
) -> Option<&'r Routine> {
    let of = |county: &str| {
        let valid = versions.clone().filter(|routine| routine.county == county && routine.valid_from <= on);
        valid.max_by_key(|routine| (routine.valid_from, routine.version))
    };
    of(county).or_else(|| of(NATIONAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn version(county: &str, version: i32, from: &str) -> Routine {
        Routine { county: county.to_owned(), version, valid_from: day(from), items: Vec::new() }
    }

    #[test]
    fn the_embedded_routines_are_sound() {
        let counties: Vec<&str> = Routines::embedded().all().iter().map(|routine| routine.county.as_str()).collect();
        assert_eq!(counties, ["00", "01", "12"]);
    }

    #[test]
    fn every_actor_has_something_to_do_and_a_missing_child_is_reported_within_a_day() {
        for routine in Routines::embedded().all() {
            for actor in Actor::ALL {
                assert!(routine.items.iter().any(|item| item.actor == actor), "{} {actor:?}", routine.label());
            }
            let report = routine.of(Moment::Missing).find(|item| item.key == "report-to-police").unwrap();
            assert!(report.mandatory && report.due_hours.unwrap() <= 24, "{}", routine.label());
            let undue = routine.items.iter().find(|item| item.moment != Moment::Prevent && item.due_hours.is_none());
            assert_eq!(undue, None, "{}", routine.label());
        }
    }

    #[test]
    fn the_latest_valid_version_of_the_county_is_in_force_else_the_national_one() {
        let all = [
            version("00", 1, "2020-01-01"),
            version("12", 1, "2020-01-01"),
            version("12", 2, "2026-05-01"),
            version("12", 3, "2026-04-01"),
        ];
        let label = |county: &str, on: &str| in_force(all.iter(), county, day(on)).map(Routine::label);
        assert_eq!(label("12", "2026-03-31").as_deref(), Some("12/1"));
        assert_eq!(label("12", "2026-04-30").as_deref(), Some("12/3"));
        assert_eq!(label("12", "2026-05-01").as_deref(), Some("12/2"));
        assert_eq!(label("25", "2026-05-01").as_deref(), Some("00/1"));
        assert_eq!(label("12", "2019-12-31"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let item = |key: &str, sv: &str, due_hours| Item {
            key: key.to_owned(),
            moment: Moment::Missing,
            actor: Actor::Police,
            sv: sv.to_owned(),
            en: "Search.".to_owned(),
            due_hours,
            mandatory: true,
            source: "here".to_owned(),
        };
        let items = [item("a", "Sök.", None), item("a", " ", Some(LATEST + 1)), item("Å", &"x".repeat(501), None)];
        let faults: Vec<(usize, &str)> = faults(&items).iter().map(|wrong| (wrong.place, wrong.part)).collect();
        assert_eq!(faults, [(1, "key"), (1, "sv"), (1, "dueHours"), (2, "key"), (2, "sv")]);
    }

    #[test]
    fn broken_data_is_refused() {
        let text = include_str!("../../policy/routines/00.toml");
        let load = |from: &str, to: &str| Routines::load([("x.toml", text.replacen(from, to, 1).as_str())]);
        assert!(matches!(load("county = \"00\"", "county = \"02\""), Err(RoutineError::County { .. })));
        assert!(matches!(load("county = \"00\"", "county = \"12\""), Err(RoutineError::NoDefault)));
        assert!(matches!(load("actor = ", "actr = "), Err(RoutineError::Syntax { .. })));
        assert!(matches!(load("actor = \"", "actor = \"X"), Err(RoutineError::Syntax { .. })));
        let lacks = load("key = \"safety-plan\"", "key = \"plan\"");
        assert!(matches!(lacks, Err(RoutineError::Lacks { key: "safety-plan", .. })));
        let twice = Routines::load([("a", text), ("b", text)]);
        assert!(matches!(twice, Err(RoutineError::Twice { .. })));
    }
}
