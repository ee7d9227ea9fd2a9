//! How many slips of a key two texts are apart.

/// Whether two texts are at most so many slips apart: a character more, less, another, or two neighbours swapped
/// (Damerau and Levenshtein, each place edited once). Texts are bounded by whoever calls.
pub(super) fn is_within(one: &str, other: &str, slips_max: usize) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > slips_max {
        return false;
    }
    // What both begin and end with changes nothing and is most of it.
    let n_same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[n_same..], &other[n_same..]);
    let n_same = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - n_same], &other[..other.len() - n_same]);
    distance(one, other, slips_max) <= slips_max
}

fn distance(one: &[char], other: &[char], enough: usize) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let substituted = row[j] + usize::from(a != b);
            let mut edits = substituted.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                edits = edits.min(before[j - 1] + 1);
            }
            next.push(edits);
        }
        // A swap looks back two rows: only when both are beyond it is it beyond.
        if next.iter().chain(&row).all(|edits| *edits > enough) {
            return enough + 1;
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (one, other, slips) in [
            ("", "", 0),
            ("a", "", 1),
            ("13912345678", "13912354678", 1),
            ("13912345678", "13912345687", 1),
            ("wangwei", "wagnwei", 1),
            ("wangwei", "wanwei", 1),
            ("wangwei", "wnagewi", 2),
            ("王小明", "王晓明", 1),
            ("abcdef", "ghijkl", 6),
        ] {
            for slips_max in 0..8 {
                assert_eq!(is_within(one, other, slips_max), slips <= slips_max, "{one} {other} {slips_max}");
                assert_eq!(is_within(other, one, slips_max), slips <= slips_max, "{other} {one} {slips_max}");
            }
        }
    }
}
