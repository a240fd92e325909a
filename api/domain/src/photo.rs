//! F10, the photo: what is told of one, and how the bytes that were sent become the bytes that are kept.
//!
//! A photo is never kept as it came. It is decoded and encoded anew, upright, so that nothing but the picture is left:
//! no place where it was taken, no device, no name, no thumbnail of what was cut away, no other file behind the last byte.

use crate::error::ErrorCode;
use chrono::NaiveDate;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::io::Cursor;
use uuid::Uuid;

/// The largest photo that is taken or kept, in bytes.
pub const LARGEST: usize = 2_000_000;
/// The longest side, in pixels.
pub const LONGEST_SIDE: u32 = 4_096;
/// The most memory that decoding may ask for, in bytes: the largest picture with four channels, and some room.
const MOST_MEMORY: u64 = 96 * 1024 * 1024;
/// The qualities of a JPEG, tried in order until it is small enough.
const QUALITIES: [u8; 4] = [92, 85, 75, 60];

/// The types of photo that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Media {
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/png")]
    Png,
}

impl Media {
    /// Every type.
    pub const ALL: [Media; 2] = [Media::Jpeg, Media::Png];

    /// The media type, as in `Content-Type`.
    pub const fn essence(self) -> &'static str {
        match self {
            Media::Jpeg => "image/jpeg",
            Media::Png => "image/png",
        }
    }

    /// The usual ending of a file's name.
    pub const fn ending(self) -> &'static str {
        match self {
            Media::Jpeg => "jpg",
            Media::Png => "png",
        }
    }

    /// The type with this media type.
    pub fn from_essence(essence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.essence().eq_ignore_ascii_case(essence))
    }

    const fn format(self) -> ImageFormat {
        match self {
            Media::Jpeg => ImageFormat::Jpeg,
            Media::Png => ImageFormat::Png,
        }
    }
}

/// What the record tells of a photo; the bytes are in a table of their own, under the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    pub(crate) id: Uuid,
    /// JPEG or PNG.
    #[serde(rename = "type")]
    pub media: Media,
    /// The day it was taken.
    pub taken_on: NaiveDate,
    /// In bytes.
    pub size: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl Photo {
    /// What may be told of it. The id of the bytes is the hub's own.
    pub fn to_json(&self) -> Json {
        let Photo { id: _, media, taken_on, size, width, height } = self;
        json!({
            "type": media.essence(),
            "takenOn": taken_on.to_string(),
            "size": size,
            "width": width,
            "height": height,
        })
    }

    /// As it is stored.
    pub(crate) fn to_stored(self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Reads what is stored.
    pub(crate) fn from_stored(stored: Json) -> Option<Self> {
        serde_json::from_value(stored).ok()
    }
}

/// A picture and nothing else, ready to be kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Clean {
    pub(crate) bytes: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Decodes and encodes a picture anew. This is work for a thread that may be held up.
///
/// # Errors
///
/// `PHOTO_INVALID` for anything that is not a whole picture of the type; `PHOTO_TOO_LARGE` where a side or the picture is.
pub(crate) fn clean(media: Media, bytes: &[u8]) -> Result<Clean, ErrorCode> {
    if bytes.len() > LARGEST {
        return Err(ErrorCode::PhotoTooLarge);
    }
    let picture = decode(media, bytes)?;
    let (width, height) = (picture.width(), picture.height());
    let bytes = encode(media, &picture)?;
    Ok(Clean { bytes, width, height })
}

fn decode(media: Media, bytes: &[u8]) -> Result<DynamicImage, ErrorCode> {
    let invalid = |_| ErrorCode::PhotoInvalid;
    if image::guess_format(bytes).map_err(invalid)? != media.format() {
        return Err(ErrorCode::PhotoInvalid);
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), media.format()).into_decoder().map_err(invalid)?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > LONGEST_SIDE || decoder.total_bytes() > MOST_MEMORY {
        return Err(ErrorCode::PhotoTooLarge);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    decoder.set_limits(limits).map_err(|_| ErrorCode::PhotoTooLarge)?;
    let orientation = decoder.orientation().map_err(invalid)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(invalid)?;
    // Which way is up stands in what is left out.
    picture.apply_orientation(orientation);
    Ok(eight_bits(media, picture))
}

/// Eight bits a channel; a JPEG sees through nothing.
fn eight_bits(media: Media, picture: DynamicImage) -> DynamicImage {
    let (colour, alpha) = (picture.color().has_color(), picture.color().has_alpha());
    match (colour, alpha && media == Media::Png) {
        (false, false) => picture.into_luma8().into(),
        (false, true) => picture.into_luma_alpha8().into(),
        (true, false) => picture.into_rgb8().into(),
        (true, true) => picture.into_rgba8().into(),
    }
}

fn encode(media: Media, picture: &DynamicImage) -> Result<Vec<u8>, ErrorCode> {
    let attempts: &[u8] = if media == Media::Jpeg { &QUALITIES } else { &[0] };
    for quality in attempts {
        let mut bytes = Vec::new();
        let done = match media {
            Media::Jpeg => picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, *quality)),
            Media::Png => {
                let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
                picture.write_with_encoder(encoder)
            }
        };
        done.map_err(|_| ErrorCode::PhotoInvalid)?;
        if bytes.len() <= LARGEST {
            return Ok(bytes);
        }
    }
    Err(ErrorCode::PhotoTooLarge)
}

