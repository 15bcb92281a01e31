//! Whether an item makes sense: names that exist, types that fit, a form that holds all, a sample who qualifies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rules::{
    Book, Expression, Facts, Outcome, Type,
    book::{AmountKind, Figure},
};

use super::{
    locating::Step::{At, Key},
    reading::Fault,
    schema::{Bound, Field, FieldKind, Item},
};
use crate::guide::answers;

/// The most names that are looked up for one amount, and how deep amounts may stand on one another.
const HEAVIEST: u64 = 20_000;
const DEEPEST: usize = 40;

/// Everything that is wrong; `own` says how many parameters and bases the file itself has, the others are shared.
pub(super) fn check(item: &Item, own: (usize, usize)) -> Vec<Fault> {
    let mut checker = Checker::new(item, own);
    checker.names();
    checker.bases();
    checker.fields();
    checker.rules();
    checker.materials();
    checker.form();
    if checker.faults.is_empty() {
        checker.sample();
    }
    checker.faults
}

/// Everything that is wrong with what decides and computes: ids, bases, rules, amounts, materials.
pub(crate) fn check_rules(item: &Item, own: (usize, usize)) -> Vec<Fault> {
    let mut checker = Checker::new(item, own);
    checker.names();
    checker.bases();
    checker.rules();
    checker.materials();
    checker.faults
}

struct Checker<'a> {
    item: &'a Item,
    book: Book,
    own: (usize, usize),
    faults: Vec<Fault>,
}

impl<'a> Checker<'a> {
    fn new(item: &'a Item, own: (usize, usize)) -> Self {
        Self {
            item,
            book: item.book(),
            own,
            faults: Vec::new(),
        }
    }

    fn say(&mut self, path: Vec<super::locating::Step>, message: impl Into<String>) {
        self.faults.push((path, message.into()));
    }

