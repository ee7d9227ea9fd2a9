//! What a simulation found, as programs and people read it. Every number says that behaviour is assumed unchanged.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::{Names, Playbook};
use zhiyin_model::time::Ts;

use super::tally::{CampaignSum, GroupSum, Grouping, MonthSum, OfferSum, Tally};

/// What stands beside every number, in English and Chinese.
pub const ASSUMED: &str = "behaviour assumed unchanged / 假设顾客行为不变";

/// The same for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Behaviour {
    /// Everybody did what the record says, whatever they were offered.
    #[default]
    #[serde(rename = "assumed_unchanged")]
    AssumedUnchanged,
}

/// Words by language, as the document describes them: `zh`, `en`.
type ByLanguage = BTreeMap<String, String>;

/// What a simulation found. Money in minor units.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Simulated {
    /// What is assumed, in words.
    #[schemars(with = "ByLanguage")]
    pub assumes: Names,
    /// What stands beside every number.
    pub behaviour: Behaviour,
    /// The brand's currency.
    pub currency: String,
    /// The first instant that is summed up, or `null` for the beginning.
    pub from: Option<String>,
    /// The last.
    pub to: String,
    /// What the changed playbook changes against the live one, in words.
    #[schemars(with = "Vec<ByLanguage>")]
    pub changes: Vec<Names>,
    /// Offers that were charged on both sides: those that differ, and what they interact with.
    pub charged: Vec<String>,
    /// What these numbers do not say, in words.
    #[schemars(with = "Vec<ByLanguage>")]
    pub notes: Vec<Names>,
    /// Who was replayed.
    pub members: MembersTold,
    /// Whether the replay under the live rules arrives where the record is.
    pub reproduced: Reproduced,
    /// What the record says was discounted already, where orders tell prices before discounts.
    pub discounted_in_the_record: i64,
    /// Sums over the whole time.
    pub totals: Vec<Measure>,
    /// The same for every month.
    pub months: Vec<MonthTold>,
    /// What each charged offer came to.
    pub offers: Vec<OfferTold>,
    /// What each campaign would have sent and issued, and what its coupons would have taken off.
    pub campaigns: Vec<CampaignTold>,
    /// Members by the tier at the end under the live and under the changed rules.
    pub tiers: Vec<TierShift>,
    /// Who gains and who loses.
    pub groups: Vec<GroupTold>,
    #[serde(skip)]
    minor: Currency,
}

/// Who was replayed.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct MembersTold {
    /// Members that were replayed.
    pub replayed: i64,
    /// Of those that were read, left out because they were erased.
    pub erased: i64,
    /// Members who were merged or parted: as one person from the beginning, under either set of rules.
    pub joined: i64,
    /// What the numbers of a sample are multiplied by for all, in thousandths; 1000 where all were replayed.
    pub factor_thousandths: i64,
    /// Whether it is a sample.
    pub sample: bool,
}

/// Whether the replay under the live rules arrives where the record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reproduced {
    /// Members who were compared: all that were replayed but those who were merged or parted. Under the live rules they are
    /// replayed as far as the record goes, also beyond the last day.
    pub compared: i64,
    /// Of these, those whose points, growth, tier and stage are exactly those of the record.
    pub equal: i64,
}

/// A number under the live and under the changed rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Measure {
    /// Of what.
    pub measure: &'static str,
    /// Whether it is money, in minor units.
    pub money: bool,
    /// Under the live rules.
    pub live: i64,
    /// Under the changed rules.
    pub changed: i64,
    /// What the change adds.
    pub difference: i64,
    /// What is assumed.
    pub behaviour: Behaviour,
}

/// A month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MonthTold {
    /// `YYYY-MM`, in the brand's zone.
    pub month: String,
    /// What it came to.
    pub measures: Vec<Measure>,
}

