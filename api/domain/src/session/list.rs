//! Lists of children: find in the list table, decide by the record, reveal.

use super::{Session, page_size};
use crate::error::{Error, ErrorCode};
use crate::gate::Gate;
use crate::leak::Leak;
use crate::list::{Comparison, Condition, Filter, Listing, Order, Place};
use crate::view::{ChildView, Page, Selection};
use std::collections::HashMap;
use uuid::Uuid;

/// Which children a list shall hold, in which order, and which part of it.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// The children that qualify; all where there is none.
    pub filter: Option<Filter>,
    /// The order; one that means nothing where there is none.
    pub order: Option<Order>,
    /// How many at most, from 1 to 100; 25 where it is not given.
    pub first: Option<i32>,
    /// The cursor of the last child before.
    pub after: Option<String>,
    /// Give the cursor of every child, not only of the first and the last.
    pub every_cursor: bool,
}

impl Session {
    /// The children that the caller may know of. A withheld value never matches a filter, nor its opposite, and comes last
    /// in an order, as an absent one does.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for a filter or an order by a field that the caller may search in no child, whatever children there
    /// are; `FILTER_TOO_LARGE`; values that cannot be one; `PAGE_SIZE`; `INVALID_CURSOR` for a cursor of another caller,
    /// filter or order; `PURPOSE_REQUIRED`.
    pub async fn children(&self, request: ListRequest, selection: &Selection) -> Result<Page<ChildView>, Error> {
        let result = async {
            let ListRequest { filter, order, first, after, every_cursor } = request;
            let rules = self.hub.engine.list_rules(self.caller.role, self.purpose()?);
            let listing = if self.hub.leaks.planted(Leak::HiddenMatches) {
                Listing::read(&rules.careless(), filter, order)?
            } else {
                Listing::read(&rules, filter, order)?
            };
            let size = page_size(first)?;
            let list = format!("children|{listing:?}");
            let after = after.map(|cursor| self.place(&list, &cursor)).transpose()?;
            let (mut found, places) = self.found(&listing, after, size + 1).await?;
            let has_next = found.len() > size;
            self.confirm(&found, &listing);
            self.tell_of(&listing).await?;
            found.truncate(size);
            let views = self.reveal(found, selection).await?;
            let last = views.len().saturating_sub(1);
            let cursor = |(index, (child, view)): (usize, (Uuid, ChildView))| {
                let place = places.get(&child).filter(|_| every_cursor || index == 0 || index == last);
                (place.map(|place| self.cursor(&list, &place.to_bytes())).unwrap_or_default(), view)
            };
            Ok(Page { items: views.into_iter().enumerate().map(cursor).collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// The next children of a list, so many if there are, and where they stand in it. The list table proposes, the record
    /// decides: a child whose row is not what its record says is left out.
    async fn found(
        &self,
        listing: &Listing,
        mut after: Option<Place>,
        wanted: usize,
    ) -> Result<(Vec<Gate<'_>>, HashMap<Uuid, Place>), Error> {
        let agency = self.caller.agency.id;
        let reader = self.reader().await?;
        let (mut gates, mut places) = (Vec::with_capacity(wanted), HashMap::with_capacity(wanted));
        while gates.len() < wanted {
            let limit = wanted - gates.len();
            let page = if listing.filter.as_ref().and_then(Condition::constant) == Some(false) {
                Vec::new()
            } else if self.rests_on_consent() {
                reader.consented(agency, after.as_ref(), limit as u64, self.now).await?
            } else {
                reader.listed(agency, listing, after.as_ref(), limit as u64, self.now).await?
            };
            let children: Vec<Uuid> = page.iter().map(|place| place.child).collect();
            gates.extend(self.known(&reader, &children).await?);
            after = page.last().cloned();
            places.extend(page.into_iter().map(|place| (place.child, place)));
            if children.len() < limit || self.hub.leaks.planted(Leak::UnknownTakesPlace) {
                break;
            }
        }
        Ok((gates, places))
    }

    /// A filter tells something of the children that it leaves out, too. The log keeps what was compared, blinded, and tells
    /// it of each child that a number in the filter points at.
    async fn tell_of(&self, listing: &Listing) -> Result<(), Error> {
        for comparison in listing.comparisons() {
            let (field, operator, value) = comparison.parts();
            let value = data_encoding::HEXLOWER.encode(&value);
            let blinded = self.hub.keys.blind(&["searched", &field.to_string(), operator.name(), &value]);
            self.note(|draft| draft.search(format!("{field} {} {blinded}", operator.name())));
            if let Comparison::HasNumber(kind, number) = comparison {
                let reader = self.reader().await?;
                let pointed_at =
                    reader.children_by_identifier(*kind, number, Some((self.caller.agency.id, self.now))).await?;
                self.confirm(&self.known(&reader, &pointed_at).await?, listing);
            }
        }
        Ok(())
    }

    /// A child that a filter finds, or an order places, has something of its fields confirmed: the log tells it. So it does
    /// of the one child more that tells whether there is a next page.
    fn confirm(&self, found: &[Gate<'_>], listing: &Listing) {
        for gate in found {
            for id in listing.confirms.iter().filter(|id| gate.finds_by(*id)) {
                self.note(|draft| draft.show(gate.standing().subject, gate.found_by(id)));
            }
        }
    }

    fn place(&self, list: &str, cursor: &str) -> Result<Place, Error> {
        let position = self.position(list, cursor)?;
        Place::from_bytes(&position).ok_or_else(|| Error::refused(ErrorCode::InvalidCursor, ["after"]))
    }
}
