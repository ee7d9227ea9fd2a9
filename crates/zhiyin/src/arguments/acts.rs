//! What can be said of the tree, of one member, of the keys of a sealed home, and of what waits for a second person.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, MemberFormat};

/// What to do with the brand's tree.
#[derive(Clone, Debug, Subcommand)]
pub enum PlacesAction {
    /// Takes in places and staff from CSV files: all of them, or nothing where a line is wrong.
    #[command(arg_required_else_help = true)]
    Import {
        /// The places, with a head: code, kind, parent, name_zh, name_en, format, lat, lon, datum, zone, hours, …
        #[arg(required_unless_present = "staff")]
        file: Option<PathBuf>,
        /// The staff, with a head: code, place, name, role, from, until.
        #[arg(long, value_name = "FILE")]
        staff: Option<PathBuf>,
        /// Says what it would do and writes nothing.
        #[arg(long)]
        dry_run: bool,
        /// Who changes it, for the history.
        #[arg(long, value_name = "NAME", default_value = BY)]
        by: String,
    },
    /// Shows the tree.
    Tree {
        /// As of the end of this day (YYYY-MM-DD) in the brand's zone; now without it.
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Shows one place with its staff and its history.
    Show {
        /// Which.
        code: String,
    },
    /// Moves a place, with all below it, under another.
    Move {
        /// Which.
        code: String,
        /// Under which.
        #[arg(long, value_name = "CODE")]
        under: String,
        /// Who changes it, for the history.
        #[arg(long, value_name = "NAME", default_value = BY)]
        by: String,
    },
    /// Closes a store for good.
    Close {
        /// Which.
        code: String,
        /// From this day on (YYYY-MM-DD); today without it.
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        /// Who changes it, for the history.
        #[arg(long, value_name = "NAME", default_value = BY)]
        by: String,
    },
    /// Writes the tree to a CSV file that import takes in again.
    Export {
        /// The file; one that is there is not written over.
        file: PathBuf,
        /// A file for the staff.
        #[arg(long, value_name = "FILE")]
        staff: Option<PathBuf>,
    },
    /// Lists stores that orders name and no place bears.
    Unknown {
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Makes a store of each that orders name and no place bears.
    FromOrders {
        /// The brand or region they lie under; a brand that is not there yet is made.
        #[arg(long, value_name = "CODE")]
        under: String,
        /// Puts stores whose codes begin with the same so many characters into a region of their own.
        #[arg(long, value_name = "N", default_value_t = 0)]
        prefix: usize,
        /// Who changes it, for the history.
        #[arg(long, value_name = "NAME", default_value = BY)]
        by: String,
    },
}

/// Who changes something when nobody says who.
const BY: &str = "command line";
/// One member.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Member {
    /// What to do; shows the member without it.
    #[command(subcommand)]
    pub action: Option<MemberAction>,
    /// NAMESPACE:VALUE, or a value that is unique among all namespaces.
    pub identifier: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value = "table")]
    pub format: MemberFormat,
}

/// What to do with a member.
#[derive(Clone, Debug, Subcommand)]
pub enum MemberAction {
    /// Lists members by how their name begins: 张, 张伟, zw, zhangwei; of other names any of their words.
    Find {
        /// How it begins.
        name: String,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        /// How they are printed.
        #[arg(long, value_enum, default_value = "table")]
        format: super::Format,
    },
    /// Builds the index anew by which members are found by name: once for a home of a release before 0.3. Everybody may work on.
    Index,
    /// Erases what is personal of a member for good, in all copies; the ledger and sums of orders stay.
    Erase {
        /// NAMESPACE:VALUE, or the member's id.
        identifier: String,
        /// Why: it is kept with the erasure, so it names nobody.
        #[arg(long)]
        reason: String,
    },
    /// Writes all that is known of a member to a file, as JSON.
    Export {
        /// NAMESPACE:VALUE, or the member's id.
        identifier: String,
        /// The file; one that is there is not written over.
        file: PathBuf,
    },
}

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysAction {
    /// Makes a master key and writes it to a new file that only its owner reads.
    NewMaster {
        /// The file.
        file: PathBuf,
    },
    /// Wraps all data keys under a new master key. What was broken off goes on when it is run again.
    Rotate {
        /// Where the new master key is.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Says how the keys stand.
    Status,
    /// Seals what an unsealed home holds, in place. Nothing else may work on it. What was broken off goes on.
    SealHome,
    /// Writes the keystore (wrapped keys, the log of erasures) to a file; without the master key it says nothing.
    Backup {
        /// The file; one that is there is not written over.
        file: PathBuf,
    },
}

/// What to do with what waits for a second person.
#[derive(Clone, Debug, Subcommand)]
pub enum ApprovalAction {
    /// Lists requests, the newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Approves a request, and has it done. Said again it is done once.
    Approve {
        /// Its number, as listed.
        number: i64,
    },
    /// Refuses a request.
    Refuse {
        /// Its number, as listed.
        number: i64,
    },
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditAction {
    /// Lists its lines.
    List {
        /// From the start of this day (YYYY-MM-DD) in the brand's zone, or from an instant.
        #[arg(long, value_name = "DATE")]
        since: Option<String>,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Computes its chain again, and names the first line that was changed, removed or moved.
    Verify {
        /// A checkpoint that was kept elsewhere: finds lines that were cut off, and a log that was written anew.
        #[arg(long, value_name = "CHECKPOINT")]
        from: Option<String>,
    },
    /// Prints the last line's number and hash, to be kept elsewhere.
    Checkpoint,
}

/// What to do with dead letters.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLetterAction {
    /// Puts them back into the inbox and decides them anew.
    Retry {
        /// Their numbers, as listed; all without any.
        seqs: Vec<i64>,
    },
}
