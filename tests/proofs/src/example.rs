//! A request that shows that a property does not hold, made as plain as it can be.

use crate::Failure;
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityUid, EvalResult, Request, RestrictedExpression as Expression,
};
use cedar_policy_symcc::Env;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

/// A request about a child, or about the hub.
#[derive(Clone)]
pub struct Example {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    /// What the context and the child hold, by name.
    context: BTreeMap<String, Value>,
    child: BTreeMap<String, Value>,
    /// The actions with their groups.
    actions: Entities,
}

#[derive(Clone, PartialEq)]
enum Value {
    Truth(bool),
    Code(EntityUid),
    Codes(Vec<EntityUid>),
}

/// What is plain, the plainest first. What an example keeps beyond it is what makes it one.
const PLAIN: [(&str, &[&str]); 7] = [
    ("purpose", &["PROTECT"]),
    ("own", &["false"]),
    ("breakGlass", &["false"]),
    ("missing", &["false"]),
    ("protection", &["NONE", "MARKED"]),
    ("consents", &[""]),
    ("relation", &["INVOLVED", "RESPONSIBLE", "NONE", "CONSENTED"]),
];

impl Example {
    /// Reads what the solver found.
    ///
    /// # Errors
    ///
    /// A request that is not complete, or holds what no request of the hub's schema can hold.
    pub fn read(env: &Env, actions: &Entities) -> Result<Example, Failure> {
        let Env { request, entities } = env;
        let (principal, action, resource) = (request.principal(), request.action(), request.resource());
        let (Some(principal), Some(action), Some(resource)) = (principal, action, resource) else {
            return Err("the solver's request is not complete".into());
        };
        let (context, child) = (request.context(), entities.get(resource));
        let attribute = |key: &str| child.and_then(|child| child.attr(key)).and_then(Result::ok);
        Ok(Example {
            principal: principal.clone(),
            action: action.clone(),
            resource: resource.clone(),
            context: held(|key| context.and_then(|context| context.get(key)))?,
            child: held(attribute)?,
            actions: actions.clone(),
        })
    }

    /// The example with everything plain that can be plain while it still shows what it shows; nothing if as it is it
    /// shows nothing.
    pub fn plainest(&self, shows: &dyn Fn(&Example) -> Result<bool, Failure>) -> Result<Option<Example>, Failure> {
        if !shows(self)? {
            return Ok(None);
        }
        let mut plainest = self.clone();
        for (key, codes) in PLAIN {
            for code in codes {
                let plainer = plainest.with(key, code);
                if shows(&plainer)? {
                    plainest = plainer;
                    break;
                }
            }
        }
        Ok(Some(plainest))
    }

    fn with(&self, key: &str, code: &str) -> Example {
        let mut changed = self.clone();
        for attributes in [&mut changed.context, &mut changed.child] {
            if let Some(value) = attributes.get_mut(key) {
                *value = value.alike(code);
            }
        }
        changed
    }

    /// The request as Cedar takes it.
    pub fn request(&self) -> Result<(Request, Entities), Failure> {
        let context = Context::from_pairs(expressions(&self.context))?;
        let attributes: HashMap<String, Expression> = expressions(&self.child).collect();
        let (principal, action, resource) = (self.principal.clone(), self.action.clone(), self.resource.clone());
        let child = Entity::new(resource.clone(), attributes, HashSet::new())?;
        let entities = self.actions.clone().add_entities([child], None)?;
        Ok((Request::new(principal, action, resource, context, None)?, entities))
    }
}

fn held(attribute: impl Fn(&str) -> Option<EvalResult>) -> Result<BTreeMap<String, Value>, Failure> {
    let keys = PLAIN.iter().filter_map(|(key, _)| Some(((*key).to_owned(), attribute(key)?)));
    keys.map(|(key, value)| Ok((key, Value::read(&value)?))).collect()
}

fn expressions(values: &BTreeMap<String, Value>) -> impl Iterator<Item = (String, Expression)> {
    values.iter().map(|(key, value)| (key.clone(), value.expression()))
}

impl Value {
    fn read(result: &EvalResult) -> Result<Value, Failure> {
        let code = |result: &EvalResult| match result {
            EvalResult::EntityUid(uid) => Ok(uid.clone()),
            other => Err(format!("`{other}` is no code")),
        };
        Ok(match result {
            EvalResult::Bool(truth) => Value::Truth(*truth),
            EvalResult::Set(set) => Value::Codes(set.iter().map(code).collect::<Result<_, _>>()?),
            other => Value::Code(code(other)?),
        })
    }

    /// The value of the same kind that is written so.
    fn alike(&self, code: &str) -> Value {
        match self {
            Value::Truth(_) => Value::Truth(code == "true"),
            Value::Codes(_) => Value::Codes(Vec::new()),
            Value::Code(uid) => {
                let kind = uid.type_name().clone();
                Value::Code(EntityUid::from_type_name_and_id(kind, EntityId::new(code)))
            }
        }
    }

    fn expression(&self) -> Expression {
        match self {
            Value::Truth(truth) => Expression::new_bool(*truth),
            Value::Code(uid) => Expression::new_entity_uid(uid.clone()),
            Value::Codes(uids) => Expression::new_set(uids.iter().cloned().map(Expression::new_entity_uid)),
        }
    }
}

/// `SCHOOL, INVOLVED, for PROTECT: read.schooling.schoolName; protection REGISTERED; missing`
impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", code(&self.principal))?;
        if let Some(Value::Code(relation)) = self.context.get("relation") {
            write!(f, ", {}", code(relation))?;
        }
        if let Some(Value::Code(purpose)) = self.context.get("purpose") {
            write!(f, ", for {}", code(purpose))?;
        }
        write!(f, ": {}", code(&self.action))?;
        for (name, value) in self.child.iter().chain(&self.context) {
            match value {
                Value::Truth(true) => write!(f, "; {name}")?,
                Value::Codes(groups) if !groups.is_empty() => {
                    write!(f, "; {name} {}", groups.iter().map(code).collect::<Vec<_>>().join(" and "))?;
                }
                Value::Code(level) if name == "protection" && code(level) != "NONE" => {
                    write!(f, "; {name} {}", code(level))?
                }
                Value::Truth(_) | Value::Code(_) | Value::Codes(_) => {}
            }
        }
        Ok(())
    }
}

fn code(uid: &EntityUid) -> &str {
    uid.id().unescaped()
}
