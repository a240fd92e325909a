//! Reading and writing sections by name, and looking into the database from outside.

use super::{Answer, Caller, Hub};
use axum::body::Body;
use axum::http::Request;
use samverka_domain::catalogue::{FieldId, Section};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use serde_json::{Value, json};

impl Caller<'_> {
    /// What the caller sees of a child: `child(id) { … }`.
    pub async fn sees(&self, child: &str, selection: &str) -> Value {
        let query = format!("query($id: ID!) {{ child(id: $id) {{ {selection} }} }}");
        self.ask_with(&query, json!({ "id": child })).await.data("/child").clone()
    }

    /// The version of a section, as the caller sees it.
    pub async fn version(&self, child: &str, section: Section) -> String {
        let seen = self.sees(child, &format!("{} {{ version }}", section.name())).await;
        seen[section.name()]["version"].as_str().expect("a version").to_owned()
    }

    /// The revisions of a section, as `(code of the agency, fields and values)`, latest first.
    pub async fn revisions(&self, child: &str, section: Section) -> Vec<(String, Value)> {
        let seen = self
            .sees(child, &format!("{} {{ revisions {{ by {{ code }} changes {{ field value }} }} }}", section.name()))
            .await;
        let revisions = seen[section.name()]["revisions"].as_array().expect("a list");
        let change = |change: &Value| (change["field"].as_str().expect("a name").to_owned(), change["value"].clone());
        let revision = |revision: &Value| {
            let changes = revision["changes"].as_array().expect("a list").iter().map(change);
            (revision["by"]["code"].as_str().expect("a code").to_owned(), Value::Object(changes.collect()))
        };
        revisions.iter().map(revision).collect()
    }

    /// `update<Section>`, from the version that stands. `clear` names fields as the section does.
    pub async fn update(&self, child: &str, section: Section, set: Value, clear: &[&str]) -> Answer {
        let version = self.version(child, section).await;
        self.update_from(child, section, &version, set, clear).await
    }

    /// `update<Section>`, from a version.
    pub async fn update_from(
        &self,
        child: &str,
        section: Section,
        version: &str,
        set: Value,
        clear: &[&str],
    ) -> Answer {
        self.hub.send(self.update_request(child, section, version, set, clear)).await
    }

    /// `update<Section>`, from a version, as it goes over the wire.
    pub fn update_request(
        &self,
        child: &str,
        section: Section,
        version: &str,
        set: Value,
        clear: &[&str],
    ) -> Request<Body> {
        let name = section.type_name();
        let mutation = format!(
            "mutation($id: ID!, $version: String!, $set: {name}Patch, $clear: [{name}Field!]) {{
                update{name}(childId: $id, expectedVersion: $version, set: $set, clear: $clear) {{
                    child {{ id {} {{ version }} }} }} }}",
            section.name()
        );
        let clear: Vec<String> = clear.iter().map(|field| constant(field)).collect();
        let variables = json!({ "id": child, "version": version, "set": set, "clear": clear });
        self.request(json!({ "query": mutation, "variables": variables }))
    }
}

impl Answer {
    /// The refusals: code, and path of the input.
    pub fn refusals(&self) -> Vec<(String, String)> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        let refusal = |error: &Value| {
            let extensions = &error["extensions"];
            let path = extensions["input"].as_array().map_or(&[][..], Vec::as_slice);
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            (extensions["code"].as_str().unwrap_or("none").to_owned(), path.join("."))
        };
        errors.iter().map(refusal).collect()
    }

    /// Fails unless the refusals are these, in any order, and nothing was answered.
    pub fn assert_refused(&self, expected: &[(&str, &str)], about: &str) {
        let mut refusals = self.refusals();
        let mut expected: Vec<(String, String)> =
            expected.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect();
        refusals.sort();
        expected.sort();
        assert_eq!(refusals, expected, "{about}: {}", self.text);
        let data = self.json["data"].as_object().into_iter().flat_map(|data| data.values());
        assert!(data.into_iter().all(Value::is_null), "{about}: {}", self.text);
    }
}

impl Hub {
    /// Registers a child that Migrationsverket leads for and Malmö is responsible for. But for an LMA card its record is empty.
    pub async fn register(&self) -> String {
        let mutation = "mutation($board: ID!) { registerChild(input: { responsibleAgencyId: $board,
            identifiers: [{ kind: LMA_CARD, value: \"99-999999/9\" }] }) { child { id } } }";
        let variables = json!({ "board": self.agency_id("malmo-soc") });
        let answer = self.caller("migrationsverket").ask_with(mutation, variables).await;
        answer.data("/registerChild/child/id").as_str().expect("an id").to_owned()
    }

    /// Sends requests at the same time; the answers come in their order.
    pub async fn send_together(&self, requests: Vec<Request<Body>>) -> Vec<Answer> {
        let send = |request| {
            let router = self.router.clone();
            tokio::spawn(async move { Answer::of(&router, request).await })
        };
        let sent: Vec<_> = requests.into_iter().map(send).collect();
        let mut answers = Vec::new();
        for answer in sent {
            answers.push(answer.await.expect("an answer"));
        }
        answers
    }

    /// Asks the database from outside.
    pub async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(self.outside.get_database_backend(), sql);
        self.outside.query_all_raw(statement).await.expect("answers")
    }

    /// Whether the database refuses a statement from outside.
    pub async fn outside_fails(&self, sql: &str) -> bool {
        self.outside.execute_unprepared(sql).await.is_err()
    }

    /// How many rows a table has where a condition holds.
    pub async fn count(&self, table: &str, condition: &str) -> i64 {
        let rows = self.rows(&format!("SELECT count(*) FROM {table} WHERE {condition}")).await;
        rows[0].try_get_by_index(0).expect("a number")
    }

    /// The columns of all tables in which some row holds a text: `table.column`.
    pub async fn columns_holding(&self, text: &str) -> Vec<String> {
        let columns = match self.outside.get_database_backend() {
            DbBackend::Sqlite => {
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
            }
            _ => {
                "SELECT table_name::text, column_name::text FROM information_schema.columns
                 WHERE table_schema = 'public'"
            }
        };
        let mut holding = Vec::new();
        for row in self.rows(columns).await {
            let table: String = row.try_get_by_index(0).expect("a table");
            let column: String = row.try_get_by_index(1).expect("a column");
            let condition = format!(r#"CAST("{column}" AS TEXT) LIKE '%{text}%'"#);
            if self.count(&format!(r#""{table}""#), &condition).await > 0 {
                holding.push(format!("{table}.{column}"));
            }
        }
        holding
    }

    /// The id by which callers name a persona's agency.
    pub fn agency_id(&self, persona: &str) -> String {
        self.domain.agency_by_code(persona).expect("an agency of the sandbox").id.to_string()
    }
}

/// The enum value of a field: `givenNames` is `GIVEN_NAMES`.
fn constant(field: &str) -> String {
    let word = |c: char| if c.is_ascii_uppercase() { format!("_{c}") } else { c.to_ascii_uppercase().to_string() };
    field.chars().map(word).collect()
}

/// A field by its path.
pub fn field(path: &str) -> FieldId {
    FieldId::by_path(path).expect("a field")
}
