//! Coupons and their moves lie in the shard of the coupon's own hash, pools, terms and issues to many once in a home.

pub(crate) mod codes;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::coupon::{Coupon, CouponAccount, CouponMoveKind, CouponTerms};
use zhiyin_model::id::{CheckoutId, CouponId, MemberId};
use zhiyin_model::time::Ts;
use zhiyin_store::checkouts::StoredCheckout;
use zhiyin_store::coupons::{
    CouponFlush, Coupons, Holders, Issue, MoveLine, NewIssue, OfferPools, pack_members, unpack_members,
};
use zhiyin_store::flush::Joined;
use zhiyin_store::{Result, StoreError};

use crate::PgStore;
use crate::batch::{self, Columns};
use crate::checkouts;
use crate::connection::{Of, Session, Values};
use crate::rows::{Uuid, damaged, get, id};
use crate::schemas::Schemas;
use crate::survey::Survey;

pub(crate) use codes::*;

pub(crate) const COUPON_NEW: &str = "INSERT INTO {shard}.coupon (id, member, offer, terms, account, valid_from, valid_until, \
    at, cause, ordinal) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[], $6::bigint[], \
    $7::bigint[], $8::bigint[], $9::uuid[], $10::integer[])";
pub(crate) const COUPON_SET: &str = "UPDATE {shard}.coupon c SET account = u.account, valid_until = u.valid_until \
    FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bigint[]) u (id, member, account, valid_until) \
    WHERE c.id = u.id AND c.member = u.member";
pub(crate) const MOVE_NEW: &str = "INSERT INTO {shard}.coupon_move (coupon, member, offer, kind, gives, takes, at, event, \
    ordinal, version, given) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::smallint[], \
    $6::smallint[], $7::bigint[], $8::bigint[], $9::integer[], $10::bigint[], $11::bigint[])";
pub(crate) const TERMS_NEW: &str = "INSERT INTO {home}.coupon_terms (hash, offer, terms) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) ON CONFLICT (hash) DO NOTHING";
pub(crate) const POOL_NEW: &str = "INSERT INTO {home}.pool (pool, taken) SELECT pool, 0 FROM unnest($1::text[]) u (pool) \
    WHERE NOT EXISTS (SELECT 1 FROM {home}.pool p WHERE p.pool = u.pool) ON CONFLICT (pool) DO NOTHING";
/// All that a batch takes, in one statement, held against what is there at that moment. What is given back is bounded by
/// nothing but zero: there may be less in all than there was.
pub(crate) const POOL_TAKE: &str = "UPDATE {home}.pool p SET taken = p.taken + u.amount \
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) u (pool, amount, size) WHERE p.pool = u.pool \
    AND p.taken + u.amount >= 0 AND (u.amount < 0 OR u.size IS NULL OR p.taken + u.amount <= u.size)";
pub(crate) const POOLS: &str = "SELECT pool, taken FROM {home}.pool WHERE pool = ANY($1::text[])";
pub(crate) const COUPON: &str = "SELECT id, member, offer, terms, account, valid_from, valid_until, at, cause, ordinal \
    FROM {shard}.coupon WHERE id = $1";
pub(crate) const COUPONS_OF: &str = "SELECT id, member, offer, terms, account, valid_from, valid_until, at, cause, ordinal \
    FROM {shard}.coupon WHERE member = $1 ORDER BY at DESC, id LIMIT $2";
pub(crate) const MOVES_OF: &str =
    "SELECT kind, at, version FROM {shard}.coupon_move WHERE coupon = $1 ORDER BY no";
pub(crate) const TERMS: &str = "SELECT terms FROM {home}.coupon_terms WHERE hash = $1";
pub(crate) const ISSUE_NEW: &str = "INSERT INTO {home}.issue (name, offer, audience, asked_by, at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING";
pub(crate) const ISSUE_NAMED: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM {home}.issue WHERE name = $1";
pub(crate) const ISSUE: &str =
    "SELECT no, name, offer, audience, asked_by, at, members, parts FROM {home}.issue WHERE no = $1";
