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

/// Something said before was wrong.
static CORRECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[说写填搞弄选输]错|更正|改成|改为|改一下|修改|纠正|不对[，,]|换成")
        .expect("the pattern is fixed")
});

/// Perhaps something said before was wrong, perhaps only a manner of speaking.
static DOUBTFUL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("其实|应该是|应当是|不是.{1,20}[，,]?(?:而)?是").expect("the pattern is fixed")
});

/// What follows these is the right value.
static RIGHT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?:改成|改为|换成|应该是|应当是|而是|其实是|其实|更正为|(?:更正|改|修改|纠正)一下[，,：:]?|[说写填搞弄选输]错了?[，,：:]?|[，,]是|不对[，,])")
        .expect("the pattern is fixed")
});

static UNSURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("不(?:太|大|怎么|是很|很)?(?:知道|清楚|确定|晓得|懂|记得|了解|明白)|记不(?:清|得|住|起)|说不(?:好|准|清)|拿不准|忘了|忘记")
        .expect("the pattern is fixed")
});

/// The longest message that says no more than that one does not know, in characters.
const DOUBT: usize = 12;

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
    let listener = Listener {
        item,
        book,
        dialogue,
        pending,
        on,
    };
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
        if UNSURE.is_match(&said) && said.chars().count() <= DOUBT {
            return Heard::Unsure;
        }
        if let Some(corrected) = listener.correction(&said) {
            return Heard::Answers(vec![corrected]);
        }
        if QUESTION.is_match(&listener.without_choices(&said)) {
            return Heard::Aside;
        }
    }
    listener.answers(&said, exact)
}

/// Names a field in full, in points: more than any chance likeness.
const NAMED: usize = 40;

/// A likeness that is no chance: a pair of characters that only one field has.
const LIKE: usize = 3;

/// What the first part of a message is worth as the answer to what was asked.
const FIRST: usize = 12;

/// What the answer given last is worth as the one that a correction means.
const RECENT: usize = 4;

/// Stands for a mark that separates no answers: one within the words of a choice, or within a number.
const KEPT: char = '\u{1}';

struct Listener<'a> {
    item: &'a Item,
    book: &'a Book,
    dialogue: &'a Dialogue,
    pending: Option<&'a Field>,
    on: Date,
}

