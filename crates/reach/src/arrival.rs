//! What came from a platform, in words that name no platform: what a home makes of it.

/// Who ended a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The customer did.
    Customer,
    /// The brand's staff did.
    Staff,
    /// A colleague has it now.
    HandedOver,
}

impl EndedBy {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::HandedOver => "handed_over",
        }
    }
}

/// Something that must be asked of the platform before anything can be made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What is known of a customer there, as one account sees them.
    Customer {
        /// The account.
        account: String,
        /// Who.
        customer: String,
    },
    /// Who is in a group, and what it is called.
    Group {
        /// Which.
        group: String,
        /// The version of its members that the news was told after, where it says.
        version_before: Option<String>,
        /// The version that it was announced to have since, where it says.
        version: Option<String>,
    },
    /// Which tags there are.
    Tags,
    /// What was said at a desk.
    Spoken {
        /// Which, where it says; else at any.
        desk: Option<String>,
        /// What asking bears, for as long as it is fresh.
        token: Option<String>,
    },
}

impl Ask {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Customer { .. } => "customer",
            Self::Group { .. } => "group",
            Self::Tags => "tags",
            Self::Spoken { .. } => "spoken",
        }
    }
}

/// What something that came means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A contact between a customer and an account began.
    ContactBegun {
        /// The account.
        account: String,
        /// Who.
        customer: String,
        /// Whether they have not confirmed it yet.
        half: bool,
        /// What the way is called by which they came.
        way: Option<String>,
    },
    /// One ended.
    ContactEnded {
        /// The account.
        account: String,
        /// Who.
        customer: String,
        /// By whom.
        by: EndedBy,
    },
    /// A customer was not handed over to an account.
    NotHandedOver {
        /// The account.
        account: String,
        /// Who.
        customer: String,
        /// Why, by the platform's name.
        reason: String,
    },
    /// Customers came into a group, or left it.
    Group {
        /// Which.
        group: String,
        /// Who.
        customers: Vec<String>,
        /// Whether they came.
        joined: bool,
        /// How they came, or whether they were removed, by a name.
        how: Option<&'static str>,
    },
    /// The platform must be asked.
    Ask(Ask),
}

/// Somebody may be welcomed, with a code that is good once and for a short while.
#[derive(Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The account that welcomes.
    pub account: String,
    /// Whom.
    pub customer: String,
    /// What the way is called by which they came.
    pub way: Option<String>,
    /// The code.
    pub code: String,
    /// Until when it is good, in seconds since 1970.
    pub until: i64,
}

impl std::fmt::Debug for Welcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Welcome")
            .field("account", &self.account)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
