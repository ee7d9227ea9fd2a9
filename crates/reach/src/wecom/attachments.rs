//! What is said to customers: a text, and what is attached to it. One form for mass sends and welcomes (path/92135, path/92137).

use serde::{Deserialize, Serialize};

use super::bounds;
use super::trouble::Trouble;

/// The longest title of a link, in bytes.
const LINK_TITLE_BYTES_MAX: u64 = 128;
/// The longest words below it, in bytes.
const LINK_DESC_BYTES_MAX: u64 = 512;
/// The longest title of a page of a mini program, in bytes.
const MINI_TITLE_BYTES_MAX: u64 = 64;
/// The longest path of such a page, in bytes: what an address may have.
const MINI_PAGE_BYTES_MAX: u64 = 1_024;

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text; `%NICKNAME%` is the customer's name in welcomes.
    #[serde(default)]
    pub content: String,
}

/// A picture: one of both is given; where both are, the platform takes the first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// As it was uploaded; good for three days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_id: Option<String>,
    /// Where it lies for good (`media/uploadimg`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pic_url: Option<String>,
}

/// A link with a card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its title, 1 to 128 bytes.
    pub title: String,
    /// The picture on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picurl: Option<String>,
    /// Words below the title, at most 512 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// Where it leads.
    pub url: String,
}

/// A page of a mini program, which the business must have bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniProgram {
    /// Its title, 1 to 64 bytes.
    pub title: String,
    /// The picture on it, as it was uploaded (520 × 416).
    pub pic_media_id: String,
    /// The mini program.
    pub appid: String,
    /// The page.
    pub page: String,
}

/// A file or a video as it was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// The upload; good for three days.
    pub media_id: String,
}

/// Something attached. It is written with its kind under `msgtype`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "msgtype", rename_all = "lowercase")]
pub enum Attachment {
    /// A picture.
    Image {
        /// Which.
        image: Image,
    },
    /// A link.
    Link {
        /// Which.
        link: Link,
    },
    /// A page of a mini program.
    MiniProgram {
        /// Which.
        miniprogram: MiniProgram,
    },
    /// A video.
    Video {
        /// Which.
        video: Media,
    },
    /// A file.
    File {
        /// Which.
        file: Media,
    },
}

impl Image {
    pub(crate) fn check(&self, field: &str) -> Result<(), Trouble> {
        match (&self.media_id, &self.pic_url) {
            (None, None) => Err(Trouble::input(format!("{field}.media_id"), "or pic_url: one of both")),
            (Some(media_id), _) => bounds::id(&format!("{field}.media_id"), media_id),
            (None, Some(pic_url)) => bounds::url(&format!("{field}.pic_url"), pic_url),
        }
    }
}

impl Link {
    pub(crate) fn check(&self, field: &str) -> Result<(), Trouble> {
        bounds::filled(&format!("{field}.title"), &self.title)?;
        bounds::bytes(&format!("{field}.title"), &self.title, LINK_TITLE_BYTES_MAX)?;
        bounds::bytes(
            &format!("{field}.desc"),
            self.desc.as_deref().unwrap_or_default(),
            LINK_DESC_BYTES_MAX,
        )?;
        if let Some(picurl) = &self.picurl {
            bounds::url(&format!("{field}.picurl"), picurl)?;
        }
        bounds::url(&format!("{field}.url"), &self.url)
    }
}

impl MiniProgram {
    pub(crate) fn check(&self, field: &str) -> Result<(), Trouble> {
        bounds::filled(&format!("{field}.title"), &self.title)?;
        bounds::bytes(&format!("{field}.title"), &self.title, MINI_TITLE_BYTES_MAX)?;
        bounds::id(&format!("{field}.pic_media_id"), &self.pic_media_id)?;
        bounds::id(&format!("{field}.appid"), &self.appid)?;
        bounds::filled(&format!("{field}.page"), &self.page)?;
        bounds::bytes(&format!("{field}.page"), &self.page, MINI_PAGE_BYTES_MAX)
    }
}

impl Attachment {
    fn check(&self, field: &str) -> Result<(), Trouble> {
        match self {
            Self::Image { image } => image.check(&format!("{field}.image")),
            Self::Link { link } => link.check(&format!("{field}.link")),
            Self::MiniProgram { miniprogram } => miniprogram.check(&format!("{field}.miniprogram")),
            Self::Video { video } => bounds::id(&format!("{field}.video.media_id"), &video.media_id),
            Self::File { file } => bounds::id(&format!("{field}.file.media_id"), &file.media_id),
        }
    }
}

/// A text and attachments: one of both at least.
pub(crate) fn check(
    text: Option<&Text>,
    attachments: &[Attachment],
    text_bytes_max: u64,
    attachments_max: u64,
) -> Result<(), Trouble> {
    let content = text.map_or("", |text| text.content.as_str());
    if content.trim().is_empty() && attachments.is_empty() {
        return Err(Trouble::input("text.content", "or attachments: one of both"));
    }
    bounds::bytes("text.content", content, text_bytes_max)?;
    bounds::count("attachments", attachments.len(), 0, attachments_max)?;
    for (i, attachment) in attachments.iter().enumerate() {
        attachment.check(&format!("attachments[{i}]"))?;
    }
    Ok(())
}