impl Listener<'_> {
    fn read(&self, field: &Field, text: &str) -> Result<Value, String> {
        answers::read(field, text, self.book, &self.dialogue.facts, self.on)
    }

    /// Reads what a part says of a field: what follows the name of the field, if it is named.
    fn value(&self, field: &Field, clause: &str) -> Result<Value, String> {
        let after = clause.split_once(field.label.as_str()).map(|s| s.1);
        let after = after.map(|a| a.trim_start_matches(['：', ':', ' ', '，', ',']));
        let after = after.map(|a| match a.strip_prefix(['是', '为']) {
            Some(value) if !value.is_empty() => value,
            _ => a,
        });
        match after.filter(|a| !a.is_empty()) {
            Some(after) => self
                .read(field, after)
                .or_else(|why| self.read(field, clause).map_err(|_| why)),
            None => self.read(field, clause),
        }
    }

    /// Whether a field may matter.
    fn applies(&self, field: &Field) -> bool {
        let case = Case {
            book: self.book,
            facts: &self.dialogue.facts,
            on: self.on,
        };
        self.book
            .field(&field.id)
            .is_some_and(|f| case.applies(f) != Some(false))
    }

    /// A message without the words of the choices that are offered: they may hold those of a question.
    fn without_choices(&self, said: &str) -> String {
        let choices = self.pending.iter().flat_map(|f| &f.choices);
        let words = choices.flat_map(|c| std::iter::once(&c.label).chain(&c.also));
        let pending = self.pending.iter();
        let words = words.chain(pending.flat_map(|f| f.also_yes.iter().chain(&f.also_no)));
        words
            .filter(|w| w.chars().count() > 1)
            .fold(said.to_owned(), |text, w| text.replace(w.as_str(), ""))
    }

    /// The parts of a message. Marks within the words of a choice, and within numbers, separate nothing.
    fn clauses(&self, said: &str) -> Vec<String> {
        const MARKS: [char; 5] = ['，', ',', '。', '；', ';'];
        let mut text = said.to_owned();
        let choices = self.item.fields.iter().flat_map(|f| &f.choices);
        let words = choices.flat_map(|c| std::iter::once(&c.label).chain(&c.also));
        let labels = self.item.fields.iter().map(|f| &f.label);
        let mut kept: Vec<&String> = words.chain(labels).filter(|w| w.contains(MARKS)).collect();
        kept.sort_by_key(|w| std::cmp::Reverse(w.len()));
        let mut held: Vec<&String> = Vec::new();
        for word in kept {
            if text.contains(word.as_str()) {
                let mark = format!("{KEPT}{}{KEPT}", held.len());
                text = text.replace(word.as_str(), &mark);
                held.push(word);
            }
        }
        let chars: Vec<char> = text.chars().collect();
        let digit = |at: Option<usize>| {
            at.and_then(|at| chars.get(at))
                .is_some_and(char::is_ascii_digit)
        };
        let (mut clauses, mut clause) = (Vec::new(), String::new());
        for (at, c) in chars.iter().enumerate() {
            let within = *c == ',' && digit(at.checked_sub(1)) && digit(Some(at + 1));
            if MARKS.contains(c) && !within {
                clauses.push(std::mem::take(&mut clause));
            } else {
                clause.push(*c);
            }
        }
        clauses.push(clause);
        let whole = |clause: String| {
            let marked = held.iter().enumerate();
            marked.fold(clause, |text, (n, word)| {
                text.replace(&format!("{KEPT}{n}{KEPT}"), word)
            })
        };
        let trimmed = clauses.into_iter().map(|c| whole(c.trim().to_owned()));
        trimmed.filter(|c| !c.is_empty()).collect()
    }

    fn answers(&self, said: &str, exact: bool) -> Heard {
        let mut clauses = self.clauses(said);
        let mut found: Vec<(String, Value)> = Vec::new();
        if !exact && clauses.len() > 1 || self.pending.is_none() {
            let mut first = true;
            clauses.retain(|clause| {
                let own = self.own(clause, std::mem::take(&mut first));
                let open = self.item.fields.iter().filter(|f| {
                    self.pending.is_none_or(|p| p.id != f.id)
                        && !found.iter().any(|(id, _)| *id == f.id)
                        && (self.pending.is_none() || !self.dialogue.facts.contains_key(&f.id))
                        && self.applies(f)
                });
                let told = open.filter_map(|f| {
                    let score = self.mention(f, clause).filter(|s| *s > own)?;
                    Some((score, f, self.value(f, clause).ok()?))
                });
                // The first of the best.
                let best = told.reduce(|a, b| if b.0 > a.0 { b } else { a });
                match best {
                    Some((_, field, value)) => {
                        found.push((field.id.clone(), value));
                        false
                    }
                    None => true,
                }
            });
        }
        let Some(field) = self.pending else {
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
        let answer = match self.value(field, if found.is_empty() { said } else { &rest }) {
            Ok(value) => Ok(value),
            Err(why) => clauses
                .iter()
                .find_map(|c| self.value(field, c).ok())
                .ok_or(why),
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

    /// What a part is worth as the answer to what was asked.
    fn own(&self, clause: &str, first: bool) -> usize {
        let Some(field) = self.pending else {
            return 0;
        };
        let own = self.mention(field, clause).unwrap_or_default();
        // A line may speak of anything.
        if matches!(field.kind, FieldKind::Text | FieldKind::Address) {
            return own.max(NAMED - 1);
        }
        if first && self.value(field, clause).is_ok() {
            own + FIRST
        } else {
            own
        }
    }

    /// How strongly a part of a message speaks of a field; nothing if it does not.
    fn mention(&self, field: &Field, clause: &str) -> Option<usize> {
        let topic = self.topic(field, clause);
        let longest = |words: &mut dyn Iterator<Item = &String>| {
            let held = words.filter(|w| !answers::usual(w) && clause.contains(w.as_str()));
            let lengths = held.map(|w| w.chars().count()).filter(|n| *n > 1);
            lengths.max().unwrap_or_default()
        };
        match field.kind {
            FieldKind::Choice | FieldKind::Choices => {
                let choices = field.choices.iter();
                let held =
                    longest(&mut choices.flat_map(|c| std::iter::once(&c.label).chain(&c.also)));
                (held > 0 || topic >= NAMED).then_some(held * 3 + topic)
            }
            FieldKind::YesNo => {
                let words = field.also_yes.iter().chain(&field.also_no);
                let words = words.chain(&field.yes_label).chain(&field.no_label);
                let held = longest(&mut words.into_iter());
                (held > 0 || topic > LIKE).then_some(held * 3 + topic)
            }
            FieldKind::Number | FieldKind::Money | FieldKind::Date => {
                let figures = clause
                    .chars()
                    .any(|c| c.is_ascii_digit() || lang::numeral::digit(c).is_some() || c == '十')
                    || ["今天", "昨天", "前天"].iter().any(|d| clause.contains(d));
                let unit = |f: &Field| f.unit.clone().filter(|u| u.chars().count() > 1);
                let alone = unit(field).is_some_and(|u| {
                    let same = self
                        .item
                        .fields
                        .iter()
                        .filter(|f| unit(f).as_ref() == Some(&u));
                    clause.contains(u.as_str()) && same.count() == 1
                });
                let speaks = figures && (topic >= LIKE || alone) || topic >= NAMED;
                speaks.then_some(topic + 2 * usize::from(alone))
            }
            kind => {
                let alone = self.item.fields.iter().filter(|f| f.kind == kind).count() == 1;
                let patterned = matches!(
                    kind,
                    FieldKind::IdNumber
                        | FieldKind::Phone
                        | FieldKind::BankCard
                        | FieldKind::CreditCode
                        | FieldKind::Email
                        | FieldKind::Plate
                );
                let fits = patterned && self.value(field, clause).is_ok();
                (fits && (alone || topic > 0) || topic >= NAMED)
                    .then_some(topic + 10 * usize::from(fits))
            }
        }
    }

    /// How much a part of a message shares with the name of a field; pairs of characters that few fields have count more.
    fn topic(&self, field: &Field, clause: &str) -> usize {
        let length = field.label.chars().count();
        if length > 1 && clause.contains(field.label.as_str()) {
            return NAMED + length;
        }
        let held = |pair: &String| clause.contains(pair.as_str());
        let rare = |pair: &String| {
            let labels = self.item.fields.iter().map(|f| &f.label);
            LIKE + 1
                - labels
                    .filter(|l| l.contains(pair.as_str()))
                    .count()
                    .min(LIKE)
        };
        let own = pairs(&field.label);
        let named: usize = own.iter().filter(|p| held(p)).map(rare).sum();
        // The words of the question count where only it has them.
        let only = |pair: &&String| {
            let questions = self.item.fields.iter();
            let holding =
                |f: &&Field| f.question.contains(pair.as_str()) || f.label.contains(pair.as_str());
            questions.filter(holding).count() == 1
        };
        let asked = pairs(&field.question);
        let asked = asked.iter().filter(|p| held(p) && !own.contains(p));
        named + 2 * asked.filter(only).count()
    }

    /// The answered field that a message corrects, with its new value.
    fn correction(&self, said: &str) -> Option<(String, Value)> {
        let plain = CORRECTION.is_match(said);
        if !plain && !DOUBTFUL.is_match(said) {
            return None;
        }
        let cue = RIGHT.find_iter(said).last();
        let right = cue.map_or(said, |m| &said[m.end()..]).trim();
        // “不对” and no more says nothing of what is right.
        if right.is_empty() {
            return None;
        }
        // What was asked last and not answered may be meant as well, where nothing says that something was wrong.
        let own = self.pending.map_or(0, |p| {
            let told = self
                .mention(p, right)
                .unwrap_or_default()
                .max(self.topic(p, said));
            let reads = self.value(p, right).is_ok();
            told + if reads && !plain { FIRST } else { 0 }
        });
        let facts = &self.dialogue.facts;
        let answered = self.item.fields.iter();
        let answered = answered.filter(|f| facts.contains_key(&f.id) && self.applies(f));
        let candidates = answered.filter_map(|field| {
            let recent = plain && cue.is_some() && self.dialogue.recent.contains(&field.id);
            let topic = self.topic(field, said).max(self.topic(field, right));
            let score = topic
                + self.mention(field, right).unwrap_or_default()
                + if recent { RECENT } else { 0 };
            if score < LIKE || score <= own {
                return None;
            }
            let value = self.value(field, right).ok()?;
            (facts.get(&field.id) != Some(&value)).then(|| (score, field.id.clone(), value))
        });
        let best = candidates.reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map(|(_, id, value)| (id, value))
    }
}

/// The pairs of characters of a text that say what it is about.
fn pairs(text: &str) -> Vec<String> {
    const COMMON: [&str; 12] = [
        "本人", "是否", "您的", "情况", "申请", "办理", "有没", "没有", "的是", "是不", "是什",
        "什么",
    ];
    let chars: Vec<char> = text.chars().collect();
    let telling = |p: &&[char]| p.iter().all(|c| c.is_alphabetic());
    let all = chars.windows(2).filter(telling);
    let all = all.map(|w| w.iter().collect::<String>());
    all.filter(|p| !COMMON.contains(&p.as_str())).collect()
}
