//! Receipts that nobody told: of messages that were taken, or may have been, and cost something, the platform is asked what became of them.
//! And answers of people, where a platform is asked for them. What is found is kept as if it had been told, so it counts once.
//!
//! A message is asked for after ten minutes, then after as long as it waits already, for three days. Work is done in rounds, each of which
//! does a bounded part and is told the time; several processes may do all of it at once.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use zhiyin_model::identifier::normalise;
use zhiyin_model::playbook::campaign::SMS;
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_reach::channel::{Channel, Charge, Handed, Parcel};
use zhiyin_reach::door::Kept;
use zhiyin_reach::sms::Sms;
pub use zhiyin_reach::sms::{Account, CHANNEL, check};
use zhiyin_store::campaigns::sends::SendRow;

use super::settings::Platforms;
use super::word::{self, For};
use crate::arrivals::door::arrival;
use crate::{Engine, Result, clock};

/// How long nothing was there to do before it is looked again.
const REST: Duration = Duration::from_secs(15);
/// How long a receipt is asked for, in days.
const ASKED_DAYS: i64 = 3;
/// How many messages are asked for in a round.
const AT_ONCE: usize = 100;
/// How many of a member's numbers are tried, the last first.
const NUMBERS_MAX: usize = 3;
/// How often it is asked for more answers in a round.
const ANSWERS_MAX: usize = 20;

/// One account of the brand's.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What the brand calls it.
    pub name: String,
    /// The account.
    pub account: Account,
}

/// All accounts.
pub fn all(platforms: &Platforms) -> Vec<Sender> {
    let named = platforms.sms.iter();
    named.map(|(name, account)| Sender { name: name.clone(), account: account.clone() }).collect()
}

fn seconds(at: Ts) -> i64 {
    at.0.div_euclid(1_000_000)
}

/// Says something to a number at once, outside of any campaign: a code to sign in with, such as it was registered as a template. What came
/// of it is known to whoever asks and kept nowhere; nobody who says so later gets no more of it.
pub async fn say(all: &[Sender], phone: &str, text: &str, wall: Ts) -> Handed {
    let Ok(to) = normalise("phone", phone) else {
        return Handed::Refused { code: "phone_malformed".to_owned(), unreachable: false };
    };
    let channel = Sms::new(all.iter().map(|sender| sender.account.clone()).collect());
    let at_seconds = u64::try_from(seconds(wall)).unwrap_or(0);
    let parcel = Parcel { to, text: text.to_owned(), promised: true, at_seconds, ..Parcel::default() };
    let handed = tokio::time::timeout(channel.within(), channel.hand_over(&parcel)).await;
    handed.unwrap_or(Handed::Unknown { code: "timeout".to_owned() })
}

/// As how many parts a text would be billed that is sent to a number of mainland China, and what that would cost; nothing, where no
/// account would send it.
pub fn charge(all: &[Sender], text: &str, promised: bool, wall: Ts) -> Option<Charge> {
    let channel = Sms::new(all.iter().map(|sender| sender.account.clone()).collect());
    let at_seconds = u64::try_from(seconds(wall)).unwrap_or(0);
    let to = "+8613000000000".to_owned();
    channel.charge(&Parcel { to, text: text.to_owned(), promised, at_seconds, ..Parcel::default() })
}

impl Engine {
    /// Asks once for what nobody told; how much was found that was new.
    pub async fn round_of_receipts(&self, all: &[Sender], wall: Ts) -> Result<usize> {
        let mut found = self.answers(all, wall).await?;
        if all.is_empty() {
            return Ok(found);
        }
        let sends = self.store().coupons().campaigns().sends();
        let since = wall.plus_us(-ASKED_DAYS * DAY_US);
        for row in sends.unheard(SMS, wall, since, AT_ONCE).await? {
            found += self.ask_for(all, &row, wall).await?;
        }
        Ok(found)
    }

    /// Asks for the receipt of one message, at each account and each number of its member until somebody knows of it.
    async fn ask_for(&self, all: &[Sender], row: &SendRow, wall: Ts) -> Result<usize> {
        let names = self.store().identifiers_of(vec![row.member]).await?;
        let numbers = names.iter().rev().filter(|(_, namespace, _)| namespace == "phone");
        let key = self.home().await?.id_key;
        let word = word::word(&key, For::Mail, row.id);
        let serial = row.receipt.as_deref().unwrap_or_default();
        let sent_at = seconds(row.tried_at.unwrap_or(row.due));
        for (_, _, phone) in numbers.take(NUMBERS_MAX) {
            for sender in all {
                let about = (phone.as_str(), word.as_str(), serial);
                match sender.account.receipt(about, (sent_at, seconds(wall))).await {
                    Ok(Some(kept)) => return self.keep_found(&sender.name, vec![kept], wall).await,
                    Ok(None) => {}
                    Err(trouble) => {
                        // It is asked for again.
                        tracing::debug!(?sender, %trouble, "a receipt cannot be had for now");
                    }
                }
            }
        }
        Ok(0)
    }

    async fn answers(&self, all: &[Sender], wall: Ts) -> Result<usize> {
        let mut found = 0;
        for sender in all {
            for _ in 0..ANSWERS_MAX {
                match sender.account.replies(seconds(wall)).await {
                    Ok((kept, is_more)) => {
                        found += self.keep_found(&sender.name, kept, wall).await?;
                        if !is_more {
                            break;
                        }
                    }
                    Err(trouble) => {
                        tracing::debug!(?sender, %trouble, "answers cannot be had for now");
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Keeps what was found as if it had been told; how much was new.
    async fn keep_found(&self, account: &str, kept: Vec<Kept>, wall: Ts) -> Result<usize> {
        if kept.is_empty() {
            return Ok(0);
        }
        let key = self.home().await?.id_key;
        let all = kept.into_iter().map(|kept| arrival(&key, (CHANNEL, account), kept, wall)).collect();
        let are_new = self.store().coupons().campaigns().arrivals().arrive(all).await?;
        let n_new = are_new.iter().filter(|is_new| **is_new).count();
        for _ in 0..n_new {
            self.measures.arrivals().came(CHANNEL, "found", true);
        }
        Ok(n_new)
    }

    /// Asks again and again until told to stop.
    pub async fn work_receipts(&self, all: Vec<Sender>, stop: impl Future) {
        let mut stop = pin!(stop);
        if all.is_empty() {
            drop(stop.await);
            return;
        }
        loop {
            match self.round_of_receipts(&all, clock::wall()).await {
                Ok(found) if found > 0 => tracing::info!(found, "receipts were found that nobody told"),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "nobody is asked for receipts for now"),
            }
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(REST) => {}
            }
        }
    }
}