/// A charged offer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OfferTold {
    /// Its id.
    pub offer: String,
    /// What people call it.
    #[schemars(with = "ByLanguage")]
    pub name: Names,
    /// Under the live rules.
    pub live: OfferSum,
    /// Under the changed rules.
    pub changed: OfferSum,
    /// What the change adds to its cost, in minor units.
    pub cost_difference: i64,
    /// What is assumed.
    pub behaviour: Behaviour,
}

/// A campaign that was played: nobody did anything else for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CampaignTold {
    /// Its id.
    pub campaign: String,
    /// What people call it.
    #[schemars(with = "ByLanguage")]
    pub name: Names,
    /// Under the live rules: from when the home went live.
    pub live: CampaignSum,
    /// Under the changed rules: from the first day that is looked at.
    pub changed: CampaignSum,
    /// What is assumed.
    pub behaviour: Behaviour,
}

/// Members who end in a tier under the live rules, and in one under the changed rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TierShift {
    /// Under the live rules.
    pub live: String,
    /// Under the changed rules.
    pub changed: String,
    /// How many.
    pub members: i64,
    /// What is assumed.
    pub behaviour: Behaviour,
}

/// Who of a group gains and loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupTold {
    /// By what they are grouped.
    pub by: Grouping,
    /// Which group.
    pub group: String,
    /// What it comes to.
    #[serde(flatten)]
    pub sum: GroupSum,
    /// What is assumed.
    pub behaviour: Behaviour,
}

/// A table for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it shows.
    pub title: &'static str,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

/// What is told beside the sums.
pub(super) struct Beside {
    pub(super) currency: Currency,
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) changes: Vec<Names>,
    pub(super) charged: Vec<(String, Names)>,
    pub(super) campaigns: Vec<(String, Names)>,
    pub(super) notes: Vec<Names>,
    /// What a point is worth: so many minor units for so many points.
    pub(super) worth: Option<(i64, i64)>,
    pub(super) sample: bool,
    pub(super) factor_thousandths: i64,
}

fn measure(measure: &'static str, money: bool, live: i64, changed: i64) -> Measure {
    let behaviour = Behaviour::AssumedUnchanged;
    Measure { measure, money, live, changed, difference: changed - live, behaviour }
}

fn measures(live: &MonthSum, changed: &MonthSum) -> Vec<Measure> {
    let of = |name, money, pick: fn(&MonthSum) -> i64| measure(name, money, pick(live), pick(changed));
    vec![
        of("orders", false, |sum| sum.orders),
        of("paid", true, |sum| sum.paid),
        of("orders_with_offers", false, |sum| sum.touched),
        of("given_by_offers", true, |sum| sum.off + sum.shipping_off),
        of("given_back_with_returns", true, |sum| sum.off_back),
        of("offers_cost", true, MonthSum::cost),
        of("points_granted", false, |sum| sum.granted),
        of("points_taken_back", false, |sum| sum.taken_back),
        of("points_spent", false, |sum| sum.spent),
        of("points_expired", false, |sum| sum.expired),
    ]
}

