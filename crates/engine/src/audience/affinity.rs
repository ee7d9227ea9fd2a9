//! Of which category members will buy next (U7), and the likeliest of them (T3): what was bought so far, read from the record, and
//! what [`zhiyin_insight::affinity`] learns of it.
//!
//! Three times follow each other, each so many days long that a forecast is of so many. What was bought in the second is learned
//! from what was known before it; what was learned is tried on the third, which it has not seen, beside naming to everybody
//! what is popular; then it is learned once more, up to now, and that says who is likely from now on.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use serde::Serialize;
use zhiyin_audience::Person;
use zhiyin_insight::affinity::{Bought, Example, FEATURES, Lift, Model, NoModel, Past, learn, lift};
use zhiyin_model::id::MemberId;
use zhiyin_model::mask::Mask;
use zhiyin_model::time::{Day, Zone};

use super::reading::done;
use super::{AudienceProblem, Moment};
use crate::boxed;
use crate::{Engine, Result};

/// For how many days a forecast may be.
pub const DAYS: std::ops::RangeInclusive<u16> = 7..=180;
/// The most members that are learned from. Ids are keyed hashes, so the first of them are drawn by nothing that could matter.
const LEARNED_FROM_MAX: usize = 100_000;
/// The most categories: those of which most was bought.
const CATEGORIES_MAX: usize = 300;
/// The most pairs of a member and a category that are learned from.
const PAIRS_MAX: usize = 10_000_000;
/// How large the part is of which a lift is told.
const BEST: f64 = 0.1;
/// The most members that are listed.
pub const LIKELY_MAX: usize = 100_000;

/// By what products are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// By the department of an order's line.
    Department,
    /// By its category.
    Category,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct AffinityAsked {
    /// By what products are put together.
    pub level: Level,
    /// For how many days.
    pub days: u16,
    /// As of the end of which day; now, where it is left out.
    pub day: Option<Day>,
}

/// What was learned, and how it stood its trial.
#[derive(Clone, Debug, Serialize)]
pub struct AffinityView {
    /// The instant it speaks of.
    pub as_of: String,
    /// For how many days.
    pub days: u16,
    /// How many members it was learned from.
    pub members: usize,
    /// How it stood its trial.
    pub trial: TrialView,
    /// Categories, the most popular first.
    pub categories: Vec<CategoryView>,
    /// What speaks for a pair, and how much: by what factor one standard deviation more of it changes the odds.
    pub features: Vec<(&'static str, f64)>,
}

/// A trial on a time that nothing was learned from.
#[derive(Clone, Debug, Serialize)]
pub struct TrialView {
    /// The first day of the time that was forecast.
    pub from: String,
    /// Its last day.
    pub to: String,
    /// The best-scored tenth of pairs of a member and a category.
    pub model: Lift,
    /// The same, where everybody is offered what is popular.
    pub popularity: Lift,
    /// How many purchases were forecast in all, beside how many there were.
    pub forecast: f64,
}

/// A category.
#[derive(Clone, Debug, Serialize)]
pub struct CategoryView {
    /// Its name.
    pub category: String,
    /// Share of members who buy of it in so many days.
    pub popularity: f64,
    /// In the trial: by how much the tenth of members who were likeliest bought of it more often than all did.
    pub lift: Option<f64>,
    /// The same of the tenth who order most.
    pub lift_of_frequent: Option<f64>,
    /// The category whose buyers go on to it most, and by what factor more often than others.
    pub led_by: Option<(String, f64)>,
}

/// A member who is likely to buy.
#[derive(Clone, Debug, Serialize)]
pub struct LikelyView {
    /// Who, as they are called.
    pub member: String,
    /// Their id.
    pub id: String,
    /// How likely, from 0 to 1.
    pub chance: f64,
    /// What speaks for it most.
    pub because: &'static str,
    /// The category they bought whose buyers go on to this one, if there is one.
    pub led_by: Option<String>,
}

/// What a member bought: the day of each order, and of what.
struct Bag {
    orders: Vec<(i32, Vec<u32>)>,
}

/// Names of categories, by number.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<Arc<str>, u32>,
}

impl Names {
    fn number(&mut self, name: &Arc<str>) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(Arc::clone(name)).or_insert(next)
    }
}

fn bag(person: &Person, level: Level, zone: &Zone, mut number: impl FnMut(&Arc<str>) -> Option<u32>) -> Bag {
    let mut orders: Vec<(i32, Vec<u32>)> = Vec::with_capacity(person.orders.len());
    for order in &person.orders {
        let named = order.items.iter().filter_map(|item| match level {
            Level::Department => item.department.as_ref(),
            Level::Category => item.category.as_ref(),
        });
        let mut of: Vec<u32> = named.filter_map(&mut number).collect();
        of.sort_unstable();
        of.dedup();
        orders.push((zone.day(order.time).0, of));
    }
    orders.sort_unstable_by_key(|(day, _)| *day);
    Bag { orders }
}

