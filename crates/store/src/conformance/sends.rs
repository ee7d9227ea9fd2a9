//! What leaves the home is lent to one at a time, is handed over once, and stands where somebody last said that it does.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::{IdKey, NoteId};
use zhiyin_model::member::Member;
use zhiyin_model::run::{Note, NoteState, spent_of};
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::sends::{Came, HEARD_AFTER_US, Receipt, Received, SendLog, SendRow, SendState, Sends};
use crate::campaigns::{NoteSet, NotesGone, RunFlush};
use crate::flush::{Flush, Joined};
use crate::{Result, Store, StoreError, StoredMember, seal};

fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

fn note(life: &Life, channel: &str) -> Note {
    Note {
        id: KEY.derive("note", &[life.name.as_bytes(), channel.as_bytes()]),
        member: life.member(),
        channel: channel.to_owned(),
        campaign: "back".to_owned(),
        message: "hi".to_owned(),
        at: at(1),
        state: NoteState::Open,
        cause: life.event(1),
    }
}

/// A member to whom something was said by e-mail, and in the app.
async fn left(store: &Arc<dyn Store>, name: &str) -> Result<Life> {
    let life = life(name);
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let turn = turn(store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(1, row.seq);
    let said = |channel: &str| NoteSet {
        note: note(&life, channel),
        body: seal::seal("hello"),
        others: vec!["inbox".to_owned()],
    };
    let member = Member::new(life.member(), at(1));
    let flush = Flush {
        turn,
        cursor: part.cursor,
        version: 1,
        decided: part.decided,
        identifiers: part.identifiers,
        members: vec![StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }],
        runs: RunFlush { notes: vec![said("email"), said("inbox")], ..RunFlush::default() },
        ..Flush::default()
    };
    store.flush(flush).await?;
    Ok(life)
}

fn came(row: &SendRow, state: SendState) -> Came {
    Came {
        id: row.id,
        attempts: row.attempts,
        counts: true,
        state,
        due: Ts(900),
        tried_at: Some(Ts(100)),
        receipt: None,
        error: None,
        tell: false,
    }
}

async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert_eq!(broken, []);
    Ok(())
}

async fn state(sends: &dyn Sends, id: NoteId) -> Result<Option<SendState>> {
    Ok(sends.sent(id).await?.map(|row| row.state))
}

/// What is due is lent to one, for a while; what is said in the app is not lent at all.
pub async fn what_is_due_is_lent_to_one_at_a_time(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let sends = store.coupons().campaigns().sends();
    assert_eq!(sends.claim("email", Ts(100), Ts(200), 9).await?, []);
    let ann = left(&store, "ann").await?;
    let id = note(&ann, "email").id;
    assert_eq!(sends.sent(note(&ann, "inbox").id).await?, None);
    assert_eq!(sends.claim("inbox", Ts(100), Ts(200), 9).await?, []);
    let [row] =
        sends.claim("email", Ts(100), Ts(200), 9).await?.try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!((row.id, row.member, row.attempts, row.due), (id, ann.member(), 1, Ts(200)));
    assert_eq!((row.campaign.as_str(), row.message.as_str(), row.at), ("back", "hi", at(1)));
    assert_eq!(row.others, ["inbox"]);
    assert_eq!(sends.claim("email", Ts(199), Ts(300), 9).await?, []);
    // Who had it came to nothing: another one takes it, and the first may not hand it over any more.
    let [again] =
        sends.claim("email", Ts(200), Ts(300), 9).await?.try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!(again.attempts, 2);
    assert!(!sends.handing(id, 1, Ts(400), None).await?);
    assert!(sends.handing(id, 2, Ts(400), None).await?);
    assert!(!sends.handing(id, 2, Ts(400), None).await?, "only once");
    assert_eq!(sends.claim("email", Ts(1_000), Ts(1_100), 9).await?, [], "what is handed over is not lent");
    assert!(!sends.note(came(&row, SendState::Sent)).await?);
    assert!(sends.note(Came { receipt: Some("7".to_owned()), ..came(&again, SendState::Sent) }).await?);
    let sent = sends.sent(id).await?.unwrap_or_else(|| panic!("it is gone"));
    assert_eq!(
        (sent.state, sent.receipt.as_deref(), sent.tried_at),
        (SendState::Sent, Some("7"), Some(Ts(100)))
    );
    assert!(!sends.note(came(&again, SendState::Failed)).await?, "what was taken was");
    well(&store).await
}

