//! Sums of a simulation: each part of members adds to its own, which are added up at the end. Money in minor units.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// What a month came to under one set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MonthSum {
    /// Orders placed, and what was paid for them.
    pub(super) orders: i64,
    pub(super) paid: i64,
    /// Orders that an offer applied to.
    pub(super) touched: i64,
    /// Taken off goods by the charged offers; what of it came back with returns; taken off shipping.
    pub(super) off: i64,
    pub(super) off_back: i64,
    pub(super) shipping_off: i64,
    /// Points.
    pub(super) granted: i64,
    pub(super) taken_back: i64,
    pub(super) spent: i64,
    pub(super) expired: i64,
}

/// What an offer came to under one set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OfferSum {
    /// How often it applied: to so many orders.
    pub uses: i64,
    /// Members to whom it did.
    pub members: i64,
    /// What it took off goods.
    pub off: i64,
    /// What of that came back with returned goods.
    pub off_back: i64,
    /// What it took off shipping.
    pub shipping_off: i64,
    /// Points beyond those without it.
    pub points: i64,
    /// Coupons of it that were given.
    pub coupons_given: i64,
    /// Coupons of it that were used.
    pub coupons_used: i64,
    /// Coupons of it that expired.
    pub coupons_expired: i64,
    /// Coupons of it that are held at the end.
    pub coupons_held: i64,
    /// Pieces given as gifts.
    pub gifts: i64,
    /// Services given.
    pub services: i64,
}

/// What a campaign came to under one set of rules: nobody did anything else for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CampaignSum {
    /// Runs that began.
    pub began: i64,
    /// Messages that would have gone out.
    pub sent: i64,
    /// Messages to who is held out.
    pub held_out: i64,
    /// Messages that a guard-rail stopped.
    pub not_sent: i64,
    /// Points that it gave.
    pub points: i64,
    /// Coupons that it issued.
    pub coupons_issued: i64,
    /// Coupons of these that would have been used.
    pub coupons_used: i64,
    /// What those took off.
    pub taken_off: i64,
}

impl CampaignSum {
    /// Adds another.
    pub(super) fn add(&mut self, other: Self) {
        self.began += other.began;
        self.sent += other.sent;
        self.held_out += other.held_out;
        self.not_sent += other.not_sent;
        self.points += other.points;
        self.coupons_issued += other.coupons_issued;
        self.coupons_used += other.coupons_used;
        self.taken_off += other.taken_off;
    }
}

/// What one set of rules came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SideSum {
    pub(super) months: BTreeMap<(i16, i8), MonthSum>,
    pub(super) offers: BTreeMap<String, OfferSum>,
    pub(super) campaigns: BTreeMap<String, CampaignSum>,
    /// Recorded items that these rules refuse, by name.
    pub(super) refused: BTreeMap<String, i64>,
    /// Points that are there at the end, and what is owed of them.
    pub(super) outstanding: i64,
    pub(super) debt: i64,
    /// Orders whose best combination was not proved to be the best.
    pub(super) inexact: i64,
}

/// Who of a group gains, and who loses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupSum {
    /// Members of the group.
    pub members: i64,
    /// Members who gain.
    pub gain: i64,
    /// Members who lose.
    pub lose: i64,
    /// Money that those who gain are given more.
    pub money_gain: i64,
    /// Money that those who lose are given less, above zero.
    pub money_lose: i64,
    /// Points that members of the group are granted more; below zero: less.
    pub points: i64,
}

/// By what members are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// All of them.
    All,
    /// By the tier at the end, under the live rules.
    Tier,
    /// By the stage at the end, under the live rules.
    Lifecycle,
    /// By the audiences of the changed playbook, as of the end; one may be in several.
    Audience,
}

impl Grouping {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tier => "tier",
            Self::Lifecycle => "lifecycle",
            Self::Audience => "audience",
        }
    }
}

/// What is summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) live: SideSum,
    pub(super) changed: SideSum,
    pub(super) tiers: BTreeMap<(String, String), i64>,
    pub(super) groups: BTreeMap<(Grouping, String), GroupSum>,
    /// Members that were read; replayed; left out because they were erased; merged or parted.
    pub(super) read: i64,
    pub(super) replayed: i64,
    pub(super) erased: i64,
    pub(super) joined: i64,
    /// Events whose bodies were let go of.
    pub(super) untold: i64,
    /// Members whose replay under the live rules was compared with the record, and those that are equal to it.
    pub(super) compared: i64,
    pub(super) equal: i64,
    /// Orders without lines; what was discounted in the record already.
    pub(super) without_lines: i64,
    pub(super) recorded_off: i64,
}

fn merge<K: Ord, V: Default>(into: &mut BTreeMap<K, V>, from: BTreeMap<K, V>, add: impl Fn(&mut V, V)) {
    for (key, value) in from {
        add(into.entry(key).or_default(), value);
    }
}

impl MonthSum {
    /// Adds another.
    pub(super) fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.paid += other.paid;
        self.touched += other.touched;
        self.off += other.off;
        self.off_back += other.off_back;
        self.shipping_off += other.shipping_off;
        self.granted += other.granted;
        self.taken_back += other.taken_back;
        self.spent += other.spent;
        self.expired += other.expired;
    }

    /// What the charged offers cost in money.
    pub(super) const fn cost(&self) -> i64 {
        self.off - self.off_back + self.shipping_off
    }
}

impl OfferSum {
    fn add(&mut self, other: Self) {
        self.uses += other.uses;
        self.members += other.members;
        self.off += other.off;
        self.off_back += other.off_back;
        self.shipping_off += other.shipping_off;
        self.points += other.points;
        self.coupons_given += other.coupons_given;
        self.coupons_used += other.coupons_used;
        self.coupons_expired += other.coupons_expired;
        self.coupons_held += other.coupons_held;
        self.gifts += other.gifts;
        self.services += other.services;
    }

    /// What it cost in money.
    pub const fn cost(&self) -> i64 {
        self.off - self.off_back + self.shipping_off
    }
}

impl SideSum {
    fn add(&mut self, other: Self) {
        merge(&mut self.months, other.months, MonthSum::add);
        merge(&mut self.offers, other.offers, OfferSum::add);
        merge(&mut self.campaigns, other.campaigns, CampaignSum::add);
        merge(&mut self.refused, other.refused, |n, more| *n += more);
        self.outstanding += other.outstanding;
        self.debt += other.debt;
        self.inexact += other.inexact;
    }

    /// All months together.
    pub(super) fn total(&self) -> MonthSum {
        let mut total = MonthSum::default();
        self.months.values().for_each(|month| total.add(*month));
        total
    }
}

impl Tally {
    /// Adds what another part of members came to.
    pub(super) fn add(&mut self, other: Self) {
        self.live.add(other.live);
        self.changed.add(other.changed);
        merge(&mut self.tiers, other.tiers, |n, more| *n += more);
        merge(&mut self.groups, other.groups, |sum: &mut GroupSum, more| {
            sum.members += more.members;
            sum.gain += more.gain;
            sum.lose += more.lose;
            sum.money_gain += more.money_gain;
            sum.money_lose += more.money_lose;
            sum.points += more.points;
        });
        self.read += other.read;
        self.replayed += other.replayed;
        self.erased += other.erased;
        self.joined += other.joined;
        self.untold += other.untold;
        self.compared += other.compared;
        self.equal += other.equal;
        self.without_lines += other.without_lines;
        self.recorded_off += other.recorded_off;
    }
}
