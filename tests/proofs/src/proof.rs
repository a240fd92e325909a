//! Asking the solver.

use crate::example::Example;
use crate::policies::{Policies, Property, annotation};
use crate::{Failure, solver};
use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Entities, EntityUid, Policy, PolicyId, PolicySet, RequestEnv, Schema,
};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet};
use std::path::Path;

/// What the solver says.
pub enum Verdict {
    /// It holds for every request; so many kinds of request were asked about.
    Proved(usize),
    /// It does not: here is a request, and the policies that permit it, or the one that fails.
    Refuted { example: Box<Example>, rules: Vec<String> },
}

/// The symbolic compiler with a running solver.
pub struct Prover {
    compiler: CedarSymCompiler<LocalSolver>,
    schema: Schema,
    /// The actions with the groups they are in.
    actions: Entities,
    /// One kind of request for each action.
    kinds: Vec<RequestEnv>,
}

impl Prover {
    /// Starts the solver.
    pub fn new(path: &Path, schema: &Schema) -> Result<Prover, Failure> {
        let mut kinds: Vec<RequestEnv> = schema.request_envs().collect();
        // So that the counterexamples are the same ones every time.
        kinds.sort_by_key(|kind| kind.action().to_string());
        let compiler = CedarSymCompiler::new(solver::start(path)?)?;
        Ok(Prover { compiler, schema: schema.clone(), actions: schema.action_entities()?, kinds })
    }

    /// Whether the property holds of the policies.
    ///
    /// # Errors
    ///
    /// A solver that gives up or cannot be asked, or a counterexample that Cedar itself does not confirm.
    pub async fn holds(&mut self, policies: &Policies, property: &Property) -> Result<Verdict, Failure> {
        if property.in_silence {
            self.refuses_in_silence_only(policies, property).await
        } else {
            self.never_permits(policies, property).await
        }
    }

    /// Whether each request of the property's region is permitted, or forbidden by a rule of silence.
    async fn refuses_in_silence_only(&mut self, policies: &Policies, property: &Property) -> Result<Verdict, Failure> {
        let Some(region) = &property.region else { return Err("a property without a region".into()) };
        let silent = |policy: &Policy| policy.annotation("silent").is_some();
        let spoken = |some: PolicySet| -> Result<PolicySet, Failure> {
            let region = region.new_id(PolicyId::new("region"));
            Ok(PolicySet::from_policies(some.policies().cloned().chain([region]))?)
        };
        let kinds = self.kinds_of_request(region)?;
        for kind in &kinds {
            let reaching = policies.set(|policy| self.reaches(policy, kind))?;
            let unsilenced = spoken(policies.set(|policy| silent(policy) && self.reaches(policy, kind))?)?;
            let permitted = CompiledPolicySet::compile(&reaching, kind, &self.schema)?;
            let unsilenced = CompiledPolicySet::compile(&unsilenced, kind, &self.schema)?;
            let found = self.compiler.check_implies_with_counterexample_opt(&unsilenced, &permitted).await?;
            if let Some(env) = found {
                let (all, unsilenced) = (policies.set(|_| true)?, spoken(policies.set(silent)?)?);
                let betrayed = |example: &Example| Ok(allows(&unsilenced, example)? && !allows(&all, example)?);
                let found = Example::read(&env, &self.actions)?;
                let example = found.plainest(&betrayed)?.ok_or_else(|| unconfirmed(&found))?;
                let rules = answer(&all, &example)?.diagnostics().reason().map(PolicyId::to_string).collect();
                return Ok(Verdict::Refuted { example: Box::new(example), rules });
            }
        }
        Ok(Verdict::Proved(kinds.len()))
    }

