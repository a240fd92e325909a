//! The Cedar schema, made from the field catalogue.

use super::engine::Operation;
use super::vocabulary::{Act, Protection, Purpose, Relation, Role, Verb};
use crate::catalogue::{FieldId, GROUPS, Group};
use std::fmt::Write;

/// The Cedar schema as text. `policy/samverka.cedarschema` is this, kept for lawyers and tools; a
/// test proves it current.
pub fn cedar_schema() -> String {
    let mut text = String::from("// Made from the field catalogue by `samverka policy schema`. Do not edit.\n\n");
    for (name, codes) in enums() {
        let quoted: Vec<String> = codes.iter().map(|code| format!("{code:?}")).collect();
        _ = writeln!(text, "entity {name} enum [{}];", quoted.join(", "));
    }
    text.push_str(
        "entity Child { missing: Bool, protection: Protection };\nentity Hub;\n\
         type Situation = {\n  relation: Relation,\n  purpose: Purpose,\n  consents: Set<Consent>,\n  \
         breakGlass: Bool,\n  own: Bool,\n};\n\n",
    );
    for verb in Verb::ALL {
        write_verb(&mut text, *verb);
    }
    text.push_str("action know appliesTo { principal: [Role], resource: [Child], context: Situation };\n");
    for act in Act::ALL {
        _ = writeln!(text, "action {act} appliesTo {{ principal: [Role], resource: [Child], context: Situation }};");
    }
    for operation in ["declare"].into_iter().chain(Operation::ALL.map(Operation::action)) {
        _ = writeln!(
            text,
            "action {operation} appliesTo {{ principal: [Role], resource: [Hub], context: {{ purpose: Purpose }} }};"
        );
    }
    text
}

fn enums() -> [(&'static str, Vec<&'static str>); 5] {
    let consentable = GROUPS.iter().filter(|group| group.consentable);
    [
        ("Role", Role::ALL.iter().map(|value| value.code()).collect()),
        ("Relation", Relation::ALL.iter().map(|value| value.code()).collect()),
        ("Purpose", Purpose::ALL.iter().map(|value| value.code()).collect()),
        ("Protection", Protection::ALL.iter().map(|value| value.code()).collect()),
        ("Consent", consentable.map(|group| group.name).collect()),
    ]
}

fn write_verb(text: &mut String, verb: Verb) {
    _ = writeln!(text, "action {:?};", verb.code());
    for group in &GROUPS {
        if group_fields(group, verb).next().is_some() {
            _ = writeln!(text, "action \"{verb}.{}\" in [{:?}];", group.name, verb.code());
        }
    }
    for id in FieldId::all().filter(|id| applies(*id, verb)) {
        let groups: Vec<String> = groups_of(id).map(|name| format!("\"{verb}.{name}\"")).collect();
        let groups = groups.join(", ");
        _ = writeln!(
            text,
            "action \"{verb}.{id}\" in [{groups}] appliesTo {{ principal: [Role], resource: [Child], context: Situation }};"
        );
    }
    text.push('\n');
}

/// Whether the verb makes sense for the field: flags are neither written nor handed in,
/// few fields are searched.
pub(super) fn applies(id: FieldId, verb: Verb) -> bool {
    match verb {
        Verb::Read => true,
        Verb::Write | Verb::Submit => id.field().is_writable(),
        Verb::Search => id.field().is_searchable(),
    }
}

/// The groups a field is opened by: its own, and for a flag also the group it tells of.
pub(super) fn groups_of(id: FieldId) -> impl Iterator<Item = &'static str> {
    let group = id.group();
    std::iter::once(group.name).chain(group.flag_of)
}

fn group_fields(group: &Group, verb: Verb) -> impl Iterator<Item = FieldId> {
    FieldId::all().filter(move |id| applies(*id, verb) && groups_of(*id).any(|name| name == group.name))
}
