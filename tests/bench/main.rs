//! How fast the hub is, in ratios to bare SQL.
//!
//! `cargo bench --bench load --features bench` starts the hub as a process of its own, in production's settings, on SQLite and
//! on PostgreSQL; drives it over loopback TCP with kept-alive connections and checked tokens; and beside it runs the limit: bare
//! SQL that returns the same rows through the same driver and pools. Every reading request is first asked once of both, and
//! the answers compared. The cells of a table are run in shuffled order, several rounds of them, and the medians are told.
//! CPU is read from /proc: the hub's process, and all of PostgreSQL's. The caller's own is not counted.
//!
//! The feature `bench` holds the switch that answers without the log's commit. It is off in every other build.

mod cpu;
mod hub;
mod limit;
mod measure;
mod micro;
mod plots;
mod postgres;
mod report;
mod workloads;
mod world;

use clap::Parser;
use hub::Hub;
use limit::{Limit, Pools, card};
use measure::Figures;
use postgres::Cluster;
use rand::seq::SliceRandom;
use report::{Cell, List, Path as Way, Process, Report};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use workloads::{About, LONG, SHORT, Workload, body, compare};

/// Whatever keeps the benchmark from going on.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Measures the hub against bare SQL on the same rows.
#[derive(Parser)]
struct Args {
    /// How many children the database of the workloads has.
    #[arg(long, default_value_t = 10_000)]
    children: u64,
    /// Sizes at which the list is measured, too.
    #[arg(long, value_delimiter = ',')]
    growth: Vec<u64>,
    /// How long each cell runs, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many rounds; their medians are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many requests are under way at a time.
    #[arg(long, value_delimiter = ',', default_value = "1,16")]
    concurrency: Vec<usize>,
    /// Which workloads.
    #[arg(long, value_delimiter = ',', default_value = "W1,W2,W3,W4,W5")]
    workloads: Vec<String>,
    /// Which ways: `hub`, `unlogged` (the hub without the log's commit), `limit` (bare SQL), `audited` (with a durable row).
    #[arg(long, value_delimiter = ',', default_value = "hub,unlogged,limit,audited")]
    ways: Vec<String>,
    /// Which databases.
    #[arg(long, value_delimiter = ',', default_value = "sqlite,postgres")]
    databases: Vec<String>,
    /// Where the databases are kept from run to run.
    #[arg(long)]
    data: Option<PathBuf>,
    /// A file for the figures (JSON).
    #[arg(long)]
    json: Option<PathBuf>,
    /// A folder for the plots (SVG).
    #[arg(long)]
    plots: Option<PathBuf>,
    /// Draw the plots and the tables of a file of figures, and measure nothing.
    #[arg(long)]
    from: Option<PathBuf>,
    /// What cargo gives to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The hub's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match std::env::var(hub::BE_A_HUB).as_deref() {
        Ok("unlogged") => {
            samverka_domain::ledger::answer_without_log();
            runtime.block_on(samverka::cli::run())
        }
        Ok(_) => runtime.block_on(samverka::cli::run()),
        Err(_) => match runtime.block_on(run(Args::parse())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

async fn run(args: Args) -> Result<(), Fault> {
    let report = match &args.from {
        Some(file) => serde_json::from_str(&std::fs::read_to_string(file)?)?,
        None => measure(&args).await?,
    };
    println!("{}", report.tables());
    if let Some(file) = &args.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    if let Some(folder) = &args.plots {
        plots::draw(&report, folder)?;
    }
    Ok(())
}

async fn measure(args: &Args) -> Result<Report, Fault> {
    let data = args.data.clone().unwrap_or_else(|| std::env::temp_dir().join("samverka-bench"));
    std::fs::create_dir_all(&data)?;
    let workloads: Vec<Workload> = args.workloads.iter().filter_map(|name| Workload::by_name(name)).collect();
    let mut report = Report { micro: micro::run(), ..Report::default() };
    let wants = |name: &str| args.databases.iter().any(|database| database == name);
    let cluster = if wants("postgres") { Cluster::start(&data.join("postgres"))? } else { None };
    let mut sizes: Vec<(u64, bool)> = args.growth.iter().map(|size| (*size, *size == args.children)).collect();
    if !args.growth.contains(&args.children) {
        sizes.push((args.children, true));
    }
    for (children, in_full) in sizes {
        let bench = Bench { args, workloads: &workloads, children, in_full, folder: &data };
        if wants("sqlite") {
            let file = data.join(format!("children-{children}.db"));
            bench.run("SQLite", &format!("sqlite:{}", file.display()), None, &mut report).await?;
        }
        if let Some(cluster) = &cluster {
            let name = format!("children_{children}");
            let admin = Pools::open(&cluster.url("postgres")).await?;
            // The database is there already, from an earlier run, or this makes it.
            _ = admin.run(format!("CREATE DATABASE {name}")).await;
            admin.close().await;
            bench.run("PostgreSQL", &cluster.url(&name), Some(cluster.postmaster), &mut report).await?;
        }
    }
    Ok(report)
}

/// The measurements on databases of one size.
struct Bench<'a> {
    args: &'a Args,
    workloads: &'a [Workload],
    children: u64,
    /// All workloads at all concurrencies; else only how the list and the look-up grow.
    in_full: bool,
    folder: &'a Path,
}

impl Bench<'_> {
    async fn run(&self, name: &str, url: &str, postmaster: Option<u32>, report: &mut Report) -> Result<(), Fault> {
        world::fill(url, self.children).await?;
        let pools = Pools::open(url).await?;
        if postmaster.is_some() {
            pools.run("VACUUM ANALYZE".to_owned()).await?;
            pools.run("CHECKPOINT".to_owned()).await?;
        }
        let agency = world::agency(&pools, world::CASEWORKER).await?;
        let subjects = Arc::new(world::subjects(&pools, agency).await?);
        let logged = Hub::start(url, self.folder, true).await?;
        let (idle, _) = cpu::memory(logged.pid());
        let caller = logged.caller(world::CASEWORKER)?;
        let cursor = page_one(&logged, &caller).await?;
        let limit = Limit::new(pools.clone(), subjects.clone(), agency).await?;
        check(&logged, &caller, &limit, &subjects, &cursor).await?;
        let unlogged = Hub::start(url, self.folder, false).await?;
        let mut rounds: BTreeMap<(Workload, usize, Way), Vec<Figures>> = BTreeMap::new();
        for _ in 0..self.args.rounds {
            let mut cells = self.cells();
            cells.shuffle(&mut rand::rng());
            for (workload, concurrency, way) in cells {
                let length = self.length();
                let figures = match way {
                    Way::Hub | Way::HubUnlogged => {
                        let hub = if way == Way::Hub { &logged } else { &unlogged };
                        let asks = (&hub.caller(world::CASEWORKER)?, &cursor);
                        hub.run(workload, concurrency, length, &subjects, asks, postmaster).await?
                    }
                    Way::Limit | Way::LimitAudited => {
                        limit.run(workload, concurrency, length, way == Way::LimitAudited, postmaster).await?
                    }
                };
                eprintln!("{name} {} {} x{concurrency} {way:?}: {figures:?}", self.children, workload.name());
                rounds.entry((workload, concurrency, way)).or_default().push(figures);
            }
        }
        let (database, children) = (name.to_owned(), self.children);
        report.cells.extend(rounds.into_iter().map(|((workload, concurrency, way), rounds)| Cell {
            database: database.clone(),
            children,
            workload: workload.name().to_owned(),
            concurrency,
            way,
            figures: Figures::median(&rounds),
        }));
        let at_64 =
            logged.run(Workload::W1, 64, Duration::from_secs(2), &subjects, (&caller, &cursor), postmaster).await?;
        let (_, peak) = cpu::memory(logged.pid());
        report.processes.push(Process {
            database,
            children,
            start: logged.started_in.as_secs_f64(),
            idle,
            peak_at_64: peak,
            errors_at_64: at_64.errors,
        });
        self.lists(name, &unlogged, &subjects, postmaster, report).await?;
        world::thin_out(&pools).await?;
        let caller = unlogged.caller(world::FEW)?;
        let few = unlogged.run(Workload::List, 1, self.length(), &subjects, (&caller, &None), postmaster);
        report.lists.push(List {
            database: name.to_owned(),
            children: self.children,
            caller: format!("{}, who has 100", world::FEW),
            concurrency: 1,
            figures: few.await?,
        });
        pools.close().await;
        Ok(())
    }

