//! The engine: Cedar's answers, kept as masks.

use super::rows::{self, ListRules};
use super::rules::{Effect, Rule, RuleId};
use super::schema::{applies, cedar_schema};
use super::vocabulary::{Act, Protection, Purpose, Role, Verb};
use super::{Relation, Situation};
use crate::catalogue::{FIELD_COUNT, FieldId, FieldSet};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

/// How many situations are kept decided. Far more than a hub meets; a bound all the same.
const KEPT_SITUATIONS: usize = 20_000;
/// Cedar refuses to answer where little of the stack is left, and it may be asked from far down a request: it gets a stack of
/// its own there. In bytes: how much must be left, and how much it gets.
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 1024 * 1024;

/// The policies that are part of the product.
const EMBEDDED: &[(&str, &str)] = &[
    ("acts.cedar", include_str!("../../policy/acts.cedar")),
    ("care_home.cedar", include_str!("../../policy/care_home.cedar")),
    ("county_board.cedar", include_str!("../../policy/county_board.cedar")),
    ("data_protection.cedar", include_str!("../../policy/data_protection.cedar")),
    ("existence.cedar", include_str!("../../policy/existence.cedar")),
    ("forbids.cedar", include_str!("../../policy/forbids.cedar")),
    ("guardianship.cedar", include_str!("../../policy/guardianship.cedar")),
    ("health.cedar", include_str!("../../policy/health.cedar")),
    ("migration.cedar", include_str!("../../policy/migration.cedar")),
    ("operations.cedar", include_str!("../../policy/operations.cedar")),
    ("partner.cedar", include_str!("../../policy/partner.cedar")),
    ("police_border.cedar", include_str!("../../policy/police_border.cedar")),
    ("police_missing.cedar", include_str!("../../policy/police_missing.cedar")),
    ("school.cedar", include_str!("../../policy/school.cedar")),
    ("search.cedar", include_str!("../../policy/search.cedar")),
    ("social_on_call.cedar", include_str!("../../policy/social_on_call.cedar")),
    ("social_services.cedar", include_str!("../../policy/social_services.cedar")),
    ("system_admin.cedar", include_str!("../../policy/system_admin.cedar")),
];

/// An operation on the hub itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Register a child.
    RegisterChild,
    /// Read the access log of one's own agency.
    ReadOwnLog,
    /// Read the access log of every agency.
    ReadEveryLog,
    /// Hand in a worry, a sighting or a tip about a child that one may not know.
    Submit,
    /// Open the record of a child in an emergency (*nödöppning*).
    BreakGlass,
    /// Review emergency accesses.
    ReviewBreakGlass,
    /// Publish a county's routine.
    PublishRoutine,
    /// See which handovers are overdue, without who the child is.
    WatchHandovers,
    /// Look after what was handed in about children.
    ReceiveSubmissions,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 9] = [
        Operation::RegisterChild,
        Operation::ReadOwnLog,
        Operation::ReadEveryLog,
        Operation::Submit,
        Operation::BreakGlass,
        Operation::ReviewBreakGlass,
        Operation::PublishRoutine,
        Operation::WatchHandovers,
        Operation::ReceiveSubmissions,
    ];

    /// The Cedar action.
    pub const fn action(self) -> &'static str {
        match self {
            Operation::RegisterChild => "registerChild",
            Operation::ReadOwnLog => "readOwnLog",
            Operation::ReadEveryLog => "readEveryLog",
            Operation::Submit => "submitAny",
            Operation::BreakGlass => "breakGlass",
            Operation::ReviewBreakGlass => "reviewBreakGlass",
            Operation::PublishRoutine => "publishRoutine",
            Operation::WatchHandovers => "watchHandovers",
            Operation::ReceiveSubmissions => "receiveSubmissions",
        }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It does not parse.
    #[error("`{file}` does not parse: {reason}")]
    Syntax { file: String, reason: String },
    /// It does not fit the schema.
    #[error("the policies do not fit the field catalogue: {0}")]
    Schema(String),
    /// An annotation is missing.
    #[error("policy `{policy}` lacks the annotation `@{key}`")]
    Annotation { policy: String, key: String },
    /// Its scope is not one the hub can name.
    #[error("policy `{policy}` {reason}")]
    Scope { policy: String, reason: String },
    /// Two policies have one name.
    #[error("two policies are called `{0}`")]
    Duplicate(String),
    /// It cannot be made into a condition on the rows of a list.
    #[error("policy `{policy}` lets a search depend on `context.{attribute}`, which no row of a list holds")]
    Search { policy: String, attribute: &'static str },
    /// A policy failed while it was asked.
    #[error("policy evaluation failed: {0}")]
    Evaluation(String),
}

