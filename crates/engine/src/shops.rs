//! Shops, asked by themselves: what changed since the last look is read page by page and taken in as if it had been told, so that what no
//! webhook told is found.
//!
//! How far was read is kept, so whoever is ended in the middle goes on there. What was told is known again by what it says: what is found
//! is only what was not. Work is done in rounds, each of which reads one page of each shop, and is told the time. Several processes may
//! do all of it at once.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zhiyin_model::time::Ts;
use zhiyin_reach::platform::Trouble;
use zhiyin_reach::shops::Listed;
pub use zhiyin_reach::shops::{CHANNELS, Came, Fault, ShopNews};
use zhiyin_store::campaigns::mirror::{Reflect, ReflectionId, reflection_id};
use zhiyin_store::{StoreError, seal};

use crate::arrivals::door::arrival;
use crate::platforms::Round;
use crate::sends::settings::Platforms;
use crate::{Engine, Result, clock};

/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_secs(1);
/// How long one process has a shop that it reads, in microseconds.
const LENT_US: i64 = 120_000_000;
/// How often a shop is looked at, in microseconds.
const EVERY_US: i64 = 600_000_000;
/// How far each look goes back behind the one before, in seconds: clocks differ, and lists may be behind.
const OVERLAP_S: i64 = 120;
/// How soon a shop is asked again that could not be, in microseconds, and one that refuses.
const AGAIN_US: i64 = 30_000_000;
const REFUSED_AGAIN_US: i64 = 3_600_000_000;
/// How many are taken in at a time.
const AT_ONCE: usize = 500;
/// What kind of row it is.
const KIND: &str = "shop_orders";

/// One account of the brand's, which is asked.
#[derive(Clone)]
pub struct ShopAt {
    /// What the brand calls it.
    pub account: String,
    /// The shop.
    pub shop: Arc<dyn Listed>,
}

impl std::fmt::Debug for ShopAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.shop.channel(), self.account)
    }
}

/// All shops that can be asked.
pub fn all(platforms: &Platforms) -> Vec<ShopAt> {
    let can_ask = platforms.shops.iter().filter(|(_, shop)| shop.can_ask());
    can_ask.map(|((_, account), shop)| ShopAt { account: account.clone(), shop: Arc::clone(shop) }).collect()
}

/// How far a shop was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Looked {
    /// Since when, in seconds since 1970 UTC.
    from: i64,
    /// Until when; nothing where no look is under way.
    until: Option<i64>,
    /// What its next page is asked for by.
    next: Option<String>,
    /// Why it could not be asked, by a name.
    why: Option<String>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many pages were read.
    pub n_pages: usize,
    /// What was on them.
    pub n: usize,
    /// How much of it nobody had told.
    pub n_new: usize,
}

/// What a look was stopped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What the shop said, or did not.
    pub trouble: Trouble,
    /// When it goes on, by the wall clock.
    pub due: Ts,
}

/// What one page came to.
struct Step {
    found: Found,
    /// Whether it was the last of its look.
    is_last: bool,
    due: Ts,
    trouble: Option<Trouble>,
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("how far a shop was read: {what}"))
}

const fn seconds(at: Ts) -> i64 {
    at.0.div_euclid(1_000_000)
}

impl Engine {
    /// The row of a shop, and of which kind it is: one of its own, so that shops that are not asked here hold nobody up.
    async fn shop_row(&self, at: &ShopAt) -> Result<(String, ReflectionId)> {
        let key = self.home().await?.id_key;
        let id = reflection_id(&key, (at.shop.channel(), &at.account), KIND, &[]);
        let short: String = id.to_string().chars().take(16).collect();
        Ok((format!("{KIND}:{short}"), id))
    }

    async fn keep_looked(&self, at: &ShopAt, version: i64, looked: &Looked, due: Ts) -> Result<bool> {
        let (key, (kind, id)) = (self.home().await?.id_key, self.shop_row(at).await?);
        let body = serde_json::to_string(looked).map_err(|_| damaged("no JSON"))?;
        let about = key.digest("reflection", &[id.bytes()]);
        let row =
            Reflect { id, read: version, kind, part: id, due: Some(due), about, body: seal::seal(&body) };
        let written = self.store().coupons().campaigns().mirror().reflect(vec![row]).await?;
        Ok(written.first().copied().unwrap_or_default())
    }

