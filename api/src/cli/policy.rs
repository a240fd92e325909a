//! `samverka policy`: check, print, compare or explain who may see what.

use super::CommandError;
use clap::{Args, Subcommand};
use samverka_domain::catalogue::{FieldId, group};
use samverka_domain::policy::{
    Consents, Engine, Protection, Purpose, Relation, Role, Situation, cedar_schema, diff, explain, matrix,
};
use samverka_domain::routine::Routines;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct PolicyArgs {
    /// A folder of .cedar files instead of the embedded ones, and of routines/*.toml where it has that folder.
    #[arg(long, value_name = "DIR", global = true)]
    policy: Option<PathBuf>,
    #[command(subcommand)]
    action: PolicyAction,
}

#[derive(Subcommand)]
enum PolicyAction {
    /// Check that the policies and the county routines are sound, and print the policies' hash.
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
    let failed = |error: &dyn std::fmt::Display| failed(folder, error);
    let files = texts(folder, "cedar")?;
    if files.is_empty() {
        return Err(failed(&"it has no .cedar file"));
    }
    let engine = Engine::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let engine = engine.map_err(|error| failed(&error))?;
    // One engine lives as long as the process, as the embedded one does.
    Ok(Box::leak(Box::new(engine)))
}

/// The embedded county routines, or those of a folder: where it has `routines/`, all of them are taken from there.
pub(super) fn routines(folder: Option<&Path>) -> Result<&'static Routines, CommandError> {
    let Some(folder) = folder.map(|folder| folder.join("routines")).filter(|folder| folder.is_dir()) else {
        return Ok(Routines::embedded());
    };
    let files = texts(&folder, "toml")?;
    let routines = Routines::load(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let routines = routines.map_err(|error| failed(&folder, &error))?;
    // They live as long as the process, as the embedded ones do.
    Ok(Box::leak(Box::new(routines)))
}

fn failed(folder: &Path, error: &dyn std::fmt::Display) -> CommandError {
    CommandError::Policy(format!("`{}`: {error}", folder.display()))
}

/// The files of a folder with this ending, by name.
fn texts(folder: &Path, ending: &str) -> Result<Vec<(String, String)>, CommandError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(folder, &error))?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
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
            let routines = routines(args.policy.as_deref())?.all();
            let named: Vec<String> =
                routines.iter().map(|routine| format!("{} ({} items)", routine.label(), routine.items.len())).collect();
            let fields = FieldId::all().count();
            let hash = engine.hash();
            Ok(format!("sound: {rules} policies over {fields} fields\nroutines {}\nhash {hash}\n", named.join(", ")))
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
