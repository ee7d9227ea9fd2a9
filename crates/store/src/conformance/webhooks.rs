//! Endpoints and their messages: the feed is followed while there is one, a message is made once and lent to one at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;

use super::access::note;
use super::life::{Life, lived};
use super::{Homes, KEY};
use crate::feed::Entry;
use crate::webhooks::{
    Attempted, Because, CONSUMER, Change, Endpoint, Fared, Forget, Log, Message, Moved, NewMessage, Replay,
    Settings, State, message_id,
};
use crate::{Result, Store};

fn endpoint(id: &str) -> Endpoint {
    let settings = Settings {
        url: "https://example.com/hook".to_owned(),
        types: BTreeSet::from(["points.earned".to_owned()]),
        description: "数据仓库".to_owned(),
        identifiers: false,
        allow_private: false,
        made_by: "system:ann".to_owned(),
        salt: [7; 16],
        before: None,
    };
    Endpoint {
        id: id.to_owned(),
        revision: 1,
        made_at: Ts(5),
        settings,
        paused: None,
        failing_since: None,
        failures: 0,
        rest_until: None,
    }
}

async fn change(
    store: &Arc<dyn Store>,
    id: &str,
    revision: Option<i64>,
    becomes: Option<Endpoint>,
) -> Result<bool> {
    let note = note("system:ann", "webhooks_manage", 9);
    store.webhooks().change_endpoint(Change { id: id.to_owned(), revision, becomes, note }).await
}

async fn with(store: &Arc<dyn Store>, ids: &[&str]) -> Result<()> {
    for id in ids {
        assert!(change(store, id, None, Some(endpoint(id))).await?);
    }
    Ok(())
}

fn message(endpoint: &str, n: i64) -> NewMessage {
    NewMessage {
        endpoint: endpoint.to_owned(),
        id: message_id(&KEY, "points.earned", &n.to_le_bytes()),
        kind: "points.earned".to_owned(),
        at: Ts(1_000 + n),
        member: Some(MemberId::from_bytes([3; 16])),
        data: format!("{{\"amount\":{n}}}"),
    }
}

async fn put(store: &Arc<dyn Store>, endpoint: &str, ns: std::ops::Range<i64>, now: i64) -> Result<()> {
    let messages = ns.map(|n| message(endpoint, n)).collect();
    assert!(store.webhooks().put(messages, None, Ts(now)).await?.is_some());
    Ok(())
}

async fn all(store: &Arc<dyn Store>, endpoint: &str) -> Result<Vec<Message>> {
    let log = Log { endpoint: endpoint.to_owned(), state: None, before: None, limit: 1_000 };
    store.webhooks().messages(log).await
}

/// The feed from where the pump stands, once all that was written shows: every transaction that began before has ended,
/// another test's too.
async fn ahead(store: &Arc<dyn Store>) -> Result<Vec<Entry>> {
    loop {
        let from = store.webhooks().pumped().await?.unwrap_or_default();
        let entries = store.feed(from, 1_000).await?;
        let behind = store.work().await?.feed.into_iter().map(|(_, n)| n).max().unwrap_or(0);
        if usize::try_from(behind).is_ok_and(|behind| behind == entries.len()) {
            return Ok(entries);
        }
        tokio::task::yield_now().await;
    }
}

fn nos(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.no).collect()
}

/// An endpoint is changed by who knows how it stands, each time with a line of the audit log.
pub async fn endpoints_change_with_their_line(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    assert!(hooks.endpoints().await?.is_empty());
    with(&store, &["a", "b"]).await?;
    assert!(!change(&store, "a", None, Some(endpoint("a"))).await?, "it is there already");
    assert_eq!(hooks.endpoints().await?, [endpoint("a"), endpoint("b")]);
    let mut paused = endpoint("a");
    paused.paused = Some((Ts(8), Because::Asked));
    paused.settings.before = Some(([9; 16], Ts(99)));
    assert!(!change(&store, "a", Some(2), Some(paused.clone())).await?, "it never stood so");
    assert!(change(&store, "a", Some(1), Some(paused.clone())).await?);
    assert!(!change(&store, "a", Some(1), None).await?, "it stands otherwise by now");
    paused.revision = 2;
    assert_eq!(hooks.endpoints().await?[0], paused);
    assert!(change(&store, "a", Some(2), None).await?);
    assert_eq!(hooks.endpoints().await?.len(), 1);
    assert_eq!(store.access().audit(0, None, 99).await?.len(), 4, "one line for each change");
    Ok(())
}

