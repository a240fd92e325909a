//! The access matrix of the domain, read a second time.
//!
//! The policies say in Cedar who sees what. This module says it again, in plain code, from the
//! domain's own table (`oracle/matrix.tsv`) and from what `api/domain/policy/README.md` says of its
//! cells; it knows nothing of the policies. Where the two differ, one of them has misread the
//! domain: find out which, and mend that one. Never copy an answer of the engine into the table.

use samverka_domain::catalogue::{FieldId, FieldSet, GROUPS, Section};
use samverka_domain::policy::{Consents, Decisions, Engine, Protection, Purpose, Relation, Role, Situation};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

/// More than this nobody reads at once.
const DISAGREEMENTS_SHOWN: usize = 40;

/// Asking Cedar is slow in a debug build.
const SITUATIONS_AT_MOST: usize = 1600;

// The table.

static MATRIX: LazyLock<Vec<Row>> = LazyLock::new(|| read_matrix(include_str!("oracle/matrix.tsv")));

/// One row of the matrix.
struct Row {
    numbers: Vec<String>,
    groups: Vec<&'static str>,
    cells: BTreeMap<&'static str, Cell>,
}

/// What a cell says.
#[derive(Clone, Copy)]
struct Cell {
    reads: Reads,
    /// `*`: also under break-glass.
    starred: bool,
    /// `P+`: may hand in.
    submits: bool,
}

impl Cell {
    const EMPTY: Cell = Cell { reads: Reads::Nothing, starred: false, submits: false };
}

#[derive(Clone, Copy, PartialEq)]
enum Reads {
    /// `-`, `Σ`, `A`
    Nothing,
    /// `R`
    Known,
    /// `W`
    KnownAndWrites,
    /// `Rh`
    HandedOver,
    /// `Rm`
    Missing,
    /// `Rc`
    Consented,
    /// `Rc and Rm`
    ConsentedAndMissing,
    /// `f`
    FlagOnly,
    /// `f, Rc`
    FlagConsented,
    /// `R (own)`, `W (own)`, `own`
    Own,
}

fn read_matrix(text: &'static str) -> Vec<Row> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let header: Vec<&str> = lines.next().expect("the matrix has a header line").split('\t').collect();
    lines.map(|line| read_row(&header, line)).collect()
}

fn read_row(header: &[&'static str], line: &'static str) -> Row {
    let columns: Vec<&str> = line.split('\t').collect();
    assert_eq!(columns.len(), header.len(), "the line `{line}` has not the columns of the header");
    let cells = header.iter().zip(&columns).skip(2);
    Row {
        numbers: read_numbers(columns[0]),
        groups: columns[1].split(',').collect(),
        cells: cells.map(|(&column, cell)| (column, read_cell(cell))).collect(),
    }
}

/// `F02–03, F05` is F02, F03 and F05.
fn read_numbers(text: &str) -> Vec<String> {
    let number = |text: &str| -> u8 { text.trim_start_matches('F').parse().expect("a field number such as F02") };
    let numbers = |range: &str| {
        let (first, last) = range.split_once('–').unwrap_or((range, range));
        (number(first)..=number(last)).map(|number| format!("F{number:02}"))
    };
    text.split(", ").flat_map(numbers).collect()
}

fn read_cell(text: &str) -> Cell {
    if text == "f, Rc" {
        return Cell { reads: Reads::FlagConsented, ..Cell::EMPTY };
    }
    text.split(", ").fold(Cell::EMPTY, |cell, part| match part.strip_suffix('*') {
        Some(part) => Cell { reads: read_reads(part), starred: true, ..cell },
        None if part == "P+" => Cell { submits: true, ..cell },
        None => Cell { reads: read_reads(part), ..cell },
    })
}

fn read_reads(text: &str) -> Reads {
    match text {
        "-" | "Σ" | "A" => Reads::Nothing,
        "R" => Reads::Known,
        "W" => Reads::KnownAndWrites,
        "Rh" => Reads::HandedOver,
        "Rm" => Reads::Missing,
        "Rc" => Reads::Consented,
        "Rc and Rm" => Reads::ConsentedAndMissing,
        "f" => Reads::FlagOnly,
        "R (own)" | "W (own)" | "W (own part)" | "own" => Reads::Own,
        other => panic!("`{other}` is no cell of the matrix"),
    }
}

fn row(id: FieldId) -> &'static Row {
    let group = id.field().group;
    MATRIX.iter().find(|row| row.groups.contains(&group)).unwrap_or_else(|| panic!("{group} has no row in matrix.tsv"))
}

