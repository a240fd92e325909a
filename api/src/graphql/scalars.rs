//! The types of single values, from the catalogue's kinds and code lists.

use super::types::{FieldType, enumeration, object, scalar};
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned, Scalar, ScalarType,
    ServerResult, Value,
};
use chrono::{DateTime, Utc};
use samverka_domain::catalogue::{Code, Entry, Kind};
use serde_json::Value as Json;
use std::borrow::Cow;

/// What was given for a day, not yet read.
pub(super) struct Date(pub(super) Json);

/// A day (*dag*), `YYYY-MM-DD` (ISO 8601), from 1900 to 2199.
#[Scalar(name = "Date", specified_by_url = "https://scalars.graphql.org/andimarek/local-date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        // Anything else than a day is refused by the session, with the argument's path.
        value.into_json().map(Date).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// An instant (*tidpunkt*) in microseconds since 1970, as every answer writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant(pub(super) i64);

impl OutputType for Instant {
    fn type_name() -> Cow<'static, str> {
        <DateTime<Utc> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <DateTime<Utc> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::from(super::child::timestamp(self.0)))
    }
}

/// The name of the GraphQL type of a kind, as an output without `!`, as an input likewise.
pub(super) fn type_name(kind: Kind, as_input: bool) -> String {
    match kind {
        Kind::Text(_) => "String".to_owned(),
        Kind::Texts(..) => "[String!]".to_owned(),
        Kind::Date => "Date".to_owned(),
        Kind::Bool => "Boolean".to_owned(),
        Kind::Code(code) => code.type_name().to_owned(),
        Kind::Codes(_, code) => format!("[{}!]", code.type_name()),
        Kind::Phone => "PhoneNumber".to_owned(),
        Kind::Phones(_) => "[PhoneNumber!]".to_owned(),
        Kind::Email => "EmailAddress".to_owned(),
        Kind::PostalCode => "PostalCode".to_owned(),
        Kind::OrganisationNumber => "OrganisationNumber".to_owned(),
        Kind::Agency if as_input => "ID".to_owned(),
        Kind::Agency => "Agency".to_owned(),
        Kind::Entries(_, entry) if as_input => format!("[{}Input!]", entry.type_name),
        Kind::Entries(_, entry) => format!("[{}!]", entry.type_name),
        Kind::Photo => "Photo".to_owned(),
        Kind::Instant => "DateTime".to_owned(),
        Kind::Id(_) => "ID".to_owned(),
        Kind::Json => "JSON".to_owned(),
    }
}

/// What the kind takes, for the description of an input.
pub(super) fn limits(kind: Kind) -> String {
    match kind {
        Kind::Text(max) => format!(" At most {max} characters."),
        Kind::Texts(most, max) => format!(" At most {most}, of at most {max} characters each."),
        Kind::Codes(most, _) | Kind::Phones(most) | Kind::Entries(most, _) => format!(" At most {most}."),
        _ => String::new(),
    }
}

/// Puts the type of a kind into the registry, if it is not there.
pub(super) fn register(registry: &mut Registry, kind: Kind) {
    match kind {
        Kind::Date => _ = <Date as InputType>::create_type_info(registry),
        Kind::Code(code) | Kind::Codes(_, code) => register_code(registry, code),
        Kind::Phone | Kind::Phones(_) => add(
            registry,
            scalar(
                "PhoneNumber",
                "A telephone number (*telefonnummer*). Given as E.164, `+46701740605`; taken in national form, too.",
                None,
            ),
        ),
        Kind::Email => add(registry, scalar("EmailAddress", "An e-mail address (*e-postadress*).", None)),
        Kind::PostalCode => {
            add(registry, scalar("PostalCode", "A Swedish postal code (*postnummer*), five digits.", None))
        }
        Kind::OrganisationNumber => {
            add(
                registry,
                scalar("OrganisationNumber", "An *organisationsnummer*, `NNNNNN-NNNN`, check digit checked.", None),
            );
        }
        Kind::Agency => _ = <super::agency::AgencyObject as OutputType>::create_type_info(registry),
        Kind::Entries(_, entry) => register_entry(registry, entry),
        Kind::Photo => register_photo(registry),
        Kind::Instant => _ = <chrono::DateTime<chrono::Utc> as OutputType>::create_type_info(registry),
        Kind::Id(_) => _ = <async_graphql::ID as OutputType>::create_type_info(registry),
        Kind::Json => _ = <async_graphql::Json<Json> as OutputType>::create_type_info(registry),
        Kind::Text(_) | Kind::Texts(..) => _ = <String as OutputType>::create_type_info(registry),
        Kind::Bool => _ = <bool as OutputType>::create_type_info(registry),
    }
}

fn register_photo(registry: &mut Registry) {
    <Date as InputType>::create_type_info(registry);
    <i32 as OutputType>::create_type_info(registry);
    let fields = vec![
        FieldType::new(
            "url",
            "String!",
            "Where you fetch the bytes (*adress*), below the hub's own address: `GET` with the headers of every request. It \
             is yours alone, is another after each change, and each fetch is decided and logged anew.",
        ),
        FieldType::new("type", "String!", "`image/jpeg` or `image/png` (*filtyp*)."),
        FieldType::new("takenOn", "Date!", "The day the photo was taken (*fotograferad*)."),
        FieldType::new("size", "Int!", "How many bytes it has (*storlek*)."),
        FieldType::new("width", "Int!", "In pixels (*bredd*)."),
        FieldType::new("height", "Int!", "In pixels (*höjd*)."),
    ];
    add(
        registry,
        object(
            "Photo",
            "A photo of the child (*fotografi*): the picture and nothing else that was in the file.",
            fields,
        ),
    );
}

fn register_code(registry: &mut Registry, code: Code) {
    let meta = match code.values() {
        Some(values) => {
            let values = values.iter().map(|value| (value.code, format!("{} (*{}*)", value.en, value.sv)));
            enumeration(code.type_name(), code.description(), values)
        }
        None => scalar(code.type_name(), code.description(), None),
    };
    add(registry, meta);
}

fn register_entry(registry: &mut Registry, entry: &'static Entry) {
    let fields = entry.fields.iter().map(|field| {
        register(registry, field.kind);
        let required = if field.required { "!" } else { "" };
        let description = format!("{} (*{}*)", field.en, field.sv);
        let ty = if field.name == "id" { "ID".to_owned() } else { type_name(field.kind, false) };
        FieldType::new(field.name, format!("{ty}{required}"), description)
    });
    let fields = fields.collect();
    add(registry, object(entry.type_name, entry.description, fields));
}

pub(super) fn add(registry: &mut Registry, meta: MetaType) {
    registry.types.entry(meta.name().to_owned()).or_insert(meta);
}
