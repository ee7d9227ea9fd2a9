//! Keys, approvals and the audit log: one chain whoever writes, and nothing changes without its line.

use std::collections::BTreeSet;
use std::sync::Arc;

use zhiyin_model::id::IdKey;
use zhiyin_model::role::{Operation, Role};
use zhiyin_model::time::Ts;

use super::{Homes, KEY};
use crate::access::{Answer, Approval, End, Key, KeysChange};
use crate::audit::{Checkpoint, Entry, Note, Walk};
use crate::{Result, Store};

/// A line that somebody writes.
pub fn note(who: &str, operation: &str, at: i64) -> Note {
    let text = str::to_owned;
    let (role, target, outcome, detail) = (text("owner"), text("t"), text("done"), text("{\"n\":1}"));
    Note { at: Ts(at), who: text(who), role, operation: text(operation), target, outcome, detail }
}

/// Writes so many lines.
pub async fn noted(store: &Arc<dyn Store>, n: i64) -> Result<()> {
    for i in 1..=n {
        store.access().note(note("system:ann", "playbook_apply", i)).await?;
    }
    Ok(())
}

fn walked(key: &IdKey, entries: &[Entry]) -> Checkpoint {
    let mut walk = Walk::new(key, None);
    for entry in entries {
        if let Err(broken) = walk.step(entry) {
            panic!("{broken}");
        }
    }
    walk.end().unwrap_or(Checkpoint::NONE)
}

fn key(id: &str) -> Key {
    Key {
        id: id.to_owned(),
        hash: [7; 32],
        role: Role::StoreManager,
        place: Some("s1".to_owned()),
        staff: None,
        name: "李娜的手机 📱".to_owned(),
        scopes: Some(BTreeSet::from([Operation::MemberRead, Operation::OrdersRead])),
        made_at: Ts(5),
        made_by: "system:ann".to_owned(),
        expires_at: Some(Ts(500)),
        revoked_at: None,
    }
}

fn change(ends: Option<(&str, End)>, begins: Option<Key>) -> KeysChange {
    let ends = ends.map(|(id, end)| (id.to_owned(), end));
    KeysChange { ends, begins, note: note("system:ann", "keys_manage", 9) }
}

/// Lines are numbered from 1, each chained to the one before, and found by number and by time.
pub async fn the_audit_log_is_one_chain(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let access = store.access();
    assert!(access.audit_last().await?.is_none());
    assert!(access.audit(0, None, 9).await?.is_empty());
    noted(&store, 5).await?;
    let all = access.audit(0, None, 100).await?;
    assert_eq!(all.iter().map(|entry| entry.no).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all[1].note, note("system:ann", "playbook_apply", 2));
    assert_eq!(walked(&KEY, &all).no, 5);
    assert_eq!(access.audit_last().await?.as_ref(), all.last());
    assert_eq!(access.audit(2, None, 2).await?, all[2..4]);
    assert_eq!(access.audit(0, Some(Ts(4)), 9).await?, all[3..]);
    for line in &all {
        let about = access.audit_about(&line.note.target, 100).await?;
        let mut expected: Vec<_> = all.iter().filter(|one| one.note.target == line.note.target).cloned().collect();
        expected.reverse();
        assert_eq!(about, expected, "the latest first");
        assert_eq!(access.audit_about(&line.note.target, 1).await?, expected[..1]);
    }
    assert!(access.audit_about("nobody", 9).await?.is_empty());
    assert!(store.doctor().await?.iter().all(|check| check.broken.is_empty()));
    Ok(())
}

/// Whoever writes at the same time writes one chain, without a gap.
pub async fn lines_written_at_once_are_one_chain(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for i in 0..10 {
                    let who = format!("system:{writer}");
                    if i % 2 == 0 {
                        store.access().note(note(&who, "home_manage", i)).await?;
                    } else {
                        let id = format!("{writer}-{i}");
                        assert!(store.access().change_keys(change(None, Some(key(&id)))).await?);
                    }
                }
                Ok::<_, crate::StoreError>(())
            })
        })
        .collect();
    for writer in writers {
        match writer.await {
            Ok(done) => done?,
            Err(error) => panic!("{error}"),
        }
    }
    let all = store.access().audit(0, None, 1_000).await?;
    assert_eq!((all.len(), walked(&KEY, &all).no), (80, 80));
    assert_eq!(store.access().keys().await?.len(), 40);
    Ok(())
}

/// A key is kept as it was made, ends once, and what changes has its line.
pub async fn keys_begin_and_end_with_their_line(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let access = store.access();
    assert!(access.change_keys(change(None, Some(key("a")))).await?);
    assert_eq!(access.key("a").await?, Some((key("a"), KEY)));
    assert_eq!(access.key("b").await?, None);
    // The same id again is refused, and leaves no line.
    assert!(access.change_keys(change(None, Some(key("a")))).await.is_err());
    assert_eq!(access.audit(0, None, 9).await?.len(), 1);
    // One takes over from another. What ends at an instant never ends later for being told again.
    let plain =
        Key { id: "b".to_owned(), place: None, scopes: None, expires_at: None, made_at: Ts(6), ..key("b") };
    assert!(access.change_keys(change(Some(("a", End::Expires(Ts(90)))), Some(plain.clone()))).await?);
    assert!(access.change_keys(change(Some(("a", End::Expires(Ts(95)))), None)).await?);
    let ending = Key { expires_at: Some(Ts(90)), ..key("a") };
    assert_eq!(access.keys().await?, [ending.clone(), plain.clone()]);
    assert!(access.change_keys(change(Some(("a", End::Revoked(Ts(70)))), None)).await?);
    let revoked = Key { revoked_at: Some(Ts(70)), ..ending };
    assert_eq!(access.key("a").await?.map(|(key, _)| key), Some(revoked.clone()));
    assert_eq!(access.audit(0, None, 9).await?.len(), 4);
    // What was revoked, or never was, does not end again, and nothing begins in its place.
    for ends in [("a", End::Revoked(Ts(71))), ("a", End::Expires(Ts(71))), ("x", End::Revoked(Ts(71)))] {
        assert!(!access.change_keys(change(Some(ends), Some(key("c")))).await?, "{ends:?}");
    }
    assert_eq!(access.keys().await?, [revoked, plain]);
    let all = access.audit(0, None, 9).await?;
    assert_eq!((all.len(), walked(&KEY, &all).no), (4, 4));
    Ok(())
}

