//! What people say of answers: thumbs with a reason, kept with the question, for the experts who improve them.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{Capability, Context, Definition, Permission, Registered},
    identity::Role,
    page::PageRequest,
    records::{Collection, Condition, Query, Records, Sort, Write},
    time,
};
use platform::sessions::Sessions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Feedback, one for a turn.
pub const FEEDBACK: Collection = Collection {
    name: "feedback",
    indexed: &["at", "helpful", "reason", "handled"],
};

/// The longest comment, in characters.
const COMMENT: usize = 500;

/// Who works with it.
const EXPERTS: Permission = Permission::Roles(&[Role::Clerk, Role::Expert, Role::Administrator]);

/// Why an answer did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 说错了
    Wrong,
    /// 不完整
    Incomplete,
    /// 过时了
    Outdated,
    /// 看不懂
    Unclear,
    /// 答非所问
    Irrelevant,
    /// 不合适
    Unsafe,
    /// 其他
    Other,
}

/// What somebody says of an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveInput {
    /// The conversation.
    pub session: String,
    /// The question in it.
    pub turn: String,
    /// Whether the answer helped.
    pub helpful: bool,
    /// Why it did not.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// In words.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub comment: Option<String>,
}

/// Feedback as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Feedback {
    /// The question that it is about, by id; a second one of the same person takes the place of the first.
    pub turn: String,
    /// When it was given.
    pub at: String,
    /// Whether the answer helped.
    pub helpful: bool,
    /// Why it did not.
    pub reason: Option<Reason>,
    /// In words.
    pub comment: Option<String>,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// How it came about.
    pub trace: String,
    /// The documents and clauses that it cited.
    pub cited: Vec<Cited>,
    /// Somebody has dealt with it.
    pub handled: bool,
}

/// A clause that an answer cited.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Cited {
    /// The document.
    pub document: String,
    /// Its title.
    pub title: String,
    /// The clause.
    pub clause: usize,
}

/// Which feedback.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Only helpful, or only not.
    #[serde(default)]
    pub helpful: Option<bool>,
    /// Only for this reason.
    #[serde(default)]
    pub reason: Option<Reason>,
    /// Only what has, or has not, been dealt with.
    #[serde(default)]
    pub handled: Option<bool>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// So many a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// Takes feedback in.
#[derive(Clone)]
pub struct FeedbackBox {
    records: Arc<dyn Records>,
    sessions: Sessions,
}

impl FeedbackBox {
    /// Opens the feedback of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>, sessions: Sessions) -> Result<Self> {
        records.define(&[FEEDBACK]).await?;
        Ok(Self { records, sessions })
    }

    /// What the outside can do with it.
    pub fn capabilities(&self) -> Vec<Registered> {
        vec![
            Registered::new(Give(self.clone())),
            Registered::new(List(self.clone())),
            Registered::new(Handle(self.clone())),
        ]
    }
}

struct Give(FeedbackBox);

impl Capability for Give {
    type Input = GiveInput;
    type Output = Feedback;

    fn definition(&self) -> Definition {
        Definition::post(
            "feedback.give",
            "评价答案",
            "对一个答案说有没有帮助，为什么；再评一次就是改。",
            "/feedback",
        )
        .open_to(Permission::Public)
    }

    async fn call(&self, context: &Context, input: GiveInput) -> Result<Feedback> {
        let comment = input
            .comment
            .map(|c| c.trim().to_owned())
            .filter(|c| !c.is_empty());
        if comment
            .as_ref()
            .is_some_and(|c| c.chars().count() > COMMENT)
        {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("说明最多{COMMENT}个字。"),
            ));
        }
        let session = self
            .0
            .sessions
            .get(context.caller.owner(), &input.session)
            .await?;
        let turn = session.turns.into_iter().find(|t| t.id == input.turn);
        let turn = turn.ok_or_else(|| Error::not_found("这个问题"))?;
        let cited = turn.answer.citations.iter().map(|c| Cited {
            document: c.document.clone(),
            title: c.title.clone(),
            clause: c.clause,
        });
        let feedback = Feedback {
            turn: turn.id.clone(),
            at: time::now(),
            helpful: input.helpful,
            reason: input.reason.filter(|_| !input.helpful),
            comment,
            question: turn.question,
            cited: cited.collect(),
            answer: turn.answer.answer,
            trace: turn.answer.trace,
            handled: false,
        };
        let put = Write::put(&FEEDBACK, feedback.turn.clone(), &feedback)?;
        self.0.records.apply(vec![put]).await?;
        Ok(feedback)
    }
}

struct List(FeedbackBox);

impl Capability for List {
    type Input = ListInput;
    type Output = Page<Feedback>;

    fn definition(&self) -> Definition {
        Definition::get(
            "feedback.list",
            "评价列表",
            "市民对答案的评价，最近的在前。",
            "/feedback",
        )
        .open_to(EXPERTS)
    }

    async fn call(&self, _: &Context, input: ListInput) -> Result<Page<Feedback>> {
        let mut all = Vec::new();
        if let Some(helpful) = input.helpful {
            all.push(Condition::is("helpful", helpful));
        }
        if let Some(handled) = input.handled {
            all.push(Condition::is("handled", handled));
        }
        if let Some(reason) = input.reason {
            let named = serde_json::to_value(reason).map_err(Error::internal)?;
            all.push(Condition::Is("reason".to_owned(), named));
        }
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let total = self.0.records.count(&FEEDBACK, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "at".to_owned(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        Ok(page.of(self.0.records.list(&FEEDBACK, &query).await?, total))
    }
}

/// Feedback that was dealt with, or not after all.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandleInput {
    /// The question that it is about.
    pub id: String,
    /// Whether it was dealt with.
    pub handled: bool,
}

struct Handle(FeedbackBox);

impl Capability for Handle {
    type Input = HandleInput;
    type Output = Feedback;

    fn definition(&self) -> Definition {
        Definition::post(
            "feedback.handle",
            "处理评价",
            "标明一条评价已经处理，或者还没有。",
            "/feedback/{id}/handle",
        )
        .open_to(EXPERTS)
    }

    async fn call(&self, _: &Context, input: HandleInput) -> Result<Feedback> {
        let found: Option<Feedback> = self.0.records.read(&FEEDBACK, &input.id).await?;
        let mut feedback = found.ok_or_else(|| Error::not_found("这条评价"))?;
        feedback.handled = input.handled;
        let put = Write::put(&FEEDBACK, input.id, &feedback)?;
        self.0.records.apply(vec![put]).await?;
        Ok(feedback)
    }
}
