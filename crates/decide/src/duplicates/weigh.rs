//! What agreeing and not agreeing mean: for each field, how likely it is between two records of one person, of two relatives,
//! of two strangers.
//!
//! What one person and relatives are like is in [`TABLE`]: judged, not measured, from what is commonly reported of
//! customer files (about one record in ten is a double; a phone is changed more often than a birthday is mistyped; a twin
//! birth is one in sixty or so). Nobody labels pairs here, and what blocks bring together is no fair sample for
//! estimating them. What strangers agree in by chance is counted in the population itself, value by value, drawn towards
//! [`prior`] as long as the population is small.
#![allow(clippy::float_arithmetic, reason = "likelihoods; no money or points come near them")]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::prepare::Person;
use super::{Agreement, Evidence, Field, Rival, Suggestion};
use super::{distance::is_within, name::Name};

/// How many people the prior stands for.
const PRIOR_PEOPLE: f64 = 2_000.0;
/// Doubles a person, before anything is compared.
const DOUBLES_EACH: f64 = 0.1;
/// Relatives a person, before anything is compared.
const RELATIVES_EACH: f64 = 1.0;
/// How many names are a slip away from one.
const NAMES_NEAR: f64 = 40.0;

/// What is counted of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Counted {
    Text,
    Letters,
    Token,
    Phone,
    Email,
    Birthday,
    City,
    Address,
    Store,
    Device,
}

/// How common a value of a kind is where nothing is known yet. The commonest Chinese names are borne by about one in five
/// thousand, the commonest surnames by one in fourteen; a birthday within sixty years is one in twenty thousand.
const fn prior(kind: Counted) -> f64 {
    match kind {
        Counted::Text => 2e-4,
        Counted::Letters => 4e-4,
        Counted::Token => 2e-2,
        Counted::Phone | Counted::Email => 1e-7,
        Counted::Birthday => 5e-5,
        Counted::City => 5e-2,
        Counted::Address => 1e-5,
        Counted::Store => 2e-2,
        Counted::Device => 1e-6,
    }
}

