//! Coupons, their moves, what is taken of pools, and issues to many.

pub(crate) mod codes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
use zhiyin_model::coupon::{Coupon, CouponAccount, CouponMove, CouponMoveKind};
use zhiyin_model::id::{CheckoutId, CouponId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::checkouts::StoredCheckout;
use zhiyin_store::coupons::{
    CouponFlush, Coupons, Holders, Issue, MoveLine, NewIssue, OfferPools, pack_members, unpack_members,
};
use zhiyin_store::flush::Joined;
use zhiyin_store::{Result, StoreError};

use crate::SqliteStore;
use crate::checkouts;
use crate::rows::{all, damaged, database, id};
use crate::together::{bytes, number, text, together};
use crate::write::{prepare, run};

pub(crate) use codes::*;

pub(crate) const COUPON_NEW: &str = "INSERT INTO coupon (id, member, offer, terms, account, valid_from, valid_until, at, cause, \
    ordinal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const COUPON_SET: &str =
    "UPDATE coupon SET account = ?3, valid_until = ?4 WHERE member = ?2 AND id = ?1";
pub(crate) const MOVE_NEW: &str = "INSERT INTO coupon_move (coupon, member, offer, kind, gives, takes, at, event, ordinal, \
    version, given) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
pub(crate) const TERMS_NEW: &str =
    "INSERT INTO coupon_terms (hash, offer, terms) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING";
pub(crate) const POOL_NEW: &str =
    "INSERT INTO pool (pool, taken) VALUES (?, 0) ON CONFLICT (pool) DO NOTHING";
/// What is given back is bounded by nothing but zero: there may be less in all than there was.
pub(crate) const POOL_TAKE: &str = "UPDATE pool SET taken = taken + ?2 WHERE pool = ?1 AND taken + ?2 >= 0 \
    AND (?2 < 0 OR ?3 IS NULL OR taken + ?2 <= ?3)";
pub(crate) const POOL: &str = "SELECT taken FROM pool WHERE pool = ?";
pub(crate) const COUPON: &str = "SELECT id, member, offer, terms, account, valid_from, valid_until, at, cause, ordinal \
    FROM coupon WHERE id = ?";
pub(crate) const COUPONS_OF: &str = "SELECT id, member, offer, terms, account, valid_from, valid_until, at, cause, ordinal \
    FROM coupon WHERE member = ?1 ORDER BY at DESC, id LIMIT ?2";
/// That it was issued lies at the event that its member's timeline has of it; what came later, at the coupon.
pub(crate) const MOVES_OF: &str = "WITH RECURSIVE t (seq, before) AS ( \
    SELECT l.seq, l.before FROM coupon c CROSS JOIN member m ON m.id = c.member CROSS JOIN timeline l ON l.seq = m.last_event \
    WHERE c.id = ?1 UNION ALL SELECT l.seq, l.before FROM t CROSS JOIN timeline l ON l.seq = t.before) \
    SELECT kind, at, version FROM ( \
    SELECT v.no, v.kind, v.at, v.version FROM t CROSS JOIN coupon_move v ON v.event = t.seq AND v.kind = 0 WHERE v.coupon = ?1 \
    UNION ALL SELECT no, kind, at, version FROM coupon_move WHERE coupon = ?1 AND kind <> 0) ORDER BY no";
pub(crate) const TERMS: &str = "SELECT terms FROM coupon_terms WHERE hash = ?";
pub(crate) const COUPONS_TO: &str = "UPDATE coupon SET member = ?2 WHERE member = ?1";
pub(crate) const COUPON_TO: &str = "UPDATE coupon SET member = ?3 WHERE member = ?2 AND id = ?1";
pub(crate) const ISSUE_NEW: &str = "INSERT INTO issue (name, offer, audience, asked_by, at) VALUES (?, ?, ?, ?, ?) \
    ON CONFLICT (name) DO NOTHING";
pub(crate) const ISSUE_NAMED: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM issue WHERE name = ?";
pub(crate) const ISSUE: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM issue WHERE no = ?";
pub(crate) const ISSUES: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM issue ORDER BY no DESC LIMIT ?";
pub(crate) const PART_NEW: &str =
    "INSERT INTO issue_part (issue, part, members) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
pub(crate) const PART: &str = "SELECT members FROM issue_part WHERE issue = ? AND part = ?";
pub(crate) const ISSUE_LISTED: &str =
    "UPDATE issue SET members = ?2, parts = ?3 WHERE no = ?1 AND members IS NULL";
pub(crate) const OPEN: &str = "SELECT id, member, account FROM coupon WHERE account IN (1, 2, 3)";
pub(crate) const HELD: &str = "SELECT id, holdings FROM member WHERE holdings IS NOT NULL";

pub(crate) const OFFER_POOLS: &str =
    "SELECT pool, taken FROM pool WHERE pool LIKE 'offer/%' OR pool LIKE 'lease/%'";
pub(crate) const OFFERS_MOVED: &str =
    "SELECT offer, SUM((gives = 0) - (takes = 5)) FROM coupon_move GROUP BY offer";

/// Writes what a batch says of coupons; `seq` tells the place of an event.
pub(crate) fn flush(
    c: &Connection,
    flush: &CouponFlush,
    version: i64,
    seq: impl Fn(&CouponMove) -> Result<i64>,
) -> Result<()> {
    let (mut new, mut take) = (prepare(c, POOL_NEW)?, prepare(c, POOL_TAKE)?);
    for pool in flush.taken() {
        run(&mut new, [&pool.pool])?;
        if run(&mut take, params![pool.pool, pool.amount, pool.size])? == 0 {
            return Err(StoreError::Short);
        }
    }
    codes::hand_out(c, flush)?;
    let mut terms = prepare(c, TERMS_NEW)?;
    for known in &flush.terms {
        run(&mut terms, params![known.hash.as_slice(), known.offer, known.text])?;
    }
    let (issued, changed) = flush.settled();
    together(c, COUPON_NEW, &issued, |coupon| {
        Ok([
            bytes(coupon.id.bytes()),
            bytes(coupon.member.bytes()),
            text(&coupon.offer),
            bytes(&coupon.terms),
            number(coupon.account.code()),
            number(coupon.valid_from.0),
            number(coupon.valid_until.0),
            number(coupon.at.0),
            bytes(coupon.cause.bytes()),
            number(coupon.ordinal),
        ])
    })?;
    let mut set = prepare(c, COUPON_SET)?;
    for coupon in &changed {
        let (id, member) = (coupon.id.bytes().as_slice(), coupon.member.bytes().as_slice());
        let values = params![id, member, coupon.account.code(), coupon.valid_until.0];
        if run(&mut set, values)? == 0 {
            return Err(StoreError::Damaged(format!("member {} has no coupon {}", coupon.member, coupon.id)));
        }
    }
    together(c, MOVE_NEW, &flush.moves, |one| {
        let (gives, takes) = one.kind.sides();
        Ok([
            bytes(one.coupon.bytes()),
            bytes(one.member.bytes()),
            text(&one.offer),
            number(one.kind.code()),
            number(gives.code()),
            number(takes.code()),
            number(one.at.0),
            number(seq(one)?),
            number(one.ordinal),
            number(version),
            number(one.given),
        ])
    })
    .map(drop)
}

/// Coupons of who ends are another's.
pub(crate) fn join(c: &Connection, joined: &Joined) -> Result<()> {
    let (winner, loser) = (joined.winner.bytes().as_slice(), joined.loser.bytes().as_slice());
    run(&mut prepare(c, COUPONS_TO)?, [loser, winner]).map(drop)
}

fn coupon(row: &Row<'_>) -> rusqlite::Result<Coupon> {
    Ok(Coupon {
        id: id(row, 0)?,
        member: id(row, 1)?,
        offer: row.get(2)?,
        terms: *id::<()>(row, 3)?.bytes(),
        account: account(row, 4)?,
        valid_from: Ts(row.get(5)?),
        valid_until: Ts(row.get(6)?),
        at: Ts(row.get(7)?),
        cause: id(row, 8)?,
        ordinal: row.get(9)?,
    })
}

fn account(row: &Row<'_>, column: usize) -> rusqlite::Result<CouponAccount> {
    CouponAccount::from_code(row.get(column)?).ok_or_else(|| damaged(column, "no account of a coupon"))
}

/// A member's coupons, newest first.
pub(crate) fn of_member(c: &Connection, member: MemberId, limit: usize) -> Result<Vec<Coupon>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(c, COUPONS_OF, params![member.bytes().as_slice(), limit], coupon)
}

