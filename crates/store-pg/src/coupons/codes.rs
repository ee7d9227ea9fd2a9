//! Codes of partners lie once in a home: uploads part by part, and which coupon bears which. Uploads are taken in one after the
//! other, so that of two that bring the same code one is told so; batches do not wait for that.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tokio_postgres::Row;
use zhiyin_model::coupon::codes::CodeLot;
use zhiyin_model::id::CouponId;
use zhiyin_model::time::Ts;
use zhiyin_store::coupons::CouponFlush;
use zhiyin_store::coupons::codes::{
    CodePart, CodeUpload, Codes, Counted, Double, NAMED_MAX, NewCode, NewUpload, code_said, pack_named,
    unpack_named, upload_broken, upload_said,
};
use zhiyin_store::seal::vault::Vault;
use zhiyin_store::{Result, StoreError};

use super::{POOL_NEW, POOL_TAKE};
use crate::PgStore;
use crate::batch::{CodeBorne, CodesBorne};
use crate::connection::{Said, Step, Tx};
use crate::rows::{Uuid, database, get, id};
use crate::survey::Survey;

/// The columns of an upload, with what is gone of it.
macro_rules! uploads {
    ($rest:literal) => {
        concat!(
            "SELECT u.no, u.name, u.offer, u.partner, u.valid_until, u.asked_by, u.at, u.codes, u.withdrawn, \
             COALESCE(p.taken, 0) FROM {home}.code_upload u LEFT JOIN {home}.pool p ON p.pool = 'codes/' || u.name ",
            $rest
        )
    };
}

pub(crate) const UPLOAD_NEW: &str = "INSERT INTO {home}.code_upload (name, offer, partner, valid_until, asked_by, at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING";
pub(crate) const UPLOAD_NAMED: &str = uploads!("WHERE u.name = $1");
pub(crate) const UPLOAD_NO: &str = uploads!("WHERE u.no = $1");
pub(crate) const UPLOADS: &str =
    uploads!("WHERE $1::text IS NULL OR u.offer = $1 ORDER BY u.no DESC LIMIT $2");
pub(crate) const UPLOADS_OPEN: &str =
    uploads!("WHERE u.offer = $1 AND u.codes > COALESCE(p.taken, 0) ORDER BY u.valid_until, u.no");
/// Who takes a part in, or ends an upload, does so alone.
pub(crate) const UPLOADS_ALONE: &str = "LOCK TABLE {home}.code_upload IN SHARE ROW EXCLUSIVE MODE";
pub(crate) const UPLOAD_ENDED: &str = "UPDATE {home}.code_upload SET codes = (SELECT COALESCE(SUM(codes), 0)::bigint \
    FROM {home}.code_part WHERE upload = $1) WHERE no = $1 AND codes IS NULL";
pub(crate) const UPLOAD_WITHDRAWN: &str =
    "UPDATE {home}.code_upload SET withdrawn = withdrawn + $2 WHERE no = $1";
/// What is gone of a pool, which stays so until the transaction ends.
pub(crate) const POOL_HELD: &str = "SELECT taken FROM {home}.pool WHERE pool = $1 FOR UPDATE";
pub(crate) const CODE_PARTS: &str =
    "SELECT part, hash, codes, twice, known, named FROM {home}.code_part WHERE upload = $1 ORDER BY part";
pub(crate) const CODE_PART_NEW: &str = "INSERT INTO {home}.code_part (upload, part, hash, codes, twice, known, named) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const CODE_PART: &str =
    "SELECT part, hash, codes, twice, known, named FROM {home}.code_part WHERE upload = $1 AND part = $2";
pub(crate) const CODE_NEXT: &str =
    "SELECT COALESCE(MAX(place), -1) + 1 FROM {home}.partner_code WHERE upload = $1";
pub(crate) const CODES_KNOWN: &str = "SELECT c.hash, u.name FROM {home}.partner_code c \
    JOIN {home}.code_upload u ON u.no = c.upload WHERE c.hash = ANY($1::uuid[])";
pub(crate) const CODES_NEW: &str = "INSERT INTO {home}.partner_code (upload, place, hash, code) \
    SELECT $1, u.place, u.hash, u.code FROM unnest($2::bigint[], $3::uuid[], $4::bytea[]) u (place, hash, code)";
