//! What a curious caller asks: documents over everything, right and wrong, one after another.

use super::world::{self, Agencies, MOST};
use crate::harness::field;
use proptest::prelude::*;
use samverka_domain::catalogue::{FieldId, IdentifierKind, Kind, Section, Source};
use samverka_domain::policy::{Effect, Engine, Purpose, Role, Verb};
use serde_json::{Map, Value as Json, json};

/// The place of a purpose that is not stated.
pub const NO_PURPOSE: u8 = u8::MAX;

/// One request.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which of the case's purposes it states, if it does.
    pub purpose: u8,
    /// Which key it may be repeated under, and then is.
    pub key: Option<u8>,
    pub asks: Asks,
}

#[derive(Clone, Debug)]
pub enum Asks {
    Child { who: u8, picks: Vec<Pick> },
    ByNumber { kind: u8, number: u8, picks: Vec<Pick> },
    Children { list: List, picks: Vec<Pick> },
    Log { who: u8, first: i32 },
    Changes { first: i32 },
    Overdue { first: i32 },
    Plain(u8),
    Update { who: u8, section: u8, version: Version, set: Vec<(u8, u8)>, clear: Vec<u8> },
    Start { who: u8, version: Version, from: u8, set: Vec<(u8, u8)> },
    End { who: u8, version: Version, to: u8 },
    AddNumber { who: u8, kind: u8, number: u8, to: Option<u8> },
    EndNumber { who: u8, entry: u8, to: u8 },
    Suggest { who: u8, section: u8, set: Vec<(u8, u8)>, clear: Vec<u8>, comment: bool },
    Suggestions { who: u8, state: Option<u8>, first: i32, pages: u8 },
    Decide { who: u8, which: u8, accept: bool, version: Version },
    Hand { who: u8, kind: u8, to: u8, ready: bool },
    Hands { state: Option<u8>, first: i32 },
    Involve { who: u8, agency: u8, ends: bool },
    Take { step: u8 },
    Answers { who: u8, ago: u8 },
    Submit { kind: u8, number: (u8, u8), named: bool },
    Given,
    Inbox { state: Option<u8>, first: i32, pages: u8 },
    DecideSubmission { which: u8, decision: u8, who: Option<u8> },
    Register { board: bool, kind: u8, number: u8, set: Vec<(u8, u8)> },
    Missing { who: u8, what: u8 },
    Keep { who: u8, what: u8 },
}

/// A list: which children, in which order, and which pages of it.
#[derive(Clone, Debug)]
pub struct List {
    pub sift: Option<Sift>,
    /// By what, and whether the highest comes first.
    pub order: Option<(usize, bool)>,
    pub first: i32,
    pub after: After,
    /// How many pages are turned at most.
    pub pages: u8,
}

/// A filter.
#[derive(Clone, Debug)]
pub enum Sift {
    And(Vec<Sift>),
    Or(Vec<Sift>),
    Not(Box<Sift>),
    /// A field, how it is compared, and with which of its values.
    Test(usize, u8, u8),
}

/// What filters compare: the argument, and the field behind it.
const COMPARED: [(&str, &str); 7] = [
    ("givenNames", "identity.givenNames"),
    ("familyName", "identity.familyName"),
    ("birthDate", "identity.birthDate"),
    ("personalNumber", "identifiers.personalNumbers"),
    ("coordinationNumber", "identifiers.coordinationNumbers"),
    ("dossierNumber", "identifiers.dossierNumbers"),
    ("lmaCard", "identifiers.lmaCards"),
];

/// The kinds of number, and the field behind each.
const NUMBERS: [(&str, &str); 4] = [COMPARED[3], COMPARED[4], COMPARED[5], COMPARED[6]];

/// What lists are put in order by, and the field behind it.
const ORDERED: [(&str, &str); 5] = [
    ("GIVEN_NAMES", "identity.givenNames"),
    ("FAMILY_NAME", "identity.familyName"),
    ("BIRTH_DATE", "identity.birthDate"),
    ("RISK_DATE", "risk.indicators"),
    ("PLAN_REVIEW_ON", "safetyPlan.reviewOn"),
];

/// A part of a selection: a section, some of its fields, some of what speaks of it.
#[derive(Clone, Debug)]
pub struct Pick {
    pub section: u8,
    fields: u32,
    bookkeeping: u8,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
pub enum After {
    Start,
    LastPage,
    Nonsense,
}

/// Which version an update is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The one that stands, as the caller sees it.
    Standing,
    /// The one that stood when the caller last looked.
    Remembered,
    Nonsense,
}

