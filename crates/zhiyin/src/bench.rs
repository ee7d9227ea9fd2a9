//! `zhiyin bench`: measurements.

mod audience;
mod brand;
mod callbacks;
mod campaign;
mod checkout;
mod commands;
mod drop;
mod faults;
mod growth;
mod ingest;
mod issue;
mod pipeline;
mod poster;
mod print;
mod resolution;
mod rounds;
mod search;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::{AudienceBench, CheckoutBench, Faults, Place};

/// Runs a measurement by name.
pub async fn bench(
    place: &Place,
    name: &str,
    faults: &Faults,
    audience: &AudienceBench,
    checkout: &CheckoutBench,
) -> Result<ExitCode> {
    match name {
        "growth" => growth::growth(place).await,
        "pipeline" => pipeline::pipeline(place.batch_size.map(|n| n as usize)).await,
        "faults" => faults::faults(faults).await,
        "commands" => commands::commands().await,
        "drop" => drop::drop_sold().await,
        "ingest" => ingest::ingest().await,
        "callbacks" => callbacks::callbacks().await,
        "resolution" => resolution::resolution().await,
        "audience" => audience::audience(audience),
        "checkout" => checkout::checkout(checkout, audience.without_peers),
        "search" => search::search().await,
        "poster" => poster::poster(place),
        "issue" => issue::issue(audience.members).await,
        "campaign" => campaign::campaign(audience.members).await,
        // What `growth` starts for each home: not for people, so not in the help.
        rounds::NAME => rounds::rounds(place).await,
        // What `campaign` starts for each home.
        campaign::WORK => campaign::work(place).await,
        // What `ingest` starts.
        ingest::DOOR => ingest::door(place).await,
        _ => bail!(
            "{name}: there is no such measurement; there are: growth, pipeline, resolution, search, audience, checkout, issue, campaign, drop, ingest, callbacks, commands, faults"
        ),
    }
}
