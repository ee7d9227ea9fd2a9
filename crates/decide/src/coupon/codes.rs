//! Coupons that bear codes of a partner: of which upload each is, those first that are good for the shortest.

use zhiyin_model::coupon::PoolTake;
use zhiyin_model::coupon::codes::{CodeLot, CodeTake};
use zhiyin_model::id::CouponId;

use super::CouponRule;
use crate::Scene;
use crate::outcome::{Known, Missing, Outcome, Stop};

/// Asks for the uploads of an offer whose coupons bear codes.
pub(super) fn ask(rule: &CouponRule, known: &Known) -> Result<(), Stop> {
    let offer = &rule.terms.offer;
    match rule.codes.is_some() && !known.codes.contains_key(offer) {
        true => Err(Stop::Missing(Missing::Codes(offer.clone()))),
        false => Ok(()),
    }
}

/// Of which uploads so many codes come, one each; fewer where fewer are left. `None` where the offer's coupons bear none.
pub(super) fn take<'k>(
    scene: &Scene<'_>,
    rule: &CouponRule,
    known: &'k Known,
    n: u32,
    out: &Outcome,
) -> Result<Option<Vec<&'k CodeLot>>, Stop> {
    ask(rule, known)?;
    if rule.codes.is_none() {
        return Ok(None);
    }
    let mut taken = Vec::new();
    for lot in known.codes.get(&rule.terms.offer).into_iter().flatten() {
        if lot.valid_until <= scene.at || rule.codes.as_ref() != Some(&lot.partner) {
            continue;
        }
        let gone = known.pools.get(&lot.pool).copied().unwrap_or(lot.codes);
        let left = lot.codes.saturating_sub(gone).saturating_sub(out.coupons.took(&lot.pool));
        let wanted = (n as usize).saturating_sub(taken.len());
        let here = usize::try_from(left).unwrap_or(0).min(wanted);
        taken.extend(std::iter::repeat_n(lot, here));
    }
    Ok(Some(taken))
}

/// A coupon bears the next code of an upload.
pub(super) fn taken(lot: &CodeLot, coupon: CouponId, out: &mut Outcome) {
    out.coupons.codes.push(CodeTake { coupon, upload: lot.upload, pool: lot.pool.clone() });
    out.coupons.take(PoolTake { pool: lot.pool.clone(), amount: 1, size: Some(lot.codes) });
}
