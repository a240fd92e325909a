//! What the hub counts, as OpenMetrics text for Prometheus.
//!
//! [`METRICS`] is the whole of it: what is not in the table is not shown. The values of labels come from fixed tables, and so
//! does how many series there are; none names an agency, a user or a child.

use super::Service;
use super::tally::{Asked, STATUSES};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use samverka_domain::error::ErrorCode;
use samverka_domain::figures::{Figures, Pool, Spreading};
use std::collections::HashMap;
use std::fmt;

/// A metric: what it is called, what its labels are, and what it tells.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with the ending `_total` where it is a counter.
    pub name: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells, as README says it.
    pub help: &'static str,
    read: Read,
}

#[derive(Clone, Copy, Debug)]
enum Read {
    Counter(fn(&Seen) -> Vec<Series<u64>>),
    Gauge(fn(&Seen) -> Vec<Series<f64>>),
    /// A spread, and what one second or one row is in it.
    Histogram(fn(&Seen) -> Vec<Series<Spreading>>, f64),
}

/// The values of the labels, in the order of their names, and what is told of them.
type Series<T> = (Vec<&'static str>, T);

const MICROS: f64 = 1_000_000.0;

/// Every metric there is.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "samverka_requests_total",
        labels: &["operation", "status"],
        help: "GraphQL requests answered, by operation and class of status",
        read: Read::Counter(|seen| seen.answered.clone()),
    },
    Metric {
        name: "samverka_request_duration_seconds",
        labels: &["operation"],
        help: "from the head of a GraphQL request to its answer",
        read: Read::Histogram(|seen| seen.took.clone(), MICROS),
    },
    Metric {
        name: "samverka_refusals_total",
        labels: &["code"],
        help: "refusals told, by extensions.code; one answer may tell several",
        read: Read::Counter(|seen| seen.refused.clone()),
    },
    Metric {
        name: "samverka_turn_wait_seconds",
        labels: &[],
        help: "how long requests waited for a turn of their agency, all agencies together",
        read: Read::Histogram(|seen| vec![(vec![], seen.turns.clone())], MICROS),
    },
    Metric {
        name: "samverka_decisions_total",
        labels: &["from"],
        help: "decisions on a child, from the masks kept or from the policy engine",
        read: Read::Counter(|seen| {
            vec![(vec!["kept"], seen.hub.decisions_kept), (vec!["engine"], seen.hub.decisions_asked)]
        }),
    },
    Metric {
        name: "samverka_situations",
        labels: &[],
        help: "situations whose masks are kept",
        read: Read::Gauge(|seen| single(seen.hub.situations)),
    },
    Metric {
        name: "samverka_log_commit_rows",
        labels: &[],
        help: "rows of the access log per commit",
        read: Read::Histogram(|seen| vec![(vec![], seen.hub.log_rows.clone())], 1.0),
    },
    Metric {
        name: "samverka_log_wait_seconds",
        labels: &[],
        help: "from handing a row of the access log in to its commit",
        read: Read::Histogram(|seen| vec![(vec![], seen.hub.log_waits.clone())], MICROS),
    },
    Metric {
        name: "samverka_log_failures_total",
        labels: &[],
        help: "commits of the access log that failed; what waited for them was not shown",
        read: Read::Counter(|seen| vec![(vec![], seen.hub.log_failures)]),
    },
    Metric {
        name: "samverka_log_queue_rows",
        labels: &[],
        help: "rows that wait for the access log",
        read: Read::Gauge(|seen| single(seen.hub.log_queue)),
    },
    Metric {
        name: "samverka_deadlines_due",
        labels: &[],
        help: "deadlines that were due when this node last looked, a second ago at most",
        read: Read::Gauge(|seen| single(seen.hub.deadlines_due)),
    },
    Metric {
        name: "samverka_deadlines_fired_total",
        labels: &["when"],
        help: "deadlines that this node fired, within a minute of their moment or late",
        read: Read::Counter(|seen| {
            let late = seen.hub.deadlines_late;
            vec![(vec!["in time"], seen.hub.deadlines_fired.saturating_sub(late)), (vec!["late"], late)]
        }),
    },
    Metric {
        name: "samverka_pool_connections",
        labels: &["pool", "state"],
        help: "open connections to the database",
        read: Read::Gauge(|seen| {
            let states = |(name, pool): (_, Pool)| [(name, "idle", pool.idle), (name, "used", pool.open - pool.idle)];
            let series = pools(seen).into_iter().flat_map(states);
            series.map(|(name, state, count)| (vec![name, state], count as f64)).collect()
        }),
    },
    Metric {
        name: "samverka_pool_connections_most",
        labels: &["pool"],
        help: "connections that may be open at most",
        read: Read::Gauge(|seen| pools(seen).map(|(name, pool)| (vec![name], pool.most as f64)).into()),
    },
    Metric {
        name: "samverka_build_info",
        labels: &["version", "policy"],
        help: "always 1: the version of the hub, and the hash of the policies that decide",
        read: Read::Gauge(|seen| vec![(vec![env!("CARGO_PKG_VERSION"), seen.policy], 1.0)]),
    },
    Metric {
        name: "process_start_time_seconds",
        labels: &[],
        help: "when the hub was opened, in seconds since 1970",
        read: Read::Gauge(|seen| vec![(vec![], seen.since as f64 / MICROS)]),
    },
];

