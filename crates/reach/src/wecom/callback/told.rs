//! What a callback says, as far as a home has a use for it; what is of another kind stays as it is called.

use super::xml::Element;
use crate::arrival::{Ask, EndedBy, News, Welcome};

/// How long a welcome's code is good, in seconds (WeCom's developer page 92137, read on 2026-11-22).
pub const WELCOME_SECONDS: i64 = 20;
/// How ids of people outside of the corp begin: those of WeChat, and those of other corps.
const OUTSIDE: [&str; 2] = ["wm", "wo"];
/// The most ids that are read of a list: a group has 500 members at most.
const LISTED_MAX: usize = 1_000;
/// The longest id of an account of customer service, and the longest token, in bytes.
const SAID_BYTES_MAX: usize = 256;

/// A callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When it happened, in seconds since 1970 (`CreateTime`).
    pub at: Option<i64>,
    /// What it tells.
    pub told: Told,
}

/// Who of the staff, and which customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// `UserID`.
    pub staff: String,
    /// `ExternalUserID`.
    pub customer: String,
}

/// What happened to a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupUpdate {
    /// `UpdateDetail`: `add_member`, `del_member`, `change_owner`, `change_name`, `change_notice`.
    pub detail: String,
    /// How they came: 1 invited by a member, 2 by the staff's link, 3 by a code.
    pub join_scene: Option<i64>,
    /// How they left: 0 by themselves, 1 removed.
    pub quit_scene: Option<i64>,
    /// Who came or left.
    pub members: Vec<String>,
    /// The version of its members before; where that is not the one known, something was missed.
    pub version_before: Option<String>,
    /// The version of its members now.
    pub version: Option<String>,
}

/// What a callback tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A member of the staff and a customer are friends (`add_external_contact`); or the staff added a customer who has not
    /// confirmed yet (`half`, `add_half_external_contact`).
    ContactAdded {
        /// Who and whom.
        pair: Pair,
        /// Whether the customer has not confirmed it yet.
        half: bool,
        /// What the contact way is called by which they came.
        state: Option<String>,
        /// Good once, for 20 seconds.
        welcome_code: Option<String>,
    },
    /// What the staff noted of a customer changed; what, is not said.
    ContactEdited(Pair),
    /// The staff removed a customer; or lost them to a colleague (`transferred`), which is no churn.
    ContactRemoved {
        /// Who and whom.
        pair: Pair,
        /// `Source` is `DELETE_BY_TRANSFER`.
        transferred: bool,
    },
    /// A customer removed one of the staff.
    ContactLeft(Pair),
    /// A customer was not handed over.
    TransferFailed {
        /// To whom they were to be handed, and who.
        pair: Pair,
        /// `customer_refused` or `customer_limit_exceed`.
        reason: String,
    },
    /// A customer agrees that what is said is kept.
    ArchiveApproved(Pair),
    /// A group of customers began.
    GroupCreated {
        /// `ChatId`.
        chat: String,
    },
    /// Something of it changed.
    GroupUpdated {
        /// `ChatId`.
        chat: String,
        /// What.
        update: GroupUpdate,
    },
    /// It is no more.
    GroupDismissed {
        /// `ChatId`.
        chat: String,
    },
    /// A corp tag, or a group of them, changed.
    TagChanged {
        /// `create`, `update`, `delete` or `shuffle`.
        change: String,
        /// `tag` or `tag_group`.
        kind: String,
        /// Its id.
        id: String,
    },
    /// Something was said or happened at an account of customer service; what, is asked (`kf_msg_or_event`).
    Spoken {
        /// `OpenKfId`; of which account, where it says.
        desk: Option<String>,
        /// `Token`: good for ten minutes.
        token: Option<String>,
    },
    /// Something of a kind that a home has no use for yet.
    Other {
        /// `Event`, or the type of the message.
        event: String,
        /// `ChangeType`.
        change: Option<String>,
    },
}

