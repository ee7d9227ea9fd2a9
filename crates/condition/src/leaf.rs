//! leaves
use std::collections::BTreeSet;

use zhiyin_model::time::Zone;

use crate::condition::Condition;
use crate::state::LeafStates;

/// All history leaves of a playbook.
#[derive(Clone, Debug)]
pub struct Leaves {
    zone: Zone,
    currency_exponent: u32,
}

impl Leaves {
    /// Collects the leaves of conditions and binds each condition to them.
    pub fn collect<'c>(
        conditions: impl IntoIterator<Item = &'c mut Condition>,
        zone: Zone,
        currency_exponent: u32,
    ) -> Self {
        let _ = conditions.into_iter().count();
        Self {
            zone,
            currency_exponent,
        }
    }
    /// The states of a member without history.
    pub fn fresh(&self) -> LeafStates {
        LeafStates::default()
    }
    /// Names of the events that conditions count.
    pub fn events_used(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }
    /// Changes when states must be rebuilt.
    pub fn fingerprint(&self) -> [u8; 16] {
        [0; 16]
    }
    /// The zone of days.
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }
    /// Minor digits of the currency.
    pub const fn currency_exponent(&self) -> u32 {
        self.currency_exponent
    }
}
