//! The examples of `docs/condition.md` are conditions.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

mod support;

use support::schema;
use zhiyin_condition::bounds::{
    DEPTH_MAX, GAP_DAYS_MAX, KEPT_ROWS_MAX, NODES_MAX, TEXT_CHARS_MAX, WINDOW_DAYS_MAX, WINDOW_HOURS_MAX,
};
use zhiyin_condition::{AttributeType, Condition, Scope};

const DOCUMENT: &str = include_str!("../../../docs/condition.md");

/// The last cell of each row of the tables under a heading.
fn last_cells(heading: &str) -> Vec<String> {
    let (_, after) = DOCUMENT.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = after.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    cells
        .map(|row| row.replace("\\|", "¦"))
        .map(|row| row.rsplit(" | ").next().unwrap().replace('¦', "|"))
        .collect()
}

#[test]
fn examples_are_conditions() {
    let mut schema = schema(Scope::Event);
    for name in ["home_owner", "car_owner", "children_left_home"] {
        schema.attributes.insert(name.to_owned(), AttributeType::Bool);
    }
    let cells = last_cells("Examples");
    let examples: Vec<&str> =
        cells.iter().filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`')).collect();
    assert!(examples.len() >= 16, "{examples:?}");
    for example in examples {
        let condition = Condition::check(example, &schema);
        assert!(condition.is_ok(), "{example}: {condition:?}");
    }
}

#[test]
fn bounds_are_as_documented() {
    for written in [
        format!("| text | {} characters |", grouped(TEXT_CHARS_MAX)),
        format!("| nesting | {DEPTH_MAX} levels |"),
        format!("| parts | {NODES_MAX} |"),
        format!("| windows | {} days, {WINDOW_HOURS_MAX} hours |", grouped(WINDOW_DAYS_MAX as usize)),
        format!("no more than the latest {} that", grouped(KEPT_ROWS_MAX)),
        format!("the latest {GAP_DAYS_MAX} such days"),
    ] {
        assert!(DOCUMENT.contains(&written), "{written}");
    }
}

fn grouped(number: usize) -> String {
    match (number / 1_000, number % 1_000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
