//! Draws (抽奖): who wins follows from a seed that was committed to before, the closed list of entries, and, if the draw
//! says so, a public value that nobody knew then. Nothing else goes in, so anybody can draw again and must come to the same.
//!
//! In short (docs/draws.md has every byte): a key is hashed from the seed, the terms and the entries; numbers are read from
//! the key by counting; each number names one of the chances that are left, unbiased; an entry that was drawn leaves
//! with all its chances. First come the prizes, in their order, then the alternates.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};

/// What the hashed terms begin with: another way to draw is another version.
pub const FORMAT: &str = "zhiyin-draw/1";
/// Entries of a draw.
pub const ENTRIES_MAX: usize = 5_000_000;
/// Chances of one entry.
pub const CHANCES_MAX: u32 = 1_000_000;
/// Pieces of all prizes, and alternates.
pub const PIECES_MAX: u32 = 1_000_000;
/// Kinds of prizes.
pub const PRIZES_MAX: usize = 1_000;
/// Bytes of a name: of the draw, a prize, an entry, the public value.
pub const NAME_BYTES_MAX: usize = 200;

/// A SHA-256.
pub type Hash = [u8; 32];

/// One kind of prize.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prize {
    /// What it is called in the draw.
    pub prize: String,
    /// How many there are.
    pub pieces: u32,
}

/// What is known of a draw before anybody may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Names the draw; no two of a brand are named alike, or they would draw alike.
    pub draw: String,
    /// What is given away; the first drawn get the first.
    pub prizes: Vec<Prize>,
    /// How many are drawn after them, in order, for prizes that nobody claims.
    pub alternates: u32,
    /// Which value will be taken that nobody knows yet, in words: "the winning numbers of the state lottery of 5 December".
    pub public_source: Option<String>,
}

/// Why a draw cannot be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrawRefusal {
    /// A name is empty, too long or not plain text.
    BadName(&'static str, String),
    /// Two of the same name.
    Twice(&'static str, String),
    /// No entries, or more than there may be.
    BadEntries(usize),
    /// An entry without chances, or with more than there may be.
    BadChances(String, u32),
    /// No prizes, or more than there may be.
    BadPrizes,
    /// More alternates than there may be.
    BadAlternates(u32),
    /// The terms promise a public value and there is none.
    NoPublicValue,
    /// There is a public value and the terms promise none.
    UnannouncedPublicValue,
}

impl DrawRefusal {
    /// Its name, which does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadName(..) => "bad_name",
            Self::Twice(..) => "twice",
            Self::BadEntries(_) => "bad_entries",
            Self::BadChances(..) => "bad_chances",
            Self::BadPrizes => "bad_prizes",
            Self::BadAlternates(_) => "bad_alternates",
            Self::NoPublicValue => "no_public_value",
            Self::UnannouncedPublicValue => "unannounced_public_value",
        }
    }
}

impl fmt::Display for DrawRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(field, name) => {
                write!(f, "{field}: {name:?} is not 1 to {NAME_BYTES_MAX} bytes without control characters")
            }
            Self::Twice(field, name) => write!(f, "{field}: {name:?} is there twice"),
            Self::BadEntries(n) => write!(f, "entries: {n}, not 1 to {ENTRIES_MAX}"),
            Self::BadChances(entry, n) => {
                write!(f, "entries: {entry:?} has {n} chances, not 1 to {CHANCES_MAX}")
            }
            Self::BadPrizes => {
                write!(
                    f,
                    "prizes: not 1 to {PRIZES_MAX} kinds of at least one piece, {PIECES_MAX} pieces in all"
                )
            }
            Self::BadAlternates(n) => write!(f, "alternates: {n} is more than {PIECES_MAX}"),
            Self::NoPublicValue => f.write_str("public_value: the terms promise one and there is none"),
            Self::UnannouncedPublicValue => f.write_str("public_value: the terms promise none"),
        }
    }
}

impl std::error::Error for DrawRefusal {}

