//! Checkouts lie in the shard of their own hash, so that each is found by it, whoever it belongs to.

use tokio_postgres::Row;
use zhiyin_model::checkout::{Checkout, CheckoutState};
use zhiyin_model::id::{CheckoutId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::checkouts::{CheckoutSet, StoredCheckout, pack_takes, takes_said, unpack_takes};
use zhiyin_store::flush::Joined;
use zhiyin_store::seal::Sealed;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError, seal};

use crate::batch;
use crate::connection::{Of, Session, Values};
use crate::rows::{Uuid, damaged, get, id, id_or_none};
use crate::schemas::Schemas;
use crate::survey::Survey;

pub(crate) const CHECKOUT_NEW: &str = "INSERT INTO {shard}.checkout (id, member, state, at, until, cause, order_id, takes, body) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::uuid[], $7::uuid[], \
    $8::bytea[], $9::bytea[]) ON CONFLICT (id) DO UPDATE SET state = excluded.state, at = excluded.at, until = excluded.until, \
    cause = excluded.cause, order_id = excluded.order_id, takes = excluded.takes, body = excluded.body \
    WHERE checkout.member = excluded.member";
/// Its body stays as it is.
pub(crate) const CHECKOUT_SET: &str = "UPDATE {shard}.checkout c SET state = u.state, at = u.at, until = u.until, \
    cause = u.cause, order_id = u.order_id, takes = u.takes FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[], \
    $5::bigint[], $6::uuid[], $7::uuid[], $8::bytea[]) u (id, member, state, at, until, cause, order_id, takes) \
    WHERE c.id = u.id AND c.member = u.member";
pub(crate) const CHECKOUT: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes, body FROM {shard}.checkout WHERE id = $1";
pub(crate) const CHECKOUTS_OF: &str = "SELECT id, member, state, at, until, cause, order_id, takes, body FROM {shard}.checkout \
    WHERE member = $1 ORDER BY at DESC, id LIMIT $2";
pub(crate) const CHECKOUTS: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes FROM {shard}.checkout";
pub(crate) const DIGESTED: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes, body FROM {shard}.checkout";
pub(crate) const SUBJECTS: &str = "SELECT substr(body, 1, 17) FROM {shard}.checkout WHERE member = $1";
pub(crate) const BLANK: &str = "UPDATE {shard}.checkout SET body = '\\x03'::bytea WHERE member = $1";
pub(crate) const BODIES: &str = "SELECT id, member, at, body FROM {shard}.checkout \
    WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2";
pub(crate) const BODY_SET: &str = "UPDATE {shard}.checkout c SET body = u.body \
    FROM unnest($1::uuid[], $2::bytea[]) u (id, body) WHERE c.id = u.id";
pub(crate) const UNSEALED: &str = "SELECT 'checkout ' || replace(id::text, '-', '') FROM {shard}.checkout \
    WHERE body <> '\\x03'::bytea AND get_byte(body, 0) <> 2 LIMIT 5";

/// The rows that checkouts of a batch are in one shard.
#[derive(Default)]
pub(crate) struct Rows<'f> {
    pub(crate) new: batch::Checkouts<'f>,
    pub(crate) set: batch::CheckoutSets,
}

impl<'f> Rows<'f> {
    /// Puts what a batch says of checkouts apart by shard.
    pub(crate) fn of(sets: &'f [CheckoutSet], schemas: &Schemas) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = (0..schemas.shards()).map(|_| Self::default()).collect();
        for CheckoutSet { checkout, body } in sets {
            let rows = &mut rows[schemas.shard_of_hash(checkout.id.bytes())];
            let (id, member, state) = (checkout.id.into(), checkout.member.into(), checkout.state.code());
            let (at, until, cause) = (checkout.at.0, checkout.until.0, checkout.cause.into());
            let (order_id, takes) = (checkout.order.map(Uuid::from), pack_takes(&checkout.takes)?);
            match body {
                Some(Sealed(body)) => {
                    let row = batch::Checkout { id, member, state, at, until, cause, order_id, takes, body };
                    rows.new.push(row);
                }
                None => {
                    let row = batch::CheckoutSet { id, member, state, at, until, cause, order_id, takes };
                    rows.set.push(row);
                }
            }
        }
        Ok(rows)
    }
}

