//! Customer service: what customers say, what staff and apps answer, whose a session is.

use serde_json::{Value, json};

use super::events::{Part, Told};
use super::types::{Kf, Received};
use super::{INBOX_MAX, Refusal, World, keep, refuse};
use crate::limits::Rule;

/// Nobody has the customer.
pub const NEW: i64 = 0;
/// One of the staff has, in their client.
pub const STAFF: i64 = 3;
/// It is over.
pub const OVER: i64 = 4;

impl World {
    fn kf(&mut self, open_kfid: &str) -> Result<&mut Kf, Refusal> {
        match self.kfs.get_mut(open_kfid) {
            Some(kf) if kf.messages.len() < super::THINGS_MAX => Ok(kf),
            Some(_) => refuse(45009, "too many messages for one run"),
            None => refuse(95000, "invalid open_kfid"),
        }
    }

    /// Something happened there, and apps are told that something did.
    fn tell_kf(&mut self, open_kfid: &str, mut message: Value) -> Result<String, Refusal> {
        let (msgid, token) = (self.new_id("", 32), self.new_id("ENC", 30));
        let now_ms = self.now_ms;
        let kf = self.kf(open_kfid)?;
        message["msgid"] = json!(msgid);
        message["send_time"] = json!(now_ms.div_euclid(1_000));
        kf.messages.push(message);
        kf.tokens.insert(token.clone(), now_ms);
        let parts = [Part::Text("Token", &token), Part::Text("OpenKfId", open_kfid)];
        self.emit(Told::Contact, "kf_msg_or_event", None, &parts, None);
        Ok(msgid)
    }

    /// A customer writes to an account, or sends something: a session that was over begins anew.
    pub fn say_to_kf(&mut self, open_kfid: &str, external: &str, content: &Value) -> Result<String, Refusal> {
        if !self.phones.contains_key(external) {
            return refuse(40096, "invalid external userid");
        }
        let now_ms = self.now_ms;
        self.kf(open_kfid)?;
        if let (Some(phone), Some(words)) =
            (self.phones.get_mut(external), content["text"]["content"].as_str())
        {
            keep(&mut phone.said, json!({"at_ms": now_ms, "to": open_kfid, "text": words}), INBOX_MAX);
        }
        let kf = self.kf(open_kfid)?;
        kf.spoke.insert(external.to_owned(), (now_ms, 0));
        let session = kf.sessions.entry(external.to_owned()).or_default();
        if session.0 == OVER {
            *session = (NEW, String::new());
        }
        let mut message = content.clone();
        message["open_kfid"] = json!(open_kfid);
        message["external_userid"] = json!(external);
        message["origin"] = json!(3);
        self.tell_kf(open_kfid, message)
    }

    /// One of the staff answers in their client.
    pub fn staff_says_in_kf(
        &mut self,
        (open_kfid, userid): (&str, &str),
        external: &str,
        words: &str,
    ) -> Result<String, Refusal> {
        let session = self.kf(open_kfid)?.sessions.get(external).cloned().unwrap_or_default();
        if session != (STAFF, userid.to_owned()) {
            return refuse(95018, "the session is not theirs");
        }
        let received = Received {
            at_ms: self.now_ms,
            kind: "kf",
            id: String::new(),
            from: userid.to_owned(),
            chat_id: None,
            content: json!({"msgtype": "text", "text": {"content": words}}),
        };
        self.arrive(external, received);
        let message = json!({
            "open_kfid": open_kfid, "external_userid": external, "origin": 5, "servicer_userid": userid, "msgtype": "text",
            "text": {"content": words},
        });
        self.tell_kf(open_kfid, message)
    }

    fn kf_event(&mut self, open_kfid: &str, external: &str, mut event: Value) -> Result<String, Refusal> {
        event["open_kfid"] = json!(open_kfid);
        event["external_userid"] = json!(external);
        self.tell_kf(open_kfid, json!({"origin": 4, "msgtype": "event", "event": event}))
    }

    /// Whose a session is from now on: told where one of the staff takes it (1), or it ends (3).
    pub fn kf_session(
        &mut self,
        open_kfid: &str,
        external: &str,
        (state, userid): (i64, &str),
    ) -> Result<(), Refusal> {
        let before = self.kf(open_kfid)?.sessions.insert(external.to_owned(), (state, userid.to_owned()));
        let old = before.map(|(_, userid)| userid).unwrap_or_default();
        let change = match state {
            STAFF => 1,
            OVER => 3,
            _ => return Ok(()),
        };
        let event = json!({
            "event_type": "session_status_change", "change_type": change, "old_servicer_userid": old, "new_servicer_userid": userid,
        });
        self.kf_event(open_kfid, external, event).map(drop)
    }

    /// A customer takes back what they said.
    pub fn kf_recall(&mut self, open_kfid: &str, external: &str, msgid: &str) -> Result<(), Refusal> {
        let event = json!({"event_type": "user_recall_msg", "recall_msgid": msgid});
        self.kf_event(open_kfid, external, event).map(drop)
    }

    /// Whether a customer refuses what an account says: it is taken, and told to have failed.
    pub fn kf_refuses(&mut self, open_kfid: &str, external: &str, refuses: bool) -> Result<(), Refusal> {
        let kf = self.kf(open_kfid)?;
        if refuses {
            kf.refused_by.insert(external.to_owned());
        } else {
            kf.refused_by.remove(external);
        }
        Ok(())
    }

    /// Where a session stands.
    pub fn kf_state(&mut self, open_kfid: &str, external: &str) -> Result<(i64, String), Refusal> {
        Ok(self.kf(open_kfid)?.sessions.get(external).cloned().unwrap_or((OVER, String::new())))
    }

    /// An app answers a customer: as often, and as long after they wrote, as the platform lets it, and only whom no member of staff has.
    pub fn answer_kf(
        &mut self,
        open_kfid: &str,
        external: &str,
        msgid: &str,
        content: &Value,
    ) -> Result<(), Refusal> {
        let now_ms = self.now_ms;
        let (answers, within_ms) = (self.limits.of(Rule::KfAnswers), self.limits.of(Rule::KfAnswerMs));
        if !self.phones.contains_key(external) {
            return refuse(40096, "invalid external userid");
        }
        let kf = self.kf(open_kfid)?;
        if kf.sessions.get(external).is_some_and(|(state, _)| *state > 1) {
            return refuse(95018, "send msg session status invalid");
        }
        match kf.spoke.get_mut(external) {
            Some((spoke_ms, _)) if now_ms >= *spoke_ms + within_ms => {
                return refuse(95002, "send msg time limit");
            }
            Some((_, n)) if *n >= answers => return refuse(95001, "send msg count limit"),
            Some((_, n)) => *n += 1,
            None => return refuse(95002, "send msg time limit"),
        }
        if kf.refused_by.contains(external) {
            let event = json!({"event_type": "msg_send_fail", "fail_msgid": msgid, "fail_type": 10});
            return self.kf_event(open_kfid, external, event).map(drop);
        }
        let received = Received {
            at_ms: now_ms,
            kind: "kf",
            id: msgid.to_owned(),
            from: open_kfid.to_owned(),
            chat_id: None,
            content: content.clone(),
        };
        self.arrive(external, received);
        Ok(())
    }
}
