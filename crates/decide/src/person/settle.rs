//! What lots one side has when two people part: so much that lots and debt make up what its own events come to.

use std::collections::BTreeMap;

use zhiyin_model::effect::Lot;
use zhiyin_model::id::TransferId;
use zhiyin_model::time::Ts;

/// The lots of one side, settled.
pub(super) struct Settled {
    /// All of them, with what they have left now.
    pub(super) lots: Vec<Lot>,
    /// What was taken from (below zero: put back into) which lot.
    pub(super) taken: Vec<(TransferId, i64)>,
    /// What its lots cannot cover.
    pub(super) debt: i64,
    /// What none of its lots can hold any more: wants a lot of its own.
    pub(super) homeless: i64,
}

impl Settled {
    /// What its lots have left, that without a lot included.
    pub(super) fn total(&self) -> i64 {
        self.lots.iter().map(|lot| lot.remaining).sum::<i64>() + self.homeless
    }
}

/// Settles lots to a balance. What is too much is taken in spending order. What is missing is put back, the lot that expires
/// last first: at first what the other side took from it (`crossed`), then what was taken at all; never into what has
/// expired.
pub(super) fn settle(
    mut lots: Vec<Lot>,
    balance: i64,
    crossed: &BTreeMap<TransferId, i64>,
    at: Ts,
) -> Settled {
    lots.sort_by_key(Lot::spending_key);
    let wanted = balance.max(0);
    let before: Vec<i64> = lots.iter().map(|lot| lot.remaining).collect();
    let mut excess = before.iter().sum::<i64>() - wanted;
    for lot in &mut lots {
        let takes = excess.clamp(0, lot.remaining.max(0));
        lot.remaining -= takes;
        excess -= takes;
    }
    let mut missing = (-excess).max(0);
    for only_crossed in [true, false] {
        for lot in lots.iter_mut().rev().filter(|lot| lot.expires_at > at) {
            let room = lot.granted - lot.remaining;
            let room = if only_crossed { room.min(crossed.get(&lot.id).copied().unwrap_or(0)) } else { room };
            let puts = missing.clamp(0, room.max(0));
            lot.remaining += puts;
            missing -= puts;
        }
    }
    let changes = lots.iter().zip(&before).map(|(lot, before)| (lot.id, before - lot.remaining));
    let taken = changes.filter(|(_, taken)| *taken != 0).collect();
    Settled { lots, taken, debt: (-balance).max(0), homeless: missing }
}

#[cfg(test)]
mod tests {
    use zhiyin_model::effect::Asset;
    use zhiyin_model::id::MemberId;

    use super::*;

    fn lot(n: u8, granted: i64, remaining: i64, expires: i64) -> Lot {
        Lot {
            id: TransferId::from_bytes([n; 16]),
            member: MemberId::from_bytes([0; 16]),
            asset: Asset::Points,
            granted,
            remaining,
            active_at: Ts(0),
            expires_at: Ts(expires),
            active: true,
        }
    }

    #[test]
    fn a_side_has_what_its_own_events_come_to() {
        // (lots as granted, left, expiry; what the other took of the first; balance) -> what is left, debt, homeless
        type Row = (Vec<(i64, i64, i64)>, i64, i64, Vec<i64>, i64, i64);
        let rows: Vec<Row> = vec![
            (vec![(100, 100, 50)], 0, 100, vec![100], 0, 0),
            (vec![(100, 40, 50)], 60, 100, vec![100], 0, 0),
            (vec![(100, 100, 50), (100, 100, 60)], 0, 150, vec![50, 100], 0, 0),
            (vec![(100, 30, 50)], 0, -20, vec![0], 20, 0),
            (vec![(100, 30, 50), (100, 90, 60)], 70, 200, vec![100, 100], 0, 0),
            // What has expired takes nothing back.
            (vec![(100, 0, 5)], 100, 80, vec![0], 0, 80),
            (vec![], 0, 10, vec![], 0, 10),
        ];
        for (given, took, balance, left, debt, homeless) in rows {
            let lots: Vec<Lot> =
                given.iter().enumerate().map(|(n, (g, r, e))| lot(n as u8, *g, *r, *e)).collect();
            let crossed = BTreeMap::from([(TransferId::from_bytes([0; 16]), took)]);
            let settled = settle(lots, balance, &crossed, Ts(10));
            let found: Vec<i64> = settled.lots.iter().map(|lot| lot.remaining).collect();
            assert_eq!(
                (found, settled.debt, settled.homeless),
                (left, debt, homeless),
                "{given:?} {balance}"
            );
            assert_eq!(settled.total() - settled.debt, balance);
        }
    }
}
