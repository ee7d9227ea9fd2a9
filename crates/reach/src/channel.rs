//! A channel out of the home: whoever takes a message and brings it to somebody. Each is one file that says what it is called, by
//! which names it finds people, and what came of a hand-over.
//!
//! What came of it has four answers, and only one of them is "sent". A channel says [`Handed::Unknown`] whenever it cannot be certain:
//! whether it may be asked again then, [`Channel::again`] says (semantics 17).

use std::time::Duration;

use async_trait::async_trait;

/// A message on its way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// Its idempotency key: the same whenever it is handed over.
    pub key: [u8; 16],
    /// To whom, as the channel calls people.
    pub to: String,
    /// What it is about, where the channel has that.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The text as HTML, where it has one of its own.
    pub html: Option<String>,
    /// Whether it is in English; else in Chinese.
    pub english: bool,
    /// The sealed word by which what comes back is known; letters and digits.
    pub word: String,
    /// Where whoever gets it says that they want no more, where that may be said.
    pub leave_url: Option<String>,
    /// Whether it was promised, or is a service: then it is no advertising.
    pub promised: bool,
    /// When it is handed over, in seconds since 1970 UTC.
    pub at_seconds: u64,
}

/// What came of handing something over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It was taken.
    Taken {
        /// What whoever took it calls it.
        receipt: String,
    },
    /// It was not taken, and never will be.
    Refused {
        /// Why, by name.
        code: String,
        /// Whether nothing reaches the person there any more.
        unreachable: bool,
    },
    /// It was certainly not taken, and may be later.
    Later {
        /// Why, by name.
        code: String,
        /// How long whoever should have taken it asks to be left alone.
        rest: Option<Duration>,
        /// Whether it is the channel that failed, and no fault of the message.
        channel: bool,
    },
    /// Nobody knows whether it was taken.
    Unknown {
        /// Why, by name.
        code: String,
    },
}

/// Whether something of which nobody knows whether it was taken may be handed over again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Never: whoever takes it would take it twice (SMTP, most SMS).
    Never,
    /// Yes: whoever takes it knows its key.
    ByKey,
}

/// What something costs that is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// As how many it is billed.
    pub parts: u32,
    /// What that costs, in ten-thousandths of the brand's money: 450 is 0.045.
    pub cost: i64,
}

/// A channel out of the home.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What it is called: the name of the channel in playbooks.
    fn name(&self) -> &'static str;
    /// Namespaces of names by which it finds people, the best first.
    fn namespaces(&self) -> &'static [&'static str];
    /// Whether something of which nobody knows may be handed over again.
    fn again(&self) -> Again;
    /// How many are handed over at a time.
    fn at_once(&self) -> usize;
    /// Within which time a hand-over ends, whatever happens.
    fn within(&self) -> Duration;
    /// What handing something over costs, where each costs something: known before it is, from what is said.
    fn charge(&self, parcel: &Parcel) -> Option<Charge> {
        let _free = parcel;
        None
    }
    /// Hands something over.
    async fn hand_over(&self, parcel: &Parcel) -> Handed;
}