/// The change feed is followed while there is an endpoint, from when the first one was made.
pub async fn the_feed_is_followed_while_there_is_an_endpoint(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    let life = |name: &str| Life { key: KEY, name: name.to_owned() };
    lived(&store, &life("before"), 4).await?;
    assert_eq!(hooks.pumped().await?, None);
    with(&store, &["a"]).await?;
    let begins = hooks.pumped().await?.expect("it is followed now");
    assert!(ahead(&store).await?.is_empty(), "what was before is nobody's news");
    lived(&store, &life("since"), 4).await?;
    assert!(!ahead(&store).await?.is_empty());
    with(&store, &["b"]).await?;
    assert_eq!(hooks.pumped().await?, Some(begins), "another endpoint moves nothing");
    for id in ["a", "b"] {
        assert!(change(&store, id, Some(1), None).await?);
    }
    assert_eq!(hooks.pumped().await?, None);
    assert!(store.work().await?.feed.iter().all(|(name, _)| name != CONSUMER));
    Ok(())
}

/// What entries name is found with what was booked for it; bodies only of the names that were asked for.
pub async fn what_happened_is_found_by_the_feed(homes: &dyn Homes) -> Result<()> {
    const NAMES: &[&str] = &[names::ORDER_COMPLETED];
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a"]).await?;
    let life = Life { key: KEY, name: "ada".to_owned() };
    lived(&store, &life, 4).await?;
    let entries = ahead(&store).await?;
    let happened = hooks.happened(entries, NAMES).await?;
    assert!(!happened.booked.is_empty() && !happened.events.is_empty());
    for told in &happened.events {
        let asked = NAMES.contains(&told.event.name.as_str());
        assert_eq!(!told.event.body.0.is_empty(), asked, "{}", told.event.name);
        if asked {
            let body = crate::seal::open(&told.event.body)?;
            assert!(body.contains("ada"), "{body}");
        }
    }
    let seqs: BTreeSet<i64> = happened.events.iter().map(|told| told.event.seq).collect();
    assert!(happened.booked.iter().all(|booked| seqs.contains(&booked.seq)));
    let [(_, level, ..)] = happened.enrolled.as_slice() else { panic!("{:?}", happened.enrolled) };
    assert!(!level.is_empty());
    assert!(hooks.happened(Vec::new(), NAMES).await?.events.is_empty());
    Ok(())
}

/// Messages and the pump's place are one: who comes second writes nothing, and what is there already is not written again.
pub async fn a_message_is_made_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a", "b"]).await?;
    lived(&store, &Life { key: KEY, name: "ada".to_owned() }, 4).await?;
    let from = hooks.pumped().await?.expect("followed");
    let to = ahead(&store).await?.last().expect("it lived").position;
    let moved = Some(Moved { from, to });
    let both = vec![message("a", 1), message("b", 1), message("a", 2)];
    assert_eq!(hooks.put(both.clone(), moved, Ts(50)).await?, Some(3));
    assert_eq!(hooks.pumped().await?, Some(to));
    assert_eq!(hooks.put(vec![message("a", 3)], moved, Ts(51)).await?, None, "somebody else was there");
    assert_eq!(hooks.put(both, None, Ts(52)).await?, Some(0));
    let kept = all(&store, "a").await?;
    let said: Vec<_> = kept.iter().map(|kept| (kept.message.clone(), kept.made_at, kept.state)).collect();
    assert_eq!(said, [(message("a", 2), Ts(50), State::Waiting), (message("a", 1), Ts(50), State::Waiting)]);
    assert_eq!(all(&store, "b").await?.len(), 1);
    assert!(ahead(&store).await?.is_empty());
    Ok(())
}

/// A message is lent to one at a time; lent and not brought back, it is lent again.
pub async fn a_message_is_lent_to_one_at_a_time(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a", "b"]).await?;
    put(&store, "a", 0..5, 100).await?;
    put(&store, "b", 0..1, 100).await?;
    assert!(hooks.claim(("a", 1), Ts(99), Ts(150), 9).await?.is_empty(), "nothing is due yet");
    let (one, two) = tokio::try_join!(
        hooks.claim(("a", 1), Ts(100), Ts(150), 2),
        hooks.claim(("a", 1), Ts(100), Ts(150), 3)
    )?;
    let mut lent = [nos(&one), nos(&two)].concat();
    lent.sort_unstable();
    lent.dedup();
    assert_eq!(lent.len(), 5, "nobody gets what another has");
    assert!(one.iter().chain(&two).all(|message| message.attempts == 1 && message.message.endpoint == "a"));
    assert!(hooks.claim(("a", 1), Ts(149), Ts(199), 9).await?.is_empty());
    let again = hooks.claim(("a", 1), Ts(150), Ts(200), 1).await?;
    assert_eq!((again.len(), again[0].attempts), (1, 2), "what was lost is tried again");
    Ok(())
}

