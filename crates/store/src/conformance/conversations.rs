//! Conversations are written with what was heard or not at all, listed by their last words, and end with whoever is erased.

use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::conversations::{Conversation, Conversations, ConversationsAsked};
use crate::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use crate::flush::Flush;
use crate::{Result, StoreError, seal};

fn id(name: &str) -> ReflectionId {
    reflection_id(&KEY, ("wecom", "inbox"), "talk", &[name])
}

fn thing(name: &str, read: i64) -> Reflect {
    Reflect {
        id: id(name),
        read,
        kind: "wecom:inbox:talk".to_owned(),
        part: id("all"),
        due: None,
        about: KEY.digest("about", &[name.as_bytes()]),
        body: seal::seal(&format!("{name} after {read}")),
    }
}

fn listed(name: &str, state: i64, at: i64, assignee: Option<&str>) -> Conversation {
    let persona = if name.starts_with('x') { "other" } else { "advisor" };
    Conversation {
        id: id(name),
        persona: persona.to_owned(),
        state,
        assignee: assignee.map(str::to_owned),
        at: Ts(at),
    }
}

fn asked(state: i64, limit: usize) -> ConversationsAsked {
    ConversationsAsked { state, limit, ..ConversationsAsked::default() }
}

async fn ids(store: &dyn Conversations, asked: ConversationsAsked) -> Result<Vec<ReflectionId>> {
    Ok(store.conversations(asked).await?.into_iter().map(|one| one.id).collect())
}

/// Where one thing is another by now, nothing of the rest stays.
pub async fn what_was_heard_and_how_it_is_listed_are_written_at_once_or_not_at_all(
    homes: &dyn Homes,
) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (mirror, talks) = (store.coupons().campaigns().mirror(), store.coupons().campaigns().conversations());
    assert!(talks.converse(vec![thing("a", 0)], vec![listed("a", 0, 1, None)]).await?);
    let both = vec![thing("b", 0), thing("a", 0)];
    assert!(!talks.converse(both, vec![listed("b", 0, 2, None)]).await?);
    let both = vec![thing("b", 0), thing("a", 7)];
    assert!(!talks.converse(both, vec![listed("a", 1, 2, None)]).await?);
    assert_eq!(mirror.reflections(vec![id("b")]).await?, []);
    assert_eq!(ids(talks, asked(0, 9)).await?, [id("a")]);
    let both = vec![thing("b", 0), thing("a", 1)];
    assert!(talks.converse(both, vec![listed("a", 1, 3, Some("A1")), listed("b", 1, 2, None)]).await?);
    assert_eq!(talks.conversations(asked(1, 1)).await?, [listed("a", 1, 3, Some("A1"))]);
    assert_eq!(ids(talks, asked(0, 9)).await?, []);
    assert_eq!(talks.count_conversations().await?, [(1, 2)]);
    assert!(talks.converse(Vec::new(), Vec::new()).await?);
    Ok(())
}

/// Those with the latest words come first, a part at a time; cut by persona and by who looks after them.
pub async fn conversations_are_listed_by_their_last_words(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let talks = store.coupons().campaigns().conversations();
    let names: Vec<String> =
        (0..20).map(|n| if n % 2 == 0 { format!("x{n}") } else { format!("c{n}") }).collect();
    let at = |n: usize| i64::try_from(n / 3).unwrap_or_default();
    let assignee = |n: usize| n.is_multiple_of(4).then_some("A1");
    let all: Vec<Conversation> =
        names.iter().enumerate().map(|(n, name)| listed(name, 0, at(n), assignee(n))).collect();
    talks.converse(names.iter().map(|name| thing(name, 0)).collect(), all.clone()).await?;
    let mut sorted = all.clone();
    sorted.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let some = talks.conversations(ConversationsAsked { before, ..asked(0, 7) }).await?;
        let Some(last) = some.last() else { break };
        before = Some((last.at, last.id));
        found.extend(some);
    }
    assert_eq!(found, sorted);
    let other = ConversationsAsked { persona: Some("other".to_owned()), ..asked(0, 99) };
    assert_eq!(talks.conversations(other.clone()).await?.len(), 10);
    let mine = ConversationsAsked { assignee: Some("A1".to_owned()), ..other };
    let wanted: Vec<Conversation> =
        sorted.iter().filter(|one| one.persona == "other" && one.assignee.is_some()).cloned().collect();
    assert_eq!(talks.conversations(mine.clone()).await?, wanted);
    let first = wanted.first().map(|one| (one.at, one.id));
    let rest = talks.conversations(ConversationsAsked { before: first, ..mine }).await?;
    assert_eq!(rest, wanted.get(1..).unwrap_or_default());
    // Those of somebody who has several names, however they stand.
    let about = |name: &str| KEY.digest("about", &[name.as_bytes()]);
    let closed = Conversation { state: 3, ..listed("c1", 0, 9, None) };
    assert!(talks.converse(vec![thing("c1", 1)], vec![closed.clone()]).await?);
    let theirs = vec![about("x4"), about("c1"), about("nobody")];
    let four = sorted.iter().find(|one| one.id == id("x4")).cloned();
    let wanted: Vec<Conversation> = std::iter::once(closed).chain(four).collect();
    assert_eq!(talks.conversations_of(theirs.clone(), 9).await?, wanted);
    assert_eq!(talks.conversations_of(theirs, 1).await?, wanted.get(..1).unwrap_or_default());
    assert_eq!(talks.conversations_of(Vec::new(), 9).await?, []);
    Ok(())
}

/// They move with the home, and are no part of what was decided.
pub async fn conversations_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new_home) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let before = old.digest().await?;
    let all = vec![listed("a", 0, 5, Some("A1")), listed("x", 0, 6, None)];
    let talks = old.coupons().campaigns().conversations();
    talks.converse(vec![thing("a", 0), thing("x", 0)], all).await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new_home.fill(rows));
    taken?;
    assert_eq!(new_home.digest().await?, said?);
    let there = new_home.coupons().campaigns().conversations();
    assert_eq!(there.conversations(asked(0, 9)).await?, talks.conversations(asked(0, 9)).await?);
    Ok(())
}

/// What is listed of whoever is erased is listed no more.
pub async fn a_conversation_with_whoever_is_erased_is_on_no_list(homes: &dyn Homes) -> Result<()> {
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
    let talks = store.coupons().campaigns().conversations();
    let theirs = Reflect { about: hash, ..thing("theirs", 0) };
    let all = vec![listed("theirs", 0, 5, None), listed("other", 0, 6, None)];
    talks.converse(vec![theirs.clone(), thing("other", 0)], all).await?;
    personal.erase(life.member()).await?;
    assert_eq!(ids(talks, asked(0, 9)).await?, [id("other")]);
    assert!(!talks.converse(vec![Reflect { read: 1, ..theirs }], vec![listed("theirs", 0, 5, None)]).await?);
    assert_eq!(ids(talks, asked(0, 9)).await?, [id("other")]);
    Ok(())
}