impl Told {
    /// What it means; nothing, where a home has no use for it.
    pub fn news(&self) -> Vec<News> {
        match self.clone() {
            Self::ContactAdded { pair: Pair { staff: account, customer }, half, state: way, .. } => {
                vec![News::ContactBegun { account, customer, half, way }]
            }
            Self::ContactEdited(Pair { staff: account, customer }) => {
                vec![News::Ask(Ask::Customer { account, customer })]
            }
            Self::ContactRemoved { pair: Pair { staff: account, customer }, transferred } => {
                let by = if transferred { EndedBy::HandedOver } else { EndedBy::Staff };
                vec![News::ContactEnded { account, customer, by }]
            }
            Self::ContactLeft(Pair { staff: account, customer }) => {
                vec![News::ContactEnded { account, customer, by: EndedBy::Customer }]
            }
            Self::TransferFailed { pair: Pair { staff: account, customer }, reason } => {
                vec![News::NotHandedOver { account, customer, reason }]
            }
            Self::GroupUpdated { chat: group, update } => of_group(group, update),
            Self::GroupCreated { chat: group } | Self::GroupDismissed { chat: group } => {
                vec![News::Ask(Ask::Group { group, version_before: None, version: None })]
            }
            Self::TagChanged { .. } => vec![News::Ask(Ask::Tags)],
            Self::Spoken { desk, token } => vec![News::Ask(Ask::Spoken { desk, token })],
            Self::ArchiveApproved(_) | Self::Other { .. } => Vec::new(),
        }
    }

    /// Whom it is about: the customer, where it is about one.
    pub fn customer(&self) -> Option<&str> {
        match self {
            Self::ContactAdded { pair, .. }
            | Self::ContactRemoved { pair, .. }
            | Self::TransferFailed { pair, .. }
            | Self::ContactEdited(pair)
            | Self::ContactLeft(pair)
            | Self::ArchiveApproved(pair) => Some(&pair.customer),
            _ => None,
        }
    }

    /// What it is called where it is counted: a word of ours, never one of the sender's.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ContactAdded { half: false, .. } => "contact_added",
            Self::ContactAdded { half: true, .. } => "contact_half_added",
            Self::ContactEdited(_) => "contact_edited",
            Self::ContactRemoved { transferred: false, .. } => "contact_removed",
            Self::ContactRemoved { transferred: true, .. } => "contact_handed_over",
            Self::ContactLeft(_) => "contact_left",
            Self::TransferFailed { .. } => "transfer_failed",
            Self::ArchiveApproved(_) => "archive_approved",
            Self::GroupCreated { .. } => "group_created",
            Self::GroupUpdated { .. } => "group_updated",
            Self::GroupDismissed { .. } => "group_dismissed",
            Self::TagChanged { .. } => "tag_changed",
            Self::Spoken { .. } => "spoken",
            Self::Other { .. } => "other",
        }
    }
}

/// Who came or left, and what must be asked: names and owners are not told, and who is on a list may be missing from it.
fn of_group(group: String, update: GroupUpdate) -> Vec<News> {
    let joined = update.detail == "add_member";
    let how = match (joined, update.join_scene, update.quit_scene) {
        (true, Some(1 | 2), _) => Some("invited"),
        (true, Some(3), _) => Some("code"),
        (false, _, Some(0)) => Some("left"),
        (false, _, Some(1)) => Some("removed"),
        _ => None,
    };
    let is_outside = |id: &String| OUTSIDE.iter().any(|begins| id.starts_with(begins));
    let mut news = Vec::new();
    if joined || update.detail == "del_member" {
        let customers: Vec<String> = update.members.into_iter().filter(is_outside).collect();
        if !customers.is_empty() {
            news.push(News::Group { group: group.clone(), customers, joined, how });
        }
    }
    let (version_before, version) = (update.version_before, update.version);
    news.push(News::Ask(Ask::Group { group, version_before, version }));
    news
}

impl Notice {
    /// Whom somebody may welcome, by whom it was told at an instant (in seconds) where it does not say when it happened itself.
    pub fn welcome(&self, now: i64) -> Option<Welcome> {
        let Told::ContactAdded { pair, state, welcome_code: Some(code), .. } = &self.told else {
            return None;
        };
        let at = self.at.unwrap_or(now);
        Some(Welcome {
            account: pair.staff.clone(),
            customer: pair.customer.clone(),
            way: state.clone(),
            code: code.clone(),
            until: at.saturating_add(WELCOME_SECONDS),
        })
    }

