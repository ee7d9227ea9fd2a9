//! The distinct values of a column within a block, sorted; equal ones of many blocks are one in memory.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use zhiyin_model::scalar::Scalar;

use crate::buf::Buf;

/// Distinct values, ascending. The code of a value is its place + 1; 0 is no value.
#[derive(Clone, Debug)]
pub enum Dict {
    /// Texts, one after the other.
    Texts {
        /// Where each ends.
        ends: Buf<u32>,
        /// All of them.
        bytes: Buf<u8>,
    },
    /// Values of any kind.
    Scalars(Arc<[Scalar]>),
}

impl Default for Dict {
    fn default() -> Self {
        Self::Scalars(Arc::new([]))
    }
}

impl Dict {
    /// Of texts, ascending.
    pub fn texts<'a>(sorted: impl Iterator<Item = &'a str>) -> Self {
        let (mut ends, mut bytes) = (Vec::new(), Vec::new());
        for text in sorted {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        Self::Texts { ends: ends.into(), bytes: bytes.into() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts { ends, .. } => ends.len(),
            Self::Scalars(values) => values.len(),
        }
    }

    /// The text at a place, if it is one.
    pub fn text(&self, place: usize) -> Option<&str> {
        match self {
            Self::Texts { ends, bytes } => {
                let end = *ends.get(place)? as usize;
                let from = if place == 0 { 0 } else { ends[place - 1] as usize };
                std::str::from_utf8(bytes.get(from..end)?).ok()
            }
            Self::Scalars(values) => values.get(place)?.text(),
        }
    }

    /// The value at a place.
    pub fn scalar(&self, place: usize) -> Option<Scalar> {
        match self {
            Self::Texts { .. } => Some(Scalar::Text(self.text(place)?.to_owned())),
            Self::Scalars(values) => values.get(place).cloned(),
        }
    }

    /// The value at a place, where it lies there as such.
    pub fn lent(&self, place: usize) -> Option<&Scalar> {
        match self {
            Self::Texts { .. } => None,
            Self::Scalars(values) => values.get(place),
        }
    }

    /// The code of a text; `None` where it is not in.
    pub fn code_of_text(&self, text: &str) -> Option<u32> {
        let at = match self {
            Self::Texts { ends, .. } => {
                let (mut low, mut high) = (0, ends.len());
                while low < high {
                    let middle = low.midpoint(high);
                    match self.text(middle).unwrap_or_default().cmp(text) {
                        std::cmp::Ordering::Less => low = middle + 1,
                        std::cmp::Ordering::Equal => return u32::try_from(middle + 1).ok(),
                        std::cmp::Ordering::Greater => high = middle,
                    }
                }
                return None;
            }
            Self::Scalars(values) => {
                values.binary_search_by(|value| value.cmp(&Scalar::Text(text.to_owned()))).ok()?
            }
        };
        u32::try_from(at + 1).ok()
    }

    /// Bytes it takes, about.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Texts { ends, bytes } => ends.len() * 4 + bytes.len(),
            Self::Scalars(values) => values.iter().map(|value| size_of::<Scalar>() + heap(value)).sum(),
        }
    }
}

fn heap(value: &Scalar) -> usize {
    match value {
        Scalar::Text(text) => text.len(),
        Scalar::Texts(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
        Scalar::Bool(_) | Scalar::Number(_) => 0,
    }
}

impl PartialEq for Dict {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Texts { ends: a, bytes: x }, Self::Texts { ends: b, bytes: y }) => a == b && x == y,
            (Self::Scalars(a), Self::Scalars(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Dict {}

impl std::hash::Hash for Dict {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Texts { ends, bytes } => {
                ends.len().hash(state);
                bytes.hash(state);
            }
            Self::Scalars(values) => values.hash(state),
        }
    }
}

/// Dictionaries that are worth being one: blocks of one population mostly have the same few values.
#[derive(Debug, Default)]
pub struct Dicts {
    known: Mutex<HashSet<Arc<Dict>>>,
}

/// Larger ones are as good as never equal.
const SHARED_MAX: usize = 4096;
/// So many different ones at most are remembered.
const KNOWN_MAX: usize = 4096;

impl Dicts {
    /// The one that is equal to this.
    pub fn one(&self, dict: Dict) -> Arc<Dict> {
        let dict = Arc::new(dict);
        let Ok(mut known) = self.known.lock() else { return dict };
        if dict.len() > SHARED_MAX {
            return dict;
        }
        if let Some(one) = known.get(&dict) {
            return one.clone();
        }
        if known.len() >= KNOWN_MAX {
            known.retain(|one| Arc::strong_count(one) > 1);
        }
        if known.len() < KNOWN_MAX {
            known.insert(dict.clone());
        }
        dict
    }
}
