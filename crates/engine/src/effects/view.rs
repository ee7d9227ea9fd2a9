//! What a campaign changed, as people and programs read it.

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_insight::ratio::MISMATCH;
use zhiyin_insight::words::{self, Beside, Unit};
use zhiyin_insight::{Effect, Interval, Sums, effect, verdict};
use zhiyin_model::money::Currency;

use super::tally::{Ask, Tally, Terms, What};

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Said {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Said {
    pub(super) fn of([zh, en]: [String; 2]) -> Self {
        Self { zh, en }
    }

    pub(super) fn both(zh: &str, en: &str) -> Self {
        Self { zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// An estimate, and between what the truth is. Shares are parts of 1, money is in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct IntervalView {
    /// The estimate.
    pub at: f64,
    /// From here.
    pub low: f64,
    /// To here.
    pub high: f64,
    /// The chance of an estimate as far from 0, if there were no difference.
    pub p_value: f64,
}

impl From<Interval> for IntervalView {
    fn from(of: Interval) -> Self {
        Self { at: of.at, low: of.low, high: of.high, p_value: of.p_value }
    }
}

/// An arm: all of its members since they were assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArmView {
    /// `holdout`, `treated`, or the number of a way of a split.
    pub arm: String,
    /// How many members.
    pub members: u64,
    /// How many messages went out to them.
    pub sent: i64,
    /// How many points the campaign gave them.
    pub points: i64,
    /// What coupons of its offers took off, in minor units, less what came back.
    pub coupon_cost: i64,
}

/// What members of an arm came to whose time is over.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeasuredArm {
    /// Which.
    pub arm: String,
    /// How many members.
    pub members: u64,
    /// What they came to, added up: so many of them, minor units, orders.
    pub sum: i64,
    /// Of each on average.
    pub mean: f64,
}

/// One measure of an arm beside the one that it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MeasureView {
    /// `conversion`, `revenue`, `orders`, `coupon_cost`, `back_7d`, `back_15d`, `category_7d`, `category_of_buyers_7d`, `margin`, `net`.
    pub measure: String,
    /// `share` (parts of 1), `money` (minor units) or `count`.
    pub unit: String,
    /// Within so many minutes of the assignment.
    pub within_minutes: i64,
    /// The arm that it is compared with.
    pub control: MeasuredArm,
    /// The other.
    pub treated: MeasuredArm,
    /// How many members of all arms are not counted yet: their time is not over.
    pub waiting: u64,
    /// The difference as it is when it is looked at once, at a time that was fixed before.
    pub fixed: Option<IntervalView>,
    /// The difference as it is however often it is looked at.
    pub sequential: Option<IntervalView>,
    /// The same in parts of the control arm's mean.
    pub relative: Option<IntervalView>,
    /// Which part of the variance was left after what members came to before was taken out.
    pub variance_left: Option<f64>,
    /// `more`, `less`, `open`, or `not_as_drawn`; nothing, where no difference can be stated.
    pub verdict: Option<String>,
    /// What it means.
    pub says: Said,
}

/// A split of the campaign: its ways are arms of an experiment, each compared with the first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExperimentView {
    /// The step, by its place in the playbook.
    pub place: String,
    /// Its arms.
    pub arms: Vec<ArmView>,
    /// How many went more than one way, or were held out as well: counted in none.
    pub contaminated: u64,
    /// The chance that arms that were drawn by these shares differ in size as much as these.
    pub sample_ratio: f64,
    /// What was measured.
    pub measures: Vec<MeasureView>,
}

/// Those who were assigned in one week.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CohortView {
    /// Its Monday, by the brand's calendar.
    pub from: String,
    /// Its Sunday.
    pub to: String,
    /// How many members were assigned, and count.
    pub members: u64,
    /// How many are not counted, as of the whole.
    pub contaminated: u64,
    /// The chance that arms that were drawn by these shares differ in size as much as these.
    pub sample_ratio: f64,
    /// Those held out, and the others.
    pub arms: Vec<ArmView>,
    /// What was measured of them.
    pub measures: Vec<MeasureView>,
}

/// What the campaign cost beside the margin that it brought, of all members of the treated arm whose time is over.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CostView {
    /// What its coupons took off, in minor units, since each was assigned.
    pub coupons: i64,
    /// What its points are worth, in minor units; nothing, where the playbook does not say.
    pub points: Option<i64>,
    /// What its messages cost, in minor units, as was said.
    pub sends: i64,
    /// Margin that would not have been there without it, before its costs: minor units.
    pub margin: Option<IntervalView>,
    /// The same after its costs.
    pub net: Option<IntervalView>,
    /// What it means.
    pub says: Said,
}