    fn length(&self) -> Duration {
        Duration::from_secs_f64(self.args.seconds)
    }

    /// The same list for a caseworker and for a partner organisation: what the rules cost.
    async fn lists(
        &self,
        name: &str,
        hub: &Hub,
        subjects: &Arc<Vec<world::Subject>>,
        postmaster: Option<u32>,
        report: &mut Report,
    ) -> Result<(), Fault> {
        let mut rounds: BTreeMap<&str, Vec<Figures>> = BTreeMap::new();
        for _ in 0..self.args.rounds {
            for code in [world::CASEWORKER, world::PARTNER] {
                let asks = (&hub.caller(code)?, &None);
                let figures = hub.run(Workload::List, 16, self.length(), subjects, asks, postmaster).await?;
                rounds.entry(code).or_default().push(figures);
            }
        }
        report.lists.extend(rounds.into_iter().map(|(code, rounds)| List {
            database: name.to_owned(),
            children: self.children,
            caller: code.to_owned(),
            concurrency: 16,
            figures: Figures::median(&rounds),
        }));
        Ok(())
    }

    fn cells(&self) -> Vec<(Workload, usize, Way)> {
        let mut cells = Vec::new();
        for workload in self.workloads.iter().copied() {
            if !self.in_full && !matches!(workload, Workload::W1 | Workload::W2) {
                continue;
            }
            for concurrency in self.args.concurrency.iter().copied() {
                let ways = Way::ALL.into_iter().filter(|way| self.args.ways.iter().any(|name| name == way.name()));
                cells.extend(ways.map(|way| (workload, concurrency, way)));
            }
        }
        cells
    }
}

