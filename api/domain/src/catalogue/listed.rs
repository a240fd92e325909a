//! What lists of children are filtered and put in order by, besides numbers.

use super::{Field, FieldId, Section};

/// A key of the list table: a field, or the day in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKey {
    /// F02, compared as names are.
    GivenNames,
    /// F03, compared as names are.
    FamilyName,
    /// F05.
    BirthDate,
    /// The latest observation among F49.
    RiskDate,
    /// F51: when the safety plan is to be reviewed.
    PlanReview,
}

impl ListKey {
    /// Every key.
    pub const ALL: [ListKey; 5] =
        [ListKey::GivenNames, ListKey::FamilyName, ListKey::BirthDate, ListKey::RiskDate, ListKey::PlanReview];

    const fn place(self) -> (Section, &'static str) {
        match self {
            ListKey::GivenNames => (Section::Identity, "givenNames"),
            ListKey::FamilyName => (Section::Identity, "familyName"),
            ListKey::BirthDate => (Section::Identity, "birthDate"),
            ListKey::RiskDate => (Section::Risk, "indicators"),
            ListKey::PlanReview => (Section::SafetyPlan, "reviewOn"),
        }
    }

    pub(super) fn is(self, field: &Field) -> bool {
        self.place() == (field.section, field.name)
    }

    /// The field whose rules decide on it.
    pub fn field(self) -> FieldId {
        let (section, name) = self.place();
        #[expect(clippy::expect_used, reason = "a test looks every key up")]
        section.field(name).expect("a field of the catalogue")
    }

    /// The key that follows from a field.
    pub fn of(id: FieldId) -> Option<ListKey> {
        Self::ALL.into_iter().find(|key| key.is(id.field()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_a_field() {
        for key in ListKey::ALL {
            assert_eq!(ListKey::of(key.field()), Some(key));
        }
    }
}
