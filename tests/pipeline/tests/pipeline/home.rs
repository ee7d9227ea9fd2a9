//! A home for one test: a folder of its own, removed at the end, with an engine that can be dropped and opened again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use zhiyin_engine::accept::{Source, Verdict, latest, prepare};
use zhiyin_engine::people::Found;
use zhiyin_engine::{Engine, clock};
use zhiyin_model::effect::Asset;
use zhiyin_model::id::{EventId, IdKey, TransferId};
use zhiyin_model::member::Account;
use zhiyin_model::time::Ts;
use zhiyin_store::Store;
use zhiyin_store::read::{DeadLetter, MemberWhole};
use zhiyin_store_pg::PgStore;
use zhiyin_store_sqlite::{Durability, SqliteStore};

use crate::playbooks;

/// The id key of every home here, so that tests can name what was derived.
pub const KEY: IdKey = IdKey::from_bytes([7; 32]);

/// The source that items come from unless a test says otherwise.
pub const TILL: &str = "till";

static HOMES: AtomicU64 = AtomicU64::new(0);

/// A home and the engine at work on it.
pub struct Home {
    folder: PathBuf,
    engine: Engine,
}

impl Drop for Home {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.folder));
        // A test that failed may have left something open, which would be waited for.
        if let Some(server) = on_postgres().filter(|_| !std::thread::panicking()) {
            empty_home(server, self.folder.clone());
        }
    }
}

/// An instant, written as RFC 3339.
pub fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap_or_else(|| panic!("{text} is no instant"))
}

/// The source of this name; its users are named `user:…`.
pub fn source(name: &str, replay: bool) -> Source {
    Source { name: name.to_owned(), user_namespace: "user".to_owned(), replay, ties: Default::default() }
}

/// The first transfer that an event of the till made: what postings and returns name.
pub fn transfer_of(message_id: &str, kind: &str) -> TransferId {
    let event: EventId = KEY.derive("event", &[TILL.as_bytes(), message_id.as_bytes()]);
    KEY.derive("transfer", &[event.bytes(), b"points", kind.as_bytes(), &0u32.to_le_bytes()])
}

/// Where the homes of this run are: `ZHIYIN_TEST_STORE=pg` puts all of them on the PostgreSQL that `ZHIYIN_TEST_POSTGRES` names,
/// spread over two schemas, with two workers each.
pub fn on_postgres() -> Option<String> {
    (std::env::var("ZHIYIN_TEST_STORE").ok()? == "pg").then(|| {
        std::env::var("ZHIYIN_TEST_POSTGRES")
            .expect("ZHIYIN_TEST_POSTGRES names no server: `./run test` starts one")
    })
}

/// Homes on PostgreSQL that tests have done with, emptied: to make one takes as long as most tests.
static SPARE: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The homes of folders.
static NAMES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// The address of the home whose folder this would be.
fn address(server: &str, folder: &Path) -> String {
    let mut names = NAMES.lock().unwrap();
    let name = names.entry(folder.to_owned()).or_insert_with(|| {
        let spare = SPARE.lock().unwrap().pop();
        spare.unwrap_or_else(|| {
            // As homes of other tests are called, so that what is left behind is swept with theirs.
            let name = folder.file_name().unwrap().to_string_lossy();
            format!("test_{}", name.trim_start_matches("zhiyin-engine-").replace('-', "_e"))
        })
    });
    let joint = if server.contains('?') { '&' } else { '?' };
    format!("{server}{joint}home={name}&shards=2&connections=4&application_name={name}")
}

async fn engine_at(folder: &Path) -> Engine {
    let (store, workers): (Arc<dyn Store>, usize) = match on_postgres() {
        None => {
            let store = SqliteStore::open_with(&folder.join("home.db"), &KEY, Durability::Relaxed);
            (Arc::new(store.unwrap()), 1)
        }
        Some(server) => (Arc::new(PgStore::open(&address(&server, folder), &KEY).await.unwrap()), 2),
    };
    Engine::open_working(store, workers).await.unwrap()
}

/// Empties a home on PostgreSQL, for another test: on a thread of its own, since a test's runtime cannot be waited on where it ends.
fn empty_home(server: String, folder: PathBuf) {
    let emptied = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = PgStore::open(&address(&server, &folder), &KEY).await.unwrap();
            store.empty_home(&KEY).await.unwrap();
        });
        let name = NAMES.lock().unwrap().remove(&folder).unwrap();
        SPARE.lock().unwrap().push(name);
    });
    drop(emptied.join());
}

