//! What is printed, for people.

use crate::example::Example;
use crate::policies::{Mistake, Policies, Property};
use crate::proof::Verdict;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// The list as it is printed, and what it comes to.
#[derive(Default)]
pub struct Report {
    proved: usize,
    refuted: usize,
    caught: usize,
    missed: usize,
}

impl Report {
    /// Prints a line.
    pub fn line(&mut self, text: &str) {
        // A closed pipe is no reason to stop proving.
        _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Whether every property is proved and every mistake caught.
    pub fn is_sound(&self) -> bool {
        self.refuted + self.missed == 0
    }

    /// What is asked of whom.
    pub fn opening(&mut self, solver: &Path, product: &Policies) {
        let policies = product.all().count();
        let kinds = product.schema.request_envs().count();
        self.line(&format!(
            "{policies} policies, {kinds} kinds of request (one a field and verb, or an operation), asked of {}\n",
            solver.display()
        ));
        self.line("What no request can ever get from the product's policies\n");
    }

    /// One property of the product's policies.
    pub fn property(&mut self, property: &Property, verdict: &Verdict, took: Duration) {
        let seconds = took.as_secs_f64();
        match verdict {
            Verdict::Proved(kinds) => {
                self.proved += 1;
                self.line(&format!("  proved   {}  ({kinds} kinds, {seconds:.2} s)", property.name));
            }
            Verdict::Refuted { .. } => {
                self.refuted += 1;
                self.line(&format!("  REFUTED  {}  ({seconds:.2} s)", property.name));
            }
        }
        self.line(&format!("           {}\n           {}", property.sentence, property.basis));
        if let Verdict::Refuted { example, rules } = verdict {
            self.line(&tell(example, rules));
        }
    }

    /// One mistake, which must be caught.
    pub fn mistake(&mut self, mistake: &Mistake, verdict: &Verdict, took: Duration) {
        let seconds = took.as_secs_f64();
        let caught = matches!(verdict, Verdict::Refuted { .. });
        self.caught += usize::from(caught);
        self.missed += usize::from(!caught);
        let word = if caught { "caught  " } else { "MISSED  " };
        self.line(&format!("  {word} by {}  ({seconds:.2} s)\n           {}", mistake.breaks, mistake.sentence));
        if let Verdict::Refuted { example, rules } = verdict {
            self.line(&tell(example, rules));
        }
    }

    /// What it comes to.
    pub fn closing(&mut self, took: Duration) {
        let Report { proved, refuted, caught, missed } = self;
        let sum = format!("\n{proved} proved, {refuted} refuted; {caught} mistakes caught, {missed} missed");
        self.line(&format!("{sum}; {:.1} s", took.as_secs_f64()));
    }
}

fn tell(example: &Example, rules: &[String]) -> String {
    format!("           > {example}\n             by `{}`", rules.join("`, `"))
}
