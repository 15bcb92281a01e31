//! What a citizen's words say about a field.

use std::sync::LazyLock;

use jiff::{ToSpan, civil::Date};
use lang::{date, identifier, numeral};
use regex::Regex;
use rules::{Book, Facts, Value, book::Case};
use rust_decimal::Decimal;

use crate::items::schema::{Bound, Field, FieldKind};

/// The longest line, in characters, where a field sets no other bound.
const LINE: usize = 200;

/// A choice is understood from part of its words if they share at least this much (Dice over pairs of characters).
const ALIKE: f32 = 0.55;

/// And if the next best choice shares less by at least this much.
const MARGIN: f32 = 0.15;

const YES: [&str; 22] = [
    "是的",
    "是",
    "对的",
    "对",
    "有的",
    "有",
    "嗯",
    "好的",
    "好",
    "可以",
    "符合",
    "没错",
    "没问题",
    "确定",
    "已经",
    "需要",
    "要",
    "yes",
    "y",
    "ok",
    "行",
    "会",
];
const NO: [&str; 18] = [
    "不是",
    "不",
    "没有",
    "没",
    "无",
    "否",
    "不对",
    "并没有",
    "从没",
    "从来没有",
    "不符合",
    "不需要",
    "不要",
    "未",
    "no",
    "n",
    "还没",
    "不会",
];

/// Reads an answer to a field's question. `facts` are those known so far: bounds may stand on them.
///
/// # Errors
/// Why it is no answer, in Chinese, with what one looks like.
pub fn read(
    field: &Field,
    said: &str,
    book: &Book,
    facts: &Facts,
    on: Date,
) -> Result<Value, String> {
    let said = tidy(said);
    if said.is_empty() {
        return Err(format!("请回答：{}", field.question));
    }
    let value = match field.kind {
        FieldKind::YesNo => Value::Bool(
            polarity(field, &said)
                .ok_or_else(|| format!("请回答“{}”或“{}”。", field.yes(), field.no()))?,
        ),
        FieldKind::Choice => choice(field, &said)?,
        FieldKind::Choices => choices(field, &said)?,
        FieldKind::Number | FieldKind::Money => Value::Number(number(field, &said)?),
        FieldKind::Date => {
            let (day, other) = day(&said, on)?;
            let fits = |d: &Date| within(field, &(*d).into(), book, facts, on).is_ok();
            // People tell of what has happened; of what is to come only where nothing else can be meant.
            Value::Date(other.filter(|o| !fits(&day) && fits(o)).unwrap_or(day))
        }
        kind => Value::Text(line(field, kind, &said)?),
    };
    within(field, &value, book, facts, on)?;
    Ok(value)
}

/// Without blanks and final marks, half width where figures are meant.
pub(crate) fn tidy(said: &str) -> String {
    let trimmed = said
        .trim()
        .trim_end_matches(['。', '！', '!', '.', '，', '~', '～', '；']);
    trimmed
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            '．' => '.',
            '－' => '-',
            '\n' | '\r' | '\t' => ' ',
            c => c,
        })
        .collect()
}

/// Yes or no: the buttons' own words first, the longer ones before the shorter, then the usual ones.
fn polarity(field: &Field, said: &str) -> Option<bool> {
    let lower = said.to_lowercase();
    let said_by = |label: &str, also: &[String]| label == lower || also.contains(&lower);
    let (yes, no) = (
        said_by(field.yes(), &field.also_yes),
        said_by(field.no(), &field.also_no),
    );
    if yes != no {
        return Some(yes);
    }
    let own = |label: &str, also: &[String]| -> usize {
        let words = std::iter::once(label).chain(also.iter().map(String::as_str));
        let found = words.filter(|w| lower.contains(*w));
        found.map(|w| w.chars().count()).max().unwrap_or_default()
    };
    let (yes, no) = (
        own(field.yes(), &field.also_yes),
        own(field.no(), &field.also_no),
    );
    // “没有” holds “有”, “未婚” holds “婚”: the longer words are meant.
    if yes.max(no) > 1 && yes != no {
        return Some(yes > no);
    }
    if let Some(exact) = exact(&lower) {
        return Some(exact);
    }
    if NO.iter().any(|w| lower.starts_with(w)) {
        return Some(false);
    }
    if YES.iter().any(|w| lower.starts_with(w)) {
        return Some(true);
    }
    if ["没有", "不是", "没", "不", "无", "未"]
        .iter()
        .any(|w| lower.contains(w))
    {
        return Some(false);
    }
    let affirmed = ["是", "有", "对", "已"].iter().any(|w| lower.contains(w));
    (affirmed || yes > no).then_some(true)
}