impl PolicyError {
    pub(super) fn annotation(policy: &Policy, key: &str) -> Self {
        PolicyError::Annotation { policy: name(policy), key: key.to_owned() }
    }

    pub(super) fn scope(policy: &Policy, reason: &str) -> Self {
        PolicyError::Scope { policy: name(policy), reason: reason.to_owned() }
    }
}

fn name(policy: &Policy) -> String {
    policy.annotation("id").map_or_else(|| policy.id().to_string(), str::to_owned)
}

/// What is decided in one situation, one bit per field.
#[derive(Debug)]
pub struct Decisions {
    /// Whether the caller may know that the child is in the hub.
    pub known: bool,
    /// Fields that are shown.
    pub shown: FieldSet,
    /// Fields whose very existence is withheld: they look empty.
    pub silent: FieldSet,
    /// Fields that may be written.
    pub writable: FieldSet,
    /// Fields that may be handed in.
    pub submittable: FieldSet,
    /// Fields a child may be found by.
    pub searchable: FieldSet,
    read_rules: [RuleId; FIELD_COUNT],
    write_rules: [RuleId; FIELD_COUNT],
    acts: [(bool, RuleId); Act::ALL.len()],
}

impl Decisions {
    /// Nothing is permitted, not even to know.
    pub(super) fn nothing() -> Self {
        Decisions {
            known: false,
            shown: FieldSet::EMPTY,
            silent: FieldSet::EMPTY,
            writable: FieldSet::EMPTY,
            submittable: FieldSet::EMPTY,
            searchable: FieldSet::EMPTY,
            read_rules: [RuleId::DEFAULT; FIELD_COUNT],
            write_rules: [RuleId::DEFAULT; FIELD_COUNT],
            acts: [(false, RuleId::DEFAULT); Act::ALL.len()],
        }
    }

    /// Whether the caller may do this about the child; else the rule that keeps it.
    ///
    /// # Errors
    ///
    /// The rule.
    pub fn may(&self, act: Act) -> Result<(), RuleId> {
        let (allowed, rule) = self.acts.get(act as usize).copied().unwrap_or_default();
        if allowed { Ok(()) } else { Err(rule) }
    }

    /// Fields that are withheld and say so.
    pub fn withheld(&self) -> FieldSet {
        !(self.shown | self.silent)
    }

    /// The rule that decided on reading the field.
    pub fn read_rule(&self, id: FieldId) -> RuleId {
        self.read_rules.get(id.index()).copied().unwrap_or_default()
    }

    /// The rule that decided on writing the field.
    pub fn write_rule(&self, id: FieldId) -> RuleId {
        self.write_rules.get(id.index()).copied().unwrap_or_default()
    }
}

/// A set of policies, ready to decide.
pub struct Engine {
    hash: String,
    rules: Vec<Rule>,
    by_name: HashMap<String, RuleId>,
    slices: HashMap<Role, Slices>,
    children: HashMap<(bool, Protection), Entities>,
    decided: Cache<Situation, Arc<Decisions>>,
    /// What was decided about the hub itself; there are few roles, purposes and operations.
    about_hub: Cache<(Action, Role, Purpose), bool>,
    lists: Cache<(Role, Purpose), Arc<ListRules>>,
}

/// A role's actions, grouped by the policies that can apply to them: those of one group share
/// one answer, because no condition may look at `action`.
struct Slices(Vec<Slice>);

struct Slice {
    policies: PolicySet,
    actions: Vec<Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Field(Verb, FieldId),
    Know,
    Act(Act),
    Declare,
    Operate(Operation),
}

