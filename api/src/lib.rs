//! The face of Samverka: HTTP and GraphQL over the domain, and the commands.
//!
//! What is true and who may know it is decided in `samverka-domain`; this crate names neither the
//! entities nor sea-orm. A request becomes a [`samverka_domain::caller::Caller`] in [`auth`], runs in a
//! session of the hub, and leaves only as a released answer.

pub mod auth;
pub mod cli;
pub mod collection;
pub mod config;
pub mod graphql;
pub mod http;
pub mod playground;
pub mod sandbox;
pub mod serve;
pub mod spans;
pub mod story;
