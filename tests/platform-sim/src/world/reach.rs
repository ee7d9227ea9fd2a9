//! What staff sends when it confirms: mass messages and moments.

use super::types::{Due, Received};
use super::{INBOX_MAX, World, keep};

/// Which rule counts mass messages.
pub const MASS: &str = "mass_messages";

impl World {
    /// Sets due when each member of staff confirms a mass message, by habit.
    pub fn ask_for_mass(&mut self, msgid: &str) {
        let users: Vec<String> =
            self.masses.get(msgid).map(|mass| mass.tasks.keys().cloned().collect()).unwrap_or_default();
        for userid in users {
            let minutes = self.staff.get(&userid).and_then(|staff| staff.habit.mass_minutes);
            if let Some(minutes) = minutes {
                self.at(self.now_ms + minutes * 60_000, Due::Mass(msgid.to_owned(), userid));
            }
        }
    }

    /// A member of staff confirms a mass message: it reaches who is still a friend and not over the limit.
    pub fn confirm_mass(&mut self, msgid: &str, userid: &str) {
        // Who left the company confirms nothing, and nothing is sent twice.
        if self.active_staff(userid).is_none() {
            return;
        }
        let (now_ms, mass_rule) = (self.now_ms, self.limits.mass_rule);
        let Some(mass) = self.masses.get_mut(msgid).filter(|mass| !mass.is_cancelled) else {
            return;
        };
        let is_group = mass.chat_type == "group";
        let content = mass.content.clone();
        let Some(task) = mass.tasks.get_mut(userid).filter(|task| task.sent_ms.is_none()) else {
            return;
        };
        task.sent_ms = Some(now_ms);
        let targets = task.targets.clone();
        let (period, limit) = mass_rule.window(now_ms);
        let mut results = Vec::with_capacity(targets.len());
        for target in targets {
            let is_reachable = if is_group {
                self.chats.get(&target).is_some_and(|chat| !chat.is_dismissed && chat.now.owner == userid)
            } else {
                self.relation(userid, &target)
                    .is_some_and(|relation| !relation.is_half && !relation.is_blocked)
            };
            let result = match is_reachable {
                false => 2,
                true if !self.meters.take(MASS, &target, period, limit, now_ms, 1) => 3,
                true => 1,
            };
            if result == 1 {
                self.mass_arrives(is_group, &target, msgid, userid, &content);
            }
            results.push((target, result));
        }
        if let Some(task) = self.masses.get_mut(msgid).and_then(|mass| mass.tasks.get_mut(userid)) {
            task.results.extend(results);
        }
    }

    fn mass_arrives(
        &mut self,
        is_group: bool,
        target: &str,
        msgid: &str,
        userid: &str,
        content: &serde_json::Value,
    ) {
        let mut received = Received {
            at_ms: self.now_ms,
            kind: "mass",
            id: msgid.to_owned(),
            from: userid.to_owned(),
            chat_id: None,
            content: content.clone(),
        };
        if !is_group {
            return self.arrive(target, received);
        }
        received.kind = "group_mass";
        received.chat_id = Some(target.to_owned());
        let Some(chat) = self.chats.get_mut(target) else {
            return;
        };
        keep(&mut chat.received, received.clone(), INBOX_MAX);
        let members: Vec<String> = chat.now.members.keys().cloned().collect();
        for member in members {
            self.arrive(&member, received.clone());
        }
    }

    pub(super) fn moment_ready(&mut self, moment_id: &str) {
        let Some(moment) = self.moments.get_mut(moment_id) else {
            return;
        };
        moment.is_ready = true;
        let users: Vec<String> = moment.tasks.keys().cloned().collect();
        for userid in users {
            let minutes = self.staff.get(&userid).and_then(|staff| staff.habit.moment_minutes);
            if let Some(minutes) = minutes {
                self.at(self.now_ms + minutes * 60_000, Due::Moment(moment_id.to_owned(), userid));
            }
        }
    }

    /// A member of staff publishes a moment: their customers with one of its tags see it.
    pub fn publish_moment(&mut self, moment_id: &str, userid: &str) {
        let Some(moment) =
            self.moments.get(moment_id).filter(|moment| !moment.is_cancelled && moment.is_ready)
        else {
            return;
        };
        if self.active_staff(userid).is_none() || moment.tasks.get(userid).is_none_or(Option::is_some) {
            return;
        }
        let sees = |relation: &super::types::Relation| {
            !relation.is_half
                && !relation.is_blocked
                && (moment.tags.is_empty() || !moment.tags.is_disjoint(&relation.tags))
        };
        let seen: Vec<String> = self
            .customers_of(userid)
            .filter(|(_, relation)| sees(relation))
            .map(|(external, _)| external.clone())
            .collect();
        let content = moment.content.clone();
        for external in &seen {
            let received = Received {
                at_ms: self.now_ms,
                kind: "moment",
                id: moment_id.to_owned(),
                from: userid.to_owned(),
                chat_id: None,
                content: content.clone(),
            };
            self.arrive(external, received);
        }
        let now_ms = self.now_ms;
        if let Some(moment) = self.moments.get_mut(moment_id) {
            moment.tasks.insert(userid.to_owned(), Some((now_ms, seen)));
        }
    }
}
