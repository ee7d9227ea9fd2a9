//! Of which kind a channel is whose doors are here: who works on what came by it.

use zhiyin_reach::door::WELCOME;
use zhiyin_reach::platform::{NETWORKS, Network};
use zhiyin_reach::{shops, sms, wechat, wxpay};

/// A kind of channel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Staff know customers there: news is of contacts and groups, and customers are welcomed.
    Contacts(&'static Network),
    /// Somebody takes payments for the brand.
    Payments,
    /// Somebody sends short messages for the brand: receipts, and answers.
    Texts,
    /// People follow an account of the brand's, or open its app.
    Apps,
    /// Somebody sells for the brand: orders, refunds, customers.
    Shops,
}

/// The channels whose news is worked on, and their kinds.
fn all() -> impl Iterator<Item = (&'static str, Kind)> {
    let networks = NETWORKS.iter().map(|network| (network.channel, Kind::Contacts(network)));
    let others =
        [(sms::CHANNEL, Kind::Texts), (wechat::CHANNEL, Kind::Apps), (wxpay::CHANNEL, Kind::Payments)];
    networks.chain(others).chain(shops::CHANNELS.map(|channel| (channel, Kind::Shops)))
}

/// Those that bring something into a lane.
pub(super) fn of_lane(lane: &str) -> impl Iterator<Item = (&'static str, Kind)> {
    let welcomes = lane == WELCOME;
    all().filter(move |(_, kind)| !welcomes || matches!(kind, Kind::Contacts(_)))
}
