//! The door for what WeChat tells an app. Who speaks is checked before anything is read; an app that shares a key takes nothing that is
//! not encrypted, since the plain signature is of the address only and not of what was said.

use async_trait::async_trait;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Wechat;
use super::news::{WechatNews, What, what};
use super::settings::Callback;
use crate::door::{Brought, Door, How, Kept, NEWS, Refused, Taken};
use crate::wecom::callback::xml::{self, Element};
use crate::wecom::callback::{BELIEVED_SECONDS, CallbackProblem};
use crate::wecom::crypto::{CryptoProblem, is_same, signature};

/// Characters of a timestamp, a nonce, a signature, a word to echo at most.
const WORD_CHARS_MAX: usize = 128;

fn refused(problem: CallbackProblem) -> Refused {
    problem.into()
}

fn stamped(timestamp: &str, now: i64) -> Result<(), Refused> {
    let at: i64 = timestamp.parse().map_err(|_| refused(CallbackProblem::Stale))?;
    if at.saturating_sub(now).saturating_abs() > BELIEVED_SECONDS {
        return Err(refused(CallbackProblem::Stale));
    }
    Ok(())
}

/// A word that an address says.
fn word<'a>(brought: Brought<'a>, name: &str) -> Result<&'a str, Refused> {
    let said = brought.said(name).filter(|said| !said.is_empty() && said.len() <= WORD_CHARS_MAX);
    said.ok_or(refused(CallbackProblem::AddressIncomplete))
}

impl Wechat {
    fn callback(&self) -> Result<&Callback, Refused> {
        self.settings().callback.as_ref().ok_or(Refused::new("account_unknown", How::Nowhere))
    }

    /// Whether whoever wrote the address knows the token, now.
    fn is_signed(&self, brought: Brought<'_>, now: i64) -> Result<(), Refused> {
        let (said, timestamp, nonce) =
            (word(brought, "signature")?, word(brought, "timestamp")?, word(brought, "nonce")?);
        let wanted = match self.callback()? {
            Callback::Sealed(crypto) => crypto.signature_plain(timestamp, nonce),
            Callback::Plain(token) => signature([token.said(), timestamp, nonce]),
        };
        if !is_same(&wanted, said) {
            return Err(refused(CallbackProblem::Crypto(CryptoProblem::SignatureWrong)));
        }
        stamped(timestamp, now)
    }

    /// What was told, checked.
    fn opened(&self, brought: Brought<'_>, now: i64) -> Result<Element, Refused> {
        let Callback::Sealed(crypto) = self.callback()? else {
            self.is_signed(brought, now)?;
            return xml::read(brought.body).map_err(refused);
        };
        let envelope = xml::read(brought.body).map_err(refused)?;
        let mut encrypted = envelope.children.iter().filter(|child| child.name == "Encrypt");
        let (Some(ciphertext), None) = (encrypted.next(), encrypted.next()) else {
            return Err(refused(CallbackProblem::EnvelopeWrong));
        };
        let (said, timestamp, nonce) =
            (word(brought, "msg_signature")?, word(brought, "timestamp")?, word(brought, "nonce")?);
        let opened = crypto.open(said, timestamp, nonce, ciphertext.text.trim());
        let plain = opened.map_err(|problem| refused(CallbackProblem::Crypto(problem)))?;
        // Only what is signed says when it was.
        stamped(timestamp, now)?;
        xml::read(&plain).map_err(refused)
    }

    /// Checks who speaks and reads what they say. `now` is in seconds since 1970 UTC.
    pub fn take(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused> {
        let root = self.opened(brought, now)?;
        let (what, kept) = self.kept(&root)?;
        Ok(Taken { kind: what.name(), kept: kept.into_iter().collect() })
    }

    /// What is told, as it is kept: known again by the platform's number of it, else by who did what when.
    fn kept(&self, root: &Element) -> Result<(What, Option<Kept>), Refused> {
        let to = root.said("ToUserName").unwrap_or_default();
        if self.settings().original_id.as_deref().is_some_and(|own| own != to) {
            return Err(Refused::new("of_another_account", How::Forbidden));
        }
        let mut what = what(root);
        if let What::Said { persona, answers, .. } = &mut what {
            persona.clone_from(&self.settings().persona);
            *answers = self.settings().answers;
        }
        if what == What::Other {
            return Ok((what, None));
        }
        let unreadable = Refused::new("unreadable", How::Forbidden);
        let is_id = |id: &&str| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic());
        let id = root.said("FromUserName").filter(is_id).ok_or(unreadable)?;
        let time = root.said("CreateTime").ok_or(unreadable)?;
        let at: i64 = time.parse().map_err(|_| unreadable)?;
        let mut hash = Sha256::new();
        // The platform tells the same up to three times.
        let parts: [&str; 5] = match root.said("MsgId") {
            Some(number) => [self.appid(), "message", number, "", ""],
            None => [self.appid(), id, time, root.said("Event").unwrap_or_default(), ""],
        };
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let news = WechatNews {
            app: self.appid().to_owned(),
            namespace: self.openids(),
            id: id.to_owned(),
            at,
            what,
        };
        let body = match serde_json::to_value(&news) {
            Ok(Value::Object(body)) => body,
            _ => Map::new(),
        };
        if root.said("MsgId").is_none() {
            // Of two within one second that say something else neither is the other.
            let what = body.iter().filter(|(name, _)| *name != "at").map(|(_, value)| value.to_string());
            hash.update(what.collect::<String>().as_bytes());
        }
        let about = Some((news.namespace.clone(), news.id.clone()));
        let kept = Kept { key: hash.finalize().to_vec(), lane: NEWS, about, body };
        Ok((news.what, Some(kept)))
    }
}

#[async_trait]
impl Door for Wechat {
    fn channel(&self) -> &'static str {
        super::CHANNEL
    }

    fn whose(&self) -> String {
        self.appid().to_owned()
    }

    fn echo(&self, brought: Brought<'_>, now: i64) -> Result<Vec<u8>, Refused> {
        self.is_signed(brought, now)?;
        Ok(word(brought, "echostr")?.as_bytes().to_vec())
    }

    async fn receive(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused> {
        self.take(brought, now)
    }

    fn well(&self) -> &'static str {
        "success"
    }
}
