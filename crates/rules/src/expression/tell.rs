//! How a result came about, in a line that a citizen can follow with a calculator.

use super::{Environment, Expression, Function, Kind, Node, Operator, evaluate::evaluate};
use crate::value::Value;

/// How names and values are told.
pub trait Labels {
    /// What a name is called.
    fn label(&self, name: &str) -> String;
    /// How a value of a name is told, e.g. with its unit, or a choice by its label.
    fn told(&self, name: &str, value: &Value) -> String;
}

impl Expression {
    /// The computation with the values put in, e.g. `缴费基数9000元 ÷ 30 × 产假天数158天`. Of a conditional, the branch taken.
    pub fn tell(&self, environment: &impl Environment, labels: &impl Labels) -> String {
        tell(&self.root, 0, environment, labels)
    }
}

fn tell(node: &Node, within: u8, environment: &impl Environment, labels: &impl Labels) -> String {
    let inner = |n: &Node, strength: u8| tell(n, strength, environment, labels);
    match &node.kind {
        Kind::Literal(value) => value.to_string(),
        Kind::Texts(texts) => texts.join("、"),
        Kind::Name(name) if name == "today" => Value::from(environment.today()).to_string(),
        Kind::Name(name) => {
            let label = labels.label(name);
            match environment.value(name) {
                Ok(Some(Value::Table(_))) => label,
                Ok(Some(value)) => format!("{label}{}", labels.told(name, &value)),
                _ => format!("{label}（待定）"),
            }
        }
        Kind::Not(a) => format!("不是（{}）", inner(a, 0)),
        Kind::Negative(a) => format!("−{}", inner(a, 7)),
        Kind::Binary(operator, a, b) => {
            let (sign, strength) = sign(*operator);
            // The right side of − and ÷ keeps its brackets.
            let right =
                strength + u8::from(matches!(operator, Operator::Subtract | Operator::Divide));
            let text = format!(
                "{}{sign}{}",
                choice(a, b, labels).unwrap_or_else(|| inner(a, strength)),
                choice(b, a, labels).unwrap_or_else(|| inner(b, right))
            );
            if strength < within {
                format!("（{text}）")
            } else {
                text
            }
        }
        Kind::Call(Function::If, arguments) => {
            let taken = match evaluate(&arguments[0], environment) {
                Ok(Some(Value::Bool(true))) => Some(&arguments[1]),
                Ok(Some(Value::Bool(false))) => Some(&arguments[2]),
                // Whichever it is, the result is the same, or it is not known yet.
                _ => match evaluate(node, environment) {
                    Ok(Some(_)) => Some(&arguments[1]),
                    _ => None,
                },
            };
            taken.map_or_else(|| "（待定）".to_owned(), |n| inner(n, within))
        }
        Kind::Call(Function::Round, arguments) => inner(&arguments[0], within),
        Kind::Call(function, arguments) => call(*function, arguments, environment, labels),
    }
}

/// A choice that a name is compared with, as people call it.
fn choice(node: &Node, name: &Node, labels: &impl Labels) -> Option<String> {
    let Kind::Name(name) = &name.kind else {
        return None;
    };
    match &node.kind {
        Kind::Literal(value @ Value::Text(_)) => Some(labels.told(name, value)),
        Kind::Texts(texts) => {
            let told = texts.iter().map(|t| labels.told(name, &t.as_str().into()));
            Some(told.collect::<Vec<_>>().join("、"))
        }
        _ => None,
    }
}

fn call(
    function: Function,
    arguments: &[Node],
    environment: &impl Environment,
    labels: &impl Labels,
) -> String {
    let told: Vec<_> = arguments
        .iter()
        .map(|a| tell(a, 0, environment, labels))
        .collect();
    let listed = told.join("，");
    let first = told.first().cloned().unwrap_or_default();
    let second = told.get(1).cloned().unwrap_or_default();
    match function {
        Function::Min => format!("（{listed}）中较小的"),
        Function::Max => format!("（{listed}）中较大的"),
        Function::Date => {
            let day = first.parse::<jiff::civil::Date>();
            day.map_or(first, |d| Value::from(d).to_string())
        }
        Function::Round | Function::If => first,
        Function::Floor => format!("（{first}）取整"),
        Function::Ceil => format!("（{first}）向上取整"),
        Function::Age => format!("{first}起的周岁"),
        Function::YearsBetween => format!("{first}至{second}的周年数"),
        Function::MonthsBetween => format!("{first}至{second}的整月数"),
        Function::DaysBetween => format!("{first}至{second}的天数"),
        Function::AddDays => format!("{first}后{second}天"),
        Function::AddMonths => format!("{first}后{second}个月"),
        Function::AddYears => format!("{first}后{second}年"),
        Function::Pick => {
            let picked = evaluate(
                &Node {
                    at: 0..0,
                    kind: Kind::Call(function, arguments.to_vec()),
                },
                environment,
            );
            match picked {
                Ok(Some(value)) => format!("{first}（{second}）{value}"),
                _ => format!("{first}（{second}）"),
            }
        }
        Function::Known => format!("已知{first}"),
        Function::Has => {
            let one = choice(&arguments[1], &arguments[0], labels);
            format!("{first}包含{}", one.unwrap_or(second))
        }
    }
}

fn sign(operator: Operator) -> (&'static str, u8) {
    match operator {
        Operator::Or => ("或者", 1),
        Operator::And => ("并且", 2),
        Operator::Equal => (" = ", 4),
        Operator::Unequal => (" ≠ ", 4),
        Operator::Less => (" < ", 4),
        Operator::LessOrEqual => (" ≤ ", 4),
        Operator::Greater => (" > ", 4),
        Operator::GreaterOrEqual => (" ≥ ", 4),
        Operator::In => ("属于", 4),
        Operator::Add => (" + ", 5),
        Operator::Subtract => (" − ", 5),
        Operator::Multiply => (" × ", 6),
        Operator::Divide => (" ÷ ", 6),
    }
}
