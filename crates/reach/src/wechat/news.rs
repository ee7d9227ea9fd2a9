//! What the platform tells of people, as a home keeps it: who followed and left, what they scanned and pressed and said, what they allowed,
//! what became of messages.

use serde::{Deserialize, Serialize};

use crate::wecom::callback::xml::Element;

/// What a code's scene begins with where somebody followed by it.
const BY_CODE: &str = "qrscene_";
/// How much of a text is kept, in characters, and of a key or an address.
const TEXT_CHARS_MAX: usize = 600;
const KEY_CHARS_MAX: usize = 256;
/// How many things one callback tells of at most.
const LIST_MAX: usize = 32;
/// What whoever wants no more says: the whole of what they say, in any case.
const STOPS: [&str; 7] = ["stop", "unsubscribe", "td", "t", "退订", "取消订阅", "不要再发"];

/// For how many hours somebody may be answered who said something, and how often where a brand says nothing else
/// (…/doc/offiaccount/Customer_Service/Customer_Service_Messages.html and …/miniprogram/dev/framework/open-ability/customer-message/send.html,
/// both 5 within 48 hours in November 2026; official accounts had 20).
pub const ANSWER_HOURS: u32 = 48;
/// How often.
pub const ANSWERS: u64 = 5;

fn answers() -> u64 {
    ANSWERS
}

/// Something that happened to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WechatNews {
    /// The app.
    pub app: String,
    /// How the person is named in a home, and their name.
    pub namespace: String,
    /// Their name.
    pub id: String,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What somebody said of messages of one template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The template.
    pub template: String,
    /// Whether they allow it.
    pub yes: bool,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What the platform calls it.
    pub receipt: String,
    /// Of which template it is, where it says.
    #[serde(default)]
    pub template: Option<String>,
    /// Why it did not arrive, by a name; nothing where it did.
    pub failed: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// They follow the account.
    Followed {
        /// The scene of the code by which they came.
        way: Option<String>,
    },
    /// They follow it no more.
    Left,
    /// They scanned a code and follow already.
    Scanned {
        /// Its scene.
        way: String,
    },
    /// They pressed something in the menu.
    Pressed {
        /// What.
        key: String,
        /// Whether it leads to a page.
        page: bool,
    },
    /// They said something.
    Said {
        /// `text`, `image`, `voice`, ….
        kind: String,
        /// What, where it is a text.
        text: String,
        /// What the platform calls what was sent.
        media: Option<String>,
        /// Whether they want no more.
        stop: bool,
        /// As which persona the app speaks that they said it to; nothing, as its account is called.
        #[serde(default)]
        persona: Option<String>,
        /// How often they may be answered within [`ANSWER_HOURS`].
        #[serde(default = "answers")]
        answers: u64,
    },
    /// They were asked, and said what they allow: each yes is good for one message.
    Answered {
        /// What.
        all: Vec<Allowed>,
    },
    /// They changed what they allow in the settings.
    Changed {
        /// What.
        all: Vec<Allowed>,
    },
    /// Messages arrived, or did not.
    Arrived {
        /// Which.
        all: Vec<Receipt>,
    },
    /// Nothing that anybody here has a use for.
    Other,
}

impl What {
    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Followed { .. } => "followed",
            Self::Left => "left",
            Self::Scanned { .. } => "scanned",
            Self::Pressed { .. } => "pressed",
            Self::Said { .. } => "said",
            Self::Answered { .. } => "answered",
            Self::Changed { .. } => "changed",
            Self::Arrived { .. } => "arrived",
            Self::Other => "other",
        }
    }
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// A scene, as codes bear it.
fn scene(root: &Element) -> Option<String> {
    let key = root.said("EventKey")?;
    let scene = key.strip_prefix(BY_CODE).unwrap_or(key);
    // What came by a search or an article bears something else.
    (!scene.is_empty() && !scene.starts_with("last_trade_no_")).then(|| cut(scene, 64))
}

fn list<'e>(root: &'e Element, name: &str) -> impl Iterator<Item = &'e Element> {
    let of = root.child(name).map(|of| of.children.as_slice()).unwrap_or_default();
    of.iter().filter(|one| one.name == "List").take(LIST_MAX)
}

fn allowed(root: &Element, name: &str) -> Vec<Allowed> {
    let one = |one: &Element| {
        let template = cut(one.said("TemplateId")?, KEY_CHARS_MAX);
        Some(Allowed { template, yes: one.said("SubscribeStatusString")? == "accept" })
    };
    list(root, name).filter_map(one).collect()
}

/// Why a template message did not arrive (…/Message_Management/Template_Message_Interface.html).
fn why_failed(status: &str) -> Option<String> {
    let status = status.trim();
    if status.eq_ignore_ascii_case("success") {
        return None;
    }
    let is_blocked = status.replace(' ', "").eq_ignore_ascii_case("failed:userblock");
    Some(if is_blocked { "blocked_by_person" } else { "platform_failed" }.to_owned())
}

