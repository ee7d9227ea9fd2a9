//! A sealed home at work: whose keys go with whom when a name changes hands, and what comes in while somebody is erased.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::runtime::Handle;
use zhiyin_engine::accept::Verdict;
use zhiyin_engine::people::Found;
use zhiyin_engine::{Engine, sealing};
use zhiyin_model::time::DAY_US;
use zhiyin_store::dump;
use zhiyin_store::seal::envelope::{Key, Subject};
use zhiyin_store::seal::keystore::{Erasure, Found as FoundKey, Header, Keystore, Wrapped};
use zhiyin_store::seal::vault::{Vault, new_mark};
use zhiyin_store::{Result, seal};
use zhiyin_store_sqlite::FileKeystore;

use crate::home::{Home, KEY, at, source};
use crate::identity_cases::item;
use crate::items::order;

const NOON: &str = "2017-03-01T04:00:00Z";
const LATER: &str = "2017-03-02T04:00:00Z";

fn master() -> Key {
    Key::from_bytes([5; 32])
}

/// Something to be done once.
type Hook = Box<dyn FnOnce() + Send>;

/// A keystore that does something right after it was asked how often somebody was erased.
struct Hooked {
    inner: FileKeystore,
    hook: Mutex<Option<Hook>>,
}

macro_rules! hooked {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl Keystore for Hooked {
            fn place(&self) -> String {
                self.inner.place()
            }

            fn epoch(&self) -> Result<i64> {
                let epoch = self.inner.epoch();
                let hook = self.hook.lock().unwrap().take();
                if let Some(hook) = hook {
                    hook();
                }
                epoch
            }

            $(fn $name(&self, $($argument: $kind),*) -> Result<$answer> {
                self.inner.$name($($argument),*)
            })*
        }
    };
}

hooked! {
    header() -> Option<Header>;
    set_header(header: &Header) -> ();
    find(subjects: &[Subject]) -> Vec<FoundKey>;
    add(version: i64, keys: &[(Subject, Vec<u8>)]) -> ();
    page(after: Option<Subject>, limit: usize) -> Vec<(Subject, Wrapped)>;
    rewrap(keys: &[(Subject, Wrapped)]) -> ();
    rotated(header: &Header) -> bool;
    erasures() -> Vec<Erasure>;
    log(erasure: &Erasure) -> ();
    destroy(members: &[[u8; 16]], subjects: &[Subject]) -> ();
    gone() -> Vec<Subject>;
}

/// The vault of another process: it remembers nothing.
fn vault(keys: &Path) -> Arc<Vault> {
    Vault::open(Arc::new(FileKeystore::open(keys).unwrap()), master()).unwrap()
}

async fn sealed() -> (Home, Arc<Hooked>) {
    let home = Home::new("playbook: brand\nextends: variety-store\n").await;
    let inner = FileKeystore::open(&home.keys()).unwrap();
    let keystore = Arc::new(Hooked { inner, hook: Mutex::default() });
    let made =
        Vault::make(Arc::clone(&keystore) as Arc<dyn Keystore>, master(), &KEY, new_mark().unwrap(), true);
    let store = home.engine().store();
    store.personal().unwrap().keep_vault(made.unwrap());
    sealing::seal_home(store.as_ref(), |_| ()).await.unwrap();
    (home, keystore)
}

/// An item of a day that names these.
fn named(id: &str, day: i64, names: &str) -> Value {
    item(id, names, at(NOON).plus_us(day * DAY_US), "Visit", json!({}))
}

async fn told(home: &Home, items: &[Value], at_once: usize) {
    for items in items.chunks(at_once) {
        let items: Vec<Vec<u8>> = items.iter().map(|item| item.to_string().into_bytes()).collect();
        let verdicts = home.engine().accept(&source("crm", true), &items, None).await.unwrap();
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Accepted), "{verdicts:?}");
    }
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
    home.healthy().await;
}

async fn erased(home: &Home, name: &str) {
    let Found::One(member) = home.engine().find(name).await.unwrap() else { panic!("{name}") };
    home.engine().erase(member, "asked").await.unwrap();
    home.healthy().await;
}

/// Bodies of items as they lie in the database, or in a backup, by what their source calls them.
async fn bodies(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let (out, mut rows) = tokio::sync::mpsc::channel::<dump::Rows>(64);
    let vault = vault(&home.keys());
    let bodies = async {
        let mut bodies = BTreeMap::new();
        while let Some(rows) = rows.recv().await {
            let column = |name| rows.table.columns.iter().position(|(column, _)| *column == name);
            let (Some(body), Some(called)) = (column("body"), column("called")) else { continue };
            for row in &rows.rows {
                if let (dump::Value::Bytes(body), dump::Value::Bytes(called)) = (&row[body], &row[called]) {
                    bodies.extend(vault.called(called).unwrap().map(|called| (called, body.clone())));
                }
            }
        }
        bodies
    };
    let (said, bodies) = tokio::join!(home.engine().store().dump(out), bodies);
    said.unwrap();
    bodies
}

/// Which of these items are read by who has all keys that there are.
fn read(home: &Home, bodies: &BTreeMap<String, Vec<u8>>, items: &[&str]) -> Vec<String> {
    let vault = vault(&home.keys());
    let is_read = |item: &&&str| !seal::is_erased(&vault.body(bodies[**item].clone()).unwrap());
    items.iter().filter(is_read).map(|item| (*item).to_owned()).collect()
}