/// Whether a word says yes or no of anything.
pub(super) fn usual(word: &str) -> bool {
    exact(word).is_some()
}

fn exact(lower: &str) -> Option<bool> {
    if YES.contains(&lower) {
        Some(true)
    } else if NO.contains(&lower) {
        Some(false)
    } else {
        None
    }
}

/// The place of an option named by its number or letter: 1, 第二个, B.
fn ordinal(said: &str) -> Option<usize> {
    let inner = said
        .trim_start_matches("选")
        .trim_start_matches('第')
        .trim_end_matches(['个', '项', '种', '、', '.', '）', ')']);
    if let Some(n) = numeral::integer(inner).filter(|n| (1..=20).contains(n)) {
        return usize::try_from(n).ok()?.checked_sub(1);
    }
    let mut letters = inner.chars();
    match (
        letters.next().map(|c| c.to_ascii_uppercase()),
        letters.next(),
    ) {
        (Some(c @ 'A'..='T'), None) => Some(c as usize - 'A' as usize),
        _ => None,
    }
}

fn choice(field: &Field, said: &str) -> Result<Value, String> {
    let value = |at: usize| Value::Text(field.choices[at].value.clone());
    let unclear = || {
        let labels: Vec<_> = field
            .choices
            .iter()
            .map(|c| format!("“{}”", c.label))
            .collect();
        format!("请从这些里选一个：{}。", labels.join("、"))
    };
    if let Some(at) = field
        .choices
        .iter()
        .position(|c| c.label == said || c.value == said || c.also.iter().any(|a| a == said))
    {
        return Ok(value(at));
    }
    if let Some(at) = ordinal(said).filter(|at| *at < field.choices.len()) {
        return Ok(value(at));
    }
    // Words of a choice within what was said; the longest is meant.
    let held: Vec<(usize, usize)> = field
        .choices
        .iter()
        .enumerate()
        .filter_map(|(at, c)| {
            let words = std::iter::once(&c.label).chain(&c.also);
            let held = words.filter(|w| w.chars().count() > 1 && said.contains(w.as_str()));
            held.map(|w| w.chars().count()).max().map(|len| (len, at))
        })
        .collect();
    if let Some(longest) = held.iter().map(|h| h.0).max() {
        let mut best = held.iter().filter(|h| h.0 == longest);
        return match (best.next(), best.next()) {
            (Some((_, at)), None) => Ok(value(*at)),
            _ => Err(unclear()),
        };
    }
    let mut alike: Vec<(f32, usize)> = field
        .choices
        .iter()
        .enumerate()
        .map(|(at, c)| {
            let words = std::iter::once(&c.label).chain(&c.also);
            (words.map(|w| likeness(w, said)).fold(0.0, f32::max), at)
        })
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    let next = alike.get(1).map_or(0.0, |a| a.0);
    match alike.first() {
        Some((best, at)) if *best >= ALIKE && best - next >= MARGIN => Ok(value(*at)),
        _ => Err(unclear()),
    }
}

