//! How many friends accounts on platforms have, as this process last measured it.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{CONTACTS, CONTACTS_FULLEST, register};

type Named = Family<[(&'static str, String); 1], Gauge>;

/// What this process measured.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    contacts: Named,
    fullest: Named,
}

impl Seats {
    pub(super) fn register(&self, registry: &mut Registry) {
        register(registry, CONTACTS, self.contacts.clone());
        register(registry, CONTACTS_FULLEST, self.fullest.clone());
    }

    /// One of the brand's accounts has so many contacts, and of its staff the fullest is so full, in thousandths.
    pub(crate) fn measured(&self, account: &str, contacts: usize, fullest: u64) {
        let of = [("account", account.to_owned())];
        self.contacts.get_or_create(&of).set(i64::try_from(contacts).unwrap_or(i64::MAX));
        self.fullest.get_or_create(&of).set(i64::try_from(fullest).unwrap_or(i64::MAX));
    }
}
