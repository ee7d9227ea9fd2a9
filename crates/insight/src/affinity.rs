//! Which category a member will buy of next: a logistic regression over few features that people can read, learned from what
//! members bought after an instant of the past, and tried on a later time that it was not learned from.
//!
//! Every pair of a member and a category is one example. What speaks for it: how liked the category is, how often and how lately
//! the member bought anything, and it, and which other categories they bought whose buyers went on to it ([`Model::associated`]). The
//! regression is fitted by Newton's method (iteratively reweighted least squares, Hastie, Tibshirani and Friedman, *The Elements of
//! Statistical Learning*, §4.4.1) with a ridge of 1 on all weights but the intercept, over standardised features. The same
//! examples in the same order give the same model.

use serde::Serialize;

use crate::ratio::count;

/// What speaks for a pair, in the order of a model's weights.
pub const FEATURES: [&str; 7] =
    ["popularity", "orders", "recency", "bought_times", "bought_recency", "led_by_most", "led_by_all"];
const N: usize = FEATURES.len();
/// Days in which the weight of a last order, and of a last purchase of the category, falls to 1/e.
const RECENCY_DAYS: f64 = 30.0;
const BOUGHT_RECENCY_DAYS: f64 = 60.0;
/// How many members an association has to stand on before it counts half of what it seems.
const SHRINK: f64 = 50.0;
/// Newton's steps at most, and the largest change of a weight that ends them sooner.
const STEPS_MAX: usize = 30;
const CHANGE_MIN: f64 = 1e-10;

/// What a member bought of a category before an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought {
    /// Of which, from 0.
    pub category: u32,
    /// In how many orders.
    pub orders: u32,
    /// So many days before the instant, last.
    pub last_days: u32,
}

/// A member before an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How many orders.
    pub orders: u32,
    /// So many days before the instant, the last of them.
    pub last_days: u32,
    /// Of which categories, by category, each once.
    pub bought: Vec<Bought>,
}

/// A member before an instant, and the categories of which they bought in the time after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// Before.
    pub past: Past,
    /// After: by category, each once.
    pub next: Vec<u32>,
}

/// Why nothing is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoModel {
    /// There are too few.
    #[error(
        "too little was bought to learn from: at least 100 members and one purchase and one absence of it are needed"
    )]
    TooFew,
}

/// Learned from examples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// How many categories.
    pub categories: usize,
    /// Share of members who bought of each in the time after.
    pub popularity: Vec<f64>,
    /// Weight of each feature per standard deviation of it, as [`FEATURES`].
    pub weights: [f64; N],
    /// The rest.
    pub intercept: f64,
    /// How features are standardised.
    mean: [f64; N],
    deviation: [f64; N],
    /// Of members who had bought of one category, by how much more than others they bought of another after (log of the ratio,
    /// shrunk): row by row.
    #[serde(skip)]
    leads: Vec<f64>,
}

/// Learns. Examples name categories below `categories`.
///
/// # Errors
/// If there is too little to learn from.
pub fn learn(categories: usize, examples: &[Example]) -> Result<Model, NoModel> {
    let (hits, pairs) =
        (examples.iter().map(|one| one.next.len()).sum::<usize>(), examples.len() * categories);
    if examples.len() < 100 || hits == 0 || hits >= pairs {
        return Err(NoModel::TooFew);
    }
    let members = count(examples.len() as u64);
    let mut popularity = vec![0.0; categories];
    for one in examples {
        one.next.iter().for_each(|category| popularity[*category as usize] += 1.0);
    }
    // Nobody is sure of anything: half a member more on either side.
    popularity.iter_mut().for_each(|share| *share = (*share + 0.5) / (members + 1.0));
    let leads = leads(categories, examples, &popularity);
    let mut model = Model {
        categories,
        popularity,
        weights: [0.0; N],
        intercept: 0.0,
        mean: [0.0; N],
        deviation: [1.0; N],
        leads,
    };
    model.standardise(examples);
    model.fit(examples);
    Ok(model)
}

