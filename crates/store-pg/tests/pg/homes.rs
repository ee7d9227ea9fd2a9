//! Homes of their own for each test, on the server that `ZHIYIN_TEST_POSTGRES` names, done away with at the end.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use zhiyin_model::id::IdKey;
use zhiyin_store::conformance::{self, KEY};
use zhiyin_store::{Result, Store};
use zhiyin_store_pg::PgStore;

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

/// The homes of one test.
pub struct Homes {
    options: String,
    made: Mutex<Vec<(String, Arc<PgStore>)>>,
}

impl Homes {
    /// None yet; each will be spread over so many schemas.
    pub fn new(shards: usize) -> Self {
        Self { options: format!("slots=16&shards={shards}&connections=4"), made: Mutex::default() }
    }

    /// The address of a home that nobody has made.
    pub fn url(&self) -> String {
        let n = HOMES.fetch_add(1, Ordering::Relaxed);
        let url = server();
        let and = if url.contains('?') { '&' } else { '?' };
        format!("{url}{and}home=test_{}_{n}&{}", std::process::id(), self.options)
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
        let url = self.url();
        self.try_open(&url, key).unwrap()
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        // A test that failed may have left a transaction open, which would be waited for.
        if std::thread::panicking() {
            return;
        }
        for (_, store) in self.made.lock().unwrap().drain(..) {
            outside(async move { store.drop_home().await }).unwrap();
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
