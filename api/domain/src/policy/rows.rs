//! The same masks, as conditions on rows: which rows of a list a caller may know of, and in which of them a field may be
//! searched. A row of the list table holds the relation, the protection level and whether the child is missing, so a rule
//! on searching may look at nothing else.

use super::mentions::Mentions;
use super::vocabulary::{Protection, Purpose, Relation, Role, Verb};
use super::{Decisions, Engine, PolicyError, Rule, Situation};
use crate::catalogue::{FieldId, FieldSet};

/// Rows by what they hold: which relations qualify, for each protection level and for present and missing children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRule(Vec<RowCase>);

/// Some of the rows of a [`RowRule`]: all that hold one of the relations and one of the pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowCase {
    /// Never empty.
    pub relations: Vec<Relation>,
    /// Protection level, and whether the child is missing. Never empty.
    pub children: Vec<(Protection, bool)>,
}

impl RowCase {
    /// Whether the case holds whatever the child's level is and whether it is missing.
    pub fn holds_for_every_child(&self) -> bool {
        self.children.len() == Protection::ALL.len() * 2
    }
}

/// The relations that a row of the list table can hold: a consent is looked up where it is needed.
const IN_LISTS: [Relation; 5] =
    [Relation::Responsible, Relation::Receiving, Relation::Involved, Relation::Former, Relation::Ended];

/// What a rule on searching may not look at, because a row does not hold it.
const NOT_IN_ROWS: [&str; 3] = ["own", "consents", "breakGlass"];

impl RowRule {
    fn of(decided: &[(Situation, Decisions)], holds: impl Fn(&Decisions) -> bool) -> Self {
        let mut cases: Vec<RowCase> = Vec::new();
        for protection in Protection::ALL.iter().copied() {
            for missing in [false, true] {
                let here = decided.iter().filter(|(s, _)| s.protection == protection && s.missing == missing);
                let relations: Vec<Relation> = here.filter(|(_, d)| holds(d)).map(|(s, _)| s.relation).collect();
                match cases.iter_mut().find(|case| case.relations == relations) {
                    _ if relations.is_empty() => {}
                    Some(case) => case.children.push((protection, missing)),
                    None => cases.push(RowCase { relations, children: vec![(protection, missing)] }),
                }
            }
        }
        RowRule(cases)
    }

    /// Whether no row qualifies.
    pub fn is_never(&self) -> bool {
        self.0.is_empty()
    }

    /// The cases, of which one must hold.
    pub fn cases(&self) -> &[RowCase] {
        &self.0
    }
}

/// What a role may do with its lists for a purpose.
#[derive(Debug)]
pub struct ListRules {
    known: RowRule,
    searchable: Vec<(FieldId, RowRule)>,
}

impl ListRules {
    /// The masks of every situation that a row can be in, as rules on rows.
    pub(super) fn of(engine: &Engine, role: Role, purpose: Purpose) -> Self {
        let situations = IN_LISTS.into_iter().flat_map(|relation| {
            let children = Protection::ALL.iter().flat_map(|level| [(*level, false), (*level, true)]);
            children.map(move |(protection, missing)| Situation {
                relation,
                protection,
                missing,
                ..Situation::stranger(role, purpose)
            })
        });
        let decided: Vec<(Situation, Decisions)> =
            situations.map(|s| (s, engine.evaluate(s).unwrap_or_else(|_| Decisions::nothing()))).collect();
        let fields = decided.iter().fold(FieldSet::EMPTY, |all, (_, d)| all | (d.searchable & d.shown));
        let rule =
            |id: FieldId| (id, RowRule::of(&decided, |d| d.known && d.searchable.contains(id) && d.shown.contains(id)));
        ListRules { known: RowRule::of(&decided, |d| d.known), searchable: fields.iter().map(rule).collect() }
    }

