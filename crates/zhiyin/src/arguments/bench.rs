//! What measurements are asked with.

use std::path::PathBuf;

use clap::Args;

/// What `bench audience` measures.
#[derive(Clone, Debug, Args)]
pub struct AudienceBench {
    /// audience: how many members are drawn.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(30_000..=100_000_000))]
    pub members: u64,
    /// audience: measures ours alone, without DuckDB and ClickHouse.
    #[arg(long)]
    pub without_peers: bool,
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
}