    /// Whether the policies permit no request of the property's region.
    async fn never_permits(&mut self, policies: &Policies, property: &Property) -> Result<Verdict, Failure> {
        let Some(region) = &property.region else { return Err("a property without a region".into()) };
        let forbidden = PolicySet::from_policies([region.clone()])?;
        let kinds = self.kinds_of_request(region)?;
        for kind in &kinds {
            let reaching = policies.set(|policy| self.reaches(policy, kind))?;
            let permitted = CompiledPolicySet::compile(&reaching, kind, &self.schema)?;
            let region = CompiledPolicySet::compile(&forbidden, kind, &self.schema)?;
            let found = self.compiler.check_disjoint_with_counterexample_opt(&permitted, &region).await?;
            if let Some(env) = found {
                return permitted_example(policies, &forbidden, &Example::read(&env, &self.actions)?);
            }
        }
        Ok(Verdict::Proved(kinds.len()))
    }

    /// Whether none of the policies can fail at run time.
    ///
    /// # Errors
    ///
    /// A solver that gives up or cannot be asked, or a counterexample that Cedar itself does not confirm.
    pub async fn never_fails(&mut self, policies: impl Iterator<Item = &Policy>) -> Result<Verdict, Failure> {
        let mut asked = 0;
        for policy in policies {
            for kind in self.kinds_of_request(policy)? {
                let compiled = CompiledPolicy::compile(policy, &kind, &self.schema)?;
                let found = self.compiler.check_never_errors_with_counterexample_opt(&compiled).await?;
                if let Some(env) = found {
                    return failing_example(policy, &Example::read(&env, &self.actions)?);
                }
                asked += 1;
            }
        }
        Ok(Verdict::Proved(asked))
    }

    fn kinds_of_request(&self, policy: &Policy) -> Result<Vec<RequestEnv>, Failure> {
        let kinds: Vec<RequestEnv> = self.kinds.iter().filter(|kind| self.reaches(policy, kind)).cloned().collect();
        if kinds.is_empty() { Err(format!("no request reaches:\n{policy}").into()) } else { Ok(kinds) }
    }

    /// Whether the policy's scope names the action, or a group that it is in. Where it does not, the policy is not met
    /// and its conditions are not looked at: it neither permits, forbids nor fails.
    fn reaches(&self, policy: &Policy, kind: &RequestEnv) -> bool {
        let within = |group: &EntityUid| {
            let action = kind.action();
            action == group || self.actions.is_ancestor_of(group, action)
        };
        match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(named) => *kind.action() == named,
            ActionConstraint::In(groups) => groups.iter().any(within),
        }
    }
}

/// The plainest example that is permitted and lies in the region. The solver is not taken at its word: Cedar is asked.
fn permitted_example(policies: &Policies, region: &PolicySet, found: &Example) -> Result<Verdict, Failure> {
    let all = policies.set(|_| true)?;
    let both = |example: &Example| Ok(allows(&all, example)? && allows(region, example)?);
    let example = found.plainest(&both)?.ok_or_else(|| unconfirmed(found))?;
    let rules = answer(&all, &example)?.diagnostics().reason().map(PolicyId::to_string).collect();
    Ok(Verdict::Refuted { example: Box::new(example), rules })
}

fn failing_example(policy: &Policy, found: &Example) -> Result<Verdict, Failure> {
    let set = PolicySet::from_policies([policy.clone()])?;
    let fails = |example: &Example| Ok(answer(&set, example)?.diagnostics().errors().next().is_some());
    let example = found.plainest(&fails)?.ok_or_else(|| unconfirmed(found))?;
    Ok(Verdict::Refuted { example: Box::new(example), rules: vec![annotation(policy, "id")?] })
}

fn allows(policies: &PolicySet, example: &Example) -> Result<bool, Failure> {
    Ok(answer(policies, example)?.decision() == Decision::Allow)
}

fn answer(policies: &PolicySet, example: &Example) -> Result<cedar_policy::Response, Failure> {
    let (request, entities) = example.request()?;
    Ok(Authorizer::new().is_authorized(&request, policies, &entities))
}

fn unconfirmed(example: &Example) -> Failure {
    format!("the solver's counterexample is none: {example}").into()
}
