//! Many cases against many books: names are looked up once, figures and the day are put in, choices are bits. A sieve says
//! what [`Book::outcome`] says; of a refused case it also says which few facts stand in the way.

use std::collections::HashMap;

use jiff::{ToSpan, civil::Date};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use crate::{
    assessment::{Outcome, State},
    book::{AmountKind, Book, Domain, Facts, Field, Severity},
    expression::{Expression, Function, Kind, Node, Operator},
    value::Value,
};

/// So many facts in the way are still near.
pub const NEAR: u32 = 2;

/// The most fields and the most choices: each is a bit.
const BITS: usize = 128;

/// A text that is no choice of any field.
const STRANGE: u8 = u8::MAX;

/// The deepest chain of amounts.
const DEPTH: usize = 64;

/// How far somebody can change a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all: what one is.
    Fixed,
    /// Upwards only: nobody wants to hear that they should shrink.
    Up,
    /// Either way.
    Any,
}

/// Where the facts of a case stand in a row, and what the choices are as bits.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    places: HashMap<String, usize>,
    texts: HashMap<String, u8>,
    ways: Vec<Way>,
}

impl Layout {
    /// Of these fields; nothing if there are too many, or if one depends on another.
    pub fn new<'a>(fields: &[Field], way: impl Fn(&str) -> Way + 'a) -> Option<Self> {
        if fields.len() > BITS || fields.iter().any(|f| f.when.is_some()) {
            return None;
        }
        let mut layout = Self::default();
        for (at, field) in fields.iter().enumerate() {
            layout.places.insert(field.id.clone(), at);
            layout.ways.push(way(&field.id));
            if let Domain::Choice(choices) | Domain::Choices(choices) = &field.domain {
                for choice in choices {
                    let next = u8::try_from(layout.texts.len()).ok()?;
                    layout.texts.entry(choice.clone()).or_insert(next);
                }
            }
        }
        (layout.texts.len() <= BITS).then_some(layout)
    }

    /// The facts of a case as a row.
    pub fn row(&self, facts: &Facts) -> Row {
        let mut row = Row(vec![None; self.places.len()]);
        for (field, value) in facts {
            self.set(&mut row, field, Some(value));
        }
        row
    }

    /// Puts a fact into a row, or takes it out.
    pub fn set(&self, row: &mut Row, field: &str, value: Option<&Value>) {
        if let Some(at) = self.places.get(field) {
            row.0[*at] = value.and_then(|v| self.word(v));
        }
    }

    /// The fields of a set of them, in the order of the layout.
    pub fn named(&self, set: u128) -> Vec<&str> {
        let mut found: Vec<(usize, &str)> = self
            .places
            .iter()
            .filter(|(_, at)| set & (1 << **at) != 0)
            .map(|(name, at)| (*at, name.as_str()))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|f| f.1).collect()
    }

    fn word(&self, value: &Value) -> Option<Word> {
        Some(match value {
            Value::Bool(b) => Word::Bool(*b),
            Value::Number(n) => Word::Number(*n),
            Value::Text(t) => Word::Text(self.texts.get(t).copied().unwrap_or(STRANGE)),
            Value::Date(d) => Word::Date(*d),
            Value::List(list) => Word::Set(self.set_of(list)),
            Value::Table(_) => return None,
        })
    }

    fn set_of(&self, list: &[String]) -> u128 {
        let bits = list.iter().filter_map(|t| self.texts.get(t));
        bits.fold(0, |set, bit| set | 1 << bit)
    }
}

/// The facts of a case. What is missing is unknown.
#[derive(Clone, Debug)]
pub struct Row(Vec<Option<Word>>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Bool(bool),
    Number(Decimal),
    Text(u8),
    Date(Date),
    Set(u128),
}

impl Word {
    fn truth(self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(b),
            _ => None,
        }
    }

    fn number(self) -> Option<Decimal> {
        match self {
            Self::Number(n) => Some(n),
            _ => None,
        }
    }
}

/// What a sieve says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All conditions are met.
    Eligible,
    /// That depends on what is not known.
    Undecided,
    /// Refused; with these facts different, as few as [`NEAR`], it would not be.
    Near(u128),
    /// Refused.
    Far,
}

impl Verdict {
    /// The same without how far.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Eligible => Outcome::Eligible,
            Self::Undecided => Outcome::Undecided,
            Self::Near(_) | Self::Far => Outcome::Ineligible,
        }
    }
}

