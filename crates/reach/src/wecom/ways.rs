//! Live codes: to a member of staff (contact way, path/92228) and into a group (join way, path/92229). The platform shows those made
//! here nowhere, so whoever makes one keeps its `config_id`. Both together there are 500,000 at most.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::limits::Window;
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// How many ways are listed on a page.
const LIST_MAX: u64 = 1_000;
/// The most departments of a way.
const PARTIES_MAX: u64 = 100;

/// A code to members of staff. It is said whole also where it is changed: what is left out is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactWay {
    /// 1: one member of staff, 2: several, and departments. It does not change.
    #[serde(rename = "type")]
    pub kind: u8,
    /// 1: in a mini program, 2: a code. It does not change.
    pub scene: u8,
    /// The look in a mini program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<u8>,
    /// A note, at most 30 characters.
    pub remark: String,
    /// Whether a customer is added without being asked.
    pub skip_verify: bool,
    /// What tells whoever comes by it from others, at most 30 characters: callbacks bear it.
    pub state: String,
    /// Members of staff, at most 100 with those of departments.
    pub user: Vec<String>,
    /// Departments.
    pub party: Vec<i64>,
    /// Whether a customer is added by one member of staff only.
    pub is_exclusive: bool,
}

/// A way that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeWay {
    /// By which it is known; it is shown nowhere else.
    pub config_id: String,
    /// Where the picture of the code lies, where it is one.
    pub qr_code: String,
}

/// A contact way as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ShownContactWay {
    /// By which it is known.
    pub config_id: String,
    /// Where the picture of the code lies.
    pub qr_code: String,
    /// What it is.
    #[serde(flatten)]
    pub way: ContactWay,
}

/// A code into groups. It is said whole also where it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JoinWay {
    /// 1: in a mini program, 2: a code.
    pub scene: u8,
    /// A note, at most 30 characters.
    pub remark: String,
    /// 1: where all groups are full, the platform makes another.
    pub auto_create_room: u8,
    /// What such a group is called, before its number; at most 40 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub room_base_name: String,
    /// The number from which on they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_base_id: Option<u32>,
    /// The groups, 1 to 5.
    pub chat_id_list: Vec<String>,
    /// What tells whoever comes by it from others, at most 30 characters: `groupchat/get` shows it of each member.
    pub state: String,
    /// Whether the group's members bear where they are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_source: Option<bool>,
}

