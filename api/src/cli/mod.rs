//! The commands.

mod logging;
mod policy;

use crate::collection::collection;
use crate::config::{Config, ConfigError, LogFormat};
use crate::graphql::{self, SchemaError};
use crate::http::{Desk, Front};
use crate::sandbox::{Issuer, SandboxError};
use crate::serve::{self, Metrics, Rules, Sandbox, StartError};
use crate::spans::{Spans, SpansError};
use crate::story::{STORIES, StoryError, Told, played};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use samverka_domain::clock::Clock;
use samverka_domain::error::Error;
use samverka_domain::hub::{Database, Environment, RosterReport};
use samverka_domain::ledger::Verdict;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Samverka: the hub through which the agencies around an unaccompanied child share one record.
#[derive(Parser)]
#[command(name = "samverka", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve. Without --config: a sandbox on a local SQLite file, with made-up children.
    Serve(ServeArgs),
    /// Bring the database's schema up to date, take migrations back, or list them.
    Migrate {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        step: Option<Step>,
    },
    /// Print schema.graphql.
    Schema,
    /// Print a token of a sandbox's persona, and nothing else.
    Token {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The persona: malmo-soc, polisen, radda-barnen …
        #[arg(long)]
        persona: String,
    },
    /// Add made-up children to a sandbox.
    Seed {
        #[command(flatten)]
        database: DatabaseArgs,
        /// How many children the sandbox shall have.
        #[arg(long)]
        children: u64,
    },
    /// Check, print, compare or explain who may see what.
    Policy(policy::PolicyArgs),
    /// Print who hands over what to whom, and the steps of it.
    Handovers,
    /// Play a story in a sandbox of its own, with time that passes at once: who answers for the child, who is told what, and
    /// who is shown what.
    Story {
        /// Which: `failing`, in which nobody confirms that the child has come, or `arriving`.
        #[arg(default_value = "failing")]
        name: String,
        /// As JSON, with documents and answers.
        #[arg(long)]
        json: bool,
    },
    /// Print a collection for Postman, Bruno and Insomnia, of the examples in a page such as README.md.
    Collection {
        /// The page.
        page: PathBuf,
    },
    /// Look after the table that lists are read from.
    Roster {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        action: RosterAction,
    },
    /// Seal the record of a child, or unseal it, by a manual routine (fingerade personuppgifter).
    Child {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        action: ChildAction,
    },
    /// Look after the access log.
    Ledger {
        #[command(flatten)]
        database: DatabaseArgs,
        #[command(subcommand)]
        action: LedgerAction,
    },
}

#[derive(Args)]
struct ServeArgs {
    /// The configuration of a production hub. Without it: a sandbox.
    #[arg(long, env = "SAMVERKA_CONFIG")]
    config: Option<PathBuf>,
    /// The sandbox's database: sqlite:PATH or postgres://…
    #[arg(long, env = "DATABASE_URL", default_value = SANDBOX_DATABASE)]
    database: String,
    /// Where to listen.
    #[arg(long, env = "SAMVERKA_LISTEN")]
    listen: Option<SocketAddr>,
    /// How to tell what the hub does.
    #[arg(long, env = "SAMVERKA_LOG", value_enum)]
    log: Option<LogFormat>,
    /// A folder of .cedar files that decide instead of the embedded ones.
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
}

#[derive(Args)]
struct DatabaseArgs {
    /// sqlite:PATH or postgres://…
    #[arg(long, env = "DATABASE_URL", default_value = SANDBOX_DATABASE)]
    database: String,
}

#[derive(Subcommand)]
enum Step {
    /// Apply what is pending. The default.
    Up,
    /// Take back the latest migrations.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Yes, drop these tables and all that is in them.
        #[arg(long)]
        yes: bool,
    },
    /// List the migrations.
    Status,
}

#[derive(Subcommand)]
enum LedgerAction {
    /// Recompute the chain, and name the first broken row.
    Verify,
}

