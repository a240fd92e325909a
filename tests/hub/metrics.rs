//! What the hub counts: it counts right, tells nothing of anyone, and is shown apart from all else.

use crate::both;
use crate::harness::{Answer, Hub, START, Scene, everything};
use crate::http::silent::mixed_work;
use crate::ledger::block;
use axum::body::Body;
use axum::http::Request;
use samverka::http::Front;
use samverka::http::metrics::METRICS;
use samverka::serve::{self, Metrics};
use samverka_domain::error::ErrorCode;
use samverka_domain::policy::Engine;
use samverka_domain::world::PERSONAS;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

both! {
    no_metric_tells_anything_of_anyone
    requests_refusals_decisions_and_rows_are_counted
    while_the_log_is_held_up_it_shows
    a_commit_that_fails_is_counted
    metrics_are_shown_at_their_own_address_alone
}

/// A sample: its name and labels, as they are written.
type Series = (String, BTreeMap<String, String>);

async fn show(hub: &Hub) -> Answer {
    let request = Request::get("/metrics").body(Body::empty()).expect("a request");
    Answer::of(&hub.metrics, request).await
}

/// The samples of a text, whose every line is checked.
fn samples(text: &str) -> BTreeMap<Series, f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.strip_suffix('}').and_then(|s| s.split_once('{')).unwrap_or((series, ""));
        let label = |label: &str| {
            let (name, value) = label.split_once('=').expect("a label");
            (name.to_owned(), value.trim_matches('"').to_owned())
        };
        let labels = labels.split(',').filter(|label| !label.is_empty()).map(label).collect();
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(samples.insert((name.to_owned(), labels), value).is_none(), "twice: {line}");
    }
    samples
}

