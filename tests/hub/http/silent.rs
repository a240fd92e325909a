//! What must not be said: neither an error nor the hub's own telling of what it does carries anything of a child.

use super::{INNARDS, ME, ask};
use crate::both;
use crate::harness::{Answer, HOUR, Hub, Scene, TestChild, child_id, everything};
use serde_json::json;
use std::collections::HashSet;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;

both! {
    no_error_holds_anything_of_a_child
    what_the_hub_tells_of_itself_holds_nothing_of_a_child
}

/// Requests of everyone about a child, most of which fail, each in its own way.
pub async fn mixed_work(hub: &Hub, child: &TestChild) -> Vec<Answer> {
    let mut answers = Vec::new();
    let all = format!("query($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    let known: Vec<&String> = child.canaries.values().collect();
    let unknown = child_id(uuid::Uuid::from_u128(0x0bad_0000_0000_4000_8000_0000_0000_0002));
    for persona in ["malmo-soc", "migrationsverket", "skola", "polisen", "hvb-malmo", "radda-barnen", "dataskydd"] {
        let caller = hub.caller(persona).header("samverka-case", "Kanariefall-2026-2");
        for id in [child.id.as_str(), unknown.as_str(), "child_x", ""] {
            answers.push(caller.ask_with(&all, json!({ "id": id })).await);
        }
        answers.push(caller.ask("{ children(first: 100) { nodes { id identity { givenNames } } } }").await);
        answers.push(caller.ask("{ children(first: 0) { nodes { id identity { givenNames } } } }").await);
        let log = "query($id: ID!) { accessLog(childId: $id) { edges { node { fields: shown } } } }";
        answers.push(caller.ask_with(log, json!({ "id": child.id })).await);
        answers.push(caller.clone().without_purpose().ask_with(&all, json!({ "id": child.id })).await);
        answers.push(caller.clone().purpose("RETURN").ask_with(&all, json!({ "id": child.id })).await);
        for (section, field) in [("Voice", "wishes"), ("Identity", "givenNames"), ("Health", "criticalNeeds")] {
            for version in ["x", ""] {
                let mutation = format!(
                    "mutation($id: ID!, $v: String!, $x: String!) {{ update{section}(childId: $id, \
                     expectedVersion: $v, set: {{ {field}: $x }}) {{ child {{ id }} }} }}"
                );
                for text in [known[0].as_str(), "", &"x".repeat(20_000)] {
                    let variables = json!({ "id": child.id, "v": version, "x": text });
                    answers.push(caller.ask_with(&mutation, variables).await);
                }
            }
        }
        for canary in known.iter().take(if persona == "malmo-soc" { known.len() } else { 3 }) {
            // Canaries where they do not belong: in numbers, in ids, in the document itself.
            let number = "query($x: String!) { childByIdentifier(kind: LMA_CARD, value: $x) { id } }";
            answers.push(caller.ask_with(number, json!({ "x": canary })).await);
            answers.push(caller.ask_with(&all, json!({ "id": format!("child_{canary}") })).await);
        }
    }
    answers
}

async fn no_error_holds_anything_of_a_child(hub: Hub) {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let mut answers = mixed_work(&hub, &child).await;
    // Numbers that another child has already, and a database that fails in the middle.
    let add = "mutation($id: ID!, $x: String!) { addIdentifier(childId: $id,
        identifier: { kind: DOSSIER_NUMBER, value: $x, identityLevel: ATTESTED }) { child { id } } }";
    let other = hub.child(Scene::default()).await;
    for canary in child.canaries.values() {
        answers.push(hub.caller("migrationsverket").ask_with(add, json!({ "id": other.id, "x": canary })).await);
    }
    hub.sql("ALTER TABLE identity RENAME TO identity_gone").await;
    hub.sql("ALTER TABLE placement RENAME COLUMN street TO street_gone").await;
    answers.extend(mixed_work(&hub, &child).await);
    let failed: Vec<&Answer> = answers.iter().filter(|answer| !answer.json["errors"].is_null()).collect();
    let codes: HashSet<&str> = failed.iter().flat_map(|answer| answer.codes()).collect();
    for code in ["NOT_FOUND", "INVALID_ID", "UNAVAILABLE", "PURPOSE_REQUIRED", "PURPOSE_NOT_ALLOWED", "PAGE_SIZE"] {
        assert!(codes.contains(code), "{code} is among {codes:?}");
    }
    for answer in failed {
        let errors = answer.json["errors"].to_string();
        for (field, canary) in &child.canaries {
            assert!(!errors.contains(canary.as_str()), "{field} in {errors}");
        }
        for innards in INNARDS.iter().chain(&["identity_gone", "street_gone", "42P01", "42703"]) {
            assert!(!errors.contains(innards), "{innards} in {errors}");
        }
        assert!(!errors.contains(&child.subject.to_string()) && !errors.contains(&child.uuid.to_string()), "{errors}");
    }
}

