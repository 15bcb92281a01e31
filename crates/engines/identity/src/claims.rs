//! What a provider confirmed about somebody, read from its claims by their configured names.

use std::collections::BTreeMap;

use kernel::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::settings::{ClaimNames, KindName, OidcSettings};

/// The longest value that is taken over; a provider has no reason to send more.
const LONGEST: usize = 200;
/// The most roles or departments.
const MOST: usize = 64;

/// Who signed in, as the provider confirmed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// The provider, by the name in its settings.
    pub provider: String,
    /// The provider, by its address.
    pub issuer: String,
    /// The person, by the provider's id, which never changes.
    pub subject: String,
    /// What the person is called.
    pub name: String,
    /// The phone number.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// For whom the person acts.
    pub kind: Kind,
    /// The provider has verified that a real person or business stands behind it.
    pub verified: bool,
    /// Roles, in the provider's words: the caller decides which of them it honours.
    pub roles: Vec<String>,
    /// Departments, in the provider's words.
    pub departments: Vec<String>,
    /// The claims that the settings say to keep.
    pub kept: BTreeMap<String, Value>,
}

/// For whom somebody acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// For themselves.
    Citizen,
    /// For a business.
    Business {
        /// Its name.
        name: String,
        /// Its unified social credit code.
        credit_code: String,
    },
    /// For the city.
    Staff,
}

impl Claims {
    /// Reads claims that have been proven genuine.
    pub(crate) fn read(
        settings: &OidcSettings,
        subject: &str,
        found: &Map<String, Value>,
    ) -> Result<Self> {
        let names = &settings.claims;
        let refused = |what: &str| {
            // What was there, without its values, is what the operator needs to mend the settings.
            let names: Vec<&str> = found.keys().map(String::as_str).collect();
            Error::new(
                ErrorCode::SignInFailed,
                format!(
                    "“{}”给出的身份信息不完整：{what}请联系管理员核对登录配置。",
                    settings.title
                ),
            )
            .with_detail(format!("claims found: {}", names.join(" ")))
        };
        if subject.is_empty() || subject.len() > LONGEST {
            return Err(refused("没有可用的用户编号。"));
        }
        let kind = kind(names, found).map_err(refused)?;
        let name = text(found, &names.name)
            .or_else(|| text(found, "preferred_username"))
            .unwrap_or_else(|| subject.to_owned());
        let many =
            |claim: &Option<String>| claim.as_ref().map_or_else(Vec::new, |c| list(found, c));
        let kept = names
            .keep
            .iter()
            .filter_map(|k| Some((k.clone(), at(found, k)?.clone())))
            .collect();
        Ok(Self {
            provider: settings.name.clone(),
            issuer: settings.issuer.clone(),
            subject: subject.to_owned(),
            name,
            phone: text(found, &names.phone),
            email: text(found, &names.email),
            kind,
            verified: names.always_verified || is_verified(names, found),
            roles: many(&names.roles),
            departments: many(&names.departments),
            kept,
        })
    }
}

/// Whether a claim that the settings count on is missing.
pub(crate) fn lacks_something(names: &ClaimNames, found: &Map<String, Value>) -> bool {
    let counted_on = [
        Some(&names.name),
        names.kind.as_ref(),
        names.verified.as_ref(),
        names.roles.as_ref(),
        names.departments.as_ref(),
    ];
    let business = matches!(kind_name(names, found), Ok(KindName::Business));
    let of_business = [&names.business_name, &names.credit_code];
    counted_on
        .into_iter()
        .flatten()
        .chain(of_business.into_iter().filter(|_| business))
        .chain(&names.keep)
        .any(|claim| at(found, claim).is_none())
}

fn kind_name(names: &ClaimNames, found: &Map<String, Value>) -> Result<KindName, &'static str> {
    let given = names.kind.as_ref().and_then(|claim| text(found, claim));
    let Some(given) = given else {
        return Ok(names.otherwise);
    };
    let lists = [
        (&names.citizen, KindName::Citizen),
        (&names.business, KindName::Business),
        (&names.staff, KindName::Staff),
    ];
    lists
        .into_iter()
        .find(|(words, _)| words.contains(&given))
        .map(|(_, kind)| kind)
        .ok_or("用户类型无法识别。")
}

fn kind(names: &ClaimNames, found: &Map<String, Value>) -> Result<Kind, &'static str> {
    Ok(match kind_name(names, found)? {
        KindName::Citizen => Kind::Citizen,
        KindName::Staff => Kind::Staff,
        KindName::Business => Kind::Business {
            name: text(found, &names.business_name).ok_or("没有企业名称。")?,
            credit_code: text(found, &names.credit_code)
                .map(|code| code.to_ascii_uppercase())
                // Its check character is the provider's business: a few codes in the public register have a wrong one.
                .filter(|c| c.len() == 18 && c.bytes().all(|b| b.is_ascii_alphanumeric()))
                .ok_or("没有 18 位的统一社会信用代码。")?,
        },
    })
}

