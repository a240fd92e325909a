//! Checklists and county routines.

use super::agency::AgencyObject;
use super::child::{Answer, ItemOutput, Plan, agencies, timestamp};
use super::error::answer;
use super::json::project;
use super::plan::nodes;
use super::scalars::{Date, add};
use super::types::{FieldType, object};
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::{
    Context, ContextSelectionSet, Enum, InputObject, InputType, OutputType, Positioned, Result, ServerResult,
    SimpleObject, Value,
};
use chrono::{DateTime, Utc};
use samverka_domain::clock::instant;
use samverka_domain::error::Error;
use samverka_domain::ids::AgencyId;
use samverka_domain::routine::{Actor, Item, ItemState, Moment};
use samverka_domain::session::Session;
use samverka_domain::view::{ChecklistView, ItemAnswer, ItemView, RoutineView};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::collections::HashMap;

/// When an item of a routine is done (*skede*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Moment")]
pub(super) enum RoutineMoment {
    /// Before: to keep a child from going missing (*förebygga*).
    Prevent,
    /// When a child is missing (*när ett barn är försvunnet*).
    Missing,
    /// When a missing child was found (*när ett barn är återfunnet*).
    Found,
}

/// Whose an item of a routine is (*aktör*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Actor")]
pub(super) enum RoutineActor {
    /// The social services board, and its on-call service (*socialtjänsten*).
    SocialServices,
    /// The home (*boendet*).
    CareHome,
    /// The chief guardian, and the guardian through it (*överförmyndaren, god man*).
    Guardianship,
    /// Migrationsverket.
    Migration,
    /// The school (*skolan*).
    School,
    /// Health care (*hälso- och sjukvården*).
    Health,
    /// The police (*polisen*).
    Police,
    /// A partner organisation, such as Rädda Barnen (*organisation*).
    Partner,
}

/// How far an item has come (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "ItemState")]
pub(super) enum ChecklistItemState {
    /// It is to be done (*att göra*).
    Open,
    /// It is done (*gjort*).
    Done,
    /// It was left out, with a reason (*utelämnat*).
    Skipped,
}

/// An item of a routine to publish (*punkt*).
#[derive(InputObject)]
pub(super) struct RoutineItemInput {
    /// Its name in the routine: small letters, digits and hyphens, at most 60.
    key: String,
    /// When it is done (*skede*).
    moment: RoutineMoment,
    /// Whose it is (*aktör*).
    actor: RoutineActor,
    /// What to do, in Swedish, at most 500 characters.
    sv: String,
    /// What to do, in English, at most 500 characters.
    en: String,
    /// How long after its moment it is due, in hours (*tid*); left out where it has no time.
    due_hours: Option<i32>,
    /// Whether it must be done: then only the responsible board skips it (*obligatorisk*).
    mandatory: bool,
    /// The plan, section or statute that it follows, at most 500 characters (*källa*).
    source: String,
}

impl RoutineItemInput {
    pub(super) fn read(self) -> Item {
        let RoutineItemInput { key, moment, actor, sv, en, due_hours, mandatory, source } = self;
        // Hours below zero are refused with those that are too many.
        let due_hours = due_hours.map(|hours| u32::try_from(hours).unwrap_or(u32::MAX));
        Item { key, moment: moment.into(), actor: actor.into(), sv, en, due_hours, mandatory, source }
    }
}

/// A version of a county's routine for missing children (*länets rutin*).
#[derive(SimpleObject)]
pub(super) struct Routine {
    /// The county (*länskod*), two digits; `00` is the national default.
    county: String,
    /// Its number among the versions of the county.
    version: i32,
    /// The first day on which checklists are copied from it (*gäller från*).
    valid_from: Date,
    /// When it was published; null where it came with the hub.
    published_at: Option<DateTime<Utc>>,
    /// Which county board published it; null where it came with the hub.
    published_by: Option<AgencyObject>,
    /// What is to be done (*punkter*).
    items: Vec<RoutineItem>,
}

/// An item of a county's routine (*punkt*).
#[derive(SimpleObject)]
pub(super) struct RoutineItem {
    /// Its name in the routine.
    key: String,
    /// When it is done (*skede*).
    moment: RoutineMoment,
    /// Whose it is (*aktör*).
    actor: RoutineActor,
    /// What to do, in Swedish.
    sv: String,
    /// What to do, in English.
    en: String,
    /// How long after its moment it is due, in hours (*tid*).
    due_hours: Option<i32>,
    /// Whether it must be done (*obligatorisk*).
    mandatory: bool,
    /// The plan, section or statute that it follows (*källa*).
    source: String,
}

impl Routine {
    pub(super) async fn of(session: &Session, view: RoutineView) -> Self {
        let RoutineView { routine, published_at, agency } = view;
        let published_by = match agency {
            Some(id) => session.agency(id).await.ok().flatten().map(|agency| AgencyObject::from(&*agency)),
            None => None,
        };
        Routine {
            county: routine.county,
            version: routine.version,
            valid_from: Date(Json::from(routine.valid_from.to_string())),
            published_at: published_at.map(instant),
            published_by,
            items: routine.items.into_iter().map(RoutineItem::from).collect(),
        }
    }
}