/// The log of the ratio by which who had bought of a category bought of another after, shrunk towards no difference.
fn leads(categories: usize, examples: &[Example], popularity: &[f64]) -> Vec<f64> {
    let (mut both, mut had) = (vec![0.0; categories * categories], vec![0.0; categories]);
    for one in examples {
        for bought in &one.past.bought {
            let from = bought.category as usize;
            had[from] += 1.0;
            one.next.iter().for_each(|to| both[from * categories + *to as usize] += 1.0);
        }
    }
    for (from, row) in both.chunks_mut(categories).enumerate() {
        for (pair, share) in row.iter_mut().zip(popularity) {
            *pair = ((*pair + SHRINK * share) / (had[from] + SHRINK) / share).ln();
        }
    }
    both
}

impl Model {
    /// By how much (a factor) who had bought of a category is likelier than others to buy of another after.
    pub fn associated(&self, from: u32, to: u32) -> f64 {
        self.leads[from as usize * self.categories + to as usize].exp()
    }

    /// The other category a member bought of that speaks most for this one, and by how much, if any does.
    pub fn led_by(&self, past: &Past, category: u32) -> Option<(u32, f64)> {
        let others = past.bought.iter().filter(|bought| bought.category != category);
        let led = others.map(|bought| (bought.category, self.associated(bought.category, category)));
        led.filter(|(_, by)| *by > 1.0).max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    fn features(&self, past: &Past, category: u32) -> [f64; N] {
        let share = self.popularity[category as usize];
        let own = past.bought.binary_search_by_key(&category, |bought| bought.category);
        let own = own.ok().map(|at| past.bought[at]);
        let (mut most, mut sum, mut others) = (0.0f64, 0.0, 0u32);
        for bought in past.bought.iter().filter(|bought| bought.category != category) {
            let lead = self.leads[bought.category as usize * self.categories + category as usize];
            most = most.max(lead);
            sum += lead;
            others += 1;
        }
        let since = |days: u32, scale: f64| (-f64::from(days) / scale).exp();
        [
            (share / (1.0 - share)).ln(),
            f64::from(past.orders).ln_1p(),
            if past.orders > 0 { since(past.last_days, RECENCY_DAYS) } else { 0.0 },
            own.map_or(0.0, |own| f64::from(own.orders).ln_1p()),
            own.map_or(0.0, |own| since(own.last_days, BOUGHT_RECENCY_DAYS)),
            most,
            sum / f64::from(others.max(1)),
        ]
    }

    fn standardised(&self, past: &Past, category: u32) -> [f64; N] {
        let mut features = self.features(past, category);
        for (at, feature) in features.iter_mut().enumerate() {
            *feature = (*feature - self.mean[at]) / self.deviation[at];
        }
        features
    }

    fn standardise(&mut self, examples: &[Example]) {
        let (mut sum, mut squares, mut pairs) = ([0.0; N], [0.0; N], 0.0);
        self.each(examples, |features, _| {
            pairs += 1.0;
            for at in 0..N {
                sum[at] += features[at];
                squares[at] += features[at] * features[at];
            }
        });
        for at in 0..N {
            let mean: f64 = sum[at] / pairs;
            let variance: f64 = (squares[at] / pairs - mean * mean).max(0.0);
            // What is the same for all tells nothing, and divides by nothing.
            (self.mean[at], self.deviation[at]) =
                (mean, if variance > 1e-12 { variance.sqrt() } else { 1.0 });
        }
    }

    /// Every pair in turn: its features (standardised, once that is known), and whether it was bought.
    fn each(&self, examples: &[Example], mut see: impl FnMut(&[f64; N], f64)) {
        for one in examples {
            for category in 0..u32::try_from(self.categories).unwrap_or(u32::MAX) {
                let hit = one.next.binary_search(&category).is_ok();
                see(&self.standardised(&one.past, category), if hit { 1.0 } else { 0.0 });
            }
        }
    }

    fn fit(&mut self, examples: &[Example]) {
        for _ in 0..STEPS_MAX {
            let (mut slope, mut curve) = ([0.0; N + 1], [[0.0; N + 1]; N + 1]);
            self.each(examples, |features, hit| {
                let chance = logistic(self.intercept + dot(&self.weights, features));
                let mut row = [1.0; N + 1];
                row[1..].copy_from_slice(features);
                let weight = chance * (1.0 - chance);
                for i in 0..=N {
                    slope[i] += (hit - chance) * row[i];
                    curve[i].iter_mut().zip(&row).for_each(|(sum, other)| *sum += weight * row[i] * other);
                }
            });
            for i in 0..=N {
                if i > 0 {
                    slope[i] -= self.weights[i - 1];
                    curve[i][i] += 1.0;
                }
            }
            let step = solve(curve, slope);
            self.intercept += step[0];
            self.weights.iter_mut().zip(&step[1..]).for_each(|(weight, step)| *weight += step);
            if step.iter().all(|step| step.abs() < CHANGE_MIN) {
                break;
            }
        }
    }

    /// How likely a member buys of a category in a time as long as the one that was learned from.
    pub fn chance(&self, past: &Past, category: u32) -> f64 {
        logistic(self.intercept + dot(&self.weights, &self.standardised(past, category)))
    }

    /// What speaks for a pair (above 0) and against it (below), by feature, against the average pair: parts of its log odds.
    pub fn reasons(&self, past: &Past, category: u32) -> [f64; N] {
        let mut parts = self.standardised(past, category);
        parts.iter_mut().zip(&self.weights).for_each(|(part, weight)| *part *= weight);
        parts
    }
}

fn dot(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// Solves a symmetric, positive system by Gauss's elimination with pivots.
fn solve(mut a: [[f64; N + 1]; N + 1], mut b: [f64; N + 1]) -> [f64; N + 1] {
    for column in 0..=N {
        let largest = (column..=N).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs()));
        let pivot = largest.unwrap_or(column);
        a.swap(column, pivot);
        b.swap(column, pivot);
        if a[column][column].abs() < f64::MIN_POSITIVE {
            continue;
        }
        for row in column + 1..=N {
            let factor = a[row][column] / a[column][column];
            let above = a[column];
            a[row].iter_mut().zip(above).for_each(|(own, above)| *own -= factor * above);
            b[row] -= factor * b[column];
        }
    }
    let mut x = [0.0; N + 1];
    for row in (0..=N).rev() {
        let known: f64 = (row + 1..=N).map(|column| a[row][column] * x[column]).sum();
        let pivot = a[row][row];
        x[row] = if pivot.abs() < f64::MIN_POSITIVE { 0.0 } else { (b[row] - known) / pivot };
    }
    x
}

