//! What values a field takes, and how input becomes one.

use super::codes::Code;
use crate::identifier;
use crate::ids::AgencyId;
use crate::photo::Photo;
use chrono::NaiveDate;
use email_address::{EmailAddress, Options};
use serde_json::Value as Json;
use std::str::FromStr;

/// What values a field takes. Lengths are counted in characters (Unicode scalar values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line or a text of at most so many characters.
    Text(usize),
    /// At most so many texts of at most so many characters.
    Texts(usize, usize),
    /// A day, `YYYY-MM-DD`, from 1900 to 2199.
    Date,
    /// Yes or no.
    Bool,
    /// A value of a code list.
    Code(Code),
    /// At most so many values of a code list.
    Codes(usize, Code),
    /// A telephone number, kept as E.164.
    Phone,
    /// At most so many telephone numbers.
    Phones(usize),
    /// An e-mail address.
    Email,
    /// A Swedish postal code, kept as five digits.
    PostalCode,
    /// An *organisationsnummer*, kept as `NNNNNN-NNNN`.
    OrganisationNumber,
    /// An agency of the hub.
    Agency,
    /// At most so many entries of one shape.
    Entries(usize, &'static Entry),
    /// What is told of a photo. Its bytes are given at its own URL, never as an input.
    Photo,
}

/// The shape of a list's entries.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of the GraphQL type.
    pub type_name: &'static str,
    /// What an entry is.
    pub description: &'static str,
    /// The fields of an entry.
    pub fields: &'static [EntryField],
}

/// One field of an entry.
#[derive(Debug, PartialEq, Eq)]
pub struct EntryField {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub sv: &'static str,
    pub en: &'static str,
    /// The guarded field whose rule this part follows besides the list's own (`section.name`).
    pub guard: Option<&'static str>,
}

const fn part(name: &'static str, kind: Kind, required: bool, sv: &'static str, en: &'static str) -> EntryField {
    EntryField { name, kind, required, sv, en, guard: None }
}

const fn guarded(
    name: &'static str,
    kind: Kind,
    guard: &'static str,
    sv: &'static str,
    en: &'static str,
) -> EntryField {
    EntryField { name, kind, required: false, sv, en, guard: Some(guard) }
}

/// F11–F14: a number of the child.
pub static IDENTIFIER: Entry = Entry {
    type_name: "Identifier",
    description: "A number an agency knows the child by, with its validity.",
    fields: &[
        part("id", Kind::Text(64), true, "id", "The id of this entry in the hub."),
        part("value", Kind::Text(32), true, "nummer", "The number, in its normal form."),
        part("identityLevel", Kind::Code(Code::IdentityLevel), false, "identitetsnivå", "For coordination numbers."),
        part("validFrom", Kind::Date, false, "gäller från", "First day of validity, where known."),
        part("validTo", Kind::Date, false, "gäller till", "Last day of validity, where known."),
    ],
};

/// F34: a placement that has ended.
pub static EARLIER_PLACEMENT: Entry = Entry {
    type_name: "EarlierPlacement",
    description: "A placement that has ended. Each part follows the rule of the same part of the current placement, too.",
    fields: &[
        part("id", Kind::Text(64), true, "id", "The id of the placement in the hub."),
        part("to", Kind::Date, false, "till", "Last day of the placement."),
        guarded("from", Kind::Date, "placement.from", "från", "First day of the placement."),
        guarded("type", Kind::Code(Code::PlacementType), "placement.type", "placeringsform", "Kind of placement."),
        guarded("unitName", Kind::Text(200), "placement.unitName", "boende", "Name of the home."),
        guarded("street", Kind::Text(200), "placement.street", "gatuadress", "Street address of stay."),
        guarded("postalCode", Kind::PostalCode, "placement.postalCode", "postnummer", "Postal code of stay."),
        guarded("postalTown", Kind::Text(100), "placement.postalTown", "postort", "Postal town of stay."),
    ],
};

/// F46: someone near the child.
pub static RELATIVE: Entry = Entry {
    type_name: "Relative",
    description: "Someone near the child (*närstående*).",
    fields: &[
        part("name", Kind::Text(100), true, "namn", "Name."),
        part("relationship", Kind::Text(100), false, "relation", "What they are to the child."),
        part("phone", Kind::Phone, false, "telefon", "Telephone."),
        part("country", Kind::Code(Code::Country), false, "land", "Where they are, ISO 3166-1 alpha-2."),
        part("note", Kind::Text(1000), false, "anteckning", "What a searcher must know."),
    ],
};

