//! What an answer stands on. No sentence leaves without it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a document is in force on the asked day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentStatus {
    /// 现行有效
    Current,
    /// 尚未施行
    Upcoming,
    /// 已修订: a later wording of the same document is in force
    Amended,
    /// 已过有效期
    Expired,
    /// 已被废止
    Repealed,
    /// 已撤下: no longer found
    Withdrawn,
}

/// A passage of a stored document, exact to the character.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// The mark in the answer, from 1.
    pub n: usize,
    /// The document's id.
    pub document: String,
    /// The document's title.
    pub title: String,
    /// The document number, e.g. 启公积金委发〔2024〕3号.
    pub number: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// The headings that lead to the clause and its place, e.g. `第二章 提取条件 › 第八条第一款`.
    pub path: String,
    /// The clause's ordinal in the document, from 0.
    pub clause: usize,
    /// Where the quote starts in the document's text, in characters (Unicode code points).
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Exactly that span.
    pub quote: String,
    /// Whether the document is in force on the asked day.
    pub status: DocumentStatus,
    /// In force from this day.
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Date>,
    /// In force until this day, inclusive.
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Date>,
}
