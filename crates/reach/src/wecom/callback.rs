//! What WeCom tells: who it is that speaks is checked before anything is read ([`Callbacks::receive`]), what it says is XML of the
//! plainest kind ([`xml`]), and what that means is one [`Told`] ([`told`]).
//!
//! (Sources: WeCom's developer pages 90930, 90968, 96361, 92277, 97299, read on 2026-11-22.)

pub mod told;
pub mod xml;

use sha2::{Digest, Sha256};

use super::crypto::{Crypto, CryptoProblem, RANDOM_BYTES, SettingProblem};
use crate::platform::Notified;
pub use told::{Notice, Told};
use xml::Element;

/// How long after it was signed something is believed, in seconds, and how long before: WeCom tries three times within seconds, so
/// this is room for clocks that go wrong.
pub const BELIEVED_SECONDS: i64 = 600;
/// Characters of a timestamp, a nonce, a signature at most.
const WORD_CHARS_MAX: usize = 128;

/// What a text says that a door kept; nothing, where it cannot be read.
pub fn said(text: &str) -> Option<Notified> {
    let notice = Notice::read(&xml::read(text.as_bytes()).ok()?);
    Some(Notified { at: notice.at, news: notice.told.news() })
}

/// Why something that came is not taken: each has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum CallbackProblem {
    /// The address does not say what WeCom's says.
    #[error("the address lacks msg_signature, timestamp or nonce")]
    AddressIncomplete,
    /// It was signed long ago, or is still to be.
    #[error("it was signed at another time")]
    Stale,
    /// It is not signed, or not encrypted, as agreed.
    #[error(transparent)]
    Crypto(#[from] CryptoProblem),
    /// It is larger than anything that WeCom sends.
    #[error("it is too large")]
    TooLarge,
    /// It is no UTF-8.
    #[error("it is no UTF-8")]
    NotUtf8,
    /// It ends in the middle.
    #[error("the XML ends in the middle")]
    XmlTruncated,
    /// It is no XML of the kind that WeCom sends.
    #[error("this is no XML as WeCom writes it")]
    XmlMalformed,
    /// It declares something: a document type, an entity.
    #[error("the XML declares something")]
    XmlDeclares,
    /// It names an entity that is none of the five.
    #[error("the XML names an entity")]
    XmlEntity,
    /// It has too many elements, or too many in each other.
    #[error("the XML has too many elements")]
    XmlTooDeep,
    /// The envelope has nothing in it, or several things.
    #[error("the envelope has no one ciphertext")]
    EnvelopeWrong,
    /// What is in the envelope is for another corp or agent than the account's.
    #[error("it is about another agent")]
    AgentWrong,
}

impl CallbackProblem {
    /// Its stable name: a label of what is measured, and a word of the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressIncomplete => "address_incomplete",
            Self::Stale => "stale",
            Self::Crypto(problem) => problem.name(),
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::XmlTruncated => "xml_truncated",
            Self::XmlMalformed => "xml_malformed",
            Self::XmlDeclares => "xml_declares",
            Self::XmlEntity => "xml_entity",
            Self::XmlTooDeep => "xml_too_deep",
            Self::EnvelopeWrong => "envelope_wrong",
            Self::AgentWrong => "agent_wrong",
        }
    }
}

/// What one account shares with WeCom for callbacks.
#[derive(Clone)]
pub struct CallbackSettings {
    /// The token of the callback's configuration.
    pub token: String,
    /// Its *EncodingAESKey*.
    pub aes_key: String,
    /// The corp's id.
    pub corp_id: String,
    /// The agent (app) whose callbacks these are; without one those of all that share the key.
    pub agent_id: Option<i64>,
}

/// What an address says beside what came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signed<'a> {
    /// `msg_signature`.
    pub signature: Option<&'a str>,
    /// `timestamp`, in seconds since 1970.
    pub timestamp: Option<&'a str>,
    /// `nonce`.
    pub nonce: Option<&'a str>,
}

/// Something that was said, and is WeCom's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What it is known again by: it is the same each time that it is sent. SHA-256 of corp, agent and the whole text, since
    /// WeCom gives its events no ids.
    pub key: [u8; 32],
    /// The whole text, decrypted.
    pub text: String,
    /// What it says.
    pub notice: Notice,
}

/// One account's callbacks.
#[derive(Clone, Debug)]
pub struct Callbacks {
    crypto: Crypto,
    corp_id: String,
    agent_id: Option<i64>,
}

