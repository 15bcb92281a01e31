//! The fewest facts whose change makes all conditions met: what a refused citizen wants to know. Found by search over the
//! values where conditions can turn, and every answer is verified by evaluation before it is given (counterfactual
//! explanations after Wachter, Mittelstadt and Russell, 2017, here over rules).

use std::collections::BTreeSet;

use jiff::{ToSpan, civil::Date};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    assessment::{Outcome, State},
    book::{Book, Case, Domain, Facts, Field, Figure, Rule, Severity},
    expression::{Environment, Expression, Labels},
    value::Value,
};

/// The most facts changed together for one condition.
const TOGETHER: usize = 3;

/// The most evaluations for one condition.
const EFFORT: usize = 20_000;

/// A fact that would have to be different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The field.
    pub field: String,
    /// Its label.
    pub label: String,
    /// As it is, told; empty if unknown.
    pub from: Option<String>,
    /// As it would have to be, told.
    pub to: String,
    /// The same as a value.
    pub value: Value,
}

impl Book {
    /// The fewest facts whose change makes all conditions met; nothing if they are met, or if no change within the bounds of
    /// the fields was found.
    pub fn nearest(&self, facts: &Facts, on: Date) -> Option<Vec<Change>> {
        if self.outcome(facts, on) != Outcome::Ineligible {
            return None;
        }
        let mut changed = facts.clone();
        let mut touched: BTreeSet<&str> = BTreeSet::new();
        // Mending one condition may break another: each is mended in turn until all stand.
        for _ in 0..=2 * self.rules.len() {
            let case = Case {
                book: self,
                facts: &changed,
                on,
            };
            let Some(rule) = self
                .rules
                .iter()
                .find(|r| r.severity == Severity::Must && case.state(r) == State::Unmet)
            else {
                break;
            };
            let mended = self.mend(rule, &changed, on)?;
            for (field, value) in mended {
                touched.insert(field);
                changed.insert(field.to_owned(), value);
            }
        }
        if self.outcome(&changed, on) == Outcome::Ineligible {
            return None;
        }
        self.drop_needless(facts, &mut changed, &mut touched, on);
        let before = Case {
            book: self,
            facts,
            on,
        };
        let fields = self
            .fields
            .iter()
            .filter(|f| touched.contains(f.id.as_str()));
        let change = |field: &Field| {
            let value = changed.get(&field.id)?;
            Some(Change {
                field: field.id.clone(),
                label: field.label.clone(),
                from: facts.get(&field.id).map(|v| before.told(&field.id, v)),
                to: before.told(&field.id, value),
                value: value.clone(),
            })
        };
        Some(fields.filter_map(change).collect())
    }

