//! The requests of a sign-in, made by openidconnect with our transport.

use kernel::Result;
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, Client, ClientId, ClientSecret,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields,
    OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse, SubjectIdentifier, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde_json::{Map, Value};

use crate::{
    refusal,
    settings::OidcSettings,
    token::{OtherClaims, Token},
    transport::Transport,
};

type Tokens = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// openidconnect's client for a provider with an authorization endpoint; whether it has the others shows at run time.
pub(crate) type Party = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(crate) fn party(settings: &OidcSettings, metadata: &CoreProviderMetadata) -> Party {
    let secret = settings.client_secret.clone().map(ClientSecret::new);
    let methods = metadata.token_endpoint_auth_methods_supported();
    let party = Party::from_provider_metadata(
        metadata.clone(),
        ClientId::new(settings.client_id.clone()),
        secret,
    );
    // Basic is what every provider takes unless it says otherwise.
    let takes = |method| methods.is_some_and(|all| all.contains(&method));
    let only_post = takes(CoreClientAuthMethod::ClientSecretPost)
        && !takes(CoreClientAuthMethod::ClientSecretBasic);
    party.set_auth_type(if only_post {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    })
}

/// Gives the code for an access token and an ID token, neither of which is checked here.
pub(crate) async fn exchange(
    settings: &OidcSettings,
    transport: &Transport,
    party: &Party,
    code: &str,
    pkce_verifier: &str,
    redirect_uri: RedirectUrl,
) -> Result<(AccessToken, Token)> {
    let title = &settings.title;
    let tokens = party
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .map_err(|e| refusal::misconfigured(title, e))?
        .set_pkce_verifier(PkceCodeVerifier::new(pkce_verifier.to_owned()))
        .set_redirect_uri(std::borrow::Cow::Owned(redirect_uri))
        .request_async(transport)
        .await
        .map_err(|e| refusal::not_exchanged(title, &e))?;
    let id_token = tokens
        .id_token()
        .ok_or_else(|| refusal::token_unreadable("no ID token in the token response"))?;
    Ok((tokens.access_token().clone(), id_token.clone()))
}

/// What the user-info endpoint says about the subject; nothing if the provider has none.
pub(crate) async fn user_info(
    settings: &OidcSettings,
    transport: &Transport,
    party: &Party,
    access_token: AccessToken,
    subject: SubjectIdentifier,
) -> Result<Map<String, Value>> {
    let Ok(request) = party.user_info(access_token, Some(subject)) else {
        return Ok(Map::new());
    };
    let claims: UserInfoClaims<OtherClaims, CoreGenderClaim> = request
        .request_async(transport)
        .await
        .map_err(|e| refusal::no_user_info(&settings.title, &e))?;
    Ok(as_object(&claims))
}

/// Claims as the JSON object that they came in.
pub(crate) fn as_object(claims: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}
