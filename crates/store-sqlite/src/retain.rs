//! Letting go of what events said.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::{LetGo, Result};

use crate::rows::{self, all};
use crate::write::{FEED_NEW, prepare, run};

/// Items that were decided and have their bodies, in the order of their places.
pub(crate) const TOLD: &str = "SELECT e.seq, e.name, e.time, \
    (SELECT m.id FROM timeline l CROSS JOIN member m ON m.no = l.member WHERE l.seq = e.seq) FROM event e WHERE e.seq > ? AND e.derived = 0 \
    AND length(e.body) > 1 AND EXISTS (SELECT 1 FROM timeline l WHERE l.seq = e.seq) ORDER BY e.seq LIMIT ?";
pub(crate) const LET_GO: &str = "UPDATE event SET body = x'03' WHERE seq = ?";

pub(crate) fn let_go(
    c: &Connection,
    before: &BTreeMap<String, Ts>,
    after: i64,
    limit: usize,
) -> Result<LetGo> {
    let at_most = i64::try_from(limit).unwrap_or(i64::MAX);
    let told = all(c, TOLD, params![after, at_most], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, Ts(row.get(2)?), rows::id_or_none(row, 3)?))
    })?;
    let mut set = prepare(c, LET_GO)?;
    let after = told.last().filter(|_| told.len() == limit).map(|(seq, ..)| *seq);
    let mut gone = BTreeMap::new();
    let mut touched: BTreeSet<MemberId> = BTreeSet::new();
    for (seq, name, time, member) in told {
        if before.get(&name).is_some_and(|before| time < *before) {
            run(&mut set, [seq])?;
            *gone.entry(name).or_default() += 1;
            touched.extend(member);
        }
    }
    // Whoever keeps a picture of them lets go of it too.
    if !touched.is_empty() {
        let members: Vec<u8> = touched.iter().flat_map(|member| *member.bytes()).collect();
        run(&mut prepare(c, FEED_NEW)?, params![members, [0u8; 0].as_slice()])?;
    }
    Ok(LetGo { gone, after })
}
