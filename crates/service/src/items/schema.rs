//! The keys of a file. Unknown keys are an error, so that a misspelt one isn't overlooked.

use std::collections::BTreeMap;

use rules::{Amount, Book, Domain, Expression, Parameter, Rule, book::Field as Fact, book::Number};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service item.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its id, in ASCII, which never changes.
    pub id: String,
    /// Its official name.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// How people ask for it.
    #[serde(default)]
    pub questions: Vec<String>,
    /// The area that it belongs to, e.g. 公积金.
    pub area: String,
    /// Who applies.
    pub audience: Vec<Audience>,
    /// Who handles it.
    pub agency: String,
    /// Where it holds.
    pub region: String,
    /// Whom to call.
    #[serde(default)]
    pub phone: Option<String>,
    /// What it is, in a sentence or two.
    pub summary: String,
    /// What the applicant gets.
    pub result: String,
    /// Items often applied for together.
    #[serde(default)]
    pub related: Vec<String>,
    /// What its statements stand on.
    pub basis: Vec<Basis>,
    /// Its figures with their dates.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What has to be known.
    pub fields: Vec<Field>,
    /// Its conditions.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What is computed.
    #[serde(default)]
    pub amounts: Vec<Amount>,
    /// What has to be handed in.
    #[serde(default)]
    pub materials: Vec<Material>,
    /// Where to apply.
    pub channels: Vec<Channel>,
    /// What happens, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// How long it takes.
    pub time_limit: TimeLimit,
    /// What it costs.
    pub fee: Fee,
    /// The application form.
    pub form: Form,
}

/// Who applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// 个人
    Person,
    /// 企业
    Business,
}

/// A passage of a document that statements stand on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// What the file calls it.
    pub id: String,
    /// The title of the document.
    pub document: String,
    /// Its words, character for character.
    pub quote: String,
}

/// Something that has to be known of the applicant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What expressions call it.
    pub id: String,
    /// What the form calls it.
    pub label: String,
    /// How it is asked.
    pub question: String,
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// A hint.
    #[serde(default)]
    pub help: Option<String>,
    /// The sample applicant's answer.
    pub example: Example,
    /// The choices of a choice.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// What the button for yes says.
    #[serde(default)]
    pub yes_label: Option<String>,
    /// What the button for no says.
    #[serde(default)]
    pub no_label: Option<String>,
    /// Other words for yes.
    #[serde(default)]
    pub also_yes: Vec<String>,
    /// Other words for no.
    #[serde(default)]
    pub also_no: Vec<String>,
    /// The unit of a number.
    #[serde(default)]
    pub unit: Option<String>,
    /// The least number, or the earliest day as an expression.
    #[serde(default)]
    pub min: Option<Bound>,
    /// The greatest number, or the latest day as an expression.
    #[serde(default)]
    pub max: Option<Bound>,
    /// Without decimals.
    #[serde(default)]
    pub whole: bool,
    /// The longest text, in characters.
    #[serde(default)]
    pub max_length: Option<usize>,
    /// Whether it matters at all.
    #[serde(default)]
    pub when: Option<Expression>,
    /// May be left out.
    #[serde(default)]
    pub optional: bool,
    /// Where it is taken from: `account.name`, `account.id_number`, `account.phone`.
    #[serde(default)]
    pub prefill: Option<String>,
    /// Whether it stands in the form.
    #[serde(default = "yes")]
    pub form: bool,
    /// Why it is asked.
    #[serde(default)]
    pub basis: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The sample applicant's answer: a text, or a number written without quotes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// A text.
    Text(String),
    /// A number.
    Number(Number),
}

impl Example {
    /// As it would be typed.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.0.normalize().to_string(),
        }
    }
}

/// The bound of a number, or of a date.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    /// Of a number.
    Number(Number),
    /// Of a date.
    Expression(Expression),
}

/// What kind of answer a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Yes or no.
    YesNo,
    /// One of several.
    Choice,
    /// Some of several.
    Choices,
    /// A number.
    Number,
    /// Yuan, with two decimals.
    Money,
    /// A day.
    Date,
    /// A line.
    Text,
    /// A person's name.
    Name,
    /// A resident identity number.
    IdNumber,
    /// A telephone number.
    Phone,
    /// The number of a bank card.
    BankCard,
    /// An address.
    Address,
    /// An electronic mail address.
    Email,
    /// A unified social credit code.
    CreditCode,
    /// The number plate of a vehicle.
    Plate,
}

/// A choice.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What expressions call it.
    pub value: String,
    /// What its button says.
    pub label: String,
    /// Other words for it.
    #[serde(default)]
    pub also: Vec<String>,
    /// A hint.
    #[serde(default)]
    pub help: Option<String>,
}

