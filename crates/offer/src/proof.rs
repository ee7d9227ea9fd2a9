//! The search against brute force: on small carts that are made to be hard (thresholds, floors, caps, N-for-X, buy-get,
//! bundles, several lanes, exclusions, budgets), every combination is tried, and the best of all must be what was found.

use proptest::prelude::*;

use crate::deal::*;
use crate::exact::{Search, Solution};
use crate::item::{Most, Working, off_line, share_max};
use crate::order::{Spreading, Way, ways};
use crate::purse::Purse;

const NONE: u32 = u32::MAX;

/// Lines with whether the search asks about them, and the deals they may have.
type Rows = Vec<(usize, bool, Vec<usize>)>;

/// Every combination, with no bounds: (payable, coupons, choices) of the best.
struct Brute<'s> {
    scene: &'s Scene,
    by_price: Vec<usize>,
    best: Option<(i64, u32, Vec<u32>)>,
    n_tried: u64,
    floors: bool,
}

impl Brute<'_> {
    fn lane(
        &mut self,
        k: usize,
        level: &[i64],
        used: DealSet,
        coupons: u32,
        purse: Purse,
        path: &mut Vec<u32>,
    ) {
        let scene = self.scene;
        if k == scene.lanes.len() {
            self.n_tried += 1;
            let found = (level.iter().sum::<i64>(), coupons, path.clone());
            if self.best.as_ref().is_none_or(|best| found < *best) {
                self.best = Some(found);
            }
            return;
        }
        if scene.lanes[k] == LaneKind::Order {
            path.push(NONE);
            self.lane(k + 1, level, used, coupons, purse, path);
            path.pop();
            for (number, deal) in scene.deals.iter().enumerate() {
                if usize::from(deal.lane) != k || deal.conflicts & used != 0 {
                    continue;
                }
                let lines: Vec<usize> =
                    deal.places.of(&scene.places).iter().map(|place| usize::from(place.line)).collect();
                let amount = lines.iter().map(|line| level[*line]).sum();
                let list = lines.iter().map(|line| scene.lines[*line].list).sum();
                let mut found: Vec<Way> = Vec::new();
                ways(scene, deal, amount, list, false, |way| found.push(way));
                for way in found {
                    let mut next = level.to_vec();
                    let off = Spreading::default().apply(scene, deal, &way, level, &mut next);
                    if off > 0 && off <= deal.budget {
                        path.push(u32::from(deal.rank) << 16 | u32::from(way.number));
                        let coupons = coupons + u32::from(deal.coupon);
                        self.lane(k + 1, &next, used | 1 << number, coupons, purse, path);
                        path.pop();
                    }
                }
            }
            return;
        }
        // Lines that an offer of the lane is of, and which.
        let choices = |line: usize| -> Vec<usize> {
            let of = |deal: &Deal| {
                usize::from(deal.lane) == k
                    && deal.conflicts & used == 0
                    && deal.places.of(&scene.places).iter().any(|place| usize::from(place.line) == line)
                    && match deal.effect {
                        Effect::Each { how, pieces_max } => {
                            off_line(how, pieces_max, level[line], &scene.lines[line]) > 0
                        }
                        _ => true,
                    }
            };
            (0..scene.deals.len()).filter(|number| of(&scene.deals[*number])).collect()
        };
        // Whether the search asks about the line: every deal is tried, those too of which the bounds say that they take nothing.
        let is_asked = |numbers: &[usize]| {
            let asks = |deal: &Deal| {
                deal.effect.is_each() || Most::of(scene, deal, level, self.floors) != Most::Nothing
            };
            numbers.iter().any(|number| asks(&scene.deals[*number]))
        };
        let rows: Rows = self
            .by_price
            .iter()
            .map(|line| (*line, choices(*line)))
            .map(|(line, choices)| (line, is_asked(&choices), choices))
            .filter(|(_, _, choices)| !choices.is_empty())
            .collect();
        let mut has = vec![None; level.len()];
        self.rows(k, level, &rows, 0, &mut has, used, coupons, purse, path);
    }

    #[allow(clippy::too_many_arguments)]
    fn rows(
        &mut self,
        k: usize,
        level: &[i64],
        rows: &[(usize, bool, Vec<usize>)],
        at: usize,
        has: &mut Vec<Option<usize>>,
        used: DealSet,
        coupons: u32,
        purse: Purse,
        path: &mut Vec<u32>,
    ) {
        let scene = self.scene;
        let Some((line, is_asked, choices)) = rows.get(at) else {
            return self.close(k, level, rows, has, used, coupons, purse, path);
        };
        if *is_asked {
            path.push(NONE);
        }
        self.rows(k, level, rows, at + 1, has, used, coupons, purse, path);
        if *is_asked {
            path.pop();
        }
        for number in choices {
            let deal = &scene.deals[*number];
            has[*line] = Some(*number);
            path.push(u32::from(deal.rank) << 16);
            self.rows(k, level, rows, at + 1, has, used, coupons, purse, path);
            path.pop();
            has[*line] = None;
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn close(
        &mut self,
        k: usize,
        level: &[i64],
        rows: &[(usize, bool, Vec<usize>)],
        has: &[Option<usize>],
        used: DealSet,
        coupons: u32,
        purse: Purse,
        path: &mut Vec<u32>,
    ) {
        let scene = self.scene;
        let (mut next, mut used, mut coupons, mut purse) = (level.to_vec(), used, coupons, purse);
        let mut mine: Vec<usize> =
            (0..scene.deals.len()).filter(|number| has.contains(&Some(*number))).collect();
        // Those that draw on points and pieces do so by their ranks.
        mine.sort_by_key(|number| scene.deals[*number].rank);
        for number in &mine {
            let deal = &scene.deals[*number];
            if deal.conflicts & used != 0 {
                return;
            }
            used |= 1 << number;
            coupons += u32::from(deal.coupon);
            // An offer of several lines is of all it names that no other has.
            let left_out = |(line, _, choices): &(usize, bool, Vec<usize>)| {
                has[*line].is_none() && choices.contains(number)
            };
            if !deal.effect.is_each() && rows.iter().any(left_out) {
                return;
            }
            let places = deal.places.of(&scene.places);
            let taken: Vec<Place> = places
                .iter()
                .copied()
                .filter(|place| has[usize::from(place.line)] == Some(*number))
                .collect();
            let mut offs = Vec::new();
            let mut pieces = 0;
            let sum: i64 = match deal.effect {
                Effect::Each { how, pieces_max } => {
                    offs.extend(taken.iter().map(|place| {
                        let line = usize::from(place.line);
                        pieces += scene.lines[line].pieces.min(pieces_max);
                        off_line(how, pieces_max, level[line], &scene.lines[line])
                    }));
                    offs.iter().sum()
                }
                _ => {
                    let mut work = Working::default();
                    let sum = work.group(scene, &purse.within(deal), &taken, level, &mut offs);
                    pieces = work.pieces;
                    purse.take(deal, pieces);
                    sum
                }
            };
            if sum <= 0 || sum > deal.budget || pieces > deal.budget_pieces {
                return;
            }
            for (place, off) in taken.iter().zip(&offs) {
                let bound = share_max(scene, deal, *place, level[usize::from(place.line)]);
                if deal.effect.is_each() {
                    assert_eq!(*off, bound);
                }
                next[usize::from(place.line)] -= off;
            }
            let bound: i64 = taken
                .iter()
                .map(|place| share_max(scene, deal, *place, level[usize::from(place.line)]))
                .sum();
            assert!(sum <= bound, "{deal:?} takes {sum}, bound {bound}");
        }
        self.lane(k + 1, &next, used, coupons, purse, path);
    }
}

fn brute(scene: &Scene) -> (i64, u32, Vec<u32>) {
    let level: Vec<i64> = scene.lines.iter().map(|line| line.list).collect();
    brute_from(scene, 0, &level)
}

/// The same from a lane on, where so much is left to pay of each line.
pub(crate) fn brute_from(scene: &Scene, lane: usize, level: &[i64]) -> (i64, u32, Vec<u32>) {
    let mut by_price: Vec<usize> = (0..scene.lines.len()).collect();
    by_price.sort_by_key(|line| std::cmp::Reverse(scene.lines[*line].list));
    let floors = scene.lines.iter().any(|line| line.floor > 0);
    let mut brute = Brute { scene, by_price, best: None, n_tried: 0, floors };
    brute.lane(lane, level, 0, 0, Purse::of(scene), &mut Vec::new());
    brute.best.unwrap()
}

/// An offer to be drawn: its effect as numbers that are fitted to what it is.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    kind: u8,
    numbers: [i64; 4],
    lane: usize,
    mask: u8,
    coupon: bool,
    budget: Option<i64>,
    budget_pieces: Option<i64>,
    conflict: Option<usize>,
}

