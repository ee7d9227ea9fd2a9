//! Records that are likely of one person: suggestions for somebody to look at, never a merge by themselves.
//!
//! [`find`] compares what is known of people (names, phones, addresses, birthdays…) and says of pairs how likely they
//! are one person, and why. Each pair is explained three ways: the **same** person, a **relative** (a family shares a
//! phone, an address, a surname; twins a birthday) and a **stranger** who agrees by chance. How each field agrees has a
//! probability under each of them, as Fellegi and Sunter weigh it; what agrees by chance is as likely as the value is
//! common among these people, so that 王伟 says less than 欧阳翎, and a phone of fifty less than a phone of two. The score is
//! the share of *same* among the three, so families and twins are weighed, not forbidden.
//!
//! Nobody is compared with everybody: only who meets in a block is ([`block`]), and blocks are bounded, so the cost grows with
//! the number of people, not with its square. Read on in [`name`] (how names agree) and [`weigh`] (what it means).
//!
//! Nothing here depends on the order of the input; floats serve likelihoods only, never money or points.

mod block;
mod distance;
pub(crate) mod name;
mod prepare;
mod weigh;

use zhiyin_model::id::MemberId;
use zhiyin_model::time::Day;

/// The most values of one field that are looked at.
pub const VALUES_MAX: usize = 8;

/// The score from which a pair is suggested unless somebody asks for another: chosen for precision.
pub const SCORE_LEAST: f64 = 0.9;

/// What is known of one member. Values are as they were given, phones and e-mail addresses normalised
/// ([`zhiyin_model::identifier`]) and without those that name nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub member: MemberId,
    /// Names, whole; of any script.
    pub names: Vec<String>,
    /// Phones, in E.164.
    pub phones: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// The day of birth.
    pub birthday: Option<Day>,
    /// Male or female, in any usual spelling; other words are not compared.
    pub gender: Option<String>,
    /// The city they live in.
    pub city: Option<String>,
    /// The street and house they live at.
    pub address: Option<String>,
    /// The store they go to.
    pub store: Option<String>,
    /// Devices they used.
    pub devices: Vec<String>,
}

impl Profile {
    /// A member of whom nothing is known yet.
    pub const fn new(member: MemberId) -> Self {
        Self {
            member,
            names: Vec::new(),
            phones: Vec::new(),
            emails: Vec::new(),
            birthday: None,
            gender: None,
            city: None,
            address: None,
            store: None,
            devices: Vec::new(),
        }
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A name.
    Name,
    /// A phone.
    Phone,
    /// An e-mail address.
    Email,
    /// The day of birth.
    Birthday,
    /// Male or female.
    Gender,
    /// The city.
    City,
    /// The address.
    Address,
    /// The store.
    Store,
    /// A device.
    Device,
}

impl Field {
    /// Its stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Birthday => "birthday",
            Self::Gender => "gender",
            Self::City => "city",
            Self::Address => "address",
            Self::Store => "store",
            Self::Device => "device",
        }
    }
}

/// How a field agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Agreement {
    /// The same.
    Exact,
    /// The same in another order: surname and given name, day and month.
    Swapped,
    /// A name that sounds the same: 张 and 章, or one of them in Latin letters.
    Homophone,
    /// A slip of a key away: one letter or digit more, less, another, or two neighbours swapped.
    Typo,
    /// A Chinese name of which one character is another or missing and sounds otherwise: as of brothers and sisters.
    OneCharacter,
    /// A part is the same: the surname, the part of an address before the @, most of an address.
    Part,
    /// It does not agree.
    Different,
}

impl Agreement {
    /// Its stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Swapped => "swapped",
            Self::Homophone => "homophone",
            Self::Typo => "typo",
            Self::OneCharacter => "one_character",
            Self::Part => "part",
            Self::Different => "different",
        }
    }
}

/// What one field says of a pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Which field.
    pub field: Field,
    /// How it agrees.
    pub agrees: Agreement,
    /// How much it speaks for one person against the likelier of the other explanations, in bits: one bit doubles the odds;
    /// below zero it speaks against it.
    pub bits: f64,
    /// How many of these members have the value, where it is the same.
    pub shared_by: Option<u32>,
}

/// What a pair is if it is not one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Of one family or household.
    Relative,
    /// Somebody else who agrees by chance.
    Stranger,
}

impl Rival {
    /// Its stable name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Stranger => "stranger",
        }
    }
}

/// Two records that are likely of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The one with the lower id.
    pub one: MemberId,
    /// The other.
    pub other: MemberId,
    /// How likely they are one person, 0 to 1.
    pub score: f64,
    /// What else they would be, most likely.
    pub rival: Rival,
    /// What each field says, in the order of [`Field`]; what is not known of both says nothing and is left out.
    pub evidence: Vec<Evidence>,
}

/// Pairs that are one person with at least this score, the likeliest first, then by id.
///
/// A member who is given twice is taken once.
pub fn find(profiles: &[Profile], score_least: f64) -> Vec<Suggestion> {
    let mut people: Vec<prepare::Person> = profiles.iter().map(prepare::Person::of).collect();
    people.sort_by_key(|person| person.member);
    people.dedup_by_key(|person| person.member);
    let population = weigh::Population::of(&people);
    let mut found: Vec<Suggestion> = block::pairs(&people)
        .into_iter()
        .map(|(one, other)| weigh::weigh(&population, &people[one as usize], &people[other as usize]))
        .filter(|suggestion| suggestion.score >= score_least)
        .collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then((a.one, a.other).cmp(&(b.one, b.other))));
    found
}