impl Action {
    fn all() -> impl Iterator<Item = Action> {
        let fields = Verb::ALL.iter().flat_map(|verb| {
            let fields = FieldId::all().filter(|id| applies(*id, *verb));
            fields.map(|id| Action::Field(*verb, id))
        });
        let acts = Act::ALL.iter().copied().map(Action::Act);
        let operations = Operation::ALL.into_iter().map(Action::Operate);
        fields.chain([Action::Know, Action::Declare]).chain(acts).chain(operations)
    }

    fn uid(self) -> EntityUid {
        match self {
            Action::Field(verb, id) => uid("Action", &format!("{verb}.{id}")),
            Action::Know => uid("Action", "know"),
            Action::Act(act) => uid("Action", act.code()),
            Action::Declare => uid("Action", "declare"),
            Action::Operate(operation) => uid("Action", operation.action()),
        }
    }

    fn is_about_hub(self) -> bool {
        matches!(self, Action::Declare | Action::Operate(_))
    }

    fn covered_by(self, rule: &Rule) -> bool {
        match self {
            Action::Field(verb, id) => rule.scope.covers_field(verb, id),
            Action::Know => rule.scope.names("know"),
            Action::Act(act) => rule.scope.names(act.code()),
            Action::Declare => rule.scope.names("declare"),
            Action::Operate(operation) => rule.scope.names(operation.action()),
        }
    }
}

