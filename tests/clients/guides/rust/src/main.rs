//! Samverka from Rust, with ureq and serde_json: read a child, understand what is withheld, change something.

use serde_json::{Value, json};
use std::time::Duration;

/// "everyday" of GET /sandbox/children; made up, as all children of the sandbox.
const CHILD: &str = "child_c58qdn9q4t3a79ora9jhktj4ig";

const READ: &str = "query Read($id: ID!) { child(id: $id) {
  identity { givenNames withheld { field rule legalGround ask } }
  placement { street withheld { field rule legalGround ask } }
  voice { version wishes } } }";
const UPDATE: &str = "mutation Update($id: ID!, $version: String!, $wishes: String!) {
  updateVoice(childId: $id, expectedVersion: $version, set: { wishes: $wishes }) { child { voice { version wishes } } } }";

/// Why nothing came of a request.
#[derive(Debug)]
enum Trouble {
    /// The hub refused: the code is stable, the sentences are for people.
    Refused { code: String, sv: String, remedy: String },
    /// There is no answer, or not yet.
    Silence,
}

type Done<T> = Result<T, Trouble>;

/// The status, the body and after how many seconds to ask again. No answer counts as 503: nobody knows whether the change was made,
/// and the same key makes it harmless to ask again.
fn post(path: &str, body: &Value, headers: &[(&str, String)]) -> (u16, Value, u64) {
    let hub = std::env::var("SAMVERKA_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let config =
        ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(30)));
    let mut request = ureq::Agent::from(config.build()).post(format!("{hub}{path}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let Ok(mut answer) = request.send_json(body) else { return (503, Value::Null, 1) };
    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default(), after.unwrap_or(1))
}

fn refused(body: &Value) -> Trouble {
    let text = |name: &str| body["errors"][0]["extensions"][name].as_str().unwrap_or_default().to_owned();
    Trouble::Refused { code: text("code"), sv: text("sv"), remedy: text("remedySv") }
}

/// One agency in one role, for one purpose.
struct Hub {
    persona: &'static str,
    purpose: &'static str,
    token: Option<String>,
}

impl Hub {
    fn new(persona: &'static str, purpose: &'static str) -> Self {
        Hub { persona, purpose, token: None }
    }

    /// The data of an answer. With a key a mutation is made once, however often it is sent.
    fn ask(&mut self, query: &str, variables: &Value, key: Option<&str>) -> Done<Value> {
        for attempt in 1..=5 {
            let token = match self.token.take() {
                Some(token) => token,
                None => self.new_token()?,
            };
            let mut headers =
                vec![("Authorization", format!("Bearer {token}")), ("Samverka-Purpose", self.purpose.to_owned())];
            headers.extend(key.map(|key| ("Idempotency-Key", format!("\"{key}\""))));
            let (status, mut body, after) =
                post("/graphql", &json!({ "query": query, "variables": variables }), &headers);
            if status == 401 && body["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED" {
                continue;
            }
            self.token = Some(token);
            match status {
                429 | 503 => std::thread::sleep(Duration::from_secs(after * attempt)),
                _ if body["errors"].is_array() => return Err(refused(&body)),
                _ => return Ok(body["data"].take()),
            }
        }
        Err(Trouble::Silence)
    }

    /// In production this is your own issuer's work; see ../production.md.
    fn new_token(&self) -> Done<String> {
        let (_, body, _) = post("/sandbox/token", &json!({ "persona": self.persona }), &[]);
        body["token"].as_str().map(str::to_owned).ok_or_else(|| refused(&body))
    }

    fn child(&mut self) -> Done<Value> {
        Ok(self.ask(READ, &json!({ "id": CHILD }), None)?["child"].take())
    }

    /// Writes from a version that was read; reads again and writes again where somebody else was first.
    fn wish(&mut self, wishes: &str, version: &Value) -> Done<Value> {
        let mut version = version.clone();
        for _ in 0..3 {
            let key = uuid::Uuid::new_v4().to_string(); // one for each change, kept while it is repeated
            let variables = json!({ "id": CHILD, "version": version, "wishes": wishes });
            match self.ask(UPDATE, &variables, Some(&key)) {
                Err(Trouble::Refused { code, .. }) if code == "CONFLICT" => {
                    let now = self.child()?["voice"].take();
                    println!("somebody wrote meanwhile: {}; look whether your change still holds", now["wishes"]);
                    version = now["version"].clone();
                }
                done => return Ok(done?["updateVoice"]["child"].take()),
            }
        }
        Err(Trouble::Silence)
    }
}

/// A value; or why it is not shown. Withheld is not empty: a null without an entry holds nothing that you may know of.
fn show(section: &Value, field: &str) -> String {
    let withheld = section["withheld"].as_array().into_iter().flatten().find(|withheld| withheld["field"] == field);
    match (withheld, section[field].as_str()) {
        (Some(why), _) => {
            let [rule, ground, ask] = ["rule", "legalGround", "ask"].map(|name| why[name].as_str().unwrap_or_default());
            format!("withheld by {rule} ({ground}); ask {ask}")
        }
        (None, Some(value)) => value.to_owned(),
        (None, None) => "nothing that you may know of".to_owned(),
    }
}

fn main() -> Done<()> {
    let (mut school, mut board) = (Hub::new("skola", "SCHOOL"), Hub::new("landskrona-soc", "PROTECT"));
    for (who, hub) in [("the school", &mut school), ("the board", &mut board)] {
        let child = hub.child()?;
        let (name, street) = (show(&child["identity"], "givenNames"), show(&child["placement"], "street"));
        println!("{who}: name: {name}; street: {street}");
    }
    let read = board.child()?["voice"].take();
    board.wish("Vill spela fotboll.", &read["version"])?;
    let written = board.wish("Vill spela fotboll och gå i simskola.", &read["version"])?; // from a version that is old by now
    println!("written: {}", written["voice"]["wishes"].as_str().unwrap_or_default());
    if let Err(Trouble::Refused { code, sv, remedy }) = school.wish("Vill byta skola.", &read["version"]) {
        println!("the school may not write it: {code}: {sv} ({remedy})");
    }
    Ok(())
}