/// Checkouts of who ends are another's, in whichever shard they lie.
pub(crate) fn join(schemas: &Schemas, joined: &Joined) -> String {
    let (winner, loser) = (joined.winner, joined.loser);
    let all = (0..schemas.shards()).map(|shard| {
        let shard = schemas.shard(shard);
        format!("UPDATE {shard}.checkout SET member = '{winner}' WHERE member = '{loser}';\n")
    });
    all.collect()
}

/// These checkouts leave a member for another.
pub(crate) fn part(schemas: &Schemas, (from, to): (MemberId, MemberId), checkouts: &[CheckoutId]) -> String {
    let mut sql = String::new();
    for id in checkouts {
        let shard = schemas.shard(schemas.shard_of_hash(id.bytes()));
        sql += &format!(
            "UPDATE {shard}.checkout SET member = '{to}' WHERE id = '{id}' AND member = '{from}';\n"
        );
    }
    sql
}

fn checkout(row: &Row) -> Result<Checkout> {
    let state = CheckoutState::from_code(get(row, 2)?);
    Ok(Checkout {
        id: id(row, 0)?,
        member: id(row, 1)?,
        state: state.ok_or_else(|| damaged(2, "no state of a checkout"))?,
        at: Ts(get(row, 3)?),
        until: Ts(get(row, 4)?),
        cause: id(row, 5)?,
        order: id_or_none(row, 6)?,
        takes: unpack_takes(get(row, 7)?)?,
    })
}

fn stored(row: &Row, vault: &Vault) -> Result<StoredCheckout> {
    Ok(StoredCheckout { checkout: checkout(row)?, body: vault.body(get(row, 8)?)? })
}

/// A checkout by its id.
pub(crate) async fn one(
    session: &Session<'_>,
    vault: &Vault,
    id: CheckoutId,
) -> Result<Option<StoredCheckout>> {
    let shard = session.schemas.shard_of_hash(id.bytes());
    let row = session.row((CHECKOUT, shard), &[&Uuid::from(id)]).await?;
    row.as_ref().map(|row| stored(row, vault)).transpose()
}

async fn rows_of(session: &Session<'_>, member: MemberId, limit: usize) -> Result<Vec<Row>> {
    let (key, most) = (Uuid::from(member), i64::try_from(limit).unwrap_or(i64::MAX));
    let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
        .map(|shard| ((CHECKOUTS_OF, shard), vec![&key as _, &most as _]))
        .collect();
    Ok(session.ask(asks).await?.into_iter().flatten().collect())
}

/// A member's checkouts, newest first.
pub(crate) async fn of_member(
    session: &Session<'_>,
    vault: &Vault,
    member: MemberId,
    limit: usize,
) -> Result<Vec<StoredCheckout>> {
    let rows = rows_of(session, member, limit).await?;
    let mut found: Vec<StoredCheckout> = rows.iter().map(|row| stored(row, vault)).collect::<Result<_>>()?;
    found.sort_by_key(|stored| (std::cmp::Reverse(stored.checkout.at), stored.checkout.id));
    found.truncate(limit);
    Ok(found)
}

/// The same without bodies.
pub(crate) async fn of_books(session: &Session<'_>, member: MemberId) -> Result<Vec<Checkout>> {
    rows_of(session, member, usize::MAX).await?.iter().map(checkout).collect()
}

/// Every checkout, one after the other, without its body.
pub(crate) async fn each(survey: &Survey<'_>, mut take: impl FnMut(&Checkout)) -> Result<()> {
    survey
        .each(CHECKOUTS, &[], |row| {
            take(&checkout(row)?);
            Ok(())
        })
        .await
}

/// What the digest says of each checkout, and whose it is.
pub(crate) async fn said(survey: &Survey<'_>, vault: &Vault) -> Result<Vec<(MemberId, String)>> {
    let mut said = Vec::new();
    survey
        .each(DIGESTED, &[], |row| {
            let StoredCheckout { checkout, body } = stored(row, vault)?;
            let body = match seal::open(&body) {
                Err(StoreError::Erased) => "(erased)".to_owned(),
                body => body?,
            };
            let (state, at, until) = (checkout.state.name(), checkout.at.0, checkout.until.0);
            let takes = takes_said(&checkout.takes);
            said.push((checkout.member, format!("|{state}|{at}|{until}{takes}|{body}")));
            Ok(())
        })
        .await?;
    Ok(said)
}
