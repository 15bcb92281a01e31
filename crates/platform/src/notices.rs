//! Notices: what the staff should know of, made from events.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use kernel::{
    Error, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    events::Event,
    identity::{Caller, Role},
    page::PageRequest,
    records::{Collection, Condition, Expect, Query, Records, Sort, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::events::Handler;

const NOTICES: Collection = Collection {
    name: "notices",
    indexed: &["at"],
};

/// A notice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// When what it tells of happened.
    pub at: String,
    /// The kind of event that it tells of.
    pub kind: String,
    /// What it tells.
    pub text: String,
    /// The page to go to.
    pub link: String,
    /// Something is wrong.
    pub warning: bool,
    /// Whoever asks has read it.
    pub read: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NoticeRecord {
    #[serde(flatten)]
    notice: Notice,
    /// For these roles; administrators see all.
    roles: BTreeSet<Role>,
    readers: BTreeSet<String>,
}

/// Makes notices of events.
pub struct Notices(Arc<dyn Records>);

impl Notices {
    /// Opens the notices of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>) -> Result<Arc<Self>> {
        records.define(&[NOTICES]).await?;
        Ok(Arc::new(Self(records)))
    }

    /// What the outside can do with them.
    pub fn capabilities(self: &Arc<Self>) -> Vec<Registered> {
        vec![
            Registered::new(List(self.clone())),
            Registered::new(Read(self.clone())),
        ]
    }

    fn seen_by(caller: &Caller) -> Vec<Role> {
        let account = caller.account.as_ref();
        account.map_or_else(Vec::new, |a| a.roles.iter().copied().collect())
    }

    async fn list(&self, caller: &Caller, page: PageRequest) -> Result<Page<Notice>> {
        let roles = Self::seen_by(caller);
        let mut all = Vec::new();
        if !caller.is_administrator() {
            let named = roles.iter().map(|r| format!("\"{}\"", r.as_str()));
            all.push(Condition::Any(
                named.map(|r| Condition::contains("audience", &r)).collect(),
            ));
        }
        let total = self.0.count(&NOTICES, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "at".into(),
                descending: true,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<NoticeRecord> = self.0.list(&NOTICES, &query).await?;
        let items = found.into_iter().map(|record| Notice {
            read: record.readers.contains(caller.owner()),
            ..record.notice
        });
        Ok(page.of(items.collect(), total))
    }

    async fn read(&self, caller: &Caller, id: &str) -> Result<Notice> {
        let roles = Self::seen_by(caller);
        let found = self.0.get(&NOTICES, id).await?;
        let found = found.ok_or_else(|| Error::not_found("这条通知"))?;
        let mut record: NoticeRecord =
            serde_json::from_value(found.body).map_err(Error::internal)?;
        if !caller.is_administrator() && !roles.iter().any(|r| record.roles.contains(r)) {
            return Err(Error::not_found("这条通知"));
        }
        if record.readers.insert(caller.owner().to_owned()) {
            let write = put(&record)?.expecting(Expect::Revision(found.revision));
            self.0.apply(vec![write]).await?;
        }
        Ok(Notice {
            read: true,
            ..record.notice
        })
    }
}

fn put(record: &NoticeRecord) -> Result<Write> {
    let mut body = serde_json::to_value(record).map_err(Error::internal)?;
    // As text, to be searched.
    let audience = serde_json::to_string(&record.roles).map_err(Error::internal)?;
    body["audience"] = audience.into();
    Ok(Write::Put {
        collection: NOTICES.name,
        id: record.notice.id.clone(),
        body,
        expect: Expect::Any,
    })
}

/// What an event is told as: text, page, warning, and for whom besides administrators.
fn told(event: &Event) -> Option<(String, String, bool, &'static [Role])> {
    let text = |name: &str| event.data[name].as_str().unwrap_or_default();
    let number = |name: &str| event.data[name].as_u64().unwrap_or_default();
    match event.kind.as_str() {
        "knowledge.import_finished" => {
            let failed = number("failed");
            Some((
                format!(
                    "导入到“{}”已结束：导入 {} 个，未变 {} 个，失败 {failed} 个。",
                    text("space"),
                    number("imported"),
                    number("unchanged")
                ),
                format!("/knowledge/imports/{}", event.subject),
                failed > 0,
                &[Role::Clerk, Role::Expert],
            ))
        }
        "job.failed" => Some((
            format!("作业“{}”失败：{}", text("title"), text("error")),
            format!("/jobs/{}", event.subject),
            true,
            &[],
        )),
        "audit.broken" => Some((
            format!(
                "审计日志核验发现问题：{}，{}。",
                text("place"),
                text("reason")
            ),
            "/audit".to_owned(),
            true,
            &[],
        )),
        kind if kind.starts_with("service.case_") => told_of_case(event),
        _ => None,
    }
}

/// What those who decide cases should know of one: what applicants do, and days that run out. What they decide themselves is no
/// news to them.
fn told_of_case(event: &Event) -> Option<(String, String, bool, &'static [Role])> {
    let text = |name: &str| event.data[name].as_str().unwrap_or_default();
    let days = event.data["days_left"].as_i64().unwrap_or_default();
    let case = format!("办件 {}（{}）", text("number"), text("item"));
    let (told, warning) = match (event.kind.as_str(), text("status")) {
        ("service.case_submitted", _) => (format!("收到新的{case}，请受理。"), false),
        ("service.case_changed", "submitted") => (format!("{case}已补正，重新提交。"), false),
        ("service.case_changed", "withdrawn") => (format!("{case}已由申请人撤回。"), false),
        ("service.case_due", _) if days < 0 => (
            format!("{case}已超过办理期限 {} 天，请尽快办理。", -days),
            true,
        ),
        ("service.case_due", _) if days == 0 => (format!("{case}今天到期，请尽快办理。"), true),
        ("service.case_due", _) => (format!("{case}明天到期，请及时办理。"), false),
        _ => return None,
    };
    let link = format!("/cases/{}", event.subject);
    Some((told, link, warning, &[Role::Clerk]))
}

#[async_trait]
impl Handler for Notices {
    fn name(&self) -> &'static str {
        "notices"
    }

    fn kinds(&self) -> &[&str] {
        &[
            "knowledge.import_finished",
            "job.failed",
            "audit.broken",
            "service.case_submitted",
            "service.case_changed",
            "service.case_due",
        ]
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Write>> {
        let Some((text, link, warning, roles)) = told(event) else {
            return Ok(Vec::new());
        };
        let record = NoticeRecord {
            notice: Notice {
                id: event.id.clone(),
                at: event.at.clone(),
                kind: event.kind.clone(),
                text,
                link,
                warning,
                read: false,
            },
            roles: roles.iter().copied().collect(),
            readers: BTreeSet::new(),
        };
        Ok(vec![put(&record)?])
    }
}

struct List(Arc<Notices>);

impl Capability for List {
    type Input = PageRequest;
    type Output = Page<Notice>;

    fn definition(&self) -> Definition {
        Definition::get(
            "notices.list",
            "通知",
            "分页列出给自己角色的通知，最近的在前。",
            "/notices",
        )
        .open_to(Permission::STAFF)
    }

    async fn call(&self, context: &Context, input: PageRequest) -> Result<Page<Notice>> {
        self.0.list(&context.caller, input).await
    }
}

struct Read(Arc<Notices>);

impl Capability for Read {
    type Input = ById;
    type Output = Notice;

    fn definition(&self) -> Definition {
        Definition::post(
            "notices.read",
            "通知已读",
            "把一条通知标为已读。",
            "/notices/{id}/read",
        )
        .open_to(Permission::STAFF)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Notice> {
        self.0.read(&context.caller, &input.id).await
    }
}
