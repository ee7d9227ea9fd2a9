//! What lies in a member's row as bytes, because it is read and written with every event and never searched: packed
//! as MessagePack, equal values as equal bytes.

use std::collections::BTreeMap;

use zhiyin_model::membership::Memberships;
use zhiyin_model::personal::Personal;
use zhiyin_model::time::{Day, Ts};

use crate::seal::{self, Sealed};
use crate::{Result, StoreError};

/// What somebody told of themselves, sealed; nothing of those who told nothing.
pub fn pack_personal(personal: &Personal) -> Result<Option<Vec<u8>>> {
    if personal.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(personal).map_err(|error| StoreError::Damaged(error.to_string()))?;
    Ok(Some(seal::seal(&text).0))
}

/// Reads what [`pack_personal`] wrote.
pub fn unpack_personal(sealed: Option<Vec<u8>>) -> Result<Personal> {
    let Some(sealed) = sealed else { return Ok(Personal::default()) };
    let text = seal::open(&Sealed(sealed))?;
    serde_json::from_str(&text).map_err(|error| StoreError::Damaged(format!("what a member told: {error}")))
}

/// What stands in place of a member's memberships once they are erased; stores write it as a literal.
pub const CLOSED: &[u8] = &[0xc0];

/// In which standing audiences a member is: those they are in with since when, then what held when each was last judged; nothing
/// where no audience stands.
pub fn pack_memberships(memberships: &Memberships) -> Result<Option<Vec<u8>>> {
    if memberships.is_empty() {
        return Ok(None);
    }
    if memberships.closed {
        return Ok(Some(CLOSED.to_vec()));
    }
    let since: BTreeMap<&str, i64> =
        memberships.since.iter().map(|(audience, since)| (audience.as_str(), since.0)).collect();
    let packed = rmp_serde::to_vec(&(since, &memberships.judged));
    packed.map(Some).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_memberships`] wrote.
pub fn unpack_memberships(bytes: Option<&[u8]>) -> Result<Memberships> {
    let Some(bytes) = bytes else { return Ok(Memberships::default()) };
    if bytes == CLOSED {
        return Ok(Memberships { closed: true, ..Memberships::default() });
    }
    let damaged = |_| StoreError::Damaged("the audiences of a member".to_owned());
    let (since, judged): (BTreeMap<String, i64>, _) = rmp_serde::from_slice(bytes).map_err(damaged)?;
    let since = since.into_iter().map(|(audience, since)| (audience, Ts(since))).collect();
    Ok(Memberships { since, judged, closed: false })
}

/// Memberships as the digest says them: in which audiences, and since when. What was judged is no state of its own.
pub fn memberships_said(memberships: &Memberships) -> String {
    let said = memberships.since.iter().map(|(audience, since)| format!("{audience}={}", since.0));
    said.collect::<Vec<_>>().join("&")
}

/// Growth by day: the days since the entry before, then the amount, and so on.
pub fn pack_days(days: &[(Day, i64)]) -> Result<Vec<u8>> {
    let mut before = 0;
    let mut flat: Vec<i64> = Vec::with_capacity(2 * days.len());
    for (day, amount) in days {
        flat.extend([i64::from(day.0) - before, *amount]);
        before = i64::from(day.0);
    }
    rmp_serde::to_vec(&flat).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_days`] wrote.
pub fn unpack_days(bytes: &[u8]) -> Result<Vec<(Day, i64)>> {
    let damaged = || StoreError::Damaged("growth by day".to_owned());
    let flat: Vec<i64> = rmp_serde::from_slice(bytes).map_err(|_| damaged())?;
    let mut day = 0i64;
    let (pairs, rest) = flat.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    pairs
        .iter()
        .map(|[passed, amount]| {
            day = day.checked_add(*passed).ok_or_else(damaged)?;
            Ok((Day(i32::try_from(day).map_err(|_| damaged())?), *amount))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memberships_are_read_as_they_were_written_and_damage_says_so() {
        let since = BTreeMap::from([("evening".to_owned(), Ts(-5)), ("gone quiet".to_owned(), Ts(i64::MAX))]);
        let judged = BTreeMap::from([(0, u64::MAX), (u32::MAX, 0)]);
        for memberships in [
            Memberships::default(),
            Memberships { since: since.clone(), ..Memberships::default() },
            Memberships { judged: judged.clone(), ..Memberships::default() },
            Memberships { since, judged, closed: false },
            Memberships { closed: true, ..Memberships::default() },
        ] {
            let packed = pack_memberships(&memberships).unwrap();
            assert_eq!(packed.is_none(), memberships.is_empty());
            assert_eq!(unpack_memberships(packed.as_deref()).unwrap(), memberships);
        }
        for bytes in [&[][..], &[0xc1], &[0x92, 0x80], &[0x92, 0x81, 0xa1, 0x61, 0xa1, 0x61, 0x80]] {
            assert!(matches!(unpack_memberships(Some(bytes)), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }

    #[test]
    fn days_are_read_as_they_were_written_and_damage_says_so() {
        for days in
            [vec![], vec![(Day(-3), 1)], vec![(Day(17_169), 580), (Day(17_171), -2), (Day(20_000), i64::MAX)]]
        {
            assert_eq!(unpack_days(&pack_days(&days).unwrap()).unwrap(), days);
        }
        for bytes in [&[][..], &[0x91, 1], &[0xc1], &[0x92, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255, 1]]
        {
            assert!(matches!(unpack_days(bytes), Err(StoreError::Damaged(_))), "{bytes:?}");
        }
    }
}
