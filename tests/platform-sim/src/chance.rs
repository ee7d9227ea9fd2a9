//! Chance with a seed: the same seed and the same calls give the same run.

/// A stream of chance (SplitMix64). Each purpose has a stream of its own, so that one more fault does not change whom a code picks.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of a purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        let mut stream = Self { state };
        stream.next();
        stream
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        match bound {
            0 => 0,
            _ => self.next() % bound,
        }
    }

    /// Whether something happens that happens `per_mille` times of a thousand. Nothing is drawn for what never happens.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1_000) < per_mille
    }

    /// Letters and digits, for ids.
    pub fn letters(&mut self, n: usize) -> String {
        const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..n).map(|_| char::from(LETTERS[(self.next() % 62) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_run_and_another_seed_another() {
        let draw = |seed| Chance::new(seed, "faults").letters(20);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(Chance::new(7, "faults").next(), Chance::new(7, "ids").next());
    }

    #[test]
    fn a_share_of_a_thousand_is_that_share() {
        let mut chance = Chance::new(1, "faults");
        let n = (0..100_000).filter(|_| chance.happens(200)).count();
        assert!((19_500..20_500).contains(&n), "{n}");
        assert!(!chance.happens(0));
    }
}
