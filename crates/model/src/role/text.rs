//! The table as text: for a file that is compared, and for people.

use super::{MATRIX, Role, Scope, Verdict};
use crate::mask::Mask;

/// A verdict as tables show it.
fn cell(verdict: Verdict) -> String {
    let Verdict::Allowed(scope, mask) = verdict else { return "–".to_owned() };
    let scope = match scope {
        Scope::All => "all",
        Scope::Subtree => "subtree",
        Scope::Mine => "mine",
        Scope::OwnPlace => "own place",
    };
    let mask = match mask {
        Mask::Full => "",
        Mask::Masked => ", masked",
        Mask::Hidden => ", nobody shown",
    };
    format!("{scope}{mask}")
}

fn rows() -> Vec<Vec<String>> {
    let row = |row: &super::Row| {
        let head = [row.operation.name().to_owned(), row.about.name().to_owned()];
        head.into_iter().chain(row.verdicts.iter().map(|verdict| cell(*verdict))).collect()
    };
    MATRIX.iter().map(row).collect()
}

/// The table in columns of even width.
pub fn plain() -> String {
    let head = ["operation", "about"].into_iter().chain(Role::ALL.iter().map(|role| role.name()));
    let mut all: Vec<Vec<String>> = vec![head.map(str::to_owned).collect()];
    all.extend(rows());
    let width = |i: usize| all.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..all[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all.iter().map(line).collect()
}

/// The table in Markdown.
pub fn markdown() -> String {
    let roles = Role::ALL.iter().map(|role| format!("{} {}", role.name(), role.zh()));
    let head: Vec<String> =
        ["operation".to_owned(), "compared with".to_owned()].into_iter().chain(roles).collect();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head);
    text += &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows() {
        let named = std::iter::once(format!("`{}`", row[0])).chain(row[1..].iter().cloned());
        text += &line(&named.collect::<Vec<_>>());
    }
    text
}
