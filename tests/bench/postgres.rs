//! A PostgreSQL of the benchmark's own, with the settings of production: what is committed is on disk.

use super::Fault;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running cluster. It stops when this value goes, and its files stay for the next run.
pub struct Cluster {
    port: u16,
    /// The shell that waits for this process to end, and PostgreSQL below it.
    watchdog: Child,
    /// The process id of PostgreSQL's first process.
    pub postmaster: u32,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        _ = self.watchdog.wait();
    }
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
fn unprivileged() -> Result<Option<(u32, u32)>, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next());
    if uid != Some("0") {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let find = |wanted: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut ids = line.split(':').skip(2).map(|id| id.parse().ok());
        Some((ids.next()??, ids.next()??))
    };
    Ok(find("postgres").or_else(|| find("nobody")))
}

impl Cluster {
    /// Starts the cluster in a folder, and makes it first if need be. None where PostgreSQL is not installed.
    pub fn start(folder: &Path) -> Result<Option<Cluster>, Fault> {
        let Some(binaries) = binaries() else { return Ok(None) };
        std::fs::create_dir_all(folder)?;
        let user = unprivileged()?;
        let as_user = |command: &mut Command| {
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command.current_dir(folder);
        };
        let data = folder.join("data");
        if !data.join("PG_VERSION").is_file() {
            if let Some((uid, gid)) = user {
                std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
            }
            let mut initdb = Command::new(binaries.join("initdb"));
            initdb.args(["-A", "trust", "-E", "UTF8", "--no-locale", "-U", "samverka", "-D"]).arg(&data);
            as_user(initdb.stdout(Stdio::null()));
            if !initdb.status()?.success() {
                return Err("initdb failed".into());
            }
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let script = r#""$1" -D "$2" -k "$3" -c listen_addresses=127.0.0.1 -c port="$4" -c shared_buffers=1GB \
            -c max_wal_size=4GB -c checkpoint_timeout=30min </dev/null & pid=$!
            cat >/dev/null; kill -INT $pid; wait $pid"#;
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", script, "watchdog"]).arg(binaries.join("postgres")).arg(&data).arg(folder);
        watchdog.arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        as_user(&mut watchdog);
        let mut watchdog = watchdog.spawn()?;
        let stderr = watchdog.stderr.take().ok_or("no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        if !lines.by_ref().map_while(Result::ok).any(|line| line.contains("ready to accept connections")) {
            return Err("PostgreSQL did not start".into());
        }
        std::thread::spawn(move || lines.for_each(drop));
        let pid = std::fs::read_to_string(data.join("postmaster.pid"))?;
        let postmaster = pid.lines().next().and_then(|line| line.trim().parse().ok()).ok_or("no postmaster.pid")?;
        Ok(Some(Cluster { port, watchdog, postmaster }))
    }

    /// The URL of a database of the cluster.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://samverka@127.0.0.1:{}/{database}", self.port)
    }
}
