//! What happened in campaigns is written once; what was said to members is said once, follows whoever they are, and moves with the home.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::{IdKey, MemberId, NoteId, RunId};
use zhiyin_model::member::Member;
use zhiyin_model::run::{Hours, Note, NoteState, Over, Past, Run, RunMove, RunMoveKind, Runs};
use zhiyin_model::time::Ts;

use super::inbox::named;
use super::life::{Life, at, turn};
use super::{Homes, KEY};
use crate::campaigns::{NoteSet, RunFlush};
use crate::flush::{Flush, Joined};
use crate::{NewEvent, Result, Store, StoreError, StoredMember, Ties, Wanted, seal};

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
        hour: None,
    });
    let past = Past { begun: 1, last: at(1), bucket: 7, mixed: false, ..Past::default() };
    let over = lives.iter().map(|life| Over {
        id: run_id(life),
        campaign: "before".to_owned(),
        since: at(1),
        until: at(2),
    });
    let mut hours = Hours::default();
    lives.iter().for_each(|_| hours.sent(10));
    hours.seen(10);
    let (open, over) = (open.collect(), over.collect());
    Runs { open, past: [("back".to_owned(), past)].into(), over, hours, ..Runs::default() }
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

/// Who somebody is now, and what happened to whom they were.
type Whom = (MemberId, Vec<(MemberId, RunMoveKind)>);

/// Who began a campaign, part by part, until there are no more.
async fn assigned(store: &Arc<dyn Store>, limit: usize) -> Result<Vec<Whom>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = store.coupons().campaigns().assigned("back", after, limit).await?;
        for one in part.assigned {
            assert!(one.given.is_empty(), "{one:?}");
            all.push((one.member, one.moves.into_iter().map(|moved| (moved.member, moved.kind)).collect()));
        }
        match part.last {
            Some(last) => after = Some(last),
            None => return Ok(all),
        }
    }
}

/// Everybody who began a campaign is read once, however the parts fall, with what happened to them under whichever id.
pub async fn who_began_a_campaign_is_read_part_by_part(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    assert_eq!(assigned(&store, 2).await?, []);
    let mut lives = Vec::new();
    for name in ["ann", "bob", "eve", "joe", "kim"] {
        lives.push(began(&store, name, "hello").await?);
    }
    let own = |life: &Life| {
        let moves = [RunMoveKind::Began, RunMoveKind::Sent].map(|kind| (life.member(), kind));
        (life.member(), Vec::from(moves))
    };
    let mut expected: Vec<_> = lives.iter().map(own).collect();
    expected.sort();
    for limit in [1, 2, 5, 100] {
        assert_eq!(assigned(&store, limit).await?, expected, "{limit}");
    }
    assert_eq!(store.coupons().campaigns().assigned("other", None, 9).await?, Default::default());
    // Two of them are one person: they come once, with all of it.
    let (one, two) = (&lives[0], &lives[1]);
    let known_as = |item: NewEvent, of: &[&Life]| NewEvent {
        names: of.iter().map(|life| named(&KEY, "user", &life.name)).collect(),
        ..item
    };
    let both = NewEvent { ties: Ties::Insist, ..known_as(one.item(3), &[one, two]) };
    let items = vec![known_as(one.item(2), &[one]), known_as(two.item(2), &[two]), both];
    store.append(super::life::append(items, at(3), false)).await?;
    let waiting = store.waiting(&turn(&store).await?, 9).await?;
    let stays = waiting.iter().find_map(|row| row.reaches);
    let (winner, loser) = if stays == Some(one.member()) { (one, two) } else { (two, one) };
    assert_eq!(stays, Some(winner.member()));
    let flush = Flush {
        turn: turn(&store).await?,
        version: 1,
        members: vec![stored(winner, runs(&[winner, loser]))],
        joined: vec![Joined { winner: winner.member(), loser: loser.member() }],
        ..Flush::default()
    };
    store.flush(flush).await?;
    for limit in [1, 2, 5, 100] {
        let mut found = assigned(&store, limit).await?;
        found.sort();
        let members: Vec<MemberId> = found.iter().map(|(member, _)| *member).collect();
        let mut expected: Vec<MemberId> = lives.iter().map(Life::member).collect();
        expected.retain(|member| *member != loser.member());
        expected.sort();
        assert_eq!(members, expected, "{limit}");
        let both = found.iter().find(|(member, _)| *member == winner.member());
        assert_eq!(both.map(|(_, moves)| moves.len()), Some(4), "{limit}");
    }
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