pub(crate) const ISSUES: &str = "SELECT no, name, offer, audience, asked_by, at, members, parts FROM {home}.issue ORDER BY no DESC LIMIT $1";
pub(crate) const PART_NEW: &str =
    "INSERT INTO {home}.issue_part (issue, part, members) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub(crate) const PART: &str = "SELECT members FROM {home}.issue_part WHERE issue = $1 AND part = $2";
pub(crate) const ISSUE_LISTED: &str =
    "UPDATE {home}.issue SET members = $2, parts = $3 WHERE no = $1 AND members IS NULL";
pub(crate) const OPEN: &str = "SELECT id, member, account FROM {shard}.coupon WHERE account IN (1, 2, 3)";
pub(crate) const HELD: &str = "SELECT id, holdings FROM {shard}.member WHERE holdings IS NOT NULL";
pub(crate) const STOCKS: &str =
    "SELECT pool, taken FROM {home}.pool WHERE pool LIKE 'offer/%' OR pool LIKE 'lease/%'";
pub(crate) const STOCKS_MOVED: &str = "SELECT offer, SUM((gives = 0)::integer - (takes = 5)::integer)::bigint FROM {shard}.coupon_move GROUP BY offer";

/// The rows that coupons of a batch are in one shard.
#[derive(Default)]
pub(crate) struct Rows<'f> {
    pub(crate) new: batch::Coupons,
    pub(crate) set: batch::CouponSets,
    pub(crate) moves: batch::CouponMoves<'f>,
}

impl<'f> Rows<'f> {
    /// Puts what a batch says of coupons apart by shard; `seq` tells the place of an event.
    pub(crate) fn of(
        flush: &'f CouponFlush,
        schemas: &Schemas,
        version: i64,
        seq: impl Fn(zhiyin_model::id::EventId) -> Result<i64>,
    ) -> Result<Vec<Self>> {
        let mut rows: Vec<Self> = (0..schemas.shards()).map(|_| Self::default()).collect();
        let (issued, changed) = flush.settled();
        for coupon in issued {
            rows[schemas.shard_of_hash(coupon.id.bytes())].new.push(row(coupon));
        }
        for change in changed {
            rows[schemas.shard_of_hash(change.id.bytes())].set.push(batch::CouponSet {
                id: change.id.into(),
                member: change.member.into(),
                account: change.account.code(),
                valid_until: change.valid_until.0,
            });
        }
        for moved in &flush.moves {
            let (gives, takes) = moved.kind.sides();
            rows[schemas.shard_of_hash(moved.coupon.bytes())].moves.push(batch::CouponMove {
                coupon: moved.coupon.into(),
                member: moved.member.into(),
                offer: &moved.offer,
                kind: moved.kind.code(),
                gives: gives.code(),
                takes: takes.code(),
                at: moved.at.0,
                event: seq(moved.event)?,
                ordinal: i32::try_from(moved.ordinal).unwrap_or(i32::MAX),
                version,
                given: moved.given,
            });
        }
        Ok(rows)
    }
}

fn row(coupon: Coupon) -> batch::Coupon {
    batch::Coupon {
        id: coupon.id.into(),
        member: coupon.member.into(),
        offer: coupon.offer,
        terms: Uuid(coupon.terms),
        account: coupon.account.code(),
        valid_from: coupon.valid_from.0,
        valid_until: coupon.valid_until.0,
        at: coupon.at.0,
        cause: coupon.cause.into(),
        ordinal: i32::try_from(coupon.ordinal).unwrap_or(i32::MAX),
    }
}

/// What a batch says of terms and pools, which there are once.
#[derive(Default)]
pub(crate) struct Once<'f> {
    pub(crate) terms: batch::CouponTerms<'f>,
    pub(crate) pools: Vec<&'f str>,
    pub(crate) takes: batch::Takes<'f>,
    pub(crate) codes: batch::CodesBorne<'f>,
}

