//! An app of the brand's on a platform, in which people are known by ids of its own: who signs in there, what its codes say, what its pages
//! may do. In words that name no platform.
//!
//! Whoever is known in several apps of one owner bears one more name that is the same in all of them; a home finds by it that they are one.

use async_trait::async_trait;
use serde::Serialize;

use crate::platform::Answer;

/// How long a word to somebody may be, in characters (…/Message_Management/Service_Center_messages.html).
pub const WORD_CHARS_MAX: usize = 600;

/// Somebody as an app knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Somebody {
    /// Their id in the app.
    pub id: String,
    /// What they are called across apps of one owner, where the app was told.
    pub across: Option<String>,
}

/// What a page of the brand's needs to ask more of the platform's browser than any page may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageSignature {
    /// Which app.
    pub app: String,
    /// When it was signed, in seconds since 1970 UTC.
    pub timestamp: i64,
    /// A word that is another each time.
    pub nonce: String,
    /// The signature.
    pub signature: String,
}

/// A code that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeCode {
    /// By what the platform knows it.
    pub id: String,
    /// Where its picture lies; nothing, where the picture itself was given.
    pub picture: Option<String>,
    /// What whoever scans it opens, where that can be drawn as a code anew.
    pub content: Option<String>,
    /// The picture, where it was given.
    pub bytes: Vec<u8>,
}

/// An app, spoken to. Copies of it share what they know.
#[async_trait]
pub trait App: Send + Sync {
    /// What the channel is called.
    fn channel(&self) -> &'static str;
    /// What the platform calls the app.
    fn id(&self) -> &str;
    /// How people are named in a home who are known in it.
    fn namespace(&self) -> String;
    /// How they are named who are known across apps of one owner.
    fn namespace_across(&self) -> &'static str;
    /// Where somebody goes who signs in with the platform's browser, to come back to an address of ours with a code and `state`; nothing,
    /// where people sign in by a code that the app brings. `asks` asks them for more than who they are.
    fn sign_in_url(&self, back: &str, state: &str, asks: bool) -> Option<String>;
    /// Who brings a code of signing in. It is good once.
    async fn signed_in(&self, code: &str) -> Answer<Somebody>;
    /// The phone number that somebody gave an app, by the code that it got for it; as `+8613800000000`. The code is good once.
    async fn phone(&self, code: &str) -> Answer<String>;
    /// What is known of somebody who is in contact with the app; nothing, where they are not.
    async fn who(&self, id: &str) -> Answer<Option<Somebody>>;
    /// Whether a page is the brand's: one that may be signed, and to which somebody may be led back.
    fn is_own_page(&self, url: &str) -> bool;
    /// Signs a page. `nonce` is another each time.
    async fn sign_page(&self, url: &str, nonce: &str) -> Answer<PageSignature>;
    /// Makes a code of which the app is told by whom it was scanned: a lasting one, or for so many seconds.
    async fn make_code(&self, scene: &str, seconds: Option<u32>) -> Answer<MadeCode>;
    /// Whether lasting codes with the same scene are the same code, so that one may be made again where nobody knows.
    fn makes_codes(&self) -> bool;
    /// Says a word to somebody who said something within the time that the platform allows.
    async fn reply(&self, to: &str, text: &str) -> Answer<()>;
}
