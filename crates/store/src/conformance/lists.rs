//! Lists that were uploaded by hand: who is on them, however they came there, whoever they become.

use std::sync::Arc;

use zhiyin_model::event::Identifier;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use super::life::{Life, append, at, lived, turn};
use super::{Homes, KEY};
use crate::flush::Flush;
use crate::lists::Listed;
use crate::{Named, NewEvent, Result, Store, StoreError, StoredMember, Ties, seal};

fn life(key: &IdKey, name: &str) -> Life {
    Life { key: key.clone(), name: name.to_owned() }
}

fn listed(key: &IdKey, name: &str) -> Listed {
    let life = life(key, name);
    Listed { member: life.member(), named: life.identifier() }
}

/// A home with these people.
async fn people(homes: &dyn Homes, key: &IdKey, names: &[&str]) -> Result<Arc<dyn Store>> {
    let store = homes.fresh(key);
    for name in names {
        lived(&store, &life(key, name), 6).await?;
    }
    Ok(store)
}

/// Puts people on a list, as an upload of its own.
async fn put(store: &Arc<dyn Store>, key: &IdKey, list: &str, names: &[&str]) -> Result<u64> {
    let round = store.lists().list_begin(list, "key:a", at(1)).await?;
    let put = names.iter().map(|name| listed(key, name)).collect();
    store.lists().list_put(list, round, put, at(2)).await
}

/// The lists of each of these members.
async fn of(store: &Arc<dyn Store>, members: &[MemberId]) -> Result<Vec<Vec<String>>> {
    let mut found = Vec::new();
    for member in members {
        let whole = store.crowd().these(vec![*member]).await?;
        found.push(whole.into_iter().flat_map(|whole| whole.lists).collect());
    }
    Ok(found)
}

fn ids(names: &[&str]) -> Vec<MemberId> {
    names.iter().map(|name| life(&KEY, name).member()).collect()
}

/// Who is put on a list is on it once, and whoever follows the feed is told of those of whom that is news.
pub async fn who_is_put_on_a_list_is_on_it_once(homes: &dyn Homes) -> Result<()> {
    let store = people(homes, &KEY, &["ann", "bob", "cid"]).await?;
    assert_eq!((store.lists().lists().await?, store.lists().list_counts().await?), (vec![], vec![]));
    let from = store.feed_position("audience").await?;
    assert_eq!(put(&store, &KEY, "press", &["ann", "bob", "ann"]).await?, 2);
    assert_eq!(put(&store, &KEY, "press", &["bob", "cid"]).await?, 1);
    assert_eq!(put(&store, &KEY, "press", &["bob"]).await?, 0);
    assert_eq!(put(&store, &KEY, "even", &["ann"]).await?, 1);
    // Whose name nobody bears is not on it.
    assert_eq!(put(&store, &KEY, "even", &["nobody"]).await?, 0);
    let all = ids(&["ann", "bob", "cid"]);
    assert_eq!(of(&store, &all).await?, [vec!["even", "press"], vec!["press"], vec!["press"]]);
    let counts = store.lists().list_counts().await?;
    assert_eq!(counts, [("even".to_owned(), 1), ("press".to_owned(), 3)]);
    for (name, count) in [("even", 1), ("press", 3), ("nobody", 0)] {
        assert_eq!(store.lists().list_count(name).await?, count, "{name}");
    }
    let lists = store.lists().lists().await?;
    let said: Vec<_> = lists.iter().map(|list| (list.name.as_str(), list.round, list.made_at)).collect();
    assert_eq!(said, [("even", 2, at(1)), ("press", 3, at(1))]);
    assert_eq!(lists[1].changed_by, "key:a");
    // Each in the feed when it was news, and not again.
    let mut told: Vec<MemberId> = Vec::new();
    while told.len() < 4 {
        told = store.feed(from, 100).await?.into_iter().flat_map(|entry| entry.members).collect();
        tokio::task::yield_now().await;
    }
    told.sort_unstable();
    let mut expected = ids(&["ann", "ann", "bob", "cid"]);
    expected.sort_unstable();
    assert_eq!(told, expected);
    // By an id, too.
    let by_id = Listed { member: all[2], named: *all[2].bytes() };
    let round = store.lists().list_begin("even", "key:b", at(3)).await?;
    assert_eq!(store.lists().list_put("even", round, vec![by_id], at(4)).await?, 1);
    assert_eq!(of(&store, &all[2..]).await?, [["even", "press"]]);
    Ok(())
}

