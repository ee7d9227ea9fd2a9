//! Letting go of what events and messages said, once the playbook's time for them is over; and of which names were given up.
//!
//! The event stays in the member's timeline with its name and time; what it said is gone, as if it had been erased: aggregates that
//! are built anew do not have it, and where a member is parted it stays with who stays.

use std::collections::BTreeMap;

use zhiyin_model::playbook::campaign::{MESSAGE_ROWS, MESSAGE_TEXTS};
use zhiyin_model::time::{DAY_US, Ts};
use zhiyin_store::turn::place;

use crate::boxed;
use crate::{Engine, Result, clock};

/// Items that are looked at in one transaction.
const AT_ONCE: usize = 5_000;
/// For how many days after an item came in it is told which of its names were given up; to the end of the month.
pub const GIVEN_UP_DAYS: i64 = 400;

/// What was let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Events that say nothing any more, by name.
    pub events: BTreeMap<String, u64>,
    /// Messages that say nothing any more.
    pub texts: u64,
    /// Messages of which nothing is kept any more.
    pub messages: u64,
    /// Names of which nobody knows any more that they were given up.
    pub given_up: u64,
}

impl Engine {
    /// Lets go of all whose time is over by business now. It may be broken off and begun again.
    #[boxed]
    pub async fn retain(&self) -> Result<Retained> {
        let live = self.live()?;
        let now = clock::now(&self.home().await?);
        let cutoff = |(name, days): (&String, &u16)| (name.clone(), now.plus_us(-i64::from(*days) * DAY_US));
        let before: BTreeMap<String, Ts> = live.playbook.retention.iter().map(cutoff).collect();
        let mut gone = Retained::default();
        let mut after = (!before.is_empty()).then_some(i64::MIN);
        while let Some(place) = after {
            let part = self.store().let_go(before.clone(), place, AT_ONCE).await?;
            for (name, n) in part.gone {
                *gone.events.entry(name).or_default() += n;
            }
            after = part.after;
        }
        (gone.texts, gone.messages) = self.retain_messages(&live.playbook.retention, now).await?;
        let month = place::month(now.plus_us(-GIVEN_UP_DAYS * DAY_US));
        loop {
            let n = self.store().forget_given_up(month * place::OF_A_MONTH, AT_ONCE).await?;
            gone.given_up += n;
            if n < AT_ONCE as u64 {
                return Ok(gone);
            }
        }
    }

    /// Lets go of what was said to members: of texts, then of rows. What counts of them lies elsewhere and stays.
    async fn retain_messages(&self, kept: &BTreeMap<String, u16>, now: Ts) -> Result<(u64, u64)> {
        let before = |name: &str| kept.get(name).map(|days| now.plus_us(-i64::from(*days) * DAY_US));
        // A row goes with its text.
        let rows = before(MESSAGE_ROWS);
        let Some(texts) = before(MESSAGE_TEXTS).or(rows) else { return Ok((0, 0)) };
        let (mut n_texts, mut n_rows) = (0, 0);
        loop {
            let campaigns = self.store().coupons().campaigns();
            let part = campaigns.let_go_of_notes(texts, rows.unwrap_or(Ts::MIN), AT_ONCE).await?;
            n_texts += part.texts;
            n_rows += part.rows;
            if part.texts.max(part.rows) < AT_ONCE as u64 {
                return Ok((n_texts, n_rows));
            }
        }
    }
}
