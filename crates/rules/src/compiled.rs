//! A book made ready for many cases: names are looked up once, figures and the day are put in, what is fixed is computed.
//! The results are those of [`Book::outcome`].

use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    assessment::{Outcome, State},
    book::{AmountKind, Book, Domain, Facts, Severity},
    expression::{Function, Kind, Node, Operator, apply},
    value::{Datum, Value},
};

/// The facts of a case in the order of the fields: what is missing is unknown.
pub type Profile = Vec<Option<Value>>;

/// Which field stands where in a profile. Books that share their fields share their profiles.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Layout {
    /// Of these fields, in this order.
    pub fn new<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        let places = names.iter().enumerate();
        Self {
            places: places.map(|(at, name)| (name.clone(), at)).collect(),
            names,
        }
    }

    /// The facts of a case laid out; those that are not of the layout are left out.
    pub fn profile(&self, facts: &Facts) -> Profile {
        self.names.iter().map(|n| facts.get(n).cloned()).collect()
    }

    /// Where a field stands.
    pub fn place(&self, field: &str) -> Option<usize> {
        self.places.get(field).copied()
    }
}

#[derive(Clone, Debug)]
enum Code {
    /// Known, whatever the case.
    Fixed(Value),
    /// Never known: a figure without a value on the day, a division by zero.
    Never,
    /// A field by its place.
    Fact(usize),
    /// What has a condition: a field or an amount, and what it counts as where the condition does not hold.
    When(Box<(Code, Code, Option<Value>)>),
    Not(Box<Code>),
    Negative(Box<Code>),
    And(Box<(Code, Code)>),
    Or(Box<(Code, Code)>),
    Binary(Operator, Box<(Code, Code)>),
    If(Box<(Code, Code, Code)>),
    Known(Box<Code>),
    Call(Function, Vec<Code>),
}

#[derive(Clone, Debug)]
struct Condition {
    /// Its place in the book.
    rule: usize,
    when: Option<Code>,
    require: Code,
}

/// The conditions of a book that refuse, on a day.
#[derive(Clone, Debug)]
pub struct Program {
    conditions: Vec<Condition>,
    on: Date,
}

/// Amounts that stand on themselves are no good: a depth and a size that none that is sound reaches.
const DEPTH: usize = 64;
const NAMES: usize = 200_000;

struct Compiler<'a> {
    book: &'a Book,
    layout: &'a Layout,
    on: Date,
    depth: usize,
    names: usize,
}

impl Program {
    /// Makes a book ready for cases on a day.
    pub fn new(book: &Book, layout: &Layout, on: Date) -> Self {
        let mut compiler = Compiler {
            book,
            layout,
            on,
            depth: 0,
            names: 0,
        };
        let must = book.rules.iter().enumerate();
        let must = must.filter(|(_, r)| r.severity == Severity::Must);
        let conditions = must.map(|(rule, r)| Condition {
            rule,
            when: r.when.as_ref().map(|w| compiler.node(w.root())),
            require: compiler.node(r.require.root()),
        });
        Self {
            conditions: conditions.collect(),
            on,
        }
    }

    /// Whether all conditions are met.
    pub fn outcome(&self, profile: &Profile) -> Outcome {
        let mut outcome = Outcome::Eligible;
        for condition in &self.conditions {
            match self.judge(condition, profile) {
                State::Unmet => return Outcome::Ineligible,
                State::Unknown => outcome = Outcome::Undecided,
                State::Met | State::NotApplicable => {}
            }
        }
        outcome
    }

