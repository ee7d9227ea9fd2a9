//! With whom of the brand's staff a member is in contact, as people see it.

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
    /// Who ended it: `customer`, `staff` or `handed_over` (to a colleague).
    pub ended_by: Option<String>,
    /// What the way is called by which they came.
    pub way: Option<String>,
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
    };
    member.personal.contacts.iter().map(view).collect()
}