impl Asks {
    /// Whether it may change the level of protection, and so what the caller sees.
    pub fn changes_level(&self, role: Role) -> bool {
        ever_writes(role, field("protection.level"))
            && matches!(self, Asks::Update { section, .. } if section_at(*section) == Section::Protection)
    }

    /// Whether it may open an episode or end one, and so what the caller sees; or asks when it was.
    pub fn changes_missing(&self) -> bool {
        matches!(self, Asks::Missing { .. })
    }

    /// Whether it opens a record in an emergency, and so changes what the caller sees.
    pub fn breaks_glass(&self) -> bool {
        matches!(self, Asks::Keep { what: BREAKS_GLASS, .. })
    }

    /// Whether it may change with whom the child stays, and so what the caller sees.
    pub fn changes_stay(&self, role: Role) -> bool {
        let writes = ["placement.from", "placement.unitAgency"].iter().any(|path| ever_writes(role, field(path)));
        let is_stay = match self {
            Asks::Start { .. } | Asks::End { .. } => true,
            Asks::Update { section, .. } => section_at(*section) == Section::Placement,
            _ => false,
        };
        writes && is_stay
    }
}

pub fn step(role: Role) -> impl Strategy<Value = Step> {
    let purpose = prop_oneof![30 => 0..2u8, 1 => Just(NO_PURPOSE)];
    let key = proptest::option::weighted(0.3, 0..3u8);
    (purpose, key, asks(role)).prop_map(|(purpose, key, asks)| Step { purpose, key, asks })
}

fn picks(most: usize) -> impl Strategy<Value = Vec<Pick>> {
    let all = Section::ALL.len() as u8;
    let of_protocols: Vec<u8> = (0..all).filter(|section| section_at(*section).is_of_protocols()).collect();
    let section = prop_oneof![3 => 0..all, 1 => proptest::sample::select(of_protocols)];
    let pick = (section, prop_oneof![Just(u32::MAX), any::<u32>()], 0..32u8);
    let pick = pick.prop_map(|(section, fields, bookkeeping)| Pick { section, fields, bookkeeping });
    proptest::collection::vec(pick, 1..=most)
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![6 => Just(Version::Standing), 2 => Just(Version::Remembered), 1 => Just(Version::Nonsense)]
}

fn sets() -> impl Strategy<Value = Vec<(u8, u8)>> {
    let new = prop_oneof![12 => 0..5u8, 1 => Just(5u8)];
    proptest::collection::vec((any::<u8>(), new), 1..3)
}

/// A section with an update, most often one that the role writes in.
fn updated(role: Role) -> impl Strategy<Value = u8> {
    let written = |section: &u8| section_at(*section).fields().any(|id| ever_writes(role, id));
    let all = correctable();
    let own: Vec<u8> = all.iter().copied().filter(written).collect();
    let own = if own.is_empty() { all.clone() } else { own };
    prop_oneof![5 => proptest::sample::select(own), 1 => proptest::sample::select(all)]
}

/// The sections that callers change by updates.
fn correctable() -> Vec<u8> {
    let is_changed = |section: &u8| {
        let section = section_at(*section);
        section != Section::Identifiers && !section.is_of_protocols()
    };
    (0..Section::ALL.len() as u8).filter(is_changed).collect()
}

/// A section that has corrections.
fn corrected() -> impl Strategy<Value = u8> {
    let all = correctable();
    proptest::sample::select(all)
}

/// Whether there is a child of which a caller of the role may write the field.
pub fn ever_writes(role: Role, id: FieldId) -> bool {
    Engine::embedded().rules().iter().any(|rule| {
        rule.effect == Effect::Permit && rule.concerns(role, id) && rule.verbs(id).any(|verb| verb == Verb::Write)
    })
}

