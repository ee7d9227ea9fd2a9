//! What people do with conversations: they answer, say who looks after one, that it was read, that it is over, that a complaint is open.
//! Each is a line of the audit log: who did what with which conversation, never what was said.

use serde_json::{Value, json};
use zhiyin_model::event::{Refusal, names};
use zhiyin_model::role::{Grant, Operation};
use zhiyin_model::time::Ts;
use zhiyin_reach::app::WORD_CHARS_MAX;

use super::shown::{Seen, cannot_reply, word_view};
use super::{By, ConversationView, KEYED, Keyed, Rows, Stage, TRIES, Talk, TalkState, Word, WordView};
use crate::accept::{Source, Ties, Verdict};
use crate::audit::{self, Outcome, Target, detail};
use crate::sends::SOURCE;
use crate::{Engine, Result, boxed, clock};

/// The longest text of a reply, in bytes (WeCom's path/94677; what the platform allows on a day is looked at once more when it is said).
const TEXT_BYTES_MAX: usize = 2_048;
/// The tag by which a complaint is open, where nobody says another.
pub const COMPLAINT_TAG: &str = "complaining";

type Refused<T> = std::result::Result<T, Refusal>;

/// A reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyAsked {
    /// What it is known by: said again it is the same one.
    pub reply: String,
    /// The text.
    pub text: String,
}

fn refused<T>(code: &'static str, field: &str, message: impl Into<String>) -> Refused<T> {
    Err(Refusal::new(code, field, message))
}

fn unknown<T>() -> Refused<T> {
    refused("conversation_unknown", "conversation", "there is no such conversation, or it is nobody's to see")
}

fn checked(asked: &ReplyAsked) -> Refused<String> {
    let is_key = asked.reply.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=64).contains(&asked.reply.len()) || !is_key {
        return refused("bad_text", "reply", "1 to 64 visible ASCII characters");
    }
    let text = asked.text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\n') {
        return refused("bad_text", "text", "a text that can be seen");
    }
    if text.len() > TEXT_BYTES_MAX {
        return refused("text_too_long", "text", format!("at most {TEXT_BYTES_MAX} bytes"));
    }
    Ok(text.to_owned())
}

