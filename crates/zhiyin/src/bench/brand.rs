//! A made-up brand whose number of members and length of history can be chosen: the same orders on every machine.
//!
//! All members buy at one pace. Orders of different members alternate, so that they come in the order in which a
//! brand would see them: by time, each of someone else.

use std::fmt::Write;

use zhiyin_model::time::{DAY_US, Ts};

/// How many members a round of measured orders comes from, one order each: the same work whatever the home's size.
pub const ROUND: u32 = 1_000;
/// How many orders a batch has at most while a home is filled.
pub const CHUNK_MAX: usize = 8_192;
/// The last day of history begins here: 2025-06-01 00:00 in the brand's zone, UTC+8.
const HISTORY_ENDS: Ts = Ts(1_748_707_200_000_000);
/// Measured orders are placed from noon of the day after history ends: no day begins while they are decided.
pub const ROUNDS_BEGIN: Ts = HISTORY_ENDS.plus_us(DAY_US / 2);

/// What is sold: (category, cents).
const SHELF: [(&str, u64); 8] = [
    ("snacks", 590),
    ("snacks", 1_280),
    ("beauty", 2_990),
    ("stationery", 450),
    ("toys", 1_990),
    ("home", 3_500),
    ("drinks", 600),
    ("accessories", 1_500),
];

/// How large a home is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many members.
    pub members: u32,
    /// How many orders each has.
    pub orders: u32,
    /// Days over which they are spread.
    pub days: u32,
}

impl Shape {
    /// Orders in all.
    pub fn orders_all(self) -> u64 {
        u64::from(self.members) * u64::from(self.orders)
    }

    /// When history begins.
    pub fn begins(self) -> Ts {
        HISTORY_ENDS.plus_us(-i64::from(self.days) * DAY_US)
    }

    /// Order `n` of the history, as an item of the wire.
    pub fn order(self, n: u64) -> Vec<u8> {
        let members = u64::from(self.members);
        let (turn, place) = (n / members, n % members);
        // In each turn everyone buys once, in an order that differs from turn to turn; 7919 is prime.
        let member = (place * 7_919 + mixed(turn) % members) % members;
        let span = i128::from(self.days) * i128::from(DAY_US);
        let after = span * i128::from(n) / i128::from(self.orders_all());
        let time = self.begins().plus_us(i64::try_from(after).unwrap_or(0));
        item(&format!("h{n}"), member, time, mixed(n))
    }
}

/// The orders of one measured round: each of another member, drawn anew for every round.
pub fn round(number: u32, members: u32) -> Vec<Vec<u8>> {
    let mut drawn: Vec<u32> = (0..members).collect();
    let mut items = Vec::with_capacity(ROUND as usize);
    for i in 0..ROUND.min(members) {
        let chance = mixed(u64::from(number) << 32 | u64::from(i));
        let other = i + (chance % u64::from(members - i)) as u32;
        drawn.swap(i as usize, other as usize);
        let seconds = i64::from(number) * i64::from(ROUND) + i64::from(i);
        let time = ROUNDS_BEGIN.plus_us(seconds * 100_000);
        items.push(item(&format!("r{number}-{i}"), u64::from(drawn[i as usize]), time, chance));
    }
    items
}

/// What order `n` of a busy day is called.
pub fn live_id(n: u64) -> String {
    format!("l{n}")
}

/// Order `n` of a busy day, and of which member, drawn anew each time.
pub fn live(n: u64, members: u32) -> (u64, Vec<u8>) {
    let chance = mixed(n ^ 0x6c69_7665);
    let time = ROUNDS_BEGIN.plus_us(i64::try_from(n).unwrap_or(0).saturating_mul(50_000));
    let member = chance % u64::from(members);
    (member, item(&live_id(n), member, time, mixed(chance)))
}

/// What a member is called, as user.
pub fn member(n: u64) -> String {
    format!("c{n}")
}

/// An order of a member. They have a letter, because a name of zeros only is nobody's.
fn item(id: &str, member: u64, time: Ts, chance: u64) -> Vec<u8> {
    let mut products = String::with_capacity(256);
    let mut cents = 0;
    for n in 0..=chance % 3 {
        let at = (chance >> (8 * n + 8)) % SHELF.len() as u64;
        let (category, price) = SHELF[at as usize];
        let quantity = 1 + (chance >> (8 * n + 32)) % 2;
        cents += price * quantity;
        let comma = if n == 0 { "" } else { "," };
        put(
            &mut products,
            format_args!(
                "{comma}{{\"product_id\":\"p{at}\",\"category\":\"{category}\",\"quantity\":{quantity},\
                 \"price\":\"{}.{:02}\"}}",
                price / 100,
                price % 100
            ),
        );
    }
    let mut out = String::with_capacity(320 + products.len());
    put(
        &mut out,
        format_args!(
            "{{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"{}\",\"messageId\":\"{id}\",\
             \"timestamp\":\"{time}\",\"properties\":{{\"order_id\":\"{id}\",\"store_id\":\"{}\",\
             \"currency\":\"CNY\",\"total\":\"{}.{:02}\",\"products\":[{products}]}}}}",
            self::member(member),
            1 + member % 20,
            cents / 100,
            cents % 100
        ),
    );
    out.into_bytes()
}

/// Writing to a text cannot fail.
fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(what);
    debug_assert!(written.is_ok());
}

/// SplitMix64's mixing: a seed for every number, the same everywhere.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