/// The group a field belongs to, or, of a flag, the group it tells of.
fn main_group(id: FieldId) -> &'static str {
    row(id).groups[0]
}

// What the cells mean.

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Shown,
    Withheld,
    Silent,
}

/// Groups whose very existence is secret where they are not shown.
const SILENT: [&str; 8] = [
    "protection",
    "protectionFlag",
    "exploitation",
    "exploitationFlag",
    "wanted",
    "wantedFlag",
    "policeAssessment",
    "sightings",
];

/// What the caller learns of a field.
fn expected(situation: Situation, id: FieldId) -> Outcome {
    if opened(situation, id) && !closed(situation, id) {
        Outcome::Shown
    } else if SILENT.contains(&id.field().group) || looks_empty_to_the_home(situation, id) {
        Outcome::Silent
    } else {
        Outcome::Withheld
    }
}

/// Where nothing is kept, the home is not told why: the level of protection is silent to it.
fn looks_empty_to_the_home(situation: Situation, id: FieldId) -> bool {
    situation.role == Role::CareHome && closed_by_registration(situation, id)
}

fn writable(situation: Situation, id: FieldId) -> bool {
    cell(situation, id).reads == Reads::KnownAndWrites
        && matches!(situation.relation, Relation::Responsible | Relation::Involved)
        && id.field().is_writable()
        && !closed_by_registration(situation, id)
}

/// Handing in asks for no tie to the child.
fn submittable(situation: Situation, id: FieldId) -> bool {
    cell(situation, id).submits && id.field().is_writable()
}

/// Whoever reads a number or a name may search by it, and by a birth date, but boards, chief guardians and homes by names and
/// case and personal numbers only; schools not by birth date either. The responsible board puts its children in order by
/// what it must follow up.
fn searchable(situation: Situation, id: FieldId) -> bool {
    use Role::{CareHome, Guardianship, Partner, School, SocialOnCall, SocialServices};
    let role = situation.role;
    let limited_by_law = matches!(role, SocialServices | SocialOnCall | Guardianship | CareHome);
    let by_role = match id.to_string().as_str() {
        "identity.givenNames" | "identity.familyName" => role != Partner,
        "identity.birthDate" => !limited_by_law && !matches!(role, Partner | School),
        "identifiers.lmaCards" => !limited_by_law,
        "risk.indicators" | "safetyPlan.reviewOn" => {
            matches!(role, SocialServices | SocialOnCall) && situation.relation == Relation::Responsible
        }
        _ => id.field().is_searchable(),
    };
    // What an emergency or a consent opens is read, not searched.
    let as_read = has_tie(situation) && situation.relation != Relation::Consented;
    by_role && expected(Situation { break_glass: false, ..situation }, id) == Outcome::Shown && as_read
}

/// Whether the caller may know that the child is in the hub.
fn known(situation: Situation) -> bool {
    match situation.role {
        Role::Partner => situation.relation == Relation::Consented,
        Role::CountyBoard | Role::DataProtection | Role::SystemAdmin => false,
        role => has_tie(situation) || (situation.break_glass && may_break_glass(role)),
    }
}

/// *Known* in the README: a tie to the child of the agency's own.
fn has_tie(situation: Situation) -> bool {
    !matches!(situation.relation, Relation::Consented | Relation::None)
}

fn may_break_glass(role: Role) -> bool {
    matches!(role, Role::PoliceMissing | Role::SocialOnCall | Role::Health)
}

fn cell(situation: Situation, id: FieldId) -> Cell {
    let row = row(id);
    let cell = row.cells[column(situation.role, situation.relation)];
    let is_return = row.groups[0] == "return";
    match situation.role {
        Role::PoliceMissing if is_return => Cell::EMPTY,
        Role::PoliceBorder => enforcement(cell, is_return),
        // The supervision of consents (F62) has a door of its own, as the log has.
        Role::DataProtection => Cell::EMPTY,
        _ => cell,
    }
}

