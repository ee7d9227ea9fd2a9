//! An offer's coupon, ready to decide by.

use std::sync::Arc;

use zhiyin_condition::Condition;
use zhiyin_model::coupon::{CouponTerms, Holdings, Tally, chance_of};
use zhiyin_model::id::IdKey;
use zhiyin_model::playbook::claim::Validity;
use zhiyin_model::playbook::{Draw, Offer, Within};
use zhiyin_model::time::{Day, Ts, Zone};

/// Under which terms an offer's coupons are issued.
#[derive(Clone, Debug)]
pub struct CouponRule {
    /// The whole offer in canonical form: what a coupon was issued under.
    pub terms: Arc<CouponTerms>,
    /// For how long a coupon may be used.
    pub valid: Validity,
    /// So many days before it ends its member is reminded.
    pub remind_days: Option<u16>,
    /// One that was not used in its time is there for others again.
    pub gives_back: bool,
    /// Each bears a code of a partner, of those that were uploaded.
    pub codes: Option<String>,
    /// From when on none can be used any more, whatever else is said.
    pub ends: Option<Ts>,
    /// How members take it themselves, where they may.
    pub claim: Option<ClaimRule>,
    /// The offer's first day.
    pub from: Option<Day>,
    /// Its last day.
    pub until: Option<Day>,
    /// Members whom it is for.
    pub who: Option<Condition>,
    /// How many a member gets within which time.
    pub limits: Vec<(u64, Within)>,
    /// How many there are in all.
    pub stock: Option<i64>,
}

/// For how many days after a draw's last one its chances are among what members hold.
const CHANCE_DAYS: i32 = 90;

/// How members take a coupon themselves.
#[derive(Clone, Debug)]
pub struct ClaimRule {
    /// Members who may, beside those whom the offer is for.
    pub who: Option<Condition>,
    /// From when.
    pub from: Option<Ts>,
    /// From when they no longer may.
    pub until: Option<Ts>,
    /// What one costs in points.
    pub points: i64,
}

impl CouponRule {
    /// The rule of an offer; `None` if it has no coupon. `who` is its condition, `may_claim` its claim's, compiled.
    pub(crate) fn of(
        offer: &Offer,
        zone: &Zone,
        who: Option<Condition>,
        may_claim: Option<Condition>,
    ) -> Option<Self> {
        let coupon = offer.coupon.as_ref()?;
        // An offer is plain data: it serializes.
        let text = serde_json::to_string(offer).unwrap_or_default();
        // No secret: the key only keeps this hash apart from others.
        let hash = IdKey::from_bytes([0; 32]).digest("coupon terms", &[text.as_bytes()]);
        let limits = offer.limits.iter().filter(|limit| limit.per_member);
        Some(Self {
            terms: Arc::new(CouponTerms { hash, offer: offer.id.clone(), text }),
            valid: coupon.valid,
            remind_days: coupon.remind_days,
            gives_back: coupon.gives_back,
            codes: coupon.codes.clone(),
            ends: None,
            claim: offer.claim.as_ref().map(|claim| ClaimRule {
                who: may_claim,
                from: claim.from.map(|from| from.at(zone)),
                until: claim.until.map(|until| until.at(zone)),
                points: claim.points,
            }),
            from: offer.from,
            until: offer.until,
            who,
            limits: limits.map(|limit| (limit.times, limit.within)).collect(),
            stock: offer.stock.map(|stock| i64::try_from(stock).unwrap_or(i64::MAX)),
        })
    }

    /// The rule of a draw's chances, which are coupons of their own. `who` is its condition, compiled.
    pub(crate) fn of_draw(id: &str, draw: &Draw, zone: &Zone, who: Option<Condition>) -> Self {
        // A draw is plain data: it serializes.
        let text = serde_json::to_string(draw).unwrap_or_default();
        let hash = IdKey::from_bytes([0; 32]).digest("draw terms", &[id.as_bytes(), text.as_bytes()]);
        let limits = draw.limits.iter().filter(|limit| limit.per_member);
        Self {
            terms: Arc::new(CouponTerms { hash, offer: chance_of(id), text }),
            valid: Validity::Days(1),
            remind_days: None,
            gives_back: false,
            codes: None,
            ends: draw.until.map(|until| zone.start(until.plus(CHANCE_DAYS))),
            claim: None,
            from: draw.from,
            until: draw.until,
            who,
            limits: limits.map(|limit| (limit.times, limit.within)).collect(),
            stock: None,
        }
    }

    /// From when on one that is issued at an instant can no longer be used.
    pub(crate) fn valid_until(&self, zone: &Zone, at: Ts) -> Ts {
        self.ends.unwrap_or_else(|| self.valid.until(zone, at))
    }

    /// Its conditions, in an order that stays.
    pub(crate) fn conditions_mut(&mut self) -> impl Iterator<Item = &mut Condition> {
        let claim = self.claim.as_mut().and_then(|claim| claim.who.as_mut());
        self.who.as_mut().into_iter().chain(claim)
    }

    /// The limit that so many more on a day would exceed.
    pub fn limit_reached(&self, holdings: &Holdings, day: Day, n: u32) -> Option<(u64, Within)> {
        let tally = holdings.issued.get(&self.terms.offer)?;
        let over = |(times, within): &&(u64, Within)| {
            u64::from(counted(tally, *within, day)) + u64::from(n) > *times
        };
        self.limits.iter().find(over).copied()
    }
}

/// How often within the time that a day falls into.
pub(crate) fn counted(tally: &Tally, within: Within, day: Day) -> u32 {
    match within {
        Within::Day => tally.since(day),
        Within::Week => tally.since(monday(day)),
        Within::Month => tally.since(first_of_month(day)),
        Within::Campaign | Within::Ever => tally.total,
    }
}

/// The Monday of a day's week. Day 0, 1 January 1970, was a Thursday.
pub(crate) fn monday(day: Day) -> Day {
    Day(day.0 - (day.0 + 3).rem_euclid(7))
}

pub(crate) fn first_of_month(day: Day) -> Day {
    Day(day.0 - i32::from(day.date().day()) + 1)
}

/// Within which time, in words.
pub(crate) fn words(within: Within) -> &'static str {
    match within {
        Within::Day => "a day",
        Within::Week => "a week",
        Within::Month => "a month",
        Within::Campaign => "while it runs",
        Within::Ever => "in all",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        for (day, week, month) in [
            ("2025-03-05", "2025-03-03", "2025-03-01"),
            ("2025-03-03", "2025-03-03", "2025-03-01"),
            ("2025-03-02", "2025-02-24", "2025-03-01"),
            ("1969-12-31", "1969-12-29", "1969-12-01"),
        ] {
            let day = Day::parse(day).unwrap();
            assert_eq!(
                (monday(day), first_of_month(day)),
                (Day::parse(week).unwrap(), Day::parse(month).unwrap())
            );
        }
    }
}