impl Callbacks {
    /// Of these settings.
    ///
    /// # Errors
    /// The setting at fault.
    pub fn new(settings: &CallbackSettings) -> Result<Self, SettingProblem> {
        let is_corp = (4..=64).contains(&settings.corp_id.len())
            && settings.corp_id.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_corp {
            return Err(SettingProblem {
                field: "corp_id",
                message: "the corp's id, such as ww1234567890abcdef",
            });
        }
        let crypto = Crypto::new(&settings.token, &settings.aes_key, &settings.corp_id)?;
        Ok(Self { crypto, corp_id: settings.corp_id.clone(), agent_id: settings.agent_id })
    }

    /// Whose they are.
    pub fn corp_id(&self) -> &str {
        &self.corp_id
    }

    /// The answer to WeCom's asking whether this address is ours (`echostr`). `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`CallbackProblem`].
    pub fn echo(&self, signed: Signed<'_>, echo: &str, now: i64) -> Result<Vec<u8>, CallbackProblem> {
        self.open(signed, echo, now)
    }

    /// Checks and reads what was posted. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`CallbackProblem`]; who spoke is looked at before anything that they said.
    pub fn receive(&self, signed: Signed<'_>, body: &[u8], now: i64) -> Result<Received, CallbackProblem> {
        let envelope = xml::read(body)?;
        let mut encrypted = envelope.children.iter().filter(|child| child.name == "Encrypt");
        let (Some(ciphertext), None) = (encrypted.next(), encrypted.next()) else {
            return Err(CallbackProblem::EnvelopeWrong);
        };
        let plain = self.open(signed, ciphertext.text.trim(), now)?;
        let root = xml::read(&plain)?;
        let text = String::from_utf8(plain).map_err(|_| CallbackProblem::NotUtf8)?;
        let agent = self.agent(&envelope, &root)?;
        let mut hash = Sha256::new();
        for part in [self.corp_id.as_str(), agent, &text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let notice = Notice::read(&root);
        Ok(Received { key: hash.finalize().into(), text, notice })
    }

    /// Whose it is by the envelope, as far as it says; that may not be another's than the account's.
    fn agent<'e>(&self, envelope: &'e Element, root: &'e Element) -> Result<&'e str, CallbackProblem> {
        let agent = root.said("AgentID").or_else(|| envelope.said("AgentID")).unwrap_or_default();
        let is_other = |ours: i64| !agent.is_empty() && agent.parse() != Ok(ours) && agent != "0";
        let to = root.said("ToUserName").unwrap_or(&self.corp_id);
        if to != self.corp_id || self.agent_id.is_some_and(is_other) {
            return Err(CallbackProblem::AgentWrong);
        }
        Ok(agent)
    }

    fn open(&self, signed: Signed<'_>, ciphertext: &str, now: i64) -> Result<Vec<u8>, CallbackProblem> {
        let (Some(signature), Some(timestamp), Some(nonce)) =
            (signed.signature, signed.timestamp, signed.nonce)
        else {
            return Err(CallbackProblem::AddressIncomplete);
        };
        if [signature, timestamp, nonce].iter().any(|word| word.len() > WORD_CHARS_MAX) {
            return Err(CallbackProblem::AddressIncomplete);
        }
        let plain = self.crypto.open(signature, timestamp, nonce, ciphertext)?;
        // Only what is signed says when it was.
        let at: i64 = timestamp.parse().map_err(|_| CallbackProblem::Stale)?;
        if at.saturating_sub(now).saturating_abs() > BELIEVED_SECONDS {
            return Err(CallbackProblem::Stale);
        }
        Ok(plain)
    }

    /// What WeCom asks with whether an address is ours: the query, signed and encrypted around `word`, which the answer must be.
    pub fn question(&self, word: &str, random: [u8; RANDOM_BYTES], timestamp: &str, nonce: &str) -> String {
        let echo = self.crypto.encrypt(word.as_bytes(), random);
        let signature = self.crypto.signature(timestamp, nonce, &echo);
        let echo = crate::clickhouse::encoded(&echo);
        format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}&echostr={echo}")
    }

    /// What WeCom would post, signed and encrypted: for what speaks to a home as WeCom does. The body, and its signature.
    pub fn sealed(
        &self,
        text: &str,
        random: [u8; RANDOM_BYTES],
        timestamp: &str,
        nonce: &str,
    ) -> (String, String) {
        let encrypted = self.crypto.encrypt(text.as_bytes(), random);
        let signature = self.crypto.signature(timestamp, nonce, &encrypted);
        let agent = self.agent_id.map(|agent| agent.to_string()).unwrap_or_default();
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt><AgentID>{agent}</AgentID></xml>",
            self.corp_id
        );
        (body, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const STAMP: &str = "1800000000";

    fn settings() -> CallbackSettings {
        CallbackSettings {
            token: "QDG6eK".to_owned(),
            aes_key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".to_owned(),
            corp_id: "wx5823bf96d3bd56c7".to_owned(),
            agent_id: Some(1_000_002),
        }
    }

    fn callbacks() -> Callbacks {
        Callbacks::new(&settings()).unwrap()
    }

    fn said(signature: &str) -> Signed<'_> {
        Signed { signature: Some(signature), timestamp: Some(STAMP), nonce: Some("n") }
    }