impl Simulated {
    pub(super) fn of(tally: &Tally, beside: Beside) -> Self {
        let behaviour = Behaviour::AssumedUnchanged;
        let (live, changed) = (&tally.live, &tally.changed);
        let mut totals = measures(&live.total(), &changed.total());
        totals.push(measure("points_outstanding", false, live.outstanding, changed.outstanding));
        totals.push(measure("points_owed_by_members", false, live.debt, changed.debt));
        if let Some((minor, points)) = beside.worth {
            let worth = |held: i64| {
                let worth = i128::from(held) * i128::from(minor) / i128::from(points.max(1));
                i64::try_from(worth).unwrap_or(i64::MAX)
            };
            let worths = (worth(live.outstanding), worth(changed.outstanding));
            totals.push(measure("points_liability", true, worths.0, worths.1));
        }
        let refused = |side: &super::tally::SideSum| side.refused.values().sum::<i64>();
        totals.push(measure("items_refused", false, refused(live), refused(changed)));
        totals.push(measure("orders_not_proved_best", false, live.inexact, changed.inexact));
        let mut months: Vec<(i16, i8)> = live.months.keys().chain(changed.months.keys()).copied().collect();
        months.sort_unstable();
        months.dedup();
        let of_month = |(year, month): (i16, i8)| {
            let sum =
                |side: &super::tally::SideSum| side.months.get(&(year, month)).copied().unwrap_or_default();
            MonthTold {
                month: format!("{year:04}-{month:02}"),
                measures: measures(&sum(live), &sum(changed)),
            }
        };
        let offers = beside.charged.iter().map(|(offer, name)| {
            let sum = |side: &super::tally::SideSum| side.offers.get(offer).copied().unwrap_or_default();
            let (live, changed) = (sum(live), sum(changed));
            let cost_difference = changed.cost() - live.cost();
            OfferTold { offer: offer.clone(), name: name.clone(), live, changed, cost_difference, behaviour }
        });
        let campaigns = beside.campaigns.iter().map(|(campaign, name)| {
            let sum =
                |side: &super::tally::SideSum| side.campaigns.get(campaign).copied().unwrap_or_default();
            let (live, changed) = (sum(live), sum(changed));
            CampaignTold { campaign: campaign.clone(), name: name.clone(), live, changed, behaviour }
        });
        let tiers = tally.tiers.iter().map(|((live, changed), members)| TierShift {
            live: live.clone(),
            changed: changed.clone(),
            members: *members,
            behaviour,
        });
        let groups = tally.groups.iter().map(|((by, group), sum)| GroupTold {
            by: *by,
            group: group.clone(),
            sum: *sum,
            behaviour,
        });
        let assumes = Names::both(
            "以下每个数字都假设顾客行为不变：不多来、不少来、不多买、不少买",
            "every number here assumes that behaviour is unchanged: nobody comes or buys more or less often, or otherwise",
        );
        Self {
            assumes,
            behaviour,
            currency: beside.currency.code.clone(),
            from: beside.from,
            to: beside.to,
            changes: beside.changes,
            charged: beside.charged.iter().map(|(id, _)| id.clone()).collect(),
            notes: beside.notes,
            members: MembersTold {
                replayed: tally.replayed,
                erased: tally.erased,
                joined: tally.joined,
                factor_thousandths: beside.factor_thousandths,
                sample: beside.sample,
            },
            reproduced: Reproduced { compared: tally.compared, equal: tally.equal },
            discounted_in_the_record: tally.recorded_off,
            totals,
            months: months.into_iter().map(of_month).collect(),
            offers: offers.collect(),
            campaigns: campaigns.collect(),
            tiers: tiers.collect(),
            groups: groups.collect(),
            minor: beside.currency,
        }
    }

    /// A total by its name.
    pub fn total(&self, name: &str) -> Option<&Measure> {
        self.totals.iter().find(|measure| measure.measure == name)
    }

    fn amount(&self, minor: i64) -> String {
        self.minor.to_major(Money(minor)).to_string()
    }

    fn value(&self, money: bool, value: i64) -> String {
        if money { self.amount(value) } else { value.to_string() }
    }

