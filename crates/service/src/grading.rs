//! Golden questions put to the assistant and graded, with every run kept: what got better, what got worse.
//!
//! A run goes through the path that answers citizens, but belongs to no conversation.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    id::fresh,
    identity::Role,
    page::PageRequest,
    records::{Collection, Condition, Query, Records, Sort, Write},
    time,
};
use knowledge::Library;
use platform::{answer::AnswerStatus, models::Gateway, trace::Recorder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Assistant;

/// Runs, each with its cases.
pub const RUNS: Collection = Collection {
    name: "evaluation_runs",
    indexed: &["set", "started_at"],
};

/// The most questions of a run.
const MOST: usize = 5_000;

/// Who grades.
const GRADERS: Permission =
    Permission::Roles(&[Role::Expert, Role::AppDeveloper, Role::Administrator]);

/// A golden question.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Golden {
    /// Identifies it in its set.
    pub id: String,
    /// As a citizen would ask.
    pub question: String,
    /// Whether the documents hold an answer.
    pub kind: GoldenKind,
    /// Paths of documents that answer; any one is right. Compared by their ends.
    #[serde(default)]
    pub gold: Vec<String>,
    /// Texts that the answer or its quotes should hold.
    #[serde(default)]
    pub must: Vec<String>,
    /// What it is about, for figures apart.
    #[serde(default, rename = "type")]
    pub group: Option<String>,
    /// The day for which it is asked (default today).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
}

/// Whether there is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoldenKind {
    /// The documents hold one.
    Answerable,
    /// They don't: to be refused.
    Unanswerable,
}

/// What a run is to do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunInput {
    /// The set's name: runs of one name are compared.
    pub set: String,
    /// Its questions.
    pub questions: Vec<Golden>,
}

/// How a question was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// The question's id.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// Whether it is right: answered from a right document with every wanted fact, or refused as it should be.
    pub right: bool,
    /// Whether it was answered.
    pub answered: bool,
    /// Whether a right document was cited.
    pub right_document: bool,
    /// The wanted facts that are missing.
    pub missing: Vec<String>,
    /// What was said.
    pub answer: String,
    /// In milliseconds.
    pub ms: f64,
}

/// How many were how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Questions with a basis.
    pub answerable: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Of these, with a right document cited.
    pub right_document: u64,
    /// Of these, with every wanted fact.
    pub holds_facts: u64,
    /// Questions without a basis.
    pub unanswerable: u64,
    /// Of these, refused.
    pub refused: u64,
}

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The set.
    pub set: String,
    /// When it began.
    pub started_at: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The chat model in use.
    pub chat: Option<String>,
    /// The embedder in use.
    pub embedder: Option<String>,
    /// All questions.
    pub figures: Figures,
    /// By what they are about.
    pub groups: BTreeMap<String, Figures>,
    /// Questions that were right in the run before and are wrong now.
    pub worse: Vec<String>,
    /// Questions that were wrong in the run before and are right now.
    pub better: Vec<String>,
    /// Each question; left out in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
}

impl Figures {
    fn count(&mut self, golden: &Golden, case: &Case) {
        if golden.kind == GoldenKind::Unanswerable {
            self.unanswerable += 1;
            self.refused += u64::from(!case.answered);
            return;
        }
        self.answerable += 1;
        self.answered += u64::from(case.answered);
        self.right_document += u64::from(case.right_document);
        self.holds_facts += u64::from(case.answered && case.missing.is_empty());
    }
}

/// Grades the assistant.
#[derive(Clone)]
pub struct Grader {
    assistant: Assistant,
    library: Arc<Library>,
    models: Gateway,
    records: Arc<dyn Records>,
}

