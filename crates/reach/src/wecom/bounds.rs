//! What goes out is looked at before it goes: lengths as the platform counts them (bytes of UTF-8 here, characters there), numbers of
//! things, ids that are ids. A refusal names the field as the platform does.

use super::trouble::Trouble;

/// The longest id that is taken or given: of staff, of customers, of whatever the platform makes.
pub const ID_BYTES_MAX: usize = 256;
/// The longest cursor.
pub const CURSOR_BYTES_MAX: usize = 1_024;
/// The longest address of a page or a picture, in bytes (path/92135).
pub const URL_BYTES_MAX: usize = 2_048;

/// An id: not empty, not too long, visible ASCII without spaces (path/90313, 40003, has letters, digits and `-_.@` for staff).
pub(crate) fn id(field: &str, id: &str) -> Result<(), Trouble> {
    if id.is_empty() {
        return Err(Trouble::input(field, "is empty"));
    }
    if id.len() > ID_BYTES_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Trouble::input(
            field,
            format!("1 to {ID_BYTES_MAX} visible ASCII characters, without spaces"),
        ));
    }
    Ok(())
}

/// Ids: at least so many, at most so many.
pub(crate) fn ids(field: &str, given: &[String], least: usize, most: u64) -> Result<(), Trouble> {
    count(field, given.len(), least, most)?;
    for (i, one) in given.iter().enumerate() {
        id(&format!("{field}[{i}]"), one)?;
    }
    Ok(())
}

/// How many there are.
pub(crate) fn count(field: &str, n: usize, least: usize, most: u64) -> Result<(), Trouble> {
    if n < least || u64::try_from(n).unwrap_or(u64::MAX) > most {
        return Err(Trouble::input(field, format!("{least} to {most} of them, not {n}")));
    }
    Ok(())
}

/// A number between two.
pub(crate) fn within(field: &str, n: u64, least: u64, most: u64) -> Result<(), Trouble> {
    if n < least || n > most {
        return Err(Trouble::input(field, format!("{least} to {most}, not {n}")));
    }
    Ok(())
}

/// JSON writes control characters as `\u00XX`, which the platform does not take (path/90313, 40033).
fn plain(field: &str, text: &str) -> Result<(), Trouble> {
    match text.chars().find(|c| *c < ' ' && !"\n\r\t".contains(*c)) {
        Some(c) => Err(Trouble::input(field, format!("has a control character ({})", u32::from(c)))),
        None => Ok(()),
    }
}

/// A text of at most so many bytes of UTF-8; it may be empty.
pub(crate) fn bytes(field: &str, text: &str, most: u64) -> Result<(), Trouble> {
    plain(field, text)?;
    let n = text.len();
    if u64::try_from(n).unwrap_or(u64::MAX) > most {
        return Err(Trouble::input(field, format!("at most {most} bytes, not {n}")));
    }
    Ok(())
}

/// A text of at most so many characters; it may be empty.
pub(crate) fn chars(field: &str, text: &str, most: u64) -> Result<(), Trouble> {
    plain(field, text)?;
    let n = text.chars().count();
    if u64::try_from(n).unwrap_or(u64::MAX) > most {
        return Err(Trouble::input(field, format!("at most {most} characters, not {n}")));
    }
    Ok(())
}

/// A text that is not empty.
pub(crate) fn filled(field: &str, text: &str) -> Result<(), Trouble> {
    if text.trim().is_empty() { Err(Trouble::input(field, "is empty")) } else { Ok(()) }
}

/// An address that begins with a scheme (path/90313, 45034).
pub(crate) fn url(field: &str, url: &str) -> Result<(), Trouble> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(Trouble::input(field, "begins with https:// or http://"));
    }
    bytes(field, url, URL_BYTES_MAX as u64)
}

/// From when to when, in seconds since 1970 UTC.
pub(crate) fn span(start: i64, end: i64, days_most: u64) -> Result<(), Trouble> {
    if start < 0 {
        return Err(Trouble::input("start_time", "seconds since 1970"));
    }
    let most = i64::try_from(days_most).unwrap_or(i64::MAX).saturating_mul(86_400);
    if end < start || end - start > most {
        return Err(Trouble::input("end_time", format!("after start_time, by at most {days_most} days")));
    }
    Ok(())
}

/// Something that an answer must have, or it is none.
pub(crate) fn given(text: String) -> Result<String, Trouble> {
    if text.is_empty() { Err(Trouble::Unknown { name: "answer_broken" }) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(checked: Result<(), Trouble>) -> Option<String> {
        checked.err().map(|trouble| match trouble {
            Trouble::Input { field, .. } => field,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn bytes_and_characters_are_counted_as_the_platform_does() {
        assert_eq!(field(bytes("t", &"汉".repeat(1_333), 4_000)), None);
        assert_eq!(field(bytes("t", &"汉".repeat(1_334), 4_000)), Some("t".to_owned()));
        assert_eq!(field(chars("t", &"汉".repeat(30), 30)), None);
        assert_eq!(field(chars("t", &"a".repeat(31), 30)), Some("t".to_owned()));
        assert_eq!(field(chars("t", "a\nb\tc", 30)), None);
        assert_eq!(field(bytes("t", "a\u{1}b", 30)), Some("t".to_owned()));
    }

    #[test]
    fn the_one_at_fault_is_named() {
        let ids_given = |given: &[&str], most| {
            let given: Vec<String> = given.iter().map(|&id| id.to_owned()).collect();
            field(ids("user", &given, 1, most))
        };
        assert_eq!(ids_given(&["a", "b"], 2), None);
        assert_eq!(ids_given(&["a", "b c"], 2), Some("user[1]".to_owned()));
        assert_eq!(ids_given(&["a", ""], 2), Some("user[1]".to_owned()));
        assert_eq!(ids_given(&["a", "b"], 1), Some("user".to_owned()));
        assert_eq!(ids_given(&[], 1), Some("user".to_owned()));
        assert_eq!(field(url("link.url", "shop.example")), Some("link.url".to_owned()));
        assert_eq!(field(span(10, 9, 30)), Some("end_time".to_owned()));
        assert_eq!(field(span(0, 30 * 86_400 + 1, 30)), Some("end_time".to_owned()));
        assert_eq!(field(span(-1, 5, 30)), Some("start_time".to_owned()));
        assert_eq!(field(filled("text", " \n")), Some("text".to_owned()));
        assert_eq!(field(within("limit", 0, 1, 100)), Some("limit".to_owned()));
    }
}
