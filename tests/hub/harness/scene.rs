//! A child with a canary in every field, put there behind the hub's back.

use super::Hub;
use samverka_domain::catalogue::{Code, FieldId, IdentifierKind, Kind, List, Section, Source, timestamp};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, Value as Bound};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// What a child's situation is.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Agencies by persona, and the kind of their open involvement (`LEAD` …). One must lead.
    pub involved: Vec<(&'static str, &'static str)>,
    /// Agencies by persona, the kind, and how long ago (microseconds) it ended.
    pub ended: Vec<(&'static str, &'static str, i64)>,
    /// Partners by persona, and the groups that a live consent opens to them.
    pub consents: Vec<(&'static str, Vec<&'static str>)>,
    /// A missing episode is open.
    pub missing: bool,
    /// The protection level.
    pub protection: &'static str,
    /// The home, by persona, that is the agency of the current placement.
    pub home: Option<&'static str>,
    /// What protocols write is there: an episode that is open if the child is missing and else long past, an earlier one, and
    /// an entry of each list that is of others.
    pub protocols: bool,
    /// The agency, by persona, that each of these lists holds an entry of, too.
    pub own: Option<&'static str>,
}

impl Default for Scene {
    /// Led by Migrationsverket; Malmö is responsible.
    fn default() -> Self {
        Scene {
            involved: vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE")],
            ended: Vec::new(),
            consents: Vec::new(),
            missing: false,
            protection: "NONE",
            home: None,
            protocols: false,
            own: None,
        }
    }
}

/// A child that is there now.
#[derive(Clone, Debug)]
pub struct TestChild {
    pub uuid: Uuid,
    /// The id that agencies use.
    pub id: String,
    pub subject: Uuid,
    /// By field: the text that the answer holds if, and only if, the field is shown.
    pub canaries: BTreeMap<FieldId, String>,
    /// The same of the entries that are the own of [`Scene::own`].
    pub own_canaries: BTreeMap<FieldId, String>,
}

static NEXT: AtomicU32 = AtomicU32::new(100_000);

fn next() -> u32 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}

impl Hub {
    /// The id of a persona's agency in the database.
    pub fn agency(&self, persona: &str) -> Uuid {
        let id = self.domain.agency_by_code(persona).expect("an agency of the sandbox").id.to_string();
        uuid_of(&id)
    }

    /// Runs SQL from outside.
    pub async fn sql(&self, sql: &str) {
        self.outside.execute_unprepared(sql).await.expect("runs");
    }

    /// An id as it is written in SQL.
    pub fn literal(&self, id: Uuid) -> String {
        match self.database.kind {
            super::Kind::Sqlite => format!("x'{}'", id.simple()),
            super::Kind::Postgres => format!("'{id}'"),
        }
    }

    /// Puts a row into a table from outside.
    pub async fn insert(&self, table: &str, columns: Vec<(&str, Bound)>) {
        self.try_insert(table, columns).await.expect("inserts");
    }

    /// Tries to put a row into a table from outside.
    pub async fn try_insert(&self, table: &str, columns: Vec<(&str, Bound)>) -> Result<(), DbErr> {
        let mut insert = Query::insert();
        let (names, values): (Vec<_>, Vec<_>) =
            columns.into_iter().map(|(name, value)| (Alias::new(name), Expr::val(value))).unzip();
        insert.into_table(Alias::new(table)).columns(names).values_panic(values);
        self.outside.execute(&insert).await.map(|_| ())
    }

    /// Puts a child there, with a canary in every field.
    pub async fn child(&self, scene: Scene) -> TestChild {
        let child = self.unlisted_child(scene).await;
        self.relist().await;
        child
    }

    /// Puts some children there.
    pub async fn children(&self, many: usize, scene: &Scene) -> Vec<TestChild> {
        let mut children = Vec::with_capacity(many);
        for _ in 0..many {
            children.push(self.unlisted_child(scene.clone()).await);
        }
        self.relist().await;
        children
    }

