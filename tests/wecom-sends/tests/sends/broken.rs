//! Replies get lost, processes are killed, two do the same: one task each, and the record says what is so.

use serde_json::json;
use zhiyin_reach_sim::Cut;

use crate::stage::{HOUR_MS, MINUTE_MS, Stage};

#[tokio::test]
async fn of_a_task_whose_reply_was_lost_or_that_never_left_there_is_one_in_the_end() {
    for (fault, n) in
        [("call_reply_lost", 1_usize), ("call_fails_before", 0), ("call_server_error", 0), ("call_busy", 0)]
    {
        let mut stage = Stage::new().await;
        stage.staff("he", Some(30)).await;
        stage.staff("li", Some(30)).await;
        for (who, userid) in [("a", "he"), ("b", "he"), ("c", "li")] {
            stage.member(who, userid).await;
        }
        stage.act("faults", json!({fault: 1_000, "apis": ["externalcontact/add_msg_template"]})).await;
        stage.buy(&["a", "b", "c"]).await;
        stage.goes_on(MINUTE_MS, 5_000).await;
        assert_eq!(stage.tasks().await.len(), 2 * n, "{fault}");
        stage.act("faults", json!({"none": true})).await;
        stage.goes_on(2 * HOUR_MS, MINUTE_MS).await;
        assert_eq!(stage.tasks().await.len(), 2, "{fault}: {:?}", stage.tasks().await);
        for who in ["a", "b", "c"] {
            assert_eq!(stage.came(who).await, ["sent"], "{fault}: {who}");
        }
        stage.equals_truth().await;
        stage.home.healthy().await;
    }
}

#[tokio::test]
async fn whoever_the_platform_left_out_of_a_task_whose_reply_was_lost_hears_it_elsewhere() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(30)).await;
    stage.member("a", "he").await;
    let gone = stage.member("b", "he").await;
    stage.act("part", json!({"userid": "he", "customer": gone, "by": "staff"})).await;
    stage
        .act("faults", json!({"call_reply_lost": 1_000, "apis": ["externalcontact/add_msg_template"]}))
        .await;
    stage.buy(&["a", "b"]).await;
    stage.goes_on(MINUTE_MS, 5_000).await;
    stage.act("faults", json!({"none": true})).await;
    stage.goes_on(2 * HOUR_MS, MINUTE_MS).await;
    assert_eq!(stage.came("b").await, ["failed: left_out"]);
    assert_eq!(stage.inbox("b").await.len(), 1);
    assert_eq!(stage.came("a").await, ["sent"]);
    stage.equals_truth().await;
}

#[tokio::test]
async fn two_processes_at_once_make_one_task_of_what_is_due() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(5)).await;
    let names: Vec<String> = (0..40).map(|n| format!("m{n}")).collect();
    for who in &names {
        stage.member(who, "he").await;
    }
    let other = stage.home.second_engine().await;
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    stage.buy(&all).await;
    for _ in 0..12 {
        let (first, second) = tokio::join!(stage.round(), stage.round_of(&other));
        let _both = (first, second);
        stage.passes(5_000).await;
    }
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    for who in &names {
        assert_eq!(stage.came(who).await, ["sent"], "{who}");
    }
    let asked: usize = stage.tasks().await.iter().flat_map(|(_, of)| of.values().copied()).sum();
    assert_eq!(asked, names.len(), "nobody is in two tasks");
    stage.equals_truth().await;
}

#[tokio::test]
async fn whoever_is_killed_anywhere_in_between_leaves_one_task() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(5)).await;
    stage.member("a", "he").await;
    let mut texts = Vec::new();
    for left in (1..60).step_by(3) {
        texts.push(stage.wish("a").await);
        // Killed while it gathers, while it asks the platform, while it notes what it said.
        for _ in 0..3 {
            let cut = Cut::after(left, stage.round());
            let _round_or_killed = cut.await;
            stage.passes(12_000).await;
        }
        stage.goes_on(8 * MINUTE_MS, MINUTE_MS).await;
    }
    stage.goes_on(2 * HOUR_MS, 2 * MINUTE_MS).await;
    let tasks = stage.tasks().await;
    for text in &texts {
        let n = tasks.iter().filter(|(of, _)| of == text).count();
        assert_eq!(n, 1, "{text}: {tasks:?}");
    }
    assert!(stage.came("a").await.iter().all(|came| came == "sent"), "{:?}", stage.came("a").await);
    stage.equals_truth().await;
    stage.home.healthy().await;
}

#[tokio::test]
async fn while_a_fifth_of_all_calls_fail_sends_equal_the_truth_in_the_end() {
    let mut stage = Stage::new().await;
    let staff = ["s0", "s1", "s2"];
    for (n, userid) in staff.iter().enumerate() {
        stage.staff(userid, [Some(3), Some(40), None][n]).await;
    }
    let names: Vec<String> = (0..12).map(|n| format!("m{n}")).collect();
    for (n, who) in names.iter().enumerate() {
        stage.member(who, staff[n % 3]).await;
    }
    stage
        .act(
            "faults",
            json!({"call_reply_lost": 70, "call_fails_before": 70, "call_server_error": 30, "call_busy": 30}),
        )
        .await;
    for round in 0..6_usize {
        let some: Vec<&str> = names.iter().skip(round % 4).step_by(2).map(String::as_str).collect();
        stage.buy(&some).await;
        stage.wish(&names[round]).await;
        stage.goes_on(10 * MINUTE_MS, MINUTE_MS).await;
    }
    stage.act("faults", json!({"none": true})).await;
    stage.goes_on(30 * HOUR_MS, HOUR_MS).await;
    let open: Vec<String> = stage
        .sends()
        .await
        .into_iter()
        .map(|send| send.state)
        .filter(|state| state == "handed" || state == "waiting")
        .collect();
    assert!(open.is_empty(), "{open:?}");
    stage.equals_truth().await;
    stage.home.healthy().await;
}
