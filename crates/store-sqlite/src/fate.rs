//! What became of one item of a source.

use rusqlite::{Connection, OptionalExtension, params};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::command::{Came, Fate};
use zhiyin_store::read::TransferLine;
use zhiyin_store::seal::vault::Vault;

use crate::report;
use crate::rows::{self, damaged, database, id};

pub(crate) const ITEM: &str = "SELECT e.seq, e.body_hash FROM event e JOIN source s ON s.no = e.source \
    WHERE s.name = ? AND e.message_id = ? AND e.derived < 2";
pub(crate) const REFUSED: &str = "SELECT code, field, message FROM dead_letter WHERE seq = ?";
pub(crate) const DECIDED: &str =
    "SELECT m.id FROM timeline t JOIN member m ON m.no = t.member WHERE t.seq = ?";
pub(crate) const BOOKED: &str =
    "SELECT at, asset, kind, amount, id FROM transfer WHERE event = ? ORDER BY ordinal";

pub(crate) fn fate(c: &Connection, vault: &Vault, source: &str, message_id: &str) -> Result<Option<Came>> {
    let prepare = |sql| c.prepare_cached(sql).map_err(database);
    let item = prepare(ITEM)?.query_row(params![source, message_id], |row| {
        let hash: Vec<u8> = row.get(1)?;
        let hash: [u8; 16] = hash.try_into().map_err(|_| damaged(1, "no hash of a body"))?;
        Ok((row.get::<_, i64>(0)?, hash))
    });
    let Some((seq, body_hash)) = item.optional().map_err(database)? else { return Ok(None) };
    let refused = prepare(REFUSED)?.query_row([seq], |row| {
        let (field, message) = vault.letter(row.get(1)?, row.get(2)?).map_err(rows::unopened)?;
        Ok(Fate::Refused { code: row.get(0)?, field, message })
    });
    if let Some(fate) = refused.optional().map_err(database)? {
        return Ok(Some(Came { body_hash, fate }));
    }
    let member = prepare(DECIDED)?.query_row([seq], |row| id(row, 0));
    let member: Option<MemberId> = member.optional().map_err(database)?;
    let fate = match member {
        None => Fate::Waits,
        Some(member) => Fate::Decided { member, transfers: booked(c, seq)? },
    };
    Ok(Some(Came { body_hash, fate }))
}

fn booked(c: &Connection, seq: i64) -> Result<Vec<TransferLine>> {
    rows::all(c, BOOKED, [seq], |row| {
        Ok(TransferLine {
            id: id(row, 4)?,
            at: Ts(row.get(0)?),
            asset: rows::asset(row, 1)?,
            kind: report::kind(row, 2)?,
            amount: row.get(3)?,
        })
    })
}
