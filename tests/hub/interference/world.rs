//! Two worlds: one made from dice, and one made from it that differs only in what the caller may not read.
//!
//! What that is follows from the policy's decisions alone, and from what the documents say of silence, of writers and
//! of earlier placements. Nothing here asks the gate.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use samverka_domain::catalogue::{Code, FieldId, FieldSet, IdentifierKind, Kind, List, Section, Source, Value};
use samverka_domain::policy::{Consents, Decisions, Engine, Protection, Purpose, Relation, Role, Situation};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

use crate::harness::{DAY, HOUR, START, field};

/// The agencies that write and that children have to do with, by persona.
pub const WRITERS: [&str; 9] = [
    "migrationsverket",
    "malmo-soc",
    "landskrona-soc",
    "polisen",
    "region-skane",
    "skola",
    "hvb-malmo",
    "hvb-landskrona",
    "malmo-overformyndare",
];
const HOMES: [&str; 2] = ["hvb-malmo", "hvb-landskrona"];

/// What the caller is to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    Lead,
    Responsible,
    Receiving,
    Whereabouts,
    Involved,
    Former,
    Ended,
    /// An involvement that ended so long ago that it is none.
    LongAgo,
    /// A consent that opens these of [`CONSENTED`].
    Consented(u16),
    /// A consent that is there and opens nothing: its days, or its words, are wrong.
    ConsentedNothing(u8),
    Nothing,
}

/// The groups that the consents of the worlds name.
pub const CONSENTED: [&str; 11] = [
    "identity",
    "languages",
    "counsel",
    "board",
    "guardian",
    "childContact",
    "voice",
    "description",
    "safetyPlan",
    "missingFlag",
    "foundFlag",
];

impl Tie {
    /// Whether a caller with this tie writes what its role may write.
    pub fn writes(self) -> bool {
        matches!(self, Tie::Lead | Tie::Responsible | Tie::Whereabouts | Tie::Involved)
    }

    fn relation(self, role: Role) -> Relation {
        match self {
            Tie::Consented(groups) if groups_of(groups).is_empty() => Relation::None,
            Tie::Consented(_) if role == Role::Partner => Relation::Consented,
            _ if role == Role::Partner => Relation::None,
            Tie::Lead | Tie::Responsible => Relation::Responsible,
            Tie::Receiving => Relation::Receiving,
            Tie::Whereabouts | Tie::Involved => Relation::Involved,
            Tie::Former => Relation::Former,
            Tie::Ended => Relation::Ended,
            Tie::LongAgo | Tie::Consented(_) | Tie::ConsentedNothing(_) | Tie::Nothing => Relation::None,
        }
    }
}

fn groups_of(bits: u16) -> Vec<&'static str> {
    CONSENTED.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, group)| *group).collect()
}

/// What a child is made from.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    pub tie: Tie,
    pub level: Protection,
    /// A missing episode: none, open, ended lately, ended long ago.
    pub missing: u8,
    /// Everything else.
    pub dice: u64,
}

pub fn seed(role: Role) -> impl Strategy<Value = Seed> {
    let tie = if role == Role::Partner {
        prop_oneof![
            6 => any::<u16>().prop_map(Tie::Consented),
            3 => prop_oneof![2 => Just(0u8), 1 => 1..4u8].prop_map(Tie::ConsentedNothing),
            1 => Just(Tie::Involved),
            1 => Just(Tie::Nothing),
        ]
        .boxed()
    } else {
        let known = vec![Tie::Lead, Tie::Responsible, Tie::Receiving, Tie::Whereabouts, Tie::Involved, Tie::Former];
        prop_oneof![
            5 => proptest::sample::select([known, vec![Tie::Ended]].concat()),
            3 => proptest::sample::select(vec![Tie::Lead, Tie::Responsible]),
            2 => proptest::sample::select(vec![Tie::LongAgo, Tie::Nothing]),
        ]
        .boxed()
    };
    let level = prop_oneof![3 => Just(Protection::None), 3 => proptest::sample::select(Protection::ALL)];
    (tie, level, prop_oneof![2 => Just(0u8), 2 => 1..4u8], any::<u64>().no_shrink())
        .prop_map(|(tie, level, missing, dice)| Seed { tie, level, missing, dice })
}

/// How often a field changed, when last, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub count: u8,
    pub at: i64,
    pub by: &'static str,
}

/// What stands in a field, and its stamp.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub value: Option<Value>,
    pub stamp: Option<Stamp>,
}

pub type Row = BTreeMap<FieldId, Cell>;

#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    pub id: Uuid,
    /// The last day, and the stamp of it; none while it is current.
    pub to: Option<(NaiveDate, Option<Stamp>)>,
    pub row: Row,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub id: Uuid,
    pub kind: IdentifierKind,
    pub value: String,
    pub level: Option<&'static str>,
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub stamp: Option<Stamp>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    pub at: i64,
    pub by: &'static str,
    /// The placement it wrote to.
    pub entry: Option<Uuid>,
    pub changes: Map<String, Json>,
    pub suggested_by: Option<&'static str>,
}

/// A suggested correction.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    pub id: Uuid,
    pub section: Section,
    pub entry: Option<Uuid>,
    pub at: i64,
    pub by: &'static str,
    pub comment: Option<&'static str>,
    pub fields: BTreeMap<FieldId, Suggested>,
}

/// A field of a suggestion: its value, none where it would be emptied, and who decided on it, and whether it was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggested {
    pub value: Option<Json>,
    pub decided: Option<(&'static str, bool)>,
}

/// A time when the child was missing, and what was written of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    pub id: Uuid,
    pub opened: i64,
    pub found: Option<i64>,
    pub closed: Option<i64>,
    pub row: Row,
}

/// A row of a list that has a table of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub list: List,
    pub id: Uuid,
    pub episode: Option<Uuid>,
    /// The agencies that it names, in their order.
    pub of: Vec<&'static str>,
    pub at: i64,
    pub open: bool,
    /// What stands in it, and what in the parts that follow the rules of other fields.
    pub n: u8,
    pub guarded: u8,
}

/// The fields that an episode's times are, which the situation depends on.
const TIMES: [&str; 3] = ["since", "foundAt", "closedAt"];

impl Record {
    /// The episode that the record shows first: the one that is open, or else the latest.
    pub fn current_episode(&self) -> Option<&Episode> {
        self.episodes.iter().max_by_key(|episode| (episode.closed.is_none(), episode.opened))
    }

    /// What the flags tell that are told of rows of lists: a handover is open, the follow-up is done.
    fn flags_of_entries(&self) -> [bool; 2] {
        let current = self.current_episode().map(|episode| episode.id);
        let is_open = |entry: &Entry| entry.list == List::Handovers && entry.open;
        let of_now = |entry: &&Entry| entry.list == List::FollowUp && entry.episode == current;
        let parts: BTreeSet<u8> = self.entries.iter().filter(of_now).map(|entry| entry.n % 4).collect();
        [self.entries.iter().any(is_open), parts.len() == 4]
    }
}