pub(crate) fn drawn() -> impl Strategy<Value = Drawn> {
    (
        0u8..12,
        prop::array::uniform4(0i64..12),
        0usize..4,
        any::<u8>(),
        any::<bool>(),
        prop::option::weighted(0.15, 1i64..900),
        prop::option::weighted(0.1, 1i64..5),
        prop::option::weighted(0.15, 0usize..6),
    )
        .prop_map(|(kind, numbers, lane, mask, coupon, budget, budget_pieces, conflict)| Drawn {
            kind,
            numbers,
            lane,
            mask,
            coupon,
            budget,
            budget_pieces,
            conflict,
        })
}

/// The lines that a drawn offer is of.
fn picked<'r>(roles: &'r [u8], offer: &Drawn) -> impl Iterator<Item = Place> + use<'r> {
    let mask = offer.mask;
    (0u16..)
        .zip(roles)
        .filter(move |(line, _)| mask & (1 << line) != 0 || mask > 150)
        .map(|(line, role)| Place { line, role: *role })
}

const fn step(spend: i64, by_list: bool, gain: Gain) -> Step {
    Step { spend, by_list, pieces: 0, gain }
}

/// A cart of (price, pieces, floor in per cent) and its offers, in a scene.
pub(crate) fn scene(lines: &[(i64, i64, i64)], lanes: &[LaneKind], offers: &[Drawn], ranks: &[u16]) -> Scene {
    let mut scene = Scene { lanes: lanes.to_vec(), points: 100, ..Scene::default() };
    for (price, pieces, floor) in lines {
        let list = price * pieces;
        scene.lines.push(LineIn { list, pieces: *pieces, floor: list * floor / 100 });
    }
    let cart: i64 = scene.lines.iter().map(|line| line.list).sum();
    for (number, offer) in offers.iter().enumerate() {
        let wanted = if offer.kind < 5 { LaneKind::Order } else { LaneKind::Item };
        let of_kind: Vec<usize> = (0..lanes.len()).filter(|lane| lanes[*lane] == wanted).collect();
        if of_kind.is_empty() {
            continue;
        }
        let lane = of_kind[offer.lane % of_kind.len()];
        let [a, b, c, d] = offer.numbers;
        let mut roles = vec![BUY; lines.len()];
        let span = |from: usize, to: usize| Span { from: from as u32, to: to as u32 };
        let from_steps = scene.steps.len();
        // Thresholds lie about what the cart comes to, so that discounts before them decide.
        let spend = cart * (6 + a % 5) / 10;
        let effect = match offer.kind {
            0 => {
                scene.steps.push(step(spend, d % 4 == 0, Gain::Off(20 + b * 17)));
                Effect::Steps(span(from_steps, scene.steps.len()))
            }
            1 => {
                // An amount and a part side by side: floors take from the one what they leave the other.
                let (amount, part) = (Gain::Off(10 + b * 7), Gain::Pay(7_000 + (b * 200) as u32, i64::MAX));
                let gains = match d % 3 {
                    0 => [amount, Gain::Off(20 + b * 17 + c * 10)],
                    1 => [amount, part],
                    _ => [part, Gain::Off(20 + b * 17 + c * 10)],
                };
                scene.steps.push(step(spend / 2, false, gains[0]));
                scene.steps.push(step(spend, false, gains[1]));
                Effect::Steps(span(from_steps, scene.steps.len()))
            }
            2 => {
                let most = if c > 5 { i64::MAX } else { 10 + c * 30 };
                scene.steps.push(step(0, false, Gain::Pay(7_000 + (b * 267) as u32, most)));
                Effect::Steps(span(from_steps, scene.steps.len()))
            }
            3 => {
                scene.steps.push(step(spend, false, Gain::Pay(8_000 + (b * 121) as u32, i64::MAX)));
                Effect::Steps(span(from_steps, scene.steps.len()))
            }
            4 => {
                let (off, off_max) = (5 + b * 4, 5 + c * 11);
                let times_max = (off_max + off - 1) / off;
                Effect::Every { every: 50 + a * 23, off, times_max, off_max, by_list: d % 4 == 0 }
            }
            5 => Effect::Each {
                how: How::Pay(5_000 + (a * 411) as u32),
                pieces_max: if b > 8 { 1 } else { i64::MAX },
            },
            6 => Effect::Each {
                how: [How::Off(1 + b * 5), How::OffLine(3 + b * 9), How::Price(20 + b * 10)]
                    [(a % 3) as usize],
                pieces_max: i64::MAX,
            },
            7 => Effect::NFor { n: 2 + a % 2, how: How::Pay(5_000 + (b * 411) as u32), groups_max: 1 + c },
            8 => Effect::NFor { n: 2 + a % 2, how: How::Price(60 + b * 20), groups_max: 1 + c },
            9 => Effect::BuyGet { buy: 1 + a % 2, get: 1, pay: (b / 6 * 5_000) as u32, groups_max: 1 + c },
            10 => {
                let role = |i: usize| [BUY, GET, BUY | GET][(a as usize + i * (b as usize + 1)) % 3];
                roles = (0..lines.len()).map(role).collect();
                Effect::BuyOther { buy: 1 + a % 2, get: 1, pay: 0, groups_max: 1 + c }
            }
            _ if d > 8 => Effect::AddOn { price: b * 5, pieces_max: 1 + a % 3 },
            _ if d > 5 => Effect::AddOn { price: 1 + b * 10, pieces_max: 1 + a % 3 },
            _ => {
                roles = (0..lines.len()).map(|i| ((i + b as usize) % 2) as u8).collect();
                let picked: Vec<Place> = picked(&roles, offer).collect();
                let parts = [1 + a % 2, 1];
                match scene.bundle(parts.into_iter(), 40 + c * 25, 3, &picked) {
                    Ok(effect) => effect,
                    Err(_) => continue,
                }
            }
        };
        let points_each = if offer.kind == 11 && d > 8 { 10 + c * 5 } else { 0 };
        let from = scene.places.len();
        scene.places.extend(picked(&roles, offer));
        if scene.places.len() == from {
            continue;
        }
        let own = scene.deals.len();
        let mut conflicts: DealSet = 0;
        if let Some(other) = offer.conflict.filter(|other| *other < own) {
            conflicts = 1 << other;
            scene.deals[other].conflicts |= 1 << own;
        }
        scene.deals.push(Deal {
            lane: lane as u8,
            effect,
            places: span(from, scene.places.len()),
            whole: scene.places.len() - from == lines.len(),
            rank: ranks[number],
            conflicts,
            coupon: offer.coupon,
            budget: offer.budget.unwrap_or(i64::MAX),
            budget_pieces: match wanted {
                LaneKind::Item => offer.budget_pieces.unwrap_or(i64::MAX),
                LaneKind::Order => i64::MAX,
            },
            points_each,
        });
    }
    scene
}