    /// Reads a page of a shop, if one is due; nothing where none is.
    async fn look_at_shop(&self, at: &ShopAt, wall: Ts) -> Result<Option<Step>> {
        let mirror = self.store().coupons().campaigns().mirror();
        let (kind, id) = self.shop_row(at).await?;
        let Some(lent) = mirror.lend_reflections(&kind, wall, wall.plus_us(LENT_US), 1).await?.pop() else {
            if mirror.reflections(vec![id]).await?.is_empty() {
                // What was before a home knew of its shop is asked for by people.
                let looked = Looked { from: seconds(wall) - OVERLAP_S, until: None, next: None, why: None };
                self.keep_looked(at, 0, &looked, wall.plus_us(EVERY_US)).await?;
            }
            return Ok(None);
        };
        let looked: Looked =
            serde_json::from_str(&seal::open(&lent.body)?).map_err(|_| damaged("no JSON"))?;
        let until = looked.until.unwrap_or_else(|| seconds(wall));
        let (looked, step) = match at.shop.page(looked.from, until, looked.next.as_deref()).await {
            Ok(page) => {
                let n_new = self.take_page(at, &page.came, wall).await?;
                let found = Found { n_pages: 1, n: page.came.len(), n_new };
                let is_last = page.next.is_none();
                let looked = match page.next {
                    Some(next) => {
                        Looked { from: looked.from, until: Some(until), next: Some(next), why: None }
                    }
                    None => Looked { from: until - OVERLAP_S, until: None, next: None, why: None },
                };
                let due = if is_last { wall.plus_us(EVERY_US) } else { wall };
                (looked, Step { found, is_last, due, trouble: None })
            }
            Err(trouble) => {
                let rest_us = match &trouble {
                    Trouble::Later { rest, .. } => {
                        i64::try_from(rest.as_micros()).unwrap_or(AGAIN_US).max(AGAIN_US)
                    }
                    // Its first page may be had all the same.
                    _ if looked.next.is_some() => AGAIN_US,
                    _ => REFUSED_AGAIN_US,
                };
                tracing::warn!(shop = ?at, %trouble, "a shop's orders cannot be had for now");
                // What a page was to be asked for by may be good no longer: the look begins anew.
                let next = looked.next.filter(|_| matches!(trouble, Trouble::Later { .. }));
                let why = Some(trouble.why().to_owned());
                let due = wall.plus_us(rest_us);
                let looked = Looked { from: looked.from, until: looked.until, next, why };
                (looked, Step { found: Found::default(), is_last: false, due, trouble: Some(trouble) })
            }
        };
        // Whoever wrote it meanwhile knows as much, or was told to look further back.
        self.keep_looked(at, lent.version, &looked, step.due).await?;
        Ok(Some(step))
    }

    /// Keeps what a page shows, as if it had been told; how much was new.
    async fn take_page(&self, at: &ShopAt, came: &[Came], wall: Ts) -> Result<usize> {
        let key = self.home().await?.id_key;
        let mut n_new = 0;
        for some in came.chunks(AT_ONCE) {
            let of = (at.shop.channel(), at.account.as_str());
            let rows = some.iter().map(|one| arrival(&key, of, one.kept(&at.account), wall)).collect();
            let are_new = self.store().coupons().campaigns().arrivals().arrive(rows).await?;
            n_new += are_new.iter().filter(|is_new| **is_new).count();
        }
        for _ in 0..n_new {
            self.measures.arrivals().came(at.shop.channel(), "found", true);
        }
        Ok(n_new)
    }

    /// Has a shop looked at from an instant on, at once; where that is done, and by whom, does not matter.
    pub async fn look_back(&self, at: &ShopAt, since: Ts, wall: Ts) -> Result<()> {
        let mirror = self.store().coupons().campaigns().mirror();
        let (_, id) = self.shop_row(at).await?;
        loop {
            let row = mirror.reflections(vec![id]).await?.pop();
            let version = row.as_ref().map_or(0, |row| row.version);
            let looked = Looked { from: seconds(since), until: Some(seconds(wall)), next: None, why: None };
            if self.keep_looked(at, version, &looked, wall).await? {
                return Ok(());
            }
        }
    }

    /// Reads what is due of one shop, page by page, until its look is over; what was found, and what stopped it. Nothing where somebody
    /// else reads it.
    pub async fn look_through(
        &self,
        at: &ShopAt,
        wall: impl Fn() -> Ts,
    ) -> Result<Option<(Found, Option<Stopped>)>> {
        let mut found = Found::default();
        loop {
            let Some(step) = self.look_at_shop(at, wall()).await? else {
                return Ok((found.n_pages > 0).then_some((found, None)));
            };
            found.n_pages += step.found.n_pages;
            found.n += step.found.n;
            found.n_new += step.found.n_new;
            if let Some(trouble) = step.trouble {
                return Ok(Some((found, Some(Stopped { trouble, due: step.due }))));
            }
            if step.is_last {
                return Ok(Some((found, None)));
            }
        }
    }

    /// Reads a page of every shop that is due. One that fails is logged and keeps no other from being read.
    pub async fn round_of_shops(&self, all: &[ShopAt], wall: Ts) -> Round {
        let mut whole = Round::default();
        for at in all {
            match self.look_at_shop(at, wall).await {
                Ok(Some(step)) => {
                    whole.done += usize::from(step.trouble.is_none());
                    whole.next = whole.next.into_iter().chain([step.due]).min();
                    if step.found.n_new > 0 {
                        tracing::info!(shop = ?at, n_new = step.found.n_new, "orders were found that nobody told of");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(shop = ?at, %error, "a shop is not looked at for now"),
            }
        }
        whole
    }

    /// Makes rounds of all shops until told to stop.
    pub async fn work_shops(&self, all: Vec<ShopAt>, stop: impl Future) {
        let mut stop = pin!(stop);
        if all.is_empty() {
            drop(stop.await);
            return;
        }
        loop {
            let round = self.round_of_shops(&all, clock::wall()).await;
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(if round.done > 0 { Duration::ZERO } else { REST }) => {}
            }
        }
    }
}
