//! Where a home is.

use std::path::PathBuf;

use clap::Args;

use super::Elsewhere;

/// Where a home is.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The database: sqlite:PATH, or postgres://USER@HOST/DATABASE?home=NAME. Default: zhiyin.db in the home folder.
    #[arg(long, global = true, value_name = "URL", env = "ZHIYIN_DATABASE")]
    pub database: Option<String>,
    /// The home folder.
    #[arg(long, global = true, value_name = "DIR", default_value = "zhiyin-data", env = "ZHIYIN_HOME")]
    pub home: PathBuf,
    /// Where archived months lie. Default: beside the SQLite file, or `archive` in the home folder.
    #[arg(long, global = true, value_name = "DIR", env = "ZHIYIN_ARCHIVE")]
    pub archive: Option<PathBuf>,
    /// Where the master key is, under which personal data is sealed: a file that only its owner reads. Or the key itself in
    /// ZHIYIN_MASTER_KEY (64 hexadecimal digits, or base64).
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ZHIYIN_MASTER_KEY_FILE",
        conflicts_with = "master_key_command"
    )]
    pub master_key_file: Option<PathBuf>,
    /// A command that prints the master key: run once, at the start.
    #[arg(long, global = true, value_name = "COMMAND", env = "ZHIYIN_MASTER_KEY_COMMAND")]
    pub master_key_command: Option<String>,
    /// Fonts with which posters are drawn: files or folders, with commas between. Default: those in the machine's own folders.
    #[arg(long, global = true, value_name = "FILE", value_delimiter = ',', env = "ZHIYIN_FONTS")]
    pub font: Vec<PathBuf>,
    /// How many events a batch has at most.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch_size: Option<u32>,
    /// Of what audiences are asked.
    #[command(flatten)]
    pub elsewhere: Elsewhere,
}
