//! The inputs of a section's mutations, made from the catalogue.
//!
//! They take whatever has the right shape and leave the checking to the session, which refuses bad
//! input whole, with codes and paths. A null in a patch is left out: it changes nothing.

use super::scalars::{add, limits, register, type_name};
use super::types::{enumeration, input_object, input_value, one_of};
use async_graphql::registry::{MetaInputValue, MetaTypeId, Registry};
use async_graphql::{Enum, ID, InputObject, InputType, InputValueError, InputValueResult, Value};
use samverka_domain::catalogue::{Code, Entry, FieldId, Kind, Section, Source};
use samverka_domain::error::{Error, ErrorCode};
use samverka_domain::session;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A section, as a type.
pub(super) trait OfSection: Send + Sync + 'static {
    const SECTION: Section;
}

macro_rules! sections {
    ($($name:ident)+) => {
        $(
            pub(super) struct $name;
            impl OfSection for $name {
                const SECTION: Section = Section::$name;
            }
        )+

        /// The fields of `CorrectionInput`: one for each section that can be updated.
        fn corrections(registry: &mut Registry) -> Vec<MetaInputValue> {
            vec![$(register_correction::<$name>(registry),)+]
        }
    };
}

sections! {
    Identity Protection Asylum Responsibility Placement Guardianship Health Schooling Network Voice Description
    Risk SafetyPlan
}

/// `…Patch`: the fields of a section that an update sets.
pub(super) struct Patch<S>(pub(super) Map<String, Json>, PhantomData<S>);

/// `…Field`: a field of a section that an update empties.
pub(super) struct Clear<S>(pub(super) String, PhantomData<S>);

fn writable(section: Section) -> impl Iterator<Item = FieldId> {
    section.fields().filter(|id| id.field().source == Source::Column)
}

/// A photo is sent to its own URL, and emptied like any other field.
fn clearable(section: Section) -> impl Iterator<Item = FieldId> {
    section.fields().filter(|id| matches!(id.field().source, Source::Column | Source::Photo))
}

