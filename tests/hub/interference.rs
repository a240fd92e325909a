//! Non-interference: nothing that is withheld can be inferred.
//!
//! Two hubs hold two worlds that differ only in what the caller may not read. Whatever the caller asks and writes, in
//! whatever order, the two give the same answers, byte for byte. So no filter, page, cursor, version, time, error or
//! count can depend on what is withheld. How long an answer takes is not compared.
//!
//! `INTERFERENCE_CASES` is how many cases each role gets (24 where it is not set), `INTERFERENCE_SEED` where their
//! dice begin. A failure prints the smallest case that was found: who asked, the children, where the worlds differ,
//! the requests, and the two answers.

mod plant;
mod steps;
mod world;

use crate::harness::{Answer, HOUR, Hub, Kind, START, child_id, persona};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use samverka_domain::catalogue::{IdentifierKind, Section};
use samverka_domain::fault::Fault;
use samverka_domain::policy::{Engine, Purpose};
use samverka_domain::world::PERSONAS;
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use steps::{After, Asks, Step, Version, section_at};
use uuid::Uuid;
use world::{Agencies, Asker, Difference, Eyes, MOST, Seed, World};

/// One case: who asks and why, the children, where the worlds may differ, and the requests.
#[derive(Clone, Debug)]
struct Case {
    purposes: Vec<Purpose>,
    seeds: Vec<Seed>,
    differences: Vec<Difference>,
    steps: Vec<Step>,
}

fn case(asker: &'static str) -> impl Strategy<Value = Case> {
    let persona = persona(asker);
    let declared: Vec<Purpose> =
        Purpose::ALL.iter().copied().filter(|purpose| Engine::embedded().may_declare(persona.role, *purpose)).collect();
    let purposes = proptest::collection::vec(
        prop_oneof![3 => Just(persona.purpose), 1 => proptest::sample::select(declared)],
        1..=2,
    );
    let seeds = proptest::collection::vec(world::seed(persona.role), 1..=MOST);
    let differences = proptest::collection::vec(world::difference(), 0..150);
    let steps = proptest::collection::vec(steps::step(persona.role), 1..=6);
    (purposes, seeds, differences, steps)
        .prop_map(|(purposes, seeds, differences, steps)| Case { purposes, seeds, differences, steps })
}

/// How much the cases put to the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: u64,
    /// Differences that were put there.
    differences: u64,
    requests: u64,
    /// Requests whose answer has no error.
    answered: u64,
    /// Requests that were about a child in which the worlds differ, or about a list with such a child.
    touched: u64,
    /// Changes that were made.
    changed: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.cases += other.cases;
        self.differences += other.differences;
        self.requests += other.requests;
        self.answered += other.answered;
        self.touched += other.touched;
        self.changed += other.changed;
    }
}

/// The two hubs, and what they share.
struct Twins {
    hubs: [Hub; 2],
    agencies: Agencies,
}

impl Twins {
    async fn start(kind: Kind) -> Option<Twins> {
        let hubs = Hub::twins(kind).await?;
        let agencies: Agencies =
            PERSONAS.iter().map(|persona| (persona.code, hubs[0].agency_id(persona.code))).collect();
        for persona in &PERSONAS {
            assert_eq!(hubs[0].agency_id(persona.code), hubs[1].agency_id(persona.code), "twins share their agencies");
        }
        Some(Twins { hubs, agencies })
    }

    fn plant(&self, fault: Option<Fault>) {
        self.hubs.iter().for_each(|hub| hub.domain.plant(fault));
    }
}

/// A case that runs.
struct Run<'a> {
    twins: &'a Twins,
    asker: &'a Asker,
    worlds: [World; 2],
    /// The ids under which the caller knows the children; where it knows none, the ids that agencies use.
    ids: Vec<String>,
    token: String,
    versions: BTreeMap<(u8, Section), String>,
    last_page: Option<String>,
    /// The children in which the worlds differ.
    differing: Vec<bool>,
    requests: u64,
    tally: Tally,
}

/// What was asked and answered, where the answers are two.
type Told = String;

