//! The document before it is executed: bounded, parsed once, and named for the log.
//!
//! The library's parser overflows its stack on deeply nested values, and its own limits walk every
//! path through the fragments; both are refused here first.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Pos, Value};
use samverka_domain::error::ErrorCode;
use std::collections::{HashMap, HashSet};

/// How deep brackets of any kind may nest, and selections with every fragment in place.
const DEPTH: usize = 64;
/// How long a document may be, in bytes.
const LENGTH: usize = 64 * 1024;
/// How many fragments a document may define.
const FRAGMENTS: usize = 200;
/// How many selections a document may come to with every fragment in place.
const SELECTIONS: u64 = 5_000;
/// How many values a document may ask for, as far as it can be told beforehand.
const VALUES: u64 = 200_000;
/// How many fields the root of a document may have. Each is a question of its own: it runs beside the
/// others and holds its own copy of the variables.
const ROOTS: u64 = 20;
/// How many items a page holds at most.
const LONGEST_PAGE: u64 = 100;

/// A document that may be executed.
#[derive(Debug)]
pub struct Document {
    /// The parsed document.
    pub parsed: ExecutableDocument,
    /// The kind of the operation that is asked for, if the document has it.
    pub kind: Option<OperationType>,
    /// The kind of operation and its root fields, for the access log: names of the schema only.
    pub summary: String,
    /// The variables that must be given: they are not nullable, and have no default.
    pub required: Vec<String>,
    /// The defaults of the others that have one.
    pub defaults: Vec<(String, serde_json::Value)>,
    /// The response keys of the root, in the order of the document (GraphQL, section 7.2.2).
    pub keys: Vec<Name>,
}

/// Why a document is refused, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// `GRAPHQL_PARSE_FAILED` or `QUERY_REFUSED`.
    pub code: ErrorCode,
    /// The place of a syntax error.
    pub at: Option<Pos>,
}

/// Bounds and parses a document. `names` are the names of the schema.
///
/// # Errors
///
/// Too long, nested too deeply, too much asked for, fragments in a circle, or not GraphQL.
pub fn read(text: &str, operation_name: Option<&str>, names: &HashSet<String>) -> Result<Document, Refused> {
    let refused = |code| Refused { code, at: None };
    if text.len() > LENGTH || depth(text) > DEPTH {
        return Err(refused(ErrorCode::QueryRefused));
    }
    let parsed =
        parse_query(text).map_err(|error| Refused { code: ErrorCode::ParseFailed, at: error.positions().next() })?;
    if parsed.fragments.len() > FRAGMENTS || !size(&parsed).fits() {
        return Err(refused(ErrorCode::QueryRefused));
    }
    let operation = operation(&parsed, operation_name);
    let summary = operation.map_or_else(|| "unknown".to_owned(), |operation| summary(operation, names));
    let kind = operation.map(|operation| operation.ty);
    let required = operation.map(required).unwrap_or_default();
    let defaults = operation.map(defaults).unwrap_or_default();
    let mut keys = Vec::new();
    if let Some(operation) = operation {
        root_keys(&operation.selection_set.node, &parsed, &mut keys);
    }
    Ok(Document { kind, summary, required, defaults, keys, parsed })
}

/// How deep brackets nest, strings and comments left out.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
                after
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'#' => skip(after, |rest| rest.starts_with(b"\n") || rest.starts_with(b"\r")),
            // The parser reads a block string that never ends as an empty string and what follows it.
            b'"' if after.starts_with(b"\"\"") => {
                skip_block(after.get(2..).unwrap_or_default()).or(after.get(1..)).unwrap_or_default()
            }
            b'"' => skip_string(after),
            _ => after,
        };
    }
    deepest
}

fn skip(mut rest: &[u8], until: impl Fn(&[u8]) -> bool) -> &[u8] {
    while !rest.is_empty() && !until(rest) {
        rest = rest.get(1..).unwrap_or_default();
    }
    rest
}

fn skip_string(mut rest: &[u8]) -> &[u8] {
    while let Some((byte, after)) = rest.split_first() {
        match byte {
            b'"' | b'\n' | b'\r' => return after,
            b'\\' => rest = after.get(1..).unwrap_or_default(),
            _ => rest = after,
        }
    }
    rest
}

