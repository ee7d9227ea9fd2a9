//! Letting go of what events said, once the playbook's time for them is over.
//!
//! The event stays in the member's timeline with its name and time; what it said is gone, as if it had been erased: aggregates that
//! are built anew do not have it, and where a member is parted it stays with who stays.

use std::collections::BTreeMap;

use zhiyin_model::time::{DAY_US, Ts};

use crate::{Engine, Result, clock};

/// Items that are looked at in one transaction.
const AT_ONCE: usize = 5_000;

impl Engine {
    /// Lets go of all whose time is over by business now; how many of each name. It may be broken off and begun again.
    pub async fn retain(&self) -> Result<BTreeMap<String, u64>> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let cutoff = |(name, days): (&String, &u16)| (name.clone(), now.plus_us(-i64::from(*days) * DAY_US));
        let before: BTreeMap<String, Ts> = live.playbook.retention.iter().map(cutoff).collect();
        let mut gone = BTreeMap::new();
        let mut after = (!before.is_empty()).then_some(i64::MIN);
        while let Some(place) = after {
            let part = self.store().let_go(before.clone(), place, AT_ONCE).await?;
            for (name, n) in part.gone {
                *gone.entry(name).or_default() += n;
            }
            after = part.after;
        }
        Ok(gone)
    }
}
