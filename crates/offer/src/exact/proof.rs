//! What the bounds of large carts say, against all there is: the lists of what parts may lose, and what order lanes leave to pay.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::all::Wanted;
use super::deep::{Chosen, parted};
use super::machine::UNIT;
use super::relax::{Asked, Part};
use super::tail::Tail;
use super::{NONE, Row, Search};
use crate::deal::{DealSet, Effect, LaneKind, Scene};
use crate::proof::{Drawn, brute_from, drawn, lines, scene};

const LANES: [LaneKind; 3] = [LaneKind::Item, LaneKind::Order, LaneKind::Order];
const RANKS: [u16; 6] = [3, 0, 5, 1, 4, 2];

/// Every way to decide the lines of a part, with what they lose and what those lose that are counted.
struct Tried<'a> {
    search: &'a mut Search,
    scene: &'a Scene,
    row: &'a mut Row,
    level: &'a [i64],
    own: &'a [usize],
    counted: &'a [bool],
    found: BTreeSet<(i64, i64)>,
}

impl Tried<'_> {
    fn line(&mut self, at: usize) {
        let Some(own) = self.own.get(at) else { return self.lose() };
        let (line, from, to) = self.row.lines[*own];
        let choices: Vec<Chosen> = (from..to)
            .map(|i| self.row.choices[i as usize])
            .map(|choice| Some((choice.deal, choice.place)))
            .chain([None])
            .collect();
        for chosen in choices {
            self.row.chosen[usize::from(line)] = chosen;
            self.line(at + 1);
        }
        self.row.chosen[usize::from(line)] = None;
    }

    fn lose(&mut self) {
        let scene = self.scene;
        let has: DealSet = self.row.chosen.iter().flatten().fold(0, |has, (deal, _)| has | 1 << deal);
        for own in self.own {
            let (line, from, to) = self.row.lines[*own];
            let mut choices = self.row.choices[from as usize..to as usize].iter();
            if self.row.chosen[usize::from(line)].is_none()
                && choices.any(|choice| !choice.each && has >> choice.deal & 1 == 1)
            {
                return;
            }
        }
        let mut purse = self.search.purse;
        let (mut off, mut counted) = (0, 0);
        for number in self.search.order.clone() {
            let deal = &scene.deals[usize::from(number)];
            if has >> number & 1 == 0 {
                continue;
            }
            if deal.conflicts & has != 0 {
                return;
            }
            let is_counted = |line: u16| self.counted.get(usize::from(line)).is_some_and(|is| *is);
            if let Effect::Each { how, pieces_max } = deal.effect {
                for (line, _) in self
                    .row
                    .chosen
                    .iter()
                    .enumerate()
                    .filter(|(_, has)| has.is_some_and(|has| has.0 == number))
                {
                    let own = crate::item::off_line(how, pieces_max, self.level[line], &scene.lines[line]);
                    off += own;
                    counted += if self.counted.get(line).is_some_and(|is| *is) { own } else { 0 };
                }
                continue;
            }
            let within = purse.within(deal);
            let Some(own) = self.row.worth(scene, &mut self.search.work, number, &within, self.level) else {
                return;
            };
            purse.take(deal, self.search.work.pieces);
            off += own;
            let taken = self.row.taken.iter().zip(&self.row.offs);
            counted += taken.filter(|(place, _)| is_counted(place.line)).map(|(_, off)| off).sum::<i64>();
        }
        if self.row.within_budgets(scene, self.level) {
            self.found.insert((off, counted));
        }
    }
}

