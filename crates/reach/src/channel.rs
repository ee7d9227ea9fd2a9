//! A channel out of the home: whoever takes a message and brings it to somebody. Each is one file that says what it is called, by
//! which names it finds people, and what came of a hand-over.
//!
//! What came of it has four answers, and only one of them is "sent". A channel says [`Handed::Unknown`] whenever it cannot be certain:
//! whether it may be asked again then, [`Channel::again`] says (semantics 17).

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Whether somebody must have allowed a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allows {
    /// Nobody asks: whoever is in contact gets it.
    #[default]
    Always,
    /// Each message, once: a yes is used up by it.
    Once,
    /// Until they say no.
    Standing,
}

/// A form that is registered with a platform, filled in: where a channel takes no free texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Through which of the brand's accounts.
    pub account: String,
    /// Which form, as the platform calls it.
    pub template: String,
    /// Whether somebody must have allowed it.
    pub allows: Allows,
    /// Its fields, by name.
    pub fields: Vec<(String, String)>,
    /// Where it leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// What whoever gets something must have allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// On which channel and account, as a home calls them.
    pub account: String,
    /// As whom it knows them: a namespace and a name.
    pub whom: (String, String),
    /// Of which form.
    pub template: String,
    /// Whether a yes is used up by it.
    pub once: bool,
}

/// Why something was refused that nobody allowed: what is known of that is put right.
pub const NOT_ALLOWED: &str = "not_allowed";

/// A message on its way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// Its idempotency key: the same whenever it is handed over.
    pub key: [u8; 16],
    /// To whom, as the channel calls people.
    pub to: String,
    /// By names of which namespace they are called so.
    pub namespace: String,
    /// What it is about, where the channel has that.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The text as HTML, where it has one of its own.
    pub html: Option<String>,
    /// The form that is filled in, where the channel takes no free texts.
    pub form: Option<Form>,
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
    /// The same, of one message: where its form says by which names people are known.
    fn finds_by(&self, form: Option<&Form>) -> Vec<String> {
        let _any = form;
        self.namespaces().iter().map(|name| (*name).to_owned()).collect()
    }
    /// What whoever gets it must have allowed; nothing where nobody asks.
    fn permit(&self, parcel: &Parcel) -> Option<Permit> {
        let _any = parcel;
        None
    }
    /// The account whose contacts alone get it: of whom it is known that they ended the contact it is not handed over.
    fn of_contacts(&self, parcel: &Parcel) -> Option<String> {
        let _any = parcel;
        None
    }
    /// Whether what became of a message is told later, by its receipt.
    fn tells_later(&self) -> bool {
        false
    }
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
