//! Items that say the same of one member after the other, as those of an issue to many do: the first is read, and of each that says
//! the same but for whom it names the event is taken from it.

use zhiyin_model::event::Event;
use zhiyin_model::id::MemberId;
use zhiyin_store::{Result, Waiting, seal};

use super::{Batch, Read};

/// The name of a member is their id in so many digits.
const DIGITS: usize = 32;

/// The item that was read last, and where it names its member.
struct Like {
    body: String,
    /// Where the member's id stands in it, and nowhere else.
    at: usize,
    event: Event,
}

impl Like {
    /// An item that names its member by the id, once, and is about nothing else that must be looked up.
    fn of(body: String, read: &Read) -> Option<Self> {
        let event = read.event.as_ref().ok()?;
        let [named] = event.identifiers.as_slice() else { return None };
        let plain = read.order.is_none() && read.reach.is_none() && read.hashes.is_empty();
        let is_id = named.value.len() == DIGITS && MemberId::from_hex(&named.value).is_some();
        let mut found = body.match_indices(&named.value);
        let (at, _) = found.next().filter(|_| plain && is_id)?;
        if found.next().is_some() {
            return None;
        }
        let event = event.clone();
        Some(Self { body, at, event })
    }

    /// The event of an item that says the same of another member.
    fn event(&self, body: &str) -> Option<Event> {
        let (before, behind) = (self.body.get(..self.at)?, self.body.get(self.at + DIGITS..)?);
        let named = body.strip_prefix(before)?.strip_suffix(behind)?;
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        // A name of zeros only is nobody's.
        let is_id = named.len() == DIGITS && named.bytes().all(is_digit) && named.bytes().any(|c| c != b'0');
        let mut event = self.event.clone();
        event.identifiers.first_mut().filter(|_| is_id)?.value = named.to_owned();
        Some(event)
    }
}

impl Batch<'_> {
    /// Reads items of one source, each about one member whom the door settled.
    pub(super) fn read_alike(&self, rows: &[Waiting]) -> crate::Result<Vec<Read>> {
        let mut like: Option<(usize, Like)> = None;
        let mut all = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter().enumerate() {
            let taken = like.as_ref().and_then(|(first, like)| {
                let same = rows.get(*first).is_some_and(|one| {
                    one.source == row.source
                        && one.user_namespace == row.user_namespace
                        && one.time == row.time
                });
                let is_well = same && row.member.is_some() && !self.cache.broken.events.contains(&row.seq);
                like.event(&opened(row).filter(|_| is_well)?)
            });
            let read = match taken {
                Some(event) => Read { event: Ok(event), hashes: Vec::new(), reach: None, order: None },
                None => {
                    let read = self.read(row)?;
                    like = opened(row).and_then(|body| Some((i, Like::of(body, &read)?)));
                    read
                }
            };
            all.push(read);
        }
        Ok(all)
    }
}

fn opened(row: &Waiting) -> Option<String> {
    let body: Result<String> = seal::open(&row.body);
    body.ok()
}

#[cfg(test)]
mod tests {
    use zhiyin_model::event::{self, Origin};
    use zhiyin_model::time::Ts;

    use super::*;

    fn body(member: &str, offer: &str) -> String {
        format!(
            r#"{{"context":{{"externalIds":[{{"id":"{member}","type":"member"}}]}},"event":"Coupon Issued","properties":{{"batch":"1","offer":"{offer}"}},"timestamp":"2025-06-01T00:00:00Z","type":"track"}}"#
        )
    }

    fn read(body: &str) -> Read {
        let origin = Origin { user_namespace: "user", default_time: Some(Ts(0)) };
        Read { event: event::read(body.as_bytes(), &origin), hashes: Vec::new(), reach: None, order: None }
    }

    #[test]
    fn what_says_the_same_of_another_member_is_what_reading_it_says() {
        let (one, other) = ("00112233445566778899aabbccddeeff", "ff112233445566778899aabbccddee00");
        let first = body(one, "spring");
        let like = Like::of(first.clone(), &read(&first)).unwrap();
        for member in [one, other] {
            let said = body(member, "spring");
            assert_eq!(like.event(&said), read(&said).event.ok(), "{member}");
        }
        let zeros = "0".repeat(DIGITS);
        for member in [zeros.as_str(), "FF112233445566778899AABBCCDDEE00", "ff", "\"", ""] {
            assert_eq!(like.event(&body(member, "spring")), None, "{member}");
        }
        assert_eq!(like.event(&body(other, "autumn")), None);
        assert!(Like::of(body(one, one), &read(&body(one, one))).is_none(), "it names it twice");
    }
}