async fn run(twins: &Twins, asker: &'static str, case: &Case) -> Result<Tally, Told> {
    let persona = persona(asker);
    let asks = || case.steps.iter().map(|step| &step.asks);
    let asker = Asker {
        persona: persona.code,
        role: persona.role,
        purposes: case.purposes.clone(),
        changes_level: asks().any(Asks::changes_level),
        changes_stay: asks().any(Asks::changes_stay),
    };
    let agencies = &twins.agencies;
    let make = |(index, seed)| Some(world::record(index, seed, persona.code, agencies));
    let first: World = case.seeds.iter().enumerate().map(make).collect();
    let mut second = first.clone();
    let made = |difference: &&Difference| world::differ(&mut second, &case.seeds, &asker, difference, agencies);
    let differences: Vec<&Difference> = case.differences.iter().filter(made).collect();
    let differing = first.iter().zip(&second).map(|(a, b)| a != b).collect();
    let worlds = [first, second];
    for (hub, world) in twins.hubs.iter().zip(&worlds) {
        hub.set_time(START);
        plant::plant(hub, world, agencies).await;
    }
    let raw = worlds[0].iter().flatten().map(|record| child_id(record.id)).collect();
    let tally = Tally { cases: 1, differences: differences.len() as u64, ..Tally::default() };
    let token = twins.hubs[0].token(persona.code);
    let versions = BTreeMap::new();
    let mut run = Run {
        twins,
        asker: &asker,
        worlds,
        ids: raw,
        token,
        versions,
        last_page: None,
        differing,
        requests: 0,
        tally,
    };
    let result = run.all(case).await;
    let tally = run.tally;
    result.map(|()| tally).map_err(|told| {
        let mut text = format!("{} ({}), {:?}\n", persona.code, persona.role, case.purposes);
        for (index, seed) in case.seeds.iter().enumerate() {
            let known = Eyes::of(&asker, seed, agencies).known;
            _ = writeln!(text, "child {index}: {seed:?}{}", if known { "" } else { ", not known to the caller" });
        }
        for difference in differences {
            _ = writeln!(text, "differs: {}", describe(difference, case.seeds.len()));
        }
        format!("{text}{told}")
    })
}

fn describe(difference: &Difference, children: usize) -> String {
    use samverka_domain::catalogue::FieldId;
    let what = match difference.what {
        world::What::Cell(index) => format!("{:?}", FieldId::all().nth(usize::from(index)).expect("a field")),
        world::What::EarlierCell(index) => {
            format!("earlier {:?}", FieldId::all().nth(usize::from(index)).expect("a field"))
        }
        other => format!("{other:?}"),
    };
    format!("child {}, {what}", difference.child % children)
}

