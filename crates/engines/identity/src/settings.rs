//! Where a provider is and what its claims are called.

use std::fmt;

use kernel::{Error, ErrorCode, Result};
use openidconnect::url::{Host, Url};
use serde::{Deserialize, Serialize};

/// One identity provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Its id in URLs and in the accounts that it confirms: small letters, digits and hyphens.
    pub name: String,
    /// The label of its button, in Chinese.
    pub title: String,
    /// The issuer, exactly as the provider's discovery document gives it.
    pub issuer: String,
    /// What the provider calls this installation.
    pub client_id: String,
    /// The secret that the provider gave out, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// What to ask for beyond `openid`.
    #[serde(default = "usual_scopes")]
    pub scopes: Vec<String>,
    /// What the claims are called.
    #[serde(default)]
    pub claims: ClaimNames,
    /// Ask the user-info endpoint for claims that the ID token lacks.
    #[serde(default = "yes")]
    pub user_info: bool,
    /// Accept a provider without encryption that is not on this machine.
    #[serde(default)]
    pub allow_http: bool,
}

/// Which claim tells what. A name with dots leads into objects: `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// The person's name.
    pub name: String,
    /// The phone number.
    pub phone: String,
    /// The mail address.
    pub email: String,
    /// Whether the person is a citizen, acts for a business or works for the city.
    pub kind: Option<String>,
    /// The values of `kind` that mean a citizen.
    pub citizen: Vec<String>,
    /// The values of `kind` that mean a business.
    pub business: Vec<String>,
    /// The values of `kind` that mean staff.
    pub staff: Vec<String>,
    /// What somebody is if `kind` is not set up or not given. A given value that is in no list is refused.
    pub otherwise: KindName,
    /// The name of the business.
    pub business_name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Whether the provider has verified the person or business.
    pub verified: Option<String>,
    /// The values of `verified` that mean yes.
    pub verified_values: Vec<String>,
    /// The provider confirms everybody, so that no claim says it.
    pub always_verified: bool,
    /// Roles, a list or words with spaces or commas between them.
    pub roles: Option<String>,
    /// Departments, likewise.
    pub departments: Option<String>,
    /// Further claims to keep as they are.
    pub keep: Vec<String>,
}

/// A kind of person, without what belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    /// 市民.
    #[default]
    Citizen,
    /// 企业.
    Business,
    /// 工作人员.
    Staff,
}

impl Default for ClaimNames {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Self {
            name: "name".into(),
            phone: "phone_number".into(),
            email: "email".into(),
            kind: None,
            citizen: words(&["citizen", "person", "市民", "个人", "自然人"]),
            business: words(&["business", "enterprise", "企业", "法人"]),
            staff: words(&["staff", "工作人员"]),
            otherwise: KindName::Citizen,
            business_name: "business_name".into(),
            credit_code: "credit_code".into(),
            verified: None,
            verified_values: words(&["true", "1", "yes", "verified"]),
            always_verified: false,
            roles: None,
            departments: None,
            keep: Vec::new(),
        }
    }
}

fn usual_scopes() -> Vec<String> {
    ["profile", "phone", "email"].map(str::to_owned).to_vec()
}

fn yes() -> bool {
    true
}

impl OidcSettings {
    /// Settings with the usual scopes and claim names, for a client without a secret.
    pub fn new(name: &str, title: &str, issuer: &str, client_id: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            scopes: usual_scopes(),
            claims: ClaimNames::default(),
            user_info: true,
            allow_http: false,
        }
    }

    /// Refuses what cannot work, before anybody tries to sign in.
    pub(crate) fn check(&self) -> Result<Url> {
        let wrong = |what: &str| {
            Error::new(
                ErrorCode::InvalidInput,
                format!("登录方式“{}”的配置有误：{what}", self.title),
            )
        };
        let sound_name = (1..=40).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !sound_name {
            return Err(wrong("name 只能用小写字母、数字和连字符，最多 40 个字符。"));
        }
        if self.title.trim().is_empty() {
            return Err(wrong("title 不能为空，请填写登录按钮上的中文名称。"));
        }
        if self.client_id.trim().is_empty() {
            return Err(wrong("client_id 不能为空，请填写认证平台分配的应用编号。"));
        }
        let issuer = Url::parse(&self.issuer)
            .map_err(|e| wrong("issuer 不是完整的网址。").with_detail(e))?;
        if issuer.query().is_some() || issuer.fragment().is_some() {
            return Err(wrong("issuer 不能带“?”或“#”。"));
        }
        if !self.permits(&issuer) {
            return Err(wrong(
                "issuer 须以 https 开头；确需使用未加密的内网地址时，请设置 allow_http = true。",
            ));
        }
        Ok(issuer)
    }

    /// Whether this may be called: encrypted, on this machine, or allowed by the operator.
    pub(crate) fn permits(&self, url: &Url) -> bool {
        match url.scheme() {
            "https" => true,
            "http" => self.allow_http || is_loopback(url),
            _ => false,
        }
    }
}

/// Whether the address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings")
            .field("name", &self.name)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("has_secret", &self.client_secret.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(issuer: &str) -> OidcSettings {
        OidcSettings::new("city", "统一身份认证", issuer, "citymind")
    }

    #[test]
    fn a_provider_without_encryption_is_refused_unless_it_is_this_machine_or_allowed() {
        assert!(at("https://id.example.gov").check().is_ok());
        assert!(at("http://127.0.0.1:8080/demo").check().is_ok());
        assert!(at("http://[::1]:8080/demo").check().is_ok());
        let error = at("http://id.example.gov").check().unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidInput);
        assert!(error.message.contains("allow_http"));
        let mut allowed = at("http://10.0.0.8/id");
        allowed.allow_http = true;
        assert!(allowed.check().is_ok());
    }

    #[test]
    fn names_and_addresses_that_cannot_work_are_refused_with_the_field() {
        let mut settings = at("https://id.example.gov");
        settings.name = "a/b".into();
        assert!(settings.check().unwrap_err().message.contains("name"));
        for issuer in ["", "id.example.gov", "ftp://x", "https://x/?a=b"] {
            assert!(
                at(issuer).check().unwrap_err().message.contains("issuer"),
                "{issuer}"
            );
        }
    }

    #[test]
    fn the_secret_does_not_reach_a_log() {
        let mut settings = at("https://id.example.gov");
        settings.client_secret = Some("hush".into());
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
