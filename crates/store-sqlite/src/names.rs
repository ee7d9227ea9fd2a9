//! Who bears which names: what the door asks of them, and what it writes.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::read::GivenUp;
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::hands::must_be_anew;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::settle::{Bears, Fate, Reason, Register, Settled};
use zhiyin_store::{NewEvent, Result, StoreError};

use crate::load::{self, timeline};
use crate::persons;
use crate::rows::{all, called, damaged, database, id, id_or_none};
use crate::write::{IDENTIFIER_NEW, prepare, run};

pub(crate) const SEEN: &str = "SELECT max(i.since, coalesce(s.seen, i.since)) FROM identifier i \
    LEFT JOIN identifier_seen s ON s.hash = i.hash WHERE i.hash = ?";
pub(crate) const BEARS: &str = "SELECT i.namespace, i.since, max(i.since, coalesce(s.seen, i.since)) FROM identifier i \
    LEFT JOIN identifier_seen s ON s.hash = i.hash WHERE substr(i.member, 1, 3) = substr(?1, 1, 3) AND i.member = ?1";
pub(crate) const BORNE: &str = "SELECT i.member, max(i.since, coalesce(s.seen, i.since)) FROM identifier i \
    LEFT JOIN identifier_seen s ON s.hash = i.hash WHERE i.hash = ?";
pub(crate) const SEEN_SET: &str = "INSERT INTO identifier_seen (hash, seen, hands) VALUES (?, ?, ?) \
    ON CONFLICT (hash) DO UPDATE SET seen = max(seen, excluded.seen), hands = hands + excluded.hands";
pub(crate) const HANDS: &str = "SELECT hands FROM identifier_seen WHERE hash = ?";
pub(crate) const TAKEN_OVER: &str =
    "UPDATE identifier SET member = ?2, since = ?3, value = ?4 WHERE hash = ?1";
/// In how many hands a name was is known for good: so what is sealed for one is never under the key of another.
pub(crate) const SEEN_GONE: &str = "DELETE FROM identifier_seen WHERE hands = 0 AND hash IN (SELECT hash FROM identifier \
    WHERE substr(member, 1, 3) = substr(?1, 1, 3) AND member = ?1)";
pub(crate) const GIVEN_UP_NEW: &str = "INSERT INTO given_up (seq, no, namespace, reason) VALUES (?, ?, ?, ?)";
pub(crate) const GIVEN_UP: &str = "SELECT g.seq, s.name, COALESCE(e.called, e.message_id), e.time, coalesce(a.root, e.member), g.namespace, \
    g.reason FROM given_up g CROSS JOIN event e ON e.seq = g.seq CROSS JOIN source s ON s.no = e.source \
    LEFT JOIN alias a ON a.member = e.member ORDER BY g.seq DESC, g.no LIMIT ?";
pub(crate) const GIVEN_UP_GONE: &str = "DELETE FROM given_up WHERE (seq, no) IN \
    (SELECT seq, no FROM given_up WHERE seq < ? ORDER BY seq, no LIMIT ?)";
pub(crate) const GIVEN_UP_OF: &str = concat!(
    timeline!(),
    "SELECT e.time, g.namespace, g.reason FROM t CROSS JOIN given_up g ON g.seq = t.seq \
     CROSS JOIN event e ON e.seq = t.seq ORDER BY e.time DESC, g.seq DESC, g.no LIMIT 20"
);

/// The names of a home, as they are within a transaction.
pub(crate) struct Names<'c>(pub(crate) &'c Connection);

impl Register for Names<'_> {
    type Error = StoreError;

    fn whose(&mut self, hash: &LookupHash) -> Result<Option<MemberId>> {
        let mut find = prepare(self.0, load::BY_IDENTIFIER)?;
        find.query_row([hash.as_slice()], |row| id(row, 0)).optional().map_err(database)
    }

    fn seen(&mut self, hash: &LookupHash) -> Result<Ts> {
        prepare(self.0, SEEN)?.query_row([hash.as_slice()], |row| row.get(0).map(Ts)).map_err(database)
    }

    fn bears(&mut self, member: MemberId) -> Result<Vec<Bears>> {
        all(self.0, BEARS, [member.bytes().as_slice()], |row| {
            Ok(Bears { namespace: row.get(0)?, since: Ts(row.get(1)?), seen: Ts(row.get(2)?) })
        })
    }

    fn apart(&mut self, one: MemberId, other: MemberId) -> Result<bool> {
        persons::apart(self.0, one, other)
    }
}

