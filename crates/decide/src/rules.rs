//! The playbook, ready to decide by: conditions checked, phrases turned into numbers.
//!
//! [`Rules::compile`] is where a playbook's conditions meet the condition language; what is wrong with one is a
//! problem of the playbook, with its file, line and column.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zhiyin_condition::{Condition, Leaves, Schema, Scope};
use zhiyin_model::coupon::chance_of;
use zhiyin_model::id::IdKey;
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::{
    AttributeDecl, Combine, ConditionText, Consent, Debt, Earn, Expiry, Offer, PaidRule, Playbook, Problem,
};
use zhiyin_model::time::{Day, Ts, Zone};
use zhiyin_offer::Offers;

use crate::campaign::rule::{CampaignRule, SendingRules, Shared};
use crate::campaign::text::Texts;
use crate::coupon::CouponRule;

/// A playbook to decide by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The brand's zone.
    pub zone: Zone,
    /// Codes of partners.
    pub partners: BTreeSet<String>,
    /// The brand's currency.
    pub currency: Currency,
    /// What "paid" means.
    pub paid: PaidRule,
    /// Whose orders earn nothing; nobody's, where it is empty.
    pub earn_nothing: Vec<Condition>,
    /// Attributes whose values stay for so many days once they were told.
    pub lasting: BTreeMap<String, i32>,
    /// How points are earned.
    pub points: PointsRules,
    /// How growth is earned.
    pub growth: Vec<EarnRule>,
    /// Tiers.
    pub tiers: TierRules,
    /// Lifecycle stages; the first that holds.
    pub stages: Vec<StageRule>,
    /// Tags that rules put on and take off.
    pub tags: Vec<TagRule>,
    /// Tags that are given by hand, and how many days they last.
    pub hand_tags: BTreeMap<String, Option<u16>>,
    /// Audiences that are kept current.
    pub audiences: Vec<AudienceRule>,
    /// Offers that issue coupons, by id.
    pub coupons: BTreeMap<String, CouponRule>,
    /// Campaigns, by id.
    pub campaigns: Vec<CampaignRule>,
    /// Messages, and whether they sell something.
    pub messages: BTreeMap<String, bool>,
    /// What messages say of themselves; whoever reads texts gives it.
    pub texts: Option<Arc<dyn Texts>>,
    /// What campaigns share.
    pub campaign_pools: Shared,
    /// What bounds everything that is sent.
    pub sending: SendingRules,
    /// What consent is asked for.
    pub consent: Consent,
    /// What chances of draws are kept as, and for how much paid an order gives one.
    pub draws: Vec<(String, Money)>,
    /// What is offered.
    pub offers: Offers,
    /// The same as the playbook says it, by id.
    pub offer_terms: BTreeMap<String, Offer>,
    /// Every history leaf of every condition.
    pub leaves: Leaves,
    /// Names of the events that conditions look back on.
    pub events_used: BTreeSet<String>,
    /// [`Leaves::fingerprint`] as text: what stored aggregates must have been built for.
    pub fingerprint: String,
    /// Since when campaigns act on what is replayed: where a simulation plays them, and nowhere else.
    pub plays: Option<Ts>,
}

/// How points are earned.
#[derive(Clone, Debug)]
pub struct PointsRules {
    /// When they expire.
    pub expire: Expiry,
    /// Whether a refund may leave a debt.
    pub debt_allowed: bool,
    /// For how many days they are held back.
    pub hold_days: i32,
    /// What happens when several multipliers hold.
    pub combine: Combine,
    /// The most that a member's orders of one day earn.
    pub most_per_day: Option<i64>,
    /// Base rules; those that hold add up.
    pub earn: Vec<EarnRule>,
    /// Multipliers.
    pub times: Vec<TimesRule>,
}

