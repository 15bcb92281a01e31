use std::ops::Range;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::picture::Picture;

/// What kind of file the text was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Format {
    /// Markdown.
    #[serde(rename = "md")]
    Markdown,
    /// Plain text.
    #[serde(rename = "txt")]
    Text,
    /// A web page.
    #[serde(rename = "html")]
    Html,
    /// A Word document.
    #[serde(rename = "docx")]
    Docx,
    /// A PDF with a text layer.
    #[serde(rename = "pdf")]
    Pdf,
    /// An Excel workbook.
    #[serde(rename = "xlsx")]
    Xlsx,
    /// Separated values.
    #[serde(rename = "csv")]
    Csv,
}

/// A file as text with structure.
///
/// Clauses are ordered and disjoint. Every character of `text` that is not blank lies in a clause or in the span of a heading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The format of the file.
    pub format: Format,
    /// Canonical plain text: UTF-8, LF, one paragraph a line, no control or invisible characters; otherwise the source's own.
    pub text: String,
    /// The units of retrieval and citation.
    pub clauses: Vec<Clause>,
    /// The headings, in order.
    pub outline: Vec<Heading>,
    /// What the document says about itself.
    pub metadata: Metadata,
    /// Its pictures, in order of their places.
    pub pictures: Vec<Picture>,
    /// What a person should look at.
    pub notes: Vec<Note>,
}

/// A unit of retrieval and citation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// What it is.
    pub kind: ClauseKind,
    /// How it is cited within its path: 第十二条, （三）, 表2, the question of a `Question`, 第2段.
    pub label: String,
    /// The headings above it, outermost first; a run-in heading of its own stands last.
    pub path: Vec<String>,
    /// Byte range in `Document::text`; starts and ends at a character that is not blank.
    pub span: Range<usize>,
}

/// What a clause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClauseKind {
    /// Title block, addressee, preamble, table of contents.
    Front,
    /// 条, with all its 款 and 项.
    Article,
    /// The whole text under one heading.
    Section,
    /// A numbered item.
    Item,
    /// One or more paragraphs of a longer text; the signature and date at the end.
    Paragraph,
    /// A table, or a group of its rows.
    Table,
    /// Text of an annex.
    Annex,
    /// A question with its answer.
    Question,
}

/// A heading line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// With blanks made uniform: 第一章 总则.
    pub title: String,
    /// Depth, 1 is outermost.
    pub level: u8,
    /// Index of the first clause under it.
    pub clause: usize,
    /// Byte range in `Document::text`.
    pub span: Range<usize>,
}

/// What the document says about itself. What it does not say stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The title; the name of the file as a last resort.
    pub title: String,
    /// The kind of document.
    pub kind: DocumentKind,
    /// 发文机关; several are separated by 、.
    pub issuer: Option<String>,
    /// 发文字号: 启医保规〔2024〕5号.
    pub number: Option<String>,
    /// 成文 or 发布日期.
    pub issued: Option<Date>,
    /// First day in force.
    pub effective_from: Option<Date>,
    /// Last day in force.
    pub effective_until: Option<Date>,
    /// 全国, a province or a city.
    pub region: Option<String>,
    /// The documents it repeals.
    pub repeals: Vec<Reference>,
    /// What it says of other documents, those it repeals included.
    pub relations: Vec<Relation>,
    /// What it is about, from most to least: 医疗保障. At most three, see [`field_of_topic`](crate::field_of_topic).
    pub topics: Vec<String>,
    /// What the document itself says about its validity.
    pub declared_status: Option<Declared>,
}

/// The kind of document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// 政策
    Policy,
    /// 办事指南
    Guide,
    /// 常见问答
    Faq,
    /// 操作详解: how something is operated, step by step, with pictures.
    Walkthrough,
    /// 通识知识: what something is and how it works.
    Primer,
    /// 政策解读
    Interpretation,
    /// 法律法规
    Law,
    /// 其他
    #[default]
    Other,
}

/// Validity as stated in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Declared {
    /// 已废止
    Repealed,
    /// 已失效
    Expired,
    /// 尚未生效
    NotYetEffective,
}

/// Another document, by title, number or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Without the book-title marks.
    pub title: Option<String>,
    /// Its 发文字号.
    pub number: Option<String>,
}

/// What a document says of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// What it says.
    pub kind: RelationKind,
    /// The other document.
    pub reference: Reference,
    /// The clause that says it first; `None` where the title says it.
    pub clause: Option<usize>,
    /// The article of the other document that it speaks of: 第三十六条.
    pub article: Option<String>,
}

/// What a document can say of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// Names it.
    Cites,
    /// Is made to carry it out: 根据《……》，制定本办法.
    Implements,
    /// Changes its text: 将《……》第三条修改为.
    Amends,
    /// Ends it: 《……》同时废止.
    Repeals,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The clause it is about.
    pub clause: Option<usize>,
    /// In Chinese.
    pub message: String,
}

/// Where a byte of the text stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Index into `Document::clauses`.
    pub clause: usize,
    /// 第十二条第二款第（三）项
    pub label: String,
}
