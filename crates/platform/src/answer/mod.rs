//! An answer with its evidence, as every door gives it.

pub mod guide;

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernel::evidence::Citation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::safety::Action;

/// A question.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskInput {
    /// In everyday words, at most 2,000 characters.
    #[schemars(length(min = 1, max = 2000))]
    pub question: String,
    /// The conversation that it goes on; a new one without.
    #[serde(default)]
    pub session: Option<String>,
    /// The day for which the answer must hold (YYYY-MM-DD, default today).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
    /// Only from this knowledge space.
    #[serde(default)]
    pub space: Option<String>,
    /// Fields of the form of the guided dialogue, filled in place rather than by words: field to answer, in words.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 64))]
    pub fill: BTreeMap<String, String>,
}

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerStatus {
    /// With citations.
    Answered,
    /// Nothing supports an answer; `channels` says where to ask.
    Refused,
    /// Several things may be meant; `choices` names them.
    Clarify,
    /// A step of a guided dialogue: `guide` says which.
    Guide,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What kind of answer it is.
    pub status: AnswerStatus,
    /// Plain text: the segments joined.
    pub answer: String,
    /// Its parts, each with what it stands on.
    pub segments: Vec<Segment>,
    /// What the evidence says of conditions, amounts, materials, channels and deadlines.
    pub points: Vec<Point>,
    /// The evidence, each quote read back from the stored source.
    pub citations: Vec<Citation>,
    /// Where to ask instead, when refused.
    pub channels: Vec<Channel>,
    /// What the reader should know besides, e.g. that a newer rule takes effect soon.
    pub notices: Vec<String>,
    /// Which model phrased the answer; empty where it is the sources' own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrased_by: Option<String>,
    /// What may be meant, each sent as the next message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The guided dialogue that this answer belongs to, or that waits meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guide: Option<guide::Guide>,
    /// What can be begun from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<guide::Offer>,
    /// What the safety check did with the question, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Intervention>,
    /// The conversation.
    pub session: String,
    /// This question in it.
    pub turn: String,
    /// How the answer came about.
    pub trace: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What the safety check did with a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intervention {
    /// What was done.
    pub action: Action,
    /// Why: kinds such as injection, self_harm, personal_data.
    pub kinds: Vec<String>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Segment {
    /// The text, with the line breaks that belong after it.
    pub text: String,
    /// The marks of the citations that it stands on.
    pub citations: Vec<usize>,
}

/// A fact picked out of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// What it is about.
    pub kind: PointKind,
    /// The same in Chinese.
    pub label: String,
    /// As the evidence says it.
    pub text: String,
    /// The mark of the citation that it stands on.
    pub citation: usize,
}

/// What a point is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PointKind {
    /// 条件
    Condition,
    /// 金额
    Amount,
    /// 材料
    Material,
    /// 渠道
    Channel,
    /// 时限
    Deadline,
}

impl PointKind {
    /// Its Chinese label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Condition => "条件",
            Self::Amount => "金额",
            Self::Material => "材料",
            Self::Channel => "渠道",
            Self::Deadline => "时限",
        }
    }
}

/// Where a person can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Telephone, address or page.
    pub contact: String,
    /// What it is for.
    pub note: String,
}
