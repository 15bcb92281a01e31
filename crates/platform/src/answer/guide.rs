//! A guided dialogue as every door shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A guided dialogue: what it asks, the form so far, what the rules say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guide {
    /// The name of the service item.
    pub item: String,
    /// Its id.
    pub item_id: String,
    /// Where the dialogue is.
    pub state: GuideState,
    /// What is asked; nothing once nothing is missing.
    pub ask: Option<Ask>,
    /// The form as far as it is filled.
    pub form: GuideForm,
    /// The case that was handed in.
    pub case: Option<String>,
    /// Why the applicant does not qualify.
    pub reasons: Vec<Reason>,
    /// What would have to be different to qualify: the fewest facts.
    pub nearest: Vec<Difference>,
    /// The conditions, each with what became of it.
    pub conditions: Vec<Condition>,
    /// What is computed, each with its steps.
    pub amounts: Vec<Amount>,
    /// What has to be handed in, in this case.
    pub materials: Vec<Material>,
    /// How far it is.
    pub progress: GuideProgress,
    /// What this message changed.
    pub changed: Vec<Difference>,
    /// Handing in needs a verified account, and the caller has none.
    pub needs_sign_in: bool,
}

/// Where a dialogue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuideState {
    /// Something still has to be known.
    Asking,
    /// The form is complete and waits for the applicant's word.
    Review,
    /// Handed in.
    Submitted,
    /// A condition is not met.
    Ineligible,
    /// Left; it can be taken up again.
    Stopped,
}

/// A question to the applicant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ask {
    /// The field.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// How it is asked.
    pub question: String,
    /// What kind of answer it takes: yes_no, choice, choices, number, money, date, text, name, id_number, phone, bank_card,
    /// address, email, credit_code, plate.
    #[serde(rename = "type")]
    pub kind: String,
    /// The answers to choose from.
    pub choices: Vec<Choice>,
    /// The sample applicant's answer.
    pub example: String,
    /// A hint.
    pub help: Option<String>,
    /// The unit of a number.
    pub unit: Option<String>,
    /// May be left out.
    pub optional: bool,
    /// The marks of the citations that say why it is asked.
    pub citations: Vec<usize>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// Its value.
    pub value: String,
    /// What its button says; sent back as the answer.
    pub label: String,
    /// A hint.
    pub help: Option<String>,
}

/// A form as far as it is filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ApplicationForm")]
pub struct GuideForm {
    /// Its title.
    pub title: String,
    /// Its sections.
    pub sections: Vec<GuideSection>,
    /// What the applicant declares.
    pub statement: Option<String>,
}

/// A section of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuideSection {
    /// Its title.
    pub title: String,
    /// Its rows; fields that do not matter in this case are left out.
    pub rows: Vec<Row>,
}

/// A row of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The field or the amount.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// The value as it is told; empty while it is missing.
    pub value: Option<String>,
    /// Where the value is from.
    pub origin: Origin,
    /// How it can be answered, for editing in place.
    pub ask: Option<Ask>,
}

/// Where a value is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The applicant said it.
    Said,
    /// The account holds it.
    Account,
    /// The rules compute it.
    Computed,
    /// Nobody said it yet.
    Missing,
    /// The applicant left it out, as may be.
    LeftOut,
}

/// Why an applicant does not qualify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The condition.
    pub condition: String,
    /// In words for the applicant.
    pub text: String,
    /// The condition with the values put in.
    pub told: String,
    /// What can be applied for instead.
    pub instead: Option<String>,
    /// The marks of the citations that it stands on.
    pub citations: Vec<usize>,
}

/// A condition with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The condition.
    pub text: String,
    /// Whether it is met.
    pub state: ConditionState,
    /// It refuses if it is not met; else it only tells.
    pub refuses: bool,
    /// The condition with the values put in.
    pub told: String,
    /// The marks of the citations that it stands on.
    pub citations: Vec<usize>,
}

/// Whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionState {
    /// It is.
    Met,
    /// It is not.
    Unmet,
    /// Not known yet.
    Unknown,
    /// It does not apply to this case.
    NotApplicable,
}

/// Something computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// What it is.
    pub label: String,
    /// The value with its unit, once it is known.
    pub value: Option<String>,
    /// How it was computed, e.g. `产假天数158天 × 缴费基数9000元 ÷ 30 = 47400元`.
    pub steps: Vec<String>,
    /// Figures that rules fix, with the day from which each holds.
    pub figures: Vec<String>,
    /// Shown first.
    pub headline: bool,
    /// What to know besides, or why it cannot be computed.
    pub note: Option<String>,
    /// The marks of the citations that it stands on.
    pub citations: Vec<usize>,
}

/// Something to hand in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// In what form: 原件, 复印件, 电子件.
    pub form: String,
    /// How many.
    pub copies: Option<u32>,
    /// When it need not be handed in.
    pub exempt: Option<String>,
    /// Whether it is needed depends on what is not known yet.
    pub perhaps: bool,
    /// The marks of the citations that it stands on.
    pub citations: Vec<usize>,
}

/// How far a dialogue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuideProgress {
    /// Fields answered.
    pub done: usize,
    /// Fields that matter, as far as is known.
    pub total: usize,
}

/// A value and another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// What the form calls it.
    pub label: String,
    /// As it was; empty if it was not known.
    pub from: Option<String>,
    /// As it is, or would have to be.
    pub to: String,
}

/// What can be begun from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// The name of the service item.
    pub item: String,
    /// Its id.
    pub item_id: String,
    /// What is asked, e.g. whether to apply now.
    pub question: String,
    /// The answers, each sent as the next message.
    pub choices: Vec<String>,
}