impl Grader {
    /// Over an assistant and the store that keeps the runs.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(
        assistant: Assistant,
        library: Arc<Library>,
        models: Gateway,
        records: Arc<dyn Records>,
    ) -> Result<Self> {
        records.define(&[RUNS]).await?;
        Ok(Self {
            assistant,
            library,
            models,
            records,
        })
    }

    /// What the outside can do with it.
    pub fn capabilities(&self) -> Vec<Registered> {
        vec![
            Registered::new(Start(self.clone())),
            Registered::new(List(self.clone())),
            Registered::new(Get(self.clone())),
        ]
    }

    /// Asks every question, grades, and keeps the run.
    ///
    /// # Errors
    /// `InvalidInput` without questions or with too many, `Cancelled`, `Storage`, `StorageFull`, `Index`.
    pub async fn run(&self, context: &Context, input: RunInput) -> Result<Run> {
        let total = input.questions.len();
        if total == 0 || total > MOST {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("一次评测须有 1 到 {MOST} 个问题，现有 {total} 个。"),
            ));
        }
        let start = std::time::Instant::now();
        let mut run = Run {
            id: fresh(),
            set: input.set,
            started_at: time::now(),
            seconds: 0.0,
            chat: self.models.chat().map(|m| m.card().name),
            embedder: self.library.meaning_state().map(|m| m.model.name),
            figures: Figures::default(),
            groups: BTreeMap::new(),
            worse: Vec::new(),
            better: Vec::new(),
            cases: Vec::new(),
        };
        for (done, golden) in input.questions.iter().enumerate() {
            context.progress(done as u64, total as u64, golden.question.as_str())?;
            let case = self.ask(context, golden).await?;
            run.figures.count(golden, &case);
            if let Some(group) = &golden.group {
                run.groups
                    .entry(group.clone())
                    .or_default()
                    .count(golden, &case);
            }
            run.cases.push(case);
        }
        if let Some(before) = self.latest(&run.set).await? {
            let was: BTreeMap<&str, bool> = before
                .cases
                .iter()
                .map(|c| (c.id.as_str(), c.right))
                .collect();
            let flipped = |to: bool| {
                let flips =
                    |c: &&Case| c.right == to && was.get(c.id.as_str()).is_some_and(|r| *r != to);
                run.cases
                    .iter()
                    .filter(flips)
                    .map(|c| c.id.clone())
                    .collect()
            };
            (run.worse, run.better) = (flipped(false), flipped(true));
        }
        run.seconds = start.elapsed().as_secs_f64();
        let write = Write::put(&RUNS, run.id.clone(), &run)?;
        self.records.apply(vec![write]).await?;
        Ok(run)
    }

    async fn ask(&self, context: &Context, golden: &Golden) -> Result<Case> {
        let start = std::time::Instant::now();
        let on = golden.as_of.unwrap_or_else(time::today);
        let mut recorder = Recorder::new("", &golden.question);
        // Steps and sentences are nobody's to follow here.
        let silent = Context::of(context.caller.clone());
        let reply = self
            .assistant
            .reply(&silent, &mut recorder, &golden.question, None, on)
            .await?;
        let answered = reply.status == AnswerStatus::Answered;
        let mut right_document = false;
        for citation in &reply.citations {
            let path = self.library.document(&citation.document).await?.path;
            right_document |= golden.gold.iter().any(|g| {
                path == *g || path.ends_with(&format!("/{g}")) || g.ends_with(&format!("/{path}"))
            });
        }
        let answer: Vec<&str> = reply.segments.iter().map(|s| s.text.as_str()).collect();
        let said: String = answer
            .iter()
            .copied()
            .chain(reply.citations.iter().map(|c| c.quote.as_str()))
            .collect();
        let missing: Vec<String> = golden
            .must
            .iter()
            .filter(|m| !said.contains(m.as_str()))
            .cloned()
            .collect();
        let right = match golden.kind {
            GoldenKind::Unanswerable => !answered,
            GoldenKind::Answerable => answered && right_document && missing.is_empty(),
        };
        Ok(Case {
            id: golden.id.clone(),
            question: golden.question.clone(),
            right,
            answered,
            right_document,
            missing,
            answer: answer.join("\n"),
            ms: (start.elapsed().as_secs_f64() * 1e5).round() / 100.0,
        })
    }

    async fn latest(&self, set: &str) -> Result<Option<Run>> {
        let query = Query {
            all: vec![Condition::is("set", set)],
            sort: Some(newest()),
            limit: 1,
            ..Query::default()
        };
        let found: Vec<Run> = self.records.list(&RUNS, &query).await?;
        Ok(found.into_iter().next())
    }
}

fn newest() -> Sort {
    Sort {
        field: "started_at".into(),
        descending: true,
    }
}

struct Start(Grader);

impl Capability for Start {
    type Input = RunInput;
    type Output = Run;

    fn definition(&self) -> Definition {
        Definition::post(
            "evaluation.run",
            "评测问答",
            "把一组带标准答案的问题交给问答，逐题评分并保存，与上一次比较哪些变好、哪些变差。",
            "/evaluation/runs",
        )
        .open_to(GRADERS)
        .streaming()
    }

    async fn call(&self, context: &Context, input: RunInput) -> Result<Run> {
        self.0.run(context, input).await
    }
}

/// Which runs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRuns {
    /// Only of this set.
    #[serde(default)]
    set: Option<String>,
    /// Which page, from 1 (default 1).
    #[serde(default)]
    page: Option<u64>,
    /// How many a page holds (default 20, at most 200).
    #[serde(default)]
    page_size: Option<u64>,
}

struct List(Grader);

impl Capability for List {
    type Input = ListRuns;
    type Output = Page<Run>;

    fn definition(&self) -> Definition {
        Definition::get(
            "evaluation.runs",
            "评测历史",
            "列出评测的历次结果，新的在前，不含逐题明细。",
            "/evaluation/runs",
        )
        .open_to(GRADERS)
    }

    async fn call(&self, _: &Context, input: ListRuns) -> Result<Page<Run>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let of_set = input.set.map(|set| Condition::is("set", set.as_str()));
        let all: Vec<Condition> = of_set.into_iter().collect();
        let total = self.0.records.count(&RUNS, &all).await?;
        let query = Query {
            all,
            sort: Some(newest()),
            offset: page.offset(),
            limit: page.size(),
        };
        let mut found: Vec<Run> = self.0.records.list(&RUNS, &query).await?;
        found.iter_mut().for_each(|run| run.cases.clear());
        Ok(page.of(found, total))
    }
}

struct Get(Grader);

impl Capability for Get {
    type Input = ById;
    type Output = Run;

    fn definition(&self) -> Definition {
        Definition::get(
            "evaluation.get",
            "评测结果",
            "给出一次评测的全部结果，含逐题明细。",
            "/evaluation/runs/{id}",
        )
        .open_to(GRADERS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<Run> {
        let found = self.0.records.read(&RUNS, &input.id).await?;
        found.ok_or_else(|| Error::not_found("这次评测"))
    }
}
