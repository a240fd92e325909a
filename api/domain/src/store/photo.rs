//! The bytes of photos, in a table that nothing else reads.

use super::read::Snapshot;
use super::reading::models;
use super::write::Write;
use crate::error::DatabaseError;
use crate::photo::Media;
use samverka_entities::photo;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryTrait as _};
use uuid::Uuid;

impl Snapshot {
    /// The bytes of a photo that a child has now.
    pub(crate) async fn photo(&self, child: Uuid, id: Uuid) -> Result<Option<(Media, Vec<u8>)>, DatabaseError> {
        let wanted = photo::Entity::find_by_id(id).filter(photo::Column::ChildId.eq(child));
        let found = models(self, wanted).await?.pop();
        Ok(found.and_then(|row| Some((Media::from_essence(&row.media)?, row.bytes))))
    }
}

impl Write {
    /// Keeps the bytes of a photo.
    pub(crate) fn put_photo(&mut self, id: Uuid, media: Media, bytes: Vec<u8>) {
        let row = photo::ActiveModel {
            id: Set(id),
            child_id: Set(self.child()),
            media: Set(media.essence().to_owned()),
            bytes: Set(bytes),
        };
        self.run(&photo::Entity::insert(row).into_query());
    }

    /// Deletes the bytes of every photo of the child but one, or of all.
    pub(crate) fn drop_photos(&mut self, but: Option<Uuid>) {
        let mut gone = photo::Entity::delete_many().filter(photo::Column::ChildId.eq(self.child()));
        if let Some(but) = but {
            gone = gone.filter(photo::Column::Id.ne(but));
        }
        self.run(&gone.into_query());
    }
}