impl Home {
    /// A new home under a playbook that was applied before any history.
    pub async fn new(playbook: &str) -> Self {
        let n = HOMES.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("zhiyin-engine-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let engine = engine_at(&folder).await;
        let home = Self { folder, engine };
        home.apply(playbook, at("2010-01-01T00:00:00Z")).await;
        home
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where its keystore would be, if it is sealed.
    pub fn keys(&self) -> PathBuf {
        self.folder.join("home.db-keys")
    }

    /// Another engine on the same file, as another process would have it.
    pub async fn second_engine(&self) -> Engine {
        engine_at(&self.folder).await
    }

    /// Drops the engine with all it holds in memory, and opens the file anew.
    pub async fn reopen(&mut self) {
        self.engine = engine_at(&self.folder).await;
    }

    /// Applies a playbook, dated at an instant; its version and whether it was new.
    pub async fn apply(&self, playbook: &str, when: Ts) -> (i64, bool) {
        self.engine.apply_at(&playbooks::parse(playbook), Some(when)).await.unwrap()
    }

    /// Says that business now is this instant, and goes on from there.
    pub async fn now_is(&self, now: Ts) {
        let offset_us = now.0 - clock::wall().0;
        self.engine.store().set_clock(offset_us, Some(now)).await.unwrap();
    }

    /// Accepts items of history from the till.
    pub async fn accept(&self, items: &[Value]) -> Vec<Verdict> {
        self.accept_from(TILL, items).await
    }

    /// Accepts items of history from a source.
    pub async fn accept_from(&self, name: &str, items: &[Value]) -> Vec<Verdict> {
        let items: Vec<Vec<u8>> = items.iter().map(|item| item.to_string().into_bytes()).collect();
        self.engine.accept(&source(name, true), &items, None).await.unwrap()
    }

    /// Accepts items that come in live, at a given business now.
    pub async fn accept_live(&self, name: &str, items: &[Value], now: Ts) -> Vec<Verdict> {
        let source = source(name, false);
        let bytes = items.iter().map(|item| item.to_string().into_bytes());
        let prepared = bytes.map(|item| prepare(&KEY, &source, &item, Some(now), latest(now))).collect();
        self.engine.take(&source, prepared, now, None).await.unwrap()
    }

    /// Decides all that waits; timers fire up to the last of it.
    pub async fn settle(&self) {
        self.engine.drain(64, Some(Ts::MIN), |_| ()).await.unwrap();
    }

    /// Decides all that waits, and fires timers up to an instant.
    pub async fn until(&self, instant: Ts) {
        self.engine.drain(64, Some(instant), |_| ()).await.unwrap();
    }

    /// Accepts items of history, all of which must be taken, and decides them; none may end as a dead letter.
    pub async fn live_through(&self, items: &[Value]) {
        let verdicts = self.accept(items).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
        let before = self.dead().await.len();
        self.settle().await;
        let dead = self.dead().await;
        assert_eq!(dead.len(), before, "{dead:?}");
    }

    /// When the next member is to be woken.
    pub async fn next_wake(&self) -> Option<Ts> {
        let store = self.engine.store();
        let turn = store.lease("look", Duration::from_secs(60)).await.unwrap();
        let wake = store.next_wake(&turn).await.unwrap();
        store.release("look").await.unwrap();
        wake
    }

    /// Whether somebody is known by `user:NAME`.
    pub async fn knows(&self, name: &str) -> bool {
        matches!(self.engine.find(&format!("user:{name}")).await.unwrap(), Found::One(_))
    }

    /// The member known as `user:NAME`.
    pub async fn member(&self, name: &str) -> MemberWhole {
        match self.engine.find(&format!("user:{name}")).await.unwrap() {
            Found::One(member) => self.engine.whole(member).await.unwrap(),
            other => panic!("user:{name} is {other:?}"),
        }
    }

    /// A member's points.
    pub async fn points(&self, name: &str) -> Account {
        self.member(name).await.member.account(Asset::Points)
    }

    /// A member's lifecycle moves as `to@instant`, oldest first.
    pub async fn moves(&self, name: &str) -> Vec<String> {
        let whole = self.member(name).await;
        whole.stages.iter().map(|(_, to, at)| format!("{to}@{at}")).collect()
    }

    /// Tags a member has now.
    pub async fn tags(&self, name: &str) -> Vec<String> {
        self.member(name).await.member.tags.keys().cloned().collect()
    }

    /// Dead letters, newest first.
    pub async fn dead(&self) -> Vec<DeadLetter> {
        self.engine.store().dead_letters(1000).await.unwrap()
    }

    /// Dead letters as `message id: code @field`, oldest first.
    pub async fn refusals(&self) -> Vec<String> {
        let mut dead = self.dead().await;
        dead.reverse();
        dead.iter()
            .map(|letter| format!("{}: {} @{}", letter.message_id, letter.code, letter.field))
            .collect()
    }

    /// The home's digest, once the doctor found nothing.
    pub async fn digest(&self) -> String {
        self.healthy().await;
        self.engine.store().digest().await.unwrap()
    }

    /// Every invariant holds.
    pub async fn healthy(&self) {
        let checks = self.engine.store().doctor().await.unwrap();
        let broken: Vec<_> = checks.iter().filter(|check| !check.broken.is_empty()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
