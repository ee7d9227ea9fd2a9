//! How large a condition may be, checked before the parser sees a text, so that a hostile one costs nothing.

use crate::problem::Problem;
use crate::tree::{Expr, Kind};

/// Characters of a text.
pub const TEXT_CHARS_MAX: usize = 4_096;
/// How deep brackets and expressions may nest.
pub const DEPTH_MAX: usize = 32;
/// Nodes of a tree.
pub const NODES_MAX: usize = 512;
/// Days of a window `"Nd"`.
pub const WINDOW_DAYS_MAX: u32 = 3_660;
/// Hours of a window `"Nh"`.
pub const WINDOW_HOURS_MAX: u32 = 720;
/// Rows that a leaf keeps where it must keep rows.
pub const KEPT_ROWS_MAX: usize = 1_000;
/// Distinct days that `median_gap` looks at, the latest.
pub const GAP_DAYS_MAX: usize = 400;

/// Words and operators of a text: more cannot make a tree within [`NODES_MAX`], macro variables included.
const TOKENS_MAX: usize = 2 * NODES_MAX;

/// What is too large in a text, by looking at its characters only.
pub(crate) fn scan(text: &str) -> Result<(), Problem> {
    let n_chars = text.chars().count();
    if n_chars > TEXT_CHARS_MAX {
        let message = format!("a condition may have {TEXT_CHARS_MAX} characters; this has {n_chars}");
        return Err(Problem { column: TEXT_CHARS_MAX + 1, message, suggestion: None });
    }
    let chars: Vec<char> = text.chars().collect();
    let (mut depth, mut n_tokens, mut i) = (0usize, 0usize, 0usize);
    while let Some(&c) = chars.get(i) {
        let start = i;
        i = token_end(&chars, i);
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' | '.' => {}
            _ if c.is_whitespace() || chars[start..].starts_with(&['/', '/']) => {}
            _ => n_tokens += 1,
        }
        if depth > DEPTH_MAX {
            return Err(too_deep(start + 1));
        }
        if n_tokens > TOKENS_MAX {
            return Err(too_many(start + 1));
        }
    }
    Ok(())
}

/// Where the token that starts at `i` ends. Words, numbers, texts and comments are one token each;
/// anything else is a token of one character.
fn token_end(chars: &[char], i: usize) -> usize {
    let c = chars[i];
    if chars[i..].starts_with(&['/', '/']) {
        return chars[i..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| i + n + 1);
    }
    if c == '"' || c == '\'' {
        return quote_end(chars, i, false);
    }
    if c.is_alphanumeric() || c == '_' {
        let word = chars[i..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
        let end = i + word;
        let prefix: String = chars[i..end].iter().map(char::to_ascii_lowercase).collect();
        return match chars.get(end) {
            Some('"' | '\'') if matches!(prefix.as_str(), "r" | "b" | "rb" | "br") => {
                quote_end(chars, end, prefix.contains('r'))
            }
            _ => end,
        };
    }
    i + 1
}

/// Where the quoted text that opens at `i` ends, or the end of all if it never does.
fn quote_end(chars: &[char], i: usize, raw: bool) -> usize {
    let quote = chars[i];
    let triple = chars[i..].starts_with(&[quote; 3]);
    let close: &[char] = if triple { &[quote; 3] } else { &[quote] };
    let mut at = i + close.len();
    while at < chars.len() {
        if chars[at..].starts_with(close) {
            return at + close.len();
        }
        at += if chars[at] == '\\' && !raw { 2 } else { 1 };
    }
    chars.len()
}

/// What is too large in a tree.
pub(crate) fn measure(tree: &Expr) -> Result<(), Problem> {
    let mut n_nodes = 0;
    descend(tree, 1, &mut n_nodes)
}

fn descend(expr: &Expr, depth: usize, n_nodes: &mut usize) -> Result<(), Problem> {
    let column = (expr.at.0 as usize).max(1);
    *n_nodes += 1;
    if *n_nodes > NODES_MAX {
        return Err(too_many(column));
    }
    if depth > DEPTH_MAX {
        return Err(too_deep(column));
    }
    // A field is part of its name: it does not deepen what people read.
    let inner = if matches!(expr.kind, Kind::Field { .. }) { depth } else { depth + 1 };
    expr.parts().into_iter().try_for_each(|part| descend(part, inner, n_nodes))
}

fn too_deep(column: usize) -> Problem {
    Problem { column, message: format!("a condition may nest {DEPTH_MAX} levels deep"), suggestion: None }
}

fn too_many(column: usize) -> Problem {
    let message = format!("a condition may have {NODES_MAX} parts; split it");
    Problem { column, message, suggestion: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_of_texts_only() {
        let deep = "(".repeat(DEPTH_MAX + 1);
        assert!(scan(&deep).is_err());
        for text in
            [format!("\"{deep}\""), format!("r'{deep}\\'"), format!("'''{deep}'''"), format!("// {deep}")]
        {
            assert_eq!(scan(&text), Ok(()), "{text}");
        }
        assert_eq!(scan(&deep[1..]), Ok(()));
        assert!(scan(&"(".repeat(10_000)).is_err());
        assert!(scan(&"a+".repeat(TOKENS_MAX)).is_err());
    }
}
