//! What is asked for, and what is shown of it.

use crate::catalogue::{FieldId, FieldSet, Section, Value};
use crate::ids::AgencyId;
use crate::policy::RuleId;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a caller asks to see of a child: planned once, before anything is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// By section; sections that are not here are not read.
    pub sections: BTreeMap<Section, SectionSelection>,
}

/// What a caller asks to see of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionSelection {
    /// The guarded fields.
    pub fields: FieldSet,
    /// The version, or when or by whom it was updated.
    pub stamps: bool,
    /// Who wrote what when.
    pub revisions: bool,
}

/// A child as one caller may see it.
#[derive(Clone, Debug)]
pub struct ChildView {
    /// The id under which this caller knows the child.
    pub id: String,
    /// The sections that were asked for.
    pub sections: BTreeMap<Section, SectionView>,
}

/// A section as one caller may see it.
#[derive(Clone, Debug, Default)]
pub struct SectionView {
    /// The values that are shown; empty, withheld and silent ones are not here.
    pub values: Vec<(FieldId, Value)>,
    /// An opaque tag over the part that is shown.
    pub version: String,
    /// When that part last changed, in microseconds since 1970.
    pub updated_at: Option<i64>,
    /// Which agency changed it.
    pub updated_by: Option<AgencyId>,
    /// Every field of the section that is withheld, and the rule that decided.
    pub withheld: Vec<(FieldId, RuleId)>,
    /// Those of them that were asked for.
    pub withheld_asked: Vec<(FieldId, RuleId)>,
    /// The writes, as far as they are shown, latest first.
    pub revisions: Vec<RevisionView>,
}

impl SectionView {
    /// A value, if it is shown.
    pub fn value(&self, id: FieldId) -> Option<&Value> {
        self.values.iter().find(|(field, _)| *field == id).map(|(_, value)| value)
    }
}

/// One write to a section, as far as it is shown.
#[derive(Clone, Debug)]
pub struct RevisionView {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Which agency, if it may be named.
    pub agency: Option<AgencyId>,
    /// The fields that are shown, with their new values; null where one was emptied.
    pub changes: Vec<(FieldId, Json)>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, with the cursor of each.
    pub items: Vec<(String, T)>,
    /// Whether more follow.
    pub has_next: bool,
}
