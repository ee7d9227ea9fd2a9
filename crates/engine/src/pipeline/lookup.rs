//! Fetching what a decision asked for.

use std::collections::BTreeMap;

use zhiyin_decide::outcome::{Known, KnownCheckout, LotsAsked, Missing};
use zhiyin_decide::rules::Rules;
use zhiyin_model::event::{self, Origin};
use zhiyin_model::id::MemberId;
use zhiyin_model::till::Lease;
use zhiyin_store::checkouts::StoredCheckout;
use zhiyin_store::seal;
use zhiyin_store::{LotsWanted, Store, StoreError};

use crate::{Result, rebuild};

/// An event that says nothing: what is left of one whose member was erased.
const ERASED: &str = r#"{"context":{"externalIds":[{"id":"erased","type":"member"}]},"event":"Erased","properties":{},"type":"track"}"#;

/// Adds what was missing to what is known.
pub(super) async fn look_up(
    store: &dyn Store,
    rules: &Rules,
    known: &mut Known,
    missing: Missing,
    member: MemberId,
) -> Result<()> {
    match missing {
        Missing::OrderLines(id) => {
            let past =
                store.order_lines(id).await?.ok_or_else(|| damaged(format!("no lines of order {id}")))?;
            let body = match seal::open(&past.body) {
                // Sums of the order stay, its lines do not.
                Err(StoreError::Erased) => ERASED.to_owned(),
                body => body?,
            };
            let origin = Origin { user_namespace: &past.user_namespace, default_time: Some(past.time) };
            let read =
                event::read(body.as_bytes(), &origin).map_err(|refusal| damaged(refusal.to_string()))?;
            known.order_event = Some(read);
        }
        Missing::Lots(asked) => {
            let wanted = match &asked {
                LotsAsked::Covering(amount) => LotsWanted::Covering(*amount),
                LotsAsked::ExpiringAt(at) => LotsWanted::ExpiringAt(*at),
                LotsAsked::ActiveAt(at) => LotsWanted::ActiveAt(*at),
                LotsAsked::These(ids) => LotsWanted::These(ids),
            };
            let lots = store.lots(member, wanted).await?;
            known.lots.extend(lots.into_iter().map(|lot| (lot.id, lot)));
            known.lots_asked.push(asked);
        }
        Missing::Terms => known.terms = Some(store.terms(member).await?),
        Missing::Hold(id) => {
            known.holds.insert(id, store.hold(member, id).await?);
        }
        Missing::Past(id) => {
            known.past.insert(id, store.past_transfer(member, id).await?);
        }
        // A batch keeps these itself.
        Missing::Pool(_)
        | Missing::Pools(_)
        | Missing::Codes(_)
        | Missing::Checkout(_)
        | Missing::Lease(_)
        | Missing::Linked(_) => {
            return Err(damaged(format!("nobody looked up {missing:?}")).into());
        }
        Missing::History => known.history = Some(rebuild::history(store, rules, member).await?),
    }
    Ok(())
}

/// A lease, and what its pools have left. That is read before how the lease stands: whoever finds it open was told what it had
/// then, and where it ended in between the flush finds less than was told.
pub(super) async fn lease(store: &dyn Store, name: &str) -> Result<(Option<Lease>, BTreeMap<String, i64>)> {
    let Some(before) = store.tills().lease(name).await? else { return Ok((None, BTreeMap::new())) };
    let pools: Vec<String> = before.lease()?.pools().map(|(pool, _)| pool).collect();
    let left = store.coupons().pools(pools.clone()).await?;
    let lease = store.tills().lease(name).await?.map(|stored| stored.lease()).transpose()?;
    let left = pools.into_iter().map(|pool| {
        let left = left.get(&pool).copied().unwrap_or(0);
        (pool, left)
    });
    Ok((lease, left.collect()))
}

/// A checkout with its body opened.
pub(super) fn checkout(stored: StoredCheckout) -> Result<KnownCheckout> {
    let body = match seal::open(&stored.body) {
        // What it takes stays known.
        Err(StoreError::Erased) => None,
        body => Some(body?),
    };
    Ok(KnownCheckout { checkout: stored.checkout, body })
}

fn damaged(what: String) -> StoreError {
    StoreError::Damaged(what)
}

#[cfg(test)]
mod tests {
    use zhiyin_model::time::Ts;

    use super::*;

    #[test]
    fn what_is_left_of_an_erased_order_can_be_read() {
        let origin = Origin { user_namespace: "user", default_time: Some(Ts(0)) };
        assert_eq!(event::read(ERASED.as_bytes(), &origin).unwrap().name, "Erased");
    }
}
