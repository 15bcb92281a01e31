//! What is known of a document besides its text: extracted by the reader, corrected by people.
//!
//! Corrections are kept apart from what was extracted, so that they survive a re-import and can be undone one by one.

use std::collections::BTreeMap;

use documents::DocumentKind;
use jiff::civil::Date;
use kernel::{Error, ErrorCode, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// The longest issuer, number, region or name of a space, in characters.
const LONGEST: usize = 200;
/// The longest topic, in characters.
const LONGEST_TOPIC: usize = 20;
/// The most topics of a document.
const MOST_TOPICS: usize = 10;

/// What is known of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The title.
    pub title: String,
    /// What kind of document.
    pub kind: DocumentKind,
    /// Who issued it.
    pub issuer: Option<String>,
    /// The document number.
    pub number: Option<String>,
    /// Where it holds.
    pub region: Option<String>,
    /// When it was issued.
    #[schemars(with = "Option<String>")]
    pub issued: Option<Date>,
    /// First day in force.
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Date>,
    /// Last day in force.
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Date>,
    /// What it is about.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The knowledge space.
    pub space: String,
}

/// What can be corrected.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DocumentField")]
pub enum Field {
    /// 标题
    Title,
    /// 类型
    Kind,
    /// 发文机关
    Issuer,
    /// 文号
    Number,
    /// 地区
    Region,
    /// 发布日期
    Issued,
    /// 施行日期
    EffectiveFrom,
    /// 失效日期
    EffectiveUntil,
    /// 主题
    Topics,
    /// 知识空间
    Space,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::Kind,
        Self::Issuer,
        Self::Number,
        Self::Region,
        Self::Issued,
        Self::EffectiveFrom,
        Self::EffectiveUntil,
        Self::Topics,
        Self::Space,
    ];

    /// As in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Kind => "kind",
            Self::Issuer => "issuer",
            Self::Number => "number",
            Self::Region => "region",
            Self::Issued => "issued",
            Self::EffectiveFrom => "effective_from",
            Self::EffectiveUntil => "effective_until",
            Self::Topics => "topics",
            Self::Space => "space",
        }
    }

    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Title => "标题",
            Self::Kind => "类型",
            Self::Issuer => "发文机关",
            Self::Number => "文号",
            Self::Region => "地区",
            Self::Issued => "发布日期",
            Self::EffectiveFrom => "施行日期",
            Self::EffectiveUntil => "失效日期",
            Self::Topics => "主题",
            Self::Space => "知识空间",
        }
    }
}

/// A correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DocumentEdit")]
pub struct Edit {
    /// What holds now; null for nothing.
    pub value: Value,
    /// What the file said when it was corrected.
    pub over: Value,
    /// Who corrected it.
    pub by: String,
    /// When.
    pub at: String,
}

/// Corrections, by what they correct.
pub type Edits = BTreeMap<Field, Edit>;

impl Facts {
    /// One of them, as JSON.
    pub fn get(&self, field: Field) -> Value {
        serde_json::to_value(self)
            .ok()
            .and_then(|mut all| all.get_mut(field.as_str()).map(Value::take))
            .unwrap_or_default()
    }

    /// The facts with corrections laid over them.
    ///
    /// # Errors
    /// `Internal` if a correction is not of its field's type, which [`Corrections::values`] makes sure of.
    pub fn corrected(&self, edits: &Edits) -> Result<Self> {
        let mut all = serde_json::to_value(self).map_err(Error::internal)?;
        for (field, edit) in edits {
            all[field.as_str()] = edit.value.clone();
        }
        serde_json::from_value(all).map_err(Error::internal)
    }

    /// Whether the days follow one another.
    ///
    /// # Errors
    /// `InvalidInput`.
    pub fn check(&self) -> Result<()> {
        match (self.effective_from.or(self.issued), self.effective_until) {
            (Some(from), Some(until)) if until < from => Err(invalid(format!(
                "失效日期 {until} 早于施行日期 {from}。请核对这两个日期。"
            ))),
            _ => Ok(()),
        }
    }
}

/// Corrections as they come in. What is missing stays as it is; null empties a field.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DocumentCorrections")]
pub struct Corrections {
    /// The title.
    #[serde(default)]
    pub title: Option<String>,
    /// What kind of document.
    #[serde(default)]
    pub kind: Option<DocumentKind>,
    /// Who issued it; several are separated by 、.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub issuer: Option<Option<String>>,
    /// The document number.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub number: Option<Option<String>>,
    /// Where it holds.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub region: Option<Option<String>>,
    /// When it was issued (YYYY-MM-DD).
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub issued: Option<Option<String>>,
    /// First day in force (YYYY-MM-DD).
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Option<String>>,
    /// Last day in force (YYYY-MM-DD).
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Option<String>>,
    /// What it is about.
    #[serde(default)]
    pub topics: Option<Vec<String>>,
    /// The knowledge space to which it is moved.
    #[serde(default)]
    pub space: Option<String>,
}

