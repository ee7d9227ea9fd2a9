//! A town with families, and records of its people: some were written down twice, each time a little otherwise.
//!
//! Surnames have their shares among people of China (per ten thousand), characters of given names come in the order of how
//! common they are, as the public registers have it; a twentieth of the people have English names.

use std::collections::BTreeSet;

use zhiyin_decide::duplicates::Profile;
use zhiyin_model::id::MemberId;
use zhiyin_model::time::Day;

use crate::chance::Chance;

const SURNAMES: [(&str, u32); 60] = [
    ("王", 710),
    ("李", 700),
    ("张", 670),
    ("刘", 540),
    ("陈", 460),
    ("杨", 310),
    ("黄", 220),
    ("赵", 210),
    ("吴", 205),
    ("周", 200),
    ("徐", 170),
    ("孙", 155),
    ("马", 130),
    ("朱", 126),
    ("胡", 120),
    ("郭", 118),
    ("何", 115),
    ("林", 115),
    ("高", 105),
    ("罗", 100),
    ("郑", 93),
    ("梁", 87),
    ("谢", 74),
    ("宋", 73),
    ("唐", 70),
    ("许", 68),
    ("韩", 66),
    ("邓", 65),
    ("冯", 64),
    ("曹", 62),
    ("彭", 60),
    ("曾", 58),
    ("肖", 55),
    ("田", 54),
    ("董", 53),
    ("潘", 50),
    ("袁", 49),
    ("蔡", 48),
    ("蒋", 47),
    ("余", 46),
    ("于", 45),
    ("杜", 44),
    ("叶", 43),
    ("程", 42),
    ("魏", 41),
    ("苏", 40),
    ("吕", 39),
    ("丁", 38),
    ("任", 37),
    ("卢", 36),
    ("姚", 35),
    ("沈", 34),
    ("钟", 33),
    ("姜", 32),
    ("崔", 31),
    ("谭", 30),
    ("陆", 29),
    ("范", 28),
    ("汪", 27),
    ("欧阳", 8),
];
const GIVEN_MALE: &str = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林阳建志文国海东晓小永天子成荣新春立学宏德金玉庆峰威";
const GIVEN_FEMALE: &str = "芳娜敏静丽艳娟霞秀燕玲婷雪红梅英兰慧莉倩颖琴云洁琳玉萍欣佳莹雅晶怡思文晓小春美月淑桂凤荣珍巧蓉瑶璐蕾薇菲";
const LATIN_FIRST_MALE: [&str; 20] = [
    "James", "John", "Robert", "Michael", "William", "David", "Richard", "Joseph", "Thomas", "Charles",
    "Daniel", "Matthew", "Anthony", "Mark", "Paul", "Steven", "Andrew", "Kenneth", "Joshua", "Kevin",
];
const LATIN_FIRST_FEMALE: [&str; 20] = [
    "Mary",
    "Patricia",
    "Jennifer",
    "Linda",
    "Elizabeth",
    "Barbara",
    "Susan",
    "Jessica",
    "Sarah",
    "Karen",
    "Nancy",
    "Lisa",
    "Margaret",
    "Betty",
    "Sandra",
    "Ashley",
    "Dorothy",
    "Kimberly",
    "Emily",
    "Donna",
];
const LATIN_LAST: [&str; 30] = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Thompson",
    "White",
    "Harris",
    "Clark",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
];
/// Characters that sound the same, as they are mistaken for each other when a name is heard.
const SOUND_ALIKE: [&str; 24] = [
    "张章",
    "伟薇威",
    "芳方",
    "静晶",
    "丽莉立",
    "杰洁",
    "晓小",
    "明名",
    "涛焘",
    "敏闽",
    "华桦",
    "辉慧",
    "波博",
    "文雯",
    "志治",
    "建健",
    "玉宇裕",
    "琴勤",
    "玲龄",
    "燕艳",
    "红宏",
    "程成",
    "蒋讲",
    "于余",
];
const CITIES: [(&str, u32); 8] = [
    ("上海", 40),
    ("杭州", 20),
    ("苏州", 15),
    ("南京", 10),
    ("宁波", 6),
    ("无锡", 4),
    ("合肥", 3),
    ("嘉兴", 2),
];
const STREETS: [&str; 20] = [
    "南京路",
    "淮海路",
    "中山路",
    "人民路",
    "解放路",
    "建设路",
    "和平街",
    "长江路",
    "黄河路",
    "北京路",
    "天山路",
    "延安路",
    "复兴路",
    "文化路",
    "新华路",
    "胜利街",
    "东风路",
    "青年路",
    "光明街",
    "公园路",
];

