//! What counts towards the limit of one person: not one transfer alone, but what was asked for within a day, however many it is sent in.

use zhiyin_model::id::MemberId;
use zhiyin_model::role::{Operation, second_person};
use zhiyin_model::time::{DAY_US, Ts};

use super::asked::ROWS;
use super::{OF_ASKER, OF_PERSON, Stage, opened};
use crate::pays::Merchant;
use crate::{Engine, Result};

/// The most transfers of somebody's that are added up; more are beyond any limit.
const COUNTED_MAX: usize = 20_000;

/// The day of an instant by the wall clock.
pub(super) fn day(at: Ts) -> String {
    at.rfc3339().chars().take(10).collect()
}

impl Stage {
    /// Whether the money left the house, or may.
    const fn counts(self) -> bool {
        !matches!(self, Self::Refused | Self::Cancelled | Self::Failed)
    }
}

impl Engine {
    /// Whether a transfer of so much, in minor units, needs a second person: with what the same one asked for within the last 24 hours, or
    /// with what the member gets of it, whoever asked, it is more than one person decides alone.
    pub(super) async fn payout_needs_two(
        &self,
        merchants: &[Merchant],
        (who, member, amount): (&str, MemberId, i64),
        wall: Ts,
    ) -> Result<bool> {
        let is_enough = |sum: i64| second_person(Operation::PayoutsMake, sum, &self.alone());
        let from = wall.plus_us(-DAY_US);
        let names = self.store().identifiers_of(vec![member]).await?;
        let openids = names.iter().filter(|(_, namespace, _)| namespace.starts_with("openid:"));
        // Whom they are for is looked for by each of their names, so as they are now, after whoever they were is one with them.
        let of_member =
            openids.map(|(_, namespace, openid)| (OF_PERSON, vec![namespace.as_str(), openid.as_str()]));
        let days = [day(from), day(wall)];
        let of_asker = days.iter().map(|day| (OF_ASKER, vec![who, day.as_str()]));
        for found_by in [of_asker.collect::<Vec<_>>(), of_member.collect()] {
            let mut sum = amount;
            for merchant in merchants {
                for (kind, names) in &found_by {
                    let ids = self.payouts_found_by(&merchant.account, kind, names, COUNTED_MAX).await?;
                    if ids.len() >= COUNTED_MAX {
                        return Ok(true);
                    }
                    let mirror = self.store().coupons().campaigns().mirror();
                    for some in ids.chunks(ROWS) {
                        if is_enough(sum) {
                            return Ok(true);
                        }
                        for row in mirror.reflections(some.to_vec()).await? {
                            let payout = opened(row)?.map(|row| row.payout);
                            let counts = payout.filter(|one| one.since > from && one.stage.counts());
                            sum = sum.saturating_add(counts.map_or(0, |one| one.asked.amount));
                        }
                    }
                }
            }
            if is_enough(sum) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
