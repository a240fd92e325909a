//! The agencies of the hub: open to every caller.

use super::Session;
use crate::agency::{Agency, AgencyKind};
use crate::error::Error;
use crate::ids::AgencyId;
use std::sync::Arc;

impl Session {
    /// The agencies of a kind, or of a municipality, or all; by name.
    pub fn agencies(&self, kind: Option<AgencyKind>, municipality: Option<&str>) -> Vec<Arc<Agency>> {
        let fits = |agency: &Arc<Agency>| {
            kind.is_none_or(|kind| agency.kind == kind)
                && municipality.is_none_or(|code| agency.municipality.as_deref() == Some(code))
        };
        self.hub.agencies().into_iter().filter(fits).collect()
    }

    /// An agency by its id.
    pub async fn agency(&self, id: AgencyId) -> Result<Option<Arc<Agency>>, Error> {
        self.hub.agency(id).await
    }
}
