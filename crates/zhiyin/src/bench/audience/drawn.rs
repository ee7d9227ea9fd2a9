//! A population drawn by a seed, skewed like a real one: half of the members have 3 orders, 30 % 10, 15 % 20, 5 % 40, in three
//! years; some cities and categories are far commoner than others. Drawn once, it takes two forms: a person for our columns,
//! rows for the peers.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhiyin_audience::{Layout, Person};
use zhiyin_condition::{AttributeType, ItemRow, OrderRow, Schema};
use zhiyin_model::id::MemberId;
use zhiyin_model::money::Money;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Day, Ts, Zone};

/// The day of asking: 2024-10-04. Nothing is drawn after it.
pub const TODAY: Day = Day(20_000);
/// Days of history, the last being that of asking.
const DAYS: u64 = 1_095;
const SECONDS_A_DAY: u64 = 86_400;
const SEED: u64 = 0x5eed_0000_0000;

pub const CITIES: usize = 300;
pub const CATEGORIES: usize = 20;
const PRODUCTS_A_CATEGORY: usize = 100;
pub const PRODUCTS: usize = CATEGORIES * PRODUCTS_A_CATEGORY;
pub const STORES: usize = 2_000;
pub const CHANNELS: usize = 3;

/// Chance that is the same on every machine (SplitMix64).
pub struct Draw(pub u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn one_of(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }
}

/// A member as drawn; words by their number.
pub struct Drawn {
    pub id: MemberId,
    pub gender: usize,
    pub city: usize,
    pub years: u64,
    pub points: u64,
    /// By time.
    pub orders: Vec<DrawnOrder>,
}

/// An order of one line.
pub struct DrawnOrder {
    /// Since 1970 in UTC.
    pub seconds: i64,
    /// In the brand's zone.
    pub day: Day,
    pub category: usize,
    pub product: usize,
    pub store: usize,
    pub channel: usize,
    /// In minor units.
    pub paid: u64,
    pub quantity: u64,
}

/// What members are drawn from.
pub struct World {
    pub zone: Zone,
    /// When the days of history begin, the day of asking first; seconds since 1970 in UTC.
    starts: Vec<i64>,
    pub genders: Vec<Arc<str>>,
    pub cities: Vec<Arc<str>>,
    pub categories: Vec<Arc<str>>,
    pub products: Vec<Arc<str>>,
    pub stores: Vec<Arc<str>>,
    pub channels: Vec<Arc<str>>,
    texts: [Vec<Scalar>; 2],
}

impl World {
    /// Of a brand in a zone.
    pub fn of(zone: Zone) -> Self {
        let words = |n: usize, prefix: &str| -> Vec<Arc<str>> {
            (0..n).map(|at| format!("{prefix}{at:03}").into()).collect()
        };
        let back = 0..i32::try_from(DAYS).unwrap_or(0);
        let starts = back.map(|days| zone.start(TODAY.plus(-days)).0.div_euclid(1_000_000)).collect();
        let genders = vec!["f".into(), "m".into()];
        let cities = words(CITIES, "c");
        let scalars = |of: &[Arc<str>]| of.iter().map(|text| Scalar::Text(text.to_string())).collect();
        let texts = [scalars(&genders), scalars(&cities)];
        Self {
            zone,
            starts,
            genders,
            cities,
            categories: words(CATEGORIES, "k"),
            products: words(PRODUCTS, "p"),
            stores: words(STORES, "s"),
            channels: words(CHANNELS, "ch"),
            texts,
        }
    }

    /// What may be asked.
    pub fn schema(&self) -> Schema {
        let attributes = BTreeMap::from([
            ("gender".to_owned(), AttributeType::Text),
            ("city".to_owned(), AttributeType::Text),
            ("years".to_owned(), AttributeType::Number),
        ]);
        Schema { attributes, ..Schema::default() }
    }

