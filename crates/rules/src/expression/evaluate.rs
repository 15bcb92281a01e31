//! Evaluation in three values: what does not depend on an unknown fact is known.

use jiff::civil::Date;

use super::{Expression, Function, Kind, Node, Operator};
use crate::value::{Datum, Value};

/// Why an expression has no value although everything is known: a division by zero, a parameter without a value on the day,
/// a number too large, a choice that a table lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unworkable(pub String);

/// Where an expression finds the values of names.
pub trait Environment {
    /// The value of a name; nothing if it is not known yet.
    ///
    /// # Errors
    /// If it cannot have one.
    fn value(&self, name: &str) -> Result<Option<Value>, Unworkable>;

    /// The day of the case.
    fn today(&self) -> Date;
}

type Evaluated = Result<Option<Value>, Unworkable>;

impl Expression {
    /// Its value; nothing while that depends on what is not known.
    ///
    /// # Errors
    /// Why it cannot have one.
    pub fn evaluate(&self, environment: &impl Environment) -> Evaluated {
        evaluate(&self.root, environment)
    }
}

pub(super) fn evaluate(node: &Node, environment: &impl Environment) -> Evaluated {
    match &node.kind {
        Kind::Literal(value) => Ok(Some(value.clone())),
        Kind::Texts(texts) => Ok(Some(Value::List(texts.clone()))),
        Kind::Name(name) if name == "today" => Ok(Some(environment.today().into())),
        Kind::Name(name) => environment.value(name),
        Kind::Not(inner) => {
            let inner = evaluate(inner, environment)?;
            Ok(inner.and_then(|v| v.truth()).map(|b| (!b).into()))
        }
        Kind::Negative(inner) => {
            let inner = evaluate(inner, environment)?;
            Ok(inner.and_then(|v| v.number()).map(|n| (-n).into()))
        }
        Kind::Binary(Operator::And, a, b) => connect(a, b, false, environment),
        Kind::Binary(Operator::Or, a, b) => connect(a, b, true, environment),
        Kind::Binary(operator, a, b) => {
            let (a, b) = (evaluate(a, environment)?, evaluate(b, environment)?);
            match (a, b) {
                (Some(a), Some(b)) => {
                    apply(*operator, a.datum(), b.datum()).map(|v| Some(v.owned()))
                }
                _ => Ok(None),
            }
        }
        Kind::Call(Function::If, arguments) => choose(arguments, environment),
        Kind::Call(Function::Known, arguments) => {
            let known = evaluate(&arguments[0], environment).is_ok_and(|v| v.is_some());
            Ok(Some(known.into()))
        }
        Kind::Call(function, arguments) => {
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                match evaluate(argument, environment)? {
                    Some(value) => values.push(value),
                    None => return Ok(None),
                }
            }
            let data: Vec<Datum<'_>> = values.iter().map(Value::datum).collect();
            let result = function.apply(&data, environment.today());
            result
                .map(|v| Some(v.owned()))
                .ok_or_else(|| Unworkable(unworkable(*function, &values)))
        }
    }
}

/// Kleene's `and` (decided by false) and `or` (decided by true): one side that decides is enough, whatever becomes of the
/// other.
fn connect(a: &Node, b: &Node, decisive: bool, environment: &impl Environment) -> Evaluated {
    let truth = |node: &Node| evaluate(node, environment).map(|v| v.and_then(|v| v.truth()));
    let a = truth(a);
    if a == Ok(Some(decisive)) {
        return Ok(Some(decisive.into()));
    }
    match (a, truth(b)) {
        (_, Ok(Some(b))) if b == decisive => Ok(Some(decisive.into())),
        (Ok(Some(_)), Ok(Some(_))) => Ok(Some((!decisive).into())),
        // What is not known yet may still decide.
        (Ok(None), _) | (_, Ok(None)) => Ok(None),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

fn choose(arguments: &[Node], environment: &impl Environment) -> Evaluated {
    let [condition, a, b] = arguments else {
        return Ok(None);
    };
    let condition = evaluate(condition, environment).map(|v| v.and_then(|v| v.truth()));
    match condition {
        Ok(Some(true)) => evaluate(a, environment),
        Ok(Some(false)) => evaluate(b, environment),
        // Whichever it is, the result may be the same. A branch that cannot be worked out may not be taken.
        open => match (evaluate(a, environment), evaluate(b, environment)) {
            (Ok(Some(a)), Ok(Some(b))) if a == b => Ok(Some(a)),
            _ => open.map(|_| None),
        },
    }
}

pub(crate) fn apply<'a>(
    operator: Operator,
    a: Datum<'a>,
    b: Datum<'a>,
) -> Result<Datum<'a>, Unworkable> {
    use Operator as O;
    if let (Datum::Number(x), Datum::Number(y)) = (a, b) {
        let computed = match operator {
            O::Add => Some(x.checked_add(y)),
            O::Subtract => Some(x.checked_sub(y)),
            O::Multiply => Some(x.checked_mul(y)),
            O::Divide if y.is_zero() => return Err(Unworkable("除数是零".to_owned())),
            O::Divide => Some(x.checked_div(y)),
            _ => None,
        };
        if let Some(result) = computed {
            return result
                .map(Datum::Number)
                .ok_or_else(|| Unworkable("数太大，算不出来".to_owned()));
        }
    }
    Ok(Datum::Bool(match operator {
        O::Equal => a == b,
        O::Unequal => a != b,
        O::Less => a < b,
        O::LessOrEqual => a <= b,
        O::Greater => a > b,
        O::GreaterOrEqual => a >= b,
        O::In => {
            matches!((a, b), (Datum::Text(one), Datum::List(list)) if list.iter().any(|l| l == one))
        }
        _ => return Err(Unworkable("类型不对".to_owned())),
    }))
}

fn unworkable(function: Function, arguments: &[Value]) -> String {
    match (function, arguments) {
        (Function::Pick, [_, key]) => format!("表里没有“{key}”"),
        (Function::Date, [text]) => format!("“{text}”不是日期"),
        _ => format!("{}算不出来", function.name()),
    }
}
