//! The least of many, holding no more than these at a time.

use std::collections::BinaryHeap;

/// The `n` least, ascending. No more than these are held at a time, however many there are.
pub(super) fn least<T: Ord>(n: usize, of: impl Iterator<Item = T>) -> Vec<T> {
    let mut held = BinaryHeap::new();
    for one in of {
        if held.len() < n {
            held.push(one);
        } else if held.peek().is_some_and(|most| one < *most) {
            held.pop();
            held.push(one);
        }
    }
    held.into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_are_those_that_sorting_all_would_put_first() {
        let all = [5, 3, 9, 3, 1, 7, 7, 0];
        for n in 0..=all.len() + 1 {
            let mut sorted = all.to_vec();
            sorted.sort_unstable();
            sorted.truncate(n);
            assert_eq!(least(n, all.into_iter()), sorted, "{n}");
        }
    }
}