fn column(role: Role, relation: Relation) -> &'static str {
    match role {
        Role::Migration => "MIG",
        Role::PoliceMissing | Role::PoliceBorder => "POL",
        Role::SocialServices | Role::SocialOnCall if relation == Relation::Responsible => "SOC_RESP",
        Role::SocialServices | Role::SocialOnCall => "SOC_OTHER",
        Role::Guardianship => "OF",
        Role::Health => "HEALTH",
        Role::School => "SCHOOL",
        Role::CareHome => "HOME",
        Role::Partner => "NGO",
        Role::CountyBoard => "LST",
        Role::DataProtection => "DPO",
        Role::SystemAdmin => "SYSADM",
    }
}

/// What enforcement has of the police's column: plain reading and the return, nothing that serves
/// the search.
fn enforcement(cell: Cell, is_return: bool) -> Cell {
    let kept = cell.reads == Reads::Known || is_return;
    Cell { reads: if kept { cell.reads } else { Reads::Nothing }, ..Cell::EMPTY }
}

/// Whether the matrix lets the caller read the field.
fn opened(situation: Situation, id: FieldId) -> bool {
    let cell = cell(situation, id);
    let by_glass = cell.starred && situation.break_glass && may_break_glass(situation.role);
    by_glass
        || match situation.role {
            Role::Partner => opened_by_consent(cell, situation, id),
            _ => opened_by_tie(cell, situation, id),
        }
}

fn opened_by_tie(cell: Cell, situation: Situation, id: FieldId) -> bool {
    has_tie(situation)
        && match cell.reads {
            Reads::Nothing | Reads::Consented | Reads::ConsentedAndMissing | Reads::FlagConsented => false,
            Reads::Known | Reads::KnownAndWrites => true,
            Reads::HandedOver => matches!(situation.relation, Relation::Receiving | Relation::Former),
            Reads::Missing => situation.missing,
            Reads::FlagOnly => id.field().is_flag(),
            Reads::Own => situation.own,
        }
}

/// A partner's own involvement opens nothing.
fn opened_by_consent(cell: Cell, situation: Situation, id: FieldId) -> bool {
    let named = || situation.consents.groups().any(|group| group == main_group(id));
    let flag_named = || situation.consents.groups().any(|group| group == id.field().group);
    situation.relation == Relation::Consented
        && match cell.reads {
            Reads::FlagConsented => id.field().is_flag() && flag_named(),
            Reads::Own => situation.own,
            Reads::Consented => named(),
            Reads::ConsentedAndMissing => named() && situation.missing,
            Reads::FlagOnly => id.field().is_flag(),
            _ => false,
        }
}

/// Whether a rule closes the field to reading, whatever opens it.
fn closed(situation: Situation, id: FieldId) -> bool {
    closed_by_protection(situation, id)
        || closed_by_registration(situation, id)
        || closed_by_return_purpose(situation, id)
        || closed_by_leaving(situation, id)
}

/// Protected identity: what leads to the child is for those who look after it.
fn closed_by_protection(situation: Situation, id: FieldId) -> bool {
    let leads_to_the_child = matches!(main_group(id), "placementAddress" | "school" | "childContact" | "network")
        || matches!(id.to_string().as_str(), "placement.earlier" | "missing.lastSeenPlace" | "missing.foundPlace");
    let looks_after = match situation.role {
        Role::SocialServices | Role::SocialOnCall | Role::CareHome => true,
        Role::PoliceMissing => situation.missing,
        _ => false,
    };
    situation.protection != Protection::None && leads_to_the_child && !looks_after
}

/// Protected registration: the address and the school are nobody's to read or to write.
fn closed_by_registration(situation: Situation, id: FieldId) -> bool {
    let is_address =
        matches!(id.to_string().as_str(), "placement.street" | "placement.postalCode" | "placement.postalTown");
    situation.protection == Protection::Registered && (is_address || main_group(id) == "school")
}

/// A home that the child has left keeps its own entries, and learns nothing of the next place.
fn closed_by_leaving(situation: Situation, id: FieldId) -> bool {
    situation.role == Role::CareHome
        && matches!(situation.relation, Relation::Former | Relation::Ended)
        && matches!(
            main_group(id),
            "placementAddress"
                | "placementType"
                | "placementBasis"
                | "school"
                | "absence"
                | "childContact"
                | "network"
                | "description"
                | "photo"
                | "safetyPlan"
                | "handovers"
                | "missing"
                | "policeReport"
                | "found"
                | "followUp"
                | "closures"
                | "consents"
        )
        && !situation.own
}