/// F49: an observed risk indicator.
pub static RISK_INDICATOR: Entry = Entry {
    type_name: "RiskIndicator",
    description: "A risk indicator as observed, with date and source; never scored.",
    fields: &[
        part("indicator", Kind::Code(Code::RiskIndicator), true, "indikator", "What was observed."),
        part("observedOn", Kind::Date, true, "observerad", "When it was observed."),
        part("source", Kind::Text(200), true, "källa", "Who observed it."),
        part("note", Kind::Text(1000), false, "anteckning", "What was seen."),
    ],
};

/// A value of the record, in its normal form.
///
/// It is personal data: `Debug` shows none of it.
#[derive(Clone, PartialEq)]
pub enum Value {
    Text(String),
    Bool(bool),
    Date(NaiveDate),
    Agency(AgencyId),
    /// A list, as JSON: of texts, or of entries with the names of their [`Entry`].
    List(Vec<Json>),
    Photo(Photo),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[personal]")
    }
}

impl Value {
    /// The value as JSON: dates as `YYYY-MM-DD`, agencies as ids.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Text(text) => Json::from(text.as_str()),
            Value::Bool(yes) => Json::from(*yes),
            Value::Date(date) => Json::from(date.to_string()),
            Value::Agency(id) => Json::from(id.to_string()),
            Value::List(items) => Json::from(items.clone()),
            Value::Photo(photo) => photo.to_json(),
        }
    }

    /// Whether the value raises a flag: not false, not the code `NONE`, not an empty list.
    pub fn raises_flag(&self) -> bool {
        match self {
            Value::Bool(yes) => *yes,
            Value::Text(text) => text != "NONE",
            Value::List(items) => !items.is_empty(),
            Value::Date(_) | Value::Agency(_) | Value::Photo(_) => true,
        }
    }
}

