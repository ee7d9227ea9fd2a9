//! The audit log's lines and their chain: each bears a hash, keyed by the home, over the hash before it and all that it says.

use zhiyin_model::id::IdKey;
use zhiyin_model::time::Ts;

/// A line that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When, by the wall clock.
    pub at: Ts,
    /// Who: `staff:CODE`, `key:ID`, `system:ACCOUNT`.
    pub who: String,
    /// As what.
    pub role: String,
    /// What is done.
    pub operation: String,
    /// On what: a code, or a keyed hash of a person.
    pub target: String,
    /// How it went.
    pub outcome: String,
    /// More, as a JSON object; never personal data.
    pub detail: String,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1, 2, 3…
    pub no: i64,
    /// What it says.
    pub note: Note,
    /// The chain up to here.
    pub hash: [u8; 32],
}

/// What comes before the first line.
pub const BEGINNING: [u8; 32] = [0; 32];

/// The hash of a line after another.
pub fn chained(key: &IdKey, before: &[u8; 32], no: i64, note: &Note) -> [u8; 32] {
    key.digest_wide(
        "audit",
        &[
            before,
            &no.to_le_bytes(),
            &note.at.0.to_le_bytes(),
            note.who.as_bytes(),
            note.role.as_bytes(),
            note.operation.as_bytes(),
            note.target.as_bytes(),
            note.outcome.as_bytes(),
            note.detail.as_bytes(),
        ],
    )
}

/// The line that follows another, or is the first.
pub fn next(key: &IdKey, last: Option<(i64, [u8; 32])>, note: Note) -> Entry {
    let (no, before) = last.map_or((1, BEGINNING), |(no, hash)| (no + 1, hash));
    Entry { no, hash: chained(key, &before, no, &note), note }
}

/// A place in the chain that somebody kept elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of a line; 0 before the first.
    pub no: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl Checkpoint {
    /// Before the first line.
    pub const NONE: Self = Self { no: 0, hash: BEGINNING };

    /// Reads what [`Display`](std::fmt::Display) writes: `NUMBER:HASH`.
    pub fn parse(text: &str) -> Option<Self> {
        let (no, hex) = text.trim().split_once(':')?;
        let no = no.parse().ok().filter(|no| *no >= 0)?;
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (i, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        Some(Self { no, hash })
    }
}

impl std::fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.no)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What breaks a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// A number is not there, though later ones are.
    #[error("line {0} was removed, or its number changed: what follows is line {1}")]
    Missing(i64, i64),
    /// A line does not bear the hash that it must.
    #[error("line {0} was changed, moved or put in: its hash does not follow from the line before")]
    Changed(i64),
    /// The line of a checkpoint bears another hash.
    #[error("line {0} is another than when the checkpoint was taken")]
    Another(i64),
    /// The log ends before the line of a checkpoint.
    #[error("the log ends at line {ends}, before line {kept} of the checkpoint: lines were cut off")]
    Cut {
        /// Its last line.
        ends: i64,
        /// The line of the checkpoint.
        kept: i64,
    },
}

/// Walks along a chain, line by line, in the order of numbers.
#[derive(Debug)]
pub struct Walk<'k> {
    key: &'k IdKey,
    at: Checkpoint,
    kept: Option<Checkpoint>,
}

impl<'k> Walk<'k> {
    /// From the beginning, looking for what was kept elsewhere on the way.
    pub fn new(key: &'k IdKey, kept: Option<Checkpoint>) -> Self {
        Self { key, at: Checkpoint::NONE, kept }
    }

    /// Takes the next line.
    pub fn step(&mut self, entry: &Entry) -> Result<(), Break> {
        let wanted = self.at.no + 1;
        if entry.no != wanted {
            return Err(Break::Missing(wanted, entry.no));
        }
        if chained(self.key, &self.at.hash, entry.no, &entry.note) != entry.hash {
            return Err(Break::Changed(entry.no));
        }
        self.at = Checkpoint { no: entry.no, hash: entry.hash };
        match self.kept {
            Some(kept) if kept.no == entry.no && kept.hash != entry.hash => Err(Break::Another(entry.no)),
            _ => Ok(()),
        }
    }

