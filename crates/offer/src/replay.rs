//! The best choices made again, to say what each offer took off which line: the search itself keeps only the choices.

use crate::deal::{DealSet, Effect, LaneKind, Scene};
use crate::exact::{NONE, Search, Share, Solution};
use crate::item::{Most, off_line};
use crate::order::{only_best, ways};
use crate::purse::Purse;

impl Search {
    /// Makes the best choices again.
    pub(crate) fn replay(&mut self, scene: &Scene, solution: &mut Solution) {
        solution.shares.clear();
        solution.levels.clear();
        let mut level: Vec<i64> = scene.lines.iter().map(|line| line.list).collect();
        solution.levels.extend(&level);
        let numbered =
            |code: u32| (0u16..).zip(&scene.deals).find(|(_, deal)| u32::from(deal.rank) == code >> 16);
        let best = std::mem::take(&mut self.best);
        let mut codes = best.iter().copied();
        let mut next = vec![0; level.len()];
        let mut used: DealSet = 0;
        let mut purse = Purse::of(scene);
        for (k, kind) in scene.lanes.iter().enumerate() {
            next.copy_from_slice(&level);
            match kind {
                LaneKind::Order => {
                    let Some((number, deal)) = codes.next().filter(|code| *code != NONE).and_then(|code| {
                        let (number, deal) = numbered(code)?;
                        Some(((number, code & 0xffff), deal))
                    }) else {
                        solution.levels.extend(&next);
                        continue;
                    };
                    let lines = deal.places.of(&scene.places).iter().map(|place| usize::from(place.line));
                    let (amount, list) =
                        lines.fold((0, 0), |(a, l), line| (a + level[line], l + scene.lines[line].list));
                    let is_last = k + 1 == scene.lanes.len();
                    let mut chosen = None;
                    ways(scene, deal, amount, list, only_best(deal, is_last, self.floors), |way| {
                        if u32::from(way.number) == number.1 {
                            chosen = Some(way);
                        }
                    });
                    if let Some(way) = chosen {
                        self.spread.apply(scene, deal, &way, &level, &mut next);
                        used |= 1 << number.0;
                    }
                    for (line, (before, after)) in (0u16..).zip(level.iter().zip(&next)) {
                        if before > after {
                            solution.shares.push(Share { deal: number.0, line, off: before - after });
                        }
                    }
                }
                LaneKind::Item => {
                    let mut has: Vec<Option<u16>> = vec![None; level.len()];
                    // The search asked only about lines that an offer of the lane may take something off.
                    let mosts: Vec<Most> = scene
                        .deals
                        .iter()
                        .map(|deal| match usize::from(deal.lane) == k && deal.conflicts & used == 0 {
                            true if deal.effect.is_each() => Most::Shares,
                            true => Most::of(scene, deal, &level, self.floors),
                            false => Most::Nothing,
                        })
                        .collect();
                    for line in &self.by_price {
                        let named = scene.deals.iter().zip(&mosts).any(|(deal, most)| {
                            let places = deal.places.of(&scene.places);
                            *most != Most::Nothing
                                && places.binary_search_by_key(line, |place| place.line).is_ok_and(|at| {
                                    !deal.effect.is_each()
                                        || most.line(scene, deal, places[at], level[usize::from(*line)]) > 0
                                })
                        });
                        let code = if named { codes.next().unwrap_or(NONE) } else { NONE };
                        has[usize::from(*line)] =
                            if code == NONE { None } else { numbered(code).map(|(number, _)| number) };
                    }
                    self.settle(scene, k, &has, &mut purse, &level, &mut next, &mut solution.shares);
                    has.iter().flatten().for_each(|number| used |= 1 << number);
                }
            }
            level.copy_from_slice(&next);
            solution.levels.extend(&level);
        }
        solution.points_spent = purse.spent;
        self.best = best;
    }

    /// What an item lane takes off, where each line has one deal or none; pushes the shares.
    #[allow(clippy::too_many_arguments, reason = "what is read, what is drawn on, and what is written")]
    fn settle(
        &mut self,
        scene: &Scene,
        k: usize,
        has: &[Option<u16>],
        purse: &mut Purse,
        from: &[i64],
        to: &mut [i64],
        shares: &mut Vec<Share>,
    ) {
        let mut row = std::mem::take(&mut self.rows[k]);
        for number in &self.order {
            let deal = &scene.deals[usize::from(*number)];
            if usize::from(deal.lane) != k || !has.contains(&Some(*number)) {
                continue;
            }
            let places = deal.places.of(&scene.places);
            row.taken.clear();
            row.taken.extend(places.iter().filter(|place| has[usize::from(place.line)] == Some(*number)));
            if let Effect::Each { how, pieces_max } = deal.effect {
                row.offs.clear();
                row.offs.extend(row.taken.iter().map(|place| {
                    let line = usize::from(place.line);
                    off_line(how, pieces_max, from[line], &scene.lines[line])
                }));
            } else {
                self.work.group(scene, &purse.within(deal), &row.taken, from, &mut row.offs);
                purse.take(deal, self.work.pieces);
            }
            for (place, off) in row.taken.iter().zip(&row.offs) {
                if *off > 0 {
                    to[usize::from(place.line)] -= off;
                    shares.push(Share { deal: *number, line: place.line, off: *off });
                }
            }
        }
        self.rows[k] = row;
    }
}
