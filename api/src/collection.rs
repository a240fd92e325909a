//! A collection of requests for Postman, Bruno and Insomnia (format 2.1), made from the examples of the README: what stands there is
//! what can be sent. Tokens of the sandbox are fetched by its first requests, and none is kept in it.

use samverka_domain::world::{PERSONAS, persona};
use serde_json::{Value, json};

/// An example of the README: a document, and what a persona is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The heading it stands under.
    pub section: String,
    pub document: String,
    pub answers: Vec<Answer>,
}

/// What a persona is answered for a purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub persona: String,
    pub purpose: String,
    pub body: Value,
}

/// The examples of a page: each block in GraphQL, with the blocks in JSON after it that say whose answer they are.
///
/// # Errors
///
/// In words, the first answer that is not JSON or stands without its asker or its document.
pub fn examples(page: &str) -> Result<Vec<Example>, String> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut section, mut asker) = (String::new(), None);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut section);
        } else if let Some(told) = line.strip_prefix("<!-- example: ") {
            asker = told.trim_end_matches(" -->").split_once(' ');
        } else if line == "```graphql" {
            examples.push(Example { section: section.clone(), document: block(&mut lines), answers: Vec::new() });
        } else if line == "```json" {
            let text = block(&mut lines);
            let body = serde_json::from_str(&text).map_err(|error| format!("under “{section}”: {error}"))?;
            let (persona, purpose) = asker.take().ok_or_else(|| format!("under “{section}”: whose answer is it?"))?;
            let example = examples.last_mut().ok_or_else(|| format!("under “{section}”: an answer to nothing"))?;
            example.answers.push(Answer { persona: persona.to_owned(), purpose: purpose.to_owned(), body });
        }
    }
    Ok(examples)
}

/// The lines up to the end of a block.
fn block(lines: &mut std::str::Lines<'_>) -> String {
    lines.take_while(|line| *line != "```").collect::<Vec<_>>().join("\n")
}

/// The collection of a page's examples.
///
/// # Errors
///
/// As [`examples`].
pub fn collection(page: &str) -> Result<Value, String> {
    let tokens = PERSONAS.map(|persona| token(persona.code, persona.name));
    let tokens = json!({
        "name": "Tokens",
        "description": "Sandbox only. Send one before you ask as its agency; it lasts 15 minutes. In production the token comes from your own issuer.",
        "item": tokens,
    });
    let examples = examples(page)?;
    let mut sections: Vec<(&str, Vec<Value>)> = Vec::new();
    for example in examples.iter().filter(|example| !example.answers.is_empty()) {
        let asked = example.answers.iter().flat_map(|answer| requests(example, answer)).collect::<Vec<_>>();
        match sections.iter_mut().find(|(section, _)| *section == example.section) {
            Some((_, items)) => items.extend(asked),
            None => sections.push((&example.section, asked)),
        }
    }
    let sections = sections.into_iter().map(|(section, items)| json!({ "name": section, "item": items }));
    let folders: Vec<Value> = std::iter::once(tokens).chain(sections).collect();
    Ok(json!({
        "info": {
            "name": "Samverka, sandbox",
            "description": "The examples of Samverka's README. Every child is made up.",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "variable": [{ "key": "url", "value": "http://127.0.0.1:8080" }, { "key": "version", "value": "" }],
        "item": folders,
    }))
}

/// The variable that holds a persona's token.
fn variable(persona: &str) -> String {
    format!("token_{}", persona.replace('-', "_"))
}

fn token(code: &str, name: &str) -> Value {
    json!({
        "name": format!("{code}: {name}"),
        "event": [after(&format!("pm.collectionVariables.set(\"{}\", pm.response.json().token);", variable(code)))],
        "request": {
            "method": "POST",
            "header": [header("Content-Type", "application/json")],
            "url": "{{url}}/sandbox/token",
            "body": { "mode": "raw", "raw": json!({ "persona": code }).to_string(), "options": { "raw": { "language": "json" } } },
        },
    })
}

/// What is sent for an example as one of its askers: for a change that names a version, the question for it first.
fn requests(example: &Example, answer: &Answer) -> Vec<Value> {
    let Example { document, .. } = example;
    let mut requests = Vec::new();
    let needs_version = document.contains("$version: String!");
    if let Some((child, section)) = versioned(document).filter(|_| needs_version) {
        let question = format!("{{\n  child(id: \"{child}\") {{ {section} {{ version }} }}\n}}");
        let keep = format!("pm.collectionVariables.set(\"version\", pm.response.json().data.child.{section}.version);");
        requests.push(request("version", &question, answer, json!({ "event": [after(&keep)] })));
    }
    requests.push(request(&what(document), document, answer, json!({})));
    requests
}

/// The child that a change is about, and the section: `updateVoice(childId: "child_…"` gives `voice`.
fn versioned(document: &str) -> Option<(&str, String)> {
    let child = document.split('"').nth(1)?;
    let (_, name) = document.split_once("update")?;
    let name = name.split('(').next()?;
    let mut letters = name.chars();
    Some((child, letters.next()?.to_lowercase().chain(letters).collect()))
}

/// What a document asks for: its first root field.
fn what(document: &str) -> String {
    let body = document.split_once('{').map_or("", |(_, body)| body);
    body.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric()).collect()
}

/// A request, with what else stands beside it.
fn request(what: &str, document: &str, answer: &Answer, beside: Value) -> Value {
    let Answer { persona: code, purpose, .. } = answer;
    let name = persona(code).map_or(code.as_str(), |persona| persona.short);
    let mut headers = vec![header("Samverka-Purpose", purpose)];
    if document.trim_start().starts_with("mutation") {
        headers.push(header("Idempotency-Key", "{{$guid}}"));
    }
    let variables = if document.contains("$version") { r#"{"version": "{{version}}"}"# } else { "" };
    let token = format!("{{{{{}}}}}", variable(code));
    let mut item = json!({
        "name": format!("{what}, as {name}"),
        "request": {
            "method": "POST",
            "auth": { "type": "bearer", "bearer": [{ "key": "token", "value": token, "type": "string" }] },
            "header": headers,
            "url": "{{url}}/graphql",
            "body": { "mode": "graphql", "graphql": { "query": document, "variables": variables } },
        },
    });
    if let (Value::Object(item), Value::Object(beside)) = (&mut item, beside) {
        item.extend(beside);
    }
    item
}

fn header(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

/// A script that runs when the answer is there.
fn after(script: &str) -> Value {
    json!({ "listen": "test", "script": { "type": "text/javascript", "exec": [script] } })
}
