//! The policies as rules that can be named: in the log, beside a withheld field, in `fieldRules`.

use super::PolicyError;
use super::schema::groups_of;
use super::vocabulary::{Role, Verb};
use crate::catalogue::FieldId;
use cedar_policy::{ActionConstraint, Policy, PrincipalConstraint};

/// A rule by its place among the rules of one policy; 0 is the default: what no rule permits is
/// withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub(super) u16);

impl RuleId {
    /// What no rule permits is withheld.
    pub const DEFAULT: RuleId = RuleId(0);
}

/// Whether a rule opens or closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It opens.
    Permit,
    /// It closes, whatever others open.
    Forbid,
}

/// What a rule is about.
#[derive(Clone, Debug)]
pub struct Scope {
    role: Option<Role>,
    actions: Vec<String>,
}

impl Scope {
    /// Whether the rule can apply to callers of this role.
    pub fn covers_role(&self, role: Role) -> bool {
        self.role.is_none_or(|own| own == role)
    }

    /// Whether the rule can apply to this field under this verb.
    pub fn covers_field(&self, verb: Verb, id: FieldId) -> bool {
        let names = |action: &str| {
            let Some(rest) = action.strip_prefix(verb.code()) else { return false };
            match rest.strip_prefix('.') {
                None => rest.is_empty(),
                Some(name) => groups_of(id).any(|group| group == name) || id.to_string() == name,
            }
        };
        self.actions.iter().any(|action| names(action))
    }

    /// Whether the rule names this action as it is written.
    pub fn names(&self, action: &str) -> bool {
        self.actions.iter().any(|name| name == action)
    }
}

/// One policy, as its annotations tell of it.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `@id`.
    pub id: String,
    /// `@basis`: the statute.
    pub basis: String,
    /// `@sv`: one sentence in Swedish.
    pub sv: String,
    /// `@en`: one sentence in English.
    pub en: String,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@silent`: what it closes looks as if it were empty.
    pub silent: bool,
    /// Whom and what it is about.
    pub scope: Scope,
    /// The policy as it is written.
    pub text: String,
}

impl Rule {
    /// The rule that stands where no other does.
    pub(super) fn default_deny() -> Self {
        Rule {
            id: "default-deny".to_owned(),
            basis: "OSL (2009:400) 8 kap. 1 §".to_owned(),
            sv: "Ingen regel öppnar fältet för den här rollen i den här situationen.".to_owned(),
            en: "No rule opens the field for this role in this situation.".to_owned(),
            effect: Effect::Forbid,
            silent: false,
            scope: Scope { role: None, actions: Vec::new() },
            text: String::new(),
        }
    }

    /// Reads a policy's annotations and scope; a policy that lacks one, whose scope is not one role
    /// and named actions, or that looks at `action` in a condition is refused.
    pub(super) fn read(policy: &Policy) -> Result<Self, PolicyError> {
        let annotation = |key: &str| {
            let found = policy.annotation(key).filter(|text| !text.trim().is_empty());
            found.map(str::to_owned).ok_or_else(|| PolicyError::annotation(policy, key))
        };
        let effect = match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        };
        Ok(Rule {
            id: annotation("id")?,
            basis: annotation("basis")?,
            sv: annotation("sv")?,
            en: annotation("en")?,
            effect,
            silent: policy.annotation("silent") == Some("true"),
            scope: Scope { role: scope_role(policy, effect)?, actions: scope_actions(policy)? },
            text: policy.to_string(),
        })
    }
}

fn scope_role(policy: &Policy, effect: Effect) -> Result<Option<Role>, PolicyError> {
    match policy.principal_constraint() {
        PrincipalConstraint::Any if effect == Effect::Forbid => Ok(None),
        PrincipalConstraint::Eq(uid) => {
            let code: &str = uid.id().unescaped();
            Role::from_code(code).map(Some).ok_or_else(|| PolicyError::scope(policy, "names an unknown role"))
        }
        _ => Err(PolicyError::scope(policy, "must name one role: `principal == Role::\"…\"`")),
    }
}

fn scope_actions(policy: &Policy) -> Result<Vec<String>, PolicyError> {
    let json = policy.to_json().map_err(|error| PolicyError::scope(policy, &error.to_string()))?;
    if json.get("conditions").is_some_and(|conditions| conditions.to_string().contains(r#"{"Var":"action"}"#)) {
        return Err(PolicyError::scope(policy, "looks at `action` in a condition; name the actions in the scope"));
    }
    let uids = match policy.action_constraint() {
        ActionConstraint::In(uids) => uids,
        ActionConstraint::Eq(uid) => vec![uid],
        ActionConstraint::Any => return Err(PolicyError::scope(policy, "must name its actions")),
    };
    Ok(uids.iter().map(|uid| uid.id().unescaped().to_owned()).collect())
}
