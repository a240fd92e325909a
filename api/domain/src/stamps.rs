//! When each field last changed, and by whom: what versions and `updatedAt` are made of.
//!
//! A stamp counts the changes of its own field only. So the version a caller sees, made from the
//! stamps of the fields that caller may see, does not move when a hidden one changes.

use crate::ids::AgencyId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How often a field changed, when last (microseconds since 1970), and by which agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp(pub(crate) u32, pub(crate) i64, Uuid);

impl Stamp {
    pub(crate) fn agency(self) -> AgencyId {
        AgencyId(self.2)
    }
}

/// The stamps of a row, by column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamps(BTreeMap<String, Stamp>);

impl Stamps {
    pub(crate) fn get(&self, column: &str) -> Option<Stamp> {
        self.0.get(column).copied()
    }

    /// Notes a change of a column.
    pub(crate) fn touch(&mut self, column: &str, at: i64, agency: AgencyId) {
        let changes = self.get(column).map_or(0, |stamp| stamp.0);
        self.0.insert(column.to_owned(), Stamp(changes.saturating_add(1), at, agency.0));
    }

    /// Reads stamps as they are stored; what cannot be read counts as never changed.
    pub(crate) fn from_json(json: serde_json::Value) -> Self {
        serde_json::from_value(json).unwrap_or_default()
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
