//! The hub, tried as its callers try it: over HTTP, with tokens, on SQLite and on PostgreSQL.
//!
//! Each behaviour is one async function that takes a [`harness::Hub`]; [`both!`] makes a test of it on
//! each database. A hub has its own database with the sandbox's agencies, a clock that the test sets, and
//! one caller per role. [`harness::Scene`] puts a child there whose every field holds a canary: a value that is
//! found nowhere else, so that one look at an answer tells what was shown.
//!
//! PostgreSQL is started by the harness itself, once per run. Where it is not installed the tests on it are
//! skipped and say so; in CI (`CI=true`) they fail.

mod access;
mod auth;
mod changes;
mod checklist;
mod consent;
mod corpus;
mod crash;
mod deadline;
mod emergency;
mod entries;
mod episode;
mod feed;
mod gate;
mod guides;
mod handover;
mod harness;
mod http;
mod idempotency;
mod identifiers;
mod inputs;
#[cfg(debug_assertions)]
mod interference;
mod involvement;
mod ledger;
mod lists;
mod looks;
mod metrics;
mod oracle;
mod photo;
mod placement;
mod playground;
mod protection;
mod readme;
mod repository;
mod results;
mod sandbox;
mod spans;
mod statements;
mod story;
mod submission;
mod suggestions;
mod versions;
mod write;
