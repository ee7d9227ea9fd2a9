//! Staff confirm, late, or never; and what of it the record says.

use serde_json::json;

use crate::stage::{BRAND, HOUR_MS, MINUTE_MS, Stage};

#[tokio::test]
async fn what_says_the_same_through_one_account_is_one_task_and_what_came_of_it_is_noted_with_its_time() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(5)).await;
    stage.staff("li", Some(7)).await;
    for who in ["a", "b", "c"] {
        stage.member(who, "he").await;
    }
    stage.member("d", "li").await;
    stage.buy(&["a", "b", "c", "d"]).await;
    stage.wish("a").await;
    stage.goes_on(MINUTE_MS, 5_000).await;
    let mut tasks = stage.tasks().await;
    tasks.sort();
    let of = |who: &str, n: usize| [(who.to_owned(), n)].into();
    assert_eq!(tasks.len(), 3, "{tasks:?}");
    assert_eq!(tasks.iter().filter(|(text, _)| text == "新品到店，来看看").count(), 2);
    assert!(tasks.contains(&("新品到店，来看看".to_owned(), of("he", 3))), "{tasks:?}");
    assert!(tasks.contains(&("新品到店，来看看".to_owned(), of("li", 1))), "{tasks:?}");
    assert_eq!(stage.came("a").await, ["handed", "handed"]);
    stage.goes_on(20 * MINUTE_MS, MINUTE_MS).await;
    for who in ["b", "c", "d"] {
        assert_eq!(stage.came(who).await, ["sent"], "{who}");
    }
    stage.equals_truth().await;
    let send = stage.sends().await.into_iter().find(|send| send.message == "new-in").unwrap();
    assert!(send.receipt.unwrap().starts_with("msg"));
    assert!(send.tried_at.unwrap().as_str() > "2026-01-05T01:05");
    assert!(stage.inbox("a").await.is_empty());
    stage.home.healthy().await;
}

#[tokio::test]
async fn staff_who_never_confirm_are_reminded_once_a_day_and_then_it_goes_on_the_next_channel() {
    let mut stage = Stage::new().await;
    stage.staff("he", None).await;
    stage.member("a", "he").await;
    stage.buy(&["a"]).await;
    stage.goes_on(23 * HOUR_MS, 30 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await, ["handed"]);
    let reminders = stage.staff_inbox("he").await.len();
    assert!((1..=2).contains(&reminders), "one on each of two days: {reminders}");
    stage.goes_on(3 * HOUR_MS, 30 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await, ["bounced: not_confirmed"]);
    assert_eq!(stage.inbox("a").await.len(), 1);
    let masses = stage.truth("masses").await;
    assert_eq!(masses[0]["cancelled"], true);
    // Whoever wakes up later sends nothing any more.
    stage.act("confirm", json!({"userid": "he", "msgid": masses[0]["msgid"]})).await;
    stage.goes_on(HOUR_MS, 30 * MINUTE_MS).await;
    stage.equals_truth().await;
    assert_eq!(stage.home.member("a").await.member.runs.sent.len(), 1, "it counts once, where it went");
    stage.home.healthy().await;
}

#[tokio::test]
async fn staff_who_confirm_late_have_sent_it_then_and_a_playbook_says_how_late_is_too_late() {
    let brand = BRAND.replace(
        "new-in: { text: { zh: '新品到店，来看看' } }",
        "new-in: { confirm: 2h, text: { zh: '新品到店，来看看' } }",
    );
    for (brand, minutes, came) in
        [(BRAND, 20 * 60, "sent"), (&brand, 90, "sent"), (&brand, 150, "bounced: not_confirmed")]
    {
        let mut stage = Stage::with(brand, &json!([])).await;
        stage.staff("he", Some(minutes)).await;
        stage.member("a", "he").await;
        stage.buy(&["a"]).await;
        stage.goes_on(26 * HOUR_MS, 20 * MINUTE_MS).await;
        assert_eq!(stage.came("a").await, [came], "{minutes} minutes");
        stage.equals_truth().await;
    }
}

#[tokio::test]
async fn a_customer_who_has_had_all_of_the_platforms_month_is_not_asked_for_and_hears_it_elsewhere() {
    let limit = json!([{"subject": "mass_send.per_customer", "number": 1, "window": "month", "from": "2026-01-01", "source": "a test"}]);
    let mut stage = Stage::with(BRAND, &limit).await;
    stage.staff("he", Some(5)).await;
    stage.member("a", "he").await;
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await, ["sent", "stopped: platform_quota: 1 of 1 in this month"]);
    assert_eq!(stage.tasks().await.len(), 1);
    assert_eq!(stage.inbox("a").await.len(), 1);
    // Another month of the platform, another message.
    stage.goes_on(27 * 24 * HOUR_MS, 24 * HOUR_MS).await;
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await.last().unwrap(), "sent");
    stage.equals_truth().await;
}

