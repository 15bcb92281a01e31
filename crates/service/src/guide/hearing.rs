//! What a message in a guided dialogue is: an answer, several at once, a correction, a question aside, a command.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;
use rules::{Book, Value, book::Case};

use super::{
    answers::{self, tidy},
    dialogue::Dialogue,
};
use crate::items::schema::{Field, FieldKind, Item};

/// What a message is.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Answers to fields: the one asked, others, or corrections.
    Answers(Vec<(String, Value)>),
    /// The field asked is left out.
    Skip,
    /// The citizen does not know.
    Unsure,
    /// Hand it in.
    Confirm,
    /// No more of this.
    Stop,
    /// From the beginning.
    Restart,
    /// Go on with the question that is open.
    Resume,
    /// A question about something; the dialogue waits.
    Aside,
    /// Not understood, and why.
    Unclear(String),
}

static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[?？]|吗$|呢$|怎么|怎样|如何|什么|多少|为啥|为什么|哪里|哪些|哪个|哪儿|几天|多久|能不能|可不可以|要不要|是不是|有没有|啥|咋|请问").expect("the pattern is fixed")
});

static CORRECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("说错|写错|填错|更正|改成|改为|改一下|修改|纠正|不对|其实|应该是|应当是|搞错|弄错|不是.{1,20}[，,]?(?:而)?是").expect("the pattern is fixed")
});

/// What follows these is the right value.
static RIGHT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?:改成|改为|应该是|应当是|而是|其实是|其实|更正为|，是|,是|不对，|不对,)")
        .expect("the pattern is fixed")
});

const STOP: [&str; 9] = [
    "不办了",
    "取消办理",
    "算了",
    "放弃",
    "退出",
    "先不办",
    "不想办了",
    "取消",
    "不申报",
];
const RESTART: [&str; 4] = ["重新开始", "重来", "重新填", "从头开始"];
const RESUME: [&str; 5] = ["继续", "继续办理", "接着办", "接着来", "继续填"];
const SKIP: [&str; 5] = ["跳过", "不填", "先不填", "略过", "没有可填的"];
const UNSURE: [&str; 8] = [
    "不知道",
    "不清楚",
    "不确定",
    "记不清",
    "不晓得",
    "忘了",
    "不记得",
    "不懂",
];
const CONFIRM: [&str; 8] = [
    "确认提交",
    "确认申报",
    "提交",
    "确认",
    "提交申请",
    "没问题提交",
    "确认无误",
    "申报",
];

/// What a message is, in the state that a dialogue is in.
pub fn hear(item: &Item, book: &Book, dialogue: &Dialogue, message: &str, on: Date) -> Heard {
    let said = tidy(message);
    let is = |words: &[&str]| words.contains(&said.as_str());
    let pending = dialogue.pending.as_deref().and_then(|id| item.field(id));
    if said.contains("确认提交") || pending.is_none() && is(&CONFIRM) {
        return Heard::Confirm;
    }
    let exact = pending.is_some_and(|f| {
        f.choices
            .iter()
            .any(|c| c.label == said || c.also.contains(&said))
            || f.kind == FieldKind::YesNo && (f.yes() == said || f.no() == said)
    });
    if !exact {
        if is(&STOP) {
            return Heard::Stop;
        }
        if is(&RESTART) {
            return Heard::Restart;
        }
        if is(&RESUME) {
            return Heard::Resume;
        }
        if pending.is_some_and(|f| f.optional) && is(&SKIP) {
            return Heard::Skip;
        }
        if UNSURE.iter().any(|u| said.contains(u)) && said.chars().count() <= 12 {
            return Heard::Unsure;
        }
        if CORRECTION.is_match(&said)
            && let Some(corrected) = correction(item, book, dialogue, &said, on)
        {
            return Heard::Answers(vec![corrected]);
        }
        if QUESTION.is_match(&said) {
            return Heard::Aside;
        }
    }
    let read = |field: &Field, text: &str| answers::read(field, text, book, &dialogue.facts, on);
    let mut clauses: Vec<&str> = said
        .split(['，', ',', '。', '；', ';'])
        .map(str::trim)
        .filter(|c| !c.is_empty())
        .collect();
    let mut found: Vec<(String, Value)> = Vec::new();
    if !exact && clauses.len() > 1 || pending.is_none() {
        clauses.retain(|clause| {
            let open = item.fields.iter().filter(|f| {
                pending.is_none_or(|p| p.id != f.id)
                    && applies(book, dialogue, f, on)
                    && !found.iter().any(|(id, _)| *id == f.id)
                    && (pending.is_none() || !dialogue.facts.contains_key(&f.id))
            });
            let best = open
                .filter_map(|f| Some((mention(f, item, clause)?, f)))
                .max_by_key(|(score, _)| *score);
            let own = pending.map_or(0, |p| mention(p, item, clause).unwrap_or_default());
            let Some((_, field)) = best.filter(|(score, _)| *score > own) else {
                return true;
            };
            match read(field, clause) {
                Ok(value) => {
                    found.push((field.id.clone(), value));
                    false
                }
                Err(_) => true,
            }
        });
    }
    let Some(field) = pending else {
        return if found.is_empty() {
            Heard::Unclear(
                "没有听明白要改哪一项，请说得具体些，例如“手机号改成13800138000”。".to_owned(),
            )
        } else {
            Heard::Answers(found)
        };
    };
    // A line may hold any marks; other answers are read from what the other clauses left.
    let rest = clauses.join("，");
    let answer = match read(field, if found.is_empty() { &said } else { &rest }) {
        Ok(value) => Ok(value),
        Err(why) => clauses.iter().find_map(|c| read(field, c).ok()).ok_or(why),
    };
    match answer {
        Ok(value) => {
            found.insert(0, (field.id.clone(), value));
            Heard::Answers(found)
        }
        Err(_) if !found.is_empty() => Heard::Answers(found),
        Err(why) => Heard::Unclear(why),
    }
}

