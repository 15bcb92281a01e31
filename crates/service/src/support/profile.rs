//! What is known of a business. One table of fields, from which form, reading and rules come.

use std::{collections::BTreeSet, sync::LazyLock};

use jiff::civil::Date;
use rules::{
    Book, Expression, Facts, Value, book::Field as Fact, book::Number, sieve::Layout, sieve::Way,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::{
    guide::answers,
    items::schema::{Bound, Choice, Example, Field, FieldKind},
};

/// The greatest number of people or things, and the greatest sum in yuan.
const MOST: i64 = 10_000_000;
const MOST_YUAN: i64 = 10_000_000_000_000;

/// The longest answer in words, in characters.
const LONGEST: usize = 300;

type Options = &'static [(&'static str, &'static str, &'static [&'static str])];

enum Kind {
    Choice(Options),
    Choices(Options),
    Date,
    /// With its unit.
    Count(&'static str),
    Money,
    Amount(&'static str),
    YesNo,
}

struct Row(&'static str, &'static str, Kind, Section, Way, &'static str);

/// A part of the form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Basic,
    Staff,
    Business,
    Research,
    Credit,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Self::Basic => "基本情况",
            Self::Staff => "人员",
            Self::Business => "经营",
            Self::Research => "研发和资质",
            Self::Credit => "信用",
        }
    }
}

use Kind::{Amount, Choice as One, Choices as Several, Count, Date as Day, Money, YesNo};
use Section::{Basic, Business, Credit, Research, Staff};
use Way::{Any, Fixed, Up};

const KINDS: Options = &[
    ("company", "企业", &["公司"]),
    ("individual", "个体工商户", &["个体户", "个体"]),
    ("cooperative", "农民专业合作社", &["合作社"]),
    ("nonprofit", "民办非企业单位", &["民非", "社会服务机构"]),
];

const INDUSTRIES: Options = &[
    ("agriculture", "农、林、牧、渔业", &["农林牧渔", "农业"]),
    ("mining", "采矿业", &["采矿"]),
    ("manufacturing", "制造业", &["制造", "工厂"]),
    (
        "utilities",
        "电力、热力、燃气及水生产和供应业",
        &["电热气水"],
    ),
    ("construction", "建筑业", &["建筑"]),
    ("trade", "批发和零售业", &["批发零售", "零售", "批发"]),
    (
        "transport",
        "交通运输、仓储和邮政业",
        &["交通运输", "物流", "仓储"],
    ),
    ("hospitality", "住宿和餐饮业", &["住宿餐饮", "餐饮", "酒店"]),
    (
        "information",
        "信息传输、软件和信息技术服务业",
        &["信息软件", "软件", "信息技术"],
    ),
    ("finance", "金融业", &["金融"]),
    ("real_estate", "房地产业", &["房地产"]),
    ("business_services", "租赁和商务服务业", &["租赁商务"]),
    ("research", "科学研究和技术服务业", &["科研", "技术服务"]),
    (
        "environment",
        "水利、环境和公共设施管理业",
        &["水利环境", "环保"],
    ),
    (
        "household_services",
        "居民服务、修理和其他服务业",
        &["居民服务", "家政"],
    ),
    ("education", "教育", &["培训"]),
    ("health", "卫生和社会工作", &["卫生", "养老", "托育"]),
    ("culture", "文化、体育和娱乐业", &["文化", "文旅"]),
];

const SIZES: Options = &[
    ("micro", "微型", &["微型企业"]),
    ("small", "小型", &["小型企业"]),
    ("medium", "中型", &["中型企业"]),
    ("large", "大型", &["大型企业"]),
];

const DISTRICTS: Options = &[
    ("shuguang", "曙光区", &[]),
    ("chenyang", "晨阳区", &[]),
    ("yunqiao", "云桥区", &[]),
    ("xinghe", "星河区", &[]),
    ("wangshan", "望山县", &[]),
    ("linxi", "临溪县", &[]),
    ("outside", "不在本市", &["市外", "外地"]),
];

const QUALIFICATIONS: Options = &[
    ("high_tech", "高新技术企业", &["高企"]),
    ("sme_tech", "科技型中小企业", &[]),
    ("specialised", "专精特新中小企业", &[]),
    ("little_giant", "专精特新“小巨人”企业", &["小巨人"]),
    ("innovative_sme", "创新型中小企业", &[]),
    ("above_scale", "规模以上企业", &["规上企业"]),
    ("first_above_scale", "首次升规企业", &["首次升规"]),
    ("green_factory", "绿色工厂", &[]),
    ("smart_factory", "智能工厂", &[]),
    ("tech_centre", "企业技术中心", &[]),
    ("time_honoured", "老字号", &[]),
    ("agri_leader", "农业产业化龙头企业", &["农业龙头企业"]),
    ("listed", "上市或者挂牌", &["上市公司"]),
    ("incubator", "孵化器或者众创空间", &["孵化器"]),
    ("headquarters", "总部企业", &[]),
    ("foreign_trade", "外贸经营备案", &["外贸资质"]),
    ("training_base", "实训或者见习基地", &["实训基地"]),
    ("entrepreneur_key_group", "重点群体创办", &[]),
];

/// Id, label, kind, section, how far it can be changed, an example.
static TABLE: [Row; 37] = [
    Row("kind", "主体类型", One(KINDS), Basic, Fixed, "企业"),
    Row(
        "industry",
        "所属行业",
        One(INDUSTRIES),
        Basic,
        Fixed,
        "制造业",
    ),
    Row("size", "企业规模", One(SIZES), Basic, Fixed, "小型"),
    Row(
        "district",
        "登记所在区县",
        One(DISTRICTS),
        Basic,
        Fixed,
        "曙光区",
    ),
    Row(
        "established_on",
        "成立日期",
        Day,
        Basic,
        Fixed,
        "2020年3月5日",
    ),
    Row("staff", "职工人数", Count("人"), Staff, Up, "30"),
    Row(
        "insured_staff",
        "参保职工人数",
        Count("人"),
        Staff,
        Up,
        "30",
    ),
    Row("new_hires", "近一年新招用人数", Count("人"), Staff, Up, "5"),
    Row(
        "new_graduates",
        "新招用的应届毕业生人数",
        Count("人"),
        Staff,
        Up,
        "2",
    ),
    Row(
        "disabled_staff",
        "残疾人职工人数",
        Count("人"),
        Staff,
        Up,
        "1",
    ),
    Row("laid_off", "近一年裁员人数", Count("人"), Staff, Fixed, "0"),
    Row(
        "veterans_hired",
        "招用退役军人人数",
        Count("人"),
        Staff,
        Up,
        "1",
    ),
    Row(
        "poverty_hires",
        "招用脱贫人口人数",
        Count("人"),
        Staff,
        Up,
        "0",
    ),
    Row(
        "unemployed_hires",
        "招用登记失业半年以上人员人数",
        Count("人"),
        Staff,
        Up,
        "0",
    ),
    Row("revenue", "近一年营业收入", Money, Business, Up, "1200万元"),
    Row(
        "revenue_last_year",
        "上一年度营业收入",
        Money,
        Business,
        Fixed,
        "1000万元",
    ),
    Row("rnd_spend", "近一年研发费用", Money, Research, Up, "60万元"),
    Row("tax_paid", "近一年纳税额", Money, Business, Up, "40万元"),
    Row(
        "fixed_investment",
        "近一年固定资产投资",
        Money,
        Business,
        Up,
        "200万元",
    ),
    Row("export_value", "近一年出口额", Money, Business, Up, "0"),
    Row(
        "output_value",
        "近一年产值",
        Money,
        Business,
        Up,
        "1200万元",
    ),
    Row("online_sales", "近一年网络零售额", Money, Business, Up, "0"),
    Row("loan_amount", "贷款额", Money, Business, Any, "100万元"),
    Row(
        "training_spend",
        "近一年职工培训支出",
        Money,
        Staff,
        Up,
        "2万元",
    ),
    Row("rent_paid", "年租金", Money, Business, Any, "12万元"),
    Row(
        "social_insurance_paid",
        "近一年缴纳社会保险费",
        Money,
        Staff,
        Up,
        "40万元",
    ),
    Row(
        "unemployment_insurance_paid",
        "近一年缴纳失业保险费",
        Money,
        Staff,
        Up,
        "1万元",
    ),
    Row(
        "energy_saved_tce",
        "年节能量",
        Amount("吨标准煤"),
        Business,
        Up,
        "0",
    ),
    Row(
        "invention_patents",
        "有效发明专利件数",
        Count("件"),
        Research,
        Up,
        "2",
    ),
    Row(
        "utility_patents",
        "实用新型专利件数",
        Count("件"),
        Research,
        Up,
        "5",
    ),
    Row(
        "standards_led",
        "主导制定的标准件数",
        Count("件"),
        Research,
        Up,
        "0",
    ),
    Row(
        "qualifications",
        "已有的资质和认定",
        Several(QUALIFICATIONS),
        Research,
        Any,
        "科技型中小企业",
    ),
    Row(
        "dishonest",
        "是否被列入严重违法失信名单",
        YesNo,
        Credit,
        Any,
        "否",
    ),
    Row("tax_arrears", "是否欠缴税款", YesNo, Credit, Any, "否"),
    Row("wage_arrears", "是否拖欠职工工资", YesNo, Credit, Any, "否"),
    Row(
        "safety_accident",
        "近一年是否发生较大以上安全事故",
        YesNo,
        Credit,
        Any,
        "否",
    ),
    Row(
        "environmental_penalty",
        "近一年是否受过环保处罚",
        YesNo,
        Credit,
        Any,
        "否",
    ),
];

/// The fields, as a form asks them.
pub fn fields() -> &'static [Field] {
    static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| TABLE.iter().map(field).collect());
    &FIELDS
}

