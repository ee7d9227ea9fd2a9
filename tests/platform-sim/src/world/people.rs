//! Who knows whom: customers who come and go, staff who leave, customers who are handed over.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::events::{Part, Told};
use super::types::{Due, Habit, Phone, Received, Relation, Staff, Transfer, Welcome};
use super::{INBOX_MAX, LOG_MAX, Refusal, THINGS_MAX, World, keep, refuse};
use crate::calendar::DAY_MS;
use crate::limits::Rule;

const EXTERNAL: &str = "change_external_contact";

impl World {
    /// Somebody starts to work here. Told apps hear of it as of any change of the directory.
    pub fn hire(&mut self, userid: &str, name: &str, is_follower: bool) -> Result<(), Refusal> {
        if self.staff.contains_key(userid) {
            return refuse(60102, "UserID already existed");
        }
        if self.staff.len() >= THINGS_MAX {
            return refuse(45024, "too many staff");
        }
        let staff = Staff {
            name: name.to_owned(),
            departments: vec![1],
            is_follower,
            capacity: self.limits.n(Rule::Capacity),
            has_console_welcome: false,
            habit: Habit { mass_minutes: Some(5), moment_minutes: Some(5), accept_minutes: Some(1) },
            left_ms: None,
            inbox: VecDeque::new(),
        };
        self.staff.insert(userid.to_owned(), staff);
        let parts = [Part::Text("UserID", userid), Part::Text("Name", name), Part::Text("Department", "1")];
        self.emit(Told::All, "change_contact", Some("create_user"), &parts, None);
        Ok(())
    }

    /// Somebody leaves the company: their customers are nobody's until they are handed over.
    pub fn leave(&mut self, userid: &str) -> Result<(), Refusal> {
        let now_ms = self.now_ms;
        let Some(staff) = self.staff.get_mut(userid).filter(|staff| staff.left_ms.is_none()) else {
            return refuse(60111, "userid not found");
        };
        staff.left_ms = Some(now_ms);
        self.n_of.remove(userid);
        let externals: Vec<String> =
            self.customers_of(userid).map(|(external, _)| external.clone()).collect();
        for external in externals {
            let key = (userid.to_owned(), external);
            if let Some(relation) = self.relations.remove(&key) {
                if let Some(phone) = self.phones.get_mut(&key.1) {
                    phone.staff.remove(userid);
                }
                self.unassigned.insert(key, relation);
            }
        }
        self.emit(Told::All, "change_contact", Some("delete_user"), &[Part::Text("UserID", userid)], None);
        Ok(())
    }

    /// A phone comes to life.
    pub fn add_phone(
        &mut self,
        id: Option<&str>,
        name: &str,
        unionid: Option<&str>,
    ) -> Result<String, Refusal> {
        if self.phones.len() >= THINGS_MAX {
            return refuse(45024, "too many customers");
        }
        let id = id.map_or_else(|| self.new_id("wm", 30), str::to_owned);
        let unionid = unionid.map_or_else(|| self.new_id("o", 27), str::to_owned);
        if self.phones.contains_key(&id) || self.unionids.contains_key(&unionid) {
            return refuse(60102, "this customer exists already");
        }
        let phone = Phone {
            name: name.to_owned(),
            gender: 0,
            openid: self.new_id("oP", 26),
            unionid: unionid.clone(),
            refuses_transfer: false,
            staff: BTreeSet::new(),
            chats: BTreeSet::new(),
            inbox: VecDeque::new(),
            n_received: 0,
            said: VecDeque::new(),
            transferred_ms: Vec::new(),
            pending: None,
        };
        self.phones.insert(id.clone(), phone);
        self.unionids.insert(unionid, id.clone());
        Ok(id)
    }

