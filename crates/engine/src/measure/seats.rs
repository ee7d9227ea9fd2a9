//! How many friends accounts on platforms have, as this process last measured it, and when it last looked at all of them.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use zhiyin_model::time::Ts;

use super::{CONTACTS, CONTACTS_FULLEST, PLATFORM_LOOKED, register};

type Named = Family<[(&'static str, String); 1], Gauge>;
type Looked = Family<[(&'static str, String); 2], Gauge>;

/// What this process measured.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    contacts: Named,
    fullest: Named,
    looked: Looked,
}

impl Seats {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, CONTACTS, self.contacts.clone());
        register(registry, CONTACTS_FULLEST, self.fullest.clone());
        register(registry, PLATFORM_LOOKED, self.looked.clone());
    }

    /// One of the brand's accounts has so many contacts, and of its staff the fullest is so full, in thousandths.
    pub(crate) fn measured(&self, account: &str, contacts: usize, fullest: u64) {
        let of = [("account", account.to_owned())];
        self.contacts.get_or_create(&of).set(i64::try_from(contacts).unwrap_or(i64::MAX));
        self.fullest.get_or_create(&of).set(i64::try_from(fullest).unwrap_or(i64::MAX));
    }

    /// All of an account was looked at, which began then.
    pub(crate) fn looked(&self, channel: &str, account: &str, began: Ts) {
        let of = [("channel", channel.to_owned()), ("account", account.to_owned())];
        self.looked.get_or_create(&of).set(began.0.div_euclid(1_000_000));
    }
}
