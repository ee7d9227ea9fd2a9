//! Looking up, a part at a time: lists go on where they stopped, a timeline is told from its end, and who ended is not found.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::event::Refusal;
use zhiyin_model::id::{IdKey, MemberId};
use zhiyin_model::member::Member;
use zhiyin_model::time::Ts;

use super::life::{EVENTS, Life, TILL, at, lived, turn};
use super::{Homes, KEY};
use crate::flush::{Dead, Flush, Joined};
use crate::reading::{FoundBy, Letters, Part, Spot, Which};
use crate::{OWN_SOURCE, Result, Store, StoreError, StoredMember};

const NAMED: i64 = 0x00ff_ffff_ffff;

fn one(n: u8) -> MemberId {
    KEY.derive("listed", &[&[n]])
}

/// Members who exist, each found by a key of all and by one of their own.
async fn known(store: &Arc<dyn Store>, n: u8) -> Result<()> {
    let new = |n: u8| {
        let mut member = Member::new(one(n), Ts(0));
        member.decided_until = Ts(i64::from(n));
        StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
    };
    let members = (0..n).map(new).collect();
    let found_by = (0..n).map(|n| FoundBy { member: one(n), keys: vec![i64::from(n), NAMED] }).collect();
    store.flush(Flush { turn: turn(store).await?, members, found_by, ..Flush::default() }).await
}

/// What must be there.
fn there<T>(found: Option<T>) -> Result<T> {
    found.ok_or_else(|| StoreError::Damaged("it is not there".to_owned()))
}

/// All that a list has, so many looked at a time.
async fn all(store: &Arc<dyn Store>, which: &Which, look: usize) -> Result<Vec<MemberId>> {
    let (mut found, mut after): (Vec<MemberId>, Option<Spot>) = (Vec::new(), None);
    loop {
        let Part { members, next } = store.reading().list(which.clone(), after, look).await?;
        assert!(members.len() <= look);
        found.extend(members.iter().map(|(_, member)| *member));
        let Some(next) = next else { return Ok(found) };
        after = Some(next);
    }
}

fn by(key: i64) -> Which {
    Which { key: Some(key), ..Which::default() }
}

/// Every member is listed once, in one order, whatever the size of a part; and a list goes on after any of them.
pub async fn a_list_goes_on_where_it_stopped(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(all(&store, &Which::default(), 3).await?, []);
    known(&store, 11).await?;
    lived(&store, &Life::of(&KEY), 3).await?;
    let everybody = all(&store, &Which::default(), 100).await?;
    assert_eq!(everybody.iter().copied().collect::<BTreeSet<_>>().len(), 12);
    let named = all(&store, &by(NAMED), 100).await?;
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), (0..11).map(one).collect());
    for look in [1, 2, 3, 11, 12] {
        assert_eq!(all(&store, &Which::default(), look).await?, everybody, "{look}");
        assert_eq!(all(&store, &by(NAMED), look).await?, named, "{look}");
    }
    let whole = store.reading().list(by(NAMED), None, 100).await?;
    for (i, (spot, _)) in whole.members.iter().enumerate() {
        let rest = store.reading().list(by(NAMED), Some(spot.clone()), 100).await?;
        assert_eq!(rest.members, whole.members[i + 1..]);
    }
    let ann = Life::of(&KEY).member();
    for (which, expected) in [
        (by(7), vec![one(7)]),
        (by(999), vec![]),
        (Which { tier: Some("regular".to_owned()), ..Which::default() }, vec![ann]),
        (Which { tier: Some("gold".to_owned()), ..Which::default() }, vec![]),
        (Which { stage: Some("decline".to_owned()), ..Which::default() }, vec![ann]),
        (Which { tag: Some("spender".to_owned()), ..Which::default() }, vec![ann]),
        (Which { tag: Some("spend".to_owned()), ..Which::default() }, vec![]),
        (Which { audience: Some("regulars".to_owned()), ..Which::default() }, vec![]),
        (Which { tier: Some("regular".to_owned()), ..by(NAMED) }, vec![]),
    ] {
        assert_eq!(all(&store, &which, 4).await?, expected, "{which:?}");
    }
    let members = store.reading().members(vec![one(3), ann, MemberId::from_bytes([9; 16])]).await?;
    assert_eq!(
        members.iter().map(|member| member.id).collect::<BTreeSet<_>>(),
        BTreeSet::from([one(3), ann])
    );
    Ok(())
}

