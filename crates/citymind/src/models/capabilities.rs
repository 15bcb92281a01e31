//! What the outside can do with models.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
};
use knowledge::capabilities::Nothing;
use platform::jobs::{Jobs, NewJob};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Desk, Part, view::ModelsView};

/// Who keeps the models.
const KEEPERS: Permission = Permission::Roles(&[Role::AppDeveloper, Role::Administrator]);

pub(crate) fn all(desk: &Arc<Desk>, jobs: &Jobs) -> Vec<Registered> {
    vec![
        Registered::new(ListModels(desk.clone())),
        Registered::new(UseModel(desk.clone())),
        Registered::new(PullModel(jobs.clone())),
        Registered::new(RemoveModel(desk.clone())),
    ]
}

struct ListModels(Arc<Desk>);

impl Capability for ListModels {
    type Input = Nothing;
    type Output = ModelsView;

    fn definition(&self) -> Definition {
        Definition::get(
            "models.status",
            "模型清单与状态",
            "列出可下载的模型、已配置的端点、正在使用的模型及其状态、向量索引的进度。",
            "/models",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<ModelsView> {
        self.0.view()
    }
}

/// Which model to use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseInput {
    /// Its name; `none` for no model, `default` for what the configuration says (then `part` says of which).
    id: String,
    /// What for; known from the name of a model.
    #[serde(default)]
    part: Option<Part>,
    /// Chat models to fall back on when it fails, in order.
    #[serde(default)]
    behind: Vec<String>,
}

/// What is used now.
#[derive(Debug, Serialize, JsonSchema)]
struct UseOutput {
    /// What for.
    part: Part,
    /// The models, the best first.
    models: Vec<String>,
}

struct UseModel(Arc<Desk>);

impl Capability for UseModel {
    type Input = UseInput;
    type Output = UseOutput;

    fn definition(&self) -> Definition {
        Definition::post(
            "models.use",
            "启用模型",
            "改用另一个模型（none 为不用，default 为按配置），立即生效，重启后仍有效；对话模型可另给后备模型。",
            "/models/{id}/use",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, _: &Context, input: UseInput) -> Result<UseOutput> {
        let desk = &self.0;
        let known = desk.part_of(&input.id);
        let part = input.part.or(known).ok_or_else(|| {
            let message = match input.id.as_str() {
                "none" | "default" => "请用 part 说明用途：embedding、chat 或 rerank。".to_owned(),
                name => format!("没有名为“{name}”的模型。可用的名称见 citymind models list。"),
            };
            Error::new(ErrorCode::InvalidInput, message)
        })?;
        let names = match input.id.as_str() {
            "default" => None,
            "none" => Some(Vec::new()),
            name => {
                let behind = input.behind.into_iter().filter(|b| b != name);
                Some(std::iter::once(name.to_owned()).chain(behind).collect())
            }
        };
        desk.choose(part, names).await?;
        let choice = desk.in_use.read().choice.clone();
        Ok(UseOutput {
            part,
            models: desk.names(part, &choice),
        })
    }
}

/// The job that pulls.
#[derive(Debug, Serialize, JsonSchema)]
struct Pulling {
    /// Its id, to follow it by.
    job: String,
}

struct PullModel(Jobs);

impl Capability for PullModel {
    type Input = ById;
    type Output = Pulling;

    fn definition(&self) -> Definition {
        Definition::post(
            "models.pull",
            "下载模型",
            "在后台下载目录中的模型，断点续传并核对 SHA-256；进度见作业。",
            "/models/{id}/pull",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Pulling> {
        let model =
            engine_models::catalogued(&input.id).ok_or_else(|| super::unknown(&input.id))?;
        let new = NewJob::new(super::pulling::KIND, json!({"name": model.name}))
            .titled(&format!("下载模型 {}", model.title))
            .with_key(&format!("models.pull {}", model.name))
            .by(context.caller.owner());
        let job = self.0.enqueue(new).await?;
        context.note("job", job.id.as_str());
        Ok(Pulling { job: job.id })
    }
}

/// A model that was removed.
#[derive(Debug, Serialize, JsonSchema)]
struct Removed {
    /// Its name.
    name: String,
}

struct RemoveModel(Arc<Desk>);

impl Capability for RemoveModel {
    type Input = ById;
    type Output = Removed;

    fn definition(&self) -> Definition {
        Definition::delete(
            "models.delete",
            "删除已下载的模型",
            "删除模型文件；正在使用的模型须先停用。",
            "/models/{id}",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<Removed> {
        let desk = &self.0;
        let choice = desk.in_use.read().choice.clone();
        let used = Part::ALL
            .into_iter()
            .any(|part| desk.names(part, &choice).contains(&input.id));
        if used {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!("模型“{}”正在使用，请先改用别的模型或停用。", input.id),
            ));
        }
        desk.folder.remove(&input.id)?;
        Ok(Removed { name: input.id })
    }
}
