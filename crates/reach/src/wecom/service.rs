//! Customer service (微信客服): its accounts (path/94661), what customers say to them and what else happens there (path/94670), answers
//! (path/94677), where a session stands (path/94669) and who customers are (path/95159).
//!
//! Nothing is pushed: a callback says that there is something at an account, and whoever wants it asks from a cursor on. What this app says
//! comes back by none of these calls, so an answer whose reply was lost is never found.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::limits::Window;
use super::numbers::whole;
use super::trouble::Trouble;
use super::{Wecom, apis, bounds, pages};

/// The most customers that are asked for at a time (path/95159).
pub const CUSTOMERS_MAX: usize = 100;
/// The longest id of a message that may be said, in bytes (path/94677).
const MSGID_BYTES_MAX: usize = 32;

/// An account of customer service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServiceAccount {
    /// Its id.
    pub open_kfid: String,
    /// What customers see.
    pub name: String,
}

/// Who somebody is who spoke to customer service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServiceCustomer {
    /// Their id.
    pub external_userid: String,
    /// What they call themselves.
    pub nickname: String,
    /// Who they are across apps of one owner, where the business is bound to one.
    pub unionid: String,
}

/// Something that was said or happened at an account, as it is told: of the rest only what is of use here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServiceMessage {
    /// Its id.
    pub msgid: String,
    /// At which account.
    pub open_kfid: String,
    /// Of which customer.
    pub external_userid: String,
    /// When, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub send_time: i64,
    /// Who said it: 3 the customer, 4 the platform (an event), 5 one of the staff in their client.
    #[serde(deserialize_with = "whole")]
    pub origin: i64,
    /// Which of the staff.
    pub servicer_userid: String,
    /// What kind of thing it is; the field of that name says what it says.
    pub msgtype: String,
    /// A text.
    pub text: Option<Value>,
    /// Something that happened.
    pub event: Option<Value>,
    /// Where something is.
    pub location: Option<Value>,
    /// A link.
    pub link: Option<Value>,
    /// A picture.
    pub image: Option<Value>,
    /// Something spoken.
    pub voice: Option<Value>,
    /// A video.
    pub video: Option<Value>,
    /// A file.
    pub file: Option<Value>,
    /// A page of a mini program.
    pub miniprogram: Option<Value>,
}

/// A part of what was said at an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServicePage {
    /// What, in its order.
    pub msg_list: Vec<ServiceMessage>,
    /// Where the next part begins.
    pub next_cursor: String,
    /// Whether there is one already; there may be nothing in this one all the same.
    #[serde(deserialize_with = "whole")]
    pub has_more: i64,
}

/// Where a session stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServiceState {
    /// 0 nobody has it, 1 an app has, 2 it waits for one of the staff, 3 one of the staff has it in their client, 4 it is over.
    #[serde(deserialize_with = "whole")]
    pub service_state: i64,
    /// Which of the staff.
    pub servicer_userid: String,
}

/// An answer to a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServiceReply {
    /// To whom.
    pub touser: String,
    /// From which account.
    pub open_kfid: String,
    /// What it is known by: where it does not arrive, that is told of this id.
    pub msgid: String,
    /// The text, at most 2,048 bytes.
    #[serde(skip)]
    pub content: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Accounts {
    account_list: Vec<ServiceAccount>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Customers {
    customer_list: Vec<ServiceCustomer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    msgid: String,
}

impl Wecom {
    /// Accounts of customer service that this app may speak for, 100 to a page (path/94661).
    pub async fn service_accounts(&self, offset: usize) -> Result<Vec<ServiceAccount>, Trouble> {
        let limit = self.most("service.accounts", Window::Page);
        let body = json!({"offset": offset, "limit": limit});
        let accounts: Accounts = self.post(&apis::SERVICE_ACCOUNTS, &body).await?;
        Ok(accounts.account_list)
    }

    /// What was said at an account since a cursor, from the oldest that is kept (three days) where there is none (path/94670). The token of a
    /// callback is good for ten minutes; without one the platform lets this be asked seldom.
    pub async fn service_messages(
        &self,
        open_kfid: &str,
        token: Option<&str>,
        cursor: Option<&str>,
        limit: u64,
    ) -> Result<ServicePage, Trouble> {
        bounds::id("open_kfid", open_kfid)?;
        bounds::within("limit", limit, 1, self.most("service.messages", Window::Page))?;
        let mut body = json!({"open_kfid": open_kfid, "limit": limit});
        let cursor = pages::cursor(cursor)?;
        if !cursor.is_empty() {
            body["cursor"] = json!(cursor);
        }
        if let Some(token) = token {
            bounds::id("token", token)?;
            body["token"] = json!(token);
        }
        self.post(&apis::SERVICE_MESSAGES, &body).await
    }

    /// Answers a customer (path/94677): within 48 hours of what they said last, five times at most. Its id, which is the one it was given.
    /// Said twice they hear it twice, and nothing shows whether it was said.
    pub async fn service_reply(&self, reply: &ServiceReply) -> Result<String, Trouble> {
        bounds::id("touser", &reply.touser)?;
        bounds::id("open_kfid", &reply.open_kfid)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if reply.msgid.is_empty() || reply.msgid.len() > MSGID_BYTES_MAX || !reply.msgid.bytes().all(is_plain)
        {
            return Err(Trouble::input(
                "msgid",
                format!("1 to {MSGID_BYTES_MAX} of letters, digits, _ and -"),
            ));
        }
        bounds::filled("text.content", &reply.content)?;
        bounds::bytes("text.content", &reply.content, self.most("service.text_bytes", Window::Call))?;
        let mut body = json!(reply);
        body["msgtype"] = json!("text");
        body["text"] = json!({"content": reply.content});
        let said: Said = self.post(&apis::SERVICE_REPLY, &body).await?;
        bounds::given(said.msgid)
    }

    /// Where a customer's session with an account stands (path/94669).
    pub async fn service_state(&self, open_kfid: &str, customer: &str) -> Result<ServiceState, Trouble> {
        bounds::id("open_kfid", open_kfid)?;
        bounds::id("external_userid", customer)?;
        self.post(&apis::SERVICE_STATE, &json!({"open_kfid": open_kfid, "external_userid": customer})).await
    }

    /// Who customers are, at most 100 (path/95159); of those who did not speak within 48 hours nothing is told.
    pub async fn service_customers(&self, customers: &[String]) -> Result<Vec<ServiceCustomer>, Trouble> {
        let most = u64::try_from(CUSTOMERS_MAX).unwrap_or(u64::MAX);
        bounds::ids("external_userid_list", customers, 1, most)?;
        let body = json!({"external_userid_list": customers, "need_enter_session_context": 0});
        let found: Customers = self.post(&apis::SERVICE_CUSTOMERS, &body).await?;
        Ok(found.customer_list)
    }
}
