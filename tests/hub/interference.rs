//! Non-interference: nothing that is withheld can be inferred.
//!
//! Two hubs hold two worlds that differ only in what the caller may not read. Whatever the caller asks and writes, in
//! whatever order, the two give the same answers, byte for byte. So no filter, page, cursor, version, time, error or
//! count can depend on what is withheld. How long an answer takes is not compared.
//!
//! `INTERFERENCE_CASES` is how many cases each caller gets (16 where it is not set), `INTERFERENCE_SEED` where their dice
//! begin, `INTERFERENCE_CALLER` the only one to ask. A failure prints the smallest case that was found: who asked, the
//! children, where the worlds differ, the request, and the two answers.

mod plant;
mod steps;
mod world;

use crate::harness::{ADMIN_AGENCY, Answer, HOUR, Hub, Kind, START, child_id};
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use samverka_domain::catalogue::Section;
use samverka_domain::handover::{Kind as HandoverKind, Step as Taking};
use samverka_domain::hub::Database;
use samverka_domain::leak::Leak;
use samverka_domain::policy::{Engine, Operation, Purpose, Role};
use samverka_domain::world::PERSONAS;
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use steps::{After, Asks, NO_PURPOSE, Pick, Step, Version, section_at};
use uuid::Uuid;
use world::{Agencies, Asker, Difference, Eyes, MOST, Seed, World};

