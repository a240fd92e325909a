//! Stories: what happens to one made-up child, played through the hub's own API by the personas of the sandbox, with time that
//! passes as fast as it is told. After each turn it says who answers for the child, who was told what, and which fields each
//! persona is shown. A story is a table (`scripts.rs`); what comes of it is the hub's.

mod scripts;

pub use scripts::STORIES;

use crate::graphql::whole::everything;
use crate::http::Service;
use crate::sandbox::{self, Issuer, SandboxError};
use crate::serve::{self, StartError};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use samverka_domain::catalogue::{FieldId, Section};
use samverka_domain::clock::Clock;
use samverka_domain::error::Error;
use samverka_domain::feed::EventKind;
use samverka_domain::hub::{Database, Hub};
use samverka_domain::policy::Engine;
use samverka_domain::text::Text;
use samverka_domain::world::{PERSONAS, Persona, persona};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tower::ServiceExt as _;

const MINUTE: i64 = 60_000_000;

/// A story: its name on the command line, what it is called in English and in Swedish, and its turns.
#[derive(Debug)]
pub struct Story {
    pub name: &'static str,
    pub en: &'static str,
    pub sv: &'static str,
    pub turns: &'static [Turn],
}

/// A turn: what happens, in English and in Swedish.
#[derive(Debug)]
pub struct Turn {
    pub en: &'static str,
    pub sv: &'static str,
    does: Does,
}

#[derive(Debug)]
enum Does {
    /// A persona asks a document. `{child}`, `{handover}` and `{episode}` stand for the ids of what the story made last,
    /// `{agency:CODE}` for an agency's, `{at:±MINUTES}` for an instant, `{day:±DAYS}` for a day, and `{version:SECTION}` for
    /// the version that the persona is shown.
    Asks(&'static str, &'static str),
    /// As `Asks`, and is refused, with this code.
    IsRefused(&'static str, &'static str, &'static str),
    /// A persona ticks off what must be done before the child leaves.
    Prepares(&'static str),
    /// So many minutes pass, and what falls due is done.
    Passes(i64),
}

/// Why a story cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Hub(#[from] Error),
    /// There is no place for its database.
    #[error("no temporary folder can be made: {0}")]
    Folder(std::io::Error),
    /// The hub answered something else than the story tells of.
    #[error("the story breaks off at “{turn}”: {answer}")]
    Refused {
        /// What was to happen.
        turn: &'static str,
        /// What the hub answered.
        answer: Value,
    },
}

/// How it stands after a turn.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// Minutes since the story began.
    pub minute: i64,
    pub en: String,
    pub sv: String,
    /// Who acted, and what it asked; none where time passed.
    pub by: Option<&'static str>,
    pub document: Option<String>,
    /// What was answered.
    pub answer: Option<Value>,
    /// The agency that leads, by code.
    pub lead: Option<String>,
    /// The agency that is legally responsible.
    pub responsible: Option<String>,
    /// The code with which it was refused, where the story tells of a refusal.
    pub refused: Option<&'static str>,
    /// The state of the handover, and whether it is overdue.
    pub handover: Option<String>,
    pub overdue: bool,
    /// The state of the missing episode.
    pub episode: Option<String>,
    /// Who was told what since the turn before: kinds of events, by persona.
    pub told: BTreeMap<&'static str, Vec<String>>,
    /// The same in words: each kind once for each persona, with how often it was told.
    pub events: Vec<Telling>,
    /// The fields that hold something for each persona, as `section.field`; a persona that is not here knows of no child.
    pub shown: BTreeMap<&'static str, Vec<String>>,
    /// What is in `shown` and was not in the turn before, by persona.
    pub opened: BTreeMap<&'static str, Vec<String>>,
    /// What was in `shown` in the turn before and is no more.
    pub closed: BTreeMap<&'static str, Vec<String>>,
}

/// What one persona was told.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Telling {
    pub to: &'static str,
    /// The kind of event, and what it says.
    pub kind: String,
    pub text: Text,
    /// A moment has passed without what should have happened.
    pub alarm: bool,
    pub count: usize,
}

