//! Whether evidence supports a sentence: its numbers, dates, names, negations and the rest of its words.
//!
//! Strict on what harms when wrong (figures, days, bodies, "not"), lenient on how a thing is said.

use std::{collections::HashSet, sync::LazyLock};

use lang::{
    date,
    numeral::{self, Decimal},
    sentence,
    token::{Run, is_han, normalise, runs},
};
use regex::Regex;

/// The least share of a sentence's pairs of characters that the evidence (or the question) must hold.
const LEAST_SHARE: f32 = 0.6;

/// The same for each part between commas.
const LEAST_SHARE_OF_PART: f32 = 0.4;

/// A part with fewer pairs says too little to be judged by itself.
const LEAST_PAIRS: usize = 4;

/// Why a sentence is not supported.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "reason", content = "what")]
pub enum Unsupported {
    /// A number that the evidence does not have, or has of something else.
    Number(String),
    /// A date likewise.
    Date(String),
    /// A title, body, word of letters or quotation likewise.
    Name(String),
    /// It denies what the evidence affirms or affirms what it denies.
    Negation(String),
    /// It says something that the evidence does not speak of.
    Content(String),
}

/// What a number counts; longest first.
const UNITS: &[&str] = &[
    "个工作日",
    "平方米",
    "个自然月",
    "个月",
    "周岁",
    "周年",
    "小时",
    "分钟",
    "工作日",
    "百分点",
    "公里",
    "人次",
    "元",
    "%",
    "年",
    "月",
    "日",
    "天",
    "周",
    "岁",
    "人",
    "次",
    "倍",
    "条",
    "款",
    "项",
    "章",
    "节",
    "级",
    "成",
    "折",
    "孩",
    "胎",
    "套",
    "户",
    "家",
    "份",
    "张",
    "种",
    "类",
    "公斤",
    "吨",
    "亩",
    "米",
    "页",
    "楼",
    "层",
    "号",
    "期",
    "档",
    "名",
    "个",
    "分",
];

/// Units that a Chinese numeral must have to be a number: 一般, 三方 and 统一 are words.
fn unit_of(rest: &str) -> &'static str {
    UNITS
        .iter()
        .find(|u| rest.trim_start().starts_with(**u))
        .copied()
        .unwrap_or_default()
}

#[derive(Clone, Debug, PartialEq)]
struct Quantity {
    value: Decimal,
    unit: &'static str,
    said: String,
}

/// The quantities of a normalised text.
fn quantities(text: &str) -> Vec<Quantity> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text[at..].chars().next() {
        let percent = text[at..].strip_prefix("百分之");
        let start = if percent.is_some() {
            at + "百分之".len()
        } else {
            at
        };
        let fresh =
            !before.is_some_and(|b: char| b.is_ascii_alphanumeric() || numeral::digit(b).is_some());
        let parsed = numeral::parse(&text[start..]).filter(|_| fresh);
        let Some((value, length)) = parsed else {
            before = Some(c);
            at += c.len_utf8();
            continue;
        };
        let end = start + length;
        let unit = if percent.is_some() {
            "%"
        } else {
            unit_of(&text[end..])
        };
        let written = text[start..end].chars().any(|c| c.is_ascii_digit());
        let ordinal = before == Some('第');
        // 一个, 一次, 一种 count nothing that could be wrong.
        let article = value.integer() == Some(1)
            && !written
            && !ordinal
            && matches!(unit, "个" | "次" | "种" | "类" | "份" | "项");
        if written || percent.is_some() || ((ordinal || !unit.is_empty()) && !article) {
            found.push(Quantity {
                value,
                unit: same_unit(unit),
                said: format!("{}{unit}", &text[at..end]),
            });
        }
        before = text[at..end].chars().next_back();
        at = end;
    }
    found
}

/// Units that say the same.
fn same_unit(unit: &'static str) -> &'static str {
    match unit {
        "周岁" => "岁",
        "天" => "日",
        "个自然月" => "个月",
        "周年" => "年",
        "工作日" => "个工作日",
        other => other,
    }
}

static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"《[^《》]{1,80}》"));
static QUOTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"“[^“”]{2,40}”"));
static LETTERS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z][A-Za-z0-9@._/:-]+|\d+-\d[\d-]*"));
static BODY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:委员会|管委会|人民政府|中心|大厅|医院|银行|公司|法院|检察院|派出所|办事处|办公室|管理局|保障局|监管局|税务局|公安局|民政局|教育局|[\p{Han}]局|窗口|热线)",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern")
}

/// How many characters before a body's last word must be the evidence's as well: 医疗|保障局, 政务服务|中心.
const BODY_BEFORE: usize = 2;

/// What denies. Words that only hold such a character are taken out first.
const DENIALS: [&str; 9] = ["不", "未", "无", "没", "非", "免", "禁止", "停止", "除外"];

