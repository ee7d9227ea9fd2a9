//! Where customers ask, and are answered by whoever is there: what is said to a desk, and what is answered.

/// A place of a platform where customers ask, and are answered by whoever is there: several may be one persona.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Helpdesk {
    /// Its id.
    pub desk: String,
    /// What customers see.
    pub name: String,
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The customer.
    Customer,
    /// One of the staff, in the platform's own client.
    Staff(String),
}

/// What was sent beside or in place of a text. It stays where it is: here is by what it is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// `picture`, `voice`, `video`, `file`, `place`, `link`, `page` or `other`.
    pub kind: &'static str,
    /// By what the platform knows it, or an address; it may be nothing.
    pub media: String,
}

/// Who has a customer at a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// Nobody has them yet.
    Nobody,
    /// An app has, which may be this one.
    App,
    /// They wait for one of the staff.
    Queue,
    /// One of the staff has, in the platform's own client.
    Staff(Option<String>),
    /// It is over, until they say something.
    Over,
}

impl Session {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::App => "app",
            Self::Queue => "queue",
            Self::Staff(_) => "staff",
            Self::Over => "over",
        }
    }
}

/// Something that was said or happened at a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpokenWhat {
    /// A word.
    Word {
        /// Whose.
        by: Speaker,
        /// What it says; nothing, where something was sent in place of a text.
        text: String,
        /// What was sent with it.
        attached: Option<Attachment>,
    },
    /// An answer that was taken did not arrive after all.
    NotArrived {
        /// What it is known by: [`Reply::id`].
        reply: String,
        /// Why, by a name that stays.
        why: &'static str,
    },
    /// Whoever said it took a word back.
    TakenBack {
        /// Which: [`Spoken::id`].
        word: String,
    },
    /// Somebody else has the customer from now on.
    Session(Session),
}

/// The same with where, whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// What it is known by; told again it is the same.
    pub id: String,
    /// At which desk.
    pub desk: String,
    /// Of which customer.
    pub customer: String,
    /// When.
    pub at: i64,
    /// What.
    pub what: SpokenWhat,
}

/// A part of what was said at a desk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpokenPage {
    /// What, in its order.
    pub items: Vec<Spoken>,
    /// Where to go on from.
    pub next: Option<String>,
    /// Whether there is more already, though there may be nothing in this part.
    pub more: bool,
}

/// An answer to a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What it is known by: 1 to 32 letters, digits, `_` and `-`.
    pub id: String,
    /// From which desk.
    pub desk: String,
    /// To whom.
    pub customer: String,
    /// What it says.
    pub text: String,
}

/// Somebody who asks, as a platform knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub customer: String,
    /// What they call themselves.
    pub name: String,
    /// Who they are across apps of one owner, where that is known.
    pub unionid: Option<String>,
}
