//! The same masks, as conditions on rows: which rows a caller may know of, and in which a field may be
//! searched. A condition speaks of nothing but relation, protection and whether the child is missing, because a row of
//! the list table holds nothing else.

use super::vocabulary::{Consents, Protection, Purpose, Relation, Role};
use super::{Decisions, Engine, PolicyError, Situation};
use crate::catalogue::FieldId;

/// Rows by what they hold: the relations that qualify, for each protection level and for present and missing
/// children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRule(Vec<RowCase>);

/// One case of a [`RowRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowCase {
    pub protection: Protection,
    pub missing: bool,
    /// The relations that qualify; never empty.
    pub relations: Vec<Relation>,
}

/// The relations that a row of the list table can hold.
const IN_LISTS: [Relation; 5] =
    [Relation::Responsible, Relation::Receiving, Relation::Involved, Relation::Former, Relation::Ended];

impl RowRule {
    /// The rows that a caller may know of.
    pub fn known(engine: &Engine, role: Role, purpose: Purpose) -> Self {
        Self::of(engine, role, purpose, |decisions| decisions.known)
    }

    /// The rows in which a caller may search a field: never where the field is not shown, so that a filter
    /// cannot tell what a look cannot.
    pub fn searchable(engine: &Engine, role: Role, purpose: Purpose, id: FieldId) -> Self {
        Self::of(engine, role, purpose, |d| d.known && d.searchable.contains(id) && d.shown.contains(id))
    }

    fn of(engine: &Engine, role: Role, purpose: Purpose, holds: impl Fn(&Decisions) -> bool) -> Self {
        let mut cases = Vec::new();
        for protection in Protection::ALL.iter().copied() {
            for missing in [false, true] {
                let situation =
                    |relation| Situation { relation, protection, missing, ..Situation::stranger(role, purpose) };
                let qualifies = |relation: &Relation| holds(&engine.decide(situation(*relation)));
                let relations: Vec<Relation> = IN_LISTS.into_iter().filter(qualifies).collect();
                if !relations.is_empty() {
                    cases.push(RowCase { protection, missing, relations });
                }
            }
        }
        RowRule(cases)
    }

    /// Whether no row qualifies.
    pub fn is_never(&self) -> bool {
        self.0.is_empty()
    }

    /// The cases.
    pub fn cases(&self) -> &[RowCase] {
        &self.0
    }

    /// The relations, where they are the same whatever the protection and whether the child is missing.
    pub fn uniform(&self) -> Option<&[Relation]> {
        let first = self.0.first()?;
        let all = self.0.len() == Protection::ALL.len() * 2;
        (all && self.0.iter().all(|case| case.relations == first.relations)).then_some(&first.relations)
    }
}

/// Refuses policies whose search rules look at what a row of the list table does not hold.
///
/// # Errors
///
/// [`PolicyError::Search`] for the first field whose search rests on the caller's own entry, on a consent, or on an
/// emergency access.
pub(super) fn check(engine: &Engine) -> Result<(), PolicyError> {
    for role in Role::ALL {
        for purpose in Purpose::ALL.iter().filter(|purpose| engine.may_declare(*role, **purpose)) {
            for relation in IN_LISTS {
                let plain = Situation { relation, ..Situation::stranger(*role, *purpose) };
                let varied = [
                    Situation { own: true, ..plain },
                    Situation { consents: Consents::all(), ..plain },
                    Situation { break_glass: true, ..plain },
                ];
                let searchable = engine.decide(plain).searchable;
                for situation in varied {
                    let other = engine.decide(situation).searchable;
                    let differs = FieldId::all().find(|id| searchable.contains(*id) != other.contains(*id));
                    if let Some(id) = differs {
                        return Err(PolicyError::Search { role: role.code(), field: id.to_string() });
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str) -> FieldId {
        FieldId::by_path(path).expect("a field")
    }

    #[test]
    fn a_rule_says_for_which_rows_a_field_may_be_searched() {
        let engine = Engine::embedded();
        let rule = |role, path| RowRule::searchable(engine, role, Purpose::Protect, field(path));
        let dossier = rule(Role::Migration, "identifiers.dossierNumbers");
        assert_eq!(dossier.uniform(), Some(&IN_LISTS[..]));
        assert!(rule(Role::CareHome, "identifiers.dossierNumbers").is_never());
        assert!(rule(Role::SocialServices, "identifiers.lmaCards").is_never());
        let board = rule(Role::SocialServices, "identifiers.dossierNumbers");
        assert_eq!(board.uniform(), Some(&[Relation::Responsible, Relation::Receiving, Relation::Former][..]));
        assert!(RowRule::known(engine, Role::CountyBoard, Purpose::Stat).is_never());
    }

    #[test]
    fn a_search_rule_that_no_row_can_answer_stops_the_start() {
        let rule = |condition: &str| {
            format!(
                "@id(\"x\") @basis(\"b\") @sv(\"s\") @en(\"e\")\npermit (principal == Role::\"SCHOOL\", \
                 action in Action::\"search.dossier\", resource) when {{ {condition} }};\n\
                 @id(\"y\") @basis(\"b\") @sv(\"s\") @en(\"e\")\npermit (principal == Role::\"SCHOOL\", \
                 action == Action::\"declare\", resource);"
            )
        };
        let load = |condition: &str| Engine::load([("own.cedar", rule(condition).as_str())]).map(|_| ());
        assert!(load("resource.missing").is_ok());
        for condition in ["context.own", "context.breakGlass", "context.consents.contains(Consent::\"board\")"] {
            assert!(matches!(load(condition), Err(PolicyError::Search { .. })), "{condition}");
        }
    }
}
