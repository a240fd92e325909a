//! Where the time of a request goes, told to an OpenTelemetry collector if one is configured.
//!
//! A span tells of the request by its id, and of its steps by how many and how long: [`ATTRIBUTES`] is all that leaves.
//! The spans are `tracing`'s, of this hub's own crates alone; events are log lines, and stay. Each step is at the level `debug`,
//! so that without a collector a step costs nothing.
//!
//! OTLP goes over plain HTTP to a collector on this machine; it is the collector that takes spans further, over TLS.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// What a span may tell beside its name and times: the request's id, its kind, its status, the code of its first refusal, and
/// how many children or records a step took.
pub const ATTRIBUTES: &[&str] = &["id", "operation", "status", "code", "count"];

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the answer of a collector may be, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Spans cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent to the collector: {0}")]
pub struct SpansError(String);

/// The way of spans to a collector.
#[derive(Debug)]
pub struct Spans {
    provider: SdkTracerProvider,
}

impl Spans {
    /// Starts sending to a collector, `http://HOST:PORT`, in batches. To be called within the runtime.
    ///
    /// # Errors
    ///
    /// What keeps it from being sent to; that it cannot be reached is no error, and is told in the log when it shows.
    pub fn start(collector: &Uri, node: &str) -> Result<Self, SpansError> {
        let endpoint = format!("{}/v1/traces", collector.to_string().trim_end_matches('/'));
        let client = Client { runtime: Handle::current(), failing: AtomicBool::new(false) };
        let exporter = OtlpExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| SpansError(error.to_string()))?;
        let attributes = [
            KeyValue::new("service.name", "samverka"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", node.to_owned()),
        ];
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let provider =
            SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(Allowed(exporter)).build();
        Ok(Spans { provider })
    }

    /// What takes the spans of this hub's crates up.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.provider.tracer_with_scope(InstrumentationScope::builder("samverka").build());
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target())))
    }

    /// Sends what waits, and ends.
    pub async fn close(self) {
        // It blocks, and the client needs a thread of the runtime meanwhile.
        _ = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
    }
}

fn is_ours(target: &str) -> bool {
    ["samverka", "samverka_domain"].contains(&target.split("::").next().unwrap_or_default())
}

/// Lets a request's span follow the caller's (W3C Trace Context). Of that only `traceparent` is taken, which is random numbers;
/// `tracestate` and `baggage` hold whatever was put there.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    let mut stated = headers.get_all(TRACEPARENT).iter();
    if let (Some(value), None) = (stated.next(), stated.next()) {
        let parent = TraceContextPropagator::new().extract(&Parent(value));
        // It fails where nobody takes spans up, and then there is nothing to follow.
        _ = span.set_parent(parent);
    }
}

/// Tells something more of a request to the collector alone: the log would format its fields anew with each.
pub(crate) fn tell(span: &Span, attribute: &'static str, value: impl Into<Value>) {
    span.set_attribute(attribute, value);
}

const TRACEPARENT: &str = "traceparent";

struct Parent<'a>(&'a HeaderValue);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == TRACEPARENT).then(|| self.0.to_str().ok()).flatten()
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

/// Strips every span of what is not in [`ATTRIBUTES`], whoever put it there.
#[derive(Debug)]
struct Allowed<E>(E);

impl<E: SpanExporter> SpanExporter for Allowed<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            span.attributes.retain(|attribute| ATTRIBUTES.contains(&attribute.key.as_str()));
            span.events = SpanEvents::default();
            span.links = SpanLinks::default();
            if let Status::Error { description } = &mut span.status {
                *description = "".into();
            }
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// One connection per delivery, by hyper's own client. The batches come from a thread without a runtime, hence the handle.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    /// The last delivery failed: told once, not every few seconds.
    failing: AtomicBool,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let delivery = self.runtime.spawn(async { tokio::time::timeout(PATIENCE, deliver(request)).await });
        let delivered = match delivery.await {
            Ok(Ok(delivered)) => delivered,
            Ok(Err(late)) => Err(late.into()),
            Err(stopped) => Err(stopped.into()),
        };
        let fails = !delivered.as_ref().is_ok_and(|response| response.status().is_success());
        if fails && !self.failing.swap(fails, Ordering::Relaxed) {
            let status = delivered.as_ref().ok().map(|response| response.status().as_u16());
            tracing::warn!(status, "the collector of spans does not take them; they are dropped until it does");
        } else if !fails && self.failing.swap(fails, Ordering::Relaxed) {
            tracing::info!("the collector of spans takes them again");
        }
        delivered
    }
}

async fn deliver(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let authority = parts.uri.authority().ok_or("the address names no host")?.clone();
    parts.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    parts.uri = parts.uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(parts, Body::from(body))).await?;
    let (parts, body) = response.into_parts();
    let body = to_bytes(Body::new(body), LONGEST_ANSWER).await?;
    connection.abort();
    Ok(Response::from_parts(parts, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hubs_own_spans_are_taken_up() {
        for (target, taken) in [
            ("samverka::http", true),
            ("samverka_domain::ledger", true),
            ("samverka", true),
            ("sqlx::query", false),
            ("samverka_entities", false),
            ("samverkan::http", false),
        ] {
            assert_eq!(is_ours(target), taken, "{target}");
        }
    }
}