#[derive(Clone, Debug)]
enum Code {
    Fixed(Word),
    /// Never known: a figure without a value on the day, a division by zero.
    Never,
    Fact(usize),
    /// An amount with a condition, and what it is where that does not hold.
    When(Box<(Code, Code)>, Option<Word>),
    Not(Box<Code>),
    Negative(Box<Code>),
    And(Box<(Code, Code)>),
    Or(Box<(Code, Code)>),
    Binary(Operator, Box<(Code, Code)>),
    OneOf(Box<Code>, u128),
    Has(Box<Code>, u128),
    If(Box<(Code, Code, Code)>),
    Known(Box<Code>),
    Pick(Vec<(u8, Decimal)>, Box<Code>),
    Call(Function, Vec<Code>),
}

#[derive(Clone, Debug)]
struct Condition {
    when: Option<Code>,
    require: Code,
}

/// The conditions of a book that refuse, and one of its amounts, on a day.
#[derive(Clone, Debug)]
pub struct Sieve {
    conditions: Vec<Condition>,
    amount: Option<Code>,
    ways: Vec<Way>,
}

impl Sieve {
    /// Makes a book ready. Nothing if it uses what a sieve cannot hold: then [`Book::outcome`] decides.
    pub fn new(book: &Book, layout: &Layout, on: Date, amount: Option<&str>) -> Option<Self> {
        let compiler = Compiler { book, layout, on };
        let must = book.rules.iter().filter(|r| r.severity == Severity::Must);
        let conditions = must.map(|rule| {
            let when = rule.when.as_ref().map(|w| compiler.expression(w));
            Some(Condition {
                when: match when {
                    Some(code) => Some(code?),
                    None => None,
                },
                require: compiler.expression(&rule.require)?,
            })
        });
        let amount = match amount {
            Some(name) => Some(compiler.name(name, 0)?),
            None => None,
        };
        Some(Self {
            conditions: conditions.collect::<Option<_>>()?,
            amount,
            ways: layout.ways.clone(),
        })
    }

    /// What it says of a case.
    pub fn verdict(&self, row: &Row) -> Verdict {
        let (mut open, mut unmet, mut way) = (false, false, 0);
        for condition in &self.conditions {
            match condition.state(row) {
                State::Met | State::NotApplicable => {}
                State::Unknown => open = true,
                State::Unmet => {
                    unmet = true;
                    match condition.in_the_way(row, &self.ways) {
                        Some(facts) => way |= facts,
                        None => return Verdict::Far,
                    }
                    if way.count_ones() > NEAR {
                        return Verdict::Far;
                    }
                }
            }
        }
        match (unmet, open) {
            (true, _) => Verdict::Near(way),
            (false, true) => Verdict::Undecided,
            (false, false) => Verdict::Eligible,
        }
    }

    /// The amount of a case, if it is known.
    pub fn amount(&self, row: &Row) -> Option<Decimal> {
        value(self.amount.as_ref()?, row)?.number()
    }
}

impl Condition {
    fn state(&self, row: &Row) -> State {
        let when = self.when.as_ref().map(|w| value(w, row));
        let met = |require: Option<Word>| require == Some(Word::Bool(true));
        match when.map(|w| w.and_then(Word::truth)) {
            Some(Some(false)) => State::NotApplicable,
            Some(None) if met(value(&self.require, row)) => State::Met,
            Some(None) => State::Unknown,
            None | Some(Some(true)) => match value(&self.require, row) {
                Some(Word::Bool(true)) => State::Met,
                Some(_) => State::Unmet,
                None => State::Unknown,
            },
        }
    }

    /// The fewest facts to change so that it is no longer unmet.
    fn in_the_way(&self, row: &Row, ways: &[Way]) -> Option<u128> {
        let met = in_the_way(&self.require, row, true, ways);
        let spared = self
            .when
            .as_ref()
            .and_then(|w| in_the_way(w, row, false, ways));
        fewer(met, spared)
    }
}

