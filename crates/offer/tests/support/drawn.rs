//! Carts and offers that look drawn and are always the same: the hardest that the search is held to.

use std::fmt::Write;

use super::{Shop, cart};
use zhiyin_offer::Cart;

/// The lanes of these shops.
pub const LANES: &str = "lanes: { piece: { per: line }, second: { per: line }, order: { per: order }, coupon: { per: order } }\noffers:\n";

/// Numbers that look drawn and are always the same.
pub struct Drawn(u64);

impl Drawn {
    /// The next number, from one to another.
    pub fn next(&mut self, from: u64, to: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from + self.0 % (to - from + 1)
    }
}

/// Conditions in quotes, as YAML wants them.
pub fn quoted(keys: &str) -> String {
    let keys = keys.replace("of: category == ", "of: 'category == ");
    keys.replace("\", ", "\"', ").replace("\" }", "\"' }")
}

/// Twenty offers of all kinds and a cart of so many lines, in six categories, of 1 to 4 pieces at ¥1 to ¥99.99.
pub fn ordinary(seed: u64, n_lines: u32) -> (Shop, Cart) {
    let mut drawn = Drawn(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        drawn.next(0, 1);
    }
    let mut offers = LANES.to_owned();
    for i in 0..20 {
        let (c, d) = (drawn.next(0, 5), drawn.next(0, 5));
        let other = if d == c { (c + 1) % 6 } else { d };
        let keys = match drawn.next(0, 9) {
            0 => format!(
                "lane: piece, of: category == \"c{c}\", pieces: {}, pay: {}%",
                drawn.next(2, 4),
                drawn.next(60, 90)
            ),
            1 => format!(
                "lane: piece, of: category == \"c{c}\" || category == \"c{other}\", pieces: {}, price: {}",
                drawn.next(2, 4),
                drawn.next(40, 150)
            ),
            2 => format!("lane: piece, of: category == \"c{c}\", buy: {}, get: 1", drawn.next(1, 3)),
            3 => format!("lane: piece, of: category == \"c{c}\", pay: {}%", drawn.next(80, 95)),
            4 => format!("lane: piece, of: category == \"c{c}\", per: piece, off: {}", drawn.next(1, 9)),
            5 => format!(
                "lane: piece, bundle: [{{ of: category == \"c{c}\" }}, {{ of: category == \"c{other}\" }}], price: {}",
                drawn.next(20, 90)
            ),
            6 => format!("lane: order, spend: {}, off: {}", drawn.next(500, 5000), drawn.next(5, 300)),
            7 => format!("lane: order, every: {}, off: {}", drawn.next(100, 300), drawn.next(5, 40)),
            8 => format!(
                "lane: coupon, pay: {}%, spend: {}, at_most: 300",
                drawn.next(80, 95),
                drawn.next(100, 4000)
            ),
            _ => format!(
                "lane: coupon, of: category == \"c{c}\", spend: {}, off: {}",
                drawn.next(10, 900),
                drawn.next(5, 200)
            ),
        };
        let _ = writeln!(offers, "  o{i:02}: {{ {} }}", quoted(&keys));
    }
    let lines: Vec<String> = (0..n_lines)
        .map(|i| {
            let (category, pieces, price) = (drawn.next(0, 5), drawn.next(1, 4), drawn.next(100, 9_999));
            format!("p{i} c{category} {pieces} x {}.{:02}", price / 100, price % 100)
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    (Shop::offering(&offers), cart(&lines))
}
