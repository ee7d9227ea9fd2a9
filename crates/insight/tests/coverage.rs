//! Intervals hold what they promise, on members who are drawn with an effect that is known.
#![allow(
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a test of statistics"
)]

use zhiyin_insight::{Effect, Metric, NoEffect, Sums, Terms, Verdict, effect, sample_ratio, verdict};

const SEEDS: u64 = 1_000;

/// Chance that is the same everywhere (SplitMix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> i64 {
        i64::try_from((u128::from(self.next()) * u128::from(n)) >> 64).unwrap()
    }
}

/// What a member spends: half of them nothing, the others more, the more they spent before; the treated 150 more on average.
fn member(draw: &mut Draw, treated: bool) -> (i64, i64) {
    let before = draw.below(8_000);
    let buys = draw.below(2) == 0;
    let spends = if buys { before + draw.below(4_000) } else { 0 };
    (spends + if treated { draw.below(301) } else { 0 }, before)
}

const TRUTH: f64 = 150.0;

struct Looks {
    arms: [Sums; 2],
    draw: Draw,
}

impl Looks {
    fn new(seed: u64) -> Self {
        Self { arms: [Sums::default(); 2], draw: Draw(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)) }
    }

    fn more(&mut self, n: u32, same: bool) {
        for _ in 0..n {
            let arm = usize::from(self.draw.below(2) == 1);
            let (y, x) = member(&mut self.draw, arm == 1 && !same);
            self.arms[arm].add(y, x).unwrap();
        }
    }

    fn effect(&self, adjusted: bool) -> Effect {
        effect(Metric::Mean { adjusted }, &self.arms[0], &self.arms[1], Terms::default()).unwrap()
    }
}

fn standard_error(share: f64) -> f64 {
    (share * (1.0 - share) / SEEDS as f64).sqrt()
}

#[test]
fn fixed_intervals_cover_the_truth_as_often_as_they_say() {
    for adjusted in [false, true] {
        let covered = (0..SEEDS).filter(|seed| {
            let mut looks = Looks::new(*seed);
            looks.more(1_000, false);
            let fixed = looks.effect(adjusted).fixed;
            (fixed.low..=fixed.high).contains(&TRUTH)
        });
        let share = covered.count() as f64 / SEEDS as f64;
        assert!((share - 0.95).abs() <= 2.0 * standard_error(0.95), "adjusted: {adjusted}, {share}");
    }
}

#[test]
fn whoever_looks_daily_is_not_misled() {
    let (mut missed_by_sequential, mut missed_by_fixed) = (0, 0);
    for seed in 0..SEEDS {
        let mut looks = Looks::new(seed ^ 0xabcd);
        let (mut sequential, mut fixed) = (false, false);
        for _day in 0..40 {
            looks.more(100, true);
            let effect = looks.effect(true);
            sequential |= effect.sequential.excludes_zero();
            fixed |= effect.fixed.excludes_zero();
        }
        missed_by_sequential += u64::from(sequential);
        missed_by_fixed += u64::from(fixed);
    }
    let share = missed_by_sequential as f64 / SEEDS as f64;
    assert!(share <= 0.05 + 2.0 * standard_error(0.05), "{share}");
    assert!(missed_by_fixed > SEEDS / 10, "the other interval is not for that: {missed_by_fixed}");
}

#[test]
fn what_was_before_makes_intervals_narrower_and_moves_no_truth() {
    let mut looks = Looks::new(7);
    looks.more(4_000, false);
    let (plain, adjusted) = (looks.effect(false), looks.effect(true));
    let width = |effect: &Effect| effect.fixed.high - effect.fixed.low;
    assert!(width(&adjusted) < 0.96 * width(&plain), "{} {}", width(&adjusted), width(&plain));
    assert_eq!(
        (plain.control, plain.treated),
        (adjusted.control, adjusted.treated),
        "what is shown of arms is as it was"
    );
    let left = adjusted.variance_left.unwrap();
    assert!((width(&adjusted) / width(&plain) - left.sqrt()).abs() < 1e-3, "{left}");
    assert!(plain.variance_left.is_none());
}

#[test]
fn m5_what_can_be_said_is_said_in_words_and_nothing_of_arms_that_are_not_as_drawn() {
    let told = |y: [(u64, i128, i128); 2], ratio: f64| {
        let [a, b] = y.map(|(n, y, yy)| Sums { n, y, yy, ..Sums::default() });
        verdict(
            &effect(Metric::Mean { adjusted: false }, &a, &b, Terms::default()).unwrap(),
            ratio,
            Some(1.0),
        )
    };
    let arm = |n: u64, mean: i128| (n, mean * i128::from(n), (mean * mean + 4) * i128::from(n));
    for (arms, ratio, expected) in [
        ([arm(5_000, 10), arm(5_000, 12)], 0.4, Verdict::More),
        ([arm(5_000, 12), arm(5_000, 10)], 0.4, Verdict::Less),
        ([arm(5_000, 10), arm(5_000, 10)], 0.4, Verdict::AsGoodAsNone),
        ([arm(10, 10), arm(10, 10)], 0.4, Verdict::Open),
        ([arm(5_000, 10), arm(5_000, 12)], sample_ratio(&[(5_000, 1.0), (4_000, 1.0)]), Verdict::NotAsDrawn),
    ] {
        assert_eq!(told(arms, ratio), expected);
        assert!(expected.words().iter().all(|words| !words.is_empty()));
    }
}

#[test]
fn what_no_effect_can_be_stated_of_is_refused_by_name() {
    let arm = |n: u64, y: i128, yy: i128| Sums { n, y, yy, ..Sums::default() };
    let (good, one, flat) = (arm(9, 20, 80), arm(1, 3, 9), arm(9, 18, 36));
    let terms = Terms::default();
    for (control, treated, terms, expected) in [
        (&one, &good, terms, NoEffect::TooFew),
        (&good, &one, terms, NoEffect::TooFew),
        (&good, &flat, terms, NoEffect::NoVariance),
        (&good, &good, Terms { alpha: 0.0, ..terms }, NoEffect::BadTerms),
        (&good, &good, Terms { alpha: f64::NAN, ..terms }, NoEffect::BadTerms),
        (&good, &good, Terms { tuned_to: 0.0, ..terms }, NoEffect::BadTerms),
    ] {
        assert_eq!(effect(Metric::Mean { adjusted: true }, control, treated, terms), Err(expected));
    }
    // Of nothing there are no parts; the difference itself is stated all the same.
    let nothing = arm(9, 0, 8);
    let found = effect(Metric::Mean { adjusted: false }, &nothing, &good, terms).unwrap();
    assert!(found.relative.is_none() && found.fixed.at > 0.0);
}
