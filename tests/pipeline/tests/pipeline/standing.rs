//! Standing audiences in columns: counted as they change, and held against their conditions; whoever differs is judged again by
//! an event, and what is merely late is no difference.

use std::time::Duration;

use zhiyin_engine::audience::keep::{Keeper, Keeping};
use zhiyin_engine::members::{Kind, TimelineAsked};
use zhiyin_engine::people::Found;
use zhiyin_model::id::MemberId;
use zhiyin_model::role::Grant;
use zhiyin_store::Wanted;
use zhiyin_store::flush::Flush;

use crate::home::{Home, at};
use crate::items::order;

const BRAND: &str = r#"
playbook: brand
extends: variety-store
audiences:
  fresh: { name: { zh: 新近, en: Fresh }, standing: true, who: 'size(within(orders, "30d")) >= 1' }
  regulars: { name: { zh: 常客, en: Regulars }, standing: true, who: size(orders) >= 2 }
"#;
const NOON: &str = "2017-03-01T04:00:00Z";
const NOW: &str = "2017-03-05T00:00:00Z";

fn owner() -> Grant {
    Grant::system("ann")
}

async fn id(home: &Home, name: &str) -> MemberId {
    let Found::One(member) = home.engine().find(&format!("user:{name}")).await.unwrap() else {
        panic!("{name}")
    };
    member
}

/// Ann and bob ordered twice, cid and dan once; and everybody is in columns.
async fn home() -> (Home, Keeper) {
    let home = Home::new(BRAND).await;
    home.live_through(&[
        order("o1", "ann", "1", NOON, "10"),
        order("o2", "ann", "2", NOON, "10"),
        order("o3", "bob", "3", NOON, "10"),
        order("o4", "bob", "4", NOON, "10"),
        order("o5", "cid", "5", NOON, "10"),
        order("o6", "dan", "6", NOON, "10"),
    ])
    .await;
    home.now_is(at(NOW)).await;
    home.until(at(NOW)).await;
    let how = Keeping { bytes: usize::MAX, consumer: "audience-standing".to_owned(), folder: None };
    let mut keeper = home.engine().audiences_built(&how).await.unwrap();
    assert!(home.engine().audiences_caught_up(&mut keeper).await.unwrap());
    (home, keeper)
}

