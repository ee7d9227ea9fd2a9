//! The playbook, ready to decide by: conditions checked, phrases turned into numbers.
//!
//! [`Rules::compile`] is where a playbook's conditions meet the condition language; what is wrong with one is a
//! problem of the playbook, with its file, line and column.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_condition::{AttributeType, Condition, Leaves, Schema, Scope};
use zhiyin_model::id::IdKey;
use zhiyin_model::money::Currency;
use zhiyin_model::playbook::{
    AttributeKind, Combine, ConditionText, Consent, Debt, Earn, Expiry, Orders, Playbook, Problem,
};
use zhiyin_model::time::{Day, Ts, Zone};

/// A playbook to decide by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The brand's zone.
    pub zone: Zone,
    /// Codes of partners.
    pub partners: BTreeSet<String>,
    /// The brand's currency.
    pub currency: Currency,
    /// What of an order counts.
    pub orders: Orders,
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
    /// What consent is asked for.
    pub consent: Consent,
    /// Every history leaf of every condition.
    pub leaves: Leaves,
    /// Names of the events that conditions look back on.
    pub events_used: BTreeSet<String>,
    /// [`Leaves::fingerprint`] as text: what stored aggregates must have been built for.
    pub fingerprint: String,
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
            orders: playbook.orders,
            points,
            growth,
            tiers,
            stages,
            tags,
            hand_tags,
            audiences,
            consent: playbook.consent.clone(),
            leaves: Leaves::collect([], playbook.timezone.clone(), playbook.currency.exponent),
            events_used: BTreeSet::new(),
            fingerprint: String::new(),
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
        let all = earn.chain(times).chain(stages).chain(tags).chain(audiences);
        self.leaves = Leaves::collect(all, self.zone.clone(), self.currency.exponent);
        self.events_used = self.leaves.events_used();
        self.fingerprint = self.leaves.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        // Growth is kept by day, as far back as tiers look: that too must be built anew when they look elsewhere.
        self.fingerprint.push_str(&format!("-{}d", self.tiers.over_days));
    }

    /// What a brand should know of its conditions: which of them keep rows instead of sums.
    pub fn notes(&self) -> Vec<String> {
        let stages = self.stages.iter().map(|stage| (format!("lifecycle.{}", stage.id), &stage.when));
        let tags = self.tags.iter().map(|tag| (format!("tags.{}", tag.id), &tag.who));
        let audiences = self.audiences.iter().map(|one| (format!("audiences.{}", one.id), &one.who));
        let named = stages.chain(tags).chain(audiences);
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
        let attributes: BTreeMap<String, AttributeType> = playbook
            .attributes
            .iter()
            .map(|(id, attribute)| (id.clone(), attribute_type(attribute.kind)))
            .collect();
        let saved = playbook.audiences.iter();
        let uploaded = saved.clone().filter(|(_, one)| one.who.is_none());
        let audience = Schema {
            attributes,
            tags: playbook.tags.keys().cloned().collect(),
            tiers: playbook.tiers.levels.iter().map(|level| level.id.clone()).collect(),
            stages: playbook.lifecycle.iter().map(|stage| stage.id.clone()).collect(),
            consent: playbook.consent.clone(),
            audiences: saved
                .filter_map(|(id, one)| Some((id.clone(), one.who.as_ref()?.text.clone())))
                .collect(),
            lists: uploaded.map(|(id, _)| id.clone()).collect(),
            decides: false,
            scope: Scope::Member,
        };
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

    fn all(&mut self, schema: &Schema, texts: [&Option<ConditionText>; 2]) -> Vec<Condition> {
        texts.into_iter().flatten().filter_map(|text| self.one(schema, text)).collect()
    }

    fn one(&mut self, schema: &Schema, text: &ConditionText) -> Option<Condition> {
        match Condition::check(&text.text, schema) {
            Ok(condition) => Some(condition),
            Err(problems) => {
                let found = problems.into_iter().map(|problem| {
                    let allowed = problem.suggestion.map(|name| format!("did you mean {name}"));
                    text.at.problem(problem.column, problem.message, allowed)
                });
                self.problems.extend(found);
                None
            }
        }
    }
}

fn attribute_type(kind: AttributeKind) -> AttributeType {
    match kind {
        AttributeKind::Bool => AttributeType::Bool,
        AttributeKind::Number => AttributeType::Number,
        AttributeKind::Text => AttributeType::Text,
        AttributeKind::Texts => AttributeType::Texts,
        AttributeKind::Date => AttributeType::Date,
    }
}
