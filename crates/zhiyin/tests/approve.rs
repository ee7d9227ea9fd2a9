//! O5 on the command line: what waits for a second person is listed, approved and done once, or refused; and each leaves a line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use zhiyin_engine::adjustments::Adjustment;
use zhiyin_engine::approvals;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::role::{Grant, Limits, Operation, Role};
use zhiyin_store_sqlite::SqliteStore;

/// A folder with a home, removed at the end.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Home {
    fn new() -> Self {
        Self::named("approve")
    }

    fn named(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhiyin-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Whether it was done, and what it said.
    fn run(&self, words: &[&str]) -> (bool, String) {
        self.piped(words, "")
    }

    /// The same, where something is piped in.
    fn piped(&self, words: &[&str], said: &str) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhiyin"));
        command.arg("--home").arg(&self.0).args(words);
        for name in [
            "ZHIYIN_DATABASE",
            "ZHIYIN_HOME",
            "ZHIYIN_MASTER_KEY",
            "ZHIYIN_MASTER_KEY_FILE",
            "ZHIYIN_PUBLIC_URL",
        ] {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whoever reads nothing may be gone already.
        drop(child.stdin.take().unwrap().write_all(said.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn done(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(done, "{words:?}: {said}");
        said
    }

    fn refused(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(!done, "{words:?}: {said}");
        said
    }

    fn rows(&self, words: &[&str]) -> Vec<Value> {
        serde_json::from_str(&self.done(&[words, &["--format", "json"]].concat())).unwrap()
    }

    /// Asks, as somebody of the staff does over HTTP.
    fn ask(&self, member: MemberId, amount: i64) -> i64 {
        let (reason, staff) = ("a lost card".to_owned(), None);
        let request = Adjustment { member, amount, reason, staff }.request();
        self.ask_for(Role::StoreManager, Operation::PointsAdjust, &request)
    }

    fn ask_for(&self, role: Role, operation: Operation, request: &Value) -> i64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = SqliteStore::open(&self.0.join("zhiyin.db"), &IdKey::from_bytes([1; 32])).unwrap();
            let (who, place, staff) =
                ("staff:ann".to_owned(), Some("330".to_owned()), Some("ann".to_owned()));
            let by = Grant { who, role, place, staff, scopes: None };
            approvals::ask(&store, &by, operation, request, &Limits::default()).await.unwrap()
        })
    }
}

#[test]
fn o5_a_request_is_approved_and_done_once_or_refused_and_each_leaves_a_line() {
    let home = Home::new();
    home.done(&["apply", "variety-store"]);
    let file = home.0.join("items.jsonl");
    let item = r#"{"type":"identify","userId":"u1","messageId":"m1","timestamp":"2026-01-01T00:00:00Z"}"#;
    std::fs::write(&file, item).unwrap();
    home.done(&["import", file.to_str().unwrap(), "--source", "till"]);
    let whole: Value = serde_json::from_str(&home.done(&["member", "user:u1", "--format", "json"])).unwrap();
    let member = MemberId::from_hex(whole["id"].as_str().unwrap()).unwrap();
    let points = || home.rows(&["report", "members"])[0]["points"].as_i64().unwrap();
    let state = |row: &Value| {
        let number = row["request"].as_i64().unwrap();
        format!("{number} {} {}", row["state"].as_str().unwrap(), row["reason"].as_str().unwrap())
    };
    let states = || home.rows(&["approval", "list"]).iter().map(state).collect::<Vec<_>>();
    assert_eq!(home.rows(&["approval", "list"]).len(), 0);
    assert_eq!((home.ask(member, 1001), home.ask(member, 2000), home.ask(member, -9000)), (1, 2, 3));
    assert_eq!(states(), ["3 open a lost card", "2 open a lost card", "1 open a lost card"]);

    assert!(home.done(&["approval", "approve", "1"]).contains("approved and done"));
    assert_eq!(points(), 1001);
    assert!(home.done(&["approval", "approve", "1"]).contains("done before"));
    assert_eq!(points(), 1001);
    assert!(home.done(&["approval", "refuse", "2"]).contains("refused"));
    for words in [["approval", "approve", "2"], ["approval", "refuse", "1"]] {
        assert!(home.refused(&words).contains("answered before"), "{words:?}");
    }
    assert!(home.refused(&["approval", "approve", "9"]).contains("no request 9"));
    // What cannot be done is approved, and says why.
    let why = home.refused(&["approval", "approve", "3"]);
    assert!(why.contains("cannot be done") && why.contains("insufficient_points"), "{why}");
    assert_eq!(points(), 1001);
    assert_eq!(states(), ["3 approved a lost card", "2 refused a lost card", "1 approved a lost card"]);

    let audit = home.done(&["audit", "list"]);
    let lines: Vec<&str> = audit.lines().filter(|line| line.contains("points_adjust")).collect();
    let of = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    // Three were asked, two approved and one refused by who runs the command, and what was approved began twice.
    assert_eq!((of("asked\""), of("approved"), of("\"refused\"")), (3, 2, 1), "{audit}");
    assert_eq!(lines.iter().filter(|line| line.contains("system:")).count(), 5, "{audit}");
    home.done(&["audit", "verify"]);
    home.done(&["doctor"]);
}

