//! What offers of item lanes take off lines. Pieces are counted by the line, never one by one: a line of six thousand
//! costs what a line of one does.
//!
//! The pieces of a line are worth what is left to pay of it; where that does not divide, its first pieces carry the odd units.
//! Lines are compared by what a piece is worth on average, ties in the order of the cart.

use std::cmp::Ordering;

use crate::deal::{BUY, Deal, Effect, GET, How, LineIn, Place, Scene};
use crate::split::{cheapest, dearest, portion, split_within};

/// What was worked out last, and room to do so. Kept from use to use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Working {
    /// The lines of the deal at work, as places in `taken`, ordered by price.
    by_price: Vec<Pick>,
    /// What of each place is at stake: the value that a discount is split by.
    weights: Vec<i64>,
    /// The same, by the order of the cart: ties of a split go to its first line.
    in_order: Vec<i64>,
    rooms: Vec<i64>,
    shares: Vec<i64>,
    rests: Vec<i64>,
    /// The most that a floor leaves of what each place takes.
    caps: Vec<i64>,
    /// How many pieces the last deal took: of buy and get those that are got, of add-ons those that became cheaper.
    pub(crate) pieces: i64,
    /// How many steps were made, for tests of cost.
    pub(crate) steps: u64,
}

/// A line of a deal, and what is left to take of it.
#[derive(Clone, Copy, Debug)]
struct Pick {
    /// Its place among the lines of the deal.
    at: usize,
    value: i64,
    pieces: i64,
    /// Pieces not yet used.
    left: i64,
    role: u8,
    /// Pieces that were taken at the deal's price.
    taken: i64,
}

impl Pick {
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.value.checked_mul(other.pieces), other.value.checked_mul(self.pieces));
        let order = match (a, b) {
            (Some(a), Some(b)) => b.cmp(&a),
            _ => (i128::from(other.value) * i128::from(self.pieces))
                .cmp(&(i128::from(self.value) * i128::from(other.pieces))),
        };
        order.then(self.at.cmp(&other.at))
    }
}

/// What an offer of one line takes off it, at what is left to pay of the line.
pub(crate) fn off_line(how: How, pieces_max: i64, payable: i64, line: &LineIn) -> i64 {
    let n = line.pieces.min(pieces_max);
    if n <= 0 {
        return 0;
    }
    let value = dearest(payable, line.pieces, n);
    let off = match how {
        How::Pay(pay) => value - portion(value, pay),
        How::Off(off) => off.saturating_mul(n).min(value),
        How::OffLine(off) => off.min(value),
        How::Price(price) => value - price.saturating_mul(n).min(value),
    };
    // Neither the pieces taken nor the line are sold for less than their floor.
    off.min(value - line.floor / line.pieces * n).min(payable - line.floor).max(0)
}

/// The most that an offer may take off for the sake of a line. An offer of several lines may give a line more than this, but never
/// gives all its lines together more than the sum.
pub(crate) fn share_max(scene: &Scene, deal: &Deal, place: Place, payable: i64) -> i64 {
    let line = &scene.lines[usize::from(place.line)];
    // What is not paid of an amount, rounded up.
    let part = |amount: i64, numerator: i64, denominator: i64| {
        if let Some(product) = amount.checked_mul(numerator) {
            return (product + denominator - 1) / denominator;
        }
        let share = (i128::from(amount) * i128::from(numerator) + i128::from(denominator) - 1)
            / i128::from(denominator);
        i64::try_from(share).unwrap_or(amount)
    };
    let above = |price: i64, n: i64| {
        let n = n.min(line.pieces);
        ((payable + line.pieces - 1) / line.pieces - price).max(0).saturating_mul(n)
    };
    let off = |pay: u32| 10_000 - i64::from(pay);
    let share = match deal.effect {
        Effect::Each { how, pieces_max } => off_line(how, pieces_max, payable, line),
        Effect::NFor { n, how: How::Pay(pay), groups_max } => {
            let pieces = line.pieces.min(groups_max.saturating_mul(n));
            part(dearest(payable, line.pieces, pieces), off(pay), 10_000)
        }
        Effect::NFor { n, how: How::Price(price), groups_max } => {
            above(price / n, groups_max.saturating_mul(n))
        }
        Effect::BuyGet { buy, get, pay, .. } => part(payable, get * off(pay), (buy + get) * 10_000),
        Effect::BuyOther { get, pay, groups_max, .. } if place.role & GET != 0 => {
            let pieces = line.pieces.min(groups_max.saturating_mul(get));
            part(dearest(payable, line.pieces, pieces), off(pay), 10_000)
        }
        Effect::BuyOther { .. } => 0,
        Effect::AddOn { price, pieces_max } => above(price, pieces_max),
        // A set saves what its pieces are worth beyond what each bears of its price.
        Effect::Bundle { parts, sets_max, .. } => {
            let at = parts.from as usize + usize::from(place.role);
            // More than the line is worth, where it bears less than nothing.
            return above(scene.bears[at], sets_max.saturating_mul(scene.parts[at]));
        }
        Effect::NFor { .. } => payable,
        Effect::Steps(_) | Effect::Every { .. } => 0,
    };
    share.min(payable).max(0)
}

