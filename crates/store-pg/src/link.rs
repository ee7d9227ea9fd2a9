//! One connection beside the pools, on which a process hears that something came in, and by which others see that its
//! workers live: it holds a lock for each, which PostgreSQL frees when the connection ends, however it ends.
//!
//! Nothing rests on it: what is not heard is found by looking, and who seems dead and is not finds their turn stale.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{Mutex, Notify};
use tokio_postgres::{AsyncMessage, Client, NoTls};
use zhiyin_store::Result;
use zhiyin_store::turn::Turn;

use crate::config::Address;
use crate::rows::{database, get};

/// The lock of a worker is a hash of their name; `$1` is the home's name, `$2` the worker's.
pub(crate) const LIVE: &str =
    "SELECT pg_try_advisory_lock(hashtextextended('zhiyin worker ' || $1::text || ' ' || $2::text, 0))";
pub(crate) const GONE: &str =
    "SELECT pg_advisory_unlock(hashtextextended('zhiyin worker ' || $1::text || ' ' || $2::text, 0))";

/// How long one waits before trying again where the database cannot be reached.
const AGAIN: Duration = Duration::from_secs(1);
/// Whoever looks whether a worker lives holds their lock for a moment.
const MOMENT: Duration = Duration::from_millis(20);

/// On what those who wait for a home listen.
pub(crate) fn channel(home: &str) -> String {
    format!("zhiyin_{home}")
}

/// What is told to whoever holds one of these shares; no shares at all stand for all of them.
pub(crate) fn words(slots: &BTreeSet<i32>) -> String {
    slots.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// When something was heard, counted from the first time.
#[derive(Default)]
struct Times {
    /// How often anything was.
    all: u64,
    /// When last it was said to nobody in particular…
    anybody: u64,
    /// …or to whoever holds a share.
    of: BTreeMap<i32, u64>,
}

/// What was heard.
#[derive(Default)]
struct Heard {
    times: RwLock<Times>,
    news: Notify,
}

impl Heard {
    fn tell(&self, words: &str) {
        let mut times = self.times.write().unwrap_or_else(PoisonError::into_inner);
        times.all += 1;
        let now = times.all;
        match words.split(',').map(str::parse).collect::<std::result::Result<Vec<i32>, _>>() {
            Ok(slots) => times.of.extend(slots.into_iter().map(|slot| (slot, now))),
            // Whoever says it otherwise says it to all.
            Err(_) => times.anybody = now,
        }
        drop(times);
        self.news.notify_waiters();
    }

    fn mark(&self) -> u64 {
        self.times.read().unwrap_or_else(PoisonError::into_inner).all
    }

    fn since(&self, turn: &Turn, mark: u64) -> bool {
        let times = self.times.read().unwrap_or_else(PoisonError::into_inner);
        times.anybody > mark || turn.slots().any(|slot| times.of.get(&slot).is_some_and(|at| *at > mark))
    }
}

/// The connection, as long as it stands, and the workers of this process: whether each has its lock on it.
#[derive(Default)]
struct Line {
    client: Option<Client>,
    workers: BTreeMap<String, bool>,
}

/// The connection beside the pools.
pub(crate) struct Link {
    address: Address,
    heard: Arc<Heard>,
    line: Mutex<Line>,
}

impl Link {
    /// A link; it is made when it is first needed.
    pub(crate) fn new(address: Address) -> Self {
        Self { address, heard: Arc::default(), line: Mutex::default() }
    }

    /// From when on [`Link::stirred`] is to tell what was heard.
    pub(crate) fn mark(&self) -> u64 {
        self.heard.mark()
    }

    /// Resolves when since a mark something may have come into these shares, or what they waited for may be decided.
    pub(crate) async fn stirred(&self, turn: &Turn, since: u64) {
        loop {
            let news = self.heard.news.notified();
            let mut news = std::pin::pin!(news);
            news.as_mut().enable();
            let connected = self.connect(&mut *self.line.lock().await).await;
            if self.heard.since(turn, since) {
                return;
            }
            match connected {
                Ok(()) => news.await,
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for what comes in");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Shows that a worker lives, from now on.
    pub(crate) async fn live(&self, worker: &str) -> Result<()> {
        let mut line = self.line.lock().await;
        line.workers.entry(worker.to_owned()).or_insert(false);
        self.connect(&mut line).await
    }

    /// A worker lives no more.
    pub(crate) async fn gone(&self, worker: &str) -> Result<()> {
        let mut line = self.line.lock().await;
        let held = line.workers.remove(worker) == Some(true);
        if let Some(client) = line.client.as_ref().filter(|client| held && !client.is_closed()) {
            client.query_one(GONE, &[&self.address.home, &worker]).await.map_err(database)?;
        }
        Ok(())
    }

    /// Makes the connection anew where it ended, and sees to it that each worker has their lock.
    async fn connect(&self, line: &mut Line) -> Result<()> {
        if line.client.as_ref().is_none_or(Client::is_closed) {
            line.workers.values_mut().for_each(|held| *held = false);
            line.client = None;
            let client = self.listen().await?;
            line.client = Some(client);
        }
        let Line { client: Some(client), workers } = line else { return Ok(()) };
        for (worker, held) in workers.iter_mut().filter(|(_, held)| !**held) {
            for _ in 0..3 {
                let row = client.query_one(LIVE, &[&self.address.home, worker]).await.map_err(database)?;
                *held = get(&row, 0)?;
                if *held {
                    break;
                }
                tokio::time::sleep(MOMENT).await;
            }
        }
        Ok(())
    }

    async fn listen(&self) -> Result<Client> {
        let (client, mut connection) = self.address.with(&[]).connect(NoTls).await.map_err(database)?;
        let heard = Arc::clone(&self.heard);
        tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(said) = message {
                    heard.tell(said.payload());
                }
            }
            // Whoever waits connects anew, and looks: something may have come in meanwhile.
            heard.tell("");
        });
        client.batch_execute(&format!("LISTEN {}", channel(&self.address.home))).await.map_err(database)?;
        Ok(client)
    }
}
