//! Sign-in by OpenID Connect.
//!
//! - [`OidcClient`] signs people in at a city's identity provider: authorization code, PKCE, state and nonce, the ID token
//!   checked in full. [`OidcSettings`] says where the provider is and what its claims are called.
//! - [`Begun`] is what the caller keeps between the two steps, [`Callback`] what the browser brings back, [`Claims`] what
//!   the provider confirmed.
//! - [`demo`] is a provider for demonstrations, as plain functions without a web server.

mod claims;
mod clock;
mod credit_code;
pub mod demo;
mod discovery;
mod exchange;
mod oidc;
mod refusal;
mod settings;
mod token;
mod transport;

pub use claims::{Claims, Kind};
pub use clock::{Clock, system_clock};
pub use credit_code::is_credit_code;
pub use oidc::{Begun, Callback, OidcClient};
pub use settings::{ClaimNames, KindName, OidcSettings};
