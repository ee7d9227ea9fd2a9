//! Answers by the date that a text says: columns of dates have the same few thousand values in every block, so each is asked
//! about once.

use std::sync::atomic::{AtomicU8, Ordering};

/// The first year whose dates are remembered, and how many.
const FIRST_YEAR: usize = 1880;
const YEARS: usize = 200;

/// An answer for each date: not yet asked, no, yes.
#[derive(Debug)]
pub(crate) struct Dates(Box<[AtomicU8]>);

impl Default for Dates {
    fn default() -> Self {
        Self((0..YEARS * 12 * 31).map(|_| AtomicU8::new(0)).collect())
    }
}

/// The place of a text of the form `YYYY-MM-DD`: one for each such text, be there such a day or not.
fn place(text: &str) -> Option<usize> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = *<&[u8; 10]>::try_from(text.as_bytes()).ok()? else {
        return None;
    };
    let digits = |digits: &[u8]| {
        digits.iter().try_fold(0usize, |so_far, digit| {
            digit.is_ascii_digit().then(|| so_far * 10 + usize::from(digit - b'0'))
        })
    };
    let (year, month, day) = (digits(&[a, b, c, d])?, digits(&[e, f])?, digits(&[g, h])?);
    let year = year.checked_sub(FIRST_YEAR).filter(|year| *year < YEARS)?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| (year * 12 + month - 1) * 31 + day - 1)
}

impl Dates {
    /// What a text is answered: as it was before, where that was asked.
    pub(crate) fn answer(&self, text: &str, ask: impl FnOnce() -> bool) -> bool {
        let Some(known) = place(text).and_then(|place| self.0.get(place)) else { return ask() };
        match known.load(Ordering::Relaxed) {
            0 => {
                let answer = ask();
                known.store(1 + u8::from(answer), Ordering::Relaxed);
                answer
            }
            answer => answer == 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_date_has_a_place_of_its_own_and_other_texts_have_none() {
        let mut places = BTreeSet::new();
        for year in [1880, 1999, 2000, 2079] {
            for month in 1..=12 {
                for day in 1..=31 {
                    assert!(places.insert(place(&format!("{year:04}-{month:02}-{day:02}")).unwrap()));
                }
            }
        }
        assert!(places.last().is_some_and(|last| *last < YEARS * 12 * 31));
        for text in [
            "",
            "02-29",
            "--02-29",
            "1879-12-31",
            "2080-01-01",
            "2000-13-01",
            "2000-00-01",
            "2000-01-32",
            "2000/01/01",
            "+200-01-01",
        ] {
            assert_eq!(place(text), None, "{text}");
        }
        let dates = Dates::default();
        assert!(dates.answer("2000-01-01", || true) && dates.answer("2000-01-01", || false));
        assert!(!dates.answer("x", || false) && dates.answer("x", || true));
    }
}