    /// The same, as if a field that may be searched in some rows might be searched in all: what
    /// [`Leak::HiddenMatches`](crate::leak::Leak) makes of them.
    pub(crate) fn careless(&self) -> Self {
        let searchable = self.searchable.iter().map(|(id, _)| (*id, self.known.clone()));
        ListRules { known: self.known.clone(), searchable: searchable.collect() }
    }

    /// The rows that the caller may know of.
    pub fn known(&self) -> &RowRule {
        &self.known
    }

    /// The rows in which the caller may search a field, none where there are none: never where the field is not shown, so
    /// that a filter cannot tell what a look cannot.
    pub fn searchable(&self, id: FieldId) -> Option<&RowRule> {
        self.searchable.iter().find(|(field, _)| *field == id).map(|(_, rule)| rule).filter(|rule| !rule.is_never())
    }
}

/// Refuses a policy on searching, or on knowing of a child, that looks at what a row of the list table does not hold.
///
/// # Errors
///
/// [`PolicyError::Search`] for the first one.
pub(super) fn check(rules: &[Rule]) -> Result<(), PolicyError> {
    let searches = |rule: &&Rule| FieldId::all().any(|id| rule.scope.covers_field(Verb::Search, id));
    for rule in rules.iter().filter(searches) {
        let mentions = Mentions::of(rule);
        if let Some(attribute) = NOT_IN_ROWS.into_iter().find(|attribute| mentions.looks_at(attribute)) {
            return Err(PolicyError::Search { policy: rule.id.clone(), attribute });
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
    fn a_rule_says_in_which_rows_a_field_may_be_searched() {
        let engine = Engine::embedded();
        let rules = |role| engine.list_rules(role, Purpose::Protect);
        let dossier = field("identifiers.dossierNumbers");
        let every = |relations: &[Relation], rules: &ListRules| {
            let cases = rules.searchable(dossier).expect("some rows").cases().to_vec();
            let [case] = cases.as_slice() else { panic!("{cases:?}") };
            assert_eq!(case.relations, relations);
            assert!(case.holds_for_every_child());
        };
        every(&IN_LISTS, &rules(Role::Migration));
        every(&[Relation::Responsible, Relation::Receiving, Relation::Former], &rules(Role::SocialServices));
        assert!(rules(Role::CareHome).searchable(dossier).is_none());
        assert!(rules(Role::SocialServices).searchable(field("identifiers.lmaCards")).is_none());
        assert!(engine.list_rules(Role::CountyBoard, Purpose::Stat).known().is_never());
    }

    #[test]
    fn boards_guardians_and_homes_search_by_name_and_number_only() {
        let names = ["identity.givenNames", "identity.familyName"].map(field);
        for role in [Role::SocialServices, Role::SocialOnCall, Role::Guardianship, Role::CareHome] {
            for purpose in Purpose::ALL.iter().filter(|purpose| Engine::embedded().may_declare(role, **purpose)) {
                let rules = Engine::embedded().list_rules(role, *purpose);
                let found = rules.searchable.iter().map(|(id, _)| *id).filter(|id| !names.contains(id));
                for id in found {
                    let path = id.to_string();
                    let for_orders = ["risk.indicators", "safetyPlan.reviewOn"].contains(&path.as_str());
                    assert!(path.starts_with("identifiers.") || for_orders, "{role} searches {path}");
                }
            }
        }
    }

    #[test]
    fn a_search_rule_that_no_row_can_answer_stops_the_start() {
        let load = |condition: &str| {
            let text = format!(
                "@id(\"x\") @basis(\"b\") @sv(\"s\") @en(\"e\")\npermit (principal == Role::\"SCHOOL\", \
                 action in Action::\"search.dossier\", resource) when {{ {condition} }};"
            );
            Engine::load([("own.cedar", text.as_str())]).map(|_| ())
        };
        assert!(load("resource.missing").is_ok());
        for condition in ["context.own", "context.breakGlass", "context.consents.contains(Consent::\"board\")"] {
            assert!(matches!(load(condition), Err(PolicyError::Search { .. })), "{condition}");
        }
    }
}
