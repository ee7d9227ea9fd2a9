//! `zhiyin partners`: each side's counts.

use std::process::ExitCode;

use anyhow::{Result, bail};
use zhiyin_model::time::Day;

use crate::arguments::{Format, Place};
use crate::report::print;
use crate::say::say;

/// Prints what passed with each partner.
pub async fn partners(place: &Place, as_of: Option<&str>, format: Format) -> Result<ExitCode> {
    let day = match as_of.map(|text| (text, Day::parse(text))) {
        None => None,
        Some((_, Some(day))) => Some(day),
        Some((text, None)) => bail!("--as-of {text}: a date is YYYY-MM-DD"),
    };
    let engine = place.open_existing().await?;
    let table = engine.partners(day).await?;
    print(&table.columns, &table.rows, format)?;
    if format == Format::Table {
        say!("as of {}", table.as_of);
    }
    Ok(ExitCode::SUCCESS)
}
