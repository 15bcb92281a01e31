//! What the outside can do with policies and businesses.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    identity::Role,
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    businesses::{BusinessInput, BusinessSummary, BusinessView, BusinessesInput},
    desk::SupportDesk,
    profile::{self, ProfileField},
    reading::read_policies,
    register,
    view::{
        AsOf, Beneficiaries, BeneficiariesInput, MatchInput, MatchView, MineView, PoliciesInput,
        PolicySummary, PolicyView,
    },
};
use crate::items::{
    capabilities::{FileFinding, ImportItemsInput},
    reading::Finding,
};

/// Who writes policies.
const AUTHORS: Permission = Permission::Roles(&[Role::Expert, Role::Administrator]);
/// Who sees and keeps the businesses.
const KEEPERS: Permission = Permission::Roles(&[Role::Clerk, Role::Expert, Role::Administrator]);
/// A business for itself.
const BUSINESS: Permission = Permission::Roles(&[Role::Business]);

/// All of them.
pub fn all(desk: &Arc<SupportDesk>) -> Vec<Registered> {
    vec![
        Registered::new(ListPolicies(desk.clone())),
        Registered::new(GetPolicy(desk.clone())),
        Registered::new(ImportPolicies(desk.clone())),
        Registered::new(RemovePolicy(desk.clone())),
        Registered::new(Fields),
        Registered::new(Match(desk.clone())),
        Registered::new(Mine(desk.clone())),
        Registered::new(Beneficiary(desk.clone())),
        Registered::new(ListBusinesses(desk.clone())),
        Registered::new(GetBusiness(desk.clone())),
        Registered::new(PutBusiness(desk.clone())),
        Registered::new(ImportBusinesses(desk.clone())),
        Registered::new(OwnBusiness(desk.clone())),
        Registered::new(PutOwnBusiness(desk.clone())),
    ]
}

struct ListPolicies(Arc<SupportDesk>);

impl Capability for ListPolicies {
    type Input = PoliciesInput;
    type Output = Page<PolicySummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "support.policies",
            "惠企政策",
            "本市现行的惠企政策，可按主题、行业、是否免申即享和文字查找。",
            "/support/policies",
        )
    }

    async fn call(&self, _: &Context, input: PoliciesInput) -> Result<Page<PolicySummary>> {
        Ok(self.0.list(&input))
    }
}

struct GetPolicy(Arc<SupportDesk>);

impl Capability for GetPolicy {
    type Input = ById;
    type Output = PolicyView;

    fn definition(&self) -> Definition {
        Definition::get(
            "support.policy",
            "惠企政策详情",
            "一项惠企政策的条件、好处、材料、渠道和依据。",
            "/support/policies/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<PolicyView> {
        self.0.policy(context, &input.id).await
    }
}

/// What became of policy files.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportedPolicies {
    /// How many policies were taken in, or would be.
    pub policies: usize,
    /// What is wrong; then nothing was taken in.
    pub findings: Vec<FileFinding>,
}

struct ImportPolicies(Arc<SupportDesk>);

impl Capability for ImportPolicies {
    type Input = ImportItemsInput;
    type Output = ImportedPolicies;

    fn definition(&self) -> Definition {
        Definition::post(
            "support.import_policies",
            "导入惠企政策",
            "检查并导入惠企政策文件；有一处不对就都不导入。",
            "/support/policies",
        )
        .open_to(AUTHORS)
        // Large like pictures.
        .with_pictures()
    }

    async fn call(&self, _: &Context, input: ImportItemsInput) -> Result<ImportedPolicies> {
        let files = input.files.into_iter().map(|f| (f.path, f.content));
        let files: Vec<(String, String)> = files.collect();
        if files.is_empty() {
            return Err(Error::new(ErrorCode::InvalidInput, "没有政策文件。"));
        }
        let mut findings = Vec::new();
        for (path, read) in read_policies(&files) {
            for finding in read.err().unwrap_or_default() {
                let path = path.clone();
                findings.push(FileFinding { path, finding });
            }
        }
        let policies = if findings.is_empty() { files.len() } else { 0 };
        if findings.is_empty() && !input.dry_run {
            self.0.policies.import(&files).await?;
        }
        Ok(ImportedPolicies { policies, findings })
    }
}

