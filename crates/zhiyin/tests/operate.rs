//! What docs/operate.md says is what the program does: every metric and every invariant of the doctor is there with a
//! line on what to do about it, and nothing that is there is gone from the code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use zhiyin_engine::measure::ALL;

const DOCUMENT: &str = "docs/operate.md";

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("a crate lies two folders below the root")
}

fn document() -> String {
    fs::read_to_string(root().join(DOCUMENT)).unwrap()
}

/// The rows of the tables under a heading, without heads and rules, as cells.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let lines: Vec<&str> = document
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect();
    for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
        let head_or_rule = line.starts_with("|--") || next.starts_with("|--");
        if line.starts_with('|') && !head_or_rule {
            rows.push(line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
        }
    }
    assert!(!rows.is_empty(), "{DOCUMENT} has no table under {heading:?}");
    rows
}

/// Words of a document that begin like a metric.
fn metrics_named(text: &str) -> BTreeSet<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c)).filter(|found| found.starts_with("zhiyin_")).collect()
}

/// What is only said of one and not of the other.
fn agree(what: &str, in_code: BTreeSet<String>, in_document: BTreeSet<String>) {
    let lacks: Vec<_> = in_code.difference(&in_document).collect();
    let stale: Vec<_> = in_document.difference(&in_code).collect();
    assert!(
        lacks.is_empty() && stale.is_empty(),
        "{what}: {DOCUMENT} lacks {lacks:#?}, and the code {stale:#?}"
    );
}

#[test]
fn every_metric_is_in_the_document_with_its_unit_and_what_to_do() {
    let document = document();
    let rows = rows(&document, "## Metrics");
    let in_document = rows.iter().map(|row| format!("{} in {}", row[0].trim_matches('`'), row[1])).collect();
    let unit = |unit: &'static str| if unit.is_empty() { "–" } else { unit };
    let in_code = ALL.iter().map(|metric| format!("{} in {}", metric.name, unit(metric.unit))).collect();
    agree("metrics", in_code, in_document);
    assert!(rows.iter().all(|row| row.len() == 3 && !row[2].is_empty()), "a metric without what to do");
    let known = |name: &&str| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        ALL.iter().any(|metric| metric.name == *name || Some(metric.name) == of_histogram)
    };
    let unknown: Vec<_> = metrics_named(&document).into_iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{DOCUMENT} speaks of {unknown:?}");
}

#[test]
fn every_invariant_of_the_doctor_is_in_the_document_with_what_to_do() {
    let rows = rows(&document(), "## What the doctor checks");
    assert!(rows.iter().all(|row| row.len() == 2 && !row[1].is_empty()), "an invariant without what to do");
    let in_document: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(in_document.len(), rows.len(), "an invariant is there twice");
    let mut in_code = BTreeSet::new();
    for doctor in doctors() {
        let found = invariants(&fs::read_to_string(&doctor).unwrap());
        assert!(!found.is_empty(), "no invariant was found in {}", doctor.display());
        in_code.extend(found);
    }
    agree("invariants", in_code, in_document);
}

/// The sources of the doctors of all stores.
fn doctors() -> Vec<PathBuf> {
    // What both look at alike is in the room below them.
    let mut found = vec![root().join("crates/store/src/closing/audit.rs")];
    for store in ["store-sqlite", "store-pg"] {
        let src = root().join("crates").join(store).join("src");
        found.push(src.join("doctor.rs"));
        let parts = fs::read_dir(src.join("doctor")).into_iter().flatten();
        found.extend(parts.map(|entry| entry.unwrap().path()));
    }
    found
}

/// The invariants that a source names: sentences that begin a tuple, or that a check is made with.
fn invariants(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let parts: Vec<&str> = code.split('"').collect();
    let mut found = BTreeSet::new();
    // Every second part lies between quotation marks, as long as none of them is written as a character or escaped.
    for pair in parts.windows(3).step_by(2) {
        let [before, said, after] = pair else { continue };
        let (before, after) = (before.trim_end(), after.trim_start());
        let made = before.ends_with("check(") || before.ends_with("invariant:");
        let begins = before.strip_suffix('(').is_some_and(|before| before.trim_end().ends_with(['[', ',']));
        let sentence = said.trim().split(' ').count() > 3 && !said.contains(['\n', '{', '\\']);
        if sentence && (made || (begins && after.starts_with(','))) {
            found.insert((*said).to_owned());
        }
    }
    found
}

#[test]
fn an_invariant_is_found_in_whatever_way_it_is_written() {
    let source = "const ALL: [(&str, &str); 2] = [\n    (\n        \"all that is sums to zero\",\n        \"SELECT 1 FROM \\\n   \
                  member\",\n    ),\n    (\"nothing is there at all\", NOTHING),\n    (\"an event of \", X),\n];\n\
                  // (\"this is only a comment\", Y)\n\
                  fn f() { Ok(broken.check(\"every order has a place\")) }\n\
                  let check = Check { invariant: \"the file is whole\".to_owned(), broken };\n\
                  broken.say(format!(\"there are other shares than {n}\"));";
    let found: Vec<_> = invariants(source).into_iter().collect();
    let expected = [
        "all that is sums to zero",
        "every order has a place",
        "nothing is there at all",
        "the file is whole",
    ];
    assert_eq!(found, expected);
}