/// Of what was handed over and never noted nobody knows; what was not counted was never tried.
pub async fn what_nobody_noted_is_unknown_or_waits_by_its_key(homes: &dyn Homes) -> Result<()> {
    for again in [false, true] {
        let store = homes.fresh(&KEY);
        let sends = store.coupons().campaigns().sends();
        let ann = left(&store, "ann").await?;
        let id = note(&ann, "email").id;
        let [row] = sends
            .claim("email", Ts(100), Ts(200), 9)
            .await?
            .try_into()
            .unwrap_or_else(|all| panic!("{all:?}"));
        sends.note(Came { counts: false, due: Ts(150), ..came(&row, SendState::Waiting) }).await?;
        let [row] = sends
            .claim("email", Ts(150), Ts(200), 9)
            .await?
            .try_into()
            .unwrap_or_else(|all| panic!("{all:?}"));
        assert_eq!(row.attempts, 1);
        assert!(sends.handing(id, 1, Ts(300), None).await?);
        assert_eq!(sends.lost("email", Ts(299), again, 9).await?, []);
        assert_eq!(sends.lost("sms", Ts(300), again, 9).await?, []);
        assert_eq!(sends.lost("email", Ts(300), again, 9).await?, [id]);
        let expected = if again { SendState::Waiting } else { SendState::Unknown };
        assert_eq!(state(sends, id).await?, Some(expected));
        assert_eq!(sends.claim("email", Ts(300), Ts(400), 9).await?.len(), usize::from(again));
        if !again {
            // Late news that it was taken is good news; any other is not believed.
            assert!(!sends.note(came(&row, SendState::Failed)).await?);
            assert!(sends.note(came(&row, SendState::Sent)).await?);
        }
    }
    Ok(())
}

/// What failed is told once, is moved by people, listed and counted.
pub async fn what_failed_is_told_moved_and_listed(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let sends = store.coupons().campaigns().sends();
    let (ann, bob) = (left(&store, "ann").await?, left(&store, "bob").await?);
    let mut rows = sends.claim("email", Ts(100), Ts(200), 9).await?;
    rows.sort_by_key(|row| row.member != ann.member());
    let failed =
        Came { error: Some("refused 550".to_owned()), tell: true, ..came(&rows[0], SendState::Failed) };
    assert!(sends.note(failed).await?);
    assert!(sends.note(came(&rows[1], SendState::Sent)).await?);
    let [untold] = sends.untold(9).await?.try_into().unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!((untold.member, untold.error.as_deref()), (ann.member(), Some("refused 550")));
    sends.told(vec![untold.id]).await?;
    assert_eq!(sends.untold(9).await?, []);
    let counts = sends.counts().await?;
    assert_eq!(counts.iter().map(|one| (one.state, one.n)).collect::<Vec<_>>(), [(SendState::Failed, 1)]);
    let listed = async |log: SendLog| -> Result<Vec<NoteId>> {
        Ok(sends.log(SendLog { limit: 9, ..log }).await?.into_iter().map(|row| row.id).collect())
    };
    let all = listed(SendLog::default()).await?;
    assert_eq!(all.len(), 2);
    let (mine, theirs) = (note(&ann, "email").id, note(&bob, "email").id);
    let member = SendLog { member: Some(ann.member()), ..SendLog::default() };
    assert_eq!(listed(member.clone()).await?, [mine]);
    assert_eq!(listed(SendLog { state: Some(SendState::Sent), ..member }).await?, []);
    assert_eq!(listed(SendLog { state: Some(SendState::Sent), ..SendLog::default() }).await?, [theirs]);
    assert_eq!(listed(SendLog { channel: Some("sms".to_owned()), ..SendLog::default() }).await?, []);
    assert_eq!(listed(SendLog { before: Some((at(1), all[0])), ..SendLog::default() }).await?, [all[1]]);
    assert!(!sends.moved(mine, SendState::Unknown, SendState::Waiting, None, false).await?);
    assert!(sends.moved(mine, SendState::Failed, SendState::Waiting, None, false).await?);
    let row = sends.sent(mine).await?.unwrap_or_else(|| panic!("it is gone"));
    assert_eq!((row.state, row.attempts, row.due, row.error), (SendState::Waiting, 0, Ts(0), None));
    assert!(sends.moved(theirs, SendState::Sent, SendState::Bounced, Some("x".to_owned()), true).await?);
    assert_eq!(sends.untold(9).await?.len(), 1);
    Ok(())
}