/// How it is reckoned what the lines of an offer of several lines may lose at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Most {
    /// They lose nothing: it cannot apply.
    Nothing,
    /// Each its [`share_max`].
    Shares,
    /// Each what its floor leaves. What a floor takes from one line of a group its share may have laid to another, so that the
    /// two may not be mixed line by line.
    Rooms,
}

impl Most {
    /// The way that allows least, at what is left to pay of each line.
    pub(crate) fn of(scene: &Scene, deal: &Deal, level: &[i64], floors: bool) -> Self {
        if let (false, Effect::BuyGet { pay: ..10_000, .. }) = (floors, deal.effect) {
            return Self::Shares;
        }
        let (mut shares, mut rooms) = (0i64, 0i64);
        for place in deal.places.of(&scene.places) {
            let line = usize::from(place.line);
            shares += share_max(scene, deal, *place, level[line]);
            rooms += level[line] - scene.lines[line].floor;
        }
        match shares.min(rooms) {
            ..=0 => Self::Nothing,
            _ if floors && rooms < shares => Self::Rooms,
            _ => Self::Shares,
        }
    }

    /// What a line may lose at most.
    pub(crate) fn line(self, scene: &Scene, deal: &Deal, place: Place, payable: i64) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Shares => share_max(scene, deal, place, payable),
            Self::Rooms => (payable - scene.lines[usize::from(place.line)].floor).max(0),
        }
    }
}