fn fewer(a: Option<u128>, b: Option<u128>) -> Option<u128> {
    match (a, b) {
        (Some(a), Some(b)) if b.count_ones() < a.count_ones() => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

/// The facts to change so that a condition turns to what is wanted; nothing if none of them can be changed.
fn in_the_way(code: &Code, row: &Row, wanted: bool, ways: &[Way]) -> Option<u128> {
    match value(code, row).and_then(Word::truth) {
        Some(truth) if truth == wanted => return Some(0),
        // What is not known does not stand in the way yet.
        None => return Some(0),
        Some(_) => {}
    }
    match code {
        Code::Not(inner) => in_the_way(inner, row, !wanted, ways),
        Code::And(sides) | Code::Or(sides) => {
            let a = in_the_way(&sides.0, row, wanted, ways);
            let b = in_the_way(&sides.1, row, wanted, ways);
            if matches!(code, Code::And(_)) == wanted {
                Some(a? | b?)
            } else {
                fewer(a, b)
            }
        }
        Code::Binary(operator, sides) => {
            let up = |greater_left: bool| match operator {
                Operator::Greater | Operator::GreaterOrEqual => Some(greater_left == wanted),
                Operator::Less | Operator::LessOrEqual => Some(greater_left != wanted),
                _ => None,
            };
            // A lone fact on a side has to move in one direction; in a computation either may do.
            let movable = |code: &Code, greater_left: bool| match code {
                Code::Fact(at) => match (ways[*at], up(greater_left)) {
                    (Way::Fixed, _) | (Way::Up, Some(false)) => None,
                    _ => Some(1 << at),
                },
                code => free(code, ways),
            };
            movable(&sides.0, true).or_else(|| movable(&sides.1, false))
        }
        code => free(code, ways),
    }
}

/// The first fact of a computation that can be changed.
fn free(code: &Code, ways: &[Way]) -> Option<u128> {
    let of = |code: &Code| free(code, ways);
    match code {
        Code::Fixed(_) | Code::Never => None,
        Code::Fact(at) => (ways[*at] != Way::Fixed).then_some(1 << at),
        Code::Not(a) | Code::Negative(a) | Code::Known(a) => of(a),
        Code::OneOf(a, _) | Code::Has(a, _) | Code::Pick(_, a) => of(a),
        Code::When(sides, _) => of(&sides.1).or_else(|| of(&sides.0)),
        Code::And(sides) | Code::Or(sides) | Code::Binary(_, sides) => {
            of(&sides.0).or_else(|| of(&sides.1))
        }
        Code::If(parts) => of(&parts.1)
            .or_else(|| of(&parts.2))
            .or_else(|| of(&parts.0)),
        Code::Call(_, arguments) => arguments.iter().find_map(of),
    }
}

/// Nothing both for what is unknown and for what cannot be worked out: neither decides anything.
fn value(code: &Code, row: &Row) -> Option<Word> {
    let truth = |code: &Code| value(code, row).and_then(Word::truth);
    match code {
        Code::Fixed(word) => Some(*word),
        Code::Never => None,
        Code::Fact(at) => row.0[*at],
        Code::When(sides, otherwise) => match truth(&sides.0)? {
            true => value(&sides.1, row),
            false => *otherwise,
        },
        Code::Not(a) => truth(a).map(|b| Word::Bool(!b)),
        Code::Negative(a) => Some(Word::Number(-value(a, row)?.number()?)),
        Code::And(sides) => connect(truth(&sides.0), || truth(&sides.1), false),
        Code::Or(sides) => connect(truth(&sides.0), || truth(&sides.1), true),
        Code::Binary(operator, sides) => {
            binary(*operator, value(&sides.0, row)?, value(&sides.1, row)?)
        }
        Code::OneOf(a, set) => match value(a, row)? {
            Word::Text(STRANGE) => Some(Word::Bool(false)),
            Word::Text(t) => Some(Word::Bool(set & (1 << t) != 0)),
            _ => None,
        },
        Code::Has(a, bit) => match value(a, row)? {
            Word::Set(set) => Some(Word::Bool(set & bit != 0)),
            _ => None,
        },
        Code::If(parts) => match truth(&parts.0) {
            Some(true) => value(&parts.1, row),
            Some(false) => value(&parts.2, row),
            None => value(&parts.1, row).filter(|a| value(&parts.2, row) == Some(*a)),
        },
        Code::Known(a) => Some(Word::Bool(value(a, row).is_some())),
        Code::Pick(table, key) => match value(key, row)? {
            Word::Text(t) => {
                let found = table.iter().find(|e| e.0 == t && t != STRANGE)?;
                Some(Word::Number(found.1))
            }
            _ => None,
        },
        Code::Call(function, arguments) => match arguments.as_slice() {
            [a] => call(*function, &[value(a, row)?]),
            [a, b] => call(*function, &[value(a, row)?, value(b, row)?]),
            all => {
                let all: Option<Vec<Word>> = all.iter().map(|a| value(a, row)).collect();
                call(*function, &all?)
            }
        },
    }
}

/// Kleene's `and` (decided by false) and `or` (decided by true).
fn connect(a: Option<bool>, b: impl FnOnce() -> Option<bool>, decisive: bool) -> Option<Word> {
    if a == Some(decisive) {
        return Some(Word::Bool(decisive));
    }
    match (a, b()) {
        (_, Some(b)) if b == decisive => Some(Word::Bool(decisive)),
        (Some(_), Some(_)) => Some(Word::Bool(!decisive)),
        _ => None,
    }
}

fn binary(operator: Operator, a: Word, b: Word) -> Option<Word> {
    use Operator as O;
    if let (Word::Number(x), Word::Number(y)) = (a, b) {
        match operator {
            O::Add => return x.checked_add(y).map(Word::Number),
            O::Subtract => return x.checked_sub(y).map(Word::Number),
            O::Multiply => return x.checked_mul(y).map(Word::Number),
            O::Divide => return x.checked_div(y).map(Word::Number),
            _ => {}
        }
    }
    let order = match (a, b) {
        (Word::Number(x), Word::Number(y)) => Some(x.cmp(&y)),
        (Word::Date(x), Word::Date(y)) => Some(x.cmp(&y)),
        _ => None,
    };
    Some(Word::Bool(match operator {
        O::Equal => a == b,
        O::Unequal => a != b,
        O::Less => order?.is_lt(),
        O::LessOrEqual => order?.is_le(),
        O::Greater => order?.is_gt(),
        O::GreaterOrEqual => order?.is_ge(),
        _ => return None,
    }))
}

fn call(function: Function, arguments: &[Word]) -> Option<Word> {
    use Function as F;
    use Word::{Date as D, Number as N};
    Some(match (function, arguments) {
        (F::Min | F::Max, [first, rest @ ..]) => {
            let better = if function == F::Min {
                O::Less
            } else {
                O::Greater
            };
            use Operator as O;
            rest.iter().try_fold(*first, |best, next| {
                let wins = binary(better, *next, best)?.truth()?;
                Some(if wins { *next } else { best })
            })?
        }
        (F::Round, [N(x), N(digits)]) => {
            N(x.round_dp_with_strategy(digits.to_u32()?, RoundingStrategy::MidpointAwayFromZero))
        }
        (F::Floor, [N(x)]) => N(x.floor()),
        (F::Ceil, [N(x)]) => N(x.ceil()),
        (F::MonthsBetween, [D(a), D(b)]) => N(months(*a, *b)?.into()),
        (F::YearsBetween, [D(a), D(b)]) => N((months(*a, *b)? / 12).into()),
        (F::DaysBetween, [D(a), D(b)]) => {
            let span = a.until((jiff::Unit::Day, *b)).ok()?;
            N(span.get_days().into())
        }
        (F::AddDays, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_days(n))?,
        (F::AddMonths, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_months(n))?,
        (F::AddYears, [D(d), N(n)]) => later(*d, *n, |n| 0.days().try_years(n))?,
        _ => return None,
    })
}

fn later(
    from: Date,
    n: Decimal,
    span: impl Fn(i64) -> Result<jiff::Span, jiff::Error>,
) -> Option<Word> {
    let span = span(n.floor().to_i64()?).ok()?;
    from.checked_add(span).ok().map(Word::Date)
}

/// Full months from one day to another, negative if the other is earlier; a month is full on the same day of the month, or on
/// the last day of a shorter one.
fn months(from: Date, to: Date) -> Option<i64> {
    if to < from {
        return Some(-months(to, from)?);
    }
    let months = (i64::from(to.year()) - i64::from(from.year())) * 12 + i64::from(to.month())
        - i64::from(from.month());
    let due = from.day().min(to.days_in_month());
    Some(months - i64::from(due > to.day()))
}

struct Compiler<'a> {
    book: &'a Book,
    layout: &'a Layout,
    on: Date,
}

impl Compiler<'_> {
    fn expression(&self, expression: &Expression) -> Option<Code> {
        self.node(expression.root(), 0)
    }

    fn node(&self, node: &Node, depth: usize) -> Option<Code> {
        let of = |n: &Node| self.node(n, depth);
        let boxed = |n: &Node| of(n).map(Box::new);
        let two = |a: &Node, b: &Node| Some(Box::new((of(a)?, of(b)?)));
        let code = match &node.kind {
            Kind::Literal(Value::Text(text)) => {
                Code::Fixed(Word::Text(*self.layout.texts.get(text)?))
            }
            Kind::Literal(value) => Code::Fixed(self.layout.word(value)?),
            // Only after `in`.
            Kind::Texts(_) => return None,
            Kind::Name(name) => self.name(name, depth)?,
            Kind::Not(a) => Code::Not(boxed(a)?),
            Kind::Negative(a) => Code::Negative(boxed(a)?),
            Kind::Binary(Operator::And, a, b) => Code::And(two(a, b)?),
            Kind::Binary(Operator::Or, a, b) => Code::Or(two(a, b)?),
            Kind::Binary(Operator::In, a, b) => match &b.kind {
                Kind::Texts(texts) => Code::OneOf(boxed(a)?, self.layout.set_of(texts)),
                _ => return None,
            },
            Kind::Binary(operator, a, b) => Code::Binary(*operator, two(a, b)?),
            Kind::Call(function, arguments) => self.call(*function, arguments, depth)?,
        };
        // What stands on nothing of the case is computed now.
        Some(if code.is_fixed() {
            value(&code, &Row(Vec::new())).map_or(Code::Never, Code::Fixed)
        } else {
            code
        })
    }

    fn call(&self, function: Function, arguments: &[Node], depth: usize) -> Option<Code> {
        let of = |n: &Node| self.node(n, depth);
        Some(match (function, arguments) {
            (Function::If, [c, a, b]) => Code::If(Box::new((of(c)?, of(a)?, of(b)?))),
            (Function::Known, [a]) => Code::Known(Box::new(of(a)?)),
            (Function::Has, [list, one]) => match &one.kind {
                Kind::Literal(Value::Text(text)) => {
                    Code::Has(Box::new(of(list)?), 1 << self.layout.texts.get(text)?)
                }
                _ => return None,
            },
            (Function::Date, [text]) => match &text.kind {
                Kind::Literal(Value::Text(text)) => Code::Fixed(Word::Date(text.parse().ok()?)),
                _ => return None,
            },
            (Function::Age, [born]) => {
                let today = Code::Fixed(Word::Date(self.on));
                Code::Call(Function::YearsBetween, vec![of(born)?, today])
            }
            (Function::Pick, [table, key]) => match &table.kind {
                Kind::Name(name) => {
                    let Some(Value::Table(table)) = self.figure(name) else {
                        return Some(Code::Never);
                    };
                    let known = table
                        .iter()
                        .filter_map(|(k, v)| Some((*self.layout.texts.get(k)?, *v)));
                    Code::Pick(known.collect(), Box::new(of(key)?))
                }
                _ => return None,
            },
            _ => Code::Call(function, arguments.iter().map(of).collect::<Option<_>>()?),
        })
    }

    fn figure(&self, name: &str) -> Option<Value> {
        let dated = self.book.parameter(name)?.on(self.on)?;
        Some((&dated.value).into())
    }

    fn name(&self, name: &str, depth: usize) -> Option<Code> {
        if name == "today" {
            return Some(Code::Fixed(Word::Date(self.on)));
        }
        if self.book.field(name).is_some() {
            return self.layout.places.get(name).map(|at| Code::Fact(*at));
        }
        if let Some(amount) = self.book.amount(name) {
            if depth >= DEPTH {
                return None;
            }
            let code = self.node(amount.value.root(), depth + 1)?;
            let Some(when) = &amount.when else {
                return Some(code);
            };
            let when = self.node(when.root(), depth + 1)?;
            let zero = Word::Number(Decimal::ZERO);
            let otherwise = (amount.kind == AmountKind::Number).then_some(zero);
            return Some(Code::When(Box::new((when, code)), otherwise));
        }
        // A table stands only in `pick`.
        Some(match self.figure(name) {
            Some(figure) => Code::Fixed(self.layout.word(&figure)?),
            None => Code::Never,
        })
    }
}

impl Code {
    /// Whether its parts are known whatever the case.
    fn is_fixed(&self) -> bool {
        let known = |code: &Self| matches!(code, Self::Fixed(_) | Self::Never);
        match self {
            Self::Fixed(_) | Self::Never => true,
            Self::Fact(_) => false,
            Self::Not(a) | Self::Negative(a) | Self::Known(a) => known(a),
            Self::OneOf(a, _) | Self::Has(a, _) | Self::Pick(_, a) => known(a),
            Self::When(sides, _) | Self::And(sides) | Self::Or(sides) | Self::Binary(_, sides) => {
                known(&sides.0) && known(&sides.1)
            }
            Self::If(parts) => known(&parts.0) && known(&parts.1) && known(&parts.2),
            Self::Call(_, arguments) => arguments.iter().all(known),
        }
    }
}
