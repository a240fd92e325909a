//! The selection, planned once: what to ask the session for, and where it goes in the answer.

use super::child::PHOTO_UPLOAD;
use async_graphql::parser::types::{Field, Selection as Selected, SelectionSet};
use async_graphql::{Context, Name, Positioned};
use samverka_domain::catalogue::{FieldId, FieldSet, Section};
use samverka_domain::view::{SectionSelection, Selection};

/// A selected field with what is selected below it. Fields with one response key are merged.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) key: Name,
    pub(super) name: String,
    pub(super) children: Vec<Node>,
    pub(super) field: Positioned<Field>,
}

impl Node {
    /// The type of the plain object below, for `__typename`.
    pub(super) fn type_name(&self) -> &'static str {
        match self.name.as_str() {
            "by" | "updatedBy" | "suggestedBy" | "decidedBy" | "agency" | "from" | "to" | "assignedTo" | "doneBy" => {
                "Agency"
            }
            "fromAgency" | "toAgency" | "receiver" => "Agency",
            "changes" => "RevisionChange",
            "checklist" => "Checklist",
            "edges" => "SuggestionEdge",
            "node" | "nodes" => "Suggestion",
            "episode" => "Episode",
            "fields" => "SuggestedField",
            "item" | "items" => "ChecklistItem",
            "minimumReport" => "MinimumReport",
            "pageInfo" => "PageInfo",
            "details" => "HandoverDetails",
            "receipt" => "HandoverReceipt",
            "onAcceptance" | "onArrival" => "SectionReadiness",
            "unfinished" => "UnfinishedItem",
            "withheld" => "Withheld",
            "lead" | "responsible" | "whereabouts" | "history" => "ResponsibilityPeriod",
            "warning" => "ClosureWarning",
            _ => "",
        }
    }

    /// The node selected below under this field name, for paths.
    pub(super) fn below<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |node| node.name == name)
    }
}

/// The selection below the field of a context, fragments put in place.
pub(super) fn nodes(ctx: &Context<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    collect(ctx, &ctx.item.node.selection_set.node, &mut nodes);
    nodes
}

fn collect(ctx: &Context<'_>, selection: &SelectionSet, nodes: &mut Vec<Node>) {
    for item in &selection.items {
        match &item.node {
            Selected::Field(field) => {
                let key = field.node.response_key().node.clone();
                let position = nodes.iter().position(|node| node.key == key).unwrap_or_else(|| {
                    let name = field.node.name.node.to_string();
                    nodes.push(Node { key, name, children: Vec::new(), field: field.clone() });
                    nodes.len() - 1
                });
                if let Some(node) = nodes.get_mut(position) {
                    collect(ctx, &field.node.selection_set.node, &mut node.children);
                }
            }
            // Every guarded type is an object, so a type condition that is valid always holds.
            Selected::InlineFragment(fragment) => collect(ctx, &fragment.node.selection_set.node, nodes),
            Selected::FragmentSpread(spread) => {
                if let Some(fragment) = ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                    collect(ctx, &fragment.node.selection_set.node, nodes);
                }
            }
        }
    }
}

/// What is selected of a child.
#[derive(Clone, Debug, Default)]
pub(super) struct ChildPlan {
    pub(super) items: Vec<(Name, ChildItem)>,
    pub(super) selection: Selection,
    /// `first` of some `revisions` is outside 1–100.
    pub(super) wrong_page: bool,
}

#[derive(Clone, Debug)]
pub(super) enum ChildItem {
    Typename,
    Id,
    Section(Section, Vec<(Name, SectionItem)>),
}

#[derive(Clone, Debug)]
pub(super) enum SectionItem {
    Typename,
    Field(FieldId, Vec<Node>),
    Version,
    UpdatedAt,
    UpdatedBy(Vec<Node>),
    PhotoUpload,
    Withheld(Vec<Node>),
    /// How many at most, if that is a number of 1–100.
    Revisions(Option<usize>, Vec<Node>),
}

impl ChildPlan {
    /// Plans what is selected of a child.
    pub(super) fn new(ctx: &Context<'_>, nodes: &[Node]) -> Self {
        let mut plan = ChildPlan::default();
        for node in nodes {
            let item = match (node.name.as_str(), Section::by_name(&node.name)) {
                ("__typename", _) => ChildItem::Typename,
                (_, Some(section)) => {
                    let items = section_items(ctx, section, &node.children);
                    let wrong = |(_, item): &(Name, SectionItem)| matches!(item, SectionItem::Revisions(None, _));
                    plan.wrong_page |= items.iter().any(wrong);
                    let asked = plan.selection.sections.entry(section).or_default();
                    items.iter().for_each(|(_, item)| ask(asked, item));
                    ChildItem::Section(section, items)
                }
                _ => ChildItem::Id,
            };
            plan.items.push((node.key.clone(), item));
        }
        plan
    }
}

fn section_items(ctx: &Context<'_>, section: Section, nodes: &[Node]) -> Vec<(Name, SectionItem)> {
    let item = |node: &Node| {
        let below = || node.children.clone();
        let item = match node.name.as_str() {
            "__typename" => SectionItem::Typename,
            "version" => SectionItem::Version,
            "updatedAt" => SectionItem::UpdatedAt,
            "updatedBy" => SectionItem::UpdatedBy(below()),
            PHOTO_UPLOAD if section == Section::Description => SectionItem::PhotoUpload,
            "withheld" => SectionItem::Withheld(below()),
            "revisions" => SectionItem::Revisions(first(ctx, node), below()),
            name => SectionItem::Field(section.field(name)?, below()),
        };
        Some((node.key.clone(), item))
    };
    nodes.iter().filter_map(item).collect()
}

/// `first` of `revisions`, if it is from 1 to 100; 20 where it is not given.
fn first(ctx: &Context<'_>, node: &Node) -> Option<usize> {
    let given = ctx.with_field(&node.field).param_value::<Option<i32>>("first", None).ok()?;
    usize::try_from(given.1.unwrap_or(20)).ok().filter(|first| (1..=100).contains(first))
}

fn ask(asked: &mut SectionSelection, item: &SectionItem) {
    match item {
        SectionItem::Field(id, _) => asked.fields = asked.fields | FieldSet::from_iter([*id]),
        SectionItem::Version | SectionItem::UpdatedAt | SectionItem::UpdatedBy(_) => asked.stamps = true,
        SectionItem::Revisions(..) => asked.revisions = true,
        SectionItem::PhotoUpload => asked.upload = true,
        SectionItem::Typename | SectionItem::Withheld(_) => {}
    }
}
