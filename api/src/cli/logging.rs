//! What the hub tells of itself: ids, never personal data.

use crate::config::LogFormat;
use crate::spans::Spans;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts telling, to standard error, as `RUST_LOG` says; `info` where it says nothing. Spans go to `spans`, too.
///
/// The database's crates record statements with their values at lower levels, so those levels are cut off here,
/// whatever `RUST_LOG` says.
pub(super) fn start(format: LogFormat, spans: Option<&Spans>) {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = ["sqlx", "sea_orm", "sea_orm_migration", "sea_query", "async_graphql", "hyper"];
    let capped = quiet.into_iter().fold(Targets::new().with_default(LevelFilter::TRACE), |targets, crate_name| {
        targets.with_target(crate_name, LevelFilter::WARN)
    });
    let told = wanted.and(capped);
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Pretty => layer.with_filter(told).boxed(),
        LogFormat::Json => layer.json().with_filter(told).boxed(),
    };
    // A second start, in a test, keeps the first.
    _ = tracing_subscriber::registry().with(layer).with(spans.map(Spans::layer)).try_init();
}