    /// A phone scans a contact way. Who is a customer of one of its staff already only opens the chat: no event, no state.
    pub fn scan(&mut self, external: &str, config_id: &str) -> Result<Value, Refusal> {
        let Some(way) = self.ways.get(config_id).cloned() else {
            return refuse(41044, "invalid contact way config_id");
        };
        let Some(phone) = self.phones.get(external) else {
            return refuse(40096, "invalid external userid");
        };
        if let Some(userid) = way.users.iter().find(|userid| phone.staff.contains(*userid)) {
            return Ok(json!({"outcome": "already_friends", "userid": userid}));
        }
        let free: Vec<&String> = way.users.iter().filter(|userid| self.may_have_more(userid)).collect();
        let picked = self.picks.below(free.len() as u64) as usize;
        let Some(userid) = free.get(picked).map(|userid| (*userid).clone()) else {
            return Ok(json!({"outcome": "nobody_free"}));
        };
        let state = way.body["state"].as_str().unwrap_or_default().to_owned();
        if way.body["skip_verify"].as_bool().unwrap_or(true) {
            let code = self.befriend(&userid, external, &state, 1, true)?;
            return Ok(json!({"outcome": "added", "userid": userid, "welcome_code": code}));
        }
        let minutes = self.staff.get(&userid).and_then(|staff| staff.habit.accept_minutes);
        if let Some(minutes) = minutes {
            self.at(self.now_ms + minutes * 60_000, Due::Accept(userid.clone(), external.to_owned(), state));
        }
        Ok(json!({"outcome": "asked", "userid": userid, "accepts_after_minutes": minutes}))
    }

    fn may_have_more(&self, userid: &str) -> bool {
        self.active_staff(userid)
            .is_some_and(|staff| staff.is_follower && self.n_customers(userid) < staff.capacity)
    }

    /// A customer becomes somebody's. Nothing happens where they are already; the code greets them, where one is issued.
    pub fn befriend(
        &mut self,
        userid: &str,
        external: &str,
        state: &str,
        add_way: i64,
        is_welcomed: bool,
    ) -> Result<Option<String>, Refusal> {
        if !self.phones.contains_key(external) {
            return refuse(40096, "invalid external userid");
        }
        let half = self.relation(userid, external).map(|relation| relation.is_half);
        if half == Some(false) {
            return Ok(None);
        }
        if half.is_none() {
            self.relate(userid, external, state, add_way, false)?;
        } else if let Some(relation) = self.relation_mut(userid, external) {
            relation.is_half = false;
        }
        let code = if is_welcomed { self.issue_welcome(userid, external) } else { None };
        self.tell_added("add_external_contact", userid, external, state, code.as_deref());
        Ok(code)
    }

    /// Staff adds a customer who has yet to confirm.
    pub fn befriend_half(
        &mut self,
        userid: &str,
        external: &str,
        state: &str,
    ) -> Result<Option<String>, Refusal> {
        if self.relation(userid, external).is_some() {
            return Ok(None);
        }
        self.relate(userid, external, state, 3, true)?;
        let code = self.issue_welcome(userid, external);
        self.tell_added("add_half_external_contact", userid, external, state, code.as_deref());
        Ok(code)
    }

    fn tell_added(&mut self, change: &str, userid: &str, external: &str, state: &str, code: Option<&str>) {
        let mut parts = vec![Part::Text("UserID", userid), Part::Text("ExternalUserID", external)];
        if !state.is_empty() {
            parts.push(Part::Text("State", state));
        }
        if let Some(code) = code {
            parts.push(Part::Text("WelcomeCode", code));
        }
        self.emit(Told::Contact, EXTERNAL, Some(change), &parts, code);
    }

    fn relate(
        &mut self,
        userid: &str,
        external: &str,
        state: &str,
        add_way: i64,
        is_half: bool,
    ) -> Result<(), Refusal> {
        if self.active_staff(userid).is_none_or(|staff| !staff.is_follower) {
            return refuse(84074, "no external contact permission");
        }
        if !self.may_have_more(userid) || self.relations.len() >= THINGS_MAX {
            return refuse(40099, "external contacts of the user are at the limit");
        }
        let Some(phone) = self.phones.get_mut(external) else {
            return refuse(40096, "invalid external userid");
        };
        phone.staff.insert(userid.to_owned());
        let relation = Relation {
            state: state.to_owned(),
            add_way,
            created_ms: self.now_ms,
            spoke_ms: self.now_ms,
            is_half,
            ..Relation::default()
        };
        self.relations.insert((userid.to_owned(), external.to_owned()), relation);
        *self.n_of.entry(userid.to_owned()).or_default() += 1;
        Ok(())
    }