#[derive(Subcommand)]
enum ChildAction {
    /// From the next answer on nobody may know of the child: not who leads its case, nor data protection by its number.
    Seal {
        /// The id of the child: child_…
        id: String,
    },
    /// The child is to everyone what it was.
    Unseal {
        /// The id of the child: child_…
        id: String,
    },
}

#[derive(Subcommand)]
enum RosterAction {
    /// Compare it with the record.
    Check,
    /// Make it again from the record.
    Rebuild,
}

const SANDBOX_DATABASE: &str = "sqlite:samverka-sandbox.db";
const SANDBOX_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Hub(#[from] Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Spans(#[from] SpansError),
    #[error("{0}")]
    Policy(String),
    #[error("this drops tables with the record or the access log in them; say `--yes` if that is meant")]
    Unconfirmed,
    #[error("{0} children are not listed as their record says; run `samverka roster rebuild`")]
    WrongRoster(u64),
    #[error("the access log is broken at {0}")]
    Broken(String),
    #[error(transparent)]
    Story(#[from] StoryError),
    #[error("there is no story `{0}`; there are {1}")]
    NoStory(String, String),
    #[error("the page has no sound examples: {0}")]
    Page(String),
    #[error("cannot read or print: {0}")]
    Print(#[from] std::io::Error),
}

/// Runs the command line. What is asked for goes to standard output, everything else to standard error.
pub async fn run() -> ExitCode {
    let command = Cli::parse().command.unwrap_or_else(default_command);
    match execute(command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Without a command the hub serves, as if `serve` stood there.
fn default_command() -> Command {
    Cli::parse_from(["samverka", "serve"]).command.unwrap_or(Command::Schema)
}

async fn execute(command: Command) -> Result<(), CommandError> {
    match command {
        Command::Serve(args) => serve(args).await,
        Command::Migrate { database, step } => migrate(&database.database, step.unwrap_or(Step::Up)).await,
        Command::Schema => print(&graphql::sdl(&graphql::schema()?)),
        Command::Token { database, persona } => {
            let issuer = Issuer::of(&Database::open(&database.database).await?).await?;
            print(&format!("{}\n", issuer.token(&persona, &Clock::system())?))
        }
        Command::Seed { database, children } => seed(&database.database, children).await,
        Command::Policy(args) => print(&policy::run(args)?),
        Command::Handovers => print(&samverka_domain::handover::table()),
        Command::Story { name, json } => tell(&name, json).await,
        Command::Collection { page } => {
            let made = collection(&std::fs::read_to_string(page)?).map_err(CommandError::Page)?;
            print(&format!("{made:#}\n"))
        }
        Command::Roster { database, action } => roster(&database.database, &action).await,
        Command::Child { database, action } => seal(&database.database, &action).await,
        Command::Ledger { database, action: LedgerAction::Verify } => verify(&database.database).await,
    }
}

fn print(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

async fn serve(args: ServeArgs) -> Result<(), CommandError> {
    let folder = args.policy.as_deref();
    let rules = Rules { engine: policy::engine(folder)?, routines: policy::routines(folder)? };
    let clock = Clock::system();
    let Some(path) = args.config else {
        logging::start(args.log.unwrap_or_default(), None);
        let (listener, address) = serve::listen(args.listen.unwrap_or(SANDBOX_LISTEN)).await?;
        let bar = progress(crate::sandbox::CHILDREN);
        let opened = serve::sandbox(&args.database, rules, clock.clone(), &mut |made| bar.set_position(made)).await;
        bar.finish_and_clear();
        let Sandbox { hub, service, issuer } = opened?;
        print(&issuer.welcome(address, &clock)?)?;
        let front = Front::Sandbox(Desk::new(issuer, &hub));
        serve::run(hub, service, front, listener, Metrics::Beside).await;
        return Ok(());
    };
    let config = Config::load(&path)?;
    let spans = config.otlp_endpoint.as_ref().map(|collector| Spans::start(collector, &config.node)).transpose()?;
    logging::start(args.log.unwrap_or(config.log), spans.as_ref());
    let (hub, service) = serve::production(&config, rules, clock).await?;
    let metrics = match config.metrics_listen {
        Some(address) => {
            let (listener, address) = serve::listen(address).await?;
            tracing::info!(%address, "showing metrics");
            Metrics::At(listener)
        }
        None => Metrics::Nowhere,
    };
    let (listener, address) = serve::listen(args.listen.unwrap_or(config.listen)).await?;
    tracing::info!(%address, "serving");
    serve::run(hub, service, Front::of(&config), listener, metrics).await;
    if let Some(spans) = spans {
        spans.close().await;
    }
    Ok(())
}

async fn tell(name: &str, as_json: bool) -> Result<(), CommandError> {
    let story = STORIES.iter().find(|story| story.name == name);
    let names = || STORIES.iter().map(|story| story.name).collect::<Vec<_>>().join(", ");
    let story = story.ok_or_else(|| CommandError::NoStory(name.to_owned(), names()))?;
    let moments = played(story, Clock::system().now()).await?;
    if as_json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&moments).unwrap_or_default()));
    }
    print(&Told(story, &moments).to_string())
}

async fn migrate(url: &str, step: Step) -> Result<(), CommandError> {
    let database = Database::connect(url).await?;
    match step {
        Step::Up => {
            database.migrate_up().await?;
            let applied = database.migrations().await?.len();
            print(&format!("the schema is up to date: {applied} migrations\n"))?;
        }
        Step::Down { yes: false, .. } => return Err(CommandError::Unconfirmed),
        Step::Down { steps, yes: true } => {
            database.migrate_down(steps).await?;
            print(&format!("{steps} migrations taken back\n"))?;
        }
        Step::Status => {
            for (name, applied) in database.migrations().await? {
                print(&format!("{} {name}\n", if applied { "applied" } else { "pending" }))?;
            }
        }
    }
    Ok(())
}

async fn seed(url: &str, children: u64) -> Result<(), CommandError> {
    let database = Database::connect(url).await?;
    let clock = Clock::system();
    crate::sandbox::prepare(&database, &clock, &mut |_| ()).await?;
    database.claim(Environment::Sandbox).await?;
    let there = database.children().await?;
    let bar = progress(children.saturating_sub(there));
    database.seed(crate::sandbox::SEED, there..children.max(there), &clock, &mut |made| bar.set_position(made)).await?;
    bar.finish_and_clear();
    print(&format!("{} made-up children\n", database.children().await?))
}

fn progress(children: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} made-up children, {per_sec}, {eta} left");
    ProgressBar::new(children).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

async fn roster(url: &str, action: &RosterAction) -> Result<(), CommandError> {
    let database = Database::open(url).await?;
    let clock = Clock::system();
    match action {
        RosterAction::Check => match database.check_roster(&clock).await? {
            RosterReport { children, wrong: 0 } => {
                print(&format!("{children} children are listed as their record says\n"))
            }
            RosterReport { wrong, .. } => Err(CommandError::WrongRoster(wrong)),
        },
        RosterAction::Rebuild => {
            let RosterReport { children, wrong } = database.rebuild_roster(&clock).await?;
            print(&format!("{children} children are listed again; {wrong} were wrong\n"))
        }
    }
}

async fn seal(url: &str, action: &ChildAction) -> Result<(), CommandError> {
    let database = Database::open(url).await?;
    let (id, is_sealed) = match action {
        ChildAction::Seal { id } => (id, true),
        ChildAction::Unseal { id } => (id, false),
    };
    let changed = database.seal(id, is_sealed, &Clock::system()).await?;
    let state = if is_sealed { "sealed" } else { "not sealed" };
    print(&format!("the record is {state}{}\n", if changed { "" } else { ", as it was" }))
}

async fn verify(url: &str) -> Result<(), CommandError> {
    match Database::open(url).await?.verify_ledger().await? {
        Verdict::Intact { lanes, rows } => print(&format!("intact: {rows} rows in {lanes} lanes\n")),
        Verdict::Broken { lane, seq, reason } => Err(CommandError::Broken(format!("lane {lane}, row {seq}: {reason}"))),
    }
}
