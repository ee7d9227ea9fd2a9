//! Mass sends: a task for members of staff, who confirm it on their phones before anything is sent (path/92135), and what came of it
//! (path/93338). Each customer or group gets so many in a month (`mass_send.per_customer` of [`super::limits`]).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attachments::{self, Attachment, Text};
use super::limits::Window;
use super::numbers::whole;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// How many tasks are listed on a page (path/93338).
const LIST_MAX: u64 = 100;
/// How many results are on a page (path/93338).
const RESULTS_MAX: u64 = 1_000;

/// Customers, or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatType {
    /// Customers, one by one.
    Single,
    /// Groups.
    Group,
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To customers.
    Customers {
        /// Up to 10,000 of them; none means all of the sender's.
        external_userids: Vec<String>,
        /// Who sends it; of nobody named, whoever spoke to each customer last.
        sender: Option<String>,
        /// Whether the sender may leave some out.
        may_select: bool,
    },
    /// Into groups.
    Groups {
        /// Who sends it: the owner.
        sender: String,
        /// Up to 2,000 of them; none means all of the sender's.
        chat_ids: Vec<String>,
    },
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassSend {
    /// To whom.
    pub to: To,
    /// The text, at most 4,000 bytes.
    pub text: Option<Text>,
    /// Up to 9 attachments.
    pub attachments: Vec<Attachment>,
}

/// A task that was made.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct MassMade {
    /// By which it is known.
    pub msgid: String,
    /// Customers who do not get it: they are nobody's, or have had as many as there may be.
    pub fail_list: Vec<String>,
}

/// A task of the list.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MassRecord {
    /// By which it is known.
    pub msgid: String,
    /// Who made it; empty where an app did.
    pub creator: String,
    /// When, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
    /// 0: the business, 1: a member of staff.
    pub create_type: i64,
    /// Its text.
    pub text: Text,
    /// What is attached, as the platform writes it.
    pub attachments: Vec<Value>,
}

/// How far a member of staff or a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "i64")]
pub enum SendStatus {
    /// Not sent yet.
    #[default]
    Waiting,
    /// Sent.
    Sent,
    /// The customer is no longer the sender's.
    NotFriend,
    /// They have had as many as there may be.
    OverLimit,
    /// Something that nobody knows.
    Other(i64),
}

impl From<i64> for SendStatus {
    fn from(status: i64) -> Self {
        match status {
            0 => Self::Waiting,
            1 => Self::Sent,
            2 => Self::NotFriend,
            3 => Self::OverLimit,
            other => Self::Other(other),
        }
    }
}

/// A member of staff who is to send: `Waiting`, or `Sent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MassTask {
    /// Who.
    pub userid: String,
    /// Whether they have.
    pub status: SendStatus,
    /// When, in seconds since 1970 UTC; 0 where they have not.
    #[serde(deserialize_with = "whole")]
    pub send_time: i64,
}

/// What became of it for one customer or group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MassResult {
    /// The customer; empty where it is of groups.
    pub external_userid: String,
    /// The group; empty where it is of customers.
    pub chat_id: String,
    /// Who sends.
    pub userid: String,
    /// What became of it.
    pub status: SendStatus,
    /// When, in seconds since 1970 UTC; 0 where it was not sent.
    #[serde(deserialize_with = "whole")]
    pub send_time: i64,
}

/// Which tasks are listed: of customers or of groups, made in a time of a month at most (seconds since 1970 UTC).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MassQuery {
    /// Of customers or of groups.
    pub chat_type: ChatType,
    /// From when.
    pub start_time: i64,
    /// Until when.
    pub end_time: i64,
    /// Made by whom.
    pub creator: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    group_msg_list: Vec<MassRecord>,
    task_list: Vec<MassTask>,
    send_list: Vec<MassResult>,
    next_cursor: String,
}

impl MassSend {
    fn body(&self) -> Value {
        let mut body = match &self.to {
            To::Customers { external_userids, sender, may_select } => {
                let mut body = json!({"chat_type": ChatType::Single, "allow_select": may_select});
                if !external_userids.is_empty() {
                    body["external_userid"] = json!(external_userids);
                }
                if let Some(sender) = sender {
                    body["sender"] = json!(sender);
                }
                body
            }
            To::Groups { sender, chat_ids } => {
                let mut body = json!({"chat_type": ChatType::Group, "sender": sender});
                if !chat_ids.is_empty() {
                    body["chat_id_list"] = json!(chat_ids);
                }
                body
            }
        };
        if let Some(text) = &self.text {
            body["text"] = json!(text);
        }
        if !self.attachments.is_empty() {
            body["attachments"] = json!(self.attachments);
        }
        body
    }

