//! Item lanes that the plain search does not come to an end with: many lines that several offers of several lines want.
//!
//! Lines fall into parts that no offer of several lines ties together. Each part is decided for itself, so that it loses most: a search
//! line by line that goes first where most may be gained ([`Part`] knows how much at most), and leaves what cannot be better than the best
//! found. What all parts lose together is what the lane may take off at most; where what follows cannot come to less than it comes to
//! with the best of each part, nothing can.
//!
//! Where an offer of a later lane wants so much to be left to pay, less off may be better: then `aim` looks near what was
//! found for what leaves just that much, and `hit` among all that parts may lose.

use crate::deal::{Deal, DealSet, Effect, Place, Scene};
use crate::item::Working;
use crate::purse::Purse;

use super::aim::LINES_A_NODE;
use super::hit::{Decided, Reach};
use super::machine::{PRICE_MAX, UNIT};
use super::relax::{Asked, Part, Step};
use super::{NONE, Row, Search};

/// Carts of more lines are not looked at here: each lies on the stack.
const LINES_MAX: usize = 300;

/// What lines of a part have.
pub(super) type Chosen = Option<(u16, Place)>;

/// The search for what a part loses most by.
struct Dive<'a> {
    scene: &'a Scene,
    part: &'a Part,
    row: &'a mut Row,
    work: &'a mut Working,
    level: &'a [i64],
    purse: Purse,
    /// The deals in the order in which they draw on the purse.
    order: &'a [u16],
    /// What is thought to be taken by each group, in ten-thousandths.
    sums: Vec<i64>,
    has: Vec<u16>,
    shunned: Vec<u16>,
    digits: Vec<u32>,
    /// Whether what is thought is what is taken, once all lines are decided.
    is_plain: bool,
    best: i64,
    found: Vec<Chosen>,
    nodes: u64,
    nodes_max: u64,
    cut: bool,
    /// Groups whose lines are all decided and that take nothing: no such combination is allowed, but one near it is.
    n_void: usize,
}

/// What a part loses: at least, by `chosen`; and at most.
#[derive(Clone, Debug)]
struct Solved {
    off: i64,
    most: i64,
    chosen: Vec<Chosen>,
    nodes: u64,
}

