//! Several processes at one home: each store here stands for one.

use std::sync::Arc;
use std::time::Duration;

use zhiyin_store::closing::Close;
use zhiyin_store::conformance::KEY;
use zhiyin_store::conformance::access::noted;
use zhiyin_store::conformance::closing::first_month;
use zhiyin_store::conformance::life::{Life, append, at, lived, turn};
use zhiyin_store::feed::Position;
use zhiyin_store::flush::Flush;
use zhiyin_store::turn::{Turn, slot_of};
use zhiyin_store::{Append, NewEvent, Progress, Receipt, Store, StoreError, Wanted};
use zhiyin_store_pg::PgStore;

use crate::homes::{Homes, name, raw};

const LONG: Duration = Duration::from_secs(60);

fn slots(turn: &Turn) -> Vec<i32> {
    turn.slots().collect()
}

/// An item of somebody of their own.
fn item(n: usize) -> NewEvent {
    Life { key: KEY, name: format!("somebody{n}") }.item(1)
}

async fn two(homes: &Homes) -> (String, Arc<PgStore>, PgStore) {
    let (url, one) = homes.open();
    let other = PgStore::open(&url, &KEY).await.unwrap();
    (url, one, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_many_send_at_once_is_taken_once() {
    let homes = Homes::new(4);
    let (_, one, other) = two(&homes).await;
    let stores: [Arc<dyn Store>; 2] = [one, Arc::new(other)];
    let mut tasks = Vec::new();
    for sender in 0..16 {
        let store = Arc::clone(&stores[sender % 2]);
        tasks.push(tokio::spawn(async move {
            let mut accepted = 0;
            for part in 0..5 {
                // Everybody sends the same, from another place on.
                let items = (0..20).map(|n| item((n + part * 20 + sender * 7) % 100)).collect();
                let receipts = store.append(append(items, at(2), false)).await.unwrap();
                assert!(receipts.iter().all(|receipt| *receipt != Receipt::Reused));
                accepted += receipts.iter().filter(|receipt| **receipt == Receipt::Accepted).count();
            }
            accepted
        }));
    }
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await.unwrap();
    }
    assert_eq!(accepted, 100);
    let waiting = stores[0].waiting(&turn(&stores[0]).await.unwrap(), 1_000).await.unwrap();
    assert_eq!(waiting.len(), 100);
    assert!(waiting.is_sorted_by(|a, b| a.seq < b.seq));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_append_that_is_refused_does_not_touch_those_beside_it() {
    let homes = Homes::new(1);
    let (url, store) = homes.open();
    store.append(append(vec![item(0)], at(1), false)).await.unwrap();
    // While somebody else holds the home, appends gather and are taken together.
    let mut client = raw().await;
    let tx = client.transaction().await.unwrap();
    let held = format!("SELECT FROM {}.home FOR UPDATE", name(&url));
    tx.execute(&held, &[]).await.unwrap();
    let send = |append: Append| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.append(append).await })
    };
    let first = send(append(vec![item(1)], at(2), false));
    let waiting = raw().await;
    let who_waits = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}.%'",
        name(&url)
    );
    asked(async || (waiting.query_one(&who_waits, &[]).await.unwrap().get::<_, i64>(0) > 0).then_some(()))
        .await;
    let good = send(append(vec![item(2), item(1)], at(2), false));
    let refused = send(Append { user_namespace: "phone".to_owned(), ..append(vec![item(3)], at(2), false) });
    let progress = Some(Progress { name: "year\0".to_owned(), position: 1, done: false });
    let broken = send(Append { progress, ..append(vec![item(4)], at(2), false) });
    let last = send(append(vec![item(5)], at(2), false));
    tokio::task::yield_now().await;
    tx.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap(), [Receipt::Accepted]);
    assert_eq!(good.await.unwrap().unwrap(), [Receipt::Accepted, Receipt::Duplicate]);
    assert!(matches!(refused.await.unwrap(), Err(StoreError::SourceNamespace { .. })));
    assert!(matches!(broken.await.unwrap(), Err(StoreError::Database(_))));
    assert_eq!(last.await.unwrap().unwrap(), [Receipt::Accepted]);
    let store: Arc<dyn Store> = store;
    let waiting = store.waiting(&turn(&store).await.unwrap(), 10).await.unwrap();
    assert_eq!(waiting.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_skips_nobody_who_commits_late() {
    let homes = Homes::new(1);
    let (url, store) = homes.open();
    let home = name(&url);
    let began = store.feed_position("follower").await.unwrap();
    let mut client = raw().await;
    let late = client.transaction().await.unwrap();
    let entry = format!("INSERT INTO {home}.feed (members, events) VALUES ('', '')");
    late.execute(&entry, &[]).await.unwrap();
    let store: Arc<dyn Store> = store;
    lived(&store, &Life::of(&KEY), 6).await.unwrap();
    assert_eq!(store.feed(began, 10).await.unwrap(), [], "somebody who began before has not ended");
    let newcomer = store.feed_position("newcomer").await.unwrap();
    late.commit().await.unwrap();
    let entries = soon(&store, began, 2).await;
    assert!(entries[0].members.is_empty() && !entries[1].members.is_empty());
    assert!(entries[0].position < entries[1].position);
    assert_eq!(store.feed(entries[0].position, 10).await.unwrap(), entries[1..]);
    assert_eq!(soon(&store, newcomer, 2).await.len(), 2, "it may have ended before they came, or after");
    // What one is done with stays for the other.
    store.feed_done("follower", entries[1].position).await.unwrap();
    assert_eq!(store.feed_position("follower").await.unwrap(), entries[1].position);
    assert_eq!(store.feed(began, 10).await.unwrap().len(), 2);
    assert_eq!(store.work().await.unwrap().feed, [("follower".to_owned(), 0), ("newcomer".to_owned(), 2)]);
    store.feed_done("newcomer", entries[0].position).await.unwrap();
    store.feed_done("newcomer", Position::default()).await.unwrap();
    assert_eq!(store.feed(began, 10).await.unwrap(), entries[1..]);
    store.feed_done("newcomer", entries[1].position).await.unwrap();
    assert_eq!(store.feed(began, 10).await.unwrap(), []);
}

/// Whoever follows first begins with what happens from then on, however long a transaction of somebody else has been running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_first_hears_nothing_of_before() {
    let homes = Homes::new(1);
    let (_, store) = homes.open();
    let store: Arc<dyn Store> = store;
    let mut client = raw().await;
    let late = client.transaction().await.unwrap();
    late.execute("SELECT pg_current_xact_id()", &[]).await.unwrap();
    lived(&store, &Life::of(&KEY), 6).await.unwrap();
    store.feed_position("follower").await.unwrap();
    assert_eq!(store.work().await.unwrap().feed, [("follower".to_owned(), 0)]);
    late.commit().await.unwrap();
}

