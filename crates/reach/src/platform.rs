//! A platform on which a brand's staff are in contact with its customers, in words that name none: what a home asks of it, and what comes
//! of asking. Whoever speaks to one implements [`Platform`]; whoever decides what to ask knows nothing else of it.
//!
//! Three answers are possible beside the one that was asked for ([`Trouble`]); only [`Trouble::Unknown`] leaves anybody in doubt, and each
//! method says how that is found out. Instants are seconds since 1970 UTC.

mod helpdesk;
mod network;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::token::{REFUSAL_MS, Rests};

pub use helpdesk::{Asker, Attachment, Helpdesk, Reply, Session, Speaker, Spoken, SpokenPage, SpokenWhat};
pub use network::{NETWORKS, Network, Notified};

/// Who can do something about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// Whoever set it up.
    Settings,
    /// The account is not there, or may not.
    Account,
    /// The customer is nobody's, or not this account's.
    Customer,
    /// What is to be said or set is not taken.
    Content,
    /// The thing that is named is not there, or somebody else's.
    Thing,
    /// As many as there may be are there, or have been sent.
    Spent,
    /// It was done already.
    Already,
    /// A defect of ours, or something nobody here knows.
    Ours,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It was not asked at all: something in it is wrong.
    #[error("{field}: {message}")]
    Wrong {
        /// The field at fault, as the platform calls it.
        field: String,
        /// What is wrong, in words.
        message: String,
    },
    /// It was not done, and will not be however often it is asked.
    #[error("the platform refuses this ({why})")]
    Never {
        /// Why, by a name that stays.
        why: &'static str,
        /// Who can do something about it.
        whose: Whose,
    },
    /// It was certainly not done, or may be done twice without harm.
    #[error("the platform does not do this now ({why})")]
    Later {
        /// Why, by a name that stays.
        why: &'static str,
        /// How long not to ask.
        rest: Duration,
    },
    /// Nobody knows whether it was done.
    #[error("nobody knows whether the platform did this ({why})")]
    Unknown {
        /// Why, by a name that stays.
        why: &'static str,
    },
}

impl Trouble {
    /// Why, by a name that stays.
    pub const fn why(&self) -> &'static str {
        match self {
            Self::Wrong { .. } => "input",
            Self::Never { why, .. } | Self::Later { why, .. } | Self::Unknown { why } => why,
        }
    }

    /// Whether it was done already.
    pub const fn is_done_already(&self) -> bool {
        matches!(self, Self::Never { whose: Whose::Already, .. })
    }

    /// Whether what was named is not there (any more).
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Never { whose: Whose::Thing, .. })
    }
}

impl Rests for Trouble {
    fn rests_ms(&self) -> i64 {
        match self {
            Self::Never { whose: Whose::Settings, .. } => REFUSAL_MS,
            Self::Later { rest, .. } => i64::try_from(rest.as_millis()).unwrap_or(REFUSAL_MS),
            _ => 0,
        }
    }
}

/// What comes of asking.
pub type Answer<T> = Result<T, Trouble>;

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<T> {
    /// What is in it; it may be nothing though there is a next one.
    pub items: Vec<T>,
    /// Where the next begins; nothing where this is the last.
    pub next: Option<String>,
}

/// A customer as one account sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// The account.
    pub account: String,
    /// Who.
    pub customer: String,
    /// Since when.
    pub since: i64,
    /// What they are called there.
    pub remark: String,
    /// Their own name.
    pub name: String,
    /// Who they are across apps of one owner, where that is known.
    pub unionid: Option<String>,
    /// The ids of the brand's tags that they bear for this account, in order.
    pub tags: Vec<String>,
    /// What the way is called by which they came.
    pub way: Option<String>,
}

/// Somebody in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// An account, or a customer.
    pub who: String,
    /// Whether it is an account of the brand's.
    pub is_staff: bool,
    /// Who they are across apps of one owner, where that is known.
    pub unionid: Option<String>,
    /// Since when.
    pub since: i64,
    /// How they came, by a name: `invited`, `by_link`, `by_code`.
    pub how: Option<&'static str>,
    /// What the way is called by which they came.
    pub way: Option<String>,
}

/// A group of customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub group: String,
    /// What it is called; it may be nothing.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// Since when.
    pub since: i64,
    /// Which state of its members this is.
    pub version: String,
    /// Who is in it.
    pub seats: Vec<Seat>,
}

