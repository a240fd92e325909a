//! What the parties tell one another beside the record: whom to call, how the child travels, what was decided.

use super::kinds::Detail;
use crate::catalogue::{Kind, Value};
use crate::error::{ErrorCode, Refusal};
use serde_json::{Map, Value as Json};

/// One of the details: name, what it takes, and what it is, in English and in Swedish.
pub struct Told {
    pub name: &'static str,
    pub kind: Kind,
    pub en: &'static str,
    pub sv: &'static str,
    /// Whether the receiver sees it before it accepts. It is of the sender, and says nothing of the child.
    pub offered: bool,
    /// Whether it may tell where the child is or goes. Under a protected registration it is neither kept nor shown.
    pub place: bool,
}

const fn told(name: &'static str, kind: Kind, en: &'static str, sv: &'static str) -> Told {
    Told { name, kind, en, sv, offered: false, place: false }
}

const fn place(name: &'static str, kind: Kind, en: &'static str, sv: &'static str) -> Told {
    Told { place: true, ..told(name, kind, en, sv) }
}

/// Every detail.
pub const TOLD: [Told; 9] = [
    Told {
        offered: true,
        ..told("contactName", Kind::Text(100), "Somebody at the sender who knows.", "kontaktperson")
    },
    Told { offered: true, ..told("contactPhone", Kind::Phone, "That person's telephone.", "kontaktpersonens telefon") },
    told("decisionNumber", Kind::Text(50), "The number of the decision that it rests on.", "beslutsnummer"),
    told("decidedOn", Kind::Date, "The day of that decision.", "beslutsdatum"),
    place("escort", Kind::Text(200), "Who travels with the child.", "ledsagare"),
    place("ticket", Kind::Text(200), "How the child travels: train, ticket, times.", "biljett"),
    place("meeting", Kind::Text(500), "Who meets the child, where and when.", "mottagande på plats"),
    place("unit", Kind::Text(200), "The unit that receives the child.", "mottagande enhet"),
    place("note", Kind::Text(1000), "What else the receiver must know.", "anteckning"),
];

/// Details in their normal form, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details(Map<String, Json>);

impl Details {
    /// Reads what was given, and what must be there.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, below `details`.
    pub fn read(given: &Map<String, Json>, required: &[Detail]) -> Result<Self, Vec<Refusal>> {
        let (mut details, mut refusals) = (Map::new(), Vec::new());
        for told in &TOLD {
            let Some(input) = given.get(told.name).filter(|input| !input.is_null()) else { continue };
            match told.kind.read(input) {
                Ok(value) => _ = details.insert(told.name.to_owned(), Value::to_json(&value)),
                Err((_, invalid)) => {
                    refusals.push(Refusal::of_value(vec!["details".to_owned(), told.name.to_owned()], invalid));
                }
            }
        }
        for name in required.iter().flat_map(|detail| detail.names()).filter(|name| !given.contains_key(**name)) {
            refusals.push(Refusal::at(ErrorCode::Required, ["details", name]));
        }
        if refusals.is_empty() { Ok(Details(details)) } else { Err(refusals) }
    }

    /// As they are kept.
    pub fn to_json(&self) -> Json {
        Json::Object(self.0.clone())
    }

    /// As they were kept.
    pub fn from_json(kept: Json) -> Self {
        if let Json::Object(details) = kept { Details(details) } else { Details::default() }
    }

    /// Those that the receiver sees before it accepts.
    #[must_use]
    pub fn offered(&self) -> Self {
        self.only(|told| told.offered)
    }

    /// Those that do not tell where the child is or goes.
    #[must_use]
    pub fn placeless(&self) -> Self {
        self.only(|told| !told.place)
    }

    /// The names of those that may tell where the child is or goes.
    pub fn places(&self) -> impl Iterator<Item = &'static str> {
        TOLD.iter().filter(|told| told.place && self.0.contains_key(told.name)).map(|told| told.name)
    }

    fn only(&self, which: impl Fn(&Told) -> bool) -> Self {
        let kept = TOLD.iter().filter(|told| which(told));
        Details(kept.filter_map(|told| Some((told.name.to_owned(), self.0.get(told.name)?.clone()))).collect())
    }
}

impl Detail {
    /// The details that it stands for.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Detail::Contact => &["contactName", "contactPhone"],
            Detail::Decision => &["decisionNumber", "decidedOn"],
        }
    }
}