/// Enforcement asks the board by hand for what was given for the child's protection.
fn closed_by_return_purpose(situation: Situation, id: FieldId) -> bool {
    let given_for_protection = matches!(
        main_group(id),
        "placementType"
            | "placementUnit"
            | "placementAddress"
            | "placementBasis"
            | "healthAssessment"
            | "healthCritical"
            | "school"
            | "absence"
            | "childContact"
            | "network"
            | "voice"
            | "description"
            | "photo"
            | "riskIndicators"
            | "exploitation"
            | "safetyPlan"
            | "concerns"
            | "missing"
            | "policeReport"
            | "wanted"
            | "policeAssessment"
            | "sightings"
            | "found"
            | "followUp"
            | "closures"
            | "consents"
    );
    situation.purpose == Purpose::Return && given_for_protection
}

/// The purposes a role may declare, its usual one first.
fn purposes(role: Role) -> &'static [Purpose] {
    use Purpose::*;
    match role {
        Role::Migration => &[Protect, Place, Asylum, Return],
        Role::PoliceMissing => &[Protect, Search],
        Role::PoliceBorder => &[Protect, Return],
        Role::SocialServices | Role::SocialOnCall | Role::CareHome => &[Protect, Search, Place],
        Role::Guardianship => &[Protect, Search, Asylum],
        Role::Health => &[Protect, Search, Health],
        Role::School => &[Protect, Search, School],
        Role::Partner => &[Protect, Search],
        Role::CountyBoard => &[Stat],
        Role::DataProtection => &[Audit],
        Role::SystemAdmin => &[],
    }
}

// The situations.

/// Every role in every relation, whether the child is missing and however it is protected, with
/// each fact that can matter to the role; and facts that should not matter, to see that they do not.
fn situations() -> Vec<Situation> {
    let plain = roles().flat_map(|role| relations().map(move |relation| plain(role, relation)));
    let plain: Vec<Situation> = plain.collect();
    let mut all: Vec<Situation> = plain.iter().flat_map(|&plain| turns(plain)).flat_map(circumstances).collect();
    all.extend(plain.iter().flat_map(|&plain| everything_at_once(plain)));
    all.extend(plain.iter().flat_map(|&plain| own_entries(plain)));
    all.extend(plain.iter().flat_map(|&plain| other_purposes(plain)));
    all.extend(single_consents());
    let mut met = HashSet::new();
    all.retain(|&situation| met.insert(situation));
    all
}

fn situations_of(role: Role) -> impl Iterator<Item = Situation> {
    situations().into_iter().filter(move |situation| situation.role == role)
}

fn roles() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied()
}

fn relations() -> impl Iterator<Item = Relation> {
    Relation::ALL.iter().copied()
}

fn plain(role: Role, relation: Relation) -> Situation {
    Situation {
        role,
        relation,
        // A system administrator may state none, and must still be answered with nothing.
        purpose: purposes(role).first().copied().unwrap_or(Purpose::Protect),
        missing: false,
        protection: Protection::None,
        consents: Consents::NONE,
        break_glass: false,
        own: false,
    }
}

/// The situation, and the same with what can open or close more to the role.
fn turns(plain: Situation) -> Vec<Situation> {
    let mut turns = vec![plain];
    if may_break_glass(plain.role) {
        turns.push(Situation { break_glass: true, ..plain });
    }
    if purposes(plain.role).contains(&Purpose::Return) {
        turns.push(Situation { purpose: Purpose::Return, ..plain });
    }
    if plain.role == Role::CareHome {
        turns.push(Situation { own: true, ..plain });
    }
    if plain.role == Role::Partner {
        turns.push(Situation { consents: Consents::all(), ..plain });
    }
    turns
}

fn circumstances(situation: Situation) -> impl Iterator<Item = Situation> {
    let protections = Protection::ALL.iter().copied();
    protections.flat_map(move |protection| [false, true].map(|missing| Situation { protection, missing, ..situation }))
}

fn everything_at_once(plain: Situation) -> [Situation; 2] {
    let all = Situation { break_glass: true, own: true, consents: Consents::all(), ..plain };
    [all, Situation { missing: true, ..all }]
}

/// Whatever the role, an entry of a list may be its own.
fn own_entries(plain: Situation) -> [Situation; 2] {
    let own = Situation { own: true, ..plain };
    [own, Situation { missing: true, protection: Protection::Marked, ..own }]
}

