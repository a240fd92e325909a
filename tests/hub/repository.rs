//! What is committed is what the code says: the schema, the golden matrix, the walls between the rooms.
//!
//! A file that is not current is made again by the command in the message; read its diff before you commit it.

use samverka::graphql;
use samverka::graphql::{SchemaError, verify};
use samverka_domain::catalogue::FieldId;
use samverka_domain::error::ErrorCode;
use samverka_domain::policy::{Engine, cedar_schema, matrix};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn assert_current(path: &str, made: &str, command: &str) {
    let kept = read(path);
    let line = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
    assert!(kept == made, "{path} is not current from line {line:?}; run `{command} > {path}` and read the diff");
}

#[test]
fn the_schema_in_the_repository_is_the_schema_served() {
    let schema = graphql::schema().expect("every guarded field is in the catalogue");
    assert_current("schema.graphql", &graphql::sdl(&schema), "cargo run -- schema");
}

#[test]
fn the_golden_matrix_is_current() {
    let made = matrix(Engine::embedded());
    assert_current("tests/hub/golden/field-policy.txt", &made, "cargo run -- policy matrix");
}

#[test]
fn the_cedar_schema_is_made_from_the_catalogue() {
    assert_current("api/domain/policy/samverka.cedarschema", &cedar_schema(), "cargo run -- policy schema");
}

#[test]
fn every_policy_file_is_part_of_the_product() {
    let engine = read("api/domain/src/policy/engine.rs");
    for file in std::fs::read_dir(root().join("api/domain/policy")).expect("the policies") {
        let name = file.expect("a file").file_name().into_string().expect("a name");
        if name.ends_with(".cedar") {
            assert!(engine.contains(&format!("\"{name}\"")), "{name} is not in EMBEDDED");
        }
    }
}

#[test]
fn a_field_without_a_catalogue_entry_stops_the_start() {
    let sdl = read("schema.graphql");
    assert_eq!(verify(&sdl), Ok(()));
    let with = |from: &str, to: &str| verify(&sdl.replacen(from, to, 1));
    let rogue = with(
        "type Health {",
        "type Health {\n  bloodGroup: String @access(field: \"F39\", action: \"read.health.bloodGroup\", group: \"healthCritical\")",
    );
    assert_eq!(rogue, Err(SchemaError::NotInCatalogue("Health.bloodGroup".to_owned())));
    let rogue = with("type Child {", "type Child {\n  diary: String");
    assert_eq!(rogue, Err(SchemaError::NotInCatalogue("Child.diary".to_owned())));
    let access = "@access(field: \"F39\", action: \"read.health.criticalNeeds\", group: \"healthCritical\")";
    assert!(sdl.contains(access));
    assert_eq!(with(access, ""), Err(SchemaError::Access("Health.criticalNeeds".to_owned())));
    let looser = access.replace("healthCritical", "identity");
    assert_eq!(with(access, &looser), Err(SchemaError::Access("Health.criticalNeeds".to_owned())));
    let clothing = FieldId::by_path("description.clothing").expect("a field");
    let start = sdl.find("  \"\"\"\n  Usual clothes.").expect("the field");
    let end =
        start + sdl[start..].find("group: \"description\")\n").expect("its end") + "group: \"description\")\n".len();
    let without = format!("{}{}", &sdl[..start], &sdl[end..]);
    assert_eq!(verify(&without), Err(SchemaError::NotInSchema(clothing)));
}

#[test]
fn everything_in_the_schema_is_described() {
    let sdl = read("schema.graphql");
    let mut described = false;
    let mut inside = false;
    for line in sdl.lines() {
        let text = line.trim();
        if text.starts_with("\"\"\"") {
            inside = !inside || (text.len() > 3 && text.ends_with("\"\"\""));
            described = true;
            continue;
        }
        if inside || text.is_empty() || text.starts_with(['}', ')', '#']) || text.starts_with("schema") {
            continue;
        }
        let own = ["query:", "mutation:", "directive @"].iter().any(|start| text.starts_with(start));
        assert!(described || own, "`{text}` has no description");
        described = false;
    }
}

#[test]
fn only_the_tests_can_plant_faults() {
    for manifest in ["Cargo.toml", "api/Cargo.toml", "entities/Cargo.toml", "migration/Cargo.toml"] {
        assert!(
            !read(manifest).contains("faults"),
            "{manifest} names the feature `faults`: no hub that serves may have it"
        );
    }
    let domain = read("api/domain/Cargo.toml");
    assert!(domain.contains("\nfaults = []\n") && !domain.contains("default ="), "`faults` is off unless asked for");
    // A test's own dependencies are built into nothing that is served.
    let tests = read("tests/Cargo.toml");
    let (before, after) = tests.split_once("[dev-dependencies]").expect("dependencies");
    assert!(!before.contains("faults") && after.contains("\"faults\""));
}

#[test]
fn the_face_names_neither_sea_orm_nor_the_entities() {
    let manifest = read("api/Cargo.toml");
    for name in ["sea-orm", "sea_orm", "sqlx", "samverka-entities", "samverka-migration"] {
        assert!(!manifest.contains(name), "api/Cargo.toml names {name}: what it needs belongs behind samverka-domain");
    }
}

/// The source files below a folder, with their texts.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push((path, text));
            }
        }
    }
    found
}

#[test]
fn within_the_domain_only_the_store_names_the_entities() {
    let store = root().join("api/domain/src/store");
    for (path, text) in sources("api/domain/src").into_iter().filter(|(path, _)| !path.starts_with(&store)) {
        let names = text.contains("sea_orm") || text.contains("samverka_entities");
        assert!(!names, "{}: only store/ may name sea_orm and the entities", path.display());
    }
}

#[test]
fn the_policy_imports_the_engine_and_nothing_that_waits() {
    for (path, text) in sources("api/domain/src/policy") {
        for word in ["async ", "tokio", "chrono", "crate::store", "crate::clock"] {
            assert!(!text.contains(word), "{} has `{word}`: the policy is pure", path.display());
        }
    }
}

#[test]
fn every_error_code_stands_in_the_readmes_catalogue() {
    let docs = read("README.md");
    for code in ErrorCode::ALL {
        assert!(docs.contains(code.entry().code), "README.md does not name {}", code.entry().code);
    }
}
