//! The inbox: every item once, in order, durably; what waits, and what was given up and is put back.

use zhiyin_model::effect::TransferKind;
use zhiyin_model::event::{Identifier, Refusal};
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::{DAY_US, Ts};

use super::life::{Life, append, at, turn};
use super::{Homes, KEY};
use crate::command::{COMMANDS, Fate};
use crate::flush::{Dead, Decided, Fact, Flush};
use crate::seal;
use crate::turn::{Turn, place};
use crate::{
    Ahead, Append, Named, NewEvent, OWN_SOURCE, Progress, Reach, Receipt, Result, StoreError, StoredMember,
    Ties, Waiting, Wanted,
};

fn message_ids(waiting: &[Waiting]) -> Vec<&str> {
    waiting.iter().map(|row| row.message_id.as_str()).collect()
}

/// The same id with the same body is a duplicate, with another body it is refused; neither changes anything.
pub async fn an_item_is_taken_once(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let twice = vec![life.item(1), life.item(2), life.item(1)];
    let receipts = store.append(append(twice, at(2), false)).await?;
    assert_eq!(receipts, [Receipt::Accepted, Receipt::Accepted, Receipt::Duplicate]);
    let other = NewEvent { body_hash: [9; 16], ..life.item(1) };
    let receipts = store.append(append(vec![other, life.item(2), life.item(3)], at(3), false)).await?;
    assert_eq!(receipts, [Receipt::Reused, Receipt::Duplicate, Receipt::Accepted]);
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert_eq!(message_ids(&waiting), ["ann-1", "ann-2", "ann-3"]);
    assert_eq!(waiting[0].body, life.item(1).body);
    assert_eq!((waiting[0].source.as_str(), waiting[0].user_namespace.as_str()), ("till", "user"));
    assert!(waiting.iter().all(|row| !row.derived));
    assert_eq!(store.waiting(&turn(&store).await?, 2).await?.len(), 2);
    Ok(())
}

/// Items are placed at business now, never before the row in front of them.
pub async fn the_clock_never_runs_backwards(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    for (n, now) in [(1, at(3)), (2, at(2)), (3, at(5))] {
        store.append(append(vec![life.item(n)], now, false)).await?;
    }
    let clocks: Vec<_> = store.waiting(&turn(&store).await?, 10).await?.iter().map(|row| row.clock).collect();
    assert_eq!(clocks, [at(3), at(3), at(5)]);
    assert_eq!(store.home().await?.clock, at(5));
    // What was there already moves nothing.
    store.append(append(vec![life.item(1)], at(6), false)).await?;
    assert_eq!(store.home().await?.clock, at(5));
    Ok(())
}

/// Replayed items are placed at their own time, whatever stands in front of them, or at now where that is earlier.
pub async fn history_is_placed_at_its_own_time(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let items = [2, 1, 3, 5].map(|n| life.item(n)).to_vec();
    store.append(append(items, at(4), true)).await?;
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert_eq!(waiting.iter().map(|row| row.clock).collect::<Vec<_>>(), [at(2), at(1), at(3), at(4)]);
    assert!(waiting.iter().all(|row| row.replay));
    assert_eq!(store.home().await?.clock, at(4));
    Ok(())
}

/// What happens now is placed no earlier than any history that came before it.
pub async fn what_happens_now_is_placed_after_history(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(5)], at(6), true)).await?;
    store.append(append(vec![life.item(1)], at(3), false)).await?;
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    let placed: Vec<_> = waiting.iter().map(|row| (row.clock, row.replay)).collect();
    assert_eq!(placed, [(at(5), true), (at(5), false)]);
    Ok(())
}