impl<'f> Once<'f> {
    pub(crate) fn of(flush: &'f CouponFlush) -> Self {
        let mut once = Self { codes: codes::borne(flush), ..Self::default() };
        // In one order, so that two batches that write the same ones do not wait for each other in a circle.
        let mut terms: Vec<&CouponTerms> = flush.terms.iter().map(AsRef::as_ref).collect();
        terms.sort_unstable();
        for known in terms {
            let row = batch::CouponTerm { hash: Uuid(known.hash), offer: &known.offer, terms: &known.text };
            once.terms.push(row);
        }
        for pool in flush.taken() {
            once.pools.push(&pool.pool);
            once.takes.push(batch::Take { pool: &pool.pool, amount: pool.amount, size: pool.size });
        }
        once
    }

    /// How many pools must have what is taken of them.
    pub(crate) fn taken(&self) -> usize {
        self.takes.len()
    }
}

/// Coupons of who ends are another's, in whichever shard they lie.
pub(crate) fn join(schemas: &Schemas, joined: &Joined) -> String {
    let (winner, loser) = (joined.winner, joined.loser);
    let all = (0..schemas.shards()).map(|shard| {
        let shard = schemas.shard(shard);
        format!("UPDATE {shard}.coupon SET member = '{winner}' WHERE member = '{loser}';\n")
    });
    all.collect()
}

/// These coupons leave a member for another.
pub(crate) fn part(schemas: &Schemas, (from, to): (MemberId, MemberId), coupons: &[CouponId]) -> String {
    let mut sql = String::new();
    for id in coupons {
        let shard = schemas.shard(schemas.shard_of_hash(id.bytes()));
        sql +=
            &format!("UPDATE {shard}.coupon SET member = '{to}' WHERE id = '{id}' AND member = '{from}';\n");
    }
    sql
}

fn coupon(row: &Row) -> Result<Coupon> {
    Ok(Coupon {
        id: id(row, 0)?,
        member: id(row, 1)?,
        offer: get(row, 2)?,
        terms: get::<Uuid>(row, 3)?.0,
        account: account(row, 4)?,
        valid_from: Ts(get(row, 5)?),
        valid_until: Ts(get(row, 6)?),
        at: Ts(get(row, 7)?),
        cause: id(row, 8)?,
        ordinal: u32::try_from(get::<i32>(row, 9)?).unwrap_or_default(),
    })
}

fn account(row: &Row, column: usize) -> Result<CouponAccount> {
    CouponAccount::from_code(get(row, column)?).ok_or_else(|| damaged(column, "no account of a coupon"))
}

