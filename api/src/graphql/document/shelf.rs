//! Documents that have been read are kept, by their text.

use super::{Document, Refused, limits::Limit, read};
use async_graphql::Positioned;
use async_graphql::parser::types::Selection;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

/// How many bytes the kept documents take, about.
const CAPACITY: u64 = 32 * 1024 * 1024;
/// How many bytes one of them may take, so that a few large ones do not drive out all the others.
const LARGEST_KEPT: u64 = 256 * 1024;
/// How many documents are expected.
const EXPECTED: usize = 1_000;
/// What a token takes once it is parsed, at most: a selection, its name, and what they are allocated in.
const BYTES_A_TOKEN: u64 = size_of::<Positioned<Selection>>() as u64 + 64;

/// SHA-256 of all that a document was made from.
type Key = [u8; 32];

/// Reads documents, and keeps those that may come again.
pub struct Documents {
    names: HashSet<String>,
    kept: Cache<Key, Arc<Document>, Weight>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Document>> for Weight {
    fn weight(&self, _: &Key, document: &Arc<Document>) -> u64 {
        weight(document)
    }
}

fn weight(document: &Document) -> u64 {
    size_of::<Document>() as u64 + document.tokens * BYTES_A_TOKEN + document.cost.weight()
}

impl Documents {
    /// Reads documents against the names of a schema.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Documents { names: names.into_iter().collect(), kept: Cache::with_weighter(EXPECTED, CAPACITY, Weight) }
    }

    /// The document of a text, read now or before.
    ///
    /// # Errors
    ///
    /// Over a [`Limit`], or not GraphQL. Refusals are not kept: they are quick, and endless in number.
    pub fn read(
        &self,
        text: &str,
        operation_name: Option<&str>,
        asker: impl Display,
    ) -> Result<Arc<Document>, Refused> {
        Limit::Length.check(text.len() as u64)?;
        let key = key(text, operation_name, asker);
        if let Some(document) = self.kept.get(&key) {
            return Ok(document);
        }
        let document = Arc::new(read(text, operation_name, &self.names)?);
        if document.known && weight(&document) <= LARGEST_KEPT {
            self.kept.insert(key, document.clone());
        }
        Ok(document)
    }
}

/// A text with a string in it may name a child, and that somebody has asked for it before must not show, not even in
/// the time it takes: such a document is kept for its asker alone. Clients that pass variables share theirs.
fn key(text: &str, operation_name: Option<&str>, asker: impl Display) -> Key {
    let asker = if text.contains('"') { asker.to_string() } else { String::new() };
    let mut hash = Sha256::new();
    for part in [asker.as_str(), operation_name.unwrap_or_default(), text] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Documents {
        Documents::new(["me".to_owned()])
    }

    #[test]
    fn a_document_that_comes_again_is_not_read_again() {
        let documents = documents();
        let read = |text, name, asker: &str| documents.read(text, name, asker).expect("a document");
        let same = |a: &Arc<Document>, b: &Arc<Document>| Arc::ptr_eq(a, b);
        let plain = read("{me{role}}", None, "malmo-soc");
        assert!(same(&plain, &read("{me{role}}", None, "malmo-soc")));
        assert!(same(&plain, &read("{me{role}}", None, "skola")), "what names nobody is shared");
        assert!(!same(&plain, &read("{me{role} }", None, "malmo-soc")));
        let both = "query A{me{role}}query B{me{role}}";
        assert!(same(&read(both, Some("A"), "skola"), &read(both, Some("A"), "skola")));
        assert!(!same(&read(both, Some("A"), "skola"), &read(both, Some("B"), "skola")));
        let naming = "{child(id:\"x\"){id}}";
        let named = read(naming, None, "malmo-soc");
        assert!(same(&named, &read(naming, None, "malmo-soc")));
        assert!(!same(&named, &read(naming, None, "skola")), "that another has asked for a child does not show");
    }

    #[test]
    fn what_is_kept_has_its_bounds_and_a_flood_does_not_drive_out_what_is_used() {
        let documents = documents();
        let used = "query($id: ID!){child(id:$id){id}}";
        let first = documents.read(used, None, "x").expect("a document");
        documents.read(used, None, "x").expect("a document");
        for i in 0..4_000 {
            let text = format!("{{a{i}:me{{{}}}}}", "role ".repeat(250));
            documents.read(&text, None, "x").expect("a document");
        }
        assert!(documents.kept.weight() <= CAPACITY);
        assert!(documents.kept.len() < 4_000, "the flood was larger than the shelf");
        assert!(Arc::ptr_eq(&first, &documents.read(used, None, "x").expect("a document")));
        // Too large a one, one that cannot be executed, and one that is refused are not kept.
        let before = documents.kept.len();
        let large = format!("{{me{{{}}}}}", "role ".repeat(1_100));
        documents.read(&large, None, "x").expect("a document");
        documents.read("query A{a}query B{a}", None, "x").expect("a document");
        documents.read("query A{a}", Some("B"), "x").expect("a document");
        documents.read("{a", None, "x").expect_err("no document");
        assert_eq!(documents.kept.len(), before);
    }
}
