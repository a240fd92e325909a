//! One measurement: many requests, their times, and the CPU they took.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a run of some seconds came to.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Requests a second.
    pub throughput: f64,
    /// Milliseconds that half of the requests took at most.
    pub p50: f64,
    /// Milliseconds that 99 of 100 requests took at most.
    pub p99: f64,
    /// Milliseconds of CPU a request: the hub, or the process of the bare SQL.
    pub cpu: f64,
    /// Milliseconds of CPU a request in PostgreSQL.
    pub cpu_postgres: f64,
    /// Requests that failed.
    pub errors: u64,
    /// Requests in all.
    pub requests: u64,
}

impl Figures {
    /// From the times of all requests.
    pub fn new(mut times: Vec<Duration>, errors: u64, wall: Duration, cpu: Duration, postgres: Duration) -> Self {
        times.sort_unstable();
        let requests = times.len() as u64;
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e3 / (requests.max(1) as f64);
        let quantile = |share: f64| {
            let place = ((times.len() as f64) * share) as usize;
            times.get(place.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Figures {
            throughput: requests as f64 / wall.as_secs_f64(),
            p50: quantile(0.5),
            p99: quantile(0.99),
            cpu: each(cpu),
            cpu_postgres: each(postgres),
            errors,
            requests,
        }
    }

    /// CPU a request, PostgreSQL's part among it.
    pub fn cpu_in_all(&self) -> f64 {
        self.cpu + self.cpu_postgres
    }

    /// The median of each figure over some rounds.
    pub fn median(rounds: &[Figures]) -> Figures {
        let of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure).collect());
        Figures {
            throughput: of(|f| f.throughput),
            p50: of(|f| f.p50),
            p99: of(|f| f.p99),
            cpu: of(|f| f.cpu),
            cpu_postgres: of(|f| f.cpu_postgres),
            errors: rounds.iter().map(|f| f.errors).sum(),
            requests: rounds.iter().map(|f| f.requests).sum(),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
