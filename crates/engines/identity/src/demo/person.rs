//! The persons of the demonstration. All of them, their businesses, numbers and codes are invented: no region has the
//! number 9901 and no telephone in China begins with 120 and has eleven digits.

use kernel::{Error, ErrorCode, Result, id::derived};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Somebody whom the demonstration confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoPerson {
    /// The id, which stays.
    pub subject: String,
    /// The name.
    pub name: String,
    /// An invented telephone number.
    pub phone: Option<String>,
    /// The business for which the person acts, with its unified social credit code.
    pub business: Option<(String, String)>,
}

const CITIZENS: [(&str, &str); 6] = [
    ("林晓雨", "12000000001"),
    ("赵建国", "12000000002"),
    ("周思琪", "12000000003"),
    ("吴秀英", "12000000004"),
    ("陈立新", "12000000005"),
    ("古丽娜·阿依", "12000000006"),
];

const BUSINESSES: [(&str, &str, &str, &str); 5] = [
    (
        "孙明哲",
        "12000000011",
        "启明青禾农业发展有限公司（演示）",
        "91990100MA0DEM013D",
    ),
    (
        "何静怡",
        "12000000012",
        "启明云帆软件有限公司（演示）",
        "91990102MA0DEM0215",
    ),
    (
        "罗大勇",
        "12000000013",
        "启明老罗面馆（个体工商户，演示）",
        "92990103MA0DEM03X8",
    ),
    (
        "蒋春梅",
        "12000000014",
        "启明山间果蔬专业合作社（演示）",
        "93990104MA0DEM048K",
    ),
    (
        "沈望舒",
        "12000000015",
        "启明夕阳红养老服务中心（演示）",
        "52990100MJ0DEM059M",
    ),
];

/// The claim that tells citizens from businesses.
pub(super) const KIND: &str = "user_type";
/// The claim that somebody is verified.
pub(super) const VERIFIED: &str = "verified";

impl DemoPerson {
    /// The persons to choose from, citizens first.
    pub fn directory() -> Vec<Self> {
        let citizens = CITIZENS.iter().enumerate().map(|(i, (name, phone))| Self {
            subject: format!("demo-citizen-{:02}", i + 1),
            name: (*name).to_owned(),
            phone: Some((*phone).to_owned()),
            business: None,
        });
        let agents = BUSINESSES.iter().enumerate();
        let agents = agents.map(|(i, (name, phone, business, code))| Self {
            subject: format!("demo-business-{:02}", i + 1),
            name: (*name).to_owned(),
            phone: Some((*phone).to_owned()),
            business: Some(((*business).to_owned(), (*code).to_owned())),
        });
        citizens.chain(agents).collect()
    }

    /// The person of the directory with that id, name or business, else a new citizen of that name, always the same one.
    pub fn named(name: &str) -> Result<Self> {
        let name = name.trim();
        let known = Self::directory().into_iter().find(|person| {
            let business = person
                .business
                .as_ref()
                .map(|(business, _)| business.as_str());
            person.subject == name || person.name == name || business == Some(name)
        });
        if let Some(person) = known {
            return Ok(person);
        }
        let length = (2..=20).contains(&name.chars().count());
        let sound = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '·' | '•' | ' ' | '-' | '.'));
        if !(length && sound) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "姓名须为 2 至 20 个字，只能含汉字、字母、数字、空格和“·”。请改后再试。",
            ));
        }
        Ok(Self {
            subject: format!("demo-{}", derived(&["demonstration citizen", name])),
            name: name.to_owned(),
            phone: None,
            business: None,
        })
    }

    /// The claims about the person that OpenID Connect does not define.
    pub(super) fn other_claims(&self) -> Map<String, Value> {
        let mut claims = Map::from_iter([
            (KIND.to_owned(), json!("citizen")),
            (VERIFIED.to_owned(), json!(true)),
            // For whoever else may read the token: nobody was really verified.
            ("demonstration".to_owned(), json!(true)),
        ]);
        if let Some((name, code)) = &self.business {
            claims.insert(KIND.to_owned(), json!("business"));
            claims.insert("business_name".to_owned(), json!(name));
            claims.insert("credit_code".to_owned(), json!(code));
        }
        claims
    }

    /// All claims about the person.
    pub(super) fn claims(&self) -> Map<String, Value> {
        let mut claims = self.other_claims();
        claims.insert("sub".to_owned(), json!(self.subject));
        claims.insert("name".to_owned(), json!(self.name));
        if let Some(phone) = &self.phone {
            claims.insert("phone_number".to_owned(), json!(phone));
        }
        claims
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::is_credit_code;

    #[test]
    fn everybody_in_the_directory_is_somebody_else_and_every_business_has_a_right_code() {
        let all = DemoPerson::directory();
        let subjects: BTreeSet<_> = all.iter().map(|p| &p.subject).collect();
        let names: BTreeSet<_> = all.iter().map(|p| &p.name).collect();
        assert_eq!((subjects.len(), names.len()), (all.len(), all.len()));
        let codes: BTreeSet<_> = all.iter().filter_map(|p| p.business.as_ref()).collect();
        assert_eq!(codes.len(), 5);
        for (_, code) in codes {
            assert!(is_credit_code(code), "{code}");
            assert!(code[2..].starts_with("9901"), "{code}: a real region");
        }
    }

    #[test]
    fn any_name_gives_the_same_citizen_each_time() {
        let first = DemoPerson::named(" 王小明 ").unwrap();
        assert_eq!(first, DemoPerson::named("王小明").unwrap());
        assert_ne!(first.subject, DemoPerson::named("王大明").unwrap().subject);
        assert_eq!(first.business, None);
    }

    #[test]
    fn a_name_of_the_directory_gives_that_person() {
        for person in DemoPerson::directory() {
            assert_eq!(DemoPerson::named(&person.name).unwrap(), person);
            assert_eq!(DemoPerson::named(&person.subject).unwrap(), person);
        }
    }

    #[test]
    fn names_that_are_too_short_too_long_or_strange_are_refused() {
        let long = "长".repeat(21);
        for name in ["", "王", &long, "<b>王</b>", "王\n明", "王;明"] {
            let error = DemoPerson::named(name).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidInput, "{name}");
        }
    }
}