    async fn unlisted_child(&self, scene: Scene) -> TestChild {
        let uuid = Uuid::from_u128(0x5a3e_0000_0000_4000_8000_0000_0000_0000 + u128::from(next()));
        let subject = Uuid::from_u128(0x50b0_0000_0000_4000_8000_0000_0000_0000 + u128::from(next()));
        self.put_ties(uuid, subject, &scene).await;
        for (persona, groups) in &scene.consents {
            self.consent(uuid, persona, groups).await;
        }
        if scene.missing && !scene.protocols {
            let columns = vec![("id", self.uuid().into()), ("child_id", uuid.into()), ("opened_at", self.now().into())];
            self.insert("missing_episode", columns).await;
        }
        let mut canaries = self.fill(uuid, &scene).await;
        let mut own_canaries = BTreeMap::new();
        if scene.protocols {
            let episode = self.put_episodes(uuid, &scene, &mut canaries).await;
            self.put_entries(uuid, episode, ["hvb-landskrona", "landskrona-soc"], &mut canaries).await;
            if let Some(own) = scene.own {
                self.put_entries(uuid, episode, [own, "landskrona-soc"], &mut own_canaries).await;
            }
        }
        TestChild { uuid, id: child_id(uuid), subject, canaries, own_canaries }
    }

    /// The child's row and its ties. Leads follow one another without a gap, and so do the responsible.
    async fn put_ties(&self, uuid: Uuid, subject: Uuid, scene: &Scene) {
        let of_kind = |kind: &str| {
            let ended = scene.ended.iter().filter(|tie| tie.1 == kind);
            let mut ended: Vec<(&str, Option<i64>)> =
                ended.map(|(persona, _, ago)| (*persona, Some(self.now() - ago))).collect();
            ended.sort_by_key(|tie| tie.1);
            let open = scene.involved.iter().filter(|tie| tie.1 == kind);
            ended.into_iter().chain(open.map(|(persona, _)| (*persona, None))).collect::<Vec<_>>()
        };
        let leads = of_kind("LEAD");
        let first = leads.iter().chain(&of_kind("RESPONSIBLE")).filter_map(|tie| tie.1).min().unwrap_or(self.now());
        let begin = Ord::min(first, self.now() - super::DAY * 364) - super::DAY;
        let columns = vec![
            ("id", uuid.into()),
            ("subject", subject.into()),
            ("lead_agency_id", self.agency(leads.first().expect("one leads").0).into()),
            ("lead_since", begin.into()),
            ("state", "ACTIVE".into()),
            ("registered_at", begin.into()),
        ];
        self.insert("child", columns).await;
        for pair in leads.windows(2) {
            self.lead(uuid, pair[1].0, pair[0].1.expect("one leads at a time")).await;
        }
        let mut from = begin;
        for (persona, closed_at) in of_kind("RESPONSIBLE") {
            self.put_tie(uuid, persona, "RESPONSIBLE", from, closed_at).await;
            from = closed_at.unwrap_or(from);
        }
        let guarded = |kind: &str| ["LEAD", "RESPONSIBLE"].contains(&kind);
        for (persona, kind) in scene.involved.iter().filter(|tie| !guarded(tie.1)) {
            self.put_tie(uuid, persona, kind, begin, None).await;
        }
        for (persona, kind, ago) in scene.ended.iter().filter(|tie| !guarded(tie.1)) {
            self.put_tie(uuid, persona, kind, begin, Some(self.now() - ago)).await;
        }
    }

    /// Moves the lead, from outside.
    pub async fn lead(&self, child: Uuid, persona: &str, since: i64) {
        let mut update = Query::update();
        update.table(Alias::new("child")).value(Alias::new("lead_agency_id"), self.agency(persona));
        update.value(Alias::new("lead_since"), since).and_where(Expr::col(Alias::new("id")).eq(child));
        self.outside.execute(&update).await.expect("the lead moves");
    }

    /// An id that no row has yet.
    pub fn uuid(&self) -> Uuid {
        Uuid::from_u128(0xface_0000_0000_4000_8000_0000_0000_0000 + u128::from(next()))
    }

    /// Brings the lists up to what was put there from outside.
    pub async fn relist(&self) {
        let database = samverka_domain::hub::Database::connect(&self.database.url).await.expect("connects");
        database.rebuild_roster(&self.domain.clock()).await.expect("the lists are made again");
        database.close().await;
    }

    /// How many children are not listed as their record says.
    pub async fn listed_wrongly(&self) -> u64 {
        let database = samverka_domain::hub::Database::connect(&self.database.url).await.expect("connects");
        let report = database.check_roster(&self.domain.clock()).await.expect("the lists are checked");
        database.close().await;
        report.wrong
    }

    /// Opens an involvement, or puts one there that has ended: any but the lead, which moves with [`Hub::lead`].
    pub async fn involve(&self, child: Uuid, persona: &str, kind: &str, closed_at: Option<i64>) {
        self.put_tie(child, persona, kind, self.now() - super::DAY * 365, closed_at).await;
        self.relist().await;
    }