fn lanes() -> impl Strategy<Value = Vec<LaneKind>> {
    use LaneKind::{Item, Order};
    prop::sample::select(vec![
        vec![Item, Order],
        vec![Item, Order, Order],
        vec![Order, Item, Order],
        vec![Item, Item, Order],
        vec![Order, Order],
        vec![Item],
    ])
}

pub(crate) fn lines() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    let price = prop::sample::select(vec![1i64, 7, 10, 33, 50, 50, 99, 100, 101, 149]);
    let floor = prop::sample::select(vec![0i64, 0, 0, 0, 0, 50, 90, 100]);
    let with_floors = prop::collection::vec((price.clone(), 1i64..4, floor), 1..5);
    let without = prop::collection::vec((price, 1i64..4, Just(0)), 1..6);
    prop_oneof![with_floors, without]
}

/// What was found, checked for itself: shares make the difference of list and payable, and nothing is below its floor.
fn checked(scene: &Scene, solution: &Solution) {
    let n = scene.lines.len();
    let last = &solution.levels[solution.levels.len() - n..];
    assert_eq!(last.iter().sum::<i64>(), solution.payable);
    for (i, line) in scene.lines.iter().enumerate() {
        let off: i64 = solution.shares.iter().filter(|s| usize::from(s.line) == i).map(|s| s.off).sum();
        assert_eq!(line.list - off, last[i]);
        assert!(last[i] >= line.floor && last[i] >= 0, "line {i} pays {}, floor {}", last[i], line.floor);
    }
    assert!(solution.shares.iter().all(|share| share.off > 0));
}

