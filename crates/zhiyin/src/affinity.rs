//! `zhiyin affinity`: of which category members will buy next, how that stood its trial, and who is likeliest to (docs/affinity.md).

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use zhiyin_engine::Engine;
use zhiyin_engine::audience::affinity::{AffinityAsked, AffinityView, Level, LikelyView};
use zhiyin_engine::lists::{AT_ONCE, Line, Others};
use zhiyin_model::time::Day;

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;
use crate::who;

/// What is asked.
#[derive(Debug, Args)]
pub struct Asking {
    /// A category (or a department): lists who is likeliest to buy of it. Without it, says what was learned and how it stood its trial.
    category: Option<String>,
    /// How many members are listed.
    #[arg(short, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    n: u32,
    /// By what products are put together.
    #[arg(long, value_enum, default_value = "department")]
    level: LevelAsked,
    /// For how many days it is forecast, 7 to 180; three times as many of history are needed, five times are best.
    #[arg(long, default_value_t = 90)]
    days: u16,
    /// As of the end of this day (YYYY-MM-DD); now without it.
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// The namespace in which members are named; without it, by their ids.
    #[arg(long, value_name = "NS")]
    namespace: Option<String>,
    /// Makes them a list of this name, for conditions and campaigns: audience("NAME"). Whoever was on it before leaves.
    #[arg(long, value_name = "NAME", requires = "category")]
    list: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// By what products are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelAsked {
    /// By departments.
    Department,
    /// By categories.
    Category,
}

/// Answers.
pub async fn affinity(place: &Place, asked: &Asking) -> Result<ExitCode> {
    let day = match asked.as_of.as_deref().map(|text| (text, Day::parse(text))) {
        None => None,
        Some((_, Some(day))) => Some(day),
        Some((text, None)) => bail!("--as-of {text}: a date is YYYY-MM-DD"),
    };
    let level = match asked.level {
        LevelAsked::Department => Level::Department,
        LevelAsked::Category => Level::Category,
    };
    let asks = AffinityAsked { level, days: asked.days, day };
    let engine = place.open_existing().await?;
    // What waits and is due is decided first, as for reports.
    engine.drain(place.batch(), None, |_| ()).await?;
    let Some(category) = &asked.category else {
        let view = engine.affinity(asks).await?;
        return learned(&view, asked.format);
    };
    let n = usize::try_from(asked.n)?;
    let (view, likely) = engine.likely(asks, (category, n), asked.namespace.as_deref()).await?;
    if let Some(name) = &asked.list {
        listed(&engine, name, &likely).await?;
    }
    if asked.format == Format::Json {
        say!(
            "{}",
            serde_json::to_string_pretty(&serde_json::json!({"as_of": view.as_of, "likely": likely}))?
        );
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [asked.namespace.as_deref().unwrap_or("member"), "chance", "because", "led_by"];
    let rows: Vec<Vec<String>> = likely
        .into_iter()
        .map(|one| {
            vec![
                one.member,
                format!("{:.4}", one.chance),
                one.because.to_owned(),
                one.led_by.unwrap_or_default(),
            ]
        })
        .collect();
    print(&columns.map(str::to_owned), &rows, asked.format)?;
    Ok(ExitCode::SUCCESS)
}

async fn listed(engine: &Engine, name: &str, likely: &[LikelyView]) -> Result<()> {
    let mut upload = engine.list_upload(&who::system(), name).await?;
    let lines: Vec<Line> = (1..)
        .zip(likely)
        .map(|(no, one)| Line { no, namespace: Some("member".to_owned()), value: one.id.clone() })
        .collect();
    for part in lines.chunks(AT_ONCE) {
        upload.take(part.to_vec()).await?;
    }
    upload.end(Others::Leave).await?;
    Ok(())
}

fn learned(view: &AffinityView, format: Format) -> Result<ExitCode> {
    if format == Format::Json {
        say!("{}", serde_json::to_string_pretty(view)?);
        return Ok(ExitCode::SUCCESS);
    }
    let times = |lift: Option<f64>| lift.map(|lift| format!("{lift:.2}")).unwrap_or_default();
    let rows: Vec<Vec<String>> = view
        .categories
        .iter()
        .map(|one| {
            let (led, by) = one.led_by.clone().unzip();
            vec![
                one.category.clone(),
                format!("{:.4}", one.popularity),
                times(one.lift),
                times(one.lift_of_frequent),
                led.unwrap_or_default(),
                times(by),
            ]
        })
        .collect();
    let columns = ["category", "buys", "lift", "lift_of_frequent", "led_by", "times"];
    print(&columns.map(str::to_owned), &rows, format)?;
    if format == Format::Table {
        let trial = &view.trial;
        say!(
            "tried on {} to {}, of which nothing was learned: {} members and categories, {} bought, {:.0} forecast",
            trial.from,
            trial.to,
            trial.model.pairs,
            trial.model.bought,
            trial.forecast
        );
        say!(
            "of the likeliest tenth {:.2} times as many were bought as of all ({:.2} of what was bought); of what is popular {:.2} times ({:.2})",
            trial.model.lift,
            trial.model.captured,
            trial.popularity.lift,
            trial.popularity.captured
        );
        for (feature, factor) in &view.features {
            say!("  {feature}: the odds × {factor:.2} for one standard deviation more");
        }
    }
    Ok(ExitCode::SUCCESS)
}
