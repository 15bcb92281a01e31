//! What the product does to keep itself in order, as jobs.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use kernel::{
    Error, Result,
    capability::{Caller, Context},
    events::Event,
    records::Records,
};
use knowledge::Library;
use platform::{
    audit::Audit,
    events::Events,
    identity::Identity,
    jobs::{Builtin, JobKind, Jobs, Limits, Running, When},
};
use serde_json::{Value, json};

/// Finished jobs, and events that everybody is through with, are kept so many days.
const KEPT_DAYS: u32 = 30;

/// What the jobs work on.
pub(crate) struct Upkeep {
    library: Arc<Library>,
    audit: Arc<Audit>,
    identity: Arc<Identity>,
    events: Events,
    records: Arc<dyn Records>,
    jobs: OnceLock<Jobs>,
}

impl Upkeep {
    pub(crate) fn new(
        library: &Arc<Library>,
        audit: &Arc<Audit>,
        identity: &Arc<Identity>,
        events: &Events,
        records: &Arc<dyn Records>,
    ) -> Arc<Self> {
        Arc::new(Self {
            library: library.clone(),
            audit: audit.clone(),
            identity: identity.clone(),
            events: events.clone(),
            records: records.clone(),
            jobs: OnceLock::new(),
        })
    }

    pub(crate) fn kinds(self: &Arc<Self>) -> Vec<Arc<dyn JobKind>> {
        vec![
            Arc::new(Reindex(self.clone())),
            Arc::new(VerifyAudit(self.clone())),
            Arc::new(Sweep(self.clone())),
        ]
    }

    /// The jobs know of themselves only once they are there.
    pub(crate) fn know(&self, jobs: &Jobs) {
        // The wiring tells it once.
        let _ = self.jobs.set(jobs.clone());
    }
}

pub(crate) fn schedules() -> Vec<Builtin> {
    let daily = |id, kind, title, at: &str| Builtin {
        id,
        kind,
        input: json!({}),
        title,
        when: When::Daily { at: at.to_owned() },
        enabled: true,
    };
    let hourly = Builtin {
        id: "case-deadlines",
        kind: "cases.deadlines",
        input: json!({}),
        title: "每小时提醒到期的办件",
        when: When::EveryMinutes(60),
        enabled: true,
    };
    vec![
        hourly,
        daily("sweep", "platform.sweep", "每日清理", "03:00"),
        daily("audit-verify", "audit.verify", "每日核验审计日志", "03:30"),
    ]
}

/// One at a time, tried three times.
fn single() -> Limits {
    Limits {
        attempts: 3,
        concurrency: Some(1),
        ..Limits::default()
    }
}

struct Reindex(Arc<Upkeep>);

#[async_trait]
impl JobKind for Reindex {
    fn name(&self) -> &'static str {
        "knowledge.reindex"
    }

    fn title(&self) -> &'static str {
        "重建检索索引"
    }

    fn startable(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        single()
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        let running = job.clone();
        let context = Context::of(Caller::system("作业")).following(move |event| {
            let number = |name: &str| event.data[name].as_u64().unwrap_or_default();
            let message = event.data["message"].as_str().unwrap_or_default();
            running
                .progress(number("done"), number("total"), message)
                .is_ok()
        });
        let rebuilt = self.0.library.reindex(&context).await?;
        job.log(format!(
            "已索引 {} 份文件，{} 个条款，用时 {} 毫秒。",
            rebuilt.documents, rebuilt.passages, rebuilt.elapsed_ms
        ));
        serde_json::to_value(rebuilt).map_err(Error::internal)
    }
}

struct VerifyAudit(Arc<Upkeep>);

#[async_trait]
impl JobKind for VerifyAudit {
    fn name(&self) -> &'static str {
        "audit.verify"
    }

    fn title(&self) -> &'static str {
        "核验审计日志"
    }

    fn startable(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        single()
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        let verdict = self.0.audit.verify().await?;
        match &verdict.broken {
            None => job.log(format!(
                "完好：{} 条，{} 条链。",
                verdict.entries, verdict.chains
            )),
            Some(broken) => {
                job.log(format!("已损坏：{}，{}。", broken.place, broken.reason));
                let told = json!({"place": broken.place, "reason": broken.reason});
                let event = Event::new("audit.broken", &job.id(), told);
                self.0.records.apply(vec![event.write()?]).await?;
            }
        }
        serde_json::to_value(verdict).map_err(Error::internal)
    }
}

struct Sweep(Arc<Upkeep>);

#[async_trait]
impl JobKind for Sweep {
    fn name(&self) -> &'static str {
        "platform.sweep"
    }

    fn title(&self) -> &'static str {
        "清理过期内容"
    }

    fn startable(&self) -> bool {
        true
    }

    fn limits(&self) -> Limits {
        single()
    }

    async fn run(&self, job: &Running) -> Result<Value> {
        job.progress(0, 3, "登录和链接")?;
        let sign_ins = self.0.identity.sweep().await?;
        job.progress(1, 3, "事件")?;
        let events = self.0.events.sweep(KEPT_DAYS).await?;
        job.progress(2, 3, "作业")?;
        let jobs = match self.0.jobs.get() {
            Some(jobs) => jobs.sweep(KEPT_DAYS).await?,
            None => 0,
        };
        job.log(format!(
            "移除登录和链接 {sign_ins} 个，事件 {} 个，作业 {jobs} 个。",
            events.events
        ));
        Ok(json!({"sign_ins": sign_ins, "events": events.events, "jobs": jobs}))
    }
}
