//! Messages of the app to members of staff (path/90236), and taking them back (path/94867). A member of staff gets 30 a minute and 1,000 an
//! hour; what is more, the platform throws away without a word.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::limits::Window;
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// The longest word of a card's button, in characters (path/90236).
const BUTTON_CHARS_MAX: u64 = 4;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "msgtype", rename_all = "lowercase")]
pub enum Notice {
    /// A text, at most 2,048 bytes.
    Text {
        /// It.
        text: Content,
    },
    /// A card that leads somewhere.
    TextCard {
        /// It.
        textcard: Card,
    },
    /// A text with marks, at most 2,048 bytes.
    Markdown {
        /// It.
        markdown: Content,
    },
}

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// It.
    pub content: String,
}

/// A card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its title, at most 128 bytes.
    pub title: String,
    /// What it says, at most 512 bytes.
    pub description: String,
    /// Where it leads.
    pub url: String,
    /// What its button says, at most 4 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub btntxt: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// By which it is taken back.
    pub msgid: String,
    /// Who is nobody, or not for this app, in small letters.
    pub invalid: Vec<String>,
    /// Who has no licence.
    pub unlicensed: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    msgid: String,
    invaliduser: String,
    unlicenseduser: String,
}

fn parts(joined: &str) -> Vec<String> {
    joined.split('|').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

impl Wecom {
    /// Says something to up to 1,000 members of staff (path/90236). The same said again within `once_within_seconds` (at most four hours) is
    /// thrown away by the platform: so where the answer is lost it may be said again within them, word for word. 0 turns that off.
    pub async fn notify(
        &self,
        userids: &[String],
        notice: &Notice,
        once_within_seconds: u64,
    ) -> Result<Notified, Trouble> {
        bounds::ids("touser", userids, 1, self.most("notify.staff", Window::Call))?;
        for (i, userid) in userids.iter().enumerate() {
            // `@all` is everybody, and `|` is between two.
            if userid.contains('|') || userid.eq_ignore_ascii_case("@all") {
                return Err(Trouble::input(format!("touser[{i}]"), "one member of staff"));
            }
        }
        let most = self.most("notify.duplicate_seconds", Window::Each);
        bounds::within("duplicate_check_interval", once_within_seconds, 0, most)?;
        self.check_notice(notice)?;
        let mut body = json!(notice);
        body["touser"] = json!(userids.join("|"));
        body["agentid"] = json!(self.agent_id());
        if once_within_seconds > 0 {
            body["enable_duplicate_check"] = json!(1);
            body["duplicate_check_interval"] = json!(once_within_seconds);
        }
        let answer: Answer = self.post(&apis::NOTIFY, &body).await?;
        let (invalid, unlicensed) = (parts(&answer.invaliduser), parts(&answer.unlicenseduser));
        Ok(Notified { msgid: answer.msgid, invalid, unlicensed })
    }

    fn check_notice(&self, notice: &Notice) -> Result<(), Trouble> {
        let most = |subject| self.most(subject, Window::Call);
        let (field, text) = match notice {
            Notice::Text { text } => ("text.content", text),
            Notice::Markdown { markdown } => ("markdown.content", markdown),
            Notice::TextCard { textcard } => {
                bounds::filled("textcard.title", &textcard.title)?;
                bounds::bytes("textcard.title", &textcard.title, most("notify.title_bytes"))?;
                bounds::filled("textcard.description", &textcard.description)?;
                let longest = most("notify.description_bytes");
                bounds::bytes("textcard.description", &textcard.description, longest)?;
                bounds::url("textcard.url", &textcard.url)?;
                let button = textcard.btntxt.as_deref().unwrap_or_default();
                return bounds::chars("textcard.btntxt", button, BUTTON_CHARS_MAX);
            }
        };
        bounds::filled(field, &text.content)?;
        bounds::bytes(field, &text.content, most("notify.text_bytes"))
    }

    /// Takes a message back, of the last 24 hours (path/94867); `message_too_old` where it is older.
    pub async fn recall(&self, msgid: &str) -> Result<(), Trouble> {
        bounds::id("msgid", msgid)?;
        self.tell(&apis::RECALL, &json!({"msgid": msgid})).await
    }
}