/// An import's position stands in the transaction of its items: both or neither.
pub async fn progress_is_written_with_its_items(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    assert_eq!(store.progress("year").await?, None);
    let progress = |position, done| Some(Progress { name: "year".to_owned(), position, done });
    let mut first = append(vec![life.item(1)], at(1), true);
    first.progress = progress(1, false);
    store.append(first).await?;
    assert_eq!(store.progress("year").await?, progress(1, false));
    // Refused whole: the source goes by another namespace now.
    let mut refused = append(vec![life.item(2)], at(2), true);
    (refused.progress, refused.user_namespace) = (progress(2, true), "phone".to_owned());
    assert!(store.append(refused).await.is_err());
    assert_eq!(store.progress("year").await?, progress(1, false));
    assert_eq!(store.waiting(&turn(&store).await?, 10).await?.len(), 1);
    let mut last = append(Vec::new(), at(2), true);
    last.progress = progress(2, true);
    store.append(last).await?;
    assert_eq!(store.progress("year").await?, progress(2, true));
    assert_eq!(store.progress("other").await?, None);
    Ok(())
}

/// A source is refused under another namespace than it was first seen with.
pub async fn a_source_keeps_its_namespace(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(1)], at(1), true)).await?;
    let mut other = append(vec![life.item(2)], at(2), true);
    other.user_namespace = "phone".to_owned();
    match store.append(other.clone()).await {
        Err(StoreError::SourceNamespace { source_name, known, given }) => {
            assert_eq!([source_name, known, given], ["till", "user", "phone"]);
        }
        other => panic!("{other:?}"),
    }
    other.source = "shop".to_owned();
    assert_eq!(store.append(other.clone()).await?, [Receipt::Accepted]);
    // Nobody passes for the home itself, whatever they call their users: an item could bear a derived event's name.
    for user_namespace in ["", "user"] {
        let home = Append {
            source: OWN_SOURCE.to_owned(),
            user_namespace: user_namespace.to_owned(),
            ..other.clone()
        };
        assert!(matches!(store.append(home).await, Err(StoreError::SourceReserved)), "{user_namespace:?}");
    }
    Ok(())
}

/// What decisions derived for others comes before the next item, by the time it is for, until it is drained.
pub async fn derived_events_wait_before_the_inbox(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let first = store.waiting(&turn(&store).await?, 1).await?[0].seq;
    let (mut later, mut earlier) = (life.fact(5, true), life.fact(4, true));
    later.clock = earlier.clock;
    let about_herself = life.fact(1, false);
    (later.root, earlier.root) = (first, first);
    let facts = vec![later, earlier, about_herself];
    store.flush(Flush { turn: turn(&store).await?, facts, ..life.part(1, first) }).await?;
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert_eq!(message_ids(&waiting), ["till/ann-4#0", "till/ann-5#0"]);
    assert!(waiting.iter().all(|row| row.derived && row.source != "till"));
    let drained = vec![waiting[0].seq];
    store.flush(Flush { turn: turn(&store).await?, drained, ..Flush::default() }).await?;
    assert_eq!(message_ids(&store.waiting(&turn(&store).await?, 10).await?), ["till/ann-5#0"]);
    let drained = vec![waiting[1].seq];
    store.flush(Flush { turn: turn(&store).await?, drained, ..Flush::default() }).await?;
    assert_eq!(message_ids(&store.waiting(&turn(&store).await?, 2).await?), ["ann-2", "ann-3"]);
    Ok(())
}

/// What became of an item is told by who sent it and what they call it; what a command was refused is never put back.
pub async fn what_became_of_an_item_is_told(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let source = format!("{COMMANDS}k1");
    let from = |n: u8| Append { source: source.clone(), ..append(vec![life.item(n)], at(n), false) };
    assert!(store.fate(&source, "ann-1").await?.is_none());
    store.append(from(1)).await?;
    store.append(from(2)).await?;
    let came = store.fate(&source, "ann-1").await?.expect("it came");
    assert!(matches!(came.fate, Fate::Waits) && came.body_hash == life.item(1).body_hash);
    assert!(store.fate(&source, "ann-3").await?.is_none());
    assert!(store.fate("till", "ann-1").await?.is_none());
    let seqs: Vec<i64> = store.waiting(&turn(&store).await?, 10).await?.iter().map(|row| row.seq).collect();
    store.flush(Flush { turn: turn(&store).await?, ..life.part(1, seqs[0]) }).await?;
    let refusal = Refusal::new("insufficient_points", "properties.amount", "too few");
    let letter = Dead { seq: seqs[1], member: None, refusal, at: at(2) };
    let dead =
        Flush { turn: turn(&store).await?, cursor: Some(seqs[1]), dead: vec![letter], ..Flush::default() };
    store.flush(dead).await?;
    let Some(Fate::Decided { member, transfers }) = store.fate(&source, "ann-1").await?.map(|came| came.fate)
    else {
        panic!("it was decided");
    };
    let booked: Vec<_> = transfers.iter().map(|line| (line.id, line.kind, line.amount)).collect();
    assert_eq!(member, life.member());
    assert_eq!(booked[0], (life.transfer(1), TransferKind::Earn, 100));
    let refused = store.fate(&source, "ann-2").await?.map(|came| came.fate);
    let Some(Fate::Refused { code, field, message }) = refused else { panic!("it was refused") };
    let said = [code.as_str(), field.as_str(), message.as_str()];
    assert_eq!(said, ["insufficient_points", "properties.amount", "too few"]);
    assert_eq!(store.retry_dead_letters(vec![seqs[1]], at(6)).await?, 0);
    assert!(matches!(store.fate(&source, "ann-2").await?.map(|came| came.fate), Some(Fate::Refused { .. })));
    Ok(())
}