    async fn put_tie(&self, child: Uuid, persona: &str, kind: &str, opened_at: i64, closed_at: Option<i64>) {
        let columns = vec![
            ("id", self.uuid().into()),
            ("child_id", child.into()),
            ("agency_id", self.agency(persona).into()),
            ("kind", kind.into()),
            ("opened_at", opened_at.into()),
            ("closed_at", closed_at.into()),
        ];
        self.insert("involvement", columns).await;
    }

    /// Puts a consent there that is live for thirty days.
    pub async fn consent(&self, child: Uuid, persona: &str, groups: &[&str]) {
        let columns = vec![
            ("id", self.uuid().into()),
            ("child_id", child.into()),
            ("agency_id", self.agency(persona).into()),
            ("groups", json!(groups).into()),
            ("given_by", "barnet".into()),
            ("valid_from", (self.now() - super::DAY).into()),
            ("valid_until", (self.now() + super::DAY * 30).into()),
        ];
        self.insert("consent", columns).await;
    }

    async fn fill(&self, child: Uuid, scene: &Scene) -> BTreeMap<FieldId, String> {
        let mut canaries = BTreeMap::new();
        let home = scene.home.map(|persona| self.agency(persona));
        for section in Section::ALL.into_iter().filter(|section| !section.is_list()) {
            let mut columns: Vec<(&str, Bound)> =
                vec![("child_id", child.into()), ("stamps", stamps(section, self.agency("migrationsverket")).into())];
            for id in section.fields() {
                let Some((value, canary)) = value(id, scene) else { continue };
                columns.push((id.field().column, value));
                canaries.extend(canary.map(|canary| (id, canary)));
            }
            self.insert(section.table(), columns).await;
        }
        self.place(child, scene, home, &mut canaries).await;
        for kind in IdentifierKind::ALL {
            let value = number(kind);
            let columns = vec![
                ("id", self.uuid().into()),
                ("child_id", child.into()),
                ("kind", kind.code().into()),
                ("value", value.clone().into()),
                ("stamps", json!({ "value": [1, super::START, self.agency("migrationsverket")] }).into()),
            ];
            self.insert("identifier", columns).await;
            canaries.insert(kind.field(), value);
        }
        canaries
    }

    /// The current episode and an earlier one; gives the id of the current.
    async fn put_episodes(&self, child: Uuid, scene: &Scene, canaries: &mut BTreeMap<FieldId, String>) -> Uuid {
        let ids = [self.uuid(), self.uuid()];
        for (id, is_current) in ids.into_iter().zip([true, false]) {
            let ago = |days: i64| self.now() - super::DAY * days - i64::from(next());
            let opened = if is_current { ago(200) } else { ago(300) };
            let ended = |days: i64| Some(ago(days)).filter(|_| !is_current || !scene.missing);
            let (found, closed) = if is_current { (ended(190), ended(180)) } else { (ended(290), ended(280)) };
            let stamps = stamps(Section::Missing, self.agency("malmo-soc"));
            let mut columns: Vec<(&str, Bound)> =
                vec![("id", id.into()), ("child_id", child.into()), ("stamps", stamps.into())];
            for field in Section::Missing.fields().filter(|id| id.field().source == Source::Kept) {
                let at = match field.field().name {
                    // It stands in own entries, too.
                    "episodeId" => continue,
                    "since" => Some(opened),
                    "foundAt" => found,
                    "closedAt" => closed,
                    _ => None,
                };
                let (value, canary) = match at {
                    Some(at) => (at.into(), Some(timestamp(at))),
                    None if matches!(field.field().name, "foundAt" | "closedAt") => (None::<i64>.into(), None),
                    None => value(field, scene).expect("a value"),
                };
                columns.push((field.field().column, value));
                if is_current {
                    canaries.extend(canary.map(|canary| (field, canary)));
                } else if field.field().name == "circumstances" {
                    // What is told of the earlier one is the canary of the list.
                    canaries.insert(Section::Missing.field("earlier").expect("a field"), canary.expect("a text"));
                }
            }
            self.insert("missing_episode", columns).await;
        }
        ids[0]
    }

