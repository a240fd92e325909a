//! What has changed, and what is overdue, as the session's views tell of it.

use super::agency::AgencyObject;
use super::child::timestamp;
use super::types::enumeration;
use async_graphql::connection::PageInfo;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::{ContextSelectionSet, ID, Name, OutputType, Positioned, ServerResult, SimpleObject, Value};
use samverka_domain::feed::EventKind;
use samverka_domain::session::{ChangeView, Changes, OverdueView, Session};
use samverka_domain::view::Page;
use std::borrow::Cow;

/// What happened: the table of the domain as an enum.
pub(super) struct Kind(EventKind);

impl OutputType for Kind {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("ChangeKind")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Enum, |_| {
            let value = |kind: &EventKind| {
                let (en, sv) = kind.words();
                (kind.code(), format!("{en} (*{sv}*)."))
            };
            enumeration("ChangeKind", "What happened (*händelse*).", EventKind::ALL.iter().map(value))
        })
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Enum(Name::new(self.0.code())))
    }
}

/// An instant, in microseconds since 1970: a `DateTime`, told as all others are.
#[derive(Clone, Copy)]
struct Instant(i64);

impl OutputType for Instant {
    fn type_name() -> Cow<'static, str> {
        <chrono::DateTime<chrono::Utc> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <chrono::DateTime<chrono::Utc> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::String(timestamp(self.0)))
    }
}

/// A page of the stream of changes (*ändringar*).
#[derive(SimpleObject)]
#[graphql(name = "ChangesConnection")]
pub(super) struct ChangesObject {
    /// The changes of the page, in their order; none where nothing that you may know of has changed.
    nodes: Vec<Change>,
    /// Where the next page begins, whether this one holds anything or not; opaque, and another text each time. Keep it.
    cursor: String,
    /// Whether there is more to read now. A page goes through so much of the hub's stream and no more: it may hold fewer than
    /// you asked for, or none, and be followed by others.
    has_more: bool,
}

/// A change (*ändring*), as far as you may know of it. It holds no values.
#[derive(SimpleObject)]
struct Change {
    /// The id of the event, yours alone: the same whenever you read it.
    id: ID,
    /// Where the next page begins if you stop after this one; opaque.
    cursor: String,
    /// What happened (*händelse*); SECTION_CHANGED where you are shown a part of what changed, and not what it was a part of.
    kind: Kind,
    /// When (*tidpunkt*).
    at: Instant,
    /// The id of the child, if you may know of it now.
    child_id: Option<ID>,
    /// The sections that changed, or that it is about, as far as you are shown a field of that (*avsnitt*).
    sections: Vec<ChangedSection>,
    /// The id of the handover, to its parties (*överlämning*).
    handover_id: Option<ID>,
    /// The id of the missing episode, if you may know of it (*försvinnande*).
    episode_id: Option<ID>,
    /// The id of the item of a checklist, to whom it is addressed (*punkt i checklista*).
    item_id: Option<ID>,
}

/// A section that changed (*avsnitt*).
#[derive(SimpleObject)]
struct ChangedSection {
    /// The section, as `Child` names it.
    section: String,
    /// Its version as you see it now, which other changes may have moved since.
    version: String,
}

impl From<Changes> for ChangesObject {
    fn from(changes: Changes) -> Self {
        let Changes { items, cursor, has_more } = changes;
        ChangesObject { nodes: items.into_iter().map(Change::from).collect(), cursor, has_more }
    }
}

impl From<ChangeView> for Change {
    fn from(view: ChangeView) -> Self {
        let ChangeView { id, cursor, kind, at, child, sections, handover, episode, item } = view;
        let section = |(section, version): (samverka_domain::catalogue::Section, String)| ChangedSection {
            section: section.name().to_owned(),
            version,
        };
        Change {
            id: ID(id),
            cursor,
            kind: Kind(kind),
            at: Instant(at),
            child_id: child.map(ID),
            sections: sections.into_iter().map(section).collect(),
            handover_id: handover.map(ID),
            episode_id: episode.map(ID),
            item_id: item.map(ID),
        }
    }
}

/// A page of overdue handovers (Relay). It has no total.
#[derive(SimpleObject)]
#[graphql(name = "OverdueHandoverConnection")]
pub(super) struct OverdueConnection {
    /// The handovers of the page, with their cursors.
    edges: Vec<OverdueEdge>,
    /// The handovers of the page.
    nodes: Vec<Overdue>,
    /// Whether more follow, and from where.
    page_info: PageInfo,
}

/// An overdue handover in a page (Relay).
#[derive(SimpleObject)]
#[graphql(name = "OverdueHandoverEdge")]
struct OverdueEdge {
    /// Where the handover stands in the list; opaque.
    cursor: String,
    /// The handover.
    node: Overdue,
}

/// A handover whose expected arrival has passed without anybody confirming it (*försenad överlämning*). It does not tell who
/// the child is.
#[derive(Clone, SimpleObject)]
#[graphql(name = "OverdueHandover")]
struct Overdue {
    /// The id of the handover, to its parties.
    id: Option<ID>,
    /// What kind of handover it is (*typ*).
    kind: String,
    /// Who hands over (*från*).
    from: Option<AgencyObject>,
    /// Who receives (*till*).
    to: Option<AgencyObject>,
    /// When the child was expected (*väntad*).
    expected_at: Instant,
    /// Since when the handover is overdue (*försenad sedan*).
    overdue_since: Instant,
}

impl OverdueConnection {
    pub(super) async fn of(session: &Session, page: Page<OverdueView>, after: bool) -> Self {
        let mut edges = Vec::with_capacity(page.items.len());
        for (cursor, view) in page.items {
            let OverdueView { id, kind, from, to, expected_at, overdue_at } = view;
            let mut named = Vec::new();
            for id in [from, to] {
                named.push(session.agency(id).await.ok().flatten().map(|agency| AgencyObject::from(&*agency)));
            }
            let (to, from) = (named.pop().flatten(), named.pop().flatten());
            let (expected_at, overdue_since) = (Instant(expected_at), Instant(overdue_at));
            let node = Overdue { id: id.map(ID), kind, from, to, expected_at, overdue_since };
            edges.push(OverdueEdge { cursor, node });
        }
        let mut page_info =
            PageInfo { has_previous_page: after, has_next_page: page.has_next, start_cursor: None, end_cursor: None };
        page_info.start_cursor = edges.first().map(|edge| edge.cursor.clone());
        page_info.end_cursor = edges.last().map(|edge| edge.cursor.clone());
        OverdueConnection { nodes: edges.iter().map(|edge| edge.node.clone()).collect(), edges, page_info }
    }
}
