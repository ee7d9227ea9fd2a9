//! Merchants of WeChat Pay, asked by themselves: their platform's certificates are kept fresh, and each day's bill is held against what was
//! told, so that what no notice told is found ([`bills`]); money that goes to people is followed until they have it or it came back
//! ([`payouts`]); and coupons in people's card packs are kept the same as those here ([`packs`]).
//!
//! Work is done in rounds, each of which does a bounded part, and is told the time. Several processes may do all of it at once.

mod bills;
pub mod packs;
pub mod payouts;
mod wallets;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use zhiyin_model::time::Ts;
pub use zhiyin_reach::wxpay::{CHANNEL, Pay, check};

use crate::platforms::Round;
use crate::sends::settings::Platforms;
use crate::{Engine, clock};

/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_secs(1);

/// One account of the brand's, which asks.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// What the brand calls it.
    pub account: String,
    /// The merchant.
    pub pay: Pay,
}

/// All merchants that can ask.
pub fn all(platforms: &Platforms) -> Vec<Merchant> {
    let can_ask = platforms.pays.iter().filter(|(_, pay)| pay.can_ask());
    can_ask.map(|(account, pay)| Merchant { account: account.clone(), pay: pay.clone() }).collect()
}

impl Engine {
    /// Makes every round of every merchant once. One that fails is logged and keeps no other from being made.
    pub async fn round_of_pays(&self, all: &[Merchant], wall: Ts) -> Round {
        let mut whole = Round::default();
        for merchant in all {
            if let Err(trouble) = merchant.pay.refresh().await {
                // It is asked for again after a minute.
                tracing::debug!(?merchant, %trouble, "certificates of the platform are not fetched for now");
            }
            let rounds = [
                self.bill_round(merchant, wall).await,
                self.payout_round(merchant, wall).await,
                self.pack_round(merchant, wall).await,
                self.wallet_round(merchant, wall).await,
            ];
            for round in rounds {
                match round {
                    Ok(Round { done, next }) => {
                        whole.done += done;
                        whole.next = whole.next.into_iter().chain(next).min();
                    }
                    Err(error) => {
                        tracing::warn!(?merchant, %error, "nothing is done for a merchant for now");
                    }
                }
            }
        }
        whole
    }

    /// Makes rounds of all merchants until told to stop.
    pub async fn work_pays(&self, all: Vec<Merchant>, stop: impl Future) {
        let mut stop = pin!(stop);
        if all.is_empty() {
            drop(stop.await);
            return;
        }
        loop {
            let round = self.round_of_pays(&all, clock::wall()).await;
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(if round.done > 0 { Duration::ZERO } else { REST }) => {}
            }
        }
    }
}
