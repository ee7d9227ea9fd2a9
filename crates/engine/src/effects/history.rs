//! Campaigns of an old system, whose targets were chosen by people: told by events `Campaign Targeted` and `Coupon Redeemed` with
//! a `campaign_id`. Whoever was targeted is set beside everybody else who was known, and beside those of them who had spent alike
//! before; nobody drew lots, and every sentence says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use zhiyin_insight::words::{self, Unit};
use zhiyin_insight::{Metric, Stratum, Sums, effect, matched};
use zhiyin_model::event::names;
use zhiyin_model::id::MemberId;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_store::crowd::Whole;
use zhiyin_store::{PastEvent, seal};

use super::view::{IntervalView, Said};
use crate::boxed;
use crate::{Engine, EngineError, Result, clock, rebuild};

/// What somebody was targeted by is told by.
pub const TARGETED: &str = "Campaign Targeted";
/// How many members are read at once.
const PART_MEMBERS: usize = 500;
/// The most campaigns: those that began first.
const CAMPAIGNS_MAX: usize = 1_000;
/// The chance of missing the truth.
const ALPHA: f64 = 0.05;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct HistoryAsked {
    /// For how many days what was paid counts, from the first day of a campaign on.
    pub days: u16,
    /// How many days before it members are matched by.
    pub before_days: u16,
    /// As of the end of which day; now, where it is left out.
    pub day: Option<Day>,
}

impl Default for HistoryAsked {
    fn default() -> Self {
        Self { days: 30, before_days: 90, day: None }
    }
}

/// What can be said of a campaign whose targets were chosen by people. Money in minor units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetedView {
    /// What the old system calls it.
    pub campaign: String,
    /// Its kind, where that was told.
    pub kind: Option<String>,
    /// When the first member was targeted.
    pub from: String,
    /// For how many days from then on what was paid counts.
    pub days: u16,
    /// How many members were targeted.
    pub targeted: u64,
    /// How many were not, and were known before.
    pub others: u64,
    /// How many members used coupons of it.
    pub redeemers: u64,
    /// How many coupons of it were used.
    pub redemptions: u64,
    /// What a targeted member paid on average, less what came back.
    pub targeted_mean: f64,
    /// What another paid.
    pub others_mean: f64,
    /// The difference between all of them, at face value.
    pub at_face_value: Option<IntervalView>,
    /// The difference between the targeted and others who had spent alike before.
    pub matched: Option<IntervalView>,
    /// How many of the targeted had anybody like them.
    pub compared: u64,
    /// How many had not.
    pub alone: u64,
    /// What it means, with the warning that targeting was not random.
    pub says: Said,
}

/// Sums of a campaign.
#[derive(Clone, Debug, Default)]
struct Old {
    kind: Option<String>,
    from: Ts,
    targeted: Sums,
    others: Sums,
    strata: BTreeMap<u32, Stratum>,
    redeemers: u64,
    redemptions: u64,
}

/// What a member's events say of campaigns.
#[derive(Debug, Default)]
struct Told {
    targeted: BTreeMap<String, (Ts, Option<String>)>,
    redeemed: BTreeMap<String, u64>,
}

fn told(whole: &Whole, as_of: Ts) -> Result<Told> {
    let mut told = Told::default();
    let speaks = |event: &&PastEvent| event.name == TARGETED || event.name == names::COUPON_REDEEMED;
    let known = |event: &&PastEvent| event.time <= as_of && !seal::is_erased(&event.body);
    for event in whole.events.iter().filter(speaks).filter(known) {
        let read = rebuild::read(event)?;
        let text = |name: &str| read.properties.get(name).and_then(said);
        let Some(campaign) = text("campaign_id") else { continue };
        if event.name == TARGETED {
            let new = (event.time, text("campaign_type"));
            let known = told.targeted.entry(campaign).or_insert_with(|| new.clone());
            if new.0 < known.0 {
                *known = new;
            }
        } else {
            *told.redeemed.entry(campaign).or_default() += 1;
        }
    }
    Ok(told)
}

