//! Emergency access: opened at once, for half an hour, told to those who must know, and reviewed afterwards.

use super::change::{Admits, Reading, Work};
use super::consent::read_line;
use super::step::{Step, Stop};
use super::{Session, page_size};
use crate::agency::AgencyKind;
use crate::catalogue::{FieldSet, IdentifierKind, Kind};
use crate::emergency::{DAY, LASTS, MOST_A_DAY, MOST_A_DAY_OF_ONE, REASON, Verdict, review_by};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::{EventKind, To};
use crate::ids::{AgencyId, BreakGlassId, ChildId};
use crate::ledger::{IN_FORCE_WITHIN, Record};
use crate::policy::{Operation, Purpose, Role};
use crate::store::{BreakGlassRow, Review};
use crate::view::Page;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many rows of the log are read of one access.
const ROWS: u64 = 500;
/// A comment.
const COMMENT: Kind = Kind::Text(1000);
const REVIEWS: &str = "breakGlassReviews";

/// Whose record is opened.
#[derive(Clone, Debug)]
pub enum Named {
    /// By the id that agencies use.
    Child(String),
    /// By a number.
    Number(IdentifierKind, String),
}

/// An emergency access that is open.
#[derive(Clone, Debug)]
pub struct Opened {
    pub id: String,
    /// The child, by the id that agencies use.
    pub child: String,
    /// Microseconds since 1970.
    pub until: i64,
    /// Microseconds since 1970.
    pub review_by: i64,
}

/// An emergency access, for whoever reviews it.
#[derive(Clone, Debug)]
pub struct BreakGlassView {
    pub id: String,
    pub child: String,
    pub agency: AgencyId,
    pub role: Role,
    pub user: Option<String>,
    pub purpose: Purpose,
    pub reason: String,
    /// Microseconds since 1970.
    pub opened_at: i64,
    /// Microseconds since 1970.
    pub until: i64,
    /// Microseconds since 1970.
    pub review_by: i64,
    /// The fields that were shown meanwhile to whoever opened it, by the access log.
    pub shown: Vec<String>,
    /// Microseconds since 1970.
    pub reviewed_at: Option<i64>,
    pub verdict: Option<Verdict>,
    pub comment: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl<'s> Step<'s> {
    /// Opens the record of a child in an emergency, for the caller's agency and role, and for the human behind it alone where
    /// one is named. Here a child that is there and one that is not answer differently: that is what it is for. So each use
    /// is counted, kept, told to those who lead the case and to data protection at once, and reviewed.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`; `REVIEW_PENDING` while a use of the agency was not reviewed in time; `TOO_MANY_TODAY`;
    /// [`Error::NotFound`] where there is no such child, its record is sealed, or the caller is kept from it: the use counts
    /// all the same; `AMBIGUOUS`; [`Error::Refused`] for a reason that is too short or too long, and for a number that cannot be one.
    pub async fn break_glass(&self, named: &Named, reason: &str) -> Result<Opened, Error> {
        let result = async {
            self.may(Operation::BreakGlass)?;
            let reason = read_reason(reason)?;
            let named = self.read_named(named)?;
            let row = self.new_break_glass(reason)?;
            let id = row.id;
            // What was done before is not counted, nor refused, once more.
            self.go_apart(id).await?;
            self.may_open().await?;
            let opened = match self.find_named(&named).await? {
                Some(child) => self.open_record(child, &row).await,
                None => Err(Error::NotFound.into()),
            };
            match opened {
                Err(Stop::Refused(Error::NotFound)) => self.keep_missed(row).await?,
                opened => opened?,
            }
            Ok(id)
        };
        let result = async {
            let id = self.made(Box::pin(result).await)?;
            self.opened(id).await
        };
        self.refused(Box::pin(result).await)
    }

    async fn open_record(&self, child: Uuid, row: &BreakGlassRow) -> Result<(), Stop> {
        let reviewer = self.hub.agencies().into_iter().find(|agency| agency.kind == AgencyKind::DataProtection);
        let reviewer = reviewer.map(|agency| agency.id);
        let decide = |mut work: Work<'s>| async move {
            let standing = *work.gate.standing();
            if standing.blocked {
                return Err(Error::NotFound);
            }
            // Others may have used up what was left meanwhile.
            self.may_open().await?;
            work.write.insert_break_glass(row.clone());
            let to = To::some([Some(standing.lead), reviewer]);
            work.write.event(EventKind::BreakGlassOpened, FieldSet::EMPTY, Some(row.id), to);
            work.write.set_deadline("BREAK_GLASS", row.id, "REVIEW", row.review_by)?;
            work.note("breakGlass", FieldSet::EMPTY);
            Ok(work)
        };
        self.decide_on(child, row.id, Reading::Several, Admits::Anyone, decide).await.map(|_| ())
    }