impl Working {
    /// What an offer of several lines takes off those it has, `taken`; written into `offs`, a discount for each of them.
    /// Gives the sum.
    pub(crate) fn group(
        &mut self,
        scene: &Scene,
        deal: &Deal,
        taken: &[Place],
        payable: &[i64],
        offs: &mut Vec<i64>,
    ) -> i64 {
        offs.clear();
        offs.resize(taken.len(), 0);
        self.pieces = 0;
        let adds = matches!(deal.effect, Effect::AddOn { .. });
        self.by_price.clear();
        for (at, place) in taken.iter().enumerate() {
            let (value, line) = (payable[usize::from(place.line)], &scene.lines[usize::from(place.line)]);
            // An add-on takes no piece that its floor keeps at its price.
            if line.pieces > 0 && !(adds && value <= line.floor) {
                let pieces = line.pieces;
                self.by_price.push(Pick { at, value, pieces, left: pieces, role: place.role, taken: 0 });
            }
        }
        self.by_price.sort_unstable_by(Pick::order);
        self.steps += self.by_price.len() as u64;
        let off = match deal.effect {
            Effect::NFor { n, how: How::Pay(pay), groups_max } => {
                let pieces: i64 = self.by_price.iter().map(|pick| pick.pieces).sum();
                self.take_dearest((pieces / n).min(groups_max) * n);
                let value = self.value(dearest);
                value - portion(value, pay)
            }
            Effect::NFor { n, how: How::Price(price), groups_max } => self.n_for_price(n, price, groups_max),
            Effect::BuyGet { buy, get, pay, groups_max } => {
                self.buy_get(buy, get, groups_max);
                let value = self.value(cheapest);
                value - portion(value, pay)
            }
            Effect::BuyOther { buy, get, pay, groups_max } => {
                self.buy_other(buy, get, groups_max);
                let value = self.value(cheapest);
                value - portion(value, pay)
            }
            Effect::Bundle { parts, price, sets_max } => self.bundle(parts.of(&scene.parts), price, sets_max),
            Effect::AddOn { price, pieces_max } => self.add_on(price, pieces_max),
            Effect::Each { .. } | Effect::NFor { .. } | Effect::Steps(_) | Effect::Every { .. } => 0,
        };
        if off <= 0 {
            return 0;
        }
        self.in_order.clear();
        self.in_order.resize(taken.len(), 0);
        self.caps.clear();
        self.caps.resize(taken.len(), i64::MAX);
        // Of buy and get the pieces that are bought bear the floor of those that are got.
        let by_piece = !matches!(deal.effect, Effect::BuyGet { .. } | Effect::BuyOther { .. });
        for (pick, weight) in self.by_price.iter().zip(&self.weights) {
            self.in_order[pick.at] = *weight;
            let line = &scene.lines[usize::from(taken[pick.at].line)];
            if by_piece && line.floor > 0 {
                self.caps[pick.at] = weight - line.floor / line.pieces * pick.taken;
            }
        }
        self.rooms.clear();
        self.rooms.resize(taken.len(), i64::MAX);
        self.shares.clear();
        self.shares.resize(taken.len(), 0);
        split_within(off, &self.in_order, &self.rooms, &mut self.shares, &mut self.rests);
        let mut sum = 0;
        for (((place, share), cap), off) in
            taken.iter().zip(&self.shares).zip(&self.caps).zip(offs.iter_mut())
        {
            let line = usize::from(place.line);
            // A floor takes from the discount; pieces of other lines do not become cheaper for it.
            *off = (*share).min(*cap).min(payable[line] - scene.lines[line].floor).max(0);
            sum += *off;
        }
        let counted = self.by_price.iter().filter(|pick| !adds || offs[pick.at] > 0);
        self.pieces = counted.map(|pick| pick.taken).sum();
        sum
    }

    /// The value of what was taken of each line, as weights; gives their sum.
    fn value(&mut self, of: fn(i64, i64, i64) -> i64) -> i64 {
        self.weights.clear();
        self.weights.extend(self.by_price.iter().map(|pick| of(pick.value, pick.pieces, pick.taken)));
        self.weights.iter().sum()
    }

    fn take_dearest(&mut self, mut n: i64) {
        for pick in &mut self.by_price {
            pick.taken = n.min(pick.pieces);
            n -= pick.taken;
            self.steps += 1;
        }
    }

    /// N pieces for a price, the dearest first, as long as that is less than they cost.
    fn n_for_price(&mut self, n: i64, price: i64, groups_max: i64) -> i64 {
        let (mut groups, mut i, mut spent) = (0, 0, 0);
        while groups < groups_max && i < self.by_price.len() {
            self.steps += 1;
            let pick = &mut self.by_price[i];
            let free = pick.pieces - pick.taken;
            let whole = (free / n).min(groups_max - groups);
            if whole > 0 {
                // Groups within one line are alike.
                let value = dearest(pick.value, pick.pieces, pick.taken + whole * n)
                    - dearest(pick.value, pick.pieces, pick.taken);
                if value <= price.saturating_mul(whole) {
                    break;
                }
                pick.taken += whole * n;
                (groups, spent) = (groups + whole, spent + price.saturating_mul(whole));
                continue;
            }
            if free == 0 {
                i += 1;
                continue;
            }
            // One group over several lines.
            let (mut need, mut value, mut last) = (n, 0, i);
            while need > 0 && last < self.by_price.len() {
                self.steps += 1;
                let pick = &self.by_price[last];
                let m = need.min(pick.pieces - pick.taken);
                value += dearest(pick.value, pick.pieces, pick.taken + m)
                    - dearest(pick.value, pick.pieces, pick.taken);
                need -= m;
                last += 1;
            }
            if need > 0 || value <= price {
                break;
            }
            let mut need = n;
            for pick in &mut self.by_price[i..last] {
                let m = need.min(pick.pieces - pick.taken);
                pick.taken += m;
                need -= m;
            }
            (groups, spent) = (groups + 1, spent + price);
        }
        self.value(dearest) - spent
    }

