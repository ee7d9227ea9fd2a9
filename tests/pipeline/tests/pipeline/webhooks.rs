//! Others are told of what happens: each message once or more often under the same id, whoever dies in between.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use zhiyin_engine::accept::{Source, Ties, Verdict, latest, prepare};
use zhiyin_engine::webhooks::manage::{self, Chance, NewEndpoint, Patch};
use zhiyin_engine::webhooks::{FAILING_DAYS_MAX, KEPT_DAYS, WebhookProblem};
use zhiyin_engine::{EngineError, Result};
use zhiyin_model::role::Grant;
use zhiyin_model::time::{DAY_US, HOUR_US, Ts};
use zhiyin_model::webhook;
use zhiyin_reach::client::Client;
use zhiyin_reach::retry::PAUSES_SECONDS;
use zhiyin_reach::signature::Secret;
use zhiyin_store::webhooks::{Because, Endpoint, Log, Message, State};

use crate::home::{Home, KEY, at, source};
use crate::items::{about, adjust, gift, order, refund, spend, track};
use crate::receiver::{Got, Receiver};

const PLAYBOOK: &str = "
playbook: brand
extends: variety-store
identity: { namespaces: { user: { limit: 10 } } }
consent: { purposes: { marketing: { channels: [sms], category: Advertising } } }
audiences: { rich: { standing: true, who: points >= 100 } }
";
const SINCE: &str = "2017-03-01T00:00:00Z";
const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

fn owner() -> Grant {
    Grant::system("ann")
}

fn chance(n: u8) -> Chance {
    [n; 24]
}

/// An instant of the wall clock, so many seconds after the first.
fn wall(seconds: i64) -> Ts {
    at("2026-11-26T00:00:00Z").plus_us(seconds * 1_000_000)
}

async fn home() -> Home {
    let home = Home::new(PLAYBOOK).await;
    home.now_is(at(SINCE)).await;
    home
}

async fn endpoint(home: &Home, url: String, n: u8, identifiers: bool) -> (Endpoint, Secret) {
    let new = NewEndpoint { url, identifiers, allow_private: true, ..NewEndpoint::default() };
    let store = home.engine().store().as_ref();
    manage::make(store, &owner(), new, &chance(n), wall(0)).await.unwrap()
}

/// As it stands now.
async fn stands(home: &Home, id: &str) -> Endpoint {
    manage::endpoint(home.engine().store().as_ref(), id).await.unwrap()
}

/// Items come in live and are decided.
async fn live(home: &Home, ties: Ties, items: &[Value], now: &str) {
    let (now, source) = (at(now), Source { ties, ..source("till", false) });
    let bytes = items.iter().map(|item| item.to_string().into_bytes());
    let prepared = bytes.map(|item| prepare(&KEY, &source, &item, Some(now), latest(now))).collect();
    let verdicts = home.engine().take(&source, prepared, now, None).await.unwrap();
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    home.until(now).await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
}

async fn pump(home: &Home) -> usize {
    let mut made = 0;
    loop {
        let pumped = home.engine().pump(wall(0)).await.unwrap();
        made += pumped.messages;
        // An entry shows once every transaction that began before it has ended, another test's too.
        let work = home.engine().store().work().await.unwrap();
        if pumped.entries == 0 && work.feed.iter().all(|(_, behind)| *behind == 0) {
            return made;
        }
        tokio::task::yield_now().await;
    }
}

/// Sends what is due at an instant until nothing is; how many were taken, and how many not.
async fn deliver(home: &Home, id: &str, now: Ts) -> (usize, usize) {
    let (client, mut all) = (Client::new(), (0, 0));
    loop {
        let part = home.engine().deliver(&client, &stands(home, id).await, now).await.unwrap();
        if part.is_idle() {
            return all;
        }
        all = (all.0 + part.taken, all.1 + part.failed);
    }
}

async fn kept(home: &Home, id: &str) -> Vec<Message> {
    let log = Log { endpoint: id.to_owned(), state: None, before: None, limit: 1_000 };
    home.engine().store().webhooks().messages(log).await.unwrap()
}

