//! Suggested corrections, as the session's views tell of them.

use super::child::{Agencies, agencies, register_details, timestamp};
use super::json::project;
use super::plan::nodes;
use super::scalars::add;
use super::types::{FieldType, enumeration, object};
use async_graphql::connection::PageInfo;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::{ContextSelectionSet, Enum, InputType, OutputType, Positioned, ServerResult, Value};
use samverka_domain::ids::AgencyId;
use samverka_domain::session::Session;
use samverka_domain::suggestion::{Change, Outcome, State};
use samverka_domain::view::{Page, SuggestedView, SuggestionView};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// What became of a suggestion, as far as you see its fields (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(super) enum SuggestionState {
    /// A field of it is open (*öppet*).
    Open,
    /// Every field was accepted (*godtaget*).
    Accepted,
    /// Some fields were accepted, the others declined (*delvis godtaget*).
    PartlyAccepted,
    /// Every field was declined (*avslaget*).
    Declined,
}

/// A page of suggestions.
pub(super) struct SuggestionsOutput(Json);

impl SuggestionsOutput {
    pub(super) async fn of(session: &Session, page: &Page<SuggestionView>, after: bool) -> Self {
        let named = page.items.iter().flat_map(|(_, view)| agencies_of(view));
        let agencies = agencies(session, named).await;
        let nodes: Vec<Json> = page.items.iter().map(|(_, view)| to_json(view, &agencies)).collect();
        let edge = |((cursor, _), node): (&(String, SuggestionView), &Json)| json!({ "cursor": cursor, "node": node });
        let edges: Vec<Json> = page.items.iter().zip(&nodes).map(edge).collect();
        let info = json!({
            "hasNextPage": page.has_next,
            "hasPreviousPage": after,
            "startCursor": page.items.first().map(|(cursor, _)| cursor),
            "endCursor": page.items.last().map(|(cursor, _)| cursor),
        });
        SuggestionsOutput(json!({ "nodes": nodes, "edges": edges, "pageInfo": info }))
    }
}

impl OutputType for SuggestionsOutput {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("SuggestionConnection")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            register(registry);
            let info = <PageInfo as OutputType>::create_type_info(registry);
            let edge = vec![
                FieldType::new("cursor", "String!", "Where the suggestion stands in the list; opaque."),
                FieldType::new("node", "Suggestion!", "The suggestion."),
            ];
            add(registry, object("SuggestionEdge", "A suggestion in a list (Relay).", edge));
            let fields = vec![
                FieldType::new("edges", "[SuggestionEdge!]!", "The suggestions of the page, with their cursors."),
                FieldType::new("nodes", "[Suggestion!]!", "The suggestions of the page."),
                FieldType::new("pageInfo", info, "Whether more follow, and from where."),
            ];
            object("SuggestionConnection", "A page of suggestions (Relay). It has no total.", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let selected = nodes(&ctx.with_field(field));
        Ok(project(&self.0, &Self::type_name(), &selected))
    }
}

/// The agencies that a suggestion names.
pub(super) fn agencies_of(view: &SuggestionView) -> impl Iterator<Item = AgencyId> + '_ {
    view.by.into_iter().chain(view.fields.iter().filter_map(|field| field.decided_by))
}

/// A suggestion, with the names of the fields of `Suggestion`.
pub(super) fn to_json(view: &SuggestionView, agencies: &Agencies) -> Json {
    let SuggestionView { id, section, state, at, by, comment, fields } = view;
    let named = |id: &Option<AgencyId>| id.and_then(|id| agencies.get(&id));
    let field = |field: &SuggestedView| {
        let SuggestedView { field, change, value, outcome, decided_at, decided_by, reason } = field;
        json!({
            "field": field.field().name,
            "number": field.field().number,
            "change": change.code(),
            "value": value,
            "state": outcome.code(),
            "decidedAt": decided_at.map(timestamp),
            "decidedBy": named(decided_by),
            "reason": reason,
        })
    };
    json!({
        "id": id,
        "section": section.name(),
        "state": state.code(),
        "at": timestamp(*at),
        "by": named(by),
        "comment": comment,
        "fields": fields.iter().map(field).collect::<Vec<_>>(),
    })
}

/// Puts `Suggestion` and what is in it into the registry.
pub(super) fn register(registry: &mut Registry) {
    register_details(registry);
    <async_graphql::ID as OutputType>::create_type_info(registry);
    <SuggestionState as InputType>::create_type_info(registry);
    let change = |change: Change, en: &str| (change.code(), en.to_owned());
    let changes = [
        change(Change::Set, "The value takes the place of what is there (*sätt*)."),
        change(
            Change::Add,
            "The items are added to those that are there (*lägg till*): whoever gave them could not see those.",
        ),
        change(Change::Clear, "The field is emptied (*töm*)."),
    ];
    add(
        registry,
        enumeration("SuggestedChange", "What a suggestion would do to a field (*ändring*).", changes.into_iter()),
    );
    let outcome = |outcome: Outcome, en: &str| (outcome.code(), en.to_owned());
    let outcomes = [
        outcome(Outcome::Open, "Nobody has decided on it (*öppet*)."),
        outcome(Outcome::Accepted, "It was written into the record (*godtaget*)."),
        outcome(Outcome::Declined, "It was not (*avslaget*)."),
    ];
    let description = "What became of a field of a suggestion (*läge*).";
    add(registry, enumeration("SuggestedFieldState", description, outcomes.into_iter()));
    let fields = vec![
        FieldType::new("field", "String!", "The field of the section (*fält*)."),
        FieldType::new("number", "String!", "Its number in the domain's list: `F31`."),
        FieldType::new("change", "SuggestedChange!", "What would be done to it (*ändring*)."),
        FieldType::new(
            "value",
            "JSON",
            "The value that is proposed (*värde*); null where it would be emptied, or the field is not shown to you.",
        ),
        FieldType::new(
            "state",
            "SuggestedFieldState!",
            "What became of it (*läge*). A field of which even the existence is secret stays OPEN to whoever handed it in.",
        ),
        FieldType::new("decidedAt", "DateTime", "When that was decided (*avgjort*)."),
        FieldType::new("decidedBy", "Agency", "By which agency; null where that would tell what is withheld."),
        FieldType::new(
            "reason",
            "String",
            "Why it was declined (*skäl*), for whoever made the suggestion and whoever declined it.",
        ),
    ];
    add(registry, object("SuggestedField", "A field of a suggestion; each is decided by itself (*fält*).", fields));
    let fields = vec![
        FieldType::new("id", "ID!", "The id of the suggestion: `suggestion_…`."),
        FieldType::new("section", "String!", "The section it would correct (*avsnitt*), as `Child` names it."),
        FieldType::new("state", "SuggestionState!", "What became of the fields that are here (*läge*)."),
        FieldType::new("at", "DateTime!", "When it was made (*lämnat*)."),
        FieldType::new(
            "by",
            "Agency",
            "Which agency made it (*lämnat av*); null where that would tell what is withheld.",
        ),
        FieldType::new(
            "comment",
            "String",
            "The words beside it (*kommentar*), for whoever may see every field of it, and whoever made it.",
        ),
        FieldType::new(
            "fields",
            "[SuggestedField!]!",
            "Its fields, as far as they are shown to you, and of your own all.",
        ),
    ];
    add(
        registry,
        object("Suggestion", "A suggested correction (*föreslagen rättelse*), as far as you may see it.", fields),
    );
}