/// Only RETURN changes what is read, so the others are tried where most is open.
fn other_purposes(plain: Situation) -> impl Iterator<Item = Situation> {
    let tried = matches!(plain.relation, Relation::Responsible | Relation::Involved | Relation::Consented);
    let others = purposes(plain.role).iter().skip(1).filter(move |_| tried);
    others.map(move |&purpose| Situation { purpose, missing: true, consents: Consents::all(), ..plain })
}

/// One group at a time, also those that no consent can open.
fn single_consents() -> impl Iterator<Item = Situation> {
    let partner = plain(Role::Partner, Relation::Consented);
    GROUPS.iter().flat_map(move |group| {
        let consented = Situation { consents: Consents::from_groups([group.name].into_iter()), ..partner };
        [consented, Situation { missing: true, ..consented }]
    })
}

fn describe(situation: Situation) -> String {
    let Situation { role, relation, purpose, missing, protection, consents, break_glass, own } = situation;
    let mut words = vec![format!("{} {} for {}", role.code(), relation.code(), purpose.code())];
    words.push(format!("protection {}", protection.code()));
    words.extend(missing.then(|| "missing".to_owned()));
    words.extend(break_glass.then(|| "break-glass".to_owned()));
    words.extend(own.then(|| "own".to_owned()));
    if !consents.is_empty() {
        words.push(format!("consents to {}", consents.groups().collect::<Vec<_>>().join(" ")));
    }
    words.join(", ")
}

// The comparison.

/// One answer of the engine that the matrix does not give.
struct Disagreement {
    /// Whose, on what, and how: the same for every field and situation it is met in.
    what: String,
    field: String,
    situation: Situation,
}

/// Where a disagreement was met.
#[derive(Default)]
struct Met {
    fields: BTreeSet<String>,
    situations: Vec<Situation>,
}

fn answer(decisions: &Decisions, id: FieldId) -> Outcome {
    if decisions.shown.contains(id) {
        Outcome::Shown
    } else if decisions.silent.contains(id) {
        Outcome::Silent
    } else {
        Outcome::Withheld
    }
}

fn disagreements(engine: &Engine, situation: Situation) -> Vec<Disagreement> {
    let decisions = engine.decide(situation);
    let mut found = disagreements_on_reading(engine, situation, &decisions);
    found.extend(disagreements_on_doing("write", writable, decisions.writable, situation));
    found.extend(disagreements_on_doing("submit", submittable, decisions.submittable, situation));
    found.extend(disagreements_on_doing("search", searchable, decisions.searchable, situation));
    found.extend(disagreement_on_knowing(decisions.known, situation));
    found
}

fn disagreements_on_reading(engine: &Engine, situation: Situation, decisions: &Decisions) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for id in FieldId::all() {
        let (expected, answer) = (expected(situation, id), answer(decisions, id));
        if expected != answer {
            let rule = &engine.rule(decisions.read_rule(id)).id;
            let how = format!("expected {expected:?}, the engine says {answer:?} by rule `{rule}`");
            found.push(disagreement("read", &how, id, situation));
        }
    }
    found
}

fn disagreements_on_doing(
    verb: &str,
    allowed: fn(Situation, FieldId) -> bool,
    answer: FieldSet,
    situation: Situation,
) -> Vec<Disagreement> {
    let may = |allowed| if allowed { "allowed" } else { "refused" };
    let mut found = Vec::new();
    for id in FieldId::all() {
        let (expected, answer) = (allowed(situation, id), answer.contains(id));
        if expected != answer {
            let how = format!("expected {}, the engine says {}", may(expected), may(answer));
            found.push(disagreement(verb, &how, id, situation));
        }
    }
    found
}

fn disagreement(verb: &str, how: &str, id: FieldId, situation: Situation) -> Disagreement {
    let what = format!("{} {verb} {}: {how}", situation.role.code(), id.field().group);
    Disagreement { what, field: format!("{id} ({})", id.field().number), situation }
}

fn disagreement_on_knowing(answer: bool, situation: Situation) -> Option<Disagreement> {
    let expected = known(situation);
    (expected != answer).then(|| Disagreement {
        what: format!("{} know: expected {expected}, the engine says {answer}", situation.role.code()),
        field: "that the child is in the hub".to_owned(),
        situation,
    })
}

