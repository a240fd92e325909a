//! `extensions.access`: what was withheld from the answer, summed up with wildcard paths for lists.

use async_graphql::{Name, Value};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What was withheld while one operation ran: how often, by path and rule.
#[derive(Debug, Default)]
pub struct AccessSummary(Mutex<BTreeMap<(String, String), u32>>);

impl AccessSummary {
    pub(super) fn note(&self, path: String, rule: &str) {
        let mut withheld = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = withheld.entry((path, rule.to_owned())).or_default();
        *count = count.saturating_add(1);
    }

    /// The summary as a GraphQL value; none where nothing was withheld.
    pub fn to_value(&self) -> Option<Value> {
        let withheld = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if withheld.is_empty() {
            return None;
        }
        let entry = |((path, rule), count): (&(String, String), &u32)| {
            let entry = [
                (Name::new("path"), Value::from(path.as_str())),
                (Name::new("code"), Value::from("WITHHELD")),
                (Name::new("rule"), Value::from(rule.as_str())),
                (Name::new("count"), Value::from(*count)),
            ];
            Value::Object(entry.into_iter().collect())
        };
        Some(Value::List(withheld.iter().map(entry).collect()))
    }
}
