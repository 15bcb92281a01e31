//! The key with which the demonstration signs.

use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{Error, Result, id};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKey},
};

/// How an Ed25519 key begins in PKCS #8 (RFC 8410); the 32 bytes of the key follow.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 key.
pub struct DemoKey(CoreEdDsaPrivateSigningKey);

impl DemoKey {
    /// A new key: who has signed in stays signed in after a restart, who is at the sign-in page begins again.
    pub fn random() -> Result<Self> {
        // Two ids hold 244 random bits, and their hash is 32 bytes.
        let hash = id::content_hash(format!("{}{}", id::secret(), id::secret()).as_bytes());
        let mut seed = [0; 32];
        for (byte, digits) in seed.iter_mut().zip(hash.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(Error::internal)?;
            *byte = u8::from_str_radix(digits, 16).map_err(Error::internal)?;
        }
        Self::from_bytes(&seed)
    }

    /// The key of these bytes, which the caller keeps secret.
    pub fn from_bytes(seed: &[u8; 32]) -> Result<Self> {
        let mut der = PKCS8.to_vec();
        der.extend_from_slice(seed);
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(&der)
        );
        let read = |kid: Option<JsonWebKeyId>| {
            CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, kid).map_err(Error::internal)
        };
        // Named after its public half, so that clients notice another key.
        let public =
            serde_json::to_string(&read(None)?.as_verification_key()).map_err(Error::internal)?;
        read(Some(JsonWebKeyId::new(id::derived(&[&public])))).map(Self)
    }

    pub(super) fn signing(&self) -> &CoreEdDsaPrivateSigningKey {
        &self.0
    }

    pub(super) fn public(&self) -> CoreJsonWebKey {
        self.0.as_verification_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_give_the_same_key_and_every_random_key_is_another() {
        let key = |seed| DemoKey::from_bytes(&[seed; 32]).unwrap().public();
        assert_eq!(key(1), key(1));
        assert_ne!(key(1), key(2));
        let random = || DemoKey::random().unwrap().public();
        assert_ne!(random(), random());
    }
}