/// So much for so many whole major units.
#[derive(Clone, Debug)]
pub struct EarnRule {
    /// How much.
    pub amount: i64,
    /// For each of these.
    pub per_major: i64,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// A multiplier.
#[derive(Clone, Debug)]
pub struct TimesRule {
    /// In thousandths.
    pub thousandths: u32,
    /// All must hold.
    pub conditions: Vec<Condition>,
}

/// Tiers.
#[derive(Clone, Debug)]
pub struct TierRules {
    /// How far back growth counts, and how long a term lasts, in days.
    pub over_days: i32,
    /// (level, from), lowest first; the first is from 0.
    pub levels: Vec<(String, i64)>,
}

/// A lifecycle stage.
#[derive(Clone, Debug)]
pub struct StageRule {
    /// Its id.
    pub id: String,
    /// When it holds.
    pub when: Condition,
}

/// A tag with its rule.
#[derive(Clone, Debug)]
pub struct TagRule {
    /// Its id.
    pub id: String,
    /// For whom it holds.
    pub who: Condition,
    /// Its first day.
    pub from: Option<Day>,
    /// Its last day.
    pub until: Option<Day>,
}

/// An audience that is kept current.
#[derive(Clone, Debug)]
pub struct AudienceRule {
    /// Its id.
    pub id: String,
    /// Who is in it.
    pub who: Condition,
    /// What stands for it and its condition in [`zhiyin_model::membership::Memberships::judged`].
    pub number: u32,
}

impl AudienceRule {
    fn new(id: &str, who: Condition) -> Self {
        let mut parts = vec![id.as_bytes().to_vec()];
        parts.extend(who.atoms().iter().map(|atom| atom.text().into_bytes()));
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        // No secret: the key only keeps this hash apart from others.
        let digest = IdKey::from_bytes([0; 32]).digest("audience", &parts);
        Self {
            id: id.to_owned(),
            who,
            number: u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]),
        }
    }
}

impl Rules {
    /// Compiles a playbook; every condition that does not check is a problem.
    pub fn compile(playbook: &Playbook) -> Result<Self, Vec<Problem>> {
        let mut check = Check::new(playbook);
        let points = PointsRules {
            expire: playbook.points.expire,
            debt_allowed: playbook.points.debt == Debt::Allowed,
            hold_days: i32::from(playbook.points.hold_days),
            combine: playbook.points.combine,
            most_per_day: playbook.points.most_per_day,
            earn: check.earn(&playbook.points.earn),
            times: playbook
                .points
                .times
                .iter()
                .map(|times| TimesRule {
                    thousandths: times.times.thousandths(),
                    conditions: check.all(&check.event.clone(), [&times.who, &times.when]),
                })
                .collect(),
        };
        let growth = check.earn(&playbook.growth.earn);
        let earn_nothing = check.all(&check.event.clone(), [&playbook.orders.earn_nothing, &None]);
        let days = |of: &AttributeDecl| of.changes_after_days.map(i32::from);
        let lasting = playbook.attributes.iter().filter_map(|(name, of)| Some((name.clone(), days(of)?)));
        let lasting = lasting.collect();
        let stages: Vec<StageRule> = playbook
            .lifecycle
            .iter()
            .filter_map(|stage| {
                let when = check.one(&check.stage.clone(), &stage.when)?;
                Some(StageRule { id: stage.id.clone(), when })
            })
            .collect();
        let by_hand = playbook.tags.iter().filter(|(_, tag)| tag.who.is_none());
        let hand_tags = by_hand.map(|(id, tag)| (id.clone(), tag.valid_days)).collect();
        let tags: Vec<TagRule> = playbook
            .tags
            .iter()
            .filter_map(|(id, tag)| {
                let who = check.one(&check.tag.clone(), tag.who.as_ref()?)?;
                Some(TagRule { id: id.clone(), who, from: tag.from, until: tag.until })
            })
            .collect();
        let audiences = check.audiences(playbook);
        let coupons = check.coupons(playbook);
        let (campaigns, sending) = check.campaigns(playbook);
        let campaign_pools = Shared::of(&campaigns, &coupons);
        let offers =
            Offers::compile(playbook).map_err(|found| check.problems.extend(found)).unwrap_or_default();
        if !check.problems.is_empty() {
            return Err(check.problems);
        }
        let tiers = TierRules {
            over_days: i32::from(playbook.tiers.over_days),
            levels: playbook.tiers.levels.iter().map(|level| (level.id.clone(), level.from)).collect(),
        };
        let mut rules = Self {
            zone: playbook.timezone.clone(),
            partners: playbook.partners.keys().cloned().collect(),
            currency: playbook.currency.clone(),
            paid: playbook.orders.paid,
            earn_nothing,
            lasting,
            points,
            growth,
            tiers,
            stages,
            tags,
            hand_tags,
            audiences,
            coupons,
            campaigns,
            texts: None,
            campaign_pools,
            messages: playbook.messages.iter().map(|(id, message)| (id.clone(), message.sells)).collect(),
            sending,
            draws: playbook.draws.iter().map(|(id, draw)| (chance_of(id), draw.spend)).collect(),
            consent: playbook.consent.clone(),
            offers,
            offer_terms: playbook
                .offering
                .offers
                .iter()
                .map(|offer| (offer.id.clone(), offer.clone()))
                .collect(),
            leaves: Leaves::collect([], playbook.timezone.clone(), playbook.currency.exponent),
            events_used: BTreeSet::new(),
            fingerprint: String::new(),
            plays: None,
        };
        rules.bind();
        Ok(rules)
    }