/// What a message costs counts once for its campaign, when it is known to have been taken; a receipt settles it once, and what has none is
/// looked for.
pub async fn what_costs_something_is_counted_once_and_settled_by_its_receipt(
    homes: &dyn Homes,
) -> Result<()> {
    let store = homes.fresh(&KEY);
    let sends = store.coupons().campaigns().sends();
    let (ann, bob) = (left(&store, "ann").await?, left(&store, "bob").await?);
    let spent = async || -> Result<[i64; 3]> {
        let pools = ["taken", "parts", "cost"].map(|what| spent_of("back", "email", what));
        let known = store.coupons().pools(pools.to_vec()).await?;
        Ok(pools.map(|pool| known.get(&pool).copied().unwrap_or(0)))
    };
    let receipt = |id: NoteId, arrived: bool, parts: Option<i64>, is_billed: bool| Receipt {
        id,
        arrived: if arrived { Ok(()) } else { Err("bounced x".to_owned()) },
        at: Ts(700),
        parts,
        is_billed,
    };
    for row in sends.claim("email", Ts(100), Ts(200), 9).await? {
        assert!(sends.handing(row.id, row.attempts, Ts(400), Some((2, 900))).await?);
        assert_eq!(sends.receipt(receipt(row.id, true, None, true)).await?, Received::Early);
        let state = if row.member == ann.member() { SendState::Sent } else { SendState::Unknown };
        let noted = Came { receipt: Some(format!("r{}", row.member)), due: Ts(100), ..came(&row, state) };
        assert!(sends.note(noted).await?);
    }
    assert_eq!(spent().await?, [1, 2, 900], "what may have been taken does not count yet");
    let (of_ann, of_bob) = (note(&ann, "email").id, note(&bob, "email").id);
    let found = sends.received("email", &format!("r{}", ann.member())).await?;
    assert_eq!(found.map(|row| (row.id, row.parts, row.cost)), Some((of_ann, Some(2), Some(900))));
    assert_eq!(sends.received("sms", &format!("r{}", ann.member())).await?, None);
    let unheard = async |now: i64, since: i64| -> Result<BTreeSet<NoteId>> {
        Ok(sends.unheard("email", Ts(now), Ts(since), 9).await?.into_iter().map(|row| row.id).collect())
    };
    let (soon, later) = (99 + HEARD_AFTER_US, 100 + HEARD_AFTER_US);
    assert_eq!(unheard(soon, 0).await?, BTreeSet::new());
    assert_eq!(unheard(later, 100).await?, BTreeSet::new(), "those of long ago are given up");
    assert_eq!(unheard(later, 0).await?, BTreeSet::from([of_ann, of_bob]));
    assert_eq!(unheard(later + 1, 0).await?, BTreeSet::new(), "each after as long as it waits already");
    // One more part than was thought; said again it is known.
    assert_eq!(sends.receipt(receipt(of_ann, true, Some(3), true)).await?, Received::Noted);
    assert_eq!(sends.receipt(receipt(of_ann, true, Some(3), true)).await?, Received::Known);
    assert_eq!(spent().await?, [1, 3, 1_350]);
    // What may have been taken was; it did not arrive, and is not billed.
    assert_eq!(sends.receipt(receipt(of_bob, false, None, false)).await?, Received::Noted);
    assert_eq!(sends.receipt(receipt(of_bob, true, None, true)).await?, Received::Known);
    assert_eq!(spent().await?, [2, 5, 1_350]);
    let row = |id| async move {
        let row = sends.sent(id).await?.unwrap_or_else(|| panic!("it is gone"));
        Ok::<_, StoreError>((row.state, row.parts, row.cost, row.arrived_at))
    };
    assert_eq!(row(of_ann).await?, (SendState::Sent, Some(3), Some(1_350), Some(Ts(700))));
    assert_eq!(row(of_bob).await?, (SendState::Bounced, Some(2), Some(0), None));
    assert_eq!(sends.untold(9).await?.into_iter().map(|row| row.id).collect::<Vec<_>>(), [of_bob]);
    assert_eq!(unheard(9 * HEARD_AFTER_US, 0).await?, BTreeSet::new());
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let new = homes.fresh(&IdKey::from_bytes([9; 32]));
    let (said, taken) = tokio::join!(store.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    let there = new.coupons().campaigns().sends().sent(of_ann).await?;
    assert_eq!(there.map(|row| (row.parts, row.arrived_at)), Some((Some(3), Some(Ts(700)))));
    well(&store).await
}

/// A pace is moved on by who read it last.
pub async fn a_pace_is_moved_on_by_who_read_it_last(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let sends = store.coupons().campaigns().sends();
    assert_eq!(sends.pace("email").await?, Ts::MIN);
    assert!(sends.set_pace("email", Ts::MIN, Ts(5)).await?);
    assert!(!sends.set_pace("email", Ts::MIN, Ts(6)).await?);
    assert!(!sends.set_pace("email", Ts(4), Ts(6)).await?);
    assert!(sends.set_pace("email", Ts(5), Ts(6)).await?);
    assert_eq!((sends.pace("email").await?, sends.pace("sms").await?), (Ts(6), Ts::MIN));
    Ok(())
}

/// It moves with the home; of what was not settled nobody knows there whether it was handed over meanwhile. The digest is the same.
pub async fn what_leaves_moves_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let (ann, bob) = (left(&old, "ann").await?, left(&old, "bob").await?);
    let sends = old.coupons().campaigns().sends();
    let rows = sends.claim("email", Ts(100), Ts(200), 9).await?;
    let of_bob = rows.iter().find(|row| row.member == bob.member()).unwrap_or_else(|| panic!("{rows:?}"));
    sends.note(came(of_bob, SendState::Sent)).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    let there = new.coupons().campaigns().sends();
    assert_eq!(state(there, note(&bob, "email").id).await?, Some(SendState::Sent));
    assert_eq!(state(there, note(&ann, "email").id).await?, Some(SendState::Unknown));
    assert_eq!(there.claim("email", Ts(1_000), Ts(1_100), 9).await?, []);
    let before = old.digest().await?;
    sends.moved(of_bob.id, SendState::Sent, SendState::Bounced, None, true).await?;
    assert_ne!(old.digest().await?, before, "what came of it is in the digest");
    well(&new).await
}

