//! What is committed is what the code says: the schema, the golden matrix, the walls between the rooms.
//!
//! A file that is not current is made again by the command in the message; read its diff before you commit it.

use samverka::graphql;
use samverka::graphql::document::Limit;
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
fn only_the_tests_can_plant_leaks() {
    for (path, text) in sources("api") {
        let of_hub = path.ends_with("domain/src/hub.rs");
        for (line, word) in text.match_indices(".plant(").chain(text.match_indices(".load_dice(")) {
            assert!(of_hub, "{}: only a test plants a leak: `{word}` at byte {line}", path.display());
        }
    }
    let hub = read("api/domain/src/hub.rs");
    for door in ["pub fn plant(", "pub fn load_dice("] {
        let before = hub.split(door).next().expect("the door");
        assert!(
            before.trim_end().ends_with("#[cfg(debug_assertions)]\n    #[doc(hidden)]"),
            "{door} is in every build"
        );
    }
}

#[test]
fn the_face_names_neither_sea_orm_nor_the_entities() {
    let manifest = read("api/Cargo.toml");
    for name in ["sea-orm", "sea_orm", "sqlx", "samverka-entities", "samverka-migration"] {
        assert!(!manifest.contains(name), "api/Cargo.toml names {name}: what it needs belongs behind samverka-domain");
    }
}

/// `samverka-domain`'s feature `bench` holds a switch that answers without the access log's commit.
#[test]
fn the_switch_of_the_benchmark_is_in_no_product() {
    let manifest = read("api/Cargo.toml");
    assert!(!manifest.contains("bench"), "api/Cargo.toml names the feature of the benchmark");
    assert!(read("api/domain/Cargo.toml").contains("\nbench = []\n"), "the feature is off, and nothing turns it on");
    assert!(!read("api/domain/Cargo.toml").contains("default = "), "the feature is off, and nothing turns it on");
    for (path, text) in sources("api") {
        let at = text.find("answer_without_log").map(|at| text[..at].contains("cfg(feature = \"bench\")"));
        assert!(at != Some(false), "{}: the switch stands outside its feature", path.display());
    }
}

/// The Rust files and manifests below a folder, with their texts.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "toml") {
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
fn no_release_can_answer_before_it_commits() {
    let manifest = read("Cargo.toml");
    let release = manifest.split("[profile.release").nth(1).expect("a profile");
    assert!(!release.contains("debug-assertions"), "a release with debug assertions has the planted fault");
    let rooms = read("api/domain/src/lib.rs");
    assert!(rooms.contains("#[cfg(debug_assertions)]\n#[doc(hidden)]\npub mod fault;"), "the fault is in every build");
    for (path, text) in sources("api/src").into_iter().chain(sources("api/domain/src")) {
        let planted = text.contains("answer_before_commit()") && !path.ends_with("fault.rs");
        assert!(!planted, "{}: only a test plants the fault", path.display());
    }
}

#[test]
fn every_change_is_made_where_its_key_is_claimed() {
    let sources = sources("api/domain/src");
    let makes = |text: &str| text.matches("write.apply(").count();
    let mut made: Vec<String> =
        sources.iter().flat_map(|(path, text)| std::iter::repeat_n(path.display().to_string(), makes(text))).collect();
    made.sort();
    // What the store makes unasked and a deadline that fires are no caller's, and are themselves what is done once.
    let only = ["session/step.rs", "store/write.rs", "src/timekeeper.rs"];
    let only = made.len() == only.len() && made.iter().zip(only).all(|(made, only)| made.ends_with(only));
    assert!(only, "{made:?}: a change is made in `Step::make`, or it is not claimed under its `Idempotency-Key`");
}

#[test]
fn every_error_code_stands_in_the_readmes_catalogue() {
    let docs = read("README.md");
    for code in ErrorCode::ALL {
        assert!(docs.contains(code.entry().code), "README.md does not name {}", code.entry().code);
    }
}

#[test]
fn every_limit_of_a_document_stands_in_the_readmes_table() {
    let docs = read("README.md");
    let mut told = Vec::new();
    for row in docs.lines().filter(|row| row.starts_with("| `")) {
        let mut cells = row.split(" | ");
        let (names, numbers) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        let names = names.split('`').skip(1).step_by(2).map(str::to_owned);
        told.extend(names.zip(numbers.split(", ").map(|number| number.replace(',', ""))));
    }
    for limit in Limit::ALL {
        let row = (limit.name().to_owned(), limit.most().to_string());
        assert!(told.contains(&row), "the table in README.md does not say `{}`: {}", row.0, row.1);
    }
}
