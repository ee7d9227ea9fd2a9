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

impl Scene {
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.deals.clear();
        self.places.clear();
        self.steps.clear();
        self.parts.clear();
        self.lanes.clear();
    }
}
