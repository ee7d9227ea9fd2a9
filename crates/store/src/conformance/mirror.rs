//! What platforms showed is changed by who read it as it is, lent to one at a time, and moves with the home.

use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::mirror::{Mirror, Reflect, Reflection, ReflectionId, reflection_id};
use crate::flush::Flush;
use crate::{Result, StoreError, seal};

const OF: (&str, &str) = ("wecom", "main");

fn id(name: &str) -> ReflectionId {
    reflection_id(&KEY, OF, "relation", &[name])
}

fn part(name: &str) -> ReflectionId {
    reflection_id(&KEY, OF, "part", &[name])
}

fn thing(name: &str, read: i64, due: Option<i64>) -> Reflect {
    Reflect {
        id: id(name),
        read,
        kind: "relation".to_owned(),
        part: part("li"),
        due: due.map(Ts),
        about: KEY.digest("about", &[name.as_bytes()]),
        body: seal::seal(&format!("{name} as it was after {read}")),
    }
}

async fn seen(mirror: &dyn Mirror, name: &str) -> Result<Option<Reflection>> {
    Ok(mirror.reflections(vec![id(name)]).await?.pop())
}

async fn says(mirror: &dyn Mirror, name: &str) -> Result<Option<(i64, String)>> {
    let Some(one) = seen(mirror, name).await? else { return Ok(None) };
    Ok(Some((one.version, seal::open(&one.body)?)))
}

/// Of two that read the same one comes first; what is not there is not changed, and what is there is not new.
pub async fn a_thing_is_changed_by_who_read_it_as_it_is(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let mirror = store.coupons().campaigns().mirror();
    assert_eq!(mirror.reflect(Vec::new()).await?, [false; 0]);
    assert_eq!(mirror.reflect(vec![thing("a", 0, None), thing("b", 1, None)]).await?, [true, false]);
    assert_eq!(says(mirror, "b").await?, None);
    assert_eq!(says(mirror, "a").await?, Some((1, "a as it was after 0".to_owned())));
    assert_eq!(mirror.reflect(vec![thing("a", 0, None)]).await?, [false]);
    assert_eq!(mirror.reflect(vec![thing("a", 1, Some(5)), thing("c", 0, None)]).await?, [true, true]);
    assert_eq!(mirror.reflect(vec![thing("a", 1, None)]).await?, [false]);
    assert_eq!(says(mirror, "a").await?, Some((2, "a as it was after 1".to_owned())));
    let read = seen(mirror, "a").await?.unwrap_or_else(|| panic!("it is gone"));
    let wanted = thing("a", 1, Some(5));
    assert_eq!(
        (read.kind, read.part, read.due, read.about),
        (wanted.kind, wanted.part, wanted.due, wanted.about)
    );
    assert_eq!(mirror.count_reflections().await?, [("relation".to_owned(), 2)]);
    assert_eq!(mirror.reflection_kinds().await?, ["relation"]);
    assert_eq!(mirror.forget_reflections(vec![(id("a"), 1), (id("c"), 1), (id("d"), 1)]).await?, 1);
    assert_eq!((says(mirror, "c").await?, says(mirror, "a").await?.is_some()), (None, true));
    let many: Vec<Reflect> = (0..300).map(|n| thing(&format!("m{n}"), 0, None)).collect();
    assert_eq!(mirror.reflect(many.clone()).await?, [true; 300]);
    assert_eq!(mirror.reflect(many).await?, [false; 300]);
    Ok(())
}

