//! What was found, as a sentence: a difference that says between what it lies.

use crate::effect::{Effect, Interval};
use crate::matched::Matched;
use crate::verdict::Verdict;

/// What numbers of a metric are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Parts of 1, said in percentage points.
    Share,
    /// Minor units of a currency: its code, and how many digits follow the point of a major one.
    Money(String, u32),
    /// Pieces.
    Count,
}

impl Unit {
    /// A number in it, without its name: points of a percentage, major units.
    pub fn number(&self, value: f64) -> String {
        let (value, digits) = match self {
            Self::Share => (value * 100.0, 1),
            Self::Money(_, exponent) => {
                (value / 10f64.powi(i32::try_from(*exponent).unwrap_or(0)), *exponent as usize)
            }
            Self::Count => (value, 3),
        };
        let text = format!("{value:.digits$}");
        // Nothing is less than nothing.
        let is_zero = text.chars().all(|c| !c.is_ascii_digit() || c == '0');
        if is_zero { text.trim_start_matches('-').to_owned() } else { text }
    }

    fn named(&self) -> [String; 2] {
        match self {
            Self::Share => [" 个百分点".to_owned(), " percentage points".to_owned()],
            Self::Money(code, _) => [format!(" {code}"), format!(" {code}")],
            Self::Count => [String::new(), String::new()],
        }
    }
}

/// What is compared, in Chinese and in English: `与对照组相比`, `than the holdout`.
pub type Beside<'a> = [&'a str; 2];

/// A difference with its sequential interval, and what it means: in Chinese and in English.
pub fn said(effect: &Effect, verdict: Verdict, unit: &Unit, beside: Beside<'_>) -> [String; 2] {
    let [zh, en] = difference(&effect.sequential, unit, beside);
    let [means_zh, means_en] = verdict.words();
    [format!("{zh}：{means_zh}。"), format!("{en}: {means_en}.")]
}

/// A difference between people who were not assigned by lot: in Chinese and in English, always with that warning.
pub fn said_matched(found: &Matched, unit: &Unit) -> [String; 2] {
    let beside = ["与此前消费相近的其他人相比", "than others who had spent alike before"];
    let [zh, en] = difference(&found.difference, unit, beside);
    let warns = [
        "名单不是随机选出的，差异可能来自选人而非活动",
        "nobody drew lots, so it may be of how they were chosen and not of the campaign",
    ];
    [format!("{zh}；{}。", warns[0]), format!("{en}; {}.", warns[1])]
}

fn difference(of: &Interval, unit: &Unit, beside: Beside<'_>) -> [String; 2] {
    let [of_zh, of_en] = unit.named();
    let (low, high) = (unit.number(of.low), unit.number(of.high));
    let size = unit.number(of.at.abs());
    let (more_zh, more_en) = if of.at < 0.0 { ("少", "less") } else { ("多", "more") };
    [
        format!("{}，{more_zh} {size}{of_zh}（95% 区间 {low} 至 {high}）", beside[0]),
        format!("{size}{of_en} {more_en} {} (95% interval {low} to {high})", beside[1]),
    ]
}

/// So many times an estimate: of one member, and of all of an arm.
pub fn times(of: &Interval, members: u64) -> Interval {
    let n = crate::ratio::count(members);
    Interval { at: of.at * n, low: of.low * n, high: of.high * n, p_value: of.p_value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, Sums, Terms, effect, verdict};

    fn shares(yes: i128, n: u64) -> Sums {
        Sums { n, y: yes, yy: yes, ..Sums::default() }
    }

    #[test]
    fn a_difference_is_said_with_its_interval_and_what_it_means() {
        let found =
            effect(Metric::Share, &shares(200, 1_000), &shares(1_800, 5_000), Terms::default()).unwrap();
        let word = verdict(&found, 1.0, None);
        let [zh, en] = said(&found, word, &Unit::Share, ["与对照组相比", "than the holdout"]);
        assert!(zh.starts_with("与对照组相比，多 16.0 个百分点（95% 区间 ") && zh.ends_with("。"), "{zh}");
        assert!(en.starts_with("16.0 percentage points more than the holdout (95% interval "), "{en}");
        assert!(en.ends_with("more than without, however often one looks."), "{en}");
    }

    #[test]
    fn money_is_said_in_major_units_and_nothing_is_not_less_than_nothing() {
        let unit = Unit::Money("CNY".to_owned(), 2);
        assert_eq!([unit.number(123.0), unit.number(-0.2), unit.number(-50.0)], ["1.23", "0.00", "-0.50"]);
        let all = times(&Interval { at: 1.5, low: 1.0, high: 2.0, p_value: 0.01 }, 10);
        assert_eq!((all.at, all.low, all.high), (15.0, 10.0, 20.0));
    }
}
