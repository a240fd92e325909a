//! Who looked at a child while it was missing.

use super::agency::AgencyObject;
use super::consent::named;
use super::page::connection;
use super::query::Role;
use super::scalars::Instant;
use async_graphql::SimpleObject;
use samverka_domain::session::{LookupView, Session};
use samverka_domain::view::Page;

/// That an agency looked at a child while it was missing (*slagning*): who and when, not why.
#[derive(Clone, SimpleObject)]
pub(super) struct Lookup {
    /// Who looked (*aktör*).
    agency: Option<AgencyObject>,
    /// In which role (*roll*).
    role: Role,
    /// The first look of the hour (*tidpunkt*).
    at: Instant,
}

connection!(
    LookupConnection,
    LookupEdge,
    Lookup,
    "A page of looks (Relay). It has no total.",
    "An entry of the list (Relay)."
);

impl LookupConnection {
    pub(super) async fn of(session: &Session, page: Page<LookupView>, is_later: bool) -> Self {
        let mut items = Vec::with_capacity(page.items.len());
        for (cursor, view) in page.items {
            let agency = named(session, view.agency).await;
            items.push((cursor, Lookup { agency, role: view.role.into(), at: Instant(view.at) }));
        }
        Self::new(items, page.has_next, is_later)
    }
}
