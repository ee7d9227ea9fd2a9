//! What happened in campaigns is written once; what was said to members is said once, follows whoever they are, and moves with the home.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::{IdKey, NoteId, RunId};
use zhiyin_model::member::Member;
use zhiyin_model::run::{Note, NoteState, Past, Run, RunMove, RunMoveKind, Runs};
use zhiyin_model::time::Ts;

use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::{NoteSet, RunFlush};
use crate::flush::{Flush, Joined};
use crate::{Result, Store, StoreError, StoredMember, Wanted, seal};

fn life(name: &str) -> Life {
    Life { key: KEY, name: name.to_owned() }
}

fn note(life: &Life) -> Note {
    Note {
        id: KEY.derive("note", &[life.name.as_bytes()]),
        member: life.member(),
        channel: "inbox".to_owned(),
        campaign: "back".to_owned(),
        message: "hi".to_owned(),
        at: at(1),
        state: NoteState::Open,
        cause: life.event(1),
    }
}

fn moved(life: &Life, kind: RunMoveKind, n: u8) -> RunMove {
    RunMove {
        member: life.member(),
        campaign: "back".to_owned(),
        run: run_id(life),
        kind,
        place: "1".to_owned(),
        why: "consent: given".to_owned(),
        at: at(n),
        event: life.event(n),
    }
}

fn run_id(life: &Life) -> RunId {
    KEY.derive("run", &[life.name.as_bytes()])
}

fn runs(lives: &[&Life]) -> Runs {
    let open = lives.iter().map(|life| Run {
        id: run_id(life),
        campaign: "back".to_owned(),
        key: life.name.clone(),
        since: at(1),
        place: "1".to_owned(),
        waits: Some(at(1)),
        due: Ts::FOREVER,
        held: false,
    });
    let past = Past { begun: 1, last: at(1), bucket: 7, mixed: false, keys: Vec::new() };
    Runs { open: open.collect(), past: [("back".to_owned(), past)].into(), ..Runs::default() }
}

fn stored(life: &Life, runs: Runs) -> StoredMember {
    let mut member = Member::new(life.member(), at(1));
    member.runs = runs;
    StoredMember { member, leaves: Vec::new(), fingerprint: String::new(), wake: None }
}

/// Decides the next row that waits as a member's n-th event.
async fn decide(store: &Arc<dyn Store>, life: &Life, n: u8, runs: (Runs, RunFlush)) -> Result<()> {
    let turn = turn(store).await?;
    let rows = store.waiting(&turn, 10).await?;
    let row = rows.first().ok_or_else(|| StoreError::Damaged("nothing waits".to_owned()))?;
    let part = life.part(n, row.seq);
    let flush = Flush {
        turn,
        cursor: part.cursor,
        version: 1,
        decided: part.decided,
        identifiers: part.identifiers,
        members: vec![stored(life, runs.0)],
        runs: runs.1,
        ..Flush::default()
    };
    store.flush(flush).await
}

/// A member in a campaign, who was told something.
async fn began(store: &Arc<dyn Store>, name: &str, body: &str) -> Result<Life> {
    let life = life(name);
    store.append(super::life::append(vec![life.item(1)], at(1), false)).await?;
    let said = RunFlush {
        moves: vec![moved(&life, RunMoveKind::Began, 1), moved(&life, RunMoveKind::Sent, 1)],
        notes: vec![NoteSet { note: note(&life), body: seal::seal(body), others: Vec::new() }],
        ..RunFlush::default()
    };
    decide(store, &life, 1, (runs(&[&life]), said)).await?;
    Ok(life)
}

async fn well(store: &Arc<dyn Store>) -> Result<()> {
    let broken: Vec<_> = store.doctor().await?.into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert_eq!(broken, []);
    Ok(())
}

