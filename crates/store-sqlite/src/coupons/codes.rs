//! Codes of partners: uploads part by part, and which coupon bears which.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};
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

use super::{POOL, POOL_NEW};
use crate::SqliteStore;
use crate::rows::{all, database, id, unopened};
use crate::write::{prepare, run};

/// The columns of an upload, with what is gone of it.
macro_rules! uploads {
    ($rest:literal) => {
        concat!(
            "SELECT u.no, u.name, u.offer, u.partner, u.valid_until, u.asked_by, u.at, u.codes, u.withdrawn, \
             COALESCE((SELECT p.taken FROM pool p WHERE p.pool = 'codes/' || u.name), 0) AS gone FROM code_upload u ",
            $rest
        )
    };
}

pub(crate) const UPLOAD_NEW: &str = "INSERT INTO code_upload (name, offer, partner, valid_until, asked_by, at) \
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING";
pub(crate) const UPLOAD_NAMED: &str = uploads!("WHERE u.name = ?");
pub(crate) const UPLOAD_NO: &str = uploads!("WHERE u.no = ?");
pub(crate) const UPLOADS: &str = uploads!("WHERE ?1 IS NULL OR u.offer = ?1 ORDER BY u.no DESC LIMIT ?2");
pub(crate) const UPLOADS_OPEN: &str =
    uploads!("WHERE u.offer = ? AND u.codes > gone ORDER BY u.valid_until, u.no");
pub(crate) const UPLOAD_ENDED: &str = "UPDATE code_upload SET codes = (SELECT COALESCE(SUM(codes), 0) FROM code_part \
    WHERE upload = ?1) WHERE no = ?1 AND codes IS NULL";
pub(crate) const UPLOAD_WITHDRAWN: &str = "UPDATE code_upload SET withdrawn = withdrawn + ?2 WHERE no = ?1";
pub(crate) const CODE_PARTS: &str =
    "SELECT part, hash, codes, twice, known, named FROM code_part WHERE upload = ? ORDER BY part";
pub(crate) const CODE_PART: &str =
    "SELECT part, hash, codes, twice, known, named FROM code_part WHERE upload = ? AND part = ?";
pub(crate) const CODE_PART_NEW: &str = "INSERT INTO code_part (upload, part, hash, codes, twice, known, named) \
    VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(crate) const CODE_NEXT: &str = "SELECT COALESCE(MAX(place), -1) + 1 FROM partner_code WHERE upload = ?";
pub(crate) const CODE_NEW: &str = "INSERT INTO partner_code (upload, place, hash, code) VALUES (?, ?, ?, ?) \
    ON CONFLICT (hash) DO NOTHING";
/// A code that was withdrawn and is not forgotten yet may come again.
pub(crate) const CODE_FREED: &str = "DELETE FROM partner_code WHERE hash = ? \
    AND place >= (SELECT codes - withdrawn FROM code_upload WHERE no = upload)";
pub(crate) const CODE_KNOWN: &str =
    "SELECT u.no, u.name FROM partner_code c JOIN code_upload u ON u.no = c.upload WHERE c.hash = ?";
/// Codes at places from one on, so many at most: those of withdrawn places.
pub(crate) const CODES_FORGOTTEN: &str = "DELETE FROM partner_code WHERE upload = ?1 AND place IN \
    (SELECT place FROM partner_code WHERE upload = ?1 AND place >= ?2 LIMIT ?3)";
pub(crate) const CODE_BORNE_NEW: &str = "INSERT INTO coupon_code (coupon, upload, place) VALUES (?, ?, ?)";
pub(crate) const CODE_OF: &str = "SELECT c.code FROM coupon_code k \
    JOIN partner_code c ON c.upload = k.upload AND c.place = k.place WHERE k.coupon = ?";
pub(crate) const CODES_SAID: &str = "SELECT u.name, c.place, c.code FROM partner_code c \
    JOIN code_upload u ON u.no = c.upload WHERE u.codes IS NULL OR c.place < u.codes - u.withdrawn";
