//! A case and its life.

use jiff::{ToSpan, civil::Date};
use kernel::{
    Result,
    events::Event,
    evidence::Citation,
    records::{Collection, Expect, Write},
    time,
};
use platform::answer::guide::{Amount, Condition, GuideForm, Material};
use rules::Facts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::items::schema::{Days, TimeLimit};

/// Cases.
pub const CASES: Collection = Collection {
    name: "cases",
    indexed: &[
        "number",
        "item_id",
        "applicant.account",
        "status",
        "due",
        "submitted_at",
    ],
};

/// An application as it was handed in, with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// Its id: that of the dialogue it came of, so that one dialogue gives one case.
    pub id: String,
    /// What people call it.
    pub number: String,
    /// The id of the service item.
    pub item_id: String,
    /// Its name.
    pub item: String,
    /// Who handles it.
    pub agency: String,
    /// Who applied.
    pub applicant: Applicant,
    /// What was said, by field.
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub facts: Facts,
    /// The form as it was handed in.
    pub form: GuideForm,
    /// The conditions as they stood then.
    pub conditions: Vec<Condition>,
    /// What was computed then.
    pub amounts: Vec<Amount>,
    /// What has to be handed in.
    pub materials: Vec<Material>,
    /// What the above stands on.
    pub citations: Vec<Citation>,
    /// Where it is.
    pub status: CaseStatus,
    /// When it was handed in.
    pub submitted_at: String,
    /// The last day to decide it.
    #[schemars(with = "String")]
    pub due: Date,
    /// What happened to it, in order.
    pub history: Vec<CaseEvent>,
    /// The conversation that it came of.
    #[serde(default)]
    pub session: Option<String>,
    /// Messages from the first question to the handing-in.
    #[serde(default)]
    pub turns: u32,
    /// When the dialogue began.
    #[serde(default)]
    pub began_at: String,
    /// What was uploaded for its materials, in order.
    #[serde(default)]
    pub uploads: Vec<Upload>,
    /// Something changed that the applicant has not looked at yet.
    #[serde(default)]
    pub unread: bool,
}

/// A file handed in for a material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The material.
    pub material: String,
    /// The name of the file.
    pub name: String,
    /// The SHA-256 of its content.
    pub file: String,
    /// Its media type.
    pub media: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was uploaded.
    pub at: String,
    /// Whether there is text to compare.
    pub legible: Legible,
    /// What the form says, held against its text.
    pub checks: Vec<Check>,
}

/// Whether a file has text that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Legible {
    /// It has.
    Text,
    /// A document without a text layer, such as a scan.
    Scan,
    /// A picture.
    Picture,
}

/// A value of the form, held against the text of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The field.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// What the form says.
    pub expected: String,
    /// The file says so as well.
    pub found: bool,
    /// What the file says instead, where that can be told.
    pub seen: Option<String>,
}

/// Who applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Applicant {
    /// The account.
    pub account: String,
    /// Its name.
    pub name: String,
}

/// Where a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// 已提交
    Submitted,
    /// 已受理
    Accepted,
    /// 退回补正
    Returned,
    /// 已办结: approved
    Approved,
    /// 不予办理: rejected
    Rejected,
    /// 已撤回: by the applicant
    Withdrawn,
}

impl CaseStatus {
    /// Its Chinese name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Submitted => "已提交",
            Self::Accepted => "已受理",
            Self::Returned => "退回补正",
            Self::Approved => "已办结",
            Self::Rejected => "不予办理",
            Self::Withdrawn => "已撤回",
        }
    }
}

/// Something that happened to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEvent {
    /// When.
    pub at: String,
    /// Who, by name.
    pub by: String,
    /// What the case became.
    pub status: CaseStatus,
    /// In words, for the applicant.
    pub note: String,
}

impl Case {
    /// Something that happened to it, for those who follow cases.
    pub fn told(&self, kind: &str) -> Event {
        let told = json!({
            "number": self.number,
            "item": self.item,
            "item_id": self.item_id,
            "status": self.status,
            "title": self.status.title(),
            "account": self.applicant.account,
            "due": self.due,
        });
        Event::new(kind, &self.id, told)
    }

    /// Days left to decide it on a day, negative once it is late; nothing unless it waits to be decided.
    pub fn days_left(&self, on: Date) -> Option<i32> {
        let open = matches!(self.status, CaseStatus::Submitted | CaseStatus::Accepted);
        let left = on.until(self.due).map(|s| s.get_days());
        left.ok().filter(|_| open)
    }

    /// The day on which it was handed in.
    pub fn submitted_on(&self) -> Date {
        let day = self.submitted_at.get(..10).and_then(|d| d.parse().ok());
        day.unwrap_or_else(time::today)
    }

    /// The write that makes it, once.
    ///
    /// # Errors
    /// `Internal` if it cannot be written as JSON.
    pub fn submit(&self) -> Result<Write> {
        Ok(Write::put(&CASES, self.id.clone(), self)?.expecting(Expect::Absent))
    }

    /// A number for people: the day and eight characters of the id.
    pub fn number_of(id: &str, on: Date) -> String {
        let short: String = id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<Vec<_>>()
            .iter()
            .rev()
            .take(8)
            .collect();
        format!(
            "BJ{:04}{:02}{:02}-{}",
            on.year(),
            on.month(),
            on.day(),
            short.to_uppercase()
        )
    }
}

/// The last day to decide what was handed in on a day: working days leave out Saturdays and Sundays. Public holidays are not
/// known here; the day may therefore be early, never late.
pub fn due(from: Date, limit: &TimeLimit) -> Date {
    let mut day = from;
    let mut left = limit.promised;
    while left > 0 {
        day = day.checked_add(1.day()).unwrap_or(day);
        let weekend = matches!(
            day.weekday(),
            jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
        );
        if limit.unit == Days::Days || !weekend {
            left -= 1;
        }
    }
    day
}

/// What happened, now.
pub fn event(by: &str, status: CaseStatus, note: impl Into<String>) -> CaseEvent {
    CaseEvent {
        at: time::now(),
        by: by.to_owned(),
        status,
        note: note.into(),
    }
}
