//! What a collector of spans is sent: where the time went, and nothing of anyone.
//!
//! Whoever takes spans up does so for a whole process, and two registries in one get in each other's way: these tests run in
//! processes of their own, which [`alone`] starts.

use crate::harness::{Answer, Hub, Kind, Scene, TestChild, everything};
use crate::http::silent::mixed_work;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Request;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use samverka::spans::{ATTRIBUTES, Spans};
use samverka_domain::world::PERSONAS;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::SubscriberExt;

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Starts it, and the way of this process's spans to it.
    async fn start() -> (Collector, Spans) {
        let collector = Collector::default();
        let take = |State(Collector(taken)): State<Collector>, body: Bytes| async move {
            taken.lock().expect("the collector").push(body);
        };
        let router = Router::new().route("/v1/traces", axum::routing::post(take)).with_state(collector.clone());
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let (listener, address) = samverka::serve::listen(any).await.expect("listens");
        let patience = samverka::serve::Patience::default();
        tokio::spawn(samverka::serve::accept(router, listener, patience, std::future::pending()));
        let spans = Spans::start(&format!("http://{address}").parse().expect("an address"), "test").expect("it starts");
        let subscriber = tracing_subscriber::registry().with(spans.layer());
        tracing::subscriber::set_global_default(subscriber).expect("this process is the test's own");
        (collector, spans)
    }

    /// What it was sent, as it came and as it is read.
    fn taken(&self) -> (Vec<u8>, Vec<ExportTraceServiceRequest>) {
        let taken = self.0.lock().expect("the collector").clone();
        let read = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).expect("spans in protobuf");
        (taken.concat(), taken.iter().map(read).collect())
    }
}

