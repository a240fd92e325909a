//! The one choke point: `Child`, its sections and its lists are shown here and nowhere else.

use super::access::AccessSummary;
use super::agency;
use super::checklist;
use super::episode;
use super::json::project;
use super::plan::{ChildItem, ChildPlan, Node, SectionItem, nodes};
use super::scalars::{Date, add, register, type_name};
use super::suggestion;
use super::types::{FieldType, input_value, object};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaDirectiveInvocation, MetaTypeId, Registry};
use async_graphql::{
    Context, ContextSelectionSet, InputType, Name, OutputType, Positioned, ServerResult, TypeDirective, Value,
};
use samverka_domain::catalogue::{self, Entry, FieldId, Kind, Section, Value as Known};
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::ids::AgencyId;
use samverka_domain::photo::Photo;
use samverka_domain::policy::{Rule, RuleId};
use samverka_domain::session::Session;
use samverka_domain::view::{ChildView, Page, RevisionView, SectionView, Selection, SuggestionView};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Where photos are, below the hub's own address.
pub const PHOTOS: &str = "/photo/";

/// The names of the guarded types: every field of theirs is shown by this room.
pub(super) fn guarded_types() -> impl Iterator<Item = &'static str> {
    Section::ALL.into_iter().map(Section::type_name)
}

/// The directive that names the rule of a guarded field.
///
/// The field's number in the domain's list, the Cedar action that reads it, and the policy group it
/// shares its rules with.
#[TypeDirective(location = "FieldDefinition")]
pub(super) fn access(field: String, action: String, group: String) {}

/// What becomes of the selection: how the views of an answer are wrapped.
enum Shape {
    Child,
    Connection(Connection),
    Payload(&'static str, Vec<(Name, PayloadItem)>),
}

enum PayloadItem {
    Typename,
    Child,
    Suggestion(Vec<Node>),
    /// What stands beside the child, by name, and its type.
    Beside(String, &'static str, Vec<Node>),
    InForceAt,
}

#[derive(Default)]
struct Connection {
    items: Vec<(Name, ConnectionItem)>,
}

enum ConnectionItem {
    Typename,
    Nodes,
    Edges(Vec<(Name, EdgeItem)>),
    PageInfo(Vec<Node>),
}

enum EdgeItem {
    Typename,
    Cursor,
    Node,
}

/// A planned answer about children: made from the selection before anything is read.
pub(super) struct Plan {
    shape: Shape,
    child: ChildPlan,
    path: String,
}

impl Plan {
    /// Plans a field that gives a `Child`.
    pub(super) fn child(ctx: &Context<'_>) -> Self {
        let nodes = nodes(ctx);
        Plan { shape: Shape::Child, child: ChildPlan::new(ctx, &nodes), path: path(ctx) }
    }

    /// Plans a field that gives a `ChildConnection`.
    pub(super) fn connection(ctx: &Context<'_>) -> Self {
        let mut below = Vec::new();
        let mut connection = Connection::default();
        let mut suffix = "";
        for node in nodes(ctx) {
            let item = match node.name.as_str() {
                "nodes" => {
                    suffix = ".nodes.*";
                    merge(&mut below, &node.children);
                    ConnectionItem::Nodes
                }
                "edges" => {
                    suffix = ".edges.*.node";
                    node.below("node").for_each(|child| merge(&mut below, &child.children));
                    ConnectionItem::Edges(node.children.iter().map(edge_item).collect())
                }
                "pageInfo" => ConnectionItem::PageInfo(node.children),
                _ => ConnectionItem::Typename,
            };
            connection.items.push((node.key, item));
        }
        let path = format!("{}{suffix}", path(ctx));
        Plan { shape: Shape::Connection(connection), child: ChildPlan::new(ctx, &below), path }
    }

