//! Who may do what: roles and operations, the one table that says it, and what a grant comes to for one operation.
//!
//! The table is [`matrix`]. Whoever asks for something brings a [`Grant`]; [`Grant::filter`] says no, or gives the [`Filter`]
//! that the query must take: which members, orders or places, and how much of a person is shown. Whatever a grant does not
//! say is refused: a role that is bound to a place does nothing without one.

mod matrix;
mod text;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::mask::Mask;
pub use matrix::{MATRIX, Row};
pub use text::{markdown, plain};

/// Words with a name each, and the list of all of them in order.
macro_rules! named {
    ($(#[$about:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, as it is stored and written on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The one of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// What somebody is to the brand.
    Role {
        /// Answers for the home: everything.
        Owner = "owner",
        /// Plans campaigns and writes the playbook.
        Marketer = "marketer",
        /// Reads and compares, and knows nobody by name.
        Analyst = "analyst",
        /// Leads a place and those under it.
        StoreManager = "store_manager",
        /// Looks after members of their own.
        Advisor = "advisor",
        /// Stands at the till of one place.
        Cashier = "cashier",
        /// A write key that lies open, in a page or an app: it can only send.
        Public = "public",
    }
}

impl Role {
    /// Its name in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Owner => "所有者",
            Self::Marketer => "营销",
            Self::Analyst => "分析师",
            Self::StoreManager => "店长",
            Self::Advisor => "导购",
            Self::Cashier => "收银员",
            Self::Public => "公开写入",
        }
    }

    /// Whether any of its verdicts is bound to a place.
    pub fn needs_place(self) -> bool {
        self.verdicts().any(|verdict| matches!(verdict.scope(), Some(Scope::Subtree | Scope::OwnPlace)))
    }

    /// Whether any of its verdicts is bound to a person of the staff.
    pub fn needs_staff(self) -> bool {
        self.verdicts().any(|verdict| verdict.scope() == Some(Scope::Mine))
    }

    fn verdicts(self) -> impl Iterator<Item = Verdict> {
        Operation::ALL.iter().map(move |operation| verdict(self, *operation))
    }
}

named! {
    /// What can be done with a home.
    Operation {
        /// Finding one member by an identifier that they show.
        MemberLookup = "member_lookup",
        /// Reading one member whole.
        MemberRead = "member_read",
        /// Listing members.
        MemberList = "member_list",
        /// Making a member.
        MemberEnrol = "member_enrol",
        /// Changing attributes and identifiers.
        MemberUpdate = "member_update",
        /// Putting tags on and taking them off.
        MemberTag = "member_tag",
        /// Making two members one.
        MemberMerge = "member_merge",
        /// Undoing that.
        MemberUnmerge = "member_unmerge",
        /// Forgetting a person.
        MemberErase = "member_erase",
        /// Taking members out in a file.
        MemberExport = "member_export",
        /// Spending a member's points.
        PointsSpend = "points_spend",
        /// Giving spent points back.
        PointsReturn = "points_return",
        /// Adding or taking points by hand.
        PointsAdjust = "points_adjust",
        /// Sending money to members, and reading what was sent.
        PayoutsMake = "payouts_make",
        /// Issuing coupons to a member, and taking them back.
        CouponsIssue = "coupons_issue",
        /// Claiming a coupon for a member who wants it, and redeeming one.
        CouponsUse = "coupons_use",
        /// Issuing coupons to many at once.
        CouponsIssueMany = "coupons_issue_many",
        /// Opening, closing and holding draws.
        DrawsManage = "draws_manage",
        /// Reading, pausing, stopping and trying campaigns, and beginning one for a member.
        CampaignsManage = "campaigns_manage",
        /// Handing customers and groups of one of the staff over to another.
        ContactsHandOver = "contacts_hand_over",
        /// Saying that a member saw what was said to them, or that a task is done.
        MessagesAnswer = "messages_answer",
        /// Reading what members said, and what was answered.
        InboxRead = "inbox_read",
        /// Answering members, and saying who looks after a conversation and where it stands.
        InboxAnswer = "inbox_answer",
        /// Pricing carts for members: quoting, locking, paying, letting go.
        Checkout = "checkout",
        /// Taking back what was bought at a checkout.
        CheckoutReturn = "checkout_return",
        /// Leasing stock, quotas and coupons to tills that sell without a network, and telling what they sold.
        TillsLease = "tills_lease",
        /// Reading orders.
        OrdersRead = "orders_read",
        /// Reading reports and the overview.
        ReportsRead = "reports_read",
        /// Reading, checking and comparing the playbook.
        PlaybookRead = "playbook_read",
        /// Making a playbook live.
        PlaybookApply = "playbook_apply",
        /// Reading the tree of places and who works there.
        PlacesRead = "places_read",
        /// Changing the tree of places.
        PlacesWrite = "places_write",
        /// Changing who works where.
        StaffWrite = "staff_write",
        /// Reading events that could not be decided.
        DeadLettersRead = "dead_letters_read",
        /// Putting them back.
        DeadLettersRetry = "dead_letters_retry",
        /// Sending items of any kind, and importing files.
        IngestWrite = "ingest_write",
        /// Sending what a page or an app may send that anybody can read.
        IngestPublic = "ingest_public",
        /// Making, rotating and revoking keys.
        KeysManage = "keys_manage",
        /// Reading the audit log.
        AuditRead = "audit_read",
        /// Backup, restore, migration, archive, the clock, the doctor.
        HomeManage = "home_manage",
        /// Settling what may be one person or two.
        DuplicatesReview = "duplicates_review",
        /// Noting consent and its withdrawal.
        ConsentWrite = "consent_write",
        /// Saying where events are sent to.
        WebhooksManage = "webhooks_manage",
        /// Closing a month of the books for good.
        BooksClose = "books_close",
    }
}