fn asked(by: &str) -> Approval {
    let (operation, request) = (Operation::PointsAdjust, "{\"points\":5000}".to_owned());
    let (asked_at, answer_by) = (Ts(10), Ts(20));
    Approval { no: 0, operation, request, asked_by: by.to_owned(), asked_at, answer_by, answer: None }
}

fn answer(approved: bool, by: &str, at: i64) -> Answer {
    Answer { approved, by: by.to_owned(), at: Ts(at) }
}

/// A request is answered once, in time, by somebody else.
pub async fn approvals_take_a_second_person(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let access = store.access();
    for no in 1..=3 {
        assert_eq!(
            access.ask_approval(asked("staff:ann"), note("staff:ann", "points_adjust", 10)).await?,
            no
        );
    }
    assert_eq!(access.audit_last().await?.map(|entry| entry.note.target), Some("3".to_owned()));
    let said = || note("staff:bob", "points_adjust", 11);
    // (which, how, whether it counts)
    for (no, answer, counts) in [
        (1, answer(true, "staff:ann", 11), false),
        (1, answer(true, "staff:bob", 20), false),
        (1, answer(true, "staff:bob", 19), true),
        (1, answer(false, "staff:cid", 19), false),
        (2, answer(false, "staff:bob", 11), true),
        (2, answer(true, "staff:bob", 12), false),
        (9, answer(true, "staff:bob", 11), false),
    ] {
        assert_eq!(access.answer_approval(no, answer.clone(), said()).await?, counts, "{no} {answer:?}");
    }
    let with = |no, answer| Approval { no, answer, ..asked("staff:ann") };
    assert_eq!(access.approval(1).await?, Some(with(1, Some(answer(true, "staff:bob", 19)))));
    let second = with(2, Some(answer(false, "staff:bob", 11)));
    assert_eq!(access.approvals(2).await?, [with(3, None), second]);
    assert_eq!(access.approval(9).await?, None);
    assert_eq!(access.audit(0, None, 99).await?.len(), 5, "an answer that does not count has no line");
    Ok(())
}

/// Two who answer at the same time: one of them counts.
pub async fn an_approval_is_answered_once(homes: &dyn Homes) -> Result<()> {
    let store = homes.fresh(&KEY);
    let no = store.access().ask_approval(asked("staff:ann"), note("staff:ann", "points_adjust", 10)).await?;
    let answers = (0..6).map(|n| {
        let store = Arc::clone(&store);
        let said = answer(n % 2 == 0, &format!("staff:{n}"), 11);
        tokio::spawn(async move { store.access().answer_approval(no, said, note("x", "y", 11)).await })
    });
    let mut counted = 0;
    for answered in answers.collect::<Vec<_>>() {
        counted += usize::from(answered.await.is_ok_and(|answered| answered.is_ok_and(|counts| counts)));
    }
    assert_eq!(counted, 1);
    Ok(())
}

/// Keys, approvals and the log move with a home; the chain holds there and goes on, and the digest does not know of them.
pub async fn access_moves_with_a_home(homes: &dyn Homes) -> Result<()> {
    let (old, new) = (homes.fresh(&KEY), homes.fresh(&IdKey::from_bytes([9; 32])));
    let before = old.digest().await?;
    noted(&old, 3).await?;
    old.access().change_keys(change(None, Some(key("a")))).await?;
    old.access().ask_approval(asked("staff:ann"), note("staff:ann", "points_adjust", 10)).await?;
    old.access().ask_approval(asked("staff:ann"), note("staff:ann", "points_adjust", 10)).await?;
    old.access()
        .answer_approval(2, answer(true, "staff:bob", 11), note("staff:bob", "points_adjust", 11))
        .await?;
    assert_eq!(old.digest().await?, before);
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (said, taken) = tokio::join!(old.dump(out), new.fill(rows));
    taken?;
    said?;
    let (theirs, ours) = (old.access(), new.access());
    assert_eq!(ours.keys().await?, theirs.keys().await?);
    assert_eq!(ours.key("a").await?, Some((key("a"), KEY)));
    assert_eq!(ours.approvals(9).await?, theirs.approvals(9).await?);
    assert_eq!(ours.audit(0, None, 99).await?, theirs.audit(0, None, 99).await?);
    assert_eq!(ours.ask_approval(asked("staff:cid"), note("staff:cid", "points_adjust", 12)).await?, 3);
    let all = ours.audit(0, None, 99).await?;
    assert_eq!((all.len(), walked(&KEY, &all).no), (8, 8));
    assert!(new.doctor().await?.iter().all(|check| check.broken.is_empty()));
    // A home in which somebody did something is not filled.
    let used = homes.fresh(&KEY);
    noted(&used, 1).await?;
    let (out, rows) = tokio::sync::mpsc::channel(2);
    let (_, taken) = tokio::join!(old.dump(out), used.fill(rows));
    assert!(taken.is_err());
    Ok(())
}
