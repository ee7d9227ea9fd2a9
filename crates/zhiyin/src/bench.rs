//! `zhiyin bench`: measurements.

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Runs a measurement by name.
pub async fn bench(name: &str) -> Result<ExitCode> {
    bail!("{name}: there is no such measurement")
}
