//! Files: uploads that are good for three days (path/90253), pictures that stay (path/90256), and uploads for moments (path/95098). Whoever
//! sends keeps the file itself, and uploads it again when its id has ended.

use hyper::body::Bytes;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::call::Body;
use super::limits::Window;
use super::numbers::whole;
use super::trouble::Trouble;
use super::{Wecom, apis, bounds};

/// The fewest bytes of a file (path/90253).
const BYTES_LEAST: usize = 6;
/// The longest name of a file, in bytes.
const NAME_BYTES_MAX: u64 = 200;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture: JPG or PNG, up to 10 MB.
    Image,
    /// A voice: AMR, up to 60 seconds and 2 MB.
    Voice,
    /// A video: MP4, up to 10 MB.
    Video,
    /// Anything, up to 20 MB.
    File,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Image => "media.image_bytes",
            Self::Voice => "media.voice_bytes",
            Self::Video => "media.video_bytes",
            Self::File => "media.file_bytes",
        }
    }
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, with its ending; customers see it.
    pub name: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// By which it is known to all apps of the business.
    pub media_id: String,
    /// When, in seconds since 1970 UTC, as the platform says.
    pub created_at: i64,
    /// When it ends, in seconds since 1970 UTC.
    pub expires_at: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    media_id: String,
    #[serde(deserialize_with = "whole")]
    created_at: i64,
    url: String,
}

/// A form with one file, as the platform reads it: with the file's length beside its name (path/90253).
fn form(file: &File) -> Body {
    use std::fmt::Write;
    // What the file's own hash is does not stand in the file.
    let mut boundary = String::from("zhiyin-");
    for byte in &Sha256::digest(&file.bytes)[..16] {
        // Writing to a text does not fail.
        let _ = write!(boundary, "{byte:02x}");
    }
    let ending = file.name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let kind = match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp4" => "video/mp4",
        "amr" => "audio/amr",
        _ => "application/octet-stream",
    };
    let (name, length) = (&file.name, file.bytes.len());
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{name}\"; filelength={length}\r\n\
         Content-Type: {kind}\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let bytes = [head.as_bytes(), &file.bytes, end.as_bytes()].concat();
    let content_type = Some(format!("multipart/form-data; boundary={boundary}"));
    Body { content_type, bytes: Bytes::from(bytes) }
}

fn check(file: &File, bytes_most: u64) -> Result<(), Trouble> {
    bounds::filled("filename", &file.name)?;
    bounds::bytes("filename", &file.name, NAME_BYTES_MAX)?;
    if file.name.contains(['"', '\\', '/', '\n', '\r', '\t']) {
        return Err(Trouble::input("filename", "has no quotes, slashes or ends of lines"));
    }
    bounds::count("media", file.bytes.len(), BYTES_LEAST, bytes_most)
}

impl Wecom {
    fn uploaded(&self, answer: Answer) -> Result<Uploaded, Trouble> {
        let media_id = bounds::given(answer.media_id)?;
        let created_at = if answer.created_at > 0 { answer.created_at } else { self.now_ms() / 1_000 };
        let days = i64::try_from(self.most("media.days", Window::Each)).unwrap_or(0);
        let expires_at = created_at.saturating_add(days * 86_400);
        Ok(Uploaded { media_id, created_at, expires_at })
    }

    /// Uploads a file for messages, good for three days (path/90253).
    pub async fn upload_media(&self, kind: Kind, file: &File) -> Result<Uploaded, Trouble> {
        check(file, self.most(kind.subject(), Window::Call))?;
        let query = [("type", kind.word())];
        let answer = self.upload(&apis::MEDIA_UPLOAD, &query, form(file)).await?;
        self.uploaded(answer)
    }

    /// Uploads a picture for good, and gives its address (path/90256). 1,000 a day and 3,000 a month: one whose answer was lost has counted.
    pub async fn upload_picture(&self, file: &File) -> Result<String, Trouble> {
        check(file, self.most("media.picture_bytes", Window::Call))?;
        let answer: Answer = self.upload(&apis::MEDIA_PICTURE, &[], form(file)).await?;
        bounds::given(answer.url)
    }

    /// Uploads a picture or a video for moments, good for three days (path/95098): those of messages are not taken there.
    pub async fn upload_attachment(&self, kind: Kind, file: &File) -> Result<Uploaded, Trouble> {
        if !matches!(kind, Kind::Image | Kind::Video) {
            return Err(Trouble::input("media_type", "image or video"));
        }
        check(file, self.most(kind.subject(), Window::Call))?;
        let query = [("media_type", kind.word()), ("attachment_type", "1")];
        let answer = self.upload(&apis::MEDIA_ATTACHMENT, &query, form(file)).await?;
        self.uploaded(answer)
    }
}