/// By how much the best-scored part of pairs is likelier to be bought than all are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lift {
    /// How many pairs.
    pub pairs: u64,
    /// How many of them were bought.
    pub bought: u64,
    /// Share of the best-scored part that was bought, against the share of all. 1 is no better than chance.
    pub lift: f64,
    /// Share of all that was bought which lies in the best-scored part.
    pub captured: f64,
}

/// The lift of scores at their best `share`. Pairs with equal scores count in parts, as if the order among them were drawn.
///
/// Of no pairs, or where nothing was bought, there is none.
pub fn lift(mut scored: Vec<(f64, bool)>, share: f64) -> Option<Lift> {
    let bought = scored.iter().filter(|(_, hit)| *hit).count();
    if bought == 0 || !(share > 0.0 && share <= 1.0) {
        return None;
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let pairs = count(scored.len() as u64);
    let mut left = share * pairs;
    let mut hits = 0.0;
    for equal in scored.chunk_by(|a, b| a.0 == b.0) {
        let n = count(equal.len() as u64);
        let takes = left.min(n);
        hits += count(equal.iter().filter(|(_, hit)| *hit).count() as u64) * takes / n;
        left -= takes;
        if left <= 0.0 {
            break;
        }
    }
    let captured = hits / count(bought as u64);
    Some(Lift { pairs: scored.len() as u64, bought: bought as u64, lift: captured / share, captured })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look drawn and are the same each time (SplitMix64).
    struct Drawn(u64);

    impl Drawn {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut x = self.0;
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// Who bought rice (0) goes on to the rice pot (1); salt (2) everybody buys; paint (3) hardly anybody.
    fn households(n: usize, seed: u64) -> Vec<Example> {
        let mut drawn = Drawn(seed);
        let one = |drawn: &mut Drawn| {
            let rice = drawn.next() < 0.4;
            let mut bought = Vec::new();
            if rice {
                bought.push(Bought { category: 0, orders: 3, last_days: (drawn.next() * 90.0) as u32 });
            }
            bought.push(Bought { category: 2, orders: 1 + (drawn.next() * 5.0) as u32, last_days: 10 });
            let chances = [if rice { 0.7 } else { 0.1 }, if rice { 0.3 } else { 0.03 }, 0.8, 0.02];
            let next = (0..4).filter(|category| drawn.next() < chances[*category as usize]).collect();
            Example { past: Past { orders: 6, last_days: 5, bought }, next }
        };
        (0..n).map(|_| one(&mut drawn)).collect()
    }

    #[test]
    fn u7_who_buys_rice_is_known_to_want_the_rice_pot() {
        let model = learn(4, &households(4_000, 1)).unwrap();
        let with_rice = Past {
            orders: 6,
            last_days: 5,
            bought: vec![
                Bought { category: 0, orders: 3, last_days: 20 },
                Bought { category: 2, orders: 2, last_days: 10 },
            ],
        };
        let without = Past { bought: with_rice.bought[1..].to_vec(), ..with_rice.clone() };
        let (likely, unlikely) = (model.chance(&with_rice, 1), model.chance(&without, 1));
        assert!((likely - 0.3).abs() < 0.06 && (unlikely - 0.03).abs() < 0.03, "{likely} {unlikely}");
        assert_eq!(model.led_by(&with_rice, 1).unwrap().0, 0);
        assert!(model.associated(0, 1) > 1.8, "{}", model.associated(0, 1));
        // Its reasons are parts of its log odds, beside those of the average pair.
        let odds = (likely / (1.0 - likely)).ln();
        let parts: f64 = model.reasons(&with_rice, 1).iter().sum();
        assert!((odds - model.intercept - parts).abs() < 1e-9);
        // The same examples teach the same.
        assert_eq!(model, learn(4, &households(4_000, 1)).unwrap());
    }

    #[test]
    fn u7_what_was_learned_beats_what_is_merely_liked_on_a_time_it_was_not_learned_from() {
        let model = learn(4, &households(4_000, 1)).unwrap();
        let tried = households(2_000, 2);
        let scored = |score: &dyn Fn(&Past, u32) -> f64| {
            let pairs = tried.iter().flat_map(|one| (0..4).map(move |category| (one, category)));
            pairs.map(|(one, of)| (score(&one.past, of), one.next.contains(&of))).collect::<Vec<_>>()
        };
        // Of salt anybody is sure; what tells is the rest.
        let ours = lift(scored(&|past, of| model.chance(past, of)), 0.4).unwrap();
        let liked = lift(scored(&|_, of| model.popularity[of as usize]), 0.4).unwrap();
        assert!(ours.lift > liked.lift * 1.1, "{ours:?} {liked:?}");
        let chances: f64 = scored(&|past, of| model.chance(past, of)).iter().map(|(chance, _)| chance).sum();
        assert!((chances / ours.bought as f64 - 1.0).abs() < 0.05, "{chances} of {}", ours.bought);
    }

    #[test]
    fn a_lift_counts_equals_in_parts() {
        let of = |scores: &[(f64, bool)], share| lift(scores.to_vec(), share).map(|lift| lift.lift);
        assert_eq!(of(&[(3.0, true), (2.0, false), (1.0, false), (0.0, false)], 0.25), Some(4.0));
        assert_eq!(of(&[(1.0, true), (1.0, false), (1.0, false), (1.0, false)], 0.25), Some(1.0));
        assert_eq!(of(&[(1.0, false)], 0.5), None);
        assert_eq!(of(&[], 0.5), None);
    }

    #[test]
    fn nothing_is_learned_from_next_to_nothing() {
        assert_eq!(learn(4, &households(99, 1)), Err(NoModel::TooFew));
        let nothing = vec![Example::default(); 200];
        assert_eq!(learn(4, &nothing), Err(NoModel::TooFew));
    }
}