/// A tag of the brand's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub tag: String,
    /// What it is called.
    pub name: String,
    /// The id of its group.
    pub group: String,
    /// What its group is called.
    pub group_name: String,
}

/// A code by which customers come to accounts. It is said whole also where it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// What it is called: news of who comes by it bears that.
    pub name: String,
    /// A note for people.
    pub note: String,
    /// Who may be met by it; not empty.
    pub accounts: Vec<String>,
    /// Whether whoever comes is asked for first.
    pub asks: bool,
}

/// A code by which customers come into groups. It is said whole also where it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupWay {
    /// What it is called: the seats of who comes by it bear that.
    pub name: String,
    /// A note for people.
    pub note: String,
    /// The groups, 1 to 5.
    pub groups: Vec<String>,
    /// Where all are full the platform makes another: what that is called before its number, and the first number.
    pub makes: Option<(String, u32)>,
}

/// A code that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeWay {
    /// By which it is known.
    pub id: String,
    /// Where its picture lies, where that is known.
    pub picture: Option<String>,
}

/// Something that goes with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A picture that was handed in ([`Platform::hand_in`]).
    Picture {
        /// By which the platform knows it.
        media: String,
    },
    /// A link.
    Link {
        /// Its title.
        title: String,
        /// Where it leads.
        url: String,
        /// What it says of itself.
        description: String,
        /// The address of its picture.
        picture: Option<String>,
    },
    /// A page of a mini program.
    Page {
        /// Its title.
        title: String,
        /// The mini program.
        app: String,
        /// The page.
        page: String,
        /// Its picture, handed in.
        media: String,
    },
}

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub text: String,
    /// What goes with it.
    pub attached: Vec<Attached>,
}

/// To whom something is to be sent by an account, which confirms it by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// To these customers, each for themselves.
    Customers(Vec<String>),
    /// Into these groups.
    Groups(Vec<String>),
}

/// Something for an account to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Who sends it.
    pub account: String,
    /// To whom.
    pub to: Whom,
    /// What.
    pub said: Said,
}

/// A task that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeTask {
    /// By which it is known.
    pub id: String,
    /// Who does not get it: they are not this account's, or have had as many as there may be.
    pub left_out: Vec<String>,
}

/// What became of a task for one customer or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was not sent yet.
    Waiting,
    /// It was, at an instant.
    Sent(i64),
    /// The customer is not this account's any more.
    NotTheirs,
    /// They have had as many as there may be.
    OverLimit,
    /// Something nobody here knows.
    Other,
}

/// What became of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskResult {
    /// The customer, or the group.
    pub whom: String,
    /// Who sends.
    pub account: String,
    /// What became of it.
    pub fate: Fate,
}

/// Something for accounts to publish where all their customers see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// What.
    pub said: Said,
    /// Who publishes it; all, where nobody is named.
    pub accounts: Vec<String>,
    /// Only for customers who bear one of these tags; for all, where none is named.
    pub tags: Vec<String>,
}

/// How far the making of a moment is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MomentMaking {
    /// By which it is known, once it was made.
    pub moment: Option<String>,
    /// Accounts that are none.
    pub unknown_accounts: Vec<String>,
}

/// How far the handing over of a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// Done.
    Done,
    /// Under way.
    Waiting,
    /// The customer said no.
    Refused,
    /// Whoever takes over has as many customers as there may be.
    Full,
    /// Nobody asked for it.
    None,
    /// Something nobody here knows.
    Other,
}

/// From whom to whom customers are handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Whether whoever hands over has left.
    pub has_left: bool,
    /// What the customers are told, where whoever hands over is there.
    pub word: Option<String>,
}

/// Who somebody is on this platform, of whom another name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Converted {
    /// A customer.
    Customer(String),
    /// Nobody yet: by this they are known again when they come, for a while.
    Pending(String),
    /// Nobody, and nothing is held.
    Nobody,
}

/// A word to an account, not to a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Its title.
    pub title: String,
    /// What it says.
    pub text: String,
    /// Where it leads, where it leads somewhere.
    pub url: Option<String>,
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worded {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Worded {
    /// In both.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// How a step of a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It is as it must be.
    Well,
    /// It works without it, and something is left out then.
    Left,
    /// Nothing works, or much of it, before it is put right.
    Wrong,
    /// It could not be looked at.
    Skipped,
}

/// A step of a check of what was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name; it stays.
    pub name: &'static str,
    /// What is looked at.
    pub title: Worded,
    /// How it ended.
    pub health: Health,
    /// What was found.
    pub found: Worded,
    /// What is to be done about it, where something is.
    pub remedy: Option<Worded>,
}