/// Lists of the item lane of a drawn cart hold what there is, no more and no less, wherever they begin.
fn lists_are_whole(
    lines: &[(i64, i64, i64)],
    offers: &[Drawn],
    (from, mask, nodes): (i64, u8, u64),
) -> Result<(), TestCaseError> {
    let scene = scene(lines, &LANES, offers, &RANKS);
    let mut search = Search::default();
    search.prepare(&scene, u64::MAX);
    let mut row = std::mem::take(&mut search.rows[0]);
    search.ask(&scene, 0, &mut row, 0);
    let level = search.levels[0].clone();
    let counted: Vec<bool> = (0..scene.lines.len()).map(|line| mask >> line & 1 == 1).collect();
    for own in parted(&scene, &row) {
        let rows: Vec<Asked<'_>> = row.asked().collect();
        let part = Part::of(&scene, &level, (&rows, &own), nodes);
        let others = part.but(&rows, &counted);
        let (search, row) = (&mut search, &mut row);
        let mut tried = Tried {
            search,
            scene: &scene,
            row,
            level: &level,
            own: &own,
            counted: &counted,
            found: BTreeSet::new(),
        };
        tried.line(0);
        let all = tried.found;
        let most = all.last().map_or(0, |(off, _)| *off);
        let bound = (part.to_come(0, 0) + part.slack()).div_euclid(UNIT);
        prop_assert!(bound >= most, "{} may be lost, bound {}", most, bound);
        let bound = (others.to_come(0, 0) + others.slack()).div_euclid(UNIT);
        let most_others = all.iter().map(|(off, counted)| off - counted).max().unwrap_or(0);
        prop_assert!(bound >= most_others, "{} may be lost by others, bound {}", most_others, bound);
        for (least, others_least) in [(0, None), (most - from, None), (0, Some(most_others - from))] {
            let wanted = Wanted {
                least,
                counted: &counted,
                others: others_least.map(|least| (&others, least)),
                values_max: usize::MAX,
                nodes_max: u64::MAX,
            };
            let found = search.all(&scene, &part, row, &level, wanted, 0);
            prop_assert!(found.is_all);
            let is_asked = |(off, counted): &(i64, i64)| {
                *off >= least && others_least.is_none_or(|least| off - counted >= least)
            };
            let expected: BTreeSet<(i64, i64)> = all.iter().copied().filter(is_asked).collect();
            let offs =
                |of: &BTreeSet<(i64, i64)>| -> BTreeSet<i64> { of.iter().map(|(off, _)| *off).collect() };
            let listed: BTreeSet<(i64, i64)> = found.values.keys().copied().collect();
            // Lines that are counted may be said to lose less than they do, where an offer is of others too; then more is listed.
            prop_assert!(offs(&expected).is_subset(&offs(&listed)), "{:?} of {:?}", listed, expected);
            prop_assert!(offs(&listed).is_subset(&offs(&all)), "{:?} of {:?}", listed, all);
            for (off, counted) in &expected {
                let mut same = listed.range((*off, 0)..=(*off, *counted));
                prop_assert!(same.next().is_some(), "{} with {}: {:?}", off, counted, listed);
            }
            // What was said of a part is what its deals lose.
            for ((off, _), deals) in found.values.iter().take(20) {
                prop_assert!(all.iter().any(|(own, _)| own == off) && deals.len() == own.len());
            }
        }
    }
    Ok(())
}

/// What order lanes are said to leave is never more than they do, and just that where all offers are of all lines.
fn tails_are_bounds(lines: &[(i64, i64, i64)], offers: &[Drawn], parts: &[i64]) -> Result<(), TestCaseError> {
    let lines: Vec<(i64, i64, i64)> = lines.iter().map(|(price, pieces, _)| (*price, *pieces, 0)).collect();
    let scene = scene(&lines, &LANES, offers, &RANKS);
    let level: Vec<i64> = scene.lines.iter().zip(parts).map(|(line, part)| line.list * part / 10).collect();
    let payable = level.iter().sum();
    let (best, _, path) = brute_from(&scene, 1, &level);
    let tails = Tail::all(&scene, 0, 0);
    let left = |tail: &Tail| -> i64 {
        let counted = tail.counted.iter().zip(&level).filter(|(is_counted, _)| **is_counted);
        counted.map(|(_, left)| left).sum()
    };
    let least = tails.iter().map(|tail| tail.least(&scene, 1, payable, left(tail))).min();
    prop_assert!(least <= Some(best), "{:?} at least, {} found", least, best);
    let are_whole = scene.deals.iter().all(|deal| deal.lane == 0 || deal.whole);
    if are_whole && scene.deals.iter().all(|deal| deal.conflicts == 0) {
        prop_assert_eq!(least, Some(best));
    }
    for tail in &tails {
        let Some(number) = tail.of else { continue };
        let rank = u32::from(scene.deals[usize::from(number)].rank);
        if path.iter().any(|code| *code != NONE && code >> 16 == rank) {
            let wanted = tail.wanted(&scene, 0, payable, best + 1);
            prop_assert!(left(tail) >= wanted, "{} of {} wanted", left(tail), wanted);
            prop_assert!(tail.least(&scene, 1, payable, left(tail)) <= best);
            prop_assert!(tail.bounds.after(&scene, 1, payable, payable) <= best);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_parts_may_lose_is_listed_whole(
        lines in lines(),
        offers in prop::collection::vec(drawn(), 1..6),
        from in 0i64..120,
        mask in any::<u8>(),
        // Where there is little room offers are reckoned line by line.
        nodes in prop::sample::select(vec![0u64, 1, 4, 1_000_000]),
    ) {
        lists_are_whole(&lines, &offers, (from, mask, nodes))?;
    }

    #[test]
    fn what_order_lanes_leave_is_never_less_than_said(
        lines in lines(),
        offers in prop::collection::vec(drawn(), 1..6),
        parts in prop::collection::vec(3i64..=10, 5),
    ) {
        tails_are_bounds(&lines, &offers, &parts)?;
    }
}