impl Engine {
    /// The engine with the policies that are part of the product.
    pub fn embedded() -> &'static Engine {
        static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
            #[expect(clippy::expect_used, reason = "the embedded policies are checked by a test")]
            Engine::load(EMBEDDED.iter().copied()).expect("the embedded policies are valid")
        });
        &ENGINE
    }

    /// Reads, validates (Cedar's strict mode) and slices policies given as (file name, text).
    ///
    /// # Errors
    ///
    /// The first thing that keeps them from being used: syntax, an unknown field, role, relation,
    /// purpose or consent, a missing annotation, a scope that is not one role and named actions.
    pub fn load<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Engine, PolicyError> {
        let mut hasher = Sha256::new();
        let mut policies = BTreeMap::new();
        for (file, text) in files {
            hasher.update(text.as_bytes());
            for policy in parse(file, text)? {
                let rule = Rule::read(&policy)?;
                let renamed = policy.new_id(PolicyId::new(&rule.id));
                if policies.insert(rule.id.clone(), (renamed, rule)).is_some() {
                    return Err(PolicyError::Duplicate(name(&policy)));
                }
            }
        }
        let schema = validated_schema(policies.values().map(|(policy, _)| policy))?;
        let mut rules = vec![Rule::default_deny()];
        rules.extend(policies.values().map(|(_, rule)| rule.clone()));
        let by_name = (0u16..).zip(&rules).map(|(index, rule)| (rule.id.clone(), RuleId(index))).collect();
        let slices = Role::ALL.iter().map(|role| Ok((*role, slices(*role, &policies)?))).collect::<Result<_, _>>()?;
        let engine = Engine {
            hash: data_encoding::HEXLOWER.encode(&hasher.finalize()),
            by_name,
            rules,
            slices,
            children: children(&schema)?,
            decided: Cache::new(KEPT_SITUATIONS),
            about_hub: Cache::new(KEPT_SITUATIONS),
            lists: Cache::new(Role::ALL.len() * Purpose::ALL.len()),
        };
        rows::check(&engine.rules)?;
        engine.try_every_policy()?;
        Ok(engine)
    }

    /// SHA-256 of the policy texts, in hexadecimal: the policy version in the log.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The rules, the default first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule by its id.
    pub fn rule(&self, id: RuleId) -> &Rule {
        #[expect(clippy::indexing_slicing, reason = "rule ids are made from the engine's own rules")]
        &self.rules[usize::from(id.0)]
    }

    /// What is decided in a situation; kept, so that the next row in the same situation costs a bit
    /// test. If Cedar fails to answer, nothing is shown, and that is not kept.
    pub fn decide(&self, situation: Situation) -> Arc<Decisions> {
        self.decide_and_tell(situation).0
    }

    /// As [`Engine::decide`], and whether Cedar had to be asked.
    pub fn decide_and_tell(&self, situation: Situation) -> (Arc<Decisions>, bool) {
        let mut asked = false;
        let decide = || {
            asked = true;
            self.evaluate(situation).map(Arc::new)
        };
        match self.decided.get_or_insert_with(&situation, decide) {
            Ok(decisions) => (decisions, asked),
            Err(error) => {
                tracing::error!(%error, "no decision could be taken; nothing is shown");
                (Arc::new(Decisions::nothing()), asked)
            }
        }
    }

    /// What a caller of this role may do with its lists for this purpose; kept.
    pub fn list_rules(&self, role: Role, purpose: Purpose) -> Arc<ListRules> {
        let read = || Ok::<_, std::convert::Infallible>(Arc::new(ListRules::of(self, role, purpose)));
        match self.lists.get_or_insert_with(&(role, purpose), read) {
            Ok(rules) => rules,
        }
    }

    /// How many situations are kept decided now.
    pub fn kept(&self) -> usize {
        self.decided.len()
    }

    /// Whether a caller of this role may state this purpose.
    pub fn may_declare(&self, role: Role, purpose: Purpose) -> bool {
        self.ask_hub(Action::Declare, role, purpose)
    }

    /// Whether a caller of this role may do this operation for this purpose.
    pub fn may(&self, operation: Operation, role: Role, purpose: Purpose) -> bool {
        self.ask_hub(Action::Operate(operation), role, purpose)
    }

    /// Whether a caller of this role, with this purpose, could find any child by the field: whatever the child is and
    /// whatever the caller is to it.
    pub fn may_ever_search(&self, role: Role, purpose: Purpose, id: FieldId) -> bool {
        let relations = Relation::ALL.iter().copied();
        let tied = relations.flat_map(|relation| [false, true].map(|missing| (relation, missing)));
        let situations = tied.flat_map(|(relation, missing)| {
            let plain = Situation { relation, missing, ..Situation::stranger(role, purpose) };
            Protection::ALL.iter().map(move |protection| Situation { protection: *protection, ..plain })
        });
        situations.into_iter().any(|situation| self.decide(situation).searchable.contains(id))
    }

    fn ask_hub(&self, action: Action, role: Role, purpose: Purpose) -> bool {
        let decide = || Ok::<_, std::convert::Infallible>(self.decide_hub(action, role, purpose));
        match self.about_hub.get_or_insert_with(&(action, role, purpose), decide) {
            Ok(allowed) => allowed,
        }
    }

    fn decide_hub(&self, action: Action, role: Role, purpose: Purpose) -> bool {
        let slices = self.slices.get(&role).map_or(&[][..], |slices| &slices.0);
        let slice = slices.iter().find(|slice| slice.actions.contains(&action));
        slice.is_some_and(|slice| {
            let situation = Situation::stranger(role, purpose);
            self.ask(slice, action, situation).is_ok_and(|(decision, _)| decision == Decision::Allow)
        })
    }

    pub(super) fn evaluate(&self, situation: Situation) -> Result<Decisions, PolicyError> {
        let mut decisions = Decisions::nothing();
        let slices = self.slices.get(&situation.role).map_or(&[][..], |slices| &slices.0);
        for slice in slices {
            let Some(first) = slice.actions.iter().copied().find(|action| !action.is_about_hub()) else { continue };
            let (decision, reasons) = self.ask(slice, first, situation)?;
            for action in &slice.actions {
                self.note(&mut decisions, *action, decision, &reasons);
            }
        }
        Ok(decisions)
    }

    fn note(&self, decisions: &mut Decisions, action: Action, decision: Decision, reasons: &[RuleId]) {
        let allowed = decision == Decision::Allow;
        let rule = reasons.first().copied().unwrap_or_default();
        match action {
            Action::Know => decisions.known = allowed,
            Action::Act(act) => {
                if let Some(slot) = decisions.acts.get_mut(act as usize) {
                    *slot = (allowed, rule);
                }
            }
            Action::Field(Verb::Read, id) => {
                let silent = |rule: &RuleId| self.rule(*rule).silent;
                let silencer = reasons.iter().copied().find(silent).filter(|_| !allowed);
                if allowed {
                    decisions.shown.insert(id);
                } else if silencer.is_some() {
                    decisions.silent.insert(id);
                }
                if let Some(slot) = decisions.read_rules.get_mut(id.index()) {
                    *slot = silencer.unwrap_or(rule);
                }
            }
            Action::Field(Verb::Write, id) => {
                if allowed {
                    decisions.writable.insert(id);
                }
                if let Some(slot) = decisions.write_rules.get_mut(id.index()) {
                    *slot = rule;
                }
            }
            Action::Field(Verb::Submit, id) if allowed => decisions.submittable.insert(id),
            Action::Field(Verb::Search, id) if allowed => decisions.searchable.insert(id),
            Action::Field(..) | Action::Declare | Action::Operate(_) => {}
        }
    }

    /// Asks Cedar. The reasons come in the order of the rules, so that the answer is the same on
    /// every node.
    fn ask(&self, slice: &Slice, action: Action, situation: Situation) -> Result<(Decision, Vec<RuleId>), PolicyError> {
        stacker::maybe_grow(RED_ZONE, STACK, || self.ask_here(slice, action, situation))
    }

    fn ask_here(
        &self,
        slice: &Slice,
        action: Action,
        situation: Situation,
    ) -> Result<(Decision, Vec<RuleId>), PolicyError> {
        let failed = |error: &dyn std::fmt::Display| PolicyError::Evaluation(error.to_string());
        let resource = uid(if action.is_about_hub() { "Hub" } else { "Child" }, "it");
        let context = Context::from_pairs(context(action, situation)).map_err(|error| failed(&error))?;
        let principal = uid("Role", situation.role.code());
        let request = Request::new(principal, action.uid(), resource, context, None).map_err(|error| failed(&error))?;
        let entities = self.children.get(&(situation.missing, situation.protection));
        let entities = entities.ok_or_else(|| failed(&"no such child"))?;
        let response = Authorizer::new().is_authorized(&request, &slice.policies, entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(failed(&error));
        }
        let reasons = response.diagnostics().reason();
        let mut reasons: Vec<RuleId> =
            reasons.filter_map(|id| self.by_name.get(AsRef::<str>::as_ref(id)).copied()).collect();
        reasons.sort_unstable();
        Ok((response.decision(), reasons))
    }

    /// One request per action and role, so that a policy that fails at run time fails at the start.
    fn try_every_policy(&self) -> Result<(), PolicyError> {
        for (role, slices) in &self.slices {
            let situation = Situation { relation: Relation::Involved, ..Situation::stranger(*role, Purpose::Protect) };
            for slice in &slices.0 {
                if let Some(action) = slice.actions.first() {
                    self.ask(slice, *action, situation)?;
                }
            }
        }
        Ok(())
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<Policy>, PolicyError> {
    let set = PolicySet::from_str(text).map_err(|error| PolicyError::Syntax {
        file: file.to_owned(),
        reason: std::iter::once(error.to_string())
            .chain(error.iter().skip(1).map(ToString::to_string))
            .collect::<Vec<_>>()
            .join("; "),
    })?;
    Ok(set.policies().cloned().collect())
}

fn validated_schema<'a>(policies: impl Iterator<Item = &'a Policy>) -> Result<Schema, PolicyError> {
    let text = cedar_schema();
    let (schema, _) = Schema::from_cedarschema_str(&text).map_err(|error| PolicyError::Schema(error.to_string()))?;
    let set = PolicySet::from_policies(policies.cloned()).map_err(|error| PolicyError::Schema(error.to_string()))?;
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let problems: Vec<String> = result.validation_errors().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(schema) } else { Err(PolicyError::Schema(problems.join("; "))) }
}

