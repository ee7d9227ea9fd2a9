//! What columns answer of a block, taken together: tests that one column answers, all of which must hold, come before anything
//! that costs more.
//!
//! Where one of them names few members by a list, nothing is done for anybody else: the list is narrowed, place by place, by
//! what the other columns have there. Else each narrows a bit a member, sixty-four at a time.

use super::{Asking, clock, nanos};
use crate::bits::Mask;
use crate::block::Block;
use crate::operand::Operand;
use crate::plan::Plan;
use crate::population::Seen;

/// A list of at most this part of a block is narrowed place by place.
const FEW_PART: usize = 32;

/// Memory of one thread that is used for each block anew.
#[derive(Debug)]
pub(super) struct Scratch {
    mask: Mask,
    places: Vec<u16>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { mask: Mask::none(0), places: Vec::new() }
    }
}

impl Asking<'_> {
    /// Puts into words, none of which has a bit set, who of a block it holds for.
    pub(super) fn of_block(
        &self,
        seen: &Seen,
        (at, block): (usize, &Block),
        scratch: &mut Scratch,
        into: &mut [u64],
    ) {
        if self.halt.is_stopped() {
            return;
        }
        let Scratch { mask, places } = scratch;
        let parts = match self.plan {
            Plan::And(parts) => &parts[..],
            one => std::slice::from_ref(one),
        };
        let (mut columns, mut others) = (Vec::with_capacity(parts.len()), Vec::new());
        for part in self.in_order(parts, true) {
            let operand = match part {
                Plan::Test(number) => self.operand(*number, block).map(|operand| (*number, operand)),
                _ => None,
            };
            match operand {
                Some(column) => columns.push(column),
                None => others.push(part),
            }
        }
        // Where it is asked of everybody no mask need say so.
        let of_all = self.within.is_none() && seen.is_of_all(at, block);
        if !of_all {
            seen.told_by(at, block, mask);
            if let Some(within) = self.within {
                within.keep(block, mask);
            }
        }
        if let Some(list) = take_few(&mut columns, block.len()) {
            self.narrow_list(list, &columns, (!of_all).then_some(&*mask), (block.len(), places));
            if others.is_empty() || places.is_empty() {
                places.iter().for_each(|place| into[usize::from(*place) / 64] |= 1 << (place % 64));
                return;
            }
            mask.reset_none(block.len());
            places.iter().for_each(|place| mask.put(usize::from(*place)));
        } else {
            if of_all {
                mask.reset(block.len());
            }
            self.narrow_mask(&columns, mask);
        }
        for part in others {
            self.narrow(part, block, mask);
        }
        mask.put_into(into);
    }

    /// Those of a list, of those of a mask where there is one, for whom the others hold as well.
    fn narrow_list(
        &self,
        (number, list): (usize, &[u16]),
        others: &[(usize, Operand<'_>)],
        mask: Option<&Mask>,
        (len, places): (usize, &mut Vec<u16>),
    ) {
        let mut begun = clock();
        let mut take = |number: usize, (asked, held): (usize, usize)| {
            let done = clock();
            self.tallies[number].add((asked, held), 0, nanos(begun, done));
            begun = done;
        };
        places.clear();
        match mask {
            None => places.extend_from_slice(list),
            Some(mask) => places.extend(list.iter().filter(|place| mask.has(usize::from(**place)))),
        }
        take(number, (mask.map_or(len, Mask::count), places.len()));
        for (number, operand) in others {
            let asked = places.len();
            if asked == 0 {
                return;
            }
            operand.keep_of(places);
            take(*number, (asked, places.len()));
        }
    }

    /// Those of a mask for whom all hold.
    fn narrow_mask(&self, columns: &[(usize, Operand<'_>)], mask: &mut Mask) {
        let mut begun = clock();
        let mut asked = mask.count();
        for (number, operand) in columns {
            if asked == 0 {
                return;
            }
            operand.keep(mask);
            let (held, done) = (mask.count(), clock());
            self.tallies[*number].add((asked, held), 0, nanos(begun, done));
            (asked, begun) = (held, done);
        }
    }
}

/// Takes the shortest list out of what columns say, if it is short.
fn take_few<'b>(columns: &mut Vec<(usize, Operand<'b>)>, len: usize) -> Option<(usize, &'b [u16])> {
    let lists = columns
        .iter()
        .enumerate()
        .filter_map(|(at, (number, operand))| Some((at, (*number, operand.list()?))));
    let (at, few) = lists.min_by_key(|(_, (_, list))| list.len())?;
    if few.1.len() * FEW_PART > len {
        return None;
    }
    columns.remove(at);
    Some(few)
}