fn ids(got: &[Got]) -> Vec<String> {
    got.iter().map(|one| one.header("webhook-id").to_owned()).collect()
}

fn is_signed(got: &Got, secret: &Secret) -> bool {
    let timestamp: i64 = got.header("webhook-timestamp").parse().unwrap();
    let signature = secret.sign(got.header("webhook-id"), timestamp, got.body.as_bytes());
    got.header("webhook-signature").split(' ').any(|one| one == signature)
}

fn problem<T: std::fmt::Debug>(refused: Result<T>) -> WebhookProblem {
    match refused.unwrap_err() {
        EngineError::Webhook(problem) => problem,
        other => panic!("{other:?}"),
    }
}

/// A day on which much happens.
async fn a_day(home: &Home) {
    let consent = |id: &str, event: &str| {
        track(id, "ann", event, NOON, json!({"purpose": "marketing", "channel": "sms"}))
    };
    let items = [
        order("o1", "ann", "1", NOON, "1200.50"),
        order("o2", "bob", "2", NOON, "100"),
        refund("r1", "ann", "1", NOON, "200.50"),
        spend("s1", "ann", NOON, 10),
        adjust("a1", "ann", NOON, 7),
        adjust("a2", "ann", NOON, -3),
        gift("g1", "ann", "bob", NOON, 5),
        track("h1", "ann", "Points Spent", NOON, json!({"amount": 4, "hold": true})),
        order("o3", "bob", "3", NOON, "10"),
        about("c3", "bob", "Order Cancelled", "3", NOON),
        consent("y1", "Consent Given"),
        consent("n1", "Consent Withdrawn"),
    ];
    live(home, Ties::Keep, &items, NOON).await;
    let merge = json!({"type": "track", "event": "Members Merge Asked", "messageId": "m1", "timestamp": LATER,
        "context": {"externalIds": [{"id": "ann", "type": "user"}, {"id": "bob", "type": "user"}]}});
    let part = json!({"type": "track", "event": "Members Unmerged", "messageId": "u1", "timestamp": LATER,
        "context": {"externalIds": [{"id": "bob", "type": "user"}]}});
    live(home, Ties::Insist, &[merge], LATER).await;
    live(home, Ties::Insist, &[part], LATER).await;
    // Points expire, stages end: by themselves, and long after.
    home.until(at("2020-06-01T00:00:00Z")).await;
}

#[tokio::test]
async fn what_happens_is_told_as_it_is_documented() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let (hook, secret) = endpoint(&home, receiver.url(), 1, false).await;
    a_day(&home).await;
    let made = pump(&home).await;
    assert_eq!(deliver(&home, &hook.id, wall(0)).await, (made, 0));
    let got = receiver.take();
    let mut by_kind: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for one in &got {
        assert!(is_signed(one, &secret), "{one:?}");
        let said = one.json();
        let kind = said["type"].as_str().unwrap().to_owned();
        let data = said["data"].as_object().unwrap();
        assert_eq!(webhook::misfit(webhook::kind(&kind).unwrap(), data), None, "{said}");
        assert!(Ts::parse(said["timestamp"].as_str().unwrap()).unwrap() >= at(SINCE), "{said}");
        for name in ["\"ann\"", "\"bob\""] {
            assert!(!one.body.contains(name), "{said} names somebody");
        }
        by_kind.entry(kind).or_default().push(said["data"].clone());
    }
    assert_eq!(ids(&got).iter().collect::<BTreeSet<_>>().len(), made, "each has an id of its own");
    let told: BTreeSet<&str> = by_kind.keys().map(String::as_str).collect();
    let expected = [
        "consent.given",
        "consent.withdrawn",
        "growth.earned",
        "growth.taken_back",
        "member.audience_entered",
        "member.audience_left",
        "member.enrolled",
        "member.merged",
        "member.stage_moved",
        "member.tag_added",
        "member.tag_removed",
        "member.tier_changed",
        "member.unmerged",
        "order.cancelled",
        "order.completed",
        "order.refunded",
        "points.adjusted",
        "points.earned",
        "points.expired",
        "points.held",
        "points.spent",
        "points.taken_back",
    ];
    assert_eq!(told, BTreeSet::from(expected));
    let refunded = &by_kind["order.refunded"][0];
    assert_eq!((&refunded["paid_minor"], &refunded["refunded_minor"]), (&json!(120_050), &json!(20_050)));
    let amounts: BTreeSet<i64> =
        by_kind["points.adjusted"].iter().map(|data| data["amount"].as_i64().unwrap()).collect();
    assert!(amounts.is_superset(&BTreeSet::from([7, -3])), "{amounts:?}");
    let (ann, merged) = (home.member("ann").await.member.id, &by_kind["member.merged"][0]);
    assert_eq!(merged["member"], json!(ann.to_string()));
    assert_eq!(by_kind["order.completed"].len(), 3);
}