    /// Where the chain ends, if it reaches what was kept elsewhere.
    pub fn end(self) -> Result<Checkpoint, Break> {
        match self.kept {
            Some(kept) if kept.no > self.at.no => Err(Break::Cut { ends: self.at.no, kept: kept.no }),
            Some(kept) if kept.no == 0 && kept != Checkpoint::NONE => Err(Break::Another(0)),
            _ => Ok(self.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IdKey = IdKey::from_bytes([3; 32]);

    fn note(n: i64) -> Note {
        let text = |what: &str| format!("{what}{n}");
        let (who, role, operation) = (text("who"), text("role"), text("operation"));
        let (target, outcome, detail) = (text("target"), text("outcome"), text("detail"));
        Note { at: Ts(n), who, role, operation, target, outcome, detail }
    }

    fn chain(key: &IdKey, n: i64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for i in 1..=n {
            let last = entries.last().map(|last| (last.no, last.hash));
            entries.push(next(key, last, note(i)));
        }
        entries
    }

    fn walked(entries: &[Entry], kept: Option<Checkpoint>) -> Result<Checkpoint, Break> {
        let mut walk = Walk::new(&KEY, kept);
        entries.iter().try_for_each(|entry| walk.step(entry))?;
        walk.end()
    }

    #[test]
    fn whatever_is_done_to_a_chain_is_named() {
        type Deed = fn(&mut Vec<Entry>);
        let deeds: [(&str, Deed, Break); 14] = [
            ("time", |all| all[2].note.at = Ts(9), Break::Changed(3)),
            ("who", |all| all[2].note.who.push('x'), Break::Changed(3)),
            ("role", |all| all[2].note.role.clear(), Break::Changed(3)),
            ("operation", |all| all[2].note.operation.push('x'), Break::Changed(3)),
            ("target", |all| all[2].note.target.push('x'), Break::Changed(3)),
            ("outcome", |all| all[2].note.outcome.push('x'), Break::Changed(3)),
            ("detail", |all| all[0].note.detail.push('x'), Break::Changed(1)),
            ("hash", |all| all[4].hash[31] ^= 1, Break::Changed(5)),
            (
                "moved between fields",
                |all| {
                    let target = all[1].note.target.pop().unwrap();
                    all[1].note.outcome.insert(0, target);
                },
                Break::Changed(2),
            ),
            ("removed", |all| drop(all.remove(1)), Break::Missing(2, 3)),
            ("first removed", |all| drop(all.remove(0)), Break::Missing(1, 2)),
            ("swapped", |all| all.swap(1, 2), Break::Missing(2, 3)),
            (
                "swapped with their numbers",
                |all| {
                    all.swap(1, 2);
                    (all[1].no, all[2].no) = (2, 3);
                },
                Break::Changed(2),
            ),
            (
                "computed anew by another key",
                |all| *all = chain(&IdKey::from_bytes([4; 32]), 5),
                Break::Changed(1),
            ),
        ];
        assert!(walked(&chain(&KEY, 5), None).is_ok());
        for (deed, done, expected) in deeds {
            let mut entries = chain(&KEY, 5);
            done(&mut entries);
            assert_eq!(walked(&entries, None), Err(expected), "{deed}");
        }
    }

    #[test]
    fn a_checkpoint_finds_what_was_cut_off_and_what_was_computed_anew() {
        let entries = chain(&KEY, 5);
        let kept = Checkpoint { no: 4, hash: entries[3].hash };
        assert_eq!(walked(&entries, Some(kept)).unwrap().no, 5);
        assert_eq!(walked(&entries[..4], Some(kept)), Ok(kept));
        assert_eq!(walked(&entries[..3], Some(kept)), Err(Break::Cut { ends: 3, kept: 4 }));
        assert_eq!(walked(&[], Some(kept)), Err(Break::Cut { ends: 0, kept: 4 }));
        let another = Checkpoint { hash: [1; 32], ..kept };
        assert_eq!(walked(&entries, Some(another)), Err(Break::Another(4)));
        assert_eq!(walked(&[], None), Ok(Checkpoint::NONE));
        assert_eq!(walked(&entries, Some(Checkpoint::NONE)).unwrap().no, 5);
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let kept = Checkpoint { no: 12, hash: [0xa1; 32] };
        assert_eq!(Checkpoint::parse(&format!(" {kept}\n")), Some(kept));
        let hex = "a1".repeat(32);
        for text in [
            "",
            "12",
            &format!("-1:{hex}"),
            &format!("x:{hex}"),
            "12:a1",
            &format!("12:{hex}0"),
            &format!("1:é{}", &hex[2..]),
        ] {
            assert_eq!(Checkpoint::parse(text), None, "{text}");
        }
    }
}