fn is_verified(names: &ClaimNames, found: &Map<String, Value>) -> bool {
    names
        .verified
        .as_ref()
        .and_then(|claim| text(found, claim))
        .is_some_and(|value| names.verified_values.contains(&value))
}

/// The claim of that name, else the value at that path of names.
fn at<'a>(found: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    let value = found.get(claim).or_else(|| {
        let mut parts = claim.split('.');
        let first = found.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    });
    value.filter(|v| !v.is_null())
}

fn text(found: &Map<String, Value>, claim: &str) -> Option<String> {
    at(found, claim).and_then(word)
}

/// A value as one short line of text.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return None,
    };
    let sound = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    sound.then_some(text)
}

fn list(found: &Map<String, Value>, claim: &str) -> Vec<String> {
    match at(found, claim) {
        Some(Value::Array(values)) => values.iter().filter_map(word).take(MOST).collect(),
        Some(Value::String(words)) => words
            .split([' ', ',', '，', '、'])
            .filter_map(|w| word(&Value::from(w)))
            .take(MOST)
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings() -> OidcSettings {
        let mut settings = OidcSettings::new("city", "统一认证", "https://id.example.gov", "me");
        settings.claims.kind = Some("user_type".into());
        settings.claims.verified = Some("real_name.passed".into());
        settings.claims.roles = Some("realm_access.roles".into());
        settings.claims.departments = Some("dept".into());
        settings.claims.keep = vec!["level".into(), "absent".into()];
        settings
    }

    fn read(value: Value) -> Result<Claims> {
        Claims::read(&settings(), "42", value.as_object().unwrap())
    }

    #[test]
    fn claims_are_read_by_their_configured_names_and_paths() {
        let claims = read(json!({
            "name": " 王芳 ", "phone_number": "12000000001", "user_type": "工作人员",
            "real_name": { "passed": 1 }, "realm_access": { "roles": ["clerk", "", 7] },
            "dept": "医保局、社保局", "level": 3, "other": "x",
        }))
        .unwrap();
        assert_eq!(claims.name, "王芳");
        assert_eq!(claims.kind, Kind::Staff);
        assert!(claims.verified);
        assert_eq!(claims.roles, ["clerk", "7"]);
        assert_eq!(claims.departments, ["医保局", "社保局"]);
        assert_eq!(claims.kept, BTreeMap::from([("level".into(), json!(3))]));
    }

    #[test]
    fn nobody_is_verified_by_a_missing_or_foreign_value() {
        for value in [
            json!({}),
            json!({ "real_name": { "passed": "no" } }),
            json!({ "real_name": { "passed": [true] } }),
        ] {
            assert!(!read(value.clone()).unwrap().verified, "{value}");
        }
    }

    #[test]
    fn an_unknown_kind_is_refused_rather_than_guessed() {
        let error = read(json!({ "user_type": "robot" })).unwrap_err();
        assert_eq!(error.code, ErrorCode::SignInFailed);
        assert!(error.message.contains("用户类型"));
    }

    #[test]
    fn a_business_needs_its_name_and_code() {
        let error = read(
            json!({ "user_type": "法人", "business_name": "启明某公司", "credit_code": "123" }),
        );
        assert!(error.unwrap_err().message.contains("统一社会信用代码"));
        let claims = read(json!({
            "user_type": "法人", "business_name": "启明某公司", "credit_code": "91440300708461136t",
        }));
        assert_eq!(
            claims.unwrap().kind,
            Kind::Business {
                name: "启明某公司".into(),
                credit_code: "91440300708461136T".into()
            }
        );
    }

    #[test]
    fn a_missing_name_falls_back_and_overlong_or_strange_values_are_left_out() {
        let claims =
            read(json!({ "name": "字".repeat(100), "email": "a\nb", "preferred_username": "wf" }))
                .unwrap();
        assert_eq!((claims.name.as_str(), claims.email), ("wf", None));
        assert_eq!(read(json!({})).unwrap().name, "42");
    }

    #[test]
    fn more_is_asked_for_only_where_something_counted_on_is_missing() {
        let names = &settings().claims;
        let full = json!({
            "name": "王芳", "user_type": "市民", "real_name": { "passed": true }, "realm_access": { "roles": [] },
            "dept": "", "level": 1, "absent": 1,
        });
        assert!(!lacks_something(names, full.as_object().unwrap()));
        let mut business = full.clone();
        business["user_type"] = "企业".into();
        assert!(lacks_something(names, business.as_object().unwrap()));
    }
}