/// One sample.
async fn one(hub: &Hub, name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let text = show(hub).await.text;
    *samples(&text).get(&(name.to_owned(), labels)).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// Waits until a sample is what it should be.
async fn becomes(hub: &Hub, name: &str, labels: &[(&str, &str)], wanted: f64) {
    let mut last = f64::NAN;
    for _ in 0..150 {
        last = one(hub, name, labels).await;
        if last == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{name}{labels:?} is {last}, and should be {wanted}");
}

/// The values that a label may have.
fn table(label: &str) -> Vec<&'static str> {
    match label {
        "operation" => vec!["query", "mutation", "subscription", "unread"],
        "status" => vec!["1xx", "2xx", "3xx", "4xx", "5xx"],
        "code" => ErrorCode::ALL.iter().map(|code| code.entry().code).collect(),
        "from" => vec!["kept", "engine"],
        "when" => vec!["in time", "late"],
        "pool" => vec!["reader", "writer"],
        "state" => vec!["idle", "used"],
        "version" => vec![env!("CARGO_PKG_VERSION")],
        "policy" => vec![Engine::embedded().hash()],
        other => panic!("the label `{other}` has no table: a label's values come from a fixed one"),
    }
}

async fn no_metric_tells_anything_of_anyone(hub: Hub) {
    let before: BTreeSet<Series> = samples(&show(&hub).await.text).into_keys().collect();
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    let child = hub.child(Scene { involved, ..Scene::default() }).await;
    let answers = mixed_work(&hub, &child).await;
    let caller =
        hub.caller("malmo-soc").header("samverka-case", "Kanariefall").header("samverka-user", "kanarieanvandare");
    let query = format!("query Kanariesson($id: ID!) {{ child(id: $id) {{ {} }} }}", everything());
    caller.ask_with(&query, json!({ "id": child.id })).await.data("/child");
    caller.ask("{ Kanariesson }").await;

    let shown = show(&hub).await;
    assert_eq!(shown.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_eq!(
        (&shown.headers["cache-control"], &shown.headers["x-content-type-options"]),
        (&"no-store".parse().expect("a header"), &"nosniff".parse().expect("a header"))
    );
    let after = samples(&shown.text);
    assert!(shown.text.ends_with("# EOF\n"));
    assert_eq!(before, after.keys().cloned().collect(), "as many series at the end as at the start");
    let mut told = BTreeSet::new();
    for (name, labels) in after.keys() {
        let bare = |metric: &str| {
            metric == name || ["_sum", "_count", "_bucket"].iter().any(|end| name.strip_suffix(end) == Some(metric))
        };
        let metric =
            METRICS.iter().find(|metric| bare(metric.name)).unwrap_or_else(|| panic!("{name} is not in the table"));
        let names: BTreeSet<&str> = labels.keys().map(String::as_str).filter(|label| *label != "le").collect();
        assert_eq!(names, metric.labels.iter().copied().collect(), "{name}");
        for (label, value) in labels.iter().filter(|(label, _)| *label != "le") {
            assert!(table(label).contains(&value.as_str()), "{name}: {label}={value}");
        }
        assert!(labels.get("le").is_none_or(|bound| bound == "+Inf" || bound.parse::<f64>().is_ok()), "{name}");
        told.insert(metric.name);
    }
    assert_eq!(told, METRICS.iter().map(|metric| metric.name).collect(), "the whole table is told");

    let mut secrets: Vec<String> = child.canaries.values().cloned().collect();
    secrets.extend([child.id.clone(), child.uuid.to_string(), child.subject.to_string(), hub.token("malmo-soc")]);
    secrets.extend(["Kanarie", "kanarie", "child_", "PROTECT", "SOCIAL_SERVICES", "sandbox"].map(str::to_owned));
    secrets.extend(PERSONAS.iter().map(|persona| persona.code.to_owned()));
    for answer in &answers {
        secrets.extend(answer.headers.get("x-request-id").map(|id| id.to_str().expect("text").to_owned()));
    }
    for secret in secrets.iter().filter(|secret| secret.len() >= 8 || secret.chars().any(char::is_alphabetic)) {
        assert!(!shown.text.contains(secret.as_str()), "{secret}");
    }
}

async fn requests_refusals_decisions_and_rows_are_counted(hub: Hub) {
    let child = hub.child(Scene::default()).await;
    let before = samples(&show(&hub).await.text);
    let caller = hub.caller("malmo-soc");
    let query = "query($id: ID!) { child(id: $id) { voice { version wishes } } }";
    let version = caller.ask_with(query, json!({ "id": child.id })).await.data("/child/voice/version").clone();
    caller.ask_with(query, json!({ "id": child.id })).await.data("/child/voice/wishes");
    let update =
        "mutation($id: ID!, $v: String!) { updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"x\" })
        { child { id } } }";
    caller.ask_with(update, json!({ "id": child.id, "v": version })).await.data("/updateVoice/child/id");
    let stale = caller.ask_with(update, json!({ "id": child.id, "v": version })).await;
    assert_eq!(stale.codes(), ["CONFLICT"]);
    assert_eq!(
        caller.ask("{ a: child(id: \"x\") { id } b: child(id: \"y\") { id } }").await.codes(),
        ["INVALID_ID"; 2]
    );
    assert_eq!(caller.ask("{ me").await.codes(), ["GRAPHQL_PARSE_FAILED"]);
    assert_eq!(caller.clone().purpose("RETURN").ask("{ me { role } }").await.codes(), ["PURPOSE_NOT_ALLOWED"]);
    let stranger = Request::post("/graphql").body(Body::empty()).expect("a request");
    assert_eq!(hub.send(stranger).await.codes(), ["UNAUTHENTICATED"]);
    let lost = Request::get("/nowhere").body(Body::empty()).expect("a request");
    assert_eq!(hub.send(lost).await.codes(), ["NO_SUCH_PATH"]);
    let live = Request::get("/health/live").body(Body::empty()).expect("a request");
    assert_eq!(hub.send(live).await.status, 200);

    let after = samples(&show(&hub).await.text);
    let grown: BTreeMap<String, f64> = after
        .iter()
        .filter_map(|((name, labels), value)| {
            let by = value - before[&(name.clone(), labels.clone())];
            let counts = name.ends_with("_total") || name.ends_with("_count") || name == "samverka_log_commit_rows_sum";
            let labels: Vec<&str> = labels.values().map(String::as_str).collect();
            (counts && by != 0.0).then(|| (format!("{name} {}", labels.join(" ")), by))
        })
        .collect();
    let mut expected = BTreeMap::from([
        ("samverka_requests_total query 2xx", 3.0),
        ("samverka_requests_total query 4xx", 1.0),
        ("samverka_requests_total mutation 2xx", 2.0),
        // Where the answer is application/json, a document that cannot be read is no error of HTTP.
        ("samverka_requests_total unread 2xx", 1.0),
        ("samverka_requests_total unread 4xx", 1.0),
        ("samverka_request_duration_seconds_count query", 4.0),
        ("samverka_request_duration_seconds_count mutation", 2.0),
        ("samverka_request_duration_seconds_count unread", 2.0),
        ("samverka_refusals_total CONFLICT", 1.0),
        ("samverka_refusals_total INVALID_ID", 2.0),
        ("samverka_refusals_total GRAPHQL_PARSE_FAILED", 1.0),
        ("samverka_refusals_total PURPOSE_NOT_ALLOWED", 1.0),
        ("samverka_refusals_total UNAUTHENTICATED", 1.0),
        ("samverka_refusals_total NO_SUCH_PATH", 1.0),
        ("samverka_turn_wait_seconds_count ", 7.0),
        // One at a time, so that each row has a commit of its own.
        ("samverka_log_commit_rows_count ", 6.0),
        ("samverka_log_commit_rows_sum ", 6.0),
        ("samverka_log_wait_seconds_count ", 6.0),
    ]);
    expected.retain(|_, count| *count != 0.0);
    let decided: f64 = grown.iter().filter(|(name, _)| name.starts_with("samverka_decisions")).map(|(_, by)| by).sum();
    let rest: BTreeMap<&str, f64> = grown
        .iter()
        .filter(|(name, _)| !name.starts_with("samverka_decisions"))
        .map(|(name, by)| (name.as_str(), *by))
        .collect();
    assert_eq!(rest, expected);
    assert!(decided >= 4.0, "{decided}");
    // What was decided once is kept.
    let asked = one(&hub, "samverka_decisions_total", &[("from", "engine")]).await;
    let kept = one(&hub, "samverka_decisions_total", &[("from", "kept")]).await;
    caller.ask_with(query, json!({ "id": child.id })).await.data("/child");
    assert_eq!(one(&hub, "samverka_decisions_total", &[("from", "engine")]).await, asked);
    assert!(one(&hub, "samverka_decisions_total", &[("from", "kept")]).await > kept);
    assert!(one(&hub, "samverka_situations", &[]).await >= 1.0);
    assert_eq!(one(&hub, "process_start_time_seconds", &[]).await, START as f64 / 1e6);
    assert!(one(&hub, "samverka_log_wait_seconds_sum", &[]).await > 0.0);
    assert!(one(&hub, "samverka_request_duration_seconds_sum", &[("operation", "query")]).await < 60.0);
}

async fn while_the_log_is_held_up_it_shows(hub: Hub) {
    let held = block(&hub).await;
    let ask = |hub: &Hub| {
        let request = hub.caller("malmo-soc").request(json!({ "query": "{ me { role } }" }));
        let router = hub.router.clone();
        tokio::spawn(async move { Answer::of(&router, request).await })
    };
    let first = ask(&hub);
    becomes(&hub, "samverka_pool_connections", &[("pool", "writer"), ("state", "used")], 1.0).await;
    let (second, third) = (ask(&hub), ask(&hub));
    becomes(&hub, "samverka_log_queue_rows", &[], 2.0).await;
    held.rollback().await.expect("gives the lock back");
    for answer in [first, second, third] {
        assert_eq!(answer.await.expect("it is answered").status, 200);
    }
    assert_eq!(one(&hub, "samverka_log_queue_rows", &[]).await, 0.0);
    assert_eq!(one(&hub, "samverka_log_commit_rows_bucket", &[("le", "1.0")]).await, 1.0);
    assert_eq!(one(&hub, "samverka_log_commit_rows_bucket", &[("le", "2.0")]).await, 2.0, "two shared a commit");
    becomes(&hub, "samverka_pool_connections", &[("pool", "writer"), ("state", "used")], 0.0).await;
    let unknown = "{ child(id: \"child_00000000000000000000000000\") { id } }";
    assert_eq!(hub.caller("malmo-soc").ask(unknown).await.codes(), ["NOT_FOUND"]);
    let most = one(&hub, "samverka_pool_connections_most", &[("pool", "reader")]).await;
    let idle = one(&hub, "samverka_pool_connections", &[("pool", "reader"), ("state", "idle")]).await;
    assert!((1.0..=most).contains(&idle), "{idle} of {most}");
}

async fn a_commit_that_fails_is_counted(hub: Hub) {
    hub.sql("ALTER TABLE ledger RENAME TO ledger_gone").await;
    assert_eq!(hub.caller("malmo-soc").ask("{ me { role } }").await.codes(), ["AUDIT_UNAVAILABLE"]);
    assert_eq!(one(&hub, "samverka_log_failures_total", &[]).await, 1.0);
    assert_eq!(one(&hub, "samverka_log_commit_rows_count", &[]).await, 0.0);
    assert_eq!(one(&hub, "samverka_refusals_total", &[("code", "AUDIT_UNAVAILABLE")]).await, 1.0);
    assert_eq!(one(&hub, "samverka_requests_total", &[("operation", "query"), ("status", "5xx")]).await, 1.0);
}

/// What a server answers to a request for a path.
async fn fetch(address: std::net::SocketAddr, path: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(address).await.expect("connects");
    let request = format!("GET {path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("sends");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("answers");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn metrics_are_shown_at_their_own_address_alone(hub: Hub) {
    for beside in [false, true] {
        let database = samverka_domain::hub::Database::connect(&hub.database.url).await.expect("connects");
        let settings = ("other", samverka::sandbox::AUDIENCE, &[][..]);
        let (domain, service) =
            serve::service(database, Engine::embedded(), hub.domain.clock(), settings).await.expect("starts");
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let (public, address) = serve::listen(any).await.expect("listens");
        let (apart, metrics) = serve::listen(any).await.expect("listens");
        let shown = if beside { Metrics::Beside } else { Metrics::At(apart) };
        let server = tokio::spawn(serve::run(domain, service, Front::Nothing, public, shown));
        let beside_all = fetch(address, "/metrics").await;
        assert!(fetch(address, "/health/live").await.starts_with("HTTP/1.1 200"));
        if beside {
            assert!(
                beside_all.starts_with("HTTP/1.1 200") && beside_all.contains("samverka_build_info"),
                "{beside_all}"
            );
        } else {
            assert!(beside_all.starts_with("HTTP/1.1 404") && beside_all.contains("NO_SUCH_PATH"), "{beside_all}");
            let there = fetch(metrics, "/metrics").await;
            assert!(there.starts_with("HTTP/1.1 200") && there.contains("samverka_build_info"), "{there}");
            for path in ["/graphql", "/health/ready", "/"] {
                assert!(fetch(metrics, path).await.starts_with("HTTP/1.1 404"), "{path}");
            }
        }
        server.abort();
    }
}

#[test]
fn the_readme_lists_the_metrics_there_are() {
    let readme = include_str!("../../README.md");
    let listed: Vec<&str> =
        readme.lines().filter(|line| line.starts_with("| `samverka_") || line.starts_with("| `process_")).collect();
    let line = |metric: &samverka::http::metrics::Metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}` ")).collect();
        format!("| `{}` | {}| {} |", metric.name, labels.concat(), metric.help)
    };
    assert_eq!(
        listed,
        METRICS.iter().map(line).collect::<Vec<_>>(),
        "README.md and METRICS in api/src/http/metrics.rs"
    );
}