/// So many in `fresh` and in `regulars`, once the feed has shown all; and whom the record counts.
async fn counted(home: &Home, keeper: &mut Keeper, expected: (u64, u64)) {
    for _ in 0..20_000 {
        assert!(home.engine().audiences_caught_up(keeper).await.unwrap());
        let standing = home.engine().standing_counts(&owner()).await.unwrap();
        assert!(!standing.as_of.is_empty());
        if (standing.counts["fresh"], standing.counts["regulars"]) == expected {
            let record = home.engine().store().reading().audience_counts().await.unwrap();
            let of = |audience: &str| record.get(audience).copied().unwrap_or(0);
            assert_eq!((of("fresh"), of("regulars")), expected);
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never {expected:?}");
}

/// How many there are by the columns, once these are no older than a day: while the feed may still show something of before
/// (another's transaction in the same database is open), columns answer as of then, and say so.
async fn asked_as_of(home: &Home, keeper: &mut Keeper, day: &str, condition: &str) -> u64 {
    for _ in 0..20_000 {
        assert!(home.engine().audiences_caught_up(keeper).await.unwrap());
        let view = home.engine().audience_count(&owner(), condition, None).await.unwrap();
        if view.as_of.as_str() >= day {
            return view.count;
        }
        tokio::task::yield_now().await;
    }
    panic!("never as of {day}");
}

/// Looks until nothing that the feed may still show keeps it from looking; how many differed.
async fn looked(home: &Home, keeper: &mut Keeper) -> usize {
    let before = home.engine().standing_reconciled().looked;
    for _ in 0..20_000 {
        assert!(home.engine().audiences_caught_up(keeper).await.unwrap());
        let differed = home.engine().standing_looked(keeper).await.unwrap();
        if home.engine().standing_reconciled().looked > before {
            return differed;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never looked");
}

/// Writes into a member's row what nothing decided.
async fn planted(home: &Home, name: &str, audience: &str, since: Option<&str>) {
    let (store, member) = (home.engine().store(), id(home, name).await);
    let loaded = store.load(Wanted { members: vec![member], ..Wanted::default() }).await.unwrap();
    let mut stored = loaded.members.into_iter().next().unwrap();
    match since {
        Some(since) => drop(stored.member.audiences.since.insert(audience.to_owned(), at(since))),
        None => drop(stored.member.audiences.since.remove(audience)),
    }
    let version = store.home().await.unwrap().version;
    let turn = store.lease("planter", Duration::from_secs(60)).await.unwrap();
    store.flush(Flush { turn, members: vec![stored], version, ..Flush::default() }).await.unwrap();
    store.release("planter").await.unwrap();
    home.engine().forget().await;
}

/// What a member's timeline says of audiences, the latest first.
async fn moves(home: &Home, name: &str) -> Vec<String> {
    let asked = TimelineAsked { kinds: vec![Kind::Audience], limit: 100, cursor: None };
    let member = id(home, name).await.to_string();
    let page = home.engine().member_timeline(&owner(), &member, &asked).await.unwrap();
    let said = |entry: &zhiyin_engine::members::TimelineEntry| {
        let sign = if entry.event == "Audience Entered" { '+' } else { '-' };
        format!("{sign}{} ({})", entry.change["audience"], entry.change["turned"])
    };
    page.items.iter().map(said).collect()
}

#[tokio::test]
async fn who_differs_is_found_counted_and_judged_again() {
    let (home, mut keeper) = home().await;
    counted(&home, &mut keeper, (4, 2)).await;
    assert_eq!(looked(&home, &mut keeper).await, 0);
    let told = home.engine().standing_reconciled();
    assert_eq!((told.looked, told.differences), (4, 0));
    assert!(told.whole_at.is_some() && told.as_of.is_some(), "{told:?}");

    planted(&home, "ann", "regulars", None).await;
    planted(&home, "cid", "regulars", Some(NOON)).await;
    counted(&home, &mut keeper, (4, 2)).await;
    assert_eq!(looked(&home, &mut keeper).await, 2);
    // As long as nothing was decided for them it is said once.
    assert_eq!(looked(&home, &mut keeper).await, 2);
    let told = home.engine().standing_reconciled();
    assert_eq!((told.differences, told.healing), (4, 2), "{told:?}");
    let before = (moves(&home, "ann").await.len(), moves(&home, "cid").await.len());
    home.settle().await;
    counted(&home, &mut keeper, (4, 2)).await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
    let (ann, cid) = (moves(&home, "ann").await, moves(&home, "cid").await);
    assert_eq!((ann.len(), cid.len()), (before.0 + 1, before.1 + 1), "once each");
    assert_eq!(
        (ann[0].as_str(), cid[0].as_str()),
        ("+regulars (size(orders) >= 2)", "-regulars (size(orders) >= 2)")
    );
    assert_eq!(looked(&home, &mut keeper).await, 0);
    home.settle().await;
    assert_eq!(moves(&home, "ann").await, ann);
    home.healthy().await;
}

#[tokio::test]
async fn what_is_late_is_no_difference() {
    let (home, mut keeper) = home().await;
    assert_eq!(looked(&home, &mut keeper).await, 0);
    // A month later nobody is fresh, and no timer has fired yet.
    home.now_is(at("2017-04-05T00:00:00Z")).await;
    counted(&home, &mut keeper, (4, 2)).await;
    assert_eq!(asked_as_of(&home, &mut keeper, "2017-04-05", "@fresh").await, 0);
    assert_eq!(looked(&home, &mut keeper).await, 0);
    home.until(at("2017-04-05T00:00:00Z")).await;
    counted(&home, &mut keeper, (0, 2)).await;
    assert_eq!(looked(&home, &mut keeper).await, 0);
    // What waits in the inbox is decided in its time.
    home.accept(&[order("o7", "dan", "7", "2017-04-04T00:00:00Z", "10")]).await;
    assert_eq!(looked(&home, &mut keeper).await, 0);
    home.settle().await;
    counted(&home, &mut keeper, (1, 3)).await;
    assert_eq!(looked(&home, &mut keeper).await, 0);
    assert_eq!(home.engine().standing_reconciled().differences, 0);
    assert_eq!(home.engine().standing_reconciled().healing, 0);
}
