//! What members said of themselves, told apart by no more than what a question of it can depend on: so that each way of having
//! said something is looked into once, and not each member.
//!
//! Of consents that is which words there are and in which order they were said, never when; but for whoever comes of age, which
//! of them were said before. Of dependants it is what conditions see of them. The evaluator answers for the first member of
//! each kind; the others of its kind are answered alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use zhiyin_condition::of_age;
use zhiyin_condition::program::{Base, ConsentAsked, Node, Step};
use zhiyin_model::consent::{Consents, Words};
use zhiyin_model::dependant::Dependants;
use zhiyin_model::scalar::Scalar;
use zhiyin_model::time::{Ts, Zone};

use crate::block::Said;

/// The most instants that are told apart; whoever said more is asked by themselves.
const INSTANTS_MAX: usize = 255;

/// Which part of what is said a question is of, and what makes somebody a minor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SaidAsked {
    consents: bool,
    dependants: bool,
    minors_under: Option<u8>,
    /// Several terms by which somebody is a minor.
    several: bool,
}

impl SaidAsked {
    /// Of a node; `None` where somebody is a minor by several terms.
    pub(crate) fn of(node: &Node) -> Option<Self> {
        let mut asked = Self::default();
        asked.take(node);
        (!asked.several && (asked.consents || asked.dependants)).then_some(asked)
    }

    fn take(&mut self, node: &Node) {
        match node {
            Node::Consent(consent) => self.consent(consent),
            Node::Local(list, _) => {
                match &list.base {
                    Base::Dependants => self.dependants = true,
                    Base::Values(values) => values.iter().for_each(|value| self.take(value)),
                    _ => {}
                }
                for Step::Filter(body) | Step::Map(body) in &list.steps {
                    self.take(body);
                }
            }
            _ => {}
        }
        node.parts().iter().for_each(|part| self.take(part));
    }

    fn consent(&mut self, asked: &ConsentAsked) {
        let minors_under = asked.terms.minors_under;
        self.consents = true;
        self.several |= self.minors_under.is_some_and(|known| known != minors_under);
        self.minors_under = Some(minors_under);
    }

    /// When whoever has this birthday comes of age, as far as that matters.
    pub(crate) fn of_age(&self, birthday: Option<&Scalar>, zone: &Zone) -> Option<Ts> {
        of_age(birthday?.text()?, self.minors_under?, zone)
    }

    /// The kind of whoever said something and comes of age at an instant, as of now.
    pub(crate) fn kind(&self, heap: Option<&[u8]>, of_age: Option<Ts>, now: Ts) -> Option<AKind> {
        let head = match heap {
            None => Head::default(),
            Some(heap) => Head::read(heap)?,
        };
        let before = |of_age: Ts| head.instants().filter(|at| *at < of_age.0).count();
        let ripe = of_age.filter(|_| self.consents).map(|of_age| (before(of_age), now < of_age));
        Some(AKind {
            consents: if self.consents { head.consents } else { 0 },
            dependants: if self.dependants { head.dependants } else { 0 },
            ripe,
        })
    }
}

/// All that matters of somebody to a question of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AKind {
    consents: u64,
    dependants: u64,
    /// How many instants lie before they come of age, and whether that is yet to come.
    ripe: Option<(usize, bool)>,
}

/// Answers by kind.
#[derive(Debug, Default)]
pub(crate) struct Kinds(Mutex<HashMap<AKind, bool>>);

impl Kinds {
    /// All that are known so far.
    pub(crate) fn known(&self) -> HashMap<AKind, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// More of them.
    pub(crate) fn learn(&self, more: impl IntoIterator<Item = (AKind, bool)>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
    }
}

/// What lies before the words themselves.
#[derive(Clone, Copy, Debug, Default)]
struct Head<'h> {
    consents: u64,
    dependants: u64,
    /// Eight bytes each, ascending.
    instants: &'h [[u8; 8]],
}

impl<'h> Head<'h> {
    fn read(heap: &'h [u8]) -> Option<Self> {
        let (words, rest) = heap.split_first_chunk::<16>()?;
        let (consents, dependants) = words.split_first_chunk::<8>()?;
        let (n, rest) = rest.split_first()?;
        // Whoever said more than is told apart is like nobody else.
        let n = (*n < u8::MAX).then_some(usize::from(*n))?;
        let (instants, []) = rest.get(..n * 8)?.as_chunks::<8>() else { return None };
        let dependants = u64::from_le_bytes(dependants.try_into().ok()?);
        Some(Self { consents: u64::from_le_bytes(*consents), dependants, instants })
    }

    fn instants(self) -> impl Iterator<Item = i64> + 'h {
        self.instants.iter().map(|at| i64::from_le_bytes(*at))
    }
}

/// What somebody said, as it lies in a block.
pub(crate) fn written(consents: &Consents, dependants: &Dependants) -> Vec<u8> {
    let mut instants: Vec<i64> = consents.words().flat_map(|(_, _, words)| said_at(words)).collect();
    instants.sort_unstable();
    instants.dedup();
    let consents_shape = shape(&consents_as(consents, &instants));
    let dependants_shape = shape(&dependants_as(dependants));
    let n = u8::try_from(instants.len()).unwrap_or(u8::MAX);
    let mut bytes: Vec<u8> = [consents_shape.to_le_bytes(), dependants_shape.to_le_bytes()].concat();
    bytes.push(n);
    if instants.len() < INSTANTS_MAX {
        instants.iter().for_each(|at| bytes.extend_from_slice(&at.to_le_bytes()));
    }
    // What is said are maps of texts, which can always be written.
    bytes.extend(serde_json::to_vec(&(consents, dependants)).unwrap_or_default());
    bytes
}

/// What was written.
pub(crate) fn read(heap: &[u8]) -> Said {
    let n = match heap.get(16) {
        None | Some(&u8::MAX) => 0,
        Some(n) => usize::from(*n),
    };
    heap.get(17 + n * 8..).and_then(|words| serde_json::from_slice(words).ok()).unwrap_or_default()
}

fn said_at(words: &Words) -> impl Iterator<Item = i64> + '_ {
    let given = words.given.values().chain(words.by_guardian.values()).chain(&words.withdrawn);
    given.map(|word| word.at.0).chain(words.settled.map(|settled| settled.at.0))
}

/// Consents with the places of instants among all in place of when.
fn consents_as(consents: &Consents, instants: &[i64]) -> String {
    let place = |at: Ts| instants.partition_point(|known| *known < at.0);
    let given = |words: &BTreeMap<String, zhiyin_model::consent::Word>| -> Vec<(String, usize)> {
        words.iter().map(|(version, word)| (version.clone(), place(word.at))).collect()
    };
    let all: Vec<_> = consents
        .words()
        .map(|(purpose, channel, words)| {
            let no = words.withdrawn.as_ref().map(|word| place(word.at));
            let settled = words.settled.map(|settled| place(settled.at));
            (purpose, channel, no, given(&words.given), given(&words.by_guardian), settled)
        })
        .collect();
    if all.is_empty() { String::new() } else { format!("{all:?}") }
}

/// What conditions see of dependants.
fn dependants_as(dependants: &Dependants) -> String {
    let seen: Vec<_> =
        dependants.known().map(|known| (known.kind, known.due_on, known.birthday, known.gender)).collect();
    if seen.is_empty() { String::new() } else { format!("{seen:?}") }
}

/// A number for what is the same; 0 for nothing, as for whoever said nothing at all.
fn shape(text: &str) -> u64 {
    if text.is_empty() {
        return 0;
    }
    let hash = blake3::hash(text.as_bytes());
    let (first, _) = hash.as_bytes().split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}