    /// Reads what an event says. What lacks something that it must have is of another kind.
    pub fn read(root: &Element) -> Self {
        let at = root.said("CreateTime").and_then(|text| text.parse().ok());
        Self { at, told: told(root).unwrap_or_else(|| other(root)) }
    }
}

fn other(root: &Element) -> Told {
    let event = root.said("Event").or_else(|| root.said("MsgType")).unwrap_or_default();
    Told::Other { event: event.to_owned(), change: root.said("ChangeType").map(str::to_owned) }
}

fn told(root: &Element) -> Option<Told> {
    let text = |name: &str| root.said(name).map(str::to_owned);
    let change = root.said("ChangeType").unwrap_or_default();
    match root.said("Event")? {
        "change_external_contact" => {
            let pair = Pair { staff: text("UserID")?, customer: text("ExternalUserID")? };
            contact(root, change, pair)
        }
        "change_external_chat" => {
            let chat = text("ChatId")?;
            match change {
                "create" => Some(Told::GroupCreated { chat }),
                "update" => Some(Told::GroupUpdated { chat, update: group(root)? }),
                "dismiss" => Some(Told::GroupDismissed { chat }),
                _ => None,
            }
        }
        "change_external_tag" if matches!(change, "create" | "update" | "delete" | "shuffle") => {
            let kind = root.said("TagType").unwrap_or("tag").to_owned();
            Some(Told::TagChanged { change: change.to_owned(), kind, id: text("Id").unwrap_or_default() })
        }
        "kf_msg_or_event" => {
            let said =
                |name: &str| text(name).filter(|text| !text.is_empty() && text.len() <= SAID_BYTES_MAX);
            Some(Told::Spoken { desk: said("OpenKfId"), token: said("Token") })
        }
        _ => None,
    }
}

fn contact(root: &Element, change: &str, pair: Pair) -> Option<Told> {
    let text = |name: &str| root.said(name).map(str::to_owned);
    Some(match change {
        "add_external_contact" | "add_half_external_contact" => Told::ContactAdded {
            pair,
            half: change == "add_half_external_contact",
            state: text("State"),
            welcome_code: text("WelcomeCode"),
        },
        "edit_external_contact" => Told::ContactEdited(pair),
        "del_external_contact" => {
            Told::ContactRemoved { pair, transferred: root.said("Source") == Some("DELETE_BY_TRANSFER") }
        }
        "del_follow_user" => Told::ContactLeft(pair),
        "transfer_fail" => Told::TransferFailed { pair, reason: text("FailReason").unwrap_or_default() },
        "msg_audit_approved" => Told::ArchiveApproved(pair),
        _ => return None,
    })
}

