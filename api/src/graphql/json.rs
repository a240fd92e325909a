//! Plain objects inside guarded ones: made as JSON, cut to what was selected.

use super::plan::Node;
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};
use serde_json::Value as Json;

/// Cuts a JSON value to the selection: objects get the selected keys in the order of the document;
/// a key that is not there is null.
pub(super) fn project(value: &Json, type_name: &str, selected: &[Node]) -> Value {
    match value {
        Json::Array(items) => Value::List(items.iter().map(|item| project(item, type_name, selected)).collect()),
        Json::Object(object) if !selected.is_empty() => {
            let mut map = IndexMap::with_capacity(selected.len());
            for node in selected {
                let value = match node.name.as_str() {
                    "__typename" => Value::from(type_name),
                    name => {
                        object.get(name).map_or(Value::Null, |value| project(value, node.type_name(), &node.children))
                    }
                };
                map.insert(node.key.clone(), value);
            }
            Value::Object(map)
        }
        Json::Object(object) => {
            let entry = |(key, value): (&String, &Json)| (Name::new(key), project(value, "", &[]));
            Value::Object(object.iter().map(entry).collect())
        }
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Boolean(*yes),
        Json::Number(number) => Value::Number(number.clone()),
        Json::String(text) => Value::String(text.clone()),
    }
}