impl Bag {
    /// What was known of them at the end of a day, of so many days before it; nothing of whom ordered nothing then.
    fn past(&self, day: i32, days: i32) -> Option<Past> {
        let known = self.orders.iter().filter(|(on, _)| *on <= day && *on > day - days);
        let (mut orders, mut last, mut bought) = (0u32, i32::MIN, BTreeMap::<u32, (u32, i32)>::new());
        for (on, of) in known {
            orders += 1;
            last = last.max(*on);
            for category in of {
                let seen = bought.entry(*category).or_insert((0, i32::MIN));
                *seen = (seen.0 + 1, seen.1.max(*on));
            }
        }
        let since = |on: i32| u32::try_from(day - on).unwrap_or(0);
        let bought = bought.into_iter();
        let bought =
            bought.map(|(category, (orders, last))| Bought { category, orders, last_days: since(last) });
        (orders > 0).then(|| Past { orders, last_days: since(last), bought: bought.collect() })
    }

    /// Of what they bought after a day, up to another.
    fn next(&self, after: i32, to: i32) -> Vec<u32> {
        let then = self.orders.iter().filter(|(on, _)| *on > after && *on <= to);
        let mut next: Vec<u32> = then.flat_map(|(_, of)| of.iter().copied()).collect();
        next.sort_unstable();
        next.dedup();
        next
    }
}

/// What was learned, ready to ask.
struct Learned {
    model: Model,
    names: Vec<Arc<str>>,
    view: AffinityView,
}

fn examples(bags: &[Bag], day: i32, days: i32) -> Vec<Example> {
    let known = bags.iter().filter_map(|bag| Some((bag.past(day, 2 * days)?, bag)));
    known.map(|(past, bag)| Example { past, next: bag.next(day, day + days) }).collect()
}

fn of_all(
    examples: &[Example],
    categories: usize,
    score: impl Fn(&Past, u32) -> f64,
) -> std::result::Result<Lift, NoModel> {
    let of = 0..u32::try_from(categories).unwrap_or(u32::MAX);
    let pairs = examples.iter().flat_map(|one| of.clone().map(move |category| (one, category)));
    let scored = pairs
        .map(|(one, category)| (score(&one.past, category), one.next.binary_search(&category).is_ok()))
        .collect();
    lift(scored, BEST).ok_or(NoModel::TooFew)
}

fn of_one(examples: &[Example], category: u32, score: impl Fn(&Past) -> f64) -> Option<f64> {
    let scored = examples.iter().map(|one| (score(&one.past), one.next.binary_search(&category).is_ok()));
    lift(scored.collect(), BEST).map(|lift| lift.lift)
}

/// Keeps the categories of which most members bought, and numbers them by that.
fn most_bought(names: Names, bags: &mut [Bag]) -> Vec<Arc<str>> {
    let mut members = vec![0u64; names.numbers.len()];
    for bag in bags.iter() {
        let mut of: Vec<u32> = bag.orders.iter().flat_map(|(_, of)| of.iter().copied()).collect();
        of.sort_unstable();
        of.dedup();
        of.into_iter().for_each(|category| members[category as usize] += 1);
    }
    let mut by: Vec<(Arc<str>, u32)> = names.numbers.into_iter().collect();
    by.sort_by(|a, b| members[b.1 as usize].cmp(&members[a.1 as usize]).then_with(|| a.0.cmp(&b.0)));
    by.truncate(CATEGORIES_MAX);
    let numbers: BTreeMap<u32, u32> = by.iter().map(|(_, number)| *number).zip(0..).collect();
    for (_, of) in bags.iter_mut().flat_map(|bag| &mut bag.orders) {
        *of = of.iter().filter_map(|category| numbers.get(category).copied()).collect();
        of.sort_unstable();
    }
    by.into_iter().map(|(name, _)| name).collect()
}

fn learned(
    names: Names,
    mut bags: Vec<Bag>,
    (moment, today, days): (Moment, i32, u16),
) -> std::result::Result<Learned, NoModel> {
    let names = most_bought(names, &mut bags);
    let categories = names.len();
    bags.truncate(PAIRS_MAX / categories.max(1));
    let n = i32::from(days);
    let (first, tried) = (examples(&bags, today - 2 * n, n), examples(&bags, today - n, n));
    let before = learn(categories, &first)?;
    let trial = TrialView {
        from: Day(today - n + 1).to_string(),
        to: Day(today).to_string(),
        model: of_all(&tried, categories, |past, category| before.chance(past, category))?,
        popularity: of_all(&tried, categories, |_, category| before.popularity[category as usize])?,
        forecast: {
            let of = 0..u32::try_from(categories).unwrap_or(u32::MAX);
            let pairs = tried.iter().flat_map(|one| of.clone().map(move |category| (one, category)));
            pairs.map(|(one, category)| before.chance(&one.past, category)).sum()
        },
    };
    let model = learn(categories, &tried)?;
    let mut shown = Vec::with_capacity(categories);
    for (category, name) in (0u32..).zip(&names) {
        let others = (0u32..).zip(&names).filter(|(other, _)| *other != category);
        let led = others.map(|(other, name)| (name.to_string(), model.associated(other, category)));
        shown.push(CategoryView {
            category: name.to_string(),
            popularity: model.popularity[category as usize],
            lift: of_one(&tried, category, |past| before.chance(past, category)),
            lift_of_frequent: of_one(&tried, category, |past| f64::from(past.orders)),
            led_by: led.filter(|(_, by)| *by > 1.0).max_by(|a, b| a.1.total_cmp(&b.1)),
        });
    }
    let view = AffinityView {
        as_of: moment.at.rfc3339(),
        days,
        members: tried.len(),
        trial,
        categories: shown,
        features: FEATURES.into_iter().zip(model.weights.map(f64::exp)).collect(),
    };
    Ok(Learned { model, names, view })
}

