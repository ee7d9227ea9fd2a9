//! The master key: from a file, the environment or a command, read once at the start and never written anywhere.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use zhiyin_store::seal::envelope::Key;

use crate::arguments::Place;

/// Holds the master key itself.
const VARIABLE: &str = "ZHIYIN_MASTER_KEY";
/// What a file or a command may give at most.
const TEXT_BYTES_MAX: u64 = 4_096;

static MASTER: OnceLock<Option<Key>> = OnceLock::new();

/// The master key that was given, if one was.
pub fn given(place: &Place) -> Result<Option<Key>> {
    if let Some(read) = MASTER.get() {
        return Ok(read.clone());
    }
    let read = match (&place.master_key_file, &place.master_key_command) {
        (Some(file), _) => Some(from_file(file)?),
        (None, Some(command)) => Some(from_command(command)?),
        (None, None) => match std::env::var(VARIABLE) {
            Ok(text) => Some(parse(&text).with_context(|| VARIABLE.to_owned())?),
            Err(_) => None,
        },
    };
    Ok(MASTER.get_or_init(|| read).clone())
}

/// Reads a master key from a file, which others may not read.
pub fn from_file(path: &Path) -> Result<Key> {
    let shown = || path.display().to_string();
    let metadata = std::fs::metadata(path).with_context(shown)?;
    if metadata.mode() & 0o077 != 0 {
        bail!("master_key_readable: {}: others may read it; `chmod 600` it first", path.display());
    }
    if metadata.len() > TEXT_BYTES_MAX {
        bail!("{}: a master key is 32 bytes, as 64 hexadecimal digits or base64", path.display());
    }
    let bytes = std::fs::read(path).with_context(shown)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("not text")).with_context(shown)?;
    parse(&text).with_context(shown)
}

fn from_command(command: &str) -> Result<Key> {
    let output =
        Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("--master-key-command")?;
    if !output.status.success() {
        bail!("--master-key-command: it ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout).map_err(|_| anyhow::anyhow!("what it printed is not text"));
    parse(&text.context("--master-key-command")?).context("--master-key-command")
}

/// Reads 32 bytes written as hexadecimal digits or as base64. What stood there is never part of an error.
fn parse(text: &str) -> Result<Key> {
    let text = text.trim();
    let bytes = if text.len() == 64 { hex(text) } else { base64(text) };
    match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(bytes) => Ok(Key::from_bytes(bytes)),
        None => bail!("a master key is 32 bytes, as 64 hexadecimal digits or base64"),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[a, b]| Some(digit(*a)? * 16 + digit(*b)?)).collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        Some(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        held = (held << 6) | u32::from(digit(byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Writes a new master key to a new file that only its owner reads.
pub fn make(path: &Path) -> Result<Key> {
    let key = Key::random()?;
    let mut text: String = key.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| path.display().to_string())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_digits_and_from_base64_and_nothing_else() {
        let digits = "00".repeat(31) + "fF\n";
        let key = parse(&digits).ok().map(|key| *key.bytes());
        let mut bytes = [0; 32];
        bytes[31] = 255;
        assert_eq!(key, Some(bytes));
        let base64 = "A".repeat(42) + "P8=";
        assert_eq!(parse(&base64).ok().map(|key| *key.bytes()), None);
        let base64 = "A".repeat(41) + "P8=";
        assert_eq!(parse(&base64).ok().map(|key| *key.bytes()), Some(bytes));
        for wrong in ["", "00", &"0g".repeat(32), &"é".repeat(32), &"A".repeat(60)] {
            let error = parse(wrong).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with("a master key is 32 bytes"), "{wrong}");
            assert!(wrong.is_empty() || !error.contains(wrong), "{wrong}");
        }
    }
}
