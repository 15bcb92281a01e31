//! The search for values that make conditions met.

use std::collections::BTreeSet;

use jiff::{Span, civil::Date};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::axis::Axis;
use crate::{
    assessment::State,
    book::{Book, Domain, Field, Figure, Rule},
    compiled::{Layout, Profile, Program},
    expression::Expression,
    value::Value,
};

/// The most facts changed together for one condition.
const TOGETHER: usize = 3;

/// The most evaluations for one condition, and for all of them together.
const EFFORT: usize = 20_000;

/// Where facts are changed together, so many values of a number or day stand for all.
const COARSE: usize = 12;

/// Where a condition may turn.
pub(super) struct Turning {
    /// The places of the fields that it stands on.
    fields: Vec<usize>,
    numbers: Vec<Decimal>,
    days: Vec<Date>,
    spans: Vec<i64>,
}

impl Turning {
    pub(super) fn of(book: &Book, layout: &Layout, rule: &Rule, on: Date) -> Self {
        let mut expressions: Vec<&Expression> = vec![&rule.require];
        expressions.extend(&rule.when);
        let mut places = BTreeSet::new();
        let mut numbers = BTreeSet::from([Decimal::ZERO]);
        let mut days = BTreeSet::from([on]);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(expression) = expressions.pop() {
            numbers.extend(expression.numbers());
            let written = expression.texts();
            days.extend(written.iter().filter_map(|t| t.1.parse::<Date>().ok()));
            for name in expression.names() {
                if !seen.insert(name) {
                    continue;
                }
                if let Some(field) = book.field(name) {
                    places.extend(layout.place(name));
                    expressions.extend(&field.when);
                } else if let Some(amount) = book.amount(name) {
                    expressions.push(&amount.value);
                    expressions.extend(&amount.when);
                } else if let Some(dated) = book.parameter(name).and_then(|p| p.on(on)) {
                    match &dated.value {
                        Figure::Number(n) => drop(numbers.insert(*n)),
                        Figure::Table(t) => numbers.extend(t.values().map(|n| n.0)),
                    }
                }
            }
        }
        let spans = numbers.iter().filter_map(Decimal::to_i64);
        Self {
            spans: spans.filter(|n| *n != 0 && n.abs() < 40_000).collect(),
            fields: places.into_iter().collect(),
            numbers: numbers.into_iter().collect(),
            days: days.into_iter().collect(),
        }
    }
}

/// Values of fields, by their places.
type Changes = Vec<(usize, Value)>;

/// The best changes so far, with how much they leave unmet.
type Best = Option<(usize, Changes)>;

pub(super) struct Search<'a> {
    pub(super) book: &'a Book,
    pub(super) program: &'a Program,
    pub(super) turning: &'a [Turning],
    /// By field: of numbers and days.
    pub(super) axes: &'a [Option<Axis>],
    pub(super) effort: usize,
}