/// Dead letters have a name and a field; put back, they wait until all that came before is done, and are no dead letters
/// until they fail again.
pub async fn dead_letters_are_listed_and_put_back(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(append(vec![life.item(1), life.item(2), life.item(3)], at(3), true)).await?;
    let seqs: Vec<i64> = store.waiting(&turn(&store).await?, 10).await?.iter().map(|row| row.seq).collect();
    let dead = |seq, code, at| {
        let refusal = Refusal::new(code, "properties.order_id", "no such order");
        Dead { seq, member: None, refusal, at }
    };
    let letters = vec![dead(seqs[0], "order_unknown", at(1)), dead(seqs[1], "too_late", at(2))];
    let given_up =
        Flush { turn: turn(&store).await?, cursor: Some(seqs[1]), dead: letters, ..Flush::default() };
    store.flush(given_up).await?;
    let listed = store.dead_letters(10).await?;
    assert_eq!(listed.iter().map(|letter| letter.seq).collect::<Vec<_>>(), [seqs[1], seqs[0]]);
    let oldest = &listed[1];
    assert_eq!((oldest.code.as_str(), oldest.field.as_str()), ("order_unknown", "properties.order_id"));
    assert_eq!((oldest.source.as_str(), oldest.message_id.as_str()), ("till", "ann-1"));
    assert_eq!((oldest.time, oldest.at), (at(1), at(1)));
    assert_eq!(store.dead_letters(1).await?.len(), 1);

    assert_eq!(store.retry_dead_letters(vec![seqs[0], seqs[2], 999], at(6)).await?, 1);
    assert_eq!(store.home().await?.clock, at(6));
    assert_eq!(message_ids(&store.waiting(&turn(&store).await?, 10).await?), ["ann-3"]);
    store.flush(Flush { turn: turn(&store).await?, ..life.part(3, seqs[2]) }).await?;
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert_eq!(message_ids(&waiting), ["ann-1"]);
    assert_eq!((waiting[0].clock, waiting[0].time, waiting[0].derived), (at(6), at(1), true));
    assert_eq!(store.dead_letters(10).await?.len(), 1);
    let again = vec![dead(seqs[0], "order_unknown", at(6))];
    let drained = vec![seqs[0]];
    store.flush(Flush { turn: turn(&store).await?, dead: again, drained, ..Flush::default() }).await?;
    assert!(store.waiting(&turn(&store).await?, 10).await?.is_empty());
    assert_eq!(store.dead_letters(10).await?[1].at, at(6));

    // Of two calls the later one's come later, whatever they are named and dated, also at one instant.
    assert_eq!(store.retry_dead_letters(vec![seqs[1]], at(6)).await?, 1);
    assert_eq!(store.retry_dead_letters(vec![seqs[0]], at(6)).await?, 1);
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert_eq!(message_ids(&waiting), ["ann-2", "ann-1"]);
    assert!(waiting[0].clock < waiting[1].clock);
    assert_eq!(store.home().await?.clock, waiting[1].clock);
    Ok(())
}

