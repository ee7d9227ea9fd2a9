//! Others are told of what happens: endpoints, and messages as Standard Webhooks has them.
//!
//! `pump` makes messages of the change feed, `deliver` sends them, and [`manage`] is what people do with endpoints.
//! [`Engine::tell`] does the first two until it is told to stop; each of them alone takes the time as a parameter. Several
//! processes may do all of it at once: a pump that comes second writes nothing, and a message is lent to one of them.

mod deliver;
mod derive;
pub mod manage;
mod pump;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::webhooks::{Endpoint, Forget};

use crate::boxed;
use crate::{Engine, Result, clock};
use deliver::Lanes;
pub use deliver::{AT_ONCE, Delivered, FAILING_DAYS_MAX};
pub use manage::WebhookProblem;
pub use pump::Pumped;
pub(crate) use pump::erased;
pub use zhiyin_reach::client::Client;
pub use zhiyin_reach::signature::Secret;

/// For how long messages are kept, whatever became of them.
pub const KEPT_DAYS: i64 = 30;
/// Messages that are forgotten at once.
const FORGOTTEN_AT_ONCE: usize = 10_000;
/// How long the pump rests where nothing came; where there is no endpoint, a little longer.
const PUMP_REST: Duration = Duration::from_millis(250);
const NOBODY_REST: Duration = Duration::from_secs(1);
/// How often it is looked for what is due.
const DELIVER_REST: Duration = Duration::from_millis(250);
/// How often old messages are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// How many parts of one endpoint's messages are sent before connections to it are made anew: where its name leads is looked at
/// again by then.
const PARTS_MAX: usize = 64;
/// How long what is being sent may take once it is to stop; what takes longer is sent again, later or by somebody else.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long to wait before trying a database again that did not answer.
const OUT_OF_REACH: Duration = Duration::from_secs(1);

impl Engine {
    /// Tells others until it is told to stop; what is being sent then may end. Whatever fails is tried again: telling others
    /// never ends the home's work.
    pub async fn tell(&self, client: &Client, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let delivering = self.delivering(client, stopped);
        tokio::pin!(delivering);
        tokio::select! {
            () = &mut delivering => return,
            _ = async { tokio::join!(self.pumping(), self.forgetting()) } => {}
            () = stop => {}
        }
        stopping.send_replace(true);
        if tokio::time::timeout(STOP_WITHIN, delivering).await.is_err() {
            tracing::info!("webhooks: what was being sent is sent again later");
        }
    }

    async fn pumping(&self) {
        loop {
            let rest = match self.pump(clock::wall()).await {
                Ok(pumped) if pumped.entries > 0 => continue,
                Ok(_) => match self.store().webhooks().pumped().await {
                    Ok(Some(_)) => PUMP_REST,
                    _ => NOBODY_REST,
                },
                Err(error) => {
                    tracing::warn!(%error, "webhooks: no messages are made for now; trying again");
                    OUT_OF_REACH
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Each endpoint's messages go by themselves, so that none holds up another.
    async fn delivering(&self, client: &Client, mut stopped: watch::Receiver<bool>) {
        let mut at_work: BTreeSet<String> = BTreeSet::new();
        let mut running = FuturesUnordered::new();
        while !*stopped.borrow() {
            match self.store().webhooks().endpoints().await {
                Ok(endpoints) => {
                    for endpoint in endpoints {
                        if endpoint.paused.is_none() && at_work.insert(endpoint.id.clone()) {
                            running.push(self.drain_endpoint(client, endpoint, stopped.clone()));
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "webhooks: endpoints cannot be read; trying again"),
            }
            let rest = tokio::time::sleep(if at_work.is_empty() { NOBODY_REST } else { DELIVER_REST });
            tokio::pin!(rest);
            loop {
                tokio::select! {
                    () = &mut rest => break,
                    _ = stopped.changed() => break,
                    Some(id) = running.next() => drop(at_work.remove(&id)),
                }
            }
        }
        while running.next().await.is_some() {}
    }

    /// Sends what is due of an endpoint, part by part, until nothing is or something failed; which endpoint it was.
    async fn drain_endpoint(
        &self,
        client: &Client,
        mut endpoint: Endpoint,
        stopped: watch::Receiver<bool>,
    ) -> String {
        let mut lanes = Lanes::of(client, &endpoint);
        for _ in 0..PARTS_MAX {
            match self.deliver_over(&mut lanes, &endpoint, clock::wall()).await {
                Ok(part) if part.is_idle() || part.failed > 0 || *stopped.borrow() => break,
                // It fares well by now, whatever was before.
                Ok(_) => (endpoint.failing_since, endpoint.failures) = (None, 0),
                Err(error) => {
                    tracing::warn!(endpoint = endpoint.id, %error, "webhooks: nothing is sent for now; trying again");
                    break;
                }
            }
        }
        endpoint.id
    }

    async fn forgetting(&self) {
        loop {
            if let Err(error) = self.forget_messages(clock::wall()).await {
                tracing::warn!(%error, "webhooks: old messages stay for now");
            }
            tokio::time::sleep(FORGET_EVERY).await;
        }
    }

    /// Forgets messages that were kept for long enough; how many of them nobody took, and how many there were.
    #[boxed]
    pub async fn forget_messages(&self, now: Ts) -> Result<(usize, usize)> {
        let before = Forget::Before(now.plus_us(-KEPT_DAYS * DAY_US));
        let (mut lost, mut gone) = (0, 0);
        loop {
            let (waiting, n) = self.store().webhooks().forget(before.clone(), FORGOTTEN_AT_ONCE).await?;
            (lost, gone) = (lost + waiting, gone + n);
            if n == 0 {
                break;
            }
        }
        if lost > 0 {
            tracing::warn!(lost, "webhooks: messages were forgotten that nobody took in time");
            self.measures.webhooks().lapsed(lost);
        }
        Ok((lost, gone))
    }
}
