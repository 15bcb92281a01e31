//! Passwords: argon2id, and what a password must be.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use kernel::{Error, ErrorCode, Result};

use super::Identity;

/// The shortest password, in characters (NIST SP 800-63B asks for 8 at least and for no rules of composition).
const SHORTEST: usize = 10;
/// The longest, in bytes: hashing more would only cost time.
const LONGEST: usize = 512;

/// Passwords that everybody tries first. Short ones are refused by their length already.
const COMMON: [&str; 12] = [
    "1234567890",
    "0123456789",
    "12345678910",
    "1111111111",
    "password123",
    "password1234",
    "qwertyuiop",
    "1q2w3e4r5t",
    "1qaz2wsx3edc",
    "administrator",
    "admin123456",
    "woaini1314",
];

/// Refuses a password that is easily guessed.
///
/// # Errors
/// `InvalidInput`, saying what is wrong with it.
pub(super) fn require_strong(password: &str, login: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::new(ErrorCode::InvalidInput, why));
    if password.chars().count() < SHORTEST {
        return refuse("密码至少要有 10 个字符。可以用几个不相关的词连起来，便于记忆。");
    }
    if password.len() > LONGEST {
        return refuse("密码过长，最多 512 字节。");
    }
    let lower = password.to_lowercase();
    let one_character = password.chars().all(|c| password.starts_with(c));
    if COMMON.contains(&lower.as_str()) || one_character {
        return refuse("这个密码太常见，容易被猜到，请换一个。");
    }
    if login.chars().count() >= 3 && lower.contains(&login.to_lowercase()) {
        return refuse("密码不能包含登录名，请换一个。");
    }
    Ok(())
}

impl Identity {
    /// The argon2id hash of a password, with a salt of its own (19 MiB, two passes: the OWASP recommendation).
    pub(super) async fn hash_password(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.hashing(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(Error::internal)
        })
        .await
    }

    /// Whether a password is the one that was hashed. Without a hash it takes as long and says no, so that the time does
    /// not tell whether there is such an account.
    pub(super) async fn password_is(&self, password: &str, hash: Option<String>) -> Result<bool> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let password = password.to_owned();
        self.hashing(move || {
            let Some(hash) = hash else {
                Argon2::default()
                    .hash_password(password.as_bytes())
                    .map_err(Error::internal)?;
                return Ok(false);
            };
            let hash = PasswordHash::new(&hash).map_err(Error::internal)?;
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok())
        })
        .await
    }

    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _turn = self.hashing.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
    }
}