/// Whom an upload does not name leaves by parts; what an earlier upload still says is refused.
pub async fn the_last_upload_is_what_a_list_is(homes: &dyn Homes) -> Result<()> {
    let store = people(homes, &KEY, &["ann", "bob", "cid"]).await?;
    let all = ids(&["ann", "bob", "cid"]);
    put(&store, &KEY, "press", &["ann", "bob", "cid"]).await?;
    let lists = store.lists();
    let round = lists.list_begin("press", "key:a", at(3)).await?;
    assert_eq!(lists.list_put("press", round, vec![listed(&KEY, "bob")], at(3)).await?, 0);
    let mut left = Vec::new();
    while left.last() != Some(&0) {
        left.push(lists.list_take("press", round, 1, at(3)).await?);
    }
    assert_eq!(left, [1, 1, 0]);
    assert_eq!(of(&store, &all).await?, [vec![], vec!["press"], vec![]]);
    let earlier = [
        lists.list_put("press", round - 1, vec![listed(&KEY, "ann")], at(4)).await.err(),
        lists.list_take("press", round - 1, 10, at(4)).await.err(),
        lists.list_gone("press", round - 1).await.map(drop).err(),
        // Somebody is on it still; and another list there is not.
        lists.list_gone("press", round).await.map(drop).err(),
        lists.list_put("news", 1, vec![listed(&KEY, "ann")], at(4)).await.err(),
    ];
    for refused in earlier {
        assert!(matches!(refused, Some(StoreError::Stale)), "{refused:?}");
    }
    let round = lists.list_begin("press", "key:a", at(5)).await?;
    assert_eq!(lists.list_take("press", round, 10, at(5)).await?, 1);
    assert!(lists.list_gone("press", round).await?);
    assert_eq!((lists.lists().await?.len(), of(&store, &all).await?), (0, vec![Vec::<String>::new(); 3]));
    // One of the same name is another one.
    assert_eq!(put(&store, &KEY, "press", &["ann"]).await?, 1);
    assert_eq!(lists.lists().await?[0].round, 1);
    Ok(())
}

/// An item that shows who is whom.
fn said(n: u8, names: &[&str], ties: Ties, parts: bool) -> NewEvent {
    let named = |name: &&str| {
        let identifier = Identifier { namespace: "user".to_owned(), value: (*name).to_owned() };
        let hash = seal::lookup(&KEY, &identifier);
        Named { hash, namespace: identifier.namespace, value: seal::seal(name) }
    };
    let names: Vec<Named> = names.iter().map(named).collect();
    let parts = if parts { names.iter().map(|named| named.hash).collect() } else { Vec::new() };
    let member = MemberId::from_bytes([n; 16]);
    NewEvent { names, member, ties, parts, ..life(&KEY, &format!("said{n}")).item(1) }
}

