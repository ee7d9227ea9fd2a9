//! What a campaign changed (M5, M14): those held out against the others, and the ways of its splits against each other, from the
//! record.
//!
//! Members count as they were assigned when they first began, whatever became of them (intention to treat). They are read part
//! by part and added up in whole numbers ([`tally`]), so memory is bounded however many there are; [`zhiyin_insight`] makes
//! differences and intervals of the sums. Formulas are in docs/effects.md.

pub mod history;
mod person;
mod tally;
mod view;
mod weeks;

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_decide::campaign::rule::Act;
use zhiyin_decide::rules::Rules;
use zhiyin_insight::ratio::MISMATCH;
use zhiyin_insight::sums::TooLarge;
use zhiyin_insight::{Drawn, sample_ratio_of};
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::id::{MemberId, OrderId, RunId};
use zhiyin_model::run::{BUCKETS, RunMoveKind};
use zhiyin_model::time::{DAY_US, Day, Ts};
use zhiyin_store::campaigns::{Assigned, AssignedMove};
use zhiyin_store::crowd::{OrderThen, Whole};

use crate::boxed;
use crate::playbooks::read_source;
use crate::{Engine, EngineError, Live, Result, clock};
use person::Looked;
pub use tally::BEFORE_DAYS;
use tally::{Ask, Facts, Tally, Terms};
use view::Compared;
pub use view::{
    ArmView, COLUMNS, CohortView, CostView, EffectView, ExperimentView, IntervalView, MeasureView,
    MeasuredArm, Said,
};
use weeks::Weeks;

/// How many members are read at once.
const PART_MEMBERS: usize = 500;
/// Within how many days revenue, orders and costs count where the campaign has no goal that says.
pub const WITHIN_DAYS: i64 = 30;
/// The most that a message may be said to cost, in minor units.
pub const SEND_COST_MAX: u32 = 1_000_000;
/// The arms of a holdout.
const HELD: usize = 0;
const TREATED: usize = 1;

/// What is asked of a campaign.
#[derive(Clone, Debug, Default)]
pub struct EffectAsked {
    /// As of the end of which day; now, where it is left out.
    pub day: Option<Day>,
    /// The category that it is after.
    pub category: Option<String>,
    /// What is earned of what is sold, in hundredths of a percent.
    pub margin: Option<u32>,
    /// What a message costs, in minor units.
    pub send_cost: u32,
    /// Whether the weeks in which members were assigned are told apart, too.
    pub by_week: bool,
}

impl EffectAsked {
    /// Reads a margin: `30%`, `12.5%`.
    pub fn margin(text: &str) -> Option<u32> {
        let (whole, parts) = {
            let share = text.trim().strip_suffix('%')?;
            share.split_once('.').unwrap_or((share, ""))
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() > 2 || whole.is_empty() || !digits(whole) || !digits(parts) {
            return None;
        }
        format!("{whole}{parts:0<2}").parse().ok().filter(|hundredths| (1..=BUCKETS).contains(hundredths))
    }
}

/// Adds up members as they come.
struct Count<'a> {
    as_of: Ts,
    asks: &'a [Ask],
    terms: &'a Terms,
    holdout: Tally,
    /// The same by the weeks of the assignment, where that is asked.
    weeks: Option<Weeks<'a>>,
    /// By the place of a split.
    splits: BTreeMap<String, Tally>,
}

fn held_out(began: &AssignedMove) -> bool {
    began.why == "held out"
}

/// Of each who they were the first, by time.
fn firsts<'m>(moves: &[&'m AssignedMove]) -> Vec<&'m AssignedMove> {
    let mut seen = BTreeSet::new();
    moves.iter().filter(|moved| seen.insert(moved.member)).copied().collect()
}