    /// Ids are there, of the right form and unique.
    fn names(&mut self) {
        let item = self.item;
        let slug = |id: &str| {
            !id.is_empty()
                && id
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
        };
        if !slug(&item.id) {
            self.say(vec![Key("id")], "id 用小写英文字母、数字和连字符");
        }
        for (key, value) in [
            ("name", &item.name),
            ("area", &item.area),
            ("summary", &item.summary),
        ] {
            if value.trim().is_empty() {
                self.say(vec![Key(key)], "这里不能空着");
            }
        }
        if item.audience.is_empty() {
            self.say(vec![Key("audience")], "写明是个人还是企业办理");
        }
        let lists: [(&'static str, Vec<&str>); 3] = [
            (
                "fields",
                item.fields.iter().map(|f| f.id.as_str()).collect(),
            ),
            (
                "parameters",
                item.parameters.iter().map(|p| p.id.as_str()).collect(),
            ),
            (
                "amounts",
                item.amounts.iter().map(|a| a.id.as_str()).collect(),
            ),
        ];
        let mut seen = BTreeSet::new();
        for (list, ids) in lists {
            for (at, id) in ids.into_iter().enumerate() {
                if !slug(id) || id.starts_with(|c: char| c.is_ascii_digit()) || id.contains('-') {
                    self.say(
                        vec![Key(list), At(at), Key("id")],
                        "id 用小写英文字母、数字和下划线，字母开头",
                    );
                }
                if !seen.insert(id) {
                    self.say(
                        vec![Key(list), At(at), Key("id")],
                        format!("“{id}”用了两次"),
                    );
                }
            }
        }
        let mut rules = BTreeSet::new();
        for (at, rule) in item.rules.iter().enumerate() {
            if !rules.insert(&rule.id) {
                self.say(
                    vec![Key("rules"), At(at), Key("id")],
                    format!("“{}”用了两次", rule.id),
                );
            }
        }
    }

    fn bases(&mut self) {
        let item = self.item;
        let mut known = BTreeSet::new();
        for (at, basis) in item.basis.iter().enumerate() {
            let path = vec![Key("basis"), At(at)];
            if !known.insert(basis.id.as_str()) && at < self.own.1 {
                self.say(path, format!("依据“{}”用了两次", basis.id));
            } else if basis.quote.trim().is_empty() || basis.quote.contains('\n') {
                self.say(path, "原文不能空着，也不能跨段落");
            }
        }
        let mut used: Vec<(Vec<super::locating::Step>, &[String])> = Vec::new();
        for (at, p) in item.parameters.iter().take(self.own.0).enumerate() {
            for (n, dated) in p.values.iter().enumerate() {
                used.push((
                    vec![
                        Key("parameters"),
                        At(at),
                        Key("values"),
                        At(n),
                        Key("basis"),
                    ],
                    &dated.basis,
                ));
            }
        }
        let each = |key: &'static str, at: usize| vec![Key(key), At(at), Key("basis")];
        used.extend(
            item.fields
                .iter()
                .enumerate()
                .map(|(at, f)| (each("fields", at), f.basis.as_slice())),
        );
        used.extend(
            item.rules
                .iter()
                .enumerate()
                .map(|(at, r)| (each("rules", at), r.basis.as_slice())),
        );
        used.extend(
            item.amounts
                .iter()
                .enumerate()
                .map(|(at, a)| (each("amounts", at), a.basis.as_slice())),
        );
        used.extend(
            item.materials
                .iter()
                .enumerate()
                .map(|(at, m)| (each("materials", at), m.basis.as_slice())),
        );
        used.push((
            vec![Key("time_limit"), Key("basis")],
            &item.time_limit.basis,
        ));
        used.push((vec![Key("fee"), Key("basis")], &item.fee.basis));
        for (path, ids) in used {
            for id in ids.iter().filter(|id| !known.contains(id.as_str())) {
                self.say(path.clone(), format!("没有叫“{id}”的依据"));
            }
        }
        for (at, rule) in item.rules.iter().enumerate() {
            if rule.basis.is_empty() && rule.severity == rules::book::Severity::Must {
                self.say(vec![Key("rules"), At(at)], "条件要有依据：basis");
            }
        }
    }

    fn expression(
        &mut self,
        path: Vec<super::locating::Step>,
        expression: &Expression,
        wanted: Type,
    ) {
        let book = &self.book;
        if let Err(fault) = expression.check_as(wanted, &|name: &str| book.type_of(name)) {
            self.say(path, format!("算式“{}”{fault}", expression.source()));
            return;
        }
        // A text that is compared with must be a choice of a field that the expression asks, or a written date.
        let choices: BTreeSet<&str> = self
            .item
            .fields
            .iter()
            .flat_map(|f| f.choices.iter().map(|c| c.value.as_str()))
            .collect();
        let strange = expression
            .texts()
            .into_iter()
            .map(|t| t.1)
            .find(|t| !choices.contains(t) && t.parse::<Date>().is_err());
        if let Some(text) = strange {
            self.say(
                path,
                format!(
                    "算式“{}”里的“{text}”不是任何字段的选项",
                    expression.source()
                ),
            );
        }
    }

    fn fields(&mut self) {
        let item = self.item;
        for (at, field) in item.fields.iter().enumerate() {
            let path = |key: &'static str| vec![Key("fields"), At(at), Key(key)];
            let choices = matches!(field.kind, FieldKind::Choice | FieldKind::Choices);
            if choices == field.choices.is_empty() {
                self.say(
                    vec![Key("fields"), At(at)],
                    if choices {
                        "选择题要写 choices"
                    } else {
                        "只有 choice 和 choices 才有选项"
                    },
                );
            }
            let values: BTreeSet<&String> = field.choices.iter().map(|c| &c.value).collect();
            if values.len() != field.choices.len() {
                self.say(path("choices"), "选项的 value 有重复");
            }
            if let Some(when) = &field.when {
                self.expression(path("when"), when, Type::Bool);
                if self.book.fields_of(when).iter().any(|f| f.id == field.id) {
                    self.say(path("when"), "字段要不要问，不能由它自己决定");
                } else if self.weight(&field.id, 0, &mut BTreeMap::new()) > HEAVIEST {
                    self.say(path("when"), "条件一层套一层，太多了，请写得简单些");
                }
            }
            for (key, bound) in [("min", &field.min), ("max", &field.max)] {
                self.bound(path(key), field, bound.as_ref());
            }
            if let Some(from) = &field.prefill
                && !["account.name", "account.id_number", "account.phone"].contains(&from.as_str())
            {
                self.say(path("prefill"), format!("不能从“{from}”带入"));
            }
        }
    }

    fn bound(&mut self, path: Vec<super::locating::Step>, field: &Field, bound: Option<&Bound>) {
        match (field.kind, bound) {
            (_, None) | (FieldKind::Number | FieldKind::Money, Some(Bound::Number(_))) => {}
            (FieldKind::Date, Some(Bound::Expression(e))) => self.expression(path, e, Type::Date),
            (FieldKind::Date, Some(_)) => {
                self.say(path, "日期的界限写成 today 或 date(\"2024-07-01\")")
            }
            _ => self.say(path, "只有数和日期才有界限，数的界限写成数"),
        }
    }

    fn rules(&mut self) {
        let item = self.item;
        for (at, rule) in item.rules.iter().enumerate() {
            let path = |key: &'static str| vec![Key("rules"), At(at), Key(key)];
            self.expression(path("require"), &rule.require, Type::Bool);
            if let Some(when) = &rule.when {
                self.expression(path("when"), when, Type::Bool);
            }
            if let Some(said) = &rule.otherwise {
                let names = said.split('{').skip(1).filter_map(|t| t.split_once('}'));
                for (name, _) in names {
                    if self.book.type_of(name.trim()).is_none() {
                        self.say(
                            path("otherwise"),
                            format!("没有叫“{name}”的字段、参数或算式"),
                        );
                    }
                }
            }
        }
        for (at, amount) in item.amounts.iter().enumerate() {
            let path = |key: &'static str| vec![Key("amounts"), At(at), Key(key)];
            let wanted = match amount.kind {
                AmountKind::Number => Type::Number,
                AmountKind::Date => Type::Date,
            };
            self.expression(path("value"), &amount.value, wanted);
            if let Some(when) = &amount.when {
                self.expression(path("when"), when, Type::Bool);
            }
            if self.circular(&amount.id) {
                self.say(path("value"), "算式绕回了自己");
            } else if self.weight(&amount.id, 0, &mut BTreeMap::new()) > HEAVIEST {
                self.say(path("value"), "算式一层套一层，太多了，请写得简单些");
            }
        }
        for (at, parameter) in item.parameters.iter().take(self.own.0).enumerate() {
            let path = vec![Key("parameters"), At(at), Key("values")];
            let days: BTreeSet<Date> = parameter.values.iter().map(|v| v.from).collect();
            let tables = parameter
                .values
                .iter()
                .filter(|v| matches!(v.value, Figure::Table(_)))
                .count();
            if parameter.values.is_empty() {
                self.say(path, "参数至少要有一个值");
            } else if days.len() != parameter.values.len() {
                self.say(path, "同一天有两个值");
            } else if tables != 0 && tables != parameter.values.len() {
                self.say(path, "有的值是数，有的值是表");
            }
        }
    }

    /// How many names have to be looked up for the value of one: with those that it stands on, each as often as it is used.
    fn weight<'n>(
        &'n self,
        name: &'n str,
        depth: usize,
        known: &mut BTreeMap<&'n str, u64>,
    ) -> u64 {
        if depth > DEEPEST {
            return u64::MAX;
        }
        if let Some(weight) = known.get(name) {
            return *weight;
        }
        // What stands on itself is said elsewhere.
        known.insert(name, 1);
        let amount = self.book.amount(name);
        let value = amount.map(|a| &a.value);
        let field = self.book.field(name).and_then(|f| f.when.as_ref());
        let parts = value.into_iter().chain(field);
        let parts = parts.chain(amount.and_then(|a| a.when.as_ref()));
        let mut weight = 1_u64;
        for used in parts.flat_map(Expression::uses) {
            weight = weight.saturating_add(self.weight(used, depth + 1, known));
        }
        known.insert(name, weight);
        weight
    }

