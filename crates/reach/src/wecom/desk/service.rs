//! Customer service in words that name no platform.

use serde_json::Value;

use super::super::service::{ServiceMessage, ServiceReply, ServiceState};
use super::{Desk, trouble};
use crate::platform::{
    Answer, Asker, Attachment, Helpdesk, Reply, Session, Speaker, Spoken, SpokenPage, SpokenWhat,
};

/// The most accounts of customer service that are listed.
const ACCOUNTS_MAX: usize = 5_000;
/// Why an answer did not arrive, by the platform's number (path/94670, `fail_type`).
const FAILED: [(i64, &str); 11] = [
    (1, "service_account_missing"),
    (2, "app_disabled"),
    (4, "reply_window_closed"),
    (5, "session_over"),
    (6, "replies_at_most"),
    (8, "corp_not_verified"),
    (9, "wechat_account_not_bound"),
    (10, "customer_refuses"),
    (11, "nobody_signed_in"),
    (12, "msgtype_wrong"),
    (13, "text_forbidden"),
];

fn said(of: Option<&Value>, field: &str) -> String {
    of.and_then(|of| of[field].as_str()).unwrap_or_default().to_owned()
}

/// What was sent beside or in place of a text: its kind, and by what the platform knows it.
fn attached(message: &ServiceMessage) -> Option<Attachment> {
    let media = |of: &Option<Value>| said(of.as_ref(), "media_id");
    let (kind, media) = match message.msgtype.as_str() {
        "text" => return None,
        "image" => ("picture", media(&message.image)),
        "voice" => ("voice", media(&message.voice)),
        "video" => ("video", media(&message.video)),
        "file" => ("file", media(&message.file)),
        "location" => ("place", String::new()),
        "link" => ("link", said(message.link.as_ref(), "url")),
        "miniprogram" => ("page", said(message.miniprogram.as_ref(), "appid")),
        _ => ("other", String::new()),
    };
    Some(Attachment { kind, media })
}

fn words(message: &ServiceMessage) -> String {
    match message.msgtype.as_str() {
        "text" => said(message.text.as_ref(), "content"),
        "location" => {
            let (name, address) =
                (said(message.location.as_ref(), "name"), said(message.location.as_ref(), "address"));
            [name, address].join(" ").trim().to_owned()
        }
        "link" => said(message.link.as_ref(), "title"),
        "miniprogram" => said(message.miniprogram.as_ref(), "title"),
        _ => String::new(),
    }
}

fn number(of: &Value, field: &str) -> i64 {
    of[field].as_i64().unwrap_or_default()
}

/// Something that happened; nothing where that is of no use here.
fn happened(message: &ServiceMessage) -> Option<(String, SpokenWhat)> {
    let event = message.event.as_ref()?;
    let customer = said(Some(event), "external_userid");
    let what = match event["event_type"].as_str()? {
        "msg_send_fail" => {
            let n = number(event, "fail_type");
            let why = FAILED.iter().find(|(number, _)| *number == n).map_or("failed_unnamed", |(_, why)| why);
            SpokenWhat::NotArrived { reply: said(Some(event), "fail_msgid"), why }
        }
        "user_recall_msg" | "servicer_recall_msg" => {
            SpokenWhat::TakenBack { word: said(Some(event), "recall_msgid") }
        }
        "session_status_change" => {
            let who = Some(said(Some(event), "new_servicer_userid")).filter(|who| !who.is_empty());
            SpokenWhat::Session(match number(event, "change_type") {
                1 | 2 | 4 => Session::Staff(who),
                3 => Session::Over,
                _ => return None,
            })
        }
        _ => return None,
    };
    Some((customer, what))
}

fn spoken(message: ServiceMessage) -> Option<Spoken> {
    let (customer, what) = match message.origin {
        3 | 5 => {
            let by = match message.origin {
                3 => Speaker::Customer,
                _ => Speaker::Staff(message.servicer_userid.clone()),
            };
            let (text, attached) = (words(&message), attached(&message));
            (message.external_userid.clone(), SpokenWhat::Word { by, text, attached })
        }
        _ => happened(&message)?,
    };
    if message.msgid.is_empty() || customer.is_empty() {
        return None;
    }
    Some(Spoken { id: message.msgid, desk: message.open_kfid, customer, at: message.send_time, what })
}

fn session(state: ServiceState) -> Session {
    match state.service_state {
        0 => Session::Nobody,
        1 => Session::App,
        2 => Session::Queue,
        3 => Session::Staff(Some(state.servicer_userid).filter(|who| !who.is_empty())),
        _ => Session::Over,
    }
}

impl Desk {
    pub(super) async fn all_helpdesks(&self) -> Answer<Vec<Helpdesk>> {
        let mut all: Vec<Helpdesk> = Vec::new();
        loop {
            let some = self.wecom.service_accounts(all.len()).await.map_err(trouble)?;
            let is_last = some.is_empty();
            all.extend(some.into_iter().map(|one| Helpdesk { desk: one.open_kfid, name: one.name }));
            if is_last || all.len() >= ACCOUNTS_MAX {
                return Ok(all);
            }
        }
    }