    /// Gives every history leaf its place.
    fn bind(&mut self) {
        let earn = self.points.earn.iter_mut().chain(&mut self.growth).flat_map(|rule| &mut rule.conditions);
        let times = self.points.times.iter_mut().flat_map(|rule| &mut rule.conditions);
        let stages = self.stages.iter_mut().map(|stage| &mut stage.when);
        let tags = self.tags.iter_mut().map(|tag| &mut tag.who);
        let audiences = self.audiences.iter_mut().map(|audience| &mut audience.who);
        // Last, so that a brand without offers keeps what it keeps.
        let coupons = self.coupons.values_mut().flat_map(CouponRule::conditions_mut);
        let offers = self.offers.conditions_mut();
        let all = earn.chain(times).chain(stages).chain(tags).chain(audiences).chain(offers).chain(coupons);
        let campaigns = self.campaigns.iter_mut().flat_map(CampaignRule::conditions_mut);
        let all = all.chain(&mut self.earn_nothing).chain(campaigns).chain(self.sending.conditions_mut());
        self.leaves = Leaves::collect(all, self.zone.clone(), self.currency.exponent);
        self.events_used = self.leaves.events_used();
        self.fingerprint = self.leaves.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        // Growth is kept by day, as far back as tiers look: that too must be built anew when they look elsewhere.
        self.fingerprint.push_str(&format!("-{}d", self.tiers.over_days));
    }

    /// The same for tills without a network: what offers and floors ask of members, and nothing else.
    pub fn for_tills(mut self) -> Self {
        self.points.earn.clear();
        self.points.times.clear();
        self.growth.clear();
        self.earn_nothing.clear();
        self.stages.clear();
        self.tags.clear();
        self.audiences.clear();
        self.coupons.clear();
        self.bind();
        self
    }

    /// What a brand should know of its conditions: which of them keep rows instead of sums.
    pub fn notes(&self) -> Vec<String> {
        let stages = self.stages.iter().map(|stage| (format!("lifecycle.{}", stage.id), &stage.when));
        let tags = self.tags.iter().map(|tag| (format!("tags.{}", tag.id), &tag.who));
        let audiences = self.audiences.iter().map(|one| (format!("audiences.{}", one.id), &one.who));
        let offers = self.offers.conditions().map(|(path, condition)| (format!("offers.{path}"), condition));
        let named = stages.chain(tags).chain(audiences).chain(offers);
        named
            .flat_map(|(path, condition)| {
                condition.notes().iter().map(move |note| format!("{path}: {}", note.message))
            })
            .collect()
    }

    /// The level that so much growth holds.
    pub fn level_of(&self, growth: i64) -> &str {
        let levels = &self.tiers.levels;
        levels.iter().rev().find(|(_, from)| growth >= *from).or(levels.first()).map_or("", |(id, _)| id)
    }

    /// Where a level stands; levels that are gone stand lowest.
    pub fn rank(&self, level: &str) -> usize {
        self.tiers.levels.iter().position(|(id, _)| id == level).unwrap_or(0)
    }

    /// When points earned at `at` expire: at 00:00 of the first day on which they no longer count.
    pub fn expiry(&self, at: Ts) -> Ts {
        self.points.expire.at(self.zone.day(at), &self.zone)
    }

