//! What benches are told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What `bench faults` plays.
#[derive(Clone, Debug, Args)]
pub struct Faults {
    /// faults: how many seeds are played.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub seeds: u64,
    /// faults: the first of them.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// faults: steps of each.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub steps: usize,
    /// faults: the database.
    #[arg(long, value_enum, default_value_t = FaultStore::Sqlite)]
    pub store: FaultStore,
    /// faults: plants defects and looks whether they are found.
    #[arg(long)]
    pub planted: bool,
    /// faults: leaves out of a seed that breaks whatever it breaks without.
    #[arg(long)]
    pub shrink: bool,
}

/// What `bench audience` measures.
#[derive(Clone, Debug, Args)]
pub struct AudienceBench {
    /// audience, issue, campaign: how many members there are.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(30_000..=100_000_000))]
    pub members: u64,
    /// audience: measures ours alone, without DuckDB and ClickHouse.
    #[arg(long)]
    pub without_peers: bool,
}

/// Where faults are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FaultStore {
    /// A file.
    Sqlite,
    /// PostgreSQL.
    Pg,
    /// PostgreSQL, spread over four schemas.
    Pg4,
}

impl std::fmt::Display for FaultStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Pg => "pg",
            Self::Pg4 => "pg4",
        })
    }
}

/// What `bench checkout` measures.
#[derive(Clone, Debug, Args)]
pub struct CheckoutBench {
    /// checkout: how many carts are drawn.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub carts: u32,
    /// checkout: writes offers and carts as JSON to a file, for peers, instead of measuring.
    #[arg(long, value_name = "FILE")]
    pub emit: Option<PathBuf>,
    /// checkout: how many seconds each of the three runs of a peer takes.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub peer_seconds: u32,
}