/// What the search finds is what the best of every combination comes to, wherever it has to stop.
fn best_of_all(lines: &[(i64, i64, i64)], lanes: &[LaneKind], offers: &[Drawn]) {
    let scene = scene(lines, lanes, offers, &[3, 0, 5, 1, 4, 2]);
    let (payable, coupons, path) = brute(&scene);
    let (mut search, mut found) = (Search::default(), Solution::default());
    search.solve(&scene, 10_000_000, &mut found);
    checked(&scene, &found);
    let used: std::collections::BTreeSet<u16> = found.shares.iter().map(|share| share.deal).collect();
    let n_coupons = used.iter().filter(|deal| scene.deals[usize::from(**deal)].coupon).count();
    assert!(found.exact);
    assert_eq!((found.payable, n_coupons), (payable, coupons as usize));
    assert_eq!(search.chosen(), &path[..]);
    assert_eq!(found.bound, payable);
    // A search that must stop early says so, is never better, and its bound is never above what is best.
    let mut short = Solution::default();
    search.solve(&scene, 3, &mut short);
    checked(&scene, &short);
    assert!(short.payable >= payable && short.bound <= payable);
    assert!(short.exact || short.bound <= short.payable);
    // Wherever it has to stop, what it says is exact is: what parts were proven to lose at most as much as what was tried plainly.
    for nodes_max in [40, 120, 400, 1_500] {
        search.solve(&scene, nodes_max, &mut short);
        checked(&scene, &short);
        assert!(short.payable >= payable && short.bound <= payable);
        assert!(
            !short.exact || short.payable == payable,
            "{} of {} after {}",
            short.payable,
            payable,
            nodes_max
        );
    }
    let mut greedy = Solution::default();
    search.greedy(&scene, &mut greedy);
    checked(&scene, &greedy);
    // The playbook's order is never cheaper, not even than a search that has to stop.
    assert!(greedy.payable >= payable && greedy.payable >= short.payable);
}