    #[test]
    fn what_is_the_same_has_one_key_and_anything_else_another() {
        let callbacks = callbacks();
        let receive = |text: &str, random| {
            let (body, signature) = callbacks.sealed(text, random, STAMP, "n");
            callbacks.receive(said(&signature), body.as_bytes(), NOW).unwrap()
        };
        let first = receive("<xml><Event>a</Event></xml>", [1; 16]);
        assert_eq!(
            receive("<xml><Event>a</Event></xml>", [2; 16]).key,
            first.key,
            "encrypted anew it is the same"
        );
        assert_ne!(receive("<xml><Event>b</Event></xml>", [1; 16]).key, first.key);
        assert_eq!(first.text, "<xml><Event>a</Event></xml>");
    }

    fn refused(callbacks: &Callbacks, signed: Signed<'_>, body: &str, now: i64) -> &'static str {
        callbacks.receive(signed, body.as_bytes(), now).map(drop).unwrap_err().name()
    }

    #[test]
    fn nothing_is_read_of_who_did_not_sign_and_each_refusal_has_its_name() {
        let callbacks = callbacks();
        let text = "<xml><ToUserName>wx5823bf96d3bd56c7</ToUserName><Event>a</Event></xml>";
        let (body, signature) = callbacks.sealed(text, [1; 16], STAMP, "n");
        assert_eq!(refused(&callbacks, said("0"), &body, NOW), "signature_wrong");
        assert_eq!(
            refused(&callbacks, Signed { nonce: None, ..said(&signature) }, &body, NOW),
            "address_incomplete"
        );
        assert_eq!(refused(&callbacks, said(&signature), &body, NOW + 601), "stale");
        assert_eq!(refused(&callbacks, said(&signature), &body, NOW - 601), "stale");
        assert_eq!(refused(&callbacks, said(&signature), &body[..body.len() - 1], NOW), "xml_truncated");
        assert_eq!(refused(&callbacks, said(&signature), "<xml/>", NOW), "envelope_wrong");
        assert_eq!(
            refused(&callbacks, said(&signature), "<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", NOW),
            "envelope_wrong"
        );
        assert_eq!(refused(&callbacks, said(&signature), &"x".repeat(65_537), NOW), "too_large");
        let inner = |text: &str| {
            let (body, signature) = callbacks.sealed(text, [1; 16], STAMP, "n");
            refused(&callbacks, said(&signature), &body, NOW)
        };
        assert_eq!(inner("<xml><ToUserName>ww1</ToUserName></xml>"), "agent_wrong");
        assert_eq!(inner("<xml><AgentID>7</AgentID></xml>"), "agent_wrong");
        assert_eq!(inner("<xml>&boom;</xml>"), "xml_entity");
        let other = CallbackSettings { token: "other".to_owned(), ..settings() };
        let (body, signature) = Callbacks::new(&other).unwrap().sealed(text, [1; 16], STAMP, "n");
        assert_eq!(refused(&callbacks, said(&signature), &body, NOW), "signature_wrong");
        let other = CallbackSettings { corp_id: "ww99999999".to_owned(), ..settings() };
        let (body, signature) = Callbacks::new(&other).unwrap().sealed(text, [1; 16], STAMP, "n");
        assert_eq!(refused(&callbacks, said(&signature), &body, NOW), "receiver_wrong");
    }

    #[test]
    fn an_address_is_checked_by_what_it_echoes() {
        let callbacks = callbacks();
        let crypto = Crypto::new("QDG6eK", &settings().aes_key, "wx5823bf96d3bd56c7").unwrap();
        let echo = crypto.encrypt(b"1616140317555161061", [3; 16]);
        let signature = crypto.signature(STAMP, "n", &echo);
        assert_eq!(callbacks.echo(said(&signature), &echo, NOW).unwrap(), b"1616140317555161061");
        assert_eq!(callbacks.echo(said("x"), &echo, NOW).unwrap_err().name(), "signature_wrong");
        for (settings, field) in [
            (CallbackSettings { corp_id: String::new(), ..settings() }, "corp_id"),
            (CallbackSettings { token: String::new(), ..settings() }, "token"),
            (CallbackSettings { aes_key: String::new(), ..settings() }, "aes_key"),
        ] {
            assert_eq!(Callbacks::new(&settings).unwrap_err().field, field);
        }
    }
}
