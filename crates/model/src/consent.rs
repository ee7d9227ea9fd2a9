//! What a person said yes and no to, and what that means now.
//!
//! Of each (purpose, channel) the latest words are kept: the latest no, and of each version of the text the latest yes, the
//! person's own and a guardian's apart. Keeping the latest of each is the same in any order of arrival, and no word changes
//! what another was: what they come to is worked out when it is asked, by the age the person has then ([`Consents::ask`]).
//!
//! A merge never undoes a no: every no that stands for one of the two stands for both, dated at the merge ([`Settled`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::id::EventId;
use crate::playbook::{Consent, Purpose};
use crate::time::Ts;

/// Every channel; of a no, also every purpose.
pub const ALL: &str = "all";

/// A yes or a no.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Word {
    /// When it was said.
    pub at: Ts,
    /// Where, as whoever heard it calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The guardian who said it for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<String>,
    /// The event that says so.
    pub event: EventId,
}

/// A no that stood when the person was merged with another, dated at the merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Settled {
    /// When the two were merged.
    pub at: Ts,
    /// The event of the no.
    pub because: EventId,
}

/// The latest words about one purpose on one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The latest no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Word>,
    /// The person's own latest yes, by the version of the text; empty where it has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, Word>,
    /// A guardian's latest yes, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_guardian: BTreeMap<String, Word>,
    /// The latest merge that a no outlived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// All that a person said, by purpose and channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Consents(BTreeMap<String, BTreeMap<String, Words>>);

/// Why something may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The person said so, or their guardian.
    Given {
        /// When.
        since: Ts,
        /// Whether a guardian did.
        by_guardian: bool,
    },
    /// It needs no consent, and nobody said no.
    NotNeeded,
}

/// Why something may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The playbook knows no such purpose.
    PurposeUnknown,
    /// The purpose is not carried out on this channel.
    ChannelUnknown,
    /// Nobody was asked, or nobody answered.
    NeverGiven,
    /// The last word was no.
    Withdrawn,
    /// They are a minor, and no guardian said yes.
    Minor,
    /// What was said while they were a minor holds no more: they are to be asked themselves.
    CameOfAge,
    /// Yes was said to a text that is no longer the one.
    TextOutdated,
}

/// Whether something may be done, and how long that is so if nothing else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// On what ground, or why not.
    pub allowed: Result<Ground, Refused>,
    /// What time alone cannot change before this.
    pub until: Ts,
}

impl Refused {
    /// Its name, which does not change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PurposeUnknown => "purpose_unknown",
            Self::ChannelUnknown => "channel_unknown",
            Self::NeverGiven => "never_given",
            Self::Withdrawn => "withdrawn",
            Self::Minor => "minor",
            Self::CameOfAge => "came_of_age",
            Self::TextOutdated => "text_outdated",
        }
    }
}

impl Ground {
    /// Its name, which does not change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Given { by_guardian: false, .. } => "given",
            Self::Given { by_guardian: true, .. } => "given_by_guardian",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// Keeps the later of two words; of two at one instant the greater, so that the order of hearing does not matter.
fn keep_later<T: Ord>(kept: &mut Option<T>, word: Option<T>) {
    let later = kept.take().max(word);
    *kept = later;
}

fn keep_later_of(kept: &mut BTreeMap<String, Word>, version: &str, word: Word) {
    match kept.get_mut(version) {
        Some(known) if *known >= word => {}
        _ => drop(kept.insert(version.to_owned(), word)),
    }
}

impl Words {
    fn join(&mut self, other: &Self) {
        keep_later(&mut self.withdrawn, other.withdrawn.clone());
        keep_later(&mut self.settled, other.settled);
        for (kept, words) in [(&mut self.given, &other.given), (&mut self.by_guardian, &other.by_guardian)] {
            for (version, word) in words {
                keep_later_of(kept, version, word.clone());
            }
        }
    }
}

impl Consents {
    /// Whether nothing was ever said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All words, by purpose and channel.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str, &Words)> {
        self.0.iter().flat_map(|(purpose, channels)| {
            channels.iter().map(move |(channel, words)| (purpose.as_str(), channel.as_str(), words))
        })
    }