    /// All numbers as one table, a line each: `section, key, measure, live, changed, difference, behaviour`. Money in major units.
    pub fn lines(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut put = |section: &str, key: &str, measure: &str, numbers: [String; 3]| {
            let mut row = vec![section.to_owned(), key.to_owned(), measure.to_owned()];
            row.extend(numbers);
            row.push("assumed_unchanged".to_owned());
            rows.push(row);
        };
        let of = |m: &Measure| [m.live, m.changed, m.difference].map(|value| self.value(m.money, value));
        for m in &self.totals {
            put("total", "", m.measure, of(m));
        }
        for month in &self.months {
            for m in &month.measures {
                put("month", &month.month, m.measure, of(m));
            }
        }
        for offer in &self.offers {
            for (name, money, pick) in OFFER_MEASURES {
                let (live, changed) = (pick(&offer.live), pick(&offer.changed));
                let numbers = [live, changed, changed - live].map(|value| self.value(money, value));
                put("offer", &offer.offer, name, numbers);
            }
        }
        for told in &self.campaigns {
            for (name, money, pick) in CAMPAIGN_MEASURES {
                let (live, changed) = (pick(&told.live), pick(&told.changed));
                let numbers = [live, changed, changed - live].map(|value| self.value(money, value));
                put("campaign", &told.campaign, name, numbers);
            }
        }
        for shift in &self.tiers {
            let key = format!("{} > {}", shift.live, shift.changed);
            put("tier", &key, "members", [String::new(), shift.members.to_string(), String::new()]);
        }
        for group in &self.groups {
            let key = if group.group.is_empty() {
                group.by.name().to_owned()
            } else {
                format!("{}:{}", group.by.name(), group.group)
            };
            for (name, value) in self.group_numbers(&group.sum) {
                put("group", &key, name, [String::new(), String::new(), value]);
            }
        }
        let columns = ["section", "key", "measure", "live", "changed", "difference", "behaviour"];
        (columns.map(str::to_owned).to_vec(), rows)
    }

