//! A database of its own for each test: a copy of a template that is migrated and has the sandbox's
//! agencies and key, and no child.

use samverka::sandbox::prepare_empty;
use samverka_domain::hub::Database as DomainDatabase;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database that is there for one test.
pub struct Database {
    pub kind: Kind,
    pub url: String,
    /// The folder of a SQLite file; removed at the end.
    folder: Option<PathBuf>,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            _ = std::fs::remove_dir_all(folder);
        }
    }
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Database {
    /// A copy of the template; none where PostgreSQL is not installed.
    pub async fn new(kind: Kind) -> Option<Database> {
        match kind {
            Kind::Sqlite => Some(Self::copy_sqlite().await),
            Kind::Postgres => Self::copy_postgres().await,
        }
    }

    /// An empty database; none where PostgreSQL is not installed.
    pub async fn empty(kind: Kind) -> Option<Database> {
        match kind {
            Kind::Sqlite => {
                let folder = folder("empty");
                Some(Database { kind, url: sqlite_url(&folder), folder: Some(folder) })
            }
            Kind::Postgres => {
                let cluster = cluster()?;
                let name = format!("empty{}", COUNT.fetch_add(1, Ordering::SeqCst));
                cluster.run(&format!("CREATE DATABASE {name}")).await;
                Some(Database { kind, url: cluster.url(&name), folder: None })
            }
        }
    }

    /// The same database, for one more hub. It is there as long as the first.
    pub fn shared(&self) -> Database {
        Database { kind: self.kind, url: self.url.clone(), folder: None }
    }

    async fn copy_sqlite() -> Database {
        static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(|| async {
                let folder = folder("template");
                fill(&sqlite_url(&folder)).await;
                folder
            })
            .await;
        let folder = folder("hub");
        for file in std::fs::read_dir(template).expect("the template") {
            let path = file.expect("a file").path();
            std::fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
        }
        Database { kind: Kind::Sqlite, url: sqlite_url(&folder), folder: Some(folder) }
    }

    async fn copy_postgres() -> Option<Database> {
        static TEMPLATE: OnceCell<()> = OnceCell::const_new();
        // `CREATE DATABASE` takes its template for itself.
        static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let cluster = cluster()?;
        TEMPLATE
            .get_or_init(|| async {
                cluster.run("CREATE DATABASE template_hub").await;
                fill(&cluster.url("template_hub")).await;
            })
            .await;
        let name = format!("hub{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let held = ONE_AT_A_TIME.lock().await;
        cluster.run(&format!("CREATE DATABASE {name} TEMPLATE template_hub")).await;
        drop(held);
        Some(Database { kind: Kind::Postgres, url: cluster.url(&name), folder: None })
    }
}

async fn fill(url: &str) {
    let database = DomainDatabase::connect(url).await.expect("connects");
    prepare_empty(&database).await.expect("the template is made");
    database.close().await;
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("hub.db").display())
}

/// A new folder, in memory where the machine has such a place: the hub insists on fsync, and there it is cheap.
pub fn folder(what: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let count = COUNT.fetch_add(1, Ordering::SeqCst);
    let folder = base.join(format!("samverka-{}-{what}-{count}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

struct Cluster {
    port: u16,
    /// The watchdog's standard input: when this process ends, however it ends, the pipe closes and
    /// PostgreSQL is stopped and removed.
    _watchdog: Child,
}

/// The cluster of this run; none where PostgreSQL is not installed, which CI does not excuse.
fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let start = || match binaries() {
        Some(binaries) => Some(Cluster::start(&binaries)),
        None if std::env::var_os("CI").is_some() => panic!("PostgreSQL is not installed, and CI must test on it"),
        None => None,
    };
    let cluster = CLUSTER.get_or_init(start).as_ref();
    if cluster.is_none() {
        #[expect(clippy::print_stderr, reason = "a skip must be seen")]
        {
            eprintln!("SKIPPED on PostgreSQL: `postgres` and `initdb` are not on PATH nor under /usr/lib/postgresql");
        }
    }
    cluster
}

/// The folder of `postgres` and `initdb`: the newest under /usr/lib/postgresql, else on PATH.
fn binaries() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
}

/// The user that PostgreSQL runs as, where this is root: it refuses root.
fn unprivileged() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    if uid != Some("0") {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("the users");
    let find = |wanted: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut ids = line.split(':').skip(2).map(|id| id.parse().ok());
        Some((ids.next()??, ids.next()??))
    };
    find("postgres").or_else(|| find("nobody"))
}

impl Cluster {
    fn start(binaries: &Path) -> Cluster {
        let folder = folder("postgres");
        let user = unprivileged();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&folder, Some(uid), Some(gid)).expect("chown");
        }
        let data = folder.join("data");
        let as_user = |command: &mut Command| {
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir(&folder);
        };
        let mut initdb = Command::new(binaries.join("initdb"));
        initdb
            .args(["-A", "trust", "-E", "UTF8", "--no-locale", "-U", "samverka", "-D"])
            .arg(&data)
            .stdout(Stdio::null());
        as_user(&mut initdb);
        assert!(initdb.status().expect("initdb runs").success(), "initdb failed");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let script = r#""$1" -D "$2" -k "$3" -c listen_addresses=127.0.0.1 -c port="$4" -c max_connections=400 \
            -c max_parallel_workers_per_gather=0 -c jit=off </dev/null & pid=$!
            cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$3""#;
        let mut watchdog = Command::new("sh");
        watchdog
            .args(["-c", script, "watchdog"])
            .arg(binaries.join("postgres"))
            .arg(&data)
            .arg(&folder)
            .arg(port.to_string());
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        as_user(&mut watchdog);
        let mut watchdog = watchdog.spawn().expect("postgres starts");
        let mut lines = BufReader::new(watchdog.stderr.take().expect("stderr")).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line.contains("ready to accept connections"));
        assert!(ready, "PostgreSQL did not start");
        std::thread::spawn(move || lines.for_each(drop));
        Cluster { port, _watchdog: watchdog }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://samverka@127.0.0.1:{}/{database}", self.port)
    }

    async fn run(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        let admin = sea_orm::Database::connect(self.url("postgres")).await.expect("connects");
        admin.execute_unprepared(sql).await.expect("runs");
        admin.close().await.expect("closes");
    }
}