/// Found by the drawn ones.
#[test]
fn what_was_once_found_wrong_is_right() {
    use LaneKind::{Item, Order};
    let offer = |kind, numbers, mask| Drawn {
        kind,
        numbers,
        lane: 0,
        mask,
        coupon: false,
        budget: None,
        budget_pieces: None,
        conflict: None,
    };
    let offers = [offer(0, [3, 1, 0, 1], 143), offer(9, [1, 6, 0, 0], 151), offer(5, [3, 0, 0, 0], 119)];
    best_of_all(&[(33, 1, 0), (7, 3, 0), (10, 2, 0), (50, 3, 0)], &[Item, Order], &offers);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_best_combination_is_the_best_of_all(lines in lines(), lanes in lanes(), offers in prop::collection::vec(drawn(), 1..6)) {
        best_of_all(&lines, &lanes, &offers);
    }

    #[test]
    fn the_order_of_offers_changes_nothing(
        lines in lines(),
        lanes in lanes(),
        offers in prop::collection::vec((drawn(), 0u16..1000), 2..7),
    ) {
        // Without exclusions, which the test writes by position.
        let mut offers: Vec<(Drawn, u16)> = offers;
        offers.iter_mut().for_each(|(offer, _)| offer.conflict = None);
        offers.sort_by_key(|(_, key)| *key);
        offers.dedup_by_key(|(_, key)| *key);
        let told = |offers: &[(Drawn, u16)]| {
            let (drawn, ranks): (Vec<Drawn>, Vec<u16>) = offers.iter().cloned().unzip();
            let scene = scene(&lines, &lanes, &drawn, &ranks);
            let mut found = Solution::default();
            Search::default().solve(&scene, 10_000_000, &mut found);
            let mut shares: Vec<(u16, u16, i64)> = found
                .shares
                .iter()
                .map(|share| (scene.deals[usize::from(share.deal)].rank, share.line, share.off))
                .collect();
            shares.sort_unstable();
            (found.payable, shares)
        };
        let forward = told(&offers);
        offers.reverse();
        prop_assert_eq!(told(&offers), forward.clone());
        offers.rotate_left(1);
        prop_assert_eq!(told(&offers), forward);
    }
}
