//! Sets of members, by ordinal.

/// A set of members: a bit for each ordinal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberSet {
    words: Vec<u64>,
}

impl MemberSet {
    /// Of words, 64 ordinals each.
    pub const fn from_words(words: Vec<u64>) -> Self {
        Self { words }
    }

    /// Its words, 64 ordinals each.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Of ordinals, in any order.
    pub fn of(ordinals: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::default();
        ordinals.into_iter().for_each(|ordinal| set.put(ordinal));
        set
    }

    /// How many.
    pub fn len(&self) -> usize {
        crate::wide::ones(&self.words)
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether somebody is in.
    pub fn contains(&self, ordinal: u32) -> bool {
        self.words.get(ordinal as usize / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    /// Puts somebody in.
    pub fn put(&mut self, ordinal: u32) {
        let at = ordinal as usize / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        self.words[at] |= 1 << (ordinal % 64);
    }

    /// Takes somebody out.
    pub fn take(&mut self, ordinal: u32) {
        if let Some(word) = self.words.get_mut(ordinal as usize / 64) {
            *word &= !(1 << (ordinal % 64));
        }
    }

    /// Those in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { words: self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect() }
    }

    /// Those in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let (long, short) = if self.words.len() >= other.words.len() { (self, other) } else { (other, self) };
        let mut words = long.words.clone();
        words.iter_mut().zip(&short.words).for_each(|(a, b)| *a |= b);
        Self { words }
    }

    /// Those not in the other.
    #[must_use]
    pub fn and_not(&self, other: &Self) -> Self {
        let mut words = self.words.clone();
        words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
        Self { words }
    }

    /// Ordinals, ascending.
    pub fn ordinals(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros();
                    left &= left - 1;
                    u32::try_from(at * 64).unwrap_or(u32::MAX) + bit
                })
            })
        })
    }
}