/// Codes at places from one on, so many at most: those of withdrawn places.
pub(crate) const CODES_FORGOTTEN: &str = "DELETE FROM {home}.partner_code WHERE upload = $1 AND place IN \
    (SELECT place FROM {home}.partner_code WHERE upload = $1 AND place >= $2 LIMIT $3)";
/// Codes that were withdrawn and are not forgotten yet may come again.
pub(crate) const CODES_FREED: &str = "DELETE FROM {home}.partner_code c USING {home}.code_upload u \
    WHERE c.hash = ANY($1::uuid[]) AND u.no = c.upload AND c.place >= u.codes - u.withdrawn";
/// The next codes of uploads go to coupons, once their pools were taken in the same transaction: each so far back from where
/// its pool stands now.
pub(crate) const CODES_BORNE: &str = "INSERT INTO {home}.coupon_code (coupon, upload, place) \
    SELECT u.coupon, u.upload, p.taken - u.back \
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[]) u (coupon, upload, pool, back) \
    JOIN {home}.pool p ON p.pool = u.pool";
pub(crate) const CODES_OF: &str = "SELECT k.coupon, c.code FROM {home}.coupon_code k \
    JOIN {home}.partner_code c ON c.upload = k.upload AND c.place = k.place WHERE k.coupon = ANY($1::uuid[])";
pub(crate) const CODES_SAID: &str = "SELECT u.name, c.place, c.code FROM {home}.partner_code c \
    JOIN {home}.code_upload u ON u.no = c.upload WHERE u.codes IS NULL OR c.place < u.codes - u.withdrawn";
pub(crate) const CODES_COUNTED: &str = "SELECT u.no, \
    (SELECT COALESCE(SUM(codes), 0)::bigint FROM {home}.code_part WHERE upload = u.no), \
    (SELECT COUNT(*) FROM {home}.partner_code WHERE upload = u.no AND (u.codes IS NULL OR place < u.codes - u.withdrawn)), \
    (SELECT COUNT(*) FROM {home}.coupon_code WHERE upload = u.no), \
    (SELECT COALESCE(MAX(place), -1) + 1 FROM {home}.coupon_code WHERE upload = u.no) FROM {home}.code_upload u";
/// Coupons of a shard that bear a code of their offer.
pub(crate) const CODE_BEARERS: &str = "SELECT u.no, COUNT(*) FROM {home}.coupon_code k \
    JOIN {home}.code_upload u ON u.no = k.upload JOIN {shard}.coupon c ON c.id = k.coupon AND c.offer = u.offer GROUP BY u.no";
pub(crate) const CODES_AFTER: &str = "SELECT c.upload, c.place, u.name, c.code FROM {home}.partner_code c \
    JOIN {home}.code_upload u ON u.no = c.upload WHERE (c.upload, c.place) > ($1, $2) \
    ORDER BY c.upload, c.place LIMIT $3";
pub(crate) const CODES_SET: &str = "UPDATE {home}.partner_code c SET code = u.code \
    FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) u (upload, place, code) \
    WHERE c.upload = u.upload AND c.place = u.place";
pub(crate) const UNSEALED_CODES: &str = "SELECT 'code ' || place || ' of upload ' || upload FROM {home}.partner_code \
    WHERE get_byte(code, 0) <> 2 LIMIT 5";
pub(crate) const CODES_GUARD: &str = "SELECT 'coupon_code_stays is missing' WHERE NOT EXISTS (SELECT 1 FROM pg_trigger \
    WHERE tgrelid = '{home}.coupon_code'::regclass AND tgname = 'coupon_code_stays' AND tgenabled <> 'D')";

fn upload(row: &Row) -> Result<CodeUpload> {
    let asked = NewUpload {
        name: get(row, 1)?,
        offer: get(row, 2)?,
        partner: get(row, 3)?,
        valid_until: Ts(get(row, 4)?),
        by: get(row, 5)?,
        at: Ts(get(row, 6)?),
    };
    let (codes, withdrawn, taken) = (get(row, 7)?, get(row, 8)?, get(row, 9)?);
    Ok(CodeUpload { no: get(row, 0)?, asked, codes, withdrawn, taken })
}

