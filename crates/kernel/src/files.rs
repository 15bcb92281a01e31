//! Seam: files by their content.

use async_trait::async_trait;

use crate::Result;

/// Files under the SHA-256 of their content. What is stored never changes; reading proves it.
#[async_trait]
pub trait Files: Send + Sync {
    /// Stores the bytes durably and returns their address (64 hex digits). Storing the same bytes again is free.
    ///
    /// # Errors
    /// `StorageFull` when there is no room; nothing half-written stays behind.
    async fn put(&self, bytes: Vec<u8>) -> Result<String>;

    /// The bytes under an address.
    ///
    /// # Errors
    /// `NotFound` where nothing is stored, `SourceChanged` where the bytes no longer match their address.
    async fn get(&self, address: &str) -> Result<Vec<u8>>;
}