/// A sandbox of its own, on which one story is played.
pub struct Stage {
    hub: Hub,
    router: Router,
    issuer: Issuer,
    clock: Clock,
    time: Arc<AtomicI64>,
    start: i64,
    made: BTreeMap<&'static str, String>,
    heard: BTreeMap<&'static str, String>,
}

impl Stage {
    /// Opens a sandbox without children on a database that is new or a sandbox already. The story begins at `start`,
    /// microseconds since 1970.
    ///
    /// # Errors
    ///
    /// As [`serve::sandbox`].
    pub async fn open(url: &str, start: i64) -> Result<Self, StoryError> {
        let time = Arc::new(AtomicI64::new(start));
        let clock = Clock::from_fn({
            let time = time.clone();
            move || time.load(Ordering::SeqCst)
        });
        let database = Database::connect(url).await.map_err(StartError::from)?;
        let issuer = sandbox::prepare_empty(&database).await?;
        let names = ("story", sandbox::AUDIENCE, &*issuer.configs());
        let (hub, service): (Hub, Service) = serve::service(database, Engine::embedded(), clock.clone(), names).await?;
        let (made, heard) = (BTreeMap::new(), BTreeMap::new());
        Ok(Stage { hub, router: service.router(), issuer, clock, time, start, made, heard })
    }

    /// Plays a story to its end.
    ///
    /// # Errors
    ///
    /// [`StoryError::Refused`] at the first turn that the hub does not take.
    pub async fn play(&mut self, story: &Story) -> Result<Vec<Moment>, StoryError> {
        let mut moments = Vec::with_capacity(story.turns.len());
        let mut shown = BTreeMap::new();
        for turn in story.turns {
            let mut moment = self.turn(turn).await?;
            moment.opened = gained(&moment.shown, &shown);
            moment.closed = gained(&shown, &moment.shown);
            shown.clone_from(&moment.shown);
            moments.push(moment);
        }
        Ok(moments)
    }

    /// Closes the hub.
    pub async fn close(self) {
        let Stage { hub, router, .. } = self;
        drop(router);
        hub.close().await;
    }

    /// Waits until the hub has told of the look-ups that were made: the data protection officer asks for the log.
    async fn settle(&self) -> Result<(), StoryError> {
        if let Some(child) = self.made.get("child") {
            self.ask("dataskydd", &format!("{{ accessLog(childId: \"{child}\", first: 1) {{ edges {{ cursor }} }} }}"))
                .await?;
        }
        Ok(())
    }

    async fn turn(&mut self, turn: &Turn) -> Result<Moment, StoryError> {
        // What the telling of the turn before has looked at is no part of the story.
        self.settle().await?;
        self.told().await?;
        let (by, document, answer) = match turn.does {
            Does::Passes(minutes) => {
                self.pass(minutes).await?;
                (None, None, None)
            }
            Does::Prepares(by) => {
                self.prepare(by, turn).await?;
                (Some(by), None, None)
            }
            Does::IsRefused(by, code, template) => {
                let document = self.fill(by, template).await?;
                let answer = self.ask(by, &document).await?;
                if answer.pointer("/errors/0/extensions/code") != Some(&Value::from(code)) {
                    return Err(StoryError::Refused { turn: turn.en, answer });
                }
                (Some(by), Some(document), Some(answer))
            }
            Does::Asks(by, template) => {
                let document = self.fill(by, template).await?;
                let answer = self.data(by, &document, turn).await?;
                self.remember(&answer);
                (Some(by), Some(document), Some(answer))
            }
        };
        self.settle().await?;
        let told = self.told().await?;
        let (lead, responsible) = self.who_answers().await?;
        let (handover, overdue, episode) = self.protocols().await?;
        let shown = self.shown().await?;
        let minute = (self.clock.now() - self.start) / MINUTE;
        let refused = match turn.does {
            Does::IsRefused(_, code, _) => Some(code),
            _ => None,
        };
        Ok(Moment {
            minute,
            en: turn.en.to_owned(),
            sv: turn.sv.to_owned(),
            by,
            document,
            answer,
            lead,
            responsible,
            refused,
            handover,
            overdue,
            episode,
            events: tellings(&told),
            told,
            shown,
            opened: BTreeMap::new(),
            closed: BTreeMap::new(),
        })
    }