fn slices(role: Role, policies: &BTreeMap<String, (Policy, Rule)>) -> Result<Slices, PolicyError> {
    let own: Vec<&(Policy, Rule)> = policies.values().filter(|(_, rule)| rule.scope.covers_role(role)).collect();
    let mut by_policies: BTreeMap<(bool, Vec<usize>), Vec<Action>> = BTreeMap::new();
    for action in Action::all() {
        let covering = own.iter().enumerate().filter(|(_, (_, rule))| action.covered_by(rule));
        let covering: Vec<usize> = covering.map(|(index, _)| index).collect();
        if !covering.is_empty() {
            by_policies.entry((action.is_about_hub(), covering)).or_default().push(action);
        }
    }
    let slice = |((_, covering), actions): ((bool, Vec<usize>), Vec<Action>)| {
        let policies = covering.iter().filter_map(|index| own.get(*index)).map(|(policy, _)| policy.clone());
        let policies = PolicySet::from_policies(policies).map_err(|error| PolicyError::Schema(error.to_string()))?;
        Ok(Slice { policies, actions })
    };
    by_policies.into_iter().map(slice).collect::<Result<_, _>>().map(Slices)
}

fn uid(kind: &str, id: &str) -> EntityUid {
    #[expect(clippy::expect_used, reason = "the names of the schema's types are identifiers")]
    let kind = EntityTypeName::from_str(kind).expect("a type name");
    EntityUid::from_type_name_and_id(kind, EntityId::new(id))
}

