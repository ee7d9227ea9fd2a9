//! The rules of the house, as tests: which room may use which, what a pure room never names, how
//! files open and how long they are, what must not be written anywhere, and that links lead somewhere.
//!
//! They read the sources as text. Nothing is compiled for them, so they also hold for files that no
//! crate has taken in yet.
#![allow(clippy::unwrap_used, reason = "a file that cannot be read fails the test that reads it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors of the house. A room may use rooms on floors below its own.
const FLOORS: [(&str, u8); 14] = [
    ("model", 1),
    ("condition", 2),
    ("decide", 3),
    ("offer", 3),
    ("audience", 3),
    ("insight", 3),
    ("store", 4),
    ("store-sqlite", 4),
    ("store-pg", 4),
    ("reach", 4),
    ("engine", 5),
    ("server", 6),
    ("zhiyin", 7),
    // Not a room: nothing may depend on it.
    ("bench", 8),
];

/// The only neighbours on one floor that may be used, and by whom.
const NEIGHBOURS: [(&str, &str); 4] =
    [("decide", "offer"), ("decide", "insight"), ("store-sqlite", "store"), ("store-pg", "store")];

/// Rooms whose answers depend on nothing but what they are given.
const PURE: [&str; 5] = ["model", "condition", "decide", "offer", "insight"];

/// What a pure room never names: the machine, and waiting for it.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "RandomState",
    "tokio",
    "futures",
    "async fn",
    "async move",
    ".await",
];

/// A file that is longer asks to be two; between 500 and here a reviewer decides.
const LINES_MAX: usize = 600;

/// A table of cases is read row by row, so it may be longer.
const LINES_OF_TESTS_MAX: usize = 1200;

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: [&str; 7] = ["manager", "helper", "helpers", "util", "utils", "common", "misc"];

/// Folders that hold no sources of ours.
const NOT_OURS: [&str; 7] =
    ["target", ".git", ".cache", "node_modules", "zhiyin-data", "__pycache__", "dist"];

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("a crate lies two folders below the root")
}

/// Every file of ours below a folder, in a stable order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_symlink() || NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|own| extensions.iter().any(|one| own == *one))
}

/// Files of ours with one of the extensions, with their text; named from the root.
fn texts(extensions: &[&str]) -> Vec<(String, String)> {
    files_below(root())
        .into_iter()
        .filter(|path| has_extension(path, extensions))
        .map(|path| (named(&path), fs::read_to_string(&path).unwrap()))
        .collect()
}

fn named(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The rooms that exist: folder name and the text of its manifest.
fn rooms() -> Vec<(String, String)> {
    let mut found: Vec<_> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path.join("Cargo.toml")).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Names of the crates a manifest depends on, in whatever way it says so; for tests, too.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut listing = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            listing = table.ends_with("dependencies");
            // `[dependencies.NAME]` lists one crate by its heading.
            if let Some((_, name)) = table.split_once("dependencies.") {
                found.insert(name.to_owned());
            }
        } else if listing && !line.starts_with('#') {
            let name: String =
                line.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

fn fail_with(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn a_room_uses_only_rooms_on_floors_below() {
    let floors = BTreeMap::from(FLOORS);
    let mut faults = Vec::new();
    for (room, manifest) in rooms() {
        let Some(floor) = floors.get(room.as_str()) else {
            faults.push(format!("{room} stands on no floor; give it one in FLOORS"));
            continue;
        };
        for used in dependencies(&manifest) {
            let Some(used) = used.strip_prefix("zhiyin-") else {
                continue;
            };
            let below = floors.get(used).is_some_and(|other| other < floor);
            if !below && !NEIGHBOURS.contains(&(room.as_str(), used)) {
                faults.push(format!("{room} may not use {used}"));
            }
        }
    }
    fail_with("rooms use what they may not", &faults);
}

#[test]
fn a_dependency_is_found_in_whatever_way_it_is_written() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\"\n# c = \"1\"\n\
                    [dev-dependencies]\nd = { path = \"../d\" }\n[dependencies.e]\nversion = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nf = \"1\"\n[features]\ng = []\n";
    let found: Vec<_> = dependencies(manifest).into_iter().collect();
    assert_eq!(found, ["a", "b", "d", "e", "f"]);
}

#[test]
fn two_files_have_the_one_word_that_compilers_cannot_check() {
    // One maps files, one has loops for processors that have more than all have.
    let files = ["crates/audience/src/map.rs", "crates/audience/src/wide.rs"];
    let word = ["un", "safe"].concat();
    let opens =
        [format!("{word} {{"), format!("{word} fn"), format!("{word} impl"), format!("{word} extern")];
    let faults: Vec<String> = texts(&["rs"])
        .into_iter()
        .filter(|(path, _)| !files.contains(&&**path))
        .filter(|(_, text)| opens.iter().any(|open| text.contains(open)))
        .map(|(path, _)| path)
        .collect();
    fail_with("only these files have it", &faults);
}

#[test]
fn every_room_keeps_the_workspace_lints() {
    let faults: Vec<_> = rooms()
        .into_iter()
        .filter(|(_, manifest)| !manifest.contains("[lints]\nworkspace = true"))
        .map(|(room, _)| format!("crates/{room}/Cargo.toml"))
        .collect();
    fail_with("manifests without [lints] workspace = true", &faults);
}

/// A source without its comments and without the tests at its end.
fn code_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let tests_from = lines
        .windows(2)
        .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod "))
        .unwrap_or(lines.len());
    lines
        .into_iter()
        .take(tests_from)
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
}