/// Agency, groups, from, until, withdrawn.
pub type Consent = (&'static str, Vec<String>, i64, i64, Option<i64>);

/// A child as it stands in the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub id: Uuid,
    pub subject: Uuid,
    pub lead: &'static str,
    pub responsible: Option<&'static str>,
    /// The caller's own involvements, and others that nobody is told of: agency, kind, when it ended.
    pub involved: Vec<(&'static str, &'static str, Option<i64>)>,
    pub consents: Vec<Consent>,
    /// The one that the situation depends on comes first, if there is one.
    pub episodes: Vec<Episode>,
    pub entries: Vec<Entry>,
    pub registered_at: i64,
    pub sections: BTreeMap<Section, Row>,
    pub placements: Vec<Placement>,
    pub numbers: Vec<Number>,
    pub revisions: BTreeMap<Section, Vec<Revision>>,
    pub suggestions: Vec<Suggestion>,
}

/// Agency ids by persona: values of fields that name agencies.
pub type Agencies = BTreeMap<&'static str, String>;

/// The `n`th value of a field, as callers write it.
pub fn input(id: FieldId, n: usize, agencies: &Agencies) -> Json {
    let day = |n: usize| (day_zero() + Days::new((n % 5 * 40) as u64)).to_string();
    match id.field().kind {
        _ if id == field("placement.from") => json!(day(n)),
        _ if matches!(id.field().number, "F02" | "F03") => json!(["Åsa", "asa", "Öberg", "Åsa-Li", "Värde"][n % 5]),
        Kind::Text(_) => json!(format!("Värde {}", n % 5)),
        Kind::Texts(..) => json!([format!("Värde {}", n % 5), "Ett till"]),
        Kind::Date => json!(day(n)),
        Kind::Bool => json!(n.is_multiple_of(2)),
        Kind::Code(code) => json!(a_code(code, n)),
        Kind::Codes(_, code) => json!([a_code(code, n)]),
        Kind::Phone => json!(format!("+4670174060{}", n % 5)),
        // As the hub keeps it: a photo is sent, not written.
        Kind::Photo => {
            json!({ "id": Uuid::from_u128(n as u128), "type": "image/png", "takenOn": day(n), "size": n, "width": 1, "height": 1 })
        }
        Kind::Phones(_) => json!([format!("+4670174060{}", n % 5)]),
        Kind::Email => json!(format!("brev{}@exempel.se", n % 5)),
        Kind::PostalCode => json!(format!("2114{}", n % 5)),
        Kind::OrganisationNumber => json!(["212000-1124", "212000-1140", "232100-0255"][n % 3]),
        Kind::Agency => json!(agencies[HOMES[n % 2]]),
        Kind::Instant | Kind::Id(_) | Kind::Json => unreachable!("{id} is no input"),
        Kind::Entries(_, entry) => match entry.type_name {
            "Relative" => json!([{ "name": format!("Namn {}", n % 5), "country": "SE" }]),
            _ => {
                json!([{ "indicator": "DEBTS", "observedOn": day(n), "source": format!("Källa {}", n % 5) }])
            }
        },
    }
}

fn a_code(code: Code, n: usize) -> &'static str {
    match code {
        Code::Country => ["AF", "SE", "SO"][n % 3],
        Code::Language => ["prs", "swe", "som"][n % 3],
        Code::Municipality => ["1280", "1282", "0180"][n % 3],
        closed => {
            let values = closed.values().expect("a closed list");
            values[n % values.len()].code
        }
    }
}

/// The first of the days of the worlds.
pub fn day_zero() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 5, 1).expect("a day")
}

fn value(id: FieldId, n: usize, agencies: &Agencies) -> Value {
    if id.field().kind == Kind::Instant {
        return Value::Instant(START - HOUR * n as i64);
    }
    let input = input(id, n, agencies);
    if id.field().kind == Kind::Photo {
        return Value::Photo(serde_json::from_value(input).expect("a photo"));
    }
    id.field().kind.read(&input).unwrap_or_else(|refused| panic!("{id}: {refused:?}"))
}

/// The `n`th number of a kind. They are few, so that children share them.
pub fn number(kind: IdentifierKind, n: usize) -> String {
    let n = n % 3;
    let with_check_digit = |digits: String| {
        let sum: u32 = digits[2..]
            .chars()
            .enumerate()
            .map(|(place, digit)| {
                let doubled = digit.to_digit(10).expect("a digit") * if place % 2 == 0 { 2 } else { 1 };
                doubled / 10 + doubled % 10
            })
            .sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    };
    match kind {
        IdentifierKind::PersonalNumber => with_check_digit(format!("20100101{:03}", 238 + n)),
        IdentifierKind::CoordinationNumber => with_check_digit(format!("20100161{:03}", 238 + n)),
        IdentifierKind::DossierNumber => format!("99-00000{n}"),
        IdentifierKind::LmaCard => format!("98-00000{n}/1"),
    }
}

fn stamp(dice: &mut StdRng) -> Option<Stamp> {
    dice.random_bool(0.8).then(|| Stamp {
        count: dice.random_range(1..5),
        at: START - HOUR * dice.random_range(1..200),
        by: WRITERS[dice.random_range(0..WRITERS.len())],
    })
}

fn cell(id: FieldId, agencies: &Agencies, dice: &mut StdRng) -> Cell {
    let value = dice.random_bool(0.7).then(|| value(id, dice.random_range(0..5), agencies));
    Cell { value, stamp: stamp(dice) }
}

/// The fields that are columns of their own in the section's table.
fn columns(section: Section) -> impl Iterator<Item = FieldId> {
    section.fields().filter(move |id| match id.field().source {
        Source::Column | Source::Photo => true,
        // The id of an episode is no value of it.
        Source::Kept => id.field().column != "id",
        Source::Flag(_) => section != Section::Identifiers && !section.is_of_protocols(),
        _ => false,
    })
}

fn row(section: Section, agencies: &Agencies, dice: &mut StdRng) -> Row {
    let level = field("protection.level");
    let mut row: Row = columns(section).filter(|id| *id != level).map(|id| (id, cell(id, agencies, dice))).collect();
    raise(section, &mut row, dice);
    row
}

/// Flags stand as the hub would have raised them.
fn raise(section: Section, row: &mut Row, dice: &mut StdRng) {
    for id in section.fields() {
        let Source::Flag(of) = id.field().source else { continue };
        if section == Section::Identifiers || section.is_of_protocols() {
            continue;
        }
        let told = of.iter().filter_map(|name| section.field(name)).filter_map(|id| row.get(&id)?.value.as_ref());
        let raised = told.into_iter().any(Value::raises_flag);
        let kept = row.get(&id).and_then(|cell| cell.value.clone());
        let lowered = kept
            .filter(|kept| *kept == Value::Bool(false))
            .or_else(|| dice.random::<bool>().then_some(Value::Bool(false)));
        row.entry(id).or_default().value = if raised { Some(Value::Bool(true)) } else { lowered };
    }
}

fn placement(id: Uuid, ended: Option<usize>, agencies: &Agencies, dice: &mut StdRng) -> Placement {
    let to = ended.map(|n| (day_zero() + Days::new(n as u64 * 40 + 20), stamp(dice)));
    Placement { id, to, row: row(Section::Placement, agencies, dice) }
}

