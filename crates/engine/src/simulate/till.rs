//! A recorded order as a cart, and what a member holds and used at the tills of the replay.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use zhiyin_condition::{CartItem, Facts};
use zhiyin_decide::rules::Rules;
use zhiyin_model::event::{Event, OrderFacts};
use zhiyin_model::money::{Currency, Money};
use zhiyin_model::playbook::Offering;
use zhiyin_model::playbook::claim::Validity;
use zhiyin_model::playbook::offer::{OfferEffect, Within};
use zhiyin_model::time::{Ts, Zone};
use zhiyin_offer::{Cart, Coupon, Customer, Given, LINES_MAX, Line, Mode, PIECES_MAX, Till, Uses};

/// How many branches a search looks at: the record may hold carts of hundreds of lines.
const STEPS_MAX: u64 = 50_000;

/// Where a store lies.
#[derive(Clone, Debug)]
pub(super) struct Where {
    pub(super) region: Option<String>,
    pub(super) zone: Zone,
}

/// A recorded order as it came to the till.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) cart: Cart,
    /// Whether its lines are known: else it is one line of no product.
    pub(super) has_lines: bool,
}

/// The cart of a recorded order; `None` where nothing in it costs anything.
pub(super) fn cart(event: &Event, currency: &Currency, stores: &BTreeMap<String, Where>) -> Option<Recorded> {
    let facts = event.order.as_ref()?;
    let mut cart = Cart::default();
    let place = event.store.as_ref().and_then(|store| stores.get(store));
    cart.zone = place.map(|place| place.zone.clone());
    cart.row.region = place.and_then(|place| place.region.clone());
    cart.row.store.clone_from(&event.store);
    cart.row.channel.clone_from(&event.channel);
    cart.row.payment.clone_from(&facts.method);
    cart.row.shipping = minor(currency, facts.amounts.shipping).unwrap_or(Money::ZERO);
    let has_lines = facts.lines.iter().any(|line| line.amount().is_some());
    if has_lines {
        // Whole cents a piece: what does not divide is two lines, a cent apart.
        let apart = facts.lines.len() * 2 <= LINES_MAX;
        for line in &facts.lines {
            let list = line.price.and_then(|price| price.checked_mul(line.quantity)).or(line.paid);
            let Some(list) = minor(currency, list).filter(|list| list.0 > 0) else { continue };
            let item = CartItem {
                product: line.product.clone(),
                category: line.category.clone(),
                department: line.department.clone(),
                ..CartItem::default()
            };
            let whole = line.quantity.fract().is_zero().then(|| line.quantity.to_u32()).flatten();
            let pieces = whole.filter(|pieces| (1..=PIECES_MAX).contains(pieces)).unwrap_or(1);
            let (each, rest) = (list.0 / i64::from(pieces), list.0 % i64::from(pieces));
            let rest = u32::try_from(rest).unwrap_or(0);
            if rest == 0 {
                push(&mut cart, item, each, pieces);
            } else if apart {
                push(&mut cart, item.clone(), each, pieces - rest);
                push(&mut cart, item, each + 1, rest);
            } else {
                push(&mut cart, item, list.0, 1);
            }
        }
    } else {
        let goods = goods(facts)?;
        let paid = minor(currency, Some(goods)).filter(|paid| paid.0 > 0)?;
        push(&mut cart, CartItem::default(), paid.0, 1);
    }
    cart.sum_up().ok()?;
    Some(Recorded { cart, has_lines })
}

fn goods(facts: &OrderFacts) -> Option<Decimal> {
    let amounts = &facts.amounts;
    Some(amounts.total? - amounts.shipping.unwrap_or_default() - amounts.tax.unwrap_or_default())
}

fn minor(currency: &Currency, amount: Option<Decimal>) -> Option<Money> {
    currency.to_minor(amount?).ok()
}

fn push(cart: &mut Cart, item: CartItem, price: i64, quantity: u32) {
    cart.lines.push(Line { id: String::new(), floor: None });
    cart.row.items.push(CartItem { price: Money(price), quantity, ..item });
}

/// An offer that applied to an order.
#[derive(Clone, Debug)]
pub(super) struct Used {
    pub(super) offer: String,
    pub(super) off: i64,
    pub(super) coupon: Option<String>,
    pub(super) gives: Gives,
}

/// What it gave beside money off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    Nothing,
    Gift(u32),
    Shipping(i64),
    Points,
    Service,
    Coupon(String),
}

/// What the charged offers make of an order.
#[derive(Clone, Debug)]
pub(super) struct Charge {
    /// What they take off the goods.
    pub(super) off: i64,
    /// By how much they multiply points, in thousandths.
    pub(super) times: u32,
    pub(super) used: Vec<Used>,
    pub(super) exact: bool,
}

impl Charge {
    /// Nothing applies.
    pub(super) fn nothing() -> Self {
        Self { off: 0, times: 1000, used: Vec::new(), exact: true }
    }

    /// No more is taken off than was paid: what was taken off already is not taken off again.
    pub(super) fn at_most(&mut self, paid: i64) {
        let mut left = paid.max(0);
        for used in &mut self.used {
            used.off = used.off.min(left);
            left -= used.off;
        }
        self.off = self.off.min(paid.max(0));
    }
}

