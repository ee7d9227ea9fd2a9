//! Whom is searched for: people with a phone number, an e-mail address and a name, in every place where an item may name them.

use std::fmt::Write;

/// How many.
pub const PEOPLE: u64 = 50;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Person(pub u64);

impl Person {
    /// Their phone number.
    pub fn phone(self) -> String {
        format!("138001370{:02}", self.0)
    }

    /// Their e-mail address.
    pub fn mail(self) -> String {
        format!("planted{:03}@nowhere.example", self.0)
    }

    /// Their name.
    pub fn name(self) -> String {
        format!("Planted Person {:03}", self.0)
    }
}

/// Their items as JSON Lines: they shop, say who they are, give to each other, and some of what they send is refused at the
/// door or cannot be decided.
pub fn input(people: &[Person]) -> String {
    let mut lines = String::new();
    for person in people {
        let (n, phone, mail, name) = (person.0, person.phone(), person.mail(), person.name());
        let who =
            format!(r#""userId":"{mail}","context":{{"externalIds":[{{"id":"{phone}","type":"phone"}}]}}"#);
        let mut line = |time: &str, id: &str, rest: &str| {
            writeln!(lines, r#"{{"timestamp":"{time}","messageId":"{id}-{phone}",{who},{rest}}}"#).unwrap();
        };
        let order = format!(
            r#""type":"track","event":"Order Completed","properties":{{"order_id":"o{n}","total":"100","note":"for {name}"}}"#
        );
        line("2025-03-01T04:00:00Z", "order", &order);
        line(
            "2025-03-02T04:00:00Z",
            "who",
            &format!(r#""type":"identify","traits":{{"name":"{name}","email":"{mail}"}}"#),
        );
        let child = format!(
            r#""type":"track","event":"Dependant Told","properties":{{"key":"{phone}","name":"{name} the younger","birthday":"2025-01-31"}}"#
        );
        line("2025-03-02T05:00:00Z", "child", &child);
        let to = Person((n + 1) % PEOPLE).phone();
        let gift = format!(
            r#""type":"track","event":"Points Gifted","properties":{{"amount":1,"to_namespace":"phone","to_value":"{to}"}}"#
        );
        if n % 2 == 0 && people.len() > 1 {
            line("2025-03-03T04:00:00Z", "gift", &gift);
        }
        let unknown = format!(
            r#""type":"track","event":"Order Refunded","properties":{{"order_id":"{phone}","total":"1","note":"{name}"}}"#
        );
        line("2026-02-01T04:00:00Z", "refund", &unknown);
        line("2026-02-01T04:00:00Z", "bad", &format!(r#""type":"{name}","traits":{{"name":"{name}"}}"#));
    }
    lines
}

/// What is said at a desk: two of them are one person, each called by one of their numbers.
pub fn same(pairs: &[(Person, Person)]) -> String {
    let mut lines = String::new();
    for (one, other) in pairs.iter().map(|(one, other)| (one.phone(), other.phone())) {
        writeln!(
            lines,
            r#"{{"timestamp":"2025-06-01T04:00:00Z","messageId":"same-{other}","type":"track","event":"Members Merge Asked","properties":{{"reason":"the same at the till"}},"context":{{"externalIds":[{{"id":"{one}","type":"phone"}},{{"id":"{other}","type":"phone"}}]}}}}"#
        )
        .unwrap();
    }
    lines
}

/// One more order of theirs, a large one: their tier and stage move with it.
pub fn visit(person: Person) -> String {
    let (phone, mail) = (person.phone(), person.mail());
    format!(
        r#"{{"timestamp":"2025-09-01T04:00:00Z","messageId":"visit-{phone}","userId":"{mail}","context":{{"externalIds":[{{"id":"{phone}","type":"phone"}}]}},"type":"track","event":"Order Completed","properties":{{"order_id":"v{phone}","total":"5000"}}}}"#
    )
}

/// How a text may be written.
pub fn spellings(text: &str) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut all = vec![
        text.as_bytes().to_vec(),
        hex(text.as_bytes()).into_bytes(),
        hex(text.as_bytes()).to_uppercase().into_bytes(),
        hex(&wide(u16::to_le_bytes)).into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ];
    // In base64 it begins at one of three places within four digits.
    for before in 0..3 {
        let bytes = [&b"\0\0"[..before], text.as_bytes()].concat();
        let whole = base64(&bytes[..bytes.len() / 3 * 3]);
        all.push(whole.as_bytes()[if before == 0 { 0 } else { 4 }..].to_vec());
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks_exact(3) {
        let n = usize::from(part[0]) << 16 | usize::from(part[1]) << 8 | usize::from(part[2]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(DIGITS[n >> shift & 63]));
        }
    }
    text
}