impl Count<'_> {
    fn take(&mut self, one: &Assigned, facts: &Facts) -> std::result::Result<(), TooLarge> {
        let known: Vec<&AssignedMove> = one.moves.iter().filter(|moved| moved.at <= self.as_of).collect();
        let of = |kind: RunMoveKind| known.iter().filter(move |moved| moved.kind == kind).copied();
        let begun: Vec<&AssignedMove> = of(RunMoveKind::Began).collect();
        let Some(first) = begun.first() else { return Ok(()) };
        let arm = |began: &AssignedMove| if held_out(began) { HELD } else { TREATED };
        for began in firsts(&begun) {
            self.holdout.drew(began.version, arm(began));
            if let Some(weeks) = &mut self.weeks {
                weeks.of(began.at).drew(began.version, arm(began));
            }
        }
        let is_mixed =
            of(RunMoveKind::Mixed).next().is_some() || begun.iter().any(|began| arm(began) != arm(first));
        // Each counts in the whole, and in the week in which they first began.
        let week = self.weeks.as_mut().map(|weeks| weeks.of(first.at));
        for tally in [Some(&mut self.holdout), week].into_iter().flatten() {
            if is_mixed {
                tally.mixed += 1;
            } else {
                tally.add((arm(first), first.at, self.as_of), (self.asks, self.terms), facts)?;
            }
        }
        // Those held out go the same ways, and get nothing on any of them.
        let held: BTreeMap<RunId, bool> = begun.iter().map(|began| (began.run, held_out(began))).collect();
        let mut ways: BTreeMap<&str, Vec<&AssignedMove>> = BTreeMap::new();
        for moved in of(RunMoveKind::Arm).filter(|moved| held.get(&moved.run) != Some(&true)) {
            ways.entry(&moved.place).or_default().push(moved);
        }
        for (place, moves) in ways {
            self.split(place, &moves, is_mixed, facts)?;
        }
        Ok(())
    }

    fn split(
        &mut self,
        place: &str,
        moves: &[&AssignedMove],
        is_mixed: bool,
        facts: &Facts,
    ) -> std::result::Result<(), TooLarge> {
        let n = self.asks.len();
        let tally = self.splits.entry(place.to_owned()).or_insert_with(|| Tally::new(n, 2));
        let way = |moved: &AssignedMove| moved.why.parse::<usize>().unwrap_or(1).saturating_sub(1);
        for moved in firsts(moves) {
            tally.drew(moved.version, way(moved));
        }
        let Some(first) = moves.first() else { return Ok(()) };
        if is_mixed || moves.iter().any(|moved| way(moved) != way(first)) {
            tally.mixed += 1;
            return Ok(());
        }
        tally.add((way(first), first.at, self.as_of), (self.asks, self.terms), facts)
    }
}

/// By what members of a campaign were drawn, under each version of the playbook.
struct Weights {
    holdout: BTreeMap<i64, Vec<u64>>,
    splits: BTreeMap<(i64, String), Vec<u64>>,
}

impl Weights {
    fn of_version(&mut self, version: i64, rules: &Rules, campaign: &str) {
        let Some(rule) = rules.campaigns.iter().find(|rule| rule.id == campaign) else { return };
        let whole = u64::from(BUCKETS);
        // Either of two draws that know nothing of each other holds out.
        let free = if rule.promised {
            whole * whole
        } else {
            whole.saturating_sub(rule.holdout.into()) * whole.saturating_sub(rules.sending.holdout.into())
        };
        self.holdout.insert(version, vec![whole * whole - free, free]);
        for op in &rule.ops {
            if let Act::Split(ways) = &op.act {
                let shares = ways.iter().map(|(share, _)| u64::from(*share)).collect();
                self.splits.insert((version, op.place.clone()), shares);
            }
        }
    }

    /// Whether arms are as large as they were drawn: of versions of which it is known by what.
    fn sample_ratio(&self, tally: &Tally, place: Option<&str>) -> f64 {
        let drawn = tally.drawn.iter().filter_map(|(version, found)| {
            let weights = match place {
                None => self.holdout.get(version)?,
                Some(place) => self.splits.get(&(*version, place.to_owned()))?,
            };
            Some(Drawn { found: found.clone(), weights: weights.clone() })
        });
        sample_ratio_of(&drawn.collect::<Vec<_>>())
    }
}