/// A caller: agency, role, and the purpose that comes naturally to it.
type Caller = (&'static str, Role, Purpose);

/// A caller of every role: the sandbox's, and an administrator, which it has none of.
fn callers() -> impl Iterator<Item = Caller> {
    let admin = (ADMIN_AGENCY, Role::SystemAdmin, Purpose::Audit);
    PERSONAS.iter().map(|persona| (persona.code, persona.role, persona.purpose)).chain([admin])
}

/// The caller that is a persona of the sandbox.
fn caller(code: &str) -> Caller {
    callers().find(|caller| caller.0 == code).expect("a caller")
}

/// One case: who asks and why, the children, where the worlds may differ, and the requests.
#[derive(Clone, Debug)]
struct Case {
    purposes: Vec<Purpose>,
    seeds: Vec<Seed>,
    differences: Vec<Difference>,
    steps: Vec<Step>,
}

fn case((_, role, natural): Caller) -> impl Strategy<Value = Case> {
    let declared = Purpose::ALL.iter().copied().filter(|purpose| Engine::embedded().may_declare(role, *purpose));
    let any = proptest::sample::select(declared.chain([natural]).collect::<Vec<_>>());
    let purposes = proptest::collection::vec(prop_oneof![3 => Just(natural), 1 => any], 1..=2);
    let seeds = proptest::collection::vec(world::seed(role), 1..=MOST);
    let differences = proptest::collection::vec(world::difference(), 0..150);
    let steps = proptest::collection::vec(steps::step(role), 1..=9);
    (purposes, seeds, differences, steps).prop_map(|(purposes, seeds, differences, steps)| Case {
        purposes,
        seeds,
        differences,
        steps,
    })
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
    /// Requests about a section in which the worlds differ, of one child or of some in a list.
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
    /// Each hub's database, to make its lists by.
    databases: [Database; 2],
    admin: String,
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
        let admin = hubs[0].admin_token().await;
        let database = async |hub: &Hub| Database::connect(&hub.database.url).await.expect("connects");
        let databases = [database(&hubs[0]).await, database(&hubs[1]).await];
        Some(Twins { hubs, databases, admin, agencies })
    }

    /// A token that both hubs take: they have the same keys.
    fn token(&self, code: &str, role: Role) -> String {
        if role == Role::SystemAdmin { self.admin.clone() } else { self.hubs[0].token(code) }
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
    /// The number of the case.
    number: u64,
    /// The children of which the caller may write something.
    written: Vec<u8>,
    versions: BTreeMap<(u8, Section), String>,
    last_page: Option<String>,
    /// The handover that was proposed last.
    handover: Option<String>,
    /// The consent that was given last, the block, and the emergency access.
    kept: [Option<String>; 3],
    /// By child, the sections in which the worlds differ.
    differing: Vec<BTreeSet<Section>>,
    requests: u64,
    tally: Tally,
}

/// What was asked and answered, where the answers are two.
type Told = String;

async fn run(twins: &Twins, (code, role, _): Caller, case: &Case) -> Result<Tally, Told> {
    let asks = || case.steps.iter().map(|step| &step.asks);
    let every_log = |purpose: &Purpose| Engine::embedded().may(Operation::ReadEveryLog, role, *purpose);
    let may_read_every_log = case.purposes.iter().any(every_log);
    let asker = Asker {
        persona: code,
        role,
        purposes: case.purposes.clone(),
        changes_level: asks().any(|asks| asks.changes_level(role)),
        changes_stay: asks().any(|asks| asks.changes_stay(role)),
        changes_missing: asks().any(Asks::changes_missing),
        breaks_glass: asks().any(Asks::breaks_glass)
            && case.purposes.iter().any(|purpose| Engine::embedded().may(Operation::BreakGlass, role, *purpose)),
        reads_every_log: asks().any(|asks| matches!(asks, Asks::Log { .. })) && may_read_every_log,
    };
    let agencies = &twins.agencies;
    static CASES: AtomicU64 = AtomicU64::new(0);
    let number = CASES.fetch_add(1, Ordering::SeqCst);
    let make = |(index, seed)| Some(world::record(index, seed, code, number, agencies));
    let first: World = case.seeds.iter().enumerate().map(make).collect();
    let mut second = first.clone();
    let made = |difference: &&Difference| world::differ(&mut second, &case.seeds, &asker, difference, agencies);
    let differences: Vec<&Difference> = case.differences.iter().filter(made).collect();
    let differing = first.iter().zip(&second).map(|(a, b)| world::differing(a.as_ref(), b.as_ref())).collect();
    let worlds = [first, second];
    for ((hub, database), world) in twins.hubs.iter().zip(&twins.databases).zip(&worlds) {
        hub.set_time(START);
        plant::plant(hub, world, agencies).await;
        database.rebuild_roster(&hub.domain.clock()).await.expect("the lists are made");
    }
    let raw = worlds[0].iter().flatten().map(|record| child_id(record.id)).collect();
    let tally = Tally { cases: 1, differences: differences.len() as u64, ..Tally::default() };
    let token = twins.token(code, role);
    let versions = BTreeMap::new();
    let writes = |(_, seed): &(u8, &Seed)| seed.tie.writes();
    let written = (0..).zip(&case.seeds).filter(writes).map(|(index, _)| index).collect();
    let mut run = Run {
        twins,
        asker: &asker,
        worlds,
        ids: raw,
        token,
        number,
        written,
        versions,
        last_page: None,
        handover: None,
        kept: [None, None, None],
        differing,
        requests: 0,
        tally,
    };
    let result = run.all(case).await;
    let tally = run.tally;
    result.map(|()| tally).map_err(|told| {
        let mut text = format!("{code} ({role}), {:?}\n", case.purposes);
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
            // Before anything is opened in an emergency.
            let before = Asker { breaks_glass: false, ..self.asker.clone() };
            let eyes = Eyes::of(&before, seed, &self.twins.agencies);
            let now = Asker { purposes: vec![before.purposes[0]], ..before };
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

    /// A child to change: most often one that the caller may write.
    fn aim(&self, who: u8) -> u8 {
        let place = usize::from(who);
        let aimed = self.written.get(place % self.written.len().max(1)).filter(|_| place < MOST && place % 4 < 3);
        aimed.copied().unwrap_or(who)
    }

    fn touches(&mut self, who: u8, sections: &[Section]) {
        let who = usize::from(who);
        if who < MOST && sections.iter().any(|section| self.differing[who % self.ids.len()].contains(section)) {
            self.tally.touched += 1;
        }
    }

    fn touches_some(&mut self, sections: &[Section]) {
        if self.differing.iter().any(|differing| sections.iter().any(|section| differing.contains(section))) {
            self.tally.touched += 1;
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Told> {
        let purpose = step.purpose;
        let before = self.tally.touched;
        let mut body = self.body(step).await?;
        let touches = self.tally.touched > before;
        let is_change = body["query"].as_str().is_some_and(|query| query.starts_with("mutation"));
        let pages = match &step.asks {
            Asks::Children { list, .. } => list.pages,
            Asks::Suggestions { pages, .. } | Asks::Inbox { pages, .. } => *pages,
            // The second look would show the first.
            Asks::Log { .. } => 2,
            _ if step.key.is_some() && is_change => 2,
            _ => 1,
        };
        for page in 0..pages {
            self.tally.touched += u64::from(touches && page > 0);
            let key = step.key.filter(|_| is_change).map(|key| format!("{}-{key}", self.number));
            let answer = self.ask_under(key.as_deref(), purpose, body.clone()).await?;
            if is_change && answer.json["errors"].is_null() {
                self.tally.changed += 1;
            }
            if let Some(id) = answer.json["data"]["proposeHandover"]["handover"]["id"].as_str() {
                self.handover = Some(id.to_owned());
            }
            let made = ["/grantConsent/consent/id", "/blockParty/block/id", "/breakGlass/id"];
            for (kept, path) in self.kept.iter_mut().zip(made) {
                if let Some(id) = answer.json["data"].pointer(path).and_then(Json::as_str) {
                    *kept = Some(id.to_owned());
                }
            }
            let list = match &step.asks {
                Asks::Children { .. } => "children",
                Asks::Suggestions { .. } => "suggestions",
                Asks::Inbox { .. } => "submissions",
                _ => continue,
            };
            let info = &answer.json["data"][list]["pageInfo"];
            let Some(cursor) = info["endCursor"].as_str() else { break };
            body["variables"]["after"] = json!(cursor);
            self.last_page = Some(cursor.to_owned());
        }
        Ok(())
    }

    async fn body(&mut self, step: &Step) -> Result<Json, Told> {
        let purpose = step.purpose;
        Ok(match &step.asks {
            Asks::Child { who, picks } => {
                self.touches(*who, &sections(picks));
                let query = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", steps::selection(picks));
                json!({ "query": query, "variables": { "id": self.id(*who) } })
            }
            Asks::ByNumber { kind, number, picks } => {
                let value = steps::number_at(*kind, *number);
                self.touches_some(&[Section::Identifiers]);
                let query = format!(
                    "query($kind: IdentifierKind!, $value: String!) {{ childByIdentifier(kind: $kind, value: $value) {{ {} }} }}",
                    steps::selection(picks)
                );
                json!({ "query": query, "variables": { "kind": steps::kind_at(*kind).code(), "value": value } })
            }
            Asks::Children { list, picks } => {
                self.touches_some(&[sections(picks), list.sections()].concat());
                let after = match list.after {
                    After::Start => None,
                    After::LastPage => self.last_page.clone(),
                    After::Nonsense => Some("nonsense".to_owned()),
                };
                let query = format!(
                    "query($filter: ChildFilter, $orderBy: ChildOrder, $first: Int, $after: String) {{
                        children(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
                        edges {{ cursor node {{ {} }} }}
                        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}",
                    steps::selection(picks)
                );
                json!({ "query": query, "variables": {
                    "filter": list.sift.as_ref().map(|sift| sift.to_json(&self.twins.agencies)),
                    "orderBy": list.order_to_json(), "first": list.first, "after": after,
                } })
            }
            Asks::Log { who, first } => {
                // Most of all the log of a child that is there in one world only.
                let alone = self.worlds[1].iter().position(Option::is_none).filter(|_| first % 2 == 0);
                let who = alone.map_or(*who, |alone| alone as u8);
                self.touches(who, &Section::ALL);
                // Neither the ids of requests nor the chain, which are random; nor cursors, which hold them.
                let query = "query($id: ID!, $first: Int) { accessLog(childId: $id, first: $first) {
                    edges { node { at agencyId role client purpose operation relation shown withheld changed rules policy } }
                    pageInfo { hasNextPage hasPreviousPage } } }";
                json!({ "query": query, "variables": { "id": self.id(who), "first": first } })
            }
            Asks::Changes { first } => {
                self.touches_some(&Section::ALL);
                // Neither cursors, which are another text each time, nor ids, which are made from what is counted.
                let query = "query($first: Int) { changes(first: $first) { nodes {
                    kind at childId sections { section version } handoverId episodeId itemId } hasMore } }";
                json!({ "query": query, "variables": { "first": first } })
            }
            Asks::Overdue { first } => {
                let query = "query($first: Int) { overdueHandovers(first: $first) { nodes {
                    id kind from { code } to { code } expectedAt overdueSince } pageInfo { hasNextPage } } }";
                json!({ "query": query, "variables": { "first": first } })
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
                let who = &self.aim(*who);
                let section = section_at(*section);
                self.touches(*who, &[section]);
                let name = section.type_name();
                let version = self.version(purpose, *who, section, *version).await?;
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $set: {name}Patch, $clear: [{name}Field!]) {{
                        update{name}(childId: $id, expectedVersion: $v, set: $set, clear: $clear) {{ child {{ {} }} }} }}",
                    whole(section)
                );
                json!({ "query": mutation, "variables": {
                    "id": self.id(*who), "v": version, "set": steps::set(section, set, Some(self.asker.role), &self.twins.agencies),
                    "clear": steps::clear(section, clear, self.asker.role),
                } })
            }
            Asks::Start { who, version, from, set } => {
                let who = &self.aim(*who);
                self.touches(*who, &[Section::Placement]);
                let version = self.version(purpose, *who, Section::Placement, *version).await?;
                let mut set = steps::set(Section::Placement, set, Some(self.asker.role), &self.twins.agencies);
                set["from"] = json!(steps::day(*from));
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $set: PlacementPatch!) {{
                        startPlacement(childId: $id, expectedVersion: $v, set: $set) {{ child {{ {} }} }} }}",
                    whole(Section::Placement)
                );
                json!({ "query": mutation, "variables": { "id": self.id(*who), "v": version, "set": set } })
            }
            Asks::End { who, version, to } => {
                let who = &self.aim(*who);
                self.touches(*who, &[Section::Placement]);
                let version = self.version(purpose, *who, Section::Placement, *version).await?;
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $to: Date!) {{
                        endPlacement(childId: $id, expectedVersion: $v, to: $to) {{ child {{ {} }} }} }}",
                    whole(Section::Placement)
                );
                json!({ "query": mutation, "variables": { "id": self.id(*who), "v": version, "to": steps::day(*to) } })
            }
            Asks::AddNumber { who, kind, number, to } => {
                let who = &self.aim(*who);
                self.touches(*who, &[Section::Identifiers]);
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
                self.touches(*who, &[Section::Identifiers]);
                let mutation = format!(
                    "mutation($id: ID!, $entry: ID!, $to: Date!) {{
                        endIdentifier(childId: $id, identifierId: $entry, to: $to) {{ child {{ {} }} }} }}",
                    whole(Section::Identifiers)
                );
                let entry = self.entry(*who, *entry);
                json!({ "query": mutation, "variables": { "id": self.id(*who), "entry": entry, "to": steps::day(*to) } })
            }
            Asks::Suggest { who, section, set, clear, comment } => {
                let section = section_at(*section);
                self.touches(*who, &[section]);
                let mutation = format!(
                    "mutation($id: ID!, $new: CorrectionInput!, $comment: String) {{
                        suggestCorrection(childId: $id, correction: $new, comment: $comment) {{ {SUGGESTION} }} }}"
                );
                let set = steps::set(section, set, None, &self.twins.agencies);
                let new = json!({ section.name(): { "set": set, "clear": clear } });
                let comment = comment.then_some("Barnet säger det själv");
                json!({ "query": mutation, "variables": { "id": self.id(*who), "new": new, "comment": comment } })
            }
            Asks::Suggestions { who, state, first, .. } => {
                self.touches(*who, &Section::ALL);
                let query = format!(
                    "query($id: ID!, $state: SuggestionState, $first: Int, $after: String) {{
                        suggestions(childId: $id, state: $state, first: $first, after: $after) {{
                        edges {{ cursor node {{ {SUGGESTED} }} }}
                        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
                );
                let states = ["OPEN", "ACCEPTED", "PARTLY_ACCEPTED", "DECLINED"];
                let state = state.map(|state| states[usize::from(state)]);
                json!({ "query": query, "variables": { "id": self.id(*who), "state": state, "first": first } })
            }
            Asks::Decide { who, which, accept, version } => {
                let who = &self.aim(*who);
                let (id, section) = self.suggestion(*who, *which);
                self.touches(*who, &[section]);
                if *accept {
                    let version = self.version(purpose, *who, section, *version).await?;
                    let mutation = format!(
                        "mutation($id: ID!, $v: String!) {{
                            acceptSuggestion(suggestionId: $id, expectedVersion: $v) {{ {SUGGESTION} child {{ {} }} }} }}",
                        whole(section)
                    );
                    json!({ "query": mutation, "variables": { "id": id, "v": version } })
                } else {
                    let mutation = format!(
                        "mutation($id: ID!) {{ declineSuggestion(suggestionId: $id, reason: \"Nej\") {{ {SUGGESTION} }} }}"
                    );
                    json!({ "query": mutation, "variables": { "id": id } })
                }
            }
            Asks::Involve { who, agency, ends } => {
                let who = &self.aim(*who);
                // Whom it is done for knows the child from then on, and may be the one that asks.
                self.touches(*who, &[Section::Protection]);
                let agency = ["skola", "region-skane", "landskrona-soc", "radda-barnen"][usize::from(*agency)];
                let what = if *ends { "endInvolvement" } else { "involveAgency" };
                let document = format!(
                    "mutation($id: ID!, $agency: ID!) {{ {what}(childId: $id, agencyId: $agency) {{ child {{ id }} }} }}"
                );
                json!({ "query": document, "variables": { "id": self.id(*who), "agency": self.twins.agencies[agency] } })
            }
            Asks::Hand { who, kind, to, ready } => {
                let who = &self.aim(*who);
                self.touches(*who, &[Section::Protection]);
                let kind = HandoverKind::ALL[usize::from(*kind) % HandoverKind::ALL.len()].code();
                let to = ["landskrona-soc", "malmo-soc", "hvb-landskrona", "migrationsverket"][usize::from(*to)];
                let expected = instant(START + HOUR * 400);
                let document = if *ready {
                    let sections = "{ section visible withheld { field rule } }";
                    format!(
                        "query($id: ID!, $to: ID!) {{ handoverReadiness(childId: $id, toAgencyId: $to, kind: {kind}) {{
                        purpose onAcceptance {sections} onArrival {sections} unfinished {{ text }} }} }}"
                    )
                } else {
                    format!(
                        "mutation($id: ID!, $to: ID!) {{ proposeHandover(childId: $id, toAgencyId: $to, kind: {kind},
                        expectedAt: \"{expected}\", details: {{ contactName: \"Ada Ek\", contactPhone: \"+46701740605\",
                        decisionNumber: \"A-1\", decidedOn: \"2026-11-20\" }}) {{ {HANDOVER} child {{ {} }} }} }}",
                        whole(Section::Responsibility)
                    )
                };
                json!({ "query": document, "variables": { "id": self.id(*who), "to": self.twins.agencies[to] } })
            }
            Asks::Hands { state, first } => {
                let query = format!(
                    "query($state: HandoverState, $first: Int) {{ handovers(state: $state, first: $first) {{
                    edges {{ cursor node {{ {HANDED} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"
                );
                let state = state.map(|state| ["OFFERED", "ACCEPTED", "WITHDRAWN", "REFUSED"][usize::from(state)]);
                json!({ "query": query, "variables": { "state": state, "first": first } })
            }
            Asks::Take { step } => {
                let step = Taking::ALL[usize::from(*step)];
                let more = match step {
                    Taking::Refuse | Taking::Withdraw => ", reason: \"Nej\"".to_owned(),
                    Taking::Reschedule => format!(", expectedAt: \"{}\"", instant(START + HOUR * 500)),
                    _ => String::new(),
                };
                let mutation =
                    format!("mutation($id: ID!) {{ {}(handoverId: $id{more}) {{ {HANDOVER} }} }}", step.mutation());
                let id = self.handover.clone().unwrap_or_else(|| "handover_00000000000000000000000000".to_owned());
                json!({ "query": mutation, "variables": { "id": id } })
            }
            Asks::Answers { who, ago } => {
                self.touches(*who, &[Section::Responsibility, Section::Placement, Section::Schooling]);
                let query = "query($id: ID!, $at: DateTime) { responsibility(childId: $id, at: $at) { lead { agency { code } from }
                    responsible { agency { code } from } whereabouts { agency { code } from }
                    history { fact agency { code } unit from to } involved { agency { code } unit from to }
                    withheld { field rule } } }";
                let at = (*ago > 0).then(|| instant(START - HOUR * 24 * 40 * i64::from(*ago)));
                json!({ "query": query, "variables": { "id": self.id(*who), "at": at } })
            }
            Asks::Missing { who, what } => {
                self.touches(*who, &Section::ALL);
                json!({ "query": steps::missing(*what), "variables": { "id": self.id(*who) } })
            }
            Asks::Keep { who, what } => {
                self.touches(*who, &[Section::Consents, Section::Responsibility]);
                let mut variables = json!({ "id": self.id(*who) });
                variables["partner"] = json!(self.twins.agencies["radda-barnen"]);
                variables["party"] = json!(self.twins.agencies["hvb-landskrona"]);
                for ((name, kind), kept) in
                    [("consent", "consent"), ("block", "block"), ("access", "breakglass")].into_iter().zip(&self.kept)
                {
                    variables[name] = json!(kept.clone().unwrap_or_else(|| format!("{kind}_{}", "0".repeat(26))));
                }
                json!({ "query": steps::kept(*what), "variables": variables })
            }
            Asks::Submit { kind, number: (kind_of, number), named } => {
                self.touches_some(&[Section::Identifiers]);
                let field = ["submitConcern", "submitSighting", "submitTip"][usize::from(*kind)];
                let mutation =
                    format!("mutation($about: SubmissionInput!) {{ {field}(about: $about) {{ id kind at }} }}");
                let about = json!({
                    "identifier": { "kind": steps::kind_at(*kind_of).code(), "value": steps::number_at(*kind_of, *number) },
                    "municipality": named.then_some("1280"), "text": "Sett vid stationen.",
                });
                json!({ "query": mutation, "variables": { "about": about } })
            }
            Asks::Given => {
                json!({ "query": "{ mySubmissions { nodes { id kind at handled feedback } pageInfo { hasNextPage } } }" })
            }
            Asks::Inbox { state, first, .. } => {
                self.touches_some(&[Section::Identifiers]);
                let query = format!(
                    "query($state: SubmissionState, $first: Int, $after: String) {{
                        submissions(state: $state, first: $first, after: $after) {{ edges {{ cursor node {{ {SUBMITTED} }} }}
                        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
                );
                let state = state.map(|state| ["OPEN", "SIGHTING", "CONCERN", "DISMISSED"][usize::from(state)]);
                json!({ "query": query, "variables": { "state": state, "first": first } })
            }
            Asks::DecideSubmission { which, decision, who } => {
                let mutation = format!(
                    "mutation($id: ID!, $d: SubmissionDecision!, $child: ID) {{ decideSubmission(submissionId: $id, decision: $d,
                        childId: $child, reason: \"Nej\") {{ submission {{ {SUBMITTED} }} }} }}"
                );
                let decision = ["SIGHTING", "CONCERN", "DISMISS"][usize::from(*decision)];
                let id = self.submission(*which).await;
                let child = who.map(|who| self.id(who));
                json!({ "query": mutation, "variables": { "id": id, "d": decision, "child": child } })
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
                    "identity": steps::set(Section::Identity, set, Some(self.asker.role), &self.twins.agencies),
                    "identifiers": [{ "kind": steps::kind_at(*kind).code(), "value": steps::number_at(*kind, *number) }],
                });
                json!({ "query": mutation, "variables": { "new": new } })
            }
        })
    }

    /// The id of what was handed in: one that is there in one of the worlds, or none.
    async fn submission(&self, which: u8) -> String {
        let mut ids = BTreeSet::new();
        for hub in &self.twins.hubs {
            for row in hub.rows("SELECT id FROM submission ORDER BY id").await {
                ids.insert(row.try_get_by_index::<Uuid>(0).expect("an id"));
            }
        }
        let id = ids.iter().cycle().nth(usize::from(which)).copied().unwrap_or_default();
        child_id(id).replace("child_", "submission_")
    }

    /// A suggestion's id, and its section: one that a child has in one of the worlds, or none.
    fn suggestion(&self, who: u8, which: u8) -> (String, Section) {
        let who = usize::from(who) % self.ids.len();
        let made = self.worlds.iter().flat_map(|world| &world[who]).flat_map(|record| &record.suggestions);
        let mut ids: Vec<(Uuid, Section)> = made.map(|suggestion| (suggestion.id, suggestion.section)).collect();
        ids.push((Uuid::from_u128(7), Section::Voice));
        ids.sort();
        ids.dedup();
        let (id, section) = ids[usize::from(which) % ids.len()];
        (format!("suggestion_{}", data_encoding::BASE32_DNSSEC.encode(id.as_bytes())), section)
    }

    /// A number's id: one that a child has in one of the worlds, or none.
    fn entry(&self, who: u8, entry: u8) -> String {
        let who = usize::from(who) % self.ids.len();
        let of = |world: &World| -> BTreeSet<Uuid> {
            world[who].iter().flat_map(|record| record.numbers.iter().map(|number| number.id)).collect()
        };
        let (first, second) = (of(&self.worlds[0]), of(&self.worlds[1]));
        let differing: Vec<Uuid> = first.symmetric_difference(&second).copied().collect();
        let all: Vec<Uuid> = first.union(&second).copied().chain([Uuid::from_u128(7)]).collect();
        let ids = if entry.is_multiple_of(2) && !differing.is_empty() { &differing } else { &all };
        let id = ids[usize::from(entry / 2) % ids.len()];
        format!("identifier_{}", data_encoding::BASE32_DNSSEC.encode(id.as_bytes()))
    }

    async fn version(&mut self, purpose: u8, who: u8, section: Section, version: Version) -> Result<String, Told> {
        let remembered = self.versions.get(&(who, section)).cloned();
        match (version, remembered) {
            (Version::Remembered, Some(remembered)) => return Ok(remembered),
            (Version::Nonsense, _) => return Ok("nonsense".to_owned()),
            _ => {}
        }
        self.touches(who, &[section]);
        let query = format!("query($id: ID!) {{ child(id: $id) {{ s: {} {{ version }} }} }}", section.name());
        let answer = self.ask(purpose, json!({ "query": query, "variables": { "id": self.id(who) } })).await?;
        let version = answer.json["data"]["child"]["s"]["version"].as_str().unwrap_or("none").to_owned();
        self.versions.insert((who, section), version.clone());
        Ok(version)
    }

    async fn ask(&mut self, purpose: u8, body: Json) -> Result<Answer, Told> {
        self.ask_under(None, purpose, body).await
    }

    /// Asks both hubs, and fails if they answer differently.
    async fn ask_under(&mut self, key: Option<&str>, purpose: u8, body: Json) -> Result<Answer, Told> {
        let purpose = match purpose {
            NO_PURPOSE => None,
            purpose => Some(self.asker.purposes[usize::from(purpose) % self.asker.purposes.len()]),
        };
        self.requests += 1;
        let request = || {
            let mut request = Request::post("/graphql")
                .header("authorization", format!("Bearer {}", self.token))
                .header("content-type", "application/json");
            if let Some(purpose) = purpose {
                request = request.header("samverka-purpose", purpose.code());
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            request.body(Body::from(body.to_string())).expect("a request")
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
        let query = body["query"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let mut text = format!("{query}\nfor {purpose:?}, with {}", body["variables"]);
        let shared = a.text.bytes().zip(b.text.bytes()).take_while(|(a, b)| a == b).count();
        for (which, answer) in [("one", &a), ("other", &b)] {
            let from = (0..=shared.saturating_sub(160)).rev().find(|at| answer.text.is_char_boundary(*at)).unwrap_or(0);
            let shown: String = answer.text[from..].chars().take(400).collect();
            _ = write!(text, "\nthe {which}: {}, from byte {from}: {shown}", answer.status);
            if a.text == b.text {
                _ = write!(text, " {:?}", told(&answer.headers));
            }
        }
        Err(text)
    }
}

/// Everything of a suggestion.
const SUBMITTED: &str =
    "id kind at by { code } role childId identifier { kind value } name municipality text state reason
    feedback decidedAt";
const SUGGESTED: &str = "id section state at by { code } comment
    fields { field change value state decidedAt decidedBy { code } reason }";
const SUGGESTION: &str = "suggestion { id section state at by { code } comment
    fields { field change value state decidedAt decidedBy { code } reason } }";

const HANDED: &str =
    "id childId kind state overdue urgent next reason from { code } to { code } proposedAt expectedAt endedAt
    details { contactName decisionNumber note } receipt { section version }";
const HANDOVER: &str =
    "handover { id childId kind state overdue urgent next reason from { code } to { code } proposedAt expectedAt
    endedAt details { contactName decisionNumber note } receipt { section version } }";