static NO_DENIALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "不动产|不低于|不少于|不超过|不高于|不足|不满|不得低于|不得超过|不论|不仅|不同|未来|未成年|未满|无障碍|无线|非税|非常|是否|能否|没收|免费",
    )
});

/// Whether evidence supports a sentence; `question` may supply words, but no facts.
///
/// # Errors
/// The first reason found why not.
pub fn supported(sentence: &str, evidence: &[&str], question: &str) -> Result<(), Unsupported> {
    let said = normalise(sentence);
    let basis = normalise(&evidence.join("\n"));
    dates(sentence, evidence)?;
    numbers(&said, &basis)?;
    names(sentence, evidence, &basis)?;
    let (said, basis) = (bounds(&said), bounds(&basis));
    content(&said, &basis, &bounds(&normalise(question)))?;
    negations(&said, &basis)
}

static AT_MOST: LazyLock<Regex> =
    LazyLock::new(|| pattern("最多不超过|最高不超过|不得超过|不高于|不多于|最多|最高|至多"));
static AT_LEAST: LazyLock<Regex> =
    LazyLock::new(|| pattern("不得低于|不得少于|不少于|最少|最低|至少"));

/// Says bounds in one way.
fn bounds(text: &str) -> String {
    let text = AT_MOST.replace_all(text, "不超过");
    AT_LEAST.replace_all(&text, "不低于").into_owned()
}

fn dates(sentence: &str, evidence: &[&str]) -> Result<(), Unsupported> {
    let known: Vec<_> = evidence.iter().flat_map(|e| date::find(e)).collect();
    for found in date::find(sentence) {
        let same = known
            .iter()
            .any(|k| k.date == found.date && k.precision == found.precision);
        if !same {
            return Err(Unsupported::Date(sentence[found.span.clone()].to_owned()));
        }
    }
    Ok(())
}

fn numbers(said: &str, basis: &str) -> Result<(), Unsupported> {
    let known = quantities(basis);
    for q in quantities(said) {
        let same = |k: &Quantity| k.value == q.value && (q.unit.is_empty() || k.unit == q.unit);
        if !known.iter().any(same) {
            return Err(Unsupported::Number(q.said));
        }
    }
    Ok(())
}

fn names(sentence: &str, evidence: &[&str], basis: &str) -> Result<(), Unsupported> {
    let held = |name: &str| evidence.iter().any(|e| e.contains(name));
    let literal = TITLE.find_iter(sentence).chain(QUOTED.find_iter(sentence));
    for found in literal {
        let name = found.as_str();
        let inner = name.trim_matches(['《', '》', '“', '”']);
        if !held(inner) {
            return Err(Unsupported::Name(name.to_owned()));
        }
    }
    let said = normalise(sentence);
    for found in LETTERS.find_iter(&said) {
        if !basis.contains(found.as_str()) {
            return Err(Unsupported::Name(found.as_str().to_owned()));
        }
    }
    for found in BODY.find_iter(&said) {
        let before: Vec<char> = said[..found.start()]
            .chars()
            .rev()
            .take_while(|c| is_han(*c))
            .take(BODY_BEFORE)
            .collect();
        let name: String = before.iter().rev().collect::<String>() + found.as_str();
        if !basis.contains(&name) && !basis.contains(found.as_str()) {
            return Err(Unsupported::Name(name));
        }
        // 到医院, 向银行: what stands before is no part of the name; the last word must be the evidence's own.
        let vague = before
            .first()
            .is_some_and(|c| "到向在由去的或和与及".contains(*c));
        if !vague && !before.is_empty() && !basis.contains(&name) {
            return Err(Unsupported::Name(name));
        }
    }
    Ok(())
}

fn pairs(text: &str) -> Vec<(char, char)> {
    let mut found = Vec::new();
    for run in runs(text) {
        if let Run::Han(run) = run {
            let characters: Vec<char> = run.chars().collect();
            found.extend(characters.windows(2).map(|p| (p[0], p[1])));
        }
    }
    found
}

fn content(said: &str, basis: &str, question: &str) -> Result<(), Unsupported> {
    let known: HashSet<(char, char)> = pairs(basis).into_iter().chain(pairs(question)).collect();
    let own: HashSet<(char, char)> = pairs(basis).into_iter().collect();
    let share = |text: &str, among: &HashSet<(char, char)>| {
        let pairs = pairs(text);
        let held = pairs.iter().filter(|p| among.contains(p)).count();
        (pairs.len(), held as f32 / pairs.len().max(1) as f32)
    };
    for part in sentence::parts(said) {
        let part = &said[part];
        let (count, held) = share(part, &known);
        if count >= LEAST_PAIRS && held < LEAST_SHARE_OF_PART {
            return Err(Unsupported::Content(part.to_owned()));
        }
    }
    let (count, held) = share(said, &own);
    // Repeating the question says nothing.
    if count == 0 || held < LEAST_SHARE {
        return Err(Unsupported::Content(said.to_owned()));
    }
    Ok(())
}