#[tokio::test]
async fn a_message_has_one_id_whoever_makes_it_and_however_often() {
    let mut all = Vec::new();
    for batch in [1, 64] {
        let home = home().await;
        let (hook, _) = endpoint(&home, "http://127.0.0.1:1/".to_owned(), 1, false).await;
        let items = [
            order("o1", "ann", "1", NOON, "120"),
            spend("s1", "ann", NOON, 10),
            order("o2", "bob", "2", NOON, "50"),
            refund("r2", "bob", "2", NOON, "20"),
        ];
        home.accept_live("till", &items, at(NOON)).await;
        home.engine().drain(batch, Some(at(LATER)), |_| ()).await.unwrap();
        // Another process makes messages, too.
        let other = home.second_engine().await;
        let (one, _) = tokio::join!(other.pump(wall(0)), pump(&home));
        one.unwrap();
        let ids: BTreeSet<_> = kept(&home, &hook.id).await.iter().map(|kept| kept.message.id).collect();
        assert!(ids.len() > 5);
        assert_eq!(ids.len(), kept(&home, &hook.id).await.len());
        all.push(ids);
    }
    assert_eq!(all[0], all[1]);
}

#[tokio::test]
async fn history_is_no_news() {
    let home = Home::new(PLAYBOOK).await;
    let (hook, _) = endpoint(&home, "http://127.0.0.1:1/".to_owned(), 1, false).await;
    home.live_through(&[order("o1", "ann", "1", "2016-01-01T00:00:00Z", "120")]).await;
    home.until(at("2017-02-01T00:00:00Z")).await;
    home.now_is(at(SINCE)).await;
    home.live_through(&[order("o2", "ann", "2", "2016-02-01T00:00:00Z", "120")]).await;
    assert_eq!(pump(&home).await, 0, "{:?}", kept(&home, &hook.id).await);
    live(&home, Ties::Keep, &[order("o3", "ann", "3", NOON, "120")], NOON).await;
    assert!(pump(&home).await > 0);
}