    fn issue_welcome(&mut self, userid: &str, external: &str) -> Option<String> {
        let is_taken = self.staff.get(userid).is_none_or(|staff| staff.has_console_welcome);
        if is_taken || self.relation(userid, external).is_none_or(|relation| relation.has_chatted) {
            return None;
        }
        let code = self.new_id("", 43);
        let welcome = Welcome {
            staff: userid.to_owned(),
            external: external.to_owned(),
            issued_ms: self.now_ms,
            arrived_ms: None,
            used: None,
            n_refused: 0,
        };
        self.welcomes.insert(code.clone(), welcome);
        Some(code)
    }

    /// Ends a relation, by the staff (`del_external_contact`) or by the customer (`del_follow_user`).
    pub fn part(&mut self, userid: &str, external: &str, is_by_staff: bool) -> Result<(), Refusal> {
        self.unrelate(userid, external)?;
        let parts = [Part::Text("UserID", userid), Part::Text("ExternalUserID", external)];
        let change = if is_by_staff { "del_external_contact" } else { "del_follow_user" };
        self.emit(Told::Contact, EXTERNAL, Some(change), &parts, None);
        Ok(())
    }

    fn unrelate(&mut self, userid: &str, external: &str) -> Result<Relation, Refusal> {
        let gone = self.relations.remove(&(userid.to_owned(), external.to_owned()));
        if gone.is_some() {
            self.n_of.entry(userid.to_owned()).and_modify(|n| *n -= 1);
        }
        if let Some(phone) = self.phones.get_mut(external) {
            phone.staff.remove(userid);
        }
        gone.map_or_else(|| refuse(84061, "not external contact"), Ok)
    }

    /// Staff edits what they note of a customer, in their own client: apps hear that, not what.
    pub fn edit(
        &mut self,
        userid: &str,
        external: &str,
        change: impl FnOnce(&mut Relation),
    ) -> Result<(), Refusal> {
        let Some(relation) = self.relation_mut(userid, external) else {
            return refuse(84061, "not external contact");
        };
        change(relation);
        let parts = [Part::Text("UserID", userid), Part::Text("ExternalUserID", external)];
        self.emit(Told::Contact, EXTERNAL, Some("edit_external_contact"), &parts, None);
        Ok(())
    }

    /// A customer says something to a member of staff. No event tells of it.
    pub fn say(&mut self, userid: &str, external: &str, text: &str) -> Result<(), Refusal> {
        let now_ms = self.now_ms;
        let Some(relation) = self.relation_mut(userid, external) else {
            return refuse(84061, "not external contact");
        };
        relation.spoke_ms = now_ms;
        relation.has_chatted = true;
        if let Some(phone) = self.phones.get_mut(external) {
            keep(&mut phone.said, json!({"at_ms": now_ms, "to": userid, "text": text}), INBOX_MAX);
        }
        Ok(())
    }

    /// Something arrives on a phone.
    pub fn arrive(&mut self, external: &str, received: Received) {
        if let Some(phone) = self.phones.get_mut(external) {
            phone.n_received += 1;
            keep(&mut phone.inbox, received, INBOX_MAX);
        }
    }

