//! What the solver knows of a cart and of the offers that may apply to it: numbers alone. Names, conditions and words were
//! turned into these before (see `judge`).

/// The most offers that one cart may choose from; more are left out, and told so.
pub(crate) const DEALS_MAX: usize = 128;
/// The most "for every N" that are tried one by one in a lane that others follow.
pub(crate) const TIMES_MAX: i64 = 1_000;

/// A set of deals, by their numbers.
pub(crate) type DealSet = u128;

/// What is to be solved. Reused from cart to cart: nothing is allocated once it is large enough.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    /// The lines of the cart.
    pub(crate) lines: Vec<LineIn>,
    /// The deals that may apply, in the playbook's order.
    pub(crate) deals: Vec<Deal>,
    /// Lines that deals are of, each deal's side by side.
    pub(crate) places: Vec<Place>,
    /// Steps of order deals, each deal's side by side.
    pub(crate) steps: Vec<Step>,
    /// Parts of bundles: how many pieces of each a set has; each deal's side by side.
    pub(crate) parts: Vec<i64>,
    /// Side by side with the parts: how much of the price of a set each piece of a part bears, where a bound is reckoned.
    pub(crate) bears: Vec<i64>,
    /// Points that the member may spend.
    pub(crate) points: i64,
    /// The lanes in their order.
    pub(crate) lanes: Vec<LaneKind>,
}

/// A line, as the solver knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineIn {
    /// What its pieces cost together, in minor units.
    pub(crate) list: i64,
    /// How many pieces.
    pub(crate) pieces: i64,
    /// The least they may cost together.
    pub(crate) floor: i64,
}

/// How many offers of a lane may apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LaneKind {
    /// At most one to each line.
    Item,
    /// At most one.
    Order,
}

/// A line that a deal is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) line: u16,
    /// What the line is in a deal of several selections.
    pub(crate) role: u8,
}

/// The line counts towards what must be bought.
pub(crate) const BUY: u8 = 1;
/// The line counts towards what is got.
pub(crate) const GET: u8 = 2;

/// Side by side in one of the scene's lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Span {
    pub(crate) fn of<T>(self, list: &[T]) -> &[T] {
        &list[self.from as usize..self.to as usize]
    }
}

/// An offer that may apply to the cart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deal {
    /// The lane it applies in.
    pub(crate) lane: u8,
    /// What it does.
    pub(crate) effect: Effect,
    /// The lines it is of, in their order.
    pub(crate) places: Span,
    /// Whether these are all lines of the cart.
    pub(crate) whole: bool,
    /// Where it stands among all where payable and coupons are the same: expiry of the coupon, then id. No two are equal.
    pub(crate) rank: u16,
    /// Deals that it does not go with.
    pub(crate) conflicts: DealSet,
    /// Whether it uses a coupon.
    pub(crate) coupon: bool,
    /// What is left of its budget, in minor units.
    pub(crate) budget: i64,
    /// What is left of its budget, in pieces.
    pub(crate) budget_pieces: i64,
    /// How many points a piece costs; 0 where it is no exchange.
    pub(crate) points_each: i64,
}

/// What a deal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Order lanes: one of several steps.
    Steps(Span),
    /// Order lanes: so much off for every so much, at most so often.
    Every {
        every: i64,
        off: i64,
        times_max: i64,
        /// At most so much in all, which need be no multiple of `off`.
        off_max: i64,
        /// Whether list prices count, and not what is left to pay.
        by_list: bool,
    },
    /// Item lanes, line by line: of at most so many pieces of each line.
    Each { how: How, pieces_max: i64 },
    /// Item lanes: N pieces at a part of their price, or at a price.
    NFor { n: i64, how: How, groups_max: i64 },
    /// Item lanes: of every `buy + get` pieces of one selection the cheapest `get`, at a part of their price.
    BuyGet { buy: i64, get: i64, pay: u32, groups_max: i64 },
    /// Item lanes: for every `buy` pieces of one selection `get` pieces of another, the cheapest.
    BuyOther { buy: i64, get: i64, pay: u32, groups_max: i64 },
    /// Item lanes: one set of parts at a price.
    Bundle { parts: Span, price: i64, sets_max: i64 },
    /// Item lanes: at most so many pieces at a price.
    AddOn { price: i64, pieces_max: i64 },
}

/// What becomes of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// So many ten-thousandths of it are paid.
    Pay(u32),
    /// So much is taken off each piece.
    Off(i64),
    /// So much is taken off the line.
    OffLine(i64),
    /// It is this, each piece or each N pieces.
    Price(i64),
}

/// A step of an order deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The lines it is of must come to this much.
    pub(crate) spend: i64,
    /// Whether at list prices, and not at what is left to pay.
    pub(crate) by_list: bool,
    /// They must be so many pieces. Who made the step has seen that they are; returns ask again.
    pub(crate) pieces: i64,
    /// What it takes off.
    pub(crate) gain: Gain,
}

/// What a step takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gain {
    /// So much, split over the lines.
    Off(i64),
    /// What is paid is so many ten-thousandths; at most so much is taken off.
    Pay(u32, i64),
}

impl Gain {
    /// What is taken off an amount, floors apart.
    pub(crate) fn of(self, amount: i64) -> i64 {
        match self {
            Self::Off(off) => off.min(amount),
            Self::Pay(pay, most) => (amount - crate::split::portion(amount, pay)).min(most),
        }
    }
}

impl Effect {
    /// Whether it is of each line apart, whatever becomes of the others.
    pub(crate) const fn is_each(self) -> bool {
        matches!(self, Self::Each { .. })
    }
}

