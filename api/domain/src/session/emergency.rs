//! Emergency access: opened at once, for half an hour, told to those who must know, and reviewed afterwards.

use super::consent::read_line;
use super::step::{Step, Stop};
use super::{Session, page_size};
use crate::catalogue::{FieldSet, IdentifierKind, Kind};
use crate::emergency::{LASTS, MOST_A_DAY, MOST_A_DAY_OF_ONE, REASON, Verdict, review_by};
use crate::error::{Error, ErrorCode, Refusal};
use crate::ids::{AgencyId, BreakGlassId, ChildId};
use crate::ledger::{IN_FORCE_WITHIN, Record};
use crate::policy::{Operation, Purpose, Role};
use crate::store::{BreakGlassRow, Review, Write};
use crate::view::Page;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A day, in microseconds.
const DAY: i64 = 24 * 3_600_000_000;
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

impl Step<'_> {
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
            let id = self.hub.dice.id();
            let write = self.begin(Uuid::nil(), id).await?;
            self.may_open(&write).await?;
            let child = self.find_named(&write, &named).await?;
            let row = self.new_break_glass(id, child, reason)?;
            let until = row.review_by;
            write.insert_break_glass(row).await?;
            if let Some(child) = child {
                self.tell_of_break_glass(&write, child, id, until).await?;
            }
            write.commit().await?;
            Ok(id)
        };
        let result = async {
            let id = self.made(result.await)?;
            self.opened(id).await
        };
        self.refused(result.await)
    }

    /// An access as it was opened; none where nothing was found to open.
    async fn opened(&self, id: Uuid) -> Result<Opened, Error> {
        let row = self.reader().await?.break_glass(id).await?.ok_or(Error::NotFound)?;
        let Some(child) = row.child else {
            self.note(|draft| draft.miss());
            return Err(Error::NotFound);
        };
        if let Some(subject) = self.reader().await?.subject(child).await? {
            self.note(|draft| draft.look_up(subject));
        }
        let (id, child) = (BreakGlassId(id).to_string(), ChildId(child).to_string());
        Ok(Opened { id, child, until: row.until, review_by: row.review_by })
    }

    async fn may_open(&self, write: &Write) -> Result<(), Error> {
        let (agency, user) = (self.caller.agency.id, self.caller.user.as_deref());
        if write.review_is_overdue(agency, self.now).await? {
            return Err(Error::Code(ErrorCode::ReviewPending));
        }
        let since = self.now.saturating_sub(DAY);
        let of_agency = write.opened_since(agency, None, since).await?;
        let of_one = match user {
            Some(user) => write.opened_since(agency, Some(user), since).await?,
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

    /// The child to open, locked: none that is sealed, and none from which the caller's agency is kept.
    async fn find_named(&self, write: &Write, named: &Named) -> Result<Option<Uuid>, Error> {
        let child = match named {
            Named::Child(id) => id.parse::<ChildId>().map(|id| id.0).unwrap_or_default(),
            Named::Number(kind, value) => match write.children_with(*kind, value).await?.as_slice() {
                [] => Uuid::nil(),
                [one] => *one,
                _ => return Err(Error::refused(ErrorCode::Ambiguous, ["identifier", "value"])),
            },
        };
        write.lock(child).await?;
        let own = self.caller.agency.id;
        let is_there = write.standing(own, child, self.now, false).await?.is_some();
        let is_blocked = write.open_block(child, own).await?.is_some();
        Ok(Some(child).filter(|_| is_there && !is_blocked))
    }

    fn new_break_glass(&self, id: Uuid, child: Option<Uuid>, reason: String) -> Result<BreakGlassRow, Error> {
        let caller = &self.caller;
        // What was not found is open for no time.
        let lasts = if child.is_some() { LASTS } else { 0 };
        Ok(BreakGlassRow {
            id,
            child,
            agency: caller.agency.id,
            role: caller.role,
            user: caller.user.clone(),
            purpose: self.purpose()?,
            reason,
            opened_at: self.now,
            until: self.now.saturating_add(lasts),
            review_by: review_by(self.now),
            reviewed_at: None,
            verdict: None,
            comment: None,
        })
    }

    async fn tell_of_break_glass(&self, write: &Write, child: Uuid, id: Uuid, review_by: i64) -> Result<(), Error> {
        let standing = write.standing(self.caller.agency.id, child, self.now, false).await?;
        if let Some(standing) = standing {
            self.note(|draft| draft.change(standing.subject, "breakGlass", FieldSet::EMPTY));
        }
        let lead = standing.map(|standing| standing.lead);
        let officers = write.officers().await?;
        for told in lead.into_iter().chain(officers) {
            write.event(child, "BREAK_GLASS_OPENED", &[], Some(id), Some(told), self.now).await?;
        }
        write.set_deadline(self.hub.dice.id(), child, "BREAK_GLASS", id, "REVIEW", review_by).await?;
        Ok(())
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
            let subject = self.reader().await?.subject(child).await?.ok_or(Error::NotFound)?;
            let write = self.begin(child, id).await?;
            write.lock(child).await?;
            let row = write.break_glass(id).await?.ok_or(Error::NotFound)?;
            if let Some(verdict) = row.verdict {
                let refusal = Refusal::in_state(["breakGlassId"], verdict.code(), []);
                return Err(Error::Refused(vec![refusal]).into());
            }
            let (by, user) = (self.caller.agency.id, self.caller.user.clone());
            write.review(id, Review { verdict, comment, at: self.now, by, user }).await?;
            write.cancel_deadlines(id, self.now).await?;
            write.event(child, "BREAK_GLASS_REVIEWED", &[], Some(id), Some(row.agency), self.now).await?;
            write.commit().await?;
            self.note(|draft| draft.change(subject, "reviewBreakGlass", FieldSet::EMPTY));
            Ok::<_, Stop>(id)
        };
        let result = async {
            let id = self.made(result.await)?;
            self.hub.index().await?;
            self.forget().await?;
            let row = self.reader().await?.break_glass(id).await?.ok_or(Error::NotFound)?;
            self.break_glass_view(row).await?.ok_or(Error::NotFound)
        };
        self.refused(result.await)
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
        self.refused(result.await)
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
