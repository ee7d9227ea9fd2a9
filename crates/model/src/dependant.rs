//! A member's dependants (U1): children above all, told of by a due date first and by a birthday later.
//!
//! Of each the latest value of every field is kept, and when it was last said that they are none of this member's any more;
//! so the order in which items arrive does not matter. Who tells names each by a key of their own: the same key is the same
//! dependant, born or not.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::time::{Day, Ts};

/// The most dependants that a member may be told to have.
pub const DEPENDANTS_MAX: usize = 10;
/// The most that are kept of two who were merged, and of those that were removed.
const KEPT_MAX: usize = 40;
/// What a dependant is whose kind nobody tells.
pub const CHILD: &str = "child";

/// All dependants of a member, and those they had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dependants(BTreeMap<String, Record>);

/// What was said of one, each with when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// When anything was said last.
    told: Option<Ts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<(Ts, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_on: Option<(Ts, Day)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    birthday: Option<(Ts, Day)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<(Ts, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gender: Option<(Ts, String)>,
    /// When it was last said that they are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed: Option<Ts>,
}

/// What is told of a dependant; what is not told stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Child, parent…
    pub kind: Option<String>,
    /// When it is to be born.
    pub due_on: Option<Day>,
    /// When it was born.
    pub birthday: Option<Day>,
    /// Its name.
    pub name: Option<String>,
    /// Its gender.
    pub gender: Option<String>,
}

/// One dependant as known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependant<'a> {
    /// What whoever told calls it.
    pub key: &'a str,
    /// Child, parent…
    pub kind: &'a str,
    /// When it is, or was, to be born.
    pub due_on: Option<Day>,
    /// When it was born.
    pub birthday: Option<Day>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Its gender.
    pub gender: Option<&'a str>,
}

/// The later of two values; of two of one instant the greater.
fn keep<T: Ord>(kept: &mut Option<(Ts, T)>, new: Option<(Ts, T)>) {
    let later = kept.take().max(new);
    *kept = later;
}

impl Record {
    fn join(&mut self, other: Self) {
        self.told = self.told.max(other.told);
        keep(&mut self.kind, other.kind);
        keep(&mut self.due_on, other.due_on);
        keep(&mut self.birthday, other.birthday);
        keep(&mut self.name, other.name);
        keep(&mut self.gender, other.gender);
        self.removed = self.removed.max(other.removed);
        self.forget();
    }

    /// What was said up to the removal is said no more.
    fn forget(&mut self) {
        let Some(removed) = self.removed else { return };
        let since = |at: &Ts| *at > removed;
        self.told = self.told.filter(since);
        self.kind = self.kind.take().filter(|(at, _)| since(at));
        self.due_on = self.due_on.filter(|(at, _)| since(at));
        self.birthday = self.birthday.filter(|(at, _)| since(at));
        self.name = self.name.take().filter(|(at, _)| since(at));
        self.gender = self.gender.take().filter(|(at, _)| since(at));
    }

    fn as_known<'a>(&'a self, key: &'a str) -> Option<Dependant<'a>> {
        self.told?;
        let text = |said: &'a Option<(Ts, String)>| said.as_ref().map(|(_, text)| text.as_str());
        Some(Dependant {
            key,
            kind: text(&self.kind).unwrap_or(CHILD),
            due_on: self.due_on.map(|(_, day)| day),
            birthday: self.birthday.map(|(_, day)| day),
            name: text(&self.name),
            gender: text(&self.gender),
        })
    }
}

impl Dependants {
    /// The same without what they are called, and by whom told: no condition asks for that.
    pub fn unnamed(&self) -> Self {
        let one = |(i, record): (usize, &Record)| (i.to_string(), Record { name: None, ..record.clone() });
        Self(self.0.values().enumerate().map(one).collect())
    }

