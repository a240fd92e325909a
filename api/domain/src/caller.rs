//! Who asks.

use crate::agency::Agency;
use crate::policy::{Purpose, Role};
use std::sync::Arc;

/// A verified caller. The face makes one from a token whose signature, issuer, audience, lifetime and
/// role it has checked; a session opens for nothing else.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The agency, from the configuration of the token's issuer.
    pub agency: Arc<Agency>,
    /// The one role of the token.
    pub role: Role,
    /// The agency's system (`client_id`).
    pub client: String,
    /// The token's issuer.
    pub issuer: String,
    /// The human behind the system (`Samverka-User`), opaque.
    pub user: Option<String>,
    /// The caller's own case number (`Samverka-Case`).
    pub case: Option<String>,
    /// Why the request is made (`Samverka-Purpose`).
    pub purpose: Option<Purpose>,
}