    /// An entry of each list, of these agencies or handed in by the first.
    async fn put_entries(&self, child: Uuid, episode: Uuid, of: [&str; 2], canaries: &mut BTreeMap<FieldId, String>) {
        for list in List::ALL {
            let rows = list.rows();
            let word = format!("Kanarie{list:?}{}", next());
            let mut agencies = of.iter();
            let mut columns: Vec<(&str, Bound)> = vec![("child_id", child.into())];
            if rows.columns.iter().all(|column| *column != "id") {
                columns.push(("id", self.uuid().into()));
            }
            columns.extend(rows.only.map(|(column, holds)| (column, holds.into())));
            columns.extend(also(list));
            if list == List::Checklist {
                columns.push(("position", 1.into()));
            }
            for (part, column) in rows.entry.fields.iter().zip(rows.columns) {
                let value: Bound = match (part.kind, part.name) {
                    (_, "endedAt" | "withdrawnAt") => None::<i64>.into(),
                    (Kind::Id("episode"), _) => episode.into(),
                    (Kind::Id(_), _) => self.uuid().into(),
                    // A partner is named in consents and handed in worries only.
                    (Kind::Agency, _) => agencies.next().map(|code| self.agency(code)).into(),
                    (Kind::Instant, _) => (self.now() - i64::from(next())).into(),
                    (Kind::Date, _) => chrono::NaiveDate::from_str("2026-02-03").expect("a day").into(),
                    (Kind::Bool, _) => true.into(),
                    (Kind::Code(_), _) => next_part(list, canaries).into(),
                    (Kind::Json, _) => json!({ "contact": format!("Led{word}") }).into(),
                    (Kind::Texts(..), _) => json!([word]).into(),
                    (_, "text" | "kind" | "reason" | "note" | "textEn") => word.clone().into(),
                    (_, "state") if list == List::Concerns => "CONCERN".into(),
                    _ => "ord".into(),
                };
                columns.push((column, value));
            }
            if list == List::Handovers {
                // One of a kind is open at a time, so each entry moves something else.
                columns.push(("moves", format!("M{}", next()).into()));
                let from = columns.iter().find(|(column, _)| *column == "from_agency_id").expect("a sender").1.clone();
                columns.extend([("proposer_agency_id", from), ("urgent", false.into())]);
                columns.retain(|(column, _)| *column != "reason");
            }
            self.insert(rows.table, columns).await;
            let field = FieldId::all().find(|id| id.field().source == Source::Rows(list)).expect("a field");
            canaries.insert(field, word);
        }
    }

    /// A current placement, and an earlier one in another home.
    async fn place(&self, child: Uuid, scene: &Scene, home: Option<Uuid>, canaries: &mut BTreeMap<FieldId, String>) {
        for current in [true, false] {
            let stamps = stamps(Section::Placement, self.agency("malmo-soc"));
            let mut columns: Vec<(&str, Bound)> =
                vec![("id", self.uuid().into()), ("child_id", child.into()), ("stamps", stamps.into())];
            let valid_to = (!current).then(|| chrono::NaiveDate::from_str("2005-06-01").expect("a day"));
            columns.push(("valid_to", valid_to.into()));
            for id in Section::Placement.fields() {
                if id.field().name == "unitAgency" {
                    columns.push((id.field().column, home.filter(|_| current).into()));
                    continue;
                }
                let Some((value, canary)) = value(id, scene) else { continue };
                if id.field().name == "unitName" && !current {
                    // The name of the earlier home is the canary of the list.
                    let earlier = Section::Placement.field("earlier").expect("a field");
                    canaries.insert(earlier, canary.expect("a text"));
                } else if current {
                    canaries.extend(canary.map(|canary| (id, canary)));
                }
                columns.push((id.field().column, value));
            }
            self.insert("placement", columns).await;
        }
    }
}

/// The id that agencies use for a child.
pub fn child_id(uuid: Uuid) -> String {
    typed("child", uuid)
}

fn typed(prefix: &str, uuid: Uuid) -> String {
    format!("{prefix}_{}", data_encoding::BASE32_DNSSEC.encode(uuid.as_bytes()))
}

/// Columns that are no part of the list's entries.
fn also(list: List) -> Vec<(&'static str, Bound)> {
    match list {
        List::Checklist => vec![("key", "k".into())],
        // Of a role that hands nothing in: nobody has it among what was handed in by itself.
        List::Concerns => vec![("role", "COUNTY_BOARD".into()), ("named", json!({}).into())],
        _ => Vec::new(),
    }
}

/// One part of the follow-up is there once: the entry of others is one part, the own entry another.
fn next_part(list: List, canaries: &BTreeMap<FieldId, String>) -> &'static str {
    assert_eq!(list, List::FollowUp);
    if canaries.len() > 20 { "RETURN_TALK" } else { "HEALTH_CHECK" }
}

