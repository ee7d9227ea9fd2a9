//! Campaigns: what sets one off, what it does step by step, and what bounds everything that is sent.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ConditionText;
use super::canonical;
use super::names::Names;
use crate::money::Money;
use crate::scalar::Scalar;
use crate::time::Day;

/// Channels that messages go out on.
pub const CHANNELS: [&str; 7] = ["inbox", "till", EMAIL, SMS, WECHAT, WECHAT_MINI, WECOM];
/// Those of them that lead out of the home: what is said there is handed to somebody.
pub const OUTSIDE: [&str; 5] = [EMAIL, SMS, WECHAT, WECHAT_MINI, WECOM];
/// Channels that tell whether something was seen; on others only a link that is followed does.
pub const TELLING: [&str; 2] = ["inbox", "till"];
/// E-mail: its messages have a subject.
pub const EMAIL: &str = "email";
/// Short messages, which each cost something.
pub const SMS: &str = "sms";
/// A template or subscription message of an official account.
pub const WECHAT: &str = "wechat";
/// A subscription message of a mini program.
pub const WECHAT_MINI: &str = "wechat_mini";
/// A message of a member of staff to a customer of theirs, one to one: the staff confirm it on their phones before it goes out.
pub const WECOM: &str = "wecom";
/// In the section `retention`: for how long what was said keeps its text.
pub const MESSAGE_TEXTS: &str = "Message Texts";
/// In the section `retention`: for how long it is kept that something was said, and how it went out.
pub const MESSAGE_ROWS: &str = "Message Rows";
/// The channel of tasks for a member's advisor.
pub const ADVISOR: &str = "advisor";
/// Of whom nothing is said, one in ten is held out, in hundredths of a percent.
pub const HOLDOUT_USUAL: u32 = 1_000;

/// A text that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What people call it.
    pub name: Names,
    /// The text, a template, in each language.
    pub text: Names,
    /// What an e-mail is about, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Names>,
    /// The same text as HTML, a template whose variables are escaped; where it says nothing, it is made of the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<Names>,
    /// The same as MJML, in place of `html`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mjml: Option<Names>,
    /// What a short message says in place of the text, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<Names>,
    /// Who says it, where somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Whether it wants to sell; what does not is a first touch.
    #[serde(skip_serializing_if = "is_true")]
    pub sells: bool,
    /// A poster of the section `posters` that goes with it, drawn for each member, where the channel takes pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<String>,
    /// A page of the section `links` to which a card that goes with it leads, where the channel has such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// For so many minutes staff may confirm it on channels where they do; for as long as is usual, where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_minutes: Option<u32>,
    /// What it is on the channel `wechat`: a template of an official account, filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat: Option<Form>,
    /// The same on the channel `wechat_mini`: a template of a mini program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wechat_mini: Option<Form>,
}

impl Message {
    /// What fills a form on a channel that takes no free texts.
    pub fn form(&self, channel: &str) -> Option<&Form> {
        match channel {
            WECHAT => self.wechat.as_ref(),
            WECHAT_MINI => self.wechat_mini.as_ref(),
            _ => None,
        }
    }
}

/// A form that is registered with a platform: which, and what fills it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// The brand's account on the platform, as the file of channels calls it.
    pub account: String,
    /// The form, as the platform calls it.
    pub template: String,
    /// Whether somebody must have allowed it.
    pub allows: Allows,
    /// What is in each of its fields, a template.
    pub fields: Vec<(String, Names)>,
    /// Where it leads, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Names>,
}

/// Whether somebody must have allowed a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Allows {
    /// Nobody asks: a template message, to whoever follows.
    Always,
    /// Each one, once: a one-time subscription, where a yes is good for one message.
    Once,
    /// Until they say no: a long-term subscription.
    Standing,
}

