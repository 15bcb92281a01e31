//! What the outside can do with learning.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Registered},
    page::PageRequest,
    records::{Query, Sort},
};
use knowledge::capabilities::EDITORS;
use platform::jobs::{Jobs, NewJob};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Learning, MODELS, ModelRecord, PairRecord, pair::ConfirmInput};

/// The kind of job that trains.
pub const KIND: &str = "learning.train";

impl Learning {
    /// What the outside can do with it; training is a job.
    pub fn capabilities(&self, jobs: &Jobs) -> Vec<Registered> {
        vec![
            Registered::new(ListPairs(self.clone())),
            Registered::new(Confirm(self.clone())),
            Registered::new(Withdraw(self.clone())),
            Registered::new(Train(jobs.clone())),
            Registered::new(ListModels(self.clone())),
            Registered::new(RollBack(self.clone())),
        ]
    }
}

/// Which pairs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PairsInput {
    /// Those that were withdrawn instead of those that stand.
    #[serde(default)]
    withdrawn: bool,
    /// Which page, from 1 (default 1).
    #[serde(default)]
    page: Option<u64>,
    /// How many a page holds (default 20, at most 200).
    #[serde(default)]
    page_size: Option<u64>,
}

struct ListPairs(Learning);

impl Capability for ListPairs {
    type Input = PairsInput;
    type Output = Page<PairRecord>;

    fn definition(&self) -> Definition {
        Definition::get(
            "learning.pairs",
            "已确认的问题",
            "分页列出已确认的问题及其对应条款，新的在前。",
            "/learning/pairs",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, _: &Context, input: PairsInput) -> Result<Page<PairRecord>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        self.0.pairs(input.withdrawn, page).await
    }
}

struct Confirm(Learning);

impl Capability for Confirm {
    type Input = ConfirmInput;
    type Output = PairRecord;

    fn definition(&self) -> Definition {
        Definition::post(
            "learning.confirm",
            "确认问题与条款",
            "确认某个条款能回答某个问题；训练并通过评判后影响检索。",
            "/learning/pairs",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, context: &Context, input: ConfirmInput) -> Result<PairRecord> {
        let pair = self.0.confirm(&context.caller, input).await?;
        context.note("document", pair.document.as_str());
        context.note("clause", pair.clause);
        Ok(pair)
    }
}

struct Withdraw(Learning);

impl Capability for Withdraw {
    type Input = ById;
    type Output = PairRecord;

    fn definition(&self) -> Definition {
        Definition::delete(
            "learning.withdraw",
            "撤回确认",
            "撤回一条确认；下次训练后不再影响检索。",
            "/learning/pairs/{id}",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<PairRecord> {
        self.0.withdraw(&input.id).await
    }
}

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Nothing {}

/// The job that trains.
#[derive(Debug, Serialize, JsonSchema)]
struct Training {
    /// Its id, to follow it by.
    job: String,
}

struct Train(Jobs);

impl Capability for Train {
    type Input = Nothing;
    type Output = Training;

    fn definition(&self) -> Definition {
        Definition::post(
            "learning.train",
            "训练检索",
            "在后台用已确认的问题训练，并与在用版本逐题比较：显著变好且不损害未确认的条款才启用。进度见作业。",
            "/learning/train",
        )
    }

    async fn call(&self, context: &Context, _: Nothing) -> Result<Training> {
        let new = NewJob::new(KIND, json!({}))
            .titled("训练检索")
            .with_key(KIND)
            .by(context.caller.owner());
        let job = self.0.enqueue(new).await?;
        context.note("job", job.id.as_str());
        Ok(Training { job: job.id })
    }
}

/// A version with whether it is in use.
#[derive(Debug, Serialize, JsonSchema)]
struct Version {
    /// The version.
    #[serde(flatten)]
    model: ModelRecord,
    /// It is ranked by now.
    in_use: bool,
}

struct ListModels(Learning);

impl Capability for ListModels {
    type Input = PageRequest;
    type Output = Page<Version>;

    fn definition(&self) -> Definition {
        Definition::get(
            "learning.models",
            "检索训练的版本",
            "分页列出训练过的版本、评判的指标和存疑的确认，新的在前。",
            "/learning/models",
        )
        .open_to(EDITORS)
    }

    async fn call(&self, _: &Context, page: PageRequest) -> Result<Page<Version>> {
        let learning = &self.0;
        let used = learning.used().await?.map(|m| m.id);
        let total = learning.records.count(&MODELS, &[]).await?;
        let query = Query {
            sort: Some(Sort {
                field: "version".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
            ..Query::default()
        };
        let found: Vec<ModelRecord> = learning.records.list(&MODELS, &query).await?;
        let versions = found.into_iter().map(|mut model| {
            model.model = None;
            Version {
                in_use: used.as_ref() == Some(&model.id),
                model,
            }
        });
        Ok(page.of(versions.collect(), total))
    }
}

/// Which version to go back to.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RollBackInput {
    /// The version's id; none to rank without what was learned.
    #[serde(default)]
    id: Option<String>,
}

/// What is ranked by now.
#[derive(Debug, Serialize, JsonSchema)]
struct InUse {
    /// The version's id; none where nothing learned is ranked by.
    id: Option<String>,
    /// Its number.
    version: Option<u64>,
}

struct RollBack(Learning);

impl Capability for RollBack {
    type Input = RollBackInput;
    type Output = InUse;

    fn definition(&self) -> Definition {
        Definition::post(
            "learning.rollback",
            "退回检索版本",
            "改用某个通过评判的版本，或停用学到的内容；立即生效。",
            "/learning/rollback",
        )
    }

    async fn call(&self, context: &Context, input: RollBackInput) -> Result<InUse> {
        let chosen = self.0.roll_back(input.id.as_deref()).await?;
        let version = chosen.as_ref().map(|m| m.version);
        context.note("version", version);
        Ok(InUse {
            id: chosen.map(|m| m.id),
            version,
        })
    }
}