impl Dive<'_> {
    fn solve(mut self, used: DealSet) -> Solved {
        let slack = self.part.slack();
        let most = (self.part.to_come(0, 0) + slack).div_euclid(UNIT);
        self.dive(0, (0, slack), used);
        let off = self.best.max(0);
        let most = if self.cut { most.max(off) } else { off };
        if self.best < 0 {
            self.found.fill(None);
        }
        Solved { off, most, chosen: self.found, nodes: self.nodes }
    }

    /// Decides the line at a place, where the lines before are thought to lose so much, and rounding may add so much to all.
    fn dive(&mut self, at: usize, (sum, slack): (i64, i64), used: DealSet) {
        self.nodes += 1;
        if self.nodes > self.nodes_max {
            self.cut = true;
        }
        if self.cut {
            return;
        }
        if at == self.part.order.len() {
            return self.consider(sum);
        }
        let place = self.part.place(at, &self.digits);
        let (from, to) = self.part.span(at);
        let mut ways: Vec<(i64, usize, Step)> = Vec::with_capacity(to - from);
        for opt in from..to {
            if let Some(step) = self.part.step(at, &self.digits, place, opt) {
                let bound = sum + step.gain + self.part.to_come(at + 1, step.state) + slack;
                if self.is_better(bound) && self.may(from, to, opt, used) {
                    ways.push((bound, opt, step));
                }
            }
        }
        ways.sort_by_key(|(bound, opt, _)| (std::cmp::Reverse(*bound), *opt));
        for (bound, opt, step) in ways {
            if self.is_better(bound) && !self.cut {
                self.go(at, (from, to), opt, step, (sum, slack), used);
            }
        }
    }

    /// Whether a line may be decided so, by what was decided before.
    fn may(&self, from: usize, to: usize, opt: usize, used: DealSet) -> bool {
        let opt = &self.part.opts[opt];
        let Some(choice) = opt.choice else {
            let groups = self.part.opts[from..to].iter().filter_map(|other| other.group);
            return groups.into_iter().all(|group| self.has[usize::from(group)] == 0);
        };
        let deal = self.row.choices[choice as usize].deal;
        self.scene.deals[usize::from(deal)].conflicts & used == 0
            && opt.group.is_none_or(|group| self.shunned[usize::from(group)] == 0)
    }

    fn go(
        &mut self,
        at: usize,
        (from, to): (usize, usize),
        opt: usize,
        step: Step,
        (sum, slack): (i64, i64),
        used: DealSet,
    ) {
        let opt = self.part.opts[opt];
        let line = usize::from(self.row.lines[self.part.order[at]].0);
        let mut next_used = used;
        let mut digit = 0;
        if let Some(choice) = opt.choice {
            let choice = self.row.choices[choice as usize];
            next_used |= 1 << choice.deal;
            self.row.chosen[line] = Some((choice.deal, choice.place));
        } else {
            self.shun(from, to, true);
        }
        if let Some(group) = opt.group.map(usize::from) {
            self.has[group] += 1;
            self.sums[group] += step.gain;
            digit = self.digits[group];
            if let Some(next) = step.digit {
                self.digits[group] = next;
            }
        }
        let n_void = self.n_void;
        if let Some((sum, slack)) = self.settle(at, (sum + step.gain, slack)) {
            let bound = sum + self.part.to_come(at + 1, step.state) + slack;
            if self.is_better(bound) {
                self.dive(at + 1, (sum, slack), next_used);
            }
        }
        self.n_void = n_void;
        if let Some(group) = opt.group.map(usize::from) {
            self.has[group] -= 1;
            self.sums[group] -= step.gain;
            self.digits[group] = digit;
        }
        if opt.choice.is_none() {
            self.shun(from, to, false);
        }
        self.row.chosen[line] = None;
    }

    /// No offer of several lines of which the line is may apply any more; or it may again.
    fn shun(&mut self, from: usize, to: usize, is_shunned: bool) {
        for opt in &self.part.opts[from..to] {
            if let Some(group) = opt.group.map(usize::from) {
                self.shunned[group] =
                    if is_shunned { self.shunned[group] + 1 } else { self.shunned[group] - 1 };
            }
        }
    }

    /// Groups whose last line is decided take what they take; `None` where one may not.
    fn settle(&mut self, at: usize, (mut sum, mut slack): (i64, i64)) -> Option<(i64, i64)> {
        for (number, group) in self.part.groups.iter().enumerate() {
            if group.last != at {
                continue;
            }
            slack -= group.slack;
            let deal = &self.scene.deals[usize::from(group.deal)];
            if self.has[number] == 0 || matches!(deal.effect, Effect::AddOn { .. }) {
                continue;
            }
            self.row.take(group.deal);
            // To work it out costs what it looks at.
            self.nodes += 1 + self.row.taken.len() as u64 / 8;
            let off = self.work.group(self.scene, deal, &self.row.taken, self.level, &mut self.row.offs);
            if off > deal.budget || self.work.pieces > deal.budget_pieces {
                return None;
            }
            self.n_void += usize::from(off <= 0);
            sum += off * UNIT - self.sums[number];
        }
        Some((sum, slack))
    }

    fn is_better(&self, bound: i64) -> bool {
        bound.div_euclid(UNIT) > self.best
    }

    /// All lines are decided: what is drawn from the purse is drawn, budgets are kept.
    fn consider(&mut self, sum: i64) {
        let mut sum = sum;
        if !self.is_plain {
            let mut purse = self.purse;
            for number in self.order {
                let deal = &self.scene.deals[usize::from(*number)];
                let group = self.part.groups.iter().position(|group| group.deal == *number);
                if let (Effect::AddOn { .. }, Some(group)) = (deal.effect, group)
                    && self.has[group] > 0
                {
                    let within = purse.within(deal);
                    let Some(off) = self.row.worth(self.scene, self.work, *number, &within, self.level)
                    else {
                        return;
                    };
                    purse.take(deal, self.work.pieces);
                    sum += off * UNIT - self.sums[group];
                }
            }
            if !self.row.within_budgets(self.scene, self.level) {
                return;
            }
        }
        if self.n_void > 0 {
            return self.without_void();
        }
        self.note(sum.div_euclid(UNIT));
    }

    fn note(&mut self, off: i64) {
        if off > self.best {
            self.best = off;
            let lines = self.part.order.iter().map(|row| usize::from(self.row.lines[*row].0));
            self.found = lines.map(|line| self.row.chosen[line]).collect();
        }
    }

    /// Lines of groups that take nothing go to a group that takes something, or have none: that may be as good.
    fn without_void(&mut self) {
        if !self.is_plain {
            return;
        }
        self.nodes += self.part.groups.len() as u64 * (1 + self.part.order.len() as u64 / LINES_A_NODE);
        let lines = self.part.order.iter().map(|row| usize::from(self.row.lines[*row].0));
        let before: Vec<(usize, Chosen)> = lines.map(|line| (line, self.row.chosen[line])).collect();
        let groups: Vec<u16> = self.part.groups.iter().map(|group| group.deal).collect();
        let mut active: DealSet = 0;
        for number in &groups {
            let deal = &self.scene.deals[usize::from(*number)];
            if self.row.worth(self.scene, self.work, *number, deal, self.level).is_some() {
                active |= 1 << number;
            }
        }
        for (at, (line, has)) in before.iter().enumerate() {
            if has.is_some_and(|(deal, _)| groups.contains(&deal) && active & 1 << deal == 0) {
                let (from, to) = self.part.span(at);
                let mut choices = self.part.opts[from..to].iter().filter_map(|opt| opt.choice);
                let choice = choices.find(|i| active & 1 << self.row.choices[*i as usize].deal != 0);
                self.row.chosen[*line] =
                    choice.map(|i| (self.row.choices[i as usize].deal, self.row.choices[i as usize].place));
            }
        }
        let mut off = 0;
        for (line, has) in before.iter().map(|(line, _)| (*line, self.row.chosen[*line])) {
            if let Some((number, _)) = has
                && let Effect::Each { how, pieces_max } = self.scene.deals[usize::from(number)].effect
            {
                off += crate::item::off_line(how, pieces_max, self.level[line], &self.scene.lines[line]);
            }
        }
        let mut may = true;
        for number in groups.iter().filter(|number| active & 1 << **number != 0) {
            let deal = &self.scene.deals[usize::from(*number)];
            match self.row.worth(self.scene, self.work, *number, deal, self.level) {
                Some(own) => off += own,
                None => may = false,
            }
        }
        if may {
            self.note(off);
        }
        before.into_iter().for_each(|(line, has)| self.row.chosen[line] = has);
    }
}