#[tokio::test]
async fn who_wants_nothing_of_a_kind_gets_nothing_of_it() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let types = BTreeSet::from(["order.completed".to_owned()]);
    let new = NewEndpoint { url: receiver.url(), types, allow_private: true, ..NewEndpoint::default() };
    let (hook, _) = manage::make(store, &owner(), new, &chance(1), wall(0)).await.unwrap();
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    assert_eq!(pump(&home).await, 1);
    // A second report of the same order is not a second order.
    live(&home, Ties::Keep, &[order("o1b", "ann", "1", LATER, "150")], LATER).await;
    pump(&home).await;
    assert_eq!(deliver(&home, &hook.id, wall(0)).await, (1, 0));
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_after_growing_pauses_and_then_no_more() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let types = BTreeSet::from(["order.completed".to_owned()]);
    let new = NewEndpoint { url: receiver.url(), types, allow_private: true, ..NewEndpoint::default() };
    let (hook, _) = manage::make(store, &owner(), new, &chance(1), wall(0)).await.unwrap();
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    pump(&home).await;
    let mut now = wall(0);
    let mut sent = BTreeSet::new();
    for (n, seconds) in PAUSES_SECONDS.iter().enumerate() {
        receiver.answers(&["500 Broken"]);
        assert_eq!(deliver(&home, &hook.id, now).await, (0, 1), "attempt {}", n + 1);
        let message = kept(&home, &hook.id).await.remove(0);
        assert_eq!(
            (message.state, message.status, message.attempts),
            (State::Waiting, Some(500), n as i64 + 1)
        );
        assert_eq!(message.error.as_deref(), Some("status_refused"));
        let pause = (message.due.0 - now.0) / 1_000_000;
        let seconds = *seconds as i64;
        assert!((seconds * 9 / 10..=seconds * 11 / 10).contains(&pause), "{n}: {pause}");
        assert_eq!(deliver(&home, &hook.id, message.due.plus_us(-1)).await, (0, 0), "it is not due yet");
        now = message.due;
        sent.extend(ids(&receiver.take()));
    }
    // It takes others, so it is this message that it does not want.
    live(&home, Ties::Keep, &[order("o2", "bob", "2", NOON, "120")], NOON).await;
    pump(&home).await;
    assert_eq!(deliver(&home, &hook.id, now.plus_us(-1)).await, (1, 0));
    receiver.take();
    receiver.answers(&["500 Broken"]);
    assert_eq!(deliver(&home, &hook.id, now).await, (0, 1));
    assert_eq!(kept(&home, &hook.id).await[1].state, State::Failed);
    assert_eq!(deliver(&home, &hook.id, now.plus_us(365 * DAY_US)).await, (0, 0));
    sent.extend(ids(&receiver.take()));
    assert_eq!(sent.len(), 1, "always the same id");
    // Once it is asked for, it is sent again, under that id.
    assert_eq!(manage::replay(store, &owner(), &hook.id, at(SINCE), now).await.unwrap(), 2);
    assert_eq!(deliver(&home, &hook.id, now.plus_us(DAY_US)).await, (2, 0));
    assert!(ids(&receiver.take()).iter().any(|id| sent.contains(id)));
    assert_eq!(stands(&home, &hook.id).await.failing_since, None);
}

#[tokio::test]
async fn who_asks_for_a_rest_gets_it() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let (hook, _) = endpoint(&home, receiver.url(), 1, false).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    let made = pump(&home).await;
    let busy = vec!["429 Too Many Requests\r\nretry-after: 3600"; made];
    receiver.answers(&busy);
    let client = Client::new();
    let part = home.engine().deliver(&client, &hook, wall(0)).await.unwrap();
    assert_eq!(part.taken, 0);
    let endpoint = stands(&home, &hook.id).await;
    assert_eq!(endpoint.rest_until, Some(wall(3_600)));
    receiver.answers(&vec!["200 OK"; 100]);
    assert_eq!(deliver(&home, &hook.id, wall(3_599)).await, (0, 0));
    assert!(deliver(&home, &hook.id, wall(3_600)).await.0 > 0);
}

/// Whoever takes most of it and now and then asks for a rest is busy: that is no failing for days.
#[tokio::test]
async fn who_is_busy_for_days_is_not_paused() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let types = BTreeSet::from(["order.completed".to_owned()]);
    let new = NewEndpoint { url: receiver.url(), types, allow_private: true, ..NewEndpoint::default() };
    let (hook, _) = manage::make(store, &owner(), new, &chance(1), wall(0)).await.unwrap();
    let client = Client::new();
    const BUSY: &str = "429 Too Many Requests\r\nretry-after: 60";
    for day in 0..=FAILING_DAYS_MAX + 1 {
        let bought = |n: i64| {
            let number = format!("{day}-{n}");
            order(&number, "ann", &number, NOON, "10")
        };
        live(&home, Ties::Keep, &[bought(1), bought(2), bought(3)], NOON).await;
        pump(&home).await;
        let now = wall(day * 86_400);
        receiver.answers(&[BUSY]);
        let part = home.engine().deliver(&client, &stands(&home, &hook.id).await, now).await.unwrap();
        assert_eq!(part.failed, 1);
        assert!(part.taken > 1, "{part:?}");
        assert_eq!(stands(&home, &hook.id).await.rest_until, Some(now.plus_us(60_000_000)));
    }
    // Nothing at all, once.
    receiver.answers(&[BUSY; 8]);
    let now = wall((FAILING_DAYS_MAX + 2) * 86_400);
    let part = home.engine().deliver(&client, &stands(&home, &hook.id).await, now).await.unwrap();
    assert_eq!((part.taken, part.failed), (0, 1));
    let endpoint = stands(&home, &hook.id).await;
    assert_eq!((endpoint.paused, endpoint.failing_since), (None, Some(now)));
}