fn issue(row: &Row<'_>) -> rusqlite::Result<Issue> {
    let asked = NewIssue {
        name: row.get(1)?,
        offer: row.get(2)?,
        audience: row.get(3)?,
        by: row.get(4)?,
        at: Ts(row.get(5)?),
    };
    let (members, parts): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(Issue { no: row.get(0)?, asked, listed: members.zip(parts) })
}

/// Whether what members' rows say that they hold is what the rows of coupons say.
pub(crate) fn holders(c: &Connection) -> Result<Vec<String>> {
    let mut holders = Holders::default();
    checkouts::each(c, |checkout| holders.checkout(checkout))?;
    for (id, member, account) in all(c, OPEN, [], |row| Ok((id(row, 0)?, id(row, 1)?, account(row, 2)?)))? {
        holders.coupon(id, member, account);
    }
    let mut statement = c.prepare(HELD).map_err(database)?;
    let mut found = statement.query([]).map_err(database)?;
    while let Some(row) = found.next().map_err(database)? {
        let packed = row.get_ref(1).and_then(|packed| Ok(packed.as_blob_or_null()?)).map_err(database)?;
        holders.member(id(row, 0).map_err(database)?, packed)?;
    }
    Ok(holders.broken())
}

/// Whether what is taken of offers' pools is what moves and checkouts took.
pub(crate) fn offer_pools(c: &Connection) -> Result<Vec<String>> {
    let mut pools = OfferPools::default();
    let each = |sql| all(c, sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    each(OFFER_POOLS)?.iter().for_each(|(pool, taken)| pools.pool(pool, *taken));
    each(OFFERS_MOVED)?.iter().for_each(|(offer, taken)| pools.moved(offer, *taken));
    checkouts::each(c, |checkout| pools.checkout(checkout))?;
    Ok(pools.broken())
}

#[async_trait]
impl Coupons for SqliteStore {
    fn campaigns(&self) -> &dyn zhiyin_store::campaigns::Campaigns {
        self
    }

    async fn pools(&self, pools: Vec<String>) -> Result<BTreeMap<String, i64>> {
        self.connections
            .read(move |c| {
                let mut taken = BTreeMap::new();
                for pool in pools {
                    let found = prepare(c, POOL)?.query_row([&pool], |row| row.get(0)).optional();
                    taken.extend(found.map_err(database)?.map(|n| (pool, n)));
                }
                Ok(taken)
            })
            .await
    }

    async fn coupon(&self, id: CouponId) -> Result<Option<Coupon>> {
        self.connections
            .read(move |c| {
                let found = prepare(c, COUPON)?.query_row([id.bytes().as_slice()], coupon).optional();
                found.map_err(database)
            })
            .await
    }

    async fn coupons_of(&self, member: MemberId, limit: usize) -> Result<Vec<Coupon>> {
        self.connections.read(move |c| of_member(c, member, limit)).await
    }

    async fn coupon_moves(&self, id: CouponId) -> Result<Vec<MoveLine>> {
        self.connections
            .read(move |c| {
                all(c, MOVES_OF, [id.bytes().as_slice()], |row| {
                    let kind = CouponMoveKind::from_code(row.get(0)?);
                    let kind = kind.ok_or_else(|| damaged(0, "no move of a coupon"))?;
                    Ok(MoveLine { kind, at: Ts(row.get(1)?), version: row.get(2)? })
                })
            })
            .await
    }

    async fn coupon_terms(&self, hash: [u8; 16]) -> Result<Option<String>> {
        self.connections
            .read(move |c| {
                let found = prepare(c, TERMS)?.query_row([hash.as_slice()], |row| row.get(0)).optional();
                found.map_err(database)
            })
            .await
    }

    async fn checkout(&self, id: CheckoutId) -> Result<Option<StoredCheckout>> {
        let vault = self.vault();
        self.connections.read(move |c| checkouts::one(c, &vault, id)).await
    }

    async fn checkouts_of(&self, member: MemberId, limit: usize) -> Result<Vec<StoredCheckout>> {
        let vault = self.vault();
        self.connections.read(move |c| checkouts::of_member(c, &vault, member, limit)).await
    }

    async fn begin_issue(&self, new: NewIssue) -> Result<Issue> {
        self.connections
            .write(move |c| {
                let values = params![new.name, new.offer, new.audience, new.by, new.at.0];
                run(&mut prepare(c, ISSUE_NEW)?, values)?;
                prepare(c, ISSUE_NAMED)?.query_row([&new.name], issue).map_err(database)
            })
            .await
    }

    async fn issue(&self, no: i64) -> Result<Option<Issue>> {
        let one =
            move |c: &Connection| prepare(c, ISSUE)?.query_row([no], issue).optional().map_err(database);
        self.connections.read(one).await
    }

    async fn issues(&self, limit: usize) -> Result<Vec<Issue>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.read(move |c| all(c, ISSUES, [limit], issue)).await
    }

    async fn put_issue_part(&self, no: i64, part: i64, members: Vec<MemberId>) -> Result<()> {
        let members = pack_members(&members)?;
        self.connections
            .write(move |c| run(&mut prepare(c, PART_NEW)?, params![no, part, members]).map(drop))
            .await
    }

    async fn issue_listed(&self, no: i64, members: i64, parts: i64) -> Result<()> {
        self.connections
            .write(move |c| run(&mut prepare(c, ISSUE_LISTED)?, [no, members, parts]).map(drop))
            .await
    }

    async fn issue_part(&self, no: i64, part: i64) -> Result<Option<Vec<MemberId>>> {
        let packed: Option<Vec<u8>> = self
            .connections
            .read(move |c| {
                prepare(c, PART)?.query_row([no, part], |row| row.get(0)).optional().map_err(database)
            })
            .await?;
        packed.as_deref().map(unpack_members).transpose()
    }
}
