//! A door: where a channel of some kind brings what happened there, over HTTP. One file a kind says who is believed and what it means;
//! whoever keeps what comes knows none of them.
//!
//! What comes is checked before anything of it is read, and what it comes to are things to keep ([`Kept`]), each known again by what the
//! channel knows it by. Nothing here keeps anything or reads a clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

/// The largest body that a door reads which says nothing else, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The lane of what somebody may be welcomed for: before everything else.
pub const WELCOME: &str = "welcome";
/// The lane of news.
pub const NEWS: &str = "news";

/// What is brought.
#[derive(Clone, Copy, Debug, Default)]
pub struct Brought<'a> {
    /// What the address says, by names, decoded.
    pub query: &'a [(String, String)],
    /// What the head says; names in small letters.
    pub heads: &'a [(String, String)],
    /// The body, as it came.
    pub body: &'a [u8],
}

fn first<'a>(of: &'a [(String, String)], name: &str) -> Option<&'a str> {
    of.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
}

impl<'a> Brought<'a> {
    /// What the address says under a name.
    pub fn said(&self, name: &str) -> Option<&'a str> {
        first(self.query, name)
    }

    /// What the head says under a name in small letters.
    pub fn head(&self, name: &str) -> Option<&'a str> {
        first(self.heads, name)
    }
}

/// What kind of refusal it is: whoever brings it learns no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is not believed, or not understood.
    Forbidden,
    /// It is too large.
    TooLarge,
    /// Nothing of this kind is here.
    Nowhere,
}

/// Something that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, by a name that stays.
    pub why: &'static str,
    /// What kind of refusal it is.
    pub how: How,
    /// Whether it is counted only: nobody has to be told of it.
    pub is_quiet: bool,
}

impl Refused {
    /// One of which people are told.
    pub const fn new(why: &'static str, how: How) -> Self {
        Self { why, how, is_quiet: false }
    }
}

/// Something to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What it is known again by within its channel.
    pub key: Vec<u8>,
    /// In which lane it is worked on.
    pub lane: &'static str,
    /// Whom it is about, as a namespace of a home and a value: it ends with them.
    pub about: Option<(String, String)>,
    /// What it says.
    pub body: Map<String, Value>,
}

/// What something that came is.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Of which kind it is, by a name that stays.
    pub kind: &'static str,
    /// What is kept of it; nothing, where nobody here has a use for it. The first tells whether it is new.
    pub kept: Vec<Kept>,
}

/// The door of one of the brand's accounts on a channel.
#[async_trait]
pub trait Door: Send + Sync {
    /// What the channel is called.
    fn channel(&self) -> &'static str;
    /// Whose account it is, as the channel names it.
    fn whose(&self) -> String;
    /// The answer to a platform that asks whether this address is ours. `now` is in seconds since 1970 UTC.
    fn echo(&self, brought: Brought<'_>, now: i64) -> Result<Vec<u8>, Refused> {
        let _nobody_asks = (brought, now);
        Err(Refused::new("nothing_to_echo", How::Nowhere))
    }
    /// Checks who speaks, and reads what they say.
    async fn receive(&self, brought: Brought<'_>, now: i64) -> Result<Taken, Refused>;
    /// The largest body that is read, in bytes.
    fn body_bytes_max(&self) -> usize {
        BODY_BYTES_MAX
    }
    /// What goes with an answer that is well; nothing where the channel does not ask for it.
    fn well(&self) -> &'static str {
        ""
    }
    /// What goes with an answer that is not well, as JSON; nothing where the channel does not ask for it.
    fn not_well(&self) -> &'static str {
        ""
    }
}

/// Doors by the channel and the name of the brand's account there.
pub type Doors = BTreeMap<(String, String), Arc<dyn Door>>;