impl Run<'_> {
    async fn all(&mut self, case: &Case) -> Result<(), Told> {
        self.learn_ids(case).await?;
        for (index, step) in case.steps.iter().enumerate() {
            self.twins.hubs.iter().for_each(|hub| hub.set_time(START + HOUR * (index as i64 + 1)));
            self.step(step).await.map_err(|told| format!("request {index}: {told}"))?;
        }
        Ok(())
    }

    /// A partner knows children under ids of its own: they come in the order of the ids that agencies use.
    async fn learn_ids(&mut self, case: &Case) -> Result<(), Told> {
        let query = json!({ "query": "{ children(first: 100) { nodes { id } } }" });
        let answer = self.ask(0, query).await?;
        let mut known: Vec<(Uuid, usize)> = Vec::new();
        for (index, seed) in case.seeds.iter().enumerate() {
            let eyes = Eyes::of(self.asker, seed, &self.twins.agencies);
            let now = Asker { purposes: vec![self.asker.purposes[0]], ..self.asker.clone() };
            assert_eq!(eyes.known, Eyes::of(&now, seed, &self.twins.agencies).known, "knowing rests on no purpose");
            known.extend(self.worlds[0][index].as_ref().filter(|_| eyes.known).map(|record| (record.id, index)));
        }
        known.sort();
        let nodes = answer.json["data"]["children"]["nodes"].as_array().cloned().unwrap_or_default();
        assert_eq!(nodes.len(), known.len(), "the caller knows as many children as it should: {}", answer.text);
        for ((_, index), node) in known.into_iter().zip(nodes) {
            node["id"].as_str().expect("an id").clone_into(&mut self.ids[index]);
        }
        Ok(())
    }

    fn id(&self, who: u8) -> String {
        let who = usize::from(who);
        match who.checked_sub(MOST) {
            None => self.ids[who % self.ids.len()].clone(),
            Some(0) => child_id(Uuid::from_u128(7)),
            Some(1) => "child_".to_owned(),
            Some(2) => "agency_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
            Some(_) => self.ids[0].to_uppercase(),
        }
    }

    fn touches(&mut self, who: u8) {
        let who = usize::from(who);
        if who < MOST && self.differing[who % self.ids.len()] {
            self.tally.touched += 1;
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Told> {
        let purpose = step.purpose;
        let body = self.body(step).await?;
        let is_change = body["query"].as_str().is_some_and(|query| query.starts_with("mutation"));
        let answer = self.ask(purpose, body).await?;
        if is_change && answer.json["errors"].is_null() {
            self.tally.changed += 1;
        }
        let end = &answer.json["data"]["children"]["pageInfo"]["endCursor"];
        if let Some(cursor) = end.as_str() {
            self.last_page = Some(cursor.to_owned());
        }
        Ok(())
    }

    async fn body(&mut self, step: &Step) -> Result<Json, Told> {
        let purpose = step.purpose;
        Ok(match &step.asks {
            Asks::Child { who, picks } => {
                self.touches(*who);
                let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", steps::selection(picks));
                json!({ "query": query, "variables": { "id": self.id(*who) } })
            }
            Asks::ByNumber { kind, number, picks } => {
                let value = steps::number_at(*kind, *number);
                self.touch_holders(steps::kind_at(*kind), &value);
                let query = format!(
                    "query($kind: IdentifierKind!, $value: String!) {{ childByIdentifier(kind: $kind, value: $value) {{ {} }} }}",
                    steps::selection(picks)
                );
                json!({ "query": query, "variables": { "kind": steps::kind_at(*kind).code(), "value": value } })
            }
            Asks::Children { first, after, picks } => {
                if self.differing.contains(&true) {
                    self.tally.touched += 1;
                }
                let after = match after {
                    After::Start => None,
                    After::LastPage => self.last_page.clone(),
                    After::Nonsense => Some("nonsense".to_owned()),
                };
                let query = format!(
                    "query($first: Int, $after: String) {{ children(first: $first, after: $after) {{
                        edges {{ cursor node {{ {} }} }}
                        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}",
                    steps::selection(picks)
                );
                json!({ "query": query, "variables": { "first": first, "after": after } })
            }
            Asks::Log { who, first } => {
                self.touches(*who);
                // Neither the ids of requests nor the chain, which are random; nor cursors, which hold them.
                let query = "query($id: ID!, $first: Int) { accessLog(childId: $id, first: $first) {
                    edges { node { at agencyId role client purpose operation relation shown withheld changed rules policy } }
                    pageInfo { hasNextPage hasPreviousPage } } }";
                json!({ "query": query, "variables": { "id": self.id(*who), "first": first } })
            }
            Asks::Plain(which) => {
                let queries = [
                    "{ me { role purposes agency { code } } }",
                    "{ agencies { id code kind } }",
                    "{ fieldRules { field rules { id verbs } } }",
                    "{ children { totalCount } child { id } }",
                ];
                json!({ "query": queries[usize::from(*which)] })
            }
            Asks::Update { who, section, version, set, clear } => {
                self.touches(*who);
                let section = section_at(*section);
                let name = section.type_name();
                let version = self.version(purpose, *who, section, *version).await?;
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $set: {name}Patch, $clear: [{name}Field!]) {{
                        update{name}(childId: $id, expectedVersion: $v, set: $set, clear: $clear) {{ child {{ {} }} }} }}",
                    whole(section)
                );
                json!({ "query": mutation, "variables": {
                    "id": self.id(*who), "v": version, "set": steps::set(section, set, self.asker.role, &self.twins.agencies),
                    "clear": steps::clear(section, clear, self.asker.role),
                } })
            }
            Asks::Start { who, version, from, set } => {
                self.touches(*who);
                let version = self.version(purpose, *who, Section::Placement, *version).await?;
                let mut set = steps::set(Section::Placement, set, self.asker.role, &self.twins.agencies);
                set["from"] = json!(steps::day(*from));
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $set: PlacementPatch!) {{
                        startPlacement(childId: $id, expectedVersion: $v, set: $set) {{ child {{ {} }} }} }}",
                    whole(Section::Placement)
                );
                json!({ "query": mutation, "variables": { "id": self.id(*who), "v": version, "set": set } })
            }
            Asks::End { who, version, to } => {
                self.touches(*who);
                let version = self.version(purpose, *who, Section::Placement, *version).await?;
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $to: Date!) {{
                        endPlacement(childId: $id, expectedVersion: $v, to: $to) {{ child {{ {} }} }} }}",
                    whole(Section::Placement)
                );
                json!({ "query": mutation, "variables": { "id": self.id(*who), "v": version, "to": steps::day(*to) } })
            }
            Asks::AddNumber { who, kind, number, to } => {
                self.touches(*who);
                let mutation = format!(
                    "mutation($id: ID!, $new: IdentifierInput!) {{
                        addIdentifier(childId: $id, identifier: $new) {{ child {{ {} }} }} }}",
                    whole(Section::Identifiers)
                );
                let new = json!({
                    "kind": steps::kind_at(*kind).code(), "value": steps::number_at(*kind, *number),
                    "validTo": to.map(steps::day),
                });
                json!({ "query": mutation, "variables": { "id": self.id(*who), "new": new } })
            }
            Asks::EndNumber { who, entry, to } => {
                self.touches(*who);
                let mutation = format!(
                    "mutation($id: ID!, $entry: ID!, $to: Date!) {{
                        endIdentifier(childId: $id, identifierId: $entry, to: $to) {{ child {{ {} }} }} }}",
                    whole(Section::Identifiers)
                );
                let entry = self.entry(*who, *entry);
                json!({ "query": mutation, "variables": { "id": self.id(*who), "entry": entry, "to": steps::day(*to) } })
            }
            Asks::Register { board, kind, number, set } => {
                let mutation = format!(
                    "mutation($new: RegisterChildInput!) {{ registerChild(input: $new) {{ child {{ {} {} }} }} }}",
                    whole(Section::Identity),
                    whole(Section::Identifiers)
                );
                let board = board.then(|| self.twins.agencies["malmo-soc"].clone());
                let new = json!({
                    "responsibleAgencyId": board,
                    "identity": steps::set(Section::Identity, set, self.asker.role, &self.twins.agencies),
                    "identifiers": [{ "kind": steps::kind_at(*kind).code(), "value": steps::number_at(*kind, *number) }],
                });
                json!({ "query": mutation, "variables": { "new": new } })
            }
        })
    }

    fn touch_holders(&mut self, kind: IdentifierKind, value: &str) {
        let held = world::numbers([&self.worlds[0], &self.worlds[1]]);
        if held.iter().any(|(of, number, _)| *of == kind && number == value) && self.differing.contains(&true) {
            self.tally.touched += 1;
        }
    }

    /// A number's id: one that a child has in one of the worlds, or none.
    fn entry(&self, who: u8, entry: u8) -> String {
        let who = usize::from(who) % self.ids.len();
        let mut ids: Vec<Uuid> =
            self.worlds.iter().flat_map(|world| &world[who]).flat_map(|r| r.numbers.iter().map(|n| n.id)).collect();
        ids.push(Uuid::from_u128(7));
        ids.sort();
        ids.dedup();
        let id = ids[usize::from(entry) % ids.len()];
        format!("identifier_{}", data_encoding::BASE32_DNSSEC.encode(id.as_bytes()))
    }

    async fn version(&mut self, purpose: u8, who: u8, section: Section, version: Version) -> Result<String, Told> {
        let remembered = self.versions.get(&(who, section)).cloned();
        match (version, remembered) {
            (Version::Remembered, Some(remembered)) => return Ok(remembered),
            (Version::Nonsense, _) => return Ok("nonsense".to_owned()),
            _ => {}
        }
        let query = format!("query($id: ID!) {{ child(id: $id) {{ s: {} {{ version }} }} }}", section.name());
        let answer = self.ask(purpose, json!({ "query": query, "variables": { "id": self.id(who) } })).await?;
        let version = answer.json["data"]["child"]["s"]["version"].as_str().unwrap_or("none").to_owned();
        self.versions.insert((who, section), version.clone());
        Ok(version)
    }

    /// Asks both hubs, and fails if they answer differently.
    async fn ask(&mut self, purpose: u8, body: Json) -> Result<Answer, Told> {
        let purpose = self.asker.purposes[usize::from(purpose) % self.asker.purposes.len()];
        self.requests += 1;
        let request = || {
            Request::post("/graphql")
                .header("authorization", format!("Bearer {}", self.token))
                .header("content-type", "application/json")
                .header("samverka-purpose", purpose.code())
                .body(Body::from(body.to_string()))
                .expect("a request")
        };
        let [first, second] = &self.twins.hubs;
        for hub in [first, second] {
            hub.domain.load_dice(self.requests * 1_000);
        }
        let (a, b) = tokio::join!(first.send(request()), second.send(request()));
        self.tally.requests += 1;
        if a.json["errors"].is_null() {
            self.tally.answered += 1;
        }
        let heads = (a.status, told(&a.headers)) == (b.status, told(&b.headers));
        if heads && a.text == b.text {
            return Ok(a);
        }
        Err(format!(
            "{} for {purpose}, with {}\none answers: {} {:?}\n{}\nthe other:   {} {:?}\n{}",
            body["query"].as_str().unwrap_or_default(),
            body["variables"],
            a.status,
            told(&a.headers),
            a.text,
            b.status,
            told(&b.headers),
            b.text
        ))
    }
}

