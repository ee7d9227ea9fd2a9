//! Tree → text, with as few brackets as the grammar needs. `parse(write(tree)) == tree`.

use std::fmt::Write;

use crate::tree::{Expr, Kind, Operator};

/// The text of a tree.
pub(crate) fn write(tree: &Expr) -> String {
    let mut out = String::new();
    put(&mut out, tree);
    out
}

/// How tightly an expression binds: what binds more loosely than its place needs brackets.
fn binding(kind: &Kind) -> u8 {
    match kind {
        Kind::If { .. } => 1,
        Kind::Or(_) => 2,
        Kind::And(_) => 3,
        Kind::Binary { op, .. } => binary_binding(*op),
        Kind::Not(_) | Kind::Negate(_) => 7,
        _ => 8,
    }
}

const fn binary_binding(op: Operator) -> u8 {
    match op {
        Operator::Add | Operator::Subtract => 5,
        Operator::Multiply | Operator::Divide | Operator::Remainder => 6,
        _ => 4,
    }
}

fn put(out: &mut String, expr: &Expr) {
    match &expr.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(value) => put_number(out, value),
        Kind::Text(value) => put_text(out, value),
        Kind::List(parts) => {
            out.push('[');
            put_all(out, parts);
            out.push(']');
        }
        Kind::Name(name) => out.push_str(name),
        Kind::Field { of, name } => {
            put_within(out, of, 8);
            out.push('.');
            put_field(out, name);
        }
        Kind::Has(of) => {
            out.push_str("has(");
            put(out, of);
            out.push(')');
        }
        Kind::Not(of) => {
            out.push('!');
            put_within(out, of, 8);
        }
        Kind::Negate(of) => {
            out.push('-');
            put_within(out, of, 8);
        }
        Kind::And(parts) => put_joined(out, parts, " && ", 4),
        Kind::Or(parts) => put_joined(out, parts, " || ", 3),
        Kind::If { test, then, otherwise } => {
            put_within(out, test, 2);
            out.push_str(" ? ");
            put_within(out, then, 2);
            out.push_str(" : ");
            put_within(out, otherwise, 1);
        }
        Kind::Binary { op, left, right } => {
            let binding = binary_binding(*op);
            put_within(out, left, binding);
            let _ = write!(out, " {} ", op.word());
            put_within(out, right, binding + 1);
        }
        Kind::Call { function, arguments } => {
            out.push_str(function);
            out.push('(');
            put_all(out, arguments);
            out.push(')');
        }
        Kind::Method { of, method, arguments } => {
            put_within(out, of, 8);
            let _ = write!(out, ".{method}(");
            put_all(out, arguments);
            out.push(')');
        }
        Kind::Each { of, step, variable, body } => {
            put_within(out, of, 8);
            let _ = write!(out, ".{}({variable}, ", step.word());
            put(out, body);
            out.push(')');
        }
    }
}

fn put_within(out: &mut String, expr: &Expr, at_least: u8) {
    if binding(&expr.kind) >= at_least {
        put(out, expr);
    } else {
        out.push('(');
        put(out, expr);
        out.push(')');
    }
}

fn put_all(out: &mut String, parts: &[Expr]) {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        put(out, part);
    }
}

fn put_joined(out: &mut String, parts: &[Expr], by: &str, at_least: u8) {
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.push_str(by);
        }
        put_within(out, part, at_least);
    }
}

/// Whole numbers beyond what the parser's integers hold are written with a point, which it reads as digits.
fn put_number(out: &mut String, value: &rust_decimal::Decimal) {
    let _ = write!(out, "{value}");
    if value.scale() == 0 && i64::try_from(*value).is_err() {
        out.push_str(".0");
    }
}

fn put_text(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A field that is no plain word is written between backticks.
fn put_field(out: &mut String, name: &str) {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(name, "in" | "true" | "false" | "null");
    if plain {
        out.push_str(name);
    } else {
        let _ = write!(out, "`{name}`");
    }
}