#[tokio::test]
async fn what_was_said_by_a_name_goes_with_who_bore_it_then() {
    let items = [
        named("a1", 0, "user:ann pending_id:q"),
        named("a2", 1, "pending_id:q"),
        // It ended by itself, and is Bob's.
        named("b1", 100, "user:bob pending_id:q"),
        named("b2", 101, "pending_id:q"),
    ];
    let all = ["a1", "a2", "b1", "b2", "c1", "c2"];
    for (at_once, ann_first) in [(1, true), (4, true), (1, false), (4, false)] {
        let (home, _) = sealed().await;
        told(&home, &items, at_once).await;
        let backup = bodies(&home).await;
        assert_eq!(read(&home, &backup, &all[..4]), all[..4]);
        if ann_first {
            erased(&home, "user:ann").await;
            assert_eq!(read(&home, &backup, &all[..4]), all[2..4], "{at_once} at once");
            let Found::One(bob) = home.engine().find("user:bob").await.unwrap() else { panic!() };
            let whole = home.engine().whole(bob).await.unwrap();
            assert!(
                whole
                    .identifiers
                    .iter()
                    .any(|(namespace, value)| (namespace.as_str(), value.as_str()) == ("pending_id", "q"))
            );
        }
        erased(&home, "user:bob").await;
        assert_eq!(read(&home, &backup, &all[2..4]), Vec::<String>::new());
        if !ann_first {
            assert_eq!(read(&home, &backup, &all[..4]), all[..2], "{at_once} at once");
        }
        // Whoever bears it next neither.
        told(&home, &[named("c1", 102, "user:cid pending_id:q"), named("c2", 103, "pending_id:q")], at_once)
            .await;
        let mut backup = backup;
        backup.extend(bodies(&home).await.into_iter().filter(|(item, _)| item.starts_with('c')));
        if !ann_first {
            erased(&home, "user:ann").await;
        }
        assert_eq!(read(&home, &backup, &all), all[4..], "{at_once} at once");
    }
}

/// In whose hands a name is does not depend on what the playbook says of it by now: what somebody says goes with nobody else.
#[tokio::test]
async fn a_name_that_came_into_other_hands_keeps_its_key_whatever_the_playbook_says_later() {
    let (home, _) = sealed().await;
    let brand = "playbook: brand\nextends: variety-store\n";
    let ends = format!("{brand}identity: {{ namespaces: {{ cookie: {{ valid: 30d }} }} }}\n");
    home.apply(&ends, at("2010-01-02T00:00:00Z")).await;
    told(&home, &[named("a1", 0, "user:ann cookie:q"), named("a2", 1, "cookie:q")], 1).await;
    told(&home, &[named("b1", 100, "user:bob cookie:q")], 1).await;
    home.apply(brand, at("2010-01-03T00:00:00Z")).await;
    told(&home, &[named("b2", 101, "cookie:q"), named("b3", 102, "cookie:q")], 2).await;
    erased(&home, "user:ann").await;
    let all = ["a1", "a2", "b1", "b2", "b3"];
    assert_eq!(read(&home, &bodies(&home).await, &all[2..]), all[2..]);
}

#[tokio::test]
async fn what_was_said_beside_a_name_that_was_given_up_stays_with_who_said_it() {
    let phone = |n: i64| format!("phone:+861390000000{n}");
    let items = [
        named("a1", 0, &format!("user:ann {} {} {}", phone(1), phone(2), phone(3))),
        // One more than she may have, said first.
        named("a2", 1, &format!("{} {}", phone(9), phone(1))),
        named("b1", 2, &format!("user:bob {}", phone(9))),
        named("b2", 3, &phone(9)),
    ];
    for at_once in [1, 4] {
        let (home, _) = sealed().await;
        told(&home, &items, at_once).await;
        let backup = bodies(&home).await;
        erased(&home, "user:bob").await;
        assert_eq!(read(&home, &backup, &["a1", "a2", "b1", "b2"]), ["a1", "a2"], "{at_once} at once");
        erased(&home, "user:ann").await;
        assert_eq!(read(&home, &backup, &["a1", "a2", "b1", "b2"]), Vec::<String>::new());
    }
}

async fn another(home: &Home) -> Engine {
    let engine = home.second_engine().await;
    engine.store().personal().unwrap().keep_vault(vault(&home.keys()));
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_was_sealed_before_an_erasure_and_written_after_it_is_of_somebody_new() {
    let (home, keystore) = sealed().await;
    home.accept(&[order("o1", "ann", "1", NOON, "100")]).await;
    home.settle().await;
    let ann = home.member("ann").await.member.id;
    let (other, handle) = (another(&home).await, Handle::current());
    let erase = move || handle.block_on(other.erase(ann, "asked")).unwrap();
    *keystore.hook.lock().unwrap() = Some(Box::new(erase));
    let verdicts = home.accept(&[order("o2", "ann", "2", LATER, "30")]).await;
    assert_eq!(verdicts, [Verdict::Accepted]);
    assert!(keystore.hook.lock().unwrap().is_none());
    home.settle().await;
    assert_eq!(home.refusals().await, Vec::<String>::new());
    let again = home.member("ann").await;
    assert_ne!(again.member.id, ann);
    assert_eq!(home.points("ann").await.active, 30);
    let bodies = bodies(&home).await;
    assert_eq!(read(&home, &bodies, &["o2"]), ["o2"]);
    home.healthy().await;
}