/// What a campaign changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EffectView {
    /// Its id in the playbook.
    pub campaign: String,
    /// What people call it, in the brand's first language.
    pub name: String,
    /// The instant it speaks of. Who turned out to be whom is as of now.
    pub as_of: String,
    /// The currency of its amounts.
    pub currency: String,
    /// How many members were assigned, and count.
    pub members: u64,
    /// How many are not counted: they were in both arms, since two people turned out to be one or the share of those held out
    /// changed.
    pub contaminated: u64,
    /// The chance that arms that were drawn by these shares differ in size as much as these: below 0.001 nothing is read of them.
    pub sample_ratio: f64,
    /// Those held out, and the others.
    pub arms: Vec<ArmView>,
    /// What was measured of them.
    pub measures: Vec<MeasureView>,
    /// The weeks in which members were assigned, the first first; none, where that was not asked.
    pub cohorts: Vec<CohortView>,
    /// Its splits.
    pub experiments: Vec<ExperimentView>,
    /// Costs against margin; nothing, where no margin was said.
    pub cost: Option<CostView>,
    /// What the numbers rest on.
    pub notes: Vec<Said>,
}

/// The columns of [`EffectView::rows`].
pub const COLUMNS: [&str; 11] = [
    "measure",
    "within",
    "arm",
    "members",
    "mean",
    "beside",
    "members_beside",
    "mean_beside",
    "difference",
    "low",
    "high",
];

impl EffectView {
    /// A line each measure of each comparison (the whole, its weeks, its splits), for a table: shares in percent, money in major units, sequential intervals.
    pub fn rows(&self) -> Vec<Vec<String>> {
        let exponent = Currency::parse(&self.currency).map_or(2, |currency| currency.exponent);
        let row = |place: &str, one: &MeasureView| {
            let unit = match one.unit.as_str() {
                "share" => Unit::Share,
                "money" => Unit::Money(self.currency.clone(), exponent),
                _ => Unit::Count,
            };
            let at = |pick: fn(&IntervalView) -> f64| {
                one.sequential.as_ref().map_or_else(String::new, |of| unit.number(pick(of)))
            };
            let arm = |arm: &str| if place.is_empty() { arm.to_owned() } else { format!("{place}: {arm}") };
            let days = one.within_minutes / 1_440;
            let within = if days > 0 { format!("{days}d") } else { format!("{}m", one.within_minutes) };
            vec![
                one.measure.clone(),
                within,
                arm(&one.treated.arm),
                one.treated.members.to_string(),
                unit.number(one.treated.mean),
                arm(&one.control.arm),
                one.control.members.to_string(),
                unit.number(one.control.mean),
                at(|of| of.at),
                at(|of| of.low),
                at(|of| of.high),
            ]
        };
        let splits = self.experiments.iter();
        let splits = splits.flat_map(|split| split.measures.iter().map(|one| row(&split.place, one)));
        let weeks = self.cohorts.iter().flat_map(|week| {
            let place = format!("week {}", week.from);
            week.measures.iter().map(|one| row(&place, one)).collect::<Vec<_>>()
        });
        self.measures.iter().map(|one| row("", one)).chain(weeks).chain(splits).collect()
    }
}

/// What arms are called.
pub(super) fn names(of: &Tally, is_split: bool) -> Vec<String> {
    let name = |at: usize| match (is_split, at) {
        (false, 0) => "holdout".to_owned(),
        (false, _) => "treated".to_owned(),
        (true, at) => (at + 1).to_string(),
    };
    (0..of.arms.len()).map(name).collect()
}

/// Arms with their totals.
pub(super) fn arms(of: &Tally, names: &[String]) -> Vec<ArmView> {
    let view = |(totals, name): (&super::tally::Totals, &String)| ArmView {
        arm: name.clone(),
        members: totals.members,
        sent: totals.sent,
        points: totals.points,
        coupon_cost: totals.off,
    };
    of.arms.iter().zip(names).map(view).collect()
}

/// What is compared.
pub(super) struct Compared<'a> {
    pub(super) tally: &'a Tally,
    pub(super) names: &'a [String],
    /// The two arms.
    pub(super) control: usize,
    pub(super) treated: usize,
    pub(super) sample_ratio: f64,
    pub(super) currency: &'a Currency,
}