fn asks(role: Role) -> impl Strategy<Value = Asks> {
    let who = || prop_oneof![14 => 0..MOST as u8, 1 => MOST as u8..MOST as u8 + 4];
    let number = || (0..5u8, 0..8u8);
    let cleared = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(any::<u8>(), 1..3)];
    prop_oneof![
        10 => (who(), picks(6)).prop_map(|(who, picks)| Asks::Child { who, picks }),
        12 => (searched(role, NUMBERS), 0..8u8, picks(2)).prop_map(
            |(kind, number, picks)| Asks::ByNumber { kind: kind as u8, number, picks }
        ),
        14 => (list(role), picks(2)).prop_map(|(list, picks)| Asks::Children { list, picks }),
        4 => (who(), 1..30i32).prop_map(|(who, first)| Asks::Log { who, first }),
        6 => (1..40i32).prop_map(|first| Asks::Changes { first }),
        1 => (-1..30i32).prop_map(|first| Asks::Overdue { first }),
        1 => (0..4u8).prop_map(Asks::Plain),
        24 => (who(), updated(role), version(), sets(), cleared).prop_map(
            |(who, section, version, set, clear)| Asks::Update { who, section, version, set, clear }
        ),
        4 => (who(), version(), 0..7u8, sets()).prop_map(
            |(who, version, from, set)| Asks::Start { who, version, from, set }
        ),
        4 => (who(), version(), 0..7u8).prop_map(|(who, version, to)| Asks::End { who, version, to }),
        2 => (who(), number(), proptest::option::of(0..7u8)).prop_map(
            |(who, (kind, number), to)| Asks::AddNumber { who, kind, number, to }
        ),
        4 => (who(), any::<u8>(), 0..7u8).prop_map(|(who, entry, to)| Asks::EndNumber { who, entry, to }),
        5 => (who(), corrected(), sets(), any::<bool>()).prop_map(
            |(who, section, set, comment)| Asks::Suggest { who, section, set, clear: Vec::new(), comment }
        ),
        8 => (who(), proptest::option::weighted(0.3, 0..4u8), 1..6i32, 1..4u8).prop_map(
            |(who, state, first, pages)| Asks::Suggestions { who, state, first, pages }
        ),
        4 => (who(), any::<u8>(), any::<bool>(), version()).prop_map(
            |(who, which, accept, version)| Asks::Decide { who, which, accept, version }
        ),
        2 => (who(), 0..6u8, 0..4u8, any::<bool>()).prop_map(
            |(who, kind, to, ready)| Asks::Hand { who, kind, to, ready }
        ),
        1 => (proptest::option::weighted(0.3, 0..4u8), 1..4i32).prop_map(|(state, first)| Asks::Hands { state, first }),
        1 => (0..7u8).prop_map(|step| Asks::Take { step }),
        1 => (who(), 0..4u8, any::<bool>()).prop_map(|(who, agency, ends)| Asks::Involve { who, agency, ends }),
        2 => (who(), 0..4u8).prop_map(|(who, ago)| Asks::Answers { who, ago }),
        4 => (who(), 0..7u8).prop_map(|(who, what)| Asks::Missing { who, what }),
        5 => (who(), 0..8u8).prop_map(|(who, what)| Asks::Keep { who, what }),
        6 => (0..3u8, number(), any::<bool>()).prop_map(|(kind, number, named)| Asks::Submit { kind, number, named }),
        2 => Just(Asks::Given),
        5 => (proptest::option::weighted(0.3, 0..4u8), 1..4i32, 1..4u8).prop_map(
            |(state, first, pages)| Asks::Inbox { state, first, pages }
        ),
        3 => (any::<u8>(), 0..3u8, proptest::option::weighted(0.3, who())).prop_map(
            |(which, decision, who)| Asks::DecideSubmission { which, decision, who }
        ),
        1 => (any::<bool>(), number(), sets()).prop_map(
            |(board, (kind, number), set)| Asks::Register { board, kind, number, set }
        ),
    ]
}

pub fn section_at(index: u8) -> Section {
    Section::ALL[usize::from(index) % Section::ALL.len()]
}

/// The selection of a child.
pub fn selection(picks: &[Pick]) -> String {
    let mut parts = vec!["id".to_owned()];
    for (index, Pick { section, fields, bookkeeping }) in picks.iter().enumerate() {
        let section = section_at(*section);
        let chosen = section.fields().enumerate().filter(|(place, _)| fields >> place & 1 == 1);
        let mut items: Vec<String> = chosen.map(|(_, id)| crate::harness::selection(id)).collect();
        let bookkeeping = (0..5).filter(|bit| bookkeeping >> bit & 1 == 1).map(|bit| {
            [
                "version",
                "updatedAt",
                "updatedBy { code }",
                "withheld { field number rule reason legalGround ask }",
                "revisions(first: 9) { at by { code } suggested suggestedBy { code } changes { field value } }",
            ][bit]
                .to_owned()
        });
        items.extend(bookkeeping);
        items.push("__typename".to_owned());
        parts.push(format!("s{index}: {} {{ {} }}", section.name(), items.join(" ")));
    }
    parts.join(" ")
}