impl Engine {
    /// Answers a member in a conversation: it is written down, and said as soon as the platform takes it. It is service: neither caps nor
    /// quiet hours hold it, but whoever is blocked or was erased gets none. Asked again by the same name it tells how it stands.
    #[boxed]
    pub async fn reply_in(
        &self,
        grant: &Grant,
        conversation: &str,
        asked: &ReplyAsked,
    ) -> Result<Refused<WordView>> {
        grant.may(Operation::InboxAnswer)?;
        let text = match checked(asked) {
            Ok(text) => text,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let rows = self.inbox_rows().await?;
        for attempt in 0..TRIES {
            let seen = self.seen_talk(&rows, grant, Operation::InboxAnswer, conversation).await?;
            let Some(seen) = seen else { return Ok(unknown()) };
            let keyed_id = rows.id(KEYED, &[&seen.id.to_string(), &asked.reply]);
            if let Some(before) = rows.get::<Keyed>(keyed_id).await? {
                return self.replied_before(&rows, &seen, before.what, &text).await;
            }
            let wall = clock::wall();
            if let Err(refusal) = self.may_reply(&seen, wall).await? {
                return Ok(Err(refusal));
            }
            let Some(desk) = seen.talk.at_desk().cloned() else { return Ok(unknown()) };
            if desk.channel != rows.network.channel && text.chars().count() > WORD_CHARS_MAX {
                let message = format!("at most {WORD_CHARS_MAX} characters");
                return Ok(refused("text_too_long", "text", message));
            }
            let word_id = rows.word_id(seen.id, wall, &["reply", &asked.reply]);
            let mut talk = seen.talk.clone();
            let n = talk.said(wall, By::Staff, &text);
            let word = Word {
                talk: seen.id,
                persona: seen.talk.persona.clone(),
                desk: desk.desk.clone(),
                customer: desk.customer.clone(),
                namespace: desk.namespace.clone(),
                at: wall,
                by: By::Staff,
                who: Some(grant.who.clone()),
                text: text.clone(),
                cut: false,
                attached: None,
                id: word_id.to_string(),
                n,
                stage: Stage::Waiting,
                taken_back: false,
                tries: 0,
            };
            if let Some(one) = talk.desk_mut(&desk.account, &desk.desk) {
                one.left = one.left.saturating_sub(1);
            }
            if talk.state == TalkState::Unread {
                (talk.state, talk.unread) = (TalkState::Open, 0);
            }
            let keyed = Keyed { word: word_id, text: text.clone() };
            let things = vec![
                rows.talk(seen.id, seen.version, &talk)?,
                rows.word((&desk.channel, &desk.account), (word_id, 0), Some(wall), &word)?,
                rows.reflect(
                    rows.kind(KEYED),
                    (keyed_id, seen.id, 0),
                    None,
                    (&talk.namespace, &talk.customer),
                    &keyed,
                )?,
            ];
            if attempt == 0 {
                let noted = json!({"reply": asked.reply, "message": word.id});
                self.note_on(grant, &seen, "reply", &noted).await?;
            }
            if rows.converse(things, vec![talk.listed(seen.id)]).await? {
                return Ok(Ok(word_view(word_id, &word, seen.mask)));
            }
        }
        Ok(refused("conversation_busy", "conversation", "too much is said in it right now: try again"))
    }

    async fn replied_before(
        &self,
        rows: &Rows<'_>,
        seen: &Seen,
        before: Keyed,
        text: &str,
    ) -> Result<Refused<WordView>> {
        if before.text != text {
            return Ok(refused("reply_reused", "reply", "a reply of this name said something else"));
        }
        Ok(match rows.get::<Word>(before.word).await? {
            Some(row) => Ok(word_view(row.id, &row.what, seen.mask)),
            None => unknown(),
        })
    }

    /// Whether the member may be answered now.
    async fn may_reply(&self, seen: &Seen, wall: Ts) -> Result<Refused<()>> {
        let why = match &seen.member {
            Some(member) => self.not_to_be_answered(member.id).await?,
            None => None,
        };
        match why {
            Some("member_blocked") => {
                return Ok(refused(
                    "member_blocked",
                    "conversation",
                    "nothing is said to them: `sending.never`",
                ));
            }
            Some(_) => return Ok(unknown()),
            None => {}
        }
        let Some(desk) = seen.talk.at_desk() else { return Ok(unknown()) };
        let why = cannot_reply(desk, wall);
        if why == Some("reply_window_closed") {
            let message = format!(
                "it closed at {}: they may be answered once they say something",
                desk.closes.rfc3339()
            );
            return Ok(refused("reply_window_closed", "conversation", message));
        }
        if why.is_some() {
            let message = "as many were said as may be until they say something";
            return Ok(refused("replies_at_most", "conversation", message));
        }
        Ok(Ok(()))
    }

    /// Says who looks after a conversation; nobody, where nobody is named.
    #[boxed]
    pub async fn assign_conversation(
        &self,
        grant: &Grant,
        conversation: &str,
        to: Option<&str>,
    ) -> Result<Refused<ConversationView>> {
        if let Some(code) = to
            && !self.places().await?.has_staff(code)
        {
            return Ok(refused("staff_unknown", "assignee", "nobody of the staff has this code"));
        }
        let noted = json!({"assignee": to});
        self.change_talk(grant, conversation, ("assign", &noted), |talk| {
            talk.assignee = to.map(str::to_owned)
        })
        .await
    }

    /// Says that a conversation is over; a word of the member opens it again.
    #[boxed]
    pub async fn close_conversation(
        &self,
        grant: &Grant,
        conversation: &str,
    ) -> Result<Refused<ConversationView>> {
        self.change_talk(grant, conversation, ("close", &json!({})), |talk| {
            (talk.state, talk.unread, talk.trouble) = (TalkState::Closed, 0, None);
        })
        .await
    }

    /// Opens a conversation again that somebody closed: it is as it would be where somebody had read it.
    #[boxed]
    pub async fn reopen_conversation(
        &self,
        grant: &Grant,
        conversation: &str,
    ) -> Result<Refused<ConversationView>> {
        self.change_talk(grant, conversation, ("reopen", &json!({})), |talk| {
            if talk.state == TalkState::Closed {
                talk.state = TalkState::Open;
            }
        })
        .await
    }

    /// Says that what the member said was read.
    #[boxed]
    pub async fn read_conversation(
        &self,
        grant: &Grant,
        conversation: &str,
    ) -> Result<Refused<ConversationView>> {
        self.change_talk(grant, conversation, ("read", &json!({})), |talk| {
            talk.unread = 0;
            if talk.state == TalkState::Unread {
                talk.state = TalkState::Open;
            }
        })
        .await
    }

    /// Says that a complaint of the member's is open, or settled: by a tag of theirs, which the playbook's `sending.complaint` may ask for,
    /// so that nothing is sold to them meanwhile.
    #[boxed]
    pub async fn complain_in(
        &self,
        grant: &Grant,
        conversation: &str,
        open: bool,
        tag: Option<&str>,
    ) -> Result<Refused<ConversationView>> {
        grant.may(Operation::InboxAnswer)?;
        let rows = self.inbox_rows().await?;
        let seen = self.seen_talk(&rows, grant, Operation::InboxAnswer, conversation).await?;
        let Some(seen) = seen else { return Ok(unknown()) };
        let before = seen.talk.complaint.clone();
        if before.is_some() == open {
            return Ok(Ok(seen.view(clock::wall())));
        }
        let tag = tag.map(str::to_owned).or(before).unwrap_or_else(|| COMPLAINT_TAG.to_owned());
        if !self.live()?.playbook.tags.contains_key(&tag) {
            return Ok(refused("tag_unknown", "tag", "the playbook has no such tag"));
        }
        let home = self.home().await?;
        let event = if open { names::TAG_PUT_ON } else { names::TAG_TAKEN_OFF };
        let item = json!({
            "type": "track", "event": event, "messageId": format!("complaint-{}-{}", seen.id, seen.version),
            "timestamp": clock::now(&home).rfc3339(), "properties": {"tag": tag},
            "context": {"externalIds": [{"id": seen.talk.customer, "type": seen.talk.namespace}]},
        });
        let source = Source {
            name: format!("{SOURCE}inbox"),
            user_namespace: "user".to_owned(),
            replay: false,
            ties: Ties::Keep,
        };
        let verdicts = self.accept(&source, &[item.to_string().into_bytes()], None).await?;
        if let Some(Verdict::Refused(refusal)) = verdicts.into_iter().next()
            && refusal.code != crate::accept::REUSED
        {
            return Ok(Err(refusal));
        }
        let noted = json!({"open": open, "tag": tag});
        self.change_talk(grant, conversation, ("complaint", &noted), |talk| {
            talk.complaint = open.then(|| tag.clone());
        })
        .await
    }

    /// A line of the audit log, before it is done.
    async fn note_on(&self, grant: &Grant, seen: &Seen, act: &str, noted: &Value) -> Result<()> {
        let mut more = detail(noted.clone());
        more.insert("act".to_owned(), act.into());
        let (store, target) = (self.store().as_ref(), Target::code(seen.id));
        audit::note(store, grant, Operation::InboxAnswer, &target, Outcome::Begun, &more).await.map(drop)
    }

    async fn change_talk(
        &self,
        grant: &Grant,
        conversation: &str,
        (act, noted): (&str, &Value),
        change: impl Fn(&mut Talk) + Send + Sync,
    ) -> Result<Refused<ConversationView>> {
        grant.may(Operation::InboxAnswer)?;
        let rows = self.inbox_rows().await?;
        for attempt in 0..TRIES {
            let seen = self.seen_talk(&rows, grant, Operation::InboxAnswer, conversation).await?;
            let Some(mut seen) = seen else { return Ok(unknown()) };
            let before = seen.talk.clone();
            change(&mut seen.talk);
            if seen.talk == before {
                return Ok(Ok(seen.view(clock::wall())));
            }
            if attempt == 0 {
                self.note_on(grant, &seen, act, noted).await?;
            }
            let thing = rows.talk(seen.id, seen.version, &seen.talk)?;
            if rows.converse(vec![thing], vec![seen.talk.listed(seen.id)]).await? {
                return Ok(Ok(seen.view(clock::wall())));
            }
        }
        Ok(refused("conversation_busy", "conversation", "too much is said in it right now: try again"))
    }
}