fn a_number(id: Uuid, kind: IdentifierKind, dice: &mut StdRng) -> Number {
    let day = |dice: &mut StdRng| dice.random_bool(0.4).then(|| day_zero() + Days::new(dice.random_range(0..5) * 40));
    let from = day(dice);
    let level = (kind.has_identity_level() && dice.random()).then_some("CONFIRMED");
    Number {
        id,
        kind,
        value: number(kind, dice.random_range(0..5)),
        level,
        from,
        to: day(dice).filter(|to| from.is_none_or(|from| *to >= from)),
        stamp: stamp(dice),
    }
}

fn episode(id: Uuid, (opened, found, closed): Times, agencies: &Agencies, dice: &mut StdRng) -> Episode {
    let mut row = row(Section::Missing, agencies, dice);
    for name in TIMES {
        row.entry(Section::Missing.field(name).expect("a field")).or_default().value = None;
    }
    Episode { id, opened, found, closed, row }
}

/// The field that shows a list.
fn shown_by(list: List) -> FieldId {
    FieldId::all().find(|id| id.field().source == Source::Rows(list)).expect("a field")
}

/// How many agencies an entry names.
fn named(list: List) -> usize {
    list.rows().entry.fields.iter().filter(|part| part.kind == Kind::Agency).count()
}

