//! Answers comparisons, a JSON object a line, as `tests/effects/test_effects.py` asks them: what another program says of the same
//! numbers is held against it.

use std::io::{BufRead, Write};

use serde::Deserialize;
use zhiyin_insight::{Metric, Sums, Terms, effect, sample_ratio};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    metric: String,
    control: Sums,
    treated: Sums,
    alpha: f64,
    tuned_to: f64,
    weights: [f64; 2],
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let metric = match &*asked.metric {
            "share" => Metric::Share,
            "mean" => Metric::Mean { adjusted: false },
            "adjusted" => Metric::Mean { adjusted: true },
            "ratio" => Metric::Ratio,
            other => return Err(format!("{other} is no metric").into()),
        };
        let terms = Terms { alpha: asked.alpha, tuned_to: asked.tuned_to };
        let found = effect(metric, &asked.control, &asked.treated, terms);
        let arms = [(asked.control.n, asked.weights[0]), (asked.treated.n, asked.weights[1])];
        let answer = match found {
            Ok(effect) => serde_json::json!({ "effect": effect, "sample_ratio": sample_ratio(&arms) }),
            Err(why) => {
                serde_json::json!({ "refused": why.to_string(), "sample_ratio": sample_ratio(&arms) })
            }
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
