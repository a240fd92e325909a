//! The document before it is executed: bounded, parsed once, and named for the log.
//!
//! The library's parser overflows its stack on deeply nested values, and its own limits walk every
//! path through the fragments; both are refused here first.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Pos};
use samverka_domain::error::ErrorCode;
use std::collections::{HashMap, HashSet};

/// How deep brackets of any kind may nest.
const DEPTH: usize = 64;
/// How long a document may be, in bytes.
const LENGTH: usize = 64 * 1024;
/// How many fields a document may come to with every fragment in place.
const FIELDS: u64 = 5_000;

/// A document that may be executed.
#[derive(Debug)]
pub struct Document {
    /// The parsed document.
    pub parsed: ExecutableDocument,
    /// The kind of operation and its root fields, for the access log: names of the schema only.
    pub summary: String,
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
/// Too long, nested too deeply, too many fields, fragments in a circle, or not GraphQL.
pub fn read(text: &str, operation_name: Option<&str>, names: &HashSet<String>) -> Result<Document, Refused> {
    let refused = |code| Refused { code, at: None };
    if text.len() > LENGTH || depth(text) > DEPTH {
        return Err(refused(ErrorCode::QueryRefused));
    }
    let parsed =
        parse_query(text).map_err(|error| Refused { code: ErrorCode::ParseFailed, at: error.positions().next() })?;
    let mut fragments = Fragments { document: &parsed, sizes: HashMap::new() };
    let operations = parsed.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let total = operations.map(|set| fragments.size(set)).fold(0u64, u64::saturating_add);
    if total > FIELDS {
        return Err(refused(ErrorCode::QueryRefused));
    }
    let summary = summary(&parsed, operation_name, names);
    Ok(Document { parsed, summary })
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
            b'"' if after.starts_with(b"\"\"") => skip_block(after.get(2..).unwrap_or_default()),
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

fn skip_block(mut rest: &[u8]) -> &[u8] {
    while !rest.is_empty() {
        if rest.starts_with(b"\\\"\"\"") {
            rest = rest.get(4..).unwrap_or_default();
        } else if rest.starts_with(b"\"\"\"") {
            return rest.get(3..).unwrap_or_default();
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    rest
}

/// The fields of each fragment with every fragment in place, counted once.
struct Fragments<'a> {
    document: &'a ExecutableDocument,
    sizes: HashMap<&'a Name, u64>,
}

impl<'a> Fragments<'a> {
    fn size(&mut self, set: &'a SelectionSet) -> u64 {
        let mut total = 0u64;
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => self.size(&field.node.selection_set.node).saturating_add(1),
                Selection::InlineFragment(fragment) => self.size(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            total = total.saturating_add(size);
        }
        total
    }

    fn fragment(&mut self, name: &'a Name) -> u64 {
        if let Some(size) = self.sizes.get(name) {
            return *size;
        }
        // Until its size is known a fragment counts as endless, so a circle is refused.
        self.sizes.insert(name, u64::MAX);
        let size = self.document.fragments.get(name).map_or(0, |fragment| self.size(&fragment.node.selection_set.node));
        self.sizes.insert(name, size);
        size
    }
}

/// A name that the schema does not have is the caller's own text, and stays out of the log.
fn summary(document: &ExecutableDocument, operation_name: Option<&str>, names: &HashSet<String>) -> String {
    let mut operations = document.operations.iter();
    let operation = match operation_name {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)).map(|(_, found)| found),
        None => operations.next().map(|(_, found)| found),
    };
    let Some(operation) = operation else { return "unknown".to_owned() };
    let kind = match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut roots: Vec<&str> = Vec::new();
    for item in &operation.node.selection_set.node.items {
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
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        assert_eq!(depth(r#"{ a(b: "[[[\"[[", c: """ {{{ \""" {{ """) } # [[[["#), 2);
        let names = HashSet::from(["child".to_owned(), "me".to_owned()]);
        let read = read("query A { child(id: 1) { id } me { role } Svensson }", None, &names);
        assert_eq!(read.map(|document| document.summary), Ok("query child me ?".to_owned()));
    }
}
