//! In which groups a member is, or was, on channels where customers sit together with staff (G1).
//!
//! News comes in any order, so of each group the latest word stands, by when it happened; of one instant that they are in it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::time::Ts;

/// The most groups that are kept of one member; beyond it those that were left longest ago are forgotten.
pub const GROUPS_MAX: usize = 100;

/// One group in which a member is, or was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seat {
    /// When the latest word of it happened.
    pub told: Ts,
    /// Since when, the last time.
    pub since: Ts,
    /// Until when; nothing while they are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Ts>,
    /// How they came, by a name, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// A member's groups, by channel and group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(BTreeMap<String, Seat>);

/// The key of a group of a channel.
fn key(channel: &str, group: &str) -> String {
    format!("{channel}/{group}")
}

impl Groups {
    /// Whether there never was any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All there are and were, as (channel, group, seat).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Seat)> {
        self.0.iter().map(|(key, seat)| {
            let (channel, group) = key.split_once('/').unwrap_or((key, ""));
            (channel, group, seat)
        })
    }

    /// In how many they are.
    pub fn current(&self) -> usize {
        self.0.values().filter(|seat| seat.left.is_none()).count()
    }

    /// Takes note that they came into a group at an instant.
    pub fn joined(&mut self, (channel, group): (&str, &str), at: Ts, how: Option<&str>) {
        let how = how.map(str::to_owned);
        match self.0.get_mut(&key(channel, group)) {
            // Late news of the time that is known.
            Some(known) if at < known.told => {
                if known.left.is_none() || known.since > at {
                    known.how = known.how.take().or(how);
                }
            }
            Some(known) => {
                if known.left.take().is_some() {
                    (known.since, known.how) = (at, None);
                }
                known.how = how.or_else(|| known.how.take());
                known.told = at;
            }
            None => {
                drop(self.0.insert(key(channel, group), Seat { told: at, since: at, left: None, how }));
                self.bound();
            }
        }
    }

    /// Takes note that they left a group at an instant.
    pub fn left(&mut self, (channel, group): (&str, &str), at: Ts) {
        match self.0.get_mut(&key(channel, group)) {
            Some(known) if at <= known.told => {}
            Some(known) => {
                known.told = at;
                known.left = known.left.or(Some(at));
            }
            None => {
                let seat = Seat { told: at, since: at, left: Some(at), how: None };
                drop(self.0.insert(key(channel, group), seat));
                self.bound();
            }
        }
    }

    /// What another's are too, once the two turn out to be one: of each group the latest word.
    pub fn join(&mut self, other: &Self) {
        for (key, theirs) in &other.0 {
            let own = self.0.entry(key.clone()).or_insert_with(|| theirs.clone());
            if *theirs > *own {
                own.clone_from(theirs);
            }
        }
        self.bound();
    }

    /// Those that were left longest ago are forgotten first.
    fn bound(&mut self) {
        while self.0.len() > GROUPS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, one)| (one.left.is_none(), one.told));
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            drop(self.0.remove(&oldest));
        }
    }

    /// All of it in words that no key changes, for the digest; each with a mark before it.
    pub fn canonical(&self) -> String {
        let mut said = String::new();
        for (key, Seat { told, since, left, .. }) in &self.0 {
            let left = left.map(|at| format!(" {}", at.0)).unwrap_or_default();
            // Writing to a text cannot fail.
            let _written = write!(said, "|group {key} {} {}{left}", told.0, since.0);
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G: (&str, &str) = ("wecom", "wr1");

    /// Came (true) or left, and when.
    fn of(words: &[(bool, i64)]) -> Groups {
        let mut groups = Groups::default();
        for (came, at) in words {
            if *came { groups.joined(G, Ts(*at), Some("code")) } else { groups.left(G, Ts(*at)) }
        }
        groups
    }

    #[test]
    fn the_latest_word_stands_in_whichever_order_news_comes() {
        for (words, current) in [
            (vec![(true, 1)], 1),
            (vec![(true, 1), (false, 2)], 0),
            (vec![(true, 1), (false, 2), (true, 3)], 1),
            (vec![(false, 1), (true, 1)], 1),
            (vec![(false, 2)], 0),
        ] {
            let mut reversed = words.clone();
            reversed.reverse();
            for words in [words.clone(), reversed] {
                let groups = of(&words);
                assert_eq!(groups.current(), current, "{words:?}");
                let twice: Vec<_> = words.iter().flat_map(|word| [*word, *word]).collect();
                assert_eq!(of(&twice).current(), current, "told twice: {words:?}");
            }
        }
    }

    #[test]
    fn two_who_are_one_have_the_latest_word_of_each_group_and_so_many_at_most() {
        let (first, later) = (of(&[(true, 1)]), of(&[(true, 1), (false, 2)]));
        for (mut own, other) in [(first.clone(), later.clone()), (later.clone(), first)] {
            own.join(&other);
            assert_eq!(own, later);
        }
        let mut many = Groups::default();
        for group in 0..150_i64 {
            let name = group.to_string();
            many.joined(("wecom", &name), Ts(group), None);
            if group % 2 == 0 {
                many.left(("wecom", &name), Ts(group + 1));
            }
        }
        assert_eq!((many.iter().count(), many.current()), (GROUPS_MAX, 75), "what is goes before what was");
        let text = serde_json::to_string(&many).unwrap();
        assert_eq!(serde_json::from_str::<Groups>(&text).unwrap(), many);
        assert_eq!(Groups::default().canonical(), "");
        assert!(later.canonical().contains("|group wecom/wr1 2 1 2"));
    }
}
