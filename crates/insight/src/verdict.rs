//! What an effect means, in plain words.

use serde::Serialize;

use crate::effect::{Effect, Interval};
use crate::ratio::MISMATCH;

/// What can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Arms are not as they were drawn: no effect is read of them.
    NotAsDrawn,
    /// More than without, whenever it is looked at.
    More,
    /// Less than without, whenever it is looked at.
    Less,
    /// Whatever difference there is, it is smaller than what would matter.
    AsGoodAsNone,
    /// It could be either: wait, or ask more members.
    Open,
}

/// What can be said of an effect by its sequential interval, so that whoever looks daily is not misled. `matters` is the least
/// difference that would matter, in the units of the metric; without one, nothing is as good as none.
pub fn verdict(effect: &Effect, sample_ratio: f64, matters: Option<f64>) -> Verdict {
    let Interval { low, high, .. } = effect.sequential;
    if sample_ratio < MISMATCH {
        Verdict::NotAsDrawn
    } else if low > 0.0 {
        Verdict::More
    } else if high < 0.0 {
        Verdict::Less
    } else if matters.is_some_and(|matters| low > -matters && high < matters) {
        Verdict::AsGoodAsNone
    } else {
        Verdict::Open
    }
}

impl Verdict {
    /// In Chinese and in English.
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Self::NotAsDrawn => [
                "分组人数与抽样比例不符，结果不可信",
                "the groups are not as large as they were drawn: nothing can be read from them",
            ],
            Self::More => ["有提升，且随时查看都成立", "more than without, however often one looks"],
            Self::Less => ["有下降，且随时查看都成立", "less than without, however often one looks"],
            Self::AsGoodAsNone => {
                ["即使有差异也小到没有意义", "whatever difference there is, it is too small to matter"]
            }
            Self::Open => ["目前还看不出有没有效果", "it cannot be told yet whether there is an effect"],
        }
    }
}