fn is_true(flag: &bool) -> bool {
    *flag
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A campaign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Campaign {
    /// What people call it.
    pub name: Names,
    /// For which purpose of the consents.
    pub purpose: String,
    /// What sets it off.
    pub on: Trigger,
    /// Events that set it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ConditionText>,
    /// Members for whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<ConditionText>,
    /// Whoever this holds for leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave: Option<ConditionText>,
    /// What it is for: whoever does it has reached it, and leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How often a member goes through it.
    pub again: Again,
    /// How many are held out, in hundredths of a percent.
    pub holdout: u32,
    /// What it sends and gives was promised, or is a service: nobody is held out, and no cap stops it.
    #[serde(skip_serializing_if = "is_false")]
    pub promised: bool,
    /// The most messages that it sends in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// What the coupons and points that it gives cost at most, in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
    /// Its first day.
    #[serde(serialize_with = "canonical::day")]
    pub from: Option<Day>,
    /// Its last day.
    #[serde(serialize_with = "canonical::day")]
    pub until: Option<Day>,
    /// What it does, one after the other.
    pub steps: Vec<Step>,
}

/// What sets a campaign off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Something that a member does, or that is said of them.
    Event(String),
    /// A member enters a standing audience.
    Enters(String),
    /// A member leaves one.
    Leaves(String),
    /// A weekday and a minute of it (every day, where it names none), for who is in a standing audience.
    Every {
        /// 0 is Monday.
        weekday: Option<u8>,
        /// Minutes since 00:00 of the brand's wall clock.
        minute: u16,
        /// The audience.
        audience: String,
    },
    /// A date that is known of a member, every year.
    Date {
        /// The attribute.
        attribute: String,
        /// So many days later; below zero, before.
        days: i16,
        /// Minutes since 00:00 of the brand's wall clock.
        minute: u16,
    },
    /// Somebody says so.
    Command,
}

/// What a campaign is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Goal {
    /// The event.
    pub event: String,
    /// Within so many minutes of its begin.
    pub within_minutes: u32,
}

/// How often a member goes through a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Once ever.
    Once,
    /// As soon as they are out of it.
    AfterExit,
    /// So many days after they last began, and out of it.
    AfterDays(u16),
    /// Once for each value of a property of the event.
    Per(String),
    /// So often in all, and out of it.
    AtMost(u16),
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Time passes.
    Wait(Wait),
    /// Until something happens, or for so long.
    Await {
        /// The event.
        event: String,
        /// The one that counts.
        #[serde(skip_serializing_if = "Option::is_none")]
        when: Option<ConditionText>,
        /// For so many minutes.
        within_minutes: u32,
        /// Once it happened.
        then: Vec<Step>,
        /// Where it did not.
        otherwise: Vec<Step>,
    },
    /// Until something holds, or for so long.
    Until {
        /// What.
        holds: ConditionText,
        /// For so many minutes.
        within_minutes: u32,
        /// Once it holds.
        then: Vec<Step>,
        /// Where it did not.
        otherwise: Vec<Step>,
    },
    /// One way or the other.
    If {
        /// By what.
        holds: ConditionText,
        /// Where it holds.
        then: Vec<Step>,
        /// Where it does not.
        otherwise: Vec<Step>,
    },
    /// Each goes one of several ways, by chance that stays.
    Split(Vec<(u32, Vec<Step>)>),
    /// A message.
    Send {
        /// Which.
        message: String,
        /// On the first of these that may be used.
        by: Vec<String>,
        /// At which time of day, where it says so.
        #[serde(skip_serializing_if = "SendAt::is_any")]
        at: SendAt,
    },
    /// Who has an endpoint for it is told.
    Webhook {
        /// What it is called there.
        name: String,
        /// What is passed on.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        with: BTreeMap<String, Passed>,
    },
    /// A coupon of an offer.
    Coupon(String),
    /// Points.
    Points(i64),
    /// A tag that is given by hand is put on (true) or taken off.
    Tag(String, bool),
    /// An attribute is set.
    Set(String, Scalar),
    /// A task for the member's advisor, in the words of a message.
    Task(String),
    /// The end.
    Exit,
}

