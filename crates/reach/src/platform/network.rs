//! The networks on which staff know customers, by what they are called.

use crate::arrival::News;
use crate::wecom;

/// What something that came says: when, in seconds since 1970 UTC, where it says so, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notified {
    /// When it happened.
    pub at: Option<i64>,
    /// What it says, in its order.
    pub news: Vec<News>,
}

/// A network: what everybody who keeps or reads something of it has to know.
#[derive(Debug)]
pub struct Network {
    /// What the channel is called.
    pub channel: &'static str,
    /// How its customers are named: a namespace of a home.
    pub namespace: &'static str,
    /// Reads what its door kept of a piece of news; nothing, where it cannot be read.
    pub read: fn(&str) -> Option<Notified>,
}

/// Those that are known. What a home keeps of an account says of which it is by its channel.
pub static NETWORKS: [Network; 1] =
    [Network { channel: wecom::CHANNEL, namespace: wecom::NAMESPACE, read: wecom::callback::said }];

impl Network {
    /// The one that a home's accounts are on, as long as there is one.
    pub fn usual() -> &'static Self {
        let [usual] = &NETWORKS;
        usual
    }

    /// The one of a channel.
    pub fn of(channel: &str) -> Option<&'static Self> {
        NETWORKS.iter().find(|network| network.channel == channel)
    }
}
