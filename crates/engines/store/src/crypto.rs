//! The cryptography behind every encrypted connection.

use std::sync::Once;

/// Makes ring the provider of TLS for this process, unless one was chosen before. Clients built without a provider of
/// their own ask for it.
pub(crate) fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody else has chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