/// What a scope is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A member: their home store, and their advisor.
    Member,
    /// An order: the place where it was made.
    Order,
    /// Something that is done at a place: that place, whosever member it is done for.
    Act,
    /// A place or who works there.
    Place,
    /// The brand as a whole.
    Brand,
}

impl About {
    /// Its name, as tables show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Order => "order",
            Self::Act => "act",
            Self::Place => "place",
            Self::Brand => "brand",
        }
    }
}

/// How far something allowed reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// The place of the grant and whatever is under it.
    Subtree,
    /// Only members whose advisor is the one of the grant.
    Mine,
    /// The place of the grant alone.
    OwnPlace,
}

/// What the table says of a role and an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No.
    Refused,
    /// Yes, within a scope, and showing so much of people.
    Allowed(Scope, Mask),
}

impl Verdict {
    /// How far it reaches; `None` where it is refused.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Refused => None,
            Self::Allowed(scope, _) => Some(scope),
        }
    }
}

/// What the table says. An operation that is not in it is refused.
pub fn verdict(role: Role, operation: Operation) -> Verdict {
    let row = MATRIX.iter().find(|row| row.operation == operation);
    let column = Role::ALL.iter().position(|one| *one == role);
    row.zip(column).and_then(|(row, column)| row.verdicts.get(column)).copied().unwrap_or(Verdict::Refused)
}

/// What somebody brings who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who it is, as the audit log calls them: `key:ID`, `staff:CODE`, `person:NAME`, `system:NAME`. Never personal data of a
    /// member.
    pub who: String,
    /// As what.
    pub role: Role,
    /// Where, as the code of a place.
    pub place: Option<String>,
    /// Their code among the staff.
    pub staff: Option<String>,
    /// To which operations it was narrowed; `None` is all that the role may do.
    pub scopes: Option<BTreeSet<Operation>>,
}

/// Why something is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The role may not.
    #[error("{role} may not do {operation}")]
    Role {
        /// As what it was asked.
        role: Role,
        /// What was asked.
        operation: Operation,
    },
    /// The role may, the grant was narrowed to other operations.
    #[error("this key was made for other operations than {0}")]
    Narrowed(Operation),
    /// The role is bound to a place, and the grant names none.
    #[error("{0} is bound to a place, and this grant names none")]
    NoPlace(Role),
    /// The role is bound to a person of the staff, and the grant names none.
    #[error("{0} is bound to a person of the staff, and this grant names none")]
    NoStaff(Role),
}

impl Denied {
    /// A name that stays, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Role { .. } => "operation_refused",
            Self::Narrowed(_) => "key_narrowed",
            Self::NoPlace(_) => "grant_without_place",
            Self::NoStaff(_) => "grant_without_staff",
        }
    }
}

/// What a query is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing.
    Everything,
    /// These places.
    Places(BTreeSet<String>),
    /// Members of this advisor.
    Advisor(String),
}

/// What every query takes: whom or what it may find, and how much of people it may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What the bound is compared with.
    pub about: About,
    /// What it may find.
    pub bound: Bound,
    /// How much of a person it may show.
    pub mask: Mask,
}

