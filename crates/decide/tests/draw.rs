//! Draws: never more winners than prizes, nobody twice, each chance as good as another, and the same again for anybody.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use zhiyin_decide::draw::{CHANCES_MAX, Drawn, Entries, PIECES_MAX, Prize, Terms, commitment, draw};

fn terms(pieces: u32, alternates: u32) -> Terms {
    let prizes = vec![Prize { prize: "ticket".into(), pieces }];
    Terms { draw: "concert".into(), prizes, alternates, public_source: None }
}

fn entries(list: &[(&str, u32)]) -> Entries {
    Entries::close(list.iter().map(|(entry, chances)| ((*entry).to_owned(), *chances)).collect()).unwrap()
}

fn seed(number: u64) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    seed
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The example of docs/draws.md, computed by tests/draw_verify.py: it must never change.
#[test]
fn the_example_of_the_document_is_drawn_as_it_says() {
    let prizes = vec![Prize { prize: "前排".into(), pieces: 1 }, Prize { prize: "门票".into(), pieces: 2 }];
    let public_source = Some("double colour ball 2026145".to_owned());
    let terms = Terms { draw: "concert-2026".into(), prizes, alternates: 2, public_source };
    let list = entries(&[("E-07", 1), ("E-01", 3), ("E-02", 1), ("E-03", 2), ("E-05", 10), ("E-04", 1)]);
    let seed: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let drawn = draw(&terms, &list, &seed, Some("05 09 11 20 27 33 + 08")).unwrap();
    assert_eq!(hex(&commitment(&seed)), EXAMPLE_COMMITMENT);
    assert_eq!(hex(&list.hash()), EXAMPLE_ENTRIES);
    let winners: Vec<_> =
        drawn.winners.iter().map(|(entry, prize)| (entry.as_str(), prize.as_str())).collect();
    assert_eq!(winners, EXAMPLE_WINNERS);
    assert_eq!(drawn.alternates, EXAMPLE_ALTERNATES);
}

const EXAMPLE_COMMITMENT: &str = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd";
const EXAMPLE_ENTRIES: &str = "b242122ee7153f564bcb7aca6e46c7e94ee529b2e1070a2fe15ebf398f624f91";
const EXAMPLE_WINNERS: [(&str, &str); 3] = [("E-07", "前排"), ("E-05", "门票"), ("E-01", "门票")];
const EXAMPLE_ALTERNATES: [&str; 2] = ["E-03", "E-02"];

/// 40,000 seeds, chances 1 : 2 : 5. The first is drawn within four standard deviations of its part; so is the second, given the first.
#[test]
fn each_chance_is_as_good_as_another() {
    const SEEDS: u64 = 40_000;
    let list = entries(&[("a", 1), ("b", 2), ("c", 5)]);
    let mut first = [0_u64; 3];
    let mut a_after_c = 0_u64;
    for number in 0..SEEDS {
        let order: Vec<_> = draw(&terms(2, 0), &list, &seed(number), None).unwrap().winners;
        let at = |place: usize| order[place].0.as_bytes()[0] - b'a';
        first[usize::from(at(0))] += 1;
        a_after_c += u64::from((at(0), at(1)) == (2, 0));
    }
    let close = |found: u64, n: u64, chances: u64, of: u64| {
        // Squared, in whole numbers: (found - n·p)² ≤ 16·n·p·(1 − p), with p = chances / of.
        let off = (found * of).abs_diff(n * chances);
        assert!(u128::from(off).pow(2) <= 16 * u128::from(n * chances * (of - chances)), "{found} of {n}");
    };
    for (found, chances) in first.into_iter().zip([1, 2, 5]) {
        close(found, SEEDS, chances, 8);
    }
    close(a_after_c, first[2], 1, 3);
}

#[test]
fn whatever_goes_in_changes_who_is_drawn() {
    let names: Vec<String> = (0..100).map(|number| format!("e{number:03}")).collect();
    let list = entries(&names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>());
    let fewer = entries(&names[1..].iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>());
    let promised =
        |draw: &str| Terms { draw: draw.into(), public_source: Some("lottery".into()), ..terms(10, 0) };
    let drawn = [
        draw(&terms(10, 0), &list, &seed(1), None),
        draw(&terms(10, 0), &list, &seed(2), None),
        draw(&terms(10, 1), &list, &seed(1), None),
        draw(&terms(10, 0), &fewer, &seed(1), None),
        draw(&promised("concert"), &list, &seed(1), Some("1")),
        draw(&promised("concert"), &list, &seed(1), Some("2")),
        draw(&promised("match"), &list, &seed(1), Some("1")),
    ];
    let distinct: BTreeSet<_> = drawn.iter().map(|drawn| drawn.as_ref().unwrap().winners.clone()).collect();
    assert_eq!(distinct.len(), drawn.len());
}