/// How a second record differs from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Corruption {
    /// Only in what is known.
    Nothing,
    /// A character that sounds the same, or a letter mistyped.
    NameTypo,
    /// Surname and given name in the other order.
    NameSwapped,
    /// The name in Latin letters.
    NameLatin,
    /// Another phone.
    PhoneChanged,
    /// A digit of the phone mistyped.
    PhoneTypo,
    /// Day and month swapped.
    BirthdaySwapped,
    /// A digit of the birthday mistyped.
    BirthdayTypo,
    /// Another address and store.
    Moved,
}

impl Corruption {
    /// Each.
    pub const ALL: [Self; 9] = [
        Self::Nothing,
        Self::NameTypo,
        Self::NameSwapped,
        Self::NameLatin,
        Self::PhoneChanged,
        Self::PhoneTypo,
        Self::BirthdaySwapped,
        Self::BirthdayTypo,
        Self::Moved,
    ];
}

/// A record, and whose it is.
pub struct Record {
    pub person: usize,
    pub profile: Profile,
}

/// Two records of one person.
pub struct Double {
    pub pair: (MemberId, MemberId),
    pub corruptions: Vec<Corruption>,
}

/// The truth about a person.
#[derive(Clone)]
struct Person {
    family: usize,
    surname: String,
    given: String,
    is_latin: bool,
    is_female: bool,
    phone: String,
    email: String,
    birthday: Day,
    city: &'static str,
    address: String,
    store: String,
    device: String,
}

/// The town.
pub struct Town {
    pub records: Vec<Record>,
    pub doubles: Vec<Double>,
    /// Pairs of persons who are twins, the lower number first.
    pub twins: BTreeSet<(usize, usize)>,
    families: Vec<usize>,
}

impl Town {
    /// A town of so many people, of whom 15 % were written down twice.
    pub fn of(seed: u64, n_people: usize) -> Self {
        let mut chance = Chance::new(seed);
        let (mut people, mut twins) = (Vec::new(), BTreeSet::new());
        let mut family = 0;
        while people.len() < n_people {
            add_family(&mut chance, family, &mut people, &mut twins);
            family += 1;
        }
        people.truncate(n_people);
        twins.retain(|(_, other)| *other < n_people);
        let (mut records, mut doubles) = (Vec::new(), Vec::new());
        for (number, person) in people.iter().enumerate() {
            let first = written(&mut chance, person, &[]);
            if chance.percent(15) {
                let corruptions = corruptions(&mut chance, person);
                let second = written(&mut chance, person, &corruptions);
                let pair = (first.member.min(second.member), first.member.max(second.member));
                doubles.push(Double { pair, corruptions });
                records.push(Record { person: number, profile: second });
            }
            records.push(Record { person: number, profile: first });
        }
        Self { records, doubles, twins, families: people.iter().map(|person| person.family).collect() }
    }

    /// Whether two persons are of one family.
    pub fn are_kin(&self, one: usize, other: usize) -> bool {
        self.families[one] == self.families[other]
    }
}

fn digits(chance: &mut Chance, n: usize) -> String {
    (0..n).map(|_| char::from(b'0' + chance.below(10) as u8)).collect()
}

fn phone(chance: &mut Chance) -> String {
    format!("+861{}{}", chance.one(&["3", "5", "7", "8", "9"]), digits(chance, 9))
}

fn given(chance: &mut Chance, is_female: bool) -> String {
    let chars: Vec<char> = if is_female { GIVEN_FEMALE } else { GIVEN_MALE }.chars().collect();
    let n = if chance.percent(20) { 1 } else { 2 };
    (0..n).map(|_| chance.ranked(&chars)).collect()
}