#[tokio::test]
async fn what_was_never_confirmed_counts_for_no_quota() {
    let limit = json!([{"subject": "mass_send.per_customer", "number": 1, "window": "month", "from": "2026-01-01", "source": "a test"}]);
    let mut stage = Stage::with(BRAND, &limit).await;
    stage.staff("he", None).await;
    stage.member("a", "he").await;
    stage.buy(&["a"]).await;
    stage.goes_on(26 * HOUR_MS, HOUR_MS).await;
    stage.staff("he", Some(5)).await;
    stage.buy(&["a"]).await;
    stage.goes_on(HOUR_MS, 5 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await, ["bounced: not_confirmed", "sent"]);
    stage.equals_truth().await;
}

#[tokio::test]
async fn a_customer_of_whom_the_platform_says_that_they_had_all_or_are_nobodys_hears_it_elsewhere() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(30)).await;
    let (had, gone) = (stage.member("a", "he").await, stage.member("b", "he").await);
    stage.member("c", "he").await;
    // Somebody else sends to them by hand what counts.
    stage.act("limits", json!({"mass_rule": "1_per_day"})).await;
    stage.buy(&["a", "b", "c"]).await;
    stage.goes_on(MINUTE_MS, 10_000).await;
    stage.act("part", json!({"userid": "he", "customer": gone, "by": "customer"})).await;
    stage.goes_on(HOUR_MS, 10 * MINUTE_MS).await;
    assert_eq!(stage.came("b").await, ["bounced: not_theirs"]);
    assert_eq!(stage.came("c").await, ["sent"]);
    stage.wish("a").await;
    stage.goes_on(HOUR_MS, 10 * MINUTE_MS).await;
    assert_eq!(stage.came("a").await, ["sent", "bounced: over_limit"]);
    assert_eq!(stage.inbox("a").await.len(), 1);
    // It is not asked for in vain again today.
    stage.wish("a").await;
    stage.goes_on(MINUTE_MS, 10_000).await;
    assert!(stage.came("a").await[2].starts_with("stopped: platform_quota"), "{had}");
    stage.equals_truth().await;
}

#[tokio::test]
async fn whoever_is_no_customer_of_the_staff_hears_it_elsewhere() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(5)).await;
    stage.member("a", "he").await;
    let when = stage.wall().rfc3339();
    let lost = crate::items::track(
        "l",
        "a",
        "Contact Lost",
        &when,
        json!({"channel": "wecom", "account": "he", "by": "customer"}),
    );
    stage.passes(1_000).await;
    stage.happens(&[lost]).await;
    stage.buy(&["a"]).await;
    stage.goes_on(MINUTE_MS, 10_000).await;
    assert_eq!(stage.came("a").await, ["stopped: address: none"]);
    assert_eq!(stage.inbox("a").await.len(), 1);
    assert!(stage.tasks().await.is_empty());
}

#[tokio::test]
async fn a_message_of_a_persona_goes_through_who_speaks_as_it() {
    let brand = BRAND.replace("new-in: { text", "new-in: { persona: little_advisor, text");
    let mut stage = Stage::with(&brand, &json!([])).await;
    stage.staff("he", Some(5)).await;
    stage.staff("li", Some(5)).await;
    let customer = stage.member("a", "he").await;
    stage.passes(1_000).await;
    stage.act("add", json!({"userid": "li", "customer": customer})).await;
    let when = stage.wall().rfc3339();
    let later = crate::items::track(
        "later",
        "a",
        "Contact Added",
        &when,
        json!({"channel": "wecom", "account": "li"}),
    );
    stage.happens(&[later]).await;
    stage.buy(&["a"]).await;
    stage.wish("a").await;
    stage.goes_on(MINUTE_MS, 10_000).await;
    let tasks = stage.tasks().await;
    let by = |text: &str| {
        tasks.iter().find(|(of, _)| of.starts_with(text)).unwrap().1.keys().next().unwrap().clone()
    };
    assert_eq!((by("新品").as_str(), by("订单").as_str()), ("he", "li"), "the latest, where nobody is named");
}

#[tokio::test]
async fn an_advisors_task_is_on_their_phone_once() {
    let mut stage = Stage::new().await;
    stage.staff("he", Some(5)).await;
    stage.member("a", "he").await;
    stage.goes_on(1_000, 1_000).await;
    let when = stage.wall().rfc3339();
    stage.happens(&[crate::items::track("h", "a", "Help Wanted", &when, json!({}))]).await;
    stage.act("faults", json!({"call_reply_lost": 1_000, "apis": ["message/send"]})).await;
    stage.goes_on(20_000, 5_000).await;
    stage.act("faults", json!({"none": true})).await;
    stage.goes_on(10 * MINUTE_MS, 10_000).await;
    let inbox = stage.staff_inbox("he").await;
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    assert!(inbox[0].to_string().contains("请回访这位会员"), "{inbox:?}");
    stage.goes_on(10 * 24 * HOUR_MS, 12 * HOUR_MS).await;
    assert_eq!(stage.staff_inbox("he").await.len(), 1);
}
