//! Suggestions of likely doubles, over a made-up town whose truth is known: families, twins, namesakes, and people who
//! were written down twice.
#![allow(clippy::float_arithmetic, reason = "shares of what was found")]

mod chance;
mod town;

use std::collections::{BTreeMap, BTreeSet};

use zhiyin_decide::duplicates::{Agreement, Evidence, Field, Profile, Rival, SCORE_LEAST, Suggestion, find};
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Day;

use chance::Chance;
use town::{Corruption, Town};

const PEOPLE: usize = 20_000;

fn profiles(town: &Town) -> Vec<Profile> {
    town.records.iter().map(|record| record.profile.clone()).collect()
}

/// Pairs of one person, found and not: (found and true, found, true).
fn judged(town: &Town, found: &[Suggestion]) -> (usize, usize, usize) {
    let of: BTreeMap<MemberId, usize> =
        town.records.iter().map(|record| (record.profile.member, record.person)).collect();
    let right = found.iter().filter(|pair| of[&pair.one] == of[&pair.other]).count();
    (right, found.len(), town.doubles.len())
}

#[test]
fn what_is_suggested_is_right_and_most_doubles_are_found() {
    for seed in [1, 2, 3] {
        let town = Town::of(seed, PEOPLE);
        let found = find(&profiles(&town), SCORE_LEAST);
        let (n_right, n_found, n_doubles) = judged(&town, &found);
        let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
        let (precision, recall) = (share(n_right, n_found), share(n_right, n_doubles));
        println!(
            "seed {seed}: {} records, {n_doubles} doubles; {n_found} suggested, {n_right} right: \
             precision {precision:.4}, recall {recall:.4}",
            town.records.len()
        );
        let pairs: BTreeSet<(MemberId, MemberId)> = found.iter().map(|pair| (pair.one, pair.other)).collect();
        for corruption in Corruption::ALL {
            let of: Vec<_> =
                town.doubles.iter().filter(|double| double.corruptions.contains(&corruption)).collect();
            let n = of.iter().filter(|double| pairs.contains(&double.pair)).count();
            println!(
                "  {:<16} {n:>5} of {:>5}: {:.3}",
                format!("{corruption:?}"),
                of.len(),
                share(n, of.len())
            );
        }
        let person: BTreeMap<MemberId, usize> =
            town.records.iter().map(|record| (record.profile.member, record.person)).collect();
        let wrong: Vec<&Suggestion> =
            found.iter().filter(|pair| person[&pair.one] != person[&pair.other]).collect();
        let n_kin = wrong.iter().filter(|p| town.are_kin(person[&p.one], person[&p.other])).count();
        println!("  wrong: {} (of which of one family {n_kin})", wrong.len());
        assert!(precision >= 0.95 && recall >= 0.7, "seed {seed}: {precision} {recall}");
    }
}

/// However few there are, what is suggested is mostly right.
#[test]
fn a_small_shop_gets_no_nonsense() {
    let (mut n_right, mut n_found, mut n_doubles) = (0, 0, 0);
    for seed in 10..40 {
        let town = Town::of(seed, 200);
        let judged = judged(&town, &find(&profiles(&town), SCORE_LEAST));
        (n_right, n_found, n_doubles) = (n_right + judged.0, n_found + judged.1, n_doubles + judged.2);
    }
    println!("30 shops of 200: {n_doubles} doubles, {n_found} suggested, {n_right} right");
    assert!(n_right * 100 >= n_found * 95 && n_right * 10 >= n_doubles * 7);
}

#[test]
fn twins_and_families_are_not_suggested() {
    let town = Town::of(4, PEOPLE);
    let found = find(&profiles(&town), SCORE_LEAST);
    let person: BTreeMap<MemberId, usize> =
        town.records.iter().map(|record| (record.profile.member, record.person)).collect();
    let n_twins = town.twins.len();
    let n_wrong = found
        .iter()
        .map(|pair| (person[&pair.one], person[&pair.other]))
        .filter(|(one, other)| town.twins.contains(&(*one.min(other), *one.max(other))))
        .count();
    println!("seed 4: {n_twins} pairs of twins, {n_wrong} suggested");
    assert!(n_twins >= 50 && n_wrong * 20 <= n_twins, "{n_wrong} of {n_twins}");
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let town = Town::of(5, 3_000);
    let mut profiles = profiles(&town);
    let found = find(&profiles, 0.5);
    assert!(found.len() > 200);
    let mut chance = Chance::new(6);
    for _ in 0..3 {
        for i in (1..profiles.len()).rev() {
            profiles.swap(i, chance.below(i + 1));
        }
        assert_eq!(find(&profiles, 0.5), found);
    }
    // Who is given twice is no double of themselves.
    let twice: Vec<Profile> = profiles.iter().chain(&profiles).cloned().collect();
    assert_eq!(find(&twice, 0.5), found);
}

#[test]
fn evidence_explains_every_pair() {
    let town = Town::of(7, 5_000);
    let n_people = town.records.len() as f64;
    for pair in find(&profiles(&town), 0.5) {
        assert!(pair.one < pair.other && (0.5..=1.0).contains(&pair.score));
        assert!(pair.evidence.iter().any(|evidence| evidence.bits > 0.0), "{pair:?}");
        assert!(pair.evidence.windows(2).all(|two| two[0].field < two[1].field), "{pair:?}");
        for evidence in &pair.evidence {
            let is_shared = evidence.agrees == Agreement::Exact && evidence.field != Field::Gender;
            assert!(!is_shared || evidence.shared_by.is_none_or(|n| n >= 1), "{evidence:?}");
        }
        // What was known before and what each field says is the odds, but for the less likely rival, which takes at most half.
        let before = match pair.rival {
            Rival::Relative => 0.1f64.log2(),
            Rival::Stranger => (0.2 / (n_people + 2_000.0)).log2(),
        };
        let sum: f64 = pair.evidence.iter().map(|evidence| evidence.bits).sum();
        if pair.score < 0.999_999 {
            let odds = (pair.score / (1.0 - pair.score)).log2();
            let gap = before + sum - odds;
            assert!((-1e-6..=1.0 + 1e-6).contains(&gap), "{gap} {pair:?}");
        }
    }
}

