//! Looking is signalling: who looked at a child while it was missing, for whoever leads the case.

use super::episode::permit_to_know;
use super::{Session, page_size};
use crate::error::{Error, ErrorCode};
use crate::ids::AgencyId;
use crate::policy::Role;
use crate::view::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// That an agency looked at a child: not why.
#[derive(Clone, Debug)]
pub struct LookupView {
    pub agency: AgencyId,
    pub role: Role,
    /// The first look of the hour, in microseconds since 1970.
    pub at: i64,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl Session {
    /// Who looked at a child while it was missing, latest first, one an agency and hour: for the agency that leads the case.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN` for whoever knows the child and does not lead its case, or may not know of a search;
    /// [`Error::NotFound`] as [`Session::child`]; `PAGE_SIZE`, `INVALID_CURSOR`, `INVALID_ID`, `PURPOSE_REQUIRED`.
    pub async fn lookups(
        &self,
        child: &str,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<LookupView>, Error> {
        let result = async {
            self.purpose()?;
            let size = page_size(first)?;
            // The log's index tells of them; before the request's snapshot, so that it is up to date.
            self.hub.index().await?;
            let gate = self.known_child(child).await?;
            // A look tells that the child was missing: to whoever may know of the search, not to serve a return.
            if gate.standing().lead != self.caller.agency.id || permit_to_know(&gate).is_err() {
                return Err(Error::Code(ErrorCode::OperationForbidden));
            }
            let id = gate.standing().child;
            let list = format!("lookups|{id}");
            let before = after.map(|cursor| self.lookup_position(&list, cursor)).transpose()?;
            let mut rows = self.reader().await?.lookups(id, before, size as u64 + 1).await?;
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            let has_next = rows.len() > size;
            rows.truncate(size);
            let items = rows.into_iter().map(|row| {
                let position = serde_json::to_vec(&Position(row.at, row.agency.0)).unwrap_or_default();
                (self.cursor(&list, &position), LookupView { agency: row.agency, role: row.role, at: row.at })
            });
            Ok(Page { items: items.collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    fn lookup_position(&self, list: &str, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(list, cursor)?;
        let Position(at, agency) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, agency))
    }
}
