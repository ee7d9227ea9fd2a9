//! Shops: what they tell of orders, refunds and customers, and what they list where something got lost.
//!
//! One file a platform ([`shopify`], [`woocommerce`], [`youzan`]) and one for any other, whose fields a brand names ([`mapped`]): each says who
//! is believed and what it means, and is a door. What it means is the same whoever said it, and however: an order as it stands
//! ([`news`]), so that what is told late, twice or not at all and found in a list comes to one thing. [`settings`] is what a brand writes
//! of any shop, `sign` who speaks, `read` finds values in JSON by their paths, `alike` is what several tell alike, `ask` asks a shop, [`listed`] is what is asked of all of them.
//! Nothing here keeps anything, knows a home or reads a clock.

mod alike;
mod ask;
mod checkup;
pub mod listed;
pub mod mapped;
pub mod news;
mod read;
pub mod settings;
pub mod shopify;
pub mod sign;
pub mod woocommerce;
pub mod youzan;

pub use listed::{Listed, Page};
pub use news::{Came, Fault, ShopNews};

/// What channels of shops are called.
pub const CHANNELS: [&str; 4] = [mapped::CHANNEL, shopify::CHANNEL, woocommerce::CHANNEL, youzan::CHANNEL];
/// The largest body that a shop may bring, in bytes: a larger order is found in its list.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// An instant that no shop is older than, in seconds since 1970 UTC.
const FAR_PAST: i64 = 1_000_000_000;

/// An instant as shops are asked for it: RFC 3339 in UTC.
fn listed_time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// What a body comes to, or what is wrong with it.
fn tried(body: &[u8], read: impl FnOnce(&serde_json::Value) -> Result<Vec<Came>, Fault>) -> Vec<Came> {
    let said = serde_json::from_slice(body).map_err(|_| Fault::new("", "no_json"));
    said.and_then(|said| read(&said)).unwrap_or_else(|fault| vec![Came::unread(fault, body)])
}