fn id(n: u8) -> MemberId {
    MemberId::from_bytes([n; 16])
}

fn person(n: u8, name: &str, phone: &str, birthday: &str) -> Profile {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Profile {
        names: some(name).into_iter().collect(),
        phones: some(phone).into_iter().collect(),
        birthday: Day::parse(birthday),
        ..Profile::new(id(n))
    }
}

/// The score of two records, and how each field agrees.
fn pair(one: &Profile, other: &Profile) -> (f64, Vec<(Field, Agreement)>) {
    let found = find(&[one.clone(), other.clone()], 0.0);
    let agrees = |evidence: &Evidence| (evidence.field, evidence.agrees);
    found.first().map_or((0.0, Vec::new()), |pair| (pair.score, pair.evidence.iter().map(agrees).collect()))
}

#[test]
fn each_way_to_be_written_otherwise_is_named() {
    use Agreement::{Exact, Homophone, OneCharacter, Swapped, Typo};
    use Field::{Birthday, Name, Phone};
    let one = person(1, "欧阳晓明", "+8613912345678", "1990-05-07");
    for (name, phone, birthday, agrees, is_suggested) in [
        (
            "欧阳晓明",
            "+8613912345678",
            "1990-05-07",
            [(Name, Exact), (Phone, Exact), (Birthday, Exact)],
            true,
        ),
        (
            "欧阳小明",
            "+8613912345678",
            "1990-05-07",
            [(Name, Homophone), (Phone, Exact), (Birthday, Exact)],
            true,
        ),
        (
            "Xiaoming Ouyang",
            "+8613912345678",
            "1990-05-07",
            [(Name, Homophone), (Phone, Exact), (Birthday, Exact)],
            true,
        ),
        (
            "晓明欧阳",
            "+8613912345687",
            "1990-07-05",
            [(Name, Swapped), (Phone, Typo), (Birthday, Swapped)],
            true,
        ),
        (
            "Ouyang Xaioming",
            "+8613912345678",
            "1990-05-01",
            [(Name, Typo), (Phone, Exact), (Birthday, Typo)],
            true,
        ),
        // A brother on the family's phone, and a twin.
        (
            "欧阳晓光",
            "+8613912345678",
            "1995-08-30",
            [(Name, OneCharacter), (Phone, Exact), (Birthday, Agreement::Different)],
            false,
        ),
        (
            "欧阳晓光",
            "+8613912345678",
            "1990-05-07",
            [(Name, OneCharacter), (Phone, Exact), (Birthday, Exact)],
            false,
        ),
    ] {
        let (score, found) = pair(&one, &person(2, name, phone, birthday));
        assert_eq!(found, agrees, "{name} {phone} {birthday}");
        assert_eq!(score >= SCORE_LEAST, is_suggested, "{name} {phone} {birthday}: {score}");
    }
}

#[test]
fn a_common_value_says_less() {
    let (rare, common) = (("欧阳翎", "+8613900000001"), ("王伟", "+8613900000002"));
    let mut people: Vec<Profile> = (10..110).map(|n| person(n, common.0, "", "")).collect();
    people.extend((110..160).map(|n| person(n, &format!("李{}", char::from(b'a' + n % 26)), common.1, "")));
    let of = |name: &str, phone: &str| {
        let mut all = people.clone();
        all.extend([person(1, name, phone, ""), person(2, name, phone, "")]);
        let found = find(&all, 0.0).into_iter().find(|pair| (pair.one, pair.other) == (id(1), id(2)));
        found.map(|pair| (pair.score, pair.evidence)).unwrap_or_default()
    };
    let ((of_rare, rare), (of_common, common)) = (of(rare.0, rare.1), of(common.0, common.1));
    assert_eq!((rare[0].shared_by, common[0].shared_by), (Some(2), Some(102)));
    assert_eq!((rare[1].shared_by, common[1].shared_by), (Some(2), Some(52)));
    assert!(of_rare > of_common, "{of_rare} {of_common}");
}

#[test]
fn nothing_that_people_write_stops_it() {
    let odd = ["", " ", "🎂", "\u{301}", "-", "王", "x", "+", "@", "\u{0}", "İstanbul ẞ", "محمد علي"];
    let mut people: Vec<Profile> = (1u8..)
        .zip(odd)
        .map(|(n, text)| {
            let texts = || vec![text.to_owned(); 20];
            Profile {
                names: texts(),
                phones: texts(),
                emails: texts(),
                devices: texts(),
                birthday: Some(Day(i32::from(n) * 1_000_000)),
                gender: Some(text.to_owned()),
                city: Some(text.to_owned()),
                address: Some(text.repeat(10_000)),
                store: Some(text.to_owned()),
                ..Profile::new(id(n))
            }
        })
        .collect();
    people.push(Profile::new(id(200)));
    people.push(Profile::new(id(201)));
    let found = find(&people, 0.0);
    assert!(found.iter().all(|pair| (0.0..=1.0).contains(&pair.score)));
    assert!(found.iter().all(|pair| pair.one != id(200) && pair.other != id(201)));
    assert_eq!(find(&[], 0.0), []);
}
