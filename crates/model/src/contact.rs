//! With which of the brand's accounts a member is in contact: the friends they have among its staff, on channels where that is a
//! relation of two (C1, T6).
//!
//! News comes in any order, so of each account the latest word stands, by when it happened. Who lost one of several is not lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::time::Ts;

/// The most accounts that are kept of one member; beyond it those that ended longest ago are forgotten.
pub const CONTACTS_MAX: usize = 100;

/// The most tags of a channel that are kept of one contact.
pub const NOTED_TAGS_MAX: usize = 100;

/// Who ended a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The member did.
    Customer,
    /// The brand's staff did.
    Staff,
    /// A colleague has it now: nobody was lost.
    HandedOver,
    /// Nobody was told: it was there when the channel was looked at, and later it was not.
    Unknown,
}

impl EndedBy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Staff, Self::HandedOver, Self::Unknown];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::HandedOver => "handed_over",
            Self::Unknown => "unknown",
        }
    }

    /// The one of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }
}

/// What staff keep of a member on a channel, as it was last told.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Noted {
    /// When it was told.
    pub at: Ts,
    /// What they call the member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Which tags of the channel they gave them, as `GROUP/NAME`; at most [`NOTED_TAGS_MAX`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
}

/// One account of the brand's with which a member is, or was, in contact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Contact {
    /// When the latest word of it happened.
    pub told: Ts,
    /// Since when, this time.
    pub since: Ts,
    /// When it last ended before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parted: Option<Ts>,
    /// Until when, and who ended it; nothing while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Ts, EndedBy)>,
    /// Whether the member has not confirmed it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half: bool,
    /// What the way is called by which they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// What staff keep of the member there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Noted>,
}

/// A member's contacts, by channel and account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contacts(BTreeMap<String, Contact>);

/// The key of an account of a channel.
fn key(channel: &str, account: &str) -> String {
    format!("{channel}/{account}")
}