/// Whoever is called otherwise is found by that and by nothing else; who ended is found no more, and who was erased neither.
pub async fn members_are_found_by_what_they_are_called_now(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    known(&store, 3).await?;
    let digest = store.digest().await?;
    let renamed = |n: u8, keys: &[i64]| FoundBy { member: one(n), keys: keys.to_vec() };
    let found_by = vec![renamed(0, &[50, 51])];
    store.flush(Flush { turn: turn(&store).await?, found_by, ..Flush::default() }).await?;
    assert_eq!(all(&store, &by(50), 9).await?, [one(0)]);
    assert_eq!(all(&store, &by(0), 9).await?, []);
    assert_eq!(all(&store, &by(NAMED), 9).await?.len(), 2);
    // Built anew for those of whom nothing was decided since.
    let put = vec![(renamed(0, &[60]), Ts(0)), (renamed(1, &[61]), Ts(0)), (renamed(2, &[]), Ts(2))];
    assert_eq!(store.reading().put_found_by(put).await?, 2);
    assert_eq!(all(&store, &by(60), 9).await?, [one(0)]);
    assert_eq!(all(&store, &by(61), 9).await?, []);
    assert_eq!(all(&store, &by(NAMED), 9).await?, [one(1)]);
    // It says nothing that the record does not say.
    assert_eq!(store.digest().await?, digest);
    let joined = vec![Joined { winner: one(1), loser: one(0) }];
    store.flush(Flush { turn: turn(&store).await?, joined, ..Flush::default() }).await?;
    assert_eq!(all(&store, &by(60), 9).await?, []);
    if let Some(personal) = store.personal() {
        personal.erase(one(1)).await?;
        assert_eq!(all(&store, &by(NAMED), 9).await?, []);
    }
    assert_eq!(all(&store, &Which::default(), 1).await?.len(), 2);
    Ok(())
}

/// What members are found by moves with the home.
pub async fn the_index_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    known(&store, 5).await?;
    let other = homes.fresh(&IdKey::from_bytes([9; 32]));
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(store.dump(out), other.fill(rows));
    taken?;
    said?;
    for n in 0..5 {
        assert_eq!(all(&other, &by(i64::from(n)), 2).await?, [one(n)]);
    }
    assert_eq!(all(&other, &by(NAMED), 2).await?.len(), 5);
    Ok(())
}

/// A timeline is told from its end, part by part, with what each event came to.
pub async fn a_timeline_is_told_part_by_part(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    let nobody = there(store.reading().timeline_part(life.member(), None, 5).await?)?;
    assert!(nobody.rows.is_empty() && nobody.next.is_none());
    lived(&store, &life, 4).await?;
    let whole = there(store.reading().timeline_part(life.member(), None, 100).await?)?;
    assert!(whole.next.is_none());
    let items: Vec<_> = whole.rows.iter().filter(|row| row.source == TILL).collect();
    assert!(items.iter().map(|row| row.time).eq((1..=EVENTS).rev().map(at)));
    assert!(items.iter().all(|row| row.body.is_none()));
    let derived = whole.rows.iter().filter(|row| row.source == OWN_SOURCE);
    assert!(derived.clone().count() > 0 && derived.clone().all(|row| row.body.is_some()));
    // What was booked is told with what it was booked for.
    let told: Vec<_> = whole.rows.iter().flat_map(|row| &row.transfers).map(|line| line.id).collect();
    let entire = there(store.member_whole(life.member()).await?)?;
    assert_eq!(told.len(), entire.transfers.len());
    assert!(entire.transfers.iter().all(|line| told.contains(&line.id)));
    let first = there(items.last())?;
    assert!(first.transfers.iter().any(|line| line.id == life.transfer(1)));
    for limit in [1, 2, 3] {
        let (mut seqs, mut from) = (Vec::new(), None);
        loop {
            let part = there(store.reading().timeline_part(life.member(), from, limit).await?)?;
            assert!(part.rows.len() <= limit);
            seqs.extend(part.rows.iter().map(|row| row.seq));
            from = part.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(seqs, whole.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), "{limit}");
    }
    // A place of somebody else's, or of nobody's, is no place to go on from.
    let bob = Life { key: KEY, name: "bob".to_owned() };
    lived(&store, &bob, 2).await?;
    let theirs = there(store.reading().timeline_part(bob.member(), None, 1).await?)?;
    for from in [theirs.rows[0].seq, 7] {
        assert!(store.reading().timeline_part(life.member(), Some(from), 5).await?.is_none());
        assert!(store.reading().orders_part(life.member(), Some(from), (5, 5)).await?.is_none());
    }
    Ok(())
}