impl Scene {
    /// Whether what an offer takes off lines of an item lane hangs on no other.
    pub(super) fn is_plain(&self) -> bool {
        self.deals.iter().all(|deal| match deal.effect {
            Effect::AddOn { .. } => false,
            Effect::Each { .. } => !deal.has_budget(),
            _ => true,
        })
    }
}

impl Row {
    /// What an offer of several lines takes off those it has; `None` where it may not.
    pub(super) fn worth(
        &mut self,
        scene: &Scene,
        work: &mut Working,
        number: u16,
        deal: &Deal,
        level: &[i64],
    ) -> Option<i64> {
        self.take(number);
        let off = work.group(scene, deal, &self.taken, level, &mut self.offs);
        (off > 0 && off <= deal.budget && work.pieces <= deal.budget_pieces).then_some(off)
    }

    /// Whether offers of single lines keep to their budgets.
    pub(super) fn within_budgets(&self, scene: &Scene, level: &[i64]) -> bool {
        scene.deals.iter().zip(0u16..).all(|(deal, number)| {
            let Effect::Each { how, pieces_max } = deal.effect else { return true };
            if !deal.has_budget() {
                return true;
            }
            let (mut off, mut pieces) = (0, 0);
            for (line, _) in
                self.chosen.iter().enumerate().filter(|(_, has)| has.is_some_and(|has| has.0 == number))
            {
                off += crate::item::off_line(how, pieces_max, level[line], &scene.lines[line]);
                pieces += scene.lines[line].pieces.min(pieces_max);
            }
            off <= deal.budget && pieces <= deal.budget_pieces
        })
    }
}

