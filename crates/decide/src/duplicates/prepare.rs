//! A profile, cut to bounds and brought into the forms that are compared.

use zhiyin_model::id::MemberId;
use zhiyin_model::time::Day;

use super::name::Name;
use super::{Profile, VALUES_MAX};

/// The most characters of a value that are looked at.
const CHARS_MAX: usize = 255;

/// A member, ready to be compared.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub member: MemberId,
    pub names: Vec<Name>,
    pub phones: Vec<String>,
    pub emails: Vec<String>,
    pub birthday: Option<Day>,
    pub is_female: Option<bool>,
    pub city: Option<String>,
    pub address: Option<String>,
    pub store: Option<String>,
    pub devices: Vec<String>,
}

impl Person {
    pub(super) fn of(profile: &Profile) -> Self {
        let values = |values: &[String]| -> Vec<String> {
            let mut values: Vec<String> =
                values.iter().take(VALUES_MAX).map(|value| value.chars().take(CHARS_MAX).collect()).collect();
            values.sort();
            values.dedup();
            values
        };
        let mut names: Vec<Name> =
            profile.names.iter().take(VALUES_MAX).filter_map(|name| Name::of(name)).collect();
        names.sort_by(|a, b| a.text.cmp(&b.text));
        names.dedup_by(|a, b| a.text == b.text);
        let plain = |text: &Option<String>| text.as_deref().map(plain).filter(|text| !text.is_empty());
        Self {
            member: profile.member,
            names,
            phones: values(&profile.phones),
            emails: values(&profile.emails),
            birthday: profile.birthday,
            is_female: profile.gender.as_deref().and_then(is_female),
            city: plain(&profile.city),
            address: plain(&profile.address),
            store: plain(&profile.store),
            devices: values(&profile.devices),
        }
    }
}

/// Letters and digits alone, in lower case.
fn plain(text: &str) -> String {
    text.chars().take(CHARS_MAX).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_female(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "f" | "female" | "woman" | "女" | "女性" | "2" => Some(true),
        "m" | "male" | "man" | "男" | "男性" | "1" => Some(false),
        _ => None,
    }
}