/// What the home does in its own rounds is approved here and done there; what nobody knows is not approved.
#[test]
fn o5_what_is_done_elsewhere_is_approved_by_what_it_is_and_what_is_unknown_is_not() {
    let home = Home::named("approve-elsewhere");
    home.done(&["apply", "variety-store"]);
    let money = json!({
        "command": "payouts", "payout": "B1", "account": "main", "amount_minor": 30_000, "to": "0".repeat(32),
        "reason": "promised",
    });
    let other = json!({"command": "moon/landing", "reason": "it is there"});
    for (n, request) in [(1, &money), (2, &other)] {
        assert_eq!(home.ask_for(Role::Marketer, Operation::PayoutsMake, request), n);
    }
    let rows = home.rows(&["approval", "list"]);
    let money = rows.iter().find(|row| row["request"] == 1).unwrap();
    assert_eq!(money["member"].as_str(), Some("0".repeat(32).as_str()));
    assert_eq!((money["amount"].as_i64(), money["reason"].as_str()), (Some(30_000), Some("promised")));
    let said = home.done(&["approval", "approve", "1"]);
    assert!(said.contains("money for a member") && said.contains("serves this home"), "{said}");
    assert!(home.done(&["approval", "approve", "1"]).contains("approved before"));
    assert!(home.refused(&["approval", "approve", "2"]).contains("not approved"));
    let states: Vec<Value> =
        home.rows(&["approval", "list"]).iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["open", "approved"]);
}

/// Who signs in is made, given a password, bound and removed from here as from the console; the last owner stays.
#[test]
fn people_who_sign_in_are_made_on_the_command_line() {
    let home = Home::named("people");
    home.done(&["apply", "variety-store"]);
    let weak = home.piped(&["people", "add", "李娜", "--role", "owner"], "password123\n");
    assert!(!weak.0 && weak.1.contains("first that anybody tries"), "{}", weak.1);
    let made = home.piped(&["people", "add", "李娜", "--role", "owner"], "kestrel over oak\n");
    assert!(made.0 && made.1.starts_with("李娜 signs in as owner"), "{}", made.1);
    let unbound = home.refused(&["people", "add", "Wang", "--role", "store_manager", "--no-password"]);
    assert!(unbound.contains("place"), "{unbound}");
    home.done(&["people", "add", "Wang", "--role", "store_manager", "--place", "330", "--no-password"]);
    let listed = home.rows(&["people", "list"]);
    let brief: Vec<_> = listed.iter().map(|row| (row["name"].as_str(), row["password"].as_str())).collect();
    assert_eq!(brief, [(Some("Wang"), Some("no")), (Some("李娜"), Some("yes"))]);
    let set = home.piped(&["people", "password", "wang"], "heron under willow");
    assert!(set.0, "{}", set.1);
    assert!(home.refused(&["people", "remove", "李娜"]).contains("nobody else owns"));
    home.done(&["people", "role", "Wang", "--role", "owner"]);
    home.done(&["people", "remove", "李娜"]);
    assert!(home.refused(&["people", "password", "李娜"]).contains("nobody of this name"));
    let acts: Vec<String> =
        home.rows(&["audit", "list"]).iter().map(|row| row["detail"].to_string()).collect();
    for act in ["person_made", "password_reset", "person_changed", "person_removed"] {
        assert!(acts.iter().any(|detail| detail.contains(act)), "{act}: {acts:?}");
    }
    assert!(!acts.iter().any(|detail| detail.contains("kestrel")));
}

#[test]
fn a_home_into_which_nobody_could_come_is_not_served() {
    let home = Home::named("oidc");
    let file = home.0.join("oidc.json");
    std::fs::write(&file, r#"{"issuer": "https://id.example", "client_id": "zhiyin", "required": true}"#)
        .unwrap();
    let said = home.refused(&["serve", "--oidc", file.to_str().unwrap()]);
    assert!(said.contains("required") && said.contains("--public-url"), "{said}");
}
