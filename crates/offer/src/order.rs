//! What offers of order lanes take off: an amount of the lines they are of, split by what is left to pay of each.

use crate::deal::{Deal, Effect, Gain, Scene, TIMES_MAX};
use crate::split::split_within;

/// One way an order deal may apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// What it takes off.
    pub(crate) gain: Gain,
    /// What comes off in all.
    pub(crate) off: i64,
    /// Among the deal's ways, the largest first: the step from the last, or how often less than could be.
    pub(crate) number: u16,
}

/// Room to split in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spreading {
    weights: Vec<i64>,
    rooms: Vec<i64>,
    pub(crate) shares: Vec<i64>,
    rests: Vec<i64>,
}

/// Whether of a deal's ways only the one that takes most off need be looked at: no lane follows for which less may be better, no
/// budget has room for less only, and no floor takes from one way what it leaves another. (Of an amount floors leave the more
/// the larger it is, so "for every" may be looked at so even where there are some.)
pub(crate) const fn only_best(deal: &Deal, is_last: bool, floors: bool) -> bool {
    is_last && deal.budget == i64::MAX && (!floors || matches!(deal.effect, Effect::Every { .. }))
}

/// Calls `each` with the ways in which a deal may apply where the lines it is of come to `amount` (and to `list` before any
/// discount). Where `only_best`, with the one that takes most off alone ([`only_best`]). False if not all could be tried.
pub(crate) fn ways(
    scene: &Scene,
    deal: &Deal,
    amount: i64,
    list: i64,
    only_best: bool,
    mut each: impl FnMut(Way),
) -> bool {
    match deal.effect {
        Effect::Steps(span) => {
            let steps = span.of(&scene.steps);
            let reached = (0u16..).zip(steps.iter().rev()).filter_map(|(number, step)| {
                let counted = if step.by_list { list } else { amount };
                let off = step.gain.of(amount);
                (counted >= step.spend && off > 0).then_some(Way { gain: step.gain, off, number })
            });
            match only_best {
                true => reached
                    .max_by_key(|way| (way.off, std::cmp::Reverse(way.number)))
                    .into_iter()
                    .for_each(each),
                false => reached.for_each(each),
            }
            true
        }
        Effect::Every { every, off, times_max, off_max, by_list } => {
            let counted = if by_list { list } else { amount };
            let most = (counted / every).min(times_max);
            let least = if only_best { most.max(1) } else { (most - TIMES_MAX).max(1) };
            for (number, times) in (0u16..).zip((least..=most).rev()) {
                let gain = Gain::Off(off.saturating_mul(times).min(off_max));
                let off = gain.of(amount);
                if off > 0 {
                    each(Way { gain, off, number });
                }
            }
            only_best || least == 1 || most < 1
        }
        _ => true,
    }
}

impl Spreading {
    /// Takes a gain off the lines of a deal: `from` are the amounts left to pay, `to` those after it. Gives what came off.
    pub(crate) fn apply(
        &mut self,
        scene: &Scene,
        deal: &Deal,
        way: &Way,
        from: &[i64],
        to: &mut [i64],
    ) -> i64 {
        to.copy_from_slice(from);
        let places = deal.places.of(&scene.places);
        self.weights.clear();
        self.rooms.clear();
        for place in places {
            let line = usize::from(place.line);
            self.weights.push(from[line]);
            self.rooms.push(from[line] - scene.lines[line].floor);
        }
        self.shares.clear();
        self.shares.resize(places.len(), 0);
        let given = match way.gain {
            // Money off finds its way around floors.
            Gain::Off(_) => {
                split_within(way.off, &self.weights, &self.rooms, &mut self.shares, &mut self.rests)
            }
            // A percentage is each line's own: what a floor takes from it nobody else gets.
            Gain::Pay(..) => {
                let mut given = 0;
                split_within(way.off, &self.weights, &self.weights, &mut self.shares, &mut self.rests);
                for (share, room) in self.shares.iter_mut().zip(&self.rooms) {
                    *share = (*share).min(*room).max(0);
                    given += *share;
                }
                given
            }
        };
        for (place, share) in places.iter().zip(&self.shares) {
            to[usize::from(place.line)] -= share;
        }
        given
    }
}
