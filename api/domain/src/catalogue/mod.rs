//! The field catalogue: every guarded field of the shared record, once.
//!
//! The Cedar schema, the masks, the GraphQL types and inputs, `schema.graphql`, the golden matrix
//! and the columns that are read all follow from [`FIELDS`]. A field that is not here cannot be
//! shown; a field that is here without a rule is withheld, and a test fails.

mod codes;
mod fields;
mod kind;
mod listed;
mod lists;
mod set;

pub use codes::{Code, CodeValue};
pub use fields::{FIELD_COUNT, FIELDS, GROUPS};
pub use kind::{Entry, EntryField, FREE_WORDS, Invalid, Kind, Value, timestamp};
pub use listed::ListKey;
pub use lists::{List, Rows};
pub use set::FieldSet;

use std::fmt;
use std::sync::LazyLock;

/// One part of the record: one table, one GraphQL type, one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Section {
    Identity,
    Identifiers,
    Protection,
    Asylum,
    Responsibility,
    Placement,
    Guardianship,
    Health,
    Schooling,
    Network,
    Voice,
    Description,
    Risk,
    SafetyPlan,
    Concerns,
    Handovers,
    Missing,
    Consents,
}

impl Section {
    /// Every section, in the order of the record.
    pub const ALL: [Section; 18] = [
        Section::Identity,
        Section::Identifiers,
        Section::Protection,
        Section::Asylum,
        Section::Responsibility,
        Section::Placement,
        Section::Guardianship,
        Section::Health,
        Section::Schooling,
        Section::Network,
        Section::Voice,
        Section::Description,
        Section::Risk,
        Section::SafetyPlan,
        Section::Concerns,
        Section::Handovers,
        Section::Missing,
        Section::Consents,
    ];

