//! Two thousand simulated citizens, who know what they are asked and say it as people do: with corrections, questions aside,
//! pauses and doubts. Each must end with the right form or with the right refusal.

#![allow(clippy::print_stdout)] // What the simulated citizens measured.

#[path = "../common/mod.rs"]
mod common;
mod phrases;

use std::collections::{BTreeMap, BTreeSet};

use citymind_service::{
    guide::{Dialogue, Heard, Phase},
    items::{FieldKind, Item, schema::Field},
};
use common::{Dice, TODAY, items, marks, people, profile};
use phrases::{plain, varied};
use rules::{Book, Facts, Outcome, Value, book::Case, counterfactual::Counterfactual};

const PEOPLE: usize = 2_000;

const ASIDES: [&str; 8] = [
    "这个要多久能办好？",
    "需要带什么材料呢",
    "为什么要问这个？",
    "窗口在哪里",
    "办这个要交钱吗",
    "请问周六上班吗",
    "能不能让家里人代办",
    "我表姐的情况一样，她怎么办",
];
const DOUBTS: [&str; 4] = ["不知道", "不太清楚", "记不清了", "这个我不确定"];

struct Citizen<'a> {
    item: &'a Item,
    book: &'a Book,
    truth: Facts,
    dice: Dice,
    dialogue: Dialogue,
    /// Fields whose question was put.
    asked: BTreeSet<String>,
    /// Fields told without being asked.
    volunteered: BTreeSet<String>,
    skipped: BTreeSet<String>,
    corrections: usize,
    misheard: usize,
    answers: usize,
    said: Vec<String>,
    faults: Vec<String>,
}

impl<'a> Citizen<'a> {
    fn say(&mut self, message: &str) -> Heard {
        let before = self.dialogue.pending.clone();
        // As the store keeps it: the next message may come on another day.
        let stored = serde_json::to_string(&self.dialogue).expect("it can be stored");
        self.dialogue = serde_json::from_str(&stored).expect("and read back");
        let taken = self.dialogue.take(self.item, self.book, message, TODAY);
        let after = self.dialogue.pending.clone();
        self.said.push(format!(
            "[{}] {message} → {:?}",
            before.as_deref().unwrap_or("-"),
            taken.heard
        ));
        if after != before
            && let Some(field) = &after
            && !self.asked.insert(field.clone())
        {
            self.fault(format!("asked twice: {field}"));
        }
        taken.heard
    }

    fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    fn field(&self, id: &str) -> &'a Field {
        self.item.field(id).expect("a field")
    }

    fn applies(&self, id: &str) -> bool {
        let case = Case {
            book: self.book,
            facts: &self.truth,
            on: TODAY,
        };
        case.applies(self.book.field(id).expect("a field")) == Some(true)
    }

    fn wrong(&self) -> Vec<String> {
        let facts = self.dialogue.facts.iter();
        let wrong = facts.filter(|(id, v)| self.applies(id) && self.truth.get(*id) != Some(*v));
        wrong.map(|(id, _)| id.clone()).collect()
    }

    fn live(&mut self) {
        self.asked.extend(self.dialogue.pending.clone());
        for _ in 0..150 {
            if self.dialogue.phase != Phase::Asking || !self.faults.is_empty() {
                break;
            }
            let Some(pending) = self.dialogue.pending.clone() else {
                self.fault("asking, but nothing".to_owned());
                return;
            };
            self.turn(&pending);
            let wrong = self.wrong();
            if !wrong.is_empty() {
                self.fault(format!("misunderstood: {wrong:?}"));
            }
        }
        if self.faults.is_empty() {
            self.end();
        }
    }

    fn turn(&mut self, pending: &str) {
        match self.dice.below(40) {
            0..=2 => {
                let aside = *self.dice.pick(&ASIDES);
                let heard = self.say(aside);
                if heard != Heard::Aside || self.dialogue.pending.as_deref() != Some(pending) {
                    self.fault(format!("an aside was taken for {heard:?}"));
                }
            }
            3..=4 => {
                let doubt = *self.dice.pick(&DOUBTS);
                let heard = self.say(doubt);
                if heard != Heard::Unsure || self.dialogue.pending.as_deref() != Some(pending) {
                    self.fault(format!("a doubt was taken for {heard:?}"));
                }
            }
            5 => {
                let heard = self.say("不办了");
                if heard != Heard::Stop || self.dialogue.phase != Phase::Stopped {
                    self.fault(format!("a stop was taken for {heard:?}"));
                }
                self.say("继续");
                if self.dialogue.pending.as_deref() != Some(pending) {
                    self.fault("not taken up where it was left".to_owned());
                }
            }
            6..=9 => self.err(pending),
            10..=15 => self.tell_more(pending),
            _ => self.answer(pending),
        }
    }

    fn answer(&mut self, pending: &str) {
        let field = self.field(pending);
        let value = self.truth[pending].clone();
        if field.optional && self.dice.one_in(2) {
            self.say("跳过");
            self.skipped.insert(pending.to_owned());
            return;
        }
        self.answers += 1;
        for again in 0..3 {
            let message = if again == 0 {
                varied(&mut self.dice, field, &value)
            } else {
                self.misheard += 1;
                plain(field, &value)
            };
            self.say(&message);
            if self.dialogue.facts.contains_key(pending) {
                return;
            }
        }
        self.fault(format!("never understood: {pending}"));
    }

    /// A wrong answer, which is put right; now and then twice.
    fn err(&mut self, pending: &str) {
        let field = self.field(pending);
        let right = self.truth[pending].clone();
        let marks = marks(self.book);
        let wrong = (0..20)
            .map(|_| common::value(&mut self.dice, field, self.book, &self.truth, &marks))
            .find(|v| *v != right);
        let Some(wrong) = wrong.filter(|_| field.kind != FieldKind::Text) else {
            return self.answer(pending);
        };
        self.corrections += 1;
        let times = if self.dice.one_in(4) { 2 } else { 1 };
        let message = plain(field, &wrong);
        self.say(&message);
        for time in 0..times {
            if time > 0 {
                self.correct(field, &wrong);
            }
            self.correct(field, &right);
        }
    }

    fn correct(&mut self, field: &Field, value: &Value) {
        let said = plain(field, value);
        let label = &field.label;
        let message = match self.dice.below(6) {
            0 => format!("不对，{said}"),
            1 => format!("刚才说错了，{said}"),
            2 => format!("刚才说错了，{label}是{said}"),
            3 => format!("{label}改成{said}"),
            4 => format!("不对，{label}应该是{said}"),
            _ => format!("更正一下，{label}：{said}"),
        };
        self.say(&message);
        if self.dialogue.facts.get(&field.id) != Some(value) {
            self.fault(format!("not corrected: {} to {said}", field.id));
        }
        // What follows from the correction may bring old questions back; they count from here.
        self.asked = self.dialogue.pending.clone().into_iter().collect();
    }

    /// The answer and something besides.
    fn tell_more(&mut self, pending: &str) {
        let field = self.field(pending);
        let more: Vec<&Field> = self
            .item
            .fields
            .iter()
            .filter(|f| {
                f.id != pending
                    && self.applies(&f.id)
                    && !self.dialogue.facts.contains_key(&f.id)
                    && !matches!(
                        f.kind,
                        FieldKind::Text | FieldKind::Address | FieldKind::Choices
                    )
            })
            .collect();
        if more.is_empty() || matches!(field.kind, FieldKind::Text | FieldKind::Address) {
            return self.answer(pending);
        }
        let other = *self.dice.pick(&more);
        let (own, besides) = (&self.truth[pending], &self.truth[&other.id]);
        let told = match besides {
            Value::Bool(true) => format!("{}：{}", other.label, other.yes()),
            Value::Bool(false) => format!("{}：{}", other.label, other.no()),
            value => format!("{}是{}", other.label, plain(other, value)),
        };
        let message = format!("{}，{told}", plain(field, own));
        self.volunteered.insert(other.id.clone());
        self.answers += 1;
        self.say(&message);
        if !self.dialogue.facts.contains_key(pending) {
            self.misheard += 1;
            self.answer(pending);
        }
    }

    fn end(&mut self) {
        let expected = self.book.outcome(&self.truth, TODAY);
        let phase = self.dialogue.phase;
        if (phase == Phase::Ineligible) != (expected == Outcome::Ineligible) {
            return self.fault(format!("ended {phase:?}, expected {expected:?}"));
        }
        if phase == Phase::Review {
            let missing: Vec<_> = self
                .item
                .fields
                .iter()
                .filter(|f| self.applies(&f.id) && !self.skipped.contains(&f.id))
                .filter(|f| self.dialogue.facts.get(&f.id) != self.truth.get(&f.id))
                .map(|f| f.id.clone())
                .collect();
            if !missing.is_empty() {
                self.fault(format!("missing in the form: {missing:?}"));
            }
            if self.dialogue.assess(self.book, TODAY).outcome != Outcome::Eligible {
                self.fault("handed in although undecided".to_owned());
            }
        } else if phase != Phase::Ineligible {
            self.fault(format!("ended {phase:?}"));
        }
    }

    /// The fewest questions that decide: of a refusal the smallest set of facts that refuses, otherwise all that matter.
    fn optimum(&self) -> usize {
        let matters: Vec<&str> = self
            .item
            .fields
            .iter()
            .map(|f| f.id.as_str())
            .filter(|id| self.applies(id) && !self.dialogue.prefilled.contains(*id))
            .collect();
        if self.dialogue.phase != Phase::Ineligible {
            return matters.len();
        }
        let mut layer: Vec<Vec<usize>> = vec![Vec::new()];
        for size in 1..=4 {
            let mut next = Vec::new();
            for set in &layer {
                let from = set.last().map_or(0, |l| l + 1);
                for at in from..matters.len() {
                    let mut set = set.clone();
                    set.push(at);
                    let facts: Facts = set
                        .iter()
                        .map(|n| (matters[*n].to_owned(), self.truth[matters[*n]].clone()))
                        .collect();
                    if self.book.outcome(&facts, TODAY) == Outcome::Ineligible {
                        return size;
                    }
                    next.push(set);
                }
            }
            layer = next;
        }
        5
    }
}