/// Who is another by now is on that one's lists, and whoever is parted takes along what they were put on under their own name.
pub async fn lists_follow_who_is_whom(homes: &dyn Homes) -> Result<()> {
    let store = people(homes, &KEY, &["ann", "bob"]).await?;
    let both = ids(&["ann", "bob"]);
    put(&store, &KEY, "press", &["bob"]).await?;
    put(&store, &KEY, "even", &["ann", "bob"]).await?;
    store.append(append(vec![said(1, &["ann", "bob"], Ties::Insist, false)], at(9), false)).await?;
    assert_eq!(of(&store, &both[..1]).await?, [["even", "press"]]);
    assert_eq!(store.lists().list_counts().await?, [("even".to_owned(), 1), ("press".to_owned(), 1)]);
    let digest = store.digest().await?;
    // Uploaded again, either name is theirs.
    assert_eq!(put(&store, &KEY, "press", &["bob", "ann"]).await?, 1);
    assert_eq!(store.digest().await?, digest);

    let new = MemberId::from_bytes([2; 16]);
    store.append(append(vec![said(2, &["bob"], Ties::Keep, true)], at(9), false)).await?;
    let member = Member::new(new, Ts(0));
    let stored = StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None };
    store.flush(Flush { turn: turn(&store).await?, members: vec![stored], ..Flush::default() }).await?;
    assert_eq!(of(&store, &[both[0], new]).await?, [["even", "press"], ["even", "press"]]);
    let round = store.lists().list_begin("press", "key:a", at(9)).await?;
    store.lists().list_put("press", round, vec![listed(&KEY, "bob")], at(9)).await?;
    store.lists().list_take("press", round, 10, at(9)).await?;
    assert_eq!(of(&store, &[both[0], new]).await?, [vec!["even"], vec!["even", "press"]]);
    Ok(())
}

/// Whoever is erased is on none, under no name that they had.
pub async fn whoever_is_erased_is_on_none(homes: &dyn Homes) -> Result<()> {
    let store = people(homes, &KEY, &["ann", "bob", "cid"]).await?;
    put(&store, &KEY, "press", &["ann", "bob", "cid"]).await?;
    store.append(append(vec![said(1, &["ann", "bob"], Ties::Insist, false)], at(9), false)).await?;
    let Some(personal) = store.personal() else { return Ok(()) };
    personal.erase(life(&KEY, "ann").member()).await?;
    assert_eq!(store.lists().list_counts().await?, [("press".to_owned(), 1)]);
    assert_eq!(of(&store, &ids(&["ann", "cid"])).await?, [vec![], vec!["press"]]);
    assert_eq!(put(&store, &KEY, "press", &["ann", "bob"]).await?, 0, "nobody bears these names");
    Ok(())
}

/// The digest tells who is on which list, whatever keys and uploads there were; and nothing of homes that have none.
pub async fn the_digest_tells_who_is_listed(homes: &dyn Homes) -> Result<()> {
    let other = IdKey::from_bytes([9; 32]);
    let mut digests = Vec::new();
    for (key, uploads) in [
        (&KEY, vec![("press", vec!["ann", "bob"])]),
        (&other, vec![("press", vec!["bob"]), ("press", vec!["ann"]), ("empty", vec![])]),
        (&KEY, vec![("even", vec!["ann", "bob"])]),
        (&KEY, vec![("press", vec!["ann"])]),
        (&KEY, vec![]),
        (&KEY, vec![("press", vec![])]),
    ] {
        let store = people(homes, key, &["ann", "bob"]).await?;
        for (list, names) in uploads {
            put(&store, key, list, &names).await?;
        }
        digests.push(store.digest().await?);
    }
    assert_eq!((&digests[0], &digests[4]), (&digests[1], &digests[5]));
    let different: std::collections::BTreeSet<&String> = digests.iter().collect();
    assert_eq!(different.len(), 4, "{digests:?}");
    Ok(())
}

/// Backups and migrations bring them along, and what is uploaded there goes on.
pub async fn lists_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let store = people(homes, &KEY, &["ann", "bob"]).await?;
    put(&store, &KEY, "press", &["ann"]).await?;
    put(&store, &KEY, "even", &["ann", "bob"]).await?;
    let moved = homes.fresh(&IdKey::from_bytes([9; 32]));
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(store.dump(out), moved.fill(rows));
    taken?;
    assert_eq!(moved.digest().await?, said?);
    assert_eq!(moved.lists().lists().await?, store.lists().lists().await?);
    assert_eq!(put(&moved, &KEY, "press", &["bob"]).await?, 1);
    assert_eq!(put(&moved, &KEY, "new", &["bob"]).await?, 1);
    assert_eq!(
        of(&moved, &ids(&["ann", "bob"])).await?,
        [vec!["even", "press"], vec!["even", "new", "press"]]
    );
    Ok(())
}
