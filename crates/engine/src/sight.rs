//! What somebody may see of the record: what a grant comes to for a reading, how much of a person is shown, and the cursors by
//! which lists go on. What lies outside a grant's scope is answered like what does not exist.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use zhiyin_decide::naming;
pub use zhiyin_decide::naming::ADVISOR;
use zhiyin_model::id::IdKey;
use zhiyin_model::mask::{self, Mask};
use zhiyin_model::member::Member;
use zhiyin_model::playbook::Playbook;
use zhiyin_model::role::{Bound, Filter};
use zhiyin_model::scalar::Scalar;

/// The most rows of a page.
pub const LIMIT_MAX: usize = 200;
/// The most characters of a text by which a list is narrowed.
const TEXT_CHARS_MAX: usize = 255;

/// Why something cannot be read like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadProblem {
    /// There is no such member, or they may not be seen: which of both is nobody's business.
    #[error("nobody is known by this")]
    Nobody,
    /// There is no such thing, or it may not be seen.
    #[error("there is no such thing")]
    Nothing,
    /// The cursor was not given for this list.
    #[error("this cursor was not given for this list")]
    Cursor,
    /// The page would be too large, or empty.
    #[error("a page has 1 to {LIMIT_MAX}")]
    Limit,
    /// The name cannot be looked for.
    #[error("1 to {} characters with a letter among them, at most 6 words", naming::ASKED_CHARS_MAX)]
    Name,
    /// Whoever may not look a person up by what they show may not try names either: that would unmask people.
    #[error("who may not look people up may not search by name")]
    NameRefused,
    /// A text is empty or too long.
    #[error("1 to {TEXT_CHARS_MAX} characters")]
    Text(&'static str),
    /// There is nothing of this name to choose.
    #[error("none of the words that can stand here")]
    Word(&'static str),
    /// The report is of the brand as a whole.
    #[error("this report is not cut like this")]
    Whole,
}

impl ReadProblem {
    /// A name that stays, for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nobody => "member_unknown",
            Self::Nothing => "not_found",
            Self::Cursor => "bad_cursor",
            Self::Limit | Self::Name | Self::Text(_) | Self::Word(_) => "bad_query",
            Self::NameRefused => "name_search_refused",
            Self::Whole => "outside_scope",
        }
    }

    /// The field at fault, where it is one.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Cursor => "cursor",
            Self::Limit => "limit",
            Self::Name | Self::NameRefused => "name",
            Self::Text(field) | Self::Word(field) => field,
            Self::Nobody | Self::Nothing | Self::Whole => "",
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Page<T> {
    /// What is on it. A page may hold less than was asked for, even nothing, and go on all the same: so much is looked at for
    /// one page, and no more.
    pub items: Vec<T>,
    /// Where the list goes on; nothing at its end.
    pub next: Option<String>,
}

/// A list by all that makes it the one it is: a cursor goes on in that list only.
pub(crate) struct Cursors<'k> {
    key: &'k IdKey,
    list: Value,
}

impl<'k> Cursors<'k> {
    pub(crate) fn of(key: &'k IdKey, list: Value) -> Self {
        Self { key, list }
    }

    fn seal(&self, spot: &[u8]) -> [u8; 16] {
        self.key.digest("cursor", &[self.list.to_string().as_bytes(), spot])
    }

