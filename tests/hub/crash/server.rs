//! A hub in a process of its own, that can be killed.

use crate::harness::folder;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// How a hub on a sandbox is started: the URL of its database, and the folder of the rules by which it decides.
pub type Build = fn(&str, &Path) -> Command;

/// `samverka serve`, the binary as it is shipped.
pub fn shipped(url: &str, policies: &Path) -> Command {
    let mut command = command(&["serve", "--listen", "127.0.0.1:0", "--database", url, "--policy"]);
    command.arg(policies);
    command
}

/// A running hub.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a hub, and waits until it takes requests.
    pub fn start(build: Build, url: &str, policies: &Path) -> Server {
        let mut command = build(url, policies);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the hub starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout")).lines().map_while(Result::ok);
        let address = |line: String| line.split_once("http://")?.1.split_once("/graphql")?.0.parse().ok();
        let Some(address) = lines.by_ref().find_map(address) else {
            panic!("the hub did not start: {:?}", process.wait());
        };
        std::thread::spawn(move || lines.for_each(drop));
        Server { process, address }
    }

    /// `kill -9`, and waits until nothing of the process is left.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a command of the binary prints.
pub fn run(args: &[&str]) -> String {
    let output = command(args).output().expect("it runs");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).env_remove("DATABASE_URL").env_remove("SAMVERKA_CONFIG").env_remove("RUST_LOG");
    command
}

/// A folder with the rules of the one role that asks here. To read those of all roles takes most of a start.
pub fn policies() -> PathBuf {
    policies_with(&[])
}

/// The same, and more of them.
pub fn policies_with(more: &[&str]) -> PathBuf {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/domain/policy");
    let few = folder("policies");
    for name in ["migration.cedar", "operations.cedar", "existence.cedar", "forbids.cedar"].iter().chain(more) {
        std::fs::copy(all.join(name), few.join(name)).expect("a copy");
    }
    few
}

/// The binary `samverka` of this build. `cargo test --workspace` has made it by now; where only these tests are run it is
/// made here, so that none is killed that is not current.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let own = std::env::current_exe().expect("this binary");
        let profile = own.ancestors().nth(2).expect("target/debug").to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--package", "samverka", "--bin", "samverka", "--target-dir"]);
        cargo.arg(profile.parent().expect("target")).current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "samverka does not build");
        profile.join("samverka")
    })
}
