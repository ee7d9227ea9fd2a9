//! What passed between the brand and its partners, in numbers, shard after shard.

use std::collections::BTreeMap;

use zhiyin_model::effect::PartnerDeed;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::partner::{Counting, PartnerSums};

use crate::digest::ALIASES;
use crate::report::orders_then;
use crate::rows::{Uuid, damaged, get, id};
use crate::survey::Survey;

pub(crate) const MOVES: &str = "SELECT partner, member, deed, MIN(at), COUNT(*)::bigint FROM {shard}.partner_move \
    WHERE at <= $1 GROUP BY partner, member, deed";
/// Orders that counted at an instant, of these members.
pub(crate) const ORDERS: &str = concat!(
    "SELECT member, time, paid - refunded FROM (",
    orders_then!(),
    ") o WHERE counts AND member = ANY($2::uuid[])"
);

pub(crate) async fn sums(survey: &Survey<'_>, at: Ts) -> Result<BTreeMap<String, PartnerSums>> {
    let mut roots: BTreeMap<MemberId, MemberId> = BTreeMap::new();
    for row in &survey.home(ALIASES, &[]).await? {
        roots.insert(id(row, 0)?, id(row, 1)?);
    }
    let mut counting = Counting::new(roots.clone());
    let mut brought: Vec<Uuid> = Vec::new();
    survey
        .each(MOVES, &[&at.0], |row| {
            let (partner, member): (&str, MemberId) = (get(row, 0)?, id(row, 1)?);
            let deed =
                PartnerDeed::from_code(get(row, 2)?).ok_or_else(|| damaged(2, "nothing that passes"))?;
            if deed == PartnerDeed::BroughtNew {
                brought.push(roots.get(&member).copied().unwrap_or(member).into());
            }
            counting.passed(partner, member, deed, (Ts(get(row, 3)?), get(row, 4)?));
            Ok(())
        })
        .await?;
    survey
        .each(ORDERS, &[&at.0, &brought], |row| {
            counting.order(id(row, 0)?, Ts(get(row, 1)?), get(row, 2)?);
            Ok(())
        })
        .await?;
    Ok(counting.sums())
}