    async fn pass(&mut self, minutes: i64) -> Result<(), StoryError> {
        self.time.fetch_add(minutes * MINUTE, Ordering::SeqCst);
        self.hub.run_deadlines().await?;
        Ok(())
    }

    async fn prepare(&mut self, by: &'static str, turn: &Turn) -> Result<(), StoryError> {
        let query =
            self.fill(by, "{ checklist(childId: \"{child}\") { items { id moment mandatory state } } }").await?;
        let answer = self.data(by, &query, turn).await?;
        let items = answer.pointer("/checklist/items").and_then(Value::as_array).cloned().unwrap_or_default();
        for item in items {
            let is = |field: &str, value: &str| item.get(field).and_then(Value::as_str) == Some(value);
            let is_mandatory = item.get("mandatory").and_then(Value::as_bool) == Some(true);
            if is_mandatory && is("state", "OPEN") && is("moment", "PREVENT") {
                let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
                self.data(by, &format!("mutation {{ tickItem(itemId: \"{id}\") {{ item {{ state }} }} }}"), turn)
                    .await?;
            }
        }
        Ok(())
    }

    /// The data of an answer without errors.
    async fn data(&self, by: &'static str, document: &str, turn: &Turn) -> Result<Value, StoryError> {
        let mut answer = self.ask(by, document).await?;
        if at(&answer, "/errors").is_null() {
            Ok(answer.pointer_mut("/data").map(Value::take).unwrap_or_default())
        } else {
            Err(StoryError::Refused { turn: turn.en, answer })
        }
    }

    async fn ask(&self, by: &'static str, document: &str) -> Result<Value, StoryError> {
        let purpose = persona(by).map_or("", |persona| persona.purpose.code());
        let request = Request::post("/graphql")
            .header("authorization", format!("Bearer {}", self.issuer.token(by, &self.clock)?))
            .header("samverka-purpose", purpose)
            .header("content-type", "application/json")
            .body(Body::from(json!({ "query": document }).to_string()));
        let Ok(request) = request else { return Ok(Value::Null) };
        let Ok(response) = self.router.clone().oneshot(request).await;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// What a document's placeholders stand for.
    async fn fill(&self, by: &'static str, template: &str) -> Result<String, StoryError> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let word = after.split_once('}').filter(|(word, _)| !word.contains([' ', '{', '\n']));
            let value = match word {
                Some((word, _)) => self.value(by, word).await?,
                None => None,
            };
            rest = match (word, value) {
                (Some((_, behind)), Some(value)) => {
                    filled.push_str(&value);
                    behind
                }
                _ => {
                    filled.push('{');
                    after
                }
            };
        }
        filled.push_str(rest);
        Ok(filled)
    }

    async fn value(&self, by: &'static str, word: &str) -> Result<Option<String>, StoryError> {
        let Some((kind, rest)) = word.split_once(':') else { return Ok(self.made.get(word).cloned()) };
        let offset = rest.parse::<i64>().unwrap_or_default();
        Ok(match kind {
            "agency" => self.hub.agency_by_code(rest).map(|agency| agency.id.to_string()),
            "at" => Some(instant(self.clock.now() + offset * MINUTE)),
            "day" => Some(instant(self.clock.now() + offset * 24 * 60 * MINUTE).chars().take(10).collect()),
            "version" => {
                let child = self.made.get("child").cloned().unwrap_or_default();
                let answer = self.ask(by, &format!("{{ child(id: \"{child}\") {{ {rest} {{ version }} }} }}")).await?;
                let version = answer.pointer(&format!("/data/child/{rest}/version"));
                version.and_then(Value::as_str).map(str::to_owned)
            }
            _ => None,
        })
    }

    /// Keeps the ids of what a mutation made.
    fn remember(&mut self, data: &Value) {
        for payload in data.as_object().into_iter().flat_map(|data| data.values()) {
            for what in ["child", "handover", "episode"] {
                if let Some(id) = at(payload, &format!("/{what}/id")).as_str() {
                    self.made.insert(what, id.to_owned());
                }
            }
        }
    }