/// Whoever sends knows an endpoint as it was when it was read: what it is by now counts.
#[tokio::test]
async fn nothing_is_sent_to_what_an_endpoint_was() {
    let (home, before, after) = (home().await, Receiver::start().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let (was, _) = endpoint(&home, before.url(), 1, true).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    let made = pump(&home).await;
    let client = Client::new();
    manage::pause(store, &owner(), &was.id, wall(0)).await.unwrap();
    assert!(home.engine().deliver(&client, &was, wall(0)).await.unwrap().is_idle());
    let paused = stands(&home, &was.id).await;
    manage::resume(store, &owner(), &was.id, wall(0)).await.unwrap();
    let resumed = stands(&home, &was.id).await;
    let patch = Patch { url: Some(after.url()), identifiers: Some(false), ..Patch::default() };
    manage::patch(store, &owner(), &was.id, patch, wall(0)).await.unwrap();
    for known in [&was, &paused, &resumed] {
        assert!(home.engine().deliver(&client, known, wall(0)).await.unwrap().is_idle());
    }
    assert_eq!(deliver(&home, &was.id, wall(0)).await, (made, 0));
    assert!(before.take().is_empty());
    assert!(after.take().iter().all(|got| got.json()["data"].get("identifiers").is_none()));
}

#[tokio::test]
async fn who_is_gone_or_fails_for_days_is_paused_and_gets_it_all_once_resumed() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let (hook, _) = endpoint(&home, receiver.url(), 1, false).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    let made = pump(&home).await;
    receiver.answers(&vec!["410 Gone"; made]);
    let client = Client::new();
    home.engine().deliver(&client, &hook, wall(0)).await.unwrap();
    assert_eq!(stands(&home, &hook.id).await.paused, Some((wall(0), Because::Gone)));
    assert_eq!(deliver(&home, &hook.id, wall(10_000_000)).await, (0, 0));
    live(&home, Ties::Keep, &[order("o2", "ann", "2", LATER, "120")], LATER).await;
    let more = pump(&home).await;
    assert!(more > 0, "what happens meanwhile waits");
    receiver.answers(&vec!["500 Broken"; 200]);
    manage::resume(store, &owner(), &hook.id, wall(0)).await.unwrap();
    let days = |n: i64| wall(n * 86_400);
    let mut now = wall(600);
    while stands(&home, &hook.id).await.paused.is_none() {
        assert!(now < days(FAILING_DAYS_MAX + 2), "it is paused at last");
        let endpoint = stands(&home, &hook.id).await;
        home.engine().deliver(&client, &endpoint, now).await.unwrap();
        now = now.plus_us(HOUR_US);
    }
    assert!(now >= days(2), "{now}");
    assert_eq!(stands(&home, &hook.id).await.paused.map(|(_, because)| because), Some(Because::Failing));
    let waits = kept(&home, &hook.id).await.iter().filter(|kept| kept.state == State::Waiting).count();
    assert_eq!(waits, made + more, "none of them is to blame");
    receiver.is_well();
    manage::resume(store, &owner(), &hook.id, now).await.unwrap();
    receiver.take();
    let (taken, failed) = deliver(&home, &hook.id, now).await;
    assert_eq!((taken, failed), (made + more, 0));
    assert_eq!(ids(&receiver.take()).iter().collect::<BTreeSet<_>>().len(), made + more);
}