    /// Plans a mutation's payload, of the type with this name.
    pub(super) fn payload(ctx: &Context<'_>, type_name: &'static str) -> Self {
        let mut below = Vec::new();
        let mut items = Vec::new();
        for node in nodes(ctx) {
            let item = match node.name.as_str() {
                "child" => {
                    merge(&mut below, &node.children);
                    PayloadItem::Child
                }
                "suggestion" => PayloadItem::Suggestion(node.children),
                "inForceAt" => PayloadItem::InForceAt,
                "__typename" => PayloadItem::Typename,
                _ => PayloadItem::Beside(node.name.clone(), node.type_name(), node.children),
            };
            items.push((node.key, item));
        }
        Plan {
            shape: Shape::Payload(type_name, items),
            child: ChildPlan::new(ctx, &below),
            path: format!("{}.child", path(ctx)),
        }
    }

    /// The plan, if the session can be asked by it.
    ///
    /// # Errors
    ///
    /// `PAGE_SIZE` for a `first` of some `revisions` outside 1–100.
    pub(super) fn checked(self) -> Result<Self, Error> {
        if self.child.wrong_page { Err(Error::refused(ErrorCode::PageSize, ["first"])) } else { Ok(self) }
    }

    /// Whether a field beside the child is selected.
    pub(super) fn asks(&self, name: &str) -> bool {
        let Shape::Payload(_, items) = &self.shape else { return false };
        items.iter().any(|(_, item)| matches!(item, PayloadItem::Beside(own, ..) if own == name))
    }

    /// Whether the cursor of every item is selected.
    pub(super) fn shows_cursors(&self) -> bool {
        let Shape::Connection(connection) = &self.shape else { return false };
        let edges = connection.items.iter().filter_map(|(_, item)| match item {
            ConnectionItem::Edges(edge) => Some(edge),
            _ => None,
        });
        edges.flatten().any(|(_, item)| matches!(item, EdgeItem::Cursor))
    }

    /// What to ask the session for.
    pub(super) fn selection(&self) -> &Selection {
        &self.child.selection
    }
}

/// Selections of the same child under several keys are read together.
fn merge(all: &mut Vec<Node>, more: &[Node]) {
    for node in more {
        match all.iter_mut().find(|known| known.key == node.key && known.name == node.name) {
            Some(known) => merge(&mut known.children, &node.children),
            None => all.push(node.clone()),
        }
    }
}

fn edge_item(node: &Node) -> (Name, EdgeItem) {
    let item = match node.name.as_str() {
        "cursor" => EdgeItem::Cursor,
        "node" => EdgeItem::Node,
        _ => EdgeItem::Typename,
    };
    (node.key.clone(), item)
}

fn path(ctx: &Context<'_>) -> String {
    ctx.item.node.response_key().node.to_string()
}

/// What the session gave, with the plan it was asked by.
pub(super) struct Answer<'a> {
    plan: Plan,
    items: Vec<(String, ChildView)>,
    suggestion: Option<Json>,
    /// By name, what stands beside the child.
    beside: Json,
    has_next: bool,
    has_previous: bool,
    agencies: Agencies,
    session: &'a Session,
    access: &'a AccessSummary,
}

impl<'a> Answer<'a> {
    /// An answer about one child.
    pub(super) async fn one(ctx: &Context<'a>, plan: Plan, view: ChildView) -> async_graphql::Result<Self> {
        Self::new(ctx, plan, Page { items: vec![(String::new(), view)], has_next: false }, false).await
    }

    /// A page of children.
    pub(super) async fn page(
        ctx: &Context<'a>,
        plan: Plan,
        page: Page<ChildView>,
        after: bool,
    ) -> async_graphql::Result<Self> {
        Self::new(ctx, plan, page, after).await
    }

    async fn new(ctx: &Context<'a>, plan: Plan, page: Page<ChildView>, after: bool) -> async_graphql::Result<Self> {
        let session: &Arc<Session> = ctx.data()?;
        let summary: &Arc<AccessSummary> = ctx.data()?;
        let named = page.items.iter().flat_map(|(_, view)| agencies_of(view));
        let agencies = agencies(session, named).await;
        let Page { items, has_next } = page;
        let (suggestion, beside) = (None, Json::Null);
        Ok(Answer {
            plan,
            items,
            suggestion,
            beside,
            has_next,
            has_previous: after,
            agencies,
            session,
            access: summary,
        })
    }

