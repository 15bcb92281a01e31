//! Searching the log.

use std::sync::Arc;

use kernel::{
    Page, Result,
    capability::{Capability, Context, Definition, Permission, Registered},
    page::PageRequest,
    records::Condition,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Audit, Entry, Verdict};

/// All capabilities of the audit log.
pub fn all(audit: &Arc<Audit>) -> Vec<Registered> {
    vec![
        Registered::new(Search(audit.clone())),
        Registered::new(Verify(audit.clone())),
    ]
}

/// What to look for.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuditSearch")]
pub struct SearchInput {
    /// From this moment on: a day (`2026-11-24`) or RFC 3339 in the city's time.
    #[serde(default)]
    pub from: Option<String>,
    /// Up to this moment: a day, which is included, or RFC 3339 in the city's time.
    #[serde(default)]
    pub to: Option<String>,
    /// By this account or key, by id or a part of its name.
    #[serde(default)]
    pub actor: Option<String>,
    /// A part of the action's name.
    #[serde(default)]
    pub action: Option<String>,
    /// A part of the subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// `ok`, `failed` (anything else) or an error code.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Only calls with effects, or only those without.
    #[serde(default)]
    pub effects: Option<bool>,
    /// The request, as a reply names it.
    #[serde(default)]
    pub request: Option<String>,
    /// Which page, from 1 (default 1).
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How many items a page holds (default 20, at most 200).
    #[serde(default)]
    #[schemars(range(min = 1, max = 200))]
    pub page_size: Option<u64>,
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|t| !t.is_empty())
}

impl SearchInput {
    fn conditions(&self) -> Vec<Condition> {
        let mut all = Vec::new();
        if let Some(from) = given(&self.from) {
            all.push(Condition::AtLeast("at".into(), from.into()));
        }
        if let Some(to) = given(&self.to) {
            // A day ends after all its moments.
            let to = if to.len() == 10 {
                format!("{to}T~")
            } else {
                to.to_owned()
            };
            all.push(Condition::AtMost("at".into(), to.into()));
        }
        if let Some(actor) = given(&self.actor) {
            all.push(Condition::Any(vec![
                Condition::is("actor.id", actor),
                Condition::contains("actor.name", actor),
            ]));
        }
        for (field, text) in [("action", &self.action), ("subject", &self.subject)] {
            if let Some(text) = given(text) {
                all.push(Condition::contains(field, text));
            }
        }
        match given(&self.outcome) {
            Some("failed") => all.push(Condition::Not(Box::new(Condition::is("outcome", "ok")))),
            Some(outcome) => all.push(Condition::is("outcome", outcome)),
            None => {}
        }
        if let Some(effects) = self.effects {
            all.push(Condition::is("effects", effects));
        }
        if let Some(request) = given(&self.request) {
            all.push(Condition::is("request", request));
        }
        all
    }
}

struct Search(Arc<Audit>);

impl Capability for Search {
    type Input = SearchInput;
    type Output = Page<Entry>;

    fn definition(&self) -> Definition {
        Definition::get(
            "audit.search",
            "审计日志",
            "分页查询审计日志，最近的在前，可按时间、操作人、操作、对象和结果筛选。",
            "/audit",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: SearchInput) -> Result<Page<Entry>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let found = self
            .0
            .search(input.conditions(), page.offset(), page.size())
            .await?;
        Ok(page.of(found.0, found.1))
    }
}

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

struct Verify(Arc<Audit>);

impl Capability for Verify {
    type Input = Nothing;
    type Output = Verdict;

    fn definition(&self) -> Definition {
        Definition::post(
            "audit.verify",
            "核验审计日志",
            "逐条核对审计日志的哈希链和锚点，指出第一处被改动或缺失的地方。",
            "/audit/verify",
        )
        .without_effects()
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<Verdict> {
        self.0.verify().await
    }
}
