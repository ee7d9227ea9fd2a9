//! What decisions of a batch share: pools, codes, checkouts, leases and linked orders, read once and then as the batch leaves them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use zhiyin_decide::outcome::{Known, KnownCheckout, Missing};
use zhiyin_model::coupon::codes::CodeLot;
use zhiyin_store::checkouts::CheckoutSet;
use zhiyin_store::{Wanted, seal};

use super::{Batch, lookup};
use crate::Result;

/// What a batch leaves to the next: what is taken of pools, and uploads of codes.
#[derive(Clone, Debug, Default)]
pub(in crate::pipeline) struct Carried {
    pools: Arc<BTreeMap<String, i64>>,
    codes: Arc<BTreeMap<String, Vec<CodeLot>>>,
}

impl Batch<'_> {
    /// Goes on where another batch of the same members' shares ended, which is being written meanwhile: until then look-ups wait.
    pub(in crate::pipeline) fn carries(&mut self, carried: Carried, before: Option<oneshot::Receiver<()>>) {
        (self.pools, self.codes) = (carried.pools, carried.codes);
        self.before = before;
    }

    /// What the next batch knows of what all share, if nothing but this one comes before it.
    pub(in crate::pipeline) fn carried(&self) -> Carried {
        Carried { pools: Arc::clone(&self.pools), codes: Arc::clone(&self.codes) }
    }

    /// Waits until the record says what was decided before.
    pub(in crate::pipeline) async fn look_back(&mut self) {
        if let Some(before) = self.before.take()
            && before.await.is_err()
        {
            // It was not written: then neither is this, and nobody waits for it.
            std::future::pending::<()>().await;
        }
    }

    /// Whether something that decisions share is not known here yet.
    fn is_shared_unknown(&self, missing: &Missing) -> bool {
        match missing {
            Missing::Pool(pool) => !self.pools.contains_key(pool),
            Missing::Pools(pools) => pools.iter().any(|pool| !self.pools.contains_key(pool)),
            Missing::Codes(offer) => !self.codes.contains_key(offer),
            _ => true,
        }
    }

    /// Looks up what a batch keeps itself: read once, what it takes and writes of it comes on top, in order.
    pub(in crate::pipeline) async fn shared(&mut self, known: &mut Known, missing: &Missing) -> Result<bool> {
        if self.is_shared_unknown(missing) {
            self.look_back().await;
        }
        let pools = match missing {
            Missing::Pool(pool) => vec![pool.clone()],
            Missing::Pools(pools) => pools.clone(),
            Missing::Codes(offer) => {
                if !self.codes.contains_key(offer) {
                    let lots = self.store.coupons().code_lots(offer).await?;
                    (known.pools, known.codes) = (Arc::default(), Arc::default());
                    Arc::make_mut(&mut self.pools)
                        .extend(lots.iter().map(|(lot, taken)| (lot.pool.clone(), *taken)));
                    let lots = lots.into_iter().map(|(lot, _)| lot).collect();
                    Arc::make_mut(&mut self.codes).insert(offer.clone(), lots);
                }
                known.pools = Arc::clone(&self.pools);
                known.codes = Arc::clone(&self.codes);
                return Ok(true);
            }
            Missing::Checkout(id) => {
                if !self.checkouts.contains_key(id) {
                    let found = self.store.coupons().checkout(*id).await?;
                    self.checkouts.insert(*id, found.map(lookup::checkout).transpose()?);
                }
                known.checkouts.insert(*id, self.checkouts.get(id).cloned().flatten());
                return Ok(true);
            }
            Missing::Lease(name) => {
                if !self.leases.contains_key(name) {
                    let (lease, left) = lookup::lease(self.store, name).await?;
                    // Nobody else holds them now, so they are not copied.
                    known.pools = Arc::default();
                    Arc::make_mut(&mut self.pools).extend(left);
                    self.leases.insert(name.clone(), lease.map(Arc::new));
                }
                known.leases.insert(name.clone(), self.leases.get(name).cloned().flatten());
                known.pools = Arc::clone(&self.pools);
                return Ok(true);
            }
            Missing::Linked(id) => {
                if !self.orders.contains_key(id) {
                    self.load(Wanted { orders: vec![*id], ..Wanted::default() }).await?;
                }
                if self.orders_were.get(id).is_some_and(|holder| self.closed.contains(holder)) {
                    return Ok(false);
                }
                known.linked = Some((*id, self.orders.get(id).cloned()));
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let pools: Vec<String> = pools.into_iter().filter(|pool| !self.pools.contains_key(pool)).collect();
        if !pools.is_empty() {
            let taken = self.store.coupons().pools(pools.clone()).await?;
            // What this batch took, or gave back, before it had to know is not in the record yet.
            let own = &self.flush.coupons.pools;
            let found = pools.into_iter().map(|pool| {
                let so_far: i64 = own.iter().filter(|take| take.pool == pool).map(|take| take.amount).sum();
                let taken = taken.get(&pool).copied().unwrap_or(0);
                (pool, taken + so_far)
            });
            let found: Vec<(String, i64)> = found.collect();
            // Nobody else holds it now, so it is not copied.
            known.pools = Arc::default();
            Arc::make_mut(&mut self.pools).extend(found);
        }
        known.pools = Arc::clone(&self.pools);
        Ok(true)
    }

    /// Takes a checkout into the flush; the last of an id counts, and a body that was said before stays.
    pub(super) fn checkout(&mut self, set: zhiyin_model::checkout::CheckoutSet) {
        let id = set.checkout.id;
        let known = self.checkouts.entry(id).or_default();
        let before = known.take().and_then(|known| known.body);
        *known = Some(KnownCheckout { checkout: set.checkout.clone(), body: set.body.clone().or(before) });
        let body = set.body.as_deref().map(seal::seal);
        match self.flush.checkouts.iter_mut().find(|known| known.checkout.id == id) {
            Some(known) => {
                known.checkout = set.checkout;
                known.body = body.or(known.body.take());
            }
            None => self.flush.checkouts.push(CheckoutSet { checkout: set.checkout, body }),
        }
    }
}