/// A made-up photo for a sandbox: a pattern in two colours, as a PNG.
pub(crate) fn made_up(index: u64) -> Clean {
    const SIDE: u32 = 48;
    let tone = |shift: u64| u8::try_from((index * 37 + shift) % 200).unwrap_or_default();
    let colours = [[tone(0), tone(60), tone(120)], [tone(180), tone(90), tone(30)]];
    let [one, other] = colours.map(image::Rgb);
    let pixel = |x: u32, y: u32| if (x / 8 + y / 8).is_multiple_of(2) { one } else { other };
    let picture = DynamicImage::from(image::RgbImage::from_fn(SIDE, SIDE, pixel));
    let bytes = encode(Media::Png, &picture).unwrap_or_default();
    Clean { bytes, width: SIDE, height: SIDE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> DynamicImage {
        let pixel = |x: u32, y: u32| image::Rgb([(x % 256) as u8, (y % 256) as u8, 77]);
        image::RgbImage::from_fn(width, height, pixel).into()
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        encode(Media::Png, picture).expect("a png")
    }

    #[test]
    fn a_side_may_be_so_long_and_no_longer() {
        let longest = clean(Media::Png, &png(&picture(LONGEST_SIDE, 1))).expect("the longest");
        assert_eq!((longest.width, longest.height), (LONGEST_SIDE, 1));
        assert_eq!(clean(Media::Png, &png(&picture(1, LONGEST_SIDE + 1))), Err(ErrorCode::PhotoTooLarge));
    }

    #[test]
    fn only_a_whole_picture_of_its_type_is_taken() {
        let whole = png(&picture(40, 30));
        assert_eq!(clean(Media::Jpeg, &whole), Err(ErrorCode::PhotoInvalid));
        assert_eq!(clean(Media::Png, b"<svg/>"), Err(ErrorCode::PhotoInvalid));
        assert_eq!(clean(Media::Png, &[]), Err(ErrorCode::PhotoInvalid));
        for kept in [8, 20, whole.len() / 2] {
            assert_eq!(clean(Media::Png, &whole[..kept]), Err(ErrorCode::PhotoInvalid), "{kept} bytes");
        }
        assert_eq!(clean(Media::Png, &vec![0; LARGEST + 1]), Err(ErrorCode::PhotoTooLarge));
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let once = clean(Media::Png, &png(&picture(40, 30))).expect("clean");
        assert_eq!(clean(Media::Png, &once.bytes), Ok(once));
        let made_up = made_up(3);
        assert_eq!(clean(Media::Png, &made_up.bytes), Ok(made_up));
    }
}