#[test]
fn a_draw_that_cannot_be_held_is_refused_by_name() {
    let one = || entries(&[("a", 1)]);
    let closed = |list: &[(&str, u32)]| {
        Entries::close(list.iter().map(|(entry, chances)| ((*entry).to_owned(), *chances)).collect())
            .map(|_| ())
            .map_err(|refusal| refusal.code())
    };
    let held = |terms: Terms, value| {
        draw(&terms, &one(), &seed(0), value).map(|_| ()).map_err(|refusal| refusal.code())
    };
    let prize = |prize: &str, pieces| Prize { prize: prize.into(), pieces };
    let named = |draw: &str| Terms { draw: draw.into(), ..terms(1, 0) };
    let giving = |prizes: Vec<Prize>| Terms { prizes, ..terms(1, 0) };
    let promised = Terms { public_source: Some("lottery".into()), ..terms(1, 0) };
    for (found, code) in [
        (closed(&[]), "bad_entries"),
        (closed(&[("a", 1), ("b", 1), ("a", 2)]), "twice"),
        (closed(&[("", 1)]), "bad_name"),
        (closed(&[("a\tb", 1)]), "bad_name"),
        (closed(&[("a", 0)]), "bad_chances"),
        (closed(&[("a", CHANCES_MAX + 1)]), "bad_chances"),
        (held(named(&"x".repeat(201)), None), "bad_name"),
        (held(giving(vec![]), None), "bad_prizes"),
        (held(giving(vec![prize("a", 0)]), None), "bad_prizes"),
        (held(giving(vec![prize("a", PIECES_MAX), prize("b", 1)]), None), "bad_prizes"),
        (held(giving(vec![prize("a", 1), prize("a", 1)]), None), "twice"),
        (held(terms(1, PIECES_MAX + 1), None), "bad_alternates"),
        (held(promised.clone(), None), "no_public_value"),
        (held(promised, Some("1\n2")), "bad_name"),
        (held(terms(1, 0), Some("1")), "unannounced_public_value"),
    ] {
        assert_eq!(found, Err(code));
    }
}

#[test]
fn a_prize_that_nobody_claims_goes_to_the_next_in_order() {
    let pair = |(entry, prize): (&str, &str)| (entry.to_owned(), prize.to_owned());
    let drawn = Drawn {
        winners: [("a", "1st"), ("b", "2nd"), ("c", "2nd")].map(pair).to_vec(),
        alternates: ["d", "e"].map(str::to_owned).to_vec(),
    };
    for (unclaimed, holders) in [
        (vec![], vec![("a", "1st"), ("b", "2nd"), ("c", "2nd")]),
        (vec!["a", "c"], vec![("d", "1st"), ("b", "2nd"), ("e", "2nd")]),
        (vec!["b", "d"], vec![("a", "1st"), ("e", "2nd"), ("c", "2nd")]),
        (vec!["a", "b", "c"], vec![("d", "1st"), ("e", "2nd")]),
        (vec!["d", "e", "nobody"], vec![("a", "1st"), ("b", "2nd"), ("c", "2nd")]),
    ] {
        let unclaimed = unclaimed.into_iter().map(str::to_owned).collect();
        assert_eq!(drawn.rolled_on(&unclaimed), holders.into_iter().map(pair).collect::<Vec<_>>());
    }
}

proptest! {
    /// The order of the list plays no part, nobody is drawn twice, and everybody is drawn where there is enough for all.
    #[test]
    fn never_more_winners_than_prizes_and_nobody_twice(
        chances in prop::collection::vec(1_u32..1_000, 1..60),
        pieces in 1_u32..40,
        alternates in 0_u32..40,
        number in any::<u64>(),
    ) {
        let mut list: Vec<_> = chances.iter().enumerate().map(|(at, chances)| (format!("e{at}"), *chances)).collect();
        let drawn = draw(&terms(pieces, alternates), &Entries::close(list.clone()).unwrap(), &seed(number), None).unwrap();
        list.reverse();
        let again = draw(&terms(pieces, alternates), &Entries::close(list).unwrap(), &seed(number), None).unwrap();
        prop_assert_eq!(&drawn, &again);
        prop_assert_eq!(drawn.winners.len(), chances.len().min(pieces as usize));
        prop_assert_eq!(drawn.alternates.len(), (chances.len() - drawn.winners.len()).min(alternates as usize));
        let who: BTreeSet<_> = drawn.winners.iter().map(|(entry, _)| entry).chain(&drawn.alternates).collect();
        prop_assert_eq!(who.len(), drawn.winners.len() + drawn.alternates.len());
    }
}
