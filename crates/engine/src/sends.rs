//! What leaves the home: handed over on channels outside of it, and what comes of that.
//!
//! [`hand`] hands over what is due of one channel, once through; [`Engine::dispatch`] does so until it is told to stop, as [`lanes`] of
//! channels with their pace and breaker. What the pipeline must know of it is told as items of the channel's own source ([`told`]).
//! [`receipts`] asks what became of short messages of which nobody told.
//! [`permits`] keeps what people allowed, where a channel sends nothing else.
//! [`came_back`] takes bounces, complaints and those who want no more; [`log`] is what people see of it, try again and drop.
//! [`settings`] reads the file that names channels. Several processes may do all of it at once.

pub mod came_back;
mod gather;
mod hand;
mod lanes;
pub mod log;
pub mod permits;
pub mod receipts;
pub mod settings;
pub(crate) mod told;
mod word;

pub use hand::Dispatched;
pub(crate) use hand::micros;
pub use lanes::{Lane, Limit};
pub use log::price_text;
pub use told::SOURCE;
pub use zhiyin_reach::channel::{Again, Channel, Handed, Parcel};
pub use zhiyin_reach::email::{Email, Settings as EmailSettings, Tls};

use std::future::Future;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use crate::{Engine, clock};

/// How long a channel rests on which nothing is due.
const REST: Duration = Duration::from_millis(500);
/// How long to wait before trying a database again that did not answer.
const OUT_OF_REACH: Duration = Duration::from_secs(1);
/// How long what is being handed over may take once it is to stop; of what takes longer nobody knows what came of it.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How many are told to the pipeline at a time.
const TOLD_AT_ONCE: usize = 200;

impl Engine {
    /// Hands over what is due until it is told to stop; what is being handed over then may end. Whatever fails is tried again.
    pub async fn dispatch(&self, lanes: Vec<Lane>, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let telling = self.telling_sends(stopped.clone());
        let handing = join_all(lanes.into_iter().map(|lane| self.handing(lane, stopped.clone())));
        let working = async { tokio::join!(handing, telling) };
        tokio::pin!(working);
        tokio::select! {
            _ = &mut working => return,
            () = stop => {}
        }
        stopping.send_replace(true);
        if tokio::time::timeout(STOP_WITHIN, working).await.is_err() {
            tracing::warn!("channels: what came of what was being handed over is not known");
        }
    }

    async fn handing(&self, mut lane: Lane, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let rest = match self.hand_over(&mut lane, clock::wall()).await {
                Ok(handed) if handed.moved() > 0 => Duration::ZERO,
                Ok(_) => REST,
                Err(error) => {
                    tracing::warn!(channel = lane.name(), %error, "channels: nothing is handed over for now");
                    OUT_OF_REACH
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = stopped.changed() => {}
            }
        }
    }

    async fn telling_sends(&self, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            let rest = match self.tell_sends(TOLD_AT_ONCE).await {
                Ok(0) => REST,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "channels: the pipeline is not told for now; trying again");
                    OUT_OF_REACH
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = stopped.changed() => {}
            }
        }
    }
}
