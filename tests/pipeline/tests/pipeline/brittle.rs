//! A store that fails at any one call, before it did anything or after: the engine goes on as if nothing had been.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::mpsc;
use zhiyin_engine::accept::{Source, Ties};
use zhiyin_engine::webhooks::manage::{self, NewEndpoint};
use zhiyin_engine::{Engine, moving};
use zhiyin_model::effect::Lot;
use zhiyin_model::id::{MemberId, OrderId, TransferId};
use zhiyin_model::member::Term;
use zhiyin_model::place::Place;
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;
use zhiyin_store::flush::{Flush, Hold};
use zhiyin_store::seal::LookupHash;
use zhiyin_store::turn::Turn;
use zhiyin_store::webhooks::{Because, Endpoint};
use zhiyin_store::{
    Ahead, Append, Home as HomeRow, LetGo, Loaded, LotsWanted, PastEvent, PastOf, PastTransfer,
    PlaybookVersion, Progress, Receipt, Result, Store, StoreError, Waiting, Wanted, archive, dump, feed,
    merge, partner, places, read, suggestion, takeover,
};
use zhiyin_store_sqlite::{Durability, SqliteStore};

use crate::home::{Home, KEY, at, source};
use crate::items::{gift, order, refund, spend};
use crate::playbooks::TEN_DAYS;

/// How a call fails.
#[derive(Clone, Copy)]
enum Fault {
    /// With an error, before it is done.
    Early,
    /// The same once it is done.
    Late,
    /// It finds that what it looks for was erased.
    Erased,
    /// It breaks down.
    Panics,
}

/// A store over another that fails at its n-th call.
struct Brittle {
    inner: Arc<dyn Store>,
    /// Calls left until the one that fails.
    left: AtomicI64,
    /// Which calls count: all, or those of a name.
    only: Option<&'static str>,
    fault: Fault,
}

impl Brittle {
    fn over(home: &Home, only: Option<&'static str>, fault: Fault) -> Arc<Self> {
        let inner = Arc::clone(home.engine().store());
        Arc::new(Self { inner, left: AtomicI64::new(i64::MAX), only, fault })
    }

    fn fails_now(&self, call: &'static str) -> bool {
        self.only.is_none_or(|only| only == call) && self.left.fetch_sub(1, Ordering::SeqCst) == 0
    }

    fn early(&self) -> Result<()> {
        match self.fault {
            Fault::Early => Err(StoreError::Database("the disk is full".to_owned())),
            Fault::Erased => Err(StoreError::Erased),
            Fault::Panics => panic!("planted"),
            Fault::Late => Ok(()),
        }
    }
}

macro_rules! brittle {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for Brittle {
            fn keep_archive(&self, folder: std::path::PathBuf) {
                self.inner.keep_archive(folder);
            }

            fn access(&self) -> &dyn zhiyin_store::access::Access {
                self.inner.access()
            }

            fn reading(&self) -> &dyn zhiyin_store::reading::Reading {
                self.inner.reading()
            }
            fn crowd(&self) -> &dyn zhiyin_store::crowd::Crowd {
                self.inner.crowd()
            }
            fn coupons(&self) -> &dyn zhiyin_store::coupons::Coupons {
                self.inner.coupons()
            }
            fn draws(&self) -> &dyn zhiyin_store::draws::Draws {
                self.inner.draws()
            }
            fn tills(&self) -> &dyn zhiyin_store::tills::Tills {
                self.inner.tills()
            }
            fn closing(&self) -> &dyn zhiyin_store::closing::Closing {
                self.inner.closing()
            }
            fn lists(&self) -> &dyn zhiyin_store::lists::Lists {
                self.inner.lists()
            }
            fn webhooks(&self) -> &dyn zhiyin_store::webhooks::Webhooks {
                self.inner.webhooks()
            }

            $(async fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                let fails = self.fails_now(stringify!($name));
                if fails {
                    self.early()?;
                }
                let answer = self.inner.$name($($argument),*).await;
                if fails {
                    return Err(StoreError::Database("the answer was lost".to_owned()));
                }
                answer
            })*
        }
    };
}