    /// What our columns mean.
    pub fn layout(&self) -> Layout {
        Layout { zone: self.zone.clone(), currency_exponent: 2, attributes: self.schema().attributes }
    }

    /// The end of the day of asking.
    pub fn now(&self) -> Ts {
        self.zone.end(TODAY)
    }

    /// A member by number: version 0, or what has become of them since.
    pub fn drawn(&self, member: u64, version: u64) -> Drawn {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&Draw(member ^ SEED).next().to_be_bytes());
        id[8..].copy_from_slice(&member.to_be_bytes());
        let mut draw = Draw(Draw(member ^ SEED ^ (version << 48)).next());
        let gender = usize::from(draw.below(10) >= 3);
        let city = draw.one_of(CITIES).min(draw.one_of(CITIES));
        let years = 18 + draw.below(60);
        let points = draw.below(5_000);
        let n_orders = match draw.below(100) {
            0..50 => 3,
            50..80 => 10,
            80..95 => 20,
            _ => 40,
        };
        let mut orders: Vec<DrawnOrder> = (0..n_orders).map(|_| self.order(&mut draw)).collect();
        orders.sort_by_key(|order| order.seconds);
        Drawn { id: MemberId::from_bytes(id), gender, city, years, points, orders }
    }

    fn order(&self, draw: &mut Draw) -> DrawnOrder {
        let back = draw.one_of(self.starts.len());
        let category = draw.one_of(CATEGORIES).min(draw.one_of(CATEGORIES));
        DrawnOrder {
            seconds: self.starts[back] + draw.below(SECONDS_A_DAY) as i64,
            day: TODAY.plus(-(back as i32)),
            category,
            product: category * PRODUCTS_A_CATEGORY + draw.one_of(PRODUCTS_A_CATEGORY),
            store: draw.one_of(STORES),
            channel: draw.one_of(CHANNELS),
            paid: 500 + draw.below(20_000),
            quantity: 1 + draw.below(5),
        }
    }

    /// A member as our columns take them.
    pub fn person(&self, member: u64, version: u64) -> Person {
        let drawn = self.drawn(member, version);
        let mut person = Person::gone(drawn.id);
        person.attributes = BTreeMap::from([
            ("gender".to_owned(), self.texts[0][drawn.gender].clone()),
            ("city".to_owned(), self.texts[1][drawn.city].clone()),
            ("years".to_owned(), Scalar::Number(drawn.years.into())),
        ]);
        person.points = drawn.points as i64;
        person.enrolled_at = self.starts.last().map(|start| Ts(*start * 1_000_000));
        person.orders = drawn.orders.iter().map(|order| self.order_row(order)).collect();
        person
    }

    fn order_row(&self, order: &DrawnOrder) -> OrderRow {
        let paid = Money(order.paid as i64);
        OrderRow {
            time: Ts(order.seconds * 1_000_000),
            paid,
            store: Some(self.stores[order.store].clone()),
            channel: Some(self.channels[order.channel].clone()),
            items: vec![ItemRow {
                product: self.products[order.product].clone(),
                category: Some(self.categories[order.category].clone()),
                department: None,
                quantity: order.quantity.into(),
                paid,
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_after_the_day_of_asking_and_days_are_those_of_the_zone() {
        let world = World::of(Zone::named("Asia/Shanghai").unwrap());
        let now = world.now();
        for member in 0..2_000 {
            let drawn = world.drawn(member, 0);
            assert!(drawn.orders.is_sorted_by_key(|order| order.seconds));
            for order in drawn.orders {
                let time = Ts(order.seconds * 1_000_000);
                assert!(time <= now);
                assert_eq!(world.zone.day(time), order.day);
            }
        }
    }

    #[test]
    fn a_later_version_is_of_the_same_member() {
        let world = World::of(Zone::utc());
        let (first, later) = (world.person(7, 0), world.person(7, 1));
        assert_eq!(first.id, later.id);
        assert_ne!(first, later);
        assert_eq!(first, world.person(7, 0));
    }
}