    /// Whether nobody was ever told of.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those there are, by key.
    pub fn known(&self) -> impl Iterator<Item = Dependant<'_>> {
        self.0.iter().filter_map(|(key, record)| record.as_known(key))
    }

    /// Whether one more of this key would be too many.
    pub fn is_full_for(&self, key: &str) -> bool {
        self.known().filter(|known| known.key != key).count() >= DEPENDANTS_MAX
    }

    /// Takes note of what is told at an instant.
    pub fn tell(&mut self, key: &str, at: Ts, told: Told) {
        let record = Record {
            told: Some(at),
            kind: told.kind.map(|kind| (at, kind)),
            due_on: told.due_on.map(|day| (at, day)),
            birthday: told.birthday.map(|day| (at, day)),
            name: told.name.map(|name| (at, name)),
            gender: told.gender.map(|gender| (at, gender)),
            removed: None,
        };
        self.0.entry(key.to_owned()).or_default().join(record);
        self.bound();
    }

    /// Takes note that one is none of this member's any more.
    pub fn remove(&mut self, key: &str, at: Ts) {
        self.0.entry(key.to_owned()).or_default().join(Record { removed: Some(at), ..Record::default() });
        self.bound();
    }

    /// Those of both of two people who turn out to be one: the same key is the same dependant.
    pub fn join(&mut self, other: &Self) {
        for (key, record) in &other.0 {
            self.0.entry(key.clone()).or_default().join(record.clone());
        }
        self.bound();
    }

    /// Forgets what was said longest ago where there is too much: of those that were removed first.
    fn bound(&mut self) {
        while self.0.len() > KEPT_MAX {
            let oldest = self.0.iter().min_by_key(|(key, record)| (record.told, record.removed, *key));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.0.remove(&key);
        }
    }

    /// All of it in words that no key changes, for the digest.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        for (key, record) in &self.0 {
            let _ = write!(out, "|{key:?}={record:?}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_a_birthday_that_follows_a_due_date_is_of_the_same_child_in_any_order() {
        let due = Told { due_on: Some(Day(100)), name: Some("Bao".to_owned()), ..Told::default() };
        let born = Told { birthday: Some(Day(98)), gender: Some("female".to_owned()), ..Told::default() };
        let mut one = Dependants::default();
        one.tell("first", Ts(1), due.clone());
        one.tell("first", Ts(2), born.clone());
        let mut other = Dependants::default();
        other.tell("first", Ts(2), born);
        other.tell("first", Ts(1), due);
        assert_eq!(one, other);
        let known: Vec<_> = one.known().collect();
        assert_eq!(known.len(), 1);
        let child = known[0];
        assert_eq!((child.due_on, child.birthday, child.name), (Some(Day(100)), Some(Day(98)), Some("Bao")));
        assert_eq!((child.kind, child.gender), (CHILD, Some("female")));
    }

    #[test]
    fn u1_who_was_removed_stays_removed_whatever_arrives_late() {
        let told = |name: &str| Told { name: Some(name.to_owned()), ..Told::default() };
        for (steps, known) in [
            (vec![(1, Some("a")), (2, None)], None),
            (vec![(2, None), (1, Some("a"))], None),
            (vec![(2, None), (2, Some("a"))], None),
            (vec![(3, Some("b")), (2, None), (1, Some("a"))], Some("b")),
        ] {
            let mut dependants = Dependants::default();
            for (at, step) in &steps {
                match step {
                    Some(name) => dependants.tell("k", Ts(*at), told(name)),
                    None => dependants.remove("k", Ts(*at)),
                }
            }
            assert_eq!(dependants.known().next().and_then(|one| one.name), known, "{steps:?}");
        }
    }

    #[test]
    fn u1_a_member_has_at_most_ten_and_what_is_kept_is_bounded() {
        let mut dependants = Dependants::default();
        for n in 0..10 {
            assert!(!dependants.is_full_for("one more"));
            dependants.tell(&format!("{n}"), Ts(n), Told::default());
        }
        assert!(dependants.is_full_for("one more"));
        assert!(!dependants.is_full_for("3"));
        for n in 0..100 {
            dependants.remove(&format!("gone {n}"), Ts(n));
        }
        assert_eq!((dependants.0.len(), dependants.known().count()), (KEPT_MAX, 10));
    }
}
