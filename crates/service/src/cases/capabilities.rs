//! What the outside can do with cases.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::desk::{CaseDesk, CaseSummary, CaseView, CasesInput, Decision};

/// Who decides.
const CLERKS: Permission = Permission::Roles(&[Role::Clerk, Role::Administrator]);

/// All of them.
pub fn all(desk: &CaseDesk) -> Vec<Registered> {
    vec![
        Registered::new(Mine(desk.clone())),
        Registered::new(List(desk.clone())),
        Registered::new(Get(desk.clone())),
        Registered::new(Decide(desk.clone())),
        Registered::new(Withdraw(desk.clone())),
        Registered::new(Resubmit(desk.clone())),
    ]
}

struct Mine(CaseDesk);

impl Capability for Mine {
    type Input = CasesInput;
    type Output = Page<CaseSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "cases.mine",
            "我的办件",
            "本人提交的申请和办理进度。",
            "/cases/mine",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: CasesInput) -> Result<Page<CaseSummary>> {
        self.0.list(&context.caller, &input, true).await
    }
}

struct List(CaseDesk);

impl Capability for List {
    type Input = CasesInput;
    type Output = Page<CaseSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "cases.list",
            "办件列表",
            "待办和已办的申请，最紧的在前。",
            "/cases",
        )
        .open_to(CLERKS)
    }

    async fn call(&self, context: &Context, input: CasesInput) -> Result<Page<CaseSummary>> {
        self.0.list(&context.caller, &input, false).await
    }
}

struct Get(CaseDesk);

impl Capability for Get {
    type Input = ById;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::get(
            "cases.get",
            "办件详情",
            "一件申请的表单、条件、材料、进度；窗口人员另有预审意见。",
            "/cases/{id}",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<CaseView> {
        self.0.get(&context.caller, &input.id).await
    }
}

/// A decision.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideInput {
    /// The case.
    pub id: String,
    /// What is decided.
    pub decision: Decision,
    /// Why, in words for the applicant; owed for a return and a rejection.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub opinion: String,
}

struct Decide(CaseDesk);

impl Capability for Decide {
    type Input = DecideInput;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::post(
            "cases.decide",
            "办理意见",
            "受理、退回补正、同意或不予办理一件申请。",
            "/cases/{id}/decide",
        )
        .open_to(CLERKS)
    }

    async fn call(&self, context: &Context, input: DecideInput) -> Result<CaseView> {
        self.0
            .decide(context, &input.id, input.decision, &input.opinion)
            .await
    }
}

struct Withdraw(CaseDesk);

impl Capability for Withdraw {
    type Input = ById;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::post(
            "cases.withdraw",
            "撤回申请",
            "撤回本人还没有办结的申请。",
            "/cases/{id}/withdraw",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<CaseView> {
        self.0.withdraw(context, &input.id).await
    }
}

/// A returned application, corrected.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResubmitInput {
    /// The case.
    pub id: String,
    /// What was corrected.
    #[schemars(length(min = 1, max = 1000))]
    pub note: String,
}

struct Resubmit(CaseDesk);

impl Capability for Resubmit {
    type Input = ResubmitInput;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::post(
            "cases.resubmit",
            "补正后提交",
            "把退回的申请补正后重新提交。",
            "/cases/{id}/resubmit",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: ResubmitInput) -> Result<CaseView> {
        self.0.resubmit(context, &input.id, &input.note).await
    }
}