fn named(field: &'static str, name: &str) -> Result<(), DrawRefusal> {
    let plain = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control);
    if plain { Ok(()) } else { Err(DrawRefusal::BadName(field, name.chars().take(NAME_BYTES_MAX).collect())) }
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

impl Terms {
    /// Checks what is promised, and the public value against it.
    ///
    /// # Errors
    /// The field at fault.
    pub fn check(&self, public_value: Option<&str>) -> Result<(), DrawRefusal> {
        named("draw", &self.draw)?;
        let mut seen = BTreeSet::new();
        for Prize { prize, .. } in &self.prizes {
            named("prizes", prize)?;
            if !seen.insert(prize) {
                return Err(DrawRefusal::Twice("prizes", prize.clone()));
            }
        }
        let pieces: u64 = self.prizes.iter().map(|prize| u64::from(prize.pieces)).sum();
        let none = self.prizes.is_empty() || self.prizes.iter().any(|prize| prize.pieces == 0);
        if none || self.prizes.len() > PRIZES_MAX || pieces > u64::from(PIECES_MAX) {
            return Err(DrawRefusal::BadPrizes);
        }
        if self.alternates > PIECES_MAX {
            return Err(DrawRefusal::BadAlternates(self.alternates));
        }
        self.public_source.as_deref().map_or(Ok(()), |source| named("public_source", source))?;
        match (&self.public_source, public_value) {
            (Some(_), None) => Err(DrawRefusal::NoPublicValue),
            (None, Some(_)) => Err(DrawRefusal::UnannouncedPublicValue),
            (Some(_), Some(value)) => named("public_value", value),
            (None, None) => Ok(()),
        }
    }

    /// The terms as they are hashed: a line each.
    fn text(&self, public_value: Option<&str>) -> String {
        let mut text = format!("{FORMAT}\ndraw\t{}\n", self.draw);
        for Prize { prize, pieces } in &self.prizes {
            text += &format!("prize\t{prize}\t{pieces}\n");
        }
        text += &format!("alternates\t{}\n", self.alternates);
        text += &format!("public_source\t{}\n", self.public_source.as_deref().unwrap_or_default());
        text + &format!("public_value\t{}\n", public_value.unwrap_or_default())
    }
}

/// The closed list: entries by their names, each once. The order in which they came in plays no part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries(Vec<(String, u32)>);

impl Entries {
    /// Closes a list of entries and their chances.
    ///
    /// # Errors
    /// The entry at fault.
    pub fn close(mut list: Vec<(String, u32)>) -> Result<Self, DrawRefusal> {
        if list.is_empty() || list.len() > ENTRIES_MAX {
            return Err(DrawRefusal::BadEntries(list.len()));
        }
        for (entry, chances) in &list {
            named("entries", entry)?;
            if !(1..=CHANCES_MAX).contains(chances) {
                return Err(DrawRefusal::BadChances(entry.clone(), *chances));
            }
        }
        // Texts compare by their bytes, which any language can do.
        list.sort_unstable();
        match list.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => Err(DrawRefusal::Twice("entries", two[0].0.clone())),
            None => Ok(Self(list)),
        }
    }

    /// Entries and their chances, by name.
    pub fn all(&self) -> &[(String, u32)] {
        &self.0
    }

    /// What is published when the list is closed: the SHA-256 of a line an entry.
    pub fn hash(&self) -> Hash {
        let mut hasher = Sha256::new();
        for (entry, chances) in &self.0 {
            hasher.update(format!("{entry}\t{chances}\n"));
        }
        hasher.finalize().into()
    }
}

/// What is published before the first entry: the SHA-256 of the seed.
pub fn commitment(seed: &[u8; 32]) -> Hash {
    sha256(&[seed])
}

/// Who was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Entry and prize, in the order drawn; never more than there are pieces, no entry twice.
    pub winners: Vec<(String, String)>,
    /// Who comes next, in order.
    pub alternates: Vec<String>,
}

