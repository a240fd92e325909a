//! The figures, as tables.

use super::measure::Figures;
use super::micro::Micro;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Which way a request took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Path {
    /// The hub, as it is.
    Hub,
    /// The hub without the log's commit.
    HubUnlogged,
    /// Bare SQL.
    Limit,
    /// Bare SQL, and a durable row of a log for each request.
    LimitAudited,
}

impl Path {
    pub const ALL: [Path; 4] = [Path::Hub, Path::HubUnlogged, Path::Limit, Path::LimitAudited];

    pub fn name(self) -> &'static str {
        match self {
            Path::Hub => "hub",
            Path::HubUnlogged => "unlogged",
            Path::Limit => "limit",
            Path::LimitAudited => "audited",
        }
    }
}

/// One cell of the table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    pub database: String,
    pub children: u64,
    pub workload: String,
    pub concurrency: usize,
    pub way: Path,
    pub figures: Figures,
}

/// The hub's process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Process {
    pub database: String,
    pub children: u64,
    /// Seconds from its start to its first answer.
    pub start: f64,
    /// MiB resident before the first request.
    pub idle: f64,
    /// MiB resident at the peak, 64 connections at work among it.
    pub peak_at_64: f64,
    pub errors_at_64: u64,
}

/// The first 100 children of some caller, answered without the log's commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    pub database: String,
    pub children: u64,
    pub caller: String,
    pub concurrency: usize,
    pub figures: Figures,
}

/// All that was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    pub micro: Micro,
    pub cells: Vec<Cell>,
    pub processes: Vec<Process>,
    /// The unordered list, asked by others.
    #[serde(default)]
    pub lists: Vec<List>,
}

impl Report {
    /// The figures of a cell.
    pub fn find(
        &self,
        database: &str,
        children: u64,
        workload: &str,
        concurrency: usize,
        way: Path,
    ) -> Option<Figures> {
        let found = self.cells.iter().find(|cell| {
            (cell.database.as_str(), cell.children) == (database, children)
                && (cell.workload.as_str(), cell.concurrency, cell.way) == (workload, concurrency, way)
        });
        found.map(|cell| cell.figures)
    }

    /// How many children the database of all workloads has.
    pub fn main_size(&self) -> Option<u64> {
        self.cells.iter().find(|cell| cell.workload == "W4").or(self.cells.first()).map(|cell| cell.children)
    }

    /// Markdown.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        let mut places: Vec<(&str, u64)> =
            self.cells.iter().map(|cell| (cell.database.as_str(), cell.children)).collect();
        places.sort_by_key(|(database, children)| (std::cmp::Reverse(*database), *children));
        places.dedup();
        for (database, children) in places {
            self.table(database, children, &mut text);
        }
        _ = writeln!(
            text,
            "| process | start | resident, idle | peak, 64 connections | errors at 64 |\n|---|---|---|---|---|"
        );
        for Process { database, children, start, idle, peak_at_64, errors_at_64 } in &self.processes {
            _ = writeln!(
                text,
                "| {database}, {children} children | {start:.2} s | {idle:.0} MiB | {peak_at_64:.0} MiB | {errors_at_64} |"
            );
        }
        _ = writeln!(
            text,
            "\n| first 100 children, no order, no log | at once | req/s | p50 / p99 ms | CPU |\n|---|---|---|---|---|"
        );
        for List { database, children, caller, concurrency, figures } in &self.lists {
            let Figures { throughput, p50, p99, cpu, cpu_postgres, .. } = figures;
            _ = writeln!(
                text,
                "| {caller}, {database}, {children} children | {concurrency} | {throughput:.0} | {p50:.1} / {p99:.1} | {cpu:.2}+{cpu_postgres:.2} |"
            );
        }
        let Micro { field, row, cold } = self.micro;
        _ = writeln!(
            text,
            "\nA decision: {field:.1} ns a field from a mask, {row:.0} ns a row from the cache, {cold:.0} µs in a situation never met."
        );
        text
    }

    fn table(&self, database: &str, children: u64, text: &mut String) {
        _ = writeln!(
            text,
            "{database}, {children} children. CPU is milliseconds a request, hub or client + PostgreSQL; × is times the bare SQL.\n\n\
             | | at once | hub: req/s | p50 / p99 ms | CPU | without the log: req/s | CPU | bare SQL: req/s | p50 / p99 ms | CPU | \
             + durable row: req/s | p50 / p99 ms | CPU | hub's CPU × | throughput × | of audited × | errors |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        );
        let mut rows: Vec<(&str, usize)> = self
            .cells
            .iter()
            .filter(|cell| cell.database == database && cell.children == children)
            .map(|cell| (cell.workload.as_str(), cell.concurrency))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        for (workload, concurrency) in rows {
            let of = |way| self.find(database, children, workload, concurrency, way).unwrap_or_default();
            let [hub, unlogged, limit, audited] = Path::ALL.map(of);
            let cpu = |f: Figures| match f.cpu_postgres > 0.0 {
                true => format!("{:.2}+{:.2}", f.cpu, f.cpu_postgres),
                false => format!("{:.2}", f.cpu),
            };
            let times = |f: Figures| format!("{:.1} / {:.1}", f.p50, f.p99);
            _ = writeln!(
                text,
                "| {workload} | {concurrency} | {:.0} | {} | {} | {:.0} | {} | {:.0} | {} | {} | {:.0} | {} | {} | {:.1} | {:.2} | {:.2} | {} |",
                hub.throughput,
                times(hub),
                cpu(hub),
                unlogged.throughput,
                cpu(unlogged),
                limit.throughput,
                times(limit),
                cpu(limit),
                audited.throughput,
                times(audited),
                cpu(audited),
                hub.cpu_in_all() / limit.cpu_in_all(),
                hub.throughput / limit.throughput,
                hub.throughput / audited.throughput,
                hub.errors + unlogged.errors + limit.errors + audited.errors,
            );
        }
        text.push('\n');
    }
}