impl<S: OfSection> InputType for Patch<S> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Patch", S::SECTION.type_name()))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let fields = writable(S::SECTION).map(|id| {
                let field = id.field();
                register_input(registry, field.kind);
                let description = format!("{}{} ({}, *{}*)", field.en, limits(field.kind), field.number, field.sv);
                input_value(field.name, &type_name(field.kind, true), &description, None)
            });
            let fields = fields.collect();
            let description = format!(
                "What to set in `{}`. A field that is left out or null stays as it is; to empty it, name it in `clear`.",
                S::SECTION.name()
            );
            input_object(&Self::type_name(), &description, fields)
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let json = value.unwrap_or_default().into_json().map_err(InputValueError::custom)?;
        match json {
            Json::Null => Ok(Patch(Map::new(), PhantomData)),
            Json::Object(fields) => {
                let set = fields.into_iter().filter(|(_, value)| !value.is_null());
                Ok(Patch(set.collect(), PhantomData))
            }
            _ => Err(InputValueError::custom("an object is asked for")),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(Json::Object(self.0.clone())).unwrap_or_default()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<S: OfSection> InputType for Clear<S> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Field", S::SECTION.type_name()))
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| {
            let names: Vec<(String, String)> = clearable(S::SECTION)
                .map(|id| (code(id), format!("{} ({}, *{}*)", id.field().en, id.field().number, id.field().sv)))
                .collect();
            let description = format!("A field of `{}` that can be emptied.", S::SECTION.name());
            let values = names.iter().map(|(code, description)| (code.as_str(), description.clone()));
            enumeration(&Self::type_name(), &description, values)
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let named = match value.unwrap_or_default() {
            Value::Enum(name) => name.to_string(),
            Value::String(name) => name,
            other => return Err(InputValueError::expected_type(other)),
        };
        Ok(Clear(named_field(S::SECTION, &named), PhantomData))
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// The field that an enum value names; what names none stays as it is, and is refused by the session.
fn named_field(section: Section, named: &str) -> String {
    let field = clearable(section).find(|id| code(*id) == named);
    field.map_or_else(|| named.to_owned(), |id| id.field().name.to_owned())
}

/// The enum value of a field: `givenNames` is `GIVEN_NAMES`.
fn code(id: FieldId) -> String {
    let mut code = String::new();
    for c in id.field().name.chars() {
        if c.is_ascii_uppercase() {
            code.push('_');
        }
        code.push(c.to_ascii_uppercase());
    }
    code
}

fn register_input(registry: &mut Registry, kind: Kind) {
    match kind {
        Kind::Entries(_, entry) => register_entry_input(registry, entry),
        Kind::Agency => _ = <ID as InputType>::create_type_info(registry),
        other => register(registry, other),
    }
}

fn register_entry_input(registry: &mut Registry, entry: &'static Entry) {
    let fields = entry.fields.iter().map(|field| {
        register_input(registry, field.kind);
        let required = if field.required { "!" } else { "" };
        let description = format!("{}{} (*{}*)", field.en, limits(field.kind), field.sv);
        input_value(field.name, &format!("{}{required}", type_name(field.kind, true)), &description, None)
    });
    let fields = fields.collect();
    add(registry, input_object(&format!("{}Input", entry.type_name), entry.description, fields));
}

/// A patch and what to empty, as the session takes them.
pub(super) fn patch<S: OfSection>(set: Option<Patch<S>>, clear: Option<Vec<Clear<S>>>) -> session::Patch {
    let clear = clear.unwrap_or_default().into_iter().map(|clear| clear.0).collect();
    session::Patch { set: set.map(|patch| patch.0).unwrap_or_default(), clear }
}

/// `CorrectionInput`: of one section, what an update of it would set and empty.
pub(super) struct CorrectionInput(Json);

impl CorrectionInput {
    /// The correction, if exactly one section is given.
    pub(super) fn read(self) -> Result<session::Correction, Error> {
        let wrong = || Error::refused(ErrorCode::InvalidInput, ["correction"]);
        let Json::Object(sections) = self.0 else { return Err(wrong()) };
        let mut given = sections.into_iter().filter(|(_, value)| !value.is_null());
        let (Some((name, Json::Object(mut correction))), None) = (given.next(), given.next()) else {
            return Err(wrong());
        };
        let section = Section::by_name(&name).ok_or_else(wrong)?;
        let set = match correction.remove("set").unwrap_or_default() {
            Json::Null => Map::new(),
            Json::Object(set) => set.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => return Err(wrong()),
        };
        let clear = match correction.remove("clear").unwrap_or_default() {
            Json::Null => Vec::new(),
            Json::Array(names) => names,
            one => vec![one],
        };
        let clear = clear.iter().map(|name| name.as_str().map(|name| named_field(section, name)).ok_or_else(wrong));
        let patch = session::Patch { set, clear: clear.collect::<Result<_, _>>()? };
        Ok(session::Correction { section, patch })
    }
}

/// Puts `…Correction` into the registry; gives the field of `CorrectionInput` that holds it.
fn register_correction<S: OfSection>(registry: &mut Registry) -> MetaInputValue {
    let (set, clear) = (Patch::<S>::create_type_info(registry), Clear::<S>::create_type_info(registry));
    let section = S::SECTION;
    let name = format!("{}Correction", section.type_name());
    let fields = vec![
        input_value("set", set.trim_end_matches('!'), "What to set; null suggests nothing (*sätt*).", None),
        input_value("clear", &format!("[{}!]", clear.trim_end_matches('!')), "What to empty (*töm*).", None),
    ];
    let description = format!("A correction of `{}`, as an update of it would be.", section.name());
    add(registry, input_object(&name, &description, fields));
    input_value(section.name(), &name, section.description(), None)
}

impl InputType for CorrectionInput {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("CorrectionInput")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::InputObject, |registry| {
            let sections = corrections(registry);
            let description = "A correction to suggest (*rättelse*): of exactly one section.";
            one_of(&Self::type_name(), description, sections)
        })
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        value.unwrap_or_default().into_json().map(CorrectionInput).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// The kinds of number a child may be known by (*identitetsbeteckning*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "IdentifierKind", remote = "samverka_domain::catalogue::IdentifierKind")]
pub(super) enum IdentifierKind {
    /// F11 *personnummer*, `YYYYMMDD-NNNN`.
    PersonalNumber,
    /// F12 *samordningsnummer*, `YYYYMMDD-NNNN` with the day raised by 60.
    CoordinationNumber,
    /// F13 *dossiernummer* of Migrationsverket, `NN-NNNNNN`.
    DossierNumber,
    /// F14 *LMA-kort*, `NN-NNNNNN/n`.
    LmaCard,
}

/// `IdentityLevel`, checked by the session.
pub(super) struct IdentityLevel(pub(super) String);

impl InputType for IdentityLevel {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(Code::IdentityLevel.type_name())
    }

    fn create_type_info(registry: &mut Registry) -> String {
        register(registry, Kind::Code(Code::IdentityLevel));
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value.unwrap_or_default() {
            Value::Enum(level) => Ok(IdentityLevel(level.to_string())),
            Value::String(level) => Ok(IdentityLevel(level)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.as_str())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// A number to add to a child (*identitetsbeteckning*).
#[derive(InputObject)]
pub(super) struct IdentifierInput {
    /// What kind of number it is (*slag*).
    pub(super) kind: IdentifierKind,
    /// The number; check digits are checked (*nummer*).
    pub(super) value: String,
    /// How well the identity is established, for coordination numbers (*identitetsnivå*).
    pub(super) identity_level: Option<IdentityLevel>,
    /// First day of validity (*gäller från*).
    pub(super) valid_from: Option<super::scalars::Date>,
    /// Last day of validity (*gäller till*).
    pub(super) valid_to: Option<super::scalars::Date>,
}

/// A child to register (*barn att registrera*).
#[derive(InputObject)]
pub(super) struct RegisterChildInput {
    /// The agency that leads from now (*ledande aktör*); your own where it is left out.
    pub(super) lead_agency_id: Option<ID>,
    /// The agency that is legally responsible from now, if it is settled (*ansvarig nämnd*).
    pub(super) responsible_agency_id: Option<ID>,
    /// The first values of the identity section (*identitet*).
    pub(super) identity: Option<Patch<Identity>>,
    /// The first numbers (*identitetsbeteckningar*), at most 10.
    pub(super) identifiers: Option<Vec<IdentifierInput>>,
}
