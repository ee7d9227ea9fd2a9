//! Identifiers: what names a person, how a value is written so that the same name is the same text, which values
//! name nobody, and how far a name of each namespace is believed.
//!
//! A namespace is `phone`, `unionid`, `card`…, or a kind and whose it is: `openid:wx123` is a WeChat openid in the
//! app `wx123`, `external_userid:ww9` a contact of the corporation `ww9`. What is said of a kind holds for all of
//! its namespaces. A brand may use namespaces of its own; they take [`OTHERS`].
//!
//! [`RULES`] is the house's table. A playbook may say otherwise (`identity:`, [`crate::playbook::Identity`]).

mod email;
mod phone;
#[cfg(test)]
mod tests;

use crate::event::{Refusal, bounded};

/// In which time a person may take on so many names of one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// Ever.
    Ever,
    /// Within 7 days.
    Weekly,
    /// Within 30 days.
    Monthly,
    /// Within 365 days.
    Annually,
}

impl Window {
    /// Every window, as a playbook writes them.
    pub const ALL: [(&'static str, Self); 4] = [
        ("ever", Self::Ever),
        ("weekly", Self::Weekly),
        ("monthly", Self::Monthly),
        ("annually", Self::Annually),
    ];

    /// Its length in days; `None` has no end.
    pub const fn days(self) -> Option<u16> {
        match self {
            Self::Ever => None,
            Self::Weekly => Some(7),
            Self::Monthly => Some(30),
            Self::Annually => Some(365),
        }
    }

    /// As a playbook writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ever => "ever",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Annually => "annually",
        }
    }
}

/// How far names of one namespace are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamespaceRule {
    /// How many of them one person may have within the window.
    pub limit: u32,
    /// The window of the limit.
    pub window: Window,
    /// The lower, the more telling: of the names of an event the lowest says first whom it is about, and where
    /// names contradict each other or go beyond a limit, the highest is given up first.
    pub priority: u16,
    /// Days until a name that was not seen again names nobody; `None` is for good.
    pub valid_days: Option<u32>,
    /// Whether one value stands for exactly one person. What people share (the phone of a family, a tablet in
    /// a store) or pass on (a number that is given out anew) does not: two people are never one for it alone.
    pub unique: bool,
}

const fn rule_of(limit: u32, priority: u16, unique: bool) -> NamespaceRule {
    NamespaceRule { limit, window: Window::Ever, priority, valid_days: None, unique }
}

/// The rule of namespaces that the table does not name: five each, as customer data platforms commonly allow; not unique,
/// since nobody has said so.
pub const OTHERS: NamespaceRule = rule_of(5, 110, false);

/// Days for which a WeCom `pending_id` is valid: it stands for a unionid whose person is no contact yet.
pub const PENDING_ID_DAYS: u32 = 90;

/// The house's table: kind, rule. The reasons are in `docs/identity.md`, by the same order.
pub const RULES: [(&str, NamespaceRule); 23] = [
    // One of a person in all apps of a brand's open-platform account; WeChat answers for it.
    ("unionid", rule_of(1, 10, true)),
    // The brand's own account: what the person signed in to.
    ("user", rule_of(1, 20, true)),
    // The card of one issuer; another issuer is another namespace (`card:partner`).
    ("card", rule_of(1, 30, true)),
    // One of a person and a corporation, but a contact may be deleted and added from another account.
    ("external_userid", rule_of(5, 40, true)),
    // The same, where what came is of the one corporation that the home speaks to.
    ("wecom_external", rule_of(5, 40, true)),
    // One of a person and an app. The namespace names the app, so one is the limit.
    ("openid", rule_of(1, 50, true)),
    // Proven by a code, known at the till; shared in families and given out anew after it was cancelled.
    ("phone", rule_of(3, 60, false)),
    // Typed by hand, sometimes shared by a household or an office.
    ("email", rule_of(5, 70, false)),
    // Accounts of marketplaces and of delivery: a person may well have several.
    ("tmall", rule_of(5, 80, true)),
    ("taobao", rule_of(5, 80, true)),
    ("jd", rule_of(5, 80, true)),
    ("pdd", rule_of(5, 80, true)),
    ("douyin", rule_of(5, 80, true)),
    ("kuaishou", rule_of(5, 80, true)),
    ("meituan", rule_of(5, 80, true)),
    ("eleme", rule_of(5, 80, true)),
    // Social accounts: as above, and further from a purchase.
    ("weibo", rule_of(5, 90, true)),
    ("xiaohongshu", rule_of(5, 90, true)),
    ("bilibili", rule_of(5, 90, true)),
    // A stand-in that ends by itself, so it gives way to all that stays.
    (
        "pending_id",
        NamespaceRule {
            limit: 5,
            window: Window::Ever,
            priority: 100,
            valid_days: Some(PENDING_ID_DAYS),
            unique: true,
        },
    ),
    // A household is several people.
    ("household", rule_of(1, 120, false)),
    // Devices are handed on, lent, and stand in stores.
    ("device", rule_of(20, 130, false)),
    // A browser's cookie: new with every cleaning, so there are many; the least telling of all.
    ("anonymous", rule_of(1000, 140, false)),
];