    /// The lead and the responsible agency, as Migrationsverket is shown them from the registration to the end.
    async fn who_answers(&self) -> Result<(Option<String>, Option<String>), StoryError> {
        let query =
            "{ children(first: 1) { nodes { responsibility { leadAgency { code } responsibleAgency { code } } } } }";
        let answer = self.ask("migrationsverket", query).await?;
        let answers = at(&answer, "/data/children/nodes/0/responsibility");
        let code = |field: &str| at(answers, &format!("/{field}/code")).as_str().map(str::to_owned);
        Ok((code("leadAgency"), code("responsibleAgency")))
    }

    /// The states of the handover and of the missing episode, as Landskrona is shown them, which takes part in both.
    async fn protocols(&self) -> Result<(Option<String>, bool, Option<String>), StoryError> {
        let word = |answer: &Value, pointer: &str| at(answer, pointer).as_str().map(str::to_owned);
        let (mut handover, mut overdue, mut episode) = (None, false, None);
        if let Some(id) = self.made.get("handover") {
            let answer =
                self.ask("landskrona-soc", &format!("{{ handover(id: \"{id}\") {{ state overdue }} }}")).await?;
            handover = word(&answer, "/data/handover/state");
            overdue = at(&answer, "/data/handover/overdue").as_bool().unwrap_or_default();
        }
        if let Some(child) = self.made.get("child").filter(|_| self.made.contains_key("episode")) {
            let answer =
                self.ask("landskrona-soc", &format!("{{ episodes(childId: \"{child}\") {{ state }} }}")).await?;
            episode = word(&answer, "/data/episodes/0/state");
        }
        Ok((handover, overdue, episode))
    }

    async fn told(&mut self) -> Result<BTreeMap<&'static str, Vec<String>>, StoryError> {
        let mut told = BTreeMap::new();
        for Persona { code, .. } in &PERSONAS {
            let after = self.heard.get(code).map(|cursor| format!(", after: \"{cursor}\"")).unwrap_or_default();
            let query = format!("{{ changes(first: 100{after}) {{ nodes {{ kind }} cursor }} }}");
            let answer = self.ask(code, &query).await?;
            let page = at(&answer, "/data/changes");
            if let Some(cursor) = at(page, "/cursor").as_str() {
                self.heard.insert(code, cursor.to_owned());
            }
            let kinds =
                at(page, "/nodes").as_array().into_iter().flatten().filter_map(|node| at(node, "/kind").as_str());
            // A section that changed is seen by what is shown.
            let kinds: Vec<String> = kinds.filter(|kind| *kind != "SECTION_CHANGED").map(str::to_owned).collect();
            if !kinds.is_empty() {
                told.insert(*code, kinds);
            }
        }
        Ok(told)
    }

    async fn shown(&self) -> Result<BTreeMap<&'static str, Vec<String>>, StoryError> {
        let query = format!("{{ children(first: 1) {{ nodes {{ {} }} }} }}", everything());
        let mut shown = BTreeMap::new();
        for Persona { code, .. } in &PERSONAS {
            let answer = self.ask(code, &query).await?;
            let Some(child) = answer.pointer("/data/children/nodes/0") else { continue };
            let holds = |id: &FieldId| {
                let value = at(child, &format!("/{}/{}", id.field().section.name(), id.field().name));
                !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
            };
            shown.insert(*code, FieldId::all().filter(holds).map(|id| id.to_string()).collect());
        }
        Ok(shown)
    }
}

/// Plays a story in a sandbox of its own that is gone afterwards. It begins at `start`, microseconds since 1970.
///
/// # Errors
///
/// As [`Stage::open`] and [`Stage::play`].
pub async fn played(story: &Story, start: i64) -> Result<Vec<Moment>, StoryError> {
    let folder = tempfile::tempdir().map_err(StoryError::Folder)?;
    let mut stage = Stage::open(&format!("sqlite:{}", folder.path().join("story.db").display()), start).await?;
    let moments = stage.play(story).await;
    stage.close().await;
    moments
}

