//! Sentences and values in both languages, and things paired by their ids.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ChangeKind, Touches};
use crate::playbook::{Language, Names};

/// Sentences in both languages about one thing.
#[derive(Default)]
pub(super) struct Said {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Said {
    pub(super) fn say(&mut self, zh: String, en: String) {
        self.zh.push(zh);
        self.en.push(en);
    }

    /// Says that a value changes, if it does. `what` is its name in Chinese and in English.
    pub(super) fn value<T: PartialEq>(
        &mut self,
        what: (&str, &str),
        old: &T,
        new: &T,
        shown: impl Fn(&T) -> Text,
    ) {
        if old != new {
            let (old, new) = (shown(old), shown(new));
            self.say(
                format!("{}由{}改为{}。", what.0, old.zh, new.zh),
                format!("{} becomes {} (was {}).", what.1, new.en, old.en),
            );
        }
    }

    /// The change, if anything was said.
    pub(super) fn changed(self, id: impl Into<String>, touches: Touches) -> Option<Change> {
        (!self.zh.is_empty()).then(|| self.change(id, ChangeKind::Changed, touches))
    }

    pub(super) fn change(self, id: impl Into<String>, kind: ChangeKind, touches: Touches) -> Change {
        Change { id: id.into(), kind, zh: self.zh.concat(), en: self.en.join(" "), touches }
    }
}

/// The change of one value, if it is another.
pub(super) fn value<T: PartialEq>(
    id: &str,
    touches: Touches,
    what: (&str, &str),
    old: &T,
    new: &T,
    shown: impl Fn(&T) -> Text,
) -> Option<Change> {
    let mut said = Said::default();
    said.value(what, old, new, shown);
    said.changed(id, touches)
}

/// A value in both languages.
pub(super) struct Text {
    pub zh: String,
    pub en: String,
}

impl Text {
    pub(super) fn both(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The same in both languages.
    pub(super) fn same(text: impl ToString) -> Self {
        let text = text.to_string();
        Self { zh: format!(" {text} "), en: text }
    }

    pub(super) fn days(n_days: u16) -> Self {
        let plural = if n_days == 1 { "" } else { "s" };
        Self::both(format!(" {n_days} 天"), format!("{n_days} day{plural}"))
    }

    pub(super) fn code(text: &str) -> Self {
        Self::both(format!("「{text}」"), format!("`{text}`"))
    }

    pub(super) fn nothing() -> Self {
        Self::both("「无」", "nothing")
    }

    pub(super) fn names(names: &Names) -> Self {
        let shown = |name: &Option<String>| name.clone().unwrap_or_else(|| "—".to_owned());
        let (zh, en) = (shown(&names.zh), shown(&names.en));
        Self::both(format!("「{zh} / {en}」"), format!("\"{zh} / {en}\""))
    }
}

/// One thing of two versions.
pub(super) enum Pair<'a, T> {
    Added(&'a T),
    Removed(&'a T),
    Both(&'a T, &'a T),
}

/// Visits what differs, by key.
pub(super) fn by_id<K: Ord, T: PartialEq>(
    old: &BTreeMap<K, T>,
    new: &BTreeMap<K, T>,
    mut visit: impl FnMut(&K, Pair<'_, T>),
) {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) if old != new => visit(key, Pair::Both(old, new)),
            (None, Some(new)) => visit(key, Pair::Added(new)),
            (Some(old), None) => visit(key, Pair::Removed(old)),
            _ => {}
        }
    }
}

/// A thing as people call it.
pub(super) fn title(id: &str, names: &Names) -> Text {
    Text::both(
        format!("「{}」", names.in_language(Language::Zh, id)),
        names.in_language(Language::En, id).to_owned(),
    )
}

pub(super) fn rename(said: &mut Said, zh: &str, en: &str, id: &str, old: &Names, new: &Names) {
    let what = (format!("{zh} {id} 的名称"), format!("The name of the {en} `{id}`"));
    said.value((&what.0, &what.1), old, new, Text::names);
}

/// A number with a comma between thousands.
pub(super) fn digits(number: i64) -> String {
    let text = number.to_string();
    let mut shown = String::new();
    for (i, digit) in text.chars().enumerate() {
        if i > 0 && (text.len() - i).is_multiple_of(3) && text.as_bytes()[i - 1] != b'-' {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
