//! The gate before GraphQL: a document is bounded, parsed once, weighed, and named for the log.
//!
//! The library's parser overflows its stack on deeply nested values, and its own limits walk every
//! path through the fragments; both are refused here first. [`Documents`] keeps what it has read, so that a
//! document that comes again is neither scanned nor parsed nor walked again.

mod input;
mod limits;
mod scan;
mod shelf;
mod walk;

pub use input::Bound;
pub use limits::{Exceeded, Limit};
pub use shelf::Documents;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Pos};
use async_graphql_value::Value;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use walk::{Cost, Items, Size, Walk};

/// How many items a page holds at most.
const LONGEST_PAGE: u64 = 100;

/// A document that may be executed, but for its variables: [`Document::bind`] them.
#[derive(Debug)]
pub struct Document {
    parsed: ExecutableDocument,
    summary: String,
    keys: Vec<Name>,
    tokens: u64,
    /// Whether it has the operation that is asked for.
    known: bool,
    /// The variables of the operation.
    variables: Vec<Variable>,
    uses: HashMap<Name, u64>,
    cost: Cost,
}

/// A variable of an operation.
#[derive(Debug)]
struct Variable {
    name: String,
    /// It must be given: it is not nullable, and has no default.
    required: bool,
    default: Option<serde_json::Value>,
}

/// Why a document is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not GraphQL, at this place: `GRAPHQL_PARSE_FAILED`.
    Syntax(Option<Pos>),
    /// It is too much: `QUERY_REFUSED`.
    Exceeded(Exceeded),
    /// A variable that must be given is not: `GRAPHQL_VALIDATION_FAILED`.
    Missing(String),
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Refused::Exceeded(exceeded)
    }
}

/// Bounds, parses and weighs a document. `names` are the names of the schema.
///
/// # Errors
///
/// Over a [`Limit`], or not GraphQL.
pub fn read(text: &str, operation_name: Option<&str>, names: &HashSet<String>) -> Result<Document, Refused> {
    let scanned = scan::scan(text)?;
    let parsed = parse_query(scanned.text).map_err(|error| Refused::Syntax(error.positions().next()))?;
    let operations = || parsed.operations.iter().map(|(_, operation)| &operation.node);
    Limit::Operations.check(operations().count() as u64)?;
    Limit::Variables.check(operations().map(|operation| operation.variable_definitions.len() as u64).sum())?;
    Limit::Fragments.check(parsed.fragments.len() as u64)?;
    let operation = operation(&parsed, operation_name);
    let (size, cost) = size(&parsed, operation)?;
    Limit::Depth.check(size.depth)?;
    Limit::Selections.check(size.selections)?;
    Limit::Aliases.check(size.aliases)?;
    Limit::Roots.check(size.roots)?;
    let mut keys = Vec::new();
    if let Some(operation) = operation {
        root_keys(&operation.selection_set.node, &parsed, &mut keys);
    }
    Ok(Document {
        summary: operation.map_or_else(|| "unknown".to_owned(), |operation| summary(operation, names)),
        variables: operation.map(variables).unwrap_or_default(),
        known: operation.is_some(),
        tokens: scanned.tokens,
        uses: size.uses,
        cost,
        keys,
        parsed,
    })
}

impl Document {
    /// The document as the library takes it.
    pub fn parsed(&self) -> ExecutableDocument {
        self.parsed.clone()
    }

    /// The kind of operation and its root fields, for the access log: names of the schema only.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The response keys of the root, in the order of the document (GraphQL, section 7.2.2).
    pub fn keys(&self) -> &[Name] {
        &self.keys
    }
}

/// All operations together, since the library checks them all, and the cost of the one that is asked for.
fn size(document: &ExecutableDocument, wanted: Option<&OperationDefinition>) -> Result<(Size, Cost), Exceeded> {
    let mut walk = Walk::new(document);
    let (mut total, mut cost) = (Size::default(), Cost::default());
    let mut roots = 0;
    for (_, operation) in document.operations.iter() {
        let size = walk.operation(&operation.node)?;
        if wanted.is_some_and(|wanted| std::ptr::eq(wanted, &operation.node)) {
            cost = size.cost.clone();
        }
        roots = roots.max(size.roots);
        total.add(size);
    }
    total.add(walk.unused()?);
    Ok((Size { roots, ..total }, cost))
}

/// How many items the lists at a field hold at most, or about; 1 for what is no list. A field with `first` holds so
/// many, or as many as are usual where it says nothing.
fn items(field: &Field) -> Items {
    let paged = Cell::new(false);
    let first = |usual| {
        paged.set(true);
        usual
    };
    let usual = match field.name.node.as_str() {
        "children" | "accessLog" => first(25),
        "revisions" => first(20),
        "types" | "agencies" | "fieldRules" => 100,
        "errorCatalog" => 50,
        "rules" => 20,
        "withheld" | "changes" | "earlier" | "relatives" | "indicators" => 10,
        "personalNumbers" | "coordinationNumbers" | "dossierNumbers" | "lmaCards" => 10,
        "fields" | "inputFields" | "enumValues" => 8,
        "args" => 2,
        _ => 1,
    };
    match field.get_argument("first").filter(|_| paged.get()).map(|value| &value.node) {
        None | Some(Value::Null) => Items::Fixed(usual),
        Some(Value::Variable(name)) => Items::Variable(name.clone(), usual),
        Some(Value::Number(number)) => Items::Fixed(page(number.as_u64())),
        Some(_) => Items::Fixed(LONGEST_PAGE),
    }
}