fn part(row: &Row) -> Result<CodePart> {
    Ok(CodePart {
        part: get(row, 0)?,
        hash: get::<Uuid>(row, 1)?.0,
        codes: get(row, 2)?,
        twice: get(row, 3)?,
        known: get(row, 4)?,
        named: unpack_named(get(row, 5)?)?,
    })
}

/// The codes that coupons of a batch bear: each so far back from where its pool stands once the batch has taken of it.
pub(super) fn borne(flush: &CouponFlush) -> CodesBorne<'_> {
    let mut rows = CodesBorne::default();
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    for take in &flush.codes {
        let back = left.entry(&take.pool).or_insert_with(|| flush.took(&take.pool));
        rows.push(CodeBorne {
            coupon: take.coupon.into(),
            upload: take.upload,
            pool: &take.pool,
            back: *back,
        });
        *back -= 1;
    }
    rows
}

async fn put(
    tx: &Tx<'_>,
    vault: &std::sync::Arc<Vault>,
    no: i64,
    (which, hash): (i64, [u8; 16]),
    codes: Vec<NewCode>,
) -> Result<Option<CodePart>> {
    let hashes: Vec<Uuid> = codes.iter().map(|code| Uuid(code.hash)).collect();
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((UPLOADS_ALONE, 0), vec![]),
        Step::Ask((UPLOAD_NO, 0), vec![&no]),
        Step::Ask((CODE_PART, 0), vec![&no, &which]),
        Step::Ask((CODE_NEXT, 0), vec![&no]),
        Step::Run((CODES_FREED, 0), vec![&hashes]),
        Step::Ask((CODES_KNOWN, 0), vec![&hashes]),
    ];
    let mut said = tx.send(steps).await.map_err(database)?.into_iter().skip(2).map(Said::rows);
    let (of, known) = (said.next().unwrap_or_default(), said.next().unwrap_or_default());
    if let Some(known) = known.first() {
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
        return part(known).map(Some);
    }
    let of = of.first().map(upload).transpose()?.filter(|upload| upload.codes.is_none());
    let Some(of) = of else {
        tx.send(vec![Step::Say("COMMIT")]).await.map_err(database)?;
        return Ok(None);
    };
    let free: i64 = said.next().unwrap_or_default().first().map_or(Ok(0), |row| get(row, 0))?;
    let before = said.nth(1).unwrap_or_default();
    let before = before.iter().map(|row| Ok((get::<Uuid>(row, 0)?, get::<String>(row, 1)?)));
    let mut before: BTreeMap<Uuid, String> = before.collect::<Result<_>>()?;
    let mut done = CodePart { part: which, hash, codes: 0, twice: 0, known: 0, named: Vec::new() };
    let (mut places, mut fresh, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for code in codes {
        let Some(upload) = before.insert(Uuid(code.hash), of.asked.name.clone()) else {
            places.push(free + fresh.len() as i64);
            fresh.push(Uuid(code.hash));
            texts.push(code.text);
            done.codes += 1;
            continue;
        };
        *(if upload == of.asked.name { &mut done.twice } else { &mut done.known }) += 1;
        if done.named.len() < NAMED_MAX {
            done.named.push(Double { line: code.line, upload: upload.clone() });
        }
        before.insert(Uuid(code.hash), upload);
    }
    let name = of.asked.name;
    let sealed = vault.aside(move |vault| vault.seal_codes(&name, texts.iter().map(String::as_str))).await?;
    let (hash, named) = (Uuid(hash), pack_named(&done.named)?);
    let steps = vec![
        Step::Run((CODES_NEW, 0), vec![&no, &places, &fresh, &sealed]),
        Step::Run(
            (CODE_PART_NEW, 0),
            vec![&no, &which, &hash, &done.codes, &done.twice, &done.known, &named],
        ),
        Step::Say("COMMIT"),
    ];
    tx.send(steps).await.map_err(database)?;
    Ok(Some(done))
}