impl Search {
    /// Decides an item lane after which only order lanes follow, part by part. What is not proven is said (`complete`).
    pub(super) fn deep_lane(
        &mut self,
        scene: &Scene,
        k: usize,
        row: &mut Row,
        payable: i64,
        used: DealSet,
        coupons: u32,
    ) {
        if row.lines.len() > LINES_MAX || self.list > PRICE_MAX {
            self.complete = false;
            return;
        }
        let level = std::mem::take(&mut self.levels[k]);
        let (mut low, mut best) = (payable, payable);
        let mut chosen: Vec<Chosen> = vec![None; scene.lines.len()];
        let mut decided: Vec<Decided> = Vec::new();
        for own in parted(scene, row) {
            let nodes = self.nodes_max.saturating_sub(self.nodes);
            let part = {
                let rows: Vec<Asked<'_>> = row.asked().collect();
                Part::of(scene, &level, (&rows, &own), nodes)
            };
            self.nodes += part.steps / 128;
            let mut nodes_max = self.nodes_max.saturating_sub(self.nodes) / 2;
            let mut without = None;
            if part.is_loose() {
                // Where offers are reckoned line by line much is thought to be lost that is not: first without them.
                nodes_max /= 2;
                without = self.without(scene, &part, (row, &own), &level, nodes_max, used);
            }
            let mut dive = self.part(scene, &part, row, &level, nodes_max);
            dive.best = without.as_ref().map_or(-1, |(off, _)| *off);
            let solved = dive.solve(used);
            self.nodes += solved.nodes;
            low -= solved.most;
            best -= solved.off;
            for (at, has) in solved.chosen.iter().enumerate() {
                chosen[usize::from(row.lines[part.order[at]].0)] = *has;
            }
            if let Some((_, found)) = without.filter(|(off, _)| *off == solved.off) {
                found.into_iter().for_each(|(line, has)| chosen[usize::from(line)] = has);
            }
            decided.push(Decided { part, off: solved.off, is_most: solved.off == solved.most });
        }
        self.levels[k] = level;
        row.chosen.clone_from(&chosen);
        self.try_row(scene, k, row, payable, used, coupons);
        let is_open = |search: &Self| {
            let least = search.bounds.after(scene, k + 1, low, payable);
            least < search.best_payable.min(search.ceiling)
        };
        if is_open(self) {
            self.aim(scene, k, row, (payable, best), used, coupons);
        }
        if is_open(self) {
            let reach = Reach { scene, k, payable, low, best, used, coupons };
            self.complete &= self.hit(&reach, row, &decided);
        }
        row.chosen.fill(None);
    }

    /// What a part loses without the offers that are reckoned line by line, and what its lines have.
    fn without(
        &mut self,
        scene: &Scene,
        part: &Part,
        (row, own): (&Row, &[usize]),
        level: &[i64],
        nodes_max: u64,
        used: DealSet,
    ) -> Option<(i64, Vec<(u16, Chosen)>)> {
        let mut others = Row { lines: Vec::new(), choices: Vec::new(), ..row.clone() };
        for asked in row.asked() {
            let from = u32::try_from(others.choices.len()).ok()?;
            others.choices.extend(asked.choices.iter().filter(|choice| !part.is_line_by_line(choice.deal)));
            others.lines.push((asked.line, from, u32::try_from(others.choices.len()).ok()?));
        }
        let part = {
            let rows: Vec<Asked<'_>> = others.asked().collect();
            Part::of(scene, level, (&rows, own), nodes_max)
        };
        self.nodes += part.steps / 128;
        let solved = self.part(scene, &part, &mut others, level, nodes_max).solve(used);
        self.nodes += solved.nodes;
        let lines = part.order.iter().map(|row| others.lines[*row].0);
        Some((solved.off, lines.zip(solved.chosen).collect()))
    }