impl Step {
    /// A step, its title in Chinese and in English.
    pub(crate) fn of(
        name: &'static str,
        title: (&str, &str),
        health: Health,
        found: Worded,
        remedy: Option<Worded>,
    ) -> Self {
        Self { name, title: Worded::new(title.0, title.1), health, found, remedy }
    }
}

/// A platform, spoken to as one business. Copies of it share what they know.
#[async_trait]
pub trait Platform: Send + Sync {
    /// What the channel is called.
    fn channel(&self) -> &'static str;
    /// How people are named there: a namespace of a home.
    fn namespace(&self) -> &'static str;
    /// The persona as which an account or a desk speaks, where it was said.
    fn persona(&self, account: &str) -> Option<&str>;
    /// Accounts that speak as a persona, in the order in which they were said.
    fn accounts_of(&self, persona: &str) -> Vec<String>;
    /// What the platform allows on the day of an instant, by a subject's name and a window's (`call`, `day`, `month`, …).
    fn limit(&self, subject: &str, window: &str, at: i64) -> Option<u64>;
    /// Which of its fixed windows of a name (`minute`, `hour`, `day`, `month`) an instant falls into: a number that grows with time, the
    /// same for all instants of one window. Of a name that is no such window nothing.
    fn window(&self, window: &str, at: i64) -> Option<i64>;

    /// Whether it lets us in: the first step of a check.
    async fn enter(&self) -> Answer<()>;
    /// Looks at what was set up, step by step, and says what is to be done about what is wrong. Nothing is changed there, and nobody is
    /// told anything. `home` is where this home takes what the platform tells it, where it takes it.
    async fn check(&self, home: Option<&str>) -> Vec<Step>;
    /// Accounts that may have customers.
    async fn accounts(&self) -> Answer<Vec<String>>;
    /// How many customers an account has.
    async fn friends(&self, account: &str) -> Answer<usize>;
    /// How many people work there, customers or not: each takes a seat.
    async fn seats(&self) -> Answer<usize>;

    /// Welcomes somebody with a code that is good once; `again` where nobody knows whether it was done before: then that it was is no
    /// trouble.
    async fn welcome(&self, code: &str, said: &Said, again: bool) -> Answer<()>;
    /// All relations of a customer. Nobody's: none.
    async fn relations_of(&self, customer: &str) -> Answer<Vec<Relation>>;
    /// Relations of accounts, a part at a time; names of tags' ids only.
    async fn roster(&self, accounts: &[String], at: Option<&str>) -> Answer<Part<Relation>>;
    /// Calls a customer something, for one account.
    async fn remark(&self, account: &str, customer: &str, remark: &str) -> Answer<()>;

    /// The brand's tags.
    async fn tags(&self) -> Answer<Vec<Tag>>;
    /// Makes tags in the group of a name; those that are there stay. Where nobody knows, [`Platform::tags`] shows it.
    async fn make_tags(&self, group_name: &str, names: &[String]) -> Answer<()>;
    /// Takes tags away that this app made.
    async fn drop_tags(&self, tags: &[String]) -> Answer<()>;
    /// Gives a customer tags for an account, and takes others.
    async fn mark(&self, account: &str, customer: &str, add: &[String], remove: &[String]) -> Answer<()>;

    /// Ids of groups, a part at a time, of these owners; of all, where none is named.
    async fn groups(&self, owners: &[String], at: Option<&str>) -> Answer<Part<String>>;
    /// A group; nothing where it is gone.
    async fn group(&self, group: &str) -> Answer<Option<Group>>;
    /// Hands groups over; of each that was not, why.
    async fn hand_over_groups(
        &self,
        groups: &[String],
        to: &str,
        has_left: bool,
    ) -> Answer<BTreeMap<String, &'static str>>;