    fn group_numbers(&self, sum: &GroupSum) -> [(&'static str, String); 6] {
        [
            ("members", sum.members.to_string()),
            ("gain", sum.gain.to_string()),
            ("lose", sum.lose.to_string()),
            ("money_gain", self.amount(sum.money_gain)),
            ("money_lose", self.amount(sum.money_lose)),
            ("points", sum.points.to_string()),
        ]
    }

    /// Tables for people.
    pub fn tables(&self) -> Vec<Shown> {
        let texts = |columns: &[&str]| columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>();
        let totals = self.totals.iter().map(|m| {
            let [live, changed, difference] =
                [m.live, m.changed, m.difference].map(|value| self.value(m.money, value));
            vec![m.measure.to_owned(), live, changed, difference]
        });
        let picked = ["offers_cost", "orders_with_offers", "points_granted", "points_expired"];
        let months = self.months.iter().map(|month| {
            let mut row = vec![month.month.clone()];
            for name in picked {
                let found = month.measures.iter().find(|m| m.measure == name);
                row.extend(found.map(|m| self.value(m.money, m.changed)));
                row.extend(found.map(|m| self.value(m.money, m.difference)));
            }
            row
        });
        let offers = self.offers.iter().map(|offer| {
            let sum = &offer.changed;
            let mut row = vec![offer.offer.clone()];
            row.extend([sum.uses, sum.members].map(|value| value.to_string()));
            row.push(self.amount(sum.cost()));
            row.push(self.amount(offer.cost_difference));
            let rest = [
                sum.points,
                sum.coupons_given,
                sum.coupons_used,
                sum.coupons_expired,
                sum.gifts + sum.services,
            ];
            row.extend(rest.map(|value| value.to_string()));
            row
        });
        let campaigns = self.campaigns.iter().map(|told| {
            let mut row = vec![told.campaign.clone()];
            row.extend(CAMPAIGN_MEASURES.map(|(_, money, pick)| self.value(money, pick(&told.changed))));
            row
        });
        let mut of_campaigns = vec!["campaign"];
        of_campaigns.extend(CAMPAIGN_MEASURES.map(|(name, ..)| name));
        let tiers = self
            .tiers
            .iter()
            .map(|shift| vec![shift.live.clone(), shift.changed.clone(), shift.members.to_string()]);
        let groups = self.groups.iter().map(|group| {
            let mut row = vec![group.by.name().to_owned(), group.group.clone()];
            row.extend(self.group_numbers(&group.sum).map(|(_, value)| value));
            row
        });
        let tables = [
            ("totals 合计", texts(&["measure", "live", "changed", "difference"]), totals.collect()),
            (
                "offers 优惠（changed 规则下）",
                texts(&[
                    "offer", "uses", "members", "cost", "cost +/-", "points", "coupons", "used", "expired",
                    "given",
                ]),
                offers.collect(),
            ),
            (
                "months 月度（changed，+/− 为差额）",
                texts(&["month", "cost", "+/-", "orders", "+/-", "granted", "+/-", "expired", "+/-"]),
                months.collect(),
            ),
            ("campaigns 活动（changed 规则下）", texts(&of_campaigns), campaigns.collect()),
            ("tiers at the end 期末等级", texts(&["live", "changed", "members"]), tiers.collect()),
            (
                "who gains, who loses 谁受益、谁受损",
                texts(&["by", "group", "members", "gain", "lose", "money_gain", "money_lose", "points"]),
                groups.collect::<Vec<_>>(),
            ),
        ];
        tables.into_iter().map(|(title, columns, rows)| Shown { title, columns, rows }).collect()
    }

    /// The cost of the change for all, estimated from a sample, in major units; nothing where all were replayed.
    pub fn estimate(&self) -> Option<String> {
        let cost = self.total("offers_cost").filter(|_| self.members.sample)?.difference;
        let all = i128::from(cost) * i128::from(self.members.factor_thousandths) / 1000;
        Some(self.amount(i64::try_from(all).unwrap_or(i64::MAX)))
    }
}

/// Campaigns of either playbook, by id.
pub(super) fn campaigns(live: &Playbook, changed: &Playbook) -> Vec<(String, Names)> {
    let all: BTreeMap<&String, &Names> =
        live.campaigns.iter().chain(&changed.campaigns).map(|(id, campaign)| (id, &campaign.name)).collect();
    all.into_iter().map(|(id, name)| (id.clone(), name.clone())).collect()
}

/// What the numbers of campaigns rest on.
pub(super) fn of_campaigns(campaigns: &[(String, Names)], live_since: Option<Ts>) -> Vec<Names> {
    if campaigns.is_empty() {
        return Vec::new();
    }
    let mut notes = vec![
        Names::both(
            "营销活动照规则演算：会发多少、发多少券、这些券会抵扣多少；没有人因为收到消息而多来或多买",
            "campaigns are played by their rules: what they would send and issue, and what those coupons would take off; nobody comes or buys more because of them",
        ),
        Names::both(
            "渠道额度、活动总量、暂停与库存是全体共享的，演算未计入，数字为上限",
            "what all members share (quotas of channels, ceilings, pauses, stock) is not counted: numbers are upper bounds",
        ),
    ];
    if live_since.is_none() {
        notes.push(Names::both(
            "店铺尚未上线，现行规则下的活动没有发生过：live 一栏为 0",
            "the home is not live, so campaigns of the live rules never acted: their numbers are 0",
        ));
    }
    notes
}

type Pick = fn(&OfferSum) -> i64;
type PickOf = fn(&CampaignSum) -> i64;

/// What is told of each campaign, and whether it is money.
const CAMPAIGN_MEASURES: [(&str, bool, PickOf); 8] = [
    ("began", false, |sum| sum.began),
    ("sent", false, |sum| sum.sent),
    ("held_out", false, |sum| sum.held_out),
    ("not_sent", false, |sum| sum.not_sent),
    ("coupons_issued", false, |sum| sum.coupons_issued),
    ("coupons_used", false, |sum| sum.coupons_used),
    ("taken_off", true, |sum| sum.taken_off),
    ("points", false, |sum| sum.points),
];

/// What is told of each offer, and whether it is money.
const OFFER_MEASURES: [(&str, bool, Pick); 12] = [
    ("uses", false, |sum| sum.uses),
    ("members", false, |sum| sum.members),
    ("off", true, |sum| sum.off),
    ("off_back", true, |sum| sum.off_back),
    ("shipping_off", true, |sum| sum.shipping_off),
    ("points", false, |sum| sum.points),
    ("coupons_given", false, |sum| sum.coupons_given),
    ("coupons_used", false, |sum| sum.coupons_used),
    ("coupons_expired", false, |sum| sum.coupons_expired),
    ("coupons_held", false, |sum| sum.coupons_held),
    ("gifts", false, |sum| sum.gifts),
    ("services", false, |sum| sum.services),
];