    pub(super) async fn said_there(
        &self,
        desk: &str,
        token: Option<&str>,
        at: Option<&str>,
        limit: usize,
    ) -> Answer<SpokenPage> {
        let limit = u64::try_from(limit).unwrap_or(1);
        let page = self.wecom.service_messages(desk, token, at, limit).await.map_err(trouble)?;
        // Where it does not say where the next part begins, this is the end of it for now.
        let next = Some(page.next_cursor).filter(|next| !next.is_empty()).or_else(|| at.map(str::to_owned));
        let more = page.has_more != 0;
        let items = page.msg_list.into_iter().filter_map(spoken).collect();
        Ok(SpokenPage { items, next, more })
    }

    pub(super) async fn replied(&self, reply: &Reply) -> Answer<()> {
        let reply = ServiceReply {
            touser: reply.customer.clone(),
            open_kfid: reply.desk.clone(),
            msgid: reply.id.clone(),
            content: reply.text.clone(),
        };
        self.wecom.service_reply(&reply).await.map(drop).map_err(trouble)
    }

    pub(super) async fn session_of(&self, desk: &str, customer: &str) -> Answer<Session> {
        self.wecom.service_state(desk, customer).await.map(session).map_err(trouble)
    }

    pub(super) async fn asked_who(&self, customers: &[String]) -> Answer<Vec<Asker>> {
        let found = self.wecom.service_customers(customers).await.map_err(trouble)?;
        let asker = |one: super::super::service::ServiceCustomer| Asker {
            customer: one.external_userid,
            name: one.nickname,
            unionid: Some(one.unionid).filter(|unionid| !unionid.is_empty()),
        };
        Ok(found.into_iter().map(asker).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: Value) -> Option<Spoken> {
        spoken(serde_json::from_value(message).unwrap())
    }

    #[test]
    fn what_is_said_and_what_happens_is_told_apart() {
        let word = |origin: i64, kind: &str, body: Value| {
            read(json!({
                "msgid": "m1", "open_kfid": "wk1", "external_userid": "wm1", "send_time": 1_615_478_585, "origin": origin,
                "servicer_userid": "Zhangsan", "msgtype": kind, kind: body,
            }))
            .unwrap()
        };
        let heard = word(3, "text", json!({"content": "hello world", "menu_id": "101"}));
        assert_eq!((heard.at, heard.desk.as_str(), heard.customer.as_str()), (1_615_478_585, "wk1", "wm1"));
        assert_eq!(
            heard.what,
            SpokenWhat::Word { by: Speaker::Customer, text: "hello world".to_owned(), attached: None }
        );
        for (kind, body, name, media, text) in [
            ("image", json!({"media_id": "M"}), "picture", "M", ""),
            ("voice", json!({"media_id": "M"}), "voice", "M", ""),
            ("file", json!({"media_id": "M"}), "file", "M", ""),
            ("location", json!({"name": "广州", "address": "海珠区"}), "place", "", "广州 海珠区"),
            ("link", json!({"title": "T", "url": "https://a.example"}), "link", "https://a.example", "T"),
            ("merged_msg", json!({}), "other", "", ""),
        ] {
            let SpokenWhat::Word { by, text: said, attached } = word(5, kind, body).what else {
                panic!("{kind}")
            };
            assert_eq!((by, said.as_str()), (Speaker::Staff("Zhangsan".to_owned()), text), "{kind}");
            assert_eq!(attached, Some(Attachment { kind: name, media: media.to_owned() }));
        }
    }

    #[test]
    fn an_answer_that_did_not_arrive_a_word_taken_back_and_a_session_are_news() {
        let event = |event: Value| {
            let told =
                json!({"msgid": "m1", "send_time": 1, "origin": 4, "msgtype": "event", "event": event});
            read(told).map(|spoken| (spoken.customer, spoken.what))
        };
        let failed = json!({
            "event_type": "msg_send_fail", "open_kfid": "wk1", "external_userid": "wm1", "fail_msgid": "F", "fail_type": 10,
        });
        let not_arrived = SpokenWhat::NotArrived { reply: "F".to_owned(), why: "customer_refuses" };
        assert_eq!(event(failed), Some(("wm1".to_owned(), not_arrived)));
        let recalled =
            json!({"event_type": "user_recall_msg", "external_userid": "wm1", "recall_msgid": "R"});
        assert_eq!(
            event(recalled).map(|(_, what)| what),
            Some(SpokenWhat::TakenBack { word: "R".to_owned() })
        );
        for (change, session) in
            [(1, Some(Session::Staff(Some("Zhangsan".to_owned())))), (3, Some(Session::Over)), (9, None)]
        {
            let changed = json!({
                "event_type": "session_status_change", "external_userid": "wm1", "change_type": change,
                "new_servicer_userid": "Zhangsan",
            });
            assert_eq!(event(changed).map(|(_, what)| what), session.map(SpokenWhat::Session));
        }
        assert_eq!(event(json!({"event_type": "enter_session", "external_userid": "wm1"})), None);
    }
}
