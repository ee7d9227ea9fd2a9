//! Files: temporary ones for three days, pictures for good. Only kind, size and time are kept.

use serde_json::json;

use super::ask::query;
use super::{Answer, Call};
use crate::calendar::Period;
use crate::limits::Rule;
use crate::world::types::Media;
use crate::world::{Refusal, THINGS_MAX, World, refuse};

/// The first file of a multipart body: how large it is.
fn file_bytes(call: &Call<'_>) -> Result<usize, Refusal> {
    let missing = || Refusal { code: 41005, says: "media data missing".to_owned() };
    let boundary = call.content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="));
    let boundary =
        boundary.map(|boundary| boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty());
    let opening = format!("--{}", boundary.ok_or_else(missing)?);
    let raw: &[u8] = call.raw;
    let start = find(raw, opening.as_bytes()).ok_or_else(missing)? + opening.len();
    let head_end = start + find(raw.get(start..).unwrap_or_default(), b"\r\n\r\n").ok_or_else(missing)?;
    let head = String::from_utf8_lossy(raw.get(start..head_end).unwrap_or_default());
    if !head.contains("filename=") || !head.contains("name=\"media\"") {
        return Err(missing());
    }
    let closing = format!("\r\n--{}", boundary.unwrap_or_default());
    find(raw.get(head_end + 4..).unwrap_or_default(), closing.as_bytes()).ok_or_else(missing)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

pub fn upload(world: &mut World, call: &Call<'_>) -> Answer {
    let field = if call.query.contains_key("media_type") { "media_type" } else { "type" };
    let kind = query(call, field, 40004)?;
    let rule = match kind {
        "image" => Rule::MediaImageBytes,
        "voice" => Rule::MediaVoiceBytes,
        "video" => Rule::MediaVideoBytes,
        "file" => Rule::MediaFileBytes,
        _ => return refuse(40004, "invalid media type"),
    };
    let n_bytes = file_bytes(call)?;
    if n_bytes <= 5 {
        return refuse(40006, "invalid media size");
    }
    if n_bytes > world.limits.n(rule) {
        return refuse(45001, "media size out of limit");
    }
    let now_ms = world.now_ms;
    let ms = world.limits.of(Rule::MediaMs);
    if world.media.len() >= THINGS_MAX {
        world.media.retain(|_, media| now_ms < media.created_ms + ms);
    }
    let media_id = world.new_id("3", 43);
    world.media.insert(media_id.clone(), Media { kind: kind.to_owned(), created_ms: now_ms, n_bytes });
    Ok(json!({"type": kind, "media_id": media_id, "created_at": now_ms.div_euclid(1_000).to_string()}))
}

pub fn uploadimg(world: &mut World, call: &Call<'_>) -> Answer {
    let n_bytes = file_bytes(call)?;
    if n_bytes <= 5 {
        return refuse(40006, "invalid media size");
    }
    if n_bytes > world.limits.n(Rule::UploadimgBytes) {
        return refuse(45001, "media size out of limit");
    }
    for (period, rule) in [(Period::Day, Rule::UploadimgPerDay), (Period::Month, Rule::UploadimgPerMonth)] {
        if !world.meters.take("uploadimg", "corp", period, world.limits.of(rule), world.now_ms, 1) {
            return refuse(45009, "api freq out of limit");
        }
    }
    let id = world.new_id("", 40);
    Ok(json!({"url": format!("http://p.qpic.cn/pic_wework/{id}/0")}))
}