    /// Asks to hand a customer over.
    pub fn transfer(
        &mut self,
        from: &str,
        to: &str,
        external: &str,
        is_resigned: bool,
    ) -> Result<(), Refusal> {
        if from == to {
            return refuse(40130, "handover and takeover are the same");
        }
        let key = (from.to_owned(), external.to_owned());
        let is_of =
            if is_resigned { self.unassigned.contains_key(&key) } else { self.relations.contains_key(&key) };
        let Some(phone) = self.phones.get_mut(external) else {
            return refuse(40096, "invalid external userid");
        };
        if !is_of {
            return refuse(40131, "handover_userid does not have this customer");
        }
        let waits = |transfer: &Transfer| transfer.external == external && transfer.status == 2;
        if self.transfers.values().any(waits) {
            return refuse(40129, "this customer is being handed over");
        }
        let since_ms = self.now_ms - 90 * DAY_MS;
        phone.transferred_ms.retain(|at_ms| *at_ms > since_ms);
        if !is_resigned && phone.transferred_ms.len() >= self.limits.n(Rule::TransferTimes) {
            return refuse(40128, "this customer was handed over too often");
        }
        phone.transferred_ms.push(self.now_ms);
        let due_ms = self.now_ms + self.limits.of(Rule::TransferEffectMs);
        let transfer = Transfer {
            from: from.to_owned(),
            to: to.to_owned(),
            external: external.to_owned(),
            is_resigned,
            due_ms,
            status: 2,
        };
        let id = format!("{:012}", self.transfers.len());
        self.transfers.insert(id.clone(), transfer);
        self.at(due_ms, Due::Transfer(id));
        Ok(())
    }

    pub(super) fn transfer_takes_effect(&mut self, id: &str) {
        let Some(transfer) = self.transfers.get(id).cloned() else {
            return;
        };
        let refuses = self.phones.get(&transfer.external).is_some_and(|phone| phone.refuses_transfer);
        let failed = match (refuses, self.may_have_more(&transfer.to)) {
            (true, _) => Some((3, "customer_refused")),
            (false, false) => Some((4, "customer_limit_exceed")),
            (false, true) => None,
        };
        self.transfers
            .entry(id.to_owned())
            .and_modify(|of| of.status = failed.map_or(1, |(status, _)| status));
        if let Some((_, reason)) = failed {
            let parts = [
                Part::Text("UserID", &transfer.to),
                Part::Text("ExternalUserID", &transfer.external),
                Part::Text("FailReason", reason),
            ];
            return self.emit(Told::Contact, EXTERNAL, Some("transfer_fail"), &parts, None);
        }
        let key = (transfer.from.clone(), transfer.external.clone());
        let old = if transfer.is_resigned {
            self.unassigned.remove(&key)
        } else {
            let old = self.unrelate(&transfer.from, &transfer.external).ok();
            let parts = [
                Part::Text("UserID", &transfer.from),
                Part::Text("ExternalUserID", &transfer.external),
                Part::Text("Source", "DELETE_BY_TRANSFER"),
            ];
            self.emit(Told::Contact, EXTERNAL, Some("del_external_contact"), &parts, None);
            old
        };
        // Who deleted both meanwhile is nobody's to hand over, and who is the other's already stays so.
        let Some(old) = old else {
            return;
        };
        if self.befriend(&transfer.to, &transfer.external, &old.state, 202, false).is_ok()
            && let Some(relation) = self.relation_mut(&transfer.to, &transfer.external)
        {
            relation.tags.extend(old.tags);
            if relation.remark.is_empty() {
                relation.remark = old.remark;
            }
        }
    }

    /// An app tells staff something.
    pub fn was_told(&self, userid: &str, agent: i64, content: &Value, since_ms: i64) -> bool {
        let said = self.staff.get(userid).map(|staff| staff.inbox.iter());
        said.into_iter().flatten().any(|one| {
            one["agentid"] == agent
                && one["content"] == *content
                && one["at_ms"].as_i64().is_some_and(|at_ms| at_ms > since_ms)
        })
    }

    /// A word of an app to one of the staff.
    pub fn notify(&mut self, userid: &str, agent: i64, msgid: &str, content: &Value) {
        let at_ms = self.now_ms;
        if let Some(staff) = self.staff.get_mut(userid) {
            let told = json!({"at_ms": at_ms, "agentid": agent, "msgid": msgid, "content": content});
            keep(&mut staff.inbox, told, LOG_MAX);
        }
    }
}
