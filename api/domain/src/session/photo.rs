//! The photo (F10): sent to its own URL, and fetched from its own URL, under the rules of every field.

use super::Session;
use super::change::{Reading, Work};
use super::step::{Step, Stop};
use super::write::current_row;
use crate::catalogue::{FieldId, FieldSet, Section, Source, Value};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::{Gate, photo_use, upload_use};
use crate::photo::{self, Clean, Media, Photo};
use crate::view::{SectionSelection, SectionView, Selection};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How many photos are decoded at a time: each takes memory by its pixels.
static DECODING: Semaphore = Semaphore::const_new(2);

/// A photo as it was sent.
#[derive(Debug)]
pub struct NewPhoto {
    /// What its sender says it is.
    pub media: Media,
    /// The day it was taken.
    pub taken_on: NaiveDate,
    /// As they came.
    pub bytes: Vec<u8>,
}

/// A photo as it is kept.
#[derive(Debug)]
pub struct PhotoBytes {
    /// What it is.
    pub media: Media,
    /// The picture, and nothing beside it.
    pub bytes: Vec<u8>,
}

impl Session {
    /// A photo by the handle under which this caller was shown it. The rights are those of now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] alike for a handle that never was, one of another caller's, one of a child that the caller may not
    /// know any more and one of a photo that is not there any more; `FORBIDDEN` if the photo is withheld from the caller
    /// now, whether it is still there or not; `PURPOSE_REQUIRED`.
    pub async fn photo(&self, handle: &str) -> Result<PhotoBytes, Error> {
        let result = async {
            self.purpose()?;
            let (child, id) = self.photo_place(handle);
            let gate = self.known_child(&self.public_id(child)).await?;
            let field = photo_field();
            self.note(|draft| draft.show(gate.standing().subject, gate.look_at(field)));
            if let Some(rule) = gate.read_refusal(field) {
                return Err(Error::Refused(vec![gate.forbidden(field, rule, Vec::new())]));
            }
            let found = self.reader().await?.photo(child, id).await?;
            found.map(|(media, bytes)| PhotoBytes { media, bytes }).ok_or(Error::NotFound)
        };
        self.refused(Box::pin(result).await)
    }

    /// The child and the photo that a handle stands for; nothing's, where it stands for nothing to this caller.
    fn photo_place(&self, handle: &str) -> (Uuid, Uuid) {
        let opened =
            self.hub.keys.open(handle, &photo_use(self.caller.agency.id, self.caller.role)).unwrap_or_default();
        match opened.split_at_checked(16) {
            Some((child, id)) => {
                (Uuid::from_slice(child).unwrap_or_default(), Uuid::from_slice(id).unwrap_or_default())
            }
            None => (Uuid::nil(), Uuid::nil()),
        }
    }

    fn upload_place(&self, handle: &str) -> Uuid {
        let opened = self.hub.keys.open(handle, &upload_use(self.caller.agency.id, self.caller.role));
        opened.and_then(|child| Uuid::from_slice(&child).ok()).unwrap_or_default()
    }

    /// The gate on a child that the caller may know of; a miss is noted.
    pub(super) async fn known_child(&self, id: &str) -> Result<Gate<'_>, Error> {
        let child = match self.child_id(id) {
            Err(Error::NotFound) => Uuid::nil(),
            Err(Error::Refused(_)) => return Err(Error::refused_for(ErrorCode::InvalidId, ["childId"], "child")),
            other => other?,
        };
        let reader = self.reader().await?;
        let gate = self.asked_for(&reader, &[child]).await?.pop();
        if gate.is_none() {
            self.note(|draft| draft.miss());
        }
        gate.ok_or(Error::NotFound)
    }
}

impl<'s> Step<'s> {
    /// Puts a photo in the place of the one that is there, if any, under the handle by which this caller may send one.
    ///
    /// # Errors
    ///
    /// As an update of the section: `FORBIDDEN`, `CONFLICT` at `if-match`; `PHOTO_INVALID`, `PHOTO_TOO_LARGE`; `DATE_ORDER`
    /// for a day ahead; [`Error::NotFound`] as [`Session::photo`].
    pub async fn put_photo(&self, handle: &str, expected_version: &str, new: NewPhoto) -> Result<SectionView, Error> {
        let result = async {
            self.purpose()?;
            let child = self.upload_place(handle);
            self.not_ahead(new.taken_on, &["samverka-photo-taken-on"])?;
            // What it costs to decode is not for whoever holds no handle.
            _ = self.known_child(&self.public_id(child)).await?;
            let NewPhoto { media, taken_on, bytes } = new;
            let Clean { bytes, width, height } = clean(media, bytes).await?;
            let section = Section::Description;
            let id = self.hub.dice.id();
            let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let value = Value::Photo(Photo { id, media, taken_on, size, width, height });
            let (changes, bytes) = (&vec![(photo_field(), Some(value))], &bytes);
            let asked =
                SectionSelection { fields: FieldSet::from_iter([photo_field()]), stamps: true, ..Default::default() };
            let selection = Selection { sections: BTreeMap::from([(section, asked)]) };
            let decide = |mut work: Work<'s>| async move {
                let current = current_row(&work.loaded, section, child);
                work.permit_at(changes, current.as_ref(), |_| vec!["body".to_owned()])?;
                work.write.put_photo(id, media, bytes.clone());
                self.change(work, section, expected_version, changes.clone()).await.map_err(at_header)
            };
            let reading = Reading::Section(section, &selection);
            let work = self.decide(&self.public_id(child), Uuid::nil(), reading, decide).await?;
            let mut view = self.finish(work, &selection).await?;
            Ok(view.sections.remove(&section).ok_or(Error::NotFound)?)
        };
        self.refused(Box::pin(result).await.map_err(|stop| match stop {
            Stop::Refused(error) => error,
            // A photo is sent without a key: its version keeps it from being put there twice.
            Stop::Done(..) => Error::Code(ErrorCode::Internal),
        }))
    }
}

fn photo_field() -> FieldId {
    let photo = |id: &FieldId| id.field().source == Source::Photo;
    FieldId::all().find(photo).unwrap_or(FieldId(0))
}

async fn clean(media: Media, bytes: Vec<u8>) -> Result<Clean, Error> {
    let held = DECODING.acquire().await.map_err(|_| Error::Code(ErrorCode::Internal))?;
    let cleaned = tokio::task::spawn_blocking(move || photo::clean(media, &bytes)).await;
    drop(held);
    let cleaned = cleaned.map_err(|_| Error::Code(ErrorCode::Internal))?;
    cleaned.map_err(|code| Error::refused(code, ["body"]))
}

/// Over HTTP the version stands in a header.
fn at_header(error: Error) -> Error {
    let header = |refusal: Refusal| match refusal.code {
        ErrorCode::Conflict => Refusal { input: vec!["if-match".to_owned()], ..refusal },
        _ => refusal,
    };
    match error {
        Error::Refused(refusals) => Error::Refused(refusals.into_iter().map(header).collect()),
        other => other,
    }
}