/// Why an input value was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Not of the field's type.
    Type,
    /// Longer than so many characters, or more than so many items.
    TooLong(usize),
    /// Empty, or control characters in it.
    Text,
    /// A list without items.
    EmptyList,
    /// Not a day between 1900 and 2199.
    Date,
    /// Not in the code list.
    Code(&'static str),
    /// Not a telephone number, an e-mail address or a postal code.
    Format(&'static str),
    /// An identifier whose form is wrong.
    IdentifierForm(&'static str),
    /// An identifier whose check digit is wrong.
    CheckDigit,
    /// A part of an entry is missing.
    Missing(&'static str),
    /// A part of an entry that its shape does not have.
    UnknownPart,
    /// An id of another kind, or none at all.
    Id(&'static str),
}

/// A path into an input value, and what is wrong there.
pub type Refused = (Vec<String>, Invalid);

impl Kind {
    /// How many items a list of this kind holds at most; none for what is no list.
    pub const fn most(self) -> Option<usize> {
        match self {
            Kind::Texts(most, _) | Kind::Codes(most, _) | Kind::Phones(most) | Kind::Entries(most, _) => Some(most),
            _ => None,
        }
    }

    /// Reads an input value (GraphQL input as JSON) and brings it into its normal form.
    pub fn read(&self, input: &Json) -> Result<Value, Refused> {
        let here = |invalid| (Vec::new(), invalid);
        match *self {
            Kind::Text(max) => text(input, max).map(Value::Text).map_err(here),
            Kind::Date => date(input).map(Value::Date).map_err(here),
            Kind::Bool => input.as_bool().map(Value::Bool).ok_or(here(Invalid::Type)),
            Kind::Code(list) => code(input, list).map(Value::Text).map_err(here),
            Kind::Phone => phone(input).map(Value::Text).map_err(here),
            Kind::Email => email(input).map(Value::Text).map_err(here),
            Kind::PostalCode => postal_code(input).map(Value::Text).map_err(here),
            Kind::OrganisationNumber => {
                string(input).and_then(identifier::organisation_number).map(Value::Text).map_err(here)
            }
            Kind::Agency => string(input)
                .and_then(|text| AgencyId::from_str(text).map_err(|_| Invalid::Id("agency")))
                .map(Value::Agency)
                .map_err(here),
            Kind::Texts(most, max) => list(input, most, |item| text(item, max).map(Json::from).map_err(here)),
            Kind::Codes(most, codes) => list(input, most, |item| code(item, codes).map(Json::from).map_err(here)),
            Kind::Phones(most) => list(input, most, |item| phone(item).map(Json::from).map_err(here)),
            Kind::Entries(most, entry) => list(input, most, |item| read_entry(entry, item)),
            Kind::Photo => Err(here(Invalid::Type)),
        }
    }
}

fn list(input: &Json, most: usize, read: impl Fn(&Json) -> Result<Json, Refused>) -> Result<Value, Refused> {
    // GraphQL coerces a single value where a list is asked for (section 3.11, input coercion).
    let items = input.as_array().map_or(std::slice::from_ref(input), Vec::as_slice);
    if items.is_empty() {
        return Err((Vec::new(), Invalid::EmptyList));
    }
    if items.len() > most {
        return Err((Vec::new(), Invalid::TooLong(most)));
    }
    let read_at = |(index, item)| {
        read(item).map_err(|(mut path, invalid)| {
            path.insert(0, format!("{index}"));
            (path, invalid)
        })
    };
    items.iter().enumerate().map(read_at).collect::<Result<_, _>>().map(Value::List)
}

fn read_entry(entry: &Entry, input: &Json) -> Result<Json, Refused> {
    let object = input.as_object().ok_or((Vec::new(), Invalid::Type))?;
    if let Some(unknown) = object.keys().find(|key| !entry.fields.iter().any(|field| field.name == *key)) {
        return Err((vec![unknown.clone()], Invalid::UnknownPart));
    }
    let mut read = serde_json::Map::new();
    for field in entry.fields {
        match object.get(field.name).filter(|value| !value.is_null()) {
            None if field.required => return Err((vec![field.name.to_owned()], Invalid::Missing(field.name))),
            None => {}
            Some(value) => {
                let value = field.kind.read(value).map_err(|(mut path, invalid)| {
                    path.insert(0, field.name.to_owned());
                    (path, invalid)
                })?;
                read.insert(field.name.to_owned(), value.to_json());
            }
        }
    }
    Ok(Json::Object(read))
}

fn string(input: &Json) -> Result<&str, Invalid> {
    input.as_str().ok_or(Invalid::Type)
}

fn text(input: &Json, max: usize) -> Result<String, Invalid> {
    let text = string(input)?.trim().replace("\r\n", "\n");
    if text.chars().count() > max {
        return Err(Invalid::TooLong(max));
    }
    // Marks that turn the direction of writing can make a text read as another than it is.
    let turning = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let forbidden = |c: char| turning(c) || (c.is_control() && c != '\n' && c != '\t');
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    if text.chars().all(blank) || text.chars().any(forbidden) {
        return Err(Invalid::Text);
    }
    Ok(text)
}

fn date(input: &Json) -> Result<NaiveDate, Invalid> {
    let text = string(input)?;
    let in_range = |date: &NaiveDate| (1900..2200).contains(&chrono::Datelike::year(date));
    // The library takes signs and spaces, too; a day is written in one way only.
    let as_written = |date: &NaiveDate| date.to_string() == text;
    NaiveDate::from_str(text).ok().filter(|date| in_range(date) && as_written(date)).ok_or(Invalid::Date)
}

fn code(input: &Json, list: Code) -> Result<String, Invalid> {
    let code = string(input)?;
    list.contains(code).then(|| code.to_owned()).ok_or(Invalid::Code(list.type_name()))
}

fn phone(input: &Json) -> Result<String, Invalid> {
    let text = string(input)?;
    phonenumber::parse(Some(phonenumber::country::Id::SE), text)
        .ok()
        .filter(|_| text.len() <= 40)
        .filter(phonenumber::is_valid)
        // E.164 has no room for an extension, and nothing is dropped in silence.
        .filter(|number| number.extension().is_none())
        .map(|number| number.format().mode(phonenumber::Mode::E164).to_string())
        .ok_or(Invalid::Format("telephone number"))
}

fn email(input: &Json) -> Result<String, Invalid> {
    let text = string(input)?.trim();
    // An address alone: without a name before it, at a domain that has one.
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    let parsed = EmailAddress::parse_with_options(text, options);
    parsed.map(|_| text.to_owned()).map_err(|_| Invalid::Format("e-mail address"))
}

fn postal_code(input: &Json) -> Result<String, Invalid> {
    let digits: String = string(input)?.chars().filter(|c| *c != ' ').collect();
    let valid = digits.len() == 5 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    valid.then_some(digits).ok_or(Invalid::Format("Swedish postal code"))
}