pub(crate) const CODES_COUNTED: &str = "SELECT u.no, \
    COALESCE((SELECT SUM(codes) FROM code_part WHERE upload = u.no), 0), \
    (SELECT COUNT(*) FROM partner_code WHERE upload = u.no AND (u.codes IS NULL OR place < u.codes - u.withdrawn)), \
    (SELECT COUNT(*) FROM coupon_code WHERE upload = u.no), \
    (SELECT COALESCE(MAX(place), -1) + 1 FROM coupon_code WHERE upload = u.no), \
    (SELECT COUNT(*) FROM coupon_code k CROSS JOIN coupon c ON c.id = k.coupon WHERE k.upload = u.no AND c.offer = u.offer) \
    FROM code_upload u";
pub(crate) const CODES_AFTER: &str = "SELECT c.upload, c.place, u.name, c.code FROM partner_code c \
    JOIN code_upload u ON u.no = c.upload WHERE (c.upload, c.place) > (?1, ?2) ORDER BY c.upload, c.place LIMIT ?3";
pub(crate) const CODE_SET: &str = "UPDATE partner_code SET code = ?3 WHERE upload = ?1 AND place = ?2";

fn upload(row: &Row<'_>) -> rusqlite::Result<CodeUpload> {
    let asked = NewUpload {
        name: row.get(1)?,
        offer: row.get(2)?,
        partner: row.get(3)?,
        valid_until: Ts(row.get(4)?),
        by: row.get(5)?,
        at: Ts(row.get(6)?),
    };
    let (codes, withdrawn, taken) = (row.get(7)?, row.get(8)?, row.get(9)?);
    Ok(CodeUpload { no: row.get(0)?, asked, codes, withdrawn, taken })
}

fn part(row: &Row<'_>) -> rusqlite::Result<CodePart> {
    let named: String = row.get(5)?;
    Ok(CodePart {
        part: row.get(0)?,
        hash: *id::<()>(row, 1)?.bytes(),
        codes: row.get(2)?,
        twice: row.get(3)?,
        known: row.get(4)?,
        named: unpack_named(&named).map_err(unopened)?,
    })
}

/// The next codes of uploads go to the coupons of a batch, once its pools were taken.
pub(super) fn hand_out(c: &Connection, flush: &CouponFlush) -> Result<()> {
    if flush.codes.is_empty() {
        return Ok(());
    }
    let (mut pool, mut new) = (prepare(c, POOL)?, prepare(c, CODE_BORNE_NEW)?);
    let mut next = std::collections::BTreeMap::new();
    for take in &flush.codes {
        let place = match next.get_mut(&take.upload) {
            Some(place) => place,
            None => {
                let taken: i64 = pool.query_row([&take.pool], |row| row.get(0)).map_err(database)?;
                next.entry(take.upload).or_insert(taken - flush.took(&take.pool))
            }
        };
        run(&mut new, params![take.coupon.bytes().as_slice(), take.upload, *place])?;
        *place += 1;
    }
    Ok(())
}

