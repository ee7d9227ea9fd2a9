//! M6, end to end: the command says what a changed playbook would have cost, in three ways, and leaves the home's files as they
//! were, to the byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder for one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("zhiyin-simulate-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhiyin"));
        command.arg("--home").arg(self.0.join("home")).args(words).stdin(Stdio::null());
        for name in ["ZHIYIN_DATABASE", "ZHIYIN_HOME", "ZHIYIN_MASTER_KEY", "ZHIYIN_MASTER_KEY_FILE"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    fn well(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The files of the home, each with what is in it.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let listed = fs::read_dir(self.0.join("home")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = listed
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn m6_the_command_tells_what_it_would_have_cost_and_writes_nothing() {
    let folder = Folder::new();
    folder.well(&["apply", "demo"]);
    let order = |n: u32, day: u32, total: &str| {
        format!(
            "{{\"type\":\"track\",\"event\":\"Order Completed\",\"messageId\":\"o{n}\",\"userId\":\"ann\",\
             \"timestamp\":\"2017-03-{day:02}T10:00:00Z\",\"properties\":{{\"order_id\":\"o{n}\",\"total\":\"{total}\"}}}}"
        )
    };
    // The first of March was a Wednesday.
    let items = [order(1, 1, "70.00"), order(2, 1, "80.00"), order(3, 2, "90.00"), order(4, 8, "68.00")];
    let file = folder.0.join("orders.jsonl");
    fs::write(&file, items.join("\n")).unwrap();
    folder.well(&["import", &file.display().to_string(), "--source", "till"]);
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulate/member-day.yaml");
    let example = example.display().to_string();
    let (digest, before) = (folder.well(&["digest"]), folder.files());
    let asked = |format: &'static str| {
        ["simulate", &example, "--to", "2017-12-31", "--format", format].map(str::to_owned)
    };
    let said = |format: &'static str| {
        let words = asked(format);
        folder.well(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let json: Value = serde_json::from_str(&said("json")).unwrap();
    let offer = &json["offers"][0];
    assert_eq!((&offer["offer"], &offer["changed"]["uses"]), (&"member-day".into(), &2.into()));
    assert_eq!(offer["changed"]["off"], 1_200);
    for list in ["totals", "offers", "tiers", "groups"] {
        let rows = json[list].as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["behaviour"] == "assumed_unchanged"), "{list}");
    }
    // The record goes on beyond that year: she fell silent, her points expired.
    assert_eq!((&json["reproduced"]["compared"], &json["reproduced"]["equal"]), (&1.into(), &1.into()));
    let text = said("text");
    assert!(text.contains("behaviour assumed unchanged / 假设顾客行为不变"), "{text}");
    let csv = said("csv");
    assert!(csv.contains("offer,member-day,off,0.00,12.00,12.00,assumed_unchanged"), "{csv}");
    assert_eq!(folder.files(), before, "the home's files changed");
    assert_eq!(folder.well(&["digest"]), digest);
    for words in [["simulate", "demo", "--from", "1.3.2017"], ["simulate", "demo", "--sample", "0"]] {
        assert_eq!(folder.run(&words).status.code(), Some(2), "{words:?}");
    }
}