/// A member's coupons, newest first.
pub(crate) async fn of_member(session: &Session<'_>, member: MemberId, limit: usize) -> Result<Vec<Coupon>> {
    let (key, most) = (Uuid::from(member), i64::try_from(limit).unwrap_or(i64::MAX));
    let asks: Vec<(Of, Values<'_>)> = (0..session.schemas.shards())
        .map(|shard| ((COUPONS_OF, shard), vec![&key as _, &most as _]))
        .collect();
    let found = session.ask(asks).await?;
    let mut coupons: Vec<Coupon> = found.iter().flatten().map(coupon).collect::<Result<_>>()?;
    coupons.sort_by_key(|coupon| (std::cmp::Reverse(coupon.at), coupon.id));
    coupons.truncate(limit);
    Ok(coupons)
}

fn issue(row: &Row) -> Result<Issue> {
    let asked = NewIssue {
        name: get(row, 1)?,
        offer: get(row, 2)?,
        audience: get(row, 3)?,
        by: get(row, 4)?,
        at: Ts(get(row, 5)?),
    };
    let (members, parts): (Option<i64>, Option<i64>) = (get(row, 6)?, get(row, 7)?);
    Ok(Issue { no: get(row, 0)?, asked, listed: members.zip(parts) })
}

/// Whether what members' rows say that they hold is what the rows of coupons say.
pub(crate) async fn holders(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut holders = Holders::default();
    checkouts::each(survey, |checkout| holders.checkout(checkout)).await?;
    survey
        .each(OPEN, &[], |row| {
            holders.coupon(id(row, 0)?, id(row, 1)?, account(row, 2)?);
            Ok(())
        })
        .await?;
    survey.each(HELD, &[], |row| holders.member(id(row, 0)?, get(row, 1)?)).await?;
    Ok(holders.broken())
}

/// Whether what is taken of offers' pools is what moves and checkouts took.
pub(crate) async fn stocks(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut pools = OfferPools::default();
    for row in survey.home(STOCKS, &[]).await? {
        pools.pool(get(&row, 0)?, get(&row, 1)?);
    }
    survey
        .each(STOCKS_MOVED, &[], |row| {
            pools.moved(get(row, 0)?, get(row, 1)?);
            Ok(())
        })
        .await?;
    checkouts::each(survey, |checkout| pools.checkout(checkout)).await?;
    Ok(pools.broken())
}

#[async_trait]
impl Coupons for PgStore {
    fn campaigns(&self) -> &dyn zhiyin_store::campaigns::Campaigns {
        self
    }

    async fn pools(&self, pools: Vec<String>) -> Result<BTreeMap<String, i64>> {
        let rows = self.connections.session().await?.rows((POOLS, 0), &[&pools]).await?;
        rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
    }

    async fn coupon(&self, id: CouponId) -> Result<Option<Coupon>> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        session.row((COUPON, shard), &[&Uuid::from(id)]).await?.as_ref().map(coupon).transpose()
    }

    async fn coupons_of(&self, member: MemberId, limit: usize) -> Result<Vec<Coupon>> {
        of_member(&self.connections.session().await?, member, limit).await
    }

    async fn coupon_moves(&self, id: CouponId) -> Result<Vec<MoveLine>> {
        let session = self.connections.session().await?;
        let shard = session.schemas.shard_of_hash(id.bytes());
        let rows = session.rows((MOVES_OF, shard), &[&Uuid::from(id)]).await?;
        let line = |row| {
            let kind = CouponMoveKind::from_code(get(row, 0)?);
            let kind = kind.ok_or_else(|| damaged(0, "no move of a coupon"))?;
            Ok(MoveLine { kind, at: Ts(get(row, 1)?), version: get(row, 2)? })
        };
        rows.iter().map(line).collect()
    }

    async fn coupon_terms(&self, hash: [u8; 16]) -> Result<Option<String>> {
        let row = self.connections.session().await?.row((TERMS, 0), &[&Uuid(hash)]).await?;
        row.map(|row| get(&row, 0)).transpose()
    }

    async fn checkout(&self, id: CheckoutId) -> Result<Option<StoredCheckout>> {
        checkouts::one(&self.connections.session().await?, &self.vault(), id).await
    }

    async fn checkouts_of(&self, member: MemberId, limit: usize) -> Result<Vec<StoredCheckout>> {
        checkouts::of_member(&self.connections.session().await?, &self.vault(), member, limit).await
    }

    async fn begin_issue(&self, new: NewIssue) -> Result<Issue> {
        let session = self.connections.session().await?;
        session.run((ISSUE_NEW, 0), &[&new.name, &new.offer, &new.audience, &new.by, &new.at.0]).await?;
        let row = session.row((ISSUE_NAMED, 0), &[&new.name]).await?;
        row.as_ref().map_or_else(|| Err(StoreError::Damaged(format!("no issue {:?}", new.name))), issue)
    }

    async fn issue(&self, no: i64) -> Result<Option<Issue>> {
        let row = self.connections.session().await?.row((ISSUE, 0), &[&no]).await?;
        row.as_ref().map(issue).transpose()
    }

    async fn issues(&self, limit: usize) -> Result<Vec<Issue>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.session().await?.rows((ISSUES, 0), &[&most]).await?;
        rows.iter().map(issue).collect()
    }

    async fn put_issue_part(&self, no: i64, part: i64, members: Vec<MemberId>) -> Result<()> {
        let members = pack_members(&members)?;
        self.connections.session().await?.run((PART_NEW, 0), &[&no, &part, &members]).await.map(drop)
    }

    async fn issue_listed(&self, no: i64, members: i64, parts: i64) -> Result<()> {
        self.connections.session().await?.run((ISSUE_LISTED, 0), &[&no, &members, &parts]).await.map(drop)
    }

    async fn issue_part(&self, no: i64, part: i64) -> Result<Option<Vec<MemberId>>> {
        let row = self.connections.session().await?.row((PART, 0), &[&no, &part]).await?;
        row.map(|row| unpack_members(get(&row, 0)?)).transpose()
    }
}