fn instant(micros: i64) -> String {
    samverka_domain::clock::instant(micros).to_rfc3339()
}

fn sections(picks: &[Pick]) -> Vec<Section> {
    picks.iter().map(|pick| section_at(pick.section)).collect()
}

/// Everything of a section.
fn whole(section: Section) -> String {
    let fields: Vec<String> = section.fields().map(crate::harness::selection).collect();
    format!(
        "{} {{ {} version updatedAt updatedBy {{ code }} revisions {{ at by {{ code }} suggested suggestedBy {{ code }} changes {{ field value }} }} }}",
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
    let config = Config { cases, max_shrink_iters: shrink, failure_persistence: None, ..Config::default() };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number_of("INTERFERENCE_SEED", 1).to_le_bytes());
    seed[8..16].copy_from_slice(&salt.to_le_bytes());
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Tries so many cases of one caller: what they came to, or the smallest that fails.
fn tried(twins: &Twins, caller: Caller, cases: u32, shrink: u32) -> Result<Tally, Told> {
    let salt = callers().position(|other| other == caller).unwrap_or_default() as u64;
    let tally = RefCell::new(Tally::default());
    let handle = tokio::runtime::Handle::current();
    let result = runner(cases, shrink, salt).run(&case(caller), |case| {
        let ran = handle.block_on(run(twins, caller, &case));
        ran.map(|ran| tally.borrow_mut().add(ran)).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => Ok(tally.into_inner()),
        Err(TestError::Fail(told, _)) => Err(told.message().to_owned()),
        Err(TestError::Abort(told)) => Err(told.message().to_owned()),
    }
}

fn on(kind: Kind, test: impl FnOnce(&Twins)) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let Some(twins) = runtime.block_on(Twins::start(kind)) else { return };
    let _inside = runtime.enter();
    test(&twins);
}

fn nothing_withheld_shows(twins: &Twins) {
    let cases = number_of("INTERFERENCE_CASES", 16) as u32;
    let mut all = Tally::default();
    let only = std::env::var("INTERFERENCE_CALLER").ok();
    for caller in callers().filter(|caller| only.as_ref().is_none_or(|only| only == caller.0)) {
        let tally = tried(twins, caller, cases, 400).unwrap_or_else(|told| panic!("what is withheld shows\n{told}"));
        assert!(
            cases < 8 || tally.differences > u64::from(cases) * 5,
            "{caller:?} had next to nothing to find: {tally:?}"
        );
        all.add(tally);
    }
    println!("{:?}: {all:?}", twins.hubs[0].database.kind);
    if only.is_some() {
        return;
    }
    assert!(all.touched * 3 > all.requests, "too few requests touch what differs: {all:?}");
    assert!(all.answered * 3 > all.requests, "too few requests are answered: {all:?}");
    assert!(all.changed * 40 > all.requests, "too few changes are made: {all:?}");
}

/// The leaks, each with the callers that would be the first to profit from it.
const LEAKS: [(Leak, [&str; 2]); 6] = [
    (Leak::VersionOverHidden, ["skola", "polisen"]),
    (Leak::UpdatedOverHidden, ["hvb-malmo", "migrationsverket"]),
    (Leak::HiddenNumberFinds, ["malmo-soc", "socialjour"]),
    (Leak::HiddenMatches, ["malmo-soc", "landskrona-soc"]),
    (Leak::UnknownTakesPlace, ["radda-barnen", "stadsmissionen"]),
    (Leak::RefusalTellsHidden, ["skola", "hvb-malmo"]),
];

/// What the tests above would not find, they could not promise.
fn each_planted_leak_is_found(twins: &Twins) {
    for (leak, codes) in LEAKS {
        twins.hubs.iter().for_each(|hub| hub.domain.plant(Some(leak)));
        let found = codes.iter().find_map(|code| tried(twins, caller(code), 100, 0).err());
        assert!(found.is_some(), "{leak:?} is not found");
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