/// Writes what became of an item's names; how many were given up. `lasts` says of a namespace whether its names are believed
/// for a time only.
pub(crate) fn settled(
    c: &Connection,
    (seq, event): (i64, &NewEvent),
    (settled, member): (&Settled, MemberId),
    lasts: impl Fn(&str) -> bool,
) -> Result<u8> {
    let mut given_up = 0;
    for (named, fate) in event.names.iter().zip(&settled.fates) {
        let hash = named.hash.as_slice();
        match fate {
            Fate::Borne => {}
            Fate::Attached => attach(c, named, member, event.time)?,
            Fate::TakenOver => {
                run(
                    &mut prepare(c, TAKEN_OVER)?,
                    params![hash, member.bytes().as_slice(), event.time.0, named.value.0],
                )
                .map(drop)?;
            }
            Fate::GivenUp(reason) => {
                let values = params![seq, given_up, named.namespace, reason.code()];
                run(&mut prepare(c, GIVEN_UP_NEW)?, values)?;
                given_up += 1;
                continue;
            }
        }
        if lasts(&named.namespace) {
            run(&mut prepare(c, SEEN_SET)?, params![hash, event.time.0, *fate == Fate::TakenOver])?;
        }
    }
    Ok(given_up)
}

/// An item as it must be sealed by what became of its names; `None` where it is already. In how many hands a name was counts
/// for good, also where the playbook no longer says that it ends.
pub(crate) fn sealed_anew(
    c: &Connection,
    vault: &Vault,
    (event, fates): (&NewEvent, &[Fate]),
) -> Result<Option<NewEvent>> {
    if !vault.is_sealed() {
        return Ok(None);
    }
    let names = event.names.iter().chain(event.reach.as_ref().map(|reach| &reach.named));
    let hands = names.enumerate().map(|(n, named)| {
        let before = prepare(c, HANDS)?.query_row([named.hash.as_slice()], |row| row.get::<_, u32>(0));
        let now = u32::from(fates.get(n) == Some(&Fate::TakenOver));
        Ok(before.optional().map_err(database)?.unwrap_or_default() + now)
    });
    let hands: Vec<u32> = hands.collect::<Result<_>>()?;
    if must_be_anew(fates, &hands) { vault.seal_anew(event, fates, &hands).map(Some) } else { Ok(None) }
}

/// A name that nobody bears is somebody's.
pub(crate) fn attach(c: &Connection, named: &zhiyin_store::Named, member: MemberId, since: Ts) -> Result<()> {
    let values =
        params![named.hash.as_slice(), named.namespace, named.value.0, member.bytes().as_slice(), since.0];
    run(&mut prepare(c, IDENTIFIER_NEW)?, values).map(drop)
}

/// Whose names are, and when each was seen last.
pub(crate) fn borne(c: &Connection, hashes: &[LookupHash]) -> Result<Vec<(LookupHash, MemberId, Ts)>> {
    let mut borne = prepare(c, BORNE)?;
    let mut found = Vec::new();
    for hash in hashes {
        let row = borne.query_row([hash.as_slice()], |row| Ok((*hash, id(row, 0)?, Ts(row.get(1)?))));
        found.extend(row.optional().map_err(database)?);
    }
    Ok(found)
}

fn reason(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Reason> {
    Reason::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no reason"))
}

/// Names that were given up, newest first.
pub(crate) fn given_up(c: &Connection, vault: &Vault, limit: usize) -> Result<Vec<GivenUp>> {
    all(c, GIVEN_UP, [limit as i64], |row| {
        Ok(GivenUp {
            seq: row.get(0)?,
            source: row.get(1)?,
            message_id: called(row, 2, vault)?,
            time: Ts(row.get(3)?),
            member: id_or_none(row, 4)?,
            namespace: row.get(5)?,
            reason: reason(row, 6)?,
        })
    })
}

/// The latest names that a member's events gave up.
pub(crate) fn given_up_of(c: &Connection, member: &[u8]) -> Result<Vec<(Ts, String, Reason)>> {
    all(c, GIVEN_UP_OF, [member], |row| Ok((Ts(row.get(0)?), row.get(1)?, reason(row, 2)?)))
}
