//! With whom of the brand's staff a member is in contact, and in which groups they sit, as people see it.

use schemars::JsonSchema;
use serde::Serialize;
use zhiyin_model::member::Member;

/// An account of the brand's with which a member is, or was, in contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContactView {
    /// On which channel.
    pub channel: String,
    /// Which of the brand's accounts: whose, the channel says.
    pub account: String,
    /// `current`, `half` (the member has not confirmed it) or `ended`.
    pub state: String,
    /// Since when.
    pub since: String,
    /// Until when.
    pub until: Option<String>,
    /// Who ended it: `customer`, `staff`, `handed_over` (to a colleague), or `unknown` where nobody was told and it was found gone.
    pub ended_by: Option<String>,
    /// What the way is called by which they came.
    pub way: Option<String>,
    /// Which of the channel's tags staff gave them there, as `GROUP/NAME`; without those that are the playbook's.
    pub tags: Vec<String>,
}

/// A group of a channel in which a member is, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupView {
    /// On which channel.
    pub channel: String,
    /// Which: its id there.
    pub group: String,
    /// Since when.
    pub since: String,
    /// Until when; nothing while they are in it.
    pub until: Option<String>,
    /// How they came: `invited`, `by_link`, `by_code`, `code`.
    pub how: Option<String>,
}

/// Those of a member, by channel and account.
pub fn of(member: &Member) -> Vec<ContactView> {
    let view = |(channel, account, contact): (&str, &str, &zhiyin_model::contact::Contact)| ContactView {
        channel: channel.to_owned(),
        account: account.to_owned(),
        state: match (contact.ended, contact.half) {
            (Some(_), _) => "ended",
            (None, true) => "half",
            (None, false) => "current",
        }
        .to_owned(),
        since: contact.since.rfc3339(),
        until: contact.ended.map(|(at, _)| at.rfc3339()),
        ended_by: contact.ended.map(|(_, by)| by.name().to_owned()),
        way: contact.way.clone(),
        tags: contact.noted.iter().flat_map(|noted| noted.tags.iter().cloned()).collect(),
    };
    member.personal.contacts.iter().map(view).collect()
}

/// Groups of a member, by channel and group.
pub fn groups_of(member: &Member) -> Vec<GroupView> {
    let view = |(channel, group, seat): (&str, &str, &zhiyin_model::group::Seat)| GroupView {
        channel: channel.to_owned(),
        group: group.to_owned(),
        since: seat.since.rfc3339(),
        until: seat.left.map(zhiyin_model::time::Ts::rfc3339),
        how: seat.how.clone(),
    };
    member.personal.groups.iter().map(view).collect()
}