fn person(
    chance: &mut Chance,
    family: usize,
    surname: &str,
    is_latin: bool,
    home: (&'static str, &str, &str),
) -> Person {
    let is_female = chance.percent(55);
    let given = match (is_latin, is_female) {
        (true, true) => chance.ranked(&LATIN_FIRST_FEMALE).to_owned(),
        (true, false) => chance.ranked(&LATIN_FIRST_MALE).to_owned(),
        (false, _) => given(chance, is_female),
    };
    let birthday = Day(-7_305).plus(chance.below(365 * 58) as i32);
    let domain = chance.weighed(&[("qq.com", 50), ("163.com", 30), ("126.com", 10), ("gmail.com", 10)]);
    Person {
        family,
        surname: surname.to_owned(),
        given,
        is_latin,
        is_female,
        phone: phone(chance),
        email: format!("{}@{domain}", digits(chance, 9)),
        birthday,
        city: home.0,
        address: home.1.to_owned(),
        store: home.2.to_owned(),
        device: digits(chance, 16),
    }
}

fn add_family(
    chance: &mut Chance,
    family: usize,
    people: &mut Vec<Person>,
    twins: &mut BTreeSet<(usize, usize)>,
) {
    let is_latin = chance.percent(5);
    let surname = |chance: &mut Chance| {
        if is_latin { chance.ranked(&LATIN_LAST) } else { chance.weighed(&SURNAMES) }
    };
    let shared = surname(chance);
    let city = chance.weighed(&CITIES);
    let address = format!("{}{}号{}室", chance.one(&STREETS), chance.below(400) + 1, chance.below(2000) + 1);
    let store = format!("{city}{}", chance.below(12));
    let home = (city, address.as_str(), store.as_str());
    let n_adults = 1 + usize::from(chance.percent(60));
    let n_children = if n_adults == 2 && chance.percent(60) { 1 + chance.below(2) } else { 0 };
    let first = people.len();
    for n in 0..n_adults {
        let name = if n == 0 || is_latin { shared } else { surname(chance) };
        people.push(person(chance, family, name, is_latin, home));
    }
    let mut born: Option<(Day, usize, String)> = None;
    for _ in 0..n_children {
        let mut child = person(chance, family, shared, is_latin, home);
        if let Some((day, sibling, name)) = &born {
            // Two characters: brothers and sisters often share the first.
            if !is_latin && name.chars().count() == 2 && chance.percent(50) {
                let tail = child.given.chars().last().unwrap_or('明');
                child.given = name.chars().take(1).chain([tail]).collect();
            }
            if chance.percent(8) && child.given != *name {
                child.birthday = *day;
                child.is_female =
                    if chance.percent(65) { people[*sibling].is_female } else { child.is_female };
                twins.insert((*sibling, people.len()));
            }
        }
        if chance.percent(50) {
            child.phone.clone_from(&people[first].phone);
        }
        born = Some((child.birthday, people.len(), child.given.clone()));
        people.push(child);
    }
    if n_adults == 2 && chance.percent(10) {
        people[first + 1].phone = people[first].phone.clone();
    }
}

fn corruptions(chance: &mut Chance, person: &Person) -> Vec<Corruption> {
    use Corruption as C;
    let mut found: Vec<C> = Vec::new();
    for _ in 0..chance.weighed(&[(0, 15), (1, 55), (2, 30)]) {
        let next = chance.weighed(&[
            (C::NameTypo, 20),
            (C::NameSwapped, 10),
            (C::NameLatin, 10),
            (C::PhoneChanged, 25),
            (C::PhoneTypo, 15),
            (C::BirthdaySwapped, 8),
            (C::BirthdayTypo, 8),
            (C::Moved, 15),
        ]);
        let swapped_is_no_date = next == C::BirthdaySwapped && person.birthday.date().day() > 12;
        let is_name = |c: &C| matches!(c, C::NameTypo | C::NameSwapped | C::NameLatin);
        let is_phone = |c: &C| matches!(c, C::PhoneChanged | C::PhoneTypo);
        let is_born = |c: &C| matches!(c, C::BirthdaySwapped | C::BirthdayTypo);
        let is_latin_already = next == C::NameLatin && person.is_latin;
        let same = |is: &dyn Fn(&C) -> bool| is(&next) && found.iter().any(is);
        let is_impossible = swapped_is_no_date || is_latin_already || found.contains(&next);
        if !is_impossible && !same(&is_name) && !same(&is_phone) && !same(&is_born) {
            found.push(next);
        }
    }
    if found.is_empty() {
        found.push(C::Nothing);
    }
    found
}

/// A record of a person, as one source came to know them.
fn written(chance: &mut Chance, person: &Person, corruptions: &[Corruption]) -> Profile {
    let has = |corruption| corruptions.contains(&corruption);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&chance.next().to_be_bytes());
    let mut profile = Profile::new(MemberId::from_bytes(id));
    let (mut surname, mut given) = (person.surname.clone(), person.given.clone());
    if has(Corruption::NameTypo) {
        if person.is_latin {
            given = slip(chance, &given)
        } else {
            sound_alike(chance, &mut surname, &mut given)
        }
    }
    let name = match (person.is_latin, has(Corruption::NameSwapped)) {
        (true, false) => format!("{given} {surname}"),
        (true, true) => format!("{surname}, {given}"),
        (false, false) => format!("{surname}{given}"),
        (false, true) => format!("{given}{surname}"),
    };
    let name = if has(Corruption::NameLatin) { latin(chance, &surname, &given) } else { name };
    profile.names.push(name);
    if has(Corruption::PhoneChanged) {
        profile.phones.push(phone(chance));
    } else if has(Corruption::PhoneTypo) {
        profile.phones.push(slip_of_a_digit(chance, &person.phone, 4));
    } else if chance.percent(92) {
        profile.phones.push(person.phone.clone());
    }
    if has(Corruption::BirthdaySwapped) {
        let date = person.birthday.date();
        profile.birthday = Day::parse(&format!("{:04}-{:02}-{:02}", date.year(), date.day(), date.month()));
    } else if has(Corruption::BirthdayTypo) {
        let text = person.birthday.to_string();
        let slipped = (0..20).find_map(|_| Day::parse(&slip_of_a_digit(chance, &text, 2)));
        profile.birthday = Some(slipped.unwrap_or(person.birthday));
    } else if chance.percent(75) {
        profile.birthday = Some(person.birthday);
    }
    if chance.percent(35) {
        profile.emails.push(person.email.clone());
    }
    if chance.percent(80) {
        profile.gender = Some(if person.is_female { "女" } else { "男" }.to_owned());
    }
    if chance.percent(85) {
        profile.city = Some(person.city.to_owned());
    }
    if has(Corruption::Moved) {
        profile.address = Some(format!("{}{}号", chance.one(&STREETS), chance.below(400) + 1));
        profile.store = Some(format!("{}{}", person.city, chance.below(12)));
    } else {
        profile.address = chance.percent(40).then(|| person.address.clone());
        profile.store = chance.percent(60).then(|| person.store.clone());
    }
    if chance.percent(30) {
        profile.devices.push(person.device.clone());
    }
    profile
}