/// How often an offer was used by the member, within the day, week and month of the last use.
#[derive(Clone, Copy, Debug, Default)]
struct Often {
    day: (i32, u64),
    week: (i32, u64),
    month: (i32, u64),
    ever: u64,
}

/// What a member holds and used.
#[derive(Clone, Debug, Default)]
pub(super) struct Purse {
    pub(super) coupons: Vec<Coupon>,
    often: BTreeMap<String, Often>,
    given: u64,
}

fn periods(zone: &Zone, at: Ts) -> [i32; 3] {
    let day = zone.day(at);
    let date = day.date();
    // The epoch was a Thursday; weeks begin on Monday.
    [day.0, (day.0 + 3).div_euclid(7), i32::from(date.year()) * 12 + i32::from(date.month())]
}

impl Purse {
    /// What charged offers make of a cart at an instant.
    pub(super) fn charge(
        &mut self,
        rules: &Rules,
        till: &mut Till,
        cart: &Cart,
        facts: &dyn Facts,
        at: Ts,
    ) -> Charge {
        if rules.offers.is_empty() {
            return Charge::nothing();
        }
        let zone = cart.zone.as_ref().unwrap_or(&rules.zone);
        let uses = self.uses(periods(zone, at));
        let left = BTreeMap::new();
        let customer = Customer { facts, coupons: &self.coupons, uses: &uses, left: &left };
        let quote = till.quote(&rules.offers, &rules.leaves, cart, &customer, at, Mode::Best(STEPS_MAX));
        let used = quote.applied.iter().map(|applied| Used {
            offer: applied.offer.to_owned(),
            off: applied.amount.0,
            coupon: applied.coupon.map(str::to_owned),
            gives: match applied.gives {
                Some(Given::Gift(_, pieces)) => Gives::Gift(pieces),
                Some(Given::Shipping(off)) => Gives::Shipping(off.0),
                Some(Given::Points(_)) => Gives::Points,
                Some(Given::Service(_)) => Gives::Service,
                Some(Given::Coupon(of)) => Gives::Coupon(of.to_owned()),
                Some(Given::Access) | None => Gives::Nothing,
            },
        });
        Charge {
            used: used.collect(),
            off: quote.discount.0,
            times: quote.points_times.thousandths(),
            exact: quote.exact,
        }
    }

    /// A coupon is held from now on.
    pub(super) fn hold(&mut self, id: String, offer: &str, expires: Ts) {
        self.coupons.push(Coupon { id, offer: offer.to_owned(), expires });
    }

    fn uses(&self, [day, week, month]: [i32; 3]) -> BTreeMap<String, Uses> {
        let within = |(period, n): (i32, u64), now: i32| if period == now { n } else { 0 };
        let uses = |often: &Often| Uses {
            member: BTreeMap::from([
                (Within::Day, within(often.day, day)),
                (Within::Week, within(often.week, week)),
                (Within::Month, within(often.month, month)),
                (Within::Campaign, often.ever),
                (Within::Ever, often.ever),
            ]),
            all: BTreeMap::new(),
        };
        self.often.iter().map(|(offer, often)| (offer.clone(), uses(often))).collect()
    }

    /// The order was placed: coupons are used up, uses count, coupons that were given are held from now on. `gone` is told of
    /// coupons that expired before.
    pub(super) fn placed(
        &mut self,
        charge: &Charge,
        (offering, zone): (&Offering, &Zone),
        at: Ts,
        mut gone: impl FnMut(&str),
    ) {
        self.coupons.retain(|coupon| {
            let lives = coupon.expires > at;
            if !lives {
                gone(&coupon.offer);
            }
            lives
        });
        let now = periods(zone, at);
        for used in &charge.used {
            if let Some(id) = &used.coupon {
                self.coupons.retain(|coupon| coupon.id != *id);
            }
            let often = self.often.entry(used.offer.clone()).or_default();
            for ((period, n), now) in [&mut often.day, &mut often.week, &mut often.month]
                .into_iter()
                .zip(now)
                .map(|(count, now)| ((&mut count.0, &mut count.1), now))
            {
                *n = if *period == now { *n + 1 } else { 1 };
                *period = now;
            }
            often.ever += 1;
            if let Gives::Coupon(of) = &used.gives {
                let terms = offering.offer(of).and_then(|offer| offer.coupon.as_ref());
                let valid = terms.map_or(Validity::Days(1), |terms| terms.valid);
                let expires = valid.until(zone, at);
                self.given += 1;
                self.coupons.push(Coupon { id: format!("{:010}", self.given), offer: of.clone(), expires });
            }
        }
    }

    /// Coupons of offers that a changed playbook does not have are worth nothing under it.
    pub(super) fn keep_known(&mut self, offering: &Offering) {
        self.coupons.retain(|coupon| offering.offer(&coupon.offer).is_some());
    }
}

/// Whether an offer multiplies points.
pub(super) fn multiplies_points(offering: &Offering) -> bool {
    offering.offers.iter().any(|offer| matches!(offer.effect, OfferEffect::Points { .. }))
}
