//! Text → tree. The only module that knows the `cel` crate: its parser gives the tree and the positions;
//! we expand no macros and read numbers from the text itself, so that they stay exact.

use cel::common::ast::{Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::{Env, ParseError};
use rust_decimal::Decimal;
use zhiyin_model::money::parse_decimal;

use crate::bounds;
use crate::problem::Problem;
use crate::tree::{At, Each, Expr, Kind, Operator};

/// The tree of a text, within bounds.
pub(crate) fn parse(text: &str) -> Result<Expr, Problem> {
    bounds::scan(text)?;
    let parser = Env::default().parser().enable_ident_escape_syntax(true);
    let (tree, source) = parser.parse_with_source_info(text).map_err(|errors| {
        errors.errors.first().map_or_else(
            || Problem { column: 1, message: "this is no condition".to_owned(), suggestion: None },
            |error| spoken(text, error),
        )
    })?;
    let tree = Reading { text, source: &source }.expr(tree)?;
    bounds::measure(&tree)?;
    Ok(tree)
}

/// A parser's complaint in words of our own.
fn spoken(text: &str, error: &ParseError) -> Problem {
    let (line, column) = error.pos;
    let before: usize = text
        .split_inclusive('\n')
        .take(usize::try_from(line - 1).unwrap_or(0))
        .map(|line| line.chars().count())
        .sum();
    let column = (before + usize::try_from(column).unwrap_or(1)).max(1);
    let message = error.msg.trim_start_matches("Syntax error: ");
    let quoted = |mark: &str| message.split_once(mark).map(|(_, rest)| rest.trim_matches('\''));
    let problem = |message: String, suggestion: Option<&str>| Problem {
        column,
        message,
        suggestion: suggestion.map(str::to_owned),
    };
    if text.trim().is_empty() {
        return problem("a condition is needed; `true` always holds".to_owned(), None);
    }
    if let Some(found) = quoted("token recognition error at: ") {
        return match found.chars().next() {
            Some('=') => problem("`=` compares nothing".to_owned(), Some("==")),
            Some('&') => problem("`&` joins nothing".to_owned(), Some("&&")),
            Some('|') => problem("`|` joins nothing".to_owned(), Some("||")),
            Some('"' | '\'') => problem("this text has no closing quote".to_owned(), None),
            _ => {
                let found = found.trim();
                problem(format!("`{found}` cannot stand here; a text needs quotes"), None)
            }
        };
    }
    if message.contains("'<EOF>'") {
        return match quoted("missing ").and_then(|rest| rest.split_once('\'')) {
            Some((missing, _)) => problem(format!("`{missing}` is missing"), None),
            None => problem("something is missing here".to_owned(), None),
        };
    }
    for mark in ["extraneous input ", "mismatched input ", "no viable alternative at input "] {
        if let Some((found, _)) = quoted(mark).and_then(|rest| rest.split_once('\'').or(Some((rest, "")))) {
            return problem(format!("`{found}` cannot stand here"), None);
        }
    }
    if let Some((_, word)) = message.split_once("reserved identifier: ") {
        return problem(format!("`{word}` is a reserved word"), None);
    }
    if message.contains("int literal") || message.contains("double literal") {
        return problem("this number is too large".to_owned(), None);
    }
    problem(message.split(" expecting ").next().unwrap_or(message).to_owned(), None)
}

struct Reading<'t> {
    text: &'t str,
    source: &'t SourceInfo,
}

type Read<T> = Result<T, Problem>;