/// The kind of a namespace: what stands before the colon.
pub fn kind(namespace: &str) -> &str {
    namespace.split_once(':').map_or(namespace, |(kind, _)| kind)
}

/// Whether a name of a namespace is of a browser or a device rather than of a person.
pub fn is_of_device(namespace: &str) -> bool {
    matches!(kind(namespace), "anonymous" | "device")
}

/// The house's rule for a namespace.
pub fn rule(namespace: &str) -> NamespaceRule {
    let kind = kind(namespace);
    RULES.iter().find(|(known, _)| *known == kind).map_or(OTHERS, |(_, rule)| *rule)
}

/// A value as it is kept and looked up: phones in E.164, e-mail addresses in lower case, others trimmed. Twice
/// gives the same as once.
///
/// # Errors
///
/// `phone_malformed`, `email_malformed`, `identifier_empty`, `text_too_long`, `bad_text`; the field is
/// `namespace` or `value`.
pub fn normalise(namespace: &str, value: &str) -> Result<String, Refusal> {
    bounded("namespace", namespace)?;
    bounded("value", value)?;
    match kind(namespace) {
        "phone" => phone::normalise(value),
        "email" => email::normalise(value),
        _ => {
            let trimmed = value.trim();
            if trimmed.is_empty() {
                return Err(Refusal::new("identifier_empty", "value", "an identifier has a value"));
            }
            Ok(trimmed.to_owned())
        }
    }
}

/// What programs write where they know no value, in lower case.
const NOBODY: [&str; 11] = [
    "-1",
    "null",
    "(null)",
    "nil",
    "none",
    "nan",
    "n/a",
    "undefined",
    "unknown",
    "anonymous",
    "[object object]",
];

/// Numbers that everybody tests with.
const TEST_PHONES: [&str; 2] = ["+8613800000000", "+8613800138000"];

/// Whether a value names nobody: zeros and dashes, what programs write for nothing, numbers for tests. It takes
/// the value as it came or normalised.
pub fn is_blocked(namespace: &str, value: &str) -> bool {
    let value = value.trim();
    if value.chars().all(|c| matches!(c, '0' | '-')) {
        return true;
    }
    // The longest of them has 15 characters: what is longer is none of them and is not copied.
    if value.len() <= 16 && NOBODY.contains(&value.to_ascii_lowercase().as_str()) {
        return true;
    }
    kind(namespace) == "phone" && is_blocked_phone(value)
}

fn is_blocked_phone(value: &str) -> bool {
    if phone::is_one_digit(value) {
        return true;
    }
    phone::normalise(value)
        .is_ok_and(|phone| TEST_PHONES.contains(&phone.as_str()) || phone::is_one_digit(&phone))
}

/// An invisible character that address books and chats put around what is copied.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// A full-width form as the character that it stands for.
fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '。' => '.',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}
