//! One change of a request: a root field, and – under a key of the caller's – one effect however often it is asked for.

use super::Session;
use crate::error::{DatabaseError, Error, ErrorCode};
use crate::store::{Applied, Claim, Claimed, Write};
use crate::view::{ChildView, Selection};
use std::ops::Deref;
use uuid::Uuid;

/// How long what was done under a key is remembered, in microseconds: 72 hours.
pub(crate) const REMEMBERED: i64 = 72 * 3_600_000_000;

/// The key under which a caller repeats a request (`Idempotency-Key`), and what it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key: it means something to this client only.
    pub key: String,
    /// SHA-256 over all that the caller asks by it.
    pub fingerprint: [u8; 32],
}

/// A root field of a mutation. Whatever changes something is a method here.
pub struct Step<'a> {
    session: &'a Session,
    /// The field's response key, which no other root field of the document has.
    field: String,
}

impl Deref for Step<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session
    }
}

/// Why a change is not made.
pub(super) enum Stop {
    Refused(Error),
    /// It was made before: it concerns this child, and made this, or nothing of its own (nil).
    Done(Uuid, Uuid),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Refused(error.into())
    }
}

/// A caller's key as the database knows it: neither the key nor what was asked can be read from it.
struct Blinded {
    holder: String,
    request: String,
}

impl Session {
    /// The change that a root field of a mutation asks for; `field` is its response key.
    pub fn step(&self, field: &str) -> Step<'_> {
        Step { session: self, field: field.to_owned() }
    }

    /// Refuses a request whose key stands for another one, before anything of it is done.
    pub(crate) async fn admit_key(&self) -> Result<(), Error> {
        let Some(Blinded { holder, request }) = self.blinded() else { return Ok(()) };
        let store = &self.hub.store;
        let before = store.request_of(self.caller.agency.id, &holder, self.remembered_since()).await?;
        match before {
            Some(before) if before != request => Err(Error::Code(ErrorCode::IdempotencyKeyReused)),
            _ => Ok(()),
        }
    }

    fn remembered_since(&self) -> i64 {
        self.now.saturating_sub(REMEMBERED)
    }

    fn blinded(&self) -> Option<Blinded> {
        let Idempotency { key, fingerprint } = self.request.idempotency.as_ref()?;
        let (caller, keys) = (&self.caller, &self.hub.keys);
        let purpose = caller.purpose.map_or("", |purpose| purpose.code());
        let asked = data_encoding::HEXLOWER.encode(fingerprint);
        Some(Blinded {
            holder: keys.blind(&["holder", &caller.issuer, &caller.client, key]),
            request: keys.blind(&["request", &asked, caller.role.code(), purpose]),
        })
    }
}

impl<'a> Step<'a> {
    pub(super) fn session(&self) -> &'a Session {
        self.session
    }

    /// Stops what was done before under the caller's key.
    pub(super) async fn stop_if_done(&self, claim: Option<&Claim>) -> Result<(), Stop> {
        let Some(claimed) = claim else { return Ok(()) };
        self.go_on(claim, self.hub.store.claimed(claimed).await?)
    }

    /// Goes on with what is claimed for the first time.
    pub(super) fn go_on(&self, claim: Option<&Claim>, claimed: Claimed) -> Result<(), Stop> {
        match claimed {
            Claimed::New => Ok(()),
            Claimed::Before(outcome) => Err(claim.map_or_else(unknown, |claim| self.done_before(claim, &outcome))),
            Claimed::Reused => Err(Error::Code(ErrorCode::IdempotencyKeyReused).into()),
        }
    }

    /// Makes a change, of what is claimed once; the one place where that is done. Whether it is made: it is not if the child
    /// has changed since it was read.
    pub(super) async fn make(&self, write: Write, claim: Option<&Claim>) -> Result<bool, Stop> {
        #[cfg(debug_assertions)]
        self.hub.holdback.pass().await;
        self.settle(write.apply(claim).await, claim)
    }

    /// Goes on to what is of no child: it is claimed under the caller's key when it is made.
    pub(super) async fn go_apart(&self, made: Uuid) -> Result<Option<Claim>, Stop> {
        self.forget().await?;
        let claim = self.claim(Uuid::nil(), made);
        self.stop_if_done(claim.as_ref()).await?;
        Ok(claim)
    }

    /// What came of a change. Whether it is made.
    pub(super) fn settle(&self, applied: Result<Applied, DatabaseError>, claim: Option<&Claim>) -> Result<bool, Stop> {
        if matches!(applied, Ok(Applied::Done) | Err(_)) {
            self.begin();
        }
        match applied? {
            Applied::Done => Ok(true),
            Applied::Stale => Ok(false),
            Applied::Before(outcome) => Err(claim.map_or_else(unknown, |claim| self.done_before(claim, &outcome))),
            Applied::Reused => Err(Error::Code(ErrorCode::IdempotencyKeyReused).into()),
        }
    }

    fn done_before(&self, claim: &Claim, outcome: &str) -> Stop {
        let opened = self.hub.keys.open(outcome, &bound_to(&claim.holder, &claim.field));
        let done = opened.and_then(|bytes| {
            let (child, made) = bytes.split_at_checked(16)?;
            Some(Stop::Done(Uuid::from_slice(child).ok()?, Uuid::from_slice(made).ok()?))
        });
        done.unwrap_or_else(unknown)
    }

    /// What is to be done once under the caller's key, if there is one. `made` is the id of what the change makes of its own,
    /// nil where it makes nothing.
    pub(super) fn claim(&self, child: Uuid, made: Uuid) -> Option<Claim> {
        let Blinded { holder, request } = self.blinded()?;
        let field = self.hub.keys.blind(&["field", &self.field]);
        let outcome = self.hub.keys.seal(&[*child.as_bytes(), *made.as_bytes()].concat(), &bound_to(&holder, &field));
        let (agency, at, since) = (self.caller.agency.id, self.now, self.remembered_since());
        Some(Claim { agency, holder, field, request, outcome, at, since })
    }

    /// What the caller is told of a change. One that was made before is answered as a question is: by what the record
    /// holds now, under the rights that the caller has now.
    pub(super) async fn conclude(
        &self,
        result: Result<ChildView, Stop>,
        selection: &Selection,
    ) -> Result<ChildView, Error> {
        let result = match result {
            Ok(view) => Ok(view),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Done(child, _)) => {
                self.note(|draft| draft.repeat());
                self.child(&self.public_id(child), selection).await
            }
        };
        self.refused(result)
    }
}

fn unknown() -> Stop {
    Stop::Refused(Error::Code(ErrorCode::Internal))
}

fn bound_to(holder: &str, field: &str) -> String {
    format!("outcome|{holder}|{field}")
}
