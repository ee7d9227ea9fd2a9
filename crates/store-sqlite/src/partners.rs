//! What passed between the brand and its partners, in numbers.

use std::collections::BTreeMap;

use rusqlite::Connection;
use zhiyin_model::effect::PartnerDeed;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::partner::{Counting, PartnerSums};

use crate::digest::ALIASES;
use crate::report::orders_then;
use crate::rows::{all, damaged, id};

pub(crate) const MOVES: &str = "SELECT partner, member, deed, MIN(at), COUNT(*) FROM partner_move WHERE at <= ? GROUP BY partner, member, deed";
/// Orders that counted at an instant, of members whom a partner brought, whoever they are by now.
pub(crate) const ORDERS: &str = concat!(
    "SELECT member, time, paid - refunded FROM (",
    orders_then!(),
    ") WHERE counts AND member IN (SELECT COALESCE(a.root, p.member) FROM partner_move p \
     LEFT JOIN alias a ON a.member = p.member WHERE p.deed = 0)"
);

pub(crate) fn sums(c: &Connection, at: Ts) -> Result<BTreeMap<String, PartnerSums>> {
    let roots = all(c, ALIASES, [], |row| Ok((id(row, 0)?, id(row, 1)?)))?;
    let mut counting = Counting::new(roots.into_iter().collect());
    for (partner, member, deed, first, times) in all(c, MOVES, [at.0], |row| {
        let deed = PartnerDeed::from_code(row.get(2)?).ok_or_else(|| damaged(2, "nothing that passes"))?;
        Ok((row.get::<_, String>(0)?, id(row, 1)?, deed, Ts(row.get(3)?), row.get(4)?))
    })? {
        counting.passed(&partner, member, deed, (first, times));
    }
    for (member, time, paid) in all(c, ORDERS, [at.0], |row| Ok((id(row, 0)?, Ts(row.get(1)?), row.get(2)?)))?
    {
        counting.order(member, time, paid);
    }
    Ok(counting.sums())
}
