//! From text to tree: a lexer and a precedence climber.

use std::ops::Range;

use rust_decimal::Decimal;

use super::{Fault, Function, Kind, Node, Operator};
use crate::value::Value;

/// The deepest nesting, against a stack that overflows.
const DEPTH: usize = 64;

/// The most words and signs: a long chain is a deep tree as well.
const LONGEST: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(Decimal),
    Text(String),
    Name(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 15] = [
    "==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "+", "-", "*", "/",
];

fn lex(source: &str) -> Result<Vec<(Token, Range<usize>)>, Fault> {
    let chars: Vec<char> = source.chars().collect();
    let (mut at, mut tokens) = (0, Vec::new());
    while at < chars.len() {
        let (start, c) = (at, chars[at]);
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let token = if c.is_ascii_digit() {
            while at < chars.len() && (chars[at].is_ascii_digit() || chars[at] == '.') {
                at += 1;
            }
            let text: String = chars[start..at].iter().collect();
            Token::Number(Decimal::from_str_exact(&text).map_err(|_| Fault {
                at: start..at,
                message: format!("“{text}”不是数"),
            })?)
        } else if c == '"' || c == '\'' {
            at += 1;
            let from = at;
            while at < chars.len() && chars[at] != c {
                at += 1;
            }
            if at == chars.len() {
                return Err(Fault {
                    at: start..at,
                    message: "引号没有配对".to_owned(),
                });
            }
            at += 1;
            Token::Text(chars[from..at - 1].iter().collect())
        } else if c.is_alphabetic() || c == '_' {
            while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                at += 1;
            }
            Token::Name(chars[start..at].iter().collect())
        } else {
            let two: String = chars[at..(at + 2).min(chars.len())].iter().collect();
            let sign = SIGNS
                .iter()
                .find(|s| two.starts_with(**s))
                .ok_or_else(|| Fault {
                    at: at..at + 1,
                    message: format!("不认识的符号“{c}”"),
                })?;
            at += sign.len();
            Token::Sign(sign)
        };
        tokens.push((token, start..at));
        if tokens.len() > LONGEST {
            return Err(Fault {
                at: start..at,
                message: format!("算式太长，最多{LONGEST}个词和符号"),
            });
        }
    }
    tokens.push((Token::End, chars.len()..chars.len()));
    Ok(tokens)
}

pub(super) fn read(source: &str) -> Result<Node, Fault> {
    let mut reader = Reader {
        tokens: lex(source)?,
        at: 0,
        depth: 0,
    };
    let root = reader.binary(0)?;
    match reader.peek() {
        Token::End => Ok(root),
        _ => Err(reader.fault("这里多出了内容，是不是少了运算符")),
    }
}

struct Reader {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault {
            at: self.span(),
            message: message.into(),
        }
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(s) if *s == sign);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.fault(format!("这里应当是“{sign}”")))
        }
    }

    /// The operator here with how strongly it binds.
    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.peek() {
            Token::Name(n) if n == "or" => (Operator::Or, 1),
            Token::Name(n) if n == "and" => (Operator::And, 2),
            Token::Name(n) if n == "in" => (Operator::In, 4),
            Token::Sign("==") => (Operator::Equal, 4),
            Token::Sign("!=") => (Operator::Unequal, 4),
            Token::Sign("<") => (Operator::Less, 4),
            Token::Sign("<=") => (Operator::LessOrEqual, 4),
            Token::Sign(">") => (Operator::Greater, 4),
            Token::Sign(">=") => (Operator::GreaterOrEqual, 4),
            Token::Sign("+") => (Operator::Add, 5),
            Token::Sign("-") => (Operator::Subtract, 5),
            Token::Sign("*") => (Operator::Multiply, 6),
            Token::Sign("/") => (Operator::Divide, 6),
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.fault("算式嵌套太深"));
        }
        let mut left = self.unary()?;
        while let Some((operator, strength)) = self.operator().filter(|o| o.1 >= least.max(1)) {
            self.next();
            let right = if operator == Operator::In {
                self.texts()?
            } else {
                self.binary(strength + 1)?
            };
            if strength == 4 && matches!(self.operator(), Some((_, 4))) {
                return Err(self.fault("比较不能连写，请用 and 连接"));
            }
            left = Node {
                at: left.at.start..right.at.end,
                kind: Kind::Binary(operator, Box::new(left), Box::new(right)),
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn texts(&mut self) -> Result<Node, Fault> {
        let start = self.span().start;
        self.expect("[")?;
        let mut texts = Vec::new();
        loop {
            match self.peek() {
                Token::Text(_) => {
                    if let Token::Text(text) = self.next() {
                        texts.push(text);
                    }
                }
                _ => return Err(self.fault("方括号里应当是引号里的选项")),
            }
            if !self.take(",") {
                break;
            }
        }
        let end = self.span().end;
        self.expect("]")?;
        Ok(Node {
            at: start..end,
            kind: Kind::Texts(texts),
        })
    }

    fn unary(&mut self) -> Result<Node, Fault> {
        let start = self.span().start;
        let not = matches!(self.peek(), Token::Name(n) if n == "not");
        if !not && !self.take("-") {
            return self.primary();
        }
        if not {
            self.next();
        }
        // `not a == b` is not (a == b), as in the languages that people know.
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.fault("算式嵌套太深"));
        }
        let inner = if not { self.binary(4)? } else { self.unary()? };
        self.depth -= 1;
        let at = start..inner.at.end;
        let inner = Box::new(inner);
        let kind = if not {
            Kind::Not(inner)
        } else {
            Kind::Negative(inner)
        };
        Ok(Node { at, kind })
    }

    fn primary(&mut self) -> Result<Node, Fault> {
        let at = self.span();
        match self.next() {
            Token::Number(n) => Ok(Node {
                at,
                kind: Kind::Literal(Value::Number(n)),
            }),
            Token::Text(t) => Ok(Node {
                at,
                kind: Kind::Literal(Value::Text(t)),
            }),
            Token::Sign("(") => {
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Name(name) => self.named(name, at),
            _ => Err(Fault {
                at,
                message: "这里应当是一个值，算式没有写完".to_owned(),
            }),
        }
    }

    fn named(&mut self, name: String, at: Range<usize>) -> Result<Node, Fault> {
        let literal = match name.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        if let Some(truth) = literal {
            return Ok(Node {
                at,
                kind: Kind::Literal(Value::Bool(truth)),
            });
        }
        if !self.take("(") {
            if ["and", "or", "not", "in"].contains(&name.as_str()) {
                return Err(Fault {
                    at,
                    message: format!("“{name}”前后少了内容"),
                });
            }
            return Ok(Node {
                at,
                kind: Kind::Name(name),
            });
        }
        let Some(function) = Function::named(&name) else {
            return Err(Fault {
                at,
                message: format!("没有“{name}”这个函数"),
            });
        };
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.binary(0)?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let end = self.tokens[self.at.saturating_sub(1)].1.end;
        Ok(Node {
            at: at.start..end,
            kind: Kind::Call(function, arguments),
        })
    }
}