/// The fields, as rules see them.
pub fn facts() -> &'static [Fact] {
    static FACTS: LazyLock<Vec<Fact>> =
        LazyLock::new(|| fields().iter().map(Field::fact).collect());
    &FACTS
}

/// How the facts of many businesses lie for matching.
pub fn layout() -> &'static Layout {
    static LAYOUT: LazyLock<Layout> =
        LazyLock::new(|| Layout::new(facts(), way).unwrap_or_default());
    &LAYOUT
}

/// How far a business can change a fact.
pub fn way(id: &str) -> Way {
    TABLE.iter().find(|r| r.0 == id).map_or(Fixed, |r| r.4)
}

fn field(row: &Row) -> Field {
    let Row(id, label, kind, _, _, example) = row;
    let options = |options: Options| -> Vec<Choice> {
        let choice = |(value, label, also): &(&str, &str, &[&str])| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            also: also.iter().map(|a| (*a).to_owned()).collect(),
            help: None,
        };
        options.iter().map(choice).collect()
    };
    let number = |n: i64| Some(Bound::Number(Number(n.into())));
    let mut field = Field {
        id: (*id).to_owned(),
        label: (*label).to_owned(),
        question: format!("{label}？"),
        kind: FieldKind::Number,
        help: None,
        example: Example::Text((*example).to_owned()),
        choices: Vec::new(),
        yes_label: None,
        no_label: None,
        also_yes: Vec::new(),
        also_no: Vec::new(),
        unit: None,
        min: None,
        max: None,
        whole: false,
        max_length: None,
        when: None,
        optional: true,
        prefill: None,
        form: true,
        basis: Vec::new(),
    };
    match kind {
        One(choices) => {
            field.kind = FieldKind::Choice;
            field.choices = options(choices);
        }
        Several(choices) => {
            field.kind = FieldKind::Choices;
            field.choices = options(choices);
        }
        Day => {
            field.kind = FieldKind::Date;
            let expression = |e: &str| Expression::read(e).ok().map(Bound::Expression);
            field.min = expression("date(\"1900-01-01\")");
            field.max = expression("today");
        }
        Count(unit) => {
            field.unit = Some((*unit).to_owned());
            field.whole = true;
            (field.min, field.max) = (number(0), number(MOST));
        }
        Amount(unit) => {
            field.unit = Some((*unit).to_owned());
            (field.min, field.max) = (number(0), number(MOST));
        }
        Money => {
            field.kind = FieldKind::Money;
            (field.min, field.max) = (number(0), number(MOST_YUAN));
        }
        YesNo => field.kind = FieldKind::YesNo,
    }
    field
}

