//! What a book says about a case, with reasons.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    book::{Amount, Book, Case, Facts, Rule, Severity},
    expression::{Environment, Expression, Labels},
    value::Value,
};

/// Whether all conditions are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All are.
    Eligible,
    /// One is not.
    Ineligible,
    /// That depends on what is not known yet.
    Undecided,
}

/// Whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConditionState")]
pub enum State {
    /// It is.
    Met,
    /// It is not.
    Unmet,
    /// Not known yet.
    Unknown,
    /// It does not apply to this case.
    NotApplicable,
}

/// A fact that a condition was decided by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// The field.
    pub field: String,
    /// Its label.
    pub label: String,
    /// Its value as it is told; empty if it is not known.
    pub value: Option<String>,
}

/// What became of a rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RuleResult {
    /// The rule.
    pub id: String,
    /// The condition in words.
    pub text: String,
    /// Whether it is met.
    pub state: State,
    /// Whether it refuses if not.
    pub severity: Severity,
    /// The condition with the values put in.
    pub told: String,
    /// What to say if it is not met.
    pub reason: Option<String>,
    /// What can be applied for instead.
    pub instead: Option<String>,
    /// The facts it stands on.
    pub used: Vec<Used>,
    /// The ids of its basis.
    pub basis: Vec<String>,
}

/// What became of an amount.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AmountResult {
    /// The amount.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its value, once it is known.
    pub value: Option<Value>,
    /// The value as it is told, with its unit.
    pub told: Option<String>,
    /// How it was computed, step by step: the amounts it builds on first.
    pub steps: Vec<Step>,
    /// Why it cannot be computed.
    pub fault: Option<String>,
    /// Shown first.
    pub headline: bool,
    /// What to know besides.
    pub note: Option<String>,
    /// The ids of its basis.
    pub basis: Vec<String>,
}

/// A step of a computation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ComputedStep")]
pub struct Step {
    /// What is computed.
    pub label: String,
    /// The computation with the values put in.
    pub told: String,
    /// Its result.
    pub result: String,
    /// The figures that rules fix, with the day from which each holds.
    pub figures: Vec<FigureUsed>,
}

/// A figure that a computation used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FigureUsed {
    /// Its name.
    pub name: String,
    /// Its value with its unit.
    pub value: String,
    /// The day from which it holds.
    #[schemars(with = "String")]
    pub from: Date,
    /// The ids of its basis.
    pub basis: Vec<String>,
}

/// What a book says about a case.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// Whether all conditions are met.
    pub outcome: Outcome,
    /// The day that decided which figures hold.
    #[schemars(with = "String")]
    pub on: Date,
    /// Each condition.
    pub rules: Vec<RuleResult>,
    /// Each amount that applies and is to be shown.
    pub amounts: Vec<AmountResult>,
}

impl Book {
    /// Whether all conditions are met, without reasons: fast.
    pub fn outcome(&self, facts: &Facts, on: Date) -> Outcome {
        let case = Case {
            book: self,
            facts,
            on,
        };
        let mut outcome = Outcome::Eligible;
        for rule in self.rules.iter().filter(|r| r.severity == Severity::Must) {
            match case.state(rule) {
                State::Unmet => return Outcome::Ineligible,
                State::Unknown => outcome = Outcome::Undecided,
                State::Met | State::NotApplicable => {}
            }
        }
        outcome
    }

    /// What it says about a case, with reasons.
    pub fn assess(&self, facts: &Facts, on: Date) -> Assessment {
        let case = Case {
            book: self,
            facts,
            on,
        };
        let amounts = self.amounts.iter().filter(|a| !a.hidden);
        Assessment {
            outcome: self.outcome(facts, on),
            on,
            rules: self.rules.iter().map(|r| case.judge(r)).collect(),
            amounts: amounts.filter_map(|a| case.compute(a)).collect(),
        }
    }
}

