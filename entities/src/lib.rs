//! The tables, as sea-orm entities. Only the store of `samverka-domain` may name them.
//!
//! Times are whole microseconds since 1970 (UTC), so that both databases answer alike.

pub mod agency;
pub mod agency_closure;
pub mod asylum;
pub mod block;
pub mod break_glass;
pub mod checklist_item;
pub mod child;
pub mod consent;
pub mod deadline;
pub mod description;
pub mod event;
pub mod follow_up;
pub mod guardianship;
pub mod handover;
pub mod health;
pub mod idempotency;
pub mod identifier;
pub mod identity;
pub mod involvement;
pub mod ledger;
pub mod ledger_indexed;
pub mod ledger_subject;
pub mod lookup;
pub mod missing_episode;
pub mod network;
pub mod photo;
pub mod placement;
pub mod protection;
pub mod responsibility;
pub mod revision;
pub mod risk;
pub mod routine;
pub mod safety_plan;
pub mod schooling;
pub mod setting;
pub mod sighting;
pub mod submission;
pub mod suggestion;
pub mod suggestion_field;
pub mod voice;