    /// Keeps a use that found nothing to open: it is open for no time.
    async fn keep_missed(&self, row: BreakGlassRow) -> Result<(), Stop> {
        let claim = self.go_apart(row.id).await?;
        let row = BreakGlassRow { until: row.opened_at, ..row };
        let kept = self.hub.store.keep_missed_break_glass(row, claim.as_ref()).await;
        let is_kept = self.settle(kept, claim.as_ref())?;
        is_kept.then_some(()).ok_or_else(|| Error::Code(ErrorCode::TooManyToday).into())
    }

    /// An access as it was opened; none where nothing was found to open.
    async fn opened(&self, id: Uuid) -> Result<Opened, Error> {
        let row = self.reader().await?.break_glass(id).await?.ok_or(Error::NotFound)?;
        let Some(child) = row.child else {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        };
        let subject = self.reader().await?.subject(child).await?;
        if let Some(subject) = subject {
            self.note(|draft| draft.look_up(subject));
        }
        let (id, child) = (BreakGlassId(id).to_string(), ChildId(child).to_string());
        Ok(Opened { id, child, until: row.until, review_by: row.review_by })
    }

    async fn may_open(&self) -> Result<(), Error> {
        let (agency, user) = (self.caller.agency.id, self.caller.user.as_deref());
        let reader = self.reader().await?;
        if reader.review_is_overdue(agency, self.now).await? {
            return Err(Error::Code(ErrorCode::ReviewPending));
        }
        let since = self.now.saturating_sub(DAY);
        let of_agency = reader.opened_since(agency, None, since).await?;
        let of_one = match user {
            Some(user) => reader.opened_since(agency, Some(user), since).await?,
            None => 0,
        };
        let is_often = of_agency >= MOST_A_DAY || of_one >= MOST_A_DAY_OF_ONE;
        if is_often { Err(Error::Code(ErrorCode::TooManyToday)) } else { Ok(()) }
    }

    fn read_named(&self, named: &Named) -> Result<Named, Error> {
        match named {
            Named::Child(id) => {
                let id = id.parse::<ChildId>();
                let id = id.map_err(|_| Error::refused_for(ErrorCode::InvalidId, ["childId"], ChildId::PREFIX))?;
                Ok(Named::Child(id.to_string()))
            }
            Named::Number(kind, value) => {
                let path = || vec!["identifier".to_owned(), "value".to_owned()];
                let value = kind.normalise(value);
                let value = value.map_err(|e| Error::Refused(vec![Refusal::of_value(path(), e)]))?;
                Ok(Named::Number(*kind, value))
            }
        }
    }

    /// The child to open: none that is sealed, and none from which the caller's agency is kept.
    async fn find_named(&self, named: &Named) -> Result<Option<Uuid>, Error> {
        let reader = self.reader().await?;
        let child = match named {
            Named::Child(id) => id.parse::<ChildId>().map(|id| id.0).unwrap_or_default(),
            Named::Number(kind, value) => match reader.children_with(*kind, value).await?.as_slice() {
                [] => Uuid::nil(),
                [one] => *one,
                _ => return Err(Error::refused(ErrorCode::Ambiguous, ["identifier", "value"])),
            },
        };
        let found = reader.found(self.caller.agency.id, child, self.now, false).await?;
        Ok(found.filter(|found| !found.standing.blocked).map(|_| child))
    }

    fn new_break_glass(&self, reason: String) -> Result<BreakGlassRow, Error> {
        let caller = &self.caller;
        Ok(BreakGlassRow {
            id: self.hub.dice.id(),
            child: None,
            agency: caller.agency.id,
            role: caller.role,
            user: caller.user.clone(),
            purpose: self.purpose()?,
            reason,
            opened_at: self.now,
            until: self.now.saturating_add(LASTS),
            review_by: review_by(self.now),
            reviewed_at: None,
            verdict: None,
            comment: None,
        })
    }