async fn end(tx: &Tx<'_>, no: i64, parts: i64) -> Result<bool> {
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((UPLOADS_ALONE, 0), vec![]),
        Step::Ask((CODE_PARTS, 0), vec![&no]),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    let rows = said.into_iter().nth(2).map(Said::rows).unwrap_or_default();
    let have: Vec<CodePart> = rows.iter().map(part).collect::<Result<_>>()?;
    let follow = (0i64..).zip(&have).all(|(i, part)| part.part == i);
    let is_whole = follow && have.len() as i64 == parts;
    let mut steps = Vec::new();
    if is_whole {
        steps.push(Step::Run((UPLOAD_ENDED, 0), vec![&no]));
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map_err(database)?;
    Ok(is_whole)
}

async fn withdraw(tx: &Tx<'_>, no: i64) -> Result<i64> {
    let steps = vec![
        Step::Say("BEGIN"),
        Step::Run((UPLOADS_ALONE, 0), vec![]),
        // Of one that is open what has come so far.
        Step::Run((UPLOAD_ENDED, 0), vec![&no]),
        Step::Ask((UPLOAD_NO, 0), vec![&no]),
    ];
    let said = tx.send(steps).await.map_err(database)?;
    let found = said.into_iter().nth(3).map(Said::rows).unwrap_or_default();
    let of = found.first().map(upload).transpose()?;
    let of = of.ok_or_else(|| StoreError::Damaged(format!("no upload {no}")))?;
    // What is gone is read again once nobody takes of it any more.
    let (pool, pools) = (of.pool(), vec![of.pool()]);
    let steps = vec![Step::Run((POOL_NEW, 0), vec![&pools]), Step::Ask((POOL_HELD, 0), vec![&pool])];
    let said = tx.send(steps).await.map_err(database)?;
    let held = said.into_iter().nth(1).map(Said::rows).unwrap_or_default();
    let taken: i64 = held.first().map_or(Ok(0), |row| get(row, 0))?;
    let left = of.codes.map_or(0, |codes| codes - taken);
    let (amounts, sizes) = (vec![left], vec![of.codes]);
    let mut steps = Vec::new();
    if left > 0 {
        steps.push(Step::Run((POOL_TAKE, 0), vec![&pools, &amounts, &sizes]));
        steps.push(Step::Run((UPLOAD_WITHDRAWN, 0), vec![&no, &left]));
    }
    steps.push(Step::Say("COMMIT"));
    tx.send(steps).await.map_err(database)?;
    Ok(of.withdrawn + left)
}

/// What the digest says of uploads and of their codes.
pub(crate) async fn said(survey: &Survey<'_>, vault: &Vault, mut say: impl FnMut(&str)) -> Result<()> {
    for row in survey.home(UPLOADS, &[&None::<String>, &i64::MAX]).await? {
        say(&upload_said(&upload(&row)?));
    }
    survey
        .shard(0, CODES_SAID, &[], |row| {
            let code: Vec<u8> = get(row, 2)?;
            say(&code_said(get(row, 0)?, get(row, 1)?, &vault.identifier(&code)?));
            Ok(())
        })
        .await
}

/// Whether of each upload every code is there, and was handed out once and in its turn; and whether that is guarded.
pub(crate) async fn handed_out(survey: &Survey<'_>) -> Result<Vec<String>> {
    let mut counted: BTreeMap<i64, Counted> = BTreeMap::new();
    for row in survey.home(CODES_COUNTED, &[]).await? {
        let (brought, kept, borne, next) = (get(&row, 1)?, get(&row, 2)?, get(&row, 3)?, get(&row, 4)?);
        counted.insert(get(&row, 0)?, Counted { brought, kept, borne, next, bearers: 0 });
    }
    survey
        .each(CODE_BEARERS, &[], |row| {
            counted.entry(get(row, 0)?).or_default().bearers += get::<i64>(row, 1)?;
            Ok(())
        })
        .await?;
    let mut broken = Vec::new();
    for row in survey.home(CODES_GUARD, &[]).await? {
        broken.push(get(&row, 0)?);
    }
    for row in survey.home(UPLOADS, &[&None::<String>, &i64::MAX]).await? {
        let upload = upload(&row)?;
        broken.extend(upload_broken(&upload, &counted.remove(&upload.no).unwrap_or_default()));
    }
    broken.truncate(5);
    Ok(broken)
}

#[async_trait]
impl Codes for PgStore {
    async fn begin_upload(&self, new: NewUpload) -> Result<CodeUpload> {
        let NewUpload { name, offer, partner, valid_until, by, at } = &new;
        let session = self.connections.session().await?;
        session.run((UPLOAD_NEW, 0), &[name, offer, partner, &valid_until.0, by, &at.0]).await?;
        let row = session.row((UPLOAD_NAMED, 0), &[name]).await?;
        row.as_ref().map_or_else(|| Err(StoreError::Damaged(format!("no upload {name:?}"))), upload)
    }

    async fn code_upload(&self, name: &str) -> Result<Option<CodeUpload>> {
        let row = self.connections.session().await?.row((UPLOAD_NAMED, 0), &[&name]).await?;
        row.as_ref().map(upload).transpose()
    }

    async fn code_uploads(&self, offer: Option<String>, limit: usize) -> Result<Vec<CodeUpload>> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.connections.session().await?.rows((UPLOADS, 0), &[&offer, &most]).await?;
        rows.iter().map(upload).collect()
    }

    async fn put_codes(
        &self,
        no: i64,
        which: (i64, [u8; 16]),
        codes: Vec<NewCode>,
    ) -> Result<Option<CodePart>> {
        let tx = self.connections.session().await?.transaction();
        let done = put(&tx, &self.vault(), no, which, codes).await;
        tx.end(done).await
    }

    async fn code_parts(&self, no: i64) -> Result<Vec<CodePart>> {
        let rows = self.connections.session().await?.rows((CODE_PARTS, 0), &[&no]).await?;
        rows.iter().map(part).collect()
    }

    async fn end_upload(&self, no: i64, parts: i64) -> Result<bool> {
        let tx = self.connections.session().await?.transaction();
        let done = end(&tx, no, parts).await;
        tx.end(done).await
    }

    async fn withdraw_upload(&self, no: i64) -> Result<i64> {
        let tx = self.connections.session().await?.transaction();
        let done = withdraw(&tx, no).await;
        tx.end(done).await
    }

    async fn forget_codes(&self, no: i64, limit: usize) -> Result<usize> {
        let session = self.connections.session().await?;
        let of = session.row((UPLOAD_NO, 0), &[&no]).await?.as_ref().map(upload).transpose()?;
        let Some((codes, withdrawn)) = of.and_then(|of| Some((of.codes?, of.withdrawn))) else {
            return Ok(0);
        };
        let (from, most) = (codes - withdrawn, i64::try_from(limit).unwrap_or(i64::MAX));
        // Who takes the same codes in again frees them too: one after the other.
        let steps = vec![
            Step::Say("BEGIN"),
            Step::Run((UPLOADS_ALONE, 0), vec![]),
            Step::Run((CODES_FORGOTTEN, 0), vec![&no, &from, &most]),
            Step::Say("COMMIT"),
        ];
        let tx = session.transaction();
        let said = tx.send(steps).await.map_err(database);
        let said = tx.end(said).await?;
        Ok(said.get(2).map_or(0, Said::count))
    }

    async fn code_lots(&self, offer: &str) -> Result<Vec<(CodeLot, i64)>> {
        let rows = self.connections.session().await?.rows((UPLOADS_OPEN, 0), &[&offer]).await?;
        rows.iter().map(|row| upload(row).map(|upload| (upload.lot(), upload.taken))).collect()
    }

    async fn codes_of_coupons(&self, coupons: Vec<CouponId>) -> Result<Vec<(CouponId, String)>> {
        let ids: Vec<Uuid> = coupons.into_iter().map(Uuid::from).collect();
        let rows = self.connections.session().await?.rows((CODES_OF, 0), &[&ids]).await?;
        let found = rows.iter().map(|row| Ok((id(row, 0)?, get(row, 1)?)));
        let (coupons, codes): (Vec<CouponId>, Vec<Vec<u8>>) =
            found.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let texts = self.vault().aside(move |vault| vault.identifiers(&codes)).await?;
        Ok(coupons.into_iter().zip(texts).collect())
    }
}
