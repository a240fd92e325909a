//! A hub that answers before it commits: the rig must find it out.
//!
//! The fault is in no release: see `samverka_domain::fault`. The hub that has it is this test binary, which runs itself again.

use super::{CAUGHT_WITHIN, Rig, Violation};
use crate::harness::Kind;
use samverka::http::Front;
use samverka::serve;
use samverka_domain::clock::Clock;
use samverka_domain::policy::Engine;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// The variable in which the hub that answers too early finds its database.
const DATABASE: &str = "SAMVERKA_TEST_TOO_EARLY";

pub fn too_early(url: &str, _policies: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", "crash::control::the_hub_that_answers_too_early", "--ignored", "--nocapture"]);
    command.env(DATABASE, url);
    command
}

async fn a_hub_that_answers_too_early_is_caught(kind: Kind) {
    let Some(mut rig) = Rig::new(kind, too_early).await else { return };
    let (mut lost, mut unlogged) = (0, 0);
    for _ in 0..CAUGHT_WITHIN {
        rig.round();
        for violation in rig.violations().await {
            lost += usize::from(matches!(violation, Violation::Lost(_)));
            unlogged += usize::from(matches!(violation, Violation::Unlogged(_)));
        }
        if lost > 0 && unlogged > 0 {
            return;
        }
    }
    panic!("{lost} lost changes and {unlogged} showings without a row were found");
}

on! {
    Sqlite a_hub_that_answers_too_early_is_caught_on_sqlite a_hub_that_answers_too_early_is_caught
    Postgres a_hub_that_answers_too_early_is_caught_on_postgres a_hub_that_answers_too_early_is_caught
}

/// Not a test: it serves a sandbox as `samverka serve` does, but for the fault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the rig starts it as a server"]
async fn the_hub_that_answers_too_early() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    samverka_domain::fault::answer_before_commit();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (listener, address) = serve::listen(any).await.expect("listens");
    let sandbox = serve::sandbox(&url, Engine::embedded(), Clock::system(), &mut |_| ()).await.expect("a sandbox");
    #[expect(clippy::print_stdout, reason = "the rig reads it")]
    {
        println!("http://{address}/graphql");
    }
    serve::run(sandbox.hub, sandbox.service, Front::Nothing, listener, serve::Metrics::Nowhere).await;
}
