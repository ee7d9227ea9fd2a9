//! What was acknowledged is on disk, and the journal is written once.

use std::sync::Arc;

use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::access::noted;
use zhiyin_store::conformance::life::{Life, append, at, lived, turn};
use zhiyin_store::flush::Flush;
use zhiyin_store::{Receipt, StoreError};

use crate::folder::{Folder, raw};

/// The file and its log as they are at this moment: what a machine that loses its power would find.
fn copied(folder: &Folder) -> Folder {
    let copy = Folder::new();
    for suffix in ["", "-wal"] {
        let name = |folder: &Folder| format!("{}{suffix}", folder.home().display());
        std::fs::copy(name(folder), name(&copy)).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let (folder, life) = (Folder::new(), Life::of(&KEY));
    let store = folder.open();
    store.append(life.append()).await.unwrap();
    // The store is neither dropped nor does it fold its log: the copy is what a crash leaves.
    let after_append = copied(&folder);
    let found = after_append.open();
    let theirs = turn(&found).await.unwrap();
    assert_eq!(found.waiting(&theirs, 10).await.unwrap().len(), 6);
    let turn = turn(&store).await.unwrap();
    let seq = store.waiting(&turn, 1).await.unwrap()[0].seq;
    store.flush(Flush { turn, ..life.part(1, seq) }).await.unwrap();
    let copy = copied(&folder);
    let after_flush = copy.open();
    assert_eq!(after_flush.digest().await.unwrap(), store.digest().await.unwrap());
    assert_eq!(after_flush.work().await.unwrap().shares[0].batch, 1);
}

#[tokio::test]
async fn many_may_append_at_once_and_each_item_is_taken_once() {
    let folder = Folder::new();
    let store = folder.open();
    let other = folder.open();
    let tasks: Vec<_> = (0..16)
        .map(|i| {
            let store = if i % 2 == 0 { Arc::clone(&store) } else { Arc::clone(&other) };
            tokio::spawn(async move {
                let life = Life { key: KEY, name: format!("m{}", i % 4) };
                store.append(append(vec![life.item(1), life.item(2)], at(2), false)).await.unwrap()
            })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await.unwrap().iter().filter(|receipt| **receipt == Receipt::Accepted).count();
    }
    assert_eq!(accepted, 8);
    assert_eq!(store.work().await.unwrap().shares[0].waiting, 8);
}

#[tokio::test]
async fn a_job_that_fails_does_not_take_its_neighbours_along() {
    let (folder, life) = (Folder::new(), Life::of(&KEY));
    let store = folder.open();
    let stale = Flush::default();
    let (stale, appended) = tokio::join!(store.flush(stale), store.append(life.append()));
    assert!(matches!(stale, Err(StoreError::Stale)));
    assert_eq!(appended.unwrap().len(), 6);
}

#[tokio::test]
async fn what_stands_behind_a_batch_that_failed_is_refused_also_where_somebody_is_erased_between() {
    let (folder, life) = (Folder::new(), Life::of(&KEY));
    let store = folder.open();
    store.append(life.append()).await.unwrap();
    let first = turn(&store).await.unwrap();
    let seqs: Vec<i64> = store.waiting(&first, 4).await.unwrap().iter().map(|row| row.seq).collect();
    store.flush(Flush { turn: first.clone(), ..life.part(1, seqs[0]) }).await.unwrap();
    let mut behind = first.clone();
    behind.moved(Some(seqs[0]));
    // The next is never written, and one that was decided behind it is on its way.
    behind.moved(Some(seqs[1]));
    store.personal().unwrap().erase(Life { key: KEY, name: "bob".to_owned() }.member()).await.unwrap();
    let late = store.flush(Flush { turn: behind, ..life.part(3, seqs[2]) }).await;
    assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    assert_eq!(store.waiting(&turn(&store).await.unwrap(), 4).await.unwrap()[0].seq, seqs[1]);
}

#[tokio::test]
async fn the_journal_is_written_once() {
    let (folder, life) = (Folder::new(), Life::of(&KEY));
    let store = folder.open();
    lived(&store, &life, 6).await.unwrap();
    let connection = raw(&folder.home());
    for (sql, reason) in [
        ("UPDATE transfer SET amount = amount + 1", "a transfer is never changed"),
        ("DELETE FROM transfer", "a transfer is never deleted"),
        ("UPDATE allocation SET amount = 0", "an allocation is never changed"),
        ("DELETE FROM allocation WHERE no = 1", "an allocation is never deleted"),
    ] {
        let error = connection.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
}

#[tokio::test]
async fn two_processes_write_one_audit_log() {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    let (first, second) = tokio::join!(noted(&one, 20), noted(&other, 20));
    first.and(second).unwrap();
    let lines = one.access().audit(0, None, 99).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.no).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert!(one.doctor().await.unwrap().iter().all(|check| check.broken.is_empty()));
    let connection = raw(&folder.home());
    for (sql, reason) in [
        ("UPDATE audit SET who = ''", "a line of the audit log is never changed"),
        ("DELETE FROM audit WHERE no = 40", "a line of the audit log is never deleted"),
    ] {
        let error = connection.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains(reason), "{sql}: {error}");
    }
}