/// Who sends goes by what holds now: an endpoint that was changed, paused or removed since lends nothing to who knows it as it
/// was.
pub async fn what_an_endpoint_was_lends_nothing(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a"]).await?;
    put(&store, "a", 0..3, 100).await?;
    let paused = Endpoint { paused: Some((Ts(100), Because::Asked)), ..endpoint("a") };
    // (what it becomes, the revision that lends then)
    let steps =
        [(Some(endpoint("a")), Some(2)), (Some(paused), None), (Some(endpoint("a")), Some(4)), (None, None)];
    for (revision, (becomes, lends)) in (1..).zip(steps) {
        assert!(change(&store, "a", Some(revision), becomes).await?);
        for known in 1..=5 {
            let lent = hooks.claim(("a", known), Ts(100 + revision), Ts(101 + revision), 1).await?.len();
            assert_eq!(lent, usize::from(lends == Some(known)), "known as {known} after {revision}");
        }
    }
    Ok(())
}

/// What came of an attempt is noted, unless the message was lent to somebody else meanwhile; a delivery always counts.
pub async fn attempts_are_noted(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a"]).await?;
    put(&store, "a", 0..3, 100).await?;
    let lent = hooks.claim(("a", 1), Ts(100), Ts(150), 9).await?;
    let of = |message: &Message, state: State, due: i64, error: Option<&str>| Attempted {
        no: message.no,
        attempts: message.attempts,
        state,
        due: Ts(due),
        tried_at: Ts(101),
        status: Some(if state == State::Delivered { 204 } else { 503 }),
        error: error.map(str::to_owned),
    };
    // The third was lent anew.
    let anew = Attempted { attempts: 0, ..of(&lent[2], State::Failed, 0, None) };
    let came = vec![
        of(&lent[0], State::Delivered, 101, None),
        of(&lent[1], State::Waiting, 400, Some("refused")),
        anew,
    ];
    hooks.attempted("a", came, Fared::Badly(Ts(101), Ts(300))).await?;
    let kept = all(&store, "a").await?;
    let stands: Vec<_> = kept.iter().map(|kept| (kept.state, kept.due, kept.error.as_deref())).collect();
    assert_eq!(
        stands,
        [
            (State::Waiting, Ts(150), None),
            (State::Waiting, Ts(400), Some("refused")),
            (State::Delivered, Ts(101), None)
        ]
    );
    let fares = hooks.endpoints().await?.remove(0);
    assert_eq!((fares.failing_since, fares.failures, fares.rest_until), (Some(Ts(101)), 1, Some(Ts(300))));
    let late = Attempted { attempts: 0, ..of(&lent[2], State::Delivered, 0, None) };
    hooks.attempted("a", vec![late], Fared::Well).await?;
    assert_eq!(all(&store, "a").await?[0].state, State::Delivered);
    let fares = hooks.endpoints().await?.remove(0);
    assert_eq!((fares.failing_since, fares.failures, fares.rest_until), (None, 0, None));
    hooks.attempted("a", Vec::new(), Fared::Badly(Ts(500), Ts(600))).await?;
    hooks.attempted("a", Vec::new(), Fared::Badly(Ts(700), Ts(900))).await?;
    let fares = hooks.endpoints().await?.remove(0);
    assert_eq!((fares.failing_since, fares.failures, fares.rest_until), (Some(Ts(500)), 2, Some(Ts(900))));
    // Who is busy is not failing, whatever was before.
    hooks.attempted("a", Vec::new(), Fared::Rests(Ts(980))).await?;
    let fares = hooks.endpoints().await?.remove(0);
    assert_eq!((fares.failing_since, fares.failures, fares.rest_until), (None, 0, Some(Ts(980))));
    // What waits has its place again before what came later.
    put(&store, "a", 3..4, 940).await?;
    assert_eq!(hooks.revive("a", Ts(950)).await?, 1);
    assert_eq!(hooks.revive("a", Ts(950)).await?, 0, "what was never tried stays as it is");
    let revived = all(&store, "a").await?.remove(2);
    assert_eq!((revived.attempts, revived.due), (0, Ts(100)));
    let order = hooks.claim(("a", 1), Ts(950), Ts(951), 1).await?;
    assert_eq!(nos(&order), [revived.no]);
    hooks.revive("a", Ts(951)).await?;
    let standing = hooks.standing().await?.remove(0);
    assert_eq!((standing.waiting, standing.oldest), (2, Some(Ts(100))));
    Ok(())
}

