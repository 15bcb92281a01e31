//! Numbers and days as whole steps from the present value, so that one search serves both.

use jiff::{ToSpan, civil::Date};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::{
    book::{Case, Domain, Field},
    expression::Expression,
    value::Value,
};

/// How far days reach where a field sets no bound.
const YEARS: i16 = 120;

/// How far numbers reach where a field sets no bound.
const MOST: i64 = 1_000_000_000;

/// The values of a field of numbers or days.
pub(super) struct Axis {
    origin: Origin,
    /// The least and the greatest step.
    pub(super) low: i64,
    pub(super) high: i64,
    /// Whether the field has a value now: step 0.
    pub(super) present: bool,
}

enum Origin {
    Number(Decimal, Decimal),
    Date(Date),
}

impl Axis {
    /// Nothing for fields of other kinds.
    pub(super) fn of(field: &Field, present: Option<&Value>, case: &Case<'_>) -> Option<Self> {
        match &field.domain {
            Domain::Number { min, max, whole } => {
                let step = Decimal::new(1, if *whole { 0 } else { 2 });
                let now = present.and_then(Value::number);
                let low = min.unwrap_or_else(|| Decimal::from(-MOST).min(now.unwrap_or_default()));
                let high = max.unwrap_or_else(|| Decimal::from(MOST).max(now.unwrap_or_default()));
                let origin = now.unwrap_or(if low > Decimal::ZERO {
                    low
                } else {
                    Decimal::ZERO
                });
                let steps = |bound: Decimal| ((bound - origin) / step).trunc().to_i64();
                Some(Self {
                    low: steps(low)?.min(0),
                    high: steps(high)?.max(0),
                    origin: Origin::Number(origin, step),
                    present: now.is_some(),
                })
            }
            Domain::Date { min, max } => {
                let now = match present {
                    Some(Value::Date(day)) => Some(*day),
                    _ => None,
                };
                let bound = |b: &Option<Expression>| match b.as_ref()?.evaluate(case) {
                    Ok(Some(Value::Date(day))) => Some(day),
                    _ => None,
                };
                let far = |years: i16| case.on.checked_add(i64::from(years).years()).ok();
                let low = bound(min).or_else(|| far(-YEARS))?;
                let high = bound(max).or_else(|| far(YEARS))?;
                let origin = now.unwrap_or_else(|| case.on.clamp(low, high.max(low)));
                let steps = |day: Date| Some(i64::from(origin.until(day).ok()?.get_days()));
                Some(Self {
                    low: steps(low)?.min(0),
                    high: steps(high)?.max(0),
                    origin: Origin::Date(origin),
                    present: now.is_some(),
                })
            }
            _ => None,
        }
    }

    /// The value so many steps away, within the bounds.
    pub(super) fn at(&self, step: i64) -> Value {
        let step = step.clamp(self.low, self.high);
        match self.origin {
            Origin::Number(origin, size) => {
                Value::Number((origin + size * Decimal::from(step)).normalize())
            }
            Origin::Date(origin) => Value::Date(origin.checked_add(step.days()).unwrap_or(origin)),
        }
    }

    /// How many steps away a value is; nothing if it is out of bounds or between steps.
    pub(super) fn place(&self, value: &Value) -> Option<i64> {
        let step = match (&self.origin, value) {
            (Origin::Number(origin, size), Value::Number(n)) => {
                let steps = n.checked_sub(*origin)?.checked_div(*size)?;
                steps.fract().is_zero().then(|| steps.to_i64())??
            }
            (Origin::Date(origin), Value::Date(day)) => origin.until(*day).ok()?.get_days().into(),
            _ => return None,
        };
        (self.low..=self.high).contains(&step).then_some(step)
    }
}
