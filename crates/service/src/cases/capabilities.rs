//! What the outside can do with cases.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    desk::{CaseDesk, CaseSummary, CaseView, CasesInput, Decision},
    figures::{CaseFigures, FiguresInput},
};

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
        Registered::new(Seen(desk.clone())),
        Registered::new(RemoveMaterial(desk.clone())),
        Registered::new(Figures(desk.clone())),
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

struct Seen(CaseDesk);

impl Capability for Seen {
    type Input = ById;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::post(
            "cases.read",
            "办件进度已读",
            "把本人办件的新进度标为已读。",
            "/cases/{id}/read",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<CaseView> {
        self.0.seen(context, &input.id).await
    }
}

/// A file of a case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaterialInput {
    /// The case.
    pub id: String,
    /// The file.
    pub upload: String,
}

struct RemoveMaterial(CaseDesk);

impl Capability for RemoveMaterial {
    type Input = MaterialInput;
    type Output = CaseView;

    fn definition(&self) -> Definition {
        Definition::delete(
            "cases.remove_material",
            "删除材料文件",
            "删除本人办件里上传的一个材料文件，办结后不能删除。",
            "/cases/{id}/materials/{upload}",
        )
        .open_to(Permission::SignedIn)
    }

    async fn call(&self, context: &Context, input: MaterialInput) -> Result<CaseView> {
        self.0
            .remove_material(context, &input.id, &input.upload)
            .await
    }
}

struct Figures(CaseDesk);

impl Capability for Figures {
    type Input = FiguresInput;
    type Output = CaseFigures;

    fn definition(&self) -> Definition {
        Definition::get(
            "cases.figures",
            "办件统计",
            "一段时间内各事项的办件数、申报用时、办理用时、退回和超期。",
            "/cases/figures",
        )
        .open_to(Permission::STAFF)
    }

    async fn call(&self, _context: &Context, input: FiguresInput) -> Result<CaseFigures> {
        self.0.figures(&input).await
    }
}