    /// The same with the suggestion that was made or decided on.
    pub(super) async fn with_suggestion(self, view: &SuggestionView) -> Self {
        let agencies = agencies(self.session, suggestion::agencies_of(view)).await;
        Answer { suggestion: Some(suggestion::to_json(view, &agencies)), ..self }
    }

    /// The same with what stands beside the child, by name.
    pub(super) fn with_beside(self, beside: Json) -> Self {
        Answer { beside, ..self }
    }

    /// The session that answers.
    pub(super) fn session(&self) -> &'a Session {
        self.session
    }

    pub(super) fn show(&self) -> Value {
        match &self.plan.shape {
            Shape::Child => self.items.first().map_or(Value::Null, |(_, view)| self.child(view)),
            Shape::Connection(connection) => self.connection(connection),
            Shape::Payload(type_name, items) => {
                let value = |item: &PayloadItem| match item {
                    PayloadItem::Typename => Value::from(*type_name),
                    PayloadItem::Child => self.items.first().map_or(Value::Null, |(_, view)| self.child(view)),
                    PayloadItem::InForceAt => {
                        let at = self.items.first().and_then(|(_, view)| view.in_force_at);
                        at.map_or(Value::Null, |at| Value::from(timestamp(at)))
                    }
                    PayloadItem::Suggestion(below) => {
                        self.suggestion.as_ref().map_or(Value::Null, |json| project(json, "Suggestion", below))
                    }
                    PayloadItem::Beside(name, type_name, below) => {
                        project(self.beside.get(name).unwrap_or(&Json::Null), type_name, below)
                    }
                };
                Value::Object(items.iter().map(|(key, item)| (key.clone(), value(item))).collect())
            }
        }
    }

    fn connection(&self, connection: &Connection) -> Value {
        let value = |item: &ConnectionItem| match item {
            ConnectionItem::Typename => Value::from("ChildConnection"),
            ConnectionItem::Nodes => Value::List(self.items.iter().map(|(_, view)| self.child(view)).collect()),
            ConnectionItem::Edges(edge) => Value::List(self.items.iter().map(|item| self.edge(edge, item)).collect()),
            ConnectionItem::PageInfo(selected) => {
                let info = json!({
                    "hasNextPage": self.has_next,
                    "hasPreviousPage": self.has_previous,
                    "startCursor": self.items.first().map(|(cursor, _)| cursor),
                    "endCursor": self.items.last().map(|(cursor, _)| cursor),
                });
                project(&info, "PageInfo", selected)
            }
        };
        Value::Object(connection.items.iter().map(|(key, item)| (key.clone(), value(item))).collect())
    }

    fn edge(&self, edge: &[(Name, EdgeItem)], (cursor, view): &(String, ChildView)) -> Value {
        let value = |item: &EdgeItem| match item {
            EdgeItem::Typename => Value::from("ChildEdge"),
            EdgeItem::Cursor => Value::from(cursor.as_str()),
            EdgeItem::Node => self.child(view),
        };
        Value::Object(edge.iter().map(|(key, item)| (key.clone(), value(item))).collect())
    }

    fn child(&self, view: &ChildView) -> Value {
        let mut map = IndexMap::with_capacity(self.plan.child.items.len());
        for (key, item) in &self.plan.child.items {
            let value = match item {
                ChildItem::Typename => Value::from("Child"),
                ChildItem::Id => Value::from(view.id.as_str()),
                ChildItem::Section(section, items) => {
                    view.sections.get(section).map_or(Value::Null, |seen| self.section(key, *section, items, seen))
                }
            };
            map.insert(key.clone(), value);
        }
        Value::Object(map)
    }