    fn part<'a>(
        &'a mut self,
        scene: &'a Scene,
        part: &'a Part,
        row: &'a mut Row,
        level: &'a [i64],
        nodes_max: u64,
    ) -> Dive<'a> {
        let n = part.groups.len();
        let is_plain = scene.is_plain();
        Dive {
            scene,
            part,
            row,
            work: &mut self.work,
            level,
            purse: self.purse,
            order: &self.order,
            sums: vec![0; n],
            has: vec![0; n],
            shunned: vec![0; n],
            digits: vec![0; n],
            is_plain,
            best: -1,
            found: vec![None; part.order.len()],
            nodes: 0,
            nodes_max,
            cut: false,
            n_void: 0,
        }
    }

    /// Goes on with what the lines of a row have, as if they had been decided one by one.
    pub(super) fn try_row(
        &mut self,
        scene: &Scene,
        k: usize,
        row: &mut Row,
        payable: i64,
        used: DealSet,
        coupons: u32,
    ) {
        let (from, to) = self.levels.split_at_mut(k + 1);
        to[0].copy_from_slice(&from[k]);
        let (before, mut high, mut of_lane): (usize, i64, DealSet) = (self.path.len(), payable, 0);
        row.has.fill(0);
        for (line, from, to) in &row.lines {
            let Some((number, _)) = row.chosen[usize::from(*line)] else {
                self.path.push(NONE);
                continue;
            };
            let choices = &row.choices[*from as usize..*to as usize];
            let Some(choice) = choices.iter().find(|choice| choice.deal == number) else { continue };
            self.path.push(u32::from(choice.rank) << 16);
            row.has[usize::from(number)] += 1;
            of_lane |= 1 << number;
            if choice.each {
                high -= choice.most;
                self.levels[k + 1][usize::from(*line)] -= choice.most;
            }
        }
        let takes = scene.deals.iter().enumerate().filter(|(number, _)| of_lane & 1 << number != 0);
        let coupons = coupons + takes.map(|(_, deal)| u32::from(deal.coupon)).sum::<u32>();
        self.close(scene, k, row, high, used | of_lane, coupons);
        self.path.truncate(before);
    }
}

/// The lines of a row by parts: those that the same offer of several lines is of, or offers that do not go together, draw on the same
/// purse, or have a budget.
pub(super) fn parted(scene: &Scene, row: &Row) -> Vec<Vec<usize>> {
    let mut of: Vec<usize> = (0..row.lines.len()).collect();
    let mut join = |rows: &[usize]| {
        let Some(least) = rows.iter().map(|row| of[*row]).min() else { return };
        let joined: Vec<usize> = rows.iter().map(|row| of[*row]).collect();
        of.iter_mut().filter(|part| joined.contains(part)).for_each(|part| *part = least);
    };
    let lines_of = |deal: &dyn Fn(usize) -> bool| -> Vec<usize> {
        let asked = row.asked().enumerate();
        let own =
            asked.filter(|(_, asked)| asked.choices.iter().any(|choice| deal(usize::from(choice.deal))));
        own.map(|(i, _)| i).collect()
    };
    for (number, deal) in scene.deals.iter().enumerate() {
        if !deal.effect.is_each() || deal.has_budget() {
            join(&lines_of(&|other| other == number));
        }
        if deal.conflicts != 0 {
            join(&lines_of(&|other| other == number || deal.conflicts & 1 << other != 0));
        }
    }
    join(&lines_of(&|other| matches!(scene.deals[other].effect, Effect::AddOn { .. })));
    let mut parts: Vec<Vec<usize>> = vec![Vec::new(); row.lines.len()];
    of.iter().enumerate().for_each(|(i, part)| parts[*part].push(i));
    parts.retain(|part| !part.is_empty());
    parts
}
