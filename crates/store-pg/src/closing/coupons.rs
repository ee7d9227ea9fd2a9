//! Coupons in the books. They lie in the shard of their own hash and their members in another: each shard's members are looked
//! at with the coupons of all shards.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use zhiyin_model::coupon::CouponMoveKind;
use zhiyin_model::month::Month;
use zhiyin_model::time::Ts;
use zhiyin_store::closing::{CouponFlow, CouponLine, CouponStand, CouponSums, CouponsBooked, Cut};
use zhiyin_store::{Result, StoreError};

use crate::connection::{Step, Tx, Values};
use crate::rows::{Uuid, damaged, database, get};
use crate::survey::Survey;

/// By how many pieces a move changes what members hold.
macro_rules! held {
    () => {
        "CASE WHEN kind IN (0, 4) THEN n WHEN kind IN (3, 6, 7) THEN -n ELSE 0 END"
    };
}

pub(crate) const COUPON_LINES: &str = "SELECT offer, cut, value, opening, issued, redeemed, expired, withdrawn, given_back, moved, \
    closing, given, liability FROM {home}.book_coupon WHERE month = $1 ORDER BY offer, cut, value";
pub(crate) const COUPON_LINE_NEW: &str = "INSERT INTO {home}.book_coupon (month, offer, cut, value, opening, issued, redeemed, \
    expired, withdrawn, given_back, moved, closing, given, liability) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
pub(crate) const COUPON_BEGINS: &str =
    "SELECT MIN(at) FROM {shard}.coupon_move WHERE kind = 0 AND offer NOT LIKE 'draw:%'";
/// What is held by an instant, of whoever has it now: what came late for a month counts later than it was booked.
pub(crate) const COUPON_STAND: &str = concat!(
    "WITH booked AS (SELECT coupon, kind, 1 AS n FROM {coupon_moves} v WHERE at < $1 AND offer NOT LIKE 'draw:%' UNION ALL \
     SELECT coupon, kind, -1 FROM {coupon_lates} l WHERE at < $1 AND period >= $1), \
     open AS (SELECT coupon, SUM(",
    held!(),
    ") AS n FROM booked GROUP BY coupon HAVING SUM(",
    held!(),
    ") <> 0), ",
    met!("$1"),
    " SELECT c.offer, c.terms, m.store, (SELECT t.level FROM {shard}.term t WHERE t.member = c.member AND t.at < $1 \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, SUM(o.n)::bigint FROM open o JOIN {coupons} c ON c.id = o.coupon \
     JOIN {shard}.member w ON w.id = c.member LEFT JOIN met m ON m.member = c.member GROUP BY 1, 2, 3, 4"
);
/// What moved between two instants.
pub(crate) const COUPON_FLOW: &str = concat!(
    "WITH booked AS (SELECT coupon, kind, 1 AS n, given, at FROM {coupon_moves} v WHERE at >= $1 AND at < $2 \
     AND offer NOT LIKE 'draw:%' AND kind NOT IN (1, 2) UNION ALL \
     SELECT coupon, kind, -1, -given, at FROM {coupon_lates} l WHERE at >= $1 AND at < $2 UNION ALL \
     SELECT coupon, kind, 1, given, at FROM {coupon_lates} l WHERE period >= $1 AND period < $2), ",
    met!("$2"),
    " SELECT c.offer, m.store, (SELECT t.level FROM {shard}.term t WHERE t.member = c.member AND t.at <= b.at \
     ORDER BY t.at DESC, t.no DESC LIMIT 1) AS tier, b.kind, SUM(b.n)::bigint, SUM(b.given)::bigint \
     FROM booked b JOIN {coupons} c ON c.id = b.coupon JOIN {shard}.member w ON w.id = c.member \
     LEFT JOIN met m ON m.member = c.member GROUP BY 1, 2, 3, 4"
);
/// What counts for each closed month, for the doctor.
pub(crate) const COUPONS_BOOKED: &str = "SELECT (SELECT c.month FROM {home}.book_close c WHERE c.until > b.counts ORDER BY c.until \
    LIMIT 1) AS month, offer, kind, SUM(n)::bigint, SUM(given)::bigint FROM ( \
    SELECT offer, kind, 1 AS n, given, at AS counts FROM {shard}.coupon_move WHERE kind NOT IN (1, 2) AND offer NOT LIKE 'draw:%' \
    UNION ALL SELECT offer, kind, -1, -given, at FROM {shard}.coupon_late UNION ALL \
    SELECT offer, kind, 1, given, period FROM {shard}.coupon_late) b GROUP BY 1, 2, 3";
