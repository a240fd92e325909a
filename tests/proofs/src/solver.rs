//! Where the solver is, and what it means that there is none.

use crate::Failure;
use crate::report::Report;
use cedar_policy_symcc::solver::LocalSolver;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// No question of this project takes a second; one that takes a minute has found a fault.
const LONGEST_ANSWER: &str = "--tlimit-per=60000";

/// The solver in `CVC5`, or Debian's; nothing where there is none.
pub fn path() -> Option<PathBuf> {
    let named = std::env::var_os("CVC5").map(PathBuf::from);
    let path = named.unwrap_or_else(|| PathBuf::from("/usr/bin/cvc5"));
    path.is_file().then_some(path)
}

/// Starts the solver.
pub fn start(path: &Path) -> Result<LocalSolver, Failure> {
    Ok(LocalSolver::from_command(Command::new(path).args(["--lang", "smt", LONGEST_ANSWER]))?)
}

/// Says that nothing is proved; in CI that is a failure.
pub fn missing(report: &mut Report) -> Result<(), Failure> {
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        return Err("cvc5 is neither in `CVC5` nor in /usr/bin: in CI the proofs are not left out".into());
    }
    report.line("SKIPPED: the policy proofs. cvc5 is neither in `CVC5` nor in /usr/bin (`apt-get install cvc5`).");
    Ok(())
}
