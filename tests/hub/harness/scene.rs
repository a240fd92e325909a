//! A child with a canary in every field, put there behind the hub's back.

use super::Hub;
use samverka_domain::catalogue::{Code, FieldId, IdentifierKind, Kind, Section, Source};
use sea_orm::sea_query::{Alias, Expr, Query};
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
        let uuid = Uuid::from_u128(0x5a3e_0000_0000_4000_8000_0000_0000_0000 + u128::from(next()));
        let subject = Uuid::from_u128(0x50b0_0000_0000_4000_8000_0000_0000_0000 + u128::from(next()));
        let lead = scene.involved.iter().find(|(_, kind)| *kind == "LEAD").expect("one leads").0;
        let columns = vec![
            ("id", uuid.into()),
            ("subject", subject.into()),
            ("lead_agency_id", self.agency(lead).into()),
            ("state", "ACTIVE".into()),
            ("registered_at", self.now().into()),
        ];
        self.insert("child", columns).await;
        for (persona, kind) in &scene.involved {
            self.put_involvement(uuid, persona, kind, None).await;
        }
        for (persona, kind, ago) in &scene.ended {
            self.put_involvement(uuid, persona, kind, Some(self.now() - ago)).await;
        }
        for (persona, groups) in &scene.consents {
            self.consent(uuid, persona, groups).await;
        }
        if scene.missing {
            let columns = vec![("id", self.uuid().into()), ("child_id", uuid.into()), ("opened_at", self.now().into())];
            self.insert("missing_episode", columns).await;
        }
        let canaries = self.fill(uuid, &scene).await;
        self.relist().await;
        TestChild { uuid, id: child_id(uuid), subject, canaries }
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

    /// Opens an involvement, or puts one there that has ended.
    pub async fn involve(&self, child: Uuid, persona: &str, kind: &str, closed_at: Option<i64>) {
        self.put_involvement(child, persona, kind, closed_at).await;
        self.relist().await;
    }

    async fn put_involvement(&self, child: Uuid, persona: &str, kind: &str, closed_at: Option<i64>) {
        let columns = vec![
            ("id", self.uuid().into()),
            ("child_id", child.into()),
            ("agency_id", self.agency(persona).into()),
            ("kind", kind.into()),
            ("opened_at", (self.now() - super::DAY * 365).into()),
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
    format!("child_{}", data_encoding::BASE32_DNSSEC.encode(uuid.as_bytes()))
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
    let kept = matches!(field.source, Source::Column | Source::Flag(_) | Source::Photo);
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
        Kind::Agency => None,
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
