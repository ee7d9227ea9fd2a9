//! Checkouts: what a batch writes of them, and how they are read.

use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::checkout::{Checkout, CheckoutState};
use zhiyin_model::id::{CheckoutId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::checkouts::{CheckoutSet, StoredCheckout, pack_takes, takes_said, unpack_takes};
use zhiyin_store::flush::Joined;
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError, seal};

use crate::rows::{self, all, damaged, database, id, id_or_none};
use crate::write::{prepare, run};

pub(crate) const CHECKOUT_NEW: &str = "INSERT INTO checkout (id, member, state, at, until, cause, order_id, takes, body) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET state = excluded.state, at = excluded.at, \
    until = excluded.until, cause = excluded.cause, order_id = excluded.order_id, takes = excluded.takes, \
    body = excluded.body WHERE checkout.member = excluded.member";
/// Its body stays as it is.
pub(crate) const CHECKOUT_SET: &str = "UPDATE checkout SET state = ?3, at = ?4, until = ?5, cause = ?6, order_id = ?7, takes = ?8 \
    WHERE id = ?1 AND member = ?2";
pub(crate) const CHECKOUT: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes, body FROM checkout WHERE id = ?";
pub(crate) const CHECKOUTS_OF: &str = "SELECT id, member, state, at, until, cause, order_id, takes, body FROM checkout \
    WHERE member = ?1 ORDER BY at DESC, id LIMIT ?2";
pub(crate) const CHECKOUTS: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes FROM checkout";
pub(crate) const DIGESTED: &str =
    "SELECT id, member, state, at, until, cause, order_id, takes, body FROM checkout";
pub(crate) const CHECKOUTS_TO: &str = "UPDATE checkout SET member = ?2 WHERE member = ?1";
pub(crate) const CHECKOUT_TO: &str = "UPDATE checkout SET member = ?3 WHERE member = ?2 AND id = ?1";
pub(crate) const SUBJECTS: &str = "SELECT body FROM checkout WHERE member = ?";
pub(crate) const BLANK: &str = "UPDATE checkout SET body = ?2 WHERE member = ?1";
pub(crate) const BODIES: &str =
    "SELECT id, member, at, body FROM checkout WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const BODY_SET: &str = "UPDATE checkout SET body = ?2 WHERE id = ?1";

/// Writes what a batch says of checkouts.
pub(crate) fn flush(c: &Connection, sets: &[CheckoutSet]) -> Result<()> {
    let (mut new, mut set) = (prepare(c, CHECKOUT_NEW)?, prepare(c, CHECKOUT_SET)?);
    for CheckoutSet { checkout, body } in sets {
        let (id, member) = (checkout.id.bytes().as_slice(), checkout.member.bytes().as_slice());
        let order = checkout.order.map(|order| order.bytes().to_vec());
        let (state, at, until) = (checkout.state.code(), checkout.at.0, checkout.until.0);
        let (cause, takes) = (checkout.cause.bytes().as_slice(), pack_takes(&checkout.takes)?);
        let n = match body {
            Some(body) => run(&mut new, params![id, member, state, at, until, cause, order, takes, body.0])?,
            None => run(&mut set, params![id, member, state, at, until, cause, order, takes])?,
        };
        if n == 0 {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}

/// Checkouts of who ends are another's.
pub(crate) fn join(c: &Connection, joined: &Joined) -> Result<()> {
    let (winner, loser) = (joined.winner.bytes().as_slice(), joined.loser.bytes().as_slice());
    run(&mut prepare(c, CHECKOUTS_TO)?, [loser, winner]).map(drop)
}

fn checkout(row: &Row<'_>) -> rusqlite::Result<Checkout> {
    let state = CheckoutState::from_code(row.get(2)?).ok_or_else(|| damaged(2, "no state of a checkout"))?;
    let takes = unpack_takes(row.get_ref(7)?.as_blob()?).map_err(|error| damaged(7, error.to_string()))?;
    Ok(Checkout {
        id: id(row, 0)?,
        member: id(row, 1)?,
        state,
        at: Ts(row.get(3)?),
        until: Ts(row.get(4)?),
        cause: id(row, 5)?,
        order: id_or_none(row, 6)?,
        takes,
    })
}

fn stored(row: &Row<'_>, vault: &Vault) -> rusqlite::Result<StoredCheckout> {
    Ok(StoredCheckout { checkout: checkout(row)?, body: rows::body(row, 8, vault)? })
}

/// A checkout by its id.
pub(crate) fn one(c: &Connection, vault: &Vault, id: CheckoutId) -> Result<Option<StoredCheckout>> {
    let found = prepare(c, CHECKOUT)?.query_row([id.bytes().as_slice()], |row| stored(row, vault)).optional();
    found.map_err(database)
}

/// A member's checkouts, newest first.
pub(crate) fn of_member(
    c: &Connection,
    vault: &Vault,
    member: MemberId,
    limit: usize,
) -> Result<Vec<StoredCheckout>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(c, CHECKOUTS_OF, params![member.bytes().as_slice(), limit], |row| stored(row, vault))
}

/// The same without bodies.
pub(crate) fn of_books(c: &Connection, member: MemberId) -> Result<Vec<Checkout>> {
    all(c, CHECKOUTS_OF, params![member.bytes().as_slice(), i64::MAX], checkout)
}

/// Every checkout, one after the other, without its body.
pub(crate) fn each(c: &Connection, mut take: impl FnMut(&Checkout)) -> Result<()> {
    let mut statement = c.prepare(CHECKOUTS).map_err(database)?;
    let mut found = statement.query([]).map_err(database)?;
    while let Some(row) = found.next().map_err(database)? {
        take(&checkout(row).map_err(database)?);
    }
    Ok(())
}

/// What the digest says of each checkout, and whose it is.
pub(crate) fn said(c: &Connection, vault: &Vault) -> Result<Vec<(MemberId, String)>> {
    let read = all(c, DIGESTED, [], |row| stored(row, vault))?;
    read.into_iter()
        .map(|StoredCheckout { checkout, body }| {
            let body = match seal::open(&body) {
                Err(StoreError::Erased) => "(erased)".to_owned(),
                body => body?,
            };
            let (state, at, until) = (checkout.state.name(), checkout.at.0, checkout.until.0);
            let takes = takes_said(&checkout.takes);
            Ok((checkout.member, format!("|{state}|{at}|{until}{takes}|{body}")))
        })
        .collect()
}
