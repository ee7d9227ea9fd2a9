//! The first words to a new customer (path/92137), and what a group says to who joins it (path/92366).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::attachments::{self, Attachment, Image, Link, Media, MiniProgram, Text};
use super::limits::Window;
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// A welcome. Its code comes with a callback, is good for 20 seconds and once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Welcome {
    /// The code.
    pub welcome_code: String,
    /// The text, at most 4,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Up to 9 attachments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// That it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcomed {
    /// By this call.
    Now,
    /// By the one before, whose answer was lost.
    Before,
}

/// What a group says to who joins it: a text, and one thing beside it. Said whole also where it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupWelcome {
    /// The text, at most 3,000 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Or a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Or a page of a mini program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miniprogram: Option<MiniProgram>,
    /// Or a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Media>,
    /// Or a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Media>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Made {
    template_id: String,
}

impl Wecom {
    /// Welcomes a customer (path/92137). Where the answer is lost it is said again with `after_unknown`: that the code was used, or is
    /// being used, then says that the first one arrived. Without it, it says that somebody else was quicker.
    pub async fn welcome(&self, welcome: &Welcome, after_unknown: bool) -> Result<Welcomed, Trouble> {
        bounds::id("welcome_code", &welcome.welcome_code)?;
        let text = self.most("welcome.text_bytes", Window::Call);
        let most = self.most("welcome.attachments", Window::Call);
        attachments::check(welcome.text.as_ref(), &welcome.attachments, text, most)?;
        match self.tell(&apis::WELCOME, welcome).await {
            Ok(()) => Ok(Welcomed::Now),
            Err(trouble) if after_unknown && trouble.is_done_already() => Ok(Welcomed::Before),
            Err(trouble) => Err(trouble),
        }
    }

    fn check_group_welcome(&self, welcome: &GroupWelcome) -> Result<(), Trouble> {
        let content = welcome.text.as_ref().map_or("", |text| text.content.as_str());
        bounds::bytes("text.content", content, self.most("group_welcomes.text_bytes", Window::Call))?;
        let GroupWelcome { image, link, miniprogram, file, video, .. } = welcome;
        let beside =
            [image.is_some(), link.is_some(), miniprogram.is_some(), file.is_some(), video.is_some()];
        match beside.iter().filter(|is_there| **is_there).count() {
            0 if content.trim().is_empty() => return Err(Trouble::input("text.content", "is empty")),
            0 | 1 => {}
            _ => return Err(Trouble::input("image", "link, miniprogram, file, video: one of them")),
        }
        image.as_ref().map_or(Ok(()), |image| image.check("image"))?;
        link.as_ref().map_or(Ok(()), |link| link.check("link"))?;
        miniprogram.as_ref().map_or(Ok(()), |page| page.check("miniprogram"))?;
        file.as_ref().map_or(Ok(()), |file| bounds::id("file.media_id", &file.media_id))?;
        video.as_ref().map_or(Ok(()), |video| bounds::id("video.media_id", &video.media_id))
    }

    /// Makes a welcome for groups, of which there are 100 at most; staff are told of it where `notify` says so (path/92366). Said twice
    /// there are two, and the platform lists none but in its console.
    pub async fn add_group_welcome(&self, welcome: &GroupWelcome, notify: bool) -> Result<String, Trouble> {
        self.check_group_welcome(welcome)?;
        let mut body = json!(welcome);
        body["notify"] = json!(u8::from(notify));
        let made: Made = self.post(&apis::GROUP_WELCOME_ADD, &body).await?;
        bounds::given(made.template_id)
    }

    /// Makes one another (path/92366).
    pub async fn edit_group_welcome(&self, template_id: &str, welcome: &GroupWelcome) -> Result<(), Trouble> {
        bounds::id("template_id", template_id)?;
        self.check_group_welcome(welcome)?;
        let mut body = json!(welcome);
        body["template_id"] = json!(template_id);
        self.tell(&apis::GROUP_WELCOME_EDIT, &body).await
    }

    /// One as it is (path/92366).
    pub async fn group_welcome(&self, template_id: &str) -> Result<GroupWelcome, Trouble> {
        bounds::id("template_id", template_id)?;
        self.post(&apis::GROUP_WELCOME_GET, &json!({"template_id": template_id})).await
    }

    /// Takes one away (path/92366).
    pub async fn delete_group_welcome(&self, template_id: &str) -> Result<(), Trouble> {
        bounds::id("template_id", template_id)?;
        self.tell(&apis::GROUP_WELCOME_DEL, &json!({"template_id": template_id})).await
    }
}