/// Something wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field.
    pub field: String,
    /// What is wrong, in Chinese.
    pub message: String,
}

/// Reads a profile: values of their type, or words for them. Null and empty words are unknown.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(profile: &Map<String, Json>, on: Date) -> Result<Facts, Vec<Wrong>> {
    let (mut facts, mut wrong) = (Facts::new(), Vec::new());
    let book = Book::default();
    for (id, value) in profile {
        let Some(field) = fields().iter().find(|f| f.id == *id) else {
            let shown: String = id.chars().take(40).collect();
            wrong.push(Wrong {
                message: format!("企业档案里没有“{shown}”这一项。"),
                field: shown,
            });
            continue;
        };
        match read_value(field, value, &book, on) {
            Ok(Some(value)) => drop(facts.insert(id.clone(), value)),
            Ok(None) => {}
            Err(message) => wrong.push(Wrong {
                field: id.clone(),
                message: format!("{}：{message}", field.label),
            }),
        }
    }
    if wrong.is_empty() {
        Ok(facts)
    } else {
        Err(wrong)
    }
}

fn read_value(field: &Field, value: &Json, book: &Book, on: Date) -> Result<Option<Value>, String> {
    let number = matches!(field.kind, FieldKind::Number | FieldKind::Money);
    let read = match value {
        Json::Null => return Ok(None),
        Json::String(said) if said.trim().is_empty() => return Ok(None),
        Json::String(said) if said.chars().count() > LONGEST => {
            return Err(format!("最多{LONGEST}个字。"));
        }
        Json::String(said) => return words(field, said, book, on).map(Some),
        Json::Bool(truth) if field.kind == FieldKind::YesNo => Value::Bool(*truth),
        Json::Number(n) if number => {
            return within(field, decimal(&n.to_string())?, book, on).map(Some);
        }
        Json::Array(list) if field.kind == FieldKind::Choices => {
            let mut chosen = BTreeSet::new();
            for one in list.iter().take(field.choices.len() * 2) {
                let said = one.as_str().ok_or("选项要写成文字。")?;
                let found = field
                    .choices
                    .iter()
                    .position(|c| c.value == said || c.label == said);
                let shown: String = said.chars().take(40).collect();
                chosen.insert(found.ok_or_else(|| format!("没有“{shown}”这个选项。"))?);
            }
            let values = chosen.into_iter().map(|at| field.choices[at].value.clone());
            Value::List(values.collect())
        }
        _ => {
            return Err(match field.kind {
                FieldKind::YesNo => "要写是或者否。".to_owned(),
                FieldKind::Choice => "要写一个选项。".to_owned(),
                FieldKind::Choices => "要写选项的列表。".to_owned(),
                FieldKind::Date => "要写日期，例如 2020-03-05。".to_owned(),
                _ => "要写数。".to_owned(),
            });
        }
    };
    Ok(Some(read))
}