    /// The places of the rules that refuse in the book.
    pub(crate) fn rules(&self) -> impl Iterator<Item = usize> + '_ {
        self.conditions.iter().map(|c| c.rule)
    }

    /// What becomes of a condition, by its place among those that refuse.
    pub(crate) fn state(&self, at: usize, profile: &Profile) -> State {
        self.judge(&self.conditions[at], profile)
    }

    fn judge(&self, condition: &Condition, profile: &Profile) -> State {
        let truth = |code: &Code| self.value(code, profile).and_then(Datum::truth);
        match condition.when.as_ref().map(truth) {
            Some(Some(false)) => State::NotApplicable,
            Some(None) => match truth(&condition.require) {
                Some(true) => State::Met,
                _ => State::Unknown,
            },
            None | Some(Some(true)) => match self.value(&condition.require, profile) {
                Some(Datum::Bool(true)) => State::Met,
                Some(_) => State::Unmet,
                None => State::Unknown,
            },
        }
    }

    fn value<'a>(&'a self, code: &'a Code, profile: &'a Profile) -> Option<Datum<'a>> {
        value(code, profile, self.on)
    }
}

/// Nothing both for what is unknown and for what cannot be worked out: neither decides anything.
fn value<'a>(code: &'a Code, profile: &'a Profile, on: Date) -> Option<Datum<'a>> {
    let of = |code: &'a Code| value(code, profile, on);
    let truth = |code: &'a Code| of(code).and_then(Datum::truth);
    match code {
        Code::Fixed(value) => Some(value.datum()),
        Code::Never => None,
        Code::Fact(at) => profile[*at].as_ref().map(Value::datum),
        Code::When(parts) => match truth(&parts.0)? {
            true => of(&parts.1),
            false => parts.2.as_ref().map(Value::datum),
        },
        Code::Not(a) => truth(a).map(|b| Datum::Bool(!b)),
        Code::Negative(a) => match of(a)? {
            Datum::Number(n) => Some(Datum::Number(-n)),
            _ => None,
        },
        Code::And(sides) => connect(truth(&sides.0), || truth(&sides.1), false),
        Code::Or(sides) => connect(truth(&sides.0), || truth(&sides.1), true),
        Code::Binary(operator, sides) => apply(*operator, of(&sides.0)?, of(&sides.1)?).ok(),
        Code::If(parts) => match truth(&parts.0) {
            Some(true) => of(&parts.1),
            Some(false) => of(&parts.2),
            None => of(&parts.1).filter(|a| of(&parts.2).as_ref() == Some(a)),
        },
        Code::Known(a) => Some(Datum::Bool(of(a).is_some())),
        // Most functions take one or two: without a place on the heap.
        Code::Call(function, arguments) => match arguments.as_slice() {
            [a] => function.apply(&[of(a)?], on),
            [a, b] => function.apply(&[of(a)?, of(b)?], on),
            all => {
                let all: Option<Vec<_>> = all.iter().map(of).collect();
                function.apply(&all?, on)
            }
        },
    }
}

fn connect<'a>(
    a: Option<bool>,
    b: impl FnOnce() -> Option<bool>,
    decisive: bool,
) -> Option<Datum<'a>> {
    if a == Some(decisive) {
        return Some(Datum::Bool(decisive));
    }
    match (a, b()) {
        (_, Some(b)) if b == decisive => Some(Datum::Bool(decisive)),
        (Some(_), Some(_)) => Some(Datum::Bool(!decisive)),
        _ => None,
    }
}

