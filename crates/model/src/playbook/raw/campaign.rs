//! Campaigns, messages and what bounds them as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::playbook::campaign::Allows;
use crate::playbook::words::campaign::{
    AgainPhrase, CapPhrase, GoalPhrase, HourPhrase, PassedPhrase, QuietPhrase, QuotaPhrase, RawSeveral,
    SendAtPhrase, SharePhrase, TriggerPhrase, ValueScalar, WaitPhrase, WithinPhrase,
};
use crate::playbook::words::offer::MoneyPhrase;
use crate::playbook::words::{ById, Condition, DayPhrase, RawNames};

/// A text that is sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a message such as `{ text: { zh: 好久不见, en: Long time no see } }`"
)]
#[schemars(rename = "Message")]
pub(in crate::playbook) struct RawMessage {
    /// What people call it.
    pub name: Option<RawNames>,
    /// The text, a template, in each language.
    pub text: Option<RawNames>,
    /// What an e-mail is about, a template, in each language.
    pub subject: Option<RawNames>,
    /// The text as HTML, for e-mail; where it says nothing, it is made of the text.
    pub html: Option<RawNames>,
    /// The same as MJML, in place of `html`, in each language.
    pub mjml: Option<RawNames>,
    /// What a short message says in place of the text, in each language: as its template is registered with the platform.
    pub sms: Option<RawNames>,
    /// Who says it.
    pub persona: Option<String>,
    /// Whether it wants to sell: true unless said otherwise.
    pub sells: Option<bool>,
    /// A poster that goes with it, drawn for each member, on `wecom`.
    pub poster: Option<String>,
    /// A page of `links` to which a card that goes with it leads, on `wecom`.
    pub card: Option<String>,
    /// For so long staff may confirm it on `wecom`, a day unless said otherwise: then it goes on the next channel.
    pub confirm: Option<WithinPhrase>,
    /// What it is on `wechat`: a template of an official account, filled in.
    pub wechat: Option<RawForm>,
    /// What it is on `wechat_mini`: a template of a mini program, filled in.
    pub wechat_mini: Option<RawForm>,
}

/// A template of a platform, filled in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a template such as `{ template: ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY, fields: { thing1: '{{ member.name }}' } }`"
)]
#[schemars(rename = "Form")]
pub(in crate::playbook) struct RawForm {
    /// The brand's account there, as the file of channels calls it; `main`, or `mini` of a mini program, unless said otherwise.
    pub account: Option<String>,
    /// The template's id, as the platform's console shows it.
    pub template: Option<String>,
    /// Whether somebody must have allowed it: `always` (a template message) unless said otherwise, `once` of a mini program.
    pub allows: Option<Allows>,
    /// What is in each of its fields, a template, in each language.
    pub fields: Option<ById<RawNames>>,
    /// Where it leads: `https://…`, or `APPID/PAGE` of a mini program; of a mini program's own messages a page. A template.
    pub page: Option<RawNames>,
}

/// A campaign.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a campaign such as `{ purpose: marketing, on: enters gone_quiet, steps: [{ send: we-miss-you, by: inbox }] }`"
)]
#[schemars(rename = "Campaign")]
pub(in crate::playbook) struct RawCampaign {
    /// What people call it.
    pub name: Option<RawNames>,
    /// For which purpose of the consents.
    pub purpose: Option<String>,
    /// What sets it off.
    pub on: Option<TriggerPhrase>,
    /// Events that set it off.
    pub when: Option<Condition>,
    /// Members for whom it is.
    pub who: Option<Condition>,
    /// Whoever this holds for leaves.
    pub leave: Option<Condition>,
    /// What it is for: whoever does it has reached it, and leaves.
    pub goal: Option<GoalPhrase>,
    /// How often a member goes through it; once unless said otherwise.
    pub again: Option<AgainPhrase>,
    /// How many are held out to measure what it does; 10% unless said otherwise.
    pub holdout: Option<SharePhrase>,
    /// What it sends and gives was promised, or is a service: nobody is held out, and no cap stops it.
    pub promised: Option<bool>,
    /// The most messages that it sends in all.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub at_most: Option<i64>,
    /// What the coupons and points that it gives cost at most, in all.
    pub budget: Option<MoneyPhrase>,
    /// Its first day.
    pub from: Option<DayPhrase>,
    /// Its last day.
    pub until: Option<DayPhrase>,
    /// What it does, one after the other.
    pub steps: Option<Vec<RawStep>>,
    /// The same in waves: each with its own offer, for who has not reached the goal yet.
    pub waves: Option<Vec<RawWave>>,
}