/// A name as the door takes it.
pub(super) fn named(key: &IdKey, namespace: &str, value: &str) -> Named {
    let identifier = Identifier { namespace: namespace.to_owned(), value: value.to_owned() };
    let hash = seal::lookup(key, &identifier);
    Named { hash, namespace: namespace.to_owned(), value: seal::seal(value) }
}

/// Whom an item is about is settled when it is accepted: by the first of its names that is known, and for the rest of them
/// from then on. Duplicates and what is refused name nobody.
pub async fn names_are_settled_at_the_door(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let candidate = |n: u8| MemberId::from_bytes([n; 16]);
    let item = |n: u8, names: &[&str], to: Option<&str>| {
        let life = Life { key: KEY, name: format!("item{n}") };
        NewEvent {
            names: names.iter().map(|name| named(&KEY, "crm", name)).collect(),
            member: candidate(n),
            reach: to.map(|to| Reach { named: named(&KEY, "crm", to), member: candidate(n + 100) }),
            ..life.item(1)
        }
    };
    let items = vec![
        item(1, &["a", "b"], None),
        item(2, &["c", "b"], None),
        item(3, &["c"], None),
        item(4, &["d"], Some("e")),
        item(5, &["f", "e"], None),
        // Two who are known: the first decides, the other stays who they are.
        item(6, &["d", "a"], Some("a")),
        item(4, &["g", "d"], None),
        item(7, &["g"], Some("g")),
    ];
    let receipts = store.append(append(items, at(2), true)).await?;
    assert_eq!(receipts[6], Receipt::Duplicate);
    // What another append knows, the next one finds.
    store.append(append(vec![item(8, &["h", "a"], Some("f")), item(9, &["h"], None)], at(2), true)).await?;
    let waiting = store.waiting(&turn(&store).await?, 20).await?;
    let told: Vec<_> = waiting.iter().map(|row| (row.member, row.reaches)).collect();
    let expected = [
        (1, None),
        (1, None),
        (1, None),
        (4, Some(104)),
        (104, None),
        (4, Some(1)),
        (7, Some(7)),
        (1, Some(104)),
        (1, None),
    ];
    assert_eq!(
        told,
        expected.map(|(member, to): (u8, Option<u8>)| (Some(candidate(member)), to.map(candidate)))
    );
    assert!(waiting.iter().all(|row| row.root == row.seq));
    let hashes = ["a", "b", "c", "h"].map(|name| named(&KEY, "crm", name).hash);
    let loaded = store.load(Wanted { identifiers: hashes.to_vec(), ..Wanted::default() }).await?;
    assert!(loaded.identifiers.iter().map(|(_, member)| *member).eq([candidate(1); 4]), "{loaded:?}");
    Ok(())
}

/// A member of a share.
fn member(slot: i32) -> MemberId {
    let mut bytes = [7; 16];
    bytes[14..].copy_from_slice(&u16::try_from(slot).unwrap_or(0).to_le_bytes());
    MemberId::from_bytes(bytes)
}

/// An item about a member of a share, which may reach one of another.
fn item(n: u8, of: i32, to: Option<i32>) -> NewEvent {
    let life = Life { key: KEY, name: format!("item{n}") };
    let reach = to.map(|to| Reach { named: named(&KEY, "user", &format!("m{to}")), member: member(to) });
    NewEvent { member: member(of), reach, ..life.item(1) }
}

/// A member of a share of whom nothing is known but that something was decided.
fn decided_for(slot: i32) -> Vec<StoredMember> {
    let member = Member::new(member(slot), at(1));
    vec![StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }]
}