/// What was sent is sent anew from an instant on, under its own id; what is old is forgotten, a part at a time.
pub async fn messages_are_replayed_and_forgotten(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let hooks = store.webhooks();
    with(&store, &["a", "b"]).await?;
    put(&store, "a", 0..4, 100).await?;
    put(&store, "b", 0..4, 100).await?;
    for (endpoint, state) in [("a", State::Delivered), ("b", State::Failed)] {
        let lent = hooks.claim((endpoint, 1), Ts(100), Ts(150), 3).await?;
        let done = lent.iter().map(|message| Attempted {
            no: message.no,
            attempts: message.attempts,
            state,
            due: Ts(0),
            tried_at: Ts(101),
            status: None,
            error: None,
        });
        hooks.attempted(endpoint, done.collect(), Fared::Well).await?;
    }
    let before = all(&store, "a").await?;
    // In parts, with one line of the audit log; what is made after it was asked for is no part of it.
    let lines = store.access().audit(0, None, 99).await?.len();
    let note = Some(note("system:ann", "webhooks_manage", 9));
    let (endpoint, from) = ("a".to_owned(), Ts(1_001));
    let mut part = Replay { endpoint, from, after: i64::MIN, limit: 2, now: Ts(500), note };
    let mut parts = Vec::new();
    loop {
        let (n, next) = hooks.replay(part.clone()).await?;
        parts.push(n);
        let Some(after) = next else { break };
        part = Replay { after, note: None, ..part };
    }
    assert_eq!(parts, [1, 1, 0], "the first happened before, the fourth waits anyway");
    assert_eq!(store.access().audit(0, None, 99).await?.len(), lines + 1);
    let earlier = Replay { endpoint: "b".to_owned(), from: Ts(0), after: i64::MIN, now: Ts(99), ..part };
    assert_eq!(hooks.replay(earlier).await?.0, 0);
    let lent = hooks.claim(("a", 1), Ts(500), Ts(550), 9).await?;
    let sent: Vec<_> = lent.iter().map(|message| (message.message.id, message.attempts)).collect();
    let ids: Vec<_> = before.iter().rev().map(|message| (message.message.id, 1)).collect();
    assert_eq!(sent, ids[1..]);
    let failed = Log { endpoint: "b".to_owned(), state: Some(State::Failed), before: None, limit: 2 };
    let page = hooks.messages(failed.clone()).await?;
    let next = hooks.messages(Log { before: page.last().map(|last| last.no), ..failed }).await?;
    assert_eq!((page.len(), next.len()), (2, 1));
    put(&store, "b", 9..10, 900).await?;
    assert_eq!(hooks.forget(Forget::Before(Ts(200)), 5).await?, (3, 5));
    assert_eq!(hooks.forget(Forget::Before(Ts(200)), 5).await?, (1, 3));
    assert_eq!(hooks.forget(Forget::Before(Ts(200)), 5).await?, (0, 0));
    assert_eq!(hooks.forget(Forget::Of("b".to_owned()), 5).await?, (1, 1));
    assert_eq!(hooks.forget(Forget::Of("b".to_owned()), 5).await?, (0, 0));
    Ok(())
}

/// Endpoints and messages move with a home, and so does what no message was made of yet.
pub async fn webhooks_move_with_a_home(homes: &dyn Homes) -> Result<()> {
    let (from, to) = (homes.fresh(&KEY), homes.fresh(&KEY));
    let empty = from.digest().await?;
    with(&from, &["a"]).await?;
    put(&from, "a", 0..3, 100).await?;
    assert_eq!(from.digest().await?, empty, "whom a home tells is no part of its state");
    from.webhooks().claim(("a", 1), Ts(100), Ts(150), 1).await?;
    lived(&from, &Life { key: KEY, name: "ada".to_owned() }, 4).await?;
    let before = ahead(&from).await?;
    let (out, into) = mpsc::channel(4);
    let (said, taken) = tokio::join!(from.dump(out), to.fill(into));
    said?;
    taken?;
    assert_eq!(to.webhooks().endpoints().await?, from.webhooks().endpoints().await?);
    assert_eq!(all(&to, "a").await?, all(&from, "a").await?);
    let there = ahead(&to).await?;
    let said = |entries: Vec<Entry>| -> Vec<_> {
        entries.into_iter().map(|entry| (entry.members, entry.events)).collect()
    };
    assert_eq!(said(there), said(before));
    put(&to, "a", 3..4, 200).await?;
    assert_eq!(all(&to, "a").await?.len(), 4);
    Ok(())
}