fn choices(field: &Field, said: &str) -> Result<Value, String> {
    if ["都没有", "没有", "无", "都不是", "都不"].contains(&said) {
        let none = field
            .choices
            .iter()
            .find(|c| c.label == said || c.also.iter().any(|a| a == said));
        return Ok(Value::List(
            none.map(|c| c.value.clone()).into_iter().collect(),
        ));
    }
    if ["全部", "都有", "都是", "全都有"].contains(&said) {
        return Ok(Value::List(
            field.choices.iter().map(|c| c.value.clone()).collect(),
        ));
    }
    let mut chosen: Vec<String> = Vec::new();
    // A label may itself hold the marks that separate answers.
    let mut rest = said.to_owned();
    let mut labels: Vec<_> = field
        .choices
        .iter()
        .flat_map(|c| {
            std::iter::once(&c.label)
                .chain(&c.also)
                .map(move |w| (w, c))
        })
        .collect();
    labels.sort_by_key(|l| std::cmp::Reverse(l.0.chars().count()));
    for (words, choice) in labels {
        if words.chars().count() > 1 && rest.contains(words.as_str()) {
            rest = rest.replace(words.as_str(), "、");
            if !chosen.contains(&choice.value) {
                chosen.push(choice.value.clone());
            }
        }
    }
    for part in rest
        .split(['、', '，', ',', '；', ';', ' ', '和', '及'])
        .filter(|p| !p.is_empty())
    {
        match choice(field, part) {
            Ok(Value::Text(value)) if !chosen.contains(&value) => chosen.push(value),
            Ok(_) => {}
            Err(why) if chosen.is_empty() => return Err(why.replace("选一个", "选，可以选几个")),
            Err(_) => {}
        }
    }
    let order = |v: &String| field.choices.iter().position(|c| c.value == *v);
    chosen.sort_by_key(order);
    Ok(Value::List(chosen))
}

/// Dice's coefficient over pairs of characters.
fn likeness(a: &str, b: &str) -> f32 {
    let pairs = |t: &str| -> Vec<(char, char)> {
        let chars: Vec<char> = t.chars().collect();
        chars.windows(2).map(|w| (w[0], w[1])).collect()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let total = a.len() + b.len();
    let shared = a
        .iter()
        .filter(|p| {
            b.iter()
                .position(|q| q == *p)
                .map(|at| b.swap_remove(at))
                .is_some()
        })
        .count();
    2.0 * shared as f32 / total.max(1) as f32
}

/// The first number in a text with what follows it; a written one before a spoken one, as 一 is in many words.
fn first_number(said: &str) -> Option<(Decimal, &str)> {
    number_from(said, |c| c.is_ascii_digit()).or_else(|| {
        number_from(said, |c| {
            numeral::digit(c).is_some() || matches!(c, '十' | '半' | '廿')
        })
    })
}

fn number_from(said: &str, begins: impl Fn(char) -> bool) -> Option<(Decimal, &str)> {
    said.char_indices().find_map(|(at, c)| {
        if !begins(c) {
            return None;
        }
        if c == '半' {
            return Some((Decimal::new(5, 1), &said[at + c.len_utf8()..]));
        }
        let (value, len) = numeral::parse(&said[at..])?;
        let rest = &said[at + len..];
        let lone = !c.is_ascii_digit() && len == c.len_utf8();
        if lone
            && rest.starts_with([
                '直', '般', '起', '定', '样', '些', '下', '共', '切', '致', '向', '旦', '边', '概',
                '会', '家', '贯',
            ])
        {
            return None;
        }
        let exact = Decimal::from_i128_with_scale(value.mantissa.into(), value.scale.into());
        // 1.5万, 3千: a unit after an Arabic number that has a fraction.
        let (exact, rest) = match rest.chars().next() {
            Some('万') => (exact * Decimal::from(10_000), &rest['万'.len_utf8()..]),
            Some('千') => (exact * Decimal::from(1000), &rest['千'.len_utf8()..]),
            Some('k' | 'K') => (exact * Decimal::from(1000), &rest[1..]),
            Some('w' | 'W') => (exact * Decimal::from(10_000), &rest[1..]),
            _ => (exact, rest),
        };
        Some((exact, rest))
    })
}

fn number(field: &Field, said: &str) -> Result<Decimal, String> {
    let unit = field.unit.as_deref().unwrap_or_default();
    let wrong = || {
        let example = field.example.text();
        format!("请说一个数，例如“{example}”。")
    };
    let Some((mut value, mut rest)) = first_number(said) else {
        let none = ["没有", "没", "无", "零", "不用", "都没有"];
        return if none.iter().any(|n| said.starts_with(n)) {
            Ok(Decimal::ZERO)
        } else {
            Err(wrong())
        };
    };
    if said[..said.len() - rest.len()].contains('负') || said.starts_with('-') {
        value = -value;
    }
    rest = rest.trim_start_matches(['个', ' ', '多', '来']);
    let twelve = Decimal::from(12);
    if unit.contains('月') && rest.starts_with('年') {
        value *= twelve;
        let after = rest.trim_start_matches('年');
        if after.starts_with('半') {
            value += Decimal::from(6);
        } else if let Some((months, tail)) = first_number(after)
            && tail.trim_start_matches('个').starts_with('月')
        {
            value += months;
        }
    } else if unit == "年" && rest.starts_with("月") {
        value = value.checked_div(twelve).unwrap_or_default();
    } else if unit == "年" && rest.starts_with("年半") {
        value += Decimal::new(5, 1);
    } else if unit == "万元"
        && (said[..said.len() - rest.len()].contains('万')
            || rest.starts_with('元') && value >= Decimal::from(10_000))
    {
        value /= Decimal::from(10_000);
    }
    let value = if field.kind == FieldKind::Money {
        value.round_dp(2)
    } else if field.whole && !value.fract().is_zero() {
        return Err("请说一个整数。".to_owned());
    } else {
        value
    };
    Ok(value.normalize())
}

static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:(?P<y>\d{2,4})[年./-])?(?P<m>\d{1,2}|[一二三四五六七八九十]{1,2})[月./-](?P<d>\d{1,2}|[一二三四五六七八九十]{1,3})[日号]?").expect("the pattern is fixed")
});

