//! What decisions of a batch share: pools, codes, checkouts, leases and linked orders, read once and then as the batch leaves them.

use std::sync::Arc;

use zhiyin_decide::outcome::{Known, Missing};
use zhiyin_store::Wanted;

use super::{Batch, lookup};
use crate::Result;

impl Batch<'_> {
    /// Looks up what a batch keeps itself: read once, what it takes and writes of it comes on top, in order.
    pub(in crate::pipeline) async fn shared(&mut self, known: &mut Known, missing: &Missing) -> Result<bool> {
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
}