    fn section(&self, key: &Name, section: Section, items: &[(Name, SectionItem)], view: &SectionView) -> Value {
        let mut map = IndexMap::with_capacity(items.len());
        for (name, item) in items {
            let value = match item {
                SectionItem::Typename => Value::from(section.type_name()),
                SectionItem::Field(id, below) => match view.value(*id) {
                    Some(value) => self.known(*id, value, view, below),
                    None => {
                        self.note_withheld(key, name, *id, view);
                        Value::Null
                    }
                },
                SectionItem::Version => Value::from(view.version.as_str()),
                SectionItem::UpdatedAt => view.updated_at.map_or(Value::Null, |at| Value::from(timestamp(at))),
                SectionItem::UpdatedBy(below) => self.agency(view.updated_by, below),
                SectionItem::PhotoUpload => {
                    view.upload.as_deref().map_or(Value::Null, |handle| photo_url(handle).into())
                }
                SectionItem::Withheld(below) => {
                    let withheld = view.withheld.iter().map(|(id, rule)| self.withheld(*id, *rule)).collect();
                    project(&Json::Array(withheld), "Withheld", below)
                }
                SectionItem::Revisions(first, below) => {
                    let revisions = view
                        .revisions
                        .iter()
                        .take(first.unwrap_or_default())
                        .map(|revision| self.revision(revision))
                        .collect();
                    project(&Json::Array(revisions), "Revision", below)
                }
            };
            map.insert(name.clone(), value);
        }
        Value::Object(map)
    }

    fn known(&self, id: FieldId, value: &Known, view: &SectionView, below: &[Node]) -> Value {
        match (value, id.field().kind) {
            (Known::Photo(photo), _) => {
                let photo = photo_json(photo, view.photo.as_deref().unwrap_or_default());
                project(&photo, "Photo", below)
            }
            (Known::Agency(agency), _) => self.agency(Some(*agency), below),
            (Known::List(items), Kind::Entries(_, entry)) => {
                let items = items.iter().map(|item| self.entry(entry, item)).collect();
                project(&Json::Array(items), entry.type_name, below)
            }
            (value, _) => project(&value.to_json(), "", below),
        }
    }

    /// An entry of a list, with the agencies that it names by their ids put in their place.
    fn entry(&self, entry: &Entry, item: &Json) -> Json {
        let mut item = item.clone();
        for part in agency_parts(entry) {
            if let Some(named) = item.get_mut(part) {
                let id = named.as_str().and_then(|id| id.parse::<AgencyId>().ok());
                *named = id.and_then(|id| self.agencies.get(&id)).cloned().unwrap_or_default();
            }
        }
        item
    }

    fn agency(&self, id: Option<AgencyId>, below: &[Node]) -> Value {
        let agency = id.and_then(|id| self.agencies.get(&id));
        agency.map_or(Value::Null, |agency| project(agency, "Agency", below))
    }

    fn note_withheld(&self, section: &Name, field: &Name, id: FieldId, view: &SectionView) {
        if let Some((_, rule)) = view.withheld_asked.iter().find(|(withheld, _)| *withheld == id) {
            let rule = &self.session.engine().rule(*rule).id;
            self.access.note(format!("{}.{section}.{field}", self.plan.path), rule);
        }
    }

    fn withheld(&self, id: FieldId, rule: RuleId) -> Json {
        let group = id.group();
        let decided: &Rule = self.session.engine().rule(rule);
        let ground = if rule == RuleId::DEFAULT { group.basis } else { decided.basis.as_str() };
        json!({
            "field": id.field().name,
            "number": id.field().number,
            "rule": decided.id,
            "reason": decided.en,
            "reasonSv": decided.sv,
            "legalGround": ground,
            "ask": group.owner.0,
            "askSv": group.owner.1,
        })
    }