fn skip_block(mut rest: &[u8]) -> Option<&[u8]> {
    while !rest.is_empty() {
        if rest.starts_with(b"\\\"\"\"") {
            rest = rest.get(4..).unwrap_or_default();
        } else if rest.starts_with(b"\"\"\"") {
            return rest.get(3..);
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    None
}

/// What a selection comes to with every fragment in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    /// Fields and spreads of any kind: what the library walks, though it may lead nowhere.
    selections: u64,
    /// Values of the answer, each list as long as such lists are.
    values: u64,
    /// Fields at the top.
    roots: u64,
}

impl Size {
    /// More than any document may come to.
    const ENDLESS: Size = Size { selections: u64::MAX, values: u64::MAX, roots: u64::MAX };

    const fn fits(self) -> bool {
        self.selections <= SELECTIONS && self.values <= VALUES && self.roots <= ROOTS
    }

    const fn and(self, other: Size) -> Size {
        Size {
            selections: self.selections.saturating_add(other.selections),
            values: self.values.saturating_add(other.values),
            roots: self.roots.saturating_add(other.roots),
        }
    }

    /// A spread of this.
    const fn spread(self) -> Size {
        Size { selections: self.selections.saturating_add(1), ..self }
    }

    /// A field with this below it.
    fn below(self, field: &Field) -> Size {
        Size {
            selections: self.selections.saturating_add(1),
            values: self.values.saturating_mul(items(field)).saturating_add(1),
            roots: 1,
        }
    }
}

/// How many items the lists at a field hold at most, or about; 1 for what is no list.
fn items(field: &Field) -> u64 {
    let first = |usual| match field.get_argument("first").map(|value| value.node.clone().into_const()) {
        None => usual,
        Some(Some(Value::Number(number))) => number.as_u64().unwrap_or(LONGEST_PAGE).clamp(1, LONGEST_PAGE),
        Some(_) => LONGEST_PAGE,
    };
    match field.name.node.as_str() {
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
    }
}

/// All operations together: the library checks them all, whichever is asked for.
fn size(document: &ExecutableDocument) -> Size {
    let mut fragments = Fragments { document, sizes: HashMap::new() };
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let sizes: Vec<Size> = operations.map(|set| fragments.size(set, 0)).collect();
    let roots = sizes.iter().map(|size| size.roots).max().unwrap_or_default();
    Size { roots, ..sizes.into_iter().fold(Size::default(), Size::and) }
}

/// What each fragment comes to, counted once.
struct Fragments<'a> {
    document: &'a ExecutableDocument,
    sizes: HashMap<&'a Name, Size>,
}

impl<'a> Fragments<'a> {
    fn size(&mut self, set: &'a SelectionSet, depth: usize) -> Size {
        if depth > DEPTH {
            return Size::ENDLESS;
        }
        let mut total = Size::default();
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => self.size(&field.node.selection_set.node, depth + 1).below(&field.node),
                Selection::InlineFragment(fragment) => self.size(&fragment.node.selection_set.node, depth + 1).spread(),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, depth + 1).spread(),
            };
            total = total.and(size);
        }
        total
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Size {
        if let Some(size) = self.sizes.get(name) {
            return *size;
        }
        // Until its size is known a fragment counts as endless, so a circle is refused.
        self.sizes.insert(name, Size::ENDLESS);
        let fragment = self.document.fragments.get(name);
        let size = fragment.map_or(Size::default(), |fragment| self.size(&fragment.node.selection_set.node, depth));
        self.sizes.insert(name, size);
        size
    }
}

/// The operation that is asked for; the first where none is named.
fn operation<'a>(document: &'a ExecutableDocument, wanted: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    let operation = match wanted {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None => operations.next(),
    };
    operation.map(|(_, operation)| &operation.node)
}

fn required(operation: &OperationDefinition) -> Vec<String> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let required = definitions.filter(|variable| !variable.var_type.node.nullable && variable.default_value.is_none());
    required.map(|variable| variable.name.node.to_string()).collect()
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

fn defaults(operation: &OperationDefinition) -> Vec<(String, serde_json::Value)> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    let default = |variable: &VariableDefinition| {
        let value = variable.default_value.as_ref()?.node.clone().into_json().ok()?;
        Some((variable.name.node.to_string(), value))
    };
    definitions.filter_map(default).collect()
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
