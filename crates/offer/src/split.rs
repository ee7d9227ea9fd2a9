//! Splits of an amount over lines: by largest remainder in minor units, so that the parts always make the whole.
//!
//! Each line gets its share by weight, rounded down; the units that are left go to the largest fractions, ties to the
//! first line. Where lines have room for only so much (a floor price), what one has no room for goes to the others,
//! again by weight.

/// An amount split over weights; the parts sum to it exactly. Where all weights are zero, all weigh the same. Amounts below
/// zero are split as their opposites.
pub fn split(amount: i64, weights: &[i64]) -> Vec<i64> {
    let mut shares = vec![0; weights.len()];
    let ones;
    let total: i64 = weights.iter().map(|weight| (*weight).max(0)).sum();
    let weights = if total == 0 {
        ones = vec![1; weights.len()];
        &ones
    } else {
        weights
    };
    let rooms = vec![i64::MAX; weights.len()];
    let mut rests = Vec::new();
    split_within(amount.abs(), weights, &rooms, &mut shares, &mut rests);
    if amount < 0 {
        shares.iter_mut().for_each(|share| *share = -*share);
    }
    shares
}

/// Splits an amount of at least zero over weights so that no line gets more than its room; gives what was split, which is
/// less than the amount only where there is no more room. A line without weight gets nothing. `shares` is overwritten and as
/// long as `weights`; `rests` is scratch.
pub(crate) fn split_within(
    amount: i64,
    weights: &[i64],
    rooms: &[i64],
    shares: &mut [i64],
    rests: &mut Vec<i64>,
) -> i64 {
    shares.fill(0);
    let mut left = amount;
    // Each round fills at least one line, or is the last.
    loop {
        let open = |i: usize, shares: &[i64]| weights[i] > 0 && shares[i] < rooms[i];
        let total: i64 = (0..weights.len()).filter(|i| open(*i, shares)).map(|i| weights[i]).sum();
        if left <= 0 || total <= 0 {
            return amount - left.max(0);
        }
        rests.clear();
        let (mut given, mut filled) = (0, false);
        for i in 0..weights.len() {
            let (mut rest, mut share) = (-1, 0);
            if open(i, shares) {
                (share, rest) = part(left, weights[i], total);
                if share >= rooms[i] - shares[i] {
                    filled |= share > rooms[i] - shares[i];
                    (share, rest) = (rooms[i] - shares[i], -1);
                }
            }
            shares[i] += share;
            given += share;
            rests.push(rest);
        }
        left -= given;
        if filled {
            continue;
        }
        // What is left is less than a unit a line: to the largest fractions, ties to the first.
        while left > 0 {
            let mut largest = None;
            for (i, rest) in rests.iter().enumerate() {
                if *rest >= 0 && largest.is_none_or(|(_, most)| *rest > most) {
                    largest = Some((i, *rest));
                }
            }
            let Some((i, _)) = largest else { break };
            shares[i] += 1;
            rests[i] = -1;
            left -= 1;
        }
    }
}

/// The whole part of `amount × weight / total`, and what remains of the division.
fn part(amount: i64, weight: i64, total: i64) -> (i64, i64) {
    if let Some(product) = amount.checked_mul(weight) {
        return (product / total, product % total);
    }
    let product = i128::from(amount) * i128::from(weight);
    let (whole, rest) = (product / i128::from(total), product % i128::from(total));
    // A share is at most the amount, a remainder less than the total.
    (i64::try_from(whole).unwrap_or(amount), i64::try_from(rest).unwrap_or(0))
}

/// So many ten-thousandths of an amount, rounded half up: what is left to pay of it.
pub(crate) fn portion(amount: i64, pay: u32) -> i64 {
    (amount * i64::from(pay) + 5_000) / 10_000
}

