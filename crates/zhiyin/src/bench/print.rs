//! What a measurement found, for people: a table and a small chart of each series. Numbers are integers throughout:
//! a ratio of 123 means 1.23.

use super::brand::{ROUND, Shape};
use super::rounds::{Took, reads_all};

/// How wide the longest bar is.
const BAR: u64 = 40;

/// Homes that are compared.
pub struct Series {
    /// What differs among them.
    pub name: &'static str,
    /// Which, the first being what the others are compared with.
    pub homes: &'static [usize],
}

/// What was found of one home.
pub struct Measured {
    shape: Shape,
    /// The middle of the rounds in which every member was read from the record.
    reading_us: u64,
    /// The middle of the rounds in which memory held whom the rounds before had met.
    warm_us: u64,
    /// Bytes written an order, on average: what every so often goes from the log into the file is in it.
    written_bytes: u64,
    resident_kb_max: u64,
    file_bytes: u64,
}

impl Measured {
    /// Of the rounds of a home; the first only warmed up.
    pub fn of(shape: Shape, rounds: &[Took], file_bytes: u64) -> Self {
        let counted = rounds.len().saturating_sub(1).max(1) as u64;
        let written: u64 = rounds.iter().skip(1).map(|took| took.written_bytes).sum();
        Self {
            shape,
            reading_us: middle(rounds, true),
            warm_us: middle(rounds, false),
            written_bytes: written / (counted * u64::from(ROUND)),
            resident_kb_max: rounds.iter().map(|took| took.resident_kb_max).max().unwrap_or(0),
            file_bytes,
        }
    }
}

/// The middle one of the rounds of a kind, the first left out.
fn middle(rounds: &[Took], reading: bool) -> u64 {
    let of_kind = (0u32..).zip(rounds).skip(1).filter(|(number, _)| reads_all(*number) == reading);
    let mut walls: Vec<u64> = of_kind.map(|(_, took)| took.wall_us).collect();
    walls.sort_unstable();
    walls.get(walls.len() / 2).copied().unwrap_or(0)
}

/// Prints every series.
pub fn print(series: &[Series], measured: &[Measured], batch: usize) {
    println!(
        "Time for {ROUND} orders, each of another member drawn by chance: accepted, decided, on disk.\n\
         SQLite, WAL, synchronous=FULL; batches of {batch}; the same rounds on every home, in turn.\n\
         reading: every member is read from the record. warm: memory may hold them. The middle of eight rounds each."
    );
    for one in series {
        println!("\n{}", one.name);
        println!(
            "{:>9} {:>7} {:>6} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9}",
            "members",
            "orders",
            "days",
            "orders/s",
            "reading",
            "ratio",
            "warm ms",
            "ratio",
            "kB/order",
            "file MB",
            "memory MB"
        );
        let homes: Vec<&Measured> = one.homes.iter().filter_map(|home| measured.get(*home)).collect();
        let Some(first) = homes.first() else { continue };
        for home in &homes {
            println!(
                "{:>9} {:>7} {:>6} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9}",
                home.shape.members,
                home.shape.orders,
                home.shape.days,
                u64::from(ROUND) * 1_000_000 / home.reading_us.max(1),
                home.reading_us / 1_000,
                hundredths(home.reading_us, first.reading_us),
                home.warm_us / 1_000,
                hundredths(home.warm_us, first.warm_us),
                home.written_bytes / 1_000,
                home.file_bytes / 1_000_000,
                home.resident_kb_max / 1_000,
            );
        }
        let longest = homes.iter().map(|home| home.reading_us).max().unwrap_or(1).max(1);
        for home in &homes {
            let width = usize::try_from(home.reading_us * BAR / longest).unwrap_or(0);
            println!("{:>9} × {:<5} {}", home.shape.members, home.shape.orders, "█".repeat(width.max(1)));
        }
    }
}

/// A ratio with two decimals.
fn hundredths(value: u64, to: u64) -> String {
    let ratio = value * 100 / to.max(1);
    format!("{}.{:02}", ratio / 100, ratio % 100)
}

/// A whole number with its thousands apart.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