/// Which of these a caller of the role may search in some child, most often.
fn searched<const N: usize>(
    role: Role,
    all: [(&'static str, &'static str); N],
) -> impl Strategy<Value = usize> + use<N> {
    let ever = |place: &usize| {
        let searches = |purpose| Engine::embedded().may_ever_search(role, purpose, field(all[*place].1));
        Purpose::ALL.iter().copied().any(searches)
    };
    let own: Vec<usize> = (0..N).filter(ever).collect();
    let own = if own.is_empty() { (0..N).collect() } else { own };
    prop_oneof![12 => proptest::sample::select(own), 1 => 0..N]
}

fn list(role: Role) -> impl Strategy<Value = List> {
    let after = prop_oneof![12 => Just(After::Start), 2 => Just(After::LastPage), 1 => Just(After::Nonsense)];
    let first = prop_oneof![12 => 1..4i32, 2 => Just(100), 1 => -1..1i32];
    let sift = (searched(role, COMPARED), 0..3u8, 0..6u8).prop_map(|(of, how, n)| Sift::Test(of, how, n));
    let sift = sift.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            3 => inner.clone().prop_map(|sift| Sift::Not(Box::new(sift))),
            1 => proptest::collection::vec(inner.clone(), 0..3).prop_map(Sift::And),
            2 => proptest::collection::vec(inner, 0..3).prop_map(Sift::Or),
        ]
    });
    // Who may search by nothing is refused, and need not be each time.
    let searches = FieldId::all()
        .any(|id| Purpose::ALL.iter().any(|purpose| Engine::embedded().may_ever_search(role, *purpose, id)));
    let often = if searches { 0.5 } else { 0.1 };
    let sift = proptest::option::weighted(often, sift);
    let order = proptest::option::weighted(often, (searched(role, ORDERED), any::<bool>()));
    (sift, order, first, after, 1..4u8).prop_map(|(sift, order, first, after, pages)| List {
        sift,
        order,
        first,
        after,
        pages,
    })
}

impl Sift {
    /// The filter as an argument.
    pub fn to_json(&self, agencies: &Agencies) -> Json {
        let all = |sifts: &[Sift]| sifts.iter().map(|sift| sift.to_json(agencies)).collect::<Vec<_>>();
        match self {
            Sift::And(sifts) => json!({ "and": all(sifts) }),
            Sift::Or(sifts) => json!({ "or": all(sifts) }),
            Sift::Not(sift) => json!({ "not": sift.to_json(agencies) }),
            Sift::Test(of, how, n) => {
                let (argument, path) = COMPARED[*of];
                let id = field(path);
                let (operator, value) = match id.field().source {
                    Source::Identifiers(kind) => ("equals", json!(world::number(kind, usize::from(*n)))),
                    _ if id.field().kind == Kind::Date => {
                        (["equals", "from", "to"][usize::from(*how)], world::input(id, usize::from(*n), agencies))
                    }
                    _ => (
                        ["equals", "startsWith", "equals"][usize::from(*how)],
                        world::input(id, usize::from(*n), agencies),
                    ),
                };
                json!({ argument: { operator: value } })
            }
        }
    }
}

impl List {
    /// The order as an argument.
    pub fn order_to_json(&self) -> Json {
        let order = |(by, descending): (usize, bool)| json!({ "field": ORDERED[by].0, "direction": if descending { "DESC" } else { "ASC" } });
        self.order.map_or(Json::Null, order)
    }

    /// The sections whose values it depends on.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> =
            self.order.iter().map(|(by, _)| field(ORDERED[*by].1).field().section).collect();
        if self.sift.is_some() {
            sections.extend([Section::Identity, Section::Identifiers]);
        }
        sections
    }
}

/// The kind of number; sometimes one that the number is not.
pub fn kind_at(kind: u8) -> IdentifierKind {
    IdentifierKind::ALL[usize::from(kind) % 4]
}

/// The number of a look-up: right, never given, or malformed.
pub fn number_at(kind: u8, number: u8) -> String {
    match number {
        0..=5 => world::number(kind_at(kind), usize::from(number)),
        6 => world::number(kind_at(kind + 1), 0),
        _ => "12-34".to_owned(),
    }
}