/// One wave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a wave such as `{ after: 7d, coupon: back-8, send: we-miss-you, by: inbox }`"
)]
#[schemars(rename = "Wave")]
pub(in crate::playbook) struct RawWave {
    /// So long after the wave before.
    pub after: Option<WaitPhrase>,
    /// The offer whose coupon it gives.
    pub coupon: Option<String>,
    /// The message it sends.
    pub send: Option<String>,
    /// On the first of these channels that may be used.
    pub by: Option<RawSeveral>,
    /// At which time of day.
    pub at: Option<SendAtPhrase>,
}

/// A step: exactly one of `wait`, `await`, `until`, `if`, `split`, `send`, `coupon`, `points`, `tag`, `untag`, `set`, `task`, `webhook`,
/// `exit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a step such as `{ wait: 3d }`")]
#[schemars(rename = "Step")]
pub(in crate::playbook) struct RawStep {
    /// Time passes.
    pub wait: Option<WaitPhrase>,
    /// Until this event comes.
    #[serde(rename = "await")]
    pub await_event: Option<String>,
    /// Until this holds.
    pub until: Option<Condition>,
    /// For so long at most.
    pub within: Option<WithinPhrase>,
    /// The event that counts.
    pub when: Option<Condition>,
    /// One way where this holds, the other where it does not.
    #[serde(rename = "if")]
    pub holds: Option<Condition>,
    /// Where it holds, or came.
    pub then: Option<Vec<RawStep>>,
    /// Where it does not, or did not.
    #[serde(rename = "else")]
    pub otherwise: Option<Vec<RawStep>>,
    /// Each goes one of these ways.
    pub split: Option<Vec<RawWay>>,
    /// A message.
    pub send: Option<String>,
    /// On the first of these channels that may be used.
    pub by: Option<RawSeveral>,
    /// At which time of day: when the member is likeliest to see it, or within a window.
    pub at: Option<SendAtPhrase>,
    /// A coupon of this offer.
    pub coupon: Option<String>,
    /// So many points.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub points: Option<i64>,
    /// This tag is put on.
    pub tag: Option<String>,
    /// This tag is taken off.
    pub untag: Option<String>,
    /// This attribute is set to `to`.
    pub set: Option<String>,
    /// What it is set to.
    pub to: Option<ValueScalar>,
    /// A task for the member's advisor, in the words of this message.
    pub task: Option<String>,
    /// Endpoints are told, under this name.
    pub webhook: Option<String>,
    /// What they are told beside: fixed texts, and what variables stand for.
    pub with: Option<ById<PassedPhrase>>,
    /// The end.
    pub exit: Option<bool>,
}

/// One way of a split.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a way such as `{ share: 50%, steps: [{ send: hello, by: inbox }] }`"
)]
#[schemars(rename = "Way")]
pub(in crate::playbook) struct RawWay {
    /// How many go it.
    pub share: Option<SharePhrase>,
    /// What they meet.
    pub steps: Option<Vec<RawStep>>,
}

/// What bounds everything that is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a map of keys")]
#[schemars(rename = "Sending")]
pub(in crate::playbook) struct RawSending {
    /// Members to whom nothing is sent.
    pub never: Option<Condition>,
    /// Members who have a complaint or a dispute open.
    pub complaint: Option<Condition>,
    /// Whether a member must have seen something that sells nothing before anything sells to them.
    pub first_touch: Option<bool>,
    /// How many are held out of everything.
    pub holdout: Option<SharePhrase>,
    /// When a channel is silent.
    pub quiet: Option<ById<QuietPhrase>>,
    /// The most that is sent to a member.
    pub caps: Option<Vec<CapPhrase>>,
    /// The most that a channel takes in a day, of all members.
    pub quota: Option<ById<QuotaPhrase>>,
    /// How much of what was sent in which two hours of the day was seen, as `zhiyin campaign hours` says.
    pub hours: Option<Vec<HourPhrase>>,
}