impl From<Item> for RoutineItem {
    fn from(item: Item) -> Self {
        let Item { key, moment, actor, sv, en, due_hours, mandatory, source } = item;
        let due_hours = due_hours.and_then(|hours| i32::try_from(hours).ok());
        RoutineItem { key, moment: moment.into(), actor: actor.into(), sv, en, due_hours, mandatory, source }
    }
}

/// The payload of a change to an item.
pub(super) async fn payload<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<ItemAnswer, Error>,
) -> Result<Option<ItemOutput<'a>>> {
    let Some(ItemAnswer { view, item }) = answer(ctx, result) else { return Ok(None) };
    let answer = Answer::one(ctx, plan, view).await?;
    let item = match &item {
        Some(item) => item_json(item, &agencies(answer.session(), named(item)).await),
        None => Json::Null,
    };
    Ok(Some(ItemOutput(answer.with_beside(json!({ "item": item })))))
}

/// A checklist, with the names of the fields of `Checklist`.
pub(super) async fn to_json(session: &Session, view: &ChecklistView) -> Json {
    let agencies = agencies(session, view.items.iter().flat_map(named)).await;
    json!({ "items": view.items.iter().map(|item| item_json(item, &agencies)).collect::<Vec<_>>() })
}

fn named(item: &ItemView) -> impl Iterator<Item = AgencyId> + use<> {
    item.assigned_to.into_iter().chain(item.done_by)
}

fn item_json(item: &ItemView, agencies: &HashMap<AgencyId, Json>) -> Json {
    let agency = |id: &Option<AgencyId>| id.and_then(|id| agencies.get(&id));
    json!({
        "id": item.id,
        "about": item.about,
        "routine": item.routine,
        "key": item.key,
        "moment": item.moment.code(),
        "actor": item.actor.code(),
        "text": item.sv,
        "textEn": item.en,
        "source": item.source,
        "mandatory": item.mandatory,
        "dueAt": item.due_at.map(timestamp),
        "overdue": item.overdue,
        "state": item.state.code(),
        "assignedTo": agency(&item.assigned_to),
        "doneAt": item.done_at.map(timestamp),
        "doneBy": agency(&item.done_by),
        "reason": item.reason,
    })
}

/// What is to be done about a child.
pub(super) struct ChecklistOutput(pub(super) Json);

impl OutputType for ChecklistOutput {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Checklist")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            register_item(registry);
            let items = FieldType::new("items", "[ChecklistItem!]!", "What is to be done, in order (*punkter*).");
            object(
                "Checklist",
                "What is to be done about a child now, and who does it (*checklista*, F54).",
                vec![items],
            )
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        Ok(project(&self.0, &Self::type_name(), &nodes(&ctx.with_field(field))))
    }
}

/// The field of a payload that holds the checklist.
pub(super) fn field(registry: &mut Registry) -> FieldType {
    let ty = <ChecklistOutput as OutputType>::create_type_info(registry);
    let ty = ty.trim_end_matches('!').to_owned();
    FieldType::new("checklist", ty, "What is to be done now, for those who work on it (*checklista*).")
}

/// The field of a payload that holds an item.
pub(super) fn item_field(registry: &mut Registry) -> FieldType {
    register_item(registry);
    FieldType::new("item", "ChecklistItem", "The item as it is now; null where you may not see it any more.")
}

fn register_item(registry: &mut Registry) {
    <AgencyObject as OutputType>::create_type_info(registry);
    <DateTime<Utc> as OutputType>::create_type_info(registry);
    <RoutineMoment as InputType>::create_type_info(registry);
    <RoutineActor as InputType>::create_type_info(registry);
    <ChecklistItemState as InputType>::create_type_info(registry);
    let fields = vec![
        FieldType::new("id", "ID!", "The id of the item: `item_…`."),
        FieldType::new("about", "ID!", "The episode or the handover that it belongs to."),
        FieldType::new("routine", "String!", "The county's routine and its version: `12/1` (*rutin*)."),
        FieldType::new("key", "String!", "What the routine, and a refusal, call it (*beteckning*)."),
        FieldType::new("moment", "RoutineMoment!", "When it is done (*skede*)."),
        FieldType::new("actor", "RoutineActor!", "Whose it is (*aktör*)."),
        FieldType::new("text", "String!", "What to do, in Swedish (*punkt*)."),
        FieldType::new("textEn", "String!", "What to do, in English."),
        FieldType::new("source", "String!", "The plan, section or statute that it follows (*källa*)."),
        FieldType::new("mandatory", "Boolean!", "Whether only the responsible board skips it (*obligatorisk*)."),
        FieldType::new("dueAt", "DateTime", "When it is to be done (*senast*)."),
        FieldType::new("overdue", "Boolean!", "Whether it is open, and was due (*försenad*)."),
        FieldType::new("state", "ChecklistItemState!", "How far it has come (*läge*)."),
        FieldType::new(
            "assignedTo",
            "Agency",
            "Which agency does it; null where nobody is named, or that would tell what is withheld (*tilldelad*).",
        ),
        FieldType::new("doneAt", "DateTime", "When it was done or left out (*gjort*)."),
        FieldType::new(
            "doneBy",
            "Agency",
            "By which agency; null where that would tell what is withheld (*gjort av*).",
        ),
        FieldType::new("reason", "String", "Why it was left out (*skäl*)."),
    ];
    add(registry, object("ChecklistItem", "One thing to do about a child (*punkt i checklistan*).", fields));
}
