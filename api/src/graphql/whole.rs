//! Documents that ask for all there is.

use samverka_domain::catalogue::{EntryField, FieldId, Kind, Section};

/// A selection of every guarded field of a child, with what is withheld of each section.
pub fn everything() -> String {
    let sections = Section::ALL.map(|section| {
        let fields: Vec<String> = section.fields().map(selection).collect();
        format!("{} {{ {} version updatedAt withheld {{ field rule }} }}", section.name(), fields.join(" "))
    });
    format!("id {}", sections.join(" "))
}

/// The selection of one field, with all that is below it.
pub fn selection(id: FieldId) -> String {
    let name = id.field().name;
    match id.field().kind {
        Kind::Agency => format!("{name} {{ id }}"),
        Kind::Entries(_, entry) => {
            let part = |part: &EntryField| match part.kind {
                Kind::Agency => format!("{} {{ id }}", part.name),
                _ => part.name.to_owned(),
            };
            let parts: Vec<String> = entry.fields.iter().map(part).collect();
            format!("{name} {{ {} }}", parts.join(" "))
        }
        Kind::Photo => format!("{name} {{ url type takenOn size width height }}"),
        _ => name.to_owned(),
    }
}
