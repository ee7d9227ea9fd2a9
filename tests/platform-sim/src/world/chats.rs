//! Groups: who comes, who goes, and what the API shows of it a little later.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::events::{Part, Told};
use super::types::{Chat, Due, Member, Shown};
use super::{Refusal, THINGS_MAX, World, refuse};
use crate::limits::Rule;

const CHAT: &str = "change_external_chat";

impl Shown {
    /// The version as the platform writes it: a text one can only compare.
    pub fn version_text(&self, chat_id: &str) -> String {
        let mut hash = 0xCBF2_9CE4_8422_2325_u64 ^ self.version;
        for byte in chat_id.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        format!("{hash:016x}{:016x}", hash.rotate_left(29) ^ self.version)
    }
}

impl World {
    /// A member of staff opens a group.
    pub fn open_chat(&mut self, id: Option<&str>, name: &str, owner: &str) -> Result<String, Refusal> {
        if self.active_staff(owner).is_none() {
            return refuse(60111, "userid not found");
        }
        let chat_id = id.map_or_else(|| self.new_id("wr", 30), str::to_owned);
        if self.chats.len() >= THINGS_MAX || self.chats.contains_key(&chat_id) {
            return refuse(86215, "this group exists already, or there are too many");
        }
        let owns = Member { kind: 1, joined_ms: self.now_ms, scene: 1, invitor: None, state: String::new() };
        let now = Shown {
            name: name.to_owned(),
            owner: owner.to_owned(),
            notice: String::new(),
            members: BTreeMap::from([(owner.to_owned(), owns)]),
            version: 1,
        };
        let chat = Chat {
            shown: now.clone(),
            now,
            created_ms: self.now_ms,
            is_dismissed: false,
            received: VecDeque::new(),
        };
        self.chats.insert(chat_id.clone(), chat);
        self.emit(Told::Contact, CHAT, Some("create"), &[Part::Text("ChatId", &chat_id)], None);
        Ok(chat_id)
    }

    fn open_one(&mut self, chat_id: &str) -> Result<&mut Chat, Refusal> {
        match self.chats.get_mut(chat_id) {
            None => refuse(40050, "invalid group id"),
            Some(chat) if chat.is_dismissed => refuse(49008, "the group is dismissed"),
            Some(chat) => Ok(chat),
        }
    }

    /// A phone scans a join way: the first of its groups with room is joined, or a new one where it may make one.
    pub fn scan_join(&mut self, external: &str, config_id: &str) -> Result<Value, Refusal> {
        let Some(way) = self.join_ways.get(config_id).cloned() else {
            return refuse(41044, "invalid join way config_id");
        };
        if !self.phones.contains_key(external) {
            return refuse(40096, "invalid external userid");
        }
        let state = way.body["state"].as_str().unwrap_or_default().to_owned();
        let limit = self.limits.n(Rule::GroupByCode);
        for chat_id in &way.chats {
            let Some(chat) = self.chats.get(chat_id).filter(|chat| !chat.is_dismissed) else {
                continue;
            };
            if chat.now.members.contains_key(external) {
                return Ok(json!({"outcome": "already_member", "chat_id": chat_id}));
            }
            if chat.now.members.len() < limit {
                self.join(chat_id, external, 3, None, &state)?;
                return Ok(json!({"outcome": "joined", "chat_id": chat_id}));
            }
        }
        let owner =
            way.chats.first().and_then(|chat_id| self.chats.get(chat_id)).map(|chat| chat.now.owner.clone());
        let (Some(owner), true) = (owner, way.body["auto_create_room"].as_i64() == Some(1)) else {
            return Ok(json!({"outcome": "full"}));
        };
        let name = format!("{}{}", way.body["room_base_name"].as_str().unwrap_or_default(), way.next_room);
        let chat_id = self.open_chat(None, &name, &owner)?;
        if let Some(way) = self.join_ways.get_mut(config_id) {
            way.next_room += 1;
            way.chats.push(chat_id.clone());
        }
        self.join(&chat_id, external, 3, None, &state)?;
        Ok(json!({"outcome": "joined", "chat_id": chat_id, "is_new": true}))
    }