fn put(
    c: &Connection,
    vault: &Vault,
    no: i64,
    (which, hash): (i64, [u8; 16]),
    codes: &[NewCode],
) -> Result<Option<CodePart>> {
    if let Some(known) = prepare(c, CODE_PART)?.query_row([no, which], part).optional().map_err(database)? {
        return Ok(Some(known));
    }
    let of = prepare(c, UPLOAD_NO)?.query_row([no], upload).optional().map_err(database)?;
    let Some(of) = of.filter(|upload| upload.codes.is_none()) else { return Ok(None) };
    let sealed = vault.seal_codes(&of.asked.name, codes.iter().map(|code| code.text.as_str()))?;
    let (mut new, mut known) = (prepare(c, CODE_NEW)?, prepare(c, CODE_KNOWN)?);
    let mut freed = prepare(c, CODE_FREED)?;
    let mut place: i64 = prepare(c, CODE_NEXT)?.query_row([no], |row| row.get(0)).map_err(database)?;
    let mut done = CodePart { part: which, hash, codes: 0, twice: 0, known: 0, named: Vec::new() };
    for (code, sealed) in codes.iter().zip(sealed) {
        run(&mut freed, [code.hash.as_slice()])?;
        if run(&mut new, params![no, place, code.hash.as_slice(), sealed])? > 0 {
            place += 1;
            done.codes += 1;
            continue;
        }
        let (before, upload): (i64, String) = known
            .query_row([code.hash.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(database)?;
        *(if before == no { &mut done.twice } else { &mut done.known }) += 1;
        if done.named.len() < NAMED_MAX {
            done.named.push(Double { line: code.line, upload });
        }
    }
    let values =
        params![no, which, hash.as_slice(), done.codes, done.twice, done.known, pack_named(&done.named)?];
    run(&mut prepare(c, CODE_PART_NEW)?, values)?;
    Ok(Some(done))
}

fn end(c: &Connection, no: i64, parts: i64) -> Result<bool> {
    let have = all(c, CODE_PARTS, [no], part)?;
    let follow = (0i64..).zip(&have).all(|(i, part)| part.part == i);
    if !follow || have.len() as i64 != parts {
        return Ok(false);
    }
    run(&mut prepare(c, UPLOAD_ENDED)?, [no])?;
    Ok(true)
}

fn withdraw(c: &Connection, no: i64) -> Result<i64> {
    // Of one that is open what has come so far.
    run(&mut prepare(c, UPLOAD_ENDED)?, [no])?;
    let of = prepare(c, UPLOAD_NO)?.query_row([no], upload).map_err(database)?;
    if of.left() > 0 {
        run(&mut prepare(c, POOL_NEW)?, [&of.pool()])?;
        run(&mut prepare(c, super::POOL_TAKE)?, params![of.pool(), of.left(), of.codes])?;
        run(&mut prepare(c, UPLOAD_WITHDRAWN)?, [no, of.left()])?;
    }
    Ok(of.withdrawn + of.left())
}

/// What the digest says of uploads and of their codes.
pub(crate) fn said(c: &Connection, vault: &Vault, mut say: impl FnMut(&str)) -> Result<()> {
    for upload in all(c, UPLOADS, params![None::<String>, i64::MAX], upload)? {
        say(&upload_said(&upload));
    }
    let mut statement = c.prepare_cached(CODES_SAID).map_err(database)?;
    let mut found = statement.query([]).map_err(database)?;
    while let Some(row) = found.next().map_err(database)? {
        let (name, place): (String, i64) =
            row.get(0).and_then(|name| Ok((name, row.get(1)?))).map_err(database)?;
        let code: Vec<u8> = row.get(2).map_err(database)?;
        say(&code_said(&name, place, &vault.identifier(&code)?));
    }
    Ok(())
}

/// Whether of each upload every code is there, and was handed out once and in its turn.
pub(crate) fn handed_out(c: &Connection) -> Result<Vec<String>> {
    let counted = all(c, CODES_COUNTED, [], |row| {
        let counted = Counted {
            brought: row.get(1)?,
            kept: row.get(2)?,
            borne: row.get(3)?,
            next: row.get(4)?,
            bearers: row.get(5)?,
        };
        Ok((row.get::<_, i64>(0)?, counted))
    })?;
    let uploads = all(c, UPLOADS, params![None::<String>, i64::MAX], upload)?;
    let of = |no| counted.iter().find(|(upload, _)| *upload == no).map(|(_, counted)| *counted);
    let broken =
        uploads.iter().filter_map(|upload| upload_broken(upload, &of(upload.no).unwrap_or_default()));
    Ok(broken.take(5).collect())
}

#[async_trait]
impl Codes for SqliteStore {
    async fn begin_upload(&self, new: NewUpload) -> Result<CodeUpload> {
        self.connections
            .write(move |c| {
                let NewUpload { name, offer, partner, valid_until, by, at } = &new;
                let values = params![name, offer, partner, valid_until.0, by, at.0];
                run(&mut prepare(c, UPLOAD_NEW)?, values)?;
                prepare(c, UPLOAD_NAMED)?.query_row([name], upload).map_err(database)
            })
            .await
    }

    async fn code_upload(&self, name: &str) -> Result<Option<CodeUpload>> {
        let name = name.to_owned();
        let one = move |c: &Connection| {
            prepare(c, UPLOAD_NAMED)?.query_row([&name], upload).optional().map_err(database)
        };
        self.connections.read(one).await
    }

    async fn code_uploads(&self, offer: Option<String>, limit: usize) -> Result<Vec<CodeUpload>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections.read(move |c| all(c, UPLOADS, params![offer, limit], upload)).await
    }

    async fn put_codes(
        &self,
        no: i64,
        which: (i64, [u8; 16]),
        codes: Vec<NewCode>,
    ) -> Result<Option<CodePart>> {
        let vault = self.vault();
        self.connections.write(move |c| put(c, &vault, no, which, &codes)).await
    }

    async fn code_parts(&self, no: i64) -> Result<Vec<CodePart>> {
        self.connections.read(move |c| all(c, CODE_PARTS, [no], part)).await
    }

    async fn end_upload(&self, no: i64, parts: i64) -> Result<bool> {
        self.connections.write(move |c| end(c, no, parts)).await
    }

    async fn withdraw_upload(&self, no: i64) -> Result<i64> {
        self.connections.write(move |c| withdraw(c, no)).await
    }

    async fn forget_codes(&self, no: i64, limit: usize) -> Result<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connections
            .write(move |c| {
                let of = prepare(c, UPLOAD_NO)?.query_row([no], upload).map_err(database)?;
                let Some(codes) = of.codes else { return Ok(0) };
                run(&mut prepare(c, CODES_FORGOTTEN)?, [no, codes - of.withdrawn, limit])
            })
            .await
    }

    async fn code_lots(&self, offer: &str) -> Result<Vec<(CodeLot, i64)>> {
        let offer = offer.to_owned();
        let open = self.connections.read(move |c| all(c, UPLOADS_OPEN, [offer], upload)).await?;
        Ok(open.iter().map(|upload| (upload.lot(), upload.taken)).collect())
    }

    async fn codes_of_coupons(&self, coupons: Vec<CouponId>) -> Result<Vec<(CouponId, String)>> {
        let vault = self.vault();
        self.connections
            .read(move |c| {
                let mut of = prepare(c, CODE_OF)?;
                let mut found = Vec::new();
                for coupon in coupons {
                    let code: Option<Vec<u8>> = of
                        .query_row([coupon.bytes().as_slice()], |row| row.get(0))
                        .optional()
                        .map_err(database)?;
                    if let Some(code) = code {
                        found.push((coupon, vault.identifier(&code)?));
                    }
                }
                Ok(found)
            })
            .await
    }
}

