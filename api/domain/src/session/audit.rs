//! Reading the access log.

use super::{Session, page_size};
use crate::error::{Error, ErrorCode};
use crate::ledger::Record;
use crate::policy::Operation;
use crate::store::LedgerRow;
use crate::view::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const ACCESS_LOG: &str = "accessLog";

/// One showing of one child, as the access log tells of it.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Microseconds since 1970.
    pub at: i64,
    /// The lane and the place in it.
    pub place: String,
    pub request: String,
    pub agency: String,
    pub role: String,
    pub client: String,
    pub user: Option<String>,
    pub purpose: Option<String>,
    pub case: Option<String>,
    pub operation: String,
    pub relation: Option<String>,
    pub shown: Vec<String>,
    pub withheld: Vec<String>,
    /// The fields that were written.
    pub changed: Vec<String>,
    pub rules: Vec<String>,
    pub policy: String,
    pub hash: String,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid, i64);

impl Session {
    /// Who was shown what of a child, latest first: by the caller's own agency; for the data
    /// protection officer by all. A child that is not there, or that nobody was shown, has no entries.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`, `PAGE_SIZE`, `INVALID_CURSOR`, `INVALID_ID`, `PURPOSE_REQUIRED`.
    pub async fn access_log(
        &self,
        child: &str,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<LogEntry>, Error> {
        let result = async {
            let everyone = self.may(Operation::ReadEveryLog).is_ok();
            if !everyone {
                self.may(Operation::ReadOwnLog)?;
            }
            let size = page_size(first)?;
            let before = after.map(|cursor| self.log_position(cursor)).transpose()?;
            let child = match self.child_id(child) {
                Err(Error::NotFound) => Uuid::nil(),
                other => other?,
            };
            // Before the request's snapshot, unless a child beside this field has begun it: the log is then as of that
            // instant, too. A later one for the child would decide on one instant and read at another.
            self.hub.index().await?;
            let reader = self.reader().await?;
            let Some(subject) = reader.subject(child).await? else {
                return Ok(Page { items: Vec::new(), has_next: false });
            };
            let own = (!everyone).then_some(self.caller.agency.id);
            let mut rows = reader.ledger_of(subject, own, before, size as u64 + 1).await?;
            // A look at the log is a look at the child; but to whoever never saw it, not even its own look may tell
            // that it is there.
            if everyone || !rows.is_empty() {
                self.note(|draft| draft.look_up(subject));
            }
            let has_next = rows.len() > size;
            rows.truncate(size);
            let items = rows.into_iter().filter_map(|row| self.log_entry(row, subject)).collect();
            Ok(Page { items, has_next })
        };
        self.refused(Box::pin(result).await)
    }

    fn log_position(&self, cursor: &str) -> Result<(i64, Uuid, i64), Error> {
        let position = self.position(ACCESS_LOG, cursor)?;
        let Position(at, lane, seq) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, lane, seq))
    }

    fn log_entry(&self, row: LedgerRow, subject: Uuid) -> Option<(String, LogEntry)> {
        let LedgerRow { lane, seq, at, record, hash } = row;
        let record: Record = serde_json::from_str(&record).ok()?;
        let position = serde_json::to_vec(&Position(at, lane, seq)).ok()?;
        let told = record.about(subject);
        let entry = LogEntry {
            at,
            place: format!("{lane}/{seq}"),
            request: record.request,
            agency: record.agency,
            role: record.role,
            client: record.client,
            user: record.user,
            purpose: record.purpose,
            case: record.case,
            operation: record.operation,
            relation: told.relation,
            shown: told.shown.into_iter().collect(),
            withheld: told.withheld.into_iter().collect(),
            changed: told.changed.into_iter().collect(),
            rules: told.rules.into_iter().collect(),
            policy: record.policy,
            hash,
        };
        Some((self.cursor(ACCESS_LOG, &position), entry))
    }
}
