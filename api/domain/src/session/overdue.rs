//! Handovers that are overdue: to their parties, and to the coordinators of the counties.

use super::{Session, page_size};
use crate::error::{Error, ErrorCode};
use crate::ids::{AgencyId, HandoverId};
use crate::policy::{Operation, Role};
use crate::store::{OverdueRow, Whose};
use crate::view::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const OVERDUE: &str = "overdueHandovers";

/// A handover whose expected arrival has passed without anybody confirming it. Nothing here tells who the child is.
#[derive(Clone, Debug)]
pub struct OverdueView {
    /// The id of the handover, to its parties.
    pub id: Option<String>,
    /// The kind of handover.
    pub kind: String,
    pub from: AgencyId,
    pub to: AgencyId,
    /// When the child was expected. Microseconds since 1970.
    pub expected_at: i64,
    /// Since when it is overdue. Microseconds since 1970.
    pub overdue_at: i64,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl Session {
    /// The handovers that are overdue: the caller's own, as sender or receiver; for a county board those of its county, from the
    /// moment on at which its coordinator was told. The longest overdue come first.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN` for a role that is no party of handovers and watches over none; `PAGE_SIZE`, `INVALID_CURSOR`,
    /// `PURPOSE_REQUIRED`.
    pub async fn overdue_handovers(&self, first: Option<i32>, after: Option<&str>) -> Result<Page<OverdueView>, Error> {
        let result = async {
            let size = page_size(first)?;
            let watches = self.may(Operation::WatchHandovers).is_ok();
            let whose = self.whose_handovers(watches)?;
            let after = after.map(|cursor| self.overdue_position(cursor)).transpose()?;
            let mut rows = self.reader().await?.overdue_handovers(&whose, after, size as u64 + 1).await?;
            let has_next = rows.len() > size;
            rows.truncate(size);
            let item = |row: OverdueRow| {
                let OverdueRow { id, subject, kind, from, to, expected_at, overdue_at } = row;
                self.note(|draft| draft.look_up(subject));
                let position = serde_json::to_vec(&Position(overdue_at, id)).unwrap_or_default();
                let id = (!watches).then(|| HandoverId(id).to_string());
                (self.cursor(OVERDUE, &position), OverdueView { id, kind, from, to, expected_at, overdue_at })
            };
            Ok(Page { items: rows.into_iter().map(item).collect(), has_next })
        };
        self.refused(Box::pin(result).await)
    }

    fn whose_handovers(&self, watches: bool) -> Result<Whose, Error> {
        let own = &self.caller.agency;
        self.purpose()?;
        if watches {
            let county = own.county_code();
            let within =
                self.hub.agencies().into_iter().filter(|agency| county.is_some() && agency.county_code() == county);
            return Ok(Whose::County(within.map(|agency| agency.id).collect()));
        }
        match self.caller.role {
            Role::CountyBoard | Role::DataProtection | Role::SystemAdmin => {
                Err(Error::Code(ErrorCode::OperationForbidden))
            }
            _ => Ok(Whose::Party(own.id)),
        }
    }

    fn overdue_position(&self, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(OVERDUE, cursor)?;
        let Position(at, id) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, id))
    }
}