impl Compiler<'_> {
    fn node(&mut self, node: &Node) -> Code {
        let mut two = |a: &Node, b: &Node| Box::new((self.node(a), self.node(b)));
        let code = match &node.kind {
            Kind::Literal(value) => return Code::Fixed(value.clone()),
            Kind::Texts(texts) => return Code::Fixed(Value::List(texts.clone())),
            Kind::Name(name) => return self.name(name),
            Kind::Binary(Operator::And, a, b) => Code::And(two(a, b)),
            Kind::Binary(Operator::Or, a, b) => Code::Or(two(a, b)),
            Kind::Binary(operator, a, b) => Code::Binary(*operator, two(a, b)),
            Kind::Not(a) => Code::Not(Box::new(self.node(a))),
            Kind::Negative(a) => Code::Negative(Box::new(self.node(a))),
            Kind::Call(function, arguments) => {
                let mut codes: Vec<Code> = arguments.iter().map(|a| self.node(a)).collect();
                match (function, codes.len()) {
                    (Function::If, 3) => {
                        let b = codes.pop().unwrap_or(Code::Never);
                        let a = codes.pop().unwrap_or(Code::Never);
                        let condition = codes.pop().unwrap_or(Code::Never);
                        Code::If(Box::new((condition, a, b)))
                    }
                    (Function::Known, 1) => {
                        Code::Known(Box::new(codes.pop().unwrap_or(Code::Never)))
                    }
                    _ => Code::Call(*function, codes),
                }
            }
        };
        self.folded(code)
    }

    /// What stands on nothing of the case is computed now.
    fn folded(&self, code: Code) -> Code {
        if !code.fixed() {
            return code;
        }
        match value(&code, &Vec::new(), self.on).map(Datum::owned) {
            Some(value) => Code::Fixed(value),
            None => Code::Never,
        }
    }

    fn name(&mut self, name: &str) -> Code {
        if name == "today" {
            return Code::Fixed(self.on.into());
        }
        self.names += 1;
        if self.depth >= DEPTH || self.names > NAMES {
            return Code::Never;
        }
        self.depth += 1;
        let code = self.named(name);
        self.depth -= 1;
        code
    }

    fn named(&mut self, name: &str) -> Code {
        let book = self.book;
        if let Some(field) = book.field(name) {
            let Some(place) = self.layout.place(name) else {
                return Code::Never;
            };
            let Some(when) = &field.when else {
                return Code::Fact(place);
            };
            let when = self.node(when.root());
            return self.when(when, Code::Fact(place), nothing(&field.domain));
        }
        if let Some(amount) = book.amount(name) {
            let code = self.node(amount.value.root());
            let Some(when) = &amount.when else {
                return code;
            };
            let when = self.node(when.root());
            let zero = (amount.kind == AmountKind::Number).then(|| Decimal::ZERO.into());
            return self.when(when, code, zero);
        }
        let figure = book.parameter(name).and_then(|p| p.on(self.on));
        figure.map_or(Code::Never, |dated| Code::Fixed((&dated.value).into()))
    }

    fn when(&self, condition: Code, code: Code, otherwise: Option<Value>) -> Code {
        match (condition, otherwise) {
            (Code::Fixed(Value::Bool(true)), _) => code,
            (Code::Fixed(Value::Bool(false)), Some(value)) => Code::Fixed(value),
            (condition, otherwise) => Code::When(Box::new((condition, code, otherwise))),
        }
    }
}

/// What a field that does not apply counts as: no, 0, none of the choices.
pub(crate) fn nothing(domain: &Domain) -> Option<Value> {
    match domain {
        Domain::Bool => Some(false.into()),
        Domain::Number { .. } => Some(0.into()),
        Domain::Choices(_) => Some(Value::List(Vec::new())),
        Domain::Choice(_) => Some("".into()),
        Domain::Date { .. } | Domain::Text => None,
    }
}

impl Code {
    /// Whether its parts are known whatever the case.
    fn fixed(&self) -> bool {
        let known = |code: &Self| matches!(code, Self::Fixed(_) | Self::Never);
        match self {
            Self::Fixed(_) | Self::Never => true,
            Self::Fact(_) => false,
            Self::When(parts) => known(&parts.0) && known(&parts.1),
            Self::Not(a) | Self::Negative(a) | Self::Known(a) => known(a),
            Self::And(sides) | Self::Or(sides) | Self::Binary(_, sides) => {
                known(&sides.0) && known(&sides.1)
            }
            Self::If(parts) => known(&parts.0) && known(&parts.1) && known(&parts.2),
            Self::Call(_, arguments) => arguments.iter().all(known),
        }
    }
}