    /// The cursor of a spot: its seal, then itself, in hexadecimal digits.
    pub(crate) fn text(&self, spot: &[u8]) -> String {
        let seal = self.seal(spot);
        seal[..8].iter().chain(spot).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The spot of a cursor.
    pub(crate) fn spot(&self, text: Option<&str>) -> std::result::Result<Option<Vec<u8>>, ReadProblem> {
        let Some(text) = text else { return Ok(None) };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |[a, b]: &[u8; 2]| Some(digit(*a)? * 16 + digit(*b)?);
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        let fits = bytes.filter(|bytes| rest.is_empty() && (8..=64).contains(&bytes.len()));
        let (seal, spot) = fits.as_ref().map(|bytes| bytes.split_at(8)).ok_or(ReadProblem::Cursor)?;
        if seal != &self.seal(spot)[..8] {
            return Err(ReadProblem::Cursor);
        }
        Ok(Some(spot.to_vec()))
    }

    /// A spot that is one number.
    pub(crate) fn number(&self, text: Option<&str>) -> std::result::Result<Option<i64>, ReadProblem> {
        let Some(spot) = self.spot(text)? else { return Ok(None) };
        let bytes = spot.try_into().map_err(|_| ReadProblem::Cursor)?;
        Ok(Some(i64::from_be_bytes(bytes)))
    }
}

/// How long a page is.
pub(crate) fn limit(limit: usize) -> std::result::Result<usize, ReadProblem> {
    if (1..=LIMIT_MAX).contains(&limit) { Ok(limit) } else { Err(ReadProblem::Limit) }
}

/// Texts by which a list is narrowed.
pub(crate) fn bounded(texts: &[(&'static str, Option<&str>)]) -> std::result::Result<(), ReadProblem> {
    let fits = |text: &str| (1..=TEXT_CHARS_MAX).contains(&text.chars().count());
    let wrong = texts.iter().find(|(_, text)| text.is_some_and(|text| !fits(text)));
    wrong.map_or(Ok(()), |(field, _)| Err(ReadProblem::Text(field)))
}

/// Whether somebody may see a member: by the store where they were met last, and by who looks after them.
pub(crate) fn admits(filter: &Filter, member: &Member) -> bool {
    filter.admits(store(member), naming::advisor(member))
}

/// What a member is called, as far as it may be shown.
pub fn called(mask: Mask, member: &Member) -> Option<String> {
    naming::names(member).first().and_then(|name| mask.name(name))
}

/// The store where a member was met last.
pub(crate) fn store(member: &Member) -> Option<&str> {
    member.touches.store.as_ref().map(|(_, store)| store.as_str())
}

/// Whether a filter lets everything through.
pub(crate) fn sees_all(filter: &Filter) -> bool {
    filter.bound == Bound::Everything
}

/// Attributes by which people are called.
const NAMES: [&str; 14] = [
    "name",
    "full_name",
    "fullName",
    "first_name",
    "firstName",
    "last_name",
    "lastName",
    "middle_name",
    "middleName",
    "nickname",
    "nick_name",
    "username",
    "display_name",
    "displayName",
];
/// Where they live, and what shows them.
const WHEREABOUTS: [&str; 8] =
    ["address", "street", "postal_code", "postalCode", "zip", "avatar", "website", "id_card"];
/// What says little of who somebody is, though no playbook declares it.
const PLAIN: [&str; 10] = [
    "gender",
    "age",
    "city",
    "state",
    "province",
    "country",
    "language",
    "occupation",
    "industry",
    naming::ADVISOR,
];

/// Whether an attribute says who somebody is or where they live, whoever declares it: it is masked.
pub(crate) fn is_personal(key: &str) -> bool {
    NAMES.contains(&key) || WHEREABOUTS.contains(&key) || matches!(key, "phone" | "mobile" | "tel" | "email")
}

/// A value as people and programs read it: numbers exact, as text.
pub(crate) fn plain(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => json!(value),
        Scalar::Number(number) => json!(number.to_string()),
        Scalar::Text(text) => json!(text),
        Scalar::Texts(texts) => json!(texts),
    }
}

/// Attributes as far as they may be shown. Masked are names, phones, addresses, and whatever the playbook does not declare:
/// nobody knows what stands there.
pub(crate) fn attributes(mask: Mask, playbook: &Playbook, member: &Member) -> BTreeMap<String, Value> {
    let shown = member.attributes.iter().filter_map(|(key, value)| {
        Some((key.clone(), attribute(mask, playbook.attributes.contains_key(key), key, value)?))
    });
    shown.collect()
}

/// A text that says something of a member, made of these variables, as far as it may be shown.
pub(crate) fn said(
    mask: Mask,
    playbook: Option<&Playbook>,
    variables: &BTreeMap<String, String>,
    text: String,
) -> String {
    if mask == Mask::Full {
        return text;
    }
    let mut masked: Vec<(&str, String)> = variables
        .iter()
        .filter_map(|(name, value)| {
            let key = name.strip_prefix("member.").filter(|_| !value.is_empty())?;
            let declared = playbook.is_some_and(|playbook| playbook.attributes.contains_key(key));
            let shown = attribute(mask, declared, key, &Scalar::Text(value.clone()));
            let shown = shown.as_ref().and_then(Value::as_str).unwrap_or("＊");
            (shown != value).then(|| (value.as_str(), shown.to_owned()))
        })
        .collect();
    // What is part of another comes after it.
    masked.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    masked.into_iter().fold(text, |text, (value, shown)| text.replace(value, &shown))
}

fn attribute(mask: Mask, declared: bool, key: &str, value: &Scalar) -> Option<Value> {
    if mask == Mask::Full || matches!(value, Scalar::Bool(_)) {
        return Some(plain(value));
    }
    let text = match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Texts(_) | Scalar::Bool(_) => String::new(),
    };
    if NAMES.contains(&key) || WHEREABOUTS.contains(&key) {
        return mask.name(&text).map(Value::String);
    }
    match key {
        "phone" | "mobile" | "tel" => mask.identifier("phone", &text).map(Value::String),
        "email" => mask.identifier("email", &text).map(Value::String),
        _ if declared || PLAIN.contains(&key) => Some(plain(value)),
        _ if mask == Mask::Hidden => None,
        _ => Some(Value::String(mask::id(&text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_no_more_of_a_person_than_may_be_shown() {
        let variables = [("member.name", "王小明"), ("member.phone", "13812341234"), ("points", "1381")];
        let variables: BTreeMap<String, String> =
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let text = "王小明 13812341234: 1381";
        for (mask, shown) in
            [(Mask::Full, text), (Mask::Masked, "王＊ 138****1234: 1381"), (Mask::Hidden, "＊ ＊: 1381")]
        {
            assert_eq!(said(mask, None, &variables, text.to_owned()), shown);
        }
    }

    #[test]
    fn a_cursor_goes_on_in_its_own_list_only() {
        let key = IdKey::from_bytes([1; 32]);
        let cursors = Cursors::of(&key, json!({"list": "members", "tier": "gold"}));
        let text = cursors.text(&7i64.to_be_bytes());
        assert_eq!(cursors.number(Some(&text)), Ok(Some(7)));
        assert_eq!(cursors.number(None), Ok(None));
        let other = Cursors::of(&key, json!({"list": "members", "tier": "silver"}));
        let another_home = IdKey::from_bytes([2; 32]);
        let elsewhere = Cursors::of(&another_home, json!({"list": "members", "tier": "gold"}));
        for wrong in [other.spot(Some(&text)), elsewhere.spot(Some(&text))] {
            assert_eq!(wrong, Err(ReadProblem::Cursor));
        }
        let long = "00".repeat(1_000_000);
        for text in ["", "0", "zz", &text[1..], &text[..18], "é", &long, &format!("{text}00")] {
            assert_eq!(cursors.spot(Some(text)), Err(ReadProblem::Cursor), "{}", text.len());
        }
        // A spot of another shape is none.
        assert_eq!(cursors.number(Some(&cursors.text(&[1, 2]))), Err(ReadProblem::Cursor));
    }

    #[test]
    fn what_nobody_declared_is_masked() {
        let text = |text: &str| Scalar::Text(text.to_owned());
        let number = Scalar::Number(13_812_341_234i64.into());
        for (key, declared, value, masked, hidden) in [
            ("name", true, text("张伟"), Some(json!("张＊")), None),
            ("phone", false, number.clone(), Some(json!("138****1234")), None),
            ("email", false, text("ann@b.com"), Some(json!("a***@b.com")), None),
            ("address", true, text("上海路 1 号"), Some(json!("上＊")), None),
            ("wechat", false, text("wxid_12345678"), Some(json!("****5678")), None),
            ("second_phone", false, number, Some(json!("****1234")), None),
            ("friends", false, Scalar::Texts(vec!["张伟".to_owned()]), Some(json!("")), None),
            ("is_new", false, Scalar::Bool(true), Some(json!(true)), Some(json!(true))),
            ("gender", false, text("female"), Some(json!("female")), Some(json!("female"))),
            ("pets", true, text("cat"), Some(json!("cat")), Some(json!("cat"))),
        ] {
            assert_eq!(attribute(Mask::Full, declared, key, &value), Some(plain(&value)), "{key}");
            assert_eq!(attribute(Mask::Masked, declared, key, &value), masked, "{key}");
            assert_eq!(attribute(Mask::Hidden, declared, key, &value), hidden, "{key}");
        }
    }
}
