//! What the product's policies can never do, proved for every possible request.
//!
//! `properties.cedar` says what must never be permitted, `mistakes.cedar` what must be caught if somebody tries. Cedar's
//! symbolic compiler turns both and the product's policies into formulas over every role, relation, purpose, consent,
//! protection and child, and the solver cvc5 shows that no request satisfies both, or finds one that does.
//!
//! What is read are the product's own files: `api/domain/policy/*.cedar` and the schema beside them, which a test of the
//! hub holds to the field catalogue. A property with `@silent` says something else: each request of its region is permitted, or
//! forbidden by a rule of silence, so that what is withheld looks empty. What is proved is what Cedar answers; that the engine asks Cedar rightly is what the
//! oracle in `tests/hub` tries.
//!
//! A package of its own, outside of the workspace. As a member, cedar-policy-symcc would cost every cold build 30 seconds of a
//! processor, put its dependencies into the product's lock file, and above all turn on features of Cedar that the product
//! does without, in the product's own tests too. It does not use samverka-domain either, which would have the databases
//! built for it: from cold this takes 70 seconds of a processor, the workspace 450.
//!
//! `cargo run` here; `.ci/run` does. The solver is `CVC5`, or Debian's in /usr/bin. Where there is none the proofs are
//! skipped, and that is said; in CI (`CI=true`) it is a failure.

mod example;
mod policies;
mod proof;
mod report;
mod solver;

use policies::{Mistake, Policies, Property};
use proof::Prover;
use report::Report;
use std::process::ExitCode;
use std::time::Instant;

/// Why the proofs could not be tried: a file that cannot be read, a policy that does not fit, a solver that gave up.
type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut report = Report::default();
    match prove_everything(&mut report).await {
        Ok(()) if report.is_sound() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(failure) => {
            report.line(&format!("error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn prove_everything(report: &mut Report) -> Result<(), Failure> {
    let Some(path) = solver::path() else { return solver::missing(report) };
    let started = Instant::now();
    let product = Policies::of_the_product()?;
    let properties = policies::properties()?;
    let mistakes = policies::mistakes(&properties)?;
    let mut prover = Prover::new(&path, &product.schema)?;
    report.opening(&path, &product);
    prove_that_nothing_fails(&mut prover, &product, report).await?;
    for property in &properties {
        prove(&mut prover, &product, property, report).await?;
    }
    report.line("\nMistakes that must be caught\n");
    for mistake in &mistakes {
        catch(&mut prover, &product, &properties, mistake, report).await?;
    }
    report.closing(started.elapsed());
    Ok(())
}

async fn prove(
    prover: &mut Prover,
    product: &Policies,
    property: &Property,
    report: &mut Report,
) -> Result<(), Failure> {
    let started = Instant::now();
    let verdict = prover.holds(product, property).await?;
    report.property(property, &verdict, started.elapsed());
    Ok(())
}

async fn prove_that_nothing_fails(prover: &mut Prover, product: &Policies, report: &mut Report) -> Result<(), Failure> {
    let started = Instant::now();
    let verdict = prover.never_fails(product.all()).await?;
    report.property(&policies::never_fails(), &verdict, started.elapsed());
    Ok(())
}

async fn catch(
    prover: &mut Prover,
    product: &Policies,
    properties: &[Property],
    mistake: &Mistake,
    report: &mut Report,
) -> Result<(), Failure> {
    let broken = product.with(mistake)?;
    let started = Instant::now();
    let verdict = match properties.iter().find(|property| property.name == mistake.breaks) {
        Some(property) => prover.holds(&broken, property).await?,
        None => prover.never_fails(mistake.policies.iter()).await?,
    };
    report.mistake(mistake, &verdict, started.elapsed());
    Ok(())
}
