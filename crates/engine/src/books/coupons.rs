//! How lines of coupons are made of sums: pieces by offer, in all, by store and by tier, and what those that are held are worth by
//! their face.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_store::closing::{CouponLine, CouponMoves, CouponStand, CouponSums, Cut};
use zhiyin_store::{Result, StoreError};

/// What a coupon takes off, in minor units, by the terms it was issued under: `None` where they say no fixed sum.
pub(super) type Faces = BTreeMap<[u8; 16], Option<i64>>;

/// The face value that terms say: money off, one sum for everybody, whatever threshold it has.
pub(super) fn face(terms: &str) -> Option<i64> {
    let terms: serde_json::Value = serde_json::from_str(terms).ok()?;
    match terms.pointer("/effect/steps/steps")?.as_array()?.as_slice() {
        [step] => step.pointer("/gain/off/fixed")?.as_i64(),
        _ => None,
    }
}

/// By offer, cut and value.
type Key = (String, Cut, String);

/// What is held, and what that is worth where any of it has a face.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    pieces: i64,
    worth: Option<i64>,
}

fn keys(offer: &str, store: Option<&String>, tier: Option<&String>) -> [Key; 3] {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    [(Cut::All, String::new()), (Cut::Store, text(store)), (Cut::Tier, text(tier))]
        .map(|(cut, value)| (offer.to_owned(), cut, value))
}

fn held(stands: &[CouponStand], faces: &Faces) -> BTreeMap<Key, Held> {
    let mut held: BTreeMap<Key, Held> = BTreeMap::new();
    for stand in stands {
        let face = faces.get(&stand.terms).copied().flatten();
        for key in keys(&stand.offer, stand.store.as_ref(), stand.tier.as_ref()) {
            let held = held.entry(key).or_default();
            held.pieces += stand.pieces;
            if let Some(face) = face {
                held.worth = Some(held.worth.unwrap_or(0) + face.saturating_mul(stand.pieces));
            }
        }
    }
    held
}