impl Deal {
    /// Whether it may cost only so much.
    pub(crate) const fn has_budget(&self) -> bool {
        self.budget < i64::MAX || self.budget_pieces < i64::MAX
    }
}

impl Scene {
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.deals.clear();
        self.places.clear();
        self.steps.clear();
        self.parts.clear();
        self.bears.clear();
        self.lanes.clear();
        self.points = 0;
    }

    /// Writes down a bundle of parts of so many pieces each, of the lines that were picked for it, and gives the effect; or how many
    /// pieces are missing for one set.
    pub(crate) fn bundle(
        &mut self,
        parts: impl Iterator<Item = i64>,
        price: i64,
        per_order: i64,
        picked: &[Place],
    ) -> Result<Effect, i64> {
        let (from, mut sets_max, mut missing) = (self.parts.len(), per_order, 0);
        let mut rows: Vec<PartRow> = Vec::new();
        for (role, n) in (0u8..).zip(parts) {
            let of_role = picked.iter().filter(|place| place.role == role);
            let row = PartRow::of(n, of_role.map(|place| &self.lines[usize::from(place.line)]));
            missing += (n - row.pieces).max(0);
            sets_max = sets_max.min(row.pieces / n);
            self.parts.push(n);
            rows.push(row);
        }
        if missing > 0 {
            self.parts.truncate(from);
            return Err(missing);
        }
        self.bears.extend(bears(&rows, price, sets_max));
        let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
        let parts = Span { from: index(from), to: index(self.parts.len()) };
        Ok(Effect::Bundle { parts, price, sets_max })
    }

    /// The effect of "for every `buy` of one selection `get` of another", of the lines that were picked for it; or how many pieces are
    /// missing for it to be once.
    pub(crate) fn buy_other(
        &self,
        (buy, get, pay): (i64, i64, u32),
        per_order: i64,
        picked: &[Place],
    ) -> Result<Effect, i64> {
        let count = |role: u8| -> i64 {
            let of_role = picked.iter().filter(|place| place.role == role);
            of_role.map(|place| self.lines[usize::from(place.line)].pieces).sum()
        };
        let (only_buy, only_get, both) = (count(BUY), count(GET), count(BUY | GET));
        let missing = (buy - only_buy).max(0) + (get - only_get).max(0) - both;
        let groups_max = per_order.min((only_buy + both) / buy);
        if missing > 0 { Err(missing) } else { Ok(Effect::BuyOther { buy, get, pay, groups_max }) }
    }
}

/// A part of a bundle: so many of these pieces, by lines, what a piece is worth with how many, the dearest first.
struct PartRow {
    n: i64,
    pieces: i64,
    worth: Vec<(i64, i64)>,
}

impl PartRow {
    fn of<'l>(n: i64, lines: impl Iterator<Item = &'l LineIn>) -> Self {
        let mut worth: Vec<(i64, i64)> =
            lines.map(|line| ((line.list + line.pieces - 1) / line.pieces.max(1), line.pieces)).collect();
        worth.sort_unstable_by_key(|(each, _)| std::cmp::Reverse(*each));
        Self { n, pieces: worth.iter().map(|(_, pieces)| pieces).sum(), worth }
    }

    /// What the last piece is worth that goes into so many sets; 0 where there are not so many.
    fn last_of(&self, sets: i64) -> i64 {
        let mut left = self.n.saturating_mul(sets);
        let found = self.worth.iter().find(|(_, pieces)| {
            left -= pieces;
            left <= 0
        });
        found.map_or(0, |(each, _)| *each)
    }
}

/// How much of the price of a set each piece of a part bears, so that what sets save is at most the sum of what their pieces are worth
/// beyond it. Together the pieces of a set never bear more than the price. Whatever they bear the bound holds; it is close where each
/// piece bears what the last one that goes into a set is worth, and a part of which all pieces are needed the rest, though it be less
/// than nothing.
fn bears(rows: &[PartRow], price: i64, sets_max: i64) -> Vec<i64> {
    let set = |sets: i64| -> i128 {
        rows.iter().map(|row| i128::from(row.n) * i128::from(row.last_of(sets))).sum()
    };
    // How many sets save something; at least one, so that there is something to share.
    let (mut sets, mut most) = (1, sets_max.max(1));
    while sets < most {
        let middle = sets + (most - sets + 1) / 2;
        if set(middle) > i128::from(price) { sets = middle } else { most = middle - 1 }
    }
    let mut bears: Vec<i64> = rows.iter().map(|row| row.last_of(sets)).collect();
    let more = set(sets) - i128::from(price);
    let part = |amount: i128| i64::try_from(amount).unwrap_or(i64::MAX / 4);
    if let Some(all) = rows.iter().position(|row| row.pieces / row.n <= sets).filter(|_| more > 0) {
        let n = i128::from(rows[all].n);
        bears[all] -= part((more + n - 1) / n);
        return bears;
    }
    // None is used up: between the last piece that goes into a set and the first that does not.
    let next: Vec<i64> = rows.iter().map(|row| row.last_of(sets + 1)).collect();
    let falls = set(sets) - set(sets + 1);
    for (bears, next) in bears.iter_mut().zip(next) {
        let own = if more > 0 && falls > 0 {
            let fall = i128::from(*bears - next);
            (more * fall + falls - 1) / falls
        } else {
            // As each is worth of a set, up or down.
            let worth = set(sets).max(1);
            let share = more * i128::from(*bears);
            if share > 0 { (share + worth - 1) / worth } else { share / worth }
        };
        *bears -= part(own);
    }
    bears
}
