//! Files in memory, and what every implementation of [`Files`] must do.

use std::collections::HashMap;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{Error, ErrorCode, Result, files::Files, id::content_hash};

/// Files in memory, for tests and for evaluation without a data folder.
#[derive(Default)]
pub struct MemoryFiles(Mutex<HashMap<String, Vec<u8>>>);

impl MemoryFiles {
    /// Changes a stored file behind the store's back, to see that this is noticed.
    pub fn tamper(&self, address: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(bytes) = self.0.lock().get_mut(address) {
            change(bytes);
        }
    }
}

#[async_trait]
impl Files for MemoryFiles {
    async fn put(&self, bytes: Vec<u8>) -> Result<String> {
        let address = content_hash(&bytes);
        self.0.lock().insert(address.clone(), bytes);
        Ok(address)
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>> {
        let bytes = self
            .0
            .lock()
            .get(address)
            .cloned()
            .ok_or_else(|| Error::not_found("原件"))?;
        if content_hash(&bytes) != address {
            return Err(Error::new(ErrorCode::SourceChanged, "存储的原件已变动。"));
        }
        Ok(bytes)
    }
}

/// Checks an empty store for everything [`Files`] promises.
///
/// # Panics
/// When it breaks a promise.
pub async fn files_conform(files: &dyn Files) {
    for bytes in [
        Vec::new(),
        b"abc".to_vec(),
        vec![0, 255, 10, 13],
        vec![7; 3_000_000],
    ] {
        let address = files.put(bytes.clone()).await.expect("put");
        assert_eq!(address, content_hash(&bytes));
        assert_eq!(files.put(bytes.clone()).await.expect("put again"), address);
        assert_eq!(files.get(&address).await.expect("get"), bytes);
    }
    for missing in [
        content_hash(b"never stored"),
        "../../etc/passwd".into(),
        String::new(),
    ] {
        assert_eq!(
            files.get(&missing).await.expect_err("missing").code,
            ErrorCode::NotFound
        );
    }
}
