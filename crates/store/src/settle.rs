//! Whom an item is about: which of its names count, whose they are, and which are given up.
//!
//! The names are taken in the order of how telling they are (at the same priority, those that are somebody's first). Each
//! counts as long as it does not contradict those before it: a name of somebody else contradicts them unless the two may be
//! one person; a name that is nobody's contradicts them where it would go beyond a limit. So what is given up is always the
//! less telling of two that contradict each other, and what contradicts nothing stays. No statement runs in here.

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_model::id::MemberId;
use zhiyin_model::identifier::{NamespaceRule, is_of_device};
use zhiyin_model::playbook::Identity;
use zhiyin_model::time::{DAY_US, Ts};

use crate::seal::LookupHash;
use crate::{Named, NewEvent, Ties};

/// Why a name of an item was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is somebody else's, who is not one person with whom the more telling names say.
    SomebodyElse,
    /// The person has as many of its namespace as the limit allows.
    Limit,
    /// The person has as many names, of all namespaces, as one may have.
    Names,
    /// Who sends it may be anybody, and the person is known by more than a browser or a device.
    Unproven,
}

impl Reason {
    /// All of them, by code.
    pub const ALL: [Self; 4] = [Self::SomebodyElse, Self::Limit, Self::Names, Self::Unproven];

    /// As it is stored.
    pub const fn code(self) -> i16 {
        match self {
            Self::SomebodyElse => 0,
            Self::Limit => 1,
            Self::Names => 2,
            Self::Unproven => 3,
        }
    }

    /// The one of a code.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| i64::from(reason.code()) == code)
    }

    /// Its name, which does not change.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SomebodyElse => "somebody_else",
            Self::Limit => "limit",
            Self::Names => "names",
            Self::Unproven => "unproven",
        }
    }
}

/// What becomes of a name of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is theirs already.
    Borne,
    /// It was nobody's and is theirs from now on.
    Attached,
    /// It was believed no longer of whoever bore it, and is theirs from now on.
    TakenOver,
    /// It stays what it was.
    GivenUp(Reason),
}

/// Whom an item is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Who is one person: the first is who they are, each of the others ends. None where nobody is known by these names.
    pub people: Vec<MemberId>,
    /// What becomes of each name, in the order of the item.
    pub fates: Vec<Fate>,
}

/// A name that a member bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bears {
    /// Its namespace.
    pub namespace: String,
    /// Since when.
    pub since: Ts,
    /// When it was seen last.
    pub seen: Ts,
}

/// Who bears which names.
pub trait Register {
    /// What may go wrong.
    type Error;
    /// Who bears a name.
    fn whose(&mut self, hash: &LookupHash) -> Result<Option<MemberId>, Self::Error>;
    /// When a name that somebody bears was seen last.
    fn seen(&mut self, hash: &LookupHash) -> Result<Ts, Self::Error>;
    /// All names that a member bears.
    fn bears(&mut self, member: MemberId) -> Result<Vec<Bears>, Self::Error>;
    /// Whether somebody parted two members.
    fn apart(&mut self, one: MemberId, other: MemberId) -> Result<bool, Self::Error>;
}

/// Whether a name that was seen last at an instant still names somebody.
pub fn holds(rule: &NamespaceRule, seen: Ts, at: Ts) -> bool {
    rule.valid_days.is_none_or(|days| at <= seen.plus_us(i64::from(days) * DAY_US))
}

/// Whether a name counts against the limit of its namespace.
fn counts(rule: &NamespaceRule, name: &Bears, at: Ts) -> bool {
    let within = |days: u16| name.since.plus_us(i64::from(days) * DAY_US) > at;
    rule.window.days().is_none_or(within) && holds(rule, name.seen, at)
}

