//! The bytes of photos, in a table that nothing else reads.

use super::read::Snapshot;
use super::reading::models;
use super::write::Write;
use crate::error::DatabaseError;
use crate::photo::Media;
use samverka_entities::photo;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
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
    pub(crate) async fn put_photo(
        &self,
        child: Uuid,
        id: Uuid,
        media: Media,
        bytes: Vec<u8>,
    ) -> Result<(), DatabaseError> {
        let row = photo::ActiveModel {
            id: Set(id),
            child_id: Set(child),
            media: Set(media.essence().to_owned()),
            bytes: Set(bytes),
        };
        photo::Entity::insert(row).exec_without_returning(self.transaction()).await?;
        Ok(())
    }

    /// Deletes the bytes of every photo of a child but one, or of all.
    pub(crate) async fn drop_photos(&self, child: Uuid, but: Option<Uuid>) -> Result<(), DatabaseError> {
        let mut gone = photo::Entity::delete_many().filter(photo::Column::ChildId.eq(child));
        if let Some(but) = but {
            gone = gone.filter(photo::Column::Id.ne(but));
        }
        gone.exec(self.transaction()).await?;
        Ok(())
    }
}