    /// Somebody comes into a group: scene 1 invited, 2 by link, 3 by code.
    pub fn join(
        &mut self,
        chat_id: &str,
        who: &str,
        scene: i64,
        invitor: Option<&str>,
        state: &str,
    ) -> Result<(), Refusal> {
        let is_staff = self.staff.contains_key(who);
        if !is_staff && !self.phones.contains_key(who) {
            return refuse(40096, "invalid external userid");
        }
        let limit = self.limits.n(if scene == 3 { Rule::GroupByCode } else { Rule::GroupMembers });
        let joined_ms = self.now_ms;
        let chat = self.open_one(chat_id)?;
        if chat.now.members.contains_key(who) {
            return refuse(86216, "is a member already");
        }
        if chat.now.members.len() >= limit {
            return refuse(86006, "the group is full");
        }
        let last = chat.now.version_text(chat_id);
        let member = Member {
            kind: if is_staff { 1 } else { 2 },
            joined_ms,
            scene,
            invitor: invitor.map(str::to_owned),
            state: state.to_owned(),
        };
        chat.now.members.insert(who.to_owned(), member);
        chat.now.version += 1;
        let current = chat.now.version_text(chat_id);
        if let Some(phone) = self.phones.get_mut(who) {
            phone.chats.insert(chat_id.to_owned());
        }
        self.tell_members(chat_id, "add_member", ("JoinScene", scene), who, &last, &current);
        Ok(())
    }

    /// Somebody leaves a group (`scene` 0), or is sent away (1).
    pub fn quit(&mut self, chat_id: &str, who: &str, scene: i64) -> Result<(), Refusal> {
        let chat = self.open_one(chat_id)?;
        if chat.now.owner == who {
            return refuse(86207, "whoever owns the group stays in it");
        }
        let last = chat.now.version_text(chat_id);
        if chat.now.members.remove(who).is_none() {
            return refuse(86216, "is no member");
        }
        chat.now.version += 1;
        let current = chat.now.version_text(chat_id);
        if let Some(phone) = self.phones.get_mut(who) {
            phone.chats.remove(chat_id);
        }
        self.tell_members(chat_id, "del_member", ("QuitScene", scene), who, &last, &current);
        Ok(())
    }

    fn tell_members(
        &mut self,
        chat_id: &str,
        detail: &str,
        scene: (&'static str, i64),
        who: &str,
        last: &str,
        current: &str,
    ) {
        let changed = [who.to_owned()];
        let parts = [
            Part::Text("ChatId", chat_id),
            Part::Text("UpdateDetail", detail),
            Part::Number(scene.0, scene.1),
            Part::Number("MemChangeCnt", 1),
            Part::Items("MemChangeList", &changed),
            Part::Text("LastMemVer", last),
            Part::Text("CurMemVer", current),
        ];
        self.emit(Told::Contact, CHAT, Some("update"), &parts, None);
        self.show_later(chat_id);
    }

    /// A group takes another name, notice or owner. By an API (`is_told` false) no event tells of it.
    pub fn change_chat(
        &mut self,
        chat_id: &str,
        detail: &str,
        value: &str,
        is_told: bool,
    ) -> Result<(), Refusal> {
        if detail == "change_owner" && self.active_staff(value).is_none() {
            return refuse(60111, "userid not found");
        }
        let joined_ms = self.now_ms;
        let chat = self.open_one(chat_id)?;
        match detail {
            "change_name" => value.clone_into(&mut chat.now.name),
            "change_notice" => value.clone_into(&mut chat.now.notice),
            "change_owner" => {
                value.clone_into(&mut chat.now.owner);
                chat.now.members.entry(value.to_owned()).or_insert_with(|| Member {
                    kind: 1,
                    joined_ms,
                    scene: 1,
                    invitor: None,
                    state: String::new(),
                });
            }
            _ => return refuse(40058, "detail is change_name, change_notice or change_owner"),
        }
        if is_told {
            let parts = [Part::Text("ChatId", chat_id), Part::Text("UpdateDetail", detail)];
            self.emit(Told::Contact, CHAT, Some("update"), &parts, None);
        }
        self.show_later(chat_id);
        Ok(())
    }

    /// A group ends.
    pub fn dismiss(&mut self, chat_id: &str) -> Result<(), Refusal> {
        let chat = self.open_one(chat_id)?;
        chat.is_dismissed = true;
        for phone in self.phones.values_mut() {
            phone.chats.remove(chat_id);
        }
        self.emit(Told::Contact, CHAT, Some("dismiss"), &[Part::Text("ChatId", chat_id)], None);
        Ok(())
    }

    fn show_later(&mut self, chat_id: &str) {
        let due_ms = self.now_ms + self.limits.of(Rule::GroupLagMs);
        self.at(due_ms, Due::Show(chat_id.to_owned()));
    }

    pub(super) fn show_chat(&mut self, chat_id: &str) {
        if let Some(chat) = self.chats.get_mut(chat_id) {
            chat.shown = chat.now.clone();
        }
    }

    /// Whether a customer is in a group that staff of the corp owns.
    pub fn is_in_a_chat(&self, external: &str) -> bool {
        self.phones.get(external).is_some_and(|phone| !phone.chats.is_empty())
    }
}