fn said(value: &Scalar) -> Option<String> {
    match value {
        Scalar::Text(text) => Some(text.clone()),
        Scalar::Number(number) => Some(number.normalize().to_string()),
        _ => None,
    }
}

/// Those who spent nothing are alike, and those whose spending differs by less than a quarter of an octave.
fn stratum(spent: i64) -> u32 {
    let Ok(spent) = u64::try_from(spent) else { return 0 };
    match spent.checked_ilog2() {
        None => 0,
        Some(octave) => {
            // The two digits after the first one.
            let quarter = if octave < 2 { 0 } else { (spent >> (octave - 2)) & 3 };
            1 + octave * 4 + u32::try_from(quarter).unwrap_or(0)
        }
    }
}

/// What was paid for orders that count, from an instant until before another.
fn paid(whole: &Whole, from: Ts, until: Ts) -> i64 {
    let counted = whole.orders.iter().map(|(order, _)| order);
    let counted = counted.filter(|order| order.counts() && order.time >= from && order.time < until);
    counted.map(|order| order.paid.0 - order.refunded.0).sum()
}

impl Engine {
    /// What can be said of campaigns of an old system, by when they began. Orders are as they stand now.
    #[boxed]
    pub async fn campaign_history(&self, asked: HistoryAsked) -> Result<Vec<TargetedView>> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        if let Some(day) = asked.day.filter(|day| *day > zone.day(now)) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let as_of = asked.day.map_or(now, |day| zone.end(day).min(now));
        let (days, before) = (i64::from(asked.days) * DAY_US, i64::from(asked.before_days) * DAY_US);
        let mut old = self.old_campaigns(as_of).await?;
        // What is not over says nothing yet.
        old.retain(|_, one| one.from.plus_us(days) <= as_of);
        if old.is_empty() {
            return Ok(Vec::new());
        }
        let mut after = None;
        loop {
            let part = self.store().crowd().after(after, PART_MEMBERS).await?;
            for whole in &part {
                let told = told(whole, as_of)?;
                for (id, one) in &mut old {
                    one.take(whole, &told, id, (days, before))?;
                }
            }
            match part.last().filter(|_| part.len() == PART_MEMBERS) {
                Some(last) => after = Some(last.member.id),
                None => break,
            }
        }
        let currency = &live.playbook.currency;
        let unit = Unit::Money(currency.code.clone(), currency.exponent);
        let mut views: Vec<(Ts, TargetedView)> =
            old.into_iter().map(|(id, one)| (one.from, one.view(id, asked.days, &unit))).collect();
        views.sort_by(|(a, one), (b, other)| (a, &one.campaign).cmp(&(b, &other.campaign)));
        Ok(views.into_iter().map(|(_, view)| view).collect())
    }

    /// Which campaigns there were, and when each began.
    async fn old_campaigns(&self, as_of: Ts) -> Result<BTreeMap<String, Old>> {
        let mut old: BTreeMap<String, Old> = BTreeMap::new();
        let mut after: Option<MemberId> = None;
        loop {
            let part = self.store().crowd().after(after, PART_MEMBERS).await?;
            for whole in &part {
                for (id, (from, kind)) in told(whole, as_of)?.targeted {
                    let new = || Old { from, ..Old::default() };
                    let one = old.entry(id).or_insert_with(new);
                    one.from = one.from.min(from);
                    one.kind = one.kind.take().or(kind);
                }
                bound(&mut old);
            }
            match part.last().filter(|_| part.len() == PART_MEMBERS) {
                Some(last) => after = Some(last.member.id),
                None => return Ok(old),
            }
        }
    }
}

/// No more are kept than may be: those that began last go.
fn bound(old: &mut BTreeMap<String, Old>) {
    if old.len() <= CAMPAIGNS_MAX {
        return;
    }
    let mut by_time: Vec<(Ts, String)> = old.iter().map(|(id, one)| (one.from, id.clone())).collect();
    by_time.sort();
    let gone: BTreeSet<String> = by_time.split_off(CAMPAIGNS_MAX).into_iter().map(|(_, id)| id).collect();
    old.retain(|id, _| !gone.contains(id));
}