    /// The field of `Child` that shows the section, and the middle part of its Cedar actions.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Identity => "identity",
            Section::Identifiers => "identifiers",
            Section::Protection => "protection",
            Section::Asylum => "asylum",
            Section::Responsibility => "responsibility",
            Section::Placement => "placement",
            Section::Guardianship => "guardianship",
            Section::Health => "health",
            Section::Schooling => "schooling",
            Section::Network => "network",
            Section::Voice => "voice",
            Section::Description => "description",
            Section::Risk => "risk",
            Section::SafetyPlan => "safetyPlan",
            Section::Concerns => "concerns",
            Section::Handovers => "handovers",
            Section::Missing => "missing",
            Section::Consents => "consents",
        }
    }

    /// The name of the GraphQL type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Section::Identity => "Identity",
            Section::Identifiers => "Identifiers",
            Section::Protection => "Protection",
            Section::Asylum => "Asylum",
            Section::Responsibility => "Responsibility",
            Section::Placement => "Placement",
            Section::Guardianship => "Guardianship",
            Section::Health => "Health",
            Section::Schooling => "Schooling",
            Section::Network => "Network",
            Section::Voice => "Voice",
            Section::Description => "Description",
            Section::Risk => "Risk",
            Section::SafetyPlan => "SafetyPlan",
            Section::Concerns => "Concerns",
            Section::Handovers => "Handovers",
            Section::Missing => "Missing",
            Section::Consents => "Consents",
        }
    }

    /// The table behind the section.
    pub const fn table(self) -> &'static str {
        match self {
            Section::Identity => "identity",
            Section::Identifiers => "identifier",
            Section::Protection => "protection",
            Section::Asylum => "asylum",
            Section::Responsibility => "responsibility",
            Section::Placement => "placement",
            Section::Guardianship => "guardianship",
            Section::Health => "health",
            Section::Schooling => "schooling",
            Section::Network => "network",
            Section::Voice => "voice",
            Section::Description => "description",
            Section::Risk => "risk",
            Section::SafetyPlan => "safety_plan",
            Section::Concerns => "submission",
            Section::Handovers => "handover",
            Section::Missing => "missing_episode",
            Section::Consents => "consent",
        }
    }

    /// What the section is, in English with the Swedish term.
    pub const fn description(self) -> &'static str {
        match self {
            Section::Identity => "Who the child is (*identitet*): names, birth dates, sex, citizenship, languages.",
            Section::Identifiers => {
                "The numbers the agencies know the child by (*identitetsbeteckningar*); several of a kind over time."
            }
            Section::Protection => {
                "Protected personal data (*skyddade personuppgifter*). What is behind the warning is shown to few, and \
                 withheld there looks the same as empty."
            }
            Section::Asylum => "The asylum case (*asylärende*), without its grounds, which the hub never holds.",
            Section::Responsibility => {
                "Who answers for the child (*ansvar*): the assigned municipality, the responsible board, the case worker."
            }
            Section::Placement => "Where the child lives now (*placering*), and the earlier placements.",
            Section::Guardianship => "The child's guardian (*god man* or *särskilt förordnad vårdnadshavare*).",
            Section::Health => {
                "The health facts that others must know (*hälsa*); the medical record is never in the hub."
            }
            Section::Schooling => "School and absence (*skolgång*).",
            Section::Network => "The child's telephones, relatives and likely places (*nätverk*).",
            Section::Voice => {
                "The child's own words and wishes (*barnets egna ord*; convention on the rights of the child, art. 12)."
            }
            Section::Description => "What the child looks like (*signalement*).",
            Section::Risk => {
                "Risk indicators and suspicions (*riskbedömning*). Indicators are never scored into a decision; where a \
                 suspicion is withheld, that looks the same as none."
            }
            Section::SafetyPlan => "The safety plan agreed with the child (*trygghetsplan*).",
            Section::Concerns => {
                "Worries about the child that were handed in (*orosanmälningar*): yours, or all of them if you are the \
                 responsible board."
            }
            Section::Handovers => "How the child is passed from one agency to another (*överlämningar*).",
            Section::Missing => {
                "The missing episode (*försvinnande*) that is open, or else the latest, and the earlier ones. What the police \
                 know of the search is shown to few, and withheld there looks the same as empty."
            }
            Section::Consents => "What the child has allowed partner organisations to read (*samtycken*).",
        }
    }

    /// Whether the section is a dated list of rows rather than one row per child.
    pub const fn is_list(self) -> bool {
        matches!(self, Section::Identifiers | Section::Placement) || self.is_of_protocols()
    }

    /// Whether the section holds rows of which one is current, and the others are earlier ones.
    pub const fn is_dated(self) -> bool {
        matches!(self, Section::Placement | Section::Missing)
    }

    /// Whether only the steps of a protocol write the section: no update changes it, and nobody suggests a correction.
    pub const fn is_of_protocols(self) -> bool {
        matches!(self, Section::Concerns | Section::Handovers | Section::Missing | Section::Consents)
    }

    /// The fields of the section, in the order of the catalogue.
    pub fn fields(self) -> impl Iterator<Item = FieldId> {
        self.field_set().iter()
    }

    /// The fields of the section as a set.
    pub fn field_set(self) -> FieldSet {
        static SETS: LazyLock<[FieldSet; Section::ALL.len()]> = LazyLock::new(|| {
            Section::ALL.map(|section| FieldId::all().filter(|id| id.field().section == section).collect())
        });
        SETS.get(self as usize).copied().unwrap_or_default()
    }

    /// Finds a field of the section by its GraphQL name.
    pub fn field(self, name: &str) -> Option<FieldId> {
        self.fields().find(|id| id.field().name == name)
    }

    /// Finds a section by [`Section::name`].
    pub fn by_name(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.name() == name)
    }
}

/// Where the value of a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A column of the section's table, written by the field's owner.
    Column,
    /// Kept or told by the hub: true when any of the named fields of the section has a value that is neither false nor the
    /// code `NONE`. Of what protocols write it is told at each showing.
    Flag(&'static [&'static str]),
    /// An open involvement: the agency that leads or is responsible.
    Involvement,
    /// The identifiers of one kind.
    Identifiers(IdentifierKind),
    /// The rows of a dated section that are not current.
    Earlier,
    /// The rows of a table of its own, each shown or not by its own decision.
    Rows(List),
    /// A column of the section's table that the steps of a protocol write.
    Kept,
    /// A column that tells of a photo, whose bytes are in a table of their own. It is written at its own URL, and
    /// emptied like any other.
    Photo,
}

/// The kinds of number a child may be known by (F11–F14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentifierKind {
    /// F11 *personnummer*.
    PersonalNumber,
    /// F12 *samordningsnummer*.
    CoordinationNumber,
    /// F13 *dossiernummer*.
    DossierNumber,
    /// F14 *LMA-kortnummer*.
    LmaCard,
}

impl IdentifierKind {
    /// Every kind.
    pub const ALL: [IdentifierKind; 4] = [
        IdentifierKind::PersonalNumber,
        IdentifierKind::CoordinationNumber,
        IdentifierKind::DossierNumber,
        IdentifierKind::LmaCard,
    ];

