//! What we know of one member: the state a decision reads and changes. Its size is bounded by windows and
//! by the playbook, never by how long the history is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coupon::Holdings;
use crate::effect::{Asset, TimerKey};
use crate::id::MemberId;
use crate::membership::Memberships;
use crate::personal::Personal;
use crate::run::Runs;
use crate::scalar::Scalar;
use crate::time::{Day, Ts};

/// One person we know, enrolled or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Derived from the event that brought them.
    pub id: MemberId,
    /// When we first heard of them.
    pub known_since: Ts,
    /// When they enrolled.
    pub enrolled_at: Option<Ts>,
    /// Business time up to which something was decided for them: what comes in late is decided no earlier.
    pub decided_until: Ts,
    /// What we know about them.
    pub attributes: BTreeMap<String, Scalar>,
    /// When each of these was last told: what arrives late does not overwrite what is newer.
    pub told_at: BTreeMap<String, Ts>,
    /// First and last touchpoint (C1).
    pub touches: Touches,
    /// Their accounts in the ledger.
    pub accounts: BTreeMap<Asset, Account>,
    /// Growth by the day of its order, as far back as tiers look; sorted, no zeros.
    pub growth_days: Vec<(Day, i64)>,
    /// The running term; `None` until enrolled.
    pub term: Option<Term>,
    /// The lifecycle stage and since when; `None` until first judged.
    pub stage: Option<StageHeld>,
    /// Tags that hold now.
    pub tags: BTreeMap<String, TagHeld>,
    /// Standing audiences they are in now.
    pub audiences: Memberships,
    /// Coupons they hold, and how often offers were theirs.
    pub holdings: Holdings,
    /// Where they stand in campaigns.
    pub runs: Runs,
    /// Open timers.
    pub timers: BTreeMap<TimerKey, Ts>,
    /// What they consent to, and whom they care for.
    pub personal: Personal,
}

/// First and last touchpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touches {
    /// The earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Touch>,
    /// The latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Touch>,
    /// Store of the latest touch that had one: what conditions call `store`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<(Ts, String)>,
    /// Up to which instant an old system kept their books, if they were taken over from one: what they did before is in what
    /// it handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<Ts>,
}

/// A coded place where we met, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touch {
    /// When.
    pub at: Ts,
    /// Touchpoint code; `store/330` where the source names only a store.
    pub code: String,
}

impl Touches {
    /// Takes note of a touch, wherever in time it lies. At equal times the one heard of later is the last.
    pub fn note(&mut self, touch: Touch) {
        if self.first.as_ref().is_none_or(|first| touch.at < first.at) {
            self.first = Some(touch.clone());
        }
        if self.last.as_ref().is_none_or(|last| touch.at >= last.at) {
            self.last = Some(touch);
        }
    }

    /// Takes note of a store.
    pub fn note_store(&mut self, at: Ts, store: &str) {
        if self.store.as_ref().is_none_or(|(last, _)| at >= *last) {
            self.store = Some((at, store.to_owned()));
        }
    }
}

/// A member's account in one asset. `balance = active + pending − debt`, and active + pending is the sum of
/// what remains of its lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What can be spent.
    pub active: i64,
    /// Earned, not yet spendable.
    pub pending: i64,
    /// Part of what is active, promised to open holds.
    pub held: i64,
    /// Owed: taken back after it was spent.
    pub debt: i64,
}

impl Account {
    /// What the journal sums to.
    pub const fn balance(&self) -> i64 {
        self.active + self.pending - self.debt
    }

    /// What a member is shown and may spend: never below zero.
    pub fn shown(&self) -> i64 {
        (self.active - self.debt - self.held).max(0)
    }
}

/// A term of a tier: from an instant to 00:00 of a day, when it is judged again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term {
    /// Tier level.
    pub level: String,
    /// Since when this term runs.
    pub from: Ts,
    /// The day at whose 00:00 it ends.
    pub ends: Day,
}

/// A lifecycle stage and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageHeld {
    /// Stage id.
    pub stage: String,
    /// Since when.
    pub since: Ts,
}

/// A tag that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagHeld {
    /// Since when.
    pub since: Ts,
    /// True when a rule put it on (and may take it off again).
    pub by_rule: bool,
}

impl Member {
    /// Someone we have just heard of.
    pub fn new(id: MemberId, known_since: Ts) -> Self {
        Self {
            id,
            known_since,
            enrolled_at: None,
            decided_until: Ts::MIN,
            attributes: BTreeMap::new(),
            told_at: BTreeMap::new(),
            touches: Touches::default(),
            accounts: BTreeMap::new(),
            growth_days: Vec::new(),
            term: None,
            stage: None,
            tags: BTreeMap::new(),
            audiences: Memberships::default(),
            holdings: Holdings::default(),
            runs: Runs::default(),
            timers: BTreeMap::new(),
            personal: Personal::default(),
        }
    }

    /// Their account in an asset; empty if they have none.
    pub fn account(&self, asset: Asset) -> Account {
        self.accounts.get(&asset).copied().unwrap_or_default()
    }

    /// g(t): growth of orders dated 0 to `over_days` days before `today`.
    pub fn growth_within(&self, today: Day, over_days: i32) -> i64 {
        self.growth_days
            .iter()
            .filter(|(day, _)| *day <= today && today.0 - day.0 <= over_days)
            .map(|(_, amount)| amount)
            .sum()
    }

    /// Books growth on its order's day, and forgets days that no judgement after `today` can see.
    pub fn book_growth(&mut self, day: Day, amount: i64, today: Day, over_days: i32) {
        match self.growth_days.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(i) => {
                self.growth_days[i].1 += amount;
                if self.growth_days[i].1 == 0 {
                    self.growth_days.remove(i);
                }
            }
            Err(i) if amount != 0 => self.growth_days.insert(i, (day, amount)),
            Err(_) => {}
        }
        let gone = self.growth_days.iter().take_while(|(day, _)| today.0 - day.0 > over_days).count();
        self.growth_days.drain(..gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_growth_counts_365_days_back_and_today() {
        let mut member = Member::new(MemberId::from_bytes([0; 16]), Ts(0));
        let today = Day(1000);
        member.book_growth(Day(635), 10, today, 365);
        member.book_growth(Day(634), 100, today, 365);
        member.book_growth(Day(1000), 1, today, 365);
        member.book_growth(Day(1001), 7, today, 365);
        assert_eq!(member.growth_within(today, 365), 11);
        assert_eq!(member.growth_within(Day(1001), 365), 8);
    }
}