impl Contacts {
    /// Whether there never was any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All there are and were, as (channel, account, contact).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Contact)> {
        self.0.iter().map(|(key, contact)| {
            let (channel, account) = key.split_once('/').unwrap_or((key, ""));
            (channel, account, contact)
        })
    }

    /// How many there are now.
    pub fn current(&self) -> usize {
        self.0.values().filter(|contact| contact.ended.is_none()).count()
    }

    /// Takes note that a contact began at an instant, by a way; `half`, while the member has not confirmed it.
    pub fn begun(&mut self, (channel, account): (&str, &str), at: Ts, half: bool, way: Option<&str>) {
        let way = way.map(str::to_owned);
        match self.0.get_mut(&key(channel, account)) {
            Some(known) if at < known.told => {
                // Late news: it began before what is known of it, unless that was another time.
                if known.parted.is_none_or(|parted| at > parted) {
                    known.since = known.since.min(at);
                }
                known.half &= half;
                known.way = known.way.take().or(way);
            }
            Some(known) => {
                let goes_on = known.ended.is_none();
                // Of one instant the full word stands, in whichever order the two came.
                known.half = half && (known.half || !goes_on);
                if let Some((ended, _)) = known.ended {
                    (known.since, known.parted) = (at, known.parted.max(Some(ended)));
                }
                known.way = way.or_else(|| known.way.take().filter(|_| goes_on));
                (known.told, known.ended) = (at, None);
            }
            None => {
                let contact =
                    Contact { told: at, since: at, parted: None, ended: None, half, way, noted: None };
                drop(self.0.insert(key(channel, account), contact));
                self.bound();
            }
        }
    }

    /// Takes note that a contact ended at an instant.
    pub fn ended(&mut self, (channel, account): (&str, &str), at: Ts, by: EndedBy) {
        match self.0.get_mut(&key(channel, account)) {
            Some(known) if at < known.told => match known.ended {
                // It ended, and began anew since.
                None => {
                    known.parted = known.parted.max(Some(at));
                    known.since = if known.since <= at { known.told } else { known.since };
                }
                Some((ended, _)) if known.since <= at && at < ended => known.ended = Some((at, by)),
                Some(_) => {}
            },
            Some(known) => {
                (known.told, known.half) = (at, false);
                // Both sides may end it: the first to do so did.
                known.ended = known.ended.or(Some((at, by)));
            }
            None => {
                let ended = Some((at, by));
                let contact =
                    Contact { told: at, since: at, parted: None, ended, half: false, way: None, noted: None };
                drop(self.0.insert(key(channel, account), contact));
                self.bound();
            }
        }
    }

    /// Takes note of what staff keep of the member. It is nothing where there never was a contact.
    pub fn noted(&mut self, (channel, account): (&str, &str), mut noted: Noted) {
        let Some(known) = self.0.get_mut(&key(channel, account)) else { return };
        while noted.tags.len() > NOTED_TAGS_MAX {
            drop(noted.tags.pop_last());
        }
        if known.noted.as_ref().is_none_or(|before| before.at <= noted.at) {
            known.noted = Some(noted);
        }
    }

    /// Tags that accounts of a channel gave the member, of contacts that are; nothing where none of its accounts ever noted anything.
    pub fn tags(&self, of: &str) -> Option<BTreeSet<&str>> {
        let of = || self.iter().filter(|(channel, ..)| *channel == of).map(|(.., contact)| contact);
        let noted =
            of().filter(|contact| contact.ended.is_none()).filter_map(|contact| contact.noted.as_ref());
        let tags = noted.flat_map(|noted| noted.tags.iter().map(String::as_str)).collect();
        of().any(|contact| contact.noted.is_some()).then_some(tags)
    }

    /// What another's are too, once the two turn out to be one: of each account the latest word.
    pub fn join(&mut self, other: &Self) {
        for (key, theirs) in &other.0 {
            let own = self.0.entry(key.clone()).or_insert_with(|| theirs.clone());
            let noted = own.noted.take().max(theirs.noted.clone());
            if *theirs > *own {
                own.clone_from(theirs);
            }
            own.noted = noted;
        }
        self.bound();
    }

    /// Those that ended longest ago are forgotten first.
    fn bound(&mut self) {
        while self.0.len() > CONTACTS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, one)| (one.ended.is_none(), one.told));
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            drop(self.0.remove(&oldest));
        }
    }

    /// All of it in words that no key changes, for the digest; each with a mark before it.
    pub fn canonical(&self) -> String {
        let mut said = String::new();
        for (key, Contact { told, since, ended, half, way, noted, .. }) in &self.0 {
            let ended = ended.map(|(at, by)| format!(" {} {}", at.0, by.name())).unwrap_or_default();
            let way = way.as_deref().unwrap_or_default();
            // Writing to a text cannot fail.
            let _written = write!(said, "|contact {key} {} {}{ended} {half} {way}", told.0, since.0);
            if let Some(Noted { at, remark, tags }) = noted {
                let remark = remark.as_deref().unwrap_or_default();
                let _written = write!(said, " noted {} {remark:?} {tags:?}", at.0);
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LI: (&str, &str) = ("wecom", "li");

    /// What is told: added (half or not) or ended, and when.
    #[derive(Clone, Copy, Debug)]
    enum Word {
        Half(i64),
        Full(i64),
        End(i64, EndedBy),
    }

    fn of(words: &[Word]) -> Contacts {
        let mut contacts = Contacts::default();
        for word in words {
            match *word {
                Word::Half(at) => contacts.begun(LI, Ts(at), true, None),
                Word::Full(at) => contacts.begun(LI, Ts(at), false, Some("door")),
                Word::End(at, by) => contacts.ended(LI, Ts(at), by),
            }
        }
        contacts
    }

    #[test]
    fn the_latest_word_stands_in_whichever_order_news_comes() {
        use Word::{End, Full, Half};
        for (words, current, half) in [
            (vec![Full(1)], 1, false),
            (vec![Half(1)], 1, true),
            (vec![Half(1), Full(2)], 1, false),
            (vec![Half(1), Full(1)], 1, false),
            (vec![Full(1), End(2, EndedBy::Customer)], 0, false),
            (vec![Full(1), End(2, EndedBy::Staff), Full(3)], 1, false),
            (vec![Half(1), End(2, EndedBy::HandedOver)], 0, false),
        ] {
            let mut reversed = words.clone();
            reversed.reverse();
            let mut sinces = std::collections::BTreeSet::new();
            for words in [words.clone(), reversed] {
                let contacts = of(&words);
                assert_eq!(contacts.current(), current, "{words:?}");
                let (channel, account, contact) = contacts.iter().next().unwrap();
                assert_eq!((channel, account, contact.half), ("wecom", "li", half), "{words:?}");
                let twice: Vec<Word> = words.iter().flat_map(|word| [*word, *word]).collect();
                assert_eq!(of(&twice), contacts, "told twice: {words:?}");
                sinces.insert(contact.since);
            }
            assert_eq!(sinces.len(), 1, "since when does not depend on the order: {words:?}");
        }
    }

    #[test]
    fn a_contact_ends_with_who_ended_it_first_and_begins_anew() {
        let contacts = of(&[Word::Full(1), Word::End(2, EndedBy::Customer), Word::End(3, EndedBy::Staff)]);
        assert_eq!(contacts.iter().next().unwrap().2.ended, Some((Ts(2), EndedBy::Customer)));
        let again = of(&[Word::Full(1), Word::End(2, EndedBy::Customer), Word::Half(5)]);
        let (.., contact) = again.iter().next().unwrap();
        assert_eq!(
            (contact.since, contact.ended, contact.half, contact.way.as_deref()),
            (Ts(5), None, true, None)
        );
    }

    #[test]
    fn what_staff_keep_is_told_of_contacts_that_are_and_its_latest_word_stands() {
        let noted = |at, tags: &[&str]| Noted {
            at: Ts(at),
            remark: Some("Ann".to_owned()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let mut contacts = Contacts::default();
        contacts.noted(LI, noted(1, &["a/b"]));
        assert!(contacts.is_empty(), "of a contact that never was nothing is noted");
        contacts.begun(LI, Ts(1), false, None);
        assert_eq!(contacts.tags("wecom"), None);
        contacts.noted(LI, noted(3, &["a/b", "a/c"]));
        contacts.noted(LI, noted(2, &[]));
        contacts.begun(("wecom", "wang"), Ts(2), false, None);
        contacts.noted(("wecom", "wang"), noted(3, &["a/c", "a/d"]));
        assert_eq!(contacts.tags("wecom").unwrap().into_iter().collect::<Vec<_>>(), ["a/b", "a/c", "a/d"]);
        let mut other = of(&[Word::Full(1), Word::End(9, EndedBy::Customer)]);
        other.join(&contacts);
        assert_eq!(other.tags("wecom").unwrap().into_iter().collect::<Vec<_>>(), ["a/c", "a/d"], "one ended");
        assert!(other.canonical().contains("noted 3"));
        let text = serde_json::to_string(&other).unwrap();
        assert_eq!(serde_json::from_str::<Contacts>(&text).unwrap(), other);
    }

    #[test]
    fn two_who_are_one_have_the_latest_word_of_each_account_and_so_many_at_most() {
        let (first, later) = (of(&[Word::Full(1)]), of(&[Word::Full(1), Word::End(2, EndedBy::Staff)]));
        for (mut own, other) in [(first.clone(), later.clone()), (later.clone(), first)] {
            own.join(&other);
            assert_eq!(own, later);
        }
        let mut many = Contacts::default();
        for account in 0..150_i64 {
            let name = account.to_string();
            many.begun(("wecom", &name), Ts(account), false, None);
            if account % 2 == 0 {
                many.ended(("wecom", &name), Ts(account), EndedBy::Staff);
            }
        }
        assert_eq!((many.iter().count(), many.current()), (CONTACTS_MAX, 75), "what is goes before what was");
        let text = serde_json::to_string(&many).unwrap();
        assert_eq!(serde_json::from_str::<Contacts>(&text).unwrap(), many);
        assert_eq!(Contacts::default().canonical(), "");
    }
}
