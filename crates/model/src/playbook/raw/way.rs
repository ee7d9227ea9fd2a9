//! Ways in as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::playbook::way::Turn;

/// A code that leads to staff.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a way such as `{ persona: Little advisor, welcome: { message: hello } }`"
)]
#[schemars(rename = "Way")]
pub(in crate::playbook) struct RawWay {
    /// The brand's account on a platform, as the file of channels calls it; `main` unless said otherwise.
    pub account: Option<String>,
    /// Whose accounts may be met: all that speak as this persona.
    pub persona: Option<String>,
    /// Or these members of staff.
    pub staff: Option<Vec<String>>,
    /// When others are met, or another welcome is said: the first whose time it is.
    pub hours: Option<Vec<RawWayHours>>,
    /// The store whose clock the hours go by; the brand's, where none is said.
    pub store: Option<String>,
    /// How often the next of them is met in place of all.
    pub turn: Option<Turn>,
    /// Who is met where nobody else has room.
    pub spare: Option<Vec<String>>,
    /// The most new friends that one of the staff makes by it in a day.
    #[schemars(range(min = 1, max = 5000))]
    pub at_most: Option<i64>,
    /// Tags that whoever comes is given: such as are given by hand.
    pub tags: Option<Vec<String>>,
    /// What whoever comes is called, before their own name.
    pub remark: Option<String>,
    /// What they are welcomed with.
    pub welcome: Option<RawGreeting>,
    /// Whether staff says yes to each before they are contacts.
    pub asks: Option<bool>,
}

/// A time at which others are met.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "hours such as `{ during: \"Mo-Fr 09:00-18:00\", staff: [LiSi] }`")]
#[schemars(rename = "WayHours")]
pub(in crate::playbook) struct RawWayHours {
    /// When.
    #[schemars(example = &"Mo-Fr 09:00-18:00; Sa,Su 10:00-16:00")]
    pub during: Option<String>,
    /// Who is met.
    pub staff: Option<Vec<String>>,
    /// What they are welcomed with.
    pub welcome: Option<RawGreeting>,
}

/// What somebody is welcomed with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a welcome such as `{ message: hello, link: shop }`")]
#[schemars(rename = "Greeting")]
pub(in crate::playbook) struct RawGreeting {
    /// A message of the playbook; `%NICKNAME%` in it is what the platform calls them.
    pub message: Option<String>,
    /// A page of the section `links`.
    pub link: Option<String>,
    /// A poster that says nothing of a member.
    pub poster: Option<String>,
}

/// A code that leads into groups.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a way such as `{ groups: [wrOgQh], next: { name: Members } }`")]
#[schemars(rename = "GroupWay")]
pub(in crate::playbook) struct RawGroupWay {
    /// The brand's account on a platform, as the file of channels calls it; `main` unless said otherwise.
    pub account: Option<String>,
    /// Into which groups, by their ids, one after the other as they fill.
    pub groups: Option<Vec<String>>,
    /// Whose groups follow those.
    pub owners: Option<Vec<String>>,
    /// Only those of them whose name begins so.
    pub named: Option<String>,
    /// What a group is called that the platform makes where all are full.
    pub next: Option<RawNextGroup>,
}

/// What the next group is called.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a name and a number such as `{ name: Members, from: 2 }`")]
#[schemars(rename = "NextGroup")]
pub(in crate::playbook) struct RawNextGroup {
    /// Before the number.
    pub name: Option<String>,
    /// The first number; 1 unless said otherwise.
    #[schemars(range(min = 1, max = 100000))]
    pub from: Option<i64>,
}