/// Everything of a section.
fn whole(section: Section) -> String {
    let fields: Vec<String> = section.fields().map(crate::harness::selection).collect();
    format!(
        "{} {{ {} version updatedAt updatedBy {{ code }} revisions {{ at by {{ code }} changes {{ field value }} }} }}",
        section.name(),
        fields.join(" ")
    )
}

/// The headers of an answer, without the request's id and the hash of its row in the log: both are made from dice that
/// are not loaded.
fn told(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, _)| *name != "x-request-id" && *name != "date")
        .map(|(name, value)| {
            let value = value.to_str().expect("text");
            let place = value.split('/').nth(1).filter(|_| name == "audit-receipt");
            (name.to_string(), place.unwrap_or(value).to_owned())
        })
        .collect();
    told.sort();
    told
}

fn number_of(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn runner(cases: u32, shrink: u32, salt: u64) -> TestRunner {
    let config = Config {
        cases,
        max_shrink_iters: shrink,
        failure_persistence: None,
        ..Config::default()
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number_of("INTERFERENCE_SEED", 1).to_le_bytes());
    seed[8..16].copy_from_slice(&salt.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Tries so many cases of one caller: what they came to, or the smallest that fails.
fn tried(twins: &Twins, asker: &'static str, cases: u32, shrink: u32) -> Result<Tally, Told> {
    let salt = PERSONAS.iter().position(|persona| persona.code == asker).unwrap_or_default() as u64;
    let tally = RefCell::new(Tally::default());
    let handle = tokio::runtime::Handle::current();
    let result = runner(cases, shrink, salt).run(&case(asker), |case| {
        let ran = handle.block_on(run(twins, asker, &case));
        ran.map(|ran| tally.borrow_mut().add(ran)).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => Ok(tally.into_inner()),
        Err(TestError::Fail(told, _)) => Err(told.message().to_owned()),
        Err(TestError::Abort(told)) => Err(told.message().to_owned()),
    }
}

fn on(kind: Kind, test: impl FnOnce(&Twins)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let Some(twins) = runtime.block_on(Twins::start(kind)) else { return };
    let _inside = runtime.enter();
    test(&twins);
}

fn nothing_withheld_shows(twins: &Twins) {
    let cases = number_of("INTERFERENCE_CASES", 24) as u32;
    for asker in PERSONAS {
        let tally = tried(twins, asker.code, cases, 400).unwrap_or_else(|told| panic!("what is withheld shows\n{told}"));
        eprintln!("{:?} {}: {tally:?}", twins.hubs[0].database.kind, asker.code);
    }
}

/// The faults, each with the callers that would be the first to profit from it.
const FAULTS: [(Fault, [&str; 2]); 5] = [
    (Fault::VersionOverHidden, ["skola", "polisen"]),
    (Fault::UpdatedOverHidden, ["hvb-malmo", "migrationsverket"]),
    (Fault::HiddenNumberFinds, ["malmo-soc", "socialjour"]),
    (Fault::UnknownTakesPlace, ["radda-barnen", "stadsmissionen"]),
    (Fault::RefusalTellsHidden, ["region-skane", "malmo-overformyndare"]),
];

/// What the tests above would not find, they could not promise.
fn each_planted_leak_is_found(twins: &Twins) {
    for (fault, askers) in FAULTS {
        twins.plant(Some(fault));
        let found = askers.iter().find_map(|asker| tried(twins, asker, 100, 0).err());
        let told = found.unwrap_or_else(|| panic!("{fault:?} is not found"));
        eprintln!("{fault:?}:\n{told}\n");
    }
}

#[test]
fn each_planted_leak_is_found_on_sqlite() {
    on(Kind::Sqlite, each_planted_leak_is_found);
}

#[test]
fn each_planted_leak_is_found_on_postgres() {
    on(Kind::Postgres, each_planted_leak_is_found);
}

#[test]
fn nothing_withheld_shows_on_sqlite() {
    on(Kind::Sqlite, nothing_withheld_shows);
}

#[test]
fn nothing_withheld_shows_on_postgres() {
    on(Kind::Postgres, nothing_withheld_shows);
}