impl Old {
    fn take(&mut self, whole: &Whole, told: &Told, id: &str, (days, before): (i64, i64)) -> Result<()> {
        let is_targeted = told.targeted.contains_key(id);
        let redeemed = told.redeemed.get(id).copied().unwrap_or(0);
        self.redeemers += u64::from(redeemed > 0);
        self.redemptions += redeemed;
        // Who came later could not have been chosen.
        if !is_targeted && whole.member.known_since >= self.from {
            return Ok(());
        }
        let y = paid(whole, self.from, self.from.plus_us(days));
        let x = paid(whole, self.from.plus_us(-before), self.from);
        let alike = self.strata.entry(stratum(x)).or_default();
        if is_targeted {
            self.targeted.add(y, x)?;
            alike.chosen.add(y, x)?;
        } else {
            self.others.add(y, x)?;
            alike.others.add(y, x)?;
        }
        Ok(())
    }

    fn view(self, campaign: String, days: u16, unit: &Unit) -> TargetedView {
        let strata: Vec<Stratum> = self.strata.into_values().collect();
        let terms = zhiyin_insight::Terms { alpha: ALPHA, ..zhiyin_insight::Terms::default() };
        let plain = effect(Metric::Mean { adjusted: false }, &self.others, &self.targeted, terms).ok();
        let found = matched(&strata, ALPHA).ok();
        let says = match &found {
            Some(found) => Said::of(words::said_matched(found, unit)),
            None => Said::both(
                "没有此前消费相近的其他人可比；名单也不是随机选出的，说不出效果。",
                "Nobody else had spent alike before, and nobody drew lots: its effect cannot be told.",
            ),
        };
        TargetedView {
            campaign,
            kind: self.kind,
            from: self.from.rfc3339(),
            days,
            targeted: self.targeted.n,
            others: self.others.n,
            redeemers: self.redeemers,
            redemptions: self.redemptions,
            targeted_mean: self.targeted.mean_y(),
            others_mean: self.others.mean_y(),
            at_face_value: plain.map(|found| found.fixed.into()),
            matched: found.map(|found| found.difference.into()),
            compared: found.map_or(0, |found| found.compared),
            alone: found.map_or(self.targeted.n, |found| found.alone),
            says,
        }
    }
}

/// The columns of [`rows`].
pub const COLUMNS: [&str; 14] = [
    "campaign",
    "kind",
    "from",
    "targeted",
    "others",
    "redeemers",
    "redemptions",
    "paid",
    "paid_others",
    "difference",
    "matched",
    "low",
    "high",
    "alone",
];

/// A line each campaign, for a table: money in major units.
pub fn rows(views: &[TargetedView], exponent: u32) -> Vec<Vec<String>> {
    let unit = Unit::Money(String::new(), exponent);
    let at = |of: &Option<IntervalView>, pick: fn(&IntervalView) -> f64| {
        of.as_ref().map_or_else(String::new, |of| unit.number(pick(of)))
    };
    let row = |one: &TargetedView| {
        vec![
            one.campaign.clone(),
            one.kind.clone().unwrap_or_default(),
            one.from.chars().take(10).collect(),
            one.targeted.to_string(),
            one.others.to_string(),
            one.redeemers.to_string(),
            one.redemptions.to_string(),
            unit.number(one.targeted_mean),
            unit.number(one.others_mean),
            at(&one.at_face_value, |of| of.at),
            at(&one.matched, |of| of.at),
            at(&one.matched, |of| of.low),
            at(&one.matched, |of| of.high),
            one.alone.to_string(),
        ]
    };
    views.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_spent_alike_is_in_one_stratum() {
        for (one, other, alike) in [
            (0, -5, true),
            (0, 1, false),
            (1_000, 1_020, true),
            (1_000, 1_300, false),
            (4, 5, false),
            (100_000, 105_000, true),
            (i64::MAX, i64::MAX - 1, true),
        ] {
            assert_eq!(stratum(one) == stratum(other), alike, "{one} {other}");
        }
    }
}
