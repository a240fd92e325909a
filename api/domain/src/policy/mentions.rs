//! What a rule looks at in a situation, read from its conditions.

use super::Rule;
use cedar_policy::Policy;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What a rule looks at, and which codes it names.
#[derive(Default)]
pub(super) struct Mentions {
    attributes: BTreeSet<String>,
    /// Kind and code: `Relation`, `NONE`.
    codes: BTreeSet<(String, String)>,
    /// It looks at the context or the child as a whole, or cannot be read.
    everything: bool,
}

impl Mentions {
    pub(super) fn of(rule: &Rule) -> Self {
        let mut mentions = Mentions::default();
        if !rule.text.is_empty() {
            match Policy::parse(None, &rule.text).ok().and_then(|policy| policy.to_json().ok()) {
                Some(json) => json.get("conditions").into_iter().for_each(|conditions| mentions.read(conditions)),
                None => mentions.everything = true,
            }
        }
        mentions
    }

    fn read(&mut self, json: &Json) {
        match json {
            Json::Array(parts) => parts.iter().for_each(|part| self.read(part)),
            Json::Object(parts) => {
                if let Some(attribute) = attribute(json) {
                    self.attributes.insert(attribute.to_owned());
                } else if is_situation(json) {
                    self.everything = true;
                } else if let Some((kind, code)) = code(json) {
                    self.codes.insert((kind.to_owned(), code.to_owned()));
                } else {
                    parts.values().for_each(|part| self.read(part));
                }
            }
            _ => {}
        }
    }

    pub(super) fn looks_at(&self, attribute: &str) -> bool {
        self.everything || self.attributes.contains(attribute)
    }

    pub(super) fn names(&self, kind: &str, code: &str) -> bool {
        self.everything || self.codes.contains(&(kind.to_owned(), code.to_owned()))
    }
}

/// `context.relation` is `{".": {"left": {"Var": "context"}, "attr": "relation"}}`.
fn attribute(json: &Json) -> Option<&str> {
    let access = json.get(".").or_else(|| json.get("has"))?;
    if is_situation(access.get("left")?) { access.get("attr")?.as_str() } else { None }
}

fn is_situation(json: &Json) -> bool {
    matches!(json.get("Var").and_then(Json::as_str), Some("context" | "resource"))
}

fn code(json: &Json) -> Option<(&str, &str)> {
    let entity = json.get("__entity")?;
    Some((entity.get("type")?.as_str()?, entity.get("id")?.as_str()?))
}
