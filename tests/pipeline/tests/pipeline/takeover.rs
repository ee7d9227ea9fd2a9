//! C7: members of an old system are taken over from a file, laid beside it, and nothing earns twice.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::import::{Reject, Tally, Watch};
use zhiyin_engine::takeover::table::Table;
use zhiyin_engine::takeover::{Checked, Request};
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::time::Ts;

use crate::home::{Home, at};
use crate::items::{order, spend, track};

/// The shipped promises, with a tag that is given by hand and typed attributes.
const PLAYBOOK: &str = "playbook: brand
extends: variety-store
tags: { vip: { name: { zh: 贵宾, en: VIP } } }
attributes: { pets: { name: { zh: 宠物, en: Pets }, type: number } }
";
const AS_OF: &str = "2025-12-31T16:00:00Z";

static FILES: AtomicU64 = AtomicU64::new(0);

/// A file for one test, removed at the end.
struct File(PathBuf);

impl File {
    fn new(extension: &str, text: &str) -> Self {
        let n = FILES.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("zhiyin-takeover-{}-{n}.{extension}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn request(file: &Path, join: bool) -> Request {
    Request { file: file.to_owned(), name: "old".to_owned(), as_of: at(AS_OF), key: None, join }
}

/// Keeps what was refused on the way.
#[derive(Default)]
struct Seen(Vec<Reject>);

impl Watch for Seen {
    fn tally(&mut self, _: &Tally) {}
    fn reject(&mut self, reject: Reject) -> zhiyin_engine::Result<()> {
        self.0.push(reject);
        Ok(())
    }
}

async fn check(home: &Home, file: &File, join: bool) -> Checked {
    home.engine().takeover_check(&request(&file.0, join), &mut Seen::default()).await.unwrap()
}

async fn import(home: &Home, file: &File, join: bool, batch: usize) -> Tally {
    let mut seen = Seen::default();
    let tally = home.engine().takeover_import(&request(&file.0, join), batch, &mut seen).await.unwrap();
    assert!(seen.0.is_empty(), "{:?}", seen.0);
    tally
}

async fn reconcile(home: &Home, file: &File, join: bool) -> Table {
    home.engine().takeover_reconcile(&request(&file.0, join), &mut Seen::default()).await.unwrap()
}

async fn home() -> Home {
    let home = Home::new(PLAYBOOK).await;
    home.now_is(at("2026-01-10T00:00:00Z")).await;
    home
}

fn lines(table: &Table) -> Vec<String> {
    table
        .lines
        .iter()
        .map(|line| format!("{} {} {} {}", line.what, line.file, line.home, line.difference()))
        .collect()
}

const HEAD: &str = "card,phone,openid:wx1,enrolled,name,birthday,home_store,pets,points,points_expire,points_2,points_expire_2,growth,tier,tier_until,tags\n";

/// So many members, each different from the one before.
fn members(n: usize) -> String {
    let mut text = HEAD.to_owned();
    for i in 0..n {
        let tier = ["", "silver", "gold"][i % 3];
        let until = if tier.is_empty() { "" } else { "2026-06-30" };
        let vip = if i % 4 == 0 { "vip" } else { "" };
        let (expire, growth) = (["2026-01-31", "2026-12-31"][i % 2], [0, 3100, 900][i % 3]);
        text.push_str(&format!(
            "C{i:05},139{i:08},o{i},20{:02}-05-01,王{i},1990-02-03,S{},{},{},{expire},{},never,{growth},{tier},{until},{vip}\n",
            10 + i % 15, i % 7, i % 3, i * 3, i % 5,
        ));
    }
    text
}

#[tokio::test]
async fn c7_a_file_is_taken_over_once_and_lies_even_with_the_record() {
    let home = home().await;
    let file = File::new("csv", &members(60));
    let empty = home.digest().await;
    let checked = check(&home, &file, false).await;
    assert_eq!((checked.n_faults, checked.new, checked.joining, checked.taken), (0, 60, 0, 0));
    assert_eq!(home.digest().await, empty, "a trial writes nothing");
    let before = reconcile(&home, &file, false).await;
    assert!(!before.even && before.causes.contains(&"60 rows of the file were not taken over".to_owned()));

    let tally = import(&home, &file, false, 64).await;
    assert_eq!((tally.read, tally.accepted, tally.duplicates, tally.dead), (60, 60, 0, 0));
    let table = reconcile(&home, &file, false).await;
    let expected = [
        "members 60 60 0",
        "points 5430 5430 0",
        "growth 80000 80000 0",
        "tier gold 20 20 0",
        "tier regular 20 20 0",
        "tier silver 20 20 0",
        "points until 2026-01 2610 2610 0",
        "points until 2026-12 2700 2700 0",
        "points until never 120 120 0",
        "tag vip 15 15 0",
    ];
    assert_eq!(
        (lines(&table), table.even),
        (expected.map(str::to_owned).to_vec(), true),
        "{:?}",
        table.causes
    );

    let digest = home.digest().await;
    let again = import(&home, &file, false, 64).await;
    assert_eq!((again.accepted, again.duplicates), (0, 60));
    assert_eq!(home.digest().await, digest, "a second run changes nothing");
    // Spending and expiring later changes the balances, not what was taken over.
    home.now_is(at("2026-03-01T00:00:00Z")).await;
    home.live_through(&[track("s", "nobody", "App Opened", "2026-02-28T00:00:00Z", json!({}))]).await;
    home.until(at("2026-03-01T00:00:00Z")).await;
    let later = reconcile(&home, &file, false).await;
    assert_eq!((later.lines, later.even), (table.lines, true));
    home.healthy().await;
}

#[tokio::test]
async fn c7_neither_the_form_of_the_file_nor_batches_matter() {
    let (one, other) = (home().await, home().await);
    let csv = File::new("csv", &members(30));
    let rows = (0..30usize).map(|i| {
        let tier = ["", "silver", "gold"][i % 3];
        let mut row = json!({
            "identifiers": {"card": format!("C{i:05}"), "phone": format!("139{i:08}"), "openid:wx1": [format!("o{i}")]},
            "enrolled": format!("20{:02}-05-01", 10 + i % 15), "name": format!("王{i}"), "birthday": "1990/02/03",
            "home_store": format!("S{}", i % 7), "attributes": {"pets": i % 3},
            "lots": [{"points": i * 3, "expire": (["2026-01-31", "2026-12-31"][i % 2])}, {"points": (i % 5).to_string(), "expire": "never"}],
            "growth": ([0, 3100, 900][i % 3]), "tags": (if i % 4 == 0 { json!(["vip"]) } else { json!(null) }),
        });
        if !tier.is_empty() {
            row["tier"] = json!(tier);
            row["tier_until"] = json!("2026-06-30");
        }
        row.to_string() + "\n"
    });
    let json = File::new("jsonl", &rows.collect::<String>());
    assert_eq!(import(&one, &csv, false, 1).await.accepted, 30);
    assert_eq!(import(&other, &json, false, 4096).await.accepted, 30);
    assert_eq!(one.digest().await, other.digest().await);
    // The same rows in the other form are the same rows.
    let again = import(&one, &json, false, 64).await;
    assert_eq!((again.accepted, again.duplicates), (0, 30));
    assert!(reconcile(&one, &json, false).await.even);
}

#[tokio::test]
async fn c7_who_was_interrupted_goes_on() {
    let (left_in_peace, interrupted) = (home().await, home().await);
    let whole = File::new("csv", &members(50));
    let part = File::new("csv", &members(23));
    import(&left_in_peace, &whole, false, 64).await;
    import(&interrupted, &part, false, 64).await;
    let table = reconcile(&interrupted, &whole, false).await;
    assert!(!table.even && table.causes.contains(&"27 rows of the file were not taken over".to_owned()));
    let rest = import(&interrupted, &whole, false, 64).await;
    assert_eq!((rest.accepted, rest.duplicates), (27, 23));
    assert_eq!(interrupted.digest().await, left_in_peace.digest().await);
    assert!(reconcile(&interrupted, &whole, false).await.even);
    // What the file no longer has is not lost sight of.
    let table = reconcile(&interrupted, &part, false).await;
    let cause = "27 rows were taken over from this source that are not in the file".to_owned();
    assert!(!table.even && table.causes.contains(&cause), "{:?}", table.causes);
}

#[tokio::test]
async fn c7_what_is_wrong_is_told_by_line_and_field_and_never_by_value() {
    let home = home().await;
    let head = "card,phone,enrolled,birthday,pets,points,points_expire,lots,growth,growth_day,tier,tier_from,tier_until,tags\n";
    let cases = [
        (",,,,,,,,,,,,,", "nobody@"),
        ("0,null,,,,,,,,,,,,", "nobody@"),
        ("C1,139secret,,,,,,,,,,,,", "phone_malformed@phone"),
        ("C1;C2,,,,,,,,,,,,,", "identifier_limit@card"),
        ("C1,,yesterday,,,,,,,,,,,", "bad_date@enrolled"),
        ("C1,,2026-01-02,,,,,,,,,,,", "enrolled_later@enrolled"),
        ("C1,,,3.2.1990,,,,,,,,,,", "bad_attribute@birthday"),
        ("C1,,,,two,,,,,,,,,", "bad_attribute@pets"),
        ("C1,,,,,-5,2026-12-31,,,,,,,", "bad_amount@points"),
        ("C1,,,,,1.5,2026-12-31,,,,,,,", "bad_amount@points"),
        ("C1,,,,,5,,,,,,,,", "expiry_missing@points_expire"),
        ("C1,,,,,5,soon,,,,,,,", "bad_date@points_expire"),
        ("C1,,,,,5,2025-12-31,,,,,,,", "points_expired@points_expire"),
        ("C1,,,,,,,nothing,,,,,,", "bad_lots@lots"),
        (r#"C1,,,,,,,"[{""points"": 1}]",,,,,,"#, "expiry_missing@lots[0].expire"),
        (r#"C1,,,,,1,never,"[{""points"": 1, ""expire"": ""never""}]",,,,,,"#, "points_twice@lots"),
        ("C1,,,,,,,,many,,,,,", "bad_amount@growth"),
        ("C1,,,,,,,,5,2026-01-02,,,,", "bad_date@growth_day"),
        ("C1,,,,,,,,,,platinum,,,", "tier_unknown@tier"),
        ("C1,,,,,,,,,,,2025-01-01,,", "tier_missing@tier"),
        ("C1,,,,,,,,,,gold,,2025-12-31,", "tier_ended@tier_until"),
        ("C1,,,,,,,,,,gold,2026-01-02,,", "bad_date@tier_from"),
        ("C1,,,,,,,,,,,,,friend", "tag_unknown@tags"),
        ("C1,,,,,,,,,,,,,big_basket", "tag_by_rule@tags"),
        ("C1,,,,", "bad_row@"),
    ];
    for (row, expected) in cases {
        let file = File::new("csv", &format!("{head}C0,,,,,,,,,,,,,\n{row}\n"));
        let checked = check(&home, &file, false).await;
        let told: Vec<String> = checked
            .faults
            .iter()
            .map(|fault| format!("{}@{} line {}", fault.code, fault.field, fault.line))
            .collect();
        assert_eq!(told, [format!("{expected} line 3")], "{row}");
        assert_eq!(checked.totals.members, 1, "{row}");
        let said = checked.faults[0].to_string();
        for value in ["secret", "139", "yesterday", "soon", "two", "3.2.1990", "many", "friend", "C1"] {
            assert!(!said.contains(value), "{said}");
        }
    }
    // A head that says what nobody knows is told column by column, and no row is read.
    for (head, expected) in [
        ("card,enroled\n", "column_unknown@enroled line 1"),
        ("card,consents\n", "column_not_yet@consents line 1"),
        ("card,card\n", "column_twice@card line 1"),
        ("name,points\n", "nobody@ line 1"),
    ] {
        let checked = check(&home, &File::new("csv", &format!("{head}C1,x\n")), false).await;
        let told: Vec<String> = checked
            .faults
            .iter()
            .map(|fault| format!("{}@{} line {}", fault.code, fault.field, fault.line))
            .collect();
        assert_eq!(told, [expected.to_owned()]);
    }
    for (row, expected) in [
        ("{", "bad_json@ line 1"),
        ("[]", "bad_row@ line 1"),
        (r#"{"card": {}}"#, "bad_identifier@card line 1"),
        (r#"{"card": "1", "identifiers": {"card": "2"}}"#, "column_twice@id.card line 1"),
        (r#"{"card": "1", "lots": [{"points": 1, "expire": 7}]}"#, "bad_date@lots[0].expire line 1"),
        (r#"{"identifiers": {"crm": "7"}, "key": ""}"#, "key_missing@key line 1"),
    ] {
        let checked = check(&home, &File::new("jsonl", &format!("{row}\n")), false).await;
        let told =
            checked.faults.iter().map(|fault| format!("{}@{} line {}", fault.code, fault.field, fault.line));
        assert!(told.clone().any(|told| told == expected), "{row}: {:?}", told.collect::<Vec<_>>());
    }
    assert!(home.dead().await.is_empty());
}

#[tokio::test]
async fn c7_two_rows_of_one_person_are_told_and_never_merged() {
    let home = home().await;
    // One spelling or another: it is the same phone.
    let text = "card,phone,email\nC1,13912345678,\nC2,+86 139-1234-5678,\nC3,,Ann@Example.com\nC4,,ann@example.com\nC5,,\n";
    let checked = check(&home, &File::new("csv", text), false).await;
    let told: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3: phone: names the same person as line 2 (same_person)",
            "line 5: email: names the same person as line 4 (same_person)",
        ]
    );
    // Should they come to the door all the same, the second is refused there.
    let one = File::new("csv", "card,phone\nC1,13912345678\n");
    let two = File::new("csv", "card,phone,points,points_expire\nC2,13912345678,5,never\n");
    import(&home, &one, false, 64).await;
    let checked = check(&home, &two, false).await;
    assert_eq!(
        checked.faults[0].to_string(),
        "line 2 (card ****): phone: this member was taken over already, by another row (taken_over_already)"
    );
}

#[tokio::test]
async fn c7_somebody_who_is_here_is_joined_only_where_that_was_said() {
    let home = home().await;
    home.live_through(&[
        order("1", "ann", "o1", "2026-01-02T00:00:00Z", "50"),
        order("2", "bob", "o2", "2026-01-02T00:00:00Z", "700"),
        order("3", "eve", "o3", "2025-12-30T00:00:00Z", "20"),
    ])
    .await;
    let head = "id.user,card,points,points_expire,tier\n";
    let file = File::new(
        "csv",
        &format!("{head}ann,C1,100,never,silver\nbob,C2,10,never,silver\nnew,C3,1,never,\n"),
    );
    let told = |checked: &Checked| -> Vec<String> {
        checked.faults.iter().map(|fault| format!("{} {} {}", fault.line, fault.field, fault.code)).collect()
    };
    assert_eq!(told(&check(&home, &file, false).await), ["2 user member_known", "3 user member_known"]);
    let checked = check(&home, &file, true).await;
    assert_eq!((checked.n_faults, checked.new, checked.joining), (0, 1, 2));
    let tally = import(&home, &file, true, 64).await;
    assert_eq!((tally.accepted, tally.dead), (3, 0));
    assert_eq!((home.points("ann").await.active, home.points("bob").await.active), (150, 710));
    let tier = |whole: zhiyin_store::read::MemberWhole| whole.member.term.map(|term| term.level);
    assert_eq!(tier(home.member("ann").await).as_deref(), Some("silver"));
    assert_eq!(tier(home.member("bob").await).as_deref(), Some("gold"), "a better one is kept");
    let table = reconcile(&home, &file, false).await;
    assert!(table.even, "{table:?}");
    let cause = "1 members were here already and keep a tier that is as good".to_owned();
    assert!(table.causes.contains(&cause), "{:?}", table.causes);
    // Said again with or without, it changes nothing.
    for join in [true, false] {
        assert_eq!(check(&home, &file, join).await.taken, 3);
        assert_eq!(import(&home, &file, join, 64).await.duplicates, 3);
    }
    // Orders from before that came in first, two who are somebody each, and one row of two members.
    for (rows, expected) in [
        ("eve,C4,1,never,\n", "2 user orders_came_first"),
        ("ann,C9,1,never,\n", "2 user taken_over_already"),
        ("ann,C2,1,never,\n", "2 card several_members"),
        ("ann,C1,101,never,silver\n", "2 key message_id_reused"),
    ] {
        let file = File::new("csv", &format!("{head}{rows}"));
        let request = Request { key: Some("card".to_owned()), ..request(&file.0, true) };
        let keyed = home.engine().takeover_check(&request, &mut Seen::default()).await.unwrap();
        let plain = check(&home, &file, true).await;
        let all: Vec<String> = told(&plain).into_iter().chain(told(&keyed)).collect();
        assert!(all.contains(&expected.to_owned()), "{rows}: {all:?}");
    }
    home.healthy().await;
}

#[tokio::test]
async fn c7_orders_from_before_are_history_and_earn_nothing() {
    let home = home().await;
    let file = File::new("csv", "id.user,points,points_expire,growth\nann,100,2026-12-31,500\n");
    import(&home, &file, false, 64).await;
    home.live_through(&[
        order("1", "ann", "o1", "2025-03-01T00:00:00Z", "700"),
        order("2", "ann", "o2", "2025-12-31T15:59:59Z", "30"),
        order("3", "ann", "o3", "2025-12-31T16:00:00Z", "30"),
        order("4", "other", "o4", "2025-03-01T00:00:00Z", "30"),
    ])
    .await;
    let ann = home.member("ann").await;
    assert_eq!((ann.orders, home.points("ann").await.active), ((3, 76_000), 130));
    assert_eq!(home.points("other").await.active, 30, "who was not taken over earns as ever");
    home.accept(&[spend("5", "ann", "2025-12-01T00:00:00Z", 10)]).await;
    home.settle().await;
    assert_eq!(home.refusals().await, ["5: before_takeover @timestamp"]);
    assert!(reconcile(&home, &file, false).await.even);
    home.healthy().await;
}

#[tokio::test]
async fn c7_only_the_take_over_says_who_was_taken_over() {
    let home = home().await;
    let item = track("1", "ann", "Member Taken Over", AS_OF, json!({"lots": [{"points": 1000000}]}));
    let verdicts = home.accept(&[item]).await;
    assert!(
        matches!(&verdicts[..], [Verdict::Refused(Refusal { code: "event_reserved", .. })]),
        "{verdicts:?}"
    );
}

#[tokio::test]
async fn c7_who_was_taken_over_can_be_merged_and_parted() {
    let home = home().await;
    let file = File::new(
        "csv",
        "id.user,enrolled,points,points_expire,growth,tier,tier_until\n\
         ann,2019-05-01,100,2026-12-31,3500,gold,2026-12-31\nbob,2020-05-01,40,2026-06-30,100,,\n",
    );
    import(&home, &file, false, 64).await;
    home.live_through(&[order("1", "ann", "o1", "2026-01-05T00:00:00Z", "10")]).await;
    let state = async |who: &str| {
        let whole = home.member(who).await;
        let account = |asset| whole.member.account(asset).balance();
        let term = whole.member.term.as_ref().unwrap();
        (
            account(zhiyin_model::effect::Asset::Points),
            account(zhiyin_model::effect::Asset::Growth),
            term.level.clone(),
            term.ends.to_string(),
            whole.member.enrolled_at,
            whole.member.touches.taken_over,
        )
    };
    let instant: Option<Ts> = Some(at(AS_OF));
    let (ann, bob) = (state("ann").await, state("bob").await);
    // Gold earns twice.
    assert_eq!(
        ann,
        (120, 3600, "gold".to_owned(), "2027-01-01".to_owned(), Some(at("2019-04-30T16:00:00Z")), instant)
    );
    assert_eq!(
        bob,
        (40, 100, "regular".to_owned(), "2027-01-01".to_owned(), Some(at("2020-04-30T16:00:00Z")), instant)
    );
    let names = ["ann", "bob"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    let merged = home.engine().merge(&names, "one person").await.unwrap();
    assert_eq!(merged, Verdict::Accepted);
    let both = state("ann").await;
    assert_eq!((both.0, both.1, both.2.as_str()), (160, 3700, "gold"));
    home.healthy().await;
    let table = reconcile(&home, &file, false).await;
    assert!(table.even, "{table:?}");
    // An order from before either was taken over earns nothing for who they are now.
    home.live_through(&[order("2", "bob", "o2", "2025-12-01T00:00:00Z", "500")]).await;
    assert_eq!(state("bob").await.0, 160);
    let parted = home.engine().unmerge(&names[1..], "two people").await.unwrap();
    assert_eq!(parted, Verdict::Accepted);
    assert_eq!((state("ann").await, state("bob").await), (ann, bob));
    home.healthy().await;
    assert!(reconcile(&home, &file, false).await.even);
}
