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
use async_graphql::{Name, Pos, Positioned};
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
    kind: Option<OperationType>,
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
    /// A key of the root stands twice and means two things, at this place: `GRAPHQL_VALIDATION_FAILED`.
    Clash(Pos),
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
    let (size, uses, cost) = size(&parsed, operation)?;
    Limit::Depth.check(size.depth)?;
    Limit::Selections.check(size.selections)?;
    Limit::Aliases.check(size.aliases)?;
    Limit::Roots.check(size.roots)?;
    let mut roots = Vec::new();
    if let Some(operation) = operation {
        collect_roots(&operation.selection_set.node, &parsed, &mut roots);
        if let Some(at) = clash(operation.ty, &roots) {
            return Err(Refused::Clash(at));
        }
    }
    let mut keys: Vec<Name> = Vec::new();
    for key in roots.iter().map(|root| &root.node.response_key().node) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    Ok(Document {
        summary: operation.map_or_else(|| "unknown".to_owned(), |operation| summary(operation, names)),
        kind: operation.map(|operation| operation.ty),
        variables: operation.map(variables).unwrap_or_default(),
        known: operation.is_some(),
        tokens: scanned.tokens,
        uses,
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

    /// The kind of the operation that is asked for, if the document has it.
    pub fn kind(&self) -> Option<OperationType> {
        self.kind
    }

    /// The response keys of the root, in the order of the document (GraphQL, section 7.2.2).
    pub fn keys(&self) -> &[Name] {
        &self.keys
    }
}

/// All operations together, since the library checks them all, and the cost of the one that is asked for.
fn size(
    document: &ExecutableDocument,
    wanted: Option<&OperationDefinition>,
) -> Result<(Size, HashMap<Name, u64>, Cost), Exceeded> {
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
    let uses = walk.uses(&total);
    total.roots = roots;
    Ok((total, uses, cost))
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
        // Not the list of handovers, but the section of a child that has the same name.
        "handovers" if is_section(field) => 1,
        "children" | "accessLog" | "handovers" | "suggestions" | "overdueHandovers" | "submissions"
        | "mySubmissions" | "breakGlassReviews" | "lookups" => first(25),
        // Those of a revision, and the stream.
        "changes" => first(10),
        "revisions" => first(20),
        "types" | "agencies" | "fieldRules" => 100,
        "errorCatalog" | "items" => 50,
        "rules" => 20,
        "withheld" | "earlier" | "episodes" | "sections" | "routines" | "relatives" | "indicators" => 10,
        "myConsents" | "blocks" | "groups" | "shown" => 10,
        // Entries that protocols write: of handovers, worries and consents, and of a missing episode.
        "list" | "sightings" | "closures" => 5,
        // What the longest routine asks for when a child is missing and when it is found.
        "checklist" => 40,
        "followUp" => 4,
        "personalNumbers" | "coordinationNumbers" | "dossierNumbers" | "lmaCards" => 10,
        "fields" | "inputFields" | "enumValues" => 8,
        "directives" | "interfaces" | "possibleTypes" => 8,
        "onAcceptance" | "onArrival" | "receipt" => 14,
        "visible" | "history" | "involved" => 10,
        "unfinished" => 20,
        "next" => 4,
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

/// Whether a field is a section of a child: it is asked for what only sections have. A list that is asked for that does not fit
/// the schema; a section that is not, or only in a fragment elsewhere, weighs what a list does.
fn is_section(field: &Field) -> bool {
    const OF_SECTIONS: [&str; 6] = ["list", "version", "updatedAt", "updatedBy", "withheld", "revisions"];
    let is_own = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => OF_SECTIONS.contains(&field.node.name.node.as_str()),
        _ => false,
    };
    field.selection_set.node.items.iter().any(is_own)
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

/// The fields of the root, every fragment put in place.
fn collect_roots<'a>(set: &'a SelectionSet, document: &'a ExecutableDocument, roots: &mut Vec<&'a Positioned<Field>>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => roots.push(field),
            Selection::InlineFragment(fragment) => collect_roots(&fragment.node.selection_set.node, document, roots),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect_roots(&fragment.node.selection_set.node, document, roots);
                }
            }
        }
    }
}