/// The cursor at the end of the first page of the list.
async fn page_one(hub: &Hub, caller: &hub::Caller) -> Result<Option<String>, Fault> {
    let about = About { id: "", number: "", cursor: None, version: "", n: 0 };
    let answer = hub.ask(caller, &body(Workload::W2, &about)).await?;
    Ok(answer.pointer("/data/children/pageInfo/endCursor").and_then(Value::as_str).map(str::to_owned))
}

/// Asks every reading request once of the hub and of the bare SQL, and compares what they say.
async fn check(
    hub: &Hub,
    caller: &hub::Caller,
    limit: &Limit,
    subjects: &[world::Subject],
    cursor: &Option<String>,
) -> Result<(), Fault> {
    for subject in subjects {
        let about = About { id: &subject.id, number: &subject.number, cursor: cursor.as_deref(), version: "", n: 0 };
        let answer = hub.ask(caller, &body(Workload::W1, &about)).await?;
        let child = answer.pointer("/data/child").unwrap_or(&Value::Null);
        let (own, earlier) = card(&limit.read(Workload::W1, subject).await?);
        compare(child, &LONG, &own)?;
        let shown = child.pointer("/placement/earlier").and_then(Value::as_array).cloned().unwrap_or_default();
        if shown.len() != earlier.len() {
            return Err(format!("{}: {} earlier placements, {} rows", subject.id, shown.len(), earlier.len()).into());
        }
        for (entry, row) in shown.iter().zip(&earlier) {
            compare(entry, &LONG[workloads::EARLIER..], row)?;
        }
        let answer = hub.ask(caller, &body(Workload::W3, &about)).await?;
        let rows = limit.read(Workload::W3, subject).await?;
        let row = rows.first().ok_or("no row by number")?;
        compare(answer.pointer("/data/childByIdentifier").unwrap_or(&Value::Null), &SHORT, row)?;
    }
    let Some(first) = subjects.first() else { return Ok(()) };
    let about = About { id: "", number: "", cursor: cursor.as_deref(), version: "", n: 0 };
    let answer = hub.ask(caller, &body(Workload::W2, &about)).await?;
    let nodes = answer.pointer("/data/children/nodes").and_then(Value::as_array).cloned().unwrap_or_default();
    let rows = limit.read(Workload::W2, first).await?;
    if nodes.len() != rows.len() || rows.is_empty() {
        return Err(format!("page 2 has {} children, and the bare SQL's {}", nodes.len(), rows.len()).into());
    }
    nodes.iter().zip(&rows).try_for_each(|(node, row)| compare(node, &SHORT, row))
}
