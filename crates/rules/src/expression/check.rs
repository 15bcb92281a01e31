//! Whether an expression makes sense, before anybody's case is decided by it.

use super::{Expression, Fault, Function, Kind, Node, Operator};
use crate::value::{Datum, Type};

/// The types of the names that an expression may use.
pub trait Names {
    /// The type of a name, if there is such a name.
    fn type_of(&self, name: &str) -> Option<Type>;
}

impl<F: Fn(&str) -> Option<Type>> Names for F {
    fn type_of(&self, name: &str) -> Option<Type> {
        self(name)
    }
}

impl Expression {
    /// The type of its result.
    ///
    /// # Errors
    /// The first thing that makes no sense: an unknown name, a type that does not fit.
    pub fn check(&self, names: &impl Names) -> Result<Type, Fault> {
        check(&self.root, names)
    }

    /// The same, and the result must be of a type.
    ///
    /// # Errors
    /// As [`Expression::check`].
    pub fn check_as(&self, wanted: Type, names: &impl Names) -> Result<(), Fault> {
        expect(&self.root, wanted, names)
    }
}

fn fault(node: &Node, message: impl Into<String>) -> Fault {
    Fault {
        at: node.at.clone(),
        message: message.into(),
    }
}

fn expect(node: &Node, wanted: Type, names: &impl Names) -> Result<(), Fault> {
    let found = check(node, names)?;
    if found == wanted {
        return Ok(());
    }
    Err(fault(
        node,
        format!("这里应当是{}，却是{}", wanted.name(), found.name()),
    ))
}

fn check(node: &Node, names: &impl Names) -> Result<Type, Fault> {
    Ok(match &node.kind {
        Kind::Literal(value) => value.kind(),
        Kind::Texts(_) => Type::List,
        Kind::Name(name) if name == "today" => Type::Date,
        Kind::Name(name) => names
            .type_of(name)
            .ok_or_else(|| fault(node, format!("没有叫“{name}”的字段、参数或算式")))?,
        Kind::Not(inner) => {
            expect(inner, Type::Bool, names)?;
            Type::Bool
        }
        Kind::Negative(inner) => {
            expect(inner, Type::Number, names)?;
            Type::Number
        }
        Kind::Binary(operator, a, b) => binary(*operator, node, a, b, names)?,
        Kind::Call(function, arguments) => call(*function, node, arguments, names)?,
    })
}

fn binary(
    operator: Operator,
    node: &Node,
    a: &Node,
    b: &Node,
    names: &impl Names,
) -> Result<Type, Fault> {
    match operator {
        Operator::Or | Operator::And => {
            expect(a, Type::Bool, names)?;
            expect(b, Type::Bool, names)?;
            Ok(Type::Bool)
        }
        Operator::In => {
            expect(a, Type::Text, names)?;
            Ok(Type::Bool)
        }
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
            expect(a, Type::Number, names)?;
            expect(b, Type::Number, names)?;
            Ok(Type::Number)
        }
        _ => {
            let (left, right) = (check(a, names)?, check(b, names)?);
            if left != right {
                return Err(fault(
                    node,
                    format!("不能拿{}和{}比较", left.name(), right.name()),
                ));
            }
            let ordered = matches!(left, Type::Number | Type::Date);
            let equality = matches!(operator, Operator::Equal | Operator::Unequal);
            if ordered || equality && matches!(left, Type::Bool | Type::Text) {
                Ok(Type::Bool)
            } else {
                Err(fault(node, format!("{}不能这样比较", left.name())))
            }
        }
    }
}

fn call(
    function: Function,
    node: &Node,
    arguments: &[Node],
    names: &impl Names,
) -> Result<Type, Fault> {
    let wrong_count = |wanted: &str| {
        fault(
            node,
            format!(
                "{}要{wanted}个值，却有{}个",
                function.name(),
                arguments.len()
            ),
        )
    };
    if let Some((wanted, result)) = function.signature() {
        if wanted.len() != arguments.len() {
            return Err(wrong_count(&wanted.len().to_string()));
        }
        for (argument, wanted) in arguments.iter().zip(wanted) {
            expect(argument, *wanted, names)?;
        }
        if let (
            Function::Date,
            [
                Node {
                    kind: Kind::Literal(_),
                    ..
                },
            ],
        ) = (function, arguments)
            && function
                .apply(&literals(arguments), jiff::civil::Date::ZERO)
                .is_none()
        {
            return Err(fault(node, "日期写成 2024-07-01 的样子"));
        }
        return Ok(result);
    }
    match (function, arguments) {
        (Function::If, [condition, a, b]) => {
            expect(condition, Type::Bool, names)?;
            let kind = check(a, names)?;
            expect(b, kind, names)?;
            Ok(kind)
        }
        (Function::If, _) => Err(wrong_count("三")),
        (
            Function::Known,
            [
                Node {
                    kind: Kind::Name(_),
                    ..
                },
            ],
        ) => {
            check(&arguments[0], names)?;
            Ok(Type::Bool)
        }
        (Function::Known, _) => Err(fault(node, "known 里写一个字段")),
        (_, [first, rest @ ..]) if !rest.is_empty() => {
            let kind = check(first, names)?;
            if !matches!(kind, Type::Number | Type::Date) {
                return Err(fault(first, format!("{}没有大小", kind.name())));
            }
            for other in rest {
                expect(other, kind, names)?;
            }
            Ok(kind)
        }
        _ => Err(wrong_count("两个以上")),
    }
}

fn literals(arguments: &[Node]) -> Vec<Datum<'_>> {
    let mut literals = Vec::new();
    for argument in arguments {
        if let Kind::Literal(value) = &argument.kind {
            literals.push(value.datum());
        }
    }
    literals
}
