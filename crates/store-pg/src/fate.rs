//! What became of one item of a source.

use tokio_postgres::Row;
use zhiyin_model::time::Ts;
use zhiyin_store::Result;
use zhiyin_store::command::{Came, Fate};
use zhiyin_store::read::TransferLine;
use zhiyin_store::seal::vault::Vault;

use crate::append::SOURCE;
use crate::connection::Connections;
use crate::load;
use crate::report::kind;
use crate::rows::{Uuid, get, id};

pub(crate) const ITEM: &str =
    "SELECT seq, body_hash FROM {shard}.message WHERE source = $1 AND message_id = $2";
pub(crate) const REFUSED: &str = "SELECT code, field, message FROM {shard}.dead_letter WHERE seq = $1";
pub(crate) const DECIDED: &str = "SELECT member FROM {shard}.timeline WHERE seq = $1";
pub(crate) const BOOKED: &str =
    "SELECT at, asset, kind, amount, id FROM {shard}.transfer WHERE event = $1 ORDER BY ordinal";

pub(crate) async fn fate(
    connections: &Connections,
    vault: &Vault,
    source: &str,
    message_id: &str,
) -> Result<Option<Came>> {
    let session = connections.session().await?;
    let Some(row) = session.row((SOURCE, 0), &[&source]).await? else { return Ok(None) };
    let source: i32 = get(&row, 0)?;
    let shard = connections.schemas.shard_of_message(source, message_id);
    let Some(item) = session.row((ITEM, shard), &[&source, &message_id]).await? else { return Ok(None) };
    let (seq, body_hash): (i64, Uuid) = (get(&item, 0)?, get(&item, 1)?);
    // Each is asked in a snapshot of its own, in this order: what was booked is there once it is said to be decided.
    let n = connections.schemas.shards();
    let asks = [REFUSED, DECIDED, BOOKED].into_iter().flat_map(|sql| (0..n).map(move |shard| (sql, shard)));
    let said = session.ask(asks.map(|of| (of, vec![&seq as _])).collect()).await?;
    let first = |from: usize| said[from * n..(from + 1) * n].iter().flatten().next();
    let fate = if let Some(row) = first(0) {
        let (field, message) = vault.letter(get(row, 1)?, get(row, 2)?)?;
        Fate::Refused { code: get(row, 0)?, field, message }
    } else if let Some(row) = first(1) {
        let transfers = said[2 * n..].iter().flatten().map(booked).collect::<Result<_>>()?;
        Fate::Decided { member: id(row, 0)?, transfers }
    } else {
        Fate::Waits
    };
    Ok(Some(Came { body_hash: body_hash.0, fate }))
}

fn booked(row: &Row) -> Result<TransferLine> {
    Ok(TransferLine {
        id: id(row, 4)?,
        at: Ts(get(row, 0)?),
        asset: load::asset(row, 1)?,
        kind: kind(get(row, 2)?, 2)?,
        amount: get(row, 3)?,
    })
}