fn words(field: &Field, said: &str, book: &Book, on: Date) -> Result<Value, String> {
    // A choice by its value, which may share words with another's label.
    if field.kind == FieldKind::Choice
        && let Some(choice) = field.choices.iter().find(|c| c.value == said.trim())
    {
        return Ok(Value::Text(choice.value.clone()));
    }
    let plain = said.trim().replace([',', '，'], "");
    if matches!(field.kind, FieldKind::Number | FieldKind::Money)
        && let Ok(number) = decimal(&plain)
    {
        return within(field, number, book, on);
    }
    answers::read(field, said, book, &Facts::new(), on)
}

fn within(field: &Field, number: Decimal, book: &Book, on: Date) -> Result<Value, String> {
    if field.whole && !number.fract().is_zero() {
        return Err("要写整数。".to_owned());
    }
    let value = Value::Number(if field.kind == FieldKind::Money {
        number.round_dp(2)
    } else {
        number
    });
    answers::within(field, &value, book, &Facts::new(), on)?;
    Ok(value)
}

fn decimal(text: &str) -> Result<Decimal, String> {
    let parsed = text.parse().or_else(|_| Decimal::from_scientific(text));
    parsed.map_err(|_| "这个数太大，或者不是数。".to_owned())
}

/// A profile as it is stored and sent: values of their type.
pub fn written(facts: &Facts) -> Map<String, Json> {
    let json = |value: &Value| match value {
        Value::Bool(b) => Json::from(*b),
        Value::Number(n) => {
            let n = n.normalize();
            match i64::try_from(n) {
                Ok(whole) if n.fract().is_zero() => Json::from(whole),
                _ => Json::from(n.to_string()),
            }
        }
        Value::Text(t) => Json::from(t.clone()),
        Value::Date(d) => Json::from(d.to_string()),
        Value::List(list) => Json::from(list.clone()),
        Value::Table(_) => Json::Null,
    };
    facts.iter().map(|(k, v)| (k.clone(), json(v))).collect()
}

/// A field of the form.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileField {
    /// What a profile calls it.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// The part of the form that it stands in.
    pub section: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// The unit of a number.
    pub unit: Option<String>,
    /// The choices of a choice.
    pub choices: Vec<ProfileChoice>,
    /// Without decimals.
    pub whole: bool,
    /// The greatest number.
    pub max: Option<String>,
    /// An answer.
    pub example: String,
}

/// A choice.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileChoice {
    /// What a profile calls it.
    pub value: String,
    /// What people call it.
    pub label: String,
}

/// The form.
pub fn form() -> Vec<ProfileField> {
    let rows = TABLE.iter().zip(fields());
    rows.map(|(row, field)| ProfileField {
        id: field.id.clone(),
        label: field.label.clone(),
        section: row.3.title().to_owned(),
        kind: field.kind,
        unit: field
            .unit
            .clone()
            .or_else(|| (field.kind == FieldKind::Money).then(|| "元".to_owned())),
        choices: field
            .choices
            .iter()
            .map(|c| ProfileChoice {
                value: c.value.clone(),
                label: c.label.clone(),
            })
            .collect(),
        whole: field.whole,
        max: match &field.max {
            Some(Bound::Number(n)) => Some(n.0.to_string()),
            _ => None,
        },
        example: field.example.text(),
    })
    .collect()
}