/// Something to hand in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// When it is needed.
    #[serde(default)]
    pub when: Option<Expression>,
    /// In what form.
    pub form: MaterialForm,
    /// How many.
    #[serde(default)]
    pub copies: Option<u32>,
    /// When it need not be handed in.
    #[serde(default)]
    pub exempt: Option<String>,
    /// The fields whose values should stand in it.
    #[serde(default)]
    pub check: Vec<String>,
    /// What to know besides.
    #[serde(default)]
    pub note: Option<String>,
    /// Why it is wanted.
    #[serde(default)]
    pub basis: Vec<String>,
}

/// In what form a material is handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaterialForm {
    /// 原件
    Original,
    /// 复印件
    Copy,
    /// 电子件
    Electronic,
}

/// Where to apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ItemChannel")]
pub struct Channel {
    /// What kind of place it is.
    pub kind: ChannelKind,
    /// Its name.
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub address: Option<String>,
    /// When it is open.
    #[serde(default)]
    pub hours: Option<String>,
    /// What to do there.
    #[serde(default)]
    pub how: Option<String>,
    /// Its telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

/// What kind of place one applies at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// 线上
    Online,
    /// 窗口
    Window,
    /// 电话
    Phone,
    /// 自助机
    SelfService,
    /// 邮寄
    Mail,
}

/// What happens on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What happens.
    pub text: String,
}

/// How long it takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    /// What the office promises.
    pub promised: u32,
    /// What the law allows.
    #[serde(default)]
    pub statutory: Option<u32>,
    /// In what days.
    pub unit: Days,
    /// Done at once where everything is in order.
    #[serde(default)]
    pub instant: bool,
    /// What to know besides.
    #[serde(default)]
    pub note: Option<String>,
    /// What it stands on.
    #[serde(default)]
    pub basis: Vec<String>,
}

/// Which days count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Days {
    /// 工作日
    WorkingDays,
    /// 自然日
    Days,
}

/// What it costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// In yuan.
    pub amount: Number,
    /// The same in words.
    pub text: String,
    /// What it stands on.
    #[serde(default)]
    pub basis: Vec<String>,
}

/// An application form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its title.
    pub title: String,
    /// Its sections.
    pub sections: Vec<Section>,
    /// What the applicant declares.
    #[serde(default)]
    pub statement: Option<String>,
}

/// A section of a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// The fields in it.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The amounts in it.
    #[serde(default)]
    pub amounts: Vec<String>,
}

/// What the files of a folder share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// What the figures stand on.
    #[serde(default)]
    pub basis: Vec<Basis>,
    /// Figures with their dates.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

impl Item {
    /// What decides and computes.
    pub fn book(&self) -> Book {
        Book {
            fields: self.fields.iter().map(Field::fact).collect(),
            parameters: self.parameters.clone(),
            rules: self.rules.clone(),
            amounts: self.amounts.clone(),
        }
    }

    /// A field.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.id == id)
    }
}

impl Field {
    /// What its button for yes says.
    pub fn yes(&self) -> &str {
        self.yes_label.as_deref().unwrap_or("是")
    }

    /// What its button for no says.
    pub fn no(&self) -> &str {
        self.no_label.as_deref().unwrap_or("否")
    }

    /// As the rules see it.
    pub fn fact(&self) -> Fact {
        let number = |bound: &Option<Bound>| match bound {
            Some(Bound::Number(n)) => Some(n.0),
            _ => None,
        };
        let day = |bound: &Option<Bound>| match bound {
            Some(Bound::Expression(e)) => Some(e.clone()),
            _ => None,
        };
        let values = || self.choices.iter().map(|c| c.value.clone()).collect();
        let domain = match self.kind {
            FieldKind::YesNo => Domain::Bool,
            FieldKind::Choice => Domain::Choice(values()),
            FieldKind::Choices => Domain::Choices(values()),
            FieldKind::Number | FieldKind::Money => Domain::Number {
                min: number(&self.min),
                max: number(&self.max),
                whole: self.whole,
            },
            FieldKind::Date => Domain::Date {
                min: day(&self.min),
                max: day(&self.max),
            },
            _ => Domain::Text,
        };
        let mut labels: BTreeMap<String, String> = self
            .choices
            .iter()
            .map(|c| (c.value.clone(), c.label.clone()))
            .collect();
        if self.kind == FieldKind::YesNo {
            labels.insert("true".to_owned(), self.yes().to_owned());
            labels.insert("false".to_owned(), self.no().to_owned());
        }
        let money = (self.kind == FieldKind::Money).then(|| "元".to_owned());
        Fact {
            id: self.id.clone(),
            label: self.label.clone(),
            unit: self.unit.clone().or(money),
            domain,
            labels,
            when: self.when.clone(),
        }
    }
}
