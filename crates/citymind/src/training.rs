//! Training from confirmed questions, as a job.

use async_trait::async_trait;
use kernel::{Error, Result};
use platform::jobs::{JobKind, Limits, Running};
use serde_json::{Value, json};
use service::learning::{Learning, capabilities::KIND};

pub(crate) struct Train(pub(crate) Learning);

#[async_trait]
impl JobKind for Train {
    fn name(&self) -> &'static str {
        KIND
    }

    fn title(&self) -> &'static str {
        "训练检索"
    }

    fn startable(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        Limits {
            attempts: 3,
            concurrency: Some(1),
            ..Limits::default()
        }
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        let told = job.clone();
        let by = job.created_by().unwrap_or_default();
        let trained = self
            .0
            .train(&by, &move |done, total, at| told.progress(done, total, at))
            .await?;
        let verdict = &trained.verdict;
        job.log(format!(
            "版本 {}：{} 个问题，召回 {:.4} → {:.4}，MRR {:.4} → {:.4}；未确认的条款 MRR {:.4} → {:.4}。{}",
            trained.version,
            trained.questions,
            verdict.all.recall_before,
            verdict.all.recall_after,
            verdict.all.mrr_before,
            verdict.all.mrr_after,
            verdict.unseen.mrr_before,
            verdict.unseen.mrr_after,
            if verdict.promoted { "已启用。" } else { "没有启用。" },
        ));
        for reason in &verdict.reasons {
            job.log(reason.clone());
        }
        for doubt in &verdict.doubted {
            job.log(format!("存疑：{}", doubt.question));
        }
        let verdict = serde_json::to_value(verdict).map_err(Error::internal)?;
        Ok(json!({"model": trained.id, "version": trained.version, "verdict": verdict}))
    }
}
