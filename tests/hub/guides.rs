//! The guides under `tests/clients/guides/` say what is so: each excerpt stands in its client, each document fits the schema, each
//! link leads somewhere, and the collection is that of the README. The clients themselves are run by `tests/clients/run`.

use crate::harness::{Hub, Kind};
use samverka::collection::collection;
use samverka_domain::world::CASES;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The folder of each language, and its client.
const CLIENTS: [(&str, &str); 5] = [
    ("csharp", "Program.cs"),
    ("java", "Client.java"),
    ("javascript", "client.mjs"),
    ("python", "client.py"),
    ("rust", "src/main.rs"),
];

fn guides() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/guides")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The code of a page, block by block.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
        blocks.extend((language != "sh").then_some(block));
    }
    blocks
}

/// A text without the white space at either end of its lines.
fn flat(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_excerpt_of_a_guide_stands_in_its_client() {
    for (language, client) in CLIENTS {
        let folder = guides().join(language);
        let (page, client) = (read(&folder.join("README.md")), flat(&read(&folder.join(client))));
        let blocks = blocks(&page);
        assert_eq!(blocks.len(), 5, "{language}: token, read, withheld, change, repeat");
        for block in blocks {
            assert!(
                client.contains(&flat(&block)),
                "{language}: this stands in README.md, and not in the client:\n{block}"
            );
        }
    }
}

#[test]
fn every_link_of_a_guide_leads_somewhere() {
    let mut pages: Vec<PathBuf> =
        CLIENTS.iter().map(|(language, _)| guides().join(language).join("README.md")).collect();
    pages.push(guides().join("production.md"));
    for page in pages {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let target = page.parent().expect("a folder").join(path);
            assert!(link.starts_with("https://") || target.exists(), "{}: {link}", page.display());
            let heading = link.split_once('#').map(|(_, anchor)| anchor.replace('-', " "));
            if let Some(heading) = heading.filter(|_| target.is_file()) {
                let headings = read(&target).to_lowercase();
                let mut headings = headings.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
                assert!(headings.any(|known| known.replace(['-', '–', ',', ':'], "") == heading), "{link}");
            }
        }
    }
}

#[test]
fn the_collection_is_that_of_the_readme() {
    let made = collection(include_str!("../../README.md")).expect("its examples are sound");
    let kept: Value = serde_json::from_str(&read(&guides().join("samverka.postman_collection.json"))).expect("JSON");
    assert!(
        kept == made,
        "run `cargo run -- collection README.md > tests/clients/guides/samverka.postman_collection.json` and read the diff"
    );
    let text = made.to_string();
    assert!(!text.contains("eyJ"), "no token is kept in it");
}

/// What a person does with the collection, from the first request to the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_collection_runs_from_top_to_bottom() {
    let hub = Hub::start(Kind::Sqlite).await.expect("SQLite is always there");
    let router = hub.sandbox().await;
    let made = collection(include_str!("../../README.md")).expect("its examples are sound");
    let send = async |request: &Value, variables: &std::collections::BTreeMap<String, String>| {
        let filled = |text: &str| {
            let mut text = text.replace("{{url}}", "").replace("{{$guid}}", "5d3f0d6e-7b0c-4a53-8a0e-2f8f6ad10a3e");
            variables.iter().for_each(|(name, value)| text = text.replace(&format!("{{{{{name}}}}}"), value));
            assert!(!text.contains("{{"), "{text}");
            text
        };
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let mut sent = axum::http::Request::post(filled(text("/url"))).header("content-type", "application/json");
        for header in
            request["header"].as_array().into_iter().flatten().filter(|header| header["key"] != "Content-Type")
        {
            sent = sent
                .header(header["key"].as_str().expect("a name"), filled(header["value"].as_str().expect("a value")));
        }
        if request["auth"].is_object() {
            sent = sent.header("authorization", format!("Bearer {}", filled(text("/auth/bearer/0/value"))));
        }
        let body = match text("/body/mode") {
            "raw" => text("/body/raw").to_owned(),
            _ => {
                let variables = filled(text("/body/graphql/variables"));
                let variables: Value = serde_json::from_str(&variables).unwrap_or_else(|_| json!({}));
                json!({ "query": text("/body/graphql/query"), "variables": variables }).to_string()
            }
        };
        crate::harness::Answer::of(&router, sent.body(axum::body::Body::from(body)).expect("a request")).await
    };
    let reset = axum::http::Request::post("/sandbox/reset").header("content-type", "application/json");
    let reset = reset.body(axum::body::Body::from("{}")).expect("a request");
    assert_eq!(crate::harness::Answer::of(&router, reset).await.status, 204);
    let mut variables = std::collections::BTreeMap::new();
    let (mut asked, folders) = (0, made["item"].as_array().expect("folders"));
    for item in folders.iter().flat_map(|folder| folder["item"].as_array().expect("requests")) {
        let answer = send(&item["request"], &variables).await;
        assert!(answer.status == 200 && answer.json["errors"].is_null(), "{}: {}", item["name"], answer.text);
        if let Some(script) = item.pointer("/event/0/script/exec/0").and_then(Value::as_str) {
            // `pm.collectionVariables.set("NAME", pm.response.json().PATH);`
            let (name, path) = script
                .split_once("set(\"")
                .and_then(|(_, rest)| rest.split_once("\", pm.response.json()"))
                .expect("a script");
            let pointer = path.trim_end_matches(");").replace('.', "/");
            let value = answer.json.pointer(&pointer).and_then(Value::as_str).expect("a value").to_owned();
            variables.insert(name.to_owned(), value);
        }
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
}

/// The child that the guides ask about is one of those that are pointed to, and keeps its id.
#[tokio::test]
async fn the_guides_ask_about_a_child_that_is_there() {
    let hub = Hub::start(Kind::Sqlite).await.expect("SQLite is always there");
    let case = CASES.iter().find(|case| case.key == "everyday").expect("the everyday child");
    let id = hub.domain.made_up(case, samverka::sandbox::SEED).expect("it is made").id.to_string();
    for (language, client) in CLIENTS {
        assert!(
            read(&guides().join(language).join(client)).contains(&id),
            "{language} asks about another child than {id}"
        );
    }
}

/// The documents of the guides are those of one client: a change in one is a change in all.
#[tokio::test]
async fn the_documents_of_the_guides_are_the_same_and_fit_the_schema() {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = |text: &str, start: &str| {
        let from = text.find(start).unwrap_or_else(|| panic!("no {start}"));
        let mut depth = 0;
        let end = text[from..].char_indices().find_map(|(at, c)| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            (c == '}' && depth == 0).then_some(from + at + 1)
        });
        flat(&text[from..end.expect("it ends")])
    };
    let python = read(&guides().join("python/client.py"));
    let schema = samverka::graphql::schema().expect("the schema");
    for start in ["query Read(", "mutation Update("] {
        let expected = document(&python, start);
        for (language, client) in CLIENTS {
            assert_eq!(document(&read(&guides().join(language).join(client)), start), expected, "{language}");
        }
        let request = async_graphql::Request::new(expected)
            .variables(async_graphql::Variables::from_json(json!({ "id": "x", "version": "x", "wishes": "x" })));
        let answer = schema.execute(request).await;
        let is_sound =
            |error: &async_graphql::ServerError| error.message.contains("does not exist") || !error.path.is_empty();
        assert!(answer.errors.iter().all(is_sound), "{:?}", answer.errors);
    }
}