/// A policy that was taken out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RemovedPolicy {
    /// Its id.
    pub id: String,
    /// As it was written, to be put back if it was a mistake.
    pub source: String,
}

struct RemovePolicy(Arc<SupportDesk>);

impl Capability for RemovePolicy {
    type Input = ById;
    type Output = RemovedPolicy;

    fn definition(&self) -> Definition {
        Definition::delete(
            "support.remove_policy",
            "删除惠企政策",
            "删除一项惠企政策。返回原文，便于恢复。",
            "/support/policies/{id}",
        )
        .open_to(AUTHORS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<RemovedPolicy> {
        let source = self.0.policies.remove(&input.id).await?;
        Ok(RemovedPolicy {
            id: input.id,
            source,
        })
    }
}

/// Nothing is asked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NoSupportInput")]
pub struct Nothing {}

/// The form of a profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileForm {
    /// Its fields in order.
    pub fields: Vec<ProfileField>,
}

struct Fields;

impl Capability for Fields {
    type Input = Nothing;
    type Output = ProfileForm;

    fn definition(&self) -> Definition {
        Definition::get(
            "support.profile_fields",
            "企业档案的项目",
            "企业档案有哪些项目，各是什么类型，有哪些选项。",
            "/support/profile-fields",
        )
    }

    async fn call(&self, _: &Context, _: Nothing) -> Result<ProfileForm> {
        Ok(ProfileForm {
            fields: profile::form(),
        })
    }
}

struct Match(Arc<SupportDesk>);

impl Capability for Match {
    type Input = MatchInput;
    type Output = MatchView;

    fn definition(&self) -> Definition {
        Definition::post(
            "support.match",
            "惠企政策匹配",
            "按企业档案匹配惠企政策：符合的和能得到多少，差一点的和差什么，还要知道什么才能判断，不符合的和原因；各有依据。",
            "/support/match",
        )
        .open_to(Permission::Public)
        .without_effects()
    }

    async fn call(&self, _: &Context, input: MatchInput) -> Result<MatchView> {
        self.0.matches(&input).await
    }
}

struct Mine(Arc<SupportDesk>);

impl Capability for Mine {
    type Input = AsOf;
    type Output = MineView;

    fn definition(&self) -> Definition {
        Definition::get(
            "support.mine",
            "本企业的惠企政策",
            "按本企业登记的档案匹配惠企政策。",
            "/support/mine",
        )
        .open_to(BUSINESS)
    }

    async fn call(&self, context: &Context, input: AsOf) -> Result<MineView> {
        self.0.mine(context, input.as_of).await
    }
}

struct Beneficiary(Arc<SupportDesk>);

impl Capability for Beneficiary {
    type Input = BeneficiariesInput;
    type Output = Beneficiaries;

    fn definition(&self) -> Definition {
        Definition::get(
            "support.beneficiaries",
            "政策的受惠企业",
            "登记的企业里，哪些符合一项政策（免申即享名单），哪些只差一点，各差什么。",
            "/support/policies/{id}/beneficiaries",
        )
        .open_to(Permission::STAFF)
    }

    async fn call(&self, _: &Context, input: BeneficiariesInput) -> Result<Beneficiaries> {
        self.0.beneficiaries(&input).await
    }
}

struct ListBusinesses(Arc<SupportDesk>);

impl Capability for ListBusinesses {
    type Input = BusinessesInput;
    type Output = Page<BusinessSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "businesses.list",
            "企业列表",
            "登记的企业，可按名称、统一社会信用代码、区县和行业查找。",
            "/businesses",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, _: &Context, input: BusinessesInput) -> Result<Page<BusinessSummary>> {
        self.0.businesses.list(&input).await
    }
}