static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|\D)(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:$|\D)")
        .expect("the pattern is fixed")
});

/// The day that is meant; without a year, the last such day and the next.
fn day(said: &str, on: Date) -> Result<(Date, Option<Date>), String> {
    let wrong = "请说到哪一天，例如“2026年3月5日”。";
    let days = [
        ("大前天", -3),
        ("前天", -2),
        ("昨天", -1),
        ("今天", 0),
        ("今日", 0),
        ("明天", 1),
        ("后天", 2),
    ];
    if let Some((_, offset)) = days.iter().find(|d| said.contains(d.0)) {
        let day = on.checked_add(offset.days());
        return day.map(|d| (d, None)).map_err(|_| wrong.to_owned());
    }
    if let Some(found) = date::find(said).first() {
        return match found.precision {
            date::Precision::Day => Ok((found.date, None)),
            date::Precision::Month => Err(wrong.to_owned()),
        };
    }
    let two = |text: &str| numeral::integer(text).and_then(|n| i8::try_from(n).ok());
    if let Some(found) = DIGITS.captures(said) {
        let year = found["y"].parse::<i16>().map_err(|_| wrong.to_owned())?;
        let (month, of_month) = (two(&found["m"]), two(&found["d"]));
        return Date::new(
            year,
            month.unwrap_or_default(),
            of_month.unwrap_or_default(),
        )
        .map(|d| (d, None))
        .map_err(|_| "没有这一天，请检查日期。".to_owned());
    }
    let found = SHORT.captures(said).ok_or_else(|| wrong.to_owned())?;
    let month = two(&found["m"]).ok_or_else(|| wrong.to_owned())?;
    let of_month = two(&found["d"]).ok_or_else(|| wrong.to_owned())?;
    let named = if said.contains("前年") {
        Some(on.year() - 2)
    } else if said.contains("去年") {
        Some(on.year() - 1)
    } else if said.contains("明年") {
        Some(on.year() + 1)
    } else if said.contains("今年") {
        Some(on.year())
    } else {
        found.name("y").and_then(|y| {
            let year: i16 = y.as_str().parse().ok()?;
            Some(if year < 100 {
                year + if year > 40 { 1900 } else { 2000 }
            } else {
                year
            })
        })
    };
    let missing = |_| "没有这一天，请检查日期。".to_owned();
    if let Some(year) = named {
        return Date::new(year, month, of_month)
            .map(|d| (d, None))
            .map_err(missing);
    }
    // The 29th of February is not in every year.
    let of_year = |year: i16| Date::new(year, month, of_month).ok();
    let days: Vec<Date> = (on.year() - 8..=on.year() + 8)
        .filter_map(of_year)
        .collect();
    let last = days.iter().rev().find(|d| **d <= on).copied();
    let next = days.iter().find(|d| **d > on).copied();
    let last = last.ok_or_else(|| "没有这一天，请检查日期。".to_owned())?;
    Ok((last, next))
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
        .expect("the pattern is fixed")
});