    /// A condition checked as an audience would be, with its own leaves: for previews and counts.
    /// It may ask these lists, too, where no audience of the playbook bears their name.
    pub fn audience(
        playbook: &Playbook,
        lists: &BTreeSet<String>,
        text: &str,
    ) -> Result<Condition, Vec<zhiyin_condition::Problem>> {
        let mut schema = Check::new(playbook).audience;
        schema.lists.extend(lists.iter().cloned());
        Condition::check(text, &schema)
    }
}

/// Checks conditions, each against what it may speak of.
struct Check {
    /// Earning: the member, the event and the order.
    event: Schema,
    /// Lifecycle: neither tags nor the lifecycle itself, so that nothing turns in a circle.
    stage: Schema,
    /// Tags: the lifecycle, but no tags.
    tag: Schema,
    /// Audiences: everything about a member.
    audience: Schema,
    /// Standing audiences: the same, but for lists, which nobody tells of.
    standing: Schema,
    problems: Vec<Problem>,
}

impl Check {
    fn new(playbook: &Playbook) -> Self {
        let audience = Schema::of(playbook);
        let standing = Schema { decides: true, ..audience.clone() };
        let tag = Schema { tags: BTreeSet::new(), ..standing.clone() };
        let stage = Schema { stages: Vec::new(), ..tag.clone() };
        let event = Schema { scope: Scope::Event, ..standing.clone() };
        Self { event, stage, tag, audience, standing, problems: Vec::new() }
    }

    fn earn(&mut self, rules: &[Earn]) -> Vec<EarnRule> {
        rules
            .iter()
            .map(|rule| EarnRule {
                amount: rule.points,
                per_major: rule.per_major,
                conditions: self.all(&self.event.clone(), [&rule.who, &rule.when]),
            })
            .collect()
    }

    /// Every saved audience is checked; those that stand are kept.
    fn audiences(&mut self, playbook: &Playbook) -> Vec<AudienceRule> {
        let mut standing = Vec::new();
        for (id, audience) in &playbook.audiences {
            let Some(who) = &audience.who else { continue };
            let schema = if audience.standing { &self.standing } else { &self.audience }.clone();
            if let Some(who) = self.one(&schema, who).filter(|_| audience.standing) {
                standing.push(AudienceRule::new(id, who));
            }
        }
        standing
    }

    /// Offers that issue coupons.
    fn coupons(&mut self, playbook: &Playbook) -> BTreeMap<String, CouponRule> {
        let mut coupons = BTreeMap::new();
        for offer in playbook.offering.offers.iter().filter(|offer| offer.coupon.is_some()) {
            let who = offer.who.as_ref().and_then(|who| self.one(&self.standing.clone(), who));
            let may_claim = offer.claim.as_ref().and_then(|claim| claim.who.as_ref());
            let may_claim = may_claim.and_then(|who| self.one(&self.standing.clone(), who));
            let rule = CouponRule::of(offer, &playbook.timezone, who, may_claim);
            coupons.extend(rule.map(|rule| (offer.id.clone(), rule)));
        }
        for (id, draw) in &playbook.draws {
            let who = draw.who.as_ref().and_then(|who| self.one(&self.standing.clone(), who));
            coupons.insert(chance_of(id), CouponRule::of_draw(id, draw, &playbook.timezone, who));
        }
        coupons
    }

    /// Campaigns, and what bounds what they send.
    fn campaigns(&mut self, playbook: &Playbook) -> (Vec<CampaignRule>, SendingRules) {
        let (standing, event) = (self.standing.clone(), self.event.clone());
        let mut compile =
            |text: &ConditionText, of_event: bool| self.one(if of_event { &event } else { &standing }, text);
        let campaigns = playbook.campaigns.iter();
        let campaigns = campaigns
            .map(|(id, campaign)| CampaignRule::of((id.as_str(), campaign), playbook, &mut compile))
            .collect();
        (campaigns, SendingRules::of(playbook, &mut compile))
    }

    fn all(&mut self, schema: &Schema, texts: [&Option<ConditionText>; 2]) -> Vec<Condition> {
        texts.into_iter().flatten().filter_map(|text| self.one(schema, text)).collect()
    }

    fn one(&mut self, schema: &Schema, text: &ConditionText) -> Option<Condition> {
        let checked = Condition::check_text(text, schema);
        checked.map_err(|problems| self.problems.extend(problems)).ok()
    }
}
