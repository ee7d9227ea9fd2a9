//! Codes of partners, uploaded part by part and withdrawn: what an offer whose coupons bear them has to give.
//!
//! An upload is begun by a name, given its parts, and ended: none of it is handed out before. A part that is sent again changes
//! nothing, so who was stopped begins from the start. A code that came before, in this upload or in an earlier one of the same
//! partner, is not taken in twice; it is counted, and named by its line. Codes are secrets: they are never told back, logged or
//! said in an event, but with the coupon that bears them to whoever may see that whole.

pub mod file;

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::event::Refusal;
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::{Day, Ts};
use zhiyin_store::coupons::codes::{
    CodePart, CodeUpload, NewCode, NewUpload, PART_CODES_MAX, UPLOADS_OPEN_MAX,
};

use crate::audit::{self, Outcome, Target, detail};
use crate::boxed;
use crate::{Engine, EngineError, Result, clock};

/// The most parts of an upload: a little more than two million codes.
pub const PARTS_MAX: i64 = 490;
/// The most bytes of a code.
pub const CODE_BYTES_MAX: usize = 255;
/// The most uploads of an offer that are looked at where another begins.
const UPLOADS_SEEN_MAX: usize = 1_000;
/// The most uploads that are listed, the newest first.
pub const UPLOADS_LISTED_MAX: usize = 100;
/// The most codes that came before and are named.
const DOUBLES_MAX: usize = 100;
/// How many withdrawn codes are forgotten at once.
const FORGOTTEN_AT_ONCE: usize = 10_000;

type Answer<T> = Result<std::result::Result<T, Refusal>>;

/// An upload, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodeUploadView {
    /// What it is known by.
    pub batch: String,
    /// For the coupons of which offer.
    pub offer: String,
    /// Whose codes they are.
    pub partner: String,
    /// The last instant before which they are good; nothing, where they always are.
    pub valid_until: Option<String>,
    /// Who uploaded it.
    pub asked_by: String,
    /// When it began, in business time.
    pub asked_at: String,
    /// `open` (parts may come), `whole` (it is handed out), `used_up` or `withdrawn`.
    pub state: String,
    /// How many parts came.
    pub parts: i64,
    /// How many codes were taken in.
    pub codes: i64,
    /// How many were not because they stood in it twice.
    pub twice: i64,
    /// How many were not because an earlier upload had brought them.
    pub known: i64,
    /// How many were handed out.
    pub handed_out: i64,
    /// How many were withdrawn.
    pub withdrawn: i64,
    /// How many are left to be handed out.
    pub left: i64,
    /// Some of those that came before, the first first: at most 100.
    pub doubles: Vec<DoubleView>,
}

/// A code that came before, by its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DoubleView {
    /// In which part.
    pub part: i64,
    /// Its line in the file, or its place in the part, from 1 on.
    pub line: u64,
    /// The upload in which it came before; this one where it stands in it twice.
    pub upload: String,
}

/// What a part came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CodePartView {
    /// Its number.
    pub part: i64,
    /// How many codes were taken in.
    pub codes: i64,
    /// How many were not because they stood in this upload before.
    pub twice: i64,
    /// How many were not because an earlier upload had brought them.
    pub known: i64,
    /// Some of those that came before: at most 20.
    pub doubles: Vec<DoubleView>,
}

impl From<CodePart> for CodePartView {
    fn from(part: CodePart) -> Self {
        let CodePart { part, codes, twice, known, named, .. } = part;
        let doubles =
            named.into_iter().map(|double| DoubleView { part, line: double.line, upload: double.upload });
        Self { part, codes, twice, known, doubles: doubles.collect() }
    }
}

fn unknown() -> Refusal {
    Refusal::new("code_upload_unknown", "batch", "there is no upload of this name")
}

/// A name of an upload: a word of small letters, digits, `_`, `-` and `.`, so that it stands in a path.
fn named(name: &str) -> std::result::Result<(), Refusal> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    match (1..=64).contains(&name.len()) && name.chars().all(fits) && !name.starts_with('.') {
        true => Ok(()),
        false => Err(Refusal::new("bad_text", "batch", "1 to 64 of small letters, digits, `_`, `-` and `.`")),
    }
}

/// A code as it is kept: without blanks around it. Why it is none.
pub fn checked(text: &str) -> std::result::Result<&str, &'static str> {
    let text = text.trim();
    match text {
        "" => Err("empty"),
        _ if text.len() > CODE_BYTES_MAX => Err("text_too_long"),
        _ if text.chars().any(char::is_control) => Err("bad_text"),
        _ => Ok(text),
    }
}

