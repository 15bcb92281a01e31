//! The functions of the language.

use jiff::{Span, ToSpan, Unit, civil::Date};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use crate::value::{Datum, Type};

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// One of two values.
    If,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Rounded half up, to so many decimals.
    Round,
    /// The next whole number below.
    Floor,
    /// The next whole number above.
    Ceil,
    /// A written date.
    Date,
    /// Full years on the day of the case.
    Age,
    /// Full years between two dates.
    YearsBetween,
    /// Full months between two dates.
    MonthsBetween,
    /// Days between two dates.
    DaysBetween,
    /// So many days later.
    AddDays,
    /// So many months later, on the last day of a shorter month.
    AddMonths,
    /// So many years later.
    AddYears,
    /// A number from a table.
    Pick,
    /// Whether a field was answered.
    Known,
    /// Whether several choices hold one.
    Has,
}

use Function as F;

impl Function {
    pub(super) const ALL: [(&'static str, Self); 17] = [
        ("if", F::If),
        ("min", F::Min),
        ("max", F::Max),
        ("round", F::Round),
        ("floor", F::Floor),
        ("ceil", F::Ceil),
        ("date", F::Date),
        ("age", F::Age),
        ("years_between", F::YearsBetween),
        ("months_between", F::MonthsBetween),
        ("days_between", F::DaysBetween),
        ("add_days", F::AddDays),
        ("add_months", F::AddMonths),
        ("add_years", F::AddYears),
        ("pick", F::Pick),
        ("known", F::Known),
        ("has", F::Has),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|f| f.0 == name).map(|f| f.1)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|f| f.1 == self).map_or("", |f| f.0)
    }

    /// The types of its arguments, where they are fixed, and of its result.
    pub(super) fn signature(self) -> Option<(&'static [Type], Type)> {
        use Type::{Date, List, Number, Table, Text};
        Some(match self {
            F::If | F::Min | F::Max | F::Known => return None,
            F::Round => (&[Number, Number], Number),
            F::Floor | F::Ceil => (&[Number], Number),
            F::Date => (&[Text], Date),
            F::Age => (&[Date], Number),
            F::YearsBetween | F::MonthsBetween | F::DaysBetween => (&[Date, Date], Number),
            F::AddDays | F::AddMonths | F::AddYears => (&[Date, Number], Date),
            F::Pick => (&[Table, Text], Number),
            F::Has => (&[List, Text], Type::Bool),
        })
    }

    /// Applies it to known arguments of the right types; nothing if the result can't be represented or looked up.
    pub(crate) fn apply<'a>(self, arguments: &[Datum<'a>], today: Date) -> Option<Datum<'a>> {
        use Datum::{Date as D, List, Number as N, Table, Text};
        Some(match (self, arguments) {
            (F::Min, [first, rest @ ..]) => extreme(first, rest, |a, b| b < a)?,
            (F::Max, [first, rest @ ..]) => extreme(first, rest, |a, b| b > a)?,
            (F::Round, [N(x), N(digits)]) => N(
                x.round_dp_with_strategy(digits.to_u32()?, RoundingStrategy::MidpointAwayFromZero)
            ),
            (F::Floor, [N(x)]) => N(x.floor()),
            (F::Ceil, [N(x)]) => N(x.ceil()),
            (F::Date, [Text(text)]) => D(text.parse().ok()?),
            (F::Age, [D(born)]) => N(whole(*born, today, Unit::Year)?),
            (F::YearsBetween, [D(a), D(b)]) => N(whole(*a, *b, Unit::Year)?),
            (F::MonthsBetween, [D(a), D(b)]) => N(whole(*a, *b, Unit::Month)?),
            (F::DaysBetween, [D(a), D(b)]) => N(whole(*a, *b, Unit::Day)?),
            (F::AddDays, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_days(n))?,
            (F::AddMonths, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_months(n))?,
            (F::AddYears, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_years(n))?,
            (F::Pick, [Table(table), Text(key)]) => N(*table.get(*key)?),
            (F::Has, [List(list), Text(one)]) => Datum::Bool(list.iter().any(|l| l == one)),
            _ => return None,
        })
    }
}

fn later(
    from: Date,
    n: Decimal,
    span: impl Fn(i64) -> Result<Span, jiff::Error>,
) -> Option<Datum<'static>> {
    let span = span(n.floor().to_i64()?).ok()?;
    from.checked_add(span).ok().map(Datum::Date)
}

/// Full units from one day to another, negative if the other is earlier. A month is full on the same day of the month, or
/// on the last day of a shorter one: adding the months to the first day gives no later day than the second.
fn whole(from: Date, to: Date, unit: Unit) -> Option<Decimal> {
    if to < from {
        return Some(-whole(to, from, unit)?);
    }
    if unit == Unit::Day {
        let span = from.until((Unit::Day, to)).ok()?;
        return Some(span.get_days().into());
    }
    let mut months = (i64::from(to.year()) - i64::from(from.year())) * 12 + i64::from(to.month())
        - i64::from(from.month());
    if from.checked_add(months.months()).ok()? > to {
        months -= 1;
    }
    Some(
        if unit == Unit::Year {
            months / 12
        } else {
            months
        }
        .into(),
    )
}

fn extreme<'a>(
    first: &Datum<'a>,
    rest: &[Datum<'a>],
    better: fn(&Datum<'_>, &Datum<'_>) -> bool,
) -> Option<Datum<'a>> {
    let mut best = *first;
    for value in rest {
        best.partial_cmp(value)?;
        if better(&best, value) {
            best = *value;
        }
    }
    Some(best)
}