/// What was said is found by its id, its member and its channel; said again it stays as it is, and its state goes one way.
pub async fn what_is_said_is_said_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let campaigns = store.coupons().campaigns();
    assert_eq!(campaigns.note(NoteId::from_bytes([1; 16])).await?, None);
    let ann = began(&store, "ann", "hello").await?;
    let found = campaigns.note(note(&ann).id).await?;
    assert_eq!(found.as_ref().map(|found| &found.note), Some(&note(&ann)));
    assert_eq!(found.map(|found| seal::open(&found.body)).transpose()?.as_deref(), Some("hello"));
    assert_eq!(campaigns.open_notes("inbox", None, 9).await?.len(), 1);
    assert_eq!(campaigns.open_notes("inbox", Some((at(1), note(&ann).id)), 9).await?, []);
    assert_eq!(campaigns.open_notes("inbox", Some((at(1).plus_us(-1), note(&ann).id)), 9).await?.len(), 1);
    assert_eq!(campaigns.open_notes("till", None, 9).await?, []);
    store.append(super::life::append(vec![ann.item(2)], at(2), false)).await?;
    let said = RunFlush {
        notes: vec![NoteSet { note: note(&ann), body: seal::seal("something else"), others: Vec::new() }],
        // It is no task, so nobody has done it.
        changed: [NoteState::Done, NoteState::Seen].map(|state| (note(&ann).id, ann.member(), state)).into(),
        ..RunFlush::default()
    };
    decide(&store, &ann, 2, (runs(&[&ann]), said)).await?;
    let [found] = campaigns
        .notes_of(ann.member(), Some("inbox"), 9)
        .await?
        .try_into()
        .unwrap_or_else(|all| panic!("{all:?}"));
    assert_eq!((found.note.state, seal::open(&found.body)?.as_str()), (NoteState::Seen, "hello"));
    assert_eq!(campaigns.open_notes("inbox", None, 9).await?, []);
    assert_eq!(campaigns.notes_of(ann.member(), Some("till"), 9).await?, []);
    let kinds: Vec<&str> =
        campaigns.run_moves(ann.member(), Some("back"), 9).await?.iter().map(|one| one.kind.name()).collect();
    assert_eq!(kinds, ["sent", "began"]);
    assert_eq!(campaigns.run_moves(ann.member(), Some("other"), 9).await?, []);
    let loaded = store.load(Wanted { members: vec![ann.member()], ..Wanted::default() }).await?;
    assert_eq!(loaded.members[0].member.runs, runs(&[&ann]));
    for taken in [1, 2, 0] {
        campaigns.set_pool("campaign/back/halt", taken, 2).await?;
    }
    assert_eq!(store.coupons().pools(vec!["campaign/back/halt".to_owned()]).await?["campaign/back/halt"], 2);
    well(&store).await
}

/// What was said to who ends was said to who they are; what happened to them is theirs too.
pub async fn runs_follow_whoever_they_are(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let (ann, bob) = (began(&store, "ann", "hers").await?, began(&store, "bob", "his").await?);
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(&ann, runs(&[&ann, &bob]))],
        joined: vec![Joined { winner: ann.member(), loser: bob.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    assert_eq!(store.coupons().campaigns().notes_of(ann.member(), None, 9).await?.len(), 2);
    assert_eq!(store.coupons().campaigns().notes_of(bob.member(), None, 9).await?, []);
    // What happened to him stays where it was written: whoever reads it asks for who he was.
    assert_eq!(store.coupons().campaigns().run_moves(ann.member(), None, 9).await?.len(), 2);
    assert_eq!(store.coupons().campaigns().run_moves(bob.member(), None, 9).await?.len(), 2);
    Ok(())
}

/// A home takes its runs, what happened in them and what was said with it; the digest tells each, and nothing that comes from keys.
pub async fn campaigns_move_with_the_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let ann = began(&old, "ann", "hello").await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    assert_eq!(new.digest().await?, said?);
    assert_eq!(
        new.coupons().campaigns().note(note(&ann).id).await?,
        old.coupons().campaigns().note(note(&ann).id).await?
    );
    assert_eq!(new.coupons().campaigns().run_moves(ann.member(), None, 9).await?.len(), 2);
    let mut digests = BTreeSet::from([new.digest().await?]);
    for body in ["another", "hello"] {
        let other = homes.fresh(&KEY);
        began(&other, "ann", body).await?;
        digests.insert(other.digest().await?);
    }
    assert_eq!(digests.len(), 2, "what was said is in the digest");
    well(&new).await
}

/// Of whoever is erased nobody learns what was said to them, and they are in no run.
pub async fn whoever_is_erased_was_told_nothing(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let Some(personal) = store.personal() else { return Ok(()) };
    let (ann, bob) = (began(&store, "ann", "hers").await?, began(&store, "bob", "his").await?);
    personal.erase(ann.member()).await?;
    let Some(found) = store.coupons().campaigns().note(note(&ann).id).await? else { panic!("it is gone") };
    assert!(seal::is_erased(&found.body));
    assert_eq!(store.coupons().campaigns().open_notes("inbox", None, 9).await?.len(), 1, "bob's");
    let loaded = store.load(Wanted { members: vec![ann.member()], ..Wanted::default() }).await?;
    assert!(loaded.members[0].member.runs.is_empty());
    let Some(found) = store.coupons().campaigns().note(note(&bob).id).await? else { panic!("it is gone") };
    assert_eq!(seal::open(&found.body)?, "his");
    Ok(())
}