brittle! {
    home() -> HomeRow;
    set_clock(offset_us: i64, live_since: Option<Ts>) -> ();
    live_playbook() -> Option<PlaybookVersion>;
    playbooks() -> Vec<PlaybookVersion>;
    apply_playbook(playbook: PlaybookVersion) -> i64;
    members_behind(of: Option<&Turn>, version: i64, after: Option<MemberId>, limit: usize) -> Vec<MemberId>;
    append(append: Append) -> Vec<Receipt>;
    progress(name: &str) -> Option<Progress>;
    lease(holder: &str, ttl: Duration) -> Turn;
    release(holder: &str) -> ();
    waiting(turn: &Turn, limit: usize) -> Vec<Waiting>;
    ahead(turn: &Turn) -> Option<Ahead>;
    any_waiting() -> bool;
    due(turn: &Turn, until: Ts, limit: usize) -> Vec<MemberId>;
    next_wake(turn: &Turn) -> Option<Ts>;
    load(wanted: Wanted) -> Loaded;
    lots(member: MemberId, wanted: LotsWanted<'_>) -> Vec<Lot>;
    terms(member: MemberId) -> Vec<Term>;
    hold(member: MemberId, id: TransferId) -> Option<Hold>;
    past_transfer(member: MemberId, id: TransferId) -> Option<PastTransfer>;
    order_lines(order: OrderId) -> Option<PastEvent>;
    history(member: MemberId, names: Vec<String>) -> PastOf;
    whole_past(member: MemberId) -> Vec<merge::Past>;
    books(member: MemberId) -> merge::Books;
    flush(flush: Flush) -> ();
    feed(after: feed::Position, limit: usize) -> Vec<feed::Entry>;
    feed_position(consumer: &str) -> feed::Position;
    feed_done(consumer: &str, position: feed::Position) -> ();
    work() -> read::Work;
    dead_letters(limit: usize) -> Vec<read::DeadLetter>;
    retry_dead_letters(seqs: Vec<i64>, now: Ts) -> usize;
    member_lines(as_of: read::AsOf) -> Vec<read::MemberLine>;
    ledger_lines(as_of: read::AsOf) -> Vec<read::LedgerLine>;
    namespaces() -> Vec<String>;
    member_whole(member: MemberId) -> Option<read::MemberWhole>;
    overview(ask: read::OverviewAsk) -> read::OverviewRecord;
    doctor() -> Vec<read::Check>;
    digest() -> String;
    months() -> Vec<archive::Month>;
    month_rows(month: i64, out: mpsc::Sender<Vec<archive::Row>>) -> ();
    month_archived(month: i64, file: &str, events: i64, hash: &str) -> ();
    dump(out: dump::Out) -> String;
    fill(rows: dump::In) -> ();
    borne(hashes: Vec<LookupHash>) -> Vec<(LookupHash, MemberId, Ts)>;
    given_up(limit: usize) -> Vec<read::GivenUp>;
    forget_given_up(before: i64, limit: usize) -> u64;
    identifiers_of(members: Vec<MemberId>) -> Vec<(MemberId, String, String)>;
    put_suggestions(found: Vec<suggestion::NewSuggestion>, at: Ts) -> usize;
    suggestions(state: Option<suggestion::State>, limit: usize) -> Vec<suggestion::Suggestion>;
    suggestion(no: i64) -> Option<suggestion::Suggestion>;
    decide_suggestion(no: i64, state: suggestion::State, by: &str, at: Ts) -> Option<suggestion::Suggestion>;
    places_version() -> i64;
    places() -> places::Whole;
    places_at(at: Ts) -> Vec<Place>;
    place(code: &str) -> Option<places::PlaceWhole>;
    change_places(change: places::Change) -> places::Edited;
    stores_seen() -> Vec<places::StoreSeen>;
    store_sums(as_of: read::AsOf) -> Vec<places::StoreSums>;
    member_lines_of(as_of: read::AsOf, stores: Vec<String>) -> Vec<places::CutLine>;
    ledger_lines_of(as_of: read::AsOf, stores: Vec<String>) -> Vec<read::LedgerLine>;
    fate(source: &str, message_id: &str) -> Option<zhiyin_store::command::Came>;
    came(source: &str, message_ids: Vec<String>) -> Vec<Option<[u8; 16]>>;
    let_go(before: std::collections::BTreeMap<String, Ts>, after: i64, limit: usize) -> LetGo;
    partner_sums(at: Ts) -> std::collections::BTreeMap<String, partner::PartnerSums>;
    taken_over(source: &str) -> takeover::TakenOver;
}

/// A home in which all waits that makes an engine look things up.
async fn waiting() -> Home {
    let home = Home::new(TEN_DAYS).await;
    home.accept(&[
        order("o1", "ann", "1", "2017-03-01T04:00:00Z", "100"),
        gift("g1", "ann", "bob", "2017-03-02T04:00:00Z", 30),
        spend("s1", "ann", "2017-03-03T04:00:00Z", 60),
        refund("r1", "ann", "1", "2017-03-04T04:00:00Z", "50"),
        refund("r2", "ann", "404", "2017-03-04T04:00:00Z", "50"),
        order("o2", "ann", "2", "2017-03-05T04:00:00Z", "100"),
        spend("s2", "bob", "2017-03-06T04:00:00Z", 10),
        order("o3", "bob", "3", "2017-03-20T04:00:00Z", "10"),
    ])
    .await;
    home
}

async fn fails_at(left: i64, late: bool) -> (String, bool) {
    let home = waiting().await;
    let store = Brittle::over(&home, None, if late { Fault::Late } else { Fault::Early });
    let engine = Engine::open(store.clone()).await.unwrap();
    store.left.store(left, Ordering::SeqCst);
    let until = at("2017-09-01T00:00:00Z");
    let failed = engine.drain(4, Some(until), |_| ()).await.is_err();
    store.left.store(i64::MAX, Ordering::SeqCst);
    // The same engine goes on, with whatever it still has in memory.
    engine.drain(4, Some(until), |_| ()).await.unwrap();
    (home.digest().await, failed)
}

#[tokio::test]
async fn a_store_that_fails_at_any_call_loses_and_doubles_nothing() {
    let (expected, failed) = fails_at(i64::MAX, false).await;
    assert!(!failed);
    for late in [false, true] {
        let mut n = 0;
        loop {
            let (digest, failed) = fails_at(n, late).await;
            assert_eq!(digest, expected, "failing at call {n}, late: {late}");
            if !failed {
                break;
            }
            n += 1;
        }
        assert!(n > 30, "{n} calls are too few to have met every one");
    }
}

#[tokio::test]
async fn whoever_failed_gives_up_what_it_holds_all_the_same() {
    let until = Some(at("2017-09-01T00:00:00Z"));
    for (left, late) in [(0, true), (1, false), (4, true)] {
        let home = waiting().await;
        let store = Brittle::over(&home, None, if late { Fault::Late } else { Fault::Early });
        let engine = Engine::open(store.clone()).await.unwrap();
        store.left.store(left, Ordering::SeqCst);
        engine.drain(4, until, |_| ()).await.unwrap_err();
        // Its process lives on and does nothing: another works at once.
        assert!(!home.engine().step(4, until).await.unwrap().idle, "after call {left}, late: {late}");
    }
}

#[tokio::test]
async fn what_is_found_erased_stops_no_share() {
    let (expected, _) = fails_at(i64::MAX, false).await;
    for call in ["home", "waiting", "due", "load", "lots", "order_lines", "flush"] {
        let home = waiting().await;
        let store = Brittle::over(&home, Some(call), Fault::Erased);
        let engine = Engine::open(store.clone()).await.unwrap();
        store.left.store(0, Ordering::SeqCst);
        engine.drain(4, Some(at("2017-09-01T00:00:00Z")), |_| ()).await.unwrap();
        assert!(store.left.load(Ordering::SeqCst) < 0, "{call} was not called");
        assert_eq!(home.digest().await, expected, "{call}");
    }
}

#[tokio::test]
async fn a_merge_or_a_parting_that_breaks_down_is_a_dead_letter() {
    let asked = |id: &str, event: &str, who: &[&str]| {
        let ids: Vec<_> = who.iter().map(|who| json!({"id": who, "type": "user"})).collect();
        let context = json!({"externalIds": ids});
        let time = "2017-03-22T04:00:00Z";
        json!({"type": "track", "event": event, "messageId": id, "timestamp": time, "context": context})
    };
    let merge = asked("m1", "Members Merge Asked", &["ann", "bob"]);
    let part = asked("u1", "Members Unmerged", &["bob"]);
    let cases = [
        ("Member Joined", &merge, "lots", 1),
        ("Member Joined", &merge, "history", 1),
        ("Members Unmerged", &part, "whole_past", 2),
        ("Members Unmerged", &part, "books", 2),
    ];
    for (broken, item, call, people) in cases {
        let home = waiting().await;
        home.engine().drain(4, Some(Ts::MIN), |_| ()).await.unwrap();
        let desk = Source { ties: Ties::Insist, ..source("desk", true) };
        let told = |item: &serde_json::Value| vec![item.to_string().into_bytes()];
        if people == 2 {
            home.engine().accept(&desk, &told(&merge), None).await.unwrap();
            home.settle().await;
        }
        home.engine().accept(&desk, &told(item), None).await.unwrap();
        home.accept(&[order("o9", "cid", "9", "2017-03-23T04:00:00Z", "10")]).await;
        let store = Brittle::over(&home, Some(call), Fault::Panics);
        let engine = Engine::open(store.clone()).await.unwrap();
        store.left.store(0, Ordering::SeqCst);
        engine.drain(4, Some(Ts::MIN), |_| ()).await.unwrap();
        let letters = engine.store().dead_letters(10).await.unwrap();
        let broke: Vec<_> = letters.iter().filter(|letter| letter.code == "decision_broke").collect();
        assert_eq!(broke.iter().map(|letter| letter.name.as_str()).collect::<Vec<_>>(), [broken], "{call}");
        assert_eq!(home.points("cid").await.active, 10, "whoever has nothing to do with it goes on");
        // Put back when it is mended, it is as if nothing had been.
        engine.retry(vec![broke[0].seq]).await.unwrap();
        let who = [home.member("ann").await.member.id, home.member("bob").await.member.id];
        assert_eq!(BTreeSet::from(who).len(), people, "{call}");
        home.healthy().await;
    }
}

/// Two homes must not both tell others: a copy is silent from its first row, though nobody could prove it in the end.
#[tokio::test]
async fn a_copy_that_was_not_proven_tells_nobody_anything() {
    let home = waiting().await;
    let from = home.engine().store().as_ref();
    let new = NewEndpoint { url: "https://example.com/".to_owned(), ..NewEndpoint::default() };
    let now = at("2026-11-26T00:00:00Z");
    manage::make(from, &Grant::system("ann"), new, &[1; 24], now).await.unwrap();
    let file = home.keys().with_file_name("copy.db");
    let inner = Arc::new(SqliteStore::open_with(&file, &KEY, Durability::Relaxed).unwrap());
    let to = Brittle { inner, left: AtomicI64::new(0), only: Some("digest"), fault: Fault::Early };
    moving::migrate(from, &to).await.unwrap_err();
    let stand = |endpoints: Vec<Endpoint>| -> Vec<_> {
        endpoints.into_iter().map(|one| one.paused.map(|(_, because)| because)).collect()
    };
    assert_eq!(stand(to.webhooks().endpoints().await.unwrap()), [Some(Because::Copied)]);
    assert_eq!(stand(from.webhooks().endpoints().await.unwrap()), [None]);
}

#[tokio::test]
async fn a_step_that_nobody_waits_for_any_more_leaves_nothing_to_believe() {
    let (expected, _) = fails_at(i64::MAX, false).await;
    for patience in [1, 10, 100, 300, 1_000, 3_000, 10_000] {
        let home = waiting().await;
        let until = at("2017-09-01T00:00:00Z");
        for _ in 0..5 {
            tokio::select! {
                biased;
                done = home.engine().step(3, Some(until)) => drop(done.unwrap()),
                () = turns(patience) => {}
            }
        }
        home.engine().drain(4, Some(until), |_| ()).await.unwrap();
        assert_eq!(home.digest().await, expected, "after {patience} turns");
    }
}

async fn turns(n: u32) {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
}
