//! Reading what a call asks for, with the platform's refusals; pages; attachments.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Call;
use crate::world::{Refusal, World, refuse};

/// 40058, naming the field.
pub fn wrong<T>(field: &str) -> Result<T, Refusal> {
    refuse(40058, format!("invalid Request Parameter: {field}"))
}

/// A text that must be there.
pub fn text<'a>(of: &'a Value, field: &str) -> Result<&'a str, Refusal> {
    let value = of[field].as_str().filter(|text| !text.is_empty());
    value.map_or_else(|| wrong(field), Ok)
}

/// A text of at most so many letters; empty where it is not there.
pub fn letters(of: &Value, field: &str, n_max: usize) -> Result<String, Refusal> {
    match &of[field] {
        Value::Null => Ok(String::new()),
        Value::String(text) if text.chars().count() <= n_max => Ok(text.clone()),
        _ => wrong(field),
    }
}

/// A list of texts, at most so many; empty where it is not there.
pub fn texts(of: &Value, field: &str, n_max: usize) -> Result<Vec<String>, Refusal> {
    let list = match &of[field] {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) if list.len() <= n_max => list,
        _ => return wrong(field),
    };
    list.iter().map(|item| item.as_str().map(str::to_owned).map_or_else(|| wrong(field), Ok)).collect()
}

/// What stands behind `?`.
pub fn query<'a>(call: &'a Call<'_>, field: &str, code: i64) -> Result<&'a str, Refusal> {
    let value = call.query.get(field).map(String::as_str).filter(|text| !text.is_empty());
    value.map_or_else(|| refuse(code, format!("{field} missing")), Ok)
}

/// A page: from after which key, and how many.
pub struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    /// Reads `cursor` and `limit`. Cursors are ours: whoever makes one up is refused.
    pub fn read(of: &Value, limit_default: usize, limit_max: usize) -> Result<Self, Refusal> {
        let limit = match &of["limit"] {
            Value::Null => limit_default,
            value => match value.as_u64() {
                Some(0) => limit_default,
                Some(n) if n <= limit_max as u64 => n as usize,
                _ => return wrong("limit"),
            },
        };
        let after = match of["cursor"].as_str().unwrap_or_default() {
            "" => None,
            cursor => match opened(cursor) {
                Some(key) => Some(key),
                None => return refuse(50100, "invalid cursor"),
            },
        };
        Ok(Self { after, limit })
    }

    /// After which key it begins.
    pub fn after(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    /// Takes a page of rows that are in the order of their keys, and the cursor of the next, empty at the end.
    pub fn cut<T>(&self, rows: impl IntoIterator<Item = (String, T)>) -> (Vec<T>, String) {
        let mut rows = rows
            .into_iter()
            .filter(|(key, _)| self.after.as_ref().is_none_or(|after| key > after))
            .peekable();
        let mut page = Vec::new();
        let mut last = String::new();
        while page.len() < self.limit
            && let Some((key, row)) = rows.next()
        {
            page.push(row);
            last = key;
        }
        let next = if rows.peek().is_some() { sealed(&last) } else { String::new() };
        (page, next)
    }
}

fn sealed(key: &str) -> String {
    let letters: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("C{letters}")
}

fn opened(cursor: &str) -> Option<String> {
    let letters =
        cursor.strip_prefix('C').filter(|letters| letters.is_ascii() && letters.len().is_multiple_of(2))?;
    let bytes: Option<Vec<u8>> = (0..letters.len() / 2)
        .map(|at| u8::from_str_radix(letters.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

/// Checks text and attachments of a message: there must be one of both, and media must be good still.
pub fn message(world: &World, body: &Value, text_bytes_max: usize, n_max: usize) -> Result<Value, Refusal> {
    let content = body["text"]["content"].as_str().unwrap_or_default();
    if content.len() > text_bytes_max {
        return refuse(45002, "content size out of limit");
    }
    let none = Vec::new();
    let attachments = match &body["attachments"] {
        Value::Null => &none,
        Value::Array(list) if list.len() <= n_max => list,
        _ => return wrong("attachments"),
    };
    if content.is_empty() && attachments.is_empty() {
        return refuse(44004, "empty content");
    }
    for attachment in attachments {
        one_attachment(world, attachment)?;
    }
    Ok(json!({"text": {"content": content}, "attachments": attachments}))
}

/// Checks one attachment.
pub fn one_attachment(world: &World, attachment: &Value) -> Result<(), Refusal> {
    let kind = text(attachment, "msgtype")?;
    let of = &attachment[kind];
    let media = |field: &str, kind: &str| match of[field].as_str() {
        Some(id) if world.media_is_good(id, kind) => Ok(()),
        _ => refuse(40007, "invalid media_id"),
    };
    match kind {
        "image" if of["pic_url"].as_str().is_some_and(|url| !url.is_empty()) => Ok(()),
        "image" | "video" | "file" => media("media_id", kind),
        "link" => {
            let is_short =
                text(of, "title")?.len() <= 128 && of["desc"].as_str().unwrap_or_default().len() <= 512;
            if !is_short || text(of, "url")?.len() > 2_048 {
                return wrong("link");
            }
            Ok(())
        }
        "miniprogram" => {
            text(of, "appid")?;
            text(of, "page")?;
            if text(of, "title")?.len() > 64 {
                return wrong("miniprogram.title");
            }
            media("pic_media_id", "image")
        }
        _ => refuse(41065, "invalid attachment msgtype"),
    }
}

/// The userids of a list that work here; refused where one does not.
pub fn all_work_here(world: &World, users: &[String]) -> Result<(), Refusal> {
    match users.iter().find(|userid| world.active_staff(userid).is_none()) {
        Some(_) => refuse(60111, "userid not found"),
        None => Ok(()),
    }
}

/// A list without repetition, in the order it was given.
pub fn once(list: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    list.into_iter().filter(|item| seen.insert(item.clone())).collect()
}