impl Filter {
    /// Whether something of a place and an advisor may be found. What has no place lies in none.
    pub fn admits(&self, place: Option<&str>, advisor: Option<&str>) -> bool {
        match &self.bound {
            Bound::Everything => true,
            Bound::Places(places) => place.is_some_and(|place| places.contains(place)),
            Bound::Advisor(staff) => advisor == Some(staff),
        }
    }
}

impl Grant {
    /// Who works at the machine itself: they hold the database in their hands, so the table cannot bind them, only the log.
    pub fn system(user: &str) -> Self {
        Self { who: format!("system:{user}"), role: Role::Owner, place: None, staff: None, scopes: None }
    }

    /// What this grant comes to for an operation. `under` says which places lie under one; the place itself is always
    /// among them. It is asked only where it matters.
    pub fn filter(
        &self,
        operation: Operation,
        under: impl FnOnce(&str) -> Vec<String>,
    ) -> Result<Filter, Denied> {
        let Verdict::Allowed(scope, mask) = verdict(self.role, operation) else {
            return Err(Denied::Role { role: self.role, operation });
        };
        if self.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&operation)) {
            return Err(Denied::Narrowed(operation));
        }
        let about =
            MATRIX.iter().find(|row| row.operation == operation).map_or(About::Brand, |row| row.about);
        let place = || filled(self.place.as_deref()).ok_or(Denied::NoPlace(self.role));
        let bound = match scope {
            Scope::All => Bound::Everything,
            Scope::OwnPlace => Bound::Places(BTreeSet::from([place()?.to_owned()])),
            Scope::Subtree => {
                let place = place()?;
                Bound::Places(under(place).into_iter().chain([place.to_owned()]).collect())
            }
            Scope::Mine => {
                let staff = filled(self.staff.as_deref()).ok_or(Denied::NoStaff(self.role))?;
                Bound::Advisor(staff.to_owned())
            }
        };
        Ok(Filter { about, bound, mask })
    }

    /// Whether it stands for one person, not for a program: only people are a second person.
    pub fn is_person(&self) -> bool {
        let is_named = self.who.starts_with("system:") || self.who.starts_with("person:");
        is_named || filled(self.staff.as_deref()).is_some()
    }

    /// Whether it may hand out as much as this: nobody gives what they do not have.
    pub fn covers(&self, scopes: Option<&BTreeSet<Operation>>) -> bool {
        match (&self.scopes, scopes) {
            (None, _) => true,
            (Some(own), Some(scopes)) => scopes.is_subset(own),
            (Some(_), None) => false,
        }
    }

    /// Whether it may do an operation at all, wherever.
    pub fn may(&self, operation: Operation) -> Result<(), Denied> {
        self.filter(operation, |_| Vec::new()).map(drop)
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Up to where one person decides alone (O5): the playbook's `alone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// Points that one adjustment may add or take.
    pub points_alone: u64,
    /// To how many members one person issues a coupon alone.
    pub coupons_alone: u64,
    /// Money that one person sends to a member alone, in minor units.
    pub payouts_alone_minor: u64,
    /// Whether a playbook may be made live by one person.
    pub playbook_alone: bool,
    /// Hours within which a second person must answer.
    pub answer_hours: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            points_alone: 1_000,
            coupons_alone: 1_000,
            payouts_alone_minor: 20_000,
            playbook_alone: true,
            answer_hours: 72,
        }
    }
}

impl Limits {
    /// Whether a person decides more alone by these than by others.
    pub const fn is_looser_than(&self, other: &Self) -> bool {
        self.points_alone > other.points_alone
            || self.coupons_alone > other.coupons_alone
            || self.payouts_alone_minor > other.payouts_alone_minor
            || self.playbook_alone && !other.playbook_alone
            || self.answer_hours > other.answer_hours
    }
}

/// Whether what is asked needs a second person: it spends money, and more of it than one person decides alone (O5). The
/// amount is in the operation's own unit, points for adjustments, minor units for money; taking away counts like giving.
pub fn second_person(operation: Operation, amount: i64, limits: &Limits) -> bool {
    match operation {
        Operation::PointsAdjust => amount.unsigned_abs() > limits.points_alone,
        Operation::PayoutsMake => amount.unsigned_abs() > limits.payouts_alone_minor,
        Operation::CouponsIssueMany | Operation::ContactsHandOver => {
            amount.unsigned_abs() > limits.coupons_alone
        }
        Operation::PlaybookApply => !limits.playbook_alone,
        _ => false,
    }
}
