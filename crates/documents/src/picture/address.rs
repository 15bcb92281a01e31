//! Addresses of pictures: data, a file beside the document, or something that is not fetched.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{OUTSIDE, UNREADABLE};

/// Pages leave the padding out at times.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) enum Address {
    Data(Vec<u8>),
    /// From where the document's own name begins.
    Path(String),
}

/// `name` is that of the document, with its folders.
pub(super) fn read(name: &str, address: &str) -> Result<Address, &'static str> {
    let address = address.trim();
    let lower: String = address.chars().take(16).collect::<String>().to_lowercase();
    if lower.starts_with("data:") {
        return data(&address[5..]).map(Address::Data).ok_or(UNREADABLE);
    }
    let scheme = address
        .find(':')
        .is_some_and(|at| !address[..at].contains(['/', '?', '#']));
    if address.is_empty() || scheme || address.starts_with(['/', '\\', '#', '?']) {
        return Err(OUTSIDE);
    }
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let bytes = percent(path);
    let path = String::from_utf8(bytes).map_err(|_| UNREADABLE)?;
    let path = path.replace('\\', "/");
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or(OUTSIDE)?),
            part => parts.push(part),
        }
    }
    if parts.is_empty() || path.contains('\0') {
        return Err(OUTSIDE);
    }
    Ok(Address::Path(parts.join("/")))
}

/// What stands behind `data:`.
fn data(text: &str) -> Option<Vec<u8>> {
    let (head, body) = text.split_once(',')?;
    let body = percent(body);
    if !head.to_lowercase().ends_with(";base64") {
        return Some(body);
    }
    let bare: Vec<u8> = body
        .into_iter()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    BASE64.decode(bare).ok()
}

/// `%E5%9B%BE` to bytes.
fn percent(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