fn gather(engine: &Engine) -> BTreeMap<String, Met> {
    let mut gathered: BTreeMap<String, Met> = BTreeMap::new();
    for found in situations().into_iter().flat_map(|situation| disagreements(engine, situation)) {
        let met = gathered.entry(found.what).or_default();
        met.fields.insert(found.field);
        if met.situations.last() != Some(&found.situation) {
            met.situations.push(found.situation);
        }
    }
    gathered
}

fn report(gathered: &BTreeMap<String, Met>) -> String {
    let shown: String = gathered.iter().take(DISAGREEMENTS_SHOWN).map(|(what, met)| paragraph(what, met)).collect();
    let more = gathered.len().saturating_sub(DISAGREEMENTS_SHOWN);
    format!("{shown}\n{more} more are not shown")
}

fn paragraph(what: &str, met: &Met) -> String {
    let fields: Vec<&str> = met.fields.iter().map(String::as_str).collect();
    let number = met.situations.len();
    format!("\n{what}\n    {}\n    {number} situations, first {}\n", fields.join(", "), describe(met.situations[0]))
}

#[test]
fn the_policies_say_what_the_matrix_says() {
    let gathered = gather(Engine::embedded());

    assert!(
        gathered.is_empty(),
        "the policies and the matrix disagree; see which of them is right by the domain, and mend the other:\n{}",
        report(&gathered),
    );
}

#[test]
fn each_role_may_state_the_purposes_of_the_readme() {
    let engine = Engine::embedded();

    for role in roles() {
        for &purpose in Purpose::ALL {
            let expected = purposes(role).contains(&purpose);
            assert_eq!(engine.may_declare(role, purpose), expected, "{} declares {}", role.code(), purpose.code());
        }
    }
}

#[test]
fn every_field_stands_once_in_the_matrix() {
    for id in FieldId::all() {
        let (group, number) = (id.field().group, id.field().number);
        let rows = MATRIX.iter().filter(|row| row.groups.contains(&group)).count();
        assert_eq!(rows, 1, "{group} belongs in one row of oracle/matrix.tsv");
        assert!(row(id).numbers.iter().any(|known| known == number), "{id} ({number}) is not in the row of {group}");
        assert_eq!(id.field().is_flag(), group != main_group(id), "{id}: a flag is in the second group of its row");
    }
    for number in MATRIX.iter().flat_map(|row| &row.numbers) {
        assert!(FieldId::all().any(|id| id.field().number == number), "{number} is in no field of the catalogue");
    }
}

#[test]
fn partners_can_be_given_what_the_matrix_opens_by_consent() {
    for group in &GROUPS {
        let named: Vec<&str> = Consents::from_groups([group.name].into_iter()).groups().collect();
        let flag_by_consent =
            |row: &Row| row.cells["NGO"].reads == Reads::FlagConsented && row.groups.get(1) == Some(&group.name);
        let by_consent =
            MATRIX.iter().any(|row| (row.groups[0] == group.name && opens_by_consent(row)) || flag_by_consent(row));
        let expected = if by_consent { vec![group.name] } else { vec![] };
        assert_eq!(named, expected, "a consent to {} alone", group.name);
    }
}

fn opens_by_consent(row: &Row) -> bool {
    matches!(row.cells["NGO"].reads, Reads::Consented | Reads::ConsentedAndMissing)
}

#[test]
fn the_situations_are_few_enough_for_a_debug_build() {
    let number = situations().len();

    assert!(number <= SITUATIONS_AT_MOST, "{number} situations: leave out what cannot matter");
}

// What must hold whatever the matrix says.

#[test]
fn nothing_is_shown_to_strangers() {
    let engine = Engine::embedded();
    let claims = |role| Situation { own: true, consents: Consents::all(), ..plain(role, Relation::None) };
    let strangers = situations().into_iter().filter(|s| s.relation == Relation::None && !s.break_glass);

    for stranger in strangers.chain(roles().map(claims)) {
        let decisions = engine.decide(stranger);
        assert!(!decisions.known, "knows of the child: {}", describe(stranger));
        assert!(decisions.shown.is_empty(), "sees {:?}: {}", list(decisions.shown), describe(stranger));
        assert!(decisions.searchable.is_empty(), "finds by {:?}: {}", list(decisions.searchable), describe(stranger));
    }
}