fn uuid_of(id: &str) -> Uuid {
    let (_, rest) = id.split_once('_').expect("a typed id");
    Uuid::from_slice(&data_encoding::BASE32_DNSSEC.decode(rest.as_bytes()).expect("an id")).expect("an id")
}

fn stamps(section: Section, agency: Uuid) -> Value {
    let stamp = |id: FieldId| (id.field().column.to_owned(), json!([1, super::START, agency]));
    Value::Object(section.fields().map(stamp).collect())
}

/// A value for a column, and the canary in it where the kind has room for one.
fn value(id: FieldId, scene: &Scene) -> Option<(Bound, Option<String>)> {
    let field = id.field();
    let kept = matches!(field.source, Source::Column | Source::Kept | Source::Flag(_) | Source::Photo);
    if !kept || field.kind == Kind::Agency {
        return None;
    }
    if field.name == "level" {
        return Some((scene.protection.into(), None));
    }
    if field.name == "protected" {
        return Some(((scene.protection != "NONE").into(), None));
    }
    let word = format!("Kanarie{}{}", field.name, next());
    let some = |value: Bound, canary: String| Some((value, Some(canary)));
    match field.kind {
        Kind::Text(_) => some(word.clone().into(), word),
        Kind::Texts(..) => some(json!([word]).into(), word),
        // Whoever is the guardian is it still.
        Kind::Date if id == FieldId::by_path("guardianship.to").expect("a field") => {
            let date = chrono::NaiveDate::from_str("2050-01-01").expect("a day")
                + chrono::Days::new(u64::from(next() % 20_000));
            some(date.into(), date.to_string())
        }
        Kind::Date => {
            let date = chrono::NaiveDate::from_str("1950-01-01").expect("a day")
                + chrono::Days::new(u64::from(next() % 20_000));
            some(date.into(), date.to_string())
        }
        Kind::Bool => Some((true.into(), None)),
        Kind::Code(code) => Some((first_code(code).into(), None)),
        Kind::Codes(_, code) => Some((json!([first_code(code)]).into(), None)),
        Kind::Phone => {
            let phone = format!("+4670{:07}", next());
            some(phone.clone().into(), phone)
        }
        Kind::Phones(_) => {
            let phone = format!("+4670{:07}", next());
            some(json!([phone]).into(), phone)
        }
        Kind::Email => {
            let email = format!("{}@kanarie.example", word.to_lowercase());
            some(email.clone().into(), email)
        }
        Kind::PostalCode => {
            let code = format!("{:05}", 10_000 + next() % 80_000);
            let canary = format!("\"{code}\"");
            some(code.into(), canary)
        }
        Kind::OrganisationNumber => {
            let number = format!("55{:04}-0000", next() % 10_000);
            some(number.clone().into(), number)
        }
        Kind::Instant => {
            let at = super::START - i64::from(next());
            some(at.into(), timestamp(at))
        }
        Kind::Agency | Kind::Id(_) | Kind::Json => None,
        Kind::Photo => {
            let taken_on = chrono::NaiveDate::from_str("2015-01-01").expect("a day")
                + chrono::Days::new(u64::from(next() % 4_000));
            let id = Uuid::from_u128(u128::from(next()));
            let told =
                json!({ "id": id, "type": "image/png", "takenOn": taken_on, "size": 1, "width": 1, "height": 1 });
            some(told.into(), taken_on.to_string())
        }
        Kind::Entries(_, entry) => {
            let parts = entry.fields.iter().map(|part| {
                let value = match part.kind {
                    Kind::Code(code) => first_code(code).to_owned(),
                    Kind::Date => "2026-01-02".to_owned(),
                    _ => word.clone(),
                };
                (part.name.to_owned(), Value::from(value))
            });
            some(json!([Value::Object(parts.collect())]).into(), word)
        }
    }
}

fn first_code(code: Code) -> &'static str {
    match code {
        Code::Country => "AF",
        Code::Language => "prs",
        Code::Municipality => "1280",
        other => other.values().and_then(<[_]>::first).expect("a code").code,
    }
}

fn number(kind: IdentifierKind) -> String {
    let next = next();
    match kind {
        IdentifierKind::PersonalNumber => format!("20100101{:04}", next % 10_000),
        IdentifierKind::CoordinationNumber => format!("20100161{:04}", next % 10_000),
        IdentifierKind::DossierNumber => format!("99-{next:06}"),
        IdentifierKind::LmaCard => format!("98-{next:06}/1"),
    }
}
