//! One request of one caller: every operation is a method here, and only a verified [`Caller`] opens one.

mod agencies;
mod audit;
mod change;
mod checklist;
mod consent;
mod emergency;
mod episode;
mod feed;
mod handover;
mod involvement;
mod list;
mod lookup;
mod overdue;
mod photo;
mod read;
mod register;
mod responsibility;
mod step;
mod submission;
mod suggest;
mod whereabouts;
mod write;

pub use audit::LogEntry;
pub(crate) use change::Turns;
pub use consent::{BlockView, ConsentView, InForce, NewConsent};
pub use emergency::{BreakGlassView, Named, Opened};
pub use episode::{EpisodeSelection, NewEpisode, PoliceReport, SearchUpdate};
pub use feed::{ChangeView, Changes};
pub use handover::{Assignment, NewHandover, Taken};
pub use list::ListRequest;
pub use lookup::LookupView;
pub use overdue::OverdueView;
pub use photo::{NewPhoto, PhotoBytes};
pub use register::{NewChild, NewIdentifier};
pub(crate) use step::REMEMBERED;
pub use step::{Idempotency, Step};
pub use submission::{NewSubmission, SubmissionReceipt, SubmissionView, Verdict};
pub use suggest::Correction;
pub use write::Patch;

use crate::caller::Caller;
use crate::error::{Error, ErrorCode};
use crate::gate::Gate;
use crate::hub::Inner;
use crate::ids::{AgencyId, ChildId};
use crate::keys::Keys;
use crate::ledger::{Draft, Record, Released};
use crate::policy::{Operation, Purpose, Role};
use crate::store::{Party, Snapshot, Standing};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// What the face knows of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The id that answers carry in `X-Request-Id`.
    pub id: String,
    /// The kind of operation and its root fields: `query child me`.
    pub operation: String,
    /// The key under which a mutation may be repeated.
    pub idempotency: Option<Idempotency>,
    /// The document has one field at its root, and no other reads or writes beside it.
    pub alone: bool,
}

/// One request of one caller. It reads one instant of the record, and notes what it shows.
pub struct Session {
    hub: Arc<Inner>,
    caller: Caller,
    request: Request,
    now: i64,
    snapshot: tokio::sync::Mutex<Option<Snapshot>>,
    draft: Mutex<Draft>,
    /// A change was made, or may have been: it is not to be made again.
    has_begun: AtomicBool,
}

impl Session {
    pub(crate) fn new(hub: Arc<Inner>, caller: Caller, request: Request) -> Self {
        let now = hub.clock.now();
        let (snapshot, draft, has_begun) = Default::default();
        Session { hub, caller, request, now, snapshot, draft, has_begun }
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The purposes that a caller of this role may state.
    pub fn purposes(&self) -> impl Iterator<Item = Purpose> + '_ {
        Purpose::ALL.iter().copied().filter(|purpose| self.hub.engine.may_declare(self.caller.role, *purpose))
    }

    /// The rules that concern a role, for `fieldRules`.
    pub fn engine(&self) -> &crate::policy::Engine {
        self.hub.engine
    }

    /// Commits the row that tells of this session, and lets its answer go.
    pub(crate) async fn release<T>(&self, answer: T) -> Result<Released<T>, Error> {
        if let Some(snapshot) = self.snapshot.lock().await.take() {
            snapshot.end();
        }
        let draft = std::mem::take(&mut *self.draft.lock().unwrap_or_else(PoisonError::into_inner));
        let Request { id, operation, .. } = &self.request;
        let record = Record::new(&self.caller, id, operation, self.hub.engine, draft);
        #[cfg(debug_assertions)]
        self.hub.held.wait(operation).await;
        self.hub.ledger.release(answer, record).await
    }

