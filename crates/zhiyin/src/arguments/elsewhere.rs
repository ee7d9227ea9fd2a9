//! Of what audiences are asked.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Of what audiences are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AudienceEngine {
    /// Of columns that each server keeps of everybody.
    #[default]
    Columns,
    /// Of ClickHouse.
    Clickhouse,
}

/// Of what audiences are asked, and where that is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Audiences elsewhere")]
pub struct Elsewhere {
    /// Of what audiences are asked: of the columns that a server keeps, or of ClickHouse.
    #[arg(long, global = true, value_enum, default_value = "columns", env = "ZHIYIN_AUDIENCE_ENGINE")]
    pub audience_engine: AudienceEngine,
    /// Every server of ClickHouse by its HTTP address, with commas between.
    #[arg(long, global = true, value_name = "URL", value_delimiter = ',', env = "ZHIYIN_CLICKHOUSE")]
    pub clickhouse: Vec<String>,
    /// What the servers' own configuration calls them together, where there are several.
    #[arg(long, global = true, value_name = "NAME", env = "ZHIYIN_CLICKHOUSE_CLUSTER")]
    pub clickhouse_cluster: Option<String>,
    /// The database there.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "zhiyin",
        env = "ZHIYIN_CLICKHOUSE_DATABASE"
    )]
    pub clickhouse_database: String,
    /// As whom it is asked. The password stands in ZHIYIN_CLICKHOUSE_PASSWORD, or in a file.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "default",
        env = "ZHIYIN_CLICKHOUSE_USER"
    )]
    pub clickhouse_user: String,
    /// A file with the password, which only its owner reads.
    #[arg(long, global = true, value_name = "FILE", env = "ZHIYIN_CLICKHOUSE_PASSWORD_FILE")]
    pub clickhouse_password_file: Option<PathBuf>,
    /// What may lie there in the clear, with commas between: all, store, consents, dependants, items, properties, attr.NAME.
    /// Default: all of an unsealed home; of a sealed one what it does not seal itself.
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',', env = "ZHIYIN_CLICKHOUSE_CLEAR")]
    pub clickhouse_clear: Vec<String>,
}
