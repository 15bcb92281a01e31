//! A model is pulled as a job.

use std::sync::Arc;

use async_trait::async_trait;
use engine_models::{Progress, Stage, catalogued};
use kernel::{Error, Result};
use platform::jobs::{JobKind, Limits, Running};
use serde_json::{Value, json};

use super::Desk;

pub(super) const KIND: &str = "models.pull";

/// Pulls a model of the catalogue.
pub(crate) struct Pull(pub(crate) Arc<Desk>);

/// What is being done, in Chinese.
pub(crate) fn stage(progress: &Progress) -> &'static str {
    match progress.stage {
        Stage::Fetch => "下载",
        Stage::Unpack => "解包",
        Stage::Verify => "核对",
    }
}

#[async_trait]
impl JobKind for Pull {
    fn name(&self) -> &'static str {
        KIND
    }

    fn title(&self) -> &'static str {
        "下载模型"
    }

    fn limits(&self) -> Limits {
        Limits {
            attempts: 3,
            concurrency: Some(1),
            ..Limits::default()
        }
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        let name = job.input()["name"].as_str().unwrap_or_default().to_owned();
        let model = catalogued(&name).ok_or_else(|| super::unknown(&name))?;
        let told = job.clone();
        let progress = move |p: Progress| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 1000
            let done = (p.fraction() * 1000.0) as u64;
            // Who cancels a job drops this future.
            let _ = told.progress(done, 1000, stage(&p));
        };
        let installed = self.0.puller().pull(model, &progress).await?;
        job.log(format!(
            "已下载并核对：{}，来自 {}。",
            name, installed.source
        ));
        self.0.came(&name).await?;
        serde_json::to_value(json!({"name": name, "source": installed.source}))
            .map_err(Error::internal)
    }
}