pub(crate) const COUPONS_LATE: &str = "SELECT period, kind, COUNT(*)::bigint, SUM(given)::bigint FROM {shard}.coupon_late \
    GROUP BY period, kind";

fn kind(row: &Row, column: usize) -> Result<CouponMoveKind> {
    CouponMoveKind::from_code(get(row, column)?).ok_or_else(|| damaged(column, "no move of a coupon"))
}

pub(super) fn line(row: &Row) -> Result<CouponLine> {
    let mut columns = [0; 9];
    for (i, amount) in columns.iter_mut().enumerate() {
        *amount = get(row, 3 + i)?;
    }
    let cut = Cut::from_code(get::<i16>(row, 1)?.into()).ok_or_else(|| damaged(1, "no cut"))?;
    Ok(CouponLine::of((get(row, 0)?, cut, get(row, 2)?), columns, get(row, 12)?))
}

pub(super) async fn write_down(tx: &Tx<'_>, month: i32, lines: &[CouponLine]) -> Result<()> {
    for line in lines {
        let cut = i16::try_from(line.cut.code()).map_err(|_| StoreError::Damaged("a cut".to_owned()))?;
        let columns = line.columns();
        let mut values: Values<'_> = vec![&month, &line.offer, &cut, &line.value];
        values.extend(columns.iter().map(|column| column as &(dyn ToSql + Sync)));
        values.push(&line.liability_minor);
        tx.send(vec![Step::Run((COUPON_LINE_NEW, 0), values)]).await.map_err(database)?;
    }
    Ok(())
}

pub(super) async fn sums(survey: &Survey<'_>, bounds: &[Ts], at_first: bool) -> Result<CouponSums> {
    let mut sums = CouponSums::default();
    if let Some(first) = bounds.first().filter(|_| at_first) {
        sums.opening = stands(survey, *first).await?;
    }
    for (from, until) in bounds.iter().zip(bounds.iter().skip(1)) {
        let mut flows = Vec::new();
        survey
            .each(COUPON_FLOW, &[&from.0, &until.0], |row| {
                let (pieces, given) = (get(row, 4)?, get(row, 5)?);
                let (store, tier, kind) = (get(row, 1)?, get(row, 2)?, kind(row, 3)?);
                flows.push(CouponFlow { offer: get(row, 0)?, store, tier, kind, pieces, given });
                Ok(())
            })
            .await?;
        sums.spans.push((flows, stands(survey, *until).await?));
    }
    Ok(sums)
}

async fn stands(survey: &Survey<'_>, at: Ts) -> Result<Vec<CouponStand>> {
    let mut stands = Vec::new();
    survey
        .each(COUPON_STAND, &[&at.0], |row| {
            let terms = get::<Uuid>(row, 1)?.0;
            let (store, tier, pieces) = (get(row, 2)?, get(row, 3)?, get(row, 4)?);
            stands.push(CouponStand { offer: get(row, 0)?, terms, store, tier, pieces });
            Ok(())
        })
        .await?;
    Ok(stands)
}

/// What counts for each closed month.
pub(super) async fn booked(survey: &Survey<'_>) -> Result<CouponsBooked> {
    let mut booked = CouponsBooked::new();
    survey
        .each(COUPONS_BOOKED, &[], |row| {
            if let Some(of) = get::<Option<i32>>(row, 0)? {
                let (moves, money) = booked.entry((super::month(of)?, get(row, 1)?)).or_default();
                moves.add(kind(row, 2)?, get(row, 3)?);
                *money += get::<i64>(row, 4)?;
            }
            Ok(())
        })
        .await?;
    Ok(booked)
}

/// Months by their codes, for the doctor.
pub(super) async fn lines(survey: &Survey<'_>, month: Month) -> Result<Vec<CouponLine>> {
    survey.home(COUPON_LINES, &[&month.code()]).await?.iter().map(line).collect()
}
