//! C7, end to end: the command takes 20,000 members of an old system over, killed in the middle and begun again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const N_MEMBERS: usize = 20_000;
const AS_OF: &str = "2025-12-31";

/// A folder for one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhiyin-takeover-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn zhiyin(&self, home: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhiyin"));
        command.arg("--home").arg(self.0.join(home)).args(words).stdin(Stdio::null());
        for name in ["ZHIYIN_DATABASE", "ZHIYIN_HOME", "ZHIYIN_MASTER_KEY", "ZHIYIN_MASTER_KEY_FILE"] {
            command.env_remove(name);
        }
        // The home that is killed is sealed as well: the state is the same.
        if home == "killed" {
            command.env("ZHIYIN_MASTER_KEY_FILE", self.0.join("master.key"));
        }
        command
    }

    fn run(&self, home: &str, words: &[&str]) -> Output {
        self.zhiyin(home, words).output().unwrap()
    }

    fn well(&self, home: &str, words: &[&str]) -> String {
        let done = self.run(home, words);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{words:?}: {said}");
        String::from_utf8(done.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A made-up old system: nobody in it is real. Half have two lots, a third a tier; what it comes to is added up beside.
struct Old {
    text: String,
    points: i64,
    growth: i64,
    gold: usize,
    until_2026: i64,
}

fn old() -> Old {
    let mut old = Old {
        text: "card,phone,unionid,enrolled,name,gender,birthday,city,home_store,points,points_expire,points_2,points_expire_2,growth,growth_day,tier,tier_from,tier_until\n"
            .to_owned(),
        points: 0,
        growth: 0,
        gold: 0,
        until_2026: 0,
    };
    for i in 0..N_MEMBERS {
        let (first, second) = (i64::try_from(i % 977).unwrap(), i64::try_from(i % 2 * (i % 31)).unwrap());
        let growth = i64::try_from(i % 2900).unwrap();
        let tier = if i % 3 == 0 { "gold,2025-07-01,2026-06-30" } else { ",," };
        writeln!(
            old.text,
            "C{i:07},139{i:08},u{i},20{:02}-0{}-1{},客{i},female,19{:02}-02-03,上海,S{},{first},2026-12-31,{second},2027-12-31,{growth},2025-11-0{},{tier}",
            10 + i % 15, 1 + i % 9, i % 10, 50 + i % 50, i % 300, 1 + i % 9,
        )
        .unwrap();
        old.points += first + second;
        old.until_2026 += first;
        old.growth += growth;
        old.gold += usize::from(i % 3 == 0);
    }
    old
}

/// What the comparison says, as (what, file, home, difference).
fn table(json: &str) -> Vec<(String, i64, i64, i64)> {
    let rows: serde_json::Value = serde_json::from_str(json).unwrap();
    let number = |row: &serde_json::Value, key: &str| row[key].as_i64().unwrap();
    let row = |row: &serde_json::Value| {
        let what = row["what"].as_str().unwrap().to_owned();
        (what, number(row, "file"), number(row, "home"), number(row, "difference"))
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

fn says_nobody(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        assert!(!text.contains("139000") && !text.contains('客'), "{text}");
    }
}

#[test]
fn c7_twenty_thousand_members_come_over_killed_in_the_middle_and_lie_even() {
    let folder = Folder::new("whole");
    let old = old();
    let file = folder.0.join("old.csv");
    fs::write(&file, &old.text).unwrap();
    let file = file.to_str().unwrap();
    let given = ["import", "members", file, "--as-of", AS_OF, "--source", "crm", "--format", "json"];
    let with =
        |more: &[&'static str]| -> Vec<&str> { given.iter().copied().chain(more.iter().copied()).collect() };
    folder.well("peace", &["keys", "new-master", folder.0.join("master.key").to_str().unwrap()]);
    for home in ["peace", "killed"] {
        folder.well(home, &["apply", "variety-store"]);
    }

    let tried = folder.run("peace", &with(&["--dry-run"]));
    assert!(tried.status.success());
    says_nobody(&tried);
    let signed = folder.run("peace", &with(&["--sign-off", "--by", "Ann"]));
    assert!(!signed.status.success(), "nothing is signed off before it is there");

    let done = folder.run("peace", &given);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    says_nobody(&done);
    let compared = table(&String::from_utf8(done.stdout).unwrap());
    let n = i64::try_from(N_MEMBERS).unwrap();
    let gold = i64::try_from(old.gold).unwrap();
    let expected = [
        ("members", n),
        ("points", old.points),
        ("growth", old.growth),
        ("tier gold", gold),
        ("tier regular", n - gold),
        ("points until 2026-12", old.until_2026),
        ("points until 2027-12", old.points - old.until_2026),
    ];
    let expected = expected.map(|(what, n)| (what.to_owned(), n, n, 0));
    assert_eq!(compared, expected);
    let digest = folder.well("peace", &["digest"]);
    let again = folder.well("peace", &given);
    assert_eq!(table(&again), expected);
    assert_eq!(folder.well("peace", &["digest"]), digest, "a second run changes nothing");

    kill_in_the_middle(&folder, &old.text);
    let half = folder.run("killed", &with(&["--reconcile"]));
    assert!(!half.status.success(), "it was killed in the middle");
    let (_, _, here, missing) = table(&String::from_utf8(half.stdout).unwrap())[0].clone();
    assert!(here > 0 && missing > 0, "{here} of {n} are here");
    assert_eq!(table(&folder.well("killed", &given)), expected);
    assert_eq!(folder.well("killed", &["digest"]), digest, "begun again, it comes to the same");
    folder.well("killed", &["doctor"]);

    folder.well("peace", &with(&["--sign-off", "--by", "Ann"]));
    let log = folder.well("peace", &["audit", "list", "--format", "csv"]);
    let line = log.lines().last().unwrap();
    assert!(
        line.contains("takeover_sign_off") && line.contains("Ann") && line.contains(&old.points.to_string())
    );
    folder.well("peace", &["audit", "verify"]);
}

/// The file is a pipe, which is read whole to be checked, and then another, of which half is there when the program is killed.
fn kill_in_the_middle(folder: &Folder, text: &str) {
    let pipes = ["checked", "taken"].map(|name| folder.0.join(name));
    for pipe in &pipes {
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let (name, next) = (folder.0.join("pipe.csv"), folder.0.join("next.csv"));
    symlink(&pipes[0], &name).unwrap();
    symlink(&pipes[1], &next).unwrap();
    let words = ["import", "members", name.to_str().unwrap(), "--as-of", AS_OF, "--source", "crm"];
    let mut killed =
        folder.zhiyin("killed", &words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let open = |pipe: &Path| OpenOptions::new().write(true).open(pipe).unwrap();
    let mut checked = open(&pipes[0]);
    checked.write_all(text.as_bytes()).unwrap();
    // What is opened after this one ends is the other.
    fs::rename(&next, &name).unwrap();
    drop(checked);
    let half = text.char_indices().nth(text.chars().count() / 2).unwrap().0;
    let mut taken = open(&pipes[1]);
    taken.write_all(&text.as_bytes()[..half]).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
}