    /// Keeps what the review of an emergency access says; a late one, too.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`; [`Error::NotFound`]; `CONFLICT` with the state if it was reviewed before; [`Error::Refused`].
    pub async fn review_break_glass(
        &self,
        id: &str,
        verdict: Verdict,
        comment: Option<&str>,
    ) -> Result<BreakGlassView, Error> {
        let result = async {
            self.may(Operation::ReviewBreakGlass)?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["breakGlassId"], BreakGlassId::PREFIX);
            let id = id.parse::<BreakGlassId>().map_err(wrong)?.0;
            let comment = comment.map(|text| read_line(text, "comment", COMMENT)).transpose()?;
            let found = self.reader().await?.break_glass(id).await?.and_then(|row| row.child);
            let child = found.ok_or(Error::NotFound)?;
            let (by, user) = (self.caller.agency.id, self.caller.user.clone());
            let review = &Review { verdict, comment, at: self.now, by, user };
            let decide = |mut work: Work<'s>| async move {
                let row = self.unreviewed(id).await?;
                work.write.review(id, review.clone());
                work.write.cancel_deadlines(id, self.now);
                work.write.event(EventKind::BreakGlassReviewed, FieldSet::EMPTY, Some(id), row.agency);
                work.note("reviewBreakGlass", FieldSet::EMPTY);
                Ok(work)
            };
            match self.decide_on(child, id, Reading::Several, Admits::Anyone, decide).await {
                // Nobody may know of the child any more; what was done before is reviewed all the same.
                Err(Stop::Refused(Error::NotFound)) => self.review_sealed(id, child, review).await?,
                // What is shown to whoever reviews does not follow from what it is to the child.
                done => done.map(|_| self.note(|draft| draft.undecide(child)))?,
            }
            Ok::<_, Stop>(id)
        };
        let result = async {
            let id = self.made(Box::pin(result).await)?;
            self.hub.index().await?;
            self.forget().await?;
            let row = self.reader().await?.break_glass(id).await?.ok_or(Error::NotFound)?;
            self.break_glass_view(row).await?.ok_or(Error::NotFound)
        };
        self.refused(Box::pin(result).await)
    }

    async fn review_sealed(&self, id: Uuid, child: Uuid, review: &Review) -> Result<(), Stop> {
        let claim = self.go_apart(id).await?;
        self.unreviewed(id).await?;
        let subject = self.reader().await?.subject(child).await?.ok_or(Error::NotFound)?;
        self.forget().await?;
        let kept = self.hub.store.review_apart(id, review.clone(), claim.as_ref()).await;
        if !self.settle(kept, claim.as_ref())? {
            self.unreviewed(id).await?;
        }
        self.note(|draft| draft.change(subject, "reviewBreakGlass", FieldSet::EMPTY));
        Ok(())
    }

    /// An access that was not reviewed.
    async fn unreviewed(&self, id: Uuid) -> Result<BreakGlassRow, Error> {
        let row = self.reader().await?.break_glass(id).await?.ok_or(Error::NotFound)?;
        match row.verdict {
            None => Ok(row),
            Some(verdict) => Err(Error::Refused(vec![Refusal::in_state(["breakGlassId"], verdict.code(), [])])),
        }
    }
}

impl Session {
    /// The emergency accesses, latest first: who, when, why, and what was shown.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`, `PAGE_SIZE`, `INVALID_CURSOR`, `PURPOSE_REQUIRED`.
    pub async fn break_glass_reviews(
        &self,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<BreakGlassView>, Error> {
        let result = async {
            self.may(Operation::ReviewBreakGlass)?;
            let size = page_size(first)?;
            let before = after.map(|cursor| self.review_position(cursor)).transpose()?;
            self.hub.index().await?;
            let mut rows = self.reader().await?.break_glasses(before, size as u64 + 1).await?;
            let has_next = rows.len() > size;
            rows.truncate(size);
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let position = serde_json::to_vec(&Position(row.opened_at, row.id)).unwrap_or_default();
                let view = self.break_glass_view(row).await?;
                items.extend(view.map(|view| (self.cursor(REVIEWS, &position), view)));
            }
            Ok(Page { items, has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// An access with what was shown by it; the log is told of the look.
    async fn break_glass_view(&self, row: BreakGlassRow) -> Result<Option<BreakGlassView>, Error> {
        let Some(child) = row.child else { return Ok(None) };
        let reader = self.reader().await?;
        let Some(subject) = reader.subject(child).await? else { return Ok(None) };
        let last = row.until.saturating_add(IN_FORCE_WITHIN);
        let rows = reader.ledger_of(subject, Some(row.agency), Some((last, Uuid::max(), i64::MAX)), ROWS).await?;
        drop(reader);
        let mut shown = BTreeSet::new();
        for entry in rows.into_iter().take_while(|entry| entry.at >= row.opened_at) {
            let Ok(record) = serde_json::from_str::<Record>(&entry.record) else { continue };
            let is_same = record.role == row.role.code() && (row.user.is_none() || record.user == row.user);
            if is_same {
                shown.extend(record.about(subject).shown);
            }
        }
        self.note(|draft| draft.look_up(subject));
        Ok(Some(BreakGlassView {
            id: BreakGlassId(row.id).to_string(),
            child: ChildId(child).to_string(),
            agency: row.agency,
            role: row.role,
            user: row.user,
            purpose: row.purpose,
            reason: row.reason,
            opened_at: row.opened_at,
            until: row.until,
            review_by: row.review_by,
            shown: shown.into_iter().collect(),
            reviewed_at: row.reviewed_at,
            verdict: row.verdict,
            comment: row.comment,
        }))
    }

    fn review_position(&self, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(REVIEWS, cursor)?;
        let Position(at, id) =
            serde_json::from_slice(&position).map_err(|_| Error::refused(ErrorCode::InvalidCursor, ["after"]))?;
        Ok((at, id))
    }
}

fn read_reason(reason: &str) -> Result<String, Error> {
    let reason = read_line(reason, "reason", Kind::Text(*REASON.end()))?;
    if reason.chars().count() < *REASON.start() {
        let expected = format!("{} to {} characters", REASON.start(), REASON.end());
        return Err(Error::refused_for(ErrorCode::InvalidFormat, ["reason"], expected));
    }
    Ok(reason)
}
