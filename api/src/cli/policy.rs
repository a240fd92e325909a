//! `samverka policy`: check, print, compare or explain who may see what.

use super::CommandError;
use clap::{Args, Subcommand};
use samverka_domain::catalogue::{FieldId, group};
use samverka_domain::policy::{
    Consents, Engine, Protection, Purpose, Relation, Role, Situation, cedar_schema, diff, explain, matrix,
};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct PolicyArgs {
    /// A folder of .cedar files instead of the embedded ones.
    #[arg(long, value_name = "DIR", global = true)]
    policy: Option<PathBuf>,
    #[command(subcommand)]
    action: PolicyAction,
}

#[derive(Subcommand)]
enum PolicyAction {
    /// Check that the policies are sound, and print their hash.
    Check,
    /// Print the golden matrix: role by role, who may see what.
    Matrix,
    /// Print the Cedar schema, made from the field catalogue.
    Schema,
    /// Print what a change of policy opens and closes, for whom and when.
    Diff {
        /// A folder of .cedar files, or `embedded` for those of the product.
        old: PathBuf,
        /// A folder of .cedar files, or `embedded` for those of the product.
        new: PathBuf,
    },
    /// Say why a role sees a field or not.
    Explain {
        /// The role: SCHOOL …
        #[arg(long)]
        role: Role,
        /// What the agency is to the child: INVOLVED …
        #[arg(long)]
        relation: Relation,
        /// The field: placement.street …
        #[arg(long)]
        field: String,
        /// The child is missing.
        #[arg(long)]
        missing: bool,
        /// The child's protection: MARKED …
        #[arg(long, default_value = "NONE")]
        protection: Protection,
        /// A group that a consent names; may be given several times.
        #[arg(long)]
        consent: Vec<String>,
    },
}

/// The engine with the embedded policies, or with those of a folder.
pub(super) fn engine(folder: Option<&Path>) -> Result<&'static Engine, CommandError> {
    let Some(folder) = folder else { return Ok(Engine::embedded()) };
    let failed = |error: &dyn std::fmt::Display| CommandError::Policy(format!("`{}`: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        if path.extension().is_some_and(|extension| extension == "cedar") {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
            files.push((path.display().to_string(), text));
        }
    }
    if files.is_empty() {
        return Err(CommandError::Policy(format!("`{}`: it has no .cedar file", folder.display())));
    }
    files.sort();
    let engine = Engine::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let engine = engine.map_err(|error| failed(&error))?;
    // One engine lives as long as the process, as the embedded one does.
    Ok(Box::leak(Box::new(engine)))
}

/// The engine of one side of a comparison.
fn side(folder: &Path) -> Result<&'static Engine, CommandError> {
    engine(Some(folder).filter(|folder| *folder != Path::new("embedded")))
}

pub(super) fn run(args: PolicyArgs) -> Result<String, CommandError> {
    let engine = engine(args.policy.as_deref())?;
    match args.action {
        PolicyAction::Check => {
            let rules = engine.rules().len() - 1;
            Ok(format!("sound: {rules} policies over {} fields\nhash {}\n", FieldId::all().count(), engine.hash()))
        }
        PolicyAction::Matrix => Ok(matrix(engine)),
        PolicyAction::Schema => Ok(cedar_schema()),
        PolicyAction::Diff { .. } if args.policy.is_some() => {
            Err(CommandError::Policy("`diff` takes two folders, and no --policy".to_owned()))
        }
        PolicyAction::Diff { old, new } => Ok(diff(side(&old)?, side(&new)?)),
        PolicyAction::Explain { role, relation, field, missing, protection, consent } => {
            let unknown =
                || CommandError::Policy(format!("there is no field `{field}`; write it as `placement.street`"));
            let id = FieldId::by_path(&field).ok_or_else(unknown)?;
            let strange = |name: &&String| group(name).is_none_or(|group| !group.consentable);
            if let Some(name) = consent.iter().find(strange) {
                return Err(CommandError::Policy(format!("a consent cannot name `{name}`")));
            }
            let consents = Consents::from_groups(consent.iter().map(String::as_str));
            let stranger = Situation::stranger(role, Purpose::Protect);
            Ok(explain(engine, Situation { relation, missing, protection, consents, ..stranger }, id))
        }
    }
}
