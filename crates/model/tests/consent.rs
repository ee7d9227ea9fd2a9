//! What people said yes and no to against a naive oracle that remembers every word: the same in any order of arrival, and
//! never undone by a merge.

#![allow(clippy::unwrap_used, reason = "a test fails where it is wrong")]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use zhiyin_model::consent::{ALL, Consents, Ground, Refused, Word};
use zhiyin_model::id::EventId;
use zhiyin_model::playbook::{Consent, Purpose};
use zhiyin_model::time::Ts;

const PURPOSES: [&str; 3] = ["marketing", "profiling", "service"];
const CHANNELS: [&str; 2] = ["sms", "email"];

fn rules() -> Consent {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let purpose = |versions: &[&str], needed| Purpose {
        channels: set(&CHANNELS),
        versions: set(versions),
        needed,
        ..Purpose::default()
    };
    let purposes = [purpose(&["2"], true), purpose(&[], true), purpose(&[], false)];
    let purposes = PURPOSES.iter().zip(purposes).map(|(id, purpose)| ((*id).to_owned(), purpose)).collect();
    Consent { purposes, minors_under: 14 }
}

/// A word as it is said.
#[derive(Clone, Debug)]
struct Said {
    purpose: &'static str,
    channel: &'static str,
    version: &'static str,
    yes: bool,
    guardian: bool,
    at: i64,
    event: u8,
}

fn said() -> impl Strategy<Value = Said> {
    let purpose = select(&["marketing", "profiling", "service", ALL][..]);
    let channel = select(&["sms", "email", ALL][..]);
    (purpose, channel, any::<bool>(), any::<bool>(), any::<bool>(), 0..8i64, 0..4u8).prop_map(
        |(purpose, channel, yes, guardian, old, at, event)| {
            let yes = yes && purpose != ALL;
            let version = match (purpose, old) {
                ("marketing", true) => "1",
                ("marketing", false) => "2",
                _ => "",
            };
            Said { purpose, channel, version, yes, guardian, at, event }
        },
    )
}

fn hear(words: &[Said]) -> Consents {
    let mut consents = Consents::default();
    for said in words {
        let guardian = said.guardian.then(|| "a guardian".to_owned());
        let event = EventId::from_bytes([said.event; 16]);
        let word = Word { at: Ts(said.at), source: None, guardian, event };
        match said.yes {
            true => consents.give(said.purpose, said.channel, said.version, word),
            false => consents.withdraw(said.purpose, said.channel, word),
        }
    }
    consents
}

/// All words in their order, one after the other; at one instant the noes last.
fn oracle(
    words: &[Said],
    purpose: &str,
    channel: &str,
    of_age: Option<i64>,
    now: i64,
) -> Result<(), Refused> {
    let mut words: Vec<&Said> = words.iter().collect();
    words.sort_by_key(|said| (said.at, !said.yes));
    let minor = of_age.is_some_and(|of_age| now < of_age);
    let mut stands = None;
    for said in words {
        let about = [(said.purpose, purpose), (said.channel, channel)];
        if about.iter().any(|(said, asked)| *said != ALL && said != asked) {
            continue;
        }
        if !said.yes {
            stands = Some(false);
            continue;
        }
        let as_minor = of_age.is_some_and(|of_age| said.at < of_age);
        let current = said.version != "1";
        if current && (!as_minor || (said.guardian && minor)) {
            stands = Some(true);
        }
    }
    match stands {
        Some(true) => Ok(()),
        Some(false) => Err(Refused::Withdrawn),
        None if minor => Err(Refused::Minor),
        None if purpose == "service" => Ok(()),
        None => Err(Refused::NeverGiven),
    }
}

/// Every question there is.
fn questions() -> impl Iterator<Item = (&'static str, &'static str)> {
    PURPOSES
        .into_iter()
        .flat_map(|purpose| CHANNELS.into_iter().chain([ALL]).map(move |channel| (purpose, channel)))
}