/// What stands at a JSON pointer; null where nothing does.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn instant(micros: i64) -> String {
    samverka_domain::catalogue::timestamp(micros)
}

/// The kinds, each once, with how often it was told.
fn counted(kinds: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    kinds.iter().for_each(|kind| *counts.entry(kind).or_default() += 1);
    let word = |(kind, count): (&str, usize)| if count > 1 { format!("{kind} × {count}") } else { kind.to_owned() };
    counts.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// What each persona is shown in `one` and not in `other`.
fn gained(
    one: &BTreeMap<&'static str, Vec<String>>,
    other: &BTreeMap<&'static str, Vec<String>>,
) -> BTreeMap<&'static str, Vec<String>> {
    let fields = |code| without(one.get(code), other.get(code)).into_iter().map(str::to_owned).collect::<Vec<_>>();
    one.keys().map(|code| (*code, fields(code))).filter(|(_, fields)| !fields.is_empty()).collect()
}

/// What was told, in words.
fn tellings(told: &BTreeMap<&'static str, Vec<String>>) -> Vec<Telling> {
    let mut all: Vec<Telling> = Vec::new();
    for (to, kinds) in told {
        for kind in kinds {
            if let Some(telling) = all.iter_mut().find(|telling| telling.to == *to && telling.kind == *kind) {
                telling.count += 1;
                continue;
            }
            let Some(known) = EventKind::from_code(kind) else { continue };
            let (en, sv) = known.words();
            let (text, alarm) = (Text { sv, en }, known.is_alarm());
            all.push(Telling { to, kind: kind.clone(), text, alarm, count: 1 });
        }
    }
    all
}

/// What is shown in `one` and not in `other`.
fn without<'m>(one: Option<&'m Vec<String>>, other: Option<&Vec<String>>) -> Vec<&'m str> {
    let is_new = |field: &&String| other.is_none_or(|other| !other.contains(field));
    one.into_iter().flatten().filter(is_new).map(String::as_str).collect()
}

/// Fields by section: `identity: givenNames, familyName`.
fn by_section(fields: &[&str]) -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let prefix = format!("{}.", section.name());
        let names: Vec<&str> = fields.iter().filter_map(|field| field.strip_prefix(&prefix)).collect();
        if !names.is_empty() {
            let gap = if text.is_empty() { "" } else { "; " };
            _ = write!(text, "{gap}{}: {}", section.name(), names.join(", "));
        }
    }
    text
}

/// A story as it was played, for a terminal.
pub struct Told<'m>(pub &'m Story, pub &'m [Moment]);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told(story, moments) = self;
        writeln!(f, "{}\n{}", story.en, story.sv)?;
        for (place, moment) in moments.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| moments.get(place));
            let (hours, minutes) = (moment.minute / 60, moment.minute % 60);
            writeln!(f, "\n{hours:>3}:{minutes:02}  {} ({})", moment.en, moment.by.unwrap_or("time passes"))?;
            writeln!(f, "        {}", moment.sv)?;
            let or_nobody = |agency: &Option<String>| agency.clone().unwrap_or_else(|| "nobody".to_owned());
            writeln!(
                f,
                "        leads: {}; is responsible: {}",
                or_nobody(&moment.lead),
                or_nobody(&moment.responsible)
            )?;
            for (code, kinds) in &moment.told {
                writeln!(f, "        told {code}: {}", counted(kinds))?;
            }
            for Persona { code, .. } in &PERSONAS {
                let (was, is) = (before.and_then(|before| before.shown.get(code)), moment.shown.get(code));
                let (opened, closed) = (without(is, was), without(was, is));
                if !opened.is_empty() {
                    writeln!(f, "        opens to {code}: {}", by_section(&opened))?;
                }
                match is {
                    None if was.is_some() => writeln!(f, "        closes to {code}: the child is no more, to it")?,
                    _ if closed.is_empty() => {}
                    _ => writeln!(f, "        closes to {code}: {}", by_section(&closed))?,
                }
            }
        }
        Ok(())
    }
}