#[tokio::test]
async fn whoever_dies_in_between_nothing_is_lost() {
    let (mut home, receiver) = (home().await, Receiver::start().await);
    let (hook, _) = endpoint(&home, receiver.url(), 1, false).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    // Decided, and no message made.
    home.reopen().await;
    let made = pump(&home).await;
    assert!(made > 0);
    // Made, and not sent.
    home.reopen().await;
    // Claimed, and nobody knows whether it was sent.
    let hooks = home.engine().store().webhooks();
    let lent = hooks.claim((&hook.id, hook.revision), wall(0), wall(60), 3).await.unwrap();
    assert_eq!(lent.len(), 3);
    home.reopen().await;
    assert_eq!(deliver(&home, &hook.id, wall(59)).await, (made - 3, 0));
    assert_eq!(deliver(&home, &hook.id, wall(60)).await, (3, 0));
    // Sent, and not noted: it is sent again under its id.
    let first = ids(&receiver.take());
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), made);
    assert_eq!(deliver(&home, &hook.id, wall(999)).await, (0, 0));
    assert_eq!(pump(&home).await, 0);
}

#[tokio::test]
async fn names_are_said_only_to_who_asks_for_them() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let (hook, _) = endpoint(&home, receiver.url(), 1, true).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "A-1", NOON, "120")], NOON).await;
    pump(&home).await;
    let data = kept(&home, &hook.id).await;
    assert!(data.iter().all(|kept| !kept.message.data.contains("ann") && !kept.message.data.contains("A-1")));
    deliver(&home, &hook.id, wall(0)).await;
    let got = receiver.take();
    assert!(!got.is_empty());
    for one in got {
        let said = one.json();
        assert_eq!(said["data"]["identifiers"], json!([{"namespace": "user", "value": "ann"}]), "{said}");
        let kind = webhook::kind(said["type"].as_str().unwrap()).unwrap();
        assert_eq!(webhook::misfit(kind, said["data"].as_object().unwrap()), None);
        if said["data"].get("order").is_some() {
            assert_eq!(said["data"]["order_number"], json!({"namespace": "", "number": "A-1"}));
        }
    }
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one_for_a_day() {
    let (home, receiver) = (home().await, Receiver::start().await);
    let store = home.engine().store().as_ref();
    let (hook, old) = endpoint(&home, receiver.url(), 1, false).await;
    let (_, new) = manage::rotate(store, &owner(), &hook.id, &chance(2), wall(0)).await.unwrap();
    assert_ne!(old, new);
    for (seconds, old_signs) in [(0, true), (24 * 3_600 - 1, true), (24 * 3_600, false)] {
        let client = Client::new();
        let answer = manage::test(store, &owner(), &client, &hook.id, wall(seconds)).await.unwrap().unwrap();
        assert!(answer.is_taken());
        let got = receiver.take().remove(0);
        assert_eq!((is_signed(&got, &new), is_signed(&got, &old)), (true, old_signs), "after {seconds} s");
        assert_eq!(got.json()["type"], "webhook.test");
    }
}