impl Engine {
    /// Begins an upload of codes for an offer whose coupons bear a partner's, or finds the one of this name. They are good up to
    /// a day and on it.
    #[boxed]
    pub async fn begin_code_upload(
        &self,
        grant: &Grant,
        (name, offer): (&str, &str),
        valid_until: Option<Day>,
    ) -> Answer<CodeUpload> {
        if let Err(refusal) = named(name) {
            return Ok(Err(refusal));
        }
        let live = self.live()?;
        let terms = live.playbook.offering.offer(offer).and_then(|offer| offer.coupon.as_ref());
        let Some(partner) = terms.and_then(|terms| terms.codes.clone()) else {
            let message = "the playbook has no offer of this id whose coupon says `codes`";
            return Ok(Err(Refusal::new("offer_unknown", "offer", message)));
        };
        let zone = &live.rules.zone;
        let until = valid_until.map_or(Ts::FOREVER, |day| zone.start(day.plus(1)));
        let at = clock::now(&self.home().await?);
        let store = self.store().coupons();
        if store.code_upload(name).await?.is_none() {
            if until <= at {
                let message = "it lies in the past: none of them could be handed out";
                return Ok(Err(Refusal::new("bad_date", "valid_until", message)));
            }
            let open = store.code_uploads(Some(offer.to_owned()), UPLOADS_SEEN_MAX).await?;
            let open = open.iter().filter(|upload| upload.codes.is_none() || upload.left() > 0).count();
            if open >= UPLOADS_OPEN_MAX {
                let message =
                    format!("{UPLOADS_OPEN_MAX} of this offer have something left: withdraw what is over");
                return Ok(Err(Refusal::new("too_many_uploads", "offer", message)));
            }
            let noted = detail(serde_json::json!({"act": "codes_upload", "offer": offer}));
            self.note_codes(grant, name, Outcome::Begun, &noted).await?;
        }
        let asked = NewUpload {
            name: name.to_owned(),
            offer: offer.to_owned(),
            partner,
            valid_until: until,
            by: grant.who.clone(),
            at,
        };
        let upload = store.begin_upload(asked).await?;
        if upload.asked.offer != offer || upload.asked.valid_until != until {
            let message = "an upload of this name was of something else";
            return Ok(Err(Refusal::new("batch_reused", "batch", message)));
        }
        Ok(Ok(upload))
    }

    async fn note_codes(
        &self,
        grant: &Grant,
        name: &str,
        outcome: Outcome,
        noted: &audit::Detail,
    ) -> Result<()> {
        let (store, target) = (self.store().as_ref(), Target::code(name));
        audit::note(store, grant, Operation::CouponsIssueMany, &target, outcome, noted).await.map(drop)
    }

    /// Takes a part of an upload in: codes, each with its line. Parts are numbered from 0 on.
    #[boxed]
    pub async fn put_codes(&self, name: &str, part: i64, codes: Vec<(u64, String)>) -> Answer<CodePartView> {
        let refused = |code, field: &str, message: String| Ok(Err(Refusal::new(code, field, message)));
        let store = self.store().coupons();
        let Some(upload) = store.code_upload(name).await? else { return Ok(Err(unknown())) };
        if !(0..PARTS_MAX).contains(&part) {
            return refused("bad_number", "part", format!("0 to {}", PARTS_MAX - 1));
        }
        if codes.is_empty() || codes.len() > PART_CODES_MAX {
            return refused("too_many_codes", "codes", format!("1 to {PART_CODES_MAX} in a part"));
        }
        let key = self.home().await?.id_key;
        let partner = upload.asked.partner.as_bytes();
        let mut new = Vec::with_capacity(codes.len());
        for (i, (line, text)) in codes.iter().enumerate() {
            let text = match checked(text) {
                Ok(text) => text,
                Err("text_too_long") => {
                    let message = format!("at most {CODE_BYTES_MAX} bytes");
                    return refused("text_too_long", &format!("codes[{i}]"), message);
                }
                Err(_) => return refused("bad_text", &format!("codes[{i}]"), "no code".to_owned()),
            };
            let hash = key.digest("partner code", &[partner, text.as_bytes()]);
            new.push(NewCode { line: *line, hash, text: text.to_owned() });
        }
        let whole: Vec<&[u8]> = new.iter().map(|code| code.hash.as_slice()).collect();
        let hash = key.digest("codes part", &whole);
        match store.put_codes(upload.no, (part, hash), new).await? {
            None => refused("upload_ended", "part", "the upload is whole: nothing is added to it".to_owned()),
            Some(known) if known.hash != hash => {
                refused("part_reused", "part", "this part came before with other codes".to_owned())
            }
            Some(done) => Ok(Ok(done.into())),
        }
    }

    /// Ends an upload of so many parts: from now on it is handed out. Said again it changes nothing.
    #[boxed]
    pub async fn end_code_upload(&self, grant: &Grant, name: &str, parts: i64) -> Answer<CodeUploadView> {
        let store = self.store().coupons();
        let Some(upload) = store.code_upload(name).await? else { return Ok(Err(unknown())) };
        if !store.end_upload(upload.no, parts).await? {
            let have = store.code_parts(upload.no).await?;
            let missing = (0..parts).find(|part| have.iter().all(|known| known.part != *part));
            let message = missing.map_or_else(
                || format!("it has {} parts", have.len()),
                |part| format!("part {part} is missing"),
            );
            return Ok(Err(Refusal::new("parts_missing", "parts", message)));
        }
        self.codes_changed(&upload.asked.offer);
        let view = self.code_upload_view(name).await?;
        if let (Ok(view), None) = (&view, upload.codes) {
            let noted = serde_json::json!({"act": "codes_upload", "offer": view.offer, "codes": view.codes});
            self.note_codes(grant, name, Outcome::Done, &detail(noted)).await?;
        }
        Ok(view)
    }

