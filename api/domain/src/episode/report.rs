//! The minimum report to the police: one text, in Swedish, made of what the caller is shown and of nothing else.

use crate::catalogue::{Code, Entry, FieldId, Kind, Section, Value};
use crate::clock::instant;
use crate::ids::AgencyId;
use crate::view::{ChildView, SectionView, Selection};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fmt::Write;

/// What the report holds of the record: headings, and the fields below each.
#[rustfmt::skip]
pub(crate) const REPORTED: [(&str, &[&str]); 9] = [
    ("Barnet", &[
        "identity.givenNames", "identity.familyName", "identity.aliases", "identity.birthDate",
        "identity.birthDateClaimed", "identity.sex", "identity.citizenship", "identity.languages",
        "identity.interpreterNeeded", "protection.protected", "protection.level",
    ]),
    ("Nummer", &[
        "identifiers.personalNumbers", "identifiers.coordinationNumbers", "identifiers.dossierNumbers",
        "identifiers.lmaCards",
    ]),
    ("Signalement", &[
        "description.photo", "description.appearance", "description.marks", "description.clothing",
    ]),
    ("Telefon och konton", &["network.phones", "network.accounts"]),
    ("Nätverk och troliga platser", &[
        "network.relatives", "network.likelyPlaces", "placement.type", "placement.unitName", "placement.street",
        "placement.postalCode", "placement.postalTown", "placement.legalBasis", "placement.earlier",
        "schooling.schoolName", "schooling.contactName", "schooling.contactPhone",
    ]),
    ("Hälsa", &["health.criticalNeeds", "health.selfHarmAlert", "health.selfHarmNote"]),
    ("Hotbild", &["risk.indicators", "risk.exploitation", "risk.exploitationKind"]),
    ("Överenskommet med barnet", &["safetyPlan.plan"]),
    ("Vem som ska nås", &[
        "responsibility.responsibleAgency", "responsibility.leadAgency", "responsibility.unit",
        "responsibility.dutyPhone", "responsibility.caseWorkerName", "responsibility.caseWorkerPhone",
        "placement.dutyPhone", "guardianship.guardianName", "guardianship.guardianPhone",
        "guardianship.guardianEmail", "asylum.counselName", "asylum.counselPhone",
    ]),
];

/// What the report holds besides the record: what its writer has said of the disappearance.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Nobody has told the police yet.
    pub(crate) is_suspected: bool,
    /// By whom, as the hub names the agency.
    pub(crate) reported_by: String,
    /// Microseconds since 1970.
    pub(crate) reported_at: i64,
    pub(crate) last_seen_at: Option<i64>,
    pub(crate) last_seen_place: Option<String>,
    pub(crate) clothing: Option<String>,
    pub(crate) circumstances: Option<String>,
    pub(crate) police_number: Option<String>,
}

/// What must be shown for a report.
pub(crate) fn selection() -> Selection {
    let mut selection = Selection::default();
    for id in REPORTED.iter().flat_map(|(_, paths)| paths.iter()).filter_map(|path| FieldId::by_path(path)) {
        selection.sections.entry(id.field().section).or_default().fields.insert(id);
    }
    selection
}

/// The agencies that a view names.
pub(crate) fn agencies_of(view: &ChildView) -> impl Iterator<Item = AgencyId> + '_ {
    let values = view.sections.values().flat_map(|section| section.values.iter());
    values.filter_map(|(_, value)| if let Value::Agency(id) = value { Some(*id) } else { None })
}

/// The text. What is withheld is named as withheld, with whom to ask; where even the existence of a value is secret, there is
/// no line, as there is none where it is empty.
pub(crate) fn report(view: &ChildView, facts: &Facts, names: &HashMap<AgencyId, String>) -> String {
    let mut text = String::from("ANMÄLAN OM FÖRSVUNNET BARN – UNDERLAG TILL POLISEN\n");
    line(&mut text, "Upprättat", &format!("{}, av {}", told_instant(facts.reported_at), facts.reported_by));
    line(&mut text, "Barnets id i Samverka", &view.id);
    if facts.is_suspected {
        line(&mut text, "Läge", "misstänkt försvinnande");
    }
    if let Some(number) = &facts.police_number {
        line(&mut text, "Polisens nummer", number);
    }
    _ = writeln!(text, "\nSenast sedd");
    let missing = || "uppgift saknas".to_owned();
    line(&mut text, "Tid", &facts.last_seen_at.map_or_else(missing, told_instant));
    for (label, value) in
        [("Plats", &facts.last_seen_place), ("Klädsel då", &facts.clothing), ("Omständigheter", &facts.circumstances)]
    {
        line(&mut text, label, &value.clone().unwrap_or_else(missing));
    }
    for (heading, paths) in REPORTED {
        let mut below = String::new();
        for id in paths.iter().filter_map(|path| FieldId::by_path(path)) {
            let section = view.sections.get(&id.field().section);
            if let Some(value) = section.and_then(|section| told(id, section, names)) {
                line(&mut below, &capital(label(id)), &value);
            }
        }
        if !below.is_empty() {
            _ = write!(text, "\n{heading}\n{below}");
        }
    }
    text
}