/// What the `n` dearest of a line's pieces are worth, where the line of `pieces` pieces is worth `value`: its first pieces
/// carry the units that do not divide.
pub(crate) fn dearest(value: i64, pieces: i64, n: i64) -> i64 {
    let (each, odd) = (value / pieces, value % pieces);
    each * n + odd.min(n)
}

/// What the `n` cheapest of a line's pieces are worth.
pub(crate) fn cheapest(value: i64, pieces: i64, n: i64) -> i64 {
    value - dearest(value, pieces, pieces - n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_units_that_are_left_go_to_the_largest_fractions_and_ties_to_the_first_line() {
        let table: &[(i64, &[i64], &[i64])] = &[
            // V1–V4, V7: Vendure's own.
            (299, &[4300, 1400, 2300], &[161, 52, 86]),
            (299, &[1000, 1000, 1000], &[100, 100, 99]),
            (93, &[10, 20, 10, 30, 50, 20, 10, 40], &[5, 10, 5, 15, 24, 10, 5, 19]),
            (-300, &[4000, 2000, 2000], &[-150, -75, -75]),
            (40, &[10, 0], &[40, 0]),
            (10, &[0, 0], &[5, 5]),
            (-20, &[100, 100], &[-10, -10]),
            (500, &[500, 500], &[250, 250]),
            // M12: two thirds of a cent are not kept as fractions.
            (20_000, &[50_000, 10_000], &[16_667, 3_333]),
            // A split that loses a unit elsewhere: 28 + 21.
            (50, &[200, 150], &[29, 21]),
            // Sylius gives what remains to the first units, Solidus to the last; ours by fraction, then to the first.
            (2000, &[1, 1, 1], &[667, 667, 666]),
            (1000, &[1, 1, 1], &[334, 333, 333]),
        ];
        for (amount, weights, shares) in table {
            assert_eq!(split(*amount, weights), *shares, "{amount} over {weights:?}");
        }
    }

    #[test]
    fn what_a_line_has_no_room_for_goes_to_the_others() {
        let table = [
            (1000, vec![5000, 5000], vec![200, 5000], vec![200, 800]),
            (1000, vec![5000, 5000, 5000], vec![0, 5000, 5000], vec![0, 500, 500]),
            (1000, vec![5000, 5000], vec![300, 400], vec![300, 400]),
            (10, vec![1, 1, 1], vec![3, 3, 30], vec![3, 3, 4]),
        ];
        for (amount, weights, rooms, expected) in table {
            let mut shares = vec![0; weights.len()];
            let given = split_within(amount, &weights, &rooms, &mut shares, &mut Vec::new());
            assert_eq!((given, &shares), (expected.iter().sum(), &expected), "{amount} over {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_make_the_whole_and_none_is_above_its_room(
            lines in prop::collection::vec((0i64..1_000_000_000, 0i64..1_000_000_000), 1..12),
            amount in 0i64..5_000_000_000,
        ) {
            let (weights, rooms): (Vec<i64>, Vec<i64>) = lines.into_iter().unzip();
            let mut shares = vec![0; weights.len()];
            let given = split_within(amount, &weights, &rooms, &mut shares, &mut Vec::new());
            let room: i64 = weights.iter().zip(&rooms).filter(|(weight, _)| **weight > 0).map(|(_, room)| *room).sum();
            prop_assert_eq!(given, amount.min(room));
            prop_assert_eq!(shares.iter().sum::<i64>(), given);
            prop_assert!(shares.iter().zip(&rooms).all(|(share, room)| (0..=*room).contains(share)));
            let free = split(amount, &weights);
            prop_assert_eq!(free.iter().sum::<i64>(), amount);
        }

        #[test]
        fn the_pieces_of_a_line_make_the_line(value in 0i64..1_000_000, pieces in 1i64..7_000, n in 0i64..7_000) {
            let n = n.min(pieces);
            prop_assert_eq!(dearest(value, pieces, n) + cheapest(value, pieces, pieces - n), value);
            prop_assert!(dearest(value, pieces, n) >= cheapest(value, pieces, n));
        }
    }
}