fn spans(requests: &[ExportTraceServiceRequest]) -> Vec<Span> {
    let resources = requests.iter().flat_map(|request| &request.resource_spans);
    resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

async fn child(hub: &Hub) -> TestChild {
    let involved = vec![("migrationsverket", "LEAD"), ("malmo-soc", "RESPONSIBLE"), ("hvb-malmo", "WHEREABOUTS")];
    hub.child(Scene { involved, ..Scene::default() }).await
}

async fn a_span_tells_how_long_and_nothing_of_anyone(kind: Kind) {
    let Some(hub) = Hub::start(kind).await else { return };
    let (collector, sent) = Collector::start().await;
    let child = child(&hub).await;
    let answers = mixed_work(&hub, &child).await;
    let query = "query($id: ID!) { child(id: $id) { voice { version } } }";
    let seen = hub.caller("malmo-soc").ask_with(query, json!({ "id": child.id })).await;
    let change = "mutation($id: ID!, $v: String!) {
        updateVoice(childId: $id, expectedVersion: $v, set: { wishes: \"Kanariekvist\" }) { child { id } } }";
    let variables = json!({ "id": child.id, "v": seen.data("/child/voice/version") });
    assert!(hub.caller("malmo-soc").ask_with(change, variables).await.data("/updateVoice/child/id").is_string());
    let caller = hub
        .caller("malmo-soc")
        .header("samverka-case", "Kanariefall-2026-1")
        .header("samverka-user", "kanarieanvandare")
        .header("tracestate", "vendor=Kanariespar")
        .header("baggage", "child=Kanariebagage")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    caller.ask("query Kanariesson { Kanariesson }").await;
    // Personal data that somebody puts into a span or a log line all the same.
    tracing::info_span!(target: "samverka::plant", "planted", name = "Kanariefel", count = 1).in_scope(|| {
        tracing::error!(target: "samverka::plant", name = "Kanariefel", "Kanariefel");
    });
    tracing::info_span!(target: "sqlx::query", "Kanariefel").in_scope(|| ());
    // A database that fails quotes the values at hand.
    hub.sql("ALTER TABLE identity RENAME TO identity_gone").await;
    mixed_work(&hub, &child).await;
    sent.close().await;

    let (raw, taken) = collector.taken();
    let spans = spans(&taken);
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let steps = ["verify", "parse", "turn", "execute", "standing", "decide", "read", "reveal", "commit", "log"];
    // On PostgreSQL a change of one row is made with others, and begins nothing of its own.
    let begins = (kind == Kind::Sqlite).then_some("begin");
    assert_eq!(names, steps.into_iter().chain(begins).chain(["request", "planted"]).collect());
    let mut told = BTreeSet::new();
    for span in &spans {
        assert!(span.events.is_empty() && span.links.is_empty() && span.trace_state.is_empty(), "{span:?}");
        assert!(span.status.as_ref().is_none_or(|status| status.message.is_empty()), "{span:?}");
        for key in attributes(&span.attributes).into_keys() {
            assert!(ATTRIBUTES.contains(&key.as_str()), "{key} of {}", span.name);
            told.insert(key);
        }
    }
    assert_eq!(told, ATTRIBUTES.iter().map(|key| (*key).to_owned()).collect());
    let resource = taken[0].resource_spans[0].resource.as_ref().expect("a resource");
    let resource: Vec<String> = attributes(&resource.attributes).into_keys().collect();
    assert_eq!(resource, ["service.instance.id", "service.name", "service.version"]);
    assert!(answers.len() > 100 && spans.len() > 500, "{} spans", spans.len());

    let raw = String::from_utf8_lossy(&raw).into_owned();
    let mut secrets: Vec<String> = child.canaries.values().cloned().collect();
    secrets.extend([child.id.clone(), child.uuid.to_string(), child.subject.to_string()]);
    secrets.extend(["Kanarie", "kanarie", "child_", "PROTECT", "SOCIAL_SERVICES", "tracestate"].map(str::to_owned));
    secrets.extend(PERSONAS.iter().map(|persona| persona.code.to_owned()));
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        assert!(!raw.contains(secret.as_str()), "{secret}");
    }
}

async fn the_spans_of_a_request_hang_together_and_follow_the_callers(kind: Kind) {
    let Some(hub) = Hub::start(kind).await else { return };
    let child = child(&hub).await;
    let (collector, sent) = Collector::start().await;
    let query =
        format!("query($id: ID!) {{ child(id: $id) {{ {} }} nothing: child(id: \"x\") {{ id }} }}", everything());
    let body = json!({ "query": query, "variables": { "id": child.id } });
    let mut request: Request<_> = hub.caller("malmo-soc").request(body);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.headers_mut().insert("traceparent", parent.parse().expect("a header"));
    let answer: Answer = hub.send(request).await;
    assert_eq!(answer.codes(), ["INVALID_ID"]);
    // Traces that are none begin a new one.
    for parent in ["", "00-Kanarie", "00-00000000000000000000000000000000-0000000000000000-01"] {
        hub.caller("malmo-soc").header("traceparent", parent).ask("{ me { role } }").await.data("/me");
    }
    sent.close().await;

    let all = spans(&collector.taken().1);
    let trace = data_encoding::HEXLOWER.decode(b"0af7651916cd43dd8448eb211c80319c").expect("hex");
    let (own, others): (Vec<Span>, Vec<Span>) = all.into_iter().partition(|span| span.trace_id == trace);
    assert_eq!(others.iter().filter(|span| span.name == "request" && span.parent_span_id.is_empty()).count(), 3);
    let find = |name: &str| own.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}"));
    let root = find("request");
    assert_eq!(data_encoding::HEXLOWER.encode(&root.parent_span_id), "b7ad6b7169203331");
    let told = attributes(&root.attributes);
    let id = answer.headers["x-request-id"].to_str().expect("text");
    let expected = [("code", "INVALID_ID"), ("id", id), ("operation", "query"), ("status", "200")];
    assert_eq!(told, expected.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect());
    for (child, parent) in [
        ("verify", "request"),
        ("parse", "request"),
        ("turn", "request"),
        ("execute", "request"),
        ("standing", "execute"),
        ("decide", "execute"),
        ("read", "execute"),
        ("reveal", "execute"),
        ("log", "execute"),
    ] {
        let (child, parent) = (find(child), find(parent));
        assert_eq!(child.parent_span_id, parent.span_id, "{}", child.name);
        assert!(child.start_time_unix_nano >= parent.start_time_unix_nano, "{}", child.name);
        // SQLite's driver has a thread that holds the span for a moment after its rows are there.
        let is_held = kind == Kind::Sqlite && ["standing", "read"].contains(&child.name.as_str());
        assert!(is_held || child.end_time_unix_nano <= parent.end_time_unix_nano, "{}", child.name);
    }
    assert_eq!(attributes(&find("read").attributes)["count"], "1");
}

/// Runs an ignored test of this binary in a process of its own.
fn alone(test: &str) {
    let binary = std::env::current_exe().expect("this binary");
    let output = std::process::Command::new(binary).args(["--exact", test, "--ignored"]).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
}

macro_rules! both_alone {
    ($($name:ident)+) => {
        both_alone! { @ on_sqlite Sqlite $($name)+ }
        both_alone! { @ on_postgres Postgres $($name)+ }
    };
    (@ $module:ident $kind:ident $($name:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    super::alone(concat!("spans::", stringify!($module), "::inside::", stringify!($name)));
                }
            )+
            mod inside {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    #[ignore = "it needs a process of its own"]
                    async fn $name() {
                        super::super::$name(crate::harness::Kind::$kind).await;
                    }
                )+
            }
        }
    };
}

both_alone! {
    a_span_tells_how_long_and_nothing_of_anyone
    the_spans_of_a_request_hang_together_and_follow_the_callers
}