/// Somebody on the list of the likeliest, the least likely on top of the heap.
struct Ranked {
    chance: f64,
    id: MemberId,
    past: Past,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.chance.total_cmp(&self.chance).then_with(|| self.id.cmp(&other.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

impl Engine {
    /// Learns which categories members buy of next, and tries it. For whoever runs the home at its machine: it reads everybody.
    #[boxed]
    pub async fn affinity(&self, asked: AffinityAsked) -> Result<AffinityView> {
        Ok(self.learn_affinity(asked).await?.0.view)
    }

    async fn learn_affinity(&self, asked: AffinityAsked) -> Result<(Learned, Moment)> {
        if !DAYS.contains(&asked.days) {
            return Err(AudienceProblem::AffinityDays.into());
        }
        let (live, moment) = (self.live()?, self.moment(asked.day).await?);
        let (mut names, mut bags) = (Names::default(), Vec::new());
        self.first_of_all(&live, moment, LEARNED_FROM_MAX, |person| {
            bags.push(bag(&person, asked.level, &live.rules.zone, |name| Some(names.number(name))));
            Ok(())
        })
        .await?;
        let today = live.rules.zone.day(moment.at).0;
        let learning = tokio::task::spawn_blocking(move || learned(names, bags, (moment, today, asked.days)));
        Ok((done(learning.await)?.map_err(AudienceProblem::NoAffinity)?, moment))
    }

    /// The members who are likeliest to buy of a category, the likeliest first, with what speaks for each.
    #[boxed]
    pub async fn likely(
        &self,
        asked: AffinityAsked,
        (category, n): (&str, usize),
        namespace: Option<&str>,
    ) -> Result<(AffinityView, Vec<LikelyView>)> {
        if !(1..=LIKELY_MAX).contains(&n) {
            return Err(AudienceProblem::Picked.into());
        }
        let (learned, moment) = self.learn_affinity(asked).await?;
        let wanted = learned.names.iter().position(|name| &**name == category);
        let wanted = wanted.and_then(|wanted| u32::try_from(wanted).ok());
        let wanted = wanted.ok_or_else(|| AudienceProblem::CategoryUnknown(category.to_owned()))?;
        let numbers: BTreeMap<&str, u32> = learned.names.iter().map(|name| &**name).zip(0..).collect();
        let live = self.live()?;
        let (today, days) = (live.rules.zone.day(moment.at).0, i32::from(asked.days));
        let mut best: BinaryHeap<Ranked> = BinaryHeap::with_capacity(n + 1);
        self.everybody(&live, moment, |person| {
            let number = |name: &Arc<str>| numbers.get(&**name).copied();
            let bag = bag(&person, asked.level, &live.rules.zone, number);
            let Some(past) = bag.past(today, 2 * days) else { return Ok(()) };
            best.push(Ranked { chance: learned.model.chance(&past, wanted), id: person.id, past });
            if best.len() > n {
                best.pop();
            }
            Ok(())
        })
        .await?;
        let best = best.into_sorted_vec();
        let ids = best.iter().map(|one| one.id).collect();
        let mut called: BTreeMap<MemberId, String> = BTreeMap::new();
        for (member, name) in self.called_in(ids, namespace, Mask::Full).await? {
            called.entry(member).or_insert(name);
        }
        let likely = best.into_iter().map(|one| {
            let reasons = learned.model.reasons(&one.past, wanted);
            // That it is liked speaks for it with everybody.
            let most = (1..reasons.len()).max_by(|a, b| reasons[*a].total_cmp(&reasons[*b]));
            let led = learned.model.led_by(&one.past, wanted);
            LikelyView {
                member: called.remove(&one.id).unwrap_or_else(|| one.id.to_string()),
                id: one.id.to_string(),
                chance: one.chance,
                because: most.map_or("", |most| FEATURES[most]),
                led_by: led.map(|(by, _)| learned.names[by as usize].to_string()),
            }
        });
        let likely = likely.collect();
        Ok((learned.view, likely))
    }
}