impl Engine {
    /// What a campaign changed, of what is decided.
    #[boxed]
    pub async fn effect(
        &self,
        id: &str,
        asked: &EffectAsked,
    ) -> Result<std::result::Result<EffectView, Refusal>> {
        let live = self.live()?;
        let Some(rule) = live.rules.campaigns.iter().find(|rule| rule.id == id) else {
            return Ok(Err(Refusal::new(
                "campaign_unknown",
                "campaign",
                "the playbook has no campaign of this id",
            )));
        };
        let now = clock::now(&self.home().await?);
        let zone = &live.rules.zone;
        if let Some(day) = asked.day.filter(|day| *day > zone.day(now)) {
            return Err(EngineError::AsOfFuture(day.to_string(), now.rfc3339()));
        }
        let as_of = asked.day.map_or(now, |day| zone.end(day).min(now));
        let goal = rule.goal.as_ref();
        let within_us = goal.map_or(WITHIN_DAYS * DAY_US, |goal| i64::from(goal.within_minutes) * 60_000_000);
        let minor = live.playbook.currency.minor_per_major();
        let terms = Terms {
            within_us,
            by_category: asked.category.is_some(),
            margin: asked.margin,
            send_cost: asked.send_cost.into(),
            worth: live.playbook.points.worth.map(|worth| (worth.major * minor, worth.points)),
        };
        let asks = terms.asks();
        let then = self.orders_of(as_of, now).await?;
        let offers: Vec<String> = rule.coupons().map(str::to_owned).collect();
        let looked = Looked {
            as_of,
            then: &then,
            goal: goal.map_or(names::ORDER_COMPLETED, |goal| goal.event.as_str()),
            category: asked.category.as_deref(),
            offers: &offers,
        };
        let holdout = Tally::new(asks.len(), 2);
        let weeks = asked.by_week.then(|| Weeks::new(zone, asks.len()));
        let mut count = Count { as_of, asks: &asks, terms: &terms, holdout, weeks, splits: BTreeMap::new() };
        self.count_assigned(id, &looked, &mut count).await?;
        let weights = self.drawn_by(&live, id, &count).await?;
        Ok(Ok(view_of(&live, (id, as_of), &count, &weights)))
    }

    /// Orders that changed since, as they stood then.
    async fn orders_of(&self, as_of: Ts, now: Ts) -> Result<BTreeMap<OrderId, OrderThen>> {
        if as_of >= now {
            return Ok(BTreeMap::new());
        }
        let then = self.store().crowd().orders_then(as_of).await?;
        Ok(then.into_iter().map(|order| (order.order, order)).collect())
    }

