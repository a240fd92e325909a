//! `samverka`: the hub and its commands.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Of SQLite's C code, too.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    samverka::cli::run().await
}
