//! The GraphQL face: types that follow from the catalogue, queries, mutations, errors.
//!
//! A guarded type (`Child` and its sections) is never resolved field by field. One output type,
//! [`child`], plans the selection, asks the session once, and shows what came back.

mod access;
mod agency;
mod checklist;
pub mod child;
mod consent;
pub mod document;
mod emergency;
mod episode;
pub mod error;
mod feed;
mod filter;
mod handover;
mod inputs;
mod json;
mod lookup;
mod mutation;
mod page;
mod plan;
mod query;
mod scalars;
mod submission;
mod suggestion;
mod types;
mod verify;
pub mod whole;

pub use access::AccessSummary;
pub use verify::{SchemaError, verify};

use async_graphql::{EmptySubscription, SDLExportOptions, Schema};

/// The schema of the hub.
pub type HubSchema = Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// The question that tools ask for a schema.
pub const INTROSPECTION: &str = include_str!("introspection.graphql");

/// Builds the schema, and checks that every guarded field stands in the catalogue.
///
/// # Errors
///
/// A field of a guarded type that the catalogue does not have, or has otherwise.
pub fn schema() -> Result<HubSchema, SchemaError> {
    let schema = Schema::build(query::Query, mutation::Mutation, EmptySubscription);
    // Each misspelt name would be compared with every name of its type, byte by byte: 20 ms for one document.
    let schema = schema.disable_suggestions().finish();
    verify(&schema.sdl())?;
    Ok(schema)
}

/// The schema as text: `schema.graphql`.
pub fn sdl(schema: &HubSchema) -> String {
    let options = SDLExportOptions::new().use_space_ident().include_specified_by();
    let mut text = schema.sdl_with_options(options);
    while text.ends_with("\n\n") {
        text.pop();
    }
    text
}