/// Draws.
///
/// # Errors
/// What the terms, or the public value beside them, lack.
pub fn draw(
    terms: &Terms,
    entries: &Entries,
    seed: &[u8; 32],
    public_value: Option<&str>,
) -> Result<Drawn, DrawRefusal> {
    terms.check(public_value)?;
    let terms_hash = sha256(&[terms.text(public_value).as_bytes()]);
    let mut numbers = Numbers { key: sha256(&[seed, &terms_hash, &entries.hash()]), next: 0 };
    let mut chances = Chances::of(entries);
    let mut next = || {
        let at = (chances.left > 0).then(|| chances.at(numbers.below(chances.left)))?;
        chances.leave(at, entries.0[at].1);
        Some(entries.0[at].0.clone())
    };
    let pieces =
        terms.prizes.iter().flat_map(|prize| std::iter::repeat_n(&prize.prize, prize.pieces as usize));
    let winners = pieces.map_while(|prize| next().map(|entry| (entry, prize.clone()))).collect();
    let alternates = (0..terms.alternates).map_while(|_| next()).collect();
    Ok(Drawn { winners, alternates })
}

impl Drawn {
    /// Who has which prize when the named ones did not claim theirs: each prize that is free, in the order drawn, goes to the
    /// next alternate who is not among them. A prize for which nobody is left is in nobody's hands.
    pub fn rolled_on(&self, unclaimed: &BTreeSet<String>) -> Vec<(String, String)> {
        let mut waiting = self.alternates.iter().filter(|entry| !unclaimed.contains(*entry));
        let holder = |entry: &String| if unclaimed.contains(entry) { None } else { Some(entry.clone()) };
        self.winners
            .iter()
            .filter_map(|(entry, prize)| {
                holder(entry).or_else(|| waiting.next().cloned()).map(|entry| (entry, prize.clone()))
            })
            .collect()
    }
}

/// Numbers of 64 bits: the first eight bytes of the SHA-256 of the key and a counter.
struct Numbers {
    key: Hash,
    next: u64,
}

impl Numbers {
    fn number(&mut self) -> u64 {
        let hash = sha256(&[&self.key, &self.next.to_be_bytes()]);
        self.next += 1;
        hash[..8].iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// A number below `n` (at least 1), each as likely as the other: what lies above the last whole multiple of `n` is passed over.
    fn below(&mut self, n: u64) -> u64 {
        let over = (u64::MAX % n + 1) % n;
        loop {
            let number = self.number();
            if number <= u64::MAX - over {
                return number % n;
            }
        }
    }
}

/// The chances that are left, as sums in a tree (Fenwick's), so that a draw takes as many steps as the list has digits.
struct Chances {
    sums: Vec<u64>,
    left: u64,
}

impl Chances {
    fn of(entries: &Entries) -> Self {
        let mut sums = vec![0; entries.0.len() + 1];
        for (at, (_, chances)) in entries.0.iter().enumerate() {
            sums[at + 1] += u64::from(*chances);
            let above = above(at + 1);
            if above < sums.len() {
                sums[above] += sums[at + 1];
            }
        }
        Self { sums, left: entries.0.iter().map(|(_, chances)| u64::from(*chances)).sum() }
    }

    /// The entry whose chance is the `number`th of those left, from 0.
    fn at(&self, mut number: u64) -> usize {
        let mut at = 0;
        let mut step = self.sums.len().next_power_of_two() / 2;
        while step > 0 {
            if at + step < self.sums.len() && self.sums[at + step] <= number {
                at += step;
                number -= self.sums[at];
            }
            step /= 2;
        }
        at
    }

    fn leave(&mut self, entry: usize, chances: u32) {
        let mut at = entry + 1;
        while at < self.sums.len() {
            self.sums[at] -= u64::from(chances);
            at = above(at);
        }
        self.left -= u64::from(chances);
    }
}

/// The next sum that a place of the tree is part of.
fn above(at: usize) -> usize {
    at + (at & at.wrapping_neg())
}
