//! What clerks and applicants do with cases.

use std::sync::Arc;

use documents::Paper;
use kernel::{
    Error, ErrorCode, Page, Result,
    capability::Context,
    files::Files,
    identity::{Caller, Role},
    page::PageRequest,
    records::{Condition, Expect, Query, Records, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    case::{CASES, Case, CaseStatus, event},
    deadlines::REMINDERS,
    materials::{Prereview, prereview},
    outward::{External, LINKS},
    paper,
    review::{self, Review},
};
use crate::items::Catalogue;

/// The longest opinion, in characters.
const OPINION: usize = 1000;

/// What a clerk decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// 受理
    Accept,
    /// 退回补正
    Return,
    /// 同意
    Approve,
    /// 不予办理
    Reject,
}

/// A case in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseSummary {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub number: String,
    /// The service item.
    pub item: String,
    /// Its id.
    pub item_id: String,
    /// Who applied.
    pub applicant: String,
    /// Where it is.
    pub status: CaseStatus,
    /// The same in Chinese.
    pub status_title: String,
    /// When it was handed in.
    pub submitted_at: String,
    /// The last day to decide it.
    #[schemars(with = "String")]
    pub due: jiff::civil::Date,
    /// Days left to decide it, negative once it is late; nothing once it is decided.
    pub days_left: Option<i32>,
    /// Something changed that the applicant has not looked at yet.
    pub unread: bool,
}

/// A case as clerk and applicant see it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseView {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// The same in Chinese.
    pub status_title: String,
    /// Days left to decide it.
    pub days_left: Option<i32>,
    /// What the caller may do with it.
    pub may: Vec<String>,
    /// What looking over the materials came to.
    pub prereview: Prereview,
    /// What the rules suggest; only for clerks.
    pub review: Option<Review>,
    /// What the city's own system calls it, once it was sent there.
    pub external: Option<External>,
}

/// Which cases.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasesInput {
    /// Only in this state.
    #[serde(default)]
    pub status: Option<CaseStatus>,
    /// Only of this service item, by id.
    #[serde(default)]
    pub item: Option<String>,
    /// Words of the number, the item or the applicant's name.
    #[serde(default)]
    pub q: Option<String>,
    /// Only those that are not decided yet.
    #[serde(default)]
    pub open: Option<bool>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Cases a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// Cases and those who work on them.
#[derive(Clone)]
pub struct CaseDesk {
    pub(super) records: Arc<dyn Records>,
    pub(super) files: Arc<dyn Files>,
    pub(super) catalogue: Arc<Catalogue>,
}

/// How often a change is tried while others change the same case.
const TRIES: usize = 4;

