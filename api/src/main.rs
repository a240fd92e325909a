//! `samverka`: the hub and its commands.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    samverka::cli::run().await
}
