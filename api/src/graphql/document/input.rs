//! The variables of one request: bounded, completed, and weighed with the document.

use super::limits::Limit;
use super::{Document, Refused, page};
use async_graphql::Variables;
use serde_json::{Map, Value};

/// How many bytes a value counts as, beside those of its text.
const BYTES_A_VALUE: u64 = 16;

/// What a document is executed with.
#[derive(Debug)]
pub struct Bound {
    /// The variables of the operation, defaults among them.
    pub variables: Variables,
    /// How many values the answer may hold at most, or about.
    pub cost: u64,
}

impl Document {
    /// Completes the variables with the defaults of those left out: the library looks at neither before it has begun.
    /// What the operation has no variable for is left out.
    ///
    /// # Errors
    ///
    /// Over a [`Limit`], or a variable that must be given is missing or null.
    pub fn bind(&self, mut given: Map<String, Value>) -> Result<Bound, Refused> {
        let size = given.values().fold(Size::default(), |size, value| size.and(Size::of(value)));
        Limit::InputDepth.check(size.depth)?;
        Limit::InputValues.check(size.values)?;
        let mut variables = Map::new();
        let mut input = 0u64;
        for variable in &self.variables {
            let value = given.remove(&variable.name).or_else(|| variable.default.clone());
            if variable.required && value.as_ref().is_none_or(Value::is_null) {
                return Err(Refused::Missing(variable.name.clone()));
            }
            let Some(value) = value else { continue };
            let uses = self.uses.get(variable.name.as_str()).copied().unwrap_or_default();
            input = input.saturating_add(uses.saturating_mul(Size::of(&value).bytes));
            variables.insert(variable.name.clone(), value);
        }
        Limit::Input.check(input)?;
        let first = |variable: &str, usual| match variables.get(variable) {
            None | Some(Value::Null) => usual,
            Some(value) => page(value.as_u64()),
        };
        let cost = self.cost.with(&first);
        Limit::Cost.check(cost)?;
        Ok(Bound { variables: Variables::from_json(Value::Object(variables)), cost })
    }
}

#[derive(Clone, Copy, Default)]
struct Size {
    depth: u64,
    values: u64,
    bytes: u64,
}

impl Size {
    /// The size of a value; serde_json has bounded its depth.
    fn of(value: &Value) -> Size {
        let one = |text: usize| Size { depth: 0, values: 1, bytes: BYTES_A_VALUE + text as u64 };
        match value {
            Value::String(text) => one(text.len()),
            Value::Array(items) => items.iter().fold(Size::default(), |size, item| size.and(Size::of(item))).around(0),
            Value::Object(fields) => {
                let keys = fields.keys().map(String::len).sum();
                fields.values().fold(Size::default(), |size, value| size.and(Size::of(value))).around(keys)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => one(0),
        }
    }

    fn and(self, other: Size) -> Size {
        Size { depth: self.depth.max(other.depth), values: self.values + other.values, bytes: self.bytes + other.bytes }
    }

    fn around(self, text: usize) -> Size {
        Size { depth: self.depth + 1, values: self.values + 1, bytes: self.bytes + BYTES_A_VALUE + text as u64 }
    }
}