    /// In groups from the dearest piece on, the last `get` of each `buy + get`.
    fn buy_get(&mut self, buy: i64, get: i64, groups_max: i64) {
        let pieces: i64 = self.by_price.iter().map(|pick| pick.pieces).sum();
        let mut groups = (pieces / (buy + get)).min(groups_max);
        let mut i = 0;
        // Where in a group the next piece stands.
        let (mut to_buy, mut to_get) = (buy, get);
        while groups > 0 && i < self.by_price.len() {
            self.steps += 1;
            let pick = &mut self.by_price[i];
            if pick.left == 0 {
                i += 1;
                continue;
            }
            if to_buy == buy && to_get == get {
                let whole = (pick.left / (buy + get)).min(groups);
                pick.left -= whole * (buy + get);
                pick.taken += whole * get;
                groups -= whole;
                if whole > 0 {
                    continue;
                }
            }
            let bought = to_buy.min(pick.left);
            (pick.left, to_buy) = (pick.left - bought, to_buy - bought);
            let got = if to_buy == 0 { to_get.min(pick.left) } else { 0 };
            (pick.left, to_get, pick.taken) = (pick.left - got, to_get - got, pick.taken + got);
            if to_buy == 0 && to_get == 0 {
                (to_buy, to_get, groups) = (buy, get, groups - 1);
            }
        }
    }

    /// As many sets as both selections give, a piece never being both bought and got; then the cheapest that may be got.
    fn buy_other(&mut self, buy: i64, get: i64, groups_max: i64) {
        let count = |role: u8| -> i64 {
            self.by_price.iter().filter(|pick| pick.role == role).map(|pick| pick.pieces).sum()
        };
        let (only_buy, only_get, both) = (count(BUY), count(GET), count(BUY | GET));
        let groups = ((only_buy + both) / buy)
            .min((only_get + both) / get)
            .min((only_buy + only_get + both) / (buy + get))
            .min(groups_max);
        let mut need = groups * get;
        let mut spare = both - (groups * buy - only_buy).max(0);
        for pick in self.by_price.iter_mut().rev() {
            self.steps += 1;
            let m = match pick.role {
                GET => need.min(pick.pieces),
                role if role & GET != 0 => {
                    let m = need.min(pick.pieces).min(spare);
                    spare -= m;
                    m
                }
                _ => 0,
            };
            pick.taken = m;
            need -= m;
        }
    }

    /// As many sets as save something, of the dearest pieces of each part.
    fn bundle(&mut self, parts: &[i64], price: i64, sets_max: i64) -> i64 {
        let mut sets = sets_max;
        for (role, n) in (0u8..).zip(parts) {
            let pieces: i64 =
                self.by_price.iter().filter(|pick| pick.role == role).map(|pick| pick.pieces).sum();
            sets = sets.min(pieces / n);
        }
        // What one more set saves falls with every set, so the last that saves is found by halving.
        let (mut least, mut most) = (0, sets);
        while least < most {
            let middle = least + (most - least) / 2;
            let more = self.sets_value(parts, middle + 1) - self.sets_value(parts, middle);
            if more > price { least = middle + 1 } else { most = middle }
        }
        self.sets_value(parts, least) - price.saturating_mul(least)
    }

    fn sets_value(&mut self, parts: &[i64], sets: i64) -> i64 {
        self.by_price.iter_mut().for_each(|pick| pick.taken = 0);
        for (role, n) in (0u8..).zip(parts) {
            let mut need = n * sets;
            for pick in self.by_price.iter_mut().filter(|pick| pick.role == role) {
                self.steps += 1;
                pick.taken = need.min(pick.pieces);
                need -= pick.taken;
            }
        }
        self.value(dearest)
    }

    /// The dearest pieces, as long as the price is less than they cost.
    fn add_on(&mut self, price: i64, pieces_max: i64) -> i64 {
        let mut left = pieces_max;
        let mut taken = 0;
        for pick in &mut self.by_price {
            self.steps += 1;
            let m = left.min(pick.pieces);
            if dearest(pick.value, pick.pieces, m) <= price.saturating_mul(m) {
                break;
            }
            (pick.taken, left, taken) = (m, left - m, taken + m);
        }
        self.value(dearest) - price.saturating_mul(taken)
    }
}