/// What waits for who is erased is sent to nobody; what was said to who ends is sent to who they are.
pub async fn what_leaves_follows_whoever_they_are(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (left(&store, "ann").await?, left(&store, "bob").await?);
    let member = Member::new(ann.member(), at(1));
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }],
        joined: vec![Joined { winner: ann.member(), loser: bob.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    let sends = store.coupons().campaigns().sends();
    let rows = sends.claim("email", Ts(100), Ts(200), 9).await?;
    assert!(rows.len() == 2 && rows.iter().all(|row| row.member == ann.member()), "{rows:?}");
    let Some(personal) = store.personal() else { return Ok(()) };
    for row in &rows {
        sends.note(came(row, SendState::Waiting)).await?;
    }
    personal.erase(ann.member()).await?;
    for row in &rows {
        assert_eq!(state(sends, row.id).await?, Some(SendState::Dropped));
    }
    assert_eq!(sends.untold(9).await?, []);
    assert_eq!(sends.claim("email", Ts(9_000), Ts(9_100), 9).await?, []);
    Ok(())
}

/// What was said lets go of its text, and later of its row, part by part and by age; what is on its way stays whole.
pub async fn what_was_said_is_let_go_unless_it_is_on_its_way(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (campaigns, sends) = (store.coupons().campaigns(), store.coupons().campaigns().sends());
    let (ann, bob) = (left(&store, "ann").await?, left(&store, "bob").await?);
    for row in sends.claim("email", Ts(100), Ts(200), 9).await? {
        if row.member == ann.member() {
            assert!(sends.handing(row.id, row.attempts, Ts(400), None).await?);
            assert!(sends.note(Came { tell: true, ..came(&row, SendState::Failed) }).await?);
        }
    }
    let (of_ann, of_bob) = (note(&ann, "email").id, note(&bob, "email").id);
    let whole = async |id: NoteId| -> Result<bool> {
        Ok(campaigns.note(id).await?.is_some_and(|found| !seal::is_erased(&found.body)))
    };
    let gone = |texts, rows| NotesGone { texts, rows };
    assert_eq!(campaigns.let_go_of_notes(at(1), at(1), 9).await?, gone(0, 0), "they are not old enough");
    // What failed is yet to be told of, in its words.
    for n in [1, 1, 0] {
        assert_eq!(campaigns.let_go_of_notes(at(2), Ts::MIN, 1).await?, gone(n, 0), "one at a time");
    }
    assert!(whole(of_ann).await? && whole(of_bob).await?);
    sends.told(vec![of_ann]).await?;
    assert_eq!(campaigns.let_go_of_notes(at(2), at(1), 9).await?, gone(1, 0));
    assert!(!whole(of_ann).await? && whole(of_bob).await?);
    assert_eq!(state(sends, of_ann).await?, Some(SendState::Failed), "where it stands is kept");
    well(&store).await?;
    for n in [2, 1, 0] {
        assert_eq!(campaigns.let_go_of_notes(at(2), at(2), 2).await?, gone(0, n), "two at a time");
    }
    assert_eq!((campaigns.note(of_ann).await?, sends.sent(of_ann).await?), (None, None));
    assert!(whole(of_bob).await?, "it waits, however old it is");
    assert_eq!(state(sends, of_bob).await?, Some(SendState::Waiting));
    well(&store).await
}