fn applies(book: &Book, dialogue: &Dialogue, field: &Field, on: Date) -> bool {
    let case = Case {
        book,
        facts: &dialogue.facts,
        on,
    };
    book.field(&field.id)
        .is_some_and(|f| case.applies(f) != Some(false))
}

/// How strongly a clause speaks of a field; nothing if it does not.
fn mention(field: &Field, item: &Item, clause: &str) -> Option<usize> {
    let words = |all: &mut dyn Iterator<Item = &String>| {
        all.map(|w| w.chars().count())
            .filter(|n| *n > 1)
            .max()
            .unwrap_or_default()
    };
    let topic = overlap(&field.label, clause);
    match field.kind {
        FieldKind::Choice | FieldKind::Choices => {
            let held = field
                .choices
                .iter()
                .flat_map(|c| std::iter::once(&c.label).chain(&c.also))
                .filter(|w| clause.contains(w.as_str()));
            let longest = words(&mut held.into_iter());
            (longest > 0).then_some(longest * 2 + topic)
        }
        FieldKind::YesNo => {
            let own = field
                .also_yes
                .iter()
                .chain(&field.also_no)
                .chain(&field.yes_label)
                .chain(&field.no_label)
                .filter(|w| clause.contains(w.as_str()));
            let longest = words(&mut own.into_iter());
            (longest > 1 || topic > 1).then_some(longest * 2 + topic)
        }
        FieldKind::Number | FieldKind::Money | FieldKind::Date => {
            let figures = clause
                .chars()
                .any(|c| c.is_ascii_digit() || lang::numeral::digit(c).is_some() || c == '十')
                || ["今天", "昨天", "前天"].iter().any(|d| clause.contains(d));
            let unit = field
                .unit
                .as_deref()
                .filter(|u| u.chars().count() > 1 && clause.contains(*u));
            let alone = unit.is_some_and(|u| {
                item.fields
                    .iter()
                    .filter(|f| f.unit.as_deref() == Some(u))
                    .count()
                    == 1
            });
            (figures && (topic > 0 || alone)).then_some(topic * 2 + usize::from(alone))
        }
        kind => {
            let alone = item.fields.iter().filter(|f| f.kind == kind).count() == 1;
            let patterned = matches!(
                kind,
                FieldKind::IdNumber
                    | FieldKind::Phone
                    | FieldKind::BankCard
                    | FieldKind::CreditCode
                    | FieldKind::Email
                    | FieldKind::Plate
            );
            let fits = patterned
                && answers::read(
                    field,
                    clause,
                    &Book::default(),
                    &Default::default(),
                    Date::ZERO,
                )
                .is_ok();
            (fits && (alone || topic > 0)).then_some(10 + topic)
        }
    }
}

/// How many pairs of characters a label and a clause share.
fn overlap(label: &str, clause: &str) -> usize {
    let chars: Vec<char> = label.chars().collect();
    let pairs = chars.windows(2).map(|w| w.iter().collect::<String>());
    let common = ["本人", "是否", "您的", "情况", "申请", "办理"];
    pairs
        .filter(|p| !common.contains(&p.as_str()) && clause.contains(p.as_str()))
        .count()
}

/// The answered field that a message corrects, with its new value.
fn correction(
    item: &Item,
    book: &Book,
    dialogue: &Dialogue,
    said: &str,
    on: Date,
) -> Option<(String, Value)> {
    let right = RIGHT
        .find_iter(said)
        .last()
        .map_or(said, |m| &said[m.end()..]);
    let answered = item
        .fields
        .iter()
        .filter(|f| dialogue.facts.contains_key(&f.id) && applies(book, dialogue, f, on));
    let candidates = answered.filter_map(|field| {
        let value = answers::read(field, right, book, &dialogue.facts, on)
            .or_else(|_| answers::read(field, said, book, &dialogue.facts, on))
            .ok()?;
        if dialogue.facts.get(&field.id) == Some(&value) {
            return None;
        }
        let topic = overlap(&field.label, said) + overlap(&field.question, said);
        let named = mention(field, item, right).unwrap_or_default();
        (topic + named > 0).then_some((topic * 2 + named, field.id.clone(), value))
    });
    candidates
        .max_by_key(|c| c.0)
        .map(|(_, id, value)| (id, value))
}