/// A field that is there, be it null.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidInput, message)
}

/// A text on one line, not too long; empty is nothing.
fn line(field: Field, text: &str, longest: usize) -> Result<Value> {
    let label = field.label();
    let text = text.trim();
    if text.contains(['\n', '\r']) {
        return Err(invalid(format!("{label}不能换行。请写成一行。")));
    }
    let length = text.chars().count();
    if length > longest {
        return Err(invalid(format!(
            "{label}有 {length} 个字，最多 {longest} 个。请缩短。"
        )));
    }
    Ok(if text.is_empty() {
        Value::Null
    } else {
        text.into()
    })
}

fn required(field: Field, text: &str, longest: usize) -> Result<Value> {
    match line(field, text, longest)? {
        Value::Null => Err(invalid(format!("{}不能为空。", field.label()))),
        value => Ok(value),
    }
}

fn day(field: Field, text: Option<&str>) -> Result<Value> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(Value::Null);
    };
    let fits = |day: &Date| (1900..2200).contains(&day.year());
    let day: Option<Date> = text.parse().ok().filter(fits);
    let day = day.ok_or_else(|| {
        invalid(format!(
            "{}“{text}”不是有效的日期。请写成 2024-07-01 这样的形式，年份在 1900 到 2199 之间。",
            field.label()
        ))
    })?;
    Ok(day.to_string().into())
}

fn topics(given: &[String]) -> Result<Value> {
    let mut out: Vec<Value> = Vec::new();
    for topic in given {
        let topic = required(Field::Topics, topic, LONGEST_TOPIC)?;
        if !out.contains(&topic) {
            out.push(topic);
        }
    }
    if out.len() > MOST_TOPICS {
        return Err(invalid(format!(
            "主题有 {} 个，最多 {MOST_TOPICS} 个。请删去一些。",
            out.len()
        )));
    }
    Ok(Value::Array(out))
}

impl Corrections {
    /// What is to hold, by field.
    ///
    /// # Errors
    /// `InvalidInput`, naming the field and what is wrong with it.
    pub fn values(&self) -> Result<BTreeMap<Field, Value>> {
        let mut out = BTreeMap::new();
        if let Some(title) = &self.title {
            out.insert(Field::Title, required(Field::Title, title, LONGEST_TITLE)?);
        }
        if let Some(kind) = self.kind {
            let kind = serde_json::to_value(kind).map_err(Error::internal)?;
            out.insert(Field::Kind, kind);
        }
        for (field, given) in [
            (Field::Issuer, &self.issuer),
            (Field::Number, &self.number),
            (Field::Region, &self.region),
        ] {
            if let Some(text) = given {
                let text = text.as_deref().unwrap_or_default();
                out.insert(field, line(field, text, LONGEST)?);
            }
        }
        for (field, given) in [
            (Field::Issued, &self.issued),
            (Field::EffectiveFrom, &self.effective_from),
            (Field::EffectiveUntil, &self.effective_until),
        ] {
            if let Some(text) = given {
                out.insert(field, day(field, text.as_deref())?);
            }
        }
        if let Some(given) = &self.topics {
            out.insert(Field::Topics, topics(given)?);
        }
        if let Some(space) = &self.space {
            out.insert(Field::Space, required(Field::Space, space, LONGEST)?);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_in_the_json() {
        let facts = serde_json::to_value(Facts::default()).unwrap();
        for field in Field::ALL {
            assert_eq!(serde_json::to_value(field).unwrap(), field.as_str());
            assert!(facts.get(field.as_str()).is_some(), "{field:?}");
        }
        assert_eq!(facts.as_object().unwrap().len(), Field::ALL.len());
    }

    #[test]
    fn null_empties_a_field_and_what_is_missing_stays() {
        let given: Corrections = serde_json::from_value(
            serde_json::json!({"issuer": null, "number": " 启〔2024〕1号 "}),
        )
        .unwrap();
        let values = given.values().unwrap();
        assert_eq!(values[&Field::Issuer], Value::Null);
        assert_eq!(values[&Field::Number], "启〔2024〕1号");
        assert_eq!(values.len(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_in_chinese() {
        let wrong = |given: Corrections| given.values().unwrap_err().message;
        let title = |title: &str| Corrections {
            title: Some(title.into()),
            ..Corrections::default()
        };
        assert!(wrong(title(" ")).contains("标题不能为空"));
        assert!(wrong(title(&"长".repeat(201))).contains("最多 200"));
        assert!(wrong(title("上\n下")).contains("不能换行"));
        for day in ["2024-02-30", "明天", "0024-01-01"] {
            let given = Corrections {
                effective_from: Some(Some(day.into())),
                ..Corrections::default()
            };
            assert!(wrong(given).contains("不是有效的日期"), "{day}");
        }
        let facts = Facts {
            effective_from: "2024-01-02".parse().ok(),
            effective_until: "2024-01-01".parse().ok(),
            ..Facts::default()
        };
        assert!(facts.check().unwrap_err().message.contains("早于施行日期"));
    }
}
