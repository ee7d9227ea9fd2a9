//! Groups of customers: which there are (path/92120), and who is in one (path/92122).

use serde::Deserialize;
use serde_json::json;

use super::limits::Window;
use super::numbers::whole;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// Which groups are listed, by whether their owner is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// All of them.
    Any,
    /// The owner has left, and nobody took it.
    Left,
    /// It is being handed over.
    HandingOver,
    /// It was handed over.
    HandedOver,
}

/// A group of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GroupState {
    /// The group.
    pub chat_id: String,
    /// 0: its owner is there, 1: they left, 2: it is being handed over, 3: it was.
    pub status: i64,
}

/// Somebody in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Member {
    /// A member of staff, or a customer.
    pub userid: String,
    /// 1: of staff, 2: a customer.
    #[serde(rename = "type")]
    pub kind: i64,
    /// Who they are across apps of WeChat, where that is known.
    pub unionid: String,
    /// Since when, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub join_time: i64,
    /// 1: invited, 2: by a link of somebody, 3: by a code.
    pub join_scene: i64,
    /// Who invited them.
    pub invitor: Invitor,
    /// What they call themselves in it.
    pub group_nickname: String,
    /// Their own name, where it was asked for.
    pub name: String,
    /// The state of the code by which they came.
    pub state: String,
}

/// Who invited somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Invitor {
    /// The member of staff, or the customer; empty where nobody did.
    pub userid: String,
}

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Group {
    /// The group.
    pub chat_id: String,
    /// Its name; it may be empty.
    pub name: String,
    /// The member of staff whose it is.
    pub owner: String,
    /// Since when, in seconds since 1970 UTC.
    #[serde(deserialize_with = "whole")]
    pub create_time: i64,
    /// What is announced in it.
    pub notice: String,
    /// Who is in it.
    pub member_list: Vec<Member>,
    /// Who administers it.
    pub admin_list: Vec<Invitor>,
    /// Which state of its members this is: callbacks name the one before and the one after.
    pub member_version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    group_chat_list: Vec<GroupState>,
    next_cursor: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Got {
    group_chat: Group,
}

impl Wecom {
    /// Groups, 1,000 to a page (path/92120). Without owners it is `too_many_asked` where the app may see more than 1,000 of staff.
    pub async fn groups(
        &self,
        owners: Owners,
        of: &[String],
        cursor: Option<&str>,
    ) -> Result<Page<GroupState>, Trouble> {
        bounds::ids("owner_filter.userid_list", of, 0, self.most("groups.owners", Window::Call))?;
        let status_filter = match owners {
            Owners::Any => 0,
            Owners::Left => 1,
            Owners::HandingOver => 2,
            Owners::HandedOver => 3,
        };
        let limit = self.most("groups.list", Window::Page);
        let cursor = pages::cursor(cursor)?;
        let mut body = json!({"status_filter": status_filter, "cursor": cursor, "limit": limit});
        if !of.is_empty() {
            body["owner_filter"] = json!({"userid_list": of});
        }
        let listed: Listed = self.post(&apis::GROUP_LIST, &body).await?;
        Ok(Page::of(listed.group_chat_list, listed.next_cursor))
    }

    /// Who is in a group, with their names (path/92122). It lags behind callbacks a little.
    pub async fn group(&self, chat_id: &str) -> Result<Group, Trouble> {
        bounds::id("chat_id", chat_id)?;
        let got: Got = self.post(&apis::GROUP_GET, &json!({"chat_id": chat_id, "need_name": 1})).await?;
        Ok(got.group_chat)
    }
}
