//! Codes of partners as stores keep them: uploads, part by part, and which coupon bears which code.
//!
//! A code is found by a keyed hash and kept sealed. Codes of an upload have places from 0 on, without gaps, and are handed out in
//! that order: a batch that took so many of an upload's pool gives them the last so many places, in the statement that follows.
//! The pool's row is what those who hand out at the same time wait for, once a batch; a row a coupon and a row a place are unique,
//! so no code is ever two members'. What was not handed out may be withdrawn: it is taken of the pool whole, and forgotten.

use async_trait::async_trait;
use zhiyin_model::coupon::codes::{CodeLot, codes_of};
use zhiyin_model::id::CouponId;
use zhiyin_model::time::Ts;

use crate::Result;

/// The most codes of one part of an upload.
pub const PART_CODES_MAX: usize = 4096;
/// The most duplicates of a part that are named.
pub const NAMED_MAX: usize = 20;
/// The most uploads of an offer that have something left.
pub const UPLOADS_OPEN_MAX: usize = 64;

/// An upload of codes, by a name that tells it from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUpload {
    /// What it is known by when it is sent again.
    pub name: String,
    /// For the coupons of which offer.
    pub offer: String,
    /// Whose codes they are.
    pub partner: String,
    /// From when on they are no longer good; [`Ts::FOREVER`] if they always are.
    pub valid_until: Ts,
    /// Who asked.
    pub by: String,
    /// When, in business time.
    pub at: Ts,
}

/// An upload, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeUpload {
    /// Its number.
    pub no: i64,
    /// What was asked.
    pub asked: NewUpload,
    /// How many codes it has; `None` until it is whole: none of it is handed out before.
    pub codes: Option<i64>,
    /// How many are gone: handed out, or withdrawn.
    pub taken: i64,
    /// How many were withdrawn.
    pub withdrawn: i64,
}

impl CodeUpload {
    /// How many are left to be handed out.
    pub fn left(&self) -> i64 {
        self.codes.map_or(0, |codes| codes - self.taken)
    }

    /// Its pool.
    pub fn pool(&self) -> String {
        codes_of(&self.asked.name)
    }

    /// As decisions see it.
    pub fn lot(&self) -> CodeLot {
        let codes = self.codes.unwrap_or(0);
        let partner = self.asked.partner.clone();
        CodeLot { upload: self.no, partner, pool: self.pool(), codes, valid_until: self.asked.valid_until }
    }
}

/// A code on its way in.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCode {
    /// Its line in what was sent, from 1 on.
    pub line: u64,
    /// By what it is found: the same for the same code of the same partner.
    pub hash: [u8; 16],
    /// The code itself; stores seal it.
    pub text: String,
}

impl std::fmt::Debug for NewCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewCode(line {})", self.line)
    }
}

/// A code that came before.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Double {
    /// Its line.
    pub line: u64,
    /// The upload in which it came before; this very one where it stands in it twice.
    pub upload: String,
}

/// What a part of an upload came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodePart {
    /// Which.
    pub part: i64,
    /// Hash of what was sent, which tells a part that is sent again from another one.
    pub hash: [u8; 16],
    /// Codes that were taken in.
    pub codes: i64,
    /// Codes that stood in this upload before.
    pub twice: i64,
    /// Codes of this partner that an earlier upload brought.
    pub known: i64,
    /// Some of those that came before, the first first.
    pub named: Vec<Double>,
}

/// Uploads of codes.
#[async_trait]
pub trait Codes: Send + Sync {
    /// Begins an upload, or finds the one of this name.
    async fn begin_upload(&self, new: NewUpload) -> Result<CodeUpload>;
    /// The upload of a name.
    async fn code_upload(&self, name: &str) -> Result<Option<CodeUpload>>;
    /// Uploads, newest first, of an offer or of all; at most `limit`.
    async fn code_uploads(&self, offer: Option<String>, limit: usize) -> Result<Vec<CodeUpload>>;
    /// Takes a part in. One that was taken in stays as it is, and is told as it was: its hash says whether it was the same. `None`
    /// where the upload is whole already and has no such part.
    async fn put_codes(
        &self,
        upload: i64,
        (part, hash): (i64, [u8; 16]),
        codes: Vec<NewCode>,
    ) -> Result<Option<CodePart>>;
    /// The parts of an upload, the first first.
    async fn code_parts(&self, upload: i64) -> Result<Vec<CodePart>>;
    /// An upload is whole, and may be handed out from now on, if it has exactly its first so many parts; whether it is.
    async fn end_upload(&self, upload: i64, parts: i64) -> Result<bool>;
    /// Withdraws what of an upload was not handed out, and ends it if it was open; how many it was, also where that was done before.
    async fn withdraw_upload(&self, upload: i64) -> Result<i64>;
    /// Forgets codes that were withdrawn, at most `limit`; how many.
    async fn forget_codes(&self, upload: i64, limit: usize) -> Result<usize>;
    /// Uploads of an offer of which something is left, in the order in which they are handed out, with what of each is gone.
    async fn code_lots(&self, offer: &str) -> Result<Vec<(CodeLot, i64)>>;
    /// The codes that coupons bear; those that bear none are left out.
    async fn codes_of_coupons(&self, coupons: Vec<CouponId>) -> Result<Vec<(CouponId, String)>>;
}

/// What the digest says of an upload. Which coupon bears which code is settled by arrival, so it says nothing of that.
pub fn upload_said(upload: &CodeUpload) -> String {
    let CodeUpload { asked, codes, withdrawn, .. } = upload;
    let NewUpload { name, offer, partner, valid_until, by, .. } = asked;
    format!("code upload|{name}|{offer}|{partner}|{}|{by}|{codes:?}|{withdrawn}", valid_until.0)
}

/// What the digest says of a code.
pub fn code_said(upload: &str, place: i64, text: &str) -> String {
    format!("partner code|{upload}|{place}|{text:?}")
}

/// What stands of an upload's codes, for the doctor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Codes that its parts brought.
    pub brought: i64,
    /// Codes that are kept, at places that were not withdrawn.
    pub kept: i64,
    /// Places that coupons have.
    pub borne: i64,
    /// The place after the last that a coupon has.
    pub next: i64,
    /// Coupons of its offer that bear one of its codes.
    pub bearers: i64,
}

/// What is wrong with an upload, if anything.
pub fn upload_broken(upload: &CodeUpload, counted: &Counted) -> Option<String> {
    let handed_out = upload.taken - upload.withdrawn;
    let whole = upload.codes.unwrap_or(counted.brought);
    let is_well = counted.brought == whole
        && counted.kept == whole - upload.withdrawn
        && (counted.borne, counted.next, counted.bearers) == (handed_out, handed_out, handed_out)
        && (upload.codes.is_some() || upload.taken == 0)
        && (0..=whole).contains(&upload.taken);
    let said = || format!("upload {}: {counted:?} where {upload:?}", upload.asked.name);
    (!is_well).then(said)
}

/// Named duplicates, as they are stored.
pub fn pack_named(named: &[Double]) -> Result<String> {
    serde_json::to_string(named).map_err(|error| crate::StoreError::Damaged(error.to_string()))
}

/// Reads what [`pack_named`] wrote.
pub fn unpack_named(text: &str) -> Result<Vec<Double>> {
    serde_json::from_str(text)
        .map_err(|error| crate::StoreError::Damaged(format!("a part's doubles: {error}")))
}
