//! Claims at the door: what is sold out is answered there, and codes of what was claimed are told without a look-up.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use zhiyin_model::coupon::{CouponCode, stock_of};
use zhiyin_model::id::EventId;

use crate::boxed;
use crate::command::Asker;
use crate::{Engine, Result, clock};

/// How long what was read of a pool is believed. A piece that comes back is seen so much later, and no claim is let in that
/// should not be: those are decided by what is there then.
const BELIEVED: Duration = Duration::from_millis(50);
/// The most pools that are kept in mind: more offers than a playbook has.
const SEEN_MAX: usize = 1_024;

/// What is taken of pools, as it was read last.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<BTreeMap<String, (Instant, i64)>>);

impl Seen {
    fn get(&self, pool: &str) -> Option<i64> {
        let seen = self.0.lock().ok()?;
        seen.get(pool).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, taken)| *taken)
    }

    fn put(&self, pool: String, taken: i64) {
        let Ok(mut seen) = self.0.lock() else { return };
        if seen.len() >= SEEN_MAX {
            seen.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        }
        seen.insert(pool, (clock::stopwatch(), taken));
    }

    fn forget(&self, pool: &str) {
        if let Ok(mut seen) = self.0.lock() {
            seen.remove(pool);
        }
    }
}

/// Under what the codes that are left for an offer are kept in mind.
fn codes_seen(offer: &str) -> String {
    format!("codes left: {offer}")
}

impl Engine {
    /// More or fewer codes are left of an offer than this process has in mind.
    pub(super) fn codes_changed(&self, offer: &str) {
        self.seen.forget(&codes_seen(offer));
    }

    /// Whether nothing is left of an offer's pieces, as they were at most 50 ms ago: then nobody need wait in line for them.
    #[boxed]
    pub async fn is_sold_out(&self, offer: &str) -> Result<bool> {
        let live = self.live()?;
        if live.rules.coupons.get(offer).is_some_and(|rule| rule.codes.is_some()) {
            let seen = codes_seen(offer);
            let left = match self.seen.get(&seen) {
                Some(left) => left,
                None => {
                    let left = self.codes_left(offer).await?.unwrap_or(0);
                    self.seen.put(seen, left);
                    left
                }
            };
            if left <= 0 {
                return Ok(true);
            }
        }
        let Some(size) = live.rules.coupons.get(offer).and_then(|rule| rule.stock) else { return Ok(false) };
        let pool = stock_of(offer);
        if let Some(taken) = self.seen.get(&pool) {
            return Ok(taken >= size);
        }
        let taken = self.store().coupons().pools(vec![pool.clone()]).await?.into_values().sum();
        self.seen.put(pool, taken);
        Ok(taken >= size)
    }

    /// Codes of the coupons of an offer that a command issues: they follow from its idempotency key.
    #[boxed]
    pub async fn codes_of_command(&self, asker: &Asker<'_>, offer: &str, n: u32) -> Result<Vec<String>> {
        let key = self.home().await?.id_key;
        let source = asker.source();
        let cause: EventId = key.derive("event", &[source.as_bytes(), asker.idempotency_key.as_bytes()]);
        Ok((0..n).map(|ordinal| CouponCode::of(&key, cause, offer, ordinal).to_string()).collect())
    }
}