/// A member's orders come with their lines, however few events are looked at at once.
pub async fn orders_are_told_part_by_part(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    lived(&store, &life, 4).await?;
    let mut expected: Vec<_> = store.history(life.member(), Vec::new()).await?.orders;
    expected.reverse();
    assert!(expected.len() >= 2);
    for bounds in [(1, 100), (100, 1), (1, 2), (2, 3), (100, 100)] {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let part = there(store.reading().orders_part(life.member(), from, bounds).await?)?;
            assert!(part.rows.len() <= bounds.0);
            found.extend(part.rows);
            from = part.next;
            if from.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), expected.len(), "{bounds:?}");
        for ((order, lines), (expected, of)) in found.iter().zip(&expected) {
            assert_eq!((order, lines.id, &lines.body), (expected, of.id, &of.body));
        }
    }
    let holds = store.reading().open_holds(life.member(), 10).await?;
    assert!(holds.iter().all(|hold| hold.open));
    assert_eq!(holds.iter().map(|hold| hold.amount).sum::<i64>(), 10);
    Ok(())
}

/// Dead letters are told newest first, by code and source, of all or of one member.
pub async fn dead_letters_are_told_part_by_part(homes: &dyn Homes) -> Result<()> {
    let (store, life) = (homes.fresh(&KEY), Life::of(&KEY));
    store.append(life.append()).await?;
    let rows = store.waiting(&turn(&store).await?, 10).await?;
    let dead = rows.iter().enumerate().map(|(i, row)| {
        let code = ["order_unknown", "currency_mismatch"][i % 2];
        Dead {
            seq: row.seq,
            member: row.member,
            refusal: Refusal::new(code, "properties.total", "no"),
            at: at(1),
        }
    });
    let cursor = rows.last().map(|row| row.seq);
    let dead = dead.collect();
    store.flush(Flush { turn: turn(&store).await?, dead, cursor, ..Flush::default() }).await?;
    let seqs =
        |letters: &[crate::read::DeadLetter]| letters.iter().map(|letter| letter.seq).collect::<Vec<_>>();
    let mut newest: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    newest.reverse();
    let reading = store.reading();
    assert_eq!(seqs(&reading.letters(Letters::default(), 100).await?), newest);
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let part = reading.letters(Letters { before, ..Letters::default() }, 4).await?;
        before = part.last().map(|letter| letter.seq);
        paged.extend(seqs(&part));
        if part.len() < 4 {
            break;
        }
    }
    assert_eq!(paged, newest);
    let of = |code: Option<&str>, source: Option<&str>| Letters {
        code: code.map(str::to_owned),
        source: source.map(str::to_owned),
        before: None,
    };
    for (which, n) in [
        (of(Some("order_unknown"), None), 3),
        (of(Some("order_unknown"), Some(TILL)), 3),
        (of(None, Some(TILL)), 6),
        (of(None, Some("nowhere")), 0),
        (of(Some("nothing"), None), 0),
    ] {
        assert_eq!(reading.letters(which.clone(), 100).await?.len(), n, "{which:?}");
    }
    assert_eq!(seqs(&reading.letters_about(life.member(), 100).await?), newest);
    assert_eq!(seqs(&reading.letters_about(life.member(), 2).await?), newest[..2]);
    assert_eq!(reading.letters_about(one(1), 100).await?, []);
    let codes = vec![("currency_mismatch".to_owned(), 3), ("order_unknown".to_owned(), 3)];
    assert_eq!(reading.letter_codes().await?, codes);
    let seen = reading.sources_seen(4).await?;
    let seen: Vec<_> =
        seen.iter().map(|seen| (seen.source.as_str(), seen.items, seen.last.is_some())).collect();
    assert_eq!(seen, [(TILL, 4, true)]);
    Ok(())
}
