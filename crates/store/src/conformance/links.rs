//! A short link is kept once, is found by its code, counts what it is told, follows whoever its members are, and moves with the home.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::{IdKey, LinkId, MemberId};
use zhiyin_model::link::{Followed, Link, LinkCode};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::RunFlush;
use crate::flush::{Flush, Joined};
use crate::links::{Count, StoredLink};
use crate::{Result, Store, StoreError, StoredMember};

fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

fn code(name: &str) -> LinkCode {
    LinkCode::of(&KEY, &[name.as_bytes()])
}

/// A link to a page that was made by hand.
fn link(name: &str, n: u8) -> Link {
    Link {
        code: code(name),
        page: "snacks".to_owned(),
        to: String::new(),
        touchpoint: None,
        campaign: None,
        message: None,
        member: None,
        sharer: None,
        at: at(n),
        until: None,
    }
}

fn stored(life: &Life) -> StoredMember {
    let member = Member::new(life.member(), at(1));
    StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
}

/// A member to whom a batch says something with this link in it.
async fn told(store: &Arc<dyn Store>, life: &Life, links: Vec<Link>) -> Result<()> {
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let turn = turn(store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(1, row.seq);
    let flush = Flush {
        turn,
        cursor: part.cursor,
        version: 1,
        decided: part.decided,
        identifiers: part.identifiers,
        members: vec![stored(life)],
        runs: RunFlush { links, ..RunFlush::default() },
        ..Flush::default()
    };
    store.flush(flush).await
}

fn of(life: &Life, sharer: Option<&Life>) -> Link {
    let sharer = sharer.map(Life::member);
    Link { message: Some("hi".to_owned()), member: Some(life.member()), sharer, ..link(&life.name, 1) }
}

async fn read(store: &Arc<dyn Store>, name: &str) -> Result<Option<StoredLink>> {
    store.coupons().campaigns().links().link(&code(name)).await
}

/// Whom a link names: for whom it was made, who passes it on.
async fn named(store: &Arc<dyn Store>, name: &str) -> Result<(Option<MemberId>, Option<MemberId>)> {
    Ok(read(store, name).await?.map(|found| (found.link.member, found.link.sharer)).unwrap_or_default())
}

async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert_eq!(broken, []);
    Ok(())
}

/// A link is written once and found by its code; how often it was followed adds up; those made by hand are listed, newest first.
pub async fn a_link_is_kept_once_and_counts(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let links = store.coupons().campaigns().links();
    assert_eq!(read(&store, "a").await?, None);
    let until = Some(at(9));
    let other = Link {
        page: String::new(),
        to: "/card".to_owned(),
        touchpoint: Some("till".to_owned()),
        until,
        ..link("b", 2)
    };
    links.put_links(vec![link("a", 1), other.clone()]).await?;
    links.put_links(vec![Link { to: "/other".to_owned(), ..other.clone() }, link("c", 3)]).await?;
    links.put_links(Vec::new()).await?;
    assert_eq!(read(&store, "b").await?, Some(StoredLink { link: other, clicks: 0, scans: 0 }));
    let count = |name: &str, how, n| Count { link: code(name).id(), how, n };
    let gone = Count { link: LinkId::from_bytes([1; 16]), how: Followed::Clicked, n: 1 };
    let counts = [
        count("a", Followed::Clicked, 2),
        count("a", Followed::Scanned, 3),
        count("b", Followed::Scanned, 1),
    ];
    links.count_links([counts.as_slice(), &[gone, count("a", Followed::Clicked, 5)]].concat()).await?;
    let a = read(&store, "a").await?.map(|found| (found.clicks, found.scans));
    assert_eq!(
        (a, read(&store, "b").await?.map(|found| (found.clicks, found.scans))),
        (Some((7, 3)), Some((0, 1)))
    );
    let names = |found: Vec<StoredLink>| -> Vec<String> {
        found.into_iter().map(|found| found.link.code.to_string()).collect()
    };
    let all = links.links(None, None, 9).await?;
    assert_eq!(names(all), [code("c"), code("b"), code("a")].map(|code| code.to_string()));
    let after = links.links(None, Some((at(3), code("c").id())), 1).await?;
    assert_eq!(names(after), [code("b").to_string()]);
    assert_eq!(names(links.links(Some("snacks"), None, 9).await?).len(), 2);
    assert_eq!(names(links.links(Some("other"), None, 9).await?).len(), 0);
    well(&store).await
}

/// Links of messages are written with the batch that says them; they are not among those made by hand, and follow whoever
/// their members are.
pub async fn links_follow_whoever_they_are(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (life("ann"), life("bob"));
    told(&store, &ann, vec![of(&ann, None)]).await?;
    told(&store, &bob, vec![of(&bob, Some(&bob)), of(&bob, None)]).await?;
    assert_eq!(store.coupons().campaigns().links().links(None, None, 9).await?, []);
    assert_eq!(named(&store, "bob").await?, (Some(bob.member()), Some(bob.member())), "the first stays");
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann)],
        joined: vec![Joined { winner: ann.member(), loser: bob.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    assert_eq!(named(&store, "ann").await?, (Some(ann.member()), None));
    assert_eq!(named(&store, "bob").await?, (Some(ann.member()), Some(ann.member())));
    Ok(())
}

/// A home takes its links with it; the digest tells each, and neither codes nor how often they were followed.
pub async fn links_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let ann = life("ann");
    told(&old, &ann, vec![of(&ann, None)]).await?;
    old.coupons().campaigns().links().put_links(vec![link("hand", 2)]).await?;
    let before = old.digest().await?;
    let counts = vec![Count { link: code("ann").id(), how: Followed::Clicked, n: 4 }];
    old.coupons().campaigns().links().count_links(counts).await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    assert_eq!(read(&new, "ann").await?, read(&old, "ann").await?);
    assert_eq!(read(&new, "ann").await?.map(|found| found.clicks), Some(4));
    well(&new).await?;
    let mut digests = BTreeSet::from([before]);
    for (page, until) in [("snacks", None), ("other", None), ("snacks", Some(Ts(5)))] {
        let other = homes.fresh(&KEY);
        told(&other, &ann, vec![of(&ann, None)]).await?;
        let made = Link { page: page.to_owned(), until, ..link("hand", 2) };
        other.coupons().campaigns().links().put_links(vec![made]).await?;
        digests.insert(other.digest().await?);
    }
    assert_eq!(digests.len(), 3, "where links lead, and until when, is in the digest");
    Ok(())
}

/// A link of whoever is erased leads where it led, and names nobody.
pub async fn a_link_of_whoever_is_erased_names_nobody(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let Some(personal) = store.personal() else { return Ok(()) };
    let (ann, bob) = (life("ann"), life("bob"));
    told(&store, &ann, vec![of(&ann, None)]).await?;
    told(&store, &bob, vec![of(&bob, Some(&ann))]).await?;
    personal.erase(ann.member()).await?;
    assert_eq!(named(&store, "ann").await?, (None, None));
    assert_eq!(named(&store, "bob").await?, (Some(bob.member()), None));
    assert_eq!(read(&store, "ann").await?.map(|found| found.link.page).as_deref(), Some("snacks"));
    Ok(())
}