/// At which time of day something is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SendAt {
    /// In the two hours in which the member is likeliest to see it.
    #[serde(skip_serializing_if = "is_false")]
    pub best_hour: bool,
    /// Only from a minute of the day to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<(u16, u16)>,
}

impl SendAt {
    /// Whether any time will do.
    pub fn is_any(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a minute of the day lies between two others, past midnight where the second is not after the first.
pub fn is_within((from, to): (u16, u16), minute: u16) -> bool {
    if from < to { (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// What a webhook is told: nothing that is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// This text.
    Text(String),
    /// What this stands for: one of [`PASSED`].
    Of(String),
}

/// What may be passed on to a webhook beside fixed texts: codes and numbers, never what a member is called or told of themselves.
pub const PASSED: [&str; 6] = ["tier", "points", "store", "key", "coupon.offer", "coupon.until"];

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// So many minutes.
    Minutes(u32),
    /// So many calendar days.
    Days(u16),
    /// Until a minute of the brand's wall clock, on a weekday (0 is Monday) where one is named.
    Until {
        /// The weekday.
        weekday: Option<u8>,
        /// Minutes since 00:00.
        minute: u16,
    },
}

/// What bounds everything that is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sending {
    /// Members to whom nothing is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<ConditionText>,
    /// Members who have a complaint or a dispute open: nothing that was not promised is sent to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<ConditionText>,
    /// Whether a member must have seen something that sells nothing before anything sells to them.
    #[serde(skip_serializing_if = "is_false")]
    pub first_touch: bool,
    /// How many are held out of everything, in hundredths of a percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub holdout: u32,
    /// When a channel is silent: from a minute of the day to another.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quiet: BTreeMap<String, (u16, u16)>,
    /// The most that is sent to a member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<Cap>,
    /// The most that a channel takes in a day, of all members.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub quota: BTreeMap<String, u32>,
    /// How much of what was sent in which two hours of the day was seen, of all members: (seen, of so many), by the slot. What a
    /// best hour is drawn from before anything is known of a member.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<u8, (u16, u16)>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Sending {
    /// Whether nothing is bounded.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The most that is sent to a member within a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cap {
    /// So many.
    pub times: u16,
    /// Of this channel or for this purpose; of all, where it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Within which time.
    pub within: CapWithin,
}

/// A time within which a cap counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CapWithin {
    /// A calendar day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A calendar month.
    Month,
    /// So many hours up to the instant.
    Hours(u16),
}

impl Step {
    /// The steps inside of it, with the name of each list as its place says it.
    pub fn inner(&self) -> Vec<(String, &[Step])> {
        match self {
            Self::Await { then, otherwise, .. }
            | Self::Until { then, otherwise, .. }
            | Self::If { then, otherwise, .. } => {
                vec![("then".to_owned(), then.as_slice()), ("else".to_owned(), otherwise.as_slice())]
            }
            Self::Split(ways) => ways
                .iter()
                .enumerate()
                .map(|(i, (_, steps))| (format!("way{}", i + 1), steps.as_slice()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether nothing after it is ever reached.
    pub fn ends(&self) -> bool {
        let inner = self.inner();
        let end = |steps: &[Step]| steps.last().is_some_and(Self::ends);
        matches!(self, Self::Exit) || (!inner.is_empty() && inner.iter().all(|(_, steps)| end(steps)))
    }
}

/// Every step of a list, those inside of others too.
pub fn each<'s>(steps: &'s [Step], visit: &mut impl FnMut(&'s Step)) {
    for step in steps {
        visit(step);
        match step {
            Step::Await { then, otherwise, .. }
            | Step::Until { then, otherwise, .. }
            | Step::If { then, otherwise, .. } => {
                each(then, visit);
                each(otherwise, visit);
            }
            Step::Split(ways) => ways.iter().for_each(|(_, steps)| each(steps, visit)),
            _ => {}
        }
    }
}