/// Says whom an item is about.
pub fn settle<R: Register>(
    event: &NewEvent,
    identity: &Identity,
    register: &mut R,
) -> Result<Settled, R::Error> {
    let mut names = Vec::with_capacity(event.names.len());
    for named in &event.names {
        let rule = identity.rule(&named.namespace);
        let was = register.whose(&named.hash)?;
        let ended = was.is_some()
            && rule.valid_days.is_some()
            && !holds(&rule, register.seen(&named.hash)?, event.time);
        names.push(Name { named, rule, whose: was.filter(|_| !ended), ended });
    }
    // What a person says of who is whom is asked nothing: who was parted was one before, and who is to be one is.
    if !event.parts.is_empty() || event.ties == Ties::Insist {
        return Ok(as_told(event, &names));
    }
    if let [only] = names.as_slice() {
        let people = only.whose.into_iter().collect();
        return Ok(Settled { people, fates: vec![only.taken()] });
    }
    // Who says outright whose names these are need not be asked how far each is believed.
    let linked = matches!(event.ties, Ties::Link | Ties::LinkMerge);
    let sure = names.iter().filter(|name| linked || name.rule.unique).filter_map(|name| name.whose).collect();
    let mut settling = Settling {
        identity,
        register,
        at: event.time,
        linked,
        ties: event.ties,
        sure,
        people: Vec::new(),
        new: Has::default(),
        known: BTreeMap::new(),
    };
    let mut fates = vec![Fate::Borne; names.len()];
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|i| (names[*i].rule.priority, names[*i].whose.is_none(), *i));
    for i in order {
        fates[i] = settling.take(&names[i])?;
    }
    let people = settling.people;
    for (name, fate) in names.iter().zip(&mut fates) {
        // A less telling name may have shown later that two are one.
        if name.whose.is_some_and(|member| people.contains(&member)) {
            *fate = Fate::Borne;
        }
    }
    Ok(Settled { people, fates })
}

/// A name of an item, and whose it is.
struct Name<'e> {
    named: &'e Named,
    rule: NamespaceRule,
    whose: Option<MemberId>,
    /// Whether somebody bears it of whom it is believed no longer.
    ended: bool,
}

impl Name<'_> {
    /// What becomes of it where it counts.
    fn taken(&self) -> Fate {
        match (self.whose, self.ended) {
            (Some(_), _) => Fate::Borne,
            (None, true) => Fate::TakenOver,
            (None, false) => Fate::Attached,
        }
    }
}

/// Whom an item is about where a person says so: the first who is known; where they say that people are one, all of them.
fn as_told(event: &NewEvent, names: &[Name<'_>]) -> Settled {
    let mut people: Vec<MemberId> = Vec::new();
    for member in names.iter().filter_map(|name| name.whose) {
        let one = event.parts.is_empty() || people.is_empty();
        if one && !people.contains(&member) {
            people.push(member);
        }
    }
    Settled { people, fates: names.iter().map(Name::taken).collect() }
}

struct Settling<'s, R> {
    identity: &'s Identity,
    register: &'s mut R,
    at: Ts,
    /// Whether limits are not asked.
    linked: bool,
    ties: Ties,
    /// Members whom the item names by something that stands for exactly one person.
    sure: BTreeSet<MemberId>,
    people: Vec<MemberId>,
    /// What the item attaches.
    new: Has,
    /// What members have.
    known: BTreeMap<MemberId, Has>,
}

/// What names somebody has.
#[derive(Clone, Debug, Default)]
struct Has {
    /// How many.
    all: u32,
    /// How many of a namespace that count against its limit.
    counted: BTreeMap<String, u32>,
    /// Whether one of them is of the person, not of a browser or a device.
    is_person: bool,
}

impl Has {
    fn add(&mut self, namespace: String, counts: bool, holds: bool) {
        self.all = self.all.saturating_add(1);
        self.is_person |= holds && !is_of_device(&namespace);
        if counts {
            *self.counted.entry(namespace).or_default() += 1;
        }
    }

    fn number(&self, namespace: &str) -> u32 {
        self.counted.get(namespace).copied().unwrap_or_default()
    }
}