impl Case<'_> {
    /// Whether a rule is met.
    pub fn state(&self, rule: &Rule) -> State {
        match self.holds(rule.when.as_ref()) {
            Some(false) => return State::NotApplicable,
            None => {
                // If it is met anyway, it does not matter whether it applies.
                return match rule.require.evaluate(self) {
                    Ok(Some(Value::Bool(true))) => State::Met,
                    _ => State::Unknown,
                };
            }
            Some(true) => {}
        }
        match rule.require.evaluate(self) {
            Ok(Some(Value::Bool(true))) => State::Met,
            Ok(Some(_)) => State::Unmet,
            Ok(None) | Err(_) => State::Unknown,
        }
    }

    fn judge(&self, rule: &Rule) -> RuleResult {
        let state = self.state(rule);
        let used = self.book.fields_of(&rule.require).into_iter();
        let used = used
            .filter(|f| self.applies(f) != Some(false))
            .map(|f| Used {
                field: f.id.clone(),
                label: f.label.clone(),
                value: self.facts.get(&f.id).map(|v| self.told(&f.id, v)),
            });
        RuleResult {
            id: rule.id.clone(),
            text: rule.text.clone(),
            state,
            severity: rule.severity,
            told: rule.require.tell(self, self),
            reason: (state == State::Unmet).then(|| self.reason(rule)),
            instead: rule.instead.clone().filter(|_| state == State::Unmet),
            used: used.collect(),
            basis: rule.basis.clone(),
        }
    }

    /// What to say of a rule that is not met.
    fn reason(&self, rule: &Rule) -> String {
        let Some(said) = &rule.otherwise else {
            return format!("不符合“{}”。", rule.text);
        };
        self.filled(said)
    }

    /// A text with `{name}` replaced by values.
    pub fn filled(&self, text: &str) -> String {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match self.value(name.trim()) {
                Ok(Some(Value::Number(n))) => filled.push_str(&n.normalize().to_string()),
                Ok(Some(value)) => {
                    filled.push_str(self.told(name.trim(), &value).trim_matches(['“', '”']))
                }
                _ => filled.push('…'),
            }
            rest = after;
        }
        filled + rest
    }

    fn compute(&self, amount: &Amount) -> Option<AmountResult> {
        if self.holds(amount.when.as_ref()) == Some(false) {
            return None;
        }
        let applies = self.holds(amount.when.as_ref()) == Some(true);
        let (value, fault) = match amount.value.evaluate(self) {
            Ok(value) => (value.filter(|_| applies), None),
            Err(unworkable) => (None, Some(unworkable.0)),
        };
        let told = value.as_ref().map(|v| self.told(&amount.id, v));
        let mut steps = Vec::new();
        if value.is_some() {
            self.steps(amount, &mut steps);
        }
        Some(AmountResult {
            id: amount.id.clone(),
            label: amount.label.clone(),
            value,
            told,
            steps,
            fault,
            headline: amount.headline,
            note: amount.note.as_deref().map(|n| self.filled(n)),
            basis: amount.basis.clone(),
        })
    }

    /// The computation of an amount, after those of the amounts that it uses.
    fn steps(&self, amount: &Amount, steps: &mut Vec<Step>) {
        if steps.iter().any(|s| s.label == amount.label) {
            return;
        }
        let names = amount.value.names();
        for used in names.iter().filter_map(|n| self.book.amount(n)) {
            if self.holds(used.when.as_ref()) == Some(true) && !trivial(&used.value) {
                self.steps(used, steps);
            }
        }
        let result = match amount.value.evaluate(self) {
            Ok(Some(value)) => self.told(&amount.id, &value),
            _ => return,
        };
        let told = amount.value.tell(self, self);
        let figures = names.iter().filter_map(|n| self.book.parameter(n));
        let figures = figures.filter_map(|p| {
            let dated = p.on(self.on)?;
            told.contains(&p.name).then(|| FigureUsed {
                name: p.name.clone(),
                value: self.told(&p.id, &(&dated.value).into()),
                from: dated.from,
                basis: dated.basis.clone(),
            })
        });
        steps.push(Step {
            figures: figures.collect(),
            label: amount.label.clone(),
            told,
            result,
        });
    }
}

fn trivial(expression: &Expression) -> bool {
    expression.names().is_empty()
}
