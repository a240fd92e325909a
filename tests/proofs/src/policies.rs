//! The policies of the product, the properties they must have, and the mistakes that must be caught.

use crate::Failure;
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What is proved of each policy by itself; it marks out no region.
pub const NEVER_FAILS: &str = "never-fails";

/// A set of policies that fits the schema.
pub struct Policies {
    pub schema: Schema,
    by_id: BTreeMap<String, Policy>,
}

/// What must never be permitted, or never be refused but in silence.
pub struct Property {
    pub name: String,
    pub basis: String,
    pub sentence: String,
    /// It permits the requests that the product must refuse.
    pub region: Option<Policy>,
    /// The product may permit a request of the region; where it does not, a rule of silence (`@silent`) forbids it.
    pub in_silence: bool,
}

/// A change of the policies that a property must catch.
pub struct Mistake {
    pub breaks: String,
    pub sentence: String,
    pub policies: Vec<Policy>,
}

impl Policies {
    /// The policies and the schema that the product is built from.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a policy that does not fit the schema.
    pub fn of_the_product() -> Result<Policies, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api/domain/policy");
        let (schema, _) = Schema::from_cedarschema_str(&read(&folder.join("samverka.cedarschema"))?)?;
        let mut by_id = BTreeMap::new();
        for file in cedar_files(&folder)? {
            for policy in parse(&file)? {
                by_id.insert(annotation(&policy, "id")?, policy);
            }
        }
        let product = Policies { schema, by_id };
        validate(&product.schema, &product.set(|_| true)?)?;
        Ok(product)
    }

    /// The same policies with a mistake in them.
    ///
    /// # Errors
    ///
    /// A mistake that already the validator catches: it needs no proof. Or one that replaces a policy there is not.
    pub fn with(&self, mistake: &Mistake) -> Result<Policies, Failure> {
        validate(&self.schema, &PolicySet::from_policies(mistake.policies.iter().cloned())?)?;
        let mut by_id = self.by_id.clone();
        for policy in &mistake.policies {
            let id = annotation(policy, "id")?;
            if by_id.insert(id.clone(), policy.clone()).is_none() && policy.effect() == Effect::Forbid {
                return Err(format!("mistakes.cedar replaces `{id}`, which is no policy of the product").into());
            }
        }
        Ok(Policies { schema: self.schema.clone(), by_id })
    }

    /// Each policy.
    pub fn all(&self) -> impl Iterator<Item = &Policy> {
        self.by_id.values()
    }

    /// Some of the policies as Cedar's set, each named by its `@id`.
    pub fn set(&self, some: impl Fn(&Policy) -> bool) -> Result<PolicySet, Failure> {
        let some = self.by_id.iter().filter(|(_, policy)| some(policy));
        let named = some.map(|(id, policy)| policy.new_id(PolicyId::new(id)));
        Ok(PolicySet::from_policies(named)?)
    }
}

/// The properties in `properties.cedar`.
pub fn properties() -> Result<Vec<Property>, Failure> {
    let policies = parse(&own_file("properties.cedar"))?;
    policies.into_iter().map(property).collect()
}

fn property(region: Policy) -> Result<Property, Failure> {
    Ok(Property {
        name: annotation(&region, "id")?,
        basis: annotation(&region, "basis")?,
        sentence: annotation(&region, "en")?,
        in_silence: region.annotation("silent").is_some(),
        region: Some(region),
    })
}

/// The property that no policy fails: one that fails is left out, and what it forbade is open.
pub fn never_fails() -> Property {
    Property {
        name: NEVER_FAILS.to_owned(),
        basis: "dataskyddsförordningen art. 32".to_owned(),
        sentence:
            "No policy can fail while it is asked: Cedar leaves out one that does, and what it forbade would be open."
                .to_owned(),
        region: None,
        in_silence: false,
    }
}

/// The mistakes in `mistakes.cedar`, in its order.
///
/// # Errors
///
/// A mistake that breaks a property there is not, or a property without a mistake.
pub fn mistakes(properties: &[Property]) -> Result<Vec<Mistake>, Failure> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    for policy in parse(&own_file("mistakes.cedar"))? {
        let (breaks, sentence) = (annotation(&policy, "breaks")?, annotation(&policy, "mistake")?);
        match mistakes.last_mut().filter(|last| last.breaks == breaks && last.sentence == sentence) {
            Some(last) => last.policies.push(policy),
            None => mistakes.push(Mistake { breaks, sentence, policies: vec![policy] }),
        }
    }
    let names: Vec<&str> = properties.iter().map(|property| property.name.as_str()).chain([NEVER_FAILS]).collect();
    if let Some(mistake) = mistakes.iter().find(|mistake| !names.contains(&mistake.breaks.as_str())) {
        return Err(format!("mistakes.cedar breaks `{}`, which is no property", mistake.breaks).into());
    }
    match names.iter().find(|name| !mistakes.iter().any(|mistake| mistake.breaks == **name)) {
        Some(name) => Err(format!("no mistake in mistakes.cedar breaks `{name}`: it may hold by accident").into()),
        None => Ok(mistakes),
    }
}

fn own_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()).into())
}

fn cedar_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Failure>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "cedar")).collect())
}

fn parse(path: &Path) -> Result<Vec<Policy>, Failure> {
    let set = PolicySet::from_str(&read(path)?).map_err(|error| format!("`{}`: {error:?}", path.display()))?;
    let mut policies: Vec<Policy> = set.policies().cloned().collect();
    policies.sort_by_key(place);
    Ok(policies)
}

/// A policy's place in its file: Cedar names what it parses `policy0`, `policy1` …
fn place(policy: &Policy) -> usize {
    policy.id().to_string().trim_start_matches("policy").parse().unwrap_or(usize::MAX)
}

/// The text of an annotation.
pub fn annotation(policy: &Policy, key: &str) -> Result<String, Failure> {
    let text = policy.annotation(key).map(str::to_owned);
    text.ok_or_else(|| format!("a policy lacks `@{key}`:\n{policy}").into())
}

fn validate(schema: &Schema, set: &PolicySet) -> Result<(), Failure> {
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    match result.validation_errors().next() {
        Some(error) => Err(error.to_string().into()),
        None => Ok(()),
    }
}