struct GetBusiness(Arc<SupportDesk>);

impl Capability for GetBusiness {
    type Input = ById;
    type Output = BusinessView;

    fn definition(&self) -> Definition {
        Definition::get(
            "businesses.get",
            "企业档案",
            "一家企业的档案和联系方式，按统一社会信用代码。",
            "/businesses/{id}",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, _: &Context, input: ById) -> Result<BusinessView> {
        let business = self.0.businesses.get(&input.id).await?;
        Ok(business.view(time::today()))
    }
}

struct PutBusiness(Arc<SupportDesk>);

impl Capability for PutBusiness {
    type Input = BusinessInput;
    type Output = BusinessView;

    fn definition(&self) -> Definition {
        Definition::post(
            "businesses.put",
            "登记企业",
            "登记一家企业，或者更新它的档案；按统一社会信用代码。",
            "/businesses",
        )
        .open_to(KEEPERS)
    }

    async fn call(&self, context: &Context, input: BusinessInput) -> Result<BusinessView> {
        let business = self.0.businesses.put(context, &input).await?;
        Ok(business.view(time::today()))
    }
}

/// A table of businesses.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBusinessesInput {
    /// Comma-separated values. The first row names the columns: 企业名称, 统一社会信用代码, 联系人, 联系电话, 地址, and fields
    /// of the profile by their label or id.
    #[schemars(length(min = 1, max = 16_777_216))]
    pub content: String,
    /// Only check.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of a table.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImportedBusinesses {
    /// How many businesses were taken in, or would be.
    pub businesses: usize,
    /// What is wrong, by row and column; then nothing was taken in.
    pub findings: Vec<Finding>,
}

struct ImportBusinesses(Arc<SupportDesk>);

impl Capability for ImportBusinesses {
    type Input = ImportBusinessesInput;
    type Output = ImportedBusinesses;

    fn definition(&self) -> Definition {
        Definition::post(
            "businesses.import",
            "导入企业",
            "从 CSV 表导入企业档案；有一处不对就都不导入。已登记的更新表里写了的项目。",
            "/businesses/import",
        )
        .open_to(KEEPERS)
        // Large like pictures.
        .with_pictures()
    }

    async fn call(
        &self,
        context: &Context,
        input: ImportBusinessesInput,
    ) -> Result<ImportedBusinesses> {
        let told = match register::read_table(&input.content, time::today()) {
            Ok(told) => told,
            Err(findings) => {
                return Ok(ImportedBusinesses {
                    businesses: 0,
                    findings,
                });
            }
        };
        let businesses = told.len();
        context.note("businesses", businesses);
        if !input.dry_run {
            self.0.businesses.take_in(told).await?;
        }
        Ok(ImportedBusinesses {
            businesses,
            findings: Vec::new(),
        })
    }
}

struct OwnBusiness(Arc<SupportDesk>);

impl Capability for OwnBusiness {
    type Input = Nothing;
    type Output = BusinessView;

    fn definition(&self) -> Definition {
        Definition::get(
            "businesses.mine",
            "本企业档案",
            "登录的企业账号登记的档案。",
            "/businesses/mine",
        )
        .open_to(BUSINESS)
    }

    async fn call(&self, context: &Context, _: Nothing) -> Result<BusinessView> {
        let business = self.0.businesses.own(context).await?;
        Ok(business.view(time::today()))
    }
}

struct PutOwnBusiness(Arc<SupportDesk>);

impl Capability for PutOwnBusiness {
    type Input = BusinessInput;
    type Output = BusinessView;

    fn definition(&self) -> Definition {
        Definition::post(
            "businesses.put_mine",
            "填写本企业档案",
            "登记或者更新登录账号所代表的企业的档案。",
            "/businesses/mine",
        )
        .open_to(BUSINESS)
    }

    async fn call(&self, context: &Context, input: BusinessInput) -> Result<BusinessView> {
        let business = self.0.businesses.put_own(context, &input).await?;
        Ok(business.view(time::today()))
    }
}