    /// Makes a code. Where nobody knows, [`Platform::find_way`] shows it.
    async fn make_way(&self, way: &Way) -> Answer<MadeWay>;
    /// The code of a name that was made from an instant on.
    async fn find_way(&self, name: &str, from: i64) -> Answer<Option<MadeWay>>;
    /// A code as it is; nothing where it is gone.
    async fn way(&self, id: &str) -> Answer<Option<Way>>;
    /// Makes one another.
    async fn change_way(&self, id: &str, way: &Way) -> Answer<()>;
    /// Takes one away; one that is gone is no trouble.
    async fn drop_way(&self, id: &str) -> Answer<()>;
    /// Makes a code into groups. Where nobody knows another is made: the platform lists none.
    async fn make_group_way(&self, way: &GroupWay) -> Answer<MadeWay>;
    /// One as it is, with groups the platform added; nothing where it is gone.
    async fn group_way(&self, id: &str) -> Answer<Option<GroupWay>>;
    /// Makes one another.
    async fn change_group_way(&self, id: &str, way: &GroupWay) -> Answer<()>;
    /// Takes one away; one that is gone is no trouble.
    async fn drop_group_way(&self, id: &str) -> Answer<()>;

    /// Hands a picture in: by which the platform knows it, and until when.
    async fn hand_in(&self, name: &str, png: &[u8]) -> Answer<(String, i64)>;
    /// Gives an account something to send. Where nobody knows, [`Platform::find_task`] shows it.
    async fn make_task(&self, task: &Task) -> Answer<MadeTask>;
    /// Ids of tasks that say the same to as many things attached, made from an instant on.
    async fn find_task(&self, task: &Task, from: i64) -> Answer<Vec<String>>;
    /// What became of a task for each to whom `account` sends it.
    async fn task_results(&self, id: &str, account: &str, at: Option<&str>) -> Answer<Part<TaskResult>>;
    /// Stops a task; what was sent stays sent.
    async fn cancel_task(&self, id: &str) -> Answer<()>;
    /// Reminds whoever has not sent a task.
    async fn remind_task(&self, id: &str) -> Answer<()>;

    /// Begins the making of a moment: by which that is asked for. Where nobody knows, [`Platform::find_moment`] shows it.
    async fn make_moment(&self, moment: &Moment) -> Answer<String>;
    /// How far it is.
    async fn moment_making(&self, job: &str) -> Answer<MomentMaking>;
    /// Moments that say the same, made from an instant on.
    async fn find_moment(&self, moment: &Moment, from: i64) -> Answer<Vec<String>>;
    /// Which accounts published it, and which have not.
    async fn moment_results(&self, moment: &str) -> Answer<Vec<(String, bool)>>;
    /// Stops one; what was published stays.
    async fn cancel_moment(&self, moment: &str) -> Answer<()>;

    /// Asks for customers to be handed over; of each that was not taken, why. What is under way already is no trouble.
    async fn hand_over(&self, how: &Handover, customers: &[String])
    -> Answer<BTreeMap<String, &'static str>>;
    /// How far customers are, a part at a time.
    async fn handed_over(&self, how: &Handover, at: Option<&str>) -> Answer<Part<(String, Progress)>>;
    /// Customers of those who have left, as (who left, customer), a part at a time.
    async fn left_behind(&self, at: Option<&str>) -> Answer<Part<(String, String)>>;

    /// Who somebody is, of whom a name of the owner's other apps is known. Each time counts against a quota.
    async fn convert(&self, unionid: &str, openid: &str) -> Answer<Converted>;
    /// By what customers were known before they came, of those of whom that is known.
    async fn pending_of(&self, customers: &[String]) -> Answer<Vec<(String, String)>>;

    /// Desks that this app may answer for.
    async fn helpdesks(&self) -> Answer<Vec<Helpdesk>>;
    /// What was said at a desk from where one was, from the oldest that is kept where that is nothing; `token` is what news of it bore, while
    /// it is fresh. Asked again from the same place it says the same.
    async fn spoken(
        &self,
        desk: &str,
        token: Option<&str>,
        at: Option<&str>,
        limit: usize,
    ) -> Answer<SpokenPage>;
    /// Answers a customer. Where nobody knows, nothing shows it: it is not said again.
    async fn reply(&self, reply: &Reply) -> Answer<()>;
    /// Who has a customer at a desk.
    async fn session(&self, desk: &str, customer: &str) -> Answer<Session>;
    /// Who customers are who said something of late, at most a hundred; of others nothing is told.
    async fn askers(&self, customers: &[String]) -> Answer<Vec<Asker>>;

    /// Says something to accounts; the same again within hours is heard once. Those who could not be told.
    async fn notify(&self, accounts: &[String], notice: &Notice) -> Answer<Vec<String>>;
}
