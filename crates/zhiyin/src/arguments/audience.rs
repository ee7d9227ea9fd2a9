//! What can be asked of audiences.

use clap::{Args, Subcommand, ValueEnum};

use super::Format;

/// What is asked, and when.
#[derive(Clone, Debug, Args)]
pub struct Asked {
    /// A condition of the condition language, or @NAME for a saved audience.
    #[arg(allow_hyphen_values = true)]
    pub condition: String,
    /// When.
    #[command(flatten)]
    pub when: When,
}

/// When it is asked.
#[derive(Clone, Debug, Args)]
pub struct When {
    /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it. Orders, events, points, tier and lifecycle are
    /// those of then, attributes and tags those of now.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,
}

/// How a list of members is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// With a head, for spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// One column of texts.
    Parquet,
}

/// Of whom and how members are named.
#[derive(Clone, Debug, Args)]
pub struct Named {
    /// The namespace in which they are named; without it, by their ids.
    #[arg(long, value_name = "NS")]
    pub namespace: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "csv")]
    pub format: ListFormat,
}

/// What to ask.
#[derive(Clone, Debug, Subcommand)]
pub enum AudienceAction {
    /// How many there are.
    Count {
        #[command(flatten)]
        asked: Asked,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Who they are, sorted.
    Members {
        #[command(flatten)]
        asked: Asked,
        #[command(flatten)]
        named: Named,
    },
    /// The members of several audiences: a condition, or @NAME, a line of a file. Prints a JSON line each.
    Each {
        /// The file.
        file: std::path::PathBuf,
        #[command(flatten)]
        when: When,
        /// The namespace in which they are named; without it, by their ids.
        #[arg(long, value_name = "NS")]
        namespace: Option<String>,
    },
    /// Lists the saved audiences of the live playbook, how many are in those that stand, and lists that were uploaded.
    List {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Uploads a list of members, which conditions then name as audience("NAME"): an identifier a line, or CSV with the head
    /// `namespace,value`. Identifiers without a namespace are looked for in all. What names nobody, or several members, is listed
    /// in FILE.unmatched.csv.
    ImportList {
        /// What conditions call it: a letter, then letters, digits, _, -; all lower case.
        name: String,
        /// The file.
        file: std::path::PathBuf,
        /// The namespace of identifiers that say none; `member` for ids of members.
        #[arg(long, value_name = "NS")]
        namespace: Option<String>,
        /// Whoever the file does not name leaves the list (so it is without --add, too).
        #[arg(long, conflicts_with = "add")]
        replace: bool,
        /// Whoever is on the list stays.
        #[arg(long)]
        add: bool,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Removes a list that was uploaded.
    RemoveList {
        /// Its name.
        name: String,
    },
    /// Shows a saved audience or a list: its condition, and how many are in it now.
    Show {
        /// Its name.
        name: String,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Some of them, drawn by a seed: the same for the same seed.
    Sample {
        #[command(flatten)]
        asked: Asked,
        /// How many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        size: u32,
        /// Where chance begins.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[command(flatten)]
        named: Named,
    },
    /// What answering takes, step by step.
    Explain {
        #[command(flatten)]
        asked: Asked,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// By what they differ.
    Breakdown {
        #[command(flatten)]
        asked: Asked,
        /// tier, lifecycle, store, tags, attr.NAME, or any expression with one value.
        #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
        by: String,
        /// Numbers in steps of this width.
        #[arg(long, value_name = "N")]
        step: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Up to eight audiences laid over each other: how many are in exactly these.
    Overlap {
        /// Conditions, or @NAMEs.
        #[arg(required = true, num_args = 1..=8)]
        conditions: Vec<String>,
        #[command(flatten)]
        when: When,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// The first of them by a number, the greatest first.
    Top {
        /// How many.
        #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
        n: u32,
        /// By which number: an expression of the condition language.
        #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
        by: String,
        /// Of whom: a condition, or @NAME; of everybody without it.
        #[arg(default_value = "true", allow_hyphen_values = true)]
        condition: String,
        #[command(flatten)]
        when: When,
        /// The namespace in which they are named; without it, by their ids.
        #[arg(long, value_name = "NS")]
        namespace: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Sends to ClickHouse everybody who has to be, and whoever changed, and ends.
    Send,
    /// Lets go of the change feed for who follows it no more. One that is alive begins anew from the record.
    Leave {
        /// As whom it is followed, as `zhiyin doctor` says; without it, for ClickHouse, which is written anew before it is asked
        /// again.
        consumer: Option<String>,
    },
    /// How much memory audiences would take under the live playbook, by column.
    Plan {
        /// How many members.
        #[arg(long, value_name = "N")]
        members: u64,
        /// How many orders each of them has.
        #[arg(long, value_name = "M", default_value_t = 10)]
        orders_per_member: u32,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Why a member is among them or not: each part of the condition with its value, and what would turn it.
    Why {
        /// NAMESPACE:VALUE, a value that is unique among all namespaces, or the member's id.
        member: String,
        #[command(flatten)]
        asked: Asked,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
}