fn group(root: &Element) -> Option<GroupUpdate> {
    let number = |name: &str| root.said(name).and_then(|text| text.parse().ok());
    let listed = root.child("MemChangeList").map(|list| list.children.as_slice()).unwrap_or_default();
    let members = listed.iter().map(|item| item.text.trim().to_owned()).filter(|member| !member.is_empty());
    Some(GroupUpdate {
        detail: root.said("UpdateDetail")?.to_owned(),
        join_scene: number("JoinScene"),
        quit_scene: number("QuitScene"),
        members: members.take(LISTED_MAX).collect(),
        version_before: root.said("LastMemVer").map(str::to_owned),
        version: root.said("CurMemVer").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    fn read(event: &str, fields: &str) -> Told {
        let text = format!(
            "<xml><CreateTime>1403610513</CreateTime><MsgType>event</MsgType><Event>{event}</Event>{fields}</xml>"
        );
        let notice = Notice::read(&xml::read(text.as_bytes()).unwrap());
        assert_eq!(notice.at, Some(1_403_610_513));
        notice.told
    }

    fn of_contact(change: &str, fields: &str) -> Told {
        let fields = format!(
            "<ChangeType>{change}</ChangeType><UserID>li</UserID><ExternalUserID>wm1</ExternalUserID>{fields}"
        );
        read("change_external_contact", &fields)
    }

    #[test]
    fn each_kind_of_news_is_told_from_the_others() {
        let pair = || Pair { staff: "li".to_owned(), customer: "wm1".to_owned() };
        let added = |half, state: Option<&str>, code: Option<&str>| Told::ContactAdded {
            pair: pair(),
            half,
            state: state.map(str::to_owned),
            welcome_code: code.map(str::to_owned),
        };
        for (told, wanted) in [
            (
                of_contact("add_external_contact", "<State>teststate</State><WelcomeCode>CODE</WelcomeCode>"),
                added(false, Some("teststate"), Some("CODE")),
            ),
            (of_contact("add_external_contact", "<State></State>"), added(false, None, None)),
            (
                of_contact("add_half_external_contact", "<WelcomeCode>C</WelcomeCode>"),
                added(true, None, Some("C")),
            ),
            (of_contact("edit_external_contact", ""), Told::ContactEdited(pair())),
            (
                of_contact("del_external_contact", ""),
                Told::ContactRemoved { pair: pair(), transferred: false },
            ),
            (
                of_contact("del_external_contact", "<Source>DELETE_BY_TRANSFER</Source>"),
                Told::ContactRemoved { pair: pair(), transferred: true },
            ),
            (of_contact("del_follow_user", ""), Told::ContactLeft(pair())),
            (
                of_contact("transfer_fail", "<FailReason>customer_refused</FailReason>"),
                Told::TransferFailed { pair: pair(), reason: "customer_refused".to_owned() },
            ),
            (of_contact("msg_audit_approved", ""), Told::ArchiveApproved(pair())),
            (
                of_contact("something_new", ""),
                Told::Other {
                    event: "change_external_contact".to_owned(),
                    change: Some("something_new".to_owned()),
                },
            ),
            (
                read(
                    "change_external_tag",
                    "<Id>t1</Id><TagType>tag</TagType><ChangeType>create</ChangeType>",
                ),
                Told::TagChanged { change: "create".to_owned(), kind: "tag".to_owned(), id: "t1".to_owned() },
            ),
            (
                read("kf_msg_or_event", "<Token>ENC1</Token><OpenKfId>wk1</OpenKfId>"),
                Told::Spoken { desk: Some("wk1".to_owned()), token: Some("ENC1".to_owned()) },
            ),
            (
                read("kf_msg_or_event", "<Token>ENC1</Token>"),
                Told::Spoken { desk: None, token: Some("ENC1".to_owned()) },
            ),
            (
                read("change_external_chat", "<ChatId>c</ChatId><ChangeType>dismiss</ChangeType>"),
                Told::GroupDismissed { chat: "c".to_owned() },
            ),
            (
                read(
                    "change_external_contact",
                    "<ChangeType>del_follow_user</ChangeType><UserID>li</UserID>",
                ),
                Told::Other {
                    event: "change_external_contact".to_owned(),
                    change: Some("del_follow_user".to_owned()),
                },
            ),
            (read("subscribe", ""), Told::Other { event: "subscribe".to_owned(), change: None }),
        ] {
            assert_eq!(told, wanted);
        }
    }

    #[test]
    fn a_group_says_who_came_how_and_which_version_it_has() {
        let told = read(
            "change_external_chat",
            "<ChatId>c</ChatId><ChangeType>update</ChangeType><UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene>\
             <MemChangeCnt>2</MemChangeCnt><MemChangeList><Item>wm1</Item><Item>wm2</Item></MemChangeList>\
             <LastMemVer>v1</LastMemVer><CurMemVer>v2</CurMemVer>",
        );
        let Told::GroupUpdated { chat, update } = told else { panic!("{told:?}") };
        assert_eq!((chat.as_str(), update.detail.as_str(), update.join_scene), ("c", "add_member", Some(3)));
        assert_eq!(update.members, ["wm1", "wm2"]);
        assert_eq!((update.version_before.as_deref(), update.version.as_deref()), (Some("v1"), Some("v2")));
    }
}