/// A row of a list, if the child has what it must belong to.
fn entry(id: Uuid, list: List, among: &[&'static str], record: &Record, dice: &mut StdRng) -> Option<Entry> {
    let of_episode = list.rows().entry.fields.iter().any(|part| part.kind == Kind::Id("episode"));
    let episode = record.episodes.get(dice.random_range(0..record.episodes.len().max(1))).map(|episode| episode.id);
    if of_episode && episode.is_none() {
        return None;
    }
    let made = Entry {
        list,
        id,
        episode: episode.filter(|_| of_episode),
        of: (0..named(list)).map(|_| among[dice.random_range(0..among.len())]).collect(),
        at: START - HOUR * dice.random_range(1..200),
        open: dice.random(),
        n: dice.random_range(0..5),
        guarded: dice.random_range(0..5),
    };
    let same =
        |other: &Entry| other.id == id || (other.list, other.episode, other.n % 4) == (list, episode, made.n % 4);
    let is_new = record.entries.iter().all(|other| other.id != id && (list != List::FollowUp || !same(other)));
    Some(made).filter(|_| is_new)
}

/// The lists that the worlds put entries into; consents are put there by themselves.
const LISTS: [List; 6] =
    [List::Handovers, List::Concerns, List::Checklist, List::Sightings, List::FollowUp, List::Closures];

fn told(id: FieldId, agencies: &Agencies, dice: &mut StdRng) -> (String, Json) {
    let new = match id.field().source {
        Source::Column | Source::Kept | Source::Photo => {
            if dice.random_bool(0.2) {
                Json::Null
            } else {
                value(id, dice.random_range(0..5), agencies).to_json()
            }
        }
        Source::Identifiers(kind) => {
            json!({ "id": format!("identifier_{}", dice.random_range(0..9)), "value": number(kind, dice.random_range(0..5)) })
        }
        _ => json!([{ "id": format!("placement_{}", dice.random_range(0..9)), "to": "2026-06-01" }]),
    };
    (id.field().name.to_owned(), new)
}

/// The fields that a revision of the section can tell of.
fn tellable(section: Section) -> Vec<FieldId> {
    let told = |id: &FieldId| {
        let source = id.field().source;
        matches!(source, Source::Column | Source::Photo | Source::Identifiers(_) | Source::Earlier)
            || source == Source::Kept && id.field().column != "id"
    };
    section.fields().filter(told).collect()
}

fn revision(section: Section, of: &[FieldId], record: &Record, agencies: &Agencies, dice: &mut StdRng) -> Revision {
    let mut changes = Map::new();
    for _ in 0..dice.random_range(1..4) {
        let (name, new) = told(of[dice.random_range(0..of.len())], agencies, dice);
        changes.insert(name, new);
    }
    let entries: Vec<Uuid> = match section {
        Section::Placement => record.placements.iter().map(|placement| placement.id).collect(),
        Section::Missing => record.episodes.iter().map(|episode| episode.id).collect(),
        _ => Vec::new(),
    };
    let entry = (!entries.is_empty()).then(|| entries[dice.random_range(0..entries.len())]);
    Revision {
        at: START - HOUR * dice.random_range(1..200),
        by: WRITERS[dice.random_range(0..WRITERS.len())],
        entry,
        changes,
        suggested_by: dice.random_bool(0.3).then(|| WRITERS[dice.random_range(0..WRITERS.len())]),
    }
}

/// The ids of the worlds: of a child, and of what it has.
fn id_of(child: usize, what: u64) -> Uuid {
    Uuid::from_u64_pair(0x5a3e_0000_0000_4000 | (child as u64) << 16, 1 << 63 | what)
}

/// How many children there are at most.
pub const MOST: usize = 6;

/// Makes a child. No two cases share a pseudonym, so that none finds the log of another.
pub fn record(index: usize, seed: &Seed, caller: &'static str, case: u64, agencies: &Agencies) -> Record {
    let mut dice = StdRng::seed_from_u64(seed.dice);
    let dice = &mut dice;
    let other = |dice: &mut StdRng| loop {
        let code = WRITERS[dice.random_range(0..3)];
        if code != caller {
            break code;
        }
    };
    let ended = |days: i64| Some(START - DAY * days);
    let mut record = Record {
        // Ids are in no order that means anything.
        id: id_of((index * 5 + (seed.dice % 8) as usize * 7) % 64 * 8 + index, 0),
        subject: Uuid::from_u64_pair(0x50b0_0000_0000_4000 | (index as u64) << 16, 1 << 63 | case),
        lead: if seed.tie == Tie::Lead { caller } else { other(dice) },
        responsible: if seed.tie == Tie::Responsible {
            Some(caller)
        } else {
            dice.random::<bool>().then(|| other(dice))
        },
        involved: match seed.tie {
            Tie::Receiving => vec![(caller, "RECEIVING", None)],
            Tie::Whereabouts => vec![(caller, "WHEREABOUTS", None)],
            Tie::Involved => vec![(caller, "INVOLVED", None)],
            Tie::Former => vec![(caller, if dice.random() { "LEAD" } else { "RESPONSIBLE" }, ended(30))],
            Tie::Ended => vec![(caller, if dice.random() { "RECEIVING" } else { "INVOLVED" }, ended(30))],
            Tie::LongAgo => vec![(caller, "LEAD", ended(120)), (caller, "INVOLVED", ended(100))],
            _ => Vec::new(),
        },
        consents: match seed.tie {
            Tie::Consented(groups) => {
                let groups = groups_of(groups).into_iter().map(str::to_owned).collect();
                vec![(caller, groups, START - DAY, START + DAY, None)]
            }
            Tie::ConsentedNothing(why) => {
                let identity = vec!["identity".to_owned()];
                vec![match why % 4 {
                    0 => (caller, vec!["network".to_owned()], START - DAY, START + DAY, None),
                    1 => (caller, identity, START - DAY * 2, START - DAY, None),
                    2 => (caller, identity, START + DAY, START + DAY * 2, None),
                    _ => (caller, identity, START - DAY, START + DAY, ended(0)),
                }]
            }
            _ => Vec::new(),
        },
        episodes: Vec::new(),
        entries: Vec::new(),
        registered_at: START - DAY * dice.random_range(1..300),
        sections: BTreeMap::new(),
        placements: Vec::new(),
        numbers: Vec::new(),
        revisions: BTreeMap::new(),
        suggestions: Vec::new(),
    };
    record.episodes.extend(times(seed.missing, dice).map(|times| episode(id_of(index, 90), times, agencies, dice)));
    if dice.random_bool(0.4) {
        record.episodes.push(episode(id_of(index, 91), long_ago(dice), agencies, dice));
    }
    let partner = if caller == "stadsmissionen" { "radda-barnen" } else { "stadsmissionen" };
    if dice.random_bool(0.3) {
        record.consents.push((partner, vec!["board".to_owned()], START - DAY * 2, START - DAY, None));
    }
    for n in 0..dice.random_range(0..12) {
        let among: &[&str] = if dice.random_bool(0.3) { &[caller] } else { &WRITERS };
        let list = LISTS[dice.random_range(0..LISTS.len())];
        let made = entry(id_of(index, 400 + n), list, among, &record, dice);
        record.entries.extend(made);
    }
    for section in Section::ALL.into_iter().filter(|section| !section.is_list()) {
        if section == Section::Protection {
            let mut row = row(section, agencies, dice);
            let level = field("protection.level");
            let code = Value::Text(seed.level.code().to_owned());
            let value = Some(code).filter(|_| seed.level != Protection::None || dice.random());
            row.insert(level, Cell { value, stamp: stamp(dice) });
            raise(section, &mut row, dice);
            record.sections.insert(section, row);
        } else if dice.random_bool(0.9) {
            record.sections.insert(section, row(section, agencies, dice));
        }
    }
    let mut earlier = 0;
    while dice.random_bool(0.5) && earlier < 3 {
        record.placements.push(placement(id_of(index, 100 + earlier as u64), Some(earlier), agencies, dice));
        earlier += 1;
    }
    if dice.random_bool(0.8) {
        record.placements.push(placement(id_of(index, 99), None, agencies, dice));
    }
    for n in 0..dice.random_range(0..8) {
        let kind = IdentifierKind::ALL[dice.random_range(0..4)];
        record.numbers.push(a_number(id_of(index, 200 + n), kind, dice));
    }
    for section in Section::ALL {
        let of = tellable(section);
        if of.is_empty() {
            continue;
        }
        let some = (0..dice.random_range(0..4)).map(|_| revision(section, &of, &record, agencies, dice)).collect();
        record.revisions.insert(section, some);
    }
    for n in 0..dice.random_range(0..8) {
        let made = suggestion(id_of(index, 300 + n), |_| true, &record, agencies, dice);
        record.suggestions.extend(made);
    }
    record
}

/// A suggestion of some of the fields that qualify, about the current placement or an earlier one.
fn suggestion(
    id: Uuid,
    qualifies: impl Fn(FieldId) -> bool,
    record: &Record,
    agencies: &Agencies,
    dice: &mut StdRng,
) -> Option<Suggestion> {
    // Most of all where what is seen differs most: by field, and by whether the placement has ended.
    let mixed = [Section::Placement, Section::Risk, Section::Asylum, Section::Identity];
    let section = if dice.random() {
        mixed[dice.random_range(0..4)]
    } else {
        Section::ALL[dice.random_range(0..Section::ALL.len())]
    };
    let entry = (section == Section::Placement)
        .then(|| record.placements.get(dice.random_range(0..record.placements.len().max(1))).map(|row| row.id))
        .flatten();
    let of: Vec<FieldId> =
        section.fields().filter(|id| id.field().source == Source::Column && qualifies(*id)).collect();
    if of.is_empty() {
        return None;
    }
    let chosen: BTreeSet<FieldId> = (0..dice.random_range(1..6)).map(|_| of[dice.random_range(0..of.len())]).collect();
    let fields = chosen.into_iter().map(|id| (id, suggested(id, agencies, dice))).collect();
    let by = WRITERS[dice.random_range(0..WRITERS.len())];
    let comment = dice.random::<bool>().then_some("Så sade barnet");
    Some(Suggestion { id, section, entry, at: START - HOUR * dice.random_range(1..200), by, comment, fields })
}

fn suggested(id: FieldId, agencies: &Agencies, dice: &mut StdRng) -> Suggested {
    let value = dice.random_bool(0.8).then(|| value(id, dice.random_range(0..5), agencies).to_json());
    let decided = dice.random_bool(0.4).then(|| (WRITERS[dice.random_range(0..WRITERS.len())], dice.random()));
    Suggested { value, decided }
}

/// Opened, found, closed.
type Times = (i64, Option<i64>, Option<i64>);

fn times(missing: u8, dice: &mut StdRng) -> Option<Times> {
    let at = |days: i64| Some(START - DAY * days);
    let opened = START - DAY * dice.random_range(20..40);
    match missing {
        0 => None,
        1 => Some((opened, None, None)),
        2 => Some((opened, at(dice.random_range(0..3)), None)),
        _ => Some((opened, at(dice.random_range(5..9)), at(dice.random_range(4..5)))),
    }
}

fn long_ago(dice: &mut StdRng) -> Times {
    let opened = START - DAY * dice.random_range(300..320);
    (opened, Some(opened + DAY * 5), Some(opened + DAY * 9))
}

/// What the caller may come to see of a child, whatever it does in the requests that follow.
pub struct Eyes {
    pub known: bool,
    plain: FieldSet,
    own: FieldSet,
    decisions: Vec<Arc<Decisions>>,
    caller: &'static str,
    role: Role,
    /// The ids of the agency.
    agency: String,
}

/// Who asks, and why.
#[derive(Clone, Debug)]
pub struct Asker {
    pub persona: &'static str,
    pub role: Role,
    pub purposes: Vec<Purpose>,
    /// The requests that follow may change the level, end the caller's own stay, or make an entry the caller's own.
    pub changes_level: bool,
    pub changes_stay: bool,
    /// They may report a child missing or found, and ask for its episodes.
    pub changes_missing: bool,
    /// They may open records in an emergency, which opens what the rules say of that, of a child that it need not know.
    pub breaks_glass: bool,
    /// It may read the log of every child, and so come to know that one is there.
    pub reads_every_log: bool,
}

impl Eyes {
    pub fn of(asker: &Asker, seed: &Seed, agencies: &Agencies) -> Eyes {
        Self::at(asker, seed, seed.level, agencies)
    }

    fn at(asker: &Asker, seed: &Seed, level: Protection, agencies: &Agencies) -> Eyes {
        let consents = match seed.tie {
            Tie::Consented(groups) => Consents::from_groups(groups_of(groups).into_iter()),
            _ => Consents::NONE,
        };
        let consents = if asker.role == Role::Partner { consents } else { Consents::NONE };
        let mut relations = vec![seed.tie.relation(asker.role)];
        if asker.changes_stay && seed.tie == Tie::Whereabouts {
            relations.push(Relation::Ended);
        }
        if asker.changes_stay && asker.role == Role::CareHome && relations[0] != Relation::None {
            relations.push(Relation::Involved);
        }
        let levels = if asker.changes_level { Protection::ALL.to_vec() } else { vec![level] };
        let now = matches!(seed.missing, 1 | 2);
        let missing = if asker.changes_missing { vec![now, !now] } else { vec![now] };
        let opened = if asker.breaks_glass { vec![false, true] } else { vec![false] };
        let (mut known, mut plain, mut own, mut decisions) = (false, FieldSet::EMPTY, FieldSet::EMPTY, Vec::new());
        for purpose in &asker.purposes {
            for relation in &relations {
                let each = levels.iter().flat_map(|level| missing.iter().map(move |is| (level, *is)));
                for ((protection, missing), break_glass) in each.flat_map(|at| opened.iter().map(move |is| (at, *is))) {
                    let situation = Situation {
                        role: asker.role,
                        relation: *relation,
                        purpose: *purpose,
                        missing,
                        protection: *protection,
                        consents,
                        break_glass,
                        own: false,
                    };
                    let usual = Engine::embedded().decide(situation);
                    let of_own = Engine::embedded().decide(Situation { own: true, ..situation });
                    known |= usual.known;
                    plain = plain | usual.shown | usual.searchable;
                    own = own | of_own.shown | of_own.searchable;
                    decisions.extend([usual, of_own]);
                }
            }
        }
        if asker.changes_stay {
            plain = plain | own;
            own = plain;
        }
        if !known {
            (plain, own) = (FieldSet::EMPTY, FieldSet::EMPTY);
        }
        let agency = agencies[asker.persona].clone();
        Eyes { known, plain, own, decisions, caller: asker.persona, role: asker.role, agency }
    }

    /// Whether the caller can see the field, of a row that is or is not its own.
    pub fn see(&self, id: FieldId, own: bool) -> bool {
        if own { self.own.contains(id) } else { self.plain.contains(id) }
    }

    fn is_own(&self, placement: &Placement) -> bool {
        let agency = placement.row.get(&field("placement.unitAgency")).and_then(|cell| cell.value.as_ref());
        agency.is_some_and(|agency| agency.to_json() == self.agency.as_str())
    }

    /// Whether the caller is told who the writer was: a home tells where the child lives, a school where it learns.
    fn may_name(&self, writer: &str) -> bool {
        match writer {
            _ if writer == self.caller => true,
            "hvb-malmo" | "hvb-landskrona" => self.see(field("placement.unitAgency"), false),
            "skola" => self.see(field("schooling.schoolName"), false),
            _ => true,
        }
    }

    /// Another writer that the caller could not tell from this one.
    fn other_writer(&self, writer: &'static str, salt: u64) -> &'static str {
        let unnamed: Vec<&str> = WRITERS.into_iter().filter(|writer| !self.may_name(writer)).collect();
        if self.may_name(writer) { writer } else { unnamed[salt as usize % unnamed.len()] }
    }

    fn see_ended(&self, own: bool) -> bool {
        self.see(field("placement.earlier"), own)
    }

    fn is_own_entry(&self, entry: &Entry) -> bool {
        let rows = entry.list.rows();
        let agencies = rows.entry.fields.iter().filter(|part| part.kind == Kind::Agency).zip(&entry.of);
        agencies.into_iter().any(|(part, of)| rows.own.contains(&part.name) && *of == self.caller)
    }

    /// Whether the caller is answered alike in all the situations of both.
    fn decides_as(&self, other: &Eyes) -> bool {
        let alike = |(a, b): (&Arc<Decisions>, &Arc<Decisions>)| {
            let masks = |d: &Decisions| (d.known, d.shown, d.silent, d.writable, d.submittable, d.searchable);
            let rules =
                |d: &Decisions| FieldId::all().map(|id| (d.read_rule(id), d.write_rule(id))).collect::<Vec<_>>();
            Arc::ptr_eq(a, b) || (masks(a) == masks(b) && rules(a) == rules(b))
        };
        self.decisions.iter().zip(&other.decisions).all(alike)
    }
}

/// A difference between the worlds, where the caller cannot see it; elsewhere there is none.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    pub child: usize,
    pub what: What,
    pub salt: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum What {
    /// Value and stamp of a field, of the current row.
    Cell(u8),
    /// The same of an earlier placement.
    EarlierCell(u8),
    /// A placement that has ended, which is there or not.
    Earlier,
    /// The current placement, or the row of a section, which is there or not.
    Row(u8),
    /// A number, which is there, is not, or is another.
    Number(u8),
    /// A write to a section, which was or was not, or wrote other things.
    Revision(u8),
    /// A suggestion, which was or was not made, or asks for other things.
    Suggestion,
    /// Who wrote, where several would be left unnamed alike.
    Writer(u8),
    /// The level of protection, where all the same is decided.
    Level,
    /// When it was that the child went missing, and when it was found.
    Episode,
    /// A row of a list, which is there or not, or what stands in the parts of it that are not to be seen.
    Entry(u8),
    /// An earlier episode, which is there or not.
    EarlierEpisode,
    /// Who else has to do with the child, and who answers for it.
    Others,
    /// A child that the caller may not know of, which is there or not.
    Child,
}

pub fn difference() -> impl Strategy<Value = Difference> {
    let fields = samverka_domain::catalogue::FIELD_COUNT as u8;
    let sections = Section::ALL.len() as u8;
    let what = prop_oneof![
        30 => (0..fields).prop_map(What::Cell),
        12 => proptest::sample::select(of_lists()).prop_map(What::Cell),
        4 => proptest::sample::select(of_placement()).prop_map(What::EarlierCell),
        12 => proptest::sample::select(of_missing()).prop_map(What::Cell),
        3 => Just(What::Earlier),
        3 => (0..sections).prop_map(What::Row),
        8 => (0..4u8).prop_map(What::Number),
        10 => (0..sections).prop_map(What::Revision),
        12 => Just(What::Suggestion),
        4 => (0..sections).prop_map(What::Writer),
        2 => Just(What::Level),
        2 => Just(What::Episode),
        14 => (0..LISTS.len() as u8).prop_map(What::Entry),
        2 => Just(What::EarlierEpisode),
        3 => Just(What::Others),
        6 => Just(What::Child),
    ];
    (0..MOST, what, any::<u64>().no_shrink()).prop_map(|(child, what, salt)| Difference { child, what, salt })
}

/// The fields that lists are filtered by and put in order by.
fn of_lists() -> Vec<u8> {
    let paths =
        ["identity.givenNames", "identity.familyName", "identity.birthDate", "risk.indicators", "safetyPlan.reviewOn"];
    paths.map(|path| field(path).index() as u8).to_vec()
}

fn of_placement() -> Vec<u8> {
    columns(Section::Placement).map(|id| id.index() as u8).collect()
}

fn of_missing() -> Vec<u8> {
    columns(Section::Missing).map(|id| id.index() as u8).collect()
}

fn field_at(index: u8) -> FieldId {
    FieldId::all().nth(usize::from(index)).expect("a field")
}

/// A world: the children that are there.
pub type World = Vec<Option<Record>>;

/// Puts a difference into the other world, unless the caller could see it. Whether it did.
pub fn differ(world: &mut World, seeds: &[Seed], asker: &Asker, difference: &Difference, agencies: &Agencies) -> bool {
    let child = difference.child % seeds.len();
    let eyes = Eyes::of(asker, &seeds[child], agencies);
    let dice = &mut StdRng::seed_from_u64(difference.salt);
    if let What::Child = difference.what {
        return !eyes.known && !asker.reads_every_log && world[child].take().is_some();
    }
    let Some(record) = &mut world[child] else { return false };
    let before = record.clone();
    let place = Place { eyes: &eyes, agencies, child };
    match difference.what {
        What::Cell(index) => place.cell(record, field_at(index), false, dice),
        What::EarlierCell(index) => place.cell(record, field_at(index), true, dice),
        What::Earlier => place.earlier(record, dice),
        What::Row(section) => place.row(record, Section::ALL[usize::from(section)], dice),
        What::Number(kind) => place.number(record, IdentifierKind::ALL[usize::from(kind)], dice),
        What::Revision(section) => place.revision(record, Section::ALL[usize::from(section)], dice),
        What::Suggestion => place.suggestion(record, dice),
        What::Writer(section) => place.writer(record, Section::ALL[usize::from(section)], dice),
        What::Level => place.level(record, asker, &seeds[child], dice),
        // When it was is told to those who take part in the search.
        What::Episode if asker.changes_missing && eyes.known => {}
        What::Episode => place.times(record, seeds[child].missing, dice),
        What::Entry(list) => place.entry(record, LISTS[usize::from(list)], dice),
        What::EarlierEpisode => place.earlier_episode(record, dice),
        What::Others => place.others(record, dice),
        What::Child => {}
    }
    *record != before
}

/// Where a difference is put.
struct Place<'a> {
    eyes: &'a Eyes,
    agencies: &'a Agencies,
    child: usize,
}

impl Place<'_> {
    fn cell(&self, record: &mut Record, id: FieldId, earlier: bool, dice: &mut StdRng) {
        let section = id.field().section;
        let is_level = id == field("protection.level");
        if !columns(section).any(|column| column == id) || is_level {
            return;
        }
        if section == Section::Missing {
            self.episode_cell(record, id, dice);
            return;
        }
        if section != Section::Placement {
            if let Some(row) = record.sections.get_mut(&section) {
                self.reroll(section, row, id, |seen| self.eyes.see(seen, false), dice);
            }
            return;
        }
        let rows: Vec<&mut Placement> =
            record.placements.iter_mut().filter(|placement| placement.to.is_some() == earlier).collect();
        let count = rows.len();
        if count == 0 {
            return;
        }
        let Some(placement) = rows.into_iter().nth(dice.random_range(0..count)) else { return };
        let own = self.eyes.is_own(placement);
        let sees = |seen| self.eyes.see(seen, own) && (placement.to.is_none() || self.eyes.see_ended(own));
        let mut other = placement.clone();
        self.reroll(section, &mut other.row, id, sees, dice);
        // Whose entry it is belongs to the situation.
        if self.eyes.is_own(&other) == own {
            *placement = other;
        }
    }

    fn episode_cell(&self, record: &mut Record, id: FieldId, dice: &mut StdRng) {
        if record.episodes.is_empty() {
            return;
        }
        let current = record.current_episode().map(|episode| episode.id);
        let at = dice.random_range(0..record.episodes.len());
        let is_current = Some(record.episodes[at].id) == current;
        let seen = self.eyes.see(id, false) && (is_current || self.eyes.see(field("missing.earlier"), false));
        if seen {
            return;
        }
        let mut drawn = cell(id, self.agencies, dice);
        let before = record.episodes[at].row.get(&id).and_then(|cell| cell.value.clone());
        if TIMES.contains(&id.field().name) {
            drawn.value = None;
        }
        let entry = id == field("missing.wantedEntry") && is_current;
        if entry && self.eyes.see(field("missing.wanted"), false) {
            let raised = |value: &Option<Value>| value.as_ref().is_some_and(Value::raises_flag);
            drawn.value = if raised(&drawn.value) == raised(&before) { drawn.value } else { before };
        }
        record.episodes[at].row.insert(id, drawn);
    }

    /// When the child went missing and when it was found, so that the situation stays as it is.
    fn times(&self, record: &mut Record, missing: u8, dice: &mut StdRng) {
        let seen = TIMES.iter().any(|name| self.eyes.see(Section::Missing.field(name).expect("a field"), false));
        let drawn = times(missing, dice);
        if let Some((opened, found, closed)) = drawn.filter(|_| !seen) {
            (record.episodes[0].opened, record.episodes[0].found, record.episodes[0].closed) = (opened, found, closed);
        }
    }

    /// Before the one that the situation depends on, and not looked back to.
    fn earlier_episode(&self, record: &mut Record, dice: &mut StdRng) {
        let is_main = |episode: &Episode| episode.id == id_of(self.child, 90);
        if self.eyes.see(field("missing.earlier"), false) || !record.episodes.first().is_some_and(is_main) {
            return;
        }
        match record.episodes.get(1).map(|episode| episode.id) {
            Some(id) => {
                let is_told = record.entries.iter().any(|entry| entry.episode == Some(id))
                    || record.revisions.values().flatten().any(|revision| revision.entry == Some(id));
                if !is_told {
                    record.episodes.truncate(1);
                }
            }
            None => record.episodes.push(episode(id_of(self.child, 91), long_ago(dice), self.agencies, dice)),
        }
    }

    fn entry(&self, record: &mut Record, list: List, dice: &mut StdRng) {
        let id = shown_by(list);
        let of_list: Vec<usize> = (0..record.entries.len()).filter(|at| record.entries[*at].list == list).collect();
        let mut other = record.clone();
        let place = dice.random_range(0..of_list.len() + 1);
        match of_list.get(place).copied() {
            Some(at) if self.eyes.see(id, self.eyes.is_own_entry(&record.entries[at])) => {
                let own = self.eyes.is_own_entry(&record.entries[at]);
                let guards = list.rows().entry.fields.iter().filter_map(|part| part.guard);
                if guards.map(field).all(|guard| !self.eyes.see(guard, own)) {
                    other.entries[at].guarded = dice.random_range(0..5);
                }
                let salt = dice.random();
                for of in &mut other.entries[at].of {
                    *of = self.eyes.other_writer(of, salt);
                }
            }
            Some(at) if dice.random() => _ = other.entries.remove(at),
            Some(at) => other.entries[at].guarded = dice.random_range(0..5),
            None => {
                let others: Vec<&str> = WRITERS.into_iter().filter(|code| *code != self.eyes.caller).collect();
                let made = entry(id_of(self.child, 4000 + dice.random_range(0..1000)), list, &others, record, dice);
                other.entries.extend(made.filter(|_| !self.eyes.see(id, false)));
            }
        }
        // What a visible flag tells stays true.
        let flags = ["handovers.open", "missing.followUpDone"].map(|path| self.eyes.see(field(path), false));
        let (before, after) = (record.flags_of_entries(), other.flags_of_entries());
        let alike = (0..2).all(|flag| !flags[flag] || before[flag] == after[flag]);
        if alike {
            *record = other;
        }
    }

    /// Puts something else into a hidden field; what a visible flag tells stays true.
    fn reroll(&self, section: Section, row: &mut Row, id: FieldId, sees: impl Fn(FieldId) -> bool, dice: &mut StdRng) {
        if sees(id) {
            return;
        }
        let mut other = row.clone();
        let drawn = cell(id, self.agencies, dice);
        match dice.random_range(0..4) {
            0 => other.entry(id).or_default().value = drawn.value,
            1 => other.entry(id).or_default().stamp = drawn.stamp,
            _ => _ = other.insert(id, drawn),
        }
        if id.field().is_flag() {
            // A flag stands as its fields do.
            other.entry(id).or_default().value = row.get(&id).and_then(|cell| cell.value.clone());
        }
        let before: Vec<_> = flags(section).map(|flag| (flag, raised(&other, flag), raised(row, flag))).collect();
        if before.iter().any(|(flag, now, then)| sees(*flag) && now != then) {
            return;
        }
        for (flag, now, then) in before {
            if now != then {
                other.entry(flag).or_default().value = Some(Value::Bool(now));
            }
        }
        *row = other;
    }

    fn earlier(&self, record: &mut Record, dice: &mut StdRng) {
        let hidden = |placement: &Placement| !self.eyes.see_ended(self.eyes.is_own(placement));
        let gone = record.placements.iter().position(|placement| placement.to.is_some() && hidden(placement));
        if dice.random()
            && let Some(gone) = gone
        {
            self.remove(record, gone);
            return;
        }
        let id = id_of(self.child, 1000 + dice.random_range(0..1000));
        let more = placement(id, Some(dice.random_range(0..4)), self.agencies, dice);
        let is_new = record.placements.iter().all(|placement| placement.id != id);
        if hidden(&more) && is_new {
            let changes = Map::from_iter([told(field("placement.type"), self.agencies, dice)]);
            let by = WRITERS[dice.random_range(0..WRITERS.len())];
            let written = Revision { at: START - HOUR * 3, by, entry: Some(id), changes, suggested_by: None };
            record.placements.push(more);
            record.revisions.entry(Section::Placement).or_default().push(written);
        }
    }

    fn row(&self, record: &mut Record, section: Section, dice: &mut StdRng) {
        if section == Section::Placement {
            self.current(record, dice);
        }
        if section.is_list() || section == Section::Protection {
            return;
        }
        match record.sections.get(&section) {
            Some(row) => {
                let filled = |cell: &Cell| cell.value.is_some() || cell.stamp.is_some();
                let is_flag = |id: &FieldId, cell: &Cell| {
                    id.field().is_flag() && cell.stamp.is_none() && cell.value != Some(Value::Bool(true))
                };
                let seen = row.iter().any(|(id, cell)| filled(cell) && self.eyes.see(*id, false) && !is_flag(id, cell));
                if !seen {
                    record.sections.remove(&section);
                }
            }
            None => {
                let mut more = row(section, self.agencies, dice);
                more.retain(|id, _| !self.eyes.see(*id, false));
                let lit = |flag: FieldId| self.eyes.see(flag, false) && raised(&more, flag);
                if !flags(section).any(lit) {
                    record.sections.insert(section, more);
                }
            }
        }
    }

    /// The current placement, if no field of it is to be seen.
    fn current(&self, record: &mut Record, dice: &mut StdRng) {
        let sees_any = |own: bool| Section::Placement.fields().any(|id| self.eyes.see(id, own));
        match record.placements.iter().position(|placement| placement.to.is_none()) {
            Some(at) => {
                if !sees_any(self.eyes.is_own(&record.placements[at])) {
                    self.remove(record, at);
                }
            }
            None => {
                let more = placement(id_of(self.child, 98), None, self.agencies, dice);
                if !sees_any(self.eyes.is_own(&more)) {
                    record.placements.push(more);
                }
            }
        }
    }

    fn number(&self, record: &mut Record, kind: IdentifierKind, dice: &mut StdRng) {
        if self.eyes.see(kind.field(), false) {
            return;
        }
        let mut numbers = record.numbers.clone();
        let of_kind = numbers.iter().position(|number| number.kind == kind);
        match (of_kind, dice.random_range(0..3)) {
            (Some(at), 0) => _ = numbers.remove(at),
            (Some(at), 1) => numbers[at] = Number { id: numbers[at].id, ..a_number(Uuid::nil(), kind, dice) },
            _ => {
                let id = id_of(self.child, 2000 + dice.random_range(0..1000));
                if numbers.iter().all(|number| number.id != id) {
                    numbers.push(a_number(id, kind, dice));
                }
            }
        }
        let dossier = |numbers: &[Number]| numbers.iter().any(|number| number.kind == IdentifierKind::DossierNumber);
        let told = self.eyes.see(field("identifiers.dossierNumberKnown"), false);
        if !told || dossier(&numbers) == dossier(&record.numbers) {
            record.numbers = numbers;
        }
    }

    fn revision(&self, record: &mut Record, section: Section, dice: &mut StdRng) {
        let seen = |id: FieldId, entry: Option<Uuid>, record: &Record| self.sees(id, entry, record);
        if tellable(section).is_empty() {
            return;
        }
        let drawn = revision(section, &tellable(section), record, self.agencies, dice);
        let hidden: Vec<FieldId> = tellable(section).into_iter().filter(|id| !seen(*id, drawn.entry, record)).collect();
        let revisions = record.revisions.get(&section).cloned().unwrap_or_default();
        if dice.random() || revisions.is_empty() {
            if !hidden.is_empty() {
                let more = Revision { entry: drawn.entry, ..revision(section, &hidden, record, self.agencies, dice) };
                let at = dice.random_range(0..=revisions.len());
                record.revisions.entry(section).or_default().insert(at, more);
            }
            return;
        }
        let at = dice.random_range(0..revisions.len());
        let mut other = revisions[at].clone();
        let entry = other.entry;
        let is_seen = |name: &str| section.field(name).is_some_and(|id| seen(id, entry, record));
        other.changes.retain(|name, _| is_seen(name));
        let more: Vec<_> = drawn.changes.into_iter().filter(|(name, _)| !is_seen(name)).collect();
        let list = record.revisions.entry(section).or_default();
        if other.changes.is_empty() {
            list.remove(at);
        } else {
            other.changes.extend(more);
            list[at] = other;
        }
    }

    fn suggestion(&self, record: &mut Record, dice: &mut StdRng) {
        let sees = |suggestion: &Suggestion, record: &Record, id: FieldId| self.sees(id, suggestion.entry, record);
        let others: Vec<usize> =
            (0..record.suggestions.len()).filter(|at| record.suggestions[*at].by != self.eyes.caller).collect();
        let mixed = |at: &usize| {
            let suggestion = &record.suggestions[*at];
            let seen = suggestion.fields.keys().filter(|id| sees(suggestion, record, **id)).count();
            seen > 0 && seen < suggestion.fields.len()
        };
        let some: Vec<usize> = others.iter().copied().filter(mixed).collect();
        let others = if dice.random() && !some.is_empty() { some } else { others };
        let place = dice.random_range(0..others.len() + 1);
        let Some(at) = others.get(place).copied() else {
            let id = id_of(self.child, 3000 + dice.random_range(0..1000));
            let more = suggestion(id, |_| true, record, self.agencies, dice);
            let hidden = |more: &Suggestion| more.fields.keys().all(|id| !sees(more, record, *id));
            let is_new = record.suggestions.iter().all(|other| other.id != id);
            record.suggestions.extend(more.filter(|more| hidden(more) && is_new && more.by != self.eyes.caller));
            return;
        };
        let mut other = record.suggestions[at].clone();
        let hidden: Vec<FieldId> = other.fields.keys().copied().filter(|id| !sees(&other, record, *id)).collect();
        if hidden.is_empty() {
            return;
        }
        if hidden.len() == other.fields.len() {
            record.suggestions.remove(at);
            return;
        }
        // The words beside it are for whoever sees every field.
        other.comment = dice.random::<bool>().then_some("Något annat");
        for id in hidden {
            other.fields.insert(id, suggested(id, self.agencies, dice));
        }
        record.suggestions[at] = other;
    }

    /// Whether the caller sees a field of what was written to, or suggested of, a placement or another section.
    fn sees(&self, id: FieldId, entry: Option<Uuid>, record: &Record) -> bool {
        if id.field().section == Section::Missing {
            let current = record.current_episode().map(|episode| episode.id);
            let is_past =
                record.episodes.iter().any(|episode| Some(episode.id) == entry && Some(episode.id) != current);
            return self.eyes.see(id, false) && (!is_past || self.eyes.see(field("missing.earlier"), false));
        }
        let placement = record.placements.iter().find(|placement| Some(placement.id) == entry);
        let own = placement.is_some_and(|placement| self.eyes.is_own(placement));
        let ended = placement.is_some_and(|placement| placement.to.is_some());
        self.eyes.see(id, own) && (!ended || self.eyes.see_ended(own))
    }

    /// Takes a placement out of the record, and what was written to it and suggested of it, unless the caller suggested that.
    fn remove(&self, record: &mut Record, at: usize) {
        let id = record.placements[at].id;
        if record.suggestions.iter().any(|made| made.by == self.eyes.caller && made.entry == Some(id)) {
            return;
        }
        record.placements.remove(at);
        record.revisions.entry(Section::Placement).or_default().retain(|revision| revision.entry != Some(id));
        record.suggestions.retain(|suggestion| suggestion.entry != Some(id));
    }

    fn writer(&self, record: &mut Record, section: Section, dice: &mut StdRng) {
        let salt: u64 = dice.random();
        let change = |stamp: &mut Option<Stamp>| {
            if let Some(stamp) = stamp {
                stamp.by = self.eyes.other_writer(stamp.by, salt);
            }
        };
        for revision in record.revisions.entry(section).or_default() {
            revision.by = self.eyes.other_writer(revision.by, salt);
            revision.suggested_by = revision.suggested_by.map(|by| self.eyes.other_writer(by, salt));
        }
        let rows =
            record.placements.iter_mut().map(|placement| &mut placement.row).filter(|_| section == Section::Placement);
        let episodes =
            record.episodes.iter_mut().map(|episode| &mut episode.row).filter(|_| section == Section::Missing);
        for row in rows.chain(episodes).chain(record.sections.get_mut(&section)) {
            row.values_mut().for_each(|cell| change(&mut cell.stamp));
        }
        if section == Section::Identifiers {
            record.numbers.iter_mut().for_each(|number| change(&mut number.stamp));
        }
    }

    fn level(&self, record: &mut Record, asker: &Asker, seed: &Seed, dice: &mut StdRng) {
        let other = Protection::ALL[dice.random_range(0..Protection::ALL.len())];
        let id = field("protection.level");
        // A caller who can change the level comes to see whether all the same is decided.
        let alike = !asker.changes_level && self.eyes.decides_as(&Eyes::at(asker, seed, other, self.agencies));
        let Some(row) = record.sections.get_mut(&Section::Protection).filter(|_| alike && !self.eyes.see(id, false))
        else {
            return;
        };
        let mut changed = row.clone();
        changed.insert(id, Cell { value: Some(Value::Text(other.code().to_owned())), stamp: stamp(dice) });
        for flag in flags(Section::Protection) {
            let (now, then) = (raised(&changed, flag), raised(row, flag));
            if now != then && self.eyes.see(flag, false) {
                return;
            }
            if now != then {
                changed.entry(flag).or_default().value = Some(Value::Bool(now));
            }
        }
        *row = changed;
    }

    fn others(&self, record: &mut Record, dice: &mut StdRng) {
        let caller = self.eyes.caller;
        let others: Vec<&str> = WRITERS.into_iter().filter(|code| *code != caller).collect();
        let mut other = || others[dice.random_range(0..others.len())];
        if record.lead != caller && !self.eyes.see(field("responsibility.leadAgency"), false) {
            record.lead = other();
        }
        if record.responsible != Some(caller) && !self.eyes.see(field("responsibility.responsibleAgency"), false) {
            record.responsible = if record.responsible.is_some() && other() == "skola" { None } else { Some(other()) };
        }
        // Whoever may let agencies in is told who is involved, but for homes and schools of which it may not know.
        let lets_in = matches!(self.eyes.role, Role::Migration | Role::SocialServices | Role::SocialOnCall);
        let hidden: Vec<&str> = WRITERS.into_iter().filter(|code| !self.eyes.may_name(code)).collect();
        match hidden.as_slice() {
            _ if !lets_in => record.involved.push((other(), "INVOLVED", None)),
            [] => {}
            [first, ..] => record.involved.push((first, "INVOLVED", None)),
        }
        let partner = if caller == "stadsmissionen" { "radda-barnen" } else { "stadsmissionen" };
        if !self.eyes.see(field("consents.list"), false) {
            record.consents.push((partner, vec!["identity".to_owned()], START - DAY, START + DAY, None));
        }
    }
}