fn event(root: &Element) -> What {
    match root.said("Event").unwrap_or_default() {
        "subscribe" => What::Followed { way: scene(root) },
        "unsubscribe" => What::Left,
        "SCAN" => match scene(root) {
            Some(way) => What::Scanned { way },
            None => What::Other,
        },
        "CLICK" | "VIEW" | "view_miniprogram" => {
            let key = cut(root.said("EventKey").unwrap_or_default(), KEY_CHARS_MAX);
            What::Pressed { key, page: root.said("Event") != Some("CLICK") }
        }
        "subscribe_msg_popup_event" => What::Answered { all: allowed(root, "SubscribeMsgPopupEvent") },
        "subscribe_msg_change_event" => What::Changed { all: allowed(root, "SubscribeMsgChangeEvent") },
        "subscribe_msg_sent_event" => {
            let one = |one: &Element| {
                let code = one.said("ErrorCode").unwrap_or("0");
                let failed = (code != "0").then(|| format!("platform_failed {}", cut(code, 12)));
                let template = one.said("TemplateId").map(|id| cut(id, KEY_CHARS_MAX));
                Some(Receipt { receipt: cut(one.said("MsgID")?, 64), template, failed })
            };
            What::Arrived { all: list(root, "SubscribeMsgSentEvent").filter_map(one).collect() }
        }
        "TEMPLATESENDJOBFINISH" => match root.said("MsgID") {
            Some(id) => {
                let failed = why_failed(root.said("Status").unwrap_or_default());
                What::Arrived { all: vec![Receipt { receipt: cut(id, 64), template: None, failed }] }
            }
            None => What::Other,
        },
        _ => What::Other,
    }
}

/// What a callback says.
pub(super) fn what(root: &Element) -> What {
    match root.said("MsgType").unwrap_or_default() {
        "event" => event(root),
        kind @ ("text" | "image" | "voice" | "video" | "shortvideo" | "location" | "link"
        | "miniprogrampage") => {
            let text = cut(root.said("Content").unwrap_or_default(), TEXT_CHARS_MAX);
            let media = root.said("MediaId").map(|media| cut(media, KEY_CHARS_MAX));
            let stop = STOPS.contains(&text.trim().to_lowercase().as_str());
            What::Said { kind: kind.to_owned(), text, media, stop, persona: None, answers: ANSWERS }
        }
        _ => What::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wecom::callback::xml;

    fn read(inner: &str) -> What {
        what(&xml::read(format!("<xml>{inner}</xml>").as_bytes()).unwrap())
    }

    fn event(name: &str, more: &str) -> What {
        read(&format!("<MsgType>event</MsgType><Event><![CDATA[{name}]]></Event>{more}"))
    }

    #[test]
    fn what_the_platform_tells_is_read_as_its_documents_write_it() {
        let yes = |yes| Allowed { template: "T1".to_owned(), yes };
        let way = |way: &str| Some(way.to_owned());
        let popup = "<SubscribeMsgPopupEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>\
            <PopupScene>0</PopupScene></List><List><TemplateId>T1</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>\
            </List></SubscribeMsgPopupEvent>";
        let sent = |code: u32| {
            format!(
                "<SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><MsgID>27</MsgID><ErrorCode>{code}</ErrorCode></List></SubscribeMsgSentEvent>"
            )
        };
        let receipt = |template: Option<&str>, failed: Option<&str>| What::Arrived {
            all: vec![Receipt {
                receipt: "27".to_owned(),
                template: template.map(str::to_owned),
                failed: failed.map(str::to_owned),
            }],
        };
        let (arrived, subscribed) = (|failed| receipt(None, failed), |failed| receipt(Some("T1"), failed));
        for (told, what) in [
            (event("subscribe", ""), What::Followed { way: None }),
            (
                event("subscribe", "<EventKey>qrscene_door~may</EventKey>"),
                What::Followed { way: way("door~may") },
            ),
            (event("subscribe", "<EventKey>last_trade_no_42</EventKey>"), What::Followed { way: None }),
            (event("unsubscribe", "<EventKey></EventKey>"), What::Left),
            (event("SCAN", "<EventKey>door</EventKey>"), What::Scanned { way: "door".to_owned() }),
            (event("CLICK", "<EventKey>k</EventKey>"), What::Pressed { key: "k".to_owned(), page: false }),
            (
                event("VIEW", "<EventKey>http://a</EventKey>"),
                What::Pressed { key: "http://a".to_owned(), page: true },
            ),
            (event("subscribe_msg_popup_event", popup), What::Answered { all: vec![yes(true), yes(false)] }),
            (event("subscribe_msg_sent_event", &sent(0)), subscribed(None)),
            (event("subscribe_msg_sent_event", &sent(20001)), subscribed(Some("platform_failed 20001"))),
            (event("TEMPLATESENDJOBFINISH", "<MsgID>27</MsgID><Status>success</Status>"), arrived(None)),
            (
                event("TEMPLATESENDJOBFINISH", "<MsgID>27</MsgID><Status>failed:user block</Status>"),
                arrived(Some("blocked_by_person")),
            ),
            (
                event("TEMPLATESENDJOBFINISH", "<MsgID>27</MsgID><Status>failed: system failed</Status>"),
                arrived(Some("platform_failed")),
            ),
            (event("LOCATION", ""), What::Other),
        ] {
            assert_eq!(told, what);
        }
        for (said, stops) in [("退订", true), (" Stop ", true), ("please stop", false), ("T恤还有吗", false)]
        {
            let told = read(&format!("<MsgType>text</MsgType><Content><![CDATA[{said}]]></Content>"));
            assert!(matches!(told, What::Said { stop, .. } if stop == stops), "{said}");
        }
    }
}
