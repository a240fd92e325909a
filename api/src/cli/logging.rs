//! What the hub tells of itself: ids, never personal data.

use crate::config::LogFormat;
use crate::spans::Spans;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts telling, to standard error, as `RUST_LOG` says; `info` where it says nothing. Spans go to `spans`, too.
pub(super) fn start(format: LogFormat, spans: Option<&Spans>) {
    let wanted = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Pretty => layer.with_filter(capped(wanted)).boxed(),
        LogFormat::Json => layer.json().with_current_span(false).with_filter(capped(wanted)).boxed(),
    };
    // A second start, in a test, keeps the first.
    _ = tracing_subscriber::registry().with(layer).with(spans.map(Spans::layer)).try_init();
}

/// What is wanted, as far as it may be told: the database's crates record statements with their values at lower levels, so
/// those levels are cut off here, whatever `RUST_LOG` says.
fn capped<S: Subscriber>(wanted: EnvFilter) -> impl Filter<S> {
    let quiet = ["sqlx", "sea_orm", "sea_orm_migration", "sea_query", "async_graphql", "hyper"];
    let capped = quiet.into_iter().fold(Targets::new().with_default(LevelFilter::TRACE), |targets, crate_name| {
        targets.with_target(crate_name, LevelFilter::WARN)
    });
    wanted.and(capped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::{Level, enabled};

    #[test]
    fn statements_are_not_told_whatever_is_wanted() {
        let layer = fmt::layer().with_filter(capped(EnvFilter::new("trace,sqlx=trace")));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            assert!(!enabled!(target: "sqlx::query", Level::INFO) && enabled!(target: "sqlx::query", Level::WARN));
            assert!(!enabled!(target: "sea_orm", Level::DEBUG) && enabled!(target: "samverka::http", Level::TRACE));
        });
    }
}
