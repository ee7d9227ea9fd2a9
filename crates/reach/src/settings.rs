//! What the settings of every channel share: how a field that cannot work is named, where secrets are read from, and which address is
//! spoken to. Secrets are never in the file; it says where they are.

use std::sync::Arc;

use crate::address::Target;
use crate::secret::{Secret, SecretAt};

/// The wall's clock, in milliseconds since 1970 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The largest secret that is a file of its own, in bytes.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// The longest secret that is one word.
const WORD_CHARS_MAX: usize = 512;
/// The longest word that a person may choose, such as a persona or a namespace, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64;

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct SettingsProblem {
    /// The field at fault, below the account.
    pub field: String,
    /// What is wrong, in words.
    pub message: String,
}

/// Where a secret comes from, to what is there.
pub trait Secrets: Fn(&SecretAt) -> Result<Vec<u8>, String> {}
impl<F: Fn(&SecretAt) -> Result<Vec<u8>, String>> Secrets for F {}

/// A field that cannot work.
pub(crate) fn wrong<T>(field: impl Into<String>, message: impl ToString) -> Result<T, SettingsProblem> {
    Err(SettingsProblem { field: field.into(), message: message.to_string() })
}

/// A secret from where `FIELD_env` or `FIELD_file` says that it is, and the field that says it; nothing where none does.
pub(crate) fn held(
    field: &str,
    env: Option<String>,
    file: Option<String>,
    secret: impl Secrets,
) -> Result<Option<(String, Vec<u8>)>, SettingsProblem> {
    let (field, at) = match (env, file) {
        (Some(name), None) => (format!("{field}_env"), SecretAt::Environment(name)),
        (None, Some(file)) => (format!("{field}_file"), SecretAt::File(file)),
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return wrong(format!("{field}_file"), "a secret is at one place"),
    };
    let bytes = secret(&at).or_else(|message| wrong(&field, message))?;
    if bytes.is_empty() || bytes.len() > FILE_BYTES_MAX {
        return wrong(field, format!("1 to {FILE_BYTES_MAX} bytes"));
    }
    Ok(Some((field, bytes)))
}

/// A secret that is one word, from where it is said to be; nothing where no field says it.
pub(crate) fn held_word(
    field: &str,
    env: Option<String>,
    file: Option<String>,
    secret: impl Secrets,
) -> Result<Option<Secret>, SettingsProblem> {
    let Some((field, bytes)) = held(field, env, file, secret)? else { return Ok(None) };
    let Ok(text) = String::from_utf8(bytes) else { return wrong(field, "is no text") };
    let text = text.trim();
    if text.is_empty() || text.len() > WORD_CHARS_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong(field, format!("1 to {WORD_CHARS_MAX} visible ASCII characters"));
    }
    Ok(Some(Secret::new(text.to_owned())))
}

/// A secret that has to be there: else `what` asks for it at `FIELD_env`.
pub(crate) fn asked_word(
    field: &str,
    env: Option<String>,
    file: Option<String>,
    what: &str,
    secret: impl Secrets,
) -> Result<Secret, SettingsProblem> {
    match held_word(field, env, file, secret)? {
        Some(word) => Ok(word),
        None => wrong(format!("{field}_env"), what),
    }
}

/// Where a platform is: its own address, or another for tests. Addresses within this machine and private networks, and such without TLS,
/// are taken only where `allow_private` says so.
pub(crate) fn api(
    written: Option<&str>,
    known: &str,
    allow_private: bool,
) -> Result<Target, SettingsProblem> {
    match Target::parse(written.unwrap_or(known), allow_private) {
        Ok(target) if !target.path.contains('?') => Ok(target),
        Ok(_) => wrong("api", "has no query"),
        Err(problem) => wrong("api", problem),
    }
}

/// A word that a person chose, without what stands around it.
pub(crate) fn text(field: impl Into<String>, text: &str) -> Result<(), SettingsProblem> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        return wrong(field, format!("1 to {TEXT_BYTES_MAX} bytes of text"));
    }
    Ok(())
}