fn single(value: u64) -> Vec<Series<f64>> {
    vec![(vec![], value as f64)]
}

fn pools(seen: &Seen) -> [(&'static str, Pool); 2] {
    [("reader", seen.hub.reader), ("writer", seen.hub.writer)]
}

/// What was counted, at one look.
#[derive(Debug)]
struct Seen {
    answered: Vec<Series<u64>>,
    took: Vec<Series<Spreading>>,
    refused: Vec<Series<u64>>,
    turns: Spreading,
    hub: Figures,
    policy: &'static str,
    since: i64,
}

impl Seen {
    fn of(service: &Service) -> Self {
        let tally = &service.0.tally;
        let answered = Asked::ALL.iter().flat_map(|asked| {
            let series = move |(class, name)| (vec![asked.name(), name], tally.answered(*asked, class).get());
            STATUSES.into_iter().enumerate().map(series)
        });
        let refused = ErrorCode::ALL.iter().map(|code| (vec![code.entry().code], tally.refused(*code).get()));
        Seen {
            answered: answered.collect(),
            took: Asked::ALL.iter().map(|asked| (vec![asked.name()], tally.took(*asked).get())).collect(),
            refused: refused.collect(),
            turns: tally.turns().get(),
            hub: service.0.hub.figures(),
            policy: service.0.hub.engine().hash(),
            since: service.0.since,
        }
    }
}

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        METRICS.iter().try_for_each(|metric| metric.encode(self, &mut encoder))
    }
}

impl Metric {
    fn encode(&self, seen: &Seen, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let kind = match self.read {
            Read::Counter(_) => MetricType::Counter,
            Read::Gauge(_) => MetricType::Gauge,
            Read::Histogram(..) => MetricType::Histogram,
        };
        // The encoder puts the ending of a counter there itself.
        let name = self.name.strip_suffix("_total").unwrap_or(self.name);
        let mut metric = encoder.encode_descriptor(name, self.help, None, kind)?;
        match self.read {
            Read::Counter(read) => self.each(&mut metric, read(seen), |series, count| {
                series.encode_counter(&count, None::<&Exemplar<NoLabelSet, u64>>)
            }),
            Read::Gauge(read) => self.each(&mut metric, read(seen), |series, level| series.encode_gauge(&level)),
            Read::Histogram(read, unit) => {
                self.each(&mut metric, read(seen), |series, spread| histogram(series, &spread, unit))
            }
        }
    }

    fn each<T>(
        &self,
        metric: &mut MetricEncoder<'_>,
        all: Vec<Series<T>>,
        encode: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        for (values, told) in all {
            let labels: Vec<(&str, &str)> = self.labels.iter().copied().zip(values).collect();
            if labels.is_empty() {
                encode(metric, told)?;
            } else {
                encode(&mut metric.encode_family(&labels)?, told)?;
            }
        }
        Ok(())
    }
}

fn histogram(series: &mut MetricEncoder<'_>, spread: &Spreading, unit: f64) -> fmt::Result {
    let bounds = spread.bounds.iter().map(|bound| *bound as f64 / unit).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(spread.counts.iter().copied()).collect();
    let count = spread.counts.iter().sum();
    series.encode_histogram(
        spread.sum as f64 / unit,
        count,
        &buckets,
        None::<&HashMap<usize, Exemplar<NoLabelSet, f64>>>,
    )
}

/// `GET /metrics`.
pub(super) async fn show(State(service): State<Service>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Seen::of(&service)));
    let mut text = String::new();
    match text::encode(&mut text, &registry) {
        Ok(()) => {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
        }
        Err(_) => super::answer::refusal(ErrorCode::Internal),
    }
}
