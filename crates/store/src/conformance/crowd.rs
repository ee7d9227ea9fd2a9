//! Many members at once, with all that happened to them: the same as one by one.

use std::sync::Arc;

use zhiyin_model::event::Refusal;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;

use super::life::{EVENTS, Life, append, at, lived, turn};
use super::{Homes, KEY};
use crate::crowd::{AS_ORDERS, OrderThen, Refused, Whole};
use crate::feed::{Entry, Position};
use crate::flush::{Dead, Flush, Joined};
use crate::{Result, Store, Waiting, Wanted};

const NAMES: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];

fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

/// What a member is and had, whichever way it was read.
async fn one_by_one(store: &dyn Store, member: MemberId) -> Result<Vec<String>> {
    let wanted = Wanted { members: vec![member], ..Wanted::default() };
    let stored = store.load(wanted).await?.members.into_iter().next();
    let past = store.history(member, vec!["Points Spent".to_owned()]).await?;
    let orders = past.orders.iter().map(|order| format!("{order:?}"));
    let events = past.events.iter().map(|event| format!("{event:?}"));
    let stored = stored.map(|stored| format!("{:?}", stored.member));
    let mut said: Vec<String> = stored.into_iter().chain(orders).chain(events).collect();
    said.sort();
    Ok(said)
}

fn said(whole: &Whole) -> Vec<String> {
    let orders = whole.orders.iter().map(|order| format!("{order:?}"));
    let events = whole.events.iter().map(|event| format!("{event:?}"));
    let mut said: Vec<String> =
        std::iter::once(format!("{:?}", whole.member)).chain(orders).chain(events).collect();
    said.sort();
    said
}

/// Everybody once, in the order of ids, whatever the size of parts; each as they are read alone. Events that came in as
/// orders, and what was only said of a member, are not among the events.
pub async fn everybody_is_read_part_by_part(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert!(store.crowd().after(None, 3).await?.is_empty());
    for name in NAMES {
        lived(&store, &life(name), 2).await?;
    }
    let mut ids: Vec<MemberId> = NAMES.iter().map(|name| life(name).member()).collect();
    ids.sort_unstable();
    for limit in [1, 2, 3, 5, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let part = store.crowd().after(after, limit).await?;
            found.extend(part.iter().map(|whole| whole.member.id));
            for whole in &part {
                assert_eq!(said(whole), one_by_one(store.as_ref(), whole.member.id).await?);
                assert_eq!((whole.orders.len(), whole.events.len()), (2, usize::from(EVENTS / 2)));
                assert!(whole.events.iter().all(|event| !AS_ORDERS.contains(&event.name.as_str())));
            }
            after = part.last().map(|whole| whole.member.id);
            if part.len() < limit {
                break;
            }
        }
        assert_eq!(found, ids, "{limit} at once");
    }
    let nobody = MemberId::from_bytes([9; 16]);
    let some = store.crowd().these(vec![ids[3], nobody, ids[1], ids[1]]).await?;
    assert_eq!(some.iter().map(|whole| whole.member.id).collect::<Vec<_>>(), [ids[1], ids[3]]);
    assert!(store.crowd().these(Vec::new()).await?.is_empty());
    Ok(())
}

/// What was decided for a member is read in the order in which it was, whatever the size of parts; what was only said of them
/// is not among it.
pub async fn courses_are_read_in_their_order(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert!(store.crowd().courses(None, 3).await?.is_empty());
    for name in NAMES {
        lived(&store, &life(name), 2).await?;
    }
    let mut ids: Vec<MemberId> = NAMES.iter().map(|name| life(name).member()).collect();
    ids.sort_unstable();
    for limit in [1, 2, 5, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let part = store.crowd().courses(after, limit).await?;
            for course in &part {
                let past = store.whole_past(course.member.id).await?;
                let said: Vec<i64> = course.steps.iter().map(|step| step.event.seq).collect();
                let whole: Vec<i64> = past.iter().map(|past| past.event.seq).collect();
                let kept: Vec<i64> = whole.into_iter().filter(|seq| said.contains(seq)).collect();
                assert_eq!(said, kept);
                let orders = course.steps.iter().filter(|step| AS_ORDERS.contains(&step.event.name.as_str()));
                let all = usize::from(EVENTS);
                assert_eq!((course.steps.len(), orders.count()), (all, all / 2));
                assert!(course.steps.iter().all(|step| !step.event.body.0.is_empty()));
            }
            found.extend(part.iter().map(|course| course.member.id));
            after = part.last().map(|course| course.member.id);
            if part.len() < limit {
                break;
            }
        }
        assert_eq!(found, ids, "{limit} at once");
    }
    Ok(())
}