impl CaseDesk {
    /// Opens the cases of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(
        records: Arc<dyn Records>,
        files: Arc<dyn Files>,
        catalogue: Arc<Catalogue>,
    ) -> Result<Self> {
        records.define(&[CASES, LINKS, REMINDERS]).await?;
        Ok(Self {
            records,
            files,
            catalogue,
        })
    }

    /// A page of cases: the applicant's own, or for a clerk all.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(
        &self,
        caller: &Caller,
        input: &CasesInput,
        own: bool,
    ) -> Result<Page<CaseSummary>> {
        let mut all = Vec::new();
        if own {
            all.push(Condition::is("applicant.account", caller.owner()));
        }
        if let Some(status) = input.status {
            let named = serde_json::to_value(status).map_err(Error::internal)?;
            all.push(Condition::Is("status".to_owned(), named));
        }
        if input.open == Some(true) {
            let open = ["submitted", "accepted", "returned"].map(Into::into);
            all.push(Condition::In("status".to_owned(), open.to_vec()));
        }
        if let Some(item) = input.item.as_deref().filter(|i| !i.is_empty()) {
            all.push(Condition::is("item_id", item));
        }
        for word in input.q.iter().flat_map(|q| q.split_whitespace()).take(5) {
            all.push(Condition::Any(
                ["number", "item", "applicant.name"]
                    .map(|f| Condition::contains(f, word))
                    .to_vec(),
            ));
        }
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let total = self.records.count(&CASES, &all).await?;
        // Clerks take the most urgent first; applicants look for their latest.
        let sort = Sort {
            field: if own { "submitted_at" } else { "due" }.to_owned(),
            descending: own,
        };
        let query = Query {
            all,
            sort: Some(sort),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<Case> = self.records.list(&CASES, &query).await?;
        Ok(page.of(found.iter().map(summary).collect(), total))
    }

    /// A case for whoever may see it.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<CaseView> {
        let (case, _) = self.read(caller, id).await?;
        self.view(caller, case).await
    }

    /// The filled form of a case, for whoever may see it.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn paper(&self, caller: &Caller, id: &str) -> Result<(String, Paper)> {
        let (case, _) = self.read(caller, id).await?;
        let name = format!("{}-{}", case.form.title, case.number);
        Ok((name, paper::of_case(&case)))
    }

    /// The applicant has looked at what changed.
    ///
    /// # Errors
    /// `NotFound` for another's; `Storage`.
    pub async fn seen(&self, context: &Context, id: &str) -> Result<CaseView> {
        let mut case = self.own(context, id).await?;
        if case.unread {
            case = self
                .amend(&context.caller, id, |case| {
                    case.unread = false;
                    Ok(Vec::new())
                })
                .await?;
        }
        self.view(&context.caller, case).await
    }

    pub(super) async fn read(&self, caller: &Caller, id: &str) -> Result<(Case, u64)> {
        let found = self.records.get(&CASES, id).await?;
        let found = found.ok_or_else(|| Error::not_found("这个办件"))?;
        let case: Case = serde_json::from_value(found.body).map_err(Error::internal)?;
        if is_clerk(caller) || case.applicant.account == caller.owner() {
            Ok((case, found.revision))
        } else {
            Err(Error::not_found("这个办件"))
        }
    }

    pub(super) async fn view(&self, caller: &Caller, case: Case) -> Result<CaseView> {
        let own = case.applicant.account == caller.owner();
        let clerk = is_clerk(caller);
        let mut may: Vec<&str> = Vec::new();
        match case.status {
            CaseStatus::Submitted if clerk => may.extend(["accept", "return", "approve", "reject"]),
            CaseStatus::Accepted if clerk => may.extend(["return", "approve", "reject"]),
            _ => {}
        }
        if own
            && matches!(
                case.status,
                CaseStatus::Submitted | CaseStatus::Accepted | CaseStatus::Returned
            )
        {
            may.extend(["withdraw", "upload"]);
        }
        if own && case.status == CaseStatus::Returned {
            may.push("resubmit");
        }
        let prereview = prereview(&case);
        Ok(CaseView {
            status_title: case.status.title().to_owned(),
            days_left: case.days_left(time::today()),
            may: may.into_iter().map(str::to_owned).collect(),
            review: clerk.then(|| review::of(&self.catalogue, &case, &prereview)),
            prereview,
            external: self.records.read(&LINKS, &case.id).await?,
            case,
        })
    }

    /// Decides a case. The applicant is told by the event.
    ///
    /// # Errors
    /// `InvalidInput` without an opinion where one is owed; `Conflict` if the case is no longer in a state to be decided so;
    /// `NotFound`, `Storage`.
    pub async fn decide(
        &self,
        context: &Context,
        id: &str,
        decision: Decision,
        opinion: &str,
    ) -> Result<CaseView> {
        let opinion = opinion.trim();
        if opinion.chars().count() > OPINION {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("意见最多{OPINION}个字。"),
            ));
        }
        if opinion.is_empty() && matches!(decision, Decision::Return | Decision::Reject) {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "退回和不予办理要写明理由。",
            ));
        }
        let (status, said) = match decision {
            Decision::Accept => (CaseStatus::Accepted, "已受理。"),
            Decision::Return => (CaseStatus::Returned, ""),
            Decision::Approve => (CaseStatus::Approved, "同意办理。"),
            Decision::Reject => (CaseStatus::Rejected, ""),
        };
        let note = if opinion.is_empty() { said } else { opinion };
        let allowed = match decision {
            Decision::Accept => &[CaseStatus::Submitted][..],
            _ => &[CaseStatus::Submitted, CaseStatus::Accepted][..],
        };
        self.change(context, id, allowed, status, note).await
    }

    /// Takes an application back.
    ///
    /// # Errors
    /// `Conflict` once it is decided; `NotFound` for another's; `Storage`.
    pub async fn withdraw(&self, context: &Context, id: &str) -> Result<CaseView> {
        self.own(context, id).await?;
        let open = [
            CaseStatus::Submitted,
            CaseStatus::Accepted,
            CaseStatus::Returned,
        ];
        self.change(context, id, &open, CaseStatus::Withdrawn, "申请人撤回。")
            .await
    }

    /// Hands a returned application in again, with what the applicant says of the corrections.
    ///
    /// # Errors
    /// `Conflict` if it was not returned; `NotFound` for another's; `InvalidInput` without a word on the corrections; `Storage`.
    pub async fn resubmit(&self, context: &Context, id: &str, note: &str) -> Result<CaseView> {
        self.own(context, id).await?;
        let note = note.trim();
        if note.is_empty() || note.chars().count() > OPINION {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                format!("请说明补正了什么（1到{OPINION}个字）。"),
            ));
        }
        let told = format!("已补正：{note}");
        self.change(
            context,
            id,
            &[CaseStatus::Returned],
            CaseStatus::Submitted,
            &told,
        )
        .await
    }

    /// The caller's own case.
    ///
    /// # Errors
    /// `NotFound` for another's; `Storage`.
    pub async fn own(&self, context: &Context, id: &str) -> Result<Case> {
        let (case, _) = self.read(&context.caller, id).await?;
        if case.applicant.account == context.caller.owner() {
            Ok(case)
        } else {
            Err(Error::not_found("这个办件"))
        }
    }

    async fn change(
        &self,
        context: &Context,
        id: &str,
        from: &[CaseStatus],
        to: CaseStatus,
        note: &str,
    ) -> Result<CaseView> {
        let account = context.caller.account.as_ref();
        let by = account.map_or("", |a| a.name.as_str());
        let case = self
            .amend(&context.caller, id, |case| {
                if !from.contains(&case.status) {
                    return Err(Error::new(
                        ErrorCode::Conflict,
                        format!(
                            "这个办件现在是“{}”，不能这样处理。请刷新后再看。",
                            case.status.title()
                        ),
                    ));
                }
                context.note("before", case.status.title());
                context.note("after", to.title());
                case.status = to;
                case.unread = case.applicant.account != context.caller.owner();
                case.history.push(event(by, to, note));
                Ok(vec![case.told("service.case_changed").write()?])
            })
            .await?;
        self.view(&context.caller, case).await
    }

    /// Changes a case as it stands now, with what else is written in the same batch. If somebody changes it meanwhile, the change
    /// is decided anew on what stands there then.
    pub(super) async fn amend(
        &self,
        caller: &Caller,
        id: &str,
        mut change: impl FnMut(&mut Case) -> Result<Vec<Write>>,
    ) -> Result<Case> {
        for _ in 0..TRIES {
            let (mut case, revision) = self.read(caller, id).await?;
            let more = change(&mut case)?;
            let put = Write::put(&CASES, case.id.clone(), &case)?;
            let mut batch = vec![put.expecting(Expect::Revision(revision))];
            batch.extend(more);
            match self.records.apply(batch).await {
                Ok(_) => return Ok(case),
                Err(error) if error.code == ErrorCode::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(
            ErrorCode::Conflict,
            "别人刚刚处理了这个办件，请刷新后再看。",
        ))
    }
}

fn is_clerk(caller: &Caller) -> bool {
    caller.is(Role::Clerk) || caller.is_administrator()
}

fn summary(case: &Case) -> CaseSummary {
    CaseSummary {
        id: case.id.clone(),
        number: case.number.clone(),
        item: case.item.clone(),
        item_id: case.item_id.clone(),
        applicant: case.applicant.name.clone(),
        status: case.status,
        status_title: case.status.title().to_owned(),
        submitted_at: case.submitted_at.clone(),
        due: case.due,
        days_left: case.days_left(time::today()),
        unread: case.unread,
    }
}