    /// Whether a change was made, or may have been.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::SeqCst)
    }

    /// Notes that a change was made, or may have been.
    fn begin(&self) {
        self.has_begun.store(true, Ordering::SeqCst);
    }

    /// Refuses a request before it begins: for a purpose that is not its caller's to state, or a key of another request.
    pub(crate) async fn admit(&self) -> Result<(), Error> {
        let Caller { role, purpose, .. } = &self.caller;
        if purpose.is_some_and(|purpose| !self.hub.engine.may_declare(*role, purpose)) {
            return Err(Error::Code(ErrorCode::PurposeNotAllowed));
        }
        self.admit_key().await
    }

    /// Whether something was refused for this so far.
    pub(crate) fn has_refused(&self, code: ErrorCode) -> bool {
        self.note(|draft| draft.has_refused(code))
    }

    /// Commits the row that tells of a request that was refused before it began.
    pub(crate) async fn release_refusal(&self, error: &Error) -> Result<(), Error> {
        self.note(|draft| draft.refuse(error));
        self.release(()).await.map(|_| ())
    }

    fn note<R>(&self, note: impl FnOnce(&mut Draft) -> R) -> R {
        note(&mut self.draft.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a refusal in the log and passes it on.
    fn refused<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| self.note(|draft| draft.refuse(error)))
    }

    /// The stated purpose; without one no child is touched.
    fn purpose(&self) -> Result<Purpose, Error> {
        self.caller.purpose.ok_or(Error::Code(ErrorCode::PurposeRequired))
    }

    fn may(&self, operation: Operation) -> Result<(), Error> {
        let allowed = self.hub.engine.may(operation, self.caller.role, self.purpose()?);
        allowed.then_some(()).ok_or(Error::Code(ErrorCode::OperationForbidden))
    }

    /// Only partners' access rests on consents.
    fn rests_on_consent(&self) -> bool {
        self.caller.role == Role::Partner
    }

    /// As whom the caller stands to children: an emergency access is its role's, and of the human who opened it, where one
    /// was named; a consent is for a purpose.
    fn party(&self) -> Result<Party<'_>, Error> {
        let (caller, purpose) = (&self.caller, self.purpose()?);
        let emergency = self.hub.engine.may(Operation::BreakGlass, caller.role, purpose);
        let emergency = emergency.then_some((caller.role, caller.user.as_deref().unwrap_or_default()));
        Ok(Party { agency: caller.agency.id, emergency, purpose: Some(purpose) })
    }

    fn gate(&self, standing: Standing) -> Result<Gate<'_>, Error> {
        Ok(Gate::new(&self.hub, &self.caller, self.purpose()?, standing))
    }

    /// The id under which the caller knows a child: partners have ids of their own, which mean
    /// nothing to anyone else.
    fn public_id(&self, child: Uuid) -> String {
        let child = ChildId(child);
        if self.rests_on_consent() {
            sealed_id(&self.hub.keys, child, self.caller.agency.id)
        } else {
            child.to_string()
        }
    }

    /// The child that an id stands for, for this caller. A well-formed id that stands for nothing is
    /// [`Error::NotFound`], as one of another caller's is.
    fn child_id(&self, text: &str) -> Result<Uuid, Error> {
        if !self.rests_on_consent() {
            return text
                .parse::<ChildId>()
                .map(|id| id.0)
                .map_err(|_| Error::refused_for(ErrorCode::InvalidId, ["id"], ChildId::PREFIX));
        }
        let sealed = text.strip_prefix(ChildId::PREFIX).and_then(|rest| rest.strip_prefix('_'));
        let sealed = sealed.filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        let sealed = sealed.ok_or_else(|| Error::refused_for(ErrorCode::InvalidId, ["id"], ChildId::PREFIX))?;
        let opened = self.hub.keys.open(sealed, &self.pairwise());
        opened.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or(Error::NotFound)
    }

    fn pairwise(&self) -> String {
        pairwise(self.caller.agency.id)
    }

    fn cursor(&self, list: &str, position: &[u8]) -> String {
        self.hub.keys.seal(position, &self.cursor_use(list))
    }

    fn position(&self, list: &str, cursor: &str) -> Result<Vec<u8>, Error> {
        let opened = self.hub.keys.open(cursor, &self.cursor_use(list));
        opened.ok_or_else(|| Error::refused(ErrorCode::InvalidCursor, ["after"]))
    }

    fn cursor_use(&self, list: &str) -> String {
        format!("{list}|{}|{}", self.caller.agency.id, self.caller.role)
    }
}

/// The id under which a partner knows a child.
pub(crate) fn sealed_id(keys: &Keys, child: ChildId, partner: AgencyId) -> String {
    format!("{}_{}", ChildId::PREFIX, keys.seal(child.0.as_bytes(), &pairwise(partner)))
}

fn pairwise(partner: AgencyId) -> String {
    format!("child|{partner}")
}

/// `first`, from 1 to 100; 25 where it is not given.
fn page_size(first: Option<i32>) -> Result<usize, Error> {
    let size = first.unwrap_or(25);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    size.ok_or_else(|| Error::refused(ErrorCode::PageSize, ["first"]))
}