/// One letter more, less, another, or two swapped.
fn slip(chance: &mut Chance, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = chance.below(chars.len().saturating_sub(1));
    match chance.below(3) {
        0 => chars.swap(at, at + 1),
        1 => drop(chars.remove(at)),
        _ => chars[at] = char::from(b'a' + chance.below(26) as u8),
    }
    chars.into_iter().collect()
}

/// One digit, from a place on, is another, or is swapped with the next.
fn slip_of_a_digit(chance: &mut Chance, text: &str, from: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = from + chance.below(chars.len() - from - 1);
    if chance.percent(40) && chars[at].is_ascii_digit() && chars[at + 1].is_ascii_digit() {
        chars.swap(at, at + 1);
    } else if chars[at].is_ascii_digit() {
        chars[at] = char::from(b'0' + chance.below(10) as u8);
    }
    chars.into_iter().collect()
}

/// A character for one that sounds the same, or, where none is known, for any other.
fn sound_alike(chance: &mut Chance, surname: &mut String, given: &mut String) {
    let other = |c: char| {
        SOUND_ALIKE.iter().find(|group| group.contains(c)).and_then(|group| group.chars().find(|o| *o != c))
    };
    for name in [&mut *given, surname] {
        if let Some(c) = name.chars().find(|c| other(*c).is_some()) {
            *name = name.chars().map(|o| if o == c { other(c).unwrap_or(o) } else { o }).collect();
            return;
        }
    }
    let chars: Vec<char> = GIVEN_MALE.chars().collect();
    let mut letters: Vec<char> = given.chars().collect();
    if let Some(last) = letters.last_mut() {
        *last = chance.one(&chars);
    }
    *given = letters.into_iter().collect();
}

/// The sounds of a name, either part first.
fn latin(chance: &mut Chance, surname: &str, given: &str) -> String {
    use pinyin::ToPinyin;
    let sound = |text: &str| -> String {
        let sounds = text.to_pinyin().flatten().map(|sound| sound.plain().replace('ü', "v"));
        sounds.collect()
    };
    let (surname, given) = (sound(surname), sound(given));
    if chance.percent(50) { format!("{surname} {given}") } else { format!("{given} {surname}") }
}
