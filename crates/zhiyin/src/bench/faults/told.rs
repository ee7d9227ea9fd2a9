//! Whom the home tells, while all goes wrong: messages are made and taken by a process that ends each time, now and then before
//! it could note what it sent. In the end whoever listens has heard all that an undisturbed run tells, under the same ids, and
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use zhiyin_engine::Engine;
use zhiyin_engine::webhooks::manage::{self, NewEndpoint};
use zhiyin_model::role::Grant;
use zhiyin_model::time::Ts;
use zhiyin_store::Store;
use zhiyin_store::webhooks::{Attempted, Fared, Log, Message, State};

use super::chance::Chance;
use super::plain;
use super::script::BEGINS;

/// The endpoint, by the chance that it is made of.
const ENDPOINT: &str = "0707070707070707";
/// Messages that are read at once.
const PAGE: usize = 1_000;
/// For how long messages are lent.
const LENT_US: i64 = 60_000_000;
/// How often it is looked for the end of the feed: on a server an entry shows once every transaction has ended that began
/// before it, those of other seeds, too.
const LOOKS_MAX: u32 = 100_000;

/// From now on somebody listens; what happens from the day on which business begins is news.
pub async fn begin(store: &dyn Store) -> Result<()> {
    let new = NewEndpoint { url: "https://example.com/".to_owned(), ..NewEndpoint::default() };
    let (made, _) = manage::make(store, &Grant::system("faults"), new, &[7; 24], BEGINS).await?;
    ensure!(made.id == ENDPOINT, "the endpoint is {}", made.id);
    store.set_clock(0, Some(BEGINS)).await?;
    Ok(())
}

/// Makes messages of all that happened.
pub async fn pump(engine: &Engine) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        let pumped = engine.pump(BEGINS).await?;
        let work = engine.store().work().await?;
        if pumped.entries == 0 && work.feed.iter().all(|(_, ahead)| *ahead == 0) {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    bail!("the feed does not come to its end")
}

/// All messages that were made, by kind and id.
pub async fn told(store: &dyn Store) -> Result<BTreeSet<String>> {
    let (mut told, mut before) = (BTreeSet::new(), None);
    loop {
        let log = Log { endpoint: ENDPOINT.to_owned(), state: None, before, limit: PAGE };
        let page = store.webhooks().messages(log).await?;
        before = page.last().map(|last| last.no);
        let n = told.len();
        told.extend(page.iter().map(named));
        ensure!(told.len() == n + page.len(), "a message was made twice");
        if page.len() < PAGE {
            return Ok(told);
        }
    }
}

fn named(message: &Message) -> String {
    format!("{} {}", message.message.kind, message.message.id)
}

/// Who listens.
#[derive(Debug)]
pub struct Ear {
    now: Ts,
    /// How often each was heard.
    heard: BTreeMap<String, u32>,
}

impl Ear {
    /// Somebody who heard nothing yet.
    pub const fn new() -> Self {
        Self { now: BEGINS, heard: BTreeMap::new() }
    }

    /// A process makes some messages, sends some, and ends: one in four times before it noted what it sent.
    pub async fn listen(&mut self, store: Arc<dyn Store>, chance: &mut Chance) -> Result<()> {
        let engine = Engine::open_with(store, 1, plain::decider).await?;
        engine.pump(BEGINS).await?;
        let limit = usize::try_from(1 + chance.below(32))?;
        let dies = chance.one_in(4);
        self.take(engine.store().as_ref(), limit, dies).await?;
        Ok(())
    }

    async fn take(&mut self, store: &dyn Store, limit: usize, dies: bool) -> Result<usize> {
        self.now = self.now.plus_us(1_000_000);
        let (now, hooks) = (self.now, store.webhooks());
        let revision = manage::endpoint(store, ENDPOINT).await?.revision;
        let lent = hooks.claim((ENDPOINT, revision), now, now.plus_us(LENT_US), limit).await?;
        for message in &lent {
            *self.heard.entry(named(message)).or_default() += 1;
        }
        let n = lent.len();
        if !dies && n > 0 {
            let taken = lent.into_iter().map(|message| Attempted {
                no: message.no,
                attempts: message.attempts,
                state: State::Delivered,
                due: now,
                tried_at: now,
                status: Some(200),
                error: None,
            });
            hooks.attempted(ENDPOINT, taken.collect(), Fared::Well).await?;
        }
        Ok(n)
    }

    /// All that was told is heard in the end, and nothing that was not.
    pub async fn end(&mut self, store: Arc<dyn Store>) -> Result<()> {
        let engine = Engine::open_with(store, 1, plain::decider).await?;
        pump(&engine).await?;
        let store = engine.store().as_ref();
        self.now = self.now.plus_us(LENT_US);
        while self.take(store, PAGE, false).await? > 0 {}
        let told = told(store).await?;
        let unheard: Vec<_> = told.iter().filter(|one| !self.heard.contains_key(*one)).collect();
        let untold: Vec<_> = self.heard.keys().filter(|one| !told.contains(*one)).collect();
        ensure!(unheard.is_empty() && untold.is_empty(), "never heard {unheard:?}, never told {untold:?}");
        Ok(())
    }
}