    /// The code, as in GraphQL and in the database.
    pub const fn code(self) -> &'static str {
        match self {
            IdentifierKind::PersonalNumber => "PERSONAL_NUMBER",
            IdentifierKind::CoordinationNumber => "COORDINATION_NUMBER",
            IdentifierKind::DossierNumber => "DOSSIER_NUMBER",
            IdentifierKind::LmaCard => "LMA_CARD",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The guarded field that shows identifiers of this kind.
    pub fn field(self) -> FieldId {
        FieldId::all().find(|id| id.field().source == Source::Identifiers(self)).unwrap_or(FieldId(0))
    }
}

/// One guarded field.
#[derive(Debug)]
pub struct Field {
    /// The section it belongs to.
    pub section: Section,
    /// The name in GraphQL.
    pub name: &'static str,
    /// The column of the section's table; the name in the database.
    pub column: &'static str,
    /// The number in the field list of the domain (F02 …).
    pub number: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The policy group: the fields that share their rules.
    pub group: &'static str,
    /// Where its value comes from.
    pub source: Source,
    /// The Swedish term.
    pub sv: &'static str,
    /// What it holds, in English.
    pub en: &'static str,
}

impl Field {
    /// Whether callers may write it at all; flags and references are kept by the hub.
    pub const fn is_writable(&self) -> bool {
        matches!(self.source, Source::Column | Source::Identifiers(_) | Source::Photo)
    }

    /// Whether it may be used to find a child, or to put children in order.
    pub fn is_searchable(&self) -> bool {
        matches!(self.source, Source::Identifiers(_)) || ListKey::ALL.iter().any(|key| key.is(self))
    }

    /// The flag group that opens this field alone, if it is a flag.
    pub const fn is_flag(&self) -> bool {
        matches!(self.source, Source::Flag(_))
    }
}

/// Fields that share their rules: one row of the access matrix.
#[derive(Debug)]
pub struct Group {
    /// The name, as in the Cedar action groups.
    pub name: &'static str,
    /// Whom to ask for what is withheld (English, Swedish).
    pub owner: (&'static str, &'static str),
    /// Why it is secret where no rule opens it: the statute.
    pub basis: &'static str,
    /// Whether even the existence of a value is secret: withheld and empty answer alike.
    pub silent: bool,
    /// Whether a partner organisation can be given it by consent (F62).
    pub consentable: bool,
    /// For a group of flags: the group they tell of.
    pub flag_of: Option<&'static str>,
}

/// A field by its place in the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub(crate) u8);

impl FieldId {
    /// Every field.
    pub fn all() -> impl Iterator<Item = FieldId> {
        (0..FIELD_COUNT).map(|index| FieldId(index as u8))
    }

    /// The catalogue entry.
    pub fn field(self) -> &'static Field {
        #[expect(clippy::indexing_slicing, reason = "only this module makes ids, from the catalogue's own length")]
        &FIELDS[self.index()]
    }

    /// The place in the catalogue.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The policy group of the field.
    pub fn group(self) -> &'static Group {
        let name = self.field().group;
        #[expect(clippy::expect_used, reason = "a test walks every field")]
        GROUPS.iter().find(|group| group.name == name).expect("every field names a group")
    }

    /// Finds a field by `section.name`.
    pub fn by_path(path: &str) -> Option<FieldId> {
        let (section, name) = path.split_once('.')?;
        Section::by_name(section)?.field(name)
    }
}

impl fmt::Display for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field();
        write!(f, "{}.{}", field.section.name(), field.name)
    }
}

impl fmt::Debug for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Finds a policy group by name.
pub fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_field_has_a_group_and_an_own_name() {
        let mut paths = HashSet::new();
        for id in FieldId::all() {
            assert!(group(id.field().group).is_some(), "{id} names no group");
            assert!(paths.insert(id.to_string()), "{id} is there twice");
            assert_eq!(FieldId::by_path(&id.to_string()), Some(id));
        }
        for group in &GROUPS {
            assert!(FIELDS.iter().any(|field| field.group == group.name), "{} is empty", group.name);
            assert!(group.flag_of.is_none_or(|told| super::group(told).is_some()), "{}", group.name);
        }
    }

    #[test]
    fn the_domain_list_is_covered() {
        let numbers: HashSet<&str> = FIELDS.iter().map(|field| field.number).collect();
        let wanted = (2..=15).chain(17..=40).chain(42..=62);
        for number in wanted {
            let number = format!("F{number:02}");
            assert!(numbers.contains(number.as_str()), "{number} is missing");
        }
        assert!(!numbers.contains("F16") && !numbers.contains("F41"), "never stored");
    }

    #[test]
    fn flags_name_fields_of_their_own_section() {
        for id in FieldId::all() {
            if let Source::Flag(of) = id.field().source {
                for name in of {
                    assert!(id.field().section.field(name).is_some(), "{id}: {name}");
                }
            }
        }
    }
}
