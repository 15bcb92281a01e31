//! What people ask of policies and businesses, and what they are told.

use jiff::civil::Date;
use kernel::evidence::Citation;
use rules::assessment::{State, Step as Computed, Used};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::businesses::BusinessView;
use crate::items::{
    capabilities::{ParameterView, Said},
    schema::{Channel, FieldKind, Step},
};

/// A policy in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicySummary {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who handles it.
    pub agency: String,
    /// What it is.
    pub summary: String,
    /// What it is about.
    pub topics: Vec<String>,
    /// 免申即享.
    pub automatic: bool,
    /// Its first day.
    #[schemars(with = "String")]
    pub from: Date,
    /// Its last day.
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// It holds today.
    pub in_force: bool,
    /// What its main benefit is called.
    pub benefit: String,
    /// How long it takes, in words.
    pub time_limit: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// A policy as a business reads it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyView {
    /// The same as in the list.
    #[serde(flatten)]
    pub summary: PolicySummary,
    /// The title of its document.
    pub document: String,
    /// Where it holds.
    pub region: String,
    /// Its conditions.
    pub conditions: Vec<Said>,
    /// Its benefits.
    pub benefits: Vec<Benefit>,
    /// What of a profile decides it.
    pub asks: Vec<FactName>,
    /// What is handed in.
    pub materials: Vec<Said>,
    /// Figures that it fixes, each with its values by day.
    pub parameters: Vec<ParameterView>,
    /// Where to apply.
    pub channels: Vec<Channel>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What it stands on.
    pub citations: Vec<Citation>,
    /// Bases that no longer stand in the documents as quoted: somebody should look.
    pub missing_bases: Vec<String>,
    /// As it was written; only for those who may change it.
    pub source: Option<String>,
}

/// A benefit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Benefit {
    /// What it is called.
    pub label: String,
    /// The main one.
    pub headline: bool,
    /// How it is computed, in words; of a business, its estimate.
    pub told: Option<String>,
    /// The estimate, step by step.
    pub steps: Vec<Computed>,
    /// What to know besides.
    pub note: Option<String>,
    /// The marks of what it stands on.
    pub citations: Vec<usize>,
}

/// A fact by its name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FactName {
    /// What a profile calls it.
    pub field: String,
    /// What people call it.
    pub label: String,
}

/// Which policies.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoliciesInput {
    /// Words of the name, the summary, the topics or the office.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub q: Option<String>,
    /// Only about this.
    #[serde(default)]
    pub topic: Option<String>,
    /// Only those that are open to this industry.
    #[serde(default)]
    pub industry: Option<String>,
    /// Only 免申即享, or only the others.
    #[serde(default)]
    pub automatic: Option<bool>,
    /// Also those that do not hold today.
    #[serde(default)]
    pub all: Option<bool>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Policies a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// A business that looks for what it is entitled to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchInput {
    /// What is known of it: values of their type, or words for them. The fields are those of `support.profile_fields`.
    #[schemars(with = "std::collections::BTreeMap<String, Json>")]
    pub profile: Map<String, Json>,
    /// The day; today if none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
}

/// As of a day.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// The day; today if none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
}

/// How a policy fits a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// All conditions are met.
    Eligible,
    /// All would be with one or two facts different.
    Near,
    /// That depends on what is not known.
    Unknown,
    /// A condition is not met.
    NotMet,
}

/// What a business is entitled to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MatchView {
    /// The day.
    #[schemars(with = "String")]
    pub on: Date,
    /// How many policies were looked at.
    pub policies: usize,
    /// Those that it qualifies for, the most valuable first.
    pub eligible: Vec<PolicyMatch>,
    /// Those that it would qualify for with one or two facts different.
    pub near: Vec<PolicyMatch>,
    /// Those that depend on what is not known.
    pub unknown: Vec<PolicyMatch>,
    /// Those that it does not qualify for.
    pub not_met: Vec<PolicyMatch>,
    /// What to ask, the question first that decides the most policies.
    pub questions: Vec<ProfileQuestion>,
    /// What all this stands on.
    pub citations: Vec<Citation>,
}

/// How a policy fits a business, with reasons.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyMatch {
    /// The policy.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who handles it.
    pub agency: String,
    /// What it is.
    pub summary: String,
    /// What it is about.
    pub topics: Vec<String>,
    /// 免申即享.
    pub automatic: bool,
    /// Its last day.
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// How it fits.
    pub fit: Fit,
    /// The estimated main benefit in yuan, where it is a sum of money and known. Of a near miss, what it would be.
    pub worth: Option<String>,
    /// The benefits.
    pub benefits: Vec<Benefit>,
    /// The conditions; of one that is not met, only those that fail.
    pub conditions: Vec<ConditionView>,
    /// What is not known and would decide, the most decisive first.
    pub missing: Vec<FactName>,
    /// What would have to be different.
    pub changes: Vec<ProposedChange>,
}

/// A condition with how it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConditionView {
    /// The condition in words.
    pub text: String,
    /// Whether it is met.
    pub state: State,
    /// It only tells.
    pub note: bool,
    /// The condition with the values put in.
    pub told: String,
    /// What to say if it is not met.
    pub reason: Option<String>,
    /// The facts that it stands on.
    pub used: Vec<Used>,
    /// The marks of what it stands on.
    pub citations: Vec<usize>,
}

/// A fact that would have to be different.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProposedChange {
    /// What a profile calls it.
    pub field: String,
    /// What people call it.
    pub label: String,
    /// As it is, in words; nothing if that is not known.
    pub from: Option<String>,
    /// As it would have to be, in words.
    pub to: String,
    /// The same as a profile holds it.
    pub value: Json,
}

/// A question to a business.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileQuestion {
    /// What a profile calls it.
    pub field: String,
    /// What people call it.
    pub label: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// How many policies an answer settles, on average.
    pub settles: usize,
    /// How many policies ask it.
    pub asked_by: usize,
}

/// What the caller's business is entitled to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MineView {
    /// The business.
    pub business: BusinessView,
    /// What it is entitled to.
    pub matches: MatchView,
}

/// Which businesses of a policy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeneficiariesInput {
    /// The policy.
    pub id: String,
    /// `eligible` (those that qualify; if none is said), `near` or `unknown`.
    #[serde(default)]
    pub which: Option<Fit>,
    /// The day; today if none.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Businesses a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// The registered businesses that a policy is for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Beneficiaries {
    /// The policy.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// 免申即享.
    pub automatic: bool,
    /// The day.
    #[schemars(with = "String")]
    pub on: Date,
    /// It holds on that day; if not, nobody qualifies.
    pub in_force: bool,
    /// How many qualify.
    pub eligible: usize,
    /// How many would with one or two facts different.
    pub near: usize,
    /// Of how many that is not known.
    pub unknown: usize,
    /// How many are registered.
    pub registered: usize,
    /// The estimated benefits of all that qualify together, in yuan.
    pub worth: String,
    /// Those asked for, the greatest benefit first.
    pub items: Vec<Beneficiary>,
    /// How many there are on all pages.
    pub total: u64,
    /// Which page this is, from 1.
    pub page: u64,
    /// How many a page holds.
    pub page_size: u64,
}

/// A business that a policy is for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Beneficiary {
    /// The business.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is registered, in Chinese.
    pub district: Option<String>,
    /// It was made up for demonstration.
    pub synthetic: bool,
    /// The estimated benefit in yuan, if it is known.
    pub worth: Option<String>,
    /// What is not known or stands in the way, by its label.
    pub open: Vec<String>,
    /// What would have to be different, where that was found.
    pub changes: Vec<ProposedChange>,
}
