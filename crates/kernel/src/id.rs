//! Identifiers: random ones that sort by time, and ones derived from what they name.

use sha2::{Digest, Sha256};

/// A new random identifier that sorts by its time of creation (UUID version 7, 32 hex digits).
pub fn fresh() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// A new secret: 122 random bits (UUID version 4, 32 hex digits), unguessable and without a time in it.
pub fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The identifier that always belongs to these parts: 20 hex digits of their SHA-256.
///
/// Importing the same file again gives the same document id, so that links and citations stay valid.
pub fn derived(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let mut id = hex(&hash.finalize());
    id.truncate(20);
    id
}

/// The SHA-256 of some bytes in hex: the address of a stored file.
pub fn content_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| {
            [
                DIGITS[(b >> 4) as usize] as char,
                DIGITS[(b & 15) as usize] as char,
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn derived_ids_depend_on_where_the_parts_end() {
        assert_ne!(super::derived(&["ab", "c"]), super::derived(&["a", "bc"]));
        assert_eq!(super::derived(&["ab", "c"]), super::derived(&["ab", "c"]));
    }

    #[test]
    fn the_content_hash_is_sha256_in_hex() {
        assert_eq!(
            super::content_hash(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