#[test]
fn an_emergency_alone_never_opens_these() {
    let engine = Engine::embedded();
    let emergencies = situations().into_iter().filter(|s| s.relation == Relation::None && s.break_glass);

    for emergency in emergencies {
        let never = |id: &FieldId| ["F23", "F50", "F57", "F58", "F60"].contains(&id.field().number);
        let opened: Vec<FieldId> = engine.decide(emergency).shown.iter().filter(never).collect();
        assert!(opened.is_empty(), "{opened:?} by an emergency: {}", describe(emergency));
    }
}

#[test]
fn a_silent_field_is_never_withheld() {
    let engine = Engine::embedded();

    for situation in situations() {
        let decisions = engine.decide(situation);
        let betrayed: Vec<FieldId> = decisions.withheld().iter().filter(|id| id.group().silent).collect();
        assert!(betrayed.is_empty(), "{betrayed:?} say that there is something to hide: {}", describe(situation));
        assert!((decisions.shown & decisions.silent).is_empty(), "both shown and silent: {}", describe(situation));
    }
}

#[test]
fn forbidding_never_shows_more() {
    let engine = Engine::embedded();

    for strict in situations() {
        for mild in milder(strict) {
            let gained = engine.decide(strict).shown & !engine.decide(mild).shown;
            assert!(gained.is_empty(), "{:?} only under the stricter: {}", list(gained), describe(strict));
        }
    }
}

/// The same situation without one of the facts that close.
fn milder(strict: Situation) -> Vec<Situation> {
    let mut milder = Vec::new();
    if strict.protection != Protection::None {
        milder.push(Situation { protection: Protection::None, ..strict });
    }
    if strict.protection == Protection::Registered {
        milder.push(Situation { protection: Protection::Marked, ..strict });
    }
    if strict.purpose == Purpose::Return {
        milder.push(Situation { purpose: Purpose::Protect, ..strict });
    }
    milder
}

#[test]
fn who_has_left_or_never_came_does_not_write() {
    let engine = Engine::embedded();
    let outside = [Relation::Former, Relation::Ended, Relation::Consented, Relation::None];

    for situation in situations().into_iter().filter(|situation| outside.contains(&situation.relation)) {
        let writable = engine.decide(situation).writable;
        assert!(writable.is_empty(), "writes {:?}: {}", list(writable), describe(situation));
    }
}

#[test]
fn county_boards_data_protection_and_system_administrators_read_no_field() {
    let engine = Engine::embedded();
    let roles = [Role::CountyBoard, Role::DataProtection, Role::SystemAdmin];

    for situation in roles.into_iter().flat_map(|role| situations_of(role).chain(every_purpose(role))) {
        let decisions = engine.decide(situation);
        assert!(!decisions.known, "knows of the child: {}", describe(situation));
        assert!(decisions.shown.is_empty(), "sees {:?}: {}", list(decisions.shown), describe(situation));
        assert!(decisions.searchable.is_empty(), "finds by {:?}: {}", list(decisions.searchable), describe(situation));
    }
}

/// Also the purposes that the role may not state, with every door open.
fn every_purpose(role: Role) -> impl Iterator<Item = Situation> {
    let [_, open] = everything_at_once(plain(role, Relation::Responsible));
    Purpose::ALL.iter().map(move |&purpose| Situation { purpose, ..open })
}

#[test]
fn partners_read_within_their_consents_and_never_where_the_child_is() {
    let engine = Engine::embedded();

    for situation in situations_of(Role::Partner) {
        for id in engine.decide(situation).shown.iter() {
            assert!(within_consents(situation, id), "{id} without consent: {}", describe(situation));
            assert!(id.field().section != Section::Placement, "{id} to a partner: {}", describe(situation));
            let of_the_search = ["F55", "F56", "F57", "F58", "F60", "F61"].contains(&id.field().number);
            assert!(!of_the_search, "{id} to a partner: {}", describe(situation));
        }
    }
}

/// The warning of protected identity needs no consent of its own: it tells what not to ask. Nor does what is the partner's own.
fn within_consents(situation: Situation, id: FieldId) -> bool {
    let is_warning = id.field().group == "protectionFlag";
    let is_named = situation.consents.groups().any(|group| group == main_group(id) || group == id.field().group);
    let is_own = situation.own && matches!(id.field().group, "concerns" | "consents");
    situation.relation == Relation::Consented && (is_warning || is_named || is_own)
}

fn list(fields: FieldSet) -> Vec<FieldId> {
    fields.iter().collect()
}
