//! What is true, and who may know it. Knows no HTTP and no GraphQL.
//!
//! `policy/` turns a situation into masks; `gate` turns records into views and is the only way out;
//! `store/` is private and the only code that names entities and sea-orm; `session/` is what a
//! caller can do; `ledger` writes down what was shown before it is shown.

pub mod agency;
mod alarm;
pub mod calendar;
pub mod caller;
pub mod catalogue;
pub mod clock;
mod collation;
pub mod consent;
pub mod emergency;
pub mod episode;
pub mod error;
#[cfg(debug_assertions)]
#[doc(hidden)]
pub mod fault;
pub mod feed;
pub mod figures;
mod gate;
pub mod handover;
pub mod hub;
pub mod identifier;
pub mod ids;
mod keys;
#[doc(hidden)]
pub mod leak;
pub mod ledger;
pub mod list;
pub mod photo;
pub mod policy;
pub mod reference;
pub mod routine;
pub mod session;
mod stamps;
mod store;
pub mod submission;
pub mod suggestion;
pub mod text;
mod timekeeper;
pub mod view;
pub mod world;