/// A random person; every other one is made to qualify.
fn person(dice: &mut Dice, item: &Item, book: &Book, ready: &Counterfactual<'_>) -> Facts {
    let marks = marks(book);
    let qualifies = dice.one_in(2);
    for _ in 0..50 {
        let mut facts = profile(dice, item, book, &marks);
        if qualifies {
            for change in ready.nearest(&facts).unwrap_or_default() {
                facts.insert(change.field, change.value);
            }
        }
        let outcome = book.outcome(&facts, TODAY);
        if !qualifies || outcome == Outcome::Eligible {
            return facts;
        }
    }
    panic!("{}: nobody qualifies", item.id)
}

fn median(mut numbers: Vec<i64>) -> i64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// What became of them all.
#[derive(Default)]
struct Report {
    lived: usize,
    answers: usize,
    misheard: usize,
    kinds: BTreeMap<String, usize>,
    faults: Vec<String>,
    /// Questions more than needed.
    eligible: Vec<i64>,
    refused: Vec<i64>,
}

impl Report {
    fn take(&mut self, citizen: &Citizen<'_>) {
        self.lived += 1;
        self.answers += citizen.answers;
        self.misheard += citizen.misheard;
        if let Some(fault) = citizen.faults.first() {
            let kind = fault.split(':').next().unwrap_or_default();
            *self.kinds.entry(kind.to_owned()).or_default() += 1;
            let last = citizen.said.iter().rev().take(3).rev();
            let last: Vec<_> = last.map(String::as_str).collect();
            let last = last.join("\n    ");
            self.faults
                .push(format!("{} {fault}\n    {last}", citizen.item.id));
        } else if citizen.corrections == 0 && citizen.volunteered.is_empty() {
            let more = citizen.asked.len() as i64 - citizen.optimum() as i64;
            if citizen.dialogue.phase == Phase::Ineligible {
                self.refused.push(more);
            } else {
                self.eligible.push(more);
            }
        }
    }

    fn all(&self) -> Vec<i64> {
        self.eligible.iter().chain(&self.refused).copied().collect()
    }

    fn print(&self) {
        println!(
            "{} citizens, {} answers, {} not understood at first; {} faults {:?}",
            self.lived,
            self.answers,
            self.misheard,
            self.faults.len(),
            self.kinds
        );
        for (name, more) in [
            ("all", self.all()),
            ("eligible", self.eligible.clone()),
            ("refused", self.refused.clone()),
        ] {
            let count = more.len();
            println!(
                "questions more than needed, {name}: median {} of {count}",
                median(more)
            );
        }
        for fault in self.faults.iter().take(80) {
            println!("{fault}");
        }
    }
}

#[test]
fn every_citizen_ends_with_the_right_form_or_the_right_refusal() {
    let items = items();
    let each = people(PEOPLE) / items.len() + 1;
    let mut report = Report::default();
    for (n, item) in items.iter().enumerate() {
        let book = item.book();
        let ready = Counterfactual::new(&book, TODAY);
        let mut dice = Dice(n as u64 * 7919);
        for _ in 0..each {
            let truth = person(&mut dice, item, &book, &ready);
            let account = BTreeMap::new();
            let mut citizen = Citizen {
                item,
                book: &book,
                truth,
                dice: Dice(dice.next()),
                dialogue: Dialogue::begin("d".to_owned(), item, &account, TODAY),
                asked: BTreeSet::new(),
                volunteered: BTreeSet::new(),
                skipped: BTreeSet::new(),
                corrections: 0,
                misheard: 0,
                answers: 0,
                said: Vec::new(),
                faults: Vec::new(),
            };
            citizen.live();
            report.take(&citizen);
        }
    }
    report.print();
    let faults = report.faults.len();
    // What is left is told in docs/benchmarks.md.
    assert!(
        faults * 200 <= report.lived,
        "{faults} of {} went wrong",
        report.lived
    );
    assert!(median(report.all()) <= 1);
}
