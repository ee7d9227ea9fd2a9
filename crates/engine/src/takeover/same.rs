//! Finding rows of a file that name the same person, with memory that does not grow with the file: names are remembered as
//! numbers, and where there are too many for one reading, each reading looks at a part of them.

use super::Fault;
use super::row::{Name, Row};
use zhiyin_model::event::Refusal;
use zhiyin_model::id::IdKey;

/// How many names are remembered in one reading: 16 bytes each.
const NAMES_MAX: usize = 8_000_000;

/// Names of rows, as far as they are of the part that is looked at.
pub(super) struct Same<'k> {
    key: &'k IdKey,
    max: usize,
    /// Into how many parts names fall, and which of them this is.
    parts: u64,
    part: u64,
    /// (hash of the name, line, namespace)
    seen: Vec<(u64, u32, u16)>,
    namespaces: Vec<String>,
}

impl<'k> Same<'k> {
    /// The first reading: it finds out into how many parts the names must fall.
    pub(super) fn first(key: &'k IdKey) -> Self {
        Self::with(key, NAMES_MAX, 1, 0)
    }

    fn with(key: &'k IdKey, max: usize, parts: u64, part: u64) -> Self {
        Self { key, max, parts, part, seen: Vec::new(), namespaces: Vec::new() }
    }

    /// The readings that are still to come.
    pub(super) fn others(&self) -> Vec<Same<'k>> {
        (1..self.parts).map(|part| Self::with(self.key, usize::MAX, self.parts, part)).collect()
    }

    /// Takes note of a row's names.
    pub(super) fn note(&mut self, row: &Row) {
        for name in &row.names {
            self.note_name(row.line, name);
        }
    }

    fn note_name(&mut self, line: u64, name: &Name) {
        self.note_as(line, &name.namespace, name.normal.as_bytes());
    }

    /// Takes note that a row is of somebody.
    pub(super) fn note_as(&mut self, line: u64, namespace: &str, value: &[u8]) {
        let digest = self.key.digest("takeover same", &[namespace.as_bytes(), value]);
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&digest[..8]);
        let hash = u64::from_le_bytes(bytes);
        if hash % self.parts != self.part {
            return;
        }
        let of = match self.namespaces.iter().position(|known| known == namespace) {
            Some(of) => of,
            None => {
                self.namespaces.push(namespace.to_owned());
                self.namespaces.len() - 1
            }
        };
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.seen.push((hash, line, u16::try_from(of).unwrap_or(u16::MAX)));
        if self.seen.len() > self.max {
            self.parts *= 2;
            self.seen.retain(|(hash, ..)| hash % self.parts == self.part);
        }
    }

    /// Rows that name somebody whom an earlier one names.
    pub(super) fn faults(&mut self) -> Vec<Fault> {
        self.seen.sort_unstable();
        let mut faults = Vec::new();
        let mut first: Option<(u64, u32)> = None;
        for (hash, line, of) in &self.seen {
            match first {
                Some((same, earlier)) if same == *hash => {
                    if earlier != *line {
                        let field = self.namespaces.get(usize::from(*of)).cloned().unwrap_or_default();
                        let message = format!("names the same person as line {earlier}");
                        let refusal = Refusal::new("same_person", field, message);
                        faults.push(Fault::of(u64::from(*line), "", refusal));
                    }
                }
                _ => first = Some((*hash, *line)),
            }
        }
        faults.sort_by_key(|fault| fault.line);
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: IdKey = IdKey::from_bytes([7; 32]);

    /// Every double is found once, in whichever reading its names fall.
    #[test]
    fn c7_doubles_are_found_with_bounded_memory() {
        let rows: Vec<(u64, String)> = (2..=1001u64).map(|line| (line, format!("{}", line % 997))).collect();
        let expected = [(999, 2), (1000, 3), (1001, 4)];
        for max in [usize::MAX, 500, 64] {
            let mut found = Vec::new();
            let mut first = Same::with(&KEY, max, 1, 0);
            let mut read = |same: &mut Same<'_>| {
                for (line, value) in &rows {
                    same.note_as(*line, "card", value.as_bytes());
                }
                assert!(max == usize::MAX || same.seen.len() <= 2 * max);
                found.extend(same.faults());
            };
            read(&mut first);
            assert_eq!(first.parts == 1, max == usize::MAX);
            let mut others = first.others();
            others.iter_mut().for_each(&mut read);
            found.sort_by_key(|fault| fault.line);
            let told: Vec<_> = found.iter().map(|fault| (fault.line, fault.message.clone())).collect();
            let wanted = expected.map(|(line, of)| (line, format!("names the same person as line {of}")));
            assert_eq!(told, wanted, "{max}");
        }
    }
}