/// Everything that is told while a test listens, by this test and by those that run beside it.
static TOLD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static LISTENERS: AtomicUsize = AtomicUsize::new(0);

struct Listening;

impl Listening {
    /// Listens at the finest level to every crate, in every thread.
    fn begin() -> Listening {
        static ONCE: OnceLock<()> = OnceLock::new();
        ONCE.get_or_init(|| {
            let heard = dynamic_filter_fn(|_, _| LISTENERS.load(Ordering::SeqCst) > 0);
            let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_span_events(FmtSpan::NEW);
            let layer = layer.with_writer(Tap).with_filter(heard);
            let all = tracing_subscriber::registry().with(layer);
            tracing::subscriber::set_global_default(all).expect("nobody else listens");
        });
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        Listening
    }

    fn told(&self) -> String {
        String::from_utf8_lossy(&TOLD.lock().expect("the tap")).into_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Tap;

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        TOLD.lock().expect("the tap").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Tap {
    type Writer = Tap;

    fn make_writer(&self) -> Tap {
        Tap
    }
}

async fn what_the_hub_tells_of_itself_holds_nothing_of_a_child(hub: Hub) {
    let listening = Listening::begin();
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let token = hub.token("malmo-soc");
    let mut secrets: Vec<String> = child.canaries.values().cloned().collect();
    let caller = hub
        .caller("malmo-soc")
        .header("samverka-case", "Kanariefall-2026-1")
        .header("samverka-user", "kanarieanvandare");
    secrets.extend(["Kanariefall".to_owned(), "kanarieanvandare".to_owned()]);
    // What is read, searched for and written, rightly and wrongly.
    mixed_work(&hub, &child).await;
    let version = "query($id: ID!) { child(id: $id) { voice { version } } }";
    let answer = caller.ask_with(version, json!({ "id": child.id })).await;
    let update = "mutation($id: ID!, $v: String!, $x: String) { updateVoice(childId: $id, expectedVersion: $v,
        set: { wishes: $x }) { child { voice { wishes } } } }";
    let wish = "Kanarieönskan om en egen cykel";
    let variables = json!({ "id": child.id, "v": answer.data("/child/voice/version"), "x": wish });
    assert_eq!(caller.ask_with(update, variables.clone()).await.data("/updateVoice/child/voice/wishes"), wish);
    assert_eq!(caller.ask_with(update, variables).await.codes(), ["CONFLICT"]);
    secrets.push(wish.to_owned());
    // Personal data in the document itself: names of fields, of operations, of fragments, in broken syntax.
    for query in [
        "{ Kanariesson }",
        "query Kanariesson { me { role } }",
        "{ Kanariesson: me { role } }",
        "{ me { role } } # Kanariesson",
        "{ Kanariesson",
        "{ ...Kanariesson }",
        "{ child(id: \"Kanariesson\") { id } }",
        "mutation Kanariesson { Kanariesson }",
        "{ childByIdentifier(kind: Kanariesson, value: \"Kanariesson\") { id } }",
    ] {
        caller.ask(query).await;
        let body = json!({ "query": query, "operationName": "Kanariesson", "variables": { "Kanariesson": 1 } });
        hub.send(caller.request(body)).await;
    }
    secrets.push("Kanariesson".to_owned());
    // Tokens that are good, that are broken, and in the wrong place.
    for value in [format!("Bearer {token}x"), format!("Basic {token}"), format!("Bearer {token} Kanariebiljett")] {
        let mut request = ask(&hub, ME, None);
        request.headers_mut().insert("authorization", value.parse().expect("a header"));
        assert_eq!(hub.send(request).await.status, 401);
    }
    let mut request = ask(&hub, ME, None);
    *request.uri_mut() = format!("/graphql/Kanarieadress?token={token}").parse().expect("an address");
    assert_eq!(hub.send(request).await.status, 404);
    hub.wait(13 * HOUR);
    let mut request = ask(&hub, ME, None);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    assert_eq!(hub.send(request).await.codes(), ["TOKEN_EXPIRED"]);
    secrets.extend(token.split('.').map(str::to_owned));
    secrets.extend(["Kanariebiljett".to_owned(), "Kanarieadress".to_owned()]);
    // A database that fails quotes the values at hand.
    hub.sql("ALTER TABLE identity RENAME TO identity_gone").await;
    hub.sql("ALTER TABLE voice RENAME COLUMN wishes TO wishes_gone").await;
    mixed_work(&hub, &child).await;
    let told = listening.told();
    for control in ["answered", "a token was refused", "the request failed"] {
        assert!(told.contains(control), "something was heard: {control}");
    }
    for secret in secrets {
        let at = told.find(&secret);
        let around = at.map(|at| told.get(at.saturating_sub(300)..at + 100).unwrap_or("…"));
        assert!(at.is_none(), "`{secret}` was told: {around:?}");
    }
}