impl Search<'_> {
    /// A profile like this one that no condition refuses.
    pub(super) fn mended(&mut self, profile: &Profile) -> Option<Profile> {
        let count = self.turning.len();
        // Mending one condition may break another: each is mended in turn until all stand. In another order it may go
        // better; and where it goes round in circles, all are mended together.
        let orders: [Vec<usize>; 2] = [(0..count).collect(), (0..count).rev().collect()];
        let found = orders.iter().filter_map(|o| self.in_turn(profile, o));
        let mut found: Vec<Profile> = found.collect();
        if found.is_empty() {
            found.extend(self.together(profile));
        }
        let changes = |p: &Profile| p.iter().zip(profile).filter(|(a, b)| a != b).count();
        found.into_iter().min_by_key(changes)
    }

    fn in_turn(&mut self, profile: &Profile, order: &[usize]) -> Option<Profile> {
        let mut changed = profile.clone();
        for _ in 0..=2 * order.len() {
            let unmet = |at: &&usize| self.program.state(**at, &changed) == State::Unmet;
            let Some(&at) = order.iter().find(unmet) else {
                return Some(changed);
            };
            self.effort = EFFORT;
            for (field, value) in self.mend(&[at], &changed)? {
                changed[field] = Some(value);
            }
        }
        None
    }

    fn together(&mut self, profile: &Profile) -> Option<Profile> {
        let mut goal: Vec<usize> = Vec::new();
        let mut changed = profile.clone();
        // The conditions that get in each other's way are found one by one.
        for _ in 0..4 {
            let unmet = (0..self.turning.len())
                .filter(|at| self.program.state(*at, &changed) == State::Unmet);
            let before = goal.len();
            goal.extend(unmet.filter(|at| !goal.contains(at)).collect::<Vec<_>>());
            if goal.len() == before {
                break;
            }
            self.effort = 10 * EFFORT;
            changed.clone_from(profile);
            for (field, value) in self.mend(&goal, profile)? {
                changed[field] = Some(value);
            }
        }
        let stands = |at| self.program.state(at, &changed) != State::Unmet;
        (0..self.turning.len()).all(stands).then_some(changed)
    }

    /// The fewest changes after which none of these conditions is unmet, preferring those that leave the most others met.
    fn mend(&mut self, goal: &[usize], profile: &Profile) -> Option<Changes> {
        let fields: BTreeSet<usize> = goal
            .iter()
            .flat_map(|at| &self.turning[*at].fields)
            .copied()
            .collect();
        let fields: Vec<usize> = fields.into_iter().collect();
        let most = (TOGETHER + goal.len() - 1).min(fields.len());
        (1..=most).find_map(|size| {
            let mut best = None;
            let mut trial = profile.clone();
            self.attempt(goal, &fields, size, &mut trial, &mut Vec::new(), &mut best);
            best.map(|b| b.1)
        })
    }

    fn attempt(
        &mut self,
        goal: &[usize],
        fields: &[usize],
        size: usize,
        trial: &mut Profile,
        chosen: &mut Changes,
        best: &mut Best,
    ) {
        for &field in fields {
            if chosen.iter().any(|c| c.0 == field) {
                continue;
            }
            let present = trial[field].take();
            let values = if size == 1 {
                self.fine(goal, field, present.as_ref(), trial)
            } else {
                self.coarse(goal, field, present.as_ref(), trial)
            };
            for value in values {
                if self.effort == 0 {
                    break;
                }
                trial[field] = Some(value.clone());
                if size == 1 {
                    self.weigh(goal, trial, chosen, (field, value), best);
                } else {
                    chosen.push((field, value));
                    self.attempt(goal, fields, size - 1, trial, chosen, best);
                    chosen.pop();
                }
            }
            trial[field] = present;
        }
    }

    fn weigh(
        &mut self,
        goal: &[usize],
        trial: &Profile,
        chosen: &Changes,
        last: (usize, Value),
        best: &mut Best,
    ) {
        let Some(unknown) = self.reaches(goal, trial) else {
            return;
        };
        let broken = (0..self.turning.len())
            .filter(|at| self.program.state(*at, trial) == State::Unmet)
            .count();
        let cost = 2 * broken + usize::from(unknown);
        if best.as_ref().is_none_or(|b| cost < b.0) {
            let mut changes = chosen.clone();
            changes.push(last);
            *best = Some((cost, changes));
        }
    }

    /// Whether none of these conditions is unmet; if so, whether one is unknown.
    fn reaches(&mut self, goal: &[usize], trial: &Profile) -> Option<bool> {
        self.effort = self.effort.saturating_sub(1);
        let mut unknown = false;
        for &at in goal {
            match self.program.state(at, trial) {
                State::Unmet => return None,
                State::Unknown => unknown = true,
                State::Met | State::NotApplicable => {}
            }
        }
        Some(unknown)
    }

    /// All values of a field at which these conditions may turn, the nearest first; of numbers and days also the nearest ones
    /// that a search by halves finds.
    fn fine(
        &mut self,
        goal: &[usize],
        at: usize,
        present: Option<&Value>,
        trial: &mut Profile,
    ) -> Vec<Value> {
        let axes = self.axes;
        let Some(axis) = &axes[at] else {
            return options(&self.book.fields[at], present);
        };
        let mut steps = self.marks(goal, at, axis, trial);
        for end in [axis.low, axis.high] {
            steps.extend(self.first(goal, at, axis, end, trial));
        }
        let mut steps: Vec<i64> = steps.into_iter().collect();
        let now = present.and_then(|p| axis.place(p));
        steps.retain(|s| Some(*s) != now);
        steps.sort_by_key(|s| s.abs_diff(now.unwrap_or_default()));
        steps.into_iter().map(|s| axis.at(s)).collect()
    }

    /// The nearest step in one direction at which the conditions stand, if they stand on from there for a while.
    fn first(
        &mut self,
        goal: &[usize],
        at: usize,
        axis: &Axis,
        end: i64,
        trial: &mut Profile,
    ) -> Option<i64> {
        let mut stands = |step: i64| {
            trial[at] = Some(axis.at(step));
            let stands = self.reaches(goal, trial).is_some();
            trial[at] = None;
            stands
        };
        let (mut bad, mut reach) = (0_i64, 1_i64);
        let mut good = loop {
            let far = reach >= end.abs();
            let step = if far { end } else { reach * end.signum() };
            if stands(step) {
                break step;
            }
            if far {
                return None;
            }
            bad = step;
            reach *= 2;
        };
        while good.abs_diff(bad) > 1 {
            let middle = bad + (good - bad) / 2;
            if stands(middle) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Some(good)
    }

    /// A few values of a field that stand for all.
    fn coarse(
        &mut self,
        goal: &[usize],
        at: usize,
        present: Option<&Value>,
        trial: &Profile,
    ) -> Vec<Value> {
        let Some(axis) = &self.axes[at] else {
            return options(&self.book.fields[at], present);
        };
        let now = present.and_then(|p| axis.place(p));
        let mut steps = self.marks(goal, at, axis, trial);
        steps.extend([axis.low, axis.high]);
        let steps: Vec<i64> = steps.into_iter().filter(|s| Some(*s) != now).collect();
        let every = steps.len().div_ceil(COARSE).max(1);
        let few = steps.iter().rev().step_by(every).chain(steps.first());
        few.map(|s| axis.at(*s)).collect()
    }

    /// The steps at which these conditions may turn: written numbers, figures and other facts with their neighbours; days
    /// apart from today, from written days and from other facts by the written numbers.
    fn marks(&self, goal: &[usize], at: usize, axis: &Axis, trial: &Profile) -> BTreeSet<i64> {
        let mut marks = BTreeSet::new();
        let mut add = |value: Value| {
            if let Some(step) = axis.place(&value) {
                marks.extend([step - 1, step, step + 1]);
            }
        };
        let dates = matches!(self.book.fields[at].domain, Domain::Date { .. });
        for turning in goal.iter().map(|g| &self.turning[*g]) {
            let others = turning.fields.iter().filter_map(|f| trial[*f].as_ref());
            if !dates {
                for n in &turning.numbers {
                    add(Value::Number(*n));
                }
                others.for_each(|v| add(v.clone()));
                continue;
            }
            let others = others.filter_map(|v| match v {
                Value::Date(day) => Some(*day),
                _ => None,
            });
            for day in turning.days.iter().copied().chain(others) {
                add(day.into());
                for n in &turning.spans {
                    for n in [*n, -*n] {
                        let zero = Span::new();
                        let spans = [zero.try_days(n), zero.try_months(n), zero.try_years(n)];
                        let days = spans.into_iter().flatten();
                        days.flat_map(|s| day.checked_add(s))
                            .for_each(|d| add(d.into()));
                    }
                }
            }
        }
        marks.retain(|s| (axis.low..=axis.high).contains(s));
        marks
    }
}

/// The other values of a field that has few.
fn options(field: &Field, present: Option<&Value>) -> Vec<Value> {
    let all: Vec<Value> = match &field.domain {
        Domain::Bool => vec![true.into(), false.into()],
        Domain::Choice(choices) => choices.iter().map(|c| c.as_str().into()).collect(),
        Domain::Choices(choices) => {
            let none: &[String] = &[];
            let list = match present {
                Some(Value::List(list)) => list,
                _ => none,
            };
            let toggled = choices.iter().map(|c| {
                let mut list = list.to_vec();
                match list.iter().position(|x| x == c) {
                    Some(at) => drop(list.remove(at)),
                    None => list.push(c.clone()),
                }
                Value::List(list)
            });
            let alone = choices.iter().map(|c| Value::List(vec![c.clone()]));
            toggled
                .chain(alone)
                .chain([Value::List(Vec::new())])
                .collect()
        }
        Domain::Number { .. } | Domain::Date { .. } | Domain::Text => Vec::new(),
    };
    all.into_iter().filter(|v| Some(v) != present).collect()
}