/// Fields of several sections that are called alike get words that tell them apart.
fn label(id: FieldId) -> &'static str {
    match id.field().section {
        Section::Description if id.field().name == "clothing" => "vanlig klädsel",
        Section::Responsibility if id.field().name == "dutyPhone" => "nämndens jourtelefon",
        Section::Schooling if id.field().name == "contactName" => "kontaktperson i skolan",
        _ => id.field().sv,
    }
}

/// What the report says of a field; nothing where silence is the answer.
fn told(id: FieldId, section: &SectionView, names: &HashMap<AgencyId, String>) -> Option<String> {
    if section.withheld.iter().any(|(withheld, _)| *withheld == id) {
        return Some(format!("visas inte för er, fråga {}", id.group().owner.1));
    }
    match section.value(id) {
        Some(value) => Some(told_value(id.field().kind, value, names)),
        None if id.group().silent => None,
        None => Some("uppgift saknas".to_owned()),
    }
}

fn told_value(kind: Kind, value: &Value, names: &HashMap<AgencyId, String>) -> String {
    match value {
        Value::Text(text) => match kind {
            Kind::Code(code) => told_code(code, text),
            _ => text.clone(),
        },
        Value::Bool(yes) => if *yes { "ja" } else { "nej" }.to_owned(),
        Value::Date(day) => day.to_string(),
        Value::Agency(id) => names.get(id).cloned().unwrap_or_else(|| id.to_string()),
        Value::Instant(micros) => told_instant(*micros),
        Value::Json(json) => json.to_string(),
        Value::Photo(photo) => format!("finns i Samverka, taget {}", photo.taken_on),
        Value::List(items) => {
            let told = |item: &Json| match kind {
                Kind::Codes(_, code) => told_code(code, item.as_str().unwrap_or_default()),
                Kind::Entries(_, entry) => told_entry(entry, item),
                _ => item.as_str().unwrap_or_default().to_owned(),
            };
            items.iter().map(told).collect::<Vec<_>>().join("; ")
        }
    }
}

fn told_entry(entry: &Entry, item: &Json) -> String {
    let part = |part: &crate::catalogue::EntryField| {
        let text = item.get(part.name)?.as_str()?;
        let text = if let Kind::Code(code) = part.kind { told_code(code, text) } else { text.to_owned() };
        match part.name {
            "id" => None,
            "value" | "name" => Some(text),
            _ => Some(format!("{} {text}", part.sv)),
        }
    };
    entry.fields.iter().filter_map(part).collect::<Vec<_>>().join(", ")
}

fn told_code(list: Code, code: &str) -> String {
    let known = list.values().and_then(|values| values.iter().find(|value| value.code == code));
    known.map_or_else(|| code.to_owned(), |value| value.sv.to_owned())
}

/// By the clock on a Swedish wall, and by that of the systems: an hour off is a search in the wrong place.
fn told_instant(micros: i64) -> String {
    let utc = instant(micros);
    let swedish = utc.with_timezone(&chrono_tz::Europe::Stockholm);
    format!("{} (UTC {})", swedish.format("%Y-%m-%d kl. %H.%M"), utc.format("%H.%M"))
}

/// A value of several lines stays below its label, so that no value can look like another line.
fn line(text: &mut String, label: &str, value: &str) {
    _ = writeln!(text, "{label}: {}", value.replace('\n', "\n    "));
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_report_is_in_the_catalogue() {
        for path in REPORTED.iter().flat_map(|(_, paths)| paths.iter()) {
            assert!(FieldId::by_path(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_time_is_told_by_the_swedish_clock() {
        let told = |text: &str| {
            told_instant(text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time").timestamp_micros())
        };
        assert_eq!(told("2026-01-31T23:30:00Z"), "2026-02-01 kl. 00.30 (UTC 23.30)");
        assert_eq!(told("2026-07-01T10:05:00Z"), "2026-07-01 kl. 12.05 (UTC 10.05)");
    }

    #[test]
    fn a_value_cannot_look_like_another_line() {
        let mut text = String::new();
        line(&mut text, "Plats", "Torget\nGod man, namn: Någon Annan");
        assert_eq!(text, "Plats: Torget\n    God man, namn: Någon Annan\n");
    }
}