fn flags(section: Section) -> impl Iterator<Item = FieldId> {
    let has_columns = section != Section::Identifiers && !section.is_of_protocols();
    section.fields().filter(move |id| has_columns && id.field().is_flag())
}

fn raised(row: &Row, flag: FieldId) -> bool {
    let Source::Flag(of) = flag.field().source else { return false };
    let told = of.iter().filter_map(|name| flag.field().section.field(name));
    told.filter_map(|id| row.get(&id)?.value.clone()).any(|value| value.raises_flag())
}

/// The sections in which two states of a child differ: all, if what differs is of no section.
pub fn differing(a: Option<&Record>, b: Option<&Record>) -> BTreeSet<Section> {
    let (Some(a), Some(b)) = (a, b) else {
        return Section::ALL.into_iter().filter(|_| a != b).collect();
    };
    let differs = |section: &Section| {
        let rows = match section {
            Section::Placement => a.placements != b.placements,
            Section::Identifiers => a.numbers != b.numbers,
            Section::Consents => a.consents != b.consents,
            Section::Missing if a.episodes != b.episodes => true,
            section if section.is_of_protocols() => {
                let of = |record: &Record| -> Vec<Entry> {
                    let of = |entry: &&Entry| shown_by(entry.list).field().section == *section;
                    record.entries.iter().filter(of).cloned().collect()
                };
                of(a) != of(b)
            }
            section => a.sections.get(section) != b.sections.get(section),
        };
        let of = |record: &Record| -> Vec<Suggestion> {
            record.suggestions.iter().filter(|suggestion| suggestion.section == *section).cloned().collect()
        };
        rows || a.revisions.get(section) != b.revisions.get(section) || of(a) != of(b)
    };
    Section::ALL.into_iter().filter(differs).collect()
}