/// How far the sealing of a home's codes has come; what was sealed of the next, and where it stands then.
pub(crate) fn seal_next(
    c: &Connection,
    vault: &Vault,
    (no, place): (i64, i64),
    limit: i64,
) -> Result<(usize, Option<(i64, i64)>)> {
    use zhiyin_store::seal::envelope::subject_of;
    use zhiyin_store::seal::personal::{NowSealed, Unsealed};
    let found = all(c, CODES_AFTER, [no, place, limit], |row| {
        let at: (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok((at, row.get::<_, String>(2)?, row.get::<_, Vec<u8>>(3)?))
    })?;
    let (n, last) = (found.len(), found.last().map(|(at, ..)| *at));
    let open: Vec<_> = found.into_iter().filter(|(.., code)| subject_of(code).is_none()).collect();
    let values: Vec<_> = open.iter().map(|(_, name, code)| Unsealed::Code(name, code)).collect();
    let mut set = prepare(c, CODE_SET)?;
    for (((no, place), ..), sealed) in open.iter().zip(vault.seal_unsealed(&values)?) {
        let NowSealed::Value(code) = sealed else {
            return Err(StoreError::Damaged("a code was sealed as another thing".to_owned()));
        };
        run(&mut set, params![no, place, code])?;
    }
    Ok((n, last))
}
