//! How the home stands, asked of the store when somebody scrapes: at most once a second, one look at a time, and never
//! waited for longer than two seconds, so that scrapes cannot burden a database that is busy already.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zhiyin_store::Home;
use zhiyin_store::campaigns::arrivals::ArrivalCount;
use zhiyin_store::campaigns::sends::SendCount;
use zhiyin_store::read::Work;
use zhiyin_store::webhooks::{Endpoint, Standing};

use super::{
    DEAD_LETTERS, FEED_LAG, INBOX, INBOX_OLDEST, Metric, OFFSET, PLAYBOOK_VERSION, QUEUE, REPLICA_LAG,
    SHARES, SHARES_UNHELD, STORE_ANSWERS, register,
};
use crate::boxed;
use crate::{Engine, Result, clock};

/// How long one text answers for.
const KEPT: Duration = Duration::from_secs(1);
/// How long the store is waited for.
const WITHIN: Duration = Duration::from_secs(2);

/// How the home stands: itself, its work, whom it tells, what leaves it, and what came.
type Stands = (Home, Work, Vec<Endpoint>, Vec<Standing>, Vec<SendCount>, Vec<ArrivalCount>);

/// What the last scrape left.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    kept: Option<(Instant, String)>,
    look: Look<Result<Stands>>,
}

impl Engine {
    /// What is measured, in the text format of Prometheus, version 0.0.4. Where the store does not answer in time, what
    /// this process counted comes without how the home stands.
    #[boxed]
    pub async fn metrics(&self) -> String {
        let mut scrape = self.measures.scrape.lock().await;
        if let Some((at, text)) = &scrape.kept
            && at.elapsed() < KEPT
        {
            return text.clone();
        }
        let store = Arc::clone(self.store());
        let look = async move {
            let endpoints = store.webhooks().endpoints().await?;
            let told = if endpoints.is_empty() { Vec::new() } else { store.webhooks().standing().await? };
            let sends = store.coupons().campaigns().sends().counts().await?;
            let arrivals = store.coupons().campaigns().arrivals().count_arrivals().await?;
            Ok((store.home().await?, store.work().await?, endpoints, told, sends, arrivals))
        };
        let stands = match scrape.look.take(look, WITHIN).await {
            Some(Ok(stands)) => Some(stands),
            Some(Err(error)) => {
                tracing::warn!(%error, "metrics: the store does not say how the home stands");
                None
            }
            None => {
                tracing::warn!("metrics: the store does not say in time how the home stands");
                None
            }
        };
        let mut text = String::with_capacity(16 * 1024);
        let written = self
            .measures
            .write(&mut text)
            .and_then(|()| encode_registry(&mut text, &standing(stands.as_ref())));
        if let Err(error) = written {
            tracing::error!(%error, "metrics: a value cannot be written");
        }
        scrape.kept = Some((clock::stopwatch(), text.clone()));
        text
    }
}

/// How the home stands, as gauges.
fn standing(stands: Option<&Stands>) -> Registry {
    let mut registry = Registry::default();
    gauge(&mut registry, STORE_ANSWERS, stands.is_some().into());
    let Some((home, work, endpoints, told, sends, arrivals)) = stands else { return registry };
    let oldest = work.shares.iter().filter_map(|share| share.oldest).min();
    let age_us = oldest.map_or(0, |oldest| clock::now(home).0.saturating_sub(oldest.0));
    gauge(&mut registry, INBOX, work.shares.iter().map(|share| share.waiting).sum());
    gauge(&mut registry, INBOX_OLDEST, (age_us / 1_000_000).max(0));
    gauge(&mut registry, QUEUE, work.queued);
    gauge(&mut registry, DEAD_LETTERS, work.dead_letters);
    let held = work.shares.iter().filter_map(|share| Some((share.holder.clone()?, 1)));
    gauges(&mut registry, SHARES, "holder", held);
    let unheld = work.shares.iter().filter(|share| share.holder.is_none()).map(|_| 1);
    gauge(&mut registry, SHARES_UNHELD, unheld.sum());
    gauges(&mut registry, FEED_LAG, "consumer", work.feed.iter().cloned());
    gauges(&mut registry, REPLICA_LAG, "replica", work.replicas.iter().cloned());
    super::webhooks::stands(&mut registry, endpoints, told, clock::wall());
    super::sends::stands(&mut registry, sends);
    super::arrivals::stands(&mut registry, arrivals);
    gauge(&mut registry, PLAYBOOK_VERSION, home.version);
    gauge(&mut registry, OFFSET, home.offset_us / 1_000_000);
    registry
}

pub(super) fn gauge(registry: &mut Registry, metric: Metric, value: i64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(value);
    register(registry, metric, gauge);
}

/// One gauge a name; values of one name are added up.
pub(super) fn gauges(
    registry: &mut Registry,
    metric: Metric,
    label: &'static str,
    values: impl Iterator<Item = (String, i64)>,
) {
    let family = Family::<[(&'static str, String); 1], Gauge>::default();
    for (name, value) in values {
        family.get_or_create(&[(label, name)]).inc_by(value);
    }
    register(registry, metric, family);
}

/// One look at a time: one that took too long goes on, and who asks next waits for it instead of beginning another.
#[derive(Debug)]
struct Look<T> {
    running: Option<JoinHandle<T>>,
}

impl<T> Default for Look<T> {
    fn default() -> Self {
        Self { running: None }
    }
}

impl<T: Send + 'static> Look<T> {
    /// What the look saw, if it ends in time.
    async fn take(&mut self, look: impl Future<Output = T> + Send + 'static, within: Duration) -> Option<T> {
        // It stays here while it is waited for: whoever asks may go away.
        let running = self.running.get_or_insert_with(|| tokio::spawn(look));
        let ended = timeout(within, running).await.ok()?;
        self.running = None;
        ended.ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_look_that_takes_too_long_is_not_begun_again_but_waited_for() {
        let mut look = Look::default();
        let (end, ended) = oneshot::channel::<()>();
        let first = async move {
            drop(ended.await);
            1
        };
        let short = Duration::from_millis(10);
        assert_eq!(look.take(first, short).await, None);
        assert_eq!(look.take(async { 2 }, short).await, None);
        end.send(()).unwrap();
        let long = Duration::from_secs(60);
        assert_eq!(look.take(async { 3 }, long).await, Some(1));
        assert_eq!(look.take(async { 4 }, long).await, Some(4));
    }

    #[tokio::test]
    async fn a_look_that_breaks_down_is_none_and_the_next_begins_anew() {
        let mut look = Look::default();
        let within = Duration::from_secs(60);
        assert_eq!(look.take(async { panic!("planted") }, within).await, None::<u8>);
        assert_eq!(look.take(async { 1 }, within).await, Some(1));
    }

    #[test]
    fn a_store_that_does_not_answer_leaves_one_gauge() {
        let mut text = String::new();
        encode_registry(&mut text, &standing(None)).unwrap();
        assert!(text.ends_with("zhiyin_store_answers 0\n") && text.lines().count() == 3, "{text}");
    }
}