    /// Whether an amount stands on itself.
    fn circular(&self, id: &str) -> bool {
        let mut waiting: Vec<&str> = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let Some(amount) = self.book.amount(name) else {
                continue;
            };
            for used in amount
                .value
                .names()
                .into_iter()
                .chain(amount.when.iter().flat_map(Expression::names))
            {
                if used == id {
                    return true;
                }
                if seen.insert(used) {
                    waiting.push(used);
                }
            }
        }
        false
    }

    fn materials(&mut self) {
        let item = self.item;
        for (at, material) in item.materials.iter().enumerate() {
            if let Some(when) = &material.when {
                self.expression(
                    vec![Key("materials"), At(at), Key("when")],
                    when,
                    Type::Bool,
                );
            }
            for field in &material.check {
                if self.book.type_of(field).is_none() {
                    self.say(
                        vec![Key("materials"), At(at), Key("check")],
                        format!("没有叫“{field}”的字段"),
                    );
                }
            }
        }
    }

    fn form(&mut self) {
        let item = self.item;
        let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, section) in item.form.sections.iter().enumerate() {
            for id in &section.fields {
                *placed.entry(id).or_default() += 1;
                if item.field(id).is_none() {
                    self.say(
                        vec![Key("form"), Key("sections"), At(at), Key("fields")],
                        format!("没有叫“{id}”的字段"),
                    );
                }
            }
            for id in &section.amounts {
                if self.book.amount(id).is_none() {
                    self.say(
                        vec![Key("form"), Key("sections"), At(at), Key("amounts")],
                        format!("没有叫“{id}”的算式"),
                    );
                }
            }
        }
        for (at, field) in item.fields.iter().enumerate() {
            let times = placed.get(field.id.as_str()).copied().unwrap_or_default();
            if field.form && times != 1 {
                let message = if times == 0 {
                    "申请表里没有这个字段；不用填表的写 form: false"
                } else {
                    "申请表里出现了两次"
                };
                self.say(vec![Key("fields"), At(at)], message);
            }
        }
    }

    /// The sample applicant's answers can be understood, and qualify.
    fn sample(&mut self) {
        let on = kernel::time::today();
        let mut facts = Facts::new();
        for (at, field) in self.item.fields.iter().enumerate() {
            match answers::read(field, &field.example.text(), &self.book, &facts, on) {
                Ok(value) => drop(facts.insert(field.id.clone(), value)),
                Err(why) => self.say(
                    vec![Key("fields"), At(at), Key("example")],
                    format!("样例回答读不懂：{why}"),
                ),
            }
        }
        if !self.faults.is_empty() {
            return;
        }
        let assessment = self.book.assess(&facts, on);
        for (at, result) in assessment.rules.iter().enumerate() {
            let refusing = result.severity == rules::book::Severity::Must;
            if refusing
                && matches!(
                    result.state,
                    rules::assessment::State::Unmet | rules::assessment::State::Unknown
                )
            {
                self.say(
                    vec![Key("rules"), At(at)],
                    format!("样例申请人应当符合条件，这一条却不符合：{}", result.told),
                );
            }
        }
        debug_assert!(!self.faults.is_empty() || assessment.outcome == Outcome::Eligible);
        let broken: Vec<_> = assessment
            .amounts
            .iter()
            .filter_map(|a| Some((a.id.clone(), a.fault.clone()?)))
            .collect();
        for (id, fault) in broken {
            let at = self
                .item
                .amounts
                .iter()
                .position(|a| a.id == id)
                .unwrap_or_default();
            self.say(
                vec![Key("amounts"), At(at), Key("value")],
                format!("按样例算不出来：{fault}"),
            );
        }
    }
}