impl Reading<'_> {
    fn expr(&self, node: IdedExpr) -> Read<Expr> {
        let at = self.at(&node);
        let kind = match node.expr {
            Cel::Ident(name) if name.starts_with('.') => {
                return Err(self.refused(at, "a name cannot start with a point"));
            }
            Cel::Ident(name) => Kind::Name(name),
            Cel::Literal(literal) => self.literal(node.id, at, &literal)?,
            Cel::Select(select) => Kind::Field { of: self.boxed(*select.operand)?, name: select.field },
            Cel::List(list) => Kind::List(self.all(list.elements)?),
            Cel::Call(call) => match call.target {
                Some(target) => self.method(at, *target, call.func_name, call.args)?,
                None => self.call(at, call.func_name, call.args)?,
            },
            Cel::Map(_) | Cel::Struct(_) => {
                return Err(self.refused(at, "maps and structures are not part of the language"));
            }
            Cel::Comprehension(_) | Cel::Unspecified => {
                return Err(self.refused(at, "this is not part of the language"));
            }
        };
        Ok(Expr { kind, at })
    }

    fn boxed(&self, node: IdedExpr) -> Read<Box<Expr>> {
        self.expr(node).map(Box::new)
    }

    fn all(&self, nodes: Vec<IdedExpr>) -> Read<Vec<Expr>> {
        nodes.into_iter().map(|node| self.expr(node)).collect()
    }

    fn call(&self, at: At, function: String, mut arguments: Vec<IdedExpr>) -> Read<Kind> {
        if let (operators::LOGICAL_AND | operators::LOGICAL_OR, 2) = (function.as_str(), arguments.len()) {
            return self.joined(&function, arguments);
        }
        match (function.as_str(), arguments.len()) {
            (operators::CONDITIONAL, 3) => {
                let mut parts = self.all(arguments)?.into_iter().map(Box::new);
                let (Some(test), Some(then), Some(otherwise)) = (parts.next(), parts.next(), parts.next())
                else {
                    return Err(self.refused(at, "`?` needs two answers"));
                };
                Ok(Kind::If { test, then, otherwise })
            }
            (operators::LOGICAL_NOT, 1) => Ok(Kind::Not(self.boxed(arguments.swap_remove(0))?)),
            (operators::NEGATE, 1) => Ok(Kind::Negate(self.boxed(arguments.swap_remove(0))?)),
            (operators::INDEX, _) => {
                Err(self.refused(at, "elements are not reached by number; use first or last"))
            }
            (operators::HAS, 1) => match arguments.swap_remove(0) {
                field @ IdedExpr { expr: Cel::Select(_), .. } => Ok(Kind::Has(self.boxed(field)?)),
                _ => Err(self.refused(at, "has() asks for a field, such as has(attr.city)")),
            },
            (name, 2) if binary(name).is_some() => {
                let right = self.boxed(arguments.swap_remove(1))?;
                let left = self.boxed(arguments.swap_remove(0))?;
                let op = binary(name).unwrap_or(Operator::Equal);
                Ok(Kind::Binary { op, left, right })
            }
            _ if function.starts_with('.') => Err(self.refused(at, "a name cannot start with a point")),
            _ => Ok(Kind::Call { function, arguments: self.all(arguments)? }),
        }
    }

    /// `a && b && …` as one list: the parser balances it into a tree that nobody wrote.
    fn joined(&self, function: &str, arguments: Vec<IdedExpr>) -> Read<Kind> {
        let and = function == operators::LOGICAL_AND;
        let mut parts = Vec::new();
        for argument in arguments {
            let part = self.expr(argument)?;
            match part.kind {
                Kind::And(inner) if and => parts.extend(inner),
                Kind::Or(inner) if !and => parts.extend(inner),
                _ => parts.push(part),
            }
        }
        Ok(if and { Kind::And(parts) } else { Kind::Or(parts) })
    }

    fn method(&self, at: At, of: IdedExpr, method: String, mut arguments: Vec<IdedExpr>) -> Read<Kind> {
        let of = self.boxed(of)?;
        let Some(step) = Each::named(&method) else {
            return Ok(Kind::Method { of, method, arguments: self.all(arguments)? });
        };
        if arguments.len() != 2 {
            return Err(
                self.refused(at, &format!("{method} needs a name and what is asked of it: {method}(x, …)"))
            );
        }
        let body = self.boxed(arguments.swap_remove(1))?;
        match arguments.swap_remove(0).expr {
            Cel::Ident(variable) if !variable.starts_with('.') => Ok(Kind::Each { of, step, variable, body }),
            _ => Err(self.refused(at, &format!("{method} needs a name first: {method}(x, …)"))),
        }
    }

    fn literal(&self, id: u64, at: At, literal: &LiteralValue) -> Read<Kind> {
        Ok(match literal {
            LiteralValue::Null => Kind::Null,
            LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
            LiteralValue::String(value) => Kind::Text(value.inner().to_owned()),
            LiteralValue::Int(value) => self.number(id, at, *value.inner() < 0)?,
            LiteralValue::Double(value) => self.number(id, at, value.inner().is_sign_negative())?,
            LiteralValue::UInt(_) => return Err(self.refused(at, "a number is written without `u`")),
            LiteralValue::Bytes(_) => return Err(self.refused(at, "bytes are not part of the language")),
        })
    }

    /// A number as its digits say: the parser's own value may be a float.
    fn number(&self, id: u64, at: At, negative: bool) -> Read<Kind> {
        let digits =
            self.source.offset_for(id).and_then(|(from, to)| self.text.get(from as usize..=to as usize));
        let hexadecimal = digits.and_then(|text| text.strip_prefix("0x").or(text.strip_prefix("0X")));
        let value = match (hexadecimal, digits) {
            (Some(hex), _) => i64::from_str_radix(hex, 16).ok().map(Decimal::from),
            (None, Some(text)) => parse_decimal(text).ok(),
            (None, None) => None,
        };
        let Some(value) = value else {
            return Err(self.refused(at, "this number is too large"));
        };
        let number = Kind::Number(value.normalize());
        Ok(if negative { Kind::Negate(Box::new(Expr { kind: number, at })) } else { number })
    }

    fn refused(&self, at: At, message: &str) -> Problem {
        Problem { column: (at.0 as usize).max(1), message: message.to_owned(), suggestion: None }
    }

    /// Where a node's word is. The parser points at the point of a field and at the bracket of a call.
    fn at(&self, node: &IdedExpr) -> At {
        let Some((start, _)) = self.source.offset_for(node.id) else {
            return At(1);
        };
        let start = start as usize;
        let byte = match &node.expr {
            Cel::Select(_) => {
                let after = self.text.get(start + 1..).unwrap_or("");
                start + 1 + (after.len() - after.trim_start().len())
            }
            Cel::Call(call) if call.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let before = self.text.get(..start).unwrap_or("").trim_end();
                before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()
            }
            _ => start,
        };
        let column = self.text.get(..byte).map_or(1, |before| before.chars().count() + 1);
        At(u32::try_from(column).unwrap_or(1))
    }
}

fn binary(function: &str) -> Option<Operator> {
    Some(match function {
        operators::EQUALS => Operator::Equal,
        operators::NOT_EQUALS => Operator::NotEqual,
        operators::LESS => Operator::Less,
        operators::LESS_EQUALS => Operator::LessEqual,
        operators::GREATER => Operator::Greater,
        operators::GREATER_EQUALS => Operator::GreaterEqual,
        operators::IN => Operator::In,
        operators::ADD => Operator::Add,
        operators::SUBSTRACT => Operator::Subtract,
        operators::MULTIPLY => Operator::Multiply,
        operators::DIVIDE => Operator::Divide,
        operators::MODULO => Operator::Remainder,
        _ => return None,
    })
}
