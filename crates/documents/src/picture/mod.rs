//! Pictures of documents: which are taken along, and what makes one safe to show.

mod address;
mod media;

use std::collections::BTreeMap;

pub use media::Media;
use serde::{Deserialize, Serialize};

use crate::format;
use crate::limits::Limits;

/// Whether a file beside documents is a picture for them, by its name. What it really is [`picture_media`] tells.
pub fn is_picture(name: &str) -> bool {
    ["png", "jpg", "jpeg", "gif", "webp", "svg"].contains(&format::extension(name).as_str())
}

/// A picture of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Byte offset in `Document::text`: the end of the line it follows, 0 before the first.
    pub at: usize,
    /// What it shows, in words; may be empty.
    pub alt: String,
    /// Where it comes from.
    pub source: PictureSource,
}

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureSource {
    /// Out of the file itself.
    Embedded {
        /// What it is, as its bytes say.
        media: Media,
        /// The picture.
        #[serde(with = "encoded")]
        bytes: Vec<u8>,
    },
    /// A file beside the document: a path from where the document's own name begins, with `/` between folders and without `..`.
    ///
    /// Its bytes are to be checked with [`picture_media`] before they are shown.
    Relative(String),
}

mod encoded {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64_STANDARD.decode(text).map_err(D::Error::custom)
    }
}

/// What a picture is, by its bytes. A file of pictures beside a document is checked with this before it is shown.
///
/// # Errors
///
/// Why it is not shown, in Chinese: an unknown kind, too large, or an SVG with scripts or references to something outside.
pub fn picture_media(bytes: &[u8], limits: &Limits) -> Result<Media, &'static str> {
    media::check(bytes, limits)
}

/// Where a reader found a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// As a page or a Markdown text writes it.
    Address(String),
    Bytes(Vec<u8>),
    /// Not to be had, and why.
    Missing(&'static str),
}

/// A picture as a reader found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) alt: String,
    pub(crate) origin: Origin,
}

pub(crate) const OUTSIDE: &str = "引用了外部网址或别处的文件";
pub(crate) const UNREADABLE: &str = "数据读不出来";
const TOO_MANY: &str = "超过了数量或总大小的限制";

/// How much of a package's pictures may be unpacked.
pub(crate) struct Budget {
    pictures: usize,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            pictures: limits.pictures,
            bytes: limits.pictures_bytes,
        }
    }

    /// The picture that `unpack` gives, if there is room for another one.
    pub(crate) fn take(&mut self, unpack: impl FnOnce() -> Option<Vec<u8>>) -> Origin {
        let Some(left) = self.pictures.checked_sub(1) else {
            return Origin::Missing(TOO_MANY);
        };
        self.pictures = left;
        let Some(bytes) = unpack() else {
            return Origin::Missing(UNREADABLE);
        };
        match self.bytes.checked_sub(bytes.len() as u64) {
            Some(left) => {
                self.bytes = left;
                Origin::Bytes(bytes)
            }
            None => Origin::Missing(TOO_MANY),
        }
    }
}

/// The pictures that are kept, and notes about those that are not.
pub(crate) fn settle(
    name: &str,
    found: Vec<(usize, Found)>,
    limits: &Limits,
) -> (Vec<Picture>, Vec<String>) {
    let mut kept: Vec<Picture> = Vec::new();
    let mut total = 0u64;
    let mut dropped: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, picture) in found {
        let alt: String = picture.alt.split_whitespace().collect::<Vec<_>>().join(" ");
        let source = match picture.origin {
            Origin::Missing(why) => Err(why),
            Origin::Bytes(bytes) => embedded(bytes, limits),
            Origin::Address(address) => match address::read(name, &address) {
                Ok(address::Address::Data(bytes)) => embedded(bytes, limits),
                Ok(address::Address::Path(path)) => Ok(PictureSource::Relative(path)),
                Err(why) => Err(why),
            },
        };
        let source = source.and_then(|source| {
            if let PictureSource::Embedded { bytes, .. } = &source {
                total += bytes.len() as u64;
            }
            if kept.len() >= limits.pictures || total > limits.pictures_bytes {
                return Err(TOO_MANY);
            }
            Ok(source)
        });
        match source {
            Ok(source) => kept.push(Picture {
                at,
                alt: alt.chars().take(200).collect(),
                source,
            }),
            Err(why) => *dropped.entry(why).or_default() += 1,
        }
    }
    let notes = dropped
        .into_iter()
        .map(|(why, count)| format!("有 {count} 张图片没有读入：{why}。"))
        .collect();
    (kept, notes)
}

fn embedded(bytes: Vec<u8>, limits: &Limits) -> Result<PictureSource, &'static str> {
    let media = media::check(&bytes, limits)?;
    Ok(PictureSource::Embedded { media, bytes })
}