    /// Which of the tasks of a list may be this one, where nobody knows whether it was made: those with its text and as many attachments,
    /// made from an instant on (seconds since 1970 UTC). None means that it was not, once the list has caught up; several, that the same
    /// was made more than once.
    pub fn among<'a>(&self, records: &'a [MassRecord], from_time: i64) -> Vec<&'a MassRecord> {
        let content = self.text.as_ref().map_or("", |text| text.content.as_str());
        let is_this = |record: &&MassRecord| {
            record.create_type == 0
                && record.create_time >= from_time
                && record.text.content == content
                && record.attachments.len() == self.attachments.len()
        };
        records.iter().filter(is_this).collect()
    }
}

impl Wecom {
    /// Makes a task (path/92135). Said twice there are two: where the answer is lost, the list shows whether it was made
    /// ([`MassSend::among`]).
    pub async fn mass_send(&self, send: &MassSend) -> Result<MassMade, Trouble> {
        match &send.to {
            To::Customers { external_userids, sender, .. } => {
                if external_userids.is_empty() && sender.is_none() {
                    return Err(Trouble::input("external_userid", "or sender: there is nobody"));
                }
                let most = self.most("mass_send.external_userids", Window::Call);
                bounds::ids("external_userid", external_userids, 0, most)?;
                sender.as_ref().map_or(Ok(()), |sender| bounds::id("sender", sender))?;
            }
            To::Groups { sender, chat_ids } => {
                bounds::id("sender", sender)?;
                bounds::ids("chat_id_list", chat_ids, 0, self.most("mass_send.chats", Window::Call))?;
            }
        }
        let text = self.most("mass_send.text_bytes", Window::Call);
        let most = self.most("mass_send.attachments", Window::Call);
        attachments::check(send.text.as_ref(), &send.attachments, text, most)?;
        let mut made: MassMade = self.post(&apis::MASS_ADD, &send.body()).await?;
        made.msgid = bounds::given(made.msgid)?;
        Ok(made)
    }

    /// Tasks that the business made (path/93338).
    pub async fn mass_sends(
        &self,
        query: &MassQuery,
        cursor: Option<&str>,
    ) -> Result<Page<MassRecord>, Trouble> {
        bounds::span(query.start_time, query.end_time, self.most("mass_send.list_days", Window::Call))?;
        let mut body = json!({
            "chat_type": query.chat_type,
            "start_time": query.start_time,
            "end_time": query.end_time,
            "filter_type": 0,
            "limit": LIST_MAX,
            "cursor": pages::cursor(cursor)?,
        });
        if let Some(creator) = &query.creator {
            bounds::id("creator", creator)?;
            body["creator"] = json!(creator);
        }
        let listed: Listed = self.post(&apis::MASS_LIST, &body).await?;
        Ok(Page::of(listed.group_msg_list, listed.next_cursor))
    }

    /// Who is to send a task, and who has (path/93338). Right after it was made it is `mass_send_being_handed_out`.
    pub async fn mass_tasks(&self, msgid: &str, cursor: Option<&str>) -> Result<Page<MassTask>, Trouble> {
        bounds::id("msgid", msgid)?;
        let body = json!({"msgid": msgid, "limit": RESULTS_MAX, "cursor": pages::cursor(cursor)?});
        let listed: Listed = self.post(&apis::MASS_TASKS, &body).await?;
        Ok(Page::of(listed.task_list, listed.next_cursor))
    }

    /// What became of it for each customer or group of one who sends (path/93338).
    pub async fn mass_results(
        &self,
        msgid: &str,
        userid: &str,
        cursor: Option<&str>,
    ) -> Result<Page<MassResult>, Trouble> {
        bounds::id("msgid", msgid)?;
        bounds::id("userid", userid)?;
        let cursor = pages::cursor(cursor)?;
        let body = json!({"msgid": msgid, "userid": userid, "limit": RESULTS_MAX, "cursor": cursor});
        let listed: Listed = self.post(&apis::MASS_RESULTS, &body).await?;
        Ok(Page::of(listed.send_list, listed.next_cursor))
    }

    /// Reminds those who have not sent a task (path/97610), three times in 24 hours at most.
    pub async fn remind_mass_send(&self, msgid: &str) -> Result<(), Trouble> {
        bounds::id("msgid", msgid)?;
        self.tell(&apis::MASS_REMIND, &json!({"msgid": msgid})).await
    }

    /// Stops a task; what was sent stays sent (path/97611).
    pub async fn cancel_mass_send(&self, msgid: &str) -> Result<(), Trouble> {
        bounds::id("msgid", msgid)?;
        self.tell(&apis::MASS_CANCEL, &json!({"msgid": msgid})).await
    }
}
