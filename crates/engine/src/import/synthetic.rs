//! A seeded synthetic brand, for machines without a network: the same tables as the real data set, drawn from simple
//! habits. The same seed gives the same brand on every machine.

use zhiyin_model::time::{DAY_US, HOUR_US, Ts};

use super::Given;
use super::completejourney::until;
use super::tables::{Items, Lines, Product, Redemption, Tables, Target};

/// Source of its items.
pub const SOURCE: &str = "synthetic";

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many households.
    pub households: u32,
    /// Where chance begins.
    pub seed: u64,
}

/// What the brand sells: (department, category, price in cents).
const SHELF: [(&str, &str, u32); 12] = [
    ("GROCERY", "BAG SNACKS", 299),
    ("GROCERY", "FLUID MILK PRODUCTS", 249),
    ("GROCERY", "SOFT DRINKS", 399),
    ("GROCERY", "CANDY - PACKAGED", 189),
    ("PRODUCE", "TROPICAL FRUIT", 129),
    ("PRODUCE", "VEGETABLES", 219),
    ("MEAT", "BEEF", 899),
    ("DRUG GM", "HAND/BODY/FACIAL PRODUCTS", 649),
    ("DRUG GM", "MAKEUP AND TREATMENT", 1099),
    ("COSMETICS", "FRAGRANCES", 2499),
    ("PASTRY", "BREAD", 279),
    ("DELI", "DELI MEATS", 549),
];

/// First day: 2017-01-01 00:00 UTC.
const START: i64 = 1_483_228_800_000_000;

/// Items of the brand, from item `skip` on, at most `limit` in all.
pub fn items(size: Size, skip: u64, limit: Option<u64>) -> Box<dyn Iterator<Item = Given> + Send> {
    until(Items::new(draw(size), skip), skip, limit)
}

/// SplitMix64: small, seedable, the same everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

fn draw(size: Size) -> Tables {
    let mut chance = Chance(size.seed);
    let mut tables = Tables::default();
    for (i, (department, category, _)) in SHELF.iter().enumerate() {
        let product =
            Product { department: Some((*department).to_owned()), category: Some((*category).to_owned()) };
        tables.products.insert(1000 + i as u32, product);
    }
    let mut basket = 0;
    for household in 1..=size.households {
        // Days between visits: most come every few days, some every few weeks; a fifth stop some time in the year.
        let gap = 2 + chance.below(4) * chance.below(8);
        let last = if chance.below(5) == 0 { 60 + chance.below(300) } else { 365 };
        let mut day = chance.below(30);
        if chance.below(3) == 0 {
            tables.people.push((household, vec![("income", format!("{}K", 20 + chance.below(10) * 10))]));
        }
        if chance.below(4) == 0 {
            let start = Ts(START + 90 * DAY_US);
            tables.targets.push(Target { campaign: 1, household, start, kind: "Type A".to_owned() });
        }
        while day < last {
            basket += 1;
            shop(&mut tables, &mut chance, household, basket, day);
            day += 1 + chance.below(gap * 2);
        }
    }
    tables
}

fn shop(tables: &mut Tables, chance: &mut Chance, household: u32, basket: i64, day: u64) {
    let second = chance.below(14 * 3600);
    let time = Ts(START + day as i64 * DAY_US + 8 * HOUR_US + second as i64 * 1_000_000);
    if chance.below(50) == 0 {
        let date = Ts(START + day as i64 * DAY_US);
        tables.redemptions.push(Redemption { household, coupon: basket, campaign: 1, date });
    }
    let lines: &mut Lines = &mut tables.lines;
    let first = chance.below(SHELF.len() as u64);
    for n in 0..=chance.below(9) {
        let product = (first + n * 5) % SHELF.len() as u64;
        let quantity = 1 + chance.below(3) as u32;
        lines.household.push(household);
        lines.store.push(1 + household % 20);
        lines.basket.push(basket);
        lines.product.push(1000 + product as u32);
        lines.quantity.push(quantity);
        lines.cents.push(SHELF[product as usize].2 * quantity);
        lines.time.push(time);
    }
}
