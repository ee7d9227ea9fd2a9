//! What one version of a playbook changes of another: by id, in words, with whom it touches.

mod sections;

use serde::Serialize;

use super::{ConditionText, Names, Playbook};

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What changes: `tiers.gold`, `tags.snack_lover`, `points.earn`.
    pub id: String,
    /// How.
    pub kind: ChangeKind,
    /// In Chinese, whole sentences.
    pub zh: String,
    /// In English, whole sentences.
    pub en: String,
    /// Whom it touches, for the engine to count.
    pub touches: Touches,
}

/// How something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is there no more.
    Removed,
    /// It is another.
    Changed,
}

/// Whom a change touches.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Touches {
    /// Every member.
    Everyone,
    /// Members who hold or would hold one of these levels, by the old or the new version.
    Tier(Vec<String>),
    /// Members who have the tag or would have it, by the old or the new version.
    Tag(String),
    /// Members whose stage the new version judges otherwise.
    Lifecycle,
    /// Members in a stage, which is only called otherwise.
    Stage(String),
    /// Members who earn by a rule: those for whom a condition holds, or all.
    Earners(Option<ConditionText>),
    /// Nobody.
    Nobody,
}

/// What `new` changes of `old`, in the order of the file. Empty if and only if they promise the same.
pub fn diff(old: &Playbook, new: &Playbook) -> Vec<Change> {
    let mut changes = Vec::new();
    sections::brand(old, new, &mut changes);
    sections::declared(old, new, &mut changes);
    sections::points(&old.points, &new.points, &mut changes);
    sections::growth(&old.growth, &new.growth, &mut changes);
    sections::tiers(&old.tiers, &new.tiers, &mut changes);
    sections::lifecycle(&old.lifecycle, &new.lifecycle, &mut changes);
    sections::tags(&old.tags, &new.tags, &mut changes);
    if changes.is_empty() && old != new {
        let mut said = Said::default();
        said.say(
            "只调整了书写次序。".to_owned(),
            "Only the order of the file changes.".to_owned(),
        );
        changes.push(said.change("playbook", ChangeKind::Changed, Touches::Nobody));
    }
    changes
}

/// Sentences in both languages about one thing.
#[derive(Default)]
struct Said {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Said {
    fn say(&mut self, zh: String, en: String) {
        self.zh.push(zh);
        self.en.push(en);
    }

    /// Says that a value changes, if it does. `what` is its name in Chinese and in English.
    fn value<T: PartialEq>(&mut self, what: (&str, &str), old: &T, new: &T, shown: impl Fn(&T) -> Text) {
        if old != new {
            let (old, new) = (shown(old), shown(new));
            self.say(
                format!("{}由{}改为{}。", what.0, old.zh, new.zh),
                format!("{} becomes {} (was {}).", what.1, new.en, old.en),
            );
        }
    }

    /// The change, if anything was said.
    fn changed(self, id: impl Into<String>, touches: Touches) -> Option<Change> {
        (!self.zh.is_empty()).then(|| self.change(id, ChangeKind::Changed, touches))
    }

    fn change(self, id: impl Into<String>, kind: ChangeKind, touches: Touches) -> Change {
        Change {
            id: id.into(),
            kind,
            zh: self.zh.concat(),
            en: self.en.join(" "),
            touches,
        }
    }
}

/// A value in both languages.
struct Text {
    zh: String,
    en: String,
}

impl Text {
    fn both(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The same in both languages.
    fn same(text: impl ToString) -> Self {
        let text = text.to_string();
        Self {
            zh: format!(" {text} "),
            en: text,
        }
    }

    fn days(n_days: u16) -> Self {
        let plural = if n_days == 1 { "" } else { "s" };
        Self::both(format!(" {n_days} 天"), format!("{n_days} day{plural}"))
    }

    fn code(text: &str) -> Self {
        Self::both(format!("「{text}」"), format!("`{text}`"))
    }

    fn nothing() -> Self {
        Self::both("「无」", "nothing")
    }

    fn names(names: &Names) -> Self {
        let shown = |zh: &Option<String>| zh.clone().unwrap_or_else(|| "—".to_owned());
        let (zh, en) = (shown(&names.zh), shown(&names.en));
        Self::both(format!("「{zh} / {en}」"), format!("\"{zh} / {en}\""))
    }
}
