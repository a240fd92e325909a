//! The start refuses a schema in which a guarded field has no catalogue entry.

use super::child::{BOOKKEEPING, PHOTO_UPLOAD, guarded_types};
use async_graphql::Value;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, TypeKind, TypeSystemDefinition};
use samverka_domain::catalogue::{FieldId, Section};
use std::collections::BTreeSet;

/// Why a schema cannot be served.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// A field of a guarded type is not in the catalogue: it would have no rule.
    #[error("`{0}` is not in the field catalogue; add it to `catalogue/fields.rs`")]
    NotInCatalogue(String),
    /// A field's `@access` is missing or names something else than the catalogue.
    #[error("`{0}` does not carry the `@access` of its catalogue entry")]
    Access(String),
    /// A catalogue entry is not in the schema.
    #[error("`{0}` is in the catalogue and not in the schema")]
    NotInSchema(FieldId),
    /// The schema does not parse.
    #[error("the schema does not parse")]
    Unreadable,
}

/// Checks a schema, as text, against the catalogue.
///
/// # Errors
///
/// The first field that is in one and not in the other, or whose `@access` is wrong.
pub fn verify(sdl: &str) -> Result<(), SchemaError> {
    let document = parse_schema(sdl).map_err(|_| SchemaError::Unreadable)?;
    let guarded: BTreeSet<&str> = guarded_types().collect();
    let mut seen = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, TypeKind::Object(object)) = (ty.node.name.node.to_string(), &ty.node.kind) else { continue };
        if name == "Child" {
            let mut names = object.fields.iter().map(|field| field.node.name.node.as_str());
            let strange = names.find(|field| *field != "id" && Section::by_name(field).is_none());
            if let Some(field) = strange {
                return Err(SchemaError::NotInCatalogue(format!("Child.{field}")));
            }
        }
        let section =
            Section::ALL.into_iter().find(|section| section.type_name() == name && guarded.contains(name.as_str()));
        if let Some(section) = section {
            for field in &object.fields {
                seen.extend(verify_field(section, &field.node)?);
            }
        }
    }
    FieldId::all().find(|id| !seen.contains(id)).map_or(Ok(()), |id| Err(SchemaError::NotInSchema(id)))
}

fn verify_field(section: Section, field: &FieldDefinition) -> Result<Option<FieldId>, SchemaError> {
    let name = field.name.node.as_str();
    if BOOKKEEPING.contains(&name) || (section == Section::Description && name == PHOTO_UPLOAD) {
        return Ok(None);
    }
    let path = || format!("{}.{name}", section.type_name());
    let id = section.field(name).ok_or_else(|| SchemaError::NotInCatalogue(path()))?;
    let directive = field.directives.iter().find(|directive| directive.node.name.node == "access");
    let directive = directive.ok_or_else(|| SchemaError::Access(path()))?;
    let argument = |name: &str| directive.node.get_argument(name).map(|value| value.node.clone());
    let entry = id.field();
    let right = argument("field") == Some(Value::from(entry.number))
        && argument("action") == Some(Value::from(format!("read.{id}")))
        && argument("group") == Some(Value::from(entry.group));
    right.then_some(Some(id)).ok_or_else(|| SchemaError::Access(path()))
}