/// How many items a page holds of which so many are asked for; what is no number is refused later.
fn page(first: Option<u64>) -> u64 {
    first.unwrap_or(LONGEST_PAGE).clamp(1, LONGEST_PAGE)
}

/// The operation that is asked for; where none is named, the only one.
fn operation<'a>(document: &'a ExecutableDocument, wanted: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let operation = match wanted {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    operation.map(|(_, operation)| &operation.node)
}

fn variables(operation: &OperationDefinition) -> Vec<Variable> {
    let variable = |definition: &VariableDefinition| Variable {
        name: definition.name.node.to_string(),
        required: !definition.var_type.node.nullable && definition.default_value.is_none(),
        default: definition.default_value.as_ref().and_then(|value| value.node.clone().into_json().ok()),
    };
    operation.variable_definitions.iter().map(|definition| variable(&definition.node)).collect()
}

fn root_keys(set: &SelectionSet, document: &ExecutableDocument, keys: &mut Vec<Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
            Selection::InlineFragment(fragment) => root_keys(&fragment.node.selection_set.node, document, keys),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    root_keys(&fragment.node.selection_set.node, document, keys);
                }
            }
        }
    }
}

/// A name that the schema does not have is the caller's own text, and stays out of the log.
fn summary(operation: &OperationDefinition, names: &HashSet<String>) -> String {
    let kind = match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut roots: Vec<&str> = Vec::new();
    for item in &operation.selection_set.node.items {
        let name = match &item.node {
            Selection::Field(field) if !names.contains(field.node.name.node.as_str()) => "?",
            Selection::Field(field) => field.node.name.node.as_str(),
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => "…",
        };
        if !roots.contains(&name) && roots.len() < 20 {
            roots.push(name);
        }
    }
    format!("{kind} {}", roots.join(" ")).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<ErrorCode> {
        read(text, None, &HashSet::new()).err().map(|refused| refused.code)
    }

    #[test]
    fn hostile_documents_are_refused_before_they_are_walked() {
        let nested = format!("{{a(b:{}1{})}}", "[".repeat(2_000), "]".repeat(2_000));
        assert_eq!(code(&nested), Some(ErrorCode::QueryRefused));
        let fragments = (0..30).map(|i| format!("fragment f{i} on Q {{...f{} ...f{}}}", i + 1, i + 1));
        let bomb = format!("{{...f0}} {} fragment f30 on Q {{a}}", fragments.collect::<String>());
        assert_eq!(code(&bomb), Some(ErrorCode::QueryRefused));
        assert_eq!(code("{...a} fragment a on Q {...b} fragment b on Q {...a}"), Some(ErrorCode::QueryRefused));
        assert_eq!(code("{ a"), Some(ErrorCode::ParseFailed));
        // A block string that never ends hides nothing, and a bomb of nothing is a bomb.
        let hidden = format!("{{a(b:[\"\"\"x\" {}1{}])}}", "[".repeat(2_000), "]".repeat(2_000));
        assert_eq!(code(&hidden), Some(ErrorCode::QueryRefused));
        assert_eq!(code(&bomb.replace("{a}", "{...nowhere}")), Some(ErrorCode::QueryRefused));
    }

    #[test]
    fn a_document_asks_for_so_much_and_no_more() {
        let many = |count: usize, what: &str| (0..count).map(|i| format!("a{i}:{what} ")).collect::<String>();
        for (text, refused) in [
            (format!("{{{}}}", many(20, "me{role}")), false),
            (format!("{{{}}}", many(21, "me{role}")), true),
            (format!("{{...f}} fragment f on Query{{{}}}", many(21, "me{role}")), true),
            (format!("query A{{{}}} query B{{{}}}", many(20, "me{role}"), many(20, "me{role}")), false),
            (format!("{{children(first: 100){{nodes{{identity{{{}}}}}}}}}", many(1_900, "sex")), false),
            (format!("{{children(first: 100){{nodes{{identity{{{}}}}}}}}}", many(2_100, "sex")), true),
            (format!("query($n: Int){{children(first: $n){{nodes{{identity{{{}}}}}}}}}", many(2_100, "sex")), true),
            (format!("{{children(first: 10){{nodes{{identity{{{}}}}}}}}}", many(4_000, "sex")), false),
            (format!("{{children(first: -1){{nodes{{identity{{{}}}}}}}}}", many(4_000, "sex")), true),
            (
                format!("{{children(first: 100){{nodes{{risk{{revisions(first: 0){{{}}}}}}}}}}}", many(4_000, "at")),
                true,
            ),
            (format!("{{fieldRules{{{}}}}}", many(50, "rules{sv}")), false),
            (format!("{{fieldRules{{{}}}}}", many(200, "rules{sv}")), true),
            ("{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}".to_owned(), true),
        ] {
            let expected = refused.then_some(ErrorCode::QueryRefused);
            assert_eq!(code(&text), expected, "{}", text.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        assert_eq!(depth(r#"{ a(b: "[[[\"[[", c: """ {{{ \""" {{ """) } # [[[["#), 2);
        let names = HashSet::from(["child".to_owned(), "me".to_owned()]);
        let read = read("query A { child(id: 1) { id } me { role } Svensson }", None, &names);
        assert_eq!(read.map(|document| document.summary), Ok("query child me ?".to_owned()));
    }
}