    fn revision(&self, revision: &RevisionView) -> Json {
        let change = |(id, value): &(FieldId, Json)| json!({ "field": id.field().name, "value": value });
        json!({
            "at": timestamp(revision.at),
            "by": revision.agency.and_then(|by| self.agencies.get(&by)),
            "changes": revision.changes.iter().map(change).collect::<Vec<_>>(),
            "suggested": revision.suggested,
            "suggestedBy": revision.suggested_by.and_then(|by| self.agencies.get(&by)),
        })
    }
}

fn agencies_of(view: &ChildView) -> impl Iterator<Item = AgencyId> + '_ {
    view.sections.values().flat_map(|section| {
        let values = section.values.iter().flat_map(|(id, value)| match (value, id.field().kind) {
            (Known::Agency(agency), _) => vec![*agency],
            (Known::List(items), Kind::Entries(_, entry)) => {
                let named =
                    items.iter().flat_map(|item| agency_parts(entry).filter_map(|part| item.get(part)?.as_str()));
                named.filter_map(|id| id.parse().ok()).collect()
            }
            _ => Vec::new(),
        });
        let writers =
            section.revisions.iter().flat_map(|revision| revision.agency.into_iter().chain(revision.suggested_by));
        values.chain(writers).chain(section.updated_by)
    })
}

fn agency_parts(entry: &Entry) -> impl Iterator<Item = &'static str> {
    entry.fields.iter().filter(|part| part.kind == Kind::Agency).map(|part| part.name)
}

/// The agencies that an answer names.
pub(super) type Agencies = HashMap<AgencyId, Json>;

/// Looks up the agencies that an answer names.
pub(super) async fn agencies(session: &Session, named: impl Iterator<Item = AgencyId>) -> Agencies {
    let mut agencies = HashMap::new();
    for id in named {
        if !agencies.contains_key(&id)
            && let Ok(Some(agency)) = session.agency(id).await
        {
            agencies.insert(id, agency::to_json(&agency));
        }
    }
    agencies
}

/// Where the photo with this handle is fetched, or sent.
fn photo_url(handle: &str) -> String {
    format!("{PHOTOS}{handle}")
}

/// What is told of a photo, with the handle under which its bytes are fetched.
pub(crate) fn photo_json(photo: &Photo, handle: &str) -> Json {
    let mut json = photo.to_json();
    if let Some(object) = json.as_object_mut() {
        object.insert("url".to_owned(), Json::from(photo_url(handle)));
    }
    json
}

/// An instant as RFC 3339 with microseconds, in UTC.
pub(super) fn timestamp(micros: i64) -> String {
    catalogue::timestamp(micros)
}

macro_rules! output {
    ($(#[$meta:meta])* $name:ident, $graphql:literal) => {
        $(#[$meta])*
        pub(super) struct $name<'a>(pub(super) Answer<'a>);

        impl OutputType for $name<'_> {
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed($graphql)
            }

            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_output_type::<$name<'_>, _>(MetaTypeId::Object, register_guarded($graphql))
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(self.0.show())
            }
        }
    };
}

output!(
    /// `Child`.
    ChildOutput, "Child"
);
output!(
    /// `ChildConnection`.
    ConnectionOutput, "ChildConnection"
);
output!(
    /// `ChildPayload`.
    PayloadOutput, "ChildPayload"
);
output!(
    /// `EpisodePayload`.
    EpisodeOutput, "EpisodePayload"
);
output!(
    /// `AgencyClosurePayload`.
    ClosureOutput, "AgencyClosurePayload"
);
output!(
    /// `ChecklistItemPayload`.
    ItemOutput, "ChecklistItemPayload"
);
output!(
    /// `SuggestionPayload`.
    SuggestionOutput, "SuggestionPayload"
);