#[test]
fn pure_rooms_name_no_machine() {
    let mut faults = Vec::new();
    for (name, text) in texts(&["rs"]) {
        let pure = PURE.iter().any(|room| name.starts_with(&format!("crates/{room}/src/")));
        if !pure || name.ends_with("/tests.rs") || name.contains("/tests/") {
            continue;
        }
        for (number, line) in code_of(&text) {
            for word in IMPURE.iter().filter(|word| names(line, word)) {
                faults.push(format!("{name}:{number} names {word}"));
            }
        }
    }
    fail_with("a pure room names the machine", &faults);
}

/// Whether a line has the word with nothing grown onto it: `tokio`, but not `tokios`.
fn names(line: &str, word: &str) -> bool {
    let grown = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_left = word.starts_with('.') || !before.is_some_and(grown);
        open_left && !after.is_some_and(grown)
    })
}

#[test]
fn a_word_is_told_from_a_longer_one() {
    assert!(names("use std::time::Instant;", "std::time"));
    assert!(names("    reply.await?", ".await"));
    assert!(!names("MyInstant::now()", "Instant::now"));
    assert!(!names("use std::fs_extra", "std::fs"));
}

#[test]
fn every_source_says_at_its_head_what_lives_there() {
    let rust = texts(&["rs"]).into_iter().filter(|(_, text)| !text.starts_with("//!"));
    let python = texts(&["py"]).into_iter().filter(|(_, text)| !text.starts_with("\"\"\""));
    let faults: Vec<_> = rust.chain(python).map(|(name, _)| name).collect();
    fail_with("sources that open without a word on themselves", &faults);
}

#[test]
fn no_source_is_too_long_to_read() {
    let mut faults = Vec::new();
    for (name, text) in texts(&["rs", "py", "sh", "js", "mjs", "ts", "tsx", "css"]) {
        // Made by a program, of the API's document; nobody reads it through.
        if name.ends_with("/schema.d.ts") {
            continue;
        }
        let n_lines_max = if name.contains("/tests/") { LINES_OF_TESTS_MAX } else { LINES_MAX };
        let n_lines = text.lines().count();
        if n_lines > n_lines_max {
            faults.push(format!("{name} has {n_lines} lines, of at most {n_lines_max}"));
        }
    }
    fail_with("sources that are too long", &faults);
}

#[test]
fn no_source_has_an_empty_name() {
    let faults: Vec<_> = files_below(root())
        .iter()
        .filter(|path| has_extension(path, &["rs", "py", "sh", "js", "mjs", "ts", "tsx"]))
        .filter(|path| {
            path.with_extension("")
                .strip_prefix(root())
                .is_ok_and(|own| own.iter().any(|part| EMPTY_NAMES.iter().any(|empty| part == *empty)))
        })
        .map(|path| named(path))
        .collect();
    fail_with("names that say nothing", &faults);
}

#[test]
fn tests_neither_sleep_nor_are_ignored() {
    // In two parts, so that this file does not accuse itself.
    let ignored = concat!("#[", "ignore");
    let sleeps = concat!("sleep", "(");
    let mut faults = Vec::new();
    for (name, text) in texts(&["rs"]) {
        let mut in_tests = name.contains("/tests/") || name.ends_with("/tests.rs");
        for (index, line) in text.lines().enumerate() {
            in_tests |= line.trim() == "#[cfg(test)]";
            if line.contains(ignored) || (in_tests && line.contains(sleeps)) {
                faults.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    fail_with("tests that sleep or are ignored", &faults);
}

#[test]
fn nothing_names_a_registry_or_this_machine() {
    // In two parts each, so that this file does not accuse itself.
    let banned = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("npmjs", ".org"),
        concat!("npmjs", ".com"),
        concat!("deb.debian", ".org"),
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/opt/", "wheels"),
        concat!("/Us", "ers/"),
    ];
    let mut faults = Vec::new();
    for path in files_below(root()) {
        // Cargo writes its registry's name into its own lock file.
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        // What is not text (a picture) has no words.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{} names {word}", named(&path), index + 1));
            }
        }
    }
    fail_with("names that belong to a machine", &faults);
}

#[test]
fn no_file_makes_rustup_fetch_a_toolchain() {
    let faults: Vec<_> = ["rust-toolchain", "rust-toolchain.toml"]
        .iter()
        .filter(|name| root().join(name).exists())
        .map(|name| (*name).to_owned())
        .collect();
    fail_with("a machine's own Rust must do", &faults);
}

/// A document's lines outside fenced code, without inline code.
fn prose(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line.split('`').step_by(2).collect::<Vec<_>>().join(" "));
        }
    }
    lines
}

/// Where the links of a document lead, as written.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push(target.trim_matches(['<', '>']).to_owned());
        }
    }
    found
}

/// The anchors that a document's headings make.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || !line.starts_with('#') {
            continue;
        }
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = words
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        found.insert(anchor);
    }
    found
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut faults = Vec::new();
    for (name, text) in texts(&["md"]) {
        let folder = root().join(&name).parent().unwrap().to_path_buf();
        for link in links(&text) {
            // What lies outside the project is not asked for: tests need no network.
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { root().join(&name) } else { folder.join(file) };
            if !target.exists() {
                faults.push(format!("{name}: {link} leads nowhere"));
            } else if !anchor.is_empty()
                && has_extension(&target, &["md"])
                && !anchors(&fs::read_to_string(&target).unwrap()).contains(anchor)
            {
                faults.push(format!("{name}: {link} names no heading"));
            }
        }
    }
    fail_with("links that lead nowhere", &faults);
}

#[test]
fn links_and_anchors_are_read_as_a_reader_would() {
    let text = "# One idea, 知音\n[a](b.md#c) `[x](y)`\n```\n[n](o)\n```\n![p](q.svg \"title\")\n";
    assert_eq!(links(text), ["b.md#c", "q.svg"]);
    assert!(anchors(text).contains("one-idea-知音"));
}
