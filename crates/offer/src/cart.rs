//! What is asked: a cart, and what is known of whoever brings it.

use std::collections::BTreeMap;

use zhiyin_condition::program::LeafUse;
use zhiyin_condition::value::Val;
use zhiyin_condition::{CartItem, CartRow, Facts, LeafStates};
use zhiyin_model::consent::Consents;
use zhiyin_model::dependant::Dependant;
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::playbook::offer::Within;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

/// The most lines of a cart.
pub const LINES_MAX: usize = 1_000;
/// The most pieces of a line.
pub const PIECES_MAX: u32 = 1_000_000;
/// The most that a cart may cost, in minor units.
pub const TOTAL_MAX: i64 = 100_000_000_000_000;

/// A cart at a till. Prices are what customers see: taxes are in them; shipping is apart.
#[derive(Clone, Debug, Default)]
pub struct Cart {
    /// What conditions see; its `total` and `pieces` are set by [`Cart::sum_up`].
    pub row: CartRow,
    /// The lines, side by side with the items of the row.
    pub lines: Vec<Line>,
    /// The store's zone: its days and hours are what offers go by. The brand's, where it is not known.
    pub zone: Option<Zone>,
    /// Codes of partners that were shown.
    pub codes: Vec<String>,
    /// Exchanges that the member asks for: offer and pieces.
    pub chosen: BTreeMap<String, u32>,
}

/// What is known of a line beside its item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// As whoever asks calls it.
    pub id: String,
    /// The least a piece may be sold for, by the catalogue.
    pub floor: Option<Money>,
}

/// Why a cart cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartProblem {
    /// The field at fault.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Cart {
    /// Sets the sums that conditions see, and checks what a cart must be.
    pub fn sum_up(&mut self) -> Result<(), CartProblem> {
        let problem = |field: String, message: String| Err(CartProblem { field, message });
        if self.lines.len() != self.row.items.len() || self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return problem("lines".into(), format!("a cart has 1 to {LINES_MAX} lines"));
        }
        let (mut total, mut pieces) = (0i64, 0u64);
        for (i, item) in self.row.items.iter().enumerate() {
            if item.quantity == 0 || item.quantity > PIECES_MAX {
                return problem(
                    format!("lines[{i}].quantity"),
                    format!("a line has 1 to {PIECES_MAX} pieces"),
                );
            }
            let list =
                item.price.0.checked_mul(i64::from(item.quantity)).and_then(|list| total.checked_add(list));
            match list {
                Some(sum) if item.price.0 >= 0 && sum <= TOTAL_MAX => total = sum,
                _ => {
                    return problem(
                        format!("lines[{i}].price"),
                        format!("prices are at least 0 and a cart at most {TOTAL_MAX}"),
                    );
                }
            }
            pieces += u64::from(item.quantity);
            if self.lines[i].floor.is_some_and(|floor| floor.0 < 0) {
                return problem(format!("lines[{i}].floor"), "a floor is at least 0".into());
            }
        }
        if self.row.shipping.0 < 0 || self.row.shipping.0 > TOTAL_MAX {
            return problem("shipping".into(), format!("shipping is 0 to {TOTAL_MAX}"));
        }
        (self.row.total, self.row.pieces) = (Money(total), pieces);
        Ok(())
    }
}

/// A coupon that a member holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Its code or id.
    pub id: String,
    /// The offer it is of.
    pub offer: String,
    /// It may be used before this instant.
    pub expires: Ts,
}

/// How often an offer was used so far: by the member, and by all, within the day, week, month, campaign and ever that the quote
/// falls into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// By the member.
    pub member: BTreeMap<Within, u64>,
    /// By all together.
    pub all: BTreeMap<Within, u64>,
}

/// What is left of an offer's stock and budget; `None` where nothing was taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Uses.
    pub stock: Option<u64>,
    /// Money, in minor units.
    pub money: Option<i64>,
    /// Pieces.
    pub pieces: Option<u64>,
}

/// Whoever brings the cart.
pub struct Customer<'a> {
    /// What conditions ask. Somebody who is no member holds no tier.
    pub facts: &'a dyn Facts,
    /// The coupons they hold.
    pub coupons: &'a [Coupon],
    /// How often offers were used, by id.
    pub uses: &'a BTreeMap<String, Uses>,
    /// What is left of offers, by id.
    pub left: &'a BTreeMap<String, Left>,
}

/// A member at a till: what they are, and what they have in the cart.
pub(crate) struct AtTill<'a> {
    pub(crate) member: &'a dyn Facts,
    pub(crate) cart: &'a CartRow,
    pub(crate) item: Option<&'a CartItem>,
}

impl Facts for AtTill<'_> {
    fn member_id(&self) -> MemberId {
        self.member.member_id()
    }
    fn attribute(&self, name: &str) -> Option<&Scalar> {
        self.member.attribute(name)
    }
    fn has_tag(&self, tag: &str) -> bool {
        self.member.has_tag(tag)
    }
    fn tags(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        self.member.tags()
    }
    fn tier(&self) -> Option<&str> {
        self.member.tier()
    }
    fn lifecycle(&self) -> Option<&str> {
        self.member.lifecycle()
    }
    fn store(&self) -> Option<&str> {
        self.member.store()
    }
    fn points(&self) -> i64 {
        self.member.points()
    }
    fn enrolled_at(&self) -> Option<Ts> {
        self.member.enrolled_at()
    }
    fn consents(&self) -> Option<&Consents> {
        self.member.consents()
    }
    fn dependants(&self) -> Box<dyn Iterator<Item = Dependant<'_>> + '_> {
        self.member.dependants()
    }
    fn is_listed(&self, list: &str) -> bool {
        self.member.is_listed(list)
    }
    fn measures(&self, leaf: &LeafUse) -> bool {
        self.member.measures(leaf)
    }
    fn measured(&self, leaf: &LeafUse) -> Val<'_> {
        self.member.measured(leaf)
    }
    fn leaves(&self) -> &LeafStates {
        self.member.leaves()
    }
    fn cart(&self) -> Option<&CartRow> {
        Some(self.cart)
    }
    fn cart_item(&self) -> Option<&CartItem> {
        self.item
    }
}