/// A join way as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ShownJoinWay {
    /// By which it is known.
    pub config_id: String,
    /// Where the picture of the code lies.
    pub qr_code: String,
    /// What it is. The platform adds groups that it made.
    #[serde(flatten)]
    pub way: JoinWay,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Made {
    config_id: String,
    qr_code: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Shown {
    contact_way: ShownContactWay,
    join_way: ShownJoinWay,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Listed {
    contact_way: Vec<Made>,
    next_cursor: String,
}

/// What is said of one that there is.
#[derive(Serialize)]
struct Changed<'a, T> {
    config_id: &'a str,
    #[serde(flatten)]
    way: &'a T,
}

impl Made {
    fn made(self) -> Result<MadeWay, Trouble> {
        Ok(MadeWay { config_id: bounds::given(self.config_id)?, qr_code: self.qr_code })
    }
}

impl Wecom {
    fn check_contact_way(&self, way: &ContactWay) -> Result<(), Trouble> {
        bounds::within("type", u64::from(way.kind), 1, 2)?;
        bounds::within("scene", u64::from(way.scene), 1, 2)?;
        self.check_state(&way.state, &way.remark)?;
        bounds::ids("user", &way.user, 0, self.most("ways.staff", Window::Call))?;
        bounds::count("party", way.party.len(), 0, PARTIES_MAX)?;
        match way.kind {
            1 if way.user.len() != 1 => Err(Trouble::input("user", "exactly one, of type 1")),
            1 if !way.party.is_empty() => Err(Trouble::input("party", "none, of type 1")),
            2 if way.user.is_empty() && way.party.is_empty() => {
                Err(Trouble::input("user", "or party: there is nobody"))
            }
            _ => Ok(()),
        }
    }

    fn check_join_way(&self, way: &JoinWay) -> Result<(), Trouble> {
        bounds::within("scene", u64::from(way.scene), 1, 2)?;
        self.check_state(&way.state, &way.remark)?;
        bounds::within("auto_create_room", u64::from(way.auto_create_room), 0, 1)?;
        let name = self.most("ways.room_name_chars", Window::Call);
        bounds::chars("room_base_name", &way.room_base_name, name)?;
        bounds::ids("chat_id_list", &way.chat_id_list, 1, self.most("ways.chats", Window::Call))
    }

    fn check_state(&self, state: &str, remark: &str) -> Result<(), Trouble> {
        bounds::chars("state", state, self.most("ways.state_chars", Window::Call))?;
        bounds::chars("remark", remark, self.most("ways.remark_chars", Window::Call))
    }

    /// Makes a code to members of staff (path/92228). Said twice there are two: where the answer is lost, `list_contact_way` since then
    /// and `get_contact_way` of each show whether one has the state.
    pub async fn add_contact_way(&self, way: &ContactWay) -> Result<MadeWay, Trouble> {
        self.check_contact_way(way)?;
        self.post::<Made>(&apis::CONTACT_WAY_ADD, way).await?.made()
    }

    /// One as it is (path/92228).
    pub async fn contact_way(&self, config_id: &str) -> Result<ShownContactWay, Trouble> {
        bounds::id("config_id", config_id)?;
        let shown: Shown = self.post(&apis::CONTACT_WAY_GET, &json!({"config_id": config_id})).await?;
        Ok(shown.contact_way)
    }

    /// Ids of those that were made in a time, in seconds since 1970 UTC (path/92228): of all since 2021-07-10, without temporary ones.
    pub async fn contact_ways(
        &self,
        start_time: i64,
        end_time: i64,
        cursor: Option<&str>,
    ) -> Result<Page<String>, Trouble> {
        bounds::span(start_time, end_time, 36_500)?;
        let cursor = pages::cursor(cursor)?;
        let body =
            json!({"start_time": start_time, "end_time": end_time, "cursor": cursor, "limit": LIST_MAX});
        let listed: Listed = self.post(&apis::CONTACT_WAY_LIST, &body).await?;
        let ids = listed.contact_way.into_iter().map(|way| way.config_id).collect();
        Ok(Page::of(ids, listed.next_cursor))
    }

    /// Makes one another: all of it is said (path/92228). Its type and scene stay as they are.
    pub async fn update_contact_way(&self, config_id: &str, way: &ContactWay) -> Result<(), Trouble> {
        bounds::id("config_id", config_id)?;
        self.check_contact_way(way)?;
        let mut body = json!(Changed { config_id, way });
        // They do not change, and are not taken.
        if let Some(body) = body.as_object_mut() {
            for fixed in ["type", "scene"] {
                body.remove(fixed);
            }
        }
        self.tell(&apis::CONTACT_WAY_UPDATE, &body).await
    }

    /// Takes one away (path/92228); `way_missing` where it was gone.
    pub async fn delete_contact_way(&self, config_id: &str) -> Result<(), Trouble> {
        bounds::id("config_id", config_id)?;
        self.tell(&apis::CONTACT_WAY_DEL, &json!({"config_id": config_id})).await
    }

    /// Makes a code into groups (path/92229). Said twice there are two, and the platform lists none: where the answer is lost another is
    /// made, and the first is one of those that nobody uses.
    pub async fn add_join_way(&self, way: &JoinWay) -> Result<MadeWay, Trouble> {
        self.check_join_way(way)?;
        let made = self.post::<Made>(&apis::JOIN_WAY_ADD, way).await?;
        if !made.qr_code.is_empty() {
            return made.made();
        }
        // Only its own question tells where the code lies.
        let config_id = bounds::given(made.config_id)?;
        let qr_code = match self.join_way(&config_id).await {
            Ok(shown) => shown.qr_code,
            // It was made: what is lacking is asked for later.
            Err(_) => String::new(),
        };
        Ok(MadeWay { config_id, qr_code })
    }

    /// One as it is (path/92229).
    pub async fn join_way(&self, config_id: &str) -> Result<ShownJoinWay, Trouble> {
        bounds::id("config_id", config_id)?;
        let shown: Shown = self.post(&apis::JOIN_WAY_GET, &json!({"config_id": config_id})).await?;
        Ok(shown.join_way)
    }

    /// Makes one another: all of it is said (path/92229).
    pub async fn update_join_way(&self, config_id: &str, way: &JoinWay) -> Result<(), Trouble> {
        bounds::id("config_id", config_id)?;
        self.check_join_way(way)?;
        self.tell(&apis::JOIN_WAY_UPDATE, &Changed { config_id, way }).await
    }

    /// Takes one away (path/92229).
    pub async fn delete_join_way(&self, config_id: &str) -> Result<(), Trouble> {
        bounds::id("config_id", config_id)?;
        self.tell(&apis::JOIN_WAY_DEL, &json!({"config_id": config_id})).await
    }
}