fn register_guarded(name: &'static str) -> impl FnMut(&mut Registry) -> async_graphql::registry::MetaType {
    move |registry| {
        <async_graphql::ID as OutputType>::create_type_info(registry);
        access.register(registry);
        match name {
            "ChildConnection" => {
                register_child(registry);
                let info = <async_graphql::connection::PageInfo as OutputType>::create_type_info(registry);
                let edge = vec![
                    FieldType::new("cursor", "String!", "Where the child stands in the list; opaque."),
                    FieldType::new("node", "Child!", "The child."),
                ];
                add(registry, object("ChildEdge", "A child in a list (Relay).", edge));
                let fields = vec![
                    FieldType::new("edges", "[ChildEdge!]!", "The children of the page, with their cursors."),
                    FieldType::new("nodes", "[Child!]!", "The children of the page."),
                    FieldType::new("pageInfo", info, "Whether more follow, and from where."),
                ];
                object(name, "A page of children that the caller may know of (Relay). It has no total.", fields)
            }
            "ChildPayload" => {
                register_child(registry);
                let child = FieldType::new("child", "Child!", "The child as it is after the change.");
                object(name, "What a change of a child gives.", vec![child, in_force_at(registry)])
            }
            "EpisodePayload" => {
                register_child(registry);
                let mut fields = episode::register(registry);
                fields.push(FieldType::new("child", "Child!", "The child as it is now."));
                object(name, "What a step of a missing episode gives.", fields)
            }
            "AgencyClosurePayload" => {
                register_child(registry);
                let mut fields = episode::register(registry);
                fields.push(episode::register_warning(registry));
                fields.push(FieldType::new("child", "Child!", "The child as it is now."));
                object(name, "What recording an agency's own closure gives.", fields)
            }
            "ChecklistItemPayload" => {
                register_child(registry);
                let child = FieldType::new("child", "Child!", "The child as it is now.");
                object(
                    name,
                    "What a change to an item of a checklist gives.",
                    vec![checklist::item_field(registry), child],
                )
            }
            "SuggestionPayload" => {
                register_child(registry);
                suggestion::register(registry);
                let fields = vec![
                    FieldType::new("suggestion", "Suggestion!", "The suggestion as it is now."),
                    FieldType::new("child", "Child!", "The child as it is now."),
                    in_force_at(registry),
                ];
                object(name, "What making a suggestion or deciding on it gives.", fields)
            }
            _ => child_type(registry),
        }
    }
}

fn in_force_at(registry: &mut Registry) -> FieldType {
    <chrono::DateTime<chrono::Utc> as OutputType>::create_type_info(registry);
    let description = "If the change is one of who may see what (protection, where the child stays): from when no answer that was \
                       decided before leaves any node of the hub (*gäller från*). Else null.";
    FieldType::new("inForceAt", "DateTime", description)
}

fn register_child(registry: &mut Registry) {
    <ChildOutput<'_> as OutputType>::create_type_info(registry);
}

fn child_type(registry: &mut Registry) -> async_graphql::registry::MetaType {
    register_details(registry);
    let mut fields = vec![FieldType::new(
        "id",
        "ID!",
        "The id of the child in the hub (F01): `child_…`. Agencies share it; a partner organisation has one of its own.",
    )];
    for section in Section::ALL {
        let meta = section_type(registry, section);
        add(registry, meta);
        fields.push(FieldType::new(section.name(), section.type_name(), section.description()));
    }
    object(
        "Child",
        "An unaccompanied child (*ensamkommande barn*): one shared record, as the caller may see it.",
        fields,
    )
}

/// The fields of a section that are not in the catalogue: they speak of the visible part only.
pub(super) const BOOKKEEPING: [&str; 5] = ["version", "updatedAt", "updatedBy", "withheld", "revisions"];

/// Where the caller sends a photo: it tells of the caller's own right, and nothing of the child.
pub(super) const PHOTO_UPLOAD: &str = "photoUpload";

