//! The pictures of a form: typed in and given back as data, kept as files.

use base64::{Engine, prelude::BASE64_STANDARD};
use documents::Media;

use super::Form;

/// Before the hash of a picture that is kept as a file.
const FILED: &str = "stored:";

/// The bytes of a `data:image/…;base64,…` address.
pub(crate) fn decode(address: &str) -> Option<Vec<u8>> {
    let (head, body) = address.strip_prefix("data:image/")?.split_once(',')?;
    head.ends_with(";base64")
        .then(|| BASE64_STANDARD.decode(body).ok())?
}

/// A picture as data.
pub(crate) fn encode(media: Media, bytes: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(bytes);
    format!("data:{};base64,{encoded}", media.media_type())
}

/// How a form that is kept names a picture by its hash.
pub(crate) fn filed(hash: &str) -> String {
    format!("{FILED}{hash}")
}

/// The hash of a picture that is kept as a file.
pub(crate) fn hash(picture: &str) -> Option<&str> {
    picture.strip_prefix(FILED)
}

impl Form {
    /// Its pictures.
    pub(crate) fn pictures_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let steps = match self {
            Self::Walkthrough(form) => form.steps.as_mut_slice(),
            _ => &mut [],
        };
        steps.iter_mut().filter_map(|step| step.picture.as_mut())
    }
}