impl<R: Register> Settling<'_, R> {
    fn take(&mut self, name: &Name<'_>) -> Result<Fate, R::Error> {
        let Some(member) = name.whose else { return self.attach(name) };
        if self.people.contains(&member) {
            return Ok(Fate::Borne);
        }
        let one = if self.people.is_empty() { self.within(member)? } else { self.is_one(member)? };
        if !one {
            return Ok(Fate::GivenUp(Reason::SomebodyElse));
        }
        self.people.push(member);
        Ok(Fate::Borne)
    }

    fn attach(&mut self, name: &Name<'_>) -> Result<Fate, R::Error> {
        let namespace = name.named.namespace.as_str();
        if self.number(|has| has.number(namespace))? >= name.rule.limit && !self.linked {
            return Ok(Fate::GivenUp(Reason::Limit));
        }
        if self.number(|has| has.all)? >= self.identity.names_max() {
            return Ok(Fate::GivenUp(Reason::Names));
        }
        if !is_of_device(namespace) && !self.believes_of_all()? {
            return Ok(Fate::GivenUp(Reason::Unproven));
        }
        self.new.add(namespace.to_owned(), true, true);
        Ok(name.taken())
    }

    /// Whether a name of a person may be new of those whom the item is about: where anybody may have sent it, only of whom
    /// nobody knows by one yet.
    fn believes_of_all(&mut self) -> Result<bool, R::Error> {
        for i in 0..self.people.len() {
            let member = self.people[i];
            if self.ties == Ties::Open && self.of(member)?.is_person {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many the person has so far, of what is asked for.
    fn number(&mut self, asked: impl Fn(&Has) -> u32) -> Result<u32, R::Error> {
        let mut n = asked(&self.new);
        for i in 0..self.people.len() {
            let member = self.people[i];
            n = n.saturating_add(asked(self.of(member)?));
        }
        Ok(n)
    }

    /// What names a member has.
    fn of(&mut self, member: MemberId) -> Result<&Has, R::Error> {
        if !self.known.contains_key(&member) {
            let mut has = Has::default();
            for name in self.register.bears(member)? {
                let rule = self.identity.rule(&name.namespace);
                let (counts, holds) = (counts(&rule, &name, self.at), holds(&rule, name.seen, self.at));
                has.add(name.namespace, counts, holds);
            }
            self.known.insert(member, has);
        }
        Ok(self.known.entry(member).or_default())
    }

    /// Whether a member is one person with those whom more telling names say: a trusted source says so, both are named by
    /// something that stands for one person, nobody parted them, and together they have no more names than one may have.
    fn is_one(&mut self, member: MemberId) -> Result<bool, R::Error> {
        if !matches!(self.ties, Ties::Merge | Ties::LinkMerge) || !self.sure.contains(&member) {
            return Ok(false);
        }
        for i in 0..self.people.len() {
            let known = self.people[i];
            if !self.sure.contains(&known) || self.register.apart(known, member)? {
                return Ok(false);
            }
        }
        self.within(member)
    }

    /// Whether no limit is passed where this member has all that the item has come to so far; and, where anybody may have sent
    /// it, whether it says nothing new of them.
    fn within(&mut self, member: MemberId) -> Result<bool, R::Error> {
        if self.people.is_empty() && self.new.all == 0 {
            return Ok(true);
        }
        let theirs = self.of(member)?.clone();
        if self.ties == Ties::Open && self.new.is_person && theirs.is_person {
            return Ok(false);
        }
        if self.number(|has| has.all)?.saturating_add(theirs.all) > self.identity.names_max() {
            return Ok(false);
        }
        if self.linked {
            return Ok(true);
        }
        for (namespace, n) in theirs.counted {
            let others = self.number(|has| has.number(&namespace))?;
            if others > 0 && others.saturating_add(n) > self.identity.rule(&namespace).limit {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
