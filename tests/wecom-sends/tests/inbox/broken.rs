//! Replies get lost, processes are killed: each word once, each answer once at most.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde_json::json;
use zhiyin_engine::clock;

use crate::stage::{DESKS, MINUTE_MS, Stage, owner};

/// A future that is dropped once it was looked at so often: a process that is killed there.
struct Cut<F> {
    of: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.of.as_mut().poll(context).map(Some)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_process_that_is_killed_while_it_pulls_goes_on_from_its_place() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    let mut wanted = Vec::new();
    for n in 0..24 {
        for (i, desk) in DESKS.iter().take(2).enumerate() {
            let words = format!("第{n}句{i}");
            stage.says(&ziqi, desk, &words).await;
            wanted.push(words);
            stage.passes(1_000).await;
        }
        stage.hears().await;
        let round = stage.home.engine().round_of_platforms(&stage.at, clock::wall());
        let _killed = Cut { of: Box::pin(round), left: n }.await;
        stage.passes(MINUTE_MS).await;
    }
    for _ in 0..4 {
        stage.goes_on(MINUTE_MS).await;
    }
    let talk = stage.talk().await;
    let mut texts = stage.texts(&talk.conversation).await;
    texts.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(texts, wanted);
    assert_eq!(talk.unread, 48);
    assert_eq!(stage.events(talk.member.as_ref().unwrap()).await.len(), 48);
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_an_answer_that_was_asked_for_before_a_crash_is_said_once() {
    let mut stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    stage.says(&ziqi, DESKS[0], "在吗").await;
    stage.goes_on(1_000).await;
    let id = stage.talk().await.conversation;
    stage.reply(&owner(), &id, "r1", "在的").await.unwrap();
    stage.home.reopen().await;
    assert_eq!(stage.heard(&ziqi).await, [""; 0]);
    assert_eq!(stage.reply(&owner(), &id, "r1", "在的").await.unwrap().state, "waiting");
    // Two processes at once, and once more.
    let other = stage.home.second_engine().await;
    let wall = clock::wall();
    tokio::join!(
        stage.home.engine().round_of_platforms(&stage.at, wall),
        other.round_of_platforms(&stage.at, wall)
    );
    stage.goes_on(MINUTE_MS).await;
    assert_eq!(stage.heard(&ziqi).await, ["在的"]);
    assert_eq!(stage.reply(&owner(), &id, "r1", "在的").await.unwrap().state, "delivered");
    stage.home.healthy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_an_answer_is_never_said_twice_whatever_gets_lost() {
    for (fault, heard, state) in [
        ("call_busy", 1, "delivered"),
        ("call_reply_lost", 1, "unknown"),
        ("call_fails_before", 0, "unknown"),
        ("call_server_error", 0, "unknown"),
    ] {
        let stage = Stage::new().await;
        let ziqi = stage.phone("子期").await;
        stage.says(&ziqi, DESKS[0], "在吗").await;
        stage.goes_on(1_000).await;
        let id = stage.talk().await.conversation;
        stage.act("faults", json!({fault: 1_000, "apis": ["kf/send_msg"]})).await;
        stage.reply(&owner(), &id, "r1", "在的").await.unwrap();
        stage.works().await;
        stage.act("faults", json!({"none": true})).await;
        for _ in 0..10 {
            stage.goes_on(MINUTE_MS).await;
        }
        assert_eq!(stage.heard(&ziqi).await.len(), heard, "{fault}");
        assert_eq!(stage.reply(&owner(), &id, "r1", "在的").await.unwrap().state, state, "{fault}");
        let trouble = stage.talk().await.trouble;
        assert_eq!(trouble.as_deref(), (state == "unknown").then_some("unknown"), "{fault}");
        // A person who knows better says it again, under another name.
        stage.reply(&owner(), &id, "r2", "在的！").await.unwrap();
        stage.goes_on(1_000).await;
        assert_eq!(stage.heard(&ziqi).await.last().map(String::as_str), Some("在的！"), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_process_that_is_killed_while_it_answers_says_it_once_at_most() {
    let stage = Stage::new().await;
    let ziqi = stage.phone("子期").await;
    let (mut said, mut unknown) = (0, 0);
    for n in 0..30 {
        stage.says(&ziqi, DESKS[0], &format!("问{n}")).await;
        stage.goes_on(1_000).await;
        let id = stage.talk().await.conversation;
        let text = format!("答{n}");
        stage.reply(&owner(), &id, &format!("r{n}"), &text).await.unwrap();
        let round = stage.home.engine().round_of_platforms(&stage.at, clock::wall());
        let _killed = Cut { of: Box::pin(round), left: n }.await;
        for _ in 0..3 {
            stage.goes_on(MINUTE_MS).await;
        }
        let state = stage.reply(&owner(), &id, &format!("r{n}"), &text).await.unwrap().state;
        let heard = stage.heard(&ziqi).await.iter().filter(|heard| **heard == text).count();
        match state.as_str() {
            "delivered" => {
                assert_eq!(heard, 1, "{n}");
                said += 1;
            }
            "unknown" => {
                assert!(heard <= 1, "{n}: {heard}");
                unknown += 1;
            }
            other => panic!("{n}: {other}"),
        }
    }
    assert!(said > 0 && said + unknown == 30, "{said} said, {unknown} unknown");
    stage.home.healthy().await;
}