/// Compares what follows each denial: the evidence must deny the same, and what it only ever denies must not be affirmed.
fn negations(said: &str, basis: &str) -> Result<(), Unsupported> {
    let (said, basis) = (
        NO_DENIALS.replace_all(said, "，"),
        NO_DENIALS.replace_all(basis, "，"),
    );
    let denied = |text: &str| -> Vec<String> {
        let after = |word: &'static str| {
            let text = text.to_owned();
            text.match_indices(word)
                .map(|(at, _)| {
                    let rest = text[at + word.len()..].trim_start_matches([
                        '予', '需', '须', '能', '可', '会', '得', '要', '再', '予', '有',
                    ]);
                    rest.chars()
                        .take_while(|c| is_han(*c))
                        .take(2)
                        .collect::<String>()
                })
                .collect::<Vec<_>>()
        };
        DENIALS
            .iter()
            .flat_map(|word| after(word))
            .filter(|w| w.chars().count() == 2)
            .collect()
    };
    let in_basis = denied(&basis);
    for word in denied(&said) {
        if basis.contains(&word) && !in_basis.contains(&word) {
            return Err(Unsupported::Negation(word));
        }
    }
    let in_said = denied(&said);
    for word in &in_basis {
        let affirmed =
            basis.matches(word.as_str()).count() > in_basis.iter().filter(|w| *w == word).count();
        if !affirmed && said.contains(word.as_str()) && !in_said.contains(word) {
            return Err(Unsupported::Negation(word.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIS: &str = "职工连续足额缴存住房公积金满3个月，本人及配偶在本市无自有住房且租赁住房的，可以申请提取，每月不超过1500元。\
        申请材料不齐的，不予受理。自2024年12月1日起施行。向市住房公积金管理中心咨询，电话12329。未缴存满3个月的，不得提取。";

    fn judge(sentence: &str) -> Result<(), Unsupported> {
        supported(sentence, &[BASIS], "租房子要提取公积金怎么办？")
    }

    #[test]
    fn what_the_evidence_says_is_supported_however_it_is_put() {
        for sentence in [
            "连续缴存满三个月、在本市没有自有住房的，可以申请提取。",
            "每月最多提取1500元。",
            "租房提取每月不超过1,500元。",
            "自2024年12月1日起施行。",
            "材料不齐的，不予受理。",
            "可以拨打12329向市住房公积金管理中心咨询。",
        ] {
            assert_eq!(judge(sentence), Ok(()), "{sentence}");
        }
    }

    #[test]
    fn changed_figures_days_names_and_denials_are_not() {
        use Unsupported::{Content, Date, Name, Negation, Number};
        let is = |sentence: &str, want: fn(&Unsupported) -> bool| {
            let got = judge(sentence);
            assert!(got.as_ref().is_err_and(want), "{sentence} {got:?}");
        };
        is("每月不超过1800元。", |u| matches!(u, Number(_)));
        is(
            "连续缴存满3年可以申请提取住房公积金。",
            |u| matches!(u, Number(_)),
        );
        is(
            "连续足额缴存满六个月的可以申请提取。",
            |u| matches!(u, Number(_)),
        );
        is("自2024年12月15日起施行。", |u| matches!(u, Date(_)));
        is("自2025年12月1日起施行。", |u| matches!(u, Date(_)));
        is("向市人力资源和社会保障局咨询。", |u| {
            matches!(u, Name(_))
        });
        is(
            "依据《住房公积金管理条例》可以申请提取。",
            |u| matches!(u, Name(_)),
        );
        is("可以在APP申请提取住房公积金。", |u| {
            matches!(u, Name(_))
        });
        is("材料不齐的，予以受理。", |u| {
            matches!(u, Negation(_))
        });
        is("职工租赁住房的，不可以申请提取。", |u| {
            matches!(u, Negation(_))
        });
        is(
            "可以申请提取，同时需要单位盖章并提供担保人。",
            |u| matches!(u, Content(_)),
        );
        is("好的，我来帮您。", |u| matches!(u, Content(_)));
    }

    #[test]
    fn the_same_amount_may_be_written_in_other_units() {
        let basis = ["贷款最高额度为30万元，利率下浮百分之二十。"];
        assert_eq!(supported("贷款最高额度为300000元。", &basis, ""), Ok(()));
        assert_eq!(supported("利率下浮20%。", &basis, ""), Ok(()));
        assert!(supported("利率下浮30%。", &basis, "").is_err());
        assert!(supported("贷款最高额度为3万元。", &basis, "").is_err());
    }
}
