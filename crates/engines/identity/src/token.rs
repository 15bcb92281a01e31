//! The check of an ID token, OpenID Connect Core 3.1.3.7.

use std::collections::BTreeMap;

use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, ClaimsVerificationError, ClientId, IdToken,
    IdTokenClaims, IdTokenVerifier, Nonce, SignatureVerificationError,
    core::{
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::moment;

/// How far a provider's clock may be off, in seconds.
pub(crate) const LEEWAY: i64 = 60;

/// Signatures by a key of the provider. Those by a shared secret are left out on purpose: whoever reads our configuration
/// could then make tokens.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// The claims that OpenID Connect does not define.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OtherClaims(pub(crate) BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

pub(crate) type Token =
    IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, Algorithm>;
pub(crate) type TokenClaims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// What an ID token must agree with.
pub(crate) struct Expected<'a> {
    pub(crate) metadata: &'a CoreProviderMetadata,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    /// When the sign-in began: no token for it can be older.
    pub(crate) begun_at: i64,
    pub(crate) now: i64,
}

/// Why an ID token is refused.
#[derive(Debug)]
pub(crate) enum TokenFault {
    /// As openidconnect found.
    Claims(ClaimsVerificationError),
    /// It was issued for another client.
    AuthorizedParty,
    /// It was issued in the future.
    IssuedAhead,
    /// It was issued before the sign-in began.
    IssuedBefore,
    /// It belongs to another access token.
    AccessToken,
}

impl TokenFault {
    /// The provider may have changed its keys since we fetched them.
    pub(crate) fn may_be_a_new_key(&self) -> bool {
        matches!(
            self,
            Self::Claims(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                    | SignatureVerificationError::CryptoError(_)
            ))
        )
    }
}

/// The claims of a genuine token that was made for this sign-in.
pub(crate) fn verify<'t>(
    token: &'t Token,
    access_token: &AccessToken,
    expected: &Expected<'_>,
) -> Result<&'t TokenClaims, TokenFault> {
    let now = expected.now;
    let verifier = IdTokenVerifier::new_public_client(
        ClientId::new(expected.client_id.to_owned()),
        expected.metadata.issuer().clone(),
        expected.metadata.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || moment(now - LEEWAY))
    // Whether a token with further audiences is ours, its authorized party tells, below.
    .set_other_audience_verifier_fn(|_| true);
    let claims = token
        .claims(&verifier, &Nonce::new(expected.nonce.to_owned()))
        .map_err(TokenFault::Claims)?;

    match claims.authorized_party() {
        Some(party) if party.as_str() != expected.client_id => {
            return Err(TokenFault::AuthorizedParty);
        }
        None if claims.audiences().len() > 1 => return Err(TokenFault::AuthorizedParty),
        _ => {}
    }
    let issued = claims.issue_time().timestamp();
    if issued > now + LEEWAY {
        return Err(TokenFault::IssuedAhead);
    }
    if issued < expected.begun_at - LEEWAY {
        return Err(TokenFault::IssuedBefore);
    }
    if let Some(given) = claims.access_token_hash() {
        let real = hash_of(token, access_token, &verifier);
        if real.is_none_or(|hash| hash.as_str() != given.as_str()) {
            return Err(TokenFault::AccessToken);
        }
    }
    Ok(claims)
}

fn hash_of(
    token: &Token,
    access_token: &AccessToken,
    verifier: &IdTokenVerifier<'_, CoreJsonWebKey>,
) -> Option<AccessTokenHash> {
    let algorithm = token.signing_alg().ok()?;
    let key = token.signing_key(verifier).ok()?;
    AccessTokenHash::from_token(access_token, algorithm, key).ok()
}