    /// An upload by its name, as it stands.
    #[boxed]
    pub async fn code_upload_view(&self, name: &str) -> Answer<CodeUploadView> {
        match self.store().coupons().code_upload(name).await? {
            None => Ok(Err(unknown())),
            Some(upload) => Ok(Ok(self.upload_viewed(upload).await?)),
        }
    }

    /// Uploads of an offer, or of all, the newest first.
    #[boxed]
    pub async fn code_upload_views(&self, offer: Option<&str>) -> Result<Vec<CodeUploadView>> {
        let found = self.store().coupons().code_uploads(offer.map(str::to_owned), UPLOADS_LISTED_MAX).await?;
        let mut views = Vec::with_capacity(found.len());
        for upload in found {
            // Which codes came before is told of one upload.
            views.push(CodeUploadView { doubles: Vec::new(), ..self.upload_viewed(upload).await? });
        }
        Ok(views)
    }

    async fn upload_viewed(&self, upload: CodeUpload) -> Result<CodeUploadView> {
        let parts = self.store().coupons().code_parts(upload.no).await?;
        let sum = |of: fn(&CodePart) -> i64| parts.iter().map(of).sum::<i64>();
        let (left, handed_out) = (upload.left(), upload.taken - upload.withdrawn);
        let (codes, twice, known) = (sum(|part| part.codes), sum(|part| part.twice), sum(|part| part.known));
        let n = i64::try_from(parts.len()).unwrap_or(i64::MAX);
        let doubles = parts.into_iter().flat_map(|part| CodePartView::from(part).doubles);
        let state = match upload.codes {
            None => "open",
            Some(_) if left > 0 => "whole",
            Some(_) if upload.withdrawn > 0 => "withdrawn",
            Some(_) => "used_up",
        };
        let asked = upload.asked;
        let until = Some(asked.valid_until).filter(|until| *until < Ts::FOREVER);
        Ok(CodeUploadView {
            batch: asked.name,
            offer: asked.offer,
            partner: asked.partner,
            valid_until: until.map(Ts::rfc3339),
            asked_by: asked.by,
            asked_at: asked.at.rfc3339(),
            state: state.to_owned(),
            parts: n,
            codes,
            twice,
            known,
            handed_out,
            withdrawn: upload.withdrawn,
            left,
            doubles: doubles.take(DOUBLES_MAX).collect(),
        })
    }

    /// Withdraws what of an upload was not handed out, of one that is open all that has come so far, and forgets those codes: they may come again with another upload. What
    /// members hold stays theirs.
    #[boxed]
    pub async fn withdraw_code_upload(
        &self,
        grant: &Grant,
        name: &str,
        reason: &str,
    ) -> Answer<CodeUploadView> {
        let store = self.store().coupons();
        let Some(upload) = store.code_upload(name).await? else { return Ok(Err(unknown())) };
        // What people write may name somebody: the log, which nothing is taken out of, has its hash.
        let noted = serde_json::json!({
            "act": "codes_withdraw", "offer": upload.asked.offer, "reason": audit::fingerprint(reason),
        });
        let target = Target::code(name);
        self.audited(grant, (Operation::CouponsIssueMany, &target), &detail(noted), async {
            store.withdraw_upload(upload.no).await?;
            self.codes_changed(&upload.asked.offer);
            while store.forget_codes(upload.no, FORGOTTEN_AT_ONCE).await? > 0 {}
            Ok::<_, EngineError>(())
        })
        .await?;
        self.code_upload_view(name).await
    }

    /// How many codes are left for an offer whose coupons bear them; `None` of another offer.
    pub(crate) async fn codes_left(&self, offer: &str) -> Result<Option<i64>> {
        let live = self.live()?;
        let Some(partner) = live.rules.coupons.get(offer).and_then(|rule| rule.codes.as_ref()) else {
            return Ok(None);
        };
        let now = clock::now(&self.home().await?);
        let lots = self.store().coupons().code_lots(offer).await?;
        let good = lots.iter().filter(|(lot, _)| lot.valid_until > now && lot.partner == *partner);
        Ok(Some(good.map(|(lot, taken)| lot.codes - taken).sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_named() {
        let long = "x".repeat(CODE_BYTES_MAX + 1);
        for (text, is) in [
            (" MILK 1 ", Ok("MILK 1")),
            ("", Err("empty")),
            ("\t", Err("empty")),
            ("a\u{7}b", Err("bad_text")),
            (long.as_str(), Err("text_too_long")),
        ] {
            assert_eq!(checked(text), is);
        }
        for (name, fits) in
            [("milk-2026.11", true), ("", false), ("Milk", false), (".a", false), ("a/b", false)]
        {
            assert_eq!(named(name).is_ok(), fits, "{name}");
        }
    }
}
