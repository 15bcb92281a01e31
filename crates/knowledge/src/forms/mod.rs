//! Entry forms, one per kind of knowledge: what a person types in, and the Markdown that it becomes.
//!
//! The Markdown goes the way of every imported file, so that an export imported again gives the same clauses. The form
//! is kept with the version, so that it can be opened and changed again.

mod check;
mod markdown;
pub(crate) mod pictures;

use documents::DocumentKind;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person types in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(rename = "KnowledgeForm")]
pub enum Form {
    /// 政策
    Policy(Policy),
    /// 办事指南
    Guide(Guide),
    /// 操作详解
    Walkthrough(Walkthrough),
    /// 常见问答
    Faq(Faq),
    /// 通识知识
    Primer(Primer),
}

/// 政策
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "PolicyForm")]
pub struct Policy {
    /// 标题
    pub title: String,
    /// 文号
    pub number: Option<String>,
    /// 发文机关
    pub issuer: Option<String>,
    /// 发布日期
    #[schemars(with = "Option<String>")]
    pub issued: Option<Date>,
    /// 施行日期
    #[schemars(with = "Option<String>")]
    pub effective_from: Option<Date>,
    /// 失效日期
    #[schemars(with = "Option<String>")]
    pub effective_until: Option<Date>,
    /// 正文: paragraphs; lines that begin with `## ` are headings.
    pub body: String,
}

/// 办事指南
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "GuideForm")]
pub struct Guide {
    /// 事项名称
    pub item: String,
    /// 办理机构
    pub issuer: Option<String>,
    /// 办理依据
    pub basis: Vec<String>,
    /// 受理条件
    pub conditions: Vec<String>,
    /// 申请材料
    pub materials: Vec<String>,
    /// 办理流程
    pub steps: Vec<String>,
    /// 办理时限
    pub time_limit: Option<String>,
    /// 收费标准
    pub fee: Option<String>,
    /// 办理渠道
    pub channels: Vec<String>,
    /// 咨询方式
    pub contact: Option<String>,
}

/// 操作详解
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "WalkthroughForm")]
pub struct Walkthrough {
    /// 标题
    pub title: String,
    /// 发布单位
    pub issuer: Option<String>,
    /// 适用对象
    pub audience: Option<String>,
    /// 步骤
    pub steps: Vec<Step>,
}

/// A step of an operating instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "WalkthroughStep")]
pub struct Step {
    /// 步骤名称
    pub title: String,
    /// 说明
    pub text: String,
    /// 图片: a `data:image/…;base64,…` address.
    pub picture: Option<String>,
}

/// 常见问答
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "FaqForm")]
pub struct Faq {
    /// 标题
    pub title: String,
    /// 发布单位
    pub issuer: Option<String>,
    /// 问答
    pub pairs: Vec<Pair>,
}

/// A question with its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "FaqPair")]
pub struct Pair {
    /// 问题
    pub question: String,
    /// 相似问法
    pub variants: Vec<String>,
    /// 答案
    pub answer: String,
    /// 依据
    pub basis: Option<String>,
}

/// 通识知识
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "PrimerForm")]
pub struct Primer {
    /// 标题
    pub title: String,
    /// 发布单位
    pub issuer: Option<String>,
    /// 正文: paragraphs; lines that begin with `## ` are headings.
    pub body: String,
}

impl Form {
    /// The document's title.
    pub fn title(&self) -> String {
        let title = match self {
            Self::Policy(form) => &form.title,
            Self::Guide(form) => &form.item,
            Self::Walkthrough(form) => &form.title,
            Self::Faq(form) => &form.title,
            Self::Primer(form) => &form.title,
        };
        let title = markdown::one_line(title);
        if matches!(self, Self::Guide(_)) && !title.ends_with("指南") {
            format!("{title}办事指南")
        } else {
            title
        }
    }

    /// As people call the form.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Policy(_) => "政策",
            Self::Guide(_) => "办事指南",
            Self::Walkthrough(_) => "操作详解",
            Self::Faq(_) => "常见问答",
            Self::Primer(_) => "通识知识",
        }
    }

    /// The kind of document.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Policy(_) => DocumentKind::Policy,
            Self::Guide(_) => DocumentKind::Guide,
            Self::Walkthrough(_) => DocumentKind::Walkthrough,
            Self::Faq(_) => DocumentKind::Faq,
            Self::Primer(_) => DocumentKind::Primer,
        }
    }

    fn issuer(&self) -> Option<&str> {
        let issuer = match self {
            Self::Policy(form) => &form.issuer,
            Self::Guide(form) => &form.issuer,
            Self::Walkthrough(form) => &form.issuer,
            Self::Faq(form) => &form.issuer,
            Self::Primer(form) => &form.issuer,
        };
        issuer.as_deref().map(str::trim).filter(|i| !i.is_empty())
    }
}