fn section_type(registry: &mut Registry, section: Section) -> async_graphql::registry::MetaType {
    let mut fields: Vec<FieldType> = section.fields().map(|id| guarded_field(registry, id)).collect();
    let [version, updated_at, updated_by, withheld, revisions] = BOOKKEEPING;
    fields.push(FieldType::new(
        version,
        "String!",
        "An opaque tag over the part of the section that the caller may see; `expectedVersion` of an update.",
    ));
    fields.push(FieldType::new(updated_at, "DateTime", "When that part last changed (*senast ändrad*)."));
    fields.push(FieldType::new(
        updated_by,
        "Agency",
        "Which agency changed it (*ändrad av*); null where that would tell what is withheld.",
    ));
    fields.push(FieldType::new(
        withheld,
        "[Withheld!]!",
        "The fields of the section that are withheld from the caller, and why. What is withheld is not empty.",
    ));
    let mut revisions = FieldType::new(
        revisions,
        "[Revision!]!",
        "Who wrote what when (*historik*), latest first, under the same rules.",
    );
    revisions.args.push(input_value("first", "Int", "How many at most, from 1 to 100 (*antal*).", Some("20")));
    fields.push(revisions);
    if section == Section::Description {
        fields.push(FieldType::new(
            PHOTO_UPLOAD,
            "String",
            "Where you send a photo (*skicka fotografi*), below the hub's own address: `PUT` with `Content-Type`, \
             `Samverka-Photo-Taken-On` and the section's `version` in `If-Match`. Null if you may not.",
        ));
    }
    object(section.type_name(), section.description(), fields)
}

fn guarded_field(registry: &mut Registry, id: FieldId) -> FieldType {
    let field = id.field();
    register(registry, field.kind);
    let description = format!("{} ({}, *{}*)", field.en, field.number, field.sv);
    let mut meta = FieldType::new(field.name, type_name(field.kind, false), description);
    meta.directives.push(access_of(id));
    meta
}

fn access_of(id: FieldId) -> MetaDirectiveInvocation {
    access::apply(id.field().number.to_owned(), format!("read.{id}"), id.field().group.to_owned())
}

pub(super) fn register_details(registry: &mut Registry) {
    <Date as InputType>::create_type_info(registry);
    <agency::AgencyObject as OutputType>::create_type_info(registry);
    <chrono::DateTime<chrono::Utc> as OutputType>::create_type_info(registry);
    <async_graphql::Json<Json> as OutputType>::create_type_info(registry);
    let withheld = vec![
        FieldType::new("field", "String!", "The field of the section."),
        FieldType::new("number", "String!", "Its number in the domain's list: `F31`."),
        FieldType::new(
            "rule",
            "String!",
            "The rule that decided; `fieldRules` shows it. `default-deny` where no rule opens the field.",
        ),
        FieldType::new("reason", "String!", "Why, in English."),
        FieldType::new("reasonSv", "String!", "Why, in Swedish (*skäl*)."),
        FieldType::new("legalGround", "String!", "The statute it rests on (*lagrum*)."),
        FieldType::new("ask", "String!", "Whom to ask for it, in English."),
        FieldType::new("askSv", "String!", "Whom to ask for it, in Swedish (*fråga*)."),
    ];
    add(registry, object("Withheld", "A field that is withheld, and why (*sekretess*).", withheld));
    let change = vec![
        FieldType::new("field", "String!", "The field that was written."),
        FieldType::new("value", "JSON", "Its new value; null where it was emptied."),
    ];
    add(registry, object("RevisionChange", "A field in a write (*ändring*).", change));
    let revision = vec![
        FieldType::new("at", "DateTime!", "When it was written."),
        FieldType::new("by", "Agency", "Which agency wrote; null where that would tell what is withheld."),
        FieldType::new("changes", "[RevisionChange!]!", "What it wrote, as far as the caller may see it."),
        FieldType::new("suggested", "Boolean!", "Whether somebody suggested it who may not write (*föreslagen*)."),
        FieldType::new(
            "suggestedBy",
            "Agency",
            "Which agency suggested it; null where that would tell what is withheld.",
        ),
    ];
    add(registry, object("Revision", "One write to a section (*revision*).", revision));
}