#[tokio::test]
async fn an_endpoint_is_checked_and_every_change_is_written_down() {
    let home = home().await;
    let store = home.engine().store().as_ref();
    let good = || NewEndpoint { url: "https://example.com/hook".to_owned(), ..NewEndpoint::default() };
    let url = |url: &str| NewEndpoint { url: url.to_owned(), ..good() };
    for (new, code, field) in [
        (url("http://example.com/"), "webhook_url_not_encrypted", "url"),
        (url("https://127.0.0.1/"), "webhook_url_private", "url"),
        (url("https://169.254.169.254/"), "webhook_url_private", "url"),
        (url("nowhere"), "webhook_url_unreadable", "url"),
        (
            NewEndpoint { types: BTreeSet::from(["x.y".to_owned()]), ..good() },
            "webhook_type_unknown",
            "types",
        ),
        (NewEndpoint { description: "x".repeat(201), ..good() }, "webhook_description_bad", "description"),
    ] {
        let refused = problem(manage::make(store, &owner(), new, &chance(1), wall(0)).await);
        assert_eq!((refused.code(), refused.field()), (code, field));
    }
    let (hook, secret) = manage::make(store, &owner(), good(), &chance(1), wall(0)).await.unwrap();
    assert!(secret.reveal().starts_with("whsec_"));
    assert!(!format!("{hook:?}").contains(&secret.reveal()[6..]));
    let again = problem(manage::make(store, &owner(), good(), &chance(1), wall(0)).await);
    assert_eq!(again, WebhookProblem::Moved);
    let patch = Patch { url: Some("http://example.com/".to_owned()), ..Patch::default() };
    let refused = problem(manage::patch(store, &owner(), &hook.id, patch, wall(0)).await);
    assert_eq!(refused.code(), "webhook_url_not_encrypted");
    let patch = Patch { description: Some("till".to_owned()), ..Patch::default() };
    let changed = manage::patch(store, &owner(), &hook.id, patch, wall(0)).await.unwrap();
    assert_eq!(changed, stands(&home, &hook.id).await);
    manage::pause(store, &owner(), &hook.id, wall(0)).await.unwrap();
    manage::resume(store, &owner(), &hook.id, wall(0)).await.unwrap();
    let cashier = Grant { role: zhiyin_model::role::Role::Cashier, ..owner() };
    assert!(manage::remove(store, &cashier, &hook.id, wall(0)).await.is_err());
    manage::remove(store, &owner(), &hook.id, wall(0)).await.unwrap();
    assert_eq!(problem(manage::pause(store, &owner(), &hook.id, wall(0)).await).code(), "webhook_unknown");
    let lines = store.access().audit(0, None, 100).await.unwrap();
    let acts: Vec<String> = lines
        .iter()
        .filter(|line| line.note.operation == "webhooks_manage")
        .map(|line| {
            serde_json::from_str::<Value>(&line.note.detail).unwrap()["act"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(acts, ["made", "changed", "paused", "resumed", "removed"]);
}

#[tokio::test]
async fn messages_are_kept_for_a_time_and_then_forgotten() {
    let home = home().await;
    let (hook, _) = endpoint(&home, "http://127.0.0.1:1/".to_owned(), 1, false).await;
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    let made = pump(&home).await;
    let ends = wall(KEPT_DAYS * 86_400);
    assert_eq!(home.engine().forget_messages(ends).await.unwrap(), (0, 0));
    assert_eq!(home.engine().forget_messages(ends.plus_us(1)).await.unwrap(), (made, made));
    assert!(kept(&home, &hook.id).await.is_empty());
}

/// Each endpoint's messages go by themselves: one that never answers holds up only its own.
#[tokio::test]
async fn one_that_does_not_answer_holds_up_nobody_else() {
    let (home, slow, quick) = (home().await, Receiver::start().await, Receiver::start().await);
    endpoint(&home, slow.url(), 1, false).await;
    endpoint(&home, quick.url(), 2, false).await;
    slow.answers(&["never"; 100]);
    live(&home, Ties::Keep, &[order("o1", "ann", "1", NOON, "120")], NOON).await;
    let client = Client::new();
    let told = home.engine().tell(&client, async {
        slow.wait_for(1).await;
        quick.wait_for(3).await;
        // Others happen, and the quick one hears of them while the slow one still says nothing.
        live(&home, Ties::Keep, &[order("o2", "bob", "2", LATER, "120")], LATER).await;
        quick.wait_for(8).await;
    });
    tokio::pin!(told);
    // What is being sent to the slow one is not waited for here.
    tokio::select! {
        () = &mut told => {}
        () = quick.wait_for(8) => {}
    }
    assert!(slow.take().len() <= 8, "no more than one part of its messages is on the way");
}

/// Connections stay open from one part of an endpoint's messages to the next.
#[tokio::test]
async fn many_messages_go_over_few_connections() {
    let (home, receiver) = (home().await, Receiver::start().await);
    endpoint(&home, receiver.url(), 1, false).await;
    let bought = |n: i32| order(&format!("o{n}"), &format!("m{n}"), &n.to_string(), NOON, "120");
    live(&home, Ties::Keep, &(0..20).map(bought).collect::<Vec<_>>(), NOON).await;
    let made = pump(&home).await;
    assert!(made > 40);
    home.engine().tell(&Client::new(), receiver.wait_for(made)).await;
    assert!(receiver.connections() <= 4, "{} connections for {made} messages", receiver.connections());
}