    /// Reads those who began a campaign part by part.
    async fn count_assigned(&self, id: &str, looked: &Looked<'_>, count: &mut Count<'_>) -> Result<()> {
        let mut after: Option<MemberId> = None;
        loop {
            let part = self.store().coupons().campaigns().assigned(id, after, PART_MEMBERS).await?;
            let members: Vec<MemberId> = part.assigned.iter().map(|one| one.member).collect();
            let wholes = self.store().crowd().these(members).await?;
            let wholes: BTreeMap<MemberId, Whole> =
                wholes.into_iter().map(|whole| (whole.member.id, whole)).collect();
            for one in &part.assigned {
                let facts = looked.facts(one, wholes.get(&one.member))?;
                count.take(one, &facts)?;
            }
            match part.last {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// By what members were drawn, under each version under which any of them was.
    async fn drawn_by(&self, live: &Live, id: &str, count: &Count<'_>) -> Result<Weights> {
        let splits = count.splits.values().flat_map(|tally| tally.drawn.keys());
        let wanted: BTreeSet<i64> = count.holdout.drawn.keys().chain(splits).copied().collect();
        let mut weights = Weights { holdout: BTreeMap::new(), splits: BTreeMap::new() };
        let is_live = |version: &i64| *version == live.version.version;
        if wanted.iter().any(is_live) {
            weights.of_version(live.version.version, &live.rules, id);
        }
        if wanted.iter().all(is_live) {
            return Ok(weights);
        }
        for version in self.store().playbooks().await? {
            if !wanted.contains(&version.version) || is_live(&version.version) {
                continue;
            }
            // What no longer reads says nothing of how members were drawn; the rest is held to what it says.
            if let Ok(rules) = read_source(&version.source).and_then(|playbook| Rules::compile(&playbook)) {
                weights.of_version(version.version, &rules, id);
            }
        }
        Ok(weights)
    }
}

fn view_of(live: &Live, (id, as_of): (&str, Ts), count: &Count<'_>, weights: &Weights) -> EffectView {
    let Count { asks, terms, holdout, weeks, splits, .. } = count;
    let currency = &live.playbook.currency;
    let sample_ratio = weights.sample_ratio(holdout, None);
    let arms = view::names(holdout, false);
    let compared =
        Compared { tally: holdout, names: &arms, control: HELD, treated: TREATED, sample_ratio, currency };
    let language = live.playbook.languages.first().copied().unwrap_or_default();
    let name = live.playbook.campaigns.get(id).map(|terms| terms.name.in_language(language, id).to_owned());
    let experiments = splits.iter().map(|(place, tally)| {
        let ratio = weights.sample_ratio(tally, Some(place));
        let names = view::names(tally, true);
        let measures = (1..tally.arms.len()).flat_map(|treated| {
            let compared =
                Compared { tally, names: &names, control: 0, treated, sample_ratio: ratio, currency };
            asks.iter().enumerate().map(|(at, ask)| compared.measure(at, ask)).collect::<Vec<_>>()
        });
        ExperimentView {
            place: place.clone(),
            arms: view::arms(tally, &names),
            contaminated: tally.mixed,
            sample_ratio: ratio,
            measures: measures.collect(),
        }
    });
    let cohort = |(monday, tally): (&Day, &Tally)| {
        let ratio = weights.sample_ratio(tally, None);
        let names = view::names(tally, false);
        let compared =
            Compared { tally, names: &names, control: HELD, treated: TREATED, sample_ratio: ratio, currency };
        CohortView {
            from: monday.to_string(),
            to: monday.plus(6).to_string(),
            members: tally.arms.iter().map(|arm| arm.members).sum(),
            contaminated: tally.mixed,
            sample_ratio: ratio,
            arms: view::arms(tally, &names),
            measures: asks.iter().enumerate().map(|(at, ask)| compared.measure(at, ask)).collect(),
        }
    };
    let cohorts = weeks.iter().flat_map(|weeks| &weeks.tallies).map(cohort);
    EffectView {
        cohorts: cohorts.collect(),
        campaign: id.to_owned(),
        name: name.unwrap_or_else(|| id.to_owned()),
        as_of: as_of.rfc3339(),
        currency: currency.code.clone(),
        members: holdout.arms.iter().map(|arm| arm.members).sum(),
        contaminated: holdout.mixed,
        sample_ratio,
        arms: view::arms(holdout, &arms),
        measures: asks.iter().enumerate().map(|(at, ask)| compared.measure(at, ask)).collect(),
        experiments: experiments.collect(),
        cost: compared.cost(asks, terms),
        notes: notes(count, sample_ratio),
    }
}

/// What the numbers rest on.
fn notes(count: &Count<'_>, sample_ratio: f64) -> Vec<Said> {
    let Count { holdout, terms, weeks, .. } = count;
    let mut notes = vec![Said::both(
        "会员按首次进入活动时的分组计算，不论后来是否收到、是否使用（意向性分析）。",
        "Members count as they were assigned when they first began, whatever they then got or used (intention to treat).",
    )];
    if holdout.arms.get(HELD).is_none_or(|arm| arm.members == 0) {
        notes.push(Said::both(
            "这个活动没有对照组：说不出它带来了什么。",
            "Nobody is held out of this campaign: what it changed cannot be told.",
        ));
    }
    if holdout.mixed > 0 {
        let n = holdout.mixed;
        notes.push(Said::of([
            format!("{n} 名会员先后属于两个组（合并，或对照比例改过），已排除。"),
            format!("{n} members were in both arms (they turned out to be one person, or the share held out changed): not counted."),
        ]));
    }
    if sample_ratio < MISMATCH {
        notes.push(Said::both(
            "分组人数与抽样比例不符，不要据此下结论。",
            "The groups are not as large as they were drawn: conclude nothing from them.",
        ));
    }
    if weeks.as_ref().is_some_and(|weeks| weeks.tallies.len() > 1) {
        notes.push(Said::both(
            "各周分开看：二十周里大约有一周只因偶然就显得不同，结论以整体为准。",
            "Each week stands by itself: of twenty weeks about one differs by chance alone. Conclude from the whole.",
        ));
    }
    if terms.margin.is_some() {
        notes.push(Said::both(
            "毛利 = 毛利率 ×（实付 + 活动券抵扣）；净额再减去券、积分与发送成本。",
            "Margin is the rate times what was paid and what the campaign's coupons took off; net is less coupons, points and sends.",
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use zhiyin_model::time::Zone;

    use super::*;

    #[test]
    fn margins_are_percent_with_two_digits_at_most() {
        for (text, expected) in [
            ("30%", Some(3_000)),
            ("12.5%", Some(1_250)),
            ("0.01%", Some(1)),
            ("100%", Some(10_000)),
            ("0%", None),
            ("101%", None),
            ("30", None),
            ("1.234%", None),
            ("%", None),
            ("-5%", None),
        ] {
            assert_eq!(EffectAsked::margin(text), expected, "{text}");
        }
    }

    fn moved(member: u8, kind: RunMoveKind, why: &str, day: i64) -> AssignedMove {
        AssignedMove {
            member: MemberId::from_bytes([member; 16]),
            run: RunId::from_bytes([member; 16]),
            kind,
            place: if kind == RunMoveKind::Arm { "2".to_owned() } else { String::new() },
            why: why.to_owned(),
            at: Ts(day * DAY_US),
            version: 1,
        }
    }

    fn counted(of: &[Vec<AssignedMove>]) -> (Tally, Option<Tally>) {
        let terms = Terms { within_us: DAY_US, ..Terms::default() };
        let asks = terms.asks();
        let holdout = Tally::new(asks.len(), 2);
        let as_of = Ts(50 * DAY_US);
        let zone = Zone::named("UTC").unwrap();
        let weeks = Some(Weeks::new(&zone, asks.len()));
        let mut count = Count { as_of, asks: &asks, terms: &terms, holdout, weeks, splits: BTreeMap::new() };
        for moves in of {
            let one = Assigned { member: moves[0].member, moves: moves.clone(), given: Vec::new() };
            count.take(&one, &Facts::default()).unwrap();
        }
        let weeks = count.weeks.take().unwrap().tallies;
        let in_weeks = |of: fn(&Tally) -> u64| weeks.values().map(of).sum::<u64>();
        assert_eq!(in_weeks(|week| week.mixed), count.holdout.mixed, "each counts in one week");
        assert_eq!(
            in_weeks(|week| week.arms.iter().map(|arm| arm.members).sum()),
            members(&count.holdout).iter().sum::<u64>()
        );
        (count.holdout, count.splits.remove("2"))
    }

    fn members(of: &Tally) -> Vec<u64> {
        of.arms.iter().map(|arm| arm.members).collect()
    }

    #[test]
    fn who_was_in_two_arms_is_in_none_and_still_was_drawn() {
        let (began, arm) = (RunMoveKind::Began, RunMoveKind::Arm);
        let (holdout, split) = counted(&[
            vec![moved(1, began, "held out", 1), moved(1, arm, "2", 2)],
            vec![moved(2, began, "not held out", 1), moved(2, arm, "1", 2)],
            vec![moved(3, began, "not held out", 1), moved(3, arm, "2", 2)],
            // Two people who turned out to be one.
            vec![moved(4, began, "not held out", 1), moved(5, began, "held out", 3)],
            vec![moved(6, began, "not held out", 1), moved(7, arm, "1", 2), moved(6, arm, "2", 3)],
            vec![moved(8, began, "not held out", 1), moved(8, RunMoveKind::Mixed, "two arms met", 2)],
            // After what is looked at.
            vec![moved(9, began, "not held out", 60)],
        ]);
        assert_eq!((members(&holdout), holdout.mixed), (vec![1, 3], 2));
        assert_eq!(split.map(|split| (members(&split), split.mixed)), Some((vec![1, 1], 1)));
        assert_eq!(holdout.drawn, BTreeMap::from([(1, vec![2, 5])]));
    }
}
