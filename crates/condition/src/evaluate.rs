//! evaluate
use zhiyin_model::time::Ts;

use crate::condition::Condition;
use crate::facts::{Facts, Judged};
use crate::leaf::Leaves;

/// Whether a condition holds at an instant, and until when.
pub fn evaluate(_c: &Condition, _leaves: &Leaves, _facts: &dyn Facts, now: Ts) -> Judged {
    Judged {
        value: false,
        until: now.plus_us(1),
    }
}
/// [`evaluate`] as a pair.
pub fn holds(c: &Condition, leaves: &Leaves, facts: &dyn Facts, now: Ts) -> (bool, Ts) {
    let judged = evaluate(c, leaves, facts, now);
    (judged.value, judged.until)
}
