//! Chance that begins where it is told (SplitMix64).

/// A source of chance.
pub struct Chance(u64);

impl Chance {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// True so many times of a hundred.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several, each as likely.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of several, each by its weight.
    pub fn weighed<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let mut at = self.below(of.iter().map(|(_, weight)| *weight as usize).sum());
        for (value, weight) in of {
            match at.checked_sub(*weight as usize) {
                Some(rest) => at = rest,
                None => return *value,
            }
        }
        of[0].0
    }

    /// One of several in order of how common they are, the first the commonest: the n-th is as common as 1/(n+3).
    pub fn ranked<T: Copy>(&mut self, of: &[T]) -> T {
        let weighed: Vec<(T, u32)> = of.iter().zip(3u32..).map(|(value, n)| (*value, 100_000 / n)).collect();
        self.weighed(&weighed)
    }
}
