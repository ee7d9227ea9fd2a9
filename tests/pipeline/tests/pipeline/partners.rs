//! C5: each side's counts, whoever a member turns out to be, as of any day.

use serde_json::{Value, json};
use zhiyin_engine::accept::Verdict;
use zhiyin_model::event::Identifier;
use zhiyin_model::time::Day;

use crate::home::{Home, at};
use crate::items::{order, refund, track};

const PLAYBOOK: &str = "playbook: brand
extends: variety-store
partners:
  music_school: { name: { zh: 音乐学校, en: Music school } }
  dojo: { name: { zh: 跆拳道馆, en: Taekwondo school } }
";

fn scan(id: &str, who: &str, code: &str, when: &str) -> Value {
    track(id, who, "Code Scanned", when, json!({"touchpoint": code}))
}

fn deed(id: &str, who: &str, event: &str, when: &str) -> Value {
    track(id, who, event, when, json!({"partner": "dojo"}))
}

async fn counts(home: &Home, day: Option<&str>) -> Vec<String> {
    let table = home.engine().partners(day.and_then(Day::parse)).await.unwrap();
    table.rows.iter().map(|row| row.join(" ")).collect()
}

#[tokio::test]
async fn c5_each_sides_counts_are_kept() {
    let home = Home::new(PLAYBOOK).await;
    home.now_is(at("2024-05-01T00:00:00Z")).await;
    home.live_through(&[
        scan("1", "ann", "music_school", "2024-03-01T00:00:00Z"),
        order("2", "ann", "o1", "2024-03-02T00:00:00Z", "50"),
        order("3", "ann", "o2", "2024-03-05T00:00:00Z", "30"),
        refund("4", "ann", "o2", "2024-03-20T00:00:00Z", "10"),
        scan("5", "bob", "music_school", "2024-03-03T00:00:00Z"),
        order("6", "eve", "o3", "2024-03-01T00:00:00Z", "70"),
        scan("7", "eve", "music_school", "2024-03-04T00:00:00Z"),
        order("8", "eve", "o4", "2024-03-05T00:00:00Z", "70"),
        deed("9", "eve", "Partner Referred", "2024-03-06T00:00:00Z"),
        deed("10", "eve", "Partner Referred", "2024-03-07T00:00:00Z"),
        deed("11", "ann", "Partner Referred", "2024-03-08T00:00:00Z"),
        deed("12", "ann", "Partner Redeemed", "2024-03-09T00:00:00Z"),
    ])
    .await;
    let now = ["dojo Taekwondo school 0 0 0 0 0 2 3 1", "music_school Music school 2 1 1 2 7000 0 0 0"];
    assert_eq!(counts(&home, None).await, now);
    let then = ["dojo Taekwondo school 0 0 0 0 0 1 1 0", "music_school Music school 2 1 1 2 8000 0 0 0"];
    assert_eq!(counts(&home, Some("2024-03-06")).await, then);
    let before = ["dojo Taekwondo school 0 0 0 0 0 0 0 0", "music_school Music school 0 0 0 0 0 0 0 0"];
    assert_eq!(counts(&home, Some("2024-02-28")).await, before);
    assert!(home.engine().partners(Day::parse("2024-06-01")).await.is_err());

    // Bob is Ann: one of the two whom the school brought, and one of those who bought.
    let names = ["bob", "ann"].map(|who| Identifier { namespace: "user".to_owned(), value: who.to_owned() });
    assert_eq!(home.engine().merge(&names, "one person").await.unwrap(), Verdict::Accepted);
    let merged = ["dojo Taekwondo school 0 0 0 0 0 2 3 1", "music_school Music school 1 1 1 2 7000 0 0 0"];
    assert_eq!(counts(&home, None).await, merged);
    home.healthy().await;
}