/// Items that were refused, by place, but those that no decision looked at.
pub async fn who_was_refused_is_told_by_place(homes: &dyn Homes) -> Result<()> {
    let (store, ann) = (homes.fresh(&KEY), life("ann"));
    assert_eq!(store.crowd().refused(9).await?, []);
    store.append(append((1..=4).map(|n| ann.item(n)).collect(), at(EVENTS), true)).await?;
    let turn = turn(&store).await?;
    let waiting = store.waiting(&turn, 9).await?;
    let codes = ["points_short", "erased", "decision_broke", "order_unknown"];
    let refused = |(row, code): (&Waiting, &'static str)| Dead {
        seq: row.seq,
        member: row.member,
        refusal: Refusal::new(code, "", "no"),
        at: row.clock,
    };
    let dead = waiting.iter().zip(codes).map(refused).collect();
    let cursor = waiting.last().map(|row| row.seq);
    store.flush(Flush { turn, cursor, dead, ..Flush::default() }).await?;
    let expected = [(0, "Order Completed", 1), (3, "Points Spent", 4)].map(|(row, name, n)| Refused {
        member: ann.member(),
        seq: waiting[row].seq,
        name: name.to_owned(),
        time: at(n),
        clock: at(n),
    });
    assert_eq!(store.crowd().refused(9).await?, expected);
    assert_eq!(store.crowd().refused(1).await?, expected[..1]);
    Ok(())
}

/// Orders that changed after an instant, as they stood at it.
pub async fn orders_are_told_as_they_stood(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    let first = OrderThen { order: life.order(1), paid: Money(10_000), refunded: Money::ZERO, counts: true };
    for (instant, expected) in [
        (at(1).plus_us(-1), vec![]),
        (at(1), vec![first]),
        (at(5).plus_us(-1), vec![first]),
        (at(5), vec![]),
        (at(6), vec![]),
    ] {
        assert_eq!(store.crowd().orders_then(instant).await?, expected, "{instant}");
    }
    Ok(())
}

/// The feed beyond a position of its consumer, once all that was written shows: every transaction that began before has
/// ended, another test's too.
async fn shown(store: &Arc<dyn Store>, from: Position) -> Result<Vec<Entry>> {
    loop {
        let entries = store.feed(from, 1_000).await?;
        let feed = store.work().await?.feed;
        let behind = feed.into_iter().find(|(consumer, _)| consumer == "audience").map_or(0, |(_, n)| n);
        if usize::try_from(behind).is_ok_and(|behind| behind == entries.len()) {
            return Ok(entries);
        }
        tokio::task::yield_now().await;
    }
}

/// Who ends because they are another is told of, like who changed.
pub async fn who_ends_is_in_the_feed(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let from = store.feed_position("audience").await?;
    let (ann, bob) = (life("ann"), life("bob"));
    for one in [&ann, &bob] {
        lived(&store, one, 6).await?;
    }
    let wanted = Wanted { members: vec![ann.member()], ..Wanted::default() };
    let winner = store.load(wanted).await?.members;
    let joined = vec![Joined { winner: ann.member(), loser: bob.member() }];
    let flush = Flush { turn: turn(&store).await?, members: winner, joined, version: 1, ..Flush::default() };
    store.flush(flush).await?;
    let entries = shown(&store, from).await?;
    let last = entries.last().map(|entry| entry.members.clone()).unwrap_or_default();
    assert!(last.contains(&ann.member()) && last.contains(&bob.member()), "{last:?}");
    let both = store.crowd().these(vec![ann.member(), bob.member()]).await?;
    assert_eq!(both.iter().map(|whole| whole.orders.len()).collect::<Vec<_>>(), [4]);
    Ok(())
}

/// What events said and is let go is told of, so that pictures of it go too.
pub async fn what_is_let_go_is_in_the_feed(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 6).await?;
    let from = store.feed_position("audience").await?;
    let before = std::collections::BTreeMap::from([("Points Spent".to_owned(), at(4))]);
    store.let_go(before, i64::MIN, 100).await?;
    let members: Vec<MemberId> =
        shown(&store, from).await?.into_iter().flat_map(|entry| entry.members).collect();
    assert_eq!(members, [life.member()]);
    Ok(())
}

/// A consumer is known while it follows, and holds up nothing once it does not.
pub async fn a_consumer_comes_and_goes(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    assert_eq!(store.crowd().followed("audience").await?, None);
    let begin = store.feed_position("audience").await?;
    assert_eq!(store.crowd().followed("audience").await?, Some(begin));
    assert!(store.crowd().feed_end().await? >= begin);
    store.feed_position("B").await?;
    let followers = store.crowd().followers().await?;
    assert_eq!(followers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["B", "audience"]);
    assert_eq!(followers[1].1, begin);
    store.crowd().unfollow("B").await?;
    lived(&store, &life, 3).await?;
    let entries = shown(&store, begin).await?;
    let last: Position = entries.last().map(|entry| entry.position).unwrap_or_default();
    assert!(entries.len() > 1 && store.crowd().feed_end().await? >= last);
    assert_eq!(store.crowd().followers().await?.len(), 1, "whoever looks where it ends follows nothing");
    store.feed_done("audience", last).await?;
    assert_eq!(store.crowd().followed("audience").await?, Some(last));
    store.crowd().unfollow("audience").await?;
    store.crowd().unfollow("audience").await?;
    assert_eq!(store.crowd().followed("audience").await?, None);
    assert!(store.feed(Position::default(), 100).await?.is_empty(), "nobody follows");
    Ok(())
}
