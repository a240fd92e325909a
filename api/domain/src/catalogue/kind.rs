//! What values a field takes, and how input becomes one.

use super::codes::Code;
use crate::identifier;
use crate::ids::AgencyId;
use crate::photo::Photo;
use chrono::{DateTime, NaiveDate, SecondsFormat};
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
    /// An instant, in microseconds since 1970. No input.
    Instant,
    /// An id of the hub that begins with this word. No input.
    Id(&'static str),
    /// What the parties of a protocol have told one another, as they wrote it. No input.
    Json,
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

/// The field that the free words of a handover follow: the address, which under a protected registration is neither kept nor shown.
pub const FREE_WORDS: &str = "placement.street";

/// F28: a handover.
pub static HANDOVER: Entry = Entry {
    type_name: "HandoverEntry",
    description: "A handover of the child from one agency to another. Its free words may tell where the child is, and follow \
                  the rules of the child's address, too.",
    fields: &[
        part("id", Kind::Id("handover"), true, "id", "The id of the handover."),
        part("kind", Kind::Text(40), true, "slag", "What is handed over: `ASSIGNMENT`, `REPLACEMENT` …"),
        part("state", Kind::Text(40), true, "läge", "How far it has come: `OFFERED`, `ACCEPTED`, `TRAVELLING` …"),
        part("fromAgency", Kind::Agency, false, "från", "Who hands over; null where that would tell what is withheld."),
        part("toAgency", Kind::Agency, false, "till", "Who receives; null where that would tell what is withheld."),
        part("proposedAt", Kind::Instant, true, "föreslagen", "When it was proposed."),
        part("expectedAt", Kind::Instant, true, "väntad ankomst", "When the child is expected to have arrived."),
        part("acceptedAt", Kind::Instant, false, "godtagen", "When it was accepted."),
        part("departedAt", Kind::Instant, false, "avresa", "When the child left."),
        part("arrivedAt", Kind::Instant, false, "ankomst", "When the receiver confirmed that the child had arrived."),
        part("overdueAt", Kind::Instant, false, "försenad", "When the silence after the expected arrival was noticed."),
        part("endedAt", Kind::Instant, false, "avslutad", "When it came to an end; null while it is open."),
        guarded("details", Kind::Json, FREE_WORDS, "uppgifter", "Escort, ticket, contact, decision."),
        guarded("reason", Kind::Text(4000), FREE_WORDS, "skäl", "Why it was refused, withdrawn or not completed."),
    ],
};

/// F52: a worry that was handed in.
pub static CONCERN: Entry = Entry {
    type_name: "ConcernEntry",
    description: "A worry about the child that was handed in (*orosanmälan*), and what its giver is told of it.",
    fields: &[
        part("id", Kind::Id("submission"), true, "id", "The id of what was handed in."),
        part("at", Kind::Instant, true, "inlämnad", "When it was handed in."),
        part("by", Kind::Agency, false, "från", "Who handed it in; null where that would tell what is withheld."),
        part("text", Kind::Text(4000), true, "text", "What the giver worries about."),
        part("state", Kind::Text(40), true, "läge", "What became of it."),
        part("feedback", Kind::Text(4000), false, "återkoppling", "What the giver is told."),
        part("decidedAt", Kind::Instant, false, "avgjord", "When it was decided on."),
    ],
};

/// F53, F59: an episode that is not the current one.
pub static EARLIER_EPISODE: Entry = Entry {
    type_name: "EarlierEpisode",
    description: "A missing episode before the one that is open or the latest. Each part follows the rule of the same part \
                  there, too.",
    fields: &[
        guarded("id", Kind::Id("episode"), "missing.episodeId", "id", "The id of the episode."),
        guarded("status", Kind::Code(Code::MissingStatus), "missing.status", "läge", "How far it came."),
        guarded("since", Kind::Instant, "missing.since", "försvunnen sedan", "Since when the child was missing."),
        guarded("lastSeenAt", Kind::Instant, "missing.lastSeenAt", "senast sedd", "When the child was last seen."),
        guarded(
            "lastSeenPlace",
            Kind::Text(200),
            "missing.lastSeenPlace",
            "senast sedd var",
            "Where it was last seen.",
        ),
        guarded("circumstances", Kind::Text(4000), "missing.circumstances", "omständigheter", "How it came about."),
        guarded("foundAt", Kind::Instant, "missing.foundAt", "återfunnen", "When the child was found."),
        guarded("foundPlace", Kind::Text(200), "missing.foundPlace", "återfunnen var", "Where it was found."),
        guarded("foundCondition", Kind::Text(4000), "missing.foundCondition", "skick", "How it was."),
        guarded("closedAt", Kind::Instant, "missing.closedAt", "avslutat", "When the episode was closed."),
        guarded("closedReason", Kind::Text(4000), "missing.closedReason", "skäl", "Why it was closed."),
    ],
};

/// F54: an item of the checklist of an episode.
pub static CHECKLIST_ITEM: Entry = Entry {
    type_name: "ChecklistEntry",
    description: "What the routine of the county asks for when a child is missing or found, and who did it when.",
    fields: &[
        part("id", Kind::Id("item"), true, "id", "The id of the item."),
        part("episodeId", Kind::Id("episode"), true, "försvinnande", "The episode it belongs to."),
        part("moment", Kind::Text(40), true, "skede", "`MISSING` or `FOUND`."),
        part("actor", Kind::Text(40), true, "aktör", "Whose it is."),
        part("text", Kind::Text(1000), true, "åtgärd", "What is to be done, in Swedish."),
        part("textEn", Kind::Text(1000), true, "åtgärd på engelska", "What is to be done, in English."),
        part("mandatory", Kind::Bool, true, "obligatorisk", "Whether it must be done."),
        part("dueAt", Kind::Instant, false, "senast", "Until when."),
        part("state", Kind::Text(40), true, "läge", "Whether it is open, done or skipped."),
        part(
            "assignedTo",
            Kind::Agency,
            false,
            "tilldelad",
            "Who is to do it; null where that would tell what is withheld.",
        ),
        part("doneAt", Kind::Instant, false, "gjord", "When it was done or skipped."),
        part("doneBy", Kind::Agency, false, "gjord av", "Who did it; null where that would tell what is withheld."),
        part("reason", Kind::Text(4000), false, "skäl", "Why it was skipped."),
        part("routine", Kind::Text(40), true, "rutin", "The routine and its version: `12/1`."),
        part("source", Kind::Text(1000), true, "källa", "What the item rests on."),
    ],
};

/// F58: a sighting or a tip.
pub static SIGHTING: Entry = Entry {
    type_name: "SightingEntry",
    description: "A sighting of the missing child, or a tip (*iakttagelse, tips*).",
    fields: &[
        part("episodeId", Kind::Id("episode"), true, "försvinnande", "The episode it belongs to."),
        part("at", Kind::Instant, true, "antecknad", "When it was recorded."),
        part("seenAt", Kind::Instant, false, "sedd", "When the child was seen."),
        part("place", Kind::Text(200), false, "plats", "Where."),
        part("text", Kind::Text(4000), true, "text", "What was seen or told."),
        part("by", Kind::Agency, false, "från", "Who gave it; null where that would tell what is withheld."),
    ],
};

/// F60: a part of what follows when a child was found.
pub static FOLLOW_UP: Entry = Entry {
    type_name: "FollowUpEntry",
    description: "A part of what follows when a missing child was found (*uppföljning*).",
    fields: &[
        part("episodeId", Kind::Id("episode"), true, "försvinnande", "The episode it belongs to."),
        part("part", Kind::Code(Code::FollowUpPart), true, "del", "Which part."),
        part("doneOn", Kind::Date, true, "gjord", "The day it was done."),
        part("note", Kind::Text(4000), false, "anteckning", "What others must know of it."),
        part("at", Kind::Instant, true, "antecknad", "When it was recorded."),
        part("by", Kind::Agency, false, "av", "Who did it; null where that would tell what is withheld."),
    ],
};

/// F61: an agency's own closure.
pub static CLOSURE: Entry = Entry {
    type_name: "ClosureEntry",
    description: "That an agency closed its own matter while the child was missing (*avslutat ärende*).",
    fields: &[
        part("episodeId", Kind::Id("episode"), true, "försvinnande", "The episode it belongs to."),
        part("at", Kind::Instant, true, "avslutat", "When."),
        part("by", Kind::Agency, false, "av", "Which agency; null where that would tell what is withheld."),
        part("reason", Kind::Text(4000), true, "skäl", "Why."),
    ],
};

/// F62: a consent.
pub static CONSENT: Entry = Entry {
    type_name: "ConsentEntry",
    description: "What a partner organisation may read, and until when (*samtycke*). Who gave it follows the rule of the \
                  guardian's name, too.",
    fields: &[
        part("id", Kind::Id("consent"), true, "id", "The id of the consent."),
        part("receiver", Kind::Agency, false, "mottagare", "The organisation that may read."),
        part("groups", Kind::Texts(64, 64), true, "uppgifter", "The policy groups that it may read."),
        guarded("givenBy", Kind::Text(200), "guardianship.guardianName", "lämnat av", "Who consented."),
        part("validFrom", Kind::Instant, true, "gäller från", "From when."),
        part("validUntil", Kind::Instant, true, "gäller till", "Until when."),
        part("withdrawnAt", Kind::Instant, false, "återkallat", "When it was withdrawn."),
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
    /// Microseconds since 1970.
    Instant(i64),
    Agency(AgencyId),
    /// A list, as JSON: of texts, or of entries with the names of their [`Entry`].
    List(Vec<Json>),
    Photo(Photo),
    /// What was told as its parties wrote it.
    Json(Json),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[personal]")
    }
}

impl Value {
    /// The value as JSON: dates as `YYYY-MM-DD`, instants as RFC 3339 with microseconds in UTC, agencies as ids.
    pub fn to_json(&self) -> Json {
        match self {
            Value::Text(text) => Json::from(text.as_str()),
            Value::Bool(yes) => Json::from(*yes),
            Value::Date(date) => Json::from(date.to_string()),
            Value::Instant(micros) => Json::from(timestamp(*micros)),
            Value::Agency(id) => Json::from(id.to_string()),
            Value::List(items) => Json::from(items.clone()),
            Value::Photo(photo) => photo.to_json(),
            Value::Json(json) => json.clone(),
        }
    }

    /// Whether the value raises a flag: not false, not the code `NONE`, not an empty list.
    pub fn raises_flag(&self) -> bool {
        match self {
            Value::Bool(yes) => *yes,
            Value::Text(text) => text != "NONE",
            Value::List(items) => !items.is_empty(),
            Value::Date(_) | Value::Instant(_) | Value::Agency(_) | Value::Photo(_) | Value::Json(_) => true,
        }
    }
}

/// An instant, given in microseconds since 1970, as RFC 3339 with microseconds in UTC.
pub fn timestamp(micros: i64) -> String {
    let instant = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
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
            Kind::Photo | Kind::Instant | Kind::Id(_) | Kind::Json => Err(here(Invalid::Type)),
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
