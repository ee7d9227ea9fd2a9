//! What can be said of the books by month.

use clap::{Subcommand, ValueEnum};

use super::Format;

/// What to do with the books.
#[derive(Clone, Debug, Subcommand)]
pub enum BooksAction {
    /// Shows a month: opening, what moved, closing, and what that is worth.
    Show {
        /// Which (YYYY-MM); the last that has ended without it.
        #[arg(long, value_name = "MONTH")]
        month: Option<String>,
        /// By what members are told apart, beside all.
        #[arg(long, value_enum)]
        by: Option<By>,
        /// Of what.
        #[arg(long, value_enum, default_value = "points")]
        of: OfBooks,
        /// How it is printed.
        #[arg(long, value_enum, default_value = "table")]
        format: Format,
    },
    /// Closes a month for good: what is booked later counts in the first that is open.
    Close {
        /// Which (YYYY-MM): the first that is open, once it has ended.
        month: String,
    },
    /// Prints months as CSV, by store, by tier and in all.
    Export {
        /// The first (YYYY-MM).
        #[arg(long, value_name = "MONTH")]
        from: String,
        /// The last (YYYY-MM).
        #[arg(long, value_name = "MONTH")]
        to: String,
        /// Of what.
        #[arg(long, value_enum, default_value = "points")]
        of: OfBooks,
    },
}

/// What books are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OfBooks {
    /// Points: what is owed, and what that is worth.
    Points,
    /// Coupons by offer: pieces that members hold, what they are worth by their face, and the money that was given with them.
    Coupons,
}

/// By what members are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Their home store: where they ordered last by the end of the month.
    Store,
    /// Their tier.
    Tier,
}