/// What people call a value of a field.
pub fn told(id: &str, value: &Value) -> String {
    let Some(field) = facts().iter().find(|f| f.id == id) else {
        return value.to_string();
    };
    let label = |v: &String| field.labels.get(v).cloned().unwrap_or_else(|| v.clone());
    match value {
        Value::Text(t) => label(t),
        Value::List(list) => list.iter().map(label).collect::<Vec<_>>().join("、"),
        Value::Number(n) => {
            let unit = field.unit.as_deref().unwrap_or_default();
            format!("{}{unit}", n.normalize())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ON: Date = Date::constant(2026, 11, 27);

    fn read_one(id: &str, value: Json) -> Result<Option<Value>, String> {
        let profile = Map::from_iter([(id.to_owned(), value)]);
        read(&profile, ON)
            .map(|mut facts| facts.remove(id))
            .map_err(|wrong| wrong[0].message.clone())
    }

    #[test]
    fn every_example_is_understood_and_comes_back_as_it_was_stored() {
        for field in fields() {
            let value = read_one(&field.id, json!(field.example.text()))
                .unwrap()
                .unwrap();
            let facts = Facts::from([(field.id.clone(), value)]);
            assert_eq!(
                read(&written(&facts), ON).as_ref(),
                Ok(&facts),
                "{}",
                field.id
            );
            assert!(!told(&field.id, &facts[&field.id]).is_empty());
        }
        assert_eq!(form().len(), fields().len());
    }

    #[test]
    fn values_are_taken_by_type_or_in_words() {
        for (id, value, wanted) in [
            ("staff", json!(30), Value::from(30)),
            ("staff", json!("三十人"), Value::from(30)),
            (
                "revenue",
                json!("1,200.5"),
                Value::Number(Decimal::new(12_005, 1)),
            ),
            ("revenue", json!("1200万元"), Value::from(12_000_000)),
            ("industry", json!("制造业"), "manufacturing".into()),
            ("industry", json!("manufacturing"), "manufacturing".into()),
            ("industry", json!("餐饮"), "hospitality".into()),
            (
                "established_on",
                json!("2020-03-05"),
                Date::constant(2020, 3, 5).into(),
            ),
            (
                "established_on",
                json!("2020年3月5日"),
                Date::constant(2020, 3, 5).into(),
            ),
            ("dishonest", json!(false), false.into()),
            ("tax_arrears", json!("没有"), false.into()),
            ("qualifications", json!([]), Value::List(vec![])),
            (
                "qualifications",
                json!(["绿色工厂", "high_tech"]),
                Value::List(vec!["high_tech".into(), "green_factory".into()]),
            ),
            (
                "qualifications",
                json!("高企、小巨人"),
                Value::List(vec!["high_tech".into(), "little_giant".into()]),
            ),
        ] {
            assert_eq!(
                read_one(id, value.clone()),
                Ok(Some(wanted)),
                "{id} {value}"
            );
        }
        for unknown in [json!(null), json!(""), json!("  ")] {
            assert_eq!(read_one("staff", unknown), Ok(None));
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        for (id, value, said) in [
            ("colour", json!("red"), "没有“colour”这一项"),
            ("staff", json!(-1), "不能小于0人"),
            ("staff", json!(1.5), "整数"),
            ("staff", json!("1.5"), "整数"),
            ("staff", json!(1e30), "太大"),
            ("staff", json!(99_999_999_999_u64), "不能大于"),
            ("revenue", json!("999999999999999999999999999999999999"), ""),
            ("revenue", json!(-0.01), "不能小于0元"),
            ("staff", json!(true), "要写数"),
            ("staff", json!({"n": 1}), "要写数"),
            ("dishonest", json!(1), "是或者否"),
            ("industry", json!(["manufacturing"]), "一个选项"),
            ("industry", json!("航天"), "请从这些里选一个"),
            ("qualifications", json!(["nobel"]), "没有“nobel”这个选项"),
            ("qualifications", json!([1]), "写成文字"),
            ("established_on", json!("2099-01-01"), "不能晚于"),
            ("established_on", json!(2020), "要写日期"),
            ("established_on", json!("1600-01-01"), "不能早于"),
            ("industry", json!("长".repeat(1000)), "最多300个字"),
        ] {
            let got = read_one(id, value.clone()).unwrap_err();
            assert!(got.contains(said), "{id} {value}: {got}");
        }
    }
}