/// No share goes beyond an undecided item of another share that may reach its members; in one's own share all comes in
/// order, and what was derived comes right after what it comes from. Whom the item cannot reach need not wait for it.
pub async fn what_may_reach_others_comes_first(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let slots = store.home().await?.slots;
    let other = slots - 1;
    let items = vec![
        item(1, other, None),
        item(2, 0, Some(other)),
        item(3, other, None),
        item(4, 0, None),
        item(5, 1 % slots, None),
    ];
    store.append(append(items, at(2), true)).await?;
    let whole = turn(&store).await?;
    let part =
        |slot: i32| Turn { held: whole.held.iter().filter(|held| held.slot == slot).copied().collect() };
    if other == 0 {
        assert_eq!(message_ids(&store.waiting(&whole, 9).await?).len(), 5);
        return Ok(());
    }
    let theirs = store.waiting(&part(other), 9).await?;
    assert_eq!(message_ids(&theirs), ["item1-1"]);
    assert_eq!(store.ahead(&part(other)).await?, Some(Ahead { clock: at(1), replay: true }));
    let mine = store.waiting(&part(0), 9).await?;
    assert_eq!(message_ids(&mine), ["item2-1", "item4-1"]);
    if other > 1 {
        assert_eq!(message_ids(&store.waiting(&part(1), 9).await?), ["item5-1"]);
    }
    if other > 2 {
        assert!(store.waiting(&part(2), 9).await?.is_empty());
        assert_eq!(store.ahead(&part(2)).await?, None);
    }
    // Decided, it says something to the other, who has not come that far.
    let emitter = Life { key: KEY, name: "item2".to_owned() };
    let told = Fact { member: member(other), root: mine[0].seq, ..emitter.fact(1, true) };
    let members = decided_for(0);
    let decided = vec![Decided { seq: mine[0].seq, id: mine[0].id, member: member(0), time: at(1) }];
    let flush = Flush {
        turn: part(0),
        cursor: Some(mine[0].seq),
        decided,
        members,
        facts: vec![told],
        ..Flush::default()
    };
    store.flush(flush).await?;
    let theirs = store.waiting(&part(other), 9).await?;
    assert_eq!(message_ids(&theirs), ["item1-1"], "what was derived stands between the two");
    let members = decided_for(other);
    let decided = vec![Decided { seq: theirs[0].seq, id: theirs[0].id, member: member(other), time: at(1) }];
    let flush =
        Flush { turn: part(other), cursor: Some(theirs[0].seq), decided, members, ..Flush::default() };
    store.flush(flush).await?;
    let turn = turn(&store).await?;
    let part = Turn { held: turn.held.into_iter().filter(|held| held.slot == other).collect() };
    let next = store.waiting(&part, 9).await?;
    assert_eq!(message_ids(&next), ["till/item2-1#0"]);
    assert_eq!(store.ahead(&part).await?, Some(Ahead { clock: next[0].clock, replay: false }));
    assert!(next[0].derived && next[0].root == mine[0].seq && next[0].member == Some(member(other)));
    Ok(())
}

/// So does an item that was put back: what was accepted since comes after it, in every share that it may reach.
pub async fn what_was_put_back_may_reach_others_too(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let slots = store.home().await?.slots;
    let other = slots - 1;
    if other == 0 {
        return Ok(());
    }
    store.append(append(vec![item(1, 0, Some(other))], at(2), false)).await?;
    let whole = turn(&store).await?;
    let seq = store.waiting(&whole, 1).await?[0].seq;
    let dead = vec![Dead {
        seq,
        member: None,
        refusal: Refusal::new("insufficient_points", "", "not yet"),
        at: at(2),
    }];
    store.flush(Flush { turn: whole, cursor: Some(seq), dead, ..Flush::default() }).await?;
    assert_eq!(store.retry_dead_letters(vec![seq], at(3)).await?, 1);
    store.append(append(vec![item(2, other, None)], at(4), false)).await?;
    let whole = turn(&store).await?;
    let part =
        |slot: i32| Turn { held: whole.held.iter().filter(|held| held.slot == slot).copied().collect() };
    assert!(store.waiting(&part(other), 9).await?.is_empty());
    assert_eq!(store.ahead(&part(other)).await?, Some(Ahead { clock: at(3), replay: false }));
    assert_eq!(message_ids(&store.waiting(&part(0), 9).await?), ["item1-1"]);
    let decided = vec![Decided { seq, id: item(1, 0, None).id, member: member(0), time: at(1) }];
    let members = decided_for(0);
    let flush = Flush { turn: part(0), drained: vec![seq], decided, members, ..Flush::default() };
    store.flush(flush).await?;
    let whole = turn(&store).await?;
    let part = Turn { held: whole.held.into_iter().filter(|held| held.slot == other).collect() };
    assert_eq!(message_ids(&store.waiting(&part, 9).await?), ["item2-1"]);
    Ok(())
}

