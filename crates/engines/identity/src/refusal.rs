//! What people are told when a sign-in does not work out. Details go to the log only.

use std::{error::Error as StdError, fmt::Display};

use kernel::{Error, ErrorCode};
use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError, SignatureVerificationError,
    StandardErrorResponse, UserInfoError, core::CoreErrorResponseType,
};
use serde_json::Value;

use crate::{token::TokenFault, transport::TransportError};

/// The longest detail; a provider's answer may be anything.
const LONGEST_DETAIL: usize = 400;

pub(crate) type ExchangeError =
    RequestTokenError<TransportError, StandardErrorResponse<CoreErrorResponseType>>;

/// The person may try again from the start.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::SignInFailed, message)
}

/// The provider cannot be reached or does not answer sensibly.
pub(crate) fn unavailable(title: &str, detail: impl Display) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("“{title}”暂时无法连接，请稍后再试，或改用其他登录方式。"),
    )
    .with_detail(shortened(&detail.to_string()))
}

/// Only the operator can mend it.
pub(crate) fn misconfigured(title: &str, detail: impl Display) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        format!("“{title}”的登录配置与认证平台不一致，暂不能使用。请联系管理员核对配置。"),
    )
    .with_detail(shortened(&detail.to_string()))
}

pub(crate) fn not_discovered(title: &str, error: &DiscoveryError<TransportError>) -> Error {
    match error {
        DiscoveryError::Validation(detail) => misconfigured(title, detail),
        error => unavailable(title, causes(error)),
    }
}

/// The provider sent the browser back with an error instead of a code.
pub(crate) fn sent_back(title: &str, error: &str, description: Option<&str>) -> Error {
    let detail = shortened(&format!("{error}: {}", description.unwrap_or_default()));
    match error {
        "access_denied" | "login_required" | "consent_required" | "interaction_required" => {
            refused(format!(
                "登录没有完成：在“{title}”的登录已取消或被拒绝。如需登录，请重新开始。"
            ))
            .with_detail(detail)
        }
        "server_error" | "temporarily_unavailable" => unavailable(title, detail),
        _ => misconfigured(title, detail),
    }
}

/// The provider did not take the code.
pub(crate) fn not_exchanged(title: &str, error: &ExchangeError) -> Error {
    match error {
        RequestTokenError::ServerResponse(response) => {
            let answer = serde_json::to_value(response).unwrap_or_default();
            match answer["error"].as_str() {
                Some("invalid_grant") => refused("这次登录的授权已经用过或已过期，请重新登录。")
                    .with_detail(shortened(&answer.to_string())),
                Some("server_error" | "temporarily_unavailable") => unavailable(title, &answer),
                _ => misconfigured(title, &answer),
            }
        }
        RequestTokenError::Parse(fault, body) if holds_token(body) => {
            // Not the fault's own words: they may quote the token.
            token_unreadable(format!(
                "the token response cannot be read at {}",
                fault.path()
            ))
        }
        RequestTokenError::Parse(fault, _) => unavailable(
            title,
            format!(
                "the token response is not what it should be at {}",
                fault.path()
            ),
        ),
        error => unavailable(title, causes(error)),
    }
}

fn holds_token(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|v| v.get("id_token").is_some())
}

pub(crate) fn token_unreadable(detail: impl Display) -> Error {
    refused("认证平台发来的登录凭证无法识别，不能登录。请重新登录；如仍不行，请联系管理员。")
        .with_detail(shortened(&detail.to_string()))
}

pub(crate) fn no_user_info(title: &str, error: &UserInfoError<TransportError>) -> Error {
    match error {
        UserInfoError::ClaimsVerification(fault) => refused(
            "认证平台给出的用户信息与登录凭证不符，不能登录。请重新登录；如仍不行，请联系管理员。",
        )
        .with_detail(fault),
        error => unavailable(title, causes(error)),
    }
}

/// The ID token does not prove what it should.
pub(crate) fn token_refused(fault: &TokenFault) -> Error {
    let message = match fault {
        TokenFault::Claims(ClaimsVerificationError::Expired(_)) => {
            "登录凭证已过期，请重新登录。如反复出现，请管理员检查服务器时间。"
        }
        TokenFault::IssuedAhead => {
            "登录凭证的签发时间晚于本系统时间，不能登录。请管理员校准服务器时间。"
        }
        TokenFault::IssuedBefore => "登录凭证早于本次登录，可能是重复使用，不能登录。请重新登录。",
        TokenFault::Claims(ClaimsVerificationError::InvalidNonce(_)) => {
            "登录凭证不属于本次登录，可能是重复使用，不能登录。请重新登录。"
        }
        TokenFault::Claims(ClaimsVerificationError::InvalidAudience(_))
        | TokenFault::AuthorizedParty => "登录凭证不是发给本系统的，不能登录。请从本系统重新登录。",
        TokenFault::Claims(ClaimsVerificationError::InvalidIssuer(_)) => {
            "登录凭证不是由所选的认证平台签发的，不能登录。请联系管理员核对配置。"
        }
        TokenFault::Claims(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoSignature
            | SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::UnsupportedAlg(_),
        )) => "登录凭证没有签名或签名方式不受支持，不能登录。请联系管理员。",
        TokenFault::Claims(ClaimsVerificationError::SignatureVerification(_)) => {
            "登录凭证的签名无效，不能登录。请重新登录；如仍不行，请联系管理员。"
        }
        TokenFault::AccessToken => {
            "登录凭证与访问令牌不符，不能登录。请重新登录；如仍不行，请联系管理员。"
        }
        TokenFault::Claims(_) => {
            "登录凭证未通过核验，不能登录。请重新登录；如仍不行，请联系管理员。"
        }
    };
    let detail = match fault {
        TokenFault::Claims(error) => causes(error),
        other => format!("{other:?}"),
    };
    refused(message).with_detail(shortened(&detail))
}

/// An error with everything that caused it.
fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_DETAIL)
        .collect()
}