/// The answer, as far as the oracle tells refusals apart.
fn asked(
    consents: &Consents,
    purpose: &str,
    channel: &str,
    of_age: Option<i64>,
    now: i64,
) -> Result<(), Refused> {
    match consents.ask(&rules(), purpose, channel, of_age.map(Ts), Ts(now)).allowed {
        Ok(_) => Ok(()),
        Err(Refused::CameOfAge | Refused::TextOutdated) => Err(Refused::NeverGiven),
        Err(refused) => Err(refused),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_state_is_the_same_in_any_order_of_arrival_and_the_naive_oracles(
        words in vec(said(), 0..10),
        order in vec(any::<Index>(), 10),
        of_age in proptest::option::of(0..10i64),
        now in 0..10i64,
    ) {
        let consents = hear(&words);
        let mut shuffled = words.clone();
        for (i, to) in order.iter().enumerate().take(words.len()) {
            shuffled.swap(i, to.index(words.len()));
        }
        shuffled.extend(words.first().cloned());
        prop_assert_eq!(&consents, &hear(&shuffled));
        for (purpose, channel) in questions() {
            let answer = asked(&consents, purpose, channel, of_age, now);
            prop_assert_eq!(answer, oracle(&words, purpose, channel, of_age, now), "{} {}", purpose, channel);
            // It holds for as long as it is said to.
            let until = consents.ask(&rules(), purpose, channel, of_age.map(Ts), Ts(now)).until;
            for later in (now..12).take_while(|later| Ts(*later) < until) {
                let later = asked(&consents, purpose, channel, of_age, later);
                prop_assert_eq!(later.is_ok(), answer.is_ok(), "{} {} until {:?}", purpose, channel, until);
            }
        }
        let json = serde_json::to_string(&consents).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Consents>(&json).unwrap(), &consents);
    }

    #[test]
    fn a_merge_undoes_no_no_and_loses_no_yes_that_nobody_contradicts(
        mine in vec(said(), 0..6),
        theirs in vec(said(), 0..6),
        late in vec(said(), 0..3),
        of_age in proptest::option::of(0..10i64),
    ) {
        let (a, b) = (hear(&mine), hear(&theirs));
        let at = Ts(20);
        let (mut joined, mut other_way) = (a.clone(), b.clone());
        joined.join(&rules(), of_age.map(Ts), (&b, of_age.map(Ts)), at);
        other_way.join(&rules(), of_age.map(Ts), (&a, of_age.map(Ts)), at);
        prop_assert_eq!(joined.canonical(), other_way.canonical());
        for said in &late {
            let one = hear(std::slice::from_ref(said));
            for (purpose, channel, words) in one.words() {
                for (version, word) in words.given.iter().chain(&words.by_guardian) {
                    joined.give(purpose, channel, version, word.clone());
                }
            }
        }
        for (purpose, channel) in questions() {
            let answers = [&mine, &theirs].map(|words| oracle(words, purpose, channel, of_age, 20));
            let answer = asked(&joined, purpose, channel, of_age, 20);
            if answers.contains(&Err(Refused::Withdrawn)) {
                prop_assert_eq!(answer, Err(Refused::Withdrawn), "{} {}", purpose, channel);
            } else if answers.contains(&Ok(())) {
                prop_assert_eq!(answer, Ok(()), "{} {}", purpose, channel);
            }
            // What is said after the merge counts.
            if purpose != "marketing" {
                let word = Word { at: Ts(21), source: None, guardian: None, event: EventId::from_bytes([9; 16]) };
                let mut asked_again = joined.clone();
                asked_again.give(purpose, channel, "", word);
                prop_assert_eq!(asked(&asked_again, purpose, channel, of_age, 22), Ok(()));
            }
        }
    }
}

#[test]
fn what_time_and_age_make_of_words() {
    let word = |at: i64, guardian: bool| Word {
        at: Ts(at),
        source: None,
        guardian: guardian.then(|| "a guardian".to_owned()),
        event: EventId::from_bytes([1; 16]),
    };
    let given = |since: i64, by_guardian| Ok(Ground::Given { since: Ts(since), by_guardian });
    // Of age at 100. (yes at, by a guardian; no at; now) → answer
    let rows = [
        (Some((10, false)), None, 50, Err(Refused::Minor)),
        (Some((10, true)), None, 50, given(10, true)),
        (Some((10, true)), None, 99, given(10, true)),
        (Some((10, true)), None, 100, Err(Refused::CameOfAge)),
        (Some((10, false)), None, 100, Err(Refused::CameOfAge)),
        (Some((100, false)), None, 100, given(100, false)),
        (Some((10, true)), Some(10), 50, Err(Refused::Withdrawn)),
        (Some((11, true)), Some(10), 50, given(11, true)),
        // A minor may say no, and what they say yes to afterwards does not count.
        (Some((11, false)), Some(10), 50, Err(Refused::Withdrawn)),
        (None, None, 50, Err(Refused::Minor)),
        (None, None, 100, Err(Refused::NeverGiven)),
    ];
    for (yes, no, now, expected) in rows {
        let mut consents = Consents::default();
        if let Some((at, guardian)) = yes {
            consents.give("profiling", "sms", "", word(at, guardian));
        }
        if let Some(at) = no {
            consents.withdraw(ALL, ALL, word(at, false));
        }
        let answer = consents.ask(&rules(), "profiling", "sms", Some(Ts(100)), Ts(now));
        assert_eq!(answer.allowed, expected, "{yes:?} {no:?} {now}");
    }
    let empty = Consents::default();
    let refused =
        |purpose, channel| empty.ask(&rules(), purpose, channel, None, Ts(0)).allowed.unwrap_err().name();
    assert_eq!(refused("marketting", "sms"), "purpose_unknown");
    assert_eq!(refused("marketing", "fax"), "channel_unknown");
    let mut old = Consents::default();
    old.give("marketing", "sms", "1", word(1, false));
    let answer = old.ask(&rules(), "marketing", "sms", None, Ts(2));
    assert_eq!(answer.allowed, Err(Refused::TextOutdated));
    let names: BTreeMap<_, _> = [(Ground::NotNeeded.name(), ()), ("not_needed", ())].into();
    assert_eq!(names.len(), 1);
}

#[test]
fn a_no_that_a_merge_dated_goes_with_the_event_that_said_it() {
    let event = |n: u8| EventId::from_bytes([n; 16]);
    let word = |at: i64, n: u8| Word { at: Ts(at), source: None, guardian: None, event: event(n) };
    let (mut one, mut other) = (Consents::default(), Consents::default());
    one.withdraw("profiling", "sms", word(1, 1));
    other.give("profiling", "sms", "", word(2, 2));
    one.join(&rules(), None, (&other, None), Ts(10));
    let allowed =
        |consents: &Consents| consents.ask(&rules(), "profiling", "sms", None, Ts(11)).allowed.is_ok();
    assert!(!allowed(&one));
    // Parted again: the other's own words alone, with what is said of the merge by the events that are theirs.
    let mut theirs = other.clone();
    theirs.settle_again(&one.settled_by(|id| id == event(2)));
    assert!(allowed(&theirs));
    let mut still_together = other;
    still_together.settle_again(&one.settled_by(|id| id == event(1)));
    assert!(!allowed(&still_together));
}
