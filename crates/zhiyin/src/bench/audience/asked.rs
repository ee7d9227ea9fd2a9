//! What is asked, and how long our columns take to answer it.

use anyhow::{Result, anyhow, ensure};
use zhiyin_audience::{Found, Question, Seen};
use zhiyin_condition::{Condition, Schema};
use zhiyin_engine::clock;
use zhiyin_model::time::Ts;

/// How often each is asked; the fastest counts.
const TIMES: usize = 3;

/// A question.
pub struct Asked {
    /// As the script of the peers knows it.
    pub key: &'static str,
    /// As people do.
    pub name: &'static str,
    /// As the condition language says it.
    pub text: &'static str,
}

/// All of them, the one about attributes first. bench/audience.py has the same as SQL.
pub const QUESTIONS: [Asked; 4] = [
    Asked {
        key: "attributes",
        name: "three attributes",
        text: r#"attr.gender == "f" && attr.city == "c012" && attr.years >= 25"#,
    },
    Asked {
        key: "often",
        name: ">= 4 orders in 365 days, last <= 120 days ago",
        text: r#"size(within(orders, "365d")) >= 4 && days_since(last(orders)) <= 120"#,
    },
    Asked {
        key: "pieces",
        name: ">= 5 pieces of one category in 30 days",
        text: r#"sum(within(items, "30d").filter(i, i.category == "k007").map(i, i.quantity)) >= 5"#,
    },
    Asked {
        key: "four",
        name: "four of history and an attribute",
        text: r#"attr.gender == "f" && size(within(orders, "365d")) >= 3 && sum(within(items, "180d").filter(i, i.category == "k003").map(i, i.paid)) > 100 && !within(items, "90d").exists(i, i.category == "k011") && days_since(last(orders)) <= 60"#,
    },
];

/// What our columns answered.
#[derive(Clone, Copy)]
pub struct Answer {
    /// The shortest time.
    pub us: u64,
    /// How many members.
    pub count: u64,
    /// Of how many members a test of it was asked, all tests together.
    pub asked: u64,
    /// Rows of history that were looked at.
    pub rows: u64,
}

/// Asks once, from the text of the condition on; what was found, and the microseconds it took.
pub fn once(seen: &Seen, text: &str, schema: &Schema, now: Ts) -> Result<(Found, u64)> {
    let watch = clock::stopwatch();
    let condition = Condition::check(text, schema).map_err(|problems| anyhow!("{text}: {problems:?}"))?;
    let found = seen.find(&Question { condition: &condition, now });
    Ok((found, u64::try_from(watch.elapsed().as_micros())?))
}

/// Asks several times.
pub fn best(seen: &Seen, text: &str, schema: &Schema, now: Ts) -> Result<Answer> {
    let mut best: Option<Answer> = None;
    for _ in 0..TIMES {
        let (found, us) = once(seen, text, schema, now)?;
        let count = found.members.len() as u64;
        if let Some(before) = best {
            ensure!(before.count == count, "{text}: {} members, and then {count}", before.count);
        }
        if best.is_none_or(|before| us < before.us) {
            let asked = found.steps.iter().map(|step| step.asked).sum();
            let rows = found.steps.iter().map(|step| step.rows).sum();
            best = Some(Answer { us, count, asked, rows });
        }
    }
    best.ok_or_else(|| anyhow!("{text}: never asked"))
}

/// Asks everything.
pub fn all(seen: &Seen, schema: &Schema, now: Ts) -> Result<Vec<Answer>> {
    QUESTIONS.iter().map(|asked| best(seen, asked.text, schema, now)).collect()
}
