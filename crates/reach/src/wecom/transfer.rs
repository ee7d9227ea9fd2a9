//! Handing customers and groups over: from somebody who is there (path/92125, the customer may say no within 24 hours), and from somebody
//! who has left (path/94081, it takes 24 hours and nobody is asked).

use serde::Deserialize;
use serde_json::{Value, json};

use super::limits::Window;
use super::numbers::whole;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// How many of those who have left have customers, on a page (path/92124).
const UNASSIGNED_MAX: u64 = 1_000;

/// Whether whoever hands over is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// They are.
    Here,
    /// They have left.
    Left,
}

/// From whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// From whom.
    pub handover_userid: String,
    /// To whom.
    pub takeover_userid: String,
}

/// What came of asking for one customer to be handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The customer.
    pub external_userid: String,
    /// 0: it is under way; else a number of [`super::errcodes`].
    pub errcode: i64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "i64")]
pub enum Progress {
    /// Done.
    Done,
    /// Waiting.
    Waiting,
    /// The customer said no.
    Refused,
    /// Whoever takes over has as many customers as there may be.
    Full,
    /// Nobody asked for it.
    #[default]
    None,
    /// Something that nobody knows.
    Other(i64),
}

impl From<i64> for Progress {
    fn from(status: i64) -> Self {
        match status {
            1 => Self::Done,
            2 => Self::Waiting,
            3 => Self::Refused,
            4 => Self::Full,
            5 => Self::None,
            other => Self::Other(other),
        }
    }
}

/// How far one customer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Transferred {
    /// The customer.
    pub external_userid: String,
    /// How far.
    pub status: Progress,
    /// When it was or will be done, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub takeover_time: i64,
}

/// A customer of somebody who has left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Unassigned {
    /// Who has left.
    pub handover_userid: String,
    /// The customer.
    pub external_userid: String,
    /// When they left, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub dimission_time: i64,
}

/// A group that was not handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FailedChat {
    /// The group.
    pub chat_id: String,
    /// Why: a number of [`super::errcodes`].
    pub errcode: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AskedAll {
    customer: Vec<Asked>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    customer: Vec<Transferred>,
    info: Vec<Unassigned>,
    is_last: bool,
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failed {
    failed_chat_list: Vec<FailedChat>,
}

impl Handover {
    fn body(&self) -> Result<Value, Trouble> {
        bounds::id("handover_userid", &self.handover_userid)?;
        bounds::id("takeover_userid", &self.takeover_userid)?;
        if self.handover_userid.eq_ignore_ascii_case(&self.takeover_userid) {
            return Err(Trouble::input("takeover_userid", "is who hands over"));
        }
        let (handover, takeover) = (&self.handover_userid, &self.takeover_userid);
        Ok(json!({"handover_userid": handover, "takeover_userid": takeover}))
    }
}

impl Wecom {
    /// Asks for up to 100 customers to be handed over (path/92125, path/94081). What the customer is told, at most 200 characters, may be
    /// said where who hands over is there. Said again while it is under way each is `transfer_waiting`; how far each is, is asked by
    /// [`Wecom::transferred`].
    pub async fn transfer(
        &self,
        from: Giver,
        handover: &Handover,
        external_userids: &[String],
        message: Option<&str>,
    ) -> Result<Vec<Asked>, Trouble> {
        let mut body = handover.body()?;
        let most = self.most("transfer.customers", Window::Call);
        bounds::ids("external_userid", external_userids, 1, most)?;
        body["external_userid"] = json!(external_userids);
        let api = match (from, message) {
            (Giver::Left, Some(_)) => {
                return Err(Trouble::input("transfer_success_msg", "only from somebody who is there"));
            }
            (Giver::Left, None) => &apis::RESIGNED_TRANSFER,
            (Giver::Here, message) => {
                if let Some(message) = message {
                    let most = self.most("transfer.message_chars", Window::Call);
                    bounds::filled("transfer_success_msg", message)?;
                    bounds::chars("transfer_success_msg", message, most)?;
                    body["transfer_success_msg"] = json!(message);
                }
                &apis::TRANSFER
            }
        };
        let asked: AskedAll = self.post(api, &body).await?;
        Ok(asked.customer)
    }

    /// How far customers are who were to be handed over (path/94088, path/94082). Right after it was asked for there may be none.
    pub async fn transferred(
        &self,
        from: Giver,
        handover: &Handover,
        cursor: Option<&str>,
    ) -> Result<Page<Transferred>, Trouble> {
        let mut body = handover.body()?;
        body["cursor"] = json!(pages::cursor(cursor)?);
        let api = match from {
            Giver::Here => &apis::TRANSFER_RESULT,
            Giver::Left => &apis::RESIGNED_RESULT,
        };
        let listed: Listed = self.post(api, &body).await?;
        Ok(Page::of(listed.customer, listed.next_cursor))
    }

    /// Customers of who has left, whom nobody took over (path/92124).
    pub async fn unassigned(&self, cursor: Option<&str>) -> Result<Page<Unassigned>, Trouble> {
        let body = json!({"page_size": UNASSIGNED_MAX, "cursor": pages::cursor(cursor)?});
        let listed: Listed = self.post(&apis::UNASSIGNED, &body).await?;
        let next = if listed.is_last { String::new() } else { listed.next_cursor };
        Ok(Page::of(listed.info, next))
    }

    /// Hands up to 100 groups over to a new owner, and gives those of which nothing came (path/92127, path/95703): 300 a day of one
    /// owner. Whether the others were is shown by `groupchat/get`.
    pub async fn transfer_groups(
        &self,
        from: Giver,
        chat_ids: &[String],
        new_owner: &str,
    ) -> Result<Vec<FailedChat>, Trouble> {
        bounds::ids("chat_id_list", chat_ids, 1, self.most("transfer.chats", Window::Call))?;
        bounds::id("new_owner", new_owner)?;
        let api = match from {
            Giver::Here => &apis::GROUP_ONJOB_TRANSFER,
            Giver::Left => &apis::GROUP_TRANSFER,
        };
        let failed: Failed =
            self.post(api, &json!({"chat_id_list": chat_ids, "new_owner": new_owner})).await?;
        Ok(failed.failed_chat_list)
    }
}
