//! Who bears which names, and which were given up, for whoever asks outside of the door.

use tokio_postgres::Row;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::read::GivenUp;
use zhiyin_store::seal::LookupHash;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::settle::Reason;

use crate::connection::Connections;
use crate::load::timeline;
use crate::rows::{Uuid, damaged, get, id, id_or_none};

pub(crate) const BORNE: &str = "SELECT i.hash, i.member, GREATEST(i.since, COALESCE(s.seen, i.since)) \
    FROM {shard}.identifier i LEFT JOIN {home}.identifier_seen s ON s.hash = i.hash WHERE i.hash = ANY($1)";
/// Before the names go, in their shard. In how many hands a name was is known for good: so what is sealed for one is never
/// under the key of another.
pub(crate) const SEEN_GONE: &str = "DELETE FROM {home}.identifier_seen s USING {shard}.identifier i \
    WHERE i.member = $1 AND s.hash = i.hash AND s.hands = 0";
pub(crate) const GIVEN_UP_GONE: &str = "DELETE FROM {home}.given_up WHERE (seq, no) IN \
    (SELECT seq, no FROM {home}.given_up WHERE seq < $1 ORDER BY seq, no LIMIT $2)";
pub(crate) const GIVEN_UP: &str = "SELECT g.seq, s.name, COALESCE('~~' || encode(e.called, 'hex'), e.message_id), e.time, \
    COALESCE(a.root, NULLIF(e.member, e.id)), g.namespace, g.reason FROM {home}.given_up g JOIN {events} e ON e.seq = g.seq \
    JOIN {home}.source s ON s.no = e.source LEFT JOIN {home}.alias a ON a.member = e.member \
    ORDER BY g.seq DESC, g.no LIMIT $1";
pub(crate) const GIVEN_UP_OF: &str = concat!(
    timeline!(),
    "SELECT e.time, g.namespace, g.reason FROM t JOIN {home}.given_up g ON g.seq = t.seq \
     JOIN {events} e ON e.seq = t.seq ORDER BY e.time DESC, g.seq DESC, g.no LIMIT 20"
);

/// Whose names are, and when each was seen last.
pub(crate) async fn borne(
    connections: &Connections,
    hashes: &[LookupHash],
) -> Result<Vec<(LookupHash, MemberId, Ts)>> {
    let hashes: Vec<Uuid> = hashes.iter().map(|hash| Uuid(*hash)).collect();
    let session = connections.session().await?;
    let asks = (0..connections.schemas.shards()).map(|shard| ((BORNE, shard), vec![&hashes as _]));
    let found = session.ask(asks.collect()).await?;
    found.iter().flatten().map(|row| Ok((get::<Uuid>(row, 0)?.0, id(row, 1)?, Ts(get(row, 2)?)))).collect()
}

fn reason(row: &Row, column: usize) -> Result<Reason> {
    let code: i16 = get(row, column)?;
    Reason::from_code(code.into()).ok_or_else(|| damaged(column, "no reason"))
}

/// A name that was given up.
pub(crate) fn given_up(row: &Row, vault: &Vault) -> Result<GivenUp> {
    Ok(GivenUp {
        seq: get(row, 0)?,
        source: get(row, 1)?,
        message_id: vault.called_text(get(row, 2)?)?,
        time: Ts(get(row, 3)?),
        member: id_or_none(row, 4)?,
        namespace: get(row, 5)?,
        reason: reason(row, 6)?,
    })
}

/// A name that an event of a member gave up.
pub(crate) fn given_up_of(row: &Row) -> Result<(Ts, String, Reason)> {
    Ok((Ts(get(row, 0)?), get(row, 1)?, reason(row, 2)?))
}