/// What is put back is about who its members are by now, and waits in their share; but that somebody ends stays about them.
pub async fn what_is_put_back_is_about_who_they_are_now(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let other = store.home().await?.slots - 1;
    let (ends, stays) = (MemberId::from_bytes([9; 16]), member(other));
    let known_as = |event: NewEvent, names: &[&str]| NewEvent {
        names: names.iter().map(|name| named(&KEY, "user", name)).collect(),
        ..event
    };
    let ends_as = NewEvent { member: ends, ..known_as(item(1, 0, None), &["ends"]) };
    let reach = Some(Reach { named: named(&KEY, "user", "ends"), member: ends });
    let gives = NewEvent { reach, ..known_as(item(3, 1.min(other), None), &["gives"]) };
    store
        .append(append(vec![ends_as, known_as(item(2, other, None), &["stays"]), gives], at(2), false))
        .await?;
    let dies = async |seqs: &[i64], cursor: bool| -> Result<()> {
        let refusal = || Refusal::new("order_unknown", "", "not yet");
        let dead =
            seqs.iter().map(|seq| Dead { seq: *seq, member: None, refusal: refusal(), at: at(2) }).collect();
        let cursor = seqs.last().copied().filter(|_| cursor);
        let drained = if cursor.is_some() { Vec::new() } else { seqs.to_vec() };
        store.flush(Flush { turn: turn(&store).await?, cursor, drained, dead, ..Flush::default() }).await
    };
    let seqs: Vec<i64> = store.waiting(&turn(&store).await?, 9).await?.iter().map(|row| row.seq).collect();
    dies(&seqs, true).await?;
    let merges = NewEvent { ties: Ties::Insist, ..known_as(item(4, 0, None), &["stays", "ends"]) };
    store.append(append(vec![merges], at(3), false)).await?;
    let merge = store.waiting(&turn(&store).await?, 1).await?;
    assert_eq!((merge[0].member, merge[0].reaches), (Some(ends), Some(stays)));
    let asked = store.waiting(&turn(&store).await?, 2).await?[1].seq;
    dies(&[merge[0].seq, asked], true).await?;

    assert_eq!(store.retry_dead_letters(vec![seqs[0], seqs[2], merge[0].seq], at(4)).await?, 3);
    let whole = turn(&store).await?;
    let mut told: Vec<_> =
        store.waiting(&whole, 9).await?.into_iter().map(|row| (row.seq, row.member, row.reaches)).collect();
    told.sort_unstable();
    let gives = Some(member(1.min(other)));
    let expected = [
        (seqs[0], Some(stays), None),
        (seqs[2], gives, Some(stays)),
        (merge[0].seq, Some(ends), Some(stays)),
    ];
    assert_eq!(told, expected);
    // It waits in the share of who they are: once, beside the cursor, and dies there like any other.
    let part = Turn { held: whole.held.into_iter().filter(|held| held.slot == other).collect() };
    let theirs = store.waiting(&part, 9).await?;
    assert!(theirs.iter().all(|row| row.derived), "{theirs:?}");
    dies(&[seqs[0], seqs[2], merge[0].seq], false).await?;
    assert!(!store.any_waiting().await?);
    assert_eq!(store.dead_letters(9).await?.len(), 5);
    Ok(())
}

/// Places say the month of acceptance, and never fall.
pub async fn places_follow_the_months(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let months = [Ts(0), Ts(40 * DAY_US), Ts(20 * DAY_US), Ts(75 * DAY_US)];
    for (n, now) in (1..).zip(months) {
        store.append(append(vec![life.item(n)], now, false)).await?;
    }
    let waiting = store.waiting(&turn(&store).await?, 10).await?;
    assert!(waiting.is_sorted_by(|a, b| a.seq < b.seq));
    let months: Vec<i64> = waiting.iter().map(|row| place::month_of(row.seq)).collect();
    assert_eq!(months, [0, 1, 1, 2]);
    // Shares in which nothing waits are far behind by now.
    for held in turn(&store).await?.held {
        store.waiting(&Turn { held: vec![held] }, 10).await?;
    }
    Ok(())
}
