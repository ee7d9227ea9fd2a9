//! How the lines of months are made of sums: what each cut says, and what it is worth.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::effect::Asset;
use zhiyin_store::closing::{Cut, Line, Moves, Spanned, Stand, Sums};
use zhiyin_store::{Result, StoreError};

/// What is owed, by cut and value.
type Owed = BTreeMap<(Cut, String), i64>;

fn keys(store: Option<&String>, tier: Option<&String>) -> [(Cut, String); 3] {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    [(Cut::All, String::new()), (Cut::Store, text(store)), (Cut::Tier, text(tier))]
}

fn owed(stands: &[Stand]) -> Owed {
    let mut owed = Owed::new();
    for stand in stands {
        for key in keys(stand.store.as_ref(), stand.tier.as_ref()) {
            *owed.entry(key).or_default() += stand.amount;
        }
    }
    owed
}

/// Each of these with the one of those that belongs to it. There are as many of both, or something is wrong: none is left out
/// in silence.
pub(super) fn paired<A, B>(these: Vec<A>, those: Vec<B>) -> Result<impl Iterator<Item = (A, B)>> {
    if these.len() != those.len() {
        let (these, those) = (these.len(), those.len());
        return Err(StoreError::Damaged(format!("books of {those} months, where {these} were asked for")));
    }
    Ok(these.into_iter().zip(those))
}

/// Lines of months that follow each other, one for each of the sums' spans; the first opens with what the month before it closed, where that is given.
///
/// In all, what moved is what transfers say. In a cut it is also what went elsewhere with its member: to another tier, to
/// another home store. So each line adds up, and so do the lines of a cut, column by column.
pub(super) fn of(
    asset: Asset,
    before: Option<&[Line]>,
    sums: Sums,
    worths: Vec<Option<(i64, i64)>>,
) -> Result<Vec<Vec<Line>>> {
    let mut opening = match before {
        None => owed(&sums.opening),
        Some(lines) => {
            let of_asset = lines.iter().filter(|line| line.asset == asset);
            of_asset.map(|line| ((line.cut, line.value.clone()), line.closing)).collect()
        }
    };
    let mut months = Vec::with_capacity(worths.len());
    for (worth, Spanned { flows, closing }) in paired(worths, sums.spans)? {
        let mut moves: BTreeMap<(Cut, String), Moves> = BTreeMap::new();
        for flow in &flows {
            for key in keys(flow.store.as_ref(), flow.tier.as_ref()) {
                moves.entry(key).or_default().add(flow.kind, flow.amount);
            }
        }
        let closing = owed(&closing);
        let mut values: BTreeSet<(Cut, String)> =
            opening.keys().chain(moves.keys()).chain(closing.keys()).cloned().collect();
        values.insert((Cut::All, String::new()));
        let mut lines = Vec::with_capacity(values.len());
        for key in values {
            let mut moved = moves.get(&key).copied().unwrap_or_default();
            let (from, to) = (amount(&opening, &key), amount(&closing, &key));
            let rest = to - from - moved.sum();
            if key.0 == Cut::All && rest != 0 {
                let name = asset.name();
                return Err(StoreError::Damaged(format!("the books of {name} are off by {rest}")));
            }
            moved.moved += rest;
            let (cut, value) = key;
            let is_empty = from == 0 && to == 0 && moved == Moves::default();
            if cut == Cut::All || !is_empty {
                let (moves, liability_minor) = (moved, None);
                lines.push(Line { asset, cut, value, opening: from, moves, closing: to, liability_minor });
            }
        }
        if let Some(worth) = worth {
            price(&mut lines, worth);
        }
        months.push(lines);
        opening = closing;
    }
    Ok(months)
}

fn amount(owed: &Owed, key: &(Cut, String)) -> i64 {
    owed.get(key).copied().unwrap_or(0)
}