/// How common each value is among the people that are compared.
pub(super) struct Population {
    n_people: f64,
    counts: BTreeMap<(Counted, u64), u32>,
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Population {
    pub(super) fn of(people: &[Person]) -> Self {
        let mut counts = BTreeMap::new();
        for person in people {
            let mut values: Vec<(Counted, u64)> = Vec::new();
            for name in &person.names {
                values.push((Counted::Text, hash(&name.text)));
                values.push((Counted::Letters, hash(&name.sorted)));
                values.extend(name.tokens.iter().map(|token| (Counted::Token, hash(token))));
            }
            values.extend(person.phones.iter().map(|phone| (Counted::Phone, hash(phone))));
            values.extend(person.emails.iter().map(|email| (Counted::Email, hash(email))));
            values.extend(person.devices.iter().map(|device| (Counted::Device, hash(device))));
            values.extend(person.birthday.map(|day| (Counted::Birthday, hash(day.0))));
            values.extend(person.city.iter().map(|city| (Counted::City, hash(city))));
            values.extend(person.address.iter().map(|address| (Counted::Address, hash(address))));
            values.extend(person.store.iter().map(|store| (Counted::Store, hash(store))));
            // Whoever bears a value twice bears it once.
            values.sort_unstable();
            values.dedup();
            for value in values {
                *counts.entry(value).or_insert(0) += 1;
            }
        }
        Self { n_people: people.len() as f64, counts }
    }

    fn count(&self, kind: Counted, value: impl Hash) -> u32 {
        self.counts.get(&(kind, hash(value))).copied().unwrap_or(0)
    }

    /// How likely a stranger bears a value: how many others do, besides the two who are compared.
    fn chance(&self, kind: Counted, value: impl Hash) -> f64 {
        let others = f64::from(self.count(kind, value).saturating_sub(2));
        (others + PRIOR_PEOPLE * prior(kind)) / (self.n_people + PRIOR_PEOPLE)
    }

    /// How many pairs there are of each kind, as a share of all.
    fn priors(&self) -> [f64; 3] {
        let n_people = self.n_people + PRIOR_PEOPLE;
        [2.0 * DOUBLES_EACH / n_people, 2.0 * RELATIVES_EACH / n_people, 1.0]
    }
}

/// What is found of one field, and how likely it is of one person, of relatives, of strangers.
struct Finding {
    field: Field,
    agrees: Agreement,
    likelihoods: [f64; 3],
    shared_by: Option<u32>,
}

/// The likelihoods of a field's agreement, of one person and of relatives; each field's sum to one, but a device's, of which only
/// agreeing is looked at.
const TABLE: [(Field, Agreement, f64, f64); 29] = [
    (Field::Name, Agreement::Exact, 0.78, 0.002),
    (Field::Name, Agreement::Swapped, 0.04, 0.0002),
    (Field::Name, Agreement::Homophone, 0.06, 0.004),
    (Field::Name, Agreement::Typo, 0.06, 0.008),
    // Brothers and sisters often share one character of the given name.
    (Field::Name, Agreement::OneCharacter, 0.02, 0.2),
    (Field::Name, Agreement::Part, 0.02, 0.54),
    (Field::Name, Agreement::Different, 0.02, 0.2458),
    (Field::Phone, Agreement::Exact, 0.65, 0.4),
    (Field::Phone, Agreement::Typo, 0.05, 0.002),
    (Field::Phone, Agreement::Different, 0.3, 0.6),
    (Field::Email, Agreement::Exact, 0.7, 0.05),
    (Field::Email, Agreement::Typo, 0.06, 0.01),
    (Field::Email, Agreement::Part, 0.04, 0.01),
    (Field::Email, Agreement::Different, 0.2, 0.93),
    (Field::Birthday, Agreement::Exact, 0.9, 0.015),
    (Field::Birthday, Agreement::Swapped, 0.03, 0.0003),
    // One digit apart, and yet of one mother: years apart to the day.
    (Field::Birthday, Agreement::Typo, 0.04, 0.003),
    (Field::Birthday, Agreement::Different, 0.03, 0.9817),
    (Field::Gender, Agreement::Exact, 0.98, 0.5),
    (Field::Gender, Agreement::Different, 0.02, 0.5),
    (Field::City, Agreement::Exact, 0.9, 0.9),
    (Field::City, Agreement::Different, 0.1, 0.1),
    (Field::Address, Agreement::Exact, 0.6, 0.6),
    (Field::Address, Agreement::Typo, 0.1, 0.1),
    (Field::Address, Agreement::Part, 0.05, 0.05),
    (Field::Address, Agreement::Different, 0.25, 0.25),
    (Field::Store, Agreement::Exact, 0.6, 0.6),
    (Field::Store, Agreement::Different, 0.4, 0.4),
    (Field::Device, Agreement::Exact, 0.3, 0.1),
];

impl Finding {
    fn new(field: Field, agrees: Agreement, chance: f64, shared_by: Option<u32>) -> Self {
        let known = TABLE.iter().find(|(of, how, ..)| (*of, *how) == (field, agrees));
        let (same, relative) = known.map_or((1.0, 1.0), |(_, _, same, relative)| (*same, *relative));
        Self { field, agrees, likelihoods: [same, relative, chance.clamp(1e-12, 1.0)], shared_by }
    }
}

/// Weighs one pair, of which `one` has the lower id.
pub(super) fn weigh(population: &Population, one: &Person, other: &Person) -> Suggestion {
    let findings: Vec<Finding> = [
        names(population, one, other),
        phones(population, one, other),
        emails(population, one, other),
        birthdays(population, one, other),
        genders(one, other),
        texts(population, (Field::City, Counted::City), &one.city, &other.city),
        addresses(population, one, other),
        texts(population, (Field::Store, Counted::Store), &one.store, &other.store),
        devices(population, one, other),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut bits = population.priors().map(f64::log2);
    for finding in &findings {
        for (sum, likelihood) in bits.iter_mut().zip(finding.likelihoods) {
            *sum += likelihood.log2();
        }
    }
    let [same, relative, stranger] = bits;
    let (rival, place) = if relative >= stranger { (Rival::Relative, 1) } else { (Rival::Stranger, 2) };
    let evidence = findings.iter().map(|finding| Evidence {
        field: finding.field,
        agrees: finding.agrees,
        bits: finding.likelihoods[0].log2() - finding.likelihoods[place].log2(),
        shared_by: finding.shared_by,
    });
    let against = (relative - same).exp2() + (stranger - same).exp2();
    Suggestion {
        one: one.member,
        other: other.member,
        score: 1.0 / (1.0 + against),
        rival,
        evidence: evidence.collect(),
    }
}

fn names(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    let pairs = one.names.iter().flat_map(|a| other.names.iter().map(move |b| (a, b)));
    let ((a, b), (agrees, part)) =
        pairs.map(|(a, b)| ((a, b), a.agrees(b))).min_by_key(|(_, (agrees, _))| *agrees)?;
    let sounds = |name: &Name| population.chance(Counted::Letters, &name.sorted);
    let part = part.map_or(1.0, |part| population.chance(Counted::Token, part));
    let chance = match agrees {
        Agreement::Exact => population.chance(Counted::Text, &a.text),
        Agreement::Swapped | Agreement::Homophone => sounds(a).max(sounds(b)),
        Agreement::Typo => sounds(a).max(sounds(b)) * NAMES_NEAR,
        // One of two characters of the given name: some of those are common.
        Agreement::OneCharacter => part * 0.03,
        Agreement::Part => part,
        Agreement::Different => 1.0,
    };
    let shared_by = (agrees == Agreement::Exact).then(|| population.count(Counted::Text, &a.text));
    Some(Finding::new(Field::Name, agrees, chance, shared_by))
}

/// The value that both have and that the fewest have.
fn shared<'v>(
    population: &Population,
    kind: Counted,
    one: &'v [String],
    other: &[String],
) -> Option<(&'v String, u32)> {
    let shared = one.iter().filter(|value| other.contains(value));
    shared.map(|value| (value, population.count(kind, value))).min_by_key(|(_, count)| *count)
}

fn is_any_near(one: &[String], other: &[String]) -> bool {
    one.iter().any(|a| other.iter().any(|b| is_within(a, b, 1)))
}

fn phones(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    if one.phones.is_empty() || other.phones.is_empty() {
        return None;
    }
    if let Some((phone, count)) = shared(population, Counted::Phone, &one.phones, &other.phones) {
        let chance = population.chance(Counted::Phone, phone);
        return Some(Finding::new(Field::Phone, Agreement::Exact, chance, Some(count)));
    }
    let is_near = is_any_near(&one.phones, &other.phones);
    // About a hundred numbers are one slip away, and numbers of one place are given out side by side.
    let (agrees, chance) = if is_near { (Agreement::Typo, 1e-5) } else { (Agreement::Different, 1.0) };
    Some(Finding::new(Field::Phone, agrees, chance, None))
}

fn emails(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    if one.emails.is_empty() || other.emails.is_empty() {
        return None;
    }
    if let Some((email, count)) = shared(population, Counted::Email, &one.emails, &other.emails) {
        let chance = population.chance(Counted::Email, email);
        return Some(Finding::new(Field::Email, Agreement::Exact, chance, Some(count)));
    }
    let local = |email: &str| email.split('@').next().unwrap_or_default().to_owned();
    let is_local_shared =
        one.emails.iter().any(|a| local(a).len() >= 5 && other.emails.iter().any(|b| local(a) == local(b)));
    let is_near = is_any_near(&one.emails, &other.emails);
    // Addresses are made of names and years, so those of namesakes are near each other.
    let (agrees, chance) = match (is_near, is_local_shared) {
        (true, _) => (Agreement::Typo, 2e-3),
        (false, true) => (Agreement::Part, 2e-3),
        (false, false) => (Agreement::Different, 1.0),
    };
    Some(Finding::new(Field::Email, agrees, chance, None))
}

fn birthdays(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    let (a, b) = (one.birthday?, other.birthday?);
    let chance = population.chance(Counted::Birthday, a.0);
    if a == b {
        let count = population.count(Counted::Birthday, a.0);
        return Some(Finding::new(Field::Birthday, Agreement::Exact, chance, Some(count)));
    }
    let (of_a, of_b) = (a.date(), b.date());
    let is_swapped = of_a.year() == of_b.year() && of_a.day() == of_b.month() && of_a.month() == of_b.day();
    let (agrees, chance) = if is_swapped {
        (Agreement::Swapped, 5e-5)
    } else if is_within(&a.to_string(), &b.to_string(), 1) {
        // About fifty days are one digit away.
        (Agreement::Typo, 2.5e-3)
    } else {
        (Agreement::Different, 1.0)
    };
    Some(Finding::new(Field::Birthday, agrees, chance, None))
}

fn genders(one: &Person, other: &Person) -> Option<Finding> {
    let agrees = if one.is_female? == other.is_female? { Agreement::Exact } else { Agreement::Different };
    Some(Finding::new(Field::Gender, agrees, 0.5, None))
}

fn texts(
    population: &Population,
    (field, kind): (Field, Counted),
    one: &Option<String>,
    other: &Option<String>,
) -> Option<Finding> {
    let (one, other) = (one.as_ref()?, other.as_ref()?);
    let chance = population.chance(kind, one);
    Some(if one == other {
        Finding::new(field, Agreement::Exact, chance, Some(population.count(kind, one)))
    } else {
        Finding::new(field, Agreement::Different, 1.0 - chance, None)
    })
}

fn addresses(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    let (a, b) = (one.address.as_ref()?, other.address.as_ref()?);
    let chance = population.chance(Counted::Address, a);
    Some(if a == b {
        Finding::new(Field::Address, Agreement::Exact, chance, Some(population.count(Counted::Address, a)))
    } else if is_within(a, b, 1) {
        // The next house is one digit away.
        Finding::new(Field::Address, Agreement::Typo, 1e-3, None)
    } else if a.len().min(b.len()) >= 12 && (a.starts_with(b.as_str()) || b.starts_with(a.as_str())) {
        Finding::new(Field::Address, Agreement::Part, 1e-3, None)
    } else {
        Finding::new(Field::Address, Agreement::Different, 1.0, None)
    })
}

/// A device that both used says something; another device says nothing, since people have several.
fn devices(population: &Population, one: &Person, other: &Person) -> Option<Finding> {
    let (device, count) = shared(population, Counted::Device, &one.devices, &other.devices)?;
    let chance = population.chance(Counted::Device, device);
    Some(Finding::new(Field::Device, Agreement::Exact, chance, Some(count)))
}