impl Compared<'_> {
    fn beside(&self) -> [String; 2] {
        match self.names.get(self.control).map(String::as_str) {
            Some("holdout") => ["与对照组相比".to_owned(), "than the holdout".to_owned()],
            other => {
                let name = other.unwrap_or_default();
                [format!("与第 {name} 组相比"), format!("than arm {name}")]
            }
        }
    }

    fn arm(&self, sums: &Sums, at: usize) -> MeasuredArm {
        MeasuredArm {
            arm: self.names.get(at).cloned().unwrap_or_default(),
            members: sums.n,
            sum: i64::try_from(sums.y).unwrap_or(i64::MAX),
            mean: sums.mean_y(),
        }
    }

    /// The estimate of a measure, where there is one.
    fn effect(&self, at: usize, ask: &Ask) -> Option<Result<Effect, zhiyin_insight::NoEffect>> {
        let sums = self.tally.sums.get(at)?;
        let (control, treated) = (sums.get(self.control)?, sums.get(self.treated)?);
        Some(effect(ask.metric, control, treated, zhiyin_insight::Terms::default()))
    }

    /// One measure.
    pub(super) fn measure(&self, at: usize, ask: &Ask) -> MeasureView {
        let of =
            |arm: usize| self.tally.sums.get(at).and_then(|sums| sums.get(arm)).copied().unwrap_or_default();
        let unit = ask.unit(self.currency);
        let found = self.effect(at, ask);
        let word = |found: &Effect| verdict(found, self.sample_ratio, None);
        let (says, named) = match &found {
            Some(Ok(found)) => {
                let [zh, en] = self.beside();
                let beside: Beside<'_> = [&zh, &en];
                let name =
                    serde_json::to_value(word(found)).ok().and_then(|name| Some(name.as_str()?.to_owned()));
                (Said::of(words::said(found, word(found), &unit, beside)), name)
            }
            Some(Err(zhiyin_insight::NoEffect::NoVariance)) => {
                let zh = "有一组的会员结果全都相同，说不出差异的区间。";
                (Said::both(zh, "All members of an arm came to the same: no interval can be stated."), None)
            }
            _ => {
                let zh = "人数太少，说不出差异。";
                (Said::both(zh, "Too few members are in the arms to state a difference."), None)
            }
        };
        let found = found.and_then(Result::ok);
        MeasureView {
            measure: ask.name.to_owned(),
            unit: match ask.what {
                What::Orders => "count",
                What::Revenue | What::CouponCost | What::Margin | What::Net => "money",
                _ => "share",
            }
            .to_owned(),
            within_minutes: ask.within_us / 60_000_000,
            control: self.arm(&of(self.control), self.control),
            treated: self.arm(&of(self.treated), self.treated),
            waiting: self.tally.waiting.get(at).copied().unwrap_or(0),
            fixed: found.as_ref().map(|found| found.fixed.into()),
            sequential: found.as_ref().map(|found| found.sequential.into()),
            relative: found.as_ref().and_then(|found| found.relative_sequential).map(IntervalView::from),
            variance_left: found.as_ref().and_then(|found| found.variance_left),
            verdict: named,
            says,
        }
    }

    /// Costs against margin.
    pub(super) fn cost(&self, asks: &[Ask], terms: &Terms) -> Option<CostView> {
        terms.margin?;
        let totals = self.tally.arms.get(self.treated).copied().unwrap_or_default();
        let of_all = |what: What| {
            let (at, ask) = asks.iter().enumerate().find(|(_, ask)| ask.what == what)?;
            let members = self.tally.sums.get(at)?.get(self.treated)?.n;
            let found = self.effect(at, ask)?.ok().filter(|_| self.sample_ratio >= MISMATCH)?;
            Some(words::times(&found.sequential, members))
        };
        let (margin, net) = (of_all(What::Margin), of_all(What::Net));
        let unit = Unit::Money(self.currency.code.clone(), self.currency.exponent);
        let says = match &net {
            Some(net) => {
                let code = &self.currency.code;
                let [at, low, high] = [net.at, net.low, net.high].map(|value| unit.number(value));
                Said::of([
                    format!("扣除活动成本后，多赚的毛利估计为 {at} {code}（95% 区间 {low} 至 {high}）。"),
                    format!(
                        "After its costs the campaign earned about {at} {code} more (95% interval {low} to {high})."
                    ),
                ])
            }
            None => {
                Said::both("还算不出它多赚了多少。", "What it earned beyond its costs cannot be told yet.")
            }
        };
        Some(CostView {
            coupons: totals.off,
            points: terms.worth.map(|_| terms.worth_of(totals.points)),
            sends: totals.sent.saturating_mul(terms.send_cost),
            margin: margin.map(IntervalView::from),
            net: net.map(IntervalView::from),
            says,
        })
    }
}