/// What an update sets, or anyone suggests: most of it right.
pub fn set(section: Section, picks: &[(u8, u8)], role: Option<Role>, agencies: &Agencies) -> Json {
    let all: Vec<FieldId> = section.fields().filter(|id| id.field().source == Source::Column).collect();
    let own: Vec<FieldId> = all.iter().copied().filter(|id| role.is_some_and(|role| ever_writes(role, *id))).collect();
    let mut set = Map::new();
    for (field, n) in picks {
        // Most often a field that the role writes.
        let written = if own.is_empty() || field % 8 == 7 { &all } else { &own };
        let id = written[usize::from(*field) % written.len()];
        let new = match (n, id.field().kind) {
            (5, Kind::Text(most)) => json!("x".repeat(most + 1)),
            (5, Kind::Date) => json!("2026-02-30"),
            (n, _) => world::input(id, usize::from(*n), agencies),
        };
        set.insert(id.field().name.to_owned(), new);
    }
    Json::Object(set)
}

/// What an update empties.
pub fn clear(section: Section, picks: &[u8], role: Role) -> Vec<String> {
    let all: Vec<FieldId> = section.fields().filter(|id| id.field().source == Source::Column).collect();
    let own: Vec<FieldId> = all.iter().copied().filter(|id| ever_writes(role, *id)).collect();
    let written = if own.is_empty() { all } else { own };
    let constant = |name: &str| -> String {
        name.chars()
            .map(|c| if c.is_ascii_uppercase() { format!("_{c}") } else { c.to_ascii_uppercase().to_string() })
            .collect()
    };
    let pick = |pick: &u8| constant(written[usize::from(*pick) % written.len()].field().name);
    picks.iter().map(pick).collect()
}

/// What is asked of a disappearance. The ids of episodes that were planted are not alike in the worlds, and are not asked for.
pub fn missing(what: u8) -> &'static str {
    match what {
        0 | 1 => {
            "mutation($id: ID!) { reportMissing(childId: $id, input: { lastSeenAt: \"2026-11-20T09:00:00Z\", clothing: \"Jacka\" }) {
                episode { state openedAt next } minimumReport { text }
                checklist { items { routine text dueAt overdue state doneBy { code } } } child { id } } }"
        }
        2 => "query($id: ID!) { episodes(childId: $id) { state openedAt locatedAt foundAt closedAt next } }",
        3 => {
            "query($id: ID!) { checklist(childId: $id) { items {
                routine moment actor text dueAt overdue state assignedTo { code } doneBy { code } } } }"
        }
        4 | 5 => {
            "mutation($id: ID!) { markLocated(childId: $id, at: \"2026-11-21T12:00:00Z\", place: \"Lund\") {
                episode { state locatedAt next } minimumReport { text } child { id } } }"
        }
        _ => "mutation($id: ID!) { markSafe(childId: $id) { episode { state foundAt } minimumReport { text } child { id } } }",
    }
}

/// Which of what is kept opens a record in an emergency.
const BREAKS_GLASS: u8 = 6;

/// What lets an organisation in, keeps a party out, or opens a record in an emergency; and what takes that back, or reviews it.
pub fn kept(what: u8) -> &'static str {
    match what {
        0 => {
            "mutation($id: ID!, $partner: ID!) { grantConsent(childId: $id, consent: { partnerId: $partner, groups: [\"voice\"],
                purpose: PROTECT, givenBy: CHILD, giver: \"Barnet\", until: \"2026-12-31\" }) {
                consent { id groups state until } inForceAt } }"
        }
        1 => {
            "mutation($id: ID!, $party: ID!) { blockParty(childId: $id, agencyId: $party, reason: \"Misstänkt\") {
                block { id agency { code } reason at } inForceAt } }"
        }
        3 => "{ myConsents { id groups purpose until state } }",
        4 => {
            "mutation($consent: ID!) { revokeConsent(consentId: $consent) { consent { id groups state until } inForceAt } }"
        }
        5 => {
            "mutation($block: ID!) { unblockParty(blockId: $block) { block { id agency { code } liftedAt } inForceAt } }"
        }
        BREAKS_GLASS => {
            "mutation($id: ID!) { breakGlass(childId: $id, reason: \"Barnet ligger medvetslöst på akuten.\") {
                id childId until reviewBy } }"
        }
        7 => {
            "mutation($access: ID!) { reviewBreakGlass(breakGlassId: $access, verdict: UNJUSTIFIED, comment: \"Ingen fara.\") {
                review { id verdict shown } } }"
        }
        _ => "query($id: ID!) { blocks(childId: $id) { id agency { code } by { code } reason at liftedAt } }",
    }
}

/// A day of the worlds, among them one ahead.
pub fn day(n: u8) -> String {
    (world::day_zero() + chrono::Days::new(u64::from(n) * 40)).to_string()
}