/// Asks again and again until it is so; each asking takes its time at the server.
async fn asked<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..200_000 {
        if let Some(answer) = ask().await {
            return answer;
        }
    }
    panic!("it did not come to be so");
}

/// Entries of the feed, once so many show: on a server that others use their transactions are waited for.
async fn soon(store: &Arc<dyn Store>, after: Position, n: usize) -> Vec<zhiyin_store::feed::Entry> {
    asked(async || Some(store.feed(after, 10).await.unwrap()).filter(|entries| entries.len() >= n)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_follows_is_forgotten() {
    let homes = Homes::new(1);
    let (url, store) = homes.open();
    let store: Arc<dyn Store> = store;
    lived(&store, &Life::of(&KEY), 1).await.unwrap();
    soon(&store, Position::default(), 6).await;
    let client = raw().await;
    let left = format!("SELECT COUNT(*) FROM {}.feed", name(&url));
    asked(async || {
        for _ in 0..64 {
            turn(&store).await.unwrap();
        }
        (client.query_one(&left, &[]).await.unwrap().get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_fairly_and_find_their_turn_stale() {
    let homes = Homes::new(4);
    let (_, one, other) = two(&homes).await;
    one.append(Life::of(&KEY).append()).await.unwrap();
    let all = one.lease("one", LONG).await.unwrap();
    assert_eq!(slots(&all), (0..16).collect::<Vec<_>>());
    // Nothing is taken from who lives: it is given up when they come by.
    assert!(other.lease("other", LONG).await.unwrap().is_empty());
    let half = one.lease("one", LONG).await.unwrap();
    assert_eq!(slots(&half), (0..8).collect::<Vec<_>>());
    let theirs = other.lease("other", LONG).await.unwrap();
    assert_eq!(slots(&theirs), (8..16).collect::<Vec<_>>());
    assert!(matches!(one.flush(Flush { turn: all, ..Flush::default() }).await, Err(StoreError::Stale)));
    one.flush(Flush { turn: half, ..Flush::default() }).await.unwrap();
    other.flush(Flush { turn: theirs.clone(), ..Flush::default() }).await.unwrap();
    // A third: six, and six, and what is left.
    one.lease("third", LONG).await.unwrap();
    assert_eq!(one.lease("one", LONG).await.unwrap().held.len(), 6);
    assert_eq!(other.lease("other", LONG).await.unwrap().held.len(), 6);
    assert_eq!(one.lease("third", LONG).await.unwrap().held.len(), 4);
    one.release("third").await.unwrap();
    other.release("other").await.unwrap();
    assert_eq!(one.lease("one", LONG).await.unwrap().held.len(), 16);
    assert!(matches!(other.flush(Flush { turn: theirs, ..Flush::default() }).await, Err(StoreError::Stale)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_held_that_died_is_taken_at_once() {
    let homes = Homes::new(1);
    let (url, one) = homes.open();
    let dead = {
        // A process of its own: all its connections end with it, and nothing is given up in order.
        let process =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let url = url.clone();
        let (turned, turn) = tokio::sync::oneshot::channel();
        process.spawn(async move {
            let store = PgStore::open(&url, &KEY).await.unwrap();
            drop(turned.send(store.lease("dead", LONG).await.unwrap()));
            std::future::pending::<()>().await;
        });
        let turn = turn.await.unwrap();
        process.shutdown_background();
        turn
    };
    assert_eq!(dead.held.len(), 16);
    // Its session ended, so nobody waits for the lease to run out.
    let taken =
        asked(async || Some(one.lease("one", LONG).await.unwrap()).filter(|turn| turn.held.len() == 16))
            .await;
    assert!(taken.held.iter().zip(&dead.held).all(|(now, then)| now.token > then.token));
    assert!(matches!(one.flush(Flush { turn: dead, ..Flush::default() }).await, Err(StoreError::Stale)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_renewed_is_taken_when_its_time_is_over() {
    let homes = Homes::new(1);
    let (_, one, other) = two(&homes).await;
    let short = Duration::from_millis(300);
    let paused = one.lease("paused", short).await.unwrap();
    assert_eq!(paused.held.len(), 16);
    let taken =
        asked(async || Some(other.lease("other", short).await.unwrap()).filter(|turn| turn.held.len() == 16))
            .await;
    assert_eq!(taken.held.len(), 16);
    assert!(matches!(one.flush(Flush { turn: paused, ..Flush::default() }).await, Err(StoreError::Stale)));
    // Back again, they get their part.
    assert!(one.lease("paused", LONG).await.unwrap().is_empty());
    assert_eq!(other.lease("other", LONG).await.unwrap().held.len(), 8);
    assert_eq!(one.lease("paused", LONG).await.unwrap().held.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_hears_of_what_another_process_accepted() {
    let homes = Homes::new(1);
    let (_, one, other) = two(&homes).await;
    let turn = one.lease("one", LONG).await.unwrap();
    let comes_in = slot_of(item(1).member, 16);
    let wait = |turn: Turn, mark: u64| {
        let one = Arc::clone(&one);
        tokio::spawn(async move { one.stirred(&turn, mark).await })
    };
    // Each of several workers of one process hears of it, and nobody else.
    let mark = one.mark();
    let theirs = Turn { held: turn.held.iter().filter(|held| held.slot == comes_in).copied().collect() };
    let others = Turn { held: turn.held.iter().filter(|held| held.slot != comes_in).copied().collect() };
    let waits = [wait(theirs.clone(), mark), wait(theirs.clone(), mark)];
    let untold = wait(others, mark);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(waits.iter().all(|waits| !waits.is_finished()));
    other.append(append(vec![item(1)], at(1), false)).await.unwrap();
    for waits in waits {
        soon_done(waits).await;
    }
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!untold.is_finished(), "what comes into one share is nothing to whoever holds others");
    untold.abort();
    // What was told since a mark is told to whoever asks from there.
    soon_done(wait(theirs, mark)).await;
}

async fn soon_done(waits: tokio::task::JoinHandle<()>) {
    tokio::time::timeout(Duration::from_secs(10), waits).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_anew_is_found_again() {
    let homes = Homes::new(1);
    let url = homes.url();
    let url = format!("{url}&application_name={}", name(&url));
    let store = homes.try_open(&url, &KEY).unwrap();
    store.append(append(vec![item(1)], at(1), false)).await.unwrap();
    let turn = store.lease("one", LONG).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    assert!(raw().await.query(end, &[&name(&url)]).await.unwrap().len() > 1);
    // What was under way may fail once; then all goes on, and the lease stands.
    let mut failures = 0;
    let waiting = loop {
        match store.waiting(&turn, 10).await {
            Ok(waiting) => break waiting,
            Err(StoreError::Unreachable(_)) if failures < 20 => failures += 1,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(waiting.len(), 1);
    assert_eq!(store.lease("one", LONG).await.unwrap(), turn);
    let mark = store.mark();
    store.append(append(vec![item(2)], at(1), false)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), store.stirred(&turn, mark)).await.unwrap();
}

/// What a process remembers of members is checked when it writes by it: whoever moved them on, it finds its batch stale.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_remembered_of_members_is_checked() {
    let homes = Homes::new(4);
    let (_, one, other) = two(&homes).await;
    let stores: [Arc<dyn Store>; 2] = [one, Arc::new(other)];
    let [one, other] = &stores;
    let life = Life::of(&KEY);
    one.append(life.append()).await.unwrap();
    let seqs: Vec<i64> =
        one.waiting(&turn(one).await.unwrap(), 10).await.unwrap().iter().map(|row| row.seq).collect();
    let load = async |store: &Arc<dyn Store>| {
        let wanted = Wanted { members: vec![life.member()], ..Wanted::default() };
        store.load(wanted).await.unwrap().members.len()
    };
    let flush = async |store: &Arc<dyn Store>, n: u8| {
        let turn = turn(store).await.unwrap();
        store.flush(Flush { turn, ..life.part(n, seqs[usize::from(n) - 1]) }).await
    };
    // Both have seen that she is not there; then she is.
    assert_eq!((load(one).await, load(other).await), (0, 0));
    flush(one, 1).await.unwrap();
    assert!(matches!(flush(other, 2).await, Err(StoreError::Stale)));
    assert_eq!(load(other).await, 1);
    flush(other, 2).await.unwrap();
    // The first remembers her as it left her.
    assert!(matches!(flush(one, 3).await, Err(StoreError::Stale)));
    // Whoever remembers nothing looks in place, and whoever goes on remembers what they wrote.
    flush(one, 3).await.unwrap();
    flush(one, 4).await.unwrap();
    assert_eq!(load(one).await, 1);
    flush(one, 5).await.unwrap();
    flush(one, 6).await.unwrap();
    let broken: Vec<_> =
        one.doctor().await.unwrap().into_iter().filter(|check| !check.broken.is_empty()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let past = one.history(life.member(), vec!["Points Spent".to_owned()]).await.unwrap();
    assert_eq!((past.orders.len(), past.events.len()), (2, 3));
}

/// A batch that was written already is stale, whatever else it would stumble over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_comes_twice_is_stale() {
    let homes = Homes::new(1);
    let (_, store) = homes.open();
    let store: Arc<dyn Store> = store;
    let life = Life::of(&KEY);
    store.append(life.append()).await.unwrap();
    let turn = turn(&store).await.unwrap();
    let seq = store.waiting(&turn, 1).await.unwrap()[0].seq;
    let flush = || Flush { turn: turn.clone(), facts: vec![life.fact(1, true)], ..life.part(1, seq) };
    store.flush(flush()).await.unwrap();
    assert!(matches!(store.flush(flush()).await, Err(StoreError::Stale)));
}

/// A commit shows its rows an instant before it tells of new partitions: a reader would take what lies there for done.
#[tokio::test]
async fn a_months_partitions_are_there_before_its_first_item() {
    let homes = Homes::new(1);
    let (url, store) = homes.open();
    store.append(append(vec![item(0)], at(1), false)).await.unwrap();
    let home = name(&url);
    let sql = format!(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
         WHERE i.inhparent = '{home}.event'::regclass AND c.relname LIKE 'event%' ORDER BY 1"
    );
    let partition: String = raw().await.query_one(&sql, &[]).await.unwrap().get(0);
    let sql = format!(
        "SELECT (SELECT xmin::text FROM pg_class WHERE oid = '{home}.{partition}'::regclass), \
         (SELECT xmin::text FROM {home}.{partition}), (SELECT xmin::text FROM {home}.home)"
    );
    let row = raw().await.query_one(&sql, &[]).await.unwrap();
    let (made, put, moved): (String, String, String) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(put, moved);
    assert_ne!(made, put, "made in the transaction that put something into it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_audit_log() {
    let homes = Homes::new(2);
    let (url, one, other) = two(&homes).await;
    let (one, other): (Arc<dyn Store>, Arc<dyn Store>) = (one, Arc::new(other));
    let (first, second) = tokio::join!(noted(&one, 20), noted(&other, 20));
    first.and(second).unwrap();
    let lines = one.access().audit(0, None, 99).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.no).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert!(one.doctor().await.unwrap().iter().all(|check| check.broken.is_empty()));
    let home = name(&url);
    for sql in ["UPDATE {}.audit SET who = ''", "DELETE FROM {}.audit", "TRUNCATE {}.audit"] {
        let refused = raw().await.batch_execute(&sql.replace("{}", &home)).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message().to_owned();
        assert!(message.contains("audit is written once"), "{sql}: {message}");
    }
}

#[tokio::test]
async fn a_month_is_not_closed_over_a_batch_that_stopped_and_holds_up_nobody() {
    let homes = Homes::new(2);
    let (url, store) = homes.open();
    let mut raw = raw().await;
    let stopped = raw.transaction().await.unwrap();
    stopped
        .execute(&format!("UPDATE {}.slot SET batch = batch WHERE slot = 3", name(&url)), &[])
        .await
        .unwrap();
    let closed = tokio::time::timeout(LONG, store.closing().close(first_month())).await;
    assert_eq!(closed.expect("it gives up").unwrap(), Close::Busy);
    assert_eq!(store.closing().closed().await.unwrap(), []);
    stopped.rollback().await.unwrap();
    assert_eq!(store.closing().close(first_month()).await.unwrap(), Close::Done);
}
