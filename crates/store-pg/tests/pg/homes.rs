//! Homes of their own for each test, on the server that `ZHIYIN_TEST_POSTGRES` names, done away with at the end.

use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use zhiyin_model::id::IdKey;
use zhiyin_store::conformance::{self, KEY};
use zhiyin_store::{Result, Store};
use zhiyin_store_pg::PgStore;

/// Homes that a test of what every store promises has done with, emptied: by their options, their addresses.
static SPARE: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());
static HOMES: AtomicU64 = AtomicU64::new(0);
/// What is made for a test lives on while tests come and go, each with a runtime of its own.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

/// The server for tests.
pub fn server() -> String {
    let Ok(url) = std::env::var("ZHIYIN_TEST_POSTGRES") else {
        panic!(
            "ZHIYIN_TEST_POSTGRES is not set: these tests need a PostgreSQL, a postgres:// address; `./run test` \
             starts one and sets it"
        );
    };
    url
}

/// Waits for something that outlives this test's runtime.
fn outside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (done, answer) = std::sync::mpsc::channel();
    RUNTIME.spawn(async move { drop(done.send(work.await)) });
    answer.recv().unwrap()
}

/// Homes of test processes that have ended: what is spare is left behind, for want of an end to do away with it.
static SWEPT: LazyLock<()> = LazyLock::new(|| outside(sweep()));

async fn sweep() {
    let raw = raw().await;
    let homes = raw.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^test_[0-9]+_' \
         AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE starts_with(nspname, application_name) AND application_name ~ '^test_')", &[]).await;
    for row in homes.unwrap() {
        let schema: &str = row.get(0);
        let process = schema.split('_').nth(1).unwrap();
        if Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists() {
            // Somebody else may do it at the same time.
            drop(raw.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await);
        }
    }
}

/// The homes of one test.
pub struct Homes {
    options: String,
    made: Mutex<Vec<(String, Arc<PgStore>)>>,
    /// Of these made, those that are as every home of these options: they are emptied, not done away with.
    plain: Mutex<Vec<String>>,
}

impl Homes {
    /// None yet; each will be spread over so many schemas.
    pub fn new(shards: usize) -> Self {
        LazyLock::force(&SWEPT);
        Self {
            options: format!("slots=16&shards={shards}&connections=4"),
            made: Mutex::default(),
            plain: Mutex::default(),
        }
    }

    /// The address of a home that nobody has made.
    pub fn url(&self) -> String {
        let n = HOMES.fetch_add(1, Ordering::Relaxed);
        let url = server();
        let and = if url.contains('?') { '&' } else { '?' };
        let home = format!("test_{}_{n}", std::process::id());
        format!("{url}{and}home={home}&application_name={home}&{}", self.options)
    }

    /// Opens a home, and does away with it at the end.
    pub fn try_open(&self, url: &str, key: &IdKey) -> Result<Arc<PgStore>> {
        let (url, key) = (url.to_owned(), key.clone());
        let store = outside({
            let url = url.clone();
            async move { PgStore::open(&url, &key).await }
        });
        let store = Arc::new(store?);
        self.made.lock().unwrap().push((url, Arc::clone(&store)));
        Ok(store)
    }

    /// A new home, opened.
    pub fn open(&self) -> (String, Arc<PgStore>) {
        let url = self.url();
        let store = self.try_open(&url, &KEY).unwrap();
        (url, store)
    }
}

impl conformance::Homes for Homes {
    fn fresh(&self, key: &IdKey) -> Arc<dyn Store> {
        if *key != KEY {
            return self.try_open(&self.url(), key).unwrap();
        }
        let spare = {
            let mut spare = SPARE.lock().unwrap();
            let fits = spare.iter().position(|(options, _)| *options == self.options);
            fits.map(|at| spare.swap_remove(at).1)
        };
        let url = spare.unwrap_or_else(|| self.url());
        self.plain.lock().unwrap().push(url.clone());
        self.try_open(&url, key).unwrap()
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        // A test that failed may have left a transaction open, which would be waited for.
        if std::thread::panicking() {
            return;
        }
        let plain = self.plain.lock().unwrap();
        for (url, store) in self.made.lock().unwrap().drain(..) {
            if plain.contains(&url) {
                outside(async move { store.empty_home(&KEY).await }).unwrap();
                SPARE.lock().unwrap().push((self.options.clone(), url));
            } else {
                outside(async move { store.drop_home().await }).unwrap();
            }
        }
    }
}

/// The name of the home at an address.
pub fn name(url: &str) -> String {
    let (_, rest) = url.split_once("home=").unwrap();
    rest.split('&').next().unwrap().to_owned()
}

/// A connection of our own, as somebody with psql would have.
pub async fn raw() -> Client {
    let (client, connection) = tokio_postgres::connect(&server(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
