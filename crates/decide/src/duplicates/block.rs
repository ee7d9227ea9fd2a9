//! Who is compared with whom: those who meet in a block, of which each person is in a few.
//!
//! A block is what people have in common: a phone, the letters of a name, a birthday and a part of a name. Each is there for a way
//! in which two records of one person may differ, so that whatever one slip does, another block holds. A block of more
//! than [`BLOCK_MAX`] (the phone of a store, the commonest name) is not compared whole: it is put in order twice, and each
//! is compared with the next [`WINDOW`]. So nobody costs more than a bound, however large a block is.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::prepare::Person;

/// The most people of a block that are compared each with each.
pub(super) const BLOCK_MAX: usize = 32;
/// With how many of those who follow one is compared in a larger block, in each of two orders.
pub(super) const WINDOW: usize = 8;

/// Pairs to be compared, by place, each once, the lower first.
pub(super) fn pairs(people: &[Person]) -> Vec<(u32, u32)> {
    let mut keys: Vec<(u64, u32)> = Vec::new();
    for (person, place) in people.iter().zip(0u32..) {
        each_key(person, |key| keys.push((key, place)));
    }
    keys.sort_unstable();
    keys.dedup();
    let mut pairs = Vec::new();
    for block in keys.chunk_by(|a, b| a.0 == b.0) {
        let block: Vec<u32> = block.iter().map(|(_, place)| *place).collect();
        of_block(people, block, &mut pairs);
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn of_block(people: &[Person], mut block: Vec<u32>, pairs: &mut Vec<(u32, u32)>) {
    if block.len() <= BLOCK_MAX {
        // Places are in order, since the keys were.
        for (i, one) in block.iter().enumerate() {
            pairs.extend(block[i + 1..].iter().map(|other| (*one, *other)));
        }
        return;
    }
    let person = |place: &u32| &people[*place as usize];
    let letters = |place: &u32| person(place).names.first().map(|name| name.sorted.as_str());
    block.sort_by_key(|place| (letters(place), person(place).birthday, person(place).phones.first(), *place));
    window(&block, pairs);
    block.sort_by_key(|place| (person(place).birthday, letters(place), person(place).phones.first(), *place));
    window(&block, pairs);
}

fn window(block: &[u32], pairs: &mut Vec<(u32, u32)>) {
    for (i, one) in block.iter().enumerate() {
        for other in block[i + 1..].iter().take(WINDOW) {
            pairs.push((*one.min(other), *one.max(other)));
        }
    }
}

/// Each block that somebody is in.
fn each_key(person: &Person, mut key: impl FnMut(u64)) {
    let mut take = |kind: u8, parts: &[&str]| {
        let mut hasher = DefaultHasher::new();
        (kind, parts).hash(&mut hasher);
        key(hasher.finish());
    };
    // The same value.
    for phone in &person.phones {
        take(0, &[phone]);
    }
    for email in &person.emails {
        take(1, &[email]);
        // The domain was mistyped.
        if let Some((local, _)) = email.split_once('@').filter(|(local, _)| local.len() >= 5) {
            take(2, &[local]);
        }
    }
    for device in &person.devices {
        take(3, &[device]);
    }
    if let Some(address) = &person.address {
        take(4, &[address]);
    }
    // Day and month in order of size, for they may be swapped.
    let born = person.birthday.map(|day| {
        let date = day.date();
        let (one, other) = (date.day().min(date.month()), date.day().max(date.month()));
        (date.year().to_string(), format!("{one}/{other}"))
    });
    for name in &person.names {
        // The same letters, in whatever order and script.
        take(5, &[&name.sorted]);
        if let Some((_, day)) = &born {
            take(6, &[&name.sorted, day]);
        }
        for token in &name.tokens {
            // A part of the name was mistyped.
            if let Some((year, day)) = &born {
                take(7, &[token, year, day]);
            }
            // A digit was mistyped: in the one half of the number, or in the other.
            for phone in person.phones.iter().filter(|phone| phone.is_ascii()) {
                let (head, tail) = phone.split_at(phone.len().saturating_sub(5));
                take(8, &[token, head]);
                take(9, &[token, tail]);
            }
        }
    }
    // The name is another.
    if let (Some((year, day)), Some(city)) = (&born, &person.city) {
        take(10, &[year, day, city]);
    }
}

#[cfg(test)]
mod tests {
    use zhiyin_model::id::MemberId;
    use zhiyin_model::time::Day;

    use super::super::Profile;
    use super::*;

    #[test]
    fn a_thousand_people_in_one_block_stay_bounded() {
        let people: Vec<Person> = (0..1000u16)
            .map(|n| {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&n.to_be_bytes());
                Person::of(&Profile {
                    names: vec!["王伟".into()],
                    phones: vec!["+8613900000001".into()],
                    birthday: Some(Day(i32::from(n) % 7)),
                    city: Some("上海".into()),
                    address: Some("南京路 1 号".into()),
                    devices: vec!["tablet".into()],
                    ..Profile::new(MemberId::from_bytes(id))
                })
            })
            .collect();
        let pairs = pairs(&people);
        // Each in about ten blocks, in two orders, with the next eight; and no pair twice.
        assert!(pairs.len() <= people.len() * 10 * 2 * WINDOW, "{}", pairs.len());
        assert!(pairs.len() >= people.len(), "{}", pairs.len());
        assert!(pairs.windows(2).all(|two| two[0] < two[1]) && pairs.iter().all(|(one, other)| one < other));
    }
}
