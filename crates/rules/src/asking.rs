//! Which question decides soonest.

use jiff::civil::Date;

use crate::{
    assessment::{Outcome, State},
    book::{Book, Case, Domain, Facts, Field, Severity},
    value::Value,
};

impl Book {
    /// The field to ask next: of those that can still decide a condition, the one whose answer settles the most; where two
    /// settle alike, the one that the book names first. Once the conditions are decided, what the amounts need, in the order
    /// of the book. Nothing when all that is left is for the form alone.
    pub fn next_question(&self, facts: &Facts, on: Date) -> Option<&Field> {
        let case = Case {
            book: self,
            facts,
            on,
        };
        match self.outcome(facts, on) {
            Outcome::Ineligible => None,
            Outcome::Undecided => self
                .most_decisive(&case)
                .or_else(|| self.for_amounts(&case)),
            Outcome::Eligible => self.for_amounts(&case),
        }
    }

    /// Whether a field can be asked now: it has no answer and is known to matter.
    fn askable(case: &Case<'_>, field: &Field) -> bool {
        !case.facts.contains_key(&field.id) && case.applies(field) == Some(true)
    }

    /// The fields that a field waits for: what its condition asks.
    fn reachable<'a>(&'a self, case: &Case<'_>, field: &'a Field, found: &mut Vec<&'a Field>) {
        if found.iter().any(|f| f.id == field.id) || case.facts.contains_key(&field.id) {
            return;
        }
        match case.applies(field) {
            Some(true) => found.push(field),
            Some(false) => {}
            None => {
                for earlier in field.when.iter().flat_map(|w| self.fields_of(w)) {
                    self.reachable(case, earlier, found);
                }
            }
        }
    }

    fn most_decisive<'a>(&'a self, case: &Case<'_>) -> Option<&'a Field> {
        let open: Vec<_> = self
            .rules
            .iter()
            .filter(|r| r.severity == Severity::Must && case.state(r) == State::Unknown)
            .collect();
        let mut candidates: Vec<&Field> = Vec::new();
        for rule in &open {
            let fields = self.fields_of(&rule.require).into_iter();
            for field in fields.chain(rule.when.iter().flat_map(|w| self.fields_of(w))) {
                self.reachable(case, field, &mut candidates);
            }
        }
        let settles = |field: &&Field| -> (usize, usize) {
            let (mut refusing, mut settled) = (0, 0);
            let values = samples(&field.domain, case.on);
            for value in &values {
                let mut trial = case.facts.clone();
                trial.insert(field.id.clone(), value.clone());
                let trial = Case {
                    facts: &trial,
                    ..*case
                };
                let states = open.iter().map(|r| trial.state(r));
                let states: Vec<State> = states.collect();
                refusing += usize::from(states.contains(&State::Unmet));
                settled += states.iter().filter(|s| **s != State::Unknown).count();
            }
            // In thousandths of an answer, so that fields with many values do not count more.
            let share = |n: usize| n * 1000 / values.len().max(1);
            (share(refusing).min(500), share(settled))
        };
        let place = |field: &&Field| self.fields.iter().position(|f| f.id == field.id);
        candidates.sort_by_key(place);
        // The first of the best: max_by_key would take the last.
        candidates.into_iter().rev().max_by_key(settles)
    }

    fn for_amounts<'a>(&'a self, case: &Case<'_>) -> Option<&'a Field> {
        let mut wanted: Vec<&Field> = Vec::new();
        for amount in &self.amounts {
            let needed = match case.holds(amount.when.as_ref()) {
                Some(false) => continue,
                _ => amount.value.evaluate(case).is_ok_and(|v| v.is_none()),
            };
            if needed {
                let fields = self.fields_of(&amount.value).into_iter();
                for field in fields.chain(amount.when.iter().flat_map(|w| self.fields_of(w))) {
                    self.reachable(case, field, &mut wanted);
                }
            }
        }
        wanted.retain(|f| Self::askable(case, f));
        let place = |field: &&Field| self.fields.iter().position(|f| f.id == field.id);
        wanted.into_iter().min_by_key(place)
    }
}

/// Answers that stand for all: every choice, and for numbers and days a few across their range.
fn samples(domain: &Domain, on: Date) -> Vec<Value> {
    match domain {
        Domain::Bool => vec![true.into(), false.into()],
        Domain::Choice(choices) => choices.iter().map(|c| c.as_str().into()).collect(),
        Domain::Choices(choices) => {
            let one = choices.iter().map(|c| Value::List(vec![c.clone()]));
            one.chain([Value::List(Vec::new())]).collect()
        }
        Domain::Number { min, max, .. } => {
            let low = min.unwrap_or_default();
            let high = max.unwrap_or_else(|| 1_000_000.into());
            vec![low.into(), high.into()]
        }
        Domain::Date { .. } => {
            let years = [0, 1, 5, 20, 40, 70];
            let day = |y: &i16| on.with().year(on.year() - y).day(1).build().ok();
            years.iter().filter_map(day).map(Value::Date).collect()
        }
        Domain::Text => vec!["".into()],
    }
}
