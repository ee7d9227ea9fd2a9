//! A notice as it comes: who says it, and what is sealed in it. It is verified on the bytes that came before anything of them is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::keys::Keys;

/// The largest notice that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How far from now it may have been signed, in seconds (pay.weixin.qq.com/doc/v3/merchant/4013053249).
pub const APART_SECONDS_MAX: i64 = 300;
/// The longest of what its head says.
const HEAD_BYTES_MAX: usize = 2 * 1024;
/// With what the platform begins a signature that is wrong on purpose, to see whether anybody looks
/// (pay.weixin.qq.com/doc/v3/merchant/4013053420).
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// What its head says: `Wechatpay-Timestamp`, `-Nonce`, `-Signature`, `-Serial`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heads<'a> {
    /// When it was signed, in seconds since 1970 UTC.
    pub timestamp: Option<&'a str>,
    /// What it was signed with beside the body.
    pub nonce: Option<&'a str>,
    /// The signature, as base64.
    pub signature: Option<&'a str>,
    /// By which key: the serial number of a certificate, or the id of a public key.
    pub serial: Option<&'a str>,
}

/// Why a notice is not taken. Where the platform is to try again it is not answered 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeProblem {
    /// It is longer than any notice is.
    #[error("it is too long")]
    TooLong,
    /// Something is missing in its head, or cannot be that.
    #[error("its head does not say who signed it and when")]
    HeadMissing,
    /// It was signed too long ago, or will be.
    #[error("it was not signed now")]
    NotNow,
    /// The platform looks whether wrong signatures are refused. It is refused, and nobody is told.
    #[error("it is a probe with a signature that is wrong on purpose")]
    Probe,
    /// The key is not known here. Where it is a new certificate it can be fetched.
    #[error("it is signed by a key that is not known here")]
    KeyUnknown,
    /// The signature is not that of these bytes.
    #[error("its signature is wrong")]
    SignatureWrong,
    /// It is signed, and no notice.
    #[error("it is no notice")]
    NoNotice,
    /// What is sealed in it cannot be opened: the APIv3 key is another.
    #[error("what is sealed in it was sealed with another key")]
    NotSealed,
}

impl NoticeProblem {
    /// A name that stays.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::HeadMissing => "head_missing",
            Self::NotNow => "not_now",
            Self::Probe => "probe",
            Self::KeyUnknown => "key_unknown",
            Self::SignatureWrong => "signature_wrong",
            Self::NoNotice => "no_notice",
            Self::NotSealed => "not_sealed",
        }
    }
}

/// A notice that is the platform's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its id: the same however often it is told.
    pub id: String,
    /// What happened: `TRANSACTION.SUCCESS`, `REFUND.SUCCESS`, ….
    pub event: String,
    /// When it was made, as it says (RFC 3339).
    pub at: String,
    /// What kind of thing was sealed: `transaction`, `refund`, ….
    pub kind: String,
    /// What was sealed: JSON, as it is.
    pub resource: String,
}

#[derive(Deserialize)]
struct Whole {
    id: String,
    event_type: String,
    #[serde(default)]
    create_time: String,
    resource: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
    #[serde(default)]
    original_type: String,
}

/// Reads a notice: verified, opened. `now` is in seconds since 1970 UTC.
///
/// # Errors
/// By the name of what is wrong, in this order: length, head, probe, key, signature, time, what it says, what is sealed.
pub fn read(keys: &Keys, heads: Heads<'_>, body: &[u8], now: i64) -> Result<Notice, NoticeProblem> {
    if body.len() > BODY_BYTES_MAX {
        return Err(NoticeProblem::TooLong);
    }
    verify(keys, heads, body, now)?;
    open(keys, body)
}

/// Whether these bytes are the platform's: a notice, or an answer to a request.
///
/// # Errors
/// By the name of what is wrong, in this order: head, probe, key, signature, time.
pub fn verify(keys: &Keys, heads: Heads<'_>, body: &[u8], now: i64) -> Result<(), NoticeProblem> {
    let said = |head: Option<&'_ str>| -> Result<String, NoticeProblem> {
        let is_fit = |head: &&str| !head.is_empty() && head.len() <= HEAD_BYTES_MAX;
        head.filter(is_fit).map(str::to_owned).ok_or(NoticeProblem::HeadMissing)
    };
    let (timestamp, nonce) = (said(heads.timestamp)?, said(heads.nonce)?);
    let (signature, serial) = (said(heads.signature)?, said(heads.serial)?);
    let at: i64 = timestamp.parse().map_err(|_| NoticeProblem::HeadMissing)?;
    if signature.starts_with(PROBE) {
        return Err(NoticeProblem::Probe);
    }
    let key = keys.of(&serial).ok_or(NoticeProblem::KeyUnknown)?;
    let signature = STANDARD.decode(signature).map_err(|_| NoticeProblem::SignatureWrong)?;
    let message = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    if !key.signed(&message, &signature) {
        return Err(NoticeProblem::SignatureWrong);
    }
    // Only what the platform signed says when that was.
    if now.saturating_sub(at).saturating_abs() > APART_SECONDS_MAX {
        return Err(NoticeProblem::NotNow);
    }
    Ok(())
}

/// What a notice says that was verified.
fn open(keys: &Keys, body: &[u8]) -> Result<Notice, NoticeProblem> {
    let whole: Whole = serde_json::from_slice(body).map_err(|_| NoticeProblem::NoNotice)?;
    if whole.id.is_empty() || whole.resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(NoticeProblem::NoNotice);
    }
    let Sealed { ciphertext, nonce, associated_data, original_type, .. } = whole.resource;
    let opened = keys.open(&ciphertext, &nonce, associated_data.as_deref().unwrap_or_default());
    let opened = opened.map_err(|_| NoticeProblem::NotSealed)?;
    let resource = String::from_utf8(opened).map_err(|_| NoticeProblem::NoNotice)?;
    Ok(Notice { id: whole.id, event: whole.event_type, at: whole.create_time, kind: original_type, resource })
}
