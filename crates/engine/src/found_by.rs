//! Building the index anew by which members are found: for homes of a time before there was one, and of which a program of
//! before changed names since.

use zhiyin_decide::naming::FoundBy;
use zhiyin_model::id::MemberId;
use zhiyin_store::reading::{self, Which};

use crate::{Engine, Result};

/// How many members are read and written at once.
const AT_ONCE: usize = 500;
/// How often those are tried again for whom something was decided meanwhile.
const ATTEMPTS_MAX: usize = 8;

/// What building the index came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Members who were looked at.
    pub members: u64,
    /// Of these, how many are found by anything.
    pub found: u64,
    /// How many something was decided for again and again: their next change of name, or the next run, writes them.
    pub left: u64,
}

impl Engine {
    /// Builds the index anew while everybody works on: part by part, each in a transaction of its own. Broken off, it is run
    /// again from the beginning.
    pub async fn build_found_by(&self, mut seen: impl FnMut(Indexed)) -> Result<Indexed> {
        let key = self.home().await?.id_key;
        let reading = self.store().reading();
        let (mut indexed, mut after) = (Indexed::default(), None);
        loop {
            let part = reading.list(Which::default(), after, AT_ONCE).await?;
            let mut left: Vec<MemberId> = part.members.iter().map(|(_, id)| *id).collect();
            indexed.members += left.len() as u64;
            for attempt in 1.. {
                if left.is_empty() || attempt > ATTEMPTS_MAX {
                    break;
                }
                let mut found = Vec::new();
                for member in reading.members(left.clone()).await? {
                    let by = FoundBy::of(&member);
                    let keys = by.keys(&key);
                    found.push((reading::FoundBy { member: member.id, keys }, member.decided_until));
                }
                let n = found.len();
                let named = found.iter().filter(|(one, _)| !one.keys.is_empty()).count();
                if reading.put_found_by(found).await? == n {
                    indexed.found += named as u64;
                    left.clear();
                }
            }
            indexed.left += left.len() as u64;
            seen(indexed);
            let Some(next) = part.next else { return Ok(indexed) };
            after = Some(next);
        }
    }
}