fn word(kind: &str, code: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(kind, code))
}

fn context(action: Action, situation: Situation) -> Vec<(String, RestrictedExpression)> {
    let mut pairs = vec![("purpose".to_owned(), word("Purpose", situation.purpose.code()))];
    if !action.is_about_hub() {
        let consents = situation.consents.groups().map(|group| word("Consent", group));
        pairs.extend([
            ("relation".to_owned(), word("Relation", situation.relation.code())),
            ("consents".to_owned(), RestrictedExpression::new_set(consents)),
            ("breakGlass".to_owned(), RestrictedExpression::new_bool(situation.break_glass)),
            ("own".to_owned(), RestrictedExpression::new_bool(situation.own)),
        ]);
    }
    pairs
}

/// The child of a request, for each pair of what policies may look at in it; with the actions' groups.
fn children(schema: &Schema) -> Result<HashMap<(bool, Protection), Entities>, PolicyError> {
    let failed = |error: &dyn std::fmt::Display| PolicyError::Schema(error.to_string());
    let actions = schema.action_entities().map_err(|error| failed(&error))?;
    let mut children = HashMap::new();
    for missing in [false, true] {
        for protection in Protection::ALL {
            let attributes = HashMap::from([
                ("missing".to_owned(), RestrictedExpression::new_bool(missing)),
                ("protection".to_owned(), word("Protection", protection.code())),
            ]);
            let child = Entity::new(uid("Child", "it"), attributes, HashSet::new()).map_err(|error| failed(&error))?;
            let entities = actions.clone().add_entities([child], None).map_err(|error| failed(&error))?;
            children.insert((missing, *protection), entities);
        }
    }
    Ok(children)
}

impl Rule {
    /// Whether the rule can say anything about a field for a role: for `fieldRules`.
    pub fn concerns(&self, role: Role, id: FieldId) -> bool {
        self.scope.covers_role(role) && Verb::ALL.iter().any(|verb| self.scope.covers_field(*verb, id))
    }

    /// The verbs the rule opens or closes for a field.
    pub fn verbs(&self, id: FieldId) -> impl Iterator<Item = Verb> {
        Verb::ALL.iter().copied().filter(move |verb| self.scope.covers_field(*verb, id))
    }
}

impl Effect {
    /// The code in GraphQL.
    pub const fn code(self) -> &'static str {
        match self {
            Effect::Permit => "PERMIT",
            Effect::Forbid => "FORBID",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cedar takes no decision where the stack is short, and a request may be deep in it when it asks.
    #[test]
    fn a_short_stack_decides_as_a_long_one() {
        let engine = Engine::embedded();
        let situations: Vec<Situation> = Role::ALL
            .iter()
            .map(|role| Situation { relation: Relation::Involved, ..Situation::stranger(*role, Purpose::Protect) })
            .collect();
        let asked = situations.clone();
        let short = std::thread::Builder::new().stack_size(96 * 1024);
        let decided = short.spawn(move || {
            asked.into_iter().map(|s| engine.evaluate(s).map(|_| ()).map_err(|e| e.to_string())).collect::<Vec<_>>()
        });
        let decided = decided.expect("a thread").join().expect("it ends");
        assert_eq!(decided, vec![Ok(()); situations.len()]);
        let board =
            Situation { relation: Relation::Involved, ..Situation::stranger(Role::SocialServices, Purpose::Protect) };
        assert!(engine.evaluate(board).is_ok_and(|decisions| decisions.known));
    }
}