static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·• ]?[A-Z0-9]{5,6}",
    )
    .expect("the pattern is fixed")
});

fn line(field: &Field, kind: FieldKind, said: &str) -> Result<String, String> {
    let bare = || {
        let spoken = [
            "我的",
            "我叫",
            "我是",
            "姓名",
            "名字",
            "身份证号",
            "身份证",
            "手机号",
            "电话",
            "卡号",
            "地址",
            "是",
            "：",
            ":",
            " ",
        ];
        let mut rest = said;
        while let Some(next) = spoken.iter().find_map(|s| rest.strip_prefix(s)) {
            rest = next;
        }
        rest.trim().to_owned()
    };
    let figures = || -> String {
        said.chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '+' || *c == '-')
            .collect()
    };
    match kind {
        FieldKind::Name => {
            let name = bare();
            let length = name.chars().count();
            let letters = name
                .chars()
                .all(|c| c.is_alphabetic() || c == '·' || c == ' ' || c == '.');
            let han = name.chars().all(|c| !c.is_ascii() && c != '·');
            let most = if han { 8 } else { 30 };
            if (2..=most).contains(&length) && letters && !usual(&name) {
                Ok(name)
            } else {
                Err("姓名应当是2到30个字，不含数字和符号。".to_owned())
            }
        }
        FieldKind::IdNumber => identifier::identity_number(&figures())
            .map(|n| n.number)
            .ok_or_else(|| "身份证号不对：应当是18位，请核对有没有写错。".to_owned()),
        FieldKind::Phone => identifier::phone(&figures()).ok_or_else(|| {
            "电话号码不对：手机号是11位；座机请带区号，例如 0600-8100393。".to_owned()
        }),
        FieldKind::BankCard => identifier::bank_card(&figures())
            .ok_or_else(|| "银行卡号不对：应当是16到19位，请核对有没有写错。".to_owned()),
        FieldKind::CreditCode => identifier::credit_code(&figures())
            .ok_or_else(|| "统一社会信用代码不对：应当是18位，请对照营业执照核对。".to_owned()),
        FieldKind::Email => EMAIL
            .find(said)
            .map(|m| m.as_str().to_owned())
            .ok_or_else(|| "邮箱不对，例如 name@example.com。".to_owned()),
        FieldKind::Plate => PLATE
            .find(&said.to_uppercase())
            .map(|m| m.as_str().to_owned())
            .ok_or_else(|| "车牌号不对，例如 京A12345。".to_owned()),
        FieldKind::Address => {
            let address = bare();
            if (4..=LINE).contains(&address.chars().count()) {
                Ok(address)
            } else {
                Err("请把地址写完整，到门牌号。".to_owned())
            }
        }
        _ => {
            let most = field.max_length.unwrap_or(LINE);
            if said.chars().count() > most {
                Err(format!("最多{most}个字，请写短一些。"))
            } else {
                Ok(said.to_owned())
            }
        }
    }
}

fn within(
    field: &Field,
    value: &Value,
    book: &Book,
    facts: &Facts,
    on: Date,
) -> Result<(), String> {
    let case = Case { book, facts, on };
    let unit = field
        .unit
        .as_deref()
        .unwrap_or(if field.kind == FieldKind::Money {
            "元"
        } else {
            ""
        });
    let bound = |bound: &Option<Bound>| match bound {
        Some(Bound::Number(n)) => Some(Value::Number(n.0)),
        Some(Bound::Expression(e)) => e.evaluate(&case).ok().flatten(),
        None => None,
    };
    if let Some(min) = bound(&field.min).filter(|min| value < min) {
        return Err(match min {
            Value::Date(_) => format!("不能早于{min}。"),
            _ => format!("不能小于{min}{unit}。"),
        });
    }
    if let Some(max) = bound(&field.max).filter(|max| value > max) {
        return Err(match max {
            Value::Date(_) => format!("不能晚于{max}。"),
            _ => format!("不能大于{max}{unit}。"),
        });
    }
    Ok(())
}