/// Lines of months that follow each other, one for each of the sums' spans; the first opens with what the month before it closed,
/// where that is given. In a cut, what moved is also what went elsewhere with its member: so each line adds up, and so do the
/// lines of a cut.
pub(super) fn of(
    before: Option<&[CouponLine]>,
    sums: &CouponSums,
    faces: &Faces,
) -> Result<Vec<Vec<CouponLine>>> {
    let mut opening: BTreeMap<Key, i64> = match before {
        Some(lines) => lines
            .iter()
            .map(|line| ((line.offer.clone(), line.cut, line.value.clone()), line.closing))
            .collect(),
        None => held(&sums.opening, faces).into_iter().map(|(key, held)| (key, held.pieces)).collect(),
    };
    let mut months = Vec::with_capacity(sums.spans.len());
    for (flows, closing) in &sums.spans {
        let mut moves: BTreeMap<Key, (CouponMoves, i64)> = BTreeMap::new();
        for flow in flows {
            for key in keys(&flow.offer, flow.store.as_ref(), flow.tier.as_ref()) {
                let (moves, given) = moves.entry(key).or_default();
                moves.add(flow.kind, flow.pieces);
                *given += flow.given;
            }
        }
        let closing = held(closing, faces);
        let all: BTreeSet<Key> = opening.keys().chain(moves.keys()).chain(closing.keys()).cloned().collect();
        let mut lines = Vec::with_capacity(all.len());
        for key in all {
            let (mut moved, given_minor) = moves.get(&key).copied().unwrap_or_default();
            let from = opening.get(&key).copied().unwrap_or(0);
            let to = closing.get(&key).copied().unwrap_or_default();
            let rest = to.pieces - from - moved.sum();
            let (offer, cut, value) = key;
            if cut == Cut::All && rest != 0 {
                return Err(StoreError::Damaged(format!("the books of coupons {offer} are off by {rest}")));
            }
            moved.moved += rest;
            if from == 0 && to.pieces == 0 && moved == CouponMoves::default() && given_minor == 0 {
                continue;
            }
            lines.push(CouponLine {
                offer,
                cut,
                value,
                opening: from,
                moves: moved,
                closing: to.pieces,
                // What is held no more is worth nothing; what never had a face has none.
                liability_minor: to.worth,
                given_minor,
            });
        }
        months.push(lines);
        opening = closing.into_iter().map(|(key, held)| (key, held.pieces)).collect();
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhiyin_model::coupon::CouponMoveKind;
    use zhiyin_store::closing::CouponFlow;

    fn stand(store: &str, tier: &str, terms: u8, pieces: i64) -> CouponStand {
        let (store, tier) = (Some(store.to_owned()), Some(tier.to_owned()));
        CouponStand { offer: "a".to_owned(), terms: [terms; 16], store, tier, pieces }
    }

    fn flow(store: &str, tier: &str, kind: CouponMoveKind, pieces: i64, given: i64) -> CouponFlow {
        let (store, tier) = (Some(store.to_owned()), Some(tier.to_owned()));
        CouponFlow { offer: "a".to_owned(), store, tier, kind, pieces, given }
    }

    #[test]
    fn a_line_of_coupons_adds_up_and_so_do_the_lines_of_a_cut() {
        let sums = CouponSums {
            opening: vec![stand("A", "silver", 1, 3)],
            spans: vec![(
                vec![
                    flow("A", "silver", CouponMoveKind::Issue, 4, 0),
                    flow("A", "gold", CouponMoveKind::Redeem, 2, 900),
                    flow("B", "gold", CouponMoveKind::Return, 1, -400),
                    flow("A", "silver", CouponMoveKind::Expire, 1, 0),
                    flow("A", "silver", CouponMoveKind::Withdraw, 1, 0),
                ],
                vec![stand("A", "gold", 1, 2), stand("B", "gold", 2, 2)],
            )],
        };
        let faces = Faces::from([([1; 16], Some(500)), ([2; 16], None)]);
        let months = of(None, &sums, &faces).unwrap();
        let told =
            |line: &CouponLine| (line.cut.name(), line.value.clone(), line.columns(), line.liability_minor);
        assert_eq!(
            months[0].iter().map(told).collect::<Vec<_>>(),
            [
                ("all", "".to_owned(), [3, 4, -2, -1, -1, 1, 0, 4, 500], Some(1000)),
                ("store", "A".to_owned(), [3, 4, -2, -1, -1, 0, -1, 2, 900], Some(1000)),
                ("store", "B".to_owned(), [0, 0, 0, 0, 0, 1, 1, 2, -400], None),
                ("tier", "gold".to_owned(), [0, 0, -2, 0, 0, 1, 5, 4, 500], Some(1000)),
                ("tier", "silver".to_owned(), [3, 4, 0, -1, -1, 0, -5, 0, 0], None),
            ]
        );
        // The next month opens with it, and one that does not add up is refused.
        let next = CouponSums { opening: vec![], spans: vec![(vec![], vec![stand("A", "gold", 1, 4)])] };
        let lines = of(Some(&months[0]), &next, &faces).unwrap();
        assert_eq!((lines[0][0].opening, lines[0][0].closing), (4, 4));
        let off = CouponSums { opening: vec![], spans: vec![(vec![], vec![stand("A", "gold", 1, 5)])] };
        assert!(of(Some(&months[0]), &off, &faces).is_err());
    }

    #[test]
    fn a_face_is_one_sum_off_for_everybody() {
        for (effect, expected) in [
            (
                r#"{"steps":{"steps":[{"spend":2000,"pieces":0,"gain":{"off":{"fixed":500}}}],"counts":"to pay"}}"#,
                Some(500),
            ),
            (
                r#"{"steps":{"steps":[{"spend":0,"pieces":0,"gain":{"pay":[8800,null]}}],"counts":"to pay"}}"#,
                None,
            ),
            (r#"{"steps":{"steps":[{"gain":{"off":{"by_tier":{"gold":500}}}}]}}"#, None),
            (r#"{"steps":{"steps":[{"gain":{"off":{"fixed":500}}},{"gain":{"off":{"fixed":900}}}]}}"#, None),
            (r#"{"gift":{"product":"tote","pieces":1,"spend":0}}"#, None),
        ] {
            assert_eq!(face(&format!(r#"{{"id":"a","effect":{effect}}}"#)), expected, "{effect}");
        }
        assert_eq!(face("no terms"), None);
    }
}