/// What is due is lent once until it is given up for lost, and whoever had it first writes nothing any more.
pub async fn what_is_due_of_a_kind_is_lent_to_one_at_a_time(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let mirror = store.coupons().campaigns().mirror();
    assert_eq!(mirror.next_reflection("relation").await?, None);
    let other = Reflect { kind: "tag".to_owned(), ..thing("t", 0, Some(1)) };
    mirror
        .reflect(vec![thing("a", 0, Some(10)), thing("b", 0, Some(20)), thing("c", 0, None), other])
        .await?;
    assert_eq!(mirror.next_reflection("relation").await?, Some(Ts(10)));
    assert_eq!(mirror.lend_reflections("relation", Ts(9), Ts(50), 9).await?, []);
    let lent = mirror.lend_reflections("relation", Ts(20), Ts(50), 1).await?;
    assert_eq!(lent.iter().map(|one| (one.id, one.version)).collect::<Vec<_>>(), [(id("a"), 2)]);
    let lent = mirror.lend_reflections("relation", Ts(20), Ts(50), 9).await?;
    assert_eq!(lent.iter().map(|one| (one.id, one.due)).collect::<Vec<_>>(), [(id("b"), Some(Ts(50)))]);
    assert_eq!(seal::open(&lent[0].body)?, "b as it was after 0");
    assert_eq!(mirror.lend_reflections("relation", Ts(49), Ts(99), 9).await?, []);
    assert_eq!(mirror.lend_reflections("relation", Ts(50), Ts(99), 9).await?.len(), 2);
    assert_eq!(mirror.reflect(vec![thing("a", 2, None), thing("b", 3, None)]).await?, [false, true]);
    assert_eq!(mirror.next_reflection("relation").await?, Some(Ts(99)));
    Ok(())
}

/// They are listed in the order of their ids, a part at a time.
pub async fn things_are_listed_by_what_they_belong_to(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let mirror = store.coupons().campaigns().mirror();
    let mut ids: Vec<ReflectionId> = (0..50).map(|n| id(&format!("m{n}"))).collect();
    let elsewhere = Reflect { part: part("wang"), ..thing("x", 0, None) };
    let mut all: Vec<Reflect> = (0..50).map(|n| thing(&format!("m{n}"), 0, None)).collect();
    all.push(elsewhere);
    mirror.reflect(all).await?;
    ids.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let some = mirror.reflections_of("relation", part("li"), after, 7).await?;
        let Some(last) = some.last() else { break };
        after = Some(last.id);
        found.extend(some.iter().map(|one| one.id));
    }
    assert_eq!(found, ids);
    assert_eq!(mirror.reflections_of("tag", part("li"), None, 7).await?, []);
    Ok(())
}

/// The mirror moves with the home, and is no part of what was decided.
pub async fn the_mirror_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new_home) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let mirror = old.coupons().campaigns().mirror();
    let before = old.digest().await?;
    mirror.reflect(vec![thing("a", 0, Some(7)), thing("b", 0, None)]).await?;
    mirror.reflect(vec![thing("a", 1, Some(9))]).await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new_home.fill(rows));
    taken?;
    assert_eq!(new_home.digest().await?, said?);
    let there = new_home.coupons().campaigns().mirror();
    for name in ["a", "b"] {
        assert_eq!(seen(there, name).await?, seen(mirror, name).await?);
    }
    Ok(())
}

/// What was seen of who is erased says nothing and is not due; whoever had read it writes nothing.
pub async fn what_was_seen_of_whoever_is_erased_says_nothing(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let Some(personal) = store.personal() else { return Ok(()) };
    let life = Life { key: KEY, name: "ann".to_owned() };
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let turn = turn(&store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(1, row.seq);
    let name = part.identifiers.first().map(|identifier| identifier.hash);
    let hash = name.unwrap_or_else(|| life.item(1).names[0].hash);
    let member = zhiyin_model::member::Member::new(life.member(), at(1));
    let stored = crate::StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None };
    store
        .flush(Flush {
            turn,
            cursor: part.cursor,
            version: 1,
            decided: part.decided,
            identifiers: part.identifiers,
            members: vec![stored],
            ..Flush::default()
        })
        .await?;
    let mirror = store.coupons().campaigns().mirror();
    let theirs = Reflect { about: hash, ..thing("theirs", 0, Some(5)) };
    mirror.reflect(vec![theirs.clone(), thing("other", 0, Some(6))]).await?;
    personal.erase(life.member()).await?;
    let gone = seen(mirror, "theirs").await?.unwrap_or_else(|| panic!("it is gone"));
    assert!(seal::is_erased(&gone.body) && gone.due.is_none());
    assert_eq!(mirror.reflect(vec![Reflect { read: 1, ..theirs }]).await?, [false]);
    let lent = mirror.lend_reflections("relation", Ts(10), Ts(20), 9).await?;
    assert_eq!(lent.iter().map(|one| one.id).collect::<Vec<_>>(), [id("other")]);
    assert_eq!(seal::open(&lent[0].body)?, "other as it was after 0");
    Ok(())
}