/// What closings are worth, in minor units: in all rounded half away from zero, in a cut by the largest remainder, so that its
/// lines come to what all are worth.
fn price(lines: &mut [Line], (minor, points): (i64, i64)) {
    let exact = |closing: i64| i128::from(closing) * i128::from(minor);
    let points = i128::from(points.max(1));
    let whole = |value: i128| i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
    for cut in Cut::ALL {
        let sum: i128 = lines.iter().filter(|line| line.cut == cut).map(|line| exact(line.closing)).sum();
        let total = (2 * sum.abs() + points).div_euclid(2 * points) * sum.signum();
        let floors: i128 = lines
            .iter()
            .filter(|line| line.cut == cut)
            .map(|line| exact(line.closing).div_euclid(points))
            .sum();
        let mut of_cut: Vec<&mut Line> = lines.iter_mut().filter(|line| line.cut == cut).collect();
        // Stable: of equal fractions the first line comes first.
        of_cut.sort_by_key(|line| std::cmp::Reverse(exact(line.closing).rem_euclid(points)));
        let mut left = total - floors;
        for line in of_cut {
            let one = i128::from(left > 0);
            left -= one;
            line.liability_minor = Some(whole(exact(line.closing).div_euclid(points) + one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhiyin_model::effect::TransferKind;
    use zhiyin_store::closing::Flow;

    fn stand(store: &str, tier: &str, amount: i64) -> Stand {
        Stand { store: Some(store.to_owned()), tier: Some(tier.to_owned()), amount }
    }

    fn flow(store: &str, tier: &str, kind: TransferKind, amount: i64) -> Flow {
        Flow { store: Some(store.to_owned()), tier: Some(tier.to_owned()), kind, amount }
    }

    /// Cut, value, opening, the moves, closing, liability.
    type Told<'l> = (&'l str, &'l str, i64, [i64; 7], i64, Option<i64>);

    fn told(lines: &[Line]) -> Vec<Told<'_>> {
        let told = |line: &'_ Line| {
            let Line { cut, opening, moves, closing, liability_minor, .. } = line;
            (cut.name(), *opening, moves.columns(), *closing, *liability_minor)
        };
        lines
            .iter()
            .map(|line| {
                let (cut, opening, columns, closing, liability) = told(line);
                (cut, line.value.as_str(), opening, columns, closing, liability)
            })
            .collect()
    }

    #[test]
    fn a_line_adds_up_and_so_do_the_lines_of_a_cut() {
        let sums = Sums {
            opening: vec![stand("A", "silver", 10), stand("B", "silver", 5)],
            spans: vec![Spanned {
                flows: vec![
                    flow("A", "gold", TransferKind::Earn, 7),
                    flow("A", "silver", TransferKind::Spend, 2),
                    flow("B", "silver", TransferKind::Expire, 3),
                    flow("B", "silver", TransferKind::Return, 2),
                ],
                // Who had 10 in silver is gold by now, earned 7 more, and spent 2 before.
                closing: vec![stand("A", "gold", 15), stand("B", "silver", 4)],
            }],
        };
        let months = of(Asset::Points, None, sums, vec![Some((50, 100))]).unwrap();
        assert_eq!(
            told(&months[0]),
            [
                ("all", "", 15, [7, -2, -3, 2, 0, 0, 0], 19, Some(10)),
                ("store", "A", 10, [7, -2, 0, 0, 0, 0, 0], 15, Some(8)),
                ("store", "B", 5, [0, 0, -3, 2, 0, 0, 0], 4, Some(2)),
                ("tier", "gold", 0, [7, 0, 0, 0, 0, 0, 8], 15, Some(8)),
                ("tier", "silver", 15, [0, -2, -3, 2, 0, 0, -8], 4, Some(2)),
            ]
        );
    }

    #[test]
    fn a_month_opens_with_what_the_one_before_closed() {
        let spans = vec![
            Spanned { flows: vec![], closing: vec![stand("A", "gold", 3)] },
            Spanned {
                flows: vec![flow("A", "gold", TransferKind::Earn, 1)],
                closing: vec![stand("A", "gold", 4)],
            },
        ];
        let sums = Sums { opening: vec![], spans };
        // It was of another store when its month was closed.
        let before = [(Cut::All, ""), (Cut::Store, "B"), (Cut::Tier, "gold")].map(|(cut, value)| Line {
            asset: Asset::Points,
            cut,
            value: value.to_owned(),
            opening: 3,
            moves: Moves::default(),
            closing: 3,
            liability_minor: None,
        });
        for worths in [vec![None], vec![None; 3]] {
            let refused = of(Asset::Points, Some(&before), sums.clone(), worths).unwrap_err();
            assert!(refused.to_string().contains("books of 2 months"), "{refused}");
        }
        let months = of(Asset::Points, Some(&before), sums, vec![None, None]).unwrap();
        assert_eq!(
            told(&months[0])[1..3],
            [
                ("store", "A", 0, [0, 0, 0, 0, 0, 0, 3], 3, None),
                ("store", "B", 3, [0, 0, 0, 0, 0, 0, -3], 0, None),
            ]
        );
        assert_eq!(told(&months[1])[1], ("store", "A", 3, [1, 0, 0, 0, 0, 0, 0], 4, None));
        let off = vec![Spanned { flows: vec![], closing: vec![stand("A", "gold", 2)] }];
        let off = Sums { opening: vec![], spans: off };
        assert!(of(Asset::Points, Some(&before), off, vec![None]).is_err());
    }

    #[test]
    fn what_is_worth_half_a_cent_is_rounded_once() {
        let line = |cut: Cut, value: &str, closing: i64| Line {
            asset: Asset::Points,
            cut,
            value: value.to_owned(),
            opening: 0,
            moves: Moves::default(),
            closing,
            liability_minor: None,
        };
        for (closings, each, all) in [
            (vec![1, 1, 1], vec![1, 1, 0], 2),
            (vec![-1, 0, 0], vec![-1, 0, 0], -1),
            (vec![-1, 2, 0], vec![0, 1, 0], 1),
            (vec![0, 0, 0], vec![0, 0, 0], 0),
        ] {
            let mut lines = vec![line(Cut::All, "", closings.iter().sum())];
            lines.extend(closings.iter().zip(["a", "b", "c"]).map(|(n, value)| line(Cut::Store, value, *n)));
            price(&mut lines, (1, 2));
            let said: Vec<i64> = lines.iter().filter_map(|line| line.liability_minor).collect();
            assert_eq!(said[0], all, "{closings:?}");
            assert_eq!(said[1..], each, "{closings:?}");
        }
    }
}
