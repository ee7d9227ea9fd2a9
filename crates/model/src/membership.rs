//! In which standing audiences a member is, and what of their conditions held when they were last judged.

use std::collections::BTreeMap;

use crate::time::Ts;

/// In which standing audiences a member is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// Those they are in, and since when.
    pub since: BTreeMap<String, Ts>,
    /// Which atoms of a standing audience's condition held when it was last judged, by a number that stands for the audience
    /// and its condition as they were then: so that what turned can be told. It has nothing to say of another condition.
    pub judged: BTreeMap<u32, u64>,
    /// They were erased: they are in no audience, and never will be.
    pub closed: bool,
}

impl Memberships {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.since.is_empty() && self.judged.is_empty() && !self.closed
    }
}
