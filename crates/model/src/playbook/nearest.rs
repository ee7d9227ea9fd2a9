//! The nearest of some names, for suggestions.

/// The candidate nearest to what was written, if it is near enough to be what was meant.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = written.chars().flat_map(char::to_lowercase).take(64).collect();
    let bound = (written.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, candidate), candidate))
        .filter(|(edits, _)| *edits <= bound)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Edit distance in which two swapped neighbours are one edit (optimal string alignment).
fn distance(written: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in written.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let substituted = row[j] + usize::from(a != b);
            let mut edits = substituted.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && written[i - 1] == *b {
                edits = edits.min(before[j - 1] + 1);
            }
            next.push(edits);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let words = ["timezone", "tiers", "tags", "lifecycle"];
        for (written, found) in [
            ("timezon", Some("timezone")),
            ("Tiers", Some("tiers")),
            ("tgas", Some("tags")),
            ("lifecylce", Some("lifecycle")),
            ("banana", None),
            ("", None),
            ("🎂", None),
        ] {
            assert_eq!(nearest(written, words), found, "{written}");
        }
    }
}
