//! `zhiyin duplicates`.

use clap::Subcommand;

use super::{MemberFormat, QueueState};

/// What to do with likely doubles.
#[derive(Clone, Debug, Subcommand)]
pub enum DuplicatesAction {
    /// Compares all members and puts likely doubles into the queue.
    Find {
        /// The least score, 0.5 to 1: the higher, the fewer and surer. Default: 0.9.
        #[arg(long, value_name = "SCORE", value_parser = score)]
        least: Option<f64>,
    },
    /// Lists the queue, the likeliest first.
    List {
        /// Which.
        #[arg(long, value_enum, default_value = "open")]
        state: QueueState,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: MemberFormat,
    },
    /// Shows one with its evidence.
    Show {
        /// Its number, as listed.
        number: i64,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: MemberFormat,
    },
    /// They are one person: merges them.
    Merge {
        /// Its number, as listed.
        number: i64,
        /// Who says so.
        #[arg(long, value_name = "NAME", default_value = "command line")]
        by: String,
    },
    /// They are two people: the pair is never suggested again.
    Different {
        /// Its number, as listed.
        number: i64,
        /// Who says so.
        #[arg(long, value_name = "NAME", default_value = "command line")]
        by: String,
    },
}

fn score(text: &str) -> Result<f64, String> {
    let score: f64 = text.parse().map_err(|_| "a number such as 0.95".to_owned())?;
    if (0.5..=1.0).contains(&score) { Ok(score) } else { Err("a score is 0.5 to 1".to_owned()) }
}
