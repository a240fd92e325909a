//! What is asked for, and what is shown of it.

use crate::catalogue::{FieldId, FieldSet, Section, Value};
use crate::episode;
use crate::ids::AgencyId;
use crate::policy::RuleId;
use crate::routine::{Actor, ItemState, Moment, Routine};
use crate::suggestion::{Change, Outcome, State};
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
    /// Where a photo is sent, of the section that has one.
    pub upload: bool,
}

/// A child as one caller may see it.
#[derive(Clone, Debug)]
pub struct ChildView {
    /// The id under which this caller knows the child.
    pub id: String,
    /// The sections that were asked for.
    pub sections: BTreeMap<Section, SectionView>,
    /// If it was just changed who may see the child: from when no answer that was decided before leaves any node, in
    /// microseconds since 1970.
    pub in_force_at: Option<i64>,
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
    /// The handle under which the caller fetches the photo, if it is shown.
    pub photo: Option<String>,
    /// The handle under which the caller sends a photo, if it may.
    pub upload: Option<String>,
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
    /// Whether it was suggested by somebody who may not write.
    pub suggested: bool,
    /// Which agency suggested it, if it may be named.
    pub suggested_by: Option<AgencyId>,
}

/// A suggested correction, as far as one caller may see it.
#[derive(Clone, Debug)]
pub struct SuggestionView {
    /// The id under which this caller knows it.
    pub id: String,
    /// The section it would correct.
    pub section: Section,
    /// What became of the fields that are here.
    pub state: State,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    /// Which agency made it, if it may be named.
    pub by: Option<AgencyId>,
    /// The words beside it, for whoever may see all of it.
    pub comment: Option<String>,
    /// Its fields, as far as they are shown.
    pub fields: Vec<SuggestedView>,
}

/// A field of a suggestion, as far as one caller may see it.
#[derive(Clone, Debug)]
pub struct SuggestedView {
    /// The field.
    pub field: FieldId,
    /// What would be done to it.
    pub change: Change,
    /// The value that is proposed, if the field is shown.
    pub value: Option<Json>,
    /// What became of it.
    pub outcome: Outcome,
    /// When that was decided, in microseconds since 1970.
    pub decided_at: Option<i64>,
    /// By which agency, if it may be named.
    pub decided_by: Option<AgencyId>,
    /// Why it was declined, for whoever suggested it and whoever declined it.
    pub reason: Option<String>,
}

/// A missing episode, as far as whoever takes part in it may know: how far it has come, and when. Instants are in
/// microseconds since 1970.
#[derive(Clone, Debug)]
pub struct EpisodeView {
    pub id: String,
    /// How far it came, and when it was opened: to whom the record shows it.
    pub state: Option<episode::State>,
    pub opened_at: Option<i64>,
    /// When somebody knew where the child was.
    pub located_at: Option<i64>,
    /// When the child was safe.
    pub found_at: Option<i64>,
    pub closed_at: Option<i64>,
    /// The episode that this one goes on with.
    pub reopens: Option<String>,
    /// The mutations that are possible now.
    pub next: Vec<&'static str>,
}

/// What a step of an episode gives.
#[derive(Clone, Debug)]
pub struct EpisodeAnswer {
    /// The child as it is now.
    pub view: ChildView,
    /// None where the caller may not know of it any more.
    pub episode: Option<EpisodeView>,
    /// If it was asked for, and the caller works on checklists.
    pub checklist: Option<ChecklistView>,
    /// The minimum report to the police, if it was asked for, and the caller's agency opened the episode.
    pub report: Option<String>,
    /// An agency has closed its own matter while the child is under 18 and not found.
    pub warns: bool,
}

/// What is to be done about a child.
#[derive(Clone, Debug)]
pub struct ChecklistView {
    pub items: Vec<ItemView>,
}

/// An item of a checklist. Instants are in microseconds since 1970.
#[derive(Clone, Debug)]
pub struct ItemView {
    pub id: String,
    /// The episode or the handover that it belongs to.
    pub about: String,
    /// The routine and its version: `12/1`.
    pub routine: String,
    /// What the routine and a refusal call it.
    pub key: String,
    pub moment: Moment,
    pub actor: Actor,
    pub sv: String,
    pub en: String,
    pub source: String,
    pub mandatory: bool,
    pub due_at: Option<i64>,
    /// It is open, and was due.
    pub overdue: bool,
    pub state: ItemState,
    /// If it may be named.
    pub assigned_to: Option<AgencyId>,
    /// When it was done or skipped.
    pub done_at: Option<i64>,
    /// By which agency, if it may be named.
    pub done_by: Option<AgencyId>,
    /// Why it was skipped.
    pub reason: Option<String>,
}

/// What a change to an item gives.
#[derive(Clone, Debug)]
pub struct ItemAnswer {
    /// The child as it is now.
    pub view: ChildView,
    /// None where the caller works on checklists no more.
    pub item: Option<ItemView>,
}

/// A version of a county's routine.
#[derive(Clone, Debug)]
pub struct RoutineView {
    pub routine: Routine,
    /// In microseconds since 1970; none where it came with the hub.
    pub published_at: Option<i64>,
    /// The county board; none where it came with the hub.
    pub agency: Option<AgencyId>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, with the cursor of each.
    pub items: Vec<(String, T)>,
    /// Whether more follow.
    pub has_next: bool,
}