/// Where a key of the root stands a second time and may not. The library does not look for such across fragments, and
/// runs a field as often as it stands there: two questions that are the same are answered as one (GraphQL, section
/// 5.3.2), but a change would be made twice.
fn clash(kind: OperationType, roots: &[&Positioned<Field>]) -> Option<Pos> {
    let mut first: HashMap<&Name, &Field> = HashMap::new();
    let again = roots.iter().filter(|root| root.node.name.node != "__typename").find(|root| {
        let earlier = first.insert(&root.node.response_key().node, &root.node);
        earlier.is_some_and(|earlier| kind == OperationType::Mutation || !is_same(earlier, &root.node))
    });
    again.map(|root| root.pos)
}

fn is_same(one: &Field, other: &Field) -> bool {
    let same_arguments = one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| {
            other.arguments.iter().any(|(known, other)| known.node == name.node && other.node == value.node)
        });
    one.name.node == other.name.node && same_arguments
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
    use serde_json::json;

    /// The cost of a document, or the limit that it is over.
    fn cost(text: &str, variables: serde_json::Value) -> Result<u64, Limit> {
        let given = variables.as_object().cloned().unwrap_or_default();
        let bound = read(text, Some("A"), &HashSet::new()).and_then(|document| document.bind(given));
        bound.map(|bound| bound.cost).map_err(|refused| match refused {
            Refused::Exceeded(exceeded) => exceeded.limit,
            other => panic!("{text}: {other:?}"),
        })
    }

    #[test]
    fn the_cost_is_how_many_values_the_answer_may_hold() {
        for (text, variables, expected) in [
            ("query A{me{role}}", json!({}), 2),
            // A section of a child, and the list of the same name.
            ("query A{child(id:1){handovers{version list{id}}}}", json!({}), 9),
            ("query A{handovers{nodes{id}}}", json!({}), 51),
            ("query A{handovers(first:2){...f}}fragment f on HandoverConnection{nodes{id}}", json!({}), 5),
            ("query A{me{role agency{id}}}", json!({}), 4),
            ("query A{children{nodes{id}}}", json!({}), 1 + 25 * 2),
            ("query A{children(first:10){nodes{id}}}", json!({}), 1 + 10 * 2),
            ("query A{children(first:null){nodes{id}}}", json!({}), 1 + 25 * 2),
            ("query A{children(first:-1){nodes{id}}}", json!({}), 1 + 100 * 2),
            ("query A{children(first:1000){nodes{id}}}", json!({}), 1 + 100 * 2),
            ("query A($n:Int){children(first:$n){nodes{id}}}", json!({}), 1 + 25 * 2),
            ("query A($n:Int){children(first:$n){nodes{id}}}", json!({ "n": null }), 1 + 25 * 2),
            ("query A($n:Int){children(first:$n){nodes{id}}}", json!({ "n": 3 }), 1 + 3 * 2),
            ("query A($n:Int=7){children(first:$n){nodes{id}}}", json!({}), 1 + 7 * 2),
            ("query A($n:Int=7){children(first:$n){nodes{id}}}", json!({ "n": 3 }), 1 + 3 * 2),
            ("query A($n:Int){children(first:$n){nodes{id}}}", json!({ "n": "3" }), 1 + 100 * 2),
            ("query A{children{nodes{risk{revisions{at}}}}}", json!({}), 1 + 25 * (1 + 1 + (1 + 20))),
            (
                "query A($n:Int,$m:Int){children(first:$n){nodes{risk{a:revisions(first:$m){at} b:revisions{at}}}}}",
                json!({ "n": 2, "m": 5 }),
                1 + 2 * (2 + (1 + 5) + (1 + 20)),
            ),
            ("query A{...f ...f}fragment f on Query{children(first:2){nodes{id}}}", json!({}), 2 * (1 + 2 * 2)),
            // What is not asked for costs nothing, and what is left out is not known to be.
            ("query A{me{role}}query B{children{nodes{id}}}", json!({}), 2),
            ("query A{children @skip(if:true){nodes{id}}}", json!({}), 1 + 25 * 2),
            ("query B{children{nodes{id}}}", json!({}), 0),
        ] {
            assert_eq!(cost(text, variables.clone()), Ok(expected), "{text} {variables}");
        }
    }

    #[test]
    fn a_limit_takes_what_it_says_and_no_more() {
        let many = |count: u64, what: &str| (0..count).map(|i| what.replace('#', &i.to_string())).collect::<String>();
        let nested = |levels: usize| format!("query A{}{}", "{a".repeat(levels), "}".repeat(levels));
        let lists = |levels: usize| format!("query A{{a(b:{}{})}}", "[".repeat(levels), "]".repeat(levels));
        for limit in Limit::ALL {
            let most = limit.most();
            let document = |count: u64| match limit {
                Limit::Length => format!("query A{{a}}#{}", "x".repeat(count as usize - 11)),
                Limit::Nesting => lists(count as usize - 2),
                Limit::Tokens => format!("query A{{b{{{}}}}}", many(count - 7, "a ")),
                Limit::Word => format!("query A{{{}}}", "x".repeat(count as usize)),
                Limit::Directives => format!("query A{{a{}}}", "@b".repeat(count as usize)),
                Limit::Variables => format!("query A({}){{a}}", many(count, "$a#:Int ")),
                Limit::Operations => format!("query A{{a}}{}", many(count - 1, "query a#{a}")),
                Limit::Fragments => format!("query A{{a}}{}", many(count, "fragment f# on Q{a}")),
                Limit::Circles => format!("query A{{...f}}fragment f on Q{{a{}}}", "{...f}".repeat(count as usize)),
                Limit::Depth => nested(count as usize + 1),
                Limit::Selections => format!(
                    "query A{{a{{{}{}}}}}fragment f on Q{{{}}}",
                    "...f ".repeat((count / 500) as usize - 1),
                    many(499 + count % 500, "b "),
                    many(499, "c ")
                ),
                Limit::Aliases => format!("query A{{b{{{}}}}}", many(count, "a:b ")),
                Limit::Roots => format!("query A{{{}}}", many(count, "a ")),
                Limit::InputDepth | Limit::InputValues => "query A($a:Int){a(b:$a)}".to_owned(),
                Limit::Input => format!("query A($a:Int){{b{{{}}}}}", many(16, "a(b:$a)")),
                Limit::Cost => String::new(),
            };
            let variables = |count: u64| match limit {
                Limit::InputDepth => (1..count).fold(json!([]), |value, _| json!([value])),
                Limit::InputValues => json!(vec![0; count as usize - 1]),
                Limit::Input => json!("x".repeat((count as usize).div_ceil(16) - 16)),
                _ => json!(0),
            };
            // What it comes to in one document is below.
            if *limit == Limit::Cost {
                continue;
            }
            let at = |count: u64| cost(&document(count), json!({ "a": variables(count) })).map(|_| ());
            assert_eq!(at(most), Ok(()), "{}", limit.name());
            assert_eq!(at(most + 1), Err(*limit), "{}", limit.name());
        }
        let pages = |count: u64| format!("query A{{{}}}", many(count, "children(first:100){nodes{...f}}"));
        let fragment = format!("fragment f on Child{{{}}}", many(99, "b "));
        assert_eq!(cost(&format!("{}{fragment}", pages(19)), json!({})), Ok(19 * (1 + 100 * 100)));
        assert_eq!(cost(&format!("{}{fragment}", pages(20)), json!({})), Err(Limit::Cost));
    }

    #[test]
    fn the_log_is_told_of_the_schemas_names_only() {
        let names = HashSet::from(["child".to_owned(), "me".to_owned()]);
        let read = read("query A { child(id: 1) { id } me { role } Svensson }", None, &names);
        assert_eq!(read.map(|document| document.summary).ok().as_deref(), Some("query child me ?"));
    }

    #[test]
    fn variables_are_completed_and_those_of_others_left_out() {
        let document = read("query A($a: Int = 1, $b: Int!, $c: Int) { x(y: [$a $b $c]) }", None, &HashSet::new());
        let document = document.expect("a document");
        let bind = |given: serde_json::Value| {
            let bound = document.bind(given.as_object().cloned().unwrap_or_default());
            bound.map(|bound| serde_json::to_value(bound.variables).unwrap_or_default())
        };
        assert_eq!(bind(json!({ "b": 2, "z": 3 })), Ok(json!({ "a": 1, "b": 2 })));
        assert_eq!(bind(json!({ "a": null, "b": 2, "c": null })), Ok(json!({ "a": null, "b": 2, "c": null })));
        assert_eq!(bind(json!({ "a": 1 })), Err(Refused::Missing("b".to_owned())));
        assert_eq!(bind(json!({ "b": null })), Err(Refused::Missing("b".to_owned())));
    }
}