    fn of(&mut self, purpose: &str, channel: &str) -> &mut Words {
        self.0.entry(purpose.to_owned()).or_default().entry(channel.to_owned()).or_default()
    }

    /// Takes note of a yes to a version of a text.
    pub fn give(&mut self, purpose: &str, channel: &str, version: &str, word: Word) {
        let words = self.of(purpose, channel);
        let kept = if word.guardian.is_some() { &mut words.by_guardian } else { &mut words.given };
        keep_later_of(kept, version, word);
    }

    /// Takes note of a no; of [`ALL`] purposes, on [`ALL`] channels.
    pub fn withdraw(&mut self, purpose: &str, channel: &str, word: Word) {
        keep_later(&mut self.of(purpose, channel).withdrawn, Some(word));
    }

    /// The words that bear on a purpose on a channel: about it, and general ones.
    fn bearing<'a>(&'a self, purpose: &'a str, channel: &'a str) -> impl Iterator<Item = &'a Words> {
        let purposes = [Some(purpose), (purpose != ALL).then_some(ALL)].into_iter().flatten();
        purposes.filter_map(|purpose| self.0.get(purpose)).flat_map(move |channels| {
            let names = [Some(channel), (channel != ALL).then_some(ALL)].into_iter().flatten();
            names.filter_map(|channel| channels.get(channel))
        })
    }

    /// The latest no that bears on a purpose on a channel, and the event that says it.
    fn no(&self, purpose: &str, channel: &str) -> Option<(Ts, EventId)> {
        let said = self.bearing(purpose, channel).filter_map(|words| words.withdrawn.as_ref());
        let said = said.map(|word| (word.at, word.event)).max();
        // What a merge dated was dated for each purpose on each channel.
        let words = self.0.get(purpose).and_then(|channels| channels.get(channel));
        said.max(words.and_then(|words| words.settled).map(|settled| (settled.at, settled.because)))
    }

    /// Whether something may be done for a purpose on a channel ([`ALL`] where the purpose has none), at an instant, for
    /// somebody who comes of age at `of_age` (`None` where their age is not known: they count as grown up).
    pub fn ask(&self, rules: &Consent, purpose: &str, channel: &str, of_age: Option<Ts>, at: Ts) -> Answer {
        let never = |refused| Answer { allowed: Err(refused), until: Ts::FOREVER };
        let Some(terms) = rules.purposes.get(purpose) else {
            return never(Refused::PurposeUnknown);
        };
        if channel != ALL && !terms.channels.contains(channel) {
            return never(Refused::ChannelUnknown);
        }
        self.ask_by(Some(terms), purpose, channel, of_age, at)
    }

    /// [`ask`](Self::ask) by the terms of a purpose; without terms every version of a text holds.
    fn ask_by(
        &self,
        terms: Option<&Purpose>,
        purpose: &str,
        channel: &str,
        of_age: Option<Ts>,
        at: Ts,
    ) -> Answer {
        let minor_until = of_age.filter(|of_age| at < *of_age);
        let needed = terms.is_none_or(|terms| terms.needed);
        let is_current = |version: &str| {
            terms.is_none_or(|terms| match terms.versions.is_empty() {
                true => version.is_empty(),
                false => terms.versions.contains(version),
            })
        };
        let no = self.no(purpose, channel);
        let (mut yes, mut outdated, mut outgrown): (Option<(Ts, bool)>, bool, bool) = (None, false, false);
        for words in self.bearing(purpose, channel) {
            let own = words.given.iter().map(|(version, word)| (version, word, false));
            let guardian = words.by_guardian.iter().map(|(version, word)| (version, word, true));
            for (version, word, by_guardian) in own.chain(guardian) {
                // What a minor says is no yes; what a guardian said for them holds until they can speak themselves.
                let as_minor = of_age.is_some_and(|of_age| word.at < of_age);
                let holds = !as_minor || (by_guardian && minor_until.is_some());
                match (is_current(version), holds) {
                    (true, true) => yes = yes.max(Some((word.at, by_guardian))),
                    (false, _) => outdated = true,
                    (true, false) => outgrown = true,
                }
            }
        }
        let holds = |allowed, until: Option<Ts>| Answer { allowed, until: until.unwrap_or(Ts::FOREVER) };
        match (no, yes) {
            (Some((no, _)), yes) if yes.is_none_or(|(yes, _)| no >= yes) => {
                holds(Err(Refused::Withdrawn), None)
            }
            (_, Some((since, by_guardian))) => holds(Ok(Ground::Given { since, by_guardian }), minor_until),
            // For a minor everything needs a guardian's word.
            _ if minor_until.is_some() => holds(Err(Refused::Minor), minor_until.filter(|_| !needed)),
            _ if !needed => holds(Ok(Ground::NotNeeded), None),
            _ if outgrown && of_age.is_some() => holds(Err(Refused::CameOfAge), None),
            _ if outdated => holds(Err(Refused::TextOutdated), None),
            _ => holds(Err(Refused::NeverGiven), None),
        }
    }

    /// What two people said who turn out to be one: all words of both, and every no that stands for one of them stands for
    /// both from `at` on. Each comes with when they come of age.
    pub fn join(
        &mut self,
        rules: &Consent,
        of_age: Option<Ts>,
        (other, other_of_age): (&Self, Option<Ts>),
        at: Ts,
    ) {
        let mut stands = self.standing_noes(rules, of_age, other, at);
        stands.extend(other.standing_noes(rules, other_of_age, self, at));
        for (purpose, channel, words) in other.words() {
            self.of(purpose, channel).join(words);
        }
        for (purpose, channel, because) in stands {
            keep_later(&mut self.of(&purpose, &channel).settled, Some(Settled { at, because }));
        }
    }

    /// Each no that stands now, for each purpose on each channel by itself: what was allowed again on one channel is not
    /// refused there because others are.
    fn standing_noes(
        &self,
        rules: &Consent,
        of_age: Option<Ts>,
        other: &Self,
        at: Ts,
    ) -> Vec<(String, String, EventId)> {
        let both = || self.words().chain(other.words());
        let named = both().map(|(purpose, ..)| purpose).filter(|purpose| *purpose != ALL);
        let purposes: BTreeSet<&str> = named.chain(rules.purposes.keys().map(String::as_str)).collect();
        let named = both().map(|(_, channel, _)| channel).chain([ALL]);
        let channels: BTreeSet<&str> = named.chain(rules.channels()).collect();
        let pairs =
            purposes.iter().flat_map(|purpose| channels.iter().map(move |channel| (*purpose, *channel)));
        pairs
            .filter_map(|(purpose, channel)| {
                let terms = rules.purposes.get(purpose);
                let answer = self.ask_by(terms, purpose, channel, of_age, at);
                let (_, because) = self.no(purpose, channel)?;
                (answer.allowed == Err(Refused::Withdrawn))
                    .then(|| (purpose.to_owned(), channel.to_owned(), because))
            })
            .collect()
    }

    /// The noes that merges dated, of those whose event is one of these.
    pub fn settled_by(&self, is_mine: impl Fn(EventId) -> bool) -> Self {
        let mut kept = Self::default();
        for (purpose, channel, words) in self.words() {
            if let Some(settled) = words.settled.filter(|settled| is_mine(settled.because)) {
                kept.of(purpose, channel).settled = Some(settled);
            }
        }
        kept
    }

    /// Takes over the noes of [`settled_by`](Self::settled_by).
    pub fn settle_again(&mut self, kept: &Self) {
        for (purpose, channel, words) in kept.words() {
            keep_later(&mut self.of(purpose, channel).settled, words.settled);
        }
    }

    /// All of it in words that no key changes, for the digest: without the ids of events.
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        let word = |out: &mut String, what: &str, version: &str, word: &Word| {
            let _ = write!(out, "|{what}:{version:?}:{}:{:?}:{:?}", word.at.0, word.source, word.guardian);
        };
        for (purpose, channel, words) in self.words() {
            let _ = write!(out, "|{purpose:?}/{channel:?}");
            words.withdrawn.iter().for_each(|said| word(&mut out, "no", "", said));
            words.given.iter().for_each(|(version, said)| word(&mut out, "yes", version, said));
            words.by_guardian.iter().for_each(|(version, said)| word(&mut out, "guardian", version, said));
            if let Some(settled) = words.settled {
                let _ = write!(out, "|settled:{}", settled.at.0);
            }
        }
        out
    }
}