    /// Takes back what turns out not to be needed once everything is mended.
    fn drop_needless<'a>(
        &'a self,
        facts: &Facts,
        changed: &mut Facts,
        touched: &mut BTreeSet<&'a str>,
        on: Date,
    ) {
        for field in touched.clone() {
            let mut without = changed.clone();
            match facts.get(field) {
                Some(value) => without.insert(field.to_owned(), value.clone()),
                None => without.remove(field),
            };
            if self.outcome(&without, on) != Outcome::Ineligible {
                *changed = without;
                touched.remove(field);
            }
        }
    }

    /// The fewest changes after which one condition is no longer unmet, preferring those that leave the most others met.
    fn mend<'a>(
        &'a self,
        rule: &'a Rule,
        facts: &Facts,
        on: Date,
    ) -> Option<Vec<(&'a str, Value)>> {
        let case = Case {
            book: self,
            facts,
            on,
        };
        let mut fields = self.fields_of(&rule.require);
        fields.extend(rule.when.iter().flat_map(|w| self.fields_of(w)));
        fields.sort_by_key(|f| self.fields.iter().position(|g| g.id == f.id));
        fields.dedup_by_key(|f| &f.id);
        let options: Vec<(&str, Vec<Value>)> = fields
            .iter()
            .filter(|f| case.applies(f) != Some(false))
            .map(|f| (f.id.as_str(), self.candidates(f, facts, on)))
            .collect();
        let mut effort = EFFORT;
        (1..=TOGETHER.min(options.len())).find_map(|size| {
            let mut best: Option<(usize, Vec<(&str, Value)>)> = None;
            self.try_out(
                rule,
                facts,
                on,
                &options,
                size,
                &mut Vec::new(),
                &mut effort,
                &mut best,
            );
            best.map(|b| b.1)
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a recursive search carries its state"
    )]
    fn try_out<'a>(
        &'a self,
        rule: &Rule,
        facts: &Facts,
        on: Date,
        options: &[(&'a str, Vec<Value>)],
        size: usize,
        chosen: &mut Vec<(&'a str, Value)>,
        effort: &mut usize,
        best: &mut Option<(usize, Vec<(&'a str, Value)>)>,
    ) {
        if size == 0 {
            *effort = effort.saturating_sub(1);
            let mut trial = facts.clone();
            trial.extend(chosen.iter().map(|(f, v)| ((*f).to_owned(), v.clone())));
            let case = Case {
                book: self,
                facts: &trial,
                on,
            };
            if matches!(case.state(rule), State::Met | State::NotApplicable) {
                let broken = self
                    .rules
                    .iter()
                    .filter(|r| r.severity == Severity::Must && case.state(r) == State::Unmet)
                    .count();
                if best.as_ref().is_none_or(|b| broken < b.0) {
                    *best = Some((broken, chosen.clone()));
                }
            }
            return;
        }
        for (at, (field, values)) in options.iter().enumerate() {
            for value in values {
                if *effort == 0 {
                    return;
                }
                chosen.push((field, value.clone()));
                self.try_out(
                    rule,
                    facts,
                    on,
                    &options[at + 1..],
                    size - 1,
                    chosen,
                    effort,
                    best,
                );
                chosen.pop();
            }
        }
    }

    /// The values of a field at which a condition can turn: other choices; of numbers and days the ones written in the book,
    /// their neighbours and the bounds; nearest to the present value first.
    fn candidates(&self, field: &Field, facts: &Facts, on: Date) -> Vec<Value> {
        let present = facts.get(&field.id);
        let mut values: Vec<Value> = match &field.domain {
            Domain::Bool => vec![true.into(), false.into()],
            Domain::Choice(choices) => choices.iter().map(|c| c.as_str().into()).collect(),
            Domain::Choices(choices) => {
                let Some(Value::List(list)) = present else {
                    return Vec::new();
                };
                let toggled = choices.iter().map(|c| {
                    let mut list = list.clone();
                    match list.iter().position(|x| x == c) {
                        Some(at) => drop(list.remove(at)),
                        None => list.push(c.clone()),
                    }
                    Value::List(list)
                });
                toggled.collect()
            }
            Domain::Number { min, max, whole } => {
                let step = if *whole {
                    Decimal::ONE
                } else {
                    Decimal::new(1, 2)
                };
                let marks = self.marks(facts, on);
                let near = marks.into_iter().flat_map(|m| [m - step, m, m + step]);
                let near = near.chain(*min).chain(*max);
                let inside = near.filter(|n| {
                    min.is_none_or(|m| *n >= m)
                        && max.is_none_or(|m| *n <= m)
                        && (!whole || n.fract().is_zero())
                });
                inside.map(Value::Number).collect()
            }
            Domain::Date { min, max } => {
                let case = Case {
                    book: self,
                    facts,
                    on,
                };
                let bound = |b: &Option<Expression>| match b.as_ref()?.evaluate(&case) {
                    Ok(Some(Value::Date(d))) => Some(d),
                    _ => None,
                };
                let (min, max) = (bound(min), bound(max));
                let days = self.days(facts, on);
                let inside = days
                    .into_iter()
                    .filter(|d| min.is_none_or(|m| *d >= m) && max.is_none_or(|m| *d <= m));
                inside.map(Value::Date).collect()
            }
            Domain::Text => Vec::new(),
        };
        values.retain(|v| Some(v) != present);
        match present {
            Some(Value::Number(now)) => {
                values.sort_by_key(|v| v.number().map(|n| (n - now).abs()));
            }
            Some(Value::Date(now)) => values.sort_by_key(|v| match v {
                Value::Date(d) => now.until(*d).map_or(i32::MAX, |s| s.get_days().abs()),
                _ => i32::MAX,
            }),
            _ => {}
        }
        values.dedup();
        values
    }

    /// The numbers of the case at which a comparison can turn: written ones, parameters, amounts, other facts, and products
    /// of the written ones with the rest.
    fn marks(&self, facts: &Facts, on: Date) -> BTreeSet<Decimal> {
        let case = Case {
            book: self,
            facts,
            on,
        };
        let mut marks: BTreeSet<Decimal> = BTreeSet::from([Decimal::ZERO]);
        let expressions = self
            .rules
            .iter()
            .flat_map(|r| r.when.iter().chain([&r.require]))
            .chain(
                self.amounts
                    .iter()
                    .flat_map(|a| a.when.iter().chain([&a.value])),
            );
        let written: BTreeSet<Decimal> = expressions.flat_map(Expression::numbers).collect();
        for parameter in &self.parameters {
            match parameter.on(on).map(|d| &d.value) {
                Some(Figure::Number(n)) => drop(marks.insert(*n)),
                Some(Figure::Table(t)) => marks.extend(t.values().map(|n| n.0)),
                None => {}
            }
        }
        marks.extend(facts.values().filter_map(Value::number));
        let amounts = self.amounts.iter();
        marks.extend(amounts.filter_map(|a| case.value(&a.id).ok()??.number()));
        let products: Vec<Decimal> = marks
            .iter()
            .flat_map(|m| written.iter().map(move |w| (m, w)))
            .flat_map(|(m, w)| [m.checked_mul(*w), m.checked_div(*w)])
            .flatten()
            .flat_map(|p| [p, p.floor(), p.ceil(), p.round_dp(2)])
            .collect();
        marks.extend(products);
        marks.extend(written);
        marks
    }

    /// The days at which a condition can turn: days apart from today and from other dates of the case by the written numbers.
    fn days(&self, facts: &Facts, on: Date) -> BTreeSet<Date> {
        let mut anchors: BTreeSet<Date> = BTreeSet::from([on]);
        anchors.extend(facts.values().filter_map(|v| match v {
            Value::Date(d) => Some(*d),
            _ => None,
        }));
        for (_, text) in self.rules.iter().flat_map(|r| r.require.texts()) {
            anchors.extend(text.parse::<Date>());
        }
        let numbers = self.marks(&Facts::new(), on);
        let whole = numbers
            .iter()
            .filter_map(Decimal::to_i64)
            .filter(|n| n.abs() < 40_000);
        let whole: BTreeSet<i64> = whole.collect();
        let mut days = BTreeSet::new();
        for anchor in anchors {
            for n in &whole {
                let spans = [
                    0.days().try_days(*n),
                    0.days().try_months(*n),
                    0.days().try_years(*n),
                ];
                for span in spans.into_iter().flatten() {
                    for sign in [1, -1] {
                        if let Ok(day) = anchor.checked_add(span * sign) {
                            days.insert(day);
                            days.extend(day.tomorrow());
                            days.extend(day.yesterday());
                        }
                    }
                }
            }
        }
        days
    }
}
